/* The toys against their exact densities: the mean of -log p over rows drawn must be the entropy in
 * the table, within its Monte Carlo error. A density is worked out here from the definition of each
 * toy by summing over the curve it lies on; a wrong scale, radius, noise or weight in the generator
 * moves the mean by tenths. */
#include "check.h"
#include "infer/infer.h"

static const double pi = 3.14159265358979323846;
enum { MOST_ROWS = 20000 };

static const sl__toy *find(const char *name) {
  int count;
  const sl__toy *toys = sl__toys(&count);
  for (int i = 0; i < count; i++)
    if (strcmp(toys[i].name, name) == 0) return &toys[i];
  return NULL;
}

/* Density of a point with Gaussian noise of sd about (x, y). */
static double bump(const double p[2], double x, double y, double sd) {
  const double square = ((p[0] - x) * (p[0] - x) + (p[1] - y) * (p[1] - y)) / (sd * sd);
  return square > 80 ? 0 : exp(-0.5 * square) / (2 * pi * sd * sd);
}

static double moons_density(const double p[2]) {
  enum { PLACES = 400 };
  double sum = 0;
  for (int i = 0; i < PLACES; i++) {
    const double t = pi * (i + 0.5) / PLACES;
    sum += bump(p, 2 * cos(t) - 1, 2 * sin(t) - 0.2, 0.2);
    sum += bump(p, 1 - 2 * cos(t), 0.8 - 2 * sin(t), 0.2);
  }
  return sum / (2 * PLACES);
}

static double circle_density(const double p[2], double radius, double sd) {
  enum { PLACES = 600 };
  double sum = 0;
  for (int i = 0; i < PLACES; i++)
    sum += bump(p, radius * cos(2 * pi * i / PLACES), radius * sin(2 * pi * i / PLACES), sd);
  return sum / PLACES;
}

static double circles_density(const double p[2]) {
  return 0.5 * (circle_density(p, 3, 0.24) + circle_density(p, 1.5, 0.24));
}

static double rings_density(const double p[2]) {
  double sum = 0;
  for (int ring = 1; ring <= 4; ring++) sum += circle_density(p, 0.75 * ring, 0.08);
  return sum / 4;
}

static double eight_gaussians_density(const double p[2]) {
  double sum = 0;
  for (int k = 0; k < 8; k++)
    sum += bump(p, 4 * cos(pi * k / 4) / 1.414, 4 * sin(pi * k / 4) / 1.414, 0.5 / 1.414);
  return sum / 8;
}

static double swiss_roll_density(const double p[2]) {
  enum { PLACES = 1500 };
  double sum = 0;
  for (int i = 0; i < PLACES; i++) {
    const double t = 1.5 * pi * (1 + 2 * (i + 0.5) / PLACES);
    sum += bump(p, t * cos(t) / 5, t * sin(t) / 5, 0.2);
  }
  return sum / PLACES;
}

static double checkerboard_density(const double p[2]) {
  const bool inside = fabs(p[0]) <= 4 && fabs(p[1]) <= 4;
  const int column = (int)floor(p[0] / 2), row = (int)floor(p[1] / 2);
  return inside && (column + row) % 2 == 0 ? 1.0 / 32 : 0;
}

static double normal_below(double x) {
  return 0.5 * erfc(-x / sqrt(2));
}

/* Uniform on start..start + width plus normal noise of 0.1. */
static double smoothed_uniform(double x, double start, double width) {
  const double end = start + width, low = fmin(start, end), high = fmax(start, end);
  if (x < low - 1 || x > high + 1) return 0;
  return (normal_below((x - low) / 0.1) - normal_below((x - high) / 0.1)) / (high - low);
}

static double two_spirals_density(const double p[2]) {
  enum { PLACES = 800 };
  double sum = 0;
  for (int i = 0; i < PLACES; i++) {
    const double t = 3 * pi * sqrt((i + 0.5) / PLACES), x = -cos(t) * t / 3, y = sin(t) * t / 3;
    for (int sign = -1; sign <= 1; sign += 2) {
      const double across = smoothed_uniform(p[0], sign * x, sign / 6.0);
      if (across > 0) sum += across * smoothed_uniform(p[1], sign * y, sign / 6.0);
    }
  }
  return sum / (2 * PLACES);
}

/* How far a is from being the place along the blade of v, turned back. */
static double blade_misfit(const double v[2], double turn, double a) {
  const double angle = turn + 0.25 * exp(a);
  return v[0] * cos(angle) - v[1] * sin(angle) - a;
}

/* Every a on the blade that maps to p, each divided by the map's Jacobian. */
static double pinwheel_density(const double p[2]) {
  const double v[2] = {p[0] / 2, p[1] / 2};
  double sum = 0;
  for (int blade = 0; blade < 5; blade++) {
    const double turn = 0.4 * pi * blade;
    const double first = -0.8, last = 2.8, width = 0.02;
    for (double low = first; low < last; low += width) {
      double a = low, b = low + width;
      const bool rising = blade_misfit(v, turn, a) < 0;
      if (rising == (blade_misfit(v, turn, b) < 0)) continue;
      for (int halving = 0; halving < 40; halving++) {
        const double middle = (a + b) / 2;
        if ((blade_misfit(v, turn, middle) < 0) == rising)
          a = middle;
        else
          b = middle;
      }
      const double slope = 0.25 * exp(a), angle = turn + slope;
      const double across = v[0] * sin(angle) + v[1] * cos(angle);
      const double along = (a - 1) / 0.3, side = across / 0.1;
      sum += exp(-0.5 * (along * along + side * side)) / (2 * pi * 0.03) / fabs(1 + slope * across);
    }
  }
  return sum / 5 / 4;
}

static void check_entropy(const char *name, double (*density)(const double p[2]), int64_t rows) {
  const sl__toy *toy = find(name);
  REQUIRE(toy != NULL);
  static double x[2 * MOST_ROWS];
  toy->draw((sl__random_key){11, SL__STREAM_DATA, 0}, 0, rows, x);
  double sum = 0, squares = 0;
  for (int64_t r = 0; r < rows; r++) {
    const double surprise = -log(density(x + 2 * r));
    sum += surprise;
    squares += surprise * surprise;
  }
  const double mean = sum / (double)rows;
  const double error = sqrt((squares / (double)rows - mean * mean) / (double)rows);
  CHECK(error < 0.025);
  /* Four standard errors, and the digits of the table. */
  if (!CHECK(fabs(mean - toy->entropy) < 4 * error + 5e-4))
    printf("  %s: %.4f +- %.4f against %.4f\n", name, mean, error, toy->entropy);
}

TEST(moons) {
  check_entropy("moons", moons_density, 10000);
}
TEST(circles) {
  check_entropy("circles", circles_density, 5000);
}
TEST(rings) {
  check_entropy("rings", rings_density, 4000);
}
TEST(eight_gaussians) {
  check_entropy("8gaussians", eight_gaussians_density, MOST_ROWS);
}
TEST(pinwheel) {
  check_entropy("pinwheel", pinwheel_density, 2000);
}
TEST(swiss_roll) {
  check_entropy("swissroll", swiss_roll_density, 4000);
}
TEST(checkerboard) {
  check_entropy("checkerboard", checkerboard_density, MOST_ROWS);
}
TEST(two_spirals) {
  check_entropy("2spirals", two_spirals_density, 3000);
}

TEST(checkerboard_squares_are_equally_full) {
  const sl__toy *toy = find("checkerboard");
  static double x[2 * MOST_ROWS];
  int count[4][4] = {{0}};
  toy->draw((sl__random_key){5, SL__STREAM_DATA, 0}, 0, MOST_ROWS, x);
  for (int r = 0; r < MOST_ROWS; r++)
    count[(int)floor(x[2 * r] / 2) + 2][(int)floor(x[2 * r + 1] / 2) + 2]++;
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++)
      CHECK(abs(count[i][j] - ((i + j) % 2 == 0 ? MOST_ROWS / 8 : 0)) < 250);
}

TEST(a_row_does_not_depend_on_how_many_are_drawn) {
  int count;
  const sl__toy *toys = sl__toys(&count);
  CHECK_INTEGER(count, 8);
  const sl__random_key key = {3, SL__STREAM_DATA, 0}, other = {4, SL__STREAM_DATA, 0};
  for (int i = 0; i < count; i++) {
    double all[200], part[40], else_where[200];
    toys[i].draw(key, 0, 100, all);
    toys[i].draw(key, 70, 20, part);
    toys[i].draw(other, 0, 100, else_where);
    CHECK(memcmp(all + 140, part, sizeof part) == 0);
    CHECK(memcmp(all, else_where, sizeof all) != 0);
  }
}
