/* Canonical form of formulas: arguments in the order of their rows, defaults left out, parentheses
 * only where a group of several layers is repeated, equal neighbours joined as *count. The first
 * argument and a formula behind it as the second go without names, all others have them. Texts are
 * built from the inside out, so that equality of items is equality of their texts. */
#include <string.h>
#include "flow/formula.h"

/* Moves the finished text into the arena. */
static const char *keep(sl__arena *arena, sl__text *text) {
  const char *kept = text->failed ? NULL : sl__arena_text(arena, text->data, text->length);
  sl__text_close(text);
  return kept;
}

/* Whether two values print alike; both printed into buffers of this size. */
enum { PRINTED = 128 };

static bool is_default(const sl__option_row *row, const sl__option_value *value) {
  if (!value->given || !row->fallback) return !value->given;
  if (row->type == SL__OPTION_TEXT || row->type == SL__OPTION_CHOICE)
    return strcmp(value->text, row->fallback) == 0;
  /* Other types are printed by one rule: their fallbacks are written as that rule prints them. */
  char printed[PRINTED];
  sl__option_print(row, value, printed, sizeof printed);
  return strcmp(printed, row->fallback) == 0;
}

static void add_value(sl__text *text, const sl__option_row *row, const sl__option_value *value) {
  char printed[PRINTED];
  if (row->type == SL__OPTION_TEXT || row->type == SL__OPTION_CHOICE ||
      row->type == SL__OPTION_FORMULA) {
    sl__text_add_bytes(text, value->text, strlen(value->text));
    return;
  }
  sl__option_print(row, value, printed, sizeof printed);
  sl__text_add(text, "%s", printed);
}

const char *sl__formula_layer_text(sl_context *context, sl__arena *arena, const sl__kind *kind,
                                   const sl__option_value *arguments) {
  sl__text text;
  sl__text_open(&text, context);
  sl__text_add(&text, "%s", kind->name);
  int printed = 0;
  for (int i = 0; i < kind->argument_count; i++) {
    const sl__option_row *row = &kind->arguments[i];
    bool says_what = row->type == SL__OPTION_CHOICE && !row->fallback;
    if (is_default(row, &arguments[i]) && !says_what) continue;
    bool needs_name = i > 0 && !(row->type == SL__OPTION_FORMULA && i == 1 && printed == 1);
    sl__text_add(&text, printed++ == 0 ? "(" : ",");
    if (needs_name) sl__text_add(&text, "%s=", row->name);
    add_value(&text, row, &arguments[i]);
  }
  if (printed > 0) sl__text_add(&text, ")");
  return keep(arena, &text);
}

/* Opens a group of one copy, or of one item, into its parent's list; *last is set to its last
 * item. */
static sl__formula_item *open_group(sl__formula_item *group, sl__formula_item **last) {
  sl__formula_item *child = group->child;
  if (!child->next) {
    child->count *= group->count;
    *last = child;
    return child;
  }
  *last = child;
  while ((*last)->next) *last = (*last)->next;
  return child;
}

sl__formula_item *sl__formula_simplify(sl__formula_item *first) {
  for (sl__formula_item **link = &first; *link;) {
    sl__formula_item *item = *link, *last = item;
    bool opens = !item->kind && (item->count == 1 || !item->child->next);
    if (opens) {
      *link = open_group(item, &last);
      last->next = item->next;
    }
    link = &last->next;
  }
  for (sl__formula_item *item = first; item && item->next;) {
    if (strcmp(item->text, item->next->text) == 0) {
      item->count += item->next->count;
      item->next = item->next->next;
    } else {
      item = item->next;
    }
  }
  return first;
}

const char *sl__formula_chain_text(sl_context *context, sl__arena *arena,
                                   const sl__formula_item *base, const sl__formula_item *first,
                                   bool parentheses) {
  sl__text text;
  sl__text_open(&text, context);
  if (base) sl__text_add_bytes(&text, base->text, strlen(base->text));
  if (base && first) sl__text_add(&text, "-");
  if (parentheses) sl__text_add(&text, "(");
  for (const sl__formula_item *item = first; item; item = item->next) {
    sl__text_add_bytes(&text, item->text, strlen(item->text));
    if (item->count > 1) sl__text_add(&text, "*%lld", (long long)item->count);
    if (item->next) sl__text_add(&text, "-");
  }
  if (parentheses) sl__text_add(&text, ")");
  return keep(arena, &text);
}
