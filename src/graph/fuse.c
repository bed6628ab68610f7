/* Elementwise fusion: a node of which every use is in one other elementwise step of the same size
 * becomes part of that step, which then runs strip by strip, its inner values never leaving the
 * first-level cache.
 *
 * Nodes are visited users first: a node joins the step of its users when all of them are in one.
 * Merging cannot make a cycle: nothing outside reads an inner node, and what a step reads was made
 * before its last node. */
#include <string.h>

#include "graph/plan.h"

enum { MANY = -1, NOBODY = 0 };

/* The operand can be read strip by strip: a whole value of the same size, or one shared number. */
static bool is_aligned(const sl__plan *p, const sl__node *user, sl_node operand) {
  const sl__node *n = &p->g->nodes[operand];
  if (n->batched) return sl__node_is_contiguous(n);
  for (int d = 0; d < n->shape.dims; d++) {
    if (n->shape.size[d] != 1 && n->stride[d] != 0) return false;
  }
  return user->batched;
}

static bool can_fuse(const sl__plan *p, sl_node node) {
  const sl__node *n = &p->g->nodes[node];
  if (!p->live[node] || n->operation != SL__OP_ELEMENTWISE || !n->batched ||
      p->stage[node] != SL__BLOCK_STAGE)
    return false;
  for (int k = 0; k < n->operands; k++) {
    if (!is_aligned(p, n, n->operand[k])) return false;
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

sl_status sl__fuse(sl__plan *p, int count, const sl_node *outputs) {
  use *users = sl__arena_take(&p->arena, p->nodes, sizeof *users); /* of roots */
  int32_t *members = sl__arena_take(&p->arena, p->nodes, sizeof *members);
  if (!users || !members) return SL_NO_MEMORY;
  for (int k = 0; k < count; k++) users[p->g->nodes[outputs[k]].root].step = MANY;
  for (sl_node i = p->nodes - 1; i >= 1; i--) {
    p->group[i] = i;
    if (!p->live[i]) continue;
    const sl__node *n = &p->g->nodes[i];
    const bool fusible = can_fuse(p, i);
    if (fusible && users[i].step > 0) {
      const sl_node step = (sl_node)users[i].step;
      const sl__node *last = &p->g->nodes[step];
      if (last->type == n->type && sl__shape_count(last->shape) == sl__shape_count(n->shape) &&
          members[step] < SL__MAX_STRIPS)
        p->group[i] = step;
    }
    members[p->group[i]]++;
    p->group_first[p->group[i]] = i;
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

/* ---- the step of a group ---- */

typedef struct builder {
  sl__plan *plan;
  sl_node *member;
  int32_t members; /* of the group, in order of computation */
  int32_t *slot;   /* [members] strip of each member, or -1: the result */
} builder;

static int32_t member_index(const builder *b, sl_node node) {
  for (int32_t i = 0; i < b->members; i++) {
    if (b->member[i] == node) return i;
  }
  return -1;
}

/* Gives each member a strip from its computation to its last use; there are at most as many strips
 * as members. */
static void give_strips(builder *b) {
  int32_t busy_until[SL__MAX_STRIPS], strips = 0;
  for (int32_t i = 0; i < b->members; i++) {
    int32_t last = i;
    for (int32_t j = i + 1; j < b->members; j++) {
      const sl__node *user = &b->plan->g->nodes[b->member[j]];
      for (int k = 0; k < user->operands; k++) {
        const sl__node *operand = &b->plan->g->nodes[user->operand[k]];
        if (operand->root == b->member[i]) last = j;
      }
    }
    b->slot[i] = -1;
    if (i == b->members - 1) break;
    int32_t s = 0;
    while (s < strips && busy_until[s] > i)
      s++; /* a strip read for the last time by this member may be written by it */
    strips += s == strips;
    busy_until[s] = last;
    b->slot[i] = s;
  }
}

sl_status sl__fused_step(sl__plan *p, sl_node node, sl__step *step) {
  builder b = {.plan = p};
  for (sl_node i = p->group_first[node]; i <= node; i++) b.members += p->group[i] == node;
  if (b.members == 1) return SL_OK;
  b.member = sl__arena_take(&p->arena, (size_t)b.members, sizeof *b.member);
  b.slot = sl__arena_take(&p->arena, (size_t)b.members, sizeof *b.slot);
  sl__fused *fused = sl__arena_take(&p->program->arena, (size_t)b.members, sizeof *fused);
  if (!b.member || !b.slot || !fused) return SL_NO_MEMORY;
  int32_t at = 0;
  for (sl_node i = p->group_first[node]; i <= node; i++) {
    if (p->group[i] == node) b.member[at++] = i;
  }
  give_strips(&b);
  step->cost = 0;
  for (int32_t i = 0; i < b.members; i++) {
    const sl__node *n = &p->g->nodes[b.member[i]];
    fused[i] = (sl__fused){.elementwise = n->elementwise,
                           .operands = (uint8_t)n->operands,
                           .attribute = n->attribute,
                           .strip = b.slot[i]};
    for (int k = 0; k < n->operands; k++) {
      const int32_t inner = member_index(&b, p->g->nodes[n->operand[k]].root);
      fused[i].from_strip[k] = inner >= 0;
      fused[i].operand[k] = inner >= 0 ? (uint32_t)b.slot[inner] : p->value[n->operand[k]];
    }
    step->cost += 10 + 0.05f * 128 * (float)sl__shape_count(n->shape);
  }
  step->fused = fused;
  step->fused_count = b.members;
  return SL_OK;
}
