/* A linear rise, then the base rate: over warmup_steps, or a twentieth of all steps when none are
 * given. Adaptive optimisers know their step sizes badly at first; Goyal et al. 2017,
 * arXiv:1706.02677, section 2.2. */
#include "infer/optimisers.h"

static double factor(int64_t step, int64_t steps, int64_t warmup_steps, int64_t reductions) {
  (void)reductions;
  return sl__warmup_factor(step, warmup_steps > 0 ? warmup_steps : steps / 20);
}

const sl__schedule sl__schedule_warmup = {
    .name = "warmup", .summary = "a linear rise, then the base rate", .factor = factor};
