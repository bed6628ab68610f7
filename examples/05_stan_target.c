/* 05: a Stan program as a log density: many points in one call, with gradients.
 *
 *   05_stan_target
 *
 * The program and its data stand here as texts; sl_target_load_stan reads them from files. */
#include <math.h>
#include <stdio.h>

#include "sluice/sluice.h"

static const char program[] = "data {\n"
                              "  int<lower=1> plots;\n"
                              "  vector[plots] rain;\n"
                              "  vector<lower=0>[plots] harvest;\n"
                              "}\n"
                              "parameters {\n"
                              "  real base;\n"
                              "  real slope;\n"
                              "  real<lower=0> spread;\n"
                              "}\n"
                              "model {\n"
                              "  base ~ normal(0, 10);\n"
                              "  slope ~ normal(0, 10);\n"
                              "  spread ~ exponential(1);\n"
                              "  harvest ~ normal(base + slope * rain, spread);\n"
                              "}\n"
                              "generated quantities {\n"
                              "  real next_harvest = normal_rng(base + slope * 3, spread);\n"
                              "}\n";

static const char data[] =
    "{\"plots\": 5, \"rain\": [0.5, 1, 1.5, 2, 2.5], \"harvest\": [2.1, 2.9, 4.2, 4.8, 6.1]}";

static int fail(const char *doing, const sl_context *context) {
  fprintf(stderr, "%s: %s\n", doing, sl_error(context));
  return 1;
}

enum { POINTS = 1000, DIM = 3, NUMBERS = 4 /* three parameters and a generated quantity */ };

/* Climbs from 0 by small steps along the gradient: every row its own way, all rows in one call. */
static sl_status climb(sl_context *context, const sl_target *target, double (*q)[DIM],
                       double *log_density) {
  static double gradient[POINTS][DIM];
  const sl_array_in points = sl_in_f64(*q, POINTS, DIM);
  const sl_array_out values = sl_out_f64(log_density, POINTS, 1);
  const sl_array_out slopes = sl_out_f64(*gradient, POINTS, DIM);
  sl_status status = SL_OK;
  for (int step = 0; step < 100 && status == SL_OK; step++) {
    status = sl_target_log_density(context, target, 0, &points, &values, &slopes);
    for (int r = 0; r < POINTS; r++) {
      double length = 0;
      for (int i = 0; i < DIM; i++) length += gradient[r][i] * gradient[r][i];
      for (int i = 0; i < DIM; i++) q[r][i] += 0.05 * gradient[r][i] / (1 + sqrt(length));
    }
  }
  return status;
}

static int show(sl_context *context, const sl_target *target) {
  static double q[POINTS][DIM], log_density[POINTS], numbers[POINTS][NUMBERS];
  for (int r = 0; r < POINTS; r++)
    for (int i = 0; i < DIM; i++) q[r][i] = sin(7.0 * r + i); /* starts here and there */
  if (climb(context, target, q, log_density) != SL_OK) return fail("climb", context);
  int best = 0;
  for (int r = 0; r < POINTS; r++)
    if (log_density[r] > log_density[best]) best = r;
  const sl_array_in points = sl_in_f64(*q, POINTS, DIM);
  const sl_array_out out = sl_out_f64(*numbers, POINTS, NUMBERS);
  if (sl_target_generate(context, target, 1, 0, &points, &out) != SL_OK)
    return fail("generate", context);
  printf("log density %.4f at\n", log_density[best]);
  int column = 0;
  for (int part = SL_TARGET_PARAMETERS; part <= SL_TARGET_GENERATED; part++)
    for (int i = 0; i < sl_target_count(target, (sl_target_part)part); i++)
      printf("  %-12s %.3f\n", sl_target_part_name(target, (sl_target_part)part, i),
             numbers[best][column++]);
  return 0;
}

int main(void) {
  sl_context *context;
  sl_target *target;
  if (sl_context_new(NULL, &context) != SL_OK) return 1;
  int code = 1;
  if (sl_target_from_stan(context, program, data, 0, &target) != SL_OK)
    fail("program", context);
  else if (sl_target_dim(target) != DIM)
    fprintf(stderr, "%d coordinates\n", sl_target_dim(target));
  else
    code = show(context, target);
  sl_target_free(target);
  sl_context_free(context);
  return code;
}
