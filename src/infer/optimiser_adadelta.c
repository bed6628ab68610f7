/* Adadelta: the step has the size of past moves. v = beta2 v + (1 - beta2) g^2; move = g sqrt(d +
 * epsilon) / sqrt(v + epsilon); d = beta2 d + (1 - beta2) move^2; w -= rate move. Zeiler 2012,
 * arXiv:1212.5701, algorithm 1; PyMC3 3.11, updates.py, adadelta (its rho is beta2). */
#include "infer/optimisers.h"

static void update(const sl__kernels *kernels, int64_t n, void *w, const void *g,
                   void *const *states, double g_scale, double rate, int64_t step,
                   const sl__optimiser_options *options) {
  (void)step;
  kernels->update_adadelta(n, w, g, states[0], states[1], g_scale, rate, options->beta2,
                           options->epsilon);
}

const sl__optimiser sl__optimiser_adadelta = {
    .name = "adadelta",
    .summary = "steps of the size of past moves",
    .source = "Zeiler 2012, arXiv:1212.5701, algorithm 1; PyMC3, updates.py",
    .default_rate = 1,
    .states = 2,
    .defaults = {.beta2 = 0.95, .epsilon = 1e-6},
    .update = update,
};
