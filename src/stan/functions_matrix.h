/* What builders of matrix functions share. */
#ifndef SL_STAN_FUNCTIONS_MATRIX_H
#define SL_STAN_FUNCTIONS_MATRIX_H
#include "stan/functions.h"

/* A matrix node [rows, columns] as the result; of a vector or row vector result, its elements. */
sl_status sl__matrix_give(sl__stan_call *call, int32_t rows, int32_t columns, sl_node matrix);
/* Rows and columns of argument i, which must be square. */
sl_status sl__matrix_square(sl__stan_call *call, int i, int32_t *n);
/* Refuses unless a known square matrix is symmetric; what depends on parameters is taken to be. */
sl_status sl__matrix_symmetric(sl__stan_call *call, int i, int32_t *n);
/* a [rows, columns] with zeros above the diagonal. */
sl_node sl__matrix_lower(sl__stan_call *call, sl_node a, int32_t rows, int32_t columns);
/* The lower Cholesky factor; the density is 0 where the matrix is not positive definite. */
sl_status sl__matrix_cholesky(sl__stan_call *call, sl_node a, sl_node *factor);
/* Of argument 0, which depends on parameters: singular values or vectors, full QR factors. */
typedef enum sl__matrix_part {
  SL__SINGULAR_VALUES,
  SL__SINGULAR_LEFT,
  SL__SINGULAR_RIGHT
} sl__matrix_part;
sl_status sl__matrix_singular(sl__stan_call *call, sl__matrix_part part);
sl_status sl__matrix_full_qr(sl__stan_call *call, bool want_q);
sl_node sl__matrix_identity(sl__stan_call *call, int32_t n);
#endif
