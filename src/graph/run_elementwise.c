/* Running elementwise steps. The result is always contiguous; an operand may be a view. The longest
 * suffix of dimensions over which every operand is either contiguous or one repeated shared number
 * is one kernel call. */
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
      const bool one_number = !v->batched && is_repeated_over(v, from);
      if (!one_number && !(v->batched == y->batched && is_dense_over(v, from))) goto done;
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

void sl__run_elementwise(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  const sl__value *y = sl__output_value(f, s);
  const walk w = plan_walk(f, s);
  const int64_t size = sl__type_size(y->type), lanes = sl__lanes(f, y);
  const sl__elementwise_kernel kernel = f->program->kernels[y->type]->elementwise[s->elementwise];
  const char *base[3] = {NULL, NULL, NULL};
  const sl__value *operand[3];
  unsigned scalars = 0;
  for (int i = 0; i < s->operands; i++) {
    operand[i] = sl__operand_value(f, s, i);
    base[i] = sl__address(f, operand[i]);
    if (!operand[i]->batched && (y->batched || is_repeated_over(operand[i], w.outer_dims)) &&
        (w.inner > 1 || y->batched)) {
      scalars |= 1u << i;
    }
  }
  char *out = sl__address(f, y);
  if (w.outer == 1) { /* one call; units are features */
    const int64_t skip = begin * lanes * size;
    const void *p[3];
    for (int i = 0; i < 3; i++) p[i] = base[i] && !(scalars >> i & 1) ? base[i] + skip : base[i];
    kernel((end - begin) * lanes, out + skip, p[0], p[1], p[2], scalars, s->attribute);
    return;
  }
  for (int64_t u = begin; u < end; u++) {
    int64_t at[3] = {0, 0, 0}, rest = u;
    for (int d = w.outer_dims - 1; d >= 0; d--) {
      const int64_t index = rest % w.size[d];
      rest /= w.size[d];
      for (int i = 0; i < s->operands; i++) at[i] += index * operand[i]->stride[d];
    }
    const void *p[3] = {NULL, NULL, NULL};
    for (int i = 0; i < s->operands; i++) p[i] = base[i] + at[i] * sl__lanes(f, operand[i]) * size;
    kernel(w.inner * lanes, out + u * w.inner * lanes * size, p[0], p[1], p[2], scalars,
           s->attribute);
  }
}
