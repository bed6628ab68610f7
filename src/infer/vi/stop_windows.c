/* Whether parameters still drift, told from the noise of steps at a constant rate.
 *
 * At a constant rate the parameters wander about the optimum, further than any tolerance worth
 * having, and two looks at them never agree. Means over windows do. A run is cut into 8 to 16
 * windows of equal length; when there would be more, neighbours are joined, so that windows grow
 * with the run and a slow drift shows as well as a fast one. Of the last eight, which are at least
 * half of the run, two variances are compared: V, about their common mean, and S, half the mean
 * square of the differences of neighbours (von Neumann 1941, Annals of Mathematical Statistics
 * 12:367). Of noise both are the same; a trend or a swing spreads the windows, and hardly
 * neighbours. What V has above 2 S is the square of the drift: neighbours may share some noise, for
 * the wandering has a memory. It is the mean over all parameters, in units of max(1, |mean|). */
#include <math.h>
#include <string.h>
#include "infer/vi/engine.h"

enum { LAST = SL__VI_WINDOWS / 2 };
static const double of_noise = 2;

sl_status sl__vi_windows_open(sl__vi *vi) {
  sl__vi_windows *w = &vi->watch.windows_of_parameters;
  w->length = vi->options.stop.every;
  w->mean = sl__arena_take(&vi->arena, (size_t)vi->flow->size, SL__VI_WINDOWS * sizeof *w->mean);
  return w->mean ? SL_OK : SL_NO_MEMORY;
}

/* Adds the parameters to the window that is being filled. */
static void add_parameters(sl__vi *vi) {
  sl__vi_windows *w = &vi->watch.windows_of_parameters;
  const int64_t size = vi->flow->size;
  double *mean = w->mean + w->count * size;
  w->filled++;
  for (int64_t i = 0; i < size; i++)
    mean[i] += (sl__vi_number(vi->flow, vi->weights, i) - mean[i]) / (double)w->filled;
}

static void join_neighbours(sl__vi *vi) {
  sl__vi_windows *w = &vi->watch.windows_of_parameters;
  const int64_t size = vi->flow->size;
  for (int64_t k = 0; k < LAST; k++)
    for (int64_t i = 0; i < size; i++)
      w->mean[k * size + i] = 0.5 * (w->mean[2 * k * size + i] + w->mean[(2 * k + 1) * size + i]);
  memset(w->mean + LAST * size, 0, (size_t)(LAST * size) * sizeof *w->mean);
  w->count = LAST;
  w->length *= 2;
}

/* V - 2 S of one parameter; mean [LAST] stands at every size-th place. */
static double square_of_drift(const double *mean, int64_t size) {
  double sum = 0, about = 0, between = 0;
  for (int64_t k = 0; k < LAST; k++) sum += mean[k * size];
  const double centre = sum / LAST, unit = fmax(1, fabs(centre));
  for (int64_t k = 0; k < LAST; k++) {
    const double off = mean[k * size] - centre;
    const double step = k > 0 ? mean[k * size] - mean[(k - 1) * size] : 0;
    about += off * off;
    between += 0.5 * step * step;
  }
  return (about - of_noise * between) / ((LAST - 1) * unit * unit);
}

double sl__vi_drift(sl__vi *vi) {
  sl__vi_windows *w = &vi->watch.windows_of_parameters;
  const int64_t size = vi->flow->size;
  double sum = 0, count = 0;
  add_parameters(vi);
  if (w->filled < w->length) return INFINITY;
  w->filled = 0;
  if (++w->count < LAST) return INFINITY;
  const double *last = w->mean + (w->count - LAST) * size;
  for (int64_t c = 0; c < vi->chunk_count; c++) {
    const sl__vi_chunk chunk = vi->chunks[c];
    for (int64_t i = chunk.offset; i < chunk.offset + chunk.count; i++)
      sum += square_of_drift(last + i, size);
    count += (double)chunk.count;
  }
  if (w->count == SL__VI_WINDOWS) join_neighbours(vi);
  const double square = sum / count; /* what is no number stays none, and is above any limit */
  return sqrt(square < 0 ? 0 : square);
}
