/* planar: x = z + u^ h(w.z + b), one ridge (Rezende & Mohamed 2015, arXiv:1505.05770, eqs. 10 to 12
 * and A.1), by the formulas of PyMC3's PlanarFlow.
 *
 * The map is invertible while 1 + h'(.) w.u^ > 0, which holds for every u if u^ = u + (rest(s) - 1
 * - s) w / |w|^2, s = w.u, rest(s) > 0: then 1 + w.u^ = rest(s), and 0 <= h' <= 1. For h = tanh,
 * rest is the softplus. PyMC3 divides by |w|^2 + 1e-10, so that nothing happens at w = 0; with
 * q = |w|^2 / (|w|^2 + 1e-10) that makes 1 + w.u^ = q rest(s) + (1 - q) (1 + s), which is negative
 * when s is a few tens below -1. So the second term is left out here where s < -1, and u^ moved to
 * match.
 *
 * With leaky=slope, h is the leaky ReLU of that slope. It squeezes half of space by 1 + w.u^, not
 * just the surroundings of a plane, so that exp(s) would soon be beyond what numbers can undo. Its
 * rest is 1e-3 + (1 - 1e-3) p(s), p(s) = (s + sqrt(s^2 + 4)) / 2 ("squareplus", Barron 2021,
 * arXiv:2112.11687), which falls like -1 / s.
 *
 * log |det| = log(1 + h' w.u^), without cancellation where 1 + w.u^ is small: ridge.h. Scoring
 * solves v + w.u^ h(v) = w.x + b for the number v = w.z + b: a root of an increasing function for
 * tanh, closed form for the leaky ReLU; then z = x - u^ h(v). */
#include "flow/bijector/ridge.h"
#include <math.h>
#include "flow/hypernetwork.h"

#define EPSILON    1e-10
#define LEAST_REST 1e-3

enum { LEAKY_ROW, JITTER_ROW, HIDDEN_ROW, ROWS };
static const sl__option_row arguments[ROWS] = {
    {"leaky", SL__OPTION_REAL, NULL, 0, 1, NULL, "leaky ReLU of this slope in place of tanh"},
    {"jitter", SL__OPTION_REAL, "1", 1e-6, 100, NULL,
     "standard deviation of starting values; at 0 nothing could be learnt"},
    SL__HYPERNETWORK_ROW,
};

typedef struct planar {
  int u, w, b;
} planar;

static sl_status build(sl_context *context, sl__layer *layer) {
  (void)context;
  planar *own = layer->state = sl__layer_take(layer, 1, sizeof *own);
  if (!own) return SL_NO_MEMORY;
  double jitter = layer->arguments[JITTER_ROW].real;
  sl_shape vector = sl__shape1(layer->dim), number = sl__shape1(1);
  own->u = sl__layer_parameter(layer, "u", vector, SL__INITIAL_NORMAL, jitter, NULL, NULL);
  own->w = sl__layer_parameter(layer, "w", vector, SL__INITIAL_NORMAL, jitter, NULL, NULL);
  own->b = sl__layer_parameter(layer, "b", number, SL__INITIAL_NORMAL, jitter, NULL, NULL);
  return own->u < 0 || own->w < 0 || own->b < 0 ? SL_NO_MEMORY : SL_OK;
}

/* What both directions need: w, u_hat [dim]; b, rest = 1 + w.u^ [1]. */
typedef struct ridge {
  sl_node w, b, u_hat, rest;
} ridge;

/* a.b: [1] */
static sl_node dot(sl__graph *g, sl_node a, sl_node b, int32_t dim) {
  return op_matmul(g, op_reshape(g, a, sl__shape2(1, dim)), b);
}

/* rest(s), and rest(s) - 1 - s without cancellation. */
typedef struct rectified {
  sl_node rest, excess;
} rectified;

/* softplus(s) - s = softplus(-s) */
static rectified by_softplus(sl__graph *g, sl_node s) {
  return (rectified){op_softplus(g, s), op_shift(g, op_softplus(g, op_negate(g, s)), -1)};
}

/* p(s) - s = p(-s) = 1 / p(s) */
static rectified by_squareplus(sl__graph *g, sl_node s, sl_node zero) {
  sl_node is_above = op_less(g, zero, s), size = op_select(g, is_above, s, op_negate(g, s));
  sl_node root = op_sqrt(g, op_shift(g, op_square(g, s), 4));
  sl_node large = op_scale(g, op_add(g, root, size), 0.5), small = op_reciprocal(g, large);
  sl_node p = op_select(g, is_above, large, small),
          p_of_minus = op_select(g, is_above, small, large);
  sl_node excess = op_scale(g, op_shift(g, p_of_minus, -1), 1 - LEAST_REST);
  return (rectified){op_shift(g, op_scale(g, p, 1 - LEAST_REST), LEAST_REST),
                     op_subtract(g, excess, op_scale(g, s, LEAST_REST))};
}

static ridge make_ridge(const sl__layer *layer, sl__graph *g, sl_node context_value) {
  const planar *own = layer->state;
  bool is_tanh = isnan(layer->arguments[LEAKY_ROW].real);
  sl_node u = sl__layer_node(layer, g, own->u, context_value),
          w = sl__layer_node(layer, g, own->w, context_value);
  sl_node one = op_number(g, layer->type, 1), zero = op_number(g, layer->type, 0);
  sl_node s = dot(g, w, u, layer->dim);
  sl_node square = op_reshape(g, op_sum_all(g, op_square(g, w)), sl__shape1(1));
  rectified of_s = is_tanh ? by_softplus(g, s) : by_squareplus(g, s, zero);
  sl_node scale = op_reciprocal(g, op_shift(g, square, EPSILON));
  /* (1 - q) (1 + s) where s > -1, and what leaving it out elsewhere adds to u^ */
  sl_node above = op_shift(g, s, 1), below = op_negate(g, op_minimum(g, above, zero));
  sl_node kept = op_multiply(g, op_maximum(g, above, zero), op_scale(g, scale, EPSILON));
  sl_node safe = op_select(g, op_less(g, above, zero), square, one);
  sl_node more = op_scale(g, op_divide(g, below, safe), EPSILON);
  sl_node along = op_multiply(g, op_add(g, of_s.excess, more), scale);
  ridge out = {.w = w, .b = sl__layer_node(layer, g, own->b, context_value)};
  out.u_hat = op_multiply_add(g, along, w, u);
  out.rest = op_multiply_add(g, op_multiply(g, square, scale), of_s.rest, kept);
  return out;
}

/* ---- tanh ---- */

/* The logarithm of the slope at t = tanh(v). Where t is 0 that is rest alone, which may have
 * underflowed: there the least number stands for it. */
static sl_node tanh_log_det(const sl__layer *layer, sl__graph *g, const ridge *r, sl_node t) {
  sl_node least = op_number(g, layer->type, layer->type == SL_F32 ? 1e-37 : 1e-305);
  return op_sum_all(g, op_log(g, sl__ridge_slope(g, t, op_maximum(g, r->rest, least))));
}

/* ---- leaky ReLU ---- */

/* 1 + h'(v) w.u^ where v < 0 */
static sl_node lower_slope(sl__graph *g, const ridge *r, double leaky) {
  return op_shift(g, op_scale(g, r->rest, leaky), 1 - leaky);
}

/* is_above: whether v, or its image, which has the same sign, is positive */
static sl_node leaky_log_det(sl__graph *g, const ridge *r, double leaky, sl_node is_above) {
  sl_node log_rest = op_log(g, r->rest), log_lower = op_log(g, lower_slope(g, r, leaky));
  return op_sum_all(g, op_select(g, is_above, log_rest, log_lower));
}

/* ---- both directions ---- */

/* w.x + b: without a condition a layer of one output. */
static sl_node along_ridge(sl__graph *g, const ridge *r, sl_node x, int32_t dim) {
  if (sl__node_batched(g, r->w)) return op_add(g, dot(g, r->w, x, dim), r->b);
  return op_linear(g, op_reshape(g, r->w, sl__shape2(1, dim)), r->b, x, NULL);
}

/* u^ h, likewise. */
static sl_node moved(sl__graph *g, const ridge *r, sl_node h, int32_t dim) {
  if (sl__node_batched(g, r->u_hat)) return op_multiply(g, r->u_hat, h);
  return op_linear(g, op_reshape(g, r->u_hat, sl__shape2(dim, 1)), 0, h, NULL);
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  double leaky = layer->arguments[LEAKY_ROW].real;
  ridge r = make_ridge(layer, g, context_value);
  sl_node v = along_ridge(g, &r, z, layer->dim), h, log_det;
  if (isnan(leaky)) {
    h = op_tanh(g, v);
    log_det = tanh_log_det(layer, g, &r, h);
  } else {
    h = op_leaky_relu(g, v, leaky);
    log_det = leaky_log_det(g, &r, leaky, op_less(g, op_number(g, layer->type, 0), v));
  }
  return (sl__mapped){op_add(g, moved(g, &r, h, layer->dim), z), log_det};
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  double leaky = layer->arguments[LEAKY_ROW].real;
  ridge r = make_ridge(layer, g, context_value);
  sl_node image = along_ridge(g, &r, x, layer->dim), h, log_det;
  if (isnan(leaky)) {
    h = op_tanh(g, sl__ridge_root(g, image, r.rest));
    log_det = tanh_log_det(layer, g, &r, h);
  } else {
    sl_node is_above = op_less(g, op_number(g, layer->type, 0), image);
    sl_node slope = op_select(g, is_above, r.rest, lower_slope(g, &r, leaky));
    h = op_leaky_relu(g, op_divide(g, image, slope), leaky);
    log_det = leaky_log_det(g, &r, leaky, is_above);
  }
  sl_node z = op_subtract(g, x, moved(g, &r, h, layer->dim));
  return (sl__mapped){z, op_negate(g, log_det)};
}

static const char *const examples[] = {"planar*8", "scale-planar(leaky=0.2)*4-loc", NULL};
const sl__kind sl__bijector_planar = {
    .name = "planar",
    .summary = "one ridge: squeezes or stretches along a learned direction",
    .source = "Rezende & Mohamed 2015, eqs. 10 to 12; PyMC3 3.2, PlanarFlow",
    .examples = examples,
    .arguments = arguments,
    .argument_count = ROWS,
    .log_prob_how = SL__HOW_ITERATIVE,
    .log_prob_note = "closed form with leaky",
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .sample = sample,
    .log_prob = log_prob,
};
