/* Points of a target, from a table: columns found by name or by position, on either scale. */
#include "cli/points.h"
#include <string.h>
#include "base/os.h"
#include "io/draws.h"

/* The names that a table's columns may have. */
typedef struct wanted {
  const sl__target *target;
  bool constrained;
  int32_t count;
} wanted;

static const char *wanted_name(const wanted *w, int32_t i) {
  return w->constrained ? sl__target_name(w->target, SL__TARGET_PARAMETERS, i)
                        : w->target->names[i];
}

static const char *skip_closing(const char *at) {
  return *at == ']' ? at + 1 : at;
}

bool sl__cli_same_name(const char *a, const char *b) {
  for (;; a++, b++) {
    a = skip_closing(a);
    b = skip_closing(b);
    const char in_a = *a == '[' || *a == ',' ? '.' : *a, in_b = *b == '[' || *b == ',' ? '.' : *b;
    if (in_a != in_b) return false;
    if (!in_a) return true;
  }
}

static const char marked[] = "unconstrained(";

static bool is_marked(const char *column) {
  return strncmp(column, marked, sizeof marked - 1) == 0;
}

/* A coordinate's column may say that it is one: unconstrained(theta.1). */
static bool is_column_of(const char *column, const char *name) {
  if (!is_marked(column)) return sl__cli_same_name(column, name);
  const size_t length = strlen(name);
  column += sizeof marked - 1;
  return strncmp(column, name, length) == 0 && strcmp(column + length, ")") == 0;
}

/* The column of this name, -1: none, -2: more than one. */
static int64_t column_named(const sl__table *table, const char *name) {
  int64_t found = -1;
  for (int64_t i = 0; i < table->columns; i++) {
    if (!is_column_of(table->names[i], name)) continue;
    if (found >= 0) return -2;
    found = i;
  }
  return found;
}

static bool has_name(const wanted *w, sl__target_part part, const char *column) {
  for (int32_t i = 0; i < sl__target_count(w->target, part); i++)
    if (sl__cli_same_name(column, sl__target_name(w->target, part, i))) return true;
  return false;
}

/* Columns of a draw that are no coordinates: a sampler's, and what is computed from parameters. */
static bool may_pass_over(const wanted *w, const char *column) {
  const size_t length = strlen(column);
  if (length > 2 && strcmp(column + length - 2, "__") == 0) return true;
  if (strcmp(column, "log_prob") == 0) return true;
  if (has_name(w, SL__TARGET_TRANSFORMED, column)) return true;
  return has_name(w, SL__TARGET_GENERATED, column);
}

static const char *what_is_wanted(const wanted *w) {
  return w->constrained ? "parameters" : "coordinates";
}

/* A header that does not name each coordinate once, or something else. */
static sl_status check_names(sl__cli *cli, const sl__table *table, const wanted *w) {
  for (int32_t i = 0; i < w->count; i++) {
    const char *name = wanted_name(w, i);
    const int64_t column = column_named(table, name);
    if (column == -1)
      return sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "%.200s: no column \"%.100s\" among its %lld; the target has %d %s, and the "
                      "header must name them",
                      cli->place, name, (long long)table->columns, (int)w->count,
                      what_is_wanted(w));
    if (column == -2)
      return sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "%.200s: more than one column \"%.100s\"; leave one", cli->place, name);
  }
  for (int64_t c = 0; c < table->columns; c++) {
    bool known = may_pass_over(w, table->names[c]);
    for (int32_t i = 0; i < w->count && !known; i++)
      known = is_column_of(table->names[c], wanted_name(w, i));
    if (!known)
      return sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "%.200s: the column \"%.100s\" is none of the target's %d %s; leave it out",
                      cli->place, table->names[c], (int)w->count, what_is_wanted(w));
  }
  return SL_OK;
}

static sl_status check_columns(sl__cli *cli, const sl__table *table, const wanted *w) {
  if (table->names) return check_names(cli, table, w);
  if (table->columns == w->count) return SL_OK;
  return sl__fail(cli->context, SL_BAD_ARGUMENT,
                  "%.200s: the points are %lld x %lld, but the target has %d %s; give a column for "
                  "each",
                  cli->place, (long long)table->rows, (long long)table->columns, (int)w->count,
                  what_is_wanted(w));
}

static double number_at(const sl__table *table, int64_t row, int64_t column) {
  const int64_t i = row * table->columns + column;
  return table->type == SL_F32 ? (double)((const float *)table->data)[i]
                               : ((const double *)table->data)[i];
}

/* The columns by name where there is a header, else by position. to [rows][count] */
static sl_status order_columns(sl__cli *cli, const sl__table *table, const wanted *w, double *to) {
  SL__TRY(check_columns(cli, table, w));
  for (int32_t i = 0; i < w->count; i++) {
    const int64_t column = table->names ? column_named(table, wanted_name(w, i)) : i;
    if (table->words && table->words[column].count > 0)
      return sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "%.200s: column %lld holds words; give numbers", cli->place,
                      (long long)column + 1);
    for (int64_t r = 0; r < table->rows; r++) to[r * w->count + i] = number_at(table, r, column);
  }
  return SL_OK;
}

/* What is wrong is the row, not the program's line that says so. */
static sl_status refuse_row(sl__cli *cli, int64_t row, sl_status status) {
  char said[sizeof cli->context->error.message];
  snprintf(said, sizeof said, "%s", cli->context->error.message);
  return sl__fail(cli->context, status,
                  "%.600s (from %.200s, row %lld); change the row or leave it out", said,
                  cli->place, (long long)row + 1);
}

static sl_status take_points(sl__cli *cli, const sl__table *table, const wanted *w, double **q) {
  const int32_t dim = w->target->dim;
  double *given =
      sl__arena_take(&cli->arena, (size_t)table->rows, (size_t)w->count * sizeof *given);
  *q = given;
  if (!given) return SL_NO_MEMORY;
  SL__TRY(order_columns(cli, table, w, given));
  if (!w->constrained) return SL_OK;
  *q = sl__arena_take(&cli->arena, (size_t)table->rows, (size_t)dim * sizeof **q);
  if (!*q) return SL_NO_MEMORY;
  int64_t row;
  const sl_status status =
      sl__target_unconstrain_rows(cli->context, w->target, table->rows, given, *q, &row);
  return status == SL_OK ? SL_OK : refuse_row(cli, row, status);
}

/* Draws as CmdStan writes them: comments, a sampler's columns. Other names may be those of pipes,
 * which can be read only once. */
bool sl__cli_is_stan_csv(sl__cli *cli, const char *path) {
  const char *format = sl__cli_option(cli, "format")->text;
  const size_t end = strlen(path);
  char *bytes;
  size_t length;
  if (end < 4 || strcmp(path + end - 4, ".csv") != 0 || (format && strcmp(format, "csv") != 0))
    return false;
  if (sl__os_read_file(cli->context, path, &bytes, &length) != SL_OK) return false;
  const bool is = sl__is_stan_csv(bytes, length);
  sl__free(&cli->context->allocator, bytes);
  return is;
}

/* The draws of all chains, one after another. */
static sl_status read_draws(sl__cli *cli, const char *path, sl__table *table) {
  sl__draws draws;
  sl__cli_about(cli, path, NULL);
  SL__TRY(sl__draws_read(cli->context, 1, &path, "csv", 0, &draws));
  *table = (sl__table){.rows = draws.chains * draws.draws,
                       .columns = draws.columns,
                       .type = SL_F64,
                       .data = draws.values,
                       .names = draws.names,
                       .arena = draws.arena};
  return SL_OK;
}

static sl_status take_table(sl__cli *cli, const sl__table *table, const sl__target *target,
                            bool *constrained, int64_t *rows, double **q) {
  if (table->names && table->columns > 0 && is_marked(table->names[0])) *constrained = false;
  wanted w = {target, *constrained, target->dim};
  if (*constrained) w.count = sl__target_count(target, SL__TARGET_PARAMETERS);
  *rows = table->rows;
  return take_points(cli, table, &w, q);
}

sl_status sl__cli_read_points(sl__cli *cli, const char *path, const sl__target *target,
                              bool *constrained, int64_t *rows, double **q) {
  sl__table table = {0};
  SL__TRY(sl__cli_is_stan_csv(cli, path) ? read_draws(cli, path, &table)
                                         : sl__cli_read_table(cli, path, &table));
  const sl_status status = take_table(cli, &table, target, constrained, rows, q);
  sl__table_close(&table);
  return status;
}

sl_status sl__cli_draws_to_points(sl__cli *cli, const sl__draws *draws, const sl__target *target,
                                  double **q) {
  const sl__table table = {.rows = draws->chains * draws->draws,
                           .columns = draws->columns,
                           .type = SL_F64,
                           .data = draws->values,
                           .names = draws->names};
  int64_t rows;
  bool constrained = true;
  return take_table(cli, &table, target, &constrained, &rows, q);
}
