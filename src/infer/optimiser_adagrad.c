/* Adagrad: the gradient divided by the root of the sum of all its squares so far.
 * Duchi, Hazan and Singer 2011, "Adaptive subgradient methods for online learning and stochastic
 * optimization", JMLR 12, figure 1 (diagonal). */
#include "infer/optimisers.h"

static void update(const sl__kernels *kernels, int64_t n, void *w, const void *g,
                   void *const *states, double g_scale, double rate, int64_t step,
                   const sl__optimiser_options *options) {
  (void)step;
  kernels->update_adagrad(n, w, g, states[0], g_scale, rate, options->epsilon);
}

const sl__optimiser sl__optimiser_adagrad = {
    .name = "adagrad",
    .summary = "step sizes that shrink with all squared gradients so far",
    .source = "Duchi, Hazan and Singer 2011, JMLR 12, figure 1",
    .default_rate = 1e-2,
    .states = 1,
    .defaults = {.epsilon = 1e-10},
    .update = update,
};
