/* Models from files (model_write.c has the format). A file is not trusted: every piece must be
 * there, have the right shape, and be finite; and no more memory is taken than a small multiple of
 * the file's size, whatever its formula says. So the structure comes first, and is given up when it
 * has many more numbers than the file has; then the tensors are compared with it; and only then
 * memory for the numbers is taken. */
#include <math.h>
#include <string.h>
#include "flow/model_file.h"

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

/* The list "context_columns" of context_dim texts, in the arena. */
static sl_status need_context_columns(sl_context *context, sl__arena *arena,
                                      const sl__tensor_file *file, int64_t context_dim,
                                      const sl__json_value **first) {
  const char *text = NULL;
  sl__json_value *list = NULL;
  SL__TRY(need(context, file, "context_columns", &text));
  SL__TRY(sl__json_parse(context, arena, text, strlen(text), &list));
  if (list->kind != SL__JSON_ARRAY || list->count != context_dim)
    return refuse_columns(context, "context_columns");
  for (const sl__json_value *item = list->child; item; item = item->next)
    if (item->kind != SL__JSON_TEXT) return refuse_columns(context, "context_columns");
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

/* A structure with so many numbers more than the file is still compared with it tensor by tensor,
 * which tells what is missing. */
enum { SPARE_NUMBERS = 100000 };

static int64_t count_numbers(const sl__tensor_file *file) {
  int64_t total = 0;
  for (int64_t i = 0; i < file->tensors; i++) total += file->tensor[i].count;
  return total;
}

static sl_status make_typed_flow(sl_context *context, sl__arena *arena, const sl__tensor_file *file,
                                 sl__model **out) {
  int64_t dim = 0, context_dim = 0;
  uint64_t seed = 0;
  const char *formula = NULL, *base = NULL, *dtype = NULL;
  sl__column_type *types = NULL;
  const sl__json_value *ignored = NULL;
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
  SL__TRY(need_context_columns(context, arena, file, context_dim, &ignored));
  const sl__model_plan plan = {.flow = {.formula = formula,
                                        .base = base,
                                        .context_dim = (int32_t)context_dim,
                                        .type = single ? SL_F32 : SL_F64,
                                        .seed = seed,
                                        .most_numbers = count_numbers(file) + SPARE_NUMBERS},
                               .dim = (int32_t)dim,
                               .types = types};
  sl_status status = sl__model_build(context, &plan, out);
  return status == SL_OK
             ? SL_OK
             : sl__fail_prefix(context, "formula in the model, whose file holds %lld numbers",
                               (long long)count_numbers(file));
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

/* All tensors that the structure needs, before there is memory for them. */
static sl_status check_tensors(sl_context *context, const sl__tensor_file *file,
                               const sl__flow *flow) {
  const void *data = NULL;
  for (int i = 0; i < flow->parameter_count; i++) {
    const sl__parameter *p = &flow->parameters[i];
    const sl__tensor want = sl__parameter_tensor(flow, p, NULL);
    SL__TRY(need_tensor(context, file, &want, &data));
    SL__TRY(check_mask(context, p, data, flow->type));
  }
  if (flow->context_dim == 0) return SL_OK;
  sl__tensor want = sl__context_tensor(flow, "context.shift", NULL);
  SL__TRY(need_tensor(context, file, &want, &data));
  want.name = "context.scale";
  return need_tensor(context, file, &want, &data);
}

static void copy_tensors(const sl__tensor_file *file, sl__model *model) {
  const sl__flow *flow = model->flow;
  const size_t size = sl__number_size(flow->type);
  const size_t context_size = (size_t)flow->context_dim * sizeof(double);
  for (int i = 0; i < flow->parameter_count; i++) {
    const sl__parameter *p = &flow->parameters[i];
    memcpy((char *)model->vector + (size_t)p->offset * size, sl__tensors_find(file, p->name)->data,
           (size_t)sl__shape_count(p->shape) * size);
  }
  if (flow->context_dim == 0) return;
  memcpy(model->context_shift, sl__tensors_find(file, "context.shift")->data, context_size);
  memcpy(model->context_scale, sl__tensors_find(file, "context.scale")->data, context_size);
}

static sl_status read_columns(sl_context *context, const sl__tensor_file *file, sl__model *model) {
  const sl__json_value *column = NULL, *item = NULL;
  SL__TRY(need_columns(context, &model->arena, file, model->dim, &column));
  for (int32_t k = 0; column; column = column->next, k++) {
    const sl__json_value *name = sl__json_member(column, "name");
    const sl__json_value *width = sl__json_member(column, "noise_width");
    if (!name || name->kind != SL__JSON_TEXT) return refuse_columns(context, "columns");
    model->columns[k] = name->text;
    if (width && width->kind == SL__JSON_NUMBER) model->noise_width[k] = width->number;
  }
  SL__TRY(need_context_columns(context, &model->arena, file, model->flow->context_dim, &item));
  for (int32_t k = 0; item; item = item->next, k++) model->context_columns[k] = item->text;
  return SL_OK;
}

static sl_status fill(sl_context *context, const sl__tensor_file *file, sl__model *model) {
  SL__TRY(check_tensors(context, file, model->flow));
  SL__TRY(sl__model_take_numbers(model));
  copy_tensors(file, model);
  SL__TRY(read_columns(context, file, model));
  const char *training = sl__tensors_meta(file, "training");
  if (training) SL__TRY(sl__model_set_training(model, training));
  return sl__model_set_target(model, sl__tensors_meta(file, "target"));
}

static sl_status read_model(sl_context *context, const sl__tensor_file *file, sl__model **out) {
  sl__model *model = NULL;
  SL__TRY(make_flow(context, file, &model));
  sl_status status = fill(context, file, model);
  if (status == SL_OK)
    *out = model;
  else
    sl__model_free(context, model);
  return status;
}

sl_status sl__model_load(sl_context *context, const char *path, sl__model **out) {
  *out = NULL;
  sl__tensor_file file;
  SL__TRY(sl__tensors_read(context, path, &file));
  sl_status status = read_model(context, &file, out);
  sl__tensors_close(&file);
  return status == SL_OK ? SL_OK : sl__fail_prefix(context, "%.200s", path);
}
