/* Scores of rows that hold integers: the log of the mean density over the row's cell (flow/cell.h),
 * by a program that gives the density at a point. */
#ifndef SL_API_CELLS_H
#define SL_API_CELLS_H
#include "api/handle.h"
#include "flow/cell.h"

/* The work memory, made beforehand. */
typedef struct sl__cells sl__cells;

/* NULL in *out where the model has no integers. */
sl_status sl__cells_new(sl_context *context, const sl__model *model, sl__cells **out);
void sl__cells_free(sl__cells *cells);

/* The program's outputs are the log density and, where by_x or by_condition are not NULL, its
 * gradients by x and condition; each output of the call may be absent. Numbers that are no integers
 * where they should be score -infinity. */
sl_status sl__cells_score(sl_context *context, sl__cells *cells, const sl__program *program,
                          sl__workspace *workspace, const sl_array_in *x,
                          const sl_array_in *condition, const sl_array_out *log_prob,
                          const sl_array_out *by_x, const sl_array_out *by_condition);
#endif
