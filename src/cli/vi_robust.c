/* sluice vi in robust mode: calls it, and prints its report as a table or as JSON. */
#include "cli/vi_robust.h"
#include <math.h>
#include <string.h>
#include "cli/estimate.h"
#include "cli/kept.h"
#include "cli/target_options.h"
#include "cli/watch.h"
#include "flow/model.h"
#include "infer/robust/robust.h"

/* ---- progress ---- */

typedef struct showing {
  sl__watch watch;
  double next; /* when to look for Ctrl-C again */
} showing;

/* "exploring", or "attempt 2, fitting by likelihood: step 120 of 800, loss 3.2154": stages have no
 * common measure, so that nothing is said of the time left. */
static void add_stage(sl__text *text, const sl__robust_progress *now) {
  static const char *const names[SL__ROBUST_STAGES] = {
      [SL__ROBUST_EXPLORE] = "exploring",
      [SL__ROBUST_LIKELIHOOD] = "fitting by likelihood",
      [SL__ROBUST_DIVERGENCE] = "fitting by divergence",
      [SL__ROBUST_JUDGE] = "judging",
  };
  if (now->attempt > 0) sl__text_add(text, "attempt %d, ", now->attempt);
  sl__text_add(text, "%s", names[now->stage]);
  if (now->steps > 0)
    sl__text_add(text, ": step %lld of %lld", (long long)now->step, (long long)now->steps);
  if (isfinite(now->loss)) {
    sl__text_add(text, ", loss ");
    sl__cli_fixed(text, now->loss, 4, 0);
  }
  sl__text_add(text, ", ");
  sl__cli_fixed(text, now->seconds, 0, 0);
  sl__text_add(text, " s");
}

static bool show(void *user, const sl__robust_progress *now) {
  showing *s = user;
  if (now->seconds < s->next) return true;
  s->next = now->seconds + 0.05;
  if (sl__watch_interrupted()) s->watch.interrupted = true;
  if (s->watch.interrupted) return false;
  if (!sl__watch_wants(&s->watch, now->seconds)) return true;
  sl__text text;
  sl__text_open(&text, s->watch.cli->context);
  add_stage(&text, now);
  sl__watch_line(&s->watch, now->steps > 0 ? (double)now->step / (double)now->steps : 0, &text);
  sl__text_close(&text);
  return true;
}

/* ---- printing ---- */

/* From the flow to the target: what the ELBO is below the log evidence. */
static double kl_of(const sl__robust_report *report) {
  return report->scores.log_evidence - report->scores.elbo;
}
/* With the upper bound in the evidence's place: of both divergences the sum, so at least this one. */
static double kl_bound_of(const sl__robust_report *report) {
  return report->upper_bound - report->scores.elbo;
}
static double kl_bound_se_of(const sl__robust_report *report) {
  return hypot(report->upper_bound_se, report->scores.elbo_se);
}

static int print_json(sl__cli *cli, const sl__target *target, const sl__model *model,
                      const sl__robust_report *report) {
  const sl__vi_scores *scores = &report->scores;
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_text(&json, "target", target->title);
  sl__json_integer(&json, "dim", target->dim);
  sl__json_text(&json, "mode", "robust");
  sl__json_text(&json, "flow", model->flow->formula);
  sl__json_text(&json, "base", model->flow->base_formula);
  sl__json_integer(&json, "parameters", model->flow->size);
  sl__cli_json_estimate(&json, "elbo", scores->elbo, scores->elbo_se);
  sl__cli_json_estimate(&json, "log_evidence", scores->log_evidence,
                        sl__robust_evidence_se(report));
  sl__cli_json_estimate(&json, "upper_bound", report->upper_bound, report->upper_bound_se);
  sl__json_real(&json, "kl", kl_of(report));
  sl__cli_json_estimate(&json, "kl_bound", kl_bound_of(report), kl_bound_se_of(report));
  sl__cli_json_estimate(&json, "bridge", report->bridge, report->bridge_se);
  sl__cli_json_estimate(&json, "tail_missed", report->tail_missed, report->tail_missed_se);
  sl__cli_json_estimate(&json, "tempered", report->tempered, report->tempered_se);
  sl__json_real(&json, "exact_log_evidence", target->log_evidence);
  sl__json_real(&json, "khat", scores->khat);
  sl__json_real(&json, "khat_threshold", scores->khat_threshold);
  sl__json_real(&json, "largest_weight", scores->largest_weight);
  sl__json_real(&json, "ess", scores->ess);
  sl__json_real(&json, "ess_forward", report->ess_forward);
  sl__json_real(&json, "missed", report->missed);
  sl__json_real(&json, "mean_gap_in_sd", report->mean_gap);
  sl__json_real(&json, "sd_gap", report->sd_gap);
  sl__json_real(&json, "log_sd_ratio", report->log_sd_ratio);
  sl__json_real(&json, "own_mean_gap_in_sd", report->own_mean_gap);
  sl__json_real(&json, "own_sd_gap", report->own_sd_gap);
  sl__json_boolean(&json, "by_quartiles", report->by_quartiles);
  sl__json_real(&json, "parameter_mean_gap_in_sd", report->parameter_mean_gap);
  sl__json_real(&json, "parameter_sd_gap", report->parameter_sd_gap);
  sl__json_real(&json, "own_log_sd_ratio", report->own_log_sd_ratio);
  sl__json_integer(&json, "strays", report->strays);
  sl__json_real(&json, "stray_mean_gap_in_sd", report->stray_mean_gap);
  sl__json_real(&json, "stray_log_sd_ratio", report->stray_sd_gap);
  sl__json_real(&json, "rhat", report->rhat);
  sl__json_integer(&json, "divergences", report->divergences);
  sl__json_integer(&json, "chain_draws", report->chain_draws);
  sl__json_real(&json, "tempered_accept", report->tempered_accept);
  sl__json_boolean(&json, "population_within", report->population_within);
  sl__json_boolean(&json, "chains_agree", report->chains_agree);
  sl__json_boolean(&json, "modes_confirmed", report->modes_confirmed);
  sl__json_real(&json, "effective", report->effective);
  sl__json_open_object(&json, "searched");
  sl__json_integer(&json, "climbs", report->climbs);
  sl__json_integer(&json, "particles", report->particles);
  sl__json_integer(&json, "chains", report->chains);
  sl__json_close_object(&json);
  sl__json_integer(&json, "judged_by", scores->rows);
  sl__json_integer(&json, "attempts", report->attempts);
  sl__json_integer(&json, "rolled_back", report->rolled_back);
  sl__json_integer(&json, "steps", report->steps);
  sl__json_integer(&json, "gradient_evaluations", report->gradient_evaluations);
  sl__json_integer(&json, "density_evaluations", report->evaluations);
  sl__json_real(&json, "loss_average", report->loss_average);
  sl__json_real(&json, "fit_seconds", report->seconds);
  sl__json_boolean(&json, "certified", report->certified);
  sl__json_text(&json, "verdict", report->verdict);
  return sl__cli_json_close(cli, &text, &json);
}

static int print_text(sl__cli *cli, const sl__target *target, const sl__model *model,
                      const sl__robust_report *report) {
  const sl__vi_scores *scores = &report->scores;
  const double none = (double)NAN;
  sl__text text;
  sl__text_open(&text, cli->context);
  sl__cli_add_target(&text, target);
  sl__text_add(&text, "\nflow    %s, %s; %lld parameters\n", model->flow->base_formula,
               model->flow->formula, (long long)model->flow->size);
  sl__text_add(&text, "fit     %d attempt%s, %lld steps, %lld evaluations, %lld with gradients, ",
               report->attempts, report->attempts == 1 ? "" : "s", (long long)report->steps,
               (long long)(report->evaluations + report->gradient_evaluations),
               (long long)report->gradient_evaluations);
  sl__cli_fixed(&text, report->seconds, 1, 0);
  sl__text_add(&text, " s\n\n");
  sl__cli_add_estimate_heads(&text);
  sl__cli_add_estimate(&text, "ELBO", scores->elbo, scores->elbo_se);
  sl__cli_add_estimate(&text, "log evidence, by importance", scores->log_evidence,
                       sl__robust_evidence_se(report));
  sl__cli_add_estimate(&text, "log evidence, by bridge sampling", report->bridge,
                       report->bridge_se);
  sl__cli_add_estimate(&text, "log evidence, by tempering", report->tempered, report->tempered_se);
  if (!isnan(target->log_evidence))
    sl__cli_add_estimate(&text, "log evidence, exact", target->log_evidence, none);
  sl__cli_add_estimate(&text, "upper bound", report->upper_bound, report->upper_bound_se);
  sl__cli_add_estimate(&text, "KL divergence of the flow", kl_of(report), none);
  sl__cli_add_estimate(&text, "  at most", kl_bound_of(report), kl_bound_se_of(report));
  sl__text_add(&text, "\n");
  sl__cli_add_khat(&text, scores->khat, scores->khat_threshold);
  sl__cli_add_estimate(&text, "effective share of draws", scores->ess / (double)scores->rows, none);
  sl__cli_add_estimate(&text, "effective share, forward", report->ess_forward, none);
  sl__cli_add_estimate(&text, "share of exploration missed", report->missed, none);
  sl__cli_add_estimate(&text, "share of tails missed", report->tail_missed, report->tail_missed_se);
  sl__cli_add_estimate(&text, "largest difference of means, in sd", report->mean_gap, none);
  sl__cli_add_estimate(&text, "largest |log ratio of sds|", report->log_sd_ratio, none);
  sl__cli_add_estimate(&text, "R-hat of the exploring chains", report->rhat, none);
  sl__text_add(&text, "\n%s\n", report->verdict);
  return sl__cli_print(cli, &text);
}

/* ---- the mode ---- */

static int finish(sl__cli *cli, const sl__target *target, const sl__model *model,
                  const sl__robust_report *report, sl_status fitted) {
  const char *path = sl__cli_option(cli, "output")->text;
  const int code =
      sl__cli_save_fit(cli, model, fitted == SL_OK ? SL__EXIT_DONE : sl__cli_fail(cli, fitted));
  const int printed =
      cli->json ? print_json(cli, target, model, report) : print_text(cli, target, model, report);
  if (code != SL__EXIT_DONE) return code;
  if (!path && !cli->json)
    sl__cli_say(cli, "the fit was not saved; -o q.safetensors would keep it");
  if (printed != SL__EXIT_DONE) return printed;
  return report->certified ? SL__EXIT_DONE : SL__EXIT_FAILED;
}

int sl__cli_vi_robust(sl__cli *cli, const sl__target *target) {
  showing s = {0};
  sl__robust_options options;
  sl__robust_report report;
  sl__model *model;
  sl__robust_defaults(&options);
  options.formula = sl__cli_option(cli, "flow")->text;
  options.base = sl__cli_option(cli, "base")->text;
  options.seed = cli->seed;
  options.judge = sl__cli_option(cli, "judge")->integer;
  options.max_seconds = sl__cli_option(cli, "max-seconds")->real;
  options.progress = show;
  options.user = &s;
  sl__watch_open(&s.watch, cli);
  sl_status status = sl__robust_fit(cli->context, target, &options, &model, &report);
  sl__watch_close(&s.watch);
  if (!model) sl__cli_about_formula(cli, options.formula);
  if (model && sl__cli_keep_command(cli, model) != SL_OK) status = SL_NO_MEMORY;
  const int code = model ? finish(cli, target, model, &report, status) : sl__cli_fail(cli, status);
  if (!model && s.watch.interrupted) sl__cli_say(cli, "interrupted: nothing is saved");
  sl__model_free(cli->context, model);
  return code;
}
