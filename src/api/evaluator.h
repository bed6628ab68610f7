/* The inside of evaluators, shared with the calls that make one for a moment. */
#ifndef SL_API_EVALUATOR_H
#define SL_API_EVALUATOR_H
#include "api/cells.h"

/* Programs that add nothing up over rows take any number of them, a block at a time. */
#define SL__ANY_ROWS ((int64_t)1 << 40)

/* A program with its work memory. */
typedef struct sl__ready {
  sl__program *program;
  sl__workspace *workspace;
} sl__ready;
sl_status sl__ready_make(sl_context *context, sl__graph *graph, int count, const sl_node *outputs,
                         int64_t max_rows, sl__ready *ready);
void sl__ready_free(sl__ready *ready);

enum { SL__READY_KINDS = 4 };
struct sl_evaluator {
  sl__allocator allocator;
  const sl__model *model;            /* borrowed */
  sl__ready ready[SL__READY_KINDS];  /* those that were asked for */
  sl__sink *sinks;                   /* [1 + parameters], for SL_EVALUATE_PARAMETERS */
  sl__cells *cells;                  /* where rows hold integers, or NULL */
};
#endif
