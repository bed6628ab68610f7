/* exp of a matrix by scaling and squaring: exp(A) = exp(A / 2^s)^(2^s), the inner one by its Taylor
 * series, s large enough that the scaled norm is at most 1/2. Where A depends on parameters s
 * differs from row to row of a batch: all squarings that could be needed are made, and each row
 * takes those it needs. */
#include "stan/functions_matrix.h"

#include <math.h>

enum { TAYLOR_TERMS = 14, MOST_SQUARINGS = 12 }; /* a norm of 2048: beyond it exp overflows */

static sl_node taylor(sl__graph *g, sl_node a, sl_node identity) {
  sl_node sum = identity; /* Horner: I + a (I + a/2 (I + a/3 ...)) */
  for (int k = TAYLOR_TERMS; k > 0; k--)
    sum = op_add(g, identity, op_scale(g, op_matmul(g, a, sum), 1.0 / k));
  return sum;
}

/* How many squarings a norm needs; at least 0. */
static sl_node squarings_of(sl__graph *g, sl_node a) {
  const sl_node norm = op_max(g, op_sum(g, op_absolute(g, a), 1), 0);
  const sl_node least = op_maximum(g, norm, sl__maths_real(g, 1e-300));
  const sl_node twice = op_scale(g, op_log(g, op_scale(g, least, 2)), 1 / 0.69314718055994530942);
  const sl_node ceiling = op_negate(g, op_floor(g, op_negate(g, twice)));
  return op_stop_gradient(g, op_clamp(g, ceiling, 0, MOST_SQUARINGS));
}

static sl_node matrix_exp(sl__stan_call *call, sl_node a, int32_t n) {
  sl__graph *g = sl__stan_graph(call);
  const sl_node squarings = squarings_of(g, a);
  const sl_node factor = op_power(g, sl__maths_real(g, 0.5), squarings);
  sl_node m = taylor(g, op_multiply(g, a, factor), sl__matrix_identity(call, n));
  for (int k = 0; k < MOST_SQUARINGS; k++) {
    const sl_node more = op_less(g, sl__maths_real(g, k), squarings);
    m = op_select(g, more, op_matmul(g, m, m), m);
  }
  return m;
}

sl_status sl__stan_build_matrix_exp(sl__stan_call *call) {
  int32_t n;
  SL__TRY(sl__matrix_square(call, 0, &n));
  if (n == 0) return sl__call_give_empty(call, 2, call->argument[0].size);
  return sl__matrix_give(call, n, n, matrix_exp(call, sl__stan_matrix(call, 0), n));
}

/* exp(t A) B, A and B being arguments `at` and `at` + 1; t 0: 1. */
static sl_status exp_multiply(sl__stan_call *call, int at, sl_node t) {
  const sl__stan_value *b = &call->argument[at + 1];
  int32_t n;
  SL__TRY(sl__matrix_square(call, at, &n));
  if (b->size[0] != n)
    return sl__stan_refuse(call, "a matrix [%d,%d] and one with %d rows", n, n, b->size[0]);
  if (b->count == 0) return sl__call_give_empty(call, 2, b->size);
  sl__graph *g = sl__stan_graph(call);
  sl_node a = sl__stan_matrix(call, at);
  if (t) a = op_multiply(g, a, t);
  return sl__matrix_give(call, n, b->size[1],
                         op_matmul(g, matrix_exp(call, a, n), sl__stan_matrix(call, at + 1)));
}
sl_status sl__stan_build_matrix_exp_multiply(sl__stan_call *call) {
  return exp_multiply(call, 0, 0);
}
sl_status sl__stan_build_scale_matrix_exp_multiply(sl__stan_call *call) {
  return exp_multiply(call, 1, sl__stan_argument(call, 0));
}
