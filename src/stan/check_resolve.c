/* Overload resolution: of all functions of a name, the user's and Stan's, the one that takes the
 * arguments with the fewest promotions; and what to say when there is none. */
#include "stan/check.h"
#include <string.h>

enum { MOST_SHOWN = 5 }; /* signatures in a message */

sl_status sl__stan_open_site(sl__stan_checker *c, const char *name, size_t place,
                             sl__stan_expression **argument, int count, sl__stan_call_site *site) {
  *site = (sl__stan_call_site){.name = name, .place = place, .argument = argument, .count = count};
  site->types = sl__arena_take(&c->scratch, (size_t)count, sizeof *site->types);
  bool *data_only = sl__arena_take(&c->scratch, (size_t)count, sizeof *data_only);
  if (!site->types || !data_only) return SL_NO_MEMORY;
  if (c->block != SL__STAN_GENERATED_QUANTITIES) site->data_only = data_only;
  for (int i = 0; i < count; i++) {
    site->types[i] = argument[i]->type;
    data_only[i] = argument[i]->data_only;
  }
  return SL_OK;
}

sl__stan_fit sl__stan_function_fit(const sl__stan_function *function, const sl__stan_type *types,
                                   int count, const bool *data_only) {
  if (count != function->argument_count) return (sl__stan_fit){.argument = -1};
  sl__stan_fit fit = {.good = true, .result = function->result};
  for (int i = 0; i < count; i++) {
    const sl__stan_variable *argument = function->argument[i];
    int cost = sl__stan_promotion(types[i], argument->type);
    if (cost < 0) return (sl__stan_fit){.argument = i};
    if (argument->data_only_argument && data_only && !data_only[i])
      return (sl__stan_fit){.argument = i, .data = true};
    fit.cost += cost;
  }
  return fit;
}

static sl_status find_name(sl__stan_checker *c, const char *name, sl__stan_name **entry) {
  const char *defined = sl__stan_defined_name(c, name);
  *entry = defined ? sl__stan_name_of(c, defined) : NULL;
  return *entry ? SL_OK : SL_NO_MEMORY;
}

static sl_status refuse_ambiguous(sl__stan_checker *c, const sl__stan_call_site *site,
                                  const sl__stan_name *entry, int cost) {
  sl__text text;
  sl__text_open(&text, c->context);
  sl__text_add(&text, "several functions '%.60s' take (", site->name);
  sl__stan_list_types(&text, site->types, site->count);
  sl__text_add(&text, ") after as few promotions; give the arguments one of these types:");
  int shown = 0;
  for (const sl__stan_overload *o = entry->overloads; o && shown < MOST_SHOWN; o = o->next) {
    sl__stan_fit fit =
        sl__stan_function_fit(o->function, site->types, site->count, site->data_only);
    if (!fit.good || fit.cost != cost) continue;
    sl__text_add(&text, "\n  %.60s", entry->text);
    sl__stan_describe_function(&text, o->function);
    shown++;
  }
  return sl__stan_fault_text(c, site->place, &text);
}

/* Whether tuples are among the arguments: their members, which are not compared, may decide. */
static bool has_tuple(const sl__stan_call_site *site) {
  for (int i = 0; i < site->count; i++)
    if (site->types[i].base >= SL__STAN_TUPLE_TYPE) return true;
  return false;
}

sl_status sl__stan_resolve(sl__stan_checker *c, const sl__stan_call_site *site, const char *name,
                           bool *good, sl__stan_meaning *meaning) {
  sl__stan_name *entry;
  int best = 0, ties = 0;
  *good = false;
  SL__TRY(find_name(c, name, &entry));
  for (const sl__stan_overload *o = entry->overloads; o; o = o->next) {
    sl__stan_fit fit =
        sl__stan_function_fit(o->function, site->types, site->count, site->data_only);
    if (!fit.good || (*good && fit.cost > best)) continue;
    ties = *good && fit.cost == best ? ties + 1 : 0;
    best = fit.cost;
    *good = true;
    *meaning = (sl__stan_meaning){.function = o->function, .type = fit.result};
  }
  sl__stan_fit fit;
  int signature = !entry->builtin ? -1
                                  : sl__stan_signature_match(entry->builtin, site->types,
                                                             site->count, site->data_only, &fit);
  if (signature >= 0 && (!*good || fit.cost <= best)) {
    ties = *good && fit.cost == best ? ties + 1 : 0;
    best = fit.cost;
    *good = true;
    *meaning =
        (sl__stan_meaning){.builtin = entry->builtin, .signature = signature, .type = fit.result};
  }
  return ties > 0 && !has_tuple(site) ? refuse_ambiguous(c, site, entry, best) : SL_OK;
}

/* ---- no function of that name ---- */

static bool exists(sl__stan_checker *c, const char *name, int length, const char *ending) {
  const char *joined = sl__stan_join(c, name, length, ending);
  sl__stan_name *entry = joined ? sl__stan_name_of(c, joined) : NULL;
  return entry && (entry->overloads || entry->builtin);
}

/* Endings that Stan has removed, longest first, and those that density functions have now. */
static const char *const replaced[][3] = {
    {"_ccdf_log", "_lccdf", NULL}, {"_cdf_log", "_lcdf", NULL}, {"_log", "_lpdf", "_lpmf"},
    {"_lpdf", "_lpmf", NULL},      {"_lupdf", "_lupmf", NULL},  {"_lpmf", "_lpdf", NULL},
    {"_lupmf", "_lupdf", NULL},
};

/* "normal_log" -> "normal_lpdf"; NULL: nothing of the kind. */
static const char *find_replacement(sl__stan_checker *c, const char *name) {
  size_t length = strlen(name);
  for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++) {
    size_t own = strlen(replaced[i][0]);
    if (length <= own || strcmp(name + length - own, replaced[i][0]) != 0) continue;
    for (int k = 1; k < 3 && replaced[i][k]; k++)
      if (exists(c, name, (int)(length - own), replaced[i][k]))
        return sl__stan_join(c, name, (int)(length - own), replaced[i][k]);
  }
  return NULL;
}

static sl_status refuse_unknown(sl__stan_checker *c, const sl__stan_call_site *site,
                                const sl__stan_name *written) {
  const char *name = site->name;
  if (written->variable)
    return sl__stan_fault(c, site->place,
                          "'%.60s' is a variable and no function; index it with [ ]", name);
  const char *instead = sl__stan_removed_function(name);
  if (!instead) instead = find_replacement(c, name);
  if (instead)
    return sl__stan_fault(c, site->place, "there is no function '%.60s'; write %.60s", name,
                          instead);
  const char *nearest;
  SL__TRY(sl__stan_nearest(c, name, true, &nearest));
  if (nearest)
    return sl__stan_fault(c, site->place, "there is no function '%.60s'; did you mean '%.60s'?",
                          name, nearest);
  return sl__stan_fault(c, site->place,
                        "there is no function '%.60s'; take one of Stan's, or define it in a Stan "
                        "program",
                        name);
}

/* ---- functions of that name, but none that fits ---- */

typedef struct candidate {
  const sl__stan_function *function; /* or a signature of Stan's */
  sl__stan_signature signature;
  sl__stan_fit fit;
} candidate;

typedef struct shortlist {
  candidate item[MOST_SHOWN]; /* nearest first */
  int count;
  bool more;
} shortlist;

/* A signature is the nearer the later the first argument that does not fit; one that would fit if
 * the argument were data is nearer still. */
static int nearness(const candidate *c) {
  return 2 * c->fit.argument + c->fit.data;
}

static void consider(shortlist *list, const candidate *added) {
  int place = list->count;
  while (place > 0 && nearness(&list->item[place - 1]) < nearness(added)) place--;
  if (list->count == MOST_SHOWN) list->more = true;
  if (place == MOST_SHOWN) return;
  int last = list->count < MOST_SHOWN ? list->count : MOST_SHOWN - 1;
  for (int i = last; i > place; i--) list->item[i] = list->item[i - 1];
  list->item[place] = *added;
  list->count = last + 1;
}

static void describe_reason(sl__text *text, const sl__stan_call_site *site,
                            const candidate *nearest) {
  char found[SL__STAN_TYPE_TEXT];
  int argument = nearest->fit.argument;
  if (argument < 0) {
    int wanted = nearest->function ? nearest->function->argument_count : nearest->signature.count;
    const int before = site->tilde ? 1 : 0; /* what stands before ~ is the first */
    sl__text_add(text, "; it takes %d%s%s, not %d", wanted - before,
                 nearest->signature.more ? " or more" : "", site->tilde ? " after ~" : "",
                 site->count - before);
    return;
  }
  if (nearest->fit.data) {
    sl__text_add(text,
                 "; argument %d must be data, but depends on parameters (local variables count as "
                 "if they did, and a function's arguments not marked 'data')",
                 argument + 1);
    return;
  }
  sl__text_add(text, "; argument %d is %s", argument + 1,
               sl__stan_type_text(site->types[argument], found));
}

static bool is_about_complex(const sl__stan_signature *signature) {
  const char *word = strstr(signature->text, "complex");
  return word && word < signature->text + signature->length;
}

static bool has_complex(const sl__stan_call_site *site) {
  for (int i = 0; i < site->count; i++)
    if (sl__stan_is_complex(site->types[i])) return true;
  return false;
}

sl_status sl__stan_refuse_call(sl__stan_checker *c, const sl__stan_call_site *site,
                               const char *name) {
  sl__stan_name *entry, *written = sl__stan_name_of(c, site->name);
  SL__TRY(find_name(c, name, &entry));
  if (!written) return SL_NO_MEMORY;
  if (!entry->overloads && !entry->builtin) return refuse_unknown(c, site, written);
  shortlist list = {.count = 0};
  for (const sl__stan_overload *o = entry->overloads; o; o = o->next) {
    candidate added = {.function = o->function};
    added.fit = sl__stan_function_fit(o->function, site->types, site->count, site->data_only);
    consider(&list, &added);
  }
  for (int i = 0; entry->builtin; i++) {
    candidate added = {.function = NULL};
    if (!sl__stan_signature_at(entry->builtin, i, &added.signature)) break;
    if (is_about_complex(&added.signature) && !has_complex(site)) continue;
    added.fit = sl__stan_signature_fit(&added.signature, site->types, site->count, site->data_only);
    consider(&list, &added);
  }
  sl__text text;
  sl__text_open(&text, c->context);
  sl__text_add(&text, "'%.60s' does not take (", site->name);
  sl__stan_list_types(&text, site->types, site->count);
  sl__text_add(&text, ")");
  if (list.count > 0) describe_reason(&text, site, &list.item[0]);
  sl__text_add(&text, ". %s", list.more ? "The nearest that there are:" : "There is:");
  for (int i = 0; i < list.count; i++) {
    sl__text_add(&text, "\n  %.60s", entry->text);
    if (list.item[i].function)
      sl__stan_describe_function(&text, list.item[i].function);
    else
      sl__stan_describe_signature(&text, &list.item[i].signature);
  }
  sl__stan_explain_words(&text);
  return sl__stan_fault_text(c, site->place, &text);
}
