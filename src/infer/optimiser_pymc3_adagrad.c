/* Adagrad with epsilon inside the root: v += g^2; w -= rate g / sqrt(v + epsilon). PyMC3 3.11,
 * updates.py, adagrad. Duchi, Hazan and Singer 2011. */
#include "infer/optimisers.h"

static void update(const sl__kernels *kernels, int64_t n, void *w, const void *g,
                   void *const *states, double g_scale, double rate, int64_t step,
                   const sl__optimiser_options *options) {
  (void)step;
  kernels->update_root(n, w, g, states[0], g_scale, rate, 1, 1, options->epsilon);
}

const sl__optimiser sl__optimiser_pymc3_adagrad = {
    .name = "pymc3-adagrad",
    .summary = "step sizes that shrink with all squared gradients so far, as in PyMC3",
    .source = "PyMC3, updates.py, adagrad; Duchi, Hazan and Singer 2011",
    .default_rate = 1,
    .states = 1,
    .defaults = {.epsilon = 1e-6},
    .update = update,
};
