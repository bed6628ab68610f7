/* The options of a fit: one row each, from which the command line, sl_fit_options_set and the
 * help texts read name, type, range and text; the offset beside the row says where in
 * sl_fit_options it goes. */
#include <math.h>
#include <string.h>

#include "flow/formula.h"
#include "infer/recipe.h"

static const sl__option_row rows[] = {
    {"flow", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "formula of the flow; chosen from the data by default"},
    {"base", SL__OPTION_TEXT, NULL, 0, 0, NULL, "base density, normal by default"},
    {"precision", SL__OPTION_CHOICE, NULL, 0, 0, "f32|f64",
     "precision of the arithmetic, f32 by default"},
    {"seed", SL__OPTION_INT, NULL, 0, 9007199254740991.0, NULL, "seed of everything random"},
    {"steps", SL__OPTION_INT, NULL, 1, 1e12, NULL,
     "optimiser steps; chosen from the rows by default"},
    {"epochs", SL__OPTION_REAL, NULL, 1e-6, 1e9, NULL,
     "passes over the training rows, instead of steps"},
    {"batch", SL__OPTION_INT, NULL, 1, 1e7, NULL, "rows per step"},
    {"lr", SL__OPTION_REAL, NULL, 1e-12, 1e3, NULL, "learning rate"},
    {"optimizer", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "adam, adamw, sgd, nesterov, rmsprop or adagrad"},
    {"schedule", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "of the rate: constant, cosine, warmup or plateau"},
    {"warmup", SL__OPTION_INT, NULL, 0, 1e12, NULL, "steps over which the rate rises"},
    {"weight-decay", SL__OPTION_REAL, NULL, 0, 1e3, NULL, "weight decay of the optimiser"},
    {"momentum", SL__OPTION_REAL, NULL, 0, 1, NULL, "momentum of the optimiser"},
    {"beta1", SL__OPTION_REAL, NULL, 0, 1, NULL, "first decay of the optimiser"},
    {"beta2", SL__OPTION_REAL, NULL, 0, 1, NULL, "second decay of the optimiser"},
    {"epsilon", SL__OPTION_REAL, NULL, 0, 1, NULL, "what the optimiser adds to its divisor"},
    {"clip", SL__OPTION_REAL, NULL, 0, 1e12, NULL, "bound on the norm of the gradient; 0: none"},
    {"ema", SL__OPTION_REAL, NULL, 0, 0.9999999, NULL,
     "decay of the running average of the parameters; 0: none"},
    {"valid-every", SL__OPTION_INT, NULL, 1, 1e12, NULL,
     "steps between looks at the held-out rows"},
    {"patience", SL__OPTION_INT, NULL, 0, 1e9, NULL,
     "looks without improvement before stopping; 0: never stop early"},
    {"max-seconds", SL__OPTION_REAL, NULL, 0, 1e9, NULL,
     "time limit; the one option that makes results depend on speed"},
    {"valid-fraction", SL__OPTION_REAL, NULL, 0, 0.9, NULL, "of the rows, held out to stop by"},
    {"test-fraction", SL__OPTION_REAL, NULL, 0, 0.9, NULL, "of the rows, held out to report on"},
    {"dequantize", SL__OPTION_BOOL, NULL, 0, 0, NULL,
     "add noise to rounded columns; by default where noticed; --dequantize=false: never"},
    {"baselines", SL__OPTION_BOOL, NULL, 0, 0, NULL,
     "fit a Gaussian and a Gaussian mixture beside the flow; --baselines=false: do not"},
    {"checkpoint", SL__OPTION_TEXT, NULL, 0, 0, NULL, "file to save the state of the fit in"},
    {"checkpoint-every", SL__OPTION_INT, NULL, 1, 1e12, NULL, "steps between checkpoints"},
    {"resume", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "checkpoint to go on from; ends in the same bits as without the break"},
};
enum { ROWS = sizeof rows / sizeof *rows };

/* Where row i goes; the member's type follows from the row's: INT int64_t (seed: the same bits),
 * REAL double, BOOL and CHOICE int32_t, TEXT const char *. */
static const size_t offsets[] = {
    offsetof(sl_fit_options, formula),
    offsetof(sl_fit_options, base),
    offsetof(sl_fit_options, precision),
    offsetof(sl_fit_options, seed),
    offsetof(sl_fit_options, steps),
    offsetof(sl_fit_options, epochs),
    offsetof(sl_fit_options, batch),
    offsetof(sl_fit_options, rate),
    offsetof(sl_fit_options, optimizer),
    offsetof(sl_fit_options, schedule),
    offsetof(sl_fit_options, warmup),
    offsetof(sl_fit_options, weight_decay),
    offsetof(sl_fit_options, momentum),
    offsetof(sl_fit_options, beta1),
    offsetof(sl_fit_options, beta2),
    offsetof(sl_fit_options, epsilon),
    offsetof(sl_fit_options, clip),
    offsetof(sl_fit_options, ema),
    offsetof(sl_fit_options, valid_every),
    offsetof(sl_fit_options, patience),
    offsetof(sl_fit_options, max_seconds),
    offsetof(sl_fit_options, valid_fraction),
    offsetof(sl_fit_options, test_fraction),
    offsetof(sl_fit_options, dequantize),
    offsetof(sl_fit_options, baselines),
    offsetof(sl_fit_options, checkpoint),
    offsetof(sl_fit_options, checkpoint_every),
    offsetof(sl_fit_options, resume),
};
_Static_assert(sizeof offsets / sizeof *offsets == ROWS, "every row has its member");

const sl__option_row *sl__fit_option_rows(int *count) {
  *count = ROWS;
  return rows;
}

void sl__fit_options_default(sl_fit_options *options) {
  for (int i = 0; i < ROWS; i++) {
    void *member = (char *)options + offsets[i];
    switch (rows[i].type) {
      case SL__OPTION_INT: *(int64_t *)member = -1; break;
      case SL__OPTION_REAL: *(double *)member = NAN; break;
      case SL__OPTION_BOOL:
      case SL__OPTION_CHOICE: *(int32_t *)member = -1; break;
      default: *(const char **)member = NULL;
    }
  }
  options->seed = 0;
  options->progress = NULL;
  options->progress_user = NULL;
}

static sl_status check_name(sl_context *context, const char *what, const char *given, bool known,
                            const char *const *names, int count) {
  if (!given || known) return SL_OK;
  const char *near = sl__nearest_name(given, names, count);
  return sl__fail(context, SL_BAD_ARGUMENT, "no %s \"%s\"; %s \"%s\"%s", what, given,
                  near ? "did you mean" : "one is", near ? near : names[0], near ? "?" : "");
}

/* Names of registries, so that a wrong one is refused before any work is done. */
static sl_status check_names(sl_context *context, const sl_fit_options *options) {
  enum { MOST = 64 };
  const char *names[MOST];
  int count;
  const sl__optimiser *const *optimisers = sl__optimisers(&count);
  for (int i = 0; i < count && i < MOST; i++) names[i] = optimisers[i]->name;
  SL__TRY(check_name(context, "optimizer", options->optimizer,
                     options->optimizer && sl__optimiser_find(options->optimizer), names, count));
  const sl__schedule *const *schedules = sl__schedules(&count);
  for (int i = 0; i < count && i < MOST; i++) names[i] = schedules[i]->name;
  SL__TRY(check_name(context, "schedule", options->schedule,
                     options->schedule && sl__schedule_find(options->schedule), names, count));
  return options->base ? sl__formula_check_base(context, options->base) : SL_OK;
}

sl_status sl__fit_options_set(sl_context *context, sl_fit_options *options, const char *key,
                              const char *value) {
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl__option_value values[ROWS];
  memset(values, 0, sizeof values);
  sl_status status = sl__options_set(context, &arena, rows, ROWS, values, "option ", key, value);
  for (int i = 0; i < ROWS && status == SL_OK; i++) {
    if (strcmp(rows[i].name, key) != 0) continue;
    void *member = (char *)options + offsets[i];
    switch (rows[i].type) {
      case SL__OPTION_INT: *(int64_t *)member = values[i].integer; break;
      case SL__OPTION_REAL: *(double *)member = values[i].real; break;
      case SL__OPTION_BOOL:
      case SL__OPTION_CHOICE: *(int32_t *)member = (int32_t)values[i].integer; break;
      default: *(const char **)member = value; /* borrowed, as the header says */
    }
  }
  sl__arena_close(&arena);
  return status == SL_OK ? check_names(context, options) : status;
}

sl_status sl__fit_options_read(sl_context *context, const sl_fit_options *options,
                               sl_fit_options *out) {
  sl__fit_options_default(out);
  if (options) {
    if (options->size < sizeof(size_t) || options->size > sizeof *out)
      return sl__fail(context, SL_BAD_ARGUMENT,
                      "sl_fit_options.size is %zu, this library knows up to %zu; fill the struct "
                      "with sl_fit_options_default",
                      options->size, sizeof *out);
    memcpy(out, options, options->size);
  }
  out->size = sizeof *out;
  if (out->steps > 0 && out->epochs > 0)
    return sl__fail(context, SL_BAD_ARGUMENT, "both steps and epochs are given; choose one");
  return check_names(context, out);
}

static void apply_integer(int64_t given, int64_t *value) {
  if (given >= 0) *value = given;
}

static void apply_real(double given, double *value) {
  if (!isnan(given)) *value = given;
}

void sl__fit_options_apply(const sl_fit_options *options, sl__mle_options *mle) {
  mle->seed = options->seed;
  apply_integer(options->batch, &mle->batch);
  apply_integer(options->patience, &mle->patience);
  apply_integer(options->valid_every, &mle->valid_every);
  apply_integer(options->warmup, &mle->warmup_steps);
  apply_integer(options->checkpoint_every, &mle->checkpoint_every);
  apply_real(options->rate, &mle->rate);
  apply_real(options->clip, &mle->clip);
  apply_real(options->ema, &mle->ema);
  apply_real(options->max_seconds, &mle->max_seconds);
  apply_real(options->beta1, &mle->optimiser_options.beta1);
  apply_real(options->beta2, &mle->optimiser_options.beta2);
  apply_real(options->epsilon, &mle->optimiser_options.epsilon);
  apply_real(options->momentum, &mle->optimiser_options.momentum);
  apply_real(options->weight_decay, &mle->optimiser_options.weight_decay);
  if (options->steps > 0) {
    mle->steps = options->steps;
    mle->epochs = 0;
  } else if (options->epochs > 0) {
    mle->epochs = options->epochs;
    mle->steps = 0;
  }
  if (options->optimizer) mle->optimiser = options->optimizer;
  if (options->schedule) mle->schedule = options->schedule;
  mle->checkpoint = options->checkpoint;
  mle->resume = options->resume;
}
