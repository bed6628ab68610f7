/* Transforms of vectors, n of them at once: [n, free] -> [n, K]. */
#include "stan/transform.h"
#include <math.h>

/* The same number everywhere in [n, k]. */
static sl_node filled(sl__graph *g, int32_t n, int32_t k, double number) {
  return op_broadcast(g, op_number(g, SL_F64, number), sl__shape2(n, k));
}

/* x_1 = y_1 (exp(y_1) when positive), x_k = x_{k-1} + exp(y_k). */
sl__stan_constrained sl__stan_constrain_ordered(sl__stan_tracer *t, sl_node y, int32_t n, int32_t k,
                                                bool positive) {
  sl__graph *g = t->graph;
  (void)n;
  if (positive)
    return (sl__stan_constrained){op_cumulative_sum(g, op_exp(g, y), 1, false), op_sum_all(g, y)};
  if (k == 1) return (sl__stan_constrained){y, 0};
  const sl_node rest = op_slice(g, y, 1, 1, k - 1, 1);
  const sl_node steps[2] = {op_slice(g, y, 1, 0, 1, 1), op_exp(g, rest)};
  return (sl__stan_constrained){op_cumulative_sum(g, op_concatenate(g, 2, steps, 1), 1, false),
                                op_sum_all(g, rest)};
}

/* Stick-breaking: z_k = logit^-1(y_k - log(K - k)) of what is left goes to x_k. In logarithms, so
 * that nothing underflows: log x_k = sum_{j<k} log(1 - z_j) + log z_k. */
sl__stan_constrained sl__stan_constrain_simplex(sl__stan_tracer *t, sl_node y, int32_t n,
                                                int32_t k) {
  sl__graph *g = t->graph;
  if (!y) return (sl__stan_constrained){filled(g, n, k, 1), 0};
  double *share = sl__stan_temporary(t, k - 1, sizeof *share);
  if (!share) return (sl__stan_constrained){0};
  for (int32_t i = 0; i < k - 1; i++) share[i] = log((double)(k - 1 - i));
  const sl_node a = op_subtract(g, y, op_constant(g, SL_F64, sl__shape1(k - 1), share));
  const sl_node log_z = op_negate(g, op_softplus(g, op_negate(g, a)));
  const sl_node log_rest = op_negate(g, op_softplus(g, a)); /* log(1 - z) */
  const sl_node left = op_cumulative_sum(g, log_rest, 1, false);
  const sl_node log_x[2] = {op_add(g, op_subtract(g, left, log_rest), log_z),
                            op_slice(g, left, 1, k - 2, 1, 1)};
  return (sl__stan_constrained){op_exp(g, op_concatenate(g, 2, log_x, 1)),
                                op_sum_all(g, op_add(g, left, log_z))};
}

/* x = y / |y|; y is standard normal, which makes the density proper: the "Jacobian" is -|y|^2 / 2.
 * */
sl__stan_constrained sl__stan_constrain_unit(sl__stan_tracer *t, sl_node y) {
  sl__graph *g = t->graph;
  if (!y) return (sl__stan_constrained){0};
  const sl_node squares = op_sum(g, op_square(g, y), 1);
  const sl_shape shape = sl__node_shape(g, y);
  const sl_node length = op_reshape(g, op_sqrt(g, squares), sl__shape2(shape.size[0], 1));
  return (sl__stan_constrained){op_divide(g, y, length), op_scale(g, op_sum_all(g, squares), -0.5)};
}

/* Pivot coordinates (Egozcue et al. 2003): w_i = y_i / sqrt(i (i + 1)),
 * x_k = sum_{i>=k} w_i - (k - 1) w_{k-1}; orthonormal. */
sl__stan_constrained sl__stan_constrain_zero_sum(sl__stan_tracer *t, sl_node y, int32_t n,
                                                 int32_t k) {
  sl__graph *g = t->graph;
  const sl_node zero = filled(g, n, 1, 0);
  if (!y) return (sl__stan_constrained){filled(g, n, k, 0), 0};
  double *scale = sl__stan_temporary(t, k - 1, sizeof *scale);
  double *weight = sl__stan_temporary(t, k - 1, sizeof *weight);
  if (!scale || !weight) return (sl__stan_constrained){0};
  for (int32_t i = 1; i < k; i++) {
    scale[i - 1] = 1 / sqrt((double)i * (i + 1.0));
    weight[i - 1] = i;
  }
  const sl_node w = op_multiply(g, y, op_constant(g, SL_F64, sl__shape1(k - 1), scale));
  const sl_node later[2] = {op_cumulative_sum(g, w, 1, true), zero};
  const sl_node own[2] = {zero,
                          op_multiply(g, w, op_constant(g, SL_F64, sl__shape1(k - 1), weight))};
  return (sl__stan_constrained){
      op_subtract(g, op_concatenate(g, 2, later, 1), op_concatenate(g, 2, own, 1)), 0};
}
