/* Maximum likelihood by stochastic gradients: the loop. The files beside it hold one part each:
 * mle_setup.c, mle_look.c, mle_batch.c, mle_step.c, mle_validate.c, mle_trouble.c,
 * mle_checkpoint.c.
 *
 * Every number is a function of data, options and seed. Steps, checks, patience and back-off count
 * steps, not seconds; the clock decides only when a checkpoint is written (which changes nothing)
 * and whether max_seconds is over. */
#include <math.h>
#include <string.h>
#include "base/os.h"
#include "infer/mle.h"

enum { MOST_BAD_STEPS = 20 };
static const double checkpoint_seconds = 30;

void sl__mle_defaults(sl__mle_options *options) {
  *options = (sl__mle_options){
      .epochs = 100,
      .batch = 256,
      .patience = 20,
      .rate = NAN,
      .optimiser = "adam",
      .schedule = "cosine",
      .optimiser_options = {NAN, NAN, NAN, NAN, NAN},
      .clip = 5,
  };
}

double sl__mle_seconds(const sl__mle *mle) {
  return mle->state.seconds + (sl__os_seconds() - mle->started);
}

static bool finished(const sl__mle *mle) {
  return mle->state.step >= mle->options.steps ||
         (mle->validates && mle->options.patience > 0 && mle->state.stale >= mle->options.patience);
}

static double rows_per_second(const sl__mle *mle) {
  const double seconds = sl__os_seconds() - mle->started;
  const int64_t rows = (mle->state.step - mle->first_step) * mle->options.batch;
  return seconds > 0 ? (double)rows / seconds : 0;
}

/* Tells the caller; false: stop. */
static bool report_progress(const sl__mle *mle, bool checked, double seconds) {
  const sl__mle_state *state = &mle->state;
  if (!mle->options.progress) return true;
  const sl__mle_progress now = {
      .step = state->step,
      .steps = mle->options.steps,
      .loss =
          state->loss_count > 0 ? state->loss_sum / (double)state->loss_count : state->train_loss,
      .valid = mle->validates ? state->valid : NAN,
      .best_valid = mle->validates ? state->best : NAN,
      .seconds = seconds,
      .rows_per_second = rows_per_second(mle),
      .checked = checked && mle->validates,
  };
  return mle->options.progress(mle->options.user, &now);
}

/* A checkpoint that cannot be written is no reason to throw the run away, but is said. */
static void save_checkpoint(sl__mle *mle) {
  if (mle->options.checkpoint && sl__mle_save(mle, mle->options.checkpoint) != SL_OK)
    sl__mle_say(mle, mle->context->error.message);
}

static sl_status train(sl__mle *mle) {
  sl__mle_state *state = &mle->state;
  const sl__mle_options *options = &mle->options;
  double saved = sl__os_seconds();
  while (!finished(mle)) {
    SL__TRY(sl__mle_step(mle));
    if (state->bad_running >= MOST_BAD_STEPS) return sl__mle_give_up(mle);
    const bool check = state->step % options->valid_every == 0 || state->step == options->steps;
    if (check) SL__TRY(sl__mle_check(mle));
    const double now = sl__os_seconds(), seconds = sl__mle_seconds(mle);
    const bool due = options->checkpoint_every > 0 ? state->step % options->checkpoint_every == 0
                                                   : now - saved >= checkpoint_seconds;
    if (due) {
      save_checkpoint(mle);
      saved = now;
    }
    if (!report_progress(mle, check, seconds)) {
      save_checkpoint(mle);
      return sl__fail(mle->context, SL_STOPPED, "stopped after step %lld of %lld",
                      (long long)state->step, (long long)options->steps);
    }
    if (options->max_seconds > 0 && seconds >= options->max_seconds) break;
  }
  save_checkpoint(mle);
  return SL_OK;
}

/* Steps since the last check may have made the best: they count, though the checkpoint written
 * before knows nothing of this. */
static sl_status last_check(sl__mle *mle) {
  const bool checked = mle->state.loss_count == 0;
  return checked ? SL_OK : sl__mle_check(mle);
}

static void write_report(const sl__mle *mle, sl__mle_report *report) {
  const sl__mle_state *state = &mle->state;
  *report = (sl__mle_report){
      .steps = state->step,
      .best_step = mle->validates ? state->best_step : state->step,
      .train_loss = state->train_loss,
      .best_valid = mle->validates ? state->best : NAN,
      .seconds = sl__mle_seconds(mle),
      .rows_per_second = rows_per_second(mle),
      .skipped = state->skipped,
      .stopped_early = state->step < mle->options.steps && finished(mle),
      .resumed = mle->options.resume != NULL,
      .history = state->history,
  };
  memcpy(report->trouble, mle->trouble, sizeof report->trouble);
}

/* Runs from the starting values or the checkpoint to the end; the best is in mle->best then. */
static sl_status start_and_train(sl__mle *mle) {
  if (mle->options.resume) {
    SL__TRY(sl__mle_resume(mle, mle->options.resume));
  } else {
    SL__TRY(sl__mle_first_look(mle));
    if (mle->validates) SL__TRY(sl__mle_check(mle)); /* the starting values are the first best */
  }
  mle->first_step = mle->state.step;
  return train(mle);
}

sl_status sl__mle_fit(sl_context *context, const sl__flow *flow, void *vector,
                      const sl__mle_data *data, const sl__mle_options *options,
                      sl__mle_report *report) {
  sl__mle mle;
  *report = (sl__mle_report){.train_loss = NAN, .best_valid = NAN};
  SL__TRY(sl__mle_open(context, flow, vector, data, options, &mle));
  sl_status status = start_and_train(&mle);
  if (status == SL_OK || status == SL_STOPPED) {
    const sl_status checked = last_check(&mle);
    if (checked != SL_OK) status = checked;
    sl__mle_say_skipped(&mle);
  }
  if (status == SL_OK || status == SL_STOPPED || status == SL_NUMERIC) {
    memcpy(vector, mle.best, (size_t)(flow->size * mle.number_size));
    write_report(&mle, report);
  }
  sl__mle_close(&mle);
  return status;
}
