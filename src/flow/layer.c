/* The registry of kinds, and what a kind's build function may call on its layer. */
#include <stdio.h>
#include <string.h>
#include "flow/hypernetwork.h"

#define BIJECTOR(name) extern const sl__kind sl__bijector_##name;
#define BASE(name)     extern const sl__kind sl__base_##name;
#include "flow/kinds.def"

static const sl__kind *const kinds[] = {
#define BIJECTOR(name) &sl__bijector_##name,
#define BASE(name)     &sl__base_##name,
#include "flow/kinds.def"
};

const sl__kind *const *sl__kinds(int *count) {
  *count = (int)(sizeof kinds / sizeof kinds[0]);
  return kinds;
}

void *sl__layer_take(sl__layer *layer, size_t count, size_t size) {
  return sl__arena_take(&layer->flow->arena, count, size);
}

/* The list is doubled when full; the arena keeps the old one, at most as much again. */
static bool make_room(sl__flow *flow) {
  if (flow->parameter_count < flow->parameter_capacity) return true;
  int capacity = flow->parameter_capacity > 0 ? 2 * flow->parameter_capacity : 32;
  sl__parameter *bigger = sl__arena_take(&flow->arena, (size_t)capacity, sizeof *bigger);
  if (!bigger) return false;
  if (flow->parameter_count > 0)
    memcpy(bigger, flow->parameters, (size_t)flow->parameter_count * sizeof *bigger);
  flow->parameters = bigger;
  flow->parameter_capacity = capacity;
  return true;
}

int sl__layer_parameter(sl__layer *layer, const char *name, sl_shape shape, sl__initial initial,
                        double scale, const double *values, const int32_t *extent) {
  sl__flow *flow = layer->flow;
  const int64_t count = sl__shape_count(shape);
  if (count > INT64_MAX / 8 - flow->size) {
    sl__fail(flow->arena.context, SL_NO_MEMORY, "no memory for so many parameters: %s.%s",
             layer->path, name);
    return -1;
  }
  const size_t room = strlen(layer->path) + strlen(name) + 2;
  char *full = sl__arena_take(&flow->arena, room, 1);
  if (!full || !make_room(flow)) return -1;
  snprintf(full, room, "%s.%s", layer->path, name);
  flow->parameters[flow->parameter_count] = (sl__parameter){.name = full,
                                                            .shape = shape,
                                                            .offset = flow->size,
                                                            .initial = initial,
                                                            .scale = scale,
                                                            .values = values,
                                                            .extent = extent,
                                                            .trainable = true,
                                                            .layer = layer};
  flow->size += count;
  return flow->parameter_count++;
}

sl_node sl__layer_node(const sl__layer *layer, sl__graph *g, int parameter, sl_node context_value) {
  const sl__parameter *p = &layer->flow->parameters[parameter];
  sl_node shared = op_parameter(g, layer->type, p->shape, p->offset);
  if (!sl__hypernetwork_covers(layer, parameter)) return shared;
  return op_add(g, shared, sl__hypernetwork_node(layer, g, parameter, context_value));
}

sl_node sl__log_scale(sl__graph *g, sl_node log_scale) {
  if (!log_scale) return 0;
  double most = sl__most_log_scale(sl__node_type(g, log_scale));
  return op_clamp(g, log_scale, -most, most);
}
