/* From a fit back to the model: what a file holds of its target, the Jacobian by differences, draws
 * by weight, evidence against quadrature and known constants. */
#include "infer/posterior/posterior.h"
#include "check.h"
#include "infer/vi/vi.h"
#include "vi_fixture.h"

static sl_context *context;

static void open_context(void) {
  if (!context) context = vi_context(2);
}

static const char program[] =
    "data { int<lower=0> n; vector[n] y; }\n"
    "parameters { real mu; real<lower=0> sigma; simplex[3] p; }\n"
    "transformed parameters { real cv = sigma / 2; }\n"
    "model { mu ~ normal(0, 2); sigma ~ exponential(1); y ~ normal(mu, sigma);\n"
    "  p ~ dirichlet([2, 3, 4]'); }\n";
static const char data[] = "{\"n\": 3, \"y\": [0.5, -1, 2]}";

static sl__target *stan_target(void) {
  sl__target *target;
  open_context();
  return CHECK_OK(context, sl__target_stan(context, "m.stan", program, strlen(program), "d.json",
                                           data, strlen(data), 7, &target))
             ? target
             : NULL;
}

static double density_at(const sl__target *target, uint32_t flags, const double *q) {
  sl__density *density;
  double value = 0;
  CHECK_OK(context, sl__density_new(context, target, flags, false, &density));
  const sl__points points = {1, q, &value, NULL, target->dim, 1};
  CHECK_OK(context, sl__density_run(context, density, &points));
  sl__density_free(density);
  return value;
}

TEST(a_target_comes_back) {
  sl__target *target = stan_target(), *again;
  REQUIRE(target);
  REQUIRE(target->origin);
  CHECK(!target->direct);
  REQUIRE_OK(context, sl__target_recall(context, target->origin, &again));
  const double q[4] = {0.3, -0.2, 0.1, 0.7};
  CHECK(density_at(target, 0, q) == density_at(again, 0, q));
  CHECK_TEXT(again->title, "m.stan");
  CHECK_TEXT(again->origin, target->origin);
  sl__target_free(again);
  CHECK_OK(context, sl__target_forget(context, target));
  CHECK(!strstr(target->origin, "sigma"));
  CHECK(sl__target_recall(context, target->origin, &again) == SL_UNSUPPORTED && !again);
  CHECK(strstr(sl_error(context), "m.stan") != NULL);
  sl__target_free(target);

  REQUIRE_OK(context, sl__target_standard(context, "funnel", &target));
  CHECK(target->direct);
  REQUIRE_OK(context, sl__target_recall(context, target->origin, &again));
  CHECK_INTEGER(again->dim, target->dim);
  sl__target_free(again);
  sl__target_free(target);

  REQUIRE_OK(context, sl__target_expression(context, "-\"x\"^2", "x", &target) == SL_OK
                          ? SL_BAD_ARGUMENT
                          : SL_OK);
  REQUIRE_OK(context, sl__target_expression(context, "-(x-1)^2 - y^4", "x,y", &target));
  CHECK(target->direct);
  REQUIRE_OK(context, sl__target_recall(context, target->origin, &again));
  const double at[2] = {0.5, 2};
  CHECK_CLOSE(density_at(again, 0, at), -16.25, 1e-12);
  sl__target_free(again);
  sl__target_free(target);
}

/* Comments may hold bytes that are no UTF-8, and a file's metadata may not. */
TEST(bytes_that_are_no_text) {
  static const char latin[] = "// caf\xE9 \xC3\xA9 \xED\xA0\x80\nparameters { real x; }\n"
                              "model { x ~ normal(0, 1); }\n";
  sl__target *target, *again;
  open_context();
  REQUIRE_OK(context,
             sl__target_stan(context, "m.stan", latin, strlen(latin), NULL, NULL, 0, 0, &target));
  CHECK(strstr(target->origin, "caf? \xC3\xA9 ???") != NULL);
  CHECK_OK(context, sl__target_recall(context, target->origin, &again));
  sl__target_free(again);
  sl__target_free(target);
}

TEST(hostile_origins) {
  static const char *const texts[] = {
      "",
      "{",
      "[]",
      "7",
      "{}",
      "{\"kind\": 3}",
      "{\"kind\": \"stan\"}",
      "{\"kind\": \"stan\", \"name\": \"m\", \"program\": \"parameters { real x\"}",
      "{\"kind\": \"stan\", \"name\": \"m\", \"program\": \"data { int n; }\"}",
      "{\"kind\": \"stan\", \"name\": \"m\", \"program\": \"data { int n; }\", \"data\": \"{\"}",
      "{\"kind\": \"stan\", \"name\": \"m\", \"program\": 5}",
      "{\"kind\": \"standard\", \"name\": \"nothing\"}",
      "{\"kind\": \"expression\", \"expression\": \"x\"}",
      "{\"kind\": \"expression\", \"expression\": \"x; }\", \"names\": \"x\"}",
      "{\"kind\": \"library\", \"name\": \"/bin/true.so\"}",
      "{\"kind\": \"shell\", \"name\": \"rm\"}"};
  open_context();
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    sl__target *target;
    if (!CHECK(sl__target_recall(context, texts[i], &target) != SL_OK && !target))
      printf("  %s\n", texts[i]);
  }
}

/* log |det| of the free parameters' map, the last share left out, by central differences. */
TEST(the_jacobian) {
  sl__target *target = stan_target();
  REQUIRE(target);
  const double q[4] = {0.3, -0.7, 0.4, -0.5}, h = 1e-5;
  double j[4][4], found = 0, log_det = 0;
  for (int k = 0; k < 4; k++) {
    double at[2][4], value[2][5];
    for (int side = 0; side < 2; side++) {
      memcpy(at[side], q, sizeof q);
      at[side][k] += side ? h : -h;
      CHECK_OK(context, sl__target_write(context, target, SL__TARGET_PARAMETERS, 1, at[side], 0, 0,
                                         value[side]));
    }
    for (int i = 0; i < 4; i++) j[i][k] = (value[1][i] - value[0][i]) / (2 * h);
  }
  for (int k = 0; k < 4; k++) { /* Gaussian elimination: the map is nearly triangular */
    log_det += log(fabs(j[k][k]));
    for (int i = k + 1; i < 4; i++)
      for (int c = 3; c >= k; c--) j[i][c] -= j[i][k] / j[k][k] * j[k][c];
  }
  CHECK_OK(context, sl__posterior_log_jacobian(context, target, 1, q, &found));
  CHECK_CLOSE(found, log_det, 1e-7);
  CHECK_CLOSE(found, density_at(target, 0, q) - density_at(target, SL__DENSITY_NO_JACOBIAN, q),
              1e-12);
  sl__target_free(target);
}

/* ---- weights and evidence ---- */

/* log exp(-x^2/4 ..) of two coordinates with a heavier tail than their flow's. */
static sl__target *normal_target(const char *expression) {
  sl__target *target;
  open_context();
  return CHECK_OK(context, sl__target_expression(context, expression, "x,y", &target)) ? target
                                                                                       : NULL;
}

/* N(0, scale^2) in both coordinates. */
static sl__model *normal_flow(const sl__target *target, double scale) {
  sl__model *model;
  const double mean[2] = {0, 0}, sd[2] = {scale, scale};
  if (!CHECK_OK(context, sl__model_new(context, "loc", NULL, 2, 0, SL_F64, 1, &model))) return NULL;
  memset(model->vector, 0, (size_t)model->flow->size * sizeof(double)); /* a shift by 0 */
  sl__model_standardize(model, mean, sd);
  CHECK_OK(context, sl__model_name_columns(model, target->names, NULL));
  return model;
}

TEST(draws_by_weight) {
  enum { COUNT = 20000, WANTED = 5000 };
  static double q[COUNT][2], log_q[COUNT];
  static int64_t index[WANTED];
  sl__target *target = normal_target("-0.5*(x-1)^2 - 2*y^2");
  sl__weighing weighing;
  REQUIRE(target);
  const sl__random_key key = {3, SL__STREAM_TEST, 0};
  for (int i = 0; i < COUNT; i++)
    for (int k = 0; k < 2; k++) {
      q[i][k] = 1.5 * sl__random_normal(key, (uint64_t)i, (uint32_t)k);
      log_q[i] -= 0.5 * q[i][k] * q[i][k] / 2.25 + log(1.5) + 0.5 * log(2 * acos(-1));
    }
  for (int distinct = 0; distinct < 2; distinct++) {
    double mean = 0, square = 0;
    const int64_t wanted = distinct ? 500 : WANTED;
    REQUIRE_OK(context, sl__posterior_resample(context, target, COUNT, q[0], log_q, distinct, 5,
                                               wanted, index, &weighing));
    for (int64_t i = 0; i < wanted; i++) {
      mean += q[index[i]][0] / (double)wanted;
      square += q[index[i]][1] * q[index[i]][1] / (double)wanted;
    }
    CHECK_CLOSE(mean, 1, distinct ? 0.15 : 0.05);
    CHECK_CLOSE(square, 0.25, distinct ? 0.06 : 0.02);
    CHECK(weighing.psis.khat < 0.5 && weighing.lost == 0);
    /* the evidence is that of the two normal factors */
    CHECK_CLOSE(weighing.psis.log_mean, 0.5 * log(2 * acos(-1)) + 0.5 * log(acos(-1) / 2), 0.03);
  }
  int64_t repeated = 0;
  for (int64_t i = 0; i < 500; i++)
    for (int64_t k = 0; k < i; k++) repeated += index[i] == index[k];
  CHECK_INTEGER(repeated, 0);
  sl__target_free(target);
}

TEST(evidence_of_a_fit) {
  const double exact = 0.5 * log(2 * acos(-1)) + 0.5 * log(acos(-1) / 2);
  sl__target *target = normal_target("-0.5*(x-0.5)^2 - 2*y^2");
  REQUIRE(target);
  const sl__posterior_draws none = {0, 0, NULL};
  sl__evidence_options options;
  sl__evidence_report report;
  sl__evidence_defaults(&options);
  sl__model *model = normal_flow(target, 1.3);
  REQUIRE(model);
  REQUIRE_OK(context, sl__posterior_evidence(context, target, model, &none, &options, &report));
  if (!CHECK(report.trusted && report.importance_trusted && report.bridge_trusted))
    printf("  %s: se %g, R-hat %g, ess %g\n", report.verdict, report.se, report.rhat, report.ess);
  CHECK(report.se > 0 && report.se < 0.02);
  CHECK_CLOSE(report.value, exact, 4 * report.se);
  CHECK_CLOSE(report.importance, exact, 4 * report.importance_se);
  CHECK(report.gradient_evaluations > 0 && report.posterior_draws == 4000);
  sl__model_free(context, model);

  /* Too narrow a flow has weights of infinite variance: the bridge is finite all the same, and
   * importance sampling is not believed. */
  model = normal_flow(target, 0.45);
  REQUIRE(model);
  REQUIRE_OK(context, sl__posterior_evidence(context, target, model, &none, &options, &report));
  CHECK(!report.importance_trusted && report.psis.khat > 0.7);
  if (report.bridge_trusted) CHECK_CLOSE(report.value, exact, 5 * report.se);
  sl__model_free(context, model);
  sl__target_free(target);
}

/* Draws that are known exactly, and two wrong ones: half a target, and a flow of other columns. */
TEST(evidence_of_draws) {
  enum { CHAINS = 2, DRAWS = 2000 };
  static double q[CHAINS][DRAWS][2];
  const double exact = log(2 * acos(-1));
  sl__target *target = normal_target("-0.5*x^2 - 0.5*(y-x)^2"), *other;
  REQUIRE(target);
  const sl__random_key key = {5, SL__STREAM_TEST, 0};
  for (int c = 0; c < CHAINS; c++)
    for (int i = 0; i < DRAWS; i++) {
      q[c][i][0] = sl__random_normal(key, (uint64_t)(c * DRAWS + i), 0);
      q[c][i][1] = q[c][i][0] + sl__random_normal(key, (uint64_t)(c * DRAWS + i), 1);
    }
  const sl__posterior_draws draws = {CHAINS, DRAWS, q[0][0]};
  sl__evidence_options options;
  sl__evidence_report report;
  sl__model *model;
  sl__evidence_defaults(&options);
  REQUIRE_OK(context, sl__posterior_evidence_of_draws(context, target, "triangular", &draws,
                                                      &options, &report, &model));
  CHECK(report.trusted);
  CHECK_INTEGER(report.posterior_draws, CHAINS * DRAWS / 2);
  CHECK_CLOSE(report.bridge.value, exact, 4 * report.bridge.se + 1e-3);
  CHECK_CLOSE(report.importance, exact, 0.01);

  other = normal_target("-0.5*x^2 - 0.5*y^2 + 0*x*y");
  REQUIRE(other);
  const char *const names[] = {"a", "b"};
  CHECK_OK(context, sl__model_name_columns(model, names, NULL));
  CHECK(sl__posterior_evidence(context, other, model, &draws, &options, &report) ==
        SL_BAD_ARGUMENT);
  sl__target_free(other);
  sl__model_free(context, model);

  /* one chain somewhere else */
  for (int i = 0; i < DRAWS; i++) q[1][i][0] += 4;
  REQUIRE_OK(context, sl__posterior_evidence_of_draws(context, target, "triangular", &draws,
                                                      &options, &report, &model));
  CHECK(!report.trusted && strstr(report.verdict, "chains disagree"));
  sl__model_free(context, model);
  q[1][7][1] = (double)NAN;
  CHECK(sl__posterior_evidence_of_draws(context, target, "triangular", &draws, &options, &report,
                                        &model) == SL_NUMERIC &&
        !model);
  sl__target_free(target);
}

TEST(the_end) {
  sl_context_free(context);
}
