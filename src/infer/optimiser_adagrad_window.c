/* Adagrad that forgets: w -= rate g / sqrt(sum of the last ten g^2 + epsilon). PyMC3 3.11,
 * updates.py, adagrad_window (n_win 10), the default of its variational inference. The sum starts
 * from zeros, and holds the present square. */
#include "infer/optimisers.h"

static void update(const sl__kernels *kernels, int64_t n, void *w, const void *g,
                   void *const *states, double g_scale, double rate, int64_t step,
                   const sl__optimiser_options *options) {
  enum { WINDOW = SL__MAX_OPTIMISER_STATES };
  const int newest = (int)((step - 1) % WINDOW);
  kernels->update_window(n, w, g, states, WINDOW, newest, g_scale, rate, options->epsilon);
}

const sl__optimiser sl__optimiser_adagrad_window = {
    .name = "adagrad_window",
    .summary = "the gradient over the root of its last ten squares",
    .source = "PyMC3, updates.py, adagrad_window",
    .default_rate = 1e-3,
    .states = 10,
    .defaults = {.epsilon = 0.1},
    .update = update,
};
