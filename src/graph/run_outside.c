/* Running functions from outside: a block of rows is one call. The function sees rows, row after
 * row; runs are turned around on the way in and out. */
#include <math.h>
#include <string.h>

#include "graph/operations.h"

size_t sl__outside_scratch(const sl__frame *f, const sl__step *s) {
  const sl__value *x = sl__operand_value(f, s, 0), *y = sl__output_value(f, s);
  return (size_t)((x->count + y->count) * sl__lanes(f, x)) * sizeof(double);
}

/* to [n][lead] from [rows][n]; lanes that are no rows become 0. */
static void by_lanes(int64_t n, int64_t rows, int64_t lead, const double *from, double *to) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t r = 0; r < lead; r++) to[i * lead + r] = r < rows ? from[r * n + i] : 0;
}

/* Once a call has failed, no other is made. */
static bool call(const sl__frame *f, const sl__outside *outside, int64_t rows, const double *x,
                 double *value, double *gradient) {
  if (f->failure && atomic_load(f->failure) != SL_OK) return false;
  const sl_status status = outside->function(outside->user, rows, x, value, gradient);
  int none = SL_OK;
  if (status != SL_OK && f->failure) atomic_compare_exchange_strong(f->failure, &none, (int)status);
  return status == SL_OK;
}

void sl__run_outside(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const sl__value *x = sl__operand_value(f, s, 0), *y = sl__output_value(f, s);
  const int64_t lead = sl__lanes(f, x), rows = x->batched ? f->rows : 1, dim = x->count;
  const double *from = sl__address(f, x);
  double *to = sl__address(f, y), *row = f->scratch;
  double *value = row + rows * dim, *gradient = y->count > 1 ? value + rows : NULL;
  for (int64_t r = 0; r < rows; r++)
    for (int64_t i = 0; i < dim; i++) row[r * dim + i] = from[i * lead + r];
  if (!call(f, s->data, rows, row, value, gradient)) {
    for (int64_t i = 0; i < y->count * lead; i++) to[i] = (double)NAN;
    return;
  }
  by_lanes(1, rows, lead, value, to);
  if (gradient) by_lanes(dim, rows, lead, gradient, to + lead);
}

void sl__run_outside_value(const sl__frame *f, const sl__step *s, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  const sl__value *y = sl__output_value(f, s);
  const void *both = sl__address(f, sl__operand_value(f, s, 0));
  memcpy(sl__address(f, y), both, (size_t)sl__lanes(f, y) * sizeof(double));
}
