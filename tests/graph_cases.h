/* Cases that between them use every operation of the list: expressions of x, batched, and p, shared,
 * and how one is run with its gradients. */
#ifndef SL_TESTS_GRAPH_CASES_H
#define SL_TESTS_GRAPH_CASES_H
#include "context.h"
#include "graph/operations.h"
#include "graph/program.h"
#include "graph_cases_algebra.h"

static bool seen_operation[SL__OP_COUNT], seen_elementwise[SL__EW_COUNT];

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
    C(sum_log),
    C(sum_of_products),
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
    C(linear_plus),
    C(reshape_view),
    C(scaled_product),
    C(scattered),
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

static inline void note_operations(const sl__graph *g) {
  for (uint32_t i = 1; i < g->count; i++) {
    seen_operation[g->nodes[i].operation] = true;
    if (g->nodes[i].operation == SL__OP_ELEMENTWISE)
      seen_elementwise[g->nodes[i].elementwise] = true;
  }
}

static inline bool make(sl_context *context, const build_case *c, sl_dtype t, bench_program *out) {
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

static inline void fill(double *x, double *p, int64_t rows) {
  for (int64_t i = 0; i < rows * FEATURES; i++) x[i] = 0.9 * sin(0.7 + 1.7 * (double)i) + 0.05;
  for (int i = 0; i < PARAMETERS; i++) p[i] = 0.8 * cos(0.3 + 2.1 * i);
}

static inline bool run(sl_context *context, const bench_program *b, sl_dtype t, int64_t rows,
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
#endif
