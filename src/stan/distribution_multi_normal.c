/* multi_normal and multi_student_t, by covariance, its Cholesky factor or precision; multi_gp. With
 * the factor L of the covariance, |L^-1 (y - mu)|^2 is the quadratic form and sum log L_ii half the
 * log determinant. One factorisation serves all variates. */
#include <math.h>

#include "stan/distribution.h"

typedef enum form { COVARIANCE, FACTOR, PRECISION } form;

typedef struct problem {
  sl__stan_call *call;
  sl__graph *g;
  int32_t k, rows;
  sl_node residual;     /* [k], or [k,rows] */
  sl_node half_log_det; /* []: of the covariance */
  sl_node squares;      /* [] or [rows]: the quadratic forms */
} problem;

/* [k], or [k,rows]. */
static sl_node columns_of(sl__stan_call *call, int i) {
  sl__graph *g = sl__stan_graph(call);
  const sl__vectors v = sl__vectors_of(&call->argument[i]);
  const sl_node flat = sl__stan_argument(call, i);
  if (!v.is_array) return flat;
  return op_transpose(g, op_reshape(g, flat, sl__shape2(v.rows, v.k)));
}

/* y - mu of argument 0 and argument `location`. */
static sl_status residual_of(problem *p, int location) {
  sl__stan_call *call = p->call;
  sl__graph *g = p->g;
  const sl__vectors y = sl__vectors_of(&call->argument[0]);
  const sl__vectors mu = sl__vectors_of(&call->argument[location]);
  if (y.is_array && mu.is_array && y.rows != mu.rows)
    return sl__stan_refuse(call, "there are %d variates, but %d locations", y.rows, mu.rows);
  SL__TRY(sl__vectors_length(call, 0, "variate", p->k));
  SL__TRY(sl__vectors_length(call, location, "location", p->k));
  p->rows = y.is_array ? y.rows : mu.rows;
  if (y.rows == 0 || mu.rows == 0) p->rows = 0;
  if (p->rows == 0) return SL_OK;
  sl_node variate = columns_of(call, 0), centre = columns_of(call, location);
  if (y.is_array && !mu.is_array) centre = op_reshape(g, centre, sl__shape2(p->k, 1));
  if (mu.is_array && !y.is_array) variate = op_reshape(g, variate, sl__shape2(p->k, 1));
  p->residual = op_subtract(g, variate, centre);
  return SL_OK;
}

/* Reads argument `spread` and fills in what depends on it. */
static sl_status solve(problem *p, int spread, form as) {
  sl__stan_call *call = p->call;
  sl__graph *g = p->g;
  sl_node factor;
  if (as == FACTOR)
    SL__TRY(sl__vectors_lower(call, spread, "Cholesky factor", &factor));
  else
    SL__TRY(
        sl__vectors_factor(call, spread, as == PRECISION ? "precision" : "covariance", &factor));
  const sl_node white = as == PRECISION
                            ? op_matmul(g, op_transpose(g, factor), p->residual)
                            : op_triangular_solve(g, factor, p->residual, false, false, false);
  const sl_node log_det = op_sum_all(g, sl__vectors_log_diagonal(g, factor));
  p->half_log_det = as == PRECISION ? op_negate(g, log_det) : log_det;
  p->squares = op_sum(g, op_square(g, white), 0);
  return SL_OK;
}

static const char *const spread_names[] = {"covariance", "Cholesky factor", "precision"};

/* ---- draws ---- */

/* The lower factor of known argument i; NULL: failed, *status says how. */
static const double *known_factor(sl__stan_call *call, int i, int32_t k, form as,
                                  sl_status *status) {
  const double *a = sl__stan_numbers(call, i);
  *status = SL_NO_MEMORY;
  if (as == FACTOR) return a;
  double *l = sl__stan_memory(call, (size_t)k * (size_t)k, sizeof *l);
  if (!a || !l) return NULL;
  *status = sl__stan_work(call, (double)k * k * k / 3);
  if (*status != SL_OK) return NULL;
  if (sl__vectors_factorise(k, a, l)) return l;
  *status = sl__stan_refuse_value(call, "%s must be positive definite", spread_names[as]);
  return NULL;
}

/* mu + L noise, for each location. degrees: of freedom, 0: normal. */
static sl_status draw(sl__stan_call *call, int location, form as, double degrees) {
  const sl__vectors mu = sl__vectors_of(&call->argument[location]);
  const double *centre = sl__stan_numbers(call, location);
  int32_t k, size[2] = {mu.rows, mu.k};
  sl_status status;
  SL__TRY(sl__vectors_square(call, location + 1, spread_names[as], &k));
  SL__TRY(sl__vectors_length(call, location, "location", k));
  const double *l = known_factor(call, location + 1, k, as, &status);
  if (!l) return status;
  SL__TRY(sl__stan_work(call, (double)mu.rows * k * k));
  double *out = sl__stan_memory(call, (size_t)mu.rows * (size_t)k, sizeof *out);
  double *noise = sl__stan_memory(call, (size_t)k, sizeof *noise);
  if (!out || !noise || !centre) return SL_NO_MEMORY;
  for (int32_t row = 0; row < mu.rows; row++) {
    for (int32_t i = 0; i < k; i++) noise[i] = sl__stan_normal(call);
    const double stretch =
        degrees > 0 ? sqrt(0.5 * degrees / sl__draw_gamma(call, 0.5 * degrees)) : 1;
    for (int32_t i = 0; i < k; i++) {
      double sum = 0;
      for (int32_t j = 0; j <= i; j++) sum += l[(int64_t)i * k + j] * noise[j];
      out[(int64_t)row * k + i] = centre[(int64_t)row * k + i] + stretch * sum;
    }
  }
  return mu.is_array ? sl__call_give_doubles(call, 2, size, out)
                     : sl__call_give_doubles(call, 1, size + 1, out);
}

static sl_status refuse_unknown(sl__stan_call *call) {
  return sl__stan_refuse(call, "an argument depends on a parameter; draws are made of known "
                               "numbers");
}

/* ---- multi_normal(y | mu, Sigma):
 * exp(-(y - mu)' Sigma^-1 (y - mu) / 2) / sqrt((2 pi)^k det Sigma) ---- */

static sl_status build_normal(sl__stan_call *call, form as) {
  if (call->builtin->role == SL__STAN_RNG)
    return sl__call_all_known(call) ? draw(call, 0, as, 0) : refuse_unknown(call);
  sl__graph *g = sl__stan_graph(call);
  problem p = {.call = call, .g = g};
  SL__TRY(sl__vectors_square(call, 2, spread_names[as], &p.k));
  SL__TRY(residual_of(&p, 1));
  if (p.rows == 0) return sl__call_give_real(call, 0);
  SL__TRY(solve(&p, 2, as));
  sl__elements e = {.call = call, .g = g, .n = p.rows};
  sl__density_term(&e, op_scale(g, p.squares, -0.5));
  sl__density_term(&e, op_negate(g, p.half_log_det));
  sl__density_number(&e, -p.k * SL__HALF_LOG_TWO_PI);
  return sl__density_give(&e);
}

sl_status sl__stan_build_multi_normal(sl__stan_call *call) {
  return build_normal(call, COVARIANCE);
}
sl_status sl__stan_build_multi_normal_cholesky(sl__stan_call *call) {
  return build_normal(call, FACTOR);
}
sl_status sl__stan_build_multi_normal_prec(sl__stan_call *call) {
  return build_normal(call, PRECISION);
}

/* ---- multi_student_t(y | nu, mu, Sigma), q the quadratic form:
 * Gamma((nu + k) / 2) / Gamma(nu / 2) / sqrt((nu pi)^k det Sigma) (1 + q / nu)^(-(nu + k) / 2)
 * ---- */

static sl_status build_student(sl__stan_call *call, form as) {
  static const sl__rule degrees = {"degrees of freedom", SL__POSITIVE};
  const bool is_draw = call->builtin->role == SL__STAN_RNG;
  SL__TRY(sl__distribution_check(call, is_draw ? 0 : 1, &degrees));
  if (is_draw)
    return sl__call_all_known(call) ? draw(call, 1, as, sl__stan_numbers(call, 0)[0])
                                    : refuse_unknown(call);
  sl__graph *g = sl__stan_graph(call);
  problem p = {.call = call, .g = g};
  SL__TRY(sl__vectors_square(call, 3, spread_names[as], &p.k));
  SL__TRY(residual_of(&p, 2));
  if (p.rows == 0) return sl__call_give_real(call, 0);
  SL__TRY(solve(&p, 3, as));
  const sl_node nu = sl__stan_argument(call, 1), half = op_scale(g, nu, 0.5);
  sl__elements e = {.call = call, .g = g, .n = p.rows};
  sl__density_term(&e, sl__density_log_rising(g, half, sl__maths_real(g, 0.5 * p.k)));
  sl__density_term(&e, op_scale(g, op_log(g, nu), -0.5 * p.k));
  sl__density_number(&e, -0.5 * p.k * SL__LOG_PI);
  sl__density_term(&e, op_negate(g, p.half_log_det));
  const sl_node power = op_negate(g, op_shift(g, half, 0.5 * p.k));
  sl__density_term(&e, op_multiply(g, power, op_log1p(g, op_divide(g, p.squares, nu))));
  return sl__density_give(&e);
}

sl_status sl__stan_build_multi_student_t(sl__stan_call *call) {
  return build_student(call, COVARIANCE);
}
sl_status sl__stan_build_multi_student_t_cholesky(sl__stan_call *call) {
  return build_student(call, FACTOR);
}

/* ---- multi_gp(y | Sigma, w): row d of y is multi_normal with mean 0 and covariance Sigma / w_d
 * ---- */

static sl_status build_gp(sl__stan_call *call, form as) {
  static const sl__rule scale = {"inverse scale", SL__POSITIVE};
  problem p = {.call = call, .g = sl__stan_graph(call)};
  sl__graph *g = p.g;
  const sl__stan_value *y = &call->argument[0];
  SL__TRY(sl__vectors_square(call, 1, as == FACTOR ? "Cholesky factor" : "kernel", &p.k));
  if (y->size[1] != p.k)
    return sl__stan_refuse(call, "the variate has %d columns, but must have %d", y->size[1], p.k);
  SL__TRY(sl__vectors_length(call, 2, "inverse scale", y->size[0]));
  SL__TRY(sl__distribution_check(call, 2, &scale));
  p.rows = y->size[0];
  if (p.rows == 0) return sl__call_give_real(call, 0);
  p.residual = op_transpose(g, sl__stan_matrix(call, 0));
  SL__TRY(solve(&p, 1, as));
  const sl_node w = sl__stan_argument(call, 2);
  sl__elements e = {.call = call, .g = g, .n = p.rows};
  sl__density_term(&e, op_scale(g, op_multiply(g, w, p.squares), -0.5));
  sl__density_term(&e, op_negate(g, p.half_log_det));
  sl__density_term(&e, op_scale(g, op_log(g, w), 0.5 * p.k));
  sl__density_number(&e, -p.k * SL__HALF_LOG_TWO_PI);
  return sl__density_give(&e);
}

sl_status sl__stan_build_multi_gp(sl__stan_call *call) {
  return build_gp(call, COVARIANCE);
}
sl_status sl__stan_build_multi_gp_cholesky(sl__stan_call *call) {
  return build_gp(call, FACTOR);
}
