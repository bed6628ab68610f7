/* Where the numbers of the old graph are in the new one, and nodes that have any of them in any
 * order: a constant where all are known, a slice or a gather where they come from one node, else a
 * concatenation of such pieces. */
#include <stdlib.h>
#include <string.h>

#include "graph/group.h"

/* ---- looking up ---- */

static bool is_stopped(const sl__graph *g, sl_node node) {
  for (; sl__operations[g->nodes[node].operation].kind == SL__KIND_VIEW;
       node = g->nodes[node].operand[0]) {
    if (g->nodes[node].operation == SL__OP_STOP_GRADIENT) return true;
  }
  return false;
}

void sl__list_elements(sl__grouping *p, sl_node node, sl__element *out) {
  const sl__node n = p->g->nodes[node];
  const sl__image image = p->image[n.root];
  const bool stopped = is_stopped(p->g, node);
  const int64_t count = sl__shape_count(n.shape);
  int32_t index[SL__MAX_DIMS] = {0};
  int64_t at = n.offset;
  sl__element last = {0, 0}; /* the source last seen, and what stands for it */
  for (int64_t i = 0; i < count; i++) {
    sl__element e = {image.source, image.at + (uint32_t)at};
    if (image.list) e = image.list[at];
    if (stopped) {
      if (e.source != last.source) last = (sl__element){e.source, op_stop_gradient(p->g, e.source)};
      e.source = last.at;
    }
    out[i] = e;
    for (int d = n.shape.dims - 1; d >= 0; d--) {
      at += n.stride[d];
      if (++index[d] < n.shape.size[d]) break;
      at -= n.stride[d] * n.shape.size[d];
      index[d] = 0;
    }
  }
}

sl__element *sl__element_room(sl__grouping *p, size_t count) {
  if (count <= p->element_capacity) return p->element;
  sl__free(&p->g->context->allocator, p->element);
  p->element_capacity = 0;
  p->element = sl__allocate(p->g->context, count * 2, sizeof *p->element);
  if (p->element) p->element_capacity = count * 2;
  return p->element;
}

bool sl__is_known_element(const sl__grouping *p, sl__element e) {
  return p->g->nodes[p->g->nodes[e.source].root].operation == SL__OP_CONSTANT;
}

void sl__set_images(sl__grouping *p, const sl_node *member, int64_t count, sl_node source) {
  uint32_t at = 0;
  for (int64_t m = 0; m < count; m++) {
    p->image[member[m]] = (sl__image){.source = source, .at = at};
    at += (uint32_t)sl__shape_count(p->g->nodes[member[m]].shape);
  }
}

/* ---- vectors of given elements ---- */

static sl_node flat(sl__graph *g, sl_node source) {
  if (!source) return 0;
  return op_reshape(g, source, sl__shape1((int32_t)sl__shape_count(g->nodes[source].shape)));
}

static sl_node constant_of(sl__grouping *p, const sl__element *e, int64_t count) {
  double *values = sl__arena_take(&p->arena, (size_t)count, sizeof *values);
  if (!values) return sl__out_of_memory(p->g);
  for (int64_t i = 0; i < count; i++) { /* a constant is dense, and so are all views of sources */
    const sl__node *n = &p->g->nodes[e[i].source];
    values[i] = ((const double *)p->g->nodes[n->root].data)[n->offset + e[i].at];
  }
  return op_constant(p->g, (sl_dtype)p->g->nodes[e[0].source].type, sl__shape1((int32_t)count),
                     values);
}

/* All of one source. */
static sl_node run_of(sl__grouping *p, const sl__element *e, int64_t count) {
  const sl_node from = flat(p->g, e[0].source);
  if (!from) return 0;
  const int64_t step = count > 1 ? (int64_t)e[1].at - e[0].at : 1;
  bool regular = step >= 0;
  for (int64_t i = 1; i < count && regular; i++) regular = (int64_t)e[i].at - e[i - 1].at == step;
  if (regular && step == 0)
    return op_broadcast(p->g, op_slice(p->g, from, 0, (int32_t)e[0].at, 1, 1),
                        sl__shape1((int32_t)count));
  if (regular) return op_slice(p->g, from, 0, (int32_t)e[0].at, (int32_t)count, (int32_t)step);
  int32_t *index = sl__arena_take(&p->arena, (size_t)count, sizeof *index);
  if (!index) return sl__out_of_memory(p->g);
  for (int64_t i = 0; i < count; i++) index[i] = (int32_t)e[i].at;
  return op_gather(p->g, from, 0, (int32_t)count, index);
}

static sl_node piece_of(sl__grouping *p, const sl__element *e, int64_t count) {
  return sl__is_known_element(p, e[0]) ? constant_of(p, e, count) : run_of(p, e, count);
}

static bool is_same_piece(const sl__grouping *p, sl__element a, sl__element b) {
  return a.source == b.source || (sl__is_known_element(p, a) && sl__is_known_element(p, b));
}

static int64_t end_of_piece(const sl__grouping *p, const sl__element *e, int64_t begin,
                            int64_t count) {
  int64_t end = begin + 1;
  while (end < count && is_same_piece(p, e[begin], e[end])) end++;
  return end;
}

static sl_node pieces_in_order(sl__grouping *p, const sl__element *e, int64_t count,
                               int64_t pieces) {
  sl_node *part = sl__arena_take(&p->arena, (size_t)pieces, sizeof *part);
  if (!part) return sl__out_of_memory(p->g);
  int64_t used = 0;
  for (int64_t begin = 0, end; begin < count; begin = end) {
    end = end_of_piece(p, e, begin, count);
    part[used++] = piece_of(p, e + begin, end - begin);
  }
  return op_concatenate(p->g, (int)used, part, 0);
}

/* An element with its place in the wanted order; all known ones count as of one source, 0. */
typedef struct placed {
  sl_node source;
  uint32_t place;
} placed;

static int by_source(const void *a, const void *b) {
  const placed *x = a, *y = b;
  if (x->source != y->source) return x->source < y->source ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

/* Many short pieces of few sources: one piece of each source, then a gather puts them in order. */
static sl_node pieces_by_source(sl__grouping *p, const sl__element *e, int64_t count) {
  placed *sorted = sl__arena_take(&p->arena, (size_t)count, sizeof *sorted);
  sl__element *moved = sl__arena_take(&p->arena, (size_t)count, sizeof *moved);
  int32_t *index = sl__arena_take(&p->arena, (size_t)count, sizeof *index);
  if (!sorted || !moved || !index) return sl__out_of_memory(p->g);
  for (int64_t i = 0; i < count; i++)
    sorted[i] = (placed){sl__is_known_element(p, e[i]) ? 0 : e[i].source, (uint32_t)i};
  qsort(sorted, (size_t)count, sizeof *sorted, by_source);
  int64_t pieces = 0;
  for (int64_t i = 0; i < count; i++) {
    moved[i] = e[sorted[i].place];
    index[sorted[i].place] = (int32_t)i;
    pieces += i == 0 || sorted[i].source != sorted[i - 1].source;
  }
  return op_gather(p->g, pieces_in_order(p, moved, count, pieces), 0, (int32_t)count, index);
}

static int64_t count_sources(sl__grouping *p, const sl__element *e, int64_t count) {
  sl__interner seen = {.arena = &p->arena};
  for (int64_t i = 0; i < count; i++) {
    const uint32_t source = sl__is_known_element(p, e[i]) ? 0 : e[i].source;
    if (i > 0 && is_same_piece(p, e[i], e[i - 1])) continue;
    if (sl__intern(&seen, &source, 1) == UINT32_MAX) return 0;
  }
  return seen.count;
}

sl_node sl__vector_of(sl__grouping *p, const sl__element *e, int64_t count) {
  if (p->g->status != SL_OK) return 0;
  int64_t pieces = 0;
  for (int64_t begin = 0; begin < count; begin = end_of_piece(p, e, begin, count)) pieces++;
  if (pieces == 1) return piece_of(p, e, count);
  const int64_t sources = count_sources(p, e, count);
  if (sources == 0) return sl__out_of_memory(p->g);
  if (pieces > 2 * sources) return pieces_by_source(p, e, count);
  return pieces_in_order(p, e, count, pieces);
}

/* ---- old nodes as new ones ---- */

static sl_node rebuilt_root(sl__grouping *p, sl_node root) {
  const sl__image image = p->image[root];
  const sl_shape shape = p->g->nodes[root].shape;
  const int32_t count = (int32_t)sl__shape_count(shape);
  if (image.list)
    return sl__contiguous(p->g, op_reshape(p->g, sl__vector_of(p, image.list, count), shape));
  if (image.source == root) return root;
  const sl_node from = flat(p->g, image.source);
  return op_reshape(p->g, op_slice(p->g, from, 0, (int32_t)image.at, count, 1), shape);
}

/* The same view of what has replaced its operand: only the place of the first number differs. */
static sl_node rebuilt_view(sl__graph *g, sl_node view, sl_node operand) {
  sl__node n = g->nodes[view];
  const sl__node *old = &g->nodes[n.operand[0]], *new = &g->nodes[operand];
  n.offset += new->offset - old->offset;
  n.operand[0] = operand;
  n.root = new->root;
  return sl__node_add(g, n);
}

sl_node sl__rebuilt_node(sl__grouping *p, sl_node node) {
  sl__graph *g = p->g;
  int64_t views = 0;
  sl_node at = node;
  for (; !p->rebuilt[at] && at != g->nodes[at].root; at = g->nodes[at].operand[0]) views++;
  sl_node *chain = sl__arena_take(&p->arena, (size_t)views + 1, sizeof *chain);
  if (!chain) return sl__out_of_memory(g);
  views = 0;
  for (at = node; !p->rebuilt[at] && at != g->nodes[at].root; at = g->nodes[at].operand[0])
    chain[views++] = at;
  if (!p->rebuilt[at]) p->rebuilt[at] = rebuilt_root(p, at);
  sl_node made = p->rebuilt[at];
  while (views-- > 0 && made) {
    const sl_node view = chain[views];
    made = made == g->nodes[view].operand[0] ? view : rebuilt_view(g, view, made);
    p->rebuilt[view] = made;
  }
  return made;
}
