/* Chains in the lanes of one run. */
#include "infer/chain/walker.h"
#include <string.h>
#include "base/os.h"

enum { rounds_between_progress = 16 };
/* Rounds may take long, where a differential equation is solved in each. */
static const double seconds_between_progress = 0.2;

void sl__sampler_defaults(sl__sampler_options *options) {
  *options = (sl__sampler_options){.chains = 4,
                                   .warmup = 1000,
                                   .draws = 1000,
                                   .thin = 1,
                                   .metric = SL__METRIC_KIND_FISHER_LOW_RANK,
                                   .adapt_delta = 0.8,
                                   .careful_delta = 0.95,
                                   .trajectories = 1,
                                   .step_size = 1,
                                   .most_depth = 10,
                                   .init_radius = 2,
                                   .init_candidates = 10,
                                   .init_buffer = 75,
                                   .window = 25,
                                   .term_buffer = 50};
}

void sl__sampler_take_pains(sl__sampler_options *options) {
  options->strict_delta = 0.99;
  options->trajectories = 0;
}

/* ---- all chains ---- */

static sl_status take(sl__sampler *s, sl__walker *w) {
  const double value = s->value[w->number];
  const double *gradient = s->gradient + (size_t)w->number * w->nuts.dim;
  switch (w->phase) {
    case SL__WALKER_FIRST_POINT:
      s->report->gradients++;
      return sl__walker_take_first_point(s, w, value, gradient);
    case SL__WALKER_STEP_SEARCH: return sl__walker_take_probe(s, w, value, gradient);
    case SL__WALKER_TRANSITION: return sl__walker_take_transition(s, w, value, gradient);
    case SL__WALKER_JUMP: return sl__walker_take_jump(s, w, value, gradient);
    case SL__WALKER_TRIAL: return sl__walker_take_trial(s, w, value, gradient);
    case SL__WALKER_MEETING:
    case SL__WALKER_DONE: break;
  }
  return SL_OK;
}

static sl_status open_walkers(sl__sampler *s, sl__arena *arena, const double *first) {
  const int32_t chains = s->options->chains, dim = s->target->dim;
  const size_t count = (size_t)chains, size = (size_t)dim;
  s->walkers = sl__arena_take(arena, count, sizeof *s->walkers);
  s->q = sl__arena_take(arena, count * size, sizeof *s->q);
  s->gradient = sl__arena_take(arena, count * size, sizeof *s->gradient);
  s->value = sl__arena_take(arena, count, sizeof *s->value);
  s->undefined = sl__arena_take(arena, count, sizeof *s->undefined);
  s->iterations = sl__arena_take(arena, count, sizeof *s->iterations);
  s->divergences = sl__arena_take(arena, count, sizeof *s->divergences);
  s->log_mass = sl__arena_take(arena, count, sizeof *s->log_mass);
  s->donor = sl__arena_take(arena, count, sizeof *s->donor);
  if (!s->walkers || !s->q || !s->gradient || !s->value || !s->iterations || !s->divergences ||
      !s->log_mass || !s->donor || !s->undefined)
    return SL_NO_MEMORY;
  for (int32_t i = 0; i < chains; i++) {
    sl__walker *w = &s->walkers[i];
    const sl__random_key key = {s->options->seed, SL__STREAM_CHAIN, (uint32_t)i};
    w->number = i;
    SL__TRY(sl__warmup_open(arena, s->options, dim, &w->warmup));
    SL__TRY(sl__nuts_open(arena, &w->warmup.metric, s->options->most_depth, key, &w->nuts));
    w->nuts.most_halvings = s->options->halvings;
    SL__TRY(sl__visit_open(arena, dim, &w->visit));
    SL__TRY(sl__mixing_open(arena, dim, sl__warmup_batch(s->options), &w->mixing));
    w->candidate = sl__arena_take(arena, size, sizeof *w->candidate);
    if (!w->candidate) return SL_NO_MEMORY;
    w->is_given = first != NULL;
    w->nuts.wanted = w->candidate;
    if (first)
      memcpy(w->candidate, first + (size_t)i * size, size * sizeof *first);
    else
      sl__walker_draw_first_point(s, w);
  }
  s->running = chains;
  return SL_OK;
}

static sl_status run_rounds(sl__sampler *s, sl__density *density) {
  const int32_t chains = s->options->chains, dim = s->target->dim;
  const sl__points points = {.rows = chains,
                             .q = s->q,
                             .value = s->value,
                             .gradient = s->gradient,
                             .row_stride = dim,
                             .column_stride = 1};
  double told = sl__os_seconds();
  for (int64_t round = 0; s->running > 0; round++) {
    for (int32_t i = 0; i < chains; i++)
      memcpy(s->q + (size_t)i * dim, s->walkers[i].nuts.wanted, (size_t)dim * sizeof *s->q);
    SL__TRY(sl__density_run_marking(s->context, density, &points, s->undefined));
    for (int32_t i = 0; i < chains; i++) SL__TRY(take(s, &s->walkers[i]));
    if (s->meeting == chains) sl__sampler_hold_meeting(s);
    if (!s->listener->progress) continue;
    const double now = sl__os_seconds();
    if (round % rounds_between_progress != 0 && now - told < seconds_between_progress) continue;
    told = now;
    if (!s->listener->progress(s->listener->user, s->iterations, s->divergences)) return SL_STOPPED;
  }
  return SL_OK;
}

sl_status sl__sampler_check(sl_context *context, const sl__sampler_options *o) {
  if (o->chains < 1 || o->draws < 0 || o->warmup < 0 || o->thin < 1 || o->jumps < 0 ||
      o->trajectories < 0)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "%d chains of %d + %d iterations, one in %d kept, cannot be run; chains and "
                    "thin must be at least 1, the others, jumps and trajectories at least 0",
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
  if (o->halvings < 0 || o->halvings > SL__NUTS_MOST_HALVINGS)
    return sl__fail(context, SL_BAD_ARGUMENT, "halvings is %d; it must lie in 0..%d", o->halvings,
                    SL__NUTS_MOST_HALVINGS);
  if (o->halvings > 0 && o->halvings + o->most_depth > SL__MOST_DOUBLINGS)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "max-treedepth %d with %d halvings: a trajectory might have more than 2^%d "
                    "leapfrogs; make them at most %d together",
                    o->most_depth, o->halvings, SL__MOST_DOUBLINGS, SL__MOST_DOUBLINGS);
  return SL_OK;
}

sl_status sl__sampler_run(sl_context *context, const sl__target *target,
                          const sl__sampler_options *options, const double *first,
                          const sl__sampler_listener *listener, sl__sampler_report *report) {
  SL__TRY(sl__sampler_check(context, options));
  *report = (sl__sampler_report){
      .adapt_delta = options->adapt_delta,
      .trajectories = options->trajectories > 0 ? options->trajectories : 1,
  };
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl__sampler s = {.context = context,
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
