/* The inside of evaluators, shared with the calls that make one for a moment. */
#ifndef SL_API_EVALUATOR_H
#define SL_API_EVALUATOR_H
#include "api/cells.h"

/* Programs that add nothing up over rows take any number of them, a block at a time. */
#define SL__ANY_ROWS ((int64_t)1 << 40)

sl_status sl__ready_make(sl_context *context, sl__graph *graph, int count, const sl_node *outputs,
                         int64_t max_rows, sl__ready *ready);
void sl__ready_free(sl__ready *ready);

/* What a program is being built of. */
typedef struct sl__building {
  sl_context *context;
  const sl__model *model;
  const sl__flow *flow;
  sl__graph *graph;
  sl_node x, condition;
} sl__building;

/* Declares the inputs that every program has: x (or not, for sampling), then the condition if
 * there is one. */
void sl__declare_inputs(sl__building *b, bool with_x);
/* Writes the flow's parameters, nodes [parameter_count], to differentiate by. */
void sl__declare_parameters(const sl__building *b, sl_node *nodes);
/* evaluator_sample.c */
sl_status sl__build_sample_gradient(sl__building *b, sl__ready *ready, int64_t max_rows);

/* The program for one of the SL_EVALUATE_ bits, or a refusal if it was not asked for. */
sl_status sl__ready_find(sl_context *context, sl_evaluator *evaluator, uint32_t bit,
                         sl__ready **ready);
/* Where the gradient by each parameter array goes: sinks [parameter_count]. */
sl_status sl__parameter_sinks(sl_context *context, const sl__flow *flow,
                              const sl_array_out *by_parameters, sl__sink *sinks);

enum { SL__READY_KINDS = 5, SL__OTHER_SINKS = 3 /* x, log_prob, by_condition */ };
struct sl_evaluator {
  sl__allocator allocator;
  const sl__model *model;           /* borrowed */
  sl__ready ready[SL__READY_KINDS]; /* those that were asked for */
  sl__sink *sinks;                  /* [SL__OTHER_SINKS + parameters], for sums over rows */
  double *zeros;                    /* [dim], in place of a derivative that is not given */
  sl__cells *cells;                 /* where rows hold integers, or NULL */
};
#endif
