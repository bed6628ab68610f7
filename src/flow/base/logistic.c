/* logistic: independent coordinates with the cumulative distribution sigmoid(z): log p(z) =
 * -softplus(z) - softplus(-z), variance pi^2 / 3. */
#include "flow/flow.h"

static sl_node density(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  (void)layer, (void)context_value;
  sl_node both = op_add(g, op_softplus(g, z), op_softplus(g, op_negate(g, z)));
  return op_negate(g, op_sum_all(g, both));
}

/* |z| has the cumulative distribution tanh(|z| / 2), so that |z| = log((2 - u) / u); the sign has a
 * uniform number of its own, which keeps the digits of u for both tails. */
static sl_node draw(const sl__layer *layer, sl__graph *g, uint32_t stream, sl_node context_value) {
  (void)context_value;
  int32_t dim = layer->dim;
  sl_node uniform = op_random_uniform(g, layer->type, sl__shape2(2, dim), stream);
  sl_node u = op_element(g, uniform, 0, 0);
  sl_node above = op_log1p(g, op_shift(g, op_negate(g, u), 1));
  sl_node size = op_subtract(g, above, op_log(g, u));
  sl_node is_below = op_less(g, op_element(g, uniform, 0, 1), op_number(g, layer->type, 0.5));
  return op_select(g, is_below, op_negate(g, size), size);
}

static const char *const examples[] = {"logistic", NULL};
const sl__kind sl__base_logistic = {
    .name = "logistic",
    .summary = "independent logistic coordinates of scale 1",
    .source = "-",
    .examples = examples,
    .density = density,
    .draw = draw,
};
