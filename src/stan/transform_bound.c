/* Bounds and affine maps, element by element. With a lower bound x = L + exp(y), with an upper one
 * x = U - exp(y), with both x = L + (U - L) / (1 + exp(-y)), whose log derivative is
 * log(U - L) + y - 2 softplus(y). Known infinite bounds are none. */
#include "stan/transform.h"
#include <math.h>

/* One side's bound. */
typedef struct side {
  bool given;
  sl__stan_value value;
  sl_node node;     /* finite everywhere: 0 stands where there is no bound */
  const double *at; /* known bounds of which some are infinite: [count] or one; else NULL */
} side;

static sl_status open_side(sl__stan_tracer *t, const sl__stan_transform *f,
                           const sl__stan_expression *e, side *s) {
  *s = (side){.given = false};
  if (!e) return SL_OK;
  SL__TRY(sl__stan_evaluate(t, e, &s->value));
  const sl__stan_value shape = {.dims = f->dims, .count = f->count};
  if (s->value.dims > 0) {
    sl__stan_value declared = shape;
    for (int d = 0; d < f->dims; d++) declared.size[d] = f->size[d];
    SL__TRY(sl__stan_check_sizes(t, f->variable->name, e->place, &declared, &s->value));
  }
  s->given = true;
  s->value.kept = NULL;
  if (!sl__stan_is_known(&s->value)) {
    s->node = sl__stan_node(t, &s->value);
    return s->node ? SL_OK : sl__stan_no_node(t, e->place);
  }
  const double *numbers = sl__stan_reals(t, &s->value);
  double *finite = sl__stan_temporary(t, s->value.count, sizeof *finite);
  if (!numbers || !finite) return SL_NO_MEMORY;
  int64_t infinite = 0;
  for (int64_t i = 0; i < s->value.count; i++) {
    infinite += isinf(numbers[i]) != 0;
    finite[i] = isinf(numbers[i]) ? 0 : numbers[i];
  }
  if (infinite == s->value.count) {
    s->given = false;
    return SL_OK;
  }
  if (infinite > 0) s->at = numbers;
  s->value.form = SL__STAN_NUMBERS;
  s->value.numbers = finite;
  s->node = sl__stan_node(t, &s->value);
  return s->node ? SL_OK : sl__stan_no_node(t, e->place);
}

/* 1 where the side's bound is finite; 0: everywhere. */
static sl_node where_finite(sl__stan_tracer *t, const side *s) {
  if (!s->at) return 0;
  double *finite = sl__stan_temporary(t, s->value.count, sizeof *finite);
  if (!finite) return sl__graph_refuse(t->graph, SL_NO_MEMORY, "no memory for bounds");
  for (int64_t i = 0; i < s->value.count; i++) finite[i] = !isinf(s->at[i]);
  return op_constant(t->graph, SL_F64, sl__shape1((int32_t)s->value.count), finite);
}

static sl_node choose(sl__graph *g, sl_node where, sl_node yes, sl_node no) {
  return where ? op_select(g, where, yes, no) : yes;
}

/* The value and the log derivative of each element. */
typedef struct mapped {
  sl_node x, slope;
} mapped;

static mapped map_one(sl__graph *g, const side *low, const side *high, sl_node y) {
  if (low && high) {
    const sl_node width = op_subtract(g, high->node, low->node);
    return (mapped){
        op_multiply_add(g, width, op_sigmoid(g, y), low->node),
        op_add(g, op_log(g, width), op_subtract(g, y, op_scale(g, op_softplus(g, y), 2)))};
  }
  if (low) return (mapped){op_add(g, op_exp(g, y), low->node), y};
  return (mapped){op_subtract(g, high->node, op_exp(g, y)), y};
}

/* Where only one side is finite, or none, the map is that of fewer bounds; the width is made 1
 * there, so that nothing is computed from the stand-ins. */
static mapped map_mixed(sl__stan_tracer *t, const side *low, const side *high, sl_node y) {
  sl__graph *g = t->graph;
  const sl_node has_low = where_finite(t, low), has_high = where_finite(t, high);
  const sl_node one = op_number(g, SL_F64, 1), zero = op_number(g, SL_F64, 0);
  const sl_node l = has_low ? has_low : one, h = has_high ? has_high : one;
  const sl_node width =
      op_select(g, op_multiply(g, l, h), op_subtract(g, high->node, low->node), one);
  const mapped only_low = map_one(g, low, NULL, y), only_high = map_one(g, NULL, high, y);
  const sl_node both = op_multiply_add(g, width, op_sigmoid(g, y), low->node);
  const sl_node both_slope =
      op_add(g, op_log(g, width), op_subtract(g, y, op_scale(g, op_softplus(g, y), 2)));
  const sl_node with_low = op_select(g, h, both, only_low.x);
  const sl_node without_low = op_select(g, h, only_high.x, y);
  const sl_node slope_low = op_select(g, h, both_slope, y);
  const sl_node slope_high = op_select(g, h, y, zero);
  return (mapped){op_select(g, l, with_low, without_low), op_select(g, l, slope_low, slope_high)};
}

static sl_node sum_of(sl__graph *g, sl_node slope, int64_t count) {
  if (sl__node_shape(g, slope).dims > 0 || count == 1) return op_sum_all(g, slope);
  return op_scale(g, slope, (double)count);
}

static sl_status check_order(sl__stan_tracer *t, const sl__stan_variable *v, const side *low,
                             const side *high) {
  if (!sl__stan_is_known(&low->value) || !sl__stan_is_known(&high->value))
    return sl__stan_add_requirement(t, op_less(t->graph, low->node, high->node));
  const double *a = low->at ? low->at : low->value.numbers;
  const double *b = high->at ? high->at : high->value.numbers;
  const int64_t count = low->value.count > high->value.count ? low->value.count : high->value.count;
  for (int64_t i = 0; i < count; i++)
    if (!(a[low->value.dims ? i : 0] < b[high->value.dims ? i : 0]))
      return sl__stan_stop(t, SL_BAD_ARGUMENT, v->place,
                           "the lower bound of '%.60s' is not below its upper bound", v->name);
  return SL_OK;
}

static sl_status constrain_bounded(sl__stan_tracer *t, const sl__stan_transform *f, sl_node y,
                                   sl_node *values, sl_node *log_jacobian) {
  sl__graph *g = t->graph;
  side low, high;
  mapped m = {y, 0};
  SL__TRY(open_side(t, f, f->variable->lower, &low));
  SL__TRY(open_side(t, f, f->variable->upper, &high));
  *values = y;
  if (!low.given && !high.given) return SL_OK;
  if (low.given && high.given) {
    SL__TRY(check_order(t, f->variable, &low, &high));
    m = low.at || high.at ? map_mixed(t, &low, &high, y) : map_one(g, &low, &high, y);
  } else {
    const side *one = low.given ? &low : &high;
    const sl_node finite = where_finite(t, one);
    m = map_one(g, low.given ? one : NULL, low.given ? NULL : one, y);
    m.x = choose(g, finite, m.x, y);
    m.slope = choose(g, finite, m.slope, op_number(g, SL_F64, 0));
  }
  *values = m.x;
  if (!m.slope || !m.x) return sl__stan_no_node(t, f->variable->place);
  *log_jacobian = sum_of(g, m.slope, f->count);
  return SL_OK;
}

/* x = offset + multiplier y. */
static sl_status constrain_affine(sl__stan_tracer *t, const sl__stan_transform *f, sl_node y,
                                  sl_node *values, sl_node *log_jacobian) {
  sl__graph *g = t->graph;
  side offset, multiplier;
  SL__TRY(open_side(t, f, f->variable->offset, &offset));
  SL__TRY(open_side(t, f, f->variable->multiplier, &multiplier));
  if (multiplier.given) {
    y = op_multiply(g, multiplier.node, y);
    const sl_node slope = op_log(g, multiplier.node);
    if (!slope) return sl__stan_no_node(t, f->variable->place);
    *log_jacobian = sum_of(g, slope, f->count);
    SL__TRY(sl__stan_add_requirement(t, op_less(g, op_number(g, SL_F64, 0), multiplier.node)));
  }
  *values = offset.given ? op_add(g, offset.node, y) : y;
  return *values ? SL_OK : sl__stan_no_node(t, f->variable->place);
}

sl_status sl__stan_constrain_bounds(sl__stan_tracer *t, const sl__stan_transform *f, sl_node y,
                                    sl_node *values, sl_node *log_jacobian) {
  *values = y;
  *log_jacobian = 0;
  const sl_node shaped =
      op_reshape(t->graph, y, f->dims ? sl__shape1((int32_t)f->count) : sl__scalar_shape());
  if (f->variable->constraint == SL__STAN_BOUNDED)
    return constrain_bounded(t, f, shaped, values, log_jacobian);
  if (f->variable->constraint == SL__STAN_AFFINE)
    return constrain_affine(t, f, shaped, values, log_jacobian);
  return SL_OK;
}
