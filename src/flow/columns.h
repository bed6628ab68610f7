/* From columns of data to features of a flow and back: what the types of schema.h mean.
 *
 * The flow lives on all of R^features: a positive column is its logarithm there, an interval its
 * logit, a simplex of K columns K - 1 numbers, and a periodic column an angle. Features stand in
 * blocks by support: real ones first, the angles last, where the flow looks for them. */
#ifndef SL_FLOW_COLUMNS_H
#define SL_FLOW_COLUMNS_H
#include "flow/flow.h"
#include "flow/schema.h"

enum { SL__MOST_COLUMN_BLOCKS = 64, SL__MOST_COLUMNS = 1 << 20 };
/* By so much may shares miss the sum 1. */
#define SL__SHARE_ERROR 1e-4

/* Columns of one support, mapped together; of one group, if it is a simplex. */
typedef struct sl__column_block {
  sl__support support;
  int32_t count, features; /* of columns, of features */
  int32_t first_feature;
  const int32_t *column;                /* [count]: which columns of the data */
  const double *low, *high;             /* [count]: the open range; of integers half a step wider */
  const double *lowest[2], *highest[2]; /* [count]: the last numbers inside it, by sl_dtype */
  const double *integer;                /* [count]: 0 or 1 */
  const double *offset;                 /* [features] of a simplex: log of how many shares follow */
  bool some_integers;
} sl__column_block;

typedef struct sl__columns {
  int32_t count;         /* columns of the data */
  int32_t features;      /* one less for each simplex */
  int32_t periodic;      /* the last so many features are angles in -pi .. pi */
  bool mapped;           /* features are not simply the columns */
  bool integers;         /* some column holds integers */
  sl__column_type *type; /* [count] */
  double *low, *high;    /* [count]: the open range of values, in the order of the blocks */
  int32_t *back;         /* [count]: where each column stands in that order */
  int32_t *source;       /* [features]: the column it comes from; of a simplex the first ones */
  int32_t *feature;      /* [count]: the feature it becomes; all of a simplex: its first one */
  int block_count;
  sl__column_block block[SL__MOST_COLUMN_BLOCKS];
} sl__columns;

/* types [count], groups of simplexes numbered from 1 by first appearance; NULL: all real. Memory
 * is the arena's. */
sl_status sl__columns_new(sl_context *context, sl__arena *arena, int32_t count,
                          const sl__column_type *types, sl__columns *out);

/* Graphs. x [count] -> features and log |d features / d data|, which is -infinity outside the
 * support. Integers may be any of their spread values. Shares count as divided by their sum; the
 * density is that of all but the last. */
sl__mapped sl__columns_to_features(const sl__columns *columns, sl__graph *g, sl_node x);
/* Back, strictly into the support, integers rounded, and log |d data / d features| before the
 * rounding. */
sl__mapped sl__columns_to_data(const sl__columns *columns, sl__graph *g, sl_node features);

/* The same for one row at a time, in double: what fits are prepared from (column_rows.c).
 * x [count], inside the support -> features. */
void sl__columns_features(const sl__columns *columns, const double *x, double *features);
/* Of a column that is no simplex: a value in its open range -> its feature. */
double sl__column_feature(const sl__columns *columns, int32_t column, double value);
/* log |d data / d features| */
double sl__columns_log_det(const sl__columns *columns, const double *features);
#endif
