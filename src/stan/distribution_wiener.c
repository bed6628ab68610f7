/* wiener(y | alpha, tau, beta, delta[, s]): the time at which a diffusion of drift delta, started
 * at beta alpha between boundaries 0 and alpha, first meets the upper one, after a delay tau; with
 * s, the drift varies from trial to trial with that standard deviation. Navarro and Fuss 2009,
 * "Fast and accurate calculations for first-passage times in Wiener diffusion models", equations 1
 * and 4 to 6; the varying drift as in Blurton, Kesselmeier and Gondan 2012.
 *
 * In units of alpha^2 the density of no drift has two series: one falls like exp(-k^2 / t), the
 * other like exp(-k^2 t). Both are cut at fixed lengths, good to 1e-16 on their side of
 * t = 0.35. */
#include <math.h>

#include "stan/distribution.h"

#define SWITCH_TIME 0.35

enum { SMALL_TERMS = 3, LARGE_TERMS = 5 }; /* -3..3; 1..5 */

/* log f(t | 0, 1, w) for t <= SWITCH_TIME: the term of k = 0 taken out, the rest are at most 1. */
static sl_node small_times(sl__graph *g, sl_node t, sl_node w) {
  sl_node sum = sl__maths_real(g, 1);
  for (int k = -SMALL_TERMS; k <= SMALL_TERMS; k++) {
    if (k == 0) continue;
    const sl_node ratio = op_divide(g, op_shift(g, w, 2 * k), w);
    const sl_node way = op_scale(g, op_shift(g, w, k), -2 * k); /* (w^2 - (w + 2k)^2) / 2 */
    sum = op_add(g, sum, op_multiply(g, ratio, op_exp(g, op_divide(g, way, t))));
  }
  const sl_node first = op_add(g, op_log(g, w), op_scale(g, op_log(g, t), -1.5));
  const sl_node fall = op_scale(g, op_divide(g, op_square(g, w), t), -0.5);
  return op_shift(g, op_add(g, op_add(g, first, fall), op_log(g, sum)), -SL__HALF_LOG_TWO_PI);
}

/* The same for t >= SWITCH_TIME, the factor exp(-pi^2 t / 2) taken out. */
static sl_node large_times(sl__graph *g, sl_node t, sl_node w) {
  sl_node sum = op_sin(g, op_scale(g, w, SL__PI));
  for (int k = 2; k <= LARGE_TERMS; k++) {
    const sl_node fall = op_exp(g, op_scale(g, t, -0.5 * SL__PI * SL__PI * (k * k - 1)));
    const sl_node wave = op_scale(g, op_sin(g, op_scale(g, w, k * SL__PI)), k);
    sum = op_add(g, sum, op_multiply(g, wave, fall));
  }
  const sl_node first = op_shift(g, op_scale(g, t, -0.5 * SL__PI * SL__PI), SL__LOG_PI);
  return op_add(g, first, op_log(g, sum));
}

/* The upper boundary is the lower one of 1 - beta and -delta. Between trials of drifts
 * normal(delta, s) the factor exp(-delta alpha w - delta^2 t / 2) becomes
 * exp((s^2 alpha^2 w^2 - 2 delta alpha w - delta^2 t) / (2 (1 + s^2 t))) / sqrt(1 + s^2 t). */
static void wiener_density(sl__elements *e) {
  sl__graph *g = e->g;
  const sl_node alpha = e->x[1], zero = sl__maths_real(g, 0),
                limit = sl__maths_real(g, SWITCH_TIME);
  const sl_node w = op_shift(g, op_negate(g, e->x[3]), 1), delta = op_negate(g, e->x[4]);
  const sl_node late = op_subtract(g, e->x[0], e->x[2]), after = op_less(g, zero, late);
  const sl_node time = op_select(g, after, late, sl__maths_real(g, 1));
  const sl_node t = op_divide(g, time, op_square(g, alpha));
  const sl_node is_large = op_less(g, limit, t);
  const sl_node small = small_times(g, op_select(g, is_large, limit, t), w);
  const sl_node large = large_times(g, op_select(g, is_large, t, limit), w);
  const sl_node way = op_multiply(g, alpha, w);
  sl_node exponent = op_negate(
      g, op_multiply(g, delta, op_add(g, way, op_scale(g, op_multiply(g, delta, time), 0.5))));
  if (e->call->count == 6) {
    const sl_node square = op_square(g, e->x[5]), more = op_multiply(g, square, time);
    const sl_node spread = op_scale(g, op_multiply(g, square, op_square(g, way)), 0.5);
    exponent = op_divide(g, op_add(g, exponent, spread), op_shift(g, more, 1));
    sl__density_term(e, op_scale(g, op_log1p(g, more), -0.5));
  }
  sl__density_restrict(e, after);
  sl__density_term(e, op_scale(g, op_log(g, alpha), -2));
  sl__density_term(e, exponent);
  sl__density_term(e, op_select(g, is_large, large, small));
}

static const sl__distribution wiener = {.rule = {{"variate", SL__POSITIVE_FINITE},
                                                 {"boundary separation", SL__POSITIVE_FINITE},
                                                 {"non-decision time", SL__POSITIVE_FINITE},
                                                 {"a-priori bias", SL__INSIDE_UNIT},
                                                 {"drift rate", SL__FINITE},
                                                 {"variability of the drift", SL__NOT_NEGATIVE}},
                                        .density = wiener_density};

/* Further arguments: a tolerance, which the fixed series do not need; or variabilities of bias and
 * delay, which call for integrals. */
sl_status sl__stan_build_wiener(sl__stan_call *call) {
  if (call->count > 7)
    return sl__stan_refuse(call, "the forms with variable bias or non-decision time are not "
                                 "evaluated; leave these arguments out");
  sl__stan_call simple = *call;
  simple.count = call->count > 6 ? 6 : call->count;
  return sl__distribution_build(&simple, &wiener);
}
