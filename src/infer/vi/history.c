/* The mean of the last thousand losses, which PyMC3 prints as "Average Loss". The running sum is
 * made anew now and then, so that one huge loss does not leave its rounding error behind. */
#include <math.h>
#include "infer/vi/engine.h"

enum { ANEW_EVERY = 250 };

static double add_up(const sl__vi *vi) {
  const int64_t count = vi->loss_count < SL__VI_LOSSES ? vi->loss_count : SL__VI_LOSSES;
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += vi->losses[i];
  return sum;
}

void sl__vi_remember(sl__vi *vi, double loss) {
  double *slot = &vi->losses[vi->loss_count % SL__VI_LOSSES];
  vi->loss_sum += loss - *slot; /* the ring starts with zeros */
  *slot = loss;
  if (++vi->loss_count % ANEW_EVERY == 0) vi->loss_sum = add_up(vi);
}

double sl__vi_loss_average(const sl__vi *vi) {
  const int64_t count = vi->loss_count < SL__VI_LOSSES ? vi->loss_count : SL__VI_LOSSES;
  return count > 0 ? vi->loss_sum / (double)count : (double)NAN;
}
