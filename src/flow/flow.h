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

/* The descriptor of one kind of bijector; each kind's file ends in one, bijectors.def lists
 * them. */
typedef struct sl__bijector {
  const char *name;                /* in formulas */
  const char *summary;             /* one line */
  const char *source;              /* paper and equation */
  const sl__option_row *arguments; /* key=value; positional ones fill the rows in order */
  int argument_count;
  sl__how sample_how, log_prob_how;
  /* Reads layer->arguments, decides sizes, declares parameters with sl__layer_parameter. */
  sl_status (*build)(sl_context *context, sl__layer *layer);
  /* Both directions as graphs. */
  sl__mapped (*sample)(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value);
  sl__mapped (*log_prob)(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value);
} sl__bijector;

const sl__bijector *const *sl__bijectors(int *count); /* the registry */

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
  /* [rows] staircase mask of a weight matrix: entries beyond start and stay zero; or NULL */
  const int32_t *extent;
  bool trainable; /* false: buffers such as the standardisation */
} sl__parameter;

struct sl__layer {
  const sl__bijector *kind;
  sl__flow *flow;
  int index; /* 1-based place in the expanded chain, base side first */
  int32_t dim, context_dim;
  sl_dtype type;
  const sl__option_value *arguments; /* by row of kind->arguments */
  uint64_t seed;    /* of sl__random_key {seed, SL__STREAM_PERMUTE, index} and the like */
  const char *text; /* canonical, "coupling(rqs,bins=16)": for labels and lists */
  void *state;      /* the kind's own, from sl__layer_take */
};
/* Memory that lives as long as the flow. */
void *sl__layer_take(sl__layer *layer, size_t count, size_t size);
/* Declares a parameter; returns its index (use with sl__layer_node), or -1 when out of memory. */
int sl__layer_parameter(sl__layer *layer, const char *name, sl_shape shape, sl__initial initial,
                        double scale, const double *values, const int32_t *extent);
/* The parameter as a node of the graph. */
sl_node sl__layer_node(const sl__layer *layer, sl__graph *g, int parameter);

struct sl__flow {
  sl__arena arena; /* everything below lives here */
  sl_dtype type;
  int32_t dim, context_dim;
  uint64_t seed;
  int layer_count;
  sl__layer *layers; /* expanded, base side first */
  int parameter_count, parameter_capacity;
  sl__parameter *parameters;
  int64_t size;                /* numbers in the parameter vector */
  int64_t trainable;           /* how many of them are trained */
  const char *formula;         /* canonical */
  const struct sl__base *base; /* dist/base.h descriptor */
};

/* Parses formula ("standardize" is added by the model, not here) and builds the structure;
 * parameters are not made yet. Errors carry line and column of the formula. base: "normal" or
 * another of dist/base.def; NULL: normal. */
sl_status sl__flow_new(sl_context *context, const char *formula, const char *base, int32_t dim,
                       int32_t context_dim, sl_dtype type, uint64_t seed, sl__flow **out);
void sl__flow_free(sl_context *context, sl__flow *flow);
/* Writes starting values into vector[flow->size] (flow->type), a function of flow->seed. */
void sl__flow_initialise(const sl__flow *flow, void *vector);

/* Graphs. log_prob: scalar per row. map_*: through layers first..last-1 only (0, layer_count:
 * all). */
sl_node sl__flow_log_prob(const sl__flow *flow, sl__graph *g, sl_node x, sl_node context_value);
sl__mapped sl__flow_map_sample(const sl__flow *flow, sl__graph *g, sl_node z, sl_node context_value,
                               int first, int last);
sl__mapped sl__flow_map_log_prob(const sl__flow *flow, sl__graph *g, sl_node x,
                                 sl_node context_value, int first, int last);
/* Draws base noise inside the graph (op_random) and maps it: value, and its log density in
 * log_det's place. */
sl__mapped sl__flow_sample(const sl__flow *flow, sl__graph *g, sl_node context_value);
#endif
