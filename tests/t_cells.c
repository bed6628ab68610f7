/* Integers are scored by their probability: over all of them it sums to 1, whatever the shape of
 * the density inside the cells, and it is how often they are drawn. */
#include "base/random.h"
#include "check.h"
#include "flow/cell.h"
#include "sluice/sluice.h"

enum { ROWS = 1500, DRAWS = 3000 };

static sl_context *new_context(void) {
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context = NULL;
  sl_context_new(&options, &context);
  return context;
}

static double uniform(int64_t row, uint32_t which) {
  return sl__random_uniform((sl__random_key){14, SL__STREAM_TEST, 0}, (uint64_t)row, which);
}

static sl_flow *fit(sl_context *context, const double *x, int64_t columns, const char *types,
                    sl_fit_report *report) {
  sl_fit_data data = {.size = sizeof data, .x = sl_in_f64(x, ROWS, columns), .columns = types};
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  options.formula = columns == 1 ? NULL : "maf(rqs,bins=4,hidden=8)";
  options.steps = 250;
  options.baselines = 0;
  *report = (sl_fit_report){.size = sizeof *report};
  sl_flow *flow = NULL;
  CHECK_OK(context, sl_fit(context, &data, &options, &flow, report));
  return flow;
}

/* The probability of 1 in a column of zeros and ones, where the density has a narrow peak in each
 * cell. */
TEST(probabilities_sum_to_one) {
  static const char *const types[] = {"1: integer", "1: interval(0,1) integer", "1: count",
                                      "1: periodic(0,2) integer"};
  enum { LEAST = -6, MOST = 30 };
  static double x[ROWS], drawn[DRAWS], drawn_log_prob[DRAWS], again[DRAWS];
  sl_context *context = new_context();
  for (int row = 0; row < ROWS; row++) x[row] = uniform(row, 0) < 0.05;
  for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
    sl_fit_report report;
    sl_flow *flow = fit(context, x, 1, types[k], &report);
    if (!flow) continue;
    double values[MOST - LEAST], log_prob[MOST - LEAST], sum = 0;
    const bool circle = k == 3;
    const int least = circle ? 0 : LEAST, count = circle ? 2 : MOST - LEAST;
    for (int i = 0; i < count; i++) values[i] = least + i;
    sl_array_in rows = sl_in_f64(values, count, 1);
    sl_array_out out = sl_out_f64(log_prob, count, 1);
    CHECK_OK(context, sl_flow_log_prob(context, flow, &rows, NULL, &out));
    for (int i = 0; i < count; i++) sum += exp(log_prob[i]);
    const double one = exp(log_prob[1 - least]);
    sl_array_out x_out = sl_out_f64(drawn, DRAWS, 1), lp = sl_out_f64(drawn_log_prob, DRAWS, 1);
    CHECK_OK(context, sl_flow_sample(context, flow, 3, NULL, &x_out, &lp));
    double ones = 0;
    for (int i = 0; i < DRAWS; i++) ones += drawn[i] == 1;
    printf("  %-26s sum %.4f, P(1) %.4f, drawn %.4f, test %.4f\n", types[k], sum, one, ones / DRAWS,
           report.test.log_prob);
    CHECK_CLOSE(sum, 1, 1e-2);
    CHECK_CLOSE(one, ones / DRAWS, 0.02);
    sl_array_in drawn_in = sl_in_f64(drawn, DRAWS, 1);
    sl_array_out again_out = sl_out_f64(again, DRAWS, 1);
    CHECK_OK(context, sl_flow_log_prob(context, flow, &drawn_in, NULL, &again_out));
    for (int i = 0; i < DRAWS; i += 977) CHECK_CLOSE(again[i], drawn_log_prob[i], 1e-6);
    /* What the report says of rows is the mean of what scoring them says. */
    sl_array_in all = sl_in_f64(x, ROWS, 1);
    sl_array_out all_out = sl_out_f64(again, ROWS, 1);
    CHECK_OK(context, sl_flow_log_prob(context, flow, &all, NULL, &all_out));
    double mean = 0;
    for (int i = 0; i < ROWS; i++) mean += again[i] / ROWS;
    const double reported = (report.train.log_prob * (double)report.train.rows +
                             report.valid.log_prob * (double)report.valid.rows +
                             report.test.log_prob * (double)report.test.rows) /
                            ROWS;
    CHECK_CLOSE(mean, reported, 5e-3);
    values[0] = 0.5;
    CHECK_OK(context, sl_flow_log_prob(context, flow, &rows, NULL, &out));
    CHECK(log_prob[0] == -INFINITY);
    sl_flow_free(flow);
  }
  sl_context_free(context);
}

/* Two columns of integers beside a real one: its slope is that of the log probability, and the sum
 * over the integers its density, which integrates to 1. */
TEST(several_columns_and_slopes) {
  enum { SIDE = 8, STEPS = 120, POINTS = SIDE * SIDE };
  static double x[ROWS * 3], rows[POINTS * 3], log_prob[POINTS];
  sl_context *context = new_context();
  for (int row = 0; row < ROWS; row++) {
    x[3 * row] = floor(-log(uniform(row, 1)));
    x[3 * row + 1] = floor(2 * uniform(row, 2)) + floor(2 * uniform(row, 3));
    x[3 * row + 2] = uniform(row, 4) - 0.5 + x[3 * row];
  }
  sl_fit_report report;
  sl_flow *flow = fit(context, x, 3, "1: count, 2: integer", &report);
  REQUIRE(flow != NULL);
  double integral = 0;
  const double width = 12.0 / STEPS;
  sl_array_in in = sl_in_f64(rows, POINTS, 3);
  sl_array_out out = sl_out_f64(log_prob, POINTS, 1);
  for (int step = 0; step < STEPS; step++) {
    for (int i = 0; i < POINTS; i++) {
      rows[3 * i] = i / SIDE;
      rows[3 * i + 1] = i % SIDE - 3;
      rows[3 * i + 2] = -3 + width * (step + 0.5);
    }
    CHECK_OK(context, sl_flow_log_prob(context, flow, &in, NULL, &out));
    for (int i = 0; i < POINTS; i++) integral += width * exp(log_prob[i]);
  }
  printf("  total %.4f\n", integral);
  CHECK_CLOSE(integral, 1, 3e-2);
  const double h = 1e-2;
  double near[9] = {1, 1, 1.1 - h, 1, 1, 1.1, 1, 1, 1.1 + h};
  double value[3], slope[9];
  sl_array_in three = sl_in_f64(near, 3, 3);
  sl_array_out value_out = sl_out_f64(value, 3, 1), slope_out = sl_out_f64(slope, 3, 3);
  CHECK_OK(context,
           sl_flow_gradient(context, flow, &three, NULL, &value_out, &slope_out, NULL, NULL));
  CHECK_CLOSE((value[2] - value[0]) / (2 * h), slope[5], 0.02 + 0.05 * fabs(slope[5]));
  sl_flow_free(flow);
  sl_context_free(context);
}

/* The sum of the rows' scores as its parameters move, in float64, with a condition and a row that
 * is no integer, in portions smaller than the number of rows. */
TEST(gradient_by_the_parameters) {
  enum { FEW = 5, TRIED = 12 };
  static double x[ROWS * 2], condition[ROWS], log_prob[FEW];
  sl_context *context = new_context();
  for (int row = 0; row < ROWS; row++) {
    condition[row] = uniform(row, 5);
    x[2 * row] = floor(-3 * condition[row] * log(uniform(row, 1)));
    x[2 * row + 1] = uniform(row, 4) + x[2 * row];
  }
  sl_fit_data data = {.size = sizeof data,
                      .x = sl_in_f64(x, ROWS, 2),
                      .condition = sl_in_f64(condition, ROWS, 1),
                      .columns = "1: count"};
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  options.formula = "coupling(affine,hidden=4)-scale-loc";
  options.steps = 60;
  options.baselines = 0;
  options.precision = SL_F64;
  sl_flow *flow = NULL;
  REQUIRE_OK(context, sl_fit(context, &data, &options, &flow, NULL));
  x[2 * 3] += 0.5;
  const int64_t size = sl_flow_parameter_count(flow);
  double *vector = malloc((size_t)size * sizeof(double));
  double *slope = malloc((size_t)size * sizeof(double));
  const sl_array_in in = sl_in_f64(x, FEW, 2), given = sl_in_f64(condition, FEW, 1);
  const sl_array_out out = sl_out_f64(log_prob, FEW, 1);
  const sl_array_out vector_out = sl_out_f64(vector, 1, size),
                     slope_out = sl_out_f64(slope, 1, size);
  const sl_array_in vector_in = sl_in_f64(vector, 1, size);
  sl_evaluator *evaluator = NULL;
  REQUIRE_OK(context, sl_evaluator_new(context, flow, SL_EVALUATE_PARAMETERS, 2, &evaluator));
  REQUIRE_OK(context, sl_evaluator_parameters(context, evaluator, &in, &given, &out, &slope_out));
  CHECK(log_prob[3] == -INFINITY && isfinite(log_prob[4]));
  REQUIRE_OK(context, sl_flow_parameters(context, flow, &vector_out));
  double largest = 0;
  for (int64_t k = 0; k < TRIED; k++) {
    const int64_t i = k * (size - 1) / (TRIED - 1);
    const double kept = vector[i], h = 1e-5 * fmax(1, fabs(kept));
    double sum[2] = {0};
    for (int side = 0; side < 2; side++) {
      vector[i] = kept + (side == 0 ? -h : h);
      CHECK_OK(context, sl_flow_set_parameters(context, flow, &vector_in));
      CHECK_OK(context, sl_evaluator_log_prob(context, evaluator, &in, &given, &out));
      for (int row = 0; row < FEW; row++) sum[side] += row == 3 ? 0 : log_prob[row];
    }
    vector[i] = kept;
    CHECK_CLOSE((sum[1] - sum[0]) / (2 * h), slope[i], 1e-6);
    largest = fmax(largest, fabs(slope[i]));
  }
  CHECK(largest > 0.01);
  sl_evaluator_free(evaluator);
  free(vector);
  free(slope);
  sl_flow_free(flow);
  sl_context_free(context);
}

/* Along each column the points of a lattice are equally spaced, and no two columns agree. */
TEST(points_of_a_cell) {
  sl_context *context = new_context();
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl__column_type types[3] = {{.integer = true, .width = 1}, {0}, {.integer = true, .width = 1}};
  sl__columns map;
  sl__cell cell;
  REQUIRE_OK(context, sl__columns_new(context, &arena, 3, types, &map));
  REQUIRE_OK(context, sl__cell_new(&arena, &map, &cell));
  CHECK_INTEGER(cell.count, 2);
  CHECK_INTEGER(cell.points, 256);
  for (int32_t i = 0; i < 2; i++) {
    bool seen[256] = {false};
    for (int32_t k = 0; k < 256; k++) seen[(int)(256 * sl__cell_place(&cell, 256, k, i))] = true;
    int count = 0;
    for (int32_t k = 0; k < 256; k++) count += seen[k];
    CHECK_INTEGER(count, 256);
  }
  CHECK(sl__cell_place(&cell, 256, 1, 0) != sl__cell_place(&cell, 256, 1, 1));
  sl__arena_close(&arena);
  sl_context_free(context);
}
