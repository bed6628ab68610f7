/* Words in a column: a sorted list of the distinct ones, searched by halving. Numbers are given out
 * as words appear and exchanged for their places in the list at the end, so that the same words get
 * the same numbers in whatever order the rows stand. Beyond a bound on distinct words the column
 * holds names or remarks, no labels; it is read on, but the further words are not told apart. */
#include "io/csv_words.h"
#include <string.h>

enum { FIRST_ROOM = 8 };

/* Where text stands, or belongs, in the list. */
static int32_t find_place(const sl__table_words *words, const char *text, size_t length,
                          bool *found) {
  int32_t low = 0, high = words->count;
  *found = false;
  while (low < high && !*found) {
    const int32_t middle = low + (high - low) / 2;
    const char *word = words->word[middle];
    int order = strncmp(text, word, length);
    if (order == 0) order = word[length] == '\0' ? 0 : -1;
    *found = order == 0;
    if (order > 0)
      low = middle + 1;
    else
      high = middle;
  }
  return high;
}

static sl_status make_room(sl__arena *arena, sl__table_words *words) {
  if (words->count < words->room) return SL_OK;
  const int32_t room = words->room > 0 ? 2 * words->room : FIRST_ROOM;
  const char **word = sl__arena_take(arena, (size_t)room, sizeof *word);
  int32_t *number = sl__arena_take(arena, (size_t)room, sizeof *number);
  if (!word || !number) return SL_NO_MEMORY;
  for (int32_t i = 0; i < words->count; i++) {
    word[i] = words->word[i];
    number[i] = words->number[i];
  }
  words->word = word;
  words->number = number;
  words->room = room;
  return SL_OK;
}

sl_status sl__words_add(sl__arena *arena, sl__table_words *words, const char *text, size_t length,
                        double *number) {
  bool found;
  const int32_t place = find_place(words, text, length, &found);
  *number = 0;
  if (!found && words->count == SL__MOST_WORDS) {
    words->more = true;
    return SL_OK;
  }
  if (!found) {
    SL__TRY(make_room(arena, words));
    const char *copy = sl__arena_text(arena, text, length);
    if (!copy) return SL_NO_MEMORY;
    const size_t after = (size_t)(words->count - place);
    memmove(words->word + place + 1, words->word + place, after * sizeof *words->word);
    memmove(words->number + place + 1, words->number + place, after * sizeof *words->number);
    words->word[place] = copy;
    words->number[place] = words->count++;
  }
  *number = words->number[place];
  return SL_OK;
}

sl_status sl__words_finish(sl__table *table) {
  double *data = table->data;
  int32_t *place = sl__arena_take(&table->arena, SL__MOST_WORDS, sizeof *place);
  if (!place) return SL_NO_MEMORY;
  for (int64_t column = 0; column < table->columns; column++) {
    const sl__table_words *words = &table->words[column];
    for (int32_t i = 0; i < words->count; i++) place[words->number[i]] = i;
    for (int64_t row = 0; row < table->rows && words->count > 0; row++) {
      double *value = &data[row * table->columns + column];
      *value = place[(int32_t)*value];
    }
  }
  return SL_OK;
}
