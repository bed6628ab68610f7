/* The unit cell of a row of integers. A flow knows integers as spread over x - 1/2 .. x + 1/2, so
 * the probability of a row is the mean density over its cell: over the points of a rank-1 lattice
 * (Korobov's rule; Sloan and Joe, "Lattice methods for multiple integration", 1994), which for one
 * integer column are equally spaced. */
#ifndef SL_FLOW_CELL_H
#define SL_FLOW_CELL_H
#include "flow/columns.h"

typedef struct sl__cell_column {
  int32_t column;
  uint32_t generator;
} sl__cell_column;

typedef struct sl__cell {
  int32_t count, points;    /* integer columns; points: 1 if there are none */
  sl__cell_column *columns; /* [count] */
} sl__cell;

/* Memory is the arena's. */
sl_status sl__cell_new(sl__arena *arena, const sl__columns *map, sl__cell *out);

/* Where point number `point` of `points` (at most cell->points, a power of 2) stands along integer
 * column i: in 0 .. 1, point 0 at 0. */
double sl__cell_place(const sl__cell *cell, int32_t points, int32_t point, int32_t i);

/* log of the mean of exp, a term at a time; a NaN makes it NaN. */
typedef struct sl__log_mean {
  double most, sum; /* the sum is in units of exp(most) */
} sl__log_mean;
static const sl__log_mean sl__log_mean_of_none = {-__builtin_inf(), 0};
/* Adds a term, and gives what a sum weighted by the same terms must be multiplied by first (kept)
 * and the weight of the term in it (added). */
void sl__log_mean_add(sl__log_mean *mean, double term, double *kept, double *added);
double sl__log_mean_end(const sl__log_mean *mean, int32_t points);
#endif
