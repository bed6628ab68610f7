/* Fit of a generalised Pareto distribution, density (1 / s) (1 + k x / s)^(-1/k - 1), by the
 * quasi-Bayesian estimate of Zhang and Stephens 2009, "A new and efficient estimation method for
 * the generalized Pareto distribution", Technometrics 51: the posterior mean of theta = -k / s
 * under a prior set by the data, on a grid. Their k has the other sign. Vehtari et al. 2024 (JMLR
 * 25:72, appendix G) draw k towards 1/2 as ten more observations would, which steadies it in short
 * tails. */
#include <math.h>

#include "infer/diagnose/diagnose.h"

/* The mean of log(1 - theta x): minus the shape that is most likely with this theta. */
static double mean_log(int64_t count, const double *x, double theta) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += log1p(-theta * x[i]);
  return sum / (double)count;
}

void sl__pareto_fit(int64_t count, const double *x, double *work, double *shape, double *scale) {
  const double n = (double)count;
  const int64_t points = 30 + (int64_t)sqrt(n);
  const double quartile = x[(int64_t)(n / 4 + 0.5) - 1], largest = x[count - 1];
  double *theta = work, *log_likelihood = work + points, best = -INFINITY;
  for (int64_t j = 0; j < points; j++) {
    theta[j] = 1 / largest + (1 - sqrt((double)points / ((double)j + 0.5))) / (3 * quartile);
    const double k = mean_log(count, x, theta[j]);
    log_likelihood[j] = n * (log(-theta[j] / k) - k - 1);
    best = fmax(best, log_likelihood[j]);
  }
  double sum = 0, weighted = 0;
  for (int64_t j = 0; j < points; j++) {
    const double weight = exp(log_likelihood[j] - best);
    if (!(weight > 0)) continue; /* theta of just 0 has no likelihood */
    sum += weight;
    weighted += weight * theta[j];
  }
  const double mean_theta = weighted / sum, k = mean_log(count, x, mean_theta);
  *scale = -k / mean_theta;
  *shape = (n * k + 10 * 0.5) / (n + 10);
}
