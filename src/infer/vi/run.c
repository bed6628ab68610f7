/* The loop: steps, what is shown after each, and when it ends. The clock decides only whether
 * max_seconds is over. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/os.h"
#include "infer/vi/engine.h"

static bool is_watched(const sl__vi *vi) {
  return vi->options.progress || vi->tracks;
}

/* To trackers and the caller; SL_STOPPED: the caller wants no more. */
static sl_status show(const sl__vi *vi, const char *gradient, double seconds) {
  if (!is_watched(vi)) return SL_OK;
  const sl__vi_progress now = {
      .step = vi->step,
      .steps = vi->options.steps,
      .loss = vi->loss,
      .loss_average = sl__vi_loss_average(vi),
      .gradient_norm = vi->norm,
      .seconds = seconds,
      .skipped = vi->last_skipped,
      .flow = vi->flow,
      .parameters = vi->weights,
      .gradient = gradient,
  };
  for (int k = 0; vi->tracks && k < vi->options.track_count; k++)
    SL__TRY(sl__vi_track_step(vi->tracks[k], &now));
  if (!vi->options.progress || vi->options.progress(vi->options.user, &now)) return SL_OK;
  return sl__fail(vi->context, SL_STOPPED, "stopped after step %lld of %lld", (long long)vi->step,
                  (long long)vi->options.steps);
}

/* The gradient of the loss itself, for whoever watches: a single term's is still to be scaled. */
static const char *scaled_gradient(sl__vi *vi) {
  if (!is_watched(vi) || vi->work_count > 1) return vi->gradient;
  const sl__vi_work *work = &vi->work[0];
  const double scale = work->term.weight * work->factor;
  for (int64_t i = 0; i < vi->flow->size; i++)
    sl__vi_put(vi->flow, vi->gradient, i, scale * sl__vi_number(vi->flow, work->slope, i));
  return vi->gradient;
}

sl_status sl__vi_run(sl__vi *vi, int64_t steps, bool *finished) {
  const sl__vi_options *options = &vi->options;
  for (int64_t s = 0; s < steps && vi->step < options->steps && !vi->finished; s++) {
    SL__TRY(sl__vi_step(vi));
    const double seconds = sl__os_seconds() - vi->started;
    vi->finished = sl__vi_enough(vi);
    const sl_status status = show(vi, scaled_gradient(vi), seconds);
    if (status == SL_STOPPED)
      snprintf(vi->stopped, sizeof vi->stopped, "after step %lld: by the caller",
               (long long)vi->step);
    if (status != SL_OK) {
      *finished = true;
      return status;
    }
    if (!vi->finished && options->max_seconds > 0 && seconds >= options->max_seconds) {
      snprintf(vi->stopped, sizeof vi->stopped, "after step %lld: the time is over",
               (long long)vi->step);
      vi->finished = true;
    }
  }
  *finished = vi->finished || vi->step >= options->steps;
  return SL_OK;
}

void sl__vi_set_weight(sl__vi *vi, int term, double weight) {
  vi->work[term].term.weight = weight;
}

void sl__vi_set_rate(sl__vi *vi, double rate) {
  vi->options.rate = rate;
}

const void *sl__vi_parameters(const sl__vi *vi) {
  if (vi->watch.has_mean) return vi->watch.iterate_mean;
  return vi->average ? vi->average : vi->weights;
}

void sl__vi_report_of(const sl__vi *vi, sl__vi_report *report) {
  *report = (sl__vi_report){
      .steps = vi->step,
      .skipped = vi->skipped,
      .not_finite = vi->not_finite,
      .restored = vi->restored,
      .gradient_evaluations = vi->gradients,
      .loss_average = sl__vi_loss_average(vi),
      .loss_kept = vi->loss_kept,
      .seconds = sl__os_seconds() - vi->started,
      .history = vi->history,
  };
  memcpy(report->stopped, vi->stopped, sizeof report->stopped);
  memcpy(report->trouble, vi->trouble, sizeof report->trouble);
}

sl_status sl__vi_fit(sl_context *context, const sl__flow *flow, void *vector,
                     const sl__target *target, const sl__vi_options *options,
                     sl__vi_report *report) {
  *report = (sl__vi_report){.loss_average = (double)NAN, .loss_kept = (double)NAN};
  sl__vi *vi;
  SL__TRY(sl__vi_new(context, flow, vector, target, options, &vi));
  bool finished;
  sl_status status = sl__vi_run(vi, options->steps, &finished);
  if (status == SL_OK || status == SL_STOPPED || status == SL_NUMERIC) {
    const sl_status settled = sl__vi_settle(vi);
    if (settled != SL_OK) status = settled;
    memcpy(vector, sl__vi_parameters(vi), (size_t)(flow->size * vi->number_size));
    sl__vi_report_of(vi, report);
    if (status != SL_NUMERIC) sl__vi_say_skipped(context, vi->not_finite);
    for (int k = 0; k < vi->options.track_count; k++) {
      const sl_status written = sl__vi_track_write(vi->tracks[k]);
      if (written != SL_OK) status = written;
    }
  }
  sl__vi_free(vi);
  return status;
}
