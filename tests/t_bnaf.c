/* Block neural autoregressive flows: a triangular Jacobian with a positive diagonal, whatever the
 * parameters; log-determinants against differences; mass 1, which holds only if each feature is
 * mapped onto the whole line; round trips far out; gradients through the inverse. */
#include "flow_checks.h"

static const struct {
  const char *formula;
  int32_t dim, context_dim;
} flows[] = {
    {"bnaf", 1, 0},
    {"bnaf", 3, 0},
    {"bnaf(hidden=5)", 4, 2},
    {"bnaf(hidden=6x3x4)", 2, 1},
};
enum { FLOWS = sizeof flows / sizeof flows[0] };

static bool open_flow(fixture *f, int i, sl_dtype type, double amplitude) {
  if (!fixture_open(f, flows[i].formula, flows[i].dim, flows[i].context_dim, type)) return false;
  fixture_perturb(f, amplitude, 17);
  return true;
}

static void say_which(int failures, int i, double amplitude) {
  if (check_failures > failures)
    printf("  in %s of %d features, parameters of %g\n", flows[i].formula, flows[i].dim, amplitude);
}

static void check_jacobian(int i, double amplitude) {
  fixture f;
  int failures = check_failures, dim = flows[i].dim, sharp = 0;
  if (!open_flow(&f, i, SL_F64, amplitude)) return;
  sample_points p = points_for(&(flow_case){flows[i].formula, dim, flows[i].context_dim});
  for (int r = 0; r < ROWS; r++) {
    const double *x = p.x + r * dim, *c = p.c + r * flows[i].context_dim;
    double value[MOST_DIM], log_det, doubt, sum = 0;
    near_point at;
    if (!look_around(&f, FIXTURE_LOG_PROB_MAP, x, c, &at)) break;
    if (!fixture_map(&f, FIXTURE_LOG_PROB_MAP, 1, x, c, value, &log_det)) break;
    for (int a = 0; a < dim; a++) {
      CHECK(at.jacobian[a * dim + a] > 0);
      sum += log(at.jacobian[a * dim + a]);
      for (int b = a + 1; b < dim; b++) CHECK(at.jacobian[a * dim + b] == 0);
    }
    double dense = log_det_near(&at, &doubt);
    CHECK_CLOSE(dense, log_det, 1e-8 + doubt);
    CHECK_CLOSE(sum, log_det, 1e-8 + doubt);
    sharp += doubt < 1e-4;
  }
  CHECK(sharp > ROWS / 2);
  say_which(failures, i, amplitude);
  fixture_close(&f);
}

TEST(the_jacobian_is_triangular) {
  for (int i = 0; i < FLOWS; i++) {
    check_jacobian(i, 0.3);
    check_jacobian(i, 3);
  }
}

static void check_mass(const char *formula, int32_t dim, double amplitude, int points) {
  fixture f;
  if (!fixture_open(&f, formula, dim, 0, SL_F64)) return;
  fixture_perturb(&f, amplitude, 23);
  if (!check_mass_is_one(&f, points, 9, 1e-3))
    printf("  %s of %d features, parameters of %g\n", formula, dim, amplitude);
  fixture_close(&f);
}

TEST(mass_is_one) {
  check_mass("bnaf", 1, 0.3, 20001);
  check_mass("bnaf", 1, 3, 400001);
  check_mass("bnaf(hidden=4)", 1, 3, 400001);
  check_mass("bnaf(hidden=4x4)", 2, 0.3, 501);
  check_mass("bnaf(hidden=4)", 2, 1, 801);
}

/* Far out the bounded part is constant: z goes on as (1 - a) x, in both directions. */
TEST(tails_are_straight) {
  fixture f;
  if (!open_flow(&f, 0, SL_F64, 3)) return;
  double x[4] = {-2e6, -1e6, 1e6, 2e6}, z[4], log_det[4];
  const sl__parameter *last = &f.flow->parameters[f.flow->parameter_count - 1];
  const double gate = 15 * tanh(f.vector[last->offset] / 15);
  if (fixture_map(&f, FIXTURE_LOG_PROB_MAP, 4, x, NULL, z, log_det)) {
    for (int i = 0; i < 4; i++) CHECK_CLOSE(log_det[i], -log1p(exp(gate)), 1e-12);
    CHECK_CLOSE((z[1] - z[0]) / 1e6, 1 / (1 + exp(gate)), 1e-9);
    CHECK_CLOSE((z[3] - z[2]) / 1e6, 1 / (1 + exp(gate)), 1e-9);
  }
  fixture_close(&f);
}

/* Parameters as after steps of an absurd rate: all is finite still. */
static void check_absurd(int i, sl_dtype type) {
  fixture f;
  int failures = check_failures, dim = flows[i].dim;
  if (!open_flow(&f, i, type, 1000)) return;
  sample_points p = points_for(&(flow_case){flows[i].formula, dim, flows[i].context_dim});
  double value[ROWS * MOST_DIM], log_det[ROWS];
  for (int k = 0; k < ROWS * dim; k++) p.x[k] *= k / dim == 1 ? 300 : 1;
  if (fixture_map(&f, FIXTURE_LOG_PROB_MAP, ROWS, p.x, p.c, value, log_det))
    CHECK(all_finite(value, ROWS * dim) && all_finite(log_det, ROWS));
  if (fixture_map(&f, FIXTURE_SAMPLE_MAP, ROWS, p.x, p.c, value, log_det))
    CHECK(all_finite(value, ROWS * dim) && all_finite(log_det, ROWS));
  say_which(failures, i, 1000);
  fixture_close(&f);
}

TEST(absurd_parameters) {
  for (int i = 0; i < FLOWS; i++) {
    check_absurd(i, SL_F64);
    check_absurd(i, SL_F32);
  }
}

/* z -> x -> z, |z| up to 1e3. */
static void check_round_trip(int i, sl_dtype type, double amplitude, double tolerance) {
  fixture f;
  int failures = check_failures, dim = flows[i].dim;
  if (!open_flow(&f, i, type, amplitude)) return;
  enum { MANY = 200 };
  static double z[MANY * MOST_DIM], x[MANY * MOST_DIM], again[MANY * MOST_DIM], c[MANY * MOST_DIM];
  double there[MANY], back[MANY];
  fixture_points(z, MANY * dim, 1, 5);
  fixture_points(c, MANY * MOST_DIM, 1, 6);
  for (int k = 0; k < MANY * dim; k++) {
    z[k] *= pow(10, 3.0 * (k / dim) / MANY);
    if (type == SL_F32) z[k] = (double)(float)z[k];
  }
  if (fixture_map(&f, FIXTURE_SAMPLE_MAP, MANY, z, c, x, there) &&
      fixture_map(&f, FIXTURE_LOG_PROB_MAP, MANY, x, c, again, back)) {
    for (int k = 0; k < MANY * dim; k++) CHECK_CLOSE(again[k], z[k], tolerance);
    for (int r = 0; r < MANY; r++) CHECK_CLOSE(back[r], -there[r], tolerance);
  }
  say_which(failures, i, amplitude);
  fixture_close(&f);
}

TEST(round_trips) {
  for (int i = 0; i < FLOWS; i++) {
    check_round_trip(i, SL_F64, 0.3, 1e-10);
    check_round_trip(i, SL_F64, 3, 1e-10);
    check_round_trip(i, SL_F32, 0.3, 1e-4);
  }
}

/* Round trips, log-determinants and gradients of both directions by everything, within what
 * rounding and differences allow. */
TEST(both_directions) {
  for (int i = 0; i < FLOWS; i++)
    check_case(&(flow_case){flows[i].formula, flows[i].dim, flows[i].context_dim}, false);
}

TEST(sizes_are_checked) {
  sl_context *context = NULL;
  sl__flow *flow = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  const sl__flow_plan plan = {.formula = "bnaf(hidden=99999x99999)", .dim = 1000, .type = SL_F32};
  CHECK(sl__flow_new(context, &plan, &flow) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "use fewer features or units") != NULL);
  sl_context_free(context);
}
