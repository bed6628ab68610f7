/* The density of a program: what `~` and target += add up, and where it is zero. */
#include "stan/trace.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- for densities' builders ---- */

int32_t sl__stan_length(sl__stan_call *call, int first, int last) {
  int64_t n = 1;
  int of = -1;
  for (int i = first; i <= last; i++) {
    const sl__stan_value *a = &call->argument[i];
    if (a->dims == 0) continue;
    if (of >= 0 && a->count != n) {
      sl__stan_refuse(call, "argument %d has %lld elements, argument %d has %lld", of + 1,
                      (long long)n, i + 1, (long long)a->count);
      return -1;
    }
    of = i;
    n = a->count;
  }
  if (n <= INT32_MAX) return (int32_t)n;
  sl__stan_refuse(call, "more than 2^31 elements");
  return -1;
}

sl_node sl__stan_sum(sl__stan_call *call, sl_node term, int32_t n) {
  sl__graph *g = call->tracer->graph;
  if (!term) return 0;
  if (call->drop_constants && !sl__node_batched(g, term)) return op_number(g, SL_F64, 0);
  if (sl__node_shape(g, term).dims > 0) return op_sum_all(g, term);
  return n == 1 ? term : op_scale(g, term, n);
}

/* ---- terms ---- */

/* Neumaier's summation. */
static void add_known(sl__stan_tracer *t, double x) {
  const double sum = t->known + x;
  if (isfinite(sum))
    t->known_low += fabs(t->known) >= fabs(x) ? (t->known - sum) + x : (x - sum) + t->known;
  t->known = sum;
}

static sl_status add_term(sl__stan_tracer *t, sl_node term, size_t place) {
  if (t->mask && term) term = op_choose(t->graph, t->mask, term, op_number(t->graph, SL_F64, 0));
  if (!term) return sl__stan_no_node(t, place);
  if (t->term_count == t->term_capacity) {
    const int capacity = t->term_capacity ? 2 * t->term_capacity : 64;
    sl_node *grown =
        sl__resize(t->context, t->term, (size_t)t->term_capacity, (size_t)capacity, sizeof *grown);
    if (!grown) return SL_NO_MEMORY;
    t->term = grown;
    t->term_capacity = capacity;
  }
  t->term[t->term_count++] = term;
  return SL_OK;
}

sl_status sl__stan_add_target(sl__stan_tracer *t, const sl__stan_value *value, size_t place) {
  if (value->count == 0) return SL_OK;
  if (sl__stan_is_known(value) && !t->mask) {
    const double *numbers = sl__stan_reals(t, value);
    if (!numbers) return SL_NO_MEMORY;
    for (int64_t i = 0; i < value->count; i++) add_known(t, numbers[i]);
    return SL_OK;
  }
  return add_term(t, op_sum_all(t->graph, sl__stan_node(t, value)), place);
}

sl_status sl__stan_add_requirement(sl__stan_tracer *t, sl_node condition) {
  if (t->in_callback) return SL_OK;
  if (t->mask && condition) { /* counts where the branch is taken */
    const sl_node elsewhere = op_shift(t->graph, op_negate(t->graph, t->mask), 1);
    condition = op_maximum(t->graph, condition, elsewhere);
  }
  if (!condition) return t->graph ? sl__graph_status(t->graph) : SL_NO_MEMORY;
  /* the latest are the likeliest to come again */
  int looked = 0;
  for (const sl__stan_requirement *r = t->requirements; r && looked < 16; r = r->next, looked++)
    if (r->condition == condition) return SL_OK;
  sl__stan_requirement *added = sl__arena_take(&t->arena, 1, sizeof *added);
  if (!added) return SL_NO_MEMORY;
  *added = (sl__stan_requirement){condition, NULL, t->requirements};
  t->requirements = added;
  return SL_OK;
}

/* ---- the sum ---- */

/* The sum of scalars, as one operation. */
static sl_node sum_scalars(sl__stan_tracer *t, const sl_node *scalar, int count) {
  if (count == 1) return scalar[0];
  const sl__stan_mark mark = sl__stan_stack_mark(t);
  sl_node *part = sl__stan_temporary(t, count, sizeof *part);
  if (!part) return sl__graph_refuse(t->graph, SL_NO_MEMORY, "no memory for a sum");
  for (int i = 0; i < count; i++) part[i] = op_reshape(t->graph, scalar[i], sl__shape1(1));
  const sl_node sum = op_sum(t->graph, op_concatenate(t->graph, count, part, 0), 0);
  sl__stan_stack_release(t, mark);
  return sum;
}

sl_node sl__stan_target_sum(sl__stan_tracer *t) {
  const double known = t->known + t->known_low;
  if (t->term_count == 0) return op_number(t->graph, SL_F64, known);
  const sl_node sum = sum_scalars(t, t->term, t->term_count);
  return known != 0 ? op_shift(t->graph, sum, known) : sum;
}

/* 1 where all requirements hold; *count: how many there are. */
static sl_node all_requirements(sl__stan_tracer *t, int *count) {
  *count = 0;
  for (const sl__stan_requirement *r = t->requirements; r; r = r->next) ++*count;
  if (*count == 0) return 0;
  sl_node *holds = sl__stan_temporary(t, *count, sizeof *holds);
  if (!holds) return sl__graph_refuse(t->graph, SL_NO_MEMORY, "no memory for the requirements");
  int i = 0;
  for (const sl__stan_requirement *r = t->requirements; r; r = r->next) {
    const int64_t elements = sl__shape_count(sl__node_shape(t->graph, r->condition));
    sl_node one = op_sum_all(t->graph, r->condition);
    if (elements > 1) one = op_equal(t->graph, one, op_number(t->graph, SL_F64, (double)elements));
    holds[i++] = elements > 1 ? one : op_reshape(t->graph, one, sl__scalar_shape());
  }
  return op_equal(t->graph, sum_scalars(t, holds, *count), op_number(t->graph, SL_F64, *count));
}

sl_node sl__stan_density(sl__stan_tracer *t) {
  int count;
  const sl_node sum = sl__stan_target_sum(t), good = all_requirements(t, &count);
  sl_node density = sum;
  if (count > 0)
    density = op_select(t->graph, good, sum, op_number(t->graph, SL_F64, -(double)INFINITY));
  return op_rows(t->graph, density);
}

/* ---- y ~ name(...) T[lower, upper] ---- */

typedef struct tilde {
  const sl__stan_statement *s;
  int count;
  sl__stan_value *argument; /* y, then the parameters */
  bool discrete;
} tilde;

static sl_status call_density(sl__stan_tracer *t, const tilde *d, sl__stan_value *out) {
  const bool drop = t->frame->drop;
  if (d->s->function)
    return sl__stan_call_function(t, d->s->function, d->s->place, d->count, d->argument, drop, out);
  sl__stan_call call = {.tracer = t,
                        .builtin = d->s->builtin,
                        .signature = d->s->signature,
                        .type = {SL__STAN_REAL_TYPE, 0},
                        .place = d->s->place,
                        .count = d->count,
                        .argument = d->argument,
                        .drop_constants = drop,
                        .result = out};
  return sl__stan_call_builtin(t, &call);
}

static const sl__stan_function *find_function(const sl__stan_program *program, const char *name,
                                              int count) {
  for (const sl__stan_function *f = program->functions; f; f = f->next)
    if (f->body && f->argument_count == count && strcmp(f->name, name) == 0) return f;
  return NULL;
}

/* NAME_lcdf or NAME_lccdf of the bound, for all observations. */
static sl_status call_cumulative(sl__stan_tracer *t, const tilde *d, const char *ending,
                                 const sl__stan_value *bound, sl__stan_value *out) {
  char name[256];
  snprintf(name, sizeof name, "%.200s%s", d->s->name, ending);
  sl__stan_value *argument = sl__stan_temporary(t, d->count, sizeof *argument);
  if (!argument) return SL_NO_MEMORY;
  memcpy(argument, d->argument, (size_t)d->count * sizeof *argument);
  argument[0] = *bound;
  bool scalars = true;
  for (int i = 1; i < d->count; i++) scalars = scalars && argument[i].dims == 0;
  const sl__stan_function *function = find_function(t->program, name, d->count);
  sl__stan_call call = {.tracer = t,
                        .builtin = function ? NULL : sl__stan_builtin_find(name),
                        .type = {SL__STAN_REAL_TYPE, 0},
                        .place = d->s->place,
                        .count = d->count,
                        .argument = argument,
                        .result = out};
  if (function)
    SL__TRY(sl__stan_call_function(t, function, d->s->place, d->count, argument, false, out));
  else if (call.builtin)
    SL__TRY(sl__stan_call_builtin(t, &call));
  else
    return sl__stan_stop(t, SL_UNSUPPORTED, d->s->place, "there is no '%s'", name);
  if (!scalars || d->argument[0].dims == 0) return SL_OK;
  const sl__stan_value once = *out, n = sl__stan_number(t, (double)d->argument[0].count);
  return n.numbers ? sl__stan_binary(t, SL__STAN_MULTIPLY, out->type, d->s->place, &once, &n, out)
                   : SL_NO_MEMORY;
}

/* The bound below which nothing lies: one less for integers. */
static sl_status lower_bound(sl__stan_tracer *t, const tilde *d, sl__stan_value *out) {
  sl__stan_value bound;
  SL__TRY(sl__stan_evaluate(t, d->s->lower, &bound));
  *out = bound;
  if (!d->discrete) return SL_OK;
  const sl__stan_value one = sl__stan_integer(t, 1);
  if (!one.integers) return SL_NO_MEMORY;
  return sl__stan_binary(t, SL__STAN_SUBTRACT, bound.type, d->s->place, &bound, &one, out);
}

/* -infinity for observations outside of a bound. */
static sl_status check_inside(sl__stan_tracer *t, const tilde *d, const sl__stan_expression *e,
                              bool lower) {
  sl__stan_value bound, good;
  const sl__stan_value *y = &d->argument[0];
  SL__TRY(sl__stan_evaluate(t, e, &bound));
  const sl__stan_operator op = lower ? SL__STAN_GREATER_EQUAL : SL__STAN_LESS_EQUAL;
  const sl__stan_type type = {SL__STAN_REAL_TYPE, 0};
  SL__TRY(sl__stan_binary(t, op, type, d->s->place, y, &bound, &good));
  if (!sl__stan_is_known(&good)) return sl__stan_add_requirement(t, sl__stan_node(t, &good));
  const double *holds = sl__stan_reals(t, &good);
  if (!holds) return SL_NO_MEMORY;
  for (int64_t i = 0; i < good.count; i++)
    if (holds[i] == 0)
      return sl__stan_stop(t, SL_BAD_ARGUMENT, d->s->place,
                           "an observation lies outside of the truncation T[ ]; the density is "
                           "zero everywhere");
  return SL_OK;
}

/* log_diff_exp(a, b) = a + log(1 - exp(b - a)). */
static sl_node log_difference(sl__graph *g, sl_node a, sl_node b) {
  return op_add(g, a, op_log(g, op_negate(g, op_expm1(g, op_subtract(g, b, a)))));
}

/* Is there a function NAME_lccdf? */
static bool has_upper_tail(sl__stan_tracer *t, const tilde *d) {
  char name[256];
  snprintf(name, sizeof name, "%.200s_lccdf", d->s->name);
  const sl__stan_builtin *builtin = sl__stan_builtin_find(name);
  return find_function(t->program, name, d->count) || (builtin && builtin->build);
}

/* Between two bounds: what the lower tails differ by or, where both bounds lie above the median,
 * the upper ones, since lower tails round to 1 there. Upper tails of whole numbers are made of
 * lower ones. */
static sl_status between(sl__stan_tracer *t, const tilde *d, const sl__stan_value *low,
                         const sl__stan_value *high, sl__stan_value *out) {
  enum { LOWER_LOW, LOWER_HIGH, UPPER_LOW, UPPER_HIGH };
  const bool both = !d->discrete && has_upper_tail(t, d);
  sl_node node[4] = {0};
  bool known = true;
  sl__graph *const outer = t->graph;
  sl__stan_value tail[4];
  for (int i = 0; i < (both ? 4 : 2); i++) {
    SL__TRY(
        call_cumulative(t, d, i < UPPER_LOW ? "_lcdf" : "_lccdf", i % 2 ? high : low, &tail[i]));
    known = known && sl__stan_is_known(&tail[i]);
  }
  if (!t->graph) SL__TRY(sl__graph_new(t->context, &t->graph));
  sl__graph *g = t->graph;
  for (int i = 0; i < (both ? 4 : 2); i++) node[i] = sl__stan_node(t, &tail[i]);
  sl_node inside = log_difference(g, node[LOWER_HIGH], node[LOWER_LOW]);
  if (both) {
    const sl_node above =
        op_less(g, op_number(g, SL_F64, -0.69314718055994530942), node[LOWER_LOW]);
    inside = op_choose(g, above, log_difference(g, node[UPPER_LOW], node[UPPER_HIGH]), inside);
  }
  sl_status status = inside ? SL_OK : sl__stan_no_node(t, d->s->place);
  *out = sl__stan_scalar_node(inside);
  double number = 0;
  if (status == SL_OK && known) status = sl__graph_numbers(g, inside, &number);
  if (!outer) sl__graph_free(g);
  t->graph = outer;
  if (status != SL_OK || !known) return status;
  *out = sl__stan_number(t, number);
  return out->numbers ? SL_OK : SL_NO_MEMORY;
}

/* The logarithm of the probability of the interval, for all observations. */
static sl_status truncation(sl__stan_tracer *t, const tilde *d, sl__stan_value *out) {
  const sl__stan_statement *s = d->s;
  sl__stan_value low, high;
  if (s->lower) SL__TRY(check_inside(t, d, s->lower, true));
  if (s->upper) SL__TRY(check_inside(t, d, s->upper, false));
  if (s->lower) SL__TRY(lower_bound(t, d, &low));
  if (s->upper) SL__TRY(sl__stan_evaluate(t, s->upper, &high));
  if (!s->upper) return call_cumulative(t, d, "_lccdf", &low, out);
  if (!s->lower) return call_cumulative(t, d, "_lcdf", &high, out);
  if (d->argument[0].dims > 0)
    return sl__stan_stop(t, SL_UNSUPPORTED, s->place,
                         "truncation on both sides takes one observation at a time; write a loop");
  return between(t, d, &low, &high, out);
}

sl_status sl__stan_tilde(sl__stan_tracer *t, const sl__stan_statement *s) {
  tilde d = {.s = s, .count = s->argument_count + 1};
  bool known = true;
  d.argument = sl__stan_temporary(t, d.count, sizeof *d.argument);
  if (!d.argument) return SL_NO_MEMORY;
  for (int i = 0; i < d.count; i++) {
    SL__TRY(sl__stan_evaluate(t, i ? s->argument[i - 1] : s->value, &d.argument[i]));
    known = known && sl__stan_is_known(&d.argument[i]);
  }
  d.discrete = d.argument[0].type.base == SL__STAN_INT_TYPE;
  if (known && t->frame->drop && !s->truncated) return SL_OK; /* a constant */
  sl__stan_value density, interval;
  SL__TRY(call_density(t, &d, &density));
  SL__TRY(sl__stan_add_target(t, &density, s->place));
  if (!s->truncated || (!s->lower && !s->upper)) return SL_OK;
  SL__TRY(truncation(t, &d, &interval));
  const sl__stan_value minus = sl__stan_number(t, -1), positive = interval;
  if (!minus.numbers) return SL_NO_MEMORY;
  SL__TRY(
      sl__stan_binary(t, SL__STAN_MULTIPLY, positive.type, s->place, &positive, &minus, &interval));
  return sl__stan_add_target(t, &interval, s->place);
}
