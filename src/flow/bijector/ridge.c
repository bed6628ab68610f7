/* Ridges: slope and inverse. */
#include "flow/bijector/ridge.h"
#include <float.h>

sl_node sl__ridge_slope(sl__graph *g, sl_node t, sl_node rest) {
  sl_node fall = op_shift(g, op_negate(g, rest), 1);
  return op_multiply_add(g, fall, op_square(g, t), rest);
}

static sl_node ridge(void *user, sl__graph *g, sl_node u) {
  const sl_node *fall = user;
  return op_multiply_add(g, *fall, op_tanh(g, u), u);
}

sl_node sl__ridge_root(sl__graph *g, sl_node y, sl_node rest) {
  if (!y || !rest) return 0;
  /* Below rounding, rest changes no number of the map, but a slope of 0 would have no
   * derivative. */
  double rounding = sl__node_type(g, y) == SL_F32 ? FLT_EPSILON : DBL_EPSILON;
  sl_node least = op_number(g, sl__node_type(g, y), rounding);
  rest = op_maximum(g, rest, least);
  sl_node fall = op_shift(g, rest, -1);
  /* The function is odd, and its slope between rest at 0 and 1 far out. So |u| lies between |y| and
   * what the tangent at 0, or the asymptote, makes of |y|, whichever is nearer. */
  sl_node size = op_absolute(g, y);
  sl_node tangent = op_multiply(g, size, op_reciprocal(g, rest)),
          asymptote = op_subtract(g, size, fall);
  sl_node is_steep = op_less(g, op_number(g, sl__node_type(g, y), 0), fall);
  sl_node nearer =
      op_select(g, is_steep, op_maximum(g, tangent, asymptote), op_minimum(g, tangent, asymptote));
  sl_node end = op_multiply(g, nearer, op_sign(g, y));
  return op_root(g, y, op_minimum(g, y, end), op_maximum(g, y, end), ridge, &fall);
}
