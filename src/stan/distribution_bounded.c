/* Distributions on an interval: uniform, beta, beta_proportion; on a circle: von_mises. */
#include <math.h>

#include "stan/distribution.h"

/* ---- uniform(y | alpha, beta): 1 / (beta - alpha) between alpha and beta ---- */

/* Draws have no variate: the bounds are the last two arguments. */
static sl_status uniform_check(sl__stan_call *call) {
  const int low = call->count - 2, high = call->count - 1;
  const sl__stan_value *lower = &call->argument[low], *upper = &call->argument[high];
  const int64_t most = lower->count > upper->count ? lower->count : upper->count;
  if (lower->count == 0 || upper->count == 0) return SL_OK;
  if (!sl__stan_is_known(lower) || !sl__stan_is_known(upper)) {
    const sl_node ordered =
        op_less(sl__stan_graph(call), sl__stan_argument(call, low), sl__stan_argument(call, high));
    return sl__stan_require(call, ordered, "the lower bound must be less than the upper one");
  }
  for (int32_t k = 0; k < most; k++)
    if (!(sl__element_of(call, low, k) < sl__element_of(call, high, k)))
      return sl__stan_refuse_value(call, "the lower bound must be less than the upper one");
  return SL_OK;
}

static void uniform_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node y = e->x[0], low = e->x[1], high = e->x[2];
  sl__density_restrict(e, op_less_equal(g, low, y));
  sl__density_restrict(e, op_less_equal(g, y, high));
  sl__density_term(e, op_negate(g, op_log(g, op_subtract(g, high, low))));
}

/* The part of the interval between one end and y. */
static sl_node uniform_log_part(sl__elements *e, sl_node distance) {
  sl__graph *g = e->g;
  const sl_node width = op_subtract(g, e->x[2], e->x[1]);
  return op_log(g, op_clamp(g, op_divide(g, distance, width), 0, 1));
}

static sl_node uniform_log_cdf(sl__elements *e) {
  return uniform_log_part(e, op_subtract(e->g, e->x[0], e->x[1]));
}

static sl_node uniform_log_ccdf(sl__elements *e) {
  return uniform_log_part(e, op_subtract(e->g, e->x[2], e->x[0]));
}

static double uniform_draw(sl__stan_call *call, const double *p) {
  const double u = sl__stan_uniform(call);
  return (1 - u) * p[0] + u * p[1];
}

SL__DISTRIBUTION(uniform,
                 .rule = {{"variate", SL__ANY_NUMBER},
                          {"lower bound", SL__FINITE},
                          {"upper bound", SL__FINITE}},
                 .check = uniform_check, .density = uniform_density, .log_cdf = uniform_log_cdf,
                 .log_ccdf = uniform_log_ccdf, .draw = uniform_draw)

/* ---- beta(y | alpha, beta): y^(alpha - 1) (1 - y)^(beta - 1) / B(alpha, beta) ---- */

static void add_beta(sl__elements *e, sl_node a, sl_node b) {
  sl__graph *g = e->g;
  sl__density_term(e, op_negate(g, sl__maths_lbeta(g, a, b)));
  sl__density_term(e, sl__density_times_log(g, op_shift(g, a, -1), e->x[0]));
  sl__density_term(e, sl__density_times_log1m(g, op_shift(g, b, -1), e->x[0]));
}

static void beta_density(sl__elements *e) {
  add_beta(e, e->x[1], e->x[2]);
}

/* The odds y / (1 - y) of a probability, infinite at 1. */
static sl_node odds_of(sl__graph *g, sl_node y) {
  return op_divide(g, y, op_shift(g, op_negate(g, y), 1));
}

static sl_node beta_log_cdf(sl__elements *e) {
  return op_log_beta_lower(e->g, e->x[1], e->x[2], odds_of(e->g, e->x[0]));
}

static sl_node beta_log_ccdf(sl__elements *e) {
  const sl_node odds = op_divide(e->g, op_shift(e->g, op_negate(e->g, e->x[0]), 1), e->x[0]);
  return op_log_beta_lower(e->g, e->x[2], e->x[1], odds);
}

static double beta_draw(sl__stan_call *call, const double *p) {
  return sl__draw_beta(call, p[0], p[1]);
}

SL__DISTRIBUTION(beta,
                 .rule = {{"variate", SL__PROBABILITY},
                          {"first shape", SL__POSITIVE_FINITE},
                          {"second shape", SL__POSITIVE_FINITE}},
                 .density = beta_density, .log_cdf = beta_log_cdf, .log_ccdf = beta_log_ccdf,
                 .draw = beta_draw)

/* ---- beta_proportion(y | mu, kappa): beta(y | mu kappa, (1 - mu) kappa) ---- */

static void beta_proportion_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node rest = op_shift(g, op_negate(g, e->x[1]), 1);
  add_beta(e, op_multiply(g, e->x[1], e->x[2]), op_multiply(g, rest, e->x[2]));
}

/* The same distribution by its shapes. */
static sl__elements by_shapes(const sl__elements *e) {
  sl__elements shapes = *e;
  const sl_node rest = op_shift(e->g, op_negate(e->g, e->x[1]), 1);
  shapes.x[1] = op_multiply(e->g, e->x[1], e->x[2]);
  shapes.x[2] = op_multiply(e->g, rest, e->x[2]);
  return shapes;
}

static sl_node beta_proportion_log_cdf(sl__elements *e) {
  sl__elements shapes = by_shapes(e);
  return beta_log_cdf(&shapes);
}

static sl_node beta_proportion_log_ccdf(sl__elements *e) {
  sl__elements shapes = by_shapes(e);
  return beta_log_ccdf(&shapes);
}

static double beta_proportion_draw(sl__stan_call *call, const double *p) {
  return sl__draw_beta(call, p[0] * p[1], (1 - p[0]) * p[1]);
}

SL__DISTRIBUTION(beta_proportion,
                 .rule = {{"variate", SL__PROBABILITY},
                          {"location", SL__INSIDE_UNIT},
                          {"precision", SL__POSITIVE_FINITE}},
                 .density = beta_proportion_density, .log_cdf = beta_proportion_log_cdf,
                 .log_ccdf = beta_proportion_log_ccdf, .draw = beta_proportion_draw)

/* ---- von_mises(y | mu, kappa): exp(kappa cos(y - mu)) / (2 pi I_0(kappa)) ---- */

static void von_mises_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node angle = op_subtract(g, e->x[0], e->x[1]);
  sl__density_number(e, -2 * SL__HALF_LOG_TWO_PI);
  sl__density_term(e, op_negate(g, sl__density_log_bessel_i0(g, e->x[2])));
  sl__density_term(e, op_multiply(g, e->x[2], op_cos(g, angle)));
}

/* Best and Fisher 1979: a wrapped Cauchy envelope. The draw lies within half a turn of mu. */
static double von_mises_draw(sl__stan_call *call, const double *p) {
  const double kappa = p[1];
  if (kappa < 1e-12) return p[0] + SL__PI * (2 * sl__stan_uniform(call) - 1);
  const double root = sqrt(1 + 4 * kappa * kappa);
  const double a = 1 + root, b = 2 * kappa / (a + sqrt(2 * a)), s = (1 + b * b) / (2 * b);
  for (;;) {
    const double turn = cos(SL__PI * sl__stan_uniform(call));
    const double f = (1 + s * turn) / (s + turn), c = kappa * (s - f);
    const double u = sl__stan_uniform(call);
    if (c * (2 - c) > u || log(c / u) + 1 >= c) {
      const double angle = acos(fmin(fmax(f, -1), 1));
      return p[0] + (sl__stan_uniform(call) < 0.5 ? -angle : angle);
    }
  }
}

SL__DISTRIBUTION(von_mises,
                 .rule = {{"variate", SL__FINITE},
                          {"location", SL__FINITE},
                          {"concentration", SL__NOT_NEGATIVE}},
                 .density = von_mises_density, .draw = von_mises_draw)
