/* The evidence through the public header alone. */
#include "check.h"
#include "sluice/sluice.h"

/* Two coordinates of lighter tails than the flow's, so that weights are bounded:
 * exp(-t^4/4) integrates to 2 * 4^(1/4) Gamma(5/4); the scales are 1 and 3. */
static const char density[] = "-x^4/4 - (y/3)^4/4";
static double exact(void) {
  return 2 * (log(2) + 0.25 * log(4) + lgamma(1.25)) + log(3);
}

typedef struct fixture {
  sl_context *context;
  sl_target *target;
  sl_flow *flow;
} fixture;

static bool open(fixture *f) {
  const sl_context_options how = {.size = sizeof how, .threads = 2};
  sl_vi_options options;
  sl_vi_options_default(&options, sizeof options);
  options.mode = SL_VI_PLAIN;
  options.formula = "scale-loc";
  options.steps = 1500;
  options.rate = 0.02;
  options.schedule = "cosine";
  return sl_context_new(&how, &f->context) == SL_OK &&
         sl_target_from_expression(f->context, density, "x,y", &f->target) == SL_OK &&
         sl_vi(f->context, f->target, &options, &f->flow, NULL) == SL_OK;
}

static void close_all(fixture *f) {
  sl_flow_free(f->flow);
  sl_target_free(f->target);
  sl_context_free(f->context);
}

TEST(evidence_with_its_own_chains) {
  fixture f;
  REQUIRE(open(&f));
  sl_evidence_report report = {.size = sizeof report};
  REQUIRE_OK(f.context, sl_evidence(f.context, f.target, f.flow, NULL, &report));
  CHECK(report.trusted && report.rhat < 1.02 && report.gradient_evaluations > 4000);
  CHECK(report.se > 0 && report.se < 0.02 && report.bridge_se > 0);
  CHECK_CLOSE(report.log_evidence, exact(), 4 * report.se);
  CHECK_CLOSE(report.importance, exact(), 4 * report.importance_se + 0.005);
  CHECK(report.khat < 0.7 && report.ess > 5000 && report.verdict[0] != '\0');
  close_all(&f);
}

TEST(evidence_with_draws_that_are_given) {
  fixture f;
  enum { ROWS = 4000, EACH = 1000 };
  REQUIRE(open(&f));
  double *x = malloc(ROWS * 2 * sizeof *x);
  REQUIRE(x != NULL);
  const sl_array_out out = sl_out_f64(x, ROWS, 2);
  sl_nuts_options nuts;
  sl_nuts_options_default(&nuts, sizeof nuts);
  nuts.draws = EACH;
  sl_nuts_report drawn = {.size = sizeof drawn};
  REQUIRE_OK(f.context, sl_nuts(f.context, f.target, &nuts, &out, &drawn));
  CHECK_INTEGER(drawn.trajectories, 1);
  const int64_t gradients = drawn.gradient_evaluations;
  nuts.trajectories = 3;
  REQUIRE_OK(f.context, sl_nuts(f.context, f.target, &nuts, &out, &drawn));
  CHECK(drawn.trajectories == 3 && drawn.gradient_evaluations > gradients);
  nuts.trajectories = -1;
  CHECK(sl_nuts(f.context, f.target, &nuts, &out, NULL) == SL_BAD_ARGUMENT);
  nuts.trajectories = 1;
  nuts.halvings = 21;
  CHECK(sl_nuts(f.context, f.target, &nuts, &out, NULL) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(f.context), "halvings is 21; it must lie in 0..20") != NULL);
  nuts.halvings = 3;
  REQUIRE_OK(f.context, sl_nuts(f.context, f.target, &nuts, &out, &drawn));
  sl_evidence_options options;
  sl_evidence_options_default(&options, sizeof options);
  options.draws = sl_in_f64(x, ROWS, 2);
  options.chains = ROWS / EACH;
  sl_evidence_report report = {.size = sizeof report};
  REQUIRE_OK(f.context, sl_evidence(f.context, f.target, f.flow, &options, &report));
  CHECK(report.trusted && report.gradient_evaluations == 0);
  CHECK_CLOSE(report.bridge, exact(), 4 * report.bridge_se);

  options.draws.rows = ROWS - 1;
  CHECK(sl_evidence(f.context, f.target, f.flow, &options, &report) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(f.context), "3999 rows are not 4 chains") != NULL);
  options.draws.rows = ROWS;
  options.chains = 0;
  CHECK(sl_evidence(f.context, f.target, f.flow, &options, &report) == SL_BAD_ARGUMENT);
  options.chains = ROWS / EACH;
  x[3] = (double)NAN;
  CHECK(sl_evidence(f.context, f.target, f.flow, &options, &report) == SL_NUMERIC);
  CHECK(strstr(sl_error(f.context), "draw 2 is not finite") != NULL);
  free(x);
  close_all(&f);
}

TEST(evidence_refuses) {
  fixture f;
  sl_flow *other;
  REQUIRE(open(&f));
  sl_evidence_report report = {.size = sizeof report + 1};
  CHECK(sl_evidence(f.context, f.target, f.flow, NULL, &report) == SL_BAD_ARGUMENT);
  report.size = sizeof report;
  sl_evidence_options options;
  sl_evidence_options_default(&options, sizeof options);
  options.judge = 99;
  CHECK(sl_evidence(f.context, f.target, f.flow, &options, &report) == SL_BAD_ARGUMENT);
  options.judge = 100;
  float narrow[2] = {0};
  options.draws = sl_in_f32(narrow, 1, 2);
  CHECK(sl_evidence(f.context, f.target, f.flow, &options, &report) == SL_BAD_ARGUMENT);
  REQUIRE_OK(f.context, sl_flow_new(f.context, "scale-loc", NULL, 3, 0, SL_F64, 0, &other));
  CHECK(sl_evidence(f.context, f.target, other, NULL, &report) == SL_BAD_ARGUMENT);
  sl_flow_free(other);
  close_all(&f);
}
