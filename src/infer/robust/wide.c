/* Points that are spread wider than the target, over which a fit makes log w even (fit.c): those of
 * the tempered population on its way, and draws. Both are rare where p is small, which is where they
 * are needed; so a point counts as p^(-1/4), and draws of p become draws of p^(3/4). Points where p
 * is 0 say nothing. After an attempt the heaviest of its own draws join them: these are where it is
 * farthest below the target. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "infer/robust/attempt.h"

/* The nats below the largest density beyond which points are all alike. */
static const double power = 0.25, most_nats = 10;
/* How many draws of a flow that was judged join the points, and the share that is theirs. */
enum { HEAVIEST = 512 };
static const double share = 0.25;

static sl_status join(sl__arena *arena, sl__exploration *e) {
  const size_t dim = (size_t)e->dim, rows = (size_t)e->wide.rows;
  const size_t more = (size_t)e->buffer.rows;
  double *both = sl__arena_take(arena, (rows + more) * dim, sizeof *both);
  e->wide_log_weights = sl__arena_take(arena, rows + more, sizeof *e->wide_log_weights);
  if (!both || !e->wide_log_weights) return SL_NO_MEMORY;
  memcpy(both, e->wide.x, rows * dim * sizeof *both);
  memcpy(both + rows * dim, e->buffer.x, more * dim * sizeof *both);
  e->wide = (sl__draws){(int64_t)(rows + more), both};
  return SL_OK;
}

static sl_status evaluate(sl_context *context, const sl__target *target, const sl__draws *draws,
                          double *value) {
  sl__density *density;
  SL__TRY(sl__density_new(context, target, 0, false, &density));
  const sl__points points = {.rows = draws->rows,
                             .q = draws->x,
                             .value = value,
                             .row_stride = target->dim,
                             .column_stride = 1};
  const sl_status status = sl__density_run(context, density, &points);
  sl__density_free(density);
  return status;
}

sl_status sl__robust_widen(sl_context *context, const sl__target *target, sl__arena *arena,
                           sl__exploration *e) {
  if (e->dim > SL__FEW) e->wide.rows = 0;
  if (e->wide.rows == 0) return SL_OK;
  SL__TRY(join(arena, e));
  double *log_weights = e->wide_log_weights, most = -INFINITY;
  SL__TRY(evaluate(context, target, &e->wide, log_weights));
  e->values += e->wide.rows;
  for (int64_t r = 0; r < e->wide.rows; r++)
    if (isfinite(log_weights[r])) most = fmax(most, log_weights[r]);
  for (int64_t r = 0; r < e->wide.rows; r++)
    log_weights[r] = isfinite(log_weights[r]) ? power * fmin(most - log_weights[r], most_nats)
                                              : -(double)INFINITY;
  return SL_OK;
}

/* ---- after an attempt ---- */

static int descending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x < y) - (x > y);
}

/* The log weight of which HEAVIEST draws have as much or more. */
static sl_status find_cut(sl__robust *run, int64_t rows, const double *log_weights, double *cut) {
  double *sorted = sl__allocate(run->context, (size_t)rows, sizeof *sorted);
  if (!sorted) return SL_NO_MEMORY;
  memcpy(sorted, log_weights, (size_t)rows * sizeof *sorted);
  qsort(sorted, (size_t)rows, sizeof *sorted, descending);
  *cut = sorted[HEAVIEST - 1];
  sl__free(&run->context->allocator, sorted);
  return SL_OK;
}

/* Log of what each of so many must count for all of them to have their share. */
static double fair_log_weight(const sl__exploration *e, int64_t rows) {
  double sum = 0;
  for (int64_t r = 0; r < rows; r++) sum += exp(e->wide_log_weights[r]);
  return log(sum / HEAVIEST * share / (1 - share));
}

sl_status sl__robust_widen_by(sl__robust *run, int64_t rows, const double *x,
                              const double *log_weights) {
  sl__exploration *e = run->exploration;
  const size_t dim = (size_t)e->dim, known = (size_t)e->wide.rows;
  double cut;
  if (known == 0 || rows < HEAVIEST) return SL_OK;
  SL__TRY(find_cut(run, rows, log_weights, &cut));
  double *both = sl__arena_take(run->arena, (known + HEAVIEST) * dim, sizeof *both);
  double *weights = sl__arena_take(run->arena, known + HEAVIEST, sizeof *weights);
  if (!both || !weights) return SL_NO_MEMORY;
  memcpy(both, e->wide.x, known * dim * sizeof *both);
  memcpy(weights, e->wide_log_weights, known * sizeof *weights);
  const double counts = fair_log_weight(e, e->wide.rows);
  size_t now = known;
  for (int64_t r = 0; r < rows && now < known + HEAVIEST; r++) {
    if (!(log_weights[r] >= cut)) continue;
    memcpy(both + now * dim, x + (size_t)r * dim, dim * sizeof *both);
    weights[now++] = counts;
  }
  e->wide = (sl__draws){(int64_t)now, both};
  e->wide_log_weights = weights;
  return SL_OK;
}
