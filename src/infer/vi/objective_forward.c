/* The forward Kullback-Leibler divergence from p to q by importance sampling from q, weights
 * normalised by their sum (Bornschein and Bengio 2015, arXiv:1406.2751, section 2.3). Loss: the
 * weighted mean of log w, which lies above log Z but for the bias of few draws. Gradient: the
 * weighted mean of -d log q(x) at held x; or, doubly reparameterized, the sum of (v^2 - v) times
 * the derivative of log w through the draw (Tucker et al. 2019, equation 10). */
#include "infer/vi/objectives.h"

static double weigh(const sl__vi_group *group, double *coefficients) {
  const double bound = sl__vi_log_mean_power(group, 1, coefficients);
  double loss = 0;
  for (int64_t i = 0; i < group->count; i++) {
    const double share = coefficients[i];
    if (share > 0) loss += share * group->log_weights[i];
    if (group->estimator == SL__VI_BY_DREG) coefficients[i] = share * share - share;
  }
  return bound == bound ? loss : bound;
}

const sl__vi_objective sl__vi_objective_forward = {
    .name = "forward",
    .summary = "forward Kullback-Leibler divergence by importance weights",
    .source = "Bornschein and Bengio 2015, arXiv:1406.2751, section 2.3",
    .estimators = 1u << SL__VI_BY_SCORE | 1u << SL__VI_BY_DREG,
    .usual = SL__VI_BY_SCORE,
    .is_upper = sl__vi_always_upper,
    .weigh = weigh,
};
