/* Rows beside a model, --data, in the columns of its flow. Those of a fit to a target are on the
 * target's own scale, and are taken to the flow's. */
#include <string.h>
#include "cli/figures.h"
#include "cli/points.h"

static sl_status copy_numbers(sl__cli *cli, const sl_array_in *from, double **out) {
  *out = sl__arena_take(&cli->arena, (size_t)from->rows, (size_t)from->columns * sizeof **out);
  if (!*out) return SL_NO_MEMORY;
  for (int64_t r = 0; r < from->rows; r++)
    for (int64_t c = 0; c < from->columns; c++)
      (*out)[r * from->columns + c] =
          sl__number_at(from->dtype, from->data, r * from->row_stride + c * from->column_stride);
  return SL_OK;
}

/* A sampler's file may write "theta.1" where the model knows "theta[1]", or the other way round. */
static sl_status rename_as_model(const sl_flow *flow, sl__table *table) {
  for (int64_t c = 0; c < table->columns; c++)
    for (int32_t i = 0; i < sl_flow_dim(flow); i++) {
      const char *name = sl_flow_column_name(flow, i);
      if (!sl__cli_same_name(table->names[c], name)) continue;
      table->names[c] = sl__arena_text(&table->arena, name, strlen(name));
      if (!table->names[c]) return SL_NO_MEMORY;
    }
  return SL_OK;
}

static sl_status read_rows(sl__cli *cli, const sl_flow *flow, const char *path, sl__table *table) {
  if (!sl__cli_are_draws(cli, path)) return sl__cli_read_table(cli, path, table);
  sl__cli_draws d;
  const sl_status status = sl__cli_read_draws(cli, 1, &path, &d);
  *table = (sl__table){.rows = d.draws.chains * d.draws.draws,
                       .columns = d.draws.columns,
                       .type = SL_F64,
                       .data = d.draws.values,
                       .names = d.draws.names,
                       .arena = d.draws.arena};
  return status == SL_OK ? rename_as_model(flow, table) : status;
}

/* Of a model of data. */
static sl_status read_columns(sl__cli *cli, sl__cli_figures *f, const char *path,
                              bool with_conditions) {
  sl__table *table = NULL;
  sl__selection chosen;
  double *values;
  SL__TRY(sl__cli_take_table(cli, f, &table));
  SL__TRY(read_rows(cli, f->flow, path, table));
  SL__TRY(sl__cli_select_for(cli, f->flow, table, with_conditions, &chosen));
  SL__TRY(copy_numbers(cli, &chosen.x, &values));
  f->data.rows = chosen.x.rows;
  f->data.values = values;
  f->plot.data_condition = chosen.condition;
  return SL_OK;
}

/* Of a fit to a target. Draws are shown on the target's scale, if that is what is drawn. */
static sl_status read_points(sl__cli *cli, sl__cli_figures *f, const char *path) {
  double *q;
  if (sl__cli_are_draws(cli, path)) {
    const sl__draws *draws;
    SL__TRY(f->mapped ? sl__cli_figures_draws(cli, f, path, &draws)
                      : sl__cli_open_draws(cli, f, path, &draws));
    f->data.rows = draws->chains * draws->draws;
    SL__TRY(sl__cli_draws_to_points(cli, draws, f->target, &q));
  } else {
    bool constrained = f->mapped;
    SL__TRY(sl__cli_read_points(cli, path, f->target, &constrained, &f->data.rows, &q));
  }
  f->data.values = q;
  return SL_OK;
}

sl_status sl__cli_figures_data(sl__cli *cli, sl__cli_figures *f, const char *path,
                               const char *wanted) {
  const int32_t dim = sl_flow_dim(f->flow);
  const bool pit = wanted && strcmp(wanted, "pit") == 0;
  const char **names = sl__arena_take(&cli->arena, (size_t)dim, sizeof *names);
  if (!names) return SL_NO_MEMORY;
  for (int32_t i = 0; i < dim; i++) names[i] = sl_flow_column_name(f->flow, i);
  f->data = (sl__plot_set){.title = sl__cli_short_name(path), .columns = dim, .names = names};
  const bool of_target = f->target && f->target->dim == dim;
  SL__TRY(of_target ? read_points(cli, f, path) : read_columns(cli, f, path, pit));
  if (f->mapped) return SL_OK;
  sl__cli_rows *rows = NULL;
  SL__TRY(sl__cli_add_rows(cli, f, &rows));
  *rows = (sl__cli_rows){.title = f->data.title,
                         .rows = f->data.rows,
                         .columns = dim,
                         .stride = dim,
                         .values = f->data.values,
                         .names = names};
  return SL_OK;
}
