/* The inside of a graph: nodes and the operation list. Included by src/graph only. */
#ifndef SL_GRAPH_NODE_H
#define SL_GRAPH_NODE_H
#include "graph/graph.h"

typedef enum sl__operation {
#define OPERATION(NAME, name, kind, gradient, units, run) SL__OP_##NAME,
#include "graph/operations.def"
  SL__OP_COUNT
} sl__operation;

typedef enum sl__operation_kind { SL__KIND_LEAF, SL__KIND_VIEW, SL__KIND_STEP } sl__operation_kind;

typedef struct sl__node {
  uint8_t operation;   /* sl__operation */
  uint8_t elementwise; /* sl__elementwise, of ELEMENTWISE */
  uint8_t type;        /* sl_dtype */
  bool batched;
  uint16_t operands, label;
  sl_node operand[3];
  sl_shape shape;
  double attribute;
  int32_t integer[4]; /* axis, begin, count, stride; flags: see each builder */
  const void *data;   /* interned: constant (double), index or extent (int32_t), parts or root's
                         (sl_node) */
  int64_t data_bytes;
  /* Where its numbers lie: element i of dimension d is at offset + i * stride[d] of the root's. */
  sl_node root;
  int64_t offset, stride[SL__MAX_DIMS];
} sl__node;

typedef struct sl__slot { /* of the table of nodes */
  uint32_t hash;
  sl_node node; /* 0: free */
} sl__slot;

struct sl__graph {
  sl_context *context;
  sl_status status; /* sticky */
  sl__arena arena;  /* data of nodes, labels */
  sl__node *nodes;  /* [count], 0 unused; creation order is an order of computation */
  uint32_t count, capacity;
  sl__slot *table; /* of all nodes by their hash, open addressing */
  uint32_t table_size;
  const char **labels;
  uint16_t label_count, label_capacity, label;
  int32_t inputs;      /* feeds declared so far */
  bool for_fitting;    /* dropout drops */
  int32_t dropouts;    /* made so far: each draws a stream of its own */
  int32_t variables;   /* made so far: each is another */
  sl_node one_per_row; /* the seed of differentiation, or 0 */
};

/* State of one differentiation (gradient.c); rules call sl__contribute. */
typedef struct sl__tape sl__tape;
typedef void (*sl__gradient_rule)(sl__tape *tape, sl__graph *g, sl_node node, sl_node dy);
void sl__contribute(sl__tape *tape, sl_node operand, sl_node gradient);
/* The gradient of a slice of operand: axis, begin, count, stride. */
void sl__contribute_piece(sl__tape *tape, sl_node operand, sl_node gradient,
                          const int32_t piece[4]);
/* dy's flow from y, one of the nodes (ascending), through them and on to the others that they read,
 * where the tape collects it; none flows to held. */
void sl__gradient_through(sl__tape *outer, sl_node y, sl_node dy, int64_t count,
                          const sl_node *nodes, sl_node held);
int sl__compare_nodes(const void *a, const void *b); /* for qsort and bsearch: ascending */

struct sl__frame;
struct sl__step;
typedef struct sl__operation_row {
  const char *name;
  sl__operation_kind kind;
  sl__gradient_rule gradient;
  int64_t (*units)(const struct sl__frame *frame, const struct sl__step *step);
  void (*run)(const struct sl__frame *frame, const struct sl__step *step, int64_t begin,
              int64_t end);
} sl__operation_row;
extern const sl__operation_row sl__operations[SL__OP_COUNT];

/* Does it hold a sub-graph that it runs again and again? */
static inline bool sl__is_loop(const sl__node *n) {
  return n->operation == SL__OP_ROOT || n->operation == SL__OP_ODE;
}
/* op_choose: a select with an attribute. */
static inline bool sl__is_choice(const sl__node *n) {
  return n->operation == SL__OP_ELEMENTWISE && n->elementwise == SL__EW_select && n->attribute != 0;
}
/* Operands that a node has beside operand[]: the parts of a concatenation; of a root or an ODE, its
 * variable, value and slope (of an ODE: or Jacobian, then its sources), then what the nodes inside
 * read of the outside. */
static inline const sl_node *sl__parts(const sl__node *n, int64_t *count) {
  const bool has = n->operation == SL__OP_CONCATENATE || sl__is_loop(n);
  *count = has ? n->data_bytes / (int64_t)sizeof(sl_node) : 0;
  return n->data;
}
static inline int64_t sl__operand_count(const sl__node *n) {
  int64_t parts;
  sl__parts(n, &parts);
  return n->operands + parts;
}
static inline sl_node sl__operand_at(const sl__node *n, int64_t k) {
  return k < n->operands ? n->operand[k] : ((const sl_node *)n->data)[k - n->operands];
}
static inline bool sl__sums_rows(const sl__node *n) {
  return n->operation == SL__OP_SUM_ROWS || n->operation == SL__OP_DOT_ROWS ||
         n->operation == SL__OP_OUTER_ROWS;
}

/* Data of OUTSIDE. */
typedef struct sl__outside {
  sl__outside_function function;
  void *user;
} sl__outside;

/* What a root or an ODE repeats: the nodes from variable to last that depend on variable and that
 * value or slope needs. */
typedef struct sl__sub_graph {
  sl_node variable, value, slope, last;
} sl__sub_graph;
sl__sub_graph sl__sub_graph_of(const sl__node *root);
/* inside[i - variable] = is node i inside? For i up to last. */
void sl__mark_inside(const sl__graph *g, const sl__sub_graph *s, uint8_t *inside);
bool sl__is_inside(const sl__sub_graph *s, const uint8_t *inside, sl_node node);
/* The data of the node that holds it: variable, value, slope, these `sources`, then what the nodes
 * inside read of the outside. Refuses what cannot be run block by block again and again. holder:
 * ROOT or ODE. NULL: the graph has failed. */
sl_node *sl__sub_graph_data(sl__graph *g, sl__arena *arena, const sl__sub_graph *s,
                            sl__operation holder, int sources, const sl_node *source,
                            int64_t *count);

/* constant.c: an elementwise node of few constants is a constant. Folds `n`, whose operands may
 * still need broadcasting to its shape; 0: not to be folded (or the graph fails). */
sl_node sl__fold_elementwise(sl__graph *g, const sl__node *n);
/* The numbers of a view of root's numbers, broadcast to shape. */
void sl__copy_view(const sl__node *view, sl_shape shape, const double *root, double *out);

/* Building. */
sl_node sl__node_add(sl__graph *g, sl__node node); /* sizes checked; equal nodes made once */
sl_node sl__node_add_borrowed(sl__graph *g, sl__node node); /* data: copied if the node is new */
sl_node sl__out_of_memory(sl__graph *g); /* fails the graph; the message is there already; 0 */
/* A copy that lives as long as the graph; NULL fails the graph. */
const void *sl__graph_keep(sl__graph *g, const void *data, size_t bytes);
bool sl__node_is_contiguous(const sl__node *node);
sl_node sl__contiguous(sl__graph *g, sl_node a); /* a itself, or a copy without gaps */
/* The sum of a layer (op_linear, or its transpose) and another value, in one operation; 0: it is
 * not small enough for that, or no layer. */
sl_node sl__linear_plus(sl__graph *g, sl_node linear, sl_node term);
/* The sum of the logarithms. */
sl_node sl__sum_log(sl__graph *g, sl_node a, int axis);
/* The transpose of gather: y[index[i]] += a[i] along the axis, y of `count`. */
sl_node sl__scatter(sl__graph *g, sl_node a, int axis, int32_t count, int32_t indices,
                    const int32_t *index);
sl_node sl__zeros(sl__graph *g, sl_dtype type, sl_shape shape);
int sl__axis(sl__graph *g, sl_node a, int axis); /* 0..dims-1, or -1 and the graph fails */
#endif
