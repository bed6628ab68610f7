/* Whether chains stayed apart because the target has separate modes. Chains that mix badly in one
 * mode disagree too, and then no draws of theirs, nor a population that was moved in the same way,
 * are to be believed. So the segments of the chains whose means are farthest apart are joined by a
 * line, the tempered population is projected on it, and a valley is looked for in its counts. Two
 * modes explain segments that differ along the line; where they differ beside it, the coordinate
 * must have a valley of its own, else chains crawl within the modes as well. */
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
/* Means of segments that mix within a mode lie near the line, as against the variance within. */
static const double most_off_line = 0.4;

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
    variance[i] = squares / (double)rows;
  }
}

/* In the population's standard deviations, squared. */
static double distance(int32_t dim, const double *a, const double *b, const double *variance) {
  double sum = 0;
  for (int32_t i = 0; i < dim; i++)
    if (variance[i] > 0) sum += (a[i] - b[i]) * (a[i] - b[i]) / variance[i];
  return sum;
}

/* How far along the line from a to b a place is, times their squared distance: 0 at a. */
static double along_line(int32_t dim, const double *x, const double *a, const double *b,
                         const double *variance) {
  double sum = 0;
  for (int32_t i = 0; i < dim; i++)
    if (variance[i] > 0) sum += (x[i] - a[i]) * (b[i] - a[i]) / variance[i];
  return sum;
}

static void count(const sl__draws *draws, int32_t dim, const double *a, const double *b,
                  const double *variance, int64_t counts[BINS]) {
  const double whole = distance(dim, a, b, variance);
  for (int64_t r = 0; r < draws->rows; r++) {
    const double along = along_line(dim, draws->x + r * dim, a, b, variance);
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

/* Chains cut into segments; means and variances [segments][dim]. */
typedef struct parts {
  int32_t dim;
  int64_t segments;
  double *means, *variances;
  double *mean, *variance; /* [dim] of the population */
} parts;

static sl_status open_parts(sl_context *context, const sl__draws *particles,
                            const sl__draws *chains, int32_t dim, int64_t segments, parts *p) {
  const int64_t rows = chains->rows / segments;
  const size_t each = (size_t)segments * (size_t)dim;
  double *all = sl__allocate(context, 2 * each + 2 * (size_t)dim, sizeof *all);
  if (!all) return SL_NO_MEMORY;
  *p = (parts){dim, segments, all, all + each, all + 2 * each, all + 2 * each + (size_t)dim};
  measure(particles, 0, particles->rows, dim, p->mean, p->variance);
  for (int64_t s = 0; s < segments; s++)
    measure(chains, s * rows, rows, dim, p->means + s * dim, p->variances + s * dim);
  return SL_OK;
}

/* The means that are farthest apart; false: all are one. */
static bool find_ends(const parts *p, const double **a, const double **b) {
  double farthest = 0;
  for (int64_t s = 0; s < p->segments; s++)
    for (int64_t t = 0; t < s; t++) {
      const double *one = p->means + s * p->dim, *other = p->means + t * p->dim;
      const double far = distance(p->dim, one, other, p->variance);
      if (!(far > farthest)) continue;
      farthest = far;
      *a = one;
      *b = other;
    }
  return farthest > 0;
}

/* Of coordinate i alone, between the least and the largest mean of a segment. */
static bool margin_has_valley(const sl__draws *particles, const parts *p, int32_t i) {
  double low = INFINITY, high = -INFINITY;
  int64_t counts[BINS] = {0};
  for (int64_t s = 0; s < p->segments; s++) {
    low = fmin(low, p->means[s * p->dim + i]);
    high = fmax(high, p->means[s * p->dim + i]);
  }
  for (int64_t r = 0; r < particles->rows && high > low; r++) {
    const double along = (particles->x[r * p->dim + i] - low) / (high - low);
    const double bin = FIRST + (LAST - FIRST) * along;
    if (bin >= 0 && bin < BINS) counts[(int)bin]++;
  }
  return has_valley(counts);
}

/* Coordinate i of the segments' means, but for what the line from a to b explains of it, against
 * the variance within segments. */
static double off_line(const parts *p, const double *a, const double *b, int32_t i) {
  const double whole = distance(p->dim, a, b, p->variance), n = (double)p->segments;
  double off = 0, within = 0;
  for (int64_t s = 0; s < p->segments; s++) {
    const double *mean = p->means + s * p->dim;
    const double rest =
        mean[i] - a[i] - along_line(p->dim, mean, a, b, p->variance) / whole * (b[i] - a[i]);
    off += rest * rest / n;
    within += p->variances[s * p->dim + i] / n;
  }
  return within > 0 ? off / within : 0;
}

sl_status sl__confirm_modes(sl_context *context, const sl__draws *particles,
                            const sl__draws *chains, int32_t dim, int64_t segments, bool *out) {
  const double *a = NULL, *b = NULL;
  int64_t counts[BINS] = {0};
  parts p;
  SL__TRY(open_parts(context, particles, chains, dim, segments, &p));
  *out = find_ends(&p, &a, &b);
  if (*out) {
    count(particles, dim, a, b, p.variance, counts);
    *out = has_valley(counts);
  }
  for (int32_t i = 0; i < dim && *out; i++)
    *out = off_line(&p, a, b, i) <= most_off_line || margin_has_valley(particles, &p, i);
  sl__free(&context->allocator, p.means);
  return SL_OK;
}

sl_status sl__confirm_margins(sl_context *context, const sl__exploration *e, double most_rhat,
                              int64_t segments, bool *out) {
  parts p;
  SL__TRY(open_parts(context, &e->particles, &e->chains, e->dim, segments, &p));
  *out = true;
  for (int32_t i = 0; i < e->dim && *out; i++)
    *out = e->rhats[i] <= most_rhat || margin_has_valley(&e->particles, &p, i);
  sl__free(&context->allocator, p.means);
  return SL_OK;
}
