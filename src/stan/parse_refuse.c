/* Words for statements that cannot be: unknown types, the arrow that once assigned, values that
 * nobody uses, targets that cannot be assigned to. */
#include "base/option.h"
#include "stan/parse.h"
#include <string.h>

/* What Stan calls the types of other languages. */
static const char *other_languages(const char *word) {
  static const char *const pairs[][2] = {{"double", "real"}, {"float", "real"}, {"number", "real"},
                                         {"integer", "int"}, {"long", "int"},   {"bool", "int"},
                                         {"boolean", "int"}};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
    if (strcmp(word, pairs[i][0]) == 0) return pairs[i][1];
  return NULL;
}

/* The word at `place` is no type; perhaps nearly one. */
bool sl__stan_refuse_unknown_type(sl__stan_parser *p, size_t place) {
  const char *text = p->program->source.text;
  const char *names[64];
  char word[64];
  size_t length = 0;
  int keywords, count = 0;
  const char *const *keyword = sl__stan_keywords(&keywords);
  for (int i = 0; i < keywords; i++)
    if (sl__stan_is_type((sl__stan_token_kind)(SL__TOKEN_FIRST_KEYWORD + i)))
      names[count++] = keyword[i];
  for (; length + 1 < sizeof word; length++) {
    char c = text[place + length];
    bool in_word = c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
    if (!in_word) break;
    word[length] = c;
  }
  word[length] = '\0';
  const char *nearest = other_languages(word);
  if (!nearest) nearest = sl__nearest_name(word, names, count);
  if (nearest)
    return sl__stan_parse_fail(p, place, "there is no type '%s'; did you mean '%s'?", word,
                               nearest);
  return sl__stan_parse_fail(p, place,
                             "there is no type '%s'; types are int, real, vector[N], "
                             "row_vector[N], matrix[M, N], array[N] and constrained ones",
                             word);
}

/* Whether the text behind the first operand of comparisons reads "<-". */
size_t sl__stan_find_arrow(const sl__stan_parser *p, const sl__stan_expression *expression) {
  for (; expression->kind == SL__STAN_BINARY; expression = expression->argument[0])
    if (expression->op == SL__STAN_LESS && p->program->source.text[expression->place + 1] == '-')
      return expression->place;
  return 0;
}

bool sl__stan_refuse_statement(sl__stan_parser *p, const sl__stan_expression *expression) {
  const char *text = p->program->source.text;
  sl__stan_token_kind kind = p->token.kind;
  bool bound = kind == SL__TOKEN_LOWER || kind == SL__TOKEN_UPPER || kind == SL__TOKEN_OFFSET ||
               kind == SL__TOKEN_MULTIPLIER;
  if (bound && p->previous_end > 0 && text[p->previous_end - 1] == '<')
    return sl__stan_refuse_unknown_type(p, p->statement_place);
  if (!expression) return sl__stan_refuse_token(p, "an expression");
  size_t arrow = sl__stan_find_arrow(p, expression);
  if (arrow > 0) return sl__stan_parse_fail(p, arrow, "'<-' no longer assigns; write =");
  bool may_be_type = expression->kind == SL__STAN_VARIABLE || expression->kind == SL__STAN_INDEXED;
  if (may_be_type && kind == SL__TOKEN_NAME &&
      !memchr(text + p->previous_end, '\n', p->token.begin - p->previous_end))
    return sl__stan_refuse_unknown_type(p, p->statement_place);
  if (expression->kind == SL__STAN_BINARY && expression->op == SL__STAN_EQUAL)
    return sl__stan_parse_fail(p, expression->place,
                               "'==' compares and does nothing here; write =");
  if (kind == SL__TOKEN_SEMICOLON)
    return sl__stan_parse_fail(p, expression->place,
                               "a value that nobody uses; expected an assignment, '~' or a call");
  if (expression->kind == SL__STAN_CALL) return sl__stan_expect_semicolon(p, "';' or an operator");
  return sl__stan_refuse_token(p, may_be_type
                                      ? "'=', '+=' or another assignment, '~' or an operator"
                                      : "'~' or an operator");
}

/* A variable, its parts, or a tuple of such. */
bool sl__stan_check_assignable(sl__stan_parser *p, const sl__stan_expression *left) {
  switch (left->kind) {
    case SL__STAN_VARIABLE: return true;
    case SL__STAN_INDEXED:
    case SL__STAN_MEMBER:
      if (left->argument[0]->kind != SL__STAN_TUPLE)
        return sl__stan_check_assignable(p, left->argument[0]);
      break;
    case SL__STAN_TUPLE:
      for (int i = 0; i < left->argument_count; i++)
        if (!sl__stan_check_assignable(p, left->argument[i])) return false;
      return true;
    case SL__STAN_TARGET:
      return sl__stan_parse_fail(p, left->place, "target is only added to; write target += ...");
    case SL__STAN_CALL:
      return sl__stan_parse_fail(p, left->place,
                                 "the result of '%.40s' cannot be assigned to; index with [ ]",
                                 left->name);
    default: break;
  }
  return sl__stan_parse_fail(p, left->place, "only a variable or a part of one can be assigned to");
}
