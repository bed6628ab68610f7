/* Fitting: optimisers, schedules, maximum likelihood, baselines, a look at data, standard toys. */
#ifndef SL_INFER_INFER_H
#define SL_INFER_INFER_H
#include "flow/flow.h"
#include "infer/loss_history.h"

/* ---- optimisers and schedules: registries. One file each ends in one descriptor; optimisers.def
 * and schedules.def list them ---- */

/* A NaN stands for "the optimiser's own default" (its descriptor's `defaults`). */
typedef struct sl__optimiser_options {
  double beta1, beta2, epsilon, momentum, weight_decay;
} sl__optimiser_options;

enum { SL__MAX_OPTIMISER_STATES = 10 };
typedef struct sl__optimiser {
  const char *name, *summary, *source;
  double default_rate;
  int states; /* vectors of the parameters' size that it keeps, zero at the start */
  sl__optimiser_options defaults;
  /* One step on n numbers: w moves against g_scale * g. step counts from 1; options hold no NaN. */
  void (*update)(const sl__kernels *kernels, int64_t n, void *w, const void *g, void *const *states,
                 double g_scale, double rate, int64_t step, const sl__optimiser_options *options);
} sl__optimiser;
const sl__optimiser *const *sl__optimisers(int *count);
const sl__optimiser *sl__optimiser_find(const char *name); /* NULL: there is none */
/* Replaces every NaN by the optimiser's default. */
sl__optimiser_options sl__optimiser_resolve(const sl__optimiser *optimiser,
                                            const sl__optimiser_options *options);

typedef struct sl__schedule {
  const char *name, *summary;
  /* Factor of the base rate at step (from 0) of `steps`. reductions: how often validation has
   * stalled so far (only plateau reads it). Every schedule starts with a linear rise over
   * warmup_steps. */
  double (*factor)(int64_t step, int64_t steps, int64_t warmup_steps, int64_t reductions);
} sl__schedule;
const sl__schedule *const *sl__schedules(int *count);
const sl__schedule *sl__schedule_find(const char *name); /* NULL: there is none */

/* ---- maximum likelihood ---- */
typedef struct sl__mle_progress {
  int64_t step, steps;
  double loss, valid, best_valid; /* valid: mean log density of a held-out row at the last check */
  double seconds, rows_per_second;
  bool checked; /* valid is fresh */
} sl__mle_progress;

typedef struct sl__mle_options {
  int64_t steps;       /* 0: from epochs */
  double epochs;       /* 0: from steps */
  int64_t batch;       /* cut down to the number of rows when larger */
  int64_t valid_every; /* steps between checks; 0: by itself */
  int64_t patience;    /* checks without improvement before stopping; 0: never stop early */
  int64_t warmup_steps;
  double rate; /* NaN: the optimiser's default */
  const char *optimiser, *schedule;
  sl__optimiser_options optimiser_options;
  double clip;        /* global gradient norm; 0: none */
  double ema;         /* weight averaging decay; 0: none. The average is what is checked and kept */
  double max_seconds; /* 0: none. The only option by which time can change a result */
  uint64_t seed;
  const char *checkpoint;   /* file written now and then; NULL: none */
  int64_t checkpoint_every; /* steps; 0: about every 30 seconds (which changes no number) */
  const char *resume;       /* file; NULL: start anew */
  bool (*progress)(void *user, const sl__mle_progress *now); /* after every step; false stops */
  void *user;
  /* Fresh rows at every step instead of data: fills rows x dim of the flow's type, a function of
   * step alone; NULL: use data. */
  sl_status (*generate)(void *user, int64_t step, int64_t rows, void *x);
} sl__mle_options;

/* Row-major, contiguous, of flow->type, standardised already where the caller wants that. */
typedef struct sl__mle_data {
  int64_t rows;
  const void *x, *context, *weight; /* [rows][dim], [rows][context_dim], [rows]; NULL if none */
  int64_t valid_rows;
  const void *valid_x, *valid_context, *valid_weight;
  /* [dim] widths w of uniform noise on (-w/2, w/2) that spreads rounded values (0: none); NULL:
   * none at all. Training rows get fresh noise at every step, held-out rows one fixed draw: both
   * are given here without it. */
  const double *noise_width;
  /* NULL, or, with noise_width: overwrites columns of x [rows][dim] whose noise is not just added,
   * a function of step and row. index: which training rows; NULL: the held-out ones in order. */
  void (*spread)(const void *user, uint32_t step, int64_t rows, const int64_t *index, void *x);
  const void *spread_user;
} sl__mle_data;

typedef struct sl__mle_report {
  int64_t steps, best_step;
  double train_loss, best_valid, seconds, rows_per_second;
  int64_t skipped; /* steps with a non-finite loss or gradient */
  bool stopped_early, resumed;
  char trouble[512]; /* what was non-finite, where; "" if nothing */
  sl__loss_history history; /* of the checks */
} sl__mle_report;

void sl__mle_defaults(sl__mle_options *options);
/* vector[flow->size]: starting values in; out comes the best by validation, or the last one
 * without held-out rows. SL_STOPPED: the callback stopped it. SL_NUMERIC: 20 steps running were
 * non-finite. In both cases vector and report are filled with the best so far. */
sl_status sl__mle_fit(sl_context *context, const sl__flow *flow, void *vector,
                      const sl__mle_data *data, const sl__mle_options *options,
                      sl__mle_report *report);

/* ---- baselines, in double, on row-major data: train [rows][dim], test [test_rows][dim] ---- */

/* Full-covariance Gaussian by its maximum-likelihood estimate (with a ridge when singular); the log
 * densities [test_rows] of the test rows. */
sl_status sl__baseline_gaussian(sl_context *context, int64_t rows, int64_t test_rows, int32_t dim,
                                const double *train, const double *test, double *log_density);
/* Gaussian mixture by EM, full covariances, number of components chosen on the last tenth of the
 * training rows out of 1,2,5,10,20,50; subsamples big data (and logs how many rows were used). */
sl_status sl__baseline_mixture(sl_context *context, int64_t rows, int64_t test_rows, int32_t dim,
                               const double *train, const double *test, uint64_t seed,
                               double *log_density, int32_t *components);

/* ---- looking at data ---- */
typedef struct sl__column_facts {
  double mean, sd, minimum, maximum; /* sd divides by rows */
  bool constant;
  double lattice;  /* spacing when the values lie on a lattice and tie (rounded or integer data);
                    * 0: continuous */
  double tied;     /* fraction of rows whose value occurs more than once */
  int64_t bad_row; /* first NaN or infinity (then nothing else here is filled in); -1: none */
} sl__column_facts;
/* data [rows][dim] -> facts [dim] */
sl_status sl__column_look(sl_context *context, int64_t rows, int32_t dim, const double *data,
                          sl__column_facts *facts);

/* ---- the standard two-dimensional toys ---- */
typedef struct sl__toy {
  const char *name, *summary;
  double entropy; /* nats: no density's expected -log is smaller */
  /* x [rows][2]: rows first_row.. of an endless table, each a function of (key, row) alone. */
  void (*draw)(sl__random_key key, int64_t first_row, int64_t rows, double *x);
} sl__toy;
const sl__toy *sl__toys(int *count);
#endif
