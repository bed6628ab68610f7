/* Matrices and rows. */
#include "flow/bijector/matrix.h"

/* Added to the squared lengths of directions: one of length 0 then divides 0 by it. */
static const double smallest_square = 1e-30;

sl_node sl__matrix_times(sl__graph *g, sl_node matrix, sl_node bias, sl_node row) {
  if (!matrix || !row) return 0;
  bool dense = !sl__node_batched(g, matrix) && !(bias && sl__node_batched(g, bias));
  if (dense) return op_linear(g, matrix, bias, row, NULL);
  sl_node product = op_matmul(g, matrix, row);
  return bias ? op_add(g, product, bias) : product;
}

sl__reflections sl__matrix_reflections(sl__graph *g, sl_node directions) {
  sl_node squares = op_sum(g, op_square(g, directions), 1);
  return sl__reflections_new(g, directions, op_shift(g, squares, smallest_square));
}
