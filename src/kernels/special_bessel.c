/* Bessel functions. I_v: its power series (DLMF 10.25.2), whose terms all have one sign, or for
 * large x Hankel's expansion (10.40.1), derivatives by the order carried along. K_n: the integral
 * of exp(-x cosh t) cosh(n t) (10.32.9) by the trapezoidal rule, whose error falls doubly
 * exponentially. J_n and Y_n are the library's. */
#include "kernels/special.h"

#include "kernels/maths_special_f64.h"

#define HALF_LOG_TWO_PI 0.91893853320467274178

/* The library's work grows with the order. */
#define MOST_ORDER 1e6

/* The series, its first term taken out as a logarithm and its sum kept from overflowing. */
static double log_series(double v, double x, double *by_order) {
  const double quarter = 0.25 * x * x;
  double term = 1, sum = 1, scale = 0, harmonic = 0, slope = 0;
  for (double k = 1; k < 2e5 && term > sum * 1e-17; k++) {
    term *= quarter / (k * (k + v));
    harmonic += 1 / (k + v);
    sum += term;
    slope -= term * harmonic;
    if (sum > 1e250) {
      scale += log_of_f64(sum);
      term /= sum;
      slope /= sum;
      sum = 1;
    }
  }
  *by_order = log_of_f64(0.5 * x) - digamma_of_positive_f64(v + 1) + slope / sum;
  return v * log_of_f64(0.5 * x) - lgamma_of_positive_f64(v + 1) + scale + log_of_f64(sum);
}

static double log_expansion(double v, double x, double *by_order) {
  double term = 1, sum = 1, term_slope = 0, slope = 0;
  for (double k = 1; k < 100; k++) {
    const double odd = 2 * k - 1, factor = -(4 * v * v - odd * odd) / (8 * x * k);
    const double next = term * factor, next_slope = term_slope * factor - term * v / (x * k);
    if (magnitude_f64(next) >= magnitude_f64(term)) break;
    term = next;
    term_slope = next_slope;
    sum += term;
    slope += term_slope;
    if (magnitude_f64(next) < 1e-17 && magnitude_f64(next_slope) < 1e-17) break;
  }
  *by_order = slope / sum;
  return x - 0.5 * log_of_f64(x) - HALF_LOG_TWO_PI + log_of_f64(sum);
}

double sl__special_log_bessel_i(double v, double x, double *by_order) {
  *by_order = 0;
  if (!(x >= 0) || !(v >= -1)) return *by_order = (double)NAN;
  if (x == 0) return v == 0 ? 0 : v > 0 ? -HUGE_VAL : HUGE_VAL;
  if (x == HUGE_VAL) return HUGE_VAL;
  return x > 100 && x > v * v ? log_expansion(v, x, by_order) : log_series(v, x, by_order);
}

double sl__special_bessel_i(double n, double x) {
  const double order = magnitude_f64(n); /* I_-n = I_n for integers */
  const double sign = x < 0 && fmod(order, 2) != 0 ? -1 : 1;
  double by_order;
  return sign * exp_of_f64(sl__special_log_bessel_i(order, magnitude_f64(x), &by_order));
}

double sl__special_bessel_j(double n, double x) {
  return !(magnitude_f64(n) <= MOST_ORDER) ? (double)NAN : jn((int)n, x);
}

double sl__special_bessel_y(double n, double x) {
  return x < 0 || !(magnitude_f64(n) <= MOST_ORDER) ? (double)NAN : yn((int)n, x);
}

double sl__special_bessel_k(double n, double x) {
  if (!(x > 0)) return x == 0 ? HUGE_VAL : (double)NAN;
  const double step = 1.0 / 64;
  double sum = 0.5 * exp(-x);
  for (double t = step; t < 800; t += step) {
    const double fall = x * cosh(t); /* cosh(n t) is half of exp(n t) and exp(-n t) */
    const double term = 0.5 * (exp(n * t - fall) + exp(-n * t - fall));
    sum += term;
    if (x * sinh(t) > magnitude_f64(n) && term <= sum * 1e-18) break;
  }
  return step * sum;
}
