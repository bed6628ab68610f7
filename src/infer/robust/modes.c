/* Whether chains stayed apart because the target has separate modes. Chains that mix badly in one
 * mode disagree too, and then no draws of theirs, nor a population that was moved in the same way,
 * are to be believed. So the segments of the chains whose means are farthest apart are joined by a
 * line, the tempered population is projected on it, and a valley is looked for in its counts. */
#include <math.h>
#include "infer/robust/explore.h"

enum {
  BINS = 24, /* of t, which is 0 at one end of the line, 1 at the */
  FIRST = 4,
  LAST = 20,  /* other: the ends are at the edges of these bins */
  REACH = 4,  /* bins to either side of an end that belong to it */
  FEWEST = 20 /* draws in the bin that is a peak */
};
static const double deep_enough = 0.5, errors = 4;

static void measure(const sl__draws *draws, int64_t first, int64_t rows, int32_t dim, double *mean,
                    double *variance) {
  for (int32_t i = 0; i < dim; i++) {
    double sum = 0, squares = 0;
    for (int64_t r = first; r < first + rows; r++) sum += draws->x[r * dim + i];
    mean[i] = sum / (double)rows;
    for (int64_t r = first; r < first + rows; r++) {
      const double off = draws->x[r * dim + i] - mean[i];
      squares += off * off;
    }
    if (variance) variance[i] = squares / (double)rows;
  }
}

/* In the population's standard deviations, squared. */
static double distance(int32_t dim, const double *a, const double *b, const double *variance) {
  double sum = 0;
  for (int32_t i = 0; i < dim; i++)
    if (variance[i] > 0) sum += (a[i] - b[i]) * (a[i] - b[i]) / variance[i];
  return sum;
}

static void count(const sl__draws *draws, int32_t dim, const double *a, const double *b,
                  const double *variance, int64_t counts[BINS]) {
  const double whole = distance(dim, a, b, variance);
  for (int64_t r = 0; r < draws->rows; r++) {
    double along = 0;
    for (int32_t i = 0; i < dim; i++)
      if (variance[i] > 0) along += (draws->x[r * dim + i] - a[i]) * (b[i] - a[i]) / variance[i];
    const double bin = FIRST + (LAST - FIRST) * along / whole;
    if (bin >= 0 && bin < BINS) counts[(int)bin]++;
  }
}

static int64_t highest(const int64_t counts[BINS], int from, int to) {
  int64_t most = 0;
  for (int b = from; b < to; b++)
    if (counts[b] > most) most = counts[b];
  return most;
}

static bool has_valley(const int64_t counts[BINS]) {
  const int64_t left = highest(counts, FIRST - REACH, FIRST + REACH);
  const int64_t right = highest(counts, LAST - REACH, LAST + REACH);
  const int64_t peak = left < right ? left : right;
  int64_t lowest = peak;
  for (int b = FIRST + REACH; b < LAST - REACH; b++)
    if (counts[b] < lowest) lowest = counts[b];
  const double drop = (double)(peak - lowest), noise = sqrt((double)(peak + lowest));
  return peak >= FEWEST && (double)lowest < deep_enough * (double)peak && drop > errors * noise;
}

sl_status sl__confirm_modes(sl_context *context, const sl__draws *particles,
                            const sl__draws *chains, int32_t dim, int64_t segments, bool *out) {
  const int64_t rows = chains->rows / segments;
  double *means = sl__allocate(context, (size_t)(segments + 2) * (size_t)dim, sizeof *means);
  if (!means) return SL_NO_MEMORY;
  double *variance = means + segments * dim;
  measure(particles, 0, particles->rows, dim, variance + dim, variance);
  for (int64_t s = 0; s < segments; s++)
    measure(chains, s * rows, rows, dim, means + s * dim, NULL);
  double farthest = 0;
  const double *a = means, *b = means;
  for (int64_t s = 0; s < segments; s++)
    for (int64_t t = 0; t < s; t++) {
      const double far = distance(dim, means + s * dim, means + t * dim, variance);
      if (!(far > farthest)) continue;
      farthest = far;
      a = means + s * dim;
      b = means + t * dim;
    }
  int64_t counts[BINS] = {0};
  if (farthest > 0) count(particles, dim, a, b, variance, counts);
  *out = has_valley(counts);
  sl__free(&context->allocator, means);
  return SL_OK;
}

/* Of coordinate i alone, between the least and the largest mean of a segment. */
static bool margin_has_valley(const sl__draws *particles, const double *means, int64_t segments,
                              int32_t dim, int32_t i) {
  double low = INFINITY, high = -INFINITY;
  int64_t counts[BINS] = {0};
  for (int64_t s = 0; s < segments; s++) {
    low = fmin(low, means[s * dim + i]);
    high = fmax(high, means[s * dim + i]);
  }
  for (int64_t r = 0; r < particles->rows && high > low; r++) {
    const double along = (particles->x[r * dim + i] - low) / (high - low);
    const double bin = FIRST + (LAST - FIRST) * along;
    if (bin >= 0 && bin < BINS) counts[(int)bin]++;
  }
  return has_valley(counts);
}

sl_status sl__confirm_margins(sl_context *context, const sl__exploration *e, double most_rhat,
                              int64_t segments, bool *out) {
  const int64_t rows = e->chains.rows / segments;
  double *means = sl__allocate(context, (size_t)segments * (size_t)e->dim, sizeof *means);
  if (!means) return SL_NO_MEMORY;
  for (int64_t s = 0; s < segments; s++)
    measure(&e->chains, s * rows, rows, e->dim, means + s * e->dim, NULL);
  bool all = true;
  for (int32_t i = 0; i < e->dim && all; i++)
    all = e->rhats[i] <= most_rhat || margin_has_valley(&e->particles, means, segments, e->dim, i);
  *out = all;
  sl__free(&context->allocator, means);
  return SL_OK;
}
