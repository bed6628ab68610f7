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
  SL__SMALL_COST = 20000,      /* of a block of 128 rows, in nanoseconds */
  SL__BLOCK_BYTES = 768 * 1024,
  SL__WIDE_BYTES = 64 << 20 /* a block of this size or more is no longer in any cache */
};

typedef struct sl__interval {
  int64_t begin, size;
} sl__interval;

typedef struct sl__heap {
  sl__interval *gaps; /* sorted; room for one more than there are values */
  int64_t gap_count, units;
} sl__heap;
int64_t sl__heap_take(sl__heap *heap, int64_t size);
void sl__heap_give(sl__heap *heap, int64_t begin, int64_t size);

typedef struct sl__plan {
  sl_context *context;
  sl__graph *g;
  sl__program *program;
  sl__arena arena; /* lives while planning */
  uint32_t nodes;
  bool *live;
  int8_t *stage;             /* where a node is computed */
  int8_t *ready;             /* the stage from which it can be read */
  int32_t *level;            /* in its stage */
  int32_t *birth, *death;    /* of roots: levels at which memory is taken and given back */
  uint32_t *value;           /* node -> value */
  sl_node *home;             /* root -> the concatenation it is computed into, or itself */
  int64_t *home_offset;      /* in numbers */
  int64_t *place;            /* root -> offset (sl__area) */
  int32_t *last_uses;        /* of roots: how often steps of its level of death read it */
  sl__heap heap;             /* of block memory */
  sl_node *loop;             /* the root that repeats this node, or 0 */
  sl__interval *loop_memory; /* of roots: what is lent for all that is repeated */
  sl_node *group;            /* the node whose step computes this node too, or itself */
  sl_node *group_first;      /* [last node of a group] its first; */
  sl_node *group_next;       /* and then the others, ascending, to 0 */
  bool *kept;                /* computed by another node's step, but stored: fuse_sums.c */
  uint32_t *strip_op;        /* while a group's step is made: the operation of a node, ... */
  sl_node *strip_group;      /* ... if it is of this group */
  sl_node *order;            /* [nodes] in which levels can be found, to 0; NULL: by index */
  int32_t *phase;            /* [nodes] which the order follows: fuse_sums.c */
} sl__plan;

/* Block memory of a value, in units of 4 bytes for each row. */
static inline int64_t sl__units_of(const sl__node *n) {
  return sl__shape_count(n->shape) * (n->type == SL_F32 ? 1 : 2);
}
/* The node is computed by a step of its own. */
static inline bool sl__is_step(const sl__plan *p, sl_node i) {
  return p->live[i] && p->group[i] == i && sl__operations[p->g->nodes[i].operation].run != NULL;
}
/* A concatenation whose parts are all computed in their places. */
static inline bool sl__is_nothing(const sl__step *s) {
  return s->operation == SL__OP_CONCATENATE && s->data_count == 0;
}
sl_status sl__make_step(sl__plan *p, sl_node node, sl__step *step);

/* Calls visit for every operand, those of a concatenation or a root among them. */
void sl__for_operands(sl__plan *p, sl_node node,
                      void (*visit)(sl__plan *, sl_node operand, sl_node user));

/* How an operand of an elementwise node can be read by a fused step. */
typedef enum sl__alignment {
  SL__UNALIGNED,
  SL__ALIGNED_WHOLE,  /* batched, as large as the result */
  SL__ALIGNED_NUMBER, /* one shared number */
  SL__ALIGNED_RUN,    /* batched, the same run for every feature */
  SL__ALIGNED_SPREAD  /* shared, a number for each feature */
} sl__alignment;
sl__alignment sl__alignment_of(const sl__plan *p, const sl__node *user, sl_node operand);
/* Does the operand show all numbers of its root, in place? */
bool sl__is_whole(const sl__plan *p, sl_node operand);
static inline bool sl__is_in_sums(const sl__plan *p, sl_node node) {
  return p->kept[p->group[node]];
}

/* fuse.c: elementwise nodes whose every use is in one other elementwise step of the same size
 * become part of that step. */
sl_status sl__fuse(sl__plan *p, int count, const sl_node *outputs);
/* fuse_sums.c: elementwise nodes connected with each other and with sums over all their features
 * become one step with several results. Comes first. */
sl_status sl__fuse_sums(sl__plan *p, int count, const sl_node *outputs);
/* fuse_step.c: how many strips the step of a group needs, or more than SL__MAX_STRIPS; the step. */
sl_status sl__count_strips(sl__plan *p, sl_node node, int32_t *strips);
sl_status sl__fused_step(sl__plan *p, sl_node node, sl__step *step);

/* plan_root.c: which nodes a root repeats; they are computed in its stage; where they lie, if
 * batched, in memory taken from the heap; their steps. */
sl_status sl__find_loops(sl__plan *p, int count, const sl_node *outputs);
void sl__set_loop_stage(sl__plan *p, sl_node root);
sl_status sl__place_loop(sl__plan *p, sl_node root);
sl_status sl__make_loop(sl__plan *p, sl_node root, sl__step *step);

/* place.c */
void sl__settle_parts(sl__plan *p);
sl_node sl__final_home(const sl__plan *p, sl_node root, int64_t *offset);
bool sl__is_in_place(const sl__plan *p, sl_node part, sl_node concatenation, int64_t at);
void sl__find_lifetimes(sl__plan *p, int count, const sl_node *outputs);
sl_status sl__place_block_values(sl__plan *p);
#endif
