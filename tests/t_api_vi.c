/* Variational inference through the public header alone. */
#include "check.h"
#include "sluice/sluice.h"

/* The ELBO with an extra term: the notebook's custom objective, in a few lines. */
static sl_value elbo_with_a_penalty(void *user, sl_expression *e, sl_value x, sl_value log_q,
                                    sl_value log_p) {
  const double *weight = user;
  const sl_value elbo = sl_value_of(e, "subtract", log_p, log_q);
  const sl_value size = sl_value_sum(e, sl_value_of(e, "square", x, 0));
  const sl_value penalty = sl_value_of(e, "multiply", sl_value_number(e, *weight), size);
  return sl_value_of(e, "subtract", penalty, elbo);
}

static sl_value not_a_number(void *user, sl_expression *e, sl_value x, sl_value log_q,
                             sl_value log_p) {
  (void)user, (void)log_q, (void)log_p;
  return sl_value_of(e, "exp", x, 0);
}
static sl_value unknown(void *user, sl_expression *e, sl_value x, sl_value log_q, sl_value log_p) {
  (void)user, (void)x, (void)log_q;
  return sl_value_of(e, "frobnicate", log_p, 0);
}

static bool count(void *user, const sl_vi_progress *now) {
  int64_t *steps = user;
  *steps = now->step;
  return now->parameters != NULL && now->step < 30;
}

TEST(a_fit) {
  sl_context *context;
  sl_target *target;
  sl_flow *flow;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  REQUIRE_OK(context, sl_target_from_expression(context, "-0.5*x^2 - 0.5*y^2", "x,y", &target));
  sl_vi_options options;
  sl_vi_report report = {.size = sizeof report};
  double weight = 1.5; /* x.x/2 and this much: standard deviation 1/2 */
  sl_vi_options_default(&options, sizeof options);
  options.mode = SL_VI_PLAIN;
  options.steps = 2000;
  options.rate = 0.02;
  options.schedule = "cosine";
  REQUIRE_OK(context, sl_vi(context, target, &options, &flow, &report));
  CHECK_CLOSE(report.elbo, log(2 * acos(-1.0)), 1e-3);
  CHECK_CLOSE(report.log_evidence, log(2 * acos(-1.0)), 1e-3);
  CHECK(report.trusted && !report.certified && report.khat < 0.5);
  CHECK_TEXT(sl_flow_column_name(flow, 1), "y");
  sl_flow_free(flow);

  options.loss = elbo_with_a_penalty;
  options.loss_user = &weight;
  REQUIRE_OK(context, sl_vi(context, target, &options, &flow, &report));
  double x[4000], squares = 0;
  const sl_array_out rows = sl_out_f64(x, 2000, 2);
  CHECK_OK(context, sl_flow_sample(context, flow, 1, NULL, &rows, NULL));
  for (int i = 0; i < 4000; i++) squares += x[i] * x[i];
  CHECK_CLOSE(squares / 4000, 0.25, 0.02);
  sl_flow_free(flow);

  options.loss = not_a_number;
  CHECK(sl_vi(context, target, &options, &flow, &report) == SL_BAD_ARGUMENT && !flow);
  options.loss = unknown;
  CHECK(sl_vi(context, target, &options, &flow, &report) == SL_BAD_ARGUMENT && !flow);
  CHECK(strstr(sl_error(context), "frobnicate") != NULL);

  int64_t steps = 0;
  options.loss = NULL;
  options.progress = count;
  options.progress_user = &steps;
  CHECK(sl_vi(context, target, &options, &flow, &report) == SL_STOPPED && flow);
  CHECK_INTEGER(steps, 30);
  sl_flow_free(flow);
  sl_target_free(target);
  sl_context_free(context);
}

TEST(refusals) {
  sl_context *context;
  sl_target *target;
  sl_flow *flow;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  REQUIRE_OK(context, sl_target_standard(context, "pot1", &target));
  sl_vi_options options;
  sl_vi_options_default(&options, sizeof options);
  options.mode = SL_VI_PLAIN;
  options.formula = "planar*x";
  CHECK(sl_vi(context, target, &options, &flow, NULL) == SL_SYNTAX && !flow);
  options.formula = NULL;
  options.objective = "frobnicate";
  CHECK(sl_vi(context, target, &options, &flow, NULL) == SL_BAD_ARGUMENT && !flow);
  options.objective = NULL;
  options.size = 3;
  CHECK(sl_vi(context, target, &options, &flow, NULL) == SL_BAD_ARGUMENT && !flow);
  sl_target_free(target);
  sl_context_free(context);
}

static bool see_stages(void *user, const sl_vi_progress *now) {
  int *seen = user;
  *seen |= 1 << now->stage;
  return true;
}

static const char product[] = "parameters { real mu; real<lower=0> tau; }\n"
                              "model { mu ~ normal(1, 2); tau ~ gamma(3, 1); }\n";

TEST(the_robust_mode) {
  sl_context *context;
  sl_target *target, *again;
  sl_flow *flow;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  REQUIRE_OK(context, sl_target_from_stan(context, product, NULL, 0, &target));
  sl_vi_options options;
  sl_vi_report report = {.size = sizeof report};
  int seen = 0;
  sl_vi_options_default(&options, sizeof options);
  options.judge = 4000;
  options.formula = "maf(affine,hidden=8)";
  options.progress = see_stages;
  options.progress_user = &seen;
  REQUIRE_OK(context, sl_vi(context, target, &options, &flow, &report));
  CHECK_INTEGER(seen, 1 << SL_VI_EXPLORING | 1 << SL_VI_LIKELIHOOD | 1 << SL_VI_DIVERGENCE |
                          1 << SL_VI_JUDGING);
  CHECK(report.certified == report.trusted && report.verdict[0]);
  CHECK_CLOSE(report.log_evidence, 0, 0.05); /* both densities are normalised */
  CHECK(report.upper_bound > report.elbo && report.bridge_se > 0 && report.attempts > 0);
  CHECK(report.ess_forward > 0.1 && report.rhat < 1.05 && report.effective > 100);
  CHECK(report.largest_weight > 0 && report.largest_weight < 0.1 && report.chains_agree);
  CHECK(fabs(report.tempered) < 0.2 && report.tempered_se < 0.2 && report.tempered_accept > 0.5);
  CHECK(report.mean_gap < 0.2 && report.own_mean_gap < 0.2 && report.log_sd_ratio < 0.2);
  CHECK(report.own_log_sd_ratio < 0.2 && report.stray_mean_gap <= (double)report.strays);
  CHECK(report.climbs > 60 && report.particles > 1000 && report.chains == 8);
  CHECK(report.chain_draws == 8000 && report.density_evaluations > 4000);

  /* The flow knows what it was fitted to. */
  REQUIRE_OK(context, sl_target_of_flow(context, flow, &again));
  double x[2000], values[2000], mean = 0;
  const sl_array_out rows = sl_out_f64(x, 1000, 2), parameters = sl_out_f64(values, 1000, 2);
  const sl_array_in drawn = sl_in_f64(x, 1000, 2);
  CHECK_OK(context, sl_flow_sample(context, flow, 1, NULL, &rows, NULL));
  CHECK_OK(context, sl_target_constrain(context, again, false, &drawn, &parameters));
  for (int i = 0; i < 1000; i++) mean += values[2 * i + 1] / 1000;
  CHECK_CLOSE(mean, 3, 0.3);
  sl_target_free(again);
  sl_flow_free(flow);

  /* A struct of an earlier version is filled as far as it goes. */
  sl_vi_report early = {.size = offsetof(sl_vi_report, upper_bound), .upper_bound = 17};
  options.max_gradients = 20000;
  CHECK_OK(context, sl_vi(context, target, &options, &flow, &early));
  CHECK(early.elbo < 1 && early.upper_bound == 17);
  sl_flow_free(flow);

  options.steps = 5;
  CHECK(sl_vi(context, target, &options, &flow, NULL) == SL_BAD_ARGUMENT && !flow);
  CHECK(strstr(sl_error(context), "steps is for SL_VI_PLAIN") != NULL);
  options.steps = -1;
  options.mode = 9;
  CHECK(sl_vi(context, target, &options, &flow, NULL) == SL_BAD_ARGUMENT && !flow);
  sl_target_free(target);
  sl_context_free(context);
}
