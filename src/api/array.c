/* Views of the caller's arrays: constructors, checks, and their form inside. */
#include "api/handle.h"

sl_array_in sl_in_f32(const float *data, int64_t rows, int64_t columns) {
  return (sl_array_in){data, SL_F32, rows, columns, columns, 1};
}

sl_array_in sl_in_f64(const double *data, int64_t rows, int64_t columns) {
  return (sl_array_in){data, SL_F64, rows, columns, columns, 1};
}

sl_array_out sl_out_f32(float *data, int64_t rows, int64_t columns) {
  return (sl_array_out){data, SL_F32, rows, columns, columns, 1};
}

sl_array_out sl_out_f64(double *data, int64_t rows, int64_t columns) {
  return (sl_array_out){data, SL_F64, rows, columns, columns, 1};
}

static sl_status check(sl_context *context, const char *what, const void *data, sl_dtype dtype,
                       int64_t has_rows, int64_t has_columns, int64_t rows, int64_t columns) {
  if (!data)
    return sl__fail(context, SL_BAD_ARGUMENT, "%s is missing; pass a view of %lld columns", what,
                    (long long)columns);
  if (dtype != SL_F32 && dtype != SL_F64)
    return sl__fail(context, SL_BAD_ARGUMENT, "%s has element type %d; use SL_F32 or SL_F64", what,
                    (int)dtype);
  if (has_rows < 0 || has_columns != columns || (rows >= 0 && has_rows != rows)) {
    if (rows < 0)
      return sl__fail(context, SL_BAD_ARGUMENT, "%s has %lld columns; %lld are wanted", what,
                      (long long)has_columns, (long long)columns);
    return sl__fail(context, SL_BAD_ARGUMENT, "%s is %lld x %lld; it should be %lld x %lld", what,
                    (long long)has_rows, (long long)has_columns, (long long)rows,
                    (long long)columns);
  }
  return SL_OK;
}

sl_status sl__check_in(sl_context *context, const char *what, const sl_array_in *array,
                       int64_t rows, int64_t columns) {
  static const sl_array_in none = {0};
  if (!array) array = &none;
  return check(context, what, array->data, array->dtype, array->rows, array->columns, rows,
               columns);
}

sl_status sl__check_out(sl_context *context, const char *what, const sl_array_out *array,
                        int64_t rows, int64_t columns) {
  static const sl_array_out none = {0};
  if (!array) array = &none;
  return check(context, what, array->data, array->dtype, array->rows, array->columns, rows,
               columns);
}

sl_status sl__check_maybe(sl_context *context, const char *what, const sl_array_out *array,
                          int64_t rows, int64_t columns) {
  if (!array || !array->data) return SL_OK;
  return sl__check_out(context, what, array, rows, columns);
}

sl_status sl__check_condition(sl_context *context, const sl__flow *flow,
                              const sl_array_in *condition, int64_t rows) {
  if (flow->context_dim > 0)
    return sl__check_in(context, "condition", condition, rows, flow->context_dim);
  if (condition && condition->data)
    return sl__fail(context, SL_BAD_ARGUMENT, "the flow takes no condition; pass NULL");
  return SL_OK;
}

void sl__copy_row(const sl_array_in *from, const sl_array_out *to) {
  for (int64_t i = 0; i < from->columns; i++)
    sl__put_number(to->dtype, to->data, i * to->column_stride,
                   sl__number_at(from->dtype, from->data, i * from->column_stride));
}

sl_array_in sl__as_input(const sl_array_out *array) {
  return (sl_array_in){array->data,    array->dtype,      array->rows,
                       array->columns, array->row_stride, array->column_stride};
}

sl__feed sl__feed_of(const sl_array_in *array) {
  if (!array) return (sl__feed){0};
  return (sl__feed){array->data, array->dtype, array->row_stride, array->column_stride, NULL};
}

sl__sink sl__sink_of(const sl_array_out *array) {
  if (!array) return (sl__sink){0};
  return (sl__sink){array->data, array->dtype, array->row_stride, array->column_stride};
}
