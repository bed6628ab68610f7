/* Pieces of base densities as graphs. All of them take parameters shared or batched. */
#include <float.h>
#include <math.h>
#include "flow/base/parts.h"

#define HALF_LOG_TWO_PI 0.91893853320467274178

sl_node sl__standard_normal(sl__graph *g, sl_node z) {
  sl_node squares = op_sum_all(g, op_square(g, z));
  int64_t dim = sl__shape_count(sl__node_shape(g, z));
  return op_shift(g, op_scale(g, squares, -0.5), -(double)dim * HALF_LOG_TWO_PI);
}

sl_node sl__density_or_none(sl__graph *g, sl_node z, sl_node log_density) {
  sl_node sum = op_sum_all(g, z), none = op_number(g, sl__node_type(g, z), -INFINITY);
  sl_node is_known =
      op_maximum(g, op_equal(g, log_density, log_density),
                 op_subtract(g, op_number(g, sl__node_type(g, z), 1), op_equal(g, sum, sum)));
  return op_select(g, is_known, log_density, none);
}

/* ---- lower triangular factors ---- */

sl_status sl__factor_check(sl_context *context, const sl__layer *layer) {
  if (layer->dim <= SL__FACTOR_MOST_FEATURES) return SL_OK;
  return sl__fail(context, SL_BAD_ARGUMENT,
                  "a full covariance of %d features is too large; there may be at most %d",
                  layer->dim, SL__FACTOR_MOST_FEATURES);
}

int32_t sl__factor_below(int32_t dim) {
  return dim * (dim - 1) / 2;
}

const int32_t *sl__factor_index(sl__layer *layer) {
  int32_t dim = layer->dim;
  int32_t *index = sl__layer_take(layer, (size_t)dim * (size_t)dim, sizeof *index);
  int32_t next = 1;
  for (int32_t row = 1; index && row < dim; row++)
    for (int32_t column = 0; column < row; column++) index[row * dim + column] = next++;
  return index;
}

sl_node sl__factor(sl__graph *g, int32_t dim, const int32_t *index, sl_node log_diagonal,
                   sl_node below) {
  sl_node diagonal = op_diagonal_matrix(g, op_exp(g, log_diagonal));
  if (dim == 1) return diagonal;
  sl_node zero = op_broadcast(g, op_number(g, sl__node_type(g, below), 0), sl__shape1(1));
  sl_node parts[2] = {zero, below};
  sl_node entries = op_gather(g, op_concatenate(g, 2, parts, 0), 0, dim * dim, index);
  return op_add(g, diagonal, op_reshape(g, entries, sl__shape2(dim, dim)));
}

/* ---- weights ---- */

sl_node sl__log_weights(sl__graph *g, sl_node logits) {
  return op_subtract(g, logits, op_log_sum_exp(g, logits, 0));
}

sl_node sl__draw_component(sl__graph *g, sl_node logits, uint32_t stream) {
  int32_t count = sl__node_shape(g, logits).size[0];
  sl_node uniform = op_random_uniform(g, sl__node_type(g, logits), sl__scalar_shape(), stream);
  sl_node up_to = op_cumulative_sum(g, op_softmax(g, logits, 0), 0, false);
  return op_search(g, op_slice(g, up_to, 0, 0, count - 1, 1), uniform, 0);
}

sl_node sl__take_component(sl__graph *g, sl_node values, sl_node component) {
  int32_t dim = sl__node_shape(g, values).size[1];
  return op_take(g, values, op_broadcast(g, component, sl__shape1(dim)), 0);
}

sl_node sl__mix(sl__graph *g, sl_node logits, int count, const sl_node *log_densities) {
  sl_node single[SL__MOST_COMPONENTS];
  for (int i = 0; i < count; i++) single[i] = op_reshape(g, log_densities[i], sl__shape1(1));
  sl_node terms = op_add(g, sl__log_weights(g, logits), op_concatenate(g, count, single, 0));
  sl_dtype type = sl__node_type(g, terms);
  /* The derivative of log at a sum of 0 would be infinite: rows that no component reaches get
   * another sum, and their result is put in place afterwards. */
  sl_node none = op_number(g, type, -INFINITY);
  sl_node lowest = op_number(g, type, type == SL_F32 ? -(double)FLT_MAX : -DBL_MAX);
  sl_node is_nowhere = op_less_equal(g, op_max(g, terms, 0), lowest);
  sl_node sum = op_log_sum_exp(g, op_maximum(g, terms, lowest), 0);
  return op_select(g, is_nowhere, none, sum);
}
