/* Splines that start as margins, or are set right by weights: normal scores of draws with two modes
 * are normal. */
#include <math.h>
#include "flow/model.h"
#include "infer/robust/attempt.h"
#include "vi_fixture.h"

enum { ROWS = 20000, DIM = 2 };

/* One coordinate with two modes of unequal mass, one skewed: an exact mixture, and a log normal. */
static double draw_mixture(double left, double u, double z) {
  return u < left ? -3 + 0.3 * z : 2 + 0.4 * z;
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

/* x [ROWS][DIM]. */
static void draw(double left, double *x) {
  const sl__random_key key = {3, 4, 5};
  for (int r = 0; r < ROWS; r++) {
    x[r * DIM] = draw_mixture(left, sl__random_uniform(key, (uint64_t)r, 0),
                              sl__random_normal(key, (uint64_t)r, 2));
    x[r * DIM + 1] = exp(0.3 * sl__random_normal(key, (uint64_t)r, 4));
  }
}

static void check_scores(sl_context *context, const sl__model *model) {
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
}

typedef struct fixture {
  sl_context *context;
  double *x, mean[DIM], sd[DIM];
  sl__exploration exploration;
  sl__robust_options options;
  sl__robust_report report;
  sl__robust run;
} fixture;

/* The explored share of the left mode. */
static void open_fixture(fixture *f, double left) {
  *f = (fixture){.context = vi_context(1), .x = calloc((size_t)ROWS * DIM, sizeof *f->x)};
  draw(left, f->x);
  measure(f->x, f->mean, f->sd);
  f->exploration =
      (sl__exploration){.dim = DIM, .buffer = {ROWS, f->x}, .mean = f->mean, .sd = f->sd};
  sl__robust_defaults(&f->options);
  f->run = (sl__robust){.context = f->context,
                        .options = &f->options,
                        .exploration = &f->exploration,
                        .report = &f->report,
                        .type = SL_F64};
}

static void close_fixture(fixture *f) {
  free(f->x);
  sl_context_free(f->context);
}

TEST(scores_of_the_margins_are_those_of_the_distribution) {
  fixture f;
  open_fixture(&f, 0.2);
  const sl__plan_of_attempt plan = {.layers = "triangular-" SL__MARGINS, .steps = 1};
  sl__model *model = NULL;
  CHECK_OK(f.context, sl__robust_start(&f.run, &plan, NULL, &model));
  check_scores(f.context, model);
  sl__model_free(f.context, model);
  close_fixture(&f);
}

/* A third on the left was explored, and fitted; weights of such draws say that it is a fifth. */
TEST(weights_set_the_shares_of_modes_right) {
  static const double explored = 1.0 / 3;
  fixture f;
  open_fixture(&f, explored);
  double *log_weights = calloc(ROWS, sizeof *log_weights);
  for (int r = 0; r < ROWS; r++)
    log_weights[r] = f.x[r * DIM] < 0 ? log(0.2 / explored) : log(0.8 / (1 - explored));
  sl__plan_of_attempt plan = {.layers = "triangular-" SL__MARGINS, .steps = 1};
  sl__model *before = NULL, *model = NULL;
  CHECK_OK(f.context, sl__robust_start(&f.run, &plan, NULL, &before));
  f.run.own = (sl__draws){ROWS, f.x};
  f.run.own_log_weights = log_weights;
  plan.steps = 0;
  plan.deepens = true;
  CHECK_OK(f.context, sl__robust_start(&f.run, &plan, before, &model));
  check_scores(f.context, model);
  sl__model_free(f.context, before);
  sl__model_free(f.context, model);
  free(log_weights);
  close_fixture(&f);
}
