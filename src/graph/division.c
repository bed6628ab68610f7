/* Who does what when several threads share one block of rows: for each level, whole steps go to the threads where their
 * operands were made (so that weights and activations stay in one core's cache), and steps too big to balance are cut
 * into parts. Levels too small to share run on the first thread. Threads wait for each other only before a level that touches
 * memory which another thread has touched since the last wait (and one of the two writes). The schedule changes no result: a
 * part of a step computes the same bits wherever it runs. */
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

typedef struct maker {
  const sl__program *program;
  const sl__stage *stage;
  int workers;
  int16_t *owner; /* [values] who made it; -1: several, or nobody */
  int16_t *given; /* [steps of a level] to whom; -1: cut into parts for all */
  costed *order;
  float *load; /* [workers] */
} maker;

static int preferred_worker(const maker *m, const sl__step *s) {
  int64_t most = -1;
  int worker = -1;
  for (int32_t i = 0; i < (s->fused ? s->fused_count : 1); i++) {
    const int operands = s->fused ? s->fused[i].operands : s->operands;
    for (int k = 0; k < operands; k++) {
      if (s->fused && s->fused[i].from_strip[k]) continue;
      const uint32_t operand =
          m->program->values[s->fused ? s->fused[i].operand[k] : s->operand[k]].root;
      const sl__value *v = &m->program->values[operand];
      if (m->owner[operand] < 0 || !v->batched || v->count <= most) continue;
      most = v->count;
      worker = m->owner[operand];
    }
  }
  return worker;
}

/* Longest first, each to its preferred thread when that costs nothing, else to the least loaded. Returns the makespan. */
static float give_whole_steps(maker *m, int32_t begin, int32_t count) {
  float total = 0, makespan = 0;
  for (int w = 0; w < m->workers; w++) m->load[w] = 0;
  for (int32_t i = 0; i < count; i++) total += m->order[i].cost;
  for (int32_t i = 0; i < count; i++) {
    const sl__step *s = &m->stage->step[begin + m->order[i].step];
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

/* Decides for one level. */
static void share_level(maker *m, int32_t begin, int32_t count) {
  float total = 0;
  for (int32_t i = 0; i < count; i++) {
    m->order[i] = (costed){i, m->stage->step[begin + i].cost};
    total += m->order[i].cost;
  }
  if (total < WORTH_SHARING || m->workers == 1) {
    for (int32_t i = 0; i < count; i++) m->given[i] = 0;
    return;
  }
  qsort(m->order, (size_t)count, sizeof *m->order, by_cost);
  if (give_whole_steps(m, begin, count) <= 1.2f * total / (float)m->workers) return;
  for (int32_t i = 0; i < count; i++) { /* cut what is big and can be cut */
    const sl__step *s = &m->stage->step[begin + i];
    if (s->cost > WORTH_SHARING / 2 && sl__operations[s->operation].units) m->given[i] = -1;
  }
}

/* ---- where to wait ---- */

typedef struct access {
  int64_t begin, end;
  uint8_t area;
  bool writes;
  int16_t worker;
} access;

typedef struct accesses {
  access *list;
  int64_t count, settled;
} accesses; /* settled: those of earlier levels */

/* The memory of a value, from its first number to its last. */
static access access_of(const maker *m, uint32_t value, bool writes, int16_t worker) {
  const sl__value *v = &m->program->values[value];
  int64_t last = v->view_offset;
  for (int d = 0; d < v->shape.dims; d++) last += (v->shape.size[d] - 1) * v->stride[d];
  const int64_t unit =
      v->area == SL__AREA_BLOCK ? sl__type_size(v->type) / 4 : sl__type_size(v->type);
  const int64_t scale =
      v->area == SL__AREA_ACCUMULATOR ? INT32_MAX : 1; /* each has memory of its own */
  return (access){v->offset * scale + v->view_offset * unit, v->offset * scale + (last + 1) * unit,
                  v->area, writes, worker};
}

static void note_step(const maker *m, const sl__step *s, int16_t worker, accesses *out) {
  out->list[out->count++] = access_of(m, s->value, true, worker);
  for (int32_t i = 0; i < (s->fused ? s->fused_count : 1); i++) {
    const int operands = s->fused ? s->fused[i].operands : s->operands;
    for (int k = 0; k < operands; k++) {
      if (s->fused && s->fused[i].from_strip[k]) continue;
      out->list[out->count++] =
          access_of(m, s->fused ? s->fused[i].operand[k] : s->operand[k], false, worker);
    }
  }
  const uint32_t *parts = s->data;
  for (int64_t i = 0; s->operation == SL__OP_CONCATENATE && i < s->data_count; i += 2) {
    out->list[out->count++] = access_of(m, parts[i], false, worker);
  }
}

static bool conflict(const access *a, const access *b) {
  return (a->worker != b->worker || a->worker < 0) && (a->writes || b->writes) &&
         a->area == b->area && a->begin < b->end && b->begin < a->end;
}

/* Whether the newest level's accesses meet those since the last wait; if so, these are forgotten. */
static bool must_wait(accesses *a) {
  bool wait = false;
  for (int64_t i = a->settled; i < a->count && !wait; i++) {
    for (int64_t j = 0; j < a->settled && !wait; j++) wait = conflict(&a->list[i], &a->list[j]);
  }
  if (wait) {
    a->count -= a->settled;
    for (int64_t i = 0; i < a->count; i++) a->list[i] = a->list[a->settled + i];
  }
  a->settled = a->count;
  return wait;
}

static int64_t count_accesses(const sl__stage *stage) {
  int64_t count = 0;
  for (int32_t i = 0; i < stage->steps; i++) {
    const sl__step *s = &stage->step[i];
    count +=
        4 + 3 * (int64_t)s->fused_count + (s->operation == SL__OP_CONCATENATE ? s->data_count : 0);
  }
  return count;
}

sl_status sl__division_make(sl_context *context, sl__arena *arena, const sl__program *program,
                            const sl__stage *stage, int workers, sl__division *out) {
  (void)context;
  maker m = {.program = program, .stage = stage, .workers = workers};
  const size_t steps = (size_t)stage->steps + 1, lists = (size_t)stage->levels * (size_t)workers;
  m.owner = sl__arena_take(arena, (size_t)program->value_count + 1, sizeof *m.owner);
  m.given = sl__arena_take(arena, steps, sizeof *m.given);
  m.order = sl__arena_take(arena, steps, sizeof *m.order);
  m.load = sl__arena_take(arena, (size_t)workers, sizeof *m.load);
  out->assignment = sl__arena_take(arena, steps * (size_t)workers, sizeof *out->assignment);
  out->begin = sl__arena_take(arena, lists + 2, sizeof *out->begin);
  out->barrier = sl__arena_take(arena, (size_t)stage->levels + 1, sizeof *out->barrier);
  if (!m.owner || !m.given || !m.order || !m.load || !out->assignment || !out->begin ||
      !out->barrier)
    return SL_NO_MEMORY;
  for (uint32_t i = 0; i < program->value_count; i++) m.owner[i] = -1;
  accesses touched = {
      .list = sl__arena_take(arena, (size_t)count_accesses(stage) + 1, sizeof *touched.list)};
  if (!touched.list) return SL_NO_MEMORY;
  int32_t at = 0;
  for (int32_t level = 0; level < stage->levels; level++) {
    const int32_t begin = stage->level_begin[level], count = stage->level_begin[level + 1] - begin;
    share_level(&m, begin, count);
    for (int32_t i = 0; i < count; i++)
      note_step(&m, &stage->step[begin + i], m.given[i], &touched);
    out->barrier[level] = must_wait(&touched);
    for (int w = 0; w < workers; w++) {
      out->begin[level * workers + w] = at;
      for (int32_t i = 0; i < count; i++) {
        if (m.given[i] == w) out->assignment[at++] = (sl__assignment){begin + i, 0, 1};
        if (m.given[i] == -1) out->assignment[at++] = (sl__assignment){begin + i, w, workers};
      }
    }
    for (int32_t i = 0; i < count; i++) m.owner[stage->step[begin + i].value] = m.given[i];
  }
  out->begin[lists] = at;
  return SL_OK;
}
