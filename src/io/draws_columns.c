/* Columns of draws by which other programs number chains and draws. R's package posterior writes
 * .chain, .iteration and .draw, ArviZ chain and draw, and both the rows' numbers in front, in a column
 * without a name. A Stan program's parameters may have the names that ArviZ uses, but no dots in
 * front. */
#include <math.h>
#include <string.h>

#include "io/draws.h"

static bool holds_whole_numbers(const sl__draws *file, int64_t column) {
  for (int64_t i = 0; i < file->draws; i++) {
    const double value = file->values[i * file->columns + column];
    if (!(value == floor(value))) return false;
  }
  return true;
}

/* 1, 2, 3, ... of R, or 0, 1, 2, ... of pandas. */
static bool counts_rows(const sl__draws *file, int64_t column) {
  const double first = file->values[column];
  if (first != 0 && first != 1) return false;
  for (int64_t i = 1; i < file->draws; i++)
    if (file->values[i * file->columns + column] != first + (double)i) return false;
  return true;
}

/* The column becomes a sampler's, if there is one. */
static sl_status rename_column(sl__draws *file, const char *from, const char *to, bool *is_there) {
  const int64_t column = sl__draws_column(file, from);
  *is_there = column >= 0 && holds_whole_numbers(file, column);
  if (!*is_there) return SL_OK;
  file->names[column] = sl__arena_text(&file->arena, to, strlen(to));
  return file->names[column] ? SL_OK : SL_NO_MEMORY;
}

sl_status sl__draws_adopt_columns(sl__draws *file, bool is_of_stan) {
  bool has_chain;
  if (file->columns > 1 && strcmp(file->names[0], "column1") == 0 && counts_rows(file, 0))
    SL__TRY(rename_column(file, "column1", "row__", &has_chain));
  if (sl__draws_column(file, "chain__") < 0)
    SL__TRY(rename_column(file, ".chain", "chain__", &has_chain));
  SL__TRY(rename_column(file, ".iteration", "iteration__", &has_chain));
  SL__TRY(rename_column(file, ".draw", "draw__", &has_chain));
  if (is_of_stan || sl__draws_column(file, "chain__") >= 0) return SL_OK;
  SL__TRY(rename_column(file, "chain", "chain__", &has_chain));
  if (!has_chain) return SL_OK; /* then the others may be quantities */
  SL__TRY(rename_column(file, "iteration", "iteration__", &has_chain));
  return rename_column(file, "draw", "draw__", &has_chain);
}
