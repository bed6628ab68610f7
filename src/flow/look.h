/* What kinds that look at data (sl__kind.look) share. */
#ifndef SL_FLOW_LOOK_H
#define SL_FLOW_LOOK_H
#include "flow/flow.h"

/* Means and standard deviations [dim] of values [rows][dim]; rows with a number that is not finite
 * do not count; returns how many do, or 0 when there is nothing to be learnt: none does, or sums
 * overflow. A feature that varies by less than a millionth of its mean passes for constant: its
 * deviation is raised to a thousandth of the root mean square of all features' deviations, or to 1
 * where that is 0 too, so that it can be divided by. */
int64_t sl__look_moments(int64_t rows, int32_t dim, const double *values, double *mean, double *sd);

/* A number of a parameter in a vector of the flow's type; what is too large for it is put as the
 * largest that is not. */
double sl__look_get(const sl__flow *flow, const void *vector, int parameter, int64_t at);
void sl__look_put(const sl__flow *flow, void *vector, int parameter, int64_t at, double value);
#endif
