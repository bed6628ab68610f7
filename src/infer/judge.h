/* The inside of judging: the rows as they are scored, shared by the flow's scores (judge.c) and the
 * baselines' (judge_baselines.c). src/infer only. */
#ifndef SL_INFER_JUDGE_H
#define SL_INFER_JUDGE_H
#include "flow/cell.h"
#include "infer/recipe.h"

/* The sets share no noise: each has its own range of rows. */
typedef enum sl__set { SL__SET_TRAIN, SL__SET_VALID, SL__SET_TEST, SL__SETS } sl__set;

typedef struct sl__judging {
  sl_context *context;
  const sl__prepared *prepared;
  uint64_t seed;
  sl__cell cell;
  int32_t points;      /* of the cell of each row; 1: a draw of the noise */
  double *place, *row; /* [dim]: work space */
  double se[SL__SETS]; /* of the standardised means: comparisons are free of the data's units */
  const sl__flow *flow;
  int64_t zeros[SL__SETS], lost[SL__SETS]; /* rows of density 0, and of none that is a number */
} sl__judging;

/* Values of a row, by its points: in the data's units and standardised. */
typedef struct sl__tally {
  int64_t rows;
  sl__log_mean *means;             /* [rows] */
  double *units;                   /* [rows]: what the data's units add, summed over the points */
  double *log_prob, *standardized; /* [rows] at the end */
  int64_t zeros, lost;             /* at the end: rows of density 0, and of none that is a number */
} sl__tally;

/* noisy [rows][dim] = rows first .. first + rows - 1 of x at a point of their cells, in double. */
void sl__judging_rows(const sl__judging *j, sl__set which, int32_t point, int64_t first,
                      int64_t rows, const void *x, double *noisy);
sl_status sl__tally_open(sl__arena *arena, int64_t rows, sl__tally *out);
/* Adds log densities [rows] of the standardised features [rows][dim], rows `first` and on. */
void sl__tally_add(const sl__judging *j, sl__tally *tally, int64_t first, int64_t rows,
                   const double *features, const double *log_density);
/* The set's score; weight [rows] of the prepared type, or NULL. se: of the standardised mean. */
void sl__tally_end(const sl__judging *j, sl__tally *tally, const void *weight, sl_score *score,
                   double *se);

/* A number of an array of `type`. */
double sl__prepared_element(sl_dtype type, const void *x, int64_t i);

/* The Gaussian, which sees the conditions where there are some, and the mixture, which is left out
 * there. */
sl_status sl__judge_baselines(sl__judging *j, sl_fit_report *report);
/* From the scores. */
void sl__write_verdict(const sl__judging *j, sl_fit_report *report);
#endif
