/* Nesterov momentum: v = momentum v - rate g; w += momentum v - rate g. PyMC3 3.11, updates.py,
 * nesterov_momentum; the kernel keeps v / -rate (see optimiser_momentum.c). Sutskever et al.
 * 2013. */
#include "infer/optimisers.h"

static void update(const sl__kernels *kernels, int64_t n, void *w, const void *g,
                   void *const *states, double g_scale, double rate, int64_t step,
                   const sl__optimiser_options *options) {
  (void)step;
  kernels->update_sgd(n, w, g, states[0], g_scale, rate, options->momentum, true,
                      options->weight_decay);
}

const sl__optimiser sl__optimiser_nesterov_momentum = {
    .name = "nesterov_momentum",
    .summary = "gradient descent with momentum, looking ahead, as in PyMC3",
    .source = "PyMC3, updates.py, nesterov_momentum; Sutskever et al. 2013",
    .default_rate = 1e-3,
    .states = 1,
    .defaults = {.momentum = 0.9},
    .update = update,
};
