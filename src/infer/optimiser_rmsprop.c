/* RMSprop: the gradient divided by the root of a running mean of its square.
 * Tieleman and Hinton 2012, COURSERA "Neural networks for machine learning", lecture 6.5; with the
 * momentum of Graves 2013 (arXiv:1308.0850, equations 38-45), not centred. beta2 is the decay. */
#include "infer/optimisers.h"

static void update(const sl__kernels *kernels, int64_t n, void *w, const void *g,
                   void *const *states, double g_scale, double rate, int64_t step,
                   const sl__optimiser_options *options) {
  (void)step;
  kernels->update_rmsprop(n, w, g, states[0], states[1], g_scale, rate, options->beta2,
                          options->epsilon, options->momentum);
}

const sl__optimiser sl__optimiser_rmsprop = {
    .name = "rmsprop",
    .summary = "the gradient over its running root mean square",
    .source = "Tieleman and Hinton 2012, lecture 6.5",
    .default_rate = 1e-3,
    .states = 2,
    .defaults = {.beta2 = 0.99, .epsilon = 1e-8},
    .update = update,
};
