/* wishart, inv_wishart, wishart_cholesky, inv_wishart_cholesky. With lower factors L of the variate
 * and T of the scale, tr(S^-1 W) = |T^-1 L|^2 and tr(S W^-1) = |L^-1 T|^2:
 *   wishart      -nu log det T + (nu - k - 1) log det L - |T^-1 L|^2 / 2
 *   inv_wishart   nu log det T - (nu + k + 1) log det L - |L^-1 T|^2 / 2
 * both less nu k / 2 log 2 + the log of the multivariate gamma function at nu / 2. A density of L
 * itself has k log 2 + sum_i (k - i + 1) log L_ii besides. */
#include <math.h>

#include "stan/distribution.h"

typedef struct kind {
  bool inverse, factor; /* factor: variate and scale are Cholesky factors */
} kind;

static const char *scale_name(kind is) {
  return is.factor ? "scale's factor" : "scale";
}

/* ---- densities ---- */

/* k log 2 + sum_i (k - i + 1) log L_ii */
static sl_node jacobian(sl__stan_call *call, int32_t k, sl_node logs) {
  sl__graph *g = sl__stan_graph(call);
  double *power = sl__stan_memory(call, (size_t)k, sizeof *power);
  if (!power) return 0;
  for (int32_t i = 0; i < k; i++) power[i] = k - i;
  const sl_node powers = op_constant(g, SL_F64, sl__shape1(k), power);
  return op_shift(g, op_sum_all(g, op_multiply(g, powers, logs)), k * SL__LN2);
}

static sl_status check_degrees(sl__stan_call *call, int32_t k) {
  sl__graph *g = sl__stan_graph(call);
  const sl_node enough = op_less(g, sl__maths_real(g, k - 1), sl__stan_argument(call, 1));
  return sl__stan_require(call, enough, "degrees of freedom must be more than %d", k - 1);
}

static sl_status read_factor(sl__stan_call *call, int i, kind is, const char *what,
                             sl_node *factor) {
  if (is.factor) return sl__vectors_lower(call, i, what, factor);
  return sl__vectors_factor(call, i, what, factor);
}

static sl_status density(sl__stan_call *call, kind is) {
  sl__graph *g = sl__stan_graph(call);
  int32_t k, scale_k;
  sl_node variate, scale;
  SL__TRY(sl__vectors_square(call, 0, "variate", &k));
  SL__TRY(sl__vectors_square(call, 2, scale_name(is), &scale_k));
  if (k != scale_k)
    return sl__stan_refuse(call, "the variate is %d x %d, but the scale %d x %d", k, k, scale_k,
                           scale_k);
  SL__TRY(check_degrees(call, k));
  SL__TRY(read_factor(call, 0, is, "variate", &variate));
  SL__TRY(read_factor(call, 2, is, scale_name(is), &scale));
  const sl_node nu = sl__stan_argument(call, 1), half = op_scale(g, nu, 0.5);
  const sl_node logs = sl__vectors_log_diagonal(g, variate);
  const sl_node log_l = op_sum_all(g, logs);
  const sl_node log_t = op_sum_all(g, sl__vectors_log_diagonal(g, scale));
  const sl_node white = is.inverse ? op_triangular_solve(g, variate, scale, false, false, false)
                                   : op_triangular_solve(g, scale, variate, false, false, false);
  const sl_node ratio = op_subtract(g, log_l, log_t);
  sl__elements e = {.call = call, .g = g, .n = 1};
  sl__density_term(&e, op_scale(g, half, -k * SL__LN2));
  sl__density_term(&e, op_negate(g, sl__density_log_multigamma(g, k, half)));
  sl__density_term(&e, op_multiply(g, is.inverse ? op_negate(g, nu) : nu, ratio));
  sl__density_term(&e, op_scale(g, log_l, -(k + 1)));
  sl__density_term(&e, op_scale(g, op_sum_all(g, op_square(g, white)), -0.5));
  if (is.factor) sl__density_term(&e, jacobian(call, k, logs));
  return sl__density_give(&e);
}

/* ---- draws, by Bartlett's decomposition: matrices are by rows, [k,k] ---- */

/* Lower triangular: roots of chi-square numbers on the diagonal, normal ones below. */
static void draw_bartlett(sl__stan_call *call, int32_t k, double nu, double *a) {
  for (int32_t i = 0; i < k; i++) {
    for (int32_t j = 0; j < i; j++) a[(int64_t)i * k + j] = sl__stan_normal(call);
    a[(int64_t)i * k + i] = sqrt(2 * sl__draw_gamma(call, 0.5 * (nu - i)));
  }
}

/* out = t a, all lower. */
static void multiply_lower(int32_t k, const double *t, const double *a, double *out) {
  for (int32_t i = 0; i < k; i++)
    for (int32_t j = 0; j <= i; j++)
      for (int32_t m = j; m <= i; m++)
        out[(int64_t)i * k + j] += t[(int64_t)i * k + m] * a[(int64_t)m * k + j];
}

/* Row i of out solves x a' = row i of t: out = t a'^-1, full. */
static void divide_lower(int32_t k, const double *t, const double *a, double *out) {
  for (int32_t i = 0; i < k; i++)
    for (int32_t j = 0; j < k; j++) out[(int64_t)i * k + j] = j <= i ? t[(int64_t)i * k + j] : 0;
  for (int32_t i = 0; i < k; i++)
    for (int32_t j = 0; j < k; j++) {
      double *x = out + (int64_t)i * k;
      for (int32_t m = 0; m < j; m++) x[j] -= x[m] * a[(int64_t)j * k + m];
      x[j] /= a[(int64_t)j * k + j];
    }
}

/* out = b b' */
static void square_rows(int32_t k, const double *b, double *out) {
  for (int32_t i = 0; i < k; i++)
    for (int32_t j = 0; j < k; j++) {
      double sum = 0;
      for (int32_t m = 0; m < k; m++) sum += b[(int64_t)i * k + m] * b[(int64_t)j * k + m];
      out[(int64_t)i * k + j] = sum;
    }
}

/* A wishart draw is (T A) (T A)'; an inverse one, whose inverse has the scale S^-1, is
 * (T A'^-1) (T A'^-1)'. */
static sl_status draw(sl__stan_call *call, kind is) {
  int32_t k;
  if (!sl__call_all_known(call))
    return sl__stan_refuse(call, "an argument depends on a parameter; draws are made of known "
                                 "numbers");
  SL__TRY(sl__vectors_square(call, 1, scale_name(is), &k));
  SL__TRY(sl__stan_work(call, 5.0 * k * k * k));
  const double nu = sl__stan_numbers(call, 0)[0], *scale = sl__stan_numbers(call, 1);
  const size_t count = (size_t)k * (size_t)k;
  if (!(nu > k - 1))
    return sl__stan_refuse_value(call, "degrees of freedom must be more than %d", k - 1);
  double *t = sl__stan_memory(call, count, sizeof *t), *a = sl__stan_memory(call, count, sizeof *a);
  double *b = sl__stan_memory(call, count, sizeof *b);
  double *out = sl__stan_memory(call, count, sizeof *out);
  if (!scale || !t || !a || !b || !out) return SL_NO_MEMORY;
  if (!is.factor && !sl__vectors_factorise(k, scale, t))
    return sl__stan_refuse_value(call, "scale must be positive definite");
  const int32_t size[2] = {k, k};
  draw_bartlett(call, k, nu, a);
  if (is.inverse)
    divide_lower(k, is.factor ? scale : t, a, b);
  else
    multiply_lower(k, is.factor ? scale : t, a, b);
  if (is.factor && !is.inverse) return sl__call_give_doubles(call, 2, size, b);
  square_rows(k, b, out);
  if (!is.factor) return sl__call_give_doubles(call, 2, size, out);
  if (!sl__vectors_factorise(k, out, t))
    return sl__stan_refuse_value(call, "a draw is not positive definite in double precision");
  return sl__call_give_doubles(call, 2, size, t);
}

static sl_status build(sl__stan_call *call, kind is) {
  return call->builtin->role == SL__STAN_RNG ? draw(call, is) : density(call, is);
}

sl_status sl__stan_build_wishart(sl__stan_call *call) {
  return build(call, (kind){false, false});
}
sl_status sl__stan_build_inv_wishart(sl__stan_call *call) {
  return build(call, (kind){true, false});
}
sl_status sl__stan_build_wishart_cholesky(sl__stan_call *call) {
  return build(call, (kind){false, true});
}
sl_status sl__stan_build_inv_wishart_cholesky(sl__stan_call *call) {
  return build(call, (kind){true, true});
}
