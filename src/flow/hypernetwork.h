/* Hypernetworks: in a conditional flow, a layer without a network of its own gets one that reads
 * the context and adds to the layer's trained parameters, for each row. */
#ifndef SL_FLOW_HYPERNETWORK_H
#define SL_FLOW_HYPERNETWORK_H
#include "flow/conditioner.h"

typedef struct sl__hypernetwork sl__hypernetwork;

/* The argument row that layers of SL__CONDITION_PARAMETERS have, for their tables; found by
 * name. */
#define SL__HYPERNETWORK_ROW                                                     \
  {                                                                              \
    "hidden", SL__OPTION_SIZES, "32x32", 0, 0, NULL,                             \
        "of a conditional flow: widths of the network that makes the parameters" \
  }

/* Called when the layer's own parameters have been declared: declares the network, whose outputs
 * start near zero, as further parameters of the layer ("hyper.0.weight", ...), and sets
 * layer->hypernetwork; does nothing where the flow has no context, the kind wants none, or nothing
 * is trained. */
sl_status sl__hypernetwork_build(sl_context *context, sl__layer *layer);
/* Whether the layer has a network that adds to this parameter: to those that the layer itself
 * declared, but for buffers and masked weights. */
bool sl__hypernetwork_covers(const sl__layer *layer, int parameter);
/* What the network adds to the parameter: batched, of its shape. */
sl_node sl__hypernetwork_node(const sl__layer *layer, sl__graph *g, int parameter,
                              sl_node context_value);
#endif
