/* The state of planning, shared by plan.c (what), fuse.c (which steps are one) and place.c (when
 * and where). */
#ifndef SL_GRAPH_PLAN_H
#define SL_GRAPH_PLAN_H
#include "graph/operations.h"

enum {
  SL__CONSTANT_STAGE = -1,
  SL__SHARED_STAGE = 0,
  SL__BLOCK_STAGE = 1,
  SL__FINAL_STAGE = 2,
  SL__BLOCK_ROWS = 256,
  SL__SMALL_SUMS = 256 * 1024, /* bytes */
  SL__BLOCK_BYTES = 768 * 1024
};

typedef struct sl__interval {
  int64_t begin, size;
} sl__interval;

typedef struct sl__plan {
  sl_context *context;
  sl__graph *g;
  sl__program *program;
  sl__arena arena; /* lives while planning */
  uint32_t nodes;
  bool *live;
  int8_t *stage;          /* where a node is computed */
  int8_t *ready;          /* the stage from which it can be read */
  int32_t *level;         /* in its stage */
  int32_t *birth, *death; /* of roots: levels at which memory is taken and given back */
  uint32_t *value;        /* node -> value */
  sl_node *home;          /* root -> the concatenation it is computed into, or itself */
  int64_t *home_offset;   /* in numbers */
  int64_t *place;         /* root -> offset (sl__area) */
  int32_t *last_uses;     /* of roots: how often steps of its level of death read it */
  sl__interval *gaps;
  int64_t gap_count;
  sl_node *group;       /* the node whose step computes this elementwise node too, or itself */
  sl_node *group_first; /* [last node of a group] its first */
} sl__plan;

/* The parts of a concatenation (none for other nodes). */
static inline const sl_node *sl__parts(const sl__node *n, int64_t *count) {
  *count = n->operation == SL__OP_CONCATENATE ? n->data_bytes / (int64_t)sizeof(sl_node) : 0;
  return n->data;
}
/* Calls visit for every operand, the parts of a concatenation among them. */
void sl__for_operands(sl__plan *p, sl_node node,
                      void (*visit)(sl__plan *, sl_node operand, sl_node user));

/* fuse.c: elementwise nodes whose every use is in one other elementwise step of the same size
 * become part of that step. */
sl_status sl__fuse(sl__plan *p, int count, const sl_node *outputs);
sl_status sl__fused_step(sl__plan *p, sl_node node, sl__step *step);

/* place.c */
void sl__settle_parts(sl__plan *p);
sl_node sl__final_home(const sl__plan *p, sl_node root, int64_t *offset);
bool sl__is_in_place(const sl__plan *p, sl_node part, sl_node concatenation, int64_t at);
void sl__find_lifetimes(sl__plan *p, int count, const sl_node *outputs);
sl_status sl__place_block_values(sl__plan *p);
#endif
