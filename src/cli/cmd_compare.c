/* sluice compare A B: how far two sets of draws are apart, parameter by parameter and together,
 * against how far two exact sets of their sizes would be. Either may be a fitted flow, which is
 * drawn from. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/compare.h"
#include "cli/fit_target.h"
#include "cli/points.h"

enum { SHOWN = 30, NAME_WIDTH = 40 };

static const sl__option_row options[] = {
    {"format", SL__OPTION_CHOICE, NULL, 0, 0, "csv|npy", "format of A and B, whatever their names"},
    {"chains", SL__OPTION_INT, NULL, 1, 1e6, NULL,
     "cut the rows of one file without chain__ into N chains"},
    {"all", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "show all parameters of a long table, not the farthest apart"},
};

/* ---- reading ---- */

/* A set of draws, or the draws of a model; rows: how many of a model. */
static sl_status read_one(sl__cli *cli, int side, int64_t rows, sl__cli_draws *out) {
  const char *path = cli->arguments[side];
  if (!sl__has_ending(path, ".safetensors")) return sl__cli_read_draws(cli, 1, &path, out);
  sl__tensor_file file;
  SL__TRY(sl__tensors_read(cli->context, sl__cli_about(cli, path, NULL), &file));
  const bool model = sl__tensors_meta(&file, "formula") != NULL;
  sl__tensors_close(&file);
  if (!model) return sl__cli_read_draws(cli, 1, &path, out);
  /* Each side has random numbers of its own, or equal flows would be compared by equal draws. */
  return sl__cli_draws_of_model(cli, path, cli->seed + (uint64_t)side, rows, out);
}

/* ---- printing ---- */

static int print_text(sl__cli *cli, const sl__comparison *c) {
  sl__text text;
  sl__text_open(&text, cli->context);
  const bool all = sl__cli_option(cli, "all")->integer != 0 || c->count <= SHOWN;
  if (!all) qsort(c->differ, (size_t)c->count, sizeof *c->differ, sl__farthest_first);
  int width = 9;
  for (int64_t i = 0; i < c->count; i++) {
    const size_t length = strlen(c->of[0].draws.names[c->differ[i].a]);
    if ((int)length > width) width = length < NAME_WIDTH ? (int)length : NAME_WIDTH;
  }
  sl__text_add(&text, "%-*s  mean diff: MCSE        sd  sd ratio  Wasserstein  its floor\n", width,
               "parameter");
  for (int64_t i = 0; i < (all ? c->count : SHOWN); i++) {
    const sl__difference *d = &c->differ[i];
    sl__text_add(&text, "%-*.*s", width, width, c->of[0].draws.names[d->a]);
    sl__cli_fixed(&text, d->mean_in_mcse, 2, 17);
    sl__cli_fixed(&text, d->mean_in_sd, 3, 10);
    sl__cli_fixed(&text, d->sd_ratio, 3, 10);
    sl__cli_fixed(&text, d->wasserstein.distance, 4, 13);
    sl__cli_fixed(&text, d->wasserstein.floor, 4, 11);
    sl__text_add(&text, "\n");
  }
  if (!all)
    sl__text_add(&text, "(the %d of %lld parameters farthest apart; --all shows all)\n", SHOWN,
                 (long long)c->count);
  sl__text_add(&text, "\nenergy distance    ");
  sl__cli_significant(&text, c->test.distance, 3, 0);
  sl__text_add(&text, ", p = ");
  sl__cli_fixed(&text, c->test.p_value, 3, 0);
  sl__text_add(&text, " on %lld and %lld rows\n%s\n", (long long)c->test.rows_a,
               (long long)c->test.rows_b, c->verdict);
  return sl__cli_print(cli, &text);
}

static int print_json(sl__cli *cli, const sl__comparison *c) {
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_open_array(&json, "parameters");
  for (int64_t i = 0; i < c->count; i++) {
    const sl__difference *d = &c->differ[i];
    sl__json_open_object(&json, NULL);
    sl__json_text(&json, "name", c->of[0].draws.names[d->a]);
    sl__json_real(&json, "mean_difference_in_mcse", d->mean_in_mcse);
    sl__json_real(&json, "mean_difference_in_sd", d->mean_in_sd);
    sl__json_real(&json, "sd_ratio", d->sd_ratio);
    sl__json_real(&json, "wasserstein_in_sd", d->wasserstein.distance);
    sl__json_real(&json, "wasserstein_floor", d->wasserstein.floor);
    sl__json_close_object(&json);
  }
  sl__json_close_array(&json);
  sl__json_real(&json, "energy_distance", c->test.distance);
  sl__json_real(&json, "p_value", c->test.p_value);
  sl__json_integer(&json, "rows_a", c->test.rows_a);
  sl__json_integer(&json, "rows_b", c->test.rows_b);
  sl__json_boolean(&json, "same", c->same);
  sl__json_text(&json, "verdict", c->verdict);
  return sl__cli_json_close(cli, &text, &json);
}

static int run(sl__cli *cli) {
  enum { ROWS_OF_MODEL = 4000 };
  sl__comparison c = {0};
  sl_status status = SL_OK;
  for (int side = 0; side < 2 && status == SL_OK; side++)
    status = read_one(cli, side, ROWS_OF_MODEL, &c.of[side]);
  if (status == SL_OK) status = sl__compare(cli, &c);
  int code;
  if (status != SL_OK) {
    code = sl__cli_fail(cli, status);
  } else {
    sl__conclude(&c);
    code = cli->json ? print_json(cli, &c) : print_text(cli, &c);
    if (code == SL__EXIT_DONE && isnan(c.test.p_value)) code = SL__EXIT_FAILED;
  }
  for (int side = 0; side < 2; side++) sl__draws_close(&c.of[side].draws);
  return code;
}

const sl__command sl__command_compare = {
    .name = "compare",
    .arguments = "A B",
    .summary = "compare two sets of draws, or draws and a fitted flow",
    .details =
        "A and B: files of draws as for `sluice summary`, or models (4,000 rows are drawn by\n"
        "--seed). Of a fit to a Stan program its parameters and transformed parameters are\n"
        "compared, of two fits with --unconstrained the flows' coordinates. Differences are A\n"
        "less B; the floor is what exact draws would show. A difference that is found is a\n"
        "result: the exit code is 0, and --json has `same`. Exit code 1: the two cannot be\n"
        "compared, as there are values that are not finite, or too few.\n",
    .examples = "  sluice compare draws.csv reference.csv\n"
                "  sluice compare draws.csv q.safetensors --json\n",
    .minimum = 2,
    .maximum = 2,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .shared_options = sl__cli_fit_target_rows,
    .run = run,
};
