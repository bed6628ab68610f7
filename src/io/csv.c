/* CSV (RFC 4180) to a table of float64: one pass over the bytes, into memory sized beforehand.
 *
 * Found out from the first line: the separator (tab, else ';', else ',', outside quotes; else
 * blanks) and whether the line is a header (some field is not a number, or a '#' stands in front,
 * as numpy.savetxt writes it). Read leniently: CRLF, a byte-order mark, blanks around fields,
 * empty lines at the end. Refused, with line and column:
 * rows of another length, missing fields, fields that are not numbers. A first row that mixes
 * numbers with markers of missing values (NA, ?) is refused rather than taken for a header, which
 * would silently lose it. Where words are read, too, the first row decides which columns hold them.
 *
 * A row takes at least two bytes per field, so memory for the table is bounded by the file's
 * length, whatever the first line claims. */
#include "io/csv_words.h"
#include "io/formats.h"
#include <math.h>
#include <string.h>
#include <strings.h>

enum { BLANKS = ' ', SHOWN_OF_FIELD = 40, MOST_MARKS = 64 };

typedef struct field {
  const char *begin, *end; /* without quotes and surrounding blanks; inner quotes still doubled */
  bool quoted;
  int64_t line; /* where it begins: a quoted field may go on over several lines */
  const char *line_begin;
} field;

typedef struct reader {
  sl_context *context;
  const char *at, *end;
  const char *line_begin;
  int64_t line; /* 1-based */
  char separator;
  bool words; /* columns may hold them */
} reader;

static sl_status refuse(const reader *in, const char *place, const char *what) {
  int64_t line = in->line < INT32_MAX ? in->line : INT32_MAX, column = place - in->line_begin + 1;
  if (column > INT32_MAX) column = INT32_MAX;
  return sl__fail_at(in->context, SL_FORMAT, (int)line, (int)column, "%s", what);
}

static sl_status refuse_at_field(const reader *in, const field *of, const char *place,
                                 const char *what) {
  reader start = *in;
  start.line = of->line;
  start.line_begin = of->line_begin;
  return refuse(&start, place, what);
}

static bool is_blank(const reader *in, char c) {
  return c == ' ' || (c == '\t' && in->separator != '\t');
}

static bool at_line_end(const reader *in) {
  return in->at == in->end || *in->at == '\n' || *in->at == '\r';
}

static void skip_blanks(reader *in) {
  while (in->at < in->end && is_blank(in, *in->at)) in->at++;
}

/* ---- fields ---- */

static sl_status read_quoted(reader *in, field *out) {
  const char *open = in->at++;
  out->begin = in->at;
  out->quoted = true;
  for (;; in->at++) {
    if (in->at == in->end)
      return refuse_at_field(in, out, open, "the quoted field is not closed; add '\"'");
    if (*in->at == '\n') {
      in->line++;
      in->line_begin = in->at + 1;
    }
    if (*in->at != '"') continue;
    if (in->at + 1 < in->end && in->at[1] == '"')
      in->at++;
    else
      break;
  }
  out->end = in->at++;
  skip_blanks(in);
  if (at_line_end(in) || *in->at == in->separator || in->separator == BLANKS) return SL_OK;
  return refuse(in, in->at, "text follows a quoted field; double the quotes inside it");
}

/* Reads a field and stands on what ends it. */
static sl_status read_field(reader *in, field *out) {
  skip_blanks(in);
  *out = (field){.begin = in->at, .line = in->line, .line_begin = in->line_begin};
  if (in->at < in->end && *in->at == '"') return read_quoted(in, out);
  while (!at_line_end(in) && *in->at != in->separator &&
         !(in->separator == BLANKS && *in->at == '\t'))
    in->at++;
  out->end = in->at;
  while (out->end > out->begin && is_blank(in, out->end[-1])) out->end--;
  return SL_OK;
}

/* Past the separator, if another field follows on this line. */
static bool next_field(reader *in) {
  if (in->separator == BLANKS) {
    skip_blanks(in);
    return !at_line_end(in);
  }
  if (at_line_end(in)) return false;
  in->at++;
  return true;
}

static void next_line(reader *in) {
  if (in->at < in->end && *in->at == '\r') in->at++;
  if (in->at < in->end && *in->at == '\n') in->at++;
  in->line++;
  in->line_begin = in->at;
}

static bool is_missing(const field *of) {
  static const char *const markers[] = {"", "na", "n/a", "null", "none", "?", ".", "-", "missing"};
  size_t length = (size_t)(of->end - of->begin);
  for (size_t i = 0; i < sizeof markers / sizeof *markers; i++) {
    if (strlen(markers[i]) == length && strncasecmp(of->begin, markers[i], length) == 0)
      return true;
  }
  return false;
}

static bool read_number(const field *of, double *value) {
  return of->begin < of->end && sl__parse_real(of->begin, of->end, value) == of->end;
}

/* As much of a field as a one-line message takes: control characters shown as '?', UTF-8 not
 * cut. */
static void show_field(const field *of, char text[SHOWN_OF_FIELD + 1]) {
  size_t length = (size_t)(of->end - of->begin);
  if (length > SHOWN_OF_FIELD) {
    length = SHOWN_OF_FIELD;
    while (length > 0 && ((unsigned char)of->begin[length] & 0xC0) == 0x80) length--;
  }
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)of->begin[i];
    text[i] = c < 0x20 || c == 0x7F ? '?' : of->begin[i];
  }
  text[length] = '\0';
}

static sl_status refuse_field(const reader *in, const field *of) {
  if (is_missing(of))
    return refuse_at_field(in, of, of->begin, "missing value; remove the row or fill it in");
  char text[SHOWN_OF_FIELD + 1], message[160];
  show_field(of, text);
  const char *mend = strchr(text, ',') ? "write decimals with a point"
                                       : "remove the column or encode it as numbers";
  snprintf(message, sizeof message, "'%s' is not a number; %s", text, mend);
  return refuse_at_field(in, of, of->begin, message);
}

/* ---- the first line ---- */

static char detect_separator(const char *at, const char *end) {
  bool quoted = false, tab = false, semicolon = false, comma = false;
  for (; at < end && (quoted || (*at != '\n' && *at != '\r')); at++) {
    if (*at == '"') quoted = !quoted;
    if (quoted) continue;
    tab = tab || *at == '\t';
    semicolon = semicolon || *at == ';';
    comma = comma || *at == ',';
  }
  return tab ? '\t' : semicolon ? ';' : comma ? ',' : BLANKS;
}

/* Counts the fields of the first line and says whether it is a header; leaves the reader where it
 * was. */
static sl_status look_at_first_line(reader *in, int64_t *columns, bool *header) {
  const reader start = *in;
  int64_t numbers = 0;
  *columns = 0;
  *header = false;
  field of, missing = {0};
  do {
    double ignored = 0;
    SL__TRY(read_field(in, &of));
    ++*columns;
    if (read_number(&of, &ignored))
      numbers++;
    else
      *header = true;
    if (!missing.begin && !of.quoted && is_missing(&of)) missing = of;
  } while (next_field(in));
  if (numbers > 0 && missing.begin) return refuse_field(&start, &missing);
  *in = start;
  return SL_OK;
}

/* A header's field: quotes undone; an empty one is named by its number. */
static char *header_name(sl__table *table, const field *of, int64_t number) {
  if (of->begin == of->end) {
    char name[32];
    return sl__arena_text(&table->arena, name,
                          (size_t)snprintf(name, sizeof name, "column%lld", (long long)number));
  }
  char *name = sl__arena_text(&table->arena, of->begin, (size_t)(of->end - of->begin)), *to = name;
  if (!name || !of->quoted) return name;
  for (const char *from = name; *from; from++) {
    *to++ = *from;
    if (from[0] == '"' && from[1] == '"') from++;
  }
  *to = '\0';
  return name;
}

static sl_status read_header(reader *in, sl__table *table) {
  table->names = sl__arena_take(&table->arena, (size_t)table->columns, sizeof *table->names);
  if (!table->names) return SL_NO_MEMORY;
  for (int64_t i = 0; i < table->columns; i++) {
    field of;
    SL__TRY(read_field(in, &of));
    if (memchr(of.begin, '\0', (size_t)(of.end - of.begin))) {
      return refuse_at_field(in, &of, of.begin,
                             "a NUL byte in a column name; this is not a text file");
    }
    table->names[i] = header_name(table, &of, i + 1);
    if (!table->names[i]) return SL_NO_MEMORY;
    next_field(in);
  }
  next_line(in);
  return SL_OK;
}

/* ---- the rows ---- */

static bool only_blank_lines_follow(const reader *in) {
  for (const char *at = in->at; at < in->end; at++) {
    if (*at != '\n' && *at != '\r' && *at != ' ' && *at != '\t') return false;
  }
  return true;
}

static sl_status refuse_length(const reader *in, int64_t found, int64_t wanted, bool more) {
  char message[160];
  snprintf(message, sizeof message,
           "the row has %s%lld field%s where the first has %lld; make them equal",
           more ? "more than " : "", (long long)found, found == 1 ? "" : "s", (long long)wanted);
  return refuse(in, in->at, message);
}

/* Callers ask for the place of non-finite values only, so only these are remembered. */
static void mark_place(sl__table *table, const reader *in, const field *of, int64_t column) {
  if (table->mark_count == MOST_MARKS) return;
  if (!table->marks) table->marks = sl__arena_take(&table->arena, MOST_MARKS, sizeof *table->marks);
  if (!table->marks) return;
  int64_t place = of->begin - in->line_begin + 1;
  table->marks[table->mark_count++] =
      (sl__table_mark){table->rows, column, place < INT32_MAX ? (int)place : INT32_MAX};
}

static bool names_a_number(const sl__table *table) {
  for (int64_t i = 0; table->names && i < table->columns; i++) {
    const char *name = table->names[i], *end = name + strlen(name);
    double ignored;
    if (end > name && sl__parse_real(name, end, &ignored) == end) return true;
  }
  return false;
}

/* A header that holds a number may be a row of numbers and words. */
static sl_status check_header(const reader *in, const sl__table *table) {
  for (int64_t i = 0; i < table->columns; i++) {
    const char *name = table->names ? table->names[i] : "0", *end = name + strlen(name);
    double ignored;
    char text[SHOWN_OF_FIELD + 1], message[200];
    if (end == name || sl__parse_real(name, end, &ignored) != end) continue;
    show_field(&(field){.begin = name, .end = end}, text);
    snprintf(message, sizeof message,
             "a column of words needs a header, and the line before has the number %s in it; write "
             "a first line of names",
             text);
    return refuse(in, in->line_begin, message);
  }
  return SL_OK;
}

/* Whether the field belongs to a column of words, and then its word's number. */
static sl_status read_word(const reader *in, sl__table *table, const field *of, int64_t column,
                           double *number, bool *is_word) {
  *is_word = in->words && table->words && table->words[column].count > 0;
  if (in->words && table->rows == 0 && !is_missing(of) && !read_number(of, number)) {
    if (!table->words)
      table->words = sl__arena_take(&table->arena, (size_t)table->columns, sizeof *table->words);
    if (!table->words) return SL_NO_MEMORY;
    SL__TRY(check_header(in, table));
    *is_word = true;
  }
  if (!*is_word) return SL_OK;
  if (is_missing(of)) return refuse_field(in, of);
  const size_t length = (size_t)(of->end - of->begin);
  if (memchr(of->begin, '\0', length))
    return refuse_at_field(in, of, of->begin, "a NUL byte in a word; this is not a text file");
  return sl__words_add(&table->arena, &table->words[column], of->begin, length, number);
}

static sl_status read_row(reader *in, sl__table *table, double *row) {
  for (int64_t column = 0; column < table->columns; column++) {
    field of;
    bool is_word;
    const char *begin = in->at;
    SL__TRY(read_field(in, &of));
    SL__TRY(read_word(in, table, &of, column, &row[column], &is_word));
    if (!is_word && !read_number(&of, &row[column])) {
      bool empty_line = column == 0 && at_line_end(in) && of.begin == of.end && !of.quoted;
      if (empty_line) in->at = begin;
      return empty_line ? refuse(in, in->line_begin, "empty line; remove it")
                        : refuse_field(in, &of);
    }
    if (!isfinite(row[column])) mark_place(table, in, &of, column);
    bool more = next_field(in), wanted = column + 1 < table->columns;
    if (more != wanted) return refuse_length(in, column + 1, table->columns, more);
  }
  next_line(in);
  return SL_OK;
}

static void skip_blank_lines(reader *in) {
  for (;;) {
    const char *at = in->at;
    while (*at == ' ' || *at == '\t') at++; /* something else follows: the file is not blank */
    if (*at != '\n' && *at != '\r') return;
    in->at = at;
    next_line(in);
  }
}

static int64_t count_lines(const char *at, const char *end) {
  int64_t lines = 1, old_ends = 0; /* a carriage return alone ends a line too */
  for (const char *p = at; p < end; p++) {
    lines += *p == '\n';
    old_ends += *p == '\r' && !(p + 1 < end && p[1] == '\n');
  }
  return lines + old_ends;
}

static sl_status read_rows(reader *in, sl__table *table) {
  table->first_line = in->line;
  int64_t room = count_lines(in->at, in->end), fields = (in->end - in->at + 1) / 2;
  if (room > fields / table->columns) room = fields / table->columns;
  room++; /* the row that turns out to be too short, or not to be there */
  double *data = sl__arena_take(&table->arena, (size_t)room * (size_t)table->columns, sizeof *data);
  if (!data) return SL_NO_MEMORY;
  table->data = data;
  while (!only_blank_lines_follow(in)) {
    SL__TRY(read_row(in, table, data + table->rows * table->columns));
    table->rows++;
  }
  if (table->rows == 0 && names_a_number(table))
    return refuse(in, in->at,
                  "no rows: the only line holds what is no number, and was taken for the columns' "
                  "names; give at least one line of numbers");
  if (table->rows == 0) return refuse(in, in->at, "no rows; give at least one line of numbers");
  return table->words ? sl__words_finish(table) : SL_OK;
}

static sl_status parse(reader *in, sl__table *out) {
  if (in->end - in->at >= 3 && memcmp(in->at, "\xEF\xBB\xBF", 3) == 0) in->at += 3;
  in->line_begin = in->at;
  if (only_blank_lines_follow(in)) return refuse(in, in->at, "no rows; the file is empty");
  skip_blank_lines(in);
  bool marked = *in->at == '#', header = false;
  if (marked) in->at++;
  in->separator = detect_separator(in->at, in->end);
  SL__TRY(look_at_first_line(in, &out->columns, &header));
  if (header || marked) SL__TRY(read_header(in, out));
  return read_rows(in, out);
}

static sl_status parse_bytes(sl_context *context, const char *bytes, size_t length, bool words,
                             sl__table *out) {
  *out = (sl__table){.type = SL_F64};
  sl__arena_open(&out->arena, context);
  reader in = {.context = context, .at = bytes, .end = bytes + length, .line = 1, .words = words};
  sl_status status = parse(&in, out);
  if (status != SL_OK) sl__table_close(out);
  return status;
}

sl_status sl__table_parse_csv(sl_context *context, const char *bytes, size_t length,
                              sl__table *out) {
  return parse_bytes(context, bytes, length, false, out);
}

sl_status sl__table_parse_csv_words(sl_context *context, const char *bytes, size_t length,
                                    sl__table *out) {
  return parse_bytes(context, bytes, length, true, out);
}
