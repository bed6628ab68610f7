/* The tempered population: evidence and moments of targets whose answer is known, modes in their
 * shares, the same bits on any number of threads. */
#include <math.h>
#include <string.h>
#include "check.h"
#include "infer/explore/population.h"

static sl_context *new_context(int threads) {
  sl_context *context = NULL;
  const sl_context_options options = {.size = sizeof options, .threads = threads};
  if (sl_context_new(&options, &context) != SL_OK) abort();
  return context;
}

typedef struct found {
  sl__smc_report report;
  int32_t dim;
  int64_t rows;
  double *q, *density;
} found;

static found explore(const char *name, int threads, uint64_t seed) {
  sl_context *context = new_context(threads);
  sl__target *target;
  found f = {0};
  if (sl__target_standard(context, name, &target) != SL_OK) abort();
  sl__smc_options options;
  sl__smc_defaults(&options, target->dim);
  options.seed = seed;
  f.dim = target->dim;
  f.rows = options.particles;
  f.q = calloc((size_t)(f.rows * f.dim), sizeof *f.q);
  f.density = calloc((size_t)f.rows, sizeof *f.density);
  if (!f.q || !f.density) abort();
  CHECK_OK(context, sl__smc_run(context, target, &options, f.q, f.density, &f.report));
  CHECK(f.report.power == 1);
  sl__target_free(target);
  sl_context_free(context);
  return f;
}

static void close_found(found *f) {
  free(f->q);
  free(f->density);
}

static void moments(const found *f, int32_t i, double *mean, double *sd) {
  double sum = 0, squares = 0;
  for (int64_t r = 0; r < f->rows; r++) sum += f->q[r * f->dim + i];
  *mean = sum / (double)f->rows;
  for (int64_t r = 0; r < f->rows; r++) {
    const double off = f->q[r * f->dim + i] - *mean;
    squares += off * off;
  }
  *sd = sqrt(squares / (double)f->rows);
}

TEST(two_modes_keep_their_shares) {
  found f = explore("pot1", 1, 3);
  CHECK_CLOSE(f.report.log_evidence, 1.877501626110, 0.08);
  int64_t right = 0;
  for (int64_t r = 0; r < f.rows; r++) right += f.q[2 * r] > 0;
  CHECK_CLOSE((double)right / (double)f.rows, 0.5, 0.06);
  close_found(&f);
}

/* Long and bent: steps off it end where nothing is a number, and must not be taken. */
TEST(a_banana_is_walked) {
  found f = explore("banana", 1, 4);
  CHECK_CLOSE(f.report.log_evidence, 0, 0.25);
  double mean, sd;
  moments(&f, 0, &mean, &sd);
  CHECK_CLOSE(sd, 10, 1.5);
  for (int64_t r = 0; r < f.rows * f.dim; r++) CHECK(isfinite(f.q[r]));
  close_found(&f);
}

TEST(many_wells_are_filled) {
  if (UNDER_SANITIZER) SKIP("the code of two modes, in more dimensions, under a sanitizer");
  found f = explore("many_well", 2, 5);
  /* the weights alone would say 0.05; ancestors that died out make it more */
  CHECK_CLOSE(f.report.log_evidence, 164.6956753131819, 4 * f.report.log_evidence_se);
  CHECK(f.report.log_evidence_se > 0.06 && f.report.log_evidence_se < 0.2);
  double right = 0;
  for (int64_t r = 0; r < f.rows; r++)
    for (int32_t i = 0; i < f.dim; i += 2) right += f.q[r * f.dim + i] > 0;
  /* each first coordinate is positive with this probability; resampling leaves few independent
   * ancestors, and shares of single runs lie up to 0.02 beside it */
  CHECK_CLOSE(right / (double)(f.rows * f.dim / 2), 0.844307, 0.035);
  close_found(&f);
}

/* ---- the first density ---- */

enum { SIDE = 401, FIRST_DRAWS = 200000, FIRST_KNOWN = 500 };
static const double reach = 16; /* of the grid, on either side of 0 */

/* Broad about (0.5, -1), and two groups, one of them slanting. */
static void open_first(sl__arena *arena, sl__first_density *first) {
  static double known[2 * 2 * FIRST_KNOWN];
  static const double centre[] = {0.5, -1};
  const sl__random_key key = {11, 0, 0};
  for (int r = 0; r < 2 * FIRST_KNOWN; r++) {
    const double a = sl__random_normal(key, (uint64_t)r, 0),
                 b = sl__random_normal(key, (uint64_t)r, 1);
    known[2 * r] = r < FIRST_KNOWN ? 3 + a : -3 + 0.5 * a;
    known[2 * r + 1] = r < FIRST_KNOWN ? 2 + 0.8 * a + 0.6 * b : 0.7 * b;
  }
  const sl__smc_options options = {
      .centre = centre, .known = known, .known_rows = FIRST_KNOWN, .known_groups = 2};
  if (sl__first_density_open(arena, 2, &options, first) != SL_OK) abort();
  first->spread[0] = 2;
  first->spread[1] = 1.5;
  sl__first_density_settle(first);
}

enum { MASS, X, Y, XX, XY, YY, LEFT, FIRST_NUMBERS };
static void add_point(double x, double y, double weight, double *sums) {
  sums[MASS] += weight;
  sums[X] += weight * x;
  sums[Y] += weight * y;
  sums[XX] += weight * x * x;
  sums[XY] += weight * x * y;
  sums[YY] += weight * y * y;
  sums[LEFT] += weight * (x < -2);
}

/* The evidence is right only if draws are of the density that they are weighed by: its integral is
 * 1, and its moments by quadrature are those of the draws. */
TEST(first_draws_are_of_the_first_density) {
  sl_context *context = new_context(1);
  sl__arena arena;
  sl__first_density first;
  sl__arena_open(&arena, context);
  open_first(&arena, &first);
  REQUIRE(first.groups == 2);
  double exact[FIRST_NUMBERS] = {0}, drawn[FIRST_NUMBERS] = {0};
  const double step = 2 * reach / (SIDE - 1);
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      /* half a step aside, so that no point is on the edge of LEFT */
      const double q[] = {(i + 0.5) * step - reach, (j + 0.5) * step - reach};
      add_point(q[0], q[1], exp(sl__first_density_at(&first, q, NULL)) * step * step, exact);
    }
  double *q = sl__arena_take(&arena, 2 * FIRST_DRAWS, sizeof *q);
  REQUIRE(q != NULL);
  sl__first_density_draw(&first, (sl__random_key){12, 0, 0}, FIRST_DRAWS, q);
  for (int r = 0; r < FIRST_DRAWS; r++) add_point(q[2 * r], q[2 * r + 1], 1.0 / FIRST_DRAWS, drawn);
  CHECK_CLOSE(exact[MASS], 1, 1e-9);
  /* three standard errors, or a little more */
  static const double within[FIRST_NUMBERS] = {1e-9, 0.02, 0.02, 0.08, 0.06, 0.06, 0.003};
  for (int k = 0; k < FIRST_NUMBERS; k++) CHECK_CLOSE(drawn[k], exact[k], within[k]);
  sl__arena_close(&arena);
  sl_context_free(context);
}

TEST(the_first_density_has_its_gradient) {
  sl_context *context = new_context(1);
  sl__arena arena;
  sl__first_density first;
  sl__arena_open(&arena, context);
  open_first(&arena, &first);
  const double h = 1e-5;
  for (int p = 0; p < 25; p++) {
    const double q[] = {2.0 * (p % 5) - 4.1, 1.5 * (p / 5) - 2.9};
    double slope[2];
    sl__first_density_at(&first, q, slope);
    for (int i = 0; i < 2; i++) {
      double up[] = {q[0], q[1]}, down[] = {q[0], q[1]};
      up[i] += h;
      down[i] -= h;
      const double difference =
          sl__first_density_at(&first, up, NULL) - sl__first_density_at(&first, down, NULL);
      CHECK_CLOSE(slope[i], difference / (2 * h), 1e-7);
    }
  }
  sl__arena_close(&arena);
  sl_context_free(context);
}

/* ---- draws known beforehand ---- */

enum { KNOWN = 1000 };

/* knows: from draws about (centre, centre). */
static found explore_from(const char *expression, double centre, double sd, bool knows,
                          uint64_t seed) {
  sl_context *context = new_context(1);
  sl__target *target;
  found f = {0};
  static double known[2 * KNOWN];
  const sl__random_key key = {7, 0, 0};
  for (uint64_t i = 0; i < 2 * KNOWN; i++) known[i] = centre + sd * sl__random_normal(key, i, 0);
  CHECK_OK(context, sl__target_expression(context, expression, "x,y", &target));
  sl__smc_options options;
  sl__smc_defaults(&options, target->dim);
  options.seed = seed;
  if (knows) {
    options.known = known;
    options.known_rows = KNOWN;
    options.known_groups = 1;
  }
  f.dim = target->dim;
  f.rows = options.particles;
  f.q = calloc((size_t)(f.rows * f.dim), sizeof *f.q);
  f.density = calloc((size_t)f.rows, sizeof *f.density);
  if (!f.q || !f.density) abort();
  CHECK_OK(context, sl__smc_run(context, target, &options, f.q, f.density, &f.report));
  sl__target_free(target);
  sl_context_free(context);
  return f;
}

/* What is known must not hide what is not. */
TEST(a_mode_that_was_not_known_is_found) {
  found f = explore_from("log_sum_exp(-0.5 * (x^2 + y^2), log(2) - 0.5 * ((x - 9)^2 + y^2))", 0, 1,
                         true, 8);
  CHECK_CLOSE(f.report.log_evidence, log(3 * 2 * M_PI), 0.1);
  int64_t right = 0;
  for (int64_t r = 0; r < f.rows; r++) right += f.q[2 * r] > 4.5;
  CHECK_CLOSE((double)right / (double)f.rows, 2.0 / 3, 0.06);
  close_found(&f);
}

/* A place so narrow that the broad density hardly meets it: alone, a population misses it. */
TEST(a_narrow_place_has_its_evidence) {
  static const char narrow[] = "log_sum_exp(-0.5 * ((x - 6)^2 + (y - 6)^2) * 100, "
                               "-4.6 - 0.5 * (x^2 + y^2))";
  const double exact = log(2 * M_PI * (0.01 + exp(-4.6)));
  found helped = explore_from(narrow, 6, 0.1, true, 9);
  CHECK_CLOSE(helped.report.log_evidence, exact, 0.1);
  CHECK(helped.report.log_evidence_se < 0.05);
  close_found(&helped);
}

TEST(threads_change_no_bit) {
  found one = explore("u3", 1, 6), two = explore("u3", 2, 6);
  CHECK(memcmp(one.q, two.q, (size_t)(one.rows * one.dim) * sizeof(double)) == 0);
  CHECK(one.report.log_evidence == two.report.log_evidence);
  close_found(&one);
  close_found(&two);
}
