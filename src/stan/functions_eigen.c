/* Eigenvalues and eigenvectors of symmetric matrices; singular values and vectors of what depends
 * on parameters. The singular value decomposition A = U S V' is read off the eigenvectors of
 * [0 A; A' 0], which are (u, v) / sqrt(2) with the eigenvalue s: nothing is squared, so small
 * singular values keep their digits. Signs as in functions_decompose.c. */
#include "stan/functions_matrix.h"

#include <math.h>

/* [n + 1, n]: eigenvalues, then eigenvectors by columns. */
static sl_status eigen_of(sl__stan_call *call, int32_t *n, sl_node *out) {
  if (!sl__call_is_matrix(&call->argument[0]))
    return sl__stan_refuse(call, "complex matrices are not evaluated");
  SL__TRY(sl__matrix_symmetric(call, 0, n));
  if (*n == 0) return sl__stan_refuse(call, "a matrix without elements cannot be decomposed");
  *out = op_eigen(sl__stan_graph(call), sl__stan_matrix(call, 0));
  return SL_OK;
}

sl_status sl__stan_build_eigenvalues_sym(sl__stan_call *call) {
  int32_t n;
  sl_node eigen;
  SL__TRY(eigen_of(call, &n, &eigen));
  return sl__call_give_node(call, 1, &n, op_element(sl__stan_graph(call), eigen, 0, 0));
}

sl_status sl__stan_build_eigenvectors_sym(sl__stan_call *call) {
  int32_t n;
  sl_node eigen;
  SL__TRY(eigen_of(call, &n, &eigen));
  return sl__matrix_give(call, n, n, op_slice(sl__stan_graph(call), eigen, 0, 1, n, 1));
}

/* ---- singular values of nodes ---- */

/* [[0, a], [a', 0]], a [m,n]. */
static sl_node bordered(sl__graph *g, sl_node a, int32_t m, int32_t n) {
  const sl_node zero = sl__maths_real(g, 0);
  const sl_node upper[2] = {op_broadcast(g, zero, sl__shape2(m, m)), a};
  const sl_node lower[2] = {op_transpose(g, a), op_broadcast(g, zero, sl__shape2(n, n))};
  const sl_node rows[2] = {op_concatenate(g, 2, upper, 1), op_concatenate(g, 2, lower, 1)};
  return op_concatenate(g, 2, rows, 0);
}

/* +-1 for each column of u [m,k]: the sign of its largest element, the first of equal ones. */
static sl_node signs_of(sl__graph *g, sl_node u, int32_t k) {
  const sl_node size = op_absolute(g, op_stop_gradient(g, u));
  const sl_node largest = op_reshape(g, op_max(g, size, 0), sl__shape2(1, k));
  const sl_node chosen = op_equal(g, size, largest);
  const sl_node sum = op_sum(g, op_multiply(g, chosen, op_stop_gradient(g, u)), 0);
  const sl_node negative = op_less(g, sum, sl__maths_real(g, 0));
  return op_reshape(g, op_shift(g, op_scale(g, negative, -2), 1), sl__shape2(1, k));
}

sl_status sl__matrix_singular(sl__stan_call *call, sl__matrix_part part) {
  const sl__stan_value *a = &call->argument[0];
  sl__graph *g = sl__stan_graph(call);
  const int32_t m = a->size[0], n = a->size[1], k = m < n ? m : n, whole = m + n;
  if ((int64_t)m + n > 4096) return sl__stan_refuse(call, "the matrix is too large to decompose");
  int32_t *index = sl__stan_memory(call, (size_t)k, sizeof *index);
  if (!index) return SL_NO_MEMORY;
  for (int32_t j = 0; j < k; j++) index[j] = whole - 1 - j; /* the largest come last */
  const sl_node eigen = op_eigen(g, bordered(g, sl__stan_matrix(call, 0), m, n));
  const sl_node kept = op_gather(g, eigen, 1, k, index);
  if (part == SL__SINGULAR_VALUES)
    return sl__call_give_node(call, 1, &k, op_element(g, kept, 0, 0));
  const sl_node u = op_slice(g, kept, 0, 1, m, 1), v = op_slice(g, kept, 0, 1 + m, n, 1);
  const sl_node scale = op_scale(g, signs_of(g, u, k), 1.41421356237309504880);
  return part == SL__SINGULAR_LEFT ? sl__matrix_give(call, m, k, op_multiply(g, u, scale))
                                   : sl__matrix_give(call, n, k, op_multiply(g, v, scale));
}

/* ---- full QR factors of nodes ----
 * Of a wide matrix Q is that of the first columns, and R = Q'A; a tall one's R has zeros below. */
sl_status sl__matrix_full_qr(sl__stan_call *call, bool want_q) {
  const sl__stan_value *value = &call->argument[0];
  sl__graph *g = sl__stan_graph(call);
  const int32_t m = value->size[0], n = value->size[1];
  const sl_node a = sl__stan_matrix(call, 0);
  if (m > n && want_q)
    return sl__stan_refuse(call,
                           "the matrix depends on a parameter and has more rows than columns: "
                           "the other columns of Q have no derivative; use qr_thin_Q");
  if (m > n) {
    const sl_node zeros = op_broadcast(g, sl__maths_real(g, 0), sl__shape2(m - n, n));
    const sl_node rows[2] = {op_qr_r(g, a), zeros};
    return sl__matrix_give(call, m, n, op_concatenate(g, 2, rows, 0));
  }
  const sl_node q = op_qr_q(g, op_slice(g, a, 1, 0, m, 1));
  if (want_q) return sl__matrix_give(call, m, m, q);
  return sl__matrix_give(call, m, n, op_matmul(g, op_transpose(g, q), a));
}
