/* Formulas that must be one base density, given apart from the chain: --base "student(3)". */
#include "flow/formula.h"

sl_status sl__formula_parse_base(sl_context *context, sl__arena *arena, const char *text,
                                 const sl__formula_item **out) {
  sl__formula formula;
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
