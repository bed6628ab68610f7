/* Rows drawn by `sluice sample`, and what becomes of them when the flow was fitted to a model. */
#ifndef SL_CLI_SAMPLE_H
#define SL_CLI_SAMPLE_H
#include "cli/fit_target.h"
#include "infer/posterior/posterior.h"

typedef struct sl__drawing {
  sl_flow *flow;
  sl__target *target;           /* that the flow was fitted to, or NULL */
  int64_t rows, dim, columns;   /* the log density is the last column where wanted */
  bool with_log_prob, features; /* features: rows are not the data's, but on the way to them */
  bool resample, mapped;        /* mapped: rows are on the model's own scale */
  double *values;               /* [rows][columns] */
  const char **names;           /* [columns] */
  sl__weighing weighing;        /* of --resample */
  sl__table conditions;
  sl_array_in condition;
} sl__drawing;

/* How many rows to draw so that `rows` can be chosen; refuses what cannot be weighed. */
sl_status sl__sample_proposals(sl__cli *cli, const sl__drawing *d, int64_t *proposals);
/* Chooses `wanted` of the rows, by weight. d->columns is d->dim + 1, the log density last. */
sl_status sl__sample_choose(sl__cli *cli, sl__drawing *d, int64_t wanted);
/* From coordinates to the model's own scale, with all that it computes from them; the log density,
 * where there is one, becomes that of the parameters. */
sl_status sl__sample_map(sl__cli *cli, sl__drawing *d);
#endif
