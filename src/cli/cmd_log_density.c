/* sluice log-density TARGET --at POINTS: log density and gradient of a target at points. */
#include <math.h>
#include <string.h>
#include "cli/points.h"
#include "cli/target_options.h"

static const sl__option_row options[] = {
    {"at", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "the points: a table, a row each, a column for each coordinate"},
    {"format", SL__OPTION_CHOICE, NULL, 0, 0, "csv|npy", "format of points and output"},
    {"gradient", SL__OPTION_BOOL, "false", 0, 0, NULL, "also the gradient, a column each"},
    {"constrained", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "the points are parameters on their own scale"},
    {"propto", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "leave out terms that no parameter enters, as ~ does"},
    {"no-jacobian", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "leave out the Jacobian of the parameters' constraints"},
    {"output", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "file to write, .csv or .npy; - is standard output"},
};

typedef struct answer {
  sl__target *target;
  int64_t rows, columns; /* columns: 1, and dim more with the gradient */
  double *q, *value, *gradient;
} answer;

static bool flag(const sl__cli *cli, const char *name) {
  return sl__cli_option(cli, name)->integer != 0;
}

/* ---- the density ---- */

static sl_status compute(sl__cli *cli, answer *a) {
  const bool with_gradient = flag(cli, "gradient");
  const uint32_t flags = (flag(cli, "no-jacobian") ? SL__DENSITY_NO_JACOBIAN : 0u) |
                         (flag(cli, "propto") ? SL__DENSITY_DROP_CONSTANTS : 0u);
  const int32_t dim = a->target->dim;
  sl__density *density;
  a->columns = 1 + (with_gradient ? dim : 0);
  a->value = sl__arena_take(&cli->arena, (size_t)a->rows, sizeof *a->value);
  if (with_gradient)
    a->gradient = sl__arena_take(&cli->arena, (size_t)a->rows, (size_t)dim * sizeof *a->gradient);
  if (!a->value || (with_gradient && !a->gradient)) return SL_NO_MEMORY;
  cli->place = NULL;
  SL__TRY(sl__cli_hire(cli));
  SL__TRY(sl__density_new(cli->context, a->target, flags, with_gradient, &density));
  const sl__points points = {a->rows, a->q, a->value, a->gradient, dim, 1};
  const sl_status status = sl__density_run(cli->context, density, &points);
  sl__density_free(density);
  return status;
}

static double number_of(const answer *a, int64_t row, int64_t column) {
  return column == 0 ? a->value[row] : a->gradient[row * (a->columns - 1) + column - 1];
}

/* ---- the answer ---- */

static int print_json(sl__cli *cli, const answer *a) {
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_integer(&json, "dim", a->target->dim);
  sl__json_open_array(&json, "names");
  for (int32_t i = 0; i < a->target->dim; i++) sl__json_text(&json, NULL, a->target->names[i]);
  sl__json_close_array(&json);
  sl__json_open_array(&json, "points");
  for (int64_t r = 0; r < a->rows; r++) {
    sl__json_open_object(&json, NULL);
    sl__json_real(&json, "log_density", a->value[r]);
    if (a->gradient) {
      sl__json_open_array(&json, "gradient");
      for (int64_t i = 1; i < a->columns; i++) sl__json_real(&json, NULL, number_of(a, r, i));
      sl__json_close_array(&json);
    }
    sl__json_close_object(&json);
  }
  sl__json_close_array(&json);
  return sl__cli_json_close(cli, &text, &json);
}

static int print_text(sl__cli *cli, const answer *a) {
  sl__text text;
  sl__text_open(&text, cli->context);
  for (int64_t r = 0; r < a->rows; r++)
    for (int64_t i = 0; i < a->columns; i++) {
      sl__text_add_real(&text, number_of(a, r, i), SL_F64);
      sl__text_add(&text, i + 1 < a->columns ? "," : "\n");
    }
  return sl__cli_print(cli, &text);
}

static sl_status write_table(sl__cli *cli, const char *path, const answer *a) {
  const size_t columns = (size_t)a->columns;
  double *values = sl__arena_take(&cli->arena, (size_t)a->rows, columns * sizeof *values);
  const char **names = sl__arena_take(&cli->arena, columns, sizeof *names);
  if (!values || !names) return SL_NO_MEMORY;
  names[0] = "log_density";
  for (int64_t i = 1; i < a->columns; i++) {
    const char *name = a->target->names[i - 1];
    const size_t length = strlen(name);
    char *made = sl__arena_take(&cli->arena, length + 3, 1);
    if (!made) return SL_NO_MEMORY;
    memcpy(made, "d_", 2);
    memcpy(made + 2, name, length);
    names[i] = made;
  }
  for (int64_t r = 0; r < a->rows; r++)
    for (int64_t i = 0; i < a->columns; i++) values[r * a->columns + i] = number_of(a, r, i);
  return sl__cli_write_table(cli, path, SL_F64, a->rows, a->columns, values, names);
}

/* The first row's reason, as far as the program itself can say it. */
static void say_why(const sl__cli *cli, const answer *a, int64_t row) {
  sl_context *context = cli->context;
  if (sl__target_explain(context, a->target, a->q + row * a->target->dim) != SL_OK) {
    sl__cli_say(cli, "row %lld: %s", (long long)row + 1, context->error.message);
    context->error.message[0] = context->error.excerpt[0] = '\0';
  }
}

/* Rows without a density are reported, never passed over. */
static void say_outside(const sl__cli *cli, const answer *a) {
  int64_t outside = 0, first = 0, infinite = 0, first_infinite = 0;
  for (int64_t r = 0; r < a->rows; r++) {
    if (a->value[r] == -(double)INFINITY && outside++ == 0) first = r;
    if (a->value[r] == (double)INFINITY && infinite++ == 0) first_infinite = r;
  }
  if (infinite > 0)
    sl__cli_say(cli, "%lld of %lld points have an infinite density (the first is row %lld)",
                (long long)infinite, (long long)a->rows, (long long)first_infinite + 1);
  if (outside == 0) return;
  sl__cli_say(cli,
              "%lld of %lld points have density 0 (the first is row %lld): the program rejects "
              "them, or a value is not a number",
              (long long)outside, (long long)a->rows, (long long)first + 1);
  say_why(cli, a, first);
}

static sl_status read_points(sl__cli *cli, answer *a) {
  const char *path = sl__cli_option(cli, "at")->text;
  bool constrained = flag(cli, "constrained");
  if (!path)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "the points are missing; add --at POINTS.csv, a row for each");
  return sl__cli_read_points(cli, path, a->target, &constrained, &a->rows, &a->q);
}

static int run(sl__cli *cli) {
  answer a = {0};
  const char *path = sl__cli_option(cli, "output")->text;
  sl_status status = SL_OK;
  if (path && cli->json)
    return sl__cli_refuse(cli, "-o and --json are both where the result goes; choose one");
  status = sl__cli_check_table_file(cli);
  if (status == SL_OK) status = sl__cli_open_target(cli, &a.target);
  if (status == SL_OK) status = read_points(cli, &a);
  if (status == SL_OK) status = compute(cli, &a);
  if (status == SL_OK && path) status = write_table(cli, path, &a);
  int code = SL__EXIT_DONE;
  if (status == SL_OK) say_outside(cli, &a);
  if (status != SL_OK)
    code = sl__cli_fail(cli, status);
  else if (cli->json)
    code = print_json(cli, &a);
  else if (!path)
    code = print_text(cli, &a);
  sl__target_free(a.target);
  return code;
}

const sl__command sl__command_log_density = {
    .name = "log-density",
    .arguments = "[MODEL.stan]",
    .summary = "print the log density of a Stan program or another target at points, in nats",
    .details = "Points are on the unconstrained scale, and the density has all constants and the "
               "Jacobian,\nunless options say otherwise. With a header, columns are found by "
               "name in any order;\nwithout one, by position.\n",
    .examples = "  sluice log-density m.stan --data d.json --at points.csv --gradient --json\n"
                "  sluice log-density m.stan --data d.json --at draws.csv --constrained\n"
                "  sluice log-density --target pot1 --at points.csv\n"
                "  sluice log-density --density '-(x^2-y)^2 - 0.5*y^2' --dim x,y --at points.csv\n",
    .minimum = 0,
    .maximum = 1,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .shared_options = sl__cli_target_rows,
    .run = run,
};
