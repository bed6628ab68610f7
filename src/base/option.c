/* Options from text, by their rows. Every refusal names the option, what was given, and what is
 * allowed. */
#include "base/option.h"
#include "base/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_SIZES = 8, LONGEST_NAME = 63 };

/* ---- "did you mean" ---- */

static int smallest(int a, int b, int c) {
  int least = a < b ? a : b;
  return least < c ? least : c;
}

/* Levenshtein's distance, a swap of neighbours counting 1 (Damerau's restricted form). */
static int edit_distance(const char *a, const char *b) {
  size_t m = strlen(a), n = strlen(b);
  if (m > LONGEST_NAME || n > LONGEST_NAME) return LONGEST_NAME + 1;
  int distance[LONGEST_NAME + 1][LONGEST_NAME + 1];
  for (size_t i = 0; i <= m; i++) distance[i][0] = (int)i;
  for (size_t j = 0; j <= n; j++) distance[0][j] = (int)j;
  for (size_t i = 1; i <= m; i++) {
    for (size_t j = 1; j <= n; j++) {
      int change = a[i - 1] != b[j - 1];
      distance[i][j] =
          smallest(distance[i - 1][j] + 1, distance[i][j - 1] + 1, distance[i - 1][j - 1] + change);
      bool swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swap && distance[i - 2][j - 2] + 1 < distance[i][j])
        distance[i][j] = distance[i - 2][j - 2] + 1;
    }
  }
  return distance[m][n];
}

/* The one name that begins so, "Energy" of "Energy (MeV)". */
static const char *only_longer(const char *given, const char *const *names, int count) {
  enum { LEAST_LETTERS = 3 };
  const size_t length = strlen(given);
  const char *found = NULL;
  if (length < LEAST_LETTERS) return NULL;
  for (int i = 0; i < count; i++)
    if (strncmp(names[i], given, length) == 0) {
      if (found) return NULL;
      found = names[i];
    }
  return found;
}

const char *sl__nearest_name(const char *given, const char *const *names, int count) {
  const char *nearest = NULL;
  int least = (int)(strlen(given) + 2) / 3 + 1; /* as many mistakes as a third of the letters */
  for (int i = 0; i < count; i++) {
    int distance = edit_distance(given, names[i]);
    if (distance < least && distance < (int)strlen(names[i])) {
      least = distance;
      nearest = names[i];
    }
  }
  return nearest ? nearest : only_longer(given, names, count);
}

/* ---- values by type ---- */

static sl_status refuse(sl_context *context, const char *what, const sl__option_row *row,
                        const char *text, const char *wanted) {
  return sl__fail(context, SL_BAD_ARGUMENT, "%s%s: '%s' is not valid; give %s", what, row->name,
                  text, wanted);
}

/* "no" is a swap of letters from "on", and means the other. */
static const char *nearest_choice(const char *given, const char *const *names, int count) {
  static const struct {
    const char *given, *meant;
  } known[] = {{"no", "off"}, {"false", "off"}, {"0", "off"},
               {"yes", "on"}, {"true", "on"},   {"1", "on"}};
  for (size_t k = 0; k < sizeof known / sizeof *known; k++)
    for (int i = 0; i < count; i++)
      if (strcmp(given, known[k].given) == 0 && strcmp(names[i], known[k].meant) == 0)
        return names[i];
  return sl__nearest_name(given, names, count);
}

/* "robst" among "robust|plain": what was meant, perhaps, and all there are. */
static sl_status refuse_choice(sl_context *context, const char *what, const sl__option_row *row,
                               const char *text) {
  enum { MOST_CHOICES = 64 };
  const char *names[MOST_CHOICES];
  char copy[512];
  int count = 0;
  snprintf(copy, sizeof copy, "%s", row->choices);
  for (char *at = copy; at && count < MOST_CHOICES;) {
    char *bar = strchr(at, '|');
    if (bar) *bar++ = '\0';
    names[count++] = at;
    at = bar;
  }
  const char *nearest = nearest_choice(text, names, count);
  if (!nearest) return refuse(context, what, row, text, row->choices);
  return sl__fail(context, SL_BAD_ARGUMENT, "%s%s: '%s' is not valid; did you mean %s? give %s",
                  what, row->name, text, nearest, row->choices);
}

static void describe_range(const sl__option_row *row, const char *kind, char wanted[128]) {
  char low[32], high[32];
  sl__format_real(low, row->low, SL_F64);
  sl__format_real(high, row->high, SL_F64);
  if (row->low == 0 && row->high == 0)
    snprintf(wanted, 128, "%s", kind);
  else if (isinf(row->high))
    snprintf(wanted, 128, "%s of at least %s", kind, low);
  else if (isinf(row->low))
    snprintf(wanted, 128, "%s of at most %s", kind, high);
  else
    snprintf(wanted, 128, "%s from %s to %s", kind, low, high);
}

static bool in_range(const sl__option_row *row, double value) {
  return (row->low == 0 && row->high == 0) || (value >= row->low && value <= row->high);
}

static bool read_integer(const sl__option_row *row, const char *text, sl__option_value *value) {
  const char *end = text + strlen(text);
  if (sl__parse_integer(text, end, &value->integer) != end) {
    /* 1e6 and 5e3 are how people write large counts. */
    double real = 0;
    if (sl__parse_real(text, end, &real) != end || !(fabs(real) < 0x1p53) || real != floor(real))
      return false;
    value->integer = (int64_t)real;
  }
  value->real = (double)value->integer;
  return in_range(row, value->real);
}

static bool read_real(const sl__option_row *row, const char *text, sl__option_value *value) {
  const char *end = text + strlen(text);
  return sl__parse_real(text, end, &value->real) == end && !isnan(value->real) &&
         in_range(row, value->real);
}

static bool read_boolean(const char *text, sl__option_value *value) {
  static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
  for (int i = 0; i < 8; i++) {
    if (strcmp(text, words[i]) != 0) continue;
    value->integer = i % 2;
    return true;
  }
  return false;
}

static bool read_choice(const sl__option_row *row, const char *text, sl__option_value *value) {
  size_t length = strlen(text);
  int64_t index = 0;
  for (const char *at = row->choices; at; index++) {
    const char *bar = strchr(at, '|');
    size_t choice = bar ? (size_t)(bar - at) : strlen(at);
    if (choice == length && memcmp(at, text, length) == 0) {
      value->integer = index;
      return true;
    }
    at = bar ? bar + 1 : NULL;
  }
  return false;
}

static bool read_sizes(const char *text, sl__option_value *value) {
  const char *at = text, *end = text + strlen(text);
  for (value->integer = 0; value->integer < MOST_SIZES;) {
    int64_t size = 0;
    at = sl__parse_integer(at, end, &size);
    if (!at || size < 1 || size > INT32_MAX) return false;
    value->sizes[value->integer++] = (int32_t)size;
    if (at == end) return true;
    if (*at++ != 'x') return false;
  }
  return false;
}

/* what: the words before the option's name in messages. */
static sl_status read_value(sl_context *context, sl__arena *arena, const sl__option_row *row,
                            const char *what, const char *text, sl__option_value *value) {
  char wanted[128] = "a size or sizes such as 256x256";
  bool good = false;
  switch (row->type) {
    case SL__OPTION_INT:
      describe_range(row, "a whole number", wanted);
      good = read_integer(row, text, value);
      break;
    case SL__OPTION_REAL:
      describe_range(row, "a number", wanted);
      good = read_real(row, text, value);
      break;
    case SL__OPTION_BOOL:
      snprintf(wanted, sizeof wanted, "true or false");
      good = read_boolean(text, value);
      break;
    case SL__OPTION_TEXT:
    case SL__OPTION_FORMULA: good = true; break;
    case SL__OPTION_CHOICE:
      if (!read_choice(row, text, value)) return refuse_choice(context, what, row, text);
      good = true;
      break;
    case SL__OPTION_SIZES: good = read_sizes(text, value); break;
  }
  if (!good) return refuse(context, what, row, text, wanted);
  if (row->type == SL__OPTION_TEXT || row->type == SL__OPTION_CHOICE ||
      row->type == SL__OPTION_FORMULA) {
    value->text = sl__arena_text(arena, text, strlen(text));
    if (!value->text) return SL_NO_MEMORY;
  }
  return SL_OK;
}

sl_status sl__options_default(sl_context *context, sl__arena *arena, const sl__option_row *rows,
                              int count, sl__option_value *values) {
  for (int i = 0; i < count; i++) {
    values[i] = (sl__option_value){0};
    if (rows[i].fallback) {
      SL__TRY(read_value(context, arena, &rows[i], "default of ", rows[i].fallback, &values[i]));
    } else {
      if (rows[i].type == SL__OPTION_INT || rows[i].type == SL__OPTION_CHOICE)
        values[i].integer = -1;
      if (rows[i].type == SL__OPTION_INT) values[i].real = -1;
      if (rows[i].type == SL__OPTION_REAL) values[i].real = NAN;
    }
  }
  return SL_OK;
}

static sl_status refuse_name(sl_context *context, const sl__option_row *rows, int count,
                             const char *what, const char *name) {
  const char *nearest = NULL;
  int least = LONGEST_NAME;
  for (int i = 0; i < count; i++) {
    if (!sl__nearest_name(name, &rows[i].name, 1)) continue;
    int distance = edit_distance(name, rows[i].name);
    if (distance < least) least = distance, nearest = rows[i].name;
  }
  if (nearest) {
    return sl__fail(context, SL_BAD_ARGUMENT, "unknown %s%s; did you mean %s%s?", what, name,
                    strncmp(what, "option --", 9) == 0 ? "--" : "", nearest);
  }
  if (count == 0)
    return sl__fail(context, SL_BAD_ARGUMENT, "unknown %s%s; there are none here", what, name);
  char known[512] = "";
  for (int i = 0; i < count; i++) {
    size_t used = strlen(known);
    snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "", rows[i].name);
  }
  return sl__fail(context, SL_BAD_ARGUMENT, "unknown %s%s; known are %s", what, name, known);
}

sl_status sl__options_set(sl_context *context, sl__arena *arena, const sl__option_row *rows,
                          int count, sl__option_value *values, const char *what, const char *name,
                          const char *text) {
  int i = 0;
  while (i < count && strcmp(rows[i].name, name) != 0) i++;
  if (i == count) return refuse_name(context, rows, count, what, name);
  if (!text && rows[i].type == SL__OPTION_BOOL) text = "true";
  if (!text) return sl__fail(context, SL_BAD_ARGUMENT, "%s%s needs a value", what, name);
  sl__option_value value = {.given = true};
  SL__TRY(read_value(context, arena, &rows[i], what, text, &value));
  values[i] = value;
  return SL_OK;
}

void sl__option_print(const sl__option_row *row, const sl__option_value *value, char *buffer,
                      size_t size) {
  char real[32];
  size_t used = 0;
  if (size == 0) return;
  buffer[0] = '\0';
  switch (row->type) {
    case SL__OPTION_INT: snprintf(buffer, size, "%lld", (long long)value->integer); break;
    case SL__OPTION_REAL:
      sl__format_real(real, value->real, SL_F64);
      snprintf(buffer, size, "%s", real);
      break;
    case SL__OPTION_BOOL: snprintf(buffer, size, "%s", value->integer ? "true" : "false"); break;
    case SL__OPTION_TEXT:
    case SL__OPTION_FORMULA:
    case SL__OPTION_CHOICE: snprintf(buffer, size, "%s", value->text ? value->text : ""); break;
    case SL__OPTION_SIZES:
      for (int64_t i = 0; i < value->integer && used < size; i++) {
        int added = snprintf(buffer + used, size - used, "%s%d", i > 0 ? "x" : "", value->sizes[i]);
        used += added > 0 ? (size_t)added : 0;
      }
      break;
  }
}
