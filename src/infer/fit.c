/* A fit from beginning to end: prepare, choose, optimise, judge.
 *
 * The flow of a standardised fit ends in a standardize layer. While it is trained that layer is
 * the identity and the rows are standardised beforehand, in double; then the means and standard
 * deviations are written into it, and from there on the flow takes the data's own units. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "base/text.h"
#include "infer/recipe.h"

/* ---- between the optimiser's callbacks and the caller's ---- */

typedef struct bridge {
  const sl_fit_options *options;
  sl_generate_function generate;
  void *generate_user;
  double last_told; /* seconds */
} bridge;

static bool tell(void *user, const sl__mle_progress *now) {
  bridge *b = user;
  bool last = now->step == now->steps;
  if (!now->checked && !last && now->seconds < b->last_told + 0.05) return true;
  b->last_told = now->seconds;
  sl_fit_progress public = {.size = sizeof public,
                            .step = now->step,
                            .steps = now->steps,
                            .loss = now->loss,
                            .valid_loss = -now->valid,
                            .best_valid_loss = -now->best_valid,
                            .seconds = now->seconds,
                            .rows_per_second = now->rows_per_second};
  return b->options->progress(b->options->progress_user, &public);
}

static sl_status generate(void *user, int64_t step, int64_t rows, void *x) {
  bridge *b = user;
  return b->generate(b->generate_user, step, rows, x);
}

/* ---- the optimisation ---- */

static void spread(const void *user, uint32_t step, int64_t rows, const int64_t *index, void *x) {
  const sl__spread *own = user;
  const sl__random_key key = {own->seed, SL__STREAM_DEQUANTISE, step};
  sl__spread_rows(own, key, NULL, index ? own->train : own->valid, index, 0, rows, own->type, x);
}

static bool has_result(sl_status status) {
  return status == SL_OK || status == SL_STOPPED || status == SL_NUMERIC;
}

static void report_run(const sl__mle_report *run, sl_fit_report *report) {
  report->steps = run->steps;
  report->best_step = run->best_step;
  report->skipped = run->skipped;
  report->stopped_early = run->stopped_early;
  report->seconds = run->seconds;
  report->rows_per_second = run->rows_per_second;
  snprintf(report->trouble, sizeof report->trouble, "%s", run->trouble);
}

static sl_status optimise(sl_context *context, sl__model *model, const sl__prepared *prepared,
                          sl__mle_options *mle, const sl_fit_options *options, bridge *b,
                          sl_fit_report *report, sl__mle_report *run) {
  sl__mle_data data = {0};
  if (prepared)
    data = (sl__mle_data){.rows = prepared->train_rows,
                          .x = prepared->train_x,
                          .context = prepared->train_condition,
                          .weight = prepared->train_weight,
                          .valid_rows = prepared->valid_rows,
                          .valid_x = prepared->valid_x,
                          .valid_context = prepared->valid_condition,
                          .valid_weight = prepared->valid_weight,
                          .noise_width = prepared->noise_width,
                          .spread = prepared->spread.count > 0 ? spread : NULL,
                          .spread_user = &prepared->spread};
  sl__fit_options_apply(options, mle);
  b->options = options;
  b->last_told = -1;
  mle->user = b;
  mle->progress = options->progress ? tell : NULL;
  sl_status status = sl__mle_fit(context, model->flow, model->vector, &data, mle, run);
  if (has_result(status)) report_run(run, report);
  return status;
}

/* Judges and puts the time of the whole into the report; a stop or a numeric failure stays the
 * result. */
static sl_status conclude(sl_context *context, const sl__model *model, const sl__prepared *prepared,
                          const sl_fit_options *options, bool baselines, sl_status status,
                          double start, sl_fit_report *report) {
  sl_context before = *context;
  sl_status judged =
      sl__judge(context, prepared, model->flow, model->vector, options->seed, baselines, report);
  if (judged != SL_OK) return judged;
  if (status != SL_OK) context->error = before.error;
  report->seconds = sl__os_seconds() - start;
  return status;
}

/* ---- the default policy ---- */

/* What the model keeps of the data, besides the parameters. */
static void describe_data(sl__model *model, const sl__prepared *prepared) {
  sl__model_standardize(model, prepared->mean, prepared->sd);
  for (int32_t i = 0; i < prepared->context_dim; i++) {
    model->context_shift[i] = prepared->condition_mean[i];
    model->context_scale[i] = prepared->condition_sd[i];
  }
  for (int32_t i = 0; i < prepared->columns; i++) model->noise_width[i] = prepared->column_noise[i];
}

static void add_score(sl__json *json, const char *key, const sl_score *score) {
  if (score->rows == 0) return;
  sl__json_open_object(json, key);
  sl__json_real(json, "log_prob", score->log_prob);
  if (isnan(score->se))
    sl__json_text(json, "se", NULL);
  else
    sl__json_real(json, "se", score->se);
  sl__json_real(json, "log_prob_standardized", score->log_prob_standardized);
  sl__json_integer(json, "rows", score->rows);
  sl__json_close_object(json);
}

/* The record that is saved with the model. It holds no times, so that equal fits give equal
 * files. */
static sl_status record_training(sl_context *context, sl__model *model, const sl__mle_options *mle,
                                 const sl_fit_report *report, const sl__mle_report *run) {
  sl__text text;
  sl__text_open(&text, context);
  sl__json json = {.text = &text};
  sl__json_open_object(&json, NULL);
  sl__json_integer(&json, "seed", (int64_t)mle->seed);
  sl__json_integer(&json, "steps", report->steps);
  sl__json_integer(&json, "best_step", report->best_step);
  sl__json_integer(&json, "skipped", report->skipped);
  sl__json_integer(&json, "batch", mle->batch);
  sl__json_text(&json, "optimizer", mle->optimiser);
  sl__json_text(&json, "schedule", mle->schedule);
  sl__json_real(&json, "lr", mle->rate);
  add_score(&json, "train", &report->train);
  add_score(&json, "valid", &report->valid);
  add_score(&json, "test", &report->test);
  add_score(&json, "gaussian", &report->gaussian);
  add_score(&json, "gaussian_mixture", &report->gaussian_mixture);
  sl__json_text(&json, "verdict", report->verdict);
  sl__loss_history_write(&run->history, &json);
  sl__json_close_object(&json);
  sl_status status = text.failed ? SL_NO_MEMORY : sl__model_set_training(model, text.data);
  sl__text_close(&text);
  return status;
}

static void configure(const sl__recipe *recipe, sl__mle_options *mle) {
  sl__mle_defaults(mle);
  mle->steps = recipe->steps;
  mle->batch = recipe->batch;
  mle->patience = recipe->patience;
  mle->valid_every = recipe->valid_every;
  mle->warmup_steps = recipe->warmup;
  mle->rate = recipe->rate;
  mle->clip = recipe->clip;
  mle->ema = recipe->ema;
  mle->optimiser = recipe->optimiser;
  mle->schedule = recipe->schedule;
}

/* The formula is for what is not periodic: a map of a circle there would cut the line off. */
static sl_status check_lines(sl_context *context, const sl__flow *flow) {
  for (int i = 0; i < flow->chain.count; i++) {
    const sl__layer *layer = &flow->chain.layers[i];
    if (layer->period > 0)
      return sl__fail_at(context, SL_BAD_ARGUMENT, layer->line, layer->column,
                         "%s, %.80s maps a circle, and the columns it would map are lines; declare "
                         "the column periodic(low,high), which gives it such maps",
                         layer->title, layer->text);
  }
  return SL_OK;
}

sl_status sl__fit_rows(sl_context *context, const sl_fit_data *data, const sl_fit_options *options,
                       sl__model **out, sl_fit_report *report) {
  *out = NULL;
  double start = sl__os_seconds();
  sl__prepared prepared;
  SL__TRY(sl__prepare(context, data, options, NULL, &prepared));
  memcpy(report->notes, prepared.notes, sizeof report->notes);
  if (prepared.notes[0] && context->log) context->log(context->log_user, 1, prepared.notes);

  sl__recipe recipe;
  sl__mle_options mle;
  sl__mle_report run = {0};
  const int32_t angles = prepared.map->periodic;
  sl__recipe_choose(prepared.train_rows, prepared.dim - angles, prepared.context_dim + 2 * angles,
                    &recipe);
  configure(&recipe, &mle);
  const char *formula = options->formula ? options->formula : recipe.formula;
  sl_status status =
      sl__model_new_typed(context, formula, options->base, prepared.columns, prepared.map->type,
                          prepared.context_dim, prepared.type, options->seed, out);
  if (status == SL_OK) status = check_lines(context, (*out)->flow);
  if (status == SL_OK)
    status = sl__model_name_columns(*out, data->column_names, data->condition_names);
  if (status == SL_OK) {
    bridge b = {0};
    status = optimise(context, *out, &prepared, &mle, options, &b, report, &run);
    /* Whoever interrupts wants to have what there is, not to wait for baselines. */
    bool baselines = options->baselines != 0 && status != SL_STOPPED;
    if (has_result(status))
      status = conclude(context, *out, &prepared, options, baselines, status, start, report);
  }
  if (has_result(status)) {
    describe_data(*out, &prepared);
    sl_status recorded = record_training(context, *out, &mle, report, &run);
    if (recorded != SL_OK) status = recorded;
  }
  if (!has_result(status)) {
    sl__model_free(context, *out);
    *out = NULL;
  }
  sl__prepared_close(&prepared);
  return status;
}

/* ---- flows of the caller's ---- */

sl_status sl__fit_model(sl_context *context, sl__model *model, const sl_fit_data *data,
                        const sl_fit_options *options, sl_fit_report *report) {
  double start = sl__os_seconds();
  sl_fit_options own = *options;
  own.precision = (int32_t)model->flow->type;
  sl__prepared prepared;
  SL__TRY(sl__prepare(context, data, &own, model, &prepared));
  sl_status status = SL_OK;
  if (prepared.context_dim != model->flow->context_dim)
    status = sl__fail(context, SL_BAD_ARGUMENT, "the condition has %d columns; the flow wants %d",
                      prepared.context_dim, model->flow->context_dim);
  if (status == SL_OK) {
    sl__mle_options mle;
    sl__mle_defaults(&mle);
    mle.epochs = 100;
    mle.steps = 0;
    bridge b = {0};
    sl__mle_report run;
    status = optimise(context, model, &prepared, &mle, &own, &b, report, &run);
    if (has_result(status))
      status = conclude(context, model, &prepared, &own, false, status, start, report);
  }
  sl__prepared_close(&prepared);
  return status;
}

sl_status sl__fit_generated(sl_context *context, sl__model *model, sl_generate_function function,
                            void *user, const sl_fit_options *options, sl_fit_report *report) {
  static const sl_score nothing = {NAN, NAN, NAN, 0};
  report->train = report->valid = report->test = nothing;
  report->gaussian = report->gaussian_mixture = nothing;
  if (model->map.mapped)
    return sl__fail(context, SL_UNSUPPORTED,
                    "rows cannot be generated for a flow of typed columns; fit it to given rows");
  sl__mle_options mle;
  sl__mle_defaults(&mle);
  mle.steps = 5000;
  mle.epochs = 0;
  mle.batch = 256;
  mle.generate = generate;
  bridge b = {.generate = function, .generate_user = user};
  sl__mle_report run;
  return optimise(context, model, NULL, &mle, options, &b, report, &run);
}
