/* Dual averaging. */
#include "infer/chain/step_size.h"
#include <math.h>

void sl__step_size_open(sl__step_size *adaptation, double delta) {
  *adaptation = (sl__step_size){.delta = delta, .gamma = 0.05, .kappa = 0.75, .t0 = 10};
}

void sl__step_size_restart(sl__step_size *adaptation, double step_size) {
  adaptation->count = adaptation->mean_error = adaptation->mean_log = 0;
  adaptation->centre = log(10 * step_size);
}

double sl__step_size_learn(sl__step_size *adaptation, double accept) {
  const double count = ++adaptation->count, weight = 1 / (count + adaptation->t0);
  adaptation->mean_error =
      (1 - weight) * adaptation->mean_error + weight * (adaptation->delta - fmin(accept, 1));
  const double log_step =
      adaptation->centre - adaptation->mean_error * sqrt(count) / adaptation->gamma;
  const double share = pow(count, -adaptation->kappa);
  adaptation->mean_log = (1 - share) * adaptation->mean_log + share * log_step;
  return exp(log_step);
}

double sl__step_size_final(const sl__step_size *adaptation) {
  return exp(adaptation->mean_log);
}
