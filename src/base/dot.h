/* The inner product of two short vectors, summed in order: for factors and directions of a chain or
 * a decomposition, which are too small for a kernel. */
#ifndef SL_BASE_DOT_H
#define SL_BASE_DOT_H
#include <stdint.h>

static inline double sl__dot(int32_t n, const double *a, const double *b) {
  double sum = 0;
  for (int32_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}
#endif
