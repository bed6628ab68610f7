/* The inside of maximum likelihood: one object, made by mle_setup.c, driven by mle.c, whose `state`
 * is all that a checkpoint must hold beside the vectors. src/infer only. */
#ifndef SL_INFER_MLE_H
#define SL_INFER_MLE_H
#include "infer/infer.h"

/* A run of trainable numbers: one task of the parallel passes over the parameters. Cut by size
 * alone, so that threads change no bit. */
typedef struct sl__mle_chunk {
  int64_t offset, count;
} sl__mle_chunk;

typedef struct sl__mle_state {
  int64_t step;        /* steps taken, bad ones too: step s reads rows s * batch.. of all epochs */
  int64_t updates;     /* steps that moved the parameters */
  int64_t bad_running; /* bad steps since the last good one */
  int64_t skipped;
  int64_t best_step, stale;    /* stale: checks since the best */
  int64_t stalled, reductions; /* checks since the best or the last reduction of the rate */
  int64_t loss_count;
  double loss_sum;    /* since the last check */
  double rate_factor; /* below 1 after bad steps */
  double train_loss;  /* mean between the last two checks */
  double valid, best; /* mean log density of a held-out row: at the last check, and at most */
  double seconds;     /* before this process */
  sl__loss_history history;
} sl__mle_state;

typedef struct sl__mle {
  sl_context *context;
  const sl__flow *flow;
  const sl__mle_data *data;
  sl__mle_options options; /* batch, steps, valid_every and the optimiser's filled in */
  const sl__optimiser *optimiser;
  const sl__schedule *schedule;
  const sl__kernels *kernels; /* of the flow's type */
  int64_t number_size, plateau_patience;
  bool validates;
  double started;
  int64_t first_step; /* of this process */

  sl__program *train, *score;
  sl__workspace *train_workspace, *score_workspace;
  sl__sink *train_sinks; /* total, then gradients by trainable parameter */
  double total;          /* sum over the batch of weight times log density */

  sl__arena arena;                           /* everything below */
  char *weights, *gradient, *average, *best; /* [flow->size]; average NULL without EMA */
  char *states[SL__MAX_OPTIMISER_STATES];
  sl__mle_chunk *chunks;
  int64_t chunk_count;
  double *chunk_squares;       /* [chunk_count] */
  int64_t *permutation, epoch; /* [rows]: of this epoch; -1: none yet */
  int64_t *index;              /* [batch]: which row of the data is row r of the batch */
  char *rows;                  /* [batch][dim]: rows with noise, or generated ones; or NULL */
  char *noise;                 /* [rows rounded up]: uniforms of one feature */
  double *scores;              /* [batch or valid_rows] */
  char *valid_x;               /* [valid_rows][dim] with noise; or NULL */
  sl__feed feeds[3], valid_feeds[3];
  int64_t look_rows;           /* room for so many rows to be shown; 0: nothing looks */
  char *look_x, *look_context; /* [look_rows][dim], [look_rows][context_dim] */
  int64_t *look_index;         /* [look_rows]: which row of the data it is */

  sl__mle_state state;
  int64_t zeros; /* if nothing else was the last trouble: rows of its batch with density 0 */
  char trouble[512];
} sl__mle;

/* mle_setup.c */
sl_status sl__mle_open(sl_context *context, const sl__flow *flow, const void *vector,
                       const sl__mle_data *data, const sl__mle_options *options, sl__mle *mle);
void sl__mle_close(sl__mle *mle);

/* mle_batch.c: points the feeds at the rows of the step, and adds up their weights. */
sl_status sl__mle_batch(sl__mle *mle, int64_t step, double *weight);
/* x [rows][dim] plus the noise of one step -> out [rows][dim]; index NULL: rows in order. */
void sl__mle_add_noise(const sl__mle *mle, uint32_t step, int64_t rows, const char *x,
                       const int64_t *index, char *out);

/* mle_step.c: one step of the optimiser, unless the loss or the gradient is not finite. */
sl_status sl__mle_step(sl__mle *mle);
sl__run sl__mle_train_run(const sl__mle *mle);

/* mle_validate.c: scores the held-out rows, keeps the best, counts towards patience. */
sl_status sl__mle_check(sl__mle *mle);
/* What is checked and kept: the average or the weights. */
const char *sl__mle_candidate(const sl__mle *mle);

/* mle_trouble.c: finds out what was not finite, says so, and slows down. */
sl_status sl__mle_trouble(sl__mle *mle, double loss, double norm);
/* At the end: only the first of the steps that were skipped have been said one by one. */
void sl__mle_say_skipped(sl__mle *mle);
/* SL_NUMERIC: trouble persists. */
sl_status sl__mle_give_up(sl__mle *mle);
/* Whether there are numbers that the flow cannot make whatever its parameters are: the image of the
 * whole line under some layer is a part of it. */
bool sl__mle_reaches_part(const sl__flow *flow);
/* Keeps the first trouble for the report and logs every one. */
void sl__mle_say(sl__mle *mle, const char *line);

/* mle_look.c */
sl_status sl__mle_open_look(sl__mle *mle);
/* Before the first step; what it writes is the starting point of the best and the average too. */
sl_status sl__mle_first_look(sl__mle *mle);
/* At the end of a step, if it is one after which to look. */
sl_status sl__mle_look_again(sl__mle *mle);

/* mle_checkpoint.c */
sl_status sl__mle_save(sl__mle *mle, const char *path);
sl_status sl__mle_resume(sl__mle *mle, const char *path);
double sl__mle_seconds(const sl__mle *mle); /* all processes together */
#endif
