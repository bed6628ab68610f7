/* Cells of integers: the points of a lattice, and mean densities over them. */
#include "flow/cell.h"
#include <math.h>

/* 77 does best among the multipliers of 256 points in two to six dimensions, by the sum P_2 of the
 * squared errors of products of Bernoulli polynomials. */
enum { POINTS_OF_ONE = 64, POINTS_OF_SEVERAL = 256, MULTIPLIER = 77 };

sl_status sl__cell_new(sl__arena *arena, const sl__columns *map, sl__cell *out) {
  uint32_t generator = 1;
  *out = (sl__cell){.columns = sl__arena_take(arena, (size_t)map->count, sizeof *out->columns)};
  if (!out->columns) return SL_NO_MEMORY;
  for (int32_t i = 0; i < map->count; i++) {
    if (!map->type[i].integer) continue;
    out->columns[out->count++] = (sl__cell_column){i, generator};
    generator = generator * MULTIPLIER % POINTS_OF_SEVERAL;
  }
  out->points = out->count == 0 ? 1 : out->count == 1 ? POINTS_OF_ONE : POINTS_OF_SEVERAL;
  return SL_OK;
}

double sl__cell_place(const sl__cell *cell, int32_t points, int32_t point, int32_t i) {
  const uint32_t all = (uint32_t)points;
  return (double)((uint32_t)point * cell->columns[i].generator % all) / points;
}

void sl__log_mean_add(sl__log_mean *mean, double term, double *kept, double *added) {
  *kept = 1;
  *added = 0;
  if (term == -INFINITY) return;
  if (term > mean->most) {
    *kept = exp(mean->most - term);
    *added = 1;
    mean->most = term;
  } else {
    *added = exp(term - mean->most);
  }
  mean->sum = *kept * mean->sum + *added;
}

double sl__log_mean_end(const sl__log_mean *mean, int32_t points) {
  if (mean->sum == 0) return -INFINITY;
  return mean->most + log(mean->sum / points);
}
