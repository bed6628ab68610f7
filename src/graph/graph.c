/* Graphs: nodes made once (hash-consing), sticky failure, leaves. */
#include "graph/node.h"

#include <stdio.h>
#include <string.h>

enum { MAX_NODES = 1 << 26, MAX_ELEMENTS = 1 << 30 };

int64_t sl__shape_count(sl_shape shape) {
  int64_t count = 1;
  for (int d = 0; d < shape.dims; d++) count *= shape.size[d];
  return count;
}

sl_status sl__graph_new(sl_context *context, sl__graph **out) {
  *out = NULL;
  sl__graph *g = sl__allocate(context, 1, sizeof *g);
  if (!g) return SL_NO_MEMORY;
  g->context = context;
  sl__arena_open(&g->arena, context);
  g->capacity = 256;
  g->table_size = 1024;
  g->label_capacity = 16;
  g->nodes = sl__allocate(context, g->capacity, sizeof *g->nodes);
  g->table = sl__allocate(context, g->table_size, sizeof *g->table);
  g->labels = sl__allocate(context, g->label_capacity, sizeof *g->labels);
  if (!g->nodes || !g->table || !g->labels) {
    sl__graph_free(g);
    return SL_NO_MEMORY;
  }
  g->count = 1; /* node 0 is "failed earlier" */
  g->labels[0] = "";
  g->label_count = 1;
  *out = g;
  return SL_OK;
}

void sl__graph_free(sl__graph *g) {
  if (!g) return;
  const sl__allocator allocator = g->arena.allocator;
  sl__arena_close(&g->arena);
  sl__free(&allocator, g->nodes);
  sl__free(&allocator, g->table);
  sl__free(&allocator, g->labels);
  sl__free(&allocator, g);
}

void sl__graph_for_fitting(sl__graph *g) {
  g->for_fitting = true;
}

sl_context *sl__graph_context(const sl__graph *graph) {
  return graph->context;
}

sl_status sl__graph_status(const sl__graph *g) {
  return g->status;
}

sl_node sl__graph_refuse(sl__graph *g, sl_status status, const char *format, ...) {
  if (g->status != SL_OK) return 0;
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  const char *label = g->labels[g->label];
  g->status = sl__fail(g->context, status, "%s%s%s", label, *label ? ": " : "", message);
  return 0;
}

sl_node sl__out_of_memory(sl__graph *g) {
  if (g->status == SL_OK) g->status = SL_NO_MEMORY; /* the allocator has recorded the message */
  return 0;
}

void sl__graph_label(sl__graph *g, const char *format, ...) {
  if (g->status != SL_OK) return;
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  for (uint16_t i = 0; i < g->label_count; i++) {
    if (strcmp(g->labels[i], text) == 0) {
      g->label = i;
      return;
    }
  }
  if (g->label_count == g->label_capacity) {
    if (g->label_capacity >= 1 << 15) return; /* later nodes keep the last label */
    void *grown = sl__resize(g->context, g->labels, g->label_capacity,
                             (size_t)g->label_capacity * 2, sizeof *g->labels);
    if (!grown) {
      sl__out_of_memory(g);
      return;
    }
    g->labels = grown;
    g->label_capacity = (uint16_t)(g->label_capacity * 2);
  }
  const char *kept = sl__arena_text(&g->arena, text, strlen(text));
  if (!kept) {
    sl__out_of_memory(g);
    return;
  }
  g->labels[g->label_count] = kept;
  g->label = g->label_count++;
}

sl_shape sl__node_shape(const sl__graph *g, sl_node node) {
  return g->nodes[node].shape;
}
sl_dtype sl__node_type(const sl__graph *g, sl_node node) {
  return (sl_dtype)g->nodes[node].type;
}
bool sl__node_batched(const sl__graph *g, sl_node node) {
  return g->nodes[node].batched;
}

const void *sl__graph_keep(sl__graph *g, const void *data, size_t bytes) {
  void *kept = sl__arena_take(&g->arena, bytes ? bytes : 1, 1);
  if (!kept) {
    sl__out_of_memory(g);
    return NULL;
  }
  memcpy(kept, data, bytes);
  return kept;
}

/* ---- hash-consing ---- */

static uint64_t mix(uint64_t h, uint64_t value) {
  h = (h ^ value) * 0x9E3779B97F4A7C15u;
  return h ^ (h >> 29);
}

/* Four independent chains, since one would wait for each multiplication. */
static uint64_t hash_of_data(const unsigned char *bytes, int64_t count) {
  uint64_t chain[4] = {1, 2, 3, 4}, word[4];
  int64_t at = 0;
  for (; at + (int64_t)sizeof word <= count; at += (int64_t)sizeof word) {
    memcpy(word, bytes + at, sizeof word);
    for (int i = 0; i < 4; i++) chain[i] = mix(chain[i], word[i]);
  }
  memset(word, 0, sizeof word);
  if (count > at) memcpy(word, bytes + at, (size_t)(count - at));
  for (int i = 0; i < 4; i++) chain[i] = mix(chain[i], word[i]);
  return mix(mix(chain[0], chain[1]), mix(chain[2], chain[3]));
}

static uint32_t hash_of(const sl__node *n) {
  uint64_t h =
      mix(n->operation | (uint64_t)n->elementwise << 8 | (uint64_t)n->type << 16, n->operands);
  if (n->operands > 0) h = mix(h, n->operand[0] | (uint64_t)n->operand[1] << 32);
  if (n->operands > 2) h = mix(h, n->operand[2]);
  for (int d = 0; d < n->shape.dims; d++) h = mix(h, (uint64_t)n->shape.size[d]);
  uint64_t word[3];
  memcpy(word, &n->attribute, sizeof word[0]);
  memcpy(word + 1, n->integer, sizeof n->integer);
  for (int i = 0; i < 3; i++) h = word[i] ? mix(h + (uint64_t)i, word[i]) : h;
  if (n->data_bytes) h = mix(h, hash_of_data(n->data, n->data_bytes));
  return (uint32_t)(h >> 32);
}

static bool same(const sl__node *a, const sl__node *b) {
  return a->operation == b->operation && a->elementwise == b->elementwise && a->type == b->type &&
         a->operands == b->operands && memcmp(a->operand, b->operand, sizeof a->operand) == 0 &&
         a->shape.dims == b->shape.dims &&
         memcmp(a->shape.size, b->shape.size, (size_t)a->shape.dims * sizeof *a->shape.size) == 0 &&
         memcmp(&a->attribute, &b->attribute, sizeof a->attribute) == 0 &&
         memcmp(a->integer, b->integer, sizeof a->integer) == 0 && a->data_bytes == b->data_bytes &&
         (a->data == b->data || memcmp(a->data, b->data, (size_t)a->data_bytes) == 0);
}

/* The slot of the node equal to n, or the free one where it belongs. */
static uint32_t find_slot(const sl__graph *g, uint32_t hash, const sl__node *n) {
  const uint32_t mask = g->table_size - 1;
  uint32_t slot = hash & mask;
  for (; g->table[slot].node; slot = (slot + 1) & mask) {
    if (g->table[slot].hash == hash && n && same(&g->nodes[g->table[slot].node], n)) break;
  }
  return slot;
}

static bool grow_nodes(sl__graph *g) {
  void *nodes =
      sl__resize(g->context, g->nodes, g->capacity, (size_t)g->capacity * 2, sizeof *g->nodes);
  if (!nodes) return false;
  g->nodes = nodes;
  g->capacity *= 2;
  return true;
}

static bool grow_table(sl__graph *g) {
  sl__slot *old = g->table;
  const uint32_t old_size = g->table_size;
  sl__slot *table = sl__allocate(g->context, (size_t)old_size * 2, sizeof *table);
  if (!table) return false;
  g->table = table;
  g->table_size = old_size * 2;
  for (uint32_t i = 0; i < old_size; i++) {
    if (old[i].node) g->table[find_slot(g, old[i].hash, NULL)] = old[i];
  }
  sl__free(&g->arena.allocator, old);
  return true;
}

static void lay_out_densely(sl__node *n) {
  int64_t stride = 1;
  n->offset = 0;
  for (int d = n->shape.dims - 1; d >= 0; d--) {
    n->stride[d] = stride;
    stride *= n->shape.size[d];
  }
}

static bool is_possible(sl__graph *g, const sl__node *n) {
  int64_t count = 1;
  for (int d = 0; d < n->shape.dims; d++) {
    if (n->shape.size[d] < 1)
      return sl__graph_refuse(g, SL_BAD_ARGUMENT, "%s: a size of %d; sizes start at 1",
                              sl__operations[n->operation].name, n->shape.size[d]);
    count *= n->shape.size[d];
    if (count > MAX_ELEMENTS)
      return sl__graph_refuse(g, SL_BAD_ARGUMENT, "%s: a value of more than 2^30 numbers",
                              sl__operations[n->operation].name);
  }
  if (g->count >= MAX_NODES)
    return sl__graph_refuse(g, SL_UNSUPPORTED, "more than 2^26 operations in one graph");
  return true;
}

static sl_node find_or_add(sl__graph *g, sl__node *n, bool borrowed) {
  if (g->status != SL_OK || !is_possible(g, n)) return 0;
  const uint32_t hash = hash_of(n);
  uint32_t slot = find_slot(g, hash, n);
  if (g->table[slot].node) return g->table[slot].node;
  if (g->count == g->capacity && !grow_nodes(g)) return sl__out_of_memory(g);
  if (g->count * 2 > g->table_size) {
    if (!grow_table(g)) return sl__out_of_memory(g);
    slot = find_slot(g, hash, NULL);
  }
  if (borrowed) {
    n->data = sl__graph_keep(g, n->data, (size_t)n->data_bytes);
    if (!n->data) return 0;
  }
  const uint32_t index = g->count++;
  n->label = g->label;
  if (sl__operations[n->operation].kind != SL__KIND_VIEW) {
    n->root = index;
    lay_out_densely(n);
  }
  g->nodes[index] = *n;
  g->table[slot] = (sl__slot){hash, index};
  return index;
}

sl_node sl__node_add(sl__graph *g, sl__node n) {
  return find_or_add(g, &n, false);
}

sl_node sl__node_add_borrowed(sl__graph *g, sl__node n) {
  return find_or_add(g, &n, true);
}

bool sl__node_is_contiguous(const sl__node *n) {
  int64_t stride = 1;
  for (int d = n->shape.dims - 1; d >= 0; d--) {
    if (n->shape.size[d] != 1 && n->stride[d] != stride) return false;
    stride *= n->shape.size[d];
  }
  return true;
}

/* ---- leaves ---- */

sl_node op_input(sl__graph *g, sl_dtype type, sl_shape shape) {
  return sl__node_add(g, (sl__node){.operation = SL__OP_INPUT,
                                    .type = (uint8_t)type,
                                    .shape = shape,
                                    .batched = true,
                                    .integer = {g->inputs++}});
}

sl_node op_shared_input(sl__graph *g, sl_dtype type, sl_shape shape) {
  return sl__node_add(g, (sl__node){.operation = SL__OP_SHARED_INPUT,
                                    .type = (uint8_t)type,
                                    .shape = shape,
                                    .integer = {g->inputs++}});
}

sl_node op_parameter(sl__graph *g, sl_dtype type, sl_shape shape, int64_t offset) {
  return sl__node_add(
      g, (sl__node){.operation = SL__OP_PARAMETER,
                    .type = (uint8_t)type,
                    .shape = shape,
                    .integer = {(int32_t)(offset >> 31), (int32_t)(offset & 0x7fffffff)}});
}

static sl_node random_leaf(sl__graph *g, sl_dtype type, sl_shape shape, uint32_t stream,
                           int32_t uniform) {
  return sl__node_add(g, (sl__node){.operation = SL__OP_RANDOM,
                                    .type = (uint8_t)type,
                                    .shape = shape,
                                    .batched = true,
                                    .integer = {(int32_t)stream, uniform}});
}

sl_node op_random_normal(sl__graph *g, sl_dtype type, sl_shape shape, uint32_t stream) {
  return random_leaf(g, type, shape, stream, 0);
}

sl_node op_random_uniform(sl__graph *g, sl_dtype type, sl_shape shape, uint32_t stream) {
  return random_leaf(g, type, shape, stream, 1);
}
