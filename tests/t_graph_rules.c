/* What graphs and programs promise beyond their numbers: failures that stick and are named, functions
 * from outside, inputs shared or unused, infinities, masks, workspaces, and where a number that is not
 * finite came from. */
#include "base/text.h"
#include "context.h"
#include "graph/operations.h"
#include "graph/program.h"

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
  const sl_node sum = op_outside(g, x, refusing, NULL, true);
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
  enum { MANY = 700 };
  static double in[MANY], out[MANY];
  for (int i = 0; i < MANY; i++) in[i] = i;
  const sl__feed feed = {.data = in, .type = SL_F64};
  const sl__sink sink = {out, SL_F64, 0, 0};
  for (int k = 0; k < 2; k++) {
    REQUIRE(sl__workspace_new(context, program[k], 1, &work[k]) == SL_OK);
    const sl__run r = {.rows = MANY, .feeds = &feed, .sinks = &sink};
    const sl_status status = sl__program_run(context, program[k], work[k], &r);
    CHECK(status == (k == 0 ? SL_OK : SL_BAD_ARGUMENT));
  }
  for (int i = 0; i < MANY; i++) CHECK_CLOSE(out[i], (double)i * i, 0);
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

/* 1e-35 * (1e20 * 1e-10) is 1e-25, but 1e-35 * 1e-10 is no float. */
TEST(factors_are_moved_only_where_floats_do_not_end) {
  sl_context *context = context_of(1);
  sl__graph *g;
  REQUIRE(sl__graph_new(context, &g) == SL_OK);
  const sl_node x = op_input(g, SL_F32, sl__shape1(1));
  const sl_node shared = op_parameter(g, SL_F32, sl__shape1(1), 0);
  const sl_node y = op_scale(g, op_multiply(g, x, shared), 1e-35);
  CHECK(g->nodes[y].elementwise == SL__EW_scale);
  const sl_node mild = op_scale(g, op_multiply(g, x, shared), 2);
  CHECK(g->nodes[mild].elementwise == SL__EW_multiply);
  sl__graph_free(g);
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
