/* Distributions with a location and a scale, on the whole line: student_t, cauchy,
 * double_exponential, skew_double_exponential, logistic, gumbel. z = (y - location) / scale. */
#include <math.h>

#include "stan/distribution.h"

static sl_node z_of(sl__elements *e) {
  return sl__density_standardise(e->g, e->x[0], e->x[1], e->x[2]);
}

static void divide_by_scale(sl__elements *e, int scale) {
  sl__density_term(e, op_negate(e->g, op_log(e->g, e->x[scale])));
}

#define LOCATION_RULES                                       \
  {                                                          \
    {"variate", SL__ANY_NUMBER}, {"location", SL__FINITE}, { \
      "scale", SL__POSITIVE_FINITE                           \
    }                                                        \
  }

/* ---- student_t(y | nu, mu, sigma) ----
 * Gamma((nu + 1) / 2) / Gamma(nu / 2) / (sigma sqrt(nu pi)) (1 + z^2 / nu)^(-(nu + 1) / 2) */

static void student_t_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node nu = e->x[1], half = op_scale(g, nu, 0.5);
  const sl_node z = sl__density_standardise(g, e->x[0], e->x[2], e->x[3]);
  const sl_node spread = op_log1p(g, op_divide(g, op_square(g, z), nu));
  sl__density_term(e, sl__density_log_rising(g, half, sl__maths_real(g, 0.5)));
  sl__density_term(e, op_scale(g, op_log(g, nu), -0.5));
  sl__density_number(e, -0.5 * SL__LOG_PI);
  divide_by_scale(e, 3);
  sl__density_term(e, op_negate(g, op_multiply(g, op_shift(g, half, 0.5), spread)));
}

/* The tail beyond |z| is half of the incomplete beta function at odds nu / z^2. Its derivative by z
 * is the density: taken so, since the odds have none where z is 0. */
static sl_node student_t_log_tail(sl__elements *e, bool upper) {
  sl__graph *g = e->g;
  const sl_node nu = e->x[1], half = op_scale(g, nu, 0.5), number = sl__maths_real(g, 0.5);
  const sl_node given = sl__density_standardise(g, e->x[0], e->x[2], e->x[3]);
  const sl_node z = op_clamp(g, upper ? op_negate(g, given) : given, -1e100, 1e100);
  const sl_node fixed = op_stop_gradient(g, z);
  const sl_node square = op_maximum(g, op_square(g, fixed), sl__maths_real(g, 1e-200));
  const sl_node beyond = op_log_beta_lower(g, half, number, op_divide(g, nu, square));
  const sl_node log_tail = op_shift(g, beyond, -SL__LN2);
  const sl_node below = op_less(g, fixed, sl__maths_real(g, 0));
  const sl_node value = op_select(g, below, log_tail, sl__maths_log1m_exp(g, log_tail));
  const sl_node spread = op_log1p(g, op_divide(g, op_square(g, fixed), nu));
  const sl_node constant = op_add(g, sl__density_log_rising(g, half, number),
                                  op_shift(g, op_scale(g, op_log(g, nu), -0.5), -0.5 * SL__LOG_PI));
  const sl_node log_density =
      op_subtract(g, constant, op_multiply(g, op_shift(g, half, 0.5), spread));
  const sl_node slope = op_stop_gradient(g, op_exp(g, op_subtract(g, log_density, value)));
  return op_multiply_add(g, slope, op_subtract(g, z, fixed), value);
}

static sl_node student_t_log_cdf(sl__elements *e) {
  return student_t_log_tail(e, false);
}

static sl_node student_t_log_ccdf(sl__elements *e) {
  return student_t_log_tail(e, true);
}

static double student_t_draw(sl__stan_call *call, const double *p) {
  const double square = 2 * sl__draw_gamma(call, 0.5 * p[0]);
  return p[1] + p[2] * sl__stan_normal(call) / sqrt(square / p[0]);
}

SL__DISTRIBUTION(student_t,
                 .rule = {{"variate", SL__ANY_NUMBER},
                          {"degrees of freedom", SL__POSITIVE_FINITE},
                          {"location", SL__FINITE},
                          {"scale", SL__POSITIVE_FINITE}},
                 .density = student_t_density, .log_cdf = student_t_log_cdf,
                 .log_ccdf = student_t_log_ccdf, .draw = student_t_draw)

/* ---- cauchy(y | mu, sigma): 1 / (pi sigma (1 + z^2)) ---- */

static void cauchy_density(sl__elements *e) {
  sl__density_number(e, -SL__LOG_PI);
  divide_by_scale(e, 2);
  sl__density_term(e, op_negate(e->g, op_log1p(e->g, op_square(e->g, z_of(e)))));
}

/* log(1/2 + atan(z) / pi); beyond -1 the same as atan(-1 / z) / pi, which does not cancel. */
static sl_node cauchy_log_lower(sl__graph *g, sl_node z) {
  const sl_node edge = sl__maths_real(g, -1), is_tail = op_less(g, z, edge);
  const sl_node far = op_select(g, is_tail, z, edge), near = op_select(g, is_tail, edge, z);
  const sl_node tail = op_atan(g, op_negate(g, op_reciprocal(g, far)));
  const sl_node middle = op_shift(g, op_atan(g, near), 0.5 * SL__PI);
  return op_shift(g, op_log(g, op_select(g, is_tail, tail, middle)), -SL__LOG_PI);
}

static sl_node cauchy_log_cdf(sl__elements *e) {
  return cauchy_log_lower(e->g, z_of(e));
}

static sl_node cauchy_log_ccdf(sl__elements *e) {
  return cauchy_log_lower(e->g, op_negate(e->g, z_of(e)));
}

static double cauchy_draw(sl__stan_call *call, const double *p) {
  return p[0] + p[1] * tan(SL__PI * (sl__stan_uniform(call) - 0.5));
}

SL__DISTRIBUTION(cauchy, .rule = LOCATION_RULES, .density = cauchy_density,
                 .log_cdf = cauchy_log_cdf, .log_ccdf = cauchy_log_ccdf, .draw = cauchy_draw)

/* ---- double_exponential(y | mu, sigma): exp(-|z|) / (2 sigma) ---- */

static void double_exponential_density(sl__elements *e) {
  sl__density_number(e, -SL__LN2);
  divide_by_scale(e, 2);
  sl__density_term(e, op_negate(e->g, op_absolute(e->g, z_of(e))));
}

static sl_node double_exponential_log_lower(sl__graph *g, sl_node z) {
  const sl_node tail = op_shift(g, op_negate(g, op_absolute(g, z)), -SL__LN2);
  const sl_node is_lower = op_less(g, z, sl__maths_real(g, 0));
  return op_select(g, is_lower, tail, op_log1p(g, op_negate(g, op_exp(g, tail))));
}

static sl_node double_exponential_log_cdf(sl__elements *e) {
  return double_exponential_log_lower(e->g, z_of(e));
}

static sl_node double_exponential_log_ccdf(sl__elements *e) {
  return double_exponential_log_lower(e->g, op_negate(e->g, z_of(e)));
}

static double double_exponential_draw(sl__stan_call *call, const double *p) {
  const double size = sl__draw_exponential(call);
  return p[0] + (sl__stan_uniform(call) < 0.5 ? -size : size) * p[1];
}

SL__DISTRIBUTION(double_exponential, .rule = LOCATION_RULES, .density = double_exponential_density,
                 .log_cdf = double_exponential_log_cdf, .log_ccdf = double_exponential_log_ccdf,
                 .draw = double_exponential_draw)

/* ---- skew_double_exponential(y | mu, sigma, tau) ----
 * 2 tau (1 - tau) / sigma exp(-2 |z| (z < 0 ? 1 - tau : tau)) */

/* The exponent of the side on which z lies. */
static sl_node skew_exponent(sl__elements *e, sl_node z, sl_node is_lower) {
  sl__graph *g = e->g;
  const sl_node rest = op_shift(g, op_negate(g, e->x[3]), 1);
  const sl_node rate = op_select(g, is_lower, rest, e->x[3]);
  return op_scale(g, op_multiply(g, op_absolute(g, z), rate), -2);
}

static void skew_double_exponential_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node z = z_of(e), is_lower = op_less(g, z, sl__maths_real(g, 0));
  sl__density_number(e, SL__LN2);
  sl__density_term(e, op_add(g, op_log(g, e->x[3]), sl__maths_log1m(g, e->x[3])));
  divide_by_scale(e, 2);
  sl__density_term(e, skew_exponent(e, z, is_lower));
}

/* Below mu: tau exp(...); above: 1 - (1 - tau) exp(...). */
static sl_node skew_double_exponential_log(sl__elements *e, bool upper) {
  sl__graph *g = e->g;
  const sl_node z = z_of(e), is_lower = op_less(g, z, sl__maths_real(g, 0));
  const sl_node weight = op_select(g, is_lower, op_log(g, e->x[3]), sl__maths_log1m(g, e->x[3]));
  const sl_node tail = op_add(g, weight, skew_exponent(e, z, is_lower));
  const sl_node rest = sl__maths_log1m_exp(g, tail);
  return upper ? op_select(g, is_lower, rest, tail) : op_select(g, is_lower, tail, rest);
}

static sl_node skew_double_exponential_log_cdf(sl__elements *e) {
  return skew_double_exponential_log(e, false);
}

static sl_node skew_double_exponential_log_ccdf(sl__elements *e) {
  return skew_double_exponential_log(e, true);
}

static double skew_double_exponential_draw(sl__stan_call *call, const double *p) {
  const double size = 0.5 * p[1] * sl__draw_exponential(call), tau = p[2];
  return sl__stan_uniform(call) < tau ? p[0] - size / (1 - tau) : p[0] + size / tau;
}

SL__DISTRIBUTION(skew_double_exponential,
                 .rule = {{"variate", SL__ANY_NUMBER},
                          {"location", SL__FINITE},
                          {"scale", SL__POSITIVE_FINITE},
                          {"skewness", SL__INSIDE_UNIT}},
                 .density = skew_double_exponential_density,
                 .log_cdf = skew_double_exponential_log_cdf,
                 .log_ccdf = skew_double_exponential_log_ccdf, .draw = skew_double_exponential_draw)

/* ---- logistic(y | mu, sigma): exp(-z) / (sigma (1 + exp(-z))^2) ---- */

static void logistic_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node z = z_of(e);
  divide_by_scale(e, 2);
  sl__density_term(e, op_subtract(g, z, op_scale(g, op_softplus(g, z), 2)));
}

static sl_node logistic_log_cdf(sl__elements *e) {
  return sl__maths_log_inv_logit(e->g, z_of(e));
}

static sl_node logistic_log_ccdf(sl__elements *e) {
  return sl__maths_log1m_inv_logit(e->g, z_of(e));
}

static double logistic_draw(sl__stan_call *call, const double *p) {
  const double u = sl__stan_uniform(call);
  return p[0] + p[1] * (log(u) - log1p(-u));
}

SL__DISTRIBUTION(logistic, .rule = LOCATION_RULES, .density = logistic_density,
                 .log_cdf = logistic_log_cdf, .log_ccdf = logistic_log_ccdf, .draw = logistic_draw)

/* ---- gumbel(y | mu, beta): exp(-z - exp(-z)) / beta ---- */

static void gumbel_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node z = op_negate(g, z_of(e));
  divide_by_scale(e, 2);
  sl__density_term(e, op_subtract(g, z, op_exp(g, z)));
}

static sl_node gumbel_log_cdf(sl__elements *e) {
  return op_negate(e->g, op_exp(e->g, op_negate(e->g, z_of(e))));
}

static sl_node gumbel_log_ccdf(sl__elements *e) {
  return sl__maths_log1m_exp(e->g, gumbel_log_cdf(e));
}

static double gumbel_draw(sl__stan_call *call, const double *p) {
  return p[0] - p[1] * log(sl__draw_exponential(call));
}

SL__DISTRIBUTION(gumbel, .rule = LOCATION_RULES, .density = gumbel_density,
                 .log_cdf = gumbel_log_cdf, .log_ccdf = gumbel_log_ccdf, .draw = gumbel_draw)
