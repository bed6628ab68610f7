/* Flows some of whose features are angles: the chain `circle` that maps them, and how both parts
 * join (see sl__flow.periodic). */
#ifndef SL_FLOW_CIRCLE_H
#define SL_FLOW_CIRCLE_H
#include "flow/flow.h"

/* What the flow's own formula is built for: the features that are no angles, and the context that
 * they see: the flow's, then sine and cosine of each angle. */
int32_t sl__circle_rest_dim(const sl__flow *flow);
int32_t sl__circle_rest_context_dim(const sl__flow *flow);

/* Builds flow->circle_base and flow->circle; nothing where no feature is periodic. */
sl_status sl__circle_build(sl_context *context, sl__flow *flow);

/* What sl__flow_log_prob, sl__flow_map_... and sl__flow_sample do where some feature is
 * periodic. */
sl_node sl__circle_flow_log_prob(const sl__flow *flow, sl__graph *g, sl_node x,
                                 sl_node context_value);
sl__mapped sl__circle_flow_map(const sl__flow *flow, sl__graph *g, sl_node value,
                               sl_node context_value, int first, int last, bool sampling);
sl__mapped sl__circle_flow_sample(const sl__flow *flow, sl__graph *g, sl_node context_value);
#endif
