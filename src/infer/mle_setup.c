/* Maximum likelihood: checks what is asked, builds the two programs (training: the summed log
 * density and its gradient; scoring: the log density of each row) and takes all memory there will
 * be. */
#include <math.h>
#include <string.h>
#include "base/os.h"
#include "infer/mle.h"

enum { CHUNK = 16384 };

static sl_status check_data(const sl__mle *mle) {
  const sl__mle_data *data = mle->data;
  const bool generates = mle->options.generate != NULL, conditional = mle->flow->context_dim > 0;
  if (!generates && (data->rows < 1 || !data->x))
    return sl__fail(mle->context, SL_BAD_ARGUMENT, "there are no rows to fit; give at least one");
  if (generates && conditional)
    return sl__fail(mle->context, SL_UNSUPPORTED,
                    "generated rows have no context; fit a flow without one");
  if (!generates && conditional != (data->context != NULL))
    return sl__fail(mle->context, SL_BAD_ARGUMENT, "the flow has %d context columns, the data %s",
                    (int)mle->flow->context_dim, conditional ? "none" : "some");
  if (data->valid_rows > 0 && (!data->valid_x || conditional != (data->valid_context != NULL)))
    return sl__fail(mle->context, SL_BAD_ARGUMENT,
                    "held-out rows must have the columns of the training rows");
  return SL_OK;
}

static double number_at(sl_dtype type, const void *numbers, int64_t at) {
  return type == SL_F32 ? (double)((const float *)numbers)[at] : ((const double *)numbers)[at];
}

static sl_status check_weights(const sl__mle *mle, const char *what, int64_t rows,
                               const void *weight) {
  double total = 0;
  for (int64_t r = 0; weight && r < rows; r++) {
    const double value = number_at(mle->flow->type, weight, r);
    if (!(value >= 0 && isfinite(value)))
      return sl__fail(mle->context, SL_BAD_ARGUMENT,
                      "the weight of %s row %lld is negative or not finite", what,
                      (long long)r + 1);
    total += value;
  }
  if (weight && rows > 0 && !(total > 0))
    return sl__fail(mle->context, SL_BAD_ARGUMENT, "all %s rows have weight 0", what);
  return SL_OK;
}

static int64_t at_least(int64_t value, int64_t limit) {
  return value > limit ? value : limit;
}
static int64_t at_most(int64_t value, int64_t limit) {
  return value < limit ? value : limit;
}

/* A check costs about a third of training on as many rows: by default checks take no more than a
 * fifth of the time, come no more often than once an epoch, and at least 20 and at most 200 times.
 * */
static int64_t usual_valid_every(const sl__mle *mle) {
  const int64_t batch = mle->options.batch, steps = mle->options.steps;
  const int64_t rows = mle->options.generate ? 0 : mle->data->rows;
  if (!mle->validates) return at_least(steps / 20, 1);
  int64_t every = at_least(rows / batch, 2 * mle->data->valid_rows / batch);
  every = at_most(at_least(every, steps / 200), steps / 20);
  return at_least(every, 1);
}

static sl_status resolve_options(sl__mle *mle) {
  sl__mle_options *options = &mle->options;
  mle->optimiser = sl__optimiser_find(options->optimiser);
  if (!mle->optimiser)
    return sl__fail(mle->context, SL_BAD_ARGUMENT, "there is no optimiser called %s",
                    options->optimiser);
  mle->schedule = sl__schedule_find(options->schedule);
  if (!mle->schedule)
    return sl__fail(mle->context, SL_BAD_ARGUMENT, "there is no schedule called %s",
                    options->schedule);
  options->optimiser_options = sl__optimiser_resolve(mle->optimiser, &options->optimiser_options);
  if (isnan(options->rate)) options->rate = mle->optimiser->default_rate;
  if (options->batch < 1)
    return sl__fail(mle->context, SL_BAD_ARGUMENT, "a batch must have at least one row");
  if (!options->generate) options->batch = at_most(options->batch, mle->data->rows);
  if (options->steps == 0 && options->epochs > 0 && !options->generate) {
    const double steps = ceil(options->epochs * (double)mle->data->rows / (double)options->batch);
    options->steps = steps < 1e15 ? (int64_t)steps : 0;
  }
  if (options->steps < 1)
    return sl__fail(mle->context, SL_BAD_ARGUMENT,
                    "the number of steps is not known; give steps, or epochs of given data");
  if (!(options->ema >= 0 && options->ema < 1))
    return sl__fail(mle->context, SL_BAD_ARGUMENT, "ema must lie in 0..1, 1 excluded");
  if (!(options->rate > 0) || !(options->clip >= 0))
    return sl__fail(mle->context, SL_BAD_ARGUMENT, "rate must be positive and clip not negative");
  if (options->valid_every == 0) options->valid_every = usual_valid_every(mle);
  /* The rate is halved well before patience ends, or it would never get a chance. */
  mle->plateau_patience = options->patience > 0 ? at_least(options->patience / 3, 1) : 10;
  return SL_OK;
}

/* The log density of a row, and the graph's inputs in the order of the feeds: x, context, weight.
 * */
static sl_node build_log_prob(const sl__mle *mle, sl__graph *graph) {
  const sl__flow *flow = mle->flow;
  const sl_node x = op_input(graph, flow->type, sl__shape1(flow->dim));
  sl_node context_value = 0;
  if (flow->context_dim > 0)
    context_value = op_input(graph, flow->type, sl__shape1(flow->context_dim));
  return sl__flow_log_prob(flow, graph, x, context_value);
}

static sl_status build_train(sl__mle *mle, sl__graph *graph) {
  const sl__flow *flow = mle->flow;
  const size_t outputs = (size_t)flow->parameter_count + 1;
  sl_node *wrt = sl__arena_take(&mle->arena, outputs, sizeof *wrt);
  sl_node *output = sl__arena_take(&mle->arena, outputs, sizeof *output);
  mle->train_sinks = sl__arena_take(&mle->arena, outputs, sizeof *mle->train_sinks);
  if (!wrt || !output || !mle->train_sinks) return SL_NO_MEMORY;

  sl__graph_for_fitting(graph);
  sl_node value = build_log_prob(mle, graph);
  sl__graph_label(graph, "loss");
  if (mle->data->weight && !mle->options.generate)
    value = op_multiply(graph, value, op_input(graph, flow->type, sl__scalar_shape()));
  int count = 0;
  for (int p = 0; p < flow->parameter_count; p++) {
    const sl__parameter *parameter = &flow->parameters[p];
    if (!parameter->trainable) continue;
    wrt[count] = op_parameter(graph, flow->type, parameter->shape, parameter->offset);
    mle->train_sinks[++count] = (sl__sink){
        .data = mle->gradient + parameter->offset * mle->number_size, .type = flow->type};
  }
  mle->train_sinks[0] = (sl__sink){.data = &mle->total, .type = SL_F64};
  output[0] = op_sum_rows(graph, op_cast(graph, value, SL_F64));
  SL__TRY(sl__gradient(graph, value, count, wrt, output + 1));
  SL__TRY(sl__program_new(mle->context, graph, count + 1, output, &mle->train));
  return sl__workspace_new(mle->context, mle->train, mle->options.batch, &mle->train_workspace);
}

static sl_status build_score(sl__mle *mle, sl__graph *graph) {
  const sl_node log_prob = build_log_prob(mle, graph);
  SL__TRY(sl__program_new(mle->context, graph, 1, &log_prob, &mle->score));
  const int64_t rows = at_least(mle->options.batch, mle->data->valid_rows);
  return sl__workspace_new(mle->context, mle->score, rows, &mle->score_workspace);
}

static sl_status build(sl__mle *mle, sl_status (*part)(sl__mle *mle, sl__graph *graph)) {
  sl__graph *graph;
  SL__TRY(sl__graph_new(mle->context, &graph));
  const sl_status status = part(mle, graph);
  sl__graph_free(graph);
  return status;
}

/* The runs of trainable numbers, neighbours joined, cut into chunks. */
static sl_status cut_chunks(sl__mle *mle) {
  const sl__flow *flow = mle->flow;
  const size_t most = (size_t)(flow->size / CHUNK) + (size_t)flow->parameter_count + 1;
  mle->chunks = sl__arena_take(&mle->arena, most, sizeof *mle->chunks);
  mle->chunk_squares = sl__arena_take(&mle->arena, most, sizeof *mle->chunk_squares);
  if (!mle->chunks || !mle->chunk_squares) return SL_NO_MEMORY;
  int64_t begin = 0, end = 0;
  for (int p = 0; p <= flow->parameter_count; p++) {
    const sl__parameter *parameter = p < flow->parameter_count ? &flow->parameters[p] : NULL;
    if (parameter && !parameter->trainable) continue;
    const bool joins = parameter && parameter->offset == end;
    if (!joins) {
      for (int64_t at = begin; at < end; at += CHUNK)
        mle->chunks[mle->chunk_count++] = (sl__mle_chunk){at, at_most(CHUNK, end - at)};
      begin = parameter ? parameter->offset : end;
    }
    if (parameter) end = parameter->offset + sl__shape_count(parameter->shape);
  }
  return SL_OK;
}

static sl_status take_vectors(sl__mle *mle, const void *vector) {
  const size_t size = (size_t)mle->flow->size, width = (size_t)mle->number_size;
  char **wanted[] = {&mle->weights, &mle->gradient, &mle->best, &mle->average};
  for (size_t k = 0; k < sizeof wanted / sizeof wanted[0]; k++) {
    if (wanted[k] == &mle->average && mle->options.ema == 0) continue;
    *wanted[k] = sl__arena_take(&mle->arena, size, width);
    if (!*wanted[k]) return SL_NO_MEMORY;
  }
  for (int k = 0; k < mle->optimiser->states; k++) {
    mle->states[k] = sl__arena_take(&mle->arena, size, width);
    if (!mle->states[k]) return SL_NO_MEMORY;
  }
  memcpy(mle->weights, vector, size * width);
  memcpy(mle->best, vector, size * width);
  if (mle->average) memcpy(mle->average, vector, size * width);
  return SL_OK;
}

static sl_status take_batch(sl__mle *mle) {
  const sl__flow *flow = mle->flow;
  const size_t batch = (size_t)mle->options.batch, width = (size_t)mle->number_size;
  const size_t valid_rows = (size_t)mle->data->valid_rows;
  const size_t row_size = (size_t)flow->dim * width;
  const size_t scored = valid_rows > batch ? valid_rows : batch;
  mle->epoch = -1;
  if (!mle->options.generate) {
    mle->permutation = sl__arena_take(&mle->arena, (size_t)mle->data->rows, sizeof(int64_t));
    mle->index = sl__arena_take(&mle->arena, batch, sizeof(int64_t));
    if (!mle->permutation || !mle->index) return SL_NO_MEMORY;
  }
  if (mle->options.generate || mle->data->noise_width) {
    mle->rows = sl__arena_take(&mle->arena, batch, row_size);
    if (!mle->rows) return SL_NO_MEMORY;
  }
  if (mle->data->noise_width) {
    const size_t shown = (size_t)mle->look_rows, most = scored > shown ? scored : shown;
    mle->noise = sl__arena_take(&mle->arena, most + 15, width);
    if (!mle->noise) return SL_NO_MEMORY;
  }
  if (mle->data->noise_width && valid_rows > 0) {
    mle->valid_x = sl__arena_take(&mle->arena, valid_rows, row_size);
    if (!mle->valid_x) return SL_NO_MEMORY;
    sl__mle_add_noise(mle, UINT32_MAX, mle->data->valid_rows, mle->data->valid_x, NULL,
                      mle->valid_x);
  }
  mle->scores = sl__arena_take(&mle->arena, scored, sizeof(double));
  return mle->scores ? SL_OK : SL_NO_MEMORY;
}

static void point_valid_feeds(sl__mle *mle) {
  const sl__mle_data *data = mle->data;
  const sl_dtype type = mle->flow->type;
  mle->valid_feeds[0] =
      (sl__feed){.data = mle->valid_x ? mle->valid_x : data->valid_x, .type = type};
  mle->valid_feeds[1] = (sl__feed){.data = data->valid_context, .type = type};
}

static sl_status open_parts(sl__mle *mle, const void *vector) {
  SL__TRY(check_data(mle));
  SL__TRY(check_weights(mle, "training", mle->data->rows, mle->data->weight));
  SL__TRY(check_weights(mle, "held-out", mle->data->valid_rows, mle->data->valid_weight));
  SL__TRY(resolve_options(mle));
  SL__TRY(take_vectors(mle, vector));
  SL__TRY(cut_chunks(mle));
  SL__TRY(sl__mle_open_look(mle));
  SL__TRY(take_batch(mle));
  point_valid_feeds(mle);
  SL__TRY(build(mle, build_train));
  return build(mle, build_score);
}

sl_status sl__mle_open(sl_context *context, const sl__flow *flow, const void *vector,
                       const sl__mle_data *data, const sl__mle_options *options, sl__mle *mle) {
  *mle = (sl__mle){
      .context = context,
      .flow = flow,
      .data = data,
      .options = *options,
      .kernels = sl__kernels_for(context->cpu_features, flow->type),
      .number_size = flow->type == SL_F32 ? 4 : 8,
      .validates = data->valid_rows > 0,
      .started = sl__os_seconds(),
      .state = {.rate_factor = 1, .train_loss = NAN, .valid = NAN, .best = -INFINITY},
  };
  sl__arena_open(&mle->arena, context);
  const sl_status status = open_parts(mle, vector);
  if (status != SL_OK) sl__mle_close(mle);
  return status;
}

void sl__mle_close(sl__mle *mle) {
  sl__workspace_free(mle->train_workspace);
  sl__workspace_free(mle->score_workspace);
  sl__program_free(mle->train);
  sl__program_free(mle->score);
  sl__arena_close(&mle->arena);
}
