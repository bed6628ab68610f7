/* Histograms. */
#include <math.h>
#include "plot/numbers.h"

void sl__histogram(const sl__numbers *x, sl__range range, int bins, double *density) {
  const double width = (range.high - range.low) / bins;
  const double each = 1 / (width * (double)x->count);
  for (int b = 0; b < bins; b++) density[b] = 0;
  for (int64_t r = 0; r < x->count; r++) {
    const double at = (x->values[r * x->stride] - range.low) / width;
    if (!(at >= 0 && at <= bins)) continue;
    const int bin = (int)at;
    density[bin < bins ? bin : bins - 1] += each;
  }
}

int sl__bins_for(int64_t count) {
  const double wanted = 2 * cbrt((double)count); /* Rice's rule */
  return wanted < 8 ? 8 : wanted > 60 ? 60 : (int)wanted;
}
