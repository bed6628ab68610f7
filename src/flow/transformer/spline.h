/* What the monotone splines share: bins of a box of side 2 bound around 0, slopes at the knots
 * between bins, and what lies outside the box. */
#ifndef SL_FLOW_SPLINE_H
#define SL_FLOW_SPLINE_H
#include "flow/transformer/transformer.h"

/* The groups of parameters of splines with free knots, K bins: widths [K], heights [K], and slopes
 * at the knots: [K - 1] the inner ones, the ends having slope 1; [K + 1] all of them; [K] when both
 * ends are one knot, as on a circle. A spline may have a fourth group. */
enum { SL__SPLINE_WIDTHS, SL__SPLINE_HEIGHTS, SL__SPLINE_SLOPES, SL__SPLINE_GROUPS };

/* Half the box's side: the argument `bound`, or half the circle's length. */
double sl__spline_bound(const sl__transform *transform);
/* Whether the slopes of the tails are trained: tails=learned. */
bool sl__spline_learns_tails(const sl__transform *transform);
/* Sets the three groups. */
void sl__spline_measure(sl__transform *transform, int32_t slopes);

/* One axis of the box cut into bins, along the parameters' axis. */
typedef struct sl__spline_side {
  sl_node sizes, edges; /* of each bin: its size and its upper edge */
} sl__spline_side;
/* raw, K numbers along the axis: sizes are shares of 2 bound by softmax, at least 1e-3 each. */
sl__spline_side sl__spline_side_new(const sl__transform *transform, sl__graph *g, sl_node raw,
                                    int axis);
/* The index of the bin that value [n] lies in, 0 .. K - 1, whatever the value. */
sl_node sl__spline_search(sl__graph *g, const sl__spline_side *side, int32_t bins, sl_node value,
                          int axis);
/* The lower edge of bin `index` [n]. */
sl_node sl__spline_lower_edge(const sl__transform *transform, sl__graph *g,
                              const sl__spline_side *side, sl_node index, int axis);
/* A slope of at least 1e-3, 1 at raw = 0. */
sl_node sl__spline_slope(sl__graph *g, sl_node raw);

/* What there is to know of the bin that each feature's value lies in: all [n]. */
typedef struct sl__spline_bin {
  sl_node index, left, bottom, width, height, slope0, slope1;
} sl__spline_bin;
/* Finds it by y (a height) or by x. */
sl__spline_bin sl__spline_find(const sl__transform *transform, sl__graph *g, sl_node value,
                               bool by_height, const sl__transform_parameters *parameters);

/* A map of the box to itself, or its inverse, of values [n] inside; log_det is the logarithm of the
 * map's own slope dy/dx in both directions. */
typedef sl__mapped sl__spline_map(const sl__transform *transform, sl__graph *g, sl_node value,
                                  bool inverse, const sl__transform_parameters *parameters);
/* The rational-quadratic map of the box. */
sl__spline_map sl__rational_quadratic;
/* The whole line: `inner` in the box, straight lines outside. slopes: the group of raw slopes whose
 * first and last are those of the tails, where these are trained. log_det is that of the direction
 * asked for. */
sl__mapped sl__spline_with_tails(const sl__transform *transform, sl__graph *g, sl_node value,
                                 bool inverse, const sl__transform_parameters *parameters,
                                 sl__spline_map *inner, int slopes);
#endif
