/* Products of Householder reflections, H_i = I - 2 v_i v_i' / l_i, in blocks of the compact form
 * H_1 H_2 ... H_b = I - V' S^-1 V, where V [b, dim] has the v_i as rows and S is upper triangular
 * with l_i / 2 on the diagonal and v_i.v_j beyond it (Joffrain et al. 2006, "Accumulating
 * Householder transformations, revisited", doi:10.1145/1141885.1141886). It holds whatever the l_i
 * are; with l_i = |v_i|^2 the H_i are orthogonal. Blocks, since the triangle of all K reflections
 * would cost K^2 dim. */
#ifndef SL_FLOW_BIJECTOR_HOUSEHOLDER_H
#define SL_FLOW_BIJECTOR_HOUSEHOLDER_H
#include "flow/flow.h"

typedef struct sl__reflections {
  int32_t count, dim;
  sl_node vectors; /* the v_i [count, dim] */
  sl_node lengths; /* the l_i [count] */
} sl__reflections;

/* Both may be shared or batched. */
sl__reflections sl__reflections_new(sl__graph *g, sl_node vectors, sl_node lengths);
/* H_1 ... H_K x, or (transposed) its transpose times x, that is H_K ... H_1 x; x [dim]. */
sl_node sl__reflections_apply(sl__graph *g, const sl__reflections *of, sl_node x, bool transposed);
/* The first columns of H_1 ... H_K: [dim, columns]. */
sl_node sl__reflections_columns(sl__graph *g, const sl__reflections *of, int32_t columns);
#endif
