/* Reductions and scans over features, and sums over rows; with their derivatives. */
#include <string.h>

#include "graph/operations.h"

static sl_node reduce(sl__graph *g, sl__operation operation, sl_node a, int axis) {
  if (!a || (axis = sl__axis(g, a, axis)) < 0) return 0;
  sl_shape shape = g->nodes[a].shape;
  const int32_t size = shape.size[axis];
  for (int d = axis; d + 1 < shape.dims; d++) shape.size[d] = shape.size[d + 1];
  shape.dims--;
  if (size == 1) return op_reshape(g, a, shape);
  a = sl__contiguous(g, a);
  if (!a) return 0;
  return sl__node_add(g, (sl__node){.operation = (uint8_t)operation,
                                    .type = g->nodes[a].type,
                                    .batched = g->nodes[a].batched,
                                    .operands = 1,
                                    .operand = {a},
                                    .shape = shape,
                                    .integer = {axis}});
}

sl_node sl__sum_log(sl__graph *g, sl_node a, int axis) {
  return reduce(g, SL__OP_SUM_LOG, a, axis);
}

/* Longer sums are better made together with their terms (fuse_sums.c). */
enum { SHORT_SUM = 64 };

/* The elementwise operation on every row of which `a` shows all numbers, for a short sum. */
static const sl__node *short_terms(const sl__graph *g, sl_node a, int axis) {
  const sl__node *n = &g->nodes[a], *root = &g->nodes[n->root];
  const bool whole =
      sl__node_is_contiguous(n) && sl__shape_count(n->shape) == sl__shape_count(root->shape);
  const bool is_short = n->shape.size[axis] > 1 && n->shape.size[axis] <= SHORT_SUM;
  return whole && is_short && n->batched && root->operation == SL__OP_ELEMENTWISE ? root : NULL;
}

/* Rows times a vector that all of them share are a layer of one output; 0: no such sum. */
static sl_node sum_of_products(sl__graph *g, const sl__node *product) {
  const int32_t count = (int32_t)sl__shape_count(product->shape);
  const bool first_shared = !g->nodes[product->operand[0]].batched;
  const sl_node shared = product->operand[!first_shared], rows = product->operand[first_shared];
  if (g->nodes[shared].batched || !g->nodes[rows].batched ||
      sl__shape_count(g->nodes[g->nodes[shared].root].shape) < count)
    return 0;
  const sl_node sum = op_linear(g, op_reshape(g, shared, sl__shape2(1, count)), 0,
                                op_reshape(g, rows, sl__shape1(count)), NULL);
  return op_reshape(g, sum, sl__scalar_shape());
}

/* Signs and factors are taken out of the sum. */
sl_node op_sum(sl__graph *g, sl_node a, int axis) {
  if (!a || (axis = sl__axis(g, a, axis)) < 0) return 0;
  const sl__node n = g->nodes[a];
  const sl__node *terms = short_terms(g, a, axis);
  if (terms && terms->elementwise == SL__EW_log)
    return sl__sum_log(g, op_reshape(g, terms->operand[0], n.shape), axis);
  if (terms && terms->elementwise == SL__EW_multiply && n.shape.dims == 1) {
    const sl__node product = *terms;
    const sl_node sum = sum_of_products(g, &product);
    if (sum || g->status != SL_OK) return sum;
  }
  if (n.operation == SL__OP_ELEMENTWISE && n.elementwise == SL__EW_negate)
    return op_negate(g, op_sum(g, n.operand[0], axis));
  if (n.operation == SL__OP_ELEMENTWISE && n.elementwise == SL__EW_scale)
    return op_scale(g, op_sum(g, n.operand[0], axis), n.attribute);
  return reduce(g, SL__OP_SUM, a, axis);
}
sl_node op_max(sl__graph *g, sl_node a, int axis) {
  return reduce(g, SL__OP_MAX, a, axis);
}

sl_node op_sum_all(sl__graph *g, sl_node a) {
  if (!a) return 0;
  if (g->nodes[a].shape.dims == 0) return a;
  const int64_t count = sl__shape_count(g->nodes[a].shape);
  return op_sum(g, op_reshape(g, a, sl__shape1((int32_t)count)), 0);
}

sl_node op_cumulative_sum(sl__graph *g, sl_node a, int axis, bool reverse) {
  if (!a || (axis = sl__axis(g, a, axis)) < 0) return 0;
  a = sl__contiguous(g, a);
  if (!a) return 0;
  return sl__node_add(g, (sl__node){.operation = SL__OP_CUMULATIVE_SUM,
                                    .type = g->nodes[a].type,
                                    .batched = g->nodes[a].batched,
                                    .operands = 1,
                                    .operand = {a},
                                    .shape = g->nodes[a].shape,
                                    .integer = {axis, reverse}});
}

/* dy with the reduced axis put back at its full size. */
static sl_node stretch(sl__graph *g, sl_node dy, sl_shape shape, int axis) {
  sl_shape kept = shape;
  kept.size[axis] = 1;
  return op_broadcast(g, op_reshape(g, dy, kept), shape);
}

void sl__gradient_sum(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node];
  sl__contribute(tape, n.operand[0], stretch(g, dy, g->nodes[n.operand[0]].shape, n.integer[0]));
}

void sl__gradient_sum_log(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node];
  const sl_node each = stretch(g, dy, g->nodes[n.operand[0]].shape, n.integer[0]);
  sl__contribute(tape, n.operand[0], op_divide(g, each, n.operand[0]));
}

void sl__gradient_max(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node]; /* ties share nothing: every largest element receives dy */
  const sl_shape shape = g->nodes[n.operand[0]].shape;
  const sl_node largest = op_equal(g, n.operand[0], stretch(g, node, shape, n.integer[0]));
  sl__contribute(tape, n.operand[0], op_multiply(g, largest, stretch(g, dy, shape, n.integer[0])));
}

void sl__gradient_cumulative_sum(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node];
  sl__contribute(tape, n.operand[0], op_cumulative_sum(g, dy, n.integer[0], !n.integer[1]));
}

sl_node op_sum_rows(sl__graph *g, sl_node a) {
  if (!a) return 0;
  const sl__node n = g->nodes[a];
  if (!n.batched)
    return sl__graph_refuse(g, SL_BAD_ARGUMENT, "sum over rows of a value that has none");
  /* the sum of a product is one pass, and the product need not be stored */
  if (n.operation == SL__OP_ELEMENTWISE && n.elementwise == SL__EW_multiply &&
      g->nodes[n.operand[0]].batched && g->nodes[n.operand[1]].batched &&
      sl__node_is_contiguous(&g->nodes[n.operand[0]]) &&
      sl__node_is_contiguous(&g->nodes[n.operand[1]])) {
    return sl__node_add(g, (sl__node){.operation = SL__OP_DOT_ROWS,
                                      .type = n.type,
                                      .operands = 2,
                                      .operand = {n.operand[0], n.operand[1]},
                                      .shape = n.shape});
  }
  a = sl__contiguous(g, a);
  if (!a) return 0;
  return sl__node_add(g, (sl__node){.operation = SL__OP_SUM_ROWS,
                                    .type = n.type,
                                    .operands = 1,
                                    .operand = {a},
                                    .shape = n.shape});
}

void sl__gradient_sum_rows(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  sl__contribute(tape, g->nodes[node].operand[0], op_rows(g, dy));
}

void sl__gradient_dot_rows(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl_node a = g->nodes[node].operand[0], b = g->nodes[node].operand[1];
  sl__contribute(tape, a, op_multiply(g, dy, b));
  sl__contribute(tape, b, op_multiply(g, dy, a));
}
