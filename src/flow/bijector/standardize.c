/* standardize: x = shift + scale z with fixed shift and scale, the means and standard deviations of
 * the data. They are part of the parameter vector, so that they are saved with it, but are not
 * trained: whoever has the data writes them there (sl__model_standardize). As the last layer it
 * lets the others see data of size one while densities stay in the data's own units. */
#include "flow/flow.h"

typedef struct standardize {
  int shift, scale;
} standardize;

static sl_status build(sl_context *context, sl__layer *layer) {
  (void)context;
  standardize *own = layer->state = sl__layer_take(layer, 1, sizeof *own);
  if (!own) return SL_NO_MEMORY;
  sl_shape shape = sl__shape1(layer->dim);
  own->shift = sl__layer_parameter(layer, "shift", shape, SL__INITIAL_ZERO, 0, NULL, NULL);
  own->scale = sl__layer_parameter(layer, "scale", shape, SL__INITIAL_VALUE, 1, NULL, NULL);
  if (own->shift < 0 || own->scale < 0) return SL_NO_MEMORY;
  layer->flow->parameters[own->shift].trainable = false;
  layer->flow->parameters[own->scale].trainable = false;
  return SL_OK;
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  const standardize *own = layer->state;
  sl_node shift = sl__layer_node(layer, g, own->shift, context_value),
          scale = sl__layer_node(layer, g, own->scale, context_value);
  return (sl__mapped){op_multiply_add(g, z, scale, shift), op_sum_all(g, op_log(g, scale))};
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  const standardize *own = layer->state;
  sl_node shift = sl__layer_node(layer, g, own->shift, context_value),
          scale = sl__layer_node(layer, g, own->scale, context_value);
  return (sl__mapped){op_divide(g, op_subtract(g, x, shift), scale),
                      op_negate(g, op_sum_all(g, op_log(g, scale)))};
}

static const char *const examples[] = {"loc-standardize", NULL};
const sl__kind sl__bijector_standardize = {
    .name = "standardize",
    .summary = "shifts and scales by the data's means and standard deviations, not trained",
    .source = "-",
    .examples = examples,
    .build = build,
    .sample = sample,
    .log_prob = log_prob,
};
