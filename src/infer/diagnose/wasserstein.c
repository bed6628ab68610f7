/* The 1-Wasserstein distance between two samples of one quantity: the area between their empirical
 * distribution functions. The floor is what it would be, on average, between independent samples of
 * one distribution F: the difference of the two empirical functions at x is then close to normal
 * with variance F (1 - F) (1/n + 1/m), whose mean absolute value is sqrt(2 / pi) standard
 * deviations (del Barrio, Gine and Matran 1999, Annals of Probability 27), and F is taken from
 * both samples together. */
#include <math.h>
#include <stdlib.h>

#include "infer/diagnose/series.h"

typedef struct point {
  double value;
  bool of_b;
} point;

static int ascending(const void *a, const void *b) {
  const double x = ((const point *)a)->value, y = ((const point *)b)->value;
  return (x > y) - (x < y);
}

static bool load(const sl__series *series, bool of_b, point *points) {
  bool finite = true;
  for (int64_t chain = 0; chain < series->chains; chain++)
    for (int64_t draw = 0; draw < series->draws; draw++) {
      const double value =
          series->values[chain * series->chain_stride + draw * series->draw_stride];
      points[chain * series->draws + draw] = (point){value, of_b};
      finite &= isfinite(value) != 0;
    }
  return finite;
}

/* Distances are in standard deviations, so a power of two may come out of all values. */
static void scale(point *points, int64_t count) {
  double largest = 0;
  for (int64_t i = 0; i < count; i++) largest = fmax(largest, fabs(points[i].value));
  const int exponent = sl__scale_exponent(largest);
  for (int64_t i = 0; i < count && exponent != 0; i++)
    points[i].value = ldexp(points[i].value, -exponent);
}

/* Mean of the two samples' variances about their own means: their distance does not shrink the
 * unit that it is measured in. */
static double pooled_sd(const point *points, int64_t count, const double size[2]) {
  /* From one of the values, so that what never moves has a variance of exactly 0. */
  double origin[2] = {0, 0}, mean[2] = {0, 0}, squares[2] = {0, 0};
  for (int64_t i = 0; i < count; i++) origin[points[i].of_b] = points[i].value;
  for (int64_t i = 0; i < count; i++)
    mean[points[i].of_b] += (points[i].value - origin[points[i].of_b]) / size[points[i].of_b];
  for (int64_t i = 0; i < count; i++) {
    const double deviation = points[i].value - origin[points[i].of_b] - mean[points[i].of_b];
    squares[points[i].of_b] += deviation * deviation;
  }
  return sqrt(0.5 * (squares[0] / (size[0] - 1) + squares[1] / (size[1] - 1)));
}

sl_status sl__wasserstein_distance(sl_context *context, const sl__series *a, const sl__series *b,
                                   double effective_a, double effective_b, sl__wasserstein *out) {
  *out = (sl__wasserstein){NAN, NAN};
  const int64_t of_a = a->chains * a->draws, count = of_a + b->chains * b->draws;
  point *points = sl__allocate(context, (size_t)count, sizeof *points);
  if (!points) return SL_NO_MEMORY;
  const bool finite_a = load(a, false, points), finite_b = load(b, true, points + of_a);
  const double size[2] = {(double)of_a, (double)(count - of_a)};
  if (finite_a && finite_b && of_a > 1 && count - of_a > 1) {
    scale(points, count);
    const double sd = pooled_sd(points, count, size);
    qsort(points, (size_t)count, sizeof *points, ascending);
    double seen[2] = {0, 0}, area = 0, noise = 0;
    for (int64_t i = 0; i + 1 < count; i++) {
      const double width = points[i + 1].value - points[i].value;
      seen[points[i].of_b] += 1;
      const double below = (double)(i + 1) / (double)count;
      area += width * fabs(seen[0] / size[0] - seen[1] / size[1]);
      noise += width * sqrt(below * (1 - below));
    }
    if (sd > 0) {
      const double two_over_pi = 0.636619772367581343;
      out->distance = area / sd;
      out->floor = noise / sd * sqrt(two_over_pi * (1 / effective_a + 1 / effective_b));
    }
  }
  sl__free(&context->allocator, points);
  return SL_OK;
}
