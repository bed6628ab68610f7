/* Functions of nodes that several densities need, in forms that do not cancel. */
#include <math.h>

#include "stan/distribution.h"

sl_node sl__density_standardise(sl__graph *g, sl_node y, sl_node location, sl_node scale) {
  return op_divide(g, op_subtract(g, y, location), scale);
}

sl_node sl__density_times_log(sl__graph *g, sl_node a, sl_node x) {
  const sl_node none = op_equal(g, a, sl__maths_real(g, 0));
  return op_multiply(g, a, op_log(g, op_select(g, none, sl__maths_real(g, 1), x)));
}

sl_node sl__density_times_log1m(sl__graph *g, sl_node a, sl_node x) {
  const sl_node zero = sl__maths_real(g, 0);
  return op_multiply(g, a, sl__maths_log1m(g, op_select(g, op_equal(g, a, zero), zero, x)));
}

/* What lgamma(x) has beyond Stirling's main terms (x - 1/2) log x - x + log(2 pi) / 2, x >= 10. */
static sl_node stirling_rest(sl__graph *g, sl_node x) {
  static const double series[] = {1.0 / 12,    -1.0 / 360, 1.0 / 1260,
                                  -1.0 / 1680, 1.0 / 1188, -691.0 / 360360};
  const int count = sizeof series / sizeof *series;
  const sl_node inverse = op_reciprocal(g, x), square = op_square(g, inverse);
  sl_node sum = sl__maths_real(g, series[count - 1]);
  for (int i = count - 2; i >= 0; i--)
    sum = op_multiply_add(g, sum, square, sl__maths_real(g, series[i]));
  return op_multiply(g, inverse, sum);
}

/* Beyond x = 10 the main terms are subtracted by hand. */
sl_node sl__density_log_rising(sl__graph *g, sl_node x, sl_node k) {
  const sl_node ten = sl__maths_real(g, 10), is_large = op_less(g, ten, x);
  const sl_node small = op_select(g, is_large, ten, x), large = op_select(g, is_large, x, ten);
  const sl_node direct = op_subtract(g, op_lgamma(g, op_add(g, small, k)), op_lgamma(g, small));
  const sl_node sum = op_add(g, large, k);
  const sl_node rest = op_subtract(g, stirling_rest(g, sum), stirling_rest(g, large));
  const sl_node main = op_multiply_add(g, k, op_shift(g, op_log(g, large), -1), rest);
  const sl_node far =
      op_multiply_add(g, op_shift(g, sum, -0.5), op_log1p(g, op_divide(g, k, large)), main);
  return op_select(g, is_large, far, direct);
}

/* I_0(x) exp(-x) is the mean of exp(x (cos t - 1)) over half a turn. The midpoint rule with M
 * points errs by I_2M(x) / I_0(x): below 1e-17 for M = 32 and x <= 50. */
static sl_node bessel_by_midpoints(sl__graph *g, sl_node x) {
  enum { POINTS = 32 };
  double height[POINTS];
  for (int i = 0; i < POINTS; i++) {
    const double sine = sin(SL__PI * (i + 0.5) / (2 * POINTS));
    height[i] = -2 * sine * sine;
  }
  const sl_shape shape = sl__node_shape(g, x);
  const sl_node points = op_constant(g, SL_F64, sl__shape1(POINTS), height);
  if (shape.dims > 0) x = op_reshape(g, x, sl__shape2(shape.size[0], 1));
  const sl_node sum = op_sum(g, op_exp(g, op_multiply(g, x, points)), -1);
  return op_log(g, op_scale(g, sum, 1.0 / POINTS));
}

/* Abramowitz and Stegun, 9.7.1: ten terms are exact to 1e-15 for x >= 50. */
static sl_node bessel_by_series(sl__graph *g, sl_node x) {
  const sl_node inverse = op_reciprocal(g, x), one = sl__maths_real(g, 1);
  sl_node sum = one;
  for (int k = 10; k >= 1; k--) {
    const double factor = (2 * k - 1) * (2 * k - 1) / (8.0 * k);
    sum = op_multiply_add(g, op_scale(g, inverse, factor), sum, one);
  }
  const sl_node scale = op_shift(g, op_scale(g, op_log(g, x), -0.5), -SL__HALF_LOG_TWO_PI);
  return op_add(g, op_log(g, sum), scale);
}

sl_node sl__density_log_bessel_i0(sl__graph *g, sl_node x) {
  const sl_node fifty = sl__maths_real(g, 50), is_large = op_less(g, fifty, x);
  const sl_node near = bessel_by_midpoints(g, op_select(g, is_large, fifty, x));
  const sl_node far = bessel_by_series(g, op_select(g, is_large, x, fifty));
  return op_add(g, x, op_select(g, is_large, far, near));
}

sl_node sl__density_log_multigamma(sl__graph *g, int32_t k, sl_node x) {
  sl_node sum = sl__maths_real(g, 0.25 * k * (k - 1.0) * SL__LOG_PI);
  for (int32_t j = 0; j < k; j++) sum = op_add(g, sum, op_lgamma(g, op_shift(g, x, -0.5 * j)));
  return sum;
}
