/* Cases for t_graph: elementwise operations, shapes, sums, indices. */
#ifndef SL_TESTS_GRAPH_CASES_BASIC_H
#define SL_TESTS_GRAPH_CASES_BASIC_H
#include "graph/graph.h"

enum { PARAMETERS = 40, FEATURES = 6, MAX_ROWS = 700 };

/* x [6] batched, p [40] shared -> any value. */
typedef struct build_case {
  const char *name;
  sl_node (*build)(sl__graph *g, sl_dtype t, sl_node x, sl_node p);
} build_case;

static inline sl_node part(sl__graph *g, sl_node p, int begin, sl_shape shape) {
  return op_reshape(g, op_slice(g, p, 0, begin, (int32_t)sl__shape_count(shape), 1), shape);
}
/* Positive values from anything: where an operation's domain asks for it. */
static inline sl_node positive(sl__graph *g, sl_node a) {
  return op_shift(g, op_square(g, a), 0.5);
}

#define CASE(name) static sl_node build_##name(sl__graph *g, sl_dtype t, sl_node x, sl_node p)
#define UNUSED     (void)t, (void)x, (void)p

#define UNARY_CASE(name, argument) \
  CASE(name) {                     \
    UNUSED;                        \
    return op_##name(g, argument); \
  }
UNARY_CASE(negate, x)
UNARY_CASE(absolute, op_shift(g, op_absolute(g, x), 0.1))
UNARY_CASE(sign, x)
UNARY_CASE(floor, x)
UNARY_CASE(exp, x)
UNARY_CASE(expm1, x)
UNARY_CASE(log, positive(g, x))
UNARY_CASE(log1p, positive(g, x))
UNARY_CASE(sqrt, positive(g, x))
UNARY_CASE(square, x)
UNARY_CASE(reciprocal, positive(g, x))
UNARY_CASE(tanh, x)
UNARY_CASE(sigmoid, x)
UNARY_CASE(softplus, x)
UNARY_CASE(sin, x)
UNARY_CASE(cos, x)
UNARY_CASE(sinh, x)
UNARY_CASE(cosh, x)
UNARY_CASE(asinh, x)
UNARY_CASE(atan, x)
UNARY_CASE(erf, x)
UNARY_CASE(lgamma, positive(g, x))
UNARY_CASE(relu, x)
UNARY_CASE(silu, x)
UNARY_CASE(digamma, positive(g, x))
UNARY_CASE(trigamma, positive(g, x))
CASE(tetragamma) {
  UNUSED;
  return op_stop_gradient(g, op_tetragamma(g, positive(g, x)));
}

/* Of (shape, x) or (order, x). */
#define PAIR_CASE(name)                                                             \
  CASE(name) {                                                                      \
    UNUSED;                                                                         \
    return op_##name(g, positive(g, part(g, p, 0, sl__shape1(6))), positive(g, x)); \
  }
#define ODDS_CASE(name)                                                                \
  CASE(name) {                                                                         \
    UNUSED;                                                                            \
    const sl_node a = positive(g, part(g, p, 0, sl__shape1(6)));                       \
    return op_##name(g, a, positive(g, part(g, p, 6, sl__shape1(6))), positive(g, x)); \
  }
PAIR_CASE(log_gamma_p)
PAIR_CASE(log_gamma_q)
PAIR_CASE(log_gamma_term)
PAIR_CASE(log_bessel_i)
PAIR_CASE(owens_t)
ODDS_CASE(log_beta_lower)
ODDS_CASE(log_beta_term)
CASE(inv_inc_beta) {
  UNUSED;
  const sl_node a = positive(g, part(g, p, 0, sl__shape1(6)));
  return op_inv_inc_beta(g, a, positive(g, part(g, p, 6, sl__shape1(6))), op_sigmoid(g, x));
}
/* Their order is a whole number, and fixed. */
CASE(bessel) {
  UNUSED;
  const sl_node order = op_constant(g, t, sl__shape1(6), (double[]){0, 1, 2, 3, 4, 5});
  const sl_node at = positive(g, x);
  return op_concatenate(g, 3,
                        (sl_node[]){op_bessel_j(g, order, at),
                                    op_bessel_y(g, order, op_shift(g, at, 3)),
                                    op_bessel_k(g, order, op_shift(g, at, 2))},
                        0);
}
/* What has no derivative of its own. */
CASE(by_shape) {
  UNUSED;
  const sl_node a = positive(g, part(g, p, 0, sl__shape1(6))), at = positive(g, x);
  const sl_node b = positive(g, part(g, p, 6, sl__shape1(6)));
  const sl_node parts[] = {op_log_gamma_p_by_shape(g, a, at), op_log_gamma_q_by_shape(g, a, at),
                           op_log_bessel_i_by_order(g, a, at),
                           op_log_beta_lower_by_first(g, a, b, at),
                           op_log_beta_lower_by_second(g, a, b, at)};
  return op_stop_gradient(g, op_concatenate(g, 5, parts, 0));
}
CASE(scale) {
  UNUSED;
  return op_scale(g, x, -1.5);
}
CASE(shift) {
  UNUSED;
  return op_shift(g, x, 0.25);
}
CASE(leaky_relu) {
  UNUSED;
  return op_leaky_relu(g, x, 0.1);
}
CASE(leaky_gate) {
  UNUSED;
  return op_leaky_gate(g, op_stop_gradient(g, x), op_square(g, x), 0.1);
}
CASE(tanh_gate) {
  UNUSED;
  return op_tanh_gate(g, x, op_slice(g, p, 0, 0, 6, 1));
}
CASE(copy) {
  UNUSED;
  return op_reshape(g, op_transpose(g, op_reshape(g, x, sl__shape2(2, 3))), sl__shape1(6));
}
CASE(add) {
  UNUSED;
  return op_add(g, x, op_slice(g, p, 0, 3, 6, 1));
}
CASE(subtract) {
  UNUSED;
  return op_subtract(g, op_slice(g, p, 0, 3, 6, 2), x);
}
CASE(multiply) {
  UNUSED;
  return op_multiply(g, x, op_slice(g, p, 0, 30, 6, 1));
}
CASE(divide) {
  UNUSED;
  return op_divide(g, x, positive(g, op_slice(g, p, 0, 0, 6, 1)));
}
CASE(power) {
  UNUSED;
  return op_power(g, positive(g, x), op_element(g, p, 0, 4));
}
CASE(minimum) {
  UNUSED;
  return op_minimum(g, x, op_slice(g, p, 0, 5, 6, 1));
}
CASE(maximum) {
  UNUSED;
  return op_maximum(g, x, op_element(g, p, 0, 7));
}
CASE(compare) {
  UNUSED;
  const sl_node q = op_slice(g, p, 0, 5, 6, 1), less = op_less(g, x, q), equal = op_equal(g, x, x);
  return op_multiply(g, x, op_add(g, less, op_add(g, equal, op_less_equal(g, x, q))));
}
CASE(select) {
  UNUSED;
  return op_select(g, op_less(g, x, op_number(g, t, 0.1)), op_square(g, x),
                   op_slice(g, p, 0, 1, 6, 1));
}
CASE(multiply_add) {
  UNUSED;
  return op_multiply_add(g, x, op_slice(g, p, 0, 0, 6, 1), op_element(g, p, 0, 9));
}
CASE(broadcast) {
  UNUSED;
  const sl_node column = op_reshape(g, op_slice(g, x, 0, 0, 3, 1), sl__shape2(3, 1));
  const sl_node row = op_reshape(g, op_slice(g, x, 0, 2, 4, 1), sl__shape2(1, 4));
  return op_multiply(g, op_add(g, column, part(g, p, 0, sl__shape2(1, 4))),
                     op_add(g, row, part(g, p, 8, sl__shape2(3, 4))));
}
CASE(strided) {
  UNUSED;
  return op_multiply(g, op_slice(g, x, 0, 0, 3, 2), op_slice(g, x, 0, 1, 3, 2));
}
CASE(softmax) {
  UNUSED;
  return op_softmax(
      g, op_reshape(g, op_multiply(g, x, op_slice(g, p, 0, 0, 6, 1)), sl__shape2(2, 3)), 1);
}
CASE(softmax_first) {
  UNUSED;
  return op_softmax(g, op_reshape(g, x, sl__shape2(3, 2)), 0);
}
CASE(log_sum_exp) {
  UNUSED;
  return op_log_sum_exp(g, op_reshape(g, x, sl__shape2(2, 3)), -1);
}
CASE(sum_middle) {
  UNUSED;
  return op_sum(
      g, op_multiply(g, op_reshape(g, x, sl__shape3(1, 3, 2)), part(g, p, 0, sl__shape3(2, 3, 2))),
      1);
}
/* Logarithms of numbers far apart, added up along an axis between others, and all of them. */
CASE(sum_log) {
  UNUSED;
  const sl_node size = positive(g, op_multiply(g, x, part(g, p, 0, sl__shape1(6))));
  const sl_node far = op_exp(g, op_scale(g, x, 20));
  const sl_node all = op_concatenate(g, 2, (sl_node[]){size, far}, 0);
  const sl_node middle = op_sum(g, op_log(g, op_reshape(g, all, sl__shape3(2, 3, 2))), 1);
  return op_multiply(g, middle, op_sum_all(g, op_log(g, all)));
}
CASE(sum_of_products) {
  UNUSED;
  const sl_node few = op_multiply(g, op_sin(g, x), part(g, p, 0, sl__shape1(6)));
  const sl_node halves =
      op_reshape(g, op_multiply(g, part(g, p, 6, sl__shape1(6)), x), sl__shape2(2, 3));
  return op_multiply(g, op_sum_all(g, few), op_sum_all(g, halves));
}
CASE(max) {
  UNUSED;
  return op_max(g, op_reshape(g, x, sl__shape2(3, 2)), 0);
}
CASE(cumulative_sum) {
  UNUSED;
  return op_cumulative_sum(g, op_reshape(g, op_square(g, x), sl__shape2(3, 2)), 0, false);
}
CASE(cumulative_reverse) {
  UNUSED;
  return op_cumulative_sum(g, op_square(g, x), 0, true);
}
CASE(gather) {
  UNUSED;
  return op_gather(g, op_square(g, x), 0, 4, (int32_t[]){5, 0, 0, 3});
}
CASE(gather_shared) {
  UNUSED;
  return op_multiply(g, x, op_gather(g, p, 0, 6, (int32_t[]){39, 2, 2, 8, 1, 0}));
}
CASE(concatenate) {
  UNUSED;
  const sl_node parts[3] = {op_exp(g, x), op_slice(g, p, 0, 0, 2, 1),
                            op_square(g, op_slice(g, x, 0, 1, 3, 1))};
  return op_tanh(g, op_concatenate(g, 3, parts, 0));
}
CASE(concatenate_second) {
  UNUSED;
  const sl_node m = op_reshape(g, x, sl__shape2(2, 3));
  return op_square(g,
                   op_concatenate(g, 2, (sl_node[]){op_exp(g, m), op_slice(g, m, 1, 1, 1, 1)}, 1));
}
CASE(growing) { /* the chain of prefixes of autoregressive sampling */
  UNUSED;
  sl_node prefix = op_tanh(g, op_slice(g, x, 0, 0, 1, 1));
  for (int d = 1; d < FEATURES; d++) {
    const sl_node w = op_slice(g, part(g, p, 0, sl__shape2(6, 6)), 0, d, 1, 1);
    const sl_node h = op_linear(g, op_slice(g, w, 1, 0, d, 1), 0, prefix, NULL);
    const sl_node piece = op_tanh(g, op_add(g, h, op_slice(g, x, 0, d, 1, 1)));
    prefix = op_concatenate(g, 2, (sl_node[]){prefix, piece}, 0);
  }
  return prefix;
}
CASE(take) {
  UNUSED;
  const sl_node table = op_multiply(g, part(g, p, 0, sl__shape2(4, 6)), x);
  return op_take(g, table, op_clamp(g, op_floor(g, op_shift(g, op_scale(g, x, 2), 2)), 0, 3), 0);
}
CASE(search) {
  UNUSED;
  const sl_node knots =
      op_cumulative_sum(g, positive(g, part(g, p, 0, sl__shape2(4, 6))), 0, false);
  const sl_node wide = op_broadcast(g, op_shift(g, knots, -2), sl__shape2(4, 6));
  const sl_node index =
      op_search(g, op_add(g, wide, op_scale(g, op_broadcast(g, x, sl__shape2(4, 6)), 0.01)), x, 0);
  return op_multiply(g, x, index);
}
#endif
