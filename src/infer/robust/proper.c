/* Densities without a finite integral, found before anything is spent on them. A density whose
 * integral along a line is infinite, for lines that many points lie on, has no finite integral
 * itself (Fubini). So rays go out from random points: along each coordinate, and along the direction
 * in which the gradients say that the density hardly changes, as where only a sum of coordinates
 * enters it. Where log p falls by less than log t does, as of 1/t, from each distance to the next,
 * there is no tail to integrate. */
#include <math.h>
#include <string.h>
#include "infer/robust/attempt.h"
#include "kernels/eigen.h"

enum {
  TRIED = 64, /* random points */
  POINTS = 3, /* of them, that all must say the same */
  DISTANCES = 3,
  RAYS = 2 * DISTANCES, /* both ways */
  MOST_DIM = 64         /* for directions that are not a coordinate's */
};
static const double distances[DISTANCES] = {1e6, 1e10, 1e14}, radius = 2;
/* Of what rounding takes from the fall of 1/t. */
static const double rounding = 1e-6;

typedef struct checker {
  sl__robust *run;
  sl__density *density;
  int32_t dim;
  int points;            /* that have a density */
  double *q;             /* [TRIED][dim]; the first `points` have one */
  double *value;         /* [TRIED] */
  double *gradient;      /* [TRIED][dim] */
  double *ray, *far;     /* [RAYS][dim], [RAYS] */
  double *way;           /* [dim]: a direction */
  double *moments, *own; /* [dim][dim]: of the gradients, their eigenvectors */
} checker;

static sl_status run_rows(checker *c, int64_t rows, const double *q, double *value,
                          double *gradient) {
  const sl__points points = {.rows = rows,
                             .q = q,
                             .value = value,
                             .gradient = gradient,
                             .row_stride = c->dim,
                             .column_stride = 1};
  return sl__density_run(c->run->context, c->density, &points);
}

static sl_status draw_points(checker *c) {
  const size_t dim = (size_t)c->dim;
  const sl__random_key key = {sl__robust_seed(c->run, SL__PART_PROPER), SL__STREAM_START, 0};
  for (int r = 0; r < TRIED; r++)
    for (int32_t i = 0; i < c->dim; i++)
      c->q[r * c->dim + i] = radius * (2 * sl__random_uniform(key, (uint64_t)r, (uint32_t)i) - 1);
  SL__TRY(run_rows(c, TRIED, c->q, c->value, c->gradient));
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

/* far [DISTANCES], one way. What is not finite shows nothing: a share that is rounded to 1 may have an
 * infinite density there, and only there. */
static bool falls(const double *far) {
  for (int k = 1; k < DISTANCES; k++) {
    const double fall = log(distances[k] / distances[k - 1]);
    if (!(far[k - 1] - far[k] <= fall + rounding) || !isfinite(far[k])) return true;
  }
  return false;
}

/* Whether the density has no tail along c->way, at any of the points. */
static sl_status has_no_tail(checker *c, bool *out) {
  *out = c->points >= POINTS;
  for (int p = 0; p < POINTS && *out; p++) {
    for (int k = 0; k < RAYS; k++)
      for (int32_t i = 0; i < c->dim; i++)
        c->ray[k * c->dim + i] =
            c->q[p * c->dim + i] + (k < DISTANCES ? 1 : -1) * distances[k % DISTANCES] * c->way[i];
    SL__TRY(run_rows(c, RAYS, c->ray, c->far, NULL));
    *out = !falls(c->far) || !falls(c->far + DISTANCES);
  }
  return SL_OK;
}

static sl_status check_coordinates(checker *c) {
  bool endless = false;
  for (int32_t i = 0; i < c->dim; i++) {
    memset(c->way, 0, (size_t)c->dim * sizeof *c->way);
    c->way[i] = 1;
    SL__TRY(has_no_tail(c, &endless));
    if (endless)
      return sl__fail(c->run->context, SL_BAD_ARGUMENT,
                      "the density has no finite integral: however far %.100s goes, it does not "
                      "fall fast enough; give %.100s a prior, or leave it out",
                      c->run->target->names[i], c->run->target->names[i]);
  }
  return SL_OK;
}

/* The one in which gradients change least; of length 1. */
static void find_flattest(checker *c) {
  const int32_t dim = c->dim;
  memset(c->moments, 0, (size_t)(dim * dim) * sizeof *c->moments);
  for (int p = 0; p < c->points; p++) {
    const double *slope = c->gradient + p * dim;
    for (int32_t i = 0; i < dim; i++)
      for (int32_t j = 0; j <= i; j++) c->moments[i * dim + j] += slope[i] * slope[j];
  }
  sl__symmetric_eigen(dim, c->moments, c->value, c->own);
  for (int32_t i = 0; i < dim; i++) c->way[i] = c->own[i * dim];
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
  SL__TRY(has_no_tail(c, &endless));
  if (!endless) return SL_OK;
  find_partners(c, &first, &second);
  return sl__fail(c->run->context, SL_BAD_ARGUMENT,
                  "the density has no finite integral: it does not fall where %.100s and %.100s "
                  "change together (%.2g to %.2g); give one of them a prior, or leave it out",
                  c->run->target->names[first], c->run->target->names[second], c->way[first],
                  c->way[second]);
}

static sl_status open_checker(checker *c, sl__arena *arena) {
  const size_t dim = (size_t)c->dim, square = dim <= MOST_DIM ? dim * dim : 1;
  c->q = sl__arena_take(arena, TRIED * dim, sizeof *c->q);
  c->value = sl__arena_take(arena, TRIED, sizeof *c->value); /* eigenvalues too */
  c->gradient = sl__arena_take(arena, TRIED * dim, sizeof *c->gradient);
  c->ray = sl__arena_take(arena, RAYS * dim, sizeof *c->ray);
  c->far = sl__arena_take(arena, RAYS, sizeof *c->far);
  c->way = sl__arena_take(arena, dim, sizeof *c->way);
  c->moments = sl__arena_take(arena, square, sizeof *c->moments);
  c->own = sl__arena_take(arena, square, sizeof *c->own);
  if (!c->q || !c->value || !c->gradient || !c->ray || !c->far || !c->way || !c->moments || !c->own)
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
  if (c.density) {
    run->report->gradient_evaluations += sl__density_gradients(c.density);
    run->report->evaluations += sl__density_values(c.density);
  }
  sl__density_free(c.density);
  sl__arena_close(&arena);
  return status;
}
