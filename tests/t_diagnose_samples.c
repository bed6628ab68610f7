/* Distances between two samples against their definitions, spelt out; the floor and the p-value
 * against what independent samples show. */
#include "base/random.h"
#include "diagnose_fixture.h"

static void draw(uint32_t step, int count, double shift, double *x) {
  sl__random_key key = {8, SL__STREAM_TEST, step};
  for (int i = 0; i < count; i++) x[i] = shift + sl__random_normal(key, (uint64_t)i, 0);
}

/* By the inverse distribution functions: the mean distance of equally many sorted values. */
TEST(wasserstein_of_shifted_and_paired) {
  sl_context *context = open_context(1);
  double a[200], b[200];
  draw(0, 200, 0, a);
  double sum = 0, squares = 0;
  for (int i = 0; i < 200; i++) {
    b[199 - i] = a[i] + 0.25;
    sum += a[i];
    squares += a[i] * a[i];
  }
  const double sd = sqrt((squares - sum * sum / 200) / 199);
  sl__series first = {1, 200, a, 0, 1}, second = {2, 100, b, 100, 1};
  sl__wasserstein out;
  REQUIRE_OK(context, sl__wasserstein_distance(context, &first, &second, 200, 200, &out));
  CHECK_CLOSE(out.distance, 0.25 / sd, 1e-12);
  /* Unequal sizes: {0, 1} against {0, 0, 3}: areas 1 * (2/3 - 1/2) and 2 * 1/3. */
  const double few[] = {0, 1}, more[] = {3, 0, 0};
  sl__series two = {1, 2, few, 0, 1}, three = {1, 3, more, 0, 1};
  REQUIRE_OK(context, sl__wasserstein_distance(context, &two, &three, 2, 3, &out));
  CHECK_CLOSE(out.distance, (1.0 / 6 + 2.0 / 3) / sqrt(0.5 * (0.5 + 3)), 1e-12);
  a[3] = NAN;
  REQUIRE_OK(context, sl__wasserstein_distance(context, &first, &second, 200, 200, &out));
  CHECK(isnan(out.distance));
  sl_context_free(context);
}

/* Units of 1e160 or 1e-300, whose squares are no numbers any more, change nothing. */
TEST(distances_in_extreme_units) {
  enum { COUNT = 200 };
  static const double units[] = {1, 1e160, 1e-300, 1e300, 1e-306};
  sl_context *context = open_context(1);
  double a[COUNT], b[COUNT], x[COUNT], y[COUNT], plain[3] = {0};
  draw(3, COUNT, 0, a);
  draw(4, COUNT, 0.5, b);
  for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
    for (int i = 0; i < COUNT; i++) {
      x[i] = a[i] * units[u];
      y[i] = b[i] * units[u];
    }
    const sl__series of_x = {1, COUNT, x, 0, 1}, of_y = {1, COUNT, y, 0, 1};
    const sl__sample first = {COUNT, 1, x, 1, 1, COUNT}, second = {COUNT, 1, y, 1, 1, COUNT};
    sl__wasserstein area;
    sl__energy_test test;
    REQUIRE_OK(context, sl__wasserstein_distance(context, &of_x, &of_y, COUNT, COUNT, &area));
    REQUIRE_OK(context, sl__energy_distance(context, &first, &second, COUNT, 99, 1, &test));
    const double got[3] = {area.distance, area.floor, test.distance};
    for (int k = 0; k < 3; k++) {
      if (u == 0) plain[k] = got[k];
      CHECK_CLOSE(got[k], plain[k], 1e-8);
    }
    CHECK(test.p_value == 0.01);
  }
  sl_context_free(context);
}

TEST(wasserstein_floor_is_the_mean_of_exact_samples) {
  sl_context *context = open_context(1);
  double a[300], b[500], distance = 0, floor = 0;
  for (uint32_t run = 0; run < 300; run++) {
    draw(10 + 2 * run, 300, 0, a);
    draw(11 + 2 * run, 500, 0, b);
    sl__series first = {1, 300, a, 0, 1}, second = {1, 500, b, 0, 1};
    sl__wasserstein out;
    REQUIRE_OK(context, sl__wasserstein_distance(context, &first, &second, 300, 500, &out));
    distance += out.distance / 300;
    floor += out.floor / 300;
  }
  CHECK_CLOSE(distance / floor, 1, 0.05);
  sl_context_free(context);
}

/* Means of distances as the definition has them, on columns divided by their pooled sd. */
static double energy_by_definition(int n, int m, int columns, const double *a, const double *b) {
  double mean[3] = {0, 0, 0}, scale[8];
  for (int c = 0; c < columns; c++) {
    double variance = 0;
    for (int of = 0; of < 2; of++) {
      const double *x = of ? b : a;
      const int count = of ? m : n;
      double centre = 0, squares = 0;
      for (int i = 0; i < count; i++) centre += x[i * columns + c] / count;
      for (int i = 0; i < count; i++)
        squares += (x[i * columns + c] - centre) * (x[i * columns + c] - centre);
      variance += 0.5 * squares / (count - 1);
    }
    scale[c] = sqrt(variance);
  }
  for (int pair = 0; pair < 3; pair++) {
    const double *x = pair == 2 ? b : a, *y = pair == 1 ? a : b;
    const int rows = pair == 2 ? m : n, others = pair == 1 ? n : m;
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < others; j++) {
        double square = 0;
        for (int c = 0; c < columns; c++)
          square += pow((x[i * columns + c] - y[j * columns + c]) / scale[c], 2);
        mean[pair] += sqrt(square) / rows / others;
      }
  }
  return 2 * mean[0] - mean[1] - mean[2];
}

TEST(energy_distance_by_definition) {
  enum { N = 40, M = 25, COLUMNS = 3 };
  sl_context *context = open_context(1);
  double a[N * COLUMNS], b[M * COLUMNS];
  draw(1, N * COLUMNS, 0, a);
  draw(2, M * COLUMNS, 0.4, b);
  for (int i = 0; i < N; i++) a[i * COLUMNS] *= 100;
  for (int i = 0; i < M; i++) b[i * COLUMNS] *= 100;
  sl__sample first = {N, COLUMNS, a, COLUMNS, 1, N}, second = {M, COLUMNS, b, COLUMNS, 1, M};
  sl__energy_test out, again;
  REQUIRE_OK(context, sl__energy_distance(context, &first, &second, 500, 99, 7, &out));
  CHECK(out.rows_a == N && out.rows_b == M);
  CHECK_CLOSE(out.distance, energy_by_definition(N, M, COLUMNS, a, b), 1e-12);
  REQUIRE_OK(context, sl__energy_distance(context, &first, &second, 500, 99, 7, &again));
  CHECK(again.p_value == out.p_value && again.distance == out.distance);
  second.effective = 12.7; /* as many rows as they are worth */
  REQUIRE_OK(context, sl__energy_distance(context, &first, &second, 30, 9, 7, &out));
  CHECK(out.rows_a == 30 && out.rows_b == 12);
  second.columns = 2;
  CHECK(sl__energy_distance(context, &first, &second, 30, 9, 7, &out) == SL_BAD_ARGUMENT);
  sl_context_free(context);
}

/* Under equal distributions the p-value is uniform on its steps; a shift of half an sd is seen. */
TEST(energy_p_values) {
  enum { ROWS = 40, RUNS = 200 };
  sl_context *context = open_context(1);
  double a[ROWS * 2], b[ROWS * 2];
  int below_fifth = 0, seen = 0;
  for (uint32_t run = 0; run < RUNS; run++) {
    sl__energy_test out;
    sl__sample first = {ROWS, 2, a, 2, 1, ROWS}, second = {ROWS, 2, b, 2, 1, ROWS};
    draw(2000 + 2 * run, ROWS * 2, 0, a);
    draw(2001 + 2 * run, ROWS * 2, 0, b);
    REQUIRE_OK(context, sl__energy_distance(context, &first, &second, 500, 49, run, &out));
    below_fifth += out.p_value <= 0.2;
    for (int i = 0; i < ROWS * 2; i++) b[i] += 0.7;
    REQUIRE_OK(context, sl__energy_distance(context, &first, &second, 500, 49, run, &out));
    seen += out.p_value <= 0.05;
  }
  CHECK(abs(below_fifth - RUNS / 5) < 24); /* four standard deviations of a binomial count */
  CHECK(seen > 0.9 * RUNS);
  sl_context_free(context);
}
