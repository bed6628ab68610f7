/* Rules that end a run before its last step: each on a fit that arrives, that of windows on one that
 * crawls as well, and PyMC3's against plain C. */
#include "infer/vi/engine.h"
#include "vi_fixture.h"

static double kullback_leibler(const sl__vi_scores *scores, const sl__target *target) {
  return target->log_evidence - scores->elbo;
}

static sl__vi_report fit(sl_context *context, const sl__target *target, vi_flow *f,
                         const sl__vi_options *options) {
  sl__vi_report report;
  CHECK_OK(context, sl__vi_fit(context, f->flow, f->vector, target, options, &report));
  return report;
}

typedef void (*set_rule)(sl__vi_options *options);
static void by_parameters(sl__vi_options *options) {
  options->stop.parameter_tolerance = 0.02;
}
static void by_elbo(sl__vi_options *options) {
  options->stop.elbo_tolerance = 0.01;
  options->stop.elbo_window = 100;
}
static void by_iterates(sl__vi_options *options) {
  options->stop.iterate_tolerance = 0.01;
}

TEST(rules_stop_a_run_that_has_arrived) {
  static const set_rule rules[] = {by_parameters, by_elbo, by_iterates};
  sl_context *context = vi_context(1);
  sl__target *target;
  REQUIRE_OK(context, sl__target_standard(context, "gaussian55", &target));
  for (int k = 0; k < 3; k++) {
    vi_flow f = vi_make_flow(context, "scale-loc", 2);
    sl__vi_term term;
    sl__vi_options options;
    sl__vi_defaults(&options, &term);
    options.steps = 50000;
    options.rate = 0.01;
    rules[k](&options);
    const sl__vi_report report = fit(context, target, &f, &options);
    sl__vi_scores scores;
    CHECK_OK(context,
             sl__vi_evaluate(context, f.flow, f.vector, target, 4000, 1, NULL, NULL, &scores));
    if (!CHECK(report.steps > 500 && report.steps < 20000 && report.stopped[0] != '\0') ||
        !CHECK(kullback_leibler(&scores, target) < 0.02))
      printf("  rule %d: %lld steps, %s\n", k, (long long)report.steps, report.stopped);
    vi_free_flow(context, &f);
  }
  sl__target_free(target);
  sl_context_free(context);
}

/* With a rate of nearly nothing all rules of change fire at their first look, but for PyMC3's
 * relative one, which a parameter near zero keeps from firing. */
TEST(relative_changes_near_zero) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 1, vi_standard_normal);
  static const struct {
    const char *change;
    int steps, steps_near_zero;
  } cases[] = {{NULL, 800, 800}, {"relative", 100, 400}, {"absolute", 100, 100}};
  for (int k = 0; k < 3; k++) {
    vi_flow f = vi_make_flow(context, "scale-loc", 1);
    f.vector[1] = 1e-9;
    sl__vi_term term;
    sl__vi_options options;
    sl__vi_defaults(&options, &term);
    options.steps = k == 0 ? 1000 : 400;
    options.rate = 1e-8;
    options.stop.parameter_tolerance = 1e-3;
    options.stop.change = cases[k].change;
    const sl__vi_report report = fit(context, target, &f, &options);
    CHECK_INTEGER(report.steps, cases[k].steps_near_zero);
    f.vector[1] = 0.5; /* away from zero PyMC3's fires too */
    CHECK_INTEGER(fit(context, target, &f, &options).steps, cases[k].steps);
    vi_free_flow(context, &f);
  }
  sl__target_free(target);
  sl_context_free(context);
}

/* ---- the drift of windows' means ---- */

/* Along a straight line, d from window to window, eight means spread by 6 d^2 about theirs, and half
 * the mean square of neighbours' differences is d^2 / 2: the drift is the root of 5 d^2. */
TEST(drift_of_a_straight_line) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 1, vi_standard_normal);
  vi_flow f = vi_make_flow(context, "scale-loc", 1);
  sl__vi_term term;
  sl__vi_options options;
  sl__vi *vi;
  const double slope = 1e-3;
  int looks = 0;
  sl__vi_defaults(&options, &term);
  options.stop.parameter_tolerance = 1;
  options.stop.every = 50;
  REQUIRE_OK(context, sl__vi_new(context, f.flow, f.vector, target, &options, &vi));
  double *weights = (double *)vi->weights;
  for (int step = 1, length = 50; step <= 6400; step++) {
    if (step > 32 * length / 2) length *= 2; /* sixteen are full */
    weights[0] = weights[1] = slope * step;
    const double drift = sl__vi_drift(vi);
    CHECK(isinf(drift) == (step < 400 || step % length != 0));
    if (isinf(drift)) continue;
    const double centre = slope * (step - 4 * length + 0.5);
    CHECK_CLOSE(drift, sqrt(5) * slope * length / fmax(1, centre), 1e-12);
    looks++;
  }
  CHECK_INTEGER(looks, 9 + 8 + 8 + 8);
  sl__vi_free(vi);
  vi_free_flow(context, &f);
  sl__target_free(target);
  sl_context_free(context);
}

/* A scale-loc flow on the Gaussian around (5, 5), whose steps end wandering by ten times the
 * tolerance. */
static sl__vi_report fit_gaussian(uint64_t seed, double rate, int64_t steps, double *divergence) {
  sl_context *context = vi_context(1);
  sl__target *target;
  sl__vi_term term;
  sl__vi_options options;
  sl__vi_scores scores = {0};
  vi_flow f = vi_make_flow(context, "scale-loc", 2);
  sl__vi_report report = {0};
  CHECK_OK(context, sl__target_standard(context, "gaussian55", &target));
  sl__vi_defaults(&options, &term);
  options.steps = steps;
  options.rate = rate;
  options.seed = seed;
  options.stop.parameter_tolerance = 1e-3;
  report = fit(context, target, &f, &options);
  CHECK_OK(context,
           sl__vi_evaluate(context, f.flow, f.vector, target, 4000, 1, NULL, NULL, &scores));
  *divergence = kullback_leibler(&scores, target);
  vi_free_flow(context, &f);
  sl__target_free(target);
  sl_context_free(context);
  return report;
}

TEST(windows_stop_at_a_constant_rate) {
  for (uint64_t seed = 1; seed <= 4; seed++) {
    double divergence;
    const sl__vi_report report = fit_gaussian(seed, 0.005, 40000, &divergence);
    if (!CHECK(report.steps > 2000 && report.steps < 40000 && report.stopped[0]) ||
        !CHECK(divergence < 0.005))
      printf("  %lld steps, %g\n", (long long)report.steps, divergence);
  }
}

/* 5 is 16,000 steps away. */
TEST(windows_wait_for_a_slow_fit) {
  for (uint64_t seed = 1; seed <= 2; seed++) {
    double divergence;
    const sl__vi_report report = fit_gaussian(seed, 0.0003, 14000, &divergence);
    CHECK_INTEGER(report.steps, 14000);
    CHECK(divergence > 0.1 && report.stopped[0] == '\0');
  }
}

/* ---- PyMC3's changes ---- */

enum { STEPS = 600, SIZE = 4 };

static bool keep(void *user, const sl__vi_progress *now) {
  double(*path)[SIZE] = user;
  memcpy(path[now->step], now->parameters, sizeof *path);
  return true;
}

static double norm_of(const double *now, const double *old, bool relative, double order) {
  double most = 0, sum = 0, squares = 0;
  for (int i = 0; i < SIZE; i++) {
    double change = fabs(now[i] - old[i]);
    if (relative) change = (change + 1e-6) / (fabs(old[i]) + 1e-6);
    most = fmax(most, change);
    sum += change;
    squares += change * change;
  }
  return order == 1 ? sum : order == 2 ? sqrt(squares) : most;
}

/* The step at which CheckParametersConvergence raises StopIteration; STEPS: it does not. */
static int stop_of(double (*path)[SIZE], int every, bool relative, double order, double tolerance) {
  const double *old = path[1]; /* its first call */
  for (int step = 2; step <= STEPS; step++) {
    if (step % every != 0) continue;
    const double norm = norm_of(path[step], old, relative, order);
    old = path[step];
    if (norm < tolerance) return step;
  }
  return STEPS;
}

static void check_rule(sl_context *context, const sl__target *target, double (*path)[SIZE],
                       sl__vi_options *options, double share) {
  sl__vi_stopping *stop = &options->stop;
  const bool relative = strcmp(stop->change, "relative") == 0;
  const int every = (int)stop->every, middle = STEPS / 2 / every * every;
  /* What is just above (or a good deal above) the change that the middle of the run sees. */
  const double change = norm_of(path[middle], path[middle - every], relative, stop->norm);
  stop->parameter_tolerance = change * share;
  const int expected = stop_of(path, every, relative, stop->norm, change * share);
  vi_flow f = vi_make_flow(context, "scale-loc", 2);
  const sl__vi_report report = fit(context, target, &f, options);
  CHECK(expected <= middle);
  if (!CHECK_INTEGER(report.steps, expected))
    printf("  %s, every %d, norm %g\n", stop->change, every, stop->norm);
  vi_free_flow(context, &f);
}

TEST(changes_are_those_of_pymc3) {
  static const char *const changes[] = {"relative", "absolute"};
  static const double norms[] = {1, 2, INFINITY};
  static const int every[] = {1, 7, 100};
  static double path[STEPS + 1][SIZE];
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 2, vi_crooked);
  vi_flow f = vi_make_flow(context, "scale-loc", 2);
  sl__vi_term term;
  sl__vi_options options;
  REQUIRE(f.flow->size == SIZE);
  sl__vi_defaults(&options, &term);
  options.steps = STEPS;
  options.progress = keep;
  options.user = path;
  fit(context, target, &f, &options);
  vi_free_flow(context, &f);
  options.progress = NULL;
  for (int k = 0; k < 18; k++) {
    options.stop.change = changes[k % 2];
    options.stop.norm = norms[k / 2 % 3];
    options.stop.every = every[k / 6];
    check_rule(context, target, path, &options, 1.0001);
    check_rule(context, target, path, &options, 1.5);
  }
  sl__target_free(target);
  sl_context_free(context);
}

/* What hardly moves near zero counts as (0 + 1e-6) / (0 + 1e-6). */
TEST(relative_to_next_to_nothing) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 1, vi_standard_normal);
  vi_flow f = vi_make_flow(context, "scale-loc", 1);
  sl__vi_term term;
  sl__vi_options options;
  sl__vi_defaults(&options, &term);
  options.steps = 200;
  options.rate = 1e-13;
  options.stop.change = "relative";
  options.stop.parameter_tolerance = 0.99;
  f.vector[0] = f.vector[1] = 1e-9;
  CHECK_INTEGER(fit(context, target, &f, &options).steps, 200);
  CHECK_INTEGER(fit(context, target, &f, &options).stopped[0], 0);
  options.stop.parameter_tolerance = 1.01;
  CHECK_INTEGER(fit(context, target, &f, &options).steps, 100);
  vi_free_flow(context, &f);
  sl__target_free(target);
  sl_context_free(context);
}

TEST(changes_that_are_none_are_refused) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 1, vi_standard_normal);
  vi_flow f = vi_make_flow(context, "scale-loc", 1);
  sl__vi_term term;
  sl__vi_options options;
  sl__vi_report report;
  sl__vi_defaults(&options, &term);
  options.stop.parameter_tolerance = 1e-3;
  options.stop.change = "percentage";
  CHECK(sl__vi_fit(context, f.flow, f.vector, target, &options, &report) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "percentage") != NULL);
  options.stop.change = "absolute";
  options.stop.norm = 0.5;
  CHECK(sl__vi_fit(context, f.flow, f.vector, target, &options, &report) == SL_BAD_ARGUMENT);
  vi_free_flow(context, &f);
  sl__target_free(target);
  sl_context_free(context);
}

/* ---- the caller ---- */

static bool stop_at_seven(void *user, const sl__vi_progress *now) {
  (void)user;
  return now->step < 7;
}
TEST(a_callback_can_stop) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 1, vi_standard_normal);
  vi_flow f = vi_make_flow(context, "scale-loc", 1);
  sl__vi_term term;
  sl__vi_options options;
  sl__vi_report report;
  sl__vi_defaults(&options, &term);
  options.progress = stop_at_seven;
  CHECK(sl__vi_fit(context, f.flow, f.vector, target, &options, &report) == SL_STOPPED);
  CHECK_INTEGER(report.steps, 7);
  vi_free_flow(context, &f);
  sl__target_free(target);
  sl_context_free(context);
}
