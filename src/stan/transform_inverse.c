/* Transforms backwards, in plain numbers: from values that satisfy a constraint to the
 * unconstrained numbers that give them. */
#include "stan/transform.h"
#include <math.h>

static double logit(double x) {
  return log(x) - log1p(-x);
}

/* ---- vectors ---- */

static void free_ordered(const double *x, int32_t k, bool positive, double *y) {
  for (int32_t i = 0; i < k; i++) y[i] = i > 0 ? log(x[i] - x[i - 1]) : positive ? log(x[0]) : x[0];
}

/* Elements of x lie stride apart, those of y too. */
static void free_simplex(const double *x, int32_t k, int64_t stride, double *y, int64_t y_stride) {
  double left = k > 0 ? x[(k - 1) * stride] : 0;
  for (int32_t i = k - 2; i >= 0; i--) {
    left += x[i * stride];
    y[i * y_stride] = logit(x[i * stride] / left) + log((double)(k - 1 - i));
  }
}

static void free_zero_sum(const double *x, int32_t k, double *y) {
  double later = 0;
  for (int32_t i = k - 1; i > 0; i--) {
    const double w = (later - x[i]) / i;
    later += w;
    y[i - 1] = w * sqrt(i * (i + 1.0));
  }
}

/* ---- matrices, x [rows][columns] ---- */

/* The lower Cholesky factor of x [n][n]. */
static void cholesky(const double *x, int32_t n, double *l) {
  for (int32_t i = 0; i < n; i++) {
    for (int32_t j = 0; j < n; j++) {
      double sum = x[i * n + j];
      for (int32_t k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
      l[i * n + j] = j > i ? 0 : i == j ? sqrt(sum) : sum / l[j * n + j];
    }
  }
}

static void free_cholesky_cov(const double *l, int32_t rows, int32_t columns, double *y) {
  for (int32_t i = 0; i < rows; i++)
    for (int32_t j = 0; j < columns && j <= i; j++)
      *y++ = i == j ? log(l[i * columns + j]) : l[i * columns + j];
}

static void free_cholesky_corr(const double *l, int32_t k, bool by_columns, double *y) {
  for (int32_t i = 1; i < k; i++) {
    double left = 1;
    for (int32_t j = 0; j < i; j++) {
      const int32_t at =
          by_columns ? j * (k - 1) - j * (j - 1) / 2 + i - j - 1 : i * (i - 1) / 2 + j;
      y[at] = atanh(l[i * k + j] / sqrt(left));
      left -= l[i * k + j] * l[i * k + j];
    }
  }
}

/* B_rows' X B_columns, by columns. */
static sl_status free_zero_sum_matrix(sl__stan_tracer *t, const double *x, int32_t rows,
                                      int32_t columns, double *y) {
  double *left = sl__stan_temporary(t, (int64_t)rows * rows, sizeof *left);
  double *right = sl__stan_temporary(t, (int64_t)columns * columns, sizeof *right);
  if (!left || !right) return SL_NO_MEMORY;
  sl__stan_zero_sum_basis(rows, left);
  sl__stan_zero_sum_basis(columns, right);
  for (int32_t a = 0; a < rows - 1; a++) {
    for (int32_t b = 0; b < columns - 1; b++) {
      double sum = 0;
      for (int32_t i = 0; i < rows; i++)
        for (int32_t j = 0; j < columns; j++)
          sum += left[i * (rows - 1) + a] * x[i * columns + j] * right[j * (columns - 1) + b];
      y[b * (rows - 1) + a] = sum;
    }
  }
  return SL_OK;
}

static sl_status free_matrix(sl__stan_tracer *t, const sl__stan_transform *f, const double *x,
                             double *y) {
  const int32_t rows = f->rows, columns = f->columns;
  const sl__stan_constraint constraint = f->variable->constraint;
  if (constraint == SL__STAN_SUM_TO_ZERO) return free_zero_sum_matrix(t, x, rows, columns, y);
  const double *l = x;
  if (constraint == SL__STAN_COV_MATRIX || constraint == SL__STAN_CORR_MATRIX) {
    double *factor = sl__stan_temporary(t, (int64_t)rows * rows, sizeof *factor);
    if (!factor) return SL_NO_MEMORY;
    cholesky(x, rows, factor);
    l = factor;
  }
  if (constraint == SL__STAN_CHOLESKY_FACTOR_CORR || constraint == SL__STAN_CORR_MATRIX)
    free_cholesky_corr(l, rows, constraint == SL__STAN_CORR_MATRIX, y);
  else
    free_cholesky_cov(l, rows, columns, y);
  return SL_OK;
}

/* ---- bounds ---- */

typedef struct bounds {
  const double *low, *high, *offset, *multiplier; /* NULL: none */
  bool low_each, high_each, offset_each, multiplier_each;
} bounds;

static sl_status read_bound(sl__stan_tracer *t, const sl__stan_expression *e, const double **out,
                            bool *each) {
  sl__stan_value value;
  *out = NULL;
  if (!e) return SL_OK;
  SL__TRY(sl__stan_evaluate(t, e, &value));
  *each = value.dims > 0;
  *out = sl__stan_reals(t, &value);
  return *out ? SL_OK : SL_NO_MEMORY;
}

static double free_number(const bounds *b, int64_t i, double x) {
  const double low = b->low ? b->low[b->low_each ? i : 0] : -(double)INFINITY;
  const double high = b->high ? b->high[b->high_each ? i : 0] : (double)INFINITY;
  if (b->offset) x -= b->offset[b->offset_each ? i : 0];
  if (b->multiplier) x /= b->multiplier[b->multiplier_each ? i : 0];
  if (isfinite(low) && isfinite(high)) return log(x - low) - log(high - x);
  if (isfinite(low)) return log(x - low);
  return isfinite(high) ? log(high - x) : x;
}

static sl_status free_numbers(sl__stan_tracer *t, const sl__stan_transform *f, const double *x,
                              double *y) {
  bounds b = {0};
  const sl__stan_variable *v = f->variable;
  SL__TRY(read_bound(t, v->lower, &b.low, &b.low_each));
  SL__TRY(read_bound(t, v->upper, &b.high, &b.high_each));
  SL__TRY(read_bound(t, v->offset, &b.offset, &b.offset_each));
  SL__TRY(read_bound(t, v->multiplier, &b.multiplier, &b.multiplier_each));
  for (int64_t a = 0; a < f->elements; a++)
    for (int64_t i = 0; i < f->rows; i++)
      for (int64_t j = 0; j < f->columns; j++) {
        const int64_t at = (a * f->rows + i) * f->columns + j;
        y[(a * f->columns + j) * f->rows + i] = free_number(&b, at, x[at]);
      }
  return SL_OK;
}

/* ---- all ---- */

static sl_status free_element(sl__stan_tracer *t, const sl__stan_transform *f, const double *x,
                              double *y) {
  const int32_t rows = f->rows, columns = f->columns;
  switch (f->variable->constraint) {
    case SL__STAN_ORDERED: free_ordered(x, rows, false, y); break;
    case SL__STAN_POSITIVE_ORDERED: free_ordered(x, rows, true, y); break;
    case SL__STAN_SIMPLEX: free_simplex(x, rows, 1, y, 1); break;
    case SL__STAN_UNIT_VECTOR:
      for (int32_t i = 0; i < rows; i++) y[i] = x[i];
      break;
    case SL__STAN_COLUMN_STOCHASTIC:
      for (int32_t j = 0; j < columns; j++)
        free_simplex(x + j, rows, columns, y + j * (rows - 1), 1);
      break;
    case SL__STAN_ROW_STOCHASTIC:
      for (int32_t i = 0; i < rows; i++) free_simplex(x + i * columns, columns, 1, y + i, rows);
      break;
    case SL__STAN_SUM_TO_ZERO:
      if (f->own == 2) return free_matrix(t, f, x, y);
      free_zero_sum(x, rows, y);
      break;
    default: return free_matrix(t, f, x, y);
  }
  return SL_OK;
}

sl_status sl__stan_unconstrain(sl__stan_tracer *t, const sl__stan_transform *f, const double *x,
                               double *free) {
  const sl__stan_constraint constraint = f->variable->constraint;
  if (constraint == SL__STAN_UNCONSTRAINED || constraint == SL__STAN_BOUNDED ||
      constraint == SL__STAN_AFFINE)
    return free_numbers(t, f, x, free);
  const int64_t each = (int64_t)f->rows * f->columns;
  for (int64_t a = 0; a < f->elements; a++)
    SL__TRY(free_element(t, f, x + a * each, free + a * f->free));
  return SL_OK;
}
