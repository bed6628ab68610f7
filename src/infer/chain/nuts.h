/* One transition of the no-U-turn sampler, as a machine that asks for the density where it wants
 * it.
 *
 * Multinomial NUTS (Hoffman and Gelman 2014, JMLR 15:1593; Betancourt 2017, arXiv:1701.02434,
 * appendix A) with the checks between neighbouring subtrees that Stan added in 2.21. Where
 * textbooks recurse, this counts: a subtree of level k is two of level k - 1, and a stack of at
 * most one of each level holds those that wait for their other half. So a transition can stop
 * whenever it needs a density, and many chains, each somewhere in its own tree, have theirs
 * computed side by side in the lanes of one run.
 *
 *   sl__nuts_begin(nuts, ...);
 *   do evaluate nuts->wanted; while (!sl__nuts_give(nuts, value, gradient)); */
#ifndef SL_INFER_CHAIN_NUTS_H
#define SL_INFER_CHAIN_NUTS_H
#include "base/random.h"
#include "infer/chain/metric.h"

enum { SL__NUTS_MOST_DEPTH = 30, SL__NUTS_MOST_HALVINGS = 20 };

/* A point with its gradient; numbers are per chain, [dim]. */
typedef struct sl__nuts_point {
  double *q, *gradient, value, energy;
} sl__nuts_point;

/* Consecutive points of a trajectory, in the order in which they were made. */
typedef struct sl__nuts_span {
  double *first_momentum, *first_velocity, *last_momentum, *last_velocity, *momentum_sum;
  sl__nuts_point proposal; /* drawn from the span's points by their weights */
  double log_weight;       /* log of the sum of exp(first energy of the transition - energy) */
  int level;
} sl__nuts_span;

/* One step of a trajectory, from point to point, made of one leapfrog or of shorter ones: stride.c. */
typedef struct sl__stride {
  int halvings;           /* of the leapfrogs that it is tried with now */
  int32_t left;           /* of these */
  bool is_return;         /* tried backwards, whether it could have been made with fewer */
  bool halved;            /* one leapfrog did not do */
  double lowest, highest; /* energies on it so far */
  sl__nuts_point from, to;
  double *from_momentum, *to_momentum; /* [dim] */
} sl__stride;

typedef struct sl__nuts {
  int32_t dim;
  const sl__metric *metric;
  double step_size;
  int most_depth;
  int most_halvings; /* of a step, where the energy would change too much; 0: never */
  sl__random_key key;
  uint64_t draws_of_chance; /* how many random numbers were drawn so far */

  /* What a transition starts from and ends in. */
  sl__nuts_point here;
  double accept; /* mean acceptance probability of its points; of one after a halved step, 0 */
  int depth, leapfrogs;
  bool divergent, moved; /* moved: `here` is another point than before */
  bool irreversible;     /* it ended where shorter steps could not be taken back */

  const double *wanted; /* [dim]: where the density is wanted now */

  /* Inside. */
  bool probing; /* one step only */
  double first_energy, accept_sum, direction;
  int strides; /* steps of the trajectory so far, however many leapfrogs each took */
  sl__stride stride;
  double *momentum; /* [dim] of the moving point, half a step ahead */
  sl__nuts_point moving;
  sl__nuts_span whole; /* first: the end behind, last: the end in the moving direction */
  double *behind_q, *behind_gradient; /* the point at the end behind, [dim] */
  double *ahead_q, *ahead_gradient;
  double behind_energy, ahead_energy;
  sl__nuts_span stack[SL__NUTS_MOST_DEPTH + 2];
  int height;
  double *sum; /* [dim] work */
} sl__nuts;

/* ---- stride.c ---- */

typedef enum sl__stride_state {
  SL__STRIDE_ON, /* the density is wanted at the moving point */
  SL__STRIDE_DONE,
  SL__STRIDE_DIVERGENT,
  SL__STRIDE_IRREVERSIBLE
} sl__stride_state;

sl_status sl__stride_open(sl__arena *arena, int32_t dim, sl__stride *stride);
/* From the moving point on. */
void sl__stride_start(sl__nuts *nuts);
/* Value and gradient at the moving point. If it is done, velocity [dim] is that of its end. */
sl__stride_state sl__stride_give(sl__nuts *nuts, double value, const double *gradient,
                                 double *velocity);

/* ---- nuts.c ---- */

/* Memory of the arena. most_depth <= SL__NUTS_MOST_DEPTH. */
sl_status sl__nuts_open(sl__arena *arena, const sl__metric *metric, int most_depth,
                        sl__random_key key, sl__nuts *nuts);
/* A transition from nuts->here, whose value and gradient are known. */
void sl__nuts_begin(sl__nuts *nuts);
/* The same with one step only; afterwards `here` is as before. The change of energy that it made
 * is first_energy - moving.energy. */
void sl__nuts_probe(sl__nuts *nuts);
/* Value and gradient at nuts->wanted; true: the transition is over. */
bool sl__nuts_give(sl__nuts *nuts, double value, const double *gradient);
double sl__nuts_chance(sl__nuts *nuts); /* uniform in (0, 1) */
#endif
