/* What expressions are made of: numbers, texts, names, calls, brackets of all kinds. */
#include "base/text.h"
#include "stan/parse.h"
#include <math.h>
#include <string.h>

/* ---- nodes ---- */

sl__stan_expression *sl__stan_new_expression(sl__stan_parser *p, sl__stan_expression_kind kind,
                                             size_t place) {
  sl__stan_expression *node = sl__stan_take(p, 1, sizeof *node);
  if (!node) return NULL;
  node->kind = kind;
  node->place = place;
  node->end = p->token.end;
  return node;
}

/* Notes that child stands below node; a tree too high for those who walk it is refused. */
bool sl__stan_raise(sl__stan_parser *p, sl__stan_expression *node,
                    const sl__stan_expression *child) {
  if (child->height >= node->height) node->height = child->height + 1;
  if (node->height <= SL__STAN_MAX_HEIGHT) return true;
  return sl__stan_parse_fail(
      p, node->place, "an expression of more than %d operations in a row; compute it in parts",
      SL__STAN_MAX_HEIGHT);
}

static sl__stan_expression *with_list(sl__stan_parser *p, sl__stan_expression *node,
                                      const sl__stan_list *list) {
  node->argument = list->item;
  node->argument_count = list->count;
  node->end = p->previous_end;
  for (int i = 0; i < list->count; i++)
    if (!sl__stan_raise(p, node, list->item[i])) return NULL;
  return node;
}

/* ---- literals ---- */

/* The digits without underscores. */
const char *sl__stan_plain_digits(sl__stan_parser *p) {
  char *text = sl__stan_token_text(p);
  if (!text) return NULL;
  char *to = text;
  for (const char *from = text; *from; from++)
    if (*from != '_') *to++ = *from;
  *to = '\0';
  return text;
}

static sl__stan_expression *parse_number(sl__stan_parser *p) {
  sl__stan_expression *node = sl__stan_new_expression(p, SL__STAN_REAL, p->token.begin);
  const char *text = node ? sl__stan_plain_digits(p) : NULL;
  if (!text) return NULL;
  if (p->token.kind == SL__TOKEN_IMAGINARY) node->kind = SL__STAN_IMAGINARY;
  if (p->token.kind == SL__TOKEN_INTEGER_NUMBER) {
    node->kind = SL__STAN_INTEGER;
    if (!sl__parse_integer(text, text + strlen(text), &node->integer) ||
        node->integer > INT32_MAX) {
      sl__stan_parse_fail(p, node->place,
                          "integers reach up to 2147483647; write a real number, as in %.20s.0",
                          text);
      return NULL;
    }
  } else if (!sl__parse_real(text, text + strlen(text), &node->real) || !isfinite(node->real)) {
    sl__stan_parse_fail(p, node->place,
                        "this number is too large for a real; use positive_infinity()");
    return NULL;
  }
  sl__stan_advance(p);
  return node;
}

static sl__stan_expression *parse_text(sl__stan_parser *p) {
  sl__stan_expression *node = sl__stan_new_expression(p, SL__STAN_STRING, p->token.begin);
  if (!node) return NULL;
  size_t length = p->token.end - p->token.begin - 2;
  node->name =
      sl__arena_text(&p->program->arena, p->program->source.text + node->place + 1, length);
  if (!node->name) {
    p->status = SL_NO_MEMORY;
    return NULL;
  }
  sl__stan_advance(p);
  return node;
}

/* ---- lists ---- */

bool sl__stan_append(sl__stan_parser *p, sl__stan_list *list, sl__stan_expression *item) {
  sl__stan_expression **items = sl__stan_grow(p, list->item, list->count, sizeof(void *));
  if (!items) return false;
  list->item = items;
  list->item[list->count++] = item;
  return true;
}

bool sl__stan_parse_list(sl__stan_parser *p, sl__stan_token_kind close, size_t open, bool texts,
                         sl__stan_list *list) {
  const char *what = close == SL__TOKEN_CLOSE          ? "',' or ')'"
                     : close == SL__TOKEN_CLOSE_SQUARE ? "',' or ']'"
                                                       : "',' or '}'";
  if (sl__stan_accept(p, close)) return true;
  do {
    bool is_text = texts && p->token.kind == SL__TOKEN_STRING;
    sl__stan_expression *item = is_text ? parse_text(p) : sl__stan_parse_expression(p);
    if (!item || !sl__stan_append(p, list, item)) return false;
  } while (sl__stan_accept(p, SL__TOKEN_COMMA));
  return sl__stan_expect_close(p, close, open, what);
}

/* [a, b] and {a, b}. */
static sl__stan_expression *parse_collection(sl__stan_parser *p) {
  bool row = p->token.kind == SL__TOKEN_OPEN_SQUARE;
  sl__stan_list list = {0};
  sl__stan_expression *node =
      sl__stan_new_expression(p, row ? SL__STAN_ROW : SL__STAN_ARRAY, p->token.begin);
  if (!node) return NULL;
  sl__stan_advance(p);
  if (!row && p->token.kind == SL__TOKEN_CLOSE_BRACE) {
    sl__stan_refuse_token(p, "an expression; an array needs at least one element");
    return NULL;
  }
  if (!sl__stan_parse_list(p, row ? SL__TOKEN_CLOSE_SQUARE : SL__TOKEN_CLOSE_BRACE, node->place,
                           false, &list))
    return NULL;
  return with_list(p, node, &list);
}

/* ( a ), or the tuple ( a, b ). */
static sl__stan_expression *parse_parentheses(sl__stan_parser *p) {
  size_t open = p->token.begin;
  sl__stan_advance(p);
  sl__stan_expression *first = sl__stan_parse_expression(p);
  if (!first) return NULL;
  if (p->token.kind != SL__TOKEN_COMMA)
    return sl__stan_expect_close(p, SL__TOKEN_CLOSE, open, "an operator or ')'") ? first : NULL;
  sl__stan_advance(p);
  sl__stan_list list = {0};
  sl__stan_expression *node = sl__stan_new_expression(p, SL__STAN_TUPLE, open);
  if (!node || !sl__stan_append(p, &list, first)) return NULL;
  if (!sl__stan_parse_list(p, SL__TOKEN_CLOSE, open, false, &list)) return NULL;
  return with_list(p, node, &list);
}

/* ---- names and calls ---- */

/* Calls that left the language, and what replaced them. */
static bool refuse_removed(sl__stan_parser *p, const sl__stan_expression *node) {
  if (strcmp(node->name, "increment_log_prob") == 0)
    return sl__stan_parse_fail(p, node->place,
                               "increment_log_prob(...) left the language; write target += ...");
  if (strcmp(node->name, "get_lp") == 0)
    return sl__stan_parse_fail(p, node->place, "get_lp() left the language; write target()");
  return true;
}

/* f(a, b) and f(a | b), behind the name. */
static sl__stan_expression *parse_call(sl__stan_parser *p, sl__stan_expression *node) {
  size_t open = p->token.begin;
  sl__stan_list list = {0};
  node->kind = SL__STAN_CALL;
  if (!refuse_removed(p, node)) return NULL;
  sl__stan_advance(p);
  if (sl__stan_accept(p, SL__TOKEN_CLOSE)) return with_list(p, node, &list);
  sl__stan_expression *first = sl__stan_parse_expression(p);
  if (!first || !sl__stan_append(p, &list, first)) return NULL;
  if (sl__stan_accept(p, SL__TOKEN_BAR)) {
    node->bar = true;
    if (!sl__stan_parse_list(p, SL__TOKEN_CLOSE, open, false, &list)) return NULL;
    return with_list(p, node, &list);
  }
  if (sl__stan_accept(p, SL__TOKEN_COMMA)) {
    if (p->token.kind == SL__TOKEN_CLOSE) {
      sl__stan_refuse_token(p, "an argument behind ','");
      return NULL;
    }
    if (!sl__stan_parse_list(p, SL__TOKEN_CLOSE, open, false, &list)) return NULL;
  } else if (!sl__stan_expect_close(p, SL__TOKEN_CLOSE, open, "',', '|', ')' or an operator")) {
    return NULL;
  }
  return with_list(p, node, &list);
}

static sl__stan_expression *parse_name(sl__stan_parser *p) {
  sl__stan_expression *node = sl__stan_new_expression(p, SL__STAN_VARIABLE, p->token.begin);
  if (!node) return NULL;
  node->name = sl__stan_token_text(p);
  if (!node->name) return NULL;
  sl__stan_advance(p);
  if (p->token.kind == SL__TOKEN_OPEN) return parse_call(p, node);
  if (node->name[0] == 'l' && strcmp(node->name, "lp__") == 0) {
    sl__stan_parse_fail(
        p, node->place,
        "lp__ left the language; write target() to read it, target += to add to it");
    return NULL;
  }
  return node;
}

static sl__stan_expression *parse_target(sl__stan_parser *p) {
  sl__stan_expression *node = sl__stan_new_expression(p, SL__STAN_TARGET, p->token.begin);
  if (!node) return NULL;
  sl__stan_advance(p);
  size_t open = p->token.begin;
  if (!sl__stan_expect(p, SL__TOKEN_OPEN, "'('; target() is its value, target += adds to it") ||
      !sl__stan_expect_close(p, SL__TOKEN_CLOSE, open, "')'"))
    return NULL;
  node->end = p->previous_end;
  return node;
}

/* ---- what no expression begins with ---- */

/* "x <- 3", "x++", "x ** 2" and the like, seen at the second sign. */
static bool refuse_second_operator(sl__stan_parser *p) {
  const char *text = p->program->source.text;
  size_t at = p->token.begin;
  if (p->token.kind == SL__TOKEN_MULTIPLY && at > 0 && text[at - 1] == '*')
    return sl__stan_parse_fail(p, at - 1, "'**' is no operator; write ^ for powers");
  if (p->previous_end >= 2 &&
      (text[p->previous_end - 1] == '+' || text[p->previous_end - 1] == '-') &&
      text[p->previous_end - 2] == text[p->previous_end - 1])
    return sl__stan_parse_fail(p, p->previous_end - 2, "'%.2s' is no operator; write %c= 1",
                               text + p->previous_end - 2, text[p->previous_end - 1]);
  return true;
}

static sl__stan_expression *refuse_start(sl__stan_parser *p) {
  sl__stan_token_kind kind = p->token.kind;
  if (kind == SL__TOKEN_STRING)
    sl__stan_parse_fail(p, p->token.begin,
                        "a text may stand only in print, reject, fatal_error and profile");
  else if (kind == SL__TOKEN_ASSIGN && p->previous_end == p->token.begin)
    sl__stan_refuse_token(p, "an expression; assignments are = += -= *= /= .*= ./=");
  else if (kind >= SL__TOKEN_FIRST_KEYWORD &&
           (kind == SL__TOKEN_LOWER || kind == SL__TOKEN_UPPER || kind == SL__TOKEN_OFFSET ||
            kind == SL__TOKEN_MULTIPLIER))
    sl__stan_refuse_statement(p, NULL);
  else if (refuse_second_operator(p))
    sl__stan_refuse_token(p, "an expression");
  return NULL;
}

sl__stan_expression *sl__stan_parse_primary(sl__stan_parser *p) {
  switch (p->token.kind) {
    case SL__TOKEN_NAME: return parse_name(p);
    case SL__TOKEN_INTEGER_NUMBER:
    case SL__TOKEN_REAL_NUMBER:
    case SL__TOKEN_POINT_INTEGER:
    case SL__TOKEN_IMAGINARY: return parse_number(p);
    case SL__TOKEN_OPEN: return parse_parentheses(p);
    case SL__TOKEN_OPEN_SQUARE:
    case SL__TOKEN_OPEN_BRACE: return parse_collection(p);
    case SL__TOKEN_TARGET: return parse_target(p);
    default: return refuse_start(p);
  }
}
