/* From the caller's rows to what a fit can use: checked, split, standardised, and with the width
 * of the noise that each rounded column needs.
 *
 * Rounded columns: a density can grow without bound on a lattice of values, and then its log
 * likelihood says nothing. Uniform noise as wide as the lattice turns the values into the
 * continuous ones that they may have been rounded from (Uria et al. 2013, "RNADE", section 4;
 * Theis et al. 2016). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "infer/recipe.h"

/* Ties in a column without lattice are noticed from this fraction of the rows on. */
static const double least_tied = 0.1;
/* Beyond so many standard deviations from zero float32 no longer resolves a column. */
static const double most_offset = 1e4;

typedef struct preparation {
  sl_context *context;
  const sl_fit_data *data;
  const sl_fit_options *options;
  sl__prepared *out;
  bool as_is;              /* neither standardise nor dequantise, hold nothing out unasked */
  int64_t rows;            /* of data->x */
  double *x;               /* [rows][dim] */
  sl__column_facts *facts; /* [dim] */
  int64_t *order;          /* [rows]: test rows first, then held-out ones, then training rows */
} preparation;

static double at(const sl_array_in *array, int64_t row, int64_t column) {
  int64_t i = row * array->row_stride + column * array->column_stride;
  return array->dtype == SL_F32 ? (double)((const float *)array->data)[i]
                                : ((const double *)array->data)[i];
}

static void store(sl_dtype type, void *x, int64_t i, double value) {
  if (type == SL_F32)
    ((float *)x)[i] = (float)value;
  else
    ((double *)x)[i] = value;
}

static void add_note(sl__prepared *out, const char *line) {
  size_t used = strlen(out->notes);
  snprintf(out->notes + used, sizeof out->notes - used, "%s%s", used ? "\n" : "", line);
}

/* 'column 3 "name"' into buffer. */
static const char *column_text(const preparation *p, int32_t column, char buffer[160]) {
  const char *const *names = p->data->column_names;
  if (names && names[column])
    snprintf(buffer, 160, "column %d \"%.100s\"", column + 1, names[column]);
  else
    snprintf(buffer, 160, "column %d", column + 1);
  return buffer;
}

/* ---- checks ---- */

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
      if (!isfinite(at(array, row, column)))
        return sl__fail(context, SL_BAD_ARGUMENT,
                        "row %lld, column %lld of %s is %s; remove the row or fill in the value",
                        (long long)row + 1, (long long)column + 1, what,
                        isnan(at(array, row, column)) ? "not a number (NaN)" : "infinite");
  return SL_OK;
}

static sl_status check_weights(sl_context *context, const sl_array_in *weight) {
  double total = 0;
  for (int64_t row = 0; row < weight->rows; row++) {
    double value = at(weight, row, 0);
    if (!(value >= 0))
      return sl__fail(context, SL_BAD_ARGUMENT,
                      "the weight of row %lld is negative; weights are zero or more",
                      (long long)row + 1);
    total += value;
  }
  if (!(total > 0))
    return sl__fail(context, SL_BAD_ARGUMENT, "all weights are zero; some must be positive");
  return SL_OK;
}

static sl_status check_set(sl_context *context, const char *what, const sl_array_in *x,
                           const sl_array_in *condition, int64_t dim, int64_t context_dim) {
  if (!x->data) return SL_OK;
  SL__TRY(check_view(context, what, x, x->rows, dim));
  SL__TRY(check_finite(context, what, x));
  if (context_dim == 0) return SL_OK;
  SL__TRY(check_view(context, "a condition", condition, x->rows, context_dim));
  return check_finite(context, "the condition", condition);
}

static sl_status check_all(sl_context *context, const sl_fit_data *data) {
  int64_t dim = data->x.columns;
  if (!data->x.data || dim < 1 || dim > INT32_MAX || data->x.rows < 1)
    return sl__fail(context, SL_BAD_ARGUMENT, "there are no rows to fit; give at least one column");
  int64_t context_dim = data->condition.data ? data->condition.columns : 0;
  SL__TRY(check_set(context, "x", &data->x, &data->condition, dim, context_dim));
  SL__TRY(check_set(context, "the held-out rows", &data->valid_x, &data->valid_condition, dim,
                    context_dim));
  SL__TRY(check_set(context, "the test rows", &data->test_x, &data->test_condition, dim,
                    context_dim));
  if (!data->weight.data) return SL_OK;
  SL__TRY(check_view(context, "weight", &data->weight, data->x.rows, 1));
  SL__TRY(check_finite(context, "weight", &data->weight));
  return check_weights(context, &data->weight);
}

static sl_status check_columns(const preparation *p) {
  char text[160];
  int32_t dim = p->out->dim;
  int64_t least = 2 * (int64_t)dim > 20 ? 2 * (int64_t)dim : 20;
  if (p->rows < least)
    return sl__fail(p->context, SL_BAD_ARGUMENT,
                    "%lld rows are too few for %d columns; give at least %lld, or fewer columns",
                    (long long)p->rows, dim, (long long)least);
  for (int32_t column = 0; column < dim; column++)
    if (p->facts[column].constant)
      return sl__fail(p->context, SL_BAD_ARGUMENT,
                      "%s is constant, so it has no density; leave it out",
                      column_text(p, column, text));
  return SL_OK;
}

/* ---- split ---- */

static double fraction(const preparation *p, double given) {
  return !isnan(given) ? given : p->as_is ? 0 : 0.1;
}

static sl_status split(preparation *p) {
  sl__prepared *out = p->out;
  const sl_fit_data *data = p->data;
  double test = data->test_x.data ? 0 : fraction(p, p->options->test_fraction);
  double valid = data->valid_x.data ? 0 : fraction(p, p->options->valid_fraction);
  int64_t test_rows = (int64_t)ceil(test * (double)p->rows);
  int64_t valid_rows = (int64_t)ceil(valid * (double)p->rows);
  out->train_rows = p->rows - test_rows - valid_rows;
  if (out->train_rows < 2)
    return sl__fail(p->context, SL_BAD_ARGUMENT,
                    "holding out %lld of %lld rows leaves nothing to fit; lower the fractions",
                    (long long)(test_rows + valid_rows), (long long)p->rows);
  out->test_rows = data->test_x.data ? data->test_x.rows : test_rows;
  out->valid_rows = data->valid_x.data ? data->valid_x.rows : valid_rows;
  p->order = sl__arena_take(&out->arena, (size_t)p->rows, sizeof *p->order);
  if (!p->order) return SL_NO_MEMORY;
  sl__random_permutation((sl__random_key){p->options->seed, SL__STREAM_SPLIT, 0}, p->rows,
                         p->order);
  return SL_OK;
}

/* ---- scales and noise ---- */

/* Mean and standard deviation of a column over the training rows. */
static void measure_column(const preparation *p, const sl_array_in *array, int64_t column,
                           double *mean, double *sd) {
  int64_t rows = p->out->train_rows;
  const int64_t *train = p->order + (p->rows - rows);
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < rows; i++) sum += at(array, train[i], column);
  *mean = sum / (double)rows;
  for (int64_t i = 0; i < rows; i++) {
    double d = at(array, train[i], column) - *mean;
    squares += d * d;
  }
  *sd = sqrt(squares / (double)rows);
}

static sl_status measure(preparation *p) {
  sl__prepared *out = p->out;
  for (int32_t column = 0; column < out->context_dim; column++) {
    double *sd = &out->condition_sd[column];
    measure_column(p, &p->data->condition, column, &out->condition_mean[column], sd);
    if (!(*sd > 0) || !isfinite(*sd)) *sd = 1; /* constant: says nothing, harms nothing */
  }
  for (int32_t column = 0; column < out->dim; column++) {
    measure_column(p, &p->data->x, column, &out->mean[column], &out->sd[column]);
    char text[160];
    if (!(out->sd[column] > 0) || !isfinite(out->sd[column]))
      return sl__fail(p->context, SL_BAD_ARGUMENT,
                      "%s is constant in the training rows, or too large to square; leave it out "
                      "or rescale it", column_text(p, column, text));
    out->log_scale += log(out->sd[column]);
    if (p->options->precision < 0 && fabs(out->mean[column]) > most_offset * out->sd[column] &&
        out->type == SL_F32) {
      char line[256];
      out->type = SL_F64;
      snprintf(line, sizeof line, "%s varies little around a large value: arithmetic is in float64",
               column_text(p, column, text));
      add_note(out, line);
    }
  }
  return SL_OK;
}

/* Half-way between the neighbouring distinct values is where ties without a lattice may have
 * come from: the typical gap, rows [rows] of one column being sorted here. */
static double typical_gap(double *values, int64_t rows, double range) {
  int64_t distinct = 1;
  for (int64_t step = rows / 2; step > 0; step /= 2) /* shell sort: no allocation, fast enough */
    for (int64_t i = step; i < rows; i++) {
      double value = values[i];
      int64_t j = i;
      for (; j >= step && values[j - step] > value; j -= step) values[j] = values[j - step];
      values[j] = value;
    }
  for (int64_t i = 1; i < rows; i++) distinct += values[i] > values[i - 1];
  return range / (double)distinct;
}

static sl_status choose_noise(preparation *p) {
  sl__prepared *out = p->out;
  if (p->options->dequantize == 0) return SL_OK;
  double *widths = sl__arena_take(&out->arena, (size_t)out->dim, sizeof *widths);
  double *values = sl__arena_take(&out->arena, (size_t)p->rows, sizeof *values);
  if (!widths || !values) return SL_NO_MEMORY;
  for (int32_t column = 0; column < out->dim; column++) {
    const sl__column_facts *facts = &p->facts[column];
    double least = p->options->dequantize > 0 ? 0 : least_tied;
    double width = facts->lattice;
    if (!(width > 0) && facts->tied > least) {
      for (int64_t row = 0; row < p->rows; row++) values[row] = p->x[row * out->dim + column];
      width = typical_gap(values, p->rows, facts->maximum - facts->minimum);
    }
    if (!(width > 0)) continue;
    char text[160], number[32], line[320];
    sl__format_real(number, width, SL_F32);
    snprintf(line, sizeof line, "%s %s %s: uniform noise that wide is added (dequantisation)",
             column_text(p, column, text),
             facts->lattice > 0 ? "is rounded to multiples of" : "has many ties, typical gap",
             number);
    add_note(out, line);
    widths[column] = width / out->sd[column];
    out->noise_width = widths;
  }
  return SL_OK;
}

/* ---- copies ---- */

/* rows of array (those that order names, or all) -> [rows][columns] of the fit's type,
 * standardised when mean is given. */
static sl_status copy(preparation *p, const sl_array_in *array, const int64_t *order, int64_t rows,
                      const double *mean, const double *sd, void **out) {
  *out = NULL;
  if (!array->data || rows == 0) return SL_OK;
  sl_dtype type = p->out->type;
  int64_t columns = array->columns;
  size_t size = type == SL_F32 ? sizeof(float) : sizeof(double);
  void *x = sl__arena_take(&p->out->arena, (size_t)rows, (size_t)columns * size);
  if (!x) return SL_NO_MEMORY;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t column = 0; column < columns; column++) {
      double value = at(array, order ? order[i] : i, column);
      if (mean) value = (value - mean[column]) / sd[column];
      store(type, x, i * columns + column, value);
    }
  *out = x;
  return SL_OK;
}

static sl_status copy_sets(preparation *p) {
  sl__prepared *out = p->out;
  const sl_fit_data *data = p->data;
  bool own_test = data->test_x.data == NULL, own_valid = data->valid_x.data == NULL;
  const int64_t *test = p->order, *valid = p->order + (own_test ? out->test_rows : 0);
  const int64_t *train = p->order + (p->rows - out->train_rows);

  SL__TRY(copy(p, &data->x, train, out->train_rows, out->mean, out->sd, &out->train_x));
  SL__TRY(copy(p, own_valid ? &data->x : &data->valid_x, own_valid ? valid : NULL, out->valid_rows,
               out->mean, out->sd, &out->valid_x));
  SL__TRY(copy(p, own_test ? &data->x : &data->test_x, own_test ? test : NULL, out->test_rows,
               out->mean, out->sd, &out->test_x));
  SL__TRY(copy(p, &data->condition, train, out->train_rows, out->condition_mean,
               out->condition_sd, &out->train_condition));
  SL__TRY(copy(p, own_valid ? &data->condition : &data->valid_condition, own_valid ? valid : NULL,
               out->valid_rows, out->condition_mean, out->condition_sd, &out->valid_condition));
  SL__TRY(copy(p, own_test ? &data->condition : &data->test_condition, own_test ? test : NULL,
               out->test_rows, out->condition_mean, out->condition_sd, &out->test_condition));
  SL__TRY(copy(p, &data->weight, train, out->train_rows, NULL, NULL, &out->train_weight));
  if (own_valid)
    SL__TRY(copy(p, &data->weight, valid, out->valid_rows, NULL, NULL, &out->valid_weight));
  if (own_test)
    SL__TRY(copy(p, &data->weight, test, out->test_rows, NULL, NULL, &out->test_weight));
  return SL_OK;
}

/* Looks at the columns, splits, and decides scales and noise. */
static sl_status decide(preparation *p) {
  int32_t dim = p->out->dim;
  for (int64_t row = 0; row < p->rows; row++)
    for (int32_t column = 0; column < dim; column++)
      p->x[row * dim + column] = at(&p->data->x, row, column);
  SL__TRY(sl__column_look(p->context, p->rows, dim, p->x, p->facts));
  SL__TRY(check_columns(p));
  SL__TRY(split(p));
  SL__TRY(measure(p));
  return choose_noise(p);
}

static sl_status prepare(preparation *p) {
  sl__prepared *out = p->out;
  out->mean = sl__arena_take(&out->arena, (size_t)out->dim, sizeof *out->mean);
  out->sd = sl__arena_take(&out->arena, (size_t)out->dim, sizeof *out->sd);
  out->condition_mean = sl__arena_take(&out->arena, (size_t)out->context_dim + 1, sizeof(double));
  out->condition_sd = sl__arena_take(&out->arena, (size_t)out->context_dim + 1, sizeof(double));
  p->facts = sl__arena_take(&out->arena, (size_t)out->dim, sizeof *p->facts);
  if (!out->mean || !out->sd || !out->condition_mean || !out->condition_sd || !p->facts)
    return SL_NO_MEMORY;
  if (p->as_is) {
    for (int32_t column = 0; column < out->dim; column++) out->sd[column] = 1;
    for (int32_t column = 0; column < out->context_dim; column++) out->condition_sd[column] = 1;
    SL__TRY(split(p));
    return copy_sets(p);
  }
  /* The looks at whole columns want plain doubles; they are given back before the fit starts. */
  p->x = sl__allocate(p->context, (size_t)p->rows, (size_t)out->dim * sizeof *p->x);
  if (!p->x) return SL_NO_MEMORY;
  sl_status status = decide(p);
  sl__free(&p->context->allocator, p->x);
  if (status == SL_OK) status = copy_sets(p);
  return status;
}

sl_status sl__prepare(sl_context *context, const sl_fit_data *data, const sl_fit_options *options,
                      bool as_is, sl__prepared *out) {
  *out = (sl__prepared){.type = options->precision == SL_F64 ? SL_F64 : SL_F32};
  SL__TRY(check_all(context, data));
  out->dim = (int32_t)data->x.columns;
  out->context_dim = data->condition.data ? (int32_t)data->condition.columns : 0;
  sl__arena_open(&out->arena, context);
  preparation p = {.context = context, .data = data, .options = options, .out = out,
                   .as_is = as_is, .rows = data->x.rows};
  sl_status status = prepare(&p);
  if (status != SL_OK) sl__prepared_close(out);
  return status;
}

void sl__prepared_close(sl__prepared *prepared) {
  sl__arena_close(&prepared->arena);
}
