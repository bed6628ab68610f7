/* Constants, and the folding of elementwise operations on few of them as they are made: whoever
 * traces a program can compute with op_... calls as with numbers. The kernels are those that would
 * run, so that a folded constant has the bits of one computed later. */
#include <string.h>

#include "graph/node.h"
#include "kernels/kernels.h"

enum { MOST_FOLDED = 64 }; /* numbers of a result */

sl_node op_constant(sl__graph *g, sl_dtype type, sl_shape shape, const double *values) {
  if (g->status != SL_OK) return 0;
  const int64_t bytes = sl__shape_count(shape) * (int64_t)sizeof *values;
  return sl__node_add_borrowed(g, (sl__node){.operation = SL__OP_CONSTANT,
                                             .type = (uint8_t)type,
                                             .shape = shape,
                                             .data = values,
                                             .data_bytes = bytes});
}

sl_node op_number(sl__graph *g, sl_dtype type, double value) {
  return op_constant(g, type, sl__scalar_shape(), &value);
}

sl_node sl__zeros(sl__graph *g, sl_dtype type, sl_shape shape) {
  return op_broadcast(g, op_number(g, type, 0.0), shape);
}

void sl__copy_view(const sl__node *view, sl_shape shape, const double *root, double *out) {
  const int missing = shape.dims - view->shape.dims;
  int64_t stride[SL__MAX_DIMS] = {0};
  for (int d = missing; d < shape.dims; d++) {
    const int from = d - missing;
    stride[d] = view->shape.size[from] == 1 ? 0 : view->stride[from];
  }
  const int64_t count = sl__shape_count(shape);
  int32_t index[SL__MAX_DIMS] = {0};
  int64_t at = view->offset;
  for (int64_t i = 0; i < count; i++) {
    out[i] = root[at];
    for (int d = shape.dims - 1; d >= 0; d--) {
      at += stride[d];
      if (++index[d] < shape.size[d]) break;
      at -= stride[d] * shape.size[d];
      index[d] = 0;
    }
  }
}

/* The kernel on `count` numbers that are kept as doubles; operands that it has not are NULL. */
static void compute(const sl__graph *g, const sl__node *n, int64_t count, double *const operand[3],
                    double *result) {
  const sl__kernels *kernels = sl__kernels_for(g->context->cpu_features, (sl_dtype)n->type);
  const sl__elementwise_kernel kernel = kernels->elementwise[n->elementwise];
  if (n->type == SL_F64) {
    kernel(count, result, operand[0], operand[1], operand[2], 0, n->attribute);
    return;
  }
  float narrow[3][MOST_FOLDED], made[MOST_FOLDED];
  for (int k = 0; k < n->operands; k++) {
    for (int64_t i = 0; i < count; i++) narrow[k][i] = (float)operand[k][i];
  }
  kernel(count, made, narrow[0], operand[1] ? narrow[1] : NULL, operand[2] ? narrow[2] : NULL, 0,
         n->attribute);
  for (int64_t i = 0; i < count; i++) result[i] = (double)made[i];
}

sl_node sl__fold_elementwise(sl__graph *g, const sl__node *n) {
  for (int k = 0; k < n->operands; k++) {
    if (g->nodes[g->nodes[n->operand[k]].root].operation != SL__OP_CONSTANT) return 0;
  }
  const int64_t count = sl__shape_count(n->shape);
  if (g->status != SL_OK || count > MOST_FOLDED) return 0;
  double numbers[3][MOST_FOLDED], result[MOST_FOLDED], *operand[3] = {NULL, NULL, NULL};
  for (int k = 0; k < n->operands; k++) {
    const sl__node *view = &g->nodes[n->operand[k]];
    operand[k] = numbers[k];
    sl__copy_view(view, n->shape, g->nodes[view->root].data, operand[k]);
  }
  compute(g, n, count, operand, result);
  return op_constant(g, (sl_dtype)n->type, n->shape, result);
}
