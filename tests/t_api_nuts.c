/* Chains through the public header alone: jumps with halved steps, draws that are left out, and too
 * many of them. */
#include "check.h"
#include "sluice/sluice.h"

/* A refusal of what is large stands for a machine that has no more. */
enum { LARGEST = 1 << 28 };
static void *reallocate(void *user, void *pointer, size_t old_size, size_t new_size) {
  (void)user;
  (void)old_size;
  if (new_size == 0) free(pointer);
  return new_size > 0 && new_size <= LARGEST ? realloc(pointer, new_size) : NULL;
}

static sl_context *new_context(void) {
  const sl_context_options options = {
      .size = sizeof options, .threads = 2, .reallocate = reallocate};
  sl_context *context = NULL;
  sl_context_new(&options, &context);
  return context;
}

/* Normal, with standard deviations 7 and 1. */
static sl_status wide_flow(sl_context *context, sl_flow **flow) {
  double vector[6]; /* log scales, and a layer that stays as it is */
  sl_status status = sl_flow_new(context, "scale(exp,jitter=0)", NULL, 2, 0, SL_F64, 1, flow);
  if (status != SL_OK || !CHECK_INTEGER(sl_flow_parameter_count(*flow), 6)) return status;
  const sl_array_out out = sl_out_f64(vector, 1, 6);
  const sl_array_in in = sl_in_f64(vector, 1, 6);
  status = sl_flow_parameters(context, *flow, &out);
  vector[0] = log(7);
  return status == SL_OK ? sl_flow_set_parameters(context, *flow, &in) : status;
}

/* Two modes far apart, of shares 0.3 and 0.7, which no trajectory joins: one five times as narrow as
 * the other, so that steps which suit the other are halved there. */
TEST(jumps_with_halvings) {
  enum { CHAINS = 4, DRAWS = 4000, ROWS = CHAINS * DRAWS };
  static const char modes[] =
      "log_sum_exp(log(0.3/0.2) - 0.5*((x+6)/0.2)^2, log(0.7) - 0.5*(x-6)^2) - 0.5*y^2";
  static double x[2 * ROWS], below[ROWS];
  sl_context *context = new_context();
  sl_target *target = NULL;
  REQUIRE_OK(context, sl_target_from_expression(context, modes, "x,y", &target));
  sl_flow *flow = NULL;
  REQUIRE_OK(context, wide_flow(context, &flow));
  sl_nuts_options options;
  sl_nuts_options_default(&options, sizeof options);
  options.draws = DRAWS;
  options.precondition = flow;
  options.jumps = 1;
  options.halvings = 8;
  sl_nuts_report report = {.size = sizeof report};
  const sl_array_out out = sl_out_f64(x, ROWS, 2);
  REQUIRE_OK(context, sl_nuts(context, target, &options, &out, &report));
  CHECK(report.jump_acceptance > 0.05 && report.jump_acceptance < 0.95);
  CHECK_INTEGER(report.divergences, 0);
  CHECK(report.irreversible > 0); /* only halved steps can be */
  for (int i = 0; i < ROWS; i++) below[i] = x[2 * i] < 0;
  for (int i = 0; i < ROWS; i++) x[2 * i] = x[2 * i] < 0 ? (x[2 * i] + 6) / 0.2 : x[2 * i] - 6;
  const sl_array_in shares = sl_in_f64(below, ROWS, 1), within = sl_in_f64(x, ROWS, 2);
  sl_summary share, rows[2];
  REQUIRE_OK(context, sl_summarize(context, &shares, CHAINS, &share));
  REQUIRE_OK(context, sl_summarize(context, &within, CHAINS, rows));
  CHECK(share.mcse_mean < 0.03 && fabs(share.mean - 0.3) < 4 * share.mcse_mean);
  for (int i = 0; i < 2; i++) {
    CHECK(rows[i].mcse_mean < 0.05 && fabs(rows[i].mean) < 4 * rows[i].mcse_mean);
    CHECK(rows[i].mcse_sd < 0.05 && fabs(rows[i].sd - 1) < 4 * rows[i].mcse_sd);
  }
  sl_flow_free(flow);
  sl_target_free(target);
  sl_context_free(context);
}

/* Student's density with two degrees of freedom: momenta move its energy by a tenth of how far it
 * spreads, however few of the draws are kept. */
TEST(slow_energies_are_told_of_draws_apart) {
  sl_context *context = new_context();
  sl_target *target = NULL;
  REQUIRE_OK(context,
             sl_target_from_expression(context, "-11*log(1 + dot_self(x)/2)", "x[20]", &target));
  sl_nuts_options options;
  sl_nuts_options_default(&options, sizeof options);
  sl_nuts_report report = {.size = sizeof report};
  options.draws = 6400;
  options.thin = 16;
  REQUIRE_OK(context, sl_nuts(context, target, &options, NULL, &report));
  if (!CHECK(strstr(report.verdict, "E-BFMI is below 0.3 in 4 of 4 chains") != NULL))
    printf("  %s\n", report.verdict);
  sl_target_free(target);
  sl_context_free(context);
}

TEST(more_draws_than_memory) {
  sl_context *context = new_context();
  sl_target *target = NULL;
  REQUIRE_OK(context, sl_target_from_expression(context, "-x^2/2 - y^2/2", "x,y", &target));
  sl_nuts_options options;
  sl_nuts_options_default(&options, sizeof options);
  options.draws = 50000000;
  options.thin = 2;
  CHECK(sl_nuts(context, target, &options, NULL, NULL) == SL_NO_MEMORY);
  CHECK_TEXT(sl_error(context), "no memory for 25000000 draws of 4 chains, 2 numbers each; take "
                                "fewer draws, or keep one in so many (thin)");
  sl_target_free(target);
  sl_context_free(context);
}
