/* One attempt of the robust mode: a flow, fitted to what was explored and then by its own draws,
 * and judged by both. src/infer/robust only. */
#ifndef SL_INFER_ROBUST_ATTEMPT_H
#define SL_INFER_ROBUST_ATTEMPT_H
#include "flow/model.h"
#include "infer/robust/explore.h"
#include "infer/robust/robust.h"

/* What an attempt is to be. */
typedef struct sl__plan_of_attempt {
  const char *base;   /* formula; NULL: normal */
  const char *layers; /* formula, before the layers that undo the whitening */
  bool deepens;       /* starts from the attempt before, whose last layers it shares */
  int64_t likelihood_steps, steps, batch;
  double rate;
} sl__plan_of_attempt;

/* The run that attempts are part of. */
typedef struct sl__robust {
  sl_context *context;
  const sl__target *target;
  const sl__robust_options *options;
  sl__exploration *exploration;
  sl__arena *arena;          /* of the exploration */
  sl__robust_report *report; /* of the whole; attempts add their steps and evaluations */
  sl_dtype type;
  double fastest; /* wave in what was explored, radians per whitened unit; 0: none is fast */
  bool heavy;     /* heavy.c: what was explored has tails without an sd to rely on */
  sl__draws own;  /* weighed.c: of the first attempt's flow, where they are of use; else rows 0 */
  double *own_log_weights;
  const char
      *drivers; /* coupling's mask: 1 is a coordinate that drives others' scales; NULL: none */
  char waved[512],
      driven[512]; /* the layers of the attempt at hand, where waves in the draws, or */
                   /* drivers, had a say in them */
  int attempt;
  double first_gap; /* of the first attempt; 0 before it has ended */
  double least_gap; /* of the attempts that are as good as the best, certified or not */
  double started;
  int64_t not_finite; /* steps of all attempts */
  int64_t judging;    /* gradients that judging took, which the budget does not count */
  bool stopped;       /* by the caller */
  /* Of the attempt at hand; loss_average: NaN if it took no step. */
  sl__loss_history history;
  double loss_average;
} sl__robust;

static inline uint64_t sl__robust_seed(const sl__robust *run, uint32_t part) {
  return sl__seed_of_part(run->options->seed, part, run->attempt);
}

/* The share of the exploration that a flow may hardly reach. */
#define SL__MOST_MISSED 0.01

/* ladder.c: the plans by dimension, attempt 0, 1 ..; false after the last. */
bool sl__robust_plan(sl__robust *run, int attempt, sl__plan_of_attempt *out);

/* wide.c: draws to the points on the population's way, and what each is to count; in few
 * dimensions, elsewhere there are none. */
sl_status sl__robust_widen(sl_context *context, const sl__target *target, sl__arena *arena,
                           sl__exploration *e);
/* The heaviest of a judged flow's draws x [rows][dim] join them. */
sl_status sl__robust_widen_by(sl__robust *run, int64_t rows, const double *x,
                              const double *log_weights);
/* weighed.c: keeps the draws x [rows][dim] that the first attempt's flow was judged by, where modes
 * are apart and it reaches them: their weights know the modes' shares better than all else. */
sl_status sl__robust_weigh_modes(sl__robust *run, const sl__robust_report *report, int64_t rows,
                                 const double *x, const double *log_weights);
/* Whether the flow has the shares of modes less well than these weights do. */
bool sl__robust_shares_mendable(const sl__robust *run);
/* The margins of the model, which is that flow, become those that the weights tell. */
sl_status sl__robust_weigh_margins(const sl__robust *run, sl__model *model);
/* waves.c: the buffer's first rows as the layers see them, out [dim][rows]; e->factor is there. */
void sl__robust_whiten_draws(const sl__exploration *e, int64_t rows, double *out);
/* drivers.c: finds run->drivers. */
sl_status sl__robust_find_drivers(sl__robust *run);
/* waves.c: the frequency of the strongest fast wave in the draws, as layers see them; 0: none. */
sl_status sl__robust_fastest_wave(sl_context *context, const sl__exploration *e, double *out);

/* heavy.c: finds run->heavy, in one dimension. */
sl_status sl__robust_find_heavy(sl__robust *run);
sl_status sl__robust_has_heavy_tails(sl_context *context, const sl__draws *draws, bool *out);
/* Of the buffer, of one dimension: the median, and what the sd would be if quartiles told it. */
sl_status sl__robust_measure_quartiles(sl_context *context, const sl__exploration *e,
                                       double *centre, double *spread);
/* In place of means and sds, which such tails do not have: *mean_gap between medians, in sds that
 * quartiles tell, and *sd_gap, |log ratio| of these. shares [known->rows], of sum 1; NULL: alike. */
sl_status sl__robust_compare_quartiles(sl_context *context, const sl__draws *own,
                                       const sl__draws *known, const double *shares,
                                       double *mean_gap, double *sd_gap);

/* proper.c: SL_BAD_ARGUMENT: the density has no finite integral, along which coordinate. */
sl_status sl__robust_check_proper(sl__robust *run);

/* start.c: a model at its start: whitened by the exploration, with the layers of `before` (or
 * NULL) where it deepens. */
sl_status sl__robust_start(const sl__robust *run, const sl__plan_of_attempt *plan,
                           const sl__model *before, sl__model **out);
/* margins.c: the layer SL__MARGINS, if there is one, starts as the exploration's margins. */
sl_status sl__robust_start_margins(const sl__robust *run, sl__model *model);
#define SL__MARGINS "elementwise(rqs,bins=64,bound=5.5)"
enum { SL__MARGIN_BINS = 64 };
#define SL__MARGIN_BOUND 5.5
#define SL__MARGIN_LEAST 1e-3 /* share of the box that a bin has, and slope */
/* Where its parameters begin: for each bin a row of [dim] widths, then of heights, and of slopes
 * between bins, as the two functions below have them from shares of the box; -1: there is none. */
int64_t sl__robust_margins_at(const sl__model *model);
double sl__robust_raw_share(double share);
double sl__robust_raw_slope(double slope);
/* The type that the flow is computed in. */
sl_dtype sl__robust_type(const sl__exploration *exploration);

/* fit.c */
sl_status sl__robust_improve(sl__robust *run, const sl__plan_of_attempt *plan, sl__model *model);
double sl__robust_seconds_left(const sl__robust *run); /* infinity: no limit */
bool sl__robust_is_spent(const sl__robust *run);       /* the time or the gradients are over */
/* To the caller, who may stop the run. */
bool sl__robust_tell(sl__robust *run, int stage, int64_t step, int64_t steps, double loss);

/* walk.c: explores again, through a flow that was judged; *adopted: the run has another
 * exploration now, and the flow is to be judged by that. */
sl_status sl__robust_walk(sl__robust *run, const sl__model *model, const sl__robust_report *judged,
                          bool *adopted);
/* robust.c: whether a is the better attempt; least_gap: of all so far, these two among them. */
bool sl__robust_is_better(const sl__robust_report *a, const sl__robust_report *b, double least_gap);
/* What the exploration says, into a report. */
void sl__robust_note_exploration(const sl__exploration *e, sl__robust_report *report);

/* keep.c: the best parameters of a stage. */
typedef struct sl__keeping {
  const sl__robust *run;
  const sl__flow *flow;
  double best, best_se; /* their score; infinity: there are none */
  int64_t rows;
  double *log_weights; /* [rows] */
  void *vector;        /* [flow->size] */
} sl__keeping;
sl_status sl__keeping_open(const sl__robust *run, const sl__flow *flow, sl__keeping *keeping);
void sl__keeping_close(sl__keeping *keeping);
sl_status sl__keeping_look(sl__keeping *keeping, const void *vector);
/* At the stage's end: vector is set back to the best where it is worse by more than chance. */
sl_status sl__keeping_settle(const sl__keeping *keeping, void *vector, bool *rolled_back);

/* What an attempt is judged by; x [rows][dim], fresh [fresh_rows][dim]. */
typedef struct sl__judged {
  int64_t rows, fresh_rows;
  double *x, *log_weights;  /* of q */
  double *fresh, *at_fresh; /* of p, and log w there */
} sl__judged;
/* tails.c: fills tail_missed. */
sl_status sl__robust_weigh_tails(const sl__robust *run, const sl__model *model, sl__arena *arena,
                                 sl__robust_report *report);
/* gaps.c: into the report. cut: log w above which draws of p are strays. */
sl_status sl__robust_compare_moments(const sl__robust *run, const sl__judged *j,
                                     sl__robust_report *report);
sl_status sl__robust_compare_weighted(const sl__robust *run, sl__arena *arena, const sl__judged *j,
                                      sl__robust_report *report);
void sl__robust_measure_strays(const sl__judged *j, int32_t dim, double cut,
                               sl__robust_report *report);
/* A draw of p is missed where log w, less log Z, is not below this. */
double sl__robust_hole(int32_t dim);
/* certify.c: fills scores and bounds of *report; verdict.c: certified and verdict. */
sl_status sl__robust_judge(sl__robust *run, const sl__model *model, sl__robust_report *report);
void sl__robust_verdict(sl__robust_report *report);
/* rules.c: what is against a certificate, into text; false: nothing. */
bool sl__robust_object(const sl__robust_report *report, char *text, size_t size);
/* The same, without what is against the exploration, which no other flow could mend. */
bool sl__robust_object_to_flow(const sl__robust_report *report, char *text, size_t size);
/* verdict.c: what the gaps are of, "mean" and "an sd" or, by_quartiles, what stands for them. */
const char *sl__robust_middle(const sl__robust_report *report);
const char *sl__robust_width(const sl__robust_report *report);
/* Whether q has the exploration's moments, but for what these can be wrong by. */
bool sl__robust_moments_agree(const sl__robust_report *report);
/* Whether strays move an sd, but where q's own tails are so heavy that this may be chance. */
bool sl__robust_strays_excused(const sl__robust_report *report);
/* Whether tempering claims more mass than q has, and is not heeded: all of it lies where q does. */
bool sl__robust_population_excused(const sl__robust_report *report);
/* record.c: the training record of the model that is kept. */
sl_status sl__robust_record(const sl__robust *run, const sl__robust_report *report,
                            sl__model *model);
/* How much too low the ELBO is, by what is known: an upper estimate. */
double sl__robust_gap(const sl__robust_report *report);
/* The gap that is good enough to stop at, and the one that a certificate allows. */
double sl__robust_goal(int32_t dim);
double sl__robust_allowance(int32_t dim);
#endif
