/* The judge of an attempt: q by its own draws, and by draws of the target that it was not fitted
 * to, which are the exploration's, moved on. Between them stands log Z: the mean of log w over
 * draws of q is below it, over draws of p above it (Blessing et al. 2024, arXiv:2406.07423,
 * section 3). */
#include <math.h>
#include <string.h>
#include "infer/diagnose/diagnose.h"
#include "infer/robust/attempt.h"

enum { MOST_FRESH = 8192, SWEEPS = 2, MOST_DIM = 3, MORE = 5 };
/* What progress counts. */
enum { STEP_DRAW, STEP_REFRESH, STEP_WEIGH, STEP_DONE };

/* k-hat of 20,000 weights is known to about 0.1. This near to its threshold it is asked of more of
 * them, on whichever side it was, where these are cheap. */
static const double doubtful = 0.25;

/* A draw of p is missed where q is less than a tenth of p. */
static const double missing = 2.302585092994046;

typedef struct judged {
  int64_t rows, fresh_rows;
  double *x, *log_weights;  /* of q */
  double *fresh, *at_fresh; /* of p, and log w there */
} judged;

static void show_judging(sl__robust *run, int64_t step) {
  sl__robust_tell(run, SL__ROBUST_JUDGE, step, STEP_DONE, (double)NAN);
}

static sl_status take(const sl__robust *run, sl__arena *arena, judged *j) {
  const size_t dim = (size_t)run->exploration->dim;
  const int64_t known = run->exploration->buffer.rows;
  j->rows = run->options->judge;
  j->fresh_rows = known < MOST_FRESH ? known : MOST_FRESH;
  j->x = sl__arena_take(arena, (size_t)j->rows * dim, sizeof(double));
  j->log_weights = sl__arena_take(arena, (size_t)j->rows, sizeof(double));
  j->fresh = sl__arena_take(arena, (size_t)j->fresh_rows * dim, sizeof(double));
  j->at_fresh = sl__arena_take(arena, (size_t)j->fresh_rows, sizeof(double));
  return j->x && j->log_weights && j->fresh && j->at_fresh ? SL_OK : SL_NO_MEMORY;
}

/* Other draws for each attempt: an attempt is fitted to the heaviest of those before (wide.c). */
static sl_status draw(const sl__robust *run, const sl__model *model, judged *j,
                      sl__vi_scores *scores) {
  return sl__vi_evaluate(run->context, model->flow, model->vector, run->target, j->rows,
                         run->options->seed + (uint64_t)(run->attempt - 1), j->x, j->log_weights,
                         scores);
}

static sl_status draw_until_sure(const sl__robust *run, const sl__model *model, sl__arena *arena,
                                 judged *j, sl__vi_scores *scores) {
  SL__TRY(draw(run, model, j, scores));
  const bool doubted = fabs(scores->khat - scores->khat_threshold) < doubtful;
  if (run->exploration->dim > MOST_DIM || !doubted || scores->lost > 0) return SL_OK;
  j->rows *= MORE;
  j->x = sl__arena_take(arena, (size_t)j->rows * (size_t)run->exploration->dim, sizeof(double));
  j->log_weights = sl__arena_take(arena, (size_t)j->rows, sizeof(double));
  return j->x && j->log_weights ? draw(run, model, j, scores) : SL_NO_MEMORY;
}

/* A judgement is not broken off: without it the fit would be lost. Whoever stops is heard after. */
static bool show_refreshing(void *user, double power, int64_t gradients) {
  (void)power;
  (void)gradients;
  show_judging(user, STEP_REFRESH);
  return true;
}

/* Draws of p that no fit has seen. */
static sl_status refresh(sl__robust *run, judged *j) {
  const sl__exploration *e = run->exploration;
  sl__smc_options options;
  sl__smc_defaults(&options, e->dim);
  options.seed = run->options->seed + 1000 + (uint64_t)run->attempt;
  options.progress = show_refreshing;
  options.user = run;
  sl__smc_report report = {.step_size = e->smc.step_size};
  memcpy(j->fresh, e->buffer.x, (size_t)(j->fresh_rows * e->dim) * sizeof(double));
  SL__TRY(sl__smc_refresh(run->context, run->target, &options, SWEEPS, j->fresh_rows, j->fresh,
                          j->at_fresh, &report));
  run->report->gradient_evaluations += report.gradients;
  run->judging += report.gradients;
  return SL_OK;
}

static void bound_from_above(const judged *j, sl__robust_report *report) {
  double sum = 0, squares = 0;
  int64_t missed = 0;
  for (int64_t r = 0; r < j->fresh_rows; r++) {
    sum += j->at_fresh[r];
    missed += !(j->at_fresh[r] - report->scores.log_evidence < missing);
  }
  const double n = (double)j->fresh_rows, mean = sum / n;
  for (int64_t r = 0; r < j->fresh_rows; r++)
    squares += (j->at_fresh[r] - mean) * (j->at_fresh[r] - mean);
  report->upper_bound = mean;
  report->upper_bound_se = sqrt(squares / n / n);
  report->missed = (double)missed / n;
}

/* The share of draws that the weights of q leave, as draws of p see it: Z / E_p[w]. */
static void measure_forward(const judged *j, double log_evidence, sl__robust_report *report) {
  double most = -INFINITY, sum = 0;
  for (int64_t r = 0; r < j->fresh_rows; r++) most = fmax(most, j->at_fresh[r]);
  for (int64_t r = 0; r < j->fresh_rows; r++) sum += exp(j->at_fresh[r] - most);
  /* fmin would take 0 for what is not a number */
  const double log_share = log_evidence - most - log(sum / (double)j->fresh_rows);
  report->ess_forward = log_share > 0 ? 1 : exp(log_share);
}

static sl_status bridge(sl__robust *run, const judged *j, sl__robust_report *report) {
  const sl__series series = {.chains = 1,
                             .draws = j->fresh_rows,
                             .values = j->at_fresh,
                             .chain_stride = j->fresh_rows,
                             .draw_stride = 1};
  for (int64_t r = 0; r < j->fresh_rows; r++)
    if (!isfinite(j->at_fresh[r])) return SL_OK;
  sl__evidence evidence;
  const sl_status status =
      sl__evidence_bridge(run->context, &series, j->rows, j->log_weights, &evidence);
  if (status != SL_OK) return status == SL_NUMERIC ? SL_OK : status;
  report->bridge = evidence.value;
  report->bridge_se = evidence.se;
  return SL_OK;
}

static void moments(int64_t rows, int32_t dim, int32_t column, const double *x, double *mean,
                    double *sd) {
  double sum = 0, squares = 0;
  for (int64_t r = 0; r < rows; r++) sum += x[r * dim + column];
  *mean = sum / (double)rows;
  for (int64_t r = 0; r < rows; r++) {
    const double off = x[r * dim + column] - *mean;
    squares += off * off;
  }
  *sd = sqrt(squares / (double)rows);
}

static void compare_moments(const sl__robust *run, const judged *j, sl__robust_report *report) {
  const sl__exploration *e = run->exploration;
  report->mean_gap = report->sd_gap = 0;
  for (int32_t i = 0; i < e->dim; i++) {
    double mean, sd;
    moments(j->rows, e->dim, i, j->x, &mean, &sd);
    const double off = fabs(mean - e->mean[i]) / e->sd[i], ratio = fabs(log(sd / e->sd[i]));
    /* one that is not a number stays */
    if (!isnan(report->mean_gap) && !(off <= report->mean_gap)) report->mean_gap = off;
    if (!isnan(report->sd_gap) && !(ratio <= report->sd_gap)) report->sd_gap = ratio;
  }
}

/* Weights know the shares of modes that q and the exploration may both have wrong. */
static sl_status compare_weighted(const sl__robust *run, sl__arena *arena, const judged *j,
                                  sl__robust_report *report) {
  const int32_t dim = run->exploration->dim;
  double most = -INFINITY, total = 0;
  double *weights = sl__arena_take(arena, (size_t)j->rows, sizeof *weights);
  if (!weights) return SL_NO_MEMORY;
  for (int64_t r = 0; r < j->rows; r++) most = fmax(most, j->log_weights[r]);
  for (int64_t r = 0; r < j->rows; r++) total += weights[r] = exp(j->log_weights[r] - most);
  report->own_mean_gap = report->own_sd_gap = 0;
  for (int32_t i = 0; i < dim; i++) {
    double mean, sd, weighted = 0, squares = 0;
    moments(j->rows, dim, i, j->x, &mean, &sd);
    for (int64_t r = 0; r < j->rows; r++) weighted += weights[r] / total * j->x[r * dim + i];
    for (int64_t r = 0; r < j->rows; r++) {
      const double off = j->x[r * dim + i] - weighted;
      squares += weights[r] / total * off * off;
    }
    const double off = fabs(mean - weighted) / sqrt(squares), ratio = fabs(log(sd / sqrt(squares)));
    /* one that is not a number stays */
    if (!isnan(report->own_mean_gap) && !(off <= report->own_mean_gap)) report->own_mean_gap = off;
    if (!isnan(report->own_sd_gap) && !(ratio <= report->own_sd_gap)) report->own_sd_gap = ratio;
  }
  return SL_OK;
}

static void clear(sl__robust_report *report) {
  const double none = (double)NAN;
  report->upper_bound = report->upper_bound_se = report->ess_forward = none;
  report->bridge = report->bridge_se = report->missed = none;
  report->mean_gap = report->sd_gap = none;
  report->own_mean_gap = report->own_sd_gap = none;
}

sl_status sl__robust_judge(sl__robust *run, const sl__model *model, sl__robust_report *report) {
  judged j = {0};
  sl__arena arena;
  sl__arena_open(&arena, run->context);
  clear(report);
  sl_status status = take(run, &arena, &j);
  show_judging(run, STEP_DRAW);
  if (status == SL_OK) status = draw_until_sure(run, model, &arena, &j, &report->scores);
  if (status == SL_OK) status = refresh(run, &j);
  show_judging(run, STEP_WEIGH);
  if (status == SL_OK)
    status = sl__vi_log_weights(run->context, model->flow, model->vector, run->target, j.fresh_rows,
                                j.fresh, j.at_fresh);
  if (status == SL_OK) {
    bound_from_above(&j, report);
    compare_moments(run, &j, report);
    status = compare_weighted(run, &arena, &j, report);
    if (status == SL_OK && report->scores.lost == 0) status = bridge(run, &j, report);
    measure_forward(&j, isfinite(report->bridge) ? report->bridge : report->scores.log_evidence,
                    report);
  }
  if (status == SL_OK && report->scores.lost == 0)
    status = sl__robust_widen_by(run, j.rows, j.x, j.log_weights);
  sl__arena_close(&arena);
  show_judging(run, STEP_DONE);
  return status;
}
