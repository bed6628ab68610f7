/* Elementwise operations: broadcasting, simplification, and what is composed of them. Their
 * derivatives are in gradient_elementwise.c. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "graph/operations.h"

static sl_shape broadcast_shape(sl__graph *g, sl_shape a, sl_shape b) {
  sl_shape wide = {.dims = a.dims > b.dims ? a.dims : b.dims};
  for (int d = 0; d < wide.dims; d++) {
    const int da = d - (wide.dims - a.dims), db = d - (wide.dims - b.dims);
    const int32_t sa = da < 0 ? 1 : a.size[da], sb = db < 0 ? 1 : b.size[db];
    if (sa != sb && sa != 1 && sb != 1) {
      sl__graph_refuse(g, SL_BAD_ARGUMENT, "shapes do not broadcast: size %d against %d", sa, sb);
      return wide;
    }
    wide.size[d] = sa > sb ? sa : sb;
  }
  return wide;
}

/* What a broadcast shows. */
static sl_node unbroadcast(const sl__graph *g, sl_node a) {
  while (g->nodes[a].operation == SL__OP_BROADCAST) a = g->nodes[a].operand[0];
  return a;
}

static bool shows_ones(const sl__graph *g, sl_node a) {
  return g->one_per_row && g->nodes[a].root == g->one_per_row;
}

static bool is_elementwise(const sl__graph *g, sl_node a, sl__elementwise which) {
  return g->nodes[a].operation == SL__OP_ELEMENTWISE && g->nodes[a].elementwise == which;
}

/* 1 * x is x (the seed of differentiation is 1); signs are moved outwards, where sums take them
 * out. */
static sl_node simplified_product(sl__graph *g, const sl__node *n) {
  const sl_node a = n->operand[0], b = n->operand[1];
  const sl__node *x = &g->nodes[a], *y = &g->nodes[b];
  const int64_t count = sl__shape_count(n->shape);
  if (shows_ones(g, a) && y->batched && sl__shape_count(y->shape) == count) return b;
  if (shows_ones(g, b) && x->batched && sl__shape_count(x->shape) == count) return a;
  const bool minus_a = is_elementwise(g, a, SL__EW_negate),
             minus_b = is_elementwise(g, b, SL__EW_negate);
  if (!minus_a && !minus_b) return 0;
  const sl_node product = op_multiply(g, minus_a ? x->operand[0] : a, minus_b ? y->operand[0] : b);
  return minus_a != minus_b ? op_negate(g, product) : product;
}

/* Far from where a float ends. */
static bool is_mild(double factor) {
  return fabs(factor) > 1e-30 && fabs(factor) < 1e30;
}

/* A number times a value for each row times one that all rows share: the two that do not depend on
 * the row come first. */
static sl_node scaled_product(sl__graph *g, const sl__node *product, double factor) {
  const sl_node a = product->operand[0], b = product->operand[1];
  if (g->nodes[a].batched == g->nodes[b].batched || !is_mild(factor)) return 0;
  return g->nodes[a].batched ? op_multiply(g, a, op_scale(g, b, factor))
                             : op_multiply(g, op_scale(g, a, factor), b);
}

/* Of a number times a number times x, one multiplication is left. */
static sl_node simplified_scale(sl__graph *g, const sl__node *n) {
  const sl_node a = n->operand[0], inner = g->nodes[a].operand[0];
  const double outer = n->elementwise == SL__EW_negate ? -1 : n->attribute;
  if (is_elementwise(g, a, SL__EW_negate))
    return n->elementwise == SL__EW_negate ? inner : op_scale(g, inner, -outer);
  if (is_elementwise(g, a, SL__EW_multiply) && n->elementwise == SL__EW_scale)
    return scaled_product(g, &g->nodes[a], outer);
  if (!is_elementwise(g, a, SL__EW_scale)) return 0;
  const double factor = outer * g->nodes[a].attribute;
  return is_mild(factor) ? op_scale(g, inner, factor) : 0;
}

/* A layer is made where the sum begins. */
static sl_node simplified_sum(sl__graph *g, const sl__node *n) {
  const sl_node a = n->operand[0], b = n->operand[1];
  const sl_node sum = sl__linear_plus(g, a, b);
  return sum ? sum : sl__linear_plus(g, b, a);
}

/* Operations that are done on fewer numbers, or not at all: those above; of operands that are all
 * broadcast, the result is; of few divisors, the reciprocals are taken. 0: none of these. */
static sl_node simplified(sl__graph *g, const sl__node *n) {
  enum { WORTH_A_RECIPROCAL = 16 }; /* quotients for each */
  const sl_node a = n->operand[0];
  const int64_t count = sl__shape_count(n->shape);
  sl_node less = 0;
  if (n->elementwise == SL__EW_multiply) less = simplified_product(g, n);
  if (n->elementwise == SL__EW_scale || n->elementwise == SL__EW_negate)
    less = simplified_scale(g, n);
  if (n->elementwise == SL__EW_add) less = simplified_sum(g, n);
  if (less) return less;
  if (n->elementwise == SL__EW_copy || n->shape.dims == 0) return 0;
  sl_node few[3] = {0, 0, 0};
  sl_shape shape = {0};
  for (int k = 0; k < n->operands; k++) {
    few[k] = unbroadcast(g, n->operand[k]);
    shape = broadcast_shape(g, shape, g->nodes[few[k]].shape);
  }
  if (sl__shape_count(shape) < count) {
    const sl_node made =
        sl__op_elementwise(g, n->elementwise, few[0], few[1], few[2], n->attribute);
    return op_broadcast(g, made, n->shape);
  }
  if (n->elementwise == SL__EW_divide &&
      sl__shape_count(g->nodes[few[1]].shape) * WORTH_A_RECIPROCAL <= count)
    return op_multiply(g, a, op_reciprocal(g, few[1]));
  return 0;
}

/* Numbers of a shared vector that do not lie side by side: worth a copy, since what reads one reads
 * several. */
static bool is_scattered(const sl__graph *g, sl_node a) {
  const sl__node *n = &g->nodes[a];
  return !n->batched && n->shape.dims == 1 && n->shape.size[0] > 1 && n->stride[0] > 1;
}

sl_node sl__op_elementwise(sl__graph *g, int elementwise, sl_node a, sl_node b, sl_node c,
                           double attribute) {
  const int arity = sl__elementwise_arity((sl__elementwise)elementwise);
  sl__node n = {.operation = SL__OP_ELEMENTWISE,
                .elementwise = (uint8_t)elementwise,
                .attribute = attribute,
                .operands = (uint16_t)arity,
                .operand = {a, b, c}};
  if (!a || (arity > 1 && !b) || (arity > 2 && !c) || g->status != SL_OK) return 0;
  n.type = g->nodes[a].type;
  n.shape = g->nodes[a].shape;
  for (int i = 1; i < arity; i++) {
    if (g->nodes[n.operand[i]].type != n.type) {
      return sl__graph_refuse(g, SL_BAD_ARGUMENT,
                              "%s: operands of different element types; cast one",
                              sl__elementwise_name((sl__elementwise)elementwise));
    }
    n.shape = broadcast_shape(g, n.shape, g->nodes[n.operand[i]].shape);
  }
  sl_node known = sl__fold_elementwise(g, &n);
  if (!known && g->status == SL_OK) known = simplified(g, &n);
  if (known || g->status != SL_OK) return known;
  for (int i = 0; i < arity; i++) {
    n.batched |= g->nodes[n.operand[i]].batched;
    if (elementwise != SL__EW_copy && is_scattered(g, n.operand[i]))
      n.operand[i] = sl__contiguous(g, n.operand[i]);
    if (n.shape.dims > 0) n.operand[i] = op_broadcast(g, n.operand[i], n.shape);
    if (!n.operand[i]) return 0;
  }
  return sl__node_add(g, n);
}

/* ---- composites ---- */

sl_node op_relu(sl__graph *g, sl_node a) {
  return op_leaky_relu(g, a, 0);
}

sl_node op_silu(sl__graph *g, sl_node a) {
  return op_multiply(g, a, op_sigmoid(g, a));
}

sl_node op_clamp(sl__graph *g, sl_node a, double low, double high) {
  if (!a) return 0;
  const sl_dtype type = sl__node_type(g, a);
  return op_minimum(g, op_maximum(g, a, op_number(g, type, low)), op_number(g, type, high));
}

sl_node op_dropout(sl__graph *g, sl_node a, double rate) {
  enum { FIRST_STREAM = 1 << 16 }; /* beyond those that flows draw their noise from */
  if (!a || !g->for_fitting || rate <= 0) return a;
  const sl_dtype type = sl__node_type(g, a);
  const sl_node u =
      op_random_uniform(g, type, sl__node_shape(g, a), (uint32_t)(FIRST_STREAM + g->dropouts++));
  return op_multiply(g, a,
                     op_scale(g, op_less(g, u, op_number(g, type, 1 - rate)), 1 / (1 - rate)));
}

/* The axis put back with size 1, so that the result broadcasts against the original. */
static sl_node keep_axis(sl__graph *g, sl_node reduced, sl_node original, int axis) {
  if (!reduced) return 0;
  sl_shape shape = g->nodes[original].shape;
  shape.size[axis] = 1;
  return op_reshape(g, reduced, shape);
}

sl_node op_softmax(sl__graph *g, sl_node a, int axis) {
  if (!a || (axis = sl__axis(g, a, axis)) < 0) return 0;
  const sl_node largest = op_stop_gradient(g, keep_axis(g, op_max(g, a, axis), a, axis));
  const sl_node e = op_exp(g, op_subtract(g, a, largest));
  return op_multiply(g, e, keep_axis(g, op_reciprocal(g, op_sum(g, e, axis)), a, axis));
}

sl_node op_log_sum_exp(sl__graph *g, sl_node a, int axis) {
  if (!a || (axis = sl__axis(g, a, axis)) < 0) return 0;
  /* held finite: -inf for all elements must give -inf, not the NaN of inf - inf */
  const double most = sl__node_type(g, a) == SL_F32 ? FLT_MAX : DBL_MAX;
  const sl_node largest = op_stop_gradient(g, op_clamp(g, op_max(g, a, axis), -most, most));
  const sl_node e = op_exp(g, op_subtract(g, a, keep_axis(g, largest, a, axis)));
  return op_add(g, largest, op_log(g, op_sum(g, e, axis)));
}
