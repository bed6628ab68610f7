/* Plain mode: the classical method from a formula to a model that says how it was made. No search
 * for what the flow may have missed: its own draws cannot show that, and the verdict says so. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "flow/model.h"
#include "infer/vi/engine.h"

/* What is kept has a standardize layer behind the flow; tensors are the same by name. */
static void copy_tensors(const sl__flow *from, const void *vector, sl__model *model) {
  for (int p = 0; p < from->parameter_count; p++) {
    const sl__parameter *source = &from->parameters[p];
    for (int k = 0; k < model->flow->parameter_count; k++) {
      const sl__parameter *place = &model->flow->parameters[k];
      if (strcmp(source->name, place->name) != 0) continue;
      for (int64_t i = 0; i < sl__shape_count(source->shape); i++)
        sl__vi_put(model->flow, model->vector, place->offset + i,
                   sl__vi_number(from, vector, source->offset + i));
    }
  }
}

static void judge_in_words(const sl__target *target, sl__vi_result *result) {
  const sl__vi_scores *scores = &result->scores;
  char khat[32] = "infinite";
  if (isfinite(scores->khat)) snprintf(khat, sizeof khat, "%.2f", scores->khat);
  const double most_weight = sl__vi_most_weight(scores);
  result->trusted = scores->lost == 0 && scores->khat < scores->khat_threshold &&
                    scores->largest_weight <= most_weight;
  snprintf(
      result->verdict, sizeof result->verdict,
      "%s: Pareto k-hat of the weights is %s (below %.2f is wanted), and the largest is %.2g of "
      "all (%.2g or less is wanted)%s; plain mode does not search %.60s for modes that the "
      "flow misses, robust mode does",
      result->trusted ? "usable where the flow has mass" : "not to be trusted", khat,
      scores->khat_threshold, scores->largest_weight, most_weight,
      scores->lost > 0 ? "; some draws have no finite weight" : "", target->title);
}

/* It holds no times, so that equal fits give equal files. */
static sl_status record(sl_context *context, const sl__target *target, const sl__vi_plan *plan,
                        const sl__vi_result *result, sl__model *model) {
  const sl__vi_term *term = &plan->options.terms[0];
  sl__text text;
  sl__json json = {.text = &text};
  sl__text_open(&text, context);
  sl__json_open_object(&json, NULL);
  sl__json_text(&json, "command", "vi");
  sl__json_text(&json, "mode", "plain");
  sl__json_text(&json, "target", target->title);
  sl__json_text(&json, "objective", term->loss ? "given" : term->objective);
  sl__json_text(&json, "optimizer", plan->options.optimiser);
  sl__json_integer(&json, "samples", term->samples);
  sl__json_integer(&json, "steps", result->fit.steps);
  sl__json_integer(&json, "seed", (int64_t)plan->options.seed);
  sl__json_real(&json, "elbo", result->scores.elbo);
  sl__json_real(&json, "elbo_se", result->scores.elbo_se);
  sl__json_real(&json, "log_evidence", result->scores.log_evidence);
  sl__json_real(&json, "log_evidence_se", result->scores.log_evidence_se);
  sl__json_real(&json, "khat", result->scores.khat);
  sl__json_real(&json, "largest_weight", result->scores.largest_weight);
  sl__json_text(&json, "verdict", result->verdict);
  sl__loss_history_write(&result->fit.history, &json);
  sl__json_close_object(&json);
  const sl_status status = text.failed ? SL_NO_MEMORY : sl__model_set_training(model, text.data);
  sl__text_close(&text);
  return status;
}

/* ---- the caller's function, with the flow as it is ---- */

typedef struct tracked {
  const sl__vi_plan *plan;
  const sl__flow *flow;
  sl__model *model;
} tracked;

static sl_status show_model(void *user, const sl__vi_progress *now, double *values) {
  const tracked *own = user;
  copy_tensors(own->flow, now->parameters, own->model);
  return own->plan->function(own->plan->options.function.user, now, own->model, values);
}

/* ---- the fit ---- */

static sl_status name_model(const sl__target *target, sl__model *model) {
  SL__TRY(sl__model_name_columns(model, target->names, NULL));
  return sl__model_set_target(model, target->origin);
}

static sl_status fit_flow(sl_context *context, const sl__target *target, const sl__vi_plan *plan,
                          const sl__flow *flow, sl__model *model, sl__vi_result *result) {
  const size_t width = flow->type == SL_F32 ? sizeof(float) : sizeof(double);
  char *vector = sl__allocate(context, (size_t)flow->size, width);
  if (!vector) return SL_NO_MEMORY;
  sl__flow_initialise(flow, vector);
  if (!isnan(plan->jitter)) sl__vi_jitter(flow, vector, plan->jitter);
  tracked own = {plan, flow, model};
  sl__vi_options options = plan->options;
  if (plan->function) {
    options.function.call = show_model;
    options.function.user = &own;
  }
  const sl_status fitted = sl__vi_fit(context, flow, vector, target, &options, &result->fit);
  sl_status status = fitted;
  if (fitted == SL_OK || fitted == SL_STOPPED || fitted == SL_NUMERIC) {
    copy_tensors(flow, vector, model);
    status = sl__vi_evaluate(context, flow, vector, target, plan->draws, plan->options.seed, NULL,
                             NULL, &result->scores);
    judge_in_words(target, result);
    if (status == SL_OK) status = record(context, target, plan, result, model);
  }
  sl__free(&context->allocator, vector);
  if (status != SL_OK) return status;
  return fitted;
}

sl_status sl__vi_check_target(sl_context *context, const sl__target *target) {
  if (target->dim > 0) return SL_OK;
  return sl__fail(context, SL_BAD_ARGUMENT, "%.300s has no parameters; there is nothing to infer",
                  target->title);
}

sl_status sl__vi_plain(sl_context *context, const sl__target *target, const sl__vi_plan *plan,
                       sl__model **out, sl__vi_result *result) {
  *out = NULL;
  *result = (sl__vi_result){.fit = {.loss_average = (double)NAN, .loss_kept = (double)NAN}};
  const sl__flow_plan shape = {.formula = plan->formula,
                               .base = plan->base,
                               .dim = target->dim,
                               .type = plan->type,
                               .seed = plan->options.seed};
  sl__flow *flow;
  sl__model *model = NULL;
  SL__TRY(sl__vi_check_target(context, target));
  SL__TRY(sl__flow_new(context, &shape, &flow));
  sl_status status = sl__model_new(context, plan->formula, plan->base, target->dim, 0, plan->type,
                                   plan->options.seed, &model);
  if (status == SL_OK) status = name_model(target, model);
  if (status == SL_OK) status = fit_flow(context, target, plan, flow, model, result);
  if (status == SL_OK || status == SL_STOPPED || status == SL_NUMERIC)
    *out = model;
  else
    sl__model_free(context, model);
  sl__flow_free(context, flow);
  return status;
}
