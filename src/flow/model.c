/* Models in memory: a flow with its numbers, standardisation and column names. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "flow/formula.h"
#include "flow/model.h"

/* ---- making ---- */

/* `formula`, canonical, with "-standardize" behind it unless that stands there already. Its base
 * density, if it begins with one, stays in front. */
static sl_status complete_formula(sl_context *context, sl__arena *arena, const char *formula,
                                  const char **out) {
  static const char last[] = "standardize";
  *out = last;
  if (formula[0] == '\0') return SL_OK;
  sl__formula parsed;
  SL__TRY(sl__formula_parse(context, arena, formula, &parsed));
  *out = formula;
  const sl__formula_item *item = parsed.first;
  while (item && item->next) item = item->next;
  if (item && strcmp(item->text, last) == 0 && item->count == 1) return SL_OK;
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

/* The types as texts. */
static sl_status print_types(sl_context *context, sl__model *model) {
  model->types = sl__arena_take(&model->arena, (size_t)model->dim, sizeof *model->types);
  if (!model->types) return SL_NO_MEMORY;
  for (int32_t i = 0; i < model->dim; i++) {
    sl__text text;
    sl__text_open(&text, context);
    sl__type_print(&model->map.type[i], &text);
    if (!text.failed) model->types[i] = sl__arena_text(&model->arena, text.data, text.length);
    sl__text_close(&text);
    if (!model->types[i]) return SL_NO_MEMORY;
  }
  return SL_OK;
}

static sl_status make_flow(sl_context *context, sl__model *model, sl__flow_plan *plan) {
  const char *complete = NULL;
  plan->dim = model->map.features;
  plan->periodic = model->map.periodic;
  /* The user's own text first: refusals then point into it. */
  SL__TRY(sl__flow_new(context, plan, &model->flow));
  SL__TRY(complete_formula(context, &model->arena, plan->formula, &complete));
  if (complete == plan->formula) return SL_OK;
  sl__flow_free(context, model->flow);
  plan->formula = complete;
  return sl__flow_new(context, plan, &model->flow);
}

sl_status sl__model_take_numbers(sl__model *model) {
  sl__arena *arena = &model->arena;
  const sl__flow *flow = model->flow;
  const size_t context_dim = (size_t)flow->context_dim;
  size_t size = flow->type == SL_F32 ? sizeof(float) : sizeof(double);
  model->vector = sl__arena_take(arena, (size_t)flow->size, size);
  model->columns = number_names(arena, model->dim, 'x');
  model->context_columns = number_names(arena, flow->context_dim, 'c');
  model->noise_width = sl__arena_take(arena, (size_t)model->dim, sizeof *model->noise_width);
  model->context_shift = sl__arena_take(arena, context_dim, sizeof *model->context_shift);
  model->context_scale = sl__arena_take(arena, context_dim, sizeof *model->context_scale);
  if (!model->vector || !model->columns || !model->context_columns || !model->noise_width ||
      !model->context_shift || !model->context_scale)
    return SL_NO_MEMORY;
  for (int32_t i = 0; i < flow->context_dim; i++) model->context_scale[i] = 1;
  return SL_OK;
}

static sl_status build(sl_context *context, sl__model *model, const sl__model_plan *plan) {
  sl__flow_plan flow = plan->flow;
  if (plan->dim < 1 || plan->dim > SL__MOST_COLUMNS)
    return sl__fail(context, SL_BAD_ARGUMENT, "a flow of %d features; there may be 1 to %d",
                    plan->dim, SL__MOST_COLUMNS);
  model->dim = plan->dim;
  SL__TRY(sl__columns_new(context, &model->arena, plan->dim, plan->types, &model->map));
  SL__TRY(print_types(context, model));
  return make_flow(context, model, &flow);
}

sl_status sl__model_build(sl_context *context, const sl__model_plan *plan, sl__model **out) {
  *out = NULL;
  sl__model *model = sl__allocate(context, 1, sizeof *model);
  if (!model) return SL_NO_MEMORY;
  sl__arena_open(&model->arena, context);
  sl_status status = build(context, model, plan);
  if (status == SL_OK)
    *out = model;
  else
    sl__model_free(context, model);
  return status;
}

sl_status sl__model_new_typed(sl_context *context, const char *formula, const char *base,
                              int32_t dim, const sl__column_type *types, int32_t context_dim,
                              sl_dtype type, uint64_t seed, sl__model **out) {
  const sl__model_plan plan = {.flow = {.formula = formula,
                                        .base = base,
                                        .context_dim = context_dim,
                                        .type = type,
                                        .seed = seed},
                               .dim = dim,
                               .types = types};
  SL__TRY(sl__model_build(context, &plan, out));
  sl_status status = sl__model_take_numbers(*out);
  if (status == SL_OK) {
    sl__flow_initialise((*out)->flow, (*out)->vector);
  } else {
    sl__model_free(context, *out);
    *out = NULL;
  }
  return status;
}

sl_status sl__model_new(sl_context *context, const char *formula, const char *base, int32_t dim,
                        int32_t context_dim, sl_dtype type, uint64_t seed, sl__model **out) {
  return sl__model_new_typed(context, formula, base, dim, NULL, context_dim, type, seed, out);
}

void sl__model_free(sl_context *context, sl__model *model) {
  if (!model) return;
  sl__flow_free(context, model->flow);
  sl__arena_close(&model->arena);
  sl__free(&context->allocator, model);
}

int sl__model_format_version(const sl__model *model) {
  for (int32_t i = 0; i < model->dim; i++)
    if (!sl__type_is_real(&model->map.type[i])) return SL__MODEL_FORMAT_VERSION;
  return 1;
}

/* ---- filling in ---- */

void sl__model_standardize(sl__model *model, const double *mean, const double *sd) {
  const sl__flow *flow = model->flow;
  if (flow->chain.count == 0) return; /* angles alone */
  const sl__layer *layer = &flow->chain.layers[flow->chain.count - 1];
  const sl__parameter *own = &flow->parameters[layer->first_parameter]; /* shift, then scale */
  for (int32_t k = 0; k < layer->dim; k++) {
    if (flow->type == SL_F32) {
      ((float *)model->vector)[own[0].offset + k] = (float)mean[k];
      ((float *)model->vector)[own[1].offset + k] = (float)sd[k];
    } else {
      ((double *)model->vector)[own[0].offset + k] = mean[k];
      ((double *)model->vector)[own[1].offset + k] = sd[k];
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
  SL__TRY(copy_names(&model->arena, model->dim, columns, model->columns));
  return copy_names(&model->arena, model->flow->context_dim, context_columns,
                    model->context_columns);
}

sl_status sl__model_set_training(sl__model *model, const char *json) {
  model->training = sl__arena_text(&model->arena, json, strlen(json));
  return model->training ? SL_OK : SL_NO_MEMORY;
}

sl_status sl__model_set_target(sl__model *model, const char *json) {
  model->target = json ? sl__arena_text(&model->arena, json, strlen(json)) : NULL;
  return model->target || !json ? SL_OK : SL_NO_MEMORY;
}

/* ---- graphs ---- */

sl_node sl__model_context(const sl__model *model, sl__graph *g, sl_node context_value) {
  int32_t count = model->flow->context_dim;
  if (count == 0) return 0;
  sl_node shift = op_constant(g, model->flow->type, sl__shape1(count), model->context_shift);
  sl_node scale = op_constant(g, model->flow->type, sl__shape1(count), model->context_scale);
  return op_divide(g, op_subtract(g, context_value, shift), scale);
}

/* Far out numbers overflow on the way, and infinity - infinity is NaN, where the density is only
 * too small for any number: then it is 0, its logarithm -infinity. A row that holds no number keeps
 * its NaN. */
static sl_node without_overflow(sl__graph *g, sl_node x, sl_node context_value, sl_node log_prob) {
  sl_node least = op_number(g, sl__node_type(g, log_prob), -INFINITY);
  sl_node sound = op_select(g, op_equal(g, log_prob, log_prob), log_prob, least);
  sound = op_add(g, sound, sl__row_mark(g, x));
  return context_value ? op_add(g, sound, sl__row_mark(g, context_value)) : sound;
}

sl_node sl__model_log_prob(const sl__model *model, sl__graph *g, sl_node x, sl_node context_value) {
  sl__mapped mapped = sl__columns_to_features(&model->map, g, x);
  sl_node seen = sl__model_context(model, g, context_value);
  sl_node log_prob = sl__flow_log_prob(model->flow, g, mapped.value, seen);
  if (model->map.mapped) log_prob = op_add(g, log_prob, mapped.log_det);
  return without_overflow(g, x, context_value, log_prob);
}

sl__mapped sl__model_sample(const sl__model *model, sl__graph *g, sl_node context_value) {
  sl_node seen = sl__model_context(model, g, context_value);
  sl__mapped drawn = sl__flow_sample(model->flow, g, seen);
  if (!model->map.mapped) return drawn;
  sl__mapped mapped = sl__columns_to_data(&model->map, g, drawn.value);
  return (sl__mapped){mapped.value, op_subtract(g, drawn.log_det, mapped.log_det)};
}

sl__mapped sl__model_to_data(const sl__model *model, sl__graph *g, sl_node z,
                             sl_node context_value) {
  sl_node seen = sl__model_context(model, g, context_value);
  sl__mapped inner = sl__flow_map_sample(model->flow, g, z, seen, 0, model->flow->chain.count);
  sl__mapped outer = sl__columns_to_data(&model->map, g, inner.value);
  return (sl__mapped){outer.value, op_add(g, inner.log_det, outer.log_det)};
}

sl__mapped sl__model_to_base(const sl__model *model, sl__graph *g, sl_node x,
                             sl_node context_value) {
  sl_node seen = sl__model_context(model, g, context_value);
  sl__mapped outer = sl__columns_to_features(&model->map, g, x);
  sl__mapped inner =
      sl__flow_map_log_prob(model->flow, g, outer.value, seen, 0, model->flow->chain.count);
  return (sl__mapped){inner.value, op_add(g, inner.log_det, outer.log_det)};
}
