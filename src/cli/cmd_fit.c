/* sluice fit DATA: a density from rows, with everything decided that the user did not decide. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/handle.h"
#include "cli/estimate.h"
#include "cli/kept.h"
#include "cli/score_names.h"
#include "cli/watch.h"
#include "infer/recipe.h"

static const sl__option_row options[] = {
    {"output", SL__OPTION_TEXT, NULL, 0, 0, NULL, "model file to write, .safetensors"},
    {"format", SL__OPTION_CHOICE, NULL, 0, 0, "csv|npy", "format of DATA, whatever its name"},
    {"columns", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "parts and types of columns, \"a: positive, w: weight, id: skip\"; see docs/formats.md"},
    {"context", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "columns to condition on, \"c, d\": numbers, or words as labels"},
    {"valid", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "file of rows to stop by, or the fraction of DATA to hold out [0.1]"},
    {"test", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "file of rows to report on, or the fraction of DATA to hold out [0.1]"},
};

/* What the fit is to write must be writable before it starts: an hour later would be late. */
static sl_status check_outputs(sl__cli *cli) {
  static const char *const endings[] = {".csv", ".npy", ".tsv", ".txt"};
  const char *path = sl__cli_option(cli, "output")->text;
  size_t length = path ? strlen(path) : 0;
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
    if (length > 4 && strcmp(path + length - 4, endings[i]) == 0)
      return sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "-o %s has the name of a table; a model is a .safetensors file", path);
  if (path && strcmp(path, "-") == 0 && cli->json)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--json and -o - both want standard output; give -o a file");
  const char *checkpoint = sl__cli_typed(cli, "checkpoint");
  SL__TRY(sl__cli_check_model_file(cli, path));
  return checkpoint ? sl__os_check_out(cli->context, checkpoint) : SL_OK;
}

/* The rows of up to three files. */
typedef struct inputs {
  sl__table table, valid, test;
  sl_fit_data data;
} inputs;

/* Another number of columns, where none have names, is another table. */
static sl_status check_same(sl__cli *cli, const char *path, int64_t count, int64_t wanted) {
  if (count == wanted) return SL_OK;
  return sl__fail(cli->context, SL_BAD_ARGUMENT,
                  "%s: %lld column%s where %s has %lld; give the same columns", path,
                  (long long)count, count == 1 ? "" : "s", cli->arguments[0], (long long)wanted);
}

/* A held-out set: a fraction of the data, which goes to *fraction, or a file of its own, with the
 * columns of train. */
static sl_status read_held_out(sl__cli *cli, const char *option, const sl__selection *train,
                               sl__table *table, sl__selection *selection, double *fraction) {
  *selection = (sl__selection){0};
  const char *text = sl__cli_option(cli, option)->text;
  if (!text) return SL_OK;
  double number;
  const char *end = text + strlen(text);
  if (sl__parse_real(text, end, &number) == end) {
    if (!(number >= 0 && number <= 0.9))
      return sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "--%s %s is no fraction; give a number from 0 to 0.9, or a file", option,
                      text);
    *fraction = number;
    return SL_OK;
  }
  SL__TRY(sl__cli_read_table(cli, text, table));
  SL__TRY(sl__cli_select_like(cli, train, cli->arguments[0], table, selection));
  SL__TRY(check_same(cli, text, selection->x.columns, train->x.columns));
  return check_same(cli, text, selection->condition.columns, train->condition.columns);
}

static sl_status read_inputs(sl__cli *cli, inputs *in, sl_fit_options *fit) {
  sl__selection train, valid, test;
  SL__TRY(sl__cli_read_table(cli, cli->arguments[0], &in->table));
  SL__TRY(sl__cli_select(cli, &in->table, &train));
  SL__TRY(read_held_out(cli, "valid", &train, &in->valid, &valid, &fit->valid_fraction));
  SL__TRY(read_held_out(cli, "test", &train, &in->test, &test, &fit->test_fraction));
  in->data = (sl_fit_data){.size = sizeof in->data,
                           .x = train.x,
                           .condition = train.condition,
                           .weight = train.weight,
                           .valid_x = valid.x,
                           .valid_condition = valid.condition,
                           .valid_weight = valid.weight,
                           .test_x = test.x,
                           .test_condition = test.condition,
                           .test_weight = test.weight,
                           .column_names = train.names,
                           .condition_names = train.condition_names,
                           .columns = train.types};
  sl__cli_about(cli, cli->arguments[0], NULL);
  return SL_OK;
}

static sl_status read_options(sl__cli *cli, sl_fit_options *fit) {
  sl_fit_options_default(fit, sizeof *fit);
  int count;
  const sl__option_row *rows = sl__fit_option_rows(&count);
  for (int i = 0; i < count; i++) {
    const char *typed = sl__cli_typed(cli, rows[i].name);
    if (!typed || sl_fit_options_set(cli->context, fit, rows[i].name, typed) == SL_OK) continue;
    if (strcmp(rows[i].name, "base") == 0) sl__fail_prefix(cli->context, "--base");
    return cli->context->error.status;
  }
  fit->seed = cli->seed;
  return SL_OK;
}

/* ---- printing ---- */

static void add_score_json(sl__json *json, const char *key, const sl_score *score) {
  sl__json_open_object(json, key);
  sl__json_real(json, "log_prob", score->log_prob);
  if (isnan(score->se) && score->rows > 0) /* of a single row */
    sl__json_text(json, "se", NULL);
  else
    sl__json_real(json, "se", score->se);
  sl__json_real(json, "log_prob_standardized", score->log_prob_standardized);
  sl__json_integer(json, "rows", score->rows);
  sl__json_close_object(json);
}

static int print_json(sl__cli *cli, const inputs *in, const sl_flow *flow,
                      const sl_fit_report *report, bool interrupted) {
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_text(&json, "flow", sl_flow_formula(flow));
  sl__json_text(&json, "base", sl_flow_base(flow));
  sl__json_integer(&json, "parameters", sl_flow_parameter_count(flow));
  sl__json_integer(&json, "steps", report->steps);
  sl__json_integer(&json, "best_step", report->best_step);
  sl__json_integer(&json, "skipped", report->skipped);
  sl__json_integer(&json, "rows", in->data.x.rows);
  sl__json_integer(&json, "dim", sl_flow_dim(flow));
  sl__json_text(&json, "precision", sl_flow_dtype(flow) == SL_F32 ? "f32" : "f64");
  add_score_json(&json, "train", &report->train);
  add_score_json(&json, "valid", &report->valid);
  add_score_json(&json, "test", &report->test);
  add_score_json(&json, "gaussian", &report->gaussian);
  sl__json_boolean(&json, "gaussian_sees_conditions", sl_flow_context_dim(flow) > 0);
  add_score_json(&json, "gaussian_mixture", &report->gaussian_mixture);
  sl__json_integer(&json, "mixture_components", report->mixture_components);
  sl__json_real(&json, "rows_per_second", report->rows_per_second);
  sl__json_boolean(&json, "stopped_early", report->stopped_early);
  sl__json_boolean(&json, "interrupted", interrupted);
  sl__json_text(&json, "notes", report->notes);
  sl__json_text(&json, "trouble", report->trouble);
  sl__json_text(&json, "verdict", report->verdict);
  return sl__cli_json_close(cli, &text, &json);
}

static void add_score_line(sl__text *text, const char *name, const sl_score *score) {
  if (score->rows == 0) return;
  sl__text_add(text, "%-28s", name);
  sl__cli_fixed(text, score->log_prob, 4, 12);
  if (isnan(score->se))
    sl__text_add(text, "%12s", "-");
  else
    sl__cli_fixed(text, score->se, 4, 12);
  sl__cli_fixed(text, score->log_prob_standardized, 4, 14);
  sl__text_add(text, "%10lld\n", (long long)score->rows);
}

/* On standard output, unless the model went there. */
static int print_text(sl__cli *cli, const sl_flow *flow, const sl_fit_report *report, bool aside) {
  char mixture[64], gaussian[64];
  snprintf(mixture, sizeof mixture, "  %d Gaussian%s, test", report->mixture_components,
           report->mixture_components == 1 ? "" : "s");
  sl__text text;
  sl__text_open(&text, cli->context);
  if (strcmp(sl_flow_base(flow), "normal") != 0)
    sl__text_add(&text, "base  %s\n", sl_flow_base(flow));
  sl__text_add(&text, "flow  %s\n", sl_flow_formula(flow));
  sl__text_add(&text, "      %lld parameters, %d columns, %lld steps (best %lld), ",
               (long long)sl_flow_parameter_count(flow), sl_flow_dim(flow),
               (long long)report->steps, (long long)report->best_step);
  sl__cli_fixed(&text, report->seconds, 1, 0);
  sl__text_add(&text, " s, %lld rows/s\n\n", (long long)report->rows_per_second);
  sl__text_add(&text, "%-28s%12s%12s%14s%10s\n", "log density per row (nats)", "mean", "std. error",
               "standardized", "rows");
  add_score_line(&text, "  train", &report->train);
  add_score_line(&text, "  held out to stop by", &report->valid);
  add_score_line(&text, "  test", &report->test);
  snprintf(gaussian, sizeof gaussian, "  %s", sl__cli_gaussian_name(flow));
  add_score_line(&text, gaussian, &report->gaussian);
  add_score_line(&text, mixture, &report->gaussian_mixture);
  if (report->trouble[0]) sl__text_add(&text, "\nTrouble on the way: %s\n", report->trouble);
  if (report->skipped > 0)
    sl__text_add(&text, "Steps left out for it: %lld\n", (long long)report->skipped);
  sl__text_add(&text, "\n%s\n", report->verdict);
  if (!aside || text.failed) return sl__cli_print(cli, &text);
  sl__cli_say(cli, "%.*s", (int)text.length - 1, text.data);
  sl__text_close(&text);
  return SL__EXIT_DONE;
}

/* ---- the command ---- */

/* By the verdict's first words (infer/verdict.c). A fit below a Gaussian has failed, whatever is
 * done with it. */
static bool is_trusted(const sl_fit_report *report) {
  static const char *const distrust[] = {"Bad:", "Not to be trusted:"};
  for (size_t i = 0; i < sizeof distrust / sizeof *distrust; i++)
    if (strncmp(report->verdict, distrust[i], strlen(distrust[i])) == 0) return false;
  return isfinite(report->train.log_prob);
}

/* The code; a fit that was stopped does not replace a file that may hold a finished one. */
static int save(sl__cli *cli, const sl_flow *flow, const sl_fit_report *report, sl_status fitted,
                const char *path) {
  const int code = fitted == SL_OK ? SL__EXIT_DONE : sl__cli_fail(cli, fitted);
  char *beside = NULL;
  sl_status saved = fitted == SL_OK ? SL_OK : sl__cli_unfinished_path(cli, path, &beside);
  const char *place = beside ? beside : path;
  if (saved == SL_OK) saved = sl_flow_save(cli->context, flow, sl__cli_about(cli, place, NULL));
  char what[80];
  snprintf(what, sizeof what, "interrupted: the best so far, of step %lld,",
           (long long)report->best_step);
  if (saved == SL_OK && fitted == SL_STOPPED) sl__cli_say_unfinished(cli, what, place, path);
  const int end = saved == SL_OK ? code : sl__cli_fail(cli, saved);
  cli->place = NULL;
  sl__free(&cli->context->allocator, beside);
  return end;
}

/* Saves and reports what there is: all of it, or the best so far. */
static int finish(sl__cli *cli, const inputs *in, const sl_flow *flow, const sl_fit_report *report,
                  sl_status fitted) {
  const char *path = sl__cli_option(cli, "output")->text;
  int code = path              ? save(cli, flow, report, fitted, path)
             : fitted == SL_OK ? SL__EXIT_DONE
                               : sl__cli_fail(cli, fitted);
  if (!path && fitted == SL_STOPPED)
    sl__cli_say(cli, "interrupted, and no -o MODEL was given: nothing is saved");
  int printed = cli->json ? print_json(cli, in, flow, report, fitted == SL_STOPPED)
                          : print_text(cli, flow, report, path && strcmp(path, "-") == 0);
  if (code == SL__EXIT_DONE && !path && !cli->json)
    sl__cli_say(cli, "the model was not saved; -o m.safetensors would keep it");
  if (code == SL__EXIT_DONE && !is_trusted(report)) code = SL__EXIT_FAILED;
  return code == SL__EXIT_DONE ? printed : code;
}

/* An error that has a place is about the formula; its text is shown with a caret. */
static int fail_fit(sl__cli *cli, const sl_fit_options *fit, sl_status status) {
  if (status == SL_SYNTAX || (fit->formula && cli->context->error.line > 0))
    sl__cli_about(cli, "--flow", fit->formula);
  else if (status == SL_BAD_ARGUMENT && cli->context->error.line == 0 &&
           !(fit->resume && strncmp(cli->context->error.message, fit->resume,
                                    strlen(fit->resume)) == 0)) /* names the checkpoint already */
    sl__fail_prefix(cli->context, "%s", cli->place);
  return sl__cli_fail(cli, status);
}

static int run(sl__cli *cli) {
  inputs in = {0};
  sl_fit_options fit;
  sl_fit_report report = {.size = sizeof report};
  sl_flow *flow = NULL;
  sl__watch watch;
  sl_status status = read_options(cli, &fit);
  if (status == SL_OK) status = check_outputs(cli);
  if (status == SL_OK) status = read_inputs(cli, &in, &fit);
  if (status == SL_OK) {
    sl__watch_signals();
    status = sl__cli_hire(cli);
  }
  if (status != SL_OK) {
    int code = sl__cli_fail(cli, status);
    sl__table_close(&in.table);
    sl__table_close(&in.valid);
    sl__table_close(&in.test);
    return code;
  }
  sl__watch_open(&watch, cli);
  fit.progress = sl__watch_progress;
  fit.progress_user = &watch;
  status = sl_fit(cli->context, &in.data, &fit, &flow, &report);
  sl__watch_close(&watch);
  if (flow && sl__cli_keep_command(cli, flow->model) != SL_OK) status = SL_NO_MEMORY;
  int code = flow ? finish(cli, &in, flow, &report, status) : fail_fit(cli, &fit, status);
  sl_flow_free(flow);
  sl__table_close(&in.table);
  sl__table_close(&in.valid);
  sl__table_close(&in.test);
  return code;
}

const sl__command sl__command_fit = {
    .name = "fit",
    .arguments = "DATA",
    .summary = "fit a density to the rows of a CSV or NPY file, and say how good it is",
    .details =
        "Without options: looks at the columns, dequantises rounded ones, standardises,\n"
        "holds out rows, chooses a flow and a budget, stops early, and reports in the\n"
        "data's own units. Ctrl-C stops at the next step and saves the best so far, in\n"
        "-o MODEL or, when that file is there, beside it as NAME.unfinished.safetensors.\n"
        "Exit code 1: the verdict is Bad or Not to be trusted; see `sluice help verdicts`.\n",
    .examples = "  sluice fit data.csv -o m.safetensors\n"
                "  sluice fit data.npy --flow 'coupling(affine,hidden=256x256)*6' --steps 5000\n"
                "  sluice fit data.csv --columns 'height, weight, n: weight' --context age\n"
                "  sluice fit data.csv --columns 'age: positive, p: interval(0,1), id: skip'\n"
                "  sluice fit data.csv --columns 'wind: periodic(0,360), a..c: simplex'\n",
    .minimum = 1,
    .maximum = 1,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .shared_options = sl__fit_option_rows,
    .run = run,
};
