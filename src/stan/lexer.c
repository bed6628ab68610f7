/* Text -> tokens. The longest token wins, as in stanc: "1./2" is the number 1. divided by 2. What
 * people bring along from other languages and from old Stan (comments with #, names with points,
 * a single &) is refused with the word that mends it. */
#include "stan/lexer.h"
#include <string.h>

static const char *const keywords[] = {
#define KEYWORD_TEXT(name, text) text,
    SL__STAN_KEYWORDS(KEYWORD_TEXT)
#undef KEYWORD_TEXT
};
enum { KEYWORDS = sizeof keywords / sizeof *keywords };

const char *const *sl__stan_keywords(int *count) {
  *count = KEYWORDS;
  return keywords;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static bool in_name(char c) {
  return is_letter(c) || is_digit(c) || c == '_';
}

void sl__stan_lexer_open(sl__stan_lexer *lexer, sl_context *context, const sl__source *source) {
  *lexer = (sl__stan_lexer){.context = context, .source = source};
  int keyword = 0;
  for (int letter = 0; letter <= 'z' - 'a' + 1; letter++) {
    while (keyword < KEYWORDS && keywords[keyword][0] < 'a' + letter) keyword++;
    lexer->first_keyword[letter] = (uint8_t)keyword;
  }
}

static sl_status refuse(const sl__stan_lexer *lexer, size_t offset, const char *message) {
  return sl__source_fail(lexer->context, lexer->source, SL_SYNTAX, offset, "%s", message);
}

/* ---- blanks and comments ---- */

static sl_status skip_comment(sl__stan_lexer *lexer) {
  const char *text = lexer->source->text;
  size_t at = lexer->at + 2, length = lexer->source->length;
  if (text[lexer->at + 1] == '/') {
    const char *end = memchr(text + at, '\n', length - at);
    lexer->at = end ? (size_t)(end - text) : length;
    return SL_OK;
  }
  for (;;) {
    const char *star = memchr(text + at, '*', length - at);
    if (!star) return refuse(lexer, lexer->at, "this comment is not closed; end it with */");
    at = (size_t)(star - text) + 1;
    if (text[at] == '/') break;
  }
  lexer->at = at + 1;
  return SL_OK;
}

static sl_status skip_blanks(sl__stan_lexer *lexer) {
  const char *text = lexer->source->text;
  for (;;) {
    char c = text[lexer->at];
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f')
      lexer->at++;
    else if (c == '/' && (text[lexer->at + 1] == '/' || text[lexer->at + 1] == '*'))
      SL__TRY(skip_comment(lexer));
    else
      return SL_OK;
  }
}

/* ---- names and numbers ---- */

static sl__stan_token_kind name_kind(const sl__stan_lexer *lexer, const char *name, size_t length) {
  if (name[0] < 'a') return SL__TOKEN_NAME;
  int letter = name[0] - 'a';
  for (int i = lexer->first_keyword[letter]; i < lexer->first_keyword[letter + 1]; i++) {
    if (strncmp(keywords[i], name, length) == 0 && keywords[i][length] == '\0')
      return (sl__stan_token_kind)(SL__TOKEN_FIRST_KEYWORD + i);
  }
  return SL__TOKEN_NAME;
}

/* Behind digits, which may be parted by single underscores: 1_000_000. */
static const char *skip_digits(const char *at) {
  while (is_digit(*at) || (*at == '_' && is_digit(at[-1]) && is_digit(at[1]))) at++;
  return at;
}

static sl_status number_token(sl__stan_lexer *lexer, sl__stan_token *token) {
  const char *begin = lexer->source->text + token->begin, *at = skip_digits(begin);
  token->kind = at > begin ? SL__TOKEN_INTEGER_NUMBER : SL__TOKEN_POINT_INTEGER;
  if (*at == '.') {
    if (at > begin) token->kind = SL__TOKEN_REAL_NUMBER;
    at = is_digit(at[1]) ? skip_digits(at + 2) : at + 1;
  }
  if (*at == 'e' || *at == 'E') {
    const char *exponent = at + 1 + (at[1] == '+' || at[1] == '-');
    if (!is_digit(*exponent)) {
      token->kind = SL__TOKEN_BAD;
      return refuse(lexer, (size_t)(exponent - lexer->source->text),
                    "expected the digits of an exponent, as in 1e-3");
    }
    token->kind = SL__TOKEN_REAL_NUMBER;
    at = skip_digits(exponent + 1);
  }
  if (*at == 'i') {
    token->kind = SL__TOKEN_IMAGINARY;
    at++;
  }
  lexer->at = token->end = (size_t)(at - lexer->source->text);
  if (!in_name(*at)) return SL_OK;
  token->kind = SL__TOKEN_BAD;
  return refuse(lexer, token->end,
                *at == '_' ? "'_' in a number stands between two digits"
                           : "a letter right behind a number; a name cannot begin with a digit, "
                             "and a product needs '*'");
}

static sl_status string_token(sl__stan_lexer *lexer, sl__stan_token *token) {
  const char *text = lexer->source->text;
  size_t at = token->begin + 1;
  while (at < lexer->source->length && text[at] != '"' && text[at] != '\n' && text[at] != '\r')
    at++;
  if (at < lexer->source->length && text[at] == '"') {
    token->kind = SL__TOKEN_STRING;
    lexer->at = token->end = at + 1;
    return SL_OK;
  }
  token->kind = SL__TOKEN_BAD;
  return refuse(lexer, token->begin, "this text is not closed on its line; end it with '\"'");
}

/* ---- the rest ---- */

/* Two ways in which # was once used. */
static sl_status refuse_hash(const sl__stan_lexer *lexer, size_t offset) {
  if (strncmp(lexer->source->text + offset, "#include", 8) == 0)
    return refuse(lexer, offset,
                  "#include is not read; put the text of that file in place of this line");
  return refuse(lexer, offset, "comments no longer begin with '#'; write //");
}

static sl_status refuse_byte(sl__stan_lexer *lexer, sl__stan_token *token) {
  unsigned char c = (unsigned char)lexer->source->text[token->begin];
  token->kind = SL__TOKEN_BAD;
  switch (c) {
    case '#': return refuse_hash(lexer, token->begin);
    case '&': return refuse(lexer, token->begin, "'&' is no operator; write &&");
    case '.':
      return refuse(lexer, token->begin,
                    "'.' begins no operator here and stands in no name; operators are .* ./ .^");
    case '_': return refuse(lexer, token->begin, "a name begins with a letter, not with '_'");
    default: break;
  }
  if (c >= 32 && c < 127)
    return sl__source_fail(lexer->context, lexer->source, SL_SYNTAX, token->begin,
                           "'%c' is no part of Stan; remove it", c);
  return sl__source_fail(lexer->context, lexer->source, SL_SYNTAX, token->begin,
                         "byte 0x%02x outside of comments and texts; use plain ASCII", c);
}

static sl__stan_token_kind kind_after_point(const char *text, int *length) {
  bool assigns = text[1] && text[2] == '=';
  *length = assigns && text[1] != '^' ? 3 : 2;
  switch (text[1]) {
    case '*': return assigns ? SL__TOKEN_TIMES_EACH_ASSIGN : SL__TOKEN_TIMES_EACH;
    case '/': return assigns ? SL__TOKEN_DIVIDE_EACH_ASSIGN : SL__TOKEN_DIVIDE_EACH;
    case '^': return SL__TOKEN_POWER_EACH;
    default: return SL__TOKEN_BAD;
  }
}

/* What one character means, and what it means before '='. */
static const uint8_t signs[128][2] = {
    ['('] = {SL__TOKEN_OPEN},
    [')'] = {SL__TOKEN_CLOSE},
    ['['] = {SL__TOKEN_OPEN_SQUARE},
    [']'] = {SL__TOKEN_CLOSE_SQUARE},
    ['{'] = {SL__TOKEN_OPEN_BRACE},
    ['}'] = {SL__TOKEN_CLOSE_BRACE},
    [','] = {SL__TOKEN_COMMA},
    [';'] = {SL__TOKEN_SEMICOLON},
    [':'] = {SL__TOKEN_COLON},
    ['?'] = {SL__TOKEN_QUESTION},
    ['~'] = {SL__TOKEN_TILDE},
    ['\''] = {SL__TOKEN_APOSTROPHE},
    ['^'] = {SL__TOKEN_POWER},
    ['\\'] = {SL__TOKEN_LEFT_DIVIDE},
    ['+'] = {SL__TOKEN_ADD, SL__TOKEN_ADD_ASSIGN},
    ['-'] = {SL__TOKEN_SUBTRACT, SL__TOKEN_SUBTRACT_ASSIGN},
    ['*'] = {SL__TOKEN_MULTIPLY, SL__TOKEN_MULTIPLY_ASSIGN},
    ['/'] = {SL__TOKEN_DIVIDE, SL__TOKEN_DIVIDE_ASSIGN},
    ['<'] = {SL__TOKEN_LESS, SL__TOKEN_LESS_EQUAL},
    ['>'] = {SL__TOKEN_GREATER, SL__TOKEN_GREATER_EQUAL},
    ['!'] = {SL__TOKEN_NOT, SL__TOKEN_NOT_EQUAL},
    ['='] = {SL__TOKEN_ASSIGN, SL__TOKEN_EQUAL},
};

/* The operator or bracket at text and its length; BAD when there is none. */
static sl__stan_token_kind sign_kind(const char *text, int *length) {
  unsigned char c = (unsigned char)text[0];
  *length = 1;
  switch (c) {
    case '.': return kind_after_point(text, length);
    case '%':
      if (text[1] != '/' || text[2] != '%') return SL__TOKEN_MODULO;
      *length = 3;
      return SL__TOKEN_INTEGER_DIVIDE;
    case '|': *length = text[1] == '|' ? 2 : 1; return *length == 2 ? SL__TOKEN_OR : SL__TOKEN_BAR;
    case '&': *length = 2; return text[1] == '&' ? SL__TOKEN_AND : SL__TOKEN_BAD;
    default: break;
  }
  if (c >= 128 || !signs[c][0]) return SL__TOKEN_BAD;
  bool assigns = signs[c][1] && text[1] == '=';
  *length = 1 + assigns;
  return (sl__stan_token_kind)signs[c][assigns];
}

sl_status sl__stan_next_token(sl__stan_lexer *lexer, sl__stan_token *token) {
  token->kind = SL__TOKEN_BAD;
  SL__TRY(skip_blanks(lexer));
  const char *text = lexer->source->text + lexer->at;
  token->begin = token->end = lexer->at;
  if (is_letter(*text)) {
    const char *at = text + 1;
    while (in_name(*at)) at++;
    lexer->at = token->end = token->begin + (size_t)(at - text);
    token->kind = name_kind(lexer, text, (size_t)(at - text));
    return SL_OK;
  }
  if (is_digit(*text) || (*text == '.' && is_digit(text[1]))) return number_token(lexer, token);
  if (*text == '"') return string_token(lexer, token);
  if (lexer->at == lexer->source->length) {
    token->kind = SL__TOKEN_END;
    return SL_OK;
  }
  int length = 0;
  token->kind = sign_kind(text, &length);
  if (token->kind == SL__TOKEN_BAD) return refuse_byte(lexer, token);
  lexer->at = token->end = token->begin + (size_t)length;
  return SL_OK;
}
