/* Mathematical functions of known numbers that C's library lacks.
 *
 * Digamma and trigamma: recurrence and asymptotic series. The normal quantile: Wichura 1988,
 * algorithm AS 241, asked by the logarithms of both tails so that neither is lost. Incomplete gamma
 * and beta functions: series and continued fractions (DLMF 8.7.1, 8.9.2, 8.17.22) with prefactors
 * from Stirling's series, so that large arguments lose no digits. Lambert's W: Halley's
 * iteration. */
#include "stan/functions.h"
#include "stan/functions_series.h"

#include <float.h>
#include <math.h>

#define PI               3.14159265358979323846
#define HALF_LOG_TWO_PI  0.91893853320467274178
#define SQRT_HALF        0.70710678118654752440
#define LN2              0.69314718055994530942
#define POLYNOMIAL(x, c) polynomial(x, c, (int)(sizeof(c) / sizeof *(c)))

static double polynomial(double x, const double *coefficient, int count) {
  double sum = 0;
  for (int i = count - 1; i >= 0; i--) sum = sum * x + coefficient[i];
  return sum;
}

double sl__number_digamma(double x) {
  static const double series[] = {1.0 / 12,  -1.0 / 120,     1.0 / 252, -1.0 / 240,
                                  1.0 / 132, -691.0 / 32760, 1.0 / 12,  -3617.0 / 8160};
  if (x <= 0 && floor(x) == x) return NAN;
  if (x < 0) return sl__number_digamma(1 - x) - PI / tan(PI * (x - floor(x)));
  double shift = 0;
  for (; x < 10; x++) shift += 1 / x;
  const double w = 1 / (x * x);
  return log(x) - 0.5 / x - w * POLYNOMIAL(w, series) - shift;
}

double sl__number_trigamma(double x) {
  static const double series[] = {1.0 / 6,  -1.0 / 30,       1.0 / 42, -1.0 / 30,
                                  5.0 / 66, -691.0 / 2730.0, 7.0 / 6,  -3617.0 / 510};
  if (x <= 0 && floor(x) == x) return INFINITY;
  if (x < 0) {
    const double sine = sin(PI * (x - floor(x)));
    return PI * PI / (sine * sine) - sl__number_trigamma(1 - x);
  }
  double shift = 0;
  for (; x < 10; x++) shift += 1 / (x * x);
  const double w = 1 / (x * x);
  return shift + 1 / x + 0.5 * w + w / x * POLYNOMIAL(w, series);
}

double sl__number_log1m_exp(double x) {
  return x > -LN2 ? log(-expm1(x)) : log1p(-exp(x));
}

double sl__number_log1p_exp(double x) {
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}

double sl__number_log_sum_exp(double a, double b) {
  if (a == b) return a + LN2;
  return fmax(a, b) + log1p(exp(-fabs(a - b)));
}

double sl__number_lmultiply(double a, double b) {
  return a == 0 && b == 0 ? 0 : a * log(b);
}

double sl__number_inv_logit(double x) {
  const double u = exp(-fabs(x));
  return (x < 0 ? u : 1) / (1 + u);
}

double sl__number_phi(double x) {
  return 0.5 * erfc(-x * SQRT_HALF);
}

/* ---- the normal quantile ---- */

static double quantile_of_tail(double log_tail) {
  const double r = sqrt(-log_tail);
  if (r <= 5)
    return POLYNOMIAL(r - 1.6, sl__quantile_near_top) /
           POLYNOMIAL(r - 1.6, sl__quantile_near_bottom);
  if (r <= 27)
    return POLYNOMIAL(r - 5, sl__quantile_far_top) / POLYNOMIAL(r - 5, sl__quantile_far_bottom);
  /* Beyond what doubles hold as probabilities: log Q(z) = -z^2/2 - log z - log sqrt(2 pi) + ... */
  double z = SQRT_HALF * 2 * r;
  for (int i = 0; i < 8; i++) {
    const double w = 1 / (z * z);
    const double tail = -0.5 * z * z - log(z) - HALF_LOG_TWO_PI + log1p(-w * (1 - 3 * w));
    z += (tail - log_tail) / (z + 1 / z);
  }
  return z;
}

double sl__number_normal_quantile(double log_p, double log_q) {
  if (isnan(log_p) || log_p > 0) return NAN;
  if (log_p == -INFINITY) return -INFINITY;
  if (log_q == -INFINITY) return INFINITY;
  const double q = log_p < log_q ? exp(log_p) - 0.5 : 0.5 - exp(log_q);
  if (fabs(q) > 0.425) return log_p < log_q ? -quantile_of_tail(log_p) : quantile_of_tail(log_q);
  const double r = 0.180625 - q * q;
  return q * POLYNOMIAL(r, sl__quantile_centre_top) / POLYNOMIAL(r, sl__quantile_centre_bottom);
}

double sl__number_inv_phi(double p) {
  if (!(p >= 0 && p <= 1)) return NAN;
  return sl__number_normal_quantile(log(p), log1p(-p));
}

/* ---- gamma and beta functions ---- */

/* lgamma(x) less Stirling's (x - 1/2) log x - x + log sqrt(2 pi), x > 0. */
static double stirling_rest(double x) {
  if (x < 10) return lgamma(x) - ((x - 0.5) * log(x) - x + HALF_LOG_TWO_PI);
  return POLYNOMIAL(1 / (x * x), sl__stirling_series) / x;
}

double sl__number_lbeta(double a, double b) {
  const double x = fmin(a, b), y = fmax(a, b), s = x + y;
  if (!(x > 0) || y < 10) return lgamma(a) + lgamma(b) - lgamma(s);
  const double large = stirling_rest(y) - stirling_rest(s);
  if (x < 10) return large + (y - 0.5) * log1p(-x / s) + x * (1 - log(s)) + lgamma(x);
  return stirling_rest(x) + large + (x - 0.5) * log(x / s) + y * log1p(-x / s) + HALF_LOG_TWO_PI -
         0.5 * log(y);
}

double sl__number_lchoose(double n, double k) {
  if (k == 0 || k == n) return 0;
  return -log1p(n) - sl__number_lbeta(n - k + 1, k + 1);
}

/* log(1 + t) - t. */
static double log1p_less(double t) {
  if (fabs(t) > 0.2) return log1p(t) - t;
  const double s = t / (2 + t), z = s * s; /* 2 atanh(s) - t */
  double sum = 0, power = 1;
  for (int k = 1; k < 30; k++) {
    power *= z;
    sum += power / (2 * k + 1);
  }
  return s * (2 * sum - t);
}

/* log(x^a e^-x / Gamma(a)). */
static double log_gamma_term(double a, double x) {
  if (a < 10) return a * log(x) - x - lgamma(a);
  return a * log1p_less((x - a) / a) + 0.5 * log(a) - HALF_LOG_TWO_PI - stirling_rest(a);
}

enum { MAX_TERMS = 1000000 };

static double gamma_p_series(double a, double x) {
  double term = 1 / a, sum = term;
  for (int k = 1; k < MAX_TERMS && term > sum * DBL_EPSILON * 0.1; k++) {
    term *= x / (a + k);
    sum += term;
  }
  return sum * exp(log_gamma_term(a, x));
}

/* Lentz's evaluation of DLMF 8.9.2. */
static double gamma_q_fraction(double a, double x) {
  double b = x + 1 - a, c = 1 / DBL_MIN, d = 1 / b, h = d;
  for (int k = 1; k < MAX_TERMS; k++) {
    const double numerator = -k * (k - a);
    b += 2;
    d = numerator * d + b;
    c = b + numerator / c;
    d = 1 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
    c = fabs(c) < DBL_MIN ? DBL_MIN : c;
    h *= d * c;
    if (fabs(d * c - 1) < DBL_EPSILON) break;
  }
  return h * exp(log_gamma_term(a, x));
}

double sl__number_gamma_p(double a, double x) {
  if (!(a > 0) || !(x >= 0)) return NAN;
  if (x == 0) return 0;
  if (x == INFINITY) return 1;
  return x < a + 1 ? gamma_p_series(a, x) : 1 - gamma_q_fraction(a, x);
}

double sl__number_gamma_q(double a, double x) {
  if (!(a > 0) || !(x >= 0)) return NAN;
  if (x == 0) return 1;
  if (x == INFINITY) return 0;
  return x < a + 1 ? 1 - gamma_p_series(a, x) : gamma_q_fraction(a, x);
}

/* log(x^a y^b / (a B(a, b))), x + y = 1. */
static double log_beta_term(double a, double b, double x, double y) {
  const double s = a + b;
  if (a < 10 || b < 10) return a * log(x) + b * log(y) - sl__number_lbeta(a, b) - log(a);
  const double t = (x * b - y * a) / s; /* x - a/s */
  return a * (log1p_less(t * s / a)) + b * log1p_less(-t * s / b) + 0.5 * log(b / (a * s)) -
         HALF_LOG_TWO_PI - (stirling_rest(a) + stirling_rest(b) - stirling_rest(s));
}

/* DLMF 8.17.22 by Lentz's method, for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x, double y) {
  double c = 1, d = 1 - (a + b) * x / (a + 1);
  d = 1 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
  double h = d;
  for (int k = 1; k < MAX_TERMS; k++) {
    const double m = k;
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double change = 1;
    for (int half = 0; half < 2; half++) {
      const double numerator = half ? odd : even;
      d = 1 + numerator * d;
      c = 1 + numerator / c;
      d = 1 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
      c = fabs(c) < DBL_MIN ? DBL_MIN : c;
      change *= d * c;
    }
    h *= change;
    if (fabs(change - 1) < DBL_EPSILON) break;
  }
  return h * exp(log_beta_term(a, b, x, y));
}

double sl__number_inc_beta(double a, double b, double x) {
  if (!(a > 0) || !(b > 0) || !(x >= 0 && x <= 1)) return NAN;
  if (x == 0 || x == 1) return x;
  if (x < (a + 1) / (a + b + 2)) return beta_fraction(a, b, x, 1 - x);
  return 1 - beta_fraction(b, a, 1 - x, x);
}

/* By bisection: increasing in x; 1100 halvings go from 1 to below the smallest double. */
double sl__number_inv_inc_beta(double a, double b, double p) {
  if (!(a > 0) || !(b > 0) || !(p >= 0 && p <= 1)) return NAN;
  double low = 0, high = 1;
  for (int i = 0; i < 1100; i++) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    if (sl__number_inc_beta(a, b, middle) < p) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return p == 0 ? 0 : high;
}

/* ---- Lambert's W: w exp(w) = x ---- */

static double halley(double w, double x) {
  for (int i = 0; i < 50; i++) {
    const double e = exp(w), f = w * e - x;
    const double step = f / (e * (w + 1) - (w + 2) * f / (2 * w + 2));
    if (!isfinite(step)) break;
    w -= step;
    if (fabs(step) <= 1e-16 * fabs(w)) break;
  }
  return w;
}

#define MINUS_INVERSE_E -0.36787944117144232160

double sl__number_lambert_w0(double x) {
  if (!(x >= MINUS_INVERSE_E)) return NAN;
  if (x == 0 || x == INFINITY) return x;
  const double branch = sqrt(2 * (1 + exp(1) * x < 0 ? 0 : 1 + exp(1) * x));
  if (branch < 1e-7) return -1 + branch;
  if (x < 0.5) return halley(-1 + branch - branch * branch / 3, x);
  const double l = log(x + 1);
  return halley(x > 3 ? log(x) - log(l) : l * 0.8, x);
}

double sl__number_lambert_wm1(double x) {
  if (!(x >= MINUS_INVERSE_E && x <= 0)) return NAN;
  if (x == 0) return -INFINITY;
  const double branch = sqrt(2 * (1 + exp(1) * x < 0 ? 0 : 1 + exp(1) * x));
  if (branch < 1e-7) return -1 - branch;
  if (x < -0.25) return halley(-1 - branch - branch * branch / 3, x);
  const double l = log(-x);
  return halley(l - log(-l), x);
}

/* ---- Owen's T: the integral of exp(-h^2 / (2 cos^2 u)) / (2 pi) over 0 < u < atan(a) ---- */

/* Gauss-Legendre quadrature, five points on each of 64 panels; 0 <= a <= 1. */
static double owens_t_near(double h, double a) {
  static const double point[5] = {-0.90617984593866399280, -0.53846931010568309104, 0,
                                  0.53846931010568309104, 0.90617984593866399280};
  static const double weight[5] = {0.23692688505618908751, 0.47862867049936646804,
                                   0.56888888888888888889, 0.47862867049936646804,
                                   0.23692688505618908751};
  enum { PANELS = 64 };
  const double half = atan(a) / (2 * PANELS);
  double sum = 0;
  for (int panel = 0; panel < PANELS; panel++) {
    for (int k = 0; k < 5; k++) {
      const double cosine = cos(half * (2 * panel + 1 + point[k]));
      sum += weight[k] * exp(-0.5 * h * h / (cosine * cosine));
    }
  }
  return sum * half / (2 * PI);
}

double sl__number_owens_t(double h, double a) {
  h = fabs(h);
  if (isnan(h) || isnan(a)) return NAN;
  if (a < 0) return -sl__number_owens_t(h, -a);
  if (a <= 1) return owens_t_near(h, a);
  if (a == INFINITY) return 0.5 * sl__number_phi(-h);
  const double p = sl__number_phi(-h), q = sl__number_phi(-a * h);
  return 0.5 * (p + q) - p * q - owens_t_near(a * h, 1 / a);
}
