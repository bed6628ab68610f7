/* The block "functions": what may be defined under which name, then the bodies. */
#include "stan/check.h"
#include <string.h>

static bool same_arguments(const sl__stan_function *a, const sl__stan_function *b) {
  if (a->argument_count != b->argument_count) return false;
  for (int i = 0; i < a->argument_count; i++)
    if (!sl__stan_same(a->argument[i]->type, b->argument[i]->type)) return false;
  return true;
}

static bool same_data(const sl__stan_function *a, const sl__stan_function *b) {
  for (int i = 0; i < a->argument_count; i++)
    if (a->argument[i]->data_only_argument != b->argument[i]->data_only_argument) return false;
  return true;
}

/* Whether tuples are among the arguments: their members are not compared. */
static bool has_tuple(const sl__stan_function *function) {
  for (int i = 0; i < function->argument_count; i++)
    if (function->argument[i]->type.base == SL__STAN_TUPLE_TYPE) return true;
  return false;
}

/* ---- names and types ---- */

static sl_status check_ending(sl__stan_checker *c, const sl__stan_function *function) {
  sl__stan_suffix suffix = sl__stan_suffix_of(function->name);
  bool real = sl__stan_is(function->result, SL__STAN_REAL_TYPE);
  char buffer[SL__STAN_TYPE_TEXT];
  if (suffix == SL__STAN_LUPDF || suffix == SL__STAN_LUPMF)
    return sl__stan_fault(c, function->place,
                          "'%.60s' is called under that name, but defined with all its constants: "
                          "rename it to end in %s",
                          function->name, suffix == SL__STAN_LUPDF ? "_lpdf" : "_lpmf");
  bool density = suffix == SL__STAN_LPDF || suffix == SL__STAN_LPMF;
  if ((density || suffix == SL__STAN_CDF_SUFFIX) && !real)
    return sl__stan_fault(c, function->place, "'%.60s' must return real, and returns %s",
                          function->name, sl__stan_type_text(function->result, buffer));
  if (!density) return SL_OK;
  const char *wanted = suffix == SL__STAN_LPDF ? "real numbers" : "integers";
  if (function->argument_count == 0)
    return sl__stan_fault(c, function->place,
                          "'%.60s' needs a first argument of %s, whose density it is",
                          function->name, wanted);
  const sl__stan_variable *first = function->argument[0];
  bool tuple = first->type.base == SL__STAN_TUPLE_TYPE;
  bool integers = first->type.base == SL__STAN_INT_TYPE;
  if (tuple || integers == (suffix == SL__STAN_LPMF)) return SL_OK;
  return sl__stan_fault(c, first->place,
                        "the first argument of '%.60s' must be of %s, and is %s; the ending for it "
                        "is %s",
                        function->name, wanted, sl__stan_type_text(first->type, buffer),
                        integers ? "_lpmf" : "_lpdf");
}

/* Functions that take functions, or any number of arguments, cannot be overloaded. */
static bool is_special(const sl__stan_builtin *builtin) {
  sl__stan_signature signature;
  return builtin && sl__stan_signature_at(builtin, 0, &signature) && signature.more;
}

static sl_status check_against_builtin(sl__stan_checker *c, const sl__stan_function *function,
                                       const sl__stan_builtin *builtin) {
  if (!builtin) return SL_OK;
  if (is_special(builtin))
    return sl__stan_fault(c, function->place, "'%.60s' is a function of Stan's; rename yours",
                          function->name);
  sl__stan_type *types =
      sl__arena_take(&c->scratch, (size_t)function->argument_count, sizeof *types);
  if (!types) return SL_NO_MEMORY;
  for (int i = 0; i < function->argument_count; i++) types[i] = function->argument[i]->type;
  sl__stan_fit fit;
  int found = sl__stan_signature_match(builtin, types, function->argument_count, NULL, &fit);
  if (found < 0 || fit.cost > 0) return SL_OK;
  return sl__stan_fault(c, function->place,
                        "'%.60s' of these arguments is a function of Stan's; rename yours",
                        function->name);
}

/* ---- overloads ---- */

static sl_status refuse_twice(sl__stan_checker *c, const sl__stan_function *function,
                              const sl__stan_function *other, const char *what) {
  int line, column;
  sl__source_place(&c->program->source, other->place, &line, &column);
  return sl__stan_fault(c, function->place,
                        "'%.60s' of these arguments is %s, at %d:%d; remove one", function->name,
                        what, line, column);
}

/* Adds a function to those of its name; a definition takes the place of its declaration. */
static sl_status enter(sl__stan_checker *c, sl__stan_function *function) {
  sl__stan_name *name = sl__stan_name_of(c, function->name);
  if (!name) return SL_NO_MEMORY;
  SL__TRY(check_ending(c, function));
  SL__TRY(check_against_builtin(c, function, name->builtin));
  for (sl__stan_overload *o = name->overloads; o; o = o->next) {
    const sl__stan_function *other = o->function;
    if (!same_arguments(function, other) || has_tuple(function)) continue;
    bool same = sl__stan_same(function->result, other->result);
    if (!same) return refuse_twice(c, function, other, "declared with another result");
    if (other->body) return refuse_twice(c, function, other, "defined already");
    if (!function->body) return refuse_twice(c, function, other, "declared already");
    if (!same_data(function, other))
      return refuse_twice(c, function, other, "declared with other arguments marked 'data'");
    o->function = function;
    return SL_OK;
  }
  sl__stan_overload *added = sl__arena_take(&c->scratch, 1, sizeof *added);
  if (!added) return SL_NO_MEMORY;
  *added = (sl__stan_overload){function, name->overloads};
  name->overloads = added;
  return SL_OK;
}

/* The definition of a function that is only declared. */
static sl_status check_defined(sl__stan_checker *c, const sl__stan_function *function) {
  if (function->body || has_tuple(function)) return SL_OK;
  const sl__stan_name *name = sl__stan_name_of(c, function->name);
  if (!name) return SL_NO_MEMORY;
  for (const sl__stan_overload *o = name->overloads; o; o = o->next)
    if (o->function->body && same_arguments(o->function, function)) return SL_OK;
  return sl__stan_fault(c, function->place,
                        "'%.60s' is declared, but nowhere defined; add its body", function->name);
}

/* ---- bodies ---- */

static sl_status note_types(sl__stan_checker *c, const sl__stan_function *function) {
  if (sl__stan_is_complex(function->result))
    SL__TRY(sl__stan_note(c, "complex numbers", function->place));
  if (function->result.base == SL__STAN_TUPLE_TYPE)
    SL__TRY(sl__stan_note(c, "tuples", function->place));
  for (int i = 0; i < function->argument_count; i++) {
    const sl__stan_variable *argument = function->argument[i];
    if (sl__stan_is_complex(argument->type))
      SL__TRY(sl__stan_note(c, "complex numbers", argument->place));
    if (argument->type.base == SL__STAN_TUPLE_TYPE)
      SL__TRY(sl__stan_note(c, "tuples", argument->place));
  }
  return SL_OK;
}

static sl_status check_function(sl__stan_checker *c, sl__stan_function *function) {
  SL__TRY(note_types(c, function));
  c->function = function;
  c->slots = &function->slot_count;
  *c->slots = 0;
  sl__stan_name *mark = c->declared;
  for (int i = 0; i < function->argument_count; i++)
    SL__TRY(sl__stan_declare(c, function->argument[i]));
  sl__stan_flow flow = SL__STAN_RETURNS;
  if (function->body) SL__TRY(sl__stan_check_statements(c, function->body, &flow));
  sl__stan_leave(c, mark);
  c->function = NULL;
  bool returns = function->result.base != SL__STAN_VOID;
  if (!returns || flow == SL__STAN_RETURNS) return SL_OK;
  char buffer[SL__STAN_TYPE_TEXT];
  return sl__stan_fault(c, function->place,
                        "'%.60s' returns %s, but a path through its body ends without 'return'; "
                        "return a value there, or reject(...)",
                        function->name, sl__stan_type_text(function->result, buffer));
}

sl_status sl__stan_check_functions(sl__stan_checker *c) {
  c->block = SL__STAN_FUNCTIONS;
  for (sl__stan_function *f = c->program->functions; f; f = f->next) SL__TRY(enter(c, f));
  for (sl__stan_function *f = c->program->functions; f; f = f->next) SL__TRY(check_defined(c, f));
  for (sl__stan_function *f = c->program->functions; f; f = f->next) SL__TRY(check_function(c, f));
  return SL_OK;
}
