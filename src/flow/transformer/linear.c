/* linear: a monotone piecewise linear spline per feature on the box -bound .. bound, linear outside
 * (Müller et al. 2019, "Neural importance sampling", arXiv:1808.03856, section 4.2, with the
 * straight tails of Durkan et al. 2019).
 *
 * The K bins are equally wide; the network gives their K heights (softmax, at least 1e-3 of the box
 * each), with tails=learned also the slopes of both tails (softplus, at least 1e-3). Zeros give the
 * identity. The map is continuous, its slope jumps at the knots: the density is a histogram. */
#include "flow/transformer/spline.h"

enum { HEIGHTS, TAIL_SLOPES };

static void measure(sl__transform *transform) {
  transform->group_count = sl__spline_learns_tails(transform) ? 2 : 1;
  transform->group_size[HEIGHTS] = (int32_t)transform->arguments[SL__ARGUMENT_bins].integer;
  transform->group_size[TAIL_SLOPES] = 2;
  transform->group_name[HEIGHTS] = "heights";
  transform->group_name[TAIL_SLOPES] = "slopes";
}

static sl__mapped inside(const sl__transform *transform, sl__graph *g, sl_node value, bool inverse,
                         const sl__transform_parameters *parameters) {
  int axis = parameters->axis;
  int32_t bins = transform->group_size[HEIGHTS];
  double bound = sl__spline_bound(transform), width = 2 * bound / bins;
  sl__spline_side up = sl__spline_side_new(transform, g, parameters->group[HEIGHTS], axis);
  sl_node place = op_scale(g, op_shift(g, value, bound), 1 / width);
  sl_node index = inverse ? sl__spline_search(g, &up, bins, value, axis)
                          : op_clamp(g, op_floor(g, place), 0, bins - 1);
  sl_node left = op_shift(g, op_scale(g, index, width), -bound);
  sl_node bottom = sl__spline_lower_edge(transform, g, &up, index, axis);
  sl_node slope = op_scale(g, op_take(g, up.sizes, index, axis), 1 / width);
  sl_node mapped = inverse ? op_add(g, left, op_divide(g, op_subtract(g, value, bottom), slope))
                           : op_multiply_add(g, op_subtract(g, value, left), slope, bottom);
  return (sl__mapped){mapped, op_log(g, slope)};
}

static sl__mapped log_prob(const sl__transform *transform, sl__graph *g, sl_node x,
                           const sl__transform_parameters *parameters) {
  return sl__spline_with_tails(transform, g, x, false, parameters, inside, TAIL_SLOPES);
}

static sl__mapped sample(const sl__transform *transform, sl__graph *g, sl_node z,
                         const sl__transform_parameters *parameters) {
  return sl__spline_with_tails(transform, g, z, true, parameters, inside, TAIL_SLOPES);
}

const sl__transformer sl__transformer_linear = {
    .name = "linear",
    .summary = "monotone piecewise linear spline: a histogram, linear outside a box",
    .source = "Müller et al. 2019, section 4.2",
    .measure = measure,
    .log_prob = log_prob,
    .sample = sample,
};
