/* How slowly chains mix, and how many trajectories a draw is to be made of.
 *
 * A trajectory ends when most directions have turned round. Where a few parameters say how wide
 * many others are, no one metric suits the whole density: the slow few move a little at a time, and
 * consecutive ends of trajectories are nearly the same draw. Time is measured by batch means: the
 * variance of means of so many draws beside that of single draws says how many draws are worth one
 * (Geyer 1992, Statistical Science 7:473, section 3.2). */
#ifndef SL_INFER_CHAIN_MIXING_H
#define SL_INFER_CHAIN_MIXING_H
#include "base/context.h"

/* Of one chain; [dim]. */
typedef struct sl__mixing {
  int32_t dim;
  int64_t length; /* of a batch, in draws; 0: nothing is measured */
  int64_t draws, batches;
  double *mean, *squares; /* of the draws, and the sum of squares about it */
  double *batch_mean, *batch_squares;
  double *sum; /* of the batch that is being filled */
} sl__mixing;
sl_status sl__mixing_open(sl__arena *arena, int32_t dim, int64_t length, sl__mixing *mixing);
void sl__mixing_add(sl__mixing *mixing, const double *q);
/* Draws of the slowest coordinate that are worth one independent draw; at least 1, at most the
 * length of a batch. Chains' means are their own: chains that stay in modes of their own do not mix
 * slowly, they do not mix. mixing [chains], stride bytes apart. */
double sl__mixing_time(int32_t chains, const sl__mixing *mixing, size_t stride);
/* So many trajectories that a draw is worth about a quarter of an independent one, or as many as can
 * be paid for. */
int32_t sl__mixing_trajectories(double time);
#endif
