/* The numbers of a node that depends on constants alone, on demand: what a tracer needs to decide a
 * condition or a bound. What is no view of a constant is copied, with all it depends on, into a
 * graph of its own, and computed as a program's constants are; the graph itself gains nothing. */
#include <stdlib.h>
#include <string.h>

#include "graph/program.h"

/* A set of nodes, each with its image in the other graph. */
typedef struct entry {
  sl_node node, image;
} entry;
typedef struct dependence {
  sl__graph *g, *other;
  sl__arena arena;
  entry *table; /* open addressing */
  sl_node *list;
  uint32_t table_size, count;
} dependence;

static uint32_t slot_of(const dependence *d, sl_node node) {
  uint32_t slot = node * 0x9E3779B9u & (d->table_size - 1);
  while (d->table[slot].node && d->table[slot].node != node)
    slot = (slot + 1) & (d->table_size - 1);
  return slot;
}

static bool grow(dependence *d) {
  const uint32_t size = d->table_size ? d->table_size * 2 : 256;
  entry *table = sl__arena_take(&d->arena, size, sizeof *table);
  sl_node *list = sl__arena_take(&d->arena, size / 2 + 1, sizeof *list);
  if (!table || !list) return false;
  if (d->count) memcpy(list, d->list, d->count * sizeof *list);
  d->list = list;
  d->table = table;
  d->table_size = size;
  for (uint32_t i = 0; i < d->count; i++) d->table[slot_of(d, list[i])].node = list[i];
  return true;
}

static bool enter(dependence *d, sl_node node) {
  if (d->count * 2 >= d->table_size && !grow(d)) return false;
  entry *e = &d->table[slot_of(d, node)];
  if (e->node) return true;
  e->node = node;
  d->list[d->count++] = node;
  return true;
}

static int by_index(const void *a, const void *b) {
  const sl_node x = *(const sl_node *)a, y = *(const sl_node *)b;
  return (x > y) - (x < y);
}

/* Lists all that node depends on, itself too, in order of creation. */
static sl_status list_all(dependence *d, sl_node node) {
  if (!enter(d, node)) return SL_NO_MEMORY;
  for (uint32_t i = 0; i < d->count; i++) {
    const sl__node *n = &d->g->nodes[d->list[i]];
    if (n->batched || n->operation == SL__OP_PARAMETER || n->operation == SL__OP_SHARED_INPUT)
      return sl__fail(d->g->context, SL_BAD_ARGUMENT,
                      "the numbers of a value that depends on %s are known only when it is run",
                      sl__operations[n->operation].name);
    for (int64_t k = 0; k < sl__operand_count(n); k++) {
      if (!enter(d, sl__operand_at(n, k))) return SL_NO_MEMORY;
    }
  }
  qsort(d->list, d->count, sizeof *d->list, by_index);
  return SL_OK;
}

static sl_node image_of(const dependence *d, sl_node node) {
  return d->table[slot_of(d, node)].image;
}

/* Data that are no nodes are read where they are. */
static sl_status copy_all(dependence *d) {
  for (uint32_t i = 0; i < d->count; i++) {
    sl__node n = d->g->nodes[d->list[i]];
    for (int k = 0; k < n.operands; k++) n.operand[k] = image_of(d, n.operand[k]);
    if (sl__operations[n.operation].kind == SL__KIND_VIEW) n.root = image_of(d, n.root);
    int64_t parts;
    const sl_node *part = sl__parts(&n, &parts);
    if (parts) {
      sl_node *images = sl__arena_take(&d->arena, (size_t)parts, sizeof *images);
      if (!images) return SL_NO_MEMORY;
      for (int64_t k = 0; k < parts; k++) images[k] = image_of(d, part[k]);
      n.data = images;
    }
    const sl_node image = sl__node_add(d->other, n);
    if (!image) return d->other->status;
    d->table[slot_of(d, d->list[i])].image = image;
  }
  return SL_OK;
}

static void read_numbers(const sl__program *program, double *out) {
  const sl__frame frame = {.program = program, .rows = 1, .lead = 1};
  const sl__value *v = &program->values[program->outputs[0]];
  const void *numbers = sl__address(&frame, v);
  for (int64_t i = 0; i < v->count; i++) {
    out[i] = v->type == SL_F32 ? (double)((const float *)numbers)[i] : ((const double *)numbers)[i];
  }
}

static sl_status compute(dependence *d, sl_node node, double *out) {
  SL__TRY(list_all(d, node));
  SL__TRY(copy_all(d));
  const sl_node image = image_of(d, node);
  sl__program *program;
  SL__TRY(sl__program_new(d->g->context, d->other, 1, &image, &program));
  read_numbers(program, out);
  sl__program_free(program);
  return SL_OK;
}

sl_status sl__graph_numbers(sl__graph *g, sl_node node, double *out) {
  if (g->status != SL_OK) return g->status;
  if (!node) return sl__fail(g->context, SL_BAD_ARGUMENT, "the numbers of no value");
  const sl__node *n = &g->nodes[node], *root = &g->nodes[n->root];
  if (root->operation == SL__OP_CONSTANT) {
    sl__copy_view(n, n->shape, root->data, out);
    for (int64_t i = 0; n->type == SL_F32 && i < sl__shape_count(n->shape); i++)
      out[i] = (double)(float)out[i];
    return SL_OK;
  }
  dependence d = {.g = g};
  SL__TRY(sl__graph_new(g->context, &d.other));
  sl__arena_open(&d.arena, g->context);
  const sl_status status = compute(&d, node, out);
  sl__arena_close(&d.arena);
  sl__graph_free(d.other);
  return status;
}
