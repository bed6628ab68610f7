/* Categories 1..K: categorical, categorical_logit, categorical_logit_glm; counts of them:
 * multinomial, multinomial_logit. Many variates with one vector of probabilities are counted, so
 * that each category costs once. */
#include <math.h>

#include "stan/distribution.h"

static sl_status check_categories(sl__stan_call *call, int32_t k) {
  const int64_t *y = sl__stan_integers(call, 0);
  if (!y) return SL_NO_MEMORY;
  for (int64_t i = 0; i < call->argument[0].count; i++)
    if (y[i] < 1 || y[i] > k)
      return sl__stan_refuse_value(call, "variate is %lld, but must be from 1 to %d",
                                   (long long)y[i], k);
  return SL_OK;
}

/* How often each category occurs, [k]. */
static sl_node counts_of(sl__stan_call *call, int32_t k) {
  const int64_t *y = sl__stan_integers(call, 0);
  double *counts = sl__stan_memory(call, (size_t)k, sizeof *counts);
  if (!counts) return 0;
  for (int64_t i = 0; i < call->argument[0].count; i++) counts[y[i] - 1]++;
  return op_constant(sl__stan_graph(call), SL_F64, sl__shape1(k), counts);
}

/* Probabilities: at least 0, summing to 1 within 1e-8. */
static sl_status check_simplex(sl__stan_call *call, int i) {
  SL__TRY(sl__distribution_check(call, i, &(sl__rule){"probability", SL__NOT_NEGATIVE}));
  if (sl__stan_is_known(&call->argument[i])) {
    const double *theta = sl__stan_numbers(call, i);
    double known_sum = 0;
    for (int64_t k = 0; theta && k < call->argument[i].count; k++) known_sum += theta[k];
    if (fabs(known_sum - 1) <= 1e-8) return SL_OK;
    return sl__stan_refuse_value(call, "probabilities must sum to 1");
  }
  sl__graph *g = sl__stan_graph(call);
  const sl_node sum = op_sum_all(g, sl__stan_argument(call, i));
  const sl_node close =
      op_less_equal(g, op_absolute(g, op_shift(g, sum, -1)), sl__maths_real(g, 1e-8));
  return sl__stan_require(call, close, "probabilities must sum to 1");
}

/* One category: its element, of log probabilities or log odds. */
static sl_node pick(sl__stan_call *call, sl_node vector) {
  const int32_t index = (int32_t)(sl__stan_integers(call, 0)[0] - 1);
  return op_element(sl__stan_graph(call), vector, 0, index);
}

static sl_node log_sum(sl__graph *g, sl_node logits) {
  return op_log_sum_exp(g, logits, -1);
}

/* An index drawn, as 1..k. weights [k] */
static sl_status give_index(sl__stan_call *call, int32_t k, const double *weights) {
  return sl__call_give_integer(call, sl__draw_index(call, k, weights) + 1);
}

/* exp(logits - their greatest), [k]; NULL: no memory. */
static double *weights_of(sl__stan_call *call, int i, int32_t k) {
  const double *logits = sl__stan_numbers(call, i);
  double *weights = sl__stan_memory(call, (size_t)k, sizeof *weights);
  double most = -HUGE_VAL;
  for (int32_t j = 0; logits && j < k; j++) most = fmax(most, logits[j]);
  for (int32_t j = 0; logits && weights && j < k; j++) weights[j] = exp(logits[j] - most);
  return logits ? weights : NULL;
}

enum { CATEGORY_WORK = 128 };

/* The vector of a draw or density, which must be there and, for draws, known. */
static sl_status open_vector(sl__stan_call *call, int i, int32_t *k) {
  *k = (int32_t)call->argument[i].count;
  if (*k == 0) return sl__stan_refuse(call, "there are no categories");
  SL__TRY(sl__stan_work(call, CATEGORY_WORK * (double)*k));
  if (call->builtin->role == SL__STAN_RNG && !sl__call_all_known(call))
    return sl__stan_refuse(call, "an argument depends on a parameter; draws are made of known "
                                 "numbers");
  return SL_OK;
}

/* ---- categorical(y | theta): theta[y] ---- */

sl_status sl__stan_build_categorical(sl__stan_call *call) {
  const bool is_draw = call->builtin->role == SL__STAN_RNG;
  const int at = is_draw ? 0 : 1;
  int32_t k;
  SL__TRY(open_vector(call, at, &k));
  SL__TRY(check_simplex(call, at));
  if (is_draw) return give_index(call, k, sl__stan_numbers(call, 0));
  SL__TRY(check_categories(call, k));
  if (call->argument[0].count == 0) return sl__call_give_real(call, 0);
  sl__graph *g = sl__stan_graph(call);
  const sl_node theta = sl__stan_argument(call, 1);
  if (call->argument[0].count == 1) return sl__stan_give_scalar(call, op_log(g, pick(call, theta)));
  return sl__stan_give_scalar(call,
                              op_sum_all(g, sl__density_times_log(g, counts_of(call, k), theta)));
}

/* ---- categorical_logit(y | beta): softmax(beta)[y] ---- */

sl_status sl__stan_build_categorical_logit(sl__stan_call *call) {
  const bool is_draw = call->builtin->role == SL__STAN_RNG;
  const int64_t count = call->argument[0].count;
  int32_t k;
  SL__TRY(open_vector(call, is_draw ? 0 : 1, &k));
  if (is_draw) {
    const double *weights = weights_of(call, 0, k);
    return weights ? give_index(call, k, weights) : SL_NO_MEMORY;
  }
  SL__TRY(check_categories(call, k));
  if (count == 0) return sl__call_give_real(call, 0);
  sl__graph *g = sl__stan_graph(call);
  const sl_node beta = sl__stan_argument(call, 1), all = log_sum(g, beta);
  if (count == 1) return sl__stan_give_scalar(call, op_subtract(g, pick(call, beta), all));
  const sl_node taken = op_sum_all(g, op_multiply(g, counts_of(call, k), beta));
  return sl__stan_give_scalar(call, op_subtract(g, taken, op_scale(g, all, (double)count)));
}

/* ---- categorical_logit_glm(y | x, alpha, beta): categorical_logit(y[n] | row n of x beta + alpha)
 * ---- */

/* x [n,m] beta [m,k] + alpha [k]: [n,k] */
static sl_node logits_of(sl__stan_call *call) {
  sl__graph *g = sl__stan_graph(call);
  const sl_node alpha = sl__stan_argument(call, 2);
  const sl_node x = sl__stan_matrix(call, 1), beta = sl__stan_matrix(call, 3);
  return op_add(g, op_matmul(g, x, beta), alpha);
}

/* The sum over rows of logits of the elements that the variates name. */
static sl_node named_logits(sl__stan_call *call, sl_node logits, int32_t rows, int32_t k) {
  sl__graph *g = sl__stan_graph(call);
  const int64_t *y = sl__stan_integers(call, 0);
  const int32_t count = (int32_t)call->argument[0].count;
  int32_t *index = sl__stan_memory(call, (size_t)count, sizeof *index);
  if (!index) return 0;
  for (int32_t i = 0; i < count; i++) index[i] = (rows > 1 ? i * k : 0) + (int32_t)y[i] - 1;
  const sl_node flat = op_reshape(g, logits, sl__shape1(rows * k));
  return op_sum_all(g, op_gather(g, flat, 0, count, index));
}

sl_status sl__stan_build_categorical_logit_glm(sl__stan_call *call) {
  sl__graph *g = sl__stan_graph(call);
  const sl__stan_value *alpha = &call->argument[2], *beta = &call->argument[3];
  const int64_t count = call->argument[0].count;
  int32_t rows, columns, k;
  SL__TRY(open_vector(call, 2, &k));
  SL__TRY(check_categories(call, k));
  sl__call_rows_columns(&call->argument[1], &rows, &columns);
  if (beta->size[0] != columns || beta->size[1] != k)
    return sl__stan_refuse(call, "the slopes are %d x %d, but must be %d x %d", beta->size[0],
                           beta->size[1], columns, k);
  if (sl__call_is_matrix(&call->argument[1]) && call->argument[0].dims > 0 && count != rows)
    return sl__stan_refuse(call, "there are %lld variates, but %d rows of covariates",
                           (long long)count, rows);
  if (count == 0 || rows == 0) return sl__call_give_real(call, 0);
  if ((int64_t)rows * k > INT32_MAX) return sl__stan_refuse(call, "the sizes are too large");
  if (columns == 0)
    return sl__stan_refuse(call,
                           "there are no covariates; %lld intercepts alone are a "
                           "categorical_logit",
                           (long long)alpha->count);
  if (call->argument[0].dims == 0 && rows > 1)
    return sl__stan_refuse(call, "one variate cannot go with %d rows of covariates", rows);
  const sl_node logits = logits_of(call), all = log_sum(g, logits);
  const sl_node sums = op_scale(g, op_sum_all(g, all), rows > 1 ? 1 : (double)count);
  return sl__stan_give_scalar(call, op_subtract(g, named_logits(call, logits, rows, k), sums));
}

/* ---- multinomial(n | theta): (sum n)! prod_k theta_k^n_k / n_k! ---- */

/* log((sum n)! / prod n!), a known number; *count: the sum. */
static sl_status log_orders(sl__stan_call *call, double *orders, double *count) {
  const int64_t *n = sl__stan_integers(call, 0);
  if (!n) return SL_NO_MEMORY;
  *orders = *count = 0;
  for (int64_t i = 0; i < call->argument[0].count; i++) {
    *orders -= lgamma((double)n[i] + 1);
    *count += (double)n[i];
  }
  *orders += lgamma(*count + 1);
  return SL_OK;
}

/* Counts one by one, each binomial among what is left. */
static sl_status draw_counts(sl__stan_call *call, int32_t k, const double *weights) {
  int64_t left = sl__stan_integers(call, 1)[0];
  int64_t *counts = sl__stan_memory(call, (size_t)k, sizeof *counts);
  double sum = 0;
  if (!counts) return SL_NO_MEMORY;
  if (left < 0) return sl__stan_refuse_value(call, "the total count must be at least 0");
  for (int32_t i = 0; i < k; i++) sum += weights[i];
  for (int32_t i = 0; i < k && left > 0; i++) {
    const double part = sum > 0 ? fmin(weights[i] / sum, 1) : 1;
    counts[i] = i + 1 < k ? (int64_t)sl__draw_binomial(call, (double)left, part) : left;
    left -= counts[i];
    sum -= weights[i];
  }
  return sl__stan_give_integers(call, 1, &k, counts);
}

sl_status sl__stan_build_multinomial(sl__stan_call *call) {
  const bool is_draw = call->builtin->role == SL__STAN_RNG;
  double orders, count;
  int32_t k;
  SL__TRY(open_vector(call, is_draw ? 0 : 1, &k));
  SL__TRY(check_simplex(call, is_draw ? 0 : 1));
  if (is_draw) return draw_counts(call, k, sl__stan_numbers(call, 0));
  SL__TRY(sl__vectors_length(call, 0, "variate", k));
  SL__TRY(sl__distribution_check(call, 0, &(sl__rule){"variate", SL__NOT_NEGATIVE}));
  SL__TRY(log_orders(call, &orders, &count));
  sl__graph *g = sl__stan_graph(call);
  const sl_node terms =
      sl__density_times_log(g, sl__stan_argument(call, 0), sl__stan_argument(call, 1));
  return sl__stan_give_scalar(call, op_shift(g, op_sum_all(g, terms), orders));
}

/* ---- multinomial_logit(n | gamma): multinomial(n | softmax(gamma)) ---- */

sl_status sl__stan_build_multinomial_logit(sl__stan_call *call) {
  const bool is_draw = call->builtin->role == SL__STAN_RNG;
  double orders, count;
  int32_t k;
  SL__TRY(open_vector(call, is_draw ? 0 : 1, &k));
  if (is_draw) {
    const double *weights = weights_of(call, 0, k);
    return weights ? draw_counts(call, k, weights) : SL_NO_MEMORY;
  }
  SL__TRY(sl__vectors_length(call, 0, "variate", k));
  SL__TRY(sl__distribution_check(call, 0, &(sl__rule){"variate", SL__NOT_NEGATIVE}));
  SL__TRY(log_orders(call, &orders, &count));
  sl__graph *g = sl__stan_graph(call);
  const sl_node logits = sl__stan_argument(call, 1);
  const sl_node taken = op_sum_all(g, op_multiply(g, sl__stan_argument(call, 0), logits));
  const sl_node all = op_scale(g, log_sum(g, logits), count);
  return sl__stan_give_scalar(call, op_shift(g, op_subtract(g, taken, all), orders));
}
