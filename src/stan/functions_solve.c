/* Factorisations, and what is solved with them: inverses, divisions, determinants.
 *
 * General matrices are factored as Q R, which needs no pivots and has a derivative in the engine;
 * symmetric positive definite ones as L L'. */
#include "stan/functions_matrix.h"

#include <math.h>

/* A division's sizes: x [n, columns] for a matrix [n, n]. */
typedef struct division {
  int matrix, right; /* arguments */
  int32_t n, columns;
} division;

/* \ has the matrix first; / has it second, and is solved transposed. */
static sl_status read_division(sl__stan_call *call, bool from_right, bool symmetric, division *d) {
  d->matrix = from_right;
  d->right = !from_right;
  SL__TRY(symmetric ? sl__matrix_symmetric(call, d->matrix, &d->n)
                    : sl__matrix_square(call, d->matrix, &d->n));
  int32_t rows, columns;
  sl__call_rows_columns(&call->argument[d->right], &rows, &columns);
  d->columns = from_right ? rows : columns;
  const int32_t have = from_right ? columns : rows;
  if (have != d->n)
    return sl__stan_refuse(call, "a matrix [%d,%d] and one with %d %s", d->n, d->n, have,
                           from_right ? "columns" : "rows");
  return SL_OK;
}

static sl_status give_nothing(sl__stan_call *call, const division *d) {
  const sl__stan_value *b = &call->argument[d->right];
  return sl__call_give_empty(call, b->dims, b->size);
}

/* The right-hand side as columns, and the solution put back. */
static sl_node right_side(sl__stan_call *call, const division *d, bool from_right) {
  const sl_node b = sl__stan_matrix(call, d->right);
  return from_right ? op_transpose(sl__stan_graph(call), b) : b;
}
static sl_status give_solution(sl__stan_call *call, const division *d, bool from_right, sl_node x) {
  if (from_right)
    return sl__matrix_give(call, d->columns, d->n, op_transpose(sl__stan_graph(call), x));
  return sl__matrix_give(call, d->n, d->columns, x);
}

/* ---- triangular ---- */

static sl_status divide_lower(sl__stan_call *call, bool from_right) {
  division d;
  SL__TRY(read_division(call, from_right, false, &d));
  if (call->argument[d.right].count == 0) return give_nothing(call, &d);
  const sl_node x = op_triangular_solve(sl__stan_graph(call), sl__stan_matrix(call, d.matrix),
                                        right_side(call, &d, from_right), false, from_right, false);
  return give_solution(call, &d, from_right, x);
}
sl_status sl__stan_build_mdivide_left_tri_low(sl__stan_call *call) {
  return divide_lower(call, false);
}
sl_status sl__stan_build_mdivide_right_tri_low(sl__stan_call *call) {
  return divide_lower(call, true);
}

/* ---- positive definite ---- */

sl_status sl__matrix_cholesky(sl__stan_call *call, sl_node a, sl_node *factor) {
  sl__graph *g = sl__stan_graph(call);
  *factor = op_cholesky(g, a);
  const sl_node positive = op_less(g, sl__maths_real(g, 0), op_diagonal(g, *factor));
  return sl__stan_require(call, positive, "the matrix is not positive definite");
}

/* L' \ (L \ b). */
static sl_node solve_with_factor(sl__graph *g, sl_node factor, sl_node b) {
  return op_triangular_solve(g, factor, op_triangular_solve(g, factor, b, false, false, false),
                             false, true, false);
}

static sl_status divide_positive(sl__stan_call *call, bool from_right) {
  division d;
  sl_node factor;
  SL__TRY(read_division(call, from_right, true, &d));
  if (call->argument[d.right].count == 0) return give_nothing(call, &d);
  SL__TRY(sl__matrix_cholesky(call, sl__stan_matrix(call, d.matrix), &factor));
  const sl_node b = right_side(call, &d, from_right);
  return give_solution(call, &d, from_right, solve_with_factor(sl__stan_graph(call), factor, b));
}
sl_status sl__stan_build_mdivide_left_spd(sl__stan_call *call) {
  return divide_positive(call, false);
}
sl_status sl__stan_build_mdivide_right_spd(sl__stan_call *call) {
  return divide_positive(call, true);
}

sl_status sl__stan_build_cholesky_decompose(sl__stan_call *call) {
  int32_t n;
  sl_node factor;
  SL__TRY(sl__matrix_symmetric(call, 0, &n));
  if (n == 0) return sl__call_give_empty(call, 2, call->argument[0].size);
  SL__TRY(sl__matrix_cholesky(call, sl__stan_matrix(call, 0), &factor));
  return sl__matrix_give(call, n, n, factor);
}

/* Of symmetric matrices the inverse is made symmetric to the last bit: M' M, M = L \ I. */
static sl_status give_inverse_of_factor(sl__stan_call *call, int32_t n, sl_node factor) {
  sl__graph *g = sl__stan_graph(call);
  const sl_node m =
      op_triangular_solve(g, factor, sl__matrix_identity(call, n), false, false, false);
  return sl__matrix_give(call, n, n, op_matmul(g, op_transpose(g, m), m));
}
sl_status sl__stan_build_inverse_spd(sl__stan_call *call) {
  int32_t n;
  sl_node factor;
  SL__TRY(sl__matrix_symmetric(call, 0, &n));
  if (n == 0) return sl__call_give_empty(call, 2, call->argument[0].size);
  SL__TRY(sl__matrix_cholesky(call, sl__stan_matrix(call, 0), &factor));
  return give_inverse_of_factor(call, n, factor);
}
/* The inverse of L L', L being given. */
sl_status sl__stan_build_chol2inv(sl__stan_call *call) {
  int32_t n;
  SL__TRY(sl__matrix_square(call, 0, &n));
  if (n == 0) return sl__call_give_empty(call, 2, call->argument[0].size);
  return give_inverse_of_factor(call, n, sl__stan_matrix(call, 0));
}

static sl_node log_of_diagonal(sl__graph *g, sl_node a) {
  return op_sum_all(g, op_log(g, op_diagonal(g, a)));
}
sl_status sl__stan_build_log_determinant_spd(sl__stan_call *call) {
  int32_t n;
  sl_node factor;
  SL__TRY(sl__matrix_symmetric(call, 0, &n));
  if (n == 0) return sl__call_give_real(call, 0);
  SL__TRY(sl__matrix_cholesky(call, sl__stan_matrix(call, 0), &factor));
  sl__graph *g = sl__stan_graph(call);
  return sl__stan_give_scalar(call, op_scale(g, log_of_diagonal(g, factor), 2));
}

/* ---- general square matrices ---- */

/* R \ (Q' b). */
static sl_node solve(sl__graph *g, sl_node a, sl_node b) {
  const sl_node projected = op_matmul(g, op_transpose(g, op_qr_q(g, a)), b);
  return op_triangular_solve(g, op_qr_r(g, a), projected, true, false, false);
}

static sl_status divide(sl__stan_call *call, bool from_right) {
  division d;
  SL__TRY(read_division(call, from_right, false, &d));
  if (call->argument[d.right].count == 0) return give_nothing(call, &d);
  sl__graph *g = sl__stan_graph(call);
  sl_node a = sl__stan_matrix(call, d.matrix);
  if (from_right) a = op_transpose(g, a);
  return give_solution(call, &d, from_right, solve(g, a, right_side(call, &d, from_right)));
}
sl_status sl__stan_build_mdivide_left(sl__stan_call *call) {
  return divide(call, false);
}
sl_status sl__stan_build_mdivide_right(sl__stan_call *call) {
  return divide(call, true);
}

sl_status sl__stan_build_inverse(sl__stan_call *call) {
  int32_t n;
  SL__TRY(sl__matrix_square(call, 0, &n));
  if (n == 0) return sl__call_give_empty(call, 2, call->argument[0].size);
  return sl__matrix_give(
      call, n, n,
      solve(sl__stan_graph(call), sl__stan_matrix(call, 0), sl__matrix_identity(call, n)));
}

/* Of full rank: R \ Q' of a tall matrix; of a wide one, the transpose of its transpose's. */
sl_status sl__stan_build_generalized_inverse(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  const int32_t rows = a->size[0], columns = a->size[1];
  const int32_t flipped[2] = {columns, rows};
  if (a->count == 0) return sl__call_give_empty(call, 2, flipped);
  sl__graph *g = sl__stan_graph(call);
  sl_node m = sl__stan_matrix(call, 0);
  if (rows < columns) m = op_transpose(g, m);
  sl_node inverse =
      op_triangular_solve(g, op_qr_r(g, m), op_transpose(g, op_qr_q(g, m)), true, false, false);
  if (rows < columns) inverse = op_transpose(g, inverse);
  return sl__matrix_give(call, columns, rows, inverse);
}

/* log |det|; the diagonal of R is positive. */
sl_status sl__stan_build_log_determinant(sl__stan_call *call) {
  int32_t n;
  SL__TRY(sl__matrix_square(call, 0, &n));
  if (n == 0) return sl__call_give_real(call, 0);
  sl__graph *g = sl__stan_graph(call);
  return sl__stan_give_scalar(call, log_of_diagonal(g, op_qr_r(g, sl__stan_matrix(call, 0))));
}

/* The sign of the determinant of q [n,n], orthogonal, by elimination. The pivot of a column is its
 * largest element: every row takes the place of the first by having the pivot's row swapped in,
 * which a row of zeros and a one does as a product. */
static sl_node sign_of_determinant(sl__graph *g, sl_node q, int32_t n) {
  sl_node sign = sl__maths_real(g, 1);
  const sl_node one = sl__maths_real(g, 1);
  for (int32_t m = n; m > 1; m--) {
    const sl_node column = op_element(g, q, 1, 0), size = op_absolute(g, column);
    const sl_node largest = op_equal(g, size, op_max(g, size, 0));
    const sl_node order = op_cumulative_sum(g, largest, 0, false);
    const sl_node chosen =
        op_multiply(g, largest, op_equal(g, order, one)); /* the first of equals */
    const sl_node pivot_row =
        op_sum(g, op_multiply(g, q, op_reshape(g, chosen, sl__shape2(m, 1))), 0);
    const sl_node pivot = op_element(g, pivot_row, 0, 0);
    const sl_node stays = op_element(g, chosen, 0, 0);
    const sl_node first_row = op_element(g, q, 0, 0);
    /* the first row moves to where the pivot's was */
    const sl_node rest = op_slice(g, q, 0, 1, m - 1, 1);
    const sl_node vacated =
        op_reshape(g, op_slice(g, chosen, 0, 1, m - 1, 1), sl__shape2(m - 1, 1));
    const sl_node swapped = op_select(g, vacated, first_row, rest);
    const sl_node factor = op_divide(g, op_slice(g, swapped, 1, 0, 1, 1), pivot);
    const sl_node reduced = op_subtract(g, swapped, op_multiply(g, factor, pivot_row));
    sign = op_multiply(g, sign,
                       op_multiply(g, op_sign(g, pivot), op_shift(g, op_scale(g, stays, 2), -1)));
    q = op_slice(g, reduced, 1, 1, m - 1, 1);
  }
  return op_multiply(g, sign, op_sign(g, op_reshape(g, q, sl__scalar_shape())));
}

sl_status sl__stan_build_determinant(sl__stan_call *call) {
  int32_t n;
  SL__TRY(sl__matrix_square(call, 0, &n));
  if (n == 0) return sl__call_give_real(call, 1);
  sl__graph *g = sl__stan_graph(call);
  const sl_node a = sl__stan_matrix(call, 0);
  const sl_node sign = sign_of_determinant(g, op_stop_gradient(g, op_qr_q(g, a)), n);
  const sl_node size = op_exp(g, log_of_diagonal(g, op_qr_r(g, a)));
  return sl__stan_give_scalar(call, op_multiply(g, sign, size));
}

/* ---- thin QR: [m,n] = Q [m,k] R [k,n], k = min(m,n), R's diagonal positive ---- */

/* A wide matrix has the Q of its first columns. */
static sl_status thin_qr(sl__stan_call *call, bool want_q) {
  const sl__stan_value *a = &call->argument[0];
  const int32_t m = a->size[0], n = a->size[1], k = m < n ? m : n;
  if (a->count == 0) return sl__stan_refuse(call, "a matrix without elements has no QR factors");
  sl__graph *g = sl__stan_graph(call);
  const sl_node whole = sl__stan_matrix(call, 0), head = op_slice(g, whole, 1, 0, k, 1);
  if (want_q) return sl__matrix_give(call, m, k, op_qr_q(g, head));
  if (m >= n) return sl__matrix_give(call, k, n, op_qr_r(g, head));
  return sl__matrix_give(call, k, n, op_matmul(g, op_transpose(g, op_qr_q(g, head)), whole));
}
sl_status sl__stan_build_qr_thin_Q(sl__stan_call *call) {
  return thin_qr(call, true);
}
sl_status sl__stan_build_qr_thin_R(sl__stan_call *call) {
  return thin_qr(call, false);
}
