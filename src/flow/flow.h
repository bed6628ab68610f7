/* Flows: a base density and a chain of bijectors, parsed from a formula; builds graphs for both
 * directions.
 *
 * A flow is structure (layers, parameter layout) plus one flat parameter vector. Direction names:
 * `sample` maps base noise z to data x, `log_prob` maps data x to base z. The formula's leftmost
 * layer is applied first to the noise. */
#ifndef SL_FLOW_FLOW_H
#define SL_FLOW_FLOW_H
#include "base/option.h"
#include "base/text.h"
#include "graph/graph.h"

typedef struct sl__flow sl__flow;
typedef struct sl__layer sl__layer;

/* What a direction of a layer yields: the mapped value [D] and log |det d value / d input|, a
 * scalar per row or shared. */
typedef struct sl__mapped {
  sl_node value, log_det;
} sl__mapped;

/* How a direction is computed, for `sluice flows` and docs. */
typedef enum sl__how {
  SL__HOW_CLOSED_FORM,
  SL__HOW_SEQUENTIAL, /* feature by feature, about one pass */
  SL__HOW_ITERATIVE
} sl__how;

/* How the context of a conditional flow reaches a layer. */
typedef enum sl__conditioning {
  SL__CONDITION_NOTHING,   /* it has no trained numbers: permute */
  SL__CONDITION_NETWORK,   /* its own network reads the context: coupling */
  SL__CONDITION_PARAMETERS /* a network of the context adds to its trained parameters
                            * (hypernetwork.c): sl__layer_node then gives a value per row */
} sl__conditioning;

/* The descriptor of one kind of layer, a bijector or a base density; each kind's file ends in one,
 * kinds.def lists them. */
typedef struct sl__kind {
  const char *name;                /* in formulas */
  const char *summary;             /* one line */
  const char *source;              /* paper and equation */
  const char *const *examples;     /* formulas, NULL at the end: help shows them, tests walk them */
  const sl__option_row *arguments; /* key=value; positional ones fill the rows in order */
  int argument_count;
  sl__how sample_how, log_prob_how;
  const char *sample_note, *log_prob_note; /* when that is otherwise, or NULL */
  sl__conditioning conditioning;
  /* Reads layer->arguments, decides sizes, declares parameters with sl__layer_parameter. May be
   * NULL: there is nothing to do. */
  sl_status (*build)(sl_context *context, sl__layer *layer);
  /* A bijector's directions as graphs. context_value is 0 in an unconditional flow. Where a
   * direction's input lies outside what the other can reach, log_det is -infinity and the value
   * any finite one. */
  sl__mapped (*sample)(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value);
  sl__mapped (*log_prob)(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value);
  /* A base density has these two instead: log density, a scalar per row (-infinity where there is
   * none), and draws [dim], from op_random_* of `stream` and, where one leaf of random numbers is
   * not enough, of stream + SL__SECOND_STREAM. */
  sl_node (*density)(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value);
  sl_node (*draw)(const sl__layer *layer, sl__graph *g, uint32_t stream, sl_node context_value);
  /* NULL: any number may come out. Else an increasing map of each feature: its value at x, the end
   * of an interval; NaN where the direction cannot take x. A base: its low (sampling) or high
   * end. */
  double (*image)(const sl__layer *layer, double x, bool sampling);
  /* NULL, or: writes into vector what it learns from rows of its data side (a base: of z), values
   * [rows][dim]. first: before a fit; else now and then during it, if keeps_looking. look.c calls
   * it. */
  sl_status (*look)(sl_context *context, const sl__layer *layer, void *vector, int64_t rows,
                    const double *values, bool first);
  bool keeps_looking;
} sl__kind;

enum { SL__SECOND_STREAM = 1 << 12 };

const sl__kind *const *sl__kinds(int *count); /* the registry */
static inline bool sl__kind_is_base(const sl__kind *kind) {
  return kind->density != NULL;
}

/* How a parameter starts. */
typedef enum sl__initial {
  SL__INITIAL_ZERO,
  SL__INITIAL_VALUE,   /* scale everywhere */
  SL__INITIAL_NORMAL,  /* times scale */
  SL__INITIAL_UNIFORM, /* -scale..scale */
  SL__INITIAL_IDENTITY,
  SL__INITIAL_GIVEN /* values */
} sl__initial;
typedef struct sl__parameter {
  const char *name; /* "layers.3.net.0.weight": also the tensor's name in the file */
  sl_shape shape;
  int64_t offset;
  sl__initial initial;
  double scale;
  const double *values;
  double jitter; /* times a standard normal: added to the starting value */
  /* [rows] staircase mask of a weight matrix: entries beyond start and stay zero; or NULL */
  const int32_t *extent;
  bool trainable;                /* false: buffers such as the standardisation */
  const struct sl__layer *layer; /* that declared it */
} sl__parameter;

struct sl__layer {
  const sl__kind *kind;
  sl__flow *flow;
  const char *path;  /* "layers.3", "base": what its tensors' names start with */
  const char *title; /* "layer 3", "base": for reports */
  const char *text;  /* canonical, "coupling(rqs,bins=16)": for lists */
  int line, column;  /* where it was written in its formula */
  int index;         /* 1-based place in its chain, base side first; a base: 0 */
  int earlier;       /* how many layers of its kind stand before it in the chain */
  bool inverted;     /* stands in inverse(...): sample and log_prob have changed places */
  int32_t dim, context_dim;
  sl_dtype type;
  const sl__option_value *arguments; /* by row of kind->arguments */
  uint64_t seed; /* of sl__random_key {seed, SL__STREAM_PERMUTE, index} and the like */
  double period; /* of the circle that it maps to itself, or 0 */
  void *state;   /* the kind's own, from sl__layer_take */
  int first_parameter, parameter_count;  /* those that build declared */
  struct sl__hypernetwork *hypernetwork; /* or NULL: hypernetwork.c */
};
/* Memory that lives as long as the flow. */
void *sl__layer_take(sl__layer *layer, size_t count, size_t size);
/* Declares a parameter; returns its index (use with sl__layer_node), or -1 when out of memory. */
int sl__layer_parameter(sl__layer *layer, const char *name, sl_shape shape, sl__initial initial,
                        double scale, const double *values, const int32_t *extent);
/* The parameter as a node of the graph: shared, or in a conditional flow, where the kind's
 * conditioning is SL__CONDITION_PARAMETERS, a value per row of the same shape. */
sl_node sl__layer_node(const sl__layer *layer, sl__graph *g, int parameter, sl_node context_value);

/* Logarithms of scales are held within this, far beyond any use: squares of the scales, and the
 * product of two of them, are still numbers, so that nothing becomes infinite times 0. */
static inline double sl__most_log_scale(sl_dtype type) {
  return type == SL_F32 ? 40 : 340;
}
sl_node sl__log_scale(sl__graph *g, sl_node log_scale);

/* Layers one after another, base side first. */
typedef struct sl__chain {
  int count;
  sl__layer *layers;
} sl__chain;
/* Whether each layer can take what those before it yield, from the base's low..high on: log of a
 * normal number is refused. (reach.c) */
sl_status sl__chain_check_reach(sl_context *context, const sl__chain *chain, double low,
                                double high);
struct sl__formula_item;
/* Expands the items and builds the layers; their paths start with path. Refusals carry line and
 * column of the formula. */
sl_status sl__chain_build(sl_context *context, sl__flow *flow, const struct sl__formula_item *first,
                          const char *path, int32_t dim, int32_t context_dim, uint64_t seed,
                          sl__chain *out);
/* Through layers first..last-1 only (0, count: all). */
sl__mapped sl__chain_sample(const sl__chain *chain, sl__graph *g, sl_node z, sl_node context_value,
                            int first, int last);
sl__mapped sl__chain_log_prob(const sl__chain *chain, sl__graph *g, sl_node x,
                              sl_node context_value, int first, int last);

struct sl__flow {
  sl__arena arena; /* everything below lives here */
  sl_dtype type;
  int32_t dim, context_dim;
  /* The last so many of the dim features are angles in -pi .. pi: they are mapped by the chain
   * `circle` of their own, and the others, which base and chain are for, are conditioned on their
   * sines and cosines (circle.c). */
  int32_t periodic;
  uint64_t seed;
  sl__layer base;
  sl__chain chain;
  sl__layer circle_base;
  sl__chain circle; /* no layers unless periodic > 0 */
  int parameter_count, parameter_capacity;
  sl__parameter *parameters;
  int64_t size;             /* numbers in the parameter vector */
  int64_t most_numbers;     /* how many there may be */
  int64_t trainable;        /* how many of them are trained */
  const char *formula;      /* canonical, of the chain: without the base */
  const char *base_formula; /* canonical: "normal", "student(3)" */
};

/* What a flow is made of. */
typedef struct sl__flow_plan {
  const char *formula; /* its first item may be a base density, if base is NULL; may be "" if not */
  const char *base;    /* of one item; NULL: "normal" */
  int32_t dim, context_dim, periodic;
  sl_dtype type;
  uint64_t seed;
  int64_t most_numbers; /* refused as soon as there are more parameters; 0: a general limit */
} sl__flow_plan;

/* Parses the formula ("standardize" is added by the model, not here) and builds the structure;
 * parameters are not made yet. Errors carry line and column of the formula. */
sl_status sl__flow_new(sl_context *context, const sl__flow_plan *plan, sl__flow **out);
void sl__flow_free(sl_context *context, sl__flow *flow);
/* Writes starting values into vector[flow->size] (flow->type), a function of flow->seed. */
void sl__flow_initialise(const sl__flow *flow, void *vector);
/* Whether some layer wants to look at data (sl__kind.look), again and again if `again`. */
bool sl__flow_looks(const sl__flow *flow, bool again);
/* Shows rows x [rows][dim] and context [rows][context_dim] (or NULL), of the flow's type, to every
 * layer that looks, from the data side to the base. */
sl_status sl__flow_look(sl_context *context, const sl__flow *flow, void *vector, int64_t rows,
                        const void *x, const void *context_rows, bool first);

/* A scalar per row to be added to a logarithm of a density: 0, -infinity where a value of the row
 * is infinite, NaN where one is NaN. */
sl_node sl__row_mark(sl__graph *g, sl_node row);
/* 1 where all values and the log-determinant are finite, else 0; a scalar per row. */
sl_node sl__mapped_is_sound(sl__graph *g, sl__mapped mapped);

/* Graphs; where x, z or the context has a NaN, so does what comes out. log_prob: scalar per row,
 * -infinity or NaN where a value is infinite. map_*: through layers first..last-1 only (0,
 * chain.count: all). Angles are mapped by the whole circle chain when all layers take part; else
 * they pass unchanged and are taken for the data's. */
sl_node sl__flow_log_prob(const sl__flow *flow, sl__graph *g, sl_node x, sl_node context_value);
sl__mapped sl__flow_map_sample(const sl__flow *flow, sl__graph *g, sl_node z, sl_node context_value,
                               int first, int last);
sl__mapped sl__flow_map_log_prob(const sl__flow *flow, sl__graph *g, sl_node x,
                                 sl_node context_value, int first, int last);
/* Draws base noise inside the graph (op_random) and maps it: value, and its log density in
 * log_det's place. */
sl__mapped sl__flow_sample(const sl__flow *flow, sl__graph *g, sl_node context_value);
#endif
