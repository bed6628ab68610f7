/* One step: run the terms, measure the gradient, move the parameters. A step whose loss or gradient
 * is not finite moves nothing (trouble.c). Dividing by the number of draws, a term's weight and
 * clipping are one factor, which the update kernels apply as they read the gradient; with several
 * terms the gradient is added up first. */
#include <math.h>
#include <string.h>
#include "base/pool.h"
#include "infer/vi/engine.h"

typedef struct move {
  sl__vi *vi;
  char *gradient;
  double scale, rate, decay;
} move;

static void measure_chunk(void *user, int64_t index, int worker) {
  (void)worker;
  const move *task = user;
  const sl__vi *vi = task->vi;
  const sl__vi_chunk chunk = vi->chunks[index];
  vi->chunk_squares[index] =
      vi->kernels->sum_squares(chunk.count, task->gradient + chunk.offset * vi->number_size);
}

static void move_chunk(void *user, int64_t index, int worker) {
  (void)worker;
  const move *task = user;
  sl__vi *vi = task->vi;
  const sl__vi_chunk chunk = vi->chunks[index];
  const int64_t at = chunk.offset * vi->number_size;
  void *states[SL__MAX_OPTIMISER_STATES] = {0};
  for (int k = 0; k < vi->optimiser->states; k++) states[k] = vi->states[k] + at;
  if (vi->before)
    memcpy(vi->before + at, vi->weights + at, (size_t)(chunk.count * vi->number_size));
  vi->optimiser->update(vi->kernels, chunk.count, vi->weights + at, task->gradient + at, states,
                        task->scale, task->rate, vi->updates, &vi->options.optimiser_options);
  if (vi->before) sl__vi_apply_momentum(vi, chunk);
}

static void average_chunk(void *user, int64_t index, int worker) {
  (void)worker;
  const move *task = user;
  const sl__vi *vi = task->vi;
  const sl__vi_chunk chunk = vi->chunks[index];
  const int64_t at = chunk.offset * vi->number_size;
  vi->kernels->update_average(chunk.count, vi->average + at, vi->weights + at, task->decay);
}

static void for_chunks(const sl__vi *vi, void (*task)(void *, int64_t, int), move *user) {
  if (vi->chunk_count == 1)
    task(user, 0, 0);
  else
    sl__parallel(vi->context, vi->chunk_count, task, user);
}

static double anneal(const sl__vi *vi) {
  const sl__vi_options *options = &vi->options;
  if (options->anneal_steps == 0 || vi->step >= options->anneal_steps) return 1;
  const double done = (double)vi->step / (double)options->anneal_steps;
  return options->anneal_from + (1 - options->anneal_from) * done;
}

/* The weighted sum of the terms' gradients into vi->gradient. */
static void add_gradients(sl__vi *vi) {
  memset(vi->gradient, 0, (size_t)(vi->flow->size * vi->number_size));
  for (int t = 0; t < vi->work_count; t++) {
    const sl__vi_work *work = &vi->work[t];
    const double scale = work->term.weight * work->factor;
    if (work->term.weight == 0) continue;
    for (int64_t i = 0; i < vi->flow->size; i++)
      sl__vi_put(vi->flow, vi->gradient, i,
                 sl__vi_number(vi->flow, vi->gradient, i) +
                     scale * sl__vi_number(vi->flow, work->slope, i));
  }
}

/* Leaves loss and norm, and what to read the gradient from. */
static sl_status run_terms(sl__vi *vi, move *task) {
  vi->tempering = anneal(vi);
  vi->loss = 0;
  vi->norm = (double)NAN;
  for (int t = 0; t < vi->work_count; t++) {
    sl__vi_work *work = &vi->work[t];
    if (work->term.weight == 0) continue;
    SL__TRY(sl__vi_work_run(vi, work));
    vi->loss += work->term.weight * work->loss;
    if (!isfinite(vi->loss)) return SL_OK;
  }
  *task = (move){.vi = vi, .gradient = vi->gradient, .scale = 1};
  if (vi->work_count == 1) {
    task->gradient = vi->work[0].slope;
    task->scale = vi->work[0].term.weight * vi->work[0].factor;
  } else {
    add_gradients(vi);
  }
  for_chunks(vi, measure_chunk, task);
  double squares = 0;
  for (int64_t c = 0; c < vi->chunk_count; c++) squares += vi->chunk_squares[c];
  vi->norm = sqrt(squares) * fabs(task->scale);
  return SL_OK;
}

static void apply(sl__vi *vi, move *task) {
  const sl__vi_options *options = &vi->options;
  const double kept = sl__vi_clip(vi, vi->norm);
  vi->last_skipped = kept == 0;
  vi->bad_running = 0;
  sl__vi_remember(vi, vi->loss);
  sl__loss_history_add(&vi->history, vi->step, vi->loss, (double)NAN);
  if (vi->last_skipped) {
    vi->skipped++;
    return;
  }
  task->scale *= kept;
  task->rate = options->rate * vi->rate_factor *
               vi->schedule->factor(vi->step, options->steps, options->warmup_steps, 0);
  /* The average forgets the first steps faster, so that it is of use early. */
  const double young = (1 + (double)vi->updates) / (10 + (double)vi->updates);
  task->decay = fmin(options->ema, young);
  vi->updates++;
  for_chunks(vi, move_chunk, task);
  if (vi->bound) sl__vi_bound_norms(vi);
  if (vi->average) for_chunks(vi, average_chunk, task);
  sl__vi_snapshot(vi);
  vi->rate_factor = fmin(1, vi->rate_factor * (options->go_back ? 1.0003 : 1.007));
}

sl_status sl__vi_step(sl__vi *vi) {
  move task = {0};
  SL__TRY(run_terms(vi, &task));
  const bool good = isfinite(vi->loss) && isfinite(vi->norm);
  sl_status status = SL_OK;
  if (good)
    apply(vi, &task);
  else
    status = sl__vi_trouble(vi);
  if (vi->options.losses && vi->step < vi->options.steps) vi->options.losses[vi->step] = vi->loss;
  vi->step++;
  return status;
}
