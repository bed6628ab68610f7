/* The transformers' formulas in plain C, in long double, and the settings they are tested at. */
#ifndef SL_TESTS_TRANSFORMER_FORMULAS_H
#define SL_TESTS_TRANSFORMER_FORMULAS_H
#include "transformer_subject.h"

typedef long double real;
/* Data to noise: z, the logarithm of its derivative, and the size of what either is summed from, of
 * which roundings are fractions. */
typedef struct exact {
  real z, log_slope, size, log_size;
} exact;
typedef exact (*formula)(const subject *s, const double *raw, int feature, real x);

static exact exact_additive(const subject *s, const double *raw, int feature, real x) {
  (void)s, (void)feature;
  return (exact){x - raw[0], 0, fabsl(x) + fabs(raw[0]), 0};
}

static exact exact_affine(const subject *s, const double *raw, int feature, real x) {
  real log_scale = raw[1];
  int64_t bound = s->transform.arguments[SL__ARGUMENT_scale].integer;
  if (bound == 0) log_scale = log_scale / (1 + fabsl(log_scale) / logl(1000));
  if (bound == 1) log_scale = s->own[feature] * tanhl(log_scale);
  real scale = expl(-log_scale);
  return (exact){(x - raw[0]) * scale, -log_scale, (fabsl(x) + fabs(raw[0])) * scale,
                 fabsl(log_scale)};
}

/* log(sum_k exp(a_k)) */
static real add_logs(const real *a, int count) {
  real most = a[0], sum = 0;
  for (int k = 1; k < count; k++) most = fmaxl(most, a[k]);
  for (int k = 0; k < count; k++) sum += expl(a[k] - most);
  return most + logl(sum);
}

static exact exact_naf(const subject *s, const double *raw, int feature, real x) {
  (void)feature;
  int units = s->transform.group_size[0];
  real weight[MOST_NUMBERS] = {0}, below[MOST_NUMBERS], above[MOST_NUMBERS], rise[MOST_NUMBERS];
  real size = 0;
  for (int k = 0; k < units; k++) weight[k] = raw[2 * units + k];
  real total = add_logs(weight, units);
  for (int k = 0; k < units; k++) {
    real gain = units == 1 ? 1 : 1 + 3.0L * k / (units - 1), offset = gain * raw[units + k];
    real slope = 0.001L + 0.999L * logl(1 + expl(raw[k]) * (expl(1) - 1));
    real w = weight[k] - total;
    real u = slope * x + offset;
    real under = u < 0 ? u - log1pl(expl(u)) : -log1pl(expl(-u));
    real over = u < 0 ? -log1pl(expl(u)) : -u - log1pl(expl(-u));
    below[k] = w + under;
    above[k] = w + over;
    rise[k] = w + logl(slope) + under + over;
    size = fmaxl(size, slope * fabsl(x) + fabsl(offset));
  }
  real low = add_logs(below, units), high = add_logs(above, units), e = 0.02L;
  real logs[2] = {logl(1 - e) + add_logs(rise, units) - low - high, logl(e)};
  return (exact){(1 - e) * (low - high) + e * x, add_logs(logs, 2), 1 + size, 1 + size};
}

/* 0.001 + sum_k p_k(u)^2, or with the absolute values of all coefficients. */
static real sum_of_squares(const subject *s, const double *raw, real u, bool absolute) {
  int count = (int)s->transform.arguments[SL__ARGUMENT_polynomials].integer;
  int degree = (int)s->transform.arguments[SL__ARGUMENT_degree].integer;
  real sum = 0.001L;
  for (int k = 0; k < count; k++) {
    real p = 0, power = 1;
    for (int l = 0; l <= degree; l++, power *= u) {
      real coefficient = raw[1 + l * count + k] / tgammal(l + 1);
      if (l == 0) coefficient += sqrtl(0.999L * (k + 1) * 2 / count / (count + 1));
      p += absolute ? fabsl(coefficient * power) : coefficient * power;
    }
    sum += p * p;
  }
  return sum;
}

/* The integral by Gauss and Legendre's rule of 5 points, exact up to degree 9, on 8 pieces; beyond
 * the bound its tangent. */
static exact exact_sos(const subject *s, const double *raw, int feature, real x) {
  (void)feature;
  real reach = s->transform.arguments[SL__ARGUMENT_reach].real, beyond = fabsl(x) - reach;
  if (beyond > 0) {
    exact edge = exact_sos(s, raw, feature, copysignl(reach, x));
    edge.z += copysignl(beyond, x) * sum_of_squares(s, raw, copysignl(reach, x), false);
    edge.size += beyond * sum_of_squares(s, raw, reach, true);
    return edge;
  }
  real near = sqrtl(5 - 2 * sqrtl(10.0L / 7)) / 3, far = sqrtl(5 + 2 * sqrtl(10.0L / 7)) / 3;
  real place[5] = {-far, -near, 0, near, far}, inner = (322 + 13 * sqrtl(70)) / 900;
  real outer = (322 - 13 * sqrtl(70)) / 900, weight[5] = {outer, inner, 128.0L / 225, inner, outer};
  real z = raw[0], size = fabs(raw[0]), half = x / 16;
  for (int piece = 0; piece < 8; piece++)
    for (int i = 0; i < 5; i++) {
      real u = (2 * piece + 1 + place[i]) * half;
      z += weight[i] * half * sum_of_squares(s, raw, u, false);
      size += weight[i] * fabsl(half) * sum_of_squares(s, raw, u, true);
    }
  real slope = sum_of_squares(s, raw, x, false);
  return (exact){z, logl(slope), size, 4 + sum_of_squares(s, raw, x, true) / slope};
}

static exact exact_sinh_arcsinh(const subject *s, const double *raw, int feature, real x) {
  (void)s, (void)feature;
  real d = expl(raw[1] / (1 + fabs(raw[1]) / logl(10)));
  real e = raw[0] / (1 + fabs(raw[0]) / 5);
  real u = d * asinhl(x) - e, slope = d * coshl(u) / sqrtl(1 + x * x);
  real size = 1 + fabsl(u) + fabsl(e);
  return (exact){sinhl(u), logl(slope), size * coshl(u), size};
}

/* Lambert's W of q >= 0, by Newton's method on v + log v = log q */
static real lambert(real q) {
  real v = log1pl(q);
  for (int i = 0; i < 60 && v > 0; i++) v *= (1 + logl(q / v)) / (1 + v);
  return q > 0 ? v : 0;
}

static exact exact_tail(const subject *s, const double *raw, int feature, real x) {
  (void)s, (void)feature;
  real h = x > 0 ? raw[1] : raw[0];
  h /= 1 + fabsl(h) / 2;
  if (h >= 0) {
    real v = lambert(h * x * x), z = x * expl(-v / 2);
    return (exact){z, -v / 2 - logl(1 + v), fabsl(z) * (1 + v), 1 + v};
  }
  real t = -h * x * x, root = sqrtl(1 + t * t), z = x * sqrtl(t + root);
  real size = 1 + asinhl(t);
  return (exact){z, logl(sqrtl(t + root) * (1 + t / root)), fabsl(z) * size, size};
}

static const struct {
  setting what;
  formula exact;
} subjects[] = {
    {{"additive", {NULL}, {NULL}}, exact_additive},
    {{"affine", {NULL}, {NULL}}, exact_affine},
    {{"affine", {"scale"}, {"tanh"}}, exact_affine},
    {{"affine", {"scale"}, {"exp"}}, exact_affine},
    {{"naf", {NULL}, {NULL}}, exact_naf},
    {{"naf", {"units"}, {"1"}}, exact_naf},
    {{"naf", {"units"}, {"5"}}, exact_naf},
    {{"sos", {NULL}, {NULL}}, exact_sos},
    {{"sos", {"polynomials", "degree"}, {"1", "0"}}, exact_sos},
    {{"sos", {"polynomials", "degree"}, {"2", "3"}}, exact_sos},
    {{"sos", {"reach", NULL}, {"1.5", NULL}}, exact_sos},
    {{"sinh_arcsinh", {NULL}, {NULL}}, exact_sinh_arcsinh},
    {{"tail", {NULL}, {NULL}}, exact_tail},
};
enum { SUBJECTS = sizeof subjects / sizeof subjects[0] };
#endif
