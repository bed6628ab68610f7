/* Shape operations: views where they can be, copies where not; and their derivatives. */
#include "graph/operations.h"

#include <string.h>

int sl__axis(sl__graph *g, sl_node a, int axis) {
  const int dims = g->nodes[a].shape.dims;
  const int counted = axis < 0 ? axis + dims : axis;
  if (counted >= 0 && counted < dims) return counted;
  sl__graph_refuse(g, SL_BAD_ARGUMENT, "axis %d of a value with %d dimensions", axis, dims);
  return -1;
}

/* A view of a: the caller has changed shape, offset and stride of the copy it passes. */
static sl_node add_view(sl__graph *g, sl__operation operation, sl_node a, sl__node n,
                        const int32_t integer[4]) {
  n.operation = (uint8_t)operation;
  n.elementwise = 0;
  n.operands = 1;
  n.operand[0] = a;
  n.operand[1] = n.operand[2] = 0;
  n.attribute = 0;
  n.data = NULL;
  n.data_bytes = 0;
  memset(n.integer, 0, sizeof n.integer);
  if (integer) memcpy(n.integer, integer, sizeof n.integer);
  return sl__node_add(g, n);
}

sl_node sl__contiguous(sl__graph *g, sl_node a) {
  if (!a || sl__node_is_contiguous(&g->nodes[a])) return a;
  return sl__op_elementwise(g, SL__EW_copy, a, 0, 0, 0);
}

sl_node op_stop_gradient(sl__graph *g, sl_node a) {
  if (!a) return 0;
  return add_view(g, SL__OP_STOP_GRADIENT, a, g->nodes[a], NULL);
}

/* Axes of size 1 come and go whatever the strides are. Whether the shapes differ in nothing else;
 * then the strides of the new one. */
static bool reshape_strides(const sl__node *n, sl_shape shape, int64_t stride[SL__MAX_DIMS]) {
  int from = 0;
  for (int d = 0; d < shape.dims; d++) {
    stride[d] = 0;
    if (shape.size[d] == 1) continue;
    while (from < n->shape.dims && n->shape.size[from] == 1) from++;
    if (from == n->shape.dims || n->shape.size[from] != shape.size[d]) return false;
    stride[d] = n->stride[from++];
  }
  while (from < n->shape.dims && n->shape.size[from] == 1) from++;
  return from == n->shape.dims;
}

sl_node op_reshape(sl__graph *g, sl_node a, sl_shape shape) {
  if (!a) return 0;
  int64_t strides[SL__MAX_DIMS];
  if (!sl__node_is_contiguous(&g->nodes[a]) && reshape_strides(&g->nodes[a], shape, strides)) {
    sl__node n = g->nodes[a];
    n.shape = shape;
    memcpy(n.stride, strides, (size_t)shape.dims * sizeof *strides);
    return add_view(g, SL__OP_RESHAPE, a, n, NULL);
  }
  a = sl__contiguous(g, a);
  if (!a) return 0;
  sl__node n = g->nodes[a];
  if (sl__shape_count(n.shape) != sl__shape_count(shape)) {
    return sl__graph_refuse(g, SL_BAD_ARGUMENT, "reshape of %lld numbers to %lld",
                            (long long)sl__shape_count(n.shape), (long long)sl__shape_count(shape));
  }
  if (n.shape.dims == shape.dims &&
      memcmp(n.shape.size, shape.size, (size_t)shape.dims * sizeof *shape.size) == 0)
    return a;
  n.shape = shape;
  int64_t stride = 1;
  for (int d = shape.dims - 1; d >= 0; d--) {
    n.stride[d] = stride;
    stride *= shape.size[d];
  }
  return add_view(g, SL__OP_RESHAPE, a, n, NULL);
}

void sl__gradient_reshape(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl_node a = g->nodes[node].operand[0];
  sl__contribute(tape, a, op_reshape(g, dy, g->nodes[a].shape));
}

sl_node op_slice(sl__graph *g, sl_node a, int axis, int32_t begin, int32_t count, int32_t stride) {
  if (!a || (axis = sl__axis(g, a, axis)) < 0) return 0;
  sl__node n = g->nodes[a];
  if (begin < 0 || count < 1 || stride < 1 ||
      begin + (int64_t)(count - 1) * stride >= n.shape.size[axis]) {
    return sl__graph_refuse(g, SL_BAD_ARGUMENT, "slice %d+%d by %d of an axis of %d", begin, count,
                            stride, n.shape.size[axis]);
  }
  if (begin == 0 && count == n.shape.size[axis]) return a;
  n.offset += begin * n.stride[axis];
  n.stride[axis] *= stride;
  n.shape.size[axis] = count;
  return add_view(g, SL__OP_SLICE, a, n, (int32_t[4]){axis, begin, count, stride});
}

void sl__gradient_slice(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  sl__contribute_piece(tape, g->nodes[node].operand[0], dy, g->nodes[node].integer);
}

sl_node op_element(sl__graph *g, sl_node a, int axis, int32_t index) {
  if (!a || (axis = sl__axis(g, a, axis)) < 0) return 0;
  const sl_node slice = op_slice(g, a, axis, index, 1, 1);
  if (!slice) return 0;
  sl__node n = g->nodes[slice]; /* dropping an axis of size 1 is a view whatever the strides are */
  for (int d = axis; d + 1 < n.shape.dims; d++) {
    n.shape.size[d] = n.shape.size[d + 1];
    n.stride[d] = n.stride[d + 1];
  }
  n.shape.dims--;
  return add_view(g, SL__OP_RESHAPE, slice, n, NULL);
}

sl_node op_transpose(sl__graph *g, sl_node a) {
  if (!a) return 0;
  sl__node n = g->nodes[a];
  const int last = n.shape.dims - 1;
  if (last < 1)
    return sl__graph_refuse(g, SL_BAD_ARGUMENT, "transpose of a value with %d dimensions",
                            last + 1);
  const int32_t size = n.shape.size[last];
  n.shape.size[last] = n.shape.size[last - 1];
  n.shape.size[last - 1] = size;
  const int64_t stride = n.stride[last];
  n.stride[last] = n.stride[last - 1];
  n.stride[last - 1] = stride;
  return add_view(g, SL__OP_TRANSPOSE, a, n, NULL);
}

void sl__gradient_transpose(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  sl__contribute(tape, g->nodes[node].operand[0], op_transpose(g, dy));
}

sl_node op_broadcast(sl__graph *g, sl_node a, sl_shape shape) {
  if (!a) return 0;
  sl__node n = g->nodes[a];
  if (n.shape.dims == shape.dims &&
      memcmp(n.shape.size, shape.size, (size_t)shape.dims * sizeof *shape.size) == 0)
    return a;
  const int missing = shape.dims - n.shape.dims;
  sl__node wide = n;
  wide.shape = shape;
  for (int d = 0; d < shape.dims; d++) {
    const int from = d - missing;
    const int32_t size = from < 0 ? 1 : n.shape.size[from];
    if (missing < 0 || (size != 1 && size != shape.size[d])) {
      return sl__graph_refuse(g, SL_BAD_ARGUMENT, "shapes do not broadcast: size %d against %d",
                              size, shape.size[d]);
    }
    wide.stride[d] = size == 1 ? 0 : n.stride[from];
  }
  return add_view(g, SL__OP_BROADCAST, a, wide, NULL);
}

/* Sums over the axes that broadcasting made. */
static sl_node sum_to(sl__graph *g, sl_node a, sl_shape shape) {
  while (a && g->nodes[a].shape.dims > shape.dims) a = op_sum(g, a, 0);
  for (int d = 0; a && d < shape.dims; d++) {
    if (shape.size[d] == 1 && g->nodes[a].shape.size[d] != 1) {
      sl_shape kept = g->nodes[a].shape;
      kept.size[d] = 1;
      a = op_reshape(g, op_sum(g, a, d), kept);
    }
  }
  return a;
}

void sl__gradient_broadcast(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl_node a = g->nodes[node].operand[0];
  sl__contribute(tape, a, sum_to(g, dy, g->nodes[a].shape));
}

/* ---- copies ---- */

sl_node op_concatenate(sl__graph *g, int count, const sl_node *parts, int axis) {
  if (g->status != SL_OK || count < 1)
    return count < 1 ? sl__graph_refuse(g, SL_BAD_ARGUMENT, "concatenation of nothing") : 0;
  if (count == 1) return parts[0];
  for (int i = 0; i < count; i++) {
    if (!parts[i]) return 0;
  }
  if ((axis = sl__axis(g, parts[0], axis)) < 0) return 0;
  sl_node *list = sl__arena_take(&g->arena, (size_t)count, sizeof *list);
  if (!list) return sl__out_of_memory(g);
  sl__node n = {.operation = SL__OP_CONCATENATE,
                .type = g->nodes[parts[0]].type,
                .shape = g->nodes[parts[0]].shape,
                .integer = {axis},
                .data = list,
                .data_bytes = count * (int64_t)sizeof *list};
  n.shape.size[axis] = 0;
  for (int i = 0; i < count; i++) n.batched |= g->nodes[parts[i]].batched;
  for (int i = 0; i < count; i++) {
    sl_node part = parts[i];
    const sl__node *p = &g->nodes[part];
    bool fits = p->shape.dims == n.shape.dims && p->type == n.type;
    for (int d = 0; fits && d < n.shape.dims; d++)
      fits = d == axis || p->shape.size[d] == n.shape.size[d];
    if (!fits)
      return sl__graph_refuse(g, SL_BAD_ARGUMENT,
                              "concatenation of values of different shapes or types");
    n.shape.size[axis] += p->shape.size[axis];
    if (n.batched && !p->batched) part = op_rows(g, part);
    list[i] = sl__contiguous(g, part);
    if (!list[i]) return 0;
  }
  return sl__node_add(g, n);
}

void sl__gradient_concatenate(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const int axis = g->nodes[node].integer[0];
  const sl_node *parts = g->nodes[node].data;
  const int64_t count = g->nodes[node].data_bytes / (int64_t)sizeof *parts;
  int32_t begin = 0;
  for (int64_t i = 0; i < count; i++) {
    const int32_t size = g->nodes[parts[i]].shape.size[axis];
    sl__contribute(tape, parts[i], op_slice(g, dy, axis, begin, size, 1));
    begin += size;
  }
}

static sl_node add_indexed(sl__graph *g, sl__operation operation, sl_node a, int axis,
                           int32_t count, int32_t indices, const int32_t *index) {
  a = sl__contiguous(g, a);
  if (!a) return 0;
  sl__node n = {.operation = (uint8_t)operation,
                .type = g->nodes[a].type,
                .batched = g->nodes[a].batched,
                .operands = 1,
                .operand = {a},
                .shape = g->nodes[a].shape,
                .integer = {axis},
                .data = index,
                .data_bytes = indices * (int64_t)sizeof *index};
  n.shape.size[axis] = count;
  return sl__node_add_borrowed(g, n);
}

sl_node op_gather(sl__graph *g, sl_node a, int axis, int32_t count, const int32_t *index) {
  if (!a || (axis = sl__axis(g, a, axis)) < 0) return 0;
  for (int32_t i = 0; i < count; i++) {
    if (index[i] < 0 || index[i] >= g->nodes[a].shape.size[axis]) {
      return sl__graph_refuse(g, SL_BAD_ARGUMENT, "gather: index %d outside an axis of %d",
                              index[i], g->nodes[a].shape.size[axis]);
    }
  }
  return add_indexed(g, SL__OP_GATHER, a, axis, count, count, index);
}

sl_node sl__scatter(sl__graph *g, sl_node a, int axis, int32_t count, int32_t indices,
                    const int32_t *index) {
  return add_indexed(g, SL__OP_SCATTER, a, axis, count, indices, index);
}

void sl__gradient_gather(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node];
  const int axis = n.integer[0];
  sl__contribute(tape, n.operand[0],
                 sl__scatter(g, dy, axis, g->nodes[n.operand[0]].shape.size[axis],
                             n.shape.size[axis], n.data));
}

void sl__gradient_scatter(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node];
  const int axis = n.integer[0];
  sl__contribute(tape, n.operand[0],
                 op_gather(g, dy, axis, g->nodes[n.operand[0]].shape.size[axis], n.data));
}

/* ---- one index per row ---- */

static sl_shape without_axis(sl_shape shape, int axis) {
  for (int d = axis; d + 1 < shape.dims; d++) shape.size[d] = shape.size[d + 1];
  shape.dims--;
  return shape;
}

static bool fits_without_axis(sl__graph *g, sl_node a, sl_node b, int axis, const char *what) {
  const sl_shape need = without_axis(g->nodes[a].shape, axis), have = g->nodes[b].shape;
  if (need.dims == have.dims &&
      memcmp(need.size, have.size, (size_t)need.dims * sizeof *need.size) == 0 &&
      g->nodes[a].type == g->nodes[b].type) {
    return true;
  }
  sl__graph_refuse(
      g, SL_BAD_ARGUMENT,
      "%s: the second operand must have the first's type and its shape without axis %d", what,
      axis);
  return false;
}

static sl_node add_indexing(sl__graph *g, sl__operation operation, sl_node a, sl_node b, int axis,
                            sl_shape shape) {
  const bool batched = g->nodes[a].batched || g->nodes[b].batched;
  if (batched && !g->nodes[a].batched) a = op_rows(g, a);
  if (batched && !g->nodes[b].batched) b = op_rows(g, b);
  a = sl__contiguous(g, a);
  b = sl__contiguous(g, b);
  if (!a || !b) return 0;
  return sl__node_add(g, (sl__node){.operation = (uint8_t)operation,
                                    .type = g->nodes[a].type,
                                    .batched = batched,
                                    .operands = 2,
                                    .operand = {a, b},
                                    .shape = shape,
                                    .integer = {axis}});
}

sl_node op_take(sl__graph *g, sl_node a, sl_node index, int axis) {
  if (!a || !index || (axis = sl__axis(g, a, axis)) < 0 ||
      !fits_without_axis(g, a, index, axis, "take"))
    return 0;
  return add_indexing(g, SL__OP_TAKE, a, index, axis, without_axis(g->nodes[a].shape, axis));
}

/* x at index along a new axis of `size`, zeros elsewhere: the transpose of take. */
static sl_node put(sl__graph *g, sl_node x, sl_node index, int axis, sl_shape shape) {
  if (!x || !index) return 0;
  return add_indexing(g, SL__OP_PUT, x, index, axis, shape);
}

sl_node op_search(sl__graph *g, sl_node knots, sl_node x, int axis) {
  if (!knots || !x || (axis = sl__axis(g, knots, axis)) < 0 ||
      !fits_without_axis(g, knots, x, axis, "search"))
    return 0;
  return add_indexing(g, SL__OP_SEARCH, knots, x, axis, g->nodes[x].shape);
}

void sl__gradient_take(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node];
  sl__contribute(tape, n.operand[0],
                 put(g, dy, n.operand[1], n.integer[0], g->nodes[n.operand[0]].shape));
}

void sl__gradient_put(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl__node n = g->nodes[node];
  sl__contribute(tape, n.operand[0], op_take(g, dy, n.operand[1], n.integer[0]));
}

/* ---- types and rows ---- */

sl_node op_cast(sl__graph *g, sl_node a, sl_dtype type) {
  if (!a || g->nodes[a].type == type) return a;
  a = sl__contiguous(g, a);
  if (!a) return 0;
  return sl__node_add(g, (sl__node){.operation = SL__OP_CAST,
                                    .type = (uint8_t)type,
                                    .batched = g->nodes[a].batched,
                                    .operands = 1,
                                    .operand = {a},
                                    .shape = g->nodes[a].shape});
}

void sl__gradient_cast(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  const sl_node a = g->nodes[node].operand[0];
  sl__contribute(tape, a, op_cast(g, dy, (sl_dtype)g->nodes[a].type));
}

sl_node op_rows(sl__graph *g, sl_node a) {
  if (!a || g->nodes[a].batched) return a;
  a = sl__contiguous(g, a);
  if (!a) return 0;
  return sl__node_add(g, (sl__node){.operation = SL__OP_ROWS,
                                    .type = g->nodes[a].type,
                                    .batched = true,
                                    .operands = 1,
                                    .operand = {a},
                                    .shape = g->nodes[a].shape});
}

void sl__gradient_rows(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  sl__contribute(tape, g->nodes[node].operand[0], op_sum_rows(g, dy));
}
