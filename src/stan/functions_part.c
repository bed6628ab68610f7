/* Parts of containers and the same elements in another order or another container. */
#include "stan/functions.h"

#include <string.h>

/* ---- parts of one dimension: head, tail, segment, reverse ---- */

/* Elements begin, ..., begin + length - 1 of the first dimension. */
static sl_status outer_part(sl__stan_call *call, int32_t begin, int32_t length) {
  const sl__stan_value *a = &call->argument[0];
  int32_t size[SL__STAN_MAX_DIMS];
  memcpy(size, a->size, sizeof size);
  const int64_t inner = a->size[0] > 0 ? a->count / a->size[0] : 0;
  size[0] = length;
  return sl__call_cut(call, 0, 0, a->dims, size, (int32_t)(begin * inner));
}

static sl_status check_length(sl__stan_call *call, int32_t length) {
  if (length <= call->argument[0].size[0]) return SL_OK;
  return sl__stan_refuse(call, "%d elements of %d", length, call->argument[0].size[0]);
}

sl_status sl__stan_build_head(sl__stan_call *call) {
  int32_t length;
  SL__TRY(sl__call_size(call, 1, "number of elements", 0, &length));
  SL__TRY(check_length(call, length));
  return outer_part(call, 0, length);
}

sl_status sl__stan_build_tail(sl__stan_call *call) {
  int32_t length;
  SL__TRY(sl__call_size(call, 1, "number of elements", 0, &length));
  SL__TRY(check_length(call, length));
  return outer_part(call, call->argument[0].size[0] - length, length);
}

/* segment(x, i, n): x[i], ..., x[i + n - 1]. */
sl_status sl__stan_build_segment(sl__stan_call *call) {
  const int32_t all = call->argument[0].size[0];
  int32_t begin = 0, length;
  SL__TRY(sl__call_size(call, 2, "number of elements", 0, &length));
  if (length > 0) SL__TRY(sl__call_position(call, 1, "first index", all, &begin));
  if (length > all - begin)
    return sl__stan_refuse(call, "%d elements from number %d on, of %d", length, begin + 1, all);
  return outer_part(call, begin, length);
}

sl_status sl__stan_build_reverse(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  if (a->count == 0) return sl__call_cut(call, 0, 0, a->dims, a->size, 0);
  const int64_t outer = a->size[0], inner = a->count / outer;
  int32_t *index = sl__stan_memory(call, (size_t)a->count, sizeof *index);
  if (!index) return SL_NO_MEMORY;
  for (int64_t k = 0; k < a->count; k++)
    index[k] = (int32_t)((outer - 1 - k / inner) * inner + k % inner);
  return sl__call_rearrange(call, 0, 0, a->dims, a->size, index);
}

/* ---- parts of matrices ---- */

/* Rows row, ..., row + rows - 1 and columns in the same way. */
static sl_status matrix_part(sl__stan_call *call, int32_t row, int32_t column, int32_t rows,
                             int32_t columns, int32_t dims, const int32_t *size) {
  const int32_t width = call->argument[0].size[1];
  if (columns == width) return sl__call_cut(call, 0, 0, dims, size, row * width);
  const int64_t count = (int64_t)rows * columns;
  int32_t *index = sl__stan_memory(call, (size_t)count, sizeof *index);
  if (!index) return SL_NO_MEMORY;
  for (int64_t k = 0; k < count; k++)
    index[k] = (int32_t)((row + k / columns) * width + column + k % columns);
  return sl__call_rearrange(call, 0, 0, dims, size, index);
}

/* An extent from an index on, both arguments, within `all`. */
static sl_status read_range(sl__stan_call *call, int at, int extent, const char *what, int32_t all,
                            int32_t *begin, int32_t *length) {
  SL__TRY(sl__call_size(call, extent, what, 0, length));
  *begin = 0;
  if (*length > 0) SL__TRY(sl__call_position(call, at, "first index", all, begin));
  if (*length > all - *begin)
    return sl__stan_refuse(call, "%s: %d from number %d on, of %d", what, *length, *begin + 1, all);
  return SL_OK;
}

/* block(x, i, j, m, n): m rows from i on, n columns from j on. */
sl_status sl__stan_build_block(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  int32_t row, column, size[2];
  SL__TRY(read_range(call, 1, 3, "number of rows", a->size[0], &row, &size[0]));
  SL__TRY(read_range(call, 2, 4, "number of columns", a->size[1], &column, &size[1]));
  return matrix_part(call, row, column, size[0], size[1], 2, size);
}

sl_status sl__stan_build_col(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  int32_t column;
  SL__TRY(sl__call_position(call, 1, "column", a->size[1], &column));
  return matrix_part(call, 0, column, a->size[0], 1, 1, &a->size[0]);
}

sl_status sl__stan_build_row(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  int32_t row;
  SL__TRY(sl__call_position(call, 1, "row", a->size[0], &row));
  return matrix_part(call, row, 0, 1, a->size[1], 1, &a->size[1]);
}

/* sub_col(x, i, j, n): n elements of column j from row i on. */
sl_status sl__stan_build_sub_col(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  int32_t row, column, length;
  SL__TRY(read_range(call, 1, 3, "number of rows", a->size[0], &row, &length));
  SL__TRY(sl__call_position(call, 2, "column", a->size[1], &column));
  return matrix_part(call, row, column, length, 1, 1, &length);
}

/* sub_row(x, i, j, n): n elements of row i from column j on. */
sl_status sl__stan_build_sub_row(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  int32_t row, column, length;
  SL__TRY(sl__call_position(call, 1, "row", a->size[0], &row));
  SL__TRY(read_range(call, 2, 3, "number of columns", a->size[1], &column, &length));
  return matrix_part(call, row, column, 1, length, 1, &length);
}

sl_status sl__stan_build_diagonal(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  const int32_t size = a->size[0] < a->size[1] ? a->size[0] : a->size[1];
  int32_t *index = sl__stan_memory(call, (size_t)size, sizeof *index);
  if (!index) return SL_NO_MEMORY;
  for (int32_t k = 0; k < size; k++) index[k] = k * (a->size[1] + 1);
  return sl__call_rearrange(call, 0, 0, 1, &size, index);
}

/* ---- transposition ---- */

/* Where element k of the transpose of [rows, columns] comes from. */
static int32_t *transposed(sl__stan_call *call, int32_t rows, int32_t columns) {
  const int64_t count = (int64_t)rows * columns;
  int32_t *index = sl__stan_memory(call, (size_t)count, sizeof *index);
  for (int64_t k = 0; index && k < count; k++) index[k] = (int32_t)(k % rows * columns + k / rows);
  return index;
}

sl_status sl__stan_build_transpose(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  if (a->dims == 1) return sl__call_cut(call, 0, 0, 1, a->size, 0);
  const int32_t size[2] = {a->size[1], a->size[0]};
  if (a->form == SL__STAN_NODE) { /* a view, copied once */
    sl__graph *g = sl__stan_graph(call);
    const sl_node flipped = op_transpose(g, sl__stan_matrix(call, 0));
    return sl__call_give_node(call, 2, size, op_reshape(g, flipped, sl__shape1((int32_t)a->count)));
  }
  const int32_t *index = transposed(call, a->size[0], a->size[1]);
  return index ? sl__call_rearrange(call, 0, 0, 2, size, index) : SL_NO_MEMORY;
}

sl_status sl__stan_build_symmetrize_from_lower_tri(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  const int32_t n = a->size[0];
  if (n != a->size[1])
    return sl__stan_refuse(call, "a square matrix is needed, not [%d,%d]", n, a->size[1]);
  int32_t *index = sl__stan_memory(call, (size_t)a->count, sizeof *index);
  if (!index) return SL_NO_MEMORY;
  for (int32_t i = 0, k = 0; i < n; i++) {
    for (int32_t j = 0; j < n; j++, k++) index[k] = i >= j ? i * n + j : j * n + i;
  }
  return sl__call_rearrange(call, 0, 0, 2, a->size, index);
}

/* ---- the same elements in another container ----
 * Stan counts a matrix's elements by columns, sluice keeps them by rows. */

/* All of argument 0 by columns, as one dimension. */
static sl_status by_columns(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  if (a->count > INT32_MAX) return sl__stan_refuse(call, "too many elements");
  const int32_t size = (int32_t)a->count;
  if (!sl__call_is_matrix(a)) return sl__call_cut(call, 0, 0, 1, &size, 0);
  const int32_t *index = transposed(call, a->size[0], a->size[1]);
  return index ? sl__call_rearrange(call, 0, 0, 1, &size, index) : SL_NO_MEMORY;
}

sl_status sl__stan_build_to_vector(sl__stan_call *call) {
  return by_columns(call);
}
sl_status sl__stan_build_to_row_vector(sl__stan_call *call) {
  return by_columns(call);
}
/* Arrays of arrays are flattened by rows. */
sl_status sl__stan_build_to_array_1d(sl__stan_call *call) {
  return by_columns(call);
}

sl_status sl__stan_build_to_array_2d(sl__stan_call *call) {
  return sl__call_cut(call, 0, 0, 2, call->argument[0].size, 0);
}

/* [rows, columns] of the elements of argument 0, both sides counted by columns; or the target
 * filled by rows, if by_rows. */
static sl_status refill(sl__stan_call *call, const int32_t size[2], bool by_rows) {
  const sl__stan_value *a = &call->argument[0];
  const int64_t rows = size[0], columns = size[1];
  if (rows * columns != a->count)
    return sl__stan_refuse(call, "%lld elements do not fill a matrix of %d rows and %d columns",
                           (long long)a->count, size[0], size[1]);
  int32_t *index = sl__stan_memory(call, (size_t)a->count, sizeof *index);
  if (!index) return SL_NO_MEMORY;
  const bool matrix = sl__call_is_matrix(a);
  for (int64_t i = 0, k = 0; i < rows; i++) {
    for (int64_t j = 0; j < columns; j++, k++) {
      const int64_t n = by_rows ? i * columns + j : j * rows + i;
      index[k] = (int32_t)(matrix ? n % a->size[0] * a->size[1] + n / a->size[0] : n);
    }
  }
  return sl__call_rearrange(call, 0, 0, 2, size, index);
}

/* to_matrix(x); to_matrix(x, rows, columns); to_matrix(x, rows, columns, by columns?). */
sl_status sl__stan_build_to_matrix(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  int32_t size[2];
  if (call->count == 1) {
    if (a->dims == 2) return sl__call_cut(call, 0, 0, 2, a->size, 0);
    sl__call_rows_columns(a, &size[0], &size[1]);
    return sl__call_cut(call, 0, 0, 2, size, 0);
  }
  SL__TRY(sl__call_size(call, 1, "number of rows", 0, &size[0]));
  SL__TRY(sl__call_size(call, 2, "number of columns", 0, &size[1]));
  int64_t by_columns_first = 1;
  if (call->count == 4) SL__TRY(sl__call_integer(call, 3, &by_columns_first));
  return refill(call, size, by_columns_first == 0);
}

/* ---- running sums ---- */

static sl_status integer_running_sum(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  int64_t *out = sl__stan_memory(call, (size_t)a->count, sizeof *out), sum = 0;
  if (!out) return SL_NO_MEMORY;
  for (int64_t k = 0; k < a->count; k++) out[k] = sum += a->integers[k];
  return sl__stan_give_integers(call, a->dims, a->size, out);
}

sl_status sl__stan_build_cumulative_sum(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  if (sl__call_is_integers(a)) return integer_running_sum(call);
  if (a->count > 0 && !sl__stan_is_known(a))
    return sl__call_give_node(
        call, a->dims, a->size,
        op_cumulative_sum(sl__stan_graph(call), sl__stan_argument(call, 0), 0, false));
  const double *x = sl__stan_numbers(call, 0);
  double *out = sl__stan_memory(call, (size_t)a->count, sizeof *out), sum = 0;
  if (!x || !out) return SL_NO_MEMORY;
  for (int64_t k = 0; k < a->count; k++) out[k] = sum += x[k];
  return sl__call_give_doubles(call, a->dims, a->size, out);
}
