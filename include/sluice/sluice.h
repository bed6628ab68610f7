/* sluice.h - normalizing flows in C: the whole public API, easiest first.
 *
 *   tier 1   fit rows, score rows, draw rows; load and save
 *   tier 2   flows by formula, parameters, maps, gradients; evaluators for many small calls
 *   tier 3   training a flow of one's own, on rows, on fresh points or by any loss of its draws
 *
 * Every call that can fail takes a context first and gives a sl_status. Besides the failures
 * that its comment names, any may give SL_NO_MEMORY, and SL_BAD_ARGUMENT when a view has the
 * wrong shape; the text in sl_error says what is wrong and what would mend it. A call that fails
 * makes no handle and changes none. Handles must not be NULL, except to the _free calls. Outputs
 * are the caller's memory. Log densities are in nats. Bits depend on inputs, options and seeds,
 * never on the number of threads.
 *
 * Sources: change of variables, Rezende and Mohamed 2015 (arXiv:1505.05770), equation 5; the
 * field in one notation, Papamakarios et al. 2021 (JMLR 22:57); each layer's own paper stands in
 * its file in src/flow and in `sluice flows NAME`. */
#ifndef SL_SLUICE_H
#define SL_SLUICE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_VERSION "0.1.0"

#if defined(__GNUC__)
#define SL_API __attribute__((visibility("default")))
#else
#define SL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Status. Every call that can fail returns one; its text is sl_error(context). Append only. */
#define SL_STATUS_LIST(X)                                                                          \
  X(OK, "success")                                                                                 \
  X(STOPPED, "stopped by the progress callback")                                                   \
  X(NO_MEMORY, "out of memory")                                                                    \
  X(BAD_ARGUMENT, "argument out of range or wrong shape")                                          \
  X(SYNTAX, "formula or program rejected")                                                         \
  X(IO, "file not read or not written")                                                            \
  X(FORMAT, "malformed file")                                                                      \
  X(NUMERIC, "non-finite value")                                                                   \
  X(UNSUPPORTED, "no such operation, direction or feature")
#define SL_STATUS_ENUM_(name, text) SL_##name,
typedef enum sl_status { SL_STATUS_LIST(SL_STATUS_ENUM_) } sl_status;

/* Element types of arrays and of programs. */
typedef enum sl_dtype { SL_F32, SL_F64 } sl_dtype;

/* A context belongs to one thread at a time: workers, allocator, log, last error. */
typedef struct sl_context sl_context;

typedef struct sl_context_options { /* zeros mean the defaults, except size */
  size_t size;                      /* sizeof(sl_context_options): how the struct may grow */
  int32_t threads;                  /* 0: one per core; no result depends on it */
  /* All memory comes from here: pointer NULL allocates, new_size 0 frees, NULL returned means
   * exhausted. Called from the thread that uses the context. NULL: the C library's. */
  void *(*reallocate)(void *user, void *pointer, size_t old_size, size_t new_size);
  void (*log)(void *user, int32_t level, const char *line); /* NULL: the library says nothing */
  void *user;                                               /* handed to both functions */
} sl_context_options;

/* Makes a context; options may be NULL. On failure *out is NULL, and the status is all there is
 * to know. */
SL_API sl_status sl_context_new(const sl_context_options *options, sl_context **out);
/* Ends its threads and frees it; NULL is fine. Handles made from it must be freed before. */
SL_API void sl_context_free(sl_context *context);
/* What the last failed call found wrong, and what would mend it; "" if none failed. Valid until
 * the next call on this context. */
SL_API const char *sl_error(const sl_context *context);
/* Where in the user's text (formula, CSV, JSON) the last failure lies, 1-based; false if it has
 * no place. */
SL_API bool sl_error_place(const sl_context *context, int32_t *line, int32_t *column);
/* A status in words; a constant string. */
SL_API const char *sl_status_text(sl_status status);

/* ---- version ------------------------------------------------------------------------------- */

#define SL_VERSION_NUMBER 100 /* major * 10000 + minor * 100 + patch */

/* The version of the library that is loaded; compare with SL_VERSION_NUMBER, the header's. */
SL_API int32_t sl_version(void);
/* The same as text, "0.1.0". Static. */
SL_API const char *sl_version_text(void);

/* ---- arrays -------------------------------------------------------------------------------- */

/* Arrays are borrowed views of the caller's memory: row r, column c stands at
 * data[r * row_stride + c * column_stride], strides counted in elements of dtype. Nothing here is
 * kept after a call returns, and nothing is freed. Either element type may be passed anywhere;
 * numbers are converted on the way. Where a call takes a pointer to a view, NULL or a view whose
 * data is NULL means "none". These two structs are frozen: they will never grow. */
typedef struct sl_array_in {
  const void *data;
  sl_dtype dtype;
  int64_t rows, columns;
  int64_t row_stride, column_stride;
} sl_array_in;

typedef struct sl_array_out {
  void *data;
  sl_dtype dtype;
  int64_t rows, columns;
  int64_t row_stride, column_stride;
} sl_array_out;

/* Contiguous row-major views of rows x columns numbers. */
SL_API sl_array_in sl_in_f32(const float *data, int64_t rows, int64_t columns);
SL_API sl_array_in sl_in_f64(const double *data, int64_t rows, int64_t columns);
SL_API sl_array_out sl_out_f32(float *data, int64_t rows, int64_t columns);
SL_API sl_array_out sl_out_f64(double *data, int64_t rows, int64_t columns);

/* ---- tier 1: fit rows, score rows, draw rows ------------------------------------------------ */

/* A flow: a base density, a chain of invertible layers, their parameters and, when it was fitted,
 * the standardisation, the columns of its data and their types. Every density below is in the
 * data's own units (the Jacobians of standardisation and types are included), in nats; of shares
 * that sum to 1 it is the density of all but the last. A flow is read-only except in the calls
 * that fit it or set its parameters: between those, any number of threads may use one flow, each
 * with a context (and evaluator) of its own. */
typedef struct sl_flow sl_flow;

/* How the rows of a fit are scored: frozen. Rows = 0 where there was nothing to score; then the
 * numbers are NaN. */
typedef struct sl_score {
  double log_prob;              /* mean log density per row, nats, data's own units */
  double se;                    /* standard error of that mean; baselines: of the next one;
                                 * NaN where a single row counts */
  double log_prob_standardized; /* the same of features: columns mapped to all real numbers by
                                 * their types, shifted and scaled by mean and sd */
  int64_t rows;
} sl_score;

/* The data of a fit. Set size = sizeof(sl_fit_data) and everything unused to zero. A held-out set
 * that is not given is split off x, at random by the seed. */
typedef struct sl_fit_data {
  size_t size;
  sl_array_in x;               /* rows x dim: what the density is of */
  sl_array_in condition;       /* rows x context_dim: what it is conditioned on; or none */
  sl_array_in weight;          /* rows x 1: weights >= 0 of the rows; or none */
  sl_array_in valid_x, valid_condition; /* to stop by */
  sl_array_in test_x, test_condition;   /* to report on; never looked at before the end */
  /* dim and context_dim names, for messages and the saved model; or NULL. A condition of 0 and 1
   * named "species=setosa" is a label's to the command line: a column of words there. */
  const char *const *column_names, *const *condition_names;
  /* What values the columns of x can hold: "age: positive, 2: interval(0,1), a..c: simplex". Names
   * or numbers from 1, each with a type (docs/formats.md has the list); a column that is not named
   * is real. NULL: all are. sl_fit only. */
  const char *columns;
  sl_array_in valid_weight, test_weight; /* rows x 1, of valid_x and test_x; or none: all alike */
} sl_fit_data;

/* What a progress callback sees. It runs on the caller's thread, at most some ten times a second.
 * Returning false stops: the best parameters so far are kept and the fit returns SL_STOPPED, with
 * valid results. */
typedef struct sl_fit_progress {
  size_t size;
  int64_t step, steps;    /* steps done, steps planned */
  double loss;            /* negative mean log density of the last batch, standardised */
  double valid_loss;      /* the same of the held-out rows when last looked at; NaN before */
  double best_valid_loss;
  double seconds;         /* since the start */
  double rows_per_second;
} sl_fit_progress;
typedef bool (*sl_fit_progress_function)(void *user, const sl_fit_progress *now);

/* Options of a fit. sl_fit_options_default fills every field with "the library decides" (numbers:
 * NaN or -1, texts: NULL); it decides from the rows and columns and says what it chose in the
 * report. Texts are borrowed for the length of the fit. The struct may grow: size comes first. */
typedef struct sl_fit_options {
  size_t size;
  const char *formula;     /* of the flow, "coupling(rqs)*6"; sl_fit only */
  const char *base;        /* base density, "normal"; sl_fit only */
  int32_t precision;       /* an sl_dtype, or -1; sl_fit only */
  uint64_t seed;           /* of everything random: split, shuffle, starting values, noise */
  int64_t steps;           /* optimiser steps */
  double epochs;           /* or passes over the data */
  int64_t batch;           /* rows per step */
  double rate;             /* learning rate */
  const char *optimizer;   /* "adam", "adamw", "sgd", "rmsprop", "adagrad" */
  const char *schedule;    /* of the rate: "constant", "cosine", "warmup", "plateau" */
  double weight_decay, momentum, beta1, beta2, epsilon; /* of the optimiser; NaN: its defaults */
  int64_t warmup;          /* steps over which the rate rises */
  double clip;             /* bound on the gradient's norm; 0: none */
  double ema;              /* decay of the running average of the parameters; 0: none */
  int64_t valid_every;     /* steps between looks at the held-out rows */
  int64_t patience;        /* looks without improvement before stopping; 0: never */
  double max_seconds;      /* limit on time, the one option that makes results depend on speed */
  double valid_fraction;   /* of the rows, held out to stop by, unless valid_x is given */
  double test_fraction;    /* of the rows, held out to report on, unless test_x is given */
  int32_t dequantize;      /* add noise to rounded columns: 0 no, 1 yes, -1 where noticed */
  int32_t baselines;       /* fit a Gaussian and a Gaussian mixture beside it: 0 no, 1 yes */
  const char *checkpoint;  /* file to save the state of the fit in, now and then; NULL: none */
  int64_t checkpoint_every;/* steps between */
  const char *resume;      /* file to take up from; ends in the same bits as without the break */
  sl_fit_progress_function progress; /* NULL: none */
  void *progress_user;
} sl_fit_options;

/* Fills options; size is sizeof(sl_fit_options) as the caller knows it. */
SL_API void sl_fit_options_default(sl_fit_options *options, size_t size);
/* Sets one option from text by its command line name ("lr", "batch", "max-seconds": the list is
 * printed by `sluice help fit`). SL_BAD_ARGUMENT names the nearest option or the allowed range.
 * A text value is borrowed, not copied. */
SL_API sl_status sl_fit_options_set(sl_context *context, sl_fit_options *options, const char *key,
                                    const char *value);

/* What a fit has to say. size is set by the caller before the call. */
typedef struct sl_fit_report {
  size_t size;
  int64_t steps, best_step;   /* done; and the one whose parameters were kept */
  int64_t skipped;            /* steps left out because the loss or gradient was not finite */
  sl_score train, valid, test;
  /* Baselines fitted on the training rows, on the test rows. With conditions the Gaussian is of x
   * given them, and there is no mixture (0 rows). */
  sl_score gaussian, gaussian_mixture;
  int32_t mixture_components;
  bool stopped_early;         /* by patience */
  double seconds, rows_per_second;
  char verdict[512];          /* one sentence on how good the fit is, and what to try */
  char notes[1024];           /* what was decided about the data, a line each; "" if nothing */
  char trouble[512];          /* what was not finite and where; "" if nothing */
} sl_fit_report;

/* Fits a flow to rows: looks at the columns, refuses what cannot be fitted (NaN, infinities,
 * constant columns, too few rows: SL_BAD_ARGUMENT names row and column), dequantises rounded
 * columns, standardises, splits, chooses a flow unless options->formula names one, fits it by
 * maximum likelihood with early stopping, and reports. options NULL: all defaults; report may be
 * NULL. *out is the new flow, freed by sl_flow_free. It is also there, as good as it got, after
 * SL_STOPPED and after SL_NUMERIC (loss not finite, step after step); NULL on any other failure.
 * Sources: dequantisation, Theis et al. 2016 (arXiv:1511.01844), section 3.1; the default flow,
 * Durkan et al. 2019 (arXiv:1906.04032). */
SL_API sl_status sl_fit(sl_context *context, const sl_fit_data *data, const sl_fit_options *options,
                        sl_flow **out, sl_fit_report *report);

/* Reads and writes a model as safetensors: tensors, formula, standardisation, columns, training
 * record (docs/formats.md). SL_IO: the file cannot be read or written; SL_FORMAT: it is no sound
 * model. A written file appears whole or not at all. *out is freed by sl_flow_free. */
SL_API sl_status sl_flow_load(sl_context *context, const char *path, sl_flow **out);
SL_API sl_status sl_flow_save(sl_context *context, const sl_flow *flow, const char *path);
/* NULL is fine. */
SL_API void sl_flow_free(sl_flow *flow);

/* log_prob[r] = log density of row r, nats: log p(z) + log |det dz/dx| at z = T^-1(x). x: rows x
 * dim; condition: rows x context_dim, NULL when the flow has none; log_prob: rows x 1. A row
 * with a NaN gets a NaN, one outside the support of its columns -infinity. A row with integers
 * gets the log of its probability: of the mean density over their unit cell, at fixed points
 * (64 for one column of integers, 256 for several, each as dear as a row). Rows may be
 * scored in any portions; portions of four or fewer agree to rounding, others to the bit. Builds
 * the program anew at every call, which takes milliseconds: where that matters make an evaluator
 * (tier 2). */
SL_API sl_status sl_flow_log_prob(sl_context *context, const sl_flow *flow, const sl_array_in *x,
                                  const sl_array_in *condition, const sl_array_out *log_prob);

/* Draws x->rows rows: a function of the flow, seed and row number only. x: rows x dim, inside the
 * support of its columns, integers as integers; log_prob: rows x 1, NULL if not wanted, is the
 * exact log density of each draw, or what sl_flow_log_prob says of it if it has integers. */
SL_API sl_status sl_flow_sample(sl_context *context, const sl_flow *flow, uint64_t seed,
                                const sl_array_in *condition, const sl_array_out *x,
                                const sl_array_out *log_prob);

/* Draws z->rows rows of the base noise, rows x features: those that sl_flow_sample with the same
 * seed maps to its rows. SL_UNSUPPORTED: the noise depends on conditions or angles. */
SL_API sl_status sl_flow_noise(sl_context *context, const sl_flow *flow, uint64_t seed,
                               const sl_array_out *z);

/* ---- tier 2: flows by formula, reusable handles --------------------------------------------- */

/* Makes a flow with starting parameters.
 *   formula := layer ('-' layer)*
 *   layer   := (name ['(' arguments ')'] | '(' formula ')') ['*' n]
 * the leftmost layer is applied first to the base noise; `sluice flows` lists names and arguments;
 * some arguments are formulas, inverse(planar*3). The first layer may be a base density instead,
 * "student(3)-coupling*4"; then base must be NULL, which otherwise stands for "normal". SL_SYNTAX
 * puts the place in the formula in sl_error_place. dtype is the precision of parameters and
 * arithmetic. Behind the formula comes a standardize layer, the identity until a fit to rows sets
 * it. */
SL_API sl_status sl_flow_new(sl_context *context, const char *formula, const char *base,
                             int32_t dim, int32_t context_dim, sl_dtype dtype, uint64_t seed,
                             sl_flow **out);

SL_API const char *sl_flow_formula(const sl_flow *flow); /* canonical; lives as long as the flow */
SL_API const char *sl_flow_base(const sl_flow *flow);
SL_API int32_t sl_flow_dim(const sl_flow *flow); /* columns of the data */
/* Numbers of the base noise and between the layers: dim, less one for each simplex. */
SL_API int32_t sl_flow_features(const sl_flow *flow);
SL_API int32_t sl_flow_context_dim(const sl_flow *flow); /* 0: unconditional */
SL_API int32_t sl_flow_layers(const sl_flow *flow);      /* with *n written out */
SL_API sl_dtype sl_flow_dtype(const sl_flow *flow);
/* Name of column i of the data, "x1", ... if it had none; NULL beyond the last. Lives as long as
 * the flow. */
SL_API const char *sl_flow_column_name(const sl_flow *flow, int32_t i);
/* Its type, "real", "interval(0,1)", "count"; docs/formats.md has the list. */
SL_API const char *sl_flow_column_type(const sl_flow *flow, int32_t i);
/* The name of a condition. */
SL_API const char *sl_flow_context_name(const sl_flow *flow, int32_t i);

/* The parameters as one flat vector, in the order of the layers. vector: 1 x parameter_count. */
SL_API int64_t sl_flow_parameter_count(const sl_flow *flow);
SL_API sl_status sl_flow_parameters(sl_context *context, const sl_flow *flow,
                                    const sl_array_out *vector);
/* Not while another thread uses the flow. SL_NUMERIC if a number is not finite. Weights that a mask
 * holds at zero (maf, iaf) stay zero, whatever stands in their places. */
SL_API sl_status sl_flow_set_parameters(sl_context *context, sl_flow *flow,
                                        const sl_array_in *vector);

/* Directions of a flow. Other libraries disagree about "forward"; these say where the rows go. */
typedef enum sl_direction {
  SL_TO_DATA = 0, /* base noise -> data: sampling */
  SL_TO_BASE = 1  /* data -> base noise: scoring */
} sl_direction;

/* Maps rows through the flow: y = T(x), log_det[r] = log |det dT/dx| at row r (NULL: not wanted).
 * The side of the data is rows x dim, that of the base rows x features; x and y may be the same
 * memory if these are the same. layers: how many layers of the chain, counted from the base, take
 * part (-1: all); so SL_TO_DATA with layers = k shows the noise after k layers, and SL_TO_BASE with
 * the same k undoes that. Fewer than all leaves out the standardisation and the map between columns
 * and features, and both sides are rows x features. Integers come out rounded; log_det is of the
 * map before that.
 *
 * A row of y is NaN, and never a finite number that is none of the flow's, if x or the condition has
 * a NaN there, if x has no image (log_det is then -infinity), or if the image or log_det is beyond
 * the numbers of the precision.
 * There and back gives x to rounding amplified by the condition of the map: where a map stretches by
 * 1e6, six digits fewer come back. */
SL_API sl_status sl_flow_map(sl_context *context, const sl_flow *flow, sl_direction direction,
                             int32_t layers, const sl_array_in *x, const sl_array_in *condition,
                             const sl_array_out *y, const sl_array_out *log_det);

/* Exact derivatives of the log density; each output may be NULL.
 *   log_prob: rows x 1;  by_x[r] = d log_prob[r] / d x[r]: rows x dim;
 *   by_condition: rows x context_dim;
 *   by_parameters = d (sum over rows of log_prob) / d parameters: 1 x parameter_count.
 * Where columns hold integers all are of the row's score, the log of the mean density over its
 * cell, and the slope by such a column is that of the score as the cell moves. */
SL_API sl_status sl_flow_gradient(sl_context *context, const sl_flow *flow, const sl_array_in *x,
                                  const sl_array_in *condition, const sl_array_out *log_prob,
                                  const sl_array_out *by_x, const sl_array_out *by_condition,
                                  const sl_array_out *by_parameters);

/* An evaluator is a flow made ready to run: programs and work memory are made beforehand, so
 * that its calls allocate nothing and take microseconds for a few rows. It borrows the flow,
 * which must outlive it; it sees parameters set later. One thread at a time uses an evaluator,
 * with the context that made it or one of as many threads; for several threads make one each. */
typedef struct sl_evaluator sl_evaluator;

/* What an evaluator shall be able to do; joined by |. Frozen values. */
enum {
  SL_EVALUATE_LOG_PROB = 1,
  SL_EVALUATE_GRADIENT = 2,   /* by x (and condition) */
  SL_EVALUATE_PARAMETERS = 4, /* gradient by the parameters */
  SL_EVALUATE_SAMPLE = 8,
  SL_EVALUATE_SAMPLE_GRADIENT = 16 /* by parameters and condition, through the draws */
};
/* max_rows: the most rows of a SL_EVALUATE_PARAMETERS or SL_EVALUATE_SAMPLE_GRADIENT call, whose
 * memory depends on it; the other calls take any number of rows. 0 stands for 1024.
 * SL_UNSUPPORTED: SL_EVALUATE_SAMPLE_GRADIENT of a flow with columns of integers. */
SL_API sl_status sl_evaluator_new(sl_context *context, const sl_flow *flow, uint32_t what,
                                  int64_t max_rows, sl_evaluator **out);
SL_API void sl_evaluator_free(sl_evaluator *evaluator);
/* As the calls of the same names above. SL_BAD_ARGUMENT when the evaluator was not made for it. */
SL_API sl_status sl_evaluator_log_prob(sl_context *context, sl_evaluator *evaluator,
                                       const sl_array_in *x, const sl_array_in *condition,
                                       const sl_array_out *log_prob);
SL_API sl_status sl_evaluator_gradient(sl_context *context, sl_evaluator *evaluator,
                                       const sl_array_in *x, const sl_array_in *condition,
                                       const sl_array_out *log_prob, const sl_array_out *by_x,
                                       const sl_array_out *by_condition);
SL_API sl_status sl_evaluator_parameters(sl_context *context, sl_evaluator *evaluator,
                                         const sl_array_in *x, const sl_array_in *condition,
                                         const sl_array_out *log_prob,
                                         const sl_array_out *by_parameters);
SL_API sl_status sl_evaluator_sample(sl_context *context, sl_evaluator *evaluator, uint64_t seed,
                                     const sl_array_in *condition, const sl_array_out *x,
                                     const sl_array_out *log_prob);
/* The reparameterised gradient of any loss L of the draws, which the caller computes: to the same
 * seed and condition, sl_evaluator_sample gives x and log_prob; from these the caller finds
 *   by_x[r] = d L / d x[r]: rows x dim, and by_log_prob[r] = d L / d log_prob[r]: rows x 1, each
 *   NULL where it is 0;
 * and this call draws the same rows again (to rounding) and gives
 *   by_parameters = d L / d parameters: 1 x parameter_count;
 *   by_condition[r] = d L / d condition[r]: rows x context_dim, NULL: not wanted.
 * x->rows says how many rows; log_prob may be NULL. Which component of a mixture a row is drawn
 * from has no derivative: by_x gives its weights no gradient, only by_log_prob does. Kingma and
 * Welling 2014 (arXiv:1312.6114), section 2.3. */
SL_API sl_status sl_evaluator_sample_gradient(
    sl_context *context, sl_evaluator *evaluator, uint64_t seed, const sl_array_in *condition,
    const sl_array_in *by_x, const sl_array_in *by_log_prob, const sl_array_out *x,
    const sl_array_out *log_prob, const sl_array_out *by_parameters,
    const sl_array_out *by_condition);

/* ---- tier 3: fitting a flow of one's own ---------------------------------------------------- */

/* Trains an existing flow on rows, as they are: no standardisation, no dequantisation, no baselines
 * (those numbers of the report are NaN). Without valid_x and with valid_fraction unset nothing is
 * held out and the last parameters are kept. Unset steps and epochs: 100 epochs. */
SL_API sl_status sl_fit_flow(sl_context *context, sl_flow *flow, const sl_fit_data *data,
                             const sl_fit_options *options, sl_fit_report *report);

/* Trains an existing flow on fresh rows: before each step generate fills x, contiguous row-major
 * rows x dim of the flow's dtype, and returns SL_OK, or anything else to end the fit with that
 * status. step counts from 0; the rows should be a function of it, so that a resumed fit sees the
 * same ones. Runs on the caller's thread. Unset steps: 5,000; unset batch: 256. */
typedef sl_status (*sl_generate_function)(void *user, int64_t step, int64_t rows, void *x);
SL_API sl_status sl_fit_generated(sl_context *context, sl_flow *flow, sl_generate_function generate,
                                  void *user, const sl_fit_options *options,
                                  sl_fit_report *report);

/* An optimiser, for a loop of one's own: moves numbers against a gradient so that a loss becomes
 * small. One thread at a time uses it. It remembers only its own state: moving averages, count of
 * steps. */
typedef struct sl_optimizer sl_optimizer;
/* count: of the numbers. Of options (NULL: all defaults) only optimizer ("adam" unless given),
 * rate, weight_decay, momentum, beta1, beta2, epsilon and clip are read. */
SL_API sl_status sl_optimizer_new(sl_context *context, const sl_fit_options *options, int64_t count,
                                  sl_optimizer **out);
SL_API void sl_optimizer_free(sl_optimizer *optimizer); /* NULL is fine */
/* The learning rate from now on: a schedule is the caller's. */
SL_API void sl_optimizer_set_rate(sl_optimizer *optimizer, double rate);
/* One step of the caller's numbers. gradient: 1 x count; vector: 1 x count, read and written.
 * SL_NUMERIC: the gradient is not finite; nothing was changed, and the step may be left out. */
SL_API sl_status sl_optimizer_step(sl_context *context, sl_optimizer *optimizer,
                                   const sl_array_in *gradient, const sl_array_out *vector);
/* One step of a flow's parameters, of which there must be count; those that are not trained, such
 * as the standardisation, stay. Not while another thread uses the flow; evaluators of it see the
 * step. */
SL_API sl_status sl_optimizer_step_flow(sl_context *context, sl_optimizer *optimizer,
                                        const sl_array_in *gradient, sl_flow *flow);

/* ---- targets --------------------------------------------------------------------------------- */

/* A target: a log density on R^dim, up to a constant that need not be known, and what its
 * coordinates stand for. Points are on the unconstrained scale: a Stan program's parameters are
 * mapped to all real numbers, and the density has the Jacobian of that map. A target is read-only:
 * any number of threads may use one at once, each with a context of its own. */
typedef struct sl_target sl_target;

/* A Stan program and its data (JSON, as Stan's tools read it; NULL: it has none). seed: of random
 * numbers in transformed data. SL_SYNTAX: the program is wrong, with the place in sl_error_place;
 * SL_UNSUPPORTED names what sluice cannot evaluate; SL_FORMAT and SL_BAD_ARGUMENT: the data are no
 * JSON, or not what the program declares. *out is freed by sl_target_free, here and below. */
SL_API sl_status sl_target_load_stan(sl_context *context, const char *path, const char *data_path,
                                     uint64_t seed, sl_target **out);
/* The same from texts. */
SL_API sl_status sl_target_from_stan(sl_context *context, const char *program, const char *data,
                                     uint64_t seed, sl_target **out);
/* A standard target by name: "pot1", "funnel", ...; the message of a failure lists them. */
SL_API sl_status sl_target_standard(sl_context *context, const char *name, sl_target **out);
/* An expression in Stan's grammar over named coordinates: "-(x^2-y)^2 - 0.5*y^2" of "x,y"; "x[10]"
 * names a vector of ten. sl_error_place is in the expression. */
SL_API sl_status sl_target_from_expression(sl_context *context, const char *expression,
                                           const char *names, sl_target **out);

/* A function: x [rows][dim] -> value [rows], the log densities (-infinity where there is none), and
 * gradient [rows][dim], or NULL when it is not wanted. Anything but SL_OK ends the computation with
 * that status. Called for blocks of rows from the context's threads. */
typedef sl_status (*sl_target_function)(void *user, int64_t rows, const double *x, double *value,
                                        double *gradient);
/* names [dim] of the coordinates, or NULL. serial: the function bears only one call at a time. */
SL_API sl_status sl_target_from_function(sl_context *context, int32_t dim, const char *const *names,
                                         sl_target_function function, void *user, bool serial,
                                         sl_target **out);

/* A shared object with BridgeStan's C interface, version 1 or 2. This runs the code of the file:
 * load none that you would not run. data: JSON, a path that ends in .json, or NULL. */
SL_API sl_status sl_target_load_library(sl_context *context, const char *path, const char *data,
                                        uint64_t seed, sl_target **out);
SL_API void sl_target_free(sl_target *target); /* NULL is fine */

/* What a draw is written as, in this order: parameters on their own scale, then what is computed
 * from them. Targets that are no programs have parameters only: the coordinates themselves. */
typedef enum sl_target_part {
  SL_TARGET_PARAMETERS = 0,
  SL_TARGET_TRANSFORMED = 1,
  SL_TARGET_GENERATED = 2
} sl_target_part;

SL_API int32_t sl_target_dim(const sl_target *target); /* unconstrained coordinates */
/* Name of coordinate i; NULL beyond the last. Names live as long as the target. */
SL_API const char *sl_target_name(const sl_target *target, int32_t i);
/* How many numbers a part has, and their names as in Stan's CSV files: "theta.1.2". */
SL_API int32_t sl_target_count(const sl_target *target, sl_target_part part);
SL_API const char *sl_target_part_name(const sl_target *target, sl_target_part part, int32_t i);
/* The log of the integral of exp(log density) where it is known exactly, else NaN. */
SL_API double sl_target_log_evidence(const sl_target *target);

/* Joined by |; frozen values. */
enum {
  SL_TARGET_NO_JACOBIAN = 1,   /* of the density of the parameters on their own scale */
  SL_TARGET_DROP_CONSTANTS = 2 /* terms that no parameter enters, as Stan's ~ does */
};
/* log_density[r] at points[r], nats: rows x 1; -infinity where the program rejects or the value is
 * not a number. gradient: rows x dim, or NULL. points: rows x dim. */
SL_API sl_status sl_target_log_density(sl_context *context, const sl_target *target, uint32_t flags,
                                       const sl_array_in *points, const sl_array_out *log_density,
                                       const sl_array_out *gradient);
/* Parameters, and transformed ones if asked, of points: rows x the counts of these parts. */
SL_API sl_status sl_target_constrain(sl_context *context, const sl_target *target, bool transformed,
                                     const sl_array_in *points, const sl_array_out *values);
/* Points of parameters, rows x count of SL_TARGET_PARAMETERS. SL_BAD_ARGUMENT names the one that
 * breaks its constraint. */
SL_API sl_status sl_target_unconstrain(sl_context *context, const sl_target *target,
                                       const sl_array_in *parameters, const sl_array_out *points);
/* All parts of points, rows x all counts. Random numbers are a function of (seed, first_row + row);
 * what the program rejects becomes NaN. */
SL_API sl_status sl_target_generate(sl_context *context, const sl_target *target, uint64_t seed,
                                    int64_t first_row, const sl_array_in *points,
                                    const sl_array_out *values);

/* ---- variational inference ------------------------------------------------------------------ */

/* What a loss of the caller's is written in: values of one draw, built once, computed for every
 * draw of every step and differentiated by the library. 0 is no value: whatever is built of it is
 * none, and the fit then fails with the first cause. */
typedef struct sl_expression sl_expression;
typedef uint32_t sl_value;
SL_API sl_value sl_value_number(sl_expression *e, double number);
/* By name, element by element, numbers stretch: "negate", "absolute", "exp", "log", "log1p",
 * "sqrt", "square", "tanh", "sigmoid", "softplus", "sin", "cos" of a, b being 0; "add", "subtract",
 * "multiply", "divide", "power", "minimum", "maximum" of a and b. */
SL_API sl_value sl_value_of(sl_expression *e, const char *operation, sl_value a, sl_value b);
SL_API sl_value sl_value_element(sl_expression *e, sl_value a, int32_t i); /* counted from 0 */
SL_API sl_value sl_value_sum(sl_expression *e, sl_value a);               /* over coordinates */
/* x: the draw's coordinates; log_q, log_p: log densities of flow and target at it. Gives the loss
 * of the draw, one number; the fit makes its mean small. May be called more than once. */
typedef sl_value (*sl_vi_loss_function)(void *user, sl_expression *e, sl_value x, sl_value log_q,
                                        sl_value log_p);

typedef enum sl_vi_stage {
  SL_VI_FITTING = 0,   /* plain mode */
  SL_VI_EXPLORING = 1, /* robust mode: looking for where the target's mass is */
  SL_VI_LIKELIHOOD = 2, /* fitting to what was found, */
  SL_VI_DIVERGENCE = 3, /* by the flow's own draws, */
  SL_VI_JUDGING = 4     /* and looking at how good that is */
} sl_vi_stage;

/* What a progress callback sees, after every step, on the caller's thread. Returning false stops:
 * the parameters so far (robust mode: the best attempt, if one had ended) are kept and sl_vi returns
 * SL_STOPPED. In robust mode what a stage does not have is NaN, 0 and NULL. */
typedef struct sl_vi_progress {
  size_t size;
  int64_t step, steps;  /* done, planned */
  double loss;          /* of this step */
  double loss_average;  /* of the last 1,000 losses */
  double gradient_norm;
  double seconds;
  bool skipped;         /* loss or gradient was not finite: nothing moved */
  int64_t parameter_count;
  const double *parameters; /* of a float64 flow, valid during the call; else NULL */
  int32_t stage;            /* an sl_vi_stage; step and steps are the stage's */
  int32_t attempt;          /* robust mode: from 1; 0 while exploring */
} sl_vi_progress;
typedef bool (*sl_vi_progress_function)(void *user, const sl_vi_progress *now);

/* A tracker of the caller's, in plain mode: what a fit comes to, in numbers that it does not know
 * itself. Called with every row of options.track (with track NULL after every step), before
 * progress, on the caller's thread. flow: as it is now, of either precision, to sample and score,
 * for the time of the call. values [track_count], NaN unless given, NULL if that is 0, are recorded
 * under track_names. SL_OK goes on; SL_STOPPED stops as progress does by false; anything else ends
 * sl_vi with it, so that the status of a call of the library can be handed on. */
typedef sl_status (*sl_vi_track_function)(void *user, const sl_vi_progress *now,
                                          const sl_flow *flow, double *values);

typedef enum sl_vi_mode {
  SL_VI_ROBUST = 0, /* explores the target, fits, certifies */
  SL_VI_PLAIN = 1   /* the classical method, as the options say */
} sl_vi_mode;

/* Options; sl_vi_options_default fills every field with "the library decides" (NaN, -1, NULL, and
 * 0 where that means none). The names are those of `sluice help vi`, which explains them. The robust
 * mode reads formula, base, judge, seed, max_seconds, max_gradients and progress; setting another
 * one in that mode is SL_BAD_ARGUMENT, which names it. */
typedef struct sl_vi_options {
  size_t size;
  int32_t mode;             /* an sl_vi_mode */
  const char *formula;      /* of the flow */
  const char *base;         /* base density */
  int32_t precision;        /* an sl_dtype; -1: SL_F64 */
  const char *objective;    /* "elbo", "iwae", "renyi", "chi", "forward", "draws" */
  const char *estimator;    /* "reparameterized", "stl", "dreg", "score" */
  double alpha;             /* order of "renyi"; at 1 it is "elbo" */
  int64_t samples;          /* draws per step */
  int64_t particles;        /* draws weighed against each other; -1: all of a step */
  sl_array_in draws;        /* of the target, rows x dim, for "draws": contiguous float64 */
  sl_vi_loss_function loss; /* instead of an objective */
  void *loss_user;
  int64_t steps;
  const char *optimizer;    /* PyMC3's names and defaults, and "adamw", "nesterov" */
  double rate;
  const char *schedule;     /* "constant", "cosine", "warmup", "plateau" */
  int64_t warmup;
  double clip;              /* bound on the gradient's norm */
  int32_t clip_by_median;   /* 1: by twice its running median */
  double ema;               /* decay of the running mean of the parameters, which is kept then */
  double jitter;            /* standard deviation of what starts at random */
  int64_t anneal;           /* steps over which log p's weight rises from 0.01 to 1 */
  int32_t sobol;            /* 1: scrambled Sobol points for noise */
  double stop_parameters, stop_elbo, stop_iterates; /* tolerances; NaN: never */
  const char *track;        /* "loss,layers.1.*@10=trace.csv"; "@10=trace.csv": track_names alone */
  int64_t judge;            /* fresh draws to judge the fit by; -1: 20,000 */
  uint64_t seed;
  double max_seconds;       /* the one option by which time can change a result */
  sl_vi_progress_function progress;
  void *progress_user;
  int64_t max_gradients;    /* robust mode: of log p, without those that judge; -1: no bound */
  int32_t go_back;          /* 1: take up the best parameters so far again when the loss rises far
                             * above theirs; 0: the optimiser as its paper has it; -1: 1 */
  sl_vi_track_function track_function;
  void *track_user;
  const char *const *track_names; /* [track_count], of the columns that it adds */
  int32_t track_count;
  /* What stop_parameters bounds. NULL or "windows": the drift of the parameters' means over windows
   * of stop_every steps and more, root of the mean square, in units of max(1, |mean|), less what
   * their noise makes; so it ends fits at a constant rate too, at the earliest after 8 windows.
   * PyMC3's CheckParametersConvergence(every, tolerance, diff, ord) is stop_every, stop_parameters,
   * stop_change "relative", (|new - old| + 1e-6) / (|old| + 1e-6), or "absolute", |new - old|, and
   * stop_norm; its defaults are 100, 0.001, "relative", infinity. It compares single steps, whose
   * noise at a constant rate is mostly above 0.001: then it never ends a fit. */
  const char *stop_change;
  double stop_norm;         /* order of the norm of PyMC3's changes, 1 or more; NaN: infinity */
  int64_t stop_every;       /* steps; -1: 100 */
  /* PyMC3's wrappers of optimisers: momentum around whatever optimizer does, one of both; NaN: none;
   * and norm_constraint after every step (total_norm_constraint of gradients is clip). */
  double apply_momentum, apply_nesterov_momentum;
  const char *max_norm;     /* "3": on the weights that come in to a unit, each row of a matrix;
                             * "layers.*.u=3,...": on the tensors of this name; vectors as a whole */
} sl_vi_options;
SL_API void sl_vi_options_default(sl_vi_options *options, size_t size);

/* What a fit has to say; size is set by the caller before the call. */
typedef struct sl_vi_report {
  size_t size;
  double elbo, elbo_se;                 /* mean of log p - log q over fresh draws */
  double log_evidence, log_evidence_se; /* importance weighted; in robust mode the error counts what
                                         * tail_missed says, which no weight of the flow's draws knows */
  double khat, khat_threshold;          /* of the weights' tail; above the threshold: no trust */
  double ess;                           /* effective number of the draws judged by */
  int64_t judged_by;
  double loss_average;                  /* mean of the last 1,000 losses */
  int64_t steps, skipped, gradient_evaluations;
  double seconds;
  bool trusted;                         /* by its own draws: they cannot see what q misses */
  bool certified;                       /* robust mode only */
  char stopped[160];                    /* why before the last step; "" if it was not */
  char trouble[512];                    /* what was not finite and where; "" if nothing */
  char verdict[512];                    /* one sentence */
  /* Robust mode; in plain mode NaN, 0 and false. */
  double upper_bound, upper_bound_se;   /* mean of log p - log q over the exploration's draws, moved
                                         * on: at least the log evidence */
  double ess_forward;                   /* effective share of the weights as these draws see it */
  double bridge, bridge_se;             /* log evidence from both sets of draws */
  double missed;                        /* share of these draws where q is less than a tenth of p */
  double rhat;                          /* largest, of the exploring chains */
  double effective;                     /* independent draws that the exploration is worth */
  int64_t attempts, rolled_back;        /* fits; stages that ended worse and were set back */
  int64_t divergences;                  /* of the exploring chains */
  bool modes_confirmed;                 /* chains disagree, and separate modes explain it */
  int64_t restored;                     /* plain mode: returns to the best parameters so far */
  double largest_weight;                /* both modes: of one draw, as a share of all weights */
  /* Robust mode; in plain mode NaN, 0 and false. */
  double tempered, tempered_se;         /* log evidence from the tempered population; NaN: it did
                                         * not reach the target */
  double tempered_accept;               /* share of its last moves that were accepted: below 0.5 it
                                         * has no say where chains agree */
  bool chains_agree;                    /* the exploring chains, from different points */
  /* The flow beside the exploration, beside its own draws as their weights have them (which knows the
   * shares of modes), and with strays: the few draws of the exploration that ess_forward leaves out.
   * Each the largest of any coordinate: of means, in sd; of sds, |log ratio|. */
  double mean_gap, log_sd_ratio, own_mean_gap, own_log_sd_ratio, stray_mean_gap, stray_log_sd_ratio;
  int64_t strays;
  /* How far modes were looked for: what none of these came to stays unseen, certified or not. */
  int64_t climbs, particles, chains, chain_draws;
  int64_t density_evaluations;          /* without a gradient, which the others are beside */
  /* What the rules compare in place of log_sd_ratio and own_log_sd_ratio: where tails are heavy, of
   * mean deviations; in one dimension then of the spread between quartiles, and mean_gap and
   * own_mean_gap of medians. In plain mode 0. */
  double sd_gap, own_sd_gap;
  bool population_within;               /* tempering claims more mass than the flow has, but nowhere
                                         * else: where chains agree that does not refuse the fit */
  double tail_missed, tail_missed_se;   /* mass in tails that the flow's draws do not come to, as a
                                         * share of what they know. In plain mode NaN */
} sl_vi_report;

/* Fits a flow to a target by variational inference. options NULL: all defaults; report may be NULL.
 * *out, freed by sl_flow_free, is of the target's unconstrained coordinates, and is also there after
 * SL_STOPPED and SL_NUMERIC (20 steps running not finite; in robust mode only if an attempt had
 * ended). Robust mode explores the target by chains and a tempered population, fits flow after flow,
 * and takes the first that both its own draws and the exploration's certify, or the best. A fit that
 * is not to be trusted is no failure: report->verdict says so. Sources: Rezende and Mohamed 2015 (arXiv:1505.05770); Roeder et
 * al. 2017 (arXiv:1703.09194); Tucker et al. 2019 (arXiv:1810.04152). */
SL_API sl_status sl_vi(sl_context *context, const sl_target *target, const sl_vi_options *options,
                       sl_flow **out, sl_vi_report *report);

/* The target that the flow was fitted to, as its file holds it: a Stan program with its data, a
 * standard target, an expression. So rows of sl_flow_sample become parameters by
 * sl_target_constrain. The program is parsed, nothing is run. SL_UNSUPPORTED: the flow was fitted to
 * data or to a function, or the file only names what it was. *out is freed by sl_target_free. */
SL_API sl_status sl_target_of_flow(sl_context *context, const sl_flow *flow, sl_target **out);

/* Options; sl_evidence_options_default fills every field. */
typedef struct sl_evidence_options {
  size_t size;
  int64_t judge;     /* draws of the flow: 20,000 */
  sl_array_in draws; /* of the target, in its unconstrained coordinates, contiguous float64: the rows
                      * of the first chain before those of the second; not those that the flow was
                      * fitted to. Without data: chains in the flow's base space make some */
  int32_t chains;    /* that made them, or are to: 4 */
  int32_t moves;     /* draws of each that are to be made: 1,000 */
  uint64_t seed;
} sl_evidence_options;
SL_API void sl_evidence_options_default(sl_evidence_options *options, size_t size);

/* An estimate; size is set by the caller before the call. */
typedef struct sl_evidence_report {
  size_t size;
  double log_evidence, se;      /* bridge sampling's if it may be trusted, else importance's */
  double importance, importance_se;
  double bridge, bridge_se;
  double khat, khat_threshold;  /* of the importance weights */
  double ess;                   /* independent draws that the flow's are worth by their weights */
  double rhat;                  /* of the target's draws' log weights */
  int64_t gradient_evaluations;
  bool trusted;
  char verdict[512];            /* one sentence */
} sl_evidence_report;

/* The log of the target's integral by importance sampling with draws of the flow, and by bridge
 * sampling between these and draws of the target: Meng and Wong 1996 (Statistica Sinica 6:831).
 * The flow is of the target's coordinates, as sl_vi returns it. options NULL: all defaults. An
 * estimate that is not to be trusted is no failure: report->verdict says so. */
SL_API sl_status sl_evidence(sl_context *context, const sl_target *target, const sl_flow *flow,
                             const sl_evidence_options *options, sl_evidence_report *report);

/* ---- sampling ------------------------------------------------------------------------------- */

/* A draw, as it is made, on the caller's thread; arrays are valid during the call. */
typedef struct sl_nuts_draw {
  size_t size;
  int32_t chain;     /* from 0 */
  int64_t iteration; /* from 0, of the warm-up or after it */
  bool warmup, divergent;
  const double *q;      /* coordinates: of the flow's base space, if one preconditions */
  const double *values; /* all parts, as sl_target_generate gives them */
  double log_density, accept, step_size, energy;
  int32_t treedepth, leapfrogs;
} sl_nuts_draw;
/* false: sl_nuts ends, and returns SL_STOPPED. */
typedef bool (*sl_nuts_draw_function)(void *user, const sl_nuts_draw *draw);

/* Options; sl_nuts_options_default fills every field with the default of `sluice help nuts`, which
 * explains them. */
typedef struct sl_nuts_options {
  size_t size;
  int32_t chains, warmup, draws; /* 4, 1,000 and 1,000 */
  int32_t thin;                  /* of so many draws one is kept */
  int32_t max_treedepth;
  double adapt_delta, step_size;
  const char *metric;         /* "unit_e", "diag_e", "dense_e", "fisher_diag", "fisher_low_rank" */
  double init_radius;         /* first points: uniform within this of 0, ... */
  int32_t init_candidates;    /* ... the best of so many */
  sl_array_in init;           /* or: chains x dim, contiguous float64; in the flow's base space if one
                               * preconditions */
  const sl_flow *precondition; /* NULL, or sample in its base space: Parno and Marzouk 2018 */
  int32_t jumps;              /* with precondition: draws of the flow proposed after each move */
  int32_t save_warmup;        /* 1: the callback sees the warm-up's draws too */
  uint64_t seed;
  sl_nuts_draw_function draw; /* may be NULL */
  void *draw_user;
  /* Trajectories from one draw to the next. 0: as many, up to 8, as the warm-up shows to be needed,
   * with a Fisher metric and without thinning; else 1. */
  int32_t trajectories;
  /* How often a step may be halved where the energy would change too much on it; 0, the default:
   * never; at most 20. For densities that are narrow in one place and wide in another, at a fifth
   * more gradients elsewhere: Bou-Rabee, Carpenter, Kleppe and Liu 2025 (arXiv:2506.18746). With it
   * a divergence is a step on which even the shortest leapfrogs change the energy by more than 1. */
  int32_t halvings;
} sl_nuts_options;
SL_API void sl_nuts_options_default(sl_nuts_options *options, size_t size);

/* What a run has to say; size is set by the caller before the call. */
typedef struct sl_nuts_report {
  size_t size;
  int64_t gradient_evaluations;
  int64_t divergences, treedepth_hits; /* after the warm-up */
  double jump_acceptance;              /* NaN without jumps */
  double seconds;
  bool trusted;
  char verdict[1024]; /* what is wrong and what mends it, worst first */
  int32_t trajectories; /* from one draw to the next */
  int32_t reserved;     /* 0 */
  int64_t irreversible; /* draws of which a trajectory ended as halved steps could not be taken back */
} sl_nuts_report;

/* Draws by the no-U-turn sampler, all chains side by side. draws: rows of all parts, those of the
 * first chain before those of the second, (chains * draws / thin, rounded up for each chain) x the
 * sum of sl_target_count; or NULL. options NULL: all defaults; report may be NULL. After SL_STOPPED
 * and SL_NUMERIC draws holds what was made; the rest is NaN. SL_NUMERIC: no chain could start.
 * Draws that are not to be trusted are no failure: report->verdict says so. Sources: Hoffman and
 * Gelman 2014 (JMLR 15:1593); Betancourt 2017 (arXiv:1701.02434); metrics from draws and gradients:
 * Seyboldt, Carlson and Carpenter 2026 (arXiv:2603.18845). */
SL_API sl_status sl_nuts(sl_context *context, const sl_target *target,
                         const sl_nuts_options *options, const sl_array_out *draws,
                         sl_nuts_report *report);

/* ---- diagnostics ---------------------------------------------------------------------------- */

/* What draws of one quantity show; frozen. A number that cannot be had is NaN: of a quantity that
 * never moves, of one with values that are not finite, of chains of fewer than four draws. Vehtari
 * et al. 2021 (arXiv:1903.08008). */
typedef struct sl_summary {
  double mean, mcse_mean;    /* and its Monte Carlo standard error */
  double sd, mcse_sd;
  double q5, q50, q95;       /* quantiles */
  double ess_bulk, ess_tail; /* effective draws: for the middle, for the 5 % and 95 % quantiles */
  double rhat;               /* rank-normalised, split; above 1.01 the chains disagree */
} sl_summary;

/* rows[i] summarises column i of draws: (chains * draws of each) x quantities, the rows of the first
 * chain before those of the second. rows: as many as draws has columns. */
SL_API sl_status sl_summarize(sl_context *context, const sl_array_in *draws, int64_t chains,
                              sl_summary *rows);

/* How far importance weights are to be trusted; frozen. */
typedef struct sl_psis_report {
  double khat;      /* shape of the weights' tail; infinity where none could be fitted */
  double threshold; /* above it estimates by these weights are not to be trusted */
  double ess;       /* how many draws of the target they are worth */
  double log_mean;  /* of the smoothed weights: the log evidence, if log_ratios are log p - log q */
} sl_psis_report;

/* Pareto smoothing of importance weights: Vehtari et al. 2024 (JMLR 25:72). log_ratios: rows x 1,
 * log p - log q at independent draws of q, -infinity for a weight of 0; log_weights: rows x 1, the
 * smoothed ones, normalised; NULL if not wanted. SL_NUMERIC: a ratio is NaN or infinite, or all
 * weights are 0. */
SL_API sl_status sl_psis(sl_context *context, const sl_array_in *log_ratios,
                         const sl_array_out *log_weights, sl_psis_report *report);

#ifdef __cplusplus
}
#endif
#endif
