/* Running leaves and copies: input, random, cast, rows, concatenate, gather, scatter. */
#include <string.h>

#include "graph/operations.h"
#include "kernels/kernels.h"

int64_t sl__units_features(const sl__frame *f, const sl__step *s) {
  return sl__output_value(f, s)->count;
}

void sl__run_input(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const sl__value *y = sl__output_value(f, s);
  const sl__feed *feed = &f->run->feeds[s->integer[0]];
  const bool plain = feed->row_stride == 0 && feed->column_stride == 0;
  const int64_t row_stride = plain ? y->count : feed->row_stride;
  const int64_t column_stride = plain ? 1 : feed->column_stride;
  const char *data = feed->data;
  const int64_t *index = feed->index;
  if (index)
    index += f->first_row;
  else
    data += f->first_row * row_stride * sl__type_size(feed->type);
  f->program->kernels[y->type]->load_rows(y->count, f->rows, f->lead, sl__address(f, y), data,
                                          feed->type, row_stride, column_stride, index);
}

void sl__run_random(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  const sl__value *y = sl__output_value(f, s);
  const struct sl__kernels *k = f->program->kernels[y->type];
  sl__random_key key = f->run->key;
  key.stream += (uint32_t)s->integer[0] << 8;
  char *out = sl__address(f, y);
  const int64_t run = f->lead * sl__type_size(y->type);
  const uint64_t row = (uint64_t)(f->run->first_row + f->first_row);
  void (*const draw)(sl__random_key, uint64_t, uint32_t, int64_t, int64_t, int64_t, void *) =
      s->integer[1] ? k->random_uniform : k->random_normal;
  draw(key, row, (uint32_t)begin, end - begin, f->rows, f->lead, out + begin * run);
}

void sl__run_cast(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  const sl__value *y = sl__output_value(f, s), *x = sl__operand_value(f, s, 0);
  const int64_t lanes = sl__lanes(f, y);
  f->program->kernels[y->type]->from_other(
      (end - begin) * lanes, (char *)sl__address(f, y) + begin * lanes * sl__type_size(y->type),
      (char *)sl__address(f, x) + begin * lanes * sl__type_size(x->type));
}

void sl__run_rows(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const sl__value *y = sl__output_value(f, s), *x = sl__operand_value(f, s, 0);
  sl__frame_kernels(f, s)->spread(y->count, f->lead, sl__address(f, y), sl__address(f, x));
}

/* The shape around an axis: outer x axis x inner. */
typedef struct span {
  int64_t outer, axis, inner;
} span;

static span span_of(const sl__value *v, int axis) {
  span s = {1, v->shape.size[axis], 1};
  for (int d = 0; d < axis; d++) s.outer *= v->shape.size[d];
  for (int d = axis + 1; d < v->shape.dims; d++) s.inner *= v->shape.size[d];
  return s;
}

void sl__run_concatenate(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const sl__value *y = sl__output_value(f, s);
  const span whole = span_of(y, s->integer[0]);
  const int64_t bytes = sl__lanes(f, y) * sl__type_size(y->type);
  char *out = sl__address(f, y);
  const uint32_t *parts = s->data; /* pairs: value, begin along the axis */
  for (int64_t i = 0; i < s->data_count; i += 2) {
    const sl__value *x = &f->program->values[parts[i]];
    const span part = span_of(x, s->integer[0]);
    const char *in = sl__address(f, x);
    const size_t run = (size_t)(part.axis * part.inner * bytes);
    for (int64_t o = 0; o < part.outer; o++) {
      memcpy(out + (o * whole.axis + parts[i + 1]) * whole.inner * bytes, in + o * (int64_t)run,
             run);
    }
  }
}

void sl__run_gather(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const sl__value *y = sl__output_value(f, s), *x = sl__operand_value(f, s, 0);
  const span to = span_of(y, s->integer[0]), from = span_of(x, s->integer[0]);
  const int64_t run = to.inner * sl__lanes(f, y) * sl__type_size(y->type);
  char *out = sl__address(f, y);
  const char *in = sl__address(f, x);
  const int32_t *index = s->data;
  if (to.inner == 1 && to.outer == 1) {
    const int64_t lanes = sl__lanes(f, y);
    sl__frame_kernels(f, s)->gather_runs(to.axis, lanes, out, in, lanes, index);
    return;
  }
  for (int64_t o = 0; o < to.outer; o++) {
    for (int64_t i = 0; i < to.axis; i++) {
      memcpy(out + (o * to.axis + i) * run, in + (o * from.axis + index[i]) * run, (size_t)run);
    }
  }
}

void sl__run_scatter(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const sl__value *y = sl__output_value(f, s), *x = sl__operand_value(f, s, 0);
  const span to = span_of(y, s->integer[0]), from = span_of(x, s->integer[0]);
  const int64_t lanes = to.inner * sl__lanes(f, y), run = lanes * sl__type_size(y->type);
  char *out = sl__address(f, y);
  const char *in = sl__address(f, x);
  const int32_t *index = s->data;
  memset(out, 0, (size_t)(to.outer * to.axis * run));
  if (to.inner == 1 && to.outer == 1) {
    sl__frame_kernels(f, s)->scatter_runs(from.axis, lanes, out, lanes, in, index);
    return;
  }
  for (int64_t o = 0; o < to.outer; o++) {
    for (int64_t i = 0; i < from.axis; i++) {
      char *target = out + (o * to.axis + index[i]) * run;
      sl__frame_kernels(f, s)->elementwise[SL__EW_add](lanes, target, target,
                                                       in + (o * from.axis + i) * run, NULL, 0, 0);
    }
  }
}

void sl__run_take(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const sl__value *y = sl__output_value(f, s), *a = sl__operand_value(f, s, 0),
                  *b = sl__operand_value(f, s, 1);
  const struct sl__kernels *k = sl__frame_kernels(f, s);
  const span w = span_of(s->operation == SL__OP_PUT ? y : a, s->integer[0]);
  const int64_t inner = w.inner * sl__lanes(f, y);
  if (s->operation == SL__OP_TAKE)
    k->take(w.outer, w.axis, inner, sl__address(f, y), sl__address(f, a), sl__address(f, b));
  else if (s->operation == SL__OP_PUT)
    k->put(w.outer, w.axis, inner, sl__address(f, y), sl__address(f, a), sl__address(f, b));
  else
    k->search(w.outer, w.axis, inner, sl__address(f, y), sl__address(f, a), sl__address(f, b));
}

void sl__run_sum(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const sl__value *y = sl__output_value(f, s), *x = sl__operand_value(f, s, 0);
  const struct sl__kernels *k = sl__frame_kernels(f, s);
  const span w = span_of(x, s->integer[0]);
  const int64_t inner = w.inner * sl__lanes(f, y);
  if (s->operation == SL__OP_SUM)
    k->sum_axis(w.outer, w.axis, inner, sl__address(f, y), sl__address(f, x));
  else if (s->operation == SL__OP_SUM_LOG)
    k->sum_log_axis(w.outer, w.axis, inner, sl__address(f, y), sl__address(f, x));
  else if (s->operation == SL__OP_MAX)
    k->max_axis(w.outer, w.axis, inner, sl__address(f, y), sl__address(f, x));
  else
    k->cumulative_sum(w.outer, w.axis, inner, sl__address(f, y), sl__address(f, x), s->integer[1]);
}

int64_t sl__units_rows(const sl__frame *f, const sl__step *s) {
  return sl__output_value(f, s)->count;
}

void sl__run_sum_rows(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  const sl__value *y = sl__output_value(f, s), *x = sl__operand_value(f, s, 0);
  const int64_t size = sl__type_size(y->type);
  sl__frame_kernels(f, s)->sum_rows(
      end - begin, f->rows, f->lead, (char *)sl__address(f, y) + begin * size,
      (char *)sl__address(f, x) + begin * f->lead * size, f->accumulate);
}

void sl__run_dot_rows(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  const sl__value *y = sl__output_value(f, s);
  const int64_t size = sl__type_size(y->type), skip = begin * f->lead * size;
  sl__frame_kernels(f, s)->dot_rows(
      end - begin, f->rows, f->lead, (char *)sl__address(f, y) + begin * size,
      (char *)sl__address(f, sl__operand_value(f, s, 0)) + skip,
      (char *)sl__address(f, sl__operand_value(f, s, 1)) + skip, f->accumulate);
}

static void list_copy(sl__lists *lists, const sl__frame *f, const sl__step *s, int64_t n, void *to,
                      const void *from, bool spread) {
  const int type = sl__output_value(f, s)->type;
  sl__few *few = sl__list_call(lists, SL__CALL_FEW, type);
  *few = (sl__few){.kernel = f->program->kernels[type]->elementwise[SL__EW_copy],
                   .elementwise = SL__EW_copy,
                   .scalars = spread,
                   .n = (int32_t)n,
                   .y = to,
                   .a = from};
}

bool sl__list_rows(sl__lists *lists, const sl__frame *f, const sl__step *s) {
  const sl__value *y = sl__output_value(f, s), *x = sl__operand_value(f, s, 0);
  const int64_t size = sl__type_size(y->type);
  if (y->count > SL__LIST_OUTER) return false;
  for (int64_t i = 0; i < y->count; i++)
    list_copy(lists, f, s, f->lead, (char *)sl__address(f, y) + i * f->lead * size,
              (char *)sl__address(f, x) + i * size, true);
  return true;
}

bool sl__list_gather(sl__lists *lists, const sl__frame *f, const sl__step *s) {
  const sl__value *y = sl__output_value(f, s), *x = sl__operand_value(f, s, 0);
  const span to = span_of(y, s->integer[0]), from = span_of(x, s->integer[0]);
  if (to.outer > 1) return false;
  const bool scatters = s->operation == SL__OP_SCATTER;
  const int64_t lanes = to.inner * sl__lanes(f, y);
  sl__index_call *call =
      sl__list_call(lists, scatters ? SL__CALL_SCATTER : SL__CALL_GATHER, y->type);
  *call = (sl__index_call){.features = scatters ? from.axis : to.axis,
                           .lanes = lanes,
                           .y = sl__address(f, y),
                           .x = sl__address(f, x),
                           .index = s->data,
                           .bytes = (size_t)(to.axis * lanes * sl__type_size(y->type))};
  return true;
}

bool sl__list_concatenate(sl__lists *lists, const sl__frame *f, const sl__step *s) {
  const sl__value *y = sl__output_value(f, s);
  const span whole = span_of(y, s->integer[0]);
  const int64_t run = whole.inner * sl__lanes(f, y), size = sl__type_size(y->type);
  const uint32_t *parts = s->data;
  if (whole.outer > 1 || s->data_count > 2 * SL__LIST_PARTS ||
      y->count * sl__lanes(f, y) > INT32_MAX)
    return false;
  for (int64_t i = 0; i < s->data_count; i += 2) {
    const sl__value *x = &f->program->values[parts[i]];
    list_copy(lists, f, s, span_of(x, s->integer[0]).axis * run,
              (char *)sl__address(f, y) + parts[i + 1] * run * size, sl__address(f, x), false);
  }
  return true;
}

static sl__sums sums_of(const sl__frame *f, const sl__step *s) {
  const sl__value *y = sl__output_value(f, s), *x = sl__operand_value(f, s, 0);
  sl__sums sums = {.y = sl__address(f, y), .x = sl__address(f, x)};
  if (s->operation == SL__OP_SUM || s->operation == SL__OP_SUM_LOG) {
    const span w = span_of(x, s->integer[0]);
    sums.outer = w.outer;
    sums.axis = w.axis;
    sums.inner = w.inner * sl__lanes(f, y);
    return sums;
  }
  sums.outer = y->count;
  sums.axis = f->rows;
  sums.inner = f->lead;
  if (s->operation == SL__OP_DOT_ROWS) sums.z = sl__address(f, sl__operand_value(f, s, 1));
  return sums;
}

bool sl__list_sum(sl__lists *lists, const sl__frame *f, const sl__step *s) {
  const sl__call_kind kind = s->operation == SL__OP_SUM        ? SL__CALL_SUM
                             : s->operation == SL__OP_SUM_LOG  ? SL__CALL_SUM_LOG
                             : s->operation == SL__OP_SUM_ROWS ? SL__CALL_SUM_ROWS
                                                               : SL__CALL_DOT_ROWS;
  *(sl__sums *)sl__list_call(lists, kind, sl__output_value(f, s)->type) = sums_of(f, s);
  return true;
}
