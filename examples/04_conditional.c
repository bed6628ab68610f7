/* 04: a conditional density: of y given c, where y is normal with mean sin(3 c) and standard
 * deviation 0.1 + 0.2 c^2. The formula has no network of its own; a network that reads c makes its
 * parameters. Then: draws at a fixed c, log densities, and how they change with c.
 *
 *   04_conditional [FORMULA [STEPS]]
 *
 * The default formula, scale-loc, holds the truth; planar*4 or coupling(rqs)*2 must find it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sluice/sluice.h"

enum { ROWS = 5000, DRAWS = 20000 };

static double true_mean(double c) {
  return sin(3 * c);
}
static double true_sd(double c) {
  return 0.1 + 0.2 * c * c;
}
static double true_log_density(double y, double c) {
  double z = (y - true_mean(c)) / true_sd(c);
  return -0.5 * z * z - log(true_sd(c)) - 0.918938533204672742;
}

/* c uniform in -1 .. 1, and y given c. Twelve uniforms are nearly a normal. */
static void make_rows(double *y, double *c) {
  unsigned state = 1;
  for (int i = 0; i < ROWS; i++) {
    double uniform[13], sum = -6;
    for (int k = 0; k < 13; k++) {
      state = state * 1664525u + 1013904223u;
      uniform[k] = (double)state / 4294967296.0;
    }
    for (int k = 0; k < 12; k++) sum += uniform[k];
    c[i] = 2 * uniform[12] - 1;
    y[i] = true_mean(c[i]) + true_sd(c[i]) * sum;
  }
}

/* Every row of an array is this one number: its row stride is 0. */
static sl_array_in the_same(const double *c, int64_t rows) {
  sl_array_in all = sl_in_f64(c, rows, 1);
  all.row_stride = 0;
  return all;
}

/* Mean and standard deviation of draws at one c. */
static sl_status describe(sl_context *context, const sl_flow *flow, double c) {
  static double y[DRAWS];
  sl_array_in condition = the_same(&c, DRAWS);
  sl_array_out out = sl_out_f64(y, DRAWS, 1);
  sl_status status = sl_flow_sample(context, flow, 7, &condition, &out, NULL);
  if (status != SL_OK) return status;
  double mean = 0, squares = 0;
  for (int i = 0; i < DRAWS; i++) mean += y[i] / DRAWS;
  for (int i = 0; i < DRAWS; i++) squares += (y[i] - mean) * (y[i] - mean);
  printf("given c = %4.1f  mean %7.4f (true %7.4f)  sd %.4f (true %.4f)\n", c, mean, true_mean(c),
         sqrt(squares / DRAWS), true_sd(c));
  return SL_OK;
}

/* log p(y | c) one standard deviation above the mean, and its exact derivative by c. */
static sl_status differentiate(sl_context *context, const sl_flow *flow, double c) {
  double y = true_mean(c) + true_sd(c), log_prob, by_c, step = 1e-5;
  sl_array_in at = sl_in_f64(&y, 1, 1), condition = sl_in_f64(&c, 1, 1);
  sl_array_out out = sl_out_f64(&log_prob, 1, 1), slope = sl_out_f64(&by_c, 1, 1);
  sl_status status = sl_flow_gradient(context, flow, &at, &condition, &out, NULL, &slope, NULL);
  if (status != SL_OK) return status;
  double truth = true_log_density(y, c + step) - true_log_density(y, c - step);
  printf("log p(%7.4f | %4.1f) = %7.4f (true %7.4f), by c %7.3f (true %7.3f)\n", y, c, log_prob,
         true_log_density(y, c), by_c, truth / (2 * step));
  return SL_OK;
}

static sl_status run(sl_context *context, const char *formula, int64_t steps) {
  static double y[ROWS], c[ROWS];
  make_rows(y, c);
  const char *y_name[] = {"y"}, *c_name[] = {"c"};
  sl_fit_data data = {.size = sizeof data,
                      .x = sl_in_f64(y, ROWS, 1),
                      .condition = sl_in_f64(c, ROWS, 1),
                      .column_names = y_name,
                      .condition_names = c_name};
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  options.formula = formula;
  options.steps = steps;
  options.batch = 256;
  options.rate = 5e-3;
  sl_fit_report report = {.size = sizeof report};
  sl_flow *flow = NULL;
  sl_status status = sl_fit(context, &data, &options, &flow, &report);
  if (status == SL_OK)
    printf("%s\ntest: %.4f +- %.4f nats per row\n", sl_flow_formula(flow), report.test.log_prob,
           report.test.se);
  for (double at = -0.9; at < 1 && status == SL_OK; at += 0.6) {
    status = describe(context, flow, at);
    if (status == SL_OK) status = differentiate(context, flow, at);
  }
  sl_flow_free(flow);
  return status;
}

int main(int count, char **words) {
  sl_context *context;
  if (sl_context_new(NULL, &context) != SL_OK) return 1;
  sl_status status = run(context, count > 1 ? words[1] : "scale-loc",
                         count > 2 ? strtoll(words[2], NULL, 10) : 2000);
  if (status != SL_OK) fprintf(stderr, "%s: %s\n", sl_status_text(status), sl_error(context));
  sl_context_free(context);
  return status == SL_OK ? 0 : 1;
}
