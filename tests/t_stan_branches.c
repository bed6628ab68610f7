/* Branches whose conditions depend on parameters: both are traced, and what is not taken must leave
 * no trace, though it is not a number there. Every function is built of u and of -u, in the two
 * branches of several kinds of choice, and is outside of its domain in one of them; value and
 * gradient must be those of a program that has the branch taken and nothing else. */
#include "stan_fixture.h"

#include <math.h>
#include <stdio.h>

/* Defined where u is 0.5, not where it is -0.5: there it, or a derivative, is infinite or NaN. */
static const char *const functions[] = {
    "sqrt(u)",
    "log(u)",
    "log2(u)",
    "log1p(u - 1)",
    "log1m(1 - u)",
    "pow(u, 1.5)",
    "pow(u, u)",
    "u ^ -1.5",
    "1 / fmax(u, 0)",
    "inv(fmax(u, 0))",
    "inv_square(fmax(u, 0))",
    "inv_sqrt(u)",
    "1.5 / sqrt(fmax(u, 0))",
    "cbrt(fmax(u, 0))",
    "exp(-2000 * u)",
    "exp(exp(-2000 * u)) * u",
    "expm1(-2000 * u)",
    "log1p(exp(-2000 * u))",
    "square(exp(-800 * u))",
    "sinh(pow(1.5 - u, 10))",
    "cosh(pow(1.5 - u, 10))",
    "tanh(exp(-2000 * u)) * exp(-2000 * u)",
    "inv_logit(log(u))",
    "asinh(exp(-2000 * u))",
    "atan(log(u))",
    "erf(log(u))",
    "Phi(log(u))",
    "sin(log(u))",
    "cos(exp(-2000 * u))",
    "tan(log(u))",
    "abs(log(u))",
    "fmin(log(u), 7 * u)",
    "acos(1.2 - u)",
    "asin(1.2 - u)",
    "acosh(1 + u)",
    "atanh(0.9 - u)",
    "logit(u)",
    "inv_Phi(u)",
    "log1m_exp(-u)",
    "log_diff_exp(u, 0.0)",
    "log1p_exp(log(u))",
    "log_sum_exp(log(u), u)",
    "lgamma(fmax(u, 0))",
    "tgamma(fmax(u, 0))",
    "digamma(fmax(u, 0))",
    "trigamma(fmax(u, 0))",
    "lbeta(u, 2)",
    "lchoose(3.5, u)",
    "lmultiply(u, u)",
    "hypot(fmax(u, 0), 0)",
    "atan2(fmax(u, 0), fmax(u, 0))",
    "gamma_p(2, u)",
    "gamma_q(u, 2)",
    "inc_beta(u, 2, 0.25)",
    "log_mix(u, 1.0, 2.0)",
    "normal_lpdf(1 | 0, u)",
    "lognormal_lpdf(u | 0, 1)",
    "gamma_lpdf(u | 2, 3)",
    "beta_lpdf(u | 2, 3)",
    "beta_lcdf(0.3 | u, 3)",
    "student_t_lpdf(1 | u, 0, 1)",
    "poisson_lpmf(3 | u)",
    "bernoulli_lpmf(1 | u)",
    "weibull_lccdf(u | 2, 3)",
    "sum(cholesky_decompose([[u, 0.1], [0.1, 1]]))",
    "log_determinant([[u, 0.1], [0.1, 1]] / fmax(u, 0))",
    "sum(inverse_spd([[u, 0.1], [0.1, 1]]))",
    "sum([[1.0, u], [2.0, 3.0]] * [log(u), 1.0]')",
    "dot_product([u, log(u)], [exp(-2000 * u), u])",
    "log_softmax([log(u), u]')[1]",
    "norm2([fmax(u, 0), 0])",
};

/* What chooses, by x: F stands for the function of x, G for that of -x. */
static const char *const choices[] = {
    "if (x > 0) target += F; else target += G;",
    "target += x > 0 ? F : G;",
    "real y; if (x > 0) { real z = F; y = z; } else y = G; target += y;",
    "vector[2] y = [0, 1]'; if (x > 0) y[1] = F; else y[1] = G; target += sum(y) - 1;",
    "if (x > 0) { if (x < 1) target += F; else target += 3; } else target += G;",
};

/* Replaces `of` in `text`, appending to out. */
static void replace(char *out, size_t size, const char *text, char of, const char *by) {
  size_t used = strlen(out);
  for (; *text && used + 1 < size; text++) {
    const bool word = *text == of && (text[1] < 'a' || text[1] > 'z') && text[1] != '(';
    const bool inside = of == 'u' && used > 0 && out[used - 1] >= 'a' && out[used - 1] <= 'z';
    if (word && !inside)
      used += (size_t)snprintf(out + used, size - used, "%s", by);
    else
      out[used++] = *text;
    out[used] = 0;
  }
}

static bool evaluate(const char *statements, int count, const double *q, double *value,
                     double *gradient) {
  char text[4096];
  snprintf(text, sizeof text, "parameters { vector[%d] m; }\nmodel { real x = m[1];\n%s }", count,
           statements);
  sl__stan_model *model = make_model(text, NULL);
  if (!model) return false;
  const bool good = CHECK_OK(context, density_at(model, q, true, value, gradient));
  if (!good) printf("  %s\n", text);
  sl__stan_model_free(context, model);
  return good;
}

/* Exactly: the gradient of the other branch is zero, not small. */
static void compare(const char *what, double at, int count, const double *got, const double *want) {
  for (int i = 0; i < count; i++) {
    if (!CHECK(fabs(got[i] - want[i]) <= 1e-13 * fmax(1, fabs(want[i]))))
      printf("  %s at %g, number %d: %.17g, alone %.17g\n", what, at, i, got[i], want[i]);
  }
}

static void check_choice(const char *choice, const char *function) {
  char f[256] = "", g[256] = "", half[1024] = "", text[2048] = "", alone[1024];
  replace(f, sizeof f, function, 'u', "x");
  replace(g, sizeof g, function, 'u', "(-x)");
  replace(half, sizeof half, choice, 'F', f);
  replace(text, sizeof text, half, 'G', g);
  for (int side = 0; side < 2; side++) {
    const double at = side ? -0.5 : 0.5;
    double got[2], want[2];
    snprintf(alone, sizeof alone, "target += %s;", side ? g : f);
    if (!evaluate(text, 1, &at, &got[0], &got[1])) return;
    if (!evaluate(alone, 1, &at, &want[0], &want[1])) return;
    CHECK(isfinite(want[0]) && isfinite(want[1]));
    compare(text, at, 2, got, want);
  }
}

TEST(functions) {
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
    for (size_t k = 0; k < sizeof choices / sizeof *choices; k++)
      check_choice(choices[k], functions[i]);
}

/* Loops, whose operations become vectors, with elements on both sides of the choice; and beside
 * them the same functions without one. */
TEST(loops) {
  const double q[6] = {0.5, -0.25, 0.75, -0.125, 0.0625, -0.5};
  const char *const loop =
      "for (i in 1:6) target += m[i] > 0 ? sqrt(m[i]) * log(m[i]) : pow(-m[i], 1.5);"
      "for (i in 1:6) target += sqrt(1 + m[i]) * log(1 + m[i]);";
  const char *const alone = "for (i in {1, 3, 5}) target += sqrt(m[i]) * log(m[i]);"
                            "for (i in {2, 4, 6}) target += pow(-m[i], 1.5);"
                            "for (i in 1:6) target += sqrt(1 + m[i]) * log(1 + m[i]);";
  double got[7], want[7];
  if (!evaluate(loop, 6, q, &got[0], got + 1) || !evaluate(alone, 6, q, &want[0], want + 1)) return;
  compare(loop, 0, 7, got, want);
}

/* A return in a branch, and a density that a function with _lp adds in one. */
TEST(user_functions) {
  const char *const before =
      "functions {\n"
      "  real f(real x) { if (x > 0) return sqrt(x) * gamma_lpdf(x | 2, 3); return log(-x); }\n"
      "  real g_lp(real x) { target += normal_lpdf(1 | 0, x); return sqrt(x); }\n"
      "}\n"
      "parameters { real x; }\nmodel { ";
  const char *const pairs[][3] = {
      {"target += f(x);", "target += sqrt(x) * gamma_lpdf(x | 2, 3);", "target += log(-x);"},
      {"target += x > 0 ? g_lp(x) : 2 * g_lp(-x);", "target += normal_lpdf(1 | 0, x) + sqrt(x);",
       "target += normal_lpdf(1 | 0, -x) + 2 * sqrt(-x);"}};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    for (int side = 1; side < 3; side++) {
      const double at = side == 2 ? -0.5 : 0.5;
      double numbers[2][2];
      for (int k = 0; k < 2; k++) {
        char text[1024];
        snprintf(text, sizeof text, "%s%s }", before, pairs[i][k ? side : 0]);
        sl__stan_model *model = make_model(text, NULL);
        if (!model) return;
        CHECK_OK(context, density_at(model, &at, true, &numbers[k][0], &numbers[k][1]));
        sl__stan_model_free(context, model);
      }
      compare(pairs[i][0], at, 2, numbers[0], numbers[1]);
    }
  }
}

/* A loop inside a branch may be left, and its rounds cut short: it is all in the branch. */
TEST(loops_in_branches) {
  const char *const loop =
      "real s = 0; if (x > 0) { for (i in 1:5) { if (i == 2) continue; if (i == 4) break;"
      " s += i * x; } int k = 0; while (1) { k += 1; if (k > 3) break; s += x ^ k; } }"
      " else s = x; target += s;";
  const char *const alone[2] = {"target += 4 * x + x + x ^ 2 + x ^ 3;", "target += x;"};
  for (int side = 0; side < 2; side++) {
    const double at = side ? -0.5 : 0.5;
    double got[2], want[2];
    if (!evaluate(loop, 1, &at, &got[0], &got[1])) return;
    if (!evaluate(alone[side], 1, &at, &want[0], &want[1])) return;
    compare(loop, at, 2, got, want);
  }
}
