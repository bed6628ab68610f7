/* Models to files: safetensors, so that other programs read the tensors, with everything else as
 * text in the metadata.
 *
 *   tensors   layers.N.NAME, one per parameter; context.shift and .scale if there is a context
 *   metadata  format_version; formula (canonical), base, dim, context_dim, dtype, seed, and the
 *             types of the columns: these make the flow's structure; columns: JSON
 *             [{"name": .., "type": .., "noise_width": ..}, ..], a real column without its type;
 *             context_columns: JSON ["..", ..]; training: JSON, when there is a record;
 *             target: JSON, when the flow was fitted to a density that can be named */
#include <string.h>
#include "flow/model_file.h"

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
static const char *const keys[] = {"format_version",  "formula",  "base",  "dim",
                                   "context_dim",     "dtype",    "seed",  "columns",
                                   "context_columns", "training", "target"};
enum { COLUMNS = 7, CONTEXT_COLUMNS, TRAINING, TARGET, ENTRIES };

static sl_status write_file(sl_context *context, const sl__model *model, const char *path,
                            sl__text text[ENTRIES], sl__tensor *tensors) {
  const sl__flow *flow = model->flow;
  int64_t count = 0;
  for (; count < flow->parameter_count; count++)
    tensors[count] = sl__parameter_tensor(flow, &flow->parameters[count], model->vector);
  if (flow->context_dim > 0) {
    tensors[count++] = sl__context_tensor(flow, "context.shift", model->context_shift);
    tensors[count++] = sl__context_tensor(flow, "context.scale", model->context_scale);
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
  if (model->target) sl__text_add_bytes(&text[TARGET], model->target, strlen(model->target));
  const char *given[ENTRIES], *values[ENTRIES];
  int64_t entries = 0;
  for (int i = 0; i < ENTRIES; i++) {
    if (text[i].failed) return SL_NO_MEMORY;
    if ((i == TRAINING && !model->training) || (i == TARGET && !model->target)) continue;
    given[entries] = keys[i];
    values[entries++] = text[i].data;
  }
  return sl__tensors_write(context, path, count, tensors, entries, given, values);
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
