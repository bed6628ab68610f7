/* Sorting and ranks, of known values: an order that depends on parameters cannot be traced. */
#include "stan/functions.h"

#include <math.h>
#include <stdlib.h>

typedef struct item {
  double number;
  int32_t place;
} item;

/* Equal numbers keep their order. */
static int ascending(const void *a, const void *b) {
  const item *x = a, *y = b;
  if (x->number != y->number) return x->number < y->number ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}
static int descending(const void *a, const void *b) {
  const item *x = a, *y = b;
  if (x->number != y->number) return x->number > y->number ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

/* The places of the elements in order; NULL: refused, the status says why. */
static sl_status sorted_places(sl__stan_call *call, bool down, int32_t **places) {
  const sl__stan_value *a = &call->argument[0];
  if (a->count > 0 && !sl__stan_is_known(a))
    return sl__stan_refuse(call, "the order of values that depend on parameters is not known");
  const double *x = sl__stan_numbers(call, 0);
  item *items = sl__stan_memory(call, (size_t)a->count, sizeof *items);
  *places = sl__stan_memory(call, (size_t)a->count, sizeof **places);
  if (!x || !items || !*places) return SL_NO_MEMORY;
  SL__TRY(sl__stan_work(call, sl__call_sorting_work(a->count)));
  for (int32_t k = 0; k < (int32_t)a->count; k++) {
    if (isnan(x[k])) return sl__stan_refuse_value(call, "element %d is not a number", k + 1);
    items[k] = (item){x[k], k};
  }
  qsort(items, (size_t)a->count, sizeof *items, down ? descending : ascending);
  for (int64_t k = 0; k < a->count; k++) (*places)[k] = items[k].place;
  return SL_OK;
}

static sl_status sort(sl__stan_call *call, bool down) {
  const sl__stan_value *a = &call->argument[0];
  int32_t *places;
  SL__TRY(sorted_places(call, down, &places));
  return sl__call_rearrange(call, 0, 0, a->dims, a->size, places);
}
sl_status sl__stan_build_sort_asc(sl__stan_call *call) {
  return sort(call, false);
}
sl_status sl__stan_build_sort_desc(sl__stan_call *call) {
  return sort(call, true);
}

static sl_status sort_indices(sl__stan_call *call, bool down) {
  const sl__stan_value *a = &call->argument[0];
  int32_t *places;
  SL__TRY(sorted_places(call, down, &places));
  int64_t *out = sl__stan_memory(call, (size_t)a->count, sizeof *out);
  if (!out) return SL_NO_MEMORY;
  for (int64_t k = 0; k < a->count; k++) out[k] = places[k] + 1;
  return sl__stan_give_integers(call, 1, a->size, out);
}
sl_status sl__stan_build_sort_indices_asc(sl__stan_call *call) {
  return sort_indices(call, false);
}
sl_status sl__stan_build_sort_indices_desc(sl__stan_call *call) {
  return sort_indices(call, true);
}

/* How many elements are less than element s. */
sl_status sl__stan_build_rank(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0];
  int32_t place;
  SL__TRY(sl__call_position(call, 1, "index", a->size[0], &place));
  if (!sl__stan_is_known(a))
    return sl__stan_refuse(call, "the order of values that depend on parameters is not known");
  const double *x = sl__stan_numbers(call, 0);
  if (!x) return SL_NO_MEMORY;
  SL__TRY(sl__stan_work(call, (double)a->count));
  int64_t less = 0;
  for (int64_t k = 0; k < a->count; k++) less += x[k] < x[place];
  return sl__call_give_integer(call, less);
}
