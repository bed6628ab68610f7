/* Which chains are to go on from where another one is. */
#include "infer/chain/regroup.h"
#include <math.h>

/* A mean log density of so many dimensions is known to a few times the square root of half their
 * number only: that is how far it spreads over draws. */
static double margin(int32_t dim) {
  return 10 + 4 * sqrt(0.5 * dim);
}

sl_status sl__visit_open(sl__arena *arena, int32_t dim, sl__visit *visit) {
  visit->log_density = 0;
  return sl__moments_open(arena, dim, &visit->moments);
}

void sl__visit_clear(sl__visit *visit) {
  sl__moments_clear(&visit->moments);
  visit->log_density = 0;
}

void sl__visit_add(sl__visit *visit, const double *q, const double *gradient, double log_density) {
  sl__moments_add(&visit->moments, q, gradient);
  visit->log_density += (log_density - visit->log_density) / (double)visit->moments.count;
}

double sl__visit_log_mass(const sl__visit *visit) {
  const sl__moments *moments = &visit->moments;
  double log_mass = visit->log_density;
  for (int32_t i = 0; i < moments->dim; i++)
    log_mass += 0.5 * log(moments->squares[i] / (double)moments->count);
  return log_mass;
}

void sl__regroup(int32_t chains, int32_t dim, const double *log_mass, int32_t *donor) {
  double most = -INFINITY;
  for (int32_t c = 0; c < chains; c++) most = fmax(most, log_mass[c]);
  if (!isfinite(most)) {
    for (int32_t c = 0; c < chains; c++) donor[c] = c;
    return;
  }
  /* Those that stay take turns as donors, so that newcomers do not all stand at one point. */
  int32_t next = 0;
  for (int32_t c = 0; c < chains; c++) {
    donor[c] = c;
    if (!(log_mass[c] < most - margin(dim))) continue;
    while (!(log_mass[next] >= most - margin(dim))) next = (next + 1) % chains;
    donor[c] = next;
    next = (next + 1) % chains;
  }
}
