/* sluice compare A B: how far two sets of draws are apart, parameter by parameter and together,
 * against how far two exact sets of their sizes would be. Either may be a fitted flow, which is
 * drawn from. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fit_target.h"
#include "cli/points.h"

enum { SHOWN = 30, NAME_WIDTH = 40, MOST_TESTED = 2000, LEAST_TESTED = 500, PERMUTATIONS = 199 };

static const sl__option_row options[] = {
    {"format", SL__OPTION_CHOICE, NULL, 0, 0, "csv|npy", "format of A and B, whatever their names"},
    {"chains", SL__OPTION_INT, NULL, 1, 1e6, NULL,
     "cut the rows of one file without chain__ into N chains"},
    {"all", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "show all parameters of a long table, not the farthest apart"},
};

typedef struct difference {
  int64_t a, b; /* columns of the two */
  double mean_in_mcse, mean_in_sd, sd_ratio;
  sl__wasserstein wasserstein;
} difference;

typedef struct comparison {
  sl__cli_draws of[2];
  int64_t count;      /* parameters that both have */
  difference *differ; /* [count] */
  sl__energy_test test;
  bool same;
  char verdict[1024];
} comparison;

/* ---- reading ---- */

static bool is_model(const char *path) {
  const size_t length = strlen(path), tail = strlen(".safetensors");
  return length > tail && strcmp(path + length - tail, ".safetensors") == 0;
}

/* A set of draws, or the draws of a model; rows: how many of a model. */
static sl_status read_one(sl__cli *cli, int side, int64_t rows, sl__cli_draws *out) {
  const char *path = cli->arguments[side];
  if (!is_model(path)) return sl__cli_read_draws(cli, 1, &path, out);
  sl__tensor_file file;
  SL__TRY(sl__tensors_read(cli->context, sl__cli_about(cli, path, NULL), &file));
  const bool model = sl__tensors_meta(&file, "formula") != NULL;
  sl__tensors_close(&file);
  if (!model) return sl__cli_read_draws(cli, 1, &path, out);
  /* Each side has random numbers of its own, or equal flows would be compared by equal draws. */
  return sl__cli_draws_of_model(cli, path, cli->seed + (uint64_t)side, rows, out);
}

/* ---- comparing ---- */

static sl_status pair_columns(sl__cli *cli, comparison *c) {
  const sl__draws *a = &c->of[0].draws, *b = &c->of[1].draws;
  c->differ = sl__arena_take(&cli->arena, (size_t)a->parameters, sizeof *c->differ);
  if (!c->differ) return SL_NO_MEMORY;
  for (int side = 0; side < 2; side++)
    SL__TRY(sl__cli_refuse_same_wanted(cli, c->of[side].name, c->of[side].draws.parameters,
                                       (const char *const *)c->of[side].draws.names));
  for (int64_t i = 0; i < a->parameters; i++) {
    int64_t other = 0;
    while (other < b->parameters && !sl__cli_same_name(a->names[i], b->names[other])) other++;
    if (other < b->parameters) c->differ[c->count++] = (difference){.a = i, .b = other};
  }
  if (c->count > 0) {
    if (c->count < a->parameters || c->count < b->parameters)
      sl__cli_say(cli, "compared: the %lld parameters that both have", (long long)c->count);
    return SL_OK;
  }
  if (a->parameters != b->parameters)
    return sl__fail(
        cli->context, SL_BAD_ARGUMENT,
        "%s: no parameter has a name of %s (\"%.40s\" against \"%.40s\"); give draws of "
        "the same quantities",
        c->of[1].name, c->of[0].name, b->names[0], a->names[0]);
  sl__cli_say(cli, "no name is common; parameters are compared in their order");
  for (; c->count < a->parameters; c->count++)
    c->differ[c->count] = (difference){.a = c->count, .b = c->count};
  return SL_OK;
}

/* Independent draws that a row's draws are worth: at most as many as there are. */
static double effective(const sl__cli_draws *d, int64_t parameter) {
  const double draws = (double)(d->draws.chains * d->draws.draws);
  const double ess = d->rows[parameter].ess_bulk;
  return ess > 0 && ess < draws ? ess : draws;
}

static double error_of(const sl__summary_row *row) {
  return row->constant ? 0 : row->mcse_mean;
}

static double in_units(double gap, double unit) {
  return gap == 0 ? 0 : gap / unit;
}

static sl_status compare_one(sl__cli *cli, const comparison *c, difference *d) {
  const sl__summary_row *a = &c->of[0].rows[d->a], *b = &c->of[1].rows[d->b];
  const sl__series of_a = sl__cli_series(&c->of[0], d->a), of_b = sl__cli_series(&c->of[1], d->b);
  const double gap = a->mean - b->mean;
  /* What never moves has no error: a gap between constants is beyond every bound, or none. */
  d->mean_in_mcse = in_units(gap, hypot(error_of(a), error_of(b)));
  d->mean_in_sd = in_units(gap, sqrt(0.5) * hypot(a->sd, b->sd));
  d->sd_ratio = a->sd / b->sd;
  return sl__wasserstein_distance(cli->context, &of_a, &of_b, effective(&c->of[0], d->a),
                                  effective(&c->of[1], d->b), &d->wasserstein);
}

/* The columns that both have, side by side. */
static sl_status gather(sl__cli *cli, const comparison *c, int side, sl__sample *out) {
  const sl__cli_draws *d = &c->of[side];
  const int64_t rows = d->draws.chains * d->draws.draws;
  double *values = sl__arena_take(&cli->arena, (size_t)rows, (size_t)c->count * sizeof *values);
  if (!values) return SL_NO_MEMORY;
  *out = (sl__sample){rows, c->count, values, c->count, 1, (double)rows};
  for (int64_t i = 0; i < c->count; i++) {
    const int64_t from = side == 0 ? c->differ[i].a : c->differ[i].b;
    for (int64_t row = 0; row < rows; row++)
      values[row * c->count + i] = d->draws.values[row * d->draws.columns + from];
    out->effective = fmin(out->effective, effective(d, from));
  }
  return SL_OK;
}

static bool all_finite(const comparison *c) {
  for (int64_t i = 0; i < c->count; i++)
    if (c->of[0].rows[c->differ[i].a].non_finite + c->of[1].rows[c->differ[i].b].non_finite > 0)
      return false;
  return true;
}

/* Rows for the energy test: all distances between them are computed, so fewer of many columns. */
static int64_t tested_rows(int64_t columns) {
  const double work = 2e8;
  const double rows = fmin(sqrt(work / (double)columns), MOST_TESTED);
  return rows > LEAST_TESTED ? (int64_t)rows : LEAST_TESTED;
}

static sl_status compare(sl__cli *cli, comparison *c) {
  SL__TRY(pair_columns(cli, c));
  for (int64_t i = 0; i < c->count; i++) SL__TRY(compare_one(cli, c, &c->differ[i]));
  c->test = (sl__energy_test){NAN, NAN, 0, 0};
  if (!all_finite(c)) return SL_OK;
  sl__sample a, b;
  SL__TRY(gather(cli, c, 0, &a));
  SL__TRY(gather(cli, c, 1, &b));
  return sl__energy_distance(cli->context, &a, &b, tested_rows(c->count), PERMUTATIONS, cli->seed,
                             &c->test);
}

/* ---- the verdict ---- */

/* How far beyond what chance explains: 1 is the bound. Means may be 4 errors apart (one in 16,000
 * by chance), distributions three times the floor (one in 10,000 for two normal samples). */
static double excess(const difference *d) {
  return fmax(fabs(d->mean_in_mcse) / 4, d->wasserstein.distance / (3 * d->wasserstein.floor));
}

static int farthest_first(const void *a, const void *b) {
  const difference *x = a, *y = b;
  const double p = isnan(excess(x)) ? -1 : excess(x), q = isnan(excess(y)) ? -1 : excess(y);
  if (p != q) return p > q ? -1 : 1;
  return x->a < y->a ? -1 : x->a > y->a;
}

static void conclude(comparison *c) {
  const difference *worst = &c->differ[0];
  int64_t apart = 0;
  char means[64], sds[64], ratio[64], distance[64], floor[64], p[64];
  for (int64_t i = 0; i < c->count; i++) {
    apart += excess(&c->differ[i]) > 1;
    if (farthest_first(&c->differ[i], worst) < 0) worst = &c->differ[i];
  }
  sl__format_fixed(means, fabs(worst->mean_in_mcse), 1);
  sl__format_fixed(sds, fabs(worst->mean_in_sd), 3);
  sl__format_fixed(ratio, worst->sd_ratio, 3);
  sl__format_fixed(distance, worst->wasserstein.distance, 3);
  sl__format_fixed(floor, worst->wasserstein.floor, 3);
  sl__format_fixed(p, c->test.p_value, 3);
  const char *name = c->of[0].draws.names[worst->a];
  c->same = apart == 0 && c->test.p_value >= 0.01;
  if (isnan(c->test.p_value))
    snprintf(c->verdict, sizeof c->verdict,
             "Cannot be compared: values that are not finite, or too few draws; see `sluice "
             "summary`.");
  else if (c->same)
    snprintf(c->verdict, sizeof c->verdict,
             "No difference found: energy test p = %s on %lld and %lld rows; farthest apart is "
             "%.60s, means %s MCSE (%s sd) apart, Wasserstein %s sd where exact draws show %s.",
             p, (long long)c->test.rows_a, (long long)c->test.rows_b, name, means, sds, distance,
             floor);
  else
    snprintf(
        c->verdict, sizeof c->verdict,
        "Different: %lld of %lld parameters beyond chance, energy test p = %s on %lld and %lld "
        "rows; farthest apart is %.60s, means %s MCSE (%s sd) apart, sd ratio %s, Wasserstein %s "
        "sd where exact "
        "draws show %s.",
        (long long)apart, (long long)c->count, p, (long long)c->test.rows_a,
        (long long)c->test.rows_b, name, means, sds, ratio, distance, floor);
}

/* ---- printing ---- */

static int print_text(sl__cli *cli, const comparison *c) {
  sl__text text;
  sl__text_open(&text, cli->context);
  const bool all = sl__cli_option(cli, "all")->integer != 0 || c->count <= SHOWN;
  if (!all) qsort(c->differ, (size_t)c->count, sizeof *c->differ, farthest_first);
  int width = 9;
  for (int64_t i = 0; i < c->count; i++) {
    const size_t length = strlen(c->of[0].draws.names[c->differ[i].a]);
    if ((int)length > width) width = length < NAME_WIDTH ? (int)length : NAME_WIDTH;
  }
  sl__text_add(&text, "%-*s  mean diff: MCSE        sd  sd ratio  Wasserstein  its floor\n", width,
               "parameter");
  for (int64_t i = 0; i < (all ? c->count : SHOWN); i++) {
    const difference *d = &c->differ[i];
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

static int print_json(sl__cli *cli, const comparison *c) {
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_open_array(&json, "parameters");
  for (int64_t i = 0; i < c->count; i++) {
    const difference *d = &c->differ[i];
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
  comparison c = {0};
  sl_status status = SL_OK;
  for (int side = 0; side < 2 && status == SL_OK; side++)
    status = read_one(cli, side, ROWS_OF_MODEL, &c.of[side]);
  if (status == SL_OK) status = compare(cli, &c);
  int code;
  if (status != SL_OK) {
    code = sl__cli_fail(cli, status);
  } else {
    conclude(&c);
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
        "A and B: files of draws as for `sluice summary`, or models (4,000 rows are drawn by "
        "--seed). Of a\nfit to a Stan program its parameters and transformed parameters are "
        "compared, "
        "of two fits with\n--unconstrained the flows' coordinates. Differences are A less B; the "
        "floor is what exact draws\nwould show. A difference that is found is a result: the exit "
        "code is 0, and --json has `same`.\nExit code 1: the two cannot be compared, as there are "
        "values that are not finite, or too few.\n",
    .examples = "  sluice compare draws.csv reference.csv\n"
                "  sluice compare draws.csv q.safetensors --json\n",
    .minimum = 2,
    .maximum = 2,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .shared_options = sl__cli_fit_target_rows,
    .run = run,
};
