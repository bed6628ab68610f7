/* Flows: a chain of layers made from a formula, its starting values, and its graphs. */
#include "dist/base.h"
#include "flow/formula.h"

/* Far beyond any use: they keep a hostile formula or file from asking for the machine's memory. */
#define MOST_FEATURES              (1 << 20)
#define MOST_FEATURES_TIMES_LAYERS 100000000
#define MOST_PARAMETERS            INT32_MAX

/* Appends the layers of a chain, expanded; *at is the next free one. */
static void expand(sl__flow *flow, const sl__formula_item *first, sl__layer **at) {
  for (const sl__formula_item *item = first; item; item = item->next) {
    for (int64_t copy = 0; copy < item->count; copy++) {
      if (item->child) {
        expand(flow, item->child, at);
        continue;
      }
      *(*at)++ = (sl__layer){.kind = item->kind,
                             .flow = flow,
                             .dim = flow->dim,
                             .context_dim = flow->context_dim,
                             .type = flow->type,
                             .arguments = item->arguments,
                             .seed = flow->seed,
                             .text = item->text};
    }
  }
}

/* Finds where the layer of this index was written; items count their copies' layers. */
static const sl__formula_item *find_item(const sl__formula_item *first, int64_t index) {
  const sl__formula_item *item = first;
  while (index >= item->count * item->layers) {
    index -= item->count * item->layers;
    item = item->next;
  }
  return item->child ? find_item(item->child, index % item->layers) : item;
}

static sl_status build_layers(sl_context *context, sl__flow *flow, const sl__formula *formula) {
  for (int i = 0; i < flow->layer_count; i++) {
    sl__layer *layer = &flow->layers[i];
    layer->index = i + 1;
    sl_status status = layer->kind->build(context, layer);
    if (status == SL_OK && flow->size > MOST_PARAMETERS)
      status = sl__fail(context, SL_BAD_ARGUMENT,
                        "the flow has more than %d parameters; use fewer units", MOST_PARAMETERS);
    if (status == SL_OK) continue;
    if (status != SL_NO_MEMORY) {
      const sl__formula_item *item = find_item(formula->first, i);
      sl__fail_prefix(context, "layer %d, %.80s", layer->index, layer->text);
      context->error.line = item->line;
      context->error.column = item->column;
    }
    return status;
  }
  return SL_OK;
}

/* Numbers that are trained: all but buffers and what masks hold at zero. */
static int64_t count_trainable(const sl__flow *flow) {
  int64_t total = 0;
  for (int i = 0; i < flow->parameter_count; i++) {
    const sl__parameter *p = &flow->parameters[i];
    if (!p->trainable) continue;
    if (!p->extent) total += sl__shape_count(p->shape);
    for (int32_t row = 0; p->extent && row < p->shape.size[0]; row++) total += p->extent[row];
  }
  return total;
}

static sl_status build_flow(sl_context *context, sl__flow *flow, const char *text,
                            const char *base) {
  flow->base = sl__base_find(base ? base : "normal");
  if (!flow->base)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "there is no base density '%.40s'; the default is normal", base);
  sl__formula formula;
  SL__TRY(sl__formula_parse(context, &flow->arena, text, &formula));
  flow->formula = formula.text;
  if (formula.layers * flow->dim > MOST_FEATURES_TIMES_LAYERS)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "%lld layers of %d features are too many; use fewer layers",
                    (long long)formula.layers, flow->dim);
  flow->layers = sl__arena_take(&flow->arena, (size_t)formula.layers, sizeof *flow->layers);
  if (!flow->layers) return SL_NO_MEMORY;
  flow->layer_count = (int)formula.layers;
  sl__layer *at = flow->layers;
  expand(flow, formula.first, &at);
  SL__TRY(build_layers(context, flow, &formula));
  flow->trainable = count_trainable(flow);
  return SL_OK;
}

sl_status sl__flow_new(sl_context *context, const char *formula, const char *base, int32_t dim,
                       int32_t context_dim, sl_dtype type, uint64_t seed, sl__flow **out) {
  *out = NULL;
  if (dim < 1 || dim > MOST_FEATURES || context_dim < 0 || context_dim > MOST_FEATURES)
    return sl__fail(
        context, SL_BAD_ARGUMENT,
        "a flow of %d features with %d context columns; there may be 1 to %d and 0 to %d", dim,
        context_dim, MOST_FEATURES, MOST_FEATURES);
  sl__flow *flow = sl__allocate(context, 1, sizeof *flow);
  if (!flow) return SL_NO_MEMORY;
  sl__arena_open(&flow->arena, context);
  flow->type = type;
  flow->dim = dim;
  flow->context_dim = context_dim;
  flow->seed = seed;
  sl_status status = build_flow(context, flow, formula, base);
  if (status != SL_OK) {
    sl__flow_free(context, flow);
    return status;
  }
  *out = flow;
  return SL_OK;
}

void sl__flow_free(sl_context *context, sl__flow *flow) {
  if (!flow) return;
  sl__arena_close(&flow->arena);
  sl__free(&context->allocator, flow);
}

/* ---- starting values ---- */

static double starting_value(const sl__parameter *p, sl__random_key key, int64_t row,
                             int64_t column, int64_t element) {
  if (p->extent && column >= p->extent[row]) return 0;
  switch (p->initial) {
    case SL__INITIAL_ZERO: return 0;
    case SL__INITIAL_VALUE: return p->scale;
    case SL__INITIAL_NORMAL: return p->scale * sl__random_normal(key, (uint64_t)element, 0);
    case SL__INITIAL_UNIFORM:
      return p->scale * (2 * sl__random_uniform(key, (uint64_t)element, 0) - 1);
    case SL__INITIAL_IDENTITY: return row == column;
    case SL__INITIAL_GIVEN: return p->values[element];
  }
  return 0;
}

void sl__flow_initialise(const sl__flow *flow, void *vector) {
  for (int i = 0; i < flow->parameter_count; i++) {
    const sl__parameter *p = &flow->parameters[i];
    sl__random_key key = {flow->seed, SL__STREAM_INITIALISE, (uint32_t)i};
    int64_t rows = p->shape.dims > 0 ? p->shape.size[0] : 1;
    int64_t columns = sl__shape_count(p->shape) / rows;
    for (int64_t row = 0, element = 0; row < rows; row++) {
      for (int64_t column = 0; column < columns; column++, element++) {
        double value = starting_value(p, key, row, column, element);
        if (flow->type == SL_F32)
          ((float *)vector)[p->offset + element] = (float)value;
        else
          ((double *)vector)[p->offset + element] = value;
      }
    }
  }
}

/* ---- graphs ---- */

typedef sl__mapped (*direction)(const sl__layer *layer, sl__graph *g, sl_node value,
                                sl_node context_value);

/* Maps through one layer and adds its log-determinant. */
static sl__mapped through(const sl__layer *layer, direction map, sl__graph *g, sl__mapped so_far,
                          sl_node context_value) {
  sl__graph_label(g, "layer %d: %s", layer->index, layer->text);
  sl__mapped next = map(layer, g, so_far.value, context_value);
  return (sl__mapped){next.value, op_add(g, so_far.log_det, next.log_det)};
}

sl__mapped sl__flow_map_sample(const sl__flow *flow, sl__graph *g, sl_node z, sl_node context_value,
                               int first, int last) {
  sl__mapped mapped = {z, op_number(g, flow->type, 0)};
  for (int i = first; i < last; i++)
    mapped = through(&flow->layers[i], flow->layers[i].kind->sample, g, mapped, context_value);
  return mapped;
}

sl__mapped sl__flow_map_log_prob(const sl__flow *flow, sl__graph *g, sl_node x,
                                 sl_node context_value, int first, int last) {
  sl__mapped mapped = {x, op_number(g, flow->type, 0)};
  for (int i = last - 1; i >= first; i--)
    mapped = through(&flow->layers[i], flow->layers[i].kind->log_prob, g, mapped, context_value);
  return mapped;
}

sl_node sl__flow_log_prob(const sl__flow *flow, sl__graph *g, sl_node x, sl_node context_value) {
  sl__mapped z = sl__flow_map_log_prob(flow, g, x, context_value, 0, flow->layer_count);
  sl__graph_label(g, "base: %s", flow->base->name);
  return op_add(g, flow->base->log_prob(g, z.value), z.log_det);
}

sl__mapped sl__flow_sample(const sl__flow *flow, sl__graph *g, sl_node context_value) {
  sl__graph_label(g, "base: %s", flow->base->name);
  sl_node z = flow->base->sample(g, flow->type, flow->dim, SL__STREAM_BASE);
  sl_node log_prob = flow->base->log_prob(g, z);
  sl__mapped x = sl__flow_map_sample(flow, g, z, context_value, 0, flow->layer_count);
  return (sl__mapped){x.value, op_subtract(g, log_prob, x.log_det)};
}
