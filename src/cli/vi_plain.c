/* Which options are the plain mode's, those that are of one objective or rule, and its draws of the
 * target. */
#include "cli/vi_plain.h"
#include <math.h>
#include <string.h>
#include "base/os.h"
#include "cli/draws.h"
#include "cli/points.h"

int sl__cli_vi_plain_alone(sl__cli *cli) {
  static const char *const plain[] = {"objective",
                                      "estimator",
                                      "alpha",
                                      "samples",
                                      "particles",
                                      "draws",
                                      "steps",
                                      "optimizer",
                                      "apply-momentum",
                                      "lr",
                                      "schedule",
                                      "warmup",
                                      "clip",
                                      "max-norm",
                                      "clip-by-median",
                                      "ema",
                                      "jitter",
                                      "anneal",
                                      "noise",
                                      "track",
                                      "stop-parameters",
                                      "stop-change",
                                      "stop-norm",
                                      "stop-every",
                                      "stop-elbo",
                                      "stop-iterates",
                                      "go-back",
                                      "precision",
                                      "apply-nesterov-momentum"};
  for (size_t k = 0; k < sizeof plain / sizeof *plain; k++)
    if (sl__cli_typed(cli, plain[k]))
      return sl__cli_refuse(cli, "--%s is for --mode plain; the robust mode sees to it itself",
                            plain[k]);
  return SL__EXIT_DONE;
}

/* What is of no use without the rule of --stop-parameters, or without PyMC3's changes. */
static int check_stopping(sl__cli *cli) {
  static const char *const rows[] = {"stop-change", "stop-norm", "stop-every"};
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
    if (sl__cli_typed(cli, rows[k]) && sl__cli_option(cli, "stop-parameters")->real <= 0)
      return sl__cli_refuse(cli, "--%s is for --stop-parameters X; give it, such as 0.001",
                            rows[k]);
  const char *change = sl__cli_option(cli, "stop-change")->text;
  if (sl__cli_typed(cli, "stop-norm") && strcmp(change, "windows") == 0)
    return sl__cli_refuse(cli, "--stop-norm is for --stop-change relative or absolute; leave it "
                               "out");
  return SL__EXIT_DONE;
}

double sl__cli_vi_plain_norm(sl__cli *cli) {
  const char *norm = sl__cli_option(cli, "stop-norm")->text;
  return strcmp(norm, "inf") == 0 ? (double)INFINITY : norm[0] - '0';
}

int sl__cli_vi_plain_check(sl__cli *cli) {
  static const char *const owned[][2] = {{"alpha", "renyi"}, {"draws", "draws"}};
  const char *objective = sl__cli_option(cli, "objective")->text;
  for (size_t k = 0; k < sizeof owned / sizeof *owned; k++)
    if (sl__cli_typed(cli, owned[k][0]) && strcmp(objective, owned[k][1]) != 0)
      return sl__cli_refuse(cli, "--%s is for --objective %s, not %s; leave it out", owned[k][0],
                            owned[k][1], objective);
  return check_stopping(cli);
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

/* Whether parameters on their own scale are other numbers than their coordinates: asked at a point,
 * as a constraint moves nearly all. */
static sl_status is_constrained(sl__cli *cli, const sl__target *target, bool *out) {
  const int32_t dim = target->dim;
  *out = sl__target_count(target, SL__TARGET_PARAMETERS) != dim;
  if (target->direct || *out) return SL_OK;
  double *q = sl__arena_take(&cli->arena, (size_t)dim, sizeof *q);
  double *parameters = sl__arena_take(&cli->arena, (size_t)dim, sizeof *parameters);
  if (!q || !parameters) return SL_NO_MEMORY;
  for (int32_t i = 0; i < dim; i++) q[i] = 0.7 + (double)i / dim;
  SL__TRY(sl__target_write(cli->context, target, SL__TARGET_PARAMETERS, 1, q, 0, 0, parameters));
  for (int32_t i = 0; i < dim; i++) *out |= !(fabs(parameters[i] - q[i]) < 1e-9);
  return SL_OK;
}

/* Without names nothing tells a parameter on its own scale, as `sluice nuts` writes it, from its
 * coordinate. */
static sl_status refuse_unnamed(sl__cli *cli, const sl__table *table, const sl__target *target) {
  const int32_t parameters = sl__target_count(target, SL__TARGET_PARAMETERS);
  return sl__fail(
      cli->context, SL_BAD_ARGUMENT,
      "%.200s: its %lld columns have no names, so that they may be parameters of %.60s "
      "(%d, and what is computed from them) or its coordinates (%d); give draws with "
      "names, .csv or .safetensors as `sluice nuts` writes them, or \"unconstrained(...)\""
      " before coordinates",
      cli->place, (long long)table->columns, target->title, (int)parameters, (int)target->dim);
}

/* Without a header they are coordinates, by position. */
static sl_status take_unnamed(sl__cli *cli, const sl__table *table, const sl__target *target,
                              double **q) {
  bool constrained;
  SL__TRY(is_constrained(cli, target, &constrained));
  if (constrained) return refuse_unnamed(cli, table, target);
  if (table->columns != target->dim)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%.200s: %lld columns without names for the %d coordinates of %.60s; give a "
                    "column for each, or names in a header",
                    cli->place, (long long)table->columns, (int)target->dim, target->title);
  if (table->type != SL_F64)
    return sl__fail(cli->context, SL_BAD_ARGUMENT, "%.200s: draws of float32; give them as float64",
                    cli->place);
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
