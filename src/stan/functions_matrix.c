/* Products and forms of matrices, diagonals, traces, softmax. Matrices without rows or columns are
 * answered before nodes are made: the graph has none. */
#include "stan/functions_matrix.h"

#include <math.h>
#include <string.h>

sl_status sl__matrix_give(sl__stan_call *call, int32_t rows, int32_t columns, sl_node matrix) {
  sl__graph *g = sl__stan_graph(call);
  const int32_t size[2] = {rows, columns}, count = rows * columns;
  const sl_node flat = op_reshape(g, matrix, sl__shape1(count));
  if (sl__stan_dimensions(call->type) == 2) return sl__call_give_node(call, 2, size, flat);
  return sl__call_give_node(call, 1, &count, flat);
}

sl_status sl__matrix_square(sl__stan_call *call, int i, int32_t *n) {
  const sl__stan_value *a = &call->argument[i];
  *n = a->size[0];
  if (a->size[0] == a->size[1]) return SL_OK;
  return sl__stan_refuse(call, "a square matrix is needed, not [%d,%d]", a->size[0], a->size[1]);
}

sl_status sl__matrix_symmetric(sl__stan_call *call, int i, int32_t *n) {
  SL__TRY(sl__matrix_square(call, i, n));
  if (!sl__stan_is_known(&call->argument[i])) return SL_OK;
  const double *x = sl__stan_numbers(call, i);
  if (!x) return SL_NO_MEMORY;
  for (int32_t r = 0; r < *n; r++) {
    for (int32_t c = 0; c < r; c++) {
      const double a = x[(int64_t)r * *n + c], b = x[(int64_t)c * *n + r];
      if (!(fabs(a - b) <= 1e-8)) /* Stan's tolerance */
        return sl__stan_refuse_value(call,
                                     "the matrix is not symmetric: [%d,%d] is %.10g, [%d,%d] %.10g",
                                     r + 1, c + 1, a, c + 1, r + 1, b);
    }
  }
  return SL_OK;
}

sl_node sl__matrix_lower(sl__stan_call *call, sl_node a, int32_t rows, int32_t columns) {
  sl__graph *g = sl__stan_graph(call);
  if (rows == columns) return op_lower(g, a, 0);
  double *mask = sl__stan_memory(call, (size_t)rows * (size_t)columns, sizeof *mask);
  if (!mask) return sl__graph_refuse(g, SL_NO_MEMORY, "no memory for a mask");
  for (int32_t i = 0; i < rows; i++) {
    for (int32_t j = 0; j < columns; j++) mask[(int64_t)i * columns + j] = j <= i;
  }
  return op_multiply(g, a, op_constant(g, SL_F64, sl__shape2(rows, columns), mask));
}

sl_node sl__matrix_identity(sl__stan_call *call, int32_t n) {
  sl__graph *g = sl__stan_graph(call);
  return op_diagonal_matrix(g, op_broadcast(g, sl__maths_real(g, 1), sl__shape1(n)));
}

static sl_node times_transposed(sl__graph *g, sl_node a, sl_node b) {
  return op_matmul(g, a, op_transpose(g, b));
}
static sl_node transposed_times(sl__graph *g, sl_node a, sl_node b) {
  return op_matmul(g, op_transpose(g, a), b);
}

/* Whether a result of these sizes can be held: before its nodes are made. */
static sl_status check_size(sl__stan_call *call, int32_t rows, int32_t columns) {
  int64_t count;
  return sl__call_check_count(call, 2, (int32_t[]){rows, columns}, &count);
}

static sl_status give_zeros(sl__stan_call *call, int32_t rows, int32_t columns) {
  if (sl__stan_is_scalar(call->type)) return sl__call_give_real(call, 0);
  SL__TRY(check_size(call, rows, columns));
  const int32_t size[2] = {rows, columns}, count = rows * columns;
  if (sl__stan_dimensions(call->type) == 2) return sl__call_give_filled(call, 2, size, 0);
  return sl__call_give_filled(call, 1, &count, 0);
}

/* ---- products of a matrix with itself ---- */

typedef sl_node product(sl__graph *g, sl_node a, sl_node b);

/* n: rows and columns of the result. */
static sl_status with_itself(sl__stan_call *call, int32_t n, product *times) {
  SL__TRY(check_size(call, n, n));
  if (call->argument[0].count == 0) return give_zeros(call, n, n);
  const sl_node m = sl__stan_matrix(call, 0);
  return sl__matrix_give(call, n, n, times(sl__stan_graph(call), m, m));
}
sl_status sl__stan_build_crossprod(sl__stan_call *call) {
  return with_itself(call, call->argument[0].size[1], transposed_times);
}
sl_status sl__stan_build_tcrossprod(sl__stan_call *call) {
  return with_itself(call, call->argument[0].size[0], times_transposed);
}

sl_status sl__stan_build_multiply_lower_tri_self_transpose(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  const int32_t n = a->size[0];
  SL__TRY(check_size(call, n, n));
  if (a->count == 0) return give_zeros(call, n, n);
  const sl_node l = sl__matrix_lower(call, sl__stan_matrix(call, 0), n, a->size[1]);
  return sl__matrix_give(call, n, n, times_transposed(sl__stan_graph(call), l, l));
}

sl_status sl__stan_build_matrix_power(sl__stan_call *call) {
  int32_t n;
  int64_t power;
  SL__TRY(sl__matrix_square(call, 0, &n));
  SL__TRY(sl__call_integer(call, 1, &power));
  if (power < 0)
    return sl__stan_refuse(call, "power is %lld, but must be at least 0", (long long)power);
  if (n == 0) return give_zeros(call, 0, 0);
  sl__graph *g = sl__stan_graph(call);
  sl_node result = sl__matrix_identity(call, n), square = sl__stan_matrix(call, 0);
  for (bool first = true; power > 0; power >>= 1) {
    if (power & 1) {
      result = first ? square : op_matmul(g, result, square);
      first = false;
    }
    if (power > 1) square = op_matmul(g, square, square);
  }
  return sl__matrix_give(call, n, n, result);
}

/* ---- diagonals ---- */

sl_status sl__stan_build_diag_matrix(sl__stan_call *call) {
  const int32_t n = (int32_t)call->argument[0].count;
  if (n == 0) return give_zeros(call, 0, 0);
  SL__TRY(check_size(call, n, n));
  return sl__matrix_give(call, n, n,
                         op_diagonal_matrix(sl__stan_graph(call), sl__stan_argument(call, 0)));
}

/* Adds a scalar, or a vector's elements, to the diagonal. */
sl_status sl__stan_build_add_diag(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0], *d = &call->argument[1];
  const int32_t rows = a->size[0], columns = a->size[1], n = rows < columns ? rows : columns;
  if (d->dims > 0 && d->count != n)
    return sl__stan_refuse(call, "%lld numbers for a diagonal of %d", (long long)d->count, n);
  if (a->count == 0) return give_zeros(call, rows, columns);
  sl__graph *g = sl__stan_graph(call);
  double *unit = sl__stan_memory(call, (size_t)a->count, sizeof *unit);
  if (!unit) return SL_NO_MEMORY;
  memset(unit, 0, (size_t)a->count * sizeof *unit);
  for (int64_t i = 0; i < n; i++) unit[i * (columns + 1)] = 1;
  const sl_node mask = op_constant(g, SL_F64, sl__shape2(rows, columns), unit);
  sl_node added = sl__stan_argument(call, 1);
  if (d->dims > 0 && columns > n) { /* any numbers where the mask is 0 */
    const sl_node parts[2] = {added,
                              op_broadcast(g, sl__maths_real(g, 0), sl__shape1(columns - n))};
    added = op_concatenate(g, 2, parts, 0);
  }
  return sl__matrix_give(call, rows, columns,
                         op_multiply_add(g, mask, added, sl__stan_matrix(call, 0)));
}

/* diag_matrix(v) * m. */
sl_status sl__stan_build_diag_pre_multiply(sl__stan_call *call) {
  const sl__stan_value *v = &call->argument[0], *m = &call->argument[1];
  const int32_t rows = m->size[0];
  if (v->count != rows)
    return sl__stan_refuse(call, "%lld numbers for %d rows", (long long)v->count, rows);
  if (m->count == 0) return give_zeros(call, rows, m->size[1]);
  sl__graph *g = sl__stan_graph(call);
  const sl_node column = op_reshape(g, sl__stan_argument(call, 0), sl__shape2(rows, 1));
  return sl__matrix_give(call, rows, m->size[1], op_multiply(g, column, sl__stan_matrix(call, 1)));
}

/* m * diag_matrix(v). */
sl_status sl__stan_build_diag_post_multiply(sl__stan_call *call) {
  const sl__stan_value *m = &call->argument[0], *v = &call->argument[1];
  const int32_t columns = m->size[1];
  if (v->count != columns)
    return sl__stan_refuse(call, "%lld numbers for %d columns", (long long)v->count, columns);
  if (m->count == 0) return give_zeros(call, m->size[0], columns);
  sl__graph *g = sl__stan_graph(call);
  const sl_node row = op_reshape(g, sl__stan_argument(call, 1), sl__shape1(columns));
  return sl__matrix_give(call, m->size[0], columns, op_multiply(g, sl__stan_matrix(call, 0), row));
}

/* ---- forms: B' A B ---- */

static sl_status form(sl__stan_call *call, bool symmetric, bool trace) {
  const sl__stan_value *b = &call->argument[1];
  int32_t n, rows, columns;
  SL__TRY(symmetric ? sl__matrix_symmetric(call, 0, &n) : sl__matrix_square(call, 0, &n));
  sl__call_rows_columns(b, &rows, &columns);
  if (rows != n)
    return sl__stan_refuse(call, "a matrix [%d,%d] between matrices of %d rows", n, n, rows);
  SL__TRY(check_size(call, columns, columns));
  const bool scalar = trace || sl__stan_is_scalar(call->type);
  if (b->count == 0) return give_zeros(call, columns, columns);
  sl__graph *g = sl__stan_graph(call);
  const sl_node mb = sl__stan_matrix(call, 1), ab = op_matmul(g, sl__stan_matrix(call, 0), mb);
  if (scalar) return sl__stan_give_scalar(call, op_sum_all(g, op_multiply(g, mb, ab)));
  sl_node result = transposed_times(g, mb, ab);
  if (symmetric) result = op_scale(g, op_add(g, result, op_transpose(g, result)), 0.5);
  return sl__matrix_give(call, columns, columns, result);
}
sl_status sl__stan_build_quad_form(sl__stan_call *call) {
  return form(call, false, false);
}
sl_status sl__stan_build_quad_form_sym(sl__stan_call *call) {
  return form(call, true, false);
}
sl_status sl__stan_build_trace_quad_form(sl__stan_call *call) {
  return form(call, false, true);
}

/* diag_matrix(v) * m * diag_matrix(v). */
sl_status sl__stan_build_quad_form_diag(sl__stan_call *call) {
  const sl__stan_value *v = &call->argument[1];
  int32_t n;
  SL__TRY(sl__matrix_square(call, 0, &n));
  if (v->count != n)
    return sl__stan_refuse(call, "%lld numbers for %d rows", (long long)v->count, n);
  if (n == 0) return give_zeros(call, 0, 0);
  sl__graph *g = sl__stan_graph(call);
  const sl_node row = op_reshape(g, sl__stan_argument(call, 1), sl__shape1(n));
  const sl_node scales = op_multiply(g, op_reshape(g, row, sl__shape2(n, 1)), row);
  return sl__matrix_give(call, n, n, op_multiply(g, sl__stan_matrix(call, 0), scales));
}

/* trace(D B' A B). */
sl_status sl__stan_build_trace_gen_quad_form(sl__stan_call *call) {
  const sl__stan_value *b = &call->argument[2];
  int32_t d, n;
  SL__TRY(sl__matrix_square(call, 0, &d));
  SL__TRY(sl__matrix_square(call, 1, &n));
  if (b->size[0] != n || b->size[1] != d)
    return sl__stan_refuse(call, "D [%d,%d], A [%d,%d] and B [%d,%d] do not fit", d, d, n, n,
                           b->size[0], b->size[1]);
  if (b->count == 0) return sl__call_give_real(call, 0);
  sl__graph *g = sl__stan_graph(call);
  const sl_node mb = sl__stan_matrix(call, 2), ab = op_matmul(g, sl__stan_matrix(call, 1), mb);
  const sl_node bd = times_transposed(g, mb, sl__stan_matrix(call, 0)); /* B D' */
  return sl__stan_give_scalar(call, op_sum_all(g, op_multiply(g, bd, ab)));
}

/* ---- traces ---- */

sl_status sl__stan_build_trace(sl__stan_call *call) {
  int32_t n;
  SL__TRY(sl__matrix_square(call, 0, &n));
  if (n == 0) return sl__call_give_real(call, 0);
  sl__graph *g = sl__stan_graph(call);
  return sl__stan_give_scalar(call, op_sum_all(g, op_diagonal(g, sl__stan_matrix(call, 0))));
}

/* trace(A B). */
sl_status sl__stan_build_trace_dot(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0], *b = &call->argument[1];
  if (a->size[0] != b->size[1] || a->size[1] != b->size[0])
    return sl__stan_refuse(call, "[%d,%d] and [%d,%d] do not fit", a->size[0], a->size[1],
                           b->size[0], b->size[1]);
  if (a->count == 0) return sl__call_give_real(call, 0);
  sl__graph *g = sl__stan_graph(call);
  const sl_node flipped = op_transpose(g, sl__stan_matrix(call, 1));
  return sl__stan_give_scalar(call,
                              op_sum_all(g, op_multiply(g, sl__stan_matrix(call, 0), flipped)));
}

/* ---- softmax, of a vector or of each vector of an array ---- */

static sl_status build_softmax(sl__stan_call *call, bool logarithm) {
  const sl__stan_value *a = &call->argument[0];
  if (a->count == 0) return sl__call_give_empty(call, a->dims, a->size);
  sl__graph *g = sl__stan_graph(call);
  const int32_t inner = a->size[a->dims - 1], outer = (int32_t)(a->count / inner);
  const sl_node x = op_reshape(g, sl__stan_argument(call, 0), sl__shape2(outer, inner));
  sl_node y;
  if (logarithm) {
    const sl_node sum = op_reshape(g, op_log_sum_exp(g, x, 1), sl__shape2(outer, 1));
    y = op_subtract(g, x, sum);
  } else {
    y = op_softmax(g, x, 1);
  }
  return sl__call_give_node(call, a->dims, a->size,
                            op_reshape(g, y, sl__shape1((int32_t)a->count)));
}
sl_status sl__stan_build_softmax(sl__stan_call *call) {
  return build_softmax(call, false);
}
sl_status sl__stan_build_log_softmax(sl__stan_call *call) {
  return build_softmax(call, true);
}
