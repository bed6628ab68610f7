/* What cannot be fitted is refused before anything else, with row, column, value and what would
 * mend it. */
#include <math.h>
#include <stdio.h>

#include "infer/prepare.h"

/* ---- shapes and numbers ---- */

static sl_status check_view(sl_context *context, const char *what, const sl_array_in *array,
                            int64_t rows, int64_t columns) {
  if (!array->data)
    return sl__fail(context, SL_BAD_ARGUMENT, "%s is missing; give %lld x %lld numbers", what,
                    (long long)rows, (long long)columns);
  if (array->rows != rows || array->columns != columns)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "%s is %lld x %lld but should be %lld x %lld; give one row for every row of x",
                    what, (long long)array->rows, (long long)array->columns, (long long)rows,
                    (long long)columns);
  return SL_OK;
}

static sl_status check_finite(sl_context *context, const char *what, const sl_array_in *array) {
  for (int64_t row = 0; row < array->rows; row++)
    for (int64_t column = 0; column < array->columns; column++)
      if (!isfinite(sl__element(array, row, column)))
        return sl__fail(context, SL_BAD_ARGUMENT,
                        "row %lld, column %lld of %s is %s; remove the row or fill in the value",
                        (long long)row + 1, (long long)column + 1, what,
                        isnan(sl__element(array, row, column)) ? "not a number (NaN)" : "infinite");
  return SL_OK;
}

/* of: "x", "the test rows"; whose weights they are, one for each of its rows. */
static sl_status check_weights(sl_context *context, const char *of, int64_t rows,
                               const sl_array_in *weight) {
  double total = 0;
  char what[64];
  if (!weight->data) return SL_OK;
  snprintf(what, sizeof what, "the weight of %s", of);
  if (rows == 0)
    return sl__fail(context, SL_BAD_ARGUMENT, "%s is given without them; leave it out", what);
  SL__TRY(check_view(context, what, weight, rows, 1));
  SL__TRY(check_finite(context, what, weight));
  for (int64_t row = 0; row < rows; row++) {
    const double value = sl__element(weight, row, 0);
    if (value < 0)
      return sl__fail(context, SL_BAD_ARGUMENT,
                      "the weight of row %lld of %s is negative; weights are zero or more",
                      (long long)row + 1, of);
    total += value;
  }
  if (total > 0 && isfinite(total)) return SL_OK;
  return sl__fail(context, SL_BAD_ARGUMENT,
                  total > 0 ? "the weights of %s have no finite sum; divide them by the largest"
                            : "all weights of %s are zero; some must be positive",
                  of);
}

static sl_status check_set(sl_context *context, const char *what, const sl_array_in *x,
                           const sl_array_in *condition, const sl_array_in *weight, int64_t dim,
                           int64_t context_dim) {
  SL__TRY(check_weights(context, what, x->data ? x->rows : 0, weight));
  if (!x->data) return SL_OK;
  SL__TRY(check_view(context, what, x, x->rows, dim));
  SL__TRY(check_finite(context, what, x));
  if (context_dim == 0) return SL_OK;
  SL__TRY(check_view(context, "a condition", condition, x->rows, context_dim));
  return check_finite(context, "the condition", condition);
}

sl_status sl__check_data(sl_context *context, const sl_fit_data *data) {
  int64_t dim = data->x.columns;
  if (!data->x.data || dim < 1 || dim > INT32_MAX || data->x.rows < 1)
    return sl__fail(context, SL_BAD_ARGUMENT, "there are no rows to fit; give at least one column");
  int64_t context_dim = data->condition.data ? data->condition.columns : 0;
  SL__TRY(check_set(context, "x", &data->x, &data->condition, &data->weight, dim, context_dim));
  SL__TRY(check_set(context, "the held-out rows", &data->valid_x, &data->valid_condition,
                    &data->valid_weight, dim, context_dim));
  return check_set(context, "the test rows", &data->test_x, &data->test_condition,
                   &data->test_weight, dim, context_dim);
}

/* ---- values against types ---- */

/* What is wrong with a value, and what would mend it; NULL: nothing. A value of known width may
 * stand on the border: the noise stays inside. */
static const char *find_fault(const sl__column_type *type, double value) {
  const bool wide = type->width > 0;
  if (type->integer && value != floor(value))
    return "is no integer; call the column real, or round it";
  switch (type->support) {
    case SL__SUPPORT_REAL:
    case SL__SUPPORT_PERIODIC: return NULL;
    case SL__SUPPORT_POSITIVE:
      if (type->integer && value < type->low)
        return value < 0 ? "is negative; call the column integer, or remove the row"
                         : "is not positive; call the column count or integer, or remove the row";
      if (value > 0 || (wide && value == 0) || type->integer) return NULL;
      return value == 0 ? "is not positive; call the column real, add width(w) if it was rounded, "
                          "or remove the row"
                        : "is not positive; call the column real, or remove the row";
    case SL__SUPPORT_INTERVAL:
      if (value > type->low && value < type->high) return NULL;
      if (value < type->low || value > type->high)
        return "is outside its interval; give a wider one, or remove the row";
      return wide ? NULL
                  : "is on the border of its interval; give a wider one, or add width(w) if it was "
                    "rounded";
    case SL__SUPPORT_SIMPLEX:
      return value > 0 ? NULL : "is not positive, as a share must be; remove the row";
  }
  return NULL;
}

static sl_status refuse_value(const sl__preparation *p, const char *what, int64_t row,
                              int32_t column, double value, const char *fault) {
  char text[160], number[32];
  sl__format_real(number, value, SL_F64);
  return sl__fail(p->context, SL_BAD_ARGUMENT, "row %lld, %s of %s: %s %s", (long long)row + 1,
                  sl__column_text(p->data, column, text), what, number, fault);
}

/* The shares of one simplex in one row. */
static sl_status check_shares(const sl__preparation *p, const sl__column_block *block,
                              const char *what, const sl_array_in *x, int64_t row) {
  double sum = 0;
  for (int32_t k = 0; k < block->count; k++) sum += sl__element(x, row, block->column[k]);
  if (fabs(sum - 1) <= SL__SHARE_ERROR) return SL_OK;
  char text[160], number[32];
  sl__format_real(number, sum, SL_F32);
  return sl__fail(
      p->context, SL_BAD_ARGUMENT,
      "row %lld of %s: the shares from %s on sum to %s, not 1; divide them by their sum",
      (long long)row + 1, what, sl__column_text(p->data, block->column[0], text), number);
}

static sl_status check_values(const sl__preparation *p, const char *what, const sl_array_in *x) {
  const sl__columns *map = p->out->map;
  for (int64_t row = 0; x->data && row < x->rows; row++) {
    for (int32_t column = 0; column < map->count; column++) {
      const double value = sl__element(x, row, column);
      const char *fault = find_fault(&map->type[column], value);
      if (fault) return refuse_value(p, what, row, column, value, fault);
    }
    for (int i = 0; i < map->block_count; i++)
      if (map->block[i].support == SL__SUPPORT_SIMPLEX)
        SL__TRY(check_shares(p, &map->block[i], what, x, row));
  }
  return SL_OK;
}

sl_status sl__check_support(const sl__preparation *p) {
  if (!p->out->map->mapped) return SL_OK;
  SL__TRY(check_values(p, "x", &p->data->x));
  SL__TRY(check_values(p, "the held-out rows", &p->data->valid_x));
  return check_values(p, "the test rows", &p->data->test_x);
}

sl_status sl__check_columns(const sl__preparation *p) {
  char text[160];
  int32_t columns = p->out->columns;
  int64_t least = 2 * (int64_t)columns > 20 ? 2 * (int64_t)columns : 20;
  if (p->rows < least)
    return sl__fail(p->context, SL_BAD_ARGUMENT,
                    "%lld row%s too few for %d column%s; give at least %lld%s",
                    (long long)p->rows, p->rows == 1 ? " is" : "s are", columns,
                    columns == 1 ? "" : "s", (long long)least,
                    columns == 1 ? "" : ", or fewer columns");
  for (int32_t column = 0; column < columns; column++)
    if (p->facts[column].constant)
      return sl__fail(p->context, SL_BAD_ARGUMENT,
                      "%s is constant, so it has no density; leave it out (its type: skip)",
                      sl__column_text(p->data, column, text));
  return SL_OK;
}
