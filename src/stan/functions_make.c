/* Making arrays, vectors and matrices: of one repeated value, of regular numbers, of parts. */
#include "stan/functions.h"

#include <string.h>

/* ---- a value repeated ---- */

/* The whole of argument 0, `times` over. */
static sl_status repeat(sl__stan_call *call, int32_t dims, const int32_t *size, int64_t times) {
  const int64_t inner = call->argument[0].count;
  int64_t count;
  SL__TRY(sl__call_check_count(call, dims, size, &count));
  if (times * inner == 0) return sl__call_give_empty(call, dims, size);
  int32_t *index = sl__stan_memory(call, (size_t)count, sizeof *index);
  if (!index) return SL_NO_MEMORY;
  for (int64_t k = 0; k < count; k++) index[k] = (int32_t)(k % inner);
  return sl__call_rearrange(call, 0, 0, dims, size, index);
}

/* A node repeated is a view of it, whatever the number. */
static sl_status repeat_node(sl__stan_call *call, int32_t dims, const int32_t *size,
                             int64_t times) {
  const sl__stan_value *a = &call->argument[0];
  sl__graph *g = sl__stan_graph(call);
  int64_t count;
  SL__TRY(sl__call_check_count(call, dims, size, &count));
  const int32_t inner = (int32_t)a->count, outer = (int32_t)times;
  const sl_node wide = op_broadcast(
      g, op_reshape(g, sl__stan_argument(call, 0), sl__shape2(1, inner)), sl__shape2(outer, inner));
  return sl__call_give_node(call, dims, size, op_reshape(g, wide, sl__shape1((int32_t)count)));
}

static sl_status rep(sl__stan_call *call, int32_t dims, const int32_t *size, int64_t times) {
  const sl__stan_value *a = &call->argument[0];
  if (a->form == SL__STAN_NODE && times > 0) return repeat_node(call, dims, size, times);
  if (a->form == SL__STAN_NUMBERS && a->dims == 0)
    return sl__call_give_filled(call, dims, size, a->numbers[0]);
  return repeat(call, dims, size, times);
}

sl_status sl__stan_build_rep_array(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  const int32_t outer = call->count - 1;
  int32_t size[SL__STAN_MAX_DIMS];
  int64_t times;
  if (outer + a->dims > SL__STAN_MAX_DIMS)
    return sl__stan_refuse(call, "the array would have more than %d dimensions", SL__STAN_MAX_DIMS);
  for (int i = 0; i < outer; i++) SL__TRY(sl__call_size(call, i + 1, "size", 0, &size[i]));
  memcpy(size + outer, a->size, (size_t)a->dims * sizeof *size);
  SL__TRY(sl__call_check_count(call, outer, size, &times));
  return rep(call, outer + a->dims, size, times);
}

sl_status sl__stan_build_rep_vector(sl__stan_call *call) {
  int32_t size;
  SL__TRY(sl__call_size(call, 1, "size", 0, &size));
  return rep(call, 1, &size, size);
}

/* rep_matrix(x, m, n); rep_matrix(vector, n): that column n times; rep_matrix(row_vector, m): that
 * row m times. */
sl_status sl__stan_build_rep_matrix(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  int32_t size[2];
  if (call->count == 3) {
    SL__TRY(sl__call_size(call, 1, "number of rows", 0, &size[0]));
    SL__TRY(sl__call_size(call, 2, "number of columns", 0, &size[1]));
    int64_t times;
    SL__TRY(sl__call_check_count(call, 2, size, &times));
    return rep(call, 2, size, times);
  }
  if (a->type.base == SL__STAN_ROW_VECTOR_TYPE) {
    SL__TRY(sl__call_size(call, 1, "number of rows", 0, &size[0]));
    size[1] = a->size[0];
    return rep(call, 2, size, size[0]);
  }
  size[0] = a->size[0];
  SL__TRY(sl__call_size(call, 1, "number of columns", 0, &size[1]));
  int64_t count;
  SL__TRY(sl__call_check_count(call, 2, size, &count));
  int32_t *index = sl__stan_memory(call, (size_t)count, sizeof *index);
  if (!index) return SL_NO_MEMORY;
  for (int64_t k = 0; k < count; k++) index[k] = (int32_t)(k / size[1]);
  return sl__call_rearrange(call, 0, 0, 2, size, index);
}

/* ---- regular numbers ---- */

/* From low to high in equal steps; of one number, high. */
sl_status sl__stan_build_linspaced(sl__stan_call *call) {
  int32_t size;
  SL__TRY(sl__call_size(call, 0, "size", 0, &size));
  if (!sl__stan_is_known(&call->argument[1]) || !sl__stan_is_known(&call->argument[2]))
    return sl__stan_refuse(call, "its bounds depend on a parameter");
  const double *low = sl__stan_numbers(call, 1), *high = sl__stan_numbers(call, 2);
  double *out = sl__stan_memory(call, (size_t)size, sizeof *out);
  if (!low || !high || !out) return SL_NO_MEMORY;
  if (!(*low - *low == 0 && *high - *high == 0 && *low <= *high))
    return sl__stan_refuse_value(call, "from %g to %g; the bounds must be finite and ascending",
                                 *low, *high);
  for (int32_t k = 0; k + 1 < size; k++) out[k] = *low + k * ((*high - *low) / (size - 1));
  if (size > 0) out[size - 1] = *high;
  return sl__call_give_doubles(call, 1, &size, out);
}

/* Integer steps: where they do not come out even, high is lowered until they do; where there are
 * more elements than integers, integers are repeated. */
sl_status sl__stan_build_linspaced_int_array(sl__stan_call *call) {
  int32_t size;
  int64_t low, high;
  SL__TRY(sl__call_size(call, 0, "size", 0, &size));
  SL__TRY(sl__call_integer(call, 1, &low));
  SL__TRY(sl__call_integer(call, 2, &high));
  if (low > high)
    return sl__stan_refuse_value(call, "from %lld to %lld; the bounds must be ascending",
                                 (long long)low, (long long)high);
  int64_t *out = sl__stan_memory(call, (size_t)size, sizeof *out);
  if (!out) return SL_NO_MEMORY;
  const int64_t range = high - low, gaps = size - 1;
  if (size == 1) {
    out[0] = high;
  } else if (size > 1 && range >= gaps) {
    for (int64_t k = 0; k < size; k++) out[k] = low + k * (range / gaps);
  } else if (size > 1) {
    const int64_t each = (gaps + range + 1) / (range + 1); /* repeats of an integer */
    for (int64_t k = 0; k < size; k++) out[k] = low + k / each;
  }
  return sl__stan_give_integers(call, 1, &size, out);
}

static sl_status filled(sl__stan_call *call, double number) {
  int32_t size;
  SL__TRY(sl__call_size(call, 0, "size", 0, &size));
  return sl__call_give_filled(call, 1, &size, number);
}
sl_status sl__stan_build_ones(sl__stan_call *call) {
  return filled(call, 1);
}
sl_status sl__stan_build_zeros(sl__stan_call *call) {
  return filled(call, 0);
}

sl_status sl__stan_build_uniform_simplex(sl__stan_call *call) {
  int32_t size;
  SL__TRY(sl__call_size(call, 0, "size", 1, &size));
  return sl__call_give_filled(call, 1, &size, 1.0 / size);
}

sl_status sl__stan_build_one_hot(sl__stan_call *call) {
  int32_t size, hot;
  SL__TRY(sl__call_size(call, 0, "size", 1, &size));
  SL__TRY(sl__call_position(call, 1, "index", size, &hot));
  if (call->type.base == SL__STAN_INT_TYPE) {
    int64_t *integers = sl__stan_memory(call, (size_t)size, sizeof *integers);
    if (!integers) return SL_NO_MEMORY;
    memset(integers, 0, (size_t)size * sizeof *integers);
    integers[hot] = 1;
    return sl__stan_give_integers(call, 1, &size, integers);
  }
  double *numbers = sl__stan_memory(call, (size_t)size, sizeof *numbers);
  if (!numbers) return SL_NO_MEMORY;
  memset(numbers, 0, (size_t)size * sizeof *numbers);
  numbers[hot] = 1;
  return sl__call_give_doubles(call, 1, &size, numbers);
}

sl_status sl__stan_build_identity_matrix(sl__stan_call *call) {
  int32_t n;
  int64_t count;
  SL__TRY(sl__call_size(call, 0, "size", 0, &n));
  const int32_t size[2] = {n, n};
  SL__TRY(sl__call_check_count(call, 2, size, &count));
  double *out = sl__stan_memory(call, (size_t)count, sizeof *out);
  if (!out) return SL_NO_MEMORY;
  memset(out, 0, (size_t)count * sizeof *out);
  for (int64_t i = 0; i < n; i++) out[i * (n + 1)] = 1;
  return sl__call_give_doubles(call, 2, size, out);
}

/* ---- joining ---- */

sl_status sl__stan_build_append_array(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0], *b = &call->argument[1];
  int32_t size[SL__STAN_MAX_DIMS];
  const sl__stan_value *shape = a->size[0] > 0 ? a : b; /* an empty array fits everything */
  memcpy(size, shape->size, sizeof size);
  if (a->size[0] > 0 && b->size[0] > 0 &&
      memcmp(a->size + 1, b->size + 1, (size_t)(a->dims - 1) * sizeof *size) != 0)
    return sl__stan_refuse(call, "the elements of the two arrays have different sizes");
  SL__TRY(sl__call_add_sizes(call, a->size[0], b->size[0], &size[0]));
  return sl__call_cut(call, 0, 1, a->dims, size, 0);
}

/* Rows below rows; of vectors and scalars, elements after elements. */
sl_status sl__stan_build_append_row(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0], *b = &call->argument[1];
  if (sl__stan_is(call->type, SL__STAN_VECTOR_TYPE)) {
    int32_t size = 0;
    SL__TRY(sl__call_add_sizes(call, (int32_t)a->count, (int32_t)b->count, &size));
    return sl__call_cut(call, 0, 1, 1, &size, 0);
  }
  int32_t rows, columns, b_rows, b_columns;
  sl__call_rows_columns(a, &rows, &columns);
  sl__call_rows_columns(b, &b_rows, &b_columns);
  if (columns != b_columns)
    return sl__stan_refuse(call, "%d columns and %d columns", columns, b_columns);
  int32_t size[2] = {0, columns};
  SL__TRY(sl__call_add_sizes(call, rows, b_rows, &size[0]));
  return sl__call_cut(call, 0, 1, 2, size, 0);
}

/* Columns beside columns. */
sl_status sl__stan_build_append_col(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0], *b = &call->argument[1];
  if (sl__stan_is(call->type, SL__STAN_ROW_VECTOR_TYPE)) {
    int32_t size = 0;
    SL__TRY(sl__call_add_sizes(call, (int32_t)a->count, (int32_t)b->count, &size));
    return sl__call_cut(call, 0, 1, 1, &size, 0);
  }
  int32_t rows, left, b_rows, right;
  sl__call_rows_columns(a, &rows, &left);
  sl__call_rows_columns(b, &b_rows, &right);
  if (rows != b_rows) return sl__stan_refuse(call, "%d rows and %d rows", rows, b_rows);
  int32_t size[2] = {rows, 0};
  int64_t count;
  SL__TRY(sl__call_add_sizes(call, left, right, &size[1]));
  SL__TRY(sl__call_check_count(call, 2, size, &count));
  int32_t *index = sl__stan_memory(call, (size_t)count, sizeof *index);
  if (!index) return SL_NO_MEMORY;
  for (int32_t i = 0, k = 0; i < rows; i++) {
    for (int32_t j = 0; j < left; j++) index[k++] = i * left + j;
    for (int32_t j = 0; j < right; j++) index[k++] = (int32_t)a->count + i * right + j;
  }
  return sl__call_rearrange(call, 0, 1, 2, size, index);
}
