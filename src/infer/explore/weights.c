/* The weights of a population: how far the next power may be, who goes on to it, and what is lost. */
#include <math.h>
#include <string.h>
#include "infer/explore/population.h"

double sl__population_log_mean(int64_t n, const double *x) {
  double most = -(double)INFINITY, sum = 0;
  for (int64_t r = 0; r < n; r++) most = fmax(most, x[r]);
  if (!isfinite(most)) return most;
  for (int64_t r = 0; r < n; r++) sum += exp(x[r] - most);
  return most + log(sum / (double)n);
}

/* Effective share of the population under weights exp(step * log_weight). */
double sl__population_effective_share(int64_t n, const double *log_weight, double step) {
  double most = -(double)INFINITY, sum = 0, squares = 0;
  for (int64_t r = 0; r < n; r++) most = fmax(most, log_weight[r]);
  if (!isfinite(most)) return 0;
  for (int64_t r = 0; r < n; r++) {
    const double w = exp(step * (log_weight[r] - most));
    sum += w;
    squares += w * w;
  }
  return sum * sum / squares / (double)n;
}

/* The largest step whose weights keep the share. */
double sl__population_choose_step(const sl__population *p) {
  double low = 0, high = 1 - p->power;
  if (sl__population_effective_share(p->rows, p->log_weight, high) >= p->options->share)
    return high;
  for (int i = 0; i < 50; i++) {
    const double middle = 0.5 * (low + high);
    if (sl__population_effective_share(p->rows, p->log_weight, middle) >= p->options->share)
      low = middle;
    else
      high = middle;
  }
  /* Where some rows have no density at all, no step keeps the share: those rows go. */
  return low > 0 ? low : fmin(1e-6, 1 - p->power);
}

/* Systematic resampling by p->log_weight, which are weights now. */
void sl__population_resample(sl__population *p) {
  double most = -(double)INFINITY, sum = 0;
  for (int64_t r = 0; r < p->rows; r++) most = fmax(most, p->log_weight[r]);
  for (int64_t r = 0; r < p->rows; r++) sum += exp(p->log_weight[r] - most);
  const double step = sum / (double)p->rows;
  double reached = 0, wanted = step * sl__random_uniform(sl__population_key(p), 0, 0);
  int64_t from = -1;
  for (int64_t r = 0; r < p->rows; r++, wanted += step) {
    while (reached <= wanted && from + 1 < p->rows) reached += exp(p->log_weight[++from] - most);
    p->chosen[r] = from;
  }
  for (int64_t r = 0; r < p->rows; r++) sl__population_copy(p, &p->now, p->chosen[r], &p->next, r);
  const sl__particles were = p->now;
  p->now = p->next;
  p->next = were;
  for (int64_t r = 0; r < p->rows; r++) p->chosen[r] = p->ancestor[p->chosen[r]];
  memcpy(p->ancestor, p->chosen, (size_t)p->rows * sizeof *p->ancestor);
}

/* The variance of the log evidence by the shares of those drawn first in the population (Lee and
 * Whiteley 2018, doi:10.1093/biomet/asy028): unlike the weights' own it sees when few particles
 * have carried the mass and the moves have not made up for it. counts [rows] is overwritten. */
double sl__population_ancestral_variance(const sl__population *p, double *counts) {
  const double n = (double)p->rows;
  double sum = 0;
  memset(counts, 0, (size_t)p->rows * sizeof *counts);
  for (int64_t r = 0; r < p->rows; r++) counts[p->ancestor[r]]++;
  for (int64_t r = 0; r < p->rows; r++) sum += counts[r] * counts[r] / n / n;
  return fmax(0, sum - 1 / n);
}
