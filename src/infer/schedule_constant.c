/* The base rate throughout (after the warm-up, where one is asked for). */
#include "infer/optimisers.h"

static double factor(int64_t step, int64_t steps, int64_t warmup_steps, int64_t reductions) {
  (void)steps, (void)reductions;
  return sl__warmup_factor(step, warmup_steps);
}

const sl__schedule sl__schedule_constant = {
    .name = "constant", .summary = "the base rate throughout", .factor = factor};
