/* Labels: a column of words as conditions. To the model each word is a condition of its own, 1
 * where the row has the word and 0 elsewhere, by the name "species=setosa"; so a condition's name
 * has a '=' if and only if it is a label's. What is said here of a condition's source is the column
 * that it is read from: "species". */
#include <string.h>

#include "cli/cli.h"

enum { SHOWN_LABELS = 12 };

size_t sl__cli_source_length(const char *condition) {
  return strcspn(condition, "=");
}

const char *sl__cli_label_of(const char *condition) {
  const char *equals = strchr(condition, '=');
  return equals ? equals + 1 : NULL;
}

static bool same_source(const char *a, const char *b) {
  const size_t length = sl__cli_source_length(a);
  return length == sl__cli_source_length(b) && strncmp(a, b, length) == 0;
}

sl_status sl__cli_sources(sl__arena *arena, int64_t count, const char *const *conditions,
                          const char **sources, int64_t *found) {
  *found = 0;
  for (int64_t i = 0; i < count; i++) {
    if (i > 0 && sl__cli_label_of(conditions[i]) && same_source(conditions[i - 1], conditions[i]))
      continue;
    sources[*found] = sl__arena_text(arena, conditions[i], sl__cli_source_length(conditions[i]));
    if (!sources[(*found)++]) return SL_NO_MEMORY;
  }
  return SL_OK;
}

static double value_at(const sl__table *table, int64_t row, int64_t column) {
  const int64_t i = row * table->columns + column;
  return table->type == SL_F32 ? (double)((const float *)table->data)[i]
                               : ((const double *)table->data)[i];
}

/* ---- columns of words that cannot be what they are wanted for ---- */

static bool holds_words(const sl__table *table, int64_t column) {
  return table->words && table->words[column].count > 0;
}

/* "1,5": a number where the comma is the decimal sign. */
static bool is_decimal_comma(const char *word) {
  const char *comma = strchr(word, ',');
  char with_point[64];
  double value;
  const size_t length = strlen(word);
  if (!comma || length >= sizeof with_point) return false;
  memcpy(with_point, word, length + 1);
  with_point[comma - word] = '.';
  return sl__parse_real(with_point, with_point + length, &value) == with_point + length;
}

sl_status sl__cli_refuse_words(const sl__cli *cli, const sl__table *table, int64_t count,
                               const int64_t *list) {
  for (int64_t i = 0; i < count; i++) {
    if (!holds_words(table, list[i])) continue;
    const char *name = table->names[list[i]], *word = table->words[list[i]].word[0];
    if (is_decimal_comma(word))
      return sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "%s: column \"%.80s\" holds words (\"%.40s\"); decimal commas? write 1.5, "
                      "not 1,5",
                      cli->place, name, word);
    return sl__fail(
        cli->context, SL_BAD_ARGUMENT,
        "%s: column \"%.80s\" holds words (\"%.40s\"), and only conditions may; give it "
        "as --context, or leave it out with --columns '%.80s: skip'",
        cli->place, name, word, name);
  }
  return SL_OK;
}

/* ---- a new fit ---- */

static sl_status check_source(const sl__cli *cli, const sl__table *table, int64_t column) {
  const char *name = table->names ? table->names[column] : "";
  if (strchr(name, '='))
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "condition \"%.80s\": '=' stands between a column and a label; rename the "
                    "column",
                    name);
  if (!holds_words(table, column)) return SL_OK;
  const sl__table_words *words = &table->words[column];
  if (words->more)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "condition \"%.80s\" holds more than %d different words, which are no labels; "
                    "leave it out",
                    name, SL__MOST_WORDS);
  if (words->count == 1)
    return sl__fail(
        cli->context, SL_BAD_ARGUMENT,
        "condition \"%.80s\" is \"%.40s\" in all rows, which tells nothing; leave it out", name,
        words->word[0]);
  return SL_OK;
}

/* "species=setosa" */
static const char *name_label(sl_context *context, sl__arena *arena, const char *source,
                              const char *label) {
  sl__text text;
  sl__text_open(&text, context);
  sl__text_add_bytes(&text, source, strlen(source));
  sl__text_add_bytes(&text, "=", 1);
  sl__text_add_bytes(&text, label, strlen(label));
  const char *name = text.failed ? NULL : sl__arena_text(arena, text.data, text.length);
  sl__text_close(&text);
  return name;
}

sl_status sl__cli_name_conditions(sl__cli *cli, sl__table *table, int64_t count,
                                  const int64_t *list, const char *const **names, int64_t *named) {
  *named = count;
  *names = NULL;
  for (int64_t i = 0; i < count; i++) {
    SL__TRY(check_source(cli, table, list[i]));
    if (holds_words(table, list[i])) *named += table->words[list[i]].count - 1;
  }
  if (!table->names || count == 0) return SL_OK;
  const char **out = sl__arena_take(&table->arena, (size_t)*named, sizeof *out);
  if (!out) return SL_NO_MEMORY;
  *names = out;
  for (int64_t i = 0; i < count; i++) {
    const char *source = table->names[list[i]];
    if (!holds_words(table, list[i])) *out++ = source;
    for (int32_t k = 0; holds_words(table, list[i]) && k < table->words[list[i]].count; k++)
      if (!(*out++ =
                name_label(cli->context, &table->arena, source, table->words[list[i]].word[k])))
        return SL_NO_MEMORY;
  }
  return SL_OK;
}

/* ---- conditions by name ---- */

void sl__cli_list_labels(sl__text *text, int64_t count, const char *const *conditions,
                         const char *source, size_t length) {
  int listed = 0;
  for (int64_t i = 0; i < count; i++) {
    const char *label = sl__cli_label_of(conditions[i]);
    if (!label || sl__cli_source_length(conditions[i]) != length ||
        strncmp(conditions[i], source, length) != 0)
      continue;
    if (listed < SHOWN_LABELS)
      sl__text_add(text, "%s\"%.40s\"", listed > 0 ? ", " : "", label);
    else if (listed == SHOWN_LABELS)
      sl__text_add(text, " and others");
    listed++;
  }
}

static sl_status refuse_unknown(const sl__cli *cli, const sl__table *table, int64_t row,
                                int64_t column, const char *word, int64_t count,
                                const char *const *conditions, const char *condition) {
  int line, place;
  sl__text known;
  sl__table_place(table, row, column, &line, &place);
  sl__text_open(&known, cli->context);
  sl__cli_list_labels(&known, count, conditions, condition, sl__cli_source_length(condition));
  sl_status status =
      known.failed
          ? SL_NO_MEMORY
          : sl__fail_at(cli->context, SL_BAD_ARGUMENT, line, 0,
                        "row %lld: \"%.40s\" is no \"%.*s\" that the fit knows; it knows %s",
                        (long long)row + 1, word, (int)sl__cli_source_length(condition), condition,
                        known.data);
  sl__text_close(&known);
  return status;
}

/* The row's label: the word, or the number as a label of digits. */
static bool has_label(const sl__table *table, int64_t row, int64_t column, const char *label) {
  const double value = value_at(table, row, column);
  if (holds_words(table, column))
    return strcmp(table->words[column].word[(int32_t)value], label) == 0;
  double number;
  const char *end = label + strlen(label);
  return sl__parse_real(label, end, &number) == end && number == value;
}

/* The conditions first .. first + labels - 1 of out [rows][count], which are the labels of one
 * column. */
static sl_status fill_labels(const sl__cli *cli, const sl__table *table, int64_t column,
                             int64_t first, int64_t labels, int64_t count,
                             const char *const *conditions, double *out) {
  for (int64_t row = 0; row < table->rows; row++) {
    bool some = false;
    for (int64_t k = first; k < first + labels; k++) {
      const bool is = has_label(table, row, column, sl__cli_label_of(conditions[k]));
      out[row * count + k] = is;
      some |= is;
    }
    if (some) continue;
    char number[33];
    const double value = value_at(table, row, column);
    sl__format_real(number, value, table->type);
    const char *word =
        holds_words(table, column) ? table->words[column].word[(int32_t)value] : number;
    return refuse_unknown(cli, table, row, column, word, count, conditions, conditions[first]);
  }
  return SL_OK;
}

sl_status sl__cli_fill_conditions(sl__cli *cli, sl__table *table, int64_t count,
                                  const char *const *conditions, const int64_t *list,
                                  sl_array_in *out) {
  double *values =
      sl__arena_take(&table->arena, (size_t)table->rows, (size_t)count * sizeof *values);
  if (!values) return SL_NO_MEMORY;
  *out = sl_in_f64(values, table->rows, count);
  for (int64_t k = 0, source = 0, labels; k < count; k += labels, source++) {
    const int64_t column = list[source];
    labels = 1;
    if (sl__cli_label_of(conditions[k])) {
      while (k + labels < count && sl__cli_label_of(conditions[k + labels]) &&
             same_source(conditions[k], conditions[k + labels]))
        labels++;
      SL__TRY(fill_labels(cli, table, column, k, labels, count, conditions, values));
      continue;
    }
    if (holds_words(table, column))
      return sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "%s: column \"%.80s\" holds words (\"%.40s\"), and numbers are wanted; write "
                      "numbers",
                      cli->place, table->names[column], table->words[column].word[0]);
    for (int64_t row = 0; row < table->rows; row++)
      values[row * count + k] = value_at(table, row, column);
  }
  return SL_OK;
}
