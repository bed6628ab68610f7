/* Eigenvalues and eigenvectors of one symmetric matrix, for every instruction set the same. */
#ifndef SL_KERNELS_EIGEN_H
#define SL_KERNELS_EIGEN_H
#include <stdint.h>

/* a [n,n], its lower triangle read, is overwritten; values [n] rise; vectors [n,n]: vector k is
 * column k, of length 1, its largest element positive. NaN throughout where a is not finite. */
void sl__symmetric_eigen(int64_t n, double *a, double *values, double *vectors);
#endif
