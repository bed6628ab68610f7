/* What several base densities are made of: the standard normal density, lower triangular factors,
 * and the weights of mixtures. */
#ifndef SL_FLOW_BASE_PARTS_H
#define SL_FLOW_BASE_PARTS_H
#include "flow/flow.h"

/* The standard normal's log density at z [dim]: a scalar. */
sl_node sl__standard_normal(sl__graph *g, sl_node z);

/* -infinity where the log density of z [dim] is not a number although z is one: distances from a
 * component that overflowed on the way. */
sl_node sl__density_or_none(sl__graph *g, sl_node z, sl_node log_density);

/* A lower triangular factor L [dim, dim] of a covariance L L^T is kept as the logarithms of its
 * diagonal [dim] and what lies below it, row by row [dim (dim - 1) / 2]: no number is idle, and L
 * is regular whatever the numbers are. */
enum { SL__FACTOR_MOST_FEATURES = 4096 }; /* keeps a hostile formula from asking for the memory */
/* Refuses more features than that. */
sl_status sl__factor_check(sl_context *context, const sl__layer *layer);
int32_t sl__factor_below(int32_t dim); /* how many numbers lie below the diagonal */
/* For the graph below: where in {0, below} the entries of L are; NULL when out of memory. */
const int32_t *sl__factor_index(sl__layer *layer);
/* below is not read when dim is 1. */
sl_node sl__factor(sl__graph *g, int32_t dim, const int32_t *index, sl_node log_diagonal,
                   sl_node below);

/* Weights softmax(logits) [count], count >= 2, shared or batched. */
enum { SL__MOST_COMPONENTS = 256 };
sl_node sl__log_weights(sl__graph *g, sl_node logits); /* their logarithms, [count] */
/* The component that each row draws, a scalar 0..count-1: from one uniform number. It has no
 * derivative. */
sl_node sl__draw_component(sl__graph *g, sl_node logits, uint32_t stream);
/* The row's own of values [count, dim]: [dim]. */
sl_node sl__take_component(sl__graph *g, sl_node values, sl_node component);
/* log of the sum of weight times density; log_densities: count scalars. -infinity where every one
 * is, with gradients of 0. */
sl_node sl__mix(sl__graph *g, sl_node logits, int count, const sl_node *log_densities);
#endif
