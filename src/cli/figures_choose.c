/* Which columns a figure is of, which kind shows them best, and whether a flow's density can be drawn
 * itself or only its samples. */
#include <string.h>
#include "cli/figures.h"
#include "cli/points.h"

enum { MOST_SHOWN = 6 };

/* ---- columns ---- */

static int64_t find_name(const sl__cli_rows *rows, const char *name) {
  for (int64_t c = 0; c < rows->columns; c++)
    if (sl__cli_same_name(rows->names[c], name)) return c;
  return -1;
}

/* --columns into chosen; a refusal points into it. */
static sl_status read_columns(sl__cli *cli, const sl__cli_rows *rows, const char *text,
                              int64_t *chosen, int64_t *count) {
  const char *place = cli->place;
  sl__cli_about(cli, "--columns", text);
  SL__TRY(sl__column_list_read(cli->context, text, rows->columns, rows->names, sl__cli_same_name,
                               chosen, count));
  cli->place = place;
  cli->source = NULL;
  return SL_OK;
}

/* The same column of another set: by name, or by place where both have as many. */
static sl_status find_column(sl__cli *cli, const sl__cli_rows *first, const sl__cli_rows *other,
                             int64_t column, int64_t *out) {
  *out = find_name(other, first->names[column]);
  if (*out >= 0) return SL_OK;
  *out = column;
  if (first->columns == other->columns) return SL_OK;
  return sl__fail(cli->context, SL_BAD_ARGUMENT,
                  "%s has no column \"%.100s\" of %s; give files of the same columns, or choose "
                  "those that both have by --columns",
                  other->title, first->names[column], first->title);
}

static sl_status take_columns(sl__cli *cli, const sl__cli_rows *first, const sl__cli_rows *rows,
                              int64_t count, const int64_t *chosen, sl__plot_set *out) {
  double *values = sl__arena_take(&cli->arena, (size_t)rows->rows, (size_t)count * sizeof *values);
  const char **names = sl__arena_take(&cli->arena, (size_t)count, sizeof *names);
  if (!values || !names) return SL_NO_MEMORY;
  for (int64_t c = 0; c < count; c++) {
    int64_t from;
    SL__TRY(find_column(cli, first, rows, chosen[c], &from));
    names[c] = first->names[chosen[c]];
    for (int64_t r = 0; r < rows->rows; r++)
      values[r * count + c] = rows->values[r * rows->stride + from];
  }
  *out = (sl__plot_set){.title = rows->title,
                        .rows = rows->rows,
                        .columns = (int32_t)count,
                        .values = values,
                        .names = names,
                        .chains = rows->chains,
                        .energy = rows->energy,
                        .trajectories = rows->trajectories};
  return SL_OK;
}

sl_status sl__cli_figures_choose(sl__cli *cli, sl__cli_figures *f) {
  const char *text = sl__cli_option(cli, "columns")->text;
  const sl__cli_rows *first = &f->rows[0];
  if (f->count == 0 && text)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--columns chooses columns of rows or draws, and there are none; leave it out");
  if (f->count == 0) return SL_OK;
  int64_t *chosen = sl__arena_take(&cli->arena, (size_t)first->columns, sizeof *chosen);
  int64_t count = first->columns;
  if (!chosen) return SL_NO_MEMORY;
  for (int64_t c = 0; c < count; c++) chosen[c] = c;
  if (text) {
    SL__TRY(read_columns(cli, first, text, chosen, &count));
  } else if (count > MOST_SHOWN) {
    sl__cli_say(cli, "%s has %lld columns, of which the first %d are drawn; --columns chooses",
                first->title, (long long)count, MOST_SHOWN);
    count = MOST_SHOWN;
  }
  for (int s = 0; s < f->count; s++)
    SL__TRY(take_columns(cli, first, &f->rows[s], count, chosen, &f->sets[s]));
  f->plot.sets = f->sets;
  f->plot.set_count = f->count;
  return SL_OK;
}

/* ---- kinds ---- */

const char *sl__cli_figures_kind(const sl__cli_figures *f) {
  if (f->guess && f->count == 0) return f->guess;
  if (f->count == 0) return f->flow ? "loss" : "density";
  return f->sets[0].columns > 2 ? "corner" : "density";
}

/* Whether a grid in the plane or on the line shows the flow's own density: it has no others'
 * columns, no masses of integers, no shares that sum to 1, and is on the scale of the samples. */
static bool shows_flow(const sl__cli_figures *f) {
  const sl__columns *map = &f->flow->model->map;
  const int32_t dim = sl_flow_dim(f->flow);
  if (f->mapped || f->count == 0 || f->sets[0].columns != dim) return false;
  if (sl_flow_features(f->flow) != dim) return false;
  for (int32_t i = 0; i < dim; i++)
    if (map->type[i].integer || strcmp(f->sets[0].names[i], sl_flow_column_name(f->flow, i)) != 0)
      return false;
  return f->count == 1 || (f->count == 2 && f->data.rows > 0);
}

void sl__cli_figures_fit(const sl__cli_figures *f, const sl__plot_kind *kind, sl__plot *plot) {
  if (strcmp(kind->name, "density") != 0 || !f->flow) return;
  plot->target = NULL;
  if (shows_flow(f)) return;
  plot->flow = NULL;
  plot->data = NULL;
}
