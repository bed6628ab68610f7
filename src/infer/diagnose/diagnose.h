/* Diagnostics: how far draws and weights are to be trusted. Of chains: R-hat, effective sample
 * sizes, Monte Carlo errors, E-BFMI. Of weights: Pareto smoothing and k-hat, log evidence. Of two
 * sets of draws: how far apart they are, against how far exact draws would be.
 *
 * Sums run in fixed order: no result depends on the number of threads. A quantity that cannot be
 * had (a chain that never moves, a value that is not finite, fewer than four draws) is NaN, which
 * no comparison takes for good. */
#ifndef SL_INFER_DIAGNOSE_DIAGNOSE_H
#define SL_INFER_DIAGNOSE_DIAGNOSE_H
#include "base/context.h"
#include "base/random.h"

/* ---- chains ---- */

/* What chains must be for anything to be judged by them: R-hat as Vehtari et al. 2021 see it is good
 * below 1.01, and bad beyond the bound here. */
#define SL__MOST_RHAT       1.05
#define SL__LEAST_EFFECTIVE 100.0

/* Draws of one quantity: chain c, draw d stands at values[c * chain_stride + d * draw_stride]. */
typedef struct sl__series {
  int64_t chains, draws;
  const double *values;
  int64_t chain_stride, draw_stride;
} sl__series;

/* What a table of draws shows of one quantity. */
typedef struct sl__summary_row {
  double mean, mcse_mean, sd, mcse_sd;
  double q5, q50, q95;
  double ess_bulk, ess_tail, rhat;
  int64_t non_finite; /* values that are NaN or infinite: then everything else is NaN */
  bool constant;      /* it never moves: mean, sd and quantiles hold, the rest is NaN */
} sl__summary_row;

/* Each gives NaN for a series that says nothing. Vehtari, Gelman, Simpson, Carpenter and Buerkner
 * 2021 (arXiv:1903.08008). */
sl_status sl__rhat(sl_context *context, const sl__series *series, double *out);
sl_status sl__ess_bulk(sl_context *context, const sl__series *series, double *out);
sl_status sl__ess_tail(sl_context *context, const sl__series *series, double *out);
sl_status sl__ess_mean(sl_context *context, const sl__series *series, double *out);
sl_status sl__ess_quantile(sl_context *context, const sl__series *series, double probability,
                           double *out);
sl_status sl__mcse_mean(sl_context *context, const sl__series *series, double *out);
sl_status sl__mcse_sd(sl_context *context, const sl__series *series, double *out);
sl_status sl__mcse_quantile(sl_context *context, const sl__series *series, double probability,
                            double *out);
#define SL__LEAST_EBFMI 0.3 /* below it momenta do not explore the energies */
/* Betancourt 2016 (arXiv:1604.00695), of the energies of one chain: NaN if they are constant. It
 * means nothing of a chain that stands still, whose energies are fresh momenta's. Where several
 * trajectories lie between two draws, each with a momentum of its own, as a draw is made of so many
 * or others were left out, it is converted to what draws of one would have; NaN where they are so
 * many that what is left of slow energies' correlation cannot be told from none. */
double sl__ebfmi(int64_t draws, int64_t trajectories, const double *energy, int64_t stride);

/* rows[p] of parameter p, whose draws are those of `first` moved on by p * parameter_stride.
 * Parameters are spread over the context's threads. */
sl_status sl__summarise(sl_context *context, const sl__series *first, int64_t parameters,
                        int64_t parameter_stride, sl__summary_row *rows);

/* ---- what is wrong with a run, in words ---- */

typedef struct sl__run_facts {
  int64_t chains, draws; /* draws per chain */
  int64_t parameters;
  const sl__summary_row *rows;         /* [parameters] */
  const char *const *names;            /* [parameters] */
  int64_t divergences, treedepth_hits; /* -1: not recorded */
  int64_t max_treedepth;               /* -1: not recorded */
  const double *ebfmi;                 /* [chains], or NULL */
  int64_t undefined;    /* divergences where the log density was NaN; 0: or not recorded */
  int64_t refused;      /* and where it was -infinity */
  const char *refusal;  /* what the program said against the first of these points; NULL or "" */
  bool preconditioned;  /* the run was in a flow's space: not to be advised again */
  bool jumped;          /* and took its draws for proposals */
  bool halves;          /* steps were halved where the energy changed too much: alike */
  const bool *still;    /* [chains], or NULL: the chain did not move in its draws */
  double adapt_delta;   /* acceptance that the draws aim at; 0: not known */
  int64_t trajectories; /* of a draw; at most 1: one, or not recorded */
} sl__run_facts;

/* The verdict: what is wrong, how much, and what mends it, worst first; one to some sentences.
 * Gives whether the draws are to be trusted. text is NUL-terminated. */
bool sl__run_verdict(const sl__run_facts *facts, char *text, size_t size);

/* ---- weights ---- */

typedef struct sl__psis {
  double khat;      /* shape of the fitted tail; infinity: no tail could be fitted */
  double threshold; /* min(1 - 1 / log10(count), 0.7): above it the weights are not to be trusted */
  double ess;       /* 1 / sum of squared normalised weights, after smoothing */
  double log_mean;  /* log of the mean smoothed weight */
  int64_t tail;     /* weights that were smoothed */
} sl__psis;

double sl__khat_threshold(int64_t count);
/* Pareto smoothed importance sampling: Vehtari, Simpson, Gelman, Yao and Gabry 2024 (JMLR 25:72).
 * log_ratios [count]: log p - log q, where -infinity is a weight of 0; log_weights [count], NULL or
 * the smoothed ones, normalised to sum to 1; it may be log_ratios. relative_efficiency: ESS per
 * draw of draws from q, 1 when they are independent. SL_NUMERIC: a ratio is NaN or +infinity, or
 * all are -infinity. */
sl_status sl__psis_smooth(sl_context *context, int64_t count, const double *log_ratios,
                          double relative_efficiency, double *log_weights, sl__psis *out);
/* Shape and scale of a generalised Pareto distribution, by Zhang and Stephens 2009 with the shape
 * drawn towards 1/2 as ten more observations would: x [count], ascending and positive. work
 * [2 * (30 + floor(sqrt(count)))]. */
void sl__pareto_fit(int64_t count, const double *x, double *work, double *shape, double *scale);

typedef enum sl__resampling {
  SL__RESAMPLE_STRATIFIED, /* with repetition, one uniform number in each of `wanted` equal parts */
  SL__RESAMPLE_MULTINOMIAL, /* with repetition, independently */
  SL__RESAMPLE_DISTINCT     /* without repetition: Efraimidis and Spirakis 2006 */
} sl__resampling;
/* index [wanted]: which draws to take, by log_weights [count] (of any sum); ascending for the first
 * two kinds, in the order drawn for the last, where wanted must be at most the number of positive
 * weights (SL_BAD_ARGUMENT). */
sl_status sl__resample(sl_context *context, sl__resampling how, sl__random_key key, int64_t count,
                       const double *log_weights, int64_t wanted, int64_t *index);

/* ---- log evidence ---- */

typedef struct sl__evidence {
  double value, se; /* log of the integral of p, and its standard error */
  int32_t iterations;
  bool converged;
} sl__evidence;
/* From log p - log q at draws of q. se by the delta method: it is itself not to be trusted where
 * k-hat is above the threshold. */
sl_status sl__evidence_importance(sl_context *context, int64_t count, const double *log_ratios,
                                  sl__evidence *out);
/* The optimal bridge of Meng and Wong 1996 (Statistica Sinica 6, equation 4.1), its error by
 * Fruehwirth-Schnatter 2004 with the posterior draws' autocorrelation. at_posterior: log p - log q
 * at draws from p; at_proposal [count]: at independent draws from q. */
sl_status sl__evidence_bridge(sl_context *context, const sl__series *at_posterior, int64_t count,
                              const double *at_proposal, sl__evidence *out);

/* ---- two sets of draws ---- */

typedef struct sl__wasserstein {
  double distance; /* in units of the pooled standard deviation; NaN when that is 0 or not finite */
  double floor;    /* what exact independent draws of these sizes would show on average */
} sl__wasserstein;
/* Of two samples of one quantity; effective_a, effective_b: how many independent draws they are
 * worth, for the floor. */
sl_status sl__wasserstein_distance(sl_context *context, const sl__series *a, const sl__series *b,
                                   double effective_a, double effective_b, sl__wasserstein *out);

/* Rows of several quantities: row r, column c at values[r * row_stride + c * column_stride]. */
typedef struct sl__sample {
  int64_t rows, columns;
  const double *values;
  int64_t row_stride, column_stride;
  double effective; /* independent rows that these are worth; at most rows */
} sl__sample;
typedef struct sl__energy_test {
  double distance; /* Szekely and Rizzo's energy distance, columns in pooled standard deviations */
  double p_value;  /* share of permutations at least as far apart */
  int64_t rows_a, rows_b; /* rows that took part */
} sl__energy_test;
/* Szekely and Rizzo 2013 (J. Stat. Planning and Inference 143). Takes at most `limit` rows of each,
 * and no more than they are worth, evenly spread, since the permutation test wants independent
 * rows: at most limit^2 * (permutations + 4 columns) operations. */
sl_status sl__energy_distance(sl_context *context, const sl__sample *a, const sl__sample *b,
                              int64_t limit, int64_t permutations, uint64_t seed,
                              sl__energy_test *out);
#endif
