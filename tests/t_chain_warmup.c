/* What a warm-up learns: metrics, step sizes, Stan's windows. */
#include "check.h"
#include "infer/chain/estimate.h"
#include "infer/chain/warmup.h"

static sl_context *new_context(void) {
  sl_context *context = NULL;
  const sl_context_options options = {.size = sizeof options, .threads = 1};
  if (sl_context_new(&options, &context) != SL_OK) abort();
  return context;
}

static const sl__random_key key = {9, SL__STREAM_TEST, 0};

/* ---- metrics ---- */

enum { DIM = 5 };

/* W [DIM][DIM], by velocities of unit momenta. */
static void matrix_of(const sl__metric *metric, double *w) {
  for (int j = 0; j < DIM; j++) {
    double p[DIM] = {0}, v[DIM];
    p[j] = 1;
    sl__metric_velocity(metric, p, v);
    for (int i = 0; i < DIM; i++) w[i * DIM + j] = v[i];
  }
}

/* A positive definite matrix. */
static void make_covariance(double *w) {
  double root[DIM * DIM];
  for (int i = 0; i < DIM * DIM; i++) root[i] = sl__random_normal(key, 1, (uint32_t)i);
  for (int i = 0; i < DIM; i++)
    for (int j = 0; j < DIM; j++) {
      w[i * DIM + j] = i == j ? 0.1 : 0;
      for (int k = 0; k < DIM; k++) w[i * DIM + j] += root[i * DIM + k] * root[j * DIM + k];
    }
}

/* Two pairs of correlated coordinates and one alone: after scaling, eigenvalues are far from 1 or 1
 * itself, so that nothing is left out. */
static void make_pairs(double *w) {
  const double scale[DIM] = {1, 20, 0.1, 3, 0.5};
  memset(w, 0, DIM * DIM * sizeof *w);
  for (int i = 0; i < DIM; i++) w[i * DIM + i] = scale[i] * scale[i];
  w[0 * DIM + 1] = w[1 * DIM + 0] = 0.95 * scale[0] * scale[1];
  w[2 * DIM + 3] = w[3 * DIM + 2] = -0.9 * scale[2] * scale[3];
}

/* Momenta have the covariance W^-1: so W times it is the identity. */
static void check_momenta(const sl__metric *metric) {
  enum { COUNT = 40000 };
  double w[DIM * DIM], covariance[DIM * DIM] = {0};
  matrix_of(metric, w);
  for (int r = 0; r < COUNT; r++) {
    double p[DIM];
    for (int i = 0; i < DIM; i++) p[i] = sl__random_normal(key, 100 + (uint64_t)r, (uint32_t)i);
    sl__metric_momentum(metric, p, p);
    for (int i = 0; i < DIM; i++)
      for (int j = 0; j < DIM; j++) covariance[i * DIM + j] += p[i] * p[j] / COUNT;
  }
  /* p' W p is a chi-square variable: its mean is the trace of W times the covariance. */
  double trace = 0;
  for (int i = 0; i < DIM; i++)
    for (int j = 0; j < DIM; j++) trace += w[i * DIM + j] * covariance[j * DIM + i];
  CHECK(fabs(trace - DIM) < 4 * sqrt(2.0 * DIM / COUNT));
  for (int i = 0; i < DIM; i++) {
    double diagonal = 0;
    for (int j = 0; j < DIM; j++) diagonal += w[i * DIM + j] * covariance[j * DIM + i];
    CHECK(fabs(diagonal - 1) < 0.1);
  }
}

TEST(momenta_belong_to_velocities) {
  sl_context *context = new_context();
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl__metric metric;
  double w[DIM * DIM], back[DIM * DIM], diagonal[DIM];
  make_covariance(w);
  REQUIRE_OK(context, sl__metric_open(&arena, SL__METRIC_DENSE, DIM, 0, &metric));
  CHECK(sl__metric_set_dense(&metric, w));
  matrix_of(&metric, back);
  for (int i = 0; i < DIM * DIM; i++) CHECK_CLOSE(back[i], w[i], 1e-14);
  check_momenta(&metric);
  w[0] = -1; /* refused, and nothing changes */
  CHECK(!sl__metric_set_dense(&metric, w));
  double again[DIM * DIM];
  matrix_of(&metric, again);
  CHECK(memcmp(again, back, sizeof back) == 0);

  REQUIRE_OK(context, sl__metric_open(&arena, SL__METRIC_LOW_RANK, DIM, 2, &metric));
  metric.rank = 2;
  for (int i = 0; i < DIM; i++) metric.scale[i] = 0.5 + 0.25 * i;
  metric.vectors[0] = 0.6, metric.vectors[1] = 0.8;
  metric.vectors[DIM + 3] = 1;
  metric.values[0] = 9, metric.values[1] = 0.2;
  matrix_of(&metric, back);
  sl__metric_diagonal(&metric, diagonal);
  for (int i = 0; i < DIM; i++) {
    for (int j = 0; j < DIM; j++) {
      double inside = i == j;
      for (int k = 0; k < 2; k++)
        inside +=
            (metric.values[k] - 1) * metric.vectors[k * DIM + i] * metric.vectors[k * DIM + j];
      CHECK_CLOSE(back[i * DIM + j], metric.scale[i] * metric.scale[j] * inside, 1e-14);
    }
    CHECK_CLOSE(diagonal[i], back[i * DIM + i], 1e-14);
  }
  check_momenta(&metric);
  sl__arena_close(&arena);
  sl_context_free(context);
}

/* ---- estimates: of a Gaussian with draws x and gradients -W^-1 (x - mean) ---- */

typedef struct estimate {
  sl_context *context;
  sl__arena arena;
  sl__window window;
  sl__moments moments;
  sl__metric metric;
  double w[DIM * DIM];
} estimate;

static void fill(estimate *e, int64_t count) {
  sl__metric dense;
  e->context = new_context();
  sl__arena_open(&e->arena, e->context);
  make_pairs(e->w);
  if (sl__window_open(&e->arena, DIM, count, &e->window) != SL_OK ||
      sl__moments_open(&e->arena, DIM, &e->moments) != SL_OK ||
      sl__metric_open(&e->arena, SL__METRIC_LOW_RANK, DIM, DIM, &e->metric) != SL_OK ||
      sl__metric_open(&e->arena, SL__METRIC_DENSE, DIM, 0, &dense) != SL_OK)
    abort();
  sl__metric_set_dense(&dense, e->w);
  for (int64_t r = 0; r < count; r++) {
    double x[DIM], g[DIM];
    for (int i = 0; i < DIM; i++) g[i] = sl__random_normal(key, (uint64_t)r, 50 + (uint32_t)i);
    sl__metric_momentum(&dense, g, g); /* gradients have the covariance W^-1, as momenta have */
    sl__metric_velocity(&dense, g, x);
    for (int i = 0; i < DIM; i++) x[i] = 7 - x[i];
    sl__window_add(&e->window, x, g);
    sl__moments_add(&e->moments, x, g);
  }
}

TEST(low_rank_estimate_of_a_gaussian_is_its_covariance) {
  estimate e = {0};
  double back[DIM * DIM];
  fill(&e, 5000);
  double *work = sl__arena_take(&e.arena, sl__low_rank_work(DIM, DIM), sizeof *work);
  REQUIRE(work != NULL);
  sl__estimate_low_rank(&e.window, work, &e.metric);
  matrix_of(&e.metric, back);
  for (int i = 0; i < DIM; i++)
    for (int j = 0; j < DIM; j++) {
      const double unit = sqrt(e.w[i * DIM + i] * e.w[j * DIM + j]);
      CHECK(fabs(back[i * DIM + j] - e.w[i * DIM + j]) < 0.02 * unit);
    }
  CHECK_INTEGER(e.metric.rank, 4);
  sl__arena_close(&e.arena);
  sl_context_free(e.context);
}

/* Population formulas, by loops over the window. */
TEST(diagonal_estimates) {
  estimate e = {0};
  fill(&e, 300);
  sl__metric stan, fisher;
  REQUIRE_OK(e.context, sl__metric_open(&e.arena, SL__METRIC_DIAGONAL, DIM, 0, &stan));
  REQUIRE_OK(e.context, sl__metric_open(&e.arena, SL__METRIC_DIAGONAL, DIM, 0, &fisher));
  sl__estimate_variances(&e.moments, &stan);
  sl__estimate_fisher(&e.moments, &fisher);
  for (int i = 0; i < DIM; i++) {
    double mean = 0, slope = 0, squares = 0, slopes = 0;
    for (int r = 0; r < 300; r++) {
      mean += e.window.q[r * DIM + i] / 300;
      slope += e.window.gradient[r * DIM + i] / 300;
    }
    for (int r = 0; r < 300; r++) {
      squares += pow(e.window.q[r * DIM + i] - mean, 2);
      slopes += pow(e.window.gradient[r * DIM + i] - slope, 2);
    }
    CHECK_CLOSE(stan.scale[i] * stan.scale[i], 300 / 305.0 * squares / 299 + 1e-3 * 5 / 305.0,
                1e-10);
    CHECK_CLOSE(pow(fisher.scale[i], 4), squares / slopes, 1e-10);
  }
  sl__arena_close(&e.arena);
  sl_context_free(e.context);
}

/* ---- step sizes ---- */

TEST(dual_averaging) {
  sl__step_size own;
  sl__step_size_open(&own, 0.8);
  sl__step_size_restart(&own, 0.25);
  double mean_error = 0, mean_log = 0;
  const double centre = log(2.5);
  for (int m = 1; m <= 200; m++) {
    const double accept = 0.5 + 0.5 * sin(m);
    mean_error += ((0.8 - accept) - mean_error) / (m + 10);
    const double log_step = centre - sqrt(m) / 0.05 * mean_error;
    const double share = pow(m, -0.75);
    mean_log = share * log_step + (1 - share) * mean_log;
    CHECK_CLOSE(log(sl__step_size_learn(&own, accept)), log_step, 1e-10);
  }
  CHECK_CLOSE(log(sl__step_size_final(&own)), mean_log, 1e-10);
}

/* ---- Stan's windows: the iterations after which the metric changes ---- */

static void check_ends(int warmup, int count, const int *expected) {
  sl_context *context = new_context();
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl__sampler_options options;
  sl__sampler_defaults(&options);
  options.metric = SL__METRIC_KIND_DIAG_E;
  options.warmup = warmup;
  sl__warmup own;
  if (sl__warmup_open(&arena, &options, 1, &own) != SL_OK) abort();
  sl__step_size_restart(&own.step, 1);
  int ends = 0;
  for (int i = 0; i < warmup; i++) {
    const double q = sl__random_normal(key, (uint64_t)i, 0), gradient = -q;
    double step;
    if (!sl__warmup_learn(&own, &q, &gradient, 0.8, true, &step)) continue;
    CHECK(ends < count && expected[ends] == i + 1);
    if (ends < count && expected[ends] != i + 1)
      printf("  %d of warm-up: window %d ends after %d\n", warmup, ends, i + 1);
    ends++;
  }
  CHECK_INTEGER(ends, count);
  sl__arena_close(&arena);
  sl_context_free(context);
}

TEST(windows_of_stan) {
  check_ends(1000, 5, (const int[]){100, 150, 250, 450, 950});
  check_ends(500, 4, (const int[]){100, 150, 250, 450});
  check_ends(150, 1, (const int[]){100});
  check_ends(100, 1, (const int[]){90});
  check_ends(20, 1, (const int[]){18});
  check_ends(19, 0, NULL);
}

/* A chain that stands still, or draws that are all alike, must not spoil the metric. */
TEST(degenerate_windows) {
  sl_context *context = new_context();
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl__sampler_options options;
  sl__sampler_defaults(&options);
  options.warmup = 400;
  sl__warmup own;
  REQUIRE_OK(context, sl__warmup_open(&arena, &options, DIM, &own));
  sl__step_size_restart(&own.step, 1);
  for (int i = 0; i < 400; i++) {
    double q[DIM], gradient[DIM], step, w[DIM * DIM];
    for (int d = 0; d < DIM; d++) {
      q[d] = i < 100   ? 3
             : i < 200 ? 3 + 1e-300 * i
                       : (d + 1) * sl__random_normal(key, (uint64_t)i, 0);
      gradient[d] = i < 100 ? 0 : -q[d];
    }
    sl__warmup_learn(&own, q, gradient, 0.8, i % 3 != 0, &step);
    matrix_of(&own.metric, w);
    for (int k = 0; k < DIM * DIM; k++) CHECK(isfinite(w[k]));
    for (int d = 0; d < DIM; d++) CHECK(w[d * DIM + d] > 0);
    CHECK(isfinite(step) && step > 0);
  }
  sl__arena_close(&arena);
  sl_context_free(context);
}
