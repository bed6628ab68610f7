/* The shares of modes that are apart. A population knows them as well as it has particles whose
 * ancestors were in one mode or the other, which may be a hundred; and a fit by gradients finds
 * them last, since a share that is a little off costs little, and the noise of the steps moves it
 * about. But where the flow reaches all modes, the weights of its own draws know the shares to a
 * hundredth. So the second attempt is the first with its margins set right: at each knot x of a
 * margin's spline the height z moves by the difference of the normal scores of the weighted share
 * of draws below x and of the plain share, times the deviation of z. In the gap between two modes
 * both shares are even, and z there is what divides them.
 *
 * This is a fit like any other and is judged by the exploration. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "infer/diagnose/diagnose.h"
#include "infer/robust/attempt.h"
#include "infer/vi/engine.h"
#include "stan/functions.h"

/* Of a mean, by the weights, in sd: what is beyond the weights' own noise. */
static const double fair_gap = 0.02;

sl_status sl__robust_weigh_modes(sl__robust *run, const sl__robust_report *report, int64_t rows,
                                 const double *x, const double *log_weights) {
  const sl__exploration *e = run->exploration;
  const size_t count = (size_t)rows * (size_t)e->dim;
  const sl__vi_scores *scores = &report->scores;
  const bool usable = scores->lost == 0 && scores->khat < scores->khat_threshold &&
                      report->missed <= SL__MOST_MISSED;
  if (run->attempt != 1 || !e->modes_confirmed || e->dim <= SL__FEW || !usable) return SL_OK;
  run->own.x = sl__arena_take(run->arena, count, sizeof *run->own.x);
  run->own_log_weights = sl__arena_take(run->arena, (size_t)rows, sizeof(double));
  if (!run->own.x || !run->own_log_weights) return SL_NO_MEMORY;
  memcpy(run->own.x, x, count * sizeof *x);
  memcpy(run->own_log_weights, log_weights, (size_t)rows * sizeof *log_weights);
  run->own.rows = rows;
  return SL_OK;
}

bool sl__robust_shares_mendable(const sl__robust *run) {
  return run->attempt == 1 && run->own.rows > 0 && run->report->own_mean_gap > fair_gap;
}

/* ---- one margin ---- */

enum { BINS = SL__MARGIN_BINS };
static const double bound = SL__MARGIN_BOUND, least = SL__MARGIN_LEAST;
/* Beyond these shares there are too few draws; and how little room a bin may be left with. */
static const double first_share = 0.005, tight = 1.05;

typedef struct draw {
  double x, share; /* share: its weight, of sum 1 */
} draw;

static int by_place(const void *a, const void *b) {
  const double x = ((const draw *)a)->x, y = ((const draw *)b)->x;
  return (x > y) - (x < y);
}

/* Shares of the box, from the parameters' softmax. */
static void read_shares(const sl__model *model, int64_t at, double share[BINS]) {
  double most = -INFINITY, sum = 0;
  for (int b = 0; b < BINS; b++) {
    share[b] = sl__vi_number(model->flow, model->vector, at + (int64_t)b * model->dim);
    most = fmax(most, share[b]);
  }
  for (int b = 0; b < BINS; b++) sum += share[b] = exp(share[b] - most);
  for (int b = 0; b < BINS; b++) share[b] = least + (1 - least * BINS) * share[b] / sum;
}

/* The normal scores at the inner knots: of all draws below, and by weight; NaN: too far out. */
static void score(int64_t rows, const draw *sorted, const double width[BINS], double even[BINS],
                  double weighed[BINS]) {
  double x = -bound, sum = 0;
  int64_t below = 0;
  for (int b = 1; b < BINS; b++) {
    x += 2 * bound * width[b - 1];
    for (; below < rows && sorted[below].x < x; below++) sum += sorted[below].share;
    const double share = (double)below / (double)rows;
    const bool known = fmin(share, 1 - share) > first_share && fmin(sum, 1 - sum) > first_share;
    even[b] = known ? sl__number_inv_phi(share) : (double)NAN;
    weighed[b] = known ? sl__number_inv_phi(sum) : (double)NAN;
  }
}

/* How far each knot's height moves: evenly less from the last knots that are known to the edges. */
static bool find_moves(const double height[BINS], const double even[BINS],
                       const double weighed[BINS], double moves[BINS + 1]) {
  int first = BINS, last = 0;
  double rise = 0;
  for (int b = 1; b < BINS; b++) {
    if (isnan(even[b])) continue;
    if (first == BINS) first = b;
    last = b;
  }
  if (first >= last || !(even[last] > even[first])) return false;
  for (int b = first; b < last; b++) rise += 2 * bound * height[b];
  const double deviation = rise / (even[last] - even[first]);
  for (int b = first; b <= last; b++) moves[b] = deviation * (weighed[b] - even[b]);
  for (int b = 0; b < first; b++) moves[b] = moves[first] * b / first;
  for (int b = last + 1; b <= BINS; b++) moves[b] = moves[last] * (BINS - b) / (BINS - last);
  return true;
}

/* offset: of the margin's widths. */
static void mend(sl__model *model, int64_t offset, int64_t rows, const draw *sorted) {
  const int64_t group = (int64_t)BINS * model->dim;
  double width[BINS], height[BINS], even[BINS], weighed[BINS], moves[BINS + 1], next[BINS];
  read_shares(model, offset, width);
  read_shares(model, offset + group, height);
  score(rows, sorted, width, even, weighed);
  if (!find_moves(height, even, weighed, moves)) return;
  double sum = 0;
  for (int b = 0; b < BINS; b++) {
    next[b] = fmax(least * tight, height[b] + (moves[b + 1] - moves[b]) / (2 * bound));
    sum += next[b] - least;
  }
  for (int b = 0; b < BINS; b++) {
    next[b] = least + (next[b] - least) * (1 - least * BINS) / sum;
    sl__vi_put(model->flow, model->vector, offset + group + (int64_t)b * model->dim,
               sl__robust_raw_share(next[b]));
  }
  for (int b = 1; b < BINS; b++) { /* a slope goes with those of the bins beside it */
    const int64_t at = offset + 2 * group + (int64_t)(b - 1) * model->dim;
    const double raw = sl__vi_number(model->flow, model->vector, at);
    const double slope = least + log1p(exp(raw + log(expm1(1 - least))));
    const double factor = sqrt(next[b - 1] / height[b - 1] * (next[b] / height[b]));
    sl__vi_put(model->flow, model->vector, at, sl__robust_raw_slope(slope * factor));
  }
}

sl_status sl__robust_weigh_margins(const sl__robust *run, sl__model *model) {
  const sl__exploration *e = run->exploration;
  const int64_t offset = sl__robust_margins_at(model), rows = run->own.rows;
  if (offset < 0 || rows == 0) return SL_OK;
  draw *sorted = sl__allocate(run->context, (size_t)rows, sizeof *sorted);
  if (!sorted) return SL_NO_MEMORY;
  double most = -INFINITY, sum = 0;
  for (int64_t r = 0; r < rows; r++) most = fmax(most, run->own_log_weights[r]);
  for (int64_t r = 0; r < rows; r++) sum += exp(run->own_log_weights[r] - most);
  for (int32_t i = 0; i < e->dim; i++) {
    for (int64_t r = 0; r < rows; r++)
      sorted[r] = (draw){(run->own.x[r * e->dim + i] - e->mean[i]) / e->sd[i],
                         exp(run->own_log_weights[r] - most) / sum};
    qsort(sorted, (size_t)rows, sizeof *sorted, by_place);
    mend(model, offset + i, rows, sorted);
  }
  sl__free(&run->context->allocator, sorted);
  return SL_OK;
}
