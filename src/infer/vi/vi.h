/* Variational inference: fits the parameters of a flow q so that it comes near a target p, which is
 * known up to a constant, and says how near it came.
 *
 * Everything is about the log weight of a draw, log w = log p(x) - log q(x). A *term* is one
 * objective with its draws; a fit minimises the weighted sum of its terms. The engine (sl__vi_new,
 * sl__vi_step, sl__vi_run) takes steps; sl__vi_fit is the plain mode on top of it; sl__vi_evaluate
 * is the judge, on fresh draws.
 *
 * q is any flow without a context and without angles, of either precision; log p is float64, and
 * op_cast joins them. Draws, noise and batches are functions of (seed, term, step). */
#ifndef SL_INFER_VI_VI_H
#define SL_INFER_VI_VI_H
#include "infer/infer.h"
#include "target/target.h"

struct sl__model;

/* ---- objectives and estimators: registries, objectives.def and estimators.def ---- */

/* How a change of the parameters reaches log w of a draw x = T(z): TOTAL = PATH + SCORE. */
typedef enum sl__vi_road {
  SL__VI_TOTAL, /* both ways */
  SL__VI_PATH,  /* through x alone: log q's own parameters are held */
  SL__VI_SCORE  /* through log q's own parameters alone: x is held */
} sl__vi_road;

/* How the gradient of an objective is estimated; which an objective allows is its own business. */
typedef enum sl__vi_estimator {
#define ESTIMATOR(symbol, name, road, summary) SL__VI_BY_##symbol,
#include "infer/vi/estimators.def"
  SL__VI_ESTIMATORS
} sl__vi_estimator;
typedef struct sl__vi_estimator_row {
  const char *name, *summary;
  sl__vi_road road;
} sl__vi_estimator_row;
extern const sl__vi_estimator_row sl__vi_estimator_rows[SL__VI_ESTIMATORS];

/* One group of draws that an objective looks at together. */
typedef struct sl__vi_group {
  int64_t count;
  const double *log_weights; /* [count] */
  double alpha;              /* Renyi's order */
  sl__vi_estimator estimator;
} sl__vi_group;

typedef struct sl__vi_objective {
  const char *name, *summary, *source;
  uint32_t estimators; /* bit 1 << e: estimator e is right for it */
  sl__vi_estimator usual;
  bool from_draws; /* of given draws from p rather than of draws from q */
  /* Whether the loss is above -log Z or log Z by the weights of draws from q. Few draws see too
   * little of it where q is far from p, and more as q nears p: it may rise while all goes well, so
   * losses cannot be compared. NULL: it never is. */
  bool (*is_upper)(double alpha);
  /* The loss of a group, and coefficients [count] c such that its gradient is the sum of c times
   * the derivative of log w by the estimator's road. NULL: every draw counts the same, loss and
   * gradient are the means of -log w and of its derivative (one run of the graph is enough). */
  double (*weigh)(const sl__vi_group *group, double *coefficients);
} sl__vi_objective;
const sl__vi_objective *const *sl__vi_objectives(int *count);
const sl__vi_objective *sl__vi_objective_find(const char *name); /* NULL: there is none */

/* ---- terms ---- */

/* What a loss of the caller's is made of: x [dim], the draw; its log densities [], float64. */
typedef struct sl__vi_nodes {
  sl_node x, log_q, log_p; /* log_p: times the annealing factor */
} sl__vi_nodes;
/* Builds the loss of one draw, a float64 scalar; the objective is its mean. Called once or more. */
typedef sl_node (*sl__vi_loss)(void *user, sl__graph *g, const sl__vi_nodes *nodes);

typedef struct sl__vi_term {
  const char *objective; /* NULL: "elbo" */
  const char *estimator; /* NULL: the objective's usual one */
  double weight;         /* factor of this term; sl__vi_set_weight changes it between steps */
  int64_t samples;       /* draws per step */
  int64_t particles;     /* draws per group; 0: all of a step are one group */
  double alpha;          /* of "renyi" */
  sl__vi_loss loss;      /* instead of the objective; the estimator says how log_q depends on x */
  void *loss_user;
  /* Draws from p, for objectives from draws: x [rows][dim]; log weights [rows], NULL: all equal. A
   * step takes `samples` of them, each with the probability of its weight. */
  int64_t rows;
  const double *draws, *log_weights;
} sl__vi_term;

/* ---- options ---- */

/* When to stop before the last step. All are off at 0. */
typedef struct sl__vi_stopping {
  /* Parameters hardly move. By which change: "windows" (or NULL), of means over windows of `every`
   * steps and more, less their noise (stop_windows.c); or as PyMC3 looks, at every `every`-th step,
   * "relative", (|new - old| + 1e-6) / (|old| + 1e-6), or "absolute", |new - old|, of which the
   * norm of order `norm` counts (infinity: the largest). */
  double parameter_tolerance;
  const char *change;
  int64_t every; /* below 1: 100 */
  double norm;
  /* The mean loss of a window of `elbo_window` steps (0: 500) changes by less than this, relative
   * to it: the median over the last ten windows, as CmdStan's ADVI judges. */
  double elbo_tolerance;
  int64_t elbo_window;
  /* The iterates have become stationary, and their mean is known to this many of the draws'
   * standard deviations: then the mean of the window is kept (vi_stop.c). */
  double iterate_tolerance;
  int64_t iterate_window; /* 0: 1,000 steps */
} sl__vi_stopping;

typedef struct sl__vi sl__vi;

/* What is shown after every step. The arrays live until the next step. */
typedef struct sl__vi_progress {
  int64_t step, steps; /* done, planned */
  double loss;         /* of this step */
  double loss_average; /* of the last 1,000 losses, as PyMC3 prints it */
  double gradient_norm;
  double seconds;
  bool skipped; /* the step was not finite and moved nothing */
  const sl__flow *flow;
  const void *parameters, *gradient; /* [flow->size] of the flow's type */
} sl__vi_progress;

/* Numbers of the caller's, asked for with every row of the first tracker; without a tracker after
 * every step. What is not SL_OK ends the run: by SL_STOPPED as the progress callback's false does. */
typedef struct sl__vi_function {
  sl_status (*call)(void *user, const sl__vi_progress *now, double *values); /* NULL: none */
  void *user;
  int32_t count;            /* of the values, which are NaN unless given */
  const char *const *names; /* [count] of their columns */
} sl__vi_function;

typedef struct sl__vi_options {
  int term_count;
  const sl__vi_term *terms; /* copied; what they point to is borrowed */
  int64_t steps;
  double rate;                      /* NaN: the optimiser's default */
  const char *optimiser, *schedule; /* sl__vi_optimiser's names */
  sl__optimiser_options optimiser_options;
  int64_t warmup_steps;
  /* Momentum around whatever the optimiser does, plain or Nesterov's, not both; 0: none. */
  double apply_momentum, apply_nesterov_momentum;
  const char *max_norm; /* "X" or "PATTERN=X,...", bounds on weights (wrap.c); NULL: none */
  double clip;          /* bound on the gradient's norm; 0: none */
  /* Bound it by twice its own running median, and leave a step out beyond ten times. */
  bool clip_by_median;
  /* When the mean loss of 100 steps is far above the least so far (trouble.c says how far), take up
   * parameters and the optimiser's memory again as they were before the best 100, at half the rate,
   * which recovers over some 2,000 steps; to the same place ever more seldom. A fit that ends far
   * above keeps the better of both by fresh draws. */
  bool go_back;
  double ema; /* decay of the running mean of the parameters, which is what is kept; 0: none */
  double anneal_from;   /* log p counts this much at the start, ... */
  int64_t anneal_steps; /* ... and fully from this step on; 0: always fully */
  bool sobol;           /* scrambled Sobol points for noise: normal bases, up to SL__SOBOL_DIMS */
  uint64_t seed;
  double max_seconds; /* 0: none. The only option by which time can change a result */
  bool quiet;         /* the log hears nothing of steps that are not finite; the report does */
  /* Trackers (below), opened with the run; sl__vi_fit writes their files. */
  int track_count;
  const char *const *tracks; /* specs */
  sl__vi_function function;
  double *losses; /* [steps], filled with the loss of every step; NULL: not wanted */
  sl__vi_stopping stop;
  bool (*progress)(void *user, const sl__vi_progress *now); /* after every step; false stops */
  void *user;
} sl__vi_options;
/* One term, "elbo" with 100 samples; Adam. */
void sl__vi_defaults(sl__vi_options *options, sl__vi_term *term);

/* The optimiser that variational inference means by a name: PyMC3's, where PyMC3 has one of that
 * name ("sgd" and "rmsprop" there have other defaults and another place for epsilon). */
const sl__optimiser *sl__vi_optimiser(const char *name);

/* ---- the engine ---- */

typedef struct sl__vi_report {
  int64_t steps;                /* taken, with those left out */
  int64_t skipped;              /* steps that moved nothing */
  int64_t not_finite;           /* of these, whose loss or gradient was not finite */
  int64_t restored;             /* times that the best parameters so far were taken up again */
  int64_t gradient_evaluations; /* rows of log p with their gradient */
  double loss_average;          /* mean of the last 1,000 losses, whatever is kept */
  /* Of what is kept, over fresh draws, where that is not the end: the last of `restored` came after
   * the last step. NaN: the end is kept. */
  double loss_kept;
  double seconds;
  char stopped[160]; /* why before the last step; "" if it was not */
  char trouble[512]; /* what was not finite, where; "" if nothing */
  sl__loss_history history;
} sl__vi_report;

/* vector [flow->size]: starting values, copied. The options' pointers are borrowed. */
sl_status sl__vi_new(sl_context *context, const sl__flow *flow, const void *vector,
                     const sl__target *target, const sl__vi_options *options, sl__vi **out);
void sl__vi_free(sl__vi *vi);
/* One step. SL_NUMERIC: 20 steps running were not finite. */
sl_status sl__vi_step(sl__vi *vi);
/* Up to so many steps more, with progress, stopping rules and the time limit; *finished: one of
 * these ended it. SL_STOPPED: the callback did. */
sl_status sl__vi_run(sl__vi *vi, int64_t steps, bool *finished);
void sl__vi_set_weight(sl__vi *vi, int term, double weight);
void sl__vi_set_rate(sl__vi *vi, double rate);
/* What is kept: the running mean, the mean of the iterates, or the last parameters. */
const void *sl__vi_parameters(const sl__vi *vi);
void sl__vi_report_of(const sl__vi *vi, sl__vi_report *report);
/* To the log, at the end: only the first of several steps that were not finite has been described. */
void sl__vi_say_skipped(sl_context *context, int64_t steps);

/* SL_BAD_ARGUMENT: the target has no parameters. */
sl_status sl__vi_check_target(sl_context *context, const sl__target *target);

/* Plain mode: all of the options' steps. vector: starting values in, what is kept out; it and the
 * report are filled after SL_STOPPED and SL_NUMERIC too. */
sl_status sl__vi_fit(sl_context *context, const sl__flow *flow, void *vector,
                     const sl__target *target, const sl__vi_options *options,
                     sl__vi_report *report);

/* Gives every parameter that starts at random (SL__INITIAL_NORMAL) this standard deviation. */
void sl__vi_jitter(const sl__flow *flow, void *vector, double jitter);

/* ---- the judge ---- */

typedef struct sl__vi_scores {
  int64_t rows, lost;   /* lost: draws whose log weight is +infinity or NaN; they are left out */
  double elbo, elbo_se; /* -infinity when q gives mass to where p is zero */
  double log_evidence, log_evidence_se; /* importance weighted, Pareto smoothed */
  double khat, khat_threshold, ess;     /* ess: of the rows */
  double largest_weight;                /* of a draw, as a share of all weights */
} sl__vi_scores;
/* What the largest weight may be. Of S weights with a tail of shape k it is about S^(k - 1) of all
 * (Vehtari et al. 2024, section 3); this is that at the threshold of k-hat, 0.05 of 20,000. */
double sl__vi_most_weight(const sl__vi_scores *scores);
/* Draws `rows` rows of q. x [rows][dim], log_weights [rows]: NULL or the draws and their log w. */
sl_status sl__vi_evaluate(sl_context *context, const sl__flow *flow, const void *vector,
                          const sl__target *target, int64_t rows, uint64_t seed, double *x,
                          double *log_weights, sl__vi_scores *scores);
/* log w [rows] of given points x [rows][dim], for bounds from the other side: the mean over draws
 * from p is an upper bound of log Z. */
sl_status sl__vi_log_weights(sl_context *context, const sl__flow *flow, const void *vector,
                             const sl__target *target, int64_t rows, const double *x,
                             double *log_weights);

/* ---- plain mode ---- */

/* Plain mode from a formula to a model: makes the flow (type, base NULL: "normal"), jitters its
 * start unless jitter is NaN, fits it, judges it by `draws` fresh draws, and keeps it with the
 * target's coordinates for columns. *out is there after SL_STOPPED and SL_NUMERIC too. */
typedef struct sl__vi_plan {
  const char *formula, *base;
  sl_dtype type;
  double jitter;
  int64_t draws;
  sl__vi_options options;
  /* Instead of options.function.call, which is set from it: the same with the flow as it is now. */
  sl_status (*function)(void *user, const sl__vi_progress *now, struct sl__model *model,
                        double *values);
} sl__vi_plan;
typedef struct sl__vi_result {
  sl__vi_report fit;
  sl__vi_scores scores;
  bool trusted; /* by its own draws: k-hat is below its threshold */
  char verdict[512];
} sl__vi_result;
sl_status sl__vi_plain(sl_context *context, const sl__target *target, const sl__vi_plan *plan,
                       struct sl__model **out, sl__vi_result *result);

/* ---- trackers ---- */

typedef struct sl__vi_track sl__vi_track;
/* Spec: [WHAT,...][@EVERY][=FILE], EVERY 1 and FILE track.csv unless given. WHAT: loss,
 * loss_average, gradient_norm, seconds; the name of a tensor or a pattern of names with * and ?
 * ("layers.1.*"): its numbers; gradient:PATTERN: their gradient. NULL: every step, no file. */
sl_status sl__vi_track_new(sl_context *context, const sl__flow *flow, const char *spec,
                           sl__vi_track **out);
/* Columns of the caller's, once, before the first step. */
sl_status sl__vi_track_function(sl__vi_track *track, const sl__vi_function *function);
sl_status sl__vi_track_step(sl__vi_track *track, const sl__vi_progress *now);
/* Numbers recorded: columns, the first of which is the step; values [rows][columns]. */
int64_t sl__vi_track_rows(const sl__vi_track *track);
int32_t sl__vi_track_columns(const sl__vi_track *track);
const char *sl__vi_track_name(const sl__vi_track *track, int32_t column);
const double *sl__vi_track_values(const sl__vi_track *track);
const char *sl__vi_track_file(const sl__vi_track *track);
/* To its file, CSV or NPY, if it has one. */
sl_status sl__vi_track_write(const sl__vi_track *track);
void sl__vi_track_free(sl__vi_track *track);

/* ---- noise ---- */
enum { SL__SOBOL_DIMS = 21 };
/* x [rows][dim] at row_stride, column_stride: normal points of a Sobol sequence, Owen scrambled by
 * the key: another scrambling for each step. dim at most SL__SOBOL_DIMS. */
void sl__sobol_normal(sl__random_key key, int64_t rows, int32_t dim, int64_t row_stride,
                      int64_t column_stride, double *x);
#endif
