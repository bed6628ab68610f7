/* The formula language: text -> base density and chain of layers -> canonical text.
 *
 *   formula  := base | chain | base '-' chain
 *   base     := call                           of a kind that is a base density
 *   chain    := layer ('-' layer)*
 *   layer    := ( call | '(' chain ')' ) ( '*' count )?
 *   call     := name ( '(' ( argument (',' argument)* )? ')' )?
 *   argument := value | key '=' value          positional values come first
 *   value    := chain, where the argument is a formula: inverse(planar*3-loc); else one or more of
 *               A-Z a-z 0-9 _ . : + -          (names, numbers, sizes such as 256x256)
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

/* A layer, a group or an inverted chain, `count` times; or a base density. Items of a chain are
 * linked. */
typedef struct sl__formula_item {
  const sl__kind *kind;              /* NULL: a group */
  const sl__option_value *arguments; /* of kind */
  struct sl__formula_item *child;    /* first of the group, or of what `inverse` turns round */
  struct sl__formula_item *next;
  int64_t count;    /* times it stands here */
  int64_t layers;   /* in one copy of it; a base: 0 */
  int line, column; /* where it was written */
  const char *text; /* canonical, without the count */
} sl__formula_item;

typedef struct sl__formula {
  sl__formula_item *base;  /* or NULL: it begins with a layer */
  sl__formula_item *first; /* of the chain; NULL: a base alone */
  int64_t layers;          /* in all, expanded */
  const char *text;        /* canonical: parsing it gives the same chain and the same text */
  const char *chain;       /* canonical, without the base; "" for no layers */
} sl__formula;

/* What turns a chain round: it has no functions of its own, its item has the chain as child. */
extern const sl__kind sl__bijector_inverse;

/* Everything lives in the arena. Errors carry line and column. */
sl_status sl__formula_parse(sl_context *context, sl__arena *arena, const char *text,
                            sl__formula *out);

/* The same for a text that must be one base density: "student(df=3)". Its errors have their place
 * in the message: places by themselves are places in the formula. */
sl_status sl__formula_parse_base(sl_context *context, sl__arena *arena, const char *text,
                                 const sl__formula_item **out);
/* Moves the place of the recorded failure into its message; returns its status. */
sl_status sl__formula_blame_base(sl_context *context, const char *text);
/* Whether the text is one base density; refused like a formula. */
sl_status sl__formula_check_base(sl_context *context, const char *text);

/* formula_print.c: brings a chain into canonical form (groups of one copy opened, equal neighbours
 * joined) and writes its text, behind the base or NULL. Returns NULL for want of memory. */
const char *sl__formula_layer_text(sl_context *context, sl__arena *arena, const sl__kind *kind,
                                   const sl__option_value *arguments);
sl__formula_item *sl__formula_simplify(sl__formula_item *first);
const char *sl__formula_chain_text(sl_context *context, sl__arena *arena,
                                   const sl__formula_item *base, const sl__formula_item *first,
                                   bool parentheses);
#endif
