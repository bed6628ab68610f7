/* The standard normal density in R^dim: log p(z) = -(|z|^2 + dim log(2 pi)) / 2. */
#include "dist/base.h"

#define HALF_LOG_TWO_PI 0.91893853320467274178

static sl_node log_prob(sl__graph *g, sl_node z) {
  double dim = (double)sl__shape_count(sl__node_shape(g, z));
  sl_node squares = op_sum_all(g, op_square(g, z));
  return op_shift(g, op_scale(g, squares, -0.5), -dim * HALF_LOG_TWO_PI);
}

static sl_node sample(sl__graph *g, sl_dtype type, int32_t dim, uint32_t stream) {
  return op_random_normal(g, type, sl__shape1(dim), stream);
}

const sl__base sl__base_normal = {
    .name = "normal",
    .summary = "independent standard normal coordinates",
    .source = "-",
    .log_prob = log_prob,
    .sample = sample,
};
