/* Schemas: which columns an item names, and what it says of them. */
#include <stdio.h>
#include <string.h>
#include "base/option.h"
#include "flow/schema_reader.h"

enum { SHOWN = 80 };

/* ---- columns ---- */

/* The first column of this name from column `first` on, or -1. */
static int64_t find_name(const sl__schema_table *table, sl__span name, int64_t first) {
  for (int64_t i = first; table->names && i < table->count; i++) {
    const char *at = table->names[i], *from = name.begin, *end = name.begin + name.length;
    if (!at) continue;
    for (; *at && from < end && *at == *from; at++, from++)
      if (name.quoted && *from == '"') from++; /* doubled */
    if (!*at && from == end) return i;
  }
  return -1;
}

static int64_t find_column(const sl__schema_table *table, sl__span name) {
  const int64_t named = find_name(table, name, 0);
  if (named >= 0) return named;
  int64_t number;
  const char *end = name.begin + name.length;
  if (!name.quoted && sl__parse_integer(name.begin, end, &number) == end && number >= 1 &&
      number <= table->count)
    return number - 1;
  return -1;
}

static sl_status refuse_column(const sl__schema_reader *in, const sl__schema_table *table,
                               sl__span name) {
  char copy[SHOWN + 1] = "", mend[160];
  memcpy(copy, name.begin, name.length < SHOWN ? name.length : SHOWN);
  const char *near = NULL;
  if (table->names && table->count <= INT32_MAX)
    near = sl__nearest_name(copy, table->names, (int)table->count);
  if (near)
    snprintf(mend, sizeof mend, "; did you mean \"%.100s\"?", near);
  else
    snprintf(mend, sizeof mend, " among %lld; use a name of the header row, or a number from 1",
             (long long)table->count);
  return sl__schema_refuse_span(in, name, "no column ", mend);
}

static sl_status read_name(sl__schema_reader *in, sl__span *out) {
  sl__schema_skip_blanks(in);
  *out = (sl__span){.begin = in->at};
  if (*in->at == '"') {
    *out = (sl__span){.begin = ++in->at, .quoted = true};
    while (*in->at && (*in->at != '"' || in->at[1] == '"')) in->at += *in->at == '"' ? 2 : 1;
    if (!*in->at)
      return sl__schema_refuse(in, out->begin - 1, "the quoted name is not closed; add '\"'");
    out->length = (size_t)(in->at++ - out->begin);
    sl__schema_skip_blanks(in);
    if (!*in->at || *in->at == ',' || *in->at == ':' || strncmp(in->at, "..", 2) == 0) return SL_OK;
    return sl__schema_refuse(in, in->at,
                             "text follows a quoted name; put ':' before its part or type");
  }
  while (*in->at && *in->at != ',' && *in->at != ':' && strncmp(in->at, "..", 2) != 0) in->at++;
  out->length = (size_t)(in->at - out->begin);
  while (out->length > 0 && strchr(" \t\n\r", out->begin[out->length - 1])) out->length--;
  if (out->length > 0) return SL_OK;
  return sl__schema_refuse(in, out->begin,
                           "a column's name is missing; write one, or leave the comma out");
}

/* A name that two columns have says of neither what it is. */
static sl_status read_column(sl__schema_reader *in, const sl__schema_table *table, sl__span name,
                             int64_t *column) {
  char mend[160];
  *column = find_column(table, name);
  if (*column < 0) return refuse_column(in, table, name);
  if (find_name(table, name, 0) != *column) return SL_OK; /* by its number */
  const int64_t other = find_name(table, name, *column + 1);
  if (other < 0) return SL_OK;
  snprintf(mend, sizeof mend,
           " is the name of columns %lld and %lld; rename one of them, or write the number of the "
           "one you mean",
           (long long)*column + 1, (long long)other + 1);
  return sl__schema_refuse_span(in, name, "", mend);
}

static sl_status read_columns(sl__schema_reader *in, const sl__schema_table *table, sl__span *name,
                              int64_t *first, int64_t *last) {
  SL__TRY(read_name(in, name));
  SL__TRY(read_column(in, table, *name, first));
  *last = *first;
  if (strncmp(in->at, "..", 2) != 0) return SL_OK;
  in->at += 2;
  sl__span end;
  SL__TRY(read_name(in, &end));
  SL__TRY(read_column(in, table, end, last));
  if (*last < *first)
    return sl__schema_refuse_span(in, end, "",
                                  " stands before the first column of the range; swap them");
  return SL_OK;
}

/* ---- items ---- */

/* item: its number, which sets simplexes without a number of their own apart. */
static sl_status read_item(sl__schema_reader *in, const sl__schema_table *table, sl__part bare,
                           int32_t item, sl__schema_entry *entries) {
  sl__span name;
  int64_t first, last;
  sl__meaning said = {0};
  SL__TRY(read_columns(in, table, &name, &first, &last));
  if (*in->at == ':') {
    in->at++;
    sl__schema_skip_blanks(in);
    const char *words = in->at;
    SL__TRY(sl__schema_read_words(in, &said));
    const bool elsewhere = said.part != SL__PART_NONE && said.part != SL__PART_CONTEXT;
    if (bare == SL__PART_CONTEXT && (said.typed || elsewhere))
      return sl__schema_refuse(
          in, words,
          "a condition has no type and no other part; write its name alone, or "
          "label behind it (an angle: columns of its sine and cosine)");
  }
  sl__schema_entry entry = {.part = said.part, .label = said.label, .type = said.type};
  if (entry.part == SL__PART_NONE) entry.part = said.typed ? SL__PART_DATA : bare;
  entry.chosen = entry.part == SL__PART_DATA && (said.part == SL__PART_DATA || !said.typed);
  if (said.type.support == SL__SUPPORT_SIMPLEX && said.type.group == 0)
    entry.type.group = SL__MOST_GROUP + item;
  for (int64_t i = first; i <= last; i++) {
    if (entries[i].part != SL__PART_NONE && first == last)
      return sl__schema_refuse_span(in, name, "column ", " is named twice; once will do");
    if (entries[i].part != SL__PART_NONE)
      return sl__schema_refuse_span(in, name, "the range from ",
                                    " has a column named twice; once will do");
    entries[i] = entry;
  }
  return SL_OK;
}

/* Groups get numbers from 1 in the order of their first columns. */
static sl_status number_groups(const sl__schema_reader *in, const sl__schema_table *table,
                               sl__schema_entry *entries) {
  int32_t groups = 0;
  for (int64_t i = 0; i < table->count; i++) {
    const int32_t old = entries[i].type.group;
    if (old <= 0) continue;
    int64_t members = 0;
    groups++;
    for (int64_t k = i; k < table->count; k++)
      if (entries[k].type.group == old) {
        entries[k].type.group = -groups; /* done */
        members++;
      }
    if (members < 2)
      return sl__fail_at(in->context, SL_BAD_ARGUMENT, 1, 1,
                         "column %lld is a simplex by itself, so it is 1; name its columns "
                         "together, a..c: simplex",
                         (long long)i + 1);
  }
  for (int64_t i = 0; i < table->count; i++)
    if (entries[i].type.group < 0) entries[i].type.group *= -1;
  return SL_OK;
}

sl_status sl__schema_read(sl_context *context, const sl__schema_table *table, const char *text,
                          sl__part bare, sl__schema_entry *entries) {
  sl__schema_reader in = {context, text, text};
  for (int32_t item = 1;; item++) {
    SL__TRY(read_item(&in, table, bare, item, entries));
    if (!*in.at) return number_groups(&in, table, entries);
    in.at++; /* the comma */
  }
}
