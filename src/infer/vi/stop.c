/* Rules by which a run ends before its last step.
 *
 * Parameters: by the drift of their means over windows (stop_windows.c), or by PyMC3's
 * CheckParametersConvergence. That looks at single steps: the first time it keeps the parameters,
 * then at every `every`-th step it takes the norm of what has changed since the last look. Its
 * relative change, with 1e-6 added above and below, cannot get under its tolerance of 1e-3 while any
 * parameter is nearer to zero than about 1e-3, and at a constant rate neither of its changes gets
 * under the noise of the steps. ELBO: as CmdStan's ADVI
 * (Kucukelbir et al. 2017, JMLR 18:14, section 2.5), the median of the last ten relative
 * changes, of means over a window since single losses are noise. Iterates: with a constant rate
 * the parameters end up wandering about the optimum. A window is cut in two halves; where every
 * parameter's R-hat over them is below 1.1 the wandering is stationary (Dhaka et al. 2020,
 * arXiv:2009.00666, section 4), and half the difference of the halves' means is the error of the
 * window's mean. */
#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include "infer/vi/engine.h"

enum { CHANGES = 10, ELBO_WINDOW = 500, ITERATE_WINDOW = 1000 };
static const double most_rhat = 1.1;

/* How the change of the parameters is measured. */
static sl_status open_change(sl__vi *vi) {
  const sl__vi_stopping *stop = &vi->options.stop;
  const char *change = stop->change ? stop->change : "windows";
  sl__vi_watch *watch = &vi->watch;
  watch->by_windows = strcmp(change, "windows") == 0;
  watch->by_ratio = strcmp(change, "relative") == 0;
  if (!watch->by_windows && !watch->by_ratio && strcmp(change, "absolute") != 0)
    return sl__fail(vi->context, SL_BAD_ARGUMENT,
                    "no change of parameters is called %.60s; use windows, relative or absolute",
                    change);
  if (!(stop->norm >= 1))
    return sl__fail(vi->context, SL_BAD_ARGUMENT,
                    "the order of the norm of changes must be 1 or more; 1, 2 or infinity");
  if (watch->by_windows) return sl__vi_windows_open(vi);
  watch->reference = sl__arena_take(&vi->arena, (size_t)vi->flow->size, (size_t)vi->number_size);
  return watch->reference ? SL_OK : SL_NO_MEMORY;
}

sl_status sl__vi_watch_open(sl__vi *vi) {
  sl__vi_stopping *stop = &vi->options.stop;
  sl__vi_watch *watch = &vi->watch;
  const size_t size = (size_t)vi->flow->size, width = (size_t)vi->number_size;
  if (stop->every < 1) stop->every = 100;
  if (stop->elbo_window < 1) stop->elbo_window = ELBO_WINDOW;
  if (stop->iterate_window < 4) stop->iterate_window = ITERATE_WINDOW;
  if (stop->parameter_tolerance > 0) SL__TRY(open_change(vi));
  if (stop->iterate_tolerance > 0) {
    watch->mean = sl__arena_take(&vi->arena, size, 2 * sizeof *watch->mean);
    watch->square = sl__arena_take(&vi->arena, size, 2 * sizeof *watch->square);
    watch->iterate_mean = sl__arena_take(&vi->arena, size, width);
    if (!watch->mean || !watch->square || !watch->iterate_mean) return SL_NO_MEMORY;
  }
  return SL_OK;
}

static bool say(sl__vi *vi, const char *what, double value, double tolerance) {
  snprintf(vi->stopped, sizeof vi->stopped, "after step %lld: %s, %.3g, is below %.3g",
           (long long)vi->step, what, value, tolerance);
  return true;
}

/* ---- parameters ---- */

static double change(const sl__vi *vi, int64_t i) {
  const double now = sl__vi_number(vi->flow, vi->weights, i);
  const double old = sl__vi_number(vi->flow, vi->watch.reference, i), moved = fabs(now - old);
  return vi->watch.by_ratio ? (moved + 1e-6) / (fabs(old) + 1e-6) : moved;
}

/* The norm of the changes since the reference. */
static double norm_of_changes(const sl__vi *vi) {
  const double order = vi->options.stop.norm;
  double most = 0, sum = 0;
  for (int64_t c = 0; c < vi->chunk_count; c++) {
    const sl__vi_chunk chunk = vi->chunks[c];
    for (int64_t i = chunk.offset; i < chunk.offset + chunk.count; i++) {
      const double size = change(vi, i);
      most = fmax(most, size);
      if (isfinite(order)) sum += pow(size, order);
    }
  }
  return isfinite(order) ? pow(sum, 1 / order) : most;
}

static bool means_rest(sl__vi *vi) {
  const double tolerance = vi->options.stop.parameter_tolerance, drift = sl__vi_drift(vi);
  return drift < tolerance &&
         say(vi, "the drift of the parameters beyond their noise", drift, tolerance);
}

static bool parameters_rest(sl__vi *vi) {
  sl__vi_watch *watch = &vi->watch;
  const sl__vi_stopping *stop = &vi->options.stop;
  const bool due = vi->step % stop->every == 0;
  if (stop->parameter_tolerance <= 0) return false;
  if (watch->by_windows) return means_rest(vi);
  if (watch->has_reference && !due) return false;
  const double norm = watch->has_reference ? norm_of_changes(vi) : INFINITY;
  watch->has_reference = true;
  memcpy(watch->reference, vi->weights, (size_t)(vi->flow->size * vi->number_size));
  return norm < stop->parameter_tolerance &&
         say(vi, "the change of the parameters", norm, stop->parameter_tolerance);
}

/* ---- ELBO ---- */

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static bool elbo_rests(sl__vi *vi) {
  sl__vi_watch *watch = &vi->watch;
  const sl__vi_stopping *stop = &vi->options.stop;
  if (stop->elbo_tolerance <= 0 || vi->last_skipped) return false;
  watch->window_sum += vi->loss;
  if (++watch->window_count < stop->elbo_window) return false;
  const double mean = watch->window_sum / (double)stop->elbo_window;
  watch->window_sum = 0;
  watch->window_count = 0;
  if (watch->windows > 0)
    watch->changes[(watch->windows - 1) % CHANGES] =
        fabs(mean - watch->window_before) / fmax(1, fabs(mean));
  watch->window_before = mean;
  if (watch->windows++ < CHANGES) return false;
  double sorted[CHANGES];
  memcpy(sorted, watch->changes, sizeof sorted);
  qsort(sorted, CHANGES, sizeof sorted[0], compare);
  const double median = 0.5 * (sorted[CHANGES / 2 - 1] + sorted[CHANGES / 2]);
  return median < stop->elbo_tolerance &&
         say(vi, "the median change of the loss", median, stop->elbo_tolerance);
}

/* ---- iterates ---- */

/* Adds the parameters to their half of the window: Welford's running mean and sum of squares. */
static void add_iterate(sl__vi *vi, int64_t half_length) {
  sl__vi_watch *watch = &vi->watch;
  const int64_t size = vi->flow->size, half = watch->iterates / half_length;
  const double count = (double)(watch->iterates % half_length + 1);
  double *mean = watch->mean + half * size, *square = watch->square + half * size;
  for (int64_t i = 0; i < size; i++) {
    const double value = sl__vi_number(vi->flow, vi->weights, i), before = value - mean[i];
    mean[i] += before / count;
    square[i] += before * (value - mean[i]);
  }
}

/* Whether every trained parameter agrees with itself; *error: of the window's mean. */
static bool is_stationary(const sl__vi *vi, int64_t half_length, double *error) {
  const sl__vi_watch *watch = &vi->watch;
  const int64_t size = vi->flow->size;
  const double n = (double)half_length;
  double squares = 0, count = 0;
  for (int64_t c = 0; c < vi->chunk_count; c++) {
    const sl__vi_chunk chunk = vi->chunks[c];
    for (int64_t i = chunk.offset; i < chunk.offset + chunk.count; i++) {
      const double apart = watch->mean[i] - watch->mean[size + i];
      const double within = (watch->square[i] + watch->square[size + i]) / (2 * (n - 1));
      const double rhat_square = (n - 1) / n + apart * apart / (2 * within);
      if (apart != 0 && !(rhat_square < most_rhat * most_rhat)) return false;
      const double mean = 0.5 * (watch->mean[i] + watch->mean[size + i]);
      squares += 0.25 * apart * apart / fmax(1, mean * mean);
      count++;
    }
  }
  *error = sqrt(squares / count);
  return true;
}

static bool iterates_rest(sl__vi *vi) {
  sl__vi_watch *watch = &vi->watch;
  const sl__vi_stopping *stop = &vi->options.stop;
  if (stop->iterate_tolerance <= 0) return false;
  const int64_t half_length = stop->iterate_window / 2, size = vi->flow->size;
  add_iterate(vi, half_length);
  if (++watch->iterates < 2 * half_length) return false;
  double error = INFINITY;
  const bool enough = is_stationary(vi, half_length, &error) && error < stop->iterate_tolerance;
  for (int64_t i = 0; enough && i < size; i++)
    sl__vi_put(vi->flow, watch->iterate_mean, i, 0.5 * (watch->mean[i] + watch->mean[size + i]));
  watch->has_mean = enough;
  watch->iterates = 0;
  memset(watch->mean, 0, (size_t)(2 * size) * sizeof *watch->mean);
  memset(watch->square, 0, (size_t)(2 * size) * sizeof *watch->square);
  return enough && say(vi, "the error of the iterates' mean", error, stop->iterate_tolerance);
}

bool sl__vi_enough(sl__vi *vi) {
  if (vi->step < vi->options.anneal_steps) return false;
  return parameters_rest(vi) || elbo_rests(vi) || iterates_rest(vi);
}
