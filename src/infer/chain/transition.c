/* A chain from one draw to the next. */
#include "infer/chain/walker.h"
#include <math.h>

void sl__walker_start_transition(sl__walker *w) {
  w->phase = SL__WALKER_TRANSITION;
  sl__nuts_begin(&w->nuts);
}

static sl_status tell_draw(sl__sampler *s, sl__walker *w, bool warmup) {
  const sl__sampler_options *options = s->options;
  const int64_t iteration = warmup ? w->iteration : w->iteration - options->warmup;
  if (!s->listener->draw || (warmup && !options->save_warmup) || iteration % options->thin != 0)
    return SL_OK;
  const sl__sampler_draw draw = {
      .chain = w->number,
      .iteration = iteration,
      .warmup = warmup,
      .divergent = w->way.divergent,
      .q = w->nuts.here.q,
      .log_density = w->nuts.here.value,
      .accept = w->way.accept,
      .step_size = w->nuts.step_size,
      .energy = w->nuts.here.energy,
      .depth = w->way.depth,
      .leapfrogs = w->way.leapfrogs,
  };
  return s->listener->draw(s->listener->user, &draw);
}

/* The warm-up learns from the transition that has ended; *seek: the step size must be sought. */
static void learn(sl__walker *w, bool *seek) {
  double step_size;
  *seek = sl__warmup_learn(&w->warmup, w->nuts.here.q, w->nuts.here.gradient, w->nuts.accept,
                           w->nuts.moved, &step_size);
  w->nuts.step_size = step_size;
}

/* After the last meeting, which may change what the draws are made with. */
static sl_status tell_adapted(const sl__sampler *s, const sl__walker *w) {
  const sl__sampler_listener *listener = s->listener;
  if (!listener->adapted || s->options->warmup == 0) return SL_OK;
  return listener->adapted(listener->user, w->number, w->nuts.step_size, &w->warmup.metric);
}

static void note_visit(const sl__sampler *s, sl__walker *w) {
  const int64_t part = sl__warmup_between_meetings(s->options);
  if (2 * (w->iteration % part) < part)
    sl__visit_clear(&w->visit);
  else
    sl__visit_add(&w->visit, w->nuts.here.q, w->nuts.here.gradient, w->nuts.here.value);
  if (sl__warmup_is_late(s->options, w->iteration)) sl__mixing_add(&w->mixing, w->nuts.here.q);
}

sl_status sl__walker_end_transition(sl__sampler *s, sl__walker *w) {
  const bool warmup = w->iteration < s->options->warmup;
  bool seek = false;
  if (w->iteration == s->options->warmup) SL__TRY(tell_adapted(s, w));
  SL__TRY(tell_draw(s, w, warmup));
  if (w->way.divergent && !warmup) s->report->divergences++;
  if (w->way.irreversible && !warmup) s->report->irreversible++;
  if (w->way.depth >= s->options->most_depth && !warmup) s->report->depth_hits++;
  s->report->undefined += w->way.undefined;
  s->report->refused += w->way.refused;
  s->divergences[w->number] += w->way.divergent && !warmup;
  if (warmup) s->warm_divergences += w->way.divergent;
  if (warmup) note_visit(s, w);
  if (warmup) learn(w, &seek);
  w->way = (sl__way){0};
  s->iterations[w->number] = ++w->iteration;
  if (w->iteration == (int64_t)s->options->warmup + s->options->draws) {
    if (warmup) SL__TRY(tell_adapted(s, w));
    w->phase = SL__WALKER_DONE;
    s->running--;
  } else if (warmup && sl__warmup_is_meeting(s->options, w->iteration)) {
    w->phase = SL__WALKER_MEETING;
    s->meeting++;
  } else if (seek) {
    sl__walker_start_step_search(w);
  } else {
    sl__walker_start_transition(w);
  }
  return SL_OK;
}

/* Whether a divergence was where the density says nothing. */
static bool is_undefined(const sl__sampler *s, const sl__walker *w, const double *gradient) {
  const int32_t dim = w->nuts.dim;
  if (s->undefined[w->number]) return true;
  for (int32_t i = 0; i < dim; i++)
    if (isnan(gradient[i])) return isfinite(s->value[w->number]);
  return false;
}

/* Of a divergence at a finite point: whether the step size is to blame for it, or the target. */
static void note_fault(sl__sampler *s, sl__walker *w, const double *gradient) {
  sl__sampler_report *report = s->report;
  const double *q = s->q + (size_t)w->number * (size_t)w->nuts.dim;
  if (!w->nuts.divergent || sl__find_bad(w->nuts.dim, q) >= 0) return;
  if (is_undefined(s, w, gradient)) {
    w->way.undefined = true;
  } else if (s->value[w->number] == -(double)INFINITY) {
    if (report->refused == 0) sl__ask_program(s, q, sizeof report->refusal, report->refusal);
    w->way.refused = true;
  }
}

static void note_trajectory(sl__walker *w) {
  sl__way *way = &w->way;
  way->trajectories++;
  way->accept += (w->nuts.accept - way->accept) / way->trajectories;
  way->leapfrogs += w->nuts.leapfrogs;
  if (w->nuts.depth > way->depth) way->depth = w->nuts.depth;
  way->divergent |= w->nuts.divergent;
  way->irreversible |= w->nuts.irreversible;
}

sl_status sl__walker_take_transition(sl__sampler *s, sl__walker *w, double value,
                                     const double *gradient) {
  s->report->gradients++;
  if (!sl__nuts_give(&w->nuts, value, gradient)) return SL_OK;
  note_trajectory(w);
  if (w->iteration >= s->options->warmup) {
    note_fault(s, w, gradient);
    if (w->way.trajectories < s->report->trajectories) {
      sl__walker_start_transition(w);
      return SL_OK;
    }
  }
  if (s->options->jumps == 0) return sl__walker_end_transition(s, w);
  w->jumps = 0;
  sl__walker_start_jump(s, w);
  return SL_OK;
}
