/* Densities of vectors, matrices and categories against numbers computed with 50 digits by inverses
 * and determinants; vectorised calls and linear models against the sums that they stand for; draws
 * of vectors against their moments; support, checks and messages. */
#include "stan_fixture.h"

/* Parameters p [4] are 1 where values are compared. */
#define S_TOP  "[[2 * p[1], 0.3 * p[2], -0.4], [0.3 * p[2], 1.5, 0.2 * p[3]], "
#define S      S_TOP "[-0.4, 0.2 * p[3], 0.9]]"
#define W      "[[1.4, -0.2 * p[4], 0.3], [-0.2 * p[4], 2.1, 0.5], [0.3, 0.5, 1.1]]"
#define R      "[[1, 0.3 * p[2], -0.4], [0.3 * p[2], 1, 0.2 * p[3]], [-0.4, 0.2 * p[3], 1]]"
#define Y      "[0.3, -1.2 * p[4], 0.8]'"
#define MU     "[0.1, 0.4, -0.5 * p[1]]'"
#define THETA  "[0.2, 0.5, 0.3]'"
#define ALPHA  "[0.5 * p[1], 2.5, 1.2 * p[2]]'"
#define LOGITS "[0.3 * p[1], -1.2, 0.8 * p[2]]'"
#define CUTS   "[-1.5 * p[1], 0.2, 1.7 * p[2]]'"

typedef struct value_case {
  const char *call;
  double value;
} value_case;

static const value_case cases[] = {
    {"multi_normal_lpdf(" Y " | " MU ", " S ")", -5.80557262735552506},
    {"multi_normal_prec_lpdf(" Y " | " MU ", " S ")", -4.45562831865172063},
    {"multi_normal_cholesky_lpdf(" Y " | " MU ", cholesky_decompose(" S "))", -5.80557262735552506},
    {"multi_student_t_lpdf(" Y " | 4.5 * p[3], " MU ", " S ")", -5.93029053015878841},
    {"multi_student_t_cholesky_lpdf(" Y " | 4.5 * p[3], " MU ", cholesky_decompose(" S "))",
     -5.93029053015878841},
    {"wishart_lpdf(" W " | 5.5 * p[3], " S ")", -11.3554305864489717},
    {"inv_wishart_lpdf(" W " | 5.5 * p[3], " S ")", -12.0574950857867882},
    {"wishart_cholesky_lpdf(cholesky_decompose(" W ") | 5.5, cholesky_decompose(" S "))",
     -8.09937560717232871},
    {"inv_wishart_cholesky_lpdf(cholesky_decompose(" W ") | 5.5, cholesky_decompose(" S "))",
     -8.80144010651014515},
    {"lkj_corr_lpdf(" R " | 2.5 * p[1])", -0.911712259680509543},
    {"lkj_corr_cholesky_lpdf(cholesky_decompose(" R ") | 2.5 * p[1])", -0.958867599416130207},
    {"lkj_cov_lpdf(" W " | [0.1, 0.4, -0.5]', [0.5, 1.5 * p[1], 0.8]', 2.5 * p[2])",
     -3.70215821313885714},
    {"multi_gp_lpdf([[0.3, -1.2, 0.8], [1, 0.5, -0.25]] | " S ", [0.7 * p[4], 2.2]')",
     -7.25674017738504908},
    {"multi_gp_cholesky_lpdf([[0.3, -1.2, 0.8], [1, 0.5, -0.25]] | cholesky_decompose(" S
     "), [0.7 * p[4], 2.2]')",
     -7.25674017738504908},
    {"dirichlet_lpdf(" THETA " | " ALPHA ")", 0.801085538078231437},
    {"multinomial_lpmf({2, 0, 3} | " THETA ")", -4.52820914485196304},
    {"multinomial_logit_lpmf({2, 0, 3} | " LOGITS ")", -1.47219950521590756},
    {"dirichlet_multinomial_lpmf({2, 0, 3} | " ALPHA ")", -4.83767487571379681},
    {"categorical_logit_lpmf(3 | " LOGITS ")", -0.554956919641990648},
    {"categorical_lpmf(2 | " THETA ")", -0.693147180559945309},
    {"ordered_logistic_lpmf(1 | 0.4 * p[3], " CUTS ")", -2.03938675828296059},
    {"ordered_logistic_lpmf(2 | 0.4 * p[3], " CUTS ")", -1.13925452333199771},
    {"ordered_logistic_lpmf(3 | 0.4 * p[3], " CUTS ")", -1.09162978214003804},
    {"ordered_logistic_lpmf(4 | 0.4 * p[3], " CUTS ")", -1.54100845383299221},
    {"ordered_probit_lpmf(1 | 0.4 * p[3], " CUTS ")", -3.55028132554213479},
    {"ordered_probit_lpmf(2 | 0.4 * p[3], " CUTS ")", -0.936432903409473436},
    {"ordered_probit_lpmf(3 | 0.4 * p[3], " CUTS ")", -0.728858869849767867},
    {"ordered_probit_lpmf(4 | 0.4 * p[3], " CUTS ")", -2.33510327866244242},
    {"ordered_logistic_lpmf(2 | 30 * p[3], " CUTS ")", -30.0017288956675805},
    {"ordered_probit_lpmf(2 | 30 * p[3], " CUTS ")", -448.334569849474026},
    {"ordered_probit_lpmf(2 | -30 * p[3], " CUTS ")", -410.395070002025602},
};

/* Two ways to write the same; d: data. */
#define X   "[[0.3, -1.2], [0.8, 0.4], [-0.5, 0.9]]"
#define ETA "(" X " * p[1:2] + p[3])"
static const char *const equal[][2] = {
    {"normal_lpdf([0.3, 1, -2]' | p[1:3], [1, p[4], 2]')",
     "normal_lpdf(0.3 | p[1], 1) + normal_lpdf(1 | p[2], p[4]) + normal_lpdf(-2 | p[3], 2)"},
    {"normal_lpdf([0.3, 1, -2] | p[1], p[2])",
     "normal_lpdf(0.3 | p[1], p[2]) + normal_lpdf(1 | p[1], p[2]) + normal_lpdf(-2 | p[1], p[2])"},
    {"gamma_lpdf(0.7 | p[1:2], {p[3], 2})",
     "gamma_lpdf(0.7 | p[1], p[3]) + gamma_lpdf(0.7 | p[2], 2)"},
    {"student_t_lpdf(p[1:2] | 4, p[3], 2)",
     "student_t_lpdf(p[1] | 4, p[3], 2) + student_t_lpdf(p[2] | 4, p[3], 2)"},
    {"von_mises_lpdf([0.3, 2]' | p[1:2], p[3:4])",
     "von_mises_lpdf(0.3 | p[1], p[3]) + von_mises_lpdf(2 | p[2], p[4])"},
    {"uniform_lpdf(p[1:2] | -1, [3, 4])", "-log(4) - log(5)"},
    {"normal_lcdf([0.3, 1]' | p[1], p[2])",
     "normal_lcdf(0.3 | p[1], p[2]) + normal_lcdf(1 | p[1], p[2])"},
    {"normal_cdf([0.3, 1]' | p[1], p[2])", "Phi((0.3 - p[1]) / p[2]) * Phi((1 - p[1]) / p[2])"},
    {"poisson_lccdf({2, 5} | [3 * p[1], 2]')",
     "poisson_lccdf(2 | 3 * p[1]) + poisson_lccdf(5 | 2)"},
    {"bernoulli_lpmf({1, 0, 1, 1} | 0.3 * p[1])",
     "3 * bernoulli_lpmf(1 | 0.3 * p[1]) + bernoulli_lpmf(0 | 0.3 * p[1])"},
    {"bernoulli_lpmf({1, 0} | [0.3 * p[1], 0.6]')",
     "bernoulli_lpmf(1 | 0.3 * p[1]) + bernoulli_lpmf(0 | 0.6)"},
    {"bernoulli_logit_lpmf({1, 0, 1, 1} | p[1])",
     "3 * bernoulli_logit_lpmf(1 | p[1]) + bernoulli_logit_lpmf(0 | p[1])"},
    {"binomial_lpmf({1, 0} | {3, 4}, 0.3 * p[1])",
     "binomial_lpmf(1 | 3, 0.3 * p[1]) + binomial_lpmf(0 | 4, 0.3 * p[1])"},
    {"binomial_lpmf(rep_array(1, 20000) | rep_array(2, 20000), 0.3 * p[1])",
     "20000 * binomial_lpmf(1 | 2, 0.3 * p[1])"},
    {"neg_binomial_2_log_lpmf({1, 0} | p[1:2], p[3])",
     "neg_binomial_2_log_lpmf(1 | p[1], p[3]) + neg_binomial_2_log_lpmf(0 | p[2], p[3])"},
    {"categorical_lpmf({1, 3, 3} | softmax(p[1:3]))",
     "categorical_lpmf(1 | softmax(p[1:3])) + 2 * categorical_lpmf(3 | softmax(p[1:3]))"},
    {"categorical_logit_lpmf({1, 3, 3} | p[1:3])",
     "categorical_logit_lpmf(1 | p[1:3]) + 2 * categorical_logit_lpmf(3 | p[1:3])"},
    {"ordered_logistic_lpmf({1, 4, 2, 3} | p[1:4], [-1, 0.5, 2]')",
     "ordered_logistic_lpmf(1 | p[1], [-1, 0.5, 2]') + ordered_logistic_lpmf(4 | p[2], [-1, 0.5, "
     "2]')"
     " + ordered_logistic_lpmf(2 | p[3], [-1, 0.5, 2]') + ordered_logistic_lpmf(3 | p[4], [-1, "
     "0.5, 2]')"},
    {"ordered_probit_lpmf({1, 2} | p[1], {[-1, 0.5]', [0, p[2]]'})",
     "ordered_probit_lpmf(1 | p[1], [-1, 0.5]') + ordered_probit_lpmf(2 | p[1], [0, p[2]]')"},
    {"multi_normal_lpdf({p[1:2], p[3:4]} | [0, 1]', [[2, 0.5], [0.5, 1]])",
     "multi_normal_lpdf(p[1:2] | [0, 1]', [[2, 0.5], [0.5, 1]])"
     " + multi_normal_lpdf(p[3:4] | [0, 1], [[2, 0.5], [0.5, 1]])"},
    {"multi_normal_lpdf([1, 2]' | {p[1:2], p[3:4]}, [[2, 0.5], [0.5, 1]])",
     "multi_normal_lpdf(p[1:2] | [1, 2]', [[2, 0.5], [0.5, 1]])"
     " + multi_normal_lpdf(p[3:4] | [1, 2]', [[2, 0.5], [0.5, 1]])"},
    {"multi_student_t_lpdf({p[1:2], p[3:4]} | 5, [0, 1]', [[2, 0.5], [0.5, 1]])",
     "multi_student_t_lpdf(p[1:2] | 5, [0, 1]', [[2, 0.5], [0.5, 1]])"
     " + multi_student_t_lpdf(p[3:4] | 5, [0, 1]', [[2, 0.5], [0.5, 1]])"},
    {"dirichlet_lpdf({[0.2, 0.8]', [0.4, 0.6]'} | p[1:2])",
     "dirichlet_lpdf([0.2, 0.8]' | p[1:2]) + dirichlet_lpdf([0.4, 0.6]' | p[1:2])"},
    {"bernoulli_logit_glm_lpmf({1, 0, 1} | " X ", p[3], p[1:2])",
     "bernoulli_logit_lpmf({1, 0, 1} | " ETA ")"},
    {"bernoulli_logit_glm_lpmf({1, 0, 1} | " X ", p[1:3], p[3:4])",
     "bernoulli_logit_lpmf({1, 0, 1} | " X " * p[3:4] + p[1:3])"},
    {"bernoulli_logit_glm_lpmf({1, 0, 1} | [0.4, 0.7], p[3], p[1:2])",
     "bernoulli_logit_lpmf({1, 0, 1} | [0.4, 0.7] * p[1:2] + p[3])"},
    {"bernoulli_logit_glm_lpmf(1 | " X ", p[3], p[1:2])",
     "bernoulli_logit_lpmf({1, 1, 1} | " ETA ")"},
    {"binomial_logit_glm_lpmf({1, 0, 3} | {3, 2, 4}, " X ", p[3], p[1:2])",
     "binomial_logit_lpmf({1, 0, 3} | {3, 2, 4}, " ETA ")"},
    {"poisson_log_glm_lpmf({1, 0, 3} | " X ", p[3], p[1:2])",
     "poisson_log_lpmf({1, 0, 3} | " ETA ")"},
    {"neg_binomial_2_log_glm_lpmf({1, 0, 3} | " X ", p[3], p[1:2], p[4])",
     "neg_binomial_2_log_lpmf({1, 0, 3} | " ETA ", p[4])"},
    {"normal_id_glm_lpdf([1, 0, 3]' | " X ", p[3], p[1:2], p[4])",
     "normal_lpdf([1, 0, 3]' | " ETA ", p[4])"},
    {"normal_id_glm_lpdf(p[1:3] | " X " * p[4], p[3], p[1:2], [1, p[4], 3]')",
     "normal_lpdf(p[1:3] | " X " * p[4] * p[1:2] + p[3], [1, p[4], 3]')"},
    {"ordered_logistic_glm_lpmf({1, 3, 2} | " X ", p[1:2], [-1, p[3]]')",
     "ordered_logistic_lpmf({1, 3, 2} | " X " * p[1:2], [-1, p[3]]')"},
    {"categorical_logit_glm_lpmf({1, 2, 1} | " X ", p[1:2], [[1, p[3]], [p[4], 2]])",
     "categorical_logit_lpmf(1 | p[1:2] + [[1, p[3]], [p[4], 2]]' * [0.3, -1.2]')"
     " + categorical_logit_lpmf(2 | p[1:2] + [[1, p[3]], [p[4], 2]]' * [0.8, 0.4]')"
     " + categorical_logit_lpmf(1 | p[1:2] + [[1, p[3]], [p[4], 2]]' * [-0.5, 0.9]')"},
    {"normal_lpdf(rep_vector(0, 0) | p[1], 1) + p[2]", "p[2]"},
    {"beta_lpdf(0 | 1, 3 * p[1])", "log(3 * p[1])"},
    {"poisson_log_lpmf(0 | negative_infinity()) + p[1]", "p[1]"},
};

static sl__stan_model *model_of(const char *call) {
  char text[2048];
  snprintf(
      text, sizeof text,
      "parameters { vector[4] p; } model { target += %s; } generated quantities { real r = %s; }",
      call, call);
  return make_model(text, NULL);
}

static void check_gradient(const sl__stan_model *model, const char *call, const double *p,
                           const double *gradient) {
  for (int k = 0; k < 4; k++) {
    const double h = 1e-5;
    double q[4], up, down;
    memcpy(q, p, sizeof q);
    q[k] += h;
    CHECK_OK(context, density_at(model, q, true, &up, NULL));
    q[k] -= 2 * h;
    CHECK_OK(context, density_at(model, q, true, &down, NULL));
    if (!CHECK_CLOSE(gradient[k], (up - down) / (2 * h), 2e-7))
      printf("  %s: p[%d]\n", call, k + 1);
  }
}

TEST(values_and_gradients) {
  static const double ones[4] = {1, 1, 1, 1};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const value_case *c = &cases[i];
    double value = NAN, known = NAN, gradient[4] = {0};
    sl__stan_model *model = model_of(c->call);
    if (!model) continue;
    if (CHECK_OK(context, density_at(model, ones, true, &value, gradient)) &&
        CHECK_OK(context, sl__stan_model_generate(context, model, ones, 1, 0, &known))) {
      if (!CHECK_CLOSE(value, c->value, 1e-13) || !CHECK_CLOSE(known, c->value, 1e-13))
        printf("  %s\n", c->call);
      check_gradient(model, c->call, ones, gradient);
    }
    sl__stan_model_free(context, model);
  }
}

TEST(what_is_equal) {
  static const double p[4] = {0.8, 1.3, 0.7, 1.9};
  for (size_t i = 0; i < sizeof equal / sizeof *equal; i++) {
    double value[2] = {NAN, NAN}, gradient[2][4] = {{0}};
    for (int side = 0; side < 2; side++) {
      sl__stan_model *model = model_of(equal[i][side]);
      double known = NAN;
      if (!model) continue;
      CHECK_OK(context, density_at(model, p, true, &value[side], gradient[side]));
      CHECK_OK(context, sl__stan_model_generate(context, model, p, 1, 0, &known));
      CHECK_CLOSE(known, value[side], 1e-13);
      sl__stan_model_free(context, model);
    }
    bool good = CHECK_CLOSE(value[0], value[1], 1e-13);
    for (int k = 0; k < 4; k++) good &= CHECK_CLOSE(gradient[0][k], gradient[1][k], 1e-12);
    if (!good) printf("  %s\n", equal[i][0]);
  }
}

/* ---- support and checks; p is 1 ---- */

static const char *const impossible[] = {
    "uniform_lpdf(3 * p[1] | 0, 2)",
    "uniform_lpdf([1, 3] | 0, 2 * p[1])",
    "uniform_lcdf(-1 | 0, p[1])",
    "lognormal_lpdf(p[1] - 1 | 0, 1)",
    "inv_gamma_lpdf(-p[1] | 2, 1)",
    "pareto_lpdf(p[1] | 2, 1)",
    "pareto_type_2_lpdf(p[1] | 2, 1, 1)",
    "poisson_lpmf(2 | 0 * p[1])",
    "normal_lpdf(0 | 0, -p[1])",
    "normal_lpdf([0, 1] | 0, [1, -p[1]])",
    "gamma_lpdf(-p[1] | 2, 1)",
    "beta_lpdf(2 * p[1] | 2, 1)",
    "bernoulli_lpmf(1 | 2 * p[1])",
    "student_t_lpdf(0 | -p[1], 0, 1)",
    "categorical_lpmf(1 | [p[1], p[2]]')",
    "ordered_logistic_lpmf(1 | 0, [2 * p[1], 1]')",
    "multi_normal_lpdf([0, 0]' | [0, 0]', [[1, 2 * p[1]], [2 * p[1], 1]])",
    "wishart_lpdf([[1, 0], [0, 1]] | p[1], [[1, 0], [0, 1]])",
    "dirichlet_lpdf([0.5, 0.5]' | [-p[1], 1]')",
};

TEST(impossible_values) {
  static const double ones[4] = {1, 1, 1, 1};
  for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
    char text[512];
    double value = 0;
    snprintf(text, sizeof text, "parameters { vector[4] p; } model { target += %s; }",
             impossible[i]);
    sl__stan_model *model = make_model(text, NULL);
    if (!model) continue;
    CHECK_OK(context, density_at(model, ones, true, &value, NULL));
    if (!CHECK(value == -(double)INFINITY)) printf("  %s: %g\n", impossible[i], value);
    sl__stan_model_free(context, model);
  }
}

static const struct {
  const char *call, *message;
} refused[] = {
    {"normal_lpdf(0 | 0, -1)", "scale is -1, but must be positive"},
    {"normal_lpdf(0 | p[1], -1)", "scale is -1, but must be positive"},
    {"normal_lpdf([0, 1]' | p[1], [1, 0]')", "element 2 of scale is 0, but must be positive"},
    {"normal_lpdf(not_a_number() | p[1], 1)", "variate is nan, but must be a number"},
    {"gamma_lpdf(1 | 2, positive_infinity())",
     "inverse scale is inf, but must be positive and finite"},
    {"normal_lpdf([0, 1]' | p[1:3], 1)", "different sizes"},
    {"bernoulli_lpmf(2 | p[1])", "variate is 2, but must be 0 or 1"},
    {"binomial_lpmf(5 | 4, p[1])", "variate is 5, but must be at most the number of trials 4"},
    {"poisson_lpmf({1, -3} | p[1])", "element 2 of variate is -3, but must be at least 0"},
    {"categorical_logit_lpmf(3 | p[1:2])", "variate is 3, but must be from 1 to 2"},
    {"categorical_lpmf(1 | [0.5, 0.6]')", "probabilities must sum to 1"},
    {"ordered_logistic_lpmf(4 | p[1], [0, 1]')", "variate is 4, but must be from 1 to 3"},
    {"uniform_lpdf(p[1] | 2, 1)", "the lower bound must be less than the upper one"},
    {"multi_normal_lpdf(p[1:2] | p[1:3], [[1, 0], [0, 1]])",
     "location has 3 elements, but must have 2"},
    {"multi_normal_lpdf(p[1:2] | p[1:2], [[1, 0.5], [0, 1]])",
     "covariance is not symmetric at row 2, column 1"},
    {"multi_normal_lpdf(p[1:2] | p[1:2], [[1, 0, 0], [0, 1, 0]])",
     "covariance is 2 x 3, but must be square"},
    {"multi_normal_lpdf([0, 0]' | [0, 0]', [[1, 2], [2, 1]])",
     "covariance must be positive definite"},
    {"bernoulli_logit_glm_lpmf({1, 0} | [[1, 2], [3, 4]], p[1], p[1:3])",
     "there are 3 slopes, but 2 columns"},
    {"poisson_log_glm_lpmf({1, 0, 2} | [[1, 2], [3, 4]], p[1], p[1:2])",
     "has 3 elements, but must have 2"},
    {"von_mises_lcdf(1 | p[1], 1)", "not supported yet"},
    {"beta_neg_binomial_lcdf(1000000 | p[1], 1, 1)", "at most 100000 probabilities"},
};

TEST(refusals) {
  static const double ones[4] = {1, 1, 1, 1};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    char text[512];
    double value = 0;
    snprintf(text, sizeof text, "parameters { vector[4] p; } model { target += %s; }",
             refused[i].call);
    sl__stan_model *model = try_model(text, NULL);
    const bool failed = !model || density_at(model, ones, true, &value, NULL) != SL_OK;
    if (CHECK(failed))
      check_error(refused[i].message);
    else
      printf("  %s: %g\n", refused[i].call, value);
    sl__stan_model_free(context, model);
  }
}

/* ---- draws of vectors: means over 4000 ---- */

static const struct {
  const char *draw; /* adds to r [3] */
  double expected[3], tolerance;
} draws[] = {
    {"vector[2] y = multi_normal_rng([1, -2]', [[2, 0.6], [0.6, 0.5]]); r[1] += y[1];"
     " r[2] += y[2]; r[3] += (y[1] - 1) * (y[2] + 2);",
     {1, -2, 0.6},
     0.1},
    {"vector[2] y = multi_normal_cholesky_rng([0, 0]', [[2, 0], [0.6, 0.5]]);"
     " r[1] += y[1] ^ 2; r[2] += y[2] ^ 2; r[3] += y[1] * y[2];",
     {4, 0.61, 1.2},
     0.4},
    {"vector[2] y = multi_student_t_rng(12, [0, 0]', [[2, 0.6], [0.6, 0.5]]);"
     " r[1] += y[1] ^ 2; r[2] += y[2] ^ 2; r[3] += y[1] * y[2];",
     {2.4, 0.6, 0.72},
     0.25},
    {"vector[3] y = dirichlet_rng([0.5, 2, 1.5]'); r[1] += y[1]; r[2] += y[2]; r[3] += sum(y);",
     {0.125, 0.5, 1},
     0.02},
    {"int y = categorical_rng([0.2, 0.5, 0.3]'); r[y] += 1;", {0.2, 0.5, 0.3}, 0.035},
    {"int y = categorical_logit_rng(log([0.2, 0.5, 0.3]') + 700); r[y] += 1;",
     {0.2, 0.5, 0.3},
     0.035},
    {"array[3] int y = multinomial_rng([0.2, 0.5, 0.3]', 100); for (k in 1:3) r[k] += y[k];",
     {20, 50, 30},
     0.4},
    {"array[3] int y = dirichlet_multinomial_rng([2, 5, 3]', 10); for (k in 1:3) r[k] += y[k];",
     {2, 5, 3},
     0.2},
    {"int y = ordered_logistic_rng(0.4, [-0.5, 1]'); r[y] += 1;",
     {0.28905049737499605, 0.35660680855183, 0.35434369377420455},
     0.035},
    {"int y = ordered_probit_rng(0.4, [-0.5, 1]'); r[y] += 1;",
     {0.18406012534675947, 0.541686758, 0.27425311775007355},
     0.035},
    {"matrix[2, 2] y = wishart_rng(5.5, [[2, 0.6], [0.6, 0.5]]); r[1] += y[1, 1];"
     " r[2] += y[1, 2]; r[3] += y[2, 2];",
     {11, 3.3, 2.75},
     0.55},
    {"matrix[2, 2] l = wishart_cholesky_rng(5.5, cholesky_decompose([[2, 0.6], [0.6, 0.5]]));"
     " matrix[2, 2] y = l * l'; r[1] += y[1, 1]; r[2] += y[1, 2]; r[3] += y[2, 2];",
     {11, 3.3, 2.75},
     0.55},
    {"matrix[2, 2] y = inv_wishart_rng(9, [[2, 0.6], [0.6, 0.5]]); r[1] += 6 * y[1, 1];"
     " r[2] += 6 * y[1, 2]; r[3] += 6 * y[2, 2];",
     {2, 0.6, 0.5},
     0.15},
    {"matrix[2, 2] l = inv_wishart_cholesky_rng(9, cholesky_decompose([[2, 0.6], [0.6, 0.5]]));"
     " matrix[2, 2] y = l * l'; r[1] += 6 * y[1, 1]; r[2] += 6 * y[1, 2]; r[3] += 6 * y[2, 2];",
     {2, 0.6, 0.5},
     0.15},
    {"matrix[3, 3] y = lkj_corr_rng(3, 1.5); r[1] += y[1, 2] ^ 2; r[2] += y[3, 2] ^ 2;"
     " r[3] += y[1, 2] * y[3, 2];",
     {0.2, 0.2, 0},
     0.03},
    {"matrix[3, 3] l = lkj_corr_cholesky_rng(3, 1.5); matrix[3, 3] y = l * l'; r[1] += y[1, 2] ^ 2;"
     " r[2] += y[3, 2] ^ 2; r[3] += y[2, 2];",
     {0.2, 0.2, 1},
     0.03},
    {"array[2] int y = bernoulli_logit_glm_rng([[1, 0], [0, 2]], [-1, -1]', [1, 1]'); r[1] += y[1];"
     " r[2] += y[2];",
     {0.5, 0.7310585786300049, 0},
     0.035},
    {"array[2] real y = normal_rng([1, 2], 0.5); r[1] += y[1]; r[2] += y[2];", {1, 2, 0}, 0.04},
    {"array[2] vector[2] y = multi_normal_rng({[1, 2]', [3, 4]'}, [[1, 0], [0, 1]]);"
     " r[1] += y[1, 1]; r[2] += y[2, 1]; r[3] += y[2, 2];",
     {1, 3, 4},
     0.07},
};

TEST(draws_of_vectors) {
  for (size_t i = 0; i < sizeof draws / sizeof *draws; i++) {
    char text[1024];
    double r[3] = {NAN, NAN, NAN};
    snprintf(text, sizeof text,
             "generated quantities { array[3] real r = {0, 0, 0}; for (i in 1:4000) { %s }"
             " for (i in 1:3) r[i] /= 4000; }",
             draws[i].draw);
    sl__stan_model *model = make_model(text, NULL);
    if (!model) continue;
    CHECK_OK(context, sl__stan_model_generate(context, model, NULL, 3, 0, r));
    for (int k = 0; k < 3; k++)
      if (!CHECK(fabs(r[k] - draws[i].expected[k]) <= draws[i].tolerance))
        printf("  %s: r[%d] %g, not %g\n", draws[i].draw, k + 1, r[k], draws[i].expected[k]);
    sl__stan_model_free(context, model);
  }
}
