/* Operators: known operands are computed on the spot, others become nodes. A scalar beside a
 * container is repeated. */
#include "stan/trace.h"
#include <math.h>
#include <string.h>

static bool is_scalar(const sl__stan_value *value) {
  return value->dims == 0;
}

/* ---- elementwise, known ---- */

static sl_status known_elements(sl__stan_tracer *t, sl__stan_operator op, const sl__stan_value *a,
                                const sl__stan_value *b, sl__stan_value *out) {
  const double *x = sl__stan_reals(t, a), *y = sl__stan_reals(t, b);
  double *z = sl__stan_temporary(t, out->count, sizeof *z);
  if (!x || !y || !z) return SL_NO_MEMORY;
  const int64_t x_step = !is_scalar(a), y_step = !is_scalar(b);
  for (int64_t i = 0; i < out->count; i++)
    z[i] = sl__stan_apply_number(op, x[i * x_step], y[i * y_step]);
  out->form = SL__STAN_NUMBERS;
  out->numbers = z;
  return SL_OK;
}

/* ---- elementwise, nodes ---- */

/* A known scalar beside a container is part of the operation, and needs no operand. */
static bool known_scalar(const sl__stan_value *value, double *number) {
  if (!sl__stan_is_known(value) || !is_scalar(value)) return false;
  *number = value->form == SL__STAN_INTEGERS ? (double)*value->integers : *value->numbers;
  return true;
}

static sl_node with_number(sl__graph *g, sl__stan_operator op, sl_node a, double number,
                           bool number_first) {
  switch (op) {
    case SL__STAN_ADD: return op_shift(g, a, number);
    case SL__STAN_SUBTRACT:
      return number_first ? op_shift(g, op_negate(g, a), number) : op_shift(g, a, -number);
    case SL__STAN_MULTIPLY:
    case SL__STAN_TIMES_EACH: return op_scale(g, a, number);
    default: return 0;
  }
}

/* Powers with small known exponents: products, which exist for negative numbers too. */
static sl_node power_known(sl__graph *g, sl_node a, double exponent) {
  if (exponent == 2) return op_square(g, a);
  if (exponent == 1) return a;
  if (exponent == 0.5) return op_sqrt(g, a);
  if (exponent == -1) return op_reciprocal(g, a);
  if (exponent == -0.5) return op_reciprocal(g, op_sqrt(g, a));
  if (exponent == -2) return op_reciprocal(g, op_square(g, a));
  if (exponent == 3) return op_multiply(g, a, op_square(g, a));
  if (exponent == 4) return op_square(g, op_square(g, a));
  return 0;
}

static sl_node elements(sl__graph *g, sl__stan_operator op, sl_node a, sl_node b) {
  switch (op) {
    case SL__STAN_ADD: return op_add(g, a, b);
    case SL__STAN_SUBTRACT: return op_subtract(g, a, b);
    case SL__STAN_MULTIPLY:
    case SL__STAN_TIMES_EACH:
    case SL__STAN_AND: return op_multiply(g, a, b);
    case SL__STAN_DIVIDE:
    case SL__STAN_DIVIDE_EACH: return op_divide(g, a, b);
    case SL__STAN_POWER:
    case SL__STAN_POWER_EACH: return op_power(g, a, b);
    case SL__STAN_EQUAL: return op_equal(g, a, b);
    case SL__STAN_NOT_EQUAL: return op_shift(g, op_negate(g, op_equal(g, a, b)), 1);
    case SL__STAN_LESS: return op_less(g, a, b);
    case SL__STAN_LESS_EQUAL: return op_less_equal(g, a, b);
    case SL__STAN_GREATER: return op_less(g, b, a);
    case SL__STAN_GREATER_EQUAL: return op_less_equal(g, b, a);
    case SL__STAN_OR: return op_maximum(g, a, b);
    default:
      return sl__graph_refuse(g, SL_UNSUPPORTED,
                              "this operation on integers that depend on parameters is not "
                              "supported");
  }
}

/* Any number but 0 as 1. */
static sl_node truth(sl__stan_tracer *t, const sl__stan_value *value) {
  const sl_node node = sl__stan_node(t, value);
  return op_shift(t->graph,
                  op_negate(t->graph, op_equal(t->graph, node, op_number(t->graph, SL_F64, 0))), 1);
}

static sl_status node_elements(sl__stan_tracer *t, sl__stan_operator op, size_t place,
                               const sl__stan_value *a, const sl__stan_value *b,
                               sl__stan_value *out) {
  sl__graph *g = t->graph;
  double number;
  sl_node node = 0;
  const bool power = op == SL__STAN_POWER || op == SL__STAN_POWER_EACH;
  if (power && known_scalar(b, &number)) node = power_known(g, sl__stan_node(t, a), number);
  if (!node && !power && known_scalar(b, &number) && !is_scalar(a))
    node = with_number(g, op, sl__stan_node(t, a), number, false);
  if (!node && !power && known_scalar(a, &number) && !is_scalar(b))
    node = with_number(g, op, sl__stan_node(t, b), number, true);
  if (!node && (op == SL__STAN_AND || op == SL__STAN_OR))
    node = elements(g, op, truth(t, a), truth(t, b));
  if (!node) node = elements(g, op, sl__stan_node(t, a), sl__stan_node(t, b));
  out->form = SL__STAN_NODE;
  out->node = node;
  SL__TRY(sl__stan_count_steps(t, place, SL__STAN_NODE_STEPS));
  return node ? SL_OK : sl__stan_no_node(t, place);
}

/* ---- binary ---- */

sl_status sl__stan_binary(sl__stan_tracer *t, sl__stan_operator op, sl__stan_type type,
                          size_t place, const sl__stan_value *a, const sl__stan_value *b,
                          sl__stan_value *out) {
  const bool known = sl__stan_is_known(a) && sl__stan_is_known(b);
  if (known && is_scalar(a) && is_scalar(b))
    return sl__stan_binary_known(t, op, type, place, a, b, out);
  if (op == SL__STAN_MULTIPLY && sl__stan_is_product(a, b))
    return sl__stan_product(t, type, place, a, b, out);
  const sl__stan_value *shape = is_scalar(a) ? b : a;
  if (!is_scalar(a) && !is_scalar(b) && !sl__stan_same_shape(a, b)) {
    char left[128], right[128];
    t->wrong = true;
    return sl__stan_stop(t, SL_BAD_ARGUMENT, place,
                         "the sizes of the operands of '%s' differ: %s and %s",
                         sl__stan_operator_text(op), sl__stan_shape_text(a->dims, a->size, left),
                         sl__stan_shape_text(b->dims, b->size, right));
  }
  *out = (sl__stan_value){.type = type, .dims = shape->dims, .count = shape->count};
  memcpy(out->size, shape->size, sizeof out->size);
  SL__TRY(sl__stan_count_steps(t, place, out->count / 8));
  if (known || out->count == 0) {
    if (out->count == 0) {
      out->form = SL__STAN_NUMBERS;
      out->numbers = sl__stan_temporary(t, 0, sizeof(double));
      return out->numbers ? SL_OK : SL_NO_MEMORY;
    }
    return known_elements(t, op, a, b, out);
  }
  return node_elements(t, op, place, a, b, out);
}

/* ---- unary ---- */

/* Element [i][j] of the transpose is element [j][i]. */
static sl_status transpose(sl__stan_tracer *t, size_t place, const sl__stan_value *a,
                           sl__stan_type type, sl__stan_value *out) {
  *out = *a;
  out->type = type;
  if (a->dims < 2) return SL_OK; /* a vector becomes a row_vector of the same numbers */
  const int32_t rows = a->size[0], columns = a->size[1];
  out->size[0] = columns;
  out->size[1] = rows;
  out->kept = NULL;
  if (a->form == SL__STAN_NODE) {
    const sl_node matrix = op_reshape(t->graph, a->node, sl__shape2(rows, columns));
    out->node = op_reshape(t->graph, op_transpose(t->graph, matrix), sl__shape1((int32_t)a->count));
    return out->node ? SL_OK : sl__stan_no_node(t, place);
  }
  const size_t size = a->form == SL__STAN_PIECES ? sizeof(sl__stan_piece) : sizeof(double);
  char *copy = sl__stan_temporary(t, a->count, size);
  if (!copy) return SL_NO_MEMORY;
  const char *from = (const char *)a->numbers;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++)
      memcpy(copy + (size_t)(j * rows + i) * size, from + (size_t)(i * columns + j) * size, size);
  out->numbers = (const double *)(const void *)copy;
  return SL_OK;
}

static sl_status unary_integer(sl__stan_tracer *t, sl__stan_operator op, size_t place,
                               const sl__stan_value *a, sl__stan_value *out) {
  int64_t *integers = sl__stan_temporary(t, a->count, sizeof *integers);
  if (!integers) return SL_NO_MEMORY;
  for (int64_t i = 0; i < a->count; i++) {
    integers[i] = op == SL__STAN_NOT ? a->integers[i] == 0 : -a->integers[i];
    if (integers[i] > INT32_MAX)
      return sl__stan_stop(t, SL_BAD_ARGUMENT, place, "%lld is outside of the integers",
                           (long long)integers[i]);
  }
  out->integers = integers;
  return SL_OK;
}

sl_status sl__stan_unary(sl__stan_tracer *t, const sl__stan_expression *e, sl__stan_operator op,
                         const sl__stan_value *a, sl__stan_value *out) {
  if (op == SL__STAN_TRANSPOSE) return transpose(t, e->place, a, e->type, out);
  *out = *a;
  if (op == SL__STAN_PLUS) return SL_OK;
  out->kept = NULL;
  out->type = e->type;
  if (a->form == SL__STAN_INTEGERS) return unary_integer(t, op, e->place, a, out);
  if (a->form == SL__STAN_NUMBERS) {
    double *numbers = sl__stan_temporary(t, a->count, sizeof *numbers);
    if (!numbers) return SL_NO_MEMORY;
    for (int64_t i = 0; i < a->count; i++) numbers[i] = -a->numbers[i];
    out->numbers = numbers;
    return SL_OK;
  }
  const sl_node node = sl__stan_node(t, a);
  out->form = SL__STAN_NODE;
  out->node = op == SL__STAN_NOT ? op_equal(t->graph, node, op_number(t->graph, SL_F64, 0))
                                 : op_negate(t->graph, node);
  SL__TRY(sl__stan_count_steps(t, e->place, SL__STAN_NODE_STEPS));
  return out->node ? SL_OK : sl__stan_no_node(t, e->place);
}
