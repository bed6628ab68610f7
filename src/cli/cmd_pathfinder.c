/* sluice pathfinder TARGET: approximate draws in little time, by Gaussians along an optimiser's
 * way. */
#include <string.h>

#include "cli/draws_file.h"
#include "cli/target_options.h"
#include "cli/watch.h"
#include "infer/chain/pathfinder.h"
#include "io/draws.h"

static const sl__option_row options[] = {
    {"output", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "file of draws: .csv, .npy (without lp__), .safetensors"},
    {"draws", SL__OPTION_INT, "1000", 1, 1e8, NULL, "draws to choose"},
    {"paths", SL__OPTION_INT, "4", 1, 10000, NULL, "ways of the optimiser, side by side"},
    {"path-draws", SL__OPTION_INT, "1000", 1, 1e7, NULL, "draws of each way, to choose from"},
    {"elbo-draws", SL__OPTION_INT, "25", 1, 1e6, NULL, "draws that a Gaussian is judged by"},
    {"history", SL__OPTION_INT, "5", 1, 100, NULL,
     "steps that the inverse Hessian is learned from"},
    {"steps", SL__OPTION_INT, "1000", 1, 1e6, NULL, "most steps of a way"},
    {"tolerance", SL__OPTION_REAL, "1e-8", 0, 1, NULL, "relative gain below which a way ends"},
    {"init", SL__OPTION_REAL, "2", 0, 1e9, NULL, "ways begin within this of 0"},
    {"no-psis", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "choose equally many draws of each way, not by smoothed importance weights"},
};

static int64_t integer_of(sl__cli *cli, const char *name) {
  return sl__cli_option(cli, name)->integer;
}

static void read_options(sl__cli *cli, sl__pathfinder_options *out) {
  sl__pathfinder_defaults(out);
  out->paths = (int32_t)integer_of(cli, "paths");
  out->path_draws = (int32_t)integer_of(cli, "path-draws");
  out->elbo_draws = (int32_t)integer_of(cli, "elbo-draws");
  out->history = (int32_t)integer_of(cli, "history");
  out->most_steps = (int32_t)integer_of(cli, "steps");
  out->tolerance = sl__cli_option(cli, "tolerance")->real;
  out->init_radius = sl__cli_option(cli, "init")->real;
  out->weigh = integer_of(cli, "no-psis") == 0;
  out->seed = cli->seed;
}

/* lp__ and all parts of the draws, as one chain. */
static sl_status write_draws(sl__cli *cli, const sl__target *target, int64_t rows, const double *q,
                             const double *log_density) {
  const char *path = sl__cli_option(cli, "output")->text;
  const int32_t width = sl__target_width(target, SL__TARGET_GENERATED);
  const size_t columns = (size_t)width + 1;
  if (!path) return SL_OK;
  sl__draws draws = {
      .chains = 1, .draws = rows, .parameters = width, .columns = width + 1, .max_treedepth = -1};
  double *values = sl__arena_take(&cli->arena, (size_t)rows, (size_t)width * sizeof *values);
  draws.values = sl__arena_take(&cli->arena, (size_t)rows, columns * sizeof *values);
  draws.names = sl__arena_take(&cli->arena, columns, sizeof *draws.names);
  if (!values || !draws.values || !draws.names) return SL_NO_MEMORY;
  SL__TRY(
      sl__target_write(cli->context, target, SL__TARGET_GENERATED, rows, q, cli->seed, 0, values));
  int32_t at = 0;
  for (int part = 0; part < SL__TARGET_PARTS; part++)
    for (int32_t i = 0; i < sl__target_count(target, (sl__target_part)part); i++) {
      const char *name = sl__target_name(target, (sl__target_part)part, i);
      draws.names[at++] = sl__cli_draws_name(&cli->arena, name);
    }
  draws.names[at] = sl__arena_text(&cli->arena, "lp__", 4);
  for (int32_t i = 0; i <= at; i++)
    if (!draws.names[i]) return SL_NO_MEMORY;
  for (int64_t r = 0; r < rows; r++) {
    memcpy(draws.values + r * (width + 1), values + r * width, (size_t)width * sizeof *values);
    draws.values[r * (width + 1) + width] = log_density[r];
  }
  return sl__draws_write(cli->context, sl__cli_about(cli, path, NULL), &draws);
}

static int print_json(sl__cli *cli, const sl__target *target, const sl__pathfinder_report *report) {
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_text(&json, "target", target->title);
  sl__json_integer(&json, "dim", target->dim);
  sl__json_integer(&json, "paths", report->paths);
  sl__json_real(&json, "elbo", report->elbo);
  sl__json_open_object(&json, "log_evidence");
  sl__json_real(&json, "value", report->log_evidence);
  sl__json_real(&json, "se", report->log_evidence_se);
  sl__json_close_object(&json);
  sl__json_real(&json, "khat", report->khat);
  sl__json_real(&json, "khat_threshold", report->khat_threshold);
  sl__json_real(&json, "ess", report->ess);
  sl__json_integer(&json, "gradient_evaluations", report->gradients);
  sl__json_integer(&json, "density_evaluations", report->values);
  sl__json_boolean(&json, "trusted", report->khat < report->khat_threshold);
  return sl__cli_json_close(cli, &text, &json);
}

static void add_line(sl__text *text, const char *name, double value) {
  sl__text_add(text, "%-24s", name);
  sl__cli_fixed(text, value, 3, 12);
  sl__text_add(text, "\n");
}

static int print_text(sl__cli *cli, const sl__target *target, const sl__pathfinder_report *report) {
  sl__text text;
  sl__text_open(&text, cli->context);
  sl__cli_add_target(&text, target);
  sl__text_add(&text, "; %lld gradients, %lld densities\n\n", (long long)report->gradients,
               (long long)report->values);
  add_line(&text, "best ELBO", report->elbo);
  add_line(&text, "log evidence", report->log_evidence);
  add_line(&text, "Pareto k-hat", report->khat);
  add_line(&text, "effective sample size", report->ess);
  if (integer_of(cli, "no-psis") != 0)
    sl__text_add(&text, "\nChosen without weights: k-hat is that of the weights left out.");
  sl__text_add(&text, "\n%s\n",
               report->khat < report->khat_threshold
                   ? "Usable: the weights of the draws are bounded well enough."
                   : "Not to be trusted as draws of the target: a few have nearly all the weight; "
                     "take them for first points (sluice nuts --init pathfinder).");
  return sl__cli_print_beside_draws(cli, &text);
}

static bool may_go_on(void *user) {
  (void)user;
  return !sl__watch_interrupted();
}

static sl_status find(sl__cli *cli, sl__target **target, sl__pathfinder_report *report) {
  sl__pathfinder_options request;
  const int64_t draws = integer_of(cli, "draws");
  read_options(cli, &request);
  request.may_go_on = may_go_on;
  SL__TRY(sl__cli_check_draws_file(cli, 0));
  SL__TRY(sl__cli_open_sampled_target(cli, target));
  sl__watch_signals();
  SL__TRY(sl__cli_hire(cli));
  double *q = sl__arena_take(&cli->arena, (size_t)draws, (size_t)(*target)->dim * sizeof *q);
  double *log_density = sl__arena_take(&cli->arena, (size_t)draws, sizeof *log_density);
  if (!q || !log_density) return SL_NO_MEMORY;
  const sl_status status =
      sl__pathfinder_run(cli->context, *target, &request, draws, q, log_density, report);
  if (status == SL_STOPPED)
    return sl__fail(cli->context, status,
                    "interrupted; nothing is saved, as the draws are chosen at the end");
  SL__TRY(status);
  return write_draws(cli, *target, draws, q, log_density);
}

static int run(sl__cli *cli) {
  sl__target *target = NULL;
  sl__pathfinder_report report = {0};
  const sl_status status = find(cli, &target, &report);
  int code;
  if (status != SL_OK)
    code = sl__cli_fail(cli, status);
  else
    code = cli->json ? print_json(cli, target, &report) : print_text(cli, target, &report);
  if (code == SL__EXIT_DONE && !(report.khat < report.khat_threshold)) code = SL__EXIT_FAILED;
  sl__target_free(target);
  return code;
}

const sl__command sl__command_pathfinder = {
    .name = "pathfinder",
    .arguments = "[TARGET]",
    .summary = "draw approximately, by Gaussians along the way of an optimiser",
    .details =
        "TARGET as for `sluice nuts`. Exit code 1: the weights say that the draws are not those\n"
        "of the target; as first points of chains they may serve all the same.\n",
    .examples = "  sluice pathfinder model.stan --data data.json -o draws.csv\n"
                "  sluice pathfinder --target funnel --paths 8 --json\n",
    .minimum = 0,
    .maximum = 1,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .shared_options = sl__cli_target_rows,
    .run = run,
};
