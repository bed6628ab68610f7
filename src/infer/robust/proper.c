/* Densities without a finite integral, found before anything is spent on them. A density whose
 * integral along a line is infinite, for lines that many points lie on, has no finite integral
 * itself (Fubini). So rays go out from random points: along each coordinate, and along the direction
 * in which the gradients say that the density hardly changes, as where only a sum of coordinates
 * enters it. Where log p falls by less than log t does, as of 1/t, from each distance to the next,
 * there is no tail to integrate. The farthest distances are beyond any unit of measure: a density
 * that is flat up to there has an integral that no number holds.
 *
 * Lines are not all: every line through log p = -(x y)^2 has a finite integral, and so has every one
 * through a density that falls as r^-2 in the plane. So points also go along curves x_i t^w_i. With
 * t for a coordinate the volume has the factor t^(sum w - 1), so that log p must fall by more than
 * (sum w) log t: with w = 1, which leads away from 0, and with the w along which the gradients say
 * that the density hardly changes, as where only a product of coordinates enters it. In few
 * dimensions each pair of coordinates goes so too, by powers 1 and 1, and 1 and -1: what has no
 * integral in two coordinates may fall in all others, and be flat only far out. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "infer/robust/attempt.h"
#include "kernels/eigen.h"

enum {
  TRIED = 64, /* random points */
  POINTS = 3, /* of them, that all must say the same */
  DISTANCES = 6,
  NEAR = 3,             /* of these, where a direction is known well enough not to leave a ridge */
  RAYS = 2 * DISTANCES, /* both ways */
  MOST_DIM = 64,        /* for directions that are not a coordinate's */
  MOST_PAIRED = 12,     /* dimensions in which each pair is looked at */
  MOST_NAMES = 320
};
static const double distances[DISTANCES] = {1e6, 1e10, 1e14, 1e30, 1e60, 1e100}, radius = 2;
/* Of a direction of length 1 that is not a coordinate's. */
static const double least_partner = 1e-9;
/* The share of a run's time that looking for this may take. */
static const double most_time = 0.25;
/* Of what rounding takes from the fall of 1/t. */
static const double rounding = 1e-6;
/* Relative, of a value that is summed up from many: a large one hides how a small part falls. */
static const double noise = 1e-13;
/* Of a curve's largest: on smaller powers all these distances are no way. */
static const double least_way = 0.1;

typedef struct checker {
  sl__robust *run;
  sl__density *density;
  int32_t dim;
  int points;        /* that have a density */
  double *q;         /* [TRIED][dim]; the first `points` have one */
  double *value;     /* [TRIED] */
  double *gradient;  /* [TRIED][dim] */
  double *ray, *far; /* [RAYS][dim], [RAYS] */
  bool *undefined;   /* [RAYS] */
  double *way;       /* [dim]: a direction, or the powers w of a curve */
  bool curved;
  double *moments, *own; /* [dim][dim]: of the gradients, their eigenvectors */
} checker;

static bool has_time(const sl__robust *run) {
  const double most = run->options->max_seconds;
  return !(most > 0) || sl__robust_seconds_left(run) > (1 - most_time) * most;
}

static bool may_go_on(void *user) {
  checker *c = user;
  if (!sl__robust_tell(c->run, SL__ROBUST_EXPLORE, 0, 0, (double)NAN)) return false;
  return has_time(c->run);
}

static sl__points points_of(const checker *c, int64_t rows, const double *q, double *value) {
  return (sl__points){
      .rows = rows, .q = q, .value = value, .row_stride = c->dim, .column_stride = 1};
}

static sl_status draw_points(checker *c) {
  const size_t dim = (size_t)c->dim;
  const sl__random_key key = {sl__robust_seed(c->run, SL__PART_PROPER), SL__STREAM_START, 0};
  for (int r = 0; r < TRIED; r++)
    for (int32_t i = 0; i < c->dim; i++)
      c->q[r * c->dim + i] = radius * (2 * sl__random_uniform(key, (uint64_t)r, (uint32_t)i) - 1);
  sl__points points = points_of(c, TRIED, c->q, c->value);
  points.gradient = c->gradient;
  SL__TRY(sl__density_run_asking(c->run->context, c->density, &points, may_go_on, c));
  for (int r = 0; r < TRIED; r++) {
    bool good = isfinite(c->value[r]);
    for (int32_t i = 0; i < c->dim; i++) good = good && isfinite(c->gradient[r * c->dim + i]);
    if (!good) continue;
    memcpy(c->q + c->points * c->dim, c->q + r * c->dim, dim * sizeof *c->q);
    memcpy(c->gradient + c->points * c->dim, c->gradient + r * c->dim, dim * sizeof *c->gradient);
    c->points++;
  }
  return SL_OK;
}

static sl_status run_rays(checker *c, int64_t rows) {
  const sl__points points = points_of(c, rows, c->ray, c->far);
  SL__TRY(sl__density_run_marking(c->run->context, c->density, &points, c->undefined));
  if (may_go_on(c)) return SL_OK;
  return sl__fail(c->run->context, SL_STOPPED, "stopped while looking for tails");
}

/* Very far out a value may be none for want of digits: a sine is not a number there. */
static bool has_digits(const checker *c, int first, int k) {
  return k < NEAR || !c->undefined[first + k];
}

/* The power of the distance that log p must fall by, forwards or backwards. */
static double least_power(const checker *c, int side) {
  double sum = 0, size = 0;
  if (!c->curved) return 1;
  for (int32_t i = 0; i < c->dim; i++) {
    sum += c->way[i];
    size += fabs(c->way[i]);
  }
  return fabs(sum) < least_partner * size ? 0 : side * sum;
}

/* One side, whose `count` distances begin at `first`. What is not finite shows nothing: a share that
 * is rounded to 1 may have an infinite density there, and only there. */
static bool falls(const checker *c, int side, int first, int count) {
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

static double place(const checker *c, double from, int32_t i, int side, double distance) {
  return c->curved ? from * pow(distance, side * c->way[i]) : from + side * distance * c->way[i];
}

/* Whether the density has no tail along c->way, at any of the points, in the first `count` of the
 * distances. */
static sl_status has_no_tail(checker *c, int count, bool *out) {
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

static sl_status check_coordinates(checker *c) {
  bool endless = false;
  for (int32_t i = 0; i < c->dim; i++) {
    memset(c->way, 0, (size_t)c->dim * sizeof *c->way);
    c->way[i] = 1;
    SL__TRY(has_no_tail(c, DISTANCES, &endless));
    if (endless)
      return sl__fail(c->run->context, SL_BAD_ARGUMENT,
                      "the density has no finite integral: however far %.100s goes, it does not "
                      "fall fast enough (looked at from %g to %g); give %.100s a prior, or leave "
                      "it out",
                      c->run->target->names[i], distances[0], distances[DISTANCES - 1],
                      c->run->target->names[i]);
  }
  return SL_OK;
}

/* The one in which gradients change least, of length 1; of a curve, in the logarithms of the
 * coordinates, its largest power 1: all go far that go anywhere. */
static void find_flattest(checker *c) {
  const int32_t dim = c->dim;
  memset(c->moments, 0, (size_t)(dim * dim) * sizeof *c->moments);
  for (int p = 0; p < c->points; p++) {
    const double *q = c->q + p * dim, *slope = c->gradient + p * dim;
    for (int32_t i = 0; i < dim; i++)
      for (int32_t j = 0; j <= i; j++)
        c->moments[i * dim + j] += slope[i] * slope[j] * (c->curved ? q[i] * q[j] : 1);
  }
  sl__symmetric_eigen(dim, c->moments, c->value, c->own);
  double most = 0;
  for (int32_t i = 0; i < dim; i++) most = fmax(most, fabs(c->own[i * dim]));
  for (int32_t i = 0; i < dim; i++) {
    c->way[i] = c->own[i * dim] / (c->curved ? most : 1);
    if (c->curved && fabs(c->way[i]) < least_way) c->way[i] = 0;
  }
}

/* The two coordinates that change most in c->way. */
static void find_partners(const checker *c, int32_t *first, int32_t *second) {
  *first = 0;
  for (int32_t i = 1; i < c->dim; i++)
    if (fabs(c->way[i]) > fabs(c->way[*first])) *first = i;
  *second = *first == 0;
  for (int32_t i = 0; i < c->dim; i++)
    if (i != *first && fabs(c->way[i]) > fabs(c->way[*second])) *second = i;
}

static sl_status check_flattest(checker *c) {
  bool endless = false;
  int32_t first, second;
  if (c->dim < 2 || c->dim > MOST_DIM || c->points < c->dim) return SL_OK;
  find_flattest(c);
  find_partners(c, &first, &second);
  if (fabs(c->way[second]) < least_partner) return SL_OK; /* a coordinate's, looked at already */
  SL__TRY(has_no_tail(c, NEAR, &endless));
  if (!endless) return SL_OK;
  return sl__fail(c->run->context, SL_BAD_ARGUMENT,
                  "the density has no finite integral: it does not fall where %.100s and %.100s "
                  "change %s %.2g and %.2g (looked at from %g to %g); give one of them a prior, or "
                  "leave it out",
                  c->run->target->names[first], c->run->target->names[second],
                  c->curved ? "by factors, as where only their product or ratio enters: powers"
                            : "together, in steps of",
                  c->way[first], c->way[second], distances[0], distances[NEAR - 1]);
}

/* The first few of those that move: "a, b and 4 more". */
static int name_moving(const checker *c, char text[MOST_NAMES]) {
  enum { NAMED = 3 };
  int moving = 0, named = 0;
  size_t used = 0;
  for (int32_t i = 0; i < c->dim; i++) moving += c->way[i] != 0;
  for (int32_t i = 0; i < c->dim && named < NAMED; i++) {
    if (c->way[i] == 0) continue;
    const char *before = named == 0 ? "" : named + 1 == moving ? " and " : ", ";
    used += (size_t)snprintf(text + used, MOST_NAMES - used, "%s%.80s", before,
                             c->run->target->names[i]);
    named++;
  }
  if (moving > named) snprintf(text + used, MOST_NAMES - used, " and %d more", moving - named);
  return moving;
}

/* Away from 0, in all coordinates at once that c->way has. */
static sl_status check_outwards(checker *c) {
  bool endless = false;
  char names[MOST_NAMES];
  SL__TRY(has_no_tail(c, DISTANCES, &endless));
  if (!endless) return SL_OK;
  const int moving = name_moving(c, names);
  return sl__fail(c->run->context, SL_BAD_ARGUMENT,
                  "the density has no finite integral: where %s go far together, it falls no "
                  "faster than 1 / distance^%d (looked at from %g to %g); give them priors with "
                  "lighter tails",
                  names, moving, distances[0], distances[DISTANCES - 1]);
}

static sl_status check_inversely(checker *c, int32_t first, int32_t second) {
  bool endless = false;
  SL__TRY(has_no_tail(c, DISTANCES, &endless));
  if (!endless) return SL_OK;
  return sl__fail(c->run->context, SL_BAD_ARGUMENT,
                  "the density has no finite integral: it does not fall where one of %.100s and "
                  "%.100s grows as the other shrinks, by powers 1 and -1 (looked at from %g to "
                  "%g); give both a prior, or leave one out",
                  c->run->target->names[first], c->run->target->names[second], distances[0],
                  distances[DISTANCES - 1]);
}

static sl_status check_pairs(checker *c) {
  if (c->dim > MOST_PAIRED) return SL_OK;
  for (int32_t i = 1; i < c->dim; i++)
    for (int32_t j = 0; j < i; j++) {
      memset(c->way, 0, (size_t)c->dim * sizeof *c->way);
      c->way[i] = c->way[j] = 1;
      if (c->dim > 2) SL__TRY(check_outwards(c)); /* two are all */
      c->way[i] = -1;
      SL__TRY(check_inversely(c, j, i));
    }
  return SL_OK;
}

static sl_status check_curves(checker *c) {
  c->curved = true;
  if (c->dim < 2) return SL_OK;
  for (int32_t i = 0; i < c->dim; i++) c->way[i] = 1;
  SL__TRY(check_outwards(c));
  SL__TRY(check_flattest(c));
  return check_pairs(c);
}

static sl_status open_checker(checker *c, sl__arena *arena) {
  const size_t dim = (size_t)c->dim, square = dim <= MOST_DIM ? dim * dim : 1;
  c->q = sl__arena_take(arena, TRIED * dim, sizeof *c->q);
  c->value = sl__arena_take(arena, TRIED, sizeof *c->value); /* eigenvalues too */
  c->gradient = sl__arena_take(arena, TRIED * dim, sizeof *c->gradient);
  c->ray = sl__arena_take(arena, RAYS * dim, sizeof *c->ray);
  c->far = sl__arena_take(arena, RAYS, sizeof *c->far);
  c->undefined = sl__arena_take(arena, RAYS, sizeof *c->undefined);
  c->way = sl__arena_take(arena, dim, sizeof *c->way);
  c->moments = sl__arena_take(arena, square, sizeof *c->moments);
  c->own = sl__arena_take(arena, square, sizeof *c->own);
  if (!c->q || !c->value || !c->gradient || !c->ray || !c->far || !c->undefined || !c->way ||
      !c->moments || !c->own)
    return SL_NO_MEMORY;
  return sl__density_new(c->run->context, c->run->target, 0, true, &c->density);
}

sl_status sl__robust_check_proper(sl__robust *run) {
  checker c = {.run = run, .dim = run->target->dim};
  sl__arena arena;
  sl__arena_open(&arena, run->context);
  sl_status status = open_checker(&c, &arena);
  if (status == SL_OK) status = draw_points(&c);
  if (status == SL_OK) status = check_coordinates(&c);
  if (status == SL_OK) status = check_flattest(&c);
  if (status == SL_OK) status = check_curves(&c);
  /* what could not be looked at in time is not refused */
  if (status == SL_STOPPED)
    status = run->stopped ? sl__fail(run->context, SL_STOPPED, "stopped before exploring") : SL_OK;
  if (c.density) {
    run->report->gradient_evaluations += sl__density_gradients(c.density);
    run->report->evaluations += sl__density_values(c.density);
  }
  sl__density_free(c.density);
  sl__arena_close(&arena);
  return status;
}
