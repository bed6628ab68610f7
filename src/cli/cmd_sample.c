/* sluice sample MODEL: rows drawn from a model, exactly, with their log densities if asked for. */
#include <string.h>

#include "api/handle.h"
#include "cli/cli.h"

static const sl__option_row options[] = {
    {"rows", SL__OPTION_INT, "1000", 1, 1e9, NULL, "how many rows"},
    {"output", SL__OPTION_TEXT, "-", 0, 0, NULL,
     "file to write, .csv or .npy; - is standard output"},
    {"format", SL__OPTION_CHOICE, NULL, 0, 0, "csv|npy", "format, whatever the file's name"},
    {"context", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "file of conditions: one row, or one for every row drawn (conditional models)"},
    {"context-value", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "instead, one condition for all rows, \"c=1, d=0.5\""},
    {"with-log-prob", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "add a last column, the model's log density of the row"},
    {"temperature", SL__OPTION_REAL, "1", 0, 1e6, NULL,
     "factor on the base noise: below 1 nearer to the modes"},
    {"upto", SL__OPTION_INT, NULL, 0, 1e6, NULL,
     "stop after K layers, counted from the noise (0 is the noise itself)"},
};

typedef struct drawing {
  sl_flow *flow;
  int64_t rows, dim, columns; /* the log density is the last column where wanted */
  bool with_log_prob, features; /* features: rows are not the data's, but on the way to them */
  double *values;        /* [rows][columns] */
  const char **names;    /* [columns] */
  sl__table conditions;
  sl_array_in condition;
} drawing;

static sl_status read_conditions(sl__cli *cli, drawing *d) {
  SL__TRY(sl__cli_conditions(cli, d->flow, &d->conditions, &d->condition));
  if (sl_flow_context_dim(d->flow) == 0) return SL_OK;
  if (d->condition.rows == 0)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "the model is conditional; give --context FILE with %d columns, or "
                    "--context-value %s=...", sl_flow_context_dim(d->flow),
                    sl_flow_context_name(d->flow, 0));
  if (d->condition.rows > 1 && !sl__cli_option(cli, "rows")->given) d->rows = d->condition.rows;
  return sl__cli_spread_conditions(cli, d->rows, &d->condition);
}

/* The column that number i of a row is, or comes from. */
static int32_t source(const drawing *d, int32_t i) {
  return d->features ? d->flow->model->map.source[i] : i;
}

static sl_status name_columns(sl__cli *cli, drawing *d) {
  d->names = sl__arena_take(&cli->arena, (size_t)d->columns, sizeof *d->names);
  if (!d->names) return SL_NO_MEMORY;
  for (int32_t i = 0; i < d->dim; i++) d->names[i] = sl_flow_column_name(d->flow, source(d, i));
  if (d->with_log_prob) d->names[d->columns - 1] = "log_prob";
  return SL_OK;
}

/* Temperature and --upto: the noise, scaled, through some layers; the log density is that of the
 * model. Angles, which come last, are uniform noise: no scale brings them nearer to a mode. */
static sl_status draw_by_parts(sl__cli *cli, drawing *d, int32_t layers, const sl_array_out *x,
                               const sl_array_out *log_prob) {
  double temperature = sl__cli_option(cli, "temperature")->real;
  int64_t features = sl_flow_features(d->flow);
  double *noise = sl__arena_take(&cli->arena, (size_t)d->rows, (size_t)features * sizeof *noise);
  if (!noise) return SL_NO_MEMORY;
  sl_array_out z = sl_out_f64(noise, d->rows, features);
  SL__TRY(sl_flow_noise(cli->context, d->flow, cli->seed, &z));
  int64_t scaled = features - d->flow->model->map.periodic;
  for (int64_t row = 0; row < d->rows; row++)
    for (int64_t i = 0; i < scaled; i++) noise[row * features + i] *= temperature;
  sl_array_in from = sl_in_f64(noise, d->rows, features);
  SL__TRY(sl_flow_map(cli->context, d->flow, SL_TO_DATA, layers, &from, &d->condition, x, NULL));
  if (!log_prob) return SL_OK;
  sl_array_in rows = {x->data, x->dtype, x->rows, x->columns, x->row_stride, x->column_stride};
  return sl_flow_log_prob(cli->context, d->flow, &rows, &d->condition, log_prob);
}

static sl_status draw(sl__cli *cli, drawing *d) {
  int32_t layers = (int32_t)sl__cli_option(cli, "upto")->integer, all = sl_flow_layers(d->flow);
  d->features = layers >= 0 && layers < all;
  d->dim = d->features ? sl_flow_features(d->flow) : sl_flow_dim(d->flow);
  SL__TRY(read_conditions(cli, d));
  d->columns = d->dim + d->with_log_prob;
  SL__TRY(name_columns(cli, d));
  d->values = sl__arena_take(&cli->arena, (size_t)d->rows, (size_t)d->columns * sizeof *d->values);
  if (!d->values) return SL_NO_MEMORY;
  SL__TRY(sl__cli_hire(cli));
  sl_array_out x = {d->values, SL_F64, d->rows, d->dim, d->columns, 1};
  sl_array_out last = {d->values + d->dim, SL_F64, d->rows, 1, d->columns, 1};
  const sl_array_out *log_prob = d->with_log_prob ? &last : NULL;
  if (layers >= 0 || sl__cli_option(cli, "temperature")->given)
    return draw_by_parts(cli, d, layers, &x, log_prob);
  return sl_flow_sample(cli->context, d->flow, cli->seed, &d->condition, &x, log_prob);
}

static int print_json(sl__cli *cli, const drawing *d, bool with_rows) {
  int64_t dim = d->dim;
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_integer(&json, "rows", d->rows);
  sl__json_open_array(&json, "columns");
  for (int64_t i = 0; i < dim; i++) sl__json_text(&json, NULL, d->names[i]);
  sl__json_close_array(&json);
  if (with_rows) sl__cli_json_rows(&json, "samples", d->rows, dim, d->columns, d->values);
  if (with_rows && d->with_log_prob) {
    sl__json_open_array(&json, "log_prob");
    for (int64_t row = 0; row < d->rows; row++)
      sl__json_real(&json, NULL, d->values[row * d->columns + dim]);
    sl__json_close_array(&json);
  }
  return sl__cli_json_close(cli, &text, &json);
}

static int run(sl__cli *cli) {
  const char *path = sl__cli_option(cli, "output")->text;
  bool to_json = cli->json && strcmp(path, "-") == 0;
  drawing d = {.rows = sl__cli_option(cli, "rows")->integer,
               .with_log_prob = sl__cli_option(cli, "with-log-prob")->integer != 0};
  if (d.with_log_prob && sl__cli_option(cli, "upto")->given)
    return sl__cli_refuse(cli, "--with-log-prob is of finished rows; leave it or --upto out");
  sl_status status =
      sl_flow_load(cli->context, sl__cli_about(cli, cli->arguments[0], NULL), &d.flow);
  if (status == SL_OK) status = draw(cli, &d);
  if (status == SL_OK && !to_json)
    status = sl__cli_write_table(cli, path, sl_flow_dtype(d.flow), d.rows, d.columns, d.values,
                                 d.names);
  int code = SL__EXIT_DONE;
  if (status != SL_OK)
    code = sl__cli_fail(cli, status);
  else if (cli->json)
    code = print_json(cli, &d, to_json);
  sl__table_close(&d.conditions);
  sl_flow_free(d.flow);
  return code;
}

const sl__command sl__command_sample = {
    .name = "sample",
    .arguments = "MODEL",
    .summary = "draw rows from a model",
    .examples = "  sluice sample m.safetensors -n 1000 > rows.csv\n"
                "  sluice sample m.safetensors -n 1000 --with-log-prob --seed 7 -o rows.npy\n"
                "  sluice sample m.safetensors -n 1000 --context-value 'age=40, dose=0.5'\n",
    .minimum = 1,
    .maximum = 1,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
