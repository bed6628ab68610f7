/* Elementwise operations: broadcasting, derivatives, and what is composed of them. */
#include <float.h>
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

/* Operations that are done on fewer numbers, or not at all: 1 * x is x (the seed of differentiation
 * is 1); of operands that are all broadcast, the result is; of few divisors, the reciprocals are
 * taken; and signs are moved outwards, where sums take them out. 0: none of these. */
static sl_node simplified(sl__graph *g, const sl__node *n) {
  enum { WORTH_A_RECIPROCAL = 16 }; /* quotients for each */
  const sl_node a = n->operand[0], b = n->operand[1];
  const int64_t count = sl__shape_count(n->shape);
  if (n->elementwise == SL__EW_multiply) {
    const sl__node *x = &g->nodes[a], *y = &g->nodes[b];
    if (shows_ones(g, a) && y->batched && sl__shape_count(y->shape) == count) return b;
    if (shows_ones(g, b) && x->batched && sl__shape_count(x->shape) == count) return a;
    const bool minus_a = x->operation == SL__OP_ELEMENTWISE && x->elementwise == SL__EW_negate;
    const bool minus_b = y->operation == SL__OP_ELEMENTWISE && y->elementwise == SL__EW_negate;
    const sl_node product = minus_a || minus_b ? op_multiply(g, minus_a ? x->operand[0] : a,
                                                             minus_b ? y->operand[0] : b)
                                               : 0;
    if (product) return minus_a != minus_b ? op_negate(g, product) : product;
  }
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
    if (n.shape.dims > 0) n.operand[i] = op_broadcast(g, n.operand[i], n.shape);
    if (!n.operand[i]) return 0;
  }
  return sl__node_add(g, n);
}

void sl__gradient_elementwise(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node];
  const sl_node a = n.operand[0], b = n.operand[1], c = n.operand[2], y = node;
  const sl_dtype type = (sl_dtype)n.type;
  const sl_node zero = op_number(g, type, 0.0);
  switch ((sl__elementwise)n.elementwise) {
    case SL__EW_copy: sl__contribute(tape, a, dy); break;
    case SL__EW_negate: sl__contribute(tape, a, op_negate(g, dy)); break;
    case SL__EW_absolute: sl__contribute(tape, a, op_multiply(g, dy, op_sign(g, a))); break;
    case SL__EW_exp: sl__contribute(tape, a, op_multiply(g, dy, y)); break;
    case SL__EW_expm1: sl__contribute(tape, a, op_multiply_add(g, dy, y, dy)); break;
    case SL__EW_log: sl__contribute(tape, a, op_divide(g, dy, a)); break;
    case SL__EW_log1p: sl__contribute(tape, a, op_divide(g, dy, op_shift(g, a, 1))); break;
    case SL__EW_sqrt: sl__contribute(tape, a, op_divide(g, op_scale(g, dy, 0.5), y)); break;
    case SL__EW_square: sl__contribute(tape, a, op_multiply(g, op_scale(g, dy, 2), a)); break;
    case SL__EW_reciprocal:
      sl__contribute(tape, a, op_negate(g, op_multiply(g, dy, op_square(g, y))));
      break;
    case SL__EW_tanh: sl__contribute(tape, a, op_tanh_gate(g, y, dy)); break;
    case SL__EW_sigmoid:
      sl__contribute(tape, a,
                     op_multiply(g, dy, op_multiply(g, y, op_shift(g, op_negate(g, y), 1))));
      break;
    case SL__EW_softplus: sl__contribute(tape, a, op_multiply(g, dy, op_sigmoid(g, a))); break;
    case SL__EW_sin: sl__contribute(tape, a, op_multiply(g, dy, op_cos(g, a))); break;
    case SL__EW_cos: sl__contribute(tape, a, op_negate(g, op_multiply(g, dy, op_sin(g, a)))); break;
    case SL__EW_sinh: sl__contribute(tape, a, op_multiply(g, dy, op_cosh(g, a))); break;
    case SL__EW_cosh: sl__contribute(tape, a, op_multiply(g, dy, op_sinh(g, a))); break;
    case SL__EW_asinh:
      sl__contribute(tape, a, op_divide(g, dy, op_sqrt(g, op_shift(g, op_square(g, a), 1))));
      break;
    case SL__EW_atan:
      sl__contribute(tape, a, op_divide(g, dy, op_shift(g, op_square(g, a), 1)));
      break;
    case SL__EW_erf: { /* 2 / sqrt(pi) exp(-a^2) */
      const sl_node density = op_exp(g, op_negate(g, op_square(g, a)));
      sl__contribute(tape, a, op_multiply(g, dy, op_scale(g, density, 1.1283791670955126)));
      break;
    }
    case SL__EW_lgamma: sl__contribute(tape, a, op_multiply(g, dy, op_digamma(g, a))); break;
    case SL__EW_digamma: sl__contribute(tape, a, op_multiply(g, dy, op_trigamma(g, a))); break;
    case SL__EW_trigamma: sl__contribute(tape, a, op_multiply(g, dy, op_tetragamma(g, a))); break;
    case SL__EW_tetragamma:
    case SL__EW_log_gamma_p:
    case SL__EW_log_gamma_q:
    case SL__EW_log_gamma_p_by_shape:
    case SL__EW_log_gamma_q_by_shape:
    case SL__EW_log_gamma_term:
    case SL__EW_log_bessel_i:
    case SL__EW_log_bessel_i_by_order:
    case SL__EW_bessel_j:
    case SL__EW_bessel_y:
    case SL__EW_bessel_k:
    case SL__EW_owens_t:
    case SL__EW_log_beta_lower:
    case SL__EW_log_beta_lower_by_first:
    case SL__EW_log_beta_lower_by_second:
    case SL__EW_log_beta_term:
    case SL__EW_inv_inc_beta: sl__gradient_special(tape, g, node, dy); break;
    case SL__EW_scale: sl__contribute(tape, a, op_scale(g, dy, n.attribute)); break;
    case SL__EW_shift: sl__contribute(tape, a, dy); break;
    case SL__EW_leaky_relu: sl__contribute(tape, a, op_leaky_gate(g, a, dy, n.attribute)); break;
    case SL__EW_add:
      sl__contribute(tape, a, dy);
      sl__contribute(tape, b, dy);
      break;
    case SL__EW_subtract:
      sl__contribute(tape, a, dy);
      sl__contribute(tape, b, op_negate(g, dy));
      break;
    case SL__EW_multiply:
      sl__contribute(tape, a, op_multiply(g, dy, b));
      sl__contribute(tape, b, op_multiply(g, dy, a));
      break;
    case SL__EW_divide: {
      const sl_node da = op_divide(g, dy, b);
      sl__contribute(tape, a, da);
      sl__contribute(tape, b, op_negate(g, op_multiply(g, da, y)));
      break;
    }
    case SL__EW_power:
      sl__contribute(tape, a,
                     op_multiply(g, dy, op_multiply(g, b, op_power(g, a, op_shift(g, b, -1)))));
      sl__contribute(tape, b, op_multiply(g, dy, op_multiply(g, y, op_log(g, a))));
      break;
    case SL__EW_minimum: {
      const sl_node first = op_less_equal(g, a, b);
      sl__contribute(tape, a, op_select(g, first, dy, zero));
      sl__contribute(tape, b, op_select(g, first, zero, dy));
      break;
    }
    case SL__EW_maximum: {
      const sl_node second = op_less(g, a, b);
      sl__contribute(tape, a, op_select(g, second, zero, dy));
      sl__contribute(tape, b, op_select(g, second, dy, zero));
      break;
    }
    case SL__EW_leaky_gate: sl__contribute(tape, b, op_leaky_gate(g, a, dy, n.attribute)); break;
    case SL__EW_tanh_gate:
      sl__contribute(tape, a, op_multiply(g, op_scale(g, dy, -2), op_multiply(g, a, b)));
      sl__contribute(tape, b, op_tanh_gate(g, a, dy));
      break;
    case SL__EW_select:
      sl__contribute(tape, b, op_select(g, a, dy, zero));
      sl__contribute(tape, c, op_select(g, a, zero, dy));
      break;
    case SL__EW_multiply_add:
      sl__contribute(tape, a, op_multiply(g, dy, b));
      sl__contribute(tape, b, op_multiply(g, dy, a));
      sl__contribute(tape, c, dy);
      break;
    case SL__EW_sign:
    case SL__EW_floor:
    case SL__EW_less:
    case SL__EW_less_equal:
    case SL__EW_equal:
    case SL__EW_COUNT: break; /* constant almost everywhere */
  }
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
