/* The forward Kullback-Leibler divergence from given draws of p: maximum likelihood. Loss: the mean
 * of -log q. */
#include "infer/vi/objectives.h"

const sl__vi_objective sl__vi_objective_draws = {
    .name = "draws",
    .summary = "forward Kullback-Leibler divergence from given draws",
    .source = "Papamakarios et al. 2021, JMLR 22:57, equation 13",
    .estimators = 1u << SL__VI_BY_SCORE,
    .usual = SL__VI_BY_SCORE,
    .from_draws = true,
};
