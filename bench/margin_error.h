/* Whether a fit has the margins of a standard target right: included by vi_quality.c alone.
 *
 * A margin's distribution function is compared with that of exact draws where theirs is 1/20, 2/20
 * ..: shares of modes show there as much as tails do. */
#ifndef SL_BENCH_MARGIN_ERROR_H
#define SL_BENCH_MARGIN_ERROR_H
#include <math.h>
#include <stdlib.h>
#include "flow/model.h"
#include "infer/vi/vi.h"
#include "target/standard.h"

enum { CUTS = 19, EXACT_DRAWS = 400000, FLOW_DRAWS = 100000 };

static int compare_numbers(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* [dim][CUTS], to be freed; NULL: the target has no exact draws, or no memory. */
static double *exact_cuts(const sl__standard_target *what) {
  if (!what->draw) return NULL;
  const size_t dim = (size_t)what->dim;
  double *cuts = malloc(dim * CUTS * sizeof *cuts), *one = malloc(dim * sizeof *one);
  double *x = malloc(dim * EXACT_DRAWS * sizeof *x);
  for (uint64_t r = 0; cuts && one && x && r < EXACT_DRAWS; r++) {
    what->draw((sl__random_key){1, 1, 1}, r, one);
    for (size_t i = 0; i < dim; i++) x[i * EXACT_DRAWS + r] = one[i];
  }
  for (size_t i = 0; cuts && one && x && i < dim; i++) {
    double *column = x + i * EXACT_DRAWS;
    qsort(column, EXACT_DRAWS, sizeof *column, compare_numbers);
    for (size_t c = 0; c < CUTS; c++) cuts[i * CUTS + c] = column[(c + 1) * EXACT_DRAWS / 20];
  }
  free(one);
  free(x);
  return cuts;
}

static double error_at(const double *x, int32_t dim, int32_t i, double cut, double share) {
  int64_t below = 0;
  for (int64_t r = 0; r < FLOW_DRAWS; r++) below += x[r * dim + i] < cut;
  return fabs((double)below / FLOW_DRAWS - share);
}

/* The worst of all coordinates; NaN without cuts. */
static sl_status measure_margins(sl_context *context, const sl__target *target,
                                 const sl__model *model, const double *cuts, double *out) {
  *out = (double)NAN;
  if (!cuts) return SL_OK;
  double *x = malloc((size_t)target->dim * FLOW_DRAWS * sizeof *x);
  sl__vi_scores scores;
  if (!x) return SL_NO_MEMORY;
  const sl_status status = sl__vi_evaluate(context, model->flow, model->vector, target, FLOW_DRAWS,
                                           99, x, NULL, &scores);
  if (status == SL_OK) *out = 0;
  for (int32_t i = 0; status == SL_OK && i < target->dim; i++)
    for (int c = 0; c < CUTS; c++)
      *out = fmax(*out, error_at(x, target->dim, i, cuts[i * CUTS + c], (c + 1) / 20.0));
  free(x);
  return status;
}
#endif
