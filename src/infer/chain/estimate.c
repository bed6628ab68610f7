/* Metrics from moments: diagonal and dense. */
#include "infer/chain/estimate.h"
#include <math.h>
#include <string.h>

/* Variances further from 1 than this factor are taken for failures of the estimate. */
static const double most_variance = 1e20;

sl_status sl__moments_open(sl__arena *arena, int32_t dim, sl__moments *moments) {
  *moments = (sl__moments){.dim = dim};
  double **all[] = {&moments->mean, &moments->squares, &moments->gradient_mean,
                    &moments->gradient_squares};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    *all[i] = sl__arena_take(arena, (size_t)dim, sizeof(double));
    if (!*all[i]) return SL_NO_MEMORY;
  }
  return SL_OK;
}

void sl__moments_clear(sl__moments *moments) {
  double *all[] = {moments->mean, moments->squares, moments->gradient_mean,
                   moments->gradient_squares};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    memset(all[i], 0, (size_t)moments->dim * sizeof(double));
  moments->count = 0;
}

void sl__moments_add(sl__moments *moments, const double *q, const double *gradient) {
  const double share = 1 / (double)++moments->count;
  for (int32_t i = 0; i < moments->dim; i++) {
    const double step = q[i] - moments->mean[i];
    moments->mean[i] += share * step;
    moments->squares[i] += step * (q[i] - moments->mean[i]);
    const double change = gradient[i] - moments->gradient_mean[i];
    moments->gradient_mean[i] += share * change;
    moments->gradient_squares[i] += change * (gradient[i] - moments->gradient_mean[i]);
  }
}

sl_status sl__window_open(sl__arena *arena, int32_t dim, int64_t capacity, sl__window *window) {
  *window = (sl__window){.dim = dim, .capacity = capacity};
  window->q = sl__arena_take(arena, (size_t)capacity * (size_t)dim, sizeof(double));
  window->gradient = sl__arena_take(arena, (size_t)capacity * (size_t)dim, sizeof(double));
  return window->q && window->gradient ? SL_OK : SL_NO_MEMORY;
}

void sl__window_clear(sl__window *window) {
  window->count = 0;
}

void sl__window_keep(sl__window *window, int64_t count) {
  if (count >= window->count) return;
  const size_t dim = (size_t)window->dim, from = (size_t)(window->count - count) * dim;
  memmove(window->q, window->q + from, (size_t)count * dim * sizeof(double));
  memmove(window->gradient, window->gradient + from, (size_t)count * dim * sizeof(double));
  window->count = count;
}

void sl__window_add(sl__window *window, const double *q, const double *gradient) {
  if (window->count == window->capacity) sl__window_keep(window, window->capacity / 4 * 3);
  const size_t dim = (size_t)window->dim, at = (size_t)window->count++ * dim;
  memcpy(window->q + at, q, dim * sizeof *q);
  memcpy(window->gradient + at, gradient, dim * sizeof *q);
}

void sl__estimate_variances(const sl__moments *moments, sl__metric *metric) {
  const double n = (double)moments->count;
  if (n < 2) return;
  for (int32_t i = 0; i < moments->dim; i++) {
    const double variance = moments->squares[i] / (n - 1);
    const double shrunk = n / (n + 5) * variance + 1e-3 * (5 / (n + 5));
    if (shrunk < most_variance) metric->scale[i] = sqrt(shrunk);
  }
}

void sl__estimate_covariance(const sl__window *window, double *work, sl__metric *metric) {
  const int32_t dim = window->dim;
  const double n = (double)window->count, shrink = n / (n + 5);
  if (n < 2) return;
  double *mean = metric->scale; /* a dense metric has no use for it */
  for (int32_t i = 0; i < dim; i++) {
    mean[i] = 0;
    for (int64_t r = 0; r < window->count; r++) mean[i] += window->q[(size_t)(r * dim + i)] / n;
  }
  for (int32_t i = 0; i < dim; i++)
    for (int32_t j = 0; j <= i; j++) {
      double sum = 0;
      for (int64_t r = 0; r < window->count; r++) {
        const double *q = window->q + (size_t)(r * dim);
        sum += (q[i] - mean[i]) * (q[j] - mean[j]);
      }
      const double value = shrink * sum / (n - 1) + (i == j ? 1e-3 * (5 / (n + 5)) : 0);
      work[(size_t)i * dim + j] = work[(size_t)j * dim + i] = value;
    }
  for (int32_t i = 0; i < dim; i++) mean[i] = 1;
  sl__metric_set_dense(metric, work);
}

void sl__estimate_fisher(const sl__moments *moments, sl__metric *metric) {
  for (int32_t i = 0; i < moments->dim; i++) {
    const double variance = sqrt(moments->squares[i] / moments->gradient_squares[i]);
    if (variance > 1 / most_variance && variance < most_variance) metric->scale[i] = sqrt(variance);
  }
}

void sl__estimate_first(const double *gradient, sl__metric *metric) {
  for (int32_t i = 0; i < metric->dim; i++) {
    const double variance = 1 / fabs(gradient[i]);
    if (variance > 1e-10 && variance < 1e10) metric->scale[i] = sqrt(variance);
  }
}
