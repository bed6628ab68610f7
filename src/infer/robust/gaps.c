/* How far q is from what is known in other ways, coordinate by coordinate: means and sds beside those
 * of the exploration, beside those that its own weights make of it, and what strays would do. */
#include <math.h>
#include "infer/robust/rules.h"

/* A draw of p is missed where q is less than a tenth of p; in many dimensions log w spreads with
 * the gap that is allowed, and this much lower is no hole. */
static const double log_ten = 2.302585092994046;

/* The kurtosis of a margin beyond which its sd is hardly known. */
static const double heavy_tailed = 30;

double sl__robust_hole(int32_t dim) {
  return log_ten + (dim > SL__FEW ? sl__robust_allowance(dim) : 0);
}

typedef struct moments {
  double mean, sd, deviation, kurtosis; /* deviation: the mean of |x - mean| */
  double draws;                         /* independent ones */
} moments;

/* shares [rows], of sum 1; NULL: all alike. */
static moments measure(int64_t rows, int32_t dim, int32_t column, const double *x,
                       const double *shares) {
  const double even = 1 / (double)rows;
  double fourth = 0;
  moments m = {.draws = (double)rows};
  for (int64_t r = 0; r < rows; r++) m.mean += (shares ? shares[r] : even) * x[r * dim + column];
  for (int64_t r = 0; r < rows; r++) {
    const double off = x[r * dim + column] - m.mean, share = shares ? shares[r] : even;
    m.sd += share * off * off;
    m.deviation += share * fabs(off);
    fourth += share * off * off * off * off;
  }
  m.kurtosis = fourth / (m.sd * m.sd);
  m.sd = sqrt(m.sd);
  return m;
}

/* The variance of a mean deviation's logarithm. */
static double deviation_variance(const moments *m) {
  return (m->sd * m->sd / m->deviation / m->deviation - 1) / m->draws;
}

/* One that is not a number stays. */
static void raise_to(double value, double *most) {
  if (!isnan(*most) && !(value <= *most)) *most = value;
}

/* *sd_gap: of |log ratio| of sds; where tails are so heavy, as of a funnel, that thousands of draws
 * do not know an sd, of mean deviations, beyond what chance explains. */
static void compare(const moments *a, const moments *b, double *mean_gap, double *sd_gap,
                    double *log_sd_ratio) {
  double ratio = fabs(log(a->sd / b->sd));
  raise_to(fabs(a->mean - b->mean) / b->sd, mean_gap);
  raise_to(ratio, log_sd_ratio);
  if (fmax(a->kurtosis, b->kurtosis) > heavy_tailed) {
    const double chance = SL__ERRORS * sqrt(deviation_variance(a) + deviation_variance(b));
    ratio = fabs(log(a->deviation / b->deviation)) - chance;
    if (ratio < 0) ratio = 0;
  }
  raise_to(ratio, sd_gap);
}

/* What strays add to a coordinate's spread. A single draw of thousands, a hundred sds away, can be
 * most of an sd, and is to be expected where tails are heavy; by the flow's own draws, since those
 * of the exploration are heavy-tailed by the strays themselves. */
static double spread_by(const moments *own, double distances, double squares, double draws) {
  if (own->kurtosis > heavy_tailed) return log1p(distances * own->sd / own->deviation / draws);
  return 0.5 * log1p(squares / draws);
}

/* A tail that is too thin still reaches its strays. Where a single draw of q would weigh more than
 * as many others as there are draws of p, q has nothing: that is no tail of its own. */
static bool reaches_strays(const sl__judged *j, double log_evidence) {
  const double most = log_evidence + log((double)j->fresh_rows);
  for (int64_t r = 0; r < j->fresh_rows; r++)
    if (!(j->at_fresh[r] <= most)) return false;
  return true;
}

/* Strays are few, but may be so far away that means and sds are theirs. */
void sl__robust_measure_strays(const sl__judged *j, int32_t dim, double cut,
                               sl__robust_report *report) {
  const double least = fmax(cut, report->scores.log_evidence + sl__robust_hole(dim));
  report->strays = 0;
  report->stray_mean_gap = report->stray_sd_gap = report->stray_spread_gap = 0;
  for (int64_t r = 0; r < j->fresh_rows; r++)
    report->strays += j->at_fresh[r] > cut && j->at_fresh[r] >= least;
  for (int32_t i = 0; report->strays > 0 && i < dim; i++) {
    const moments own = measure(j->rows, dim, i, j->x, NULL);
    const double draws = (double)j->fresh_rows;
    double sum = 0, distances = 0, squares = 0;
    for (int64_t r = 0; r < j->fresh_rows; r++) {
      if (!(j->at_fresh[r] > cut && j->at_fresh[r] >= least)) continue;
      const double off = (j->fresh[r * dim + i] - own.mean) / own.sd;
      sum += off;
      distances += fabs(off);
      squares += off * off;
    }
    raise_to(fabs(sum) / draws, &report->stray_mean_gap);
    raise_to(0.5 * log1p(squares / draws), &report->stray_sd_gap);
    raise_to(spread_by(&own, distances, squares, draws), &report->stray_spread_gap);
  }
  if (!reaches_strays(j, report->scores.log_evidence))
    report->stray_spread_gap = report->stray_sd_gap;
}

sl_status sl__robust_compare_moments(const sl__robust *run, const sl__judged *j,
                                     sl__robust_report *report) {
  const sl__exploration *e = run->exploration;
  report->mean_gap = report->sd_gap = report->log_sd_ratio = 0;
  report->by_quartiles = run->heavy;
  for (int32_t i = 0; i < e->dim; i++) {
    const moments own = measure(j->rows, e->dim, i, j->x, NULL);
    moments known = measure(e->buffer.rows, e->dim, i, e->buffer.x, NULL);
    known.draws = fmin(known.draws, e->effective);
    compare(&own, &known, &report->mean_gap, &report->sd_gap, &report->log_sd_ratio);
  }
  /* chains may not have come to tails that the flow has by its own draws */
  const sl__draws own = {j->rows, j->x};
  if (e->dim == 1 && !run->heavy)
    SL__TRY(sl__robust_has_heavy_tails(run->context, &own, &report->by_quartiles));
  if (!report->by_quartiles) return SL_OK;
  return sl__robust_compare_quartiles(run->context, &own, &e->buffer, NULL, &report->mean_gap,
                                      &report->sd_gap);
}

/* As a correlation with itself: but for rounding, of which moments would make something. */
static bool is_constant(int64_t rows, int32_t count, int32_t column, const double *values) {
  static const double rounding = 1e-12;
  double low = INFINITY, high = -INFINITY;
  for (int64_t r = 0; r < rows; r++) {
    low = fmin(low, values[r * count + column]);
    high = fmax(high, values[r * count + column]);
  }
  return high - low <= rounding * fmax(fabs(low), fabs(high));
}

/* A fit may be good in its coordinates and not in a parameter that is the exponential of one: a tenth
 * off log tau's sd may be a third off tau's. By weights only, as the exploration has too few draws in
 * such a tail. */
static sl_status compare_parameters(const sl__robust *run, sl__arena *arena, const sl__judged *j,
                                    const double *weights, sl__robust_report *report) {
  const sl__target *target = run->target;
  const int32_t count = sl__target_count(target, SL__TARGET_PARAMETERS);
  report->parameter_mean_gap = report->parameter_sd_gap = 0;
  if (target->direct || count < 1) return SL_OK;
  double *values = sl__arena_take(arena, (size_t)j->rows * (size_t)count, sizeof *values);
  if (!values) return SL_NO_MEMORY;
  SL__TRY(
      sl__target_write(run->context, target, SL__TARGET_PARAMETERS, j->rows, j->x, 0, 0, values));
  for (int32_t i = 0; i < count; i++) {
    if (is_constant(j->rows, count, i, values)) continue;
    const moments own = measure(j->rows, count, i, values, NULL);
    const moments known = measure(j->rows, count, i, values, weights);
    /* one that overflows */
    if (!(own.sd > 0 && known.sd > 0 && isfinite(own.kurtosis) && isfinite(known.kurtosis)))
      continue;
    double any = 0;
    compare(&own, &known, &report->parameter_mean_gap, &report->parameter_sd_gap, &any);
  }
  return SL_OK;
}

/* Weights know the shares of modes that q and the exploration may both have wrong. */
sl_status sl__robust_compare_weighted(const sl__robust *run, sl__arena *arena, const sl__judged *j,
                                      sl__robust_report *report) {
  const int32_t dim = run->exploration->dim;
  double most = -INFINITY, total = 0;
  double *weights = sl__arena_take(arena, (size_t)j->rows, sizeof *weights);
  if (!weights) return SL_NO_MEMORY;
  for (int64_t r = 0; r < j->rows; r++) most = fmax(most, j->log_weights[r]);
  for (int64_t r = 0; r < j->rows; r++) total += weights[r] = exp(j->log_weights[r] - most);
  for (int64_t r = 0; r < j->rows; r++) weights[r] /= total;
  report->own_mean_gap = report->own_sd_gap = report->own_log_sd_ratio = 0;
  for (int32_t i = 0; i < dim; i++) {
    const moments own = measure(j->rows, dim, i, j->x, NULL);
    const moments known = measure(j->rows, dim, i, j->x, weights);
    compare(&own, &known, &report->own_mean_gap, &report->own_sd_gap, &report->own_log_sd_ratio);
  }
  SL__TRY(compare_parameters(run, arena, j, weights, report));
  if (!report->by_quartiles) return SL_OK;
  const sl__draws own = {j->rows, j->x};
  return sl__robust_compare_quartiles(run->context, &own, &own, weights, &report->own_mean_gap,
                                      &report->own_sd_gap);
}
