/* The low-rank metric: what is left of a window's draws and gradients when each coordinate has its
 * scale.
 *
 * In scaled coordinates draws have a covariance A, gradients B. The matrix of least Fisher
 * divergence solves S B S = A: S = B^-1/2 (B^1/2 A B^1/2)^1/2 B^-1/2 (Seyboldt, Carlson and
 * Carpenter 2026, arXiv:2603.18845, section 3). It is sought in the whole space when the draws are
 * more than twice its dimensions and these are few, else in a space that some of the draws and
 * gradients span, half as many dimensions as there are draws at most: so both covariances have full
 * rank in it. Of the eigenvectors those are kept whose eigenvalue is well away from 1. */
#include <math.h>
#include <string.h>
#include "base/dot.h"
#include "infer/chain/estimate.h"
#include "kernels/eigen.h"

static const double keep_beyond = 2; /* eigenvalues above this, or below its inverse */
static const double ridge = 1e-5;    /* added to both covariances: unseen directions become 1 */

typedef struct space {
  int32_t dim, size;                  /* size: of the space */
  double *basis;                      /* [size][dim], orthonormal rows; NULL: the whole space */
  double *mean, *gradient_mean, *row; /* [dim] */
  double *a, *b, *vectors, *root, *product; /* [size][size] */
  double *values, *inside;                  /* [size] */
} space;

static int32_t most_size(int32_t dim, int32_t most_rank) {
  return dim < most_rank ? dim : most_rank;
}

size_t sl__low_rank_work(int32_t dim, int32_t most_rank) {
  const size_t size = (size_t)most_size(dim, most_rank), n = (size_t)dim;
  return size * n + 3 * n + 5 * size * size + 2 * size;
}

static void lay_out(int32_t dim, int32_t most_rank, double *work, space *s) {
  const size_t size = (size_t)most_size(dim, most_rank), n = (size_t)dim;
  *s = (space){.dim = dim, .size = (int32_t)size, .basis = work};
  double *next = work + size * n;
  double **rows[] = {&s->mean, &s->gradient_mean, &s->row};
  for (size_t i = 0; i < 3; i++, next += n) *rows[i] = next;
  double **squares[] = {&s->a, &s->b, &s->vectors, &s->root, &s->product};
  for (size_t i = 0; i < 5; i++, next += size * size) *squares[i] = next;
  s->values = next;
  s->inside = next + size;
}

/* Scales of the coordinates, and the means. */
static bool set_scales(const sl__window *window, space *s, sl__metric *metric) {
  const double n = (double)window->count;
  for (int32_t i = 0; i < s->dim; i++) {
    double mean = 0, gradient_mean = 0, squares = 0, gradient_squares = 0;
    for (int64_t r = 0; r < window->count; r++) {
      mean += window->q[(size_t)(r * s->dim + i)] / n;
      gradient_mean += window->gradient[(size_t)(r * s->dim + i)] / n;
    }
    for (int64_t r = 0; r < window->count; r++) {
      const double x = window->q[(size_t)(r * s->dim + i)] - mean;
      const double y = window->gradient[(size_t)(r * s->dim + i)] - gradient_mean;
      squares += x * x;
      gradient_squares += y * y;
    }
    const double variance = sqrt(squares / gradient_squares);
    if (variance > 1e-20 && variance < 1e20) metric->scale[i] = sqrt(variance);
    s->mean[i] = mean;
    s->gradient_mean[i] = gradient_mean;
  }
  return n >= 4;
}

/* Row r of the window, centred and scaled, -> s->row. */
static void scaled_row(const sl__window *window, const sl__metric *metric, space *s, int64_t r,
                       bool gradient) {
  const double *from = (gradient ? window->gradient : window->q) + (size_t)(r * s->dim);
  const double *mean = gradient ? s->gradient_mean : s->mean;
  for (int32_t i = 0; i < s->dim; i++)
    s->row[i] =
        gradient ? (from[i] - mean[i]) * metric->scale[i] : (from[i] - mean[i]) / metric->scale[i];
}

/* Gram and Schmidt, twice, on draws and gradients in turn, spread evenly over the window. */
static void make_basis(const sl__window *window, const sl__metric *metric, space *s) {
  const int64_t half = window->count / 2;
  const int32_t most = half < s->size ? (int32_t)half : s->size;
  int32_t made = 0;
  for (int32_t k = 0; k < most; k++) {
    const int64_t pairs = (most + 1) / 2, r = (k / 2) * window->count / pairs;
    scaled_row(window, metric, s, r, k % 2 == 1);
    const double before = sqrt(sl__dot(s->dim, s->row, s->row));
    for (int pass = 0; pass < 2; pass++)
      for (int32_t j = 0; j < made; j++) {
        const double *u = s->basis + (size_t)j * s->dim;
        const double along = sl__dot(s->dim, u, s->row);
        for (int32_t i = 0; i < s->dim; i++) s->row[i] -= along * u[i];
      }
    const double norm = sqrt(sl__dot(s->dim, s->row, s->row));
    if (!(norm > 1e-8 * before)) continue;
    double *u = s->basis + (size_t)made++ * s->dim;
    for (int32_t i = 0; i < s->dim; i++) u[i] = s->row[i] / norm;
  }
  s->size = made;
}

/* The covariance of the scaled draws or gradients in the space, with the ridge. */
static void covariance(const sl__window *window, const sl__metric *metric, space *s, bool gradient,
                       double *out) {
  const int32_t size = s->size;
  memset(out, 0, (size_t)size * size * sizeof *out);
  for (int64_t r = 0; r < window->count; r++) {
    scaled_row(window, metric, s, r, gradient);
    const double *x = s->row;
    if (s->basis) {
      for (int32_t k = 0; k < size; k++)
        s->inside[k] = sl__dot(s->dim, s->basis + (size_t)k * s->dim, s->row);
      x = s->inside;
    }
    for (int32_t i = 0; i < size; i++)
      for (int32_t j = 0; j < size; j++) out[(size_t)i * size + j] += x[i] * x[j];
  }
  double trace = 0;
  for (int32_t i = 0; i < size; i++) trace += out[(size_t)i * size + i];
  for (int32_t i = 0; i < size; i++) out[(size_t)i * size + i] += ridge * trace / size;
}

/* Eigenvalues and, as rows, eigenvectors of a symmetric matrix, which is used up. */
static bool decompose(space *s, double *matrix) {
  const int32_t n = s->size;
  sl__symmetric_eigen(n, matrix, s->values, s->product);
  for (int32_t k = 0; k < n; k++) {
    if (!isfinite(s->values[k])) return false;
    for (int32_t i = 0; i < n; i++) s->vectors[(size_t)k * n + i] = s->product[(size_t)i * n + k];
  }
  return true;
}

/* out = V' f(values) V, of the eigenvectors in s->vectors: f the power. */
static void compose(space *s, double power, double *out) {
  const int32_t n = s->size;
  memset(out, 0, (size_t)n * n * sizeof *out);
  for (int32_t k = 0; k < n; k++) {
    const double f = pow(fmax(s->values[k], 1e-300), power), *u = s->vectors + (size_t)k * n;
    for (int32_t i = 0; i < n; i++)
      for (int32_t j = 0; j < n; j++) out[(size_t)i * n + j] += f * u[i] * u[j];
  }
}

/* out = c m c, all symmetric; work is used up. */
static void sandwich(int32_t n, const double *c, const double *m, double *work, double *out) {
  for (int32_t i = 0; i < n; i++)
    for (int32_t j = 0; j < n; j++) {
      double sum = 0;
      for (int32_t k = 0; k < n; k++) sum += m[(size_t)i * n + k] * c[(size_t)k * n + j];
      work[(size_t)i * n + j] = sum;
    }
  for (int32_t i = 0; i < n; i++)
    for (int32_t j = 0; j < n; j++) {
      double sum = 0;
      for (int32_t k = 0; k < n; k++) sum += c[(size_t)i * n + k] * work[(size_t)k * n + j];
      out[(size_t)i * n + j] = sum;
    }
}

/* s->a, s->b -> eigenvalues and vectors of the S with S b S = a. */
static bool solve(space *s) {
  const int32_t n = s->size;
  if (!decompose(s, s->b)) return false;
  compose(s, 0.5, s->root);
  compose(s, -0.5, s->b); /* b now holds its own inverse root */
  sandwich(n, s->root, s->a, s->product, s->a);
  if (!decompose(s, s->a)) return false;
  compose(s, 0.5, s->root);
  sandwich(n, s->b, s->root, s->product, s->a);
  return decompose(s, s->a);
}

/* Few draws know little: logarithms of eigenvalues are drawn towards 0 as Stan draws variances. */
static void keep_vectors(const space *s, int64_t count, sl__metric *metric) {
  const double trust = (double)count / (double)(count + 5);
  metric->rank = 0;
  for (int32_t k = 0; k < s->size && metric->rank < metric->most_rank; k++) {
    const double value = pow(s->values[k], trust), *inside = s->vectors + (size_t)k * s->size;
    if (!(value > keep_beyond || value < 1 / keep_beyond) || !(value > 0)) continue;
    double *u = metric->vectors + (size_t)metric->rank * s->dim;
    memset(u, 0, (size_t)s->dim * sizeof *u);
    for (int32_t j = 0; j < s->size; j++)
      for (int32_t i = 0; i < s->dim; i++)
        u[i] += inside[j] * (s->basis ? s->basis[(size_t)j * s->dim + i] : (i == j));
    metric->values[metric->rank++] = value;
  }
}

void sl__estimate_low_rank(const sl__window *window, double *work, sl__metric *metric) {
  space s;
  lay_out(window->dim, metric->most_rank, work, &s);
  if (!set_scales(window, &s, metric)) return;
  if (s.size == s.dim && window->count >= 2 * (int64_t)s.dim)
    s.basis = NULL;
  else
    make_basis(window, metric, &s);
  covariance(window, metric, &s, false, s.a);
  covariance(window, metric, &s, true, s.b);
  metric->rank = 0;
  if (s.size > 0 && solve(&s)) keep_vectors(&s, window->count, metric);
}
