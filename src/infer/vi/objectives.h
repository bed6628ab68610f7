/* What the files of single objectives share with their registry. */
#ifndef SL_INFER_VI_OBJECTIVES_H
#define SL_INFER_VI_OBJECTIVES_H
#include "infer/vi/vi.h"

#define OBJECTIVE(name) extern const sl__vi_objective sl__vi_objective_##name;
#include "infer/vi/objectives.def"

/* log(mean of w^power) of a group; shares [count]: w^power, normalised to sum to 1. NaN when there
 * is no positive finite weight. */
double sl__vi_log_mean_power(const sl__vi_group *group, double power, double *shares);
/* Renyi's bound of order 1 - power: (1 / power) log(mean of w^power), as a loss (minus it, or
 * itself where it is an upper bound) with its coefficients. */
bool sl__vi_always_upper(double alpha);
double sl__vi_renyi(const sl__vi_group *group, double power, double *coefficients);
#endif
