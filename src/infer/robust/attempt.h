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
  double fastest;  /* wave in what was explored, radians per whitened unit; 0: none is fast */
  char tuned[160]; /* the layers of the attempt at hand, where the draws had a say in them */
  int attempt;
  double started;
  int64_t judging;          /* gradients that judging took, which the budget does not count */
  bool stopped;             /* by the caller */
  sl__loss_history history; /* of the attempt at hand */
} sl__robust;

/* ladder.c: the plans by dimension, attempt 0, 1 ..; false after the last. */
bool sl__robust_plan(sl__robust *run, int attempt, sl__plan_of_attempt *out);

/* wide.c: draws to the points on the population's way, and what each is to count; in few
 * dimensions, elsewhere there are none. */
sl_status sl__robust_widen(sl_context *context, const sl__target *target, sl__arena *arena,
                           sl__exploration *e);
/* The heaviest of a judged flow's draws x [rows][dim] join them. */
sl_status sl__robust_widen_by(sl__robust *run, int64_t rows, const double *x,
                              const double *log_weights);
/* waves.c: the frequency of the strongest fast wave in the draws, as layers see them; 0: none. */
sl_status sl__robust_fastest_wave(sl_context *context, const sl__exploration *e, double *out);

/* start.c: a model at its start: whitened by the exploration, with the layers of `before` (or
 * NULL) where it deepens. */
sl_status sl__robust_start(const sl__robust *run, const sl__plan_of_attempt *plan,
                           const sl__model *before, sl__model **out);
/* margins.c: the layer SL__MARGINS, if there is one, starts as the exploration's margins. */
sl_status sl__robust_start_margins(const sl__robust *run, sl__model *model);
#define SL__MARGINS "elementwise(rqs,bins=64,bound=5)"
enum { SL__MARGIN_BINS = 64, SL__MARGIN_BOUND = 5 };
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
/* robust.c: what the exploration says, into a report. */
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

/* certify.c: fills scores and bounds of *report; verdict.c: certified and verdict. */
sl_status sl__robust_judge(sl__robust *run, const sl__model *model, sl__robust_report *report);
void sl__robust_verdict(sl__robust_report *report);
/* What is against a certificate, into text; false: nothing. */
bool sl__robust_object(const sl__robust_report *report, char *text, size_t size);
/* The same, without what is against the exploration, which no other flow could mend. */
bool sl__robust_object_to_flow(const sl__robust_report *report, char *text, size_t size);
/* record.c: the training record of the model that is kept. */
sl_status sl__robust_record(const sl__robust *run, const sl__robust_report *report,
                            sl__model *model);
/* How much too low the ELBO is, by what is known: an upper estimate. */
double sl__robust_gap(const sl__robust_report *report);
/* The gap that is good enough to stop at, and the one that a certificate allows. */
double sl__robust_goal(int32_t dim);
double sl__robust_allowance(int32_t dim);
#endif
