/* A plain stack: linear, activation, linear, ..., linear. */
#include "nn/network.h"

void sl__network_stack_dense(sl__network *network) {
  const sl__network_plan *plan = &network->plan;
  int32_t inputs = plan->inputs;
  for (int i = 0; i <= plan->hidden_count; i++) {
    int32_t outputs = i < plan->hidden_count ? plan->hidden[i] : plan->outputs;
    network->linear[network->count++] =
        (sl__linear){.inputs = inputs, .outputs = outputs, .activates = i > 0, .drops = i > 0};
    inputs = outputs;
  }
}
