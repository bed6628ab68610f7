/* 01: density estimation of a CSV. Rows in, model out; then scores of rows and fresh rows.
 *
 *   01_density [DATA.csv [MODEL.safetensors [STEPS]]]
 *
 * Without arguments it makes 1,000 rows of its own. Only sluice.h is used; reading a CSV is not
 * its business, so a few lines here do that, for plain files with a header row. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/sluice.h"

typedef struct rows {
  int64_t count, columns;
  double *x; /* [count][columns] */
} rows;

static bool read_csv(const char *path, rows *out) {
  char line[65536];
  FILE *file = fopen(path, "r");
  *out = (rows){0};
  if (!file || !fgets(line, sizeof line, file)) return false;
  out->columns = 1;
  for (const char *c = line; *c; c++) out->columns += *c == ',';
  while (fgets(line, sizeof line, file)) {
    double *x = realloc(out->x, (size_t)((out->count + 1) * out->columns) * sizeof *x);
    if (!x) return false;
    out->x = x;
    char *at = line;
    for (int64_t i = 0; i < out->columns; i++, at++)
      x[out->count * out->columns + i] = strtod(at, &at);
    out->count++;
  }
  fclose(file);
  return out->count > 0;
}

/* A noisy parabola: y = x^2 + noise. */
static bool make_rows(rows *out) {
  *out = (rows){1000, 2, malloc(2000 * sizeof(double))};
  if (!out->x) return false;
  unsigned state = 1;
  for (int64_t i = 0; i < out->count; i++) {
    double sum[2] = {0};
    for (int k = 0; k < 24; k++) {
      state = state * 1664525u + 1013904223u;
      sum[k % 2] += (double)state / 4294967296.0 - 0.5; /* twelve uniforms are nearly a normal */
    }
    out->x[2 * i] = sum[0];
    out->x[2 * i + 1] = sum[0] * sum[0] + 0.2 * sum[1];
  }
  return true;
}

static int fail(const char *doing, const sl_context *context) {
  fprintf(stderr, "%s: %s\n", doing, sl_error(context));
  return 1;
}

static int run(sl_context *context, const rows *data, const char *path, int64_t steps) {
  sl_fit_data input = {.size = sizeof input, .x = sl_in_f64(data->x, data->count, data->columns)};
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  if (steps > 0) options.steps = steps;
  sl_fit_report report = {.size = sizeof report};
  sl_flow *flow;
  if (sl_fit(context, &input, &options, &flow, &report) != SL_OK) return fail("fit", context);
  printf("%s\ntest: %.4f +- %.4f nats per row; a Gaussian: %.4f\n%s\n", sl_flow_formula(flow),
         report.test.log_prob, report.test.se, report.gaussian.log_prob, report.verdict);

  /* What is saved is what is loaded. */
  sl_flow *loaded = NULL;
  if (sl_flow_save(context, flow, path) != SL_OK) return fail("save", context);
  if (sl_flow_load(context, path, &loaded) != SL_OK) return fail("load", context);

  double log_prob[5];
  int64_t shown = data->count < 5 ? data->count : 5;
  sl_array_in first = sl_in_f64(data->x, shown, data->columns);
  sl_array_out scores = sl_out_f64(log_prob, shown, 1);
  if (sl_flow_log_prob(context, loaded, &first, NULL, &scores) != SL_OK)
    return fail("score", context);
  for (int64_t i = 0; i < shown; i++) printf("log p(row %d) = %.4f\n", (int)i + 1, log_prob[i]);

  double *fresh = malloc((size_t)(5 * data->columns) * sizeof *fresh);
  if (!fresh) return 1;
  sl_array_out x = sl_out_f64(fresh, 5, data->columns);
  if (sl_flow_sample(context, loaded, 7, NULL, &x, NULL) != SL_OK) return fail("sample", context);
  for (int64_t i = 0; i < 5 * data->columns; i++)
    printf("%.4f%c", fresh[i], (i + 1) % data->columns ? ',' : '\n');

  free(fresh);
  sl_flow_free(loaded);
  sl_flow_free(flow);
  return 0;
}

int main(int count, char **words) {
  rows data;
  if (count > 1 ? !read_csv(words[1], &data) : !make_rows(&data)) {
    fprintf(stderr, "no rows in %s\n", count > 1 ? words[1] : "memory");
    return 2;
  }
  sl_context *context;
  if (sl_context_new(NULL, &context) != SL_OK) return 1;
  const char *path = count > 2 ? words[2] : "01_density.safetensors";
  int code = run(context, &data, path, count > 3 ? strtoll(words[3], NULL, 10) : 0);
  sl_context_free(context);
  free(data.x);
  return code;
}
