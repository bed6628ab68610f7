/* The parser's ground: the current token, memory, nesting, and failures in the words of a compiler:
 * what was expected, what was found, and what would mend it. */
#include "stan/parse.h"
#include "base/option.h"
#include <stdio.h>
#include <string.h>

void sl__stan_advance(sl__stan_parser *p) {
  p->previous_end = p->token.end;
  if (p->status != SL_OK) return;
  p->status = sl__stan_next_token(&p->lexer, &p->token);
}

bool sl__stan_accept(sl__stan_parser *p, sl__stan_token_kind kind) {
  if (p->token.kind != kind) return false;
  sl__stan_advance(p);
  return true;
}

bool sl__stan_token_is(const sl__stan_parser *p, const char *text) {
  size_t length = p->token.end - p->token.begin;
  return strlen(text) == length &&
         memcmp(p->program->source.text + p->token.begin, text, length) == 0;
}

char *sl__stan_token_text(sl__stan_parser *p) {
  char *text = sl__arena_text(&p->program->arena, p->program->source.text + p->token.begin,
                              p->token.end - p->token.begin);
  if (!text && p->status == SL_OK) p->status = SL_NO_MEMORY;
  return text;
}

bool sl__stan_is_type(sl__stan_token_kind kind) {
  switch (kind) {
    case SL__TOKEN_ARRAY:
    case SL__TOKEN_CHOLESKY_FACTOR_CORR:
    case SL__TOKEN_CHOLESKY_FACTOR_COV:
    case SL__TOKEN_COLUMN_STOCHASTIC_MATRIX:
    case SL__TOKEN_COMPLEX:
    case SL__TOKEN_COMPLEX_MATRIX:
    case SL__TOKEN_COMPLEX_ROW_VECTOR:
    case SL__TOKEN_COMPLEX_VECTOR:
    case SL__TOKEN_CORR_MATRIX:
    case SL__TOKEN_COV_MATRIX:
    case SL__TOKEN_INT:
    case SL__TOKEN_MATRIX:
    case SL__TOKEN_ORDERED:
    case SL__TOKEN_POSITIVE_ORDERED:
    case SL__TOKEN_REAL:
    case SL__TOKEN_ROW_STOCHASTIC_MATRIX:
    case SL__TOKEN_ROW_VECTOR:
    case SL__TOKEN_SIMPLEX:
    case SL__TOKEN_SUM_TO_ZERO_MATRIX:
    case SL__TOKEN_SUM_TO_ZERO_VECTOR:
    case SL__TOKEN_TUPLE:
    case SL__TOKEN_UNIT_VECTOR:
    case SL__TOKEN_VECTOR: return true;
    default: return false;
  }
}

/* ---- failures ---- */

bool sl__stan_parse_fail(sl__stan_parser *p, size_t place, const char *format, ...) {
  if (p->status != SL_OK) return false;
  char message[sizeof p->context->error.message];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  p->status = sl__source_fail(p->context, &p->program->source, SL_SYNTAX, place, "%s", message);
  p->token.kind = SL__TOKEN_BAD;
  return false;
}

enum { DESCRIPTION = 80 };

/* The current token in a message. */
static const char *describe_token(const sl__stan_parser *p, char buffer[DESCRIPTION]) {
  const sl__stan_token *token = &p->token;
  const char *text = p->program->source.text + token->begin;
  int length = token->end - token->begin < 40 ? (int)(token->end - token->begin) : 40;
  const char *more = token->end - token->begin > 40 ? "..." : "";
  if (token->kind == SL__TOKEN_END)
    snprintf(buffer, DESCRIPTION, "the end of the program");
  else if (token->kind == SL__TOKEN_STRING)
    snprintf(buffer, DESCRIPTION, "the text %.*s%s", length, text, more);
  else if (token->kind >= SL__TOKEN_FIRST_KEYWORD)
    snprintf(buffer, DESCRIPTION, "the reserved word '%.*s'", length, text);
  else
    snprintf(buffer, DESCRIPTION, "'%.*s%s'", length, text, more);
  return buffer;
}

/* Where a caret points for the current token: the end is behind the last word, not below it. */
static size_t token_place(const sl__stan_parser *p) {
  return p->token.kind == SL__TOKEN_END ? p->previous_end : p->token.begin;
}

bool sl__stan_refuse_token(sl__stan_parser *p, const char *what) {
  char found[DESCRIPTION];
  const char *hint = strstr(what, "; ");
  int length = (int)(hint ? hint - what : (ptrdiff_t)strlen(what));
  return sl__stan_parse_fail(p, token_place(p), "expected %.*s, found %s%s", length, what,
                             describe_token(p, found), hint ? hint : "");
}

bool sl__stan_expect(sl__stan_parser *p, sl__stan_token_kind kind, const char *what) {
  return sl__stan_accept(p, kind) || sl__stan_refuse_token(p, what);
}

/* At the end of a line the place is behind what was written, not before what comes later. */
bool sl__stan_expect_semicolon(sl__stan_parser *p, const char *what) {
  if (sl__stan_accept(p, SL__TOKEN_SEMICOLON)) return true;
  const char *text = p->program->source.text;
  bool line_ends = memchr(text + p->previous_end, '\n', p->token.begin - p->previous_end);
  if (line_ends || p->token.kind == SL__TOKEN_END || p->token.kind == SL__TOKEN_CLOSE_BRACE)
    return sl__stan_parse_fail(p, p->previous_end,
                               "expected ';' here, at the end of the statement");
  return sl__stan_refuse_token(p, what);
}

bool sl__stan_expect_close(sl__stan_parser *p, sl__stan_token_kind kind, size_t open,
                           const char *what) {
  if (sl__stan_accept(p, kind)) return true;
  char found[DESCRIPTION];
  int line, column;
  sl__source_place(&p->program->source, open, &line, &column);
  return sl__stan_parse_fail(p, token_place(p), "expected %s, found %s; '%c' was opened at %d:%d",
                             what, describe_token(p, found), p->program->source.text[open], line,
                             column);
}

sl__stan_token_kind sl__stan_peek(const sl__stan_parser *p) {
  sl__stan_lexer lexer = p->lexer;
  sl__stan_token token;
  return sl__stan_next_token(&lexer, &token) == SL_OK ? token.kind : SL__TOKEN_BAD;
}

bool sl__stan_at_block(const sl__stan_parser *p) {
  switch (p->token.kind) {
    case SL__TOKEN_NAME:
      return sl__stan_token_is(p, "transformed") || sl__stan_token_is(p, "generated");
    case SL__TOKEN_FUNCTIONS:
    case SL__TOKEN_DATA:
    case SL__TOKEN_PARAMETERS:
    case SL__TOKEN_MODEL: return sl__stan_peek(p) == SL__TOKEN_OPEN_BRACE;
    default: return false;
  }
}

bool sl__stan_refuse_inner_block(sl__stan_parser *p) {
  int line, column;
  sl__source_place(&p->program->source, p->block_open, &line, &column);
  return sl__stan_parse_fail(
      p, p->token.begin,
      "a block begins inside of another; is a '}' missing above, for the '{' at "
      "%d:%d?",
      line, column);
}

/* ---- memory and nesting ---- */

void *sl__stan_take(sl__stan_parser *p, size_t count, size_t size) {
  if (p->nodes >= SL__STAN_MAX_NODES) {
    sl__stan_parse_fail(p, p->token.begin, "the program has more than %d expressions; shorten it",
                        SL__STAN_MAX_NODES);
    return NULL;
  }
  p->nodes++;
  void *node = sl__arena_take(&p->program->arena, count, size);
  if (!node && p->status == SL_OK) {
    p->status = SL_NO_MEMORY;
    p->token.kind = SL__TOKEN_BAD;
  }
  return node;
}

void *sl__stan_grow(sl__stan_parser *p, void *items, int count, size_t size) {
  if (count > 0 && (count & (count - 1)) != 0) return items; /* room up to a power of two */
  void *larger = sl__stan_take(p, count > 0 ? 2 * (size_t)count : 1, size);
  if (larger && count > 0) memcpy(larger, items, (size_t)count * size);
  return larger;
}

bool sl__stan_descend(sl__stan_parser *p) {
  if (p->depth >= SL__STAN_MAX_DEPTH)
    return sl__stan_parse_fail(
        p, p->token.begin,
        "brackets, operators and statements are nested more than %d deep; use "
        "variables or functions of your own for the inner parts",
        SL__STAN_MAX_DEPTH);
  p->depth++;
  return true;
}

/* ---- names ---- */

/* Not used by the grammar, but kept free by the language. */
static const char *const kept_words[] = {
    "generated", "quantities", "transformed", "repeat", "until",  "then",   "true", "false",
    "typedef",   "struct",     "var",         "export", "extern", "static", "auto"};

char *sl__stan_parse_new_name(sl__stan_parser *p, const char *what) {
  size_t begin = p->token.begin, end = p->token.end;
  const char *text = p->program->source.text;
  if (p->token.kind >= SL__TOKEN_FIRST_KEYWORD) {
    sl__stan_parse_fail(p, begin, "'%.*s' is a reserved word of Stan; choose another name for %s",
                        (int)(end - begin), text + begin, what);
    return NULL;
  }
  if (p->token.kind != SL__TOKEN_NAME) {
    char expected[64];
    snprintf(expected, sizeof expected, "the name of %s", what);
    sl__stan_refuse_token(p, expected);
    return NULL;
  }
  bool kept = end - begin >= 2 && text[end - 1] == '_' && text[end - 2] == '_';
  for (size_t i = 0; i < sizeof kept_words / sizeof *kept_words; i++)
    kept = kept || sl__stan_token_is(p, kept_words[i]);
  if (kept) {
    sl__stan_parse_fail(p, begin, "'%.*s' is kept for Stan itself; choose another name for %s",
                        end - begin < 40 ? (int)(end - begin) : 40, text + begin, what);
    return NULL;
  }
  char *name = sl__stan_token_text(p);
  if (name) sl__stan_advance(p);
  return name;
}
