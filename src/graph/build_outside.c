/* Functions from outside: a number per row that somebody else's code computes, with its gradient.
 *
 * One node calls the function and holds value and gradient together, so that a row is computed once
 * however much of it is used; a second node takes the value out and is what the caller gets. The
 * second one's derivative is the gradient that lies beside the value. The first one's would be a
 * second derivative, which nobody can give: it fails the graph. */
#include "graph/operations.h"

sl_node op_outside(sl__graph *g, sl_node x, sl__outside_function function, void *user,
                   bool with_gradient) {
  if (!x || g->status != SL_OK) return 0;
  if (g->nodes[x].shape.dims != 1)
    return sl__graph_refuse(g, SL_BAD_ARGUMENT, "a function from outside takes a vector");
  const uint8_t type = g->nodes[x].type;
  const sl__outside outside = {function, user};
  x = sl__contiguous(g, op_cast(g, x, SL_F64));
  if (!x) return 0;
  const int32_t dim = g->nodes[x].shape.size[0];
  const bool batched = g->nodes[x].batched;
  const sl_node both =
      sl__node_add_borrowed(g, (sl__node){.operation = SL__OP_OUTSIDE,
                                          .type = SL_F64,
                                          .batched = batched,
                                          .operands = 1,
                                          .operand = {x},
                                          .shape = sl__shape1(with_gradient ? 1 + dim : 1),
                                          .data = &outside,
                                          .data_bytes = sizeof outside});
  if (!both) return 0;
  const sl_node value = sl__node_add(g, (sl__node){.operation = SL__OP_OUTSIDE_VALUE,
                                                   .type = SL_F64,
                                                   .batched = batched,
                                                   .operands = 2,
                                                   .operand = {both, x},
                                                   .shape = sl__scalar_shape()});
  return op_cast(g, value, (sl_dtype)type);
}

void sl__gradient_outside_value(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl_node both = g->nodes[node].operand[0], x = g->nodes[node].operand[1];
  const int32_t dim = g->nodes[x].shape.size[0];
  if (g->nodes[both].shape.size[0] != 1 + dim) {
    sl__graph_refuse(g, SL_UNSUPPORTED,
                     "a function from outside was taken without its gradient, which is needed");
    return;
  }
  sl__contribute(tape, x, op_multiply(g, dy, op_slice(g, both, 0, 1, dim, 1)));
}

void sl__gradient_outside(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  (void)tape, (void)node, (void)dy;
  sl__graph_refuse(g, SL_UNSUPPORTED,
                   "second derivatives of a function from outside are asked for, but it gives "
                   "only its gradient; use a method of first derivatives");
}
