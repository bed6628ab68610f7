/* The default policy: what `sluice fit data.csv` does when nobody says how. Looks at the
 * columns, refuses what cannot be fitted, dequantises, standardises, splits, chooses a flow and
 * a budget, fits, and says how good the result is. */
#ifndef SL_INFER_RECIPE_H
#define SL_INFER_RECIPE_H
#include "flow/model.h"
#include "infer/infer.h"

/* ---- options (fit_options.c) ---- */
const sl__option_row *sl__fit_option_rows(int *count);
void sl__fit_options_default(sl_fit_options *options);
sl_status sl__fit_options_set(sl_context *context, sl_fit_options *options, const char *key,
                              const char *value);
/* options as the caller's version of the struct knows them -> all of today's fields. NULL:
 * defaults. */
sl_status sl__fit_options_read(sl_context *context, const sl_fit_options *options,
                               sl_fit_options *out);
/* What the options say about the optimisation, on top of what mle holds; unset ones leave it
 * alone. */
void sl__fit_options_apply(const sl_fit_options *options, sl__mle_options *mle);

/* ---- the choice (recipe.c): THE table to tune ---- */
typedef struct sl__recipe {
  char formula[256]; /* without the standardisation */
  int64_t steps, batch, patience, valid_every, warmup;
  double rate, clip, ema;
  const char *optimiser, *schedule;
} sl__recipe;
/* rows: of the training set. dim 0: all features are angles. */
void sl__recipe_choose(int64_t rows, int32_t dim, int32_t context_dim, sl__recipe *out);

/* ---- noise that is mapped (prepare_noise.c) ---- */
/* Columns of positive, bounded or periodic values that were rounded: their noise is drawn in the
 * data's units, within the support, and then mapped and standardised. */
typedef struct sl__spread_column {
  int32_t column, feature;
  double width, mean, sd; /* width in the data's units; mean and sd of the feature */
} sl__spread_column;
typedef struct sl__spread {
  const sl__columns *map;
  sl_dtype type;
  uint64_t seed;
  int32_t dim, count;
  sl__spread_column *columns;   /* [count] */
  double *train, *valid, *test; /* [rows][count]: the values in the data */
} sl__spread;
/* Overwrites the spread features of x [rows][dim] of `type`. values [..][count]: row r is number
 * index[r], or first + r where index is NULL. The noise is a function of the key and first + r;
 * place [dim], or NULL: moves that of each feature by such a part of its width, round the end. */
void sl__spread_rows(const sl__spread *spread, sl__random_key key, const double *place,
                     const double *values, const int64_t *index, int64_t first, int64_t rows,
                     sl_dtype type, void *x);

/* ---- the data (prepare.c) ---- */
typedef struct sl__prepared {
  sl_dtype type;
  int32_t columns;          /* of the data */
  int32_t dim, context_dim; /* features of the flow, which are the columns if all are real */
  sl__columns *map;         /* between the two */
  int64_t train_rows, valid_rows, test_rows;
  void *train_x, *valid_x, *test_x; /* [rows][dim] of type, standardised; no noise, except ... */
  sl__spread spread;                /* ... on these features */
  void *train_condition, *valid_condition, *test_condition; /* the same of [context_dim] */
  void *train_weight, *valid_weight, *test_weight;          /* [rows], or NULL */
  double *mean, *sd;        /* [dim]: feature = mean + sd * standardised */
  double *noise_width;      /* [dim] in standardised units; NULL: no column is dequantised */
  double *column_noise;     /* [columns] in the data's units, all of it */
  double *condition_mean, *condition_sd; /* [context_dim] */
  double log_scale;         /* sum of log sd: what the features' units take off a log density */
  char notes[1024];         /* what was decided, a line each */
  sl__arena arena;          /* owns it all */
} sl__prepared;
/* as_is: a model whose columns these are; then there is no standardisation, no noise but that of
 * declared integers and widths, and nothing is held out unless the options say so. NULL: the
 * columns are data->columns. */
sl_status sl__prepare(sl_context *context, const sl_fit_data *data, const sl_fit_options *options,
                      const sl__model *as_is, sl__prepared *out);
void sl__prepared_close(sl__prepared *prepared);

/* ---- the judgement (judge.c) ---- */
/* Scores train, valid and test rows (with one fixed draw of the dequantisation noise; integers by
 * their cells) and the baselines, and writes the verdict. vector maps to the prepared rows,
 * standardised. */
sl_status sl__judge(sl_context *context, const sl__prepared *prepared, const sl__flow *flow,
                    const void *vector, uint64_t seed, bool baselines, sl_fit_report *report);

/* ---- the whole (fit.c) ---- */
/* All three fill the report, and in *out (or model) stands the best so far, also with SL_STOPPED
 * and SL_NUMERIC. */
sl_status sl__fit_rows(sl_context *context, const sl_fit_data *data, const sl_fit_options *options,
                       sl__model **out, sl_fit_report *report);
/* A model of the caller's, on rows as they are. */
sl_status sl__fit_model(sl_context *context, sl__model *model, const sl_fit_data *data,
                        const sl_fit_options *options, sl_fit_report *report);
/* The same on fresh rows at every step. */
sl_status sl__fit_generated(sl_context *context, sl__model *model, sl_generate_function generate,
                            void *user, const sl_fit_options *options, sl_fit_report *report);
#endif
