/* Sizes of containers. They are known even where the elements are not. */
#include "stan/functions.h"

sl_status sl__stan_build_dims(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  int64_t *sizes = sl__stan_memory(call, SL__STAN_MAX_DIMS, sizeof *sizes);
  if (!sizes) return SL_NO_MEMORY;
  for (int32_t d = 0; d < a->dims; d++) sizes[d] = a->size[d];
  return sl__stan_give_integers(call, 1, &a->dims, sizes);
}

sl_status sl__stan_build_num_elements(sl__stan_call *call) {
  return sl__call_give_integer(call, call->argument[0].count);
}

/* Of an array its length, of a matrix the number of its elements. */
sl_status sl__stan_build_size(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  return sl__call_give_integer(call, a->type.arrays > 0 ? a->size[0] : a->count);
}

sl_status sl__stan_build_rows(sl__stan_call *call) {
  int32_t rows, columns;
  sl__call_rows_columns(&call->argument[0], &rows, &columns);
  return sl__call_give_integer(call, rows);
}

sl_status sl__stan_build_cols(sl__stan_call *call) {
  int32_t rows, columns;
  sl__call_rows_columns(&call->argument[0], &rows, &columns);
  return sl__call_give_integer(call, columns);
}
