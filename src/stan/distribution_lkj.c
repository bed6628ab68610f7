/* lkj_corr, lkj_corr_cholesky, lkj_cov (Lewandowski, Kurowicka and Joe 2009). The density of a
 * correlation matrix is det^(eta - 1) / c, where
 *   log c = sum_{j=1}^{k-1} (j / 2 log pi + lgamma(eta + (k - 1 - j) / 2))
 *           - (k - 1) lgamma(eta + (k - 1) / 2);
 * that of its factor L has the factor prod_{i=2}^k L_ii^(k - i) besides. */
#include <math.h>

#include "stan/distribution.h"

static const sl__rule shape = {"shape", SL__POSITIVE};

static sl_node log_constant(sl__graph *g, int32_t k, sl_node eta) {
  sl_node sum = sl__maths_real(g, 0.25 * k * (k - 1.0) * SL__LOG_PI);
  for (int32_t j = 1; j < k; j++)
    sum = op_add(g, sum, op_lgamma(g, op_shift(g, eta, 0.5 * (k - 1 - j))));
  const sl_node all = op_lgamma(g, op_shift(g, eta, 0.5 * (k - 1)));
  return op_subtract(g, sum, op_scale(g, all, k - 1));
}

/* A factor of a correlation matrix, [k,k] by rows: partial correlations are 2 beta - 1. */
static double *draw_factor(sl__stan_call *call, int32_t k, double eta) {
  double *l = sl__stan_memory(call, (size_t)k * (size_t)k, sizeof *l);
  double *left = sl__stan_memory(call, (size_t)k, sizeof *left); /* of each row's length 1 */
  if (!l || !left) return NULL;
  for (int32_t i = 0; i < k; i++) left[i] = 1;
  for (int32_t j = 0; j < k; j++) {
    l[(int64_t)j * k + j] = sqrt(left[j]);
    const double beta = eta + 0.5 * (k - 2 - j);
    for (int32_t i = j + 1; i < k; i++) {
      const double partial = 2 * sl__draw_beta(call, beta, beta) - 1;
      l[(int64_t)i * k + j] = partial * sqrt(left[i]);
      left[i] *= (1 - partial) * (1 + partial);
    }
  }
  return l;
}

enum { DRAW_WORK = 512 }; /* of a beta number */

static sl_status draw(sl__stan_call *call, bool factor) {
  int32_t k;
  if (!sl__call_all_known(call))
    return sl__stan_refuse(call, "an argument depends on a parameter; draws are made of known "
                                 "numbers");
  SL__TRY(sl__distribution_check(call, 1, &shape));
  SL__TRY(sl__call_size(call, 0, "dimension", 1, &k));
  const int32_t size[2] = {k, k};
  int64_t count;
  SL__TRY(sl__call_check_count(call, 2, size, &count));
  SL__TRY(sl__stan_work(call, (double)k * k * (DRAW_WORK + k)));
  const double *l = draw_factor(call, k, sl__stan_numbers(call, 1)[0]);
  if (!l) return SL_NO_MEMORY;
  if (factor) return sl__call_give_doubles(call, 2, size, l);
  double *out = sl__stan_memory(call, (size_t)count, sizeof *out);
  if (!out) return SL_NO_MEMORY;
  for (int32_t i = 0; i < k; i++)
    for (int32_t j = 0; j <= i; j++) {
      double sum = i == j ? 1 : 0;
      for (int32_t m = 0; i != j && m <= j; m++)
        sum += l[(int64_t)i * k + m] * l[(int64_t)j * k + m];
      out[(int64_t)i * k + j] = out[(int64_t)j * k + i] = sum;
    }
  return sl__call_give_doubles(call, 2, size, out);
}

/* (eta - 1) log det, less log c. */
static sl_status give(sl__stan_call *call, int32_t k, sl_node eta, sl_node log_det, sl_node more) {
  sl__graph *g = sl__stan_graph(call);
  sl__elements e = {.call = call, .g = g, .n = 1};
  sl__density_term(&e, op_negate(g, log_constant(g, k, eta)));
  sl__density_term(&e, op_multiply(g, op_shift(g, eta, -1), log_det));
  if (more) sl__density_term(&e, more);
  return sl__density_give(&e);
}

sl_status sl__stan_build_lkj_corr(sl__stan_call *call) {
  if (call->builtin->role == SL__STAN_RNG) return draw(call, false);
  sl__graph *g = sl__stan_graph(call);
  int32_t k;
  sl_node factor;
  SL__TRY(sl__vectors_square(call, 0, "correlation matrix", &k));
  SL__TRY(sl__distribution_check(call, 1, &shape));
  SL__TRY(sl__vectors_factor(call, 0, "correlation matrix", &factor));
  const sl_node rest = op_shift(g, op_diagonal(g, sl__stan_matrix(call, 0)), -1);
  SL__TRY(sl__stan_require(call, op_less(g, op_absolute(g, rest), sl__maths_real(g, 1e-8)),
                           "a correlation matrix must have a diagonal of ones"));
  const sl_node logs = op_sum_all(g, sl__vectors_log_diagonal(g, factor));
  return give(call, k, sl__stan_argument(call, 1), op_scale(g, logs, 2), 0);
}

sl_status sl__stan_build_lkj_corr_cholesky(sl__stan_call *call) {
  if (call->builtin->role == SL__STAN_RNG) return draw(call, true);
  sl__graph *g = sl__stan_graph(call);
  int32_t k;
  sl_node factor;
  SL__TRY(sl__vectors_square(call, 0, "Cholesky factor", &k));
  SL__TRY(sl__distribution_check(call, 1, &shape));
  SL__TRY(sl__vectors_lower(call, 0, "Cholesky factor", &factor));
  double *power = sl__stan_memory(call, (size_t)k, sizeof *power);
  if (!power) return SL_NO_MEMORY;
  for (int32_t i = 1; i < k; i++) power[i] = k - 1 - i;
  const sl_node logs = sl__vectors_log_diagonal(g, factor);
  const sl_node powers = op_constant(g, SL_F64, sl__shape1(k), power);
  return give(call, k, sl__stan_argument(call, 1), op_scale(g, op_sum_all(g, logs), 2),
              op_sum_all(g, op_multiply(g, powers, logs)));
}

/* lkj_cov(W | mu, sigma, eta): standard deviations are lognormal(mu, sigma), correlations lkj_corr.
 * It is a density of those, not of W. */
sl_status sl__stan_build_lkj_cov(sl__stan_call *call) {
  static const sl__rule scale = {"scale", SL__POSITIVE};
  sl__graph *g = sl__stan_graph(call);
  int32_t k;
  sl_node factor;
  SL__TRY(sl__vectors_square(call, 0, "covariance", &k));
  SL__TRY(sl__vectors_length(call, 1, "location", k));
  SL__TRY(sl__vectors_length(call, 2, "scale", k));
  SL__TRY(sl__distribution_check(call, 2, &scale));
  SL__TRY(sl__distribution_check(call, 3, &shape));
  SL__TRY(sl__vectors_factor(call, 0, "covariance", &factor));
  const sl_node sigma = sl__stan_argument(call, 2);
  const sl_node log_sd = op_scale(g, op_log(g, op_diagonal(g, sl__stan_matrix(call, 0))), 0.5);
  const sl_node z = sl__density_standardise(g, log_sd, sl__stan_argument(call, 1), sigma);
  const sl_node each =
      op_add(g, op_scale(g, op_square(g, z), 0.5), op_add(g, op_log(g, sigma), log_sd));
  const sl_node normal = op_negate(g, op_sum_all(g, op_shift(g, each, SL__HALF_LOG_TWO_PI)));
  const sl_node logs = op_subtract(g, sl__vectors_log_diagonal(g, factor), log_sd);
  return give(call, k, sl__stan_argument(call, 3), op_scale(g, op_sum_all(g, logs), 2), normal);
}
