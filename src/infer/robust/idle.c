/* Chains that stayed where next to no mass is, as a start far away may leave them beneath a low
 * summit for good. Of a chain's place the mass is, but for a constant, exp(mean log p + entropy), and
 * the entropy about that of a normal density with its covariance. Where chains disagree and a place
 * has less than a twenty thousandth of another's, its chains tell nothing of the target, and go. In
 * many dimensions they do not: of modes that are each as rare there may be so many that they matter
 * together. */
#include <math.h>
#include <string.h>
#include "infer/robust/explore.h"

enum { MOST_DIM = 12, LEAST_CHAINS = 2 /* that must be left */ };
static const double negligible = 10; /* nats */

/* Of draws x [rows][dim]: sum of log sd, and correlations into factor [dim][dim]. */
static double measure(int64_t rows, int32_t dim, const double *x, double *factor) {
  double mean[MOST_DIM] = {0}, sd[MOST_DIM] = {0}, sum = 0;
  const double n = (double)rows;
  for (int64_t r = 0; r < rows; r++)
    for (int32_t i = 0; i < dim; i++) mean[i] += x[r * dim + i] / n;
  for (int64_t r = 0; r < rows; r++)
    for (int32_t i = 0; i < dim; i++)
      sd[i] += (x[r * dim + i] - mean[i]) * (x[r * dim + i] - mean[i]) / n;
  for (int32_t i = 0; i < dim; i++) sum += log(sd[i] = sqrt(sd[i]));
  memset(factor, 0, (size_t)(dim * dim) * sizeof *factor);
  for (int64_t r = 0; r < rows; r++)
    for (int32_t i = 0; i < dim; i++)
      for (int32_t j = 0; j <= i; j++)
        factor[i * dim + j] +=
            (x[r * dim + i] - mean[i]) / sd[i] * (x[r * dim + j] - mean[j]) / sd[j] / n;
  return sum;
}

/* NaN: not known, as of a chain that stands still. */
static double log_mass(const sl__exploration *e, int64_t chain) {
  const int64_t rows = e->chains.rows / e->chain_count;
  double factor[MOST_DIM * MOST_DIM];
  double sum = measure(rows, e->dim, e->chains.x + chain * rows * e->dim, factor);
  if (!isfinite(sum) || !sl__exploration_factorise(e->dim, factor)) return (double)NAN;
  for (int32_t i = 0; i < e->dim; i++) sum += log(factor[i * e->dim + i]);
  return e->stays[chain].log_density + sum;
}

static void take_out(sl__exploration *e, int64_t chain) {
  const int64_t rows = e->chains.rows / e->chain_count, after = e->chain_count - chain - 1;
  double *x = e->chains.x + chain * rows * e->dim;
  memmove(x, x + rows * e->dim, (size_t)(after * rows * e->dim) * sizeof *x);
  e->divergences -= e->stays[chain].divergences;
  memmove(e->stays + chain, e->stays + chain + 1, (size_t)after * sizeof *e->stays);
  e->chain_count--;
  e->chains.rows -= rows;
}

int sl__exploration_drop_idle(sl__exploration *e) {
  double log_masses[SL__MOST_CHAINS], most = -INFINITY;
  int64_t idle = 0;
  if (e->dim > MOST_DIM || e->chains_agree) return 0;
  for (int64_t c = 0; c < e->chain_count; c++) {
    log_masses[c] = log_mass(e, c);
    if (log_masses[c] > most) most = log_masses[c];
  }
  for (int64_t c = 0; c < e->chain_count; c++) idle += log_masses[c] < most - negligible;
  if (e->chain_count - idle < LEAST_CHAINS) return 0;
  for (int64_t c = e->chain_count - 1; c >= 0; c--)
    if (log_masses[c] < most - negligible) take_out(e, c);
  return (int)idle;
}
