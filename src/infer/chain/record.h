/* Draws as people read them: parameters on their own scale, with what the program computes from
 * them.
 *
 * A run of the sampler's whose draws are gathered, a few of each chain, and written by the target
 * in one go: a program in the lanes of one run costs little more for sixteen draws than for one. */
#ifndef SL_INFER_CHAIN_RECORD_H
#define SL_INFER_CHAIN_RECORD_H
#include "infer/chain/sampler.h"

/* A row for each draw, a chain's in their order; draw->q holds the coordinates. */
typedef struct sl__record_listener {
  /* values [width of all parts]. Anything but SL_OK ends the run with that status. */
  sl_status (*row)(void *user, const sl__sampler_draw *draw, const double *values);
  /* As in sl__sampler_listener, or NULL. Rows of the warm-up come before `adapted`. */
  sl_status (*adapted)(void *user, int32_t chain, double step_size, const sl__metric *metric);
  bool (*progress)(void *user, const int64_t *iterations, const int64_t *divergences);
  void *user;
} sl__record_listener;

/* As sl__sampler_run. Whatever ends the run, all draws that were made get their rows. */
sl_status sl__record_run(sl_context *context, const sl__target *target,
                         const sl__sampler_options *options, const double *first,
                         const sl__record_listener *listener, sl__sampler_report *report);
#endif
