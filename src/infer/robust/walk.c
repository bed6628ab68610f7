/* The target explored again, through the flow that was just fitted to it. Chains that crawl through
 * a funnel, or along a ridge, walk freely where the flow has straightened it, and are as exact
 * there (Hoffman et al. 2019, arXiv:1903.03704). Half of them start from what was known, half from the
 * flow; they take the place of the first exploration only if they agree, hardly diverge, and the
 * flow reaches what the first exploration had found: a mode that the flow has lost is no place that
 * its chains could come back to. What was found is the buffer, and each chain of the first exploration
 * too: where chains disagreed, the buffer is the population, which need not know the place that one
 * of them stayed in. */
#include <math.h>
#include <string.h>
#include "infer/chain/preconditioned.h"
#include "infer/diagnose/diagnose.h"
#include "infer/robust/attempt.h"

enum { CHAINS = 8, WARMUP = 500, DRAWS = 1000 };
/* Of the density and the flow: as many as well-mixing chains take with trajectories of 32 steps.
 * Whoever needs more is not helped by this flow. */
static const int64_t most_gradients = (int64_t)CHAINS * (WARMUP + DRAWS) * 32;
static const double careful_delta = 0.9;
/* From the new chains' mean to an old chain's, in deviations of the new chains' draws. */
static const double most_off = 4;

typedef struct keeper {
  sl__robust *run;
  double *z; /* [CHAINS][DRAWS][dim] */
  int32_t dim;
  int64_t count[CHAINS];
  const sl__sampler_report *report;
} keeper;

static sl_status keep(void *user, const sl__sampler_draw *draw) {
  keeper *k = user;
  const int64_t at = draw->chain * DRAWS + k->count[draw->chain]++;
  memcpy(k->z + at * k->dim, draw->q, (size_t)k->dim * sizeof(double));
  return SL_OK;
}

static bool watch(void *user, const int64_t *iterations, const int64_t *divergences) {
  const keeper *k = user;
  (void)divergences;
  int64_t done = 0;
  for (int c = 0; c < CHAINS; c++) done += iterations[c];
  return sl__robust_tell(k->run, SL__ROBUST_EXPLORE, done, CHAINS * (WARMUP + DRAWS),
                         (double)NAN) &&
         !sl__robust_is_spent(k->run) && k->report->gradients < most_gradients;
}

/* z [CHAINS][dim]. */
static sl_status choose_starts(const sl__robust *run, const sl__target *pulled, double *z) {
  const sl__exploration *e = run->exploration;
  const int32_t dim = e->dim;
  const int64_t apart = e->buffer.rows / (CHAINS / 2);
  const sl__random_key key = {sl__robust_seed(run, SL__PART_WALK), SL__STREAM_START, CHAINS};
  for (int c = 0; c < CHAINS / 2; c++)
    memcpy(z + c * dim, e->buffer.x + c * apart * dim, (size_t)dim * sizeof *z);
  SL__TRY(sl__preconditioned_pull(run->context, pulled, CHAINS / 2, z, z));
  for (int c = CHAINS / 2; c < CHAINS; c++)
    for (int32_t i = 0; i < dim; i++)
      z[c * dim + i] = sl__random_normal(key, (uint64_t)c, (uint32_t)i);
  return SL_OK;
}

static sl_status run_chains(sl__robust *run, const sl__model *model, const sl__target *pulled,
                            keeper *k, double *first, sl__sampler_report *report) {
  sl__sampler_options options;
  sl__sampler_defaults(&options);
  options.chains = CHAINS;
  options.warmup = WARMUP;
  options.draws = DRAWS;
  options.adapt_delta = careful_delta;
  options.most_depth = 7;
  options.jumps = strcmp(model->flow->base.kind->name, "normal") == 0;
  options.seed = sl__robust_seed(run, SL__PART_WALK);
  const sl__sampler_listener listener = {.draw = keep, .progress = watch, .user = k};
  SL__TRY(choose_starts(run, pulled, first));
  const sl_status status =
      sl__sampler_run(run->context, pulled, &options, first, &listener, report);
  run->report->gradient_evaluations += report->gradients;
  if (status != SL_OK) return status;
  return sl__preconditioned_map(run->context, pulled, CHAINS * DRAWS, k->z, k->z);
}

/* Of a coordinate; x is its first value, the next is `dim` further on. */
static void measure(int64_t rows, int32_t dim, const double *x, double *mean, double *sd) {
  double squares = 0;
  *mean = 0;
  for (int64_t r = 0; r < rows; r++) *mean += x[r * dim] / (double)rows;
  for (int64_t r = 0; r < rows; r++) squares += (x[r * dim] - *mean) * (x[r * dim] - *mean);
  *sd = sqrt(squares / (double)rows);
}

/* Whether one of the old chains stayed where the new ones do not come, who agree with each other all
 * the same. An old chain in a funnel's neck is within the new ones' reach, and is not forgotten. */
static bool forgets(const sl__exploration *old, const sl__exploration *now) {
  const int64_t each = old->chain_count > 0 ? old->chains.rows / old->chain_count : 0;
  for (int32_t i = 0; each > 0 && i < old->dim; i++) {
    double mean, sd, own_mean, own_sd;
    measure(now->chains.rows, now->dim, now->chains.x + i, &mean, &sd);
    for (int64_t c = 0; c < old->chain_count; c++) {
      measure(each, old->dim, old->chains.x + c * each * old->dim + i, &own_mean, &own_sd);
      if (!(fabs(own_mean - mean) <= most_off * sd)) return true;
    }
  }
  return false;
}

/* The new chains for the old exploration, if they are better. */
static sl_status adopt(sl__robust *run, const keeper *k, const sl__sampler_report *report,
                       bool *adopted) {
  sl__exploration now = *run->exploration;
  now.chains = (sl__draws){CHAINS * DRAWS, k->z};
  now.chain_count = CHAINS;
  now.divergences = report->divergences;
  now.walked = true;
  SL__TRY(sl__exploration_judge_chains(run->context, run->arena, &now));
  if (!now.chains_agree || !(now.effective >= SL__LEAST_EFFECTIVE)) return SL_OK;
  if (run->exploration->chains_agree && now.effective < run->exploration->effective) return SL_OK;
  if ((double)now.divergences > SL__MOST_DIVERGENT * CHAINS * DRAWS) return SL_OK;
  if (forgets(run->exploration, &now)) return SL_OK;
  SL__TRY(sl__exploration_take_chains(run->arena, &now));
  SL__TRY(sl__exploration_settle(run->arena, run->options->seed, &now));
  *run->exploration = now;
  *adopted = true;
  return sl__robust_find_drivers(run);
}

static sl_status walk(sl__robust *run, const sl__model *model, const sl__target *pulled,
                      bool *adopted) {
  const size_t dim = (size_t)run->exploration->dim;
  sl__sampler_report report = {0};
  keeper k = {.run = run, .dim = run->exploration->dim, .report = &report};
  k.z = sl__arena_take(run->arena, CHAINS * DRAWS * dim, sizeof *k.z);
  double *first = sl__arena_take(run->arena, CHAINS * dim, sizeof *first);
  if (!k.z || !first) return SL_NO_MEMORY;
  const sl_status status = run_chains(run, model, pulled, &k, first, &report);
  /* without an end, or a place to start, all is as it was */
  if (status == SL_STOPPED || status == SL_NUMERIC) return SL_OK;
  if (status != SL_OK) return status;
  return adopt(run, &k, &report, adopted);
}

/* Chains that mix need no help, nor do modes that are apart; in few dimensions the population sees
 * more than chains do. */
static bool is_worth_it(const sl__robust *run, const sl__robust_report *judged) {
  const sl__exploration *e = run->exploration;
  const bool neck = run->drivers && run->attempt > 1; /* that chains may not have come into */
  return e->dim > SL__FEW && (!e->chains_mix || neck) && !e->modes_confirmed && !e->cut &&
         e->buffer.rows >= CHAINS && judged->missed <= SL__MOST_MISSED &&
         judged->scores.lost == 0 && !run->stopped && !sl__robust_is_spent(run);
}

sl_status sl__robust_walk(sl__robust *run, const sl__model *model, const sl__robust_report *judged,
                          bool *adopted) {
  *adopted = false;
  if (!is_worth_it(run, judged)) return SL_OK;
  sl__target *pulled;
  if (sl__target_preconditioned(run->context, run->target, model, &pulled) != SL_OK) return SL_OK;
  const sl_status status = walk(run, model, pulled, adopted);
  sl__target_free(pulled);
  return status;
}
