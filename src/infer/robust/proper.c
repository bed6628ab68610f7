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
 * integral in two coordinates may fall in all others, and be flat only far out. The logarithm of a
 * scale goes alone as well: a line leads it where its exponential is no number any more. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "infer/robust/rays.h"
#include "kernels/eigen.h"

enum {
  MOST_PAIRED = 12, /* dimensions in which each pair is looked at */
  MOST_NAMES = 320
};
/* Of a curve's largest: on smaller powers all these distances are no way. */
static const double least_way = 0.1;

static sl_status check_coordinates(sl__rays *c) {
  bool endless = false;
  for (int32_t i = 0; i < c->dim; i++) {
    memset(c->way, 0, (size_t)c->dim * sizeof *c->way);
    c->way[i] = 1;
    SL__TRY(sl__rays_have_no_tail(c, SL__RAY_DISTANCES, &endless));
    if (endless)
      return sl__fail(c->run->context, SL_BAD_ARGUMENT,
                      "the density has no finite integral: however far %.100s goes, it does not "
                      "fall fast enough (looked at from %g to %g); give %.100s a prior, or leave "
                      "it out",
                      c->run->target->names[i], sl__rays_distance(0),
                      sl__rays_distance(SL__RAY_DISTANCES - 1), c->run->target->names[i]);
  }
  return SL_OK;
}

/* The one in which gradients change least, of length 1; of a curve, in the logarithms of the
 * coordinates, its largest power 1: all go far that go anywhere. */
static void find_flattest(sl__rays *c) {
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
static void find_partners(const sl__rays *c, int32_t *first, int32_t *second) {
  *first = 0;
  for (int32_t i = 1; i < c->dim; i++)
    if (fabs(c->way[i]) > fabs(c->way[*first])) *first = i;
  *second = *first == 0;
  for (int32_t i = 0; i < c->dim; i++)
    if (i != *first && fabs(c->way[i]) > fabs(c->way[*second])) *second = i;
}

static sl_status check_flattest(sl__rays *c) {
  bool endless = false;
  int32_t first, second;
  if (c->dim < 2 || c->dim > SL__MOST_RAY_DIM || c->points < c->dim) return SL_OK;
  find_flattest(c);
  find_partners(c, &first, &second);
  if (fabs(c->way[second]) < SL__LEAST_PARTNER)
    return SL_OK; /* a coordinate's, looked at already */
  SL__TRY(sl__rays_have_no_tail(c, SL__RAY_NEAR, &endless));
  if (!endless) return SL_OK;
  return sl__fail(c->run->context, SL_BAD_ARGUMENT,
                  "the density has no finite integral: it does not fall where %.100s and %.100s "
                  "change %s %.2g and %.2g (looked at from %g to %g); give one of them a prior, or "
                  "leave it out",
                  c->run->target->names[first], c->run->target->names[second],
                  c->curved ? "by factors, as where only their product or ratio enters: powers"
                            : "together, in steps of",
                  c->way[first], c->way[second], sl__rays_distance(0),
                  sl__rays_distance(SL__RAY_NEAR - 1));
}

/* The first few of those that move: "a, b and 4 more". */
static int name_moving(const sl__rays *c, char text[MOST_NAMES]) {
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
static sl_status check_outwards(sl__rays *c) {
  bool endless = false;
  char names[MOST_NAMES];
  SL__TRY(sl__rays_have_no_tail(c, SL__RAY_DISTANCES, &endless));
  if (!endless) return SL_OK;
  const int moving = name_moving(c, names);
  return sl__fail(c->run->context, SL_BAD_ARGUMENT,
                  "the density has no finite integral: where %s go far together, it falls no "
                  "faster than 1 / distance^%d (looked at from %g to %g); give them priors with "
                  "lighter tails",
                  names, moving, sl__rays_distance(0), sl__rays_distance(SL__RAY_DISTANCES - 1));
}

static sl_status check_inversely(sl__rays *c, int32_t first, int32_t second) {
  bool endless = false;
  SL__TRY(sl__rays_have_no_tail(c, SL__RAY_DISTANCES, &endless));
  if (!endless) return SL_OK;
  return sl__fail(c->run->context, SL_BAD_ARGUMENT,
                  "the density has no finite integral: it does not fall where one of %.100s and "
                  "%.100s grows as the other shrinks, by powers 1 and -1 (looked at from %g to "
                  "%g); give both a prior, or leave one out",
                  c->run->target->names[first], c->run->target->names[second], sl__rays_distance(0),
                  sl__rays_distance(SL__RAY_DISTANCES - 1));
}

static sl_status check_pairs(sl__rays *c) {
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

static sl_status check_scales(sl__rays *c) {
  bool endless = false;
  for (int32_t i = 0; i < c->dim; i++) {
    const char *name = c->run->target->names[i];
    memset(c->way, 0, (size_t)c->dim * sizeof *c->way);
    c->way[i] = 1;
    if (c->logarithmic[i]) SL__TRY(sl__rays_have_no_tail(c, SL__RAY_DISTANCES, &endless));
    if (endless)
      return sl__fail(
          c->run->context, SL_BAD_ARGUMENT,
          "the density has no finite integral: where %.100s goes far from its bound, or "
          "near it, it does not fall fast enough (looked at from %g times to %g times); "
          "give %.100s a proper prior, or more data",
          name, sl__rays_distance(0), sl__rays_distance(SL__RAY_DISTANCES - 1), name);
  }
  return SL_OK;
}

static sl_status check_curves(sl__rays *c) {
  c->curved = true;
  if (c->dim > 1) SL__TRY(check_flattest(c)); /* by powers of logarithms as well */
  c->scaled = true;
  SL__TRY(check_scales(c));
  if (c->dim < 2) return SL_OK;
  for (int32_t i = 0; i < c->dim; i++) c->way[i] = 1;
  SL__TRY(check_outwards(c));
  return check_pairs(c);
}

sl_status sl__robust_check_proper(sl__robust *run) {
  sl__rays c = {.run = run, .dim = run->target->dim};
  sl__arena arena;
  sl__arena_open(&arena, run->context);
  sl_status status = sl__rays_open(&c, &arena);
  if (status == SL_OK) status = sl__rays_draw(&c);
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
