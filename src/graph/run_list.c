/* Running from lists. Most steps of a small program, or of any program that is run for few rows,
 * are an addition or the like of a few numbers: finding its operands takes longer than adding them.
 * So what the steps call, and with what, is found once and kept, for runs that find everything
 * where the last one did: as many rows, parameters and sums at the same places, as samplers,
 * optimisers and evaluators have it. A run with another of these goes by the steps themselves; the
 * second of its kind makes the lists anew. The same kernels see the same numbers either way. */
#include <string.h>

#include "graph/operations.h"
#include "kernels/kernels.h"

enum { MOST_LANES = 272 }; /* beyond that the work itself is what takes the time */

/* ---- memory ---- */

/* How many calls of elementwise kernels a step may become. */
static size_t few_of(const sl__program *program, const sl__step *s) {
  if (s->operation == SL__OP_CONCATENATE)
    return (size_t)(s->data_count <= 2 * SL__LIST_PARTS ? s->data_count / 2 : 0);
  const int64_t features = s->strips ? s->strips->features : program->values[s->value].count;
  const int64_t pieces = features < SL__LIST_OUTER ? features : SL__LIST_OUTER;
  if (pieces == 0) return 1; /* of no numbers */
  return (size_t)(s->strips ? s->strips->count * pieces : pieces);
}

/* Bytes of what a step's calls are made with: enough for any of them. */
static size_t room_for(const sl__program *program, const sl__step *s) {
  switch (s->operation) {
    case SL__OP_ELEMENTWISE:
    case SL__OP_STRIPS:
    case SL__OP_ROWS:
    case SL__OP_CONCATENATE: return few_of(program, s) * sizeof(sl__few);
    case SL__OP_SUM:
    case SL__OP_SUM_LOG:
    case SL__OP_SUM_ROWS:
    case SL__OP_DOT_ROWS: return sizeof(sl__sums);
    case SL__OP_GATHER:
    case SL__OP_SCATTER: return sizeof(sl__index_call);
    case SL__OP_MATMUL: return sizeof(sl__matrices);
    case SL__OP_LINEAR:
    case SL__OP_LINEAR_TRANSPOSED:
    case SL__OP_OUTER_ROWS:
      return (sizeof(sl__product) > sizeof(sl__matrices) ? sizeof(sl__product)
                                                         : sizeof(sl__matrices)) +
             sizeof(sl__few);
    default: return 0;
  }
}

sl_status sl__lists_new(sl__workspace *w) {
  sl__lists *l = &w->lists;
  size_t bytes = 0;
  for (int stage = 0; stage < 3; stage++) {
    const sl__stage *s = &w->program->stage[stage];
    for (int32_t i = 0; i < s->steps; i++) {
      bytes += room_for(w->program, &s->step[i]);
      l->call_room += 2; /* a product and its bias */
    }
  }
  l->call = sl__arena_take(&w->arena, (size_t)l->call_room + 1, sizeof *l->call);
  l->memory = sl__arena_take(&w->arena, bytes + 1, 1);
  l->accumulators =
      sl__arena_take(&w->arena, (size_t)w->program->accumulator_count + 1, sizeof *l->accumulators);
  if (!l->call || !l->memory || !l->accumulators) return SL_NO_MEMORY;
  l->bytes = bytes;
  return SL_OK;
}

void *sl__list_call(sl__lists *l, sl__call_kind kind, int type) {
  static const size_t size[] = {
      [SL__CALL_FEW] = sizeof(sl__few),
      [SL__CALL_PRODUCT] = sizeof(sl__product),
      [SL__CALL_MATRICES] = sizeof(sl__matrices),
      [SL__CALL_SUM] = sizeof(sl__sums),
      [SL__CALL_SUM_LOG] = sizeof(sl__sums),
      [SL__CALL_SUM_ROWS] = sizeof(sl__sums),
      [SL__CALL_DOT_ROWS] = sizeof(sl__sums),
      [SL__CALL_GATHER] = sizeof(sl__index_call),
      [SL__CALL_SCATTER] = sizeof(sl__index_call),
  };
  void *with = l->memory + l->used;
  l->used += size[kind];
  sl__call *last = l->calls > l->begin ? &l->call[l->calls - 1] : NULL;
  if (kind == SL__CALL_FEW && last && last->kind == SL__CALL_FEW && last->type == type)
    last->count++;
  else
    l->call[l->calls++] =
        (sl__call){.kind = (uint8_t)kind, .type = (uint8_t)type, .count = 1, .with = with};
  return with;
}

/* ---- making ---- */

static bool list_step(sl__lists *l, const sl__frame *f, const sl__step *s) {
  switch (s->operation) {
    case SL__OP_ELEMENTWISE: return sl__list_elementwise(l, f, s);
    case SL__OP_STRIPS: return sl__list_strips(l, f, s);
    case SL__OP_LINEAR:
    case SL__OP_LINEAR_TRANSPOSED:
    case SL__OP_OUTER_ROWS: return sl__list_product(l, f, s);
    case SL__OP_MATMUL: return sl__list_matmul(l, f, s);
    case SL__OP_ROWS: return sl__list_rows(l, f, s);
    case SL__OP_CONCATENATE: return sl__list_concatenate(l, f, s);
    case SL__OP_GATHER:
    case SL__OP_SCATTER: return sl__list_gather(l, f, s);
    case SL__OP_SUM:
    case SL__OP_SUM_LOG:
    case SL__OP_SUM_ROWS:
    case SL__OP_DOT_ROWS: return sl__list_sum(l, f, s);
    default: return false;
  }
}

/* ---- pieces ---- */

/* A concatenation, or an operation on [8,2] with one number for each of the 8, is many calls for a
 * few numbers each, at places that are equally far apart: one call with pieces. */
enum { MOST_IN_PIECE = 4 };

/* Numbers from one place to another, of the same array or not; false: too many for a stride. */
static bool distance(const void *from, const void *to, int64_t size, int32_t *numbers) {
  const int64_t bytes = (int64_t)((uintptr_t)to - (uintptr_t)from);
  if (bytes % size != 0 || bytes / size > INT32_MAX || bytes / size < INT32_MIN) return false;
  *numbers = (int32_t)(bytes / size);
  return true;
}

/* Takes `next` for one more piece of `few`, if it is. */
static bool takes(sl__few *few, const sl__few *next, int64_t size) {
  const int32_t pieces = few->pieces > 1 ? few->pieces : 1;
  if (few->is_strided || next->is_strided || few->kernel != next->kernel || few->n != next->n ||
      few->n > MOST_IN_PIECE || few->scalars != next->scalars || pieces == SL__FEW_PIECES ||
      memcmp(&few->attribute, &next->attribute, sizeof few->attribute) != 0)
    return false;
  const void *const at[4] = {few->a, few->b, few->c, few->y}, *const next_at[4] = {next->a, next->b,
                                                                                   next->c,
                                                                                   next->y};
  int32_t stride[4];
  for (int k = 0; k < 4; k++) {
    if (!distance(at[k], next_at[k], size, &stride[k])) return false;
    if (pieces > 1 && stride[k] != (int64_t)pieces * few->stride[k]) return false;
  }
  if (pieces == 1) memcpy(few->stride, stride, sizeof stride);
  few->pieces = (uint8_t)(pieces + 1);
  return true;
}

static int32_t join_pieces(int32_t count, sl__few *few, int64_t size) {
  int32_t kept = 0;
  for (int32_t i = 1; i < count; i++) {
    if (!takes(&few[kept], &few[i], size)) few[++kept] = few[i];
  }
  return kept + 1;
}

static void list_stage(sl__lists *l, const sl__stage *stage, const sl__frame *f, int which) {
  l->begin = l->calls;
  for (int32_t i = 0; i < stage->steps; i++) {
    const sl__step *s = &stage->step[i];
    if (!list_step(l, f, s)) l->call[l->calls++] = (sl__call){.kind = SL__CALL_STEP, .with = s};
  }
  for (int32_t c = l->begin; c < l->calls; c++) {
    sl__call *call = &l->call[c];
    if (call->kind == SL__CALL_FEW)
      call->count =
          join_pieces(call->count, (sl__few *)(uintptr_t)call->with, sl__type_size(call->type));
  }
  l->stage_begin[which] = l->begin;
  l->stage_end[which] = l->calls;
}

/* Whether everything is where it was in the last run; remembers where it is. */
static bool is_as_before(sl__lists *l, const sl__program *program, const sl__frame *block) {
  const size_t count = (size_t)program->accumulator_count;
  const bool same = l->parameters == block->parameters && l->rows == block->rows &&
                    l->lead == block->lead &&
                    memcmp(l->accumulators, block->accumulators, count * sizeof(void *)) == 0;
  l->parameters = block->parameters;
  l->rows = block->rows;
  l->lead = block->lead;
  memcpy(l->accumulators, block->accumulators, count * sizeof(void *));
  return same;
}

bool sl__lists_ready(sl__workspace *w, const sl__frame *shared, const sl__frame *block) {
  sl__lists *l = &w->lists;
  if (!is_as_before(l, w->program, block)) {
    l->made = false;
    return false;
  }
  if (l->made) return true;
  l->calls = 0;
  l->used = 0;
  for (int stage = 0; stage < 3; stage++) {
    const bool wanted = w->division[stage].alone && (stage != 1 || block->lead <= MOST_LANES);
    l->listed[stage] = wanted;
    if (wanted) list_stage(l, &w->program->stage[stage], stage == 1 ? block : shared, stage);
  }
  l->made = true;
  return true;
}

/* ---- running ---- */

static void run_sum(const sl__kernels *k, sl__call_kind kind, const sl__sums *s) {
  if (kind == SL__CALL_SUM)
    k->sum_axis(s->outer, s->axis, s->inner, s->y, s->x);
  else if (kind == SL__CALL_SUM_LOG)
    k->sum_log_axis(s->outer, s->axis, s->inner, s->y, s->x);
  else if (kind == SL__CALL_SUM_ROWS)
    k->sum_rows(s->outer, s->axis, s->inner, s->y, s->x, false);
  else
    k->dot_rows(s->outer, s->axis, s->inner, s->y, s->x, s->z, false);
}

static void run_index(const sl__kernels *k, sl__call_kind kind, const sl__index_call *c) {
  if (kind == SL__CALL_GATHER) {
    k->gather_runs(c->features, c->lanes, c->y, c->x, c->lanes, c->index);
    return;
  }
  memset(c->y, 0, c->bytes);
  k->scatter_runs(c->features, c->lanes, c->y, c->lanes, c->x, c->index);
}

void sl__run_list(const sl__lists *l, int stage, const sl__frame *f) {
  const sl__call *end = l->call + l->stage_end[stage];
  for (const sl__call *call = l->call + l->stage_begin[stage]; call < end; call++) {
    const sl__kernels *k = f->program->kernels[call->type];
    switch ((sl__call_kind)call->kind) {
      case SL__CALL_STEP: sl__run_step(f, call->with, 0, 1); break;
      case SL__CALL_FEW: k->run_few(call->count, call->with); break;
      case SL__CALL_PRODUCT: k->product_run(call->with, 0, call->count, f->scratch); break;
      case SL__CALL_MATRICES: k->multiply_matrices(call->with); break;
      case SL__CALL_GATHER:
      case SL__CALL_SCATTER: run_index(k, (sl__call_kind)call->kind, call->with); break;
      case SL__CALL_SUM:
      case SL__CALL_SUM_LOG:
      case SL__CALL_SUM_ROWS:
      case SL__CALL_DOT_ROWS: run_sum(k, (sl__call_kind)call->kind, call->with); break;
    }
  }
}
