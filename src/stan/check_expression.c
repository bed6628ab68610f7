/* Types of expressions. */
#include "stan/check.h"
#include <string.h>

static const sl__stan_type int_type = {SL__STAN_INT_TYPE, 0};
static const sl__stan_type real_type = {SL__STAN_REAL_TYPE, 0};
static const sl__stan_type unknown_type = {SL__STAN_UNKNOWN_TYPE, 0};

/* ---- variables ---- */

/* Integers count as data, as in Stan: nothing is differentiated through them. */
static bool is_data(const sl__stan_variable *variable) {
  bool from_data = variable->block == SL__STAN_DATA || variable->block == SL__STAN_TRANSFORMED_DATA;
  return from_data || variable->type.base == SL__STAN_INT_TYPE || variable->data_only_argument;
}

static sl_status refuse_name(sl__stan_checker *c, const sl__stan_expression *e) {
  const char *nearest;
  SL__TRY(sl__stan_nearest(c, e->name, false, &nearest));
  if (nearest)
    return sl__stan_fault(c, e->place, "there is no variable '%.60s' here; did you mean '%.60s'?",
                          e->name, nearest);
  return sl__stan_fault(c, e->place, "there is no variable '%.60s' here; declare it before its use",
                        e->name);
}

static sl_status check_size_variable(sl__stan_checker *c, const sl__stan_expression *e) {
  sl__stan_block block = e->variable->block;
  bool varies = block == SL__STAN_PARAMETERS || block == SL__STAN_TRANSFORMED_PARAMETERS ||
                block == SL__STAN_GENERATED_QUANTITIES;
  if (!c->sizing || !varies) return SL_OK;
  return sl__stan_fault(c, e->place,
                        "a size must be known from the data, but '%.60s' is declared in %s; use a "
                        "variable of data or transformed data",
                        e->name, sl__stan_block_name(block));
}

/* A variable, or a function's name where a function is wanted as an argument. */
static sl_status check_variable(sl__stan_checker *c, sl__stan_expression *e) {
  sl__stan_name *name = sl__stan_name_of(c, e->name);
  if (!name) return SL_NO_MEMORY;
  if (name->variable) {
    e->variable = name->variable;
    e->type = name->variable->type;
    e->data_only = is_data(name->variable);
    return check_size_variable(c, e);
  }
  const char *defined = sl__stan_defined_name(c, e->name);
  sl__stan_name *function = defined ? sl__stan_name_of(c, defined) : NULL;
  if (!function) return SL_NO_MEMORY;
  if (!function->overloads && !function->builtin) return refuse_name(c, e);
  e->function = function->overloads ? function->overloads->function : NULL;
  e->builtin = function->builtin;
  e->type = sl__stan_type_of(SL__STAN_FUNCTION_TYPE, 0);
  e->data_only = true;
  return sl__stan_check_unnormalised(c, e);
}

/* ---- operators ---- */

static sl_status refuse_operator(sl__stan_checker *c, const sl__stan_expression *e) {
  char left[SL__STAN_TYPE_TEXT], right[SL__STAN_TYPE_TEXT];
  const char *sign = sl__stan_operator_text(e->op);
  sl__stan_type_text(e->argument[0]->type, left);
  if (e->kind == SL__STAN_UNARY)
    return sl__stan_fault(c, e->place, "'%s' does not apply to %s", sign, left);
  sl__stan_type_text(e->argument[1]->type, right);
  const char *hint = "";
  bool vectors = e->argument[0]->type.base == e->argument[1]->type.base;
  if (vectors && e->op == SL__STAN_MULTIPLY)
    hint = "; .* multiplies element by element, dot_product adds that up";
  if (vectors && e->op == SL__STAN_DIVIDE) hint = "; ./ divides element by element";
  if (e->argument[0]->type.arrays > 0 || e->argument[1]->type.arrays > 0)
    hint = "; arrays take no arithmetic: to_vector, to_row_vector and to_matrix convert them";
  return sl__stan_fault(c, e->place, "there is no operator %s %s %s%s", left, sign, right, hint);
}

static sl_status check_operator(sl__stan_checker *c, sl__stan_expression *e) {
  sl__stan_type types[2];
  e->data_only = true;
  for (int i = 0; i < e->argument_count; i++) {
    SL__TRY(sl__stan_check_expression(c, e->argument[i]));
    types[i] = e->argument[i]->type;
    e->data_only = e->data_only && e->argument[i]->data_only;
  }
  for (int which = 0; which < 2; which++) {
    const char *function = sl__stan_operator_function(e->op, which);
    const sl__stan_name *name = function ? sl__stan_name_of(c, function) : NULL;
    if (!function) continue;
    if (!name) return SL_NO_MEMORY;
    sl__stan_fit fit;
    int signature = sl__stan_signature_match(name->builtin, types, e->argument_count, NULL, &fit);
    if (signature < 0) continue;
    e->builtin = name->builtin;
    e->signature = signature;
    e->type = fit.result;
    return SL_OK;
  }
  return refuse_operator(c, e);
}

static sl_status check_ternary(sl__stan_checker *c, sl__stan_expression *e) {
  sl__stan_expression *condition = e->argument[0], *yes = e->argument[1], *no = e->argument[2];
  SL__TRY(sl__stan_check_int(c, condition, "the condition of ? :"));
  SL__TRY(sl__stan_check_expression(c, yes));
  SL__TRY(sl__stan_check_expression(c, no));
  e->data_only = condition->data_only && yes->data_only && no->data_only;
  bool common = sl__stan_common_type(yes->type, no->type, &e->type);
  if (common && e->type.base != SL__STAN_FUNCTION_TYPE) return SL_OK;
  char left[SL__STAN_TYPE_TEXT], right[SL__STAN_TYPE_TEXT];
  return sl__stan_fault(c, e->place, "the two values of ? : must be of one type, and are %s and %s",
                        sl__stan_type_text(yes->type, left), sl__stan_type_text(no->type, right));
}

/* ---- literals ---- */

static sl_status check_elements(sl__stan_checker *c, sl__stan_expression *e) {
  e->data_only = true;
  for (int i = 0; i < e->argument_count; i++) {
    SL__TRY(sl__stan_check_expression(c, e->argument[i]));
    e->data_only = e->data_only && e->argument[i]->data_only;
  }
  return SL_OK;
}

static sl_status check_array(sl__stan_checker *c, sl__stan_expression *e) {
  SL__TRY(check_elements(c, e));
  sl__stan_type common = unknown_type;
  for (int i = 0; i < e->argument_count; i++) {
    sl__stan_type type = e->argument[i]->type, before = common;
    char first[SL__STAN_TYPE_TEXT], other[SL__STAN_TYPE_TEXT];
    bool fits = sl__stan_common_type(before, type, &common);
    if (!fits || type.base == SL__STAN_FUNCTION_TYPE || type.base == SL__STAN_VOID)
      return sl__stan_fault(c, e->argument[i]->place,
                            "the elements of an array must be of one type; expected %s, found %s",
                            sl__stan_type_text(i > 0 ? before : real_type, first),
                            sl__stan_type_text(type, other));
  }
  if (common.arrays >= SL__STAN_MAX_ARRAYS)
    return sl__stan_fault(c, e->place, "an array of more than %d dimensions; use fewer",
                          SL__STAN_MAX_ARRAYS);
  e->type = sl__stan_type_of(common.base, common.arrays + 1);
  return SL_OK;
}

/* [a, b]: a row vector of scalars, or a matrix of row vectors. */
static sl_status check_row(sl__stan_checker *c, sl__stan_expression *e) {
  SL__TRY(check_elements(c, e));
  const sl__stan_type row = {SL__STAN_ROW_VECTOR_TYPE, 0};
  bool matrix = e->argument_count > 0 &&
                (sl__stan_is(e->argument[0]->type, SL__STAN_ROW_VECTOR_TYPE) ||
                 sl__stan_is(e->argument[0]->type, SL__STAN_COMPLEX_ROW_VECTOR_TYPE));
  sl__stan_type common = matrix ? row : real_type;
  for (int i = 0; i < e->argument_count; i++) {
    char buffer[SL__STAN_TYPE_TEXT];
    if (!sl__stan_common_type(common, e->argument[i]->type, &common))
      return sl__stan_fault(c, e->argument[i]->place,
                            "between [ ] stand numbers (a row_vector) or row_vectors (a matrix); "
                            "expected %s, found %s",
                            matrix ? "row_vector" : "real",
                            sl__stan_type_text(e->argument[i]->type, buffer));
  }
  bool complex_numbers = sl__stan_is_complex(common);
  sl__stan_base real_base = matrix ? SL__STAN_MATRIX_TYPE : SL__STAN_ROW_VECTOR_TYPE;
  sl__stan_base complex_base =
      matrix ? SL__STAN_COMPLEX_MATRIX_TYPE : SL__STAN_COMPLEX_ROW_VECTOR_TYPE;
  e->type = sl__stan_type_of(complex_numbers ? complex_base : real_base, 0);
  return SL_OK;
}

static sl_status check_integer(sl__stan_checker *c, sl__stan_expression *e) {
  e->type = int_type;
  e->data_only = true;
  if (e->integer <= INT32_MAX) return SL_OK;
  return sl__stan_fault(c, e->place, "the integer is above 2147483647; write it as a real");
}

static sl_status check_target_value(sl__stan_checker *c, sl__stan_expression *e) {
  e->type = real_type;
  bool in_function = c->function && sl__stan_suffix_of(c->function->name) == SL__STAN_LP;
  if (in_function || c->block == SL__STAN_MODEL || c->block == SL__STAN_TRANSFORMED_PARAMETERS)
    return SL_OK;
  return sl__stan_fault(c, e->place,
                        "target() is known in model and transformed parameters and in functions "
                        "that end in _lp");
}

/* ---- all ---- */

sl_status sl__stan_check_int(sl__stan_checker *c, sl__stan_expression *e, const char *what) {
  SL__TRY(sl__stan_check_expression(c, e));
  if (sl__stan_promotion(e->type, int_type) == 0) return SL_OK;
  char buffer[SL__STAN_TYPE_TEXT];
  const bool compares = strstr(what, "condition") && sl__stan_is(e->type, SL__STAN_REAL_TYPE);
  return sl__stan_fault(c, e->place, "%s must be int, and is %s%s", what,
                        sl__stan_type_text(e->type, buffer),
                        compares ? "; compare it, as in x > 0" : "");
}

sl_status sl__stan_check_expression(sl__stan_checker *c, sl__stan_expression *e) {
  switch (e->kind) {
    case SL__STAN_INTEGER: return check_integer(c, e);
    case SL__STAN_REAL:
      e->type = real_type;
      e->data_only = true;
      return SL_OK;
    case SL__STAN_IMAGINARY:
      e->type = sl__stan_type_of(SL__STAN_COMPLEX_TYPE, 0);
      e->data_only = true;
      return sl__stan_note(c, "complex numbers", e->place);
    case SL__STAN_STRING:
      e->type = sl__stan_type_of(SL__STAN_STRING_TYPE, 0);
      e->data_only = true;
      return SL_OK;
    case SL__STAN_VARIABLE: return check_variable(c, e);
    case SL__STAN_CALL: return sl__stan_check_call(c, e, false);
    case SL__STAN_INDEXED: return sl__stan_check_indexed(c, e);
    case SL__STAN_UNARY:
    case SL__STAN_BINARY: return check_operator(c, e);
    case SL__STAN_TERNARY: return check_ternary(c, e);
    case SL__STAN_ARRAY: return check_array(c, e);
    case SL__STAN_ROW: return check_row(c, e);
    case SL__STAN_TUPLE:
      SL__TRY(check_elements(c, e));
      e->type = sl__stan_type_of(SL__STAN_TUPLE_TYPE, 0);
      return sl__stan_note(c, "tuples", e->place);
    case SL__STAN_MEMBER: return sl__stan_check_member(c, e);
    case SL__STAN_TARGET: return check_target_value(c, e);
  }
  return SL_OK;
}
