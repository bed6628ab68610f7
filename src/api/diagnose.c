/* Public diagnostics of draws and of weights. */
#include "api/handle.h"
#include "infer/diagnose/diagnose.h"

static double element(const sl_array_in *array, int64_t row, int64_t column) {
  const int64_t i = row * array->row_stride + column * array->column_stride;
  return array->dtype == SL_F32 ? (double)((const float *)array->data)[i]
                                : ((const double *)array->data)[i];
}

static void put(const sl_array_out *array, int64_t row, double value) {
  const int64_t i = row * array->row_stride;
  if (array->dtype == SL_F32)
    ((float *)array->data)[i] = (float)value;
  else
    ((double *)array->data)[i] = value;
}

/* rows x columns of a view as doubles, column by column; to be freed with sl__free. */
static sl_status copy_columns(sl_context *context, const sl_array_in *array, double **out) {
  int64_t count;
  if (__builtin_mul_overflow(array->rows, array->columns, &count))
    return sl__fail(context, SL_BAD_ARGUMENT, "%lld x %lld numbers are too many; pass fewer",
                    (long long)array->rows, (long long)array->columns);
  *out = sl__allocate(context, (size_t)count, sizeof **out);
  if (!*out) return SL_NO_MEMORY;
  for (int64_t column = 0; column < array->columns; column++)
    for (int64_t row = 0; row < array->rows; row++)
      (*out)[column * array->rows + row] = element(array, row, column);
  return SL_OK;
}

sl_status sl_summarize(sl_context *context, const sl_array_in *draws, int64_t chains,
                       sl_summary *rows) {
  SL__TRY(sl__check_in(context, "draws", draws, -1, draws ? draws->columns : 1));
  if (chains < 1 || draws->rows < chains || draws->rows % chains != 0)
    return sl__fail(
        context, SL_BAD_ARGUMENT,
        "%lld rows are not %lld chains of equal length; pass those of each chain in turn",
        (long long)draws->rows, (long long)chains);
  double *values;
  SL__TRY(copy_columns(context, draws, &values));
  sl__summary_row *found = sl__allocate(context, (size_t)draws->columns, sizeof(sl__summary_row));
  sl_status status = found ? SL_OK : SL_NO_MEMORY;
  const int64_t length = draws->rows / chains;
  const sl__series first = {chains, length, values, length, 1};
  if (found) status = sl__summarise(context, &first, draws->columns, draws->rows, found);
  for (int64_t i = 0; i < draws->columns && status == SL_OK; i++)
    rows[i] = (sl_summary){found[i].mean,     found[i].mcse_mean, found[i].sd,  found[i].mcse_sd,
                           found[i].q5,       found[i].q50,       found[i].q95, found[i].ess_bulk,
                           found[i].ess_tail, found[i].rhat};
  sl__free(&context->allocator, found);
  sl__free(&context->allocator, values);
  return status;
}

sl_status sl_psis(sl_context *context, const sl_array_in *log_ratios,
                  const sl_array_out *log_weights, sl_psis_report *report) {
  SL__TRY(sl__check_in(context, "log_ratios", log_ratios, -1, 1));
  SL__TRY(sl__check_maybe(context, "log_weights", log_weights, log_ratios->rows, 1));
  double *values;
  SL__TRY(copy_columns(context, log_ratios, &values));
  sl__psis found;
  const sl_status status = sl__psis_smooth(context, log_ratios->rows, values, 1, values, &found);
  if (status == SL_OK) {
    *report = (sl_psis_report){found.khat, found.threshold, found.ess, found.log_mean};
    for (int64_t i = 0; log_weights && log_weights->data && i < log_ratios->rows; i++)
      put(log_weights, i, values[i]);
  }
  sl__free(&context->allocator, values);
  return status;
}
