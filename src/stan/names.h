/* Names of a model's numbers. */
#ifndef SL_STAN_NAMES_H
#define SL_STAN_NAMES_H
#include "stan/transform.h"

/* The names of a variable's elements, "theta.1.2", the first index running fastest: the order of
 * Stan's CSV files. names [count]. */
sl_status sl__stan_name_elements(sl__arena *arena, const char *name, int32_t dims,
                                 const int32_t *size, const char **names);
/* The names of a parameter's unconstrained numbers: as above but array by array; those of a
 * constrained vector or matrix are numbered. */
sl_status sl__stan_name_free(sl__arena *arena, const sl__stan_transform *transform,
                             const char **names);
/* from [count] in the order of value.h: which of its elements is number k of the names. */
void sl__stan_by_columns(int32_t dims, const int32_t *size, int64_t count, int32_t *index);
#endif
