/* Products over an integer's range: falling and rising factorials, binomial coefficients of
 * integers, and the multivariate gamma function. For nodes the integer is known: the products are
 * written out, as far as the largest integer goes. */
#include "stan/functions.h"

#include <math.h>

#define LOG_PI 1.14472988584940017414

static double falling_number(double x, double n) {
  double product = 1;
  for (double k = 0; k < n; k++) product *= x - k;
  return product;
}

static double rising_number(double x, double n) {
  double product = 1;
  for (double k = 0; k < n; k++) product *= x + k;
  return product;
}

/* Exact as far as the result is an int; beyond, it ends early. */
static double choose_number(double n, double k) {
  if (k < 0 || k > n) return 0;
  double product = 1;
  k = fmin(k, n - k);
  for (double i = 1; i <= k && product < 1e15; i++) product = product * (n - k + i) / i;
  return round(product);
}

static double lmgamma_number(double n, double x) {
  double sum = 0.25 * n * (n - 1) * LOG_PI;
  for (double j = 0; j < n; j++) sum += lgamma(x - 0.5 * j);
  return sum;
}

enum { MOST_FACTORS = 100000 };

/* An integer result of two integer arguments, broadcast. */
static sl_status integers_of_two(sl__stan_call *call, double (*number)(double, double)) {
  int widest;
  SL__TRY(sl__call_widest(call, &widest));
  const sl__stan_value *a = &call->argument[0], *b = &call->argument[1];
  const sl__stan_value *like = &call->argument[widest];
  int64_t *out = sl__stan_memory(call, (size_t)like->count, sizeof *out);
  if (!out) return SL_NO_MEMORY;
  for (int64_t k = 0; k < like->count; k++) {
    const int64_t x = a->integers[a->dims > 0 ? k : 0], n = b->integers[b->dims > 0 ? k : 0];
    if (n < 0)
      return sl__stan_refuse(call, "argument 2 is %lld, but must not be negative", (long long)n);
    if (n > MOST_FACTORS && number != choose_number)
      return sl__stan_refuse(call, "%lld factors; at most %d are multiplied", (long long)n,
                             MOST_FACTORS);
    SL__TRY(sl__stan_work(call, (double)n));
    const double value = number((double)x, (double)n);
    if (!(fabs(value) < 2147483648.0))
      return sl__stan_refuse(call, "the result for %lld and %lld is not in the range of integers",
                             (long long)x, (long long)n);
    out[k] = (int64_t)value;
  }
  return sl__stan_give_integers(call, like->dims, like->size, out);
}

/* The largest of known integers, which decides how many factors are written out. */
static sl_status largest(sl__stan_call *call, int i, int64_t *most) {
  const int64_t *n = sl__stan_integers(call, i);
  if (!n) return SL_NO_MEMORY;
  *most = 0;
  for (int64_t k = 0; k < call->argument[i].count; k++) {
    if (n[k] < 0)
      return sl__stan_refuse(call, "argument %d is %lld, but must not be negative", i + 1,
                             (long long)n[k]);
    if (n[k] > MOST_FACTORS)
      return sl__stan_refuse(call, "%lld factors; at most %d are written out", (long long)n[k],
                             MOST_FACTORS);
    *most = n[k] > *most ? n[k] : *most;
  }
  return SL_OK;
}

/* Each element multiplies so many factors at most, or adds as many logarithms. */
static sl_status work_of_factors(sl__stan_call *call, int64_t most) {
  enum { FACTOR_WORK = 32 };
  const int64_t a = call->argument[0].count, b = call->argument[1].count;
  return sl__stan_work(call, FACTOR_WORK * (double)most * (double)(a > b ? a : b));
}

static sl_status build_factorial(sl__stan_call *call, double (*number)(double, double),
                                 double step) {
  if (sl__call_is_integers(&call->argument[0]) && sl__call_is_integers(&call->argument[1]))
    return integers_of_two(call, number);
  int64_t most;
  SL__TRY(largest(call, 1, &most));
  if (sl__call_all_known(call)) {
    SL__TRY(work_of_factors(call, most));
    return sl__call_binary(call, number, NULL);
  }
  int widest;
  SL__TRY(sl__call_widest(call, &widest));
  SL__TRY(sl__stan_count_nodes(call, 5.0 * (double)most));
  sl__graph *g = sl__stan_graph(call);
  const sl_node x = sl__stan_argument(call, 0), n = sl__stan_argument(call, 1);
  const sl_node one = sl__maths_real(g, 1);
  sl_node product = op_add(g, one, op_scale(g, n, 0)); /* ones of the result's shape */
  for (int64_t k = 0; k < most; k++) {
    const sl_node counts = op_less(g, sl__maths_real(g, (double)k), n);
    product = op_multiply(g, product, op_select(g, counts, op_shift(g, x, step * (double)k), one));
  }
  const sl__stan_value *like = &call->argument[widest];
  if (like->dims > 0) product = op_broadcast(g, product, sl__shape1((int32_t)like->count));
  return sl__call_give_node(call, like->dims, like->size, product);
}

sl_status sl__stan_build_falling_factorial(sl__stan_call *call) {
  return build_factorial(call, falling_number, -1);
}
sl_status sl__stan_build_rising_factorial(sl__stan_call *call) {
  return build_factorial(call, rising_number, 1);
}
sl_status sl__stan_build_choose(sl__stan_call *call) {
  return integers_of_two(call, choose_number);
}

/* lmgamma(n, x) = n (n - 1) / 4 log(pi) + sum of lgamma(x - j / 2), j < n. */
sl_status sl__stan_build_lmgamma(sl__stan_call *call) {
  int64_t most;
  int widest;
  SL__TRY(largest(call, 0, &most));
  if (sl__call_all_known(call)) {
    SL__TRY(work_of_factors(call, most));
    return sl__call_binary(call, lmgamma_number, NULL);
  }
  SL__TRY(sl__call_widest(call, &widest));
  SL__TRY(sl__stan_count_nodes(call, 5.0 * (double)most));
  sl__graph *g = sl__stan_graph(call);
  const sl_node n = sl__stan_argument(call, 0), x = sl__stan_argument(call, 1);
  const sl_node two = sl__maths_real(g, 2); /* lgamma(2) = 0 */
  sl_node sum = op_scale(g, op_multiply(g, n, op_shift(g, n, -1)), 0.25 * LOG_PI);
  for (int64_t j = 0; j < most; j++) {
    const sl_node counts = op_less(g, sl__maths_real(g, (double)j), n);
    const sl_node shifted = op_shift(g, x, -0.5 * (double)j);
    sum = op_add(g, sum, op_lgamma(g, op_select(g, counts, shifted, two)));
  }
  const sl__stan_value *like = &call->argument[widest];
  if (like->dims > 0) sum = op_broadcast(g, sum, sl__shape1((int32_t)like->count));
  return sl__call_give_node(call, like->dims, like->size, sum);
}
