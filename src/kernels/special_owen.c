/* Owen's T function, by quadrature (Owen 1956, his equations 2.1 to 2.5 for slopes beyond 1). */
#include "kernels/special.h"

#include "kernels/maths_special_f64.h"

#define PI        3.14159265358979323846
#define SQRT_HALF 0.70710678118654752440

static double upper_tail(double x) {
  return 0.5 * erfc(x * SQRT_HALF);
}

/* Gauss-Legendre quadrature, five points on each of 64 panels; 0 <= a <= 1. */
static double owens_t_near(double h, double a) {
  static const double point[5] = {-0.90617984593866399280, -0.53846931010568309104, 0,
                                  0.53846931010568309104, 0.90617984593866399280};
  static const double weight[5] = {0.23692688505618908751, 0.47862867049936646804,
                                   0.56888888888888888889, 0.47862867049936646804,
                                   0.23692688505618908751};
  enum { PANELS = 64 };
  const double half = atan_of_f64(a) / (2 * PANELS);
  double sum = 0;
  for (int panel = 0; panel < PANELS; panel++) {
    for (int k = 0; k < 5; k++) {
      const double cosine = cos_of_f64(half * (2 * panel + 1 + point[k]));
      sum += weight[k] * exp_of_f64(-0.5 * h * h / (cosine * cosine));
    }
  }
  return sum * half / (2 * PI);
}

double sl__special_owens_t(double h, double a) {
  h = magnitude_f64(h);
  if (h != h || a != a) return (double)NAN;
  if (a < 0) return -sl__special_owens_t(h, -a);
  if (a <= 1) return owens_t_near(h, a);
  if (a == HUGE_VAL) return 0.5 * upper_tail(h);
  const double p = upper_tail(h), q = upper_tail(a * h);
  return 0.5 * (p + q) - p * q - owens_t_near(a * h, 1 / a);
}
