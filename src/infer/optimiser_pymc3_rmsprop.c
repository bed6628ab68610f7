/* RMSprop with epsilon inside the root: v = beta2 v + (1 - beta2) g^2; w -= rate g / sqrt(v +
 * epsilon). PyMC3 3.11, updates.py, rmsprop (its rho is beta2). Tieleman and Hinton 2012. */
#include "infer/optimisers.h"

static void update(const sl__kernels *kernels, int64_t n, void *w, const void *g,
                   void *const *states, double g_scale, double rate, int64_t step,
                   const sl__optimiser_options *options) {
  (void)step;
  kernels->update_root(n, w, g, states[0], g_scale, rate, options->beta2, 1 - options->beta2,
                       options->epsilon);
}

const sl__optimiser sl__optimiser_pymc3_rmsprop = {
    .name = "pymc3-rmsprop",
    .summary = "the gradient over its running root mean square, as in PyMC3",
    .source = "PyMC3, updates.py, rmsprop; Tieleman and Hinton 2012",
    .default_rate = 1,
    .states = 1,
    .defaults = {.beta2 = 0.9, .epsilon = 1e-6},
    .update = update,
};
