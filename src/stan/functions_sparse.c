/* Sparse matrices in compressed rows: w values, v their columns, u where each row begins in w and,
 * last, one behind the end; all counted from 1. */
#include "stan/functions.h"

#include <string.h>

typedef struct sparse {
  int32_t rows, columns, count; /* count: of values */
  const int64_t *column, *begin;
} sparse;

/* Arguments 0 to 4: rows, columns, w, v, u. */
static sl_status read_sparse(sl__stan_call *call, sparse *s) {
  const sl__stan_value *w = &call->argument[2], *v = &call->argument[3], *u = &call->argument[4];
  SL__TRY(sl__call_size(call, 0, "number of rows", 0, &s->rows));
  SL__TRY(sl__call_size(call, 1, "number of columns", 0, &s->columns));
  s->count = (int32_t)w->count;
  s->column = sl__stan_integers(call, 3);
  s->begin = sl__stan_integers(call, 4);
  if (!s->column || !s->begin) return SL_NO_MEMORY;
  if (v->count != w->count)
    return sl__stan_refuse(call, "%lld columns for %d values", (long long)v->count, s->count);
  if (u->count != (int64_t)s->rows + 1)
    return sl__stan_refuse(call, "%lld starts of rows for %d rows; one more is needed",
                           (long long)u->count, s->rows);
  for (int32_t k = 0; k < s->count; k++) {
    if (s->column[k] < 1 || s->column[k] > s->columns)
      return sl__stan_refuse(call, "value %d is in column %lld of %d", k + 1,
                             (long long)s->column[k], s->columns);
  }
  for (int32_t i = 0; i < s->rows; i++) {
    if (s->begin[i] > s->begin[i + 1])
      return sl__stan_refuse(call, "row %d ends before it begins", i + 1);
  }
  if (s->begin[0] != 1 || s->begin[s->rows] != (int64_t)s->count + 1)
    return sl__stan_refuse(call, "the rows hold %lld values of %d",
                           (long long)(s->begin[s->rows] - s->begin[0]), s->count);
  return SL_OK;
}

/* The values with a zero behind them, for places that hold none. */
static sl_node values_and_zero(sl__stan_call *call) {
  sl__graph *g = sl__stan_graph(call);
  const sl_node parts[2] = {sl__stan_argument(call, 2),
                            op_reshape(g, sl__maths_real(g, 0), sl__shape1(1))};
  return op_concatenate(g, 2, parts, 0);
}

/* Every row's values padded to the longest row, times what stands at their columns, summed. */
sl_status sl__stan_build_csr_matrix_times_vector(sl__stan_call *call) {
  sparse s;
  SL__TRY(read_sparse(call, &s));
  if (call->argument[5].count != s.columns)
    return sl__stan_refuse(call, "a vector of %lld for %d columns",
                           (long long)call->argument[5].count, s.columns);
  int64_t longest = 0, padded;
  for (int32_t i = 0; i < s.rows; i++) {
    const int64_t length = s.begin[i + 1] - s.begin[i];
    longest = length > longest ? length : longest;
  }
  if (longest == 0) return sl__call_give_filled(call, 1, &s.rows, 0);
  const int32_t shape[2] = {s.rows, (int32_t)longest};
  SL__TRY(sl__call_check_count(call, 2, shape, &padded));
  int32_t *value = sl__stan_memory(call, (size_t)padded, sizeof *value);
  int32_t *column = sl__stan_memory(call, (size_t)padded, sizeof *column);
  if (!value || !column) return SL_NO_MEMORY;
  for (int64_t i = 0; i < s.rows; i++) {
    for (int64_t k = 0; k < longest; k++) {
      const int64_t from = s.begin[i] - 1 + k;
      const bool held = from < s.begin[i + 1] - 1;
      value[i * longest + k] = held ? (int32_t)from : s.count;
      column[i * longest + k] = held ? (int32_t)s.column[from] - 1 : 0;
    }
  }
  sl__graph *g = sl__stan_graph(call);
  const sl_node w = op_gather(g, values_and_zero(call), 0, (int32_t)padded, value);
  const sl_node b = op_gather(g, sl__stan_argument(call, 5), 0, (int32_t)padded, column);
  const sl_node products = op_reshape(g, op_multiply(g, w, b), sl__shape2(shape[0], shape[1]));
  return sl__call_give_node(call, 1, &s.rows, op_sum(g, products, 1));
}

sl_status sl__stan_build_csr_to_dense_matrix(sl__stan_call *call) {
  sparse s;
  int64_t count;
  SL__TRY(read_sparse(call, &s));
  const int32_t size[2] = {s.rows, s.columns};
  SL__TRY(sl__call_check_count(call, 2, size, &count));
  if (s.count == 0) return sl__call_give_filled(call, 2, size, 0);
  int32_t *index = sl__stan_memory(call, (size_t)count, sizeof *index);
  if (!index) return SL_NO_MEMORY;
  for (int64_t k = 0; k < count; k++) index[k] = s.count;
  for (int64_t i = 0; i < s.rows; i++) {
    for (int64_t k = s.begin[i] - 1; k < s.begin[i + 1] - 1; k++)
      index[i * s.columns + s.column[k] - 1] = (int32_t)k;
  }
  sl__graph *g = sl__stan_graph(call);
  return sl__call_give_node(call, 2, size,
                            op_gather(g, values_and_zero(call), 0, (int32_t)count, index));
}

/* ---- taking a known dense matrix apart: what is not zero ---- */

static sl_status read_dense(sl__stan_call *call, const double **x, int32_t *count) {
  const sl__stan_value *a = &call->argument[0];
  *count = 0;
  if (a->count > 0 && !sl__stan_is_known(a))
    return sl__stan_refuse(call, "which elements of a matrix of parameters are zero is not known");
  if (!(*x = sl__stan_numbers(call, 0))) return SL_NO_MEMORY;
  for (int64_t k = 0; k < a->count; k++) *count += (*x)[k] != 0;
  return SL_OK;
}

sl_status sl__stan_build_csr_extract_w(sl__stan_call *call) {
  const double *x;
  int32_t count, used = 0;
  SL__TRY(read_dense(call, &x, &count));
  double *out = sl__stan_memory(call, (size_t)count, sizeof *out);
  if (!out) return SL_NO_MEMORY;
  for (int64_t k = 0; k < call->argument[0].count; k++) {
    if (x[k] != 0) out[used++] = x[k];
  }
  return sl__call_give_doubles(call, 1, &count, out);
}

sl_status sl__stan_build_csr_extract_v(sl__stan_call *call) {
  const double *x;
  int32_t count, used = 0;
  SL__TRY(read_dense(call, &x, &count));
  int64_t *out = sl__stan_memory(call, (size_t)count, sizeof *out);
  if (!out) return SL_NO_MEMORY;
  for (int64_t k = 0; k < call->argument[0].count; k++) {
    if (x[k] != 0) out[used++] = k % call->argument[0].size[1] + 1;
  }
  return sl__stan_give_integers(call, 1, &count, out);
}

sl_status sl__stan_build_csr_extract_u(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  const double *x;
  int32_t count;
  const int32_t size = a->size[0] + 1;
  SL__TRY(read_dense(call, &x, &count));
  int64_t *out = sl__stan_memory(call, (size_t)size, sizeof *out);
  if (!out) return SL_NO_MEMORY;
  out[0] = 1;
  for (int64_t i = 0; i < a->size[0]; i++) {
    out[i + 1] = out[i];
    for (int64_t j = 0; j < a->size[1]; j++) out[i + 1] += x[i * a->size[1] + j] != 0;
  }
  return sl__stan_give_integers(call, 1, &size, out);
}
