/* The gamma family: gamma, inv_gamma, exponential, chi_square, inv_chi_square,
 * scaled_inv_chi_square. Each is a gamma number of some shape and rate, or the inverse of one; so
 * the cumulative distributions are incomplete gamma functions, of known numbers only. */
#include <math.h>

#include "stan/distribution.h"

/* P and Q of shape a at x. */
static void gamma_known(double a, double x, double *log_lower, double *log_upper) {
  *log_lower = x > 0 ? log(sl__number_gamma_p(a, x)) : -HUGE_VAL;
  *log_upper = x > 0 ? log(sl__number_gamma_q(a, x)) : 0;
}

/* ---- gamma(y | alpha, beta): beta^alpha / Gamma(alpha) y^(alpha - 1) exp(-beta y) ---- */

static void gamma_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node y = e->x[0], alpha = e->x[1], beta = e->x[2];
  sl__density_term(e, op_multiply(g, alpha, op_log(g, beta)));
  sl__density_term(e, op_negate(g, op_lgamma(g, alpha)));
  sl__density_term(e, op_multiply(g, op_shift(g, alpha, -1), op_log(g, y)));
  sl__density_term(e, op_negate(g, op_multiply(g, beta, y)));
}

static void gamma_known_cdf(const double *x, double *log_cdf, double *log_ccdf) {
  gamma_known(x[1], x[2] * x[0], log_cdf, log_ccdf);
}

static double gamma_draw(sl__stan_call *call, const double *p) {
  return sl__draw_gamma(call, p[0]) / p[1];
}

SL__DISTRIBUTION(gamma,
                 .rule = {{"variate", SL__POSITIVE_FINITE},
                          {"shape", SL__POSITIVE_FINITE},
                          {"inverse scale", SL__POSITIVE_FINITE}},
                 .density = gamma_density, .known_cdf = gamma_known_cdf, .draw = gamma_draw)

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

static void inv_gamma_known_cdf(const double *x, double *log_cdf, double *log_ccdf) {
  if (x[0] > 0) {
    gamma_known(x[1], x[2] / x[0], log_ccdf, log_cdf);
  } else {
    *log_cdf = -HUGE_VAL;
    *log_ccdf = 0;
  }
}

static double inv_gamma_draw(sl__stan_call *call, const double *p) {
  return p[1] * exp(-sl__draw_log_gamma(call, p[0]));
}

SL__DISTRIBUTION(inv_gamma,
                 .rule = {{"variate", SL__ANY_NUMBER},
                          {"shape", SL__POSITIVE_FINITE},
                          {"scale", SL__POSITIVE_FINITE}},
                 .density = inv_gamma_density, .known_cdf = inv_gamma_known_cdf,
                 .draw = inv_gamma_draw)

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

static void chi_square_known_cdf(const double *x, double *log_cdf, double *log_ccdf) {
  gamma_known(0.5 * x[1], 0.5 * x[0], log_cdf, log_ccdf);
}

static double chi_square_draw(sl__stan_call *call, const double *p) {
  return 2 * sl__draw_gamma(call, 0.5 * p[0]);
}

SL__DISTRIBUTION(chi_square,
                 .rule = {{"variate", SL__NOT_NEGATIVE},
                          {"degrees of freedom", SL__POSITIVE_FINITE}},
                 .density = chi_square_density, .known_cdf = chi_square_known_cdf,
                 .draw = chi_square_draw)

/* ---- inv_chi_square(y | nu): inv_gamma(y | nu / 2, 1 / 2) ---- */

static void inv_chi_square_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node y = positive_variate(e), half = op_scale(g, e->x[1], 0.5);
  add_chi_square_constant(e, half);
  sl__density_term(e, op_negate(g, op_multiply(g, op_shift(g, half, 1), op_log(g, y))));
  sl__density_term(e, op_scale(g, op_reciprocal(g, y), -0.5));
}

static void inv_chi_square_known_cdf(const double *x, double *log_cdf, double *log_ccdf) {
  inv_gamma_known_cdf((const double[]){x[0], 0.5 * x[1], 0.5}, log_cdf, log_ccdf);
}

static double inv_chi_square_draw(sl__stan_call *call, const double *p) {
  return 0.5 * exp(-sl__draw_log_gamma(call, 0.5 * p[0]));
}

SL__DISTRIBUTION(inv_chi_square,
                 .rule = {{"variate", SL__ANY_NUMBER}, {"degrees of freedom", SL__POSITIVE_FINITE}},
                 .density = inv_chi_square_density, .known_cdf = inv_chi_square_known_cdf,
                 .draw = inv_chi_square_draw)

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

static void scaled_inv_chi_square_known_cdf(const double *x, double *log_cdf, double *log_ccdf) {
  const double half = 0.5 * x[1];
  inv_gamma_known_cdf((const double[]){x[0], half, half * x[2] * x[2]}, log_cdf, log_ccdf);
}

static double scaled_inv_chi_square_draw(sl__stan_call *call, const double *p) {
  const double half = 0.5 * p[0];
  return half * p[1] * p[1] * exp(-sl__draw_log_gamma(call, half));
}

SL__DISTRIBUTION(scaled_inv_chi_square,
                 .rule = {{"variate", SL__ANY_NUMBER},
                          {"degrees of freedom", SL__POSITIVE_FINITE},
                          {"scale", SL__POSITIVE_FINITE}},
                 .density = scaled_inv_chi_square_density,
                 .known_cdf = scaled_inv_chi_square_known_cdf, .draw = scaled_inv_chi_square_draw)
