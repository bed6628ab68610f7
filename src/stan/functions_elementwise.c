/* Elementwise functions of one argument: for each the function of a known number and, unless the
 * engine has an operation for it, its nodes. The table is at the end. */
#include "stan/functions.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define SQRT_HALF 0.70710678118654752440
#define PI        3.14159265358979323846

/* ---- integers in, integers out ---- */

sl_status sl__stan_build_abs(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  if (!sl__call_is_integers(a)) return sl__call_unary(call, fabs, op_absolute);
  int64_t *out = sl__stan_memory(call, (size_t)a->count, sizeof *out);
  if (!out) return SL_NO_MEMORY;
  for (int64_t k = 0; k < a->count; k++) out[k] = llabs(a->integers[k]);
  return sl__stan_give_integers(call, a->dims, a->size, out);
}

/* Answers yes (1) or no (0) about a real, as an integer. */
static sl_status give_answer(sl__stan_call *call, double (*number)(double), sl__call_node1 *node) {
  const sl__stan_value *a = &call->argument[0];
  if (!sl__stan_is_known(a))
    return sl__call_give_node(call, 0, a->size,
                              node(sl__stan_graph(call), sl__stan_argument(call, 0)));
  const double *x = sl__stan_numbers(call, 0);
  if (!x) return SL_NO_MEMORY;
  return sl__call_give_integer(call, (int64_t)number(*x));
}

static double step_number(double x) {
  return x < 0 ? 0 : 1;
}
static sl_node step_node(sl__graph *g, sl_node a) {
  return op_shift(g, op_negate(g, op_less(g, a, sl__maths_real(g, 0))), 1);
}
static double int_step_number(double x) {
  return x > 0 ? 1 : 0;
}
static sl_node int_step_node(sl__graph *g, sl_node a) {
  return op_less(g, sl__maths_real(g, 0), a);
}
static double is_inf_number(double x) {
  return isinf(x) ? 1 : 0;
}
static sl_node is_inf_node(sl__graph *g, sl_node a) {
  return op_less(g, sl__maths_real(g, DBL_MAX), op_absolute(g, a));
}
static double is_nan_number(double x) {
  return isnan(x) ? 1 : 0;
}
static sl_node is_nan_node(sl__graph *g, sl_node a) {
  return op_shift(g, op_negate(g, op_equal(g, a, a)), 1);
}

sl_status sl__stan_build_int_step(sl__stan_call *call) {
  return give_answer(call, int_step_number, int_step_node);
}
sl_status sl__stan_build_is_inf(sl__stan_call *call) {
  return give_answer(call, is_inf_number, is_inf_node);
}
sl_status sl__stan_build_is_nan(sl__stan_call *call) {
  return give_answer(call, is_nan_number, is_nan_node);
}

/* Towards zero. */
sl_status sl__stan_build_to_int(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  if (sl__call_is_integers(a)) return sl__call_cut(call, 0, 0, a->dims, a->size, 0);
  if (!sl__stan_is_known(a)) return sl__stan_refuse(call, "its argument depends on a parameter");
  const double *x = sl__stan_numbers(call, 0);
  int64_t *out = sl__stan_memory(call, (size_t)a->count, sizeof *out);
  if (!x || !out) return SL_NO_MEMORY;
  for (int64_t k = 0; k < a->count; k++) {
    if (!(fabs(x[k]) < 2147483648.0))
      return sl__stan_refuse_value(call, "%g is not in the range of integers", x[k]);
    out[k] = (int64_t)x[k];
  }
  return sl__stan_give_integers(call, a->dims, a->size, out);
}

/* ---- rounding ---- */

static sl_node ceil_node(sl__graph *g, sl_node a) {
  return op_negate(g, op_floor(g, op_negate(g, a)));
}

/* Halves away from zero; |a| + 1/2 would round up what is just below a half. */
static sl_node round_node(sl__graph *g, sl_node a) {
  const sl_node size = op_absolute(g, a), down = op_floor(g, size);
  const sl_node up = op_less_equal(g, sl__maths_real(g, 0.5), op_subtract(g, size, down));
  return op_multiply(g, op_sign(g, a), op_add(g, down, up));
}

/* ---- powers, exponentials, logarithms ---- */

static double inv_number(double x) {
  return 1 / x;
}
static double inv_square_number(double x) {
  return 1 / (x * x);
}
static sl_node inv_square_node(sl__graph *g, sl_node a) {
  return op_reciprocal(g, op_square(g, a));
}
static double inv_sqrt_number(double x) {
  return 1 / sqrt(x);
}
static sl_node inv_sqrt_node(sl__graph *g, sl_node a) {
  return op_reciprocal(g, op_sqrt(g, a));
}
static double square_number(double x) {
  return x * x;
}
static sl_node cbrt_node(sl__graph *g, sl_node a) {
  return op_multiply(g, op_sign(g, a), op_power(g, op_absolute(g, a), sl__maths_real(g, 1.0 / 3)));
}
static sl_node exp2_node(sl__graph *g, sl_node a) {
  return op_power(g, sl__maths_real(g, 2), a);
}
static sl_node log2_node(sl__graph *g, sl_node a) {
  return op_scale(g, op_log(g, a), 1.4426950408889634074);
}
static sl_node log10_node(sl__graph *g, sl_node a) {
  return op_scale(g, op_log(g, a), 0.43429448190325182765);
}
static double log1m_number(double x) {
  return log1p(-x);
}

/* log2() and log10() are the constants log(2) and log(10). */
sl_status sl__stan_build_log2(sl__stan_call *call) {
  if (call->count == 0) return sl__call_give_real(call, 0.69314718055994530942);
  return sl__call_unary(call, log2, log2_node);
}
sl_status sl__stan_build_log10(sl__stan_call *call) {
  if (call->count == 0) return sl__call_give_real(call, 2.3025850929940456840);
  return sl__call_unary(call, log10, log10_node);
}

/* ---- links ---- */

static double logit_number(double x) {
  return log(x) - log1p(-x);
}
static sl_node logit_node(sl__graph *g, sl_node a) {
  return op_subtract(g, op_log(g, a), sl__maths_log1m(g, a));
}
static double log_inv_logit_number(double x) {
  return -sl__number_log1p_exp(-x);
}
static double log1m_inv_logit_number(double x) {
  return -sl__number_log1p_exp(x);
}
static double inv_cloglog_number(double x) {
  return -expm1(-exp(x));
}
static sl_node inv_cloglog_node(sl__graph *g, sl_node a) {
  return op_negate(g, op_expm1(g, op_negate(g, op_exp(g, a))));
}
/* Bowling et al. 2009. */
static double phi_approx_number(double x) {
  return sl__number_inv_logit(x * (0.07056 * x * x + 1.5976));
}
static sl_node phi_approx_node(sl__graph *g, sl_node a) {
  const sl_node factor = op_shift(g, op_scale(g, op_square(g, a), 0.07056), 1.5976);
  return op_sigmoid(g, op_multiply(g, a, factor));
}
static double inv_erfc_number(double x) {
  return -SQRT_HALF * sl__number_inv_phi(0.5 * x);
}
static sl_node inv_erfc_node(sl__graph *g, sl_node a) {
  return op_scale(g, sl__maths_inv_phi(g, op_scale(g, a, 0.5)), -SQRT_HALF);
}
static double log_quantile_number(double x) {
  return sl__number_normal_quantile(x, sl__number_log1m_exp(x));
}

/* ---- trigonometric and hyperbolic ---- */

static sl_node asin_node(sl__graph *g, sl_node a) {
  const sl_node one_less = op_shift(g, op_negate(g, a), 1), one_more = op_shift(g, a, 1);
  return op_atan(g, op_divide(g, a, op_sqrt(g, op_multiply(g, one_less, one_more))));
}
static sl_node acos_node(sl__graph *g, sl_node a) {
  const sl_node one_less = op_shift(g, op_negate(g, a), 1), one_more = op_shift(g, a, 1);
  return op_scale(g, op_atan(g, op_sqrt(g, op_divide(g, one_less, one_more))), 2);
}
/* log(1 + t + sqrt(t (t + 2))), t = a - 1. */
static sl_node acosh_node(sl__graph *g, sl_node a) {
  const sl_node t = op_shift(g, a, -1);
  const sl_node root = op_multiply(g, op_sqrt(g, t), op_sqrt(g, op_shift(g, a, 1)));
  return op_log1p(g, op_add(g, t, root));
}
static sl_node atanh_node(sl__graph *g, sl_node a) {
  return op_scale(g, op_subtract(g, op_log1p(g, a), sl__maths_log1m(g, a)), 0.5);
}
static sl_node tan_node(sl__graph *g, sl_node a) {
  return op_divide(g, op_sin(g, a), op_cos(g, a));
}

/* ---- gamma functions, errors, Lambert's W ---- */

static sl_node tgamma_node(sl__graph *g, sl_node a) {
  const sl_node size = op_exp(g, op_lgamma(g, a)), down = op_floor(g, a);
  const sl_node half = op_scale(g, down, 0.5); /* odd floors of negative numbers: a minus sign */
  const sl_node odd = op_scale(g, op_subtract(g, half, op_floor(g, half)), 2);
  const sl_node negative = op_multiply(g, op_less(g, a, sl__maths_real(g, 0)), odd);
  return op_multiply(g, size, op_shift(g, op_scale(g, negative, -2), 1));
}

/* w exp(w), increasing above -1; with w = -v, v > 1, it is the other branch. */
static sl_node times_exp(void *user, sl__graph *g, sl_node w) {
  (void)user;
  return op_multiply(g, w, op_exp(g, w));
}
static sl_node minus_times_exp(void *user, sl__graph *g, sl_node v) {
  (void)user;
  return op_negate(g, op_multiply(g, v, op_exp(g, op_negate(g, v))));
}
static sl_node lambert_w0_node(sl__graph *g, sl_node a) {
  const sl_node high = op_log1p(g, op_maximum(g, a, sl__maths_real(g, 0)));
  return op_root(g, a, sl__maths_real(g, -1), high, times_exp, NULL);
}
/* v < 1 - 2 log(-a) */
static sl_node lambert_wm1_node(sl__graph *g, sl_node a) {
  const sl_node high = op_shift(g, op_scale(g, op_log(g, op_negate(g, a)), -2), 1);
  return op_negate(g, op_root(g, a, sl__maths_real(g, 1), high, minus_times_exp, NULL));
}

/* The library's lgamma writes its sign where other threads see it. */
static double log_gamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

/* ---- the table: name, function of a known number, nodes ---- */

#define FUNCTIONS(UNARY)                                                    \
  UNARY(acos, acos, acos_node)                                              \
  UNARY(acosh, acosh, acosh_node)                                           \
  UNARY(asin, asin, asin_node)                                              \
  UNARY(asinh, asinh, op_asinh)                                             \
  UNARY(atan, atan, op_atan)                                                \
  UNARY(atanh, atanh, atanh_node)                                           \
  UNARY(cbrt, cbrt, cbrt_node)                                              \
  UNARY(ceil, ceil, ceil_node)                                              \
  UNARY(cos, cos, op_cos)                                                   \
  UNARY(cosh, cosh, op_cosh)                                                \
  UNARY(digamma, sl__special_digamma, op_digamma)                           \
  UNARY(erf, erf, op_erf)                                                   \
  UNARY(erfc, erfc, sl__maths_erfc)                                         \
  UNARY(exp, exp, op_exp)                                                   \
  UNARY(exp2, exp2, exp2_node)                                              \
  UNARY(expm1, expm1, op_expm1)                                             \
  UNARY(floor, floor, op_floor)                                             \
  UNARY(inv, inv_number, op_reciprocal)                                     \
  UNARY(inv_cloglog, inv_cloglog_number, inv_cloglog_node)                  \
  UNARY(inv_erfc, inv_erfc_number, inv_erfc_node)                           \
  UNARY(inv_logit, sl__number_inv_logit, sl__maths_inv_logit)               \
  UNARY(inv_Phi, sl__number_inv_phi, sl__maths_inv_phi)                     \
  UNARY(inv_sqrt, inv_sqrt_number, inv_sqrt_node)                           \
  UNARY(inv_square, inv_square_number, inv_square_node)                     \
  UNARY(lambert_w0, sl__number_lambert_w0, lambert_w0_node)                 \
  UNARY(lambert_wm1, sl__number_lambert_wm1, lambert_wm1_node)              \
  UNARY(lgamma, log_gamma, op_lgamma)                                       \
  UNARY(log, log, op_log)                                                   \
  UNARY(log1m, log1m_number, sl__maths_log1m)                               \
  UNARY(log1m_exp, sl__number_log1m_exp, sl__maths_log1m_exp)               \
  UNARY(log1m_inv_logit, log1m_inv_logit_number, sl__maths_log1m_inv_logit) \
  UNARY(log1p, log1p, op_log1p)                                             \
  UNARY(log1p_exp, sl__number_log1p_exp, op_softplus)                       \
  UNARY(log_inv_logit, log_inv_logit_number, sl__maths_log_inv_logit)       \
  UNARY(logit, logit_number, logit_node)                                    \
  UNARY(Phi, sl__number_phi, sl__maths_phi)                                 \
  UNARY(Phi_approx, phi_approx_number, phi_approx_node)                     \
  UNARY(round, round, round_node)                                           \
  UNARY(sin, sin, op_sin)                                                   \
  UNARY(sinh, sinh, op_sinh)                                                \
  UNARY(sqrt, sqrt, op_sqrt)                                                \
  UNARY(square, square_number, op_square)                                   \
  UNARY(std_normal_log_qf, log_quantile_number, sl__maths_log_quantile)     \
  UNARY(std_normal_qf, sl__number_inv_phi, sl__maths_inv_phi)               \
  UNARY(step, step_number, step_node)                                       \
  UNARY(tan, tan, tan_node)                                                 \
  UNARY(tanh, tanh, op_tanh)                                                \
  UNARY(tgamma, tgamma, tgamma_node)                                        \
  UNARY(trigamma, sl__special_trigamma, op_trigamma)                        \
  UNARY(trunc, trunc, sl__maths_trunc)

#define BUILDER(name, number, node)                      \
  sl_status sl__stan_build_##name(sl__stan_call *call) { \
    return sl__call_unary(call, number, node);           \
  }
FUNCTIONS(BUILDER)

#define ROW(name, number, node) {sl__stan_build_##name, number},
sl__call_number1 *sl__call_number_of(const sl__stan_builtin *builtin) {
  static const struct {
    sl_status (*build)(sl__stan_call *call);
    sl__call_number1 *number;
  } rows[] = {FUNCTIONS(ROW)};
  for (size_t i = 0; builtin->build && i < sizeof rows / sizeof *rows; i++)
    if (rows[i].build == builtin->build) return rows[i].number;
  return NULL;
}
