/* Matrices and rows. */
#include "flow/bijector/matrix.h"
#include <float.h>
#include <math.h>

/* Added to the squared lengths of directions: one of length 0 then divides 0 by it. */
static const double smallest_square = 1e-30;

sl_node sl__matrix_times(sl__graph *g, sl_node matrix, sl_node bias, sl_node row) {
  if (!matrix || !row) return 0;
  bool dense = !sl__node_batched(g, matrix) && !(bias && sl__node_batched(g, bias));
  if (dense) return op_linear(g, matrix, bias, row, NULL);
  sl_node product = op_matmul(g, matrix, row);
  return bias ? op_add(g, product, bias) : product;
}

sl__mapped sl__matrix_solved(sl__graph *g, sl_node given, sl_node value, sl_node log_det) {
  if (!given || !value || !log_det) return (sl__mapped){0};
  sl_dtype type = sl__node_type(g, value);
  sl_node most = op_number(g, type, type == SL_F32 ? FLT_MAX : DBL_MAX);
  sl_node is_number = op_less_equal(g, op_absolute(g, value), most);
  sl_node zero = op_number(g, type, 0), none = op_number(g, type, -INFINITY);
  sl_node lost = op_max(g, op_equal(g, is_number, zero), 0);
  /* Only what has overflowed inside: nothing is found where nothing was given. */
  sl_node mark = sl__row_mark(g, given);
  zero = op_select(g, op_equal(g, mark, mark), zero, mark);
  return (sl__mapped){op_select(g, is_number, value, zero), op_select(g, lost, none, log_det)};
}

sl__reflections sl__matrix_reflections(sl__graph *g, sl_node directions) {
  sl_node squares = op_sum(g, op_square(g, directions), 1);
  return sl__reflections_new(g, directions, op_shift(g, squares, smallest_square));
}
