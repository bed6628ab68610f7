/* Ridges: what planar and Sylvester flows share. Along a direction they map u to u + (rest - 1)
 * tanh(u), which increases for every rest > 0: its slope is rest + (1 - rest) t^2 with t =
 * tanh(u), which keeps its digits where 1 + h'(u) (rest - 1) would cancel: as soon as rest is small. So
 * rest, and not rest - 1, is what is handed about. Elementwise on values of one shape. */
#ifndef SL_FLOW_BIJECTOR_RIDGE_H
#define SL_FLOW_BIJECTOR_RIDGE_H
#include "flow/flow.h"

/* The slope at t = tanh(u). */
sl_node sl__ridge_slope(sl__graph *g, sl_node t, sl_node rest);
/* u with u + (rest - 1) tanh(u) = y. */
sl_node sl__ridge_root(sl__graph *g, sl_node y, sl_node rest);
#endif
