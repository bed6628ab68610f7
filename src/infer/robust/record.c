/* What a model remembers of how it came about; no times, so that equal fits give equal files. */
#include "infer/robust/attempt.h"

sl_status sl__robust_record(const sl__robust *run, const sl__robust_report *report,
                            sl__model *model) {
  const sl__vi_scores *scores = &report->scores;
  sl__text text;
  sl__json json = {.text = &text};
  sl__text_open(&text, run->context);
  sl__json_open_object(&json, NULL);
  sl__json_text(&json, "command", "vi");
  sl__json_text(&json, "mode", "robust");
  sl__json_text(&json, "target", run->target->title);
  sl__json_integer(&json, "attempts", report->attempts);
  sl__json_integer(&json, "steps", report->steps);
  sl__json_integer(&json, "seed", (int64_t)run->options->seed);
  sl__json_real(&json, "elbo", scores->elbo);
  sl__json_real(&json, "elbo_se", scores->elbo_se);
  sl__json_real(&json, "log_evidence", scores->log_evidence);
  sl__json_real(&json, "log_evidence_se", sl__robust_evidence_se(report));
  sl__json_real(&json, "upper_bound", report->upper_bound);
  sl__json_real(&json, "upper_bound_se", report->upper_bound_se);
  sl__json_real(&json, "khat", scores->khat);
  sl__json_real(&json, "largest_weight", scores->largest_weight);
  sl__json_boolean(&json, "certified", report->certified);
  sl__json_text(&json, "verdict", report->verdict);
  sl__loss_history_write(&report->history, &json);
  sl__json_close_object(&json);
  const sl_status status = text.failed ? SL_NO_MEMORY : sl__model_set_training(model, text.data);
  sl__text_close(&text);
  return status;
}
