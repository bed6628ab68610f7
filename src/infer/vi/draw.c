/* The graph of a draw: noise, through the layers, with log q added up on the way, and log p.
 *
 * The derivative of log q at a draw splits in two: through the draw, and through log q's own
 * parameters (Roeder, Wu and Duvenaud 2017, arXiv:1703.09194, equation 5). The first needs the
 * slope of log q by x, which is carried along while sampling (Vaitl et al. 2024,
 * arXiv:2403.15881, section 4): if log q before a layer has slope s at a, then behind it, at b =
 * T(a), it has the solution of
 *   (dT/da)' slope = s - d log |det dT/da| / da.
 * A layer whose inverse has a closed form gives that as the derivative of s . T^-1(b) + log |det
 * dT^-1/db| by b. One without is not inverted numerically, since a is known: the equation is
 * solved with the layer's own Jacobian matrix, unless there are too many features for that. */
#include "infer/vi/engine.h"

enum { MOST_FEATURES = 16 };

static sl_node dot(sl__graph *g, sl_node a, sl_node b) {
  return op_sum_all(g, op_multiply(g, a, b));
}

static sl_node derivative(sl__graph *g, sl_node y, sl_node x) {
  sl_node slope = 0;
  if (sl__gradient(g, y, 1, &x, &slope) != SL_OK) return 0;
  return slope;
}

/* ---- the slope behind a layer ---- */

static sl_node slope_by_inverse(const sl__chain *chain, int layer, sl__graph *g, sl_node slope,
                                sl_node behind) {
  const sl_node b = op_stop_gradient(g, behind);
  const sl__mapped back = sl__chain_log_prob(chain, g, b, 0, layer, layer + 1);
  return derivative(g, op_add(g, dot(g, slope, back.value), back.log_det), b);
}

/* [[p, q], [r, s]]' slope = right */
static sl_node solve_two(sl__graph *g, const sl_node rows[2], sl_node right) {
  const sl_node p = op_element(g, rows[0], 0, 0), q = op_element(g, rows[0], 0, 1);
  const sl_node r = op_element(g, rows[1], 0, 0), s = op_element(g, rows[1], 0, 1);
  const sl_node first = op_element(g, right, 0, 0), second = op_element(g, right, 0, 1);
  const sl_node det = op_subtract(g, op_multiply(g, p, s), op_multiply(g, q, r));
  const sl_node parts[2] = {op_subtract(g, op_multiply(g, s, first), op_multiply(g, r, second)),
                            op_subtract(g, op_multiply(g, p, second), op_multiply(g, q, first))};
  const sl_shape one = sl__shape1(1);
  const sl_node lifted[2] = {op_reshape(g, parts[0], one), op_reshape(g, parts[1], one)};
  return op_divide(g, op_concatenate(g, 2, lifted, 0), det);
}

/* J = Q R; J' slope = right: slope = Q y with R' y = right. */
static sl_node solve_many(sl__graph *g, int32_t dim, const sl_node *rows, sl_node right) {
  sl_node lifted[MOST_FEATURES];
  for (int32_t i = 0; i < dim; i++) lifted[i] = op_reshape(g, rows[i], sl__shape2(1, dim));
  const sl_node jacobian = op_concatenate(g, dim, lifted, 0);
  const sl_node q = op_qr_q(g, jacobian), r = op_qr_r(g, jacobian);
  return op_matmul(g, q, op_triangular_solve(g, r, right, true, true, false));
}

static sl_node slope_by_jacobian(const sl__chain *chain, int layer, sl__graph *g, sl_node slope,
                                 sl_node before) {
  const int32_t dim = chain->layers[layer].dim;
  const sl_node a = op_stop_gradient(g, before);
  const sl__mapped mapped = sl__chain_sample(chain, g, a, 0, layer, layer + 1);
  const sl_node right = op_subtract(g, slope, derivative(g, mapped.log_det, a));
  sl_node rows[MOST_FEATURES];
  for (int32_t i = 0; i < dim; i++) rows[i] = derivative(g, op_element(g, mapped.value, 0, i), a);
  if (dim == 1) return op_divide(g, right, rows[0]);
  return dim == 2 ? solve_two(g, rows, right) : solve_many(g, dim, rows, right);
}

static sl_node slope_behind(const sl__chain *chain, int layer, sl__graph *g, sl_node slope,
                            sl_node before, sl_node behind) {
  const sl__layer *own = &chain->layers[layer];
  const sl__how how = own->inverted ? own->kind->sample_how : own->kind->log_prob_how;
  if (how == SL__HOW_CLOSED_FORM || own->dim > MOST_FEATURES)
    return slope_by_inverse(chain, layer, g, slope, behind);
  return slope_by_jacobian(chain, layer, g, slope, before);
}

/* ---- the draw ---- */

typedef struct drawn {
  sl_node x, log_q, slope; /* slope: of log q by x, 0 unless asked for */
} drawn;

static drawn draw(sl__graph *g, const sl__vi_source *source, bool with_slope) {
  const sl__flow *flow = source->flow;
  const sl__kind *base = flow->base.kind;
  sl__graph_label(g, "%s: %s", flow->base.title, flow->base.text);
  sl_node z = source->noise ? source->noise : base->draw(&flow->base, g, SL__STREAM_BASE, 0);
  drawn now = {.x = z, .log_q = base->density(&flow->base, g, z, 0)};
  if (with_slope) {
    const sl_node held = op_stop_gradient(g, z);
    now.slope = derivative(g, base->density(&flow->base, g, held, 0), held);
  }
  for (int i = 0; i < flow->chain.count; i++) {
    const sl__mapped next = sl__chain_sample(&flow->chain, g, now.x, 0, i, i + 1);
    if (with_slope) now.slope = slope_behind(&flow->chain, i, g, now.slope, now.x, next.value);
    now.x = next.value;
    now.log_q = op_subtract(g, now.log_q, next.log_det);
  }
  return now;
}

sl__vi_nodes sl__vi_draw(sl__graph *g, const sl__vi_source *source, sl__vi_road road) {
  const drawn own = draw(g, source, road != SL__VI_TOTAL);
  const sl_node x = op_rows(g, op_cast(g, own.x, SL_F64));
  sl_node log_q = op_cast(g, own.log_q, SL_F64);
  sl__graph_label(g, "target %s", source->target->title);
  sl_node log_p = sl__target_log_density(source->target, g, x, 0);
  if (source->tempering) log_p = op_multiply(g, log_p, source->tempering);
  sl__graph_label(g, "objective");
  if (road == SL__VI_TOTAL) return (sl__vi_nodes){x, log_q, log_p};
  /* `way` changes as log q does through the draw alone; its value is taken away again. */
  const sl_node slope = op_stop_gradient(g, op_cast(g, own.slope, SL_F64));
  const sl_node way = dot(g, slope, x), rest = op_stop_gradient(g, way);
  if (road == SL__VI_PATH) {
    log_q = op_add(g, op_stop_gradient(g, op_subtract(g, log_q, rest)), way);
    return (sl__vi_nodes){x, log_q, log_p};
  }
  log_q = op_subtract(g, log_q, op_subtract(g, way, rest));
  return (sl__vi_nodes){op_stop_gradient(g, x), log_q, op_stop_gradient(g, log_p)};
}
