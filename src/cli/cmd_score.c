/* sluice score MODEL DATA: the log density of every row, and its gradient if asked for. */
#include <math.h>

#include "cli/fit_target.h"
#include "cli/points.h"
#include "infer/posterior/posterior.h"

static const sl__option_row options[] = {
    {"output", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "file to write, .csv or .npy; - is standard output"},
    {"format", SL__OPTION_CHOICE, NULL, 0, 0, "csv|npy", "format of DATA and output"},
    {"summary", SL__OPTION_BOOL, "false", 0, 0, NULL, "mean and standard error only"},
    {"gradient", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "also the gradient by the row's values, a column each"},
    {"context", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "file of conditions, in place of any that DATA has: one row, or one for every row of DATA"},
    {"context-value", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "instead, one condition for all rows, \"dose=0.5, species=setosa\""},
};

/* values [rows][columns]: the log density, then the gradient where there is one. */
typedef struct scores {
  int64_t rows, columns;
  double *values;
  const char **names;
  /* Rows of density 0, rows whose density is not a number; and the first of each. */
  int64_t outside, lost, first_outside, first_lost;
  double mean, se;    /* se of one row: NaN, not known */
  sl_dtype precision; /* that the model computed in */
} scores;

static void summarise(scores *s) {
  double sum = 0, squares = 0;
  for (int64_t row = 0; row < s->rows; row++) {
    const double value = s->values[row * s->columns];
    sum += value;
    if (value == -INFINITY && s->outside++ == 0) s->first_outside = row;
    if (isnan(value) && s->lost++ == 0) s->first_lost = row;
  }
  s->mean = sum / (double)s->rows;
  for (int64_t row = 0; row < s->rows; row++) {
    double d = s->values[row * s->columns] - s->mean;
    squares += d * d;
  }
  s->se = s->rows > 1 ? sqrt(squares) / (double)s->rows : (double)NAN;
}

static sl_status name_columns(sl__cli *cli, const sl_flow *flow, scores *s) {
  s->names = sl__arena_take(&cli->arena, (size_t)s->columns, sizeof *s->names);
  if (!s->names) return SL_NO_MEMORY;
  s->names[0] = "log_prob";
  for (int32_t i = 0; i + 1 < s->columns; i++) {
    sl__text name;
    sl__text_open(&name, cli->context);
    sl__text_add(&name, "d_%s", sl_flow_column_name(flow, i));
    if (!name.failed) s->names[i + 1] = sl__arena_text(&cli->arena, name.data, name.length);
    sl__text_close(&name);
    if (!s->names[i + 1]) return SL_NO_MEMORY;
  }
  return SL_OK;
}

/* DATA of a fit to a model, and what its log densities are less than the flow's. */
typedef struct points {
  sl__target *target;
  bool constrained;
  int64_t rows;
  double *q, *shift; /* [rows][dim], [rows] */
} points;

static sl_status read_points(sl__cli *cli, points *p, sl__selection *data) {
  p->constrained = sl__cli_is_mapped(cli, p->target);
  SL__TRY(sl__cli_read_points(cli, cli->arguments[1], p->target, &p->constrained, &p->rows, &p->q));
  data->x = sl_in_f64(p->q, p->rows, p->target->dim);
  if (!p->constrained) return SL_OK;
  if (sl__cli_option(cli, "gradient")->integer)
    return sl__fail(cli->context, SL_UNSUPPORTED,
                    "the gradient is by the flow's coordinates; add --unconstrained, and give "
                    "DATA in them");
  p->shift = sl__arena_take(&cli->arena, (size_t)p->rows, sizeof *p->shift);
  if (!p->shift) return SL_NO_MEMORY;
  return sl__posterior_log_jacobian(cli->context, p->target, p->rows, p->q, p->shift);
}

static sl_status compute(sl__cli *cli, const sl_flow *flow, const sl__selection *data,
                         const points *p, scores *s) {
  sl_context *context = cli->context;
  bool gradient = sl__cli_option(cli, "gradient")->integer != 0;
  s->rows = data->x.rows;
  s->precision = p->shift ? SL_F64 : sl_flow_dtype(flow);
  s->columns = 1 + (gradient ? sl_flow_dim(flow) : 0);
  SL__TRY(name_columns(cli, flow, s));
  s->values = sl__arena_take(&cli->arena, (size_t)s->rows, (size_t)s->columns * sizeof *s->values);
  if (!s->values) return SL_NO_MEMORY;
  SL__TRY(sl__cli_hire(cli));
  sl_array_out log_prob = {s->values, SL_F64, s->rows, 1, s->columns, 1};
  sl_array_out by_x = {s->values + 1, SL_F64, s->rows, s->columns - 1, s->columns, 1};
  if (gradient)
    SL__TRY(
        sl_flow_gradient(context, flow, &data->x, &data->condition, &log_prob, &by_x, NULL, NULL));
  else
    SL__TRY(sl_flow_log_prob(context, flow, &data->x, &data->condition, &log_prob));
  for (int64_t row = 0; p->shift && row < s->rows; row++) s->values[row] -= p->shift[row];
  summarise(s);
  return SL_OK;
}

/* Rows without a finite number are reported, never passed over. */
static void say_lost_rows(const sl__cli *cli, const scores *s, bool conditional) {
  const char *far = conditional ? ", or conditions far from those of the fit" : "";
  const char *precision = s->precision == SL_F32 ? "f32" : "f64";
  if (s->outside > 0)
    sl__cli_say(
        cli,
        "%s: %lld of %lld rows have density 0 (the first is row %lld): outside the support, "
        "or too far out for %s%s",
        cli->arguments[1], (long long)s->outside, (long long)s->rows,
        (long long)s->first_outside + 1, precision, far);
  if (s->lost > 0)
    sl__cli_say(cli,
                "%s: %lld of %lld rows cannot be scored (the first is row %lld): a number on the "
                "way is too large for %s%s",
                cli->arguments[1], (long long)s->lost, (long long)s->rows,
                (long long)s->first_lost + 1, precision, far);
}

static int print_json(sl__cli *cli, const scores *s, bool summary) {
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_integer(&json, "rows", s->rows);
  sl__json_integer(&json, "outside", s->outside);
  sl__json_integer(&json, "not_a_number", s->lost);
  sl__json_real(&json, "mean", s->mean);
  if (s->rows > 1)
    sl__json_real(&json, "se", s->se);
  else
    sl__json_text(&json, "se", NULL);
  if (!summary) {
    sl__json_open_array(&json, "log_prob");
    for (int64_t row = 0; row < s->rows; row++)
      sl__json_real(&json, NULL, s->values[row * s->columns]);
    sl__json_close_array(&json);
    if (s->columns > 1) sl__json_open_array(&json, "gradient");
    for (int64_t row = 0; row < s->rows && s->columns > 1; row++) {
      sl__json_open_array(&json, NULL);
      for (int64_t i = 1; i < s->columns; i++)
        sl__json_real(&json, NULL, s->values[row * s->columns + i]);
      sl__json_close_array(&json);
    }
    if (s->columns > 1) sl__json_close_array(&json);
  }
  return sl__cli_json_close(cli, &text, &json);
}

static int print_text(sl__cli *cli, const scores *s, bool summary) {
  sl__text text;
  sl__text_open(&text, cli->context);
  if (summary) {
    sl__text_add(&text, "mean log density per row (nats) ");
    sl__text_add_real(&text, s->mean, SL_F32);
    sl__text_add(&text, "\nstandard error                  ");
    if (s->rows > 1)
      sl__text_add_real(&text, s->se, SL_F32);
    else
      sl__text_add(&text, "-");
    sl__text_add(&text, "\nrows                            %lld\n", (long long)s->rows);
    return sl__cli_print(cli, &text);
  }
  for (int64_t row = 0; row < s->rows; row++)
    for (int64_t i = 0; i < s->columns; i++) {
      sl__text_add_real(&text, s->values[row * s->columns + i], s->precision);
      sl__text_add(&text, i + 1 < s->columns ? "," : "\n");
    }
  return sl__cli_print(cli, &text);
}

/* Rows and conditions: both from DATA, unless conditions are given aside. */
static sl_status read_data(sl__cli *cli, const sl_flow *flow, sl__table *table,
                           sl__table *conditions, sl__selection *data) {
  sl_array_in aside;
  SL__TRY(sl__cli_conditions(cli, flow, conditions, &aside));
  SL__TRY(sl__cli_read_table(cli, cli->arguments[1], table));
  SL__TRY(sl__cli_select_for(cli, flow, table, aside.rows == 0, data));
  if (aside.rows > 0) data->condition = aside;
  SL__TRY(sl__cli_check_conditions(cli, flow, &data->condition));
  if (aside.rows == 0) return SL_OK;
  SL__TRY(sl__cli_say_unread_conditions(cli, flow, table));
  return sl__cli_spread_conditions(cli, data->x.rows, &data->condition);
}

static int run(sl__cli *cli) {
  sl_flow *flow = NULL;
  sl__table table = {0}, conditions = {0};
  sl__selection data = {0};
  points p = {0};
  scores s = {0};
  const char *path = sl__cli_option(cli, "output")->text;
  bool summary = sl__cli_option(cli, "summary")->integer != 0;
  const char *model = cli->arguments[0];
  sl_status status = sl__cli_check_table_file(cli);
  if (status == SL_OK) status = sl__cli_open_model(cli, model, &flow);
  if (status == SL_OK) status = sl__cli_maybe_fit_target(cli, flow, model, &p.target);
  if (status == SL_OK)
    status =
        p.target ? read_points(cli, &p, &data) : read_data(cli, flow, &table, &conditions, &data);
  if (status == SL_OK) status = compute(cli, flow, &data, &p, &s);
  if (status == SL_OK && path)
    status = sl__cli_write_table(cli, path, s.precision, s.rows, s.columns, s.values, s.names);
  int code = SL__EXIT_DONE;
  if (status == SL_OK) say_lost_rows(cli, &s, sl_flow_context_dim(flow) > 0);
  if (status != SL_OK)
    code = sl__cli_fail(cli, status);
  else if (cli->json)
    code = print_json(cli, &s, summary || path);
  else if (summary || !path)
    code = print_text(cli, &s, summary);
  sl__table_close(&table);
  sl__table_close(&conditions);
  sl__target_free(p.target);
  sl_flow_free(flow);
  return code;
}

const sl__command sl__command_score = {
    .name = "score",
    .arguments = "MODEL DATA",
    .summary = "print the log density of every row, in nats and the data's own units",
    .details =
        "DATA's columns are found by the model's names, or else taken in its order. Of a fit to a\n"
        "Stan program (`sluice vi`) DATA holds its parameters as `sluice nuts` and `sluice "
        "sample`\n"
        "write them (other columns of these are passed over), and the log density is that of the\n"
        "parameters: the flow's less the log Jacobian of their constraints. With --unconstrained, "
        "or\n"
        "columns that say unconstrained(tau), DATA and the density are in the flow's "
        "coordinates.\n",
    .examples = "  sluice score m.safetensors new.csv > log_prob.txt\n"
                "  sluice score m.safetensors new.csv --gradient -o scores.npy\n"
                "  sluice score m.safetensors new.csv --summary --json\n"
                "  sluice score q.safetensors draws.csv --summary\n",
    .minimum = 2,
    .maximum = 2,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .shared_options = sl__cli_fit_target_rows,
    .run = run,
};
