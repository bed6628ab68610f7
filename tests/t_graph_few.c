/* Runs of few rows, whose steps are kept as lists of calls: against the same formula in plain C, for
 * numbers of rows that change from run to run in one workspace, and to the same bits with two
 * threads. */
#include <math.h>

#include "check.h"
#include "graph/graph.h"

enum { D = 6, E = 3, MOST_ROWS = 200 };

static const double matrix[D * E] = {0.3, -1.2, 0.7, 0.1,  0.9, -0.4, 1.5,  0.2, -0.6,
                                     0.8, 0.05, 1.1, -0.9, 0.4, 0.33, -0.2, 0.6, 1.3};

/* Broadcasts along either axis, strided and transposed views, gathers, products and sums. */
static sl_node build(sl__graph *g, sl_node x) {
  const sl_node a = op_constant(g, SL_F64, sl__shape2(D, E), matrix);
  const sl_node column = op_reshape(g, x, sl__shape2(D, 1));
  const sl_node outer = op_multiply(g, column, a);                        /* [D,E] x[i] a[i][j] */
  const sl_node odd = op_slice(g, x, 0, 1, E, 2);                         /* x[1], x[3], x[5] */
  const sl_node shifted = op_add(g, outer, op_multiply(g, odd, odd));     /* + odd[j]^2 */
  const sl_node square = op_matmul(g, op_transpose(g, shifted), shifted); /* [E,E] */
  const sl_node mixed = op_matmul(g, a, op_transpose(g, op_multiply(g, op_exp(g, odd), a)));
  static const int32_t index[4] = {5, 0, 0, 2};
  const sl_node chosen = op_tanh(g, op_gather(g, x, 0, 4, index));
  const sl_node sums = op_add(g, op_sum_all(g, square), op_sum_all(g, mixed));
  const sl_node first = op_element(g, x, 0, 0), last = op_element(g, x, 0, D - 1);
  const sl_node gated = op_select(g, op_less(g, first, last), first, op_negate(g, last));
  return op_add(g, op_add(g, sums, op_sum_all(g, chosen)), op_multiply(g, gated, gated));
}

static double plain(const double *x) {
  static const int index[4] = {5, 0, 0, 2};
  double shifted[D][E], y = 0;
  for (int i = 0; i < D; i++) {
    for (int j = 0; j < E; j++)
      shifted[i][j] = x[i] * matrix[i * E + j] + x[1 + 2 * j] * x[1 + 2 * j];
  }
  for (int j = 0; j < E; j++) {
    for (int k = 0; k < E; k++) {
      for (int i = 0; i < D; i++) y += shifted[i][j] * shifted[i][k];
    }
  }
  for (int i = 0; i < D; i++) {
    for (int k = 0; k < D; k++) {
      for (int j = 0; j < E; j++) y += matrix[i * E + j] * exp(x[1 + 2 * j]) * matrix[k * E + j];
    }
  }
  for (int i = 0; i < 4; i++) y += tanh(x[index[i]]);
  const double gated = x[0] < x[D - 1] ? x[0] : -x[D - 1];
  return y + gated * gated;
}

typedef struct results {
  double value[MOST_ROWS], gradient[MOST_ROWS][D];
} results;

static void run(sl_context *context, const sl__program *program, sl__workspace *workspace,
                int64_t rows, double (*x)[D], results *out) {
  const sl__feed feed = {.data = x, .type = SL_F64};
  const sl__sink sinks[2] = {{.data = out->value, .type = SL_F64},
                             {.data = out->gradient, .type = SL_F64}};
  const sl__run one = {.rows = rows, .feeds = &feed, .sinks = sinks};
  CHECK_OK(context, sl__program_run(context, program, workspace, &one));
}

static void check_rows(int64_t rows, double (*x)[D], const results *got) {
  for (int64_t r = 0; r < rows; r++) {
    CHECK_CLOSE(got->value[r], plain(x[r]), 1e-12 * fabs(plain(x[r])));
    for (int d = 0; d < D; d++) {
      const double h = 1e-5, kept = x[r][d];
      x[r][d] = kept + h;
      const double above = plain(x[r]);
      x[r][d] = kept - h;
      const double slope = (above - plain(x[r])) / (2 * h);
      x[r][d] = kept;
      CHECK_CLOSE(got->gradient[r][d], slope, 1e-6 * (1 + fabs(slope)));
    }
  }
}

TEST(few_rows_against_plain_c) {
  static const int64_t row_counts[] = {1, 2, 1, 64, 1, 70, 17, 200, 1};
  static double x[MOST_ROWS][D];
  static results got[2];
  sl_context *context[2];
  sl__program *program[2];
  sl__workspace *workspace[2];
  for (int r = 0; r < MOST_ROWS; r++) {
    for (int d = 0; d < D; d++) x[r][d] = sin(1.7 * r + 2.3 * d);
  }
  for (int t = 0; t < 2; t++) {
    const sl_context_options options = {.size = sizeof options, .threads = t + 1};
    sl__graph *g;
    REQUIRE(sl_context_new(&options, &context[t]) == SL_OK);
    REQUIRE_OK(context[t], sl__graph_new(context[t], &g));
    const sl_node in = op_input(g, SL_F64, sl__shape1(D));
    sl_node outputs[2] = {build(g, in), 0};
    REQUIRE_OK(context[t], sl__gradient(g, outputs[0], 1, &in, &outputs[1]));
    REQUIRE_OK(context[t], sl__program_new(context[t], g, 2, outputs, &program[t]));
    REQUIRE_OK(context[t], sl__workspace_new(context[t], program[t], MOST_ROWS, &workspace[t]));
    sl__graph_free(g);
  }
  for (size_t k = 0; k < sizeof row_counts / sizeof *row_counts; k++) {
    const int64_t rows = row_counts[k];
    for (int t = 0; t < 2; t++) run(context[t], program[t], workspace[t], rows, x, &got[t]);
    check_rows(rows, x, &got[0]);
    CHECK(memcmp(got[0].value, got[1].value, (size_t)rows * sizeof(double)) == 0);
    CHECK(memcmp(got[0].gradient, got[1].gradient, (size_t)rows * D * sizeof(double)) == 0);
  }
  for (int t = 0; t < 2; t++) {
    sl__workspace_free(workspace[t]);
    sl__program_free(program[t]);
    sl_context_free(context[t]);
  }
}
