/* Halves the rate whenever validation has stalled (how many checks that takes is decided by the
 * training loop, mle_validate.c, which counts the reductions). */
#include <math.h>
#include "infer/optimisers.h"

static double factor(int64_t step, int64_t steps, int64_t warmup_steps, int64_t reductions) {
  (void)steps;
  return sl__warmup_factor(step, warmup_steps) * ldexp(1, (int)-reductions);
}

const sl__schedule sl__schedule_plateau = {
    .name = "plateau", .summary = "halved whenever validation stalls", .factor = factor};
