/* Constraint transforms: from unconstrained numbers to a parameter's values, and back.
 *
 * The formulas are those of the Stan reference manual, chapter "Constraint Transforms"; the order
 * of the unconstrained numbers is Stan's: arrays element by element, matrices by columns, triangles
 * as their transform says. */
#ifndef SL_STAN_TRANSFORM_H
#define SL_STAN_TRANSFORM_H
#include "stan/trace.h"

typedef struct sl__stan_transform {
  const sl__stan_variable *variable;
  int own;               /* dimensions of one element: 0, 1, 2 */
  int64_t elements;      /* of the arrays around it */
  int32_t rows, columns; /* of one element; 1 where it has none */
  int64_t free;          /* unconstrained numbers of one element */
  int32_t dims, size[SL__STAN_MAX_DIMS];
  int64_t count;
} sl__stan_transform;

/* Sizes a parameter. */
sl_status sl__stan_transform_of(sl__stan_tracer *t, const sl__stan_variable *variable,
                                sl__stan_transform *out);

/* free [elements * free] -> values, flat in the order of value.h, and the logarithm of the absolute
 * Jacobian determinant, 0 when it is 1. Bounds are evaluated in the tracer's frame. */
sl_status sl__stan_constrain(sl__stan_tracer *t, const sl__stan_transform *transform, sl_node free,
                             sl_node *values, sl_node *log_jacobian);
/* The reverse, in plain numbers; x satisfies the constraint. */
sl_status sl__stan_unconstrain(sl__stan_tracer *t, const sl__stan_transform *transform,
                               const double *x, double *free);

/* ---- transform_bound.c: values in the order of value.h ---- */
sl_status sl__stan_constrain_bounds(sl__stan_tracer *t, const sl__stan_transform *transform,
                                    sl_node y, sl_node *values, sl_node *log_jacobian);

/* ---- transform_vector.c: y [n, free] -> [n, K] ---- */
typedef struct sl__stan_constrained {
  sl_node x, log_jacobian; /* log_jacobian 0: none */
} sl__stan_constrained;
sl__stan_constrained sl__stan_constrain_ordered(sl__stan_tracer *t, sl_node y, int32_t n, int32_t k,
                                                bool positive);
sl__stan_constrained sl__stan_constrain_simplex(sl__stan_tracer *t, sl_node y, int32_t n,
                                                int32_t k);
sl__stan_constrained sl__stan_constrain_unit(sl__stan_tracer *t, sl_node y);
sl__stan_constrained sl__stan_constrain_zero_sum(sl__stan_tracer *t, sl_node y, int32_t n,
                                                 int32_t k);

/* ---- transform_matrix.c: y [free] -> [rows, columns] ---- */
sl__stan_constrained sl__stan_constrain_matrix(sl__stan_tracer *t, sl__stan_constraint constraint,
                                               sl_node y, int32_t rows, int32_t columns);
/* Column k of the orthonormal basis of vectors of sum zero by which matrices are transformed:
 * [n][n - 1]. */
void sl__stan_zero_sum_basis(int32_t n, double *basis);
#endif
