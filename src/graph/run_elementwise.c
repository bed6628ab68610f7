/* Running elementwise steps. The result is always contiguous; an operand may be a view. The longest
 * suffix of dimensions over which every operand is either contiguous or one repeated number is one
 * kernel call; where that is a single number, operands are first copied side by side. */
#include <string.h>

#include "graph/operations.h"
#include "kernels/kernels.h"

typedef struct walk {
  int64_t outer, inner; /* features: outer calls of inner features each */
  int outer_dims;
  int32_t size[SL__MAX_DIMS]; /* of the outer dimensions */
} walk;

static bool is_dense_over(const sl__value *v, int from) {
  int64_t stride = 1;
  for (int d = v->shape.dims - 1; d >= from; d--) {
    if (v->shape.size[d] != 1 && v->stride[d] != stride) return false;
    stride *= v->shape.size[d];
  }
  return true;
}

static bool is_repeated_over(const sl__value *v, int from) {
  for (int d = from; d < v->shape.dims; d++) {
    if (v->shape.size[d] != 1 && v->stride[d] != 0) return false;
  }
  return true;
}

static walk plan_walk(const sl__frame *f, const sl__step *s) {
  const sl__value *y = sl__output_value(f, s);
  walk w = {.outer = 1, .inner = 1, .outer_dims = y->shape.dims};
  for (int from = y->shape.dims - 1; from >= 0; from--) {
    for (int i = 0; i < s->operands; i++) {
      const sl__value *v = sl__operand_value(f, s, i);
      const bool one_number = sl__lanes(f, v) == 1 && is_repeated_over(v, from);
      if (!one_number && !(sl__lanes(f, v) == sl__lanes(f, y) && is_dense_over(v, from))) goto done;
    }
    w.inner *= y->shape.size[from];
    w.outer_dims = from;
  }
done:
  for (int d = 0; d < w.outer_dims; d++) {
    w.size[d] = y->shape.size[d];
    w.outer *= w.size[d];
  }
  return w;
}

int64_t sl__units_elementwise(const sl__frame *f, const sl__step *s) {
  const walk w = plan_walk(f, s);
  return w.outer > 1 ? w.outer : w.inner;
}

/* What all calls of a step have in common. */
typedef struct calls {
  walk walk;
  int64_t lanes, size;
  unsigned scalars;
  char *out;
  const char *base[3];
  const sl__value *operand[3];
} calls;

static calls calls_of(const sl__frame *f, const sl__step *s) {
  const sl__value *y = sl__output_value(f, s);
  calls c = {.walk = plan_walk(f, s),
             .lanes = sl__lanes(f, y),
             .size = sl__type_size(y->type),
             .out = sl__address(f, y)};
  for (int i = 0; i < s->operands; i++) {
    const sl__value *v = c.operand[i] = sl__operand_value(f, s, i);
    c.base[i] = sl__address(f, v);
    const bool for_lanes = c.lanes > 1 && sl__lanes(f, v) == 1;
    if (for_lanes || (c.lanes == 1 && c.walk.inner > 1 && is_repeated_over(v, c.walk.outer_dims)))
      c.scalars |= 1u << i;
  }
  return c;
}

/* Where the operands of an outer call are, from one call to the next. */
typedef struct position {
  int32_t index[SL__MAX_DIMS];
  int64_t at[3]; /* in elements of each operand */
} position;

static position position_of(const sl__step *s, const calls *c, int64_t u) {
  position q = {0};
  for (int d = c->walk.outer_dims - 1; d >= 0; d--) {
    q.index[d] = (int32_t)(u % c->walk.size[d]);
    u /= c->walk.size[d];
    for (int i = 0; i < s->operands; i++) q.at[i] += q.index[d] * c->operand[i]->stride[d];
  }
  return q;
}

static void advance(const sl__step *s, const calls *c, position *q) {
  for (int d = c->walk.outer_dims - 1; d >= 0; d--) {
    for (int i = 0; i < s->operands; i++) q->at[i] += c->operand[i]->stride[d];
    if (++q->index[d] < c->walk.size[d]) return;
    for (int i = 0; i < s->operands; i++) q->at[i] -= c->walk.size[d] * c->operand[i]->stride[d];
    q->index[d] = 0;
  }
}

static void operands_at(const sl__frame *f, const sl__step *s, const calls *c, const position *q,
                        const void *p[3]) {
  for (int i = 0; i < s->operands; i++)
    p[i] = c->base[i] + q->at[i] * sl__lanes(f, c->operand[i]) * c->size;
}

/* Single numbers, begin .. end - 1. */
static void run_numbers(const sl__step *s, const calls *c, sl__elementwise_kernel kernel,
                        int64_t begin, int64_t end) {
  enum { MOST = 128 };
  char side_by_side[3][MOST * sizeof(double)];
  position q = position_of(s, c, begin);
  for (int64_t first = begin; first < end; first += MOST) {
    const int64_t count = end - first < MOST ? end - first : MOST;
    for (int64_t k = 0; k < count; k++) {
      for (int i = 0; i < s->operands; i++) {
        const char *from = c->base[i] + q.at[i] * c->size;
        if (c->size == sizeof(double))
          memcpy(side_by_side[i] + k * (int64_t)sizeof(double), from, sizeof(double));
        else
          memcpy(side_by_side[i] + k * (int64_t)sizeof(float), from, sizeof(float));
      }
      advance(s, c, &q);
    }
    kernel(count, c->out + first * c->size, side_by_side[0], side_by_side[1], side_by_side[2], 0,
           s->attribute);
  }
}

void sl__run_elementwise(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  const calls c = calls_of(f, s);
  const sl__elementwise_kernel kernel = sl__frame_kernels(f, s)->elementwise[s->elementwise];
  const int64_t inner = c.walk.inner * c.lanes;
  if (c.walk.outer == 1) { /* one call; units are features */
    const int64_t skip = begin * c.lanes * c.size;
    const void *p[3];
    for (int i = 0; i < 3; i++)
      p[i] = c.base[i] && !(c.scalars >> i & 1) ? c.base[i] + skip : c.base[i];
    kernel((end - begin) * c.lanes, c.out + skip, p[0], p[1], p[2], c.scalars, s->attribute);
    return;
  }
  if (inner == 1) {
    run_numbers(s, &c, kernel, begin, end);
    return;
  }
  position q = position_of(s, &c, begin);
  for (int64_t u = begin; u < end; u++, advance(s, &c, &q)) {
    const void *p[3] = {NULL, NULL, NULL};
    operands_at(f, s, &c, &q, p);
    kernel(inner, c.out + u * inner * c.size, p[0], p[1], p[2], c.scalars, s->attribute);
  }
}

/* Single numbers along one dimension: one call. */
static bool is_strided(const calls *c) {
  return c->walk.outer_dims > 0 && c->walk.inner * c->lanes == 1 &&
         c->walk.outer == c->walk.size[c->walk.outer_dims - 1] && c->walk.outer <= SL__FEW_STRIDED;
}

bool sl__list_elementwise(sl__lists *lists, const sl__frame *f, const sl__step *s) {
  const calls c = calls_of(f, s);
  const int64_t inner = c.walk.inner * c.lanes;
  sl__few few = {.kernel = sl__frame_kernels(f, s)->elementwise[s->elementwise],
                 .elementwise = s->elementwise,
                 .scalars = (uint8_t)c.scalars,
                 .n = (int32_t)inner,
                 .y = c.out,
                 .a = c.base[0],
                 .b = c.base[1],
                 .c = c.base[2],
                 .attribute = s->attribute};
  const int type = sl__output_value(f, s)->type;
  if (is_strided(&c)) {
    few.is_strided = true;
    few.n = (int32_t)c.walk.outer;
    for (int i = 0; i < s->operands; i++)
      few.stride[i] = (int32_t)c.operand[i]->stride[c.walk.outer_dims - 1];
    *(sl__few *)sl__list_call(lists, SL__CALL_FEW, type) = few;
    return true;
  }
  if (c.walk.outer > SL__LIST_OUTER || inner > INT32_MAX) return false;
  position q = position_of(s, &c, 0);
  for (int64_t u = 0; u < c.walk.outer; u++, advance(s, &c, &q)) {
    const void *p[3] = {few.a, few.b, few.c};
    if (c.walk.outer > 1) operands_at(f, s, &c, &q, p);
    sl__few *call = sl__list_call(lists, SL__CALL_FEW, type);
    *call = few;
    call->y = c.out + u * inner * c.size;
    call->a = p[0], call->b = p[1], call->c = p[2];
  }
  return true;
}
