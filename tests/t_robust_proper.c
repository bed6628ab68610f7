/* Densities without a finite integral are refused before anything is spent on them, by name; those
 * that have one, however heavy their tails, are not. */
#include <string.h>
#include "infer/robust/attempt.h"
#include "target/standard.h"
#include "vi_fixture.h"

static sl_status check(sl_context *context, const sl__target *target, sl__robust_report *report) {
  sl__robust_options options;
  sl__robust_defaults(&options);
  *report = (sl__robust_report){0};
  sl__robust run = {.context = context, .target = target, .options = &options, .report = report};
  return sl__robust_check_proper(&run);
}

static sl_status check_expression(sl_context *context, const char *density, const char *names) {
  sl__target *target;
  sl__robust_report report;
  CHECK_OK(context, sl__target_expression(context, density, names, &target));
  const sl_status status = check(context, target, &report);
  CHECK(report.gradient_evaluations == 64 && report.evaluations > 0);
  sl__target_free(target);
  return status;
}

TEST(standard_targets_have_an_integral) {
  int count;
  const sl__standard_target *const *targets = sl__standard_targets(&count);
  sl_context *context = vi_context(1);
  for (int k = 0; k < count; k++) {
    sl__target *target;
    sl__robust_report report;
    CHECK_OK(context, sl__target_standard(context, targets[k]->name, &target));
    CHECK_OK(context, check(context, target, &report));
    sl__target_free(target);
  }
  sl_context_free(context);
}

TEST(heavy_tails_and_far_places_have_one) {
  static const char *const densities[] = {
      "-log1p(x^2)-y^2",            /* Cauchy */
      "-0.6*log1p(x^2)-y^2",        /* t^-1.2 */
      "-0.5*((x-1e7)/1e6)^2-y^2",   /* far and wide */
      "-0.5*(x-1e12)^2-y^2",        /* where rays pass by */
      "-0.5*((x-2e30)/1e29)^2-y^2", /* units of any size */
      "-(x/1e16)^6-y^2",
      "-log1p((x/1e13)^2)-y^2",                           /* a Cauchy density of that kind */
      "x-exp(x)-y^2",                                     /* logarithm of an exponential variable */
      "-0.5*((x+y)^2+1e-6*(x-y)^2)",                      /* a ridge */
      "normal_lpdf(x | 0, 3)+normal_lpdf(y | 0, exp(x))", /* a funnel */
      "bernoulli_logit_lpmf({1, 1, 1} | x)+student_t_lpdf(x | 3, 0, 1)-y^2", /* by the prior alone */
      "-1e120+log_inv_logit(x)+log1m_inv_logit(x)-y^2", /* falls, but for rounding */
      "40*log1p(x^2)-0.1*x^6-1e3*y^2",                  /* rises for long where y shrinks slowly */
      "-1.01*log1p(x^2+y^2)",                           /* r^-2.02 in the plane */
      "-1.5*log1p(x^2+y^2)",                            /* Cauchy there */
      "-(x*y)^2-1e-3*log1p(x^2)-1e-3*log1p(y^2)",       /* ridges that fall */
      "normal_lpdf(1 | x*y, 1)-0.5*y^2-0.6*log1p(x^2)",
      "beta_lpdf(inv_logit(x) | 0.5, 0.5)+log_inv_logit(x)+log1m_inv_logit(x)-y^2",
  };
  sl_context *context = vi_context(1);
  for (size_t k = 0; k < sizeof densities / sizeof *densities; k++)
    CHECK_OK(context, check_expression(context, densities[k], "x,y"));
  sl_context_free(context);
}

TEST(what_has_none_is_named) {
  static const struct {
    const char *density, *words;
  } cases[] = {
      {"-x^2", "however far y goes"},                /* not used */
      {"-x^2+y", "however far y goes"},              /* grows */
      {"-x^2-log1p(exp(-y))", "however far y goes"}, /* one way only: separated data */
      {"-0.5*log1p(x^2)-y^2", "however far x goes"}, /* as of 1/t */
      {"-x^2+sin(y)", "however far y goes"},
      {"-x^2+cos(y)", "however far y goes"},         /* an angle that is not bounded */
      {"-(x-y)^2", "where x and y change together"}, /* a difference alone enters */
      {"-(x+2*y-3)^2", "where x and y change together"},
      {"-log1p(x^2+y^2)", "where x and y go far together"}, /* lines have finite integrals */
      {"-0.99*log1p(x^2+y^2)", "where x and y go far together"},
      {"-(x*y)^2", "product or ratio enters: powers 1 and -1 (looked"},
      {"normal_lpdf(1 | x*y, 1)", "product or ratio"},
      {"-(x^3*y-1)^2", "product or ratio"},
      {"-x^2*sqrt(1+y^2)", "powers 1 and -1"}, /* flat only far out */
  };
  sl_context *context = vi_context(1);
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    CHECK(check_expression(context, cases[k].density, "x,y") == SL_BAD_ARGUMENT);
    CHECK(strstr(sl_error(context), cases[k].words) != NULL);
    if (!strstr(sl_error(context), cases[k].words))
      fprintf(stderr, "%s: %s\n", cases[k].density, sl_error(context));
  }
  sl_context_free(context);
}

/* Jointly, in some of the coordinates only. */
TEST(pairs_that_have_none_are_named) {
  static const struct {
    const char *density, *names, *words;
  } cases[] = {
      {"-x^2-log1p(y^2+z^2)", "x,y,z", "where y and z go far together"},
      {"-y^2-0.9*log1p(x^2+z^2)", "x,y,z", "where x and z go far together"},
      {"-x^2-y^2*sqrt(1+z^2)", "x,y,z", "one of y and z grows as the other shrinks"},
      {"-2*log1p(a^2+b^2+c^2+d^2)", "a,b,c,d", "where a, b, c and 1 more go far together"},
  };
  sl_context *context = vi_context(1);
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    CHECK(check_expression(context, cases[k].density, cases[k].names) == SL_BAD_ARGUMENT);
    CHECK(strstr(sl_error(context), cases[k].words) != NULL);
    if (!strstr(sl_error(context), cases[k].words))
      fprintf(stderr, "%s: %s\n", cases[k].density, sl_error(context));
  }
  CHECK_OK(context, check_expression(context, "-x^2-1.01*log1p(y^2+z^2)", "x,y,z"));
  CHECK_OK(context, check_expression(context, "-x^2*sqrt(1+y^2)-0.3*log1p(y^2)-z^2", "x,y,z"));
  sl_context_free(context);
}

/* ---- scales ---- */

static sl_status check_program(sl_context *context, const char *program, const char *data) {
  sl__target *target;
  sl__robust_report report;
  CHECK_OK(context, sl__target_stan(context, "p.stan", program, strlen(program), "d.json", data,
                                    strlen(data), 0, &target));
  const sl_status status = check(context, target, &report);
  sl__target_free(target);
  return status;
}

#define NORMAL_DATA "data { int N; vector[N] y; } parameters { real mu; real<lower=0> s; } "
#define GROUPS                                                                                \
  "data { int N; vector[N] y; } parameters { real mu; vector[N] theta; real<lower=0> tau; } " \
  "model "                                                                                    \
  "{ theta ~ normal(mu, tau); y ~ normal(theta, 1); "
static const char one[] = "{\"N\": 1, \"y\": [1.5]}", two[] = "{\"N\": 2, \"y\": [1.5, 2]}",
                  three[] = "{\"N\": 3, \"y\": [1.5, 2, 4]}";

/* Flat priors: of s and mu, a normal likelihood of N data leaves s^(1 - N), of tau and mu, N groups
 * leave tau^(1 - N), which has an integral from N = 3 on. */
TEST(scales_without_a_bound_are_named) {
  static const struct {
    const char *program, *data, *words;
  } cases[] = {
      {NORMAL_DATA "model { y ~ normal(mu, s); }", one, "where s goes far from its bound"},
      {NORMAL_DATA "model { y ~ normal(mu, s); }", two, "where mu and s go far together"},
      {NORMAL_DATA "model { mu ~ normal(0, s); }", one, "where s goes far from its bound"},
      {NORMAL_DATA "model { mu ~ normal(0, 1); target += -log(s); }", one,
       "where s goes far from its bound"},
      {"parameters { real<upper=3> s; } model { target += -log(3 - s); }", "{}",
       "where s goes far from its bound"},
      {GROUPS "}", one, "where tau goes far from its bound"},
      {GROUPS "}", two, "where mu and tau go far together"},
  };
  sl_context *context = vi_context(1);
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    CHECK(check_program(context, cases[k].program, cases[k].data) == SL_BAD_ARGUMENT);
    CHECK(strstr(sl_error(context), cases[k].words) != NULL);
    if (!strstr(sl_error(context), cases[k].words))
      fprintf(stderr, "case %zu: %s\n", k, sl_error(context));
  }
  sl_context_free(context);
}

TEST(scales_with_an_integral_pass) {
  static const struct {
    const char *program, *data;
  } cases[] = {
      {NORMAL_DATA "model { y ~ normal(mu, s); }", three},
      {NORMAL_DATA "model { y ~ normal(mu, s); s ~ inv_gamma(0.01, 0.01); mu ~ normal(0, 1e6); }",
       one},
      {NORMAL_DATA "model { y ~ normal(mu, s); s ~ lognormal(0, 100); mu ~ normal(0, 1); }", one},
      {GROUPS "}", three},
      {GROUPS "tau ~ cauchy(0, 5); mu ~ normal(0, 5); }", one},
      {"parameters { real b; real<lower=0> l; real<lower=0> t; } model { b ~ normal(0, l * t); "
       "l ~ cauchy(0, 1); t ~ cauchy(0, 1); }",
       "{}"},
      {"parameters { real<lower=0> s; real<lower=0, upper=1> p; } model { s ~ inv_gamma(0.01, "
       "0.01); p ~ beta(0.01, 0.01); }",
       "{}"},
      {"parameters { positive_ordered[3] c; } model { c ~ exponential(1e-3); }", "{}"},
  };
  sl_context *context = vi_context(1);
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    CHECK_OK(context, check_program(context, cases[k].program, cases[k].data));
  sl_context_free(context);
}
