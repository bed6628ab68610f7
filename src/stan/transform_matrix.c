/* Transforms of matrices, one at a time: [free] -> [rows, columns].
 *
 * Triangles are gathered from the free numbers and a zero, then computed whole: what lies above the
 * diagonal stays zero. A Cholesky factor of a correlation matrix comes from canonical partial
 * correlations z = tanh(y) (Lewandowski, Kurowicka and Joe 2009):
 * L_ij = z_ij prod_{l<j} sqrt(1 - z_il^2), L_ii = prod_{l<i} sqrt(1 - z_il^2), the products as sums
 * of log(1 - tanh(y)^2) = 2 (log 2 - y - softplus(-2 y)). */
#include "stan/transform.h"
#include <math.h>

/* Which free number stands at [i][j], -1: none, a zero. */
typedef int64_t (*sl__stan_position)(int64_t i, int64_t j, int64_t rows, int64_t columns);

static int64_t by_rows_with_diagonal(int64_t i, int64_t j, int64_t rows, int64_t columns) {
  (void)rows;
  if (i >= columns) return columns * (columns + 1) / 2 + (i - columns) * columns + j;
  return j <= i ? i * (i + 1) / 2 + j : -1;
}
static int64_t by_rows(int64_t i, int64_t j, int64_t rows, int64_t columns) {
  (void)rows, (void)columns;
  return j < i ? i * (i - 1) / 2 + j : -1;
}
static int64_t by_columns(int64_t i, int64_t j, int64_t rows, int64_t columns) {
  (void)columns;
  return j < i ? j * (rows - 1) - j * (j - 1) / 2 + i - j - 1 : -1;
}

static sl_node gather(sl__stan_tracer *t, sl_node y, int32_t rows, int32_t columns,
                      sl__stan_position position) {
  sl__graph *g = t->graph;
  int32_t *index = sl__stan_temporary(t, (int64_t)rows * columns, sizeof *index);
  if (!y || !index) return 0;
  const int32_t zero = sl__node_shape(g, y).size[0];
  for (int32_t i = 0; i < rows; i++) {
    for (int32_t j = 0; j < columns; j++) {
      const int64_t at = position(i, j, rows, columns);
      index[i * columns + j] = at < 0 ? zero : (int32_t)at;
    }
  }
  const sl_node padded[2] = {y, op_reshape(g, op_number(g, SL_F64, 0), sl__shape1(1))};
  const sl_node all = op_gather(g, op_concatenate(g, 2, padded, 0), 0, rows * columns, index);
  return op_reshape(g, all, sl__shape2(rows, columns));
}

/* Constant [rows][columns]: of_diagonal on the diagonal, 0 elsewhere. */
static sl_node diagonal(sl__stan_tracer *t, int32_t rows, int32_t columns) {
  double *numbers = sl__stan_temporary(t, (int64_t)rows * columns, sizeof *numbers);
  if (!numbers) return 0;
  for (int32_t i = 0; i < rows; i++)
    for (int32_t j = 0; j < columns; j++) numbers[i * columns + j] = i == j;
  return op_constant(t->graph, SL_F64, sl__shape2(rows, columns), numbers);
}

/* The lower triangle with exp(y) on its diagonal; *log_diagonal: y there. */
static sl_node exp_diagonal(sl__stan_tracer *t, sl_node y, int32_t rows, int32_t columns,
                            sl_node *log_diagonal) {
  sl__graph *g = t->graph;
  const sl_node all = gather(t, y, rows, columns, by_rows_with_diagonal);
  const sl_node on = diagonal(t, rows, columns), zero = op_number(g, SL_F64, 0);
  *log_diagonal = op_select(g, on, all, zero);
  return op_select(g, on, op_exp(g, *log_diagonal), all);
}

static sl__stan_constrained cholesky_cov(sl__stan_tracer *t, sl_node y, int32_t rows,
                                         int32_t columns) {
  sl_node log_diagonal;
  const sl_node l = exp_diagonal(t, y, rows, columns, &log_diagonal);
  return (sl__stan_constrained){l, op_sum_all(t->graph, log_diagonal)};
}

/* L L'; |J| = 2^K prod_k L_kk^(K - k + 2), k from 1. */
static sl__stan_constrained cov_matrix(sl__stan_tracer *t, sl_node y, int32_t k) {
  sl__graph *g = t->graph;
  sl_node log_diagonal;
  double *weight = sl__stan_temporary(t, k, sizeof *weight);
  if (!weight) return (sl__stan_constrained){0};
  for (int32_t i = 0; i < k; i++) weight[i] = k - i + 1;
  const sl_node l = exp_diagonal(t, y, k, k, &log_diagonal);
  const sl_node weights = op_constant(g, SL_F64, sl__shape2(k, 1), weight);
  return (sl__stan_constrained){
      op_matmul(g, l, op_transpose(g, l)),
      op_shift(g, op_sum_all(g, op_multiply(g, log_diagonal, weights)), k * log(2.0))};
}

typedef struct partial {
  sl_node l;         /* [k, k] */
  sl_node log_rest;  /* log(1 - z^2), 0 where there is no z */
  sl_node log_above; /* of the product in front of z */
} partial;

static partial from_partial_correlations(sl__stan_tracer *t, sl_node y, int32_t k,
                                         sl__stan_position position) {
  sl__graph *g = t->graph;
  const sl_node all = gather(t, y, k, k, position);
  const sl_node softplus = op_softplus(g, op_scale(g, all, -2));
  partial p;
  p.log_rest =
      op_lower(g, op_shift(g, op_scale(g, op_add(g, all, softplus), -2), 2 * log(2.0)), -1);
  p.log_above = op_subtract(g, op_cumulative_sum(g, p.log_rest, 1, false), p.log_rest);
  const sl_node z = op_add(g, op_tanh(g, all), diagonal(t, k, k));
  p.l = op_lower(g, op_multiply(g, z, op_exp(g, op_scale(g, p.log_above, 0.5))), 0);
  return p;
}

static sl__stan_constrained cholesky_corr(sl__stan_tracer *t, sl_node y, int32_t k) {
  sl__graph *g = t->graph;
  if (!y) return (sl__stan_constrained){diagonal(t, k, k), 0};
  const partial p = from_partial_correlations(t, y, k, by_rows);
  const sl_node terms = op_add(g, p.log_rest, op_scale(g, p.log_above, 0.5));
  return (sl__stan_constrained){p.l, op_sum_all(g, op_lower(g, terms, -1))};
}

/* |J| = prod_{j<i} (1 - z_ij^2)^(1 + (K - j - 1) / 2), j from 1. */
static sl__stan_constrained corr_matrix(sl__stan_tracer *t, sl_node y, int32_t k) {
  sl__graph *g = t->graph;
  double *weight = sl__stan_temporary(t, k, sizeof *weight);
  if (!weight) return (sl__stan_constrained){0};
  if (!y) return (sl__stan_constrained){diagonal(t, k, k), 0};
  for (int32_t j = 0; j < k; j++) weight[j] = 1 + 0.5 * (k - j - 2);
  const partial p = from_partial_correlations(t, y, k, by_columns);
  const sl_node weights = op_constant(g, SL_F64, sl__shape1(k), weight);
  return (sl__stan_constrained){op_matmul(g, p.l, op_transpose(g, p.l)),
                                op_sum_all(g, op_multiply(g, p.log_rest, weights))};
}

/* Column k has -1 / sqrt((k + 1) (k + 2)) above its diagonal and in the last row, and k + 1 times
 * as much, positive, on it; k from 0. */
void sl__stan_zero_sum_basis(int32_t n, double *basis) {
  for (int32_t i = 0; i < n; i++) {
    for (int32_t k = 0; k < n - 1; k++) {
      const double a = 1 / sqrt((k + 1.0) * (k + 2.0));
      basis[(int64_t)i * (n - 1) + k] = i == k ? (k + 1) * a : i < k || i == n - 1 ? -a : 0;
    }
  }
}

static sl_node basis(sl__stan_tracer *t, int32_t n) {
  double *numbers = sl__stan_temporary(t, (int64_t)n * (n - 1), sizeof *numbers);
  if (!numbers) return 0;
  sl__stan_zero_sum_basis(n, numbers);
  return op_constant(t->graph, SL_F64, sl__shape2(n, n - 1), numbers);
}

/* B_rows Y B_columns', Y by columns. */
static sl__stan_constrained zero_sum(sl__stan_tracer *t, sl_node y, int32_t rows, int32_t columns) {
  sl__graph *g = t->graph;
  if (!y)
    return (sl__stan_constrained){
        op_broadcast(g, op_number(g, SL_F64, 0), sl__shape2(rows, columns)), 0};
  const sl_node transposed = op_reshape(g, y, sl__shape2(columns - 1, rows - 1));
  const sl_node left = basis(t, rows), right = basis(t, columns);
  return (sl__stan_constrained){
      op_matmul(g, op_matmul(g, left, op_transpose(g, transposed)), op_transpose(g, right)), 0};
}

sl__stan_constrained sl__stan_constrain_matrix(sl__stan_tracer *t, sl__stan_constraint constraint,
                                               sl_node y, int32_t rows, int32_t columns) {
  switch (constraint) {
    case SL__STAN_CORR_MATRIX: return corr_matrix(t, y, rows);
    case SL__STAN_COV_MATRIX: return cov_matrix(t, y, rows);
    case SL__STAN_CHOLESKY_FACTOR_CORR: return cholesky_corr(t, y, rows);
    case SL__STAN_CHOLESKY_FACTOR_COV: return cholesky_cov(t, y, rows, columns);
    default: return zero_sum(t, y, rows, columns);
  }
}
