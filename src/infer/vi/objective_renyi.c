/* Renyi's variational bound of order alpha; below 0 it is an upper bound. At alpha = 1 it is the
 * ELBO, by its limit: every draw counts the same. */
#include "infer/vi/objectives.h"

static double weigh(const sl__vi_group *group, double *coefficients) {
  if (group->alpha != 1) return sl__vi_renyi(group, 1 - group->alpha, coefficients);
  double sum = 0;
  for (int64_t i = 0; i < group->count; i++) {
    sum += group->log_weights[i];
    coefficients[i] = -1 / (double)group->count;
  }
  return -sum / (double)group->count;
}

static bool is_upper(double alpha) {
  return alpha < 0;
}

const sl__vi_objective sl__vi_objective_renyi = {
    .name = "renyi",
    .summary = "Renyi's bound of order alpha",
    .source = "Li and Turner 2016, arXiv:1602.02311, equation 4",
    .estimators = 1u << SL__VI_BY_REPARAMETERIZATION | 1u << SL__VI_BY_DREG,
    .usual = SL__VI_BY_DREG,
    .is_upper = is_upper,
    .weigh = weigh,
};
