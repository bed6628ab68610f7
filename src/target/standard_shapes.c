/* A funnel, a banana, many wells: with exact draws. */
#include <math.h>
#include "target/standard.h"

#define LOG_TWO_PI 1.8378770664093454836

/* ---- funnel: v ~ normal(0, 3), the others normal(0, exp(v / 2)) ---- */

enum { FUNNEL = 10 };

static sl_node density_funnel(sl__graph *g, sl_node x) {
  const sl_node v = op_element(g, x, 0, 0);
  const sl_node others = op_slice(g, x, 0, 1, FUNNEL - 1, 1);
  /* scaled before squaring: exp(-v) alone overflows sooner */
  const sl_node scaled = op_multiply(g, others, op_exp(g, op_scale(g, v, -0.5)));
  const sl_node quadratic =
      op_add(g, op_scale(g, op_square(g, v), 1.0 / 9), op_sum(g, op_square(g, scaled), 0));
  const sl_node density =
      op_subtract(g, op_scale(g, quadratic, -0.5), op_scale(g, v, 0.5 * (FUNNEL - 1)));
  return op_shift(g, density, -log(3.0) - 0.5 * FUNNEL * LOG_TWO_PI);
}

static void draw_funnel(sl__random_key key, uint64_t row, double *x) {
  x[0] = 3 * sl__random_normal(key, row, 0);
  for (uint32_t i = 1; i < FUNNEL; i++) x[i] = exp(x[0] / 2) * sl__random_normal(key, row, i);
}

const sl__standard_target sl__standard_funnel = {
    .name = "funnel",
    .summary = "a log variance of sd 3, and nine normals of that variance",
    .origin = "Neal 2003, Slice sampling, section 8",
    .dim = FUNNEL,
    .log_evidence = 0,
    .log_density = density_funnel,
    .draw = draw_funnel};

/* ---- banana: a normal with sds 10 and 1, bent along a parabola ---- */

#define BEND 0.03

static sl_node density_banana(sl__graph *g, sl_node x) {
  const sl_node a = op_element(g, x, 0, 0), b = op_element(g, x, 0, 1);
  const sl_node straight =
      op_add(g, op_shift(g, b, -100 * BEND), op_scale(g, op_square(g, a), BEND));
  const sl_node sum = op_add(g, op_scale(g, op_square(g, a), 0.01), op_square(g, straight));
  return op_shift(g, op_scale(g, sum, -0.5), -log(10.0) - LOG_TWO_PI);
}

static void draw_banana(sl__random_key key, uint64_t row, double *x) {
  x[0] = 10 * sl__random_normal(key, row, 0);
  x[1] = sl__random_normal(key, row, 1) - BEND * x[0] * x[0] + 100 * BEND;
}

const sl__standard_target sl__standard_banana = {
    .name = "banana",
    .summary = "a normal with sds 10 and 1, twisted by 0.03 x1^2",
    .origin = "Haario, Saksman and Tamminen 1999, Adaptive proposal distribution, section 4",
    .dim = 2,
    .log_evidence = 0,
    .log_density = density_banana,
    .draw = draw_banana};

/* ---- many wells: 16 pairs, each exp(-d^4 + 6 d^2 + d / 2) times a normal ---- */

enum { WELLS = 16 };

static sl_node density_wells(sl__graph *g, sl_node x) {
  const sl_node d = op_slice(g, x, 0, 0, WELLS, 2), v = op_slice(g, x, 0, 1, WELLS, 2);
  const sl_node square = op_square(g, d);
  const sl_node well =
      op_add(g, op_multiply(g, square, op_shift(g, op_negate(g, square), 6)), op_scale(g, d, 0.5));
  return op_sum(g, op_subtract(g, well, op_scale(g, op_square(g, v), 0.5)), 0);
}

/* -d^4 + 6 d^2 = 9 - (d^2 - 3)^2 = 9 - (|d| - a)^2 (|d| + a)^2, a = sqrt(3), which is at most
 * 9 - 3 (|d| - a)^2. With the tilt exp(d / 2) that bound is a normal of variance 1/6 around
 * a + 1/12 on the right and -a + 1/12 on the left, the right one exp(a) times as likely: draws from it are
 * kept with the probability that the bound is too large by. */
static double draw_well(sl__random_key key, uint64_t row, uint32_t first_feature) {
  const double a = sqrt(3.0), right = 1 / (1 + exp(-a));
  for (uint32_t feature = first_feature;; feature += 6 * WELLS) {
    const double side = sl__random_uniform(key, row, feature) < right ? 1 : -1;
    const double d = side * a + 1.0 / 12 + sqrt(1.0 / 6) * sl__random_normal(key, row, feature + 2);
    const double off = side * d - a, gap = d * d - 3;
    if (side * d > 0 && sl__random_uniform(key, row, feature + 4) < exp(3 * off * off - gap * gap))
      return d;
  }
}

static void draw_wells(sl__random_key key, uint64_t row, double *x) {
  for (uint32_t i = 0; i < WELLS; i++) {
    x[2 * i + 1] = sl__random_normal(key, row, i);
    x[2 * i] = draw_well(key, row, WELLS + 6 * i);
  }
}

const sl__standard_target sl__standard_many_well = {
    .name = "many_well",
    .summary = "sixteen double wells beside sixteen normals: 65,536 modes",
    .origin = "Midgley et al. 2023 (arXiv:2208.01893), after Noe et al. 2019",
    .dim = 2 * WELLS,
    .log_evidence = 164.6956753131819,
    .log_density = density_wells,
    .draw = draw_wells};
