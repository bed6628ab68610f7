/* lrs: a monotone linear-rational spline per feature on the box -bound .. bound, linear outside
 * (Dolatabadi et al. 2020, arXiv:2001.05168, section 3, algorithm 1; Fuhr & Kallay 1992).
 *
 * The network gives, per feature with K bins: K widths and K heights (softmax, at least 1e-3 of the
 * box each), slopes at the knots (softplus, at least 1e-3), with tails=learned those at both ends
 * too, and K numbers lambda (sigmoid, 0.025 .. 0.975). Zeros give the identity.
 *
 * A bin is cut in two at the share lambda of its width, and each part is a quotient of linear
 * functions, so that both directions are one division. With phi = (x - left) / width, slopes d0, d1
 * at the ends and s = height / width, the paper's weights (its w(k) = 1 / sqrt(d(k)), common
 * factors left out) reduce to
 *   r = lambda sqrt(d0) + (1 - lambda) sqrt(d1)
 *   left part,  t = phi / lambda:              (y - bottom) / h = lambda (d0 / s) t / den
 *   right part, t = (1 - phi) / (1 - lambda):  (top - y) / h = (1 - lambda) (d1 / s) t / den
 *   den = 1 - t + a t,  a = sqrt(d) r / s,  dy/dx = d / den^2,  d = d0 or d1
 * in which nothing but positive numbers is added; they meet at the height lambda sqrt(d0) / r. */
#include "flow/transformer/spline.h"
#include "nn/encoding.h"

#define LEAST_LAMBDA 0.025

enum { LAMBDAS = SL__SPLINE_GROUPS };

static void measure(sl__transform *transform) {
  int32_t bins = (int32_t)transform->arguments[SL__ARGUMENT_bins].integer;
  sl__spline_measure(transform, sl__spline_learns_tails(transform) ? bins + 1 : bins - 1);
  transform->group_count = LAMBDAS + 1;
  transform->group_size[LAMBDAS] = bins;
  transform->group_name[LAMBDAS] = "lambdas";
}

static sl_node one_minus(sl__graph *g, sl_node a) {
  return op_shift(g, op_negate(g, a), 1);
}

static sl__mapped inside(const sl__transform *transform, sl__graph *g, sl_node value, bool inverse,
                         const sl__transform_parameters *parameters) {
  sl__spline_bin in = sl__spline_find(transform, g, value, inverse, parameters);
  sl_node raw = op_take(g, parameters->group[LAMBDAS], in.index, parameters->axis);
  sl_node lambda = op_shift(g, op_scale(g, op_sigmoid(g, raw), 1 - 2 * LEAST_LAMBDA), LEAST_LAMBDA);
  sl_node rest = one_minus(g, lambda);
  sl_node root0 = op_sqrt(g, in.slope0), root1 = op_sqrt(g, in.slope1);
  sl_node from0 = op_multiply(g, lambda, root0);
  sl_node r = op_multiply_add(g, rest, root1, from0);
  sl_node s = op_divide(g, in.height, in.width);
  /* How far into the bin, 0 .. 1: of its width, or of its height. */
  sl_node begin = inverse ? in.bottom : in.left, size = inverse ? in.height : in.width;
  sl_node far = sl__confine(g, op_divide(g, op_subtract(g, value, begin), size), 0, 1);
  sl_node is_left = op_less(g, far, inverse ? op_divide(g, from0, r) : lambda);
  sl_node part = op_select(g, is_left, far, one_minus(g, far));
  sl_node share = op_select(g, is_left, lambda, rest);
  sl_node root = op_select(g, is_left, root0, root1), slope = op_square(g, root);
  sl_node a = op_divide(g, op_multiply(g, root, r), s);
  sl_node whole = op_multiply(g, share, op_divide(g, slope, s));
  sl_node t = op_divide(g, part, share);
  if (inverse) { /* part, or more: but for rounding, part a <= whole */
    sl_node more = op_subtract(g, whole, op_multiply(g, part, a));
    t = op_divide(g, part, op_add(g, part, op_maximum(g, more, op_number(g, transform->type, 0))));
  }
  sl_node den = op_multiply_add(g, a, t, one_minus(g, t));
  sl_node other = inverse ? op_multiply(g, share, t) : op_divide(g, op_multiply(g, whole, t), den);
  sl_node up = op_select(g, is_left, other, one_minus(g, other));
  sl_node mapped =
      op_multiply_add(g, up, inverse ? in.width : in.height, inverse ? in.left : in.bottom);
  return (sl__mapped){mapped, op_subtract(g, op_log(g, slope), op_scale(g, op_log(g, den), 2))};
}

static sl__mapped log_prob(const sl__transform *transform, sl__graph *g, sl_node x,
                           const sl__transform_parameters *parameters) {
  return sl__spline_with_tails(transform, g, x, false, parameters, inside, SL__SPLINE_SLOPES);
}

static sl__mapped sample(const sl__transform *transform, sl__graph *g, sl_node z,
                         const sl__transform_parameters *parameters) {
  return sl__spline_with_tails(transform, g, z, true, parameters, inside, SL__SPLINE_SLOPES);
}

const sl__transformer sl__transformer_lrs = {
    .name = "lrs",
    .summary = "monotone linear-rational spline, linear outside a box",
    .source = "Dolatabadi et al. 2020, algorithm 1",
    .measure = measure,
    .log_prob = log_prob,
    .sample = sample,
};
