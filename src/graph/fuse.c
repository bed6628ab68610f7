/* Elementwise fusion: a node of which every use is in one other elementwise step of the same size
 * becomes part of that step, which then runs strip by strip, its inner values never leaving the
 * first-level cache.
 *
 * Nodes are visited users first: a node joins the step of its users when all of them are in one.
 * Merging cannot make a cycle: nothing outside reads an inner node, and what a step reads was made
 * before its last node. */
#include <string.h>

#include "graph/plan.h"

enum { MANY = -1, NOBODY = 0, MOST_MEMBERS = 24 };

sl__alignment sl__alignment_of(const sl__plan *p, const sl__node *user, sl_node operand) {
  const sl__node *n = &p->g->nodes[operand];
  const bool contiguous = sl__node_is_contiguous(n);
  if (n->batched && contiguous) return SL__ALIGNED_WHOLE;
  bool repeats = true;
  for (int d = 0; d < n->shape.dims; d++) repeats &= n->shape.size[d] == 1 || n->stride[d] == 0;
  if (repeats && user->batched) return n->batched ? SL__ALIGNED_RUN : SL__ALIGNED_NUMBER;
  return user->batched && contiguous ? SL__ALIGNED_SPREAD : SL__UNALIGNED;
}

bool sl__is_whole(const sl__plan *p, sl_node operand) {
  const sl__node *n = &p->g->nodes[operand];
  return n->offset == 0 && sl__node_is_contiguous(n) &&
         sl__shape_count(p->g->nodes[n->root].shape) == sl__shape_count(n->shape);
}

static bool can_fuse(const sl__plan *p, sl_node node) {
  const sl__node *n = &p->g->nodes[node];
  if (p->g->nodes[p->loop[node]].operation == SL__OP_ODE) return false; /* see run_ode_tape.c */
  if (!p->live[node] || n->operation != SL__OP_ELEMENTWISE || !n->batched ||
      p->stage[node] != SL__BLOCK_STAGE || sl__is_in_sums(p, node))
    return false;
  for (int k = 0; k < n->operands; k++) {
    if (sl__alignment_of(p, n, n->operand[k]) == SL__UNALIGNED) return false;
  }
  return true;
}

typedef struct use {
  int64_t step;
} use; /* NOBODY, MANY, or the fused step that all users so far are in */

static void note(use *u, int64_t step) {
  if (u->step == NOBODY)
    u->step = step;
  else if (u->step != step)
    u->step = MANY;
}

/* The step of the node's users, if it can be computed there too; else itself. */
static sl_node step_for(const sl__plan *p, sl_node node, const use *users, const int32_t *members) {
  if (users[node].step <= 0) return node;
  const sl_node step = (sl_node)users[node].step;
  const sl__node *n = &p->g->nodes[node], *last = &p->g->nodes[step];
  const bool fits = last->type == n->type &&
                    sl__shape_count(last->shape) == sl__shape_count(n->shape) &&
                    members[step] < MOST_MEMBERS;
  return fits ? step : node;
}

sl_status sl__fuse(sl__plan *p, int count, const sl_node *outputs) {
  for (sl_node i = 0; i < p->nodes; i++) p->group[i] = i;
  SL__TRY(sl__fuse_sums(p, count, outputs));
  use *users = sl__arena_take(&p->arena, p->nodes, sizeof *users); /* of roots */
  int32_t *members = sl__arena_take(&p->arena, p->nodes, sizeof *members);
  if (!users || !members) return SL_NO_MEMORY;
  for (int k = 0; k < count; k++) users[p->g->nodes[outputs[k]].root].step = MANY;
  for (sl_node i = p->nodes - 1; i >= 1; i--) {
    if (!p->live[i]) continue;
    const sl__node *n = &p->g->nodes[i];
    const bool fusible = can_fuse(p, i);
    if (fusible) p->group[i] = step_for(p, i, users, members);
    if (!sl__is_in_sums(p, i)) {
      members[p->group[i]]++;
      p->group_next[i] = p->group_first[p->group[i]];
      p->group_first[p->group[i]] = i;
    }
    if (sl__operations[n->operation].kind == SL__KIND_VIEW)
      continue; /* its users are its root's users */
    for (int k = 0; k < n->operands; k++) {
      const sl__node *operand = &p->g->nodes[n->operand[k]];
      const bool whole =
          fusible && operand->batched && operand->offset == 0 &&
          sl__shape_count(p->g->nodes[operand->root].shape) == sl__shape_count(n->shape);
      note(&users[operand->root], whole ? (int64_t)p->group[i] : MANY);
    }
    int64_t parts;
    const sl_node *part = sl__parts(n, &parts);
    for (int64_t k = 0; k < parts; k++) users[p->g->nodes[part[k]].root].step = MANY;
  }
  return SL_OK;
}
