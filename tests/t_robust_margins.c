/* Splines that start as margins: normal scores of draws with two modes are normal. */
#include <math.h>
#include "flow/model.h"
#include "infer/robust/attempt.h"
#include "vi_fixture.h"

enum { ROWS = 20000, DIM = 2 };

/* One coordinate with two modes of unequal mass, one skewed: an exact mixture, and a log normal. */
static double draw_mixture(double u, double z) {
  return u < 0.2 ? -3 + 0.3 * z : 2 + 0.4 * z;
}

static double distribution_of_mixture(double x) {
  return 0.2 * 0.5 * erfc(-(x + 3) / 0.3 / sqrt(2.0)) +
         0.8 * 0.5 * erfc(-(x - 2) / 0.4 / sqrt(2.0));
}

static void measure(const double *x, double *mean, double *sd) {
  for (int i = 0; i < DIM; i++) {
    double sum = 0, squares = 0;
    for (int r = 0; r < ROWS; r++) sum += x[r * DIM + i];
    mean[i] = sum / ROWS;
    for (int r = 0; r < ROWS; r++) squares += pow(x[r * DIM + i] - mean[i], 2);
    sd[i] = sqrt(squares / ROWS);
  }
}

TEST(scores_of_the_margins_are_those_of_the_distribution) {
  sl_context *context = vi_context(1);
  const sl__random_key key = {3, 4, 5};
  double *x = calloc((size_t)ROWS * DIM, sizeof *x), mean[DIM], sd[DIM];
  for (int r = 0; r < ROWS; r++) {
    x[r * DIM] = draw_mixture(sl__random_uniform(key, (uint64_t)r, 0),
                              sl__random_normal(key, (uint64_t)r, 2));
    x[r * DIM + 1] = exp(0.3 * sl__random_normal(key, (uint64_t)r, 4));
  }
  measure(x, mean, sd);
  sl__exploration e = {.dim = DIM, .buffer = {ROWS, x}, .mean = mean, .sd = sd};
  sl__robust_options options;
  sl__robust_defaults(&options);
  sl__robust_report report = {0};
  sl__robust run = {.context = context,
                    .options = &options,
                    .exploration = &e,
                    .report = &report,
                    .type = SL_F64};
  const sl__plan_of_attempt plan = {.layers = "triangular-" SL__MARGINS};
  sl__model *model = NULL;
  CHECK_OK(context, sl__robust_start(&run, &plan, NULL, &model));
  sl__graph *g;
  CHECK_OK(context, sl__graph_new(context, &g));
  const sl_node input = op_input(g, SL_F64, sl__shape1(DIM));
  const sl_node z = op_rows(g, sl__model_to_base(model, g, input, 0).value);
  sl__program *program;
  sl__workspace *workspace;
  CHECK_OK(context, sl__program_new(context, g, 1, &z, &program));
  CHECK_OK(context, sl__workspace_new(context, program, 16, &workspace));
  static const double at[][DIM] = {{-3.3, 0.7}, {-3, 0.9}, {-2.6, 1},
                                   {1.5, 1.2},  {2, 1.5},  {2.6, 2}};
  double score[6][DIM];
  const sl__feed feed = {.data = at, .type = SL_F64};
  const sl__sink sink = {.data = score, .type = SL_F64};
  const sl__run go = {.rows = 6, .parameters = model->vector, .feeds = &feed, .sinks = &sink};
  CHECK_OK(context, sl__program_run(context, program, workspace, &go));
  for (int k = 0; k < 6; k++) {
    CHECK_CLOSE(0.5 * erfc(-score[k][0] / sqrt(2.0)), distribution_of_mixture(at[k][0]), 0.015);
    CHECK_CLOSE(score[k][1], log(at[k][1]) / 0.3, 0.06);
  }
  sl__workspace_free(workspace);
  sl__program_free(program);
  sl__graph_free(g);
  sl__model_free(context, model);
  free(x);
  sl_context_free(context);
}
