/* Formulas that must be one base density, given apart from the chain: --base "student(3)". */
#include <ctype.h>
#include <string.h>
#include "flow/formula.h"

enum { MOST_BASES = 64, LONGEST_NAME = 40 };

static bool same_name(const char *name, const char *kind) {
  for (; *name && tolower((unsigned char)*name) == *kind; name++) kind++;
  return *name == *kind;
}

/* The first word, if it names nothing, is a base density misspelt: the nearest of these is meant,
 * not the nearest layer. */
static sl_status check_name(sl_context *context, const char *text) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  const char *begin = text + strspn(text, " \t\r\n"), *bases[MOST_BASES];
  const size_t length = strspn(begin, letters);
  char name[LONGEST_NAME + 1] = "";
  int count = 0, base_count = 0;
  if (length == 0 || length > LONGEST_NAME) return SL_OK;
  memcpy(name, begin, length);
  const sl__kind *const *kinds = sl__kinds(&count);
  for (int i = 0; i < count; i++) {
    if (same_name(name, kinds[i]->name)) return SL_OK;
    if (sl__kind_is_base(kinds[i]) && base_count < MOST_BASES) bases[base_count++] = kinds[i]->name;
  }
  const char *nearest = sl__nearest_name(name, bases, base_count);
  if (nearest)
    return sl__fail(context, SL_SYNTAX, "there is no base density '%s'; did you mean '%s'?", name,
                    nearest);
  return sl__fail(context, SL_SYNTAX, "there is no base density '%s'; `sluice flows` lists them",
                  name);
}

sl_status sl__formula_parse_base(sl_context *context, sl__arena *arena, const char *text,
                                 const sl__formula_item **out) {
  sl__formula formula;
  SL__TRY(check_name(context, text));
  if (sl__formula_parse(context, arena, text, &formula) != SL_OK)
    return sl__formula_blame_base(context, text);
  *out = formula.base;
  if (formula.base && !formula.first) return SL_OK;
  return sl__fail(context, SL_BAD_ARGUMENT,
                  "'%.60s' is not one base density; `sluice flows` lists them", text);
}

sl_status sl__formula_blame_base(sl_context *context, const char *text) {
  if (context->error.line == 0) return context->error.status;
  sl__fail_prefix(context, "in '%.60s' at %d:%d", text, context->error.line, context->error.column);
  context->error.line = context->error.column = 0;
  return context->error.status;
}

sl_status sl__formula_check_base(sl_context *context, const char *text) {
  sl__arena arena;
  sl__arena_open(&arena, context);
  const sl__formula_item *item;
  sl_status status = sl__formula_parse_base(context, &arena, text, &item);
  sl__arena_close(&arena);
  return status;
}
