/* The operation "eigen": of a symmetric matrix [n,n], its eigenvalues as the first row and its
 * eigenvectors as the columns of the n rows below, [n + 1, n].
 *
 * Derivative (Giles 2008, section 3.1): with dL and dQ the derivatives by values and vectors,
 * dA = Q (diag(dL) + F * (Q'dQ)) Q', F_ij = 1 / (l_j - l_i) beside the diagonal. Equal eigenvalues
 * have no derivatives of their vectors: there F is 0, so that functions of the values alone, or of
 * the space that such vectors span, keep theirs. */
#include "kernels/eigen.h"

#include "graph/operations.h"

sl_node op_eigen(sl__graph *g, sl_node a) {
  if (!a || g->status != SL_OK) return 0;
  const sl__node *from = &g->nodes[a];
  const sl_shape shape = from->shape;
  if (shape.dims != 2 || shape.size[0] != shape.size[1])
    return sl__graph_refuse(g, SL_BAD_ARGUMENT, "eigen: a square matrix is needed");
  const sl__node n = {.operation = SL__OP_EIGEN,
                      .type = from->type,
                      .batched = from->batched,
                      .shape = sl__shape2(shape.size[0] + 1, shape.size[0]),
                      .operands = 1,
                      .operand = {a}};
  return sl__node_add(g, n);
}

void sl__gradient_eigen(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const int32_t n = g->nodes[node].shape.size[1];
  const sl_dtype type = (sl_dtype)g->nodes[node].type;
  const sl_node q = op_slice(g, node, 0, 1, n, 1), transposed = op_transpose(g, q);
  const sl_node values = op_slice(g, node, 0, 0, 1, 1); /* [1,n] */
  const sl_node gap = op_subtract(g, values, op_transpose(g, values));
  const sl_node zero = op_number(g, type, 0), same = op_equal(g, gap, zero);
  const sl_node f =
      op_select(g, same, zero, op_reciprocal(g, op_select(g, same, op_number(g, type, 1), gap)));
  const sl_node turned = op_matmul(g, transposed, op_slice(g, dy, 0, 1, n, 1));
  const sl_node along = op_diagonal_matrix(g, op_element(g, dy, 0, 0));
  const sl_node middle = op_add(g, along, op_multiply(g, f, turned));
  const sl_node whole = op_matmul(g, op_matmul(g, q, middle), transposed);
  const sl_node both = op_add(g, whole, op_transpose(g, whole));
  if (both) sl__contribute(tape, g->nodes[node].operand[0], op_scale(g, both, 0.5));
}

size_t sl__eigen_scratch(const sl__frame *f, const sl__step *s) {
  const int64_t n = sl__operand_value(f, s, 0)->shape.size[0];
  return (size_t)((2 * n + 1) * n) * sizeof(double) + 64;
}

/* Lane by lane: one matrix is copied out, decomposed, and its numbers put back. */
void sl__run_eigen(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const sl__value *y = sl__output_value(f, s), *x = sl__operand_value(f, s, 0);
  const int64_t n = x->shape.size[0], lanes = sl__lanes(f, y);
  double *a = f->scratch, *values = a + n * n, *vectors = values + n; /* [n+1,n] as the result */
  void *to = sl__address(f, y);
  const void *from = sl__address(f, x);
  for (int64_t lane = 0; lane < lanes; lane++) {
    for (int64_t i = 0; i < n * n; i++)
      a[i] = x->type == SL_F32 ? (double)((const float *)from)[i * lanes + lane]
                               : ((const double *)from)[i * lanes + lane];
    sl__symmetric_eigen(n, a, values, vectors);
    for (int64_t i = 0; i < (n + 1) * n; i++) {
      if (y->type == SL_F32)
        ((float *)to)[i * lanes + lane] = (float)values[i];
      else
        ((double *)to)[i * lanes + lane] = values[i];
    }
  }
}
