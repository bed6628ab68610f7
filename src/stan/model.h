/* A Stan program with its data: a density on R^dim. */
#ifndef SL_STAN_MODEL_H
#define SL_STAN_MODEL_H
#include "graph/graph.h"
#include "stan/syntax.h"

typedef struct sl__stan_model sl__stan_model;

/* program: parsed and checked; the model takes it over (also on failure). data: Stan's JSON, or
 * NULL when the program has no data. Reads and checks the data, executes transformed data (seed: of
 * its random numbers), sizes the parameters. Messages name the variable, what was expected and
 * found. */
sl_status sl__stan_model_new(sl_context *context, sl__stan_program *program, const char *data_name,
                             const char *data, size_t length, uint64_t seed, sl__stan_model **out);
void sl__stan_model_free(sl_context *context, sl__stan_model *model);

int32_t sl__stan_model_dim(const sl__stan_model *model); /* unconstrained numbers */
/* Names as in Stan's CSV: "theta[1,2]" -> "theta.1.2". unconstrained: index 0..dim-1. */
const char *sl__stan_model_unconstrained_name(const sl__stan_model *model, int32_t i);
/* What a draw has on the constrained scale: parameters, then transformed parameters, then generated
 * quantities, each in declaration order, matrices by columns. */
typedef enum sl__stan_part {
  SL__STAN_PART_PARAMETERS,
  SL__STAN_PART_TRANSFORMED,
  SL__STAN_PART_GENERATED,
  SL__STAN_PARTS
} sl__stan_part;
int32_t sl__stan_model_count(const sl__stan_model *model, sl__stan_part part);
const char *sl__stan_model_name(const sl__stan_model *model, sl__stan_part part, int32_t i);

/* log density of q [dim], batched, as a graph: all constants kept unless drop_constants; with the
 * log Jacobian of the constraints unless !jacobian. -infinity where Stan rejects. */
sl_node sl__stan_model_log_density(const sl__stan_model *model, sl__graph *g, sl_node q,
                                   bool drop_constants, bool jacobian);
/* log |det| of the map from q to the parameters on their own scale: what their constraints add to
 * the log density. */
sl_node sl__stan_model_log_jacobian(const sl__stan_model *model, sl__graph *g, sl_node q);
/* Constrained parameters (and transformed ones if asked) of q, flat, in the order of the names. */
sl_node sl__stan_model_constrain(const sl__stan_model *model, sl__graph *g, sl_node q,
                                 bool transformed);
/* Known numbers: constrained parameters [rows][count of PARAMETERS] -> q [rows][dim].
 * SL_BAD_ARGUMENT names the parameter that breaks its constraint, and *row where it does. */
sl_status sl__stan_model_unconstrain(sl_context *context, const sl__stan_model *model, int64_t rows,
                                     const double *constrained, double *q, int64_t *row);
/* Generated quantities of one point, known numbers: row numbers the draw, for random numbers.
 * SL_NUMERIC: the program rejects this point; SL_BAD_ARGUMENT: an index or a size is wrong, which
 * is a fault of the program and not of the point. */
sl_status sl__stan_model_generate(sl_context *context, const sl__stan_model *model, const double *q,
                                  uint64_t seed, uint64_t row, double *out);
/* Why the density of this point is 0 or none: executes the program with known numbers and fails as
 * it does, or where the log density ceases to be finite. SL_OK: nothing is found. */
sl_status sl__stan_model_explain(sl_context *context, const sl__stan_model *model, const double *q);
#endif
