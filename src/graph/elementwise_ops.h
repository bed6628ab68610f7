/* op_exp, op_add, ...: thin names for sl__op_elementwise. Included by graph.h only. */
#ifndef SL_GRAPH_ELEMENTWISE_OPS_H
#define SL_GRAPH_ELEMENTWISE_OPS_H
#include "kernels/kernels.h"
#define SL__UNARY_OP(name)                                   \
  static inline sl_node op_##name(sl__graph *g, sl_node a) { \
    return sl__op_elementwise(g, SL__EW_##name, a, 0, 0, 0); \
  }
#define SL__BINARY_OP(name)                                             \
  static inline sl_node op_##name(sl__graph *g, sl_node a, sl_node b) { \
    return sl__op_elementwise(g, SL__EW_##name, a, b, 0, 0);            \
  }
#define SL__TERNARY_OP(name)                                                       \
  static inline sl_node op_##name(sl__graph *g, sl_node a, sl_node b, sl_node c) { \
    return sl__op_elementwise(g, SL__EW_##name, a, b, c, 0);                       \
  }
SL__UNARY_OP(negate)
SL__UNARY_OP(absolute)
SL__UNARY_OP(sign)
SL__UNARY_OP(floor)
SL__UNARY_OP(exp)
SL__UNARY_OP(expm1)
SL__UNARY_OP(log)
SL__UNARY_OP(log1p)
SL__UNARY_OP(sqrt)
SL__UNARY_OP(square)
SL__UNARY_OP(reciprocal)
SL__UNARY_OP(tanh)
SL__UNARY_OP(sigmoid)
SL__UNARY_OP(softplus)
SL__UNARY_OP(sin)
SL__UNARY_OP(cos)
SL__UNARY_OP(sinh)
SL__UNARY_OP(cosh)
SL__UNARY_OP(asinh)
SL__UNARY_OP(atan)
SL__UNARY_OP(erf)
SL__UNARY_OP(lgamma)
SL__UNARY_OP(digamma)
SL__UNARY_OP(trigamma)
SL__UNARY_OP(tetragamma)
SL__BINARY_OP(add)
SL__BINARY_OP(subtract)
SL__BINARY_OP(multiply)
SL__BINARY_OP(divide)
SL__BINARY_OP(power)
SL__BINARY_OP(minimum)
SL__BINARY_OP(maximum)
SL__BINARY_OP(less)
SL__BINARY_OP(less_equal)
SL__BINARY_OP(equal)
SL__BINARY_OP(tanh_gate)
SL__BINARY_OP(log_gamma_p)
SL__BINARY_OP(log_gamma_q)
SL__BINARY_OP(log_gamma_p_by_shape)
SL__BINARY_OP(log_gamma_q_by_shape)
SL__BINARY_OP(log_gamma_term)
SL__BINARY_OP(log_bessel_i)
SL__BINARY_OP(log_bessel_i_by_order)
SL__BINARY_OP(bessel_j)
SL__BINARY_OP(bessel_y)
SL__BINARY_OP(bessel_k)
SL__BINARY_OP(owens_t)
SL__TERNARY_OP(select) /* a is the condition */
SL__TERNARY_OP(multiply_add)
SL__TERNARY_OP(log_beta_lower)
SL__TERNARY_OP(log_beta_lower_by_first)
SL__TERNARY_OP(log_beta_lower_by_second)
SL__TERNARY_OP(log_beta_term)
SL__TERNARY_OP(inv_inc_beta)
static inline sl_node op_scale(sl__graph *g, sl_node a, double factor) {
  return sl__op_elementwise(g, SL__EW_scale, a, 0, 0, factor);
}
static inline sl_node op_shift(sl__graph *g, sl_node a, double by) {
  return sl__op_elementwise(g, SL__EW_shift, a, 0, 0, by);
}
static inline sl_node op_leaky_relu(sl__graph *g, sl_node a, double slope) {
  return sl__op_elementwise(g, SL__EW_leaky_relu, a, 0, 0, slope);
}
static inline sl_node op_leaky_gate(sl__graph *g, sl_node a, sl_node b, double slope) {
  return sl__op_elementwise(g, SL__EW_leaky_gate, a, b, 0, slope);
}
/* As op_select; but a or b may be infinite or NaN where it is not chosen, and so may the
 * derivatives of what it was computed from: nothing of them enters the gradient. Costs more
 * below. */
static inline sl_node op_choose(sl__graph *g, sl_node condition, sl_node a, sl_node b) {
  return sl__op_elementwise(g, SL__EW_select, condition, a, b, 1);
}
#undef SL__UNARY_OP
#undef SL__BINARY_OP
#undef SL__TERNARY_OP
#endif
