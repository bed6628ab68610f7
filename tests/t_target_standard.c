/* Standard targets: their integrals by quadrature or with exact draws, gradients by differences,
 * draws against the density, values against plain formulas. */
#include "base/context.h"
#include "base/random.h"
#include "check.h"
#include "target/standard.h"
#include "target/target.h"

static sl_context *context;

static sl__target *open_target(const char *name) {
  if (!context) sl_context_new(NULL, &context);
  sl__target *target;
  return CHECK_OK(context, sl__target_standard(context, name, &target)) ? target : NULL;
}

static sl__density *open_density(const sl__target *target) {
  sl__density *density;
  return CHECK_OK(context, sl__density_new(context, target, 0, true, &density)) ? density : NULL;
}

/* q [rows][dim] -> value [rows], gradient [rows][dim] or NULL */
static void run(sl__density *density, int32_t dim, int64_t rows, const double *q, double *value,
                double *gradient) {
  const sl__points points = {rows, q, value, gradient, dim, 1};
  CHECK_OK(context, sl__density_run(context, density, &points));
}

/* The trapezoid rule in the rectangle, which for smooth densities errs by less than any power of
 * the step; log of the integral. */
static double integrate(sl__density *density, double x0, double x1, double y0, double y1,
                        double step) {
  enum { COLUMNS = 4096 };
  static double q[COLUMNS][2], value[COLUMNS];
  const int columns = (int)((x1 - x0) / step) + 1, rows = (int)((y1 - y0) / step) + 1;
  double sum = 0;
  for (int i = 0; i < rows && CHECK(columns <= COLUMNS); i++) {
    for (int j = 0; j < columns; j++) q[j][0] = x0 + step * j, q[j][1] = y0 + step * i;
    run(density, 2, columns, *q, value, NULL);
    for (int j = 0; j < columns; j++) sum += exp(value[j]);
  }
  return log(sum * step * step);
}

/* Where a plane target lies, and the step that resolves it. */
typedef struct box {
  const char *name;
  double x, y0, y1, step, tolerance;
} box;
static const box boxes[] = {
    {"pot1", 6, -5, 5, 0.04, 1e-9},        {"pot2", 400, -3.2, 3.2, 0.2, 2e-3},
    {"pot3", 400, -6.4, 3.2, 0.2, 2e-3},   {"pot4", 400, -6.4, 3.2, 0.2, 2e-3},
    {"u2", 12, -4, 4, 0.04, 1e-9},         {"u3", 12, -7, 4, 0.04, 1e-9},
    {"u4", 12, -7, 4, 0.04, 1e-9},         {"gaussian_mixture", 9, -9, 8, 0.1, 1e-9},
    {"gaussian55", 13, -3, 13, 0.1, 1e-9}, {"gmm40", 48, -48, 48, 0.25, 1e-9},
    {"banana", 70, -160, 12, 0.25, 1e-6},
};

TEST(evidence_is_what_quadrature_gives) {
  for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
    const box *b = &boxes[i];
    sl__target *target = open_target(b->name);
    REQUIRE(target);
    sl__density *density = open_density(target);
    REQUIRE(density);
    const double found = integrate(density, -b->x, b->x, b->y0, b->y1, b->step);
    if (!CHECK_CLOSE(found, target->log_evidence, b->tolerance)) printf("  %s\n", b->name);
    sl__density_free(density);
    sl__target_free(target);
  }
}

/* The product of its one-dimensional integrals. */
TEST(evidence_of_many_wells) {
  double sum = 0;
  const double step = 1e-3;
  for (int i = -6000; i <= 6000; i++) {
    const double d = step * i;
    sum += exp(d / 2 + 6 * d * d - d * d * d * d);
  }
  sl__target *target = open_target("many_well");
  REQUIRE(target);
  CHECK_CLOSE(target->log_evidence, 16 * (log(sum * step) + 0.5 * log(2 * acos(-1))), 1e-12);
  sl__target_free(target);
}

TEST(gradients_agree_with_differences) {
  int count;
  const sl__standard_target *const *all = sl__standard_targets(&count);
  for (int k = 0; k < count; k++) {
    enum { POINTS = 8, MOST = 32 };
    const int32_t dim = all[k]->dim;
    sl__target *target = open_target(all[k]->name);
    REQUIRE(target && dim <= MOST);
    sl__density *density = open_density(target);
    REQUIRE(density);
    double q[POINTS * MOST], value[POINTS], gradient[POINTS * MOST], other[MOST];
    const sl__random_key key = {7, SL__STREAM_TEST, 0};
    for (int r = 0; r < POINTS; r++)
      for (int i = 0; i < dim; i++)
        q[r * dim + i] = 1.7 * sl__random_normal(key, (uint64_t)r, (uint32_t)i);
    run(density, dim, POINTS, q, value, gradient);
    for (int r = 0; r < POINTS; r++) {
      for (int i = 0; i < dim; i++) {
        double up, down;
        const double h = 1e-5;
        memcpy(other, q + r * dim, (size_t)dim * sizeof *other);
        other[i] += h;
        run(density, dim, 1, other, &up, NULL);
        other[i] -= 2 * h;
        run(density, dim, 1, other, &down, NULL);
        if (!CHECK_CLOSE(gradient[r * dim + i], (up - down) / (2 * h), 1e-5))
          printf("  %s, coordinate %d\n", all[k]->name, i);
      }
    }
    CHECK_INTEGER(sl__density_gradients(density), POINTS);
    CHECK_INTEGER(sl__density_values(density), 2 * POINTS * dim);
    sl__density_free(density);
    sl__target_free(target);
  }
}

/* For draws of p = exp(f) / Z and every smooth h that p bounds: E[f_i h + h_i] = 0 (Stein). With
 * h = 1, x_i and x_j the averages must vanish within five of their standard errors. */
TEST(draws_satisfy_steins_identity) {
  int count;
  const sl__standard_target *const *all = sl__standard_targets(&count);
  enum { ROWS = 40000, MOST = 32 };
  double *x = malloc(sizeof *x * ROWS * MOST), *gradient = malloc(sizeof *x * ROWS * MOST);
  double *value = malloc(sizeof *x * ROWS);
  for (int k = 0; k < count && x && gradient && value; k++) {
    sl__target *target = open_target(all[k]->name);
    REQUIRE(target);
    if (!CHECK(target->draw != NULL)) continue;
    const int32_t dim = target->dim;
    sl__density *density = open_density(target);
    REQUIRE(density);
    target->draw(target, (sl__random_key){3, SL__STREAM_TEST, 0}, 0, ROWS, x);
    run(density, dim, ROWS, x, value, gradient);
    for (int i = 0; i < dim; i++) {
      for (int kind = 0; kind < 3; kind++) {
        const int j = (i + 1) % dim;
        double sum = 0, squares = 0;
        for (int r = 0; r < ROWS; r++) {
          const double *at = x + r * dim, slope = gradient[r * dim + i];
          /* tanh keeps the averages' errors finite for the funnel */
          const double t = tanh(at[i] / 4), s = tanh(at[j] / 4);
          const double term = kind == 0   ? slope
                              : kind == 1 ? slope * t + (1 - t * t) / 4
                                          : slope * s;
          sum += term;
          squares += term * term;
        }
        const double mean = sum / ROWS, error = sqrt(squares / ROWS / ROWS);
        if (!CHECK(fabs(mean) < 5 * error))
          printf("  %s, coordinate %d, kind %d: %g, error %g\n", all[k]->name, i, kind, mean,
                 error);
      }
    }
    sl__density_free(density);
    sl__target_free(target);
  }
  free(x);
  free(gradient);
  free(value);
}

/* The mean of -log p under the draws is the entropy: of the potentials by quadrature on fine grids,
 * of the others by hand. */
TEST(draws_have_the_entropy) {
  const double unit = 0.5 * log(2 * acos(-1)) + 0.5; /* of a standard normal */
  const struct {
    const char *name;
    double entropy;
  } known[] = {{"pot1", 2.660013},
               {"pot2", 4.498380},
               {"pot3", 4.429345},
               {"pot4", 4.761596},
               {"u2", 3.189666},
               {"u3", 3.159616},
               {"u4", 3.441661},
               {"gaussian55", 2 * unit},
               {"gaussian_mixture", 446.1405 / 128},
               {"gmm40", 6.460650},
               {"funnel", 10 * unit + log(3)},
               {"banana", 2 * unit + log(10)}};
  enum { ROWS = 40000, MOST = 10 };
  double *x = malloc(sizeof *x * ROWS * MOST), *value = malloc(sizeof *x * ROWS);
  REQUIRE(x && value);
  for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
    sl__target *target = open_target(known[k].name);
    REQUIRE(target);
    sl__density *density = open_density(target);
    REQUIRE(density);
    target->draw(target, (sl__random_key){6, SL__STREAM_TEST, 0}, 0, ROWS, x);
    run(density, target->dim, ROWS, x, value, NULL);
    double sum = 0, squares = 0;
    for (int r = 0; r < ROWS; r++) sum += value[r] - target->log_evidence;
    for (int r = 0; r < ROWS; r++) squares += pow(value[r] - target->log_evidence - sum / ROWS, 2);
    const double error = sqrt(squares) / ROWS;
    if (!CHECK(fabs(-sum / ROWS - known[k].entropy) < 4 * error))
      printf("  %s: %g against %g, error %g\n", known[k].name, -sum / ROWS, known[k].entropy,
             error);
    sl__density_free(density);
    sl__target_free(target);
  }
  free(x);
  free(value);
}

/* Shares of draws in parts of the space that quadrature knows. */
TEST(draws_take_each_mode_as_often_as_it_weighs) {
  enum { ROWS = 40000 };
  static double x[ROWS][32];
  sl__target *target = open_target("many_well");
  REQUIRE(target);
  target->draw(target, (sl__random_key){4, SL__STREAM_TEST, 0}, 0, ROWS, *x);
  for (int i = 0; i < 16; i++) {
    int right = 0;
    for (int r = 0; r < ROWS; r++) right += x[r][2 * i] > 0;
    CHECK(fabs((double)right / ROWS - 0.844307) < 5 * 0.0019);
  }
  sl__target_free(target);
}

TEST(draws_are_functions_of_the_row) {
  double whole[8][2], part[3][2];
  sl__target *target = open_target("u4");
  REQUIRE(target);
  const sl__random_key key = {5, SL__STREAM_TEST, 0};
  target->draw(target, key, 0, 8, *whole);
  target->draw(target, key, 4, 3, *part);
  CHECK(memcmp(whole[4], part, sizeof part) == 0);
  sl__target_free(target);
}

static double plain(int which, double z1, double z2) {
  const double pi = acos(-1.0), w1 = sin(pi * z1 / 2);
  const double w2 = 3 * exp(-0.5 * pow((z1 - 1) / 0.6, 2)), w3 = 3 / (1 + exp(-(z1 - 1) / 0.3));
  const double r = sqrt(z1 * z1 + z2 * z2);
  switch (which) {
    case 1:
      return -0.5 * pow((r - 2) / 0.4, 2) +
             log(exp(-0.5 * pow((z1 - 2) / 0.6, 2)) + exp(-0.5 * pow((z1 + 2) / 0.6, 2)));
    case 2: return -0.5 * pow((z2 - w1) / 0.4, 2) - 0.1 * fabs(z1);
    case 3:
      return log(exp(-0.5 * pow((z2 - w1) / 0.35, 2)) + exp(-0.5 * pow((z2 - w1 + w2) / 0.35, 2))) -
             0.1 * fabs(z1);
    default:
      return log(exp(-0.5 * pow((z2 - w1) / 0.4, 2)) + exp(-0.5 * pow((z2 - w1 + w3) / 0.35, 2))) -
             0.1 * fabs(z1);
  }
}

TEST(potentials_are_the_published_ones) {
  static const char *const names[] = {"pot1", "pot2", "pot3", "pot4"};
  const double q[4][2] = {{0.3, -0.2}, {1.1, 0.9}, {-1.7, 0.4}, {1.4, -1.6}};
  for (int k = 0; k < 4; k++) {
    sl__target *target = open_target(names[k]);
    REQUIRE(target);
    sl__density *density = open_density(target);
    REQUIRE(density);
    double value[4];
    run(density, 2, 4, *q, value, NULL);
    for (int r = 0; r < 4; r++) CHECK_CLOSE(value[r], plain(k + 1, q[r][0], q[r][1]), 1e-12);
    sl__density_free(density);
    sl__target_free(target);
  }
}

/* Far out, where exponentials vanish, value and gradient stay numbers; and where |z| has its
 * kink. */
TEST(far_out_and_at_the_origin) {
  static const char *const names[] = {"pot1", "pot3", "u4", "gmm40", "gaussian_mixture"};
  const double q[3][2] = {{0, 0}, {1e4, -3e3}, {-5e5, 1e2}};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    sl__target *target = open_target(names[k]);
    REQUIRE(target);
    sl__density *density = open_density(target);
    REQUIRE(density);
    double value[3], gradient[3][2];
    run(density, 2, 3, *q, value, *gradient);
    for (int r = 0; r < 3; r++) {
      CHECK(isfinite(value[r]) && isfinite(gradient[r][0]) && isfinite(gradient[r][1]));
      CHECK(r == 0 || value[r] < -700);
    }
    sl__density_free(density);
    sl__target_free(target);
  }
}

/* JAX's first uniform number of key 0 is 0.41845703, of shape () and of shape [1]. */
TEST(forty_centres_are_jaxs) {
  sl__target *target = open_target("gmm40");
  REQUIRE(target);
  sl__density *density = open_density(target);
  REQUIRE(density);
  double value, total = 0, x[64][2];
  target->draw(target, (sl__random_key){1, SL__STREAM_TEST, 0}, 0, 64, *x);
  for (int r = 0; r < 64; r++) {
    run(density, 2, 1, x[r], &value, NULL);
    total += value;
    CHECK(fabs(x[r][0]) < 45 && fabs(x[r][1]) < 45);
  }
  CHECK(total / 64 > -7.5); /* near a centre, whose peak is log(1 / 40) - log(2 pi) = -5.53 */
  sl__density_free(density);
  sl__target_free(target);
}

TEST(unknown_names_are_refused_with_the_list) {
  sl__target *target;
  if (!context) sl_context_new(NULL, &context);
  CHECK_INTEGER(sl__target_standard(context, "pot5", &target), SL_BAD_ARGUMENT);
  CHECK(target == NULL && strstr(sl_error(context), "pot1, pot2") != NULL);
}
