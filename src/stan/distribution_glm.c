/* Generalised linear models: y given a matrix x of covariates, intercepts alpha and slopes beta.
 * Each is the density of the distribution of y at the linear predictor eta = x beta + alpha.
 *
 * Where x does not depend on parameters, as usual, eta of all particles is one matrix product. */
#include "stan/distribution.h"

/* A family's argument `predictor` is replaced by x, alpha and beta. */
typedef struct linear_model {
  const sl__distribution *family;
  int predictor;
  sl_status (*draw)(sl__stan_call *call);
} linear_model;

/* n, the number of elements: rows of x, or the variate's if x is one row. */
static sl_status sizes_of(sl__stan_call *call, int at, int32_t *n) {
  const sl__stan_value *x = &call->argument[at], *beta = &call->argument[at + 2];
  int32_t rows, columns;
  sl__call_rows_columns(x, &rows, &columns);
  if (beta->count != columns)
    return sl__stan_refuse(call, "there are %lld slopes, but %d columns of covariates",
                           (long long)beta->count, columns);
  *n = rows;
  for (int i = 0; i < call->count; i++) {
    const sl__stan_value *value = &call->argument[i];
    if (i == at || i == at + 2 || value->dims == 0) continue;
    if (*n == 1 && !sl__call_is_matrix(x)) *n = (int32_t)value->count;
    if (value->count != *n)
      return sl__stan_refuse(call, "argument %d has %lld elements, but must have %d", i + 1,
                             (long long)value->count, *n);
  }
  return SL_OK;
}

/* x beta + alpha: [n], or [] of one row. */
static sl_node predictor_of(sl__stan_call *call, int at) {
  sl__graph *g = sl__stan_graph(call);
  const sl__stan_value *x = &call->argument[at];
  const sl_node alpha = sl__stan_argument(call, at + 1);
  if (x->count == 0) return alpha;
  const sl_node slopes = sl__stan_argument(call, at + 2);
  if (!sl__call_is_matrix(x))
    return op_add(g, op_sum_all(g, op_multiply(g, sl__stan_argument(call, at), slopes)), alpha);
  const sl_node matrix = sl__stan_matrix(call, at);
  const sl_node product = matrix && !sl__node_batched(g, matrix)
                              ? op_linear(g, matrix, 0, slopes, NULL)
                              : op_matmul(g, matrix, slopes);
  return op_add(g, product, alpha);
}

static sl_status build_density(sl__stan_call *call, const linear_model *model) {
  const int at = model->predictor;
  int32_t n;
  SL__TRY(sizes_of(call, at, &n));
  for (int i = 0; i < call->count - 2; i++) {
    if (i == at) continue;
    SL__TRY(sl__distribution_check(call, i < at ? i : i + 2, &model->family->rule[i]));
  }
  if (n == 0) return sl__call_give_real(call, 0);
  if (model->family->check) SL__TRY(model->family->check(call));
  sl__elements e = {.call = call, .g = sl__stan_graph(call), .n = n};
  for (int i = 0; i < call->count - 2; i++)
    e.x[i] = i == at ? predictor_of(call, at) : sl__stan_argument(call, i < at ? i : i + 2);
  model->family->density(&e);
  return sl__density_give(&e);
}

/* A draw has no variate: its arguments are x, alpha, beta. */
static sl_status draw_bernoulli(sl__stan_call *call) {
  int32_t rows, columns;
  if (!sl__call_all_known(call))
    return sl__stan_refuse(call, "an argument depends on a parameter; draws are made of known "
                                 "numbers");
  SL__TRY(sizes_of(call, 0, &rows));
  if (rows == 0) return sl__call_give_empty(call, 1, &rows);
  int32_t x_rows;
  sl__call_rows_columns(&call->argument[0], &x_rows, &columns);
  int64_t *draw = sl__stan_memory(call, (size_t)rows, sizeof *draw);
  const double *x = sl__stan_numbers(call, 0), *beta = sl__stan_numbers(call, 2);
  if (!draw || !x || !beta) return SL_NO_MEMORY;
  for (int32_t i = 0; i < rows; i++) {
    double eta = sl__element_of(call, 1, i);
    const double *row = x_rows > 1 ? x + (int64_t)i * columns : x;
    for (int32_t j = 0; j < columns; j++) eta += row[j] * beta[j];
    draw[i] = (int64_t)sl__distribution_bernoulli_logit.draw(call, &eta);
  }
  return sl__stan_give_integers(call, 1, &rows, draw);
}

static sl_status build(sl__stan_call *call, const linear_model *model) {
  if (call->builtin->role != SL__STAN_RNG) return build_density(call, model);
  return model->draw ? model->draw(call) : sl__distribution_refuse(call);
}

#define LINEAR_MODEL(name, family, predictor, draw)                                  \
  sl_status sl__stan_build_##name(sl__stan_call *call) {                             \
    static const linear_model model = {&sl__distribution_##family, predictor, draw}; \
    return build(call, &model);                                                      \
  }

LINEAR_MODEL(bernoulli_logit_glm, bernoulli_logit, 1, draw_bernoulli)
LINEAR_MODEL(binomial_logit_glm, binomial_logit, 2, NULL)
LINEAR_MODEL(poisson_log_glm, poisson_log, 1, NULL)
LINEAR_MODEL(neg_binomial_2_log_glm, neg_binomial_2_log, 1, NULL)
LINEAR_MODEL(normal_id_glm, normal, 1, NULL)
