/* The formula language: text -> chain of layers -> canonical text.
 *
 *   formula := layer ('-' layer)*
 *   layer   := ( name | name '(' argument (',' argument)* ')' | '(' formula ')' ) ( '*' count )?
 *   argument := value | key '=' value          positional values come first
 *   value   := one or more of  A-Z a-z 0-9 _ . : + -      (names, numbers, sizes such as 256x256)
 *
 * Blanks and line ends may stand between any two of these. Names of layers ignore case. */
#ifndef SL_FLOW_FORMULA_H
#define SL_FLOW_FORMULA_H
#include "flow/flow.h"

enum {
  SL__FORMULA_MAX_LAYERS = 10000,
  SL__FORMULA_MAX_DEPTH = 32,
  SL__FORMULA_MAX_LENGTH = 100000
};

/* A layer or a group, `count` times. Items of a chain are linked. */
typedef struct sl__formula_item {
  const sl__kind *kind;              /* NULL: a group */
  const sl__option_value *arguments; /* of kind */
  struct sl__formula_item *child;    /* first of the group */
  struct sl__formula_item *next;
  int64_t count;    /* times it stands here */
  int64_t layers;   /* in one copy of it */
  int line, column; /* where it was written */
  const char *text; /* canonical, without the count */
} sl__formula_item;

typedef struct sl__formula {
  sl__formula_item *first;
  int64_t layers;   /* in all, expanded */
  const char *text; /* canonical: parsing it gives the same chain and the same text */
} sl__formula;

/* Everything lives in the arena. Errors carry line and column. */
sl_status sl__formula_parse(sl_context *context, sl__arena *arena, const char *text,
                            sl__formula *out);

/* The same for a text that must be one base density: "student(df=3)". */
sl_status sl__formula_parse_base(sl_context *context, sl__arena *arena, const char *text,
                                 const sl__formula_item **out);
/* Whether the text is one base density; refused like a formula. */
sl_status sl__formula_check_base(sl_context *context, const char *text);

/* formula_print.c: brings a chain into canonical form (groups of one copy opened, equal neighbours
 * joined) and writes its text. Returns NULL for want of memory. */
const char *sl__formula_layer_text(sl_context *context, sl__arena *arena, const sl__kind *kind,
                                   const sl__option_value *arguments);
sl__formula_item *sl__formula_simplify(sl__formula_item *first);
const char *sl__formula_chain_text(sl_context *context, sl__arena *arena,
                                   const sl__formula_item *first, bool parentheses);
#endif
