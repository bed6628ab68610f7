/* Modified Bessel functions of known numbers. I_v: its power series (DLMF 10.25.2), whose terms all
 * have one sign, or for large x Hankel's expansion (10.40.1). K_n: the integral of
 * exp(-x cosh t) cosh(n t) (10.32.9) by the trapezoidal rule, whose error falls doubly
 * exponentially. */
#include "stan/functions.h"

#include <math.h>

#define HALF_LOG_TWO_PI 0.91893853320467274178

/* The series, its first term taken out as a logarithm and its sum kept from overflowing. */
static double log_series(double v, double x) {
  const double quarter = 0.25 * x * x;
  double term = 1, sum = 1, scale = 0;
  for (double k = 1; k < 1e6 && term > sum * 1e-17; k++) {
    term *= quarter / (k * (k + v));
    sum += term;
    if (sum > 1e250) {
      scale += log(sum);
      term /= sum;
      sum = 1;
    }
  }
  return v * log(0.5 * x) - lgamma(v + 1) + scale + log(sum);
}

static double log_expansion(double v, double x) {
  double term = 1, sum = 1;
  for (double k = 1; k < 100; k++) {
    const double odd = 2 * k - 1, next = -term * (4 * v * v - odd * odd) / (8 * x * k);
    if (fabs(next) >= fabs(term) || fabs(next) < 1e-17) break;
    term = next;
    sum += term;
  }
  return x - 0.5 * log(x) - HALF_LOG_TWO_PI + log(sum);
}

double sl__number_log_bessel_i(double v, double x) {
  if (!(x >= 0) || !(v >= -1)) return NAN;
  if (x == 0) return v == 0 ? 0 : v > 0 ? -INFINITY : INFINITY;
  if (x == INFINITY) return INFINITY;
  return x > 100 && x > v * v ? log_expansion(v, x) : log_series(v, x);
}

double sl__number_bessel_i(double n, double x) {
  const double order = fabs(n); /* I_-n = I_n for integers */
  const double sign = x < 0 && fmod(order, 2) != 0 ? -1 : 1;
  return sign * exp(sl__number_log_bessel_i(order, fabs(x)));
}

double sl__number_bessel_k(double n, double x) {
  if (!(x > 0)) return x == 0 ? INFINITY : NAN;
  const double step = 1.0 / 64;
  double sum = 0.5 * exp(-x);
  for (double t = step; t < 800; t += step) {
    const double log_term = n * t - x * cosh(t); /* cosh(n t) is half of exp(n t) and exp(-n t) */
    const double term = 0.5 * (exp(log_term) + exp(-n * t - x * cosh(t)));
    sum += term;
    if (x * sinh(t) > fabs(n) && term <= sum * 1e-18) break;
  }
  return step * sum;
}
