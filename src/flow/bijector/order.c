/* Orders of features: random from the layer's seed, and inverses. */
#include "flow/bijector/order.h"

sl_status sl__order_new(sl__layer *layer, sl__order *out) {
  out->from = sl__layer_take(layer, (size_t)layer->dim, sizeof *out->from);
  out->back = sl__layer_take(layer, (size_t)layer->dim, sizeof *out->back);
  return out->from && out->back ? SL_OK : SL_NO_MEMORY;
}

void sl__order_finish(const sl__layer *layer, sl__order *order) {
  for (int32_t k = 0; k < layer->dim; k++) order->back[order->from[k]] = k;
}

sl_status sl__order_random(sl_context *context, sl__layer *layer, sl__order *out) {
  SL__TRY(sl__order_new(layer, out));
  int64_t *wide = sl__allocate(context, (size_t)layer->dim, sizeof *wide);
  if (!wide) return SL_NO_MEMORY;
  sl__random_key key = {layer->seed, SL__STREAM_PERMUTE, (uint32_t)layer->index};
  sl__random_permutation(key, layer->dim, wide);
  for (int32_t k = 0; k < layer->dim; k++) out->from[k] = (int32_t)wide[k];
  sl__free(&context->allocator, wide);
  sl__order_finish(layer, out);
  return SL_OK;
}

sl_node sl__features(sl__graph *g, sl_node value, int32_t count, const int32_t *index) {
  int32_t step = count > 1 ? index[1] - index[0] : 1;
  bool even = step > 0;
  for (int32_t k = 1; k < count && even; k++) even = index[k] - index[k - 1] == step;
  return even ? op_slice(g, value, 0, index[0], count, step) : op_gather(g, value, 0, count, index);
}
