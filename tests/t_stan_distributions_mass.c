/* Distributions of scalars as a whole: densities integrate to 1 and to their cumulative
 * distributions, tails add up, and draws have the distribution that the density says. */
#include "stan_fixture.h"

typedef struct family {
  const char *name, *arguments;
  double low, high; /* what is integrated over */
  bool is_whole;    /* has all but 1e-7 of its mass there */
  bool has_cdf, has_draw;
} family;

/* Densities that are smooth within, so that the quadrature is exact to about 1e-8. */
static const family continuous[] = {
    {"normal", "0.4, 1.3", -8, 9, true, true, true},
    {"std_normal", "", -7, 7, true, true, true},
    {"lognormal", "0.2, 0.4", 0.05, 25, true, true, true},
    {"skew_normal", "0.4, 1.3, 2.2", -8, 9, true, true, true},
    {"exp_mod_normal", "0.4, 1.3, 0.9", -8, 25, true, true, true},
    {"student_t", "3.4, 0.4, 1.3", -20, 21, false, true, true},
    {"cauchy", "0.4, 1.3", -20, 21, false, true, true},
    {"double_exponential", "0.5, 1.25", -30, 31, true, true, true},
    {"skew_double_exponential", "0.5, 1.25, 0.25", -29, 61, true, true, true},
    {"logistic", "0.4, 1.3", -30, 30, true, true, true},
    {"gumbel", "0.4, 1.3", -5, 30, true, true, true},
    {"gamma", "4.3, 1.7", 0, 20, true, true, true},
    {"inv_gamma", "4.3, 1.7", 0, 40, false, true, true},
    {"exponential", "1.7", 0, 12, true, true, true},
    {"chi_square", "9.4", 0, 70, true, true, true},
    {"inv_chi_square", "9.4", 0, 6, false, true, true},
    {"scaled_inv_chi_square", "9.4, 1.3", 0, 60, false, true, true},
    {"weibull", "4.2, 1.7", 0, 6, true, true, true},
    {"frechet", "3.2, 1.7", 0, 30, false, true, true},
    {"rayleigh", "1.7", 0, 15, true, true, true},
    {"loglogistic", "1.7, 5.3", 0, 30, false, false, true},
    {"pareto", "1.7, 3.1", 1.7, 30, false, true, true},
    {"pareto_type_2", "0.4, 1.7, 3.1", 0.4, 30, false, true, true},
    {"uniform", "-0.5, 1.5", -0.5, 1.5, true, true, true},
    {"beta", "4.3, 5.7", 0, 1, true, true, true},
    {"beta_proportion", "0.4, 9.5", 0, 1, true, false, true},
    {"von_mises", "0.4, 2.3", 0.4 - 3.14159265358979324, 0.4 + 3.14159265358979324, true, false,
     true},
};
static const family discrete[] = {
    {"bernoulli", "0.3", 0, 1, true, true, true},
    {"bernoulli_logit", "-0.7", 0, 1, true, false, true},
    {"binomial", "30, 0.3", 0, 30, true, true, true},
    {"binomial_logit", "30, -0.7", 0, 30, true, false, false},
    {"beta_binomial", "30, 2.3, 1.4", 0, 30, true, true, true},
    {"hypergeometric", "9, 14, 7", 2, 9, true, false, true},
    {"discrete_range", "-2, 5", -2, 5, true, true, true},
    {"poisson", "40.3", 0, 120, true, true, true},
    {"poisson_log", "1.3", 0, 60, true, false, true},
    {"neg_binomial", "3.3, 0.7", 0, 120, true, true, true},
    {"neg_binomial_2", "7.3, 2.7", 0, 160, true, true, true},
    {"neg_binomial_2_log", "1.6, 2.7", 0, 120, true, false, true},
    {"beta_neg_binomial", "3.3, 8.5, 2.1", 0, 400, false, true, true},
    {"yule_simon", "2.3", 1, 400, false, true, true},
};

enum { CELLS = 3000, DRAWS = 20000, MOST_WHOLE = 401 };

/* log density at y [rows] */
static bool densities_at(const family *f, int rows, const double *y, double *out) {
  char text[256];
  snprintf(text, sizeof text, "parameters { real y; } model { target += %s_lpdf(y | %s); }",
           f->name, f->arguments);
  sl__stan_model *model = make_model(text, NULL);
  sl__graph *g;
  sl__program *program;
  sl__workspace *workspace;
  if (!model || sl__graph_new(context, &g) != SL_OK) return false;
  const sl_node point = op_input(g, SL_F64, sl__shape1(1));
  const sl_node density = sl__stan_model_log_density(model, g, point, false, true);
  bool good = CHECK_OK(context, sl__program_new(context, g, 1, &density, &program));
  if (good && CHECK_OK(context, sl__workspace_new(context, program, rows, &workspace))) {
    const sl__feed feed = {.data = y, .type = SL_F64};
    const sl__sink sink = {.data = out, .type = SL_F64};
    const sl__run run = {.rows = rows, .feeds = &feed, .sinks = &sink};
    good = CHECK_OK(context, sl__program_run(context, program, workspace, &run));
    sl__workspace_free(workspace);
  }
  if (good) sl__program_free(program);
  sl__graph_free(g);
  sl__stan_model_free(context, model);
  return good;
}

/* Generated quantities of a program without data. */
static bool generate(const char *text, int count, double *out) {
  sl__stan_model *model = make_model(text, NULL);
  if (!model) return false;
  const bool good = CHECK_INTEGER(sl__stan_model_count(model, SL__STAN_PART_GENERATED), count) &&
                    CHECK_OK(context, sl__stan_model_generate(context, model, NULL, 7, 0, out));
  sl__stan_model_free(context, model);
  return good;
}

/* P(Y <= y) by _cdf; all three forms must agree. */
static double cdf_at(const family *f, double y) {
  char text[512];
  double out[3] = {NAN, NAN, NAN};
  const char *a = f->arguments;
  snprintf(text, sizeof text,
           "generated quantities { array[3] real r = {%s_cdf(%.17g | %s), %s_lcdf(%.17g | %s), "
           "%s_lccdf(%.17g | %s)}; }",
           f->name, y, a, f->name, y, a, f->name, y, a);
  if (!generate(text, 3, out)) return NAN;
  CHECK_CLOSE(exp(out[1]), out[0], 1e-14);
  CHECK_CLOSE(exp(out[1]) + exp(out[2]), 1, 1e-11);
  return out[0];
}

/* ---- draws ---- */

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static bool draw_many(const family *f, const char *type, double *out) {
  char text[256];
  snprintf(text, sizeof text,
           "generated quantities { array[%d] %s r; for (i in 1:%d) r[i] = %s_rng(%s); }", DRAWS,
           type, DRAWS, f->name, f->arguments);
  if (!generate(text, DRAWS, out)) return false;
  qsort(out, DRAWS, sizeof *out, compare);
  return true;
}

/* How many draws are at most y. */
static double share_below(const double *sorted, double y) {
  int count = 0;
  while (count < DRAWS && sorted[count] <= y) count++;
  return (double)count / DRAWS;
}

/* Kolmogorov and Smirnov's bound at one in ten thousand. */
static void check_share(const family *f, const double *sorted, double y, double cdf) {
  if (!CHECK(fabs(share_below(sorted, y) - cdf) * sqrt(DRAWS) < 2.23))
    printf("  %s: at %g a share of %g, not %g\n", f->name, y, share_below(sorted, y), cdf);
}

/* ---- continuous ---- */

/* below [CELLS + 1]: the integral from low to the edges of cells, by Simpson's rule in each. */
static bool integrate(const family *f, double *edge, double *below) {
  static double y[2 * CELLS + 1], density[2 * CELLS + 1];
  const double step = (f->high - f->low) / (2 * CELLS);
  for (int i = 0; i <= 2 * CELLS; i++) y[i] = f->low + i * step;
  y[0] += 1e-9 * step;
  y[2 * CELLS] -= 1e-9 * step;
  if (!densities_at(f, 2 * CELLS + 1, y, density)) return false;
  below[0] = 0;
  for (int i = 0; i < CELLS; i++) {
    const double *d = density + 2 * i;
    below[i + 1] = below[i] + (exp(d[0]) + 4 * exp(d[1]) + exp(d[2])) * step / 3;
  }
  for (int i = 0; i <= CELLS; i++) edge[i] = y[2 * i];
  return true;
}

TEST(continuous_mass_and_draws) {
  static double edge[CELLS + 1], below[CELLS + 1], draws[DRAWS];
  for (size_t i = 0; i < sizeof continuous / sizeof *continuous; i++) {
    const family *f = &continuous[i];
    const int failures = check_failures;
    if (!integrate(f, edge, below)) continue;
    const double start = f->is_whole || !f->has_cdf ? 0 : cdf_at(f, edge[0]);
    if (f->is_whole) CHECK_CLOSE(below[CELLS], 1, 1e-6);
    for (int k = CELLS / 12; f->has_cdf && k < CELLS; k += CELLS / 6)
      CHECK_CLOSE(cdf_at(f, edge[k]) - start, below[k], 1e-6);
    if (f->has_draw && draw_many(f, "real", draws))
      for (int k = 1; k < CELLS; k += 7) check_share(f, draws, edge[k], start + below[k]);
    if (check_failures > failures) printf("  in %s\n", f->name);
  }
}

/* ---- whole numbers ---- */

static bool masses(const family *f, double *out) {
  char text[256];
  const int count = (int)(f->high - f->low) + 1;
  snprintf(text, sizeof text,
           "generated quantities { array[%d] real r; for (i in 1:%d) r[i] = %s_lpmf(i - 1 + %d | "
           "%s); }",
           count, count, f->name, (int)f->low, f->arguments);
  return generate(text, count, out);
}

TEST(discrete_mass_and_draws) {
  static double mass[MOST_WHOLE], draws[DRAWS];
  for (size_t i = 0; i < sizeof discrete / sizeof *discrete; i++) {
    const family *f = &discrete[i];
    const int failures = check_failures, count = (int)(f->high - f->low) + 1;
    double below = 0;
    if (!masses(f, mass)) continue;
    const bool drawn = f->has_draw && draw_many(f, "int", draws);
    for (int k = 0; k < count; k++) {
      const int y = (int)f->low + k;
      below += exp(mass[k]);
      if (f->has_cdf && (k < 4 || k % 50 == 7 || k == count - 1)) {
        const double cdf = cdf_at(f, y);
        if (!CHECK_CLOSE(cdf, below, 1e-11)) printf("  at %d\n", y);
      }
      if (drawn) check_share(f, draws, y, below);
    }
    CHECK_CLOSE(below, 1, f->is_whole ? 1e-9 : 1e-3);
    if (drawn) CHECK(draws[0] >= f->low);
    if (check_failures > failures) printf("  in %s\n", f->name);
  }
}
