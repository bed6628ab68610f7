/* The robust mode: exact answers are met and certified, what is wrong is not certified, and a fit
 * is a function of its seed. */
#include <math.h>
#include <string.h>
#include "flow/model.h"
#include "infer/robust/attempt.h"
#include "vi_fixture.h"

typedef struct fitted {
  sl__model *model;
  sl__robust_report report;
  double log_evidence; /* exact */
} fitted;

static fitted fit(sl_context *context, const char *name, const char *formula, int attempts) {
  sl__target *target;
  fitted f = {0};
  if (sl__target_standard(context, name, &target) != SL_OK) abort();
  sl__robust_options options;
  sl__robust_defaults(&options);
  options.seed = 1;
  options.formula = formula;
  options.most_attempts = attempts;
  CHECK_OK(context, sl__robust_fit(context, target, &options, &f.model, &f.report));
  f.log_evidence = target->log_evidence;
  sl__target_free(target);
  return f;
}

TEST(separate_modes_are_fitted_and_certified) {
  if (UNDER_SANITIZER) SKIP("a fit to two modes, under a sanitizer");
  sl_context *context = vi_context(2);
  fitted f = fit(context, "gaussian_mixture", NULL, 2);
  CHECK(f.report.certified);
  CHECK(f.log_evidence - f.report.scores.elbo < 0.01);
  CHECK(f.report.scores.elbo < f.log_evidence + 4 * f.report.scores.elbo_se);
  CHECK_CLOSE(f.report.scores.log_evidence, f.log_evidence, 0.01);
  CHECK_CLOSE(f.report.bridge, f.log_evidence, 0.01);
  CHECK(f.report.upper_bound > f.log_evidence - 4 * f.report.upper_bound_se);
  CHECK(f.report.ess_forward > 0.95 && f.report.missed < 0.01);
  sl__model_free(context, f.model);
  sl_context_free(context);
}

/* A flow that cannot have two modes: whatever its own draws say. */
TEST(a_flow_too_small_is_not_certified) {
  sl_context *context = vi_context(2);
  fitted f = fit(context, "gaussian_mixture", "scale", 1);
  CHECK(!f.report.certified);
  CHECK(strncmp(f.report.verdict, "not to be trusted: ", 19) == 0);
  sl__model_free(context, f.model);
  sl_context_free(context);
}

/* The mean of the last 1,000 losses and their course are of the attempt that is kept. */
TEST(losses_are_of_the_attempt_that_is_kept) {
  sl_context *context = vi_context(2);
  fitted f = fit(context, "gaussian_mixture", "scale", 2);
  const sl__loss_history *h = &f.report.history;
  const double last = h->step[h->count - 1];
  double sum = 0;
  int64_t points = 0;
  CHECK(f.report.attempts == 2 && last + 1 < (double)f.report.steps);
  for (int64_t k = 0; k < h->count; k++) {
    if (h->step[k] <= last - 1000) continue;
    sum += h->loss[k];
    points++;
  }
  CHECK_CLOSE(sum / (double)points, f.report.loss_average, 1e-9);
  sl__model_free(context, f.model);
  sl_context_free(context);
}

TEST(threads_change_no_bit) {
  sl_context *contexts[2];
  fitted f[2];
  for (int k = 0; k < 2; k++) {
    contexts[k] = vi_context(1 + k);
    f[k] = fit(contexts[k], "gaussian55", "scale", 1);
    CHECK(f[k].report.certified);
    CHECK_CLOSE(f[k].report.scores.elbo, f[k].log_evidence, 1e-3);
  }
  CHECK(f[0].report.scores.elbo == f[1].report.scores.elbo);
  CHECK(memcmp(f[0].model->vector, f[1].model->vector,
               (size_t)f[0].model->flow->size * sizeof(float)) == 0);
  for (int k = 0; k < 2; k++) {
    sl__model_free(contexts[k], f[k].model);
    sl_context_free(contexts[k]);
  }
}

/* ---- seeds ---- */

static int by_size(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* Seeds in a row, as of a table over seeds, and the parts of their runs: no two are alike, nor is
 * one a seed that a user would give. */
TEST(no_two_parts_of_runs_share_a_seed) {
  enum { SEEDS = 200, PARTS = SL__PART_PROPER + 1, NUMBERS = 8, COUNT = SEEDS * PARTS * NUMBERS };
  static uint64_t seeds[COUNT];
  size_t count = 0;
  for (uint64_t seed = 0; seed < SEEDS; seed++)
    for (uint32_t part = 0; part < PARTS; part++)
      for (int number = 0; number < NUMBERS; number++)
        seeds[count++] = sl__seed_of_part(seed, part, number);
  qsort(seeds, count, sizeof *seeds, by_size);
  CHECK(seeds[0] > 1000000);
  for (size_t k = 1; k < count; k++) CHECK(seeds[k] != seeds[k - 1]);
}

/* ---- limits, keeping ---- */

typedef struct heard {
  int64_t calls[SL__ROBUST_STAGES];
  int stop_in; /* stage; -1: none */
} heard;

static bool listen(void *user, const sl__robust_progress *now) {
  heard *h = user;
  h->calls[now->stage]++;
  return now->stage != h->stop_in;
}

static sl_status fit_within(sl_context *context, int64_t gradients, double seconds, heard *h,
                            sl__model **model, sl__robust_report *report) {
  sl__target *target;
  if (sl__target_standard(context, "gaussian55", &target) != SL_OK) abort();
  sl__robust_options options;
  sl__robust_defaults(&options);
  options.seed = 1;
  options.formula = "scale";
  options.judge = 2000;
  options.most_gradients = gradients;
  options.max_seconds = seconds;
  options.progress = listen;
  options.user = h;
  const sl_status status = sl__robust_fit(context, target, &options, model, report);
  sl__target_free(target);
  return status;
}

TEST(every_stage_is_heard_and_can_stop) {
  sl_context *context = vi_context(2);
  sl__model *model;
  sl__robust_report report;
  heard h = {.stop_in = -1};
  CHECK_OK(context, fit_within(context, 0, 0, &h, &model, &report));
  for (int stage = 0; stage < SL__ROBUST_STAGES; stage++) CHECK(h.calls[stage] > 3);
  sl__model_free(context, model);
  for (int stage = 0; stage < SL__ROBUST_STAGES; stage++) {
    h = (heard){.stop_in = stage};
    CHECK(fit_within(context, 0, 0, &h, &model, &report) == SL_STOPPED);
    CHECK((model != NULL) == (stage > SL__ROBUST_EXPLORE));
    sl__model_free(context, model);
  }
  sl_context_free(context);
}

/* A budget, or a time, that is over while exploring: a flow all the same, and no certificate. */
TEST(limits_hold_while_exploring) {
  sl_context *context = vi_context(2);
  sl__robust_report report;
  heard h = {.stop_in = -1};
  for (int k = 0; k < 3; k++) {
    sl__model *model;
    const int64_t most = k == 0 ? 60000 : k == 1 ? check_fewer(700000, 240000, "gradients") : 0;
    CHECK_OK(context, fit_within(context, most, k == 2 ? 1e-6 : 0, &h, &model, &report));
    CHECK(model != NULL && report.exploration_cut && !report.certified);
    CHECK(strstr(report.verdict, "cut short") != NULL);
    /* judging, on top of the budget, moves each of 4096 draws or more 16 times at most */
    if (most > 0) CHECK(report.gradient_evaluations < most + 5 * 4 * 4096 * 17);
    sl__model_free(context, model);
  }
  sl_context_free(context);
}

TEST(parameters_that_got_worse_are_set_back) {
  sl_context *context = vi_context(1);
  sl__target *target;
  sl__model *model;
  static double x[4000];
  const sl__random_key key = {5, 0, 0};
  for (uint64_t i = 0; i < 4000; i++) x[i] = 5 + sl__random_normal(key, i, 0);
  CHECK_OK(context, sl__target_standard(context, "gaussian55", &target));
  const sl__robust_options options = {.seed = 1};
  sl__exploration e = {.dim = target->dim, .buffer = {4000 / target->dim, x}};
  sl__robust_report report = {0};
  const sl__robust run = {.context = context,
                          .target = target,
                          .options = &options,
                          .exploration = &e,
                          .report = &report};
  CHECK_OK(context, sl__model_new(context, "scale", NULL, target->dim, 0, SL_F64, 1, &model));
  sl__flow_initialise(model->flow, model->vector);
  double *v = model->vector;
  static const double centre[] = {5, 5}, one[] = {1, 1};
  sl__model_standardize(model, centre, one);
  const double first = log(expm1(1)); /* softplus gives 1 */
  v[0] = v[1] = first;                /* "scale": now the target itself */
  sl__keeping keeping;
  bool back;
  CHECK_OK(context, sl__keeping_open(&run, model->flow, &keeping));
  CHECK_OK(context, sl__keeping_look(&keeping, v));
  CHECK_CLOSE(keeping.best, 0, 0.15);
  CHECK_OK(context, sl__keeping_settle(&keeping, v, &back));
  CHECK(!back);
  static const double bad[] = {5, -400, (double)NAN};
  for (int k = 0; k < 3; k++) {
    v[0] = bad[k];
    CHECK_OK(context, sl__keeping_look(&keeping, v)); /* and is no better */
    CHECK_OK(context, sl__keeping_settle(&keeping, v, &back));
    CHECK(back && v[0] == first);
  }
  CHECK_INTEGER(report.evaluations, 8 * 2 * 1000); /* looks and settlings, by draws of both */
  sl__keeping_close(&keeping);
  sl__model_free(context, model);
  sl__target_free(target);
  sl_context_free(context);
}
