/* Exact draws of known numbers, from uniform and normal ones.
 *
 * Marsaglia and Tsang 2000 for gamma; binomial and Poisson counts by splitting at an order
 * statistic (Ahrens and Dieter 1974): one beta or gamma draw leaves a problem of half the size or
 * less, so that the cost grows with its logarithm. */
#include <math.h>

#include "stan/distribution.h"

enum { SMALL_TRIALS = 16, SMALL_RATE = 12 };

double sl__draw_exponential(sl__stan_call *call) {
  return -log(sl__stan_uniform(call));
}

/* shape >= 1 */
static double draw_large_gamma(sl__stan_call *call, double shape) {
  const double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
  for (;;) {
    const double x = sl__stan_normal(call), root = 1 + c * x, v = root * root * root;
    if (v > 0 && log(sl__stan_uniform(call)) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
  }
}

/* A draw of shape + 1 times U^(1 / shape). */
double sl__draw_log_gamma(sl__stan_call *call, double shape) {
  if (shape >= 1) return log(draw_large_gamma(call, shape));
  const double log_power = log(sl__stan_uniform(call)) / shape;
  return log(draw_large_gamma(call, shape + 1)) + log_power;
}

double sl__draw_gamma(sl__stan_call *call, double shape) {
  return shape >= 1 ? draw_large_gamma(call, shape) : exp(sl__draw_log_gamma(call, shape));
}

double sl__draw_beta(sl__stan_call *call, double a, double b) {
  const double log_odds = sl__draw_log_gamma(call, a) - sl__draw_log_gamma(call, b);
  return 1 / (1 + exp(-log_odds));
}

double sl__draw_binomial(sl__stan_call *call, double trials, double probability) {
  double count = 0;
  while (trials > SMALL_TRIALS && probability > 0 && probability < 1) {
    const double middle = 1 + floor(trials / 2);
    const double order = sl__draw_beta(call, middle, trials + 1 - middle);
    if (order <= probability) {
      count += middle;
      trials -= middle;
      probability = order < 1 ? (probability - order) / (1 - order) : 0;
    } else {
      trials = middle - 1;
      probability /= order;
    }
  }
  if (probability >= 1) return count + trials;
  for (; trials > 0 && probability > 0; trials--) count += sl__stan_uniform(call) < probability;
  return count;
}

double sl__draw_poisson(sl__stan_call *call, double rate) {
  double count = 0;
  while (rate > SMALL_RATE && rate < 1e15) {
    const double middle = floor(rate * 0.875), time = sl__draw_gamma(call, middle);
    if (time > rate) return count + sl__draw_binomial(call, middle - 1, rate / time);
    count += middle;
    rate -= time;
  }
  if (rate >= 1e15) return rate; /* too large for an integer, as the caller will find */
  for (double time = sl__draw_exponential(call); time < rate; time += sl__draw_exponential(call))
    count++;
  return count;
}

int32_t sl__draw_index(sl__stan_call *call, int32_t count, const double *weight) {
  double sum = 0, below = 0;
  int32_t last = 0;
  for (int32_t i = 0; i < count; i++) sum += weight[i];
  const double target = sl__stan_uniform(call) * sum;
  for (int32_t i = 0; i < count; i++) {
    if (weight[i] <= 0) continue;
    last = i;
    below += weight[i];
    if (target < below) break;
  }
  return last;
}
