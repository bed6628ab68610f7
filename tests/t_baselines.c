/* The Gaussian and the mixture baseline: against closed forms, against densities that are known,
 * and against figures of scikit-learn on real data where those are at hand (SLUICE_SHARED_DATA
 * names the folder). */
#include <stdlib.h>
#include "check.h"
#include "base/random.h"
#include "base/text.h"
#include "infer/infer.h"
#include "io/io.h"

static const double log_two_pi = 1.83787706640934548356;

static sl_context *open_context(int threads) {
  const sl_context_options options = {.size = sizeof options, .threads = threads};
  sl_context *context = NULL;
  CHECK(sl_context_new(&options, &context) == SL_OK);
  return context;
}

static double normal(int64_t row, int feature) {
  return sl__random_normal((sl__random_key){1, SL__STREAM_TEST, 0}, (uint64_t)row,
                           (uint32_t)feature);
}

/* ---- means over the test rows ---- */

static void summarise(int64_t count, const double *values, double *mean, double *error) {
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < count; i++) sum += values[i];
  *mean = sum / (double)count;
  for (int64_t i = 0; i < count; i++) squares += (values[i] - *mean) * (values[i] - *mean);
  *error = sqrt(squares) / (double)count;
}

static sl_status gaussian_score(sl_context *context, int64_t rows, int64_t test_rows, int32_t dim,
                                const double *train, const double *test, double *log_prob,
                                double *error) {
  double *values = calloc((size_t)test_rows + 1, sizeof *values);
  sl_status status =
      sl__baseline_gaussian(context, rows, test_rows, dim, train, test, values);
  summarise(test_rows, values, log_prob, error);
  free(values);
  return status;
}

static sl_status mixture_score(sl_context *context, int64_t rows, int64_t test_rows, int32_t dim,
                               const double *train, const double *test, uint64_t seed,
                               double *log_prob, double *error, int32_t *components) {
  double *values = calloc((size_t)test_rows + 1, sizeof *values);
  sl_status status = sl__baseline_mixture(context, rows, test_rows, dim, train, test, seed, values,
                                          components);
  summarise(test_rows, values, log_prob, error);
  free(values);
  return status;
}

/* One column: everything has a closed form. */
TEST(gaussian_of_one_column) {
  enum { ROWS = 1000, TEST_ROWS = 300 };
  static double train[ROWS], test[TEST_ROWS];
  double mean = 0, variance = 0, expected = 0, squares = 0;
  for (int r = 0; r < ROWS; r++) train[r] = 5 + 2 * normal(r, 0), mean += train[r] / ROWS;
  for (int r = 0; r < ROWS; r++) variance += (train[r] - mean) * (train[r] - mean) / ROWS;
  for (int r = 0; r < TEST_ROWS; r++) {
    test[r] = 5 + 2 * normal(r, 1);
    const double term =
        -0.5 * (log_two_pi + log(variance) + (test[r] - mean) * (test[r] - mean) / variance);
    expected += term / TEST_ROWS;
    squares += term * term / TEST_ROWS;
  }
  sl_context *context = open_context(1);
  double log_prob, error;
  REQUIRE_OK(context,
             gaussian_score(context, ROWS, TEST_ROWS, 1, train, test, &log_prob, &error));
  CHECK_CLOSE(log_prob, expected, 1e-12);
  CHECK_CLOSE(error, sqrt((squares - expected * expected) / TEST_ROWS), 1e-10);
  sl_context_free(context);
}

enum { DIM = 5, MANY = 3000 };

/* Rows of a linear map of noise, whose density at any row is known. */
static void fill_linear(double *x, int64_t rows, int64_t first) {
  for (int64_t r = 0; r < rows; r++) {
    double sum = 3;
    for (int i = 0; i < DIM; i++) {
      sum = 0.6 * sum + (i + 1) * normal(first + r, i);
      x[r * DIM + i] = sum;
    }
  }
}

TEST(gaussian_reaches_the_entropy) {
  static double train[MANY * DIM], test[MANY * DIM];
  fill_linear(train, MANY, 0);
  fill_linear(test, MANY, MANY);
  /* The map is triangular: log det is log 5!. */
  const double entropy = 0.5 * DIM * (log_two_pi + 1) + log(120);
  sl_context *context = open_context(2);
  double log_prob, error;
  REQUIRE_OK(context,
             gaussian_score(context, MANY, MANY, DIM, train, test, &log_prob, &error));
  CHECK(fabs(log_prob + entropy) < 4 * error + DIM * (DIM + 3) / 2.0 / MANY);
  CHECK_CLOSE(error, sqrt(0.5 * DIM / MANY), 0.1);
  sl_context_free(context);
}

TEST(gaussian_of_singular_data_is_finite) {
  static double train[MANY * DIM], test[MANY * DIM];
  fill_linear(train, MANY, 0);
  for (int r = 0; r < MANY; r++) train[r * DIM + 4] = train[r * DIM] - train[r * DIM + 1];
  memcpy(test, train, sizeof test);
  sl_context *context = open_context(1);
  double log_prob, error;
  REQUIRE_OK(context,
             gaussian_score(context, MANY, MANY, DIM, train, test, &log_prob, &error));
  CHECK(isfinite(log_prob) && isfinite(error));
  sl_context_free(context);
}

/* Five separated Gaussians of different shapes; entropy = log 5 + mean of the parts' entropies. */
static void fill_mixture(double *x, int64_t rows, int64_t first) {
  for (int64_t r = 0; r < rows; r++) {
    const int k = (int)((first + r) % 5);
    const double a = normal(first + r, 0), b = normal(first + r, 1);
    x[2 * r] = 1000 * (10 * k + 0.2 * (k + 1) * a);
    x[2 * r + 1] = (k % 2 ? 5 : -5) + 0.3 * a + 0.1 * b;
  }
}

TEST(mixture_reaches_the_entropy) {
  static double train[2 * MANY], test[2 * MANY];
  fill_mixture(train, MANY, 0);
  fill_mixture(test, MANY, MANY);
  double entropy = log(5) + log_two_pi + 1;
  for (int k = 0; k < 5; k++) entropy += log(1000 * 0.2 * (k + 1) * 0.1) / 5;
  sl_context *context = open_context(2);
  double log_prob, error;
  int32_t components;
  REQUIRE_OK(context, mixture_score(context, MANY, MANY, 2, train, test, 3, &log_prob,
                                           &error, &components));
  CHECK(components >= 5);
  if (!CHECK(fabs(log_prob + entropy) < 4 * error + 0.03))
    printf("  %.4f +- %.4f against %.4f\n", log_prob, error, -entropy);
  sl_context_free(context);
}

TEST(one_gaussian_needs_few_components) {
  static double train[MANY * DIM], test[MANY * DIM];
  fill_linear(train, MANY, 0);
  fill_linear(test, MANY, MANY);
  sl_context *context = open_context(1);
  double mixture, gaussian, error;
  int32_t components;
  REQUIRE_OK(context, mixture_score(context, MANY, MANY, DIM, train, test, 3, &mixture,
                                           &error, &components));
  REQUIRE_OK(context,
             gaussian_score(context, MANY, MANY, DIM, train, test, &gaussian, &error));
  CHECK(components <= 2);
  CHECK(fabs(mixture - gaussian) < 0.02);
  sl_context_free(context);
}

TEST(threads_change_no_bit) {
  static double train[2 * MANY], test[2 * MANY];
  fill_mixture(train, MANY, 0);
  fill_mixture(test, MANY, MANY);
  double first[4] = {0};
  for (int threads = 1; threads <= 8; threads *= 2) {
    sl_context *context = open_context(threads);
    double now[4];
    int32_t components;
    CHECK_OK(context, gaussian_score(context, MANY, MANY, 2, train, test, &now[0], &now[1]));
    CHECK_OK(context, mixture_score(context, MANY, MANY, 2, train, test, 3, &now[2], &now[3],
                                           &components));
    if (threads == 1) memcpy(first, now, sizeof now);
    CHECK(memcmp(first, now, sizeof now) == 0);
    sl_context_free(context);
  }
}

TEST(a_handful_of_rows_falls_back_to_the_gaussian) {
  double train[10] = {1, 2, 3, 4, 5, 7, 8, 9, 11, 12}, mixture, gaussian, error;
  int32_t components;
  sl_context *context = open_context(1);
  REQUIRE_OK(context, mixture_score(context, 5, 5, 2, train, train, 0, &mixture, &error,
                                           &components));
  REQUIRE_OK(context, gaussian_score(context, 5, 5, 2, train, train, &gaussian, &error));
  CHECK(components == 1 && mixture == gaussian);
  CHECK_INTEGER(gaussian_score(context, 0, 5, 2, train, train, &gaussian, &error),
                SL_BAD_ARGUMENT);
  sl_context_free(context);
}

/* ---- the shared data sets ---- */

static double *read_set(sl_context *context, const char *folder, const char *name, const char *part,
                        sl__table *table) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s_%s.npy", folder, name, part);
  if (!CHECK_OK(context, sl__table_read(context, path, NULL, table))) return NULL;
  const int64_t count = table->rows * table->columns;
  double *x = malloc((size_t)count * sizeof *x);
  for (int64_t i = 0; i < count; i++)
    x[i] = table->type == SL_F32 ? (double)((float *)table->data)[i] : ((double *)table->data)[i];
  return x;
}

/* gaussian: the same number (scikit-learn's ridge is 1e-6, float32 data: 1e-4 nats); mixture: not
 * clearly worse (EM has many optima). */
static void compare(const char *name, double gaussian, double mixture, double mixture_error) {
  const char *folder = getenv("SLUICE_SHARED_DATA");
  if (!folder) SKIP("SLUICE_SHARED_DATA is not set");
  sl_context *context = open_context(2);
  sl__table train_table, test_table;
  double *train = read_set(context, folder, name, "train", &train_table);
  double *test = read_set(context, folder, name, "test", &test_table);
  REQUIRE(train && test);
  const int32_t dim = (int32_t)train_table.columns;
  double log_prob, error;
  int32_t components = 0;
  CHECK_OK(context, gaussian_score(context, train_table.rows, test_table.rows, dim, train,
                                          test, &log_prob, &error));
  CHECK_CLOSE(log_prob, gaussian, 1e-3);
  CHECK_OK(context, mixture_score(context, train_table.rows, test_table.rows, dim, train,
                                         test, 0, &log_prob, &error, &components));
  if (!CHECK(log_prob > mixture - 2 * mixture_error))
    printf("  %s: %.4f +- %.4f with %d components against %.4f\n", name, log_prob, error,
           (int)components, mixture);
  free(train);
  free(test);
  sl__table_close(&train_table);
  sl__table_close(&test_table);
  sl_context_free(context);
}

TEST(shared_faithful) {
  compare("faithful", -2.313806, -1.33419, 0.2037);
}
TEST(shared_city2d) {
  compare("city2d", -2.846780, -1.13113, 0.0244);
}
TEST(shared_magic10) {
  compare("magic10", -10.909416, -5.05042, 0.1196);
}
TEST(shared_higgs24) {
  compare("higgs24", -31.324383, -26.79174, 0.2850);
}
TEST(shared_flow5) {
  compare("flow5", -6.594360, -4.28480, 0.0248);
}
TEST(shared_diamonds7) {
  compare("diamonds7", -1.833970, 3.97378, 0.1539);
}
TEST(shared_miniboone43) {
  compare("miniboone43", -37.649, -33.677, 1);
}
TEST(shared_digits64) {
  compare("digits64", -70.194, -63.940, 1);
}
TEST(shared_power6h1) {
  compare("power6h1", -7.861608, 0.63126, 0.0211);
}
