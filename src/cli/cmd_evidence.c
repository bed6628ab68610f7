/* sluice evidence: the log of a density's integral, by importance sampling and by bridge sampling,
 * from a fit or from draws. */
#include <math.h>
#include <string.h>
#include "api/handle.h"
#include "cli/draws.h"
#include "cli/estimate.h"
#include "cli/fit_target.h"
#include "cli/points.h"
#include "cli/target_options.h"
#include "infer/posterior/posterior.h"

static const sl__option_row options[] = {
    {"draws", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "draws of the target, as `sluice nuts` writes them; \"%d\" stands for all chains' numbers"},
    {"flow", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "of a target with --draws: formula of the flow fitted to their first half; chosen by default"},
    {"judge", SL__OPTION_INT, "20000", 100, 1e8, NULL, "draws of the flow"},
    {"chains", SL__OPTION_INT, NULL, 1, 1000, NULL,
     "of a fit without --draws: chains that make some, 4 by default; else: cut one file into "
     "these"},
    {"moves", SL__OPTION_INT, "1000", 100, 1e7, NULL, "of a fit without --draws: draws per chain"},
    {"format", SL__OPTION_CHOICE, NULL, 0, 0, "csv|npy", "format of the draws' file"},
    {"model", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "of a fit whose file does not hold it: the Stan program, or the library"},
};

typedef struct request {
  sl_flow *flow; /* of a fit, or NULL */
  sl__target *target;
  sl__cli_draws of;
  sl__posterior_draws draws;
  sl__evidence_options options;
  sl__model *fitted; /* to the draws' first half, or NULL */
} request;

static bool is_fit(const sl__cli *cli) {
  static const char ending[] = ".safetensors";
  const char *path = cli->argument_count > 0 ? cli->arguments[0] : "";
  const size_t length = strlen(path), tail = sizeof ending - 1;
  return length > tail && strcmp(path + length - tail, ending) == 0;
}

/* The file names the density already. */
static sl_status refuse_second_target(sl__cli *cli) {
  static const char *const others[] = {"target", "density", "dim"};
  for (size_t k = 0; k < sizeof others / sizeof *others; k++)
    if (sl__cli_typed(cli, others[k]))
      return sl__fail(cli->context, SL_BAD_ARGUMENT,
                      "more than one target is given: the fit has its own; leave --%s out",
                      others[k]);
  return SL_OK;
}

static sl_status open_fit(sl__cli *cli, request *r) {
  const char *path = cli->arguments[0];
  SL__TRY(refuse_second_target(cli));
  SL__TRY(sl__cli_open_model(cli, path, &r->flow));
  SL__TRY(sl__cli_fit_target(cli, r->flow, path, &r->target));
  if (r->target) return SL_OK;
  return sl__fail(cli->context, SL_BAD_ARGUMENT,
                  "%s: the file names no density that the flow was fitted to; add --model FILE "
                  "with --data FILE",
                  path);
}

static sl_status read_draws(sl__cli *cli, request *r) {
  const char *path = sl__cli_option(cli, "draws")->text;
  double *q;
  if (!path && r->flow) return SL_OK;
  if (!path)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "there is neither a fit nor draws; give a fit's file, or add --draws FILE");
  SL__TRY(sl__cli_read_draws(cli, 1, &path, &r->of));
  SL__TRY(sl__cli_draws_to_points(cli, &r->of.draws, r->target, &q));
  r->draws = (sl__posterior_draws){r->of.draws.chains, r->of.draws.draws, q};
  return SL_OK;
}

static sl_status compute(sl__cli *cli, request *r, sl__evidence_report *report) {
  cli->place = NULL;
  if (!r->flow)
    return sl__posterior_evidence_of_draws(cli->context, r->target,
                                           sl__cli_option(cli, "flow")->text, &r->draws,
                                           &r->options, report, &r->fitted);
  return sl__posterior_evidence(cli->context, r->target, r->flow->model, &r->draws, &r->options,
                                report);
}

/* ---- printing ---- */

static const sl__model *model_of(const request *r) {
  return r->flow ? r->flow->model : r->fitted;
}

static int print_json(sl__cli *cli, const request *r, const sl__evidence_report *e) {
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_text(&json, "target", r->target->title);
  sl__json_integer(&json, "dim", r->target->dim);
  sl__json_text(&json, "flow", model_of(r)->flow->formula);
  sl__cli_json_estimate(&json, "log_evidence", e->value, e->se);
  sl__cli_json_estimate(&json, "importance", e->importance, e->importance_se);
  sl__cli_json_estimate(&json, "bridge", e->bridge.value, e->bridge.se);
  sl__json_real(&json, "exact_log_evidence", r->target->log_evidence);
  sl__json_real(&json, "khat", e->psis.khat);
  sl__json_real(&json, "khat_threshold", e->psis.threshold);
  sl__json_real(&json, "ess", e->psis.ess);
  sl__json_integer(&json, "judged_by", e->judged_by);
  sl__json_integer(&json, "posterior_draws", e->posterior_draws);
  sl__json_real(&json, "posterior_ess", e->ess);
  sl__json_real(&json, "rhat", e->rhat);
  sl__json_integer(&json, "bridge_iterations", e->bridge.iterations);
  sl__json_integer(&json, "gradient_evaluations", e->gradient_evaluations);
  sl__json_boolean(&json, "trusted", e->trusted);
  sl__json_text(&json, "verdict", e->verdict);
  return sl__cli_json_close(cli, &text, &json);
}

static int print_text(sl__cli *cli, const request *r, const sl__evidence_report *e) {
  const double none = (double)NAN;
  sl__text text;
  sl__text_open(&text, cli->context);
  sl__cli_add_target(&text, r->target);
  sl__text_add(&text, "\nflow    %s\n\n", model_of(r)->flow->formula);
  sl__cli_add_estimate_heads(&text);
  sl__cli_add_estimate(&text, "log evidence", e->value, e->se);
  sl__cli_add_estimate(&text, "  by importance sampling", e->importance, e->importance_se);
  sl__cli_add_estimate(&text, "  by bridge sampling", e->bridge.value, e->bridge.se);
  if (!isnan(r->target->log_evidence))
    sl__cli_add_estimate(&text, "  exact", r->target->log_evidence, none);
  sl__text_add(&text, "\n");
  sl__cli_add_khat(&text, e->psis.khat, e->psis.threshold);
  sl__cli_add_estimate(&text, "R-hat of the draws", e->rhat, none);
  sl__cli_add_estimate(&text, "effective draws", e->ess, none);
  sl__text_add(&text, "\n%s\n", e->verdict);
  return sl__cli_print(cli, &text);
}

static sl_status open_all(sl__cli *cli, request *r) {
  SL__TRY(is_fit(cli) ? open_fit(cli, r) : sl__cli_open_target(cli, &r->target));
  if (r->flow && sl__cli_option(cli, "flow")->text)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--flow is of a target with --draws; the fit has its own, so leave it out");
  SL__TRY(read_draws(cli, r));
  return sl__cli_hire(cli);
}

static int run(sl__cli *cli) {
  request r = {0};
  sl__evidence_report report;
  sl__evidence_defaults(&r.options);
  r.options.judge = sl__cli_option(cli, "judge")->integer;
  if (sl__cli_typed(cli, "chains"))
    r.options.chains = (int32_t)sl__cli_option(cli, "chains")->integer;
  r.options.moves = (int32_t)sl__cli_option(cli, "moves")->integer;
  r.options.seed = cli->seed;
  sl_status status = open_all(cli, &r);
  if (status == SL_OK) status = compute(cli, &r, &report);
  int code;
  if (status != SL_OK)
    code = sl__cli_fail(cli, status);
  else
    code = cli->json ? print_json(cli, &r, &report) : print_text(cli, &r, &report);
  if (status == SL_OK && code == SL__EXIT_DONE && !report.trusted) code = SL__EXIT_FAILED;
  sl__model_free(cli->context, r.fitted);
  if (r.of.name) sl__draws_close(&r.of.draws);
  sl__target_free(r.target);
  sl_flow_free(r.flow);
  return code;
}

const sl__command sl__command_evidence = {
    .name = "evidence",
    .arguments = "[FIT | TARGET]",
    .summary = "estimate the log evidence of a model, from a fit or from draws",
    .details =
        "FIT is a file of `sluice vi`: importance sampling with its draws, and bridge sampling "
        "with\n"
        "--draws, or with draws that chains in the flow's base space make. TARGET, named as for\n"
        "`sluice vi`, wants --draws: a flow is fitted to the first half of each chain and bridges\n"
        "with the second. log_evidence is bridge sampling's where that may be trusted.\n"
        "Exit code 1: the estimate is not to be trusted, for the reason that the verdict says.\n",
    .examples = "  sluice evidence q.safetensors --json\n"
                "  sluice evidence q.safetensors --draws draws.csv\n"
                "  sluice evidence model.stan --data data.json --draws draws.csv\n",
    .minimum = 0,
    .maximum = 1,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .shared_options = sl__cli_target_rows,
    .run = run,
};
