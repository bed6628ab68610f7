/* Rays and curves that go out from random points, x + t way or x_i t^way_i, and whether log p falls
 * along them as it must where there is a tail to integrate: from each distance to the next by more
 * than log t, or on a curve, whose volume grows, by more than the sum of its powers times that.
 *
 * A coordinate that is the logarithm of a parameter's distance from its bound goes to it + way_i
 * log t on a curve, so that the parameter goes as the others do; volume does not grow by that. The
 * farthest distances are beyond any unit of measure: a density that is flat up to there has an
 * integral that no number holds. */
#include "infer/robust/rays.h"
#include <math.h>
#include <string.h>

enum { POINTS = 3 }; /* of those that have a density, that all must say the same */
_Static_assert((int)SL__RAY_POINTS >= (int)SL__MOST_RAY_DIM, "room for eigenvalues");
static const double distances[SL__RAY_DISTANCES] = {1e6, 1e10, 1e14, 1e30, 1e60, 1e100}, radius = 2;
/* The share of a run's time that looking for this may take. */
static const double most_time = 0.25;
/* Of what rounding takes from the fall of 1/t, and a datum's place of the likelihood far from it. */
static const double rounding = 1e-4;
/* Relative, of a value that is summed up from many: a large one hides how a small part falls. */
static const double noise = 1e-13;

double sl__rays_distance(int k) {
  return distances[k];
}

static bool has_time(const sl__robust *run) {
  const double most = run->options->max_seconds;
  return !(most > 0) || sl__robust_seconds_left(run) > (1 - most_time) * most;
}

static bool may_go_on(void *user) {
  sl__rays *c = user;
  if (!sl__robust_tell(c->run, SL__ROBUST_EXPLORE, 0, 0, (double)NAN)) return false;
  return has_time(c->run);
}

static sl__points points_of(const sl__rays *c, int64_t rows, const double *q, double *value) {
  return (sl__points){
      .rows = rows, .q = q, .value = value, .row_stride = c->dim, .column_stride = 1};
}

/* Where the Jacobian's logarithm has the slope 1 at each point, a bound's exponential is behind it.
 * Not of programs with differential equations: at rates of 1e6 one point takes a solver seconds. */
static sl_status find_logarithmic(sl__rays *c) {
  const double nearly = 1e-9;
  sl__density *plain;
  if (c->run->target->direct || c->points == 0 || sl__density_solves(c->density)) return SL_OK;
  SL__TRY(sl__density_new(c->run->context, c->run->target, SL__DENSITY_NO_JACOBIAN, true, &plain));
  sl__points points = points_of(c, c->points, c->q, c->value);
  points.gradient = c->plain;
  sl_status status = sl__density_run_asking(c->run->context, plain, &points, may_go_on, c);
  sl__density_free(plain);
  for (int32_t i = 0; status == SL_OK && i < c->dim; i++) {
    c->logarithmic[i] = true;
    for (int p = 0; p < c->points; p++) {
      const double with = c->gradient[p * c->dim + i], without = c->plain[p * c->dim + i];
      const double most = nearly * (1 + fabs(with));
      if (!(fabs(with - without - 1) < most)) c->logarithmic[i] = false;
    }
  }
  return status;
}

sl_status sl__rays_draw(sl__rays *c) {
  const size_t dim = (size_t)c->dim;
  const sl__random_key key = {sl__robust_seed(c->run, SL__PART_PROPER), SL__STREAM_START, 0};
  for (int r = 0; r < SL__RAY_POINTS; r++)
    for (int32_t i = 0; i < c->dim; i++)
      c->q[r * c->dim + i] = radius * (2 * sl__random_uniform(key, (uint64_t)r, (uint32_t)i) - 1);
  sl__points points = points_of(c, SL__RAY_POINTS, c->q, c->value);
  points.gradient = c->gradient;
  SL__TRY(sl__density_run_asking(c->run->context, c->density, &points, may_go_on, c));
  for (int r = 0; r < SL__RAY_POINTS; r++) {
    bool good = isfinite(c->value[r]);
    for (int32_t i = 0; i < c->dim; i++) good = good && isfinite(c->gradient[r * c->dim + i]);
    if (!good) continue;
    memcpy(c->q + c->points * c->dim, c->q + r * c->dim, dim * sizeof *c->q);
    memcpy(c->gradient + c->points * c->dim, c->gradient + r * c->dim, dim * sizeof *c->gradient);
    c->points++;
  }
  return find_logarithmic(c);
}

static sl_status run_rays(sl__rays *c, int64_t rows) {
  const sl__points points = points_of(c, rows, c->ray, c->far);
  SL__TRY(sl__density_run_marking(c->run->context, c->density, &points, c->undefined));
  if (may_go_on(c)) return SL_OK;
  return sl__fail(c->run->context, SL_STOPPED, "stopped while looking for tails");
}

/* Very far out a value may be none for want of digits: a sine is not a number there. */
static bool has_digits(const sl__rays *c, int first, int k) {
  return k < SL__RAY_NEAR || !c->undefined[first + k];
}

/* The power of the distance that log p must fall by, forwards or backwards. */
static double least_power(const sl__rays *c, int side) {
  double sum = 0, size = 0;
  if (!c->curved) return 1;
  for (int32_t i = 0; i < c->dim; i++) {
    sum += c->scaled && c->logarithmic[i] ? 0 : c->way[i];
    size += fabs(c->way[i]);
  }
  return fabs(sum) < SL__LEAST_PARTNER * size ? 0 : side * sum;
}

/* One side, whose `count` distances begin at `first`. What is not finite shows nothing: a share
 * that is rounded to 1 may have an infinite density there, and only there. */
static bool falls(const sl__rays *c, int side, int first, int count) {
  const double power = least_power(c, side);
  if (power < 0) return true; /* it leads where there is no room */
  const double *far = c->far + first;
  for (int k = 1; k < count && has_digits(c, first, k); k++) {
    const double fall = power * log(distances[k] / distances[k - 1]);
    const double unknown = noise * fmax(fabs(far[k - 1]), fabs(far[k]));
    if (!(far[k - 1] - far[k] + unknown <= fall + rounding) || !isfinite(far[k])) return true;
  }
  return false;
}

static double place(const sl__rays *c, double from, int32_t i, int side, double distance) {
  if (c->scaled && c->logarithmic[i]) return from + side * c->way[i] * log(distance);
  return c->curved ? from * pow(distance, side * c->way[i]) : from + side * distance * c->way[i];
}

sl_status sl__rays_have_no_tail(sl__rays *c, int count, bool *out) {
  *out = c->points >= POINTS;
  for (int p = 0; p < POINTS && *out; p++) {
    for (int k = 0; k < 2 * count; k++)
      for (int32_t i = 0; i < c->dim; i++)
        c->ray[k * c->dim + i] =
            place(c, c->q[p * c->dim + i], i, k < count ? 1 : -1, distances[k % count]);
    SL__TRY(run_rays(c, 2 * count));
    *out = !falls(c, 1, 0, count) || !falls(c, -1, count, count);
  }
  return SL_OK;
}

sl_status sl__rays_open(sl__rays *c, sl__arena *arena) {
  const size_t dim = (size_t)c->dim, square = dim <= SL__MOST_RAY_DIM ? dim * dim : 1;
  c->q = sl__arena_take(arena, SL__RAY_POINTS * dim, sizeof *c->q);
  c->value = sl__arena_take(arena, SL__RAY_POINTS, sizeof *c->value);
  c->gradient = sl__arena_take(arena, SL__RAY_POINTS * dim, sizeof *c->gradient);
  c->plain = sl__arena_take(arena, SL__RAY_POINTS * dim, sizeof *c->plain);
  c->ray = sl__arena_take(arena, SL__RAYS * dim, sizeof *c->ray);
  c->far = sl__arena_take(arena, SL__RAYS, sizeof *c->far);
  c->undefined = sl__arena_take(arena, SL__RAYS, sizeof *c->undefined);
  c->way = sl__arena_take(arena, dim, sizeof *c->way);
  c->logarithmic = sl__arena_take(arena, dim, sizeof *c->logarithmic);
  c->moments = sl__arena_take(arena, square, sizeof *c->moments);
  c->own = sl__arena_take(arena, square, sizeof *c->own);
  if (!c->q || !c->value || !c->gradient || !c->plain || !c->logarithmic || !c->ray || !c->far ||
      !c->undefined || !c->way || !c->moments || !c->own)
    return SL_NO_MEMORY;
  return sl__density_new(c->run->context, c->run->target, 0, true, &c->density);
}
