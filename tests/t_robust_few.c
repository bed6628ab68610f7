/* What the robust mode knows of few dimensions: points wider than the target, over which log w is
 * made even; and how fast a wave the draws have. */
#include <math.h>
#include <string.h>
#include "infer/robust/attempt.h"
#include "vi_fixture.h"

enum { ROWS = 4096 };

/* ---- points wider than the target ---- */

/* Evenly spread points are no draws of a standard normal density: a fit by likelihood would end at
 * their sd, 3.5. Some are where no draw of either density ever is. */
TEST(log_weights_are_made_even_over_any_points) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 1, vi_standard_normal);
  vi_flow f = vi_make_flow(context, "scale-loc", 1);
  double points[601];
  for (int i = 0; i < 601; i++) points[i] = 0.02 * i - 6;
  sl__vi_term term;
  sl__vi_options options;
  sl__vi_defaults(&options, &term);
  term.objective = "variance";
  term.rows = 601;
  term.draws = points;
  options.steps = 1500;
  options.rate = 0.03;
  options.schedule = "cosine";
  sl__vi_report report;
  sl__vi_scores scores;
  CHECK_OK(context, sl__vi_fit(context, f.flow, f.vector, target, &options, &report));
  CHECK_OK(context,
           sl__vi_evaluate(context, f.flow, f.vector, target, 4000, 1, NULL, NULL, &scores));
  CHECK_CLOSE(scores.elbo, 0.5 * log(2 * acos(-1.0)), 1e-4);
  CHECK(scores.ess > 0.9999 * 4000);
  vi_free_flow(context, &f);
  sl__target_free(target);
  sl_context_free(context);
}

/* Points where p is 0 say nothing, and break nothing. */
TEST(points_without_density_are_left_out) {
  const sl__vi_objective *objective = sl__vi_objective_find("variance");
  REQUIRE(objective != NULL);
  const double weights[] = {0.2, -INFINITY, -0.2, 40};
  double coefficients[4];
  const sl__vi_group group = {.count = 4, .log_weights = weights};
  CHECK(isfinite(objective->weigh(&group, coefficients)));
  CHECK(coefficients[1] == 0);
  CHECK_CLOSE(coefficients[3], 0.25, 1e-12); /* no more than one nat's */
  CHECK_CLOSE(coefficients[0] + coefficients[2], -0.25, 1e-9);
}

/* Between a normal density of thrice the sd and the target, at a power of 1/2 at most, the variance
 * is at least that of both to the power 1/2: 1.8. */
TEST(a_population_is_kept_on_its_way) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 2, vi_standard_normal);
  static double q[2 * ROWS], density[ROWS], wide[2 * ROWS];
  static const double centre[] = {0, 0}, spread[] = {3, 3};
  sl__smc_options options;
  sl__smc_report report;
  sl__smc_defaults(&options, 2);
  options.centre = centre;
  options.spread = spread;
  options.wide = wide;
  REQUIRE(options.particles == ROWS);
  CHECK_OK(context, sl__smc_run(context, target, &options, q, density, &report));
  double at_end = 0, on_way = 0;
  for (int i = 0; i < 2 * ROWS; i++) {
    at_end += q[i] * q[i] / (2 * ROWS);
    on_way += wide[i] * wide[i] / (2 * ROWS);
  }
  CHECK_CLOSE(at_end, 1, 0.1);
  CHECK(on_way > 1.65 && on_way < 9.5);
  sl__target_free(target);
  sl_context_free(context);
}

/* Draws of a normal density count as p^(-1/4), the one without density nothing; then the heaviest
 * draws of a flow join them, in the order they have, for a quarter of all. */
TEST(the_heaviest_draws_join_the_points) {
  enum { DRAWS = 1000, KNOWN = 3, HEAVIEST = 512 };
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 1, vi_standard_normal);
  sl__arena arena;
  sl__arena_open(&arena, context);
  double way[] = {1, INFINITY}, buffer[] = {0}, x[DRAWS], log_weights[DRAWS];
  sl__exploration e = {.dim = 1, .wide = {2, way}, .buffer = {1, buffer}};
  sl__robust run = {.context = context, .exploration = &e, .arena = &arena};
  CHECK_OK(context, sl__robust_widen(context, target, &arena, &e));
  CHECK(e.wide.rows == KNOWN && e.wide.x[0] == 1 && e.wide.x[2] == 0);
  CHECK_CLOSE(e.wide_log_weights[0] - e.wide_log_weights[2], 0.125, 1e-12);
  CHECK(e.wide_log_weights[1] == -INFINITY);
  for (int r = 0; r < DRAWS; r++) {
    x[r] = r;
    log_weights[r] = r % 2 ? r : -r;
  }
  CHECK_OK(context, sl__robust_widen_by(&run, DRAWS, x, log_weights));
  CHECK(e.wide.rows == KNOWN + HEAVIEST);
  double old = 0, joined = 0, heavy = 0;
  for (int r = 0; r < KNOWN; r++) old += exp(e.wide_log_weights[r]);
  for (int r = KNOWN; r < KNOWN + HEAVIEST; r++) {
    joined += exp(e.wide_log_weights[r]);
    heavy += (int)e.wide.x[r] % 2 || e.wide.x[r] <= 22; /* all 500 odd ones, then -0 to -22 */
  }
  CHECK_CLOSE(joined / (old + joined), 0.25, 1e-12);
  CHECK(heavy == HEAVIEST && e.wide.x[KNOWN] == 0 && e.wide.x[KNOWN + 1] == 1);
  e.dim = 4; /* too many dimensions for so few points */
  CHECK_OK(context, sl__robust_widen(context, target, &arena, &e));
  CHECK(e.wide.rows == 0);
  sl__arena_close(&arena);
  sl__target_free(target);
  sl_context_free(context);
}

/* ---- waves ---- */

/* Draws of a normal a with sd 3 and of b, a wave of it with noise; correlated by `tilt`. */
static double fastest_of(double frequency, double height, double tilt) {
  sl_context *context = vi_context(1);
  static double x[2 * ROWS];
  const sl__random_key key = {3, SL__STREAM_TEST, 0};
  double mean[2] = {0}, sd[2] = {0}, product = 0, found = -1;
  for (int r = 0; r < ROWS; r++) {
    const double a = 3 * sl__random_normal(key, (uint64_t)r, 0);
    x[2 * r] = 7 + a;
    x[2 * r + 1] =
        height * sin(frequency * a + 1) + tilt * a + 0.4 * sl__random_normal(key, (uint64_t)r, 2);
  }
  for (int r = 0; r < ROWS; r++)
    for (int i = 0; i < 2; i++) mean[i] += x[2 * r + i] / ROWS;
  for (int r = 0; r < ROWS; r++) {
    for (int i = 0; i < 2; i++) sd[i] += pow(x[2 * r + i] - mean[i], 2) / ROWS;
    product += (x[2 * r] - mean[0]) * (x[2 * r + 1] - mean[1]) / ROWS;
  }
  for (int i = 0; i < 2; i++) sd[i] = sqrt(sd[i]);
  const double correlation = product / sd[0] / sd[1];
  double factor[4] = {1, 0, correlation, sqrt(1 - correlation * correlation)};
  const sl__exploration e = {
      .dim = 2, .buffer = {ROWS, x}, .mean = mean, .sd = sd, .factor = factor};
  CHECK_OK(context, sl__robust_fastest_wave(context, &e, &found));
  sl_context_free(context);
  return found / sd[0];
}

/* Of a itself: what is found is per whitened unit. */
TEST(a_fast_wave_is_found) {
  CHECK_CLOSE(fastest_of(4, 1, 0), 4, 0.002);
  CHECK_CLOSE(fastest_of(7, 0.6, 0.5), 7, 0.002);
  CHECK_CLOSE(fastest_of(15, 1, -0.2), 15, 0.002);
}

TEST(slow_waves_and_noise_are_none) {
  CHECK(fastest_of(0, 0, 0) == 0);
  CHECK(fastest_of(0.5, 1, 0.3) == 0);
  CHECK(fastest_of(1, 2, 0) == 0);
}
