/* Counts among a known number of trials N: binomial, binomial_logit, beta_binomial; and drawn
 * without replacement: hypergeometric. */
#include <math.h>

#include "stan/distribution.h"

/* Trials of at least 0, and at least the variate. */
static sl_status trials_check(sl__stan_call *call) {
  const bool is_density = call->builtin->role == SL__STAN_DENSITY;
  const int64_t counts = call->argument[0].count, trials = call->argument[1].count;
  const int64_t most = counts > trials ? counts : trials;
  if (!is_density || counts == 0 || trials == 0) return SL_OK;
  for (int32_t k = 0; k < most; k++) {
    const double n = sl__element_of(call, 0, k), of = sl__element_of(call, 1, k);
    if (n > of)
      return sl__stan_refuse_value(call,
                                   "variate is %lld, but must be at most the number of trials %lld",
                                   (long long)n, (long long)of);
  }
  return SL_OK;
}

/* log of N choose n, of known numbers. */
static sl_node log_ways(sl__elements *e) {
  return sl__maths_lchoose(e->g, e->x[1], e->x[0]);
}

/* ---- binomial(n | N, theta): (N choose n) theta^n (1 - theta)^(N - n) ---- */

static void binomial_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node n = e->x[0], failures = op_subtract(g, e->x[1], n);
  sl__density_term(e, log_ways(e));
  sl__density_term(e, sl__density_times_log(g, n, e->x[2]));
  sl__density_term(e, sl__density_times_log1m(g, failures, e->x[2]));
}

/* More than n of N successes have the probability I_theta(n + 1, N - n). */
static sl_node binomial_log_tail(sl__elements *e, bool upper) {
  sl__graph *g = e->g;
  const sl_node zero = sl__maths_real(g, 0), one = sl__maths_real(g, 1), n = e->x[0];
  const sl_node inside = op_multiply(g, op_less_equal(g, zero, n), op_less(g, n, e->x[1]));
  const sl_node a = op_select(g, inside, op_shift(g, n, 1), one);
  const sl_node b = op_select(g, inside, op_subtract(g, e->x[1], n), one);
  const sl_node theta = e->x[2], rest = op_shift(g, op_negate(g, theta), 1);
  const sl_node tail = upper ? op_log_beta_lower(g, a, b, op_divide(g, theta, rest))
                             : op_log_beta_lower(g, b, a, op_divide(g, rest, theta));
  const sl_node none = sl__maths_real(g, -HUGE_VAL);
  const sl_node below = upper ? zero : none, above = upper ? none : zero;
  return op_select(g, inside, tail, op_select(g, op_less(g, n, zero), below, above));
}

static sl_node binomial_log_cdf(sl__elements *e) {
  return binomial_log_tail(e, false);
}

static sl_node binomial_log_ccdf(sl__elements *e) {
  return binomial_log_tail(e, true);
}

static double binomial_draw(sl__stan_call *call, const double *p) {
  return sl__draw_binomial(call, p[0], p[1]);
}

SL__DISTRIBUTION(binomial,
                 .rule = {{"variate", SL__NOT_NEGATIVE},
                          {"number of trials", SL__NOT_NEGATIVE},
                          {"probability", SL__PROBABILITY}},
                 .check = trials_check, .density = binomial_density, .whole = true,
                 .log_cdf = binomial_log_cdf, .log_ccdf = binomial_log_ccdf, .draw = binomial_draw)

/* ---- binomial_logit(n | N, alpha): binomial(n | N, inv_logit(alpha)) ---- */

static void binomial_logit_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node n = e->x[0], failures = op_subtract(g, e->x[1], n), alpha = e->x[2];
  sl__density_term(e, log_ways(e));
  sl__density_term(e, op_multiply(g, n, sl__maths_log_inv_logit(g, alpha)));
  sl__density_term(e, op_multiply(g, failures, sl__maths_log1m_inv_logit(g, alpha)));
}

SL__DISTRIBUTION(binomial_logit,
                 .rule = {{"variate", SL__NOT_NEGATIVE},
                          {"number of trials", SL__NOT_NEGATIVE},
                          {"log odds", SL__FINITE}},
                 .check = trials_check, .density = binomial_logit_density)

/* ---- beta_binomial(n | N, alpha, beta) ----
 * (N choose n) B(n + alpha, N - n + beta) / B(alpha, beta) */

static void beta_binomial_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node n = e->x[0], failures = op_subtract(g, e->x[1], n);
  const sl_node sum = op_add(g, e->x[2], e->x[3]);
  sl__density_term(e, log_ways(e));
  sl__density_term(e, sl__density_log_rising(g, e->x[2], n));
  sl__density_term(e, sl__density_log_rising(g, e->x[3], failures));
  sl__density_term(e, op_negate(g, sl__density_log_rising(g, sum, e->x[1])));
}

static double beta_binomial_draw(sl__stan_call *call, const double *p) {
  return sl__draw_binomial(call, p[0], sl__draw_beta(call, p[1], p[2]));
}

SL__DISTRIBUTION(beta_binomial,
                 .rule = {{"variate", SL__NOT_NEGATIVE},
                          {"number of trials", SL__NOT_NEGATIVE},
                          {"first shape", SL__POSITIVE_FINITE},
                          {"second shape", SL__POSITIVE_FINITE}},
                 .check = trials_check, .density = beta_binomial_density, .whole = true,
                 .limit_argument = 1, .draw = beta_binomial_draw)

/* ---- hypergeometric(n | N, a, b): (a choose n) (b choose N - n) / (a + b choose N) ---- */

enum { DRAW_WORK = 16 }; /* of each thing drawn */

static sl_status hypergeometric_check(sl__stan_call *call) {
  const int first = call->count - 3;
  const double draws = sl__element_of(call, first, 0), a = sl__element_of(call, first + 1, 0);
  const double b = sl__element_of(call, first + 2, 0);
  if (draws > a + b)
    return sl__stan_refuse_value(call, "%lld are drawn from a population of %lld", (long long)draws,
                                 (long long)(a + b));
  if (first == 0) return sl__stan_work(call, DRAW_WORK * fmin(draws, a + b - draws));
  const double n = sl__element_of(call, 0, 0);
  if (n > draws || n > a || draws - n > b)
    return sl__stan_refuse_value(call, "variate is %lld, but must be from %lld to %lld",
                                 (long long)n, (long long)fmax(draws - b, 0),
                                 (long long)fmin(draws, a));
  return SL_OK;
}

static void hypergeometric_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node n = e->x[0], draws = e->x[1], a = e->x[2], b = e->x[3];
  sl__density_term(e, sl__maths_lchoose(g, a, n));
  sl__density_term(e, sl__maths_lchoose(g, b, op_subtract(g, draws, n)));
  sl__density_term(e, op_negate(g, sl__maths_lchoose(g, op_add(g, a, b), draws)));
}

/* One by one from the urn, from whichever side has fewer draws. */
static double hypergeometric_draw(sl__stan_call *call, const double *p) {
  const bool is_rest = p[0] > 0.5 * (p[1] + p[2]);
  double draws = is_rest ? p[1] + p[2] - p[0] : p[0], left = p[1] + p[2], good = p[1], count = 0;
  for (; draws > 0; draws--, left--) {
    if (sl__stan_uniform(call) * left >= good) continue;
    good--;
    count++;
  }
  return is_rest ? p[1] - count : count;
}

SL__DISTRIBUTION(hypergeometric,
                 .rule = {{"variate", SL__NOT_NEGATIVE},
                          {"number of draws", SL__NOT_NEGATIVE},
                          {"first population", SL__NOT_NEGATIVE},
                          {"second population", SL__NOT_NEGATIVE}},
                 .check = hypergeometric_check, .density = hypergeometric_density,
                 .draw = hypergeometric_draw)
