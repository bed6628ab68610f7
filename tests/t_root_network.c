/* Many roots one after another: a monotone network is inverted feature by feature, as an
 * autoregressive flow does it. */
#include "context.h"
#include "graph/graph.h"
#include "kernel_numbers.h"

/* A monotone network feature by feature, as an autoregressive flow inverts it: x_d given y_d and
 * the features before it. */
enum { WIDE = 64, UNITS = 16 };

typedef struct network {
  sl_node slopes, biases, weights; /* [WIDE, UNITS] parameters, the last a softmax */
  sl_node before;                  /* the x so far, [index] */
  int index;
} network;

static sl_node units_of(const network *n, sl__graph *g, sl_node parameters) {
  return op_slice(g, parameters, 0, n->index, 1, 1);
}

/* Log-odds of sum over k of w_k sigmoid(a_k x + b_k + the last feature / 2). */
static sl_node network_graph(void *user, sl__graph *g, sl_node x) {
  const network *n = user;
  const sl_node column = op_reshape(g, x, sl__shape2(1, 1));
  sl_node u = op_multiply_add(g, units_of(n, g, n->slopes), column, units_of(n, g, n->biases));
  if (n->before) {
    const sl_node last = op_slice(g, n->before, 0, n->index - 1, 1, 1);
    u = op_add(g, u, op_scale(g, op_reshape(g, last, sl__shape2(1, 1)), 0.5));
  }
  const sl_node w = op_log(g, units_of(n, g, n->weights));
  const sl_node up = op_subtract(g, w, op_softplus(g, op_negate(g, u)));
  const sl_node down = op_subtract(g, w, op_softplus(g, u));
  return op_subtract(g, op_log_sum_exp(g, up, 1), op_log_sum_exp(g, down, 1));
}

static network network_in(sl__graph *g, sl_dtype type) {
  const sl_shape shape = sl__shape2(WIDE, UNITS);
  const int64_t count = WIDE * UNITS;
  return (network){
      .slopes = op_softplus(g, op_parameter(g, type, shape, 0)),
      .biases = op_scale(g, op_parameter(g, type, shape, count), 3),
      .weights = op_softmax(g, op_parameter(g, type, shape, 2 * count), 1),
  };
}

/* y of x by one program, x of y by another, which holds WIDE roots. */
static void check_round_trip(sl_dtype type, double tolerance) {
  enum { N = 300 };
  static double x[N * WIDE], y[N * WIDE], back[N * WIDE], parameters[3 * WIDE * UNITS];
  static float parameters32[3 * WIDE * UNITS];
  for (int i = 0; i < 3 * WIDE * UNITS; i++) parameters[i] = uniform(-2, 2);
  for (int i = 0; i < 3 * WIDE * UNITS; i++) parameters32[i] = (float)parameters[i];
  for (int i = 0; i < N * WIDE; i++) x[i] = uniform(-3, 3) * (i % 40 == 0 ? 10 : 1);
  sl_context *context = context_of(2);
  for (int direction = 0; direction < 2; direction++) {
    sl__graph *g;
    REQUIRE(sl__graph_new(context, &g) == SL_OK);
    const sl_node input = op_input(g, type, sl__shape1(WIDE));
    network n = network_in(g, type);
    sl_node out = 0;
    for (; n.index < WIDE; n.index++) {
      const sl_node one = op_slice(g, input, 0, n.index, 1, 1);
      const sl_node low = op_number(g, type, -1000), high = op_number(g, type, 1000);
      if (direction) n.before = out;
      const sl_node made =
          direction ? op_root(g, one, low, high, network_graph, &n) : network_graph(&n, g, one);
      if (!direction) n.before = n.index + 1 < WIDE ? input : 0;
      out = out ? op_concatenate(g, 2, (sl_node[]){out, made}, 0) : made;
    }
    sl__program *program;
    REQUIRE_OK(context, sl__program_new(context, g, 1, &out, &program));
    sl__graph_free(g);
    sl__workspace *w;
    REQUIRE_OK(context, sl__workspace_new(context, program, N, &w));
    const sl__feed feed = {.data = direction ? y : x, .type = SL_F64};
    const sl__sink sink = {direction ? back : y, SL_F64, 0, 0};
    const sl__run run = {.rows = N,
                         .parameters = type == SL_F64 ? (void *)parameters : parameters32,
                         .feeds = &feed,
                         .sinks = &sink};
    CHECK_OK(context, sl__program_run(context, program, w, &run));
    sl__workspace_free(w);
    sl__program_free(program);
  }
  sl_context_free(context);
  double worst = 0;
  for (int i = 0; i < N * WIDE; i++) {
    const double off = fabs(back[i] - x[i]) / (1 + fabs(x[i]));
    if (!(off <= worst)) worst = off;
  }
  if (!CHECK(worst <= tolerance))
    printf("  %s: off by %g\n", type == SL_F32 ? "f32" : "f64", worst);
}

TEST(many_roots_one_after_another) {
  check_round_trip(SL_F64, 1e-12);
  check_round_trip(SL_F32, 1e-3);
}
