/* Running a root: the steps of its function, again and again, until every lane has arrived. The
 * search itself is a kernel (src/kernels/root.inl). */
#include <string.h>

#include "graph/operations.h"
#include "kernels/kernels.h"

enum { MAX_EVALUATIONS = 100 };

static int64_t align64(int64_t bytes) {
  return (bytes + 63) & ~(int64_t)63;
}

/* The search's memory; the inner steps' scratch follows it. */
static int64_t search_bytes(const sl__frame *f, const sl__step *s) {
  const sl__value *y = sl__output_value(f, s);
  const int64_t lanes = (y->count * sl__lanes(f, y) + 15) & ~(int64_t)15;
  return align64(lanes * SL__ROOT_STATE * sl__type_size(y->type));
}

size_t sl__root_scratch(const sl__frame *f, const sl__step *s) {
  size_t most = 0;
  for (int32_t i = 0; i < s->loop->steps; i++) {
    const size_t bytes = sl__step_scratch(f, &s->loop->step[i]);
    if (bytes > most) most = bytes;
  }
  return most + (size_t)search_bytes(f, s);
}

void sl__run_root(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const struct sl__kernels *k = sl__frame_kernels(f, s);
  const sl__value *y = sl__output_value(f, s), *values = f->program->values;
  const int64_t lead = sl__lanes(f, y), rows = y->batched ? f->rows : 1, n = y->count * lead;
  const void *target = sl__address(f, sl__operand_value(f, s, 0));
  const void *value = sl__address(f, &values[s->loop->value]);
  const void *slope = sl__address(f, &values[s->loop->slope]);
  void *state = f->scratch, *x = sl__address(f, &values[s->loop->variable]);
  sl__frame inner = *f;
  inner.scratch = (char *)f->scratch + search_bytes(f, s);
  k->root_begin(y->count, rows, lead, state, x, target, sl__address(f, sl__operand_value(f, s, 1)),
                sl__address(f, sl__operand_value(f, s, 2)));
  for (int evaluation = 0; evaluation < MAX_EVALUATIONS; evaluation++) {
    for (int32_t i = 0; i < s->loop->steps; i++) sl__run_step(&inner, &s->loop->step[i], 0, 1);
    if (k->root_step(n, state, x, target, value, slope) == 0) break;
  }
  k->root_end(n, state, x);
  memcpy(sl__address(f, y), x, (size_t)(n * sl__type_size(y->type)));
}
