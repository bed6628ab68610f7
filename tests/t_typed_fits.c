/* Fits of columns with types: what is refused, scores in the data's own units, weights as repeated
 * rows, and that knowing a type makes a better density than not knowing it. */
#include "base/random.h"
#include "check.h"
#include "sluice/sluice.h"

enum { ROWS = 1000 };

static sl_context *new_context(void) {
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context = NULL;
  sl_context_new(&options, &context);
  return context;
}

static double uniform(int64_t row, uint32_t which) {
  return sl__random_uniform((sl__random_key){4, SL__STREAM_TEST, 0}, (uint64_t)row, which);
}

static double normal(int64_t row, uint32_t which) {
  return sl__random_normal((sl__random_key){5, SL__STREAM_TEST, 0}, (uint64_t)row, which);
}

static sl_fit_options short_fit(int64_t steps, const char *formula) {
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  options.steps = steps;
  options.formula = formula;
  options.baselines = 0;
  return options;
}

/* Good values for all columns of the refusals: positive, interval(0,1), count, shares. */
static void make_good(double x[ROWS * 5]) {
  for (int row = 0; row < ROWS; row++) {
    x[5 * row] = exp(normal(row, 0));
    x[5 * row + 1] = uniform(row, 1);
    x[5 * row + 2] = floor(8 * uniform(row, 2));
    x[5 * row + 3] = uniform(row, 3);
    x[5 * row + 4] = 1 - x[5 * row + 3];
  }
}

TEST(values_outside_are_refused) {
  static const struct {
    int column;
    double value;
    const char *columns, *message;
  } cases[] = {
      {0, 0, "a: positive", "row 8, column 1 \"a\" of x: 0 is not positive; call the column real"},
      {0, -2.5, "1: positive width(1)", "-2.5 is not positive; call the column real"},
      {1, 1, "b: interval(0,1)", "column 2 \"b\" of x: 1 is on the border of its interval; give"},
      {1, 1.5, "b: interval(0,1) width(0.1)", "1.5 is outside its interval"},
      {2, 2.5, "c: count", "column 3 \"c\" of x: 2.5 is no integer; call the column real"},
      {2, -1, "c: count", "-1 is negative; call the column integer"},
      {2, 0, "c: positive integer", "0 is not positive; call the column count"},
      {2, 9, "c: integer interval(0,8)", "9 is outside its interval; give a wider one"},
      {3, 0, "d..e: simplex", "column 4 \"d\" of x: 0 is not positive, as a share must be"},
      {3, 5, "d..e: simplex", "the shares from column 4 \"d\" on sum to"},
      {0, 1, "a: weight", "column 1 of x is data; give conditions and weights"},
      {0, 1, "a: positiv", "did you mean \"positive\""},
  };
  static double x[ROWS * 5];
  static const char *const names[] = {"a", "b", "c", "d", "e"};
  sl_context *context = new_context();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    make_good(x);
    for (int row = 0; row < 7; row++) x[5 * row + 2] += 1; /* 0 comes in row 8 first */
    for (int row = 8; row < ROWS; row++) x[5 * row + 2] += i == 6;
    x[5 * 7 + cases[i].column] = cases[i].value;
    sl_fit_data data = {.size = sizeof data,
                        .x = sl_in_f64(x, ROWS, 5),
                        .column_names = names,
                        .columns = cases[i].columns};
    sl_fit_options options = short_fit(1, "loc");
    sl_flow *flow = NULL;
    CHECK_INTEGER(sl_fit(context, &data, &options, &flow, NULL), SL_BAD_ARGUMENT);
    if (!CHECK(flow == NULL && strstr(sl_error(context), cases[i].message) != NULL))
      printf("  %s\n", sl_error(context));
    sl_flow_free(flow);
  }
  sl_context_free(context);
}

static double mean_log_prob(sl_context *context, const sl_flow *flow, int64_t rows,
                            const double *x) {
  double *log_prob = malloc((size_t)rows * sizeof *log_prob), sum = 0;
  sl_array_in in = sl_in_f64(x, rows, sl_flow_dim(flow));
  sl_array_out out = sl_out_f64(log_prob, rows, 1);
  CHECK_OK(context, sl_flow_log_prob(context, flow, &in, NULL, &out));
  for (int64_t row = 0; row < rows; row++) sum += log_prob[row];
  free(log_prob);
  return sum / (double)rows;
}

/* A positive column, an interval, an angle and three shares, which depend on each other. */
static void make_rows(double x[ROWS * 6]) {
  for (int row = 0; row < ROWS; row++) {
    double *r = x + 6 * row, a = normal(row, 0);
    r[0] = 40 * exp(0.5 * a);
    r[1] = 1 / (1 + exp(-a - 0.5 * normal(row, 1)));
    r[2] = fmod(355 + 20 * normal(row, 2) + 10 * a + 720, 360);
    double s[3], sum = 0;
    for (int k = 0; k < 3; k++) sum += s[k] = exp(normal(row, 3 + (uint32_t)k) + (k == 1) * a);
    for (int k = 0; k < 3; k++) r[3 + k] = s[k] / sum;
  }
}

static const char six_columns[] =
    "1: positive, 2: interval(0,1), 3: periodic(0,360), 4..6: simplex";

TEST(the_report_is_in_the_data_units) {
  static double x[ROWS * 6];
  make_rows(x);
  sl_context *context = new_context();
  sl_fit_data data = {.size = sizeof data, .x = sl_in_f64(x, ROWS, 6), .columns = six_columns};
  sl_fit_options options = short_fit(150, "lu-maf(rqs,hidden=16)");
  options.precision = SL_F64;
  options.baselines = 1;
  sl_fit_report report = {.size = sizeof report};
  sl_flow *flow = NULL;
  REQUIRE_OK(context, sl_fit(context, &data, &options, &flow, &report));
  CHECK_INTEGER(sl_flow_dim(flow), 6);
  CHECK_INTEGER(sl_flow_features(flow), 5);
  CHECK_TEXT(sl_flow_column_type(flow, 2), "periodic(0,360)");
  CHECK_TEXT(sl_flow_column_type(flow, 5), "simplex(1)");
  CHECK(sl_flow_column_type(flow, 6) == NULL);
  double whole = (report.train.log_prob * (double)report.train.rows +
                  report.valid.log_prob * (double)report.valid.rows +
                  report.test.log_prob * (double)report.test.rows) /
                 ROWS;
  CHECK_CLOSE(mean_log_prob(context, flow, ROWS, x), whole, 1e-9);
  /* The baselines are in the same units: what lies between does not depend on them. */
  CHECK_CLOSE(report.test.log_prob - report.gaussian.log_prob,
              report.test.log_prob_standardized - report.gaussian.log_prob_standardized, 1e-9);
  CHECK(report.test.log_prob > report.gaussian.log_prob);

  /* Training on goes on in the flow's own columns. */
  sl_fit_data more = {.size = sizeof more, .x = sl_in_f64(x, ROWS, 6)};
  sl_fit_options some = short_fit(30, NULL);
  const double before = mean_log_prob(context, flow, ROWS, x);
  REQUIRE_OK(context, sl_fit_flow(context, flow, &more, &some, &report));
  CHECK_CLOSE(mean_log_prob(context, flow, ROWS, x), report.train.log_prob, 1e-9);
  CHECK(report.train.log_prob > before - 0.1);
  more.columns = six_columns;
  CHECK_INTEGER(sl_fit_flow(context, flow, &more, &some, NULL), SL_BAD_ARGUMENT);
  sl_flow_free(flow);
  sl_context_free(context);
}

/* Counts are scored with noise in the report; the density at the integers is close to that. */
TEST(counts_are_spread_before_the_map) {
  static double x[ROWS * 2];
  for (int row = 0; row < ROWS; row++) {
    x[2 * row] = floor(-4 * log(uniform(row, 0))); /* geometric, with many zeros */
    x[2 * row + 1] = normal(row, 1);
  }
  sl_context *context = new_context();
  sl_fit_data data = {.size = sizeof data, .x = sl_in_f64(x, ROWS, 2), .columns = "1: count"};
  sl_fit_options options = short_fit(300, "lu-maf(rqs,hidden=16)");
  sl_fit_report report = {.size = sizeof report};
  sl_flow *flow = NULL, *again = NULL;
  REQUIRE_OK(context, sl_fit(context, &data, &options, &flow, &report));
  CHECK(strstr(report.notes, "column 1 holds integers") != NULL);
  CHECK_CLOSE(mean_log_prob(context, flow, ROWS, x), report.train.log_prob, 0.15);
  /* The entropy of the geometric distribution and of the normal. */
  const double q = exp(-0.25), entropy = -log(1 - q) - q / (1 - q) * log(q) + 1.41894;
  CHECK(report.test.log_prob < -entropy + 3 * report.test.se);
  CHECK(report.test.log_prob > -entropy - 0.35);
  /* The same bits again. */
  REQUIRE_OK(context, sl_fit(context, &data, &options, &again, &report));
  CHECK(mean_log_prob(context, again, ROWS, x) == mean_log_prob(context, flow, ROWS, x));
  sl_flow_free(flow);
  sl_flow_free(again);
  sl_context_free(context);
}

typedef struct losses {
  int count;
  double least, most;
} losses;

static bool watch(void *user, const sl_fit_progress *now) {
  losses *seen = user;
  if (seen->count++ == 0) seen->least = seen->most = now->loss;
  seen->least = fmin(seen->least, now->loss);
  seen->most = fmax(seen->most, now->loss);
  return true;
}

/* With all rows in every step and parameters that stand still, only the noise changes the loss. */
TEST(noise_is_drawn_anew_at_every_step) {
  static double x[ROWS];
  for (int row = 0; row < ROWS; row++) x[row] = floor(-2 * log(uniform(row, 0)));
  sl_context *context = new_context();
  for (int typed = 0; typed < 2; typed++) {
    sl_fit_data data = {.size = sizeof data,
                        .x = sl_in_f64(x, ROWS, 1),
                        .columns = typed ? "1: count" : "1: real width(1)"};
    sl_fit_options options = short_fit(6, "loc");
    losses seen = {0};
    options.rate = 1e-12;
    options.batch = ROWS;
    options.valid_every = 1;
    options.progress = watch;
    options.progress_user = &seen;
    sl_flow *flow = NULL;
    REQUIRE_OK(context, sl_fit(context, &data, &options, &flow, NULL));
    CHECK(seen.count >= 6 && seen.most - seen.least > 1e-3);
    sl_flow_free(flow);
  }
  sl_context_free(context);
}

/* Lengths rounded to whole numbers, with many zeros: the noise of a zero stays above 0. */
TEST(rounded_positive_values) {
  static double x[ROWS];
  for (int row = 0; row < ROWS; row++) x[row] = floor(-2 * log(uniform(row, 0)) + 0.5);
  sl_context *context = new_context();
  sl_fit_data data = {
      .size = sizeof data, .x = sl_in_f64(x, ROWS, 1), .columns = "1: positive width(1)"};
  sl_fit_options options = short_fit(300, NULL);
  sl_fit_report report = {.size = sizeof report};
  sl_flow *flow = NULL;
  REQUIRE_OK(context, sl_fit(context, &data, &options, &flow, &report));
  CHECK(report.skipped == 0);
  CHECK_CLOSE(report.test.log_prob, -1 - log(2), 0.2); /* the exponential's entropy */
  sl_flow_free(flow);
  sl_context_free(context);
}

/* A row of weight 2 is that row twice: the same scales, steps and loss. */
TEST(weights_are_repetitions) {
  enum { FEW = 60 };
  static double once[FEW * 2], weight[FEW], twice[2 * FEW * 2];
  int64_t count = 0;
  for (int row = 0; row < FEW; row++) {
    once[2 * row] = exp(normal(row, 0));
    once[2 * row + 1] = normal(row, 1) + once[2 * row];
    weight[row] = 1 + row % 2;
    for (int k = 0; k <= row % 2; k++, count++)
      memcpy(twice + 2 * count, once + 2 * row, 2 * sizeof(double));
  }
  sl_context *context = new_context();
  sl_fit_options options = short_fit(40, "lu-maf(affine,hidden=8)");
  options.valid_fraction = options.test_fraction = 0;
  options.dequantize = 0;
  options.precision = SL_F64;
  options.batch = 10 * FEW; /* all rows in every step */
  sl_fit_report report[2];
  for (int k = 0; k < 2; k++) {
    sl_fit_data data = {.size = sizeof data,
                        .x = k == 0 ? sl_in_f64(once, FEW, 2) : sl_in_f64(twice, count, 2),
                        .columns = "1: positive"};
    if (k == 0) data.weight = sl_in_f64(weight, FEW, 1);
    sl_flow *flow = NULL;
    report[k] = (sl_fit_report){.size = sizeof report[k]};
    CHECK_OK(context, sl_fit(context, &data, &options, &flow, &report[k]));
    sl_flow_free(flow);
  }
  CHECK_CLOSE(report[0].train.log_prob, report[1].train.log_prob, 1e-9);
  CHECK_CLOSE(report[0].train.log_prob_standardized, report[1].train.log_prob_standardized, 1e-9);
  sl_context_free(context);
}

/* The same of rows held out in arrays of their own: their means, standard errors, and what is
 * refused. */
TEST(weights_of_held_out_rows) {
  enum { FEW = 200, SETS = 2 };
  static double x[FEW], held[FEW], weight[FEW], twice[2 * FEW];
  int64_t count = 0;
  double large[FEW];
  for (int row = 0; row < FEW; row++) {
    x[row] = normal(row, 0);
    held[row] = normal(row, 1);
    weight[row] = row % 3;
    large[row] = 1e-60 * weight[row];
    for (int k = 0; k < row % 3; k++) twice[count++] = held[row];
  }
  sl_context *context = new_context();
  sl_fit_options options = short_fit(40, "scale-loc");
  options.dequantize = 0;
  sl_fit_report report[3];
  for (int k = 0; k < 3; k++) {
    sl_array_in rows = k == 1 ? sl_in_f64(twice, count, 1) : sl_in_f64(held, FEW, 1);
    sl_fit_data data = {
        .size = sizeof data, .x = sl_in_f64(x, FEW, 1), .valid_x = rows, .test_x = rows};
    if (k != 1) data.valid_weight = data.test_weight = sl_in_f64(k == 0 ? weight : large, FEW, 1);
    sl_flow *flow = NULL;
    report[k] = (sl_fit_report){.size = sizeof report[k]};
    CHECK_OK(context, sl_fit(context, &data, &options, &flow, &report[k]));
    sl_flow_free(flow);
  }
  CHECK_INTEGER(report[0].test.rows, FEW);
  CHECK_CLOSE(report[0].test.log_prob, report[1].test.log_prob, 1e-6);
  CHECK_CLOSE(report[0].valid.log_prob, report[1].valid.log_prob, 1e-6);
  CHECK_CLOSE(report[2].test.log_prob, report[0].test.log_prob, 1e-6); /* ratios count alone */
  /* A weighted mean is less certain than that of as many independent rows as weights add up to. */
  CHECK(report[0].test.se > 1.05 * report[1].test.se);
  sl_fit_data data = {
      .size = sizeof data, .x = sl_in_f64(x, FEW, 1), .test_weight = sl_in_f64(weight, FEW, 1)};
  sl_flow *flow = NULL;
  CHECK(sl_fit(context, &data, &options, &flow, NULL) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "the weight of the test rows is given without them") != NULL);
  data.test_x = sl_in_f64(held, FEW, 1);
  weight[7] = -1;
  CHECK(sl_fit(context, &data, &options, &flow, NULL) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "the weight of row 8 of the test rows is negative") != NULL);
  data.test_weight = sl_in_f64(twice, count, 1);
  CHECK(sl_fit(context, &data, &options, &flow, NULL) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "should be 200 x 1") != NULL);
  sl_context_free(context);
}

/* Von Mises of concentration 8 around 350 degrees: its entropy is known, and few steps suffice. */
TEST(one_angle_is_learned_soon) {
  enum { MANY = 3000, SEEDS = 3 };
  static double x[MANY];
  double bessel = 1, term = 1;
  for (int k = 1; k < 60; k++) bessel += term *= 16.0 / (k * k);
  const double pi = acos(-1);
  sl_context *context = new_context();
  for (int seed = 0; seed < SEEDS; seed++) {
    double best = 0;
    int64_t draw = 0;
    for (int row = 0; row < MANY; draw++) { /* by rejection from the uniform density */
      const double u = uniform(draw, 10 + 2 * (uint32_t)seed), angle = 2 * pi * u;
      if (uniform(draw, 11 + 2 * (uint32_t)seed) > exp(8 * (cos(angle) - 1))) continue;
      x[row++] = fmod(350 + 360 * u, 360);
      if (row > 0.8 * MANY) best += (8 * cos(angle) - log(360 * bessel)) / (0.2 * MANY);
    }
    sl_fit_data data = {.size = sizeof data,
                        .x = sl_in_f64(x, MANY * 8 / 10, 1),
                        .test_x = sl_in_f64(x + MANY * 8 / 10, MANY * 2 / 10, 1),
                        .columns = "1: periodic(0,360)"};
    sl_fit_options options = short_fit(250, NULL);
    options.seed = (uint64_t)seed;
    sl_fit_report report = {.size = sizeof report};
    sl_flow *flow = NULL;
    REQUIRE_OK(context, sl_fit(context, &data, &options, &flow, &report));
    printf("  seed %d: %.4f of %.4f nats\n", seed, report.test.log_prob, best);
    CHECK(report.test.log_prob > best - 0.06);
    CHECK(report.test.log_prob < best + 0.06);
    sl_flow_free(flow);
  }
  sl_context_free(context);
}

/* ---- is it worth it? ---- */

static double exponential(int row) {
  return -log(uniform(row, 0));
}
static double arcsine(int row) { /* piles up at both ends */
  return 0.5 - 0.5 * cos(3.14159265358979 * uniform(row, 0));
}
static double northerly(int row) { /* around the seam */
  return fmod(360 + 25 * normal(row, 0), 360);
}
static double geometric(int row) {
  return floor(2 * exponential(row));
}

TEST(a_type_beats_none) {
  static const struct {
    const char *type;
    double (*draw)(int row);
    double margin; /* nats per row */
  } cases[] = {
      {"positive", exponential, 0.02},
      {"interval(0,1)", arcsine, 0.05},
      {"periodic(0,360)", northerly, 0.1},
      {"count", geometric, 0},
  };
  static double x[ROWS];
  sl_context *context = new_context();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    double score[2];
    char columns[64];
    snprintf(columns, sizeof columns, "1: %s", cases[i].type);
    for (int row = 0; row < ROWS; row++) x[row] = cases[i].draw(row);
    for (int typed = 0; typed < 2; typed++) {
      sl_fit_data data = {
          .size = sizeof data, .x = sl_in_f64(x, ROWS, 1), .columns = typed ? columns : NULL};
      sl_fit_options options = short_fit(400, NULL); /* the default flow */
      options.test_fraction = 0.3;
      sl_fit_report report = {.size = sizeof report};
      sl_flow *flow = NULL;
      REQUIRE_OK(context, sl_fit(context, &data, &options, &flow, &report));
      score[typed] = report.test.log_prob;
      sl_flow_free(flow);
    }
    printf("  %-16s %.4f with its type, %.4f without\n", cases[i].type, score[1], score[0]);
    CHECK(score[1] > score[0] + cases[i].margin);
  }
  sl_context_free(context);
}
