/* One step of a trajectory: a leapfrog, or where the energy would change too much on it, two of half
 * its length, four of a quarter, and so on (Bou-Rabee, Carpenter, Kleppe and Liu 2025,
 * arXiv:2506.18746, in the form that takes the fewest leapfrogs that will do). So one step size
 * serves a density that is narrow in one place and wide in another.
 *
 * The chain leaves the density as it is only if the same step backwards would be made of as many
 * leapfrogs. One leapfrog is its own way back. Of shorter ones it is tried whether longer ones would
 * have done backwards: then the step could not be taken back, and the trajectory ends before it. */
#include <math.h>
#include <string.h>
#include "base/dot.h"
#include "infer/chain/nuts.h"

/* Between the highest and the lowest energy on a step. With 0.3 and with 3 funnels gave fewer
 * effective draws to the gradient. */
static const double most_change = 1;

static bool open_point(sl__arena *arena, int32_t dim, sl__nuts_point *point, double **momentum) {
  point->q = sl__arena_take(arena, (size_t)dim, sizeof *point->q);
  point->gradient = sl__arena_take(arena, (size_t)dim, sizeof *point->gradient);
  *momentum = sl__arena_take(arena, (size_t)dim, sizeof **momentum);
  return point->q && point->gradient && *momentum;
}

sl_status sl__stride_open(sl__arena *arena, int32_t dim, sl__stride *stride) {
  const bool good = open_point(arena, dim, &stride->from, &stride->from_momentum) &&
                    open_point(arena, dim, &stride->to, &stride->to_momentum);
  return good ? SL_OK : SL_NO_MEMORY;
}

static void copy_point(int32_t dim, sl__nuts_point *to, double *to_momentum,
                       const sl__nuts_point *from, const double *from_momentum) {
  const size_t size = (size_t)dim * sizeof *to_momentum;
  memcpy(to->q, from->q, size);
  memcpy(to->gradient, from->gradient, size);
  memcpy(to_momentum, from_momentum, size);
  to->value = from->value;
  to->energy = from->energy;
}

/* ---- a leapfrog ---- */

static double signed_step(const sl__nuts *nuts) {
  const sl__stride *stride = &nuts->stride;
  const double step = ldexp(nuts->direction * nuts->step_size, -stride->halvings);
  return stride->is_return ? -step : step;
}

/* Half a step of the momentum, a whole one of the position: now the density is wanted there. */
static void start_leapfrog(sl__nuts *nuts) {
  const double step = signed_step(nuts);
  for (int32_t i = 0; i < nuts->dim; i++)
    nuts->momentum[i] += 0.5 * step * nuts->moving.gradient[i];
  sl__metric_velocity(nuts->metric, nuts->momentum, nuts->sum);
  for (int32_t i = 0; i < nuts->dim; i++) nuts->moving.q[i] += step * nuts->sum[i];
}

/* The other half; velocity [dim] comes out. */
static void end_leapfrog(sl__nuts *nuts, double value, const double *gradient, double *velocity) {
  const double step = signed_step(nuts);
  memcpy(nuts->moving.gradient, gradient, (size_t)nuts->dim * sizeof *gradient);
  for (int32_t i = 0; i < nuts->dim; i++) nuts->momentum[i] += 0.5 * step * gradient[i];
  sl__metric_velocity(nuts->metric, nuts->momentum, velocity);
  const double energy = -value + 0.5 * sl__dot(nuts->dim, nuts->momentum, velocity);
  nuts->moving.value = value;
  /* A density without bound would hold the chain for ever: no point is taken there. */
  nuts->moving.energy = isfinite(energy) ? energy : INFINITY;
}

/* ---- tries ---- */

/* The moving point is where it begins. */
static void start_try(sl__nuts *nuts, int halvings, bool is_return) {
  sl__stride *stride = &nuts->stride;
  stride->halvings = halvings;
  stride->left = (int32_t)1 << halvings;
  stride->is_return = is_return;
  stride->lowest = stride->highest = nuts->moving.energy;
  start_leapfrog(nuts);
}

static void start_return(sl__nuts *nuts, int halvings) {
  sl__stride *stride = &nuts->stride;
  copy_point(nuts->dim, &nuts->moving, nuts->momentum, &stride->to, stride->to_momentum);
  start_try(nuts, halvings, true);
}

void sl__stride_start(sl__nuts *nuts) {
  sl__stride *stride = &nuts->stride;
  stride->halved = false;
  if (nuts->most_halvings > 0)
    copy_point(nuts->dim, &stride->from, stride->from_momentum, &nuts->moving, nuts->momentum);
  start_try(nuts, 0, false);
}

/* The energy changes too much on this try. */
static sl__stride_state give_up_try(sl__nuts *nuts, double *velocity) {
  sl__stride *stride = &nuts->stride;
  if (!stride->is_return && stride->halvings == nuts->most_halvings) return SL__STRIDE_DIVERGENT;
  if (!stride->is_return) {
    stride->halved = true;
    copy_point(nuts->dim, &nuts->moving, nuts->momentum, &stride->from, stride->from_momentum);
    start_try(nuts, stride->halvings + 1, false);
    return SL__STRIDE_ON;
  }
  if (stride->halvings > 0) {
    start_return(nuts, stride->halvings - 1);
    return SL__STRIDE_ON;
  }
  copy_point(nuts->dim, &nuts->moving, nuts->momentum, &stride->to, stride->to_momentum);
  sl__metric_velocity(nuts->metric, nuts->momentum, velocity);
  return SL__STRIDE_DONE;
}

sl__stride_state sl__stride_give(sl__nuts *nuts, double value, const double *gradient,
                                 double *velocity) {
  sl__stride *stride = &nuts->stride;
  end_leapfrog(nuts, value, gradient, velocity);
  if (nuts->most_halvings == 0 || nuts->probing) return SL__STRIDE_DONE;
  stride->lowest = fmin(stride->lowest, nuts->moving.energy);
  stride->highest = fmax(stride->highest, nuts->moving.energy);
  if (!(stride->highest - stride->lowest <= most_change)) return give_up_try(nuts, velocity);
  if (--stride->left > 0) {
    start_leapfrog(nuts);
    return SL__STRIDE_ON;
  }
  if (stride->is_return) return SL__STRIDE_IRREVERSIBLE;
  if (stride->halvings == 0) return SL__STRIDE_DONE;
  copy_point(nuts->dim, &stride->to, stride->to_momentum, &nuts->moving, nuts->momentum);
  start_return(nuts, stride->halvings - 1);
  return SL__STRIDE_ON;
}
