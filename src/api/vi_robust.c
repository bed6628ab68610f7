/* Variational inference in robust mode, by the public call. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/handle.h"
#include "api/target.h"
#include "api/vi.h"
#include "infer/robust/robust.h"

/* Refuses what only the plain mode reads. */
static sl_status check_robust(sl_context *context, const sl_vi_options *o) {
  const struct {
    const char *name;
    bool set;
  } plain[] = {{"precision", o->precision >= 0},
               {"objective", o->objective != NULL},
               {"estimator", o->estimator != NULL},
               {"alpha", !isnan(o->alpha)},
               {"samples", o->samples >= 0},
               {"particles", o->particles >= 0},
               {"draws", o->draws.data != NULL},
               {"loss", o->loss != NULL},
               {"steps", o->steps >= 0},
               {"optimizer", o->optimizer != NULL},
               {"rate", !isnan(o->rate)},
               {"schedule", o->schedule != NULL},
               {"warmup", o->warmup >= 0},
               {"clip", !isnan(o->clip)},
               {"clip_by_median", o->clip_by_median > 0},
               {"ema", !isnan(o->ema)},
               {"jitter", !isnan(o->jitter)},
               {"anneal", o->anneal >= 0},
               {"sobol", o->sobol > 0},
               {"stop_parameters", !isnan(o->stop_parameters)},
               {"stop_elbo", !isnan(o->stop_elbo)},
               {"stop_iterates", !isnan(o->stop_iterates)},
               {"go_back", o->go_back >= 0},
               {"track", o->track != NULL},
               {"track_function", o->track_function != NULL},
               {"stop_change", o->stop_change != NULL},
               {"stop_norm", !isnan(o->stop_norm)},
               {"stop_every", o->stop_every >= 0},
               {"apply_momentum", !isnan(o->apply_momentum)},
               {"apply_nesterov_momentum", !isnan(o->apply_nesterov_momentum)},
               {"max_norm", o->max_norm != NULL}};
  for (size_t k = 0; k < sizeof plain / sizeof *plain; k++)
    if (plain[k].set)
      return sl__fail(context, SL_BAD_ARGUMENT,
                      "%s is for SL_VI_PLAIN; the robust mode sees to it itself", plain[k].name);
  return SL_OK;
}

static bool show_robust(void *user, const sl__robust_progress *now) {
  static const sl_vi_stage stages[SL__ROBUST_STAGES] = {
      [SL__ROBUST_EXPLORE] = SL_VI_EXPLORING,
      [SL__ROBUST_LIKELIHOOD] = SL_VI_LIKELIHOOD,
      [SL__ROBUST_DIVERGENCE] = SL_VI_DIVERGENCE,
      [SL__ROBUST_JUDGE] = SL_VI_JUDGING,
  };
  const sl_vi_options *options = user;
  const double none = (double)NAN;
  const sl_vi_progress progress = {.size = sizeof progress,
                                   .step = now->step,
                                   .steps = now->steps,
                                   .loss = now->loss,
                                   .loss_average = none,
                                   .gradient_norm = none,
                                   .seconds = now->seconds,
                                   .stage = stages[now->stage],
                                   .attempt = now->attempt};
  return options->progress(options->progress_user, &progress);
}

static void fill_robust_report(const sl__robust_report *from, sl_vi_report *out) {
  if (!out) return;
  const sl__vi_scores *scores = &from->scores;
  sl_vi_report full = {.size = out->size,
                       .elbo = scores->elbo,
                       .elbo_se = scores->elbo_se,
                       .log_evidence = scores->log_evidence,
                       .log_evidence_se = sl__robust_evidence_se(from),
                       .khat = scores->khat,
                       .khat_threshold = scores->khat_threshold,
                       .ess = scores->ess,
                       .judged_by = scores->rows,
                       .loss_average = from->loss_average,
                       .steps = from->steps,
                       .gradient_evaluations = from->gradient_evaluations,
                       .seconds = from->seconds,
                       .trusted = from->certified,
                       .certified = from->certified,
                       .upper_bound = from->upper_bound,
                       .upper_bound_se = from->upper_bound_se,
                       .ess_forward = from->ess_forward,
                       .bridge = from->bridge,
                       .bridge_se = from->bridge_se,
                       .missed = from->missed,
                       .tail_missed = from->tail_missed,
                       .tail_missed_se = from->tail_missed_se,
                       .rhat = from->rhat,
                       .effective = from->effective,
                       .attempts = from->attempts,
                       .rolled_back = from->rolled_back,
                       .divergences = from->divergences,
                       .modes_confirmed = from->modes_confirmed,
                       .largest_weight = scores->largest_weight,
                       .tempered = from->tempered,
                       .tempered_se = from->tempered_se,
                       .tempered_accept = from->tempered_accept,
                       .chains_agree = from->chains_agree,
                       .mean_gap = from->mean_gap,
                       .log_sd_ratio = from->log_sd_ratio,
                       .own_mean_gap = from->own_mean_gap,
                       .own_log_sd_ratio = from->own_log_sd_ratio,
                       .stray_mean_gap = from->stray_mean_gap,
                       .stray_log_sd_ratio = from->stray_sd_gap,
                       .strays = from->strays,
                       .climbs = from->climbs,
                       .particles = from->particles,
                       .chains = from->chains,
                       .chain_draws = from->chain_draws,
                       .density_evaluations = from->evaluations,
                       .sd_gap = from->sd_gap,
                       .own_sd_gap = from->own_sd_gap,
                       .population_within = from->population_within};
  snprintf(full.verdict, sizeof full.verdict, "%.500s", from->verdict);
  memcpy(out, &full, out->size);
}

sl_status sl__api_vi_robust(sl_context *context, const sl_target *target, const sl_vi_options *all,
                            sl_flow **out, sl_vi_report *report) {
  sl__robust_options options;
  sl__robust_report full;
  sl__model *model;
  SL__TRY(check_robust(context, all));
  sl__robust_defaults(&options);
  options.formula = all->formula;
  options.base = all->base;
  options.seed = all->seed;
  options.judge = all->judge < 0 ? options.judge : all->judge;
  options.max_seconds = isnan(all->max_seconds) ? 0 : all->max_seconds;
  options.most_gradients = all->max_gradients < 0 ? 0 : all->max_gradients;
  options.progress = all->progress ? show_robust : NULL;
  options.user = (void *)all;
  const sl_status status = sl__robust_fit(context, target->target, &options, &model, &full);
  if (!model) return status;
  SL__TRY(sl__handle_new(context, model, out));
  fill_robust_report(&full, report);
  return status;
}
