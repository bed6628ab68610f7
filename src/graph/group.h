/* The state of grouping, shared by group.c (what is there, and in which order), group_class.c (what
 * is alike), group_operand.c (where numbers are now), group_sum.c and group_emit.c (what is made of
 * them). */
#ifndef SL_GRAPH_GROUP_H
#define SL_GRAPH_GROUP_H
#include "graph/operations.h"

enum {
  SL__GROUP_SMALL = 64,   /* numbers of a node that may join others */
  SL__GROUP_FEWEST = 4,   /* nodes worth joining ... */
  SL__GROUP_SEPARATE = 8 /* ... apart from others, by where their operands come from */
};

/* How a node of the old graph is treated. */
typedef enum sl__treatment {
  SL__LEFT,     /* as it is: dead, a leaf, a view, known, or read by a root's function */
  SL__ABSORBED, /* an addition inside a longer one */
  SL__LISTED,   /* a concatenation of small parts: its elements are looked up, not moved */
  SL__MAPPED,   /* elementwise, small */
  SL__REDUCED,  /* a sum or maximum along an axis, small */
  SL__ADDED,    /* a sum of many terms */
  SL__REBUILT   /* anything else: the same operation on what its operands have become */
} sl__treatment;

/* Number `at` of a dense node of the new graph. */
typedef struct sl__element {
  sl_node source;
  uint32_t at;
} sl__element;

/* Where the numbers of an old root are now: number i is at list[i], or at + i of source. */
typedef struct sl__image {
  sl_node source; /* 0: not made yet */
  uint32_t at;
  const sl__element *list;
} sl__image;

/* A term of a sum; all its elements are added when the sum is a scalar and the term is not. */
typedef struct sl__term {
  sl_node node;
  bool negative;
} sl__term;
typedef struct sl__terms {
  sl__term *term;
  int32_t count;
} sl__terms;

/* Numbers words: equal sequences get equal numbers, from 0 on. */
typedef struct sl__interner {
  sl__arena *arena;
  const uint32_t **words; /* [count] each with its length first */
  uint32_t *table;        /* open addressing; number + 1 */
  uint32_t table_size, count;
} sl__interner;
/* UINT32_MAX: out of memory. */
uint32_t sl__intern(sl__interner *interner, const uint32_t *words, uint32_t length);

typedef struct sl__grouping {
  sl__graph *g;
  sl__arena arena;
  sl_node after;        /* what was made later may be replaced */
  uint32_t nodes;       /* of the old graph */
  uint8_t *treatment;   /* [nodes] sl__treatment */
  int8_t *stage;        /* [nodes] as in planning: known, shared, batched, after sums over rows */
  uint32_t *references; /* [nodes] by live nodes and outputs */
  sl__terms *terms;     /* [nodes] of SL__ADDED */
  bool *met;            /* [nodes] some user reads others of the same set too */
  sl__image *image;     /* [nodes] of roots */
  sl_node *rebuilt;     /* [nodes] the new node, where one was asked for */
  sl__element *element; /* a buffer that grows */
  size_t element_capacity;
} sl__grouping;

/* group_class.c: the class of a node: those of one class may be computed together. */
uint32_t sl__class_of(sl__grouping *p, sl__interner *classes, sl_node node);

/* group_operand.c */
/* Elements of an old node in row-major order, appended to out. */
void sl__list_elements(sl__grouping *p, sl_node node, sl__element *out);
/* Room for `count` elements in p->element, or NULL; what was there is lost. */
sl__element *sl__element_room(sl__grouping *p, size_t count);
bool sl__is_known_element(const sl__grouping *p, sl__element e);
/* A node [count] of these elements: a constant, a view, a gather or a concatenation. */
sl_node sl__vector_of(sl__grouping *p, const sl__element *element, int64_t count);
/* The node that has the numbers of an old one, in its shape. */
sl_node sl__rebuilt_node(sl__grouping *p, sl_node node);
/* The elements that `count` old nodes are now are those of a dense node, one after another. */
void sl__set_images(sl__grouping *p, const sl_node *member, int64_t count, sl_node source);

static inline int64_t sl__count_of(const sl__grouping *p, sl_node node) {
  return sl__shape_count(p->g->nodes[node].shape);
}
/* Of `members` values of `each` numbers side by side, and of one of them. */
static inline sl_shape sl__joined_shape(int64_t members, int64_t each) {
  return each == 1 ? sl__shape1((int32_t)members) : sl__shape2((int32_t)members, (int32_t)each);
}
static inline sl_shape sl__single_shape(int64_t each) {
  return each == 1 ? sl__scalar_shape() : sl__shape1((int32_t)each);
}
/* The members' numbers are those of `made`, which may still be broadcast to all of them. */
sl_status sl__place_members(sl__grouping *p, const sl_node *member, int64_t count, sl_node made);

/* group_sum.c: the same for sums of terms, alike ones or one alone. */
sl_status sl__emit_added(sl__grouping *p, const sl_node *member, int64_t count);

/* group_emit.c: makes what replaces nodes of one class, whose operands have been replaced. */
sl_status sl__emit_group(sl__grouping *p, const sl_node *member, int64_t count);
#endif
