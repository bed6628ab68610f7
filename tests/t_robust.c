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

/* ---- rules ---- */

/* A report that nothing stands against. */
static sl__robust_report faultless(void) {
  return (sl__robust_report){.scores = {.rows = 20000,
                                        .elbo = -3.01,
                                        .elbo_se = 0.001,
                                        .log_evidence = -3,
                                        .log_evidence_se = 0.001,
                                        .khat = 0.3,
                                        .khat_threshold = 0.7,
                                        .ess = 19000,
                                        .largest_weight = 0.001},
                             .upper_bound = -2.99,
                             .upper_bound_se = 0.001,
                             .ess_forward = 0.95,
                             .bridge = -3,
                             .bridge_se = 0.001,
                             .tempered = -3.02,
                             .tempered_se = 0.01,
                             .missed = 0.001,
                             .mean_gap = 0.02,
                             .sd_gap = 0.02,
                             .rhat = 1.002,
                             .divergences = 0,
                             .chain_draws = 8000,
                             .dim = 2,
                             .effective = 4000,
                             .tempered_accept = 0.8,
                             .tempered_complete = true,
                             .chains_agree = true};
}

static bool objects(const sl__robust_report *report, const char *words) {
  char text[600] = "";
  const bool against = sl__robust_object(report, text, sizeof text);
  const bool tells = strstr(text, words) != NULL;
  if (against && !tells) fprintf(stderr, "wanted \"%s\", got \"%s\"\n", words, text);
  return against && tells;
}

TEST(a_faultless_report_is_certified) {
  char text[600];
  sl__robust_report r = faultless();
  CHECK(!sl__robust_object(&r, text, sizeof text));
  sl__robust_verdict(&r);
  CHECK(r.certified && strncmp(r.verdict, "certified: ", 11) == 0);
}

/* From the faultless report, one number at a time, just within its bound and just beyond it. */
#define REFUSES(field, good, bad, words)      \
  do {                                        \
    char text[600];                           \
    sl__robust_report r = faultless();        \
    r.field = good;                           \
    CHECK(!sl__robust_object(&r, text, 600)); \
    r.field = bad;                            \
    CHECK(objects(&r, words));                \
    sl__robust_verdict(&r);                   \
    CHECK(!r.certified);                      \
  } while (0)

TEST(every_rule_refuses_alone) {
  REFUSES(exploration_cut, false, true, "cut short");
  REFUSES(scores.lost, 0, 1, "no finite weight");
  REFUSES(rhat, 1.049, 1.051, "chains disagree");
  REFUSES(divergences, 80, 81, "diverged");
  REFUSES(effective, 101, 99, "99 independent draws");
  REFUSES(scores.khat, 0.69, 0.71, "Pareto k-hat");
  REFUSES(scores.largest_weight, 0.0512, 0.0513, "carries 5.1 % of all weight");
  REFUSES(missed, 0.009, 0.011, "hardly reaches");
  REFUSES(ess_forward, 0.11, 0.09, "as the exploration sees it");
  REFUSES(upper_bound, -3.03, -3.04, "above its upper bound");
  REFUSES(bridge, -2.97, -2.96, "by bridge sampling");
  REFUSES(bridge, -3.03, -3.04, "by bridge sampling");
  REFUSES(tempered, -2.925, -2.915, "by tempering");
  REFUSES(tempered_se, 0.19, 0.21, "cannot say whether a part is missing");
  REFUSES(own_mean_gap, 0.14, 0.16, "weights move it by");
  REFUSES(own_sd_gap, 0.13, 0.15, "weights move it by");
  REFUSES(mean_gap, 0.14, 0.15, "sd in a mean");
  REFUSES(sd_gap, 0.14, 0.15, "in an sd");
  REFUSES(scores.elbo, -3.039, -3.041, "below the log evidence");
}

TEST(an_exploration_that_did_not_end_is_refused) {
  sl__robust_report r = faultless();
  r.tempered_complete = r.chains_agree = false;
  CHECK(objects(&r, "did not end"));
}

/* Chains that disagree are forgiven where modes are apart, and then tempering must agree. */
TEST(separate_modes_are_an_excuse_for_chains) {
  char text[600];
  sl__robust_report r = faultless();
  r.rhat = 1.8;
  r.chains_agree = false;
  r.dim = 4;
  CHECK(objects(&r, "chains disagree"));
  r.modes_confirmed = true;
  CHECK(!sl__robust_object(&r, text, sizeof text));
  r.dim = 20;
  r.tempered_accept = 0.4;
  r.tempered = -3.5;
  CHECK(objects(&r, "by tempering"));
  r.chains_agree = true; /* nor are its moves good enough to speak against chains */
  CHECK(!sl__robust_object(&r, text, sizeof text));
}

TEST(what_is_not_a_number_is_refused) {
  static const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
  for (size_t k = 0; k < 3; k++) {
    sl__robust_report r = faultless();
    double *const numbers[] = {&r.scores.elbo,
                               &r.scores.elbo_se,
                               &r.scores.log_evidence,
                               &r.scores.log_evidence_se,
                               &r.scores.ess,
                               &r.scores.largest_weight,
                               &r.upper_bound,
                               &r.upper_bound_se,
                               &r.ess_forward,
                               &r.bridge,
                               &r.bridge_se,
                               &r.tempered,
                               &r.tempered_se,
                               &r.missed,
                               &r.mean_gap,
                               &r.sd_gap,
                               &r.rhat,
                               &r.effective};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
      const double kept = *numbers[i];
      *numbers[i] = bad[k];
      CHECK(objects(&r, "is not a finite number"));
      *numbers[i] = kept;
    }
  }
  sl__robust_report r = faultless();
  r.scores.khat = (double)NAN;
  CHECK(objects(&r, "k-hat"));
}

/* In three dimensions or fewer a good population needs no chains; it is good by three numbers. */
TEST(a_good_population_is_an_excuse_for_chains) {
  char text[600];
  sl__robust_report good = faultless(), r;
  good.rhat = 1.8;
  good.chains_agree = false;
  good.dim = 3;
  good.tempered_se = 0.09;
  CHECK(!sl__robust_object(&good, text, sizeof text));
  r = good;
  r.dim = 4;
  CHECK(objects(&r, "chains disagree"));
  r = good;
  r.tempered_accept = 0.49;
  CHECK(objects(&r, "chains disagree"));
  r = good;
  r.tempered_se = 0.11;
  CHECK(objects(&r, "chains disagree"));
  r = good;
  r.tempered_complete = false;
  CHECK(objects(&r, "did not end"));
  r = good;
  r.tempered = -2.5;
  CHECK(objects(&r, "by tempering"));
}

/* What another flow cannot mend is told apart from what it can. */
TEST(the_flow_is_not_blamed_for_the_exploration) {
  char text[600];
  sl__robust_report r = faultless();
  r.rhat = 1.8;
  r.divergences = 8000;
  r.effective = 10;
  r.tempered_se = 3;
  r.exploration_cut = true;
  CHECK(sl__robust_object(&r, text, sizeof text));
  CHECK(!sl__robust_object_to_flow(&r, text, sizeof text));
  r.scores.khat = 0.8;
  CHECK(sl__robust_object_to_flow(&r, text, sizeof text));
}

/* ---- modes, limits, keeping ---- */

/* Chains of two segments that stay at -3 and 3; a population of one normal density, or of two. */
TEST(a_valley_is_seen_where_there_is_one) {
  enum { ROWS = 2000 };
  static double x[ROWS], y[ROWS];
  const sl__random_key key = {5, 0, 0};
  sl_context *context = vi_context(1);
  for (int apart = 0; apart < 2; apart++) {
    for (uint64_t r = 0; r < ROWS; r++) {
      const double side = r < ROWS / 2 ? -1.5 : 1.5, z = sl__random_normal(key, r, 0);
      x[r] = apart ? 2 * side + z : 2 * z;
      y[r] = 2 * side + 0.5 * z;
    }
    bool found = !apart;
    CHECK_OK(context, sl__confirm_modes(context, &(sl__draws){ROWS, x}, &(sl__draws){ROWS, y}, 1, 8,
                                        &found));
    CHECK(found == (apart == 1));
  }
  sl_context_free(context);
}

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
  const sl__robust run = {
      .context = context, .target = target, .options = &options, .exploration = &e};
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
  sl__keeping_close(&keeping);
  sl__model_free(context, model);
  sl__target_free(target);
  sl_context_free(context);
}
