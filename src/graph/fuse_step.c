/* The step of a fused group: its operations in order of computation, before them what fills strips
 * with operands that do not lie as strips do, and a strip for every result from its computation to
 * its last use. */
#include <string.h>

#include "graph/plan.h"

typedef struct builder {
  sl__plan *p;
  sl_node group;
  sl__strip_op *op, *early; /* every strip; once, before the first */
  int32_t ops, earlies;     /* operands that are strips are named by their operation: */
  int32_t sums, strips;
  bool reads_whole;
} builder;

/* ... an operation done once by EARLY + its number. */
enum { EARLY = 1 << 24 };

static bool is_member(const builder *b, sl_node root) {
  return b->p->group[root] == b->group;
}

/* Members that are stored are read from there. */
static bool is_stored(const builder *b, sl_node member) {
  return member == b->group || b->p->kept[member];
}

static void note_result(builder *b, sl_node node, uint32_t op) {
  b->p->strip_op[node] = op;
  b->p->strip_group[node] = b->group;
}

/* The operation that puts an outer operand into a strip. */
static uint32_t brought_in(builder *b, sl_node operand, sl__alignment how) {
  if (b->p->strip_group[operand] == b->group) return b->p->strip_op[operand];
  sl__strip_op *op = how == SL__ALIGNED_RUN ? &b->early[b->earlies++] : &b->op[b->ops++];
  *op = (sl__strip_op){.kind = how == SL__ALIGNED_RUN ? SL__STRIP_REPEAT : SL__STRIP_SPREAD,
                       .operands = 1,
                       .value = SL__NO_VALUE,
                       .operand = {b->p->value[operand]}};
  const int32_t number = how == SL__ALIGNED_RUN ? EARLY + b->earlies - 1 : b->ops - 1;
  note_result(b, operand, (uint32_t)number);
  return (uint32_t)number;
}

/* Operand k of the operation made next. */
static void take_operand(builder *b, const sl__node *user, int k, sl__strip_op *op) {
  const sl_node operand = user->operand[k], root = b->p->g->nodes[operand].root;
  op->operand[k] = b->p->value[operand];
  if (is_member(b, root)) {
    op->from_strip[k] = !is_stored(b, root);
    if (op->from_strip[k]) op->operand[k] = b->p->strip_op[root];
    b->reads_whole |= !op->from_strip[k];
    return;
  }
  const sl__alignment how = sl__alignment_of(b->p, user, operand);
  op->from_strip[k] = how == SL__ALIGNED_RUN || how == SL__ALIGNED_SPREAD;
  if (op->from_strip[k]) op->operand[k] = brought_in(b, operand, how);
  b->reads_whole |= how == SL__ALIGNED_WHOLE;
}

static void add_member(builder *b, sl_node node) {
  const sl__node *n = &b->p->g->nodes[node];
  sl__strip_op op = {.elementwise = n->elementwise,
                     .operands = (uint8_t)n->operands,
                     .attribute = n->attribute,
                     .value = is_stored(b, node) ? b->p->value[node] : SL__NO_VALUE,
                     .index = n->operation == SL__OP_ELEMENTWISE ? NULL : n->data};
  switch (n->operation) {
    case SL__OP_SUM: op.kind = SL__STRIP_SUM; break;
    case SL__OP_SCATTER: op.kind = SL__STRIP_SCATTER; break;
    case SL__OP_GATHER: op.kind = SL__STRIP_GATHER; break;
    default: op.kind = SL__STRIP_ELEMENTWISE;
  }
  if (op.kind == SL__STRIP_GATHER)
    op.operand[0] = b->p->value[n->operand[0]];
  else
    for (int k = 0; k < n->operands; k++) take_operand(b, n, k, &op);
  if (op.kind == SL__STRIP_SUM) op.strip = b->sums++;
  b->reads_whole |= op.kind != SL__STRIP_SUM && op.kind != SL__STRIP_SCATTER && is_stored(b, node);
  note_result(b, node, (uint32_t)b->ops);
  b->op[b->ops++] = op;
}

static bool makes_strip(const sl__strip_op *op) {
  return op->kind != SL__STRIP_SUM && op->kind != SL__STRIP_SCATTER && op->value == SL__NO_VALUE;
}

/* Strips of those done once are theirs for good; the others' are given on. last: [ops], busy_until:
 * [ops + 1], both zeroed. */
static void give_strips(builder *b, int32_t *last, int32_t *busy_until) {
  for (int32_t i = 0; i < b->ops; i++) {
    for (int k = 0; k < b->op[i].operands; k++) {
      if (b->op[i].from_strip[k] && b->op[i].operand[k] < EARLY) last[b->op[i].operand[k]] = i;
    }
  }
  for (int32_t i = 0; i < b->earlies; i++) b->early[i].strip = i;
  int32_t used = 0;
  for (int32_t i = 0; i < b->ops; i++) {
    sl__strip_op *op = &b->op[i];
    if (makes_strip(op)) {
      int32_t s = 0; /* a strip read for the last time by this operation may be written by it */
      while (s < used && busy_until[s] > i) s++;
      used += s == used;
      busy_until[s] = last[i];
      op->strip = b->earlies + s;
    } else if (op->kind == SL__STRIP_ELEMENTWISE || op->kind == SL__STRIP_GATHER) {
      op->strip = -1;
    }
    for (int k = 0; k < op->operands; k++) {
      if (!op->from_strip[k]) continue;
      const uint32_t from = op->operand[k];
      op->operand[k] = (uint32_t)(from < EARLY ? b->op[from].strip : b->early[from - EARLY].strip);
    }
  }
  b->strips = b->earlies + used;
}

static sl_status build(builder *b) {
  sl__plan *p = b->p;
  size_t members = 0;
  for (sl_node i = p->group_first[b->group]; i; i = p->group_next[i]) members++;
  const size_t most = members * 4;
  b->op = sl__arena_take(&p->arena, most, sizeof *b->op);
  b->early = sl__arena_take(&p->arena, most, sizeof *b->early);
  int32_t *last = sl__arena_take(&p->arena, most, sizeof *last);
  int32_t *busy_until = sl__arena_take(&p->arena, most + 1, sizeof *busy_until);
  if (!b->op || !b->early || !last || !busy_until) return SL_NO_MEMORY;
  for (sl_node i = p->group_first[b->group]; i; i = p->group_next[i]) p->strip_group[i] = 0;
  for (sl_node i = p->group_first[b->group]; i; i = p->group_next[i]) add_member(b, i);
  give_strips(b, last, busy_until);
  return SL_OK;
}

/* Forgets which outer operands have been brought in: a group may be built twice. */
static void forget(builder *b) {
  for (sl_node i = b->p->group_first[b->group]; i; i = b->p->group_next[i]) {
    const sl__node *n = &b->p->g->nodes[i];
    b->p->strip_group[i] = 0;
    for (int k = 0; k < n->operands; k++) b->p->strip_group[n->operand[k]] = 0;
  }
}

sl_status sl__count_strips(sl__plan *p, sl_node node, int32_t *strips) {
  builder b = {.p = p, .group = node};
  SL__TRY(build(&b));
  forget(&b);
  *strips = b.strips;
  return SL_OK;
}

/* How many features the members have. */
static int64_t features_of(const sl__plan *p, sl_node member) {
  const sl__node *n = &p->g->nodes[member];
  const bool sums = n->operation == SL__OP_SUM || n->operation == SL__OP_SCATTER;
  return sl__shape_count(p->g->nodes[sums ? n->operand[0] : member].shape);
}

static sl_status copy_index(sl__plan *p, sl__strip_op *op, int64_t features) {
  if (!op->index) return SL_OK;
  int32_t *kept = sl__arena_take(&p->program->arena, (size_t)features, sizeof *kept);
  if (!kept) return SL_NO_MEMORY;
  memcpy(kept, op->index, (size_t)features * sizeof *kept);
  op->index = kept;
  return SL_OK;
}

sl_status sl__fused_step(sl__plan *p, sl_node node, sl__step *step) {
  const sl_node first = p->group_first[node];
  if (!p->group_next[first]) return SL_OK; /* alone */
  builder b = {.p = p, .group = node};
  SL__TRY(build(&b));
  const int32_t count = b.earlies + b.ops;
  sl__strips *s = sl__arena_take(&p->program->arena, 1, sizeof *s);
  sl__strip_op *op = sl__arena_take(&p->program->arena, (size_t)count, sizeof *op);
  if (!s || !op) return SL_NO_MEMORY;
  memcpy(op, b.early, (size_t)b.earlies * sizeof *op);
  memcpy(op + b.earlies, b.op, (size_t)b.ops * sizeof *op);
  *s = (sl__strips){.op = op,
                    .count = count,
                    .first = b.earlies,
                    .strips = b.strips,
                    .sums = b.sums,
                    .features = features_of(p, first),
                    .type = p->g->nodes[node].type,
                    .flat = true,
                    .whole = b.reads_whole};
  step->cost = 0;
  for (int32_t i = 0; i < count; i++) {
    SL__TRY(copy_index(p, &op[i], s->features));
    s->flat &= op[i].kind == SL__STRIP_ELEMENTWISE;
    s->by_lanes |= op[i].kind == SL__STRIP_SUM || op[i].kind == SL__STRIP_SCATTER;
    if (op[i].kind != SL__STRIP_REPEAT) step->cost += 10 + 0.05f * 128 * (float)s->features;
  }
  step->strips = s;
  step->operation = SL__OP_STRIPS;
  step->operands = 0;
  return SL_OK;
}
