/* gaussian_dlm_obs(y | F, G, V, W, m0, C0): a linear dynamic model with normal noise, its states
 * integrated out by Kalman's filter (West and Harrison 1997, section 4.3).
 *   y_t = F' theta_t + normal(0, V), theta_t = G theta_(t-1) + normal(0, W), theta_0 normal(m0, C0)
 * y [r,T], F [n,r], G [n,n], V [r,r] or a vector [r] of independent variances, W [n,n]. */
#include "stan/distribution.h"
#include "stan/functions_matrix.h"

typedef struct filter {
  sl__graph *g;
  int32_t r, n;
  sl_node F, G, V, W;
  sl_node mean, covariance; /* [n], [n,n]: of the state, given what has been seen */
} filter;

static sl_node symmetric(sl__graph *g, sl_node a) {
  return op_scale(g, op_add(g, a, op_transpose(g, a)), 0.5);
}

/* The log density of y [r], given all before. With Q = L L' the variance of the forecast and
 * B = L^-1 F' R, the state moves by B' L^-1 e, and its covariance R falls by B' B. */
static sl_node observe(sl__stan_call *call, filter *f, sl_node y, sl_status *status) {
  sl__graph *g = f->g;
  const sl_node forecast = op_matmul(g, f->G, f->mean);
  const sl_node moved = op_matmul(g, op_matmul(g, f->G, f->covariance), op_transpose(g, f->G));
  const sl_node spread = symmetric(g, op_add(g, moved, f->W));
  const sl_node seen = op_transpose(g, f->F), cross = op_matmul(g, seen, spread); /* F' R */
  const sl_node error = op_subtract(g, y, op_matmul(g, seen, forecast));
  sl_node factor;
  *status =
      sl__matrix_cholesky(call, symmetric(g, op_add(g, op_matmul(g, cross, f->F), f->V)), &factor);
  if (*status != SL_OK) return 0;
  const sl_node white = op_triangular_solve(g, factor, error, false, false, false);
  const sl_node gain = op_triangular_solve(g, factor, cross, false, false, false);
  const sl_node back = op_transpose(g, gain);
  f->mean = op_add(g, forecast, op_matmul(g, back, white));
  f->covariance = op_subtract(g, spread, op_matmul(g, back, gain));
  const sl_node log_det = op_sum_all(g, sl__vectors_log_diagonal(g, factor));
  const sl_node half = op_scale(g, op_sum_all(g, op_square(g, white)), -0.5);
  return op_shift(g, op_subtract(g, half, log_det), -f->r * SL__HALF_LOG_TWO_PI);
}

static sl_status check_sizes(sl__stan_call *call, filter *f) {
  const sl__stan_value *a = call->argument;
  int32_t states, variances;
  f->r = a[0].size[0];
  f->n = a[1].size[0];
  if (a[1].size[1] != f->r)
    return sl__stan_refuse(call, "the variates have %d rows, but F has %d columns", f->r,
                           a[1].size[1]);
  for (int i = 2; i < 7; i++) {
    if (i == 5 || (i == 3 && a[3].dims == 1)) continue;
    SL__TRY(sl__matrix_square(call, i, &states));
    if (states != (i == 3 ? f->r : f->n))
      return sl__stan_refuse(call, "argument %d is a matrix [%d,%d], but %d rows are needed", i + 1,
                             states, states, i == 3 ? f->r : f->n);
  }
  variances = a[3].dims == 1 ? a[3].size[0] : f->r;
  if (variances != f->r || a[5].size[0] != f->n)
    return sl__stan_refuse(call, "argument %d has %d elements, but %d are needed",
                           variances != f->r ? 4 : 6, variances != f->r ? variances : a[5].size[0],
                           variances != f->r ? f->r : f->n);
  return SL_OK;
}

sl_status sl__stan_build_gaussian_dlm_obs(sl__stan_call *call) {
  const sl__stan_value *a = call->argument;
  filter f = {.g = sl__stan_graph(call)};
  sl__graph *g = f.g;
  sl_status status = check_sizes(call, &f);
  if (status != SL_OK) return status;
  SL__TRY(sl__stan_count_nodes(call, 40.0 * a[0].size[1]));
  f.F = sl__stan_matrix(call, 1);
  f.G = sl__stan_matrix(call, 2);
  f.V =
      a[3].dims == 1 ? op_diagonal_matrix(g, sl__stan_argument(call, 3)) : sl__stan_matrix(call, 3);
  f.W = sl__stan_matrix(call, 4);
  f.mean = sl__stan_argument(call, 5);
  f.covariance = sl__stan_matrix(call, 6);
  const sl_node y = sl__stan_matrix(call, 0);
  sl_node sum = sl__maths_real(g, 0);
  for (int32_t t = 0; t < a[0].size[1] && status == SL_OK; t++)
    sum = op_add(g, sum, observe(call, &f, op_element(g, y, 1, t), &status));
  return status == SL_OK ? sl__stan_give_scalar(call, sum) : status;
}
