/* What an exploration comes to: whether its chains agree, the draws that flows are fitted to and
 * judged by, and their moments. */
#include <math.h>
#include <string.h>
#include "infer/diagnose/diagnose.h"
#include "infer/robust/explore.h"

/* Beyond these it is worth looking for a better way to walk. */
static const double well_mixed_rhat = 1.01, least_share = 0.125;

/* ---- chains ---- */

/* Largest R-hat, and the least effective sample size. */
sl_status sl__exploration_judge_chains(sl_context *context, sl__arena *arena, sl__exploration *e) {
  if (e->chain_count == 0) return SL_OK;
  const int64_t draws = e->chains.rows / e->chain_count;
  sl__summary_row *rows = sl__arena_take(arena, (size_t)e->dim, sizeof *rows);
  e->rhats = sl__arena_take(arena, (size_t)e->dim, sizeof *e->rhats);
  if (!rows || !e->rhats) return SL_NO_MEMORY;
  const sl__series first = {.chains = e->chain_count,
                            .draws = draws,
                            .values = e->chains.x,
                            .chain_stride = draws * e->dim,
                            .draw_stride = e->dim};
  SL__TRY(sl__summarise(context, &first, e->dim, 1, rows));
  e->rhat = 1;
  e->effective = INFINITY;
  for (int32_t i = 0; i < e->dim; i++) {
    e->rhats[i] = rows[i].rhat;
    /* one that is not a number stays */
    if (!isnan(e->rhat) && !(rows[i].rhat <= e->rhat)) e->rhat = rows[i].rhat;
    if (!isnan(e->effective) && !(rows[i].ess_bulk >= e->effective))
      e->effective = rows[i].ess_bulk;
  }
  const double count = (double)e->chains.rows;
  e->chains_agree = e->rhat < SL__GOOD_RHAT;
  e->chains_mix = e->rhat < well_mixed_rhat && e->effective >= least_share * count &&
                  (double)e->divergences <= SL__MOST_DIVERGENT * count;
  return SL_OK;
}

/* ---- the buffer ---- */

sl_status sl__exploration_take_chains(sl__arena *arena, sl__exploration *e) {
  const size_t count = (size_t)(e->chains.rows * e->dim);
  e->buffer.rows = e->chains.rows;
  e->buffer.x = sl__arena_take(arena, count, sizeof *e->buffer.x);
  if (!e->buffer.x) return SL_NO_MEMORY;
  memcpy(e->buffer.x, e->chains.x, count * sizeof *e->buffer.x);
  return SL_OK;
}

/* Fisher and Yates. */
static void shuffle(uint64_t seed, sl__draws *draws, int32_t dim) {
  const sl__random_key key = {sl__seed_of_part(seed, SL__PART_SHUFFLE, 0), SL__STREAM_RESAMPLE, 0};
  for (int64_t r = draws->rows - 1; r > 0; r--) {
    const int64_t other = (int64_t)sl__random_below(key, (uint64_t)r, 0, (uint64_t)r + 1);
    for (int32_t i = 0; i < dim; i++) {
      const double kept = draws->x[r * dim + i];
      draws->x[r * dim + i] = draws->x[other * dim + i];
      draws->x[other * dim + i] = kept;
    }
  }
}

/* ---- moments ---- */

/* Cholesky's. */
bool sl__exploration_factorise(int32_t n, double *a) {
  for (int32_t j = 0; j < n; j++)
    for (int32_t i = j; i < n; i++) {
      double sum = a[i * n + j];
      for (int32_t k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      if (i == j && !(sum > 1e-12)) return false;
      a[i * n + j] = i == j ? sqrt(sum) : sum / a[j * n + j];
    }
  return true;
}

static void measure_moments(sl__exploration *e) {
  const int32_t dim = e->dim;
  const double n = (double)e->buffer.rows;
  for (int64_t r = 0; r < e->buffer.rows; r++)
    for (int32_t i = 0; i < dim; i++) e->mean[i] += e->buffer.x[r * dim + i] / n;
  for (int64_t r = 0; r < e->buffer.rows; r++)
    for (int32_t i = 0; i < dim; i++) {
      const double off = e->buffer.x[r * dim + i] - e->mean[i];
      e->sd[i] += off * off / n;
    }
  for (int32_t i = 0; i < dim; i++) e->sd[i] = e->sd[i] > 0 ? sqrt(e->sd[i]) : 1;
}

/* Shrunk towards the identity as if by as many draws as there are dimensions. */
static void measure_correlations(sl__exploration *e) {
  const int32_t dim = e->dim;
  const double kept = e->effective / (e->effective + dim), n = (double)e->buffer.rows;
  for (int64_t r = 0; r < e->buffer.rows; r++)
    for (int32_t i = 0; i < dim; i++) {
      const double a = (e->buffer.x[r * dim + i] - e->mean[i]) / e->sd[i] / n * kept;
      for (int32_t j = 0; j <= i; j++)
        e->factor[i * dim + j] += a * (e->buffer.x[r * dim + j] - e->mean[j]) / e->sd[j];
    }
  for (int32_t i = 0; i < dim; i++) e->factor[i * dim + i] += 1 - kept;
  if (!sl__exploration_factorise(dim, e->factor)) e->factor = NULL;
}

sl_status sl__exploration_settle(sl__arena *arena, uint64_t seed, sl__exploration *e) {
  shuffle(seed, &e->buffer, e->dim);
  const size_t dim = (size_t)e->dim;
  e->mean = sl__arena_take(arena, dim, sizeof *e->mean);
  e->sd = sl__arena_take(arena, dim, sizeof *e->sd);
  if (!e->mean || !e->sd) return SL_NO_MEMORY;
  measure_moments(e);
  e->factor = NULL;
  if (e->dim < 2 || e->dim > SL__MOST_DENSE) return SL_OK;
  e->factor = sl__arena_take(arena, dim * dim, sizeof *e->factor);
  if (!e->factor) return SL_NO_MEMORY;
  measure_correlations(e);
  return SL_OK;
}
