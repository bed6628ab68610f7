/* Velocities and momenta of the four forms of metric. */
#include "infer/chain/metric.h"
#include <math.h>
#include <string.h>
#include "base/dot.h"

sl_status sl__metric_open(sl__arena *arena, sl__metric_form form, int32_t dim, int32_t most_rank,
                          sl__metric *metric) {
  const size_t n = (size_t)dim;
  *metric = (sl__metric){.form = form, .dim = dim, .most_rank = most_rank};
  metric->scale = sl__arena_take(arena, n, sizeof(double));
  if (!metric->scale) return SL_NO_MEMORY;
  for (size_t i = 0; i < n; i++) metric->scale[i] = 1;
  if (form == SL__METRIC_DENSE) {
    metric->dense = sl__arena_take(arena, n * n, sizeof(double));
    metric->factor = sl__arena_take(arena, n * n, sizeof(double));
    metric->spare = sl__arena_take(arena, n * n, sizeof(double));
    if (!metric->dense || !metric->factor || !metric->spare) return SL_NO_MEMORY;
    for (size_t i = 0; i < n; i++) metric->dense[i * n + i] = metric->factor[i * n + i] = 1;
  }
  if (form == SL__METRIC_LOW_RANK) {
    metric->vectors = sl__arena_take(arena, (size_t)most_rank * n, sizeof(double));
    metric->values = sl__arena_take(arena, (size_t)most_rank, sizeof(double));
    if (!metric->vectors || !metric->values) return SL_NO_MEMORY;
  }
  return SL_OK;
}

/* x + U' (f(v) - 1) U x in place, where f is the identity or 1 / sqrt. */
static void stretch(const sl__metric *metric, bool inverse_root, double *x) {
  for (int32_t k = 0; k < metric->rank; k++) {
    const double *u = metric->vectors + (size_t)k * metric->dim;
    const double factor = inverse_root ? 1 / sqrt(metric->values[k]) : metric->values[k];
    const double along = (factor - 1) * sl__dot(metric->dim, u, x);
    for (int32_t i = 0; i < metric->dim; i++) x[i] += along * u[i];
  }
}

void sl__metric_velocity(const sl__metric *metric, const double *p, double *v) {
  const int32_t n = metric->dim;
  const double *s = metric->scale;
  switch (metric->form) {
    case SL__METRIC_UNIT: memcpy(v, p, (size_t)n * sizeof *v); return;
    case SL__METRIC_DIAGONAL:
      for (int32_t i = 0; i < n; i++) v[i] = s[i] * s[i] * p[i];
      return;
    case SL__METRIC_DENSE:
      for (int32_t i = 0; i < n; i++) v[i] = sl__dot(n, metric->dense + (size_t)i * n, p);
      return;
    case SL__METRIC_LOW_RANK:
      for (int32_t i = 0; i < n; i++) v[i] = s[i] * p[i];
      stretch(metric, false, v);
      for (int32_t i = 0; i < n; i++) v[i] *= s[i];
      return;
  }
}

void sl__metric_momentum(const sl__metric *metric, const double *normal, double *p) {
  const int32_t n = metric->dim;
  if (p != normal) memcpy(p, normal, (size_t)n * sizeof *p);
  if (metric->form == SL__METRIC_DENSE) {
    for (int32_t i = n - 1; i >= 0; i--) { /* solves L' p = normal */
      for (int32_t j = i + 1; j < n; j++) p[i] -= metric->factor[(size_t)j * n + i] * p[j];
      p[i] /= metric->factor[(size_t)i * n + i];
    }
    return;
  }
  if (metric->form == SL__METRIC_LOW_RANK) stretch(metric, true, p);
  for (int32_t i = 0; i < n; i++) p[i] /= metric->scale[i];
}

void sl__metric_diagonal(const sl__metric *metric, double *diagonal) {
  const int32_t n = metric->dim;
  for (int32_t i = 0; i < n; i++) {
    double value = 1;
    for (int32_t k = 0; metric->form == SL__METRIC_LOW_RANK && k < metric->rank; k++) {
      const double u = metric->vectors[(size_t)k * n + i];
      value += (metric->values[k] - 1) * u * u;
    }
    diagonal[i] = metric->form == SL__METRIC_DENSE ? metric->dense[(size_t)i * n + i]
                                                   : metric->scale[i] * metric->scale[i] * value;
  }
}

void sl__metric_copy(const sl__metric *from, sl__metric *to) {
  const size_t n = (size_t)from->dim;
  memcpy(to->scale, from->scale, n * sizeof *to->scale);
  if (from->form == SL__METRIC_DENSE) {
    memcpy(to->dense, from->dense, n * n * sizeof *to->dense);
    memcpy(to->factor, from->factor, n * n * sizeof *to->factor);
  }
  if (from->form == SL__METRIC_LOW_RANK) {
    to->rank = from->rank;
    memcpy(to->vectors, from->vectors, (size_t)from->rank * n * sizeof *to->vectors);
    memcpy(to->values, from->values, (size_t)from->rank * sizeof *to->values);
  }
}

bool sl__metric_set_dense(sl__metric *metric, const double *w) {
  const int32_t n = metric->dim;
  double *factor = metric->spare;
  for (int32_t i = 0; i < n; i++) {
    double *l = factor + (size_t)i * n;
    for (int32_t j = 0; j <= i; j++) {
      const double *other = factor + (size_t)j * n;
      const double rest = w[(size_t)i * n + j] - sl__dot(j, l, other);
      if (j < i) {
        l[j] = rest / other[j];
      } else {
        if (!(rest > 0) || !isfinite(rest)) return false;
        l[i] = sqrt(rest);
      }
    }
  }
  metric->spare = metric->factor;
  metric->factor = factor;
  memcpy(metric->dense, w, (size_t)n * n * sizeof *w);
  return true;
}
