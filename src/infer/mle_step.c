/* One step: run the training program, measure the gradient, move the parameters and their average.
 *
 * The program gives the sum over the batch of weight times log density, and its gradient; dividing
 * by minus the batch's total weight (the loss is a mean, to be made small) and clipping to a global
 * norm are both one factor, which the update kernels apply as they read the gradient. */
#include <math.h>
#include "base/pool.h"
#include "infer/mle.h"

typedef struct move {
  sl__mle *mle;
  double g_scale, rate, decay;
} move;

static void measure_chunk(void *user, int64_t index, int worker) {
  (void)worker;
  sl__mle *mle = user;
  const sl__mle_chunk chunk = mle->chunks[index];
  mle->chunk_squares[index] =
      mle->kernels->sum_squares(chunk.count, mle->gradient + chunk.offset * mle->number_size);
}

static void move_chunk(void *user, int64_t index, int worker) {
  (void)worker;
  const move *task = user;
  const sl__mle *mle = task->mle;
  const sl__mle_chunk chunk = mle->chunks[index];
  const int64_t at = chunk.offset * mle->number_size;
  void *states[SL__MAX_OPTIMISER_STATES] = {0};
  for (int k = 0; k < mle->optimiser->states; k++) states[k] = mle->states[k] + at;
  mle->optimiser->update(mle->kernels, chunk.count, mle->weights + at, mle->gradient + at, states,
                         task->g_scale, task->rate, mle->state.updates,
                         &mle->options.optimiser_options);
  if (mle->average)
    mle->kernels->update_average(chunk.count, mle->average + at, mle->weights + at, task->decay);
}

static double gradient_squares(sl__mle *mle) {
  sl__parallel(mle->context, mle->chunk_count, measure_chunk, mle);
  double sum = 0;
  for (int64_t c = 0; c < mle->chunk_count; c++) sum += mle->chunk_squares[c];
  return sum;
}

sl__run sl__mle_train_run(const sl__mle *mle) {
  return (sl__run){
      .rows = mle->options.batch,
      .parameters = mle->weights,
      .feeds = mle->feeds,
      .sinks = mle->train_sinks,
      .key = {mle->options.seed, SL__STREAM_GRAPH, (uint32_t)mle->state.step},
  };
}

static void apply_gradient(sl__mle *mle, double weight, double norm) {
  sl__mle_state *state = &mle->state;
  const sl__mle_options *options = &mle->options;
  move task = {.mle = mle, .g_scale = -1 / weight};
  if (options->clip > 0 && norm > options->clip) task.g_scale *= options->clip / norm;
  task.rate =
      options->rate * state->rate_factor *
      mle->schedule->factor(state->step, options->steps, options->warmup_steps, state->reductions);
  /* The average forgets the first steps faster, so that it is of use early. */
  const double young = (1 + (double)state->updates) / (10 + (double)state->updates);
  task.decay = fmin(options->ema, young);
  state->updates++;
  sl__parallel(mle->context, mle->chunk_count, move_chunk, &task);
}

sl_status sl__mle_step(sl__mle *mle) {
  sl__mle_state *state = &mle->state;
  double weight;
  SL__TRY(sl__mle_batch(mle, state->step, &weight));
  if (weight > 0) { /* else no row of the batch counts */
    const sl__run run = sl__mle_train_run(mle);
    SL__TRY(sl__program_run(mle->context, mle->train, mle->train_workspace, &run));
    const double loss = -mle->total / weight;
    const double norm = sqrt(gradient_squares(mle)) / weight;
    if (isfinite(loss) && isfinite(norm)) {
      apply_gradient(mle, weight, norm);
      state->loss_sum += loss;
      state->loss_count++;
      state->bad_running = 0;
      /* Back to the full rate over some hundred good steps. */
      state->rate_factor = fmin(1, state->rate_factor * 1.007);
    } else {
      SL__TRY(sl__mle_trouble(mle, loss, norm));
    }
  }
  state->step++;
  return sl__mle_look_again(mle);
}
