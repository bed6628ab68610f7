/* What a chain learns in its warm-up: step size and metric. */
#ifndef SL_INFER_CHAIN_WARMUP_H
#define SL_INFER_CHAIN_WARMUP_H
#include "infer/chain/sampler.h"

typedef struct sl__warmup {
  const sl__sampler_options *options;
  sl__metric metric;
  sl__step_size step;
  sl__moments front, back; /* back: since the last change of windows */
  sl__window window;       /* the draws of both, where a matrix is learned */
  int64_t back_count;      /* how many of them are back's */
  int64_t iteration;
  /* Stan's: where windows begin and end, where this one ends (-1: there are no more), its length.
   * */
  int64_t windows_begin, windows_end, window_end, window_size;
  double *work;
} sl__warmup;

sl_status sl__warmup_open(sl__arena *arena, const sl__sampler_options *options, int32_t dim,
                          sl__warmup *warmup);
/* The first point's gradient. */
void sl__warmup_start(sl__warmup *warmup, const double *gradient);
/* After each transition: true if the metric has changed so much that the step size must be sought
 * anew. moved: to another point. *step_size: the one to go on with. */
bool sl__warmup_learn(sl__warmup *warmup, const double *q, const double *gradient, double accept,
                      bool moved, double *step_size);
/* Goes on with what another chain has learned, and forgets where its own chain has been. */
void sl__warmup_adopt(sl__warmup *warmup, const sl__warmup *from);
/* How many iterations lie between two meetings of the chains, and before the first. */
int64_t sl__warmup_between_meetings(const sl__sampler_options *options);
/* Whether chains wait for each other after this many iterations. */
bool sl__warmup_is_meeting(const sl__sampler_options *options, int64_t iteration);
/* Whether they are compared then: regroup.h. */
bool sl__warmup_is_regrouping(const sl__sampler_options *options, int64_t iteration);
/* Whether it is late enough to measure how slowly they mix, and by batches of how many draws. 0: it
 * is not measured. */
bool sl__warmup_is_late(const sl__sampler_options *options, int64_t iteration);
int64_t sl__warmup_batch(const sl__sampler_options *options);
#endif
