/* Mathematical functions of nodes, composed of the graph's operations.
 *
 * Two rules hold everywhere. A branch that is not taken must not make NaN, in values or
 * derivatives: so it is the inputs of branches that are selected. And where the derivative of a
 * composition would be inaccurate or needlessly long, value and slope come from formulas of their
 * own (with_slope). */
#include "stan/functions.h"
#include "stan/functions_series.h"

#include <float.h>
#include <math.h>

#define SQRT_HALF       0.70710678118654752440
#define HALF_LOG_TWO_PI 0.91893853320467274178
#define LN2             0.69314718055994530942

sl_node sl__maths_real(sl__graph *g, double number) {
  return op_number(g, SL_F64, number);
}

/* x - x, 0 in value and 1 in derivative, gives the slope its place; x is held finite for it. */
sl_node sl__maths_with_slope(sl__graph *g, sl_node value, sl_node x, sl_node slope) {
  const sl_node finite = op_clamp(g, x, -DBL_MAX, DBL_MAX);
  const sl_node nothing = op_subtract(g, finite, op_stop_gradient(g, finite));
  return op_multiply_add(g, slope, nothing, op_stop_gradient(g, value));
}

static sl_node polynomial(sl__graph *g, sl_node x, const double *coefficient, int count) {
  sl_node sum = sl__maths_real(g, coefficient[count - 1]);
  for (int i = count - 2; i >= 0; i--)
    sum = op_multiply_add(g, sum, x, sl__maths_real(g, coefficient[i]));
  return sum;
}
#define POLYNOMIAL(g, x, c) polynomial(g, x, c, (int)(sizeof(c) / sizeof *(c)))

sl_node sl__maths_inv_logit(sl__graph *g, sl_node a) {
  return op_sigmoid(g, a);
}

sl_node sl__maths_log_inv_logit(sl__graph *g, sl_node a) {
  return op_negate(g, op_softplus(g, op_negate(g, a)));
}

sl_node sl__maths_log1m_inv_logit(sl__graph *g, sl_node a) {
  return op_negate(g, op_softplus(g, a));
}

sl_node sl__maths_log1m(sl__graph *g, sl_node a) {
  return op_log1p(g, op_negate(g, a));
}

/* Maechler 2012, "Accurately computing log(1 - exp(-|a|))". */
sl_node sl__maths_log1m_exp(sl__graph *g, sl_node a) {
  const sl_node near = op_less(g, sl__maths_real(g, -LN2), a), half = sl__maths_real(g, -LN2);
  const sl_node a_near = op_select(g, near, a, half), a_far = op_select(g, near, half, a);
  return op_select(g, near, op_log(g, op_negate(g, op_expm1(g, a_near))),
                   op_log1p(g, op_negate(g, op_exp(g, a_far))));
}

sl_node sl__maths_trunc(sl__graph *g, sl_node a) {
  return op_multiply(g, op_sign(g, a), op_floor(g, op_absolute(g, a)));
}

sl_node sl__maths_root(sl__graph *g, sl_node a) {
  const sl_node zero = sl__maths_real(g, 0), none = op_equal(g, a, zero);
  return op_select(g, none, zero, op_sqrt(g, op_select(g, none, sl__maths_real(g, 1), a)));
}

sl_node sl__maths_pow(sl__graph *g, sl_node a, sl_node b) {
  const sl_node zero = sl__maths_real(g, 0), none = op_equal(g, a, zero);
  const sl_node regular = op_power(g, op_select(g, none, sl__maths_real(g, 1), a), b);
  return op_select(g, none, op_power(g, zero, op_stop_gradient(g, b)), regular);
}

/* ---- the normal distribution ---- */

/* log(erfc(x) exp(x^2)) for x >= 0, as log(t) + P(2 t - 1), t = 2 / (2 + x), P a Chebyshev fit in
 * powers: 2e-16 absolute. */
static sl_node log_scaled_erfc(sl__graph *g, sl_node x) {
  static const double fit[] = {
      -0.67179408405669214497,    0.67264322397765833157,      0.047343306841863521491,
      -0.046895610231328922775,   -0.0098726893640991801574,   0.0088249385613124711707,
      0.001758933507401978786,    -0.0023458125529977319907,   -0.00014624628741287333002,
      0.00067367913526963734829,  -0.000093738947726990318993, -0.00017430412992293733474,
      0.000071418104523954682434, 0.00003174693556746985747,   -0.00003023784100849305347,
      1.3989345236988563193e-7,   8.6625361650836898776e-6,    -2.9634839445010852296e-6,
      -1.4094468183958297561e-6,  1.2833947122762468901e-6,    -4.1467975015370833434e-8,
      -2.895625750705632525e-7,   7.7455505146637320091e-8,    2.980511942628600072e-8,
      -1.2776049410788688715e-8};
  const sl_node t = op_reciprocal(g, op_shift(g, op_scale(g, x, 0.5), 1));
  const sl_node s = op_shift(g, op_scale(g, t, 2), -1);
  return op_add(g, op_log(g, t), POLYNOMIAL(g, s, fit));
}

sl_node sl__maths_erfc(sl__graph *g, sl_node a) {
  const sl_node size = op_clamp(g, op_absolute(g, a), 0, 40), square = op_square(g, size);
  const sl_node tail = op_exp(g, op_subtract(g, log_scaled_erfc(g, size), square));
  const sl_node below = op_less(g, a, sl__maths_real(g, 0));
  const sl_node value = op_select(g, below, op_shift(g, op_negate(g, tail), 2), tail);
  const sl_node slope = op_scale(g, op_exp(g, op_negate(g, square)), -1.1283791670955126);
  return sl__maths_with_slope(g, value, a, slope);
}

sl_node sl__maths_phi(sl__graph *g, sl_node a) {
  return op_scale(g, sl__maths_erfc(g, op_scale(g, a, -SQRT_HALF)), 0.5);
}

/* The lower tail by logarithms throughout, the upper by log1p of the small rest. */
sl_node sl__maths_log_phi(sl__graph *g, sl_node a) {
  const sl_node size = op_scale(g, op_clamp(g, op_absolute(g, a), 0, 1e150), SQRT_HALF);
  const sl_node log_tail =
      op_shift(g, op_subtract(g, log_scaled_erfc(g, size), op_square(g, size)), -LN2);
  const sl_node below = op_less(g, a, sl__maths_real(g, 0));
  const sl_node value =
      op_select(g, below, log_tail, op_log1p(g, op_negate(g, op_exp(g, log_tail))));
  const sl_node exponent = op_add(g, op_square(g, size), value);
  const sl_node slope = op_exp(g, op_negate(g, op_shift(g, exponent, HALF_LOG_TWO_PI)));
  return sl__maths_with_slope(g, value, a, slope);
}

/* Wichura 1988, algorithm AS 241, for both tails by their logarithms. */
static sl_node quantile(sl__graph *g, sl_node log_p, sl_node log_q) {
  const sl_node lower = op_less(g, log_p, log_q), zero = sl__maths_real(g, 0);
  const sl_node log_tail = op_minimum(g, log_p, log_q), tail = op_exp(g, log_tail);
  const sl_node sign = op_shift(g, op_scale(g, lower, -2), 1);
  const sl_node q = op_shift(g, op_negate(g, tail), 0.5); /* distance from the middle, >= 0 */
  const sl_node r = op_maximum(g, op_shift(g, op_negate(g, op_square(g, q)), 0.180625), zero);
  const sl_node middle = op_divide(g, op_multiply(g, q, POLYNOMIAL(g, r, sl__quantile_centre_top)),
                                   POLYNOMIAL(g, r, sl__quantile_centre_bottom));
  const sl_node root = op_clamp(g, op_sqrt(g, op_negate(g, log_tail)), 0, 1e6);
  const sl_node close = op_less_equal(g, root, sl__maths_real(g, 5));
  const sl_node s = op_select(g, close, op_shift(g, root, -1.6), zero);
  const sl_node t = op_maximum(g, op_shift(g, root, -5), zero);
  const sl_node near = op_divide(g, POLYNOMIAL(g, s, sl__quantile_near_top),
                                 POLYNOMIAL(g, s, sl__quantile_near_bottom));
  const sl_node far = op_divide(g, POLYNOMIAL(g, t, sl__quantile_far_top),
                                POLYNOMIAL(g, t, sl__quantile_far_bottom));
  const sl_node central = op_less_equal(g, q, sl__maths_real(g, 0.425));
  const sl_node size = op_select(g, central, middle, op_select(g, close, near, far));
  return op_multiply(g, sign, size);
}

/* +-infinity where a tail is empty. */
static sl_node with_ends(sl__graph *g, sl_node z, sl_node log_p, sl_node log_q) {
  const sl_node lowest = sl__maths_real(g, -DBL_MAX), end = sl__maths_real(g, HUGE_VAL);
  z = op_select(g, op_less(g, log_p, lowest), op_negate(g, end), z);
  return op_select(g, op_less(g, log_q, lowest), end, z);
}

sl_node sl__maths_inv_phi(sl__graph *g, sl_node p) {
  const sl_node fixed = op_stop_gradient(g, p);
  const sl_node log_p = op_log(g, fixed), log_q = sl__maths_log1m(g, fixed);
  const sl_node z = quantile(g, log_p, log_q);
  const sl_node density =
      op_scale(g, op_exp(g, op_scale(g, op_square(g, z), -0.5)), 0.39894228040143267794);
  const sl_node value = sl__maths_with_slope(g, z, p, op_reciprocal(g, density));
  return with_ends(g, value, log_p, log_q);
}

sl_node sl__maths_log_quantile(sl__graph *g, sl_node log_p) {
  const sl_node fixed = op_stop_gradient(g, log_p), log_q = sl__maths_log1m_exp(g, fixed);
  const sl_node z = quantile(g, fixed, log_q);
  const sl_node log_density = op_shift(g, op_scale(g, op_square(g, z), -0.5), -HALF_LOG_TWO_PI);
  const sl_node slope = op_exp(g, op_subtract(g, fixed, log_density));
  return with_ends(g, sl__maths_with_slope(g, z, log_p, slope), fixed, log_q);
}

/* ---- sums of exponentials ---- */

/* b - a, or 0 where both are the same infinity. */
static sl_node difference(sl__graph *g, sl_node a, sl_node b) {
  const sl_node same = op_equal(g, a, b);
  const sl_node infinite = op_less(g, sl__maths_real(g, DBL_MAX), op_absolute(g, a));
  const sl_node both = op_multiply(g, same, infinite), zero = sl__maths_real(g, 0);
  return op_subtract(g, op_select(g, both, zero, b), op_select(g, both, zero, a));
}

/* The larger plus log1p(exp(-distance)), written so that equal arguments share the derivative. */
sl_node sl__maths_log_sum_exp(sl__graph *g, sl_node a, sl_node b) {
  const sl_node up = difference(g, a, b), swap = op_less(g, a, b);
  return op_select(g, swap, op_add(g, b, op_softplus(g, op_negate(g, up))),
                   op_add(g, a, op_softplus(g, up)));
}

sl_node sl__maths_log_diff_exp(sl__graph *g, sl_node a, sl_node b) {
  return op_add(g, a, sl__maths_log1m_exp(g, difference(g, a, b)));
}

sl_node sl__maths_log_mix(sl__graph *g, sl_node theta, sl_node a, sl_node b) {
  return sl__maths_log_sum_exp(g, op_add(g, op_log(g, theta), a),
                               op_add(g, sl__maths_log1m(g, theta), b));
}

sl_node sl__maths_lmultiply(sl__graph *g, sl_node a, sl_node b) {
  const sl_node zero = sl__maths_real(g, 0);
  const sl_node both = op_multiply(g, op_equal(g, a, zero), op_equal(g, b, zero));
  return op_multiply(g, a, op_log(g, op_select(g, both, sl__maths_real(g, 1), b)));
}

/* ---- beta functions ---- */

/* lgamma(x) less Stirling's main terms, x >= 10. */
static sl_node stirling_rest(sl__graph *g, sl_node x) {
  const sl_node inverse = op_reciprocal(g, x);
  return op_multiply(g, inverse, POLYNOMIAL(g, op_square(g, inverse), sl__stirling_series));
}

/* Three formulas, by whether none, one or both arguments are beyond 10, so that large ones lose no
 * digits; each is given arguments of its own domain. */
sl_node sl__maths_lbeta(sl__graph *g, sl_node a, sl_node b) {
  const sl_node ten = sl__maths_real(g, 10), one = sl__maths_real(g, 1);
  const sl_node swap = op_less(g, b, a);
  const sl_node x = op_select(g, swap, b, a), y = op_select(g, swap, a, b);
  const sl_node y_small = op_less(g, y, ten), x_small = op_less(g, x, ten);
  const sl_node x0 = op_select(g, y_small, x, one), y0 = op_select(g, y_small, y, one);
  const sl_node none = op_subtract(g, op_add(g, op_lgamma(g, x0), op_lgamma(g, y0)),
                                   op_lgamma(g, op_add(g, x0, y0)));
  const sl_node y1 = op_select(g, y_small, ten, y), x1 = op_select(g, y_small, one, x);
  const sl_node s = op_add(g, x1, y1), part = op_divide(g, x1, s);
  const sl_node large = op_subtract(g, stirling_rest(g, y1), stirling_rest(g, s));
  const sl_node log_rest = sl__maths_log1m(g, part);
  const sl_node xs = op_select(g, x_small, x1, one);
  const sl_node first =
      op_add(g, op_multiply_add(g, op_shift(g, y1, -0.5), log_rest, op_lgamma(g, xs)),
             op_multiply(g, xs, op_shift(g, op_negate(g, op_log(g, s)), 1)));
  const sl_node xl = op_select(g, x_small, ten, x1);
  const sl_node both = op_add(
      g, op_multiply_add(g, op_shift(g, xl, -0.5), op_log(g, part), stirling_rest(g, xl)),
      op_shift(g, op_subtract(g, op_multiply(g, y1, log_rest), op_scale(g, op_log(g, y1), 0.5)),
               HALF_LOG_TWO_PI));
  return op_select(g, y_small, none, op_add(g, large, op_select(g, x_small, first, both)));
}

sl_node sl__maths_lchoose(sl__graph *g, sl_node n, sl_node k) {
  const sl_node rest = op_shift(g, op_subtract(g, n, k), 1);
  return op_negate(g, op_add(g, op_log1p(g, n), sl__maths_lbeta(g, rest, op_shift(g, k, 1))));
}
