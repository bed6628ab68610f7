/* A loss or gradient that is not finite: which operation made it; then a slower rate. The step is
 * left out: nothing that is not finite ever reaches the parameters. Steps that go on failing come
 * from parameters that are finite and useless, so then the best so far are taken up again.
 *
 * A run may also go wrong with every number finite: at a constant rate Adam now and then throws a
 * flow off that had fitted, and thousands of steps go into finding back. With go_back such a run
 * returns to where its loss was least. The measure is the noise of the loss itself: FAR standard
 * errors of that least mean, and a floor below which no rise is worth a return.
 *
 * The place that a window of losses speaks for is where the window began: its end may have been
 * thrown off already, and to return there would be to stay. Of a place from which the losses fall
 * steeply, as at the start of a run, their mean says nothing: it is worth no more than the window
 * that led there, if any did. Where steps lead away from a place again and again, as from a start
 * among steep slopes, the way out leads over higher losses: each return to the same place is
 * followed by twice as many windows before the next.
 *
 * At the end nothing can be mended any more. There means that are DOUBTFUL raise the question, and
 * fresh draws at both places answer it. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "infer/vi/engine.h"

enum { RESTORE_AFTER = 5, FAR = 10, DOUBTFUL = 3, MOST_DOUBLINGS = 30 };
static const double least_rise = 1e-3; /* relative, or absolute below 1 */

/* A window of losses begins here. */
static void open_window(sl__vi *vi) {
  sl__vi_snapshots *s = &vi->snapshots;
  const size_t bytes = (size_t)(vi->flow->size * vi->number_size);
  memcpy(s->start.weights, vi->weights, bytes);
  for (int k = 0; k < vi->state_count && s->start.states[k]; k++)
    memcpy(s->start.states[k], vi->states[k], bytes);
  s->start.updates = vi->updates;
  s->sum[0] = s->sum[1] = s->squares[0] = s->squares[1] = 0;
  s->count = 0;
}

static void keep_best(sl__vi *vi) {
  sl__vi_snapshots *s = &vi->snapshots;
  const sl__vi_place place = s->best;
  s->best = s->start;
  s->start = place;
  s->returns = s->waiting = 0;
}

static void restore_weights(sl__vi *vi) {
  const size_t bytes = (size_t)(vi->flow->size * vi->number_size);
  memcpy(vi->weights, vi->snapshots.best.weights, bytes);
  if (vi->average) memcpy(vi->average, vi->snapshots.best.weights, bytes);
  vi->snapshots.last = vi->snapshots.least;
  vi->restored++;
}

static void go_back(sl__vi *vi) {
  sl__vi_snapshots *s = &vi->snapshots;
  restore_weights(vi);
  for (int k = 0; k < vi->state_count; k++)
    memcpy(vi->states[k], s->best.states[k], (size_t)(vi->flow->size * vi->number_size));
  vi->updates = s->best.updates;
  vi->rate_factor *= 0.5;
  if (s->returns < MOST_DOUBLINGS) s->returns++;
  s->waiting = (int64_t)1 << s->returns;
}

/* By so many standard errors. */
static bool is_above(double mean, double least, double error, double errors) {
  return mean > least + errors * error + least_rise * fmax(1, fabs(least));
}

static double standard_error(double sum, double squares, double count) {
  const double mean = sum / count;
  return sqrt(fmax(squares / count - mean * mean, 0) / count);
}

/* The first half of the window lies far above its second. */
static bool is_steep(const sl__vi_snapshots *s) {
  const double half = 0.5 * SL__VI_SNAPSHOT_STEPS;
  const double error = standard_error(s->sum[1], s->squares[1], half);
  return is_above(s->sum[0] / half, s->sum[1] / half, error, FAR);
}

/* Not while log p counts less than fully, nor where a loss rises as q gets better. */
static bool losses_compare(const sl__vi *vi) {
  if (vi->step < vi->options.anneal_steps) return false;
  for (int t = 0; t < vi->work_count; t++) {
    const sl__vi_work *work = &vi->work[t];
    if (work->objective && work->objective->is_upper && work->objective->is_upper(work->term.alpha))
      return false;
  }
  return true;
}

/* Of losses that cannot be compared the newest is the best. */
static void close_window(sl__vi *vi) {
  sl__vi_snapshots *s = &vi->snapshots;
  const double steps = SL__VI_SNAPSHOT_STEPS, sum = s->sum[0] + s->sum[1], mean = sum / steps;
  const bool compare = losses_compare(vi);
  const double worth = is_steep(s) ? fmax(mean, s->last) : mean;
  s->last = compare ? mean : INFINITY;
  if (s->waiting > 0) s->waiting--;
  if (!compare || worth < s->least) {
    keep_best(vi);
    if (!compare) return;
    s->least = worth;
    s->error = standard_error(sum, s->squares[0] + s->squares[1], steps);
  } else if (vi->options.go_back && s->waiting == 0 && is_above(mean, s->least, s->error, FAR)) {
    go_back(vi);
  }
}

void sl__vi_snapshot(sl__vi *vi) {
  sl__vi_snapshots *s = &vi->snapshots;
  const int half = s->count >= SL__VI_SNAPSHOT_STEPS / 2;
  s->sum[half] += vi->loss;
  s->squares[half] += vi->loss * vi->loss;
  if (++s->count < SL__VI_SNAPSHOT_STEPS) return;
  close_window(vi);
  open_window(vi);
}

static bool end_is_doubtful(const sl__vi *vi) {
  const sl__vi_snapshots *s = &vi->snapshots;
  const double steps = SL__VI_SNAPSHOT_STEPS, sum = s->last * steps + s->sum[0] + s->sum[1];
  const double mean = sum / (steps + (double)s->count);
  return isfinite(s->least) && is_above(mean, s->least, s->error, DOUBTFUL);
}

sl_status sl__vi_settle(sl__vi *vi) {
  sl__vi_score end, best;
  if (!vi->options.go_back || !end_is_doubtful(vi)) return SL_OK;
  SL__TRY(sl__vi_score_of(vi, sl__vi_parameters(vi), &end));
  SL__TRY(sl__vi_score_of(vi, vi->snapshots.best.weights, &best));
  if (best.lost > end.lost || (best.lost == end.lost && !(best.mean < end.mean))) return SL_OK;
  go_back(vi);
  vi->watch.has_mean = false;
  vi->loss_kept = best.mean;
  return SL_OK;
}

static void restore_best(sl__vi *vi) {
  restore_weights(vi);
  for (int k = 0; k < vi->state_count; k++)
    memset(vi->states[k], 0, (size_t)(vi->flow->size * vi->number_size));
  vi->updates = 0;
  open_window(vi);
}

static void say(sl__vi *vi, const char *line) {
  if (vi->context->log && !vi->options.quiet) vi->context->log(vi->context->log_user, 1, line);
  const size_t length = strlen(line), most = sizeof vi->trouble - 1;
  memcpy(vi->trouble, line, length < most ? length : most);
}

/* The first term that made it. */
static sl_status diagnose(sl__vi *vi, sl__text *text) {
  for (int t = 0; t < vi->work_count; t++) {
    if (vi->work[t].term.weight == 0) continue;
    const sl_status status = sl__vi_work_diagnose(vi, &vi->work[t]);
    if (status == SL_NUMERIC) {
      sl__text_add(text, ": %s", vi->context->error.message);
      return SL_OK;
    }
    if (status != SL_OK) return status;
  }
  return SL_OK;
}

/* The first such step; the others are only counted. A loss of infinity is mostly that of a draw
 * beyond a bound that the density has and the target does not declare. */
static sl_status describe(sl__vi *vi) {
  if (vi->trouble[0] != '\0') return SL_OK;
  const bool loss = !isfinite(vi->loss);
  sl__text text;
  sl__text_open(&text, vi->context);
  sl__text_add(&text, "step %lld skipped, its %s is ", (long long)vi->step + 1,
               loss ? "loss" : "gradient");
  sl__text_add_real(&text, loss ? vi->loss : vi->norm, SL_F64);
  sl_status status = diagnose(vi, &text);
  if (vi->loss == INFINITY)
    sl__text_add(&text, "; where the density ends at a bound, declare it, as real<lower=0> x; in a "
                        "Stan program");
  if (status == SL_OK && text.failed) status = SL_NO_MEMORY;
  if (status == SL_OK) say(vi, text.data);
  sl__text_close(&text);
  return status;
}

void sl__vi_say_skipped(sl_context *context, int64_t steps) {
  char line[80];
  if (steps < 2 || !context->log) return;
  snprintf(line, sizeof line, "%lld steps were skipped in all", (long long)steps);
  context->log(context->log_user, 1, line);
}

sl_status sl__vi_trouble(sl__vi *vi) {
  vi->last_skipped = true;
  vi->skipped++;
  vi->not_finite++;
  vi->bad_running++;
  vi->rate_factor *= 0.5;
  SL__TRY(describe(vi));
  if (vi->bad_running % RESTORE_AFTER == 0) restore_best(vi);
  if (vi->bad_running < SL__VI_MOST_BAD_STEPS) return SL_OK;
  return sl__fail(vi->context, SL_NUMERIC,
                  "%lld steps running were not finite; a smaller rate, more samples, annealing or "
                  "a clip may help; the first trouble: %s",
                  (long long)vi->bad_running, vi->trouble);
}
