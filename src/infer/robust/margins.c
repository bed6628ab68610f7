/* Splines that start as the exploration's margins. A margin with modes of its own has a gap where
 * the spline is a thousand times as steep as elsewhere, which steps of an optimiser take long to
 * find; quantiles tell it at once. Knots stand at equal steps of the normal score z and at the
 * draws' quantiles there; beyond the scores that many draws have, the spline goes on as steep as
 * it was. The slope at a knot is the geometric mean of its neighbours'. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "infer/robust/attempt.h"
#include "infer/vi/engine.h"

enum { BINS = SL__MARGIN_BINS, TAIL = 7 /* bins beyond the last score */ };
static const double last_score = 2.5, bound = SL__MARGIN_BOUND, least_share = SL__MARGIN_LEAST;

typedef struct knots {
  double x[BINS + 1], z[BINS + 1];
} knots;

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(int64_t rows, const double *sorted, double share) {
  const double at = share * (double)(rows - 1);
  const int64_t low = (int64_t)at;
  if (low + 1 >= rows) return sorted[rows - 1];
  return sorted[low] + (at - (double)low) * (sorted[low + 1] - sorted[low]);
}

/* The edge of the box is the last knot, at side * bound in both. The last bin leads there from
 * wherever the margin ends, and is the smaller the nearer the knot before it is to the edge. */
static void extend(knots *k, int last, int side) {
  const int inner = last - side;
  const double steep = (k->z[last] - k->z[inner]) / (k->x[last] - k->x[inner]);
  const double room = side * bound - k->x[last], rest = side * bound - k->z[last];
  for (int n = 1; n <= TAIL; n++) {
    const double left = 1 - (double)n / TAIL, share = 1 - left * left;
    const double wanted = share * rest / steep, most = room * (1 - 0.02 * (TAIL - n));
    k->z[last + side * n] = k->z[last] + share * rest;
    k->x[last + side * n] =
        k->x[last] + (fabs(wanted) < fabs(share * most) ? wanted : share * most);
  }
  k->x[last + side * TAIL] = side * bound;
}

/* sorted [rows], standardised. */
static void place(int64_t rows, const double *sorted, knots *k) {
  const int first = TAIL, last = BINS - TAIL;
  for (int b = first; b <= last; b++) {
    const double z = last_score * (2.0 * (b - first) / (last - first) - 1);
    const double x = quantile(rows, sorted, 0.5 * erfc(-z / sqrt(2.0)));
    k->z[b] = z;
    k->x[b] = fmin(fmax(x, -0.9 * bound), 0.9 * bound);
  }
  extend(k, last, 1);
  extend(k, first, -1);
}

/* Shares of the box, none below twice the least. */
static void take_shares(const double knot[BINS + 1], double share[BINS]) {
  const double least = 2 * least_share;
  double sum = 0;
  for (int b = 0; b < BINS; b++) {
    share[b] = fmax(least, (knot[b + 1] - knot[b]) / (2 * bound));
    sum += share[b] - least;
  }
  for (int b = 0; b < BINS; b++) share[b] = least + (share[b] - least) * (1 - least * BINS) / sum;
}

double sl__robust_raw_share(double share) {
  return log((share - least_share) / (1 - least_share * BINS));
}

/* The inverse of a softplus that is 1 at 0. */
double sl__robust_raw_slope(double slope) {
  const double shift = log(expm1(1 - least_share)), wanted = fmax(slope, 2 * least_share);
  return (wanted > 30 ? wanted : log(expm1(wanted - least_share))) - shift;
}

static void put(sl__model *model, int64_t offset, int32_t column, const knots *k) {
  const int32_t dim = model->dim;
  double width[BINS], height[BINS];
  take_shares(k->x, width);
  take_shares(k->z, height);
  for (int b = 0; b < BINS; b++) {
    const int64_t at = offset + (int64_t)b * dim + column, groups = (int64_t)BINS * dim;
    sl__vi_put(model->flow, model->vector, at, sl__robust_raw_share(width[b]));
    sl__vi_put(model->flow, model->vector, at + groups, sl__robust_raw_share(height[b]));
    if (b == 0) continue;
    const double before = height[b - 1] / width[b - 1], after = height[b] / width[b];
    sl__vi_put(model->flow, model->vector, at + 2 * groups - dim,
               sl__robust_raw_slope(sqrt(before * after)));
  }
}

int64_t sl__robust_margins_at(const sl__model *model) {
  const sl__chain *chain = &model->flow->chain;
  for (int l = 0; l < chain->count; l++)
    if (strcmp(chain->layers[l].text, SL__MARGINS) == 0)
      return model->flow->parameters[chain->layers[l].first_parameter].offset;
  return -1;
}

sl_status sl__robust_start_margins(const sl__robust *run, sl__model *model) {
  const sl__exploration *e = run->exploration;
  const int64_t rows = e->buffer.rows;
  const int64_t offset = sl__robust_margins_at(model);
  if (offset < 0) return SL_OK;
  double *sorted = sl__allocate(run->context, (size_t)rows, sizeof *sorted);
  if (!sorted) return SL_NO_MEMORY;
  for (int32_t i = 0; i < e->dim; i++) {
    knots k;
    for (int64_t r = 0; r < rows; r++)
      sorted[r] = (e->buffer.x[r * e->dim + i] - e->mean[i]) / e->sd[i];
    qsort(sorted, (size_t)rows, sizeof *sorted, ascending);
    place(rows, sorted, &k);
    put(model, offset, i, &k);
  }
  sl__free(&run->context->allocator, sorted);
  return SL_OK;
}
