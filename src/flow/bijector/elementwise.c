/* elementwise: any transformer on every feature, with trained numbers of its own in place of a
 * network's: the marginal half of a flow, as in Gaussianization (Meng et al. 2020,
 * arXiv:2003.01941, section 3). The numbers start at zero, which makes the identity; in a
 * conditional flow the context's network adds to them. */
#include "flow/hypernetwork.h"
#include "flow/transformer/transformer.h"

enum {
  TRANSFORMER_ROW,
  HIDDEN_ROW,
  TRANSFORM_ROW,
  ROWS = TRANSFORM_ROW + SL__TRANSFORMER_ARGUMENTS
};

static const sl__option_row arguments[ROWS] = {
    {"transformer", SL__OPTION_CHOICE, NULL, 0, 0, sl__transformer_names, "the map of one feature"},
    SL__HYPERNETWORK_ROW,
#define ARGUMENT(transformers, name, type, fallback, low, high, choices, help) \
  {#name, type, fallback, low, high, choices, help},
#include "flow/transformer/transformers.def"
};

typedef struct elementwise {
  sl__transform transform;
  int raw; /* parameter [total, dim] */
  int own; /* parameter, or -1 */
} elementwise;

static sl_status build(sl_context *context, sl__layer *layer) {
  elementwise *own = layer->state = sl__layer_take(layer, 1, sizeof *own);
  if (!own) return SL_NO_MEMORY;
  SL__TRY(sl__transform_read(context, layer, TRANSFORM_ROW, &own->transform));
  const sl__transform *transform = &own->transform;
  own->raw = sl__layer_parameter(layer, "raw", sl__shape2(transform->total, layer->dim),
                                 SL__INITIAL_ZERO, 0, NULL, NULL);
  if (own->raw < 0) return SL_NO_MEMORY;
  own->own = -1;
  if (transform->own == 0) return SL_OK;
  own->own = sl__layer_parameter(layer, transform->own_name, sl__shape1(layer->dim),
                                 SL__INITIAL_VALUE, transform->own_start, NULL, NULL);
  return own->own < 0 ? SL_NO_MEMORY : SL_OK;
}

static sl__transform_parameters parameters_of(const sl__layer *layer, sl__graph *g,
                                              sl_node context_value) {
  const elementwise *own = layer->state;
  sl_node raw = sl__layer_node(layer, g, own->raw, context_value);
  sl__transform_parameters out = {.axis = 0};
  int32_t begin = 0;
  for (int k = 0; k < own->transform.group_count; k++) {
    out.group[k] = op_slice(g, raw, 0, begin, own->transform.group_size[k], 1);
    begin += own->transform.group_size[k];
  }
  if (own->own >= 0) out.own = sl__layer_node(layer, g, own->own, context_value);
  return out;
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  const sl__transform *transform = &((const elementwise *)layer->state)->transform;
  sl__transform_parameters parameters = parameters_of(layer, g, context_value);
  sl__mapped mapped = transform->kind->sample(transform, g, z, &parameters);
  return (sl__mapped){mapped.value, op_sum_all(g, mapped.log_det)};
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  const sl__transform *transform = &((const elementwise *)layer->state)->transform;
  sl__transform_parameters parameters = parameters_of(layer, g, context_value);
  sl__mapped mapped = transform->kind->log_prob(transform, g, x, &parameters);
  return (sl__mapped){mapped.value, op_sum_all(g, mapped.log_det)};
}

static const char *const examples[] = {"elementwise(rqs,bins=16)", "elementwise(lrs)-scale", NULL};
const sl__kind sl__bijector_elementwise = {
    .name = "elementwise",
    .summary = "maps every feature by a transformer with trained numbers of its own",
    .source = "Meng et al. 2020, section 3",
    .examples = examples,
    .arguments = arguments,
    .argument_count = ROWS,
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .sample = sample,
    .log_prob = log_prob,
};
