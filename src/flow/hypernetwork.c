/* Hypernetworks. */
#include "flow/hypernetwork.h"

sl_status sl__hypernetwork_build(sl_context *context, sl__layer *layer) {
  (void)context, (void)layer;
  return SL_OK;
}

sl_node sl__hypernetwork_node(const sl__layer *layer, sl__graph *g, int parameter,
                              sl_node context_value) {
  (void)layer, (void)parameter, (void)context_value;
  return sl__graph_refuse(g, SL_UNSUPPORTED, "no hypernetwork");
}
