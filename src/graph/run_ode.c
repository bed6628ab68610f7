/* Running a differential equation: memory, lanes, the control of steps and output, for all methods.
 *
 * Every lane has a step of its own, so that what it finds does not depend on the lanes beside it. A
 * few lanes at a time walk along; one that has arrived takes the next row, since rows may need
 * steps in very different numbers. What the function reads of a row is copied to the lane: the loop
 * runs in a block of its own, which is as wide as there are lanes and stays in the first-level
 * cache. The rule for the step's size is that of Boost's odeint, which Stan uses: the largest error
 * of all states relative to absolute + relative * (|x| + |h x'|) is held below 1; a step that
 * failed shrinks to 0.9 error^-less of its size, at least a fifth; one whose error is below a half
 * becomes 0.9 error^-more times as long, at most 4.5 times. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "graph/ode.h"

/* ---- memory ---- */

typedef struct cutter {
  char *at; /* NULL: only measures */
  size_t bytes;
} cutter;

static void *cut(cutter *c, int64_t count, size_t size) {
  char *taken = c->at ? c->at + c->bytes : NULL;
  c->bytes += ((size_t)count * size + 63) & ~(size_t)63;
  return taken;
}

static void cut_memory(sl__ode_run *r, cutter *c, bool stiff) {
  const int64_t run = r->size * r->lanes;
  r->inner.block = cut(c, r->inner.program->block_units * r->lanes, 4);
  r->x = cut(c, run, sizeof *r->x);
  r->slopes = cut(c, SL__ODE_SLOPES * run, sizeof *r->slopes);
  r->work = cut(c, run, sizeof *r->work);
  r->weights = cut(c, SL__ODE_SLOPES * r->lanes, sizeof *r->weights);
  r->trial = cut(c, r->lanes, sizeof *r->trial);
  r->norm = cut(c, r->lanes, sizeof *r->norm);
  r->power = cut(c, r->lanes, sizeof *r->power);
  r->lane = cut(c, r->lanes, sizeof *r->lane);
  r->call = cut(c, sl__ode_most_calls(&r->inner, r->loop), sizeof *r->call);
  r->piece = cut(c, r->loop->steps + 1, sizeof *r->piece);
  r->matrix = cut(c, stiff ? r->lanes * r->states * r->states : 0, sizeof *r->matrix);
  r->vector = cut(c, stiff ? r->states : 0, sizeof *r->vector);
  r->pivot = cut(c, stiff ? r->lanes * r->states : 0, sizeof *r->pivot);
}

static sl__ode_run open_run(const sl__frame *f, const sl__step *s) {
  const sl__value *out = sl__output_value(f, s);
  const int64_t lead = sl__lanes(f, out), lanes = lead == 1 ? 1 : SL__ODE_LANES;
  sl__ode_run r = {.inner = *f,
                   .outer = f,
                   .loop = s->loop,
                   .kernels = sl__frame_kernels(f, s),
                   .lanes = lanes,
                   .states = out->shape.size[1],
                   .columns = out->shape.size[2],
                   .size = (int64_t)out->shape.size[1] * out->shape.size[2],
                   .outputs = out->shape.size[0],
                   .rows = out->batched ? f->rows : 1,
                   .lead = lead};
  r.inner.lead = r.inner.rows = lanes;
  return r;
}

size_t sl__ode_scratch(const sl__frame *f, const sl__step *s) {
  sl__ode_run r = open_run(f, s);
  cutter c = {0};
  size_t most = 0;
  cut_memory(&r, &c, s->integer[0] == SL__ODE_STIFF);
  r.inner.block = f->block;
  for (int32_t i = 0; i < s->loop->steps; i++) {
    const size_t bytes = sl__step_scratch(&r.inner, &s->loop->step[i]);
    if (bytes > most) most = bytes;
  }
  return c.bytes + most + 64;
}

/* ---- lanes ---- */

void sl__ode_fail(const sl__ode_run *r, int64_t lane) {
  sl__ode_lane *l = &r->lane[lane];
  for (int64_t i = 0; i < r->outputs * r->size; i++) r->out[i * r->lead + l->row] = (double)NAN;
  l->active = false;
}

void sl__ode_put(const sl__ode_run *r, int64_t lane, const double *from) {
  sl__ode_lane *l = &r->lane[lane];
  double *to = r->out + l->next * r->size * r->lead + l->row;
  for (int64_t i = 0; i < r->size; i++) to[i * r->lead] = from[i * r->lanes + lane];
  l->next++;
  l->taken = 0;
  if (l->next == r->outputs) l->active = false;
}

static double time_of(const sl__ode_run *r, int64_t output, int64_t row) {
  return r->times[output * r->lead + row];
}

/* What a row reads and where it starts, to a lane. */
static void copy_row(const sl__ode_run *r, int64_t lane, int64_t row) {
  const sl__value *values = r->inner.program->values;
  for (int32_t k = 0; k < r->loop->outsides; k++) { /* in float64: see op_ode */
    const sl__value *v = &values[r->loop->outside[k]];
    const double *from = sl__address(r->outer, v);
    double *to = sl__address(&r->inner, v);
    for (int64_t i = 0; i < v->count; i++) to[i * r->lanes + lane] = from[i * r->lead + row];
  }
  for (int64_t i = 0; i < r->size; i++)
    r->x[i * r->lanes + lane] = r->start[(1 + i) * r->lead + row];
}

/* The first trial's size is 0.1, as Stan's. */
static void take_row(sl__ode_run *r, int64_t lane) {
  sl__ode_lane *l = &r->lane[lane];
  const int64_t row = r->row++;
  const double time = r->start[row], end = time_of(r, r->outputs - 1, row);
  bool finite = isfinite(end - time);
  for (int64_t i = 1; i <= r->size; i++) finite &= isfinite(r->start[i * r->lead + row]);
  *l = (sl__ode_lane){.row = row, .time = time, .step = 0.1, .active = true, .fresh = true};
  l->scale = fmax(fabs(time), fabs(end));
  if (finite)
    copy_row(r, lane, row);
  else
    sl__ode_fail(r, lane);
  while (l->active && sl__ode_next_time(r, lane) <= time) sl__ode_put(r, lane, r->x);
}

/* Lanes without a row compute what another does. */
static void begin_lanes(const sl__ode_run *r) {
  for (int64_t l = 0; l < r->lanes; l++) {
    r->lane[l] = (sl__ode_lane){.step = 0.1};
    copy_row(r, l, l < r->rows ? l : 0);
  }
}

bool sl__ode_begin_step(sl__ode_run *r, bool at_outputs) {
  bool any = false;
  for (int64_t i = 0; i < r->lanes; i++) {
    sl__ode_lane *l = &r->lane[i];
    l->trial = l->accepted = l->fresh = 0;
    while (!l->active && r->row < r->rows) take_row(r, i);
    if (l->active) {
      const double last = time_of(r, at_outputs ? l->next : r->outputs - 1, l->row);
      l->to_output = l->time + l->step - last > (at_outputs ? 0 : DBL_EPSILON);
      l->trial = l->to_output ? last - l->time : l->step;
      any = true;
    }
    r->trial[i] = l->trial;
  }
  return any;
}

/* ---- the size of steps ---- */

void sl__ode_control(sl__ode_run *r, double less, double more) {
  r->less = less;
  r->more = more;
  r->least = pow(5, -1 / more);
  r->most = pow(0.9 / 0.2, 1 / less);
}

/* norm: the errors, then the factors of the steps. */
static void find_factors(const sl__ode_run *r) {
  for (int64_t i = 0; i < r->lanes; i++) {
    const double error = r->norm[i];
    r->lane[i].accepted = r->lane[i].active && error <= 1;
    r->power[i] = error < 0.5 ? -r->more : error <= 1 ? 0 : -r->less;
    r->norm[i] = error <= r->least ? r->least : error <= r->most ? error : r->most;
  }
  r->kernels->elementwise[SL__EW_power](r->lanes, r->norm, r->norm, r->power, NULL, 0, 0);
  for (int64_t i = 0; i < r->lanes; i++) r->norm[i] *= r->power[i] == 0 ? 1 : 0.9;
}

void sl__ode_judge(const sl__ode_run *r) {
  find_factors(r);
  for (int64_t i = 0; i < r->lanes; i++) {
    sl__ode_lane *l = &r->lane[i];
    if (!l->active) continue;
    const double step = l->trial * r->norm[i];
    l->tried++;
    if (l->accepted) {
      l->time = l->time + l->trial;
      l->taken++;
      l->step = l->to_output ? fmax(l->step, step) : step;
    } else {
      l->step = step;
    }
    if (l->taken > r->max_steps || l->tried > r->most_tried || !(l->step > DBL_EPSILON * l->scale))
      sl__ode_fail(r, i);
    if (!l->active) l->accepted = false;
  }
}

void sl__ode_put_ends(const sl__ode_run *r) {
  for (int64_t i = 0; i < r->lanes; i++) {
    sl__ode_lane *l = &r->lane[i];
    if (!l->accepted || !l->to_output) continue;
    l->time = sl__ode_next_time(r, i);
    while (l->active && sl__ode_next_time(r, i) <= l->time)
      sl__ode_put(r, i, r->variable + r->lanes);
  }
}

/* ---- a run ---- */

void sl__run_ode(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const sl__value *values = f->program->values;
  sl__ode_run r = open_run(f, s);
  cutter c = {.at = f->scratch};
  cut_memory(&r, &c, s->integer[0] == SL__ODE_STIFF);
  r.inner.scratch = (char *)f->scratch + c.bytes;
  const double *limits = sl__address(f, sl__operand_value(f, s, 2));
  r.relative = limits[0];
  r.absolute = limits[1];
  r.max_steps = limits[2];
  const double most = f->run ? f->run->most_ode_steps : 0; /* no run: constants are worked out */
  r.most_tried = most > 0 ? most : (double)INFINITY;
  r.start = sl__address(f, sl__operand_value(f, s, 0));
  r.times = sl__address(f, sl__operand_value(f, s, 1));
  r.out = sl__address(f, sl__output_value(f, s));
  r.variable = sl__address(&r.inner, &values[s->loop->variable]);
  r.value = sl__address(&r.inner, &values[s->loop->value]);
  r.jacobian = sl__address(&r.inner, &values[s->loop->slope]);
  sl__ode_list_calls(&r);
  begin_lanes(&r);
  if (s->integer[0] == SL__ODE_STIFF)
    sl__ode_stiff(&r);
  else
    sl__ode_explicit(&r, s->integer[0] == SL__ODE_CASH_KARP);
}
