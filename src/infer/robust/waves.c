/* Waves in what was explored: how fast one whitened coordinate's mean goes up and down with
 * another. Networks of a few slow waves of their inputs do not follow a fast one, and with all fast
 * waves at hand they fit noise; so the waves go just as far as the draws ask for.
 *
 * For a pair of coordinates (a, b) and a frequency f the mean of b exp(i f a) is the transform of
 * b's conditional mean times a's density: a periodogram of unevenly spaced points (Lomb 1976,
 * doi:10.1007/BF00648343). The highest of its peaks counts, where it explains enough of b. */
#include <math.h>
#include "infer/robust/attempt.h"

enum { MOST_ROWS = 4096, FREQUENCIES = 400, REFINEMENTS = 40 };
/* Below the first, networks see all there is anyway. */
static const double first = 6.3, spacing = 0.15, least_share = 0.05;

typedef struct pair {
  int64_t rows;
  const double *a, *b; /* [rows], of variance about 1 */
} pair;

/* The share of b's variance that a wave of this frequency explains, were a spread evenly. */
static double share_at(const pair *p, double frequency) {
  double real = 0, imaginary = 0;
  for (int64_t r = 0; r < p->rows; r++) {
    real += p->b[r] * cos(frequency * p->a[r]);
    imaginary += p->b[r] * sin(frequency * p->a[r]);
  }
  const double n = (double)p->rows;
  return 2 * (real * real + imaginary * imaginary) / (n * n);
}

/* All of them by turning each row's wave on, from frequency to frequency. */
static void shares_of(const pair *p, double shares[FREQUENCIES]) {
  double real[FREQUENCIES] = {0}, imaginary[FREQUENCIES] = {0};
  for (int64_t r = 0; r < p->rows; r++) {
    const double turn_x = cos(spacing * p->a[r]), turn_y = sin(spacing * p->a[r]);
    double x = p->b[r] * cos(first * p->a[r]), y = p->b[r] * sin(first * p->a[r]);
    for (int k = 0; k < FREQUENCIES; k++) {
      real[k] += x;
      imaginary[k] += y;
      const double turned = x * turn_x - y * turn_y;
      y = x * turn_y + y * turn_x;
      x = turned;
    }
  }
  const double n = (double)p->rows;
  for (int k = 0; k < FREQUENCIES; k++)
    shares[k] = 2 * (real[k] * real[k] + imaginary[k] * imaginary[k]) / (n * n);
}

/* The top between two frequencies, by thirds. */
static double refine(const pair *p, double low, double high) {
  for (int i = 0; i < REFINEMENTS && high - low > 1e-4; i++) {
    const double left = low + (high - low) / 3, right = high - (high - low) / 3;
    if (share_at(p, left) < share_at(p, right))
      low = left;
    else
      high = right;
  }
  return 0.5 * (low + high);
}

static void look_at(const pair *p, double *best, double *frequency) {
  double shares[FREQUENCIES];
  shares_of(p, shares);
  for (int k = 1; k + 1 < FREQUENCIES; k++) {
    if (!(shares[k] > *best && shares[k] > shares[k - 1] && shares[k] >= shares[k + 1])) continue;
    *best = shares[k];
    *frequency = refine(p, first + (k - 1) * spacing, first + (k + 1) * spacing);
  }
}

void sl__robust_whiten_draws(const sl__exploration *e, int64_t rows, double *out) {
  for (int64_t r = 0; r < rows; r++)
    for (int32_t i = 0; i < e->dim; i++) {
      double value = (e->buffer.x[r * e->dim + i] - e->mean[i]) / e->sd[i];
      for (int32_t j = 0; j < i; j++) value -= e->factor[i * e->dim + j] * out[j * rows + r];
      out[i * rows + r] = value / e->factor[i * e->dim + i];
    }
}

sl_status sl__robust_fastest_wave(sl_context *context, const sl__exploration *e, double *out) {
  const int64_t rows = e->buffer.rows < MOST_ROWS ? e->buffer.rows : MOST_ROWS;
  double best = least_share;
  *out = 0;
  if (e->dim < 2 || e->dim > SL__FEW || !e->factor) return SL_OK;
  double *white = sl__allocate(context, (size_t)rows * (size_t)e->dim, sizeof *white);
  if (!white) return SL_NO_MEMORY;
  sl__robust_whiten_draws(e, rows, white);
  for (int32_t i = 0; i < e->dim; i++)
    for (int32_t j = 0; j < e->dim; j++) {
      const pair p = {rows, white + i * rows, white + j * rows};
      if (i != j) look_at(&p, &best, out);
    }
  sl__free(&context->allocator, white);
  return SL_OK;
}
