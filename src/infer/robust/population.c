/* A population that is led from far away to the target by tempering, and what is made of it: where
 * chains stay apart it alone knows how much each mode weighs, and copies of it, each moved on from
 * the one before, are more draws of the same. */
#include "infer/robust/population.h"
#include <math.h>
#include <string.h>
#include "infer/robust/rules.h"

enum {
  /* Where chains agree and dimensions are more, the population only looks for what they missed. */
  FEWER_PARTICLES = 2048,
  MANY = 16, /* dimensions */
  MORE_PARTICLES = 8192,
  MOST_GRADIENTS = 500000,
  MORE_TIMES = 4, /* as many, where the first know too little */
  COPIES = 4,     /* of the population */
  SWEEPS = 6      /* between copies */
};

static bool watch_population(void *user, double power, int64_t gradients) {
  return sl__limits_allow(user, power, gradients);
}

/* What the chains from random points saw. Chains that disagree are a group each, or where that
 * were many numbers for few draws, nothing: what none of them saw must not be kept from the
 * population. */
static void tell_what_is_known(const sl__exploration *e, sl__smc_options *options) {
  if (e->chain_count == 0 || (!e->chains_agree && e->dim > SL__MOST_GROUPED)) return;
  options->known = e->chains.x;
  options->known_groups = e->chains_agree ? 1 : (int)e->chain_count;
  options->known_rows = e->chains.rows / options->known_groups;
}

static int64_t usual_particles(const sl__exploration *e, int64_t usual) {
  if (e->chains_agree && e->dim > SL__FEW) return FEWER_PARTICLES;
  /* modes by the thousand, perhaps, whose shares it alone knows */
  if (!e->chains_agree && e->dim > MANY) return MORE_PARTICLES;
  return usual;
}

/* One population; `times` as many particles as usual. */
static sl_status lead(sl_context *context, const sl__target *target, sl__limits *l,
                      sl__arena *arena, int times, sl__exploration *e) {
  sl__smc_options options;
  e->tempered_complete = false;
  e->wide.rows = 0;
  sl__smc_defaults(&options, e->dim);
  options.seed = sl__seed_of_part(l->options->seed, SL__PART_TEMPER, times - 1);
  options.most_ode_steps = e->most_ode_steps;
  options.progress = watch_population;
  options.user = l;
  l->stage = SL__TEMPERING;
  l->before = e->gradients;
  tell_what_is_known(e, &options);
  if (e->chains_agree && e->dim > SL__FEW) options.most_gradients = times * MOST_GRADIENTS;
  const int64_t rows = options.particles = times * usual_particles(e, options.particles);
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

/* Where chains agree it would be all that refuses the fit (rules_evidence.c). */
static bool is_vague(const sl__exploration *e) {
  return e->chains_agree && e->tempered_complete && e->dim <= SL__MOST_TEMPERING_ASKED &&
         e->smc.accept >= SL__LEAST_ACCEPT && e->smc.log_evidence_se > SL__MOST_TEMPERED_SE;
}

sl_status sl__explore_temper(sl_context *context, const sl__target *target, sl__limits *l,
                             sl__arena *arena, sl__exploration *e) {
  const sl_status status = lead(context, target, l, arena, 1, e);
  if (status != SL_OK || e->cut || !is_vague(e)) return status;
  return lead(context, target, l, arena, MORE_TIMES, e);
}

static bool watch_copies(void *user, double power, int64_t gradients) {
  sl__limits *l = user;
  (void)power;
  return sl__limits_allow(l, (double)(l->copies - 1) / (COPIES - 1), gradients);
}

/* The independent draws that the population is worth: it is known as well as the evidence is, which
 * tells how many ancestors are left. Moves make it forget these within a mode, but not the mode. */
static double worth(const sl__exploration *e) {
  const double rows = (double)e->particles.rows,
               variance = e->smc.log_evidence_se * e->smc.log_evidence_se;
  return fmin(rows, 1 / variance);
}

sl_status sl__explore_take_population(sl_context *context, const sl__target *target, sl__limits *l,
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
  l->stage = SL__COPYING;
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
