/* Adam: moving averages of the gradient and of its square, both corrected for starting at zero.
 * Kingma and Ba 2015, "Adam: a method for stochastic optimization", algorithm 1; epsilon is added
 * outside the root, as there. */
#include <math.h>
#include "infer/optimisers.h"

static void update(const sl__kernels *kernels, int64_t n, void *w, const void *g,
                   void *const *states, double g_scale, double rate, int64_t step,
                   const sl__optimiser_options *options) {
  const double correction1 = 1 - pow(options->beta1, (double)step);
  const double correction2 = 1 - pow(options->beta2, (double)step);
  kernels->update_adam(n, w, g, states[0], states[1], g_scale, rate, options->beta1, options->beta2,
                       options->epsilon, correction1, correction2, 0);
}

const sl__optimiser sl__optimiser_adam = {
    .name = "adam",
    .summary = "step sizes from running means of the gradient and its square",
    .source = "Kingma and Ba 2015, arXiv:1412.6980, algorithm 1",
    .default_rate = 1e-3,
    .states = 2,
    .defaults = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8},
    .update = update,
};
