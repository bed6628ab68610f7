/* Variational inference as a whole: targets whose answer is known, gradients without noise where
 * q is p, the same bits on any number of threads, trouble, terms together, judging. */
#include "flow/model.h"
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

/* ---- answers that are known ---- */

TEST(a_gaussian_far_off_is_found) {
  sl_context *context = vi_context(1);
  sl__target *target;
  REQUIRE_OK(context, sl__target_standard(context, "gaussian55", &target));
  static const char *const estimators[] = {"reparameterized", "stl"};
  for (int e = 0; e < 2; e++) {
    vi_flow f = vi_make_flow(context, "scale-loc", 2);
    sl__vi_term term;
    sl__vi_options options;
    sl__vi_defaults(&options, &term);
    term.estimator = estimators[e];
    options.steps = 3000;
    options.rate = 0.02;
    options.schedule = "cosine";
    const sl__vi_report report = fit(context, target, &f, &options);
    CHECK_INTEGER(report.steps, 3000);
    CHECK_INTEGER(report.gradient_evaluations, 300000);
    sl__vi_scores scores;
    CHECK_OK(context,
             sl__vi_evaluate(context, f.flow, f.vector, target, 20000, 1, NULL, NULL, &scores));
    CHECK(kullback_leibler(&scores, target) < 1e-3);
    CHECK(fabs(scores.log_evidence - target->log_evidence) < 1e-3);
    CHECK(scores.khat < 0.5 && scores.ess > 19900);
    CHECK_CLOSE(report.loss_average, -scores.elbo, 0.01);
    vi_free_flow(context, &f);
  }
  sl__target_free(target);
  sl_context_free(context);
}

/* The loss of an upper bound rises on the way, and none of its first draws comes near. */
TEST(upper_bounds_find_a_gaussian_far_off) {
  sl_context *context = vi_context(1);
  sl__target *target;
  REQUIRE_OK(context, sl__target_standard(context, "gaussian55", &target));
  static const char *const objectives[] = {"chi", "renyi", "forward"};
  for (int o = 0; o < 3; o++) {
    vi_flow f = vi_make_flow(context, "triangular", 2);
    sl__vi_term term;
    sl__vi_options options;
    sl__vi_defaults(&options, &term);
    term.objective = objectives[o];
    term.alpha = -1;
    options.steps = 3000;
    options.rate = 0.05;
    options.schedule = "cosine";
    options.go_back = true;
    const sl__vi_report report = fit(context, target, &f, &options);
    CHECK_INTEGER(report.restored, 0);
    sl__vi_scores scores;
    CHECK_OK(context,
             sl__vi_evaluate(context, f.flow, f.vector, target, 4000, 1, NULL, NULL, &scores));
    if (!CHECK(kullback_leibler(&scores, target) < 0.01))
      printf("  %s: %g\n", objectives[o], kullback_leibler(&scores, target));
    vi_free_flow(context, &f);
  }
  sl__target_free(target);
  sl_context_free(context);
}

/* ---- one draw that outweighs the others ---- */

TEST(the_largest_weight_is_a_share) {
  enum { ROWS = 500 };
  sl_context *context = vi_context(1);
  sl__target *target;
  REQUIRE_OK(context, sl__target_standard(context, "pot1", &target));
  vi_flow f = vi_make_flow(context, "scale-loc", 2);
  sl__vi_scores scores;
  double log_weights[ROWS], most = 0, sum = 0;
  CHECK_OK(context,
           sl__vi_evaluate(context, f.flow, f.vector, target, ROWS, 1, NULL, log_weights, &scores));
  for (int r = 0; r < ROWS; r++) {
    most = fmax(most, exp(log_weights[r]));
    sum += exp(log_weights[r]);
  }
  CHECK_CLOSE(scores.largest_weight, most / sum, 1e-12);
  CHECK(scores.largest_weight > 2.0 / ROWS);
  /* of so few weights the threshold of k-hat is 1 - 1 / log10(500): 500^(-1 / log10(500)) = 0.1 */
  CHECK_CLOSE(sl__vi_most_weight(&scores), 0.1, 1e-12);
  vi_free_flow(context, &f);
  sl__target_free(target);
  sl_context_free(context);
}

/* One mode fits well and says nothing of the other: of 20,000 draws a handful reach it, or none. */
TEST(plain_mode_never_vouches_for_modes) {
  sl_context *context = vi_context(1);
  sl__target *target;
  REQUIRE_OK(context,
             sl__target_expression(context, "log_sum_exp(-0.5 * x^2, -50 * (x - 3.9)^2 + 2.3)", "x",
                                   &target));
  sl__vi_term term;
  sl__vi_plan plan = {.formula = "loc", .type = SL_F64, .jitter = (double)NAN, .draws = 20000};
  sl__vi_defaults(&plan.options, &term);
  plan.options.steps = 1;
  plan.options.rate = 1e-12;
  int refused = 0; /* for the largest weight alone */
  for (uint64_t seed = 1; seed <= 12; seed++) {
    sl__model *model;
    sl__vi_result result;
    plan.options.seed = seed;
    CHECK_OK(context, sl__vi_plain(context, target, &plan, &model, &result));
    const bool heavy = result.scores.largest_weight > 0.0513;
    CHECK(result.trusted == (!heavy && result.scores.khat < 0.7));
    refused += heavy && result.scores.khat < 0.7;
    CHECK(strstr(result.verdict, "does not search") != NULL);
    CHECK((strstr(result.verdict, "usable where the flow has mass") != NULL) == result.trusted);
    sl__model_free(context, model);
  }
  CHECK(refused > 0);
  sl__target_free(target);
  sl_context_free(context);
}

/* Every objective brings a Gaussian to a Gaussian. */
TEST(every_objective_finds_a_gaussian) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 1, vi_standard_normal);
  target->log_evidence = 0.5 * log(2 * acos(-1.0));
  double draws[500];
  const sl__random_key key = {5, SL__STREAM_TEST, 0};
  for (int i = 0; i < 500; i++) draws[i] = sl__random_normal(key, (uint64_t)i, 0);
  int count;
  const sl__vi_objective *const *all = sl__vi_objectives(&count);
  for (int o = 0; o < count; o++) {
    for (int e = 0; e < SL__VI_ESTIMATORS; e++) {
      if (!(all[o]->estimators & 1u << e)) continue;
      vi_flow f = vi_make_flow(context, "scale-loc", 1);
      sl__vi_term term;
      sl__vi_options options;
      sl__vi_defaults(&options, &term);
      term.objective = all[o]->name;
      term.estimator = sl__vi_estimator_rows[e].name;
      term.alpha = 0.5;
      term.particles = all[o]->weigh ? 10 : 0; /* more, and the bound of any q is tight */
      term.draws = draws;
      term.rows = 500;
      options.steps = 1500;
      options.rate = 0.03;
      options.schedule = "cosine";
      fit(context, target, &f, &options);
      sl__vi_scores scores;
      CHECK_OK(context,
               sl__vi_evaluate(context, f.flow, f.vector, target, 4000, 1, NULL, NULL, &scores));
      if (!CHECK(kullback_leibler(&scores, target) < (all[o]->from_draws ? 0.01 : 0.004)))
        printf("  %s by %s: %g\n", all[o]->name, term.estimator, kullback_leibler(&scores, target));
      vi_free_flow(context, &f);
    }
  }
  sl__target_free(target);
  sl_context_free(context);
}

/* ---- estimators where q is p ---- */

static bool note_norm(void *user, const sl__vi_progress *now) {
  double *norm = user;
  *norm = fmax(*norm, now->gradient_norm);
  return true;
}

TEST(path_gradients_have_no_noise_at_the_answer) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 2, vi_standard_normal);
  for (int e = 0; e < 2; e++) {
    vi_flow f = vi_make_flow(context, "scale-loc", 2);
    for (int64_t i = 0; i < f.flow->size; i++) f.vector[i] = 0;
    for (int i = 0; i < 2; i++) f.vector[i] = log(exp(1.0) - 1); /* softplus gives 1 */
    sl__vi_term term;
    sl__vi_options options;
    double norm = 0;
    sl__vi_defaults(&options, &term);
    term.estimator = e ? "stl" : "reparameterized";
    options.steps = 20;
    options.rate = 1e-12;
    options.progress = note_norm;
    options.user = &norm;
    fit(context, target, &f, &options);
    CHECK(e ? norm < 1e-10 : norm > 0.01);
    vi_free_flow(context, &f);
  }
  sl__target_free(target);
  sl_context_free(context);
}

/* ---- the same bits ---- */

TEST(threads_change_no_bit) {
  double ends[3][200];
  for (int k = 0; k < 3; k++) {
    sl_context *context = vi_context(k == 0 ? 1 : 4 * k);
    sl__target *target = vi_target(context, 3, vi_crooked);
    vi_flow f = vi_make_flow(context, "coupling(affine,hidden=8)*2-planar", 3);
    sl__vi_term term;
    sl__vi_options options;
    sl__vi_defaults(&options, &term);
    term.objective = "iwae";
    term.samples = 300;
    term.particles = 30;
    options.steps = 20;
    options.anneal_steps = 10;
    options.sobol = true;
    options.ema = 0.9;
    REQUIRE(f.flow->size <= 200);
    fit(context, target, &f, &options);
    memcpy(ends[k], f.vector, (size_t)f.flow->size * sizeof(double));
    CHECK(memcmp(ends[k], ends[0], (size_t)f.flow->size * sizeof(double)) == 0);
    vi_free_flow(context, &f);
    sl__target_free(target);
    sl_context_free(context);
  }
}

/* ---- trouble ---- */

/* No density beyond 3: its logarithm there is not a number. */
static sl_node with_a_hole(sl__graph *g, sl_node x) {
  const sl_node sum = op_sum_all(g, x);
  return op_add(g, vi_standard_normal(g, x),
                op_scale(g, op_log(g, op_shift(g, op_negate(g, sum), 3)), 0.1));
}
static sl_node nothing(sl__graph *g, sl_node x) {
  return op_log(g, op_shift(g, op_scale(g, op_sum_all(g, op_square(g, x)), -1), -1));
}

typedef struct heard {
  int lines;
  char first[1024], last[1024];
} heard;
static void hear(void *user, int32_t level, const char *line) {
  heard *h = user;
  (void)level;
  snprintf(h->lines++ == 0 ? h->first : h->last, sizeof h->first, "%s", line);
}

/* Half of a density is missing, so that every step is left out: said once, and how often. */
TEST(a_bound_that_is_not_declared_is_said_once) {
  sl_context *context = vi_context(1);
  heard h = {0};
  context->log = hear;
  context->log_user = &h;
  sl__target *target;
  REQUIRE_OK(context,
             sl__target_expression(context, "x > 0 ? -x : negative_infinity()", "x", &target));
  vi_flow f = vi_make_flow(context, "scale-loc", 1);
  sl__vi_term term;
  sl__vi_options options;
  sl__vi_defaults(&options, &term);
  options.steps = 10; /* short of those that end a run */
  const sl__vi_report report = fit(context, target, &f, &options);
  CHECK_INTEGER(report.not_finite, 10);
  CHECK_INTEGER(h.lines, 2);
  CHECK(strstr(h.first, "step 1 skipped, its loss is inf") && strstr(h.first, "real<lower=0> x;"));
  CHECK_TEXT(h.last, "10 steps were skipped in all");
  options.quiet = true;
  options.seed = 1;
  h.lines = 0;
  CHECK(fit(context, target, &f, &options).trouble[0] != '\0');
  CHECK_INTEGER(h.lines, 1); /* how often */
  vi_free_flow(context, &f);
  sl__target_free(target);
  sl_context_free(context);
}

TEST(steps_that_are_not_finite_are_left_out) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 1, with_a_hole);
  vi_flow f = vi_make_flow(context, "scale-loc", 1);
  f.vector[0] = 0.5;
  f.vector[1] = -1;
  sl__vi_term term;
  sl__vi_options options;
  sl__vi_defaults(&options, &term);
  term.samples = 20;
  options.steps = 2000;
  const sl__vi_report report = fit(context, target, &f, &options);
  CHECK(report.skipped > 0 && report.skipped < 1000);
  if (!CHECK(strstr(report.trouble, "non-finite value, in row") != NULL))
    printf("  %s\n", report.trouble);
  for (int64_t i = 0; i < f.flow->size; i++) CHECK(isfinite(f.vector[i]));
  sl__target_free(target);

  target = vi_target(context, 1, nothing);
  sl__vi_report none;
  CHECK(sl__vi_fit(context, f.flow, f.vector, target, &options, &none) == SL_NUMERIC);
  CHECK_INTEGER(none.steps, 20);
  for (int64_t i = 0; i < f.flow->size; i++) CHECK(isfinite(f.vector[i]));
  sl__vi_scores scores;
  CHECK_OK(context,
           sl__vi_evaluate(context, f.flow, f.vector, target, 100, 1, NULL, NULL, &scores));
  CHECK_INTEGER(scores.lost, 100);
  CHECK(scores.elbo == -INFINITY);
  vi_free_flow(context, &f);
  sl__target_free(target);
  sl_context_free(context);
}

/* ---- terms ---- */

/* -log p + log q, by hand: the notebook's own ELBO. */
static sl_node own_loss(void *user, sl__graph *g, const sl__vi_nodes *nodes) {
  const double *penalty = user;
  const sl_node loss = op_subtract(g, nodes->log_q, nodes->log_p);
  return op_add(g, loss, op_scale(g, op_sum_all(g, op_square(g, nodes->x)), *penalty));
}

TEST(a_loss_of_ones_own) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 2, vi_standard_normal);
  double ends[2][8], penalty = 0;
  for (int k = 0; k < 3; k++) {
    vi_flow f = vi_make_flow(context, "scale-loc", 2);
    sl__vi_term term;
    sl__vi_options options;
    sl__vi_defaults(&options, &term);
    penalty = k == 2 ? 1.5 : 0; /* with x.x/2: a Gaussian of variance 1/4 */
    if (k > 0) term.loss = own_loss;
    term.loss_user = &penalty;
    options.steps = k == 2 ? 2000 : 50;
    options.rate = 0.01;
    fit(context, target, &f, &options);
    if (k < 2) memcpy(ends[k], f.vector, (size_t)f.flow->size * sizeof(double));
    for (int i = 0; k == 2 && i < 2; i++) CHECK_CLOSE(log1p(exp(f.vector[i])), 0.5, 0.03);
    vi_free_flow(context, &f);
  }
  for (int i = 0; i < 4; i++) CHECK_CLOSE(ends[1][i], ends[0][i], 1e-12);
  sl__target_free(target);
  sl_context_free(context);
}

/* Two halves of one objective are the objective, up to the draws. */
TEST(terms_add_up) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 1, vi_standard_normal);
  const double draws[2] = {1, 3}, log_weights[2] = {log(3.0), log(1.0)};
  vi_flow f = vi_make_flow(context, "scale-loc", 1);
  const sl__vi_term terms[2] = {{.objective = "elbo", .weight = 0, .samples = 10},
                                {.objective = "draws",
                                 .weight = 1,
                                 .samples = 200,
                                 .rows = 2,
                                 .draws = draws,
                                 .log_weights = log_weights}};
  sl__vi_term unused;
  sl__vi_options options;
  sl__vi_defaults(&options, &unused);
  options.terms = terms;
  options.term_count = 2;
  options.steps = 4000;
  options.rate = 0.02;
  options.schedule = "cosine";
  fit(context, target, &f, &options);
  CHECK_CLOSE(f.vector[1], 1.5, 0.03);                    /* the weighted mean, ... */
  CHECK_CLOSE(log1p(exp(f.vector[0])), sqrt(0.75), 0.03); /* ... and standard deviation */
  vi_free_flow(context, &f);
  sl__target_free(target);
  sl_context_free(context);
}

TEST(what_is_wrong_is_refused) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 2, vi_standard_normal);
  vi_flow f = vi_make_flow(context, "scale-loc", 2), narrow = vi_make_flow(context, "loc", 1);
  sl__vi_term term;
  sl__vi_options options, changed;
  sl__vi *vi;
  sl__vi_defaults(&options, &term);
#define REFUSES(flow_, statement, status)                                                      \
  changed = options;                                                                           \
  sl__vi_defaults(&changed, &term);                                                            \
  statement;                                                                                   \
  CHECK(sl__vi_new(context, (flow_).flow, (flow_).vector, target, &changed, &vi) == (status)); \
  CHECK(vi == NULL && strlen(sl_error(context)) > 10)
  REFUSES(narrow, (void)0, SL_BAD_ARGUMENT);
  REFUSES(f, changed.steps = 0, SL_BAD_ARGUMENT);
  REFUSES(f, changed.rate = -1, SL_BAD_ARGUMENT);
  REFUSES(f, changed.optimiser = "none", SL_BAD_ARGUMENT);
  REFUSES(f, term.objective = "none", SL_BAD_ARGUMENT);
  REFUSES(f, term.estimator = "score", SL_BAD_ARGUMENT);
  REFUSES(f, term.samples = 0, SL_BAD_ARGUMENT);
  REFUSES(f, term.particles = 33, SL_BAD_ARGUMENT);
  REFUSES(f, term.objective = "draws", SL_BAD_ARGUMENT);
  vi_free_flow(context, &f);
  vi_free_flow(context, &narrow);
  sl__target_free(target);
  sl_context_free(context);
}
