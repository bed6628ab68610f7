/* Transformers: increasing maps of one feature, whose parameters a network computes from other
 * features (coupling, maf, iaf). Registry: transformers.def. */
#ifndef SL_FLOW_TRANSFORMER_H
#define SL_FLOW_TRANSFORMER_H
#include "flow/flow.h"

enum { SL__MAX_GROUPS = 4 };
/* The greatest of arguments that become sizes of arrays. */
enum { SL__MOST_UNITS = 1024, SL__MOST_POLYNOMIALS = 64, SL__MOST_DEGREE = 12 };

/* The arguments of all transformers, by place behind sl__transform.arguments. */
enum {
#define ARGUMENT(transformers, name, type, fallback, low, high, choices, help) SL__ARGUMENT_##name,
#include "flow/transformer/transformers.def"
  SL__TRANSFORMER_ARGUMENTS
};

typedef struct sl__transformer sl__transformer;

/* A transformer with its arguments, as a layer uses it. */
typedef struct sl__transform {
  const sl__transformer *kind;
  const sl__option_value *arguments;
  sl_dtype type;
  /* What the network computes per feature: group_count kinds of numbers, group_size[k] of kind
   * k. */
  int group_count;
  int32_t group_size[SL__MAX_GROUPS];
  const char *group_name[SL__MAX_GROUPS]; /* names of networks, where each kind has its own */
  int32_t total;                          /* sum of group_size */
  /* 1 when a further number per feature is a parameter of the layer, with its name and start. */
  int32_t own;
  const char *own_name;
  double own_start;
  /* 0, or it maps a circle of this length to itself: numbers that differ by it are one point. */
  double period;
} sl__transform;

/* What a transformer needs to map n features at once. Groups are [group_size[k], n] when axis is 0,
 * [n, group_size[k]] when it is 1. Zeros everywhere must make the identity map. */
typedef struct sl__transform_parameters {
  sl_node group[SL__MAX_GROUPS];
  int axis;
  sl_node own; /* [n], when transform->own is 1 */
} sl__transform_parameters;

struct sl__transformer {
  const char *name, *summary, *source;
  sl__how sample_how, log_prob_how;
  /* Sets the groups and own from the arguments. */
  void (*measure)(sl__transform *transform);
  /* [n] -> [n], both directions; log_det holds the logarithms of the derivatives, [n]. */
  sl__mapped (*log_prob)(const sl__transform *transform, sl__graph *g, sl_node x,
                         const sl__transform_parameters *parameters);
  sl__mapped (*sample)(const sl__transform *transform, sl__graph *g, sl_node z,
                       const sl__transform_parameters *parameters);
};

const sl__transformer *const *sl__transformers(int *count); /* the registry */
/* Whether the argument at place `row` (SL__ARGUMENT_...) is one of the transformer's. */
bool sl__transformer_takes(const sl__transformer *transformer, int row);
/* "a root with naf, sos": when a direction of the kind is not computed as sample_how or log_prob_how
 * say; "" if always (how.c). */
void sl__kind_how_note(const sl__kind *kind, bool sampling, char *text, size_t size);
/* Row of type SL__OPTION_CHOICE that names the transformer: a layer's first argument. */
extern const char sl__transformer_names[];
/* The layer's argument 0 names the transformer, those from first_argument on are the transformers'.
 * Refuses arguments of other transformers. */
sl_status sl__transform_read(sl_context *context, sl__layer *layer, int first_argument,
                             sl__transform *out);
/* x [n] with an axis of size 1 where groups have theirs: broadcasts against them. */
sl_node sl__transform_across(sl__graph *g, sl_node x, int axis);
/* s / (1 + |s| / limit): s near 0, within -limit .. limit everywhere. */
sl_node sl__transform_soft(sl__graph *g, sl_node s, double limit);
#endif
