/* Distributions of positive numbers whose cumulative distribution is elementary: weibull, frechet,
 * rayleigh, loglogistic, pareto, pareto_type_2. */
#include <math.h>

#include "stan/distribution.h"

/* shape (log y - log scale): powers are taken by it. */
static sl_node log_power(sl__graph *g, sl_node y, sl_node scale, sl_node shape) {
  return op_multiply(g, shape, op_log(g, op_divide(g, y, scale)));
}

/* ---- weibull(y | alpha, sigma): alpha / sigma r^(alpha - 1) exp(-r^alpha), r = y / sigma ---- */

static sl_node weibull_log_ccdf(sl__elements *e) {
  return op_negate(e->g, op_exp(e->g, log_power(e->g, e->x[0], e->x[2], e->x[1])));
}

static void weibull_density(sl__elements *e) {
  sl__graph *g = e->g;
  sl__density_term(e, op_log(g, e->x[1]));
  sl__density_term(e, op_negate(g, op_multiply(g, e->x[1], op_log(g, e->x[2]))));
  sl__density_term(e, sl__density_times_log(g, op_shift(g, e->x[1], -1), e->x[0]));
  sl__density_term(e, weibull_log_ccdf(e));
}

static sl_node weibull_log_cdf(sl__elements *e) {
  return sl__maths_log1m_exp(e->g, weibull_log_ccdf(e));
}

static double weibull_draw(sl__stan_call *call, const double *p) {
  return p[1] * pow(sl__draw_exponential(call), 1 / p[0]);
}

SL__DISTRIBUTION(weibull,
                 .rule = {{"variate", SL__NOT_NEGATIVE},
                          {"shape", SL__POSITIVE_FINITE},
                          {"scale", SL__POSITIVE_FINITE}},
                 .density = weibull_density, .log_cdf = weibull_log_cdf,
                 .log_ccdf = weibull_log_ccdf, .draw = weibull_draw)

/* ---- frechet(y | alpha, sigma): alpha / sigma r^(-alpha - 1) exp(-r^-alpha), r = y / sigma
 * ---- */

static sl_node frechet_log_cdf(sl__elements *e) {
  sl__graph *g = e->g;
  return op_negate(g, op_exp(g, op_negate(g, log_power(g, e->x[0], e->x[2], e->x[1]))));
}

static void frechet_density(sl__elements *e) {
  sl__graph *g = e->g;
  sl__density_term(e, op_log(g, e->x[1]));
  sl__density_term(e, op_multiply(g, e->x[1], op_log(g, e->x[2])));
  sl__density_term(e, op_negate(g, op_multiply(g, op_shift(g, e->x[1], 1), op_log(g, e->x[0]))));
  sl__density_term(e, frechet_log_cdf(e));
}

static sl_node frechet_log_ccdf(sl__elements *e) {
  return sl__maths_log1m_exp(e->g, frechet_log_cdf(e));
}

static double frechet_draw(sl__stan_call *call, const double *p) {
  return p[1] * pow(sl__draw_exponential(call), -1 / p[0]);
}

SL__DISTRIBUTION(frechet,
                 .rule = {{"variate", SL__POSITIVE},
                          {"shape", SL__POSITIVE_FINITE},
                          {"scale", SL__POSITIVE_FINITE}},
                 .density = frechet_density, .log_cdf = frechet_log_cdf,
                 .log_ccdf = frechet_log_ccdf, .draw = frechet_draw)

/* ---- rayleigh(y | sigma): y / sigma^2 exp(-r^2 / 2), r = y / sigma ---- */

static sl_node rayleigh_log_ccdf(sl__elements *e) {
  return op_scale(e->g, op_square(e->g, op_divide(e->g, e->x[0], e->x[1])), -0.5);
}

static void rayleigh_density(sl__elements *e) {
  sl__density_term(e, op_log(e->g, e->x[0]));
  sl__density_term(e, op_scale(e->g, op_log(e->g, e->x[1]), -2));
  sl__density_term(e, rayleigh_log_ccdf(e));
}

static sl_node rayleigh_log_cdf(sl__elements *e) {
  return sl__maths_log1m_exp(e->g, rayleigh_log_ccdf(e));
}

static double rayleigh_draw(sl__stan_call *call, const double *p) {
  return p[0] * sqrt(2 * sl__draw_exponential(call));
}

SL__DISTRIBUTION(rayleigh, .rule = {{"variate", SL__NOT_NEGATIVE}, {"scale", SL__POSITIVE}},
                 .density = rayleigh_density, .log_cdf = rayleigh_log_cdf,
                 .log_ccdf = rayleigh_log_ccdf, .draw = rayleigh_draw)

/* ---- loglogistic(y | alpha, beta): l = beta log(y / alpha) is logistic ----
 * beta / y exp(l) / (1 + exp(l))^2 */

static void loglogistic_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node ratio = op_divide(g, e->x[0], e->x[1]);
  const sl_node power = log_power(g, e->x[0], e->x[1], e->x[2]);
  sl__density_term(e, op_log(g, e->x[2]));
  sl__density_term(e, op_negate(g, op_log(g, e->x[1])));
  sl__density_term(e, sl__density_times_log(g, op_shift(g, e->x[2], -1), ratio));
  sl__density_term(e, op_scale(g, op_softplus(g, power), -2));
}

static sl_node loglogistic_log_cdf(sl__elements *e) {
  return sl__maths_log_inv_logit(e->g, log_power(e->g, e->x[0], e->x[1], e->x[2]));
}

static sl_node loglogistic_log_ccdf(sl__elements *e) {
  return sl__maths_log1m_inv_logit(e->g, log_power(e->g, e->x[0], e->x[1], e->x[2]));
}

static double loglogistic_draw(sl__stan_call *call, const double *p) {
  const double u = sl__stan_uniform(call);
  return p[0] * exp((log(u) - log1p(-u)) / p[1]);
}

SL__DISTRIBUTION(loglogistic,
                 .rule = {{"variate", SL__NOT_NEGATIVE},
                          {"scale", SL__POSITIVE_FINITE},
                          {"shape", SL__POSITIVE_FINITE}},
                 .density = loglogistic_density, .log_cdf = loglogistic_log_cdf,
                 .log_ccdf = loglogistic_log_ccdf, .draw = loglogistic_draw)

/* ---- pareto(y | y_min, alpha): alpha y_min^alpha / y^(alpha + 1), y >= y_min ---- */

/* y, or y_min where it is less. */
static sl_node pareto_variate(sl__elements *e) {
  return op_maximum(e->g, e->x[0], e->x[1]);
}

static sl_node pareto_log_ccdf(sl__elements *e) {
  return op_negate(e->g, log_power(e->g, pareto_variate(e), e->x[1], e->x[2]));
}

static void pareto_density(sl__elements *e) {
  sl__density_restrict(e, op_less_equal(e->g, e->x[1], e->x[0]));
  sl__density_term(e, op_log(e->g, e->x[2]));
  sl__density_term(e, op_negate(e->g, op_log(e->g, pareto_variate(e))));
  sl__density_term(e, pareto_log_ccdf(e));
}

static sl_node pareto_log_cdf(sl__elements *e) {
  return sl__maths_log1m_exp(e->g, pareto_log_ccdf(e));
}

static double pareto_draw(sl__stan_call *call, const double *p) {
  return p[0] * exp(sl__draw_exponential(call) / p[1]);
}

SL__DISTRIBUTION(pareto,
                 .rule = {{"variate", SL__ANY_NUMBER},
                          {"least value", SL__POSITIVE_FINITE},
                          {"shape", SL__POSITIVE_FINITE}},
                 .density = pareto_density, .log_cdf = pareto_log_cdf, .log_ccdf = pareto_log_ccdf,
                 .draw = pareto_draw)

/* ---- pareto_type_2(y | mu, lambda, alpha): alpha / lambda (1 + z)^(-alpha - 1),
 * z = (y - mu) / lambda >= 0 ---- */

static sl_node pareto_type_2_log(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node z = sl__density_standardise(g, e->x[0], e->x[1], e->x[2]);
  return op_log1p(g, op_maximum(g, z, sl__maths_real(g, 0)));
}

static sl_node pareto_type_2_log_ccdf(sl__elements *e) {
  return op_negate(e->g, op_multiply(e->g, e->x[3], pareto_type_2_log(e)));
}

static void pareto_type_2_density(sl__elements *e) {
  sl__graph *g = e->g;
  sl__density_restrict(e, op_less_equal(g, e->x[1], e->x[0]));
  sl__density_term(e, op_log(g, e->x[3]));
  sl__density_term(e, op_negate(g, op_log(g, e->x[2])));
  sl__density_term(e, op_negate(g, op_multiply(g, op_shift(g, e->x[3], 1), pareto_type_2_log(e))));
}

static sl_node pareto_type_2_log_cdf(sl__elements *e) {
  return sl__maths_log1m_exp(e->g, pareto_type_2_log_ccdf(e));
}

static double pareto_type_2_draw(sl__stan_call *call, const double *p) {
  return p[0] + p[1] * expm1(sl__draw_exponential(call) / p[2]);
}

SL__DISTRIBUTION(pareto_type_2,
                 .rule = {{"variate", SL__ANY_NUMBER},
                          {"location", SL__FINITE},
                          {"scale", SL__POSITIVE_FINITE},
                          {"shape", SL__POSITIVE_FINITE}},
                 .density = pareto_type_2_density, .log_cdf = pareto_type_2_log_cdf,
                 .log_ccdf = pareto_type_2_log_ccdf, .draw = pareto_type_2_draw)
