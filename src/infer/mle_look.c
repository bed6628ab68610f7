/* Looks at the data: layers and bases that start from data (sl__kind.look) are shown some rows
 * before the first step, those that keep looking are shown others now and then.
 *
 * When is a matter of steps, which rows a matter of the step: so a run that is resumed sees what an
 * uninterrupted one sees. A look comes at the end of its step, before a checkpoint may be written.
 * Weights of rows count only as far as rows of weight 0 are not shown. */
#include <string.h>
#include "infer/mle.h"

enum { FIRST_ROWS = 4096, LATER_ROWS = 1024, LOOK_EVERY = 32 };

sl_status sl__mle_open_look(sl__mle *mle) {
  const sl__flow *flow = mle->flow;
  const size_t width = (size_t)mle->number_size;
  if (!sl__flow_looks(flow, false)) return SL_OK;
  mle->look_rows = FIRST_ROWS;
  if (!mle->options.generate && mle->data->rows < FIRST_ROWS) mle->look_rows = mle->data->rows;
  const size_t rows = (size_t)mle->look_rows;
  mle->look_x = sl__arena_take(&mle->arena, rows, (size_t)flow->dim * width);
  mle->look_context = sl__arena_take(&mle->arena, rows, (size_t)flow->context_dim * width);
  mle->look_index = sl__arena_take(&mle->arena, rows, sizeof *mle->look_index);
  return mle->look_x && mle->look_context && mle->look_index ? SL_OK : SL_NO_MEMORY;
}

static double weight_of(const sl__mle *mle, int64_t row) {
  const void *weight = mle->data->weight;
  if (!weight) return 1;
  return mle->flow->type == SL_F32 ? (double)((const float *)weight)[row]
                                   : ((const double *)weight)[row];
}

/* All rows, or so many at random, into look_index. A permutation of an epoch draws feature 0 of the
 * same numbers, this feature 1. */
static int64_t choose_rows(sl__mle *mle, int64_t step, int64_t most) {
  const int64_t rows = mle->data->rows, wanted = rows < most ? rows : most;
  const sl__random_key key = {mle->options.seed, SL__STREAM_SHUFFLE, (uint32_t)step};
  int64_t count = 0;
  for (int64_t k = 0; k < wanted; k++) {
    const int64_t row =
        wanted == rows ? k : (int64_t)sl__random_below(key, (uint64_t)k, 1, (uint64_t)rows);
    if (weight_of(mle, row) > 0) mle->look_index[count++] = row;
  }
  return count;
}

static void copy_rows(const sl__mle *mle, int64_t count, int32_t columns, const void *from,
                      char *to) {
  const size_t bytes = (size_t)columns * (size_t)mle->number_size;
  for (int64_t r = 0; r < count; r++)
    memcpy(to + (size_t)r * bytes, (const char *)from + (size_t)mle->look_index[r] * bytes, bytes);
}

static int64_t gather(sl__mle *mle, int64_t most) {
  const sl__mle_data *data = mle->data;
  const int64_t step = mle->state.step;
  const int64_t count = choose_rows(mle, step, most);
  if (data->noise_width)
    sl__mle_add_noise(mle, (uint32_t)step, count, data->x, mle->look_index, mle->look_x);
  else
    copy_rows(mle, count, mle->flow->dim, data->x, mle->look_x);
  if (data->context)
    copy_rows(mle, count, mle->flow->context_dim, data->context, mle->look_context);
  return count;
}

/* The first look sees what the first steps will be given; later ones what the last step was. */
static sl_status generate(sl__mle *mle, bool first, int64_t *count) {
  const int64_t batch = mle->options.batch;
  const size_t row_bytes = (size_t)mle->flow->dim * (size_t)mle->number_size;
  *count = 0;
  for (int64_t step = 0; *count < mle->look_rows && step < mle->options.steps; step++) {
    if (first) SL__TRY(mle->options.generate(mle->options.user, step, batch, mle->rows));
    const int64_t room = mle->look_rows - *count, added = batch < room ? batch : room;
    memcpy(mle->look_x + (size_t)*count * row_bytes, mle->rows, (size_t)added * row_bytes);
    *count += added;
    if (!first) break;
  }
  return SL_OK;
}

static sl_status show(sl__mle *mle, bool first, char *vector, int64_t count) {
  const void *context_rows = mle->data->context ? mle->look_context : NULL;
  return sl__flow_look(mle->context, mle->flow, vector, count, mle->look_x, context_rows, first);
}

sl_status sl__mle_first_look(sl__mle *mle) {
  const size_t bytes = (size_t)(mle->flow->size * mle->number_size);
  int64_t count;
  if (mle->look_rows == 0) return SL_OK;
  if (mle->options.generate)
    SL__TRY(generate(mle, true, &count));
  else
    count = gather(mle, FIRST_ROWS);
  SL__TRY(show(mle, true, mle->weights, count));
  memcpy(mle->best, mle->weights, bytes);
  if (mle->average) memcpy(mle->average, mle->weights, bytes);
  return SL_OK;
}

/* After steps 1, 2, 4, 8, 16, when parameters move fast, and then every 32. */
static bool is_due(int64_t step) {
  return step % LOOK_EVERY == 0 || (step < LOOK_EVERY && (step & (step - 1)) == 0);
}

/* The average of the parameters is a flow of its own: what arrives at its layers is not what
 * arrives at the layers of the newest parameters. */
sl_status sl__mle_look_again(sl__mle *mle) {
  if (mle->look_rows == 0 || !is_due(mle->state.step) || !sl__flow_looks(mle->flow, true))
    return SL_OK;
  int64_t count;
  if (mle->options.generate)
    SL__TRY(generate(mle, false, &count));
  else
    count = gather(mle, LATER_ROWS);
  SL__TRY(show(mle, false, mle->weights, count));
  return mle->average ? show(mle, false, mle->average, count) : SL_OK;
}
