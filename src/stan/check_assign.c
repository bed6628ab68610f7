/* Assignments: what may be assigned to, and of which type. */
#include "stan/check.h"

static bool is_argument(const sl__stan_checker *c, const sl__stan_variable *variable) {
  for (int i = 0; c->function && i < c->function->argument_count; i++)
    if (c->function->argument[i] == variable) return true;
  return false;
}

/* Whether the variable itself may be changed here. */
static sl_status check_writable(sl__stan_checker *c, const sl__stan_expression *e) {
  const sl__stan_variable *variable = e->variable;
  if (!variable)
    return sl__stan_fault(c, e->place, "'%.60s' is a function and cannot be assigned to", e->name);
  if (variable->loop)
    return sl__stan_fault(
        c, e->place,
        "'%.60s' is the variable of a loop and cannot be assigned to; assign to a "
        "copy",
        e->name);
  if (is_argument(c, variable))
    return sl__stan_fault(
        c, e->place,
        "'%.60s' is an argument of the function and cannot be assigned to; assign "
        "to a copy",
        e->name);
  if (variable->local || variable->block == c->block) return SL_OK;
  return sl__stan_fault(c, e->place, "'%.60s' is declared in %s and cannot be assigned to in %s",
                        e->name, sl__stan_block_name(variable->block),
                        sl__stan_block_name(c->block));
}

static sl_status check_left(sl__stan_checker *c, sl__stan_expression *e);

static sl_status check_tuple_left(sl__stan_checker *c, sl__stan_expression *e) {
  for (int i = 0; i < e->argument_count; i++) SL__TRY(check_left(c, e->argument[i]));
  return SL_OK;
}

static sl_status check_left(sl__stan_checker *c, sl__stan_expression *e) {
  if (e->kind == SL__STAN_TUPLE) return check_tuple_left(c, e);
  bool above_multiple = false;
  for (; e->kind == SL__STAN_INDEXED || e->kind == SL__STAN_MEMBER; e = e->argument[0]) {
    const sl__stan_expression *inner = e->argument[0];
    for (int i = 0; inner->kind == SL__STAN_INDEXED && i < inner->index_count; i++)
      above_multiple = above_multiple || sl__stan_is_multiple(&inner->index[i]);
    if (above_multiple)
      return sl__stan_fault(c, e->place,
                            "an index behind a range assigns to a copy; put all indices into one "
                            "[ ]");
  }
  return check_writable(c, e);
}

static sl_status refuse(sl__stan_checker *c, const sl__stan_statement *s) {
  char left[SL__STAN_TYPE_TEXT], right[SL__STAN_TYPE_TEXT];
  sl__stan_type_text(s->left->type, left);
  sl__stan_type_text(s->value->type, right);
  if (s->compound)
    return sl__stan_fault(c, s->left->place, "there is no assignment %s %s= %s", left,
                          sl__stan_operator_text(s->op), right);
  return sl__stan_fault(c, s->value->place, "%s cannot be assigned to %s%s", right, left,
                        sl__stan_conversion(s->left->type, s->value->type));
}

/* x op= y needs x op y to have the type of x; ./= and .*= are for containers. */
static bool is_compound_good(const sl__stan_statement *s) {
  const sl__stan_type types[2] = {s->left->type, s->value->type};
  bool scalar = sl__stan_dimensions(types[0]) == 0;
  bool each = s->op == SL__STAN_TIMES_EACH || s->op == SL__STAN_DIVIDE_EACH;
  const sl__stan_builtin *builtin = sl__stan_builtin_find(sl__stan_operator_function(s->op, 0));
  sl__stan_fit fit;
  if (types[0].base == SL__STAN_UNKNOWN_TYPE || types[1].base == SL__STAN_UNKNOWN_TYPE) return true;
  if ((each && scalar) || !builtin) return false;
  return sl__stan_signature_match(builtin, types, 2, NULL, &fit) >= 0 &&
         sl__stan_same(fit.result, types[0]);
}

sl_status sl__stan_check_assignment(sl__stan_checker *c, sl__stan_statement *s) {
  SL__TRY(sl__stan_check_expression(c, s->left));
  SL__TRY(check_left(c, s->left));
  SL__TRY(sl__stan_check_expression(c, s->value));
  bool good =
      s->compound ? is_compound_good(s) : sl__stan_promotion(s->value->type, s->left->type) >= 0;
  bool function = s->value->type.base == SL__STAN_FUNCTION_TYPE;
  return good && !function ? SL_OK : refuse(c, s);
}
