/* Residual blocks with activation before each linear map (He et al. 2016, arXiv:1603.05027), as in
 * neural spline flows (Durkan et al. 2019, arXiv:1906.04032, section 5) and ResMADE (Nash & Durkan
 * 2019, arXiv:1904.05626, section 4.1):
 *
 *   h = linear(x)
 *   for each block: h = h + linear(activation(linear(activation(h))))
 *   y = linear(h)
 *
 * All hidden layers have one width, hence, when masked, one order of degrees: adding h unit by unit
 * keeps the masks. */
#include "nn/network.h"

_Static_assert(2 * SL__NETWORK_MAX_BLOCKS + 2 <= SL__NETWORK_MAX_LINEARS, "blocks fit");

void sl__network_stack_residual(sl__network *network) {
  const sl__network_plan *plan = &network->plan;
  int32_t width = plan->hidden[0];
  sl__linear *linear = network->linear;
  linear[network->count++] = (sl__linear){.inputs = plan->inputs, .outputs = width};
  for (int i = 0; i < plan->blocks; i++) {
    linear[network->count++] =
        (sl__linear){.inputs = width, .outputs = width, .activates = true, .opens = true};
    linear[network->count++] = (sl__linear){
        .inputs = width, .outputs = width, .activates = true, .drops = true, .closes = true};
  }
  linear[network->count++] = (sl__linear){.inputs = width, .outputs = plan->outputs};
}
