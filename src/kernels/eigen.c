/* Eigenvalues by Jacobi's rotations, in cyclic order (Golub and Van Loan, section 8.5): as slow as
 * n^3 per sweep, but small eigenvalues and the orthogonality of vectors lose nothing. */
#include "kernels/eigen.h"

#include <math.h>
#include <stdbool.h>

enum { MOST_SWEEPS = 60 }; /* about 8 are needed */

/* Rotates rows and columns p and q of a, and columns of vectors, so that a[p][q] becomes 0. */
static void rotate(int64_t n, double *a, double *vectors, int64_t p, int64_t q) {
  const double apq = a[p * n + q], theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
  const double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
  const double c = 1 / sqrt(t * t + 1), s = t * c;
  for (int64_t k = 0; k < n; k++) {
    const double x = a[k * n + p], y = a[k * n + q];
    a[k * n + p] = c * x - s * y;
    a[k * n + q] = s * x + c * y;
    const double u = vectors[k * n + p], v = vectors[k * n + q];
    vectors[k * n + p] = c * u - s * v;
    vectors[k * n + q] = s * u + c * v;
  }
  for (int64_t k = 0; k < n; k++) {
    const double x = a[p * n + k], y = a[q * n + k];
    a[p * n + k] = c * x - s * y;
    a[q * n + k] = s * x + c * y;
  }
  a[p * n + q] = a[q * n + p] = 0;
}

/* Whether an element beside the diagonal was left that matters beside its row and column. */
static bool sweep(int64_t n, double *a, double *vectors, double norm) {
  bool turned = false;
  for (int64_t p = 0; p < n; p++) {
    for (int64_t q = p + 1; q < n; q++) {
      const double size = fabs(a[p * n + q]);
      const double beside = sqrt(fabs(a[p * n + p])) * sqrt(fabs(a[q * n + q]));
      if (size <= 1e-300 || size <= 1e-17 * beside || size <= 1e-20 * norm) continue;
      rotate(n, a, vectors, p, q);
      turned = true;
    }
  }
  return turned;
}

static void swap_columns(int64_t n, double *vectors, int64_t i, int64_t j) {
  for (int64_t k = 0; k < n; k++) {
    const double kept = vectors[k * n + i];
    vectors[k * n + i] = vectors[k * n + j];
    vectors[k * n + j] = kept;
  }
}

static void sort(int64_t n, double *values, double *vectors) {
  for (int64_t i = 0; i < n; i++) {
    int64_t least = i;
    for (int64_t j = i + 1; j < n; j++) least = values[j] < values[least] ? j : least;
    if (least == i) continue;
    const double kept = values[i];
    values[i] = values[least];
    values[least] = kept;
    swap_columns(n, vectors, i, least);
  }
}

static void fix_signs(int64_t n, double *vectors) {
  for (int64_t j = 0; j < n; j++) {
    double largest = 0;
    for (int64_t i = 0; i < n; i++) {
      const double x = vectors[i * n + j];
      if (fabs(x) > fabs(largest)) largest = x;
    }
    for (int64_t i = 0; largest < 0 && i < n; i++) vectors[i * n + j] *= -1;
  }
}

void sl__symmetric_eigen(int64_t n, double *a, double *values, double *vectors) {
  bool finite = true;
  double norm = 0;
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j <= i; j++) {
      finite = finite && fabs(a[i * n + j]) < 1e150;
      norm = fmax(norm, fabs(a[i * n + j]));
      a[j * n + i] = a[i * n + j];
      vectors[i * n + j] = vectors[j * n + i] = i == j;
    }
  }
  for (int pass = 0; finite && pass < MOST_SWEEPS && sweep(n, a, vectors, norm); pass++) {
  }
  for (int64_t i = 0; i < n; i++) values[i] = a[i * n + i];
  sort(n, values, vectors);
  fix_signs(n, vectors);
  for (int64_t i = 0; !finite && i < n; i++) {
    values[i] = (double)NAN;
    for (int64_t j = 0; j < n; j++) vectors[i * n + j] = (double)NAN;
  }
}
