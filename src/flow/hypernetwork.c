/* Hypernetworks (Ha et al. 2017, arXiv:1609.09106; van den Berg et al. 2018, arXiv:1803.05649, let
 * a network make the parameters of planar and Sylvester layers).
 *
 * One network per layer reads the context; its outputs are cut into pieces, one for each trained
 * parameter of the layer, and added: parameter(row) = shared parameter + piece(context of the row).
 * The sum, rather than the piece alone, keeps the layer's own starting values and what a look at
 * the data writes into them, and lets the network start near zero: a conditional flow begins next
 * to the unconditional one. */
#include <string.h>
#include "flow/hypernetwork.h"

struct sl__hypernetwork {
  sl__conditioner conditioner;
  int32_t *begin; /* [layer->parameter_count]: where a parameter's piece begins, or -1 */
};

static const sl__option_row network_rows[] = {SL__CONDITIONER_ROWS};
static const sl__option_row hidden_row[] = {SL__HYPERNETWORK_ROW};

/* The layer's own argument "hidden", or NULL. */
static const sl__option_value *find_hidden(const sl__layer *layer) {
  for (int i = 0; i < layer->kind->argument_count; i++)
    if (strcmp(layer->kind->arguments[i].name, hidden_row[0].name) == 0)
      return &layer->arguments[i];
  return NULL;
}

/* A sub-layer's parameters, declared while the layer was built, are the sub-layer's business. */
static bool is_covered(const sl__layer *layer, int parameter) {
  const sl__parameter *p = &layer->flow->parameters[parameter];
  return p->layer == layer && p->trainable && !p->extent;
}

/* Cuts the outputs; *total is how many there are, or, where int32_t cannot count them, more than
 * INT32_MAX: such a network is refused when it is built. */
static sl_status cut(sl__layer *layer, sl__hypernetwork *own, int64_t *total) {
  own->begin = sl__layer_take(layer, (size_t)layer->parameter_count, sizeof *own->begin);
  if (!own->begin) return SL_NO_MEMORY;
  *total = 0;
  for (int i = 0; i < layer->parameter_count; i++) {
    own->begin[i] = -1;
    if (!is_covered(layer, layer->first_parameter + i)) continue;
    own->begin[i] = (int32_t)*total;
    *total += sl__shape_count(layer->flow->parameters[layer->first_parameter + i].shape);
    if (*total > INT32_MAX) return SL_OK;
  }
  return SL_OK;
}

sl_status sl__hypernetwork_build(sl_context *context, sl__layer *layer) {
  if (layer->kind->conditioning != SL__CONDITION_PARAMETERS) return SL_OK;
  const sl__option_value *hidden = find_hidden(layer);
  if (layer->context_dim == 0) {
    if (!hidden || !hidden->given) return SL_OK;
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "'hidden' is of the network that reads the context, and there is none; leave "
                    "it out or name context columns");
  }
  sl__hypernetwork *own = sl__layer_take(layer, 1, sizeof *own);
  int64_t total;
  if (!own) return SL_NO_MEMORY;
  SL__TRY(cut(layer, own, &total));
  if (total == 0) return SL_OK;
  sl__arena *arena = &layer->flow->arena;
  sl__option_value values[SL__CONDITIONER_ARGUMENTS], widths;
  SL__TRY(sl__options_default(context, arena, network_rows, SL__CONDITIONER_ARGUMENTS, values));
  SL__TRY(sl__options_default(context, arena, hidden_row, 1, &widths));
  values[SL__CONDITIONER_HIDDEN] = hidden ? *hidden : widths;
  SL__TRY(sl__conditioner_build(context, layer, "hyper", values, layer->context_dim, total, 0,
                                &own->conditioner));
  layer->hypernetwork = own;
  return SL_OK;
}

bool sl__hypernetwork_covers(const sl__layer *layer, int parameter) {
  int at = parameter - layer->first_parameter;
  return layer->hypernetwork && at >= 0 && at < layer->parameter_count &&
         layer->hypernetwork->begin[at] >= 0;
}

sl_node sl__hypernetwork_node(const sl__layer *layer, sl__graph *g, int parameter,
                              sl_node context_value) {
  const sl__hypernetwork *own = layer->hypernetwork;
  sl__network_nodes nodes;
  sl__conditioner_nodes(layer, g, &own->conditioner, &nodes);
  /* Made once however many parameters ask: equal nodes of a graph are one node. */
  sl_node all = sl__network_forward(&own->conditioner.network, &nodes, g, context_value);
  sl_shape shape = layer->flow->parameters[parameter].shape;
  int32_t begin = own->begin[parameter - layer->first_parameter];
  return op_reshape(g, op_slice(g, all, 0, begin, (int32_t)sl__shape_count(shape), 1), shape);
}
