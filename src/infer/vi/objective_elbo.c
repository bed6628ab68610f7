/* The evidence lower bound, that is the reverse Kullback-Leibler divergence from q to p up to
 * log Z: the mean of -log w. Jordan et al. 1999; Rezende and Mohamed 2015, equation 15. */
#include "infer/vi/objectives.h"

const sl__vi_objective sl__vi_objective_elbo = {
    .name = "elbo",
    .summary = "reverse Kullback-Leibler divergence",
    .source = "Rezende and Mohamed 2015, arXiv:1505.05770, equation 15",
    .estimators = 1u << SL__VI_BY_REPARAMETERIZATION | 1u << SL__VI_BY_STL,
    .usual = SL__VI_BY_REPARAMETERIZATION,
};
