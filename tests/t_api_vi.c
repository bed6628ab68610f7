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
