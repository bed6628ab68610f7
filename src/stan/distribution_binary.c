/* bernoulli and bernoulli_logit; uniform whole numbers: discrete_range. */
#include <math.h>

#include "stan/distribution.h"

/* How many of the variate's elements are 1. */
static double count_ones(const sl__elements *e) {
  const int64_t *n = sl__stan_integers(e->call, 0);
  const int64_t count = e->call->argument[0].count;
  double ones = 0;
  for (int64_t i = 0; n && i < count; i++) ones += (double)n[i];
  return ones;
}

/* Many variates with one parameter: two terms are enough, f(0) and f(1), which are counted. */
static bool is_counted(const sl__elements *e) {
  return e->n > 1 && sl__node_shape(e->g, e->x[0]).dims > 0 &&
         sl__node_shape(e->g, e->x[1]).dims == 0 && e->n == e->call->argument[0].count;
}

/* c times a term that is for all elements together: it will count n times. */
static void add_counted(sl__elements *e, double count, sl_node term) {
  if (count > 0) sl__density_term(e, op_scale(e->g, term, count / e->n));
}

/* ---- bernoulli(n | theta): theta^n (1 - theta)^(1 - n) ---- */

static void bernoulli_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node theta = e->x[1];
  if (is_counted(e)) {
    const double ones = count_ones(e);
    add_counted(e, ones, op_log(g, theta));
    add_counted(e, e->n - ones, sl__maths_log1m(g, theta));
    return;
  }
  const sl_node rest = op_shift(g, op_negate(g, theta), 1);
  sl__density_term(e, op_log(g, op_select(g, e->x[0], theta, rest)));
}

static double bernoulli_draw(sl__stan_call *call, const double *p) {
  return sl__stan_uniform(call) < p[0];
}

SL__DISTRIBUTION(bernoulli,
                 .rule = {{"variate", SL__ZERO_OR_ONE}, {"probability", SL__PROBABILITY}},
                 .density = bernoulli_density, .whole = true, .limit = 1, .draw = bernoulli_draw)

/* ---- bernoulli_logit(n | alpha): bernoulli(n | inv_logit(alpha)) ---- */

static void bernoulli_logit_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node alpha = e->x[1];
  if (is_counted(e)) {
    const double ones = count_ones(e);
    add_counted(e, ones, sl__maths_log_inv_logit(g, alpha));
    add_counted(e, e->n - ones, sl__maths_log1m_inv_logit(g, alpha));
    return;
  }
  const sl_node sign = op_shift(g, op_scale(g, e->x[0], -2), 1);
  sl__density_term(e, op_negate(g, op_softplus(g, op_multiply(g, sign, alpha))));
}

static double bernoulli_logit_draw(sl__stan_call *call, const double *p) {
  return sl__stan_uniform(call) < 1 / (1 + exp(-p[0]));
}

SL__DISTRIBUTION(bernoulli_logit,
                 .rule = {{"variate", SL__ZERO_OR_ONE}, {"log odds", SL__ANY_NUMBER}},
                 .density = bernoulli_logit_density, .draw = bernoulli_logit_draw)

/* ---- discrete_range(n | l, u): 1 / (u - l + 1), l <= n <= u; all are known ---- */

static sl_status discrete_range_check(sl__stan_call *call) {
  const int low = call->count - 2, high = call->count - 1;
  const int64_t most = call->argument[low].count > call->argument[high].count
                           ? call->argument[low].count
                           : call->argument[high].count;
  if (call->argument[low].count == 0 || call->argument[high].count == 0) return SL_OK;
  for (int32_t k = 0; k < most; k++)
    if (sl__element_of(call, low, k) > sl__element_of(call, high, k))
      return sl__stan_refuse_value(call, "the lower bound is above the upper one");
  return SL_OK;
}

static void discrete_range_density(sl__elements *e) {
  sl__graph *g = e->g;
  sl__density_restrict(e, op_less_equal(g, e->x[1], e->x[0]));
  sl__density_restrict(e, op_less_equal(g, e->x[0], e->x[2]));
  sl__density_term(e, op_negate(g, op_log1p(g, op_subtract(g, e->x[2], e->x[1]))));
}

static void discrete_range_known_cdf(const double *x, double *log_cdf, double *log_ccdf) {
  const double count = x[2] - x[1] + 1, below = fmin(fmax(x[0] - x[1] + 1, 0), count);
  *log_cdf = log(below / count);
  *log_ccdf = log((count - below) / count);
}

static double discrete_range_draw(sl__stan_call *call, const double *p) {
  return fmin(p[0] + floor(sl__stan_uniform(call) * (p[1] - p[0] + 1)), p[1]);
}

SL__DISTRIBUTION(discrete_range,
                 .rule = {{"variate", SL__ANY_NUMBER},
                          {"lower bound", SL__ANY_NUMBER},
                          {"upper bound", SL__ANY_NUMBER}},
                 .check = discrete_range_check, .density = discrete_range_density,
                 .known_cdf = discrete_range_known_cdf, .draw = discrete_range_draw)
