/* Gradient descent without momentum: w -= rate g. PyMC3 3.11, updates.py, sgd. */
#include "infer/optimisers.h"

static void update(const sl__kernels *kernels, int64_t n, void *w, const void *g,
                   void *const *states, double g_scale, double rate, int64_t step,
                   const sl__optimiser_options *options) {
  (void)states, (void)step;
  kernels->update_sgd(n, w, g, NULL, g_scale, rate, 0, false, options->weight_decay);
}

const sl__optimiser sl__optimiser_pymc3_sgd = {
    .name = "pymc3-sgd",
    .summary = "gradient descent",
    .source = "PyMC3, updates.py, sgd; Robbins and Monro 1951",
    .default_rate = 1e-3,
    .states = 0,
    .defaults = {.weight_decay = 0},
    .update = update,
};
