/* additive: x = z + t per feature, t from the network: NICE (Dinh et al. 2015, arXiv:1410.8516,
 * section 3.2). The log-determinant is zero. */
#include "flow/transformer/transformer.h"

static void measure(sl__transform *transform) {
  transform->group_count = 1;
  transform->group_size[0] = 1;
  transform->group_name[0] = "shift";
}

static sl_node zeros(sl__graph *g, sl_node like) {
  return op_broadcast(g, op_number(g, sl__node_type(g, like), 0), sl__node_shape(g, like));
}

static sl__mapped log_prob(const sl__transform *transform, sl__graph *g, sl_node x,
                           const sl__transform_parameters *parameters) {
  (void)transform;
  sl_node t = op_element(g, parameters->group[0], parameters->axis, 0);
  return (sl__mapped){op_subtract(g, x, t), zeros(g, x)};
}

static sl__mapped sample(const sl__transform *transform, sl__graph *g, sl_node z,
                         const sl__transform_parameters *parameters) {
  (void)transform;
  sl_node t = op_element(g, parameters->group[0], parameters->axis, 0);
  return (sl__mapped){op_add(g, z, t), zeros(g, z)};
}

const sl__transformer sl__transformer_additive = {
    .name = "additive",
    .summary = "shift alone: volume is kept",
    .source = "Dinh et al. 2015, section 3.2",
    .measure = measure,
    .log_prob = log_prob,
    .sample = sample,
};
