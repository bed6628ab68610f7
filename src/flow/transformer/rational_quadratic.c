/* The monotone rational-quadratic map of a box to itself (Durkan et al. 2019, arXiv:1906.04032,
 * section 3.1 and eqs. 4 to 8; Gregory & Delbourgo 1982).
 *
 * Within a bin from (left, bottom) of width w, height h, slopes d0, d1 at its ends and s = h / w:
 *   theta = (x - left) / w,  den = s + (d0 + d1 - 2 s) theta (1 - theta)
 *   y = bottom + h (s theta^2 + d0 theta (1 - theta)) / den                            (eq. 4)
 *   dy/dx = s^2 (d1 theta^2 + 2 s theta (1 - theta) + d0 (1 - theta)^2) / den^2        (eq. 5)
 *   theta = 2 c / (-b - sqrt(b^2 - 4 a c))                                       (eqs. 6 to 8)
 * Rounding may put theta outside 0 .. 1, where with steep ends of a flat bin den is negative. */
#include "flow/transformer/spline.h"
#include "nn/encoding.h"

/* den of eq. 4, and the logarithm of eq. 5, at theta. */
static sl_node log_slope(sl__graph *g, const sl__spline_bin *in, sl_node s, sl_node theta,
                         sl_node *den) {
  sl_node rest = op_shift(g, op_negate(g, theta), 1), both = op_multiply(g, theta, rest);
  sl_node bend = op_subtract(g, op_add(g, in->slope0, in->slope1), op_scale(g, s, 2));
  *den = op_multiply_add(g, bend, both, s);
  sl_node sum = op_multiply(g, in->slope1, op_square(g, theta));
  sum = op_multiply_add(g, op_scale(g, s, 2), both, sum);
  sum = op_multiply_add(g, in->slope0, op_square(g, rest), sum);
  return op_add(g, op_log(g, sum), op_scale(g, op_log(g, op_divide(g, s, *den)), 2));
}

/* Eq. 4. */
static sl__mapped forward(sl__graph *g, const sl__spline_bin *in, sl_node s, sl_node x) {
  sl_node theta = sl__confine(g, op_divide(g, op_subtract(g, x, in->left), in->width), 0, 1);
  sl_node den, logs = log_slope(g, in, s, theta, &den);
  sl_node both = op_multiply(g, theta, op_shift(g, op_negate(g, theta), 1));
  sl_node rise = op_multiply(g, s, op_square(g, theta));
  rise = op_multiply_add(g, in->slope0, both, rise);
  sl_node y = op_add(g, in->bottom, op_divide(g, op_multiply(g, in->height, rise), den));
  return (sl__mapped){y, logs};
}

/* Eqs. 6 to 8. */
static sl__mapped backward(const sl__transform *transform, sl__graph *g, const sl__spline_bin *in,
                           sl_node s, sl_node y) {
  sl_node up = op_subtract(g, y, in->bottom);
  sl_node bend = op_subtract(g, op_add(g, in->slope0, in->slope1), op_scale(g, s, 2));
  sl_node up_bend = op_multiply(g, up, bend);
  sl_node a = op_multiply_add(g, in->height, op_subtract(g, s, in->slope0), up_bend);
  sl_node b = op_subtract(g, op_multiply(g, in->height, in->slope0), up_bend);
  sl_node c = op_negate(g, op_multiply(g, s, up));
  sl_node square = op_subtract(g, op_square(g, b), op_scale(g, op_multiply(g, a, c), 4));
  /* Both positive but for rounding; not 0, where the root has no derivative. */
  sl_node least = op_number(g, transform->type, 1e-30);
  sl_node root = op_sqrt(g, op_maximum(g, square, least));
  sl_node sum = op_maximum(g, op_add(g, b, root), least);
  sl_node theta = sl__confine(g, op_divide(g, op_scale(g, c, -2), sum), 0, 1);
  sl_node den, logs = log_slope(g, in, s, theta, &den);
  return (sl__mapped){op_multiply_add(g, theta, in->width, in->left), logs};
}

sl__mapped sl__rational_quadratic(const sl__transform *transform, sl__graph *g, sl_node value,
                                  bool inverse, const sl__transform_parameters *parameters) {
  sl__spline_bin in = sl__spline_find(transform, g, value, inverse, parameters);
  sl_node s = op_divide(g, in.height, in.width);
  return inverse ? backward(transform, g, &in, s, value) : forward(g, &in, s, value);
}
