/* The importance-weighted bound: minus the log of the mean weight of a group. */
#include "infer/vi/objectives.h"

static double weigh(const sl__vi_group *group, double *coefficients) {
  return sl__vi_renyi(group, 1, coefficients);
}

const sl__vi_objective sl__vi_objective_iwae = {
    .name = "iwae",
    .summary = "importance-weighted bound: log of the mean weight of a group",
    .source = "Burda, Grosse and Salakhutdinov 2016, arXiv:1509.00519, equation 8",
    .estimators = 1u << SL__VI_BY_REPARAMETERIZATION | 1u << SL__VI_BY_DREG,
    .usual = SL__VI_BY_DREG,
    .weigh = weigh,
};
