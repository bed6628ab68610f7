/* Scores of rows that hold integers: the log of the mean density over the row's cell (flow/cell.h),
 * by a program that gives the density at a point. */
#ifndef SL_API_CELLS_H
#define SL_API_CELLS_H
#include "api/handle.h"
#include "flow/cell.h"

/* A program with its work memory. */
typedef struct sl__ready {
  sl__program *program;
  sl__workspace *workspace;
} sl__ready;

/* The work memory, made beforehand. */
typedef struct sl__cells sl__cells;

/* NULL in *out where the model has no integers. parameter_rows: how many rows the program of
 * sl__cells_parameters takes at once; 0: it is not wanted. */
sl_status sl__cells_new(sl_context *context, const sl__model *model, int64_t parameter_rows,
                        sl__cells **out);
void sl__cells_free(sl__cells *cells);

/* The program's outputs are the log density and, where by_x or by_condition are not NULL, its
 * gradients by x and condition; each output of the call may be absent. Numbers that are no integers
 * where they should be score -infinity. */
sl_status sl__cells_score(sl_context *context, sl__cells *cells, const sl__ready *ready,
                          const sl_array_in *x, const sl_array_in *condition,
                          const sl_array_out *log_prob, const sl_array_out *by_x,
                          const sl_array_out *by_condition);

/* d (sum over rows of their scores) / d parameters, contiguous. density: as above; gradient: has
 * the row's weight as a last input, and as outputs a value that is not looked at and the gradient
 * of weight times log density, summed over rows, a parameter array each; sinks: room for so
 * many. */
sl_status sl__cells_parameters(sl_context *context, sl__cells *cells, const sl__ready *density,
                               const sl__ready *gradient, const sl_array_in *x,
                               const sl_array_in *condition, const sl_array_out *log_prob,
                               sl__sink *sinks, const sl_array_out *by_parameters);
#endif
