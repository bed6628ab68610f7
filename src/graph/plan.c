/* Planning: from a graph and its outputs to a program. Decides which stage and level a node belongs to, and where its
 * numbers lie. Memory of a block is given out level by level, first fit; a concatenation's parts are computed in their
 * places, so that growing a vector piece by piece (autoregressive sampling) copies nothing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/operations.h"
#include "kernels/kernels.h"

enum { CONSTANT_STAGE = -1, SHARED_STAGE = 0, BLOCK_STAGE = 1, FINAL_STAGE = 2, BLOCK_ROWS = 256 };

typedef struct interval { int64_t begin, size; } interval;

typedef struct plan {
  sl_context *context;
  sl__graph *g;
  sl__program *program;
  sl__arena arena;          /* lives while planning */
  uint32_t nodes;
  bool *live;
  int8_t *stage;            /* where a node is computed */
  int8_t *ready;            /* the stage from which it can be read */
  int32_t *level, *birth, *death; /* levels in its stage; of roots: when memory is taken and given back */
  uint32_t *value;          /* node -> value */
  sl_node *home;            /* root -> the concatenation it is computed into, or itself */
  int64_t *home_offset;     /* in numbers */
  int64_t *place;           /* root -> offset (sl__area) */
  int32_t *last_uses;       /* of roots: steps that read it at its level of death */
  interval *gaps; int64_t gap_count;
} plan;

static const sl_node *parts_of(const sl__node *n, int64_t *count) {
  *count = n->operation == SL__OP_CONCATENATE ? n->data_bytes / (int64_t)sizeof(sl_node) : 0;
  return n->data;
}

/* Calls visit for every operand, the parts of a concatenation among them. */
static void for_operands(plan *p, sl_node node, void (*visit)(plan *, sl_node operand, sl_node user)) {
  const sl__node *n = &p->g->nodes[node];
  for (int k = 0; k < n->operands; k++) visit(p, n->operand[k], node);
  int64_t count;
  const sl_node *parts = parts_of(n, &count);
  for (int64_t k = 0; k < count; k++) visit(p, parts[k], node);
}

static void mark_live(plan *p, sl_node operand, sl_node user) { (void)user; p->live[operand] = true; }

static bool sums_rows(const sl__node *n) {
  return n->operation == SL__OP_SUM_ROWS || n->operation == SL__OP_DOT_ROWS || n->operation == SL__OP_OUTER_ROWS;
}

static void raise_stage(plan *p, sl_node operand, sl_node user) {
  if (p->ready[operand] > p->stage[user]) p->stage[user] = p->ready[operand];
}

static sl_status find_stages(plan *p) {
  for (sl_node i = 1; i < p->nodes; i++) {
    if (!p->live[i]) continue;
    const sl__node *n = &p->g->nodes[i];
    p->stage[i] = CONSTANT_STAGE;
    if (n->operation == SL__OP_PARAMETER || n->operation == SL__OP_SHARED_INPUT) p->stage[i] = SHARED_STAGE;
    if (n->batched) p->stage[i] = BLOCK_STAGE;
    for_operands(p, i, raise_stage);
    p->ready[i] = p->stage[i];
    if (n->batched && p->stage[i] == FINAL_STAGE) {
      return sl__fail(p->context, SL_UNSUPPORTED, "%s%soperation %s needs a sum over all rows for every row; split it into two programs",
                      p->g->labels[n->label], n->label ? ": " : "", sl__operations[n->operation].name);
    }
    if (sums_rows(n)) p->ready[i] = FINAL_STAGE;
  }
  return SL_OK;
}

/* ---- computing parts in their places ---- */

static bool is_single_axis(const sl__node *n, int axis) {
  for (int d = 0; d < axis; d++) {
    if (n->shape.size[d] != 1) return false;
  }
  return true;
}

static void settle_parts(plan *p) {
  for (sl_node i = p->nodes - 1; i >= 1; i--) { /* the longest concatenation of a chain first */
    const sl__node *n = &p->g->nodes[i];
    if (!p->live[i] || n->operation != SL__OP_CONCATENATE || p->stage[i] != BLOCK_STAGE) continue;
    if (!is_single_axis(n, n->integer[0])) continue;
    int64_t count, at = 0;
    const sl_node *parts = parts_of(n, &count);
    for (int64_t k = 0; k < count; k++) {
      const sl__node *part = &p->g->nodes[parts[k]];
      const sl_node root = part->root;
      const sl__node *r = &p->g->nodes[root];
      const int64_t size = sl__shape_count(part->shape);
      if (p->stage[root] == BLOCK_STAGE && p->home[root] == root && root != i && r->batched && part->offset == 0 &&
          sl__shape_count(r->shape) == size && sl__node_is_contiguous(part)) {
        p->home[root] = i;
        p->home_offset[root] = at;
      }
      at += size;
    }
  }
}

/* The concatenation at the end of the chain, and the offset in it. */
static sl_node final_home(const plan *p, sl_node root, int64_t *offset) {
  *offset = 0;
  while (p->home[root] != root) {
    *offset += p->home_offset[root];
    root = p->home[root];
  }
  return root;
}

static bool is_in_place(const plan *p, sl_node part, sl_node concatenation, int64_t at) {
  const sl_node root = p->g->nodes[part].root;
  return p->home[root] == concatenation && p->home_offset[root] == at;
}

/* ---- levels and lifetimes ---- */

static void raise_level(plan *p, sl_node operand, sl_node user) {
  if (p->stage[operand] != p->stage[user]) return;
  const bool costs = sl__operations[p->g->nodes[user].operation].kind == SL__KIND_STEP;
  const int32_t level = p->level[operand] + costs;
  if (level > p->level[user]) p->level[user] = level;
}

static void note_use(plan *p, sl_node operand, sl_node user) {
  if (p->stage[user] != BLOCK_STAGE || !p->g->nodes[operand].batched) return;
  int64_t offset;
  const sl_node home = final_home(p, p->g->nodes[operand].root, &offset);
  if (p->level[user] > p->death[home]) {
    p->death[home] = p->level[user];
    p->last_uses[home] = 0;
  }
  if (p->level[user] == p->death[home]) p->last_uses[home]++;
}

static void find_lifetimes(plan *p, int count, const sl_node *outputs) {
  for (sl_node i = 1; i < p->nodes; i++) {
    if (p->live[i]) for_operands(p, i, raise_level);
  }
  for (sl_node i = 1; i < p->nodes; i++) {
    p->birth[i] = INT32_MAX;
    p->death[i] = -1;
  }
  for (sl_node i = 1; i < p->nodes; i++) {
    if (!p->live[i] || p->stage[i] != BLOCK_STAGE || !p->g->nodes[i].batched) continue;
    if (p->g->nodes[i].root == i) {
      int64_t offset;
      const sl_node home = final_home(p, i, &offset);
      if (p->level[i] < p->birth[home]) p->birth[home] = p->level[i];
      if (p->level[i] > p->death[home]) {
        p->death[home] = p->level[i];
        p->last_uses[home] = 0;
      }
    }
  }
  for (sl_node i = 1; i < p->nodes; i++) {
    if (p->live[i] && sl__operations[p->g->nodes[i].operation].kind == SL__KIND_STEP) for_operands(p, i, note_use);
  }
  for (int k = 0; k < count; k++) { /* outputs live to the end */
    if (!p->g->nodes[outputs[k]].batched) continue;
    int64_t offset;
    p->death[final_home(p, p->g->nodes[outputs[k]].root, &offset)] = INT32_MAX;
  }
}

/* ---- block memory ---- */

static int64_t units_of(const sl__node *n) { return sl__shape_count(n->shape) * (n->type == SL_F32 ? 1 : 2); }

static int64_t take_units(plan *p, int64_t size) {
  for (int64_t i = 0; i < p->gap_count; i++) {
    if (p->gaps[i].size < size) continue;
    const int64_t begin = p->gaps[i].begin;
    p->gaps[i].begin += size;
    p->gaps[i].size -= size;
    if (p->gaps[i].size == 0) memmove(&p->gaps[i], &p->gaps[i + 1], (size_t)(--p->gap_count - i) * sizeof *p->gaps);
    return begin;
  }
  const int64_t begin = p->program->block_units;
  p->program->block_units += size;
  return begin;
}

static void give_units(plan *p, int64_t begin, int64_t size) {
  int64_t i = 0;
  while (i < p->gap_count && p->gaps[i].begin < begin) i++;
  const bool joins_next = i < p->gap_count && begin + size == p->gaps[i].begin;
  const bool joins_last = i > 0 && p->gaps[i - 1].begin + p->gaps[i - 1].size == begin;
  if (joins_last) {
    p->gaps[i - 1].size += size;
    if (joins_next) {
      p->gaps[i - 1].size += p->gaps[i].size;
      memmove(&p->gaps[i], &p->gaps[i + 1], (size_t)(--p->gap_count - i) * sizeof *p->gaps);
    }
  } else if (joins_next) {
    p->gaps[i].begin = begin;
    p->gaps[i].size += size;
  } else {
    memmove(&p->gaps[i + 1], &p->gaps[i], (size_t)(p->gap_count++ - i) * sizeof *p->gaps);
    p->gaps[i] = (interval){begin, size};
  }
}

/* An elementwise result may take over the memory of an operand that dies with this very step. */
static sl_node operand_to_reuse(plan *p, sl_node node) {
  const sl__node *n = &p->g->nodes[node];
  if (n->operation != SL__OP_ELEMENTWISE) return 0;
  for (int k = 0; k < n->operands; k++) {
    const sl__node *operand = &p->g->nodes[n->operand[k]];
    const sl_node root = operand->root;
    bool again = false;
    for (int j = 0; j < k; j++) again |= p->g->nodes[n->operand[j]].root == root;
    for (int j = k + 1; j < n->operands; j++) again |= p->g->nodes[n->operand[j]].root == root;
    if (again || !operand->batched || p->home[root] != root || p->g->nodes[root].operation == SL__OP_CONCATENATE) continue;
    if (p->stage[root] == BLOCK_STAGE && p->death[root] == p->level[node] && p->last_uses[root] == 1 && p->birth[root] < p->level[node] &&
        sl__node_is_contiguous(operand) && operand->offset == 0 && units_of(&p->g->nodes[root]) == units_of(n) && p->place[root] >= 0) {
      return root;
    }
  }
  return 0;
}

typedef struct node_list { sl_node *node; uint32_t *begin; } node_list; /* [levels + 1] */

/* Sorts the nodes of `which` level array into buckets. */
static bool bucket(plan *p, const int32_t *level_of, int32_t levels, const bool *include, node_list *out) {
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

static sl_status place_block_values(plan *p) {
  bool *owners = sl__arena_take(&p->arena, p->nodes, sizeof *owners);
  p->gaps = sl__arena_take(&p->arena, (size_t)p->nodes + 1, sizeof *p->gaps);
  if (!owners || !p->gaps) return SL_NO_MEMORY;
  int32_t levels = 0;
  for (sl_node i = 1; i < p->nodes; i++) {
    const sl__node *n = &p->g->nodes[i];
    owners[i] = p->live[i] && n->batched && n->root == i && p->home[i] == i;
    if (p->live[i] && n->batched && p->level[i] + 1 > levels) levels = p->level[i] + 1;
  }
  node_list born, dying;
  if (!bucket(p, p->birth, levels, owners, &born) || !bucket(p, p->death, levels, owners, &dying)) return SL_NO_MEMORY;
  for (int32_t level = 0; level < levels; level++) {
    for (uint32_t i = born.begin[level]; i < born.begin[level + 1]; i++) {
      const sl_node node = born.node[i], reused = operand_to_reuse(p, node);
      if (reused) {
        p->place[node] = p->place[reused];
        p->place[reused] = -2 - p->place[reused]; /* still its place; no longer its own to give back */
      } else {
        p->place[node] = take_units(p, units_of(&p->g->nodes[node]));
      }
    }
    for (uint32_t i = dying.begin[level]; i < dying.begin[level + 1]; i++) {
      const sl_node node = dying.node[i];
      if (p->place[node] >= 0) give_units(p, p->place[node], units_of(&p->g->nodes[node]));
    }
  }
  for (sl_node i = 1; i < p->nodes; i++) {
    if (owners[i] && p->place[i] < 0) p->place[i] = -2 - p->place[i];
  }
  return SL_OK;
}

/* ---- values ---- */

static int64_t align64(int64_t bytes) { return (bytes + 63) & ~(int64_t)63; }

/* Shared values are placed one after another; sums over rows get accumulators. */
static sl_status place_shared_values(plan *p) {
  sl__program *out = p->program;
  int64_t constants = 0;
  for (sl_node i = 1; i < p->nodes; i++) {
    const sl__node *n = &p->g->nodes[i];
    if (!p->live[i] || n->root != i || n->batched) continue;
    const int64_t bytes = align64(sl__shape_count(n->shape) * sl__type_size(n->type));
    if (n->operation == SL__OP_PARAMETER) {
      p->place[i] = (((int64_t)n->integer[0] << 31) | n->integer[1]) * sl__type_size(n->type);
    } else if (sums_rows(n)) {
      p->place[i] = out->accumulator_count++;
    } else if (p->stage[i] == CONSTANT_STAGE) {
      p->place[i] = constants;
      constants += bytes;
    } else {
      p->place[i] = out->shared_bytes;
      out->shared_bytes += bytes;
    }
  }
  out->constants = sl__arena_take(&out->arena, (size_t)constants + 64, 1);
  out->accumulators = sl__arena_take(&out->arena, (size_t)out->accumulator_count + 1, sizeof *out->accumulators);
  if (!out->constants || !out->accumulators) return SL_NO_MEMORY;
  for (sl_node i = 1; i < p->nodes; i++) {
    const sl__node *n = &p->g->nodes[i];
    if (!p->live[i] || n->root != i || !sums_rows(n)) continue;
    const int64_t count = sl__shape_count(n->shape), bytes = align64(count * sl__type_size(n->type));
    out->accumulators[p->place[i]] = (sl__accumulator){.offset = out->accumulator_bytes, .bytes = bytes, .count = count, .type = n->type, .output = -1};
    out->accumulator_bytes += bytes;
  }
  return SL_OK;
}

static sl__area area_of(const plan *p, sl_node root) {
  const sl__node *n = &p->g->nodes[root];
  if (n->batched) return SL__AREA_BLOCK;
  if (n->operation == SL__OP_PARAMETER) return SL__AREA_PARAMETER;
  if (sums_rows(n)) return SL__AREA_ACCUMULATOR;
  return p->stage[root] == CONSTANT_STAGE ? SL__AREA_CONSTANT : SL__AREA_SHARED;
}

static sl_status make_values(plan *p) {
  sl__program *out = p->program;
  uint32_t count = 0;
  for (sl_node i = 1; i < p->nodes; i++) p->value[i] = p->live[i] ? count++ : UINT32_MAX;
  out->value_count = count;
  out->values = sl__arena_take(&out->arena, (size_t)count + 1, sizeof *out->values);
  if (!out->values) return SL_NO_MEMORY;
  for (sl_node i = 1; i < p->nodes; i++) {
    if (!p->live[i]) continue;
    const sl__node *n = &p->g->nodes[i];
    int64_t inside;
    const sl_node home = final_home(p, n->root, &inside);
    sl__value *v = &out->values[p->value[i]];
    *v = (sl__value){.area = (uint8_t)area_of(p, n->root), .type = n->type, .batched = n->batched, .shape = n->shape,
                     .contiguous = sl__node_is_contiguous(n), .count = sl__shape_count(n->shape), .offset = p->place[home],
                     .view_offset = n->offset + inside};
    memcpy(v->stride, n->stride, sizeof v->stride);
  }
  return SL_OK;
}

/* ---- steps ---- */

static float cost_of(const sl__node *n, const sl__graph *g) {
  const double rows = n->batched || sums_rows(n) ? 128 : 1, size = (double)sl__shape_count(n->shape) * (n->type == SL_F32 ? 1 : 2);
  switch (n->operation) {
    case SL__OP_LINEAR: case SL__OP_LINEAR_TRANSPOSED: case SL__OP_OUTER_ROWS: {
      const double inputs = n->operation == SL__OP_OUTER_ROWS ? 1 : (double)sl__shape_count(g->nodes[n->operand[1]].shape);
      return (float)(size * inputs * rows * 0.02 * (n->data ? 0.5 : 1) + 100);
    }
    case SL__OP_MATMUL: return (float)(size * g->nodes[n->operand[0]].shape.size[1] * rows * 0.1 + 20);
    case SL__OP_TRIANGULAR_SOLVE: case SL__OP_CHOLESKY: return (float)(size * g->nodes[n->operand[0]].shape.size[0] * rows * 0.1 + 20);
    default: return (float)(size * rows * 0.12 + 10);
  }
}

/* For a product with a staircase: which part of the sum is not zero, for each row of the result. */
static sl_status structure_product(plan *p, const sl__node *n, sl__step *s) {
  const int32_t *extent = n->data;
  const int32_t out = (int32_t)(n->data_bytes / (int64_t)sizeof *extent);
  int32_t *kept = sl__arena_take(&p->program->arena, (size_t)out, sizeof *kept);
  if (!kept) return SL_NO_MEMORY;
  memcpy(kept, extent, (size_t)n->data_bytes);
  if (n->operation == SL__OP_LINEAR) s->k_end = kept;
  if (n->operation == SL__OP_OUTER_ROWS) s->n_end = kept;
  if (n->operation != SL__OP_LINEAR_TRANSPOSED) return SL_OK;
  const int32_t in = n->shape.size[0]; /* input i is used by the outputs whose extent exceeds i: from first to last */
  int32_t *first = sl__arena_take(&p->program->arena, (size_t)in, sizeof *first);
  int32_t *last = sl__arena_take(&p->program->arena, (size_t)in, sizeof *last);
  if (!first || !last) return SL_NO_MEMORY;
  for (int32_t i = 0; i < in; i++) first[i] = out;
  int32_t reach = 0; /* inputs below it have their first output */
  for (int32_t o = 0; o < out; o++) {
    for (; reach < extent[o] && reach < in; reach++) first[reach] = o;
  }
  int32_t below = 0;
  for (int32_t o = out - 1; o >= 0; o--) {
    for (; below < extent[o] && below < in; below++) last[below] = o + 1;
  }
  s->k_begin = first;
  s->k_end = last;
  return SL_OK;
}

static sl_status copy_data(plan *p, sl_node node, sl__step *s) {
  const sl__node *n = &p->g->nodes[node];
  if (n->operation == SL__OP_LINEAR || n->operation == SL__OP_LINEAR_TRANSPOSED || n->operation == SL__OP_OUTER_ROWS) {
    return n->data ? structure_product(p, n, s) : SL_OK;
  }
  if (n->operation == SL__OP_CONCATENATE) { /* pairs (value, begin) of the parts that are not computed in place */
    int64_t count;
    const sl_node *parts = parts_of(n, &count);
    uint32_t *copies = sl__arena_take(&p->program->arena, (size_t)count * 2 + 1, sizeof *copies);
    if (!copies) return SL_NO_MEMORY;
    int64_t at = 0, numbers = 0;
    for (int64_t k = 0; k < count; k++) {
      const sl__node *part = &p->g->nodes[parts[k]];
      if (!is_in_place(p, parts[k], node, numbers)) {
        copies[s->data_count++] = p->value[parts[k]];
        copies[s->data_count++] = (uint32_t)at;
      }
      at += part->shape.size[n->integer[0]];
      numbers += sl__shape_count(part->shape);
    }
    s->data = copies;
    return SL_OK;
  }
  if (n->data && n->operation != SL__OP_CONSTANT) {
    void *kept = sl__arena_take(&p->program->arena, (size_t)n->data_bytes, 1);
    if (!kept) return SL_NO_MEMORY;
    memcpy(kept, n->data, (size_t)n->data_bytes);
    s->data = kept;
    s->data_count = n->data_bytes / (int64_t)sizeof(int32_t);
  }
  return SL_OK;
}

static bool is_step(const plan *p, sl_node i) {
  return p->live[i] && sl__operations[p->g->nodes[i].operation].run != NULL;
}

static int by_level(const void *a, const void *b) {
  const sl__step *x = a, *y = b;
  if (x->level != y->level) return x->level < y->level ? -1 : 1;
  return (x->value > y->value) - (x->value < y->value);
}

static sl_status make_stage(plan *p, int8_t which, sl__arena *arena, sl__stage *stage) {
  int32_t count = 0;
  for (sl_node i = 1; i < p->nodes; i++) count += is_step(p, i) && p->stage[i] == which;
  stage->step = sl__arena_take(arena, (size_t)count + 1, sizeof *stage->step);
  if (!stage->step) return SL_NO_MEMORY;
  for (sl_node i = 1; i < p->nodes; i++) {
    if (!is_step(p, i) || p->stage[i] != which) continue;
    const sl__node *n = &p->g->nodes[i];
    sl__step s = {.operation = n->operation, .elementwise = n->elementwise, .operands = n->operands, .label = n->label,
                  .value = p->value[i], .attribute = n->attribute, .level = p->level[i], .cost = cost_of(n, p->g)};
    for (int k = 0; k < n->operands; k++) s.operand[k] = p->value[n->operand[k]];
    memcpy(s.integer, n->integer, sizeof s.integer);
    SL__TRY(copy_data(p, i, &s));
    if (n->operation == SL__OP_CONCATENATE && s.data_count == 0) continue; /* all parts are in place */
    stage->step[stage->steps++] = s;
  }
  qsort(stage->step, (size_t)stage->steps, sizeof *stage->step, by_level);
  for (int32_t i = 0, level = -1, last = -1; i < stage->steps; i++) { /* renumber: no empty levels */
    if (stage->step[i].level != last) level++;
    last = stage->step[i].level;
    stage->step[i].level = level;
    stage->levels = level + 1;
  }
  stage->level_begin = sl__arena_take(arena, (size_t)stage->levels + 2, sizeof *stage->level_begin);
  if (!stage->level_begin) return SL_NO_MEMORY;
  for (int32_t i = 0; i < stage->steps; i++) stage->level_begin[stage->step[i].level + 1] = i + 1;
  return SL_OK;
}

/* Fills constants and computes what depends on nothing else. */
static sl_status compute_constants(plan *p) {
  sl__program *out = p->program;
  sl__frame frame = {.program = out, .rows = 1, .lead = 1};
  for (sl_node i = 1; i < p->nodes; i++) {
    const sl__node *n = &p->g->nodes[i];
    if (!p->live[i] || n->operation != SL__OP_CONSTANT) continue;
    const double *from = n->data;
    void *to = sl__address(&frame, &out->values[p->value[i]]);
    const int64_t count = sl__shape_count(n->shape);
    for (int64_t k = 0; k < count; k++) {
      if (n->type == SL_F32) ((float *)to)[k] = (float)from[k];
      else ((double *)to)[k] = from[k];
    }
  }
  sl__stage constant = {0};
  SL__TRY(make_stage(p, CONSTANT_STAGE, &p->arena, &constant));
  for (int32_t i = 0; i < constant.steps; i++) {
    const size_t bytes = sl__step_scratch(&frame, &constant.step[i]);
    frame.scratch = sl__arena_take(&p->arena, bytes + 64, 1);
    if (!frame.scratch) return SL_NO_MEMORY;
    sl__run_step(&frame, &constant.step[i], 0, 1);
  }
  return SL_OK;
}

static sl_status list_inputs(plan *p) {
  sl__program *out = p->program;
  out->input_count = p->g->inputs;
  out->inputs = sl__arena_take(&out->arena, (size_t)out->input_count + 1, sizeof *out->inputs);
  if (!out->inputs) return SL_NO_MEMORY;
  for (sl_node i = 1; i < p->nodes; i++) {
    const sl__node *n = &p->g->nodes[i];
    if (!p->live[i] || (n->operation != SL__OP_INPUT && n->operation != SL__OP_SHARED_INPUT)) continue;
    out->inputs[n->integer[0]] = (sl__input){.value = p->value[i], .batched = n->batched, .used = true};
  }
  return SL_OK;
}

static sl_status list_outputs(plan *p, int count, const sl_node *outputs) {
  sl__program *out = p->program;
  out->output_count = count;
  out->outputs = sl__arena_take(&out->arena, (size_t)count + 1, sizeof *out->outputs);
  if (!out->outputs) return SL_NO_MEMORY;
  for (int k = 0; k < count; k++) {
    const sl__value *v = &out->values[p->value[outputs[k]]];
    out->outputs[k] = (sl__output){.value = p->value[outputs[k]], .accumulator = -1};
    if (v->area != SL__AREA_ACCUMULATOR || v->view_offset != 0) continue;
    sl__accumulator *a = &out->accumulators[v->offset];
    if (a->output >= 0 || a->count != v->count) continue;
    a->output = k;
    out->outputs[k].accumulator = (int32_t)v->offset;
  }
  return SL_OK;
}

static sl_status copy_labels(plan *p) {
  sl__program *out = p->program;
  out->labels = sl__arena_take(&out->arena, p->g->label_count, sizeof *out->labels);
  if (!out->labels) return SL_NO_MEMORY;
  for (int i = 0; i < p->g->label_count; i++) {
    out->labels[i] = sl__arena_text(&out->arena, p->g->labels[i], strlen(p->g->labels[i]));
    if (!out->labels[i]) return SL_NO_MEMORY;
  }
  return SL_OK;
}

static bool allocate(plan *p) {
  const size_t n = p->nodes;
#define TAKE(field) (p->field = sl__arena_take(&p->arena, n, sizeof *p->field))
  const bool ok = TAKE(live) && TAKE(stage) && TAKE(ready) && TAKE(level) && TAKE(birth) && TAKE(death) && TAKE(value) &&
                  TAKE(home) && TAKE(home_offset) && TAKE(place) && TAKE(last_uses);
#undef TAKE
  return ok;
}

static sl_status make_program(plan *p, int count, const sl_node *outputs) {
  if (!allocate(p)) return SL_NO_MEMORY;
  for (int k = 0; k < count; k++) p->live[outputs[k]] = true;
  for (sl_node i = p->nodes - 1; i >= 1; i--) {
    p->home[i] = i;
    if (!p->live[i]) continue;
    for_operands(p, i, mark_live);
    p->live[p->g->nodes[i].root] = true;
  }
  SL__TRY(find_stages(p));
  settle_parts(p);
  find_lifetimes(p, count, outputs);
  SL__TRY(place_block_values(p));
  SL__TRY(place_shared_values(p));
  SL__TRY(make_values(p));
  SL__TRY(copy_labels(p));
  SL__TRY(list_inputs(p));
  SL__TRY(compute_constants(p));
  SL__TRY(list_outputs(p, count, outputs));
  for (int8_t stage = SHARED_STAGE; stage <= FINAL_STAGE; stage++) {
    SL__TRY(make_stage(p, stage, &p->program->arena, &p->program->stage[stage]));
  }
  /* A block that sums over rows is as long as pays for the sums; else it should stay in a core's level 2 cache. */
  p->program->block_rows = BLOCK_ROWS;
  while (p->program->accumulator_count == 0 && p->program->block_rows > 64 &&
         p->program->block_units * 4 * p->program->block_rows > 768 * 1024) {
    p->program->block_rows /= 2;
  }
  return SL_OK;
}

sl_status sl__program_new(sl_context *context, sl__graph *g, int count, const sl_node *outputs, sl__program **out) {
  *out = NULL;
  sl_node *dense = sl__allocate(context, (size_t)count, sizeof *dense);
  sl__program *program = sl__allocate(context, 1, sizeof *program);
  if (!dense || !program) {
    sl__free(&context->allocator, dense);
    sl__free(&context->allocator, program);
    return SL_NO_MEMORY;
  }
  for (int k = 0; k < count; k++) dense[k] = sl__contiguous(g, outputs[k]);
  sl_status status = g->status;
  sl__arena_open(&program->arena, context);
  if (status == SL_OK) {
    plan p = {.context = context, .g = g, .program = program, .nodes = g->count};
    sl__arena_open(&p.arena, context);
    program->kernels[SL_F32] = sl__kernels_for(context->cpu_features, SL_F32);
    program->kernels[SL_F64] = sl__kernels_for(context->cpu_features, SL_F64);
    status = make_program(&p, count, dense);
    sl__arena_close(&p.arena);
  }
  sl__free(&context->allocator, dense);
  if (status != SL_OK) sl__program_free(program);
  else *out = program;
  return status;
}

void sl__program_free(sl__program *program) {
  if (!program) return;
  const sl__allocator allocator = program->arena.allocator;
  sl__arena_close(&program->arena);
  sl__free(&allocator, program);
}
