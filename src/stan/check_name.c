/* Names: a hash table of what each means, scopes, and endings of functions' names. */
#include "stan/check.h"
#include "base/option.h"
#include <string.h>

static unsigned hash_of(const char *text) { /* FNV-1a */
  unsigned hash = 2166136261u;
  for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 16777619u;
  return hash % SL__STAN_BUCKETS;
}

sl__stan_name *sl__stan_name_of(sl__stan_checker *c, const char *text) {
  sl__stan_name **bucket = &c->bucket[hash_of(text)];
  for (sl__stan_name *name = *bucket; name; name = name->next)
    if (strcmp(name->text, text) == 0) return name;
  sl__stan_name *name = sl__arena_take(&c->scratch, 1, sizeof *name);
  if (!name) return NULL;
  name->text = text;
  name->builtin = sl__stan_builtin_find(text);
  name->next = *bucket;
  *bucket = name;
  return name;
}

/* ---- scopes ---- */

sl_status sl__stan_declare(sl__stan_checker *c, sl__stan_variable *variable) {
  sl__stan_suffix suffix = sl__stan_suffix_of(variable->name);
  if (suffix == SL__STAN_LUPDF || suffix == SL__STAN_LUPMF)
    return sl__stan_fault(c, variable->place,
                          "'%.60s' ends in _lupdf or _lupmf, which only functions do; rename it",
                          variable->name);
  sl__stan_name *name = sl__stan_name_of(c, variable->name);
  if (!name) return SL_NO_MEMORY;
  if (name->variable) {
    int line, column;
    sl__source_place(&c->program->source, name->variable->place, &line, &column);
    return sl__stan_fault(c, variable->place,
                          "'%.60s' is declared already, at %d:%d; choose another name",
                          variable->name, line, column);
  }
  name->variable = variable;
  name->below = c->declared;
  c->declared = name;
  variable->slot = (*c->slots)++;
  return SL_OK;
}

void sl__stan_leave(sl__stan_checker *c, sl__stan_name *mark) {
  while (c->declared != mark) {
    c->declared->variable = NULL;
    c->declared = c->declared->below;
  }
}

/* ---- endings ---- */

typedef struct ending {
  const char *text;
  sl__stan_suffix suffix;
} ending;

static const ending endings[] = {
    {"_lpdf", SL__STAN_LPDF},         {"_lpmf", SL__STAN_LPMF},      {"_lupdf", SL__STAN_LUPDF},
    {"_lupmf", SL__STAN_LUPMF},       {"_cdf", SL__STAN_CDF_SUFFIX}, {"_lcdf", SL__STAN_CDF_SUFFIX},
    {"_lccdf", SL__STAN_CDF_SUFFIX},  {"_rng", SL__STAN_RNG_SUFFIX}, {"_lp", SL__STAN_LP},
    {"_jacobian", SL__STAN_JACOBIAN},
};

sl__stan_suffix sl__stan_suffix_of(const char *name) {
  size_t length = strlen(name);
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    size_t own = strlen(endings[i].text);
    if (length > own && strcmp(name + length - own, endings[i].text) == 0) return endings[i].suffix;
  }
  return SL__STAN_NO_SUFFIX;
}

const char *sl__stan_join(sl__stan_checker *c, const char *name, int length, const char *end) {
  size_t more = strlen(end);
  char *joined = sl__arena_take(&c->scratch, (size_t)length + more + 1, 1);
  if (!joined) return NULL;
  memcpy(joined, name, (size_t)length);
  memcpy(joined + length, end, more);
  return joined;
}

const char *sl__stan_defined_name(sl__stan_checker *c, const char *name) {
  int length = (int)strlen(name);
  switch (sl__stan_suffix_of(name)) {
    case SL__STAN_LUPDF: return sl__stan_join(c, name, length - 6, "_lpdf");
    case SL__STAN_LUPMF: return sl__stan_join(c, name, length - 6, "_lpmf");
    default: return name;
  }
}

/* ---- "did you mean" ---- */

/* All names of the program and of Stan's functions, in scratch memory, of which some are kept. */
static sl_status list_names(sl__stan_checker *c, bool (*keep)(const sl__stan_name *name),
                            const char ***names, int *count) {
  int builtins;
  const sl__stan_builtin *builtin = sl__stan_builtins(&builtins);
  for (int i = 0; i < builtins; i++)
    if (!sl__stan_name_of(c, builtin[i].name)) return SL_NO_MEMORY;
  size_t room = 0;
  for (int i = 0; i < SL__STAN_BUCKETS; i++)
    for (const sl__stan_name *name = c->bucket[i]; name; name = name->next) room++;
  *count = 0;
  *names = sl__arena_take(&c->scratch, room, sizeof **names);
  if (!*names) return SL_NO_MEMORY;
  for (int i = 0; i < SL__STAN_BUCKETS; i++)
    for (const sl__stan_name *name = c->bucket[i]; name; name = name->next)
      if (keep(name)) (*names)[(*count)++] = name->text;
  return SL_OK;
}

static bool is_variable(const sl__stan_name *name) {
  return name->variable != NULL;
}

static bool is_function(const sl__stan_name *name) {
  return name->overloads || name->builtin;
}

static bool is_density(const sl__stan_name *name) {
  sl__stan_suffix suffix = sl__stan_suffix_of(name->text);
  return is_function(name) && (suffix == SL__STAN_LPDF || suffix == SL__STAN_LPMF);
}

sl_status sl__stan_nearest(sl__stan_checker *c, const char *name, bool callable,
                           const char **nearest) {
  const char **names;
  int count;
  SL__TRY(list_names(c, callable ? is_function : is_variable, &names, &count));
  *nearest = sl__nearest_name(name, names, count);
  return SL_OK;
}

sl_status sl__stan_nearest_distribution(sl__stan_checker *c, const char *name,
                                        const char **nearest) {
  const char **names;
  int count;
  SL__TRY(list_names(c, is_density, &names, &count));
  for (int i = 0; i < count; i++) {
    names[i] = sl__stan_join(c, names[i], (int)strlen(names[i]) - 5, "");
    if (!names[i]) return SL_NO_MEMORY;
  }
  *nearest = sl__nearest_name(name, names, count);
  return SL_OK;
}
