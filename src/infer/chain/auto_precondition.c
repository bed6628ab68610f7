/* A flow found on the way: sample a little, fit a flow to the draws, let it look at the density
 * too, sample in its space, fit again, until sampling there does not diverge.
 *
 * Draws of a chain that cannot enter the narrow part of a density say nothing about it; the flow's
 * own draws, by the evidence lower bound, do, and the chain's draws hold the flow to what was seen.
 * */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "infer/chain/preconditioned.h"
#include "infer/vi/vi.h"

enum {
  rounds = 3,
  most_rounds = 10,
  clean_runs = 2,
  chains = 8,
  warmup = 300,
  draws = 500,
  likelihood_steps = 1000,
  bound_samples = 64,
  bound_steps = 500,
  last_bound_steps = 1500
};
static const double careful_delta = 0.9;

typedef struct gathered {
  const sl__auto_listener *listener;
  int32_t dim;
  double *q; /* [chains][draws][dim] */
} gathered;

static bool may_go_on(const gathered *g) {
  return !g->listener->may_go_on || g->listener->may_go_on(g->listener->user);
}

static bool watch_chains(void *user, const int64_t *iterations, const int64_t *divergences) {
  (void)iterations, (void)divergences;
  return may_go_on(user);
}

static bool watch_likelihood(void *user, const sl__mle_progress *now) {
  (void)now;
  return may_go_on(user);
}

static bool watch_divergence(void *user, const sl__vi_progress *now) {
  (void)now;
  return may_go_on(user);
}

static sl_status gather(void *user, const sl__sampler_draw *draw) {
  gathered *g = user;
  const size_t dim = (size_t)g->dim;
  memcpy(g->q + ((size_t)draw->chain * draws + (size_t)draw->iteration) * dim, draw->q,
         dim * sizeof *g->q);
  return SL_OK;
}

/* Draws in the target's own space; model: of the space to sample in, or NULL. */
static sl_status sample(sl_context *context, const sl__target *target, const sl__model *model,
                        uint64_t seed, gathered *g, int64_t *divergences, sl__auto_report *report) {
  const int64_t rows = (int64_t)chains * draws;
  sl__sampler_options options;
  sl__sampler_report run;
  sl__sampler_defaults(&options);
  options.chains = chains;
  options.warmup = warmup;
  options.draws = draws;
  options.adapt_delta = careful_delta;
  options.seed = seed;
  const sl__sampler_listener listener = {.draw = gather, .progress = watch_chains, .user = g};
  sl__target *pulled = NULL;
  if (model) SL__TRY(sl__target_preconditioned(context, target, model, &pulled));
  sl_status status =
      sl__sampler_run(context, pulled ? pulled : target, &options, NULL, &listener, &run);
  if (status == SL_OK && pulled) status = sl__preconditioned_map(context, pulled, rows, g->q, g->q);
  report->gradients += run.gradients;
  *divergences = run.divergences;
  sl__target_free(pulled);
  return status;
}

static sl_status standardise(sl_context *context, const gathered *g, sl__model *model) {
  const int64_t rows = (int64_t)chains * draws;
  double *mean = sl__allocate(context, 2 * (size_t)g->dim, sizeof *mean);
  if (!mean) return SL_NO_MEMORY;
  double *sd = mean + g->dim;
  for (int32_t i = 0; i < g->dim; i++) {
    for (int64_t r = 0; r < rows; r++) mean[i] += g->q[r * g->dim + i] / (double)rows;
    for (int64_t r = 0; r < rows; r++)
      sd[i] += (g->q[r * g->dim + i] - mean[i]) * (g->q[r * g->dim + i] - mean[i]);
    sd[i] = sqrt(sd[i] / (double)rows);
    if (!(sd[i] > 0)) sd[i] = 1;
  }
  sl__model_standardize(model, mean, sd);
  sl__free(&context->allocator, mean);
  return SL_OK;
}

static sl_status fit_to_draws(sl_context *context, gathered *g, uint64_t seed, sl__model *model) {
  const int64_t rows = (int64_t)chains * draws;
  sl__mle_options options;
  sl__mle_report report;
  sl__mle_defaults(&options);
  options.steps = likelihood_steps;
  options.batch = 256;
  options.rate = 5e-3;
  options.schedule = "cosine";
  options.clip = 5;
  options.seed = seed;
  options.progress = watch_likelihood;
  options.user = g;
  const sl__mle_data data = {.rows = rows, .x = g->q};
  const sl_status status =
      sl__mle_fit(context, model->flow, model->vector, &data, &options, &report);
  return status == SL_NUMERIC ? SL_OK : status; /* the best so far is kept */
}

static sl_status fit_to_density(sl_context *context, const sl__target *target, gathered *g,
                                uint64_t seed, bool last, sl__model *model,
                                sl__auto_report *report) {
  sl__vi_options options;
  sl__vi_term terms[2];
  sl__vi_report fit;
  sl__vi_defaults(&options, &terms[0]);
  terms[0].samples = bound_samples;
  terms[0].estimator = "stl";
  terms[1] = terms[0];
  terms[1].objective = "draws";
  terms[1].estimator = NULL;
  terms[1].rows = (int64_t)chains * draws;
  terms[1].draws = g->q;
  options.terms = terms;
  options.term_count = 2;
  options.steps = last ? last_bound_steps : bound_steps;
  options.rate = 5e-3;
  options.schedule = "cosine";
  options.clip_by_median = true;
  options.seed = seed;
  options.progress = watch_divergence;
  options.user = g;
  const sl_status status = sl__vi_fit(context, model->flow, model->vector, target, &options, &fit);
  report->gradients += fit.gradient_evaluations;
  return status == SL_NUMERIC ? SL_OK : status;
}

/* Autoregressive both ways, as nobody knows whether a parameter of scale comes before what it scales
 * or after; each pass bends the coordinates one by one first, as a log scale is skewed. The base has
 * heavy tails: its draws, by the bound, show the fit the narrow parts, where a map that is wrong by
 * a factor of ten makes the sampler diverge. */
static sl_status fit(sl_context *context, const sl__target *target, gathered *g, uint64_t seed,
                     bool last, const char *base, sl__model **out, sl__auto_report *report) {
  static const char pass[] = "elementwise(sinh_arcsinh)-iaf(affine,hidden=16,scale=tanh)-reverse";
  char formula[2 * sizeof pass + 32];
  if (target->dim > 1)
    snprintf(formula, sizeof formula, "%s-%s-triangular", pass, pass);
  else
    snprintf(formula, sizeof formula, "elementwise(rqs)");
  SL__TRY(sl__model_new(context, formula, base, target->dim, 0, SL_F64, seed, out));
  sl_status status = standardise(context, g, *out);
  if (status == SL_OK) status = fit_to_draws(context, g, seed, *out);
  if (status == SL_OK) status = fit_to_density(context, target, g, seed, last, *out, report);
  if (status != SL_OK) {
    sl__model_free(context, *out);
    *out = NULL;
  }
  return status;
}

/* A flow that was sampled with, and how often that diverged. */
typedef struct tried {
  sl__model *model; /* NULL: none yet */
  int64_t divergences;
} tried;

/* The better of the two stays in `best`, the other is freed. */
static void keep_better(sl_context *context, int64_t divergences, sl__model **model, tried *best) {
  sl__model *worse = *model;
  if (!best->model || divergences < best->divergences) {
    worse = best->model;
    *best = (tried){*model, divergences};
  }
  sl__model_free(context, worse);
  *model = NULL;
}

/* After some rounds a flow is taken in whose space two runs do not diverge, though they aim at a
 * lower acceptance than the draws to come: so these have a margin. If there is none, of those tried
 * the one that diverged least is taken, not one fitted last, of which nothing is known. A flow for
 * jumps is not held to that. */
static sl_status seek_flow(sl_context *context, const sl__target *target,
                           const sl__sampler_options *options, gathered *g, sl__model **out,
                           tried *best, sl__auto_report *report) {
  const bool jumps = options->jumps > 0; /* they are normal */
  const char *base = jumps ? "normal" : "student(df=5)";
  int clean = 0;
  for (int round = 0; round < (jumps ? rounds : most_rounds); round++) {
    const sl__random_key key = {options->seed, SL__STREAM_PRECONDITION, (uint32_t)round};
    const uint64_t seed = sl__random_seed(key);
    int64_t divergences;
    SL__TRY(sample(context, target, *out, seed, g, &divergences, report));
    report->rounds = round + 1;
    if (g->listener->round) g->listener->round(g->listener->user, round + 1, divergences);
    if (!may_go_on(g)) return sl__fail(context, SL_STOPPED, "stopped after round %d", round + 1);
    clean = round >= rounds && divergences == 0 ? clean + 1 : 0;
    report->diverges = clean < clean_runs;
    if (!report->diverges) return SL_OK;
    if (clean > 0) continue;
    if (round >= rounds) {
      keep_better(context, divergences, out, best);
    } else {
      sl__model_free(context, *out);
      *out = NULL;
    }
    if (round + 1 < most_rounds)
      SL__TRY(fit(context, target, g, seed, round + 1 >= rounds, base, out, report));
  }
  if (*out) return SL_OK;
  *out = best->model;
  best->model = NULL;
  return SL_OK;
}

sl_status sl__auto_precondition(sl_context *context, const sl__target *target,
                                const sl__sampler_options *options, sl__model **out, double *first,
                                const sl__auto_listener *listener, sl__auto_report *report) {
  const size_t dim = (size_t)target->dim;
  *out = NULL;
  *report = (sl__auto_report){0};
  gathered g = {.listener = listener,
                .dim = target->dim,
                .q = sl__allocate(context, (size_t)chains * draws, dim * sizeof(double))};
  if (!g.q) return SL_NO_MEMORY;
  tried best = {0};
  sl_status status = seek_flow(context, target, options, &g, out, &best, report);
  sl__model_free(context, best.model);
  for (int32_t c = 0; status == SL_OK && c < options->chains; c++) {
    const size_t row = (size_t)(c % chains) * draws + draws - 1 - (size_t)(c / chains) % draws;
    memcpy(first + (size_t)c * dim, g.q + row * dim, dim * sizeof *first);
  }
  if (status != SL_OK) {
    sl__model_free(context, *out);
    *out = NULL;
  }
  sl__free(&context->allocator, g.q);
  return status;
}
