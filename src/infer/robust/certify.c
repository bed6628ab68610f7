/* The judge of an attempt: q by its own draws, and by draws of the target that it was not fitted
 * to, which are the exploration's, moved on. Between them stands log Z: the mean of log w over
 * draws of q is below it, over draws of p above it (Blessing et al. 2024, arXiv:2406.07423,
 * section 3). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "infer/diagnose/diagnose.h"
#include "infer/robust/attempt.h"

enum { MOST_FRESH = 8192, SWEEPS = 2, MORE = 5 };
/* What progress counts. */
enum { STEP_DRAW, STEP_REFRESH, STEP_WEIGH, STEP_DONE };

/* k-hat of 20,000 weights is known to about 0.1. This near to its threshold it is asked of more of
 * them, in few dimensions on whichever side it was; in more, where it would refuse. */
static const double doubtful = 0.25;

/* Of the exploration's draws so few can be one chain's single way out, and are too few to be a mode
 * that matters: they are left out of the forward share, unless moments hang on them. */
static const double stray = 0.0005;

/* The standard error of log Z that more draws are worth. */
static const double fair_error = 0.005;

static void show_judging(sl__robust *run, int64_t step) {
  sl__robust_tell(run, SL__ROBUST_JUDGE, step, STEP_DONE, (double)NAN);
}

static sl_status take(const sl__robust *run, sl__arena *arena, sl__judged *j) {
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
static sl_status draw(const sl__robust *run, const sl__model *model, sl__judged *j,
                      sl__vi_scores *scores) {
  run->report->evaluations += j->rows;
  return sl__vi_evaluate(run->context, model->flow, model->vector, run->target, j->rows,
                         sl__robust_seed(run, SL__PART_JUDGE), j->x, j->log_weights, scores);
}

static sl_status draw_until_sure(const sl__robust *run, const sl__model *model, sl__arena *arena,
                                 sl__judged *j, sl__vi_scores *scores) {
  SL__TRY(draw(run, model, j, scores));
  const double above = scores->khat - scores->khat_threshold;
  const bool few = run->exploration->dim <= SL__FEW;
  const bool vague = above < 0 && scores->log_evidence_se > fair_error;
  const bool doubted = fabs(above) < doubtful && (few || above >= 0);
  if (!(doubted || (vague && !few)) || scores->lost > 0) return SL_OK;
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
static sl_status refresh(sl__robust *run, sl__judged *j) {
  const sl__exploration *e = run->exploration;
  sl__smc_options options;
  sl__smc_defaults(&options, e->dim);
  options.seed = sl__robust_seed(run, SL__PART_REFRESH);
  options.progress = show_refreshing;
  options.user = run;
  sl__smc_report report = {.step_size = e->smc.step_size};
  memcpy(j->fresh, e->buffer.x, (size_t)(j->fresh_rows * e->dim) * sizeof(double));
  SL__TRY(sl__smc_refresh(run->context, run->target, &options, SWEEPS, j->fresh_rows, j->fresh,
                          j->at_fresh, &report));
  run->report->gradient_evaluations += report.gradients;
  run->report->evaluations += j->fresh_rows; /* for log w */
  run->judging += report.gradients;
  return SL_OK;
}

static void bound_from_above(const sl__judged *j, int32_t dim, sl__robust_report *report) {
  const double missing = sl__robust_hole(dim);
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

/* Of the tempered population, where it claims more mass than q has: whether that is anywhere that q
 * is not. Else the claim is the population's own error, as of a first density that was far off. */
static sl_status look_at_population(const sl__robust *run, const sl__model *model, sl__arena *arena,
                                    sl__robust_report *report) {
  const sl__exploration *e = run->exploration;
  const int64_t rows = e->particles.rows;
  report->population_within = false;
  if (!e->chains_agree || !e->tempered_complete || rows == 0 ||
      !(report->tempered > report->scores.log_evidence))
    return SL_OK;
  double *log_weights = sl__arena_take(arena, (size_t)rows, sizeof *log_weights);
  if (!log_weights) return SL_NO_MEMORY;
  SL__TRY(sl__vi_log_weights(run->context, model->flow, model->vector, run->target, rows,
                             e->particles.x, log_weights));
  run->report->evaluations += rows;
  const double missing = report->scores.log_evidence + sl__robust_hole(e->dim);
  int64_t missed = 0;
  for (int64_t r = 0; r < rows; r++) missed += !(log_weights[r] < missing);
  report->population_within = (double)missed <= SL__MOST_MISSED * (double)rows;
  return SL_OK;
}

static int descending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x < y) - (x > y);
}

/* The share of draws that the weights of q leave, as draws of p see it: Z / E_p[w]. *cut: log w
 * above which they are left out. */
static sl_status measure_forward(sl__arena *arena, const sl__judged *j, double log_evidence,
                                 sl__robust_report *report, double *cut) {
  const size_t count = (size_t)j->fresh_rows, left_out = (size_t)(stray * (double)count);
  double *sorted = sl__arena_take(arena, count, sizeof *sorted), sum = 0;
  if (!sorted) return SL_NO_MEMORY;
  memcpy(sorted, j->at_fresh, count * sizeof *sorted);
  for (size_t r = 0; r < count; r++)
    if (isnan(sorted[r])) return SL_OK; /* nor is the share a number */
  qsort(sorted, count, sizeof *sorted, descending);
  const double most = *cut = sorted[left_out];
  for (size_t r = left_out; r < count; r++) sum += exp(sorted[r] - most);
  /* fmin would take 0 for what is not a number */
  const double log_share = log_evidence - most - log(sum / (double)(count - left_out));
  report->ess_forward = log_share > 0 ? 1 : exp(log_share);
  return SL_OK;
}

static sl_status bridge(sl__robust *run, const sl__judged *j, sl__robust_report *report) {
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

static void clear(sl__robust_report *report) {
  const double none = (double)NAN;
  report->upper_bound = report->upper_bound_se = report->ess_forward = none;
  report->bridge = report->bridge_se = report->missed = none;
  report->tail_missed = report->tail_missed_se = none;
  report->mean_gap = report->sd_gap = report->log_sd_ratio = none;
  report->own_mean_gap = report->own_sd_gap = report->own_log_sd_ratio = none;
  report->parameter_mean_gap = report->parameter_sd_gap = none;
  report->by_quartiles = false;
  report->strays = 0;
  report->stray_mean_gap = report->stray_sd_gap = report->stray_spread_gap = none;
}

sl_status sl__robust_judge(sl__robust *run, const sl__model *model, sl__robust_report *report) {
  sl__judged j = {0};
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
    bound_from_above(&j, run->exploration->dim, report);
    status = sl__robust_compare_moments(run, &j, report);
    if (status == SL_OK) status = sl__robust_compare_weighted(run, &arena, &j, report);
    if (status == SL_OK && report->scores.lost == 0) status = bridge(run, &j, report);
    double cut = INFINITY;
    if (status == SL_OK)
      status = measure_forward(
          &arena, &j, isfinite(report->bridge) ? report->bridge : report->scores.log_evidence,
          report, &cut);
    if (status == SL_OK) status = look_at_population(run, model, &arena, report);
    if (status == SL_OK) sl__robust_measure_strays(&j, run->exploration->dim, cut, report);
    if (status == SL_OK) status = sl__robust_weigh_tails(run, model, &arena, report);
  }
  if (status == SL_OK && report->scores.lost == 0)
    status = sl__robust_widen_by(run, j.rows, j.x, j.log_weights);
  if (status == SL_OK) status = sl__robust_weigh_modes(run, report, j.rows, j.x, j.log_weights);
  sl__arena_close(&arena);
  show_judging(run, STEP_DONE);
  return status;
}
