/* Truncation T[L,U]: densities of a program with `~ ... T[]` against the density less the log
 * probability of the interval, by quadrature or by adding up, in plain C; with parameters in bounds
 * and distribution; gradients against differences; what lies outside. And the linear dynamic model
 * against the joint normal density of all its observations. */
#include "stan_fixture.h"

#include <math.h>

/* ---- plain densities ---- */

static double normal(double y, double mu, double sigma) {
  const double z = (y - mu) / sigma;
  return exp(-0.5 * z * z) / (sigma * 2.5066282746310005024);
}
static double gamma_of(double y, double a, double b) {
  return exp(a * log(b) - lgamma(a) + (a - 1) * log(y) - b * y);
}
static double student(double y, double nu, double mu, double s) {
  const double z = (y - mu) / s;
  return exp(lgamma(0.5 * nu + 0.5) - lgamma(0.5 * nu) - 0.5 * log(nu * 3.14159265358979323846) -
             log(s) - (0.5 * nu + 0.5) * log1p(z * z / nu));
}
static double poisson(double n, double rate, double none) {
  (void)none;
  return exp(n * log(rate) - rate - lgamma(n + 1));
}
static double negative_binomial(double n, double mu, double phi) {
  return exp(lgamma(n + phi) - lgamma(phi) - lgamma(n + 1) + phi * log(phi / (mu + phi)) +
             n * log(mu / (mu + phi)));
}

/* Simpson's rule. */
static double area(double (*f)(double, double, double), double a, double b, double p, double q) {
  enum { PANELS = 20000 };
  const double h = (b - a) / (2 * PANELS);
  double sum = f(a, p, q) + f(b, p, q);
  for (int i = 1; i < 2 * PANELS; i++) sum += (i % 2 ? 4 : 2) * f(a + i * h, p, q);
  return sum * h / 3;
}

static double total(double (*f)(double, double, double), int first, int last, double p, double q) {
  double sum = 0;
  for (int n = first; n <= last; n++) sum += f(n, p, q);
  return sum;
}

static double student_of_four(double y, double mu, double s) {
  return student(y, 4, mu, s);
}

/* ---- the cases: p are the parameters ---- */

enum { MOST = 4 };

typedef struct truncated {
  const char *statement;
  int count;
  double p[MOST];
  double expected;
} truncated;

static void check_case(const truncated *c) {
  char text[512];
  snprintf(text, sizeof text, "parameters { vector[%d] p; } model { %s }", c->count, c->statement);
  sl__stan_model *model = make_model(text, NULL);
  double value = 0, gradient[MOST] = {0};
  if (!model) return;
  if (CHECK_OK(context, density_at(model, c->p, true, &value, gradient)) &&
      !CHECK_CLOSE(value, c->expected, 1e-10))
    printf("  %s\n", c->statement);
  for (int k = 0; k < c->count && isfinite(c->expected); k++) {
    double q[MOST], up = 0, down = 0;
    const double h = 1e-5;
    memcpy(q, c->p, sizeof q);
    q[k] = c->p[k] + h;
    CHECK_OK(context, density_at(model, q, true, &up, NULL));
    q[k] = c->p[k] - h;
    CHECK_OK(context, density_at(model, q, true, &down, NULL));
    if (!CHECK_CLOSE(gradient[k], (up - down) / (2 * h), 2e-8))
      printf("  d/dp[%d] of %s\n", k + 1, c->statement);
  }
  sl__stan_model_free(context, model);
}

TEST(continuous) {
  const double far = 60; /* beyond which nothing is left */
  const double n = log(normal(1.1, 0.3, 1.7)), g = log(gamma_of(0.9, 2.5, 1.3));
  const double t = log(student_of_four(0.4, 0.1, 1.2));
  const truncated cases[] = {
      {"1.1 ~ normal(p[1], p[2]) T[p[3], p[4]];",
       4,
       {0.3, 1.7, -0.4, 2.5},
       n - log(area(normal, -0.4, 2.5, 0.3, 1.7))},
      {"1.1 ~ normal(p[1], p[2]) T[p[3], ];",
       3,
       {0.3, 1.7, -0.4},
       n - log(area(normal, -0.4, far, 0.3, 1.7))},
      {"1.1 ~ normal(p[1], p[2]) T[ , p[3]];",
       3,
       {0.3, 1.7, 2.5},
       n - log(area(normal, -far, 2.5, 0.3, 1.7))},
      {"p[3] ~ normal(p[1], p[2]) T[0, 2];",
       3,
       {0.3, 1.7, 1.1},
       n - log(area(normal, 0, 2, 0.3, 1.7))},
      {"0.9 ~ gamma(p[1], p[2]) T[p[3], p[4]];",
       4,
       {2.5, 1.3, 0.2, 3},
       g - log(area(gamma_of, 0.2, 3, 2.5, 1.3))},
      {"0.9 ~ gamma(p[1], p[2]) T[p[3], ];",
       3,
       {2.5, 1.3, 0.2},
       g - log(area(gamma_of, 0.2, far, 2.5, 1.3))},
      {"0.4 ~ student_t(4, p[1], p[2]) T[-1, p[3]];",
       3,
       {0.1, 1.2, 2},
       t - log(area(student_of_four, -1, 2, 0.1, 1.2))},
      {"target += normal_lpdf(1.1 | p[1], p[2]) - normal_lccdf(0.5 | p[1], p[2]);",
       2,
       {0.3, 1.7},
       n - log(area(normal, 0.5, far, 0.3, 1.7))},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_case(&cases[i]);
}

/* The density at its lower bound, relative to which the far tail is not too small to add up. */
static double relative_to_49(double y, double mu, double sigma) {
  const double z = (y - mu) / sigma, bound = (49 - mu) / sigma;
  return exp(-0.5 * (z - bound) * (z + bound));
}

/* Where lower tails are 1 to rounding, and the other way round; data alone, too. */
TEST(tails) {
  const double up = log(relative_to_49(50, 0.5, 1)) - log(area(relative_to_49, 49, 51, 0.5, 1));
  const truncated cases[] = {
      {"50.0 ~ normal(p[1], p[2]) T[49, 51];", 2, {0.5, 1}, up},
      {"-50.0 ~ normal(p[1], 1) T[-51, -49];", 1, {-0.5}, up},
      {"50.0 ~ normal(p[1], 1) T[49, 51]; p[2] ~ normal(0.25, 1) T[0.1, 9];",
       2,
       {0.5, 0.75},
       up + log(normal(0.75, 0.25, 1) / area(normal, 0.1, 9, 0.25, 1))},
      {"p[1] ~ normal(0, 1); 50.0 ~ normal(0.5, 1) T[49, 51];",
       1,
       {0},
       -0.5 * log(2 * 3.14159265358979323846) + up},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_case(&cases[i]);
}

/* Bounds of whole numbers belong to the interval. */
TEST(discrete) {
  const double n = log(poisson(3, 2.2, 0)), b = log(negative_binomial(3, 2.2, 1.4));
  const truncated cases[] = {
      {"3 ~ poisson(p[1]) T[1, 6];", 1, {2.2}, n - log(total(poisson, 1, 6, 2.2, 0))},
      {"3 ~ poisson(p[1]) T[1, ];", 1, {2.2}, n - log(total(poisson, 1, 200, 2.2, 0))},
      {"3 ~ poisson(p[1]) T[3, ];", 1, {2.2}, n - log(total(poisson, 3, 200, 2.2, 0))},
      {"3 ~ poisson(p[1]) T[ , 3];", 1, {2.2}, n - log(total(poisson, 0, 3, 2.2, 0))},
      {"3 ~ poisson(p[1]) T[0, 3];", 1, {2.2}, n - log(total(poisson, 0, 3, 2.2, 0))},
      {"3 ~ neg_binomial_2(p[1], p[2]) T[1, 5];",
       2,
       {2.2, 1.4},
       b - log(total(negative_binomial, 1, 5, 2.2, 1.4))},
      {"3 ~ neg_binomial_2(p[1], p[2]) T[2, ];",
       2,
       {2.2, 1.4},
       b - log(1 - total(negative_binomial, 0, 1, 2.2, 1.4))},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_case(&cases[i]);
}

/* Where a bound moves past the observation the density is 0; elements are truncated one by one. */
TEST(outside_and_vectors) {
  const truncated cases[] = {
      {"1.1 ~ normal(p[1], 1) T[p[2], ];", 2, {0, 1.5}, -INFINITY},
      {"1.1 ~ normal(p[1], 1) T[ , p[2]];", 2, {0, 0.5}, -INFINITY},
      {"p[2] ~ normal(p[1], 1) T[0, 1];", 2, {0, 1.0001}, -INFINITY},
      {"p[2] ~ exponential(2) T[p[1], ];", 2, {0.5, 0.25}, -INFINITY},
      {"[1.1, 0.3]' ~ normal(p[1], p[2]) T[0, ];",
       2,
       {0.3, 1.7},
       log(normal(1.1, 0.3, 1.7)) + log(normal(0.3, 0.3, 1.7)) -
           2 * log(area(normal, 0, 60, 0.3, 1.7))},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_case(&cases[i]);
}

/* By the joint density of all observations (50 digits). */
TEST(linear_dynamic_model) {
  const char *const noise[2] = {"[[p[1], 0.2], [0.2, 0.9]]", "[p[1], 0.9]'"};
  const double expected[2] = {-8.40957933803661999, -8.35308843179224826};
  for (int i = 0; i < 2; i++) {
    char text[512];
    snprintf(text, sizeof text,
             "[[0.3, -0.5, 1.2], [0.7, 0.1, -0.4]] ~ gaussian_dlm_obs([[1, 0.5], [0.2, -1]], "
             "[[p[2], 0.1], [-0.2, 0.8]], %s, [[p[3], 0.1], [0.1, 0.3]], [p[4], -0.2]', "
             "[[1, 0.2], [0.2, 2]]);",
             noise[i]);
    check_case(&(truncated){text, 4, {0.7, 0.9, 0.5, 0.1}, expected[i]});
  }
}
