/* The steps of an ODE's function as a list of calls with addresses, made once for a run. The slopes
 * of a small system are a few dozen operations on a few numbers, evaluated hundreds of times: what
 * a step costs to look up would be most of the time. An elementwise step becomes one call for all
 * of its runs, if those of every operand are equally far apart, which a number for all columns and
 * the columns themselves both are; a concatenation copies; other steps stay what they are. */
#include <string.h>

#include "graph/ode.h"

/* How many calls a step can become. */
static int64_t most_calls(const sl__frame *f, const sl__step *s) {
  if (s->operation == SL__OP_CONCATENATE) return s->data_count / 2 + 1;
  return s->operation == SL__OP_ELEMENTWISE && !s->strips ? sl__output_value(f, s)->count : 1;
}

int64_t sl__ode_most_calls(const sl__frame *f, const sl__loop *loop) {
  int64_t most = 1;
  for (int32_t i = 0; i < loop->steps; i++) most += most_calls(f, &loop->step[i]);
  return most;
}

/* Number `index` of the value, in numbers from its address. */
static int64_t offset_of(const sl__frame *f, const sl__value *v, const sl__value *like,
                         int64_t index) {
  int64_t at = 0;
  for (int d = like->shape.dims - 1; d >= 0; d--) {
    at += index % like->shape.size[d] * v->stride[d];
    index /= like->shape.size[d];
  }
  return at * sl__lanes(f, v);
}

/* Adds a call for one run to the last, if it goes on there. */
static bool extend(sl__runs_call *last, const sl__runs_call *next, int64_t lanes) {
  int64_t between[3];
  for (int k = 0; k < 3; k++) {
    const double *from = last->operand[k], *to = next->operand[k];
    if (last->features == 1)
      between[k] = from ? to - from : 0;
    else if (!from || to - from == last->features * last->between[k])
      between[k] = last->between[k];
    else
      return false;
  }
  if ((double *)next->y != (double *)last->y + last->features * lanes) return false;
  memcpy(last->between, between, sizeof between);
  last->features++;
  return true;
}

static int64_t add_elementwise(const sl__frame *f, const sl__step *s, sl__runs_call *calls) {
  const sl__value *y = sl__output_value(f, s);
  const int64_t lanes = sl__lanes(f, y);
  int64_t count = 0;
  for (int64_t i = 0; i < y->count; i++) {
    sl__runs_call call = {.kernel = f->program->kernels[y->type]->elementwise[s->elementwise],
                          .elementwise = s->elementwise,
                          .features = 1,
                          .y = (double *)sl__address(f, y) + i * lanes,
                          .attribute = s->attribute};
    for (int k = 0; k < s->operands; k++) {
      const sl__value *v = sl__operand_value(f, s, k);
      call.operand[k] = (const double *)sl__address(f, v) + offset_of(f, v, y, i);
      if (sl__lanes(f, v) < lanes) call.scalars |= (uint8_t)(1u << k);
    }
    if (count == 0 || !extend(&calls[count - 1], &call, lanes)) calls[count++] = call;
  }
  return count;
}

/* Parts one after another: copies. */
static int64_t add_concatenate(const sl__frame *f, const sl__step *s, sl__runs_call *calls) {
  const sl__value *y = sl__output_value(f, s);
  const uint32_t *parts = s->data; /* pairs: value, begin along the axis */
  const int64_t lanes = sl__lanes(f, y);
  for (int64_t i = 0; i < s->data_count / 2; i++) {
    const sl__value *x = &f->program->values[parts[2 * i]];
    calls[i] = (sl__runs_call){.kernel = f->program->kernels[y->type]->elementwise[SL__EW_copy],
                               .elementwise = SL__EW_copy,
                               .features = x->count,
                               .y = (double *)sl__address(f, y) + parts[2 * i + 1] * lanes,
                               .operand = {sl__address(f, x)},
                               .between = {lanes}};
  }
  return s->data_count / 2;
}

void sl__ode_list_calls(sl__ode_run *r) {
  const sl__frame *f = &r->inner;
  sl__runs_call *next = r->call;
  r->pieces = 1;
  r->piece[0] = (sl__ode_piece){0};
  for (int32_t i = 0; i < r->loop->steps; i++) {
    const sl__step *s = &r->loop->step[i];
    const sl__value *y = sl__output_value(f, s);
    sl__ode_piece *piece = &r->piece[r->pieces - 1];
    int64_t count = 0;
    if (s->operation == SL__OP_ELEMENTWISE && !s->strips && y->type == SL_F64) {
      count = add_elementwise(f, s, next);
    } else if (s->operation == SL__OP_CONCATENATE && y->shape.dims == 1 && y->type == SL_F64) {
      count = add_concatenate(f, s, next);
    } else {
      piece->step = s;
      r->piece[r->pieces++] = (sl__ode_piece){0};
    }
    piece->calls += count;
    next += count;
  }
}

void sl__ode_evaluate(const sl__ode_run *r, double *slope) {
  const sl__runs_call *call = r->call;
  for (const sl__ode_piece *piece = r->piece; piece < r->piece + r->pieces; piece++) {
    r->kernels->ode_calls(r->lanes, piece->calls, call);
    call += piece->calls;
    if (piece->step) sl__run_step(&r->inner, piece->step, 0, 1);
  }
  memcpy(slope, r->value, (size_t)(r->size * r->lanes) * sizeof *slope);
}
