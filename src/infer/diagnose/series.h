/* Work memory for the diagnostics of one series at a time, so that a table of a thousand
 * parameters allocates once per thread. Halves of chains count as chains of their own throughout:
 * a chain that drifts then disagrees with itself (Vehtari et al. 2021, section 3). */
#ifndef SL_INFER_DIAGNOSE_SERIES_H
#define SL_INFER_DIAGNOSE_SERIES_H
#include "infer/diagnose/diagnose.h"

typedef struct sl__ranked {
  double value;
  int64_t index;
} sl__ranked;

typedef struct sl__series_work {
  int64_t chains, draws;  /* of the series, before it is halved */
  int64_t count;          /* chains * draws */
  int exponent;           /* values stand divided by 2 to the power of this: 0 but for extremes */
  int64_t halves, length; /* 2 * chains halves of draws / 2 draws: an odd middle draw is left out */
  double *values;         /* [chains][draws] */
  double *sorted;         /* [count], ascending */
  double *split;          /* [halves][length]: what R-hat and ESS are computed of */
  sl__ranked *ranked;     /* [count] */
  double *correlation;    /* [length] */
  int64_t points;         /* of the Fourier transform: a power of two, at least 2 * length */
  double *transform;      /* [2 * points], real and imaginary parts in turn */
  double *power;          /* [points] */
  double *twiddle;        /* [points], cosine and sine in turn */
} sl__series_work;

/* Takes all memory for series of this size from the arena. */
sl_status sl__series_work_take(sl__arena *arena, int64_t chains, int64_t draws,
                               sl__series_work *work);
/* Copies a series to values and, sorted, to sorted. False: it says nothing, because a value is not
 * finite, none differs, or there are fewer than four draws a chain. */
bool sl__series_load(sl__series_work *work, const sl__series *series);
/* 0, or for numbers of this size the power of two to divide by, so that their fourth powers neither
 * overflow nor vanish. Division by it is exact, and what is usual stays as it is. */
int sl__scale_exponent(double largest);
/* Divides values and sorted so. Means, variances and quantiles are then those of the scaled values;
 * the diagnostics below are in the series' own units. */
void sl__series_scale(sl__series_work *work);

double sl__series_mean(const sl__series_work *work);
double sl__series_variance(const sl__series_work *work, double mean); /* divides by count - 1 */
double sl__series_quantile(const sl__series_work *work, double probability);

/* Each fills split: the values; 1 where a value is at most the bound, else 0; |value - centre|. */
void sl__split_values(sl__series_work *work);
void sl__split_below(sl__series_work *work, double bound);
void sl__split_folded(sl__series_work *work, double centre);
/* Replaces split by the normal scores of its ranks, ties by their mean rank. */
void sl__split_normal_scores(sl__series_work *work);

double sl__split_rhat(const sl__series_work *work);
/* Effective sample size of the mean of split; as many as there are draws where it is constant. */
double sl__split_ess(sl__series_work *work);
/* The autocovariances of split at lags 0, 1, ..., length - 1, averaged over the halves, into
 * correlation; each divides by length. */
void sl__split_autocovariance(sl__series_work *work);

/* The diagnostics of a loaded series. */
double sl__loaded_rhat(sl__series_work *work);
double sl__loaded_ess_bulk(sl__series_work *work);
double sl__loaded_ess_tail(sl__series_work *work);
double sl__loaded_ess_mean(sl__series_work *work);
double sl__loaded_ess_quantile(sl__series_work *work, double probability);
double sl__loaded_mcse_mean(sl__series_work *work);
double sl__loaded_mcse_sd(sl__series_work *work);
double sl__loaded_mcse_quantile(sl__series_work *work, double probability);
#endif
