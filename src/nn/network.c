/* Builds a network's description and evaluates it in one pass.
 *
 * How weights start. Hidden maps: He et al. 2015 (arXiv:1502.01852), uniform with the standard
 * deviation gain / sqrt(inputs) that keeps the size of signals from layer to layer; a masked unit
 * counts the inputs that the mask leaves on average. Biases: uniform in +-1 / sqrt(inputs), not
 * zero, since with few inputs zero biases would put every unit's kink through the origin. The last
 * map of a network and the last of a residual block are scaled by LAST: a flow then starts next to
 * the identity, where its log-determinant is finite and small whatever the depth. Not exactly zero:
 * then the hidden layers would get no gradient at the first step. */
#include <math.h>
#include "nn/network.h"

#define LAST 1e-2

static double inputs_used(const sl__linear *linear) {
  if (!linear->extent) return linear->inputs;
  double total = 0;
  for (int32_t i = 0; i < linear->outputs; i++) total += linear->extent[i];
  double mean = total / linear->outputs;
  return mean < 1 ? 1 : mean;
}

static void set_spreads(sl__network *network) {
  double gain = network->plan.activation->gain;
  for (int i = 0; i < network->count; i++) {
    sl__linear *linear = &network->linear[i];
    if (linear->inputs == 0) continue;
    bool last = i == network->count - 1;
    double inputs = inputs_used(linear);
    double before = linear->activates ? gain : 1;
    /* A uniform number in +-b has the standard deviation b / sqrt(3). */
    linear->spread = before * sqrt(3 / inputs) * (last || linear->closes ? LAST : 1);
    linear->bias_spread = last || linear->closes ? 0 : 1 / sqrt(inputs);
  }
}

sl_status sl__network_build(sl__arena *arena, const sl__network_plan *plan, sl__network *out) {
  *out = (sl__network){.plan = *plan};
  bool blind = plan->inputs == 0 || (plan->features == 1 && plan->inputs == plan->columns);
  if (blind) { /* nothing to look at: the outputs are a bias */
    out->linear[out->count++] = (sl__linear){.outputs = plan->outputs};
    return SL_OK;
  }
  if (plan->blocks > 0)
    sl__network_stack_residual(out);
  else
    sl__network_stack_dense(out);
  if (plan->features > 0) SL__TRY(sl__network_mask(arena, out));
  set_spreads(out);
  return SL_OK;
}

sl_node sl__network_forward(const sl__network *network, const sl__network_nodes *nodes,
                            sl__graph *g, sl_node x) {
  if (network->linear[0].inputs == 0) return nodes->bias[0];
  sl_node value = x, skipped = 0;
  for (int i = 0; i < network->count; i++) {
    const sl__linear *linear = &network->linear[i];
    if (linear->opens) skipped = value;
    sl_node in = linear->activates ? network->plan.activation->apply(g, value) : value;
    if (linear->drops) in = op_dropout(g, in, network->plan.dropout);
    value = op_linear(g, nodes->weight[i], nodes->bias[i], in, linear->extent);
    if (linear->closes) value = op_add(g, skipped, value);
  }
  return value;
}
