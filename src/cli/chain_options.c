/* Options of chains, and their first points. */
#include "cli/chain_options.h"

#include <string.h>

#include "cli/points.h"
#include "infer/chain/pathfinder.h"

static void set_integer(sl__cli *cli, const char *name, int32_t *to) {
  if (sl__cli_typed(cli, name)) *to = (int32_t)sl__cli_option(cli, name)->integer;
}

void sl__cli_read_sampler(sl__cli *cli, sl__sampler_options *out) {
  set_integer(cli, "chains", &out->chains);
  set_integer(cli, "warmup", &out->warmup);
  set_integer(cli, "draws", &out->draws);
  set_integer(cli, "thin", &out->thin);
  set_integer(cli, "trajectories", &out->trajectories);
  set_integer(cli, "max-treedepth", &out->most_depth);
  set_integer(cli, "halvings", &out->halvings);
  set_integer(cli, "init-candidates", &out->init_candidates);
  if (sl__cli_typed(cli, "adapt-delta")) {
    out->adapt_delta = sl__cli_option(cli, "adapt-delta")->real;
    out->careful_delta = out->strict_delta = out->adapt_delta;
  }
  if (sl__cli_typed(cli, "step-size")) out->step_size = sl__cli_option(cli, "step-size")->real;
  if (sl__cli_typed(cli, "metric"))
    out->metric = (sl__metric_kind)sl__cli_option(cli, "metric")->integer;
  out->save_warmup = sl__cli_option(cli, "save-warmup")->integer == 1;
  out->seed = cli->seed;
}

/* ---- first points ---- */

static sl_status from_flow(sl__cli *cli, const char *path, int32_t chains, int32_t dim, double *q) {
  sl_flow *flow;
  SL__TRY(sl_flow_load(cli->context, sl__cli_about(cli, path, NULL), &flow));
  sl_status status = SL_OK;
  if (sl_flow_dim(flow) != dim)
    status = sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "%s: a flow of %d columns; the target has %d coordinates", path,
                      (int)sl_flow_dim(flow), (int)dim);
  const sl_array_out x = sl_out_f64(q, chains, dim);
  if (status == SL_OK) status = sl_flow_sample(cli->context, flow, cli->seed, NULL, &x, NULL);
  sl_flow_free(flow);
  return status;
}

/* One row serves all chains. */
static sl_status from_table(sl__cli *cli, const char *path, int32_t chains, int32_t dim,
                            double *q) {
  sl__table table;
  SL__TRY(sl__cli_read_table(cli, path, &table));
  sl_status status = SL_OK;
  if (table.columns != dim || (table.rows != 1 && table.rows < chains) || table.type != SL_F64)
    status = sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "%s: %lld rows of %lld columns; give a row of the %d unconstrained "
                      "coordinates for each of the %d chains, or one for all",
                      path, (long long)table.rows, (long long)table.columns, (int)dim, (int)chains);
  const double *rows = table.data;
  for (int32_t c = 0; status == SL_OK && c < chains; c++)
    memcpy(q + (size_t)c * (size_t)dim, rows + (table.rows == 1 ? 0 : (size_t)c * (size_t)dim),
           (size_t)dim * sizeof *q);
  sl__table_close(&table);
  return status;
}

/* Draws of a run: of equally many from each of its chains, as they stand one after another. */
static sl_status from_draws(sl__cli *cli, const char *path, const sl__target *target,
                            int32_t chains, double *q) {
  bool constrained = true;
  int64_t rows;
  double *points;
  SL__TRY(sl__cli_read_points(cli, path, target, &constrained, &rows, &points));
  if (rows < chains)
    return sl__fail(cli->context, SL_BAD_ARGUMENT, "%s: %lld draws; give one for each of %d chains",
                    path, (long long)rows, (int)chains);
  const size_t dim = (size_t)target->dim;
  for (int32_t c = 0; c < chains; c++)
    memcpy(q + (size_t)c * dim, points + (size_t)(c * (rows / chains)) * dim, dim * sizeof *q);
  return SL_OK;
}

static sl_status from_pathfinder(sl__cli *cli, const sl__target *target, int32_t chains,
                                 double *q) {
  sl__pathfinder_options options;
  sl__pathfinder_report report;
  sl__pathfinder_defaults(&options);
  options.seed = cli->seed;
  return sl__pathfinder_run(cli->context, target, &options, chains, q, NULL, &report);
}

sl_status sl__cli_first_points(sl__cli *cli, const sl__target *target, sl__sampler_options *options,
                               const double **first) {
  const char *from = sl__cli_option(cli, "init")->text;
  *first = NULL;
  if (!from) return SL_OK;
  const char *end = from + strlen(from);
  double radius;
  if (sl__parse_real(from, end, &radius) == end) {
    options->init_radius = radius;
    return SL_OK;
  }
  double *q = sl__arena_take(&cli->arena, (size_t)options->chains, (size_t)target->dim * sizeof *q);
  if (!q) return SL_NO_MEMORY;
  *first = q;
  if (strcmp(from, "pathfinder") == 0) return from_pathfinder(cli, target, options->chains, q);
  if (sl__has_ending(from, ".safetensors"))
    return from_flow(cli, from, options->chains, target->dim, q);
  SL__TRY(sl__cli_expect_rows(
      cli, from, "points", "--init takes a table of points, draws, pathfinder, or a fitted flow"));
  if (sl__cli_is_stan_csv(cli, from)) return from_draws(cli, from, target, options->chains, q);
  return from_table(cli, from, options->chains, target->dim, q);
}

/* ---- comments ---- */

enum { MOST_COMMENTS = 20 };

/* CmdStan's readers know Stan's three metrics, and refuse a file that does not name the one whose
 * numbers it holds. sluice's own name stands beside it, in a line without "metric =", which they
 * take wherever it is found. */
static const char *form_in_file(sl__metric_kind kind) {
  const bool stans = kind == SL__METRIC_KIND_UNIT_E || kind == SL__METRIC_KIND_DENSE_E;
  return sl__metric_kind_name(stans ? kind : SL__METRIC_KIND_DIAG_E);
}

static bool add_comment(sl__cli *cli, const char **lines, int64_t *count, sl__text *text) {
  lines[*count] = text->failed ? NULL : sl__arena_text(&cli->arena, text->data, text->length);
  text->length = 0;
  return lines[(*count)++] != NULL;
}

/* An option of a command that has it and was given it, or has a default. */
static bool add_option(sl__cli *cli, const char *name, const char **lines, int64_t *count,
                       sl__text *text) {
  const sl__option_value *value = sl__cli_option(cli, name);
  if (!value->text && value->integer == 0) return true;
  if (value->text)
    sl__text_add(text, "%s = %s", name, value->text);
  else
    sl__text_add(text, "%s = %lld", name, (long long)value->integer);
  return add_comment(cli, lines, count, text);
}

sl_status sl__cli_comments(sl__cli *cli, const sl__target *target,
                           const sl__sampler_options *options, int64_t *count,
                           const char *const **lines) {
  const char **out = sl__arena_take(&cli->arena, MOST_COMMENTS, sizeof *out);
  if (!out) return SL_NO_MEMORY;
  const struct {
    const char *name;
    long long value;
  } integers[] = {{"num_samples", options->draws},       {"num_warmup", options->warmup},
                  {"save_warmup", options->save_warmup}, {"thin", options->thin},
                  {"max_depth", options->most_depth},    {"num_chains", options->chains},
                  {"seed", (long long)options->seed}};
  sl__text text;
  sl__text_open(&text, cli->context);
  bool good = true;
  *count = 0;
  sl__text_add(&text, "sluice %s %s", sl_version_text(), cli->command->name);
  good &= add_comment(cli, out, count, &text);
  sl__text_add(&text, "model = %s", target->title);
  good &= add_comment(cli, out, count, &text);
  static const char *const method[] = {"method = sample", "algorithm = hmc", "engine = nuts"};
  for (size_t i = 0; i < sizeof method / sizeof *method; i++) {
    sl__text_add(&text, "%s", method[i]);
    good &= add_comment(cli, out, count, &text);
  }
  for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
    sl__text_add(&text, "%s = %lld", integers[i].name, integers[i].value);
    good &= add_comment(cli, out, count, &text);
  }
  sl__text_add(&text, "delta = ");
  sl__text_add_real(&text, options->adapt_delta, SL_F64);
  good &= add_comment(cli, out, count, &text);
  sl__text_add(&text, "metric = %s", form_in_file(options->metric));
  good &= add_comment(cli, out, count, &text);
  sl__text_add(&text, "metric_kind = %s", sl__metric_kind_name(options->metric));
  good &= add_comment(cli, out, count, &text);
  /* auto: chains go on from the draws that the flow was fitted to */
  const char *flow = sl__cli_option(cli, "precondition")->text;
  if (sl__cli_typed(cli, "init") || !flow || strcmp(flow, "auto") != 0)
    good &= add_option(cli, "init", out, count, &text);
  good &= add_option(cli, "precondition", out, count, &text);
  good &= add_option(cli, "jumps", out, count, &text);
  good &= add_option(cli, "trajectories", out, count, &text);
  if (options->halvings > 0) {
    sl__text_add(&text, "halvings = %d", options->halvings);
    good &= add_comment(cli, out, count, &text);
  }
  sl__text_close(&text);
  *lines = out;
  return good ? SL_OK : SL_NO_MEMORY;
}
