/* Columns by a list of their own, "height, 4, theta[1,2], a..c, \"total, gross\"", in its order:
 *
 *   list := item (',' item)*
 *   item := column ['..' column]       from one to the other, both included
 *   column := name | number, from 1 | '"' name '"' with quotes inside doubled
 *
 * as in flow/schema.h, but that a comma within brackets is part of a name, as in names of draws. */
#include <stdio.h>
#include <string.h>

#include "base/option.h"
#include "base/text.h"
#include "io/io.h"

typedef struct reader {
  sl_context *context;
  const char *text, *at;
  int64_t columns;
  const char *const *names;
  bool (*same)(const char *a, const char *b);
  char *name; /* the last one read */
} reader;

static sl_status refuse(const reader *in, const char *place, const char *message) {
  return sl__fail_at(in->context, SL_BAD_ARGUMENT, 1, (int)(place - in->text) + 1, "%s", message);
}

static void skip_blanks(reader *in) {
  while (*in->at == ' ' || *in->at == '\t') in->at++;
}

static sl_status read_quoted(reader *in) {
  const char *begin = in->at++;
  char *to = in->name;
  while (*in->at && (*in->at != '"' || in->at[1] == '"')) {
    in->at += *in->at == '"';
    *to++ = *in->at++;
  }
  *to = '\0';
  if (!*in->at) return refuse(in, begin, "the quoted name is not closed; add '\"'");
  in->at++;
  return SL_OK;
}

static void read_bare(reader *in) {
  const char *begin = in->at;
  for (int depth = 0; *in->at && (*in->at != ',' || depth > 0); in->at++) {
    if (depth <= 0 && strncmp(in->at, "..", 2) == 0) break;
    depth += (*in->at == '[') - (*in->at == ']');
  }
  size_t length = (size_t)(in->at - begin);
  while (length > 0 && strchr(" \t", begin[length - 1])) length--;
  memcpy(in->name, begin, length);
  in->name[length] = '\0';
}

static bool is_named(const reader *in, int64_t column) {
  return in->same ? in->same(in->names[column], in->name)
                  : strcmp(in->names[column], in->name) == 0;
}

static sl_status refuse_unknown(const reader *in, const char *place) {
  char message[320];
  const char *near = NULL;
  if (in->names && in->columns <= INT32_MAX)
    near = sl__nearest_name(in->name, in->names, (int)in->columns);
  if (near)
    snprintf(message, sizeof message, "no column \"%.100s\"; did you mean \"%.100s\"?", in->name,
             near);
  else
    snprintf(message, sizeof message,
             "no column \"%.100s\" among %lld; use a name of the header, or a number from 1",
             in->name, (long long)in->columns);
  return refuse(in, place, message);
}

/* Names go before numbers, as a header may consist of numbers. */
static sl_status find(const reader *in, const char *place, bool quoted, int64_t *column) {
  int64_t found = -1;
  for (int64_t c = 0; in->names && c < in->columns; c++) {
    if (!is_named(in, c)) continue;
    if (found >= 0)
      return refuse(in, place, "the name is that of two columns; write the number of one");
    found = c;
  }
  const char *end = in->name + strlen(in->name);
  int64_t number;
  if (found < 0 && !quoted && sl__parse_integer(in->name, end, &number) == end && number >= 1 &&
      number <= in->columns)
    found = number - 1;
  *column = found;
  return found < 0 ? refuse_unknown(in, place) : SL_OK;
}

static sl_status read_column(reader *in, int64_t *column) {
  skip_blanks(in);
  const char *place = in->at;
  const bool quoted = *in->at == '"';
  if (quoted)
    SL__TRY(read_quoted(in));
  else
    read_bare(in);
  if (in->name[0] == '\0')
    return refuse(in, place, "a column's name is missing; write one, or leave the comma out");
  SL__TRY(find(in, place, quoted, column));
  skip_blanks(in);
  if (!*in->at || *in->at == ',' || strncmp(in->at, "..", 2) == 0) return SL_OK;
  return refuse(in, in->at, "text follows a quoted name; put ',' before another");
}

static sl_status read_item(reader *in, int64_t *list, int64_t *count) {
  int64_t first, last;
  skip_blanks(in);
  const char *place = in->at;
  SL__TRY(read_column(in, &first));
  last = first;
  if (strncmp(in->at, "..", 2) == 0) {
    in->at += 2;
    SL__TRY(read_column(in, &last));
    if (*in->at && *in->at != ',') return refuse(in, in->at, "a range has two ends; put ',' here");
  }
  if (last < first)
    return refuse(in, place, "the range ends before its first column; swap its ends");
  for (int64_t c = first; c <= last; c++) {
    for (int64_t i = 0; i < *count; i++)
      if (list[i] == c) return refuse(in, place, "a column is named twice; once will do");
    list[(*count)++] = c;
  }
  return SL_OK;
}

sl_status sl__column_list_read(sl_context *context, const char *text, int64_t columns,
                               const char *const *names, bool (*same)(const char *a, const char *b),
                               int64_t *list, int64_t *count) {
  reader in = {context, text, text, columns, names, same, NULL};
  *count = 0;
  skip_blanks(&in);
  if (!*in.at) return refuse(&in, in.at, "no column is named; give names, or leave the option out");
  in.name = sl__allocate(context, strlen(text) + 1, 1);
  if (!in.name) return SL_NO_MEMORY;
  sl_status status = read_item(&in, list, count);
  while (status == SL_OK && *in.at == ',') {
    in.at++;
    status = read_item(&in, list, count);
  }
  sl__free(&context->allocator, in.name);
  return status;
}
