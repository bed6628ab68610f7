/* Batch means. */
#include "infer/chain/mixing.h"
#include <math.h>
#include <string.h>

/* Four chains of 1,000 draws worth a quarter each are worth 1,000, of which R-hat is below 1.01. */
static const double wanted_worth = 0.25;
enum { most_trajectories = 8 };

sl_status sl__mixing_open(sl__arena *arena, int32_t dim, int64_t length, sl__mixing *mixing) {
  *mixing = (sl__mixing){.dim = dim, .length = length};
  double **all[] = {&mixing->mean, &mixing->squares, &mixing->batch_mean, &mixing->batch_squares,
                    &mixing->sum};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    *all[i] = sl__arena_take(arena, (size_t)dim, sizeof(double));
    if (!*all[i]) return SL_NO_MEMORY;
  }
  return SL_OK;
}

/* Welford's update by the count-th value. */
static void update(int64_t count, double value, double *mean, double *squares) {
  const double step = value - *mean;
  *mean += step / (double)count;
  *squares += step * (value - *mean);
}

void sl__mixing_add(sl__mixing *mixing, const double *q) {
  if (mixing->length == 0) return;
  mixing->draws++;
  for (int32_t i = 0; i < mixing->dim; i++) {
    mixing->sum[i] += q[i];
    update(mixing->draws, q[i], &mixing->mean[i], &mixing->squares[i]);
  }
  if (mixing->draws % mixing->length != 0) return;
  mixing->batches++;
  for (int32_t i = 0; i < mixing->dim; i++)
    update(mixing->batches, mixing->sum[i] / (double)mixing->length, &mixing->batch_mean[i],
           &mixing->batch_squares[i]);
  memset(mixing->sum, 0, (size_t)mixing->dim * sizeof *mixing->sum);
}

static const sl__mixing *of_chain(const sl__mixing *mixing, size_t stride, int32_t chain) {
  return (const sl__mixing *)(const void *)((const char *)mixing + (size_t)chain * stride);
}

double sl__mixing_time(int32_t chains, const sl__mixing *mixing, size_t stride) {
  double worst = 1;
  for (int32_t i = 0; i < mixing->dim; i++) {
    double squares = 0, batch_squares = 0, freedom = 0, batch_freedom = 0;
    for (int32_t c = 0; c < chains; c++) {
      const sl__mixing *m = of_chain(mixing, stride, c);
      squares += m->squares[i];
      batch_squares += m->batch_squares[i];
      freedom += (double)(m->draws - 1);
      batch_freedom += (double)(m->batches - 1);
    }
    if (!(squares > 0) || !(batch_freedom > 0)) continue;
    const double ratio = (batch_squares / batch_freedom) / (squares / freedom);
    worst = fmax(worst, fmin(ratio, 1) * (double)mixing->length);
  }
  return worst;
}

int32_t sl__mixing_trajectories(double time) {
  const double count = ceil(wanted_worth * time);
  return count < most_trajectories ? (int32_t)fmax(count, 1) : most_trajectories;
}
