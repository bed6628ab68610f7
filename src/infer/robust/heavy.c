/* Heavy tails, in one dimension. Where the chance of more than |x| falls as |x|^(-1/k), there is no
 * mean from k = 1 on and no sd from 1/2 on; from 1/4 on the error of a sample's sd has no variance,
 * and draws do not know it. k is fitted to the largest distances from the median, as to weights. A
 * flow for such draws has a base with tails of its own, starts from their median and quartiles, and
 * is judged by these. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "infer/diagnose/diagnose.h"
#include "infer/robust/attempt.h"

static const double heavy_index = 0.25;
/* From a quarter to three quarters of a normal density, in sd. */
static const double normal_quartiles = 1.3489795003921634;

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Of the one coordinate; NULL: no memory. */
static double *sort_draws(sl_context *context, const sl__draws *draws) {
  double *sorted = sl__allocate(context, (size_t)draws->rows, sizeof *sorted);
  if (!sorted) return NULL;
  memcpy(sorted, draws->x, (size_t)draws->rows * sizeof *sorted);
  qsort(sorted, (size_t)draws->rows, sizeof *sorted, ascending);
  return sorted;
}

sl_status sl__robust_measure_quartiles(sl_context *context, const sl__exploration *e,
                                       double *centre, double *spread) {
  const int64_t rows = e->buffer.rows;
  double *sorted = sort_draws(context, &e->buffer);
  if (!sorted) return SL_NO_MEMORY;
  *centre = sorted[rows / 2];
  *spread = (sorted[rows - 1 - rows / 4] - sorted[rows / 4]) / normal_quartiles;
  if (!(*spread > 0)) *spread = e->sd[0];
  sl__free(&context->allocator, sorted);
  return SL_OK;
}

/* Of a draw: its place first, which is what is sorted by. */
typedef struct weighed {
  double x, share;
} weighed;

static double weighed_quantile(int64_t rows, const weighed *sorted, double below) {
  double sum = 0;
  for (int64_t r = 0; r < rows; r++)
    if ((sum += sorted[r].share) >= below) return sorted[r].x;
  return sorted[rows - 1].x;
}

static sl_status measure_weighed(sl_context *context, int64_t rows, const double *x,
                                 const double *shares, double *centre, double *spread) {
  weighed *sorted = sl__allocate(context, (size_t)rows, sizeof *sorted);
  if (!sorted) return SL_NO_MEMORY;
  for (int64_t r = 0; r < rows; r++)
    sorted[r] = (weighed){x[r], shares ? shares[r] : 1 / (double)rows};
  qsort(sorted, (size_t)rows, sizeof *sorted, ascending);
  *centre = weighed_quantile(rows, sorted, 0.5);
  *spread = (weighed_quantile(rows, sorted, 0.75) - weighed_quantile(rows, sorted, 0.25)) /
            normal_quartiles;
  sl__free(&context->allocator, sorted);
  return SL_OK;
}

sl_status sl__robust_compare_quartiles(sl_context *context, const sl__draws *own,
                                       const sl__draws *known, const double *shares,
                                       double *mean_gap, double *sd_gap) {
  double centre, spread, known_centre, known_spread;
  SL__TRY(measure_weighed(context, own->rows, own->x, NULL, &centre, &spread));
  SL__TRY(measure_weighed(context, known->rows, known->x, shares, &known_centre, &known_spread));
  *mean_gap = fabs(centre - known_centre) / known_spread;
  *sd_gap = fabs(log(spread / known_spread));
  return SL_OK;
}

sl_status sl__robust_has_heavy_tails(sl_context *context, const sl__draws *draws, bool *out) {
  sl__psis tail = {.khat = 0};
  *out = false;
  double *distances = sort_draws(context, draws);
  if (!distances) return SL_NO_MEMORY;
  const double median = distances[draws->rows / 2];
  for (int64_t r = 0; r < draws->rows; r++) distances[r] = log(fabs(distances[r] - median));
  const sl_status status = sl__psis_smooth(context, draws->rows, distances, 1, NULL, &tail);
  sl__free(&context->allocator, distances);
  if (status != SL_OK && status != SL_NUMERIC) return status;
  *out = status == SL_OK && isfinite(tail.khat) && tail.khat > heavy_index;
  return SL_OK; /* draws that are all one have no tail */
}

sl_status sl__robust_find_heavy(sl__robust *run) {
  run->heavy = false;
  if (run->exploration->dim != 1) return SL_OK;
  return sl__robust_has_heavy_tails(run->context, &run->exploration->buffer, &run->heavy);
}
