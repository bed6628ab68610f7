/* Statements: what they need, and whether a function's body returns on every path. */
#include "stan/check.h"

static sl_status check_statement(sl__stan_checker *c, sl__stan_statement *s, sl__stan_flow *flow);

/* A statement whose declarations end with it. */
static sl_status check_body(sl__stan_checker *c, sl__stan_statement *s, sl__stan_flow *flow) {
  sl__stan_name *mark = c->declared;
  SL__TRY(check_statement(c, s, flow));
  sl__stan_leave(c, mark);
  return SL_OK;
}

sl_status sl__stan_check_statements(sl__stan_checker *c, sl__stan_statement *first,
                                    sl__stan_flow *flow) {
  *flow = SL__STAN_GOES_ON;
  for (sl__stan_statement *s = first; s; s = s->next) {
    sl__stan_flow own;
    SL__TRY(check_statement(c, s, &own));
    if (*flow == SL__STAN_GOES_ON) *flow = own;
  }
  return SL_OK;
}

/* ---- control ---- */

static sl_status check_if(sl__stan_checker *c, sl__stan_statement *s, sl__stan_flow *flow) {
  bool returns = true, leaves = false;
  for (;;) { /* along "else if", which may be long */
    sl__stan_flow own;
    SL__TRY(sl__stan_check_int(c, s->value, "a condition"));
    SL__TRY(check_body(c, s->body, &own));
    returns = returns && own == SL__STAN_RETURNS;
    leaves = leaves || own == SL__STAN_LEAVES;
    if (!s->otherwise || s->otherwise->kind != SL__STAN_IF) break;
    s = s->otherwise;
  }
  sl__stan_flow last = SL__STAN_GOES_ON;
  if (s->otherwise) SL__TRY(check_body(c, s->otherwise, &last));
  returns = returns && last == SL__STAN_RETURNS;
  leaves = leaves || last == SL__STAN_LEAVES;
  *flow = leaves ? SL__STAN_LEAVES : returns ? SL__STAN_RETURNS : SL__STAN_GOES_ON;
  return SL_OK;
}

static sl_status check_loop_body(sl__stan_checker *c, sl__stan_statement *s, sl__stan_flow *flow) {
  c->loops++;
  SL__TRY(check_body(c, s->body, flow));
  c->loops--;
  return SL_OK;
}

/* Stan takes a loop whose body returns for one that runs. */
static sl_status check_while(sl__stan_checker *c, sl__stan_statement *s, sl__stan_flow *flow) {
  SL__TRY(sl__stan_check_int(c, s->value, "a condition"));
  SL__TRY(check_loop_body(c, s, flow));
  bool endless = s->value->kind == SL__STAN_INTEGER && s->value->integer != 0;
  if (*flow == SL__STAN_GOES_ON && endless) *flow = SL__STAN_RETURNS;
  if (*flow == SL__STAN_LEAVES) *flow = SL__STAN_GOES_ON;
  return SL_OK;
}

static sl_status check_foreach_type(sl__stan_checker *c, sl__stan_statement *s) {
  sl__stan_type type = s->value->type;
  bool numbers = sl__stan_is(type, SL__STAN_VECTOR_TYPE) ||
                 sl__stan_is(type, SL__STAN_ROW_VECTOR_TYPE) ||
                 sl__stan_is(type, SL__STAN_MATRIX_TYPE);
  if (type.base == SL__STAN_UNKNOWN_TYPE) {
    s->variable->type = type;
    return SL_OK;
  }
  char buffer[SL__STAN_TYPE_TEXT];
  if (type.arrays == 0 && !numbers)
    return sl__stan_fault(c, s->value->place,
                          "a loop runs over a range, an array, a vector, a row_vector or a matrix, "
                          "and this is %s",
                          sl__stan_type_text(type, buffer));
  s->variable->type = type.arrays > 0 ? sl__stan_type_of(type.base, type.arrays - 1)
                                      : sl__stan_type_of(SL__STAN_REAL_TYPE, 0);
  return SL_OK;
}

static sl_status check_for(sl__stan_checker *c, sl__stan_statement *s, sl__stan_flow *flow) {
  if (s->kind == SL__STAN_FOR) {
    SL__TRY(sl__stan_check_int(c, s->value, "the first value of a loop"));
    SL__TRY(sl__stan_check_int(c, s->high, "the last value of a loop"));
  } else {
    SL__TRY(sl__stan_check_expression(c, s->value));
    SL__TRY(check_foreach_type(c, s));
  }
  sl__stan_name *mark = c->declared;
  SL__TRY(sl__stan_declare(c, s->variable));
  SL__TRY(check_loop_body(c, s, flow));
  sl__stan_leave(c, mark);
  if (*flow == SL__STAN_LEAVES) *flow = SL__STAN_GOES_ON;
  return SL_OK;
}

static sl_status check_jump(sl__stan_checker *c, const sl__stan_statement *s) {
  if (c->loops > 0) return SL_OK;
  return sl__stan_fault(c, s->place, "'%s' stands in loops only",
                        s->kind == SL__STAN_BREAK ? "break" : "continue");
}

static sl_status check_return(sl__stan_checker *c, sl__stan_statement *s) {
  if (!c->function) return sl__stan_fault(c, s->place, "'return' stands in functions only");
  char wanted[SL__STAN_TYPE_TEXT], found[SL__STAN_TYPE_TEXT];
  sl__stan_type result = c->function->result;
  sl__stan_type_text(result, wanted);
  if (result.base == SL__STAN_VOID && s->value)
    return sl__stan_fault(c, s->place, "'%.60s' is void and returns no value; remove it",
                          c->function->name);
  if (result.base != SL__STAN_VOID && !s->value)
    return sl__stan_fault(c, s->place, "'%.60s' returns %s; write it behind 'return'",
                          c->function->name, wanted);
  if (!s->value) return SL_OK;
  SL__TRY(sl__stan_check_expression(c, s->value));
  if (sl__stan_promotion(s->value->type, result) >= 0) return SL_OK;
  return sl__stan_fault(c, s->value->place, "'%.60s' returns %s, and this is %s", c->function->name,
                        wanted, sl__stan_type_text(s->value->type, found));
}

/* ---- the rest ---- */

static sl_status check_addition(sl__stan_checker *c, sl__stan_statement *s) {
  SL__TRY(sl__stan_check_expression(c, s->value));
  if (s->kind == SL__STAN_TARGET_ADD) {
    SL__TRY(sl__stan_check_target(c, s->place, "target +="));
  } else {
    bool function = c->function && sl__stan_suffix_of(c->function->name) == SL__STAN_JACOBIAN;
    if (!function && c->block != SL__STAN_TRANSFORMED_PARAMETERS)
      return sl__stan_fault(c, s->place,
                            "jacobian += stands in transformed parameters and in functions that "
                            "end in _jacobian");
  }
  sl__stan_type type = s->value->type;
  char buffer[SL__STAN_TYPE_TEXT];
  bool number = type.base >= SL__STAN_INT_TYPE && type.base <= SL__STAN_MATRIX_TYPE;
  if (number || type.base == SL__STAN_UNKNOWN_TYPE) return SL_OK;
  return sl__stan_fault(c, s->value->place, "only real numbers can be added to the density, not %s",
                        sl__stan_type_text(type, buffer));
}

static sl_status check_print(sl__stan_checker *c, sl__stan_statement *s) {
  for (int i = 0; i < s->argument_count; i++) {
    SL__TRY(sl__stan_check_expression(c, s->argument[i]));
    if (s->argument[i]->type.base == SL__STAN_FUNCTION_TYPE)
      return sl__stan_fault(c, s->argument[i]->place, "a function cannot be printed; call it");
  }
  return SL_OK;
}

static sl_status check_statement(sl__stan_checker *c, sl__stan_statement *s, sl__stan_flow *flow) {
  *flow = SL__STAN_GOES_ON;
  switch (s->kind) {
    case SL__STAN_DECLARE: return sl__stan_check_declaration(c, s->variable);
    case SL__STAN_ASSIGN: return sl__stan_check_assignment(c, s);
    case SL__STAN_TILDE: return sl__stan_check_tilde(c, s);
    case SL__STAN_TARGET_ADD:
    case SL__STAN_JACOBIAN_ADD: return check_addition(c, s);
    case SL__STAN_EXPRESSION_STATEMENT: return sl__stan_check_call(c, s->value, true);
    case SL__STAN_IF: return check_if(c, s, flow);
    case SL__STAN_FOR:
    case SL__STAN_FOREACH: return check_for(c, s, flow);
    case SL__STAN_WHILE: return check_while(c, s, flow);
    case SL__STAN_BLOCK_STATEMENT: {
      sl__stan_name *mark = c->declared;
      SL__TRY(sl__stan_check_statements(c, s->first, flow));
      sl__stan_leave(c, mark);
      return SL_OK;
    }
    case SL__STAN_RETURN: *flow = SL__STAN_RETURNS; return check_return(c, s);
    case SL__STAN_BREAK: *flow = SL__STAN_LEAVES; return check_jump(c, s);
    case SL__STAN_CONTINUE: return check_jump(c, s);
    case SL__STAN_PRINT: return check_print(c, s);
    case SL__STAN_REJECT:
    case SL__STAN_FATAL_ERROR: *flow = SL__STAN_RETURNS; return check_print(c, s);
  }
  return SL_OK;
}
