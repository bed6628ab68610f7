/* Fusion that ends in sums. For the density of N observations, forward and backward are elementwise
 * operations on [N] which read each other, data and a few numbers per row, and whose results are
 * only ever added up. All of them that are connected become one step with several results: a datum
 * is read once, and nothing of length N is stored, but for what others need.
 *
 * Candidates are elementwise operations on at least FEWEST features, gathers of so many, and sums
 * and scatters of what candidates make. So that no step waits for itself, every node has a phase:
 * it is that of its operands, and one more where a value leaves the candidates on N features (by a
 * sum, say, or to an operation of another kind). What is connected and of one phase makes a step: a
 * way that leaves it comes back in a later phase. */
#include <string.h>

#include "graph/plan.h"

enum { FEWEST = 128 };

typedef enum role { OTHER, MAPS, ADDS } role; /* a candidate makes a strip, or adds one up */

typedef struct search {
  sl__plan *p;
  uint8_t *role;   /* [nodes] */
  int32_t *phase;  /* [nodes] */
  sl_node *parent; /* [nodes] union-find: towards the largest of a component */
  int32_t *size;   /* [nodes] of components, at the largest */
  bool *adds;      /* [nodes] at the largest: does a sum belong to it? */
} search;

static int64_t count_of(const search *s, sl_node node) {
  return sl__shape_count(s->p->g->nodes[node].shape);
}

static int64_t features_of(const search *s, sl_node node) {
  return count_of(s, s->role[node] == ADDS ? s->p->g->nodes[node].operand[0] : node);
}

/* Does the candidate read strips of the candidate that is the operand's root? */
static bool reads_strips(const search *s, sl_node node, sl_node operand) {
  const sl__node *n = &s->p->g->nodes[node], *from = &s->p->g->nodes[operand];
  return s->role[node] != OTHER && n->operation != SL__OP_GATHER && s->role[from->root] == MAPS &&
         sl__is_whole(s->p, operand) && count_of(s, operand) == features_of(s, node);
}

static bool can_map(const search *s, const sl__node *n) {
  if (sl__shape_count(n->shape) < FEWEST) return false;
  if (n->operation == SL__OP_GATHER) return n->shape.dims == 1;
  for (int k = 0; k < n->operands; k++) {
    if (sl__alignment_of(s->p, n, n->operand[k]) == SL__UNALIGNED) return false;
  }
  return n->operation == SL__OP_ELEMENTWISE;
}

static bool can_add(const search *s, const sl__node *n) {
  if (n->operation == SL__OP_SUM && sl__shape_count(n->shape) != 1) return false;
  if (n->operation == SL__OP_SCATTER && n->shape.dims != 1) return false;
  if (n->operation != SL__OP_SUM && n->operation != SL__OP_SCATTER) return false;
  return s->role[s->p->g->nodes[n->operand[0]].root] == MAPS && sl__is_whole(s->p, n->operand[0]);
}

static void find_role(search *s, sl_node node) {
  const sl__plan *p = s->p;
  const sl__node *n = &p->g->nodes[node];
  if (!n->batched || p->stage[node] != SL__BLOCK_STAGE || p->loop[node]) return;
  if (can_map(s, n)) s->role[node] = MAPS;
  if (can_add(s, n)) s->role[node] = ADDS;
}

static void find_phase(search *s, sl_node node) {
  const sl__node *n = &s->p->g->nodes[node];
  const bool is_view = n->root != node;
  for (int64_t k = 0; k < sl__operand_count(n); k++) {
    const sl_node operand = sl__operand_at(n, k), root = s->p->g->nodes[operand].root;
    const bool leaves = !is_view && s->role[root] != OTHER && !reads_strips(s, node, operand);
    const int32_t phase = s->phase[root] + leaves;
    if (phase > s->phase[node]) s->phase[node] = phase;
  }
}

static sl_node largest_of(search *s, sl_node node) {
  while (s->parent[node] != node) {
    s->parent[node] = s->parent[s->parent[node]];
    node = s->parent[node];
  }
  return node;
}

static void connect(search *s, sl_node node) {
  const sl__node *n = &s->p->g->nodes[node];
  if (s->role[node] == OTHER) return;
  s->adds[node] |= s->role[node] == ADDS; /* node is the largest so far: a root of its own */
  for (int k = 0; k < n->operands; k++) {
    const sl_node root = s->p->g->nodes[n->operand[k]].root;
    if (!reads_strips(s, node, n->operand[k]) || s->phase[root] != s->phase[node]) continue;
    const sl_node other = largest_of(s, root);
    if (other == node) continue;
    s->parent[other] = node;
    s->size[node] += s->size[other];
    s->adds[node] |= s->adds[other];
  }
}

/* ---- the groups ---- */

static bool is_member(const search *s, sl_node node) {
  return s->p->group_first[s->p->group[node]] != 0; /* other groups are not made yet */
}

/* What others than the members read is stored. */
static void find_kept(search *s, int count, const sl_node *outputs) {
  sl__plan *p = s->p;
  for (sl_node i = 1; i < p->nodes; i++) {
    const sl__node *n = &p->g->nodes[i];
    if (!p->live[i] || n->root != i) continue;
    if (s->role[i] == ADDS && is_member(s, i)) p->kept[i] = true;
    for (int64_t k = 0; k < sl__operand_count(n); k++) {
      const sl_node root = p->g->nodes[sl__operand_at(n, k)].root;
      if (is_member(s, root) && p->group[root] != p->group[i]) p->kept[root] = true;
    }
  }
  for (int k = 0; k < count; k++) {
    const sl_node root = p->g->nodes[outputs[k]].root;
    if (is_member(s, root)) p->kept[root] = true;
  }
}

static void dissolve(sl__plan *p, sl_node group) {
  for (sl_node i = p->group_first[group], next; i; i = next) {
    next = p->group_next[i];
    p->group[i] = i;
    p->group_next[i] = 0;
    p->kept[i] = false;
  }
  p->group_first[group] = 0;
}

static sl_status make_groups(search *s, int count, const sl_node *outputs, bool *any) {
  sl__plan *p = s->p;
  for (sl_node i = p->nodes - 1; i >= 1; i--) {
    if (s->role[i] == OTHER) continue;
    const sl_node group = largest_of(s, i);
    if (s->size[group] < 2 || !s->adds[group]) continue;
    p->group[i] = group;
    p->group_next[i] = p->group_first[group];
    p->group_first[group] = i;
    p->kept[group] = true; /* the last has no user inside */
  }
  find_kept(s, count, outputs);
  for (sl_node i = 1; i < p->nodes; i++) {
    if (p->group[i] != i || !is_member(s, i)) continue;
    int32_t strips;
    SL__TRY(sl__count_strips(p, i, &strips));
    if (strips > SL__MAX_STRIPS)
      dissolve(p, i);
    else
      *any = true;
  }
  return SL_OK;
}

/* ---- the order in which levels can be found ---- */

/* In a phase: what does not depend on its groups; their members; views of these. */
static int64_t rank_of(const search *s, sl_node node) {
  const sl_node root = s->p->g->nodes[node].root;
  const int64_t late = !sl__is_in_sums(s->p, root) ? 0 : root == node ? 1 : 2;
  return s->phase[root] * (int64_t)3 + late;
}

static sl_status find_order(search *s) {
  sl__plan *p = s->p;
  int64_t ranks = 1;
  for (sl_node i = 1; i < p->nodes; i++) {
    if (p->live[i] && rank_of(s, i) + 1 > ranks) ranks = rank_of(s, i) + 1;
  }
  uint32_t *at = sl__arena_take(&p->arena, (size_t)ranks + 1, sizeof *at);
  p->order = sl__arena_take(&p->arena, p->nodes, sizeof *p->order);
  p->phase = s->phase;
  if (!at || !p->order) return SL_NO_MEMORY;
  for (sl_node i = 1; i < p->nodes; i++) {
    if (p->live[i]) at[rank_of(s, i) + 1]++;
  }
  for (int64_t r = 0; r < ranks; r++) at[r + 1] += at[r];
  for (sl_node i = 1; i < p->nodes; i++) {
    if (p->live[i]) p->order[at[rank_of(s, i)]++] = i;
  }
  return SL_OK;
}

sl_status sl__fuse_sums(sl__plan *p, int count, const sl_node *outputs) {
  search s = {.p = p};
  sl__arena *arena = &p->arena;
#define TAKE(field) (s.field = sl__arena_take(arena, p->nodes, sizeof *s.field))
  if (!TAKE(role) || !TAKE(phase) || !TAKE(parent) || !TAKE(size) || !TAKE(adds))
    return SL_NO_MEMORY;
#undef TAKE
  bool any = false;
  for (sl_node i = 1; i < p->nodes; i++) {
    s.parent[i] = i;
    s.size[i] = 1;
    if (!p->live[i]) continue;
    find_role(&s, i);
    find_phase(&s, i);
    connect(&s, i);
    any |= s.role[i] == ADDS;
  }
  if (!any) return SL_OK;
  any = false;
  SL__TRY(make_groups(&s, count, outputs, &any));
  return any ? find_order(&s) : SL_OK;
}
