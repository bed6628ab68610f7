/* normal, std_normal, lognormal, skew_normal, exp_mod_normal. z = (y - location) / scale. */
#include <math.h>

#include "stan/distribution.h"

/* The normal density of z, without its scale: -z^2 / 2 - log(2 pi) / 2. */
static void add_standard_normal(sl__elements *e, sl_node z) {
  sl__density_term(e, op_scale(e->g, op_square(e->g, z), -0.5));
  sl__density_number(e, -SL__HALF_LOG_TWO_PI);
}

static sl_node z_of(sl__elements *e) {
  return sl__density_standardise(e->g, e->x[0], e->x[1], e->x[2]);
}

/* ---- normal(y | mu, sigma): exp(-z^2 / 2) / (sigma sqrt(2 pi)) ---- */

static void normal_density(sl__elements *e) {
  add_standard_normal(e, z_of(e));
  sl__density_term(e, op_negate(e->g, op_log(e->g, e->x[2])));
}

static sl_node normal_log_cdf(sl__elements *e) {
  return sl__maths_log_phi(e->g, z_of(e));
}

static sl_node normal_log_ccdf(sl__elements *e) {
  return sl__maths_log_phi(e->g, op_negate(e->g, z_of(e)));
}

static double normal_draw(sl__stan_call *call, const double *p) {
  return p[0] + p[1] * sl__stan_normal(call);
}

SL__DISTRIBUTION(normal,
                 .rule = {{"variate", SL__ANY_NUMBER},
                          {"location", SL__FINITE},
                          {"scale", SL__POSITIVE}},
                 .density = normal_density, .log_cdf = normal_log_cdf, .log_ccdf = normal_log_ccdf,
                 .draw = normal_draw)

/* ---- std_normal(y |): normal(y | 0, 1) ---- */

static void std_normal_density(sl__elements *e) {
  add_standard_normal(e, e->x[0]);
}

static sl_node std_normal_log_cdf(sl__elements *e) {
  return sl__maths_log_phi(e->g, e->x[0]);
}

static sl_node std_normal_log_ccdf(sl__elements *e) {
  return sl__maths_log_phi(e->g, op_negate(e->g, e->x[0]));
}

static double std_normal_draw(sl__stan_call *call, const double *p) {
  (void)p;
  return sl__stan_normal(call);
}

SL__DISTRIBUTION(std_normal, .rule = {{"variate", SL__ANY_NUMBER}}, .density = std_normal_density,
                 .log_cdf = std_normal_log_cdf, .log_ccdf = std_normal_log_ccdf,
                 .draw = std_normal_draw)

/* ---- lognormal(y | mu, sigma): normal(log y | mu, sigma) / y ---- */

static sl_node lognormal_z(sl__elements *e, sl_node y) {
  return sl__density_standardise(e->g, op_log(e->g, y), e->x[1], e->x[2]);
}

/* At 0, where log y and z^2 would cancel as infinities, the density is 0. */
static void lognormal_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node inside = op_less(g, sl__maths_real(g, 0), e->x[0]);
  const sl_node y = op_select(g, inside, e->x[0], sl__maths_real(g, 1));
  sl__density_restrict(e, inside);
  add_standard_normal(e, lognormal_z(e, y));
  sl__density_term(e, op_negate(g, op_log(g, e->x[2])));
  sl__density_term(e, op_negate(g, op_log(g, y)));
}

static sl_node lognormal_log_cdf(sl__elements *e) {
  return sl__maths_log_phi(e->g, lognormal_z(e, e->x[0]));
}

static sl_node lognormal_log_ccdf(sl__elements *e) {
  return sl__maths_log_phi(e->g, op_negate(e->g, lognormal_z(e, e->x[0])));
}

static double lognormal_draw(sl__stan_call *call, const double *p) {
  return exp(normal_draw(call, p));
}

SL__DISTRIBUTION(lognormal,
                 .rule = {{"variate", SL__NOT_NEGATIVE},
                          {"location", SL__FINITE},
                          {"scale", SL__POSITIVE_FINITE}},
                 .density = lognormal_density, .log_cdf = lognormal_log_cdf,
                 .log_ccdf = lognormal_log_ccdf, .draw = lognormal_draw)

/* ---- skew_normal(y | xi, omega, alpha): 2 normal(y | xi, omega) Phi(alpha z) ---- */

static void skew_normal_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node z = z_of(e);
  add_standard_normal(e, z);
  sl__density_number(e, SL__LN2);
  sl__density_term(e, op_negate(g, op_log(g, e->x[2])));
  sl__density_term(e, sl__maths_log_phi(g, op_multiply(g, e->x[3], z)));
}

/* Phi(z) - 2 T(z, alpha), T being Owen's. */
static sl_node skew_normal_log_cdf(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node z = z_of(e), twice = op_scale(g, op_owens_t(g, z, e->x[3]), 2);
  const sl_node below = op_subtract(g, sl__maths_phi(g, z), twice);
  return op_log(g, op_maximum(g, below, sl__maths_real(g, 0)));
}

static sl_node skew_normal_log_ccdf(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node z = z_of(e), twice = op_scale(g, op_owens_t(g, z, e->x[3]), 2);
  const sl_node above = op_add(g, sl__maths_phi(g, op_negate(g, z)), twice);
  return op_log(g, op_maximum(g, above, sl__maths_real(g, 0)));
}

/* Azzalini 1985: the sign of one normal number decides that of another. */
static double skew_normal_draw(sl__stan_call *call, const double *p) {
  const double u = sl__stan_normal(call), v = sl__stan_normal(call);
  return p[0] + p[1] * (p[2] * fabs(u) + v) / sqrt(1 + p[2] * p[2]);
}

SL__DISTRIBUTION(skew_normal,
                 .rule = {{"variate", SL__ANY_NUMBER},
                          {"location", SL__FINITE},
                          {"scale", SL__POSITIVE},
                          {"shape", SL__FINITE}},
                 .density = skew_normal_density, .log_cdf = skew_normal_log_cdf,
                 .log_ccdf = skew_normal_log_ccdf, .draw = skew_normal_draw)

/* ---- exp_mod_normal(y | mu, sigma, lambda): a normal number plus an exponential one ----
 * lambda exp(s (s / 2 - z)) Phi(z - s), s = lambda sigma */

static void exp_mod_normal_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node z = z_of(e), s = op_multiply(g, e->x[3], e->x[2]);
  sl__density_term(e, op_log(g, e->x[3]));
  sl__density_term(e, op_multiply(g, s, op_subtract(g, op_scale(g, s, 0.5), z)));
  sl__density_term(e, sl__maths_log_phi(g, op_subtract(g, z, s)));
}

/* log of exp(s (s / 2 - z)) Phi(z - s): what P(Y > y) has beyond that of the normal number. */
static sl_node exp_mod_normal_excess(sl__elements *e, sl_node z) {
  sl__graph *g = e->g;
  const sl_node s = op_multiply(g, e->x[3], e->x[2]);
  return op_multiply_add(g, s, op_subtract(g, op_scale(g, s, 0.5), z),
                         sl__maths_log_phi(g, op_subtract(g, z, s)));
}

static sl_node exp_mod_normal_log_cdf(sl__elements *e) {
  const sl_node z = z_of(e);
  return sl__maths_log_diff_exp(e->g, sl__maths_log_phi(e->g, z), exp_mod_normal_excess(e, z));
}

static sl_node exp_mod_normal_log_ccdf(sl__elements *e) {
  const sl_node z = z_of(e);
  return sl__maths_log_sum_exp(e->g, sl__maths_log_phi(e->g, op_negate(e->g, z)),
                               exp_mod_normal_excess(e, z));
}

static double exp_mod_normal_draw(sl__stan_call *call, const double *p) {
  return normal_draw(call, p) + sl__draw_exponential(call) / p[2];
}

SL__DISTRIBUTION(exp_mod_normal,
                 .rule = {{"variate", SL__ANY_NUMBER},
                          {"location", SL__FINITE},
                          {"scale", SL__POSITIVE_FINITE},
                          {"inverse scale", SL__POSITIVE_FINITE}},
                 .density = exp_mod_normal_density, .log_cdf = exp_mod_normal_log_cdf,
                 .log_ccdf = exp_mod_normal_log_ccdf, .draw = exp_mod_normal_draw)
