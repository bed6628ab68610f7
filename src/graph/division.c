/* Who does what when several threads share one block of rows. For each level, whole steps go to the
 * threads where their operands were made (so that weights and activations stay in one core's
 * cache), and steps too big to balance are cut into parts. Levels too small to share run on the
 * first thread. Threads wait for each other only before a level that touches memory which another
 * thread has touched since the last wait (and one of the two writes). The schedule changes no
 * result: a part of a step computes the same bits wherever it runs. */
#include <stdlib.h>

#include "graph/operations.h"

static const float WORTH_SHARING = 3000; /* nanoseconds: several times the price of a barrier */

typedef struct costed {
  int32_t step;
  float cost;
} costed;

static int by_cost(const void *a, const void *b) {
  const costed *x = a, *y = b;
  if (x->cost != y->cost) return x->cost > y->cost ? -1 : 1;
  return (x->step > y->step) - (x->step < y->step);
}

/* A worker's number, or: */
enum { ALL = -1, NOBODY = -2 };

/* Who has touched a piece of memory since so many waits. */
typedef struct cell {
  int32_t waits;
  int16_t writer, reader; /* ALL: more than one */
} cell;

typedef struct maker {
  const sl__program *program;
  const sl__stage *stage;
  int workers;
  int16_t *owner; /* [values] who made it; ALL: several, or nobody in this stage */
  int16_t *given; /* [steps] to whom; ALL: cut into parts for all */
  costed *order;  /* [steps of a level] */
  float *load;    /* [workers] */
  int32_t waits;  /* so far, from 1 */
  cell *block;    /* [block_units] */
  cell *shared;   /* [shared_bytes / 64] */
  cell *accumulator;
} maker;

static int preferred_worker(const maker *m, const sl__step *s) {
  int64_t most = -1;
  int worker = NOBODY;
  for (int32_t i = 0; i < (s->strips ? s->strips->count : 1); i++) {
    const int operands = s->strips ? s->strips->op[i].operands : s->operands;
    for (int k = 0; k < operands; k++) {
      if (s->strips && s->strips->op[i].from_strip[k]) continue;
      const uint32_t operand =
          m->program->values[s->strips ? s->strips->op[i].operand[k] : s->operand[k]].root;
      const sl__value *v = &m->program->values[operand];
      if (m->owner[operand] < 0 || !v->batched || v->count <= most) continue;
      most = v->count;
      worker = m->owner[operand];
    }
  }
  return worker;
}

/* Longest first, each to its preferred thread when that costs nothing, else to the least loaded.
 * Returns the makespan. */
static float give_whole_steps(maker *m, int32_t count) {
  float total = 0, makespan = 0;
  for (int w = 0; w < m->workers; w++) m->load[w] = 0;
  for (int32_t i = 0; i < count; i++) total += m->order[i].cost;
  for (int32_t i = 0; i < count; i++) {
    const sl__step *s = &m->stage->step[m->order[i].step];
    int best = 0;
    for (int w = 1; w < m->workers; w++) {
      if (m->load[w] < m->load[best]) best = w;
    }
    const int preferred = preferred_worker(m, s);
    if (preferred >= 0 &&
        m->load[preferred] + m->order[i].cost <= 1.05f * total / (float)m->workers)
      best = preferred;
    m->given[m->order[i].step] = (int16_t)best;
    m->load[best] += m->order[i].cost;
    if (m->load[best] > makespan) makespan = m->load[best];
  }
  return makespan;
}

static void share_level(maker *m, int32_t begin, int32_t count) {
  float total = 0;
  for (int32_t i = 0; i < count; i++) {
    m->order[i] = (costed){begin + i, m->stage->step[begin + i].cost};
    total += m->order[i].cost;
  }
  for (int32_t i = begin; i < begin + count; i++) m->given[i] = 0;
  if (total < WORTH_SHARING) return;
  qsort(m->order, (size_t)count, sizeof *m->order, by_cost);
  if (give_whole_steps(m, count) <= 1.2f * total / (float)m->workers) return;
  for (int32_t i = begin; i < begin + count; i++) { /* cut what is big and can be cut */
    const sl__step *s = &m->stage->step[i];
    if (s->cost > WORTH_SHARING / 2 && sl__operations[s->operation].units) m->given[i] = ALL;
  }
}

/* ---- who does what ---- */

static void share_levels(maker *m, sl__division *out) {
  const sl__stage *stage = m->stage;
  int32_t at = 0;
  for (int32_t level = 0; level < stage->levels; level++) {
    const int32_t begin = stage->level_begin[level], end = stage->level_begin[level + 1];
    share_level(m, begin, end - begin);
    for (int w = 0; w < m->workers; w++) {
      out->begin[level * m->workers + w] = at;
      for (int32_t i = begin; i < end; i++) {
        if (m->given[i] == w) out->assignment[at++] = (sl__assignment){i, 0, 1};
        if (m->given[i] == ALL) out->assignment[at++] = (sl__assignment){i, w, m->workers};
      }
    }
    for (int32_t i = begin; i < end; i++) {
      const sl__strips *strips = stage->step[i].strips;
      m->owner[stage->step[i].value] = m->given[i];
      for (int32_t k = 0; strips && k < strips->count; k++) {
        if (strips->op[k].value != SL__NO_VALUE) m->owner[strips->op[k].value] = m->given[i];
      }
    }
  }
  out->begin[stage->levels * m->workers] = at;
}

/* ---- where to wait ---- */

/* The cells of memory that hold a value, from its first number to its last. */
static cell *cells_of(const maker *m, uint32_t value, int64_t *count) {
  enum { BYTES = 64 };
  const sl__value *v = &m->program->values[value];
  int64_t last = v->view_offset;
  for (int d = 0; d < v->shape.dims; d++) last += (v->shape.size[d] - 1) * v->stride[d];
  const int64_t size = sl__type_size(v->type);
  *count = 1;
  switch ((sl__area)v->area) {
    case SL__AREA_BLOCK:
      *count = (last + 1 - v->view_offset) * (size / 4);
      return m->block + v->offset + v->view_offset * (size / 4);
    case SL__AREA_SHARED: {
      const int64_t begin = (v->offset + v->view_offset * size) / BYTES;
      *count = (v->offset + (last + 1) * size + BYTES - 1) / BYTES - begin;
      return m->shared + begin;
    }
    case SL__AREA_ACCUMULATOR: return m->accumulator + v->offset;
    case SL__AREA_CONSTANT:
    case SL__AREA_PARAMETER: break; /* nothing writes there */
  }
  *count = 0;
  return NULL;
}

static bool is_another(int16_t before, int16_t worker) {
  return before != NOBODY && (before != worker || worker == ALL);
}

/* Whether another thread has touched the value since the last wait (and one of the two writes). */
static bool meets_another(const maker *m, uint32_t value, bool writes, int16_t worker) {
  int64_t count;
  const cell *c = cells_of(m, value, &count);
  for (int64_t i = 0; i < count; i++) {
    if (c[i].waits != m->waits) continue;
    if (is_another(c[i].writer, worker) || (writes && is_another(c[i].reader, worker))) return true;
  }
  return false;
}

static bool note_touch(const maker *m, uint32_t value, bool writes, int16_t worker) {
  int64_t count;
  cell *c = cells_of(m, value, &count);
  for (int64_t i = 0; i < count; i++) {
    if (c[i].waits != m->waits) c[i] = (cell){m->waits, NOBODY, NOBODY};
    int16_t *who = writes ? &c[i].writer : &c[i].reader;
    *who = is_another(*who, worker) ? ALL : worker;
  }
  return false;
}

typedef bool (*visitor)(const maker *m, uint32_t value, bool writes, int16_t worker);

static bool visit_strips(const maker *m, const sl__strips *s, int16_t worker, visitor visit) {
  for (int32_t i = 0; i < s->count; i++) {
    const sl__strip_op *op = &s->op[i];
    if (op->value != SL__NO_VALUE && visit(m, op->value, true, worker)) return true;
    for (int k = 0; k < op->operands; k++) {
      if (!op->from_strip[k] && visit(m, op->operand[k], false, worker)) return true;
    }
  }
  return false;
}

/* Visits the values that a step writes and reads, until one visit says true. */
static bool visit_values(const maker *m, const sl__step *s, int16_t worker, visitor visit) {
  if (s->strips) return visit_strips(m, s->strips, worker, visit);
  if (visit(m, s->value, true, worker)) return true;
  for (int k = 0; k < s->operands; k++) {
    if (visit(m, s->operand[k], false, worker)) return true;
  }
  const uint32_t *parts = s->data;
  for (int64_t i = 0; s->operation == SL__OP_CONCATENATE && i < s->data_count; i += 2) {
    if (visit(m, parts[i], false, worker)) return true;
  }
  return false;
}

/* The same, with those of the steps that a root repeats. */
static bool visit_step(const maker *m, int32_t step, visitor visit) {
  const sl__step *s = &m->stage->step[step];
  const int16_t worker = m->given[step];
  if (visit_values(m, s, worker, visit)) return true;
  if (!s->loop) return false;
  if (visit(m, s->loop->variable, true, worker) || visit(m, s->loop->slope, false, worker))
    return true;
  for (int32_t i = 0; i < s->loop->steps; i++) {
    if (visit_values(m, &s->loop->step[i], worker, visit)) return true;
  }
  return false;
}

static bool first_works_alone(const maker *m) {
  for (int32_t i = 0; i < m->stage->steps; i++) {
    if (m->given[i] != 0) return false;
  }
  return true;
}

static void find_waits(maker *m, sl__division *out) {
  m->waits = 1;
  for (int32_t level = 0; level < m->stage->levels; level++) {
    const int32_t begin = m->stage->level_begin[level], end = m->stage->level_begin[level + 1];
    bool wait = false;
    for (int32_t i = begin; i < end && !wait; i++) wait = visit_step(m, i, meets_another);
    out->barrier[level] = wait;
    m->waits += wait;
    for (int32_t i = begin; i < end; i++) visit_step(m, i, note_touch);
  }
}

static sl_status divide(maker *m, sl__arena *arena, sl__arena *own, sl__division *out) {
  const sl__program *program = m->program;
  const size_t steps = (size_t)m->stage->steps + 1, levels = (size_t)m->stage->levels + 1;
  const size_t workers = (size_t)m->workers;
#define TAKE(from, pointer, count) (pointer = sl__arena_take(from, count, sizeof *pointer))
  const bool ok =
      TAKE(arena, out->assignment, steps * workers) &&
      TAKE(arena, out->begin, levels * workers + 1) && TAKE(arena, out->barrier, levels) &&
      TAKE(own, m->owner, (size_t)program->value_count + 1) && TAKE(own, m->given, steps) &&
      TAKE(own, m->order, steps) && TAKE(own, m->load, workers) &&
      TAKE(own, m->block, (size_t)program->block_units + 1) &&
      TAKE(own, m->shared, (size_t)program->shared_bytes / 64 + 1) &&
      TAKE(own, m->accumulator, (size_t)program->accumulator_count + 1);
#undef TAKE
  if (!ok) return SL_NO_MEMORY;
  for (uint32_t i = 0; i < program->value_count; i++) m->owner[i] = ALL;
  share_levels(m, out);
  out->alone = first_works_alone(m);
  if (!out->alone) find_waits(m, out);
  return SL_OK;
}

sl_status sl__division_make(sl_context *context, sl__arena *arena, const sl__program *program,
                            const sl__stage *stage, int workers, sl__division *out) {
  out->alone = workers == 1;
  if (out->alone) return SL_OK;
  maker m = {.program = program, .stage = stage, .workers = workers};
  sl__arena own;
  sl__arena_open(&own, context);
  const sl_status status = divide(&m, arena, &own, out);
  sl__arena_close(&own);
  return status;
}
