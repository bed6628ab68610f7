/* Half a cosine from the base rate to zero over the steps after the warm-up.
 * Loshchilov and Hutter 2017, "SGDR", equation 5 with one period and minimal rate 0. */
#include <math.h>
#include "infer/optimisers.h"

static double factor(int64_t step, int64_t steps, int64_t warmup_steps, int64_t reductions) {
  (void)reductions;
  if (step < warmup_steps) return sl__warmup_factor(step, warmup_steps);
  if (step >= steps) return 0;
  const double pi = 3.14159265358979323846;
  return 0.5 * (1 + cos(pi * (double)(step - warmup_steps) / (double)(steps - warmup_steps)));
}

const sl__schedule sl__schedule_cosine = {
    .name = "cosine", .summary = "half a cosine from the base rate to zero", .factor = factor};
