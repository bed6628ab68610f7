/* The Gaussian that L-BFGS has learned at a point of its way (Zhang et al. 2022, JMLR 23:306,
 * algorithms 3 and 4): mean q + H gradient, covariance H = diag(alpha) + B C B', where
 * B = [alpha Y, S] and C is small (Byrd, Nocedal and Schnabel 1994, doi:10.1007/BF01582063, theorem
 * 2.2). With the orthogonal factor Q of alpha^-1/2 B, H = alpha^1/2 (1 + Q (L L' - 1) Q')
 * alpha^1/2. */
#ifndef SL_INFER_CHAIN_PATH_GAUSSIAN_H
#define SL_INFER_CHAIN_PATH_GAUSSIAN_H
#include "infer/chain/climb.h"

typedef struct sl__path_gaussian {
  int32_t dim, rank, most;
  double *mean, *root; /* [dim]; root: of alpha */
  double *basis;       /* [most][dim], the rows of Q' */
  double *factor;      /* [most][most] L, lower */
  double log_scale;    /* log of the determinant of alpha^1/2 Q L .. : half that of H */
  double *work;        /* [6 * most * most + 2 * most + dim] */
} sl__path_gaussian;
/* history: most pairs. */
sl_status sl__path_gaussian_open(sl__arena *arena, int32_t dim, int32_t history,
                                 sl__path_gaussian *out);
/* false: H is not positive definite. */
bool sl__path_gaussian_set(sl__path_gaussian *out, const sl__pairs *pairs, const double *q,
                           const double *gradient);
/* A draw, of standard normal numbers [dim]; its log density. q must not be normal. */
double sl__path_gaussian_draw(const sl__path_gaussian *of, const double *normal, double *q);
#endif
