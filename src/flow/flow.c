/* Flows: a chain of layers made from a formula, its starting values, and its graphs. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "flow/circle.h"
#include "flow/formula.h"
#include "flow/hypernetwork.h"

/* Far beyond any use: they keep a hostile formula or file from asking for the machine's memory. */
#define MOST_FEATURES              (1 << 20)
#define MOST_FEATURES_TIMES_LAYERS 100000000
#define MOST_PARAMETERS            INT32_MAX

/* ---- chains ---- */

/* Writes the layers of a chain, expanded, into layers[0..count-1]; from the end on if the chain is
 * inverted. */
static void expand(sl__flow *flow, const sl__formula_item *first, bool inverted, sl__layer *layers,
                   int64_t count) {
  sl__layer *at = inverted ? layers + count : layers;
  for (const sl__formula_item *item = first; item; item = item->next) {
    for (int64_t copy = 0; copy < item->count; copy++) {
      if (inverted) at -= item->layers;
      if (item->child)
        expand(flow, item->child, inverted != (item->kind != NULL), at, item->layers);
      else
        *at = (sl__layer){.kind = item->kind,
                          .flow = flow,
                          .text = item->text,
                          .line = item->line,
                          .column = item->column,
                          .inverted = inverted,
                          .type = flow->type,
                          .arguments = item->arguments};
      if (!inverted) at += item->layers;
    }
  }
}

/* "layers." and 3 -> "layers.3" */
static const char *numbered(sl__arena *arena, const char *before, int number) {
  const size_t room = strlen(before) + 12; /* an int has at most 11 characters */
  char *text = sl__arena_take(arena, room, 1);
  if (text) snprintf(text, room, "%s%d", before, number);
  return text;
}

static sl_status build_layer(sl_context *context, sl__layer *layer) {
  sl__flow *flow = layer->flow;
  layer->first_parameter = flow->parameter_count;
  sl_status status = layer->kind->build ? layer->kind->build(context, layer) : SL_OK;
  layer->parameter_count = flow->parameter_count - layer->first_parameter;
  if (status == SL_OK) status = sl__hypernetwork_build(context, layer);
  if (status == SL_OK && flow->size > flow->most_numbers)
    status = sl__fail(context, SL_BAD_ARGUMENT,
                      "the flow has more than %lld parameters; use fewer units",
                      (long long)flow->most_numbers);
  if (status == SL_OK || status == SL_NO_MEMORY) return status;
  sl__fail_prefix(context, "%s, %.80s", layer->title, layer->text);
  if (context->error.line > 0) return status; /* of a layer inside this one */
  context->error.line = layer->line;
  context->error.column = layer->column;
  return status;
}

sl_status sl__chain_build(sl_context *context, sl__flow *flow, const sl__formula_item *first,
                          const char *path, int32_t dim, int32_t context_dim, uint64_t seed,
                          sl__chain *out) {
  int64_t count = 0;
  for (const sl__formula_item *item = first; item; item = item->next)
    count += item->count * item->layers;
  if (count * dim > MOST_FEATURES_TIMES_LAYERS)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "%lld layers of %d features are too many; use fewer layers", (long long)count,
                    dim);
  *out = (sl__chain){(int)count, sl__arena_take(&flow->arena, (size_t)count, sizeof(sl__layer))};
  if (!out->layers) return SL_NO_MEMORY;
  expand(flow, first, false, out->layers, count);
  for (int i = 0; i < out->count; i++) {
    sl__layer *layer = &out->layers[i];
    layer->index = i + 1;
    layer->dim = dim;
    layer->context_dim = context_dim;
    layer->seed = seed;
    for (int k = 0; k < i; k++) layer->earlier += out->layers[k].kind == layer->kind;
    layer->path = numbered(&flow->arena, path, i + 1);
    layer->title = numbered(&flow->arena, "layer ", i + 1);
    if (!layer->path || !layer->title) return SL_NO_MEMORY;
    SL__TRY(build_layer(context, layer));
  }
  return SL_OK;
}

/* ---- flows ---- */

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

static sl_status build_base(sl_context *context, sl__flow *flow, const sl__formula_item *item,
                            const char *path, int32_t dim, int32_t context_dim, sl__layer *out) {
  *out = (sl__layer){.kind = item->kind,
                     .flow = flow,
                     .path = path,
                     .title = path,
                     .text = item->text,
                     .line = item->line,
                     .column = item->column,
                     .dim = dim,
                     .context_dim = context_dim,
                     .type = flow->type,
                     .arguments = item->arguments,
                     .seed = flow->seed};
  return build_layer(context, out);
}

/* The base stands in front of the formula, or apart, or is the default. */
static sl_status parse_plan(sl_context *context, sl__arena *arena, const sl__flow_plan *plan,
                            sl__formula *formula, const sl__formula_item **base) {
  if (plan->base && plan->formula[0] == '\0')
    *formula = (sl__formula){.text = "", .chain = ""};
  else
    SL__TRY(sl__formula_parse(context, arena, plan->formula, formula));
  *base = formula->base;
  if (*base && plan->base)
    return sl__fail_at(context, SL_BAD_ARGUMENT, (*base)->line, (*base)->column,
                       "the formula begins with the base density '%.60s', and '%.60s' is given as "
                       "base besides; leave one of them out",
                       (*base)->text, plan->base);
  if (*base) return SL_OK;
  return sl__formula_parse_base(context, arena, plan->base ? plan->base : "normal", base);
}

static bool reads_context(const sl__layer *layer) {
  return layer->hypernetwork != NULL || layer->kind->conditioning == SL__CONDITION_NETWORK;
}

/* A density that does not depend on its context is nothing anyone asks for. */
static sl_status check_context(sl_context *context, const sl__flow *flow) {
  if (flow->context_dim == 0 || flow->periodic > 0 || reads_context(&flow->base)) return SL_OK;
  for (int i = 0; i < flow->chain.count; i++)
    if (reads_context(&flow->chain.layers[i])) return SL_OK;
  return sl__fail(context, SL_BAD_ARGUMENT,
                  "no layer of the flow reads the context; add one that does, such as coupling, "
                  "maf or loc, or leave the context out");
}

static sl_status check_reach(sl_context *context, const sl__flow *flow) {
  const sl__layer *base = &flow->base;
  bool ends = base->kind && base->kind->image;
  double low = ends ? base->kind->image(base, 0, true) : -INFINITY;
  double high = ends ? base->kind->image(base, 0, false) : INFINITY;
  return sl__chain_check_reach(context, &flow->chain, low, high);
}

static sl_status build_flow(sl_context *context, sl__flow *flow, const sl__flow_plan *plan) {
  sl__formula formula;
  const sl__formula_item *base;
  SL__TRY(parse_plan(context, &flow->arena, plan, &formula, &base));
  flow->base_formula = base->text;
  flow->formula = formula.chain;
  int32_t dim = sl__circle_rest_dim(flow), context_dim = sl__circle_rest_context_dim(flow);
  if (dim > 0) {
    sl_status status = build_base(context, flow, base, "base", dim, context_dim, &flow->base);
    if (status != SL_OK) return formula.base ? status : sl__formula_blame_base(context, base->text);
    SL__TRY(sl__chain_build(context, flow, formula.first, "layers.", dim, context_dim, flow->seed,
                            &flow->chain));
  }
  SL__TRY(check_reach(context, flow));
  SL__TRY(sl__circle_build(context, flow));
  SL__TRY(check_context(context, flow));
  flow->trainable = count_trainable(flow);
  return SL_OK;
}

sl_status sl__flow_new(sl_context *context, const sl__flow_plan *plan, sl__flow **out) {
  *out = NULL;
  if (plan->dim < 1 || plan->dim > MOST_FEATURES || plan->context_dim < 0 ||
      plan->context_dim > MOST_FEATURES)
    return sl__fail(
        context, SL_BAD_ARGUMENT,
        "a flow of %d features with %d context columns; there may be 1 to %d and 0 to %d",
        plan->dim, plan->context_dim, MOST_FEATURES, MOST_FEATURES);
  if (plan->periodic < 0 || plan->periodic > plan->dim)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "%d periodic features of %d; there may be 0 to that many", plan->periodic,
                    plan->dim);
  sl__flow *flow = sl__allocate(context, 1, sizeof *flow);
  if (!flow) return SL_NO_MEMORY;
  sl__arena_open(&flow->arena, context);
  flow->type = plan->type;
  flow->dim = plan->dim;
  flow->context_dim = plan->context_dim;
  flow->periodic = plan->periodic;
  flow->seed = plan->seed;
  flow->most_numbers = MOST_PARAMETERS;
  if (plan->most_numbers > 0 && plan->most_numbers < MOST_PARAMETERS)
    flow->most_numbers = plan->most_numbers;
  sl_status status = build_flow(context, flow, plan);
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

static double regular_start(const sl__parameter *p, sl__random_key key, int64_t row, int64_t column,
                            int64_t element) {
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

static double starting_value(const sl__parameter *p, sl__random_key key, int64_t row,
                             int64_t column, int64_t element) {
  if (p->extent && column >= p->extent[row]) return 0;
  double value = regular_start(p, key, row, column, element);
  return p->jitter > 0 ? value + p->jitter * sl__random_normal(key, (uint64_t)element, 1) : value;
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
static sl__mapped through(const sl__layer *layer, bool sampling, sl__graph *g, sl__mapped so_far,
                          sl_node context_value) {
  sl__graph_label(g, "%s: %s", layer->title, layer->text);
  direction map = sampling != layer->inverted ? layer->kind->sample : layer->kind->log_prob;
  sl__mapped next = map(layer, g, so_far.value, context_value);
  return (sl__mapped){next.value, op_add(g, so_far.log_det, next.log_det)};
}

sl__mapped sl__chain_sample(const sl__chain *chain, sl__graph *g, sl_node z, sl_node context_value,
                            int first, int last) {
  sl__mapped mapped = {z, op_number(g, sl__node_type(g, z), 0)};
  for (int i = first; i < last; i++)
    mapped = through(&chain->layers[i], true, g, mapped, context_value);
  return mapped;
}

sl__mapped sl__chain_log_prob(const sl__chain *chain, sl__graph *g, sl_node x,
                              sl_node context_value, int first, int last) {
  sl__mapped mapped = {x, op_number(g, sl__node_type(g, x), 0)};
  for (int i = last - 1; i >= first; i--)
    mapped = through(&chain->layers[i], false, g, mapped, context_value);
  return mapped;
}

static sl_node is_finite(sl__graph *g, sl_node value) {
  sl_dtype type = sl__node_type(g, value);
  return op_less_equal(g, op_absolute(g, value),
                       op_number(g, type, type == SL_F32 ? FLT_MAX : DBL_MAX));
}

sl_node sl__row_mark(sl__graph *g, sl_node row) {
  sl_dtype type = sl__node_type(g, row);
  sl_node zero = op_number(g, type, 0), none = op_number(g, type, -INFINITY);
  sl_node mark = op_select(g, is_finite(g, row), zero, none);
  mark = op_select(g, op_equal(g, row, row), mark, op_number(g, type, NAN));
  return op_sum_all(g, mark);
}

/* What has a row without numbers for its input, or is conditioned on one, is none either. */
static sl__mapped of_numbers(sl__graph *g, sl_node input, sl_node context_value,
                             sl__mapped mapped) {
  sl_node mark = sl__row_mark(g, input);
  if (context_value) mark = op_add(g, mark, sl__row_mark(g, context_value));
  sl_node good = op_equal(g, mark, mark), nothing = op_number(g, sl__node_type(g, input), NAN);
  return (sl__mapped){op_select(g, good, mapped.value, nothing),
                      op_select(g, good, mapped.log_det, nothing)};
}

sl_node sl__mapped_is_sound(sl__graph *g, sl__mapped mapped) {
  sl_node lost =
      op_equal(g, is_finite(g, mapped.value), op_number(g, sl__node_type(g, mapped.value), 0));
  sl_node none_lost =
      op_less_equal(g, op_sum_all(g, lost), op_number(g, sl__node_type(g, mapped.value), 0));
  return op_multiply(g, none_lost, is_finite(g, mapped.log_det));
}

sl__mapped sl__flow_map_sample(const sl__flow *flow, sl__graph *g, sl_node z, sl_node context_value,
                               int first, int last) {
  sl__mapped x = flow->periodic > 0
                     ? sl__circle_flow_map(flow, g, z, context_value, first, last, true)
                     : sl__chain_sample(&flow->chain, g, z, context_value, first, last);
  return of_numbers(g, z, context_value, x);
}

sl__mapped sl__flow_map_log_prob(const sl__flow *flow, sl__graph *g, sl_node x,
                                 sl_node context_value, int first, int last) {
  sl__mapped z = flow->periodic > 0
                     ? sl__circle_flow_map(flow, g, x, context_value, first, last, false)
                     : sl__chain_log_prob(&flow->chain, g, x, context_value, first, last);
  return of_numbers(g, x, context_value, z);
}

static sl_node base_density(const sl__layer *base, sl__graph *g, sl_node z, sl_node context_value) {
  sl__graph_label(g, "%s: %s", base->title, base->text);
  return base->kind->density(base, g, z, context_value);
}

/* A layer that maps a circle to itself takes any number for a point of it; as part of a density of
 * numbers, it has none but those of one turn. */
static sl_node within_one_turn(const sl__layer *layer, sl__graph *g, sl_node x, sl_node log_det) {
  const double rounding = 1e-6;
  sl_node most = op_number(g, layer->type, layer->period / 2 * (1 + rounding));
  sl_node outside = op_max(g, op_less(g, most, op_absolute(g, x)), 0);
  return op_select(g, outside, op_number(g, layer->type, -INFINITY), log_det);
}

/* As sl__chain_log_prob, for a density. */
static sl__mapped to_noise(const sl__flow *flow, sl__graph *g, sl_node x, sl_node context_value) {
  sl__mapped mapped = {x, op_number(g, flow->type, 0)};
  for (int i = flow->chain.count; i-- > 0;) {
    const sl__layer *layer = &flow->chain.layers[i];
    sl_node before = mapped.value;
    mapped = through(layer, false, g, mapped, context_value);
    if (layer->period > 0) mapped.log_det = within_one_turn(layer, g, before, mapped.log_det);
  }
  return mapped;
}

sl_node sl__flow_log_prob(const sl__flow *flow, sl__graph *g, sl_node x, sl_node context_value) {
  if (flow->periodic > 0) return sl__circle_flow_log_prob(flow, g, x, context_value);
  sl__mapped z = to_noise(flow, g, x, context_value);
  sl_node log_prob = op_add(g, base_density(&flow->base, g, z.value, context_value), z.log_det);
  /* A branch that a layer selects may hold a number where its input has none. */
  log_prob = op_add(g, log_prob, sl__row_mark(g, x));
  return context_value ? op_add(g, log_prob, sl__row_mark(g, context_value)) : log_prob;
}

/* Noise without an image that could be represented (heavy tails overflow) makes a row of NaN, never
 * one that only looks like a draw. */
static sl__mapped drawn(const sl__flow *flow, sl__graph *g, sl_node log_prob, sl__mapped x) {
  sl_node sound = sl__mapped_is_sound(g, x), nothing = op_number(g, flow->type, NAN);
  return (sl__mapped){op_select(g, sound, x.value, nothing),
                      op_select(g, sound, op_subtract(g, log_prob, x.log_det), nothing)};
}

sl__mapped sl__flow_sample(const sl__flow *flow, sl__graph *g, sl_node context_value) {
  if (flow->periodic > 0) return sl__circle_flow_sample(flow, g, context_value);
  sl__graph_label(g, "%s: %s", flow->base.title, flow->base.text);
  sl_node z = flow->base.kind->draw(&flow->base, g, SL__STREAM_BASE, context_value);
  sl_node log_prob = base_density(&flow->base, g, z, context_value);
  sl__mapped x = sl__chain_sample(&flow->chain, g, z, context_value, 0, flow->chain.count);
  return drawn(flow, g, log_prob, x);
}
