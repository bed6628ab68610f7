/* The diagnostics of a series: rank-normalised split R-hat, bulk and tail effective sample size,
 * Monte Carlo errors. Vehtari, Gelman, Simpson, Carpenter and Buerkner 2021 (arXiv:1903.08008),
 * sections 4.1 to 4.4; checked against ArviZ 0.23. */
#include <math.h>

#include "infer/diagnose/series.h"
#include "kernels/special.h"

/* The larger of R-hat of the normal scores, which sees chains in different places, and R-hat of
 * their distances from the median, which sees chains of different width. */
double sl__loaded_rhat(sl__series_work *work) {
  sl__split_values(work);
  sl__split_normal_scores(work);
  const double bulk = sl__split_rhat(work);
  sl__split_folded(work, sl__series_quantile(work, 0.5));
  sl__split_normal_scores(work);
  const double tail = sl__split_rhat(work);
  return bulk > tail || isnan(tail) ? bulk : tail;
}

double sl__loaded_ess_bulk(sl__series_work *work) {
  sl__split_values(work);
  sl__split_normal_scores(work);
  return sl__split_ess(work);
}

double sl__loaded_ess_mean(sl__series_work *work) {
  sl__split_values(work);
  return sl__split_ess(work);
}

double sl__loaded_ess_quantile(sl__series_work *work, double probability) {
  sl__split_below(work, sl__series_quantile(work, probability));
  return sl__split_ess(work);
}

double sl__loaded_ess_tail(sl__series_work *work) {
  const double low = sl__loaded_ess_quantile(work, 0.05);
  const double high = sl__loaded_ess_quantile(work, 0.95);
  return low < high ? low : high;
}

/* By the delta method from the error of the variance, which is a mean of squares (Kenney and
 * Keeping 1951, section 7.8). */
double sl__loaded_mcse_sd(sl__series_work *work) {
  const double mean = sl__series_mean(work);
  double second = 0, fourth = 0;
  for (int64_t i = 0; i < work->count; i++) {
    const double square = (work->values[i] - mean) * (work->values[i] - mean);
    second += square;
    fourth += square * square;
  }
  second /= (double)work->count;
  fourth /= (double)work->count;
  sl__split_folded(work, mean);
  for (int64_t i = 0; i < work->halves * work->length; i++) work->split[i] *= work->split[i];
  const double variance_of_variance = (fourth - second * second) / sl__split_ess(work);
  return ldexp(sqrt(variance_of_variance / second / 4), work->exponent);
}

/* Half the distance between the order statistics that bound the quantile as one standard deviation
 * to either side bounds a normal variable. */
double sl__loaded_mcse_quantile(sl__series_work *work, double probability) {
  const double one_below = 0.1586553, one_above = 0.8413447;
  const double ess = sl__loaded_ess_quantile(work, probability);
  const double a = ess * probability + 1, b = ess * (1 - probability) + 1;
  const double last = (double)work->count - 1;
  double low = sl__special_inv_inc_beta(a, b, one_below) * (double)work->count - 1;
  double high = sl__special_inv_inc_beta(a, b, one_above) * (double)work->count - 1;
  low = low > 0 ? floor(low) : 0;
  high = high < last ? ceil(high) : last;
  return ldexp(0.5 * (work->sorted[(int64_t)high] - work->sorted[(int64_t)low]), work->exponent);
}

double sl__loaded_mcse_mean(sl__series_work *work) {
  const double variance = sl__series_variance(work, sl__series_mean(work));
  return ldexp(sqrt(variance / sl__loaded_ess_mean(work)), work->exponent);
}

/* What the public functions have in common: memory for one series, one number out of it. */
typedef double (*measure)(sl__series_work *work, double probability);

static sl_status measure_series(sl_context *context, const sl__series *series, double probability,
                                measure of, double *out) {
  sl__arena arena;
  sl__series_work work;
  *out = NAN;
  sl__arena_open(&arena, context);
  sl_status status = sl__series_work_take(&arena, series->chains, series->draws, &work);
  if (status == SL_OK && sl__series_load(&work, series)) {
    sl__series_scale(&work);
    *out = of(&work, probability);
  }
  sl__arena_close(&arena);
  return status;
}

#define MEASURE(name)                                                                \
  static double measure_##name(sl__series_work *work, double unused) {               \
    (void)unused;                                                                    \
    return sl__loaded_##name(work);                                                  \
  }                                                                                  \
  sl_status sl__##name(sl_context *context, const sl__series *series, double *out) { \
    return measure_series(context, series, 0, measure_##name, out);                  \
  }
MEASURE(rhat)
MEASURE(ess_bulk)
MEASURE(ess_tail)
MEASURE(ess_mean)
MEASURE(mcse_mean)
MEASURE(mcse_sd)
#undef MEASURE

sl_status sl__ess_quantile(sl_context *context, const sl__series *series, double probability,
                           double *out) {
  return measure_series(context, series, probability, sl__loaded_ess_quantile, out);
}

sl_status sl__mcse_quantile(sl_context *context, const sl__series *series, double probability,
                            double *out) {
  return measure_series(context, series, probability, sl__loaded_mcse_quantile, out);
}

/* Of an autoregression of first order with coefficient r the fraction is 2 (1 - r), and of every
 * k-th of its values 2 (1 - r^k). */
static double of_one_trajectory(double correlation, int64_t trajectories) {
  return 2 * (1 - pow(fmax(0, correlation), 1 / (double)trajectories));
}

/* A correlation is known to three of its standard errors. */
static double convert(double fraction, int64_t trajectories, int64_t draws) {
  if (trajectories <= 1) return fraction;
  const double correlation = 1 - fraction / 2, error = 3 / sqrt((double)draws);
  if (correlation <= error &&
      of_one_trajectory(correlation + error, trajectories) < SL__LEAST_EBFMI)
    return (double)NAN;
  return of_one_trajectory(correlation, trajectories);
}

double sl__ebfmi(int64_t draws, int64_t trajectories, const double *energy, int64_t stride) {
  double mean = 0, steps = 0, spread = 0;
  for (int64_t i = 0; i < draws; i++) mean += energy[i * stride];
  mean /= (double)draws;
  for (int64_t i = 0; i < draws; i++) {
    const double deviation = energy[i * stride] - mean;
    spread += deviation * deviation;
    if (i == 0) continue;
    const double step = energy[i * stride] - energy[(i - 1) * stride];
    steps += step * step;
  }
  return spread > 0 ? convert(steps / spread, trajectories, draws) : (double)NAN;
}
