/* Indexing: which elements are meant, and their value. An integer takes a dimension away, ranges
 * and arrays of integers keep it. Known containers are read in place where the elements are
 * neighbours; of a node they are a slice, or one gather. */
#include "stan/trace.h"
#include <string.h>

/* What one index selects of its dimension: begin, begin + 1, ..., or list[k] - 1. */
typedef struct pick {
  bool kept;
  int64_t begin, count;
  const int64_t *list;
} pick;

static const char *name_of(const sl__stan_expression *e) {
  while (e->kind == SL__STAN_INDEXED) e = e->argument[0];
  return e->kind == SL__STAN_VARIABLE ? e->name : "the expression";
}

static sl_status check_range(sl__stan_tracer *t, const sl__stan_expression *indexed, int dimension,
                             size_t place, int64_t index, int32_t size) {
  if (index >= 1 && index <= size) return SL_OK;
  t->wrong = true;
  return sl__stan_stop(t, SL_BAD_ARGUMENT, place,
                       "index %lld is out of range: dimension %d of %.60s has %d element%s",
                       (long long)index, dimension + 1, name_of(indexed), size,
                       size == 1 ? "" : "s");
}

static sl_status pick_integers(sl__stan_tracer *t, const sl__stan_expression *indexed,
                               int dimension, const sl__stan_expression *low, int32_t size,
                               pick *out) {
  sl__stan_value value;
  SL__TRY(sl__stan_evaluate(t, low, &value));
  if (value.form != SL__STAN_INTEGERS)
    return sl__stan_stop(t, SL_UNSUPPORTED, low->place,
                         "an index that depends on parameters is not supported");
  for (int64_t i = 0; i < value.count; i++)
    SL__TRY(check_range(t, indexed, dimension, low->place, value.integers[i], size));
  *out = (pick){.kept = value.dims > 0, .count = value.count, .list = value.integers};
  if (!out->kept) out->begin = value.integers[0] - 1;
  return SL_OK;
}

static sl_status pick_range(sl__stan_tracer *t, const sl__stan_expression *indexed, int dimension,
                            const sl__stan_index *index, int32_t size, pick *out) {
  int64_t low = 1, high = size;
  if (index->low) SL__TRY(sl__stan_evaluate_integer(t, index->low, "a range's bound", &low));
  if (index->high) SL__TRY(sl__stan_evaluate_integer(t, index->high, "a range's bound", &high));
  *out = (pick){.kept = true, .begin = low - 1, .count = high < low ? 0 : high - low + 1};
  if (out->count == 0) return SL_OK;
  const size_t place = index->low ? index->low->place : indexed->place;
  SL__TRY(check_range(t, indexed, dimension, place, low, size));
  return check_range(t, indexed, dimension, index->high ? index->high->place : place, high, size);
}

static int64_t position(const pick *p, int64_t k) {
  return p->list ? p->list[k] - 1 : p->begin + k;
}

/* The offsets of all selected elements, in order. */
static sl_status list_offsets(sl__stan_tracer *t, const pick *picks, int dims, const int32_t *size,
                              sl__stan_selection *s) {
  int32_t *list = sl__stan_temporary(t, s->count, sizeof *list);
  if (!list) return SL_NO_MEMORY;
  int64_t at[SL__STAN_MAX_DIMS] = {0};
  for (int64_t i = 0; i < s->count; i++) {
    int64_t offset = 0;
    for (int d = 0; d < dims; d++) offset = offset * size[d] + position(&picks[d], at[d]);
    list[i] = (int32_t)offset;
    for (int d = dims - 1; d >= 0 && ++at[d] == picks[d].count; d--) at[d] = 0;
  }
  s->first = list[0];
  s->step = s->count > 1 ? list[1] - list[0] : 1;
  bool even = s->step > 0;
  for (int64_t i = 0; even && i < s->count; i++) even = list[i] == s->first + i * s->step;
  if (!even) s->list = list;
  return SL_OK;
}

/* Whether the elements are neighbours: single ones, then at most one range, then all. */
static bool is_block(const pick *picks, int dims, const int32_t *size) {
  int d = 0;
  while (d < dims && picks[d].count == 1 && !(picks[d].list && picks[d].kept)) d++;
  if (d < dims && !picks[d].list) d++;
  for (; d < dims; d++)
    if (picks[d].list || picks[d].count != size[d]) return false;
  return true;
}

sl_status sl__stan_select(sl__stan_tracer *t, const sl__stan_expression *indexed,
                          const sl__stan_value *whole, sl__stan_selection *s) {
  pick picks[SL__STAN_MAX_DIMS];
  *s = (sl__stan_selection){.count = 1, .step = 1};
  for (int d = 0; d < whole->dims; d++) {
    const sl__stan_index *index = d < indexed->index_count ? &indexed->index[d] : NULL;
    if (!index)
      picks[d] = (pick){.kept = true, .count = whole->size[d]};
    else if (index->kind == SL__STAN_INDEX_AT)
      SL__TRY(pick_integers(t, indexed, d, index->low, whole->size[d], &picks[d]));
    else
      SL__TRY(pick_range(t, indexed, d, index, whole->size[d], &picks[d]));
    if (picks[d].kept) s->size[s->dims++] = (int32_t)picks[d].count;
    if (__builtin_mul_overflow(s->count, picks[d].count, &s->count) || s->count > INT32_MAX)
      return sl__stan_stop(t, SL_UNSUPPORTED, indexed->place, "more than 2^31 elements selected");
  }
  if (s->count == 0) return SL_OK;
  if (!is_block(picks, whole->dims, whole->size))
    return list_offsets(t, picks, whole->dims, whole->size, s);
  for (int d = 0; d < whole->dims; d++)
    s->first = s->first * whole->size[d] + position(&picks[d], 0);
  return SL_OK;
}

/* ---- reading ---- */

static int64_t offset_of(const sl__stan_selection *s, int64_t k) {
  return s->list ? s->list[k] : s->first + k * s->step;
}

static sl_status read_node(sl__stan_tracer *t, const sl__stan_value *whole,
                           const sl__stan_selection *s, size_t place, sl__stan_value *out) {
  out->form = SL__STAN_NODE;
  if (s->dims == 0)
    out->node = op_element(t->graph, whole->node, 0, (int32_t)s->first);
  else if (s->list)
    out->node = op_gather(t->graph, whole->node, 0, (int32_t)s->count, s->list);
  else
    out->node =
        op_slice(t->graph, whole->node, 0, (int32_t)s->first, (int32_t)s->count, (int32_t)s->step);
  SL__TRY(sl__stan_count_steps(t, place, SL__STAN_NODE_STEPS));
  return out->node ? SL_OK : sl__stan_no_node(t, place);
}

/* A single piece as a scalar: as simple as it is. */
static sl_status read_piece(sl__stan_tracer *t, const sl__stan_piece *piece, size_t place,
                            sl__stan_value *out) {
  if (!piece->node) {
    out->form = SL__STAN_NUMBERS;
    out->numbers = &piece->number;
    return SL_OK;
  }
  out->form = SL__STAN_NODE;
  out->node = piece->index < 0 ? piece->node : op_element(t->graph, piece->node, 0, piece->index);
  return out->node ? SL_OK : sl__stan_no_node(t, place);
}

/* Numbers, integers or pieces: in place, or copied together. */
static sl_status read_memory(sl__stan_tracer *t, const sl__stan_value *whole,
                             const sl__stan_selection *s, sl__stan_value *out) {
  const size_t size = whole->form == SL__STAN_PIECES ? sizeof(sl__stan_piece) : sizeof(double);
  const char *from = (const char *)whole->numbers;
  if (!s->list && s->step == 1) {
    out->numbers = (const double *)(const void *)(from + (size_t)s->first * size);
    return SL_OK;
  }
  char *copy = sl__stan_temporary(t, s->count, size);
  if (!copy) return SL_NO_MEMORY;
  if (size == sizeof(double)) {
    for (int64_t k = 0; k < s->count; k++)
      memcpy(copy + (size_t)k * 8, from + (size_t)offset_of(s, k) * 8, 8);
  } else {
    for (int64_t k = 0; k < s->count; k++)
      memcpy(copy + (size_t)k * size, from + (size_t)offset_of(s, k) * size, size);
  }
  out->numbers = (const double *)(const void *)copy;
  return SL_OK;
}

sl_status sl__stan_read(sl__stan_tracer *t, const sl__stan_value *whole, sl__stan_type type,
                        const sl__stan_selection *s, size_t place, sl__stan_value *out) {
  *out = (sl__stan_value){.type = type, .dims = s->dims, .count = s->count};
  memcpy(out->size, s->size, sizeof out->size);
  if (whole->type.base == SL__STAN_INT_TYPE) out->type.base = SL__STAN_INT_TYPE;
  if (s->count == 0) {
    out->form = type.base == SL__STAN_INT_TYPE ? SL__STAN_INTEGERS : SL__STAN_NUMBERS;
    out->numbers = sl__stan_temporary(t, 0, sizeof *out->numbers);
    return out->numbers ? SL_OK : SL_NO_MEMORY;
  }
  if (whole->form == SL__STAN_NODE) return read_node(t, whole, s, place, out);
  if (whole->form == SL__STAN_PIECES && s->dims == 0)
    return read_piece(t, whole->pieces + s->first, place, out);
  out->form = whole->form;
  SL__TRY(read_memory(t, whole, s, out));
  return sl__stan_settle(t, out);
}
