/* Decompositions of known matrices (others: functions_eigen.c): full QR factors by Householder's
 * reflections, singular values and vectors by one-sided Jacobi rotations (Hestenes 1958). Signs:
 * R's diagonal is positive, and of every pair of singular vectors the left one's largest element
 * is. */
#include "stan/functions_matrix.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/dot.h"

static sl_status read_known(sl__stan_call *call, const double **x) {
  const sl__stan_value *a = &call->argument[0];
  if (a->count == 0) return sl__stan_refuse(call, "a matrix without elements cannot be decomposed");
  *x = sl__stan_numbers(call, 0);
  if (!*x) return SL_NO_MEMORY;
  for (int64_t k = 0; k < a->count; k++) {
    if (!isfinite((*x)[k])) return sl__stan_refuse_value(call, "an element is not finite");
  }
  return SL_OK;
}

/* ---- QR: a [m,n] becomes R, q [m,m] orthogonal ---- */

/* Applies I - 2 v v' / v'v from the left to rows `from` on of a [.,n]; v [m] is zero before. */
static void reflect_rows(double *a, int32_t m, int32_t n, int32_t from, const double *v,
                         double length) {
  for (int32_t j = 0; j < n; j++) {
    double sum = 0;
    for (int32_t i = from; i < m; i++) sum += v[i] * a[(int64_t)i * n + j];
    for (int32_t i = from; i < m; i++) a[(int64_t)i * n + j] -= 2 * sum / length * v[i];
  }
}

/* q is made transposed: the reflections in their order, applied to the identity. */
static void full_qr(double *a, double *q, double *v, int32_t m, int32_t n) {
  for (int64_t i = 0; i < m; i++) q[i * (m + 1)] = 1;
  for (int32_t k = 0; k < (m < n ? m : n); k++) {
    double norm = 0, length = 0;
    for (int32_t i = k; i < m; i++) norm = hypot(norm, a[(int64_t)i * n + k]);
    const double sign = a[(int64_t)k * n + k] < 0 ? -1 : 1;
    for (int32_t i = k; i < m; i++) {
      v[i] = a[(int64_t)i * n + k] + (i == k ? sign * norm : 0);
      length += v[i] * v[i];
    }
    if (length > 0) {
      reflect_rows(a, m, n, k, v, length);
      reflect_rows(q, m, m, k, v, length);
    }
    for (int32_t j = 0; sign > 0 && length > 0 && j < n; j++) a[(int64_t)k * n + j] *= -1;
    for (int32_t j = 0; sign > 0 && length > 0 && j < m; j++) q[(int64_t)k * m + j] *= -1;
    for (int32_t i = k + 1; i < m; i++) a[(int64_t)i * n + k] = 0;
  }
}

static sl_status build_full_qr(sl__stan_call *call, bool want_q) {
  const sl__stan_value *a = &call->argument[0];
  const int32_t m = a->size[0], n = a->size[1];
  const double *x;
  int64_t square;
  if (a->count > 0 && !sl__stan_is_known(a)) return sl__matrix_full_qr(call, want_q);
  SL__TRY(sl__stan_work(call, 1.5 * m * (m < n ? m : n) * ((double)m + n)));
  SL__TRY(read_known(call, &x));
  SL__TRY(sl__call_check_count(call, 2, (int32_t[]){m, m}, &square));
  double *r = sl__stan_memory(call, (size_t)a->count, sizeof *r);
  double *q = sl__stan_memory(call, (size_t)square, sizeof *q);
  double *v = sl__stan_memory(call, (size_t)m, sizeof *v);
  if (!r || !q || !v) return SL_NO_MEMORY;
  memcpy(r, x, (size_t)a->count * sizeof *r);
  full_qr(r, q, v, m, n);
  if (!want_q) return sl__call_give_doubles(call, 2, a->size, r);
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < i; j++) {
      const double kept = q[i * m + j];
      q[i * m + j] = q[j * m + i];
      q[j * m + i] = kept;
    }
  }
  return sl__call_give_doubles(call, 2, (int32_t[]){m, m}, q);
}
sl_status sl__stan_build_qr_Q(sl__stan_call *call) {
  return build_full_qr(call, true);
}
sl_status sl__stan_build_qr_R(sl__stan_call *call) {
  return build_full_qr(call, false);
}

/* ---- singular values: a = U diag(s) V' ---- */

/* Vectors in rows: u [k, long side] is rotated until its rows are orthogonal, v [k,k] along. */
typedef struct rotated {
  int32_t k, length;
  double *u, *v, *value;
} rotated;

static void rotate(double *x, double *y, int32_t n, double c, double s) {
  for (int32_t i = 0; i < n; i++) {
    const double a = x[i], b = y[i];
    x[i] = c * a - s * b;
    y[i] = s * a + c * b;
  }
}

/* One pass over all pairs; whether any was turned. */
static bool sweep(const rotated *r) {
  bool turned = false;
  for (int32_t i = 0; i < r->k; i++) {
    for (int32_t j = i + 1; j < r->k; j++) {
      double *x = r->u + (int64_t)i * r->length, *y = r->u + (int64_t)j * r->length;
      const double xx = sl__dot(r->length, x, x), yy = sl__dot(r->length, y, y);
      const double xy = sl__dot(r->length, x, y);
      if (fabs(xy) <= 1e-16 * sqrt(xx) * sqrt(yy) || xy == 0) continue;
      const double zeta = (yy - xx) / (2 * xy);
      const double t = (zeta < 0 ? -1 : 1) / (fabs(zeta) + hypot(1, zeta));
      const double c = 1 / hypot(1, t);
      rotate(x, y, r->length, c, c * t);
      rotate(r->v + (int64_t)i * r->k, r->v + (int64_t)j * r->k, r->k, c, c * t);
      turned = true;
    }
  }
  return turned;
}

static void swap_numbers(double *x, double *y, int32_t n) {
  for (int32_t i = 0; i < n; i++) {
    const double kept = x[i];
    x[i] = y[i];
    y[i] = kept;
  }
}

/* Values in falling order, u's rows of length 1. */
static void finish(rotated *r) {
  for (int32_t i = 0; i < r->k; i++) {
    double *row = r->u + (int64_t)i * r->length;
    r->value[i] = sqrt(sl__dot(r->length, row, row));
    for (int32_t j = 0; r->value[i] > 0 && j < r->length; j++) row[j] /= r->value[i];
  }
  for (int32_t i = 0; i < r->k; i++) {
    int32_t best = i;
    for (int32_t j = i + 1; j < r->k; j++) best = r->value[j] > r->value[best] ? j : best;
    swap_numbers(r->value + i, r->value + best, 1);
    if (best == i) continue;
    swap_numbers(r->u + (int64_t)i * r->length, r->u + (int64_t)best * r->length, r->length);
    swap_numbers(r->v + (int64_t)i * r->k, r->v + (int64_t)best * r->k, r->k);
  }
}

/* Some ten sweeps over all pairs, each with three products and two rotations. */
static const double SWEEPS_WORK = 100;

/* The shorter side's vectors are the rows of u to begin with. */
static sl_status decompose(sl__stan_call *call, rotated *r) {
  const sl__stan_value *a = &call->argument[0];
  const int32_t m = a->size[0], n = a->size[1];
  const double *x;
  SL__TRY(read_known(call, &x));
  r->k = m < n ? m : n;
  r->length = m < n ? n : m;
  SL__TRY(sl__stan_work(call, SWEEPS_WORK * r->k * r->k * r->length));
  r->u = sl__stan_memory(call, (size_t)a->count, sizeof *r->u);
  r->v = sl__stan_memory(call, (size_t)r->k * (size_t)r->k, sizeof *r->v);
  r->value = sl__stan_memory(call, (size_t)r->k, sizeof *r->value);
  if (!r->u || !r->v || !r->value) return SL_NO_MEMORY;
  for (int64_t i = 0; i < r->k; i++) {
    r->v[i * (r->k + 1)] = 1;
    for (int64_t j = 0; j < r->length; j++)
      r->u[i * r->length + j] = m < n ? x[i * n + j] : x[j * n + i];
  }
  for (int pass = 0; pass < 60 && sweep(r); pass++) {
  }
  finish(r);
  return SL_OK;
}

static bool is_of_nodes(const sl__stan_value *a) {
  return a->count > 0 && !sl__stan_is_known(a);
}

sl_status sl__stan_build_singular_values(sl__stan_call *call) {
  rotated r;
  if (is_of_nodes(&call->argument[0])) return sl__matrix_singular(call, SL__SINGULAR_VALUES);
  SL__TRY(decompose(call, &r));
  return sl__call_give_doubles(call, 1, &r.k, r.value);
}

/* U's columns: the long vectors of a tall matrix, the rotations of a wide one; V's the reverse. */
static sl_status give_vectors(sl__stan_call *call, bool left) {
  rotated r;
  if (is_of_nodes(&call->argument[0]))
    return sl__matrix_singular(call, left ? SL__SINGULAR_LEFT : SL__SINGULAR_RIGHT);
  SL__TRY(decompose(call, &r));
  const bool tall = call->argument[0].size[0] >= call->argument[0].size[1];
  const double *rows = left == tall ? r.u : r.v, *lefts = tall ? r.u : r.v;
  const int32_t size[2] = {left == tall ? r.length : r.k, r.k}, width = tall ? r.length : r.k;
  double *out = sl__stan_memory(call, (size_t)size[0] * (size_t)r.k, sizeof *out);
  if (!out) return SL_NO_MEMORY;
  for (int64_t j = 0; j < r.k; j++) {
    double largest = 0;
    for (int64_t i = 0; i < width; i++) {
      const double element = lefts[j * width + i];
      if (fabs(element) > fabs(largest)) largest = element;
    }
    for (int64_t i = 0; i < size[0]; i++)
      out[i * r.k + j] = largest < 0 ? -rows[j * size[0] + i] : rows[j * size[0] + i];
  }
  return sl__call_give_doubles(call, 2, size, out);
}
sl_status sl__stan_build_svd_U(sl__stan_call *call) {
  return give_vectors(call, true);
}
sl_status sl__stan_build_svd_V(sl__stan_call *call) {
  return give_vectors(call, false);
}
