/* y ~ name(...) T[lower, upper], and where the density may be added to. */
#include "stan/check.h"
#include <string.h>

sl_status sl__stan_check_target(sl__stan_checker *c, size_t place, const char *what) {
  if (c->block == SL__STAN_MODEL) return SL_OK;
  if (c->function && sl__stan_suffix_of(c->function->name) == SL__STAN_LP) return SL_OK;
  return sl__stan_fault(
      c, place, "%s adds to the density, which the model and functions that end in _lp do", what);
}

static sl_status check_name(sl__stan_checker *c, const sl__stan_statement *s) {
  static const char *const wrong[] = {"_lpdf", "_lpmf", "_lupdf", "_lupmf", "_cdf", "_ccdf"};
  size_t length = strlen(s->name);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    size_t own = strlen(wrong[i]);
    if (length <= own || strcmp(s->name + length - own, wrong[i]) != 0) continue;
    return sl__stan_fault(c, s->place, "behind '~' stands a distribution without '%s'; write %.*s",
                          wrong[i], (int)(length - own), s->name);
  }
  return SL_OK;
}

/* The distribution's function with one of two endings; NULL: no memory. */
static const char *with_ending(sl__stan_checker *c, const sl__stan_statement *s,
                               const char *ending) {
  return sl__stan_join(c, s->name, (int)strlen(s->name), ending);
}

static sl_status refuse_distribution(sl__stan_checker *c, const sl__stan_statement *s) {
  const char *nearest;
  SL__TRY(sl__stan_nearest_distribution(c, s->name, &nearest));
  if (nearest)
    return sl__stan_fault(c, s->place, "there is no distribution '%.60s'; did you mean '%.60s'?",
                          s->name, nearest);
  return sl__stan_fault(c, s->place,
                        "there is no distribution '%.60s'; define %.60s_lpdf or %.60s_lpmf in the "
                        "block 'functions'",
                        s->name, s->name, s->name);
}

/* The meaning with one ending. Refuses only when several functions fit equally well. */
static sl_status try_ending(sl__stan_checker *c, const sl__stan_statement *s,
                            const sl__stan_call_site *site, const char *ending, bool *exists,
                            bool *good, sl__stan_meaning *meaning) {
  const char *name = with_ending(c, s, ending);
  sl__stan_name *entry = name ? sl__stan_name_of(c, name) : NULL;
  if (!entry) return SL_NO_MEMORY;
  *exists = entry->overloads || entry->builtin;
  return sl__stan_resolve(c, site, name, good, meaning);
}

static sl_status find_density(sl__stan_checker *c, sl__stan_statement *s,
                              const sl__stan_call_site *site, sl__stan_meaning *meaning) {
  bool continuous, discrete, good;
  SL__TRY(try_ending(c, s, site, "_lpdf", &continuous, &good, meaning));
  if (good) return SL_OK;
  SL__TRY(try_ending(c, s, site, "_lpmf", &discrete, &good, meaning));
  if (good) return SL_OK;
  if (!continuous && !discrete) return refuse_distribution(c, s);
  const char *name = with_ending(c, s, continuous ? "_lpdf" : "_lpmf");
  return name ? sl__stan_refuse_call(c, site, name) : SL_NO_MEMORY;
}

/* ---- truncation ---- */

/* Truncation divides by the probability of the interval, from NAME_lcdf and NAME_lccdf. */
static sl_status check_bound(sl__stan_checker *c, const sl__stan_statement *s,
                             sl__stan_expression *bound) {
  if (!bound) return SL_OK;
  SL__TRY(sl__stan_check_expression(c, bound));
  char found[SL__STAN_TYPE_TEXT];
  if (!sl__stan_is_scalar(bound->type) && bound->type.base != SL__STAN_UNKNOWN_TYPE)
    return sl__stan_fault(c, bound->place, "a bound of T[ ] must be real, and is %s",
                          sl__stan_type_text(bound->type, found));
  sl__stan_expression **arguments =
      sl__arena_take(&c->scratch, (size_t)s->argument_count + 1, sizeof(sl__stan_expression *));
  if (!arguments) return SL_NO_MEMORY;
  arguments[0] = bound;
  for (int i = 0; i < s->argument_count; i++) arguments[i + 1] = s->argument[i];
  sl__stan_call_site site;
  sl__stan_meaning meaning;
  SL__TRY(sl__stan_open_site(c, s->name, s->place, arguments, s->argument_count + 1, &site));
  static const char *const endings[] = {"_lcdf", "_lccdf"};
  for (int i = 0; i < 2; i++) {
    bool exists, good;
    SL__TRY(try_ending(c, s, &site, endings[i], &exists, &good, &meaning));
    if (good && meaning.builtin && meaning.builtin->known)
      SL__TRY(sl__stan_note(c, meaning.builtin->name, s->place));
    if (good) continue;
    return sl__stan_fault(c, bound->place,
                          "'%.60s' cannot be truncated: there is no %.60s%s for a bound and "
                          "parameters of these types",
                          s->name, s->name, endings[i]);
  }
  return SL_OK;
}

sl_status sl__stan_check_tilde(sl__stan_checker *c, sl__stan_statement *s) {
  int count = s->argument_count + 1;
  sl__stan_expression **all =
      sl__arena_take(&c->scratch, (size_t)count, sizeof(sl__stan_expression *));
  if (!all) return SL_NO_MEMORY;
  all[0] = s->value;
  for (int i = 1; i < count; i++) all[i] = s->argument[i - 1];
  for (int i = 0; i < count; i++) SL__TRY(sl__stan_check_expression(c, all[i]));
  SL__TRY(check_name(c, s));
  SL__TRY(sl__stan_check_target(c, s->place, "'~'"));
  sl__stan_call_site site;
  sl__stan_meaning meaning;
  SL__TRY(sl__stan_open_site(c, s->name, s->place, all, count, &site));
  site.tilde = true;
  SL__TRY(find_density(c, s, &site, &meaning));
  s->function = meaning.function;
  s->builtin = meaning.builtin;
  s->signature = meaning.signature;
  if (s->builtin && s->builtin->known) SL__TRY(sl__stan_note(c, s->builtin->name, s->place));
  SL__TRY(check_bound(c, s, s->lower));
  return check_bound(c, s, s->upper);
}
