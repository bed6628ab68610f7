/* Which rows a step sees.
 *
 * The training rows are read as one endless row of epochs, each a fresh permutation of the data;
 * step s takes the batch numbers from s * batch on. So a batch may end one epoch and begin the
 * next, every row is seen equally often, all batches are of one size, and where a run stands
 * follows from the step alone, which is what makes resuming exact. */
#include <string.h>
#include "infer/mle.h"

static void fill_index(sl__mle *mle, int64_t step) {
  const int64_t rows = mle->data->rows, batch = mle->options.batch;
  for (int64_t filled = 0; filled < batch;) {
    const int64_t position = step * batch + filled;
    const int64_t epoch = position / rows, offset = position % rows;
    if (epoch != mle->epoch) {
      const sl__random_key key = {mle->options.seed, SL__STREAM_SHUFFLE, (uint32_t)epoch};
      sl__random_permutation(key, rows, mle->permutation);
      mle->epoch = epoch;
    }
    const int64_t left = rows - offset, wanted = batch - filled;
    const int64_t count = left < wanted ? left : wanted;
    memcpy(mle->index + filled, mle->permutation + offset, (size_t)count * sizeof(int64_t));
    filled += count;
  }
}

/* out[r][i] = x[index[r]][i] + width[i] * (uniform - 1/2) for one column i. */
#define ADD_NOISE(T)                                                                            \
  do {                                                                                          \
    const T *from = (const T *)(const void *)x, *uniform = (const T *)(const void *)mle->noise; \
    T *to = (T *)(void *)out;                                                                   \
    for (int64_t r = 0; r < rows; r++) {                                                        \
      const T value = from[(index ? index[r] : r) * dim + i];                                   \
      to[r * dim + i] = width > 0 ? value + (T)width * (uniform[r] - (T)0.5) : value;           \
    }                                                                                           \
  } while (0)

void sl__mle_add_noise(const sl__mle *mle, uint32_t step, int64_t rows, const char *x,
                       const int64_t *index, char *out) {
  const int64_t dim = mle->flow->dim;
  const sl__random_key key = {mle->options.seed, SL__STREAM_DEQUANTISE, step};
  for (int64_t i = 0; i < dim; i++) {
    const double width = mle->data->noise_width[i];
    if (width > 0) mle->kernels->random_uniform(key, 0, (uint32_t)i, 1, rows, rows, mle->noise);
    if (mle->flow->type == SL_F32)
      ADD_NOISE(float);
    else
      ADD_NOISE(double);
  }
  if (mle->data->spread) mle->data->spread(mle->data->spread_user, step, rows, index, out);
}

static double sum_weights(const sl__mle *mle) {
  const void *weight = mle->data->weight;
  double sum = 0;
  for (int64_t r = 0; r < mle->options.batch; r++)
    sum += mle->flow->type == SL_F32 ? (double)((const float *)weight)[mle->index[r]]
                                     : ((const double *)weight)[mle->index[r]];
  return sum;
}

sl_status sl__mle_batch(sl__mle *mle, int64_t step, double *weight) {
  const sl__mle_data *data = mle->data;
  const sl_dtype type = mle->flow->type;
  *weight = (double)mle->options.batch;
  if (mle->options.generate) {
    mle->feeds[0] = (sl__feed){.data = mle->rows, .type = type};
    return mle->options.generate(mle->options.user, step, mle->options.batch, mle->rows);
  }
  fill_index(mle, step);
  int feeds = 0;
  if (data->noise_width) {
    sl__mle_add_noise(mle, (uint32_t)step, mle->options.batch, data->x, mle->index, mle->rows);
    mle->feeds[feeds++] = (sl__feed){.data = mle->rows, .type = type};
  } else {
    mle->feeds[feeds++] = (sl__feed){.data = data->x, .type = type, .index = mle->index};
  }
  if (data->context)
    mle->feeds[feeds++] = (sl__feed){.data = data->context, .type = type, .index = mle->index};
  if (data->weight) {
    mle->feeds[feeds] = (sl__feed){.data = data->weight, .type = type, .index = mle->index};
    *weight = sum_weights(mle);
  }
  return SL_OK;
}
