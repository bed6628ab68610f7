/* Estimating a metric from the draws and gradients of a warm-up.
 *
 * Variances as Stan does, or so that the Fisher divergence between the target and a Gaussian is
 * least (Seyboldt, Carlson and Carpenter 2026, arXiv:2603.18845): draws have the covariance S,
 * gradients of a Gaussian S^-1, so both say what S is, and the geometric mean of the two estimates
 * is better than either. */
#ifndef SL_INFER_CHAIN_ESTIMATE_H
#define SL_INFER_CHAIN_ESTIMATE_H
#include "infer/chain/metric.h"

/* Mean and sum of squares of draws and gradients; Welford 1962. */
typedef struct sl__moments {
  int32_t dim;
  int64_t count;
  double *mean, *squares;                   /* [dim] of draws */
  double *gradient_mean, *gradient_squares; /* [dim] */
} sl__moments;
sl_status sl__moments_open(sl__arena *arena, int32_t dim, sl__moments *moments);
void sl__moments_clear(sl__moments *moments);
void sl__moments_add(sl__moments *moments, const double *q, const double *gradient);

/* The draws of a window, oldest first: what matrices are estimated from. When it is full the oldest
 * quarter goes. */
typedef struct sl__window {
  int32_t dim;
  int64_t capacity, count;
  double *q, *gradient; /* [capacity][dim] */
} sl__window;
sl_status sl__window_open(sl__arena *arena, int32_t dim, int64_t capacity, sl__window *window);
void sl__window_clear(sl__window *window);
void sl__window_add(sl__window *window, const double *q, const double *gradient);
/* Forgets all but the newest `count`. */
void sl__window_keep(sl__window *window, int64_t count);

/* metric->scale: Stan's variances, shrunk towards 1e-3 as in its diag_e; of two draws or more. */
void sl__estimate_variances(const sl__moments *moments, sl__metric *metric);
/* metric->dense: Stan's dense_e. Leaves the metric as it is if the estimate is not positive
 * definite. work [dim][dim]. */
void sl__estimate_covariance(const sl__window *window, double *work, sl__metric *metric);
/* metric->scale: square root of (sd of draws / sd of gradients). */
void sl__estimate_fisher(const sl__moments *moments, sl__metric *metric);
/* metric->scale as above, vectors and values from the rest of the draws. work: see
 * sl__low_rank_work. */
void sl__estimate_low_rank(const sl__window *window, double *work, sl__metric *metric);
/* How many numbers of work it needs. */
size_t sl__low_rank_work(int32_t dim, int32_t most_rank);
/* metric->scale of a first gradient alone: as if the point were one standard deviation away. */
void sl__estimate_first(const double *gradient, sl__metric *metric);
#endif
