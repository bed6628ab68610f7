/* The inside of variational inference: one object, made by setup.c, moved by step.c. src/infer/vi
 * only. */
#ifndef SL_INFER_VI_ENGINE_H
#define SL_INFER_VI_ENGINE_H
#include "infer/vi/vi.h"

enum {
  SL__VI_LOSSES = 1000, /* that are averaged, as PyMC3 does */
  SL__VI_SNAPSHOT_STEPS = 100,
  SL__VI_MOST_BAD_STEPS = 20,
  SL__VI_NORMS = 100,                           /* whose median bounds the gradient */
  SL__VI_STATES = SL__MAX_OPTIMISER_STATES + 1, /* the optimiser's, and a velocity around it */
  SL__VI_WINDOWS = 16                           /* that a run is cut into, at most */
};

/* ---- graphs (draw.c) ---- */

/* What a graph of draws starts from. */
typedef struct sl__vi_source {
  const sl__flow *flow;
  const sl__target *target;
  sl_node noise;     /* [dim] of the flow's type; 0: drawn in the graph */
  sl_node tempering; /* float64 scalar that log p is multiplied by; 0: 1 */
} sl__vi_source;
/* x [dim] float64; log_q, log_p []: float64, their values exact, their derivatives those of the
 * road. */
sl__vi_nodes sl__vi_draw(sl__graph *g, const sl__vi_source *source, sl__vi_road road);

/* ---- terms (term.c) ---- */

typedef struct sl__vi_part { /* a program, its memory, and what it reads and writes */
  sl__program *program;
  sl__workspace *workspace;
  sl__feed feeds[3];
  sl__sink *sinks;
} sl__vi_part;

typedef struct sl__vi_work {
  sl__vi_term term;
  const sl__vi_objective *objective; /* NULL: a loss of the caller's */
  sl__vi_estimator estimator;
  uint32_t stream;
  /* log w of the draws, for objectives that weigh them; then the gradient of the weighed draws.
   * With equal weights the latter alone, which gives the summed loss too. */
  sl__vi_part weights, gradient;
  double total;         /* sum of the draws' losses */
  double *log_weights;  /* [samples] */
  double *coefficients; /* [samples] */
  double *noise;        /* [dim][samples], for Sobol points; NULL: none */
  double *cumulative;   /* [rows], of the given draws' weights; NULL: all equal */
  int64_t *index;       /* [samples], which of the given draws a step takes */
  char *slope;          /* [flow->size]: d sum of losses / d parameters */
  double loss, factor;  /* of the last run: mean loss, and what slope is to be multiplied by */
} sl__vi_work;

/* A run of trainable numbers; cut by size alone, so that threads change no bit. */
typedef struct sl__vi_chunk {
  int64_t offset, count;
} sl__vi_chunk;

/* ---- stopping rules (stop.c, stop_windows.c) ---- */

/* Means of the parameters over the windows of a run, all of the same length. */
typedef struct sl__vi_windows {
  int64_t length, filled; /* steps of a window; of the one that is being filled */
  int count;              /* windows filled */
  double *mean;           /* [SL__VI_WINDOWS][size] */
} sl__vi_windows;

typedef struct sl__vi_watch {
  bool by_windows, by_ratio; /* how the change of the parameters is measured */
  sl__vi_windows windows_of_parameters;
  char *reference; /* [size] parameters at the last check */
  bool has_reference;
  double window_sum, window_before;
  int64_t window_count, windows;
  double changes[10];    /* relative changes of the windows' mean losses */
  double *mean, *square; /* [2][size]: of the iterates of each half of the window, Welford */
  int64_t iterates;
  char *iterate_mean; /* [size] of the flow's type, once stationary */
  bool has_mean;
} sl__vi_watch;

/* A place of a run, to come back to. */
typedef struct sl__vi_place {
  char *weights;               /* [size] */
  char *states[SL__VI_STATES]; /* NULL: never gone back to */
  int64_t updates;
} sl__vi_place;

/* Losses of SL__VI_SNAPSHOT_STEPS steps, and where these began (trouble.c). */
typedef struct sl__vi_snapshots {
  sl__vi_place start, best;  /* of this window; of the one whose mean loss was least */
  double sum[2], squares[2]; /* of this window's losses so far, by halves */
  int64_t count;
  double last;              /* mean loss of the window before, which ended where this one begins */
  double least, error;      /* what the best place is worth: a mean loss, and its standard error */
  int64_t returns, waiting; /* to the best one since it was found; windows to the next return */
} sl__vi_snapshots;

struct sl__vi {
  sl_context *context;
  const sl__flow *flow;
  const sl__target *target;
  sl__vi_options options; /* the optimiser's filled in */
  const sl__optimiser *optimiser;
  const sl__schedule *schedule;
  const sl__kernels *kernels; /* of the flow's type */
  int64_t number_size;
  double started;
  sl__arena arena; /* everything below */

  int work_count;
  sl__vi_work *work;
  double tempering;                   /* of this step */
  char *weights, *gradient, *average; /* [size]; average NULL without EMA */
  char *states[SL__VI_STATES];
  int state_count;
  char *before;  /* [size] parameters before the step; NULL without a momentum around it */
  double *bound; /* [flow->parameter_count] of norms, infinity: none; NULL: of no tensor */
  sl__vi_chunk *chunks;
  int64_t chunk_count;
  double *chunk_squares; /* [chunk_count] */

  int64_t step, updates, bad_running, skipped, not_finite, restored, gradients;
  double rate_factor; /* below 1 after bad steps */
  double loss, norm;  /* of the last step */
  bool last_skipped;
  double losses[SL__VI_LOSSES]; /* a ring */
  int64_t loss_count;
  double loss_sum;
  sl__loss_history history;
  sl__vi_snapshots snapshots;
  double norms[SL__VI_NORMS], sorted_norms[SL__VI_NORMS]; /* a ring, and the same in order */
  int64_t norm_count;
  sl__vi_watch watch;
  sl__vi_track **tracks; /* [options.track_count] */
  bool finished;
  double loss_kept; /* NaN until the end was given up for the best place */
  char stopped[160], trouble[512];
};

/* term.c: checks, builds and runs one term. */
sl_status sl__vi_work_open(sl__vi *vi, int index, const sl__vi_term *term);
void sl__vi_work_close(sl__vi_work *work);
/* Leaves the loss, and the gradient in slope times factor. */
sl_status sl__vi_work_run(sl__vi *vi, sl__vi_work *work);
/* After a non-finite result: SL_NUMERIC with the operation that made it, SL_OK if none is found. */
sl_status sl__vi_work_diagnose(sl__vi *vi, sl__vi_work *work);

/* wrap.c: momentum around the optimiser, and bounds on what it leaves. */
sl_status sl__vi_wrap_open(sl__vi *vi);
/* The chunk has been moved, `before` holds what was there. */
void sl__vi_apply_momentum(sl__vi *vi, sl__vi_chunk chunk);
void sl__vi_bound_norms(sl__vi *vi);
/* clip.c: factor in 0..1 for the gradient; 0: leave the step out. */
double sl__vi_clip(sl__vi *vi, double norm);
/* trouble.c: after a step that was not finite. */
sl_status sl__vi_trouble(sl__vi *vi);
/* Keeps the parameters now and then, when the losses since the last time were the best so far. */
void sl__vi_snapshot(sl__vi *vi);
/* At the end: takes up the best parameters if the last ones look worse, and are so by fresh draws
 * too. */
sl_status sl__vi_settle(sl__vi *vi);
/* score.c: the loss of parameters [size] over draws that no step has seen. */
typedef struct sl__vi_score {
  int64_t lost; /* losses that are not finite; they are not in the mean */
  double mean;  /* NaN: there is none */
} sl__vi_score;
/* By the same draws whatever the parameters are, so that two scores can be compared. */
sl_status sl__vi_score_of(sl__vi *vi, const char *parameters, sl__vi_score *score);
/* stop.c: whether a rule says that it is enough. */
sl_status sl__vi_watch_open(sl__vi *vi);
bool sl__vi_enough(sl__vi *vi);
/* stop_windows.c: takes up the parameters of a step; then how far the means of windows drift, or
 * infinity while that cannot be said. */
sl_status sl__vi_windows_open(sl__vi *vi);
double sl__vi_drift(sl__vi *vi);
/* track_spec.c: in a pattern * stands for any run of characters, ? for one. */
bool sl__vi_name_matches(const char *pattern, size_t length, const char *name);
/* history.c */
void sl__vi_remember(sl__vi *vi, double loss);
double sl__vi_loss_average(const sl__vi *vi);

/* Of numbers of the flow's type. */
static inline double sl__vi_number(const sl__flow *flow, const void *numbers, int64_t at) {
  return flow->type == SL_F32 ? (double)((const float *)numbers)[at]
                              : ((const double *)numbers)[at];
}
static inline void sl__vi_put(const sl__flow *flow, void *numbers, int64_t at, double value) {
  if (flow->type == SL_F32)
    ((float *)numbers)[at] = (float)value;
  else
    ((double *)numbers)[at] = value;
}
#endif
