/* Loading a series, its quantiles, its halves and the normal scores of their ranks: Vehtari et al.
 * 2021 (arXiv:1903.08008), sections 3 and 4.1. */
#include <math.h>
#include <stdlib.h>

#include "infer/diagnose/series.h"
#include "stan/functions.h"

sl_status sl__series_work_take(sl__arena *arena, int64_t chains, int64_t draws,
                               sl__series_work *work) {
  *work = (sl__series_work){.chains = chains, .draws = draws};
  if (chains < 1 || draws < 1 || __builtin_mul_overflow(chains, draws, &work->count) ||
      work->count > INT64_MAX / 64)
    return sl__fail(arena->context, SL_BAD_ARGUMENT,
                    "%lld chains of %lld draws; give at least one of each", (long long)chains,
                    (long long)draws);
  work->halves = 2 * chains;
  work->length = draws / 2;
  work->points = 2;
  while (work->points < 2 * work->length) work->points *= 2;
  const size_t count = (size_t)work->count, points = (size_t)work->points;
  work->values = sl__arena_take(arena, count, sizeof(double));
  work->sorted = sl__arena_take(arena, count, sizeof(double));
  work->split = sl__arena_take(arena, count, sizeof(double));
  work->ranked = sl__arena_take(arena, count, sizeof(sl__ranked));
  work->correlation = sl__arena_take(arena, (size_t)work->length, sizeof(double));
  work->transform = sl__arena_take(arena, 2 * points, sizeof(double));
  work->power = sl__arena_take(arena, points, sizeof(double));
  work->twiddle = sl__arena_take(arena, points, sizeof(double));
  if (!work->values || !work->sorted || !work->split || !work->ranked || !work->correlation ||
      !work->transform || !work->power || !work->twiddle)
    return SL_NO_MEMORY;
  const double step = 6.283185307179586476925 / (double)work->points;
  for (int64_t i = 0; i < work->points / 2; i++) {
    work->twiddle[2 * i] = cos(step * (double)i);
    work->twiddle[2 * i + 1] = -sin(step * (double)i);
  }
  return SL_OK;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

bool sl__series_load(sl__series_work *work, const sl__series *series) {
  bool finite = true;
  for (int64_t chain = 0; chain < work->chains; chain++)
    for (int64_t draw = 0; draw < work->draws; draw++) {
      const double value =
          series->values[chain * series->chain_stride + draw * series->draw_stride];
      work->values[chain * work->draws + draw] = value;
      work->sorted[chain * work->draws + draw] = value;
      finite &= isfinite(value) != 0;
    }
  if (!finite) return false;
  qsort(work->sorted, (size_t)work->count, sizeof(double), ascending);
  return work->draws >= 4 && work->sorted[0] < work->sorted[work->count - 1];
}

int sl__scale_exponent(double largest) {
  const double least_usual = 0x1p-100, most_usual = 0x1p150;
  int exponent = 0;
  if (largest > 0 && isfinite(largest) && (largest < least_usual || largest > most_usual))
    frexp(largest, &exponent);
  return exponent;
}

void sl__series_scale(sl__series_work *work) {
  work->exponent = sl__scale_exponent(fmax(-work->sorted[0], work->sorted[work->count - 1]));
  if (work->exponent == 0) return;
  for (int64_t i = 0; i < work->count; i++) {
    work->values[i] = ldexp(work->values[i], -work->exponent);
    work->sorted[i] = ldexp(work->sorted[i], -work->exponent);
  }
}

double sl__series_mean(const sl__series_work *work) {
  double sum = 0;
  for (int64_t i = 0; i < work->count; i++) sum += work->values[i];
  return sum / (double)work->count;
}

double sl__series_variance(const sl__series_work *work, double mean) {
  double sum = 0;
  for (int64_t i = 0; i < work->count; i++) {
    const double deviation = work->values[i] - mean;
    sum += deviation * deviation;
  }
  return sum / (double)(work->count - 1);
}

double sl__series_quantile(const sl__series_work *work, double probability) {
  const double place = probability * (double)(work->count - 1);
  const int64_t below = (int64_t)place;
  if (below + 1 >= work->count) return work->sorted[work->count - 1];
  const double share = place - (double)below;
  return work->sorted[below] + share * (work->sorted[below + 1] - work->sorted[below]);
}

/* Element i of half h in values. */
static const double *half_of(const sl__series_work *work, int64_t half) {
  const double *chain = work->values + half / 2 * work->draws;
  return half % 2 == 0 ? chain : chain + work->draws - work->length;
}

void sl__split_values(sl__series_work *work) {
  for (int64_t half = 0; half < work->halves; half++)
    for (int64_t i = 0; i < work->length; i++)
      work->split[half * work->length + i] = half_of(work, half)[i];
}

void sl__split_below(sl__series_work *work, double bound) {
  for (int64_t half = 0; half < work->halves; half++)
    for (int64_t i = 0; i < work->length; i++)
      work->split[half * work->length + i] = half_of(work, half)[i] <= bound;
}

void sl__split_folded(sl__series_work *work, double centre) {
  for (int64_t half = 0; half < work->halves; half++)
    for (int64_t i = 0; i < work->length; i++)
      work->split[half * work->length + i] = fabs(half_of(work, half)[i] - centre);
}

static int by_value(const void *a, const void *b) {
  const sl__ranked *x = a, *y = b;
  if (x->value != y->value) return x->value < y->value ? -1 : 1;
  return x->index < y->index ? -1 : x->index > y->index;
}

/* The scores are those of Blom 1958: the normal quantile at (rank - 3/8) / (count + 1/4). */
void sl__split_normal_scores(sl__series_work *work) {
  const int64_t count = work->halves * work->length;
  for (int64_t i = 0; i < count; i++) work->ranked[i] = (sl__ranked){work->split[i], i};
  qsort(work->ranked, (size_t)count, sizeof *work->ranked, by_value);
  for (int64_t first = 0, end; first < count; first = end) {
    for (end = first + 1; end < count && work->ranked[end].value == work->ranked[first].value;)
      end++;
    const double rank = 0.5 * (double)(first + 1 + end);
    const double score = sl__number_inv_phi((rank - 0.375) / ((double)count + 0.25));
    for (int64_t i = first; i < end; i++) work->split[work->ranked[i].index] = score;
  }
}
