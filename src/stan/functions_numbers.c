/* Mathematical functions of known numbers that C's library lacks.
 *
 * The normal quantile: Wichura 1988, algorithm AS 241, asked by the logarithms of both tails so
 * that neither is lost. Lambert's W: Halley's iteration. Gamma, beta and Bessel functions are the
 * kernels' (kernels/special.h). */
#include "stan/functions.h"
#include "stan/functions_series.h"

#include <float.h>
#include <math.h>

#define HALF_LOG_TWO_PI  0.91893853320467274178
#define SQRT_HALF        0.70710678118654752440
#define LN2              0.69314718055994530942
#define POLYNOMIAL(x, c) polynomial(x, c, (int)(sizeof(c) / sizeof *(c)))

static double polynomial(double x, const double *coefficient, int count) {
  double sum = 0;
  for (int i = count - 1; i >= 0; i--) sum = sum * x + coefficient[i];
  return sum;
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

double sl__number_lbeta(double a, double b) {
  if (a > 0 && b > 0) return sl__special_log_beta(a, b);
  return lgamma(a) + lgamma(b) - lgamma(a + b);
}

double sl__number_lchoose(double n, double k) {
  if (k == 0 || k == n) return 0;
  return -log1p(n) - sl__number_lbeta(n - k + 1, k + 1);
}

double sl__number_gamma_p(double a, double x) {
  return sl__special_gamma_tails(a, x).p;
}

double sl__number_gamma_q(double a, double x) {
  return sl__special_gamma_tails(a, x).q;
}

double sl__number_log_bessel_i(double v, double x) {
  double by_order;
  return sl__special_log_bessel_i(v, x, &by_order);
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
