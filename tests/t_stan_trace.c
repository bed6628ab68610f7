/* Execution of Stan programs: what expressions and statements are worth with known numbers, that the
 * same functions of parameters give the same values and right gradients, errors, limits, speed. */
#include <time.h>
#include "base/os.h"
#include "stan_fixture.h"

/* ---- known values: each program's generated quantity `r` against numbers worked out by hand ---- */

typedef struct known_case {
  const char *functions, *body;
  double expected[8];
  int count; /* r is an array of so many */
} known_case;

static const known_case known_cases[] = {
    /* integers: division cuts towards zero, the remainder has the dividend's sign */
    {"",
     "r[1] = 7 %/% 2; r[2] = -7 %/% 2; r[3] = -7 % 3; r[4] = 2 ^ 10; r[5] = 1 / 2.0; r[6] = 9 / 4;",
     {3, -3, -1, 1024, 0.5, 2},
     6},
    {"",
     "r[1] = 1 < 2; r[2] = 1 > 2 || 3 >= 3; r[3] = !1; r[4] = 1 && 0; r[5] = 1 == 1.0; r[6] = 2 != "
     "2;",
     {1, 1, 0, 0, 1, 0},
     6},
    /* the right operand of && is not evaluated: no index is out of range */
    {"", "array[1] int a = {5}; r[1] = 2 <= size(a) && a[2] == 1; r[2] = 1 ? 3 : a[9];", {0, 3}, 2},
    /* vectors and matrices; a matrix's elements row by row */
    {"",
     "matrix[2, 3] A = [[1, 2, 3], [4, 5, 6]]; vector[3] v = [1, 0, -1]'; vector[2] w = A * v;"
     " r[1] = w[1]; r[2] = w[2]; r[3] = (w' * A)[3]; r[4] = (v * v')[3, 3]; r[5] = (A')[3, 2];"
     " r[6] = (A * A')[1, 2]; r[7] = v' * v; r[8] = (A .* A)[2, 1];",
     {-2, -2, -18, 1, 6, 32, 2, 16},
     8},
    /* indexing */
    {"",
     "matrix[3, 3] A = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]; array[2] int i = {3, 1};"
     " r[1] = A[i, 2][1]; r[2] = A[2:, :2][2, 2]; r[3] = A[2, i][1]; r[4] = A[i, i][1, 2];"
     " r[5] = A[:, 3][2]; r[6] = A[2][3]; r[7] = sum(to_vector(A[2:1, ])); r[8] = A[3:3, 1][1];",
     {8, 8, 6, 7, 6, 6, 0, 7},
     8},
    /* assignment to parts; aliasing; compound */
    {"",
     "vector[4] v = [1, 2, 3, 4]'; v[2:4] = v[1:3]; v[{1, 4}] = [10, 40]'; v[2] += 5; v *= 2;"
     " r[1] = v[1]; r[2] = v[2]; r[3] = v[3]; r[4] = v[4]; matrix[2, 2] B; B[1] = [1, 2];"
     " B[, 2] = [7, 8]'; B[2][1] = 5; r[5] = B[1, 1]; r[6] = B[1, 2]; r[7] = B[2, 1]; r[8] = B[2, "
     "2];",
     {20, 12, 4, 80, 1, 7, 5, 8},
     8},
    /* arrays of arrays, promotion of elements */
    {"",
     "array[2, 3] real a = {{1, 2, 3}, {4, 5, 6}}; array[2] vector[2] v = {[1, 2]', [3, 4]'};"
     " r[1] = a[2, 3]; r[2] = a[:, 2][2]; r[3] = v[2][1]; r[4] = v[:, 2][1]; v[2, 1] = 9; r[5] = "
     "v[2][1];",
     {6, 5, 3, 2, 9},
     5},
    /* loops */
    {"",
     "real s = 0; for (i in 1:10) { if (i == 3) continue; if (i > 5) break; s += i; } r[1] = s;"
     " int n = 0; while (n < 7) n += 2; r[2] = n; real c = 0; for (x in [[1, 2], [3, 4]]) c = 10 * "
     "c + x;"
     " r[3] = c; for (e in {{1, 2}, {3, 4}}) r[4] = e[2]; for (i in 5:4) r[5] = 1; r[5] = 2;",
     {12, 8, 1324, 4, 2},
     5},
    /* functions: recursion, overloads, return in a loop, void */
    {"functions { int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }"
     " real f(real x) { return 1; } real f(vector x) { return 2; }"
     " int first(array[] int a, int x) { for (i in 1:size(a)) if (a[i] == x) return i; return -1; }"
     " vector g(vector x, int n) { vector[n] y; for (i in 1:n) y[i] = x[i] ^ 2; return y; } }",
     "r[1] = fib(15); r[2] = f(1); r[3] = f([1]'); r[4] = first({4, 5, 6}, 6); r[5] = first({1}, "
     "2);"
     " r[6] = g([1, 2, 3]', 2)[2]; ",
     {610, 1, 2, 3, -1, 4},
     6},
};

TEST(known_values) {
  for (size_t i = 0; i < sizeof known_cases / sizeof *known_cases; i++) {
    const known_case *c = &known_cases[i];
    char text[2048];
    double out[8] = {0};
    snprintf(text, sizeof text, "%s generated quantities { array[%d] real r; { %s } }",
             c->functions, c->count, c->body);
    sl__stan_model *model = make_model(text, NULL);
    if (!model) continue;
    if (CHECK_OK(context, sl__stan_model_generate(context, model, NULL, 1, 0, out)))
      for (int k = 0; k < c->count; k++)
        if (!CHECK_CLOSE(out[k], c->expected[k], 1e-14)) printf("  case %zu, r[%d]\n", i, k + 1);
    sl__stan_model_free(context, model);
  }
}

/* ---- functions of parameters ---- */

/* f(x) in the model and in generated quantities, where x is known; x has 4 elements. */
static const char *const functions_of_x[] = {
    "return x[1] * x[2] - x[3] / x[4] + 2 * x[1] - x[2] * 3 + (1 - x[3]) + (x[4] - 2);",
    "return x[1] ^ 2 + x[2] ^ 3 + abs(x[3]) ^ 0.5 + exp(x[4]) ^ x[1] + 2 ^ x[2] + x[3] ^ 4 + x[1] "
    "^ -1;",
    "vector[4] y = 2 * x + 1 - x ./ [1, 2, 3, 4]' - x .* x; return sum(y) - y[3];",
    "vector[4] y; for (i in 1:4) y[i] = i * x[5 - i]; y[2] = 7; return dot_product(y, x) + y' * x;",
    "matrix[2, 2] A = [[x[1], x[2]], [x[3], 2]]; vector[2] v = A * x[1:2]; return (A * A)[1, 2] + "
    "v[2]"
    " + (x[3:4]' * A) * v + (A' - A)[1, 2];",
    "matrix[2, 2] A; A[1] = x[1:2]'; A[, 2] = x[3:4]; A[2, 1] = 5; return sum(A .* A) + A[1, 2] * "
    "A[2, 1];",
    "array[4] int i = {4, 1, 1, 2}; vector[4] y = x[i]; y[i[1]] += x[2]; y[2:3] = y[3:4] * 2; "
    "return sum(y .* x);",
    "matrix[3, 4] B = [[1, 2, 3, 4], [0, 1, 0, -1], [2, 2, 2, 1]]; return sum(B * x) + sum((B * x) "
    ".* (B * x))"
    " + (x' * B')[2];",
    "real s = 0; for (e in x) s += e * e; array[2] vector[2] a; a[1] = x[1:2]; a[2] = x[3:4];"
    " for (e in a) s += e[1] * e[2]; return s;",
    "return x[1] > 0 ? x[2] * x[1] : x[3] + (x[2] < x[3] && x[4] > 0 ? 1 : x[4]);",
    "real s = x[1]; vector[4] y = x; if (x[2] > x[3]) { s = x[2] * 2; y[1] = 3; } else if (x[1] > "
    "0) s += 1;"
    " else { y = 2 * x; } return s * sum(y);",
    "real s = -x[1] - (-x[2]); int b = !(x[1] > 0); return s + b * x[3] + (x[4] == x[4]) + (x[1] "
    "!= x[2])"
    " + (x[1] >= x[2] || x[3] <= x[4]);",
    "if (x[1] > 0) { if (x[2] > 0) return x[3]; } else return 3 * x[4]; real s = 0; for (i in 1:4)"
    " { if (x[i] > 0.65) return s; s += x[i]; } return s * s;",
    "if (x[1] < 0) return negative_infinity() > 0 ? 1 : x[2]; else return x[2] * x[3];",
    "if (sum(x) > 100) reject(\"far out\"); return sum(x);",
    "return sum([x[1], 2, x[3]] * [[1, 2], [x[1], 4], [5, x[2]]]);",
};

static double generated(const sl__stan_model *model, const double *q) {
  double out = (double)NAN;
  CHECK_OK(context, sl__stan_model_generate(context, model, q, 1, 0, &out));
  return out;
}

TEST(functions_of_parameters) {
  static const double points[3][4] = {
      {0.7, -0.3, 1.1, 0.6}, {-0.8, 0.9, 0.4, -1.3}, {0.2, 1.5, -0.7, 0.9}};
  for (size_t i = 0; i < sizeof functions_of_x / sizeof *functions_of_x; i++) {
    char text[1024];
    snprintf(text, sizeof text,
             "functions { real f(vector x) { %s } } parameters { vector[4] x; } model { target += "
             "f(x); }"
             " generated quantities { real r = f(x); }",
             functions_of_x[i]);
    sl__stan_model *model = make_model(text, NULL);
    if (!model) continue;
    for (int p = 0; p < 3; p++) {
      double value, gradient[4], q[4];
      if (!CHECK_OK(context, density_at(model, points[p], true, &value, gradient))) break;
      CHECK_CLOSE(value, generated(model, points[p]), 1e-13);
      for (int k = 0; k < 4; k++) {
        const double h = 1e-5;
        memcpy(q, points[p], sizeof q);
        q[k] += h;
        const double up = generated(model, q);
        q[k] -= 2 * h;
        if (!CHECK_CLOSE(gradient[k], (up - generated(model, q)) / (2 * h), 1e-7))
          printf("  function %zu, point %d, x[%d]\n", i, p, k + 1);
      }
    }
    sl__stan_model_free(context, model);
  }
}

/* ---- the density ---- */

TEST(target) {
  sl__stan_model *model = make_model(
      "functions { void add_lp(real x) { target += 10 * x; } }"
      "data { int N; vector[N] y; } transformed data { real total = sum(y); }"
      "parameters { real a; vector<lower=0>[2] s; }"
      "transformed parameters { real<lower=-100> b = a * 2; jacobian += 0.5; }"
      "model { target += b; target += [1, 2]'; target += s; for (n in 1:N) target += -y[n] * a;"
      " add_lp(a); profile(\"p\") { target += total; } if (target() < -1e9) reject(\"never\"); }",
      "{\"N\": 3, \"y\": [1, 2, 4]}");
  REQUIRE(model);
  const double q[3] = {0.3, -1, 0.5};
  double value, gradient[3];
  const double expected = 2 * 0.3 + 3 + exp(-1) + exp(0.5) - 7 * 0.3 + 10 * 0.3 + 7;
  if (CHECK_OK(context, density_at(model, q, false, &value, gradient))) {
    CHECK_CLOSE(value, expected, 1e-14);
    CHECK_CLOSE(gradient[0], 2 - 7 + 10, 1e-14);
    CHECK_CLOSE(gradient[1], exp(-1), 1e-14);
  }
  if (CHECK_OK(context, density_at(model, q, true, &value, gradient))) {
    CHECK_CLOSE(value, expected - 0.5 + 0.5, 1e-14);
    CHECK_CLOSE(gradient[1], exp(-1) + 1, 1e-14);
  }
  sl__stan_model_free(context, model);
}

TEST(rejection) {
  sl__stan_model *model = make_model(
      "parameters { vector[2] x; } transformed parameters { real<lower=0> r = x[1] + 1; }"
      "model { if (x[2] > 3) reject(\"x[2] is \", x[2]); target += -dot_self(x); }",
      NULL);
  REQUIRE(model);
  const double inside[2] = {0.5, 1}, low[2] = {-1.5, 1}, high[2] = {0.5, 3.5};
  double value;
  REQUIRE_OK(context, density_at(model, inside, true, &value, NULL));
  CHECK_CLOSE(value, -1.25, 1e-15);
  REQUIRE_OK(context, density_at(model, low, true, &value, NULL));
  CHECK(value == -(double)INFINITY);
  REQUIRE_OK(context, density_at(model, high, true, &value, NULL));
  CHECK(value == -(double)INFINITY);
  sl__stan_model_free(context, model);
}

/* What stands behind a return in a branch counts only where it was not reached. */
TEST(returns_in_branches) {
  sl__stan_model *model =
      make_model("functions { void f_lp(real x) { if (x > 0) { target += 1; return; } target += x;"
                 " if (x < -2) reject(\"too low\"); } }"
                 "parameters { real x; } model { f_lp(x); target += 10; }",
                 NULL);
  REQUIRE(model);
  static const double points[3][2] = {{0.5, 11}, {-0.5, 9.5}, {-3, -(double)INFINITY}};
  for (int i = 0; i < 3; i++) {
    double value, gradient;
    REQUIRE_OK(context, density_at(model, points[i], true, &value, &gradient));
    CHECK_CLOSE(value, points[i][1], 1e-15);
    if (i < 2) CHECK_CLOSE(gradient, i, 0);
  }
  sl__stan_model_free(context, model);
}

/* ---- names, order, generated quantities ---- */

TEST(names_and_order) {
  sl__stan_model *model =
      make_model("parameters { matrix[2, 2] A; array[2] vector[2] v; simplex[3] p; real t; }"
                 "transformed parameters { array[2] real u = {t, 2 * t}; }"
                 "generated quantities { int n = 3; matrix[2, 1] M = A[, 2:2]; }",
                 NULL);
  REQUIRE(model);
  static const char *const free_names[] = {"A.1.1", "A.2.1", "A.1.2", "A.2.2", "v.1.1", "v.1.2",
                                           "v.2.1", "v.2.2", "p.1",   "p.2",   "t"};
  static const char *const names[] = {"A.1.1", "A.2.1", "A.1.2", "A.2.2", "v.1.1", "v.2.1",
                                      "v.1.2", "v.2.2", "p.1",   "p.2",   "p.3",   "t"};
  CHECK_INTEGER(sl__stan_model_dim(model), 11);
  CHECK_INTEGER(sl__stan_model_count(model, SL__STAN_PART_PARAMETERS), 12);
  for (int i = 0; i < 11; i++)
    CHECK_TEXT(sl__stan_model_unconstrained_name(model, i), free_names[i]);
  for (int i = 0; i < 12; i++)
    CHECK_TEXT(sl__stan_model_name(model, SL__STAN_PART_PARAMETERS, i), names[i]);
  CHECK_TEXT(sl__stan_model_name(model, SL__STAN_PART_TRANSFORMED, 1), "u.2");
  CHECK_TEXT(sl__stan_model_name(model, SL__STAN_PART_GENERATED, 2), "M.2.1");
  double q[11], constrained[24], back[22], generated_values[3]; /* two rows */
  int64_t row;
  for (int i = 0; i < 11; i++) q[i] = 0.1 * (i + 1);
  REQUIRE_OK(context, constrain_at(model, q, constrained));
  CHECK_CLOSE(constrained[1], 0.2, 1e-15); /* A[2,1] */
  CHECK_CLOSE(constrained[5], 0.7, 1e-15); /* v[2,1] */
  memcpy(constrained + 12, constrained, 12 * sizeof *constrained);
  REQUIRE_OK(context, sl__stan_model_unconstrain(context, model, 2, constrained, back, &row));
  for (int i = 0; i < 22; i++) CHECK_CLOSE(back[i], q[i % 11], 1e-13);
  REQUIRE_OK(context, sl__stan_model_generate(context, model, q, 1, 0, generated_values));
  CHECK_CLOSE(generated_values[0], 3, 0);
  CHECK_CLOSE(generated_values[1], 0.3, 1e-15);
  CHECK_CLOSE(generated_values[2], 0.4, 1e-15);
  constrained[12 + 8] += 0.5;
  CHECK_INTEGER(sl__stan_model_unconstrain(context, model, 2, constrained, back, &row),
                SL_BAD_ARGUMENT);
  CHECK_INTEGER(row, 1);
  check_error("'p'");
  sl__stan_model_free(context, model);
}

/* ---- errors ---- */

typedef struct bad_case {
  const char *text, *message;
} bad_case;

static const bad_case bad_cases[] = {
    {"transformed data { real d = log_determinant(identity_matrix(2000)); }",
     "test.stan:1:29: 'log_determinant' takes about"},
    {"transformed data { real s = 0; while (1) s += inv_inc_beta(1e12, 1e12, 0.3); }",
     "has taken more than"},
    {"transformed data { int n = hypergeometric_rng(1000000000, 1000000000, 1000000000); }",
     "'hypergeometric_rng' takes about"},
    {"functions { vector f(real t, vector y) { return [y[2], 1e6 * y[2] - y[1]]'; } }"
     "transformed data { array[1] vector[2] y ="
     " ode_rk45_tol(f, [2, 0]', 0, {1e9}, 1e-9, 1e-9, 1000000000); }",
     "ode_rk45_tol"},
    {"transformed data { vector[3] x; real y = x[4]; }",
     "index 4 is out of range: dimension 1 of x has 3 elements"},
    {"transformed data { matrix[3, 2] x; real y = x[1, 0]; }", "dimension 2 of x has 2 elements"},
    {"transformed data { vector[3] x; x[2:5] = x; }", "index 5 is out of range"},
    {"transformed data { vector[3] x; x = [1, 2]'; }", "takes [3], and the value has [2]"},
    {"transformed data { vector[-1] x; }", "negative"},
    {"transformed data { vector[2] x = [1, 2]' + [1, 2, 3]'; }", "differ: [2] and [3]"},
    {"transformed data { matrix[2, 3] x; matrix[2, 2] y = x * x; }", "inner sizes 3 and 2 differ"},
    {"transformed data { int x = 1; int y = x %/% 0; }", "zero"},
    {"transformed data { int x = 2147483647; x += 1; }", "outside of the integers"},
    {"transformed data { while (1) { } }", "run for ever"},
    {"transformed data { matrix[2000, 2000] x; matrix[2000, 2000] y = x * x; }",
     "'*' takes about 1.2e+08 steps with arguments of this size"},
    {"transformed data { vector[1000000000] x; }", "megabytes"},
    {"transformed data { matrix[100000, 100000] x; }", "2^30"},
    {"functions { int f(int n) { return f(n); } } transformed data { int x = f(1); }",
     "nested too deep"},
    {"transformed data { reject(\"bad: \", 1 + 1); }", "rejects: bad: 2"},
    {"transformed data { simplex[2] x = [0.5, 0.6]'; }", "'x' must be non-negative with sum 1"},
    {"transformed data { real<lower=0> x = -1; }", "'x' is -1, but must be at least 0"},
    {"transformed data { cov_matrix[2] x = [[1, 2], [2, 1]]; }", "positive definite"},
};

/* Loops without end take all steps that a program has, which is long under a sanitizer: there one
 * of the two that end so will do. */
TEST(errors) {
  for (size_t i = 0; i < sizeof bad_cases / sizeof *bad_cases; i++) {
    if (UNDER_SANITIZER && strcmp(bad_cases[i].message, "run for ever") == 0) continue;
    sl__stan_model *model = try_model(bad_cases[i].text, NULL);
    if (!CHECK(model == NULL)) printf("  %s\n", bad_cases[i].text);
    sl__stan_model_free(context, model);
    check_error(bad_cases[i].message);
  }
}

/* In generated quantities sizes that do not match are the program's fault, values that are not
 * allowed the draw's. */
TEST(errors_in_generated_quantities) {
  static const struct {
    const char *text;
    sl_status status;
  } cases[] = {
      {"real z = normal_lpdf([1, 2]' | [1, 2, 3]', 1);", SL_BAD_ARGUMENT},
      {"real z = log_determinant(rep_matrix(x, 2, 3));", SL_BAD_ARGUMENT},
      {"real z = normal_lpdf(1 | 0, x);", SL_NUMERIC},
      {"real z = sum(cholesky_decompose(rep_matrix(x, 2, 2)));", SL_NUMERIC},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[256];
    snprintf(text, sizeof text, "parameters { real x; } generated quantities { %s }",
             cases[i].text);
    sl__stan_model *model = make_model(text, NULL);
    const double q[1] = {-1};
    double z;
    if (!model) continue;
    CHECK_INTEGER(sl__stan_model_generate(context, model, q, 1, 0, &z), cases[i].status);
    check_error("test.stan:1:");
    sl__stan_model_free(context, model);
  }
}

static const bad_case bad_densities[] = {
    {"parameters { real x; } model { while (x > 0) { } }",
     "test.stan:1:41: a loop's condition that depends"},
    {"parameters { real x; } model { vector[2] v; int i = x > 0; target += v[i]; }",
     "an index that depends on parameters"},
    {"parameters { real x; } model { for (i in 1:3) if (x > i) break; }", "break and continue"},
    {"parameters { vector[2] x; } model { target += x[3]; }", "out of range"},
};

TEST(errors_in_densities) {
  for (size_t i = 0; i < sizeof bad_densities / sizeof *bad_densities; i++) {
    sl__stan_model *model = make_model(bad_densities[i].text, NULL);
    double value, q[2] = {0};
    if (!model) continue;
    CHECK(density_at(model, q, true, &value, NULL) != SL_OK);
    check_error(bad_densities[i].message);
    sl__stan_model_free(context, model);
  }
}

/* ---- speed ---- */

TEST(speed) {
  sl__stan_model *model =
      make_model("data { int N; } parameters { vector[3] x; } model { real s = 0; for (i in 1:N) {"
                 " real z = x[1] + 0.001 * i * x[2]; s += z * z - x[3]; } target += s; }"
                 "generated quantities { real s = 0; for (i in 1:N) { s += 0.5 * i - s * 1e-3; } }",
                 "{\"N\": 100000}");
  REQUIRE(model);
  const double q[3] = {0.1, 0.2, 0.3};
  double out, begin = sl__os_seconds();
  CHECK_OK(context, sl__stan_model_generate(context, model, q, 1, 0, &out));
  printf("400,000 known operations: %.3f s\n", sl__os_seconds() - begin);
  sl__graph *g;
  REQUIRE_OK(context, sl__graph_new(context, &g));
  begin = sl__os_seconds();
  const sl_node point = op_input(g, SL_F64, sl__shape1(3));
  CHECK(sl__stan_model_log_density(model, g, point, false, true) != 0);
  printf("600,000 operations traced: %.3f s\n", sl__os_seconds() - begin);
  sl__graph_free(g);
  sl__stan_model_free(context, model);
}
