/* Bins, slopes and tails of splines.
 *
 * tails=linear: outside the box the map is the identity, and the slopes at its edges are 1.
 * tails=learned: the tangents there, of trained slopes.
 *
 * Values outside the box are replaced by 0 before the spline sees them, so that no NaN arises in
 * the branch not taken and the derivatives of the branch taken are exact up to the edge. */
#include <math.h>
#include "flow/transformer/spline.h"

#define LEAST_SIZE  1e-3
#define LEAST_SLOPE 1e-3

enum { TAILS_LINEAR, TAILS_LEARNED };

double sl__spline_bound(const sl__transform *transform) {
  if (transform->period > 0) return transform->period / 2;
  return transform->arguments[SL__ARGUMENT_bound].real;
}

bool sl__spline_learns_tails(const sl__transform *transform) {
  return transform->arguments[SL__ARGUMENT_tails].integer == TAILS_LEARNED;
}

void sl__spline_measure(sl__transform *transform, int32_t slopes) {
  int32_t bins = (int32_t)transform->arguments[SL__ARGUMENT_bins].integer;
  transform->group_count = SL__SPLINE_GROUPS;
  transform->group_size[SL__SPLINE_WIDTHS] = transform->group_size[SL__SPLINE_HEIGHTS] = bins;
  transform->group_size[SL__SPLINE_SLOPES] = slopes;
  transform->group_name[SL__SPLINE_WIDTHS] = "widths";
  transform->group_name[SL__SPLINE_HEIGHTS] = "heights";
  transform->group_name[SL__SPLINE_SLOPES] = "slopes";
}

/* ---- bins ---- */

sl__spline_side sl__spline_side_new(const sl__transform *transform, sl__graph *g, sl_node raw,
                                    int axis) {
  double bound = sl__spline_bound(transform);
  double free = 1 - LEAST_SIZE * (double)transform->arguments[SL__ARGUMENT_bins].integer;
  sl_node shares = op_softmax(g, raw, axis);
  sl_node sizes = op_shift(g, op_scale(g, shares, 2 * bound * free), 2 * bound * LEAST_SIZE);
  sl_node edges = op_shift(g, op_cumulative_sum(g, sizes, axis, false), -bound);
  return (sl__spline_side){sizes, edges};
}

sl_node sl__spline_search(sl__graph *g, const sl__spline_side *side, int32_t bins, sl_node value,
                          int axis) {
  return op_search(g, op_slice(g, side->edges, axis, 0, bins - 1, 1), value, axis);
}

/* The upper edge of the bin before, or -bound. */
sl_node sl__spline_lower_edge(const sl__transform *transform, sl__graph *g,
                              const sl__spline_side *side, sl_node index, int axis) {
  sl_node before = op_maximum(g, op_shift(g, index, -1), op_number(g, transform->type, 0));
  sl_node edge = op_take(g, side->edges, before, axis);
  return op_select(g, index, edge, op_number(g, transform->type, -sl__spline_bound(transform)));
}

sl_node sl__spline_slope(sl__graph *g, sl_node raw) {
  double shift = log(expm1(1 - LEAST_SLOPE));
  return op_shift(g, op_softplus(g, op_shift(g, raw, shift)), LEAST_SLOPE);
}

/* The slope at knot `knot` of 0..K, [n]. */
static sl_node knot_slope(const sl__transform *transform, sl__graph *g, sl_node knot,
                          const sl__transform_parameters *parameters) {
  sl_node raw = parameters->group[SL__SPLINE_SLOPES];
  int32_t bins = transform->group_size[SL__SPLINE_WIDTHS];
  int32_t count = transform->group_size[SL__SPLINE_SLOPES];
  if (count == bins + 1) return sl__spline_slope(g, op_take(g, raw, knot, parameters->axis));
  sl_node last = op_equal(g, knot, op_number(g, transform->type, bins));
  if (count == bins) {
    sl_node around = op_select(g, last, op_number(g, transform->type, 0), knot);
    return sl__spline_slope(g, op_take(g, raw, around, parameters->axis));
  }
  sl_node one = op_number(g, transform->type, 1);
  sl_node inner = op_clamp(g, op_shift(g, knot, -1), 0, bins - 2);
  sl_node taken = sl__spline_slope(g, op_take(g, raw, inner, parameters->axis));
  return op_select(g, knot, op_select(g, last, one, taken), one);
}

sl__spline_bin sl__spline_find(const sl__transform *transform, sl__graph *g, sl_node value,
                               bool by_height, const sl__transform_parameters *parameters) {
  int axis = parameters->axis;
  int32_t bins = transform->group_size[SL__SPLINE_WIDTHS];
  sl__spline_side across =
      sl__spline_side_new(transform, g, parameters->group[SL__SPLINE_WIDTHS], axis);
  sl__spline_side up =
      sl__spline_side_new(transform, g, parameters->group[SL__SPLINE_HEIGHTS], axis);
  sl_node index = sl__spline_search(g, by_height ? &up : &across, bins, value, axis);
  return (sl__spline_bin){
      .index = index,
      .left = sl__spline_lower_edge(transform, g, &across, index, axis),
      .bottom = sl__spline_lower_edge(transform, g, &up, index, axis),
      .width = op_take(g, across.sizes, index, axis),
      .height = op_take(g, up.sizes, index, axis),
      .slope0 = knot_slope(transform, g, index, parameters),
      .slope1 = knot_slope(transform, g, op_shift(g, index, 1), parameters),
  };
}

/* ---- tails ---- */

/* y = x, or the tangents at the learned slopes (inverse: their inverse). */
static sl__mapped tails(const sl__transform *transform, sl__graph *g, sl_node value, bool inverse,
                        const sl__transform_parameters *parameters, int slopes) {
  sl_node zero = op_number(g, transform->type, 0);
  if (!sl__spline_learns_tails(transform)) return (sl__mapped){value, zero};
  double bound = sl__spline_bound(transform);
  sl_node raw = parameters->group[slopes];
  int32_t last = transform->group_size[slopes] - 1;
  sl_node above = op_less(g, zero, value);
  sl_node below_slope = sl__spline_slope(g, op_element(g, raw, parameters->axis, 0));
  sl_node above_slope = sl__spline_slope(g, op_element(g, raw, parameters->axis, last));
  sl_node steep = op_select(g, above, above_slope, below_slope);
  sl_node edge = op_select(g, above, op_number(g, transform->type, bound),
                           op_number(g, transform->type, -bound));
  sl_node beyond = op_subtract(g, value, edge), log_steep = op_log(g, steep);
  if (inverse) return (sl__mapped){op_add(g, edge, op_divide(g, beyond, steep)), log_steep};
  return (sl__mapped){op_multiply_add(g, beyond, steep, edge), log_steep};
}

sl__mapped sl__spline_with_tails(const sl__transform *transform, sl__graph *g, sl_node value,
                                 bool inverse, const sl__transform_parameters *parameters,
                                 sl__spline_map *inner, int slopes) {
  sl_node zero = op_number(g, transform->type, 0);
  sl_node bound = op_number(g, transform->type, sl__spline_bound(transform));
  sl_node inside = op_less_equal(g, op_absolute(g, value), bound);
  sl_node safe = op_select(g, inside, value, zero);
  sl__mapped in = inner(transform, g, safe, inverse, parameters);
  sl__mapped out = tails(transform, g, value, inverse, parameters, slopes);
  sl_node log_slope = op_select(g, inside, in.log_det, out.log_det);
  return (sl__mapped){op_select(g, inside, in.value, out.value),
                      inverse ? op_negate(g, log_slope) : log_slope};
}
