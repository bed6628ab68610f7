/* Reductions of a container to a number: sums, products, extremes, moments, norms, mixtures. */
#include "stan/functions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A function of n known numbers, and of a flat node of n. */
typedef double reduce_numbers(const double *x, int64_t n);
typedef sl_node reduce_node(sl__graph *g, sl_node a, int32_t n);

static sl_status reduce(sl__stan_call *call, reduce_numbers *numbers, reduce_node *node) {
  const sl__stan_value *a = &call->argument[0];
  if (sl__stan_is_known(a)) SL__TRY(sl__stan_work(call, 4 * (double)a->count));
  if (a->count == 0 || sl__stan_is_known(a)) {
    const double *x = sl__stan_numbers(call, 0);
    return x ? sl__call_give_real(call, numbers(x, a->count)) : SL_NO_MEMORY;
  }
  sl__graph *g = sl__stan_graph(call);
  const sl_node flat = op_reshape(g, sl__stan_argument(call, 0), sl__shape1((int32_t)a->count));
  return sl__stan_give_scalar(call, node(g, flat, (int32_t)a->count));
}

/* ---- sums and products ---- */

static double sum_numbers(const double *x, int64_t n) {
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += x[k];
  return sum;
}
static sl_node sum_node(sl__graph *g, sl_node a, int32_t n) {
  (void)n;
  return op_sum(g, a, 0);
}

static double product_numbers(const double *x, int64_t n) {
  double product = 1;
  for (int64_t k = 0; k < n; k++) product *= x[k];
  return product;
}
/* Halves multiplied elementwise: as many steps as the logarithm of the length. */
static sl_node product_node(sl__graph *g, sl_node a, int32_t n) {
  while (n > 1) {
    const int32_t half = n / 2;
    const sl_node pairs =
        op_multiply(g, op_slice(g, a, 0, 0, half, 1), op_slice(g, a, 0, half, half, 1));
    const sl_node parts[2] = {pairs, n % 2 ? op_slice(g, a, 0, n - 1, 1, 1) : 0};
    a = op_concatenate(g, 1 + n % 2, parts, 0);
    n = half + n % 2;
  }
  return op_reshape(g, a, sl__scalar_shape());
}

/* Whether an integer result is still in the range of Stan's int. */
static bool is_int(int64_t value) {
  return value >= -2147483648LL && value <= 2147483647LL;
}

static sl_status integer_sum(sl__stan_call *call, bool product) {
  const sl__stan_value *a = &call->argument[0];
  SL__TRY(sl__stan_work(call, 4 * (double)a->count));
  int64_t total = product;
  for (int64_t k = 0; k < a->count; k++) {
    total = product ? total * a->integers[k] : total + a->integers[k];
    if (!is_int(total)) return sl__stan_refuse(call, "the result is not in the range of integers");
  }
  return sl__call_give_integer(call, total);
}

sl_status sl__stan_build_sum(sl__stan_call *call) {
  if (sl__call_is_integers(&call->argument[0])) return integer_sum(call, false);
  return reduce(call, sum_numbers, sum_node);
}
sl_status sl__stan_build_prod(sl__stan_call *call) {
  if (sl__call_is_integers(&call->argument[0])) return integer_sum(call, true);
  return reduce(call, product_numbers, product_node);
}

/* ---- extremes ---- */

static double max_numbers(const double *x, int64_t n) {
  double most = -INFINITY;
  for (int64_t k = 0; k < n; k++) most = isnan(x[k]) || x[k] > most ? x[k] : most;
  return most;
}
static double min_numbers(const double *x, int64_t n) {
  double least = INFINITY;
  for (int64_t k = 0; k < n; k++) least = isnan(x[k]) || x[k] < least ? x[k] : least;
  return least;
}
static sl_node max_node(sl__graph *g, sl_node a, int32_t n) {
  (void)n;
  return op_max(g, a, 0);
}
static sl_node min_node(sl__graph *g, sl_node a, int32_t n) {
  (void)n;
  return op_negate(g, op_max(g, op_negate(g, a), 0));
}

static sl_status integer_extreme(sl__stan_call *call, int sign) {
  int64_t best = 0, seen = 0;
  for (int i = 0; i < call->count; i++) {
    for (int64_t k = 0; k < call->argument[i].count; k++) {
      const int64_t value = call->argument[i].integers[k];
      if (seen++ == 0 || sign * value > sign * best) best = value;
    }
  }
  if (seen == 0) return sl__stan_refuse(call, "an array of int without elements has none");
  return sl__call_give_integer(call, best);
}

sl_status sl__stan_build_max(sl__stan_call *call) {
  if (sl__call_is_integers(&call->argument[0])) return integer_extreme(call, 1);
  return reduce(call, max_numbers, max_node);
}
sl_status sl__stan_build_min(sl__stan_call *call) {
  if (sl__call_is_integers(&call->argument[0])) return integer_extreme(call, -1);
  return reduce(call, min_numbers, min_node);
}

/* ---- moments ---- */

static double mean_numbers(const double *x, int64_t n) {
  return sum_numbers(x, n) / (double)n;
}
static sl_node mean_node(sl__graph *g, sl_node a, int32_t n) {
  return op_scale(g, op_sum(g, a, 0), 1.0 / n);
}
static double variance_numbers(const double *x, int64_t n) {
  if (n == 1) return 0;
  const double mean = mean_numbers(x, n);
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += (x[k] - mean) * (x[k] - mean);
  return sum / (double)(n - 1);
}
static sl_node variance_node(sl__graph *g, sl_node a, int32_t n) {
  if (n == 1) return sl__maths_real(g, 0);
  const sl_node distance = op_subtract(g, a, mean_node(g, a, n));
  return op_scale(g, op_sum(g, op_square(g, distance), 0), 1.0 / (n - 1));
}
static double sd_numbers(const double *x, int64_t n) {
  return sqrt(variance_numbers(x, n));
}
static sl_node sd_node(sl__graph *g, sl_node a, int32_t n) {
  return sl__maths_root(g, variance_node(g, a, n));
}

/* A moment of nothing is refused, as in Stan. */
static sl_status moment(sl__stan_call *call, reduce_numbers *numbers, reduce_node *node) {
  if (call->argument[0].count == 0)
    return sl__stan_refuse(call, "a container without elements has none");
  return reduce(call, numbers, node);
}
sl_status sl__stan_build_mean(sl__stan_call *call) {
  return moment(call, mean_numbers, mean_node);
}
sl_status sl__stan_build_variance(sl__stan_call *call) {
  return moment(call, variance_numbers, variance_node);
}
sl_status sl__stan_build_sd(sl__stan_call *call) {
  return moment(call, sd_numbers, sd_node);
}

/* ---- norms ---- */

static double norm1_numbers(const double *x, int64_t n) {
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += fabs(x[k]);
  return sum;
}
static sl_node norm1_node(sl__graph *g, sl_node a, int32_t n) {
  (void)n;
  return op_sum(g, op_absolute(g, a), 0);
}
static double dot_self_numbers(const double *x, int64_t n) {
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += x[k] * x[k];
  return sum;
}
static sl_node dot_self_node(sl__graph *g, sl_node a, int32_t n) {
  (void)n;
  return op_sum(g, op_square(g, a), 0);
}
static double norm2_numbers(const double *x, int64_t n) {
  return sqrt(dot_self_numbers(x, n));
}
static sl_node norm2_node(sl__graph *g, sl_node a, int32_t n) {
  return sl__maths_root(g, dot_self_node(g, a, n));
}
sl_status sl__stan_build_norm1(sl__stan_call *call) {
  return reduce(call, norm1_numbers, norm1_node);
}
sl_status sl__stan_build_norm2(sl__stan_call *call) {
  return reduce(call, norm2_numbers, norm2_node);
}
sl_status sl__stan_build_dot_self(sl__stan_call *call) {
  return reduce(call, dot_self_numbers, dot_self_node);
}

/* ---- of two containers of one length; row and column vectors may meet ---- */

typedef double reduce_pair(double a, double b);
typedef sl_node reduce_pair_node(sl__graph *g, sl_node a, sl_node b);

/* The sum of a function of pairs, then `last` of it (a square root) unless NULL. */
static sl_status reduce_two(sl__stan_call *call, reduce_pair *number, reduce_pair_node *node,
                            bool root) {
  const sl__stan_value *a = &call->argument[0], *b = &call->argument[1];
  if (a->count != b->count)
    return sl__stan_refuse(call, "arguments of %lld and %lld elements", (long long)a->count,
                           (long long)b->count);
  if (a->count == 0 || sl__call_all_known(call)) {
    SL__TRY(sl__stan_work(call, 4 * (double)a->count));
    const double *x = sl__stan_numbers(call, 0), *y = sl__stan_numbers(call, 1);
    if (!x || !y) return SL_NO_MEMORY;
    double sum = 0;
    for (int64_t k = 0; k < a->count; k++) sum += number(x[k], y[k]);
    return sl__call_give_real(call, root ? sqrt(sum) : sum);
  }
  sl__graph *g = sl__stan_graph(call);
  const sl_node x = sl__stan_argument(call, 0), y = sl__stan_argument(call, 1);
  const sl_node sum = op_sum_all(g, node(g, x, y));
  return sl__stan_give_scalar(call, root ? sl__maths_root(g, sum) : sum);
}

static double times(double a, double b) {
  return a * b;
}
static double squared_difference(double a, double b) {
  return (a - b) * (a - b);
}
static sl_node squared_difference_node(sl__graph *g, sl_node a, sl_node b) {
  return op_square(g, op_subtract(g, a, b));
}
sl_status sl__stan_build_dot_product(sl__stan_call *call) {
  return reduce_two(call, times, op_multiply, false);
}
sl_status sl__stan_build_squared_distance(sl__stan_call *call) {
  return reduce_two(call, squared_difference, squared_difference_node, false);
}
sl_status sl__stan_build_distance(sl__stan_call *call) {
  return reduce_two(call, squared_difference, squared_difference_node, true);
}

/* ---- products of rows or columns ---- */

/* Sums over the rows (a row vector of columns) or over the columns of a .* b; b may be a. */
static sl_status dots(sl__stan_call *call, int other, bool over_rows) {
  const sl__stan_value *a = &call->argument[0], *b = &call->argument[other];
  int32_t rows, columns, b_rows, b_columns;
  sl__call_rows_columns(a, &rows, &columns);
  sl__call_rows_columns(b, &b_rows, &b_columns);
  if (rows != b_rows || columns != b_columns)
    return sl__stan_refuse(call, "[%d,%d] against [%d,%d]", rows, columns, b_rows, b_columns);
  const int32_t size = over_rows ? columns : rows;
  if (a->count == 0) return sl__call_give_filled(call, 1, &size, 0);
  sl__graph *g = sl__stan_graph(call);
  const sl_node x = sl__stan_matrix(call, 0), y = sl__stan_matrix(call, other);
  return sl__call_give_node(call, 1, &size, op_sum(g, op_multiply(g, x, y), over_rows ? 0 : 1));
}
sl_status sl__stan_build_columns_dot_product(sl__stan_call *call) {
  return dots(call, 1, true);
}
sl_status sl__stan_build_columns_dot_self(sl__stan_call *call) {
  return dots(call, 0, true);
}
sl_status sl__stan_build_rows_dot_product(sl__stan_call *call) {
  return dots(call, 1, false);
}
sl_status sl__stan_build_rows_dot_self(sl__stan_call *call) {
  return dots(call, 0, false);
}

/* ---- mixtures ---- */

static double log_sum_exp_numbers(const double *x, int64_t n) {
  const double most = max_numbers(x, n);
  double sum = 0;
  if (!isfinite(most)) return most;
  for (int64_t k = 0; k < n; k++) sum += exp(x[k] - most);
  return most + log(sum);
}
static sl_node log_sum_exp_node(sl__graph *g, sl_node a, int32_t n) {
  (void)n;
  return op_log_sum_exp(g, a, 0);
}
sl_status sl__stan_build_log_sum_exp(sl__stan_call *call) {
  if (call->count == 1) return reduce(call, log_sum_exp_numbers, log_sum_exp_node);
  return sl__call_binary(call, sl__number_log_sum_exp, sl__maths_log_sum_exp);
}

static double log_mix_number(double theta, double a, double b) {
  return sl__number_log_sum_exp(log(theta) + a, log1p(-theta) + b);
}

/* log_mix(theta, densities): densities [K], or N arrays of [K], which are added up. */
sl_status sl__stan_build_log_mix(sl__stan_call *call) {
  if (call->count == 3) return sl__call_ternary(call, log_mix_number, sl__maths_log_mix);
  const sl__stan_value *theta = &call->argument[0], *a = &call->argument[1];
  const bool many = a->type.arrays > 0 && a->type.base != SL__STAN_REAL_TYPE;
  const int32_t rows = many ? a->size[0] : 1, columns = a->size[a->dims - 1];
  if (a->count == 0 && rows == 0) return sl__call_give_real(call, 0);
  if (columns != theta->count || columns == 0)
    return sl__stan_refuse(call, "%lld mixing proportions for %d densities",
                           (long long)theta->count, columns);
  sl__graph *g = sl__stan_graph(call);
  const sl_node densities = op_reshape(g, sl__stan_argument(call, 1), sl__shape2(rows, columns));
  const sl_node weighted = op_add(g, densities, op_log(g, sl__stan_argument(call, 0)));
  return sl__stan_give_scalar(call, op_sum_all(g, op_log_sum_exp(g, weighted, 1)));
}

/* ---- quantiles of known numbers: linear between order statistics, position p (n - 1) ---- */

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

sl_status sl__stan_build_quantile(sl__stan_call *call) {
  const sl__stan_value *a = &call->argument[0], *p = &call->argument[1];
  if (!sl__call_all_known(call)) return sl__stan_refuse(call, "an argument depends on a parameter");
  if (a->count == 0) return sl__stan_refuse(call, "a container without elements has none");
  const double *x = sl__stan_numbers(call, 0), *at = sl__stan_numbers(call, 1);
  double *sorted = sl__stan_memory(call, (size_t)a->count, sizeof *sorted);
  double *out = sl__stan_memory(call, (size_t)p->count, sizeof *out);
  if (!x || !at || !sorted || !out) return SL_NO_MEMORY;
  SL__TRY(sl__stan_work(call, sl__call_sorting_work(a->count)));
  for (int64_t k = 0; k < a->count; k++) {
    if (isnan(x[k]))
      return sl__stan_refuse_value(call, "element %lld is not a number", (long long)k + 1);
  }
  memcpy(sorted, x, (size_t)a->count * sizeof *sorted);
  qsort(sorted, (size_t)a->count, sizeof *sorted, ascending);
  for (int64_t k = 0; k < p->count; k++) {
    if (!(at[k] >= 0 && at[k] <= 1))
      return sl__stan_refuse_value(call, "a probability of %g; it must be from 0 to 1", at[k]);
    const double position = at[k] * (double)(a->count - 1), below = floor(position);
    const int64_t i = (int64_t)below, j = i + 1 < a->count ? i + 1 : i;
    out[k] = sorted[i] + (position - below) * (sorted[j] - sorted[i]);
  }
  return sl__call_give_doubles(call, p->dims, p->size, out);
}
