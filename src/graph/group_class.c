/* Which nodes are alike: the same operation on operands of the same kind, in the same stage. */
#include <string.h>

#include "graph/group.h"

/* ---- numbering sequences of words ---- */

static uint32_t hash_of(const uint32_t *words, uint32_t length) {
  uint64_t h = length;
  for (uint32_t i = 0; i < length; i++) {
    h = (h ^ words[i]) * 0x9E3779B97F4A7C15u;
    h ^= h >> 29;
  }
  return (uint32_t)(h >> 32);
}

static uint32_t find(const sl__interner *in, const uint32_t *words, uint32_t length) {
  uint32_t slot = hash_of(words, length) & (in->table_size - 1);
  for (; in->table[slot]; slot = (slot + 1) & (in->table_size - 1)) {
    const uint32_t *known = in->words[in->table[slot] - 1];
    if (known[0] == length && memcmp(known + 1, words, length * sizeof *words) == 0) break;
  }
  return slot;
}

static bool grow(sl__interner *in) {
  const uint32_t size = in->table_size ? in->table_size * 2 : 64;
  const uint32_t **words = sl__arena_take(in->arena, size / 2 + 1, sizeof *words);
  uint32_t *table = sl__arena_take(in->arena, size, sizeof *table);
  if (!words || !table) return false;
  if (in->count) memcpy(words, in->words, in->count * sizeof *words);
  in->words = words;
  in->table = table;
  in->table_size = size;
  for (uint32_t i = 0; i < in->count; i++) table[find(in, words[i] + 1, words[i][0])] = i + 1;
  return true;
}

uint32_t sl__intern(sl__interner *in, const uint32_t *words, uint32_t length) {
  if (in->count * 2 >= in->table_size && !grow(in)) return UINT32_MAX;
  const uint32_t slot = find(in, words, length);
  if (in->table[slot]) return in->table[slot] - 1;
  uint32_t *kept = sl__arena_take(in->arena, (size_t)length + 1, sizeof *kept);
  if (!kept) return UINT32_MAX;
  kept[0] = length;
  memcpy(kept + 1, words, length * sizeof *words);
  in->words[in->count] = kept;
  in->table[slot] = ++in->count;
  return in->count - 1;
}

/* ---- classes ---- */

/* Batched or shared; known or not; one number for all elements or one for each. */
static uint32_t kind_of_operand(const sl__grouping *p, sl_node operand) {
  const sl__node *n = &p->g->nodes[operand];
  bool one_number = true;
  for (int d = 0; d < n->shape.dims; d++) one_number &= n->shape.size[d] == 1 || n->stride[d] == 0;
  const bool known = p->g->nodes[n->root].operation == SL__OP_CONSTANT;
  return 1u | (uint32_t)n->batched << 1 | (uint32_t)known << 2 | (uint32_t)one_number << 3 |
         (uint32_t)n->type << 4;
}

/* A factor or summand fixed in the node can as well be an operand: it may differ. */
static bool has_free_attribute(const sl__node *n) {
  return n->operation == SL__OP_ELEMENTWISE &&
         (n->elementwise == SL__EW_scale || n->elementwise == SL__EW_shift);
}

enum { MOST_WORDS = 3 + 2 + 1 + SL__MAX_DIMS + 1 + SL__MAX_DIMS + SL__GROUP_SMALL };

uint32_t sl__class_of(sl__grouping *p, sl__interner *classes, sl_node node) {
  const sl__node *n = &p->g->nodes[node];
  uint32_t words[MOST_WORDS] = {0}, length = 0;
  words[length++] = n->operation | (uint32_t)n->elementwise << 8 | (uint32_t)n->type << 16 |
                    (uint32_t)n->batched << 24;
  words[length++] = p->treatment[node] | (uint32_t)(p->stage[node] + 1) << 8;
  words[length++] = (uint32_t)n->integer[0]; /* the axis of a reduction */
  if (!has_free_attribute(n)) memcpy(words + length, &n->attribute, sizeof n->attribute);
  length += 2;
  words[length++] = (uint32_t)n->shape.dims;
  for (int d = 0; d < n->shape.dims; d++) words[length++] = (uint32_t)n->shape.size[d];
  const bool alone = p->treatment[node] == SL__REBUILT || p->treatment[node] == SL__LISTED;
  if (alone || (p->treatment[node] == SL__ADDED && p->terms[node].count > SL__GROUP_SMALL)) {
    words[length++] = node; /* like no other */
    return sl__intern(classes, words, length);
  }
  if (p->treatment[node] == SL__ADDED) {
    for (int32_t k = 0; k < p->terms[node].count; k++) {
      const sl__term term = p->terms[node].term[k];
      words[length++] = kind_of_operand(p, term.node) | (uint32_t)term.negative << 8 |
                        (uint32_t)sl__shape_count(p->g->nodes[term.node].shape) << 9;
    }
    return sl__intern(classes, words, length);
  }
  for (int k = 0; k < n->operands; k++) words[length++] = kind_of_operand(p, n->operand[k]);
  if (p->treatment[node] == SL__REDUCED) {
    const sl_shape from = p->g->nodes[n->operand[0]].shape;
    for (int d = 0; d < from.dims; d++) words[length++] = (uint32_t)from.size[d];
  }
  return sl__intern(classes, words, length);
}
