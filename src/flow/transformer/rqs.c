/* rqs: a monotone rational-quadratic spline per feature (Durkan et al. 2019, arXiv:1906.04032,
 * section 3.1 and eqs. 4 to 8; Gregory & Delbourgo 1982), on the box -bound .. bound, linear
 * outside.
 *
 * The network gives, per feature with K bins: K widths and K heights (softmax, at least 1e-3 of the
 * box each) and the slopes at the knots between bins (softplus, at least 1e-3). tails=linear fixes
 * the slopes at both ends to 1, so that the map is the identity outside; tails=learned takes them
 * from the network too. The softplus is shifted so that zeros give slope 1: then zeros give the
 * identity.
 *
 * Within a bin from (left, bottom) of width w, height h, slopes d0, d1 at its ends and s = h / w:
 *   theta = (x - left) / w,  den = s + (d0 + d1 - 2 s) theta (1 - theta)
 *   y = bottom + h (s theta^2 + d0 theta (1 - theta)) / den                            (eq. 4)
 *   dy/dx = s^2 (d1 theta^2 + 2 s theta (1 - theta) + d0 (1 - theta)^2) / den^2        (eq. 5)
 *   theta = 2 c / (-b - sqrt(b^2 - 4 a c))                                       (eqs. 6 to 8)
 *
 * log_prob maps data by eq. 4, sample by the root. Values outside the box are replaced by 0 before
 * the spline sees them, so that no NaN arises in the branch not taken and the derivatives of the
 * branch taken are exact up to the edge. */
#include <math.h>
#include "flow/transformer/transformer.h"

#define LEAST_SIZE  1e-3
#define LEAST_SLOPE 1e-3

enum { WIDTHS, HEIGHTS, SLOPES };
enum { TAILS_LINEAR, TAILS_LEARNED };

static void measure(sl__transform *transform) {
  int32_t bins = (int32_t)transform->arguments[SL__ARGUMENT_bins].integer;
  bool learned = transform->arguments[SL__ARGUMENT_tails].integer == TAILS_LEARNED;
  transform->group_count = 3;
  transform->group_size[WIDTHS] = transform->group_size[HEIGHTS] = bins;
  transform->group_size[SLOPES] = learned ? bins + 1 : bins - 1;
  transform->group_name[WIDTHS] = "widths";
  transform->group_name[HEIGHTS] = "heights";
  transform->group_name[SLOPES] = "slopes";
}

/* What there is to know of the bin that each feature's value lies in: all [n]. */
typedef struct bin {
  sl_node left, bottom, width, height, slope0, slope1;
} bin;

/* The bins of one axis. */
typedef struct side {
  sl_node sizes; /* widths or heights, along the axis */
  sl_node edges; /* the upper edge of each bin */
} side;

static side make_side(const sl__transform *transform, sl__graph *g, sl_node raw, int axis) {
  double bound = transform->arguments[SL__ARGUMENT_bound].real;
  double free = 1 - LEAST_SIZE * transform->group_size[WIDTHS];
  sl_node shares = op_softmax(g, raw, axis);
  sl_node sizes = op_shift(g, op_scale(g, shares, 2 * bound * free), 2 * bound * LEAST_SIZE);
  return (side){sizes, op_shift(g, op_cumulative_sum(g, sizes, axis, false), -bound)};
}

/* The lower edge of bin `index`: the upper edge of the bin before, or -bound. */
static sl_node lower_edge(const sl__transform *transform, sl__graph *g, const side *of,
                          sl_node index, int axis) {
  double bound = transform->arguments[SL__ARGUMENT_bound].real;
  sl_node before = op_maximum(g, op_shift(g, index, -1), op_number(g, transform->type, 0));
  sl_node edge = op_take(g, of->edges, before, axis);
  return op_select(g, index, edge, op_number(g, transform->type, -bound));
}

static sl_node slope(sl__graph *g, sl_node raw) {
  double shift = log(expm1(1 - LEAST_SLOPE));
  return op_shift(g, op_softplus(g, op_shift(g, raw, shift)), LEAST_SLOPE);
}

/* The slope at knot `knot` of 0..K, [n]. */
static sl_node knot_slope(const sl__transform *transform, sl__graph *g, sl_node knot,
                          const sl__transform_parameters *parameters) {
  sl_node raw = parameters->group[SLOPES];
  int32_t bins = transform->group_size[WIDTHS];
  if (transform->group_size[SLOPES] == bins + 1)
    return slope(g, op_take(g, raw, knot, parameters->axis));
  sl_node one = op_number(g, transform->type, 1);
  sl_node inner = op_clamp(g, op_shift(g, knot, -1), 0, bins - 2);
  sl_node taken = slope(g, op_take(g, raw, inner, parameters->axis));
  sl_node last = op_equal(g, knot, op_number(g, transform->type, bins));
  return op_select(g, knot, op_select(g, last, one, taken), one);
}

/* Finds the bin of value by x (widths) or by y (heights). */
static bin find_bin(const sl__transform *transform, sl__graph *g, sl_node value, bool by_height,
                    const sl__transform_parameters *parameters) {
  int axis = parameters->axis;
  int32_t bins = transform->group_size[WIDTHS];
  side across = make_side(transform, g, parameters->group[WIDTHS], axis);
  side up = make_side(transform, g, parameters->group[HEIGHTS], axis);
  sl_node edges = by_height ? up.edges : across.edges;
  sl_node index = op_search(g, op_slice(g, edges, axis, 0, bins - 1, 1), value, axis);
  return (bin){
      .left = lower_edge(transform, g, &across, index, axis),
      .bottom = lower_edge(transform, g, &up, index, axis),
      .width = op_take(g, across.sizes, index, axis),
      .height = op_take(g, up.sizes, index, axis),
      .slope0 = knot_slope(transform, g, index, parameters),
      .slope1 = knot_slope(transform, g, op_shift(g, index, 1), parameters),
  };
}

/* den of eq. 4, and the logarithm of eq. 5, at theta. */
static sl_node log_slope(sl__graph *g, const bin *in, sl_node s, sl_node theta, sl_node *den) {
  sl_node rest = op_shift(g, op_negate(g, theta), 1), both = op_multiply(g, theta, rest);
  sl_node bend = op_subtract(g, op_add(g, in->slope0, in->slope1), op_scale(g, s, 2));
  *den = op_multiply_add(g, bend, both, s);
  sl_node sum = op_multiply(g, in->slope1, op_square(g, theta));
  sum = op_multiply_add(g, op_scale(g, s, 2), both, sum);
  sum = op_multiply_add(g, in->slope0, op_square(g, rest), sum);
  return op_add(g, op_log(g, sum), op_scale(g, op_log(g, op_divide(g, s, *den)), 2));
}

/* What the outside is mapped to: y = x, or the tangents at the learned slopes (inverse: their
 * inverse), with the logarithm of the slope. */
static sl__mapped tails(const sl__transform *transform, sl__graph *g, sl_node value, bool inverse,
                        const sl__transform_parameters *parameters) {
  int32_t bins = transform->group_size[WIDTHS];
  sl_node zero = op_number(g, transform->type, 0);
  if (transform->group_size[SLOPES] == bins - 1) return (sl__mapped){value, zero};
  double bound = transform->arguments[SL__ARGUMENT_bound].real;
  sl_node above = op_less(g, zero, value);
  sl_node first = slope(g, op_element(g, parameters->group[SLOPES], parameters->axis, 0));
  sl_node last = slope(g, op_element(g, parameters->group[SLOPES], parameters->axis, bins));
  sl_node steep = op_select(g, above, last, first);
  sl_node edge = op_select(g, above, op_number(g, transform->type, bound),
                           op_number(g, transform->type, -bound));
  sl_node beyond = op_subtract(g, value, edge), log_steep = op_log(g, steep);
  if (inverse) return (sl__mapped){op_add(g, edge, op_divide(g, beyond, steep)), log_steep};
  return (sl__mapped){op_multiply_add(g, beyond, steep, edge), log_steep};
}

static sl_node is_inside(const sl__transform *transform, sl__graph *g, sl_node value) {
  double bound = transform->arguments[SL__ARGUMENT_bound].real;
  return op_less_equal(g, op_absolute(g, value), op_number(g, transform->type, bound));
}

static sl__mapped log_prob(const sl__transform *transform, sl__graph *g, sl_node x,
                           const sl__transform_parameters *parameters) {
  sl_node inside = is_inside(transform, g, x), zero = op_number(g, transform->type, 0);
  sl_node safe = op_select(g, inside, x, zero);
  bin in = find_bin(transform, g, safe, false, parameters);
  sl_node s = op_divide(g, in.height, in.width);
  sl_node theta = op_divide(g, op_subtract(g, safe, in.left), in.width);
  sl_node den, logs = log_slope(g, &in, s, theta, &den);
  sl_node both = op_multiply(g, theta, op_shift(g, op_negate(g, theta), 1));
  sl_node rise = op_multiply(g, s, op_square(g, theta));
  rise = op_multiply_add(g, in.slope0, both, rise);
  sl_node y = op_add(g, in.bottom, op_divide(g, op_multiply(g, in.height, rise), den));
  sl__mapped out = tails(transform, g, x, false, parameters);
  return (sl__mapped){op_select(g, inside, y, out.value), op_select(g, inside, logs, out.log_det)};
}

static sl__mapped sample(const sl__transform *transform, sl__graph *g, sl_node y,
                         const sl__transform_parameters *parameters) {
  sl_node inside = is_inside(transform, g, y), zero = op_number(g, transform->type, 0);
  sl_node safe = op_select(g, inside, y, zero);
  bin in = find_bin(transform, g, safe, true, parameters);
  sl_node s = op_divide(g, in.height, in.width), up = op_subtract(g, safe, in.bottom);
  sl_node bend = op_subtract(g, op_add(g, in.slope0, in.slope1), op_scale(g, s, 2));
  sl_node up_bend = op_multiply(g, up, bend);
  sl_node a = op_multiply_add(g, in.height, op_subtract(g, s, in.slope0), up_bend);
  sl_node b = op_subtract(g, op_multiply(g, in.height, in.slope0), up_bend);
  sl_node c = op_negate(g, op_multiply(g, s, up));
  sl_node square = op_subtract(g, op_square(g, b), op_scale(g, op_multiply(g, a, c), 4));
  /* Positive but for rounding; not 0, where the root has no derivative. */
  sl_node root = op_sqrt(g, op_maximum(g, square, op_number(g, transform->type, 1e-30)));
  sl_node theta = op_divide(g, op_scale(g, c, -2), op_add(g, b, root));
  sl_node x = op_multiply_add(g, theta, in.width, in.left);
  sl_node den, logs = log_slope(g, &in, s, theta, &den);
  sl__mapped out = tails(transform, g, y, true, parameters);
  return (sl__mapped){op_select(g, inside, x, out.value),
                      op_negate(g, op_select(g, inside, logs, out.log_det))};
}

const sl__transformer sl__transformer_rqs = {
    .name = "rqs",
    .summary = "monotone rational-quadratic spline, linear outside a box",
    .source = "Durkan et al. 2019, eqs. 4 to 8",
    .measure = measure,
    .log_prob = log_prob,
    .sample = sample,
};
