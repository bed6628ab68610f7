/* The standard normal density in R^dim: log p(z) = -(|z|^2 + dim log(2 pi)) / 2. */
#include "flow/base/parts.h"

static sl_node density(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  (void)layer, (void)context_value;
  return sl__standard_normal(g, z);
}

static sl_node draw(const sl__layer *layer, sl__graph *g, uint32_t stream, sl_node context_value) {
  (void)context_value;
  return op_random_normal(g, layer->type, sl__shape1(layer->dim), stream);
}

static const char *const examples[] = {"normal", NULL};
const sl__kind sl__base_normal = {
    .name = "normal",
    .summary = "independent standard normal coordinates",
    .source = "-",
    .examples = examples,
    .density = density,
    .draw = draw,
};
