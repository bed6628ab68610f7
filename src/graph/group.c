/* Grouping: a loop of a traced program leaves N copies of the same scalar operations; here they
 * become one operation on N numbers. It runs before differentiation, so that gradients are vector
 * operations too.
 *
 * Operations that are alike (group_class.c) and of which none can depend on another are joined.
 * Two such sets suggest themselves: those equally far above the leaves (the terms of a loop whose
 * bodies depend on nothing but data), and those equally far below the outputs (what hangs on the
 * links of a recurrence); a node is put in the larger of the two. A set is computed when all its
 * operands are. Should sets wait for each other, one is begun with what is ready.
 *
 * Long chains of additions are first taken apart: they are sums of terms in any order. */
#include <stdlib.h>
#include <string.h>

#include "graph/group.h"

/* ---- what is there ---- */

static void count_references(sl__grouping *p, int count, const sl_node *outputs) {
  for (int k = 0; k < count; k++) p->references[outputs[k]]++;
  for (sl_node i = p->nodes - 1; i >= 1; i--) {
    const sl__node *n = &p->g->nodes[i];
    if (!p->references[i]) continue;
    for (int64_t k = 0; k < sl__operand_count(n); k++) p->references[sl__operand_at(n, k)]++;
  }
}

/* What a root's function reads or computes stays as it is. */
static void freeze(const sl__grouping *p, bool *frozen) {
  for (sl_node i = p->nodes - 1; i >= 1; i--) {
    const sl__node *n = &p->g->nodes[i];
    if (!p->references[i]) continue;
    const bool whole = frozen[i] || n->operation == SL__OP_ODE; /* what views show of it stays */
    for (int64_t k = whole ? 0 : n->operands; k < sl__operand_count(n); k++) {
      if (whole || sl__is_loop(n)) frozen[sl__operand_at(n, k)] = true;
    }
  }
}

enum { KNOWN = -1, SHARED = 0, BATCHED = 1, FINAL = 2 };

static void find_stage(sl__grouping *p, sl_node node) {
  const sl__node *n = &p->g->nodes[node];
  int8_t stage = KNOWN;
  if (n->operation == SL__OP_PARAMETER || n->operation == SL__OP_SHARED_INPUT) stage = SHARED;
  if (n->batched) stage = BATCHED;
  for (int64_t k = 0; k < sl__operand_count(n); k++) {
    const int8_t below = p->stage[sl__operand_at(n, k)];
    if (below > stage) stage = below;
  }
  p->stage[node] = sl__sums_rows(n) ? (int8_t)FINAL : stage;
}

static bool is_list(const sl__node *n) {
  int64_t parts;
  sl__parts(n, &parts);
  for (int d = 0; d < n->integer[0]; d++) {
    if (n->shape.size[d] != 1) return false;
  }
  return sl__shape_count(n->shape) <= parts * SL__GROUP_SMALL;
}

static sl__treatment treatment_of(const sl__grouping *p, const sl__node *n) {
  const sl__operation operation = (sl__operation)n->operation;
  const bool small = sl__shape_count(n->shape) <= SL__GROUP_SMALL;
  if (sl__operations[operation].kind != SL__KIND_STEP) return SL__LEFT;
  if (operation == SL__OP_CONCATENATE) return is_list(n) ? SL__LISTED : SL__REBUILT;
  if (operation == SL__OP_ELEMENTWISE || operation == SL__OP_ROWS || operation == SL__OP_CAST)
    return small ? SL__MAPPED : SL__REBUILT;
  if (operation != SL__OP_SUM && operation != SL__OP_SUM_LOG && operation != SL__OP_MAX)
    return SL__REBUILT;
  const sl_shape from = p->g->nodes[n->operand[0]].shape;
  return sl__shape_count(from) <= SL__GROUP_SMALL ? SL__REDUCED : SL__REBUILT;
}

/* ---- sums of many terms ---- */

/* An addition that may lie inside a longer one, and how its operands count. */
static bool is_addition(const sl__grouping *p, sl_node node) {
  const sl__node *n = &p->g->nodes[node];
  return p->treatment[node] == SL__MAPPED && n->operation == SL__OP_ELEMENTWISE &&
         (n->elementwise == SL__EW_add || n->elementwise == SL__EW_subtract ||
          n->elementwise == SL__EW_negate);
}

static bool is_inside(const sl__grouping *p, sl_node node, sl_node sum) {
  return is_addition(p, node) && p->references[node] == 1 && p->stage[node] == p->stage[sum];
}

/* A sum over all elements of a long list of small values is a sum of many terms too. */
static bool is_sum_of_list(const sl__grouping *p, const sl__node *n) {
  if (n->operation != SL__OP_SUM || n->shape.dims > 0) return false;
  const sl__node *list = &p->g->nodes[n->operand[0]];
  const sl__node *root = &p->g->nodes[list->root];
  return p->treatment[list->root] == SL__LISTED &&
         sl__shape_count(list->shape) == sl__shape_count(root->shape) &&
         sl__node_is_contiguous(list);
}

/* Terms from left to right; what is added inside is absorbed. stack: room for all nodes. */
static sl_status take_apart(sl__grouping *p, sl_node sum, sl__term *stack, sl__term *found) {
  int64_t waiting = 0, count = 0, absorbed = 0;
  stack[waiting++] = (sl__term){sum, false};
  while (waiting > 0) {
    const sl__term t = stack[--waiting];
    const sl__node *n = &p->g->nodes[t.node];
    if (t.node != sum && !is_inside(p, t.node, sum)) {
      found[count++] = t;
      continue;
    }
    absorbed++;
    const bool flips = n->elementwise != SL__EW_add;
    if (n->operands == 2) stack[waiting++] = (sl__term){n->operand[1], t.negative != flips};
    stack[waiting++] = (sl__term){n->operand[0], t.negative != (n->elementwise == SL__EW_negate)};
    if (t.node != sum) p->treatment[t.node] = SL__ABSORBED;
  }
  if (absorbed < 2) return SL_OK; /* one addition is what it is */
  sl__term *kept = sl__arena_take(&p->arena, (size_t)count, sizeof *kept);
  if (!kept) return SL_NO_MEMORY;
  memcpy(kept, found, (size_t)count * sizeof *kept);
  p->terms[sum] = (sl__terms){kept, (int32_t)count};
  p->treatment[sum] = SL__ADDED;
  return SL_OK;
}

static sl_status take_list(sl__grouping *p, sl_node sum) {
  const sl_node list = p->g->nodes[p->g->nodes[sum].operand[0]].root;
  int64_t count;
  const sl_node *parts = sl__parts(&p->g->nodes[list], &count);
  sl__term *terms = sl__arena_take(&p->arena, (size_t)count, sizeof *terms);
  if (!terms) return SL_NO_MEMORY;
  for (int64_t k = 0; k < count; k++) terms[k] = (sl__term){parts[k], false};
  p->terms[sum] = (sl__terms){terms, (int32_t)count};
  p->treatment[sum] = SL__ADDED;
  return SL_OK;
}

static sl_status find_sums(sl__grouping *p) {
  sl__term *stack = sl__arena_take(&p->arena, (size_t)p->nodes + 2, sizeof *stack);
  sl__term *found = sl__arena_take(&p->arena, (size_t)p->nodes + 2, sizeof *found);
  if (!stack || !found) return SL_NO_MEMORY;
  for (sl_node i = p->nodes - 1; i >= 1; i--) {
    if (!p->references[i]) continue;
    if (is_addition(p, i))
      SL__TRY(take_apart(p, i, stack, found));
    else if (p->treatment[i] != SL__LEFT && is_sum_of_list(p, &p->g->nodes[i]))
      SL__TRY(take_list(p, i));
  }
  return SL_OK;
}

static sl_status survey(sl__grouping *p, int count, const sl_node *outputs) {
  bool *frozen = sl__arena_take(&p->arena, p->nodes, sizeof *frozen);
#define TAKE(field) (p->field = sl__arena_take(&p->arena, p->nodes, sizeof *p->field))
  const bool ok = frozen && TAKE(treatment) && TAKE(stage) && TAKE(references) && TAKE(terms) &&
                  TAKE(image) && TAKE(met) && TAKE(rebuilt);
#undef TAKE
  if (!ok) return SL_NO_MEMORY;
  count_references(p, count, outputs);
  freeze(p, frozen);
  for (sl_node i = 1; i < p->nodes; i++) {
    if (!p->references[i]) continue;
    find_stage(p, i);
    if (!frozen[i] && p->stage[i] != KNOWN && i > p->after)
      p->treatment[i] = (uint8_t)treatment_of(p, &p->g->nodes[i]);
    if (p->treatment[i] == SL__LEFT && p->g->nodes[i].root == i) p->image[i].source = i;
  }
  return find_sums(p);
}

/* ---- the order ---- */

/* Which nodes are computed together, and what they wait for. */
typedef struct schedule {
  sl__grouping *p;
  int32_t *above, *below;      /* [nodes] steps from the leaves, to the outputs */
  uint32_t *set;               /* [nodes] */
  uint32_t *waits;             /* [nodes] for so many operands */
  uint32_t *user, *user_begin; /* [readings], [nodes + 1] */
  sl_node *next;               /* [nodes] in the list of its set's nodes that are ready */
  uint32_t sets;
  sl_node *first;             /* [sets] of that list */
  uint32_t *size, *ready;     /* [sets] nodes not computed yet; of them ready */
  uint32_t *complete, *begun; /* [sets] queues */
  uint32_t complete_at, complete_end, begun_at, begun_end;
  bool *listed;    /* [sets] in `begun` */
  sl_node *member; /* [nodes] of the set at hand */
} schedule;

static bool is_computed(const sl__grouping *p, sl_node node) {
  return p->treatment[node] > SL__ABSORBED;
}

static int64_t reading_count(const sl__grouping *p, sl_node node) {
  return p->treatment[node] == SL__ADDED ? p->terms[node].count
                                         : sl__operand_count(&p->g->nodes[node]);
}

/* The root of what node reads. */
static sl_node reading_at(const sl__grouping *p, sl_node node, int64_t k) {
  const sl_node operand = p->treatment[node] == SL__ADDED ? p->terms[node].term[k].node
                                                          : sl__operand_at(&p->g->nodes[node], k);
  return p->g->nodes[operand].root;
}

static void find_distances(schedule *s) {
  const sl__grouping *p = s->p;
  for (sl_node i = 1; i < p->nodes; i++) {
    if (!is_computed(p, i)) continue;
    for (int64_t k = 0; k < reading_count(p, i); k++) {
      const sl_node r = reading_at(p, i, k);
      const int32_t above = s->above[r] + (p->treatment[i] != SL__LISTED);
      if (is_computed(p, r) && above > s->above[i]) s->above[i] = above;
    }
  }
  for (sl_node i = p->nodes - 1; i >= 1; i--) {
    if (!is_computed(p, i)) continue;
    const int32_t below = s->below[i] + (p->treatment[i] != SL__LISTED);
    for (int64_t k = 0; k < reading_count(p, i); k++) {
      const sl_node r = reading_at(p, i, k);
      if (below > s->below[r]) s->below[r] = below;
    }
  }
}

/* Puts every node in the larger of its two sets. */
static sl_status find_sets(schedule *s) {
  sl__grouping *p = s->p;
  sl__interner classes = {.arena = &p->arena}, sets = {.arena = &p->arena};
  uint32_t *other = sl__arena_take(&p->arena, p->nodes, sizeof *other);
  s->size = sl__arena_take(&p->arena, (size_t)p->nodes * 2, sizeof *s->size);
  if (!other || !s->size) return SL_NO_MEMORY;
  for (sl_node i = 1; i < p->nodes; i++) {
    if (!is_computed(p, i)) continue;
    const uint32_t class = sl__class_of(p, &classes, i);
    s->set[i] = sl__intern(&sets, (uint32_t[3]){class, (uint32_t)s->above[i], 0}, 3);
    other[i] = sl__intern(&sets, (uint32_t[3]){class, (uint32_t)s->below[i], 1}, 3);
    if (class == UINT32_MAX || s->set[i] == UINT32_MAX || other[i] == UINT32_MAX)
      return SL_NO_MEMORY;
    s->size[s->set[i]]++;
    s->size[other[i]]++;
  }
  for (sl_node i = 1; i < p->nodes; i++) {
    if (is_computed(p, i) && s->size[other[i]] > s->size[s->set[i]]) s->set[i] = other[i];
  }
  s->sets = sets.count;
  memset(s->size, 0, s->sets * sizeof *s->size);
  for (sl_node i = 1; i < p->nodes; i++) {
    if (is_computed(p, i)) s->size[s->set[i]]++;
  }
  return SL_OK;
}

static sl_status list_users(schedule *s) {
  const sl__grouping *p = s->p;
  size_t readings = 0;
  for (sl_node i = 1; i < p->nodes; i++) {
    for (int64_t k = 0; is_computed(p, i) && k < reading_count(p, i); k++) {
      const sl_node r = reading_at(p, i, k);
      if (!is_computed(p, r)) continue;
      s->user_begin[r + 1]++;
      s->waits[i]++;
      readings++;
    }
  }
  for (sl_node i = 1; i <= p->nodes; i++) s->user_begin[i] += s->user_begin[i - 1];
  s->user = sl__arena_take(&s->p->arena, readings + 1, sizeof *s->user);
  uint32_t *at = sl__arena_take(&s->p->arena, (size_t)p->nodes + 1, sizeof *at);
  if (!s->user || !at) return SL_NO_MEMORY;
  memcpy(at, s->user_begin, p->nodes * sizeof *at);
  for (sl_node i = 1; i < p->nodes; i++) {
    for (int64_t k = 0; is_computed(p, i) && k < reading_count(p, i); k++) {
      const sl_node r = reading_at(p, i, k);
      if (is_computed(p, r)) s->user[at[r]++] = i;
    }
  }
  return SL_OK;
}

/* Finds the sets of which some node reads several members. */
static sl_status find_meetings(schedule *s) {
  sl__grouping *p = s->p;
  sl_node *reader = sl__arena_take(&p->arena, (size_t)s->sets + 1, sizeof *reader);
  bool *meet = sl__arena_take(&p->arena, (size_t)s->sets + 1, sizeof *meet);
  if (!reader || !meet) return SL_NO_MEMORY;
  for (sl_node i = 1; i < p->nodes; i++) {
    if (p->treatment[i] != SL__MAPPED && p->treatment[i] != SL__ADDED) continue;
    if (reading_count(p, i) > SL__GROUP_SMALL) continue;
    for (int64_t k = 0; k < reading_count(p, i); k++) {
      const sl_node r = reading_at(p, i, k);
      if (!is_computed(p, r)) continue;
      meet[s->set[r]] |= reader[s->set[r]] == i;
      reader[s->set[r]] = i;
    }
  }
  for (sl_node i = 1; i < p->nodes; i++) p->met[i] = is_computed(p, i) && meet[s->set[i]];
  return SL_OK;
}

static sl_status prepare(schedule *s) {
  sl__arena *arena = &s->p->arena;
  const size_t nodes = s->p->nodes;
#define TAKE(field, count) (s->field = sl__arena_take(arena, count, sizeof *s->field))
  if (!TAKE(above, nodes) || !TAKE(below, nodes) || !TAKE(set, nodes) || !TAKE(waits, nodes) ||
      !TAKE(user_begin, nodes + 2) || !TAKE(next, nodes) || !TAKE(member, nodes))
    return SL_NO_MEMORY;
  find_distances(s);
  SL__TRY(find_sets(s));
  SL__TRY(find_meetings(s));
  SL__TRY(list_users(s));
  const size_t sets = (size_t)s->sets + 1;
  if (!TAKE(first, sets) || !TAKE(ready, sets) || !TAKE(complete, sets) || !TAKE(begun, nodes) ||
      !TAKE(listed, sets))
    return SL_NO_MEMORY;
#undef TAKE
  return SL_OK;
}

static void note_ready(schedule *s, sl_node node) {
  const uint32_t set = s->set[node];
  s->next[node] = s->first[set];
  s->first[set] = node;
  if (++s->ready[set] == s->size[set]) {
    s->complete[s->complete_end++] = set;
  } else if (!s->listed[set]) {
    s->listed[set] = true;
    s->begun[s->begun_end++] = set;
  }
}

static int by_index(const void *a, const void *b) {
  const sl_node x = *(const sl_node *)a, y = *(const sl_node *)b;
  return (x > y) - (x < y);
}

static sl_status compute_set(schedule *s, uint32_t set) {
  int64_t count = 0;
  for (sl_node i = s->first[set]; i; i = s->next[i]) s->member[count++] = i;
  s->first[set] = 0;
  s->size[set] -= s->ready[set];
  s->ready[set] = 0;
  s->listed[set] = false;
  qsort(s->member, (size_t)count, sizeof *s->member, by_index);
  SL__TRY(sl__emit_group(s->p, s->member, count));
  for (int64_t m = 0; m < count; m++) {
    for (uint32_t u = s->user_begin[s->member[m]]; u < s->user_begin[s->member[m] + 1]; u++) {
      if (--s->waits[s->user[u]] == 0) note_ready(s, s->user[u]);
    }
  }
  return SL_OK;
}

static sl_status compute_all(schedule *s) {
  for (sl_node i = 1; i < s->p->nodes; i++) {
    if (is_computed(s->p, i) && s->waits[i] == 0) note_ready(s, i);
  }
  for (;;) {
    uint32_t set;
    if (s->complete_at < s->complete_end) {
      set = s->complete[s->complete_at++];
    } else if (s->begun_at < s->begun_end) {
      set = s->begun[s->begun_at++]; /* sets wait for each other, unless this one is done */
      s->listed[set] = false;
      if (!s->ready[set]) continue;
    } else {
      return SL_OK;
    }
    SL__TRY(compute_set(s, set));
  }
}

static sl_status group(sl__grouping *p, int count, sl_node *outputs) {
  SL__TRY(survey(p, count, outputs));
  schedule s = {.p = p};
  SL__TRY(prepare(&s));
  SL__TRY(compute_all(&s));
  for (int k = 0; k < count; k++) {
    const sl_node made = sl__rebuilt_node(p, outputs[k]);
    if (!made) return p->g->status;
    outputs[k] = made;
  }
  return p->g->status;
}

sl_status sl__graph_group(sl__graph *g, sl_node after, int count, sl_node *outputs) {
  if (g->status != SL_OK) return g->status;
  for (int k = 0; k < count; k++) {
    if (!outputs[k]) return sl__fail(g->context, SL_BAD_ARGUMENT, "output %d is no value", k);
  }
  sl__grouping p = {.g = g, .after = after, .nodes = g->count};
  const uint16_t label = g->label;
  sl__arena_open(&p.arena, g->context);
  const sl_status status = group(&p, count, outputs);
  sl__free(&g->context->allocator, p.element);
  sl__arena_close(&p.arena);
  g->label = label;
  if (g->status == SL_OK) g->status = status;
  return g->status;
}
