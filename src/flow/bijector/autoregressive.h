/* What maf and iaf share: a masked network whose outputs for feature d depend on features before
 * d. */
#ifndef SL_FLOW_AUTOREGRESSIVE_H
#define SL_FLOW_AUTOREGRESSIVE_H
#include "flow/conditioner.h"
#include "flow/transformer/transformer.h"

enum {
  SL__AUTOREGRESSIVE_CONDITIONER = 1, /* argument 0 names the transformer */
  SL__AUTOREGRESSIVE_TRANSFORM = SL__AUTOREGRESSIVE_CONDITIONER + SL__CONDITIONER_ARGUMENTS,
  SL__AUTOREGRESSIVE_ARGUMENTS = SL__AUTOREGRESSIVE_TRANSFORM + SL__TRANSFORMER_ARGUMENTS
};
extern const sl__option_row sl__autoregressive_arguments[SL__AUTOREGRESSIVE_ARGUMENTS];

sl_status sl__autoregressive_build(sl_context *context, sl__layer *layer);
/* u[d] = transformer(x[d]; network(x[0..d-1])): one pass of the network. */
sl__mapped sl__autoregressive_pass(const sl__layer *layer, sl__graph *g, sl_node x,
                                   sl_node context_value);
/* Its inverse, u -> x: feature by feature, each hidden unit once, so about one pass as well. */
sl__mapped sl__autoregressive_walk(const sl__layer *layer, sl__graph *g, sl_node u,
                                   sl_node context_value);
#endif
