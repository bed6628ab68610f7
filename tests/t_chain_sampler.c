/* Whole runs: same bits on any number of threads, messages, every metric, jumps, Pathfinder, flows
 * to sample in. */
#include "check.h"
#include "infer/chain/pathfinder.h"
#include "infer/chain/preconditioned.h"
#include "infer/chain/record.h"
#include "infer/diagnose/diagnose.h"

static sl_context *new_context(int threads) {
  sl_context *context = NULL;
  const sl_context_options options = {.size = sizeof options, .threads = threads};
  if (sl_context_new(&options, &context) != SL_OK) abort();
  return context;
}

static sl__target *from_expression(sl_context *context, const char *expression, const char *names) {
  sl__target *target = NULL;
  if (sl__target_expression(context, expression, names, &target) != SL_OK) {
    printf("  %s\n", sl_error(context));
    abort();
  }
  return target;
}

typedef struct kept {
  int32_t dim, draws;
  int64_t count, warm, adapted;
  double *q;
} kept;

static sl_status keep(void *user, const sl__sampler_draw *draw) {
  kept *k = user;
  if (draw->warmup) {
    k->warm++;
    return SL_OK;
  }
  memcpy(k->q + ((size_t)draw->chain * (size_t)k->draws + (size_t)draw->iteration) * (size_t)k->dim,
         draw->q, (size_t)k->dim * sizeof *k->q);
  k->count++;
  return SL_OK;
}
static sl_status note_adapted(void *user, int32_t chain, double step_size,
                              const sl__metric *metric) {
  kept *k = user;
  k->adapted += chain >= 0 && step_size > 0 && metric->dim == k->dim;
  return SL_OK;
}

static kept run(sl_context *context, const sl__target *target, const sl__sampler_options *options,
                sl__sampler_report *report) {
  kept k = {.dim = target->dim, .draws = options->draws};
  k.q = calloc((size_t)options->chains * (size_t)options->draws, (size_t)k.dim * sizeof *k.q);
  if (!k.q) abort();
  const sl__sampler_listener listener = {.draw = keep, .adapted = note_adapted, .user = &k};
  CHECK_OK(context, sl__sampler_run(context, target, options, NULL, &listener, report));
  return k;
}

static sl__summary_row summary_of(sl_context *context, const kept *k, int32_t chains,
                                  int32_t coordinate) {
  sl__summary_row row;
  const sl__series series = {chains, k->draws, k->q + coordinate, (int64_t)k->draws * k->dim,
                             k->dim};
  if (sl__summarise(context, &series, 1, 1, &row) != SL_OK) abort();
  return row;
}

/* A correlated Gaussian with scales 0.01, 1 and 100 about 3, -2 and 50. */
static const char gaussian[] =
    "-0.5*(((a-3)/0.01)^2 + (((b+2) - 60*(a-3))^2)/0.64 + ((c-50)/100)^2)";

TEST(every_metric_finds_a_gaussian) {
  sl_context *context = new_context(1);
  sl__target *target = from_expression(context, gaussian, "a,b,c");
  const double mean[] = {3, -2, 50}, sd[] = {0.01, 1, 100};
  for (int metric = SL__METRIC_KIND_DIAG_E; metric <= SL__METRIC_KIND_FISHER_LOW_RANK; metric++) {
    sl__sampler_options options;
    sl__sampler_report report;
    sl__sampler_defaults(&options);
    options.metric = (sl__metric_kind)metric;
    options.seed = 3;
    options.save_warmup = true;
    kept k = run(context, target, &options, &report);
    CHECK_INTEGER(k.count, 4000);
    CHECK_INTEGER(k.warm, 4000);
    CHECK_INTEGER(k.adapted, 4);
    CHECK_INTEGER(report.divergences, 0);
    for (int i = 0; i < 3; i++) {
      const sl__summary_row row = summary_of(context, &k, 4, i);
      CHECK(fabs(row.mean - mean[i]) < 4 * row.mcse_mean);
      CHECK(fabs(row.sd - sd[i]) < 4 * row.mcse_sd);
      CHECK(row.rhat < 1.01);
    }
    free(k.q);
  }
  sl__target_free(target);
  sl_context_free(context);
}

/* Else the step size would be learned from steps whose error is bounded, and grow without end. */
TEST(halvings_cost_little_where_none_is_needed) {
  sl_context *context = new_context(1);
  sl__target *target = from_expression(context, "-0.5*dot_self(x)", "x[10]");
  for (int metric = SL__METRIC_KIND_UNIT_E; metric <= SL__METRIC_KIND_FISHER_LOW_RANK; metric++) {
    sl__sampler_options options;
    sl__sampler_report without, with;
    sl__sampler_defaults(&options);
    options.metric = (sl__metric_kind)metric;
    options.warmup = options.draws = 300;
    free(run(context, target, &options, &without).q);
    options.halvings = 8;
    free(run(context, target, &options, &with).q);
    CHECK(with.gradients < 2 * without.gradients);
    CHECK_INTEGER(with.divergences, 0);
  }
  sl__target_free(target);
  sl_context_free(context);
}

TEST(same_bits_on_any_number_of_threads) {
  kept first = {0};
  for (int threads = 1; threads <= 8; threads *= threads == 1 ? 2 : 4) {
    sl_context *context = new_context(threads);
    sl__target *target = NULL;
    if (sl__target_standard(context, "funnel", &target) != SL_OK) abort();
    sl__sampler_options options;
    sl__sampler_report report;
    sl__sampler_defaults(&options);
    options.chains = 12;
    options.warmup = 60;
    options.draws = 30;
    options.most_depth = 6;
    options.halvings = 4;
    kept k = run(context, target, &options, &report);
    if (threads == 1) {
      first = k;
    } else {
      CHECK(memcmp(k.q, first.q,
                   (size_t)options.chains * (size_t)options.draws * (size_t)k.dim * sizeof *k.q) ==
            0);
      free(k.q);
    }
    sl__target_free(target);
    sl_context_free(context);
  }
  free(first.q);
}

/* ---- what cannot be sampled ---- */

static sl_status refused(const char *expression, const char *names, const double *first,
                         char message[1024]) {
  sl_context *context = new_context(1);
  sl__target *target = from_expression(context, expression, names);
  sl__sampler_options options;
  sl__sampler_report report;
  sl__sampler_defaults(&options);
  options.chains = 2;
  options.warmup = 50;
  options.draws = 10;
  const sl__sampler_listener listener = {0};
  const sl_status status = sl__sampler_run(context, target, &options, first, &listener, &report);
  snprintf(message, 1024, "%s", sl_error(context));
  sl__target_free(target);
  sl_context_free(context);
  return status;
}

/* A run of a program that has no first point; the context has its error. */
static sl_context *refuse(const char *program) {
  sl_context *context = new_context(1);
  sl__target *target = NULL;
  sl__sampler_options options;
  sl__sampler_report report;
  const sl__sampler_listener listener = {0};
  sl__sampler_defaults(&options);
  if (sl__target_stan(context, "mine.stan", program, strlen(program), NULL, NULL, 0, 1, &target) !=
      SL_OK)
    abort();
  CHECK_INTEGER(sl__sampler_run(context, target, &options, NULL, &listener, &report), SL_NUMERIC);
  sl__target_free(target);
  return context;
}

/* What a program says when it rejects is said where it rejects all first points. */
TEST(a_program_that_rejects_is_heard) {
  sl_context *context = refuse(
      "parameters { real x; } model { x ~ normal(0, 1); if (x < 9) reject(\"too small: \", 7); }");
  CHECK(strstr(sl_error(context), "log density is -inf (mine.stan:1:61: the program rejects: "
                                  "too small: 7); give starting points") != NULL);
  sl_context_free(context);
}

/* Where its words are too long to be quoted whole, no letter is cut. */
TEST(quoted_words_end_at_a_letter) {
  for (int before = 0; before < 4; before++) {
    char program[1600] = "parameters { real x; } model { x ~ normal(0, 1); if (x < 9) reject(\"";
    for (int i = 0; i < before; i++) strcat(program, ".");
    for (int i = 0; i < 300; i++) strcat(program, i % 2 ? "\xE2\x82\xAC" : "\xC3\xA9");
    strcat(program, "\"); }");
    sl_context *context = refuse(program);
    const char *end = strstr(sl_error(context), "); give starting points");
    CHECK(end &&
          (strncmp(end - 2, "\xC3\xA9", 2) == 0 || strncmp(end - 3, "\xE2\x82\xAC", 3) == 0));
    sl_context_free(context);
  }
}

TEST(messages_of_what_cannot_be_sampled) {
  char message[1024];
  CHECK_INTEGER(refused("log(-1-x^2)", "x", NULL, message), SL_NUMERIC);
  CHECK(strstr(message, "found no point to start from") != NULL);
  CHECK(strstr(message, "log density is not a number; give") != NULL);
  CHECK_INTEGER(refused("-exp(1e4+x^2)", "x", NULL, message), SL_NUMERIC);
  CHECK(strstr(message, "log density is -inf") != NULL);
  const double outside[] = {-1, -1};
  CHECK_INTEGER(refused("log(x)-x", "x", outside, message), SL_NUMERIC);
  CHECK(strstr(message, "cannot start where it was told to") != NULL);
  CHECK_INTEGER(refused("0*x", "x", NULL, message), SL_NUMERIC);
  CHECK(strstr(message, "no finite integral") != NULL);
}

TEST(options_are_checked) {
  sl_context *context = new_context(1);
  sl__sampler_options options;
  for (int k = 0; k < 9; k++) {
    sl__sampler_defaults(&options);
    CHECK_OK(context, sl__sampler_check(context, &options));
    if (k == 0) options.chains = 0;
    if (k == 1) options.warmup = -1;
    if (k == 2) options.thin = 0;
    if (k == 3) options.adapt_delta = 1;
    if (k == 4) options.step_size = (double)NAN;
    if (k == 5) options.most_depth = 31;
    if (k == 6) options.init_candidates = 0;
    if (k == 7) options.jumps = -1;
    if (k == 8) options.trajectories = -1;
    CHECK_INTEGER(sl__sampler_check(context, &options), SL_BAD_ARGUMENT);
  }
  sl_context_free(context);
}

/* ---- rows as people read them ---- */

typedef struct rows {
  int64_t count, stop_after;
  double sum;
} rows;
static sl_status take_row(void *user, const sl__sampler_draw *draw, const double *values) {
  rows *r = user;
  r->count++;
  r->sum += values[0] - draw->q[0];
  return SL_OK;
}
static bool stop_soon(void *user, const int64_t *iterations, const int64_t *divergences) {
  const rows *r = user;
  (void)divergences;
  return iterations[0] < r->stop_after;
}

TEST(stopped_runs_keep_their_draws) {
  sl_context *context = new_context(1);
  sl__target *target = from_expression(context, "-x^2", "x");
  sl__sampler_options options;
  sl__sampler_report report;
  sl__sampler_defaults(&options);
  options.draws = 100000;
  rows r = {.stop_after = 1100};
  const sl__record_listener listener = {.row = take_row, .progress = stop_soon, .user = &r};
  CHECK_INTEGER(sl__record_run(context, target, &options, NULL, &listener, &report), SL_STOPPED);
  CHECK(r.count >= 4 * 50 && r.count < 4 * 200);
  CHECK(r.sum == 0);
  sl__target_free(target);
  sl_context_free(context);
}

/* ---- Pathfinder ---- */

/* Of a Gaussian target the best of its Gaussians is the target: weights are all alike. */
TEST(pathfinder_finds_a_gaussian) {
  enum { DRAWS = 2000 };
  static double q[DRAWS][3];
  sl_context *context = new_context(1);
  sl__target *target =
      from_expression(context, "-0.5*((a-1)^2 + ((b-0.5*a)/0.3)^2 + ((c+b)/2)^2)", "a,b,c");
  sl__pathfinder_options options;
  sl__pathfinder_report report;
  sl__pathfinder_defaults(&options);
  REQUIRE_OK(context, sl__pathfinder_run(context, target, &options, DRAWS, *q, NULL, &report));
  CHECK_INTEGER(report.paths, 4);
  CHECK(report.gradients < 400);
  CHECK(report.khat < 0.7);
  CHECK(fabs(report.log_evidence - (1.5 * 1.8378770664093454836 + log(0.6))) < 0.05);
  double mean[3] = {0}, square[3] = {0};
  for (int r = 0; r < DRAWS; r++)
    for (int i = 0; i < 3; i++) {
      mean[i] += q[r][i] / DRAWS;
      square[i] += q[r][i] * q[r][i] / DRAWS;
    }
  const double exact[] = {1, 0.5, -0.5}, variance[] = {1, 0.34, 4.34};
  for (int i = 0; i < 3; i++) {
    CHECK(fabs(mean[i] - exact[i]) < 6 * sqrt(variance[i] / DRAWS));
    CHECK(fabs(square[i] - mean[i] * mean[i] - variance[i]) < 0.15 * variance[i]);
  }
  sl__target_free(target);
  sl_context_free(context);
}

TEST(pathfinder_without_a_way) {
  static double q[4];
  sl_context *context = new_context(1);
  sl__target *target = from_expression(context, "log(-1-x^2)", "x");
  sl__pathfinder_options options;
  sl__pathfinder_report report;
  sl__pathfinder_defaults(&options);
  CHECK_INTEGER(sl__pathfinder_run(context, target, &options, 4, q, NULL, &report), SL_NUMERIC);
  CHECK(strstr(sl_error(context), "led to a Gaussian") != NULL);
  sl__target_free(target);
  sl_context_free(context);
}

/* ---- in the space of a flow ---- */

static sl__model *crooked_flow(sl_context *context) {
  sl__model *model = NULL;
  if (sl__model_new(context, "coupling(affine,hidden=8)-reverse-coupling(rqs,hidden=8)", NULL, 2, 0,
                    SL_F64, 4, &model) != SL_OK)
    abort();
  double *numbers = model->vector;
  for (int64_t i = 0; i < model->flow->size; i++)
    numbers[i] += 0.2 * sl__random_normal((sl__random_key){1, SL__STREAM_TEST, 3}, (uint64_t)i, 0);
  const double mean[] = {0.5, -1}, sd[] = {2, 1};
  sl__model_standardize(model, mean, sd);
  return model;
}

TEST(preconditioned_density_is_the_target_pulled_back) {
  sl_context *context = new_context(1);
  sl__target *target = from_expression(context, "-0.5*x^2 - 0.1*y^4 + 0.3*x*y", "x,y");
  sl__model *model = crooked_flow(context);
  sl__target *pulled = NULL;
  REQUIRE_OK(context, sl__target_preconditioned(context, target, model, &pulled));
  sl__density *outer = NULL, *inner = NULL;
  REQUIRE_OK(context, sl__density_new(context, pulled, 0, true, &outer));
  REQUIRE_OK(context, sl__density_new(context, target, 0, false, &inner));
  const double z[] = {0.4, -0.7}, h = 1e-5;
  double at[5][2], x[5][2], value[5], gradient[2], pulled_value, back[2];
  for (int r = 0; r < 5; r++)
    for (int i = 0; i < 2; i++) at[r][i] = z[i] + (r == 2 * i + 1 ? h : r == 2 * i + 2 ? -h : 0);
  REQUIRE_OK(context, sl__preconditioned_map(context, pulled, 5, *at, *x));
  REQUIRE_OK(context, sl__preconditioned_pull(context, pulled, 1, *x, back));
  CHECK_CLOSE(back[0], z[0], 1e-10);
  CHECK_CLOSE(back[1], z[1], 1e-10);
  const double j00 = (x[1][0] - x[2][0]) / (2 * h), j10 = (x[1][1] - x[2][1]) / (2 * h);
  const double j01 = (x[3][0] - x[4][0]) / (2 * h), j11 = (x[3][1] - x[4][1]) / (2 * h);
  const sl__points points = {1, *x, value, NULL, 2, 1};
  const sl__points there = {1, z, &pulled_value, gradient, 2, 1};
  REQUIRE_OK(context, sl__density_run(context, inner, &points));
  REQUIRE_OK(context, sl__density_run(context, outer, &there));
  CHECK_CLOSE(pulled_value, value[0] + log(fabs(j00 * j11 - j01 * j10)), 1e-8);
  for (int i = 0; i < 2; i++) {
    double ends[2];
    const sl__points both = {2, at[2 * i + 1], ends, NULL, 2, 1};
    sl__density *values = NULL;
    REQUIRE_OK(context, sl__density_new(context, pulled, 0, false, &values));
    REQUIRE_OK(context, sl__density_run(context, values, &both));
    CHECK_CLOSE(gradient[i], (ends[0] - ends[1]) / (2 * h), 1e-6);
    sl__density_free(values);
  }
  double written[2];
  REQUIRE_OK(context, sl__target_write(context, pulled, SL__TARGET_GENERATED, 1, z, 0, 0, written));
  for (int i = 0; i < 2; i++) CHECK_CLOSE(written[i], x[0][i], 1e-13);
  sl__density_free(outer);
  sl__density_free(inner);
  sl__target_free(pulled);
  sl__model_free(context, model);
  sl__target_free(target);
  sl_context_free(context);
}

/* Two modes 12 standard deviations apart, shares 0.3 and 0.7: no trajectory joins them. */
static const char modes[] = "log_sum_exp(log(0.3) - 0.5*(x+6)^2, log(0.7) - 0.5*(x-6)^2) - 0.5*y^2";

TEST(jumps_cross_between_modes) {
  sl_context *context = new_context(1);
  sl__target *target = from_expression(context, modes, "x,y");
  sl__model *model = NULL;
  REQUIRE_OK(context, sl__model_new(context, "reverse", NULL, 2, 0, SL_F64, 1, &model));
  const double mean[] = {0, 0}, sd[] = {7, 1};
  sl__model_standardize(model, mean, sd);
  sl__target *pulled = NULL;
  REQUIRE_OK(context, sl__target_preconditioned(context, target, model, &pulled));
  sl__sampler_options options;
  sl__sampler_report report;
  sl__sampler_defaults(&options);
  options.warmup = 300;
  options.draws = 4000;
  options.jumps = 1;
  kept k = run(context, pulled, &options, &report);
  CHECK_INTEGER(report.jumps, 16000);
  CHECK(report.jumps_taken > 1000);
  for (int64_t r = 0; r < k.count; r++)
    k.q[2 * r] = k.q[2 * r + 1] < 0; /* the flow turns them round */
  const sl__summary_row row = summary_of(context, &k, 4, 0);
  if (!CHECK(row.mcse_mean < 0.03))
    printf("  %lld taken, mean %g, error %g\n", (long long)report.jumps_taken, row.mean,
           row.mcse_mean);
  CHECK(fabs(row.mean - 0.3) < 4 * row.mcse_mean);
  free(k.q);
  sl__target_free(pulled);
  sl__model_free(context, model);
  sl__target_free(target);
  sl_context_free(context);
}
