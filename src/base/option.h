/* Option rows: name, type, range, default, text. Command line, formula arguments, help and docs
 * read them. */
#ifndef SL_BASE_OPTION_H
#define SL_BASE_OPTION_H
#include "base/context.h"

typedef enum sl__option_type {
  SL__OPTION_INT,
  SL__OPTION_REAL,
  SL__OPTION_BOOL,
  SL__OPTION_TEXT,   /* any text (a file name, a column list) */
  SL__OPTION_CHOICE, /* one of the names in .choices, separated by '|' */
  SL__OPTION_SIZES,  /* 256x256: up to 8 positive integers */
  SL__OPTION_FORMULA /* a chain of layers, in arguments of layers only: flow/formula.c reads it */
} sl__option_type;

typedef struct sl__option_row {
  const char *name;
  sl__option_type type;
  const char *fallback; /* the default as text; NULL: none (REAL reads NaN, INT reads -1) */
  double low, high;     /* range of INT and REAL, inclusive; low == high == 0: any */
  const char *choices;  /* CHOICE only */
  const char *help;     /* one line */
} sl__option_row;

typedef struct sl__option_value {
  bool given;       /* by the user, rather than the default */
  int64_t integer;  /* INT; BOOL: 0 or 1; CHOICE: index of the choice; SIZES: how many */
  double real;      /* REAL (and INT, converted) */
  const char *text; /* TEXT, CHOICE, FORMULA (canonical): the text (owned by the arena) */
  int32_t sizes[8];
  const struct sl__formula *formula; /* FORMULA: what the text says */
} sl__option_value;

/* Fills values[0..count-1] with defaults. */
sl_status sl__options_default(sl_context *context, sl__arena *arena, const sl__option_row *rows,
                              int count, sl__option_value *values);
/* Sets one from text; unknown names suggest the nearest; what: "option --" or "argument " for
 * messages. */
sl_status sl__options_set(sl_context *context, sl__arena *arena, const sl__option_row *rows,
                          int count, sl__option_value *values, const char *what, const char *name,
                          const char *text);
/* Canonical text of a value into buffer (the shortest that reads back the same). */
void sl__option_print(const sl__option_row *row, const sl__option_value *value, char *buffer,
                      size_t size);
/* Nearest of names by edit distance, or NULL when none is near; for "did you mean". */
const char *sl__nearest_name(const char *given, const char *const *names, int count);
#endif
