/* Cumulative distributions of whole numbers.
 *
 * They have no closed form that could be differentiated, but variates are known: so they are the
 * log_sum_exp of the probabilities below. The upper tail is added up where it ends, as of binomial
 * counts; else it is what the lower one leaves, which costs digits where it is below 1e-8. */
#include <math.h>

#include "stan/distribution.h"

enum { MOST_SUMMED = 100000 }; /* probabilities of one element */

/* The log of the sum of the probabilities of first to last, with the arguments of element k. */
static sl_node sum_probabilities(sl__stan_call *call, const sl__distribution *family, int32_t k,
                                 int64_t first, int64_t last) {
  sl__graph *g = sl__stan_graph(call);
  const int32_t count = (int32_t)(last - first + 1);
  double *values = sl__stan_memory(call, (size_t)count, sizeof *values);
  if (!values) return 0;
  for (int32_t j = 0; j < count; j++) values[j] = (double)(first + j);
  sl__elements e = sl__elements_of(call, count);
  for (int i = 1; i < call->count; i++)
    if (call->argument[i].dims) e.x[i] = op_element(g, e.x[i], 0, k);
  e.x[0] = op_constant(g, SL_F64, sl__shape1(count), values);
  family->density(&e);
  sl_node sum = e.term[0];
  for (int i = 1; i < e.terms; i++) sum = op_add(g, sum, e.term[i]);
  if (e.possible) sum = op_select(g, e.possible, sum, sl__maths_real(g, -HUGE_VAL));
  return op_log_sum_exp(g, op_broadcast(g, sum, sl__shape1(count)), 0);
}

/* The wanted logarithm of element k. */
static sl_status sum_element(sl__stan_call *call, const sl__distribution *family, int32_t k,
                             sl_node *out) {
  sl__graph *g = sl__stan_graph(call);
  const bool upper = sl__distribution_ends_in(call, "_lccdf");
  const bool bounded = family->limit > 0 || family->limit_argument > 0;
  const int64_t y = (int64_t)sl__element_of(call, 0, k);
  int64_t most = bounded ? family->limit : INT32_MAX;
  if (family->limit_argument > 0) most = (int64_t)sl__element_of(call, family->limit_argument, k);
  const sl_node none = sl__maths_real(g, -HUGE_VAL), all = sl__maths_real(g, 0);
  if (y < 0 || y >= most) {
    *out = (y < 0) == upper ? all : none;
    return SL_OK;
  }
  const int64_t first = upper && bounded ? y + 1 : 0, last = upper && bounded ? most : y;
  if (last - first >= MOST_SUMMED)
    return sl__stan_refuse(call,
                           "the variate is %lld; cumulative distributions of whole numbers "
                           "are evaluated as sums of at most %d probabilities",
                           (long long)y, MOST_SUMMED);
  const sl_node sum = sum_probabilities(call, family, k, first, last);
  *out = upper && !bounded ? sl__maths_log1m_exp(g, op_minimum(g, sum, all)) : sum;
  return SL_OK;
}

sl_status sl__distribution_sum(sl__stan_call *call, const sl__distribution *family, int32_t n) {
  sl__graph *g = sl__stan_graph(call);
  sl_node sum = sl__maths_real(g, 0);
  SL__TRY(sl__stan_count_nodes(call, 20.0 * n));
  for (int32_t k = 0; k < n; k++) {
    sl_node element = 0;
    SL__TRY(sum_element(call, family, k, &element));
    sum = op_add(g, sum, element);
  }
  return sl__distribution_give_cumulative(call, sum);
}
