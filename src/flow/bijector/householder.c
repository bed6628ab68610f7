/* Products of Householder reflections. */
#include "flow/bijector/householder.h"

/* Reflections in a block: many make few products of matrices, few make small triangles. */
enum { BLOCK = 32 };

sl__reflections sl__reflections_new(sl__graph *g, sl_node vectors, sl_node lengths) {
  sl__reflections of = {.vectors = vectors, .lengths = lengths};
  if (!vectors || !lengths) return of;
  of.count = sl__node_shape(g, vectors).size[0];
  of.dim = sl__node_shape(g, vectors).size[1];
  return of;
}

/* ---- one block ---- */

typedef struct block {
  int32_t count;
  sl_node vectors, s; /* V [count, dim], S [count, count]: only the upper triangle counts */
} block;

static int32_t block_count(const sl__reflections *of) {
  return (of->count + BLOCK - 1) / BLOCK;
}

static block block_at(sl__graph *g, const sl__reflections *of, int32_t index) {
  int32_t begin = index * BLOCK, left = of->count - begin;
  block out = {.count = left < BLOCK ? left : BLOCK};
  out.vectors = op_slice(g, of->vectors, 0, begin, out.count, 1);
  sl_node lengths = op_slice(g, of->lengths, 0, begin, out.count, 1);
  sl_node products = op_matmul(g, out.vectors, op_transpose(g, out.vectors));
  sl_node strict = op_subtract(g, products, op_lower(g, products, 0));
  out.s = op_add(g, strict, op_diagonal_matrix(g, op_scale(g, lengths, 0.5)));
  return out;
}

/* The block, or its transpose, times x [dim] or [dim, columns]. Shared by all rows, S^-1 V is made
 * once per step. */
static sl_node turn(sl__graph *g, const block *of, sl_node x, bool transposed) {
  if (!of->s || !x) return 0;
  if (sl__node_batched(g, of->s) || sl__node_shape(g, x).dims > 1) {
    sl_node inner = op_matmul(g, of->vectors, x);
    inner = op_triangular_solve(g, of->s, inner, true, transposed, false);
    return op_subtract(g, x, op_matmul(g, op_transpose(g, of->vectors), inner));
  }
  sl_node inner = op_negate(g, op_triangular_solve(g, of->s, of->vectors, true, transposed, false));
  sl_node along = op_linear(g, inner, 0, x, NULL);
  if (of->count == 1) return op_multiply_add(g, op_element(g, of->vectors, 0, 0), along, x);
  return op_add(g, x, op_linear(g, op_transpose(g, of->vectors), 0, along, NULL));
}

/* The blocks from the last to the first, transposed from the first to the last. */
static sl_node turn_by_all(sl__graph *g, const sl__reflections *of, sl_node x, bool transposed) {
  int32_t count = block_count(of);
  for (int32_t i = 0; i < count && x; i++) {
    block next = block_at(g, of, transposed ? i : count - 1 - i);
    x = turn(g, &next, x, transposed);
  }
  return x;
}

/* ---- their product ---- */

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
  return turn_by_all(g, of, identity(g, of->vectors, of->dim, columns), false);
}

/* Whether one product per step, 2 count dim^2, and then dim^2 per row beat 2 count dim per row, for
 * batches of usual size. */
static bool is_worth_a_matrix(const sl__reflections *of) {
  const int64_t rows = 256, count = of->count, dim = of->dim;
  return 2 * count * rows >= dim * (count + rows);
}

sl_node sl__reflections_apply(sl__graph *g, const sl__reflections *of, sl_node x, bool transposed) {
  if (!of->vectors || !of->lengths || !x) return 0;
  bool is_shared = !sl__node_batched(g, of->vectors) && !sl__node_batched(g, of->lengths);
  if (is_shared && is_worth_a_matrix(of)) {
    sl_node all = turn_by_all(g, of, identity(g, of->vectors, of->dim, of->dim), transposed);
    return op_linear(g, all, 0, x, NULL);
  }
  return turn_by_all(g, of, x, transposed);
}
