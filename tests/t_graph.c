/* The graph engine. Every operation of the list is differentiated and held against central
 * differences in float64, computed again in float32, and run on 1, 2 and 8 threads and in several
 * blocks of rows to the same bits. A case list names the expressions; a test fails when an
 * operation of the list appears in none of them. */
#include <stdint.h>

#include "base/pool.h"
#include "base/text.h"
#include "check.h"
#include "graph/operations.h"
#include "graph/program.h"

enum { PARAMETERS = 40, FEATURES = 6, MAX_ROWS = 700 };

static bool seen_operation[SL__OP_COUNT], seen_elementwise[SL__EW_COUNT];

/* x [6] batched, p [40] shared -> any value. */
typedef struct build_case {
  const char *name;
  sl_node (*build)(sl__graph *g, sl_dtype t, sl_node x, sl_node p);
} build_case;

static sl_node part(sl__graph *g, sl_node p, int begin, sl_shape shape) {
  return op_reshape(g, op_slice(g, p, 0, begin, (int32_t)sl__shape_count(shape), 1), shape);
}
/* Positive values from anything: where an operation's domain asks for it. */
static sl_node positive(sl__graph *g, sl_node a) {
  return op_shift(g, op_square(g, a), 0.5);
}

#define CASE(name) static sl_node build_##name(sl__graph *g, sl_dtype t, sl_node x, sl_node p)
#define UNUSED     (void)t, (void)x, (void)p

#define UNARY_CASE(name, argument) \
  CASE(name) {                     \
    UNUSED;                        \
    return op_##name(g, argument); \
  }
UNARY_CASE(negate, x)
UNARY_CASE(absolute, op_shift(g, op_absolute(g, x), 0.1))
UNARY_CASE(sign, x)
UNARY_CASE(floor, x)
UNARY_CASE(exp, x)
UNARY_CASE(expm1, x)
UNARY_CASE(log, positive(g, x))
UNARY_CASE(log1p, positive(g, x))
UNARY_CASE(sqrt, positive(g, x))
UNARY_CASE(square, x)
UNARY_CASE(reciprocal, positive(g, x))
UNARY_CASE(tanh, x)
UNARY_CASE(sigmoid, x)
UNARY_CASE(softplus, x)
UNARY_CASE(sin, x)
UNARY_CASE(cos, x)
UNARY_CASE(sinh, x)
UNARY_CASE(cosh, x)
UNARY_CASE(asinh, x)
UNARY_CASE(atan, x)
UNARY_CASE(erf, x)
UNARY_CASE(lgamma, positive(g, x))
UNARY_CASE(relu, x)
UNARY_CASE(silu, x)
UNARY_CASE(digamma, positive(g, x))
UNARY_CASE(trigamma, positive(g, x))
CASE(tetragamma) {
  UNUSED;
  return op_stop_gradient(g, op_tetragamma(g, positive(g, x)));
}

/* Of (shape, x) or (order, x). */
#define PAIR_CASE(name)                                                             \
  CASE(name) {                                                                      \
    UNUSED;                                                                         \
    return op_##name(g, positive(g, part(g, p, 0, sl__shape1(6))), positive(g, x)); \
  }
#define ODDS_CASE(name)                                                                \
  CASE(name) {                                                                         \
    UNUSED;                                                                            \
    const sl_node a = positive(g, part(g, p, 0, sl__shape1(6)));                       \
    return op_##name(g, a, positive(g, part(g, p, 6, sl__shape1(6))), positive(g, x)); \
  }
PAIR_CASE(log_gamma_p)
PAIR_CASE(log_gamma_q)
PAIR_CASE(log_gamma_term)
PAIR_CASE(log_bessel_i)
PAIR_CASE(owens_t)
ODDS_CASE(log_beta_lower)
ODDS_CASE(log_beta_term)
CASE(inv_inc_beta) {
  UNUSED;
  const sl_node a = positive(g, part(g, p, 0, sl__shape1(6)));
  return op_inv_inc_beta(g, a, positive(g, part(g, p, 6, sl__shape1(6))), op_sigmoid(g, x));
}
/* Their order is a whole number, and fixed. */
CASE(bessel) {
  UNUSED;
  const sl_node order = op_constant(g, t, sl__shape1(6), (double[]){0, 1, 2, 3, 4, 5});
  const sl_node at = positive(g, x);
  return op_concatenate(g, 3,
                        (sl_node[]){op_bessel_j(g, order, at),
                                    op_bessel_y(g, order, op_shift(g, at, 3)),
                                    op_bessel_k(g, order, op_shift(g, at, 2))},
                        0);
}
/* What has no derivative of its own. */
CASE(by_shape) {
  UNUSED;
  const sl_node a = positive(g, part(g, p, 0, sl__shape1(6))), at = positive(g, x);
  const sl_node b = positive(g, part(g, p, 6, sl__shape1(6)));
  const sl_node parts[] = {op_log_gamma_p_by_shape(g, a, at), op_log_gamma_q_by_shape(g, a, at),
                           op_log_bessel_i_by_order(g, a, at),
                           op_log_beta_lower_by_first(g, a, b, at),
                           op_log_beta_lower_by_second(g, a, b, at)};
  return op_stop_gradient(g, op_concatenate(g, 5, parts, 0));
}
CASE(scale) {
  UNUSED;
  return op_scale(g, x, -1.5);
}
CASE(shift) {
  UNUSED;
  return op_shift(g, x, 0.25);
}
CASE(leaky_relu) {
  UNUSED;
  return op_leaky_relu(g, x, 0.1);
}
CASE(leaky_gate) {
  UNUSED;
  return op_leaky_gate(g, op_stop_gradient(g, x), op_square(g, x), 0.1);
}
CASE(tanh_gate) {
  UNUSED;
  return op_tanh_gate(g, x, op_slice(g, p, 0, 0, 6, 1));
}
CASE(copy) {
  UNUSED;
  return op_reshape(g, op_transpose(g, op_reshape(g, x, sl__shape2(2, 3))), sl__shape1(6));
}
CASE(add) {
  UNUSED;
  return op_add(g, x, op_slice(g, p, 0, 3, 6, 1));
}
CASE(subtract) {
  UNUSED;
  return op_subtract(g, op_slice(g, p, 0, 3, 6, 2), x);
}
CASE(multiply) {
  UNUSED;
  return op_multiply(g, x, op_slice(g, p, 0, 30, 6, 1));
}
CASE(divide) {
  UNUSED;
  return op_divide(g, x, positive(g, op_slice(g, p, 0, 0, 6, 1)));
}
CASE(power) {
  UNUSED;
  return op_power(g, positive(g, x), op_element(g, p, 0, 4));
}
CASE(minimum) {
  UNUSED;
  return op_minimum(g, x, op_slice(g, p, 0, 5, 6, 1));
}
CASE(maximum) {
  UNUSED;
  return op_maximum(g, x, op_element(g, p, 0, 7));
}
CASE(compare) {
  UNUSED;
  const sl_node q = op_slice(g, p, 0, 5, 6, 1), less = op_less(g, x, q), equal = op_equal(g, x, x);
  return op_multiply(g, x, op_add(g, less, op_add(g, equal, op_less_equal(g, x, q))));
}
CASE(select) {
  UNUSED;
  return op_select(g, op_less(g, x, op_number(g, t, 0.1)), op_square(g, x),
                   op_slice(g, p, 0, 1, 6, 1));
}
CASE(multiply_add) {
  UNUSED;
  return op_multiply_add(g, x, op_slice(g, p, 0, 0, 6, 1), op_element(g, p, 0, 9));
}
CASE(broadcast) {
  UNUSED;
  const sl_node column = op_reshape(g, op_slice(g, x, 0, 0, 3, 1), sl__shape2(3, 1));
  const sl_node row = op_reshape(g, op_slice(g, x, 0, 2, 4, 1), sl__shape2(1, 4));
  return op_multiply(g, op_add(g, column, part(g, p, 0, sl__shape2(1, 4))),
                     op_add(g, row, part(g, p, 8, sl__shape2(3, 4))));
}
CASE(strided) {
  UNUSED;
  return op_multiply(g, op_slice(g, x, 0, 0, 3, 2), op_slice(g, x, 0, 1, 3, 2));
}
CASE(softmax) {
  UNUSED;
  return op_softmax(
      g, op_reshape(g, op_multiply(g, x, op_slice(g, p, 0, 0, 6, 1)), sl__shape2(2, 3)), 1);
}
CASE(softmax_first) {
  UNUSED;
  return op_softmax(g, op_reshape(g, x, sl__shape2(3, 2)), 0);
}
CASE(log_sum_exp) {
  UNUSED;
  return op_log_sum_exp(g, op_reshape(g, x, sl__shape2(2, 3)), -1);
}
CASE(sum_middle) {
  UNUSED;
  return op_sum(
      g, op_multiply(g, op_reshape(g, x, sl__shape3(1, 3, 2)), part(g, p, 0, sl__shape3(2, 3, 2))),
      1);
}
CASE(max) {
  UNUSED;
  return op_max(g, op_reshape(g, x, sl__shape2(3, 2)), 0);
}
CASE(cumulative_sum) {
  UNUSED;
  return op_cumulative_sum(g, op_reshape(g, op_square(g, x), sl__shape2(3, 2)), 0, false);
}
CASE(cumulative_reverse) {
  UNUSED;
  return op_cumulative_sum(g, op_square(g, x), 0, true);
}
CASE(gather) {
  UNUSED;
  return op_gather(g, op_square(g, x), 0, 4, (int32_t[]){5, 0, 0, 3});
}
CASE(gather_shared) {
  UNUSED;
  return op_multiply(g, x, op_gather(g, p, 0, 6, (int32_t[]){39, 2, 2, 8, 1, 0}));
}
CASE(concatenate) {
  UNUSED;
  const sl_node parts[3] = {op_exp(g, x), op_slice(g, p, 0, 0, 2, 1),
                            op_square(g, op_slice(g, x, 0, 1, 3, 1))};
  return op_tanh(g, op_concatenate(g, 3, parts, 0));
}
CASE(concatenate_second) {
  UNUSED;
  const sl_node m = op_reshape(g, x, sl__shape2(2, 3));
  return op_square(g,
                   op_concatenate(g, 2, (sl_node[]){op_exp(g, m), op_slice(g, m, 1, 1, 1, 1)}, 1));
}
CASE(growing) { /* the chain of prefixes of autoregressive sampling */
  UNUSED;
  sl_node prefix = op_tanh(g, op_slice(g, x, 0, 0, 1, 1));
  for (int d = 1; d < FEATURES; d++) {
    const sl_node w = op_slice(g, part(g, p, 0, sl__shape2(6, 6)), 0, d, 1, 1);
    const sl_node h = op_linear(g, op_slice(g, w, 1, 0, d, 1), 0, prefix, NULL);
    const sl_node piece = op_tanh(g, op_add(g, h, op_slice(g, x, 0, d, 1, 1)));
    prefix = op_concatenate(g, 2, (sl_node[]){prefix, piece}, 0);
  }
  return prefix;
}
CASE(take) {
  UNUSED;
  const sl_node table = op_multiply(g, part(g, p, 0, sl__shape2(4, 6)), x);
  return op_take(g, table, op_clamp(g, op_floor(g, op_shift(g, op_scale(g, x, 2), 2)), 0, 3), 0);
}
CASE(search) {
  UNUSED;
  const sl_node knots =
      op_cumulative_sum(g, positive(g, part(g, p, 0, sl__shape2(4, 6))), 0, false);
  const sl_node wide = op_broadcast(g, op_shift(g, knots, -2), sl__shape2(4, 6));
  const sl_node index =
      op_search(g, op_add(g, wide, op_scale(g, op_broadcast(g, x, sl__shape2(4, 6)), 0.01)), x, 0);
  return op_multiply(g, x, index);
}
CASE(linear) {
  UNUSED;
  return op_linear(g, part(g, p, 0, sl__shape2(5, 6)), part(g, p, 30, sl__shape1(5)), x, NULL);
}
CASE(linear_twice) {
  UNUSED;
  const sl_node h = op_tanh(g, op_linear(g, part(g, p, 0, sl__shape2(3, 6)), 0, x, NULL));
  return op_linear(g, op_transpose(g, part(g, p, 18, sl__shape2(3, 5))),
                   part(g, p, 33, sl__shape1(5)), h, NULL);
}
CASE(linear_shared) {
  UNUSED;
  return op_multiply(g,
                     op_linear(g, part(g, p, 0, sl__shape2(6, 4)), part(g, p, 30, sl__shape1(6)),
                               part(g, p, 24, sl__shape1(4)), NULL),
                     x);
}
CASE(linear_masked) {
  UNUSED;
  static const int32_t extent[5] = {0, 2, 2, 4, 6};
  double mask[30] = {0};
  for (int o = 0; o < 5; o++) {
    for (int i = 0; i < extent[o]; i++) mask[o * 6 + i] = 1;
  }
  const sl_node w =
      op_multiply(g, part(g, p, 0, sl__shape2(5, 6)), op_constant(g, t, sl__shape2(5, 6), mask));
  return op_linear(g, w, part(g, p, 30, sl__shape1(5)), x, extent);
}
CASE(matmul_shared) {
  UNUSED;
  return op_multiply(g,
                     op_matmul(g, part(g, p, 0, sl__shape2(2, 4)), part(g, p, 8, sl__shape2(4, 3))),
                     op_reshape(g, x, sl__shape2(2, 3)));
}
CASE(matmul_batched) {
  UNUSED;
  return op_matmul(g, op_reshape(g, x, sl__shape2(2, 3)),
                   op_reshape(g, op_sin(g, x), sl__shape2(3, 2)));
}
CASE(matmul_left) {
  UNUSED;
  return op_matmul(g, part(g, p, 0, sl__shape2(4, 2)), op_reshape(g, x, sl__shape2(2, 3)));
}
CASE(matmul_right) {
  UNUSED;
  return op_matmul(g, op_reshape(g, x, sl__shape2(3, 2)), part(g, p, 0, sl__shape2(2, 4)));
}
CASE(matmul_vector) {
  UNUSED;
  return op_matmul(g, op_reshape(g, x, sl__shape2(2, 3)), part(g, p, 3, sl__shape1(3)));
}
static sl_node spread_out(sl__graph *g, sl_dtype t, sl_node a, int n) { /* far from singular */
  double identity[36] = {0};
  for (int i = 0; i < n; i++) identity[i * n + i] = 3;
  return op_add(g, a, op_constant(g, t, sl__shape2(n, n), identity));
}
CASE(solve) {
  UNUSED;
  return op_triangular_solve(g, spread_out(g, t, part(g, p, 0, sl__shape2(6, 6)), 6), x, false,
                             false, false);
}
CASE(solve_upper) {
  UNUSED;
  return op_triangular_solve(g, spread_out(g, t, part(g, p, 0, sl__shape2(6, 6)), 6), x, true, true,
                             true);
}
CASE(solve_shared) {
  UNUSED;
  const sl_node m = op_triangular_solve(g, spread_out(g, t, part(g, p, 0, sl__shape2(3, 3)), 3),
                                        part(g, p, 9, sl__shape2(3, 2)), true, false, false);
  return op_multiply(g, m, op_reshape(g, x, sl__shape2(3, 2)));
}
CASE(solve_batched) {
  UNUSED;
  const sl_node m =
      spread_out(g, t, op_reshape(g, op_slice(g, x, 0, 0, 4, 1), sl__shape2(2, 2)), 2);
  return op_triangular_solve(g, m, op_slice(g, x, 0, 4, 2, 1), false, true, false);
}
CASE(cholesky) {
  UNUSED;
  const sl_node a = part(g, p, 0, sl__shape2(3, 3));
  const sl_node l = op_cholesky(g, spread_out(g, t, op_matmul(g, a, op_transpose(g, a)), 3));
  return op_matmul(g, l, op_reshape(g, x, sl__shape2(3, 2)));
}
CASE(cholesky_batched) {
  UNUSED;
  const sl_node a = op_reshape(g, op_slice(g, x, 0, 0, 4, 1), sl__shape2(2, 2));
  return op_cholesky(g, spread_out(g, t, op_matmul(g, a, op_transpose(g, a)), 2));
}
CASE(qr) {
  UNUSED;
  const sl_node a =
      op_add(g, part(g, p, 0, sl__shape2(4, 3)),
             op_constant(g, t, sl__shape2(4, 3), (double[]){2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 1, 1}));
  const sl_node q =
      op_matmul(g, op_qr_q(g, a), op_reshape(g, op_slice(g, x, 0, 0, 3, 1), sl__shape2(3, 1)));
  const sl_node r =
      op_matmul(g, op_qr_r(g, a), op_reshape(g, op_slice(g, x, 0, 3, 3, 1), sl__shape2(3, 1)));
  return op_concatenate(g, 2, (sl_node[]){q, r}, 0);
}
CASE(qr_batched) {
  UNUSED;
  const sl_node a = op_add(g, op_reshape(g, x, sl__shape2(3, 2)),
                           op_constant(g, t, sl__shape2(3, 2), (double[]){2, 0, 0, 2, 1, 1}));
  return op_concatenate(g, 2, (sl_node[]){op_qr_q(g, a), op_qr_r(g, a)}, 0);
}
CASE(eigen) {
  UNUSED;
  const sl_node a = part(g, p, 0, sl__shape2(3, 3));
  const sl_node apart = op_constant(g, t, sl__shape2(3, 3), (double[]){0, 0, 0, 0, 8, 0, 0, 0, 20});
  const sl_node spread = op_add(g, apart, op_matmul(g, a, op_transpose(g, a)));
  return op_matmul(g, op_eigen(g, spread), op_reshape(g, x, sl__shape2(3, 2)));
}
CASE(eigen_batched) {
  UNUSED;
  const sl_node a = op_reshape(g, op_slice(g, x, 0, 0, 4, 1), sl__shape2(2, 2));
  return op_eigen(g, spread_out(g, t, op_matmul(g, a, op_transpose(g, a)), 2));
}
CASE(diagonals) {
  UNUSED;
  const sl_node m = op_reshape(g, op_slice(g, x, 0, 0, 4, 1), sl__shape2(2, 2));
  return op_matmul(g,
                   op_add(g, op_lower(g, m, 0), op_diagonal_matrix(g, op_slice(g, x, 0, 4, 2, 1))),
                   op_reshape(g, op_diagonal(g, m), sl__shape2(2, 1)));
}
CASE(cast) {
  UNUSED;
  const sl_dtype other = t == SL_F32 ? SL_F64 : SL_F32;
  return op_multiply(
      g, x,
      op_shift(g,
               op_scale(g,
                        op_cast(g, op_cast(g, op_stop_gradient(g, op_number(g, t, 0.5)), other), t),
                        1),
               0));
}
/* d/dx of sum((d/dx tanh(w x))^2): second derivatives through linear, tanh and slices */
CASE(gradient_of_gradient) {
  UNUSED;
  const sl_node h = op_tanh(g, op_linear(g, part(g, p, 0, sl__shape2(4, 6)), 0, x, NULL));
  sl_node dx;
  if (sl__gradient(g, op_sum_all(g, op_multiply(g, h, h)), 1, &x, &dx) != SL_OK) return 0;
  return op_square(g, dx);
}
/* x + a tanh(w x + b), a and w positive; user: p. */
static sl_node planar(void *user, sl__graph *g, sl_node x) {
  const sl_node p = *(const sl_node *)user;
  const sl_node a = positive(g, op_slice(g, p, 0, 0, 6, 1));
  const sl_node w = positive(g, op_slice(g, p, 0, 6, 6, 1));
  const sl_node t = op_tanh(g, op_multiply_add(g, w, x, op_slice(g, p, 0, 12, 6, 1)));
  return op_multiply_add(g, a, t, x);
}
CASE(root) {
  UNUSED;
  return op_root(g, x, op_number(g, t, -500), op_number(g, t, 500), planar, &p);
}
CASE(root_shared) {
  UNUSED;
  const sl_node y = op_slice(g, p, 0, 20, 6, 1);
  return op_multiply(g, x, op_root(g, y, op_shift(g, y, -9), op_shift(g, y, 9), planar, &p));
}
/* sum over k of exp(w_k) sigmoid(4 x + b_k), 0 < w, b, read from a batched value. */
static sl_node of_sigmoids(void *user, sl__graph *g, sl_node x) {
  const sl_node q = *(const sl_node *)user;
  const sl_node w = op_exp(g, op_reshape(g, q, sl__shape2(1, 6)));
  const sl_node b = op_reshape(g, op_scale(g, q, 3), sl__shape2(1, 6));
  const sl_node column = op_reshape(g, op_scale(g, x, 4), sl__shape2(3, 1));
  return op_sum(g, op_multiply(g, w, op_sigmoid(g, op_add(g, column, b))), 1);
}
CASE(root_of_sum) {
  UNUSED;
  const sl_node y = op_shift(g, op_sigmoid(g, op_slice(g, p, 0, 3, 3, 1)), 0.5);
  const sl_node low = op_number(g, t, -5), high = op_slice(g, p, 0, 0, 1, 1);
  return op_root(g, y, low, high, of_sigmoids, &x); /* the bracket may not hold */
}
/* sum_i sin(x_i) x_(i+1) + the number at user */
static sl_status sines(void *user, int64_t rows, const double *x, double *value, double *gradient) {
  const int64_t n = FEATURES / 2;
  for (int64_t r = 0; r < rows; r++, x += n) {
    value[r] = *(const double *)user;
    for (int64_t i = 0; i < n; i++) {
      const double next = x[(i + 1) % n], before = x[(i + n - 1) % n];
      value[r] += sin(x[i]) * next;
      if (gradient) gradient[r * n + i] = cos(x[i]) * next + sin(before);
    }
  }
  return SL_OK;
}
static double five = 5;
CASE(outside) {
  UNUSED;
  const sl_node some = op_slice(g, x, 0, 1, FEATURES / 2, 1);
  return op_square(g, op_outside(g, some, sines, &five, true));
}
CASE(outside_shared) {
  UNUSED;
  return op_multiply(g, x,
                     op_outside(g, op_slice(g, p, 0, 4, FEATURES / 2, 2), sines, &five, true));
}
/* a pendulum with friction, driven by time */
static bool pendulum(void *user, sl__graph *g, sl_node time, const sl_node *y, const sl_node *p,
                     sl_node *slope) {
  (void)user;
  const sl_node friction = op_multiply(g, op_element(g, p[0], 0, 0), y[1]);
  const sl_node pull = op_multiply(g, op_element(g, p[0], 0, 1), op_sin(g, y[0]));
  slope[0] = y[1];
  slope[1] = op_subtract(g, op_cos(g, time), op_add(g, friction, pull));
  return true;
}
static sl_node swing(sl__graph *g, sl_dtype t, sl_node x, sl_node p, sl__ode_method method) {
  const sl_node wide = op_cast(g, x, SL_F64);
  const sl_node parameter = op_cast(g, op_slice(g, p, 0, 3, 2, 1), SL_F64);
  const sl_node first = op_shift(g, op_square(g, op_element(g, wide, 0, 3)), 0.5);
  const sl_node last = op_shift(g, op_square(g, op_element(g, wide, 0, 4)), 1);
  const sl_node times[2] = {op_reshape(g, first, sl__shape1(1)),
                            op_reshape(g, op_add(g, first, last), sl__shape1(1))};
  const sl__ode ode = {.method = method,
                       .relative = 1e-10,
                       .absolute = 1e-10,
                       .max_steps = 1e5,
                       .start_time = op_scale(g, op_sigmoid(g, op_element(g, wide, 0, 2)), 0.4),
                       .start = op_slice(g, wide, 0, 0, 2, 1),
                       .times = op_concatenate(g, 2, times, 0),
                       .parameters = 1,
                       .parameter = &parameter};
  return op_cast(g, op_ode(g, &ode, pendulum, NULL), t);
}
CASE(ode) {
  UNUSED;
  return swing(g, t, x, p, SL__ODE_DORMAND_PRINCE);
}
CASE(ode_stiff) {
  UNUSED;
  return swing(g, t, x, p, SL__ODE_STIFF);
}
CASE(random) {
  UNUSED;
  return op_multiply(g, x,
                     op_add(g, op_random_normal(g, t, sl__shape1(6), 3),
                            op_random_uniform(g, t, sl__shape1(6), 4)));
}

static const build_case cases[] = {
#define C(name) \
  { #name, build_##name }
    C(negate),
    C(absolute),
    C(sign),
    C(floor),
    C(exp),
    C(expm1),
    C(log),
    C(log1p),
    C(sqrt),
    C(square),
    C(reciprocal),
    C(tanh),
    C(sigmoid),
    C(softplus),
    C(sin),
    C(cos),
    C(sinh),
    C(cosh),
    C(asinh),
    C(atan),
    C(erf),
    C(lgamma),
    C(relu),
    C(silu),
    C(digamma),
    C(trigamma),
    C(tetragamma),
    C(log_gamma_p),
    C(log_gamma_q),
    C(log_gamma_term),
    C(log_bessel_i),
    C(owens_t),
    C(log_beta_lower),
    C(log_beta_term),
    C(inv_inc_beta),
    C(bessel),
    C(by_shape),
    C(scale),
    C(shift),
    C(leaky_relu),
    C(leaky_gate),
    C(tanh_gate),
    C(copy),
    C(add),
    C(subtract),
    C(multiply),
    C(divide),
    C(power),
    C(minimum),
    C(maximum),
    C(compare),
    C(select),
    C(multiply_add),
    C(broadcast),
    C(strided),
    C(softmax),
    C(softmax_first),
    C(log_sum_exp),
    C(sum_middle),
    C(max),
    C(cumulative_sum),
    C(cumulative_reverse),
    C(gather),
    C(gather_shared),
    C(concatenate),
    C(concatenate_second),
    C(growing),
    C(take),
    C(search),
    C(linear),
    C(linear_twice),
    C(linear_shared),
    C(linear_masked),
    C(matmul_shared),
    C(matmul_batched),
    C(matmul_left),
    C(matmul_right),
    C(matmul_vector),
    C(solve),
    C(solve_upper),
    C(solve_shared),
    C(solve_batched),
    C(cholesky),
    C(cholesky_batched),
    C(eigen),
    C(eigen_batched),
    C(qr),
    C(qr_batched),
    C(diagonals),
    C(cast),
    C(gradient_of_gradient),
    C(root),
    C(root_shared),
    C(root_of_sum),
    C(outside),
    C(outside_shared),
    C(ode),
    C(ode_stiff),
    C(random),
};
enum { CASES = sizeof cases / sizeof cases[0] };

/* A case as a program: loss = sum over rows and elements of y * weight, gradients to x and p, and
 * y itself. */
typedef struct bench_program {
  sl__program *program;
  int64_t count;
} bench_program;

static void note_operations(const sl__graph *g) {
  for (uint32_t i = 1; i < g->count; i++) {
    seen_operation[g->nodes[i].operation] = true;
    if (g->nodes[i].operation == SL__OP_ELEMENTWISE)
      seen_elementwise[g->nodes[i].elementwise] = true;
  }
}

static bool make(sl_context *context, const build_case *c, sl_dtype t, bench_program *out) {
  sl__graph *g;
  if (sl__graph_new(context, &g) != SL_OK) return false;
  sl__graph_label(g, "case %s", c->name);
  const sl_node x = op_input(g, t, sl__shape1(FEATURES)),
                p = op_parameter(g, t, sl__shape1(PARAMETERS), 0);
  const sl_node y = c->build(g, t, x, p);
  out->count = y ? sl__shape_count(sl__node_shape(g, y)) : 0;
  double *weight = calloc((size_t)out->count + 1, sizeof *weight);
  for (int64_t i = 0; i < out->count; i++) weight[i] = cos(1.0 + 2.3 * (double)i);
  const sl_node w = y ? op_constant(g, t, sl__node_shape(g, y), weight) : 0;
  free(weight);
  const sl_node loss = op_sum_rows(g, op_sum_all(g, op_multiply(g, y, w)));
  sl_node d[2];
  sl_status status = sl__gradient(g, loss, 2, (sl_node[]){x, p}, d);
  if (status == SL_OK)
    status = sl__program_new(context, g, 4, (sl_node[]){loss, d[0], d[1], y}, &out->program);
  note_operations(g);
  sl__graph_free(g);
  if (status != SL_OK) printf("  %s: %s\n", c->name, sl_error(context));
  return CHECK(status == SL_OK);
}

typedef struct results {
  double loss, dx[MAX_ROWS * FEATURES], dp[PARAMETERS], y[MAX_ROWS * 40];
} results;

static void fill(double *x, double *p, int64_t rows) {
  for (int64_t i = 0; i < rows * FEATURES; i++) x[i] = 0.9 * sin(0.7 + 1.7 * (double)i) + 0.05;
  for (int i = 0; i < PARAMETERS; i++) p[i] = 0.8 * cos(0.3 + 2.1 * i);
}

static bool run(sl_context *context, const bench_program *b, sl_dtype t, int64_t rows,
                const double *x, const double *p, results *out) {
  sl__workspace *w;
  if (!CHECK(sl__workspace_new(context, b->program, rows, &w) == SL_OK)) return false;
  float p32[PARAMETERS];
  for (int i = 0; i < PARAMETERS; i++) p32[i] = (float)p[i];
  const sl__feed feed = {.data = x, .type = SL_F64};
  const sl__sink sinks[4] = {{&out->loss, SL_F64, 0, 0},
                             {out->dx, SL_F64, 0, 0},
                             {out->dp, SL_F64, 0, 0},
                             {out->y, SL_F64, 0, 0}};
  const sl__run r = {.rows = rows,
                     .parameters = t == SL_F64 ? (const void *)p : p32,
                     .feeds = &feed,
                     .sinks = sinks,
                     .key = {.seed = 9}};
  const bool good = CHECK(sl__program_run(context, b->program, w, &r) == SL_OK);
  sl__workspace_free(w);
  return good;
}

static sl_context *context_of(int threads) {
  sl_context *context = NULL;
  CHECK(
      sl_context_new(&(sl_context_options){.size = sizeof(sl_context_options), .threads = threads},
                     &context) == SL_OK);
  return context;
}

static results r1, r2;
static double xs[MAX_ROWS * FEATURES], ps[PARAMETERS];

static void check_differences(sl_context *context, const build_case *c, const bench_program *b) {
  const int64_t rows = 3;
  const double h = 1e-6;
  fill(xs, ps, rows);
  if (!run(context, b, SL_F64, rows, xs, ps, &r1)) return;
  double worst = 0;
  for (int i = 0; i < rows * FEATURES + PARAMETERS; i++) {
    double *at = i < rows * FEATURES ? &xs[i] : &ps[i - rows * FEATURES];
    const double gradient = i < rows * FEATURES ? r1.dx[i] : r1.dp[i - rows * FEATURES], kept = *at;
    *at = kept + h;
    if (!run(context, b, SL_F64, rows, xs, ps, &r2)) return;
    const double up = r2.loss;
    *at = kept - h;
    if (!run(context, b, SL_F64, rows, xs, ps, &r2)) return;
    *at = kept;
    const double difference = (up - r2.loss) / (2 * h);
    const double error = fabs(difference - gradient) / (1 + fabs(gradient));
    if (!(error <= worst)) worst = error;
  }
  if (!CHECK(worst < 2e-8)) printf("  %s: gradient off by %g\n", c->name, worst);
}

TEST(gradients_against_differences) {
  sl_context *context = context_of(1);
  for (int i = 0; i < CASES; i++) {
    bench_program b;
    if (!make(context, &cases[i], SL_F64, &b)) continue;
    const bool constant = !strcmp(cases[i].name, "tetragamma") ||
                          !strcmp(cases[i].name, "by_shape") ||
                          !strcmp(cases[i].name, "leaky_gate"); /* stop_gradient inside */
    if (!constant) check_differences(context, &cases[i], &b);
    sl__program_free(b.program);
  }
  sl_context_free(context);
}

TEST(float32_against_float64) {
  sl_context *context = context_of(1);
  for (int i = 0; i < CASES; i++) {
    if (!strcmp(cases[i].name, "floor") || !strcmp(cases[i].name, "search"))
      continue; /* steps may fall on either side */
    bench_program b32, b64;
    if (!make(context, &cases[i], SL_F32, &b32) || !make(context, &cases[i], SL_F64, &b64))
      continue;
    fill(xs, ps, 20);
    if (run(context, &b64, SL_F64, 20, xs, ps, &r1) &&
        run(context, &b32, SL_F32, 20, xs, ps, &r2)) {
      double worst = 0;
      for (int k = 0; k < 20 * FEATURES; k++)
        worst = fmax(worst, fabs(r1.dx[k] - r2.dx[k]) / (1 + fabs(r1.dx[k])));
      for (int k = 0; k < PARAMETERS; k++)
        worst = fmax(worst, fabs(r1.dp[k] - r2.dp[k]) / (10 + fabs(r1.dp[k])));
      for (int64_t k = 0; k < 20 * b64.count; k++)
        worst = fmax(worst, fabs(r1.y[k] - r2.y[k]) / (1 + fabs(r1.y[k])));
      if (!CHECK(worst < 2e-4)) printf("  %s: float32 off by %g\n", cases[i].name, worst);
    }
    sl__program_free(b32.program);
    sl__program_free(b64.program);
  }
  sl_context_free(context);
}

/* The bits of 1, 2 and 8 threads, in one block and in several. */
TEST(same_bits_for_any_threads) {
  const int threads[3] = {1, 2, 8};
  sl_context *context[3];
  for (int k = 0; k < 3; k++) context[k] = context_of(threads[k]);
  for (int i = 0; i < CASES; i++) {
    for (int64_t rows = 60; rows <= 700; rows += 640) {
      bench_program b;
      if (!make(context[0], &cases[i], SL_F32, &b)) continue;
      fill(xs, ps, rows);
      memset(&r1, 0, sizeof r1);
      if (!run(context[0], &b, SL_F32, rows, xs, ps, &r1)) continue;
      for (int k = 1; k < 3; k++) {
        memset(&r2, 0, sizeof r2);
        run(context[k], &b, SL_F32, rows, xs, ps, &r2);
        if (!CHECK(memcmp(&r1, &r2, sizeof r1) == 0))
          printf("  %s: %lld rows, %d threads\n", cases[i].name, (long long)rows, threads[k]);
      }
      sl__program_free(b.program);
    }
  }
  for (int k = 0; k < 3; k++) sl_context_free(context[k]);
}

TEST(blocks_agree_with_single_rows) {
  sl_context *context = context_of(2);
  for (int i = 0; i < CASES; i++) {
    bench_program b;
    if (!strcmp(cases[i].name, "random") || !make(context, &cases[i], SL_F64, &b)) continue;
    fill(xs, ps, 600);
    if (run(context, &b, SL_F64, 600, xs, ps, &r1)) {
      double loss = 0, dp[PARAMETERS] = {0}, worst = 0;
      for (int row = 0; row < 600; row += 1) {
        if (!run(context, &b, SL_F64, 1, xs + row * FEATURES, ps, &r2)) break;
        loss += r2.loss;
        for (int k = 0; k < PARAMETERS; k++) dp[k] += r2.dp[k];
        for (int k = 0; k < FEATURES; k++)
          worst = fmax(worst, fabs(r2.dx[k] - r1.dx[row * FEATURES + k]) / (1 + fabs(r2.dx[k])));
        for (int64_t k = 0; k < b.count; k++)
          worst = fmax(worst, fabs(r2.y[k] - r1.y[row * b.count + k]) / (1 + fabs(r2.y[k])));
      }
      worst = fmax(worst, fabs(loss - r1.loss) / (600 + fabs(loss)));
      for (int k = 0; k < PARAMETERS; k++)
        worst = fmax(worst, fabs(dp[k] - r1.dp[k]) / (600 + fabs(dp[k])));
      if (!CHECK(worst < 1e-11)) printf("  %s: off by %g\n", cases[i].name, worst);
    }
    sl__program_free(b.program);
  }
  sl_context_free(context);
}

TEST(every_operation_was_in_a_case) {
  for (int i = 0; i < SL__OP_COUNT; i++) {
    if (i == SL__OP_SHARED_INPUT || i == SL__OP_STRIPS) continue; /* its own test; no node */
    if (!CHECK(seen_operation[i])) printf("  operation %s is in no case\n", sl__operations[i].name);
  }
  for (int i = 0; i < SL__EW_COUNT; i++) {
    if (!CHECK(seen_elementwise[i]))
      printf("  elementwise %s is in no case\n", sl__elementwise_name((sl__elementwise)i));
  }
}

static sl_status refusing(void *user, int64_t rows, const double *x, double *value,
                          double *gradient) {
  (void)gradient, (void)user;
  for (int64_t r = 0; r < rows; r++) {
    if (x[r] > 3) return SL_STOPPED;
    value[r] = x[r];
  }
  return SL_OK;
}

TEST(a_function_from_outside_ends_the_run_and_has_no_second_derivative) {
  sl_context *context = context_of(2);
  sl__graph *g;
  REQUIRE(sl__graph_new(context, &g) == SL_OK);
  const sl_node x = op_input(g, SL_F64, sl__shape1(1));
  const sl_node plain = op_outside(g, x, refusing, NULL, false);
  const sl_node sum = op_outside(g, x, sines, &five, true);
  sl__program *program;
  sl__workspace *work;
  REQUIRE(sl__program_new(context, g, 1, &plain, &program) == SL_OK);
  REQUIRE(sl__workspace_new(context, program, 1, &work) == SL_OK);
  enum { ROWS = 1000 };
  static double data[ROWS], y[ROWS];
  const sl__feed feed = {.data = data, .type = SL_F64};
  const sl__sink sink = {y, SL_F64, 0, 0};
  const sl__run r = {.rows = ROWS, .feeds = &feed, .sinks = &sink};
  CHECK(sl__program_run(context, program, work, &r) == SL_OK);
  data[700] = 4;
  CHECK(sl__program_run(context, program, work, &r) == SL_STOPPED);
  data[700] = 2;
  CHECK(sl__program_run(context, program, work, &r) == SL_OK && y[700] == 2);
  sl_node first, second;
  CHECK(sl__gradient(g, sum, 1, &x, &first) == SL_OK);
  CHECK(sl__gradient(g, op_sum_all(g, op_square(g, first)), 1, &x, &second) == SL_UNSUPPORTED);
  CHECK(strstr(sl_error(context), "second derivatives") != NULL);
  sl__graph_free(g);
  REQUIRE(sl__graph_new(context, &g) == SL_OK);
  const sl_node z = op_input(g, SL_F64, sl__shape1(1));
  CHECK(sl__gradient(g, op_outside(g, z, refusing, NULL, false), 1, &z, &first) == SL_UNSUPPORTED);
  sl__graph_free(g);
  sl__workspace_free(work);
  sl__program_free(program);
  sl_context_free(context);
}

TEST(shared_inputs_and_unused_outputs) {
  sl_context *context = context_of(2);
  sl__graph *g;
  REQUIRE(sl__graph_new(context, &g) == SL_OK);
  const sl_node x = op_input(g, SL_F64, sl__shape1(2)),
                temperature = op_shared_input(g, SL_F64, sl__scalar_shape());
  const sl_node y = op_multiply(g, x, temperature);
  sl__program *program;
  REQUIRE(sl__program_new(context, g, 2, (sl_node[]){y, op_square(g, temperature)}, &program) ==
          SL_OK);
  sl__graph_free(g);
  sl__workspace *w;
  REQUIRE(sl__workspace_new(context, program, 10, &w) == SL_OK);
  const double data[6] = {1, 2, 3, 4, 5, 6}, t = 3;
  float out[4] = {0};
  const int64_t index[2] = {2, 0};
  const sl__feed feeds[2] = {{.data = data, .type = SL_F64, .index = index},
                             {.data = &t, .type = SL_F64}};
  const sl__sink sinks[2] = {{out, SL_F32, 0, 0}, {NULL, SL_F64, 0, 0}};
  REQUIRE(sl__program_run(context, program, w,
                          &(sl__run){.rows = 2, .feeds = feeds, .sinks = sinks}) == SL_OK);
  CHECK_CLOSE(out[0], 15, 0);
  CHECK_CLOSE(out[1], 18, 0);
  CHECK_CLOSE(out[2], 3, 0);
  CHECK_CLOSE(out[3], 6, 0);
  sl__workspace_free(w);
  sl__program_free(program);
  sl_context_free(context);
}

/* d/dx of sum(dW * v): what v holds beyond the staircase of W is no part of any derivative. */
TEST(second_derivatives_keep_the_zeros_of_a_masked_layer) {
  enum { OUT = 5, IN = 6, ROWS = 20 };
  static const int32_t extent[OUT] = {0, 2, 5, 1, 6};
  sl_context *context = context_of(1);
  double w[OUT * IN] = {0}, v[2][OUT * IN], x[ROWS * IN], dx[2][ROWS * IN];
  for (int i = 0; i < OUT * IN; i++) {
    const bool inside = i % IN < extent[i / IN];
    w[i] = inside ? cos(i) : 0;
    v[0][i] = inside ? 1 : 0;
    v[1][i] = 1;
  }
  for (int i = 0; i < ROWS * IN; i++) x[i] = sin(3 * i);
  for (int k = 0; k < 2; k++) {
    sl__graph *g;
    REQUIRE(sl__graph_new(context, &g) == SL_OK);
    const sl_node input = op_input(g, SL_F64, sl__shape1(IN));
    const sl_node weight = op_parameter(g, SL_F64, sl__shape2(OUT, IN), 0);
    const sl_node y = op_sum_all(g, op_tanh(g, op_linear(g, weight, 0, input, extent)));
    sl_node by_weight, by_input;
    REQUIRE(sl__gradient(g, y, 1, &weight, &by_weight) == SL_OK);
    const sl_node direction = op_constant(g, SL_F64, sl__shape2(OUT, IN), v[k]);
    const sl_node along = op_sum_all(g, op_multiply(g, by_weight, direction));
    REQUIRE(sl__gradient(g, along, 1, &input, &by_input) == SL_OK);
    sl__program *program;
    sl__workspace *work;
    REQUIRE(sl__program_new(context, g, 1, &by_input, &program) == SL_OK);
    sl__graph_free(g);
    REQUIRE(sl__workspace_new(context, program, ROWS, &work) == SL_OK);
    const sl__feed feed = {.data = x, .type = SL_F64};
    const sl__sink sink = {dx[k], SL_F64, 0, 0};
    const sl__run r = {.rows = ROWS, .parameters = w, .feeds = &feed, .sinks = &sink};
    CHECK(sl__program_run(context, program, work, &r) == SL_OK);
    sl__workspace_free(work);
    sl__program_free(program);
  }
  for (int i = 0; i < ROWS * IN; i++) CHECK_CLOSE(dx[1][i], dx[0][i], 1e-14);
  sl_context_free(context);
}

/* A program that sums nothing over rows takes any number of them, whatever its workspace was made
 * for; one that does refuses more, and gives sums of zero for no rows at all. */
TEST(workspaces_made_for_few_rows) {
  sl_context *context = context_of(2);
  sl__graph *g;
  REQUIRE(sl__graph_new(context, &g) == SL_OK);
  const sl_node x = op_input(g, SL_F64, sl__shape1(1));
  const sl_node y = op_square(g, x), sum = op_sum_rows(g, y);
  sl__program *program[2];
  sl__workspace *work[2];
  REQUIRE(sl__program_new(context, g, 1, &y, &program[0]) == SL_OK);
  REQUIRE(sl__program_new(context, g, 1, &sum, &program[1]) == SL_OK);
  sl__graph_free(g);
  static double in[MAX_ROWS], out[MAX_ROWS];
  for (int i = 0; i < MAX_ROWS; i++) in[i] = i;
  const sl__feed feed = {.data = in, .type = SL_F64};
  const sl__sink sink = {out, SL_F64, 0, 0};
  for (int k = 0; k < 2; k++) {
    REQUIRE(sl__workspace_new(context, program[k], 1, &work[k]) == SL_OK);
    const sl__run r = {.rows = MAX_ROWS, .feeds = &feed, .sinks = &sink};
    const sl_status status = sl__program_run(context, program[k], work[k], &r);
    CHECK(status == (k == 0 ? SL_OK : SL_BAD_ARGUMENT));
  }
  for (int i = 0; i < MAX_ROWS; i++) CHECK_CLOSE(out[i], (double)i * i, 0);
  out[0] = 7;
  const sl__run none = {.rows = 0, .feeds = &feed, .sinks = &sink};
  CHECK(sl__program_run(context, program[1], work[1], &none) == SL_OK);
  CHECK_CLOSE(out[0], 0, 0);
  for (int k = 0; k < 2; k++) {
    sl__workspace_free(work[k]);
    sl__program_free(program[k]);
  }
  sl_context_free(context);
}

TEST(log_sum_exp_of_infinities) {
  sl_context *context = context_of(1);
  sl__graph *g;
  REQUIRE(sl__graph_new(context, &g) == SL_OK);
  const sl_node y = op_log_sum_exp(g, op_input(g, SL_F32, sl__shape1(2)), 0);
  sl__program *program;
  sl__workspace *work;
  REQUIRE(sl__program_new(context, g, 1, &y, &program) == SL_OK);
  sl__graph_free(g);
  REQUIRE(sl__workspace_new(context, program, 4, &work) == SL_OK);
  const double in[8] = {-INFINITY, -INFINITY, INFINITY, 3, -INFINITY, 3, NAN, 3};
  double out[4];
  const sl__feed feed = {.data = in, .type = SL_F64};
  const sl__sink sink = {out, SL_F64, 0, 0};
  const sl__run r = {.rows = 4, .feeds = &feed, .sinks = &sink};
  CHECK(sl__program_run(context, program, work, &r) == SL_OK);
  CHECK(out[0] == -INFINITY);
  CHECK(out[1] == INFINITY);
  CHECK(out[2] == 3);
  CHECK(isnan(out[3]));
  sl__workspace_free(work);
  sl__program_free(program);
  sl_context_free(context);
}

TEST(layers_of_wrong_shapes_and_types_are_refused) {
  sl_context *context = context_of(1);
  static const int32_t extent[2] = {1, 4}; /* beyond the three inputs */
  for (int k = 0; k < 6; k++) {
    sl__graph *g;
    REQUIRE(sl__graph_new(context, &g) == SL_OK);
    const sl_node x = op_input(g, SL_F64, sl__shape1(3)), x32 = op_input(g, SL_F32, sl__shape1(3));
    const sl_node w = op_parameter(g, SL_F64, sl__shape2(2, 3), 0);
    const sl_node bias = op_parameter(g, SL_F64, sl__shape1(2), 6);
    switch (k) {
      case 0: op_linear(g, w, bias, x, NULL); break; /* the right one */
      case 1: op_linear(g, w, bias, x32, NULL); break;
      case 2: op_linear(g, w, op_slice(g, x, 0, 0, 2, 1), x, NULL); break;
      case 3: op_linear(g, w, op_element(g, bias, 0, 0), x, NULL); break;
      case 4: op_linear(g, w, bias, x, extent); break;
      default:
        op_triangular_solve(g, op_reshape(g, op_slice(g, w, 1, 0, 2, 1), sl__shape2(2, 2)),
                            op_slice(g, x32, 0, 0, 2, 1), false, false, false);
    }
    CHECK_INTEGER(sl__graph_status(g), k == 0 ? SL_OK : SL_BAD_ARGUMENT);
    sl__graph_free(g);
  }
  sl_context_free(context);
}

TEST(failure_is_sticky_and_named) {
  sl_context *context = context_of(1);
  sl__graph *g;
  REQUIRE(sl__graph_new(context, &g) == SL_OK);
  sl__graph_label(g, "layer 3: coupling(affine)");
  const sl_node x = op_input(g, SL_F32, sl__shape1(3)),
                y = op_parameter(g, SL_F32, sl__shape1(4), 0);
  const sl_node bad = op_add(g, x, y);
  CHECK_INTEGER(bad, 0);
  CHECK_INTEGER(op_exp(g, bad), 0);
  CHECK(sl__graph_status(g) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "layer 3: coupling(affine)") != NULL);
  sl__program *program;
  CHECK(sl__program_new(context, g, 1, &bad, &program) == SL_BAD_ARGUMENT);
  CHECK(program == NULL);
  sl__graph_free(g);
  sl_context_free(context);
}

TEST(non_finite_values_are_traced_to_layer_and_row) {
  sl_context *context = context_of(2);
  sl__graph *g;
  REQUIRE(sl__graph_new(context, &g) == SL_OK);
  const sl_node x = op_input(g, SL_F32, sl__shape1(1));
  sl__graph_label(g, "layer 1: first");
  const sl_node a = op_square(g, x);
  sl__graph_label(g, "layer 2: second");
  const sl_node b = op_log(g, op_shift(g, op_negate(g, a), 4)); /* NaN where |x| > 2 */
  const sl_node loss = op_sum_rows(g, op_sum_all(g, b));
  sl__program *program;
  REQUIRE(sl__program_new(context, g, 1, &loss, &program) == SL_OK);
  sl__graph_free(g);
  sl__workspace *w;
  REQUIRE(sl__workspace_new(context, program, 1000, &w) == SL_OK);
  static float data[1000];
  double out;
  const sl__feed feed = {.data = data, .type = SL_F32};
  const sl__sink sink = {&out, SL_F64, 0, 0};
  const sl__run r = {.rows = 1000, .feeds = &feed, .sinks = &sink};
  REQUIRE(sl__program_run(context, program, w, &r) == SL_OK);
  CHECK(isfinite(out));
  CHECK(sl__program_diagnose(context, program, w, &r) == SL_OK);
  data[617] = 3;
  REQUIRE(sl__program_run(context, program, w, &r) == SL_OK);
  CHECK(!isfinite(out));
  CHECK(sl__program_diagnose(context, program, w, &r) == SL_NUMERIC);
  CHECK(strstr(sl_error(context), "layer 2: second") && strstr(sl_error(context), "row 617"));
  sl__workspace_free(w);
  sl__program_free(program);
  sl_context_free(context);
}

/* ---- memory ---- */

typedef struct meter {
  long calls, fail_at,
      held; /* fail_at: which call fails, 0 none; held: bytes taken and not given back */
} meter;

static void *metered(void *user, void *pointer, size_t old_size, size_t new_size) {
  meter *m = user;
  if (new_size == 0) {
    free(pointer);
    m->held -= (long)old_size;
    return NULL;
  }
  if (++m->calls == m->fail_at) return NULL;
  void *moved = realloc(pointer, new_size);
  if (moved) m->held += (long)new_size - (long)old_size;
  return moved;
}

/* Builds, differentiates, plans and runs a network of every kind of memory; returns the status. */
static sl_status whole_life(sl_context *context, meter *m, long *calls_while_running) {
  sl__graph *g = NULL;
  sl__program *program = NULL;
  sl__workspace *w = NULL;
  sl_status status = sl__graph_new(context, &g);
  if (status == SL_OK) {
    const sl_node x = op_input(g, SL_F32, sl__shape1(FEATURES)),
                  p = op_parameter(g, SL_F32, sl__shape1(PARAMETERS), 0);
    const sl_node y = op_add(g, op_sum_all(g, build_growing(g, SL_F32, x, p)),
                             op_sum_all(g, build_linear_masked(g, SL_F32, x, p)));
    const sl_node loss = op_sum_rows(g, y);
    sl_node dp;
    status = sl__gradient(g, loss, 1, &p, &dp);
    if (status == SL_OK) status = sl__program_new(context, g, 2, (sl_node[]){loss, dp}, &program);
  }
  if (status == SL_OK) status = sl__workspace_new(context, program, 600, &w);
  if (status == SL_OK) {
    static float data[600 * FEATURES], parameters[PARAMETERS], dp[PARAMETERS], loss;
    const long before = m->calls;
    const sl__feed feed = {.data = data, .type = SL_F32};
    const sl__sink sinks[2] = {{&loss, SL_F32, 0, 0}, {dp, SL_F32, 0, 0}};
    status = sl__program_run(
        context, program, w,
        &(sl__run){.rows = 600, .parameters = parameters, .feeds = &feed, .sinks = sinks});
    *calls_while_running = m->calls - before;
  }
  sl__workspace_free(w);
  sl__program_free(program);
  sl__graph_free(g);
  return status;
}

TEST(running_allocates_nothing_and_every_failed_allocation_is_reported) {
  meter m = {0};
  sl_context *context;
  REQUIRE(sl_context_new(&(sl_context_options){.size = sizeof(sl_context_options),
                                               .threads = 2,
                                               .reallocate = metered,
                                               .user = &m},
                         &context) == SL_OK);
  const long base = m.held;
  long running = -1;
  m.calls = 0;
  REQUIRE(whole_life(context, &m, &running) == SL_OK);
  CHECK_INTEGER(running, 0);
  CHECK_INTEGER(m.held, base);
  const long calls = m.calls;
  CHECK(calls > 5);
  for (long n = 1; n <= calls; n++) {
    m.calls = 0;
    m.fail_at = n;
    if (!CHECK(whole_life(context, &m, &running) == SL_NO_MEMORY) || !CHECK_INTEGER(m.held, base))
      printf("  allocation %ld of %ld\n", n, calls);
  }
  m.fail_at = 0;
  sl_context_free(context);
  CHECK_INTEGER(m.held, 0);
}
