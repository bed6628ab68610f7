/* Derivatives of elementwise operations. a, b and c are the operands, y the result, dy what is
 * known of the derivative by y; what is not named here is constant almost everywhere. */
#include "graph/operations.h"

/* Of arithmetic on one number, and functions that are near it: by a. 0: of another kind. */
static sl_node by_arithmetic(sl__graph *g, const sl__node *n, sl_node y, sl_node dy) {
  const sl_node a = n->operand[0];
  switch ((sl__elementwise)n->elementwise) {
    case SL__EW_copy:
    case SL__EW_shift: return dy;
    case SL__EW_negate: return op_negate(g, dy);
    case SL__EW_absolute: return op_multiply(g, dy, op_sign(g, a));
    case SL__EW_sqrt: return op_divide(g, op_scale(g, dy, 0.5), y);
    case SL__EW_square: return op_multiply(g, op_scale(g, dy, 2), a);
    case SL__EW_reciprocal: return op_negate(g, op_multiply(g, dy, op_square(g, y)));
    case SL__EW_scale: return op_scale(g, dy, n->attribute);
    case SL__EW_leaky_relu: return op_leaky_gate(g, a, dy, n->attribute);
    default: return 0;
  }
}

static sl_node by_function(sl__graph *g, const sl__node *n, sl_node y, sl_node dy) {
  const sl_node a = n->operand[0];
  switch ((sl__elementwise)n->elementwise) {
    case SL__EW_exp: return op_multiply(g, dy, y);
    case SL__EW_expm1: return op_multiply_add(g, dy, y, dy);
    case SL__EW_log: return op_divide(g, dy, a);
    case SL__EW_log1p: return op_divide(g, dy, op_shift(g, a, 1));
    case SL__EW_tanh: return op_tanh_gate(g, y, dy);
    case SL__EW_sigmoid:
      return op_multiply(g, dy, op_multiply(g, y, op_shift(g, op_negate(g, y), 1)));
    case SL__EW_softplus: return op_multiply(g, dy, op_sigmoid(g, a));
    case SL__EW_sin: return op_multiply(g, dy, op_cos(g, a));
    case SL__EW_cos: return op_negate(g, op_multiply(g, dy, op_sin(g, a)));
    case SL__EW_sinh: return op_multiply(g, dy, op_cosh(g, a));
    case SL__EW_cosh: return op_multiply(g, dy, op_sinh(g, a));
    case SL__EW_asinh: return op_divide(g, dy, op_sqrt(g, op_shift(g, op_square(g, a), 1)));
    case SL__EW_atan: return op_divide(g, dy, op_shift(g, op_square(g, a), 1));
    case SL__EW_erf: { /* 2 / sqrt(pi) exp(-a^2) */
      const sl_node density = op_exp(g, op_negate(g, op_square(g, a)));
      return op_multiply(g, dy, op_scale(g, density, 1.1283791670955126));
    }
    case SL__EW_lgamma: return op_multiply(g, dy, op_digamma(g, a));
    case SL__EW_digamma: return op_multiply(g, dy, op_trigamma(g, a));
    case SL__EW_trigamma: return op_multiply(g, dy, op_tetragamma(g, a));
    default: return 0;
  }
}

/* dy goes to b where the condition holds, else to c. */
static void choose(sl__tape *tape, sl__graph *g, sl_node condition, sl_node b, sl_node c,
                   sl_node dy) {
  const sl_node zero = op_number(g, sl__node_type(g, dy), 0.0);
  sl__contribute(tape, b, op_select(g, condition, dy, zero));
  sl__contribute(tape, c, op_select(g, condition, zero, dy));
}

static void divide(sl__tape *tape, sl__graph *g, const sl__node *n, sl_node y, sl_node dy) {
  const sl_node da = op_divide(g, dy, n->operand[1]);
  sl__contribute(tape, n->operand[0], da);
  sl__contribute(tape, n->operand[1], op_negate(g, op_multiply(g, da, y)));
}

static void power(sl__tape *tape, sl__graph *g, const sl__node *n, sl_node y, sl_node dy) {
  const sl_node a = n->operand[0], b = n->operand[1];
  const sl_node slope = op_multiply(g, b, op_power(g, a, op_shift(g, b, -1)));
  sl__contribute(tape, a, op_multiply(g, dy, slope));
  sl__contribute(tape, b, op_multiply(g, dy, op_multiply(g, y, op_log(g, a))));
}

void sl__gradient_elementwise(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node];
  const sl_node a = n.operand[0], b = n.operand[1], c = n.operand[2];
  if (n.operands == 1) {
    sl_node da = by_arithmetic(g, &n, node, dy);
    if (!da) da = by_function(g, &n, node, dy);
    if (da) {
      sl__contribute(tape, a, da);
      return;
    }
  }
  switch ((sl__elementwise)n.elementwise) {
    case SL__EW_add:
      sl__contribute(tape, a, dy);
      sl__contribute(tape, b, dy);
      break;
    case SL__EW_subtract:
      sl__contribute(tape, a, dy);
      sl__contribute(tape, b, op_negate(g, dy));
      break;
    case SL__EW_multiply:
    case SL__EW_multiply_add:
      sl__contribute(tape, a, op_multiply(g, dy, b));
      sl__contribute(tape, b, op_multiply(g, dy, a));
      if (n.operands == 3) sl__contribute(tape, c, dy);
      break;
    case SL__EW_divide: divide(tape, g, &n, node, dy); break;
    case SL__EW_power: power(tape, g, &n, node, dy); break;
    case SL__EW_minimum: choose(tape, g, op_less_equal(g, a, b), a, b, dy); break;
    case SL__EW_maximum: choose(tape, g, op_less(g, a, b), b, a, dy); break;
    case SL__EW_select: choose(tape, g, a, b, c, dy); break;
    case SL__EW_leaky_gate: sl__contribute(tape, b, op_leaky_gate(g, a, dy, n.attribute)); break;
    case SL__EW_tanh_gate:
      sl__contribute(tape, a, op_multiply(g, op_scale(g, dy, -2), op_multiply(g, a, b)));
      sl__contribute(tape, b, op_tanh_gate(g, a, dy));
      break;
    case SL__EW_less:
    case SL__EW_less_equal:
    case SL__EW_equal:
    case SL__EW_sign:
    case SL__EW_floor: break;
    default: sl__gradient_special(tape, g, node, dy);
  }
}
