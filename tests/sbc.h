/* Simulation-based calibration (Talts et al. 2018, arXiv:1804.06788): parameters are drawn from the
 * prior, data from the model given them, and the sampler draws from the posterior. The rank of the
 * true parameter among draws that are nearly independent is uniform if program, gradient, sampler
 * and warm-up are right together, whatever the model.
 *
 * Each model comes as a Stan program and as the C function that simulates it: two descriptions that
 * have nothing in common. Included by a test and by a benchmark. */
#ifndef SL_TESTS_SBC_H
#define SL_TESTS_SBC_H
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "infer/chain/sampler.h"

enum { SBC_DRAWS = 31, SBC_BINS = 8, SBC_MOST = 8 };

/* Random numbers of one replication, taken one after the other. */
typedef struct sbc_chance {
  sl__random_key key;
  uint64_t row;
} sbc_chance;

static inline double sbc_normal(sbc_chance *chance, double mean, double sd) {
  return mean + sd * sl__random_normal(chance->key, chance->row++, 0);
}

/* By inversion: the mean must be small enough for exp(-mean) not to vanish. */
static inline int sbc_poisson(sbc_chance *chance, double mean) {
  double left = sl__random_uniform(chance->key, chance->row++, 0), probability = exp(-mean);
  int count = 0;
  while (left > probability && count < 100000) {
    left -= probability;
    probability *= mean / ++count;
  }
  return count;
}

typedef struct sbc_model {
  const char *name, *program;
  int parameters;
  /* truth [parameters] as the program's first parameters; data: JSON text. */
  void (*simulate)(sbc_chance *chance, double *truth, char *data, size_t size);
} sbc_model;

static void sbc_write_reals(char *data, size_t size, int count, const double *y) {
  size_t used = (size_t)snprintf(data, size, "{\"y\": [");
  for (int i = 0; i < count; i++)
    used += (size_t)snprintf(data + used, size - used, "%s%.17g", i > 0 ? ", " : "", y[i]);
  snprintf(data + used, size - used, "]}");
}

/* ---- a normal sample with unknown mean and sd ---- */

static const char sbc_sample_program[] =
    "data { array[4] real y; }\n"
    "parameters { real mu; real<lower=0> sigma; }\n"
    "model { mu ~ normal(0, 1); sigma ~ lognormal(0, 0.5); y ~ normal(mu, sigma); }\n";

static void sbc_simulate_sample(sbc_chance *chance, double *truth, char *data, size_t size) {
  double y[4];
  truth[0] = sbc_normal(chance, 0, 1);
  truth[1] = exp(sbc_normal(chance, 0, 0.5));
  for (int i = 0; i < 4; i++) y[i] = sbc_normal(chance, truth[0], truth[1]);
  sbc_write_reals(data, size, 4, y);
}

/* ---- counts whose log mean is a line, short enough for the prior to count ---- */

static const char sbc_counts_program[] =
    "data { array[6] int y; }\n"
    "transformed data { vector[6] x = [-0.5, -0.3, -0.1, 0.1, 0.3, 0.5]'; }\n"
    "parameters { real a; real b; }\n"
    "model { a ~ normal(0, 1); b ~ normal(0, 0.5); y ~ poisson_log(a + b * x); }\n";

static void sbc_simulate_counts(sbc_chance *chance, double *truth, char *data, size_t size) {
  double y[6];
  truth[0] = sbc_normal(chance, 0, 1);
  truth[1] = sbc_normal(chance, 0, 0.5);
  for (int i = 0; i < 6; i++)
    y[i] = sbc_poisson(chance, exp(truth[0] + truth[1] * (-0.5 + 0.2 * i)));
  sbc_write_reals(data, size, 6, y);
}

/* ---- groups, not centred ---- */

static const char sbc_groups_program[] =
    "data { vector[5] y; }\n"
    "parameters { real mu; real<lower=0> tau; vector[5] z; }\n"
    "model {\n"
    "  mu ~ normal(0, 1); tau ~ lognormal(0, 0.5); z ~ std_normal();\n"
    "  y ~ normal(mu + tau * z, 1);\n"
    "}\n";

static void sbc_simulate_groups(sbc_chance *chance, double *truth, char *data, size_t size) {
  double y[5];
  truth[0] = sbc_normal(chance, 0, 1);
  truth[1] = exp(sbc_normal(chance, 0, 0.5));
  for (int i = 0; i < 5; i++) {
    truth[2 + i] = sbc_normal(chance, 0, 1);
    y[i] = sbc_normal(chance, truth[0] + truth[1] * truth[2 + i], 1);
  }
  sbc_write_reals(data, size, 5, y);
}

static const sbc_model sbc_models[] = {
    {"sample", sbc_sample_program, 2, sbc_simulate_sample},
    {"counts", sbc_counts_program, 2, sbc_simulate_counts},
    {"groups", sbc_groups_program, 7, sbc_simulate_groups},
};
enum { SBC_MODELS = sizeof sbc_models / sizeof *sbc_models };

/* ---- ranks ---- */

typedef struct sbc_ranks {
  int counts[SBC_MOST][SBC_BINS]; /* of each parameter's ranks */
} sbc_ranks;

typedef struct sbc_replication {
  sl_context *context;
  const sl__target *target;
  const double *truth;
  int below[SBC_MOST]; /* draws below the truth */
} sbc_replication;

static sl_status sbc_take(void *user, const sl__sampler_draw *draw) {
  sbc_replication *r = user;
  double values[SBC_MOST];
  SL__TRY(sl__target_write(r->context, r->target, SL__TARGET_PARAMETERS, 1, draw->q, 0, 0, values));
  for (int p = 0; p < r->target->dim; p++) r->below[p] += values[p] < r->truth[p];
  return SL_OK;
}

/* One replication of the model, with the posterior of `program`, which may be a wrong one. */
static sl_status sbc_replicate(sl_context *context, const sbc_model *model, const char *program,
                               uint64_t number, int warmup, int thin, sbc_ranks *ranks) {
  char data[512];
  double truth[SBC_MOST];
  sbc_chance chance = {{number, SL__STREAM_TEST, 0}, 0};
  model->simulate(&chance, truth, data, sizeof data);
  sl__target *target;
  SL__TRY(sl__target_stan(context, model->name, program, strlen(program), "data", data,
                          strlen(data), 1, &target));
  sbc_replication r = {.context = context, .target = target, .truth = truth};
  sl__sampler_options options;
  sl__sampler_defaults(&options);
  options.chains = 1;
  options.warmup = warmup;
  options.draws = SBC_DRAWS * thin;
  options.thin = thin;
  options.seed = number;
  const sl__sampler_listener listener = {.draw = sbc_take, .user = &r};
  sl__sampler_report report;
  const sl_status status = sl__sampler_run(context, target, &options, NULL, &listener, &report);
  sl__target_free(target);
  for (int p = 0; p < model->parameters && status == SL_OK; p++)
    ranks->counts[p][r.below[p] * SBC_BINS / (SBC_DRAWS + 1)]++;
  return status;
}

/* With SBC_BINS - 1 degrees of freedom. */
static double sbc_chi_square(const int counts[SBC_BINS]) {
  double sum = 0, total = 0;
  for (int b = 0; b < SBC_BINS; b++) total += counts[b];
  const double expected = total / SBC_BINS;
  for (int b = 0; b < SBC_BINS; b++)
    sum += (counts[b] - expected) * (counts[b] - expected) / expected;
  return sum;
}

/* The mean of a function of the rank's bin, less that of uniform ranks, in standard deviations. A
 * posterior that is shifted, too wide or too narrow, the likeliest faults, shows here long before
 * chi square sees it. */
static double sbc_score(const int counts[SBC_BINS], double power) {
  double mean = 0, square = 0, total = 0, sum = 0;
  for (int b = 0; b < SBC_BINS; b++) {
    const double value = pow(b - 0.5 * (SBC_BINS - 1), power);
    mean += value / SBC_BINS;
    square += value * value / SBC_BINS;
    total += counts[b];
    sum += counts[b] * value;
  }
  return (sum - total * mean) / sqrt(total * (square - mean * mean));
}

/* Above 0: draws lie too low. */
static inline double sbc_shift(const int counts[SBC_BINS]) {
  return sbc_score(counts, 1);
}

/* Above 0: draws lie too close together. */
static inline double sbc_spread(const int counts[SBC_BINS]) {
  return sbc_score(counts, 2);
}
#endif
