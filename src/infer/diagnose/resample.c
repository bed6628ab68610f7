/* Draws chosen by their weights. A choice depends on the key, its number and the weights alone. */
#include <math.h>
#include <stdlib.h>

#include "infer/diagnose/diagnose.h"

typedef struct ticket {
  double key;
  int64_t index;
} ticket;

static int descending(const void *a, const void *b) {
  const ticket *x = a, *y = b;
  if (x->key != y->key) return x->key > y->key ? -1 : 1;
  return x->index < y->index ? -1 : x->index > y->index;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Without repetition: draw i waits an exponential time of rate weight_i, and the first `wanted` to
 * come are taken (Efraimidis and Spirakis 2006, algorithm A, in logarithms). */
static sl_status take_distinct(sl_context *context, sl__arena *arena, sl__random_key key,
                               int64_t count, const double *log_weights, int64_t wanted,
                               int64_t *index) {
  ticket *tickets = sl__arena_take(arena, (size_t)count, sizeof *tickets);
  if (!tickets) return SL_NO_MEMORY;
  int64_t positive = 0;
  for (int64_t i = 0; i < count; i++) {
    const double log_time = log(-log(sl__random_uniform(key, (uint64_t)i, 0)));
    tickets[i] = (ticket){log_weights[i] - log_time, i};
    positive += log_weights[i] > -INFINITY;
  }
  if (wanted > positive)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "%lld draws without repetition out of %lld of positive weight; ask for fewer",
                    (long long)wanted, (long long)positive);
  qsort(tickets, (size_t)count, sizeof *tickets, descending);
  for (int64_t i = 0; i < wanted; i++) index[i] = tickets[i].index;
  return SL_OK;
}

/* With repetition: ascending uniform numbers against the running sum of the weights. */
static sl_status take_repeated(sl__arena *arena, sl__resampling how, sl__random_key key,
                               int64_t count, const double *log_weights, int64_t wanted,
                               int64_t *index) {
  double *uniform = sl__arena_take(arena, (size_t)wanted, sizeof *uniform);
  if (!uniform) return SL_NO_MEMORY;
  for (int64_t i = 0; i < wanted; i++) {
    uniform[i] = sl__random_uniform(key, (uint64_t)i, 0);
    if (how == SL__RESAMPLE_STRATIFIED) uniform[i] = ((double)i + uniform[i]) / (double)wanted;
  }
  if (how == SL__RESAMPLE_MULTINOMIAL) qsort(uniform, (size_t)wanted, sizeof *uniform, ascending);
  double largest = -INFINITY, total = 0, sum = 0;
  int64_t last = 0; /* of positive weight: rounding may leave the sum short of the total */
  for (int64_t i = 0; i < count; i++) largest = fmax(largest, log_weights[i]);
  for (int64_t i = 0; i < count; i++) {
    total += exp(log_weights[i] - largest);
    if (log_weights[i] > -INFINITY) last = i;
  }
  for (int64_t i = 0, chosen = 0; i < wanted; i++) {
    while (chosen < last && sum + exp(log_weights[chosen] - largest) <= uniform[i] * total)
      sum += exp(log_weights[chosen++] - largest);
    index[i] = chosen;
  }
  return SL_OK;
}

sl_status sl__resample(sl_context *context, sl__resampling how, sl__random_key key, int64_t count,
                       const double *log_weights, int64_t wanted, int64_t *index) {
  bool any = false;
  for (int64_t i = 0; i < count; i++) {
    if (isnan(log_weights[i]) || log_weights[i] == INFINITY)
      return sl__fail(context, SL_NUMERIC,
                      "log weight %lld of %lld is not finite; smooth them first", (long long)i + 1,
                      (long long)count);
    any |= log_weights[i] > -INFINITY;
  }
  if (!any || wanted < 0)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "no draw of positive weight to choose from; give some");
  sl__arena arena;
  sl__arena_open(&arena, context);
  const sl_status status =
      how == SL__RESAMPLE_DISTINCT
          ? take_distinct(context, &arena, key, count, log_weights, wanted, index)
          : take_repeated(&arena, how, key, count, log_weights, wanted, index);
  sl__arena_close(&arena);
  return status;
}
