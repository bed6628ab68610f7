/* Products of Householder reflections. */
#include "flow/bijector/householder.h"

sl__reflections sl__reflections_new(sl__graph *g, sl_node vectors, sl_node lengths) {
  sl__reflections of = {.vectors = vectors};
  if (!vectors || !lengths) return of;
  of.count = sl__node_shape(g, vectors).size[0];
  of.dim = sl__node_shape(g, vectors).size[1];
  sl_node products = op_matmul(g, vectors, op_transpose(g, vectors));
  sl_node strict = op_subtract(g, products, op_lower(g, products, 0));
  of.s = op_add(g, strict, op_diagonal_matrix(g, op_scale(g, lengths, 0.5)));
  return of;
}

/* The identity's first columns [rows, columns]. */
static sl_node identity(sl__graph *g, sl_node like, int32_t rows, int32_t columns) {
  if (!like) return 0;
  sl_node ones = op_broadcast(g, op_number(g, sl__node_type(g, like), 1), sl__shape1(columns));
  sl_node top = op_diagonal_matrix(g, ones);
  if (rows == columns) return top;
  sl_shape below = sl__shape2(rows - columns, columns);
  sl_node parts[2] = {top, op_broadcast(g, op_number(g, sl__node_type(g, like), 0), below)};
  return op_concatenate(g, 2, parts, 0);
}

sl_node sl__reflections_columns(sl__graph *g, const sl__reflections *of, int32_t columns) {
  sl_node first = op_slice(g, of->vectors, 1, 0, columns, 1);
  sl_node inner = op_triangular_solve(g, of->s, first, true, false, false);
  sl_node product = op_matmul(g, op_transpose(g, of->vectors), inner);
  return op_subtract(g, identity(g, product, of->dim, columns), product);
}

/* Vectors that depend on the row: K multiply-adds per feature to V x and as many back. */
static sl_node apply_batched(sl__graph *g, const sl__reflections *of, sl_node x, bool transposed) {
  sl_node inner = op_matmul(g, of->vectors, x);
  inner = op_triangular_solve(g, of->s, inner, true, transposed, false);
  return op_subtract(g, x, op_matmul(g, op_transpose(g, of->vectors), inner));
}

sl_node sl__reflections_apply(sl__graph *g, const sl__reflections *of, sl_node x, bool transposed) {
  if (!of->s || !x) return 0;
  if (sl__node_batched(g, of->s)) return apply_batched(g, of, x, transposed);
  /* Shared vectors: S^-1 V once per step. */
  sl_node inner = op_negate(g, op_triangular_solve(g, of->s, of->vectors, true, transposed, false));
  sl_node back = op_transpose(g, of->vectors);
  if (2 * of->count >= of->dim) { /* the whole matrix is no more work per row */
    sl_node matrix = op_add(g, identity(g, inner, of->dim, of->dim), op_matmul(g, back, inner));
    return op_linear(g, matrix, 0, x, NULL);
  }
  sl_node along = op_linear(g, inner, 0, x, NULL);
  if (of->count == 1) return op_multiply_add(g, op_element(g, of->vectors, 0, 0), along, x);
  return op_add(g, x, op_linear(g, back, 0, along, NULL));
}
