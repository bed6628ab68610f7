/* dirichlet and dirichlet_multinomial. */
#include <math.h>

#include "stan/distribution.h"

static const sl__rule concentration = {"concentration", SL__POSITIVE};

/* log of gamma draws of shapes alpha [k]. */
static double *draw_log_gammas(sl__stan_call *call, int32_t k) {
  const double *alpha = sl__stan_numbers(call, 0);
  double *draw = sl__stan_memory(call, (size_t)k, sizeof *draw);
  double most = -HUGE_VAL, sum = 0;
  if (!draw || !alpha) return NULL;
  for (int32_t i = 0; i < k; i++) {
    draw[i] = sl__draw_log_gamma(call, alpha[i]);
    most = fmax(most, draw[i]);
  }
  for (int32_t i = 0; i < k; i++) sum += draw[i] = exp(draw[i] - most);
  for (int32_t i = 0; i < k; i++) draw[i] /= sum;
  return draw;
}

/* What a draw needs of its first argument. */
static sl_status open_draw(sl__stan_call *call, int32_t *k) {
  *k = (int32_t)call->argument[0].count;
  SL__TRY(sl__distribution_check(call, 0, &concentration));
  if (*k == 0) return sl__stan_refuse(call, "there are no categories");
  if (sl__call_all_known(call)) return SL_OK;
  return sl__stan_refuse(call, "an argument depends on a parameter; draws are made of known "
                               "numbers");
}

/* ---- dirichlet(theta | alpha): Gamma(sum alpha) prod_k theta_k^(alpha_k - 1) / Gamma(alpha_k)
 * ---- */

/* Variates sum to 1 within 1e-8. */
static sl_status check_simplexes(sl__stan_call *call, sl_node theta) {
  sl__graph *g = sl__stan_graph(call);
  SL__TRY(sl__distribution_check(call, 0, &(sl__rule){"variate", SL__NOT_NEGATIVE}));
  const sl_node rest = op_absolute(g, op_shift(g, op_sum(g, theta, -1), -1));
  return sl__stan_require(call, op_less_equal(g, rest, sl__maths_real(g, 1e-8)),
                          "a variate's elements must sum to 1");
}

/* [rows,k], or [k] of one vector. */
static sl_node shaped(sl__stan_call *call, int i, sl__vectors v) {
  const sl_node flat = sl__stan_argument(call, i);
  return v.is_array ? op_reshape(sl__stan_graph(call), flat, sl__shape2(v.rows, v.k)) : flat;
}

sl_status sl__stan_build_dirichlet(sl__stan_call *call) {
  if (call->builtin->role == SL__STAN_RNG) {
    int32_t k;
    SL__TRY(open_draw(call, &k));
    const double *draw = draw_log_gammas(call, k);
    return draw ? sl__call_give_doubles(call, 1, &k, draw) : SL_NO_MEMORY;
  }
  const sl__vectors y = sl__vectors_of(&call->argument[0]);
  const sl__vectors a = sl__vectors_of(&call->argument[1]);
  SL__TRY(sl__vectors_length(call, 1, "concentration", y.k));
  if (y.is_array && a.is_array && y.rows != a.rows)
    return sl__stan_refuse(call, "there are %d variates, but %d vectors of concentrations", y.rows,
                           a.rows);
  if (call->argument[0].count == 0 || call->argument[1].count == 0)
    return sl__call_give_real(call, 0);
  SL__TRY(sl__distribution_check(call, 1, &concentration));
  sl__graph *g = sl__stan_graph(call);
  const sl_node theta = shaped(call, 0, y), alpha = shaped(call, 1, a);
  SL__TRY(check_simplexes(call, theta));
  const sl_node scale =
      op_subtract(g, op_lgamma(g, op_sum(g, alpha, -1)), op_sum(g, op_lgamma(g, alpha), -1));
  const double times = y.is_array && !a.is_array ? y.rows : 1;
  const sl_node terms = sl__density_times_log(g, op_shift(g, alpha, -1), theta);
  sl__elements e = {.call = call, .g = g, .n = 1};
  sl__density_term(&e, op_scale(g, op_sum_all(g, scale), times));
  sl__density_term(&e, terms);
  return sl__density_give(&e);
}

/* ---- dirichlet_multinomial(n | alpha): multinomial(n | theta), theta drawn from dirichlet(alpha)
 * Gamma(sum alpha) N! / Gamma(sum alpha + N) prod_k Gamma(n_k + alpha_k) / (Gamma(alpha_k) n_k!)
 * ---- */

static sl_status draw_counts(sl__stan_call *call) {
  int32_t k;
  SL__TRY(open_draw(call, &k));
  int64_t left = sl__stan_integers(call, 1)[0];
  const double *theta = draw_log_gammas(call, k);
  int64_t *counts = sl__stan_memory(call, (size_t)k, sizeof *counts);
  if (!theta || !counts) return SL_NO_MEMORY;
  if (left < 0) return sl__stan_refuse_value(call, "the total count must be at least 0");
  double sum = 1;
  for (int32_t i = 0; i < k && left > 0; i++) {
    const double part = sum > 0 ? fmin(theta[i] / sum, 1) : 1;
    counts[i] = i + 1 < k ? (int64_t)sl__draw_binomial(call, (double)left, part) : left;
    left -= counts[i];
    sum -= theta[i];
  }
  return sl__stan_give_integers(call, 1, &k, counts);
}

sl_status sl__stan_build_dirichlet_multinomial(sl__stan_call *call) {
  if (call->builtin->role == SL__STAN_RNG) return draw_counts(call);
  const int32_t k = (int32_t)call->argument[1].count;
  SL__TRY(sl__vectors_length(call, 0, "variate", k));
  if (k == 0) return sl__call_give_real(call, 0);
  SL__TRY(sl__distribution_check(call, 0, &(sl__rule){"variate", SL__NOT_NEGATIVE}));
  SL__TRY(sl__distribution_check(call, 1, &concentration));
  sl__graph *g = sl__stan_graph(call);
  const sl_node n = sl__stan_argument(call, 0), alpha = sl__stan_argument(call, 1);
  const sl_node count = op_sum_all(g, n), sum = op_sum_all(g, alpha);
  const sl_node each =
      op_subtract(g, sl__density_log_rising(g, alpha, n), op_lgamma(g, op_shift(g, n, 1)));
  const sl_node all =
      op_subtract(g, op_lgamma(g, op_shift(g, count, 1)), sl__density_log_rising(g, sum, count));
  sl__elements e = {.call = call, .g = g, .n = 1};
  sl__density_term(&e, all);
  sl__density_term(&e, each);
  return sl__density_give(&e);
}
