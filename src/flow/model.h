/* A fitted flow as it is kept: structure, numbers, what the columns are, and how it was trained. */
#ifndef SL_FLOW_MODEL_H
#define SL_FLOW_MODEL_H
#include "flow/columns.h"

typedef struct sl__model {
  sl__arena arena;
  sl__flow *flow;               /* of features; ends in a standardize layer */
  void *vector;                 /* [flow->size] of flow->type */
  int32_t dim;                  /* columns of the data: features, and one for each simplex */
  sl__columns map;              /* between columns and features */
  const char **columns;         /* [dim] names; "x1", "x2", ... unless set */
  const char **types;           /* [dim]: canonical text, "interval(0,1)" */
  const char **context_columns; /* [context_dim]; "c1", ... unless set */
  double *noise_width; /* [dim]: width of the uniform noise that dequantised a column, or 0 */
  double *context_shift, *context_scale; /* [context_dim]: the context is standardised by these */
  const char *training;                  /* JSON text of the training record, or NULL */
  const char *target; /* JSON text: what density it was fitted to (target/origin.c), or NULL */
} sl__model;

/* Files of models whose columns are all real are of version 1, others of this one. */
enum { SL__MODEL_FORMAT_VERSION = 2 };

/* The flow of `formula`, with a standardize layer put behind it unless it ends in one, at its
 * starting values; standardisation by 0 and 1. Arguments as for sl__flow_new. */
sl_status sl__model_new(sl_context *context, const char *formula, const char *base, int32_t dim,
                        int32_t context_dim, sl_dtype type, uint64_t seed, sl__model **out);
/* The same for columns of these types [dim], as in sl__columns_new. */
sl_status sl__model_new_typed(sl_context *context, const char *formula, const char *base,
                              int32_t dim, const sl__column_type *types, int32_t context_dim,
                              sl_dtype type, uint64_t seed, sl__model **out);
/* In two steps, for whoever has the numbers already: the structure alone (flow.dim and
 * flow.periodic follow from the columns), then memory for the numbers, all zero. */
typedef struct sl__model_plan {
  sl__flow_plan flow;
  int32_t dim;
  const sl__column_type *types; /* [dim], or NULL: all real */
} sl__model_plan;
sl_status sl__model_build(sl_context *context, const sl__model_plan *plan, sl__model **out);
sl_status sl__model_take_numbers(sl__model *model);
void sl__model_free(sl_context *context, sl__model *model);
int sl__model_format_version(const sl__model *model);

/* Writes means and standard deviations [features], of which the angles' are not used, into the
 * last layer's buffers. */
void sl__model_standardize(sl__model *model, const double *mean, const double *sd);
/* Copies names [dim], [context_dim]; either may be NULL: left as they are. */
sl_status sl__model_name_columns(sl__model *model, const char *const *columns,
                                 const char *const *context_columns);
sl_status sl__model_set_training(sl__model *model, const char *json);
sl_status sl__model_set_target(sl__model *model, const char *json); /* NULL: of none */

/* Graphs in the data's own units: x [dim] and raw context [context_dim] (0 without one). Outside
 * the columns' support the log density is -infinity. That of integers is of their spread values: a
 * row's probability is its mean over the row's cell (cell.h). */
sl_node sl__model_log_prob(const sl__model *model, sl__graph *g, sl_node x, sl_node context_value);
/* Rows, and their log densities: of integers, before they were rounded. */
sl__mapped sl__model_sample(const sl__model *model, sl__graph *g, sl_node context_value);
/* Noise [features] to data [dim] and back, with the log-determinants of these maps. */
sl__mapped sl__model_to_data(const sl__model *model, sl__graph *g, sl_node z,
                             sl_node context_value);
sl__mapped sl__model_to_base(const sl__model *model, sl__graph *g, sl_node x,
                             sl_node context_value);
/* The context, standardised. */
sl_node sl__model_context(const sl__model *model, sl__graph *g, sl_node context_value);

/* One safetensors file: a tensor per parameter, all else in the metadata. */
sl_status sl__model_save(sl_context *context, const sl__model *model, const char *path);
sl_status sl__model_load(sl_context *context, const char *path, sl__model **out);
#endif
