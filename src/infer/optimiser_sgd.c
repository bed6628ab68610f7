/* Stochastic gradient descent with heavy-ball momentum: v = momentum v + g; w -= rate v.
 * Polyak 1964, "Some methods of speeding up the convergence of iteration methods", section 2, in
 * the scaling of Sutskever et al. 2013 (the rate outside v), in which a schedule acts at once. */
#include "infer/optimisers.h"

static void update(const sl__kernels *kernels, int64_t n, void *w, const void *g,
                   void *const *states, double g_scale, double rate, int64_t step,
                   const sl__optimiser_options *options) {
  (void)step;
  kernels->update_sgd(n, w, g, states[0], g_scale, rate, options->momentum, false,
                      options->weight_decay);
}

const sl__optimiser sl__optimiser_sgd = {
    .name = "sgd",
    .summary = "gradient descent with momentum",
    .source = "Polyak 1964",
    .default_rate = 1e-2,
    .states = 1,
    .defaults = {.momentum = 0.9},
    .update = update,
};
