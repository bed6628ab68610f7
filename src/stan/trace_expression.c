/* Expressions. */
#include "stan/trace.h"
#include <string.h>

static sl_status known(sl__stan_value value, sl__stan_value *out) {
  *out = value;
  return value.numbers ? SL_OK : SL_NO_MEMORY;
}

static sl_status evaluate_variable(sl__stan_tracer *t, const sl__stan_expression *e,
                                   sl__stan_value *out) {
  if (!e->variable) {
    if (!e->function)
      return sl__stan_stop(t, SL_UNSUPPORTED, e->place,
                           "a function of Stan's as an argument is not supported; wrap '%.60s' in "
                           "a function of your own",
                           e->name);
    *out = (sl__stan_value){.type = e->type, .form = SL__STAN_CALLABLE, .function = e->function};
    return SL_OK;
  }
  sl__stan_slot *slot = &t->frame->slot[e->variable->slot];
  *out = slot->value;
  if (slot->value.dims > 0 && !slot->value.kept) out->kept = &slot->node;
  return SL_OK;
}

sl_status sl__stan_evaluate_integer(sl__stan_tracer *t, const sl__stan_expression *e,
                                    const char *what, int64_t *out) {
  if (e->kind == SL__STAN_INTEGER) {
    *out = e->integer;
    return SL_OK;
  }
  sl__stan_value value;
  SL__TRY(sl__stan_evaluate(t, e, &value));
  if (value.form != SL__STAN_INTEGERS)
    return sl__stan_stop(t, SL_UNSUPPORTED, e->place,
                         "%s that depends on parameters is not supported", what);
  *out = value.integers[0];
  return SL_OK;
}

static sl_status evaluate_indexed(sl__stan_tracer *t, const sl__stan_expression *e,
                                  sl__stan_value *out) {
  sl__stan_value whole;
  sl__stan_selection selection;
  SL__TRY(sl__stan_evaluate(t, e->argument[0], &whole));
  SL__TRY(sl__stan_select(t, e, &whole, &selection));
  return sl__stan_read(t, &whole, e->type, &selection, e->place, out);
}

/* ---- && and || stop at a first operand that decides ---- */

static sl_status evaluate_logic(sl__stan_tracer *t, const sl__stan_expression *e,
                                sl__stan_value *out) {
  sl__stan_value left, right;
  SL__TRY(sl__stan_evaluate(t, e->argument[0], &left));
  if (sl__stan_is_known(&left)) {
    const double *truth = sl__stan_reals(t, &left);
    if (!truth) return SL_NO_MEMORY;
    const bool is_true = *truth != 0;
    if (is_true == (e->op == SL__STAN_OR)) return known(sl__stan_integer(t, is_true), out);
  }
  SL__TRY(sl__stan_evaluate(t, e->argument[1], &right));
  return sl__stan_binary(t, e->op, e->type, e->place, &left, &right, out);
}

static sl_status evaluate_binary(sl__stan_tracer *t, const sl__stan_expression *e,
                                 sl__stan_value *out) {
  if (e->op == SL__STAN_AND || e->op == SL__STAN_OR) return evaluate_logic(t, e, out);
  sl__stan_value argument[2];
  SL__TRY(sl__stan_evaluate(t, e->argument[0], &argument[0]));
  SL__TRY(sl__stan_evaluate(t, e->argument[1], &argument[1]));
  const bool matrix = sl__stan_is(argument[1].type, SL__STAN_MATRIX_TYPE);
  if (e->op == SL__STAN_LEFT_DIVIDE || (e->op == SL__STAN_DIVIDE && matrix && e->builtin &&
                                        strcmp(e->builtin->name, "mdivide_right") == 0)) {
    sl__stan_call call = {.tracer = t,
                          .builtin = e->builtin,
                          .signature = e->signature,
                          .type = e->type,
                          .expression = e,
                          .place = e->place,
                          .count = 2,
                          .argument = argument,
                          .result = out};
    return sl__stan_call_builtin(t, &call);
  }
  return sl__stan_binary(t, e->op, e->type, e->place, &argument[0], &argument[1], out);
}

static sl_status evaluate_unary(sl__stan_tracer *t, const sl__stan_expression *e,
                                sl__stan_value *out) {
  sl__stan_value a;
  SL__TRY(sl__stan_evaluate(t, e->argument[0], &a));
  return sl__stan_unary(t, e, e->op, &a, out);
}

/* ---- choice ---- */

sl_status sl__stan_choose(sl__stan_tracer *t, sl_node condition, size_t place,
                          const sl__stan_value *yes, const sl__stan_value *no,
                          sl__stan_value *out) {
  char left[128], right[128];
  if (!sl__stan_same_shape(yes, no))
    return sl__stan_stop(t, SL_UNSUPPORTED, place,
                         "a choice that depends on parameters must be between values of one size, "
                         "and these have %s and %s",
                         sl__stan_shape_text(yes->dims, yes->size, left),
                         sl__stan_shape_text(no->dims, no->size, right));
  *out = *yes;
  out->kept = NULL;
  if (yes->count == 0) return SL_OK;
  const sl_node a = sl__stan_node(t, yes), b = sl__stan_node(t, no);
  out->form = SL__STAN_NODE;
  out->node = op_choose(t->graph, condition, a, b);
  SL__TRY(sl__stan_count_steps(t, place, SL__STAN_NODE_STEPS));
  return out->node ? SL_OK : sl__stan_no_node(t, place);
}

/* Where the choice is taken: what a density in it requires is required only there. */
static sl_status evaluate_where(sl__stan_tracer *t, const sl__stan_expression *e, sl_node taken,
                                sl__stan_value *out) {
  const sl_node outer = t->mask;
  t->mask = outer ? op_multiply(t->graph, outer, taken) : taken;
  if (!t->mask) return sl__stan_no_node(t, e->place);
  const sl_status status = sl__stan_evaluate(t, e, out);
  t->mask = outer;
  return status;
}

static sl_status evaluate_ternary(sl__stan_tracer *t, const sl__stan_expression *e,
                                  sl__stan_value *out) {
  sl__stan_value condition, yes, no;
  SL__TRY(sl__stan_evaluate(t, e->argument[0], &condition));
  if (sl__stan_is_known(&condition)) {
    SL__TRY(sl__stan_evaluate(t, e->argument[*condition.integers ? 1 : 2], out));
    return sl__stan_promote(t, out, e->type);
  }
  const sl_node zero = op_number(t->graph, SL_F64, 0);
  const sl_node fails = op_equal(t->graph, sl__stan_node(t, &condition), zero);
  const sl_node holds = op_shift(t->graph, op_negate(t->graph, fails), 1);
  SL__TRY(evaluate_where(t, e->argument[1], holds, &yes));
  SL__TRY(evaluate_where(t, e->argument[2], fails, &no));
  SL__TRY(sl__stan_choose(t, holds, e->place, &yes, &no, out));
  out->type = e->type;
  return SL_OK;
}

/* ---- { a, b } and [ a, b ] ---- */

static void put_pieces(sl__stan_piece *to, const sl__stan_value *value) {
  for (int64_t i = 0; i < value->count; i++) {
    switch (value->form) {
      case SL__STAN_INTEGERS: to[i] = (sl__stan_piece){.number = (double)value->integers[i]}; break;
      case SL__STAN_NUMBERS: to[i] = (sl__stan_piece){.number = value->numbers[i]}; break;
      case SL__STAN_PIECES: to[i] = value->pieces[i]; break;
      default:
        to[i] = (sl__stan_piece){.node = value->node, .index = value->dims ? (int32_t)i : -1};
    }
  }
}

static sl_status collect(sl__stan_tracer *t, const sl__stan_value *part, int count,
                         sl__stan_value *out) {
  bool integers = out->type.base == SL__STAN_INT_TYPE;
  if (integers) {
    int64_t *all = sl__stan_temporary(t, out->count, sizeof *all);
    if (!all) return SL_NO_MEMORY;
    for (int i = 0; i < count; i++)
      memcpy(all + i * part[0].count, part[i].integers, (size_t)part[0].count * sizeof *all);
    out->form = SL__STAN_INTEGERS;
    out->integers = all;
    return SL_OK;
  }
  sl__stan_piece *all = sl__stan_temporary(t, out->count, sizeof *all);
  if (!all) return SL_NO_MEMORY;
  for (int i = 0; i < count; i++) put_pieces(all + i * part[0].count, &part[i]);
  out->form = SL__STAN_PIECES;
  out->pieces = all;
  return sl__stan_settle(t, out);
}

static sl_status evaluate_list(sl__stan_tracer *t, const sl__stan_expression *e,
                               sl__stan_value *out) {
  const int count = e->argument_count;
  sl__stan_value *part = sl__stan_temporary(t, count, sizeof *part);
  if (!part) return SL_NO_MEMORY;
  *out = (sl__stan_value){.type = e->type, .dims = 1, .size = {count}, .count = count};
  char first[128], other[128];
  for (int i = 0; i < count; i++) {
    SL__TRY(sl__stan_evaluate(t, e->argument[i], &part[i]));
    if (e->type.base == SL__STAN_INT_TYPE && part[i].form != SL__STAN_INTEGERS)
      return sl__stan_stop(t, SL_UNSUPPORTED, e->argument[i]->place,
                           "integers that depend on parameters cannot be elements of an array");
    if (!sl__stan_same_shape(&part[0], &part[i]))
      return sl__stan_stop(t, SL_BAD_ARGUMENT, e->argument[i]->place,
                           "the elements must have one size; the first has %s, this one %s",
                           sl__stan_shape_text(part[0].dims, part[0].size, first),
                           sl__stan_shape_text(part[i].dims, part[i].size, other));
  }
  if (count == 0) {
    out->dims = sl__stan_dimensions(e->type);
    return collect(t, part, 0, out);
  }
  out->dims = part[0].dims + 1;
  if (out->dims > SL__STAN_MAX_DIMS)
    return sl__stan_stop(t, SL_UNSUPPORTED, e->place, "too many dimensions");
  memcpy(out->size + 1, part[0].size, (size_t)part[0].dims * sizeof *out->size);
  out->count = count * part[0].count;
  return collect(t, part, count, out);
}

/* ---- all ---- */

static sl_status evaluate(sl__stan_tracer *t, const sl__stan_expression *e, sl__stan_value *out) {
  switch (e->kind) {
    case SL__STAN_INTEGER: return known(sl__stan_integer(t, e->integer), out);
    case SL__STAN_REAL: return known(sl__stan_number(t, e->real), out);
    case SL__STAN_VARIABLE: return evaluate_variable(t, e, out);
    case SL__STAN_CALL: return sl__stan_evaluate_call(t, e, out);
    case SL__STAN_INDEXED: return evaluate_indexed(t, e, out);
    case SL__STAN_UNARY: return evaluate_unary(t, e, out);
    case SL__STAN_BINARY: return evaluate_binary(t, e, out);
    case SL__STAN_TERNARY: return evaluate_ternary(t, e, out);
    case SL__STAN_ARRAY:
    case SL__STAN_ROW: return evaluate_list(t, e, out);
    case SL__STAN_TARGET:
      if (!t->main_graph) return known(sl__stan_number(t, t->known + t->known_low), out);
      *out = sl__stan_scalar_node(sl__stan_target_sum(t));
      return out->node ? SL_OK : sl__stan_no_node(t, e->place);
    case SL__STAN_STRING:
    case SL__STAN_IMAGINARY:
    case SL__STAN_TUPLE:
    case SL__STAN_MEMBER: break;
  }
  return sl__stan_stop(t, SL_UNSUPPORTED, e->place, "tuples and complex numbers are not supported");
}

/* What a message calls it; NULL: nothing that makes numbers of its own. */
static const char *operation_of(const sl__stan_expression *e) {
  if (e->kind == SL__STAN_CALL) return e->name;
  const bool is_operator = e->kind == SL__STAN_UNARY || e->kind == SL__STAN_BINARY;
  return is_operator ? sl__stan_operator_text(e->op) : NULL;
}

sl_status sl__stan_evaluate(sl__stan_tracer *t, const sl__stan_expression *e, sl__stan_value *out) {
  SL__TRY(sl__stan_count_steps(t, e->place, 1));
  SL__TRY(sl__stan_enter(t, e->place));
  const sl_status status = evaluate(t, e, out);
  t->nesting--;
  return status != SL_OK ? status : sl__stan_limit_nodes(t, e->place, operation_of(e));
}
