/* A fixed order of features, for the layers that permute. */
#ifndef SL_FLOW_ORDER_H
#define SL_FLOW_ORDER_H
#include "flow/flow.h"

typedef struct sl__order {
  int32_t *from; /* [dim]: feature k of the output is feature from[k] of the input */
  int32_t *back; /* [dim]: the inverse */
} sl__order;

/* Memory for both; from is to be filled, then sl__order_finish makes back. */
sl_status sl__order_new(sl__layer *layer, sl__order *out);
void sl__order_finish(const sl__layer *layer, sl__order *order);
/* A random one, a function of the layer's seed and index. */
sl_status sl__order_random(sl_context *context, sl__layer *layer, sl__order *out);

/* Features index[0..count-1] of value: a slice, which copies nothing, where they are evenly
 * spaced. */
sl_node sl__features(sl__graph *g, sl_node value, int32_t count, const int32_t *index);
#endif
