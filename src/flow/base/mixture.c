/* mixture(k, formula): k copies of a chain, each with parameters of its own, all on the standard
 * normal, with trained weights: log p(z) = log sum w[i] p_i(z) (Pires & Figueiredo 2020,
 * arXiv:2009.00585). As a base density it may stand below further layers. Disconnected modes,
 * between which one flow would keep a bridge, get a component each.
 *
 * A draw has its component from one uniform number, sends one noise through every component, and
 * takes its own. It is a smooth function of the components' parameters; the choice of the component
 * is not one of the weights, and gives them no gradient. (Log densities do.) */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "flow/base/parts.h"
#include "flow/formula.h"
#include "flow/hypernetwork.h"

enum { COMPONENTS, FORMULA, HIDDEN, ROWS };
static const sl__option_row arguments[ROWS] = {
    {"components", SL__OPTION_INT, NULL, 2, SL__MOST_COMPONENTS, NULL, "how many"},
    {"formula", SL__OPTION_FORMULA, NULL, 0, 0, NULL, "of each component: coupling(affine)*4"},
    SL__HYPERNETWORK_ROW,
};

typedef struct mixture {
  int32_t count;
  int logits;        /* parameter [count]: of the weights */
  sl__chain *chains; /* [count] */
} mixture;

/* Copies that start equal would stay equal: their gradients are. What starts at given values, as
 * loc does at 0, is moved a little, by the same amount whatever the width of a matrix. */
static void part_copies(sl__flow *flow, int first_parameter) {
  for (int i = first_parameter; i < flow->parameter_count; i++) {
    sl__parameter *p = &flow->parameters[i];
    bool is_random = p->initial == SL__INITIAL_NORMAL || p->initial == SL__INITIAL_UNIFORM;
    int32_t columns = p->shape.dims > 1 ? p->shape.size[p->shape.dims - 1] : 1;
    if (p->trainable && !is_random) p->jitter = 0.3 / sqrt(columns);
  }
}

static sl_status name_layers(sl_context *context, sl__chain *chain, int component) {
  for (int i = 0; i < chain->count; i++) {
    sl__layer *layer = &chain->layers[i];
    if (layer->kind->look)
      return sl__fail(context, SL_BAD_ARGUMENT,
                      "%s starts from data, which a mixture's components are not shown; use "
                      "scale-loc there",
                      layer->kind->name);
    char title[64];
    int length = snprintf(title, sizeof title, "component %d, layer %d", component, i + 1);
    layer->title = sl__arena_text(&layer->flow->arena, title, (size_t)length);
    if (!layer->title) return SL_NO_MEMORY;
  }
  return SL_OK;
}

static sl_status build_component(sl_context *context, sl__layer *layer, int component,
                                 sl__chain *out) {
  const size_t room = strlen(layer->path) + 24; /* an int has at most 11 characters */
  char *path = sl__layer_take(layer, room, 1);
  if (!path) return SL_NO_MEMORY;
  snprintf(path, room, "%s.%d.layers.", layer->path, component);
  uint64_t seed = layer->seed + 0x9E3779B97F4A7C15u * (uint64_t)component;
  SL__TRY(sl__chain_build(context, layer->flow, layer->arguments[FORMULA].formula->first, path,
                          layer->dim, layer->context_dim, seed, out));
  SL__TRY(name_layers(context, out, component));
  return sl__chain_check_reach(context, out, -INFINITY, INFINITY);
}

static sl_status build(sl_context *context, sl__layer *layer) {
  const sl__option_value *components = &layer->arguments[COMPONENTS];
  if (!components->given)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "the number of components is missing; begin with it, as in mixture(4,loc)");
  if (components->integer * layer->arguments[FORMULA].formula->layers > SL__FORMULA_MAX_LAYERS)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "the components have more than %d layers together; use fewer",
                    SL__FORMULA_MAX_LAYERS);
  mixture *own = layer->state = sl__layer_take(layer, 1, sizeof *own);
  if (!own) return SL_NO_MEMORY;
  own->count = (int32_t)components->integer;
  own->chains = sl__layer_take(layer, (size_t)own->count, sizeof *own->chains);
  own->logits =
      sl__layer_parameter(layer, "logits", sl__shape1(own->count), SL__INITIAL_ZERO, 0, NULL, NULL);
  if (!own->chains || own->logits < 0) return SL_NO_MEMORY;
  for (int i = 0; i < own->count; i++)
    SL__TRY(build_component(context, layer, i + 1, &own->chains[i]));
  part_copies(layer->flow, own->logits + 1);
  return SL_OK;
}

static void label(const sl__layer *layer, sl__graph *g) {
  sl__graph_label(g, "%s: %s", layer->title, layer->text);
}

static sl_node density(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  const mixture *own = layer->state;
  sl_node scores[SL__MOST_COMPONENTS];
  for (int i = 0; i < own->count; i++) {
    const sl__chain *chain = &own->chains[i];
    sl__mapped noise = sl__chain_log_prob(chain, g, z, context_value, 0, chain->count);
    sl_node score = op_add(g, sl__standard_normal(g, noise.value), noise.log_det);
    scores[i] = sl__density_or_none(g, z, score);
  }
  label(layer, g);
  return sl__mix(g, sl__layer_node(layer, g, own->logits, context_value), own->count, scores);
}

static sl_node draw(const sl__layer *layer, sl__graph *g, uint32_t stream, sl_node context_value) {
  const mixture *own = layer->state;
  sl_node noise = op_random_normal(g, layer->type, sl__shape1(layer->dim), stream);
  sl_node rows[SL__MOST_COMPONENTS];
  for (int i = 0; i < own->count; i++) {
    const sl__chain *chain = &own->chains[i];
    sl__mapped drawn = sl__chain_sample(chain, g, noise, context_value, 0, chain->count);
    rows[i] = op_reshape(g, drawn.value, sl__shape2(1, layer->dim));
  }
  label(layer, g);
  sl_node logits = sl__layer_node(layer, g, own->logits, context_value);
  sl_node component = sl__draw_component(g, logits, stream + SL__SECOND_STREAM);
  return sl__take_component(g, op_concatenate(g, own->count, rows, 0), component);
}

static const char *const examples[] = {"mixture(3,scale-loc)", "mixture(2,lu(no)-loc)", NULL};
const sl__kind sl__base_mixture = {
    .name = "mixture",
    .summary = "a mixture of whole flows: k copies of a chain with trained weights; draws give the "
               "weights no gradient",
    .source = "Pires & Figueiredo 2020",
    .examples = examples,
    .arguments = arguments,
    .argument_count = ROWS,
    .sample_note = "or as its formula",
    .log_prob_note = "or as its formula",
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .density = density,
    .draw = draw,
};
