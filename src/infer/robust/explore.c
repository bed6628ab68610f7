/* Exploring a target: a tempered population and a few Markov chains, from random points and from
 * the population's. Chains that started in different places and agree are the better draws: each
 * is right wherever it goes. Where they do not agree, modes are apart, and only the population
 * knows how much each weighs. */
#include "infer/robust/population.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "infer/chain/sampler.h"
#include "infer/diagnose/diagnose.h"

enum {
  MOST_TEMPERED = 64, /* dimensions */
  CHAINS = 4,         /* from random points, from modes elsewhere, and from the population */
  WARMUP = 500,
  DRAWS = 1000,
  SEGMENTS = 8 /* of a chain, which stay in one mode each, mostly */
};
/* Nats of mass by which a mode is beyond notice. */
static const double negligible = 10;

/* ---- chains ---- */

typedef struct keeper {
  double *x;
  int32_t dim;
  int64_t count[CHAINS];
  sl__stay *stays; /* [CHAINS] */
  sl__limits *limits;
} keeper;

static sl_status keep(void *user, const sl__sampler_draw *draw) {
  keeper *k = user;
  const int64_t at = draw->chain * DRAWS + k->count[draw->chain]++;
  memcpy(k->x + at * k->dim, draw->q, (size_t)k->dim * sizeof(double));
  k->stays[draw->chain].log_density += draw->log_density / DRAWS;
  k->stays[draw->chain].divergences += draw->divergent;
  return SL_OK;
}

static bool watch_chains(void *user, const int64_t *iterations, const int64_t *divergences) {
  sl__limits *l = ((keeper *)user)->limits;
  (void)divergences;
  int64_t done = 0;
  for (int c = 0; c < CHAINS; c++) done += iterations[c];
  return sl__limits_allow(l, (double)done / (CHAINS * (WARMUP + DRAWS)), l->chains->gradients);
}

/* Chains that are cut short are worth nothing: what is left of them is where they began. */
static sl_status run_chains(sl_context *context, const sl__target *target, sl__limits *l,
                            const double *first, sl__exploration *e) {
  sl__sampler_options options;
  sl__sampler_defaults(&options);
  options.chains = CHAINS;
  options.warmup = WARMUP;
  options.draws = DRAWS;
  options.seed = sl__seed_of_part(l->options->seed, SL__PART_CHAINS, l->stage);
  options.most_depth = 8;
  keeper k = {.x = e->chains.x + e->chains.rows * e->dim,
              .dim = e->dim,
              .stays = e->stays + e->chain_count,
              .limits = l};
  _Static_assert((int)SL__MOST_CHAINS == 3 * (int)CHAINS, "from three kinds of places");
  memset(k.stays, 0, CHAINS * sizeof *k.stays);
  const sl__sampler_listener listener = {.draw = keep, .progress = watch_chains, .user = &k};
  sl__sampler_report report = {0};
  l->before = e->gradients;
  l->chains = &report;
  const sl_status status = sl__sampler_run(context, target, &options, first, &listener, &report);
  e->gradients += report.gradients;
  if (status == SL_STOPPED && e->cut) return SL_OK;
  if (status != SL_OK) return status;
  e->divergences += report.divergences;
  e->chain_count += CHAINS;
  e->chains.rows += CHAINS * DRAWS;
  return SL_OK;
}

/* From random points, then from the population's. */
static sl_status walk(sl_context *context, const sl__target *target, sl__limits *l,
                      sl__exploration *e) {
  const size_t dim = (size_t)e->dim;
  double *first = sl__allocate(context, CHAINS * dim, sizeof *first);
  if (!first) return SL_NO_MEMORY;
  const int64_t apart = e->particles.rows / CHAINS;
  for (int c = 0; c < CHAINS && e->particles.rows > 0; c++)
    memcpy(first + (size_t)c * dim, e->particles.x + c * apart * e->dim, dim * sizeof *first);
  l->stage = e->particles.rows > 0 ? SL__WALKING_AGAIN : SL__WALKING;
  const sl_status status = run_chains(context, target, l, e->particles.rows > 0 ? first : NULL, e);
  sl__free(&context->allocator, first);
  return status;
}

/* ---- modes that the chains did not come to ---- */

/* The log mass of where the chain was, but for a constant, as if coordinates were independent. */
static double log_mass_by_sds(const sl__exploration *e, int64_t chain) {
  const double *x = e->chains.x + chain * DRAWS * e->dim;
  double sum = e->stays[chain].log_density;
  for (int32_t i = 0; i < e->dim; i++) {
    double mean = 0, squares = 0;
    for (int64_t r = 0; r < DRAWS; r++) mean += x[r * e->dim + i] / DRAWS;
    for (int64_t r = 0; r < DRAWS; r++) {
      const double off = x[r * e->dim + i] - mean;
      squares += off * off / DRAWS;
    }
    sum += 0.5 * log(squares);
  }
  return sum;
}

/* Whether one of the last chains, each begun at a mode, is in one that weighs anything. */
static bool matters(const sl__exploration *e) {
  const int64_t before = e->chain_count - CHAINS;
  double known = -INFINITY;
  for (int64_t c = 0; c < before; c++) known = fmax(known, log_mass_by_sds(e, c));
  for (int64_t c = 0; c < CHAINS; c++)
    if (!(log_mass_by_sds(e, before + c) < known - negligible)) return true;
  return false;
}

static bool watch_search(void *user) {
  sl__limits *l = user;
  return sl__limits_allow(l, 0, 0);
}

/* Chains from modes that were found elsewhere; they stay if a mode among these matters. */
static sl_status look_elsewhere(sl_context *context, const sl__target *target, sl__limits *l,
                                sl__exploration *e) {
  const size_t dim = (size_t)e->dim;
  if (e->chain_count == 0 || e->cut) return SL_OK;
  _Static_assert((int)SL__MOST_FOUND == (int)CHAINS, "a chain for each");
  double *first = sl__allocate(context, SL__MOST_FOUND * dim, sizeof *first);
  if (!first) return SL_NO_MEMORY;
  sl__search_report search;
  const int64_t divergences = e->divergences, chains = e->chain_count;
  const sl__search_watch watch = {watch_search, l};
  l->stage = SL__SEARCHING;
  l->before = e->gradients;
  sl_status status =
      sl__exploration_search(context, target, l->options->seed, &watch, e, first, &search);
  if (status == SL_STOPPED && e->cut) status = SL_OK; /* the search.found of one that was not */
  if (status == SL_OK && search.found > 0 && !e->cut) {
    for (int c = search.found; c < CHAINS; c++)
      memcpy(first + (size_t)c * dim, first + (size_t)(c % search.found) * dim,
             dim * sizeof *first);
    status = run_chains(context, target, l, first, e);
    if (e->chain_count > chains && !matters(e)) {
      e->chain_count = chains;
      e->chains.rows -= CHAINS * DRAWS;
      e->divergences = divergences;
    }
  }
  sl__free(&context->allocator, first);
  return status;
}

/* Whether chains that disagree do so because modes are apart. */
static sl_status judge_modes(sl_context *context, sl__exploration *e) {
  if (e->chain_count == 0 || e->chains_agree || !e->tempered_complete) return SL_OK;
  const int64_t segments = e->chain_count * SEGMENTS;
  SL__TRY(
      sl__confirm_modes(context, &e->particles, &e->chains, e->dim, segments, &e->modes_confirmed));
  if (e->modes_confirmed || e->dim <= SL__MOST_GROUPED) return SL_OK;
  return sl__confirm_margins(context, e, SL__GOOD_RHAT, segments, &e->modes_confirmed);
}

static sl_status judge_chains(sl_context *context, sl__arena *arena, sl__exploration *e) {
  SL__TRY(sl__exploration_judge_chains(context, arena, e));
  return sl__exploration_drop_idle(e) > 0 ? sl__exploration_judge_chains(context, arena, e) : SL_OK;
}

/* ---- the whole ---- */

/* Notes what went wrong; false: that is no reason to end. */
static bool ends(sl_context *context, sl_status status, sl__exploration *e) {
  if (status == SL_OK) return false;
  if (status != SL_NUMERIC) return true;
  snprintf(e->trouble, sizeof e->trouble, "%.500s", context->error.message);
  return false;
}

sl_status sl__explore(sl_context *context, const sl__target *target,
                      const sl__explore_options *options, sl__arena *arena, sl__exploration *out) {
  *out = (sl__exploration){.dim = target->dim, .rhat = (double)NAN};
  sl__limits l = {.options = options, .exploration = out};
  out->chains.x =
      sl__arena_take(arena, SL__MOST_CHAINS * DRAWS * (size_t)out->dim, sizeof *out->chains.x);
  if (!out->chains.x) return SL_NO_MEMORY;
  sl_status status = walk(context, target, &l, out);
  if (ends(context, status, out)) return status;
  status = look_elsewhere(context, target, &l, out);
  if (ends(context, status, out)) return status;
  SL__TRY(judge_chains(context, arena, out));
  /* after chains that were cut short it ends at once too, with better draws than none */
  if (out->dim <= MOST_TEMPERED && (!out->cut || out->chain_count == 0)) {
    status = sl__explore_temper(context, target, &l, arena, out);
    if (ends(context, status, out)) return status;
  }
  if (out->particles.rows > 0 && !out->cut) {
    status = walk(context, target, &l, out);
    if (ends(context, status, out)) return status;
    SL__TRY(judge_chains(context, arena, out));
    /* short of the target it was good for chains to start from, and is for nothing else */
    if (!out->tempered_complete) out->particles.rows = 0;
  }
  if (out->chain_count == 0 && out->particles.rows == 0)
    return sl__fail(context, SL_NUMERIC, "no draw of the target was found%s%s%s",
                    out->cut ? " in the time and gradients allowed; allow more" : "",
                    out->trouble[0] ? ": " : "", out->trouble);
  SL__TRY(judge_modes(context, out));
  if (out->chains_agree || out->particles.rows == 0)
    SL__TRY(sl__exploration_take_chains(arena, out));
  else
    SL__TRY(sl__explore_take_population(context, target, &l, arena, out));
  return sl__exploration_settle(arena, options->seed, out);
}
