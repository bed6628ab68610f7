/* Cases for t_graph: layers, products, factorisations, roots, functions from outside, equations. */
#ifndef SL_TESTS_GRAPH_CASES_ALGEBRA_H
#define SL_TESTS_GRAPH_CASES_ALGEBRA_H
#include "graph_cases_basic.h"

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
/* Of few inputs and outputs: what is added is made with the product, and with its transpose. */
CASE(linear_plus) {
  UNUSED;
  const sl_node h = op_tanh(g, op_slice(g, x, 0, 1, 3, 2));
  const sl_node y = op_linear(g, part(g, p, 0, sl__shape2(2, 3)), 0, h, NULL);
  const sl_node sum = op_add(g, op_slice(g, x, 0, 0, 2, 3), y);
  return op_add(g, op_linear(g, part(g, p, 6, sl__shape2(3, 2)), 0, op_square(g, sum), NULL), h);
}
/* Axes of size 1 of what does not lie side by side. */
CASE(reshape_view) {
  UNUSED;
  const sl_node turned = op_transpose(g, op_reshape(g, x, sl__shape2(2, 3)));
  const sl_node wide = op_multiply(g, op_reshape(g, turned, sl__shape3(3, 1, 2)),
                                   part(g, p, 0, sl__shape3(3, 2, 1)));
  const sl_node column = op_broadcast(g, part(g, p, 6, sl__shape2(3, 1)), sl__shape2(3, 2));
  const sl_node same = op_reshape(g, op_reshape(g, column, sl__shape3(3, 2, 1)), sl__shape2(3, 2));
  return op_multiply(g, op_reshape(g, op_sum(g, wide, 2), sl__shape2(3, 2)), op_sin(g, same));
}
CASE(scaled_product) {
  UNUSED;
  const sl_node a = part(g, p, 0, sl__shape1(6));
  return op_scale(g, op_multiply(g, op_scale(g, op_multiply(g, x, a), 3), op_sin(g, x)), -0.5);
}
/* A shared vector of every third number, read twice. */
CASE(scattered) {
  UNUSED;
  const sl_node third = op_slice(g, part(g, p, 0, sl__shape1(18)), 0, 1, 6, 3);
  return op_multiply(g, op_multiply(g, op_sin(g, third), op_square(g, third)), x);
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
static inline sl_node spread_out(sl__graph *g, sl_dtype t, sl_node a,
                                 int n) { /* far from singular */
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
static inline sl_node planar(void *user, sl__graph *g, sl_node x) {
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
static inline sl_node of_sigmoids(void *user, sl__graph *g, sl_node x) {
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
static inline sl_status sines(void *user, int64_t rows, const double *x, double *value,
                              double *gradient) {
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
static inline bool pendulum(void *user, sl__graph *g, sl_node time, const sl_node *y,
                            const sl_node *p, sl_node *slope) {
  (void)user;
  const sl_node friction = op_multiply(g, op_element(g, p[0], 0, 0), y[1]);
  const sl_node pull = op_multiply(g, op_element(g, p[0], 0, 1), op_sin(g, y[0]));
  slope[0] = y[1];
  slope[1] = op_subtract(g, op_cos(g, time), op_add(g, friction, pull));
  return true;
}
static inline sl_node swing(sl__graph *g, sl_dtype t, sl_node x, sl_node p, sl__ode_method method) {
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
#endif
