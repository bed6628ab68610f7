/* Counts without a bound: poisson, poisson_log, neg_binomial, neg_binomial_2, neg_binomial_2_log,
 * beta_neg_binomial, yule_simon. */
#include <math.h>

#include "stan/distribution.h"

static void divide_by_factorial(sl__elements *e) {
  sl__density_term(e, op_negate(e->g, op_lgamma(e->g, op_shift(e->g, e->x[0], 1))));
}

/* ---- poisson(n | lambda): lambda^n exp(-lambda) / n! ---- */

static void poisson_density(sl__elements *e) {
  sl__density_term(e, sl__density_times_log(e->g, e->x[0], e->x[1]));
  sl__density_term(e, op_negate(e->g, e->x[1]));
  divide_by_factorial(e);
}

/* The arguments with the variate at least 0; what is below has the logarithm `below`. */
static sl_node unless_negative(sl__elements *e, sl_node tail, double below) {
  const sl_node zero = sl__maths_real(e->g, 0);
  return op_select(e->g, op_less(e->g, e->x[0], zero), sl__maths_real(e->g, below), tail);
}

/* n + 1, of counts. */
static sl_node count_and_one(sl__elements *e) {
  return op_shift(e->g, op_maximum(e->g, e->x[0], sl__maths_real(e->g, 0)), 1);
}

/* At most n arrivals: the gamma number of shape n + 1 comes later. */
static sl_node poisson_log_cdf(sl__elements *e) {
  return unless_negative(e, op_log_gamma_q(e->g, count_and_one(e), e->x[1]), -HUGE_VAL);
}

static sl_node poisson_log_ccdf(sl__elements *e) {
  return unless_negative(e, op_log_gamma_p(e->g, count_and_one(e), e->x[1]), 0);
}

static double poisson_draw(sl__stan_call *call, const double *p) {
  return sl__draw_poisson(call, p[0]);
}

SL__DISTRIBUTION(poisson, .rule = {{"variate", SL__NOT_NEGATIVE}, {"rate", SL__NOT_NEGATIVE}},
                 .density = poisson_density, .whole = true, .log_cdf = poisson_log_cdf,
                 .log_ccdf = poisson_log_ccdf, .draw = poisson_draw)

/* ---- poisson_log(n | alpha): poisson(n | exp(alpha)) ---- */

/* A rate of 0 is alpha = -infinity, which n = 0 must not multiply. */
static void poisson_log_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node n = e->x[0], alpha = e->x[1];
  const sl_node used = op_select(g, n, alpha, sl__maths_real(g, 0));
  sl__density_term(e, op_multiply(g, n, used));
  sl__density_term(e, op_negate(g, op_exp(g, alpha)));
  divide_by_factorial(e);
}

static double poisson_log_draw(sl__stan_call *call, const double *p) {
  return sl__draw_poisson(call, exp(p[0]));
}

SL__DISTRIBUTION(poisson_log, .rule = {{"variate", SL__NOT_NEGATIVE}, {"log rate", SL__ANY_NUMBER}},
                 .density = poisson_log_density, .draw = poisson_log_draw)

/* ---- negative binomials: poisson numbers whose rate is a gamma number of this shape ----
 * Gamma(n + shape) / (n! Gamma(shape)) p^shape (1 - p)^n */

static void add_negative_binomial(sl__elements *e, sl_node shape) {
  sl__density_term(e, sl__density_log_rising(e->g, shape, e->x[0]));
  divide_by_factorial(e);
}

/* At most n, where p / (1 - p) = odds: an incomplete beta function. */
static sl_node negative_binomial_log_cdf(sl__elements *e, sl_node shape, sl_node odds) {
  const sl_node tail = op_log_beta_lower(e->g, shape, count_and_one(e), odds);
  return unless_negative(e, tail, -HUGE_VAL);
}

static sl_node negative_binomial_log_ccdf(sl__elements *e, sl_node shape, sl_node inverse_odds) {
  return unless_negative(e, op_log_beta_lower(e->g, count_and_one(e), shape, inverse_odds), 0);
}

/* neg_binomial(n | alpha, beta): shape alpha, p = beta / (beta + 1). */
static void neg_binomial_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node alpha = e->x[1], beta = e->x[2];
  add_negative_binomial(e, alpha);
  sl__density_term(e, op_negate(g, op_multiply(g, alpha, op_log1p(g, op_reciprocal(g, beta)))));
  sl__density_term(e, op_negate(g, op_multiply(g, e->x[0], op_log1p(g, beta))));
}

static sl_node neg_binomial_log_cdf(sl__elements *e) {
  return negative_binomial_log_cdf(e, e->x[1], e->x[2]);
}

static sl_node neg_binomial_log_ccdf(sl__elements *e) {
  return negative_binomial_log_ccdf(e, e->x[1], op_reciprocal(e->g, e->x[2]));
}

static double neg_binomial_draw(sl__stan_call *call, const double *p) {
  return sl__draw_poisson(call, sl__draw_gamma(call, p[0]) / p[1]);
}

SL__DISTRIBUTION(neg_binomial,
                 .rule = {{"variate", SL__NOT_NEGATIVE},
                          {"shape", SL__POSITIVE_FINITE},
                          {"inverse scale", SL__POSITIVE_FINITE}},
                 .density = neg_binomial_density, .whole = true, .log_cdf = neg_binomial_log_cdf,
                 .log_ccdf = neg_binomial_log_ccdf, .draw = neg_binomial_draw)

/* The mean is mu = exp(eta), the shape phi: p = phi / (mu + phi). */
static void add_by_mean(sl__elements *e, sl_node log_mean, sl_node phi) {
  sl__graph *g = e->g;
  const sl_node odds = op_subtract(g, log_mean, op_log(g, phi));
  add_negative_binomial(e, phi);
  sl__density_term(e, op_negate(g, op_multiply(g, phi, op_softplus(g, odds))));
  sl__density_term(e, op_multiply(g, e->x[0], sl__maths_log_inv_logit(g, odds)));
}

static void neg_binomial_2_density(sl__elements *e) {
  add_by_mean(e, op_log(e->g, e->x[1]), e->x[2]);
}

static sl_node neg_binomial_2_log_cdf(sl__elements *e) {
  return negative_binomial_log_cdf(e, e->x[2], op_divide(e->g, e->x[2], e->x[1]));
}

static sl_node neg_binomial_2_log_ccdf(sl__elements *e) {
  return negative_binomial_log_ccdf(e, e->x[2], op_divide(e->g, e->x[1], e->x[2]));
}

static double neg_binomial_2_draw(sl__stan_call *call, const double *p) {
  return sl__draw_poisson(call, sl__draw_gamma(call, p[1]) * (p[0] / p[1]));
}

SL__DISTRIBUTION(neg_binomial_2,
                 .rule = {{"variate", SL__NOT_NEGATIVE},
                          {"location", SL__POSITIVE_FINITE},
                          {"precision", SL__POSITIVE_FINITE}},
                 .density = neg_binomial_2_density, .whole = true,
                 .log_cdf = neg_binomial_2_log_cdf, .log_ccdf = neg_binomial_2_log_ccdf,
                 .draw = neg_binomial_2_draw)

static void neg_binomial_2_log_density(sl__elements *e) {
  add_by_mean(e, e->x[1], e->x[2]);
}

static double neg_binomial_2_log_draw(sl__stan_call *call, const double *p) {
  return neg_binomial_2_draw(call, (const double[]){exp(p[0]), p[1]});
}

SL__DISTRIBUTION(neg_binomial_2_log,
                 .rule = {{"variate", SL__NOT_NEGATIVE},
                          {"log location", SL__FINITE},
                          {"precision", SL__POSITIVE_FINITE}},
                 .density = neg_binomial_2_log_density, .draw = neg_binomial_2_log_draw)

/* ---- beta_neg_binomial(n | r, alpha, beta): p is a beta(alpha, beta) number ----
 * Gamma(n + r) / (n! Gamma(r)) B(alpha + r, beta + n) / B(alpha, beta) */

static void beta_neg_binomial_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node n = e->x[0], r = e->x[1], alpha = e->x[2], beta = e->x[3];
  add_negative_binomial(e, r);
  sl__density_term(e, sl__density_log_rising(g, beta, n));
  sl__density_term(e, sl__density_log_rising(g, alpha, r));
  sl__density_term(
      e, op_negate(g, sl__density_log_rising(g, op_add(g, alpha, beta), op_add(g, n, r))));
}

static double beta_neg_binomial_draw(sl__stan_call *call, const double *p) {
  const double log_odds = sl__draw_log_gamma(call, p[2]) - sl__draw_log_gamma(call, p[1]);
  return sl__draw_poisson(call, sl__draw_gamma(call, p[0]) * exp(log_odds));
}

SL__DISTRIBUTION(beta_neg_binomial,
                 .rule = {{"variate", SL__NOT_NEGATIVE},
                          {"number of successes", SL__POSITIVE_FINITE},
                          {"first shape", SL__POSITIVE_FINITE},
                          {"second shape", SL__POSITIVE_FINITE}},
                 .density = beta_neg_binomial_density, .whole = true,
                 .draw = beta_neg_binomial_draw)

/* ---- yule_simon(n | alpha): alpha B(n, alpha + 1), n >= 1 ---- */

static void yule_simon_density(sl__elements *e) {
  sl__graph *g = e->g;
  sl__density_term(e, op_log(g, e->x[1]));
  sl__density_term(e, sl__maths_lbeta(g, e->x[0], op_shift(g, e->x[1], 1)));
}

/* P(Y > n) = n B(n, alpha + 1). */
static sl_node yule_simon_log_ccdf(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node one = sl__maths_real(g, 1), inside = op_less_equal(g, one, e->x[0]);
  const sl_node n = op_select(g, inside, e->x[0], one);
  const sl_node tail = op_add(g, op_log(g, n), sl__maths_lbeta(g, n, op_shift(g, e->x[1], 1)));
  return op_select(g, inside, tail, sl__maths_real(g, 0));
}

static sl_node yule_simon_log_cdf(sl__elements *e) {
  return sl__maths_log1m_exp(e->g, yule_simon_log_ccdf(e));
}

/* Simon 1955: a geometric number whose success has the probability exp(-exponential / alpha). */
static double yule_simon_draw(sl__stan_call *call, const double *p) {
  const double log_success = -sl__draw_exponential(call) / p[0];
  return fmax(ceil(-sl__draw_exponential(call) / sl__number_log1m_exp(log_success)), 1);
}

SL__DISTRIBUTION(yule_simon,
                 .rule = {{"variate", SL__AT_LEAST_ONE}, {"shape", SL__POSITIVE_FINITE}},
                 .density = yule_simon_density, .log_cdf = yule_simon_log_cdf,
                 .log_ccdf = yule_simon_log_ccdf, .draw = yule_simon_draw)
