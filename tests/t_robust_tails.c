/* The mass that a target has in tails to which a flow's draws do not come. */
#include <math.h>
#include "robust_fixture.h"

/* Of a unit normal flow in three dimensions. */
static sl__robust_report weigh(const char *density, sl_dtype type) {
  double mean[] = {0, 0, 0}, sd[] = {1, 1, 1};
  sl__exploration e = {.dim = 3, .mean = mean, .sd = sd};
  robust_fixture f;
  robust_open(&f, density, "x,y,z", &e, type);
  CHECK_OK(f.context, sl__robust_weigh_tails(&f.run, f.model, &f.arena, &f.report));
  robust_close(&f);
  return f.report;
}

/* (2 pi)^(-3/2) */
#define UNIT "-2.756815599614018 - 0.5*(x^2+y^2+z^2)"

TEST(nothing_is_missed_of_the_flow_itself) {
  const sl__robust_report r = weigh(UNIT, SL_F64);
  CHECK(fabs(r.tail_missed) < 1e-6 && r.tail_missed_se < 1e-6);
}

/* A tenth is 50 times as wide, or a tenth of one coordinate; what is near the middle, and the
 * flow's draws come to, is a thousandth of that in the first, and a twentieth in the second. */
TEST(mass_far_out_is_weighed) {
  static const char *const densities[] = {
      "-2.756815599614018 + log_sum_exp(log(0.9) - 0.5*(x^2+y^2+z^2), "
      "log(0.1) - 3*log(50) - 0.5*(x^2+y^2+z^2)/2500)",
      "-2.756815599614018 - 0.5*(x^2+z^2) + log_sum_exp(log(0.9) - 0.5*y^2, "
      "log(0.1) - log(50) - 0.5*y^2/2500)"};
  static const double near[] = {0.001, 0.05};
  static const sl_dtype types[] = {SL_F64, SL_F32};
  for (int k = 0; k < 4; k++) {
    const sl__robust_report r = weigh(densities[k % 2], types[k / 2]);
    CHECK(r.tail_missed_se > 0 && r.tail_missed_se < 0.01);
    CHECK_CLOSE(r.tail_missed, 0.1 * (1 - near[k % 2]), 4 * r.tail_missed_se);
  }
}

/* A tenth lies a thousand times as far out, on one side of the last coordinate; all of it is beyond
 * the flow's draws, but for a hundredth. */
TEST(either_side_is_looked_at) {
  static const char *const signs[] = {"z", "-z"};
  for (int k = 0; k < 2; k++) {
    char density[300];
    snprintf(
        density, sizeof density,
        "-1.8378770664093455 - 0.5*(x^2+y^2) + log_sum_exp(log(0.9) - 0.5*log(2*pi()) - "
        "0.5*z^2, %s > 0 ? log(0.1) + log(2) + cauchy_lpdf(z | 0, 1000) : negative_infinity())",
        signs[k]);
    const sl__robust_report r = weigh(density, SL_F64);
    CHECK(r.tail_missed_se > 0 && r.tail_missed_se < 0.02);
    CHECK_CLOSE(r.tail_missed, 0.1, 4 * r.tail_missed_se);
  }
}

TEST(tails_are_part_of_the_error) {
  sl__robust_report r = {.tail_missed = (double)NAN, .scores = {.log_evidence_se = 0.002}};
  CHECK(sl__robust_evidence_se(&r) == 0.002);
  r.tail_missed = 0.003;
  r.tail_missed_se = 0.006;
  CHECK_CLOSE(sl__robust_evidence_se(&r), 0.007, 1e-12);
}

TEST(tails_count_in_the_gap) {
  sl__robust_report r = {
      .dim = 2, .bridge = (double)NAN, .scores = {.log_evidence = 1, .elbo = 0.98}};
  const double gap = sl__robust_gap(&r);
  r.tail_missed = 0.1;
  r.tail_missed_se = 0.04; /* chance may have done it */
  CHECK(sl__robust_gap(&r) == gap);
  r.tail_missed_se = 0.03;
  CHECK_CLOSE(sl__robust_gap(&r), gap + log(1.2), 1e-12);
}
