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
/* rows: of the training set. */
void sl__recipe_choose(int64_t rows, int32_t dim, int32_t context_dim, sl__recipe *out);

/* ---- the data (prepare.c) ---- */
typedef struct sl__prepared {
  sl_dtype type;
  int32_t dim, context_dim;
  int64_t train_rows, valid_rows, test_rows;
  void *train_x, *valid_x, *test_x; /* [rows][dim] of type, standardised, no noise added */
  void *train_condition, *valid_condition, *test_condition; /* the same of [context_dim] */
  void *train_weight, *valid_weight, *test_weight;          /* [rows], or NULL */
  double *mean, *sd;        /* [dim]: data = mean + sd * standardised */
  double *noise_width;      /* [dim] in standardised units; NULL: no column is dequantised */
  double *condition_mean, *condition_sd; /* [context_dim] */
  double log_scale;         /* sum of log sd: what the data's units take off a log density */
  char notes[1024];         /* what was decided, a line each */
  sl__arena arena;          /* owns it all */
} sl__prepared;
/* as_is: no standardisation, no noise, nothing held out unless the options say so. */
sl_status sl__prepare(sl_context *context, const sl_fit_data *data, const sl_fit_options *options,
                      bool as_is, sl__prepared *out);
void sl__prepared_close(sl__prepared *prepared);

/* ---- the judgement (judge.c) ---- */
/* Scores train, valid and test rows (with one fixed draw of the dequantisation noise) and the
 * baselines, and writes the verdict. vector maps to the prepared rows, standardised. */
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
