/* Reading what figures are drawn of. A file is what it says it is: a model by its metadata, draws by a
 * sampler's columns, a record of a run by its header, a target by its extension; else it is a table
 * of rows. */
#include "cli/figures.h"
#include <string.h>
#include "cli/fit_target.h"
#include "cli/target_options.h"

static bool is_target_file(const char *path) {
  return sl__has_ending(path, ".stan") || sl__has_ending(path, ".so");
}

/* The name without its folders, for keys and titles. */
const char *sl__cli_short_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static sl_status check_room(sl__cli *cli, int count, const char *what) {
  if (count < SL__CLI_MOST_SETS) return SL_OK;
  return sl__fail(cli->context, SL_BAD_ARGUMENT, "more than %d %s one figure; leave some out",
                  SL__CLI_MOST_SETS, what);
}

sl_status sl__cli_add_rows(sl__cli *cli, sl__cli_figures *f, sl__cli_rows **out) {
  SL__TRY(check_room(cli, f->count, "files are not told apart in"));
  *out = &f->rows[f->count++];
  return SL_OK;
}

sl_status sl__cli_take_table(sl__cli *cli, sl__cli_figures *f, sl__table **out) {
  SL__TRY(check_room(cli, f->table_count, "tables do not go into"));
  *out = &f->tables[f->table_count++];
  return SL_OK;
}

/* ---- draws of chains ---- */

sl_status sl__cli_open_draws(sl__cli *cli, sl__cli_figures *f, const char *path,
                             const sl__draws **out) {
  SL__TRY(check_room(cli, f->draws_count, "files of draws do not go into"));
  sl__cli_draws *d = &f->draws[f->draws_count++];
  *out = &d->draws;
  return sl__cli_read_draws(cli, 1, &path, d);
}

sl_status sl__cli_figures_draws(sl__cli *cli, sl__cli_figures *f, const char *path,
                                const sl__draws **out) {
  sl__cli_rows *rows = NULL;
  const sl__draws *draws = NULL;
  SL__TRY(sl__cli_add_rows(cli, f, &rows));
  SL__TRY(sl__cli_open_draws(cli, f, path, &draws));
  *out = draws;
  *rows = (sl__cli_rows){.title = sl__cli_short_name(path),
                         .rows = draws->chains * draws->draws,
                         .columns = draws->parameters,
                         .stride = draws->columns,
                         .chains = draws->chains,
                         .trajectories = sl__draws_trajectories(draws),
                         .values = draws->values,
                         .names = (const char **)draws->names};
  const int64_t column = sl__draws_column(draws, "energy__");
  if (column < 0) return SL_OK;
  double *energy = sl__arena_take(&cli->arena, (size_t)rows->rows, sizeof *energy);
  if (!energy) return SL_NO_MEMORY;
  for (int64_t r = 0; r < rows->rows; r++) energy[r] = draws->values[r * draws->columns + column];
  rows->energy = energy;
  return SL_OK;
}

/* Other names than these may be those of pipes, which can be read only once. */
bool sl__cli_are_draws(sl__cli *cli, const char *path) {
  char *bytes;
  size_t length;
  if (strstr(path, "%d")) return true;
  if (!sl__has_ending(path, ".csv")) return false;
  if (sl__os_read_file(cli->context, path, &bytes, &length) != SL_OK) return false;
  const bool are = sl__is_stan_csv(bytes, length);
  sl__free(&cli->context->allocator, bytes);
  return are;
}

/* ---- models ---- */

static sl_status is_model(sl__cli *cli, const char *path, bool *out) {
  sl__tensor_file file;
  SL__TRY(sl__tensors_read(cli->context, sl__cli_about(cli, path, NULL), &file));
  *out = sl__tensors_meta(&file, "formula") != NULL;
  sl__tensors_close(&file);
  return SL_OK;
}

/* The condition that figures of a conditional model are for. */
static sl_status read_condition(sl__cli *cli, sl__cli_figures *f, const sl_flow *flow,
                                const char *wanted, sl_array_in *out) {
  *out = (sl_array_in){0};
  if (sl_flow_context_dim(flow) == 0) return SL_OK;
  sl__table *table = NULL;
  SL__TRY(sl__cli_take_table(cli, f, &table));
  SL__TRY(sl__cli_conditions(cli, flow, table, out));
  if (out->rows == 1) return SL_OK;
  if (wanted && (strcmp(wanted, "loss") == 0 || strcmp(wanted, "pit") == 0)) return SL_OK;
  const char *first = sl_flow_context_name(flow, 0);
  return sl__fail(
      cli->context, SL_BAD_ARGUMENT,
      "the model has conditions, and a figure is of one; add --context-value \"%.*s=...\"",
      (int)sl__cli_source_length(first), first);
}

/* The flow's own columns, or the parameters of the model that it was fitted to. */
static sl_status draw_samples(sl__cli *cli, const sl_flow *flow, const sl_array_in *condition,
                              const sl__target *target, bool mapped, sl__cli_rows *rows) {
  const int64_t count = SL__CLI_FIGURE_SAMPLES;
  const int32_t dim = sl_flow_dim(flow);
  const int32_t width = mapped ? sl__target_width(target, SL__TARGET_TRANSFORMED) : dim;
  double *x = sl__arena_take(&cli->arena, (size_t)count, (size_t)dim * sizeof *x);
  double *values = x;
  if (mapped) values = sl__arena_take(&cli->arena, (size_t)count, (size_t)width * sizeof *values);
  const char **names = sl__arena_take(&cli->arena, (size_t)width, sizeof *names);
  if (!x || !values || !names) return SL_NO_MEMORY;
  sl_array_in given = *condition;
  SL__TRY(sl__cli_hire(cli));
  if (given.rows > 0) SL__TRY(sl__cli_spread_conditions(cli, count, &given));
  const sl_array_out out = sl_out_f64(x, count, dim);
  SL__TRY(
      sl_flow_sample(cli->context, flow, cli->seed, given.rows > 0 ? &given : NULL, &out, NULL));
  if (mapped) {
    SL__TRY(sl__target_write(cli->context, target, SL__TARGET_TRANSFORMED, count, x, cli->seed, 0,
                             values));
    SL__TRY(sl__cli_part_names(&cli->arena, target, SL__TARGET_TRANSFORMED, names));
    for (int32_t i = 0; i < width; i++) { /* as draws from a file are named */
      names[i] = sl__draws_name(&cli->arena, names[i], names[i] + strlen(names[i]));
      if (!names[i]) return SL_NO_MEMORY;
    }
  }
  for (int32_t i = 0; !mapped && i < dim; i++) {
    const char *name = sl_flow_column_name(flow, i);
    names[i] = sl__arena_text(&cli->arena, name, strlen(name));
    if (!names[i]) return SL_NO_MEMORY;
  }
  *rows = (sl__cli_rows){.title = rows->title,
                         .rows = count,
                         .columns = width,
                         .stride = width,
                         .values = values,
                         .names = names};
  return SL_OK;
}

/* A fit's file may hold its target; where it only names it, the figure is of the flow's own
 * coordinates. */
static sl_status recall_target(sl__cli *cli, const sl_flow *flow, sl__target **out) {
  const char *origin = flow->model->target;
  *out = NULL;
  if (!origin) return SL_OK;
  const sl_status status = sl__target_recall(cli->context, origin, out);
  return status == SL_UNSUPPORTED ? SL_OK : status;
}

static sl_status sample_model(sl__cli *cli, sl__cli_figures *f, const char *path, sl_flow *flow,
                              sl__target *target, const char *wanted) {
  sl__cli_rows *rows = NULL;
  sl_array_in condition;
  SL__TRY(read_condition(cli, f, flow, wanted, &condition));
  if (flow == f->flow) f->plot.condition = condition;
  if (sl_flow_context_dim(flow) > 0 && condition.rows != 1) return SL_OK;
  const bool mapped = sl__cli_is_mapped(cli, target);
  if (flow == f->flow) f->mapped = mapped;
  SL__TRY(sl__cli_add_rows(cli, f, &rows));
  rows->title = sl__cli_short_name(path);
  return draw_samples(cli, flow, &condition, target, mapped, rows);
}

/* The first argument's model stays open; of others only samples are kept. */
static sl_status read_model(sl__cli *cli, sl__cli_figures *f, const char *path, bool first,
                            const char *wanted) {
  sl_flow *flow;
  sl__target *target;
  SL__TRY(sl_flow_load(cli->context, sl__cli_about(cli, path, NULL), &flow));
  sl_status status = recall_target(cli, flow, &target);
  if (first) {
    f->flow = flow;
    f->target = target;
  }
  if (status == SL_OK) status = sample_model(cli, f, path, flow, target, wanted);
  if (!first) {
    sl__target_free(target);
    sl_flow_free(flow);
  }
  return status;
}

/* ---- all of them ---- */

static sl_status read_argument(sl__cli *cli, sl__cli_figures *f, int i, const char *wanted) {
  const char *path = cli->arguments[i];
  const bool chains = wanted && (strcmp(wanted, "trace") == 0 || strcmp(wanted, "rank") == 0 ||
                                 strcmp(wanted, "energy") == 0);
  const sl__draws *draws = NULL;
  bool model = false;
  if (is_target_file(path)) {
    if (i == (f->flow ? 1 : 0)) return SL_OK; /* read with its options */
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%s: a target stands alone, or right after the model that was fitted to it; "
                    "leave it out or move it there",
                    path);
  }
  if (sl__has_ending(path, ".safetensors")) SL__TRY(is_model(cli, path, &model));
  if (model) return read_model(cli, f, path, i == 0, wanted);
  return chains || sl__has_ending(path, ".safetensors") || sl__cli_are_draws(cli, path)
             ? sl__cli_figures_draws(cli, f, path, &draws)
             : sl__cli_figures_table(cli, f, path, wanted);
}

/* A target by its own file or by options; it replaces the one that a model's file holds. */
static sl_status read_target(sl__cli *cli, sl__cli_figures *f) {
  const int before = f->flow ? 1 : 0;
  const bool file = cli->argument_count > before && is_target_file(cli->arguments[before]);
  if (!file && !sl__cli_option(cli, "target")->text && !sl__cli_option(cli, "density")->text)
    return SL_OK;
  if (!f->flow && cli->argument_count > file)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "a target is drawn by itself or with a model; leave the other files out");
  sl__cli own = *cli; /* whose arguments are the target's alone */
  own.arguments += before;
  own.argument_count = file ? 1 : 0;
  sl__target_free(f->target);
  f->target = NULL;
  const sl_status status = sl__cli_open_target(&own, &f->target);
  cli->place = own.place;
  cli->source = own.source;
  return status;
}

sl_status sl__cli_figures_read(sl__cli *cli, const char *wanted, sl__cli_figures *f) {
  *f = (sl__cli_figures){.plot = {.context = cli->context, .seed = cli->seed}};
  const char *data = sl__cli_option(cli, "data")->text;
  for (int i = 0; i < cli->argument_count; i++) SL__TRY(read_argument(cli, f, i, wanted));
  SL__TRY(read_target(cli, f));
  if (data && f->flow && !(cli->argument_count > 1 && is_target_file(cli->arguments[1])))
    SL__TRY(sl__cli_figures_data(cli, f, data, wanted));
  else if (data && !f->target)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--data is of rows beside a model, or of a Stan program; there is neither");
  if (f->record && (f->flow || f->target || f->count > 0))
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%s is the record of a run, which is drawn by itself; leave the others out, or "
                    "draw its rows by --kind density",
                    f->record);
  f->plot.flow = f->flow;
  f->plot.target = f->target;
  f->plot.subject = cli->argument_count > 0                ? sl__cli_short_name(cli->arguments[0])
                    : sl__cli_option(cli, "density")->text ? sl__cli_option(cli, "density")->text
                    : f->target                            ? f->target->title
                                                           : NULL;
  if (f->data.rows > 0) f->plot.data = &f->data;
  if (f->count > 0 || f->target || f->plot.table || f->flow) return SL_OK;
  return sl__fail(cli->context, SL_BAD_ARGUMENT,
                  "there is nothing to draw; give a model, draws, a table, or --target NAME");
}

void sl__cli_figures_close(sl__cli_figures *f) {
  for (int t = 0; t < SL__CLI_MOST_SETS; t++) sl__table_close(&f->tables[t]);
  for (int d = 0; d < f->draws_count; d++) sl__draws_close(&f->draws[d].draws);
  sl__target_free(f->target);
  sl_flow_free(f->flow);
}
