/* Roots of increasing functions: the operation holds a sub-graph, the function's value and slope at
 * a variable of its own, which run_root.c evaluates until it has found the x where the value is y.
 *
 * Its derivative is the implicit function theorem's. With f(x, theta) = y and s = df/dx there,
 *   dx = (dy - df/dtheta dtheta) / s,
 * so y receives dx_bar / s, and every theta that f reads -(dx_bar / s) df/dtheta. Value and slope
 * are built once more with the root in the variable's place, as ordinary nodes: so the derivative
 * can be differentiated in turn, and the search itself never is. */
#include <stdlib.h>
#include <string.h>

#include "graph/operations.h"

/* ---- the sub-graph ---- */

sl__sub_graph sl__sub_graph_of(const sl__node *root) {
  const sl_node *data = root->data;
  const sl_node last = data[1] > data[2] ? data[1] : data[2];
  return (sl__sub_graph){data[0], data[1], data[2], last > data[0] ? last : data[0]};
}

bool sl__is_inside(const sl__sub_graph *s, const uint8_t *inside, sl_node node) {
  return node >= s->variable && node <= s->last && inside[node - s->variable];
}

void sl__mark_inside(const sl__graph *g, const sl__sub_graph *s, uint8_t *inside) {
  enum { DEPENDS = 1, NEEDED = 2 };
  const sl_node first = s->variable;
  inside[0] = DEPENDS | NEEDED;
  for (sl_node i = first + 1; i <= s->last; i++) {
    const sl__node *n = &g->nodes[i];
    inside[i - first] = 0;
    for (int64_t k = 0; k < sl__operand_count(n); k++) {
      const sl_node operand = sl__operand_at(n, k);
      if (operand >= first) inside[i - first] |= inside[operand - first] & DEPENDS;
    }
  }
  if (s->value > first) inside[s->value - first] |= NEEDED;
  if (s->slope > first) inside[s->slope - first] |= NEEDED;
  for (sl_node i = s->last; i > first; i--) {
    const sl__node *n = &g->nodes[i];
    const bool is_inside = inside[i - first] == (DEPENDS | NEEDED);
    inside[i - first] = is_inside;
    for (int64_t k = 0; is_inside && k < sl__operand_count(n); k++) {
      const sl_node operand = sl__operand_at(n, k);
      if (operand >= first) inside[operand - first] |= NEEDED;
    }
  }
}

/* ---- building ---- */

static bool same_shape(sl_shape a, sl_shape b) {
  return a.dims == b.dims && memcmp(a.size, b.size, (size_t)a.dims * sizeof *a.size) == 0;
}

static sl_node as_operand(sl__graph *g, sl_node a, sl_shape shape, bool batched) {
  a = op_broadcast(g, a, shape);
  if (batched) a = op_rows(g, a);
  return sl__contiguous(g, a);
}

/* The function and its slope at a fresh variable, which is like y but perhaps batched. */
static bool trace(sl__graph *g, sl_node y, bool batched, sl__root_function f, void *user,
                  sl__sub_graph *s) {
  const sl_shape shape = g->nodes[y].shape;
  const uint8_t type = g->nodes[y].type;
  s->variable = sl__node_add(g, (sl__node){.operation = SL__OP_VARIABLE,
                                           .type = type,
                                           .shape = shape,
                                           .batched = batched,
                                           .integer = {g->variables++}});
  s->value = s->variable ? sl__contiguous(g, f(user, g, s->variable)) : 0;
  if (!s->value) return sl__graph_refuse(g, SL_BAD_ARGUMENT, "root: the function built no value");
  if (!same_shape(g->nodes[s->value].shape, shape) || g->nodes[s->value].type != type)
    return sl__graph_refuse(g, SL_BAD_ARGUMENT,
                            "root: the function's value must have the shape and the type of y");
  const sl_node sum = op_sum_all(g, s->value);
  if (!sum || sl__gradient(g, sum, 1, &s->variable, &s->slope) != SL_OK) return false;
  s->slope = as_operand(g, s->slope, shape, g->nodes[s->value].batched);
  s->last = s->value > s->slope ? s->value : s->slope;
  return s->slope != 0;
}

/* Refuses what cannot be repeated block by block. Returns how many operands are of the outside. */
static int64_t check_inside(sl__graph *g, const sl__sub_graph *s, sl__operation holder,
                            const uint8_t *inside) {
  int64_t count = 0;
  if (holder == SL__OP_ROOT && (s->value < s->variable || !inside[s->value - s->variable]))
    sl__graph_refuse(g, SL_BAD_ARGUMENT, "root: the function does not depend on x");
  for (sl_node i = s->variable; i <= s->last; i++) {
    const sl__node *n = &g->nodes[i];
    if (!inside[i - s->variable]) continue;
    if (sl__is_loop(n))
      sl__graph_refuse(g, SL_UNSUPPORTED, "%s: the function holds %s that depends on its argument",
                       sl__operations[holder].name,
                       n->operation == SL__OP_ROOT ? "a root" : "a differential equation");
    if (sl__sums_rows(n))
      sl__graph_refuse(g, SL_UNSUPPORTED, "%s: the function sums over the rows of its argument",
                       sl__operations[holder].name);
    for (int64_t k = 0; k < sl__operand_count(n); k++)
      count += !sl__is_inside(s, inside, sl__operand_at(n, k));
  }
  return count;
}

sl_node *sl__sub_graph_data(sl__graph *g, sl__arena *arena, const sl__sub_graph *s,
                            sl__operation holder, int sources, const sl_node *source,
                            int64_t *count) {
  uint8_t *inside = sl__arena_take(arena, (size_t)(s->last - s->variable) + 1, sizeof *inside);
  if (!inside) return sl__out_of_memory(g), NULL;
  sl__mark_inside(g, s, inside);
  const int64_t readings = check_inside(g, s, holder, inside), first = 3 + sources;
  sl_node *data = sl__arena_take(arena, (size_t)(readings + first), sizeof *data);
  if (!data) return sl__out_of_memory(g), NULL;
  memcpy(data, &(sl_node[3]){s->variable, s->value, s->slope}, 3 * sizeof *data);
  if (sources) memcpy(data + 3, source, (size_t)sources * sizeof *data);
  int64_t listed = first;
  for (sl_node i = s->variable; i <= s->last; i++) {
    const sl__node *n = &g->nodes[i];
    for (int64_t k = 0; inside[i - s->variable] && k < sl__operand_count(n); k++) {
      const sl_node operand = sl__operand_at(n, k);
      if (!sl__is_inside(s, inside, operand)) data[listed++] = operand;
    }
  }
  qsort(data + first, (size_t)(listed - first), sizeof *data, sl__compare_nodes);
  *count = first;
  for (int64_t k = first; k < listed; k++) {
    if (k == first || data[k] != data[*count - 1]) data[(*count)++] = data[k];
  }
  return data;
}

static sl_node add_root(sl__graph *g, const sl__sub_graph *s, const sl_node operand[3]) {
  sl__arena arena;
  sl__arena_open(&arena, g->context);
  int64_t count;
  const sl_node *data = sl__sub_graph_data(g, &arena, s, SL__OP_ROOT, 0, NULL, &count);
  sl_node root = 0;
  if (data) {
    const sl__node *x = &g->nodes[s->variable];
    root = sl__node_add_borrowed(g, (sl__node){.operation = SL__OP_ROOT,
                                               .type = x->type,
                                               .shape = x->shape,
                                               .batched = x->batched,
                                               .operands = 3,
                                               .operand = {operand[0], operand[1], operand[2]},
                                               .data = data,
                                               .data_bytes = count * (int64_t)sizeof *data});
  }
  sl__arena_close(&arena);
  return root;
}

sl_node op_root(sl__graph *g, sl_node y, sl_node low, sl_node high, sl__root_function f,
                void *user) {
  if (!y || !low || !high || g->status != SL_OK) return 0;
  const sl__node *n = g->nodes;
  if (n[low].type != n[y].type || n[high].type != n[y].type)
    return sl__graph_refuse(g, SL_BAD_ARGUMENT,
                            "root: operands of different element types; cast one");
  const bool batched = n[y].batched || n[low].batched || n[high].batched;
  sl__sub_graph s = {0};
  if (!trace(g, y, batched, f, user, &s)) return 0;
  /* with a variable for each row, where only now it shows that f reads batched values */
  if (!batched && g->nodes[s.value].batched && !trace(g, y, true, f, user, &s)) return 0;
  sl_node operand[3] = {y, low, high};
  for (int k = 0; k < 3; k++) {
    operand[k] =
        as_operand(g, operand[k], g->nodes[s.variable].shape, g->nodes[s.variable].batched);
    if (!operand[k]) return 0;
  }
  return add_root(g, &s, operand);
}

/* ---- the derivative ---- */

typedef struct copier {
  sl__graph *g;
  sl__sub_graph from;
  const uint8_t *inside;
  sl_node *image; /* [last - variable + 1] of the nodes inside */
} copier;

static sl_node image_of(const copier *c, sl_node node) {
  return sl__is_inside(&c->from, c->inside, node) ? c->image[node - c->from.variable] : node;
}

static sl_node copy_node(copier *c, sl_node node) {
  sl__node n = c->g->nodes[node];
  for (int k = 0; k < n.operands; k++) n.operand[k] = image_of(c, n.operand[k]);
  if (sl__operations[n.operation].kind == SL__KIND_VIEW) n.root = image_of(c, n.root);
  int64_t count;
  const sl_node *parts = sl__parts(&n, &count);
  if (count) {
    sl_node *copied = sl__arena_take(&c->g->arena, (size_t)count, sizeof *copied);
    if (!copied) return sl__out_of_memory(c->g);
    for (int64_t k = 0; k < count; k++) copied[k] = image_of(c, parts[k]);
    n.data = copied;
  }
  return sl__node_add(c->g, n);
}

/* Builds the sub-graph with the root in the variable's place; images are marked in `copies`. */
static bool copy_sub_graph(copier *c, sl_node root) {
  c->image[0] = root;
  for (sl_node i = c->from.variable + 1; i <= c->from.last; i++) {
    if (!c->inside[i - c->from.variable]) continue;
    c->image[i - c->from.variable] = copy_node(c, i);
    if (!c->image[i - c->from.variable]) return false;
  }
  return true;
}

/* How the value flows to what f reads, x being held. */
static void contribute_outside(sl__tape *tape, sl__arena *arena, const copier *c, sl_node root,
                               sl_node dy) {
  const int64_t size = (int64_t)(c->from.last - c->from.variable) + 1;
  sl_node *copies = sl__arena_take(arena, (size_t)size, sizeof *copies);
  if (!copies) {
    sl__out_of_memory(c->g);
    return;
  }
  int64_t count = 0;
  for (int64_t i = 1; i < size; i++) {
    if (c->inside[i]) copies[count++] = c->image[i];
  }
  qsort(copies, (size_t)count, sizeof *copies, sl__compare_nodes);
  sl__gradient_through(tape, image_of(c, c->from.value), dy, count, copies, root);
}

void sl__gradient_root(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy) {
  copier c = {.g = g, .from = sl__sub_graph_of(&g->nodes[node])};
  const size_t size = (size_t)(c.from.last - c.from.variable) + 1;
  sl__arena arena;
  sl__arena_open(&arena, g->context);
  uint8_t *inside = sl__arena_take(&arena, size, sizeof *inside);
  c.inside = inside;
  c.image = sl__arena_take(&arena, size, sizeof *c.image);
  if (!inside || !c.image) {
    sl__out_of_memory(g);
  } else {
    sl__mark_inside(g, &c.from, inside);
    if (copy_sub_graph(&c, node)) {
      const sl_node by_y = op_divide(g, dy, image_of(&c, c.from.slope));
      sl__contribute(tape, g->nodes[node].operand[0], by_y);
      contribute_outside(tape, &arena, &c, node, op_negate(g, by_y));
    }
  }
  sl__arena_close(&arena);
}
