/* Categories that are written as numbers, "region: label" with values 3, 7 and 12: the column
 * becomes one of words, in the order of the numbers, and is from there on like any other column of labels
 * (labels.c). */
#include <math.h>
#include <string.h>

#include "cli/cli.h"

static double value_at(const sl__table *table, int64_t row, int64_t column) {
  const int64_t i = row * table->columns + column;
  return table->type == SL_F32 ? (double)((const float *)table->data)[i]
                               : ((const double *)table->data)[i];
}

/* The place of value among sorted numbers [count], or where it belongs. */
static int32_t place_of(const double *numbers, int32_t count, double value) {
  int32_t low = 0, high = count;
  while (low < high) {
    const int32_t middle = low + (high - low) / 2;
    if (numbers[middle] < value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* The different numbers of a column, sorted, into numbers [SL__MOST_WORDS]. */
static sl_status list_numbers(const sl__cli *cli, const sl__table *table, int64_t column,
                              double *numbers, int32_t *count) {
  *count = 0;
  for (int64_t row = 0; row < table->rows; row++) {
    const double value = value_at(table, row, column);
    if (!isfinite(value)) {
      int line, place;
      sl__table_place(table, row, column, &line, &place);
      return sl__fail_at(cli->context, SL_BAD_ARGUMENT, line, place,
                         "row %lld of the label \"%.80s\" is no number; remove the row or fill in "
                         "the value",
                         (long long)row + 1, table->names[column]);
    }
    const int32_t at = place_of(numbers, *count, value);
    if (at < *count && numbers[at] == value) continue;
    if (*count == SL__MOST_WORDS)
      return sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "label \"%.80s\" holds more than %d different numbers, which are no "
                      "categories; make it a condition: context",
                      table->names[column], SL__MOST_WORDS);
    memmove(numbers + at + 1, numbers + at, (size_t)(*count - at) * sizeof *numbers);
    numbers[at] = value;
    ++*count;
  }
  return SL_OK;
}

sl_status sl__cli_number_labels(sl__cli *cli, sl__table *table, int64_t column) {
  if (!table->names)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "column %lld is a label, and labels go by the names of their columns; write a "
                    "first line of names",
                    (long long)column + 1);
  if (table->words && table->words[column].count > 0) return SL_OK;
  int32_t count;
  double *numbers = sl__arena_take(&table->arena, SL__MOST_WORDS, sizeof *numbers);
  if (!table->words)
    table->words = sl__arena_take(&table->arena, (size_t)table->columns, sizeof *table->words);
  if (!numbers || !table->words) return SL_NO_MEMORY;
  SL__TRY(list_numbers(cli, table, column, numbers, &count));
  sl__table_words *words = &table->words[column];
  words->word = sl__arena_take(&table->arena, (size_t)count, sizeof *words->word);
  if (!words->word) return SL_NO_MEMORY;
  for (int32_t k = 0; k < count; k++) {
    char text[32];
    const int length = sl__format_real(text, numbers[k], table->type);
    words->word[k] = sl__arena_text(&table->arena, text, (size_t)length);
    if (!words->word[k]) return SL_NO_MEMORY;
  }
  for (int64_t row = 0; row < table->rows; row++) {
    const int64_t i = row * table->columns + column;
    const int32_t at = place_of(numbers, count, value_at(table, row, column));
    if (table->type == SL_F32)
      ((float *)table->data)[i] = (float)at;
    else
      ((double *)table->data)[i] = at;
  }
  words->count = count;
  return SL_OK;
}
