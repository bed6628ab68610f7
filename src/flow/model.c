/* Models in memory: a flow with its numbers, standardisation and column names. */
#include <stdio.h>
#include <string.h>
#include "flow/formula.h"
#include "flow/model.h"

/* ---- making ---- */

/* `formula`, canonical, with "-standardize" behind it unless that stands there already. */
static sl_status complete_formula(sl_context *context, sl__arena *arena, const char *formula,
                                  const char **out) {
  static const char last[] = "standardize";
  sl__formula parsed;
  SL__TRY(sl__formula_parse(context, arena, formula, &parsed));
  *out = formula;
  const sl__formula_item *item = parsed.first;
  while (item->next) item = item->next;
  if (strcmp(item->text, last) == 0 && item->count == 1) return SL_OK;
  sl__text text;
  sl__text_open(&text, context);
  sl__text_add_bytes(&text, parsed.text, strlen(parsed.text));
  sl__text_add(&text, "-%s", last);
  *out = text.failed ? NULL : sl__arena_text(arena, text.data, text.length);
  sl__text_close(&text);
  return *out ? SL_OK : SL_NO_MEMORY;
}

/* "x1", "x2", ... */
static const char **number_names(sl__arena *arena, int32_t count, char letter) {
  const char **names = sl__arena_take(arena, (size_t)count, sizeof *names);
  for (int32_t i = 0; names && i < count; i++) {
    char name[16];
    int length = snprintf(name, sizeof name, "%c%d", letter, i + 1);
    names[i] = sl__arena_text(arena, name, (size_t)length);
    if (!names[i]) return NULL;
  }
  return names;
}

static sl_status fill_model(sl_context *context, sl__model *model, const char *formula,
                            const char *base, int32_t dim, int32_t context_dim, sl_dtype type,
                            uint64_t seed) {
  const char *complete = NULL;
  /* The user's own text first: refusals then point into it. */
  SL__TRY(sl__flow_new(context,
                       &(sl__flow_plan){.formula = formula,
                                        .base = base,
                                        .dim = dim,
                                        .context_dim = context_dim,
                                        .type = type,
                                        .seed = seed},
                       &model->flow));
  SL__TRY(complete_formula(context, &model->arena, formula, &complete));
  if (complete != formula) {
    sl__flow_free(context, model->flow);
    SL__TRY(sl__flow_new(context,
                         &(sl__flow_plan){.formula = complete,
                                          .base = base,
                                          .dim = dim,
                                          .context_dim = context_dim,
                                          .type = type,
                                          .seed = seed},
                         &model->flow));
  }
  sl__arena *arena = &model->arena;
  size_t size = type == SL_F32 ? sizeof(float) : sizeof(double);
  model->vector = sl__arena_take(arena, (size_t)model->flow->size, size);
  model->columns = number_names(arena, dim, 'x');
  model->context_columns = number_names(arena, context_dim, 'c');
  model->noise_width = sl__arena_take(arena, (size_t)dim, sizeof *model->noise_width);
  model->context_shift = sl__arena_take(arena, (size_t)context_dim, sizeof *model->context_shift);
  model->context_scale = sl__arena_take(arena, (size_t)context_dim, sizeof *model->context_scale);
  if (!model->vector || !model->columns || !model->context_columns || !model->noise_width ||
      !model->context_shift || !model->context_scale)
    return SL_NO_MEMORY;
  for (int32_t i = 0; i < context_dim; i++) model->context_scale[i] = 1;
  sl__flow_initialise(model->flow, model->vector);
  return SL_OK;
}

sl_status sl__model_new(sl_context *context, const char *formula, const char *base, int32_t dim,
                        int32_t context_dim, sl_dtype type, uint64_t seed, sl__model **out) {
  *out = NULL;
  sl__model *model = sl__allocate(context, 1, sizeof *model);
  if (!model) return SL_NO_MEMORY;
  sl__arena_open(&model->arena, context);
  sl_status status = fill_model(context, model, formula, base, dim, context_dim, type, seed);
  if (status != SL_OK) {
    sl__model_free(context, model);
    return status;
  }
  *out = model;
  return SL_OK;
}

void sl__model_free(sl_context *context, sl__model *model) {
  if (!model) return;
  sl__flow_free(context, model->flow);
  sl__arena_close(&model->arena);
  sl__free(&context->allocator, model);
}

/* ---- filling in ---- */

void sl__model_standardize(sl__model *model, const double *mean, const double *sd) {
  /* The last layer declared the last two parameters: shift, then scale. */
  const sl__flow *flow = model->flow;
  const sl__parameter *last = &flow->parameters[flow->parameter_count - 2];
  for (int32_t k = 0; k < flow->dim; k++) {
    if (flow->type == SL_F32) {
      ((float *)model->vector)[last[0].offset + k] = (float)mean[k];
      ((float *)model->vector)[last[1].offset + k] = (float)sd[k];
    } else {
      ((double *)model->vector)[last[0].offset + k] = mean[k];
      ((double *)model->vector)[last[1].offset + k] = sd[k];
    }
  }
}

static sl_status copy_names(sl__arena *arena, int32_t count, const char *const *from,
                            const char **to) {
  for (int32_t i = 0; from && i < count; i++) {
    const char *copy = sl__arena_text(arena, from[i], strlen(from[i]));
    if (!copy) return SL_NO_MEMORY;
    to[i] = copy;
  }
  return SL_OK;
}

sl_status sl__model_name_columns(sl__model *model, const char *const *columns,
                                 const char *const *context_columns) {
  SL__TRY(copy_names(&model->arena, model->flow->dim, columns, model->columns));
  return copy_names(&model->arena, model->flow->context_dim, context_columns,
                    model->context_columns);
}

sl_status sl__model_set_training(sl__model *model, const char *json) {
  model->training = sl__arena_text(&model->arena, json, strlen(json));
  return model->training ? SL_OK : SL_NO_MEMORY;
}

/* ---- graphs ---- */

sl_node sl__model_context(const sl__model *model, sl__graph *g, sl_node context_value) {
  int32_t count = model->flow->context_dim;
  if (count == 0) return 0;
  sl_node shift = op_constant(g, model->flow->type, sl__shape1(count), model->context_shift);
  sl_node scale = op_constant(g, model->flow->type, sl__shape1(count), model->context_scale);
  return op_divide(g, op_subtract(g, context_value, shift), scale);
}

sl_node sl__model_log_prob(const sl__model *model, sl__graph *g, sl_node x, sl_node context_value) {
  return sl__flow_log_prob(model->flow, g, x, sl__model_context(model, g, context_value));
}

sl__mapped sl__model_sample(const sl__model *model, sl__graph *g, sl_node context_value) {
  return sl__flow_sample(model->flow, g, sl__model_context(model, g, context_value));
}
