/* Markov chains by the no-U-turn sampler, from first points to last draws.
 *
 * All chains stand in the lanes of one run: whatever each is doing, searching a first point, a step
 * size, or somewhere in a trajectory, it wants the density at one point, and these are computed
 * together. A chain's numbers are a function of the seed, its number and how many chains there are,
 * never of the threads. */
#ifndef SL_INFER_CHAIN_SAMPLER_H
#define SL_INFER_CHAIN_SAMPLER_H
#include "infer/chain/estimate.h"
#include "infer/chain/nuts.h"
#include "infer/chain/step_size.h"
#include "target/target.h"

/* How the metric is learned in the warm-up. */
typedef enum sl__metric_kind {
  SL__METRIC_KIND_UNIT_E,      /* not at all */
  SL__METRIC_KIND_DIAG_E,      /* Stan's windows and variances */
  SL__METRIC_KIND_DENSE_E,     /* Stan's windows and covariances */
  SL__METRIC_KIND_FISHER_DIAG, /* variances from draws and gradients, learned all the while */
  SL__METRIC_KIND_FISHER_LOW_RANK
} sl__metric_kind;
const char *sl__metric_kind_name(sl__metric_kind kind); /* "diag_e" */

typedef struct sl__sampler_options {
  int32_t chains, warmup, draws, thin;
  sl__metric_kind metric;
  double adapt_delta, step_size; /* step_size: the first one tried */
  /* What adapt_delta is raised to if the warm-up diverges often, or at all where trajectories is 0
   * and it mixes slowly (meeting.c): with the Fisher metrics, which take long steps, these show that
   * the target is narrow somewhere. Below adapt_delta: never. */
  double careful_delta;
  /* What it is raised to if the warm-up goes on diverging now and then at careful_delta. */
  double strict_delta;
  /* Trajectories from one draw to the next. 0: as many as the warm-up shows to be needed (mixing.h),
   * with a Fisher metric and without thinning and jumps; else 1. */
  int32_t trajectories;
  int most_depth;
  int halvings; /* of a step, at most, where the energy would change too much on it: stride.c */
  double init_radius; /* first points are uniform within this of 0 in every coordinate */
  /* So many such points are drawn, and the best is taken: with 1 as Stan does. A density that is
   * absurd in a part of that box would else hold some chains there for good. */
  int32_t init_candidates;
  /* Stan's windows. */
  int32_t init_buffer, window, term_buffer;
  /* After each transition so many independent standard normal points are proposed, by Metropolis
   * and Hastings: for targets pulled back through a flow, whose own draws these are. They cross
   * between modes that no trajectory joins (Gabrie, Rotskoff and Vanden-Eijnden 2022,
   * arXiv:2105.12603). */
  int32_t jumps;
  uint64_t seed;
  bool save_warmup; /* hand out the warm-up's draws too */
} sl__sampler_options;
void sl__sampler_defaults(sl__sampler_options *options);
/* What is changed of them for draws that are an end in themselves: acceptance may become strict, and
 * draws be made of several trajectories. */
void sl__sampler_take_pains(sl__sampler_options *options);
/* Halvings of draws in the space of a flow that was fitted on the way: what it leaves crooked is
 * some tens of times as narrow as the rest. */
enum { SL__HALVINGS_IN_FLOW = 8 };
/* Of most_depth and halvings together: a trajectory's leapfrogs are counted in an int. */
enum { SL__MOST_DOUBLINGS = 28 };
sl_status sl__sampler_check(sl_context *context, const sl__sampler_options *options);

/* A draw, as Stan's CSV has it. Points into memory that the next draw overwrites. */
typedef struct sl__sampler_draw {
  int32_t chain;
  int64_t iteration; /* 0.., of the warm-up or after it */
  bool warmup, divergent;
  const double *q; /* [dim] */
  double log_density, accept, step_size, energy;
  int depth, leapfrogs;
} sl__sampler_draw;

/* What is handed to the caller while the chains run. Any function may be NULL; anything but SL_OK
 * ends the run with that status. */
typedef struct sl__sampler_listener {
  sl_status (*draw)(void *user, const sl__sampler_draw *draw);
  /* A chain's warm-up is over: its step size and metric, and the report's adapt_delta and
   * trajectories, are what the draws are made with. */
  sl_status (*adapted)(void *user, int32_t chain, double step_size, const sl__metric *metric);
  /* Now and then: draws made so far, of all chains, the warm-up's among them. false stops. */
  bool (*progress)(void *user, const int64_t *iterations, const int64_t *divergences);
  void *user;
} sl__sampler_listener;

typedef struct sl__sampler_report {
  int64_t gradients; /* evaluations of the density with its gradient, chains' lanes added up */
  int64_t divergences, depth_hits; /* draws after the warm-up with such a trajectory */
  /* Divergences among them at points where the log density or its gradient was NaN: the fault of
   * the target rather than of the step size. */
  int64_t undefined;
  /* And at points, finite ones, where it was -infinity; what the program said against the first. */
  int64_t refused;
  char refusal[240];
  /* Draws after the warm-up with a trajectory that ended as shorter steps could not be taken back. */
  int64_t irreversible;
  int64_t jumps, jumps_taken; /* after the warm-up: proposed, accepted */
  double adapt_delta;         /* that of the draws */
  int32_t trajectories;       /* of a draw */
  int64_t regrouped; /* chains that the warm-up moved to where another one was: regroup.h */
} sl__sampler_report;

/* first: [chains][dim], or NULL: by init_radius. SL_NUMERIC: no first point with a finite density
 * and gradient was found, or no step size. */
sl_status sl__sampler_run(sl_context *context, const sl__target *target,
                          const sl__sampler_options *options, const double *first,
                          const sl__sampler_listener *listener, sl__sampler_report *report);
#endif
