/* When steps run and where a block's values lie. Memory is given out level by level, first fit, and
 * given back when the last step that reads it has run; a concatenation's parts are computed in
 * their places, so that growing a vector piece by piece (autoregressive sampling) copies nothing;
 * an elementwise result takes over the memory of an operand that dies with it. */
#include <string.h>

#include "graph/plan.h"

/* ---- computing parts in their places ---- */

static bool is_single_axis(const sl__node *n, int axis) {
  for (int d = 0; d < axis; d++) {
    if (n->shape.size[d] != 1) return false;
  }
  return true;
}

void sl__settle_parts(sl__plan *p) {
  for (sl_node i = p->nodes - 1; i >= 1; i--) { /* the longest concatenation of a chain first */
    const sl__node *n = &p->g->nodes[i];
    if (!p->live[i] || n->operation != SL__OP_CONCATENATE || p->stage[i] != SL__BLOCK_STAGE)
      continue;
    if (!is_single_axis(n, n->integer[0])) continue;
    int64_t count, at = 0;
    const sl_node *parts = sl__parts(n, &count);
    for (int64_t k = 0; k < count; k++) {
      const sl__node *part = &p->g->nodes[parts[k]];
      const sl_node root = part->root;
      const sl__node *r = &p->g->nodes[root];
      const int64_t size = sl__shape_count(part->shape);
      if (p->stage[root] == SL__BLOCK_STAGE && p->home[root] == root && root != i && r->batched &&
          p->loop[root] == p->loop[i] && part->offset == 0 && sl__shape_count(r->shape) == size &&
          sl__node_is_contiguous(part)) {
        p->home[root] = i;
        p->home_offset[root] = at;
      }
      at += size;
    }
  }
}

/* The concatenation at the end of the chain, and the offset in it. */
sl_node sl__final_home(const sl__plan *p, sl_node root, int64_t *offset) {
  *offset = 0;
  while (p->home[root] != root) {
    *offset += p->home_offset[root];
    root = p->home[root];
  }
  return root;
}

bool sl__is_in_place(const sl__plan *p, sl_node part, sl_node concatenation, int64_t at) {
  const sl_node root = p->g->nodes[part].root;
  return p->home[root] == concatenation && p->home_offset[root] == at;
}

/* ---- levels and lifetimes ---- */

static void raise_level(sl__plan *p, sl_node operand, sl_node user) {
  if (p->stage[operand] != p->stage[user] || p->loop[operand]) return;
  const bool inner = p->group[p->g->nodes[operand].root] == p->group[user];
  if (inner && sl__is_in_sums(p, user)) return; /* its level is the group's, not found yet */
  const bool costs = sl__operations[p->g->nodes[user].operation].kind == SL__KIND_STEP && !inner;
  const int32_t level = p->level[operand] + costs;
  if (level > p->level[user]) p->level[user] = level;
}

static void note_use(sl__plan *p, sl_node operand, sl_node user) {
  if (p->stage[user] != SL__BLOCK_STAGE || !p->g->nodes[operand].batched) return;
  if (p->loop[user] || p->loop[operand]) return; /* the root reads for those that it repeats */
  int64_t offset;
  const sl_node home = sl__final_home(p, p->g->nodes[operand].root, &offset);
  const int32_t level = p->level[p->group[user]]; /* a fused node reads when its step runs */
  if (level > p->death[home]) {
    p->death[home] = level;
    p->last_uses[home] = 0;
  }
  if (level == p->death[home]) p->last_uses[home]++;
}

/* Members of groups that end in sums, which the order has one after another, get the level of the
 * highest of their group. */
static void level_members(sl__plan *p, const sl_node *member, uint32_t count) {
  for (uint32_t k = 0; k < count; k++) {
    int32_t *level = &p->level[p->group[member[k]]];
    if (p->level[member[k]] > *level) *level = p->level[member[k]];
  }
  for (uint32_t k = 0; k < count; k++) p->level[member[k]] = p->level[p->group[member[k]]];
}

static void find_levels(sl__plan *p) {
  if (!p->order) {
    for (sl_node i = 1; i < p->nodes; i++) {
      if (p->live[i] && !p->loop[i]) sl__for_operands(p, i, raise_level);
    }
    return;
  }
  const sl_node *at = p->order;
  while (*at) {
    const sl_node *first = at;
    for (; *at && sl__is_in_sums(p, *at) && p->phase[*at] == p->phase[*first]; at++)
      sl__for_operands(p, *at, raise_level);
    level_members(p, first, (uint32_t)(at - first));
    for (; *at && !sl__is_in_sums(p, *at); at++) {
      if (!p->loop[*at]) sl__for_operands(p, *at, raise_level);
    }
  }
}

void sl__find_lifetimes(sl__plan *p, int count, const sl_node *outputs) {
  find_levels(p);
  for (sl_node i = 1; i < p->nodes; i++) {
    p->birth[i] = INT32_MAX;
    p->death[i] = -1;
  }
  for (sl_node i = 1; i < p->nodes; i++) {
    if (!p->live[i] || p->stage[i] != SL__BLOCK_STAGE || !p->g->nodes[i].batched) continue;
    if (p->g->nodes[i].root == i && !p->loop[i]) {
      int64_t offset;
      const sl_node home = sl__final_home(p, i, &offset);
      if (p->level[i] < p->birth[home]) p->birth[home] = p->level[i];
      if (p->level[i] > p->death[home]) {
        p->death[home] = p->level[i];
        p->last_uses[home] = 0;
      }
    }
  }
  for (sl_node i = 1; i < p->nodes; i++) {
    if (p->live[i] && sl__operations[p->g->nodes[i].operation].kind == SL__KIND_STEP)
      sl__for_operands(p, i, note_use);
  }
  for (int k = 0; k < count; k++) { /* outputs live to the end */
    if (!p->g->nodes[outputs[k]].batched) continue;
    int64_t offset;
    p->death[sl__final_home(p, p->g->nodes[outputs[k]].root, &offset)] = INT32_MAX;
  }
}

/* ---- block memory ---- */

/* How often the elementwise step of `node` reads root, or 0 if one of the readings is not of the
 * whole in place. */
static int32_t whole_readings(const sl__plan *p, sl_node node, sl_node root) {
  const int64_t units = sl__units_of(&p->g->nodes[node]);
  int32_t readings = 0;
  for (sl_node i = p->group_first[node]; i; i = p->group_next[i]) {
    const sl__node *n = &p->g->nodes[i];
    for (int k = 0; k < n->operands; k++) {
      const sl__node *operand = &p->g->nodes[n->operand[k]];
      if (operand->root != root) continue;
      if (!sl__node_is_contiguous(operand) || operand->offset != 0 ||
          sl__units_of(operand) != units)
        return 0;
      readings++;
    }
  }
  return readings;
}

static bool can_take_over(const sl__plan *p, sl_node node, sl_node root) {
  const sl__node *r = &p->g->nodes[root];
  return r->batched && p->home[root] == root && r->operation != SL__OP_CONCATENATE &&
         p->group[root] == root && p->stage[root] == SL__BLOCK_STAGE &&
         p->death[root] == p->level[node] && p->birth[root] < p->level[node] &&
         p->place[root] >= 0 && sl__units_of(r) == sl__units_of(&p->g->nodes[node]) &&
         whole_readings(p, node, root) == p->last_uses[root];
}

/* An elementwise result may take over the memory of an operand that dies with this very step. */
static sl_node operand_to_reuse(const sl__plan *p, sl_node node) {
  if (p->g->nodes[node].operation != SL__OP_ELEMENTWISE || sl__is_in_sums(p, node)) return 0;
  for (sl_node i = p->group_first[node]; i; i = p->group_next[i]) {
    for (int k = 0; k < p->g->nodes[i].operands; k++) {
      const sl_node root = p->g->nodes[p->g->nodes[i].operand[k]].root;
      if (can_take_over(p, node, root)) return root;
    }
  }
  return 0;
}

typedef struct node_list {
  sl_node *node;
  uint32_t *begin;
} node_list; /* [levels + 1] */

/* Sorts the nodes of `which` level array into buckets. */
static bool bucket(sl__plan *p, const int32_t *level_of, int32_t levels, const bool *include,
                   node_list *out) {
  out->begin = sl__arena_take(&p->arena, (size_t)levels + 2, sizeof *out->begin);
  out->node = sl__arena_take(&p->arena, p->nodes, sizeof *out->node);
  if (!out->begin || !out->node) return false;
  for (sl_node i = 1; i < p->nodes; i++) {
    if (include[i] && level_of[i] < levels) out->begin[level_of[i] + 1]++;
  }
  for (int32_t l = 0; l < levels; l++) out->begin[l + 1] += out->begin[l];
  uint32_t *at = sl__arena_take(&p->arena, (size_t)levels + 1, sizeof *at);
  if (!at) return false;
  memcpy(at, out->begin, (size_t)levels * sizeof *at);
  for (sl_node i = 1; i < p->nodes; i++) {
    if (include[i] && level_of[i] < levels) out->node[at[level_of[i]]++] = i;
  }
  return true;
}

/* What roots repeat lies in memory of their own, which is theirs on their level only. */
static sl_status lend_to_roots(sl__plan *p, const node_list *roots, int32_t level) {
  const uint32_t begin = roots->begin[level], end = roots->begin[level + 1];
  for (uint32_t i = begin; i < end; i++) SL__TRY(sl__place_loop(p, roots->node[i]));
  for (uint32_t i = begin; i < end; i++) {
    const sl__interval lent = p->loop_memory[roots->node[i]];
    sl__heap_give(&p->heap, lent.begin, lent.size);
  }
  return SL_OK;
}

sl_status sl__place_block_values(sl__plan *p) {
  bool *owners = sl__arena_take(&p->arena, p->nodes, sizeof *owners);
  bool *is_root = sl__arena_take(&p->arena, p->nodes, sizeof *is_root);
  p->heap.gaps = sl__arena_take(&p->arena, (size_t)p->nodes + 1, sizeof *p->heap.gaps);
  if (!owners || !is_root || !p->heap.gaps) return SL_NO_MEMORY;
  int32_t levels = 0;
  for (sl_node i = 1; i < p->nodes; i++) {
    const sl__node *n = &p->g->nodes[i];
    if (p->loop[i]) continue;
    is_root[i] = p->live[i] && n->batched && sl__is_loop(n);
    owners[i] = p->live[i] && n->batched && n->root == i && p->home[i] == i &&
                (p->group[i] == i || p->kept[i]);
    if (p->live[i] && n->batched && p->level[i] + 1 > levels) levels = p->level[i] + 1;
  }
  node_list born, dying, roots;
  if (!bucket(p, p->birth, levels, owners, &born) || !bucket(p, p->death, levels, owners, &dying) ||
      !bucket(p, p->level, levels, is_root, &roots))
    return SL_NO_MEMORY;
  for (int32_t level = 0; level < levels; level++) {
    for (uint32_t i = born.begin[level]; i < born.begin[level + 1]; i++) {
      const sl_node node = born.node[i], reused = operand_to_reuse(p, node);
      if (reused) {
        p->place[node] = p->place[reused];
        p->place[reused] =
            -2 - p->place[reused]; /* still its place; no longer its own to give back */
      } else {
        p->place[node] = sl__heap_take(&p->heap, sl__units_of(&p->g->nodes[node]));
      }
    }
    SL__TRY(lend_to_roots(p, &roots, level));
    for (uint32_t i = dying.begin[level]; i < dying.begin[level + 1]; i++) {
      const sl_node node = dying.node[i];
      if (p->place[node] >= 0)
        sl__heap_give(&p->heap, p->place[node], sl__units_of(&p->g->nodes[node]));
    }
  }
  for (sl_node i = 1; i < p->nodes; i++) {
    if (owners[i] && p->place[i] < 0) p->place[i] = -2 - p->place[i];
  }
  p->program->block_units = p->heap.units;
  return SL_OK;
}
