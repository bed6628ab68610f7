/* Baselines that a flow is compared with: by the rows' weights, and given the conditions. */
#include "base/random.h"
#include "check.h"
#include "sluice/sluice.h"

enum { ROWS = 2000 };

static double normal(int64_t row, uint32_t which) {
  return sl__random_normal((sl__random_key){15, SL__STREAM_TEST, 0}, (uint64_t)row, which);
}

static void fit(const sl_fit_data *data, sl_fit_report *report) {
  sl_context_options own = {.size = sizeof own, .threads = 1};
  sl_context *context = NULL;
  sl_flow *flow = NULL;
  sl_context_new(&own, &context);
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  options.steps = 100;
  options.formula = "elementwise(affine)";
  *report = (sl_fit_report){.size = sizeof *report};
  CHECK_OK(context, sl_fit(context, data, &options, &flow, report));
  sl_flow_free(flow);
  sl_context_free(context);
}

/* Minus the entropy of a normal density. */
static double expected(double sd) {
  return -0.5 - 0.5 * log(2 * acos(-1)) - log(sd);
}

/* Of two far clusters one has no weight, and of the other half the rows, which lie closer together,
 * have weight 3. */
TEST(weights_reach_the_baselines) {
  static double x[ROWS], weight[ROWS];
  double total = 0, squares = 0;
  for (int row = 0; row < ROWS; row++) {
    const bool far = row % 2 == 1, close = row % 4 == 2;
    weight[row] = far ? 0 : close ? 3 : 1;
    x[row] = far ? 100 + normal(row, 0) : (close ? 1 : 3) * normal(row, 0);
    total += weight[row];
    squares += weight[row] * x[row] * x[row];
  }
  sl_fit_data data = {
      .size = sizeof data, .x = sl_in_f64(x, ROWS, 1), .weight = sl_in_f64(weight, ROWS, 1)};
  sl_fit_report report;
  fit(&data, &report);
  CHECK_CLOSE(report.gaussian.log_prob, expected(sqrt(squares / total)), 0.15);
  /* Three quarters of the weight are narrow, one quarter wide. */
  double mixture = 0;
  for (int row = 0; row < ROWS; row += 2) {
    const double narrow = exp(-0.5 * x[row] * x[row]), wide = exp(-x[row] * x[row] / 18) / 3;
    mixture += weight[row] / total * log((0.75 * narrow + 0.25 * wide) / sqrt(2 * acos(-1)));
  }
  CHECK_CLOSE(report.gaussian_mixture.log_prob, mixture, 0.2);
  CHECK(report.mixture_components <= 5);
  CHECK(report.gaussian.log_prob < report.gaussian_mixture.log_prob);
}

/* x = 3 c + 0.1 noise: what the conditions tell is no merit of the flow's. */
TEST(gaussian_sees_the_conditions) {
  static double x[ROWS], c[ROWS];
  for (int row = 0; row < ROWS; row++) {
    c[row] = normal(row, 0);
    x[row] = 3 * c[row] + 0.1 * normal(row, 1);
  }
  sl_fit_data data = {
      .size = sizeof data, .x = sl_in_f64(x, ROWS, 1), .condition = sl_in_f64(c, ROWS, 1)};
  sl_fit_report report;
  fit(&data, &report);
  CHECK_CLOSE(report.gaussian.log_prob, expected(0.1), 3 * report.gaussian.se);
  CHECK_INTEGER(report.gaussian_mixture.rows, 0);
  CHECK(strncmp(report.verdict, "Good", 4) != 0);
  CHECK(strstr(report.verdict, "a mixture") == NULL);
}

/* Rows that have no finite score have one verdict, and it names the cause. */
TEST(density_zero_is_called_so) {
  static double x[ROWS];
  for (int row = 0; row < ROWS; row++) x[row] = normal(row, 0);
  static const struct {
    const char *formula, *verdict;
  } cases[] = {
      {"loc-exp", "density 0: a layer such as exp or sigmoid"},
      {"elementwise(affine)", "Fair"},
  };
  sl_context_options own = {.size = sizeof own, .threads = 1};
  sl_context *context = NULL;
  REQUIRE(sl_context_new(&own, &context) == SL_OK);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sl_fit_data data = {.size = sizeof data, .x = sl_in_f64(x, ROWS, 1)};
    sl_fit_options options;
    sl_fit_options_default(&options, sizeof options);
    options.steps = 50;
    options.formula = cases[i].formula;
    sl_fit_report report = {.size = sizeof report};
    sl_flow *flow = NULL;
    const sl_status status = sl_fit(context, &data, &options, &flow, &report);
    CHECK_INTEGER(status, i == 0 ? SL_NUMERIC : SL_OK);
    if (!CHECK(strstr(report.verdict, cases[i].verdict) != NULL)) printf("  %s\n", report.verdict);
    CHECK(strstr(report.verdict, "--lr") == NULL);
    sl_flow_free(flow);
  }
  sl_context_free(context);
}
