/* An attempt's two fits. First by likelihood on the exploration's draws, with a fifth of them held
 * out, which brings q to all of the mass that was found, whatever q was before. Then by reverse
 * divergence with path gradients, whose noise vanishes as q nears p (Roeder, Wu and Duvenaud 2017,
 * arXiv:1703.09194), with a forward term on the same draws that is never let go of: it alone pulls
 * q back to a mode that it begins to lose.
 *
 * In few dimensions a third term makes log w even over points that are spread wider than p, and
 * over draws of p. The others have no draws in p's tails, where q may then be off by any factor,
 * which k-hat sees and the mean does not. It pulls at a mode that is lost as the forward term does,
 * and knows p where that one has only draws of it: so the latter, which would make q resemble them
 * and not p, ends half-way. */
#include <math.h>
#include <string.h>
#include "base/os.h"
#include "infer/robust/attempt.h"

/* The path gradient costs more than twice as much as the plain one, and is worth it at the end. */
enum { PLAIN_TERM, PATH_TERM, FORWARD_TERM, WIDE_TERM, TERMS };
/* Between pieces the terms' weights change, and now and then the parameters are looked at. */
enum { PIECES = 20, PIECES_BETWEEN_LOOKS = 5 };
static const double plain_share = 0.6;

static const double last_forward_weight = 0.1, wide_weight = 1;

double sl__robust_seconds_left(const sl__robust *run) {
  if (run->options->max_seconds <= 0) return INFINITY;
  return run->options->max_seconds - (sl__os_seconds() - run->started);
}

static double time_limit(const sl__robust *run) {
  const double left = sl__robust_seconds_left(run);
  return left == INFINITY ? 0 : fmax(left, 1e-3);
}

/* What is left of the budget; a large number where there is none. */
static int64_t gradients_left(const sl__robust *run) {
  const int64_t most = run->options->most_gradients;
  if (most == 0) return INT64_MAX;
  const int64_t used = run->report->gradient_evaluations - run->judging;
  return used < most ? most - used : 0;
}

bool sl__robust_is_spent(const sl__robust *run) {
  return sl__robust_seconds_left(run) <= 0 || gradients_left(run) == 0;
}

bool sl__robust_tell(sl__robust *run, int stage, int64_t step, int64_t steps, double loss) {
  if (!run->options->progress) return true;
  const sl__robust_progress now = {.stage = stage,
                                   .attempt = run->attempt,
                                   .step = step,
                                   .steps = steps,
                                   .loss = loss,
                                   .seconds = sl__os_seconds() - run->started};
  if (!run->options->progress(run->options->user, &now)) run->stopped = true;
  return !run->stopped;
}

/* ---- likelihood ---- */

static bool show_likelihood(void *user, const sl__mle_progress *now) {
  return sl__robust_tell(user, SL__ROBUST_LIKELIHOOD, now->step, now->steps, now->loss);
}

static sl_status run_likelihood(sl__robust *run, const sl__plan_of_attempt *plan, sl__model *model,
                                const void *x) {
  const sl__exploration *e = run->exploration;
  const size_t width = run->type == SL_F32 ? sizeof(float) : sizeof(double);
  const int64_t held = e->buffer.rows / 5, rows = e->buffer.rows - held;
  const sl__mle_data data = {
      .rows = rows,
      .x = x,
      .valid_rows = held,
      .valid_x = (const char *)x + (size_t)(rows * e->dim) * width,
  };
  sl__mle_options options;
  sl__mle_defaults(&options);
  options.steps = plan->likelihood_steps;
  options.epochs = 0;
  options.batch = plan->batch;
  options.rate = plan->rate;
  options.warmup_steps = 20;
  options.valid_every = plan->likelihood_steps / 10 + 1;
  options.patience = 4;
  options.ema = 0.98;
  options.seed = sl__robust_seed(run, SL__PART_LIKELIHOOD);
  options.max_seconds = time_limit(run);
  options.progress = show_likelihood;
  options.user = run;
  sl__mle_report report;
  const sl_status status =
      sl__mle_fit(run->context, model->flow, model->vector, &data, &options, &report);
  run->report->steps += report.steps;
  return status == SL_NUMERIC ? SL_OK : status; /* it is the best so far all the same */
}

static sl_status fit_likelihood(sl__robust *run, const sl__plan_of_attempt *plan,
                                sl__model *model) {
  const sl__exploration *e = run->exploration;
  if (plan->likelihood_steps == 0) return SL_OK;
  if (run->type == SL_F64) return run_likelihood(run, plan, model, e->buffer.x);
  const size_t count = (size_t)(e->buffer.rows * e->dim);
  float *x = sl__allocate(run->context, count, sizeof *x);
  if (!x) return SL_NO_MEMORY;
  for (size_t i = 0; i < count; i++) x[i] = (float)e->buffer.x[i];
  const sl_status status = run_likelihood(run, plan, model, x);
  sl__free(&run->context->allocator, x);
  return status;
}

/* ---- divergence ---- */

static bool show_divergence(void *user, const sl__vi_progress *now) {
  return sl__robust_tell(user, SL__ROBUST_DIVERGENCE, now->step, now->steps, now->loss);
}

static int64_t wide_samples(const sl__plan_of_attempt *plan) {
  return plan->batch / 4;
}

/* How many terms there are. */
static int plan_terms(const sl__robust *run, const sl__plan_of_attempt *plan,
                      sl__vi_options *options, sl__vi_term terms[TERMS]) {
  const sl__exploration *e = run->exploration;
  sl__vi_defaults(options, &terms[0]);
  terms[PLAIN_TERM].samples = plan->batch;
  terms[PATH_TERM] = terms[PLAIN_TERM];
  terms[PATH_TERM].estimator = "stl";
  terms[FORWARD_TERM] = (sl__vi_term){.objective = "draws",
                                      .weight = 1,
                                      .samples = plan->batch / 2,
                                      .rows = e->buffer.rows,
                                      .draws = e->buffer.x};
  terms[WIDE_TERM] = (sl__vi_term){.objective = "variance",
                                   .weight = wide_weight,
                                   .samples = wide_samples(plan),
                                   .rows = e->wide.rows,
                                   .draws = e->wide.x,
                                   .log_weights = e->wide_log_weights};
  return e->wide.rows > 0 ? TERMS : TERMS - 1;
}

static void plan_divergence(sl__robust *run, const sl__plan_of_attempt *plan,
                            const sl__model *model, sl__vi_options *options,
                            sl__vi_term terms[TERMS]) {
  const sl__exploration *e = run->exploration;
  options->term_count = plan_terms(run, plan, options, terms);
  options->terms = terms;
  options->steps = plan->steps;
  options->rate = plan->rate;
  options->schedule = "cosine";
  options->warmup_steps = plan->steps / 20;
  options->clip_by_median = true;
  options->ema = 0.99;
  options->sobol = e->dim <= SL__SOBOL_DIMS && strcmp(model->flow->base.kind->name, "normal") == 0;
  options->seed = sl__robust_seed(run, SL__PART_DIVERGENCE);
  options->max_seconds = time_limit(run);
  options->quiet = run->not_finite > 0;
  options->progress = show_divergence;
  options->user = run;
}

static double forward_weight(const sl__exploration *e, double done) {
  if (done > 0.5 && e->wide.rows > 0) return 0;
  return pow(last_forward_weight, fmin(1, 2 * done));
}

static sl_status run_divergence(const sl__plan_of_attempt *plan, sl__vi *vi, sl__keeping *keeping) {
  bool finished = false;
  for (int piece = 0; piece < PIECES && !finished; piece++) {
    const double done = (double)piece / (PIECES - 1);
    if (piece % PIECES_BETWEEN_LOOKS == 0)
      SL__TRY(sl__keeping_look(keeping, sl__vi_parameters(vi)));
    sl__vi_set_weight(vi, PLAIN_TERM, done < plain_share);
    sl__vi_set_weight(vi, PATH_TERM, !(done < plain_share));
    sl__vi_set_weight(vi, FORWARD_TERM, forward_weight(keeping->run->exploration, done));
    const int64_t begin = plan->steps * piece / PIECES, end = plan->steps * (piece + 1) / PIECES;
    SL__TRY(sl__vi_run(vi, end - begin, &finished));
  }
  return SL_OK;
}

static void add_to_report(const sl__vi *vi, int64_t samples, sl__robust *run) {
  sl__robust_report *report = run->report;
  sl__vi_report now;
  sl__vi_report_of(vi, &now);
  report->steps += now.steps;
  report->gradient_evaluations += now.gradient_evaluations;
  if (run->exploration->wide.rows > 0) report->evaluations += now.steps * samples;
  run->not_finite += now.not_finite;
  run->loss_average = now.loss_average;
  run->history = now.history;
}

static sl_status improve_divergence(sl__robust *run, const sl__plan_of_attempt *plan, sl__vi *vi,
                                    sl__model *model) {
  sl__keeping keeping;
  SL__TRY(sl__keeping_open(run, model->flow, &keeping));
  sl_status status = run_divergence(plan, vi, &keeping);
  const size_t width = run->type == SL_F32 ? sizeof(float) : sizeof(double);
  memcpy(model->vector, sl__vi_parameters(vi), (size_t)model->flow->size * width);
  add_to_report(vi, wide_samples(plan), run);
  /* After a loss that was not finite the judge will see. */
  if (status == SL_NUMERIC) status = SL_OK;
  if (status == SL_OK || status == SL_STOPPED) {
    bool rolled_back;
    const sl_status settled = sl__keeping_settle(&keeping, model->vector, &rolled_back);
    run->report->rolled_back += rolled_back;
    if (settled != SL_OK) status = settled;
  }
  sl__keeping_close(&keeping);
  return status;
}

static sl_status fit_divergence(sl__robust *run, const sl__plan_of_attempt *plan,
                                sl__model *model) {
  sl__vi_options options;
  sl__vi_term terms[TERMS];
  sl__vi *vi;
  sl__plan_of_attempt within = *plan;
  const int64_t affordable = gradients_left(run) / plan->batch;
  if (affordable < within.steps) within.steps = affordable;
  if (within.steps == 0) return SL_OK;
  plan_divergence(run, &within, model, &options, terms);
  SL__TRY(sl__vi_new(run->context, model->flow, model->vector, run->target, &options, &vi));
  const sl_status status = improve_divergence(run, &within, vi, model);
  sl__vi_free(vi);
  return status;
}

sl_status sl__robust_improve(sl__robust *run, const sl__plan_of_attempt *plan, sl__model *model) {
  run->history = (sl__loss_history){0};
  run->loss_average = (double)NAN;
  sl_status status = fit_likelihood(run, plan, model);
  if (status == SL_OK && !sl__robust_is_spent(run)) status = fit_divergence(run, plan, model);
  return status;
}
