/* What an axis spans, and where its marks stand. */
#include <math.h>
#include <stdlib.h>
#include "plot/numbers.h"

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

sl_status sl__quantiles(sl_context *context, const sl__numbers *x, int wanted,
                        const double *probabilities, double *out) {
  double *sorted = sl__allocate(context, (size_t)x->count, sizeof *sorted);
  if (!sorted) return SL_NO_MEMORY;
  int64_t count = 0;
  for (int64_t r = 0; r < x->count; r++)
    if (isfinite(x->values[r * x->stride])) sorted[count++] = x->values[r * x->stride];
  qsort(sorted, (size_t)count, sizeof *sorted, ascending);
  for (int k = 0; k < wanted; k++) {
    const double at = probabilities[k] * (double)(count - 1);
    const int64_t below = (int64_t)at;
    out[k] = (double)NAN;
    if (count == 0) continue;
    const double next = sorted[below + 1 < count ? below + 1 : below];
    out[k] = sorted[below] + (at - (double)below) * (next - sorted[below]);
  }
  sl__free(&context->allocator, sorted);
  return SL_OK;
}

sl__range sl__bounds_of(const sl__numbers *x) {
  double least = INFINITY, most = -INFINITY;
  for (int64_t r = 0; r < x->count; r++) {
    const double value = x->values[r * x->stride];
    if (!isfinite(value)) continue;
    least = fmin(least, value);
    most = fmax(most, value);
  }
  if (!(least >= 0)) return (sl__range){-INFINITY, INFINITY};
  return (sl__range){0, most <= 1 ? 1 : INFINITY};
}

sl_status sl__central_range(sl_context *context, const sl__numbers *x, sl__range *out) {
  static const double probabilities[] = {0.005, 0.995};
  double ends[2];
  SL__TRY(sl__quantiles(context, x, 2, probabilities, ends));
  if (isnan(ends[0])) ends[0] = ends[1] = 0;
  double air = 0.12 * (ends[1] - ends[0]);
  const double size = fmax(fabs(ends[0]), fabs(ends[1]));
  if (!(air > 1e-12 * size)) air = size > 0 ? 0.1 * size : 1;
  const sl__range support = sl__bounds_of(x);
  *out = (sl__range){fmax(ends[0] - air, support.low), fmin(ends[1] + air, support.high)};
  if (isfinite(out->high - out->low)) return SL_OK;
  return sl__fail(context, SL_BAD_ARGUMENT,
                  "numbers as far apart as the largest ones cannot be drawn; give them in a "
                  "larger unit");
}

sl__range sl__join_ranges(sl__range a, sl__range b) {
  return (sl__range){fmin(a.low, b.low), fmax(a.high, b.high)};
}

double sl__mark_step(sl__range range, int most) {
  static const double round[] = {1, 2, 5, 10};
  const double least = (range.high - range.low) / most;
  const double power = pow(10, floor(log10(least)));
  for (int k = 0; k < 4; k++)
    if (round[k] * power >= least) return round[k] * power;
  return 10 * power;
}
