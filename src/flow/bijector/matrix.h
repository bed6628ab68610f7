/* What the linear layers share. Matrices are shared by all rows, or, where a hypernetwork makes
 * them, a value per row. */
#ifndef SL_FLOW_MATRIX_H
#define SL_FLOW_MATRIX_H
#include "flow/bijector/householder.h"

/* matrix [m,n] times row [n], plus bias [m] (0: none): [m]. A shared matrix is one dense layer for
 * the whole block of rows. */
sl_node sl__matrix_times(sl__graph *g, sl_node matrix, sl_node bias, sl_node row);

/* What solving for one feature after the other has found, value [n] with log_det; where that is
 * beyond the range of numbers, having overflowed on the way, 0 with log_det -infinity. It stays NaN
 * where the right side, given [n], is. */
sl__mapped sl__matrix_solved(sl__graph *g, sl_node given, sl_node value, sl_node log_det);

/* The reflections along the rows of directions [k,n]. Their product is orthogonal to rounding
 * whatever the directions are; lengths do not matter, and a length of 0 reflects nothing. */
sl__reflections sl__matrix_reflections(sl__graph *g, sl_node directions);
#endif
