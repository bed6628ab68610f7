/* reverse: x[k] = z[dim - 1 - k]; the log-determinant is zero. It is its own inverse. */
#include "flow/bijector/order.h"

static sl_status build(sl_context *context, sl__layer *layer) {
  (void)context;
  sl__order *order = layer->state = sl__layer_take(layer, 1, sizeof *order);
  if (!order) return SL_NO_MEMORY;
  SL__TRY(sl__order_new(layer, order));
  for (int32_t k = 0; k < layer->dim; k++) order->from[k] = layer->dim - 1 - k;
  sl__order_finish(layer, order);
  return SL_OK;
}

static sl__mapped map(const sl__layer *layer, sl__graph *g, sl_node value, sl_node context_value) {
  (void)context_value;
  const sl__order *order = layer->state;
  return (sl__mapped){op_gather(g, value, 0, layer->dim, order->from),
                      op_number(g, layer->type, 0)};
}

static double image(const sl__layer *layer, double x, bool sampling) {
  (void)layer, (void)sampling;
  return x;
}

static const char *const examples[] = {"loc-reverse", NULL};
const sl__kind sl__bijector_reverse = {
    .name = "reverse",
    .summary = "reverses the order of the features",
    .source = "-",
    .examples = examples,
    .build = build,
    .sample = map,
    .image = image,
    .log_prob = map,
};
