/* Models in files: safetensors, so that other programs read the tensors, with everything else as
 * text in the metadata.
 *
 *   tensors   layers.N.NAME, one per parameter; context.shift and .scale if there is a context
 *   metadata  format_version; formula (canonical), base, dim, context_dim, dtype, seed, and the
 *             types of the columns: these make the flow's structure; columns: JSON
 *             [{"name": .., "type": .., "noise_width": ..}, ..], a real column without its type;
 *             context_columns: JSON ["..", ..]; training: JSON, when there is a record
 *
 * A file is not trusted: every piece must be there, have the right shape, and be finite. */
#include <math.h>
#include <string.h>
#include "flow/model.h"
#include "io/io.h"

static size_t size_of(sl_dtype type) {
  return type == SL_F32 ? sizeof(float) : sizeof(double);
}

/* ---- writing ---- */

static sl__tensor tensor_of(const sl__flow *flow, const sl__parameter *p, const void *vector) {
  sl__tensor tensor = {.name = p->name,
                       .type = flow->type,
                       .dims = p->shape.dims,
                       .data = (const char *)vector + (size_t)p->offset * size_of(flow->type),
                       .count = sl__shape_count(p->shape)};
  for (int i = 0; i < p->shape.dims; i++) tensor.shape[i] = p->shape.size[i];
  return tensor;
}

static void write_columns(const sl__model *model, sl__text *columns, sl__text *context_columns) {
  sl__json json = {.text = columns};
  sl__json_open_array(&json, NULL);
  for (int32_t k = 0; k < model->dim; k++) {
    sl__json_open_object(&json, NULL);
    sl__json_text(&json, "name", model->columns[k]);
    if (!sl__type_is_real(&model->map.type[k])) sl__json_text(&json, "type", model->types[k]);
    sl__json_real(&json, "noise_width", model->noise_width[k]);
    sl__json_close_object(&json);
  }
  sl__json_close_array(&json);
  sl__json other = {.text = context_columns};
  sl__json_open_array(&other, NULL);
  for (int32_t k = 0; k < model->flow->context_dim; k++)
    sl__json_text(&other, NULL, model->context_columns[k]);
  sl__json_close_array(&other);
}

/* Texts of the metadata in the order of these keys. */
static const char *const keys[] = {"format_version",  "formula", "base", "dim",
                                   "context_dim",     "dtype",   "seed", "columns",
                                   "context_columns", "training"};
enum { COLUMNS = 7, CONTEXT_COLUMNS, TRAINING, ENTRIES };

static sl_status write_file(sl_context *context, const sl__model *model, const char *path,
                            sl__text text[ENTRIES], sl__tensor *tensors) {
  const sl__flow *flow = model->flow;
  int64_t count = 0;
  for (; count < flow->parameter_count; count++)
    tensors[count] = tensor_of(flow, &flow->parameters[count], model->vector);
  sl__tensor extra = {
      .type = SL_F64, .dims = 1, .shape = {flow->context_dim}, .count = flow->context_dim};
  if (flow->context_dim > 0) {
    extra.name = "context.shift";
    extra.data = model->context_shift;
    tensors[count++] = extra;
    extra.name = "context.scale";
    extra.data = model->context_scale;
    tensors[count++] = extra;
  }
  sl__text_add(&text[0], "%d", sl__model_format_version(model));
  sl__text_add_bytes(&text[1], flow->formula, strlen(flow->formula));
  sl__text_add(&text[2], "%s", flow->base_formula);
  sl__text_add(&text[3], "%d", model->dim);
  sl__text_add(&text[4], "%d", flow->context_dim);
  sl__text_add(&text[5], "%s", flow->type == SL_F32 ? "f32" : "f64");
  sl__text_add(&text[6], "%llu", (unsigned long long)flow->seed);
  write_columns(model, &text[COLUMNS], &text[CONTEXT_COLUMNS]);
  if (model->training)
    sl__text_add_bytes(&text[TRAINING], model->training, strlen(model->training));
  const char *values[ENTRIES];
  for (int i = 0; i < ENTRIES; i++) {
    if (text[i].failed) return SL_NO_MEMORY;
    values[i] = text[i].data;
  }
  int64_t entries = model->training ? ENTRIES : ENTRIES - 1;
  return sl__tensors_write(context, path, count, tensors, entries, keys, values);
}

sl_status sl__model_save(sl_context *context, const sl__model *model, const char *path) {
  size_t tensors = (size_t)model->flow->parameter_count + 2;
  sl__tensor *tensor = sl__allocate(context, tensors, sizeof *tensor);
  if (!tensor) return SL_NO_MEMORY;
  sl__text text[ENTRIES];
  for (int i = 0; i < ENTRIES; i++) sl__text_open(&text[i], context);
  sl_status status = write_file(context, model, path, text, tensor);
  for (int i = 0; i < ENTRIES; i++) sl__text_close(&text[i]);
  sl__free(&context->allocator, tensor);
  return status;
}

/* ---- reading ---- */

/* The value of a key that must be there. */
static sl_status need(sl_context *context, const sl__tensor_file *file, const char *key,
                      const char **out) {
  *out = sl__tensors_meta(file, key);
  if (*out) return SL_OK;
  return sl__fail(context, SL_FORMAT, "the file has no '%s' in its metadata; it is no sluice model",
                  key);
}

static sl_status need_integer(sl_context *context, const sl__tensor_file *file, const char *key,
                              int64_t low, int64_t high, int64_t *out) {
  const char *text = NULL;
  SL__TRY(need(context, file, key, &text));
  const char *end = text + strlen(text);
  if (sl__parse_integer(text, end, out) == end && *out >= low && *out <= high) return SL_OK;
  return sl__fail(context, SL_FORMAT, "'%s' is %.40s in the metadata; it must be from %lld to %lld",
                  key, text, (long long)low, (long long)high);
}

static sl_status check_version(sl_context *context, const sl__tensor_file *file) {
  int64_t version = 0;
  SL__TRY(need_integer(context, file, "format_version", 1, INT32_MAX, &version));
  if (version <= SL__MODEL_FORMAT_VERSION) return SL_OK;
  return sl__fail(
      context, SL_UNSUPPORTED,
      "the model has format version %lld, this sluice reads up to %d; use a newer sluice",
      (long long)version, SL__MODEL_FORMAT_VERSION);
}

/* Seeds go up to 2^64 - 1, beyond sl__parse_integer. */
static sl_status need_seed(sl_context *context, const sl__tensor_file *file, uint64_t *out) {
  const char *text = NULL;
  SL__TRY(need(context, file, "seed", &text));
  *out = 0;
  bool good = *text != 0;
  for (const char *at = text; *at && good; at++) {
    uint64_t digit = (uint64_t)(*at - '0');
    good = digit <= 9 && *out <= (UINT64_MAX - digit) / 10;
    *out = 10 * *out + digit;
  }
  if (good) return SL_OK;
  return sl__fail(context, SL_FORMAT, "'seed' is %.40s in the metadata; it must be a whole number",
                  text);
}

static sl_status refuse_columns(sl_context *context, const char *key) {
  return sl__fail(context, SL_FORMAT,
                  "'%s' in the metadata does not name each column once; the file was edited", key);
}

/* The list "columns" of dim objects, in the arena. */
static sl_status need_columns(sl_context *context, sl__arena *arena, const sl__tensor_file *file,
                              int64_t dim, const sl__json_value **first) {
  const char *text = NULL;
  sl__json_value *list = NULL;
  SL__TRY(need(context, file, "columns", &text));
  SL__TRY(sl__json_parse(context, arena, text, strlen(text), &list));
  if (list->kind != SL__JSON_ARRAY || list->count != dim) return refuse_columns(context, "columns");
  for (const sl__json_value *item = list->child; item; item = item->next)
    if (item->kind != SL__JSON_OBJECT) return refuse_columns(context, "columns");
  *first = list->child;
  return SL_OK;
}

/* types [dim] */
static sl_status read_types(sl_context *context, sl__arena *arena, const sl__tensor_file *file,
                            int64_t dim, sl__column_type **types) {
  const sl__json_value *item = NULL;
  SL__TRY(need_columns(context, arena, file, dim, &item));
  *types = sl__arena_take(arena, (size_t)dim, sizeof **types);
  if (!*types) return SL_NO_MEMORY;
  for (int64_t k = 0; item; item = item->next, k++) {
    const sl__json_value *type = sl__json_member(item, "type");
    if (!type) continue;
    if (type->kind == SL__JSON_TEXT && sl__type_read(context, type->text, &(*types)[k]) == SL_OK)
      continue;
    return sl__fail(context, SL_FORMAT,
                    "the type of column %lld in the metadata is none; the file was edited",
                    (long long)k + 1);
  }
  return SL_OK;
}

static sl_status make_typed_flow(sl_context *context, sl__arena *arena, const sl__tensor_file *file,
                                 sl__model **out) {
  int64_t dim = 0, context_dim = 0;
  uint64_t seed = 0;
  const char *formula = NULL, *base = NULL, *dtype = NULL;
  sl__column_type *types = NULL;
  SL__TRY(check_version(context, file));
  SL__TRY(need(context, file, "formula", &formula));
  SL__TRY(need(context, file, "base", &base));
  SL__TRY(need(context, file, "dtype", &dtype));
  SL__TRY(need_integer(context, file, "dim", 1, SL__MOST_COLUMNS, &dim));
  SL__TRY(need_integer(context, file, "context_dim", 0, INT32_MAX, &context_dim));
  SL__TRY(need_seed(context, file, &seed));
  bool single = strcmp(dtype, "f32") == 0;
  if (!single && strcmp(dtype, "f64") != 0)
    return sl__fail(context, SL_FORMAT, "'dtype' is %.40s in the metadata; it must be f32 or f64",
                    dtype);
  SL__TRY(read_types(context, arena, file, dim, &types));
  sl_status status = sl__model_new_typed(context, formula, base, (int32_t)dim, types,
                                         (int32_t)context_dim, single ? SL_F32 : SL_F64, seed, out);
  return status == SL_OK ? SL_OK : sl__fail_prefix(context, "formula in the model");
}

static sl_status make_flow(sl_context *context, const sl__tensor_file *file, sl__model **out) {
  sl__arena arena; /* of the parsed types */
  sl__arena_open(&arena, context);
  sl_status status = make_typed_flow(context, &arena, file, out);
  sl__arena_close(&arena);
  return status;
}

static double number_at(const void *data, sl_dtype type, int64_t i) {
  return type == SL_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

/* The tensor `want` describes, checked against it and for non-finite numbers. */
static sl_status need_tensor(sl_context *context, const sl__tensor_file *file,
                             const sl__tensor *want, const void **data) {
  const sl__tensor *have = sl__tensors_find(file, want->name);
  if (!have)
    return sl__fail(context, SL_FORMAT, "tensor '%s' is missing; the file is incomplete",
                    want->name);
  bool same = have->dims == want->dims && !have->is_int64 && have->type == want->type;
  for (int i = 0; i < want->dims && same; i++) same = have->shape[i] == want->shape[i];
  if (!same)
    return sl__fail(
        context, SL_FORMAT,
        "tensor '%s' has not the shape or element type that the formula needs; the file "
        "is damaged or was edited",
        want->name);
  for (int64_t i = 0; i < want->count; i++)
    if (!isfinite(number_at(have->data, have->type, i)))
      return sl__fail(context, SL_NUMERIC,
                      "tensor '%s' holds a NaN or an infinity; fit the model anew", want->name);
  *data = have->data;
  return SL_OK;
}

/* Zeros that a mask demands: programs do not compute them, so others there would be silently
 * ignored. */
static sl_status check_mask(sl_context *context, const sl__parameter *p, const void *data,
                            sl_dtype type) {
  for (int32_t row = 0; p->extent && row < p->shape.size[0]; row++)
    for (int32_t column = p->extent[row]; column < p->shape.size[1]; column++)
      if (number_at(data, type, (int64_t)row * p->shape.size[1] + column) != 0)
        return sl__fail(context, SL_FORMAT,
                        "tensor '%s' is not 0 at [%d, %d], where its mask is; the file was edited",
                        p->name, row, column);
  return SL_OK;
}

static sl_status read_tensors(sl_context *context, const sl__tensor_file *file, sl__model *model) {
  const sl__flow *flow = model->flow;
  const void *data = NULL;
  for (int i = 0; i < flow->parameter_count; i++) {
    const sl__parameter *p = &flow->parameters[i];
    sl__tensor want = tensor_of(flow, p, model->vector);
    SL__TRY(need_tensor(context, file, &want, &data));
    SL__TRY(check_mask(context, p, data, flow->type));
    size_t size = size_of(flow->type);
    memcpy((char *)model->vector + (size_t)p->offset * size, data, (size_t)want.count * size);
  }
  if (flow->context_dim == 0) return SL_OK;
  sl__tensor want = {.name = "context.shift",
                     .type = SL_F64,
                     .dims = 1,
                     .shape = {flow->context_dim},
                     .count = flow->context_dim};
  SL__TRY(need_tensor(context, file, &want, &data));
  memcpy(model->context_shift, data, (size_t)want.count * sizeof(double));
  want.name = "context.scale";
  SL__TRY(need_tensor(context, file, &want, &data));
  memcpy(model->context_scale, data, (size_t)want.count * sizeof(double));
  return SL_OK;
}

static sl_status read_columns(sl_context *context, const sl__tensor_file *file, sl__model *model) {
  const char *text = NULL;
  sl__json_value *list = NULL;
  const sl__json_value *column = NULL;
  SL__TRY(need_columns(context, &model->arena, file, model->dim, &column));
  for (int32_t k = 0; column; column = column->next, k++) {
    const sl__json_value *name = sl__json_member(column, "name");
    const sl__json_value *width = sl__json_member(column, "noise_width");
    if (!name || name->kind != SL__JSON_TEXT) return refuse_columns(context, "columns");
    model->columns[k] = name->text;
    if (width && width->kind == SL__JSON_NUMBER) model->noise_width[k] = width->number;
  }
  SL__TRY(need(context, file, "context_columns", &text));
  SL__TRY(sl__json_parse(context, &model->arena, text, strlen(text), &list));
  if (list->kind != SL__JSON_ARRAY || list->count != model->flow->context_dim)
    return refuse_columns(context, "context_columns");
  int32_t k = 0;
  for (const sl__json_value *item = list->child; item; item = item->next, k++) {
    if (item->kind != SL__JSON_TEXT) return refuse_columns(context, "context_columns");
    model->context_columns[k] = item->text;
  }
  return SL_OK;
}

static sl_status read_model(sl_context *context, const sl__tensor_file *file, sl__model **out) {
  sl__model *model = NULL;
  SL__TRY(make_flow(context, file, &model));
  sl_status status = read_tensors(context, file, model);
  if (status == SL_OK) status = read_columns(context, file, model);
  const char *training = sl__tensors_meta(file, "training");
  if (status == SL_OK && training) status = sl__model_set_training(model, training);
  if (status != SL_OK) {
    sl__model_free(context, model);
    return status;
  }
  *out = model;
  return SL_OK;
}

sl_status sl__model_load(sl_context *context, const char *path, sl__model **out) {
  *out = NULL;
  sl__tensor_file file;
  SL__TRY(sl__tensors_read(context, path, &file));
  sl_status status = read_model(context, &file, out);
  sl__tensors_close(&file);
  return status == SL_OK ? SL_OK : sl__fail_prefix(context, "%.200s", path);
}
