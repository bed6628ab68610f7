/* Constants of a graph: folded as they are made, computed on demand, made once however large; and
 * how fast nodes are made. */
#include <time.h>

#include "check.h"
#include "graph/node.h"

static sl_context *context;
static sl__graph *g;

static bool open_graph(void) {
  if (!context && !CHECK(sl_context_new(NULL, &context) == SL_OK)) return false;
  return CHECK(sl__graph_new(context, &g) == SL_OK);
}

static bool is_constant(sl_node node) {
  return node && g->nodes[node].operation == SL__OP_CONSTANT;
}

static double number_of(sl_node node) {
  double number = NAN;
  CHECK_OK(context, sl__graph_numbers(g, node, &number));
  return number;
}

TEST(scalars_fold) {
  REQUIRE(open_graph());
  const sl_node a = op_number(g, SL_F64, 0.75), b = op_number(g, SL_F64, -2.5);
  const sl_node y = op_multiply_add(g, op_exp(g, a), b, op_power(g, a, op_shift(g, b, 4)));
  CHECK(is_constant(y));
  CHECK_CLOSE(number_of(y), exp(0.75) * -2.5 + pow(0.75, 1.5), 1e-14);
  CHECK_CLOSE(number_of(op_lgamma(g, op_number(g, SL_F64, 7))), log(720), 1e-14);
  CHECK(isnan(number_of(op_log(g, b))));
  CHECK_INTEGER(op_add(g, a, a), op_number(g, SL_F64, 1.5)); /* one node, however it was made */
  const sl_node narrow = op_divide(g, op_number(g, SL_F32, 1), op_number(g, SL_F32, 3));
  CHECK(number_of(narrow) == (double)(1.0f / 3.0f));
  sl__graph_free(g);
}

TEST(every_elementwise_operation_folds_to_what_would_run) {
  REQUIRE(open_graph());
  const double values[3][5] = {
      {0.3, 1.5, 2, 0.01, 0.9}, {0.2, 0.6, 3, 1.25, 4}, {-1, 0.25, 0, 5, -3}};
  sl_node view[3], batched[3], output[2 * SL__EW_COUNT];
  for (int k = 0; k < 3; k++) {
    view[k] = op_constant(g, SL_F64, sl__shape1(5), values[k]);
    batched[k] = op_rows(g, view[k]); /* no constant any more */
  }
  for (int e = 0; e < SL__EW_COUNT; e++) {
    output[2 * e] = sl__op_elementwise(g, e, view[0], view[1], view[2], 0.5);
    output[2 * e + 1] = sl__op_elementwise(g, e, batched[0], batched[1], batched[2], 0.5);
    CHECK(is_constant(output[2 * e]));
  }
  sl__program *program;
  sl__workspace *workspace;
  REQUIRE_OK(context, sl__program_new(context, g, 2 * SL__EW_COUNT, output, &program));
  REQUIRE_OK(context, sl__workspace_new(context, program, 1, &workspace));
  static double got[2 * SL__EW_COUNT][5];
  sl__sink sinks[2 * SL__EW_COUNT];
  for (int i = 0; i < 2 * SL__EW_COUNT; i++) sinks[i] = (sl__sink){got[i], SL_F64, 0, 0};
  const sl__run run = {.rows = 1, .sinks = sinks};
  REQUIRE_OK(context, sl__program_run(context, program, workspace, &run));
  for (int e = 0; e < SL__EW_COUNT; e++) {
    double folded[5];
    REQUIRE_OK(context, sl__graph_numbers(g, output[2 * e], folded));
    CHECK(memcmp(folded, got[2 * e], sizeof folded) == 0);
    CHECK(memcmp(folded, got[2 * e + 1], sizeof folded) == 0);
  }
  sl__workspace_free(workspace);
  sl__program_free(program);
  sl__graph_free(g);
}

TEST(views_broadcast_and_fold) {
  REQUIRE(open_graph());
  double values[200];
  for (int i = 0; i < 200; i++) values[i] = i;
  const sl_node data = op_constant(g, SL_F64, sl__shape2(20, 10), values);
  const sl_node element = op_element(g, op_element(g, data, 0, 7), 0, 3);
  CHECK(number_of(element) == 73);
  CHECK(is_constant(op_shift(g, element, 1)));
  const sl_node column = op_slice(g, op_transpose(g, data), 0, 4, 1, 1); /* [1,20] */
  const sl_node few = op_slice(g, column, 1, 2, 3, 5);                   /* rows 2, 7, 12 */
  const sl_node two = op_constant(g, SL_F64, sl__shape2(2, 1), (double[2]){100, 200});
  const sl_node sum = op_add(g, few, two);
  double got[6];
  const double expected[6] = {124, 174, 224, 224, 274, 324};
  CHECK(is_constant(sum));
  REQUIRE_OK(context, sl__graph_numbers(g, sum, got));
  CHECK(memcmp(got, expected, sizeof got) == 0);
  CHECK(!is_constant(op_negate(g, data))); /* large ones wait */
  sl__graph_free(g);
}

TEST(larger_expressions_are_computed_on_demand) {
  REQUIRE(open_graph());
  double values[900];
  for (int i = 0; i < 900; i++) values[i] = (i % 31 == 0 ? 40.0 : 0) + 1.0 / (1 + i % 7 + i / 30);
  const sl_node a = op_constant(g, SL_F64, sl__shape2(30, 30), values);
  const sl_node symmetric = op_matmul(g, a, op_transpose(g, a));
  const sl_node l = op_cholesky(g, symmetric);
  const sl_node parts[2] = {op_sum(g, op_square(g, l), 1), op_negate(g, op_diagonal(g, symmetric))};
  const sl_node difference =
      op_sum(g, op_reshape(g, op_concatenate(g, 2, parts, 0), sl__shape2(2, 30)), 0); /* zeros */
  const uint32_t before = g->count;
  double got[30];
  REQUIRE_OK(context, sl__graph_numbers(g, difference, got));
  for (int i = 0; i < 30; i++) CHECK_CLOSE(got[i] / 1600, 0, 1e-13);
  CHECK_INTEGER(g->count, before);
  double transposed[900];
  REQUIRE_OK(context, sl__graph_numbers(g, op_transpose(g, op_exp(g, a)), transposed));
  CHECK_CLOSE(transposed[30 * 3 + 8], exp(values[30 * 8 + 3]), 1e-14);
  sl__graph_free(g);
}

static sl_node cube(void *user, sl__graph *graph, sl_node x) {
  (void)user;
  return op_add(graph, op_multiply(graph, x, op_square(graph, x)), x);
}

TEST(roots_are_computed_too) {
  REQUIRE(open_graph());
  const sl_node y = op_number(g, SL_F64, 10);
  const sl_node x = op_root(g, y, op_number(g, SL_F64, 0), op_number(g, SL_F64, 5), cube, NULL);
  CHECK_CLOSE(number_of(op_scale(g, x, 3)), 6, 1e-14);
  sl__graph_free(g);
}

TEST(what_is_not_known_is_refused) {
  REQUIRE(open_graph());
  double number;
  const sl_node unknown[4] = {op_parameter(g, SL_F64, sl__scalar_shape(), 0),
                              op_shared_input(g, SL_F64, sl__scalar_shape()),
                              op_input(g, SL_F64, sl__scalar_shape()),
                              op_random_normal(g, SL_F64, sl__scalar_shape(), 1)};
  for (int i = 0; i < 4; i++) {
    const sl_node y = op_multiply(g, unknown[i], op_number(g, SL_F64, 0));
    CHECK(!is_constant(y));
    CHECK_INTEGER(sl__graph_numbers(g, y, &number), SL_BAD_ARGUMENT);
    CHECK(strstr(sl_error(context), "known only when it is run") != NULL);
  }
  CHECK_INTEGER(sl__graph_numbers(g, 0, &number), SL_BAD_ARGUMENT);
  CHECK_INTEGER(sl__graph_status(g), SL_OK); /* the graph itself is as good as before */
  CHECK(number_of(op_number(g, SL_F64, 4)) == 4);
  sl__graph_free(g);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* A million additions that are all different; told, and held only to a bound far off. */
TEST(nodes_are_made_fast) {
  REQUIRE(open_graph());
  enum { COUNT = 1000000 };
  sl_node sum = op_input(g, SL_F64, sl__scalar_shape());
  const sl_node x = op_input(g, SL_F64, sl__scalar_shape());
  double start = seconds();
  for (int i = 0; i < COUNT; i++) sum = op_add(g, sum, x);
  double time = seconds() - start;
  CHECK(sum != 0);
  CHECK_INTEGER(g->count, COUNT + 3);
  printf("  %.1f million nodes a second\n", COUNT / time * 1e-6);
  CHECK(time < 20);
  sl_node known = op_number(g, SL_F64, 0);
  const sl_node third = op_number(g, SL_F64, 1.0 / 3);
  start = seconds();
  for (int i = 0; i < COUNT / 4; i++) known = op_add(g, known, third);
  time = seconds() - start;
  printf("  %.1f million folded a second\n", COUNT / 4 / time * 1e-6);
  CHECK(is_constant(known));
  CHECK_CLOSE(number_of(known), COUNT / 12.0, 1e-9);
  sl__graph_free(g);
}

TEST(equal_large_constants_are_kept_once) {
  REQUIRE(open_graph());
  enum { SIZE = 100000, TIMES = 200 };
  double *values = calloc(SIZE, sizeof *values);
  REQUIRE(values != NULL);
  const sl_node first = op_constant(g, SL_F64, sl__shape1(SIZE), values);
  const size_t taken = g->arena.total;
  const double start = seconds();
  for (int i = 0; i < TIMES; i++)
    CHECK_INTEGER(op_constant(g, SL_F64, sl__shape1(SIZE), values), first);
  CHECK_INTEGER(g->arena.total, taken);
  for (int i = 0; i < TIMES; i++) { /* they differ in one number only */
    values[SIZE - 1 - i] = 1;
    CHECK(op_constant(g, SL_F64, sl__shape1(SIZE), values) != first);
  }
  CHECK(g->arena.total < taken + (size_t)(TIMES + 2) * SIZE * sizeof *values * 2);
  CHECK(seconds() - start < 20);
  free(values);
  sl__graph_free(g);
}
