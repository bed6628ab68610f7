/* Parses formulas by recursive descent: one function per rule of the grammar (formula.h). */
#include <ctype.h>
#include <string.h>
#include "flow/formula.h"
#include "flow/transformer/transformer.h"

typedef struct parser {
  sl_context *context;
  sl__arena *arena;
  const char *at;
  int line, column;
  int depth;
} parser;

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
static bool in_name(char c) {
  return is_letter(c) || is_digit(c);
}
static bool in_value(char c) {
  return in_name(c) || c == '.' || c == ':' || c == '+' || c == '-';
}

static void advance(parser *p) {
  if (*p->at == '\n') {
    p->line++;
    p->column = 1;
  } else {
    p->column++;
  }
  p->at++;
}

static void skip_blanks(parser *p) {
  while (is_blank(*p->at)) advance(p);
}

/* Refuses what stands at the parser's place. */
static sl_status refuse(const parser *p, const char *wanted) {
  unsigned char c = (unsigned char)*p->at;
  if (c == 0)
    return sl__fail_at(p->context, SL_SYNTAX, p->line, p->column, "the formula ends; expected %s",
                       wanted);
  if (c < 32 || c > 126)
    return sl__fail_at(p->context, SL_SYNTAX, p->line, p->column, "byte 0x%02x; expected %s", c,
                       wanted);
  return sl__fail_at(p->context, SL_SYNTAX, p->line, p->column, "'%c'; expected %s", c, wanted);
}

/* Copies the run of characters that `belongs` accepts; NULL when there is no memory. */
static const char *take_word(parser *p, bool (*belongs)(char)) {
  const char *begin = p->at;
  while (belongs(*p->at)) advance(p);
  return sl__arena_text(p->arena, begin, (size_t)(p->at - begin));
}

/* ---- layers by name ---- */

static bool same_name(const char *a, const char *b) {
  for (; *a && *b; a++, b++)
    if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) return false;
  return *a == *b;
}

static bool is_transformer(const char *name) {
  int count = 0;
  const sl__transformer *const *all = sl__transformers(&count);
  for (int i = 0; i < count; i++)
    if (same_name(all[i]->name, name)) return true;
  return false;
}

static sl_status find_kind(const parser *p, const char *name, int line, int column,
                           const sl__kind **out) {
  int count = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  const char **names = sl__arena_take(p->arena, (size_t)count, sizeof *names);
  if (!names) return SL_NO_MEMORY;
  for (int i = 0; i < count; i++) {
    names[i] = kinds[i]->name;
    if (!same_name(names[i], name)) continue;
    *out = kinds[i];
    return SL_OK;
  }
  if (is_transformer(name))
    return sl__fail_at(p->context, SL_SYNTAX, line, column,
                       "'%s' is a transformer, which stands in a layer; write coupling(%s), "
                       "maf(%s) or elementwise(%s)",
                       name, name, name, name);
  const char *nearest = sl__nearest_name(name, names, count);
  if (nearest)
    return sl__fail_at(p->context, SL_SYNTAX, line, column,
                       "there is no layer '%.40s'; did you mean '%s'?", name, nearest);
  return sl__fail_at(p->context, SL_SYNTAX, line, column,
                     "there is no layer '%.40s'; `sluice flows` lists them", name);
}

/* ---- arguments ---- */

typedef struct argument_list {
  const sl__kind *kind;
  sl__option_value *values;
  int positional;
  bool keys_began;
  bool formula_last; /* the argument just read is a chain: it might have gone on */
} argument_list;

static int find_row(const sl__kind *kind, const char *name) {
  int row = 0;
  while (row < kind->argument_count && strcmp(kind->arguments[row].name, name) != 0) row++;
  return row;
}

/* Refuses a second value for a row. */
static sl_status check_once(const parser *p, const argument_list *list, int row, int line,
                            int column) {
  const sl__kind *kind = list->kind;
  if (row == kind->argument_count || !list->values[row].given) return SL_OK;
  return sl__fail_at(p->context, SL_SYNTAX, line, column,
                     "%s: argument '%s' is given twice; keep one", kind->name,
                     kind->arguments[row].name);
}

/* Sets a value; a refusal gets its place. */
static sl_status set_argument(parser *p, argument_list *list, const char *name, const char *value,
                              int line, int column) {
  const sl__kind *kind = list->kind;
  SL__TRY(check_once(p, list, find_row(kind, name), line, column));
  sl_status status = sl__options_set(p->context, p->arena, kind->arguments, kind->argument_count,
                                     list->values, "argument ", name, value);
  if (status == SL_OK || status == SL_NO_MEMORY) return status;
  sl__fail_prefix(p->context, "%s", kind->name);
  p->context->error.status = SL_SYNTAX;
  p->context->error.line = line;
  p->context->error.column = column;
  return SL_SYNTAX;
}

static bool is_formula(const sl__kind *kind, int row) {
  return row < kind->argument_count && kind->arguments[row].type == SL__OPTION_FORMULA;
}

/* Whether a key and '=' stand at the parser's place. */
static bool at_key(const parser *p) {
  const char *at = p->at;
  while (in_name(*at)) at++;
  while (is_blank(*at)) at++;
  return *at == '=';
}

/* Where a chain stands. */
typedef enum chain_place { WHOLE_FORMULA, IN_PARENTHESES, IN_ARGUMENT } chain_place;

static sl_status parse_chain(parser *p, sl__formula *out, chain_place where);

/* A chain inside another. */
static sl_status parse_inner_chain(parser *p, sl__formula *out, chain_place where, int line,
                                   int column) {
  if (p->depth == SL__FORMULA_MAX_DEPTH)
    return sl__fail_at(p->context, SL_SYNTAX, line, column,
                       "formulas are nested more than %d deep; nest less", SL__FORMULA_MAX_DEPTH);
  p->depth++;
  SL__TRY(parse_chain(p, out, where));
  p->depth--;
  return SL_OK;
}

static sl_status parse_formula_argument(parser *p, argument_list *list, int row) {
  SL__TRY(check_once(p, list, row, p->line, p->column));
  sl__formula *formula = sl__arena_take(p->arena, 1, sizeof *formula);
  if (!formula) return SL_NO_MEMORY;
  SL__TRY(parse_inner_chain(p, formula, IN_ARGUMENT, p->line, p->column));
  list->values[row] = (sl__option_value){.given = true, .text = formula->text, .formula = formula};
  list->formula_last = true;
  return SL_OK;
}

/* Behind a key and '='. An unknown key is refused at the key, whose place is given, a bad value at
 * the value. */
static sl_status parse_keyed_value(parser *p, argument_list *list, const char *key, int line,
                                   int column) {
  int row = find_row(list->kind, key);
  list->keys_began = true;
  if (row == list->kind->argument_count) return set_argument(p, list, key, NULL, line, column);
  if (is_formula(list->kind, row)) return parse_formula_argument(p, list, row);
  if (!in_value(*p->at)) return refuse(p, "a value after '='");
  line = p->line;
  column = p->column;
  const char *value = take_word(p, in_value);
  if (!value) return SL_NO_MEMORY;
  return set_argument(p, list, key, value, line, column);
}

static sl_status parse_argument(parser *p, argument_list *list) {
  const sl__kind *kind = list->kind;
  int line = p->line, column = p->column;
  list->formula_last = false;
  if (!list->keys_began && is_formula(kind, list->positional) && !at_key(p))
    return parse_formula_argument(p, list, list->positional++);
  if (!in_value(*p->at)) return refuse(p, "an argument: a value or key=value");
  const char *word = take_word(p, in_value);
  if (!word) return SL_NO_MEMORY;
  skip_blanks(p);
  if (*p->at == '=') {
    advance(p);
    skip_blanks(p);
    return parse_keyed_value(p, list, word, line, column);
  }
  if (list->keys_began)
    return sl__fail_at(p->context, SL_SYNTAX, line, column,
                       "'%.40s' follows key=value; put values without a key first", word);
  if (list->positional == kind->argument_count)
    return sl__fail_at(p->context, SL_SYNTAX, line, column,
                       "%s takes %d argument%s; leave '%.40s' out", kind->name,
                       kind->argument_count, kind->argument_count == 1 ? "" : "s", word);
  const char *name = kind->arguments[list->positional++].name;
  return set_argument(p, list, name, word, line, column);
}

static sl_status parse_arguments(parser *p, argument_list *list) {
  advance(p); /* the opening parenthesis */
  skip_blanks(p);
  if (*p->at != ')') {
    for (;;) {
      SL__TRY(parse_argument(p, list));
      skip_blanks(p);
      if (*p->at != ',') break;
      advance(p);
      skip_blanks(p);
    }
  }
  if (*p->at != ')')
    return refuse(p, list->formula_last ? "'-' and a layer, '*' and a count, ',' or ')'"
                                        : "',' or ')' after an argument");
  advance(p);
  return SL_OK;
}

/* A choice without a default takes its first name: said in canonical texts always, so that a
 * formula written down keeps its meaning. A formula must be given. */
static sl_status complete_arguments(const parser *p, const sl__kind *kind, sl__option_value *values,
                                    int line, int column) {
  for (int i = 0; i < kind->argument_count; i++) {
    const sl__option_row *row = &kind->arguments[i];
    if (row->fallback || values[i].given) continue;
    if (row->type == SL__OPTION_FORMULA)
      return sl__fail_at(p->context, SL_SYNTAX, line, column,
                         "%s needs its argument '%s', as in %s", kind->name, row->name,
                         kind->examples[0]);
    if (row->type != SL__OPTION_CHOICE) continue;
    values[i].integer = 0;
    values[i].text = sl__arena_text(p->arena, row->choices, strcspn(row->choices, "|"));
    if (!values[i].text) return SL_NO_MEMORY;
  }
  return SL_OK;
}

static sl_status parse_layer(parser *p, sl__formula_item *item) {
  const char *name = take_word(p, in_name);
  if (!name) return SL_NO_MEMORY;
  SL__TRY(find_kind(p, name, item->line, item->column, &item->kind));
  const sl__kind *kind = item->kind;
  sl__option_value *values = sl__arena_take(p->arena, (size_t)kind->argument_count, sizeof *values);
  if (!values) return SL_NO_MEMORY;
  SL__TRY(sl__options_default(p->context, p->arena, kind->arguments, kind->argument_count, values));
  skip_blanks(p);
  argument_list list = {.kind = kind, .values = values};
  if (*p->at == '(') SL__TRY(parse_arguments(p, &list));
  SL__TRY(complete_arguments(p, kind, values, item->line, item->column));
  item->arguments = values;
  item->layers = !sl__kind_is_base(kind);
  if (kind == &sl__bijector_inverse) {
    item->child = values[0].formula->first;
    item->layers = values[0].formula->layers;
  }
  item->text = sl__formula_layer_text(p->context, p->arena, kind, values);
  return item->text ? SL_OK : SL_NO_MEMORY;
}

/* ---- counts, groups, chains ---- */

static sl_status refuse_size(const parser *p, int line, int column) {
  return sl__fail_at(p->context, SL_SYNTAX, line, column,
                     "the flow has more than %d layers; repeat less", SL__FORMULA_MAX_LAYERS);
}

static sl_status parse_count(parser *p, sl__formula_item *item) {
  item->count = 1;
  skip_blanks(p);
  if (*p->at != '*') return SL_OK;
  if (item->kind && sl__kind_is_base(item->kind))
    return sl__fail_at(p->context, SL_SYNTAX, p->line, p->column,
                       "'%s' is a base density and stands once; remove the count",
                       item->kind->name);
  advance(p);
  skip_blanks(p);
  int line = p->line, column = p->column;
  if (!is_digit(*p->at)) return refuse(p, "a count after '*', as in *4");
  int64_t count = 0;
  while (is_digit(*p->at)) {
    if (count <= SL__FORMULA_MAX_LAYERS) count = 10 * count + (*p->at - '0');
    advance(p);
  }
  if (count == 0)
    return sl__fail_at(p->context, SL_SYNTAX, line, column,
                       "a count of 0; remove the layer instead");
  if (count > SL__FORMULA_MAX_LAYERS || count * item->layers > SL__FORMULA_MAX_LAYERS)
    return refuse_size(p, line, column);
  item->count = count;
  return SL_OK;
}

static sl_status parse_item(parser *p, sl__formula_item *item) {
  skip_blanks(p);
  item->line = p->line;
  item->column = p->column;
  if (*p->at == '(') {
    advance(p);
    sl__formula inner = {0};
    SL__TRY(parse_inner_chain(p, &inner, IN_PARENTHESES, item->line, item->column));
    if (*p->at != ')') return refuse(p, "'-' and a layer, '*' and a count, or ')'");
    advance(p);
    item->child = inner.first;
    item->layers = inner.layers;
    item->text = inner.text;
  } else if (is_letter(*p->at)) {
    SL__TRY(parse_layer(p, item));
  } else {
    return refuse(p, "the name of a layer or '('");
  }
  return parse_count(p, item);
}

/* A base density among the items: only at the front of the whole formula. */
static sl_status take_base(const parser *p, sl__formula *out, sl__formula_item *item,
                           bool allowed) {
  if (!allowed)
    return sl__fail_at(p->context, SL_SYNTAX, item->line, item->column,
                       "'%s' is a base density; it may only stand first in the whole formula, "
                       "before all layers",
                       item->kind->name);
  out->base = item;
  return SL_OK;
}

/* Writes the canonical texts. */
static sl_status finish_formula(const parser *p, sl__formula *out, chain_place where) {
  out->first = sl__formula_simplify(out->first);
  out->chain =
      sl__formula_chain_text(p->context, p->arena, NULL, out->first, where == IN_PARENTHESES);
  out->text = out->base ? sl__formula_chain_text(p->context, p->arena, out->base, out->first, false)
                        : out->chain;
  return out->chain && out->text ? SL_OK : SL_NO_MEMORY;
}

static sl_status parse_chain(parser *p, sl__formula *out, chain_place where) {
  sl__formula_item **link = &out->first;
  for (;;) {
    sl__formula_item *item = sl__arena_take(p->arena, 1, sizeof *item);
    if (!item) return SL_NO_MEMORY;
    SL__TRY(parse_item(p, item));
    if (item->kind && sl__kind_is_base(item->kind)) {
      SL__TRY(take_base(p, out, item, where == WHOLE_FORMULA && !out->base && !out->first));
    } else {
      *link = item;
      link = &item->next;
      out->layers += item->count * item->layers;
    }
    if (out->layers > SL__FORMULA_MAX_LAYERS) return refuse_size(p, item->line, item->column);
    skip_blanks(p);
    if (*p->at != '-') break;
    advance(p);
  }
  return finish_formula(p, out, where);
}

sl_status sl__formula_parse(sl_context *context, sl__arena *arena, const char *text,
                            sl__formula *out) {
  *out = (sl__formula){0};
  if (strlen(text) > SL__FORMULA_MAX_LENGTH)
    return sl__fail(context, SL_SYNTAX, "the formula is longer than %d bytes; use *count",
                    SL__FORMULA_MAX_LENGTH);
  parser p = {.context = context, .arena = arena, .at = text, .line = 1, .column = 1};
  SL__TRY(parse_chain(&p, out, WHOLE_FORMULA));
  if (*p.at == ')')
    return sl__fail_at(context, SL_SYNTAX, p.line, p.column, "')' without '('; remove it");
  return *p.at == 0 ? SL_OK : refuse(&p, "'-' and a layer, '*' and a count, or the end");
}
