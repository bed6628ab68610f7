/* R-hat and effective sample size of halved chains: Vehtari et al. 2021 (arXiv:1903.08008),
 * equations 1-4 and 10-13. The sum over autocorrelations ends where the sum of an even lag and the
 * next odd one stops being positive, and these sums are not let rise (Geyer 1992, section 3.3). */
#include <math.h>

#include "infer/diagnose/series.h"

/* Mean of the halves' variances, and variance of their means. */
static void spread_of_halves(const sl__series_work *work, double *within, double *between) {
  const int64_t length = work->length;
  double grand = 0;
  *within = *between = 0;
  for (int64_t half = 0; half < work->halves; half++)
    for (int64_t i = 0; i < length; i++) grand += work->split[half * length + i];
  grand /= (double)(work->halves * length);
  for (int64_t half = 0; half < work->halves; half++) {
    const double *x = work->split + half * length;
    double mean = 0, squares = 0;
    for (int64_t i = 0; i < length; i++) mean += x[i];
    mean /= (double)length;
    for (int64_t i = 0; i < length; i++) squares += (x[i] - mean) * (x[i] - mean);
    *within += squares / (double)(length - 1);
    *between += (mean - grand) * (mean - grand);
  }
  *within /= (double)work->halves;
  *between /= (double)(work->halves - 1);
}

double sl__split_rhat(const sl__series_work *work) {
  const double length = (double)work->length;
  double within, between;
  spread_of_halves(work, &within, &between);
  return sqrt((length - 1) / length + between / within);
}

/* Turns autocovariances into autocorrelations that use the spread between chains too (equation 10);
 * gives whether there is any spread. */
static bool correlate(sl__series_work *work) {
  const double length = (double)work->length;
  double within, between;
  spread_of_halves(work, &within, &between);
  const double total = within * (length - 1) / length + between;
  if (!(total > 0)) return false;
  sl__split_autocovariance(work);
  for (int64_t lag = 0; lag < work->length; lag++)
    work->correlation[lag] = 1 - (within - work->correlation[lag]) / total;
  work->correlation[0] = 1;
  return true;
}

/* -1 + 2 * the sum over pairs of an even lag and the next odd one, each pair at most the one
 * before, while they are positive; of the pair that ends the sum, its even lag counts once where
 * it is positive. The last lags, products of too few terms, are not asked. */
static double autocorrelation_time(const sl__series_work *work) {
  const double *rho = work->correlation;
  double pair = rho[0] + rho[1], least = pair, sum = 0;
  int64_t lag = 0;
  while (lag < work->length - 4 && pair > 0) {
    least = pair < least ? pair : least;
    sum += least;
    lag += 2;
    pair = rho[lag] + rho[lag + 1];
  }
  return -1 + 2 * sum + (rho[lag] > 0 ? rho[lag] : 0);
}

double sl__split_ess(sl__series_work *work) {
  const double count = (double)(work->halves * work->length);
  if (!correlate(work)) return count;
  /* Draws that swing to and fro are worth more than independent ones, but not without end. */
  const double time = fmax(autocorrelation_time(work), 1 / log10(count));
  return count / time;
}
