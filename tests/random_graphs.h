/* Random graphs: expressions of every operation, grown move by move, with their gradients. */
#ifndef SL_TESTS_RANDOM_GRAPHS_H
#define SL_TESTS_RANDOM_GRAPHS_H
#include "check.h"
#include "dice.h"
#include "graph/node.h"

enum { PARAMETERS = 9000, FEATURES = 40, MAX_POOL = 64, MAX_COUNT = 900 };

typedef struct maker {
  sl__graph *g;
  sl_dtype type;
  uint64_t state;
  bool twice; /* the gradient will be differentiated again */
  sl_node x, p, pool[MAX_POOL];
  int pooled;
} maker;

static uint32_t dice(maker *m, uint32_t sides) {
  return throw_dice(&m->state, sides);
}

static int32_t any_size(maker *m) {
  static const int32_t sizes[8] = {1, 2, 2, 3, 4, 5, 17, 40};
  return sizes[dice(m, 8)];
}

static sl_node any(maker *m) {
  return m->pool[dice(m, (uint32_t)m->pooled)];
}

static sl_shape shape_of(const maker *m, sl_node a) {
  return sl__node_shape(m->g, a);
}

static int any_axis(maker *m, sl_node a) {
  return (int)dice(m, (uint32_t)(shape_of(m, a).dims > 0 ? shape_of(m, a).dims : 1));
}

/* Some value of this shape. */
static sl_node fitted(maker *m, sl_node a, sl_shape shape) {
  const int32_t have = (int32_t)sl__shape_count(shape_of(m, a));
  const int32_t want = (int32_t)sl__shape_count(shape);
  if (have == 1) return op_broadcast(m->g, op_reshape(m->g, a, sl__scalar_shape()), shape);
  if (have == want) return op_reshape(m->g, a, shape);
  a = op_reshape(m->g, a, sl__shape1(have));
  if (want < have && dice(m, 2)) {
    const int32_t begin = (int32_t)dice(m, (uint32_t)(have - want + 1));
    return op_reshape(m->g, op_slice(m->g, a, 0, begin, want, 1), shape);
  }
  int32_t index[MAX_COUNT];
  for (int32_t i = 0; i < want; i++) index[i] = (int32_t)dice(m, (uint32_t)have);
  return op_reshape(m->g, op_gather(m->g, a, 0, want, index), shape);
}

static sl_node parameters(maker *m, sl_shape shape) {
  const int32_t count = (int32_t)sl__shape_count(shape);
  const int32_t begin = (int32_t)dice(m, (uint32_t)(PARAMETERS - count));
  return op_reshape(m->g, op_slice(m->g, m->p, 0, begin, count, 1), shape);
}

static sl_node positive(maker *m, sl_node a) {
  return op_shift(m->g, op_square(m->g, a), 0.5);
}

/* ---- moves: each makes one value from others ---- */

static sl_node unary(maker *m) {
  const sl_node a = any(m);
  sl__graph *g = m->g;
  switch (dice(m, 21)) {
    case 0: return op_negate(g, a);
    case 1: return op_absolute(g, a);
    case 2: return op_exp(g, op_tanh(g, a));
    case 3: return op_expm1(g, op_sin(g, a));
    case 4: return op_log(g, positive(m, a));
    case 5: return op_log1p(g, positive(m, a));
    case 6: return op_sqrt(g, positive(m, a));
    case 7: return op_tanh(g, op_square(g, a));
    case 8: return op_reciprocal(g, positive(m, a));
    case 9: return op_tanh(g, a);
    case 10: return op_sigmoid(g, a);
    case 11: return op_softplus(g, a);
    case 12: return op_sin(g, a);
    case 13: return op_cos(g, a);
    case 14: return op_erf(g, a);
    case 15: return m->twice ? op_tanh(g, a) : op_tanh(g, op_lgamma(g, positive(m, op_tanh(g, a))));
    case 16: return op_scale(g, a, -0.7);
    case 17: return op_shift(g, a, 0.3);
    case 18: return op_leaky_relu(g, a, 0.1);
    case 19: return op_multiply(g, a, op_add(g, op_sign(g, a), op_floor(g, op_tanh(g, a))));
    default: return op_clamp(g, a, -0.5, 0.8);
  }
}

static sl_node binary(maker *m) {
  const sl_node a = any(m);
  sl__graph *g = m->g;
  sl_shape shape = shape_of(m, a);
  if (shape.dims > 0 && dice(m, 3) == 0) shape.size[any_axis(m, a)] = 1; /* broadcast it */
  const sl_node b = fitted(m, any(m), shape);
  switch (dice(m, 10)) {
    case 0: return op_add(g, a, b);
    case 1: return op_subtract(g, b, a);
    case 2: return op_multiply(g, op_tanh(g, a), b);
    case 3: return op_divide(g, a, positive(m, b));
    case 4: return op_power(g, positive(m, op_tanh(g, a)), op_tanh(g, b));
    case 5: return op_minimum(g, a, b);
    case 6: return op_maximum(g, a, b);
    case 7: return op_tanh_gate(g, op_tanh(g, a), b);
    case 8: return op_multiply(g, op_sin(g, a), op_sin(g, a));
    default: return op_select(g, op_less_equal(g, a, b), op_tanh(g, a), b);
  }
}

/* Several elementwise operations on values of one shape: what fuses. */
static sl_node chain(maker *m) {
  const sl_shape shape = shape_of(m, any(m));
  sl_node value[16];
  int count = 0;
  for (int i = 0; i < 3; i++) value[count++] = fitted(m, any(m), shape);
  while (count < 12) {
    const sl_node a = value[dice(m, (uint32_t)count)], b = value[dice(m, (uint32_t)count)];
    const sl_node c = value[count - 1];
    switch (dice(m, 5)) {
      case 0: value[count++] = op_multiply_add(m->g, op_tanh(m->g, a), b, c); break;
      case 1: value[count++] = op_add(m->g, op_scale(m->g, a, 0.5), c); break;
      case 2: value[count++] = op_multiply(m->g, op_sigmoid(m->g, b), c); break;
      case 3: value[count++] = op_select(m->g, op_less(m->g, a, b), c, op_negate(m->g, a)); break;
      default: value[count++] = op_silu(m->g, op_subtract(m->g, c, b)); break;
    }
  }
  return op_sin(m->g, value[count - 1]);
}

static sl_node view(maker *m) {
  const sl_node a = any(m);
  const sl_shape shape = shape_of(m, a);
  if (shape.dims == 0) return op_broadcast(m->g, a, sl__shape1(any_size(m)));
  const int axis = any_axis(m, a);
  const int32_t size = shape.size[axis], begin = (int32_t)dice(m, (uint32_t)size);
  switch (dice(m, 6)) {
    case 0: return op_element(m->g, a, axis, begin);
    case 1:
      return shape.dims > 1 ? op_transpose(m->g, a) : op_reshape(m->g, a, sl__shape2(1, size));
    case 2: return op_reshape(m->g, a, sl__shape1((int32_t)sl__shape_count(shape)));
    case 3: {
      const int32_t stride = 1 + (int32_t)dice(m, 3);
      const int32_t most = (size - begin + stride - 1) / stride;
      return op_slice(m->g, a, axis, begin, 1 + (int32_t)dice(m, (uint32_t)most), stride);
    }
    case 4:
      if (shape.dims > 1 || size % 2) return op_stop_gradient(m->g, a);
      return op_reshape(m->g, a, sl__shape2(size / 2, 2));
    default:
      if (shape.dims > 1 || size > 40) return op_slice(m->g, a, axis, begin, size - begin, 1);
      return op_broadcast(m->g, a, sl__shape2(1 + (int32_t)dice(m, 4), size));
  }
}

static sl_node join(maker *m) {
  sl_node part[4];
  part[0] = any(m);
  if (shape_of(m, part[0]).dims == 0) part[0] = op_reshape(m->g, part[0], sl__shape1(1));
  const int axis = any_axis(m, part[0]), count = 2 + (int)dice(m, 3);
  for (int i = 1; i < count; i++) {
    sl_shape shape = shape_of(m, part[0]);
    if (dice(m, 3)) shape.size[axis] = 1 + (int32_t)dice(m, 4);
    part[i] = dice(m, 5) ? fitted(m, any(m), shape) : part[0];
    if (dice(m, 2)) part[i] = op_tanh(m->g, part[i]);
  }
  const sl_node whole = op_concatenate(m->g, count, part, axis);
  return dice(m, 2) ? whole : op_multiply(m->g, whole, op_sigmoid(m->g, whole));
}

/* A vector grown piece by piece from its own prefixes, as autoregressive sampling does. */
static sl_node growing(maker *m) {
  sl_node prefix = fitted(m, any(m), sl__shape1(2));
  for (int32_t d = 2; d < 7; d++) {
    const sl_node w = parameters(m, sl__shape2(1, d));
    const sl_node noise = fitted(m, any(m), sl__shape1(1));
    const sl_node piece = op_tanh(m->g, op_add(m->g, op_linear(m->g, w, 0, prefix, NULL), noise));
    prefix = op_concatenate(m->g, 2, (sl_node[]){prefix, piece}, 0);
  }
  return prefix;
}

static sl_node reduction(maker *m) {
  const sl_node a = any(m);
  if (shape_of(m, a).dims == 0) return op_exp(m->g, op_tanh(m->g, a));
  const int axis = any_axis(m, a);
  switch (dice(m, 6)) {
    case 0: return op_tanh(m->g, op_sum(m->g, a, axis));
    case 1: return op_max(m->g, a, axis);
    case 2: return op_sin(m->g, op_cumulative_sum(m->g, a, axis, dice(m, 2)));
    case 3: return op_softmax(m->g, a, axis);
    case 4: return op_log_sum_exp(m->g, op_tanh(m->g, a), axis);
    default: return op_tanh(m->g, op_sum_all(m->g, a));
  }
}

static sl_node indexed(maker *m) {
  const sl_node a = any(m);
  const sl_shape shape = shape_of(m, a);
  if (shape.dims == 0) return op_cos(m->g, a);
  const int axis = any_axis(m, a);
  const int32_t size = shape.size[axis];
  sl_shape without = shape;
  for (int d = axis; d + 1 < shape.dims; d++) without.size[d] = shape.size[d + 1];
  without.dims--;
  const sl_node b = fitted(m, any(m), without);
  if (dice(m, 2)) { /* take */
    const sl_node index = op_floor(m->g, op_scale(m->g, op_sigmoid(m->g, b), size));
    return op_take(m->g, a, index, axis);
  }
  const sl_node knots = op_cumulative_sum(m->g, positive(m, a), axis, false);
  return op_tanh(m->g, op_add(m->g, b, op_search(m->g, knots, positive(m, b), axis)));
}

static sl_node layer(maker *m) {
  const int32_t in = any_size(m), out = any_size(m);
  const sl_node x = fitted(m, any(m), sl__shape1(in));
  sl_node w = dice(m, 2) ? parameters(m, sl__shape2(out, in))
                         : op_transpose(m->g, parameters(m, sl__shape2(in, out)));
  const sl_node bias = dice(m, 2) ? parameters(m, sl__shape1(out)) : 0;
  if (dice(m, 2)) return op_tanh(m->g, op_linear(m->g, w, bias, x, NULL));
  int32_t extent[MAX_COUNT];
  double mask[40 * 40] = {0};
  for (int32_t o = 0; o < out; o++) { /* a staircase, or steps in any order */
    extent[o] = dice(m, 4) ? o * in / out : (int32_t)dice(m, (uint32_t)in + 1);
    for (int32_t i = 0; i < extent[o]; i++) mask[o * in + i] = 1;
  }
  w = op_multiply(m->g, w, op_constant(m->g, m->type, sl__shape2(out, in), mask));
  return op_tanh(m->g, op_linear(m->g, w, bias, x, extent));
}

static sl_node product(maker *m) {
  const int32_t rows = 1 + (int32_t)dice(m, 5), inner = 1 + (int32_t)dice(m, 6);
  const int32_t columns = 1 + (int32_t)dice(m, 5);
  const sl_node a = fitted(m, any(m), sl__shape2(rows, inner));
  const sl_node b = fitted(m, any(m), sl__shape2(inner, columns));
  return op_tanh(m->g, op_matmul(m->g, a, b));
}

static sl_node factorisation(maker *m) {
  const int32_t n = 1 + (int32_t)dice(m, 4);
  const sl_shape square = sl__shape2(n, n);
  double identity[16] = {0};
  for (int32_t i = 0; i < n; i++) identity[i * n + i] = 5;
  const sl_node a = op_tanh(m->g, fitted(m, any(m), square));
  const sl_node far = op_add(m->g, a, op_constant(m->g, m->type, square, identity));
  const sl_node b = fitted(m, any(m), dice(m, 2) ? sl__shape1(n) : sl__shape2(n, 2));
  switch (dice(m, 5)) {
    case 0: return op_qr_q(m->g, far);
    case 1: return op_qr_r(m->g, far);
    case 2: return op_cholesky(m->g, op_add(m->g, far, op_transpose(m->g, far)));
    case 3: return op_diagonal(m->g, op_lower(m->g, far, 0));
    default: return op_triangular_solve(m->g, far, b, dice(m, 2), dice(m, 2), dice(m, 2));
  }
}

/* An increasing function of each element of x: user reads other values. */
typedef struct rising {
  sl_node gain, shift;
  uint32_t kind;
} rising;

static sl_node rise(void *user, sl__graph *g, sl_node x) {
  const rising *r = user;
  const sl_shape shape = sl__node_shape(g, x), row = sl__shape2(1, (int32_t)sl__shape_count(shape));
  const sl_node u = op_multiply_add(g, op_sigmoid(g, r->gain), x, r->shift);
  switch (r->kind) {
    case 0: return op_add(g, x, op_tanh(g, op_scale(g, u, 3)));
    case 1: return op_sinh(g, op_asinh(g, op_add(g, u, op_multiply(g, u, op_square(g, u)))));
    case 2: return op_multiply_add(g, x, op_exp(g, op_sin(g, r->shift)), op_atan(g, u));
    default: break;
  }
  /* a sum of terms that lie one beside the other */
  const sl_node rows[3] = {op_reshape(g, op_sigmoid(g, u), row), op_reshape(g, x, row),
                           op_reshape(g, op_softplus(g, op_shift(g, u, 1)), row)};
  const sl_node terms = op_concatenate(g, 3, rows, 0);
  return op_reshape(g, op_sum(g, op_add(g, terms, op_tanh(g, terms)), 0), shape);
}

static sl_node root(maker *m) {
  const sl_shape shape = shape_of(m, any(m));
  rising r = {.kind = dice(m, 4)};
  r.gain = op_tanh(m->g, fitted(m, any(m), shape));
  r.shift = op_sin(m->g, fitted(m, any(m), shape));
  const sl_node y = op_tanh(m->g, fitted(m, any(m), shape));
  const sl_node low = op_number(m->g, m->type, -4), high = op_sin(m->g, fitted(m, any(m), shape));
  return op_tanh(m->g, op_root(m->g, y, low, high, rise, &r));
}

/* A small system with a few parameters, by any method. */
static bool turn(void *user, sl__graph *g, sl_node time, const sl_node *y, const sl_node *p,
                 sl_node *slope) {
  (void)user;
  const sl_node a = op_element(g, p[0], 0, 0), b = op_element(g, p[0], 0, 1);
  slope[0] = op_subtract(g, op_multiply(g, a, y[1]), y[0]);
  slope[1] = op_subtract(g, op_cos(g, time), op_multiply(g, op_tanh(g, b), y[0]));
  return true;
}

static sl_node equation(maker *m) {
  sl__graph *g = m->g;
  if (m->twice) return unary(m); /* it has no second derivative */
  const sl_node first = op_tanh(g, fitted(m, any(m), sl__shape1(2)));
  const sl_node second = op_tanh(g, fitted(m, any(m), sl__shape1(2)));
  const sl_node parameter = op_cast(g, second, SL_F64);
  const sl_node late = op_cast(g, positive(m, fitted(m, any(m), sl__shape1(1))), SL_F64);
  const sl_node times[2] = {op_constant(g, SL_F64, sl__shape1(1), (double[]){0.4}),
                            op_tanh(g, late)};
  const bool fixed = dice(m, 2);
  const sl__ode ode = {.method = (sl__ode_method)dice(m, 3),
                       .relative = 1e-3,
                       .absolute = 1e-3,
                       .max_steps = 1e3,
                       .start_time = op_number(g, SL_F64, 0.1),
                       .start = op_cast(g, first, SL_F64),
                       .times = fixed ? times[0] : op_concatenate(g, 2, times, 0),
                       .parameters = 1,
                       .parameter = &parameter};
  return op_cast(g, op_ode(g, &ode, turn, NULL), m->type);
}

/* x0 x1 + sin(x2) */
static sl_status hill(void *user, int64_t rows, const double *x, double *value, double *gradient) {
  (void)user;
  for (int64_t r = 0; r < rows; r++, x += 3) {
    value[r] = x[0] * x[1] + sin(x[2]);
    if (gradient) memcpy(gradient + 3 * r, (double[]){x[1], x[0], cos(x[2])}, 3 * sizeof *x);
  }
  return SL_OK;
}

static sl_node called(maker *m) {
  if (m->twice) return unary(m);
  const sl_node x = op_cast(m->g, op_tanh(m->g, fitted(m, any(m), sl__shape1(3))), SL_F64);
  return op_cast(m->g, op_outside(m->g, x, hill, NULL, true), m->type);
}

/* Eigenvalues far from each other. */
static sl_node spectrum(maker *m) {
  const sl_shape square = sl__shape2(3, 3);
  const sl_node apart = op_constant(m->g, m->type, square, (double[]){0, 0, 0, 0, 9, 0, 0, 0, 30});
  if (m->twice) return unary(m);
  const sl_node a = op_tanh(m->g, fitted(m, any(m), square));
  return op_tanh(m->g, op_eigen(m->g, op_add(m->g, apart, op_add(m->g, a, op_transpose(m->g, a)))));
}

static sl_node other(maker *m) {
  const sl_dtype foreign = m->type == SL_F32 ? SL_F64 : SL_F32;
  const sl_node a = any(m);
  switch (dice(m, 3)) {
    case 0: return op_cast(m->g, op_sin(m->g, op_cast(m->g, a, foreign)), m->type);
    case 1: return op_random_normal(m->g, m->type, sl__shape1(any_size(m)), dice(m, 5));
    default: return parameters(m, shape_of(m, a));
  }
}

/* A number for every row, as a vector of `count`: alike, gathered, or there already. */
static sl_node long_operand(maker *m, const sl_node *made, int count, int32_t size) {
  sl__graph *g = m->g;
  const sl_node a = any(m);
  const int32_t have = (int32_t)sl__shape_count(shape_of(m, a));
  int32_t index[MAX_COUNT];
  double data[MAX_COUNT];
  for (int32_t i = 0; i < size; i++) {
    index[i] = (int32_t)dice(m, (uint32_t)have);
    data[i] = dice(m, 2001) / 1e3 - 1;
  }
  switch (dice(m, 6)) {
    case 0: return op_constant(g, m->type, sl__shape1(size), data);
    case 1: return parameters(m, sl__shape1(size));
    case 2: return op_gather(g, op_reshape(g, a, sl__shape1(have)), 0, size, index);
    case 3: return op_element(g, op_reshape(g, a, sl__shape1(have)), 0, index[0]);
    default: return made[dice(m, (uint32_t)count)];
  }
}

/* Long vectors that read each other and end in sums, on which others of them depend in turn. */
static sl_node observed(maker *m) {
  static const int32_t sizes[4] = {128, 150, 300, 520};
  enum { MOST = 14 };
  sl__graph *g = m->g;
  const int32_t size = sizes[dice(m, 4)];
  sl_node made[MOST] = {fitted(m, any(m), sl__shape1(size))}, sums = 0;
  const int wanted = 4 + (int)dice(m, MOST - 4);
  for (int count = 1; count < wanted; count++) {
    const sl_node a = long_operand(m, made, count, size), b = long_operand(m, made, count, size);
    switch (dice(m, 5)) {
      case 0: made[count] = op_add(g, a, b); break;
      case 1: made[count] = op_multiply(g, op_tanh(g, a), op_sin(g, b)); break;
      case 2: made[count] = op_divide(g, a, positive(m, b)); break;
      case 3: made[count] = op_square(g, op_subtract(g, op_sin(g, a), b)); break;
      default: made[count] = op_select(g, op_less(g, a, b), op_sin(g, a), b);
    }
    made[count] = op_broadcast(g, made[count], sl__shape1(size));
    if (dice(m, 3)) continue;
    const sl_node sum = op_tanh(g, op_sum_all(g, made[count]));
    sums = sums ? op_add(g, sums, sum) : sum;
    if (dice(m, 2)) made[count] = op_subtract(g, made[count], sums); /* a later phase */
  }
  if (dice(m, 4) == 0) return made[wanted - 1];
  const sl_node last = op_sum_all(g, made[wanted - 1]);
  return sums ? op_add(g, sums, last) : last;
}

static sl_node (*const moves[])(maker *) = {
    unary, binary,   chain,   view,          join,     growing, reduction, indexed,
    layer, observed, product, factorisation, other,    root,    unary,     binary,
    chain, view,     join,    observed,      equation, called,  spectrum};

/* Makes a loss of many values, its gradients, and lists them as outputs. */
static int build(maker *m, sl_node outputs[5]) {
  m->x = op_input(m->g, m->type, sl__shape1(FEATURES));
  m->p = op_parameter(m->g, m->type, sl__shape1(PARAMETERS), 0);
  m->pool[m->pooled++] = m->x;
  m->pool[m->pooled++] = op_slice(m->g, m->x, 0, 3, 4, 2);
  m->pool[m->pooled++] = op_slice(m->g, m->p, 0, 7, 5, 1);
  const int steps = 4 + (int)dice(m, m->twice ? 8 : 28);
  while (m->pooled < steps + 3) {
    const sl_node made = moves[dice(m, sizeof moves / sizeof *moves)](m);
    if (made && sl__shape_count(shape_of(m, made)) > MAX_COUNT) continue;
    m->pool[m->pooled++] = made;
  }
  sl_node loss = op_sum_all(m->g, m->pool[m->pooled - 1]);
  for (int i = 0; i < 4; i++) loss = op_add(m->g, loss, op_sum_all(m->g, any(m)));
  loss = op_sum_rows(m->g, op_rows(m->g, loss));
  sl_node d[2];
  sl__gradient(m->g, loss, 2, (sl_node[]){m->x, m->p}, d);
  if (m->twice) {
    loss = op_sum_rows(m->g, op_sum_all(m->g, op_sin(m->g, d[0])));
    sl__gradient(m->g, loss, 2, (sl_node[]){m->x, m->p}, d);
  }
  outputs[0] = loss;
  outputs[1] = d[0];
  outputs[2] = d[1];
  outputs[3] = any(m);
  outputs[4] = any(m);
  return 5;
}
#endif
