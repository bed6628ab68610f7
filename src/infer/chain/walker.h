/* The inside of the sampler: chains, each in a phase of its own, that all want the density somewhere.
 * src/infer/chain only.
 *
 * A round of sampler.c computes the density where the chains want it; then each chain takes its
 * value and gradient by the function of its phase, which says what it wants next. */
#ifndef SL_INFER_CHAIN_WALKER_H
#define SL_INFER_CHAIN_WALKER_H
#include "infer/chain/mixing.h"
#include "infer/chain/regroup.h"
#include "infer/chain/sampler.h"
#include "infer/chain/warmup.h"

typedef enum sl__walker_phase {
  SL__WALKER_FIRST_POINT,
  SL__WALKER_STEP_SEARCH,
  SL__WALKER_TRANSITION,
  SL__WALKER_JUMP,
  SL__WALKER_MEETING,
  SL__WALKER_TRIAL,
  SL__WALKER_DONE
} sl__walker_phase;

/* What the trajectories since the last draw have come to. */
typedef struct sl__way {
  int32_t trajectories;
  int depth; /* of the deepest */
  int leapfrogs;
  double accept; /* the mean */
  bool divergent, irreversible;
  bool undefined; /* and where the density says nothing */
  bool refused;   /* and where the density is 0 */
} sl__way;

/* Before the first draw: trial.c. */
typedef struct sl__trial {
  double step_size; /* of the draws */
  sl__random_key key;
  uint64_t draws_of_chance; /* key and this: of the draws */
  int trajectories, escapes;
  bool is_escape; /* on the way elsewhere, by shorter steps */
} sl__trial;

typedef struct sl__walker {
  sl__nuts nuts;
  sl__warmup warmup;
  sl__walker_phase phase;
  int32_t number;
  int tries;
  bool is_given;     /* its first point */
  bool is_found;     /* a first point is at hand: the best so far, in `here` */
  double *candidate; /* [dim] */
  int direction;     /* of the step search: 0 before its first probe, then 1 or -1 */
  int32_t jumps;     /* since the last transition */
  int64_t iteration;
  sl__way way;
  sl__trial trial;
  sl__visit visit;   /* in the later half of the time between meetings */
  sl__mixing mixing; /* since chains were last regrouped, in the warm-up */
} sl__walker;

typedef struct sl__sampler {
  sl_context *context;
  const sl__target *target;
  const sl__sampler_options *options;
  const sl__sampler_listener *listener;
  sl__sampler_report *report;
  sl__walker *walkers;               /* [chains] */
  double *q, *gradient, *value;      /* [chains][dim], [chains][dim], [chains] */
  bool *undefined;                   /* [chains]: the value was NaN */
  int64_t *iterations, *divergences; /* [chains], for progress */
  double *log_mass;                  /* [chains] */
  int32_t *donor;                    /* [chains] */
  int32_t running, meeting;
  int64_t warm_divergences; /* since the last meeting */
} sl__sampler;

/* The first coordinate whose gradient is not finite, or -1. */
int32_t sl__find_bad(int32_t dim, const double *gradient);

/* first_point.c: the best of some random points, or one that is given; then the step search. */
void sl__walker_draw_first_point(const sl__sampler *s, sl__walker *w);
/* What the program itself says against this point [dim]; "": nothing. words [size] */
void sl__ask_program(const sl__sampler *s, const double *q, size_t size, char *words);
sl_status sl__walker_take_first_point(sl__sampler *s, sl__walker *w, double value,
                                      const double *gradient);

/* step_search.c: a step size to begin with; then transitions. */
void sl__walker_start_step_search(sl__walker *w);
sl_status sl__walker_take_probe(sl__sampler *s, sl__walker *w, double value,
                                const double *gradient);

/* transition.c */
void sl__walker_start_transition(sl__walker *w);
sl_status sl__walker_take_transition(sl__sampler *s, sl__walker *w, double value,
                                     const double *gradient);
/* Hands out the draw, learns from it in the warm-up, and goes on. */
sl_status sl__walker_end_transition(sl__sampler *s, sl__walker *w);

/* jump.c: independent proposals after a transition, then its end. */
void sl__walker_start_jump(const sl__sampler *s, sl__walker *w);
sl_status sl__walker_take_jump(sl__sampler *s, sl__walker *w, double value, const double *gradient);

/* trial.c: whether it can leave the place where its warm-up ended; then the draws. */
void sl__walker_start_trial(sl__walker *w);
sl_status sl__walker_take_trial(sl__sampler *s, sl__walker *w, double value,
                                const double *gradient);

/* meeting.c: all chains have come to the same iteration of the warm-up. */
void sl__sampler_hold_meeting(sl__sampler *s);
#endif
