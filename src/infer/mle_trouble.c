/* A loss or gradient that is not finite: which layer made it, from which rows of the data; then a
 * slower rate. The step is skipped: nothing that is not finite ever reaches the parameters. Steps
 * that go on failing come from parameters that are finite and useless, so then the best ones are
 * taken up again. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "infer/mle.h"

enum { NAMED_ROWS = 5, RESTORE_AFTER = 5, SAID_STEPS = 3 };

void sl__mle_say(sl__mle *mle, const char *line) {
  if (mle->context->log) mle->context->log(mle->context->log_user, 1, line);
  if (mle->trouble[0] != '\0') return;
  const size_t length = strlen(line), most = sizeof mle->trouble - 1;
  memcpy(mle->trouble, line, length < most ? length : most);
}

/* ---- which rows ---- */

/* Scores the batch row by row; adds the rows without a finite log density to the text. */
static sl_status name_rows(sl__mle *mle, sl__text *text) {
  sl__run run = sl__mle_train_run(mle);
  const sl__sink sink = {.data = mle->scores, .type = SL_F64};
  run.sinks = &sink;
  SL__TRY(sl__program_run(mle->context, mle->score, mle->score_workspace, &run));
  int64_t found = 0, zeros = 0;
  for (int64_t r = 0; r < mle->options.batch; r++) {
    if (isfinite(mle->scores[r])) continue;
    zeros += mle->scores[r] == -INFINITY;
    const int64_t row = mle->index ? mle->index[r] : r;
    if (found < NAMED_ROWS)
      sl__text_add(text, "%s%lld", found == 0 ? "; training rows (from 1): " : ", ",
                   (long long)row + 1);
    found++;
  }
  if (found > NAMED_ROWS)
    sl__text_add(text, " and %lld more of %lld", (long long)(found - NAMED_ROWS),
                 (long long)mle->options.batch);
  mle->zeros = zeros == found ? zeros : 0;
  return SL_OK;
}

/* ---- what to do ---- */

static void restore_best(sl__mle *mle) {
  const size_t bytes = (size_t)(mle->flow->size * mle->number_size);
  memcpy(mle->weights, mle->best, bytes);
  if (mle->average) memcpy(mle->average, mle->best, bytes);
  for (int k = 0; k < mle->optimiser->states; k++) memset(mle->states[k], 0, bytes);
  mle->state.updates = 0;
}

sl_status sl__mle_trouble(sl__mle *mle, double loss, double norm) {
  sl__mle_state *state = &mle->state;
  state->skipped++;
  state->bad_running++;
  state->rate_factor *= 0.5;
  const sl__run run = sl__mle_train_run(mle);
  const char *what = isfinite(loss) ? "gradient" : "loss";
  sl__text text;
  sl__text_open(&text, mle->context);
  sl__text_add(&text, "step %lld skipped, its %s is ", (long long)state->step + 1, what);
  sl__text_add_real(&text, isfinite(loss) ? norm : loss, SL_F64);
  sl_status status = sl__program_diagnose(mle->context, mle->train, mle->train_workspace, &run);
  if (status == SL_NUMERIC) sl__text_add(&text, ": %s", mle->context->error.message);
  if (status == SL_NUMERIC || status == SL_OK) status = name_rows(mle, &text);
  if (state->bad_running % RESTORE_AFTER == 0) {
    restore_best(mle);
    sl__text_add(&text, "; back to the best parameters so far");
  }
  if (status == SL_OK && text.failed) status = SL_NO_MEMORY;
  if (status == SL_OK && state->skipped <= SAID_STEPS) sl__mle_say(mle, text.data);
  sl__text_close(&text);
  return status;
}

void sl__mle_say_skipped(sl__mle *mle) {
  if (mle->state.skipped <= SAID_STEPS) return;
  char line[80];
  snprintf(line, sizeof line, "%lld steps were skipped in all", (long long)mle->state.skipped);
  sl__mle_say(mle, line);
}

/* ---- when to end ---- */

bool sl__mle_reaches_part(const sl__flow *flow) {
  if (flow->base.kind && flow->base.kind->image) return true;
  for (int i = 0; i < flow->chain.count; i++) {
    const sl__layer *layer = &flow->chain.layers[i];
    if (!layer->kind->image) continue;
    const double low = layer->kind->image(layer, -INFINITY, !layer->inverted);
    const double high = layer->kind->image(layer, INFINITY, !layer->inverted);
    if (low > -INFINITY || high < INFINITY) return true;
  }
  return false;
}

sl_status sl__mle_give_up(sl__mle *mle) {
  const long long steps = mle->state.bad_running;
  sl_status status;
  if (mle->zeros > 0 && sl__mle_reaches_part(mle->flow)) {
    status = sl__fail(mle->context, SL_NUMERIC,
                      "the flow gives density 0 to %lld of %lld rows, %lld steps running: a layer "
                      "such as exp or sigmoid, or a uniform base, reaches only part of the line; "
                      "declare the column's type (positive, interval) instead",
                      (long long)mle->zeros, (long long)mle->options.batch, steps);
    mle->trouble[0] = '\0'; /* it was the same, without the cause */
  } else {
    status = sl__fail(mle->context, SL_NUMERIC,
                      "%lld steps running were not finite; a smaller rate or a clip may help; the "
                      "first trouble: %s",
                      steps, mle->trouble);
  }
  sl__mle_say(mle, mle->context->error.message);
  return status;
}
