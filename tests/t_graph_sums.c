/* Long elementwise expressions that end in sums, as the densities of many observations are: fused
 * into steps that store nothing of their length, on any number of rows and threads to the same bits,
 * against plain loops in C; and programs on a single row, which has no lanes beside it. */
#include <stdint.h>

#include "base/text.h"
#include "check.h"
#include "graph/node.h"
#include "graph/program.h"

enum { LONG = 3000, GROUPS = 7, INPUTS = 3 + GROUPS, MAX_ROWS = 300 };

static double data_x[LONG], data_y[LONG];
static int32_t group_of[LONG];

static void make_data(void) {
  for (int i = 0; i < LONG; i++) {
    data_x[i] = sin(0.37 * i);
    data_y[i] = 1 + 2 * data_x[i] + cos(1.1 * i * i);
    group_of[i] = i * 5 % GROUPS;
  }
}

static double input_at(int64_t row, int k) {
  return 0.3 * sin(1.7 * (double)row + k) + (k == 0 ? 2 : 0);
}

/* y ~ normal(alpha[group] + beta * x, sigma); q is beta, log sigma, tau, alpha. */
static sl_node density(sl__graph *g, sl_node q, bool with_groups) {
  const sl_node beta = op_element(g, q, 0, 0), sigma = op_exp(g, op_element(g, q, 0, 1));
  const sl_node alpha = op_slice(g, q, 0, 3, GROUPS, 1);
  const sl_node x = op_constant(g, SL_F64, sl__shape1(LONG), data_x);
  const sl_node y = op_constant(g, SL_F64, sl__shape1(LONG), data_y);
  const sl_node start =
      with_groups ? op_gather(g, alpha, 0, LONG, group_of) : op_element(g, alpha, 0, 0);
  const sl_node mean = op_add(g, start, op_multiply(g, beta, x));
  const sl_node z = op_divide(g, op_subtract(g, y, mean), sigma);
  const sl_node squares = op_scale(g, op_sum_all(g, op_square(g, z)), -0.5);
  return op_subtract(g, squares, op_scale(g, op_log(g, sigma), LONG));
}

/* The same by hand: the density, then its gradient. */
static void density_by_hand(int64_t row, bool with_groups, double out[1 + INPUTS]) {
  const double beta = input_at(row, 0), sigma = exp(input_at(row, 1));
  memset(out, 0, (1 + INPUTS) * sizeof *out);
  for (int i = 0; i < LONG; i++) {
    const int group = with_groups ? group_of[i] : 0;
    const double z = (data_y[i] - input_at(row, 3 + group) - beta * data_x[i]) / sigma;
    out[0] += -0.5 * z * z - log(sigma);
    out[1] += z / sigma * data_x[i];
    out[2] += z * z - 1;
    out[4 + group] += z / sigma;
  }
}

typedef struct rig {
  sl_context *context;
  sl__graph *g;
  sl__program *program;
  sl_node q, output[8];
  int outputs;
} rig;

static bool open_rig(rig *r, int threads) {
  const sl_context_options options = {.size = sizeof options, .threads = threads};
  *r = (rig){0};
  make_data();
  if (!CHECK(sl_context_new(&options, &r->context) == SL_OK)) return false;
  if (!CHECK(sl__graph_new(r->context, &r->g) == SL_OK)) return false;
  r->q = op_input(r->g, SL_F64, sl__shape1(INPUTS));
  return true;
}

static bool plan_rig(rig *r) {
  return CHECK_OK(r->context,
                  sl__program_new(r->context, r->g, r->outputs, r->output, &r->program));
}

static void close_rig(rig *r) {
  sl__program_free(r->program);
  sl__graph_free(r->g);
  sl_context_free(r->context);
}

/* Outputs one after another in memory that the caller frees. */
static double *run_rig(const rig *r, int64_t rows) {
  static double q[MAX_ROWS * INPUTS];
  int64_t count = 0, begin[8];
  for (int64_t i = 0; i < rows * INPUTS; i++) q[i] = input_at(i / INPUTS, (int)(i % INPUTS));
  for (int k = 0; k < r->outputs; k++) {
    begin[k] = count;
    count += rows * sl__shape_count(sl__node_shape(r->g, r->output[k]));
  }
  double *out = calloc((size_t)count + 1, sizeof *out);
  sl__sink sinks[8];
  for (int k = 0; k < r->outputs; k++)
    sinks[k] = (sl__sink){.data = out + begin[k], .type = SL_F64};
  const sl__feed feed = {.data = q, .type = SL_F64};
  const sl__run run = {.rows = rows, .feeds = &feed, .sinks = sinks};
  sl__workspace *w;
  if (!CHECK_OK(r->context, sl__workspace_new(r->context, r->program, rows, &w))) return out;
  CHECK_OK(r->context, sl__program_run(r->context, r->program, w, &run));
  sl__workspace_free(w);
  return out;
}

static const int64_t row_counts[6] = {1, 2, 17, 64, 150, 300};

TEST(densities_and_gradients_are_those_of_a_loop) {
  for (int with_groups = 0; with_groups < 2; with_groups++) {
    rig r;
    REQUIRE(open_rig(&r, 1));
    r.output[0] = density(r.g, r.q, with_groups);
    r.outputs = 2;
    REQUIRE_OK(r.context, sl__gradient(r.g, r.output[0], 1, &r.q, &r.output[1]));
    REQUIRE(plan_rig(&r));
    CHECK(r.program->block_units < 200); /* nothing as long as the data, forward or backward */
    for (int k = 0; k < 6; k++) {
      double *got = run_rig(&r, row_counts[k]), wanted[1 + INPUTS];
      for (int64_t row = 0; row < row_counts[k]; row++) {
        density_by_hand(row, with_groups, wanted);
        CHECK_CLOSE(got[row], wanted[0], 1e-12);
        for (int i = 0; i < INPUTS; i++)
          CHECK_CLOSE(got[row_counts[k] + row * INPUTS + i], wanted[1 + i], 1e-10);
      }
      free(got);
    }
    close_rig(&r);
  }
}

/* Standardised by what is computed from all of it: three phases, and what one needs of the last. */
static sl_node standardised(sl__graph *g, sl_node v) {
  const sl_node off = op_subtract(g, v, op_scale(g, op_sum_all(g, v), 1.0 / LONG));
  const sl_node spread = op_sqrt(g, op_scale(g, op_sum_all(g, op_square(g, off)), 1.0 / LONG));
  return op_divide(g, off, spread);
}

TEST(bits_depend_neither_on_threads_nor_on_fusion) {
  double *first[6] = {NULL};
  for (int t = 0; t < 4; t++) { /* the last: every value an output, so that nothing is fused */
    static const int threads[4] = {1, 2, 8, 1};
    rig r;
    REQUIRE(open_rig(&r, threads[t]));
    const sl_node x = op_constant(r.g, SL_F64, sl__shape1(LONG), data_x);
    const sl_node a = op_gather(r.g, op_sin(r.g, r.q), 0, LONG, group_of);
    const sl_node b = op_tanh(r.g, op_multiply(r.g, a, op_add(r.g, x, op_element(r.g, r.q, 0, 8))));
    const sl_node c = standardised(r.g, b);
    const sl_node d = op_sum_all(r.g, op_exp(r.g, op_multiply(r.g, c, op_sin(r.g, b))));
    r.output[0] = op_log(r.g, d);
    r.output[2] = op_slice(r.g, c, 0, 100, 5, 3);
    r.outputs = 3;
    REQUIRE_OK(r.context, sl__gradient(r.g, r.output[0], 1, &r.q, &r.output[1]));
    if (t == 3) {
      r.output[r.outputs++] = b;
      r.output[r.outputs++] = c;
      r.output[r.outputs++] = a;
    }
    REQUIRE(plan_rig(&r));
    for (int k = 0; k < 6; k++) {
      double *got = run_rig(&r, row_counts[k]);
      if (!first[k]) {
        first[k] = got;
        continue;
      }
      const size_t numbers = (size_t)row_counts[k] * (1 + INPUTS + 5);
      CHECK(memcmp(first[k], got, numbers * sizeof *got) == 0);
      free(got);
    }
    close_rig(&r);
  }
  for (int k = 0; k < 6; k++) free(first[k]);
}

/* More operands that differ from row to row than a step has strips for. */
TEST(too_many_strips_are_done_without) {
  rig r;
  REQUIRE(open_rig(&r, 1));
  const sl_node x = op_constant(r.g, SL_F64, sl__shape1(LONG), data_x);
  sl_node v = x;
  for (int i = 0; i < 2 * SL__MAX_STRIPS; i++) {
    const sl_node factor = op_sin(r.g, op_shift(r.g, op_element(r.g, r.q, 0, i % INPUTS), i));
    v = op_sin(r.g, op_add(r.g, v, factor));
  }
  r.output[r.outputs++] = op_sum_all(r.g, v);
  REQUIRE(plan_rig(&r));
  double *got = run_rig(&r, 3);
  for (int64_t row = 0; row < 3; row++) {
    double sum = 0;
    for (int n = 0; n < LONG; n++) {
      double value = data_x[n];
      for (int i = 0; i < 2 * SL__MAX_STRIPS; i++)
        value = sin(value + sin(input_at(row, i % INPUTS) + i));
      sum += value;
    }
    CHECK_CLOSE(got[row], sum, 1e-11);
  }
  free(got);
  close_rig(&r);
}

TEST(failures_are_named) {
  rig r;
  REQUIRE(open_rig(&r, 1));
  sl__graph_label(r.g, "the likelihood");
  const sl_node x = op_constant(r.g, SL_F64, sl__shape1(LONG), data_x);
  const sl_node bad = op_log(r.g, op_subtract(r.g, x, op_element(r.g, r.q, 0, 0)));
  r.output[r.outputs++] = op_sum_all(r.g, op_square(r.g, bad));
  REQUIRE(plan_rig(&r));
  double q[2 * INPUTS] = {-5}, out[2];
  q[INPUTS] = 5; /* row 1 takes logarithms of negative numbers */
  const sl__feed feed = {.data = q, .type = SL_F64};
  sl__sink sink = {.data = out, .type = SL_F64};
  const sl__run run = {.rows = 2, .feeds = &feed, .sinks = &sink};
  sl__workspace *w;
  REQUIRE_OK(r.context, sl__workspace_new(r.context, r.program, 2, &w));
  CHECK_INTEGER(sl__program_diagnose(r.context, r.program, w, &run), SL_NUMERIC);
  CHECK(strstr(sl_error(r.context), "the likelihood: sum") != NULL);
  CHECK(strstr(sl_error(r.context), "row 1") != NULL);
  sl__workspace_free(w);
  close_rig(&r);
}

/* Products, factorisations, reductions and indexing on one row against the same row among others. */
TEST(a_single_row_is_like_one_of_many) {
  enum { SIZE = 5, TALL = 40 };
  rig r;
  REQUIRE(open_rig(&r, 2));
  sl__graph *g = r.g;
  double numbers[TALL * INPUTS];
  for (int i = 0; i < TALL * INPUTS; i++) numbers[i] = cos(0.9 * i);
  const sl_node matrix = op_constant(g, SL_F64, sl__shape2(TALL, INPUTS), numbers);
  const sl_node across = op_transpose(g, op_constant(g, SL_F64, sl__shape2(INPUTS, TALL), numbers));
  const sl_node mean = op_add(g, op_matmul(g, matrix, r.q), op_matmul(g, across, r.q));
  const sl_node outer = op_matmul(g, op_reshape(g, r.q, sl__shape2(INPUTS, 1)),
                                  op_reshape(g, r.q, sl__shape2(1, INPUTS)));
  const sl_node few = op_slice(g, op_slice(g, outer, 0, 0, SIZE, 1), 1, 0, SIZE, 1);
  double eye[SIZE * SIZE] = {0};
  for (int i = 0; i < SIZE; i++) eye[i * SIZE + i] = 3;
  const sl_node l =
      op_cholesky(g, op_add(g, few, op_constant(g, SL_F64, sl__shape2(SIZE, SIZE), eye)));
  const sl_node solved =
      op_triangular_solve(g, l, op_slice(g, r.q, 0, 2, SIZE, 1), false, false, false);
  const sl_node noise = op_random_normal(g, SL_F64, sl__shape1(3), 2);
  const sl_node index = op_floor(g, op_scale(g, op_absolute(g, op_element(g, r.q, 0, 4)), 9));
  sl_node loss = op_log_sum_exp(g, op_sin(g, mean), 0);
  loss = op_add(g, loss, op_sum_all(g, op_cumulative_sum(g, op_square(g, solved), 0, false)));
  loss = op_add(g, loss, op_sum(g, op_log(g, op_diagonal(g, l)), 0));
  loss = op_add(g, loss, op_take(g, op_sin(g, r.q), index, 0));
  loss = op_add(g, loss, op_sum_all(g, op_multiply(g, noise, op_slice(g, r.q, 0, 0, 3, 1))));
  r.output[0] = loss;
  r.outputs = 2;
  REQUIRE_OK(r.context, sl__gradient(g, loss, 1, &r.q, &r.output[1]));
  REQUIRE(plan_rig(&r));
  CHECK(r.program->can_be_narrow);
  double *one = run_rig(&r, 1), *many = run_rig(&r, 64);
  CHECK_CLOSE(one[0], many[0], 1e-13);
  for (int i = 0; i < INPUTS; i++) CHECK_CLOSE(one[1 + i], many[64 + i], 1e-12);
  free(one);
  free(many);
  close_rig(&r);
}

static sl_node cubic(void *user, sl__graph *g, sl_node x) {
  (void)user;
  return op_add(g, x, op_multiply(g, x, op_square(g, x)));
}

TEST(what_needs_lanes_keeps_them) {
  rig r;
  REQUIRE(open_rig(&r, 1));
  const sl_node low = op_number(r.g, SL_F64, -9), high = op_number(r.g, SL_F64, 9);
  r.output[r.outputs++] = op_root(r.g, r.q, low, high, cubic, NULL);
  REQUIRE(plan_rig(&r));
  CHECK(!r.program->can_be_narrow);
  double *got = run_rig(&r, 1);
  for (int i = 0; i < INPUTS; i++)
    CHECK_CLOSE(got[i] + got[i] * got[i] * got[i], input_at(0, i), 1e-14);
  free(got);
  close_rig(&r);
}
