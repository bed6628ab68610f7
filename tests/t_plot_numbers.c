/* The numbers behind figures against exact densities, plain sums and shapes whose area is known. */
#include "check.h"
#include "plot/numbers.h"

static sl_context *open_context(void) {
  sl_context *context = NULL;
  return sl_context_new(NULL, &context) == SL_OK ? context : NULL;
}

/* Evenly spread normal quantiles by bisection: a sample without noise. */
static double quantile(double p) {
  double low = -9, high = 9;
  for (int i = 0; i < 60; i++) {
    const double middle = 0.5 * (low + high);
    if (0.5 * erfc(-middle / sqrt(2)) < p)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static double normal(double x) {
  return exp(-0.5 * x * x) / sqrt(2 * acos(-1));
}

enum { LINE = 512, PLANE = 96, ROWS = 4000 };

TEST(quantiles_are_linear_between_order_statistics) {
  sl_context *context = open_context();
  const double x[] = {5, NAN, 1, 3, INFINITY, 2, 4};
  const double wanted[] = {0, 0.25, 0.6, 1};
  double out[4];
  const sl__numbers numbers = {7, x, 1};
  REQUIRE_OK(context, sl__quantiles(context, &numbers, 4, wanted, out));
  CHECK_CLOSE(out[0], 1, 0);
  CHECK_CLOSE(out[1], 2, 0);
  CHECK_CLOSE(out[2], 3.4, 1e-15);
  CHECK_CLOSE(out[3], 5, 0);
  sl_context_free(context);
}

TEST(ranges_are_never_empty) {
  sl_context *context = open_context();
  const double same[] = {3, 3, 3}, none[] = {NAN}, zero[] = {0, 0};
  const sl__numbers sets[] = {{3, same, 1}, {1, none, 1}, {2, zero, 1}};
  for (int i = 0; i < 3; i++) {
    sl__range range;
    REQUIRE_OK(context, sl__central_range(context, &sets[i], &range));
    CHECK(range.high > range.low);
  }
  const double positive[] = {0.01, 3, 9}, fraction[] = {0, 0.4, 1}, real[] = {-0.1, 0.5, 1};
  sl__range range;
  REQUIRE_OK(context, sl__central_range(context, &(sl__numbers){3, positive, 1}, &range));
  CHECK(range.low == 0 && range.high > 9);
  REQUIRE_OK(context, sl__central_range(context, &(sl__numbers){3, fraction, 1}, &range));
  CHECK(range.low == 0 && range.high == 1);
  REQUIRE_OK(context, sl__central_range(context, &(sl__numbers){3, real, 1}, &range));
  CHECK(range.low < -0.1 && range.high > 1);
  CHECK_CLOSE(sl__mark_step((sl__range){0, 10}, 5), 2, 1e-15);
  CHECK_CLOSE(sl__mark_step((sl__range){0, 0.9}, 4), 0.5, 1e-15);
  CHECK_CLOSE(sl__mark_step((sl__range){-3e4, 4e4}, 7), 1e4, 1e-11);
  sl_context_free(context);
}

TEST(histogram_is_a_density) {
  const double x[] = {0, 0.1, 0.26, 0.5, 0.99, 1, 7, -1};
  double density[4];
  const sl__numbers numbers = {8, x, 1};
  sl__histogram(&numbers, (sl__range){0, 1}, 4, density);
  CHECK_CLOSE(density[0] * 0.25, 2.0 / 8, 1e-15);
  CHECK_CLOSE(density[1] * 0.25, 1.0 / 8, 1e-15);
  CHECK_CLOSE(density[2] * 0.25, 1.0 / 8, 1e-15);
  CHECK_CLOSE(density[3] * 0.25, 2.0 / 8, 1e-15);
}

TEST(smoothed_line_comes_near_a_normal) {
  sl_context *context = open_context();
  static double x[ROWS];
  double density[LINE], sum = 0, worst = 0;
  const sl__range range = {-4, 4};
  for (int r = 0; r < ROWS; r++) x[r] = quantile((r + 0.5) / ROWS);
  const sl__numbers numbers = {ROWS, x, 1};
  REQUIRE_OK(context, sl__smooth_line(context, &numbers, range, LINE, density));
  for (int i = 0; i < LINE; i++) {
    sum += density[i] * 8 / (LINE - 1);
    worst = fmax(worst, fabs(density[i] - normal(sl__node_at(range, i, LINE))));
  }
  CHECK_CLOSE(sum, 1, 1e-3);
  CHECK(worst < 0.012);
  sl_context_free(context);
}

/* Two narrow peaks far apart: the width that is right for one normal would wash them out. */
TEST(smoothed_line_keeps_modes) {
  sl_context *context = open_context();
  static double x[ROWS];
  double density[LINE];
  const sl__range range = {-3, 3};
  for (int r = 0; r < ROWS; r++)
    x[r] = (r % 2 ? 2 : -2) + 0.1 * quantile((r / 2 + 0.5) / (ROWS / 2));
  const sl__numbers numbers = {ROWS, x, 1};
  REQUIRE_OK(context, sl__smooth_line(context, &numbers, range, LINE, density));
  double most = 0;
  for (int i = 0; i < LINE; i++) most = fmax(most, density[i]);
  CHECK(most > 0.7 * 0.5 * normal(0) / 0.1);
  CHECK(density[LINE / 2] < 1e-6);
  sl_context_free(context);
}

/* Densities that end where they are high: nothing lies beyond the end, nothing is lost there. */
TEST(smoothed_line_ends_where_the_support_does) {
  sl_context *context = open_context();
  static double x[2][ROWS];
  double density[LINE];
  const sl__range ranges[] = {{0, 9}, {-1.003, 9}, {-0.2, 1.3}};
  for (int r = 0; r < ROWS; r++) {
    x[0][r] = -log1p(-(r + 0.5) / ROWS); /* exponential */
    x[1][r] = (r + 0.5) / ROWS;          /* uniform */
  }
  for (int k = 0; k < 3; k++) {
    const bool uniform = k == 2;
    const sl__numbers numbers = {ROWS, x[uniform], 1};
    const double step = (ranges[k].high - ranges[k].low) / (LINE - 1);
    double sum = 0, worst = 0, beyond = 0;
    REQUIRE_OK(context, sl__smooth_line(context, &numbers, ranges[k], LINE, density));
    for (int i = 0; i < LINE; i++) {
      const double at = sl__node_at(ranges[k], i, LINE);
      if (at < 0 || (uniform && at > 1)) {
        beyond = fmax(beyond, density[i]);
        continue;
      }
      sum += density[i] * step * (at < step && at > 0 ? 1 : i == 0 ? 0.5 : 1);
      worst = fmax(worst, fabs(density[i] - (uniform ? 1 : exp(-at))));
    }
    CHECK(beyond == 0);
    CHECK_CLOSE(sum, 1, 0.01);
    CHECK(worst <
          0.15); /* a mirrored kernel is level at the end: 0.8 slope widths off; without, 0.5 */
  }
  sl_context_free(context);
}

/* The same in the plane, at a corner where both axes end. */
TEST(smoothed_plane_ends_where_the_support_does) {
  sl_context *context = open_context();
  enum { SIDE = 80 };
  static double x[SIDE * SIDE], y[SIDE * SIDE], density[PLANE * PLANE];
  const sl__range range = {0, 5};
  for (int r = 0; r < SIDE * SIDE; r++) {
    x[r] = -log1p(-(r % SIDE + 0.5) / SIDE);
    y[r] = -log1p(-(r / SIDE + 0.5) / SIDE);
  }
  const sl__numbers first = {SIDE * SIDE, x, 1}, second = {SIDE * SIDE, y, 1};
  REQUIRE_OK(context, sl__smooth_plane(context, &first, &second, range, range, PLANE, density));
  double worst = 0;
  for (int n = 0; n < PLANE * PLANE; n++) {
    const double a = sl__node_at(range, n % PLANE, PLANE), b = sl__node_at(range, n / PLANE, PLANE);
    worst = fmax(worst, fabs(density[n] - exp(-a - b)));
  }
  CHECK(worst < 0.25);
  sl_context_free(context);
}

/* A grid of independent quantiles: 0.8 wide in x, 1.5 in y. */
TEST(smoothed_plane_comes_near_a_normal) {
  sl_context *context = open_context();
  enum { SIDE = 80 };
  static double x[SIDE * SIDE], y[SIDE * SIDE], density[PLANE * PLANE];
  const sl__range range_x = {-3.2, 3.2}, range_y = {-6, 6};
  for (int r = 0; r < SIDE * SIDE; r++) {
    x[r] = 0.8 * quantile((r % SIDE + 0.5) / SIDE);
    y[r] = 1.5 * quantile((r / SIDE + 0.5) / SIDE);
  }
  const sl__numbers first = {SIDE * SIDE, x, 1}, second = {SIDE * SIDE, y, 1};
  REQUIRE_OK(context, sl__smooth_plane(context, &first, &second, range_x, range_y, PLANE, density));
  double sum = 0, worst = 0;
  for (int n = 0; n < PLANE * PLANE; n++) {
    const double a = sl__node_at(range_x, n % PLANE, PLANE) / 0.8;
    const double b = sl__node_at(range_y, n / PLANE, PLANE) / 1.5;
    sum += density[n] * 6.4 * 12 / ((PLANE - 1) * (PLANE - 1));
    worst = fmax(worst, fabs(density[n] - normal(a) * normal(b) / 1.2));
  }
  CHECK_CLOSE(sum, 1, 5e-3);
  CHECK(worst < 0.15 * normal(0) * normal(0) / 1.2);
  sl_context_free(context);
}

/* ---- levels and contours ---- */

static void fill_normal(sl__range range, double *density) {
  for (int n = 0; n < PLANE * PLANE; n++)
    density[n] =
        normal(sl__node_at(range, n % PLANE, PLANE)) * normal(sl__node_at(range, n / PLANE, PLANE));
}

/* Of a normal in the plane the region of mass p is a disc of radius sqrt(-2 log(1 - p)). */
TEST(mass_levels_and_contours_of_a_normal) {
  sl_context *context = open_context();
  static double density[PLANE * PLANE];
  static const double shares[] = {0.95, 0.9, 0.5};
  const sl__range range = {-5, 5.37}; /* off the middle, so that few nodes tie */
  double levels[3];
  sl__loops loops;
  fill_normal(range, density);
  REQUIRE_OK(context, sl__mass_levels(context, PLANE * PLANE, density, 3, shares, levels));
  REQUIRE_OK(context, sl__contours(context, PLANE, density, range, range, 3, levels, &loops));
  CHECK_INTEGER(loops.count, 3);
  for (int k = 0; k < 3 && loops.count == 3; k++) {
    CHECK_CLOSE(levels[k] * 2 * acos(-1) / (1 - shares[k]), 1, 0.03);
    CHECK_INTEGER(loops.loop[k].level, k);
    CHECK_CLOSE(loops.loop[k].area / (-2 * log(1 - shares[k]) * acos(-1)), 1, 0.02);
  }
  sl__loops_close(&loops);
  sl_context_free(context);
}

/* A ring: the hole's curve runs the other way around. Both are closed though the ring leaves the
 * grid on one side. */
TEST(contours_know_their_inside) {
  sl_context *context = open_context();
  static double density[PLANE * PLANE];
  const sl__range x = {-2, 4}, y = {-3, 3};
  const double level = 0.5;
  for (int n = 0; n < PLANE * PLANE; n++) {
    const double a = sl__node_at(x, n % PLANE, PLANE), b = sl__node_at(y, n / PLANE, PLANE);
    density[n] = exp(-pow(sqrt(a * a + b * b) - 2, 2));
  }
  sl__loops loops;
  REQUIRE_OK(context, sl__contours(context, PLANE, density, x, y, 1, &level, &loops));
  CHECK_INTEGER(loops.count, 2);
  if (loops.count == 2) {
    const double hole = 2 - sqrt(log(2));
    CHECK(loops.loop[0].area > 0);
    CHECK_CLOSE(loops.loop[1].area / (acos(-1) * hole * hole), -1, 0.02);
    for (int64_t p = 0; p < loops.points; p++) {
      CHECK(loops.xy[2 * p] >= x.low - 1e-12 && loops.xy[2 * p] <= x.high + 1e-12);
      CHECK(loops.xy[2 * p + 1] >= y.low - 1e-12 && loops.xy[2 * p + 1] <= y.high + 1e-12);
    }
  }
  sl__loops_close(&loops);
  sl_context_free(context);
}

/* Both saddles, whatever is in the middle: areas inside sum to what is above, by a count. */
TEST(contours_of_a_saddle) {
  sl_context *context = open_context();
  for (int joined = 0; joined < 2; joined++) {
    const double high = joined ? 1 : 0.6, low = joined ? 0.3 : 0;
    const double density[] = {high, low, low, high};
    const double level = 0.5;
    sl__loops loops;
    REQUIRE_OK(context, sl__contours(context, 2, density, (sl__range){0, 1}, (sl__range){0, 1}, 1,
                                     &level, &loops));
    CHECK_INTEGER(loops.count, joined ? 1 : 2);
    double area = 0;
    for (int64_t l = 0; l < loops.count; l++) area += loops.loop[l].area;
    CHECK(joined ? area > 0.5 : area > 0 && area < 0.5);
    sl__loops_close(&loops);
  }
  sl_context_free(context);
}

TEST(nothing_above_is_no_contour) {
  sl_context *context = open_context();
  const double density[] = {0, 0, NAN, 0};
  const double level = 0.5;
  sl__loops loops;
  REQUIRE_OK(context, sl__contours(context, 2, density, (sl__range){0, 1}, (sl__range){0, 1}, 1,
                                   &level, &loops));
  CHECK_INTEGER(loops.count, 0);
  sl__loops_close(&loops);
  sl_context_free(context);
}
