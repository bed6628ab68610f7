/* What may end an exploration: the caller, the gradients, the clock. src/infer/robust only. */
#ifndef SL_INFER_ROBUST_LIMITS_H
#define SL_INFER_ROBUST_LIMITS_H
#include "infer/chain/sampler.h"
#include "infer/robust/explore.h"

enum {
  SL__WALKING,
  SL__SEARCHING,
  SL__TEMPERING,
  SL__WALKING_AGAIN,
  SL__COPYING,
  SL__EXPLORE_STAGES
};

typedef struct sl__limits {
  const sl__explore_options *options;
  sl__exploration *exploration;
  int64_t before; /* gradients */
  int stage;
  int copies; /* made of the population */
  const sl__sampler_report *chains;
} sl__limits;

/* limits.c. Tells progress; share: of the stage, gradients: that it took. False: it is to end, and
 * if that is not the caller's wish, the exploration is cut. */
bool sl__limits_allow(sl__limits *l, double share, int64_t gradients);
#endif
