/* Two angles that depend on each other, in -pi .. pi, with known entropy: data for maps of circles.
 * The first is von Mises about 0, the second von Mises about twice the first. Draws are those of
 * Best & Fisher 1979, Applied Statistics 28, each a function of (key, row) alone. */
#ifndef SL_BENCH_ANGLES_H
#define SL_BENCH_ANGLES_H
#include <math.h>
#include "base/random.h"
#include "kernels/special.h"

#define ANGLES_PI 3.14159265358979323846
static const double angles_concentration[2] = {2, 8};

/* Each try takes three uniform numbers; it succeeds more often than not. */
static inline double angles_about_zero(sl__random_key key, uint64_t row, int which) {
  enum { MOST_TRIES = 64 };
  const double kappa = angles_concentration[which];
  const double tau = 1 + sqrt(1 + 4 * kappa * kappa);
  const double rho = (tau - sqrt(2 * tau)) / (2 * kappa), r = (1 + rho * rho) / (2 * rho);
  double f = 1;
  for (uint32_t try = 0; try < MOST_TRIES; try++) {
    const uint32_t at = 3 * ((uint32_t)which * MOST_TRIES + try);
    const double z = cos(ANGLES_PI * sl__random_uniform(key, row, at));
    f = (1 + r * z) / (r + z);
    const double c = kappa * (r - f), u = sl__random_uniform(key, row, at + 1);
    if (c * (2 - c) > u || log(c / u) + 1 - c >= 0)
      return sl__random_uniform(key, row, at + 2) < 0.5 ? -acos(f) : acos(f);
  }
  return 0;
}

/* x [rows][2]: rows first_row .. of an endless table. */
static inline void angles_draw(sl__random_key key, int64_t first_row, int64_t rows, double *x) {
  for (int64_t i = 0; i < rows; i++) {
    const uint64_t row = (uint64_t)(first_row + i);
    x[2 * i] = angles_about_zero(key, row, 0);
    x[2 * i + 1] = remainder(2 * x[2 * i] + angles_about_zero(key, row, 1), 2 * ANGLES_PI);
  }
}

/* The sum of log(2 pi I0(kappa)) - kappa I1(kappa) / I0(kappa). */
static inline double angles_entropy(void) {
  double sum = 0;
  for (int i = 0; i < 2; i++) {
    const double kappa = angles_concentration[i], zeroth = sl__special_bessel_i(0, kappa);
    sum += log(2 * ANGLES_PI * zeroth) - kappa * sl__special_bessel_i(1, kappa) / zeroth;
  }
  return sum;
}
#endif
