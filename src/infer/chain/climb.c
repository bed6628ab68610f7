/* The machine of a climb. */
#include "infer/chain/climb.h"
#include <math.h>
#include <string.h>
#include "base/dot.h"

enum { most_tries = 40 };
static const double sufficient_gain = 1e-4, sufficient_turn = 0.9;

/* ---- pairs ---- */

sl_status sl__pairs_open(sl__arena *arena, int32_t dim, int32_t most, sl__pairs *pairs) {
  const size_t count = (size_t)most * (size_t)dim;
  *pairs = (sl__pairs){.dim = dim, .most = most};
  pairs->s = sl__arena_take(arena, count, sizeof(double));
  pairs->y = sl__arena_take(arena, count, sizeof(double));
  pairs->alpha = sl__arena_take(arena, (size_t)dim, sizeof(double));
  if (!pairs->s || !pairs->y || !pairs->alpha) return SL_NO_MEMORY;
  sl__pairs_clear(pairs);
  return SL_OK;
}

void sl__pairs_clear(sl__pairs *pairs) {
  pairs->count = 0;
  for (int32_t i = 0; i < pairs->dim; i++) pairs->alpha[i] = 1;
}

/* Equation 6 of Zhang et al. */
static void learn_diagonal(sl__pairs *pairs, const double *s, const double *y) {
  double a = 0, c = 0;
  double *alpha = pairs->alpha;
  const double b = sl__dot(pairs->dim, s, y);
  for (int32_t i = 0; i < pairs->dim; i++) {
    a += y[i] * y[i] * alpha[i];
    c += s[i] * s[i] / alpha[i];
  }
  for (int32_t i = 0; i < pairs->dim; i++) {
    const double inverse =
        a / (b * alpha[i]) + y[i] * y[i] / b - a * s[i] * s[i] / (b * c * alpha[i] * alpha[i]);
    if (inverse > 0 && isfinite(1 / inverse)) alpha[i] = 1 / inverse;
  }
}

void sl__pairs_add(sl__pairs *pairs, const double *q, const double *gradient, const double *next_q,
                   const double *next_gradient) {
  const int32_t n = pairs->dim;
  const size_t size = (size_t)n;
  double curvature = 0, length = 0;
  for (int32_t i = 0; i < n; i++) {
    const double change = gradient[i] - next_gradient[i];
    curvature += change * (next_q[i] - q[i]);
    length += change * change;
  }
  if (!(curvature > 2.2e-16 * length) || !isfinite(curvature)) return;
  if (pairs->count == pairs->most) {
    pairs->count--;
    memmove(pairs->s, pairs->s + size, (size_t)pairs->count * size * sizeof(double));
    memmove(pairs->y, pairs->y + size, (size_t)pairs->count * size * sizeof(double));
  }
  double *s = pairs->s + (size_t)pairs->count * size, *y = pairs->y + (size_t)pairs->count * size;
  pairs->count++;
  for (int32_t i = 0; i < n; i++) {
    s[i] = next_q[i] - q[i];
    y[i] = gradient[i] - next_gradient[i];
  }
  learn_diagonal(pairs, s, y);
}

/* ---- the way ---- */

sl_status sl__climb_open(sl__arena *arena, int32_t dim, int32_t most_steps, int32_t history,
                         double tolerance, sl__climb *climb) {
  *climb = (sl__climb){.dim = dim, .most_steps = most_steps, .tolerance = tolerance};
  const size_t points = (size_t)most_steps + 1, size = (size_t)dim;
  climb->q = sl__arena_take(arena, points * size, sizeof(double));
  climb->gradient = sl__arena_take(arena, points * size, sizeof(double));
  climb->value = sl__arena_take(arena, points, sizeof(double));
  climb->trial = sl__arena_take(arena, size, sizeof(double));
  climb->direction = sl__arena_take(arena, size, sizeof(double));
  climb->work = sl__arena_take(arena, (size_t)history, sizeof(double));
  if (!climb->q || !climb->gradient || !climb->value || !climb->trial || !climb->direction ||
      !climb->work)
    return SL_NO_MEMORY;
  return sl__pairs_open(arena, dim, history, &climb->pairs);
}

/* direction = H gradient. */
static void set_direction(sl__climb *climb, const double *gradient) {
  const sl__pairs *pairs = &climb->pairs;
  const int32_t n = climb->dim;
  double *d = climb->direction, *along = climb->work;
  memcpy(d, gradient, (size_t)n * sizeof *d);
  for (int32_t k = pairs->count - 1; k >= 0; k--) {
    const double *s = pairs->s + (size_t)k * n, *y = pairs->y + (size_t)k * n;
    along[k] = sl__dot(n, s, d) / sl__dot(n, s, y);
    for (int32_t i = 0; i < n; i++) d[i] -= along[k] * y[i];
  }
  for (int32_t i = 0; i < n; i++) d[i] *= pairs->alpha[i];
  for (int32_t k = 0; k < pairs->count; k++) {
    const double *s = pairs->s + (size_t)k * n, *y = pairs->y + (size_t)k * n;
    const double back = sl__dot(n, y, d) / sl__dot(n, s, y);
    for (int32_t i = 0; i < n; i++) d[i] += (along[k] - back) * s[i];
  }
}

static void set_trial(sl__climb *climb) {
  const double *q = climb->q + (size_t)climb->steps * climb->dim;
  for (int32_t i = 0; i < climb->dim; i++)
    climb->trial[i] = q[i] + climb->step * climb->direction[i];
}

/* From the newest point on; the first step is no longer than 1. */
static void start_step(sl__climb *climb) {
  const double *gradient = climb->gradient + (size_t)climb->steps * climb->dim;
  set_direction(climb, gradient);
  climb->slope = sl__dot(climb->dim, gradient, climb->direction);
  if (!(climb->slope > 0) || !isfinite(climb->slope) || climb->steps == climb->most_steps) {
    climb->done = true;
    return;
  }
  const double length = sqrt(sl__dot(climb->dim, climb->direction, climb->direction));
  climb->step = climb->pairs.count == 0 && length > 1 ? 1 / length : 1;
  climb->low = 0;
  climb->high = INFINITY;
  climb->tries = 0;
  set_trial(climb);
}

static bool is_finite(int32_t dim, double value, const double *gradient) {
  bool finite = isfinite(value);
  for (int32_t i = 0; finite && i < dim; i++) finite = isfinite(gradient[i]);
  return finite;
}

static void add_point(sl__climb *climb, int32_t at, double value, const double *gradient) {
  const size_t size = (size_t)climb->dim * sizeof(double), from = (size_t)at * (size_t)climb->dim;
  climb->value[at] = value;
  memcpy(climb->q + from, climb->trial, size);
  memcpy(climb->gradient + from, gradient, size);
}

static void take_step(sl__climb *climb, double value, const double *gradient) {
  const int32_t at = climb->steps++;
  const size_t size = (size_t)climb->dim;
  add_point(climb, at + 1, value, gradient);
  sl__pairs_add(&climb->pairs, climb->q + (size_t)at * size, climb->gradient + (size_t)at * size,
                climb->trial, gradient);
  const double gain = value - climb->value[at];
  if (gain <= climb->tolerance * fmax(1, fabs(value)))
    climb->done = true;
  else
    start_step(climb);
}

void sl__climb_give(sl__climb *climb, double value, const double *gradient) {
  const bool finite = is_finite(climb->dim, value, gradient);
  if (!climb->begun) {
    if (!finite) return;
    climb->begun = true;
    add_point(climb, 0, value, gradient);
    start_step(climb);
    return;
  }
  const double here = climb->value[climb->steps];
  const bool gained = finite && value >= here + sufficient_gain * climb->step * climb->slope;
  const bool turned =
      gained && sl__dot(climb->dim, gradient, climb->direction) <= sufficient_turn * climb->slope;
  if (turned || (gained && ++climb->tries >= most_tries)) {
    take_step(climb, value, gradient);
    return;
  }
  if (!gained && ++climb->tries >= most_tries) {
    climb->done = true;
    return;
  }
  if (gained)
    climb->low = climb->step;
  else
    climb->high = climb->step;
  climb->step = isinf(climb->high) ? 2 * climb->low : 0.5 * (climb->low + climb->high);
  set_trial(climb);
}
