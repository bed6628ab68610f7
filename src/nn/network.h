/* Networks: stacks of linear maps with activations between them, plain, masked (MADE) or residual.
 *
 * A network is a description: which linear maps there are, how they are joined and how their
 * weights start. It owns no numbers. Whoever owns the parameter vector declares a weight [outputs,
 * inputs] and a bias [outputs] for each linear map and hands their nodes back
 * (sl__network_nodes). */
#ifndef SL_NN_NETWORK_H
#define SL_NN_NETWORK_H
#include "graph/graph.h"

/* ---- activations: registry activations.def ---- */
typedef struct sl__activation {
  const char *name;
  sl_node (*apply)(sl__graph *g, sl_node a);
  double gain; /* weights start with standard deviation gain / sqrt(inputs): keeps signals' size */
} sl__activation;
/* The names, joined by '|', in the order of the registry: a row of type SL__OPTION_CHOICE uses
 * them. */
extern const char sl__activation_names[];
const sl__activation *sl__activation_at(int64_t index);
#define SL__ACTIVATION_DEFAULT "silu"

/* ---- description ---- */
enum { SL__NETWORK_MAX_HIDDEN = 8, SL__NETWORK_MAX_BLOCKS = 16, SL__NETWORK_MAX_LINEARS = 40 };

typedef struct sl__linear {
  int32_t inputs, outputs;
  const int32_t *extent;      /* [outputs]: how many leading inputs each may use; NULL: all */
  bool activates;             /* the activation is applied to what comes in, ... */
  bool drops;                 /* ... and then dropout */
  bool opens, closes;         /* what comes in starts a residual block; what goes out ends it */
  double spread, bias_spread; /* weights and biases start uniform in -spread .. spread */
} sl__linear;

typedef struct sl__network_plan {
  int32_t inputs, outputs;
  int hidden_count;
  int32_t hidden[SL__NETWORK_MAX_HIDDEN];
  int blocks; /* 0: a plain stack; else so many residual blocks of width hidden[0] */
  const sl__activation *activation;
  double dropout; /* of hidden units, while fitting */
  /* 0: every output sees every input. Else the last inputs are x[0..features-1], each as `columns`
   * of them, those before them are context that all may see, the outputs are
   * [features][outputs / features], and those of feature d see x[0..d-1] only. */
  int32_t features, columns;
} sl__network_plan;

typedef struct sl__network {
  sl__network_plan plan;
  int count; /* linear maps; a single one with inputs == 0 when there is nothing to look at */
  sl__linear linear[SL__NETWORK_MAX_LINEARS];
} sl__network;

/* Fills *out; arrays live in the arena. Fails only for want of memory or for sizes beyond int32. */
sl_status sl__network_build(sl__arena *arena, const sl__network_plan *plan, sl__network *out);

/* The kinds of stack, each in its own file; called by sl__network_build. */
void sl__network_stack_dense(sl__network *network);
void sl__network_stack_residual(sl__network *network);
sl_status sl__network_mask(sl__arena *arena, sl__network *network);

/* ---- evaluation ---- */
typedef struct sl__network_nodes {
  sl_node weight[SL__NETWORK_MAX_LINEARS]; /* [outputs, inputs]; unused where inputs == 0 */
  sl_node bias[SL__NETWORK_MAX_LINEARS];   /* [outputs] */
} sl__network_nodes;

/* x [inputs] -> [outputs]; x is not looked at when the network has no inputs. */
sl_node sl__network_forward(const sl__network *network, const sl__network_nodes *nodes,
                            sl__graph *g, sl_node x);

/* A masked network evaluated feature by feature, each hidden unit once, as soon as the features it
 * may see are known. Zero-initialise, then call for degree 0, 1, ..., features - 1. */
typedef struct sl__network_walk {
  sl_node known[SL__NETWORK_MAX_LINEARS]; /* what linear map l reads: its inputs so far ... */
  int32_t count[SL__NETWORK_MAX_LINEARS]; /* ... and how many they are */
} sl__network_walk;
/* x: context and the columns of x[0..degree-1] joined, or 0 when that is nothing. Returns the
 * outputs of feature `degree`: [outputs / features]. */
sl_node sl__network_step(const sl__network *network, const sl__network_nodes *nodes,
                         sl__network_walk *walk, sl__graph *g, sl_node x, int32_t degree);
#endif
