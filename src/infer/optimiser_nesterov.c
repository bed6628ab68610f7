/* Nesterov's accelerated gradient: v = momentum v + g; w -= rate (g + momentum v), the step of
 * Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning",
 * equations 3-4, rewritten for the point where the gradient is taken (Bengio et al. 2013,
 * arXiv:1212.0901, equation 7). */
#include "infer/optimisers.h"

static void update(const sl__kernels *kernels, int64_t n, void *w, const void *g,
                   void *const *states, double g_scale, double rate, int64_t step,
                   const sl__optimiser_options *options) {
  (void)step;
  kernels->update_sgd(n, w, g, states[0], g_scale, rate, options->momentum, true,
                      options->weight_decay);
}

const sl__optimiser sl__optimiser_nesterov = {
    .name = "nesterov",
    .summary = "gradient descent with Nesterov's momentum",
    .source = "Nesterov 1983; Sutskever et al. 2013, equations 3-4",
    .default_rate = 1e-2,
    .states = 1,
    .defaults = {.momentum = 0.9},
    .update = update,
};
