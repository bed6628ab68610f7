/* Constraint transforms: the values satisfy the constraint, the log Jacobian is that of a dense
 * Jacobian by differences, unconstraining is the inverse; and a few numbers from the formulas. */
#include "stan_fixture.h"

enum { MOST = 40 };

typedef struct transform_case {
  const char *declaration;
  int free, constrained;
  /* Which constrained numbers are coordinates of the manifold, in the order of the names: the
   * Jacobian is that of these. -1: the first `free`. NULL: none is checked (unit vectors). */
  const int *coordinates;
} transform_case;

static const int first[] = {-1};
/* lower triangles by columns */
static const int lower_2_diagonal[] = {0, 1, 3};
static const int lower_3_diagonal[] = {0, 1, 2, 4, 5, 8};
static const int lower_3[] = {1, 2, 5};
static const int lower_4[] = {1, 2, 3, 6, 7, 11};
static const int tall[] = {0, 1, 2, 3, 5, 6, 7};
static const int columns_23[] = {0, 1, 3, 4};
static const int rows_23[] = {0, 1, 2, 3};

static const transform_case cases[] = {
    {"real x;", 1, 1, first},
    {"vector[3] x;", 3, 3, first},
    {"matrix[2, 3] x;", 6, 6, first},
    {"array[2] matrix[2, 2] x;", 8, 8, first},
    {"real<lower=1.5> x;", 1, 1, first},
    {"vector<upper=-1>[2] x;", 2, 2, first},
    {"matrix<lower=-1, upper=2>[2, 2] x;", 4, 4, first},
    {"vector<lower=[0, 1]', upper=[2, 5]'>[2] x;", 2, 2, first},
    {"real<lower=negative_infinity()> x;", 1, 1, first},
    {"vector<lower=[0, negative_infinity(), 0, negative_infinity()]',"
     " upper=[1, 2, positive_infinity(), positive_infinity()]'>[4] x;",
     4, 4, first},
    {"vector<lower=[0, negative_infinity()]'>[2] x;", 2, 2, first},
    {"vector<offset=2, multiplier=3>[2] x;", 2, 2, first},
    {"vector<multiplier=[3, 2]'>[2] x;", 2, 2, first},
    {"real<lower=0> a; real<upper=a> x;", 2, 2, first},
    {"real a; vector<lower=a, upper=exp(a) + 3>[2] x;", 3, 3, first},
    {"ordered[4] x;", 4, 4, first},
    {"array[2] positive_ordered[2] x;", 4, 4, first},
    {"simplex[4] x;", 3, 4, first},
    {"simplex[1] x;", 0, 1, NULL},
    {"unit_vector[3] x;", 3, 3, NULL},
    {"sum_to_zero_vector[4] x;", 3, 4, NULL},
    {"sum_to_zero_matrix[3, 3] x;", 4, 9, NULL},
    {"cov_matrix[2] x;", 3, 4, lower_2_diagonal},
    {"cov_matrix[3] x;", 6, 9, lower_3_diagonal},
    {"corr_matrix[3] x;", 3, 9, lower_3},
    {"corr_matrix[4] x;", 6, 16, lower_4},
    {"cholesky_factor_corr[3] x;", 3, 9, lower_3},
    {"cholesky_factor_corr[4] x;", 6, 16, lower_4},
    {"cholesky_factor_cov[3] x;", 6, 9, lower_3_diagonal},
    {"cholesky_factor_cov[4, 2] x;", 7, 8, tall},
    {"column_stochastic_matrix[3, 2] x;", 4, 6, columns_23},
    {"row_stochastic_matrix[2, 3] x;", 4, 6, rows_23},
};

/* log |det| by elimination with pivots. */
static double log_determinant(int n, double a[MOST][MOST]) {
  double sum = 0;
  for (int k = 0; k < n; k++) {
    int pivot = k;
    for (int i = k; i < n; i++)
      if (fabs(a[i][k]) > fabs(a[pivot][k])) pivot = i;
    for (int j = 0; j < n; j++) {
      const double swap = a[k][j];
      a[k][j] = a[pivot][j];
      a[pivot][j] = swap;
    }
    sum += log(fabs(a[k][k]));
    for (int i = k + 1; i < n; i++)
      for (int j = n - 1; j >= k; j--) a[i][j] -= a[i][k] / a[k][k] * a[k][j];
  }
  return sum;
}

static void check_jacobian(const sl__stan_model *model, const transform_case *c, const double *q) {
  double jacobian[MOST][MOST], value;
  for (int k = 0; k < c->free; k++) {
    double at[MOST], up[MOST], down[MOST];
    const double h = 1e-5;
    memcpy(at, q, (size_t)c->free * sizeof *at);
    at[k] += h;
    REQUIRE_OK(context, constrain_at(model, at, up));
    at[k] -= 2 * h;
    REQUIRE_OK(context, constrain_at(model, at, down));
    for (int i = 0; i < c->free; i++) {
      const int from = c->coordinates[0] < 0 ? i : c->coordinates[i];
      jacobian[i][k] = (up[from] - down[from]) / (2 * h);
    }
  }
  REQUIRE_OK(context, density_at(model, q, true, &value, NULL));
  if (!CHECK_CLOSE(value, log_determinant(c->free, jacobian), 1e-7))
    printf("  %s\n", c->declaration);
}

TEST(jacobians_and_inverses) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const transform_case *c = &cases[i];
    char text[512];
    snprintf(text, sizeof text, "parameters { %s } model { }", c->declaration);
    sl__stan_model *model = make_model(text, NULL);
    if (!model) continue;
    CHECK_INTEGER(sl__stan_model_dim(model), c->free);
    CHECK_INTEGER(sl__stan_model_count(model, SL__STAN_PART_PARAMETERS), c->constrained);
    double q[MOST], x[MOST], back[MOST];
    int64_t row;
    for (int k = 0; k < c->free; k++) q[k] = 0.9 * sin(3.7 * k + 1) + 0.2;
    if (c->coordinates) check_jacobian(model, c, q);
    if (c->free > 0 && CHECK_OK(context, constrain_at(model, q, x)) &&
        CHECK_OK(context, sl__stan_model_unconstrain(context, model, 1, x, back, &row))) {
      /* of a unit vector only the direction comes back */
      double length = 1;
      if (strstr(c->declaration, "unit_vector"))
        length = sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2]);
      for (int k = 0; k < c->free; k++)
        if (!CHECK_CLOSE(back[k], q[k] / length, 1e-11)) printf("  %s\n", c->declaration);
    }
    sl__stan_model_free(context, model);
  }
}

/* Columns of orthonormal maps keep lengths; sums vanish. */
TEST(sums_to_zero) {
  static const char *const texts[] = {"parameters { sum_to_zero_vector[5] x; } model { }",
                                      "parameters { sum_to_zero_matrix[3, 3] x; } model { }"};
  for (int i = 0; i < 2; i++) {
    sl__stan_model *model = make_model(texts[i], NULL);
    REQUIRE(model);
    const double q[4] = {0.3, -1.2, 0.7, 2.1};
    double x[9], value, squares = 0, sum = 0;
    REQUIRE_OK(context, constrain_at(model, q, x));
    for (int k = 0; k < (i ? 9 : 5); k++) {
      squares += x[k] * x[k];
      sum += x[k];
    }
    CHECK_CLOSE(squares, 0.09 + 1.44 + 0.49 + 4.41, 1e-13);
    CHECK_CLOSE(sum, 0, 1e-14);
    if (i == 0) CHECK_CLOSE(x[4], -q[3] * 4 / sqrt(20.0), 1e-14);
    if (i == 1) CHECK_CLOSE(x[0] + x[1] + x[2], 0, 1e-14);
    REQUIRE_OK(context, density_at(model, q, true, &value, NULL));
    CHECK_CLOSE(value, 0, 0);
    sl__stan_model_free(context, model);
  }
}

TEST(unit_vectors) {
  sl__stan_model *model = make_model("parameters { unit_vector[3] x; } model { }", NULL);
  REQUIRE(model);
  const double q[3] = {2, -1, 2};
  double x[3], value;
  REQUIRE_OK(context, constrain_at(model, q, x));
  CHECK_CLOSE(x[0], 2 / 3.0, 1e-15);
  CHECK_CLOSE(x[1], -1 / 3.0, 1e-15);
  REQUIRE_OK(context, density_at(model, q, true, &value, NULL));
  CHECK_CLOSE(value, -4.5, 1e-15);
  sl__stan_model_free(context, model);
}

/* Far out nothing overflows before the values do. */
TEST(far_out) {
  static const char *const texts[] = {
      "parameters { vector<lower=0, upper=1>[2] x; } model { }",
      "parameters { simplex[3] x; } model { }",
      "parameters { cholesky_factor_corr[2] x; real y; } model { }",
  };
  const double q[2] = {600, -600};
  for (int i = 0; i < 3; i++) {
    sl__stan_model *model = make_model(texts[i], NULL);
    REQUIRE(model);
    double value, gradient[2];
    REQUIRE_OK(context, density_at(model, q, true, &value, gradient));
    CHECK(isfinite(value) && isfinite(gradient[0]) && isfinite(gradient[1]));
    if (i == 0) CHECK_CLOSE(value, -1200, 1e-12);
    /* log sech^2(600) = 2 (log 2 - 600) */
    if (i == 2) CHECK_CLOSE(value, 2 * (log(2) - 600), 1e-12);
    sl__stan_model_free(context, model);
  }
}
