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
  for (int64_t i = begin; i < end; i++) {
    if (s->integer[1])
      k->random_uniform(key, row, (uint32_t)i, f->rows, out + i * run);
    else
      k->random_normal(key, row, (uint32_t)i, f->rows, out + i * run);
  }
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
