/* Adamax: Adam with the largest recent gradient in place of the root mean square. m = beta1 m +
 * (1 - beta1) g; u = max(beta2 u, |g|); w -= rate / (1 - beta1^t) m / (u + epsilon). Kingma and
 * Ba 2015, algorithm 2; PyMC3 3.11, updates.py, adamax. */
#include <math.h>
#include "infer/optimisers.h"

static void update(const sl__kernels *kernels, int64_t n, void *w, const void *g,
                   void *const *states, double g_scale, double rate, int64_t step,
                   const sl__optimiser_options *options) {
  const double correction = 1 - pow(options->beta1, (double)step);
  kernels->update_adamax(n, w, g, states[0], states[1], g_scale, rate / correction, options->beta1,
                         options->beta2, options->epsilon);
}

const sl__optimiser sl__optimiser_adamax = {
    .name = "adamax",
    .summary = "Adam by the largest recent gradient",
    .source = "Kingma and Ba 2015, arXiv:1412.6980, algorithm 2; PyMC3, updates.py",
    .default_rate = 2e-3,
    .states = 2,
    .defaults = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8},
    .update = update,
};
