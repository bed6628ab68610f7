/* Bases far out and in float32, degenerate ones, and mixtures that start from clusters in data. */
#include "bases.h"

/* ---- far out, and in float32 ---- */

static void check_far(const char *text, const sl__kind *kind) {
  (void)kind;
  static const double places[ROWS] = {1e3, -1e3, 30, 1, 0};
  for (int type = 0; type < 2; type++) {
    fixture f;
    if (!fixture_open(&f, text, 2, 0, type == 0 ? SL_F64 : SL_F32)) return;
    double z[ROWS * 2], dz[ROWS * 2], log_prob[ROWS];
    double *gradient = calloc((size_t)f.flow->size + 1, sizeof *gradient);
    for (int k = 0; k < 2 * ROWS; k++) z[k] = places[k / 2];
    if (gradient && fixture_log_prob(&f, ROWS, z, NULL, log_prob) &&
        fixture_gradient(&f, ROWS, z, NULL, gradient, dz)) {
      bool outside = false;
      for (int r = 0; r < ROWS; r++) {
        CHECK(!isnan(log_prob[r]) && log_prob[r] < 10);
        outside = outside || log_prob[r] == -INFINITY;
      }
      CHECK(outside == (strstr(text, "uniform") != NULL));
      for (int k = 0; k < 2 * ROWS; k++) CHECK(isfinite(dz[k]));
      for (int64_t k = 0; k < f.flow->size; k++) CHECK(isfinite(gradient[k]));
    }
    free(gradient);
    fixture_close(&f);
  }
}

TEST(finite_far_out) {
  for_every_base(check_far);
}

static void check_float32(const char *text, const sl__kind *kind) {
  (void)kind;
  enum { POINTS = 64, DIM = 3 };
  fixture wide, narrow;
  double z[POINTS * DIM], a[POINTS], b[POINTS];
  if (!fixture_open(&wide, text, DIM, 0, SL_F64)) return;
  if (!fixture_open(&narrow, text, DIM, 0, SL_F32)) return;
  fixture_perturb(&narrow, 0.3, 17);
  for (int64_t k = 0; k < narrow.flow->size; k++)
    wide.vector[k] = narrow.vector[k] = (double)(float)narrow.vector[k];
  fixture_points(z, POINTS * DIM, 1.3, 3);
  for (int k = 0; k < POINTS * DIM; k++) z[k] = (double)(float)(k < DIM ? 100 * z[k] : z[k]);
  if (fixture_log_prob(&wide, POINTS, z, NULL, a) && fixture_log_prob(&narrow, POINTS, z, NULL, b))
    for (int r = 0; r < POINTS; r++) CHECK_CLOSE(b[r], a[r], 1e-5);
  double *draws = calloc((size_t)20000 * 8, sizeof *draws);
  if (CHECK(draws != NULL) &&
      fixture_map(&narrow, FIXTURE_SAMPLE, 20000, NULL, NULL, draws, draws + 80000) &&
      fixture_map(&wide, FIXTURE_SAMPLE, 20000, NULL, NULL, draws + 100000, draws + 60000))
    for (int k = 0; k < 20000 * DIM; k++) CHECK(isfinite(draws[k]) && isfinite(draws[100000 + k]));
  free(draws);
  fixture_close(&wide);
  fixture_close(&narrow);
}

TEST(float32_agrees_with_float64) {
  for_every_base(check_float32);
}

/* The normaliser holds its digits where log Gamma has many before the point. */
TEST(student_with_many_degrees_is_normal) {
  fixture f;
  double z = 0.7, log_prob = 0;
  if (!fixture_open(&f, "student(df=1e6)", 1, 0, SL_F32)) return;
  if (fixture_log_prob(&f, 1, &z, NULL, &log_prob))
    CHECK_CLOSE(log_prob, -z * z / 2 - HALF_LOG_TWO_PI, 3e-6);
  fixture_close(&f);
}

/* Where no component reaches, density and gradients say so without a NaN. */
TEST(a_mixture_of_boxes_has_an_outside) {
  sl_context *context = NULL;
  sl__graph *g = NULL;
  sl__program *program = NULL;
  sl__workspace *workspace = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  REQUIRE_OK(context, sl__graph_new(context, &g));
  sl_node a = op_input(g, SL_F64, sl__scalar_shape()), b = op_input(g, SL_F64, sl__scalar_shape());
  double even[2] = {0, 0};
  sl_node logits = op_constant(g, SL_F64, sl__shape1(2), even), both[2] = {a, b}, slopes[2];
  sl_node mixed = sl__mix(g, logits, 2, both);
  REQUIRE_OK(context, sl__gradient(g, mixed, 2, both, slopes));
  sl_node outputs[3] = {mixed, slopes[0], slopes[1]};
  REQUIRE_OK(context, sl__program_new(context, g, 3, outputs, &program));
  REQUIRE_OK(context, sl__workspace_new(context, program, 3, &workspace));
  double first[3] = {-INFINITY, -INFINITY, 1}, second[3] = {-INFINITY, 2, 1}, out[3][3];
  sl__feed feeds[2] = {{.data = first, .type = SL_F64}, {.data = second, .type = SL_F64}};
  sl__sink sinks[3];
  for (int i = 0; i < 3; i++) sinks[i] = (sl__sink){.data = out[i], .type = SL_F64};
  sl__run run = {.rows = 3, .feeds = feeds, .sinks = sinks};
  REQUIRE_OK(context, sl__program_run(context, program, workspace, &run));
  CHECK(out[0][0] == -INFINITY && out[1][0] == 0 && out[2][0] == 0);
  CHECK_CLOSE(out[0][1], 2 - log(2), 1e-15);
  CHECK(out[1][1] == 0 && out[2][1] == 1);
  CHECK_CLOSE(out[0][2], 1, 1e-15);
  CHECK_CLOSE(out[1][2], 0.5, 1e-15);
  sl__workspace_free(workspace);
  sl__program_free(program);
  sl__graph_free(g);
  sl_context_free(context);
}

/* A density that its precision can hold is no 0: -x^2/2 of a mixture of equal normal ones. */
TEST(mixtures_know_densities_of_their_whole_precision) {
  static const char *const texts[] = {"gaussian_mixture(2)", "mixture(2,loc(jitter=0))"};
  static const double places[2][3] = {{1e18, 5e18, 2e19}, {1e22, 1e150, 1e155}};
  for (int k = 0; k < 4; k++) {
    const int wide = k / 2;
    const double half = wide ? 0.5 : (double)0.5f;
    double log_prob[3], z[3], dz[3];
    fixture f;
    if (!fixture_open(&f, texts[k % 2], 1, 0, wide ? SL_F64 : SL_F32)) return;
    memset(f.vector, 0, (size_t)f.flow->size * sizeof *f.vector);
    memcpy(z, places[wide], sizeof z);
    double *gradient = calloc((size_t)f.flow->size + 1, sizeof *gradient);
    if (CHECK(gradient != NULL) && fixture_log_prob(&f, 3, z, NULL, log_prob) &&
        fixture_gradient(&f, 3, z, NULL, gradient, dz)) {
      for (int r = 0; r < 2; r++) {
        if (!CHECK_CLOSE(log_prob[r] / (half * z[r] * z[r]), -1, 1e-6))
          printf("  %s\n", texts[k % 2]);
        CHECK_CLOSE(dz[r] / z[r], -1, 1e-6);
      }
      CHECK(log_prob[2] == -INFINITY && isfinite(dz[2]));
    }
    free(gradient);
    fixture_close(&f);
  }
}

/* ---- starting from data ---- */

static void check_look(const char *text, sl_dtype type) {
  enum { DATA = 12000 };
  fixture f;
  double *values = calloc((size_t)DATA * 3, sizeof *values), before = 0, after = 0;
  if (!CHECK(values != NULL) || !fixture_open(&f, text, 2, 0, type)) return;
  double *log_prob = values + 2 * DATA;
  draw_clusters(DATA, values);
  values[0] = NAN; /* a row that the chain did not reach */
  const sl__kind *kind = f.flow->base.kind;
  void *vector = type == SL_F32 ? (void *)f.narrow : (void *)f.vector;
  if (fixture_log_prob(&f, DATA, values, NULL, log_prob))
    for (int r = 1; r < DATA; r++) before += log_prob[r] / DATA;
  REQUIRE_OK(f.context, kind->look(f.context, &f.flow->base, vector, DATA, values, true));
  for (int64_t k = 0; k < f.flow->size && type == SL_F32; k++) f.vector[k] = (double)f.narrow[k];
  if (fixture_log_prob(&f, DATA, values, NULL, log_prob))
    for (int r = 1; r < DATA; r++) after += log_prob[r] / DATA;
  /* The entropy of such data: of the choice, and of a normal density of scales 0.1 and 0.2. */
  double choice = -log(3. / 6) * 3 / 6 - log(2. / 6) * 2 / 6 - log(1. / 6) / 6;
  CHECK_CLOSE(after, -choice - 1 - 2 * HALF_LOG_TWO_PI - log(0.1 * 0.2), 0.03);
  CHECK(after > before + 1);
  fixture again;
  if (fixture_open(&again, text, 2, 0, type)) {
    void *second = type == SL_F32 ? (void *)again.narrow : (void *)again.vector;
    kind->look(again.context, &again.flow->base, second, DATA, values, true);
    size_t size = type == SL_F32 ? sizeof(float) : sizeof(double);
    CHECK(memcmp(vector, second, (size_t)f.flow->size * size) == 0);
    /* Too few rows, or a later look: nothing changes. */
    kind->look(again.context, &again.flow->base, second, 2, values, true);
    kind->look(again.context, &again.flow->base, second, DATA, values, false);
    CHECK(memcmp(vector, second, (size_t)f.flow->size * size) == 0);
    fixture_close(&again);
  }
  fixture_close(&f);
  free(values);
}

TEST(a_gaussian_mixture_starts_from_clusters) {
  check_look("gaussian_mixture(3)", SL_F64);
  check_look("gaussian_mixture(3,covariance=diagonal)", SL_F32);
}
