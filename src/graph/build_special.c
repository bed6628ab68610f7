/* Derivatives of the special functions of kernels/special.h. Those by shapes and orders are
 * operations of their own, whose derivatives are not available. */
#include <float.h>
#include <math.h>

#include "graph/operations.h"

/* x, but not 0: of a logarithm or a divisor. */
static sl_node above_zero(sl__graph *g, sl_node x) {
  return op_maximum(g, x, op_number(g, sl__node_type(g, x), FLT_MIN));
}

/* d log P / dx = exp(log term - log x - log P), term / x being the density. */
static sl_node tail_slope(sl__graph *g, sl_node log_term, sl_node x, sl_node log_tail) {
  const double least = sl__node_type(g, x) == SL_F32 ? -FLT_MAX : -DBL_MAX;
  const sl_node floor = op_number(g, sl__node_type(g, x), least);
  const sl_node tail = op_maximum(g, log_tail, floor); /* of an empty tail: no slope */
  const sl_node empty = op_less_equal(g, log_tail, floor);
  const sl_node slope =
      op_exp(g, op_subtract(g, op_subtract(g, log_term, op_log(g, above_zero(g, x))), tail));
  return op_select(g, empty, op_number(g, sl__node_type(g, x), 0), slope);
}

static void gradient_gamma(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node];
  const sl_node a = n.operand[0], x = n.operand[1];
  if (n.elementwise == SL__EW_log_gamma_term) {
    const sl_node by_shape = op_subtract(g, op_log(g, above_zero(g, x)), op_digamma(g, a));
    sl__contribute(tape, a, op_multiply(g, dy, by_shape));
    const sl_node by_x = op_shift(g, op_divide(g, a, above_zero(g, x)), -1);
    sl__contribute(tape, x, op_multiply(g, dy, by_x));
    return;
  }
  const bool lower = n.elementwise == SL__EW_log_gamma_p;
  const sl_node by_shape =
      lower ? op_log_gamma_p_by_shape(g, a, x) : op_log_gamma_q_by_shape(g, a, x);
  const sl_node by_x = tail_slope(g, op_log_gamma_term(g, a, x), x, node);
  sl__contribute(tape, a, op_multiply(g, dy, by_shape));
  sl__contribute(tape, x, op_multiply(g, lower ? dy : op_negate(g, dy), by_x));
}

/* x^a (1 - x)^b / B(a, b) by a: log x - digamma(a) + digamma(a + b); by the odds r:
 * a / r - (a + b) / (1 + r). */
static void gradient_beta(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node];
  const sl_node a = n.operand[0], b = n.operand[1], odds = n.operand[2];
  if (n.elementwise == SL__EW_log_beta_term) {
    const sl_node r = above_zero(g, odds), sum = op_add(g, a, b);
    const sl_node log_y = op_negate(g, op_log1p(g, r)), both = op_digamma(g, sum);
    const sl_node log_x = op_add(g, op_log(g, r), log_y);
    const sl_node by_a = op_add(g, log_x, op_subtract(g, both, op_digamma(g, a)));
    const sl_node by_b = op_add(g, log_y, op_subtract(g, both, op_digamma(g, b)));
    const sl_node by_odds =
        op_subtract(g, op_divide(g, a, r), op_divide(g, sum, op_shift(g, r, 1)));
    sl__contribute(tape, a, op_multiply(g, dy, by_a));
    sl__contribute(tape, b, op_multiply(g, dy, by_b));
    sl__contribute(tape, odds, op_multiply(g, dy, by_odds));
    return;
  }
  const sl_node by_odds = tail_slope(g, op_log_beta_term(g, a, b, odds), odds, node);
  sl__contribute(tape, a, op_multiply(g, dy, op_log_beta_lower_by_first(g, a, b, odds)));
  sl__contribute(tape, b, op_multiply(g, dy, op_log_beta_lower_by_second(g, a, b, odds)));
  sl__contribute(tape, odds, op_multiply(g, dy, by_odds));
}

/* z = the quantile of p: dz/dp = 1 / density(z), dz/da = -(dI/da) / density, I = p. */
static void gradient_quantile(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node];
  const sl_node a = n.operand[0], b = n.operand[1], p = n.operand[2], z = node;
  const sl_node rest = above_zero(g, op_shift(g, op_negate(g, z), 1));
  const sl_node odds = op_divide(g, z, rest);
  const sl_node log_term = op_log_beta_term(g, a, b, odds);
  const sl_node dz = op_multiply(g, dy, op_divide(g, op_multiply(g, z, rest), op_exp(g, log_term)));
  const sl_node times = op_negate(g, op_multiply(g, dz, p));
  sl__contribute(tape, p, dz);
  sl__contribute(tape, a, op_multiply(g, times, op_log_beta_lower_by_first(g, a, b, odds)));
  sl__contribute(tape, b, op_multiply(g, times, op_log_beta_lower_by_second(g, a, b, odds)));
}

/* Abramowitz and Stegun 9.1.27, 9.6.26; the order of J, Y and K is a whole number, and known. */
static void gradient_bessel(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node];
  const sl_node order = n.operand[0], x = n.operand[1], less = op_shift(g, order, -1);
  const sl_node ratio = op_divide(g, order, x);
  if (n.elementwise == SL__EW_log_bessel_i) {
    const sl_node next = op_log_bessel_i(g, op_shift(g, order, 1), x);
    const sl_node along = op_divide(g, order, above_zero(g, x));
    const sl_node by_x = op_add(g, op_exp(g, op_subtract(g, next, node)), along);
    sl__contribute(tape, order, op_multiply(g, dy, op_log_bessel_i_by_order(g, order, x)));
    sl__contribute(tape, x, op_multiply(g, dy, by_x));
    return;
  }
  sl_node before = 0;
  if (n.elementwise == SL__EW_bessel_j) before = op_bessel_j(g, less, x);
  if (n.elementwise == SL__EW_bessel_y) before = op_bessel_y(g, less, x);
  if (n.elementwise == SL__EW_bessel_k) before = op_negate(g, op_bessel_k(g, less, x));
  const sl_node slope = op_subtract(g, before, op_multiply(g, ratio, node));
  sl__contribute(tape, x, op_multiply(g, dy, slope));
}

static void gradient_owens_t(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl_node h = g->nodes[node].operand[0], a = g->nodes[node].operand[1];
  const sl_node half = op_scale(g, op_square(g, h), -0.5);
  const sl_node error = op_erf(g, op_scale(g, op_multiply(g, a, h), 0.70710678118654752440));
  const sl_node by_h = op_scale(g, op_multiply(g, op_exp(g, half), error), -0.19947114020071633897);
  const sl_node wide = op_shift(g, op_square(g, a), 1);
  const sl_node by_a = op_scale(g, op_divide(g, op_exp(g, op_multiply(g, half, wide)), wide),
                                0.15915494309189533577);
  sl__contribute(tape, h, op_multiply(g, dy, by_h));
  sl__contribute(tape, a, op_multiply(g, dy, by_a));
}

void sl__gradient_special(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  switch ((sl__elementwise)g->nodes[node].elementwise) {
    case SL__EW_log_gamma_p:
    case SL__EW_log_gamma_q:
    case SL__EW_log_gamma_term: gradient_gamma(tape, g, node, dy); break;
    case SL__EW_log_beta_lower:
    case SL__EW_log_beta_term: gradient_beta(tape, g, node, dy); break;
    case SL__EW_inv_inc_beta: gradient_quantile(tape, g, node, dy); break;
    case SL__EW_log_bessel_i:
    case SL__EW_bessel_j:
    case SL__EW_bessel_y:
    case SL__EW_bessel_k: gradient_bessel(tape, g, node, dy); break;
    case SL__EW_owens_t: gradient_owens_t(tape, g, node, dy); break;
    default:
      sl__graph_refuse(g, SL_UNSUPPORTED, "the derivative of %s is not available",
                       sl__elementwise_name((sl__elementwise)g->nodes[node].elementwise));
  }
}
