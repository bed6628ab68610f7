/* Chains that a warm-up left in the wrong place.
 *
 * A density may have modes of next to no mass that hold whoever starts near them: an oscillation
 * fitted as a constant, say. Random first points fall into them, and no local move leads out. What
 * a chain visits for a while says how much mass is there, as that of a Gaussian of this height and
 * these variances; a chain whose mass is next to nothing beside another's goes on from there. A
 * chain that hardly moves has next to none, however high it stands. The margin is wide: modes that
 * share the mass, and parts of one crooked mode, keep their chains, so that their disagreement
 * shows. */
#ifndef SL_INFER_CHAIN_REGROUP_H
#define SL_INFER_CHAIN_REGROUP_H
#include "infer/chain/estimate.h"

/* Where a chain was in the last iterations, those that did not move it included. */
typedef struct sl__visit {
  sl__moments moments;
  double log_density; /* mean */
} sl__visit;
sl_status sl__visit_open(sl__arena *arena, int32_t dim, sl__visit *visit);
void sl__visit_clear(sl__visit *visit);
void sl__visit_add(sl__visit *visit, const double *q, const double *gradient, double log_density);
/* Log of the mass of the Gaussian, up to a constant of the dimension. */
double sl__visit_log_mass(const sl__visit *visit);

/* donor[c] is the chain from which chain c goes on, c itself where it may stay. */
void sl__regroup(int32_t chains, int32_t dim, const double *log_mass, int32_t *donor);
#endif
