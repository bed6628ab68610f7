/* sluice sample MODEL: rows drawn from a model, exactly, with their log densities if asked for. */
#include <math.h>
#include <string.h>

#include "api/handle.h"
#include "cli/sample.h"

static const sl__option_row options[] = {
    {"rows", SL__OPTION_INT, "1000", 1, 1e9, NULL, "how many rows"},
    {"output", SL__OPTION_TEXT, "-", 0, 0, NULL,
     "file to write, .csv or .npy; - is standard output"},
    {"format", SL__OPTION_CHOICE, NULL, 0, 0, "csv|npy", "format, whatever the file's name"},
    {"context", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "file of conditions: one row, or one for every row drawn (conditional models)"},
    {"context-value", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "instead, one condition for all rows, \"dose=0.5, species=setosa\""},
    {"with-log-prob", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "add a last column, the model's log density of the row"},
    {"temperature", SL__OPTION_REAL, "1", 0, 1e6, NULL,
     "factor on the base noise: below 1 nearer to the modes"},
    {"upto", SL__OPTION_INT, NULL, 0, 1e6, NULL,
     "stop after K layers, counted from the noise (0 is the noise itself)"},
    {"resample", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "of a fit to a model: take rows by their Pareto-smoothed importance weights"},
    {"proposals", SL__OPTION_INT, NULL, 10, 1e9, NULL,
     "rows drawn for --resample to take from; ten times as many as wanted, 10,000 at least"},
    {"distinct", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "take no row twice; nearer to the flow than to the model where rows are many"},
};

/* Says what would do, for all conditions: 'dose=..., species=setosa'. */
static sl_status ask_for_conditions(sl__cli *cli, const sl_flow *flow) {
  sl__text text;
  sl__text_open(&text, cli->context);
  const char *before = NULL, *quote = "";
  for (int32_t i = 0; i < sl_flow_context_dim(flow); i++) {
    const char *name = sl_flow_context_name(flow, i);
    const size_t length = sl__cli_source_length(name);
    /* One of the labels of a column is enough. */
    const bool again =
        before && sl__cli_source_length(before) == length && strncmp(before, name, length) == 0;
    if (before && !again) quote = "'";
    if (!again)
      sl__text_add(&text, "%s%s%s", before ? ", " : "", name, sl__cli_label_of(name) ? "" : "=...");
    before = name;
  }
  sl_status status = text.failed
                         ? SL_NO_MEMORY
                         : sl__fail(cli->context, SL_BAD_ARGUMENT,
                                    "the model is conditional; give --context FILE with its "
                                    "conditions, or --context-value %s%.300s%s",
                                    quote, text.data, quote);
  sl__text_close(&text);
  return status;
}

static sl_status read_conditions(sl__cli *cli, sl__drawing *d) {
  SL__TRY(sl__cli_conditions(cli, d->flow, &d->conditions, &d->condition));
  if (sl_flow_context_dim(d->flow) == 0) return SL_OK;
  if (d->condition.rows == 0) return ask_for_conditions(cli, d->flow);
  if (d->condition.rows > 1 && !sl__cli_option(cli, "rows")->given) d->rows = d->condition.rows;
  SL__TRY(sl__cli_check_conditions(cli, d->flow, &d->condition));
  return sl__cli_spread_conditions(cli, d->rows, &d->condition);
}

/* Features of typed columns are no columns: they have other values and another order. */
static sl_status name_columns(sl__cli *cli, sl__drawing *d) {
  d->names = sl__arena_take(&cli->arena, (size_t)d->columns, sizeof *d->names);
  if (!d->names) return SL_NO_MEMORY;
  for (int32_t i = 0; i < d->dim; i++) {
    char name[32];
    const int length = snprintf(name, sizeof name, "feature%d", i + 1);
    d->names[i] = d->features && d->flow->model->map.mapped
                      ? sl__arena_text(&cli->arena, name, (size_t)length)
                      : sl__cli_coordinate_name(&cli->arena, d->flow, d->target, i);
    if (!d->names[i]) return SL_NO_MEMORY;
  }
  if (d->with_log_prob) d->names[d->dim] = "log_prob";
  return SL_OK;
}

/* A factor on the noise moves rows towards the modes where the noise has its one mode at 0. */
static sl_status check_temperature(const sl__cli *cli, const sl__flow *flow) {
  static const char *const bases[] = {"normal", "student", "laplace", "logistic"};
  if (sl__cli_option(cli, "temperature")->real == 1) return SL_OK;
  if (flow->periodic > 0)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--temperature has no meaning for periodic columns, whose noise is uniform; "
                    "leave it out");
  for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
    if (strcmp(flow->base.kind->name, bases[i]) == 0) return SL_OK;
  return sl__fail(cli->context, SL_BAD_ARGUMENT,
                  "--temperature has no meaning for the base density %.60s, whose one mode is not "
                  "at 0; leave it out",
                  flow->base.text);
}

/* Temperature and --upto: the noise, scaled, through some layers; the log density is that of the
 * model. */
static sl_status draw_by_parts(sl__cli *cli, sl__drawing *d, int32_t layers, const sl_array_out *x,
                               const sl_array_out *log_prob) {
  double temperature = sl__cli_option(cli, "temperature")->real;
  int64_t features = sl_flow_features(d->flow);
  double *noise = sl__arena_take(&cli->arena, (size_t)d->rows, (size_t)features * sizeof *noise);
  if (!noise) return SL_NO_MEMORY;
  sl_array_out z = sl_out_f64(noise, d->rows, features);
  SL__TRY(sl_flow_noise(cli->context, d->flow, cli->seed, &z));
  for (int64_t i = 0; i < d->rows * features && temperature != 1; i++) noise[i] *= temperature;
  sl_array_in from = sl_in_f64(noise, d->rows, features);
  SL__TRY(sl_flow_map(cli->context, d->flow, SL_TO_DATA, layers, &from, &d->condition, x, NULL));
  if (!log_prob) return SL_OK;
  sl_array_in rows = {x->data, x->dtype, x->rows, x->columns, x->row_stride, x->column_stride};
  return sl_flow_log_prob(cli->context, d->flow, &rows, &d->condition, log_prob);
}

/* d->rows rows of the flow, with their log densities where anybody needs them. */
static sl_status draw_flow(sl__cli *cli, sl__drawing *d, int32_t layers) {
  d->values = sl__arena_take(&cli->arena, (size_t)d->rows, (size_t)d->columns * sizeof *d->values);
  if (!d->values) return SL_NO_MEMORY;
  SL__TRY(sl__cli_hire(cli));
  sl_array_out x = {d->values, SL_F64, d->rows, d->dim, d->columns, 1};
  sl_array_out last = {d->values + d->dim, SL_F64, d->rows, 1, d->columns, 1};
  const sl_array_out *log_prob = d->columns > d->dim ? &last : NULL;
  if (layers >= 0 || sl__cli_option(cli, "temperature")->given)
    return draw_by_parts(cli, d, layers, &x, log_prob);
  return sl_flow_sample(cli->context, d->flow, cli->seed, &d->condition, &x, log_prob);
}

static sl_status draw(sl__cli *cli, sl__drawing *d) {
  const int32_t layers = (int32_t)sl__cli_option(cli, "upto")->integer;
  if (layers > sl_flow_layers(d->flow))
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--upto %d: the flow has %d layers; leave it out for all", (int)layers,
                    (int)sl_flow_layers(d->flow));
  d->features = layers >= 0 && layers < sl_flow_layers(d->flow);
  d->mapped = !d->features && sl__cli_is_mapped(cli, d->target);
  d->dim = d->features ? sl_flow_features(d->flow) : sl_flow_dim(d->flow);
  SL__TRY(check_temperature(cli, d->flow->model->flow));
  SL__TRY(read_conditions(cli, d));
  const int64_t wanted = d->rows;
  int64_t proposals = wanted;
  if (d->resample) SL__TRY(sl__sample_proposals(cli, d, &proposals));
  d->rows = proposals;
  d->columns = d->dim + (d->with_log_prob || d->resample);
  SL__TRY(draw_flow(cli, d, layers));
  if (d->resample) SL__TRY(sl__sample_choose(cli, d, wanted));
  if (d->mapped) return sl__sample_map(cli, d);
  return name_columns(cli, d);
}

/* Rows with a number that float32 or float64 cannot hold are reported, never passed over. */
static int64_t count_lost_rows(const sl__drawing *d, int64_t *first) {
  int64_t lost = 0;
  for (int64_t row = 0; row < d->rows; row++) {
    bool finite = true;
    for (int64_t i = 0; i < d->columns; i++) finite &= isfinite(d->values[row * d->columns + i]);
    if (!finite && lost++ == 0) *first = row;
  }
  return lost;
}

/* How many rows of a flow of data are none; a Stan program's quantities may well be NaN. */
static int64_t say_lost_rows(const sl__cli *cli, const sl__drawing *d) {
  int64_t first = 0, lost = count_lost_rows(d, &first);
  if (lost > 0 && d->mapped)
    sl__cli_say(cli,
                "%lld of %lld rows drawn (the first is row %lld) are not finite: the program "
                "rejects them, or a number is too large",
                (long long)lost, (long long)d->rows, (long long)first + 1);
  else if (lost > 0)
    sl__cli_say(cli,
                "%lld of %lld rows drawn (the first is row %lld) hold a number too large for %s; "
                "%sfit with --precision f64, or with lighter tails",
                (long long)lost, (long long)d->rows, (long long)first + 1,
                sl_flow_dtype(d->flow) == SL_F32 ? "f32" : "f64",
                d->condition.rows > 0 ? "check the conditions, which may be far from those of the "
                                        "fit, or "
                                      : "");
  return d->mapped ? 0 : lost;
}

static int print_json(sl__cli *cli, const sl__drawing *d, bool with_rows) {
  int64_t dim = d->dim, first = 0;
  const int64_t lost = count_lost_rows(d, &first);
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_integer(&json, "rows", d->rows);
  sl__json_integer(&json, "not_a_number", lost);
  if (d->resample) {
    sl__json_integer(&json, "proposals", d->weighing.proposals);
    sl__json_real(&json, "khat", d->weighing.psis.khat);
    sl__json_real(&json, "khat_threshold", d->weighing.psis.threshold);
    sl__json_real(&json, "ess", d->weighing.psis.ess);
  }
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

/* Weights that are not to be trusted make rows that are not. */
static bool is_trusted(const sl__drawing *d) {
  return !d->resample || d->weighing.psis.khat < d->weighing.psis.threshold;
}

static sl_status write_rows(sl__cli *cli, const char *path, const sl__drawing *d) {
  const sl_dtype precision = d->mapped ? SL_F64 : sl_flow_dtype(d->flow);
  return sl__cli_write_table(cli, path, precision, d->rows, d->columns, d->values, d->names);
}

static int run(sl__cli *cli) {
  const char *path = sl__cli_option(cli, "output")->text, *model = cli->arguments[0];
  bool to_json = cli->json && strcmp(path, "-") == 0;
  sl__drawing d = {.rows = sl__cli_option(cli, "rows")->integer,
                   .with_log_prob = sl__cli_option(cli, "with-log-prob")->integer != 0,
                   .resample = sl__cli_option(cli, "resample")->integer != 0};
  if (d.with_log_prob && sl__cli_option(cli, "upto")->given)
    return sl__cli_refuse(cli, "--with-log-prob is of finished rows; leave it or --upto out");
  sl_status status = sl__cli_check_table_file(cli);
  if (status == SL_OK) status = sl__cli_open_model(cli, model, &d.flow);
  if (status == SL_OK) status = sl__cli_maybe_fit_target(cli, d.flow, model, &d.target);
  if (status == SL_OK) status = draw(cli, &d);
  const int64_t lost = status == SL_OK ? say_lost_rows(cli, &d) : 0;
  if (status == SL_OK && !to_json) status = write_rows(cli, path, &d);
  int code = SL__EXIT_DONE;
  if (status != SL_OK)
    code = sl__cli_fail(cli, status);
  else if (cli->json)
    code = print_json(cli, &d, to_json);
  if (status == SL_OK && code == SL__EXIT_DONE && (lost > 0 || !is_trusted(&d)))
    code = SL__EXIT_FAILED;
  sl__table_close(&d.conditions);
  sl__target_free(d.target);
  sl_flow_free(d.flow);
  return code;
}

const sl__command sl__command_sample = {
    .name = "sample",
    .arguments = "MODEL",
    .summary = "draw rows from a model",
    .details =
        "Of a fit to a Stan program (`sluice vi`) the columns are its parameters, transformed\n"
        "parameters and generated quantities (their random numbers by --seed), as `sluice nuts`\n"
        "writes them, and log_prob is the density of the parameters as they stand there: the "
        "flow's\n"
        "less the log Jacobian of their constraints. --unconstrained gives the flow's "
        "coordinates,\n"
        "named unconstrained(tau), and its log density of these; --upto K, which stops between\n"
        "layers, gives coordinates too. --resample repeats rows of large weight unless "
        "--distinct.\n"
        "Exit code 1: some rows hold no numbers, being too large for the model's precision, or "
        "the\n"
        "weights' Pareto k-hat says that resampled rows are not to be trusted.\n",
    .examples = "  sluice sample m.safetensors -n 1000 > rows.csv\n"
                "  sluice sample m.safetensors -n 1000 --with-log-prob --seed 7 -o rows.npy\n"
                "  sluice sample m.safetensors -n 1000 --context-value 'age=40, dose=0.5'\n"
                "  sluice sample q.safetensors -n 4000 --resample -o draws.csv\n",
    .minimum = 1,
    .maximum = 1,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .shared_options = sl__cli_fit_target_rows,
    .run = run,
};
