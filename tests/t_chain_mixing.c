/* How slowly chains mix, and draws that are made of several trajectories. */
#include "check.h"
#include "infer/chain/mixing.h"
#include "infer/chain/sampler.h"

static sl_context *new_context(int threads) {
  sl_context *context = NULL;
  const sl_context_options options = {.size = sizeof options, .threads = threads};
  if (sl_context_new(&options, &context) != SL_OK) abort();
  return context;
}

/* ---- the time, of autoregressions of which it is known ---- */

enum { CHAINS = 4, DIM = 3 };

/* x' = rho x + noise: (1 + rho) / (1 - rho) draws are worth one. Chain c stands about 100 c. */
static double time_of(const double *rho, int64_t draws, int64_t batch, bool moving) {
  static const sl__random_key key = {5, SL__STREAM_TEST, 0};
  sl_context *context = new_context(1);
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl__mixing mixing[CHAINS];
  for (int c = 0; c < CHAINS; c++) {
    double x[DIM] = {0}, shown[DIM];
    if (sl__mixing_open(&arena, DIM, batch, &mixing[c]) != SL_OK) abort();
    for (int64_t t = 0; t < draws; t++) {
      for (int i = 0; i < DIM; i++) {
        const double noise = sl__random_normal(key, (uint64_t)(c * draws + t), (uint32_t)i);
        x[i] = rho[i] * x[i] + sqrt(1 - rho[i] * rho[i]) * noise;
        shown[i] = moving ? 1e-3 * x[i] + 100 * c : 7;
      }
      sl__mixing_add(&mixing[c], shown);
    }
  }
  const double time = sl__mixing_time(CHAINS, mixing, sizeof *mixing);
  sl__arena_close(&arena);
  sl_context_free(context);
  return time;
}

TEST(the_slowest_coordinate_tells) {
  const double slow[] = {0, 0.8, -0.5}, fast[] = {0, -0.5, 0}, stuck[] = {0, 0.9999, 0};
  /* A batch of b has 1 - 2 rho / ((1 - rho^2) b) of the variance that a long one would have. */
  const double expected = 9 * (1 - 2 * 0.8 / (0.36 * 100));
  const double time = time_of(slow, 40000, 100, true);
  if (!CHECK(fabs(time / expected - 1) < 0.12)) printf("  %g, not %g\n", time, expected);
  CHECK(time_of(fast, 40000, 100, true) < 1.2);
  CHECK(time_of(stuck, 400, 25, true) > 15 && time_of(stuck, 400, 25, true) <= 25);
  CHECK(time_of(slow, 400, 25, false) == 1);
  CHECK(time_of(slow, 400, 0, true) == 1);
}

TEST(as_many_trajectories_as_are_needed) {
  CHECK_INTEGER(sl__mixing_trajectories(1), 1);
  CHECK_INTEGER(sl__mixing_trajectories(4), 1);
  CHECK_INTEGER(sl__mixing_trajectories(4.1), 2);
  CHECK_INTEGER(sl__mixing_trajectories(12), 3);
  CHECK_INTEGER(sl__mixing_trajectories(1e9), 8);
}

/* ---- whole runs ---- */

enum { DRAWS = 40 };

typedef struct kept {
  int64_t leapfrogs, divergent;
  double q[CHAINS][3 * DRAWS][2], accept[CHAINS][3 * DRAWS];
} kept;

static sl_status keep(void *user, const sl__sampler_draw *draw) {
  kept *k = user;
  memcpy(k->q[draw->chain][draw->iteration], draw->q, sizeof k->q[0][0]);
  k->accept[draw->chain][draw->iteration] = draw->accept;
  k->leapfrogs += draw->leapfrogs;
  k->divergent += draw->divergent;
  return SL_OK;
}

static sl__sampler_report run(int threads, const char *density, const sl__sampler_options *options,
                              kept *k) {
  sl_context *context = new_context(threads);
  sl__target *target = NULL;
  sl__sampler_report report;
  if (sl__target_expression(context, density, "x,y", &target) != SL_OK) abort();
  const sl__sampler_listener listener = {.draw = keep, .user = k};
  *k = (kept){0};
  CHECK_OK(context, sl__sampler_run(context, target, options, NULL, &listener, &report));
  CHECK_INTEGER(report.divergences, k->divergent);
  sl__target_free(target);
  sl_context_free(context);
  return report;
}

static const char easy[] = "-0.5*x^2 - 0.5*((y - x)/0.3)^2";
/* y is as wide as exp(x) says: a funnel. */
static const char funnel[] = "-0.5*(x/3)^2 - 0.5*(y*exp(-x))^2 - x";

/* Each draw is every third of a chain that shows all its trajectories. */
TEST(three_trajectories_are_one_draw) {
  static kept three, single;
  sl__sampler_options options;
  sl__sampler_defaults(&options);
  options.warmup = 150;
  options.draws = 3 * DRAWS;
  run(1, easy, &options, &single);
  options.draws = DRAWS;
  options.trajectories = 3;
  const sl__sampler_report report = run(1, easy, &options, &three);
  CHECK_INTEGER(report.trajectories, 3);
  CHECK_INTEGER(three.leapfrogs, single.leapfrogs);
  for (int c = 0; c < CHAINS; c++)
    for (int t = 0; t < DRAWS; t++) {
      const double *accept = &single.accept[c][3 * t];
      CHECK(memcmp(three.q[c][t], single.q[c][3 * t + 2], sizeof three.q[0][0]) == 0);
      CHECK_CLOSE(three.accept[c][t], (accept[0] + accept[1] + accept[2]) / 3, 1e-12);
    }
}

/* However many of a draw's trajectories end where the density says nothing, it is one divergence. */
TEST(undefined_divergences_are_draws) {
  static kept k;
  sl__sampler_options options;
  sl__sampler_defaults(&options);
  options.warmup = 100;
  options.draws = 3 * DRAWS;
  options.trajectories = 8;
  const sl__sampler_report report = run(1, "-0.5*x^2 - 0.5*y^2 + log(x + 0.5)", &options, &k);
  CHECK(report.undefined > 0 && report.undefined <= report.divergences);
}

/* When a chain's warm-up ends it is known what the draws are made with. */
typedef struct told {
  const sl__sampler_report *report;
  int32_t trajectories[CHAINS];
  int64_t draws_before;
} told;

static sl_status keep_adapted(void *user, int32_t chain, double step_size,
                              const sl__metric *metric) {
  told *t = user;
  t->trajectories[chain] = step_size > 0 && metric->dim == 2 ? t->report->trajectories : 0;
  return SL_OK;
}

static sl_status count_early(void *user, const sl__sampler_draw *draw) {
  told *t = user;
  t->draws_before += t->trajectories[draw->chain] == 0;
  return SL_OK;
}

TEST(the_end_of_the_warm_up_tells) {
  for (int draws = 0; draws < 3; draws += 2) {
    sl_context *context = new_context(1);
    sl__target *target = NULL;
    sl__sampler_report report;
    sl__sampler_options options;
    sl__sampler_defaults(&options);
    sl__sampler_take_pains(&options);
    options.draws = draws;
    told t = {.report = &report};
    const sl__sampler_listener listener = {
        .draw = count_early, .adapted = keep_adapted, .user = &t};
    if (sl__target_expression(context, funnel, "x,y", &target) != SL_OK) abort();
    CHECK_OK(context, sl__sampler_run(context, target, &options, NULL, &listener, &report));
    CHECK_INTEGER(t.draws_before, 0);
    for (int c = 0; c < CHAINS; c++)
      CHECK(t.trajectories[c] == report.trajectories && (draws == 0 || report.trajectories > 1));
    sl__target_free(target);
    sl_context_free(context);
  }
}

TEST(the_warm_up_chooses) {
  static kept k, again;
  sl__sampler_options options;
  sl__sampler_defaults(&options);
  sl__sampler_take_pains(&options);
  options.draws = DRAWS;
  CHECK_INTEGER(run(1, easy, &options, &k).trajectories, 1);
  const sl__sampler_report report = run(1, funnel, &options, &k);
  CHECK(report.trajectories > 1 && report.trajectories <= 8);
  CHECK_INTEGER(run(8, funnel, &options, &again).trajectories, report.trajectories);
  CHECK(memcmp(&k, &again, sizeof k) == 0);
  /* Stan's metrics sample as Stan does, and a short warm-up measures nothing. */
  options.metric = SL__METRIC_KIND_DIAG_E;
  CHECK_INTEGER(run(1, funnel, &options, &k).trajectories, 1);
  options.metric = SL__METRIC_KIND_FISHER_LOW_RANK;
  options.warmup = 300;
  CHECK_INTEGER(run(1, funnel, &options, &k).trajectories, 1);
}
