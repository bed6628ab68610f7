/* The metric of Hamiltonian Monte Carlo: how far a coordinate, or a direction, is to be moved.
 *
 * What is kept is its inverse W, an estimate of the target's covariance: momenta are drawn from
 * N(0, W^-1), velocities are W p (Betancourt 2017, arXiv:1701.02434, section 4.2). Four forms:
 *
 *   unit      W = 1
 *   diagonal  W = diag(s^2)
 *   dense     W = L L'
 *   low rank  W = diag(s) (1 + U (diag(v) - 1) U') diag(s),  U [rank][dim] with orthonormal rows
 *
 * The last costs little more than a diagonal one and takes out the few directions in which a
 * posterior is much longer or shorter than its margins say (Seyboldt, Carlson and Carpenter 2026,
 * arXiv:2603.18845). */
#ifndef SL_INFER_CHAIN_METRIC_H
#define SL_INFER_CHAIN_METRIC_H
#include "base/context.h"

typedef enum sl__metric_form {
  SL__METRIC_UNIT,
  SL__METRIC_DIAGONAL,
  SL__METRIC_DENSE,
  SL__METRIC_LOW_RANK
} sl__metric_form;

typedef struct sl__metric {
  sl__metric_form form;
  int32_t dim, rank, most_rank;
  double *scale;   /* [dim] s; ones where the form has none */
  double *dense;   /* [dim][dim] W, or NULL */
  double *factor;  /* [dim][dim] L, lower, or NULL */
  double *vectors; /* [most_rank][dim] U, or NULL */
  double *values;  /* [most_rank] v, or NULL */
  double *spare;   /* [dim][dim]: where the next factor is made */
} sl__metric;

/* W = 1, with room for the form; memory of the arena. */
sl_status sl__metric_open(sl__arena *arena, sl__metric_form form, int32_t dim, int32_t most_rank,
                          sl__metric *metric);
/* v = W p, all [dim]. */
void sl__metric_velocity(const sl__metric *metric, const double *p, double *v);
/* p = a draw from N(0, W^-1), of standard normal numbers; both [dim], may be the same. */
void sl__metric_momentum(const sl__metric *metric, const double *normal, double *p);
/* diagonal [dim] of W. */
void sl__metric_diagonal(const sl__metric *metric, double *diagonal);
/* W becomes that of another metric of the same form and size. */
void sl__metric_copy(const sl__metric *from, sl__metric *to);
/* Takes over W [dim][dim], symmetric; false, and nothing is changed, if it is not positive
 * definite. */
bool sl__metric_set_dense(sl__metric *metric, const double *w);
#endif
