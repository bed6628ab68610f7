/* Heavy-ball momentum: v = momentum v - rate g; w += v. PyMC3 3.11, updates.py, momentum. The
 * kernel keeps v / -rate, which is the same while the rate is constant; where a schedule changes
 * it, the new rate acts at once. Polyak 1964. */
#include "infer/optimisers.h"

static void update(const sl__kernels *kernels, int64_t n, void *w, const void *g,
                   void *const *states, double g_scale, double rate, int64_t step,
                   const sl__optimiser_options *options) {
  (void)step;
  kernels->update_sgd(n, w, g, states[0], g_scale, rate, options->momentum, false,
                      options->weight_decay);
}

const sl__optimiser sl__optimiser_momentum = {
    .name = "momentum",
    .summary = "gradient descent with momentum, as in PyMC3",
    .source = "PyMC3, updates.py, momentum; Polyak 1964",
    .default_rate = 1e-3,
    .states = 1,
    .defaults = {.momentum = 0.9},
    .update = update,
};
