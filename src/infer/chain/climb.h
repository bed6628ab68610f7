/* L-BFGS towards a mode, as a machine that asks for the density where it wants it, and that keeps
 * its whole way.
 *
 * Directions by the two loops of Nocedal and Wright 2006 (algorithm 7.4) from a diagonal that is
 * learned too (Gilbert and Lemarechal 1989, doi:10.1007/BF01589113, in the form of Zhang et al.
 * 2022, JMLR 23:306, algorithm 3); steps by bisection until the weak Wolfe conditions hold (Lewis
 * and Overton 2013, doi:10.1007/s10107-012-0514-2, section 3). */
#ifndef SL_INFER_CHAIN_CLIMB_H
#define SL_INFER_CHAIN_CLIMB_H
#include "base/context.h"

/* The last pairs of changes of point and gradient, and the diagonal. */
typedef struct sl__pairs {
  int32_t dim, most, count;
  double *s, *y; /* [most][dim], oldest first; y: of the gradient of minus the log density */
  double *alpha; /* [dim] */
} sl__pairs;
sl_status sl__pairs_open(sl__arena *arena, int32_t dim, int32_t most, sl__pairs *pairs);
void sl__pairs_clear(sl__pairs *pairs);
/* Takes the step from one point of a way to the next, unless the curvature along it is not
 * positive. */
void sl__pairs_add(sl__pairs *pairs, const double *q, const double *gradient, const double *next_q,
                   const double *next_gradient);

typedef struct sl__climb {
  int32_t dim, most_steps, steps; /* points of the way: 0 .. steps */
  double tolerance;
  double *q, *gradient; /* [most_steps + 1][dim] */
  double *value;        /* [most_steps + 1] */
  sl__pairs pairs;
  double *trial; /* [dim]: where the density is wanted now */
  bool done;
  /* Inside. */
  bool begun;
  int tries;
  double *direction, *work; /* [dim], [pairs.most] */
  double slope, step, low, high;
} sl__climb;
/* trial is to be filled with the first point. */
sl_status sl__climb_open(sl__arena *arena, int32_t dim, int32_t most_steps, int32_t history,
                         double tolerance, sl__climb *climb);
/* Value and gradient at the trial; afterwards done, or another is wanted. A first point without a
 * finite density leaves begun false: fill trial anew. */
void sl__climb_give(sl__climb *climb, double value, const double *gradient);
#endif
