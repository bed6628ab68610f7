/* AdamW: Adam with the weights shrunk by rate * weight_decay beside the step rather than through
 * the gradient, so that the shrinkage is not divided by the gradient's size.
 * Loshchilov and Hutter 2019, "Decoupled weight decay regularization", algorithm 2. */
#include <math.h>
#include "infer/optimisers.h"

static void update(const sl__kernels *kernels, int64_t n, void *w, const void *g,
                   void *const *states, double g_scale, double rate, int64_t step,
                   const sl__optimiser_options *options) {
  const double correction1 = 1 - pow(options->beta1, (double)step);
  const double correction2 = 1 - pow(options->beta2, (double)step);
  kernels->update_adam(n, w, g, states[0], states[1], g_scale, rate, options->beta1, options->beta2,
                       options->epsilon, correction1, correction2, options->weight_decay);
}

const sl__optimiser sl__optimiser_adamw = {
    .name = "adamw",
    .summary = "Adam with decoupled weight decay",
    .source = "Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2",
    .default_rate = 1e-3,
    .states = 2,
    .defaults = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 1e-2},
    .update = update,
};
