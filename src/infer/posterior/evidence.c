/* The evidence of a model by two roads: importance sampling, from draws of the flow alone, and
 * bridge sampling (Meng and Wong 1996), from these and draws of the target. The second has a finite
 * error wherever the two overlap at all, and sees what the flow is too low for; the first needs no
 * chains, and its Pareto k-hat says by itself when it fails. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "infer/chain/preconditioned.h"
#include "infer/posterior/posterior.h"
#include "infer/recipe.h"
#include "infer/vi/vi.h"

/* Fewer effective draws, a larger error of the logarithm, and chains farther apart than these make
 * the error itself doubtful. */
static const double most_error = 0.3;
/* Two estimates may differ by so many of their errors, and a little. */
static const double errors = 3, little = 0.05;
enum { WARMUP = 500 };

void sl__evidence_defaults(sl__evidence_options *options) {
  *options = (sl__evidence_options){.judge = 20000, .chains = 4, .moves = 1000};
}

/* What is being weighed. */
typedef struct work {
  sl_context *context;
  sl__arena arena;
  const sl__target *target;
  const sl__model *model;
  const sl__evidence_options *options;
  sl__posterior_draws draws;
  double *x, *log_weights; /* of the flow: [judge][dim], [judge] */
  double *at_draws;        /* log weights at the draws, [chains][draws] */
  sl__evidence_report *out;
} work;

/* ---- the flow's own draws ---- */

static sl_status weigh_flow(work *w) {
  const size_t judge = (size_t)w->options->judge, dim = (size_t)w->target->dim;
  sl__vi_scores scores;
  w->x = sl__arena_take(&w->arena, judge, dim * sizeof *w->x);
  w->log_weights = sl__arena_take(&w->arena, judge, sizeof *w->log_weights);
  if (!w->x || !w->log_weights) return SL_NO_MEMORY;
  SL__TRY(sl__vi_evaluate(w->context, w->model->flow, w->model->vector, w->target,
                          w->options->judge, w->options->seed, w->x, w->log_weights, &scores));
  w->out->importance = scores.log_evidence;
  w->out->importance_se = scores.log_evidence_se;
  w->out->psis = (sl__psis){.khat = scores.khat,
                            .threshold = scores.khat_threshold,
                            .ess = scores.ess,
                            .log_mean = scores.log_evidence};
  w->out->judged_by = scores.rows;
  w->out->lost = scores.lost;
  for (size_t i = 0; i < judge; i++)
    if (!(w->log_weights[i] < INFINITY)) w->log_weights[i] = -INFINITY;
  return SL_OK;
}

/* ---- draws of the target, by chains that begin where the flow's draws weigh most ---- */

typedef struct gathered {
  int64_t draws;
  int32_t dim;
  double *q; /* [chains][draws][dim] */
} gathered;

static sl_status gather(void *user, const sl__sampler_draw *draw) {
  const gathered *g = user;
  memcpy(g->q + (draw->chain * g->draws + draw->iteration) * g->dim, draw->q,
         (size_t)g->dim * sizeof *g->q);
  return SL_OK;
}

/* first [chains][dim] */
static sl_status choose_first(work *w, double *first) {
  const int32_t chains = w->options->chains, dim = w->target->dim;
  int64_t *index = sl__arena_take(&w->arena, (size_t)chains, sizeof *index);
  if (!index) return SL_NO_MEMORY;
  const sl__random_key key = {w->options->seed, SL__STREAM_RESAMPLE, 2};
  SL__TRY(sl__resample(w->context, SL__RESAMPLE_STRATIFIED, key, w->options->judge, w->log_weights,
                       chains, index));
  for (int32_t c = 0; c < chains; c++)
    memcpy(first + c * dim, w->x + index[c] * dim, (size_t)dim * sizeof *first);
  return SL_OK;
}

static sl_status run_chains(work *w, const sl__target *pulled, const double *first, gathered *g) {
  sl__sampler_options options;
  sl__sampler_report report;
  sl__sampler_defaults(&options);
  options.chains = w->options->chains;
  options.warmup = WARMUP;
  options.draws = w->options->moves;
  options.jumps = 1;
  options.seed = w->options->seed;
  const sl__sampler_listener listener = {.draw = gather, .user = g};
  const sl_status status = sl__sampler_run(w->context, pulled, &options, first, &listener, &report);
  w->out->gradient_evaluations = report.gradients;
  return status;
}

static sl_status make_draws(work *w) {
  const int32_t chains = w->options->chains, dim = w->target->dim;
  const int64_t rows = (int64_t)chains * w->options->moves;
  gathered g = {.draws = w->options->moves, .dim = dim};
  g.q = sl__arena_take(&w->arena, (size_t)rows, (size_t)dim * sizeof *g.q);
  double *first = sl__arena_take(&w->arena, (size_t)chains, (size_t)dim * sizeof *first);
  double *z = sl__arena_take(&w->arena, (size_t)chains, (size_t)dim * sizeof *z);
  sl__target *pulled;
  if (!g.q || !first || !z) return SL_NO_MEMORY;
  SL__TRY(choose_first(w, first));
  SL__TRY(sl__target_preconditioned(w->context, w->target, w->model, &pulled));
  sl_status status = sl__preconditioned_pull(w->context, pulled, chains, first, z);
  if (status == SL_OK) status = run_chains(w, pulled, z, &g);
  if (status == SL_OK) status = sl__preconditioned_map(w->context, pulled, rows, g.q, g.q);
  sl__target_free(pulled);
  w->draws = (sl__posterior_draws){chains, w->options->moves, g.q};
  return status;
}

/* ---- the bridge ---- */

/* Largest over coordinates and log weights; NaN, which is trusted by nobody, where one is. */
static sl_status measure_chains(work *w) {
  const sl__posterior_draws *d = &w->draws;
  const int32_t dim = w->target->dim;
  const sl__series weights = {d->chains, d->draws, w->at_draws, d->draws, 1};
  SL__TRY(sl__rhat(w->context, &weights, &w->out->rhat));
  SL__TRY(sl__ess_mean(w->context, &weights, &w->out->ess));
  for (int32_t i = 0; i < dim; i++) {
    const sl__series series = {d->chains, d->draws, d->q + i, d->draws * dim, dim};
    double rhat, ess;
    SL__TRY(sl__rhat(w->context, &series, &rhat));
    SL__TRY(sl__ess_mean(w->context, &series, &ess));
    if (!(rhat <= w->out->rhat)) w->out->rhat = rhat;
    if (!(ess >= w->out->ess)) w->out->ess = ess;
  }
  return SL_OK;
}

static sl_status build_bridge(work *w) {
  const int64_t rows = w->draws.chains * w->draws.draws;
  w->out->posterior_draws = rows;
  w->at_draws = sl__arena_take(&w->arena, (size_t)rows, sizeof *w->at_draws);
  if (!w->at_draws) return SL_NO_MEMORY;
  SL__TRY(sl__vi_log_weights(w->context, w->model->flow, w->model->vector, w->target, rows,
                             w->draws.q, w->at_draws));
  SL__TRY(measure_chains(w));
  const sl__series series = {w->draws.chains, w->draws.draws, w->at_draws, w->draws.draws, 1};
  const sl_status status =
      sl__evidence_bridge(w->context, &series, w->options->judge, w->log_weights, &w->out->bridge);
  /* no overlap is a finding, which the verdict tells */
  return status == SL_NUMERIC ? SL_OK : status;
}

/* ---- the verdict ---- */

static bool agree(const sl__evidence_report *r) {
  const double se = hypot(r->importance_se, r->bridge.se);
  return fabs(r->importance - r->bridge.value) <= errors * se + little;
}

static void say_distrust(sl__evidence_report *r) {
  char *text = r->verdict;
  const size_t size = sizeof r->verdict;
  if (r->lost > 0)
    snprintf(text, size,
             "not to be trusted: %lld of the flow's draws have no finite weight; look for places "
             "where the density is infinite or not a number",
             (long long)r->lost);
  else if (r->posterior_draws > 0 && !isfinite(r->bridge.value))
    snprintf(text, size,
             "not to be trusted: draws of the flow and of the target do not overlap; fit a better "
             "flow");
  else if (r->posterior_draws > 0 && !(r->rhat <= SL__MOST_RHAT))
    snprintf(text, size,
             "not to be trusted: the draws' chains disagree (R-hat %.2f, %.2f or less is wanted); "
             "run them longer, or reparameterise the model",
             r->rhat, SL__MOST_RHAT);
  else if (r->posterior_draws > 0 && !(r->ess >= SL__LEAST_EFFECTIVE))
    snprintf(text, size,
             "not to be trusted: the draws are worth %.0f independent ones, %.0f are wanted; give "
             "more",
             r->ess, SL__LEAST_EFFECTIVE);
  else if (r->posterior_draws > 0 && !(r->bridge.converged && r->bridge.se <= most_error))
    snprintf(text, size,
             "not to be trusted: the error of bridge sampling is %.2f, %.2f or less is wanted; fit "
             "a better flow, or give more draws",
             r->bridge.se, most_error);
  else if (r->bridge_trusted)
    snprintf(text, size,
             "not to be trusted: importance sampling gives %.3f, bridge sampling %.3f; one of them "
             "misses a part, so fit a better flow, and compare chains from different points",
             r->importance, r->bridge.value);
  else
    snprintf(text, size,
             "not to be trusted: Pareto k-hat of the weights is %.2f, less than %.2f is wanted; "
             "fit a better flow",
             r->psis.khat, r->psis.threshold);
}

static void conclude(sl__evidence_report *r) {
  r->importance_trusted =
      r->lost == 0 && r->psis.khat < r->psis.threshold && isfinite(r->importance_se);
  r->bridge_trusted = r->lost == 0 && r->bridge.converged && r->bridge.se <= most_error &&
                      r->rhat <= SL__MOST_RHAT && r->ess >= SL__LEAST_EFFECTIVE;
  const bool by_bridge = r->bridge_trusted || (r->bridge.converged && !r->importance_trusted);
  r->value = by_bridge ? r->bridge.value : r->importance;
  r->se = by_bridge ? r->bridge.se : r->importance_se;
  if (r->posterior_draws > 0)
    r->trusted = r->bridge_trusted && (!r->importance_trusted || agree(r));
  else
    r->trusted = r->importance_trusted;
  if (!r->trusted)
    say_distrust(r);
  else if (r->importance_trusted)
    snprintf(r->verdict, sizeof r->verdict,
             "good: %s; what neither the flow nor the draws reach is not in it",
             r->posterior_draws > 0 ? "importance and bridge sampling agree"
                                    : "the weights are well behaved");
  else
    snprintf(r->verdict, sizeof r->verdict,
             "good by bridge sampling alone: Pareto k-hat of the weights is %.2f, so importance "
             "sampling is not to be trusted here",
             r->psis.khat);
}

/* ---- the two ways ---- */

static sl_status check(sl_context *context, const sl__target *target,
                       const sl__posterior_draws *draws, const sl__evidence_options *options) {
  if (options->judge < 100 || options->chains < 1 || options->moves < 4)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "evidence wants at least 100 draws of the flow, a chain and 4 moves");
  for (int64_t i = 0; i < draws->chains * draws->draws * target->dim; i++)
    if (!isfinite(draws->q[i]))
      return sl__fail(context, SL_NUMERIC,
                      "draw %lld is not finite on the unconstrained scale; leave it out",
                      (long long)(i / target->dim) + 1);
  return SL_OK;
}

sl_status sl__posterior_evidence(sl_context *context, const sl__target *target,
                                 const sl__model *model, const sl__posterior_draws *draws,
                                 const sl__evidence_options *options, sl__evidence_report *out) {
  const double none = (double)NAN;
  *out = (sl__evidence_report){.bridge = {none, none, 0, false}, .rhat = none, .ess = none};
  SL__TRY(check(context, target, draws, options));
  SL__TRY(sl__posterior_check(context, target, model));
  work w = {.context = context,
            .target = target,
            .model = model,
            .options = options,
            .draws = *draws,
            .out = out};
  sl__arena_open(&w.arena, context);
  sl_status status = weigh_flow(&w);
  const bool any = isfinite(out->importance);
  if (status == SL_OK && any && draws->chains == 0) status = make_draws(&w);
  if (status == SL_OK && any) status = build_bridge(&w);
  sl__arena_close(&w.arena);
  if (status == SL_OK) conclude(out);
  return status;
}

/* The half of each chain, of which `second` says which: copied. */
static double *take_half(sl__arena *arena, const sl__posterior_draws *draws, int32_t dim,
                         bool second, int64_t length) {
  const size_t row = (size_t)dim * sizeof(double);
  double *half = sl__arena_take(arena, (size_t)(draws->chains * length), row);
  for (int64_t c = 0; half && c < draws->chains; c++) {
    const int64_t from = c * draws->draws + (second ? draws->draws - length : 0);
    memcpy(half + c * length * dim, draws->q + from * dim, (size_t)length * row);
  }
  return half;
}

sl_status sl__posterior_evidence_of_draws(sl_context *context, const sl__target *target,
                                          const char *formula, const sl__posterior_draws *draws,
                                          const sl__evidence_options *options,
                                          sl__evidence_report *out, sl__model **model) {
  const int64_t length = draws->draws / 2;
  *model = NULL;
  *out = (sl__evidence_report){0};
  SL__TRY(check(context, target, draws, options));
  if (length < 4)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "chains of %lld draws are too short to be halved; give more draws",
                    (long long)draws->draws);
  sl__arena arena;
  sl__arena_open(&arena, context);
  const double *first = take_half(&arena, draws, target->dim, false, length);
  const double *second = take_half(&arena, draws, target->dim, true, length);
  sl_status status = first && second ? SL_OK : SL_NO_MEMORY;
  if (status == SL_OK) {
    sl_fit_options fit;
    sl_fit_report report = {.size = sizeof report};
    sl__fit_options_default(&fit);
    fit.formula = formula;
    fit.precision = SL_F64;
    fit.seed = options->seed;
    fit.baselines = fit.dequantize = 0;
    fit.test_fraction = 0;
    const sl_fit_data data = {.size = sizeof data,
                              .x = sl_in_f64(first, draws->chains * length, target->dim),
                              .column_names = target->names};
    status = sl__fit_rows(context, &data, &fit, model, &report);
  }
  const sl__posterior_draws rest = {draws->chains, length, second};
  if (status == SL_OK)
    status = sl__posterior_evidence(context, target, *model, &rest, options, out);
  sl__arena_close(&arena);
  if (status == SL_OK) return SL_OK;
  sl__model_free(context, *model);
  *model = NULL;
  return status;
}
