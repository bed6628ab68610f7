/* The gamma family: gamma, inv_gamma, exponential, chi_square, inv_chi_square,
 * scaled_inv_chi_square. Each is a gamma number of some shape and rate, or the inverse of one; so
 * the cumulative distributions are incomplete gamma functions. */
#include <math.h>

#include "stan/distribution.h"

/* ---- gamma(y | alpha, beta): beta^alpha / Gamma(alpha) y^(alpha - 1) exp(-beta y) ---- */

static void gamma_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node y = e->x[0], alpha = e->x[1], beta = e->x[2];
  sl__density_term(e, op_multiply(g, alpha, op_log(g, beta)));
  sl__density_term(e, op_negate(g, op_lgamma(g, alpha)));
  sl__density_term(e, op_multiply(g, op_shift(g, alpha, -1), op_log(g, y)));
  sl__density_term(e, op_negate(g, op_multiply(g, beta, y)));
}

static sl_node gamma_log_cdf(sl__elements *e) {
  return op_log_gamma_p(e->g, e->x[1], op_multiply(e->g, e->x[2], e->x[0]));
}

static sl_node gamma_log_ccdf(sl__elements *e) {
  return op_log_gamma_q(e->g, e->x[1], op_multiply(e->g, e->x[2], e->x[0]));
}

static double gamma_draw(sl__stan_call *call, const double *p) {
  return sl__draw_gamma(call, p[0]) / p[1];
}

SL__DISTRIBUTION(gamma,
                 .rule = {{"variate", SL__POSITIVE_FINITE},
                          {"shape", SL__POSITIVE_FINITE},
                          {"inverse scale", SL__POSITIVE_FINITE}},
                 .density = gamma_density, .log_cdf = gamma_log_cdf, .log_ccdf = gamma_log_ccdf,
                 .draw = gamma_draw)

/* ---- inv_gamma(y | alpha, beta): beta^alpha / Gamma(alpha) y^(-alpha - 1) exp(-beta / y) ---- */

/* y, or 1 where it is not positive: there the density is 0. */
static sl_node positive_variate(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node inside = op_less(g, sl__maths_real(g, 0), e->x[0]);
  sl__density_restrict(e, inside);
  return op_select(g, inside, e->x[0], sl__maths_real(g, 1));
}

static void inv_gamma_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node y = positive_variate(e), alpha = e->x[1], beta = e->x[2];
  sl__density_term(e, op_multiply(g, alpha, op_log(g, beta)));
  sl__density_term(e, op_negate(g, op_lgamma(g, alpha)));
  sl__density_term(e, op_negate(g, op_multiply(g, op_shift(g, alpha, 1), op_log(g, y))));
  sl__density_term(e, op_negate(g, op_divide(g, beta, y)));
}

/* The tail of an inverse gamma number: y <= 0 has nothing below. */
static sl_node inverse_tail(sl__elements *e, sl_node shape, sl_node scale, bool upper) {
  sl__graph *g = e->g;
  const sl_node inside = op_less(g, sl__maths_real(g, 0), e->x[0]);
  const sl_node x = op_divide(g, scale, op_select(g, inside, e->x[0], sl__maths_real(g, 1)));
  const sl_node tail = upper ? op_log_gamma_p(g, shape, x) : op_log_gamma_q(g, shape, x);
  return op_select(g, inside, tail, sl__maths_real(g, upper ? 0 : -HUGE_VAL));
}

static sl_node inv_gamma_log_cdf(sl__elements *e) {
  return inverse_tail(e, e->x[1], e->x[2], false);
}

static sl_node inv_gamma_log_ccdf(sl__elements *e) {
  return inverse_tail(e, e->x[1], e->x[2], true);
}

static double inv_gamma_draw(sl__stan_call *call, const double *p) {
  return p[1] * exp(-sl__draw_log_gamma(call, p[0]));
}

SL__DISTRIBUTION(inv_gamma,
                 .rule = {{"variate", SL__ANY_NUMBER},
                          {"shape", SL__POSITIVE_FINITE},
                          {"scale", SL__POSITIVE_FINITE}},
                 .density = inv_gamma_density, .log_cdf = inv_gamma_log_cdf,
                 .log_ccdf = inv_gamma_log_ccdf, .draw = inv_gamma_draw)

/* ---- exponential(y | beta): beta exp(-beta y) ---- */

static sl_node exponential_log_ccdf(sl__elements *e) {
  return op_negate(e->g, op_multiply(e->g, e->x[1], e->x[0]));
}

static void exponential_density(sl__elements *e) {
  sl__density_term(e, op_log(e->g, e->x[1]));
  sl__density_term(e, exponential_log_ccdf(e));
}

static sl_node exponential_log_cdf(sl__elements *e) {
  return sl__maths_log1m_exp(e->g, exponential_log_ccdf(e));
}

static double exponential_draw(sl__stan_call *call, const double *p) {
  return sl__draw_exponential(call) / p[0];
}

SL__DISTRIBUTION(exponential,
                 .rule = {{"variate", SL__NOT_NEGATIVE}, {"inverse scale", SL__POSITIVE_FINITE}},
                 .density = exponential_density, .log_cdf = exponential_log_cdf,
                 .log_ccdf = exponential_log_ccdf, .draw = exponential_draw)

/* ---- chi_square(y | nu): gamma(y | nu / 2, 1 / 2) ---- */

/* -nu / 2 log 2 - lgamma(nu / 2) */
static void add_chi_square_constant(sl__elements *e, sl_node half) {
  sl__density_term(e, op_scale(e->g, half, -SL__LN2));
  sl__density_term(e, op_negate(e->g, op_lgamma(e->g, half)));
}

/* y^0 is 1 even at y = 0. */
static void chi_square_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node half = op_scale(g, e->x[1], 0.5);
  add_chi_square_constant(e, half);
  sl__density_term(e, sl__density_times_log(g, op_shift(g, half, -1), e->x[0]));
  sl__density_term(e, op_scale(g, e->x[0], -0.5));
}

static sl_node chi_square_log_cdf(sl__elements *e) {
  return op_log_gamma_p(e->g, op_scale(e->g, e->x[1], 0.5), op_scale(e->g, e->x[0], 0.5));
}

static sl_node chi_square_log_ccdf(sl__elements *e) {
  return op_log_gamma_q(e->g, op_scale(e->g, e->x[1], 0.5), op_scale(e->g, e->x[0], 0.5));
}

static double chi_square_draw(sl__stan_call *call, const double *p) {
  return 2 * sl__draw_gamma(call, 0.5 * p[0]);
}

SL__DISTRIBUTION(chi_square,
                 .rule = {{"variate", SL__NOT_NEGATIVE},
                          {"degrees of freedom", SL__POSITIVE_FINITE}},
                 .density = chi_square_density, .log_cdf = chi_square_log_cdf,
                 .log_ccdf = chi_square_log_ccdf, .draw = chi_square_draw)

/* ---- inv_chi_square(y | nu): inv_gamma(y | nu / 2, 1 / 2) ---- */

static void inv_chi_square_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node y = positive_variate(e), half = op_scale(g, e->x[1], 0.5);
  add_chi_square_constant(e, half);
  sl__density_term(e, op_negate(g, op_multiply(g, op_shift(g, half, 1), op_log(g, y))));
  sl__density_term(e, op_scale(g, op_reciprocal(g, y), -0.5));
}

static sl_node inv_chi_square_log_cdf(sl__elements *e) {
  return inverse_tail(e, op_scale(e->g, e->x[1], 0.5), sl__maths_real(e->g, 0.5), false);
}

static sl_node inv_chi_square_log_ccdf(sl__elements *e) {
  return inverse_tail(e, op_scale(e->g, e->x[1], 0.5), sl__maths_real(e->g, 0.5), true);
}

static double inv_chi_square_draw(sl__stan_call *call, const double *p) {
  return 0.5 * exp(-sl__draw_log_gamma(call, 0.5 * p[0]));
}

SL__DISTRIBUTION(inv_chi_square,
                 .rule = {{"variate", SL__ANY_NUMBER}, {"degrees of freedom", SL__POSITIVE_FINITE}},
                 .density = inv_chi_square_density, .log_cdf = inv_chi_square_log_cdf,
                 .log_ccdf = inv_chi_square_log_ccdf, .draw = inv_chi_square_draw)

/* ---- scaled_inv_chi_square(y | nu, sigma): inv_gamma(y | nu / 2, nu sigma^2 / 2) ---- */

static void scaled_inv_chi_square_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node y = positive_variate(e), half = op_scale(g, e->x[1], 0.5), sigma = e->x[2];
  const sl_node scale = op_multiply(g, half, op_square(g, sigma));
  sl__density_term(e, op_subtract(g, op_multiply(g, half, op_log(g, half)), op_lgamma(g, half)));
  sl__density_term(e, op_multiply(g, e->x[1], op_log(g, sigma)));
  sl__density_term(e, op_negate(g, op_multiply(g, op_shift(g, half, 1), op_log(g, y))));
  sl__density_term(e, op_negate(g, op_divide(g, scale, y)));
}

static sl_node scaled_inverse_tail(sl__elements *e, bool upper) {
  const sl_node half = op_scale(e->g, e->x[1], 0.5);
  return inverse_tail(e, half, op_multiply(e->g, half, op_square(e->g, e->x[2])), upper);
}

static sl_node scaled_inv_chi_square_log_cdf(sl__elements *e) {
  return scaled_inverse_tail(e, false);
}

static sl_node scaled_inv_chi_square_log_ccdf(sl__elements *e) {
  return scaled_inverse_tail(e, true);
}

static double scaled_inv_chi_square_draw(sl__stan_call *call, const double *p) {
  const double half = 0.5 * p[0];
  return half * p[1] * p[1] * exp(-sl__draw_log_gamma(call, half));
}

SL__DISTRIBUTION(scaled_inv_chi_square,
                 .rule = {{"variate", SL__ANY_NUMBER},
                          {"degrees of freedom", SL__POSITIVE_FINITE},
                          {"scale", SL__POSITIVE_FINITE}},
                 .density = scaled_inv_chi_square_density, .log_cdf = scaled_inv_chi_square_log_cdf,
                 .log_ccdf = scaled_inv_chi_square_log_ccdf, .draw = scaled_inv_chi_square_draw)
