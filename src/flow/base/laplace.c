/* laplace: independent coordinates with log p(z) = -|z| - log 2, variance 2. */
#include "flow/flow.h"

#define LOG_TWO 0.69314718055994530942

static sl_node density(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  (void)context_value;
  sl_node sum = op_sum_all(g, op_absolute(g, z));
  return op_shift(g, op_negate(g, sum), -layer->dim * LOG_TWO);
}

/* An exponential with a sign of its own: one uniform number for both would be short of digits in
 * one of the tails. */
static sl_node draw(const sl__layer *layer, sl__graph *g, uint32_t stream, sl_node context_value) {
  (void)context_value;
  int32_t dim = layer->dim;
  sl_node uniform = op_random_uniform(g, layer->type, sl__shape2(2, dim), stream);
  sl_node size = op_negate(g, op_log(g, op_element(g, uniform, 0, 0)));
  sl_node is_below = op_less(g, op_element(g, uniform, 0, 1), op_number(g, layer->type, 0.5));
  return op_select(g, is_below, op_negate(g, size), size);
}

static const char *const examples[] = {"laplace", NULL};
const sl__kind sl__base_laplace = {
    .name = "laplace",
    .summary = "independent Laplace coordinates of scale 1",
    .source = "-",
    .examples = examples,
    .density = density,
    .draw = draw,
};
