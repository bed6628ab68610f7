/* What `sluice nuts` and `sluice mix` share: from the request to the verdict. */
#include "cli/chain_run.h"

#include <string.h>

#include "cli/chain_options.h"
#include "cli/chain_output.h"
#include "cli/draws_file.h"
#include "cli/precondition.h"
#include "cli/target_options.h"

typedef struct request {
  sl__target *target;
  sl__precondition precondition;
  sl__sampler_options options;
  const double *first;
  double begun; /* seconds */
} request;

static sl_status read_request(sl__cli *cli, request *r) {
  const char *path = sl__cli_option(cli, "output")->text;
  if (r->options.save_warmup && r->options.chains > 1 && path && !strstr(path, "%d"))
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%s: the warm-up of several chains cannot be told apart in one file; put %%d "
                    "in its name",
                    path);
  SL__TRY(sl__cli_check_draws_file(cli, r->options.chains));
  sl__draws_format format;
  if (r->options.save_warmup && path && sl__draws_find_format(path, &format) &&
      format != SL__DRAWS_CSV)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "%s: only CSV can hold the warm-up; leave --save-warmup out", path);
  return sl__cli_open_sampled_target(cli, &r->target);
}

/* ---- results ---- */

static int print_json(sl__cli *cli, const request *r, const sl__cli_summary *s,
                      const sl__sampler_report *report) {
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_text(&json, "target", r->target->title);
  sl__json_integer(&json, "dim", r->target->dim);
  sl__json_text(&json, "metric", sl__metric_kind_name(r->options.metric));
  sl__json_text(&json, "precondition", r->precondition.formula);
  if (r->precondition.first)
    sl__json_boolean(&json, "precondition_passed", !r->precondition.diverges);
  sl__json_integer(&json, "warmup", r->options.warmup);
  sl__json_integer(&json, "gradient_evaluations", report->gradients + r->precondition.gradients);
  sl__json_real(&json, "adapt_delta", report->adapt_delta);
  sl__json_integer(&json, "trajectories_per_draw", report->trajectories);
  sl__json_integer(&json, "irreversible", report->irreversible);
  sl__json_integer(&json, "chains_regrouped", report->regrouped);
  if (report->jumps > 0)
    sl__json_real(&json, "jump_acceptance", (double)report->jumps_taken / (double)report->jumps);
  sl__json_integer(&json, "divergences_undefined", report->undefined);
  sl__json_integer(&json, "divergences_refused", report->refused);
  sl__cli_json_judged(&json, s);
  return sl__cli_json_close(cli, &text, &json);
}

static int print_text(sl__cli *cli, const request *r, const sl__cli_summary *s,
                      const sl__sampler_report *report) {
  sl__text text;
  sl__text_open(&text, cli->context);
  sl__cli_add_target(&text, r->target);
  sl__text_add(&text, "; %lld gradients\n",
               (long long)(report->gradients + r->precondition.gradients));
  if (r->precondition.formula)
    sl__text_add(&text, "sampled in the space of the flow %s\n", r->precondition.formula);
  if (r->precondition.diverges && r->options.jumps == 0)
    sl__text_add(&text, "no flow was found in whose space short runs do not diverge\n");
  if (report->adapt_delta > r->options.adapt_delta)
    sl__text_add(&text, "the warm-up diverged, so the draws aim at an acceptance of %g\n",
                 report->adapt_delta);
  if (report->trajectories > 1)
    sl__text_add(&text, "%d trajectories from one draw to the next%s\n", (int)report->trajectories,
                 r->options.trajectories == 0 ? ", as the warm-up mixed slowly" : "");
  if (r->options.halvings > 0)
    sl__text_add(
        &text,
        "steps were halved up to %d times where the energy changed too much; %lld draws have "
        "a trajectory that ended as its shorter steps could not be taken back\n",
        r->options.halvings, (long long)report->irreversible);
  if (report->regrouped > 0)
    sl__text_add(&text,
                 "%lld times the warm-up moved a chain out of a mode of next to no mass, to where "
                 "another chain was\n",
                 (long long)report->regrouped);
  if (report->jumps > 0)
    sl__text_add(&text, "%lld of %lld jumps accepted\n", (long long)report->jumps_taken,
                 (long long)report->jumps);
  if (sl__cli_add_summary(cli, s, sl__cli_option(cli, "all")->integer != 0, &text) != SL_OK)
    text.failed = true;
  return sl__cli_print_beside_draws(cli, &text);
}

static void tell_interruption(sl__cli *cli, const sl__chain_output *out) {
  if (!sl__chain_output_has_draws(out))
    sl__fail(cli->context, SL_STOPPED, "interrupted before every chain had a draw");
  else if (out->path)
    sl__fail(cli->context, SL_STOPPED, "interrupted; the draws so far are in %s", out->path);
  else
    sl__fail(cli->context, SL_STOPPED,
             "interrupted; the draws so far were not saved, -o draws.csv would keep them");
}

static int conclude(sl__cli *cli, const request *r, sl__chain_output *out,
                    const sl__sampler_report *report, sl_status status) {
  sl__cli_summary s;
  if (status == SL_STOPPED) tell_interruption(cli, out);
  int code = status == SL_OK ? SL__EXIT_DONE : sl__cli_fail(cli, status);
  if (!sl__chain_output_has_draws(out)) return code;
  out->kept.rows =
      sl__arena_take(&cli->arena, (size_t)out->kept.draws.parameters, sizeof *out->kept.rows);
  if (!out->kept.rows) return sl__cli_fail(cli, SL_NO_MEMORY);
  out->kept.undefined = report->undefined;
  out->kept.refused = report->refused;
  out->kept.refusal = report->refusal;
  const sl__series first = sl__cli_series(&out->kept, 0);
  sl_status judged =
      sl__summarise(cli->context, &first, out->kept.draws.parameters, 1, out->kept.rows);
  if (judged == SL_OK) judged = sl__cli_judge(cli, &out->kept, &s);
  if (judged != SL_OK) return sl__cli_fail(cli, judged);
  const int printed = cli->json ? print_json(cli, r, &s, report) : print_text(cli, r, &s, report);
  if (code != SL__EXIT_DONE) return code;
  if (!out->path && !cli->json)
    sl__cli_say(cli, "the draws were not saved; -o draws.csv would keep them");
  if (printed != SL__EXIT_DONE) return printed;
  return s.trusted ? SL__EXIT_DONE : SL__EXIT_FAILED;
}

/* ---- the command ---- */

/* All that is read comes before the output is opened: it may be where an older run's draws are. */
static sl_status prepare(sl__cli *cli, request *r, const sl__sampler_report *report,
                         sl__chain_output *out) {
  int64_t count = 0;
  const char *const *comments = NULL;
  SL__TRY(read_request(cli, r));
  sl__watch_signals();
  SL__TRY(sl__cli_hire(cli));
  r->begun = sl__os_seconds();
  SL__TRY(sl__cli_precondition(cli, r->target, &r->options, &r->precondition));
  const sl__target *target = r->precondition.target ? r->precondition.target : r->target;
  if (r->precondition.target && !sl__cli_typed(cli, "init"))
    r->first = r->precondition.first;
  else
    SL__TRY(sl__cli_first_points(cli, target, &r->options, &r->first));
  SL__TRY(sl__cli_comments(cli, r->target, &r->options, &count, &comments));
  return sl__chain_output_open(cli, r->target, &r->options, report, count, comments, out);
}

static sl_status sample(sl__cli *cli, const request *r, sl__chain_output *out,
                        sl__sampler_report *report) {
  const sl__target *target = r->precondition.target ? r->precondition.target : r->target;
  out->begun = r->begun;
  cli->place = NULL;
  const sl__record_listener listener = sl__chain_output_listener(out);
  return sl__record_run(cli->context, target, &r->options, r->first, &listener, report);
}

int sl__cli_run_chains(sl__cli *cli, const sl__sampler_options *options) {
  request r = {.options = *options};
  sl__chain_output out = {0};
  sl__sampler_report report = {0};
  sl_status status = prepare(cli, &r, &report, &out);
  const bool opened = status == SL_OK;
  if (opened) status = sample(cli, &r, &out, &report);
  if (opened) status = sl__chain_output_finish(&out, status);
  const int code = opened ? conclude(cli, &r, &out, &report, status) : sl__cli_fail(cli, status);
  sl__chain_output_close(&out);
  sl__precondition_close(cli, &r.precondition);
  sl__target_free(r.target);
  return code;
}
