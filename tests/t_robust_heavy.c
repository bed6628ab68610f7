/* Heavy tails in one dimension: found in draws, and fitted by a flow that has such tails. */
#include <math.h>
#include <string.h>
#include "flow/model.h"
#include "infer/robust/attempt.h"
#include "vi_fixture.h"

enum { ROWS = 8000 };

/* Quantiles of a density whose inverse distribution function this is, at even steps. */
typedef double inverse(double share);
static double cauchy(double share) {
  return 5 + 3 * tan(acos(-1.0) * (share - 0.5));
}
static double exponential(double share) {
  return -log1p(-share);
}
static double uniform(double share) {
  return share;
}
static double one_place(double share) {
  (void)share;
  return 2;
}

static bool is_heavy(inverse *at, double *centre, double *spread) {
  static double x[ROWS];
  sl_context *context = vi_context(1);
  for (int r = 0; r < ROWS; r++) x[r] = at((r + 0.5) / ROWS);
  double mean = 0, sd = 1;
  sl__exploration e = {.dim = 1, .buffer = {ROWS, x}, .mean = &mean, .sd = &sd};
  sl__robust run = {.context = context, .exploration = &e};
  CHECK_OK(context, sl__robust_find_heavy(&run));
  CHECK_OK(context, sl__robust_measure_quartiles(context, &e, centre, spread));
  sl_context_free(context);
  return run.heavy;
}

TEST(heavy_tails_are_told_from_others) {
  double centre, spread;
  CHECK(is_heavy(cauchy, &centre, &spread));
  CHECK_CLOSE(centre, 5, 0.01);
  CHECK_CLOSE(spread, 3 / 0.6744897501960817, 0.01); /* a normal density's upper quartile, in sd */
  CHECK(!is_heavy(exponential, &centre, &spread));
  CHECK(!is_heavy(uniform, &centre, &spread));
  CHECK(!is_heavy(one_place, &centre, &spread) && centre == 2 && spread == 1);
}

/* Beside draws at even steps: one at 1e9 moves a mean and an sd, and neither a median nor quartiles;
 * another place and scale moves these by as much. */
TEST(medians_and_quartiles_are_compared) {
  static double x[ROWS], far[ROWS], moved[ROWS], shares[ROWS];
  sl_context *context = vi_context(1);
  for (int r = 0; r < ROWS; r++) {
    const double share = (r + 0.5) / ROWS;
    x[r] = far[r] = cauchy(share);
    moved[r] = 1 + 1.5 * x[r];
    shares[r] = 2 * share / ROWS;
  }
  far[0] = 1e9;
  const sl__draws known = {ROWS, x}, stray = {ROWS, far}, other = {ROWS, moved};
  double mean_gap, sd_gap;
  CHECK_OK(context,
           sl__robust_compare_quartiles(context, &stray, &known, NULL, &mean_gap, &sd_gap));
  CHECK(mean_gap < 0.002 && sd_gap < 0.002);
  CHECK_OK(context,
           sl__robust_compare_quartiles(context, &other, &known, NULL, &mean_gap, &sd_gap));
  CHECK_CLOSE(mean_gap, 3.5 / (3 / 0.6744897501960817), 0.002); /* from 5 to 8.5 */
  CHECK_CLOSE(sd_gap, log(1.5), 0.002);
  /* weights 2 u: a share s of them lies below u = sqrt(s) */
  const double centre = cauchy(sqrt(0.5)),
               spread = (cauchy(sqrt(0.75)) - cauchy(sqrt(0.25))) / (2 * 0.6744897501960817);
  CHECK_OK(context,
           sl__robust_compare_quartiles(context, &known, &known, shares, &mean_gap, &sd_gap));
  CHECK_CLOSE(mean_gap, (centre - 5) / spread, 0.002);
  CHECK_CLOSE(sd_gap, fabs(log(3 / 0.6744897501960817 / spread)), 0.002);
  sl_context_free(context);
}

/* The integral of 1 / (1 + x^2)^a is sqrt(pi) Gamma(a - 1/2) / Gamma(a). */
TEST(densities_with_heavy_tails_are_certified) {
  static const double powers[] = {1, 1.25, 1.5};
  if (UNDER_SANITIZER) SKIP("fits, under a sanitizer");
  sl_context *context = vi_context(2);
  for (int k = 0; k < 3; k++) {
    char density[64];
    sl__target *target;
    sl__model *model;
    sl__robust_report report;
    sl__robust_options options;
    sl__robust_defaults(&options);
    options.seed = (uint64_t)k + 1;
    snprintf(density, sizeof density, "-%g * log1p(square((x - 40) / 3))", powers[k]);
    CHECK_OK(context, sl__target_expression(context, density, "x", &target));
    CHECK_OK(context, sl__robust_fit(context, target, &options, &model, &report));
    CHECK(report.certified && report.attempts <= 2);
    CHECK(strstr(model->flow->base.kind->name, "student") != NULL);
    const double exact =
        log(3) + 0.5 * log(acos(-1.0)) + lgamma(powers[k] - 0.5) - lgamma(powers[k]);
    CHECK_CLOSE(report.scores.log_evidence, exact, 0.005);
    sl__model_free(context, model);
    sl__target_free(target);
  }
  sl_context_free(context);
}

/* A seed on which means and sds, which it does not have, spoke against the fit four times, and refused it. */
TEST(a_cauchy_density_is_not_judged_by_its_sd) {
  if (UNDER_SANITIZER) SKIP("fits, under a sanitizer");
  sl_context *context = vi_context(1);
  sl__target *target;
  sl__model *model;
  sl__robust_report report;
  sl__robust_options options;
  sl__robust_defaults(&options);
  CHECK_OK(context, sl__target_expression(context, "-log(1+x^2)", "x", &target));
  CHECK_OK(context, sl__robust_fit(context, target, &options, &model, &report));
  CHECK(report.certified);
  CHECK(report.by_quartiles);
  CHECK_CLOSE(report.scores.log_evidence, log(acos(-1.0)), 0.005);
  sl__model_free(context, model);
  sl__target_free(target);
  sl_context_free(context);
}
