/* Levels of highest density: the smallest region that holds a share of the mass is where the density
 * is above a level (Hyndman 1996, The American Statistician 50, 120). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "plot/numbers.h"

static int descending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x < y) - (x > y);
}

sl_status sl__mass_levels(sl_context *context, int64_t nodes, const double *density, int count,
                          const double *shares, double *levels) {
  double *sorted = sl__allocate(context, (size_t)nodes, sizeof *sorted), total = 0;
  if (!sorted) return SL_NO_MEMORY;
  memcpy(sorted, density, (size_t)nodes * sizeof *sorted);
  qsort(sorted, (size_t)nodes, sizeof *sorted, descending);
  for (int64_t i = 0; i < nodes; i++) total += sorted[i];
  for (int k = 0; k < count; k++) {
    double sum = 0;
    int64_t i = 0;
    while (i + 1 < nodes && sum + sorted[i] < shares[k] * total) sum += sorted[i++];
    levels[k] = sorted[i];
  }
  sl__free(&context->allocator, sorted);
  return SL_OK;
}
