/* From the caller's rows to what a fit can use: checked, split, mapped to the flow's features,
 * standardised, and with the width of the noise that each rounded column needs. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "infer/prepare.h"

/* Beyond so many standard deviations from zero float32 no longer resolves a column. */
static const double most_offset = 1e4;

double sl__element(const sl_array_in *array, int64_t row, int64_t column) {
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

void sl__prepared_note(sl__prepared *out, const char *line) {
  size_t used = strlen(out->notes);
  snprintf(out->notes + used, sizeof out->notes - used, "%s%s", used ? "\n" : "", line);
}

const char *sl__column_text(const sl_fit_data *data, int32_t column, char buffer[160]) {
  const char *const *names = data->column_names;
  if (names && names[column])
    snprintf(buffer, 160, "column %d \"%.100s\"", column + 1, names[column]);
  else
    snprintf(buffer, 160, "column %d", column + 1);
  return buffer;
}

/* ---- types ---- */

/* The types that data->columns declares. */
static sl_status read_types(sl__preparation *p, sl__column_type *types) {
  const sl_fit_data *data = p->data;
  const sl__schema_table table = {p->out->columns, data->column_names};
  if (!data->columns) return SL_OK;
  sl__schema_entry *entries = sl__arena_take(&p->out->arena, (size_t)table.count, sizeof *entries);
  if (!entries) return SL_NO_MEMORY;
  SL__TRY(sl__schema_read(p->context, &table, data->columns, SL__PART_DATA, entries));
  for (int64_t i = 0; i < table.count; i++) {
    types[i] = entries[i].type;
    if (entries[i].part > SL__PART_DATA)
      return sl__fail(p->context, SL_BAD_ARGUMENT,
                      "column %lld of x is data; give conditions and weights as arrays of their "
                      "own, and leave out what is to be skipped",
                      (long long)i + 1);
  }
  return SL_OK;
}

static sl_status know_columns(sl__preparation *p, const sl__model *model) {
  sl__prepared *out = p->out;
  const size_t count = (size_t)out->columns;
  sl__column_type *types = sl__arena_take(&out->arena, count, sizeof *types);
  out->map = sl__arena_take(&out->arena, 1, sizeof *out->map);
  if (!types || !out->map) return SL_NO_MEMORY;
  if (model && model->dim != out->columns)
    return sl__fail(p->context, SL_BAD_ARGUMENT, "x has %d columns; the flow wants %d",
                    out->columns, model->dim);
  if (model && p->data->columns)
    return sl__fail(p->context, SL_BAD_ARGUMENT,
                    "the flow knows its columns already; leave their types out");
  if (model)
    memcpy(types, model->map.type, count * sizeof *types);
  else
    SL__TRY(read_types(p, types));
  SL__TRY(sl__columns_new(p->context, &out->arena, out->columns, types, out->map));
  out->dim = out->map->features;
  if (!model && out->map->periodic == out->dim && (p->options->formula || p->options->base))
    return sl__fail(p->context, SL_BAD_ARGUMENT,
                    "all columns are periodic and have a flow of their own, circular splines on a "
                    "uniform density; leave --flow and --base out");
  return sl__check_support(p);
}

/* ---- split ---- */

static double fraction(const sl__preparation *p, double given) {
  return !isnan(given) ? given : p->as_is ? 0 : 0.1;
}

static sl_status split(sl__preparation *p) {
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

/* ---- scales ---- */

static double weight_at(const sl__preparation *p, int64_t row) {
  return p->data->weight.data ? sl__element(&p->data->weight, row, 0) : 1;
}

/* Mean and standard deviation of a column over the training rows, by their weights. */
static void measure_column(const sl__preparation *p, const sl_array_in *array, int64_t column,
                           double *mean, double *sd) {
  int64_t rows = p->out->train_rows;
  const int64_t *train = p->order + (p->rows - rows);
  double total = 0, sum = 0, squares = 0;
  for (int64_t i = 0; i < rows; i++) {
    const double weight = weight_at(p, train[i]);
    total += weight;
    sum += weight * sl__element(array, train[i], column);
  }
  *mean = sum / total;
  for (int64_t i = 0; i < rows; i++) {
    double d = sl__element(array, train[i], column) - *mean;
    squares += weight_at(p, train[i]) * d * d;
  }
  *sd = sqrt(squares / total);
}

/* float32 has 24 bits: a column far from zero needs more of them. */
static void choose_type(sl__preparation *p, int32_t feature) {
  sl__prepared *out = p->out;
  char text[160], line[256];
  const int32_t column = out->map->source[feature];
  const sl__column_type *type = &out->map->type[column];
  const sl__column_facts *facts = &p->facts[column];
  const bool ranged =
      type->support == SL__SUPPORT_INTERVAL || type->support == SL__SUPPORT_PERIODIC;
  const double size = fmax(fabs(facts->minimum), fabs(facts->maximum));
  if (p->options->precision >= 0 || out->type == SL_F64 ||
      !(fabs(out->mean[feature]) > most_offset * out->sd[feature] ||
        (ranged && size > most_offset * (type->high - type->low))))
    return;
  out->type = SL_F64;
  snprintf(line, sizeof line, "%s varies little around a large value: arithmetic is in float64",
           sl__column_text(p->data, column, text));
  sl__prepared_note(out, line);
}

/* Whether float32 takes a value for an end of its column's range, or for infinite. Spread values
 * are never scored at an end. */
static bool is_too_near(const sl__columns *map, int32_t column, double value) {
  static const double steps = 16;
  if (!isfinite((float)value)) return true;
  const sl__column_type *type = &map->type[column];
  if (type->width > 0 || type->support == SL__SUPPORT_REAL || type->support == SL__SUPPORT_PERIODIC)
    return false;
  const int32_t at = map->back[column];
  const double low = map->low[at], high = map->high[at];
  return value - low < fmax(steps * FLT_EPSILON * fabs(low), FLT_MIN) ||
         high - value < fmax(steps * FLT_EPSILON * fabs(high), FLT_MIN);
}

/* Values that fits accept must have a score. */
static void choose_type_by_ends(sl__preparation *p) {
  sl__prepared *out = p->out;
  for (int64_t row = 0; row < p->rows && p->options->precision < 0 && out->type == SL_F32; row++)
    for (int32_t column = 0; column < out->columns && out->type == SL_F32; column++) {
      if (!is_too_near(out->map, column, sl__element(&p->data->x, row, column))) continue;
      char text[160], line[256];
      out->type = SL_F64;
      snprintf(line, sizeof line,
               "%s comes nearer to an end of its range than float32 can tell: arithmetic is in "
               "float64",
               sl__column_text(p->data, column, text));
      sl__prepared_note(out, line);
    }
}

/* Data that span so many periods have no angle: it is lost in the rounding of their quotient. */
static sl_status check_turns(const sl__preparation *p, int32_t feature) {
  static const double most_turns = 1e6;
  const int32_t column = p->out->map->source[feature];
  const sl__column_type *type = &p->out->map->type[column];
  const sl__column_facts *facts = &p->facts[column];
  const double turns = (facts->maximum - facts->minimum) / (type->high - type->low);
  char text[160];
  if (turns <= most_turns) return SL_OK;
  return sl__fail(p->context, SL_BAD_ARGUMENT,
                  "%s spans %.3g periods of periodic(%.6g,%.6g); give the two ends of one turn",
                  sl__column_text(p->data, column, text), turns, type->low, type->high);
}

static sl_status measure(sl__preparation *p) {
  sl__prepared *out = p->out;
  for (int32_t column = 0; column < out->context_dim; column++) {
    double *sd = &out->condition_sd[column];
    measure_column(p, &p->data->condition, column, &out->condition_mean[column], sd);
    if (!(*sd > 0) || !isfinite(*sd)) *sd = 1; /* constant: says nothing, harms nothing */
  }
  for (int32_t k = 0; k < out->dim; k++) {
    if (k >= out->dim - out->map->periodic) { /* angles have their scale already */
      SL__TRY(check_turns(p, k));
      choose_type(p, k);
      continue;
    }
    measure_column(p, &p->features, k, &out->mean[k], &out->sd[k]);
    char text[160];
    if (!(out->sd[k] > 0) || !isfinite(out->sd[k]))
      return sl__fail(
          p->context, SL_BAD_ARGUMENT,
          "%s is constant in the training rows, or too small or too large to square; leave it out "
          "or rescale it",
          sl__column_text(p->data, out->map->source[k], text));
    out->log_scale += log(out->sd[k]);
    choose_type(p, k);
  }
  return SL_OK;
}

/* ---- copies ---- */

/* rows of array (those that order names, or all) -> [rows][columns] of the fit's type,
 * standardised when mean is given. */
static sl_status copy(sl__preparation *p, const sl_array_in *array, const int64_t *order,
                      int64_t rows, const double *mean, const double *sd, void **out) {
  *out = NULL;
  if (!array->data || rows == 0) return SL_OK;
  sl_dtype type = p->out->type;
  int64_t columns = array->columns;
  size_t size = type == SL_F32 ? sizeof(float) : sizeof(double);
  void *x = sl__arena_take(&p->out->arena, (size_t)rows, (size_t)columns * size);
  if (!x) return SL_NO_MEMORY;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t column = 0; column < columns; column++) {
      double value = sl__element(array, order ? order[i] : i, column);
      if (mean) value = (value - mean[column]) / sd[column];
      store(type, x, i * columns + column, value);
    }
  *out = x;
  return SL_OK;
}

/* Weights count by their ratios alone. The power of 2 in the largest is taken out of them, which
 * changes no digit: cross sections and the like may be too small or large for float32. */
static sl_status copy_weights(sl__preparation *p, const sl_array_in *weight, const int64_t *order,
                              int64_t rows, void **out) {
  const double none = 0;
  double most = 0;
  for (int64_t row = 0; row < weight->rows; row++) most = fmax(most, sl__element(weight, row, 0));
  const double unit = most > 0 ? ldexp(1, ilogb(most)) : 1;
  return copy(p, weight, order, rows, &none, &unit, out);
}

static sl_status copy_sets(sl__preparation *p) {
  sl__prepared *out = p->out;
  const sl_fit_data *data = p->data;
  bool own_test = data->test_x.data == NULL, own_valid = data->valid_x.data == NULL;
  const int64_t *test = p->order, *valid = p->order + (own_test ? out->test_rows : 0);
  const int64_t *train = p->order + (p->rows - out->train_rows);

  SL__TRY(copy(p, &p->features, train, out->train_rows, out->mean, out->sd, &out->train_x));
  SL__TRY(copy(p, own_valid ? &p->features : &p->valid_features, own_valid ? valid : NULL,
               out->valid_rows, out->mean, out->sd, &out->valid_x));
  SL__TRY(copy(p, own_test ? &p->features : &p->test_features, own_test ? test : NULL,
               out->test_rows, out->mean, out->sd, &out->test_x));
  SL__TRY(copy(p, &data->condition, train, out->train_rows, out->condition_mean, out->condition_sd,
               &out->train_condition));
  SL__TRY(copy(p, own_valid ? &data->condition : &data->valid_condition, own_valid ? valid : NULL,
               out->valid_rows, out->condition_mean, out->condition_sd, &out->valid_condition));
  SL__TRY(copy(p, own_test ? &data->condition : &data->test_condition, own_test ? test : NULL,
               out->test_rows, out->condition_mean, out->condition_sd, &out->test_condition));
  SL__TRY(copy_weights(p, &data->weight, train, out->train_rows, &out->train_weight));
  SL__TRY(copy_weights(p, own_valid ? &data->weight : &data->valid_weight, own_valid ? valid : NULL,
                       out->valid_rows, &out->valid_weight));
  return copy_weights(p, own_test ? &data->weight : &data->test_weight, own_test ? test : NULL,
                      out->test_rows, &out->test_weight);
}

/* Looks at the columns; that wants plain doubles, which are given back before the fit starts. */
static sl_status look(sl__preparation *p) {
  const int32_t columns = p->out->columns;
  p->x = sl__allocate(p->context, (size_t)p->rows, (size_t)columns * sizeof *p->x);
  if (!p->x) return SL_NO_MEMORY;
  for (int64_t row = 0; row < p->rows; row++)
    for (int32_t column = 0; column < columns; column++)
      p->x[row * columns + column] = sl__element(&p->data->x, row, column);
  sl_status status = sl__column_look(p->context, p->rows, columns, p->x, p->facts);
  if (status == SL_OK) status = sl__check_columns(p);
  if (status == SL_OK) status = sl__choose_noise(p);
  sl__free(&p->context->allocator, p->x);
  return status;
}

static sl_status prepare(sl__preparation *p, const sl__model *model) {
  sl__prepared *out = p->out;
  SL__TRY(know_columns(p, model));
  out->mean = sl__arena_take(&out->arena, (size_t)out->dim, sizeof *out->mean);
  out->sd = sl__arena_take(&out->arena, (size_t)out->dim, sizeof *out->sd);
  out->condition_mean = sl__arena_take(&out->arena, (size_t)out->context_dim + 1, sizeof(double));
  out->condition_sd = sl__arena_take(&out->arena, (size_t)out->context_dim + 1, sizeof(double));
  p->facts = sl__arena_take(&out->arena, (size_t)out->columns, sizeof *p->facts);
  if (!out->mean || !out->sd || !out->condition_mean || !out->condition_sd || !p->facts)
    return SL_NO_MEMORY;
  for (int32_t k = 0; k < out->dim; k++) out->sd[k] = 1;
  for (int32_t k = 0; k < out->context_dim; k++) {
    /* A flow that was fitted before sees conditions as it did then. */
    bool known = model && k < model->flow->context_dim;
    out->condition_mean[k] = known ? model->context_shift[k] : 0;
    out->condition_sd[k] = known ? model->context_scale[k] : 1;
  }
  SL__TRY(p->as_is ? sl__choose_noise(p) : look(p));
  SL__TRY(split(p));
  SL__TRY(sl__make_features(p));
  if (!p->as_is) {
    SL__TRY(measure(p));
    choose_type_by_ends(p);
  }
  SL__TRY(sl__finish_noise(p));
  return copy_sets(p);
}

sl_status sl__prepare(sl_context *context, const sl_fit_data *data, const sl_fit_options *options,
                      const sl__model *as_is, sl__prepared *out) {
  *out = (sl__prepared){.type = options->precision == SL_F64 ? SL_F64 : SL_F32};
  SL__TRY(sl__check_data(context, data));
  out->columns = (int32_t)data->x.columns;
  out->context_dim = data->condition.data ? (int32_t)data->condition.columns : 0;
  sl__arena_open(&out->arena, context);
  sl__preparation p = {.context = context,
                       .data = data,
                       .options = options,
                       .out = out,
                       .as_is = as_is != NULL,
                       .rows = data->x.rows};
  sl_status status = prepare(&p, as_is);
  if (status != SL_OK) sl__prepared_close(out);
  return status;
}

void sl__prepared_close(sl__prepared *prepared) {
  sl__arena_close(&prepared->arena);
}
