/* Linear algebra: dense layers and their derivatives, products, factorisations.
 *
 * LINEAR y = W x + b, its transpose x' = W^T y and the sum over rows of y x^T are closed under
 * differentiation: each one's derivative is the other two. All three carry the staircase of zeros
 * (extent) of a masked layer. */
#include <string.h>

#include "graph/plan.h"
#include "kernels/kernels.h"

static bool is_matrix(sl__graph *g, sl_node a, const char *what) {
  if (g->nodes[a].shape.dims == 2) return true;
  sl__graph_refuse(g, SL_BAD_ARGUMENT, "%s: a matrix is needed, not a value with %d dimensions",
                   what, g->nodes[a].shape.dims);
  return false;
}

static sl_node add_linear(sl__graph *g, sl__operation operation, sl_node w, sl_node x, sl_node bias,
                          int32_t size, const void *extent, int64_t extent_bytes) {
  if (g->nodes[w].batched) {
    return sl__graph_refuse(g, SL_BAD_ARGUMENT,
                            "linear: the weight must be shared by all rows; use matmul");
  }
  return sl__node_add(g, (sl__node){.operation = (uint8_t)operation,
                                    .type = g->nodes[x].type,
                                    .batched = g->nodes[x].batched,
                                    .operands = bias ? 3 : 2,
                                    .operand = {w, x, bias},
                                    .shape = sl__shape1(size),
                                    .data = extent,
                                    .data_bytes = extent_bytes});
}

static bool linear_fits(sl__graph *g, sl_node w, sl_node bias, sl_node x, const int32_t *extent) {
  const sl__node *nw = &g->nodes[w], *nx = &g->nodes[x], *nb = &g->nodes[bias];
  const int32_t out = nw->shape.size[0], in = nw->shape.size[1];
  if (nx->shape.dims != 1 || nx->shape.size[0] != in) {
    sl__graph_refuse(g, SL_BAD_ARGUMENT,
                     "linear: weight [%d,%d] needs an input of [%d], not of [%lld]", out, in, in,
                     (long long)sl__shape_count(nx->shape));
  } else if (bias && (nb->batched || nb->shape.dims != 1 || nb->shape.size[0] != out)) {
    sl__graph_refuse(g, SL_BAD_ARGUMENT, "linear: weight [%d,%d] needs a shared bias of [%d]", out,
                     in, out);
  } else if (nx->type != nw->type || (bias && nb->type != nw->type)) {
    sl__graph_refuse(g, SL_BAD_ARGUMENT, "linear: operands of different element types; cast one");
  }
  for (int32_t o = 0; extent && o < out && g->status == SL_OK; o++) {
    if (extent[o] >= 0 && extent[o] <= in) continue;
    sl__graph_refuse(g, SL_BAD_ARGUMENT, "linear: an extent of %d for %d inputs", extent[o], in);
  }
  return g->status == SL_OK;
}

sl_node op_linear(sl__graph *g, sl_node w, sl_node bias, sl_node x, const int32_t *extent) {
  if (!w || !x || !is_matrix(g, w, "linear") || !linear_fits(g, w, bias, x, extent)) return 0;
  const int32_t out = g->nodes[w].shape.size[0];
  const void *kept = NULL;
  if (extent && !(kept = sl__graph_keep(g, extent, (size_t)out * sizeof *extent))) return 0;
  bias = bias ? sl__contiguous(g, bias) : 0;
  return add_linear(g, SL__OP_LINEAR, w, x, bias, out, kept,
                    kept ? out * (int64_t)sizeof *extent : 0);
}

/* A sum with a layer of so few inputs and outputs is made while the layer is. */
_Static_assert((int)SL__BLOCK_ROWS <= (int)SL__BASE_COLUMNS, "a block's product can have a base");

sl_node sl__linear_plus(sl__graph *g, sl_node linear, sl_node term) {
  const sl__node n = g->nodes[linear];
  const bool transposed = n.operation == SL__OP_LINEAR_TRANSPOSED;
  if ((n.operation != SL__OP_LINEAR && !transposed) || n.operands != 2 || n.data || !n.batched ||
      !g->nodes[term].batched || g->nodes[term].shape.dims != 1 ||
      g->nodes[term].shape.size[0] != n.shape.size[0])
    return 0;
  const int32_t inputs = g->nodes[n.operand[0]].shape.size[!transposed];
  if (n.shape.size[0] > SL__BASE_ROWS || inputs > SL__BASE_DEPTH) return 0;
  term = sl__contiguous(g, term);
  if (!term) return 0;
  return add_linear(g, (sl__operation)n.operation, n.operand[0], n.operand[1], term,
                    n.shape.size[0], NULL, 0);
}

static sl_node linear_transposed(sl__graph *g, sl_node w, sl_node y, const sl__node *like) {
  if (!w || !y) return 0;
  return add_linear(g, SL__OP_LINEAR_TRANSPOSED, w, y, 0, g->nodes[w].shape.size[1], like->data,
                    like->data_bytes);
}

/* a [out,in] with zeros beyond the staircase of the layer `like`, if it has one. */
static sl_node within_staircase(sl__graph *g, sl_node a, const sl__node *like) {
  if (!a || !like->data) return a;
  const sl_shape shape = g->nodes[a].shape;
  const int32_t out = shape.size[0], in = shape.size[1], *extent = like->data;
  double *mask = sl__arena_take(&g->arena, (size_t)out * (size_t)in, sizeof *mask);
  if (!mask) return sl__out_of_memory(g);
  for (int32_t o = 0; o < out; o++) {
    for (int32_t i = 0; i < extent[o]; i++) mask[(int64_t)o * in + i] = 1;
  }
  return op_multiply(g, a, op_constant(g, (sl_dtype)g->nodes[a].type, shape, mask));
}

/* Sum over rows (if any) of y x^T: [out,in]. */
static sl_node outer_rows(sl__graph *g, sl_node y, sl_node x, const sl__node *like) {
  if (!y || !x) return 0;
  const int32_t out = g->nodes[y].shape.size[0], in = g->nodes[x].shape.size[0];
  if (!g->nodes[y].batched && !g->nodes[x].batched) {
    const sl_node column = op_reshape(g, y, sl__shape2(out, 1));
    const sl_node row = op_reshape(g, x, sl__shape2(1, in));
    return within_staircase(g, op_multiply(g, column, row), like);
  }
  y = op_rows(g, y);
  x = op_rows(g, x);
  if (!y || !x) return 0;
  return sl__node_add(g, (sl__node){.operation = SL__OP_OUTER_ROWS,
                                    .type = g->nodes[y].type,
                                    .operands = 2,
                                    .operand = {y, x},
                                    .shape = sl__shape2(out, in),
                                    .data = like->data,
                                    .data_bytes = like->data_bytes});
}

void sl__gradient_linear(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node];
  sl__contribute(tape, n.operand[0], outer_rows(g, dy, n.operand[1], &n));
  sl__contribute(tape, n.operand[1], linear_transposed(g, n.operand[0], dy, &n));
  if (n.operands == 3) sl__contribute(tape, n.operand[2], dy);
}

void sl__gradient_linear_transposed(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node]; /* y = W^T x */
  sl__contribute(tape, n.operand[0], outer_rows(g, n.operand[1], dy, &n));
  sl__contribute(tape, n.operand[1], op_linear(g, n.operand[0], 0, dy, n.data));
  if (n.operands == 3) sl__contribute(tape, n.operand[2], dy);
}

void sl__gradient_outer_rows(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node]; /* Y = sum a b^T, zero beyond the staircase whatever dy is */
  const sl_node inside = within_staircase(g, dy, &n);
  sl__contribute(tape, n.operand[0], op_linear(g, inside, 0, n.operand[1], n.data));
  sl__contribute(tape, n.operand[1], linear_transposed(g, inside, n.operand[0], &n));
}

/* ---- products of matrices ---- */

/* A dot product of so few shared numbers is written in elementwise terms, which are done together
 * for all layers that have one (group.c). */
enum { FEW_TERMS = 8 };

sl_node op_matmul(sl__graph *g, sl_node a, sl_node b) {
  if (!a || !b || !is_matrix(g, a, "matmul")) return 0;
  const sl_shape sa = g->nodes[a].shape, sb = g->nodes[b].shape;
  if (sb.dims < 1 || sb.dims > 2 || sb.size[0] != sa.size[1] ||
      g->nodes[a].type != g->nodes[b].type) {
    return sl__graph_refuse(g, SL_BAD_ARGUMENT,
                            "matmul: [%d,%d] times a value whose first size is %d", sa.size[0],
                            sa.size[1], sb.dims ? sb.size[0] : 0);
  }
  if (sb.dims == 1) {
    const bool shared = !g->nodes[a].batched && !g->nodes[b].batched;
    if (shared && sa.size[0] == 1 && sa.size[1] <= FEW_TERMS)
      return op_sum(g, op_multiply(g, a, b), 1);
    if (!g->nodes[a].batched) return op_linear(g, a, 0, b, NULL);
    return op_reshape(g, op_matmul(g, a, op_reshape(g, b, sl__shape2(sb.size[0], 1))),
                      sl__shape1(sa.size[0]));
  }
  return sl__node_add(g, (sl__node){.operation = SL__OP_MATMUL,
                                    .type = g->nodes[a].type,
                                    .batched = g->nodes[a].batched || g->nodes[b].batched,
                                    .operands = 2,
                                    .operand = {a, b},
                                    .shape = sl__shape2(sa.size[0], sb.size[1])});
}

void sl__gradient_matmul(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node];
  sl__contribute(tape, n.operand[0], op_matmul(g, dy, op_transpose(g, n.operand[1])));
  sl__contribute(tape, n.operand[1], op_matmul(g, op_transpose(g, n.operand[0]), dy));
}

/* ---- small dense linear algebra ---- */

static bool is_square(sl__graph *g, sl_node a, const char *what) {
  if (!is_matrix(g, a, what)) return false;
  if (g->nodes[a].shape.size[0] == g->nodes[a].shape.size[1]) return true;
  sl__graph_refuse(g, SL_BAD_ARGUMENT, "%s: a square matrix is needed, not [%d,%d]", what,
                   g->nodes[a].shape.size[0], g->nodes[a].shape.size[1]);
  return false;
}

static sl_node masked(sl__graph *g, sl_node a, int low, int high) { /* keeps low <= i - j <= high */
  const sl_shape shape = g->nodes[a].shape;
  const int32_t n = shape.size[0];
  double *mask = sl__arena_take(&g->arena, (size_t)n * (size_t)n, sizeof *mask);
  if (!mask) return sl__out_of_memory(g);
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) mask[i * (int64_t)n + j] = i - j >= low && i - j <= high;
  }
  return op_multiply(g, a, op_constant(g, (sl_dtype)g->nodes[a].type, shape, mask));
}

sl_node op_lower(sl__graph *g, sl_node a, int diagonal) {
  if (!a || !is_square(g, a, "lower")) return 0;
  return masked(g, a, -diagonal, g->nodes[a].shape.size[0]);
}

static sl_node upper(sl__graph *g, sl_node a, bool strictly) {
  return a ? masked(g, a, -g->nodes[a].shape.size[0], strictly ? -1 : 0) : 0;
}

sl_node op_diagonal(sl__graph *g, sl_node a) {
  if (!a || !is_square(g, a, "diagonal")) return 0;
  const int32_t n = g->nodes[a].shape.size[0];
  return op_slice(g, op_reshape(g, a, sl__shape1(n * n)), 0, 0, n, n + 1);
}

sl_node op_diagonal_matrix(sl__graph *g, sl_node a) {
  if (!a) return 0;
  if (g->nodes[a].shape.dims != 1)
    return sl__graph_refuse(g, SL_BAD_ARGUMENT, "diagonal_matrix: a vector is needed");
  const int32_t n = g->nodes[a].shape.size[0];
  return masked(g, op_broadcast(g, a, sl__shape2(n, n)), 0, 0);
}

sl_node op_triangular_solve(sl__graph *g, sl_node t, sl_node b, bool upper_triangle,
                            bool transposed, bool unit_diagonal) {
  if (!t || !b || !is_square(g, t, "triangular_solve")) return 0;
  const sl_shape sb = g->nodes[b].shape;
  if (sb.dims < 1 || sb.dims > 2 || sb.size[0] != g->nodes[t].shape.size[0]) {
    return sl__graph_refuse(g, SL_BAD_ARGUMENT,
                            "triangular_solve: a right-hand side of %d for a matrix of %d",
                            sb.dims ? sb.size[0] : 0, g->nodes[t].shape.size[0]);
  }
  if (g->nodes[t].type != g->nodes[b].type) {
    return sl__graph_refuse(g, SL_BAD_ARGUMENT,
                            "triangular_solve: operands of different element types; cast one");
  }
  if (g->nodes[t].batched && !g->nodes[b].batched) b = op_rows(g, b);
  t = sl__contiguous(g, t);
  b = sl__contiguous(g, b);
  if (!t || !b) return 0;
  return sl__node_add(g, (sl__node){.operation = SL__OP_TRIANGULAR_SOLVE,
                                    .type = g->nodes[b].type,
                                    .batched = g->nodes[b].batched,
                                    .operands = 2,
                                    .operand = {t, b},
                                    .shape = sb,
                                    .integer = {upper_triangle, transposed, unit_diagonal}});
}

void sl__gradient_triangular_solve(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node]; /* op(T) y = b: db = op(T)^-T dy, d op(T) = -db y^T */
  const sl_node db =
      op_triangular_solve(g, n.operand[0], dy, n.integer[0], !n.integer[1], n.integer[2]);
  if (!db) return;
  sl__contribute(tape, n.operand[1], db);
  const sl__node dense = {0};
  const sl_node left = n.integer[1] ? node : db, right = n.integer[1] ? db : node;
  sl_node dt;
  if (n.shape.dims == 1 && !g->nodes[n.operand[0]].batched) {
    dt = outer_rows(g, left, right, &dense);
  } else {
    const sl_shape columns = n.shape.dims == 1 ? sl__shape2(n.shape.size[0], 1) : n.shape;
    dt = op_matmul(g, op_reshape(g, left, columns), op_transpose(g, op_reshape(g, right, columns)));
  }
  dt = op_negate(g, dt);
  sl__contribute(tape, n.operand[0],
                 n.integer[0] ? upper(g, dt, n.integer[2])
                              : op_lower(g, dt, n.integer[2] ? -1 : 0));
}

sl_node op_cholesky(sl__graph *g, sl_node a) {
  if (!a || !is_square(g, a, "cholesky")) return 0;
  a = sl__contiguous(g, a);
  if (!a) return 0;
  return sl__node_add(g, (sl__node){.operation = SL__OP_CHOLESKY,
                                    .type = g->nodes[a].type,
                                    .batched = g->nodes[a].batched,
                                    .operands = 1,
                                    .operand = {a},
                                    .shape = g->nodes[a].shape});
}

/* X^T for op(T) X = B solved from the left: B T^-1 = (T^-T B^T)^T. */
static sl_node solve_from_right(sl__graph *g, sl_node b, sl_node lower) {
  const sl_node solved = op_triangular_solve(g, lower, op_transpose(g, b), false, true, false);
  return solved ? op_transpose(g, solved) : 0;
}

void sl__gradient_cholesky(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  /* Murray 2016, "Differentiation of the Cholesky decomposition", eq. 10: dA = L^-T phi(L^T dL)
   * L^-1, symmetrised, phi keeping the lower triangle with a halved diagonal. Only the lower
   * triangle of A is read, yet the symmetric form is what a symmetric A needs. */
  const sl_node product = op_matmul(g, op_transpose(g, node), dy);
  if (!product) return;
  const sl_node phi =
      op_subtract(g, op_lower(g, product, 0), op_scale(g, masked(g, product, 0, 0), 0.5));
  const sl_node left = op_triangular_solve(g, node, phi, false, true, false);
  if (!left) return;
  const sl_node da = solve_from_right(g, left, node);
  if (!da) return;
  sl__contribute(tape, g->nodes[node].operand[0],
                 op_scale(g, op_add(g, da, op_transpose(g, da)), 0.5));
}

static sl_node add_qr(sl__graph *g, sl__operation operation, sl_node a) {
  if (!a || !is_matrix(g, a, "qr")) return 0;
  const int32_t m = g->nodes[a].shape.size[0], n = g->nodes[a].shape.size[1];
  if (m < n)
    return sl__graph_refuse(g, SL_BAD_ARGUMENT, "qr: [%d,%d] has fewer rows than columns", m, n);
  a = sl__contiguous(g, a);
  if (!a) return 0;
  return sl__node_add(g, (sl__node){.operation = (uint8_t)operation,
                                    .type = g->nodes[a].type,
                                    .batched = g->nodes[a].batched,
                                    .operands = 1,
                                    .operand = {a},
                                    .shape = sl__shape2(operation == SL__OP_QR_Q ? m : n, n)});
}

sl_node op_qr_q(sl__graph *g, sl_node a) {
  return add_qr(g, SL__OP_QR_Q, a);
}
sl_node op_qr_r(sl__graph *g, sl_node a) {
  return add_qr(g, SL__OP_QR_R, a);
}

/* Walter & Lehmann 2010/2018, "Algorithmic differentiation of the thin QR decomposition": with
 * M = R dR^T - dQ^T Q, dA = (dQ + Q copyltu(M)) R^-T, copyltu mirroring the lower triangle. */
static void contribute_qr(sl__tape *tape, sl__graph *g, sl_node a, sl_node dq, sl_node m) {
  const sl_node q = op_qr_q(g, a), r = op_qr_r(g, a);
  if (!q || !r || !m) return;
  const sl_node strict = op_lower(g, m, -1);
  if (!strict) return;
  const sl_node mirrored = op_add(g, op_lower(g, m, 0), op_transpose(g, strict));
  sl_node b = op_matmul(g, q, mirrored);
  if (dq) b = op_add(g, dq, b);
  if (!b) return;
  const sl_node solved =
      op_triangular_solve(g, r, op_transpose(g, b), true, false, false); /* R X^T = B^T */
  if (solved) sl__contribute(tape, a, op_transpose(g, solved));
}

void sl__gradient_qr_q(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  contribute_qr(tape, g, g->nodes[node].operand[0], dy,
                op_negate(g, op_matmul(g, op_transpose(g, dy), node)));
}

void sl__gradient_qr_r(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  contribute_qr(tape, g, g->nodes[node].operand[0], 0, op_matmul(g, node, op_transpose(g, dy)));
}
