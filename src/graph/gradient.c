/* Reverse-mode differentiation, graph to graph: walks the nodes backwards, asks each row of the
 * operation list how the gradient flows on, and adds up. Since the result is more graph,
 * derivatives of derivatives need nothing new.
 *
 * Contributions to a node are collected and combined once, when the node is reached: slices of one
 * axis that do not overlap become one concatenation (which costs no copy), instead of a sum of
 * mostly zero arrays. */
#include <stdlib.h>
#include <string.h>

#include "graph/operations.h"

typedef struct contribution {
  sl_node gradient;
  bool piece; /* of a slice: where */
  int32_t axis, begin, count, stride;
  struct contribution *next;
} contribution;

struct sl__tape {
  sl__graph *graph;
  sl__arena arena;
  contribution **lists; /* [nodes at the start] */
  uint32_t nodes;
  const bool *wanted;    /* [nodes at the start]: does any wrt lie below? */
  const uint8_t *within; /* [nodes at the start]: which pass on what they receive; NULL: all */
};

static void push(sl__tape *tape, sl_node operand, contribution c) {
  sl__graph *g = tape->graph;
  if (!operand || operand >= tape->nodes || !tape->wanted[operand] || g->status != SL_OK) return;
  if (!c.gradient) return;
  if (!g->nodes[operand].batched && g->nodes[c.gradient].batched)
    c.gradient = op_sum_rows(g, c.gradient);
  contribution *kept = sl__arena_take(&tape->arena, 1, sizeof *kept);
  if (!kept) {
    sl__out_of_memory(g);
    return;
  }
  *kept = c;
  kept->next = tape->lists[operand];
  tape->lists[operand] = kept;
}

bool sl__is_wanted(const sl__tape *tape, sl_node node) {
  return node < tape->nodes && tape->wanted[node];
}

void sl__contribute(sl__tape *tape, sl_node operand, sl_node gradient) {
  push(tape, operand, (contribution){.gradient = gradient});
}

void sl__contribute_piece(sl__tape *tape, sl_node operand, sl_node gradient,
                          const int32_t piece[4]) {
  push(tape, operand,
       (contribution){.gradient = gradient,
                      .piece = true,
                      .axis = piece[0],
                      .begin = piece[1],
                      .count = piece[2],
                      .stride = piece[3]});
}

static sl_node zero_part(sl__graph *g, sl_node like, int axis, int32_t count) {
  sl_shape shape = g->nodes[like].shape;
  shape.size[axis] = count;
  return sl__zeros(g, (sl_dtype)g->nodes[like].type, shape);
}

/* A strided piece spread out to the whole axis. */
static sl_node spread(sl__tape *tape, sl_node like, const contribution *c) {
  sl__graph *g = tape->graph;
  int32_t *index = sl__arena_take(&tape->arena, (size_t)c->count, sizeof *index);
  if (!index) return sl__out_of_memory(g);
  for (int32_t i = 0; i < c->count; i++) index[i] = c->begin + i * c->stride;
  return sl__scatter(g, c->gradient, c->axis, g->nodes[like].shape.size[c->axis], c->count, index);
}

static int by_begin(const void *a, const void *b) {
  const contribution *x = *(contribution *const *)a, *y = *(contribution *const *)b;
  return (x->begin > y->begin) - (x->begin < y->begin);
}

/* Pieces of one axis, sorted by begin: those that do not overlap become one concatenation; the rest
 * are left for the next round. Returns the concatenation and how many remain. */
static sl_node concatenate_round(sl__tape *tape, sl_node node, contribution **pieces, int64_t count,
                                 int64_t *remaining) {
  sl__graph *g = tape->graph;
  const int axis = pieces[0]->axis;
  const int32_t size = g->nodes[node].shape.size[axis];
  sl_node *parts = sl__arena_take(&tape->arena, (size_t)count * 2 + 1, sizeof *parts);
  if (!parts) return sl__out_of_memory(g);
  int used = 0;
  int32_t at = 0;
  *remaining = 0;
  for (int64_t i = 0; i < count; i++) {
    contribution *c = pieces[i];
    if (c->begin < at) {
      pieces[(*remaining)++] = c;
      continue;
    }
    if (c->begin > at) parts[used++] = zero_part(g, node, axis, c->begin - at);
    parts[used++] = c->gradient;
    at = c->begin + c->count;
  }
  if (at < size) parts[used++] = zero_part(g, node, axis, size - at);
  return op_concatenate(g, used, parts, axis);
}

static sl_node add_or_first(sl__graph *g, sl_node sum, sl_node term) {
  return sum ? op_add(g, sum, term) : term;
}

static sl_node combine_pieces(sl__tape *tape, sl_node node, contribution **pieces, int64_t count) {
  sl__graph *g = tape->graph;
  sl_node sum = 0;
  for (int axis = 0; axis < SL__MAX_DIMS && g->status == SL_OK; axis++) {
    contribution **mine = sl__arena_take(&tape->arena, (size_t)count + 1, sizeof *mine);
    if (!mine) return sl__out_of_memory(g);
    int64_t n = 0;
    for (int64_t i = 0; i < count; i++) {
      if (pieces[i]->axis != axis) continue;
      if (pieces[i]->stride == 1 || pieces[i]->count == 1)
        mine[n++] = pieces[i];
      else
        sum = add_or_first(g, sum, spread(tape, node, pieces[i]));
    }
    qsort(mine, (size_t)n, sizeof *mine, by_begin);
    while (n > 0 && g->status == SL_OK)
      sum = add_or_first(g, sum, concatenate_round(tape, node, mine, n, &n));
  }
  return sum;
}

static sl_node combine(sl__tape *tape, sl_node node) {
  sl__graph *g = tape->graph;
  int64_t count = 0, pieces = 0;
  for (contribution *c = tape->lists[node]; c; c = c->next) count++;
  contribution **list = sl__arena_take(&tape->arena, (size_t)count + 1, sizeof *list);
  if (!list) return sl__out_of_memory(g);
  sl_node sum = 0;
  for (contribution *c = tape->lists[node]; c; c = c->next) {
    if (c->piece)
      list[pieces++] = c;
    else
      sum = add_or_first(g, sum, c->gradient);
  }
  if (pieces) sum = add_or_first(g, sum, combine_pieces(tape, node, list, pieces));
  return sum;
}

static void mark_below(const sl__tape *tape, bool *wanted, int count, const sl_node *wrt) {
  for (int i = 0; i < count; i++) {
    if (wrt[i]) wanted[wrt[i]] = true;
  }
  for (sl_node i = 1; i < tape->nodes; i++) {
    const sl__node *n = &tape->graph->nodes[i];
    if (tape->within && !tape->within[i]) continue;
    for (int64_t k = 0; k < sl__operand_count(n); k++) wanted[i] |= wanted[sl__operand_at(n, k)];
  }
}

static sl_node seed_of(sl__graph *g, sl_node y) {
  const sl_dtype type = (sl_dtype)g->nodes[y].type;
  sl_node seed = op_number(g, type, 1.0);
  if (g->nodes[y].batched) {
    seed = op_rows(g, seed);
    g->one_per_row = seed; /* lets 1 * x be x */
  }
  return seed;
}

static void sweep(sl__tape *tape, sl_node y, sl_node dy_of_y, int count, const sl_node *wrt,
                  sl_node *gradients) {
  sl__graph *g = tape->graph;
  sl__contribute(tape, y, dy_of_y);
  for (sl_node node = y; node > 0 && g->status == SL_OK; node--) {
    if (!tape->lists[node]) continue;
    const sl_node dy = combine(tape, node);
    tape->lists[node] = NULL;
    for (int i = 0; i < count; i++) {
      if (wrt[i] == node) gradients[i] = dy;
    }
    if (tape->within && !tape->within[node]) continue;
    const uint16_t label = g->label;
    g->label = g->nodes[node].label; /* a derivative belongs to the layer it is the derivative of */
    const sl__gradient_rule rule = sl__operations[g->nodes[node].operation].gradient;
    if (rule && dy) rule(tape, g, node, dy);
    g->label = label;
  }
}

sl_status sl__gradient_within(sl__graph *g, sl_node y, sl_node dy, const uint8_t *within, int count,
                              const sl_node *wrt, sl_node *gradients) {
  for (int i = 0; i < count; i++) gradients[i] = 0;
  if (g->status != SL_OK) return g->status;
  sl__tape tape = {.graph = g, .nodes = within ? y + 1 : g->count, .within = within};
  sl__arena_open(&tape.arena, g->context);
  bool *wanted = sl__arena_take(&tape.arena, tape.nodes, sizeof *wanted);
  tape.lists = sl__arena_take(&tape.arena, tape.nodes, sizeof(contribution *));
  if (!wanted || !tape.lists) {
    g->status = SL_NO_MEMORY;
  } else {
    mark_below(&tape, wanted, count, wrt);
    tape.wanted = wanted;
    sweep(&tape, y, dy, count, wrt, gradients);
  }
  sl__arena_close(&tape.arena);
  return g->status;
}

sl_status sl__gradient(sl__graph *g, sl_node y, int count, const sl_node *wrt, sl_node *gradients) {
  for (int i = 0; i < count; i++) gradients[i] = 0;
  if (g->status != SL_OK) return g->status;
  if (!y || g->nodes[y].shape.dims != 0) {
    sl__graph_refuse(g, SL_BAD_ARGUMENT, "the gradient is of a scalar");
    return g->status;
  }
  SL__TRY(sl__gradient_within(g, y, seed_of(g, y), NULL, count, wrt, gradients));
  for (int i = 0; i < count && g->status == SL_OK; i++) {
    if (gradients[i]) continue;
    gradients[i] = sl__zeros(g, (sl_dtype)g->nodes[wrt[i]].type, g->nodes[wrt[i]].shape);
    if (g->nodes[wrt[i]].batched) gradients[i] = op_rows(g, gradients[i]);
  }
  return g->status;
}
