/* Incomplete gamma functions with their derivatives by the shape: the power series (DLMF 8.7.1)
 * below x = a + 1, the continued fraction (DLMF 8.9.2) by Lentz's method above. Derivatives are
 * carried along term by term. The factor before them is taken from Stirling's series for large
 * shapes, so that nothing is lost where x is close to a. */
#include "kernels/special.h"

#include <float.h>

#include "kernels/maths_special_f64.h"

#define HALF_LOG_TWO_PI 0.91893853320467274178
#define PI              3.14159265358979323846

enum { MAX_TERMS = 200000 }; /* enough for shapes up to 1e9 */

static double polynomial(double x, const double *coefficient, int count) {
  double sum = 0;
  for (int i = count - 1; i >= 0; i--) sum = sum * x + coefficient[i];
  return sum;
}
#define POLYNOMIAL(x, c) polynomial(x, c, (int)(sizeof(c) / sizeof *(c)))

double sl__special_digamma(double x) {
  return x < 0 ? digamma_of_negative_f64(x) : digamma_of_positive_f64(x);
}

double sl__special_trigamma(double x) {
  return x < 0 ? trigamma_of_negative_f64(x) : trigamma_of_positive_f64(x);
}

/* The derivative of trigamma's asymptotic series, recurrence and reflection. */
double sl__special_tetragamma(double x) {
  static const double series[] = {-1.0 / 2, 1.0 / 6,       -1.0 / 6,  3.0 / 10,
                                  -5.0 / 6, 691.0 / 210.0, -35.0 / 2, 3617.0 / 30};
  if (x < 0) {
    const double angle = PI * (x - floor_of_f64(x + 0.5));
    const double sine = sin_of_f64(angle), over_sine = PI / sine;
    if (x == -HUGE_VAL || sine == 0) return (double)NAN;
    return sl__special_tetragamma(1 - x) -
           2 * over_sine * over_sine * over_sine * cos_of_f64(angle);
  }
  double shift = 0;
  for (; x < 12; x++) shift -= 2 / (x * x * x);
  const double w = 1 / (x * x);
  return shift - w - w / x + w * w * POLYNOMIAL(w, series);
}

double sl__special_log_less_digamma(double x) {
  static const double series[] = {1.0 / 12,  -1.0 / 120,     1.0 / 252, -1.0 / 240,
                                  1.0 / 132, -691.0 / 32760, 1.0 / 12};
  if (x < 10) return log_of_f64(x) - digamma_of_positive_f64(x);
  const double w = 1 / (x * x);
  return 0.5 / x + w * POLYNOMIAL(w, series);
}

double sl__special_stirling_rest(double x) {
  static const double series[] = {1.0 / 12,   -1.0 / 360,      1.0 / 1260, -1.0 / 1680,
                                  1.0 / 1188, -691.0 / 360360, 1.0 / 156};
  if (x < 10) return lgamma_of_positive_f64(x) - ((x - 0.5) * log_of_f64(x) - x + HALF_LOG_TWO_PI);
  return POLYNOMIAL(1 / (x * x), series) / x;
}

double sl__special_log_beta(double a, double b) {
  const double x = a < b ? a : b, y = a < b ? b : a, s = x + y;
  if (!(x > 0)) return x == 0 ? HUGE_VAL : (double)NAN;
  if (y < 10)
    return lgamma_of_positive_f64(x) + lgamma_of_positive_f64(y) - lgamma_of_positive_f64(s);
  const double large = sl__special_stirling_rest(y) - sl__special_stirling_rest(s);
  if (x < 10)
    return large + (y - 0.5) * log1p_of_f64(-x / s) + x * (1 - log_of_f64(s)) +
           lgamma_of_positive_f64(x);
  return sl__special_stirling_rest(x) + large + (x - 0.5) * log_of_f64(x / s) +
         y * log1p_of_f64(-x / s) + HALF_LOG_TWO_PI - 0.5 * log_of_f64(y);
}

double sl__special_log1p_less(double t) {
  if (magnitude_f64(t) > 0.2) return log1p_of_f64(t) - t;
  const double s = t / (2 + t), z = s * s; /* 2 atanh(s) - t */
  double sum = 0, power = 1;
  for (int k = 1; k < 30; k++) {
    power *= z;
    sum += power / (2 * k + 1);
  }
  return s * (2 * sum - t);
}

double sl__special_log_gamma_term(double a, double x) {
  if (!(a > 0) || !(x >= 0)) return (double)NAN;
  if (x == 0 || x == HUGE_VAL) return -HUGE_VAL;
  if (a < 10) return a * log_of_f64(x) - x - lgamma_of_positive_f64(a);
  return a * sl__special_log1p_less((x - a) / a) + 0.5 * log_of_f64(a) - HALF_LOG_TWO_PI -
         sl__special_stirling_rest(a);
}

/* The derivative of the term by a: log(x) - digamma(a). */
static double term_by_shape(double a, double x) {
  if (a < 10) return log_of_f64(x) - digamma_of_positive_f64(a);
  return log1p_of_f64((x - a) / a) + sl__special_log_less_digamma(a);
}

/* log P: the term over a, times the sum of x^k / ((a + 1) ... (a + k)). */
static double log_series(double a, double x, double *by_shape) {
  double term = 1, sum = 1, harmonic = 0, slope = 0;
  for (int k = 1; k < MAX_TERMS && term > sum * (DBL_EPSILON * 0.05); k++) {
    term *= x / (a + k);
    harmonic += 1 / (a + k);
    sum += term;
    slope -= term * harmonic;
  }
  /* of small a: log(x) - digamma(a + 1) rather than two terms of 1 / a */
  const double outer =
      a < 10 ? log_of_f64(x) - digamma_of_positive_f64(a + 1) : term_by_shape(a, x) - 1 / a;
  *by_shape = outer + slope / sum;
  if (a < 10) return a * log_of_f64(x) - x - lgamma_of_positive_f64(a + 1) + log_of_f64(sum);
  return sl__special_log_gamma_term(a, x) + log_of_f64(sum / a);
}

/* log Q: the term times the fraction h = 1 / (x + 1 - a + (a - 1) / (x + 3 - a + ...)). */
static double log_fraction(double a, double x, double *by_shape) {
  double b = x + 1 - a, c = 1 / DBL_MIN, c_slope = 0;
  double d = 1 / b, d_slope = d * d, h = d, log_slope = d;
  for (int k = 1; k < MAX_TERMS; k++) {
    const double top = -k * (k - a), top_slope = k;
    b += 2;
    const double under = top * d + b, under_slope = top_slope * d + top * d_slope - 1;
    d = 1 / (magnitude_f64(under) < DBL_MIN ? DBL_MIN : under);
    d_slope = -d * d * under_slope;
    c_slope = (top_slope - top * c_slope / c) / c - 1;
    c = b + top / c;
    c = magnitude_f64(c) < DBL_MIN ? DBL_MIN : c;
    const double change = d * c, more = d_slope / d + c_slope / c;
    h *= change;
    log_slope += more;
    if (magnitude_f64(change - 1) < DBL_EPSILON &&
        magnitude_f64(more) <= DBL_EPSILON * (1 + magnitude_f64(log_slope)))
      break;
  }
  *by_shape = term_by_shape(a, x) + log_slope;
  return sl__special_log_gamma_term(a, x) + log_of_f64(h);
}

/* Small shapes leave Q small long before x = a + 1. */
static int is_near(double a, double x) {
  return x < (a < 1 ? 0.3 + 1.7 * a : a + 1);
}

sl__gamma_tails sl__special_gamma_tails(double a, double x) {
  sl__gamma_tails t = {.p = (double)NAN};
  if (!(a > 0) || !(x >= 0) || a == HUGE_VAL) {
    t.q = t.log_p = t.log_q = t.log_p_by_shape = t.log_q_by_shape = t.p;
    return t;
  }
  if (x == 0) return (sl__gamma_tails){.q = 1, .log_p = -HUGE_VAL};
  if (x == HUGE_VAL) return (sl__gamma_tails){.p = 1, .log_q = -HUGE_VAL};
  if (is_near(a, x)) {
    t.log_p = log_series(a, x, &t.log_p_by_shape);
    t.p = exp_of_f64(t.log_p);
    t.q = 1 - t.p;
    t.log_q = log1p_of_f64(-t.p);
    t.log_q_by_shape = t.q > 0 ? -t.p * t.log_p_by_shape / t.q : 0;
  } else {
    t.log_q = log_fraction(a, x, &t.log_q_by_shape);
    t.q = exp_of_f64(t.log_q);
    t.p = 1 - t.q;
    t.log_p = log1p_of_f64(-t.q);
    t.log_p_by_shape = t.p > 0 ? -t.q * t.log_q_by_shape / t.p : 0;
  }
  return t;
}
