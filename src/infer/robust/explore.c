/* Exploring a target: a tempered population and a few Markov chains, from random points and from
 * the population's. Chains that started in different places and agree are the better draws: each
 * is right wherever it goes. Where they do not agree, modes are apart, and only the population
 * knows how much each weighs. */
#include "infer/robust/explore.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/os.h"
#include "infer/chain/sampler.h"
#include "infer/diagnose/diagnose.h"

enum {
  MOST_TEMPERED = 64, /* dimensions */
  MOST_GROUPED = 8,   /* dimensions */
  /* Where chains agree and dimensions are more, the population only looks for what they missed. */
  FEWER_PARTICLES = 2048,
  MANY = 16, /* dimensions */
  MORE_PARTICLES = 8192,
  MOST_GRADIENTS = 500000,
  COPIES = 4, /* of the population, each moved on from the one before */
  SWEEPS = 6, /* between copies */
  CHAINS = 4, /* from random points, from modes elsewhere, and from the population */
  WARMUP = 500,
  DRAWS = 1000,
  SEGMENTS = 8,      /* of a chain, which stay in one mode each, mostly */
  STAGE_STEPS = 1000 /* that progress counts for the population, and for each run of chains */
};
/* Nats of mass by which a mode is beyond notice. */
static const double negligible = 10;

/* ---- limits ---- */

enum { WALKING, SEARCHING, TEMPERING, WALKING_AGAIN, COPYING, STAGES };

/* What may end a run: the caller, the gradients, the clock. */
typedef struct limits {
  const sl__explore_options *options;
  sl__exploration *exploration;
  int64_t before; /* gradients */
  int stage;
  int copies; /* made of the population */
  const sl__sampler_report *chains;
} limits;

static bool may_go_on(limits *l, double share, int64_t gradients) {
  const sl__explore_options *o = l->options;
  const int64_t step = l->stage * STAGE_STEPS + (int64_t)(share * STAGE_STEPS);
  if (o->progress && !o->progress(o->user, step, STAGES * STAGE_STEPS)) return false;
  const bool spent = o->most_gradients > 0 && l->before + gradients >= o->most_gradients;
  if (!spent && !(o->end < INFINITY && sl__os_seconds() >= o->end)) return true;
  l->exploration->cut = true;
  return false;
}

static bool watch_population(void *user, double power, int64_t gradients) {
  return may_go_on(user, power, gradients);
}

static bool watch_search(void *user) {
  limits *l = user;
  return may_go_on(l, 0, 0);
}

static bool watch_copies(void *user, double power, int64_t gradients) {
  limits *l = user;
  (void)power;
  return may_go_on(l, (double)(l->copies - 1) / (COPIES - 1), gradients);
}

/* ---- the population ---- */

/* What the chains from random points saw. Chains that disagree are a group each, or where that
 * were many numbers for few draws, nothing: what none of them saw must not be kept from the
 * population. */
static void tell_what_is_known(const sl__exploration *e, sl__smc_options *options) {
  if (e->chain_count == 0 || (!e->chains_agree && e->dim > MOST_GROUPED)) return;
  options->known = e->chains.x;
  options->known_groups = e->chains_agree ? 1 : (int)e->chain_count;
  options->known_rows = e->chains.rows / options->known_groups;
}

static sl_status temper(sl_context *context, const sl__target *target, limits *l, sl__arena *arena,
                        sl__exploration *e) {
  sl__smc_options options;
  sl__smc_defaults(&options, e->dim);
  options.seed = sl__seed_of_part(l->options->seed, SL__PART_TEMPER, 0);
  options.progress = watch_population;
  options.user = l;
  l->stage = TEMPERING;
  l->before = e->gradients;
  tell_what_is_known(e, &options);
  if (e->chains_agree && e->dim > SL__FEW) {
    options.particles = FEWER_PARTICLES;
    options.most_gradients = MOST_GRADIENTS;
  }
  /* modes by the thousand, perhaps, whose shares it alone knows */
  if (!e->chains_agree && e->dim > MANY) options.particles = MORE_PARTICLES;
  const int64_t rows = options.particles;
  const size_t each = (size_t)rows * (size_t)e->dim;
  e->particles.x = sl__arena_take(arena, each, sizeof(double));
  double *density = sl__arena_take(arena, (size_t)rows, sizeof *density);
  options.wide = e->wide.x = sl__arena_take(arena, each, sizeof(double));
  if (!e->particles.x || !density || !e->wide.x) return SL_NO_MEMORY;
  const sl_status status = sl__smc_run(context, target, &options, e->particles.x, density, &e->smc);
  e->gradients += e->smc.gradients;
  e->led += rows;
  if (status == SL_STOPPED && e->cut) { /* better than no draws at all */
    e->particles.rows = e->smc.powers > 0 ? rows : 0;
    return SL_OK;
  }
  if (status != SL_OK) return status;
  e->tempered_complete = e->smc.power == 1;
  e->particles.rows = rows;
  if (e->tempered_complete) e->wide.rows = rows;
  return SL_OK;
}

/* ---- chains ---- */

typedef struct keeper {
  double *x;
  int32_t dim;
  int64_t count[CHAINS];
  limits *limits;
} keeper;

static sl_status keep(void *user, const sl__sampler_draw *draw) {
  keeper *k = user;
  const int64_t at = draw->chain * DRAWS + k->count[draw->chain]++;
  memcpy(k->x + at * k->dim, draw->q, (size_t)k->dim * sizeof(double));
  return SL_OK;
}

static bool watch_chains(void *user, const int64_t *iterations, const int64_t *divergences) {
  limits *l = ((keeper *)user)->limits;
  (void)divergences;
  int64_t done = 0;
  for (int c = 0; c < CHAINS; c++) done += iterations[c];
  return may_go_on(l, (double)done / (CHAINS * (WARMUP + DRAWS)), l->chains->gradients);
}

/* Chains that are cut short are worth nothing: what is left of them is where they began. */
static sl_status run_chains(sl_context *context, const sl__target *target, limits *l,
                            const double *first, sl__exploration *e) {
  sl__sampler_options options;
  sl__sampler_defaults(&options);
  options.chains = CHAINS;
  options.warmup = WARMUP;
  options.draws = DRAWS;
  options.seed = sl__seed_of_part(l->options->seed, SL__PART_CHAINS, l->stage);
  options.most_depth = 8;
  keeper k = {.x = e->chains.x + e->chains.rows * e->dim, .dim = e->dim, .limits = l};
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
static sl_status walk(sl_context *context, const sl__target *target, limits *l,
                      sl__exploration *e) {
  const size_t dim = (size_t)e->dim;
  double *first = sl__allocate(context, CHAINS * dim, sizeof *first);
  if (!first) return SL_NO_MEMORY;
  const int64_t apart = e->particles.rows / CHAINS;
  for (int c = 0; c < CHAINS && e->particles.rows > 0; c++)
    memcpy(first + (size_t)c * dim, e->particles.x + c * apart * e->dim, dim * sizeof *first);
  l->stage = e->particles.rows > 0 ? WALKING_AGAIN : WALKING;
  const sl_status status = run_chains(context, target, l, e->particles.rows > 0 ? first : NULL, e);
  sl__free(&context->allocator, first);
  return status;
}

/* ---- modes that the chains did not come to ---- */

/* The log mass of a mode of this height, as wide as the chain is, but for a constant. */
static double mass(const sl__exploration *e, int64_t chain, double height) {
  const double *x = e->chains.x + chain * DRAWS * e->dim;
  double sum = height;
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
static bool matters(const sl__exploration *e, const sl__search_report *search) {
  const int64_t before = e->chain_count - CHAINS;
  double known = -INFINITY;
  for (int64_t c = 0; c < before; c++) known = fmax(known, mass(e, c, search->known_height));
  for (int64_t c = 0; c < CHAINS; c++)
    if (!(mass(e, before + c, search->heights[c % search->found]) < known - negligible))
      return true;
  return false;
}

/* Chains from modes that were found elsewhere; they stay if a mode among these matters. */
static sl_status look_elsewhere(sl_context *context, const sl__target *target, limits *l,
                                sl__exploration *e) {
  const size_t dim = (size_t)e->dim;
  if (e->chain_count == 0 || e->cut) return SL_OK;
  _Static_assert((int)SL__MOST_FOUND == (int)CHAINS, "a chain for each");
  double *first = sl__allocate(context, SL__MOST_FOUND * dim, sizeof *first);
  if (!first) return SL_NO_MEMORY;
  sl__search_report search;
  const int64_t divergences = e->divergences, chains = e->chain_count;
  const sl__search_watch watch = {watch_search, l};
  l->stage = SEARCHING;
  l->before = e->gradients;
  sl_status status =
      sl__exploration_search(context, target, l->options->seed, &watch, e, first, &search);
  if (status == SL_STOPPED && e->cut) status = SL_OK; /* the search.found of one that was not */
  if (status == SL_OK && search.found > 0 && !e->cut) {
    for (int c = search.found; c < CHAINS; c++)
      memcpy(first + (size_t)c * dim, first + (size_t)(c % search.found) * dim,
             dim * sizeof *first);
    status = run_chains(context, target, l, first, e);
    if (e->chain_count > chains && !matters(e, &search)) {
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
  if (e->modes_confirmed || e->dim <= MOST_GROUPED) return SL_OK;
  return sl__confirm_margins(context, e, SL__GOOD_RHAT, segments, &e->modes_confirmed);
}

/* The independent draws that the population is worth: it is known as well as the evidence is, which
 * tells how many ancestors are left. Moves make it forget these within a mode, but not the mode. */
static double worth(const sl__exploration *e) {
  const double rows = (double)e->particles.rows,
               variance = e->smc.log_evidence_se * e->smc.log_evidence_se;
  return fmin(rows, 1 / variance);
}

/* The population, and copies of it that are moved on. */
static sl_status take_population(sl_context *context, const sl__target *target, limits *l,
                                 sl__arena *arena, sl__exploration *e) {
  const int64_t rows = e->particles.rows;
  const size_t each = (size_t)rows * (size_t)e->dim;
  double *density = sl__arena_take(arena, (size_t)rows, sizeof *density);
  e->buffer.x = sl__arena_take(arena, each * COPIES, sizeof *e->buffer.x);
  if (!density || !e->buffer.x) return SL_NO_MEMORY;
  memcpy(e->buffer.x, e->particles.x, each * sizeof *e->buffer.x);
  e->buffer.rows = rows;
  e->effective = worth(e);
  sl_status status = SL_OK;
  l->stage = COPYING;
  for (int copy = 1; copy < COPIES && status == SL_OK && e->tempered_complete; copy++) {
    double *next = e->buffer.x + each * (size_t)copy;
    memcpy(next, next - each, each * sizeof *next);
    sl__smc_report moved = {.step_size = e->smc.step_size};
    sl__smc_options options;
    sl__smc_defaults(&options, e->dim);
    options.seed = sl__seed_of_part(l->options->seed, SL__PART_COPY, copy);
    options.progress = watch_copies;
    options.user = l;
    l->before = e->gradients;
    l->copies = copy;
    status = sl__smc_refresh(context, target, &options, SWEEPS, rows, next, density, &moved);
    e->gradients += moved.gradients;
    if (status == SL_OK) e->buffer.rows += rows;
  }
  return status == SL_STOPPED && e->cut ? SL_OK : status;
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
  limits l = {.options = options, .exploration = out};
  out->chains.x =
      sl__arena_take(arena, 3 * CHAINS * DRAWS * (size_t)out->dim, sizeof *out->chains.x);
  if (!out->chains.x) return SL_NO_MEMORY;
  sl_status status = walk(context, target, &l, out);
  if (ends(context, status, out)) return status;
  status = look_elsewhere(context, target, &l, out);
  if (ends(context, status, out)) return status;
  SL__TRY(sl__exploration_judge_chains(context, arena, out));
  /* after chains that were cut short it ends at once too, with better draws than none */
  if (out->dim <= MOST_TEMPERED && (!out->cut || out->chain_count == 0)) {
    status = temper(context, target, &l, arena, out);
    if (ends(context, status, out)) return status;
  }
  if (out->particles.rows > 0 && !out->cut) {
    status = walk(context, target, &l, out);
    if (ends(context, status, out)) return status;
    SL__TRY(sl__exploration_judge_chains(context, arena, out));
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
    SL__TRY(take_population(context, target, &l, arena, out));
  return sl__exploration_settle(arena, options->seed, out);
}
