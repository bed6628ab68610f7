/* Flows to precondition with: of a file, or fitted on the way. */
#include "cli/precondition.h"

#include <string.h>

#include "cli/watch.h"

static void tell_round(void *user, int round, int64_t divergences) {
  sl__cli_say(user, "round %d: %lld divergences", round, (long long)divergences);
}

static bool may_go_on(void *user) {
  (void)user;
  return !sl__watch_interrupted();
}

static sl_status find_one(sl__cli *cli, const sl__target *target, sl__sampler_options *options,
                          sl__precondition *out) {
  const size_t count = (size_t)options->chains, dim = (size_t)target->dim;
  double *x = sl__arena_take(&cli->arena, count, dim * sizeof *x);
  double *z = sl__arena_take(&cli->arena, count, dim * sizeof *z);
  if (!x || !z) return SL_NO_MEMORY;
  sl__auto_report report;
  const sl__auto_listener listener = {.round = tell_round, .may_go_on = may_go_on, .user = cli};
  sl__cli_say(cli, "fitting a flow to sample in");
  const sl_status status =
      sl__auto_precondition(cli->context, target, options, &out->model, x, &listener, &report);
  if (status == SL_STOPPED)
    sl__fail(cli->context, status, "interrupted while fitting the flow; nothing is saved");
  SL__TRY(status);
  if (report.diverges && options->jumps == 0)
    sl__cli_say(cli, "runs in the space of the flow diverge after %d rounds yet", report.rounds);
  out->gradients = report.gradients;
  out->diverges = report.diverges;
  SL__TRY(sl__target_preconditioned(cli->context, target, out->model, &out->target));
  SL__TRY(sl__preconditioned_pull(cli->context, out->target, options->chains, x, z));
  out->first = z;
  return SL_OK;
}

/* What a hasty fit leaves crooked wants smaller steps than the target by itself would; jumps make up
 * for places that steps do not come to. */
static double delta_in(const sl__sampler_options *options, bool diverges) {
  if (options->jumps > 0) return 0.99;
  return diverges ? 0.999 : 0.995;
}

sl_status sl__cli_precondition(sl__cli *cli, const sl__target *target, sl__sampler_options *options,
                               sl__precondition *out) {
  const char *from = sl__cli_option(cli, "precondition")->text;
  if (!from) return SL_OK;
  SL__TRY(sl__sampler_check(cli->context, options)); /* before a fit that may take long */
  if (strcmp(from, "auto") == 0) {
    SL__TRY(find_one(cli, target, options, out));
    if (!sl__cli_typed(cli, "adapt-delta")) options->adapt_delta = delta_in(options, out->diverges);
    if (options->jumps == 0 && !sl__cli_typed(cli, "halvings") &&
        options->most_depth + SL__HALVINGS_IN_FLOW <= SL__MOST_DOUBLINGS)
      options->halvings = SL__HALVINGS_IN_FLOW;
  } else {
    const sl_status status =
        sl__model_load(cli->context, sl__cli_about(cli, from, NULL), &out->model);
    SL__TRY(sl__cli_judge_model(cli, from, "--precondition", "a fitted flow or auto", status));
    SL__TRY(sl__target_preconditioned(cli->context, target, out->model, &out->target));
  }
  out->formula = out->model->flow->formula;
  return SL_OK;
}

void sl__precondition_close(sl__cli *cli, sl__precondition *precondition) {
  sl__target_free(precondition->target);
  sl__model_free(cli->context, precondition->model);
}
