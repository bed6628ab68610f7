/* Places in a program's text, and messages that point at them as compilers do: file, line, column,
 * then the line itself with a caret below. The text may be hostile: lines are cut to a window
 * around the place, bytes that would upset a terminal are shown as '?'. */
#include "stan/source.h"
#include <stdio.h>
#include <string.h>

enum { WINDOW = 96 }; /* bytes of the source line in an excerpt */

void sl__source_place(const sl__source *source, size_t offset, int *line, int *column) {
  if (offset > source->length) offset = source->length;
  const char *begin = source->text, *end = source->text + offset;
  int lines = 1;
  for (const char *at = begin; at < end; at++) {
    at = memchr(at, '\n', (size_t)(end - at));
    if (!at) break;
    lines++;
    begin = at + 1;
  }
  *line = lines;
  *column = (int)(end - begin) + 1;
}

static bool continues_character(char c) {
  return ((unsigned char)c & 0xC0) == 0x80;
}

/* The bytes [begin, end) of the line around offset that are shown: all of it, or a window that
 * begins and ends between characters. */
static void choose_window(const sl__source *source, size_t offset, size_t *begin, size_t *end) {
  const char *text = source->text;
  *begin = *end = offset;
  while (*begin > 0 && text[*begin - 1] != '\n') --*begin;
  while (*end < source->length && text[*end] != '\n' && text[*end] != '\r') ++*end;
  if (offset - *begin > WINDOW / 2 && *end - *begin > WINDOW) {
    *begin = offset - WINDOW / 2;
    while (*begin < offset && continues_character(text[*begin])) ++*begin;
  }
  if (*end - *begin > WINDOW) {
    *end = *begin + WINDOW;
    while (*end > offset && continues_character(text[*end])) --*end;
  }
}

/* "  LINE\n  ^": the caret's line repeats tabs, so that it stands right whatever their width. */
static void write_excerpt(const sl__source *source, size_t offset, char *buffer, size_t size) {
  size_t begin, end, used = 0;
  choose_window(source, offset, &begin, &end);
  _Static_assert(sizeof((sl_context *)0)->error.excerpt > 2 * WINDOW + 16, "two lines must fit");
  used += (size_t)snprintf(buffer, size, "  ");
  for (size_t i = begin; i < end; i++) {
    unsigned char c = (unsigned char)source->text[i];
    buffer[used++] = (c < 32 && c != '\t') || c == 127 ? '?' : (char)c;
  }
  used += (size_t)snprintf(buffer + used, size - used, "\n  ");
  for (size_t i = begin; i < offset; i++) {
    char c = source->text[i];
    if (!continues_character(c)) buffer[used++] = c == '\t' ? '\t' : ' ';
  }
  snprintf(buffer + used, size - used, "^");
}

sl_status sl__source_fail(sl_context *context, const sl__source *source, sl_status status,
                          size_t offset, const char *format, ...) {
  char message[sizeof context->error.message];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  if (offset > source->length) offset = source->length;
  int line, column;
  sl__source_place(source, offset, &line, &column);
  sl__fail_at(context, status, line, column, "%.200s:%d:%d: %s", source->name, line, column,
              message);
  write_excerpt(source, offset, context->error.excerpt, sizeof context->error.excerpt);
  return status;
}
