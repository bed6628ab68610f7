/* Pareto smoothed importance sampling: Vehtari, Simpson, Gelman, Yao and Gabry 2024, "Pareto
 * smoothed importance sampling", JMLR 25:72, algorithm 1. The largest weights are replaced by the
 * expected order statistics of a generalised Pareto distribution fitted to them, and none exceeds
 * the largest raw one; the fitted shape k-hat says how many moments the weights have.
 *
 * Checked against ArviZ 0.23, whose conventions for ties and tail length are kept: weights equal to
 * the cutoff are not of the tail. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "infer/diagnose/diagnose.h"

enum { FEWEST_IN_TAIL = 5 };

typedef struct weighted {
  double log_weight;
  int64_t index;
} weighted;

double sl__khat_threshold(int64_t count) {
  return count < 2 ? 0 : fmin(1 - 1 / log10((double)count), 0.7);
}

static int ascending(const void *a, const void *b) {
  const weighted *x = a, *y = b;
  if (x->log_weight != y->log_weight) return x->log_weight < y->log_weight ? -1 : 1;
  return x->index < y->index ? -1 : x->index > y->index;
}

/* Copies finite-checked ratios, less their largest. */
static sl_status load(sl_context *context, int64_t count, const double *log_ratios, double *largest,
                      weighted *sorted) {
  *largest = -INFINITY;
  for (int64_t i = 0; i < count; i++) {
    if (isnan(log_ratios[i]) || log_ratios[i] == INFINITY)
      return sl__fail(context, SL_NUMERIC,
                      "log ratio %lld of %lld is %s; leave out draws whose density is not a number",
                      (long long)i + 1, (long long)count,
                      isnan(log_ratios[i]) ? "NaN" : "infinite");
    *largest = fmax(*largest, log_ratios[i]);
  }
  if (*largest == -INFINITY)
    return sl__fail(context, SL_NUMERIC,
                    "all %lld weights are 0; the draws lie where the target has no density",
                    (long long)count);
  for (int64_t i = 0; i < count; i++) sorted[i] = (weighted){log_ratios[i] - *largest, i};
  qsort(sorted, (size_t)count, sizeof *sorted, ascending);
  return SL_OK;
}

/* The tail is sorted[first ..]: at most a fifth of the weights, at most 3 sqrt(count /
 * relative_efficiency), and only such as exceed the cutoff, the next weight below. */
static int64_t first_of_tail(int64_t count, double relative_efficiency, const weighted *sorted,
                             double *cutoff) {
  const double n = (double)count;
  const int64_t length = (int64_t)ceil(fmin(n / 5, 3 * sqrt(n / relative_efficiency)));
  int64_t first = count - length;
  *cutoff = first > 0 ? fmax(sorted[first - 1].log_weight, log(DBL_MIN)) : log(DBL_MIN);
  while (first < count && sorted[first].log_weight <= *cutoff) first++;
  return first;
}

/* Replaces the tail's weights by quantiles of the fitted distribution at (j - 1/2) / length. */
static void smooth_tail(int64_t length, weighted *tail, double cutoff, double shape, double scale) {
  for (int64_t j = 0; j < length; j++) {
    const double log_survival = log1p(-((double)j + 0.5) / (double)length);
    const double excess =
        fabs(shape) < DBL_EPSILON ? -log_survival : expm1(-shape * log_survival) / shape;
    tail[j].log_weight = fmin(log(scale * excess + exp(cutoff)), 0);
  }
}

static void write_weights(int64_t count, const weighted *sorted, double largest,
                          double *log_weights, sl__psis *out) {
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < count; i++) {
    const double weight = exp(sorted[i].log_weight);
    sum += weight;
    squares += weight * weight;
  }
  out->ess = sum * sum / squares;
  out->log_mean = largest + log(sum / (double)count);
  for (int64_t i = 0; log_weights && i < count; i++)
    log_weights[sorted[i].index] = sorted[i].log_weight - log(sum);
}

sl_status sl__psis_smooth(sl_context *context, int64_t count, const double *log_ratios,
                          double relative_efficiency, double *log_weights, sl__psis *out) {
  *out = (sl__psis){.khat = INFINITY, .threshold = sl__khat_threshold(count)};
  if (count < 1 || !(relative_efficiency > 0))
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "%lld weights of relative efficiency %s; both must be positive",
                    (long long)count, relative_efficiency > 0 ? "above 0" : "0 or less");
  sl__arena arena;
  sl__arena_open(&arena, context);
  const size_t work_size = 2 * (30 + (size_t)sqrt((double)count));
  weighted *sorted = sl__arena_take(&arena, (size_t)count, sizeof *sorted);
  double *excess = sl__arena_take(&arena, (size_t)count, sizeof *excess);
  double *work = sl__arena_take(&arena, work_size, sizeof *work);
  double largest, cutoff;
  sl_status status =
      sorted && excess && work ? load(context, count, log_ratios, &largest, sorted) : SL_NO_MEMORY;
  if (status == SL_OK) {
    const int64_t first = first_of_tail(count, relative_efficiency, sorted, &cutoff);
    out->tail = count - first;
    if (out->tail >= FEWEST_IN_TAIL) {
      double scale;
      for (int64_t j = 0; j < out->tail; j++)
        excess[j] = exp(sorted[first + j].log_weight) - exp(cutoff);
      sl__pareto_fit(out->tail, excess, work, &out->khat, &scale);
      if (isfinite(out->khat) && scale > 0)
        smooth_tail(out->tail, sorted + first, cutoff, out->khat, scale);
      else
        out->khat = INFINITY;
    }
    write_weights(count, sorted, largest, log_weights, out);
  }
  sl__arena_close(&arena);
  return status;
}
