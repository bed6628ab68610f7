/* What is known of a target before a flow is fitted to it. */
#ifndef SL_INFER_ROBUST_EXPLORE_H
#define SL_INFER_ROBUST_EXPLORE_H
#include "infer/explore/smc.h"

typedef struct sl__draws {
  int64_t rows;
  double *x; /* [rows][dim] */
} sl__draws;

typedef struct sl__exploration {
  int32_t dim;
  sl__draws particles; /* of the tempered population, moved on at full power; rows 0: none */
  sl__draws chains;    /* of the no-U-turn chains, [chain][draw][dim] */
  int64_t chain_count; /* that reached their end */
  sl__smc_report smc;
  bool tempered_complete;
  double rhat; /* largest of any coordinate; NaN: no chains */
  int64_t divergences, gradients;
  bool chains_agree;
  bool modes_confirmed; /* chains stayed apart where the population is apart as well */
  bool cut;             /* the time or the gradients were over before the end */
  sl__draws buffer;     /* the better of the two, in random order */
  double *mean, *sd;    /* [dim] of the buffer */
  double *factor;       /* [dim][dim] lower, of its correlations; NULL beyond SL__MOST_DENSE */
  double effective;     /* independent draws that the buffer is worth, at least */
  char trouble[512];    /* why one of the two is missing */
} sl__exploration;

enum { SL__MOST_DENSE = 128 };

typedef struct sl__explore_options {
  uint64_t seed;
  int64_t most_gradients;                                    /* 0: no bound */
  double end;                                                /* by sl__os_seconds; infinity: none */
  bool (*progress)(void *user, int64_t step, int64_t steps); /* or NULL; false stops */
  void *user;
} sl__explore_options;

/* Memory is the arena's. SL_NUMERIC: nothing was found. SL_STOPPED: progress wanted no more. */
sl_status sl__explore(sl_context *context, const sl__target *target,
                      const sl__explore_options *options, sl__arena *arena, sl__exploration *out);
/* modes.c: whether the population has a valley between the places where the chains stayed. */
sl_status sl__confirm_modes(sl_context *context, const sl__draws *particles,
                            const sl__draws *chains, int32_t dim, int64_t segments, bool *out);
#endif
