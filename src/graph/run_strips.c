/* Running fused steps, strip by strip. */
#include <string.h>

#include "graph/operations.h"
#include "kernels/kernels.h"

/* A strip at work: features `at` .. `at + features - 1`, lanes `lane` .. `lane + lanes - 1`. */
typedef struct strip {
  const sl__frame *f;
  const sl__strips *s;
  const struct sl__kernels *kernels;
  int64_t size; /* of a number */
  int64_t lead, lane, lanes, at, features, most_features;
  const void *place[SL__MAX_STRIPS]; /* where each strip is at present */
} strip;

enum { LANES_APART = 16 };

/* So many runs that they come nearest to SL__STRIP numbers: at most a half more. */
static int64_t features_of_strip(int64_t lanes) {
  const int64_t features = (SL__STRIP + lanes / 2) / lanes;
  return features > 0 ? features : 1;
}

static int64_t numbers_of(const sl__frame *f) {
  const int64_t most = SL__STRIP + SL__STRIP / 2;
  return f->lead > most ? f->lead : most;
}

size_t sl__strips_scratch(const sl__frame *f, const sl__step *step) {
  const sl__strips *s = step->strips;
  const int64_t numbers = s->strips * numbers_of(f) + s->sums * SL__PARTIAL_SUMS;
  return (size_t)(numbers * sl__type_size(s->type));
}

/* Of flat steps and those without sums, a unit is a strip; else LANES_APART lanes. */
int64_t sl__units_strips(const sl__frame *f, const sl__step *step) {
  const sl__strips *s = step->strips;
  if (s->flat) return (s->features * f->lead + SL__STRIP - 1) / SL__STRIP;
  if (s->by_lanes) return s->whole || f->lead < LANES_APART ? 1 : f->lead / LANES_APART;
  const int64_t each = features_of_strip(f->lead);
  return (s->features + each - 1) / each;
}

static char *scratch_of(const strip *t, int32_t which) {
  return (char *)t->f->scratch + which * numbers_of(t->f) * t->size;
}

static char *partial_sums(const strip *t, int32_t sum) {
  return scratch_of(t, t->s->strips) + sum * SL__PARTIAL_SUMS * t->size;
}

static const sl__value *value_of(const strip *t, uint32_t value) {
  return &t->f->program->values[value];
}

/* The first number of a value that the strip touches, if it lies as strips do. */
static char *in_value(const strip *t, uint32_t value) {
  const sl__value *v = value_of(t, value);
  return (char *)sl__address(t->f, v) + (v->batched ? t->at * t->lead + t->lane : 0) * t->size;
}

/* The first lane at work of a value's first run. */
static char *run_of(const strip *t, uint32_t value) {
  return (char *)sl__address(t->f, value_of(t, value)) + t->lane * t->size;
}

static void map(strip *t, const sl__strip_op *op) {
  const void *p[3] = {NULL, NULL, NULL};
  unsigned scalars = 0;
  for (int k = 0; k < op->operands; k++) {
    if (op->from_strip[k]) {
      p[k] = t->place[op->operand[k]];
      continue;
    }
    if (!value_of(t, op->operand[k])->batched) scalars |= 1u << k;
    p[k] = in_value(t, op->operand[k]);
  }
  void *to = op->strip < 0 ? in_value(t, op->value) : scratch_of(t, op->strip);
  if (op->strip >= 0) t->place[op->strip] = to;
  t->kernels->elementwise[op->elementwise](t->features * t->lanes, to, p[0], p[1], p[2], scalars,
                                           op->attribute);
}

static void repeat(strip *t, const sl__strip_op *op) {
  char *to = scratch_of(t, op->strip);
  const char *from = run_of(t, op->operand[0]);
  t->place[op->strip] = to;
  if (t->lanes == 1) {
    t->kernels->elementwise[SL__EW_copy](t->most_features, to, from, NULL, NULL, 1, 0);
    return;
  }
  for (int64_t i = 0; i < t->most_features; i++, to += t->lanes * t->size)
    memcpy(to, from, (size_t)(t->lanes * t->size));
}

static void spread(strip *t, const sl__strip_op *op) {
  const char *from = (const char *)sl__address(t->f, value_of(t, op->operand[0])) + t->at * t->size;
  t->place[op->strip] = t->lanes == 1 ? from : scratch_of(t, op->strip);
  if (t->lanes > 1) t->kernels->spread(t->features, t->lanes, scratch_of(t, op->strip), from);
}

static void gather(strip *t, const sl__strip_op *op) {
  void *to = op->strip < 0 ? in_value(t, op->value) : scratch_of(t, op->strip);
  if (op->strip >= 0) t->place[op->strip] = to;
  t->kernels->gather_runs(t->features, t->lanes, to, run_of(t, op->operand[0]), t->lead,
                          op->index + t->at);
}

static const void *added(const strip *t, const sl__strip_op *op) {
  return op->from_strip[0] ? t->place[op->operand[0]] : in_value(t, op->operand[0]);
}

static void run_op(strip *t, const sl__strip_op *op) {
  switch ((sl__strip_kind)op->kind) {
    case SL__STRIP_ELEMENTWISE: map(t, op); break;
    case SL__STRIP_REPEAT: repeat(t, op); break;
    case SL__STRIP_SPREAD: spread(t, op); break;
    case SL__STRIP_GATHER: gather(t, op); break;
    case SL__STRIP_SUM:
      t->kernels->add_strip(t->features, t->lanes,
                            t->lanes == 1 ? partial_sums(t, op->strip) : run_of(t, op->value),
                            added(t, op));
      break;
    case SL__STRIP_SCATTER:
      t->kernels->scatter_runs(t->features, t->lanes, run_of(t, op->value), t->lead, added(t, op),
                               op->index + t->at);
      break;
  }
}

/* Sums begin at zero. */
static void begin_sums(const strip *t) {
  for (int32_t i = t->s->first; i < t->s->count; i++) {
    const sl__strip_op *op = &t->s->op[i];
    if (op->kind != SL__STRIP_SUM && op->kind != SL__STRIP_SCATTER) continue;
    if (op->kind == SL__STRIP_SUM && t->lanes == 1)
      memset(partial_sums(t, op->strip), 0, (size_t)(SL__PARTIAL_SUMS * t->size));
    char *run = run_of(t, op->value);
    for (int64_t k = 0; k < value_of(t, op->value)->count; k++, run += t->lead * t->size)
      memset(run, 0, (size_t)(t->lanes * t->size));
  }
}

static void end_sums(const strip *t) {
  for (int32_t i = t->s->first; i < t->s->count && t->lanes == 1; i++) {
    const sl__strip_op *op = &t->s->op[i];
    if (op->kind == SL__STRIP_SUM)
      t->kernels->end_sum(run_of(t, op->value), partial_sums(t, op->strip));
  }
}

/* Features begin .. end - 1. */
static void run_features(strip *t, int64_t begin, int64_t end) {
  t->most_features = features_of_strip(t->lanes);
  for (int32_t i = 0; i < t->s->first; i++) run_op(t, &t->s->op[i]);
  for (t->at = begin; t->at < end; t->at += t->features) {
    t->features = end - t->at < t->most_features ? end - t->at : t->most_features;
    for (int32_t i = t->s->first; i < t->s->count; i++) run_op(t, &t->s->op[i]);
  }
}

void sl__run_strips(const sl__frame *f, const sl__step *step, int64_t begin, int64_t end) {
  const sl__strips *s = step->strips;
  strip t = {.f = f,
             .s = s,
             .kernels = f->program->kernels[s->type],
             .size = sl__type_size(s->type),
             .lead = f->lead,
             .lanes = f->lead};
  if (s->flat) { /* every number a feature of its own */
    const int64_t numbers = s->features * f->lead;
    t.lead = t.lanes = 1;
    run_features(&t, begin * SL__STRIP, end * SL__STRIP < numbers ? end * SL__STRIP : numbers);
    return;
  }
  if (!s->by_lanes) {
    const int64_t each = features_of_strip(f->lead);
    run_features(&t, begin * each, end * each < s->features ? end * each : s->features);
    return;
  }
  if (!s->whole && f->lead >= LANES_APART) {
    t.lane = begin * LANES_APART;
    t.lanes = (end - begin) * LANES_APART;
  }
  begin_sums(&t);
  run_features(&t, 0, s->features);
  end_sums(&t);
}

/* How many features can be done at a time by elementwise operations only; 0: none. */
static int64_t plain_features(const sl__frame *f, const sl__strips *s) {
  if (s->by_lanes || s->features == 0) return 0;
  int64_t most = s->features * f->lead <= numbers_of(f) ? s->features : features_of_strip(f->lead);
  for (int32_t i = 0; i < s->count; i++) {
    const uint8_t kind = s->op[i].kind;
    const bool number = kind == SL__STRIP_REPEAT || kind == SL__STRIP_SPREAD;
    if (kind != SL__STRIP_ELEMENTWISE && !number) return 0;
    if (number && f->lead > 1) most = 1;
  }
  return (s->features + most - 1) / most <= SL__LIST_OUTER ? most : 0;
}

/* The operations on features t->at .. t->at + t->features - 1. */
static void list_features(strip *t, sl__lists *lists) {
  bool one[SL__MAX_STRIPS] = {false}; /* the strip is one number for all */
  for (int32_t i = 0; i < t->s->count; i++) {
    const sl__strip_op *op = &t->s->op[i];
    if (op->kind != SL__STRIP_ELEMENTWISE) { /* is read where it lies */
      const bool spread = op->kind == SL__STRIP_SPREAD;
      const sl__value *v = value_of(t, op->operand[0]);
      t->place[op->strip] = (char *)sl__address(t->f, v) + (spread ? t->at * t->size : 0);
      one[op->strip] = spread ? t->lead > 1 : t->lead == 1;
      continue;
    }
    const void *p[3] = {NULL, NULL, NULL};
    unsigned scalars = 0;
    for (int k = 0; k < op->operands; k++) {
      const bool number =
          op->from_strip[k] ? one[op->operand[k]] : !value_of(t, op->operand[k])->batched;
      p[k] = op->from_strip[k] ? t->place[op->operand[k]] : in_value(t, op->operand[k]);
      scalars |= (unsigned)number << k;
    }
    sl__few *call = sl__list_call(lists, SL__CALL_FEW, t->s->type);
    *call = (sl__few){.kernel = t->kernels->elementwise[op->elementwise],
                      .elementwise = op->elementwise,
                      .scalars = (uint8_t)scalars,
                      .n = (int32_t)(t->features * t->lead),
                      .y = op->strip < 0 ? in_value(t, op->value) : scratch_of(t, op->strip),
                      .a = p[0],
                      .b = p[1],
                      .c = p[2],
                      .attribute = op->attribute};
    if (op->strip >= 0) t->place[op->strip] = call->y, one[op->strip] = false;
  }
}

bool sl__list_strips(sl__lists *lists, const sl__frame *f, const sl__step *step) {
  const sl__strips *s = step->strips;
  const int64_t each = plain_features(f, s);
  if (each == 0) return false;
  strip t = {.f = f,
             .s = s,
             .kernels = f->program->kernels[s->type],
             .size = sl__type_size(s->type),
             .lead = f->lead,
             .lanes = f->lead};
  for (; t.at < s->features; t.at += each) {
    t.features = s->features - t.at < each ? s->features - t.at : each;
    list_features(&t, lists);
  }
  return true;
}
