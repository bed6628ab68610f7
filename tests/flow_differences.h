/* What a map does near a point, by differences, with what the differences cannot tell: the
 * independent side of the tests of log-determinants and round trips. */
#ifndef SL_TESTS_FLOW_DIFFERENCES_H
#define SL_TESTS_FLOW_DIFFERENCES_H
#include "flow_fixture.h"

enum { ROWS = 6, MOST_DIM = 8, STENCIL = 6 };
#define EPSILON 2.220446049250313e-16

/* Central differences at steps of these sizes times h. */
static const double stencil_steps[STENCIL] = {1, -1, 2, -2, 4, -4};

/* The slope of a function with these values, by differences of fourth order at steps h and 2 h; their
 * disagreement, and `rounding` of the values, is the doubt. */
static inline double stencil_slope(const double *values, double h, double rounding, double *doubt) {
  static const double fine[STENCIL] = {8, -8, -1, 1, 0, 0},
                      coarse[STENCIL] = {0, 0, 4, -4, -0.5, 0.5};
  double at_h = 0, at_2h = 0, most = 0;
  for (int s = 0; s < STENCIL; s++) {
    at_h += fine[s] * values[s] / (12 * h);
    at_2h += coarse[s] * values[s] / (12 * h);
    most = fmax(most, fabs(values[s]));
  }
  *doubt = fabs(at_h - at_2h) + rounding * most / h;
  return at_h;
}

typedef struct near_point {
  int dim;
  double jacobian[MOST_DIM * MOST_DIM]; /* d value[i] / d x[j] */
  double doubt[MOST_DIM * MOST_DIM];    /* how far each entry may be off */
  double log_det_slope[MOST_DIM];       /* d log_det / d x[j] */
} near_point;

/* Near each of at most ROWS rows: x [rows][dim], c [rows][context_dim], out [rows]. */
static inline bool look_around_rows(fixture *f, int which, int rows, const double *x,
                                    const double *c, near_point *out) {
  enum { MOST = ROWS * STENCIL * MOST_DIM * MOST_DIM };
  static double in[MOST], condition[MOST], value[MOST], log_det[MOST];
  const int dim = f->flow->dim, context_dim = f->flow->context_dim, per_row = STENCIL * dim;
  const double h = 3e-5;
  for (int lane = 0; lane < rows * per_row; lane++) {
    int r = lane / per_row, moved = lane % per_row / STENCIL, s = lane % STENCIL;
    for (int k = 0; k < dim; k++)
      in[lane * dim + k] = x[r * dim + k] + (k == moved ? h * stencil_steps[s] : 0);
    for (int k = 0; k < context_dim; k++)
      condition[lane * context_dim + k] = c[r * context_dim + k];
  }
  if (!fixture_map(f, which, rows * per_row, in, condition, value, log_det)) return false;
  for (int r = 0; r < rows; r++) {
    out[r].dim = dim;
    for (int j = 0; j < dim; j++) {
      const int lane = r * per_row + STENCIL * j;
      out[r].log_det_slope[j] = (log_det[lane] - log_det[lane + 1]) / (2 * h);
      for (int i = 0; i < dim; i++) {
        double values[STENCIL];
        for (int s = 0; s < STENCIL; s++) values[s] = value[(lane + s) * dim + i];
        out[r].jacobian[i * dim + j] =
            stencil_slope(values, h, 8 * EPSILON, &out[r].doubt[i * dim + j]);
      }
    }
  }
  return true;
}

static inline bool look_around(fixture *f, int which, const double *x, const double *c,
                               near_point *out) {
  return look_around_rows(f, which, 1, x, c, out);
}

/* a [n][n] -> its inverse, by Gauss-Jordan with pivots; returns log |det a|. */
static inline double invert(const double *a, int n, double *inverse) {
  double work[MOST_DIM * MOST_DIM], sum = 0;
  memcpy(work, a, (size_t)(n * n) * sizeof *work);
  for (int i = 0; i < n * n; i++) inverse[i] = i / n == i % n;
  for (int k = 0; k < n; k++) {
    int pivot = k;
    for (int i = k + 1; i < n; i++)
      if (fabs(work[i * n + k]) > fabs(work[pivot * n + k])) pivot = i;
    double scale = work[pivot * n + k];
    sum += log(fabs(scale));
    for (int j = 0; j < n; j++) {
      double w = work[k * n + j], v = inverse[k * n + j];
      work[k * n + j] = work[pivot * n + j] / scale;
      inverse[k * n + j] = inverse[pivot * n + j] / scale;
      if (pivot != k) work[pivot * n + j] = w, inverse[pivot * n + j] = v;
    }
    for (int i = 0; i < n; i++) {
      double factor = work[i * n + k];
      if (i == k || factor == 0) continue;
      for (int j = 0; j < n; j++) {
        work[i * n + j] -= factor * work[k * n + j];
        inverse[i * n + j] -= factor * inverse[k * n + j];
      }
    }
  }
  return sum;
}

/* log |det| of the Jacobian, and how far the doubts may move it: |d log det| <= sum |inverse|
 * doubt. */
static inline double log_det_near(const near_point *at, double *doubt) {
  double inverse[MOST_DIM * MOST_DIM];
  double log_det = invert(at->jacobian, at->dim, inverse);
  *doubt = 0;
  for (int i = 0; i < at->dim; i++)
    for (int j = 0; j < at->dim; j++)
      *doubt += fabs(inverse[j * at->dim + i]) * at->doubt[i * at->dim + j];
  return log_det;
}
#endif
