/* Factors of the Gaussian, and draws of it. */
#include "infer/chain/path_gaussian.h"
#include <math.h>
#include <string.h>
#include "base/dot.h"

static const double log_two_pi = 1.8378770664093454836;

sl_status sl__path_gaussian_open(sl__arena *arena, int32_t dim, int32_t history,
                                 sl__path_gaussian *out) {
  const size_t n = (size_t)dim, most = 2 * (size_t)history;
  *out = (sl__path_gaussian){.dim = dim, .most = 2 * history};
  out->mean = sl__arena_take(arena, n, sizeof(double));
  out->root = sl__arena_take(arena, n, sizeof(double));
  out->basis = sl__arena_take(arena, most * n, sizeof(double));
  out->factor = sl__arena_take(arena, most * most, sizeof(double));
  out->work = sl__arena_take(arena, 6 * most * most + 2 * most + n, sizeof(double));
  return out->mean && out->root && out->basis && out->factor && out->work ? SL_OK : SL_NO_MEMORY;
}

/* Solves R x = b in place for the upper triangle R [n][n]; across: R' x = b. */
static void solve_triangle(int32_t n, const double *r, bool across, double *b, int32_t stride) {
  for (int32_t step = 0; step < n; step++) {
    const int32_t i = across ? step : n - 1 - step;
    double sum = b[(size_t)i * stride];
    for (int32_t k = 0; k < step; k++) {
      const int32_t j = across ? k : n - 1 - k;
      sum -= (across ? r[(size_t)j * n + i] : r[(size_t)i * n + j]) * b[(size_t)j * stride];
    }
    b[(size_t)i * stride] = sum / r[(size_t)i * n + i];
  }
}

/* C [2 m][2 m]: 0 and -R^-1 above, -R^-T and R^-T (D + Y' alpha Y) R^-1 below. */
static void set_middle(const sl__pairs *pairs, double *r, double *inverse, double *inner,
                       double *c) {
  const int32_t m = pairs->count, n = pairs->dim, wide = 2 * m;
  for (int32_t i = 0; i < m; i++)
    for (int32_t j = 0; j < m; j++) {
      const double *yi = pairs->y + (size_t)i * n, *yj = pairs->y + (size_t)j * n;
      const double sy = sl__dot(n, pairs->s + (size_t)i * n, yj);
      double weighted = i == j ? sy : 0;
      for (int32_t d = 0; d < n; d++) weighted += yi[d] * pairs->alpha[d] * yj[d];
      r[(size_t)i * m + j] = i <= j ? sy : 0;
      inverse[(size_t)i * m + j] = i == j;
      inner[(size_t)i * m + j] = weighted;
    }
  for (int32_t j = 0; j < m; j++) solve_triangle(m, r, false, inverse + j, m);
  memset(c, 0, (size_t)wide * wide * sizeof *c);
  for (int32_t i = 0; i < m; i++)
    for (int32_t j = 0; j < m; j++) {
      c[(size_t)i * wide + m + j] = c[(size_t)(m + j) * wide + i] = -inverse[(size_t)i * m + j];
      double sum = 0; /* (R^-1)' inner R^-1 */
      for (int32_t k = 0; k < m; k++)
        for (int32_t l = 0; l < m; l++)
          sum += inverse[(size_t)k * m + i] * inner[(size_t)k * m + l] * inverse[(size_t)l * m + j];
      c[(size_t)(m + i) * wide + m + j] = sum;
    }
}

/* Column j of alpha^-1/2 B. */
static void scaled_column(const sl__path_gaussian *out, const sl__pairs *pairs, int32_t j,
                          double *column) {
  const int32_t m = pairs->count, n = pairs->dim;
  const double *from = j < m ? pairs->y + (size_t)j * n : pairs->s + (size_t)(j - m) * n;
  for (int32_t i = 0; i < n; i++)
    column[i] = j < m ? from[i] * out->root[i] : from[i] / out->root[i];
}

/* Gram and Schmidt, twice: basis and the triangle t [rank][2 m] with alpha^-1/2 B = Q t. */
static void orthogonalise(sl__path_gaussian *out, const sl__pairs *pairs, double *column,
                          double *t) {
  const int32_t wide = 2 * pairs->count, n = out->dim;
  out->rank = 0;
  memset(t, 0, (size_t)out->most * wide * sizeof *t);
  for (int32_t j = 0; j < wide; j++) {
    scaled_column(out, pairs, j, column);
    const double before = sqrt(sl__dot(n, column, column));
    for (int pass = 0; pass < 2; pass++)
      for (int32_t k = 0; k < out->rank; k++) {
        const double *u = out->basis + (size_t)k * n, along = sl__dot(n, u, column);
        t[(size_t)k * wide + j] += along;
        for (int32_t i = 0; i < n; i++) column[i] -= along * u[i];
      }
    const double norm = sqrt(sl__dot(n, column, column));
    if (out->rank == n || !(norm > 1e-10 * before)) continue;
    double *u = out->basis + (size_t)out->rank * n;
    for (int32_t i = 0; i < n; i++) u[i] = column[i] / norm;
    t[(size_t)out->rank++ * wide + j] = norm;
  }
}

/* L with L L' = 1 + t C t'. */
static bool set_factor(sl__path_gaussian *out, int32_t wide, const double *t, const double *c,
                       double *half) {
  const int32_t r = out->rank;
  for (int32_t i = 0; i < r; i++)
    for (int32_t j = 0; j < wide; j++) {
      double sum = 0;
      for (int32_t k = 0; k < wide; k++) sum += t[(size_t)i * wide + k] * c[(size_t)k * wide + j];
      half[(size_t)i * wide + j] = sum;
    }
  for (int32_t i = 0; i < r; i++)
    for (int32_t j = 0; j <= i; j++) {
      double *li = out->factor + (size_t)i * r, *lj = out->factor + (size_t)j * r;
      const double sum = (i == j) + sl__dot(wide, half + (size_t)i * wide, t + (size_t)j * wide) -
                         sl__dot(j, li, lj);
      if (i == j && !(sum > 0 && isfinite(sum))) return false;
      li[j] = i == j ? sqrt(sum) : sum / lj[j];
    }
  return true;
}

/* x = alpha^1/2 (u + Q (f(Q' u) - Q' u)), in place; f is L, or L L'. */
static void apply(const sl__path_gaussian *of, bool twice, double *inside, double *x) {
  const int32_t n = of->dim, r = of->rank;
  for (int32_t k = 0; k < r; k++) inside[k] = sl__dot(n, of->basis + (size_t)k * n, x);
  double *mapped = inside + of->most;
  memcpy(mapped, inside, (size_t)r * sizeof *mapped);
  for (int32_t j = 0; twice && j < r; j++) { /* L' from the left */
    double sum = 0;
    for (int32_t i = j; i < r; i++) sum += of->factor[(size_t)i * r + j] * mapped[i];
    mapped[j] = sum;
  }
  for (int32_t i = r - 1; i >= 0; i--)
    mapped[i] = sl__dot(i + 1, of->factor + (size_t)i * r, mapped);
  for (int32_t k = 0; k < r; k++) {
    const double *u = of->basis + (size_t)k * n, more = mapped[k] - inside[k];
    for (int32_t i = 0; i < n; i++) x[i] += more * u[i];
  }
  for (int32_t i = 0; i < n; i++) x[i] *= of->root[i];
}

bool sl__path_gaussian_set(sl__path_gaussian *out, const sl__pairs *pairs, const double *q,
                           const double *gradient) {
  const size_t square = (size_t)out->most * (size_t)out->most;
  double *inside = out->work, *column = inside + 2 * (size_t)out->most;
  double *c = column + out->dim, *t = c + square, *half = t + square, *r = half + square;
  double *inverse = r + square, *inner = inverse + square;
  out->log_scale = 0;
  for (int32_t i = 0; i < out->dim; i++) out->root[i] = sqrt(pairs->alpha[i]);
  set_middle(pairs, r, inverse, inner, c);
  orthogonalise(out, pairs, column, t);
  if (!set_factor(out, 2 * pairs->count, t, c, half)) return false;
  for (int32_t i = 0; i < out->dim; i++) out->log_scale += log(out->root[i]);
  for (int32_t k = 0; k < out->rank; k++)
    out->log_scale += log(out->factor[(size_t)k * (size_t)out->rank + (size_t)k]);
  for (int32_t i = 0; i < out->dim; i++) out->mean[i] = gradient[i] * out->root[i];
  apply(out, true, inside, out->mean);
  for (int32_t i = 0; i < out->dim; i++) out->mean[i] += q[i];
  return isfinite(out->log_scale);
}

double sl__path_gaussian_draw(const sl__path_gaussian *of, const double *normal, double *q) {
  memcpy(q, normal, (size_t)of->dim * sizeof *q);
  apply(of, false, of->work, q);
  for (int32_t i = 0; i < of->dim; i++) q[i] += of->mean[i];
  return -0.5 * (sl__dot(of->dim, normal, normal) + of->dim * log_two_pi) - of->log_scale;
}
