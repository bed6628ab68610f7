/* Arguments that are vectors or matrices: sizes, factors, checks. */
#include <math.h>

#include "stan/distribution.h"

sl__vectors sl__vectors_of(const sl__stan_value *value) {
  if (value->dims < 2) return (sl__vectors){1, (int32_t)value->count, false};
  return (sl__vectors){value->size[0], value->size[1], true};
}

sl_status sl__vectors_length(sl__stan_call *call, int i, const char *what, int32_t k) {
  const sl__vectors v = sl__vectors_of(&call->argument[i]);
  if (v.k == k || v.rows == 0) return SL_OK;
  return sl__stan_refuse(call, "%s has %d elements, but must have %d", what, v.k, k);
}

sl_status sl__vectors_square(sl__stan_call *call, int i, const char *what, int32_t *k) {
  const sl__stan_value *value = &call->argument[i];
  *k = value->size[0];
  if (value->size[0] == value->size[1] && *k > 0) return SL_OK;
  return sl__stan_refuse(call, "%s is %d x %d, but must be square", what, value->size[0],
                         value->size[1]);
}

/* As far as Stan asks for it: to 1e-8, relative above 1. */
static sl_status check_symmetric(sl__stan_call *call, int i, const char *what) {
  const sl__stan_value *value = &call->argument[i];
  const int32_t k = value->size[0];
  if (!sl__stan_is_known(value)) return SL_OK;
  const double *a = sl__stan_numbers(call, i);
  if (!a) return SL_NO_MEMORY;
  for (int32_t row = 0; row < k; row++)
    for (int32_t column = 0; column < row; column++) {
      const double one = a[(int64_t)row * k + column], other = a[(int64_t)column * k + row];
      if (!(fabs(one - other) <= 1e-8 * fmax(1, fabs(one))))
        return sl__stan_refuse_value(call, "%s is not symmetric at row %d, column %d", what,
                                     row + 1, column + 1);
    }
  return SL_OK;
}

/* The factor of an indefinite matrix has a zero or NaN on its diagonal. */
sl_status sl__vectors_factor(sl__stan_call *call, int i, const char *what, sl_node *factor) {
  sl__graph *g = sl__stan_graph(call);
  SL__TRY(check_symmetric(call, i, what));
  *factor = op_cholesky(g, sl__stan_matrix(call, i));
  const sl_node positive = op_less(g, sl__maths_real(g, 0), op_diagonal(g, *factor));
  return sl__stan_require(call, positive, "%s must be positive definite", what);
}

sl_status sl__vectors_lower(sl__stan_call *call, int i, const char *what, sl_node *factor) {
  sl__graph *g = sl__stan_graph(call);
  *factor = sl__stan_matrix(call, i);
  const sl_node positive = op_less(g, sl__maths_real(g, 0), op_diagonal(g, *factor));
  return sl__stan_require(call, positive, "%s must have a positive diagonal", what);
}

sl_node sl__vectors_log_diagonal(sl__graph *g, sl_node factor) {
  return op_log(g, op_diagonal(g, factor));
}

bool sl__vectors_factorise(int32_t k, const double *a, double *l) {
  for (int32_t row = 0; row < k; row++)
    for (int32_t column = 0; column < k; column++) {
      double sum = a[(int64_t)row * k + column];
      const double *left = l + (int64_t)row * k, *right = l + (int64_t)column * k;
      for (int32_t j = 0; j < column && column <= row; j++) sum -= left[j] * right[j];
      if (row == column && !(sum > 0)) return false;
      l[(int64_t)row * k + column] = column > row    ? 0
                                     : row == column ? sqrt(sum)
                                                     : sum / right[column];
    }
  return true;
}
