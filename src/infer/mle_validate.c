/* A check: how well do the parameters (or their average) do on held-out rows; are they the best so
 * far; is it time for a smaller rate. Without held-out rows the mean training loss since the last
 * check stands in for the rate's sake, and the newest parameters are the ones kept. */
#include <math.h>
#include <string.h>
#include "infer/mle.h"

const char *sl__mle_candidate(const sl__mle *mle) {
  return mle->average ? mle->average : mle->weights;
}

/* Mean log density of the held-out rows, added in order in double. */
static sl_status score_held_out(sl__mle *mle, double *mean) {
  const sl__mle_data *data = mle->data;
  const sl__sink sink = {.data = mle->scores, .type = SL_F64};
  const sl__run run = {
      .rows = data->valid_rows,
      .parameters = sl__mle_candidate(mle),
      .feeds = mle->valid_feeds,
      .sinks = &sink,
      .key = {mle->options.seed, SL__STREAM_GRAPH, UINT32_MAX},
  };
  SL__TRY(sl__program_run(mle->context, mle->score, mle->score_workspace, &run));
  double sum = 0, weights = 0;
  int64_t bad_row = -1;
  for (int64_t r = 0; r < data->valid_rows; r++) {
    double weight = 1;
    if (data->valid_weight)
      weight = mle->flow->type == SL_F32 ? (double)((const float *)data->valid_weight)[r]
                                         : ((const double *)data->valid_weight)[r];
    if (weight == 0) continue;
    if (!isfinite(mle->scores[r]) && bad_row < 0) bad_row = r;
    sum += weight * mle->scores[r];
    weights += weight;
  }
  *mean = sum / weights;
  if (bad_row < 0) return SL_OK;
  sl__text text;
  sl__text_open(&text, mle->context);
  sl__text_add(&text, "after step %lld held-out row %lld (from 1) has log density ",
               (long long)mle->state.step, (long long)bad_row + 1);
  sl__text_add_real(&text, mle->scores[bad_row], SL_F64);
  if (!text.failed) sl__mle_say(mle, text.data);
  sl__text_close(&text);
  return SL_OK;
}

sl_status sl__mle_check(sl__mle *mle) {
  sl__mle_state *state = &mle->state;
  if (state->loss_count > 0) state->train_loss = state->loss_sum / (double)state->loss_count;
  state->loss_sum = 0;
  state->loss_count = 0;
  double value = -state->train_loss;
  if (mle->validates) SL__TRY(score_held_out(mle, &value));
  state->valid = value;
  if (state->step > 0) /* the first look comes before any loss */
    sl__loss_history_add(&state->history, state->step, state->train_loss,
                         mle->validates ? -value : (double)NAN);
  const bool improved = value > state->best; /* false for NaN */
  if (improved) {
    state->best = value;
    state->best_step = state->step;
    state->stale = 0;
    state->stalled = 0;
  } else {
    state->stale++;
    if (++state->stalled >= mle->plateau_patience) {
      state->reductions++;
      state->stalled = 0;
    }
  }
  if (improved || !mle->validates)
    memcpy(mle->best, sl__mle_candidate(mle), (size_t)(mle->flow->size * mle->number_size));
  return SL_OK;
}
