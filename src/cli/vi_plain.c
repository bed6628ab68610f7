/* The plain mode's options that are of one objective, and its draws of the target. */
#include "cli/vi_plain.h"
#include <string.h>
#include "base/os.h"
#include "cli/draws.h"
#include "cli/points.h"

int sl__cli_vi_plain_check(sl__cli *cli) {
  static const char *const owned[][2] = {{"alpha", "renyi"}, {"draws", "draws"}};
  const char *objective = sl__cli_option(cli, "objective")->text;
  for (size_t k = 0; k < sizeof owned / sizeof *owned; k++)
    if (sl__cli_typed(cli, owned[k][0]) && strcmp(objective, owned[k][1]) != 0)
      return sl__cli_refuse(cli, "--%s is for --objective %s, not %s; leave it out", owned[k][0],
                            owned[k][1], objective);
  return SL__EXIT_DONE;
}

/* Files that say what their columns are and which rows are of which chain. */
static sl_status read_chains(sl__cli *cli, const char *path, const sl__target *target,
                             int64_t *rows, double **q) {
  sl__cli_draws of;
  sl_status status = sl__cli_read_draws(cli, 1, &path, &of);
  *rows = of.draws.chains * of.draws.draws;
  if (status == SL_OK) status = sl__cli_draws_to_points(cli, &of.draws, target, q);
  if (of.name) sl__draws_close(&of.draws);
  return status;
}

static sl_status refuse_words(sl__cli *cli, const sl__table *table) {
  for (int64_t c = 0; table->words && c < table->columns; c++)
    if (table->words[c].count > 0)
      return sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "%.200s: column %lld holds words; leave it out", cli->place,
                      (long long)c + 1);
  return SL_OK;
}

/* A header tells parameters by their names. */
static sl_status take_named(sl__cli *cli, sl__table *table, const sl__target *target, double **q) {
  SL__TRY(refuse_words(cli, table));
  sl__draws draws = {.chains = 1,
                     .draws = table->rows,
                     .columns = table->columns,
                     .values = table->data,
                     .names = table->names,
                     .arena = table->arena};
  const sl_status status = sl__draws_adopt_columns(&draws, false);
  table->arena = draws.arena;
  return status == SL_OK ? sl__cli_draws_to_points(cli, &draws, target, q) : status;
}

/* Without a header they are coordinates, by position. */
static sl_status take_unnamed(sl__cli *cli, const sl__table *table, const sl__target *target,
                              double **q) {
  if (table->type != SL_F64 || table->columns != target->dim)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%s: %lld columns for %d coordinates; give float64 draws on the unconstrained "
                    "scale",
                    cli->place, (long long)table->columns, (int)target->dim);
  const size_t size = (size_t)table->columns * sizeof **q;
  *q = sl__arena_take(&cli->arena, (size_t)table->rows, size);
  if (!*q) return SL_NO_MEMORY;
  memcpy(*q, table->data, (size_t)table->rows * size);
  return SL_OK;
}

static sl_status read_rows(sl__cli *cli, const char *path, const sl__target *target, int64_t *rows,
                           double **q) {
  sl__table table;
  SL__TRY(sl__cli_read_table(cli, path, &table));
  *rows = table.rows;
  const sl_status status =
      table.names ? take_named(cli, &table, target, q) : take_unnamed(cli, &table, target, q);
  sl__table_close(&table);
  return status;
}

sl_status sl__cli_vi_plain_draws(sl__cli *cli, const sl__target *target, int64_t *rows,
                                 double **q) {
  const char *path = sl__cli_option(cli, "draws")->text;
  *rows = 0;
  *q = NULL;
  if (!path) return SL_OK;
  const bool of_chains =
      strstr(path, "%d") || sl__has_ending(path, ".safetensors") || sl__cli_is_stan_csv(cli, path);
  SL__TRY(of_chains ? read_chains(cli, path, target, rows, q)
                    : read_rows(cli, path, target, rows, q));
  cli->place = NULL;
  return SL_OK;
}
