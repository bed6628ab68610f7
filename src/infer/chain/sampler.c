/* Chains in the lanes of one run. */
#include "infer/chain/sampler.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "infer/chain/regroup.h"
#include "infer/chain/warmup.h"

enum { most_tries = 100, rounds_between_progress = 16, transitions_per_divergence = 100 };

typedef enum phase { FIRST_POINT, STEP_SEARCH, TRANSITION, JUMP, MEETING, DONE } phase;

typedef struct walker {
  sl__nuts nuts;
  sl__warmup warmup;
  phase phase;
  int32_t number;
  int tries;
  bool is_given;     /* its first point */
  bool is_found;     /* a first point is at hand: the best so far, in `here` */
  double *candidate; /* [dim] */
  int direction;     /* of the step search: 0 before its first probe, then 1 or -1 */
  int32_t jumps;     /* since the last transition */
  int64_t iteration;
  sl__visit visit; /* in the later half of the time between meetings */
} walker;

typedef struct sampler {
  sl_context *context;
  const sl__target *target;
  const sl__sampler_options *options;
  const sl__sampler_listener *listener;
  sl__sampler_report *report;
  walker *walkers;                   /* [chains] */
  double *q, *gradient, *value;      /* [chains][dim], [chains][dim], [chains] */
  int64_t *iterations, *divergences; /* [chains], for progress */
  double *log_mass;                  /* [chains] */
  int32_t *donor;                    /* [chains] */
  int32_t running, meeting;
  int64_t warm_divergences; /* since the last meeting */
} sampler;

void sl__sampler_defaults(sl__sampler_options *options) {
  *options = (sl__sampler_options){.chains = 4,
                                   .warmup = 1000,
                                   .draws = 1000,
                                   .thin = 1,
                                   .metric = SL__METRIC_KIND_FISHER_LOW_RANK,
                                   .adapt_delta = 0.8,
                                   .careful_delta = 0.95,
                                   .step_size = 1,
                                   .most_depth = 10,
                                   .init_radius = 2,
                                   .init_candidates = 10,
                                   .init_buffer = 75,
                                   .window = 25,
                                   .term_buffer = 50};
}

/* ---- first points ---- */

static void draw_first_point(const sampler *s, walker *w) {
  const sl__random_key key = {s->options->seed, SL__STREAM_START, (uint32_t)w->number};
  for (int32_t i = 0; i < w->nuts.dim; i++)
    w->candidate[i] = s->options->init_radius *
                      (2 * sl__random_uniform(key, (uint64_t)w->tries, (uint32_t)i) - 1);
  w->nuts.wanted = w->candidate;
}

static void start_step_search(walker *w) {
  w->phase = STEP_SEARCH;
  w->direction = 0;
  sl__nuts_probe(&w->nuts);
}

static void start_transition(walker *w) {
  w->phase = TRANSITION;
  sl__nuts_begin(&w->nuts);
}

/* The first coordinate whose gradient is not finite, or -1. */
static int32_t find_bad(int32_t dim, const double *gradient) {
  for (int32_t i = 0; i < dim; i++)
    if (!isfinite(gradient[i])) return i;
  return -1;
}

static sl_status refuse_point(const sampler *s, const walker *w, double value,
                              const double *gradient) {
  const int32_t bad = find_bad(w->nuts.dim, gradient);
  char what[160];
  if (!isfinite(value))
    snprintf(what, sizeof what, "the log density is %g", value);
  else
    snprintf(what, sizeof what, "its gradient by %.80s is %g", s->target->names[bad],
             gradient[bad]);
  if (w->is_given)
    return sl__fail(s->context, SL_NUMERIC,
                    "chain %d cannot start where it was told to: %s there; give another point",
                    w->number + 1, what);
  return sl__fail(s->context, SL_NUMERIC,
                  "chain %d found no point to start from: at the last of %d random ones, within "
                  "%g of 0 in every coordinate, %s; give starting points or a smaller radius",
                  w->number + 1, most_tries, s->options->init_radius, what);
}

/* The candidate becomes the first point if it is a better one than that at hand. */
static void keep_candidate(walker *w, double value, const double *gradient) {
  if (!isfinite(value) || find_bad(w->nuts.dim, gradient) >= 0) return;
  if (w->is_found && value <= w->nuts.here.value) return;
  const size_t size = (size_t)w->nuts.dim * sizeof *gradient;
  w->nuts.here.value = value;
  memcpy(w->nuts.here.q, w->candidate, size);
  memcpy(w->nuts.here.gradient, gradient, size);
  w->is_found = true;
}

static sl_status take_first_point(sampler *s, walker *w, double value, const double *gradient) {
  keep_candidate(w, value, gradient);
  w->tries++;
  const bool enough = w->is_given || w->tries >= s->options->init_candidates;
  if (!enough || (!w->is_found && !w->is_given && w->tries < most_tries)) {
    draw_first_point(s, w);
    return SL_OK;
  }
  if (!w->is_found) return refuse_point(s, w, value, gradient);
  w->nuts.step_size = s->options->step_size;
  if (s->options->warmup == 0) {
    start_transition(w);
    return SL_OK;
  }
  sl__warmup_start(&w->warmup, w->nuts.here.gradient);
  start_step_search(w);
  return SL_OK;
}

/* ---- step sizes: doubled or halved until acceptance crosses 0.8 (Hoffman and Gelman 2014,
 * algorithm 4) ---- */

static sl_status take_probe(sampler *s, walker *w, double value, const double *gradient) {
  sl__nuts_give(&w->nuts, value, gradient);
  s->report->gradients++;
  const bool accepted = w->nuts.first_energy - w->nuts.moving.energy > log(0.8);
  if (w->direction == 0) {
    w->direction = accepted ? 1 : -1;
  } else if (accepted != (w->direction > 0)) {
    sl__step_size_restart(&w->warmup.step, w->nuts.step_size);
    start_transition(w);
    return SL_OK;
  }
  w->nuts.step_size *= w->direction > 0 ? 2 : 0.5;
  if (w->nuts.step_size > 1e7)
    return sl__fail(s->context, SL_NUMERIC,
                    "chain %d: steps of 1e7 and more are all accepted: the density does not fall "
                    "off, it has no finite integral; give every parameter a proper prior",
                    w->number + 1);
  if (w->nuts.step_size < 1e-300)
    return sl__fail(s->context, SL_NUMERIC,
                    "chain %d: no step is small enough: the density or its gradient is not "
                    "continuous at its first point",
                    w->number + 1);
  sl__nuts_probe(&w->nuts);
  return SL_OK;
}

/* ---- jumps ---- */

static sl_status end_transition(sampler *s, walker *w);

static void start_jump(const sampler *s, walker *w) {
  const sl__random_key key = {s->options->seed, SL__STREAM_MIX, (uint32_t)w->number};
  const uint64_t row = (uint64_t)w->iteration * (uint64_t)s->options->jumps + (uint64_t)w->jumps;
  for (int32_t i = 0; i < w->nuts.dim; i++)
    w->candidate[i] = sl__random_normal(key, row, (uint32_t)i);
  w->phase = JUMP;
  w->nuts.wanted = w->candidate;
}

static sl_status take_jump(sampler *s, walker *w, double value, const double *gradient) {
  sl__nuts_point *here = &w->nuts.here;
  const int32_t dim = w->nuts.dim;
  double log_ratio = value - here->value; /* of target over proposal, there against here */
  for (int32_t i = 0; i < dim; i++)
    log_ratio += 0.5 * (w->candidate[i] * w->candidate[i] - here->q[i] * here->q[i]);
  const bool usable = isfinite(value) && find_bad(dim, gradient) < 0;
  const bool taken = log(sl__nuts_chance(&w->nuts)) < log_ratio && usable;
  const bool counts = w->iteration >= s->options->warmup;
  s->report->gradients++;
  s->report->jumps += counts;
  s->report->jumps_taken += counts && taken;
  if (taken) {
    /* the energy that is reported is of the transition before it, moved by the same amount */
    here->energy += here->value - value;
    here->value = value;
    memcpy(here->q, w->candidate, (size_t)dim * sizeof *here->q);
    memcpy(here->gradient, gradient, (size_t)dim * sizeof *here->gradient);
  }
  if (++w->jumps < s->options->jumps) {
    start_jump(s, w);
    return SL_OK;
  }
  return end_transition(s, w);
}

/* ---- transitions ---- */

static sl_status tell_draw(sampler *s, walker *w, bool warmup) {
  const sl__sampler_options *options = s->options;
  const int64_t iteration = warmup ? w->iteration : w->iteration - options->warmup;
  if (!s->listener->draw || (warmup && !options->save_warmup) || iteration % options->thin != 0)
    return SL_OK;
  const sl__sampler_draw draw = {
      .chain = w->number,
      .iteration = iteration,
      .warmup = warmup,
      .divergent = w->nuts.divergent,
      .q = w->nuts.here.q,
      .log_density = w->nuts.here.value,
      .accept = w->nuts.accept,
      .step_size = w->nuts.step_size,
      .energy = w->nuts.here.energy,
      .depth = w->nuts.depth,
      .leapfrogs = w->nuts.leapfrogs,
  };
  return s->listener->draw(s->listener->user, &draw);
}

/* The warm-up learns from the transition that has ended; true: the step size must be sought. */
static sl_status learn(sampler *s, walker *w, bool *seek) {
  double step_size;
  *seek = sl__warmup_learn(&w->warmup, w->nuts.here.q, w->nuts.here.gradient, w->nuts.accept,
                           w->nuts.moved, &step_size);
  w->nuts.step_size = step_size;
  if (w->iteration + 1 == s->options->warmup && s->listener->adapted)
    return s->listener->adapted(s->listener->user, w->number, step_size, &w->warmup.metric);
  return SL_OK;
}

static void note_visit(const sampler *s, walker *w) {
  const int64_t part = sl__warmup_between_meetings(s->options);
  if (2 * (w->iteration % part) < part)
    sl__visit_clear(&w->visit);
  else
    sl__visit_add(&w->visit, w->nuts.here.q, w->nuts.here.gradient, w->nuts.here.value);
}

static sl_status end_transition(sampler *s, walker *w) {
  const bool warmup = w->iteration < s->options->warmup;
  bool seek = false;
  SL__TRY(tell_draw(s, w, warmup));
  if (w->nuts.divergent && !warmup) s->report->divergences++;
  if (w->nuts.depth >= s->options->most_depth && !warmup) s->report->depth_hits++;
  s->divergences[w->number] += w->nuts.divergent && !warmup;
  if (warmup) s->warm_divergences += w->nuts.divergent;
  if (warmup) note_visit(s, w);
  if (warmup) SL__TRY(learn(s, w, &seek));
  s->iterations[w->number] = ++w->iteration;
  if (w->iteration == (int64_t)s->options->warmup + s->options->draws) {
    w->phase = DONE;
    s->running--;
  } else if (warmup && sl__warmup_is_meeting(s->options, w->iteration)) {
    w->phase = MEETING;
    s->meeting++;
  } else if (seek) {
    start_step_search(w);
  } else {
    start_transition(w);
  }
  return SL_OK;
}

static sl_status take(sampler *s, walker *w) {
  const double value = s->value[w->number];
  const double *gradient = s->gradient + (size_t)w->number * w->nuts.dim;
  switch (w->phase) {
    case FIRST_POINT: s->report->gradients++; return take_first_point(s, w, value, gradient);
    case STEP_SEARCH: return take_probe(s, w, value, gradient);
    case TRANSITION:
      s->report->gradients++;
      if (!sl__nuts_give(&w->nuts, value, gradient)) return SL_OK;
      if (s->options->jumps == 0) return end_transition(s, w);
      w->jumps = 0;
      start_jump(s, w);
      return SL_OK;
    case JUMP: return take_jump(s, w, value, gradient);
    case MEETING:
    case DONE: break;
  }
  return SL_OK;
}

/* ---- chains that went astray: regroup.h ---- */

static void join_other(walker *w, const walker *other) {
  const size_t size = (size_t)w->nuts.dim * sizeof *w->nuts.here.q;
  memcpy(w->nuts.here.q, other->nuts.here.q, size);
  memcpy(w->nuts.here.gradient, other->nuts.here.gradient, size);
  w->nuts.here.value = other->nuts.here.value;
  w->nuts.step_size = other->nuts.step_size;
  sl__warmup_adopt(&w->warmup, &other->warmup);
}

/* Often: more than once in so many transitions since the last meeting. */
static void watch_divergences(sampler *s) {
  const sl__sampler_options *options = s->options;
  const int64_t part = sl__warmup_between_meetings(options);
  const bool often = s->warm_divergences * transitions_per_divergence > part * options->chains;
  s->warm_divergences = 0;
  if (!often || s->walkers[0].iteration == part) return;
  s->report->adapt_delta = fmax(options->adapt_delta, options->careful_delta);
  for (int32_t i = 0; i < options->chains; i++)
    s->walkers[i].warmup.step.delta = s->report->adapt_delta;
}

/* All chains have come to the same iteration. */
static void hold_meeting(sampler *s) {
  const int32_t chains = s->options->chains;
  watch_divergences(s);
  for (int32_t i = 0; i < chains; i++) s->log_mass[i] = sl__visit_log_mass(&s->walkers[i].visit);
  sl__regroup(chains, s->target->dim, s->log_mass, s->donor);
  for (int32_t i = 0; i < chains; i++) {
    if (s->donor[i] != i) {
      join_other(&s->walkers[i], &s->walkers[s->donor[i]]);
      s->report->regrouped++;
    }
    start_transition(&s->walkers[i]);
  }
  s->meeting = 0;
}

/* ---- all chains ---- */

static sl_status open_walkers(sampler *s, sl__arena *arena, const double *first) {
  const int32_t chains = s->options->chains, dim = s->target->dim;
  const size_t count = (size_t)chains, size = (size_t)dim;
  s->walkers = sl__arena_take(arena, count, sizeof *s->walkers);
  s->q = sl__arena_take(arena, count * size, sizeof *s->q);
  s->gradient = sl__arena_take(arena, count * size, sizeof *s->gradient);
  s->value = sl__arena_take(arena, count, sizeof *s->value);
  s->iterations = sl__arena_take(arena, count, sizeof *s->iterations);
  s->divergences = sl__arena_take(arena, count, sizeof *s->divergences);
  s->log_mass = sl__arena_take(arena, count, sizeof *s->log_mass);
  s->donor = sl__arena_take(arena, count, sizeof *s->donor);
  if (!s->walkers || !s->q || !s->gradient || !s->value || !s->iterations || !s->divergences ||
      !s->log_mass || !s->donor)
    return SL_NO_MEMORY;
  for (int32_t i = 0; i < chains; i++) {
    walker *w = &s->walkers[i];
    const sl__random_key key = {s->options->seed, SL__STREAM_CHAIN, (uint32_t)i};
    w->number = i;
    SL__TRY(sl__warmup_open(arena, s->options, dim, &w->warmup));
    SL__TRY(sl__nuts_open(arena, &w->warmup.metric, s->options->most_depth, key, &w->nuts));
    SL__TRY(sl__visit_open(arena, dim, &w->visit));
    w->candidate = sl__arena_take(arena, size, sizeof *w->candidate);
    if (!w->candidate) return SL_NO_MEMORY;
    w->is_given = first != NULL;
    w->nuts.wanted = w->candidate;
    if (first)
      memcpy(w->candidate, first + (size_t)i * size, size * sizeof *first);
    else
      draw_first_point(s, w);
  }
  s->running = chains;
  return SL_OK;
}

static sl_status run_rounds(sampler *s, sl__density *density) {
  const int32_t chains = s->options->chains, dim = s->target->dim;
  const sl__points points = {.rows = chains,
                             .q = s->q,
                             .value = s->value,
                             .gradient = s->gradient,
                             .row_stride = dim,
                             .column_stride = 1};
  for (int64_t round = 0; s->running > 0; round++) {
    for (int32_t i = 0; i < chains; i++)
      memcpy(s->q + (size_t)i * dim, s->walkers[i].nuts.wanted, (size_t)dim * sizeof *s->q);
    SL__TRY(sl__density_run(s->context, density, &points));
    for (int32_t i = 0; i < chains; i++) SL__TRY(take(s, &s->walkers[i]));
    if (s->meeting == chains) hold_meeting(s);
    if (s->listener->progress && round % rounds_between_progress == 0 &&
        !s->listener->progress(s->listener->user, s->iterations, s->divergences))
      return SL_STOPPED;
  }
  return SL_OK;
}

sl_status sl__sampler_check(sl_context *context, const sl__sampler_options *o) {
  if (o->chains < 1 || o->draws < 0 || o->warmup < 0 || o->thin < 1 || o->jumps < 0)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "%d chains of %d + %d iterations, one in %d kept, cannot be run; chains and "
                    "thin must be at least 1, the others at least 0",
                    o->chains, o->warmup, o->draws, o->thin);
  if (!(o->adapt_delta > 0 && o->adapt_delta < 1))
    return sl__fail(context, SL_BAD_ARGUMENT, "adapt-delta is %g; it must lie between 0 and 1",
                    o->adapt_delta);
  if (!(o->step_size > 0) || !(o->init_radius >= 0) || o->init_candidates < 1)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "a step size of %g and the best of %d first points within %g of 0 cannot be "
                    "used; the first must be above 0, the others at least 1 and 0",
                    o->step_size, o->init_candidates, o->init_radius);
  if (o->most_depth < 1 || o->most_depth > SL__NUTS_MOST_DEPTH)
    return sl__fail(context, SL_BAD_ARGUMENT, "max-treedepth is %d; it must lie in 1..%d",
                    o->most_depth, SL__NUTS_MOST_DEPTH);
  return SL_OK;
}

sl_status sl__sampler_run(sl_context *context, const sl__target *target,
                          const sl__sampler_options *options, const double *first,
                          const sl__sampler_listener *listener, sl__sampler_report *report) {
  SL__TRY(sl__sampler_check(context, options));
  *report = (sl__sampler_report){.adapt_delta = options->adapt_delta};
  sl__arena arena;
  sl__arena_open(&arena, context);
  sampler s = {.context = context,
               .target = target,
               .options = options,
               .listener = listener,
               .report = report};
  sl__density *density = NULL;
  sl_status status = open_walkers(&s, &arena, first);
  if (status == SL_OK) status = sl__density_new(context, target, 0, true, &density);
  if (status == SL_OK) status = run_rounds(&s, density);
  sl__density_free(density);
  sl__arena_close(&arena);
  return status;
}
