/* Fits through the public calls: what the report says, what is refused, what a stop leaves
 * behind. */
#include "check.h"
#include "sluice/sluice.h"

enum { ROWS = 400 };

static sl_context *new_context(void) {
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context = NULL;
  sl_context_new(&options, &context);
  return context;
}

/* A bent cloud, far from the origin and stretched: (100 + 5 a, -3 + 0.01 (a^2 + b)). */
static void make_rows(double x[ROWS * 2]) {
  unsigned state = 7;
  for (int row = 0; row < ROWS; row++) {
    double sum[2] = {0};
    for (int k = 0; k < 24; k++) {
      state = state * 1664525u + 1013904223u;
      sum[k % 2] += (double)state / 4294967296.0 - 0.5;
    }
    x[2 * row] = 100 + 5 * sum[0];
    x[2 * row + 1] = -3 + 0.01 * (sum[0] * sum[0] + sum[1]);
  }
}

static sl_fit_options short_fit(int64_t steps) {
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  options.steps = steps;
  return options;
}

static double mean_log_prob(sl_context *context, const sl_flow *flow, const double *x,
                            int64_t rows) {
  double *log_prob = malloc((size_t)rows * sizeof *log_prob), sum = 0;
  sl_array_in in = sl_in_f64(x, rows, 2);
  sl_array_out out = sl_out_f64(log_prob, rows, 1);
  CHECK_OK(context, sl_flow_log_prob(context, flow, &in, NULL, &out));
  for (int64_t row = 0; row < rows; row++) sum += log_prob[row];
  free(log_prob);
  return sum / (double)rows;
}

TEST(the_report_agrees_with_the_flow) {
  static double x[ROWS * 2];
  make_rows(x);
  sl_context *context = new_context();
  const char *const names[] = {"left", "right"};
  sl_fit_data data = {.size = sizeof data, .x = sl_in_f64(x, ROWS, 2), .column_names = names};
  sl_fit_options options = short_fit(200);
  options.precision = SL_F64;
  sl_fit_report report = {.size = sizeof report};
  sl_flow *flow = NULL;
  REQUIRE_OK(context, sl_fit(context, &data, &options, &flow, &report));
  CHECK_INTEGER(report.train.rows + report.valid.rows + report.test.rows, ROWS);
  CHECK_INTEGER(report.valid.rows, ROWS / 10);
  CHECK_INTEGER(report.test.rows, ROWS / 10);
  double whole = (report.train.log_prob * (double)report.train.rows +
                  report.valid.log_prob * (double)report.valid.rows +
                  report.test.log_prob * (double)report.test.rows) / ROWS;
  CHECK_CLOSE(mean_log_prob(context, flow, x, ROWS), whole, 1e-9);
  /* Standardising adds the logs of the standard deviations, about log 5 + log 0.02. */
  double scale = report.test.log_prob_standardized - report.test.log_prob;
  CHECK_CLOSE(scale, log(5) + log(sqrt(3) * 0.01), 0.2);
  CHECK(report.test.log_prob > report.gaussian.log_prob);
  CHECK(report.test.se > 0 && report.test.se < 0.5);
  CHECK(report.verdict[0] != '\0' && report.notes[0] == '\0');
  CHECK_TEXT(sl_flow_column_name(flow, 1), "right");
  sl_flow_free(flow);
  sl_context_free(context);
}

/* A conditional flow fitted further sees its conditions, far from 0, as it did at first. */
TEST(a_conditional_flow_fitted_further) {
  static double x[ROWS * 2], condition[ROWS];
  make_rows(x);
  for (int row = 0; row < ROWS; row++) condition[row] = 1000 + x[2 * row];
  sl_context *context = new_context();
  sl_fit_data data = {.size = sizeof data,
                      .x = sl_in_f64(x, ROWS, 2),
                      .condition = sl_in_f64(condition, ROWS, 1)};
  sl_fit_options options = short_fit(100);
  options.formula = "coupling(affine,hidden=8)*2";
  options.baselines = 0;
  sl_flow *flow = NULL;
  REQUIRE_OK(context, sl_fit(context, &data, &options, &flow, NULL));
  sl_fit_report report = {.size = sizeof report};
  options.formula = NULL;
  REQUIRE_OK(context, sl_fit_flow(context, flow, &data, &options, &report));
  static double log_prob[ROWS];
  double mean = 0;
  const sl_array_out out = sl_out_f64(log_prob, ROWS, 1);
  REQUIRE_OK(context, sl_flow_log_prob(context, flow, &data.x, &data.condition, &out));
  for (int row = 0; row < ROWS; row++) mean += log_prob[row] / ROWS;
  CHECK_CLOSE(mean, report.train.log_prob, 1e-4);
  sl_flow_free(flow);
  sl_context_free(context);
}

TEST(held_out_rows_of_ones_own) {
  static double x[ROWS * 2];
  make_rows(x);
  sl_context *context = new_context();
  sl_fit_data data = {.size = sizeof data,
                      .x = sl_in_f64(x, 300, 2),
                      .valid_x = sl_in_f64(x + 600, 50, 2),
                      .test_x = sl_in_f64(x + 700, 50, 2)};
  sl_fit_options options = short_fit(30);
  options.precision = SL_F64;
  options.baselines = 0;
  sl_fit_report report = {.size = sizeof report};
  sl_flow *flow = NULL;
  REQUIRE_OK(context, sl_fit(context, &data, &options, &flow, &report));
  CHECK_INTEGER(report.train.rows, 300);
  CHECK_CLOSE(mean_log_prob(context, flow, x + 700, 50), report.test.log_prob, 1e-9);
  CHECK(report.gaussian.rows == 0 && isnan(report.gaussian.log_prob));
  sl_flow_free(flow);
  sl_context_free(context);
}

TEST(weights_count_like_copies) {
  /* Rows of weight zero might as well not be there. */
  static double x[ROWS * 2], weight[ROWS];
  make_rows(x);
  for (int row = 0; row < ROWS; row++) {
    weight[row] = row % 2;
    if (row % 2 == 0) x[2 * row] += 40;
  }
  sl_context *context = new_context();
  sl_fit_data data = {.size = sizeof data,
                      .x = sl_in_f64(x, ROWS, 2),
                      .weight = sl_in_f64(weight, ROWS, 1)};
  sl_fit_options options = short_fit(300);
  sl_flow *flow = NULL;
  REQUIRE_OK(context, sl_fit(context, &data, &options, &flow, NULL));
  double here[2] = {100, -3}, there[2] = {140, -3};
  CHECK(mean_log_prob(context, flow, here, 1) > mean_log_prob(context, flow, there, 1) + 2);
  weight[5] = -1;
  sl_flow *refused = NULL;
  CHECK(sl_fit(context, &data, &options, &refused, NULL) == SL_BAD_ARGUMENT && !refused);
  sl_flow_free(flow);
  sl_context_free(context);
}

TEST(unfit_data_is_refused) {
  static double x[ROWS * 2];
  make_rows(x);
  sl_context *context = new_context();
  sl_fit_data data = {.size = sizeof data, .x = sl_in_f64(x, ROWS, 2)};
  sl_flow *flow = NULL;
  double kept = x[11];
  x[11] = NAN;
  CHECK(sl_fit(context, &data, NULL, &flow, NULL) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "row 6, column 2") != NULL);
  x[11] = kept;
  data.x.rows = 19;
  CHECK(sl_fit(context, &data, NULL, &flow, NULL) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "too few") != NULL);
  data.x.rows = ROWS;
  data.condition = sl_in_f64(x, ROWS, 1);
  data.valid_x = sl_in_f64(x, 9, 2);
  data.valid_condition = sl_in_f64(NULL, 9, 1);
  CHECK(sl_fit(context, &data, NULL, &flow, NULL) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "condition is missing") != NULL);
  data.condition = data.valid_x = data.valid_condition = (sl_array_in){0};
  for (int row = 0; row < ROWS; row++) x[2 * row + 1] = 4;
  CHECK(sl_fit(context, &data, NULL, &flow, NULL) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "column 2 is constant") != NULL);
  data.size = 3;
  CHECK(sl_fit(context, &data, NULL, &flow, NULL) == SL_BAD_ARGUMENT);
  CHECK(flow == NULL);
  sl_context_free(context);
}

TEST(options_by_name) {
  sl_context *context = new_context();
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  CHECK(options.steps == -1 && isnan(options.rate) && options.formula == NULL);
  CHECK_OK(context, sl_fit_options_set(context, &options, "lr", "1e-3"));
  CHECK_OK(context, sl_fit_options_set(context, &options, "steps", "77"));
  CHECK_OK(context, sl_fit_options_set(context, &options, "precision", "f64"));
  CHECK_OK(context, sl_fit_options_set(context, &options, "flow", "lu"));
  CHECK(options.rate == 1e-3 && options.steps == 77 && options.precision == SL_F64);
  CHECK_TEXT(options.formula, "lu");
  CHECK(sl_fit_options_set(context, &options, "lrr", "1") == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "lr") != NULL);
  CHECK(sl_fit_options_set(context, &options, "lr", "fast") == SL_BAD_ARGUMENT);
  CHECK(sl_fit_options_set(context, &options, "optimizer", "adan") == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "adam") != NULL);
  CHECK(options.optimizer == NULL);
  sl_context_free(context);
}

/* A caller compiled against an older, shorter struct. */
TEST(structs_may_be_shorter) {
  static double x[ROWS * 2];
  make_rows(x);
  sl_context *context = new_context();
  sl_fit_options options;
  size_t shorter = offsetof(sl_fit_options, checkpoint);
  memset(&options, 0x7f, sizeof options);
  sl_fit_options_default(&options, shorter);
  CHECK(options.size == shorter && (uintptr_t)options.checkpoint == (uintptr_t)0x7f7f7f7f7f7f7f7f);
  options.steps = 3;
  sl_fit_data data = {.size = offsetof(sl_fit_data, column_names), .x = sl_in_f64(x, ROWS, 2)};
  sl_fit_report report;
  memset(&report, 0x7f, sizeof report);
  report.size = offsetof(sl_fit_report, verdict);
  sl_flow *flow = NULL;
  REQUIRE_OK(context, sl_fit(context, &data, &options, &flow, &report));
  CHECK(report.steps == 3 && report.verdict[0] == 0x7f);
  sl_flow_free(flow);
  sl_context_free(context);
}

static bool stop_at_ten(void *user, const sl_fit_progress *now) {
  (*(int *)user)++;
  CHECK(now->size == sizeof *now);
  return now->step < 10;
}

TEST(a_stop_keeps_the_best) {
  static double x[ROWS * 2];
  make_rows(x);
  sl_context *context = new_context();
  sl_fit_data data = {.size = sizeof data, .x = sl_in_f64(x, ROWS, 2)};
  sl_fit_options options = short_fit(100000000);
  int calls = 0;
  options.valid_every = 1;
  options.progress = stop_at_ten;
  options.progress_user = &calls;
  sl_fit_report report = {.size = sizeof report};
  sl_flow *flow = NULL;
  CHECK(sl_fit(context, &data, &options, &flow, &report) == SL_STOPPED);
  REQUIRE(flow != NULL);
  CHECK_INTEGER(report.steps, 10);
  CHECK(calls == 10 && isfinite(report.test.log_prob));
  CHECK(!report.stopped_early); /* that would be by patience */
  sl_flow_free(flow);
  sl_context_free(context);
}

/* Fresh points of N(3, 0.5^2), a function of step and row alone. */
static sl_status draw(void *user, int64_t step, int64_t rows, void *x) {
  for (int64_t row = 0; row < rows; row++) {
    double sum = 0;
    for (int k = 0; k < 12; k++) {
      uint64_t h = ((uint64_t)step * 1000003u + (uint64_t)row) * 12u + (uint64_t)k;
      h = (h ^ (h >> 31)) * 0x9e3779b97f4a7c15u;
      h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9u;
      sum += (double)(h >> 11) / 9007199254740992.0 - 0.5;
    }
    ((float *)x)[row] = (float)(3 + 0.5 * sum);
  }
  return user ? SL_UNSUPPORTED : SL_OK;
}

/* A flow that is a Gaussian is no better than one, however a mixture overfits. */
TEST(a_gaussian_is_not_called_good) {
  static float x[ROWS];
  CHECK(draw(NULL, 0, ROWS, x) == SL_OK);
  sl_context *context = new_context();
  sl_fit_data data = {.size = sizeof data, .x = sl_in_f32(x, ROWS, 1)};
  sl_fit_options options = short_fit(1);
  options.formula = "loc";
  sl_fit_report report = {.size = sizeof report};
  sl_flow *flow = NULL;
  REQUIRE_OK(context, sl_fit(context, &data, &options, &flow, &report));
  if (!CHECK(strstr(report.verdict, "as good as") != NULL)) printf("  %s\n", report.verdict);
  sl_flow_free(flow);
  sl_context_free(context);
}

TEST(fresh_points_reach_the_entropy) {
  sl_context *context = new_context();
  sl_flow *flow = NULL;
  REQUIRE_OK(context, sl_flow_new(context, "scale-loc", NULL, 1, 0, SL_F32, 0, &flow));
  sl_fit_options options = short_fit(600);
  options.rate = 0.05;
  sl_fit_report report = {.size = sizeof report};
  REQUIRE_OK(context, sl_fit_generated(context, flow, draw, NULL, &options, &report));
  CHECK_INTEGER(report.steps, 600);
  static float x[4000];
  static double log_prob[4000];
  draw(NULL, 1000000, 4000, x);
  sl_array_in rows = sl_in_f32(x, 4000, 1);
  sl_array_out out = sl_out_f64(log_prob, 4000, 1);
  REQUIRE_OK(context, sl_flow_log_prob(context, flow, &rows, NULL, &out));
  double mean = 0;
  for (int i = 0; i < 4000; i++) mean += log_prob[i] / 4000;
  CHECK_CLOSE(mean, -(0.5 + 0.91893853320467274178 + log(0.5)), 0.04);
  /* What the callback says ends the fit. */
  int wrong = 1;
  CHECK(sl_fit_generated(context, flow, draw, &wrong, &options, &report) == SL_UNSUPPORTED);
  CHECK(sl_fit_generated(context, flow, NULL, NULL, &options, &report) == SL_BAD_ARGUMENT);
  sl_flow_free(flow);
  sl_context_free(context);
}

TEST(a_flow_of_ones_own_on_rows) {
  static double x[ROWS * 2];
  make_rows(x);
  for (int row = 0; row < ROWS; row++) {
    x[2 * row] = (x[2 * row] - 100) / 5;
    x[2 * row + 1] = (x[2 * row + 1] + 3) * 50;
  }
  sl_context *context = new_context();
  sl_flow *flow = NULL;
  REQUIRE_OK(context, sl_flow_new(context, "lu-maf(rqs,hidden=16)", NULL, 2, 0, SL_F64, 0, &flow));
  double before = mean_log_prob(context, flow, x, ROWS);
  sl_fit_data data = {.size = sizeof data, .x = sl_in_f64(x, ROWS, 2)};
  sl_fit_options options = short_fit(200);
  sl_fit_report report = {.size = sizeof report};
  REQUIRE_OK(context, sl_fit_flow(context, flow, &data, &options, &report));
  CHECK_INTEGER(report.train.rows, ROWS);
  CHECK(report.valid.rows == 0 && report.test.rows == 0);
  double after = mean_log_prob(context, flow, x, ROWS);
  CHECK(after > before + 0.2);
  CHECK_CLOSE(after, report.train.log_prob, 1e-9);
  data.x.columns = 1;
  CHECK(sl_fit_flow(context, flow, &data, &options, &report) == SL_BAD_ARGUMENT);
  sl_flow_free(flow);
  sl_context_free(context);
}
