/* Adam with epsilon beside the uncorrected root: the step is rate sqrt(1 - beta2^t) / (1 - beta1^t)
 * times m / (sqrt(v) + epsilon). Kingma and Ba 2015, end of section 2; PyMC3 3.11, updates.py,
 * adam. */
#include <math.h>
#include "infer/optimisers.h"

static void update(const sl__kernels *kernels, int64_t n, void *w, const void *g,
                   void *const *states, double g_scale, double rate, int64_t step,
                   const sl__optimiser_options *options) {
  const double correction1 = 1 - pow(options->beta1, (double)step);
  const double correction2 = 1 - pow(options->beta2, (double)step);
  kernels->update_adam(n, w, g, states[0], states[1], g_scale, rate, options->beta1, options->beta2,
                       options->epsilon, correction1 / sqrt(correction2), 1, 0);
}

const sl__optimiser sl__optimiser_pymc3_adam = {
    .name = "pymc3-adam",
    .summary = "step sizes from running means of the gradient and its square, as in PyMC3",
    .source = "Kingma and Ba 2015, arXiv:1412.6980, section 2; PyMC3, updates.py",
    .default_rate = 1e-3,
    .states = 2,
    .defaults = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8},
    .update = update,
};
