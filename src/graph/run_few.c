/* Running a block's steps with little between them. Most steps of a program that has been traced
 * from scalar code are an addition or the like of one number per row: finding its operands takes
 * longer than adding them. So what a step calls is found once, for a number of lanes, and kept; runs
 * with as many rows as the last one, as samplers and optimisers do, only go through the list. */
#include "graph/operations.h"
#include "kernels/kernels.h"

enum { MOST_OUTER = 8, MOST_LANES = 64 }; /* beyond that the work itself is what takes the time */

static int64_t list_step(const sl__frame *f, const sl__step *s, int64_t room, sl__few *few) {
  if (s->operation == SL__OP_STRIPS) return sl__list_strips(f, s, room, few);
  if (s->operation != SL__OP_ELEMENTWISE) return 0;
  return sl__list_elementwise(f, s, room < MOST_OUTER ? room : MOST_OUTER, few);
}

/* Sums over rows and parameters lie elsewhere in every run; a list is of one element type. */
static bool can_be_kept(const sl__program *program) {
  if (program->accumulator_count) return false;
  for (uint32_t i = 0; i < program->value_count; i++) {
    const sl__value *v = &program->values[i];
    if (v->area == SL__AREA_PARAMETER || v->type == SL_F32) return false;
  }
  return true;
}

sl_status sl__few_calls_new(sl__workspace *w) {
  const sl__stage *stage = &w->program->stage[1];
  if (!can_be_kept(w->program)) return SL_OK;
  int64_t room = 0;
  for (int32_t i = 0; i < stage->steps; i++) {
    const sl__step *s = &stage->step[i];
    room += s->strips ? s->strips->count : s->operation == SL__OP_ELEMENTWISE ? MOST_OUTER : 0;
  }
  w->few_calls.few = sl__arena_take(&w->arena, (size_t)room + 1, sizeof(sl__few));
  w->few_calls.end = sl__arena_take(&w->arena, (size_t)stage->steps + 1, sizeof(int32_t));
  if (!w->few_calls.few || !w->few_calls.end) return SL_NO_MEMORY;
  w->few_calls.room = room;
  return SL_OK;
}

static void list_calls(sl__few_calls *c, const sl__stage *stage, const sl__frame *f) {
  int64_t count = 0;
  for (int32_t i = 0; i < stage->steps; i++) {
    count += list_step(f, &stage->step[i], c->room - count, c->few + count);
    c->end[i] = (int32_t)count;
  }
  c->lead = f->lead;
}

void sl__run_few_calls(sl__workspace *w, const sl__frame *f) {
  sl__few_calls *c = &w->few_calls;
  const sl__stage *stage = &w->program->stage[1];
  if (c->room == 0 || f->lead > MOST_LANES + 16) {
    for (int32_t i = 0; i < stage->steps; i++) sl__run_step(f, &stage->step[i], 0, 1);
    return;
  }
  if (c->lead != f->lead) list_calls(c, stage, f);
  int32_t done = 0, last = 0;
  for (int32_t i = 0; i < stage->steps; i++, last = c->end[i - 1]) {
    if (c->end[i] > last) continue;
    if (last > done) w->program->kernels[SL_F64]->run_few(last - done, c->few + done);
    done = last;
    sl__run_step(f, &stage->step[i], 0, 1);
  }
  if (last > done) w->program->kernels[SL_F64]->run_few(last - done, c->few + done);
}
