/* The JSON reader (RFC 8259): text to a tree in an arena. Beyond the standard it reads the bare
 * words NaN, Infinity and -Infinity, which Python and Stan's tools write. It refuses what a C
 * string cannot hold (the escape for NUL), halves of surrogate pairs, and nesting deeper than 64.
 * Members keep their order; of equal keys sl__json_member finds the first. */
#include "base/text.h"
#include <math.h>
#include <string.h>

enum { DEPTH_LIMIT = 64 };

typedef struct reader {
  sl_context *context;
  sl__arena *arena;
  const char *begin, *at, *end;
  int depth;
} reader;

static sl_status refuse(const reader *in, const char *place, const char *what) {
  int line = 1, column = 1;
  for (const char *p = in->begin; p < place; p++) {
    column++;
    if (*p == '\n') line++, column = 1;
  }
  return sl__fail_at(in->context, SL_FORMAT, line, column, "not JSON: %s", what);
}

static void skip_blanks(reader *in) {
  while (in->at < in->end &&
         (*in->at == ' ' || *in->at == '\n' || *in->at == '\r' || *in->at == '\t')) {
    in->at++;
  }
}

static bool accept(reader *in, const char *word) {
  size_t length = strlen(word);
  if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0) return false;
  in->at += length;
  return true;
}

/* ---- text ---- */

static sl_status parse_hexadecimal(reader *in, uint32_t *code) {
  *code = 0;
  for (int i = 0; i < 4; i++, in->at++) {
    char c = in->at < in->end ? *in->at : '\0';
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (digit < 0) return refuse(in, in->at, "\\u needs four hexadecimal digits");
    *code = *code << 4 | (uint32_t)digit;
  }
  return SL_OK;
}

static char *write_utf8(char *to, uint32_t code) {
  int tail = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
  *to++ = (char)(lead[tail] | code >> (6 * tail));
  while (tail-- > 0) *to++ = (char)(0x80 | (code >> (6 * tail) & 0x3F));
  return to;
}

static sl_status parse_unicode_escape(reader *in, char **to) {
  const char *place = in->at - 2;
  uint32_t code = 0, low = 0;
  SL__TRY(parse_hexadecimal(in, &code));
  if (code >= 0xD800 && code < 0xDC00) {
    if (!accept(in, "\\u")) return refuse(in, place, "half of a surrogate pair");
    SL__TRY(parse_hexadecimal(in, &low));
    if (low < 0xDC00 || low > 0xDFFF) return refuse(in, place, "half of a surrogate pair");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  } else if (code >= 0xDC00 && code <= 0xDFFF) {
    return refuse(in, place, "half of a surrogate pair");
  }
  if (code == 0) return refuse(in, place, "a text may not contain the character NUL");
  *to = write_utf8(*to, code);
  return SL_OK;
}

static sl_status parse_escape(reader *in, char **to) {
  static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
  in->at++;
  if (in->at == in->end) return refuse(in, in->at, "the text is not closed");
  char c = *in->at++;
  if (c == 'u') return parse_unicode_escape(in, to);
  const char *found = c ? strchr(from, c) : NULL;
  if (!found) return refuse(in, in->at - 2, "unknown escape in a text");
  *(*to)++ = into[found - from];
  return SL_OK;
}

/* From the opening quote to behind the closing one. */
static sl_status parse_text(reader *in, const char **out) {
  const char *open = in->at++, *close = in->at;
  while (close < in->end && *close != '"') close += *close == '\\' ? 2 : 1;
  if (close >= in->end) return refuse(in, open, "the text is not closed");
  /* No escape is shorter than what it stands for. */
  char *text = sl__arena_take(in->arena, (size_t)(close - in->at) + 1, 1), *to = text;
  if (!text) return SL_NO_MEMORY;
  while (in->at < close) {
    if ((unsigned char)*in->at < 0x20) return refuse(in, in->at, "control character in a text");
    if (*in->at == '\\')
      SL__TRY(parse_escape(in, &to));
    else
      *to++ = *in->at++;
  }
  in->at = close + 1;
  *out = text;
  return SL_OK;
}

/* ---- values ---- */

static bool digit_at(const reader *in, const char *at) {
  return at < in->end && *at >= '0' && *at <= '9';
}

static sl_status parse_number(reader *in, sl__json_value *value) {
  const char *start = in->at, *at = start;
  if (at < in->end && *at == '-') at++;
  const char *digits = at;
  while (digit_at(in, at)) at++;
  if (at == digits) return refuse(in, start, "a value was expected here");
  if (*digits == '0' && at > digits + 1) return refuse(in, start, "a number may not begin with 0");
  bool whole = true;
  if (at < in->end && *at == '.') {
    whole = false;
    if (!digit_at(in, ++at)) return refuse(in, start, "digits must follow the decimal point");
    while (digit_at(in, at)) at++;
  }
  if (at < in->end && (*at == 'e' || *at == 'E')) {
    whole = false;
    at++;
    if (at < in->end && (*at == '-' || *at == '+')) at++;
    if (!digit_at(in, at)) return refuse(in, start, "digits must follow the exponent's e");
    while (digit_at(in, at)) at++;
  }
  value->kind = SL__JSON_NUMBER;
  sl__parse_real(start, at, &value->number);
  value->is_integer = whole && sl__parse_integer(start, at, &value->integer) == at;
  in->at = at;
  return SL_OK;
}

static sl_status parse_word(reader *in, sl__json_value *value) {
  if (accept(in, "null")) return SL_OK;
  if (accept(in, "true")) {
    *value = (sl__json_value){.kind = SL__JSON_BOOL, .integer = 1, .number = 1};
  } else if (accept(in, "false")) {
    *value = (sl__json_value){.kind = SL__JSON_BOOL};
  } else if (accept(in, "NaN")) {
    *value = (sl__json_value){.kind = SL__JSON_NUMBER, .number = NAN};
  } else if (accept(in, "Infinity")) {
    *value = (sl__json_value){.kind = SL__JSON_NUMBER, .number = INFINITY};
  } else if (accept(in, "-Infinity")) {
    *value = (sl__json_value){.kind = SL__JSON_NUMBER, .number = -INFINITY};
  } else {
    return parse_number(in, value);
  }
  return SL_OK;
}

static sl_status parse_value(reader *in, sl__json_value *value);

static sl_status parse_members(reader *in, sl__json_value *parent, char close) {
  bool object = close == '}';
  const char *open = in->at++;
  if (in->depth == DEPTH_LIMIT) return refuse(in, open, "nested deeper than 64");
  in->depth++;
  parent->kind = object ? SL__JSON_OBJECT : SL__JSON_ARRAY;
  sl__json_value **link = &parent->child;
  skip_blanks(in);
  bool more = !(in->at < in->end && *in->at == close);
  while (more) {
    sl__json_value *member = sl__arena_take(in->arena, 1, sizeof *member);
    if (!member) return SL_NO_MEMORY;
    const char *key = NULL;
    skip_blanks(in);
    if (object) {
      if (in->at == in->end || *in->at != '"')
        return refuse(in, in->at, "a quoted key was expected here");
      SL__TRY(parse_text(in, &key));
      skip_blanks(in);
      if (!accept(in, ":")) return refuse(in, in->at, "':' was expected after the key");
    }
    SL__TRY(parse_value(in, member));
    member->key = key;
    *link = member;
    link = &member->next;
    parent->count++;
    skip_blanks(in);
    more = accept(in, ",");
  }
  if (in->at == in->end || *in->at != close) {
    return refuse(in, in->at,
                  object ? "',' or '}' was expected here" : "',' or ']' was expected here");
  }
  in->at++;
  in->depth--;
  return SL_OK;
}

static sl_status parse_value(reader *in, sl__json_value *value) {
  skip_blanks(in);
  if (in->at == in->end) return refuse(in, in->at, "it ends where a value was expected");
  if (*in->at == '{') return parse_members(in, value, '}');
  if (*in->at == '[') return parse_members(in, value, ']');
  if (*in->at == '"') {
    value->kind = SL__JSON_TEXT;
    return parse_text(in, &value->text);
  }
  return parse_word(in, value);
}

sl_status sl__json_parse(sl_context *context, sl__arena *arena, const char *bytes, size_t length,
                         sl__json_value **out) {
  *out = NULL;
  reader in = {
      .context = context, .arena = arena, .begin = bytes, .at = bytes, .end = bytes + length};
  sl__json_value *root = sl__arena_take(arena, 1, sizeof *root);
  if (!root) return SL_NO_MEMORY;
  SL__TRY(parse_value(&in, root));
  skip_blanks(&in);
  if (in.at < in.end) return refuse(&in, in.at, "something follows the value");
  *out = root;
  return SL_OK;
}

const sl__json_value *sl__json_member(const sl__json_value *object, const char *key) {
  if (!object || object->kind != SL__JSON_OBJECT) return NULL;
  for (const sl__json_value *member = object->child; member; member = member->next) {
    if (strcmp(member->key, key) == 0) return member;
  }
  return NULL;
}
