/* Bounds on the gradient: a fixed one, and one by the running median of its norm, for targets whose
 * scale is not known beforehand: beyond ten times the median of the last 100 norms a step is left
 * out, beyond twice it is cut down (the settings of Midgley et al. 2023, arXiv:2208.01893, in their
 * programs). The median forgets: norms of steps left out enter it too, so that a lasting change of
 * scale is followed. */
#include <string.h>
#include "infer/vi/engine.h"

static const double leave_out_beyond = 10, cut_beyond = 2;

/* Where in the sorted norms a value stands, or would. */
static int64_t place_of(const sl__vi *vi, int64_t count, double norm) {
  int64_t low = 0, high = count;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (vi->sorted_norms[middle] < norm)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void remember_norm(sl__vi *vi, double norm) {
  double *sorted = vi->sorted_norms;
  int64_t count = vi->norm_count < SL__VI_NORMS ? vi->norm_count : SL__VI_NORMS;
  double *slot = &vi->norms[vi->norm_count % SL__VI_NORMS];
  if (vi->norm_count >= SL__VI_NORMS) {
    const int64_t out = place_of(vi, count, *slot);
    count--;
    memmove(sorted + out, sorted + out + 1, (size_t)(count - out) * sizeof *sorted);
  }
  const int64_t in = place_of(vi, count, norm);
  memmove(sorted + in + 1, sorted + in, (size_t)(count - in) * sizeof *sorted);
  sorted[in] = *slot = norm;
  vi->norm_count++;
}

double sl__vi_clip(sl__vi *vi, double norm) {
  double kept = 1;
  if (vi->options.clip_by_median) {
    const bool known = vi->norm_count >= SL__VI_NORMS;
    const double median = known ? vi->sorted_norms[SL__VI_NORMS / 2] : norm;
    remember_norm(vi, norm);
    if (norm > leave_out_beyond * median) return 0;
    if (norm > cut_beyond * median) kept = cut_beyond * median / norm;
  }
  if (vi->options.clip > 0 && norm * kept > vi->options.clip) kept = vi->options.clip / norm;
  return kept;
}
