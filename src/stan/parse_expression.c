/* Expressions, by precedence climbing. How strongly operators bind (Stan reference manual, table of
 * operators), weakest first:
 *
 *   ?:   ||   &&   == !=   < <= > >=   + -   * / % .* ./   \ %/%   unary ! - +   ^ .^   '  [] .1
 *
 * All group to the left but ?: and the powers; a power's right side may begin with a unary
 * operator: a ^ -b. */
#include "stan/parse.h"
#include "base/text.h"
#include <string.h>

typedef struct operator_row {
  const char *text;
  int strength;
} operator_row;

static const operator_row operators[] = {
    [SL__STAN_ADD] = {"+", SL__STAN_BIND_ADD},
    [SL__STAN_SUBTRACT] = {"-", SL__STAN_BIND_ADD},
    [SL__STAN_MULTIPLY] = {"*", SL__STAN_BIND_MULTIPLY},
    [SL__STAN_DIVIDE] = {"/", SL__STAN_BIND_MULTIPLY},
    [SL__STAN_INTEGER_DIVIDE] = {"%/%", SL__STAN_BIND_INTEGER_DIVIDE},
    [SL__STAN_MODULO] = {"%", SL__STAN_BIND_MULTIPLY},
    [SL__STAN_LEFT_DIVIDE] = {"\\", SL__STAN_BIND_INTEGER_DIVIDE},
    [SL__STAN_TIMES_EACH] = {".*", SL__STAN_BIND_MULTIPLY},
    [SL__STAN_DIVIDE_EACH] = {"./", SL__STAN_BIND_MULTIPLY},
    [SL__STAN_POWER] = {"^", SL__STAN_BIND_POWER},
    [SL__STAN_POWER_EACH] = {".^", SL__STAN_BIND_POWER},
    [SL__STAN_EQUAL] = {"==", SL__STAN_BIND_EQUAL},
    [SL__STAN_NOT_EQUAL] = {"!=", SL__STAN_BIND_EQUAL},
    [SL__STAN_LESS] = {"<", SL__STAN_BIND_COMPARE},
    [SL__STAN_LESS_EQUAL] = {"<=", SL__STAN_BIND_COMPARE},
    [SL__STAN_GREATER] = {">", SL__STAN_BIND_COMPARE},
    [SL__STAN_GREATER_EQUAL] = {">=", SL__STAN_BIND_COMPARE},
    [SL__STAN_AND] = {"&&", SL__STAN_BIND_AND},
    [SL__STAN_OR] = {"||", SL__STAN_BIND_OR},
    [SL__STAN_NOT] = {"!", SL__STAN_BIND_UNARY},
    [SL__STAN_NEGATE] = {"-", SL__STAN_BIND_UNARY},
    [SL__STAN_PLUS] = {"+", SL__STAN_BIND_UNARY},
    [SL__STAN_TRANSPOSE] = {"'", SL__STAN_BIND_POSTFIX},
};

const char *sl__stan_operator_text(sl__stan_operator op) {
  return operators[op].text;
}

int sl__stan_operator_strength(sl__stan_operator op) {
  return operators[op].strength;
}

static sl__stan_expression *parse_binary(sl__stan_parser *p, int least_strength);

static sl__stan_expression *with_arguments(sl__stan_parser *p, sl__stan_expression *node,
                                           sl__stan_expression *const *arguments, int count) {
  node->argument = sl__stan_take(p, (size_t)count, sizeof *node->argument);
  if (!node->argument) return NULL;
  node->argument_count = count;
  node->end = p->previous_end;
  for (int i = 0; i < count; i++) {
    node->argument[i] = arguments[i];
    if (!sl__stan_raise(p, node, arguments[i])) return NULL;
  }
  return node;
}

/* ---- postfix ---- */

static bool ends_index(sl__stan_token_kind kind) {
  return kind == SL__TOKEN_COMMA || kind == SL__TOKEN_CLOSE_SQUARE;
}

static bool parse_index(sl__stan_parser *p, sl__stan_expression *node, sl__stan_index *index) {
  if (!ends_index(p->token.kind) && p->token.kind != SL__TOKEN_COLON) {
    index->low = sl__stan_parse_expression(p);
    if (!index->low || !sl__stan_raise(p, node, index->low)) return false;
    index->kind = SL__STAN_INDEX_AT;
  }
  if (!sl__stan_accept(p, SL__TOKEN_COLON)) return true;
  if (!ends_index(p->token.kind)) {
    index->high = sl__stan_parse_expression(p);
    if (!index->high || !sl__stan_raise(p, node, index->high)) return false;
  }
  if (index->low)
    index->kind = index->high ? SL__STAN_INDEX_RANGE : SL__STAN_INDEX_FROM;
  else if (index->high)
    index->kind = SL__STAN_INDEX_TO;
  return true;
}

static sl__stan_expression *parse_indexed(sl__stan_parser *p, sl__stan_expression *base) {
  size_t open = p->token.begin;
  sl__stan_expression *node = sl__stan_new_expression(p, SL__STAN_INDEXED, base->place);
  if (!node || !sl__stan_descend(p)) return NULL;
  sl__stan_advance(p);
  do {
    sl__stan_index *indices = sl__stan_grow(p, node->index, node->index_count, sizeof *node->index);
    if (!indices) return NULL;
    node->index = indices;
    if (!parse_index(p, node, &indices[node->index_count++])) return NULL;
  } while (sl__stan_accept(p, SL__TOKEN_COMMA));
  p->depth--;
  if (!sl__stan_expect_close(p, SL__TOKEN_CLOSE_SQUARE, open, "',', ':', ']' or an operator"))
    return NULL;
  return with_arguments(p, node, &base, 1);
}

static sl__stan_expression *parse_member(sl__stan_parser *p, sl__stan_expression *base) {
  sl__stan_expression *node = sl__stan_new_expression(p, SL__STAN_MEMBER, base->place);
  if (!node) return NULL;
  const char *text = sl__stan_plain_digits(p);
  if (!text) return NULL;
  if (!sl__parse_integer(text + 1, text + strlen(text), &node->integer) || node->integer < 1 ||
      node->integer > INT32_MAX) {
    sl__stan_parse_fail(p, p->token.begin, "members of a tuple are numbered from 1, as in a.1");
    return NULL;
  }
  sl__stan_advance(p);
  return with_arguments(p, node, &base, 1);
}

static sl__stan_expression *parse_postfix(sl__stan_parser *p) {
  sl__stan_expression *node = sl__stan_parse_primary(p);
  while (node &&
         (p->token.kind == SL__TOKEN_OPEN_SQUARE || p->token.kind == SL__TOKEN_POINT_INTEGER)) {
    node = p->token.kind == SL__TOKEN_OPEN_SQUARE ? parse_indexed(p, node) : parse_member(p, node);
  }
  while (node && p->token.kind == SL__TOKEN_APOSTROPHE) {
    sl__stan_expression *transpose = sl__stan_new_expression(p, SL__STAN_UNARY, node->place);
    if (!transpose) return NULL;
    sl__stan_advance(p);
    transpose->op = SL__STAN_TRANSPOSE;
    node = with_arguments(p, transpose, &node, 1);
  }
  if (node && node->kind == SL__STAN_UNARY && p->token.kind == SL__TOKEN_OPEN_SQUARE) {
    sl__stan_refuse_token(p, "an operator; to index a transpose, write (a')[i]");
    return NULL;
  }
  return node;
}

/* ---- prefix and binary operators ---- */

static sl__stan_expression *parse_unary(sl__stan_parser *p) {
  sl__stan_operator op;
  switch (p->token.kind) {
    case SL__TOKEN_NOT: op = SL__STAN_NOT; break;
    case SL__TOKEN_SUBTRACT: op = SL__STAN_NEGATE; break;
    case SL__TOKEN_ADD: op = SL__STAN_PLUS; break;
    default: return parse_postfix(p);
  }
  sl__stan_expression *node = sl__stan_new_expression(p, SL__STAN_UNARY, p->token.begin);
  if (!node || !sl__stan_descend(p)) return NULL;
  node->op = op;
  sl__stan_advance(p);
  sl__stan_expression *operand = parse_binary(p, SL__STAN_BIND_UNARY);
  p->depth--;
  return operand ? with_arguments(p, node, &operand, 1) : NULL;
}

/* Operands joined by operators of at least that strength. */
static sl__stan_expression *parse_binary(sl__stan_parser *p, int least_strength) {
  sl__stan_expression *left = parse_unary(p);
  while (left && p->token.kind >= SL__TOKEN_ADD && p->token.kind <= SL__TOKEN_OR) {
    sl__stan_operator op = (sl__stan_operator)(p->token.kind - SL__TOKEN_ADD);
    int strength = operators[op].strength;
    if (strength < least_strength) break;
    sl__stan_expression *node = sl__stan_new_expression(p, SL__STAN_BINARY, p->token.begin);
    if (!node || !sl__stan_descend(p)) return NULL;
    node->op = op;
    sl__stan_advance(p);
    sl__stan_expression *right =
        parse_binary(p, strength == SL__STAN_BIND_POWER ? strength : strength + 1);
    p->depth--;
    if (!right) return NULL;
    left = with_arguments(p, node, (sl__stan_expression *[]){left, right}, 2);
  }
  return left;
}

static sl__stan_expression *parse_ternary(sl__stan_parser *p) {
  sl__stan_expression *condition = parse_binary(p, SL__STAN_BIND_OR);
  if (!condition || p->token.kind != SL__TOKEN_QUESTION) return condition;
  sl__stan_expression *node = sl__stan_new_expression(p, SL__STAN_TERNARY, p->token.begin);
  if (!node) return NULL;
  sl__stan_advance(p);
  sl__stan_expression *yes = sl__stan_parse_expression(p);
  if (!yes || !sl__stan_expect(p, SL__TOKEN_COLON, "':' and the other value; as in a ? b : c"))
    return NULL;
  sl__stan_expression *no = sl__stan_parse_expression(p);
  if (!no) return NULL;
  return with_arguments(p, node, (sl__stan_expression *[]){condition, yes, no}, 3);
}

sl__stan_expression *sl__stan_parse_expression(sl__stan_parser *p) {
  if (!sl__stan_descend(p)) return NULL;
  sl__stan_expression *node = parse_ternary(p);
  p->depth--;
  return node;
}

sl__stan_expression *sl__stan_parse_bound(sl__stan_parser *p) {
  if (!sl__stan_descend(p)) return NULL;
  sl__stan_expression *node = parse_binary(p, SL__STAN_BIND_ADD);
  p->depth--;
  return node;
}
