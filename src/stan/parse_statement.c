/* Statements. Those that begin with an expression (assignments, ~, calls) are told apart by what
 * follows it. */
#include "stan/parse.h"

sl__stan_statement *sl__stan_new_statement(sl__stan_parser *p, sl__stan_statement_kind kind,
                                           size_t place) {
  sl__stan_statement *statement = sl__stan_take(p, 1, sizeof *statement);
  if (!statement) return NULL;
  statement->kind = kind;
  statement->place = place;
  return statement;
}

/* ---- assignments, ~ and calls ---- */

static bool is_assignment(sl__stan_token_kind kind) {
  return kind >= SL__TOKEN_ASSIGN && kind <= SL__TOKEN_DIVIDE_EACH_ASSIGN;
}

static sl__stan_operator compound_operator(sl__stan_token_kind kind) {
  switch (kind) {
    case SL__TOKEN_SUBTRACT_ASSIGN: return SL__STAN_SUBTRACT;
    case SL__TOKEN_MULTIPLY_ASSIGN: return SL__STAN_MULTIPLY;
    case SL__TOKEN_DIVIDE_ASSIGN: return SL__STAN_DIVIDE;
    case SL__TOKEN_TIMES_EACH_ASSIGN: return SL__STAN_TIMES_EACH;
    case SL__TOKEN_DIVIDE_EACH_ASSIGN: return SL__STAN_DIVIDE_EACH;
    default: return SL__STAN_ADD;
  }
}

static bool parse_assignment(sl__stan_parser *p, sl__stan_statement *statement,
                             sl__stan_expression *left) {
  if (!sl__stan_check_assignable(p, left)) return false;
  statement->kind = SL__STAN_ASSIGN;
  statement->left = left;
  statement->compound = p->token.kind != SL__TOKEN_ASSIGN;
  statement->op = compound_operator(p->token.kind);
  sl__stan_advance(p);
  statement->value = sl__stan_parse_expression(p);
  if (statement->value && is_assignment(p->token.kind))
    return sl__stan_refuse_token(p, "';'; one statement assigns once");
  return statement->value && sl__stan_expect_semicolon(p, "';' or an operator");
}

/* T[lower, upper] with either left out. */
static bool parse_truncation(sl__stan_parser *p, sl__stan_statement *statement) {
  if (p->token.kind != SL__TOKEN_NAME || !sl__stan_token_is(p, "T")) return true;
  sl__stan_advance(p);
  size_t open = p->token.begin;
  statement->truncated = true;
  if (!sl__stan_expect(p, SL__TOKEN_OPEN_SQUARE, "'['; as in T[0, 1]")) return false;
  if (p->token.kind != SL__TOKEN_COMMA) {
    statement->lower = sl__stan_parse_expression(p);
    if (!statement->lower) return false;
  }
  if (!sl__stan_expect(p, SL__TOKEN_COMMA, "','; truncation is T[a, b], T[a, ] or T[, b]"))
    return false;
  if (p->token.kind != SL__TOKEN_CLOSE_SQUARE) {
    statement->upper = sl__stan_parse_expression(p);
    if (!statement->upper) return false;
  }
  return sl__stan_expect_close(p, SL__TOKEN_CLOSE_SQUARE, open, "']'");
}

static bool parse_tilde(sl__stan_parser *p, sl__stan_statement *statement,
                        sl__stan_expression *value) {
  statement->kind = SL__STAN_TILDE;
  statement->value = value;
  sl__stan_advance(p);
  if (p->token.kind != SL__TOKEN_NAME)
    return sl__stan_refuse_token(p, "the name of a distribution behind '~'");
  statement->place = p->token.begin;
  statement->name = sl__stan_token_text(p);
  if (!statement->name) return false;
  sl__stan_advance(p);
  size_t open = p->token.begin;
  sl__stan_list list = {0};
  if (!sl__stan_expect(p, SL__TOKEN_OPEN, "'(' and the distribution's arguments") ||
      !sl__stan_parse_list(p, SL__TOKEN_CLOSE, open, false, &list))
    return false;
  statement->argument = list.item;
  statement->argument_count = list.count;
  return parse_truncation(p, statement) && sl__stan_expect_semicolon(p, "';'");
}

static bool parse_simple(sl__stan_parser *p, sl__stan_statement *statement) {
  sl__stan_expression *expression = sl__stan_parse_expression(p);
  if (!expression) return false;
  if (p->token.kind == SL__TOKEN_TILDE) return parse_tilde(p, statement, expression);
  size_t arrow = is_assignment(p->token.kind) ? 0 : sl__stan_find_arrow(p, expression);
  if (is_assignment(p->token.kind)) return parse_assignment(p, statement, expression);
  if (arrow > 0 || expression->kind != SL__STAN_CALL || expression->bar ||
      p->token.kind != SL__TOKEN_SEMICOLON)
    return sl__stan_refuse_statement(p, expression);
  statement->kind = SL__STAN_EXPRESSION_STATEMENT;
  statement->value = expression;
  sl__stan_advance(p);
  return true;
}

/* target += e and jacobian += e; other statements may begin with target(). */
static bool parse_addition(sl__stan_parser *p, sl__stan_statement *statement) {
  sl__stan_lexer lexer = p->lexer;
  sl__stan_token token = p->token;
  size_t previous_end = p->previous_end;
  bool target = token.kind == SL__TOKEN_TARGET;
  sl__stan_advance(p);
  if (target && p->token.kind == SL__TOKEN_OPEN) {
    p->lexer = lexer;
    p->token = token;
    p->previous_end = previous_end;
    return parse_simple(p, statement);
  }
  statement->kind = target ? SL__STAN_TARGET_ADD : SL__STAN_JACOBIAN_ADD;
  if (!sl__stan_expect(p, SL__TOKEN_ADD_ASSIGN,
                       target ? "'+='; target is only added to" : "'+=' behind jacobian"))
    return false;
  statement->value = sl__stan_parse_expression(p);
  return statement->value && sl__stan_expect_semicolon(p, "';' or an operator");
}

/* ---- control ---- */

/* One statement; a declaration of several variables becomes a block of them. */
static bool parse_body(sl__stan_parser *p, sl__stan_statement **body) {
  sl__stan_statement **end = body;
  size_t place = p->token.begin;
  if (p->token.kind == SL__TOKEN_CLOSE_BRACE || p->token.kind == SL__TOKEN_END)
    return sl__stan_refuse_token(p, "a statement");
  if (!sl__stan_parse_statement(p, &end)) return false;
  if (!(*body)->next) return true;
  sl__stan_statement *block = sl__stan_new_statement(p, SL__STAN_BLOCK_STATEMENT, place);
  if (!block) return false;
  block->first = *body;
  *body = block;
  return true;
}

/* ( condition ) */
static bool parse_condition(sl__stan_parser *p, sl__stan_statement *statement) {
  size_t open = p->token.begin;
  if (!sl__stan_expect(p, SL__TOKEN_OPEN, "'(' and a condition")) return false;
  statement->value = sl__stan_parse_expression(p);
  if (!statement->value) return false;
  if (p->token.kind == SL__TOKEN_ASSIGN)
    return sl__stan_refuse_token(p, "')' or an operator; == compares, = assigns");
  return sl__stan_expect_close(p, SL__TOKEN_CLOSE, open, "')' or an operator");
}

/* A chain of else if is a loop here, so that its length costs no stack. */
static bool parse_if(sl__stan_parser *p, sl__stan_statement *statement) {
  for (int branches = 1;; branches++) {
    statement->kind = SL__STAN_IF;
    sl__stan_advance(p);
    if (branches > SL__STAN_MAX_BRANCHES)
      return sl__stan_parse_fail(p, statement->place, "more than %d branches of one if",
                                 SL__STAN_MAX_BRANCHES);
    if (!parse_condition(p, statement) || !parse_body(p, &statement->body)) return false;
    if (!sl__stan_accept(p, SL__TOKEN_ELSE)) return true;
    if (p->token.kind != SL__TOKEN_IF) return parse_body(p, &statement->otherwise);
    statement->otherwise = sl__stan_new_statement(p, SL__STAN_IF, p->token.begin);
    if (!statement->otherwise) return false;
    statement = statement->otherwise;
  }
}

static bool parse_while(sl__stan_parser *p, sl__stan_statement *statement) {
  statement->kind = SL__STAN_WHILE;
  sl__stan_advance(p);
  return parse_condition(p, statement) && parse_body(p, &statement->body);
}

static bool parse_for(sl__stan_parser *p, sl__stan_statement *statement) {
  sl__stan_advance(p);
  size_t open = p->token.begin;
  sl__stan_variable *variable = sl__stan_take(p, 1, sizeof *variable);
  if (!variable || !sl__stan_expect(p, SL__TOKEN_OPEN, "'('; as in for (i in 1:N)")) return false;
  statement->variable = variable;
  variable->place = p->token.begin;
  variable->block = p->block;
  variable->local = variable->loop = true;
  if (sl__stan_is_type(p->token.kind))
    return sl__stan_refuse_token(p, "the name of a variable; for (i in 1:N) declares i by itself");
  variable->name = sl__stan_parse_new_name(p, "a loop's variable");
  if (!variable->name || !sl__stan_expect(p, SL__TOKEN_IN, "'in'; as in for (i in 1:N)"))
    return false;
  statement->kind = SL__STAN_FOREACH;
  statement->value = sl__stan_parse_expression(p);
  if (!statement->value) return false;
  if (sl__stan_accept(p, SL__TOKEN_COLON)) {
    statement->kind = SL__STAN_FOR;
    variable->type.base = SL__STAN_INT_TYPE;
    statement->high = sl__stan_parse_expression(p);
    if (!statement->high) return false;
  }
  const char *what = statement->high ? "')' or an operator" : "':', ')' or an operator";
  return sl__stan_expect_close(p, SL__TOKEN_CLOSE, open, what) && parse_body(p, &statement->body);
}

bool sl__stan_parse_statements(sl__stan_parser *p, size_t open, sl__stan_statement **first) {
  sl__stan_statement **end = first;
  while (p->token.kind != SL__TOKEN_CLOSE_BRACE) {
    if (p->token.kind == SL__TOKEN_END)
      return sl__stan_expect_close(p, SL__TOKEN_CLOSE_BRACE, open, "a statement or '}'");
    if (!sl__stan_parse_statement(p, &end)) return false;
  }
  sl__stan_advance(p);
  return true;
}

/* Whether '{' begins an array, as in {a, b} ~ normal(0, 1), rather than a block: told by what comes
 * first, ';' anywhere inside, or ',' or '}' of its own. */
static bool at_array(sl__stan_parser *p) {
  enum { MOST_TOKENS = 4096 };
  sl__stan_lexer lexer = p->lexer;
  sl__stan_token token = {.kind = SL__TOKEN_OPEN_BRACE};
  int depth = 0;
  for (int i = 0; i < MOST_TOKENS; i++) {
    bool opened = token.kind == SL__TOKEN_OPEN_BRACE;
    if (sl__stan_next_token(&lexer, &token) != SL_OK) return false;
    switch (token.kind) {
      case SL__TOKEN_OPEN:
      case SL__TOKEN_OPEN_SQUARE:
      case SL__TOKEN_OPEN_BRACE: depth++; break;
      case SL__TOKEN_CLOSE:
      case SL__TOKEN_CLOSE_SQUARE: depth--; break;
      case SL__TOKEN_CLOSE_BRACE:
        if (opened || depth == 0) return !opened; /* no array is empty */
        depth--;
        break;
      case SL__TOKEN_COMMA:
        if (depth == 0) return true;
        break;
      case SL__TOKEN_SEMICOLON:
      case SL__TOKEN_END: return false;
      default:
        if (token.kind >= SL__TOKEN_FIRST_KEYWORD && token.kind != SL__TOKEN_TARGET) return false;
    }
  }
  return false;
}

/* { ... }: never at the top of a block, so what is declared inside is local. */
static bool parse_braces(sl__stan_parser *p, sl__stan_statement *statement) {
  statement->kind = SL__STAN_BLOCK_STATEMENT;
  size_t open = p->token.begin;
  return sl__stan_expect(p, SL__TOKEN_OPEN_BRACE, "'{'") &&
         sl__stan_parse_statements(p, open, &statement->first);
}

bool sl__stan_parse_body_block(sl__stan_parser *p, sl__stan_statement **body) {
  *body = sl__stan_new_statement(p, SL__STAN_BLOCK_STATEMENT, p->token.begin);
  return *body && parse_braces(p, *body);
}

static bool parse_profile(sl__stan_parser *p, sl__stan_statement *statement) {
  sl__stan_advance(p);
  size_t open = p->token.begin;
  sl__stan_list list = {0};
  if (!sl__stan_expect(p, SL__TOKEN_OPEN, "'('; as in profile(\"name\") { ... }")) return false;
  if (p->token.kind != SL__TOKEN_STRING)
    return sl__stan_refuse_token(p, "the profile's name between quotes");
  if (!sl__stan_parse_list(p, SL__TOKEN_CLOSE, open, true, &list)) return false;
  if (list.count != 1)
    return sl__stan_parse_fail(p, list.item[1]->place, "a profile has one name and no more");
  statement->name = list.item[0]->name;
  return parse_braces(p, statement);
}

/* ---- the rest ---- */

static bool parse_print(sl__stan_parser *p, sl__stan_statement *statement) {
  sl__stan_token_kind word = p->token.kind;
  statement->kind = word == SL__TOKEN_PRINT    ? SL__STAN_PRINT
                    : word == SL__TOKEN_REJECT ? SL__STAN_REJECT
                                               : SL__STAN_FATAL_ERROR;
  sl__stan_advance(p);
  size_t open = p->token.begin;
  sl__stan_list list = {0};
  if (!sl__stan_expect(p, SL__TOKEN_OPEN, "'('")) return false;
  if (p->token.kind == SL__TOKEN_CLOSE) return sl__stan_refuse_token(p, "a text or an expression");
  if (!sl__stan_parse_list(p, SL__TOKEN_CLOSE, open, true, &list)) return false;
  statement->argument = list.item;
  statement->argument_count = list.count;
  return sl__stan_expect_semicolon(p, "';'");
}

static bool parse_return(sl__stan_parser *p, sl__stan_statement *statement) {
  statement->kind = SL__STAN_RETURN;
  sl__stan_advance(p);
  if (p->token.kind == SL__TOKEN_SEMICOLON || p->token.kind == SL__TOKEN_CLOSE_BRACE)
    return sl__stan_expect_semicolon(p, "';'");
  statement->value = sl__stan_parse_expression(p);
  return statement->value && sl__stan_expect_semicolon(p, "';' or an operator");
}

static bool parse_other(sl__stan_parser *p, sl__stan_statement *statement) {
  switch (p->token.kind) {
    case SL__TOKEN_IF: return parse_if(p, statement);
    case SL__TOKEN_WHILE: return parse_while(p, statement);
    case SL__TOKEN_FOR: return parse_for(p, statement);
    case SL__TOKEN_OPEN_BRACE:
      return at_array(p) ? parse_simple(p, statement) : parse_braces(p, statement);
    case SL__TOKEN_PROFILE: return parse_profile(p, statement);
    case SL__TOKEN_PRINT:
    case SL__TOKEN_REJECT:
    case SL__TOKEN_FATAL_ERROR: return parse_print(p, statement);
    case SL__TOKEN_RETURN: return parse_return(p, statement);
    case SL__TOKEN_TARGET:
    case SL__TOKEN_JACOBIAN: return parse_addition(p, statement);
    case SL__TOKEN_BREAK:
    case SL__TOKEN_CONTINUE:
      statement->kind = p->token.kind == SL__TOKEN_BREAK ? SL__STAN_BREAK : SL__STAN_CONTINUE;
      sl__stan_advance(p);
      return sl__stan_expect_semicolon(p, "';'");
    case SL__TOKEN_DATA:
      return sl__stan_parse_fail(p, p->token.begin,
                                 "'data' marks arguments of functions only; remove it");
    case SL__TOKEN_ELSE:
      return sl__stan_parse_fail(p, p->token.begin, "'else' without an 'if' right before it");
    case SL__TOKEN_VOID:
      return sl__stan_parse_fail(p, p->token.begin,
                                 "functions are defined in the block 'functions' only");
    default: return parse_simple(p, statement);
  }
}

bool sl__stan_parse_statement(sl__stan_parser *p, sl__stan_statement ***end) {
  p->statement_place = p->token.begin;
  if (sl__stan_at_block(p)) return sl__stan_refuse_inner_block(p);
  if (sl__stan_is_type(p->token.kind)) return sl__stan_parse_declaration(p, end);
  if (p->block == SL__STAN_DATA || p->block == SL__STAN_PARAMETERS) {
    if (sl__stan_accept(p, SL__TOKEN_SEMICOLON)) return true;
    if (p->token.kind == SL__TOKEN_NAME) return sl__stan_refuse_unknown_type(p, p->token.begin);
    return sl__stan_refuse_token(p, "a declaration or '}'");
  }
  sl__stan_statement *statement =
      sl__stan_new_statement(p, SL__STAN_BLOCK_STATEMENT, p->token.begin);
  if (!statement || !sl__stan_descend(p)) return false;
  bool top = p->top;
  p->top = false;
  /* An empty statement is an empty block. */
  if (!sl__stan_accept(p, SL__TOKEN_SEMICOLON) && !parse_other(p, statement)) return false;
  p->top = top;
  p->depth--;
  **end = statement;
  *end = &statement->next;
  return true;
}
