/* Asking targets about points. Views of any element type and stride are copied to rows of doubles
 * and back, which is what a target takes. */
#include <stdio.h>
#include <string.h>
#include "api/handle.h"
#include "api/target.h"

static double number_at(const sl_array_in *a, int64_t row, int64_t column) {
  const int64_t at = row * a->row_stride + column * a->column_stride;
  return a->dtype == SL_F32 ? (double)((const float *)a->data)[at] : ((const double *)a->data)[at];
}

/* NULL: no memory, or more than there can be. */
static double *allocate_rows(sl_context *context, int64_t rows, int64_t columns) {
  int64_t count;
  if (!__builtin_mul_overflow(rows, columns, &count))
    return sl__allocate(context, (size_t)count, sizeof(double));
  sl__fail(context, SL_NO_MEMORY, "%lld x %lld numbers are more than there can be; use fewer rows",
           (long long)rows, (long long)columns);
  return NULL;
}

/* rows x columns of the view, as doubles; NULL: no memory. */
static double *copy_in(sl_context *context, const sl_array_in *a) {
  double *copy = allocate_rows(context, a->rows, a->columns);
  for (int64_t r = 0; copy && r < a->rows; r++)
    for (int64_t c = 0; c < a->columns; c++) copy[r * a->columns + c] = number_at(a, r, c);
  return copy;
}

static void copy_out(const double *from, const sl_array_out *a) {
  for (int64_t r = 0; r < a->rows; r++) {
    for (int64_t c = 0; c < a->columns; c++) {
      const int64_t at = r * a->row_stride + c * a->column_stride;
      const double value = from[r * a->columns + c];
      if (a->dtype == SL_F32)
        ((float *)a->data)[at] = (float)value;
      else
        ((double *)a->data)[at] = value;
    }
  }
}

static sl_status make_density(sl_context *context, const sl_target *target, uint32_t flags,
                              bool with_gradient, sl__density **out) {
  *out = NULL;
  if (flags & ~(uint32_t)(SL_TARGET_NO_JACOBIAN | SL_TARGET_DROP_CONSTANTS))
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "%u holds flags that are none; join SL_TARGET_NO_JACOBIAN and "
                    "SL_TARGET_DROP_CONSTANTS by |",
                    flags);
  return sl__density_new(context, target->target, flags, with_gradient, out);
}

sl_status sl_target_log_density(sl_context *context, const sl_target *target, uint32_t flags,
                                const sl_array_in *points, const sl_array_out *log_density,
                                const sl_array_out *gradient) {
  const int32_t dim = target->target->dim;
  SL__TRY(sl__check_in(context, "points", points, -1, dim));
  SL__TRY(sl__check_out(context, "log_density", log_density, points->rows, 1));
  SL__TRY(sl__check_maybe(context, "gradient", gradient, points->rows, dim));
  const bool with_gradient = gradient && gradient->data;
  sl__density *density;
  SL__TRY(make_density(context, target, flags, with_gradient, &density));
  double *q = copy_in(context, points), *value = allocate_rows(context, points->rows, 1);
  double *slope = with_gradient ? allocate_rows(context, points->rows, dim) : NULL;
  sl_status status = q && value && (slope || !with_gradient) ? SL_OK : SL_NO_MEMORY;
  const sl__points asked = {points->rows, q, value, slope, dim, 1};
  if (status == SL_OK) status = sl__density_run(context, density, &asked);
  if (status == SL_OK) copy_out(value, log_density);
  if (status == SL_OK && with_gradient) copy_out(slope, gradient);
  sl__free(&context->allocator, q);
  sl__free(&context->allocator, value);
  sl__free(&context->allocator, slope);
  sl__density_free(density);
  return status;
}

static sl_status write_parts(sl_context *context, const sl_target *target, sl__target_part last,
                             uint64_t seed, int64_t first_row, const sl_array_in *points,
                             const sl_array_out *out) {
  const sl__target *t = target->target;
  const int32_t width = sl__target_width(t, last);
  SL__TRY(sl__check_in(context, "points", points, -1, t->dim));
  SL__TRY(sl__check_out(context, "values", out, points->rows, width));
  double *q = copy_in(context, points);
  double *values = allocate_rows(context, points->rows, width);
  sl_status status = q && values ? SL_OK : SL_NO_MEMORY;
  if (status == SL_OK)
    status = sl__target_write(context, t, last, points->rows, q, seed, first_row, values);
  if (status == SL_OK) copy_out(values, out);
  sl__free(&context->allocator, q);
  sl__free(&context->allocator, values);
  return status;
}

sl_status sl_target_constrain(sl_context *context, const sl_target *target, bool transformed,
                              const sl_array_in *points, const sl_array_out *values) {
  return write_parts(context, target, transformed ? SL__TARGET_TRANSFORMED : SL__TARGET_PARAMETERS,
                     0, 0, points, values);
}

sl_status sl_target_generate(sl_context *context, const sl_target *target, uint64_t seed,
                             int64_t first_row, const sl_array_in *points,
                             const sl_array_out *values) {
  return write_parts(context, target, SL__TARGET_GENERATED, seed, first_row, points, values);
}

/* The message begins with the place in the program: the row stands at its end. */
static void add_row(sl_context *context, int64_t row) {
  char *said = context->error.message;
  const size_t used = strlen(said);
  snprintf(said + used, sizeof context->error.message - used, " (row %lld of the parameters)",
           (long long)row);
}

sl_status sl_target_unconstrain(sl_context *context, const sl_target *target,
                                const sl_array_in *parameters, const sl_array_out *points) {
  const sl__target *t = target->target;
  const int32_t count = sl__target_count(t, SL__TARGET_PARAMETERS);
  SL__TRY(sl__check_in(context, "parameters", parameters, -1, count));
  SL__TRY(sl__check_out(context, "points", points, parameters->rows, t->dim));
  double *from = copy_in(context, parameters);
  double *q = allocate_rows(context, parameters->rows, t->dim);
  sl_status status = from && q ? SL_OK : SL_NO_MEMORY;
  int64_t row = 0;
  if (status == SL_OK)
    status = sl__target_unconstrain_rows(context, t, parameters->rows, from, q, &row);
  if (status == SL_BAD_ARGUMENT) add_row(context, row);
  if (status == SL_OK) copy_out(q, points);
  sl__free(&context->allocator, from);
  sl__free(&context->allocator, q);
  return status;
}
