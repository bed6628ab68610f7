/* Growable text with sticky failure, so that a run of additions needs one look at .failed at its
 * end; and the JSON writer on top of it, which knows nothing but where commas go. */
#include "base/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

void sl__text_open(sl__text *text, sl_context *context) {
  *text = (sl__text){.context = context};
}

void sl__text_close(sl__text *text) {
  sl__free(&text->context->allocator, text->data);
  *text = (sl__text){.context = text->context};
}

/* Without the host's locale, in which an I need not be an i. */
bool sl__has_ending(const char *path, const char *ending) {
  const size_t length = strlen(path), tail = strlen(ending);
  if (length <= tail) return false;
  for (size_t k = 0; k < tail; k++) {
    const char c = path[length - tail + k];
    if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != ending[k]) return false;
  }
  return true;
}

/* Makes room for `more` bytes and the final NUL. */
static bool make_room(sl__text *text, size_t more) {
  if (text->failed) return false;
  if (more < text->capacity - text->length) return true;
  size_t capacity = 0;
  if (more > SIZE_MAX / 4 || text->capacity > SIZE_MAX / 4) {
    sl__fail(text->context, SL_NO_MEMORY, "no memory for a text of %zu bytes", more);
  } else {
    capacity = 2 * text->capacity + more + 64;
  }
  char *data = NULL;
  if (capacity > 0) data = sl__resize(text->context, text->data, text->capacity, capacity, 1);
  if (!data) {
    text->failed = true;
    return false;
  }
  text->data = data;
  text->capacity = capacity;
  return true;
}

void sl__text_add_bytes(sl__text *text, const char *bytes, size_t length) {
  if (!make_room(text, length)) return;
  if (length > 0) memcpy(text->data + text->length, bytes, length);
  text->length += length;
  text->data[text->length] = '\0';
}

void sl__text_add(sl__text *text, const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length >= 0 && make_room(text, (size_t)length)) {
    vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
    text->length += (size_t)length;
  }
  va_end(again);
}

void sl__text_add_real(sl__text *text, double value, sl_dtype precision) {
  char buffer[32];
  int length = sl__format_real(buffer, value, precision);
  sl__text_add_bytes(text, buffer, (size_t)length);
}

/* ---- JSON ---- */

enum { JSON_LEVELS = sizeof(((sl__json *)0)->comma) / sizeof(bool) };

static void add_quoted(sl__text *text, const char *value) {
  static const char hexadecimal[] = "0123456789abcdef";
  sl__text_add_bytes(text, "\"", 1);
  for (const char *at = value; *at; at++) {
    unsigned char c = (unsigned char)*at;
    const char *short_form = c == '"'    ? "\\\""
                             : c == '\\' ? "\\\\"
                             : c == '\n' ? "\\n"
                             : c == '\r' ? "\\r"
                             : c == '\t' ? "\\t"
                                         : NULL;
    char long_form[6] = {'\\', 'u', '0', '0', hexadecimal[c >> 4], hexadecimal[c & 15]};
    if (short_form)
      sl__text_add_bytes(text, short_form, 2);
    else if (c < 0x20)
      sl__text_add_bytes(text, long_form, 6);
    else
      sl__text_add_bytes(text, at, 1);
  }
  sl__text_add_bytes(text, "\"", 1);
}

/* The comma before a member, and its key. */
static void begin_member(sl__json *json, const char *key) {
  if (json->comma[json->depth]) sl__text_add_bytes(json->text, ", ", 2);
  json->comma[json->depth] = true;
  if (!key) return;
  add_quoted(json->text, key);
  sl__text_add_bytes(json->text, ": ", 2);
}

static void open_level(sl__json *json, const char *key, const char *bracket) {
  begin_member(json, key);
  sl__text_add_bytes(json->text, bracket, 1);
  if (json->depth + 1 < JSON_LEVELS) {
    json->comma[++json->depth] = false;
  } else {
    json->text->failed = true;
    sl__fail(json->text->context, SL_UNSUPPORTED, "JSON output nested deeper than %d", JSON_LEVELS);
  }
}

static void close_level(sl__json *json, const char *bracket) {
  if (json->depth > 0) json->depth--;
  sl__text_add_bytes(json->text, bracket, 1);
}

void sl__json_open_object(sl__json *json, const char *key) {
  open_level(json, key, "{");
}

void sl__json_close_object(sl__json *json) {
  close_level(json, "}");
}

void sl__json_open_array(sl__json *json, const char *key) {
  open_level(json, key, "[");
}

void sl__json_close_array(sl__json *json) {
  close_level(json, "]");
}

void sl__json_text(sl__json *json, const char *key, const char *value) {
  begin_member(json, key);
  if (value)
    add_quoted(json->text, value);
  else
    sl__text_add_bytes(json->text, "null", 4);
}

void sl__json_real(sl__json *json, const char *key, double value) {
  begin_member(json, key);
  const char *quote = isfinite(value) ? "" : "\"";
  sl__text_add_bytes(json->text, quote, strlen(quote));
  sl__text_add_real(json->text, value, SL_F64);
  sl__text_add_bytes(json->text, quote, strlen(quote));
}

void sl__json_integer(sl__json *json, const char *key, int64_t value) {
  begin_member(json, key);
  sl__text_add(json->text, "%lld", (long long)value);
}

void sl__json_boolean(sl__json *json, const char *key, bool value) {
  begin_member(json, key);
  sl__text_add(json->text, "%s", value ? "true" : "false");
}
