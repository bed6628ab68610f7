/* Values of cases that the graph makes otherwise than they were written, against the formulas in
 * plain C: t_graph's differences would not see a value that is consistently wrong. */
#include "check.h"
#include "graph_cases.h"

enum { ROWS = 37 };

static int linear_plus(const double *x, const double *p, double *y) {
  double h[3], square[2];
  for (int j = 0; j < 3; j++) h[j] = tanh(x[1 + 2 * j]);
  for (int i = 0; i < 2; i++) {
    double sum = x[3 * i];
    for (int j = 0; j < 3; j++) sum += p[3 * i + j] * h[j];
    square[i] = sum * sum;
  }
  for (int i = 0; i < 3; i++) y[i] = p[6 + 2 * i] * square[0] + p[7 + 2 * i] * square[1] + h[i];
  return 3;
}

static int reshape_view(const double *x, const double *p, double *y) {
  for (int i = 0; i < 6; i++) y[i] = (x[i / 2] + x[3 + i / 2]) * p[i] * sin(p[6 + i / 2]);
  return 6;
}

static int scaled_product(const double *x, const double *p, double *y) {
  for (int i = 0; i < 6; i++) y[i] = -1.5 * x[i] * p[i] * sin(x[i]);
  return 6;
}

static int scattered(const double *x, const double *p, double *y) {
  for (int i = 0; i < 6; i++) y[i] = sin(p[1 + 3 * i]) * p[1 + 3 * i] * p[1 + 3 * i] * x[i];
  return 6;
}

static int sum_log(const double *x, const double *p, double *y) {
  double all = 0;
  for (int i = 0; i < 4; i++) y[i] = 0;
  for (int i = 0; i < 12; i++) {
    const double term = i < 6 ? log(x[i] * p[i] * x[i] * p[i] + 0.5) : 20 * x[i - 6];
    y[i / 6 * 2 + i % 2] += term;
    all += term;
  }
  for (int i = 0; i < 4; i++) y[i] *= all;
  return 4;
}

static int sum_of_products(const double *x, const double *p, double *y) {
  double first = 0, second = 0;
  for (int i = 0; i < 6; i++) {
    first += sin(x[i]) * p[i];
    second += p[6 + i] * x[i];
  }
  y[0] = first * second;
  return 1;
}

static const build_case *case_named(const char *name) {
  for (int i = 0; i < CASES; i++) {
    if (strcmp(cases[i].name, name) == 0) return &cases[i];
  }
  return NULL;
}

static void compare(sl_context *context, const char *name,
                    int (*formula)(const double *x, const double *p, double *y), sl_dtype type) {
  static results got; /* large */
  double x[ROWS * FEATURES], p[PARAMETERS], wanted[FEATURES];
  bench_program bench;
  const build_case *of_name = case_named(name);
  REQUIRE(of_name && make(context, of_name, type, &bench));
  fill(x, p, ROWS);
  REQUIRE(run(context, &bench, type, ROWS, x, p, &got));
  for (int64_t row = 0; row < ROWS; row++) {
    REQUIRE(formula(x + row * FEATURES, p, wanted) == bench.count);
    for (int64_t i = 0; i < bench.count; i++) {
      const double error = fabs(got.y[row * bench.count + i] - wanted[i]);
      if (CHECK(error <= (type == SL_F64 ? 1e-14 : 4e-6) * (1 + fabs(wanted[i])))) continue;
      printf("  %s, row %d: off by %.3g\n", name, (int)row, error);
      break;
    }
  }
  sl__program_free(bench.program);
}

TEST(values_are_those_of_the_formulas) {
  sl_context *context = context_of(1);
  for (int t = 0; t < 2; t++) {
    const sl_dtype type = t ? SL_F64 : SL_F32;
#define COMPARE(name) compare(context, #name, name, type)
    COMPARE(linear_plus);
    COMPARE(reshape_view);
    COMPARE(scaled_product);
    COMPARE(scattered);
    COMPARE(sum_log);
    COMPARE(sum_of_products);
#undef COMPARE
  }
  sl_context_free(context);
}
