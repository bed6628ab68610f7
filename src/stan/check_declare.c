/* Declarations: sizes, bounds, what each block allows, the value given with the declaration. */
#include "stan/check.h"

const char *sl__stan_conversion(sl__stan_type wanted, sl__stan_type found) {
  const bool vectors = wanted.arrays == 0 && found.arrays == 0;
  const bool column = wanted.base == SL__STAN_VECTOR_TYPE;
  const bool row = wanted.base == SL__STAN_ROW_VECTOR_TYPE;
  if (sl__stan_is(wanted, SL__STAN_INT_TYPE) && sl__stan_is(found, SL__STAN_REAL_TYPE))
    return "; declare it real, or divide with %/%";
  if (vectors && ((column && found.base == SL__STAN_ROW_VECTOR_TYPE) ||
                  (row && found.base == SL__STAN_VECTOR_TYPE)))
    return "; transpose with '";
  if (column && wanted.arrays == 0 && found.arrays == 1) return "; convert with to_vector";
  if (row && wanted.arrays == 0 && found.arrays == 1) return "; convert with to_row_vector";
  return "";
}

static sl_status check_sizes(sl__stan_checker *c, const sl__stan_variable *variable) {
  c->sizing = !variable->local;
  sl_status status = SL_OK;
  for (int i = 0; i < variable->size_count && status == SL_OK; i++) {
    /* Variables of one declaration share their sizes, which are checked with the first. */
    if (variable->size[i]->type.base == SL__STAN_VOID)
      status = sl__stan_check_int(c, variable->size[i], "a size");
  }
  c->sizing = false;
  return status;
}

/* A bound is a scalar, or has the type of the variable: one bound for each element. */
static sl_status check_bound(sl__stan_checker *c, const sl__stan_variable *variable,
                             sl__stan_expression *bound, const char *what) {
  if (!bound) return SL_OK;
  SL__TRY(sl__stan_check_expression(c, bound));
  char found[SL__STAN_TYPE_TEXT], wanted[SL__STAN_TYPE_TEXT];
  sl__stan_type_text(bound->type, found);
  sl__stan_type_text(variable->type, wanted);
  bool scalar = sl__stan_is_scalar(bound->type) || bound->type.base == SL__STAN_UNKNOWN_TYPE;
  if (!scalar && !sl__stan_same(bound->type, variable->type))
    return sl__stan_fault(c, bound->place, "%s of %s must be real%s%s, and is %s", what, wanted,
                          sl__stan_is_scalar(variable->type) ? "" : " or ",
                          sl__stan_is_scalar(variable->type) ? "" : wanted, found);
  if (sl__stan_is(variable->type, SL__STAN_INT_TYPE) &&
      sl__stan_promotion(bound->type, variable->type))
    return sl__stan_fault(c, bound->place, "%s of an int must be int, and is %s", what, found);
  return SL_OK;
}

static sl_status check_constraint(sl__stan_checker *c, const sl__stan_variable *variable) {
  SL__TRY(check_bound(c, variable, variable->lower, "the lower bound"));
  SL__TRY(check_bound(c, variable, variable->upper, "the upper bound"));
  SL__TRY(check_bound(c, variable, variable->offset, "the offset"));
  SL__TRY(check_bound(c, variable, variable->multiplier, "the multiplier"));
  if (variable->constraint != SL__STAN_UNCONSTRAINED && sl__stan_is_complex(variable->type))
    return sl__stan_fault(c, variable->place, "complex variables have no bounds; remove them");
  return SL_OK;
}

static sl_status check_block(sl__stan_checker *c, const sl__stan_variable *variable) {
  bool parameter =
      variable->block == SL__STAN_PARAMETERS || variable->block == SL__STAN_TRANSFORMED_PARAMETERS;
  if (!parameter || variable->local || variable->type.base != SL__STAN_INT_TYPE) return SL_OK;
  return sl__stan_fault(c, variable->place,
                        "parameters are real numbers; integers can be declared in data, "
                        "transformed data, generated quantities, or locally");
}

/* A variable, or a member of a tuple, which has no name. */
static sl_status check_type(sl__stan_checker *c, const sl__stan_variable *variable) {
  SL__TRY(check_sizes(c, variable));
  SL__TRY(check_constraint(c, variable));
  SL__TRY(check_block(c, variable));
  if (sl__stan_is_complex(variable->type))
    SL__TRY(sl__stan_note(c, "complex numbers", variable->place));
  if (variable->type.base == SL__STAN_TUPLE_TYPE)
    SL__TRY(sl__stan_note(c, "tuples", variable->place));
  for (int i = 0; i < variable->element_count; i++) {
    variable->element[i]->local = variable->local;
    SL__TRY(check_type(c, variable->element[i]));
  }
  return SL_OK;
}

sl_status sl__stan_check_declaration(sl__stan_checker *c, sl__stan_variable *variable) {
  SL__TRY(check_type(c, variable));
  SL__TRY(sl__stan_declare(c, variable));
  if (!variable->value) return SL_OK;
  SL__TRY(sl__stan_check_expression(c, variable->value));
  if (sl__stan_promotion(variable->value->type, variable->type) >= 0) return SL_OK;
  char wanted[SL__STAN_TYPE_TEXT], found[SL__STAN_TYPE_TEXT];
  return sl__stan_fault(c, variable->value->place, "'%.60s' is %s; %s cannot be assigned to it%s",
                        variable->name, sl__stan_type_text(variable->type, wanted),
                        sl__stan_type_text(variable->value->type, found),
                        sl__stan_conversion(variable->type, variable->value->type));
}
