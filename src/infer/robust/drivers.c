/* Coordinates that drive the scales of others, as the variance at the top of a hierarchical model
 * does: a coordinate's value goes with the logarithm of how far others are from their means. In
 * couplings that take turns such a coordinate stands half the time on the side of those it drives,
 * where they cannot see it; a coupling in which it is kept, and all that are driven are mapped,
 * gives each its scale at once. */
#include <math.h>
#include "infer/robust/attempt.h"

enum { MOST_ROWS = 4096, FEWEST_DRIVEN = 2 };
/* Of chance alone, in standard errors; and what is worth a layer. */
static const double errors = 4, least_correlation = 0.1;

/* Rows of the buffer as the flow's layers see them, and the logarithms of their squares; columns
 * of mean 0 and variance 1, [dim][rows]. */
typedef struct screen {
  int64_t rows;
  double *white, *logs;
} screen;

static void standardise(int64_t rows, double *x) {
  double mean = 0, variance = 0;
  for (int64_t r = 0; r < rows; r++) mean += x[r] / (double)rows;
  for (int64_t r = 0; r < rows; r++) variance += (x[r] - mean) * (x[r] - mean) / (double)rows;
  for (int64_t r = 0; r < rows; r++) x[r] = variance > 0 ? (x[r] - mean) / sqrt(variance) : 0;
}

static void fill(const sl__exploration *e, screen *s) {
  static const double least_square = 1e-12;
  const int64_t rows = s->rows;
  sl__robust_whiten_draws(e, rows, s->white);
  for (int32_t i = 0; i < e->dim; i++) {
    double *white = s->white + i * rows, *logs = s->logs + i * rows;
    for (int64_t r = 0; r < rows; r++) logs[r] = log(white[r] * white[r] + least_square);
    standardise(rows, white);
    standardise(rows, logs);
  }
}

static bool drives(const screen *s, int32_t dim, int32_t i, double enough) {
  int driven = 0;
  for (int32_t j = 0; j < dim; j++) {
    double product = 0;
    for (int64_t r = 0; r < s->rows; r++)
      product += s->white[i * s->rows + r] * s->logs[j * s->rows + r];
    driven += j != i && fabs(product / (double)s->rows) > enough;
  }
  return driven >= FEWEST_DRIVEN;
}

sl_status sl__robust_find_drivers(sl__robust *run) {
  const sl__exploration *e = run->exploration;
  const size_t dim = (size_t)e->dim;
  screen s = {.rows = e->buffer.rows < MOST_ROWS ? e->buffer.rows : MOST_ROWS};
  run->drivers = NULL;
  if (e->dim <= SL__FEW || !e->factor) return SL_OK;
  char *mask = sl__arena_take(run->arena, dim + 1, 1);
  s.white = sl__allocate(run->context, (size_t)s.rows * dim * 2, sizeof *s.white);
  if (!mask || !s.white) return SL_NO_MEMORY;
  s.logs = s.white + (size_t)s.rows * dim;
  fill(e, &s);
  const double enough = fmax(least_correlation, errors / sqrt(fmin(e->effective, (double)s.rows)));
  int32_t count = 0;
  for (int32_t i = 0; i < e->dim; i++) {
    const bool driver = drives(&s, e->dim, i, enough);
    mask[i] = driver ? '1' : '0';
    count += driver;
  }
  run->drivers = count > 0 && count <= e->dim / 2 ? mask : NULL;
  sl__free(&run->context->allocator, s.white);
  return SL_OK;
}
