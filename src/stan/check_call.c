/* Calls: what they mean, and whether they may stand where they stand. */
#include "stan/check.h"
#include <string.h>

static bool wants_bar(sl__stan_suffix suffix) {
  return suffix >= SL__STAN_LPDF && suffix <= SL__STAN_CDF_SUFFIX;
}

static sl_status check_bar(sl__stan_checker *c, const sl__stan_expression *e,
                           sl__stan_suffix suffix) {
  if (e->bar && !wants_bar(suffix))
    return sl__stan_fault(c, e->place,
                          "'|' stands in densities and distribution functions only (_lpdf, _lpmf, "
                          "_cdf, _lcdf, _lccdf); write a comma");
  if (!e->bar && wants_bar(suffix) && e->argument_count > 1)
    return sl__stan_fault(
        c, e->place, "'|' must stand behind the first argument of '%.60s'; write | for the comma",
        e->name);
  return SL_OK;
}

static sl_status check_rng(sl__stan_checker *c, const sl__stan_expression *e,
                           sl__stan_suffix inside) {
  if (c->sizing)
    return sl__stan_fault(c, e->place, "a size must be known from the data; '%.60s' is random",
                          e->name);
  bool good = inside == SL__STAN_RNG_SUFFIX || c->block == SL__STAN_TRANSFORMED_DATA ||
              c->block == SL__STAN_GENERATED_QUANTITIES;
  if (good) return SL_OK;
  return sl__stan_fault(c, e->place,
                        "random numbers are drawn in transformed data, generated quantities and "
                        "functions that end in _rng; '%.60s' cannot be called here",
                        e->name);
}

sl_status sl__stan_check_unnormalised(sl__stan_checker *c, const sl__stan_expression *e) {
  sl__stan_suffix suffix = sl__stan_suffix_of(e->name);
  sl__stan_suffix inside = c->function ? sl__stan_suffix_of(c->function->name) : SL__STAN_NO_SUFFIX;
  bool unnormalised = suffix == SL__STAN_LUPDF || suffix == SL__STAN_LUPMF;
  bool density = inside == SL__STAN_LPDF || inside == SL__STAN_LPMF;
  if (!unnormalised || density || c->block == SL__STAN_MODEL) return SL_OK;
  return sl__stan_fault(c, e->place,
                        "'%.60s' leaves constants out, which is of use in model and in functions "
                        "that end in _lpdf or _lpmf; write %s here",
                        e->name, suffix == SL__STAN_LUPDF ? "_lpdf" : "_lpmf");
}

/* Where a function of that ending may be called. */
static sl_status check_position(sl__stan_checker *c, const sl__stan_expression *e,
                                sl__stan_suffix suffix) {
  sl__stan_suffix inside = c->function ? sl__stan_suffix_of(c->function->name) : SL__STAN_NO_SUFFIX;
  bool parameters = c->block == SL__STAN_TRANSFORMED_PARAMETERS;
  bool model = c->block == SL__STAN_MODEL;
  switch (suffix) {
    case SL__STAN_RNG_SUFFIX: return check_rng(c, e, inside);
    case SL__STAN_LP:
      if (inside == SL__STAN_LP || model || parameters) return SL_OK;
      return sl__stan_fault(c, e->place,
                            "'%.60s' adds to the density; it can be called in model and in "
                            "functions that end in _lp",
                            e->name);
    case SL__STAN_JACOBIAN:
      if (inside == SL__STAN_JACOBIAN || parameters) return SL_OK;
      return sl__stan_fault(c, e->place,
                            "'%.60s' adds to the Jacobian; it can be called in transformed "
                            "parameters and in functions that end in _jacobian",
                            e->name);
    case SL__STAN_LUPDF:
    case SL__STAN_LUPMF: return sl__stan_check_unnormalised(c, e);
    default: return SL_OK;
  }
}

static bool is_data_result(const sl__stan_checker *c, const sl__stan_expression *e,
                           sl__stan_suffix suffix) {
  if (e->type.base == SL__STAN_INT_TYPE) return true;
  if (suffix == SL__STAN_LP || suffix == SL__STAN_JACOBIAN) return false;
  if (suffix == SL__STAN_RNG_SUFFIX && c->block != SL__STAN_TRANSFORMED_DATA) return false;
  for (int i = 0; i < e->argument_count; i++)
    if (!e->argument[i]->data_only) return false;
  return true;
}

static sl_status check_result(sl__stan_checker *c, const sl__stan_expression *e,
                              const sl__stan_meaning *meaning, bool as_statement) {
  bool returns = meaning->type.base != SL__STAN_VOID;
  if (returns && as_statement)
    return sl__stan_fault(c, e->place, "nobody uses the result of '%.60s'; assign it", e->name);
  if (!returns && !as_statement)
    return sl__stan_fault(c, e->place, "'%.60s' returns nothing, and a value must stand here",
                          e->name);
  return SL_OK;
}

/* ---- functions that are evaluated of data only ---- */

static bool is_of_data_only(const char *name) {
  static const char *const names[] = {
      "hypergeometric_2F1", "hypergeometric_3F2", "hypergeometric_pFq", "student_t_qf", "sort_asc",
      "sort_desc",          "sort_indices_asc",   "sort_indices_desc",  "rank",
  };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i], name) == 0) return true;
  return false;
}

/* Whether a parameter stands in it. Of local variables and a function's arguments it is not known
 * here what they depend on. */
static bool has_parameter(const sl__stan_expression *e) {
  if (e->data_only) return false;
  if (e->kind == SL__STAN_VARIABLE)
    return e->variable && !e->variable->local && e->variable->block == SL__STAN_PARAMETERS;
  for (int i = 0; i < e->argument_count; i++)
    if (has_parameter(e->argument[i])) return true;
  return false;
}

static sl_status note_unsupported(sl__stan_checker *c, const sl__stan_expression *e) {
  if (!e->builtin) return SL_OK;
  const char *name = e->builtin->name;
  if (e->builtin->known) return sl__stan_note(c, name, e->place);
  if (c->block == SL__STAN_GENERATED_QUANTITIES || !is_of_data_only(name)) return SL_OK;
  for (int i = 0; i < e->argument_count; i++) {
    if (!has_parameter(e->argument[i])) continue;
    const char *feature = sl__stan_join(c, name, (int)strlen(name), " of parameters");
    if (feature) feature = sl__arena_text(&c->program->arena, feature, strlen(feature));
    return feature ? sl__stan_note(c, feature, e->place) : SL_NO_MEMORY;
  }
  return SL_OK;
}

sl_status sl__stan_check_call(sl__stan_checker *c, sl__stan_expression *e, bool as_statement) {
  for (int i = 0; i < e->argument_count; i++) SL__TRY(sl__stan_check_expression(c, e->argument[i]));
  sl__stan_call_site site;
  sl__stan_meaning meaning;
  bool good;
  sl__stan_name *name = sl__stan_name_of(c, e->name);
  if (!name) return SL_NO_MEMORY;
  SL__TRY(sl__stan_open_site(c, e->name, e->place, e->argument, e->argument_count, &site));
  SL__TRY(sl__stan_resolve(c, &site, e->name, &good, &meaning));
  bool hidden = name->variable && !name->builtin;
  if (hidden)
    return sl__stan_fault(c, e->place, "'%.60s' is a variable and no function; index it with [ ]",
                          e->name);
  if (!good) return sl__stan_refuse_call(c, &site, e->name);
  sl__stan_suffix suffix = sl__stan_suffix_of(e->name);
  SL__TRY(check_result(c, e, &meaning, as_statement));
  SL__TRY(check_bar(c, e, suffix));
  SL__TRY(check_position(c, e, suffix));
  SL__TRY(sl__stan_check_callbacks(c, &site, &meaning));
  e->function = meaning.function;
  e->builtin = meaning.builtin;
  e->signature = meaning.signature;
  e->type = meaning.type;
  e->data_only = is_data_result(c, e, suffix);
  return note_unsupported(c, e);
}
