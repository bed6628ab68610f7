/* Reverse-mode differentiation, graph to graph: walks the nodes backwards, asks each row of the
 * operation list how the gradient flows on, and adds up. Since the result is more graph,
 * derivatives of derivatives need nothing new.
 *
 * Contributions to a node are collected and combined once, when the node is reached: slices of one
 * axis that do not overlap become one concatenation (which costs no copy), instead of a sum of
 * mostly zero arrays.
 *
 * Below op_choose lies what is computed for rows that do not take its value: logarithms of negative
 * numbers, exponentials that overflow. There the gradient that arrives is 0, and 0 times a
 * derivative that is not finite is NaN. So what a node below passes on is 0 where what it received
 * is. Graphs without op_choose have none of this. */
#include <stdlib.h>
#include <string.h>

#include "graph/operations.h"

typedef struct contribution {
  sl_node gradient;
  bool guarded; /* it came through op_choose */
  bool piece;   /* of a slice: where */
  int32_t axis, begin, count, stride;
  struct contribution *next;
} contribution;

/* A tape of the nodes from first on, or of those that are listed. It is as long as what it walks:
 * each of many roots in one graph has tapes of its own. */
struct sl__tape {
  sl__graph *graph;
  sl__arena arena;
  sl_node first;
  int64_t count;
  const sl_node *listed; /* [count], ascending; NULL: first, first + 1, ... */
  contribution **lists;  /* [count] */
  bool *wanted;          /* [count]: does any wrt lie below? */
  sl__tape *outer;       /* NULL, or where what flows to other nodes goes, ... */
  sl_node held;          /* ... but for this one */
  bool guarded;          /* does the node whose rule is applied lie below op_choose? ... */
  sl_node guard;         /* ... then what it received, if its derivatives may be infinite; else 0 */
  bool guard_elements;   /* they belong to single elements */
};

int sl__compare_nodes(const void *a, const void *b) {
  const sl_node x = *(const sl_node *)a, y = *(const sl_node *)b;
  return (x > y) - (x < y);
}

/* Where the node stands on the tape, or -1. */
static int64_t place_of(const sl__tape *tape, sl_node node) {
  if (!tape->listed) {
    const int64_t place = (int64_t)node - tape->first;
    return place < tape->count ? place : -1;
  }
  const sl_node *found =
      bsearch(&node, tape->listed, (size_t)tape->count, sizeof node, sl__compare_nodes);
  return found ? found - tape->listed : -1;
}

static sl_node node_at(const sl__tape *tape, int64_t place) {
  return tape->listed ? tape->listed[place] : tape->first + (sl_node)place;
}

/* Does a contribution to the node count? */
static bool is_wanted(const sl__tape *tape, sl_node node) {
  const int64_t place = place_of(tape, node);
  if (place >= 0) return tape->wanted[place];
  return tape->outer && node != tape->held && is_wanted(tape->outer, node);
}

/* The gradient where the guard is not 0. */
static sl_node guarded(const sl__tape *tape, sl_node gradient) {
  sl__graph *g = tape->graph;
  const bool batched = g->nodes[tape->guard].batched;
  /* summed over rows already: each row's part is finite only if the value is */
  if (batched && !g->nodes[gradient].batched) return gradient;
  const sl_node any =
      tape->guard_elements ? tape->guard : op_sum_all(g, op_absolute(g, tape->guard));
  return op_select(g, any, gradient, op_number(g, (sl_dtype)g->nodes[gradient].type, 0));
}

static void push(sl__tape *tape, sl_node operand, contribution c) {
  sl__graph *g = tape->graph;
  if (!operand || !c.gradient || g->status != SL_OK || !is_wanted(tape, operand)) return;
  if (tape->guard) c.gradient = guarded(tape, c.gradient);
  if (!c.gradient) return;
  c.guarded = tape->guarded;
  const int64_t place = place_of(tape, operand);
  if (place < 0) {
    push(tape->outer, operand, c);
    return;
  }
  if (!g->nodes[operand].batched && g->nodes[c.gradient].batched)
    c.gradient = op_sum_rows(g, c.gradient);
  contribution *kept = sl__arena_take(&tape->arena, 1, sizeof *kept);
  if (!kept) {
    sl__out_of_memory(g);
    return;
  }
  *kept = c;
  kept->next = tape->lists[place];
  tape->lists[place] = kept;
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

/* What the node at a place of the tape has received, added up; 0: nothing. */
static sl_node combine(sl__tape *tape, int64_t place) {
  sl__graph *g = tape->graph;
  int64_t count = 0, pieces = 0;
  for (contribution *c = tape->lists[place]; c; c = c->next) count++;
  contribution **list = sl__arena_take(&tape->arena, (size_t)count + 1, sizeof *list);
  if (!list) return sl__out_of_memory(g);
  sl_node sum = 0;
  for (contribution *c = tape->lists[place]; c; c = c->next) {
    if (c->piece)
      list[pieces++] = c;
    else
      sum = add_or_first(g, sum, c->gradient);
  }
  if (pieces) sum = add_or_first(g, sum, combine_pieces(tape, node_at(tape, place), list, pieces));
  tape->lists[place] = NULL;
  return sum;
}

/* Wanted is what has a wanted operand. */
static void mark_above(sl__tape *tape) {
  for (int64_t place = 0; place < tape->count; place++) {
    const sl__node *n = &tape->graph->nodes[node_at(tape, place)];
    for (int64_t k = 0; k < sl__operand_count(n) && !tape->wanted[place]; k++)
      tape->wanted[place] = is_wanted(tape, sl__operand_at(n, k));
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

/* Can a derivative of the node be infinite, or not a number, where its operands are? Not those of
 * what only moves, adds or chooses numbers. */
static bool may_be_infinite(const sl__node *n) {
  if (n->operation != SL__OP_ELEMENTWISE)
    return n->operation >= SL__OP_LINEAR || n->operation == SL__OP_DOT_ROWS ||
           n->operation == SL__OP_SUM_LOG;
  switch ((sl__elementwise)n->elementwise) {
    case SL__EW_copy:
    case SL__EW_negate:
    case SL__EW_scale:
    case SL__EW_shift:
    case SL__EW_add:
    case SL__EW_subtract:
    case SL__EW_minimum:
    case SL__EW_maximum:
    case SL__EW_select:
    case SL__EW_leaky_relu: return false;
    default: return true;
  }
}

static void set_guard(sl__tape *tape, sl_node node, sl_node dy, bool below) {
  const sl__node *n = &tape->graph->nodes[node];
  tape->guarded = below || sl__is_choice(n);
  tape->guard = below && may_be_infinite(n) ? dy : 0;
  tape->guard_elements = n->operation == SL__OP_ELEMENTWISE;
}

/* below: does the node lie below op_choose? */
static void apply_rule(sl__tape *tape, sl_node node, sl_node dy, bool below) {
  sl__graph *g = tape->graph;
  const uint16_t label = g->label;
  g->label = g->nodes[node].label; /* a derivative belongs to the layer it is the derivative of */
  const sl__gradient_rule rule = sl__operations[g->nodes[node].operation].gradient;
  if (rule && dy) {
    set_guard(tape, node, dy, below);
    rule(tape, g, node, dy);
  }
  g->label = label;
}

/* Has any of what the node received come through op_choose? A node that several read is guarded for
 * all of them: it may be a vector of many nodes that were grouped. */
static bool is_below(const sl__tape *tape, int64_t place) {
  for (const contribution *c = tape->lists[place]; c; c = c->next)
    if (c->guarded) return true;
  return false;
}

/* From y down to the first node of the tape. */
static void sweep(sl__tape *tape, sl_node y, sl_node dy_of_y, int count, const sl_node *wrt,
                  sl_node *gradients) {
  sl__contribute(tape, y, dy_of_y);
  for (int64_t place = place_of(tape, y); place >= 0 && tape->graph->status == SL_OK; place--) {
    if (!tape->lists[place]) continue;
    const bool below = is_below(tape, place);
    const sl_node node = node_at(tape, place), dy = combine(tape, place);
    for (int i = 0; i < count; i++) {
      if (wrt[i] == node) gradients[i] = dy;
    }
    apply_rule(tape, node, dy, below);
  }
}

static bool open_tape(sl__tape *tape) {
  sl__arena_open(&tape->arena, tape->graph->context);
  tape->wanted = sl__arena_take(&tape->arena, (size_t)tape->count, sizeof *tape->wanted);
  tape->lists = sl__arena_take(&tape->arena, (size_t)tape->count, sizeof(contribution *));
  if (!tape->wanted || !tape->lists) sl__out_of_memory(tape->graph);
  return tape->wanted && tape->lists;
}

void sl__gradient_through(sl__tape *outer, sl_node y, sl_node dy, int64_t count,
                          const sl_node *nodes, sl_node held) {
  if (outer->graph->status != SL_OK) return;
  sl__tape tape = {.graph = outer->graph,
                   .count = count,
                   .listed = nodes,
                   .outer = outer,
                   .held = held,
                   .guarded = outer->guarded};
  if (open_tape(&tape)) {
    mark_above(&tape);
    sweep(&tape, y, dy, 0, NULL, NULL);
  }
  sl__arena_close(&tape.arena);
}

/* No node before the first wrt depends on one. */
static sl_node first_of(sl_node y, int count, const sl_node *wrt) {
  sl_node first = y;
  for (int i = 0; i < count; i++) {
    if (wrt[i] && wrt[i] < first) first = wrt[i];
  }
  return first;
}

static void differentiate(sl__graph *g, sl_node y, int count, const sl_node *wrt,
                          sl_node *gradients) {
  sl__tape tape = {.graph = g, .first = first_of(y, count, wrt)};
  const sl_node seed = seed_of(g, y);
  tape.count = (int64_t)y - tape.first + 1;
  if (open_tape(&tape)) {
    for (int i = 0; i < count; i++) {
      if (wrt[i] && wrt[i] <= y) tape.wanted[wrt[i] - tape.first] = true;
    }
    mark_above(&tape);
    sweep(&tape, y, seed, count, wrt, gradients);
  }
  sl__arena_close(&tape.arena);
}

sl_status sl__gradient(sl__graph *g, sl_node y, int count, const sl_node *wrt, sl_node *gradients) {
  for (int i = 0; i < count; i++) gradients[i] = 0;
  if (g->status != SL_OK) return g->status;
  if (!y || g->nodes[y].shape.dims != 0) {
    sl__graph_refuse(g, SL_BAD_ARGUMENT, "the gradient is of a scalar");
    return g->status;
  }
  differentiate(g, y, count, wrt, gradients);
  for (int i = 0; i < count && g->status == SL_OK; i++) {
    if (gradients[i]) continue;
    gradients[i] = sl__zeros(g, (sl_dtype)g->nodes[wrt[i]].type, g->nodes[wrt[i]].shape);
    if (g->nodes[wrt[i]].batched) gradients[i] = op_rows(g, gradients[i]);
  }
  return g->status;
}
