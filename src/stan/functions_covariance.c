/* Covariance functions of Gaussian processes, of one set of points or between two.
 *
 * With the points known, their distances are constants and only scales are nodes: of one length
 * scale a product, of one for each dimension a matrix of squared differences [pairs, dimensions]
 * times the inverse squared scales. Points that depend on parameters are scaled and subtracted. */
#include "stan/functions.h"

#include <math.h>

/* x [n,d] and y [m,d], arguments 0 and 0 or 1; the others start at `rest`. */
typedef struct points {
  int32_t n, m, d;
  int second, rest;
} points;

static sl_status read_points(sl__stan_call *call, points *p) {
  const sl__stan_value *x = &call->argument[0];
  const bool two = call->argument[1].dims > 0;
  const sl__stan_value *y = &call->argument[two];
  *p = (points){.n = x->size[0], .m = y->size[0], .second = two, .rest = 1 + two};
  p->d = x->dims == 1 ? 1 : p->n > 0 ? x->size[1] : y->size[1];
  if (x->dims == 2 && p->n > 0 && p->m > 0 && x->size[1] != y->size[1])
    return sl__stan_refuse(call, "points of %d and of %d dimensions", x->size[1], y->size[1]);
  int64_t count;
  return sl__call_check_count(call, 3, (int32_t[]){p->n, p->m, p->d > 0 ? p->d : 1}, &count);
}

static sl_status give(sl__stan_call *call, const points *p, sl_node covariance) {
  const int32_t size[2] = {p->n, p->m};
  return sl__call_give_node(call, 2, size, covariance);
}

static bool is_empty(const points *p) {
  return p->n == 0 || p->m == 0 || p->d == 0;
}

/* Without points there is nothing; points without dimensions are all in one place. */
static sl_status give_without_points(sl__stan_call *call, const points *p) {
  const int32_t size[2] = {p->n, p->m};
  if (p->n == 0 || p->m == 0) return sl__call_give_empty(call, 2, size);
  return sl__stan_refuse(call, "the points have no dimensions");
}

/* A positive scale, argument i; *scale is its node. */
static sl_status read_scale(sl__stan_call *call, int i, const char *what, sl_node *scale) {
  sl__graph *g = sl__stan_graph(call);
  *scale = sl__stan_argument(call, i);
  return sl__stan_require(call, op_less(g, sl__maths_real(g, 0), *scale), "%s must be positive",
                          what);
}

static bool points_are_known(const sl__stan_call *call, const points *p) {
  return sl__stan_is_known(&call->argument[0]) && sl__stan_is_known(&call->argument[p->second]);
}

/* ---- distances between known points ---- */

/* Squared differences [n m, d] if apart, else squared distances [n m], or their roots. */
static sl_node known_differences(sl__stan_call *call, const points *p, bool apart, bool root) {
  sl__graph *g = sl__stan_graph(call);
  const double *x = sl__stan_numbers(call, 0), *y = sl__stan_numbers(call, p->second);
  const int32_t pairs = p->n * p->m, d = p->d;
  double *out = sl__stan_memory(call, (size_t)pairs * (size_t)(apart ? d : 1), sizeof *out);
  if (!x || !y || !out) return sl__graph_refuse(g, SL_NO_MEMORY, "no memory for distances");
  if (sl__stan_work(call, (double)pairs * d) != SL_OK)
    return sl__graph_refuse(g, SL_UNSUPPORTED, "too many distances between points");
  for (int64_t i = 0, pair = 0; i < p->n; i++) {
    for (int64_t j = 0; j < p->m; j++, pair++) {
      double sum = 0;
      for (int32_t k = 0; k < d; k++) {
        const double difference = x[i * d + k] - y[j * d + k];
        sum += difference * difference;
        if (apart) out[pair * d + k] = difference * difference;
      }
      if (!apart) out[pair] = root ? sqrt(sum) : sum;
    }
  }
  return op_constant(g, SL_F64, apart ? sl__shape2(pairs, d) : sl__shape1(pairs), out);
}

/* ---- scaled distances ---- */

/* The squares [n m] of distances between points that are nodes, inverse: 1 / scale, [] or [d]. */
static sl_node node_squares(sl__stan_call *call, const points *p, sl_node inverse) {
  sl__graph *g = sl__stan_graph(call);
  sl_node x = op_reshape(g, sl__stan_argument(call, 0), sl__shape3(p->n, 1, p->d));
  sl_node y = op_reshape(g, sl__stan_argument(call, p->second), sl__shape3(1, p->m, p->d));
  if (inverse) {
    x = op_multiply(g, x, inverse);
    y = op_multiply(g, y, inverse);
  }
  const sl_node squares = op_sum(g, op_square(g, op_subtract(g, x, y)), 2);
  return op_reshape(g, squares, sl__shape1(p->n * p->m));
}

/* Distances, or their squares, over the length scale (one, or one for each dimension): [n m]. */
static sl_node scaled(sl__stan_call *call, const points *p, sl_node scale, bool root) {
  sl__graph *g = sl__stan_graph(call);
  const sl_node inverse = op_reciprocal(g, scale);
  sl_node squares;
  if (!points_are_known(call, p)) {
    squares = node_squares(call, p, inverse);
  } else if (sl__node_shape(g, scale).dims == 0) {
    return op_multiply(g, known_differences(call, p, false, root),
                       root ? inverse : op_square(g, inverse));
  } else {
    const sl_node apart = known_differences(call, p, true, false);
    squares = op_matmul(g, apart, op_square(g, inverse));
  }
  return root ? sl__maths_root(g, squares) : squares;
}

/* ---- the covariances ---- */

/* Of the scaled distance, or its square if !root. */
typedef sl_node correlation(sl__graph *g, sl_node distance);

static sl_status stationary(sl__stan_call *call, correlation *f, bool root) {
  points p;
  sl_node sigma, scale;
  SL__TRY(read_points(call, &p));
  const sl__stan_value *length = &call->argument[p.rest + 1];
  if (is_empty(&p)) return give_without_points(call, &p);
  if (length->dims > 0 && length->size[0] != p.d)
    return sl__stan_refuse(call, "%d length scales for points of %d dimensions", length->size[0],
                           p.d);
  SL__TRY(read_scale(call, p.rest, "the standard deviation", &sigma));
  SL__TRY(read_scale(call, p.rest + 1, "the length scale", &scale));
  sl__graph *g = sl__stan_graph(call);
  return give(call, &p, op_multiply(g, op_square(g, sigma), f(g, scaled(call, &p, scale, root))));
}

static sl_node exp_quad(sl__graph *g, sl_node square) {
  return op_exp(g, op_scale(g, square, -0.5));
}
static sl_node exponential(sl__graph *g, sl_node r) {
  return op_exp(g, op_negate(g, r));
}
/* Rasmussen & Williams 2006, eq. 4.17. */
static sl_node matern32(sl__graph *g, sl_node r) {
  const sl_node s = op_scale(g, r, 1.7320508075688772935);
  return op_multiply(g, op_shift(g, s, 1), op_exp(g, op_negate(g, s)));
}
static sl_node matern52(sl__graph *g, sl_node r) {
  const sl_node s = op_scale(g, r, 2.2360679774997896964);
  const sl_node factor = op_shift(g, op_multiply_add(g, op_scale(g, s, 1.0 / 3), s, s), 1);
  return op_multiply(g, factor, op_exp(g, op_negate(g, s)));
}
sl_status sl__stan_build_gp_exp_quad_cov(sl__stan_call *call) {
  return stationary(call, exp_quad, false);
}
sl_status sl__stan_build_gp_exponential_cov(sl__stan_call *call) {
  return stationary(call, exponential, true);
}
sl_status sl__stan_build_gp_matern32_cov(sl__stan_call *call) {
  return stationary(call, matern32, true);
}
sl_status sl__stan_build_gp_matern52_cov(sl__stan_call *call) {
  return stationary(call, matern52, true);
}

/* sigma^2 exp(-2 sin^2(pi distance / period) / length^2). */
sl_status sl__stan_build_gp_periodic_cov(sl__stan_call *call) {
  points p;
  sl_node sigma, length, period;
  SL__TRY(read_points(call, &p));
  if (is_empty(&p)) return give_without_points(call, &p);
  SL__TRY(read_scale(call, p.rest, "the standard deviation", &sigma));
  SL__TRY(read_scale(call, p.rest + 1, "the length scale", &length));
  SL__TRY(read_scale(call, p.rest + 2, "the period", &period));
  sl__graph *g = sl__stan_graph(call);
  const sl_node phase = op_scale(g, scaled(call, &p, period, true), 3.14159265358979323846);
  const sl_node wave = op_divide(g, op_square(g, op_sin(g, phase)), op_square(g, length));
  return give(call, &p, op_multiply(g, op_square(g, sigma), op_exp(g, op_scale(g, wave, -2))));
}

/* sigma^2 + x' y. */
sl_status sl__stan_build_gp_dot_prod_cov(sl__stan_call *call) {
  points p;
  SL__TRY(read_points(call, &p));
  if (is_empty(&p)) return give_without_points(call, &p);
  sl__graph *g = sl__stan_graph(call);
  const sl_node sigma = sl__stan_argument(call, p.rest);
  SL__TRY(sl__stan_require(call, op_less_equal(g, sl__maths_real(g, 0), sigma),
                           "the standard deviation must not be negative"));
  const sl_node x = op_reshape(g, sl__stan_argument(call, 0), sl__shape2(p.n, p.d));
  const sl_node y = op_reshape(g, sl__stan_argument(call, p.second), sl__shape2(p.m, p.d));
  const sl_node products = op_matmul(g, x, op_transpose(g, y));
  return give(call, &p,
              op_add(g, op_reshape(g, products, sl__shape1(p.n * p.m)), op_square(g, sigma)));
}
