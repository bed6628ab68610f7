/* The chi-square upper bound: half the log of the mean squared weight. It makes q cover p. */
#include "infer/vi/objectives.h"

static double weigh(const sl__vi_group *group, double *coefficients) {
  return sl__vi_renyi(group, 2, coefficients);
}

const sl__vi_objective sl__vi_objective_chi = {
    .name = "chi",
    .summary = "chi-square upper bound: half the log of the mean squared weight",
    .source = "Dieng et al. 2017, arXiv:1611.00328, equation 3",
    .estimators = 1u << SL__VI_BY_REPARAMETERIZATION | 1u << SL__VI_BY_DREG,
    .usual = SL__VI_BY_DREG,
    .is_upper = sl__vi_always_upper,
    .weigh = weigh,
};
