/* Tables for figures: rows of a density, whose columns of numbers are drawn, or the record of a
 * run, which its header tells. */
#include <string.h>
#include "cli/figures.h"

static bool has_column(const sl__table *table, const char *name) {
  for (int64_t c = 0; table->names && c < table->columns; c++)
    if (strcmp(table->names[c], name) == 0) return true;
  return false;
}

static const char *guess_kind(const sl__table *table) {
  if (has_column(table, "episode") && has_column(table, "return")) return "curves";
  if (table->names && strcmp(table->names[0], "step") == 0) return "track";
  return NULL;
}

/* Names of columns that have none: "x1". */
static sl_status name_columns(sl__cli *cli, int64_t columns, char **given, const char ***out) {
  const char **names = sl__arena_take(&cli->arena, (size_t)columns, sizeof *names);
  if (!names) return SL_NO_MEMORY;
  for (int64_t c = 0; c < columns; c++) {
    char made[32];
    snprintf(made, sizeof made, "x%lld", (long long)c + 1);
    const char *name = given ? given[c] : made;
    names[c] = sl__arena_text(&cli->arena, name, strlen(name));
    if (!names[c]) return SL_NO_MEMORY;
  }
  *out = names;
  return SL_OK;
}

/* Columns of numbers; no axis shows words. */
static sl_status list_numbers(sl__cli *cli, const sl__table *table, const char *const *names,
                              const char *title, int64_t *list, int64_t *count) {
  *count = 0;
  for (int64_t c = 0; c < table->columns; c++)
    if (table->words && table->words[c].count > 0)
      sl__cli_say(cli, "%s: column \"%s\" holds words, and is not drawn", title, names[c]);
    else
      list[(*count)++] = c;
  if (*count > 0) return SL_OK;
  return sl__fail(cli->context, SL_BAD_ARGUMENT, "%s: no column holds numbers; give one that does",
                  title);
}

static sl_status add_table(sl__cli *cli, sl__cli_figures *f, const sl__table *table,
                           const char *path) {
  sl__cli_rows *rows = NULL;
  const char **names;
  int64_t count, *list = sl__arena_take(&cli->arena, (size_t)table->columns, sizeof *list);
  if (!list) return SL_NO_MEMORY;
  SL__TRY(name_columns(cli, table->columns, table->names, &names));
  SL__TRY(list_numbers(cli, table, names, sl__cli_short_name(path), list, &count));
  double *values = sl__arena_take(&cli->arena, (size_t)table->rows, (size_t)count * sizeof *values);
  if (!values) return SL_NO_MEMORY;
  for (int64_t i = 0; i < count; i++) {
    names[i] = names[list[i]];
    for (int64_t r = 0; r < table->rows; r++)
      values[r * count + i] = sl__number_at(table->type, table->data, r * table->columns + list[i]);
  }
  SL__TRY(sl__cli_add_rows(cli, f, &rows));
  *rows = (sl__cli_rows){.title = sl__cli_short_name(path),
                         .rows = table->rows,
                         .columns = count,
                         .stride = count,
                         .values = values,
                         .names = names};
  return SL_OK;
}

sl_status sl__cli_figures_table(sl__cli *cli, sl__cli_figures *f, const char *path,
                                const char *wanted) {
  sl__table *table = NULL;
  SL__TRY(sl__cli_take_table(cli, f, &table));
  SL__TRY(sl__cli_read_table(cli, path, table));
  f->guess = guess_kind(table);
  const char *kind = wanted ? wanted : f->guess ? f->guess : "";
  f->plot.table = table;
  if (strcmp(kind, "curves") != 0 && strcmp(kind, "track") != 0)
    return add_table(cli, f, table, path);
  if (f->record)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%s and %s are records of a run, and a figure is of one; leave one out",
                    f->record, sl__cli_short_name(path));
  f->record = sl__cli_short_name(path);
  return SL_OK;
}
