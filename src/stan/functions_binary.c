/* Elementwise functions of two and three arguments; scalars are repeated beside containers. */
#include "stan/functions.h"

#include <math.h>
#include <stdint.h>
#include "stan/trace.h"

#define PI 3.14159265358979323846

#define BINARY(name, number, node)                       \
  sl_status sl__stan_build_##name(sl__stan_call *call) { \
    return sl__call_binary(call, number, node);          \
  }
#define TERNARY(name, number, node)                      \
  sl_status sl__stan_build_##name(sl__stan_call *call) { \
    return sl__call_ternary(call, number, node);         \
  }

/* The same of functions that iterate: the more often, the larger their arguments are. They are
 * charged for the square root of the largest one, which series and fractions of the incomplete
 * gamma and beta functions need near their middle; Bessel functions, for all of it. */
enum { LEAST_ROUNDS = 16, MOST_ROUNDS = 1 << 16 };

static sl_status count_rounds(sl__stan_call *call, bool root) {
  double largest = 0, count = 1;
  for (int i = 0; i < call->count; i++) {
    const sl__stan_value *a = &call->argument[i];
    if (!sl__stan_is_known(a)) return SL_OK;
    const double *x = sl__stan_numbers(call, i);
    if (!x) return SL_NO_MEMORY;
    for (int64_t k = 0; k < a->count; k++) largest = fmax(largest, fabs(x[k]));
    count = fmax(count, (double)a->count);
  }
  const double rounds = fmin(LEAST_ROUNDS + (root ? sqrt(largest) : largest), MOST_ROUNDS);
  return sl__stan_work(call, SL__STAN_STEP_WORK * rounds * count);
}

#define ITERATED(name, form, root, number, node)         \
  sl_status sl__stan_build_##name(sl__stan_call *call) { \
    SL__TRY(count_rounds(call, root));                   \
    return sl__call_##form(call, number, node);          \
  }

/* ---- powers ---- */

/* Exponents that have an operation of their own: faster, and right where the base is 0. */
static sl_node power_of(sl__graph *g, sl_node a, double exponent) {
  if (exponent == 1) return a;
  if (exponent == 2) return op_square(g, a);
  if (exponent == 0.5) return op_sqrt(g, a);
  if (exponent == -1) return op_reciprocal(g, a);
  if (exponent == -2) return op_reciprocal(g, op_square(g, a));
  if (exponent == -0.5) return op_reciprocal(g, op_sqrt(g, a));
  return op_power(g, a, sl__maths_real(g, exponent));
}

sl_status sl__stan_build_pow(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0], *b = &call->argument[1];
  if (!sl__stan_is_known(b) || sl__stan_is_known(a))
    return sl__call_binary(call, pow, sl__maths_pow);
  if (b->dims > 0) return sl__call_binary(call, pow, op_power);
  const double *exponent = sl__stan_numbers(call, 1);
  if (!exponent) return SL_NO_MEMORY;
  return sl__call_give_node(call, a->dims, a->size,
                            power_of(sl__stan_graph(call), sl__stan_argument(call, 0), *exponent));
}

static sl_node ldexp_node(sl__graph *g, sl_node a, sl_node n) {
  return op_multiply(g, a, op_power(g, sl__maths_real(g, 2), n));
}
static double ldexp_number(double a, double n) {
  return a * exp2(n);
}
/* The larger side taken out, so that squares neither overflow nor vanish. */
static sl_node hypot_node(sl__graph *g, sl_node a, sl_node b) {
  const sl_node x = op_absolute(g, a), y = op_absolute(g, b), swap = op_less(g, x, y);
  const sl_node long_side = op_select(g, swap, y, x), short_side = op_select(g, swap, x, y);
  const sl_node none = op_equal(g, long_side, sl__maths_real(g, 0));
  const sl_node ratio =
      op_divide(g, short_side, op_select(g, none, sl__maths_real(g, 1), long_side));
  return op_multiply(g, long_side, op_sqrt(g, op_shift(g, op_square(g, ratio), 1)));
}
BINARY(hypot, hypot, hypot_node)
BINARY(ldexp, ldexp_number, ldexp_node)
BINARY(lmultiply, sl__number_lmultiply, sl__maths_lmultiply)

/* ---- the larger, the smaller, remainders, angles ---- */

/* A NaN gives way to the other argument, as in C. */
static sl_node unless_nan(sl__graph *g, sl_node a, sl_node b) {
  return op_select(g, op_equal(g, a, a), a, b);
}
static sl_node fmax_node(sl__graph *g, sl_node a, sl_node b) {
  return op_maximum(g, unless_nan(g, a, b), unless_nan(g, b, a));
}
static sl_node fmin_node(sl__graph *g, sl_node a, sl_node b) {
  return op_minimum(g, unless_nan(g, a, b), unless_nan(g, b, a));
}
static sl_node fdim_node(sl__graph *g, sl_node a, sl_node b) {
  return op_select(g, op_less_equal(g, a, b), sl__maths_real(g, 0), op_subtract(g, a, b));
}
static sl_node fmod_node(sl__graph *g, sl_node a, sl_node b) {
  return op_subtract(g, a, op_multiply(g, sl__maths_trunc(g, op_divide(g, a, b)), b));
}
/* The angle of the point (x, y): by the arctangent of the smaller side over the larger. */
static sl_node atan2_node(sl__graph *g, sl_node y, sl_node x) {
  const sl_node zero = sl__maths_real(g, 0), one = sl__maths_real(g, 1);
  const sl_node steep = op_less(g, op_absolute(g, x), op_absolute(g, y));
  const sl_node top = op_select(g, steep, x, y), bottom = op_select(g, steep, y, x);
  const sl_node none = op_equal(g, bottom, zero);
  const sl_node angle = op_atan(g, op_divide(g, top, op_select(g, none, one, bottom)));
  const sl_node side = op_select(g, op_less(g, y, zero), sl__maths_real(g, -1), one);
  const sl_node back = op_select(g, op_less(g, x, zero), op_scale(g, side, PI), zero);
  return op_select(g, steep, op_subtract(g, op_scale(g, side, PI / 2), angle),
                   op_add(g, angle, back));
}
BINARY(atan2, atan2, atan2_node)
BINARY(fdim, fdim, fdim_node)
BINARY(fmax, fmax, fmax_node)
BINARY(fmin, fmin, fmin_node)
BINARY(fmod, fmod, fmod_node)

/* ---- sums and differences of exponentials ---- */

static double log_diff_exp_number(double a, double b) {
  return a == b ? (a < INFINITY ? -INFINITY : NAN) : a + sl__number_log1m_exp(b - a);
}
/* log(inv_logit(x) - inv_logit(y)) */
static double log_inv_logit_diff_number(double x, double y) {
  return x - sl__number_log1p_exp(x) + sl__number_log1m_exp(y - x) - sl__number_log1p_exp(y);
}
static sl_node log_inv_logit_diff_node(sl__graph *g, sl_node x, sl_node y) {
  const sl_node gap = sl__maths_log1m_exp(g, op_subtract(g, y, x));
  return op_subtract(g, op_add(g, sl__maths_log_inv_logit(g, x), gap), op_softplus(g, y));
}
static double binary_log_loss_number(double y, double p) {
  return y != 0 ? -log(p) : -log1p(-p);
}
static sl_node binary_log_loss_node(sl__graph *g, sl_node y, sl_node p) {
  const sl_node off = sl__maths_real(g, 0.5);
  const sl_node yes = op_log(g, op_select(g, y, p, off));
  const sl_node no = sl__maths_log1m(g, op_select(g, y, off, p));
  return op_negate(g, op_select(g, y, yes, no));
}
BINARY(binary_log_loss, binary_log_loss_number, binary_log_loss_node)
BINARY(log_diff_exp, log_diff_exp_number, sl__maths_log_diff_exp)
BINARY(log_inv_logit_diff, log_inv_logit_diff_number, log_inv_logit_diff_node)

/* ---- gamma and beta functions ---- */

static double beta_number(double a, double b) {
  return exp(sl__number_lbeta(a, b));
}
static sl_node beta_node(sl__graph *g, sl_node a, sl_node b) {
  return op_exp(g, sl__maths_lbeta(g, a, b));
}
static double log_falling_number(double x, double n) {
  return lgamma(x + 1) - lgamma(x - n + 1);
}
static sl_node log_falling_node(sl__graph *g, sl_node x, sl_node n) {
  const sl_node more = op_shift(g, x, 1);
  return op_subtract(g, op_lgamma(g, more), op_lgamma(g, op_subtract(g, more, n)));
}
static double log_rising_number(double x, double n) {
  return lgamma(x + n) - lgamma(x);
}
static sl_node log_rising_node(sl__graph *g, sl_node x, sl_node n) {
  return op_subtract(g, op_lgamma(g, op_add(g, x, n)), op_lgamma(g, x));
}
BINARY(beta_function, beta_number, beta_node)
static sl_node gamma_p_node(sl__graph *g, sl_node a, sl_node x) {
  return op_exp(g, op_log_gamma_p(g, a, x));
}
static sl_node gamma_q_node(sl__graph *g, sl_node a, sl_node x) {
  return op_exp(g, op_log_gamma_q(g, a, x));
}
static sl_node inc_beta_node(sl__graph *g, sl_node a, sl_node b, sl_node x) {
  const sl_node odds = op_divide(g, x, op_shift(g, op_negate(g, x), 1));
  return op_exp(g, op_log_beta_lower(g, a, b, odds));
}
ITERATED(gamma_p, binary, true, sl__number_gamma_p, gamma_p_node)
ITERATED(gamma_q, binary, true, sl__number_gamma_q, gamma_q_node)
BINARY(lbeta, sl__number_lbeta, sl__maths_lbeta)
BINARY(lchoose, sl__number_lchoose, sl__maths_lchoose)
BINARY(log_falling_factorial, log_falling_number, log_falling_node)
BINARY(log_rising_factorial, log_rising_number, log_rising_node)
sl_status sl__stan_build_owens_t(sl__stan_call *call) {
  enum { QUADRATURE_WORK = 256 * SL__STAN_STEP_WORK };
  const int64_t a = call->argument[0].count, b = call->argument[1].count;
  if (sl__call_all_known(call))
    SL__TRY(sl__stan_work(call, QUADRATURE_WORK * (double)(a > b ? a : b)));
  return sl__call_binary(call, sl__special_owens_t, op_owens_t);
}
ITERATED(inc_beta, ternary, true, sl__special_inc_beta, inc_beta_node)
ITERATED(inv_inc_beta, ternary, true, sl__special_inv_inc_beta, op_inv_inc_beta)

/* ---- Bessel functions ---- */

/* exp(log I_|n|(|x|)); odd orders have the sign of x. */
static sl_node bessel_i_node(sl__graph *g, sl_node n, sl_node x) {
  const sl_node order = op_absolute(g, n), half = op_scale(g, order, 0.5);
  const sl_node odd = op_scale(g, op_subtract(g, half, op_floor(g, half)), 2);
  const sl_node size = op_exp(g, op_log_bessel_i(g, order, op_absolute(g, x)));
  const sl_node back = op_multiply(g, odd, op_less(g, x, sl__maths_real(g, 0)));
  return op_multiply(g, size, op_shift(g, op_scale(g, back, -2), 1));
}
ITERATED(bessel_first_kind, binary, false, sl__special_bessel_j, op_bessel_j)
ITERATED(bessel_second_kind, binary, false, sl__special_bessel_y, op_bessel_y)
ITERATED(log_modified_bessel_first_kind, binary, false, sl__number_log_bessel_i, op_log_bessel_i)
ITERATED(modified_bessel_first_kind, binary, false, sl__special_bessel_i, bessel_i_node)
ITERATED(modified_bessel_second_kind, binary, false, sl__special_bessel_k, op_bessel_k)

/* ---- fused, hypergeometric ---- */

static double fma_number(double a, double b, double c) {
  return fma(a, b, c);
}
TERNARY(fma, fma_number, op_multiply_add)

/* (1 - z)^-a */
static double hypergeometric_1f0_number(double a, double z) {
  return pow(1 - z, -a);
}
static sl_node hypergeometric_1f0_node(sl__graph *g, sl_node a, sl_node z) {
  return op_power(g, op_shift(g, op_negate(g, z), 1), op_negate(g, a));
}
BINARY(hypergeometric_1F0, hypergeometric_1f0_number, hypergeometric_1f0_node)
