/* What the judge makes of draws of the target that the flow has nothing of. */
#include <math.h>
#include "robust_fixture.h"

enum { ROWS = 8192, STRAYS = 3 };

/* A unit normal flow, a unit normal target with a rare unit normal part at `far`, and draws of that
 * which have STRAYS of it. */
static sl__robust_report judge_with_part_at(double far) {
  char density[160];
  snprintf(density, sizeof density, "log_sum_exp(log(0.9996)-0.5*x^2, log(0.0004)-0.5*(x-%g)^2)",
           far);
  double mean[] = {0}, sd[] = {1};
  static double x[ROWS];
  const sl__random_key key = {1, SL__STREAM_TEST, 3};
  for (int r = 0; r < ROWS; r++)
    x[r] = (r < STRAYS ? far : 0) + sl__random_normal(key, (uint64_t)r, 0);
  sl__exploration e = {.dim = 1,
                       .buffer = {ROWS, x},
                       .effective = ROWS,
                       .smc = {.step_size = 0.3},
                       .mean = mean,
                       .sd = sd};
  robust_fixture f;
  robust_open(&f, density, "x", &e, SL_F64);
  CHECK_OK(f.context, sl__robust_judge(&f.run, f.model, &f.report));
  robust_close(&f);
  return f.report;
}

/* Their share is 3 in 8192, and they add that times their squared distance to the variance. */
TEST(far_strays_are_counted_with_what_they_move) {
  const double far = 500, share = (double)STRAYS / ROWS;
  const sl__robust_report r = judge_with_part_at(far);
  CHECK(r.strays == STRAYS);
  CHECK_CLOSE(r.stray_mean_gap, share * far, 0.02 * share * far);
  CHECK_CLOSE(r.stray_sd_gap, 0.5 * log1p(share * far * far), 0.01);
  CHECK(r.ess_forward > 0.5); /* which they are left out of */
  /* of tails so heavy the rule takes mean deviations, and the report the sds */
  CHECK_CLOSE(r.log_sd_ratio, 0.5 * log1p(share * far * far), 0.01);
  CHECK(r.sd_gap < 0.3);
  CHECK(r.stray_spread_gap == r.stray_sd_gap); /* the flow itself has no such tails */
}

/* What three strays at `far` do to a flow whose draws are normal ones to this odd power; the mean
 * deviation of these goes to *deviation. */
static sl__robust_report stray_from_power(int power, double far, double log_weight,
                                          double *deviation) {
  static double x[ROWS], fresh[ROWS], at_fresh[ROWS];
  const sl__random_key key = {2, SL__STREAM_TEST, 4};
  *deviation = 0;
  for (int r = 0; r < ROWS / 2; r++) {
    const double z = sl__random_normal(key, (uint64_t)r, 0);
    x[r] = pow(z, power);
    x[ROWS - 1 - r] = -x[r];
    *deviation += 2 * fabs(x[r]) / ROWS;
  }
  for (int r = 0; r < ROWS; r++) {
    fresh[r] = r < STRAYS ? far : 0;
    at_fresh[r] = r < STRAYS ? log_weight : 0;
  }
  const sl__judged j = {
      .rows = ROWS, .fresh_rows = ROWS, .x = x, .fresh = fresh, .at_fresh = at_fresh};
  sl__robust_report report = {0};
  sl__robust_measure_strays(&j, 1, 3, &report);
  return report;
}

/* Heavy tails: an sd may hang on a few draws by chance, a mean deviation hardly. */
TEST(in_heavy_tails_strays_count_by_mean_deviations) {
  double deviation;
  sl__robust_report r = stray_from_power(1, 100, 5, &deviation);
  CHECK(r.strays == STRAYS && r.stray_spread_gap == r.stray_sd_gap && r.stray_sd_gap > 0.7);
  r = stray_from_power(5, 600, 9, &deviation); /* some 20 sds, and 94 mean deviations */
  CHECK_CLOSE(r.stray_spread_gap, log1p(STRAYS * 600 / deviation / ROWS), 1e-9);
  CHECK(r.stray_spread_gap < 0.05 && r.stray_sd_gap > 0.05);
  r = stray_from_power(5, 6000, 9, &deviation); /* too much even so */
  CHECK(r.stray_spread_gap > 0.2);
  r = stray_from_power(5, 600, 9.1, &deviation); /* log(8192) is 9.01 */
  CHECK(r.stray_spread_gap == r.stray_sd_gap);
}

TEST(near_strays_move_little) {
  const sl__robust_report r = judge_with_part_at(12);
  CHECK(r.strays == STRAYS);
  CHECK(r.stray_mean_gap < 0.01 && r.stray_sd_gap < 0.05);
}

/* The heaviest draws are left out always; where the flow reaches them they are no strays. */
TEST(where_the_flow_reaches_there_are_none) {
  const sl__robust_report r = judge_with_part_at(0);
  CHECK(r.strays == 0 && r.stray_mean_gap == 0 && r.stray_sd_gap == 0);
}
