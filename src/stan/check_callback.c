/* Functions as arguments of functions: ODE solvers and their like. What the outer function asks of
 * the inner one is a signature inside of its own. */
#include "stan/check.h"

/* Why a user's function does not do. */
typedef enum misfit_reason {
  FITS,
  BAD_ENDING,
  BAD_RESULT,
  BAD_COUNT,
  BAD_ARGUMENT, /* one that the outer function gives by itself */
  BAD_DATA,     /* is marked `data`, but is given parameters */
  BAD_EXTRA     /* one that is passed on */
} misfit_reason;

typedef struct misfit {
  misfit_reason reason;
  int argument; /* of the user's function */
  int cost;     /* FITS */
} misfit;

/* Arguments that the outer function gives must have exactly the type. */
static misfit fit_given(const sl__stan_signature *wanted, const sl__stan_function *function,
                        const sl__stan_call_site *site) {
  for (int i = 0; i < wanted->count; i++) {
    const sl__stan_variable *argument = function->argument[i];
    const sl__stan_word *word = &wanted->argument[i];
    if (word->kind == SL__STAN_ANY) { /* reduce_sum's slices: of the call's own argument */
      bool slices = argument->type.arrays > 0 && site->count > 1 &&
                    argument->type.base <= SL__STAN_MATRIX_TYPE &&
                    sl__stan_promotion(site->types[1], argument->type) >= 0;
      if (!slices) return (misfit){BAD_ARGUMENT, i, 0};
    } else if (!sl__stan_same(argument->type, word->type)) {
      return (misfit){BAD_ARGUMENT, i, 0};
    }
    bool integer = argument->type.base == SL__STAN_INT_TYPE;
    if (argument->data_only_argument && !word->data && !integer && word->kind != SL__STAN_ANY)
      return (misfit){BAD_DATA, i, 0};
  }
  return (misfit){FITS, 0, 0};
}

static misfit fit_function(const sl__stan_signature *outer, const sl__stan_signature *wanted,
                           const sl__stan_function *function, const sl__stan_call_site *site) {
  sl__stan_suffix suffix = sl__stan_suffix_of(function->name);
  bool density = suffix == SL__STAN_LPDF || suffix == SL__STAN_LPMF;
  bool slices = wanted->count > 0 && wanted->argument[0].kind == SL__STAN_ANY;
  if (suffix != SL__STAN_NO_SUFFIX && !(slices && density)) return (misfit){BAD_ENDING, 0, 0};
  if (!sl__stan_same(function->result, wanted->result.type)) return (misfit){BAD_RESULT, 0, 0};
  int extra = wanted->more ? site->count - outer->count : 0;
  if (function->argument_count != wanted->count + extra) return (misfit){BAD_COUNT, 0, 0};
  misfit result = fit_given(wanted, function, site);
  if (result.reason != FITS) return result;
  for (int i = 0; i < extra; i++) {
    const sl__stan_variable *argument = function->argument[wanted->count + i];
    int cost = sl__stan_promotion(site->types[outer->count + i], argument->type);
    if (cost < 0) return (misfit){BAD_EXTRA, wanted->count + i, 0};
    if (argument->data_only_argument && site->data_only && !site->data_only[outer->count + i])
      return (misfit){BAD_DATA, wanted->count + i, 0};
    result.cost += cost;
  }
  return result;
}

static sl_status refuse_function(sl__stan_checker *c, const sl__stan_call_site *site,
                                 const sl__stan_expression *given, const sl__stan_signature *wanted,
                                 misfit why) {
  static const char *const reasons[] = {
      [BAD_ENDING] = "functions of that ending are not taken",
      [BAD_RESULT] = "its result is of another type",
      [BAD_COUNT] = "the number of its arguments is another",
      [BAD_ARGUMENT] = "has another type",
      [BAD_DATA] = "is marked 'data', but is given values that depend on parameters",
      [BAD_EXTRA] = "does not take what is passed on to it",
  };
  sl__text text;
  sl__text_open(&text, c->context);
  sl__text_add(&text, "'%.60s' cannot call '%.60s': ", site->name, given->name);
  if (why.reason >= BAD_ARGUMENT)
    sl__text_add(&text, "argument %d, '%.40s', ", why.argument + 1,
                 given->function->argument[why.argument]->name);
  sl__text_add(&text, "%s.\n  wanted: %.60s", reasons[why.reason], given->name);
  sl__stan_describe_signature(&text, wanted);
  sl__text_add(&text, "\n  found:  %.60s", given->name);
  sl__stan_describe_function(&text, given->function);
  return sl__stan_fault_text(c, given->place, &text);
}

static sl_status check_callback(sl__stan_checker *c, const sl__stan_call_site *site,
                                const sl__stan_signature *outer, const sl__stan_word *word,
                                sl__stan_expression *given) {
  sl__stan_signature wanted;
  const char *defined = sl__stan_defined_name(c, given->name);
  sl__stan_name *entry = defined ? sl__stan_name_of(c, defined) : NULL;
  if (!entry) return SL_NO_MEMORY;
  if (!sl__stan_signature_read(word->nested, &wanted)) return SL_OK;
  if (!entry->overloads) {
    if (word->kind == SL__STAN_CALLBACK && entry->builtin &&
        wanted.argument[0].kind == SL__STAN_ANY)
      return SL_OK; /* reduce_sum of a density of Stan's */
    return sl__stan_fault(c, given->place,
                          "'%.60s' calls a function of the block 'functions'; '%.60s' is none",
                          site->name, given->name);
  }
  misfit first = {FITS, 0, 0};
  sl__stan_function *best = NULL;
  int cost = 0, ties = 0;
  for (const sl__stan_overload *o = entry->overloads; o; o = o->next) {
    misfit fit = fit_function(outer, &wanted, o->function, site);
    if (o == entry->overloads) first = fit;
    if (fit.reason != FITS || (best && fit.cost > cost)) continue;
    ties = best && fit.cost == cost ? ties + 1 : 0;
    best = o->function;
    cost = fit.cost;
  }
  given->function = best ? best : entry->overloads->function;
  if (!best) return refuse_function(c, site, given, &wanted, first);
  if (ties == 0) return SL_OK;
  return sl__stan_fault(c, given->place,
                        "several functions '%.60s' take these arguments after as few promotions; "
                        "give the arguments the types of one of them",
                        given->name);
}

sl_status sl__stan_check_callbacks(sl__stan_checker *c, const sl__stan_call_site *site,
                                   const sl__stan_meaning *meaning) {
  sl__stan_signature outer;
  if (!meaning->builtin || !sl__stan_signature_at(meaning->builtin, meaning->signature, &outer))
    return SL_OK;
  for (int i = 0; i < outer.count; i++)
    if (outer.argument[i].kind == SL__STAN_CALLBACK)
      SL__TRY(check_callback(c, site, &outer, &outer.argument[i], site->argument[i]));
  return SL_OK;
}
