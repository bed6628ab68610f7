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
  COPIES = 4,         /* of the population, each moved on from the one before */
  SWEEPS = 6,         /* between copies */
  CHAINS = 4,         /* from random points, and as many from the population */
  WARMUP = 500,
  DRAWS = 1000,
  SEGMENTS = 8,      /* of a chain, which stay in one mode each, mostly */
  STAGE_STEPS = 1000 /* that progress counts for the population, and for each run of chains */
};
static const double good_rhat = 1.03;

/* ---- limits ---- */

/* What may end a run: the caller, the gradients, the clock. */
typedef struct limits {
  const sl__explore_options *options;
  sl__exploration *exploration;
  int64_t before; /* gradients */
  int stage;      /* 0, 2: chains; 1: the population */
  const sl__sampler_report *chains;
} limits;

static bool may_go_on(limits *l, double share, int64_t gradients) {
  const sl__explore_options *o = l->options;
  const int64_t step = l->stage * STAGE_STEPS + (int64_t)(share * STAGE_STEPS);
  if (o->progress && !o->progress(o->user, step, 3 * STAGE_STEPS)) return false;
  const bool spent = o->most_gradients > 0 && l->before + gradients >= o->most_gradients;
  if (!spent && !(o->end < INFINITY && sl__os_seconds() >= o->end)) return true;
  l->exploration->cut = true;
  return false;
}

static bool watch_population(void *user, double power, int64_t gradients) {
  return may_go_on(user, power, gradients);
}

/* ---- the population ---- */

/* What the chains from random points saw: one group when they agree, else one each, where few
 * dimensions make that cheap. */
static void tell_what_is_known(const sl__exploration *e, sl__smc_options *options) {
  if (e->chain_count == 0) return;
  const bool apart = !e->chains_agree && e->dim <= MOST_GROUPED;
  options->known = e->chains.x;
  options->known_groups = apart ? (int)e->chain_count : 1;
  options->known_rows = e->chains.rows / options->known_groups;
}

static sl_status temper(sl_context *context, const sl__target *target, limits *l, sl__arena *arena,
                        sl__exploration *e) {
  const uint64_t seed = l->options->seed;
  sl__smc_options options;
  sl__smc_defaults(&options, e->dim);
  options.seed = seed;
  options.progress = watch_population;
  options.user = l;
  l->stage = 1;
  l->before = e->gradients;
  tell_what_is_known(e, &options);
  const int64_t rows = options.particles;
  const size_t each = (size_t)rows * (size_t)e->dim;
  e->particles.x = sl__arena_take(arena, each * COPIES, sizeof(double));
  double *density = sl__arena_take(arena, (size_t)rows, sizeof *density);
  if (!e->particles.x || !density) return SL_NO_MEMORY;
  const sl_status status = sl__smc_run(context, target, &options, e->particles.x, density, &e->smc);
  e->gradients += e->smc.gradients;
  if (status == SL_STOPPED && e->cut) { /* better than no draws at all */
    e->particles.rows = rows;
    return SL_OK;
  }
  if (status != SL_OK) return status;
  e->tempered_complete = e->smc.power == 1;
  if (e->tempered_complete) e->particles.rows = rows;
  for (int copy = 1; copy < COPIES && e->tempered_complete; copy++) {
    double *next = e->particles.x + each * (size_t)copy;
    memcpy(next, next - each, each * sizeof *next);
    sl__smc_report moved = {.step_size = e->smc.step_size};
    options.seed = seed + (uint64_t)copy;
    l->before = e->gradients;
    const sl_status refreshed =
        sl__smc_refresh(context, target, &options, SWEEPS, rows, next, density, &moved);
    e->gradients += moved.gradients;
    if (refreshed == SL_STOPPED && e->cut) break;
    if (refreshed != SL_OK) return refreshed;
    e->particles.rows = rows * (copy + 1);
  }
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
  options.seed = l->options->seed + (uint64_t)(l->stage / 2);
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
  const int64_t apart = e->particles.rows / COPIES / CHAINS;
  for (int c = 0; c < CHAINS && e->particles.rows > 0; c++)
    memcpy(first + (size_t)c * dim, e->particles.x + c * apart * e->dim, dim * sizeof *first);
  l->stage = e->particles.rows > 0 ? 2 : 0;
  const sl_status status = run_chains(context, target, l, e->particles.rows > 0 ? first : NULL, e);
  sl__free(&context->allocator, first);
  return status;
}

/* Largest R-hat, and the least effective sample size. */
static sl_status judge_chains(sl_context *context, sl__arena *arena, sl__exploration *e) {
  if (e->chain_count == 0) return SL_OK;
  sl__summary_row *rows = sl__arena_take(arena, (size_t)e->dim, sizeof *rows);
  if (!rows) return SL_NO_MEMORY;
  const sl__series first = {.chains = e->chain_count,
                            .draws = DRAWS,
                            .values = e->chains.x,
                            .chain_stride = (int64_t)DRAWS * e->dim,
                            .draw_stride = e->dim};
  SL__TRY(sl__summarise(context, &first, e->dim, 1, rows));
  e->rhat = 1;
  e->effective = INFINITY;
  for (int32_t i = 0; i < e->dim; i++) {
    /* one that is not a number stays */
    if (!isnan(e->rhat) && !(rows[i].rhat <= e->rhat)) e->rhat = rows[i].rhat;
    if (!isnan(e->effective) && !(rows[i].ess_bulk >= e->effective))
      e->effective = rows[i].ess_bulk;
  }
  e->chains_agree = e->rhat < good_rhat;
  return SL_OK;
}

/* Whether chains that disagree do so because modes are apart. */
static sl_status judge_modes(sl_context *context, sl__exploration *e) {
  if (e->chain_count == 0 || e->chains_agree || !e->tempered_complete) return SL_OK;
  /* one copy: the others are not independent of it */
  const sl__draws population = {e->particles.rows / COPIES, e->particles.x};
  return sl__confirm_modes(context, &population, &e->chains, e->dim, e->chain_count * SEGMENTS,
                           &e->modes_confirmed);
}

/* ---- the buffer ---- */

/* Fisher and Yates. */
static void shuffle(uint64_t seed, sl__draws *draws, int32_t dim) {
  const sl__random_key key = {seed, SL__STREAM_RESAMPLE, 1};
  for (int64_t r = draws->rows - 1; r > 0; r--) {
    const int64_t other = (int64_t)sl__random_below(key, (uint64_t)r, 0, (uint64_t)r + 1);
    for (int32_t i = 0; i < dim; i++) {
      const double kept = draws->x[r * dim + i];
      draws->x[r * dim + i] = draws->x[other * dim + i];
      draws->x[other * dim + i] = kept;
    }
  }
}

static sl_status take_buffer(sl__arena *arena, uint64_t seed, sl__exploration *e) {
  const sl__draws *from = e->chains_agree || e->particles.rows == 0 ? &e->chains : &e->particles;
  if (from == &e->particles) e->effective = (double)(e->particles.rows / COPIES);
  e->buffer = *from;
  const size_t count = (size_t)(from->rows * e->dim);
  e->buffer.x = sl__arena_take(arena, count, sizeof(double));
  if (!e->buffer.x) return SL_NO_MEMORY;
  memcpy(e->buffer.x, from->x, count * sizeof(double));
  shuffle(seed, &e->buffer, e->dim);
  return SL_OK;
}

/* Cholesky factor of a, lower, in its place; false: not definite. */
static bool factorise(int32_t n, double *a) {
  for (int32_t j = 0; j < n; j++)
    for (int32_t i = j; i < n; i++) {
      double sum = a[i * n + j];
      for (int32_t k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      if (i == j && !(sum > 1e-12)) return false;
      a[i * n + j] = i == j ? sqrt(sum) : sum / a[j * n + j];
    }
  return true;
}

static void measure_moments(sl__exploration *e) {
  const int32_t dim = e->dim;
  const double n = (double)e->buffer.rows;
  for (int64_t r = 0; r < e->buffer.rows; r++)
    for (int32_t i = 0; i < dim; i++) e->mean[i] += e->buffer.x[r * dim + i] / n;
  for (int64_t r = 0; r < e->buffer.rows; r++)
    for (int32_t i = 0; i < dim; i++) {
      const double off = e->buffer.x[r * dim + i] - e->mean[i];
      e->sd[i] += off * off / n;
    }
  for (int32_t i = 0; i < dim; i++) e->sd[i] = e->sd[i] > 0 ? sqrt(e->sd[i]) : 1;
}

/* Shrunk towards the identity as if by as many draws as there are dimensions. */
static void measure_correlations(sl__exploration *e) {
  const int32_t dim = e->dim;
  const double kept = e->effective / (e->effective + dim), n = (double)e->buffer.rows;
  for (int64_t r = 0; r < e->buffer.rows; r++)
    for (int32_t i = 0; i < dim; i++) {
      const double a = (e->buffer.x[r * dim + i] - e->mean[i]) / e->sd[i] / n * kept;
      for (int32_t j = 0; j <= i; j++)
        e->factor[i * dim + j] += a * (e->buffer.x[r * dim + j] - e->mean[j]) / e->sd[j];
    }
  for (int32_t i = 0; i < dim; i++) e->factor[i * dim + i] += 1 - kept;
  if (!factorise(dim, e->factor)) e->factor = NULL;
}

static sl_status measure(sl__arena *arena, sl__exploration *e) {
  const size_t dim = (size_t)e->dim;
  e->mean = sl__arena_take(arena, dim, sizeof *e->mean);
  e->sd = sl__arena_take(arena, dim, sizeof *e->sd);
  if (!e->mean || !e->sd) return SL_NO_MEMORY;
  measure_moments(e);
  if (e->dim < 2 || e->dim > SL__MOST_DENSE) return SL_OK;
  e->factor = sl__arena_take(arena, dim * dim, sizeof *e->factor);
  if (!e->factor) return SL_NO_MEMORY;
  measure_correlations(e);
  return SL_OK;
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
      sl__arena_take(arena, 2 * CHAINS * DRAWS * (size_t)out->dim, sizeof *out->chains.x);
  if (!out->chains.x) return SL_NO_MEMORY;
  sl_status status = walk(context, target, &l, out);
  if (ends(context, status, out)) return status;
  SL__TRY(judge_chains(context, arena, out));
  /* after chains that were cut short it ends at once too, with better draws than none */
  if (out->dim <= MOST_TEMPERED && (!out->cut || out->chain_count == 0)) {
    status = temper(context, target, &l, arena, out);
    if (ends(context, status, out)) return status;
  }
  if (out->particles.rows > 0 && !out->cut) {
    status = walk(context, target, &l, out);
    if (ends(context, status, out)) return status;
    SL__TRY(judge_chains(context, arena, out));
  }
  if (out->chain_count == 0 && out->particles.rows == 0)
    return sl__fail(context, SL_NUMERIC, "no draw of the target was found%s%s%s",
                    out->cut ? " in the time and gradients allowed; allow more" : "",
                    out->trouble[0] ? ": " : "", out->trouble);
  SL__TRY(judge_modes(context, out));
  SL__TRY(take_buffer(arena, options->seed, out));
  return measure(arena, out);
}
