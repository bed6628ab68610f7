/* Ordered categories 1..K between cut points c: ordered_logistic, ordered_logistic_glm,
 * ordered_probit. P(y = k) = F(c_k - eta) - F(c_{k-1} - eta), F being inv_logit or Phi, c_0 and c_K
 * being infinite. The ends are logarithms of one F, what lies between of a difference that does not
 * cancel. */
#include <math.h>

#include "stan/distribution.h"

/* The variates of one kind. first: 1, last: K, middle: between. */
typedef enum place { FIRST, MIDDLE, LAST, PLACES } place;

typedef struct ordered {
  sl__stan_call *call;
  sl__graph *g;
  int32_t n, k;           /* elements, categories */
  bool own_cuts;          /* each element has cut points of its own */
  sl_node eta;            /* [] or [n] */
  sl_node cuts;           /* flat: [k - 1] or [n (k - 1)] */
  int32_t *element;       /* [n]: elements of the place at hand */
  int32_t *above, *below; /* [n]: their cut points */
  int32_t count;
} ordered;

static int64_t category(const ordered *o, int32_t i) {
  return sl__stan_integers(o->call, 0)[o->call->argument[0].dims ? i : 0];
}

static void list_elements(ordered *o, place where) {
  o->count = 0;
  for (int32_t i = 0; i < o->n; i++) {
    const int64_t y = category(o, i);
    const place at = y == 1 ? FIRST : y == o->k ? LAST : MIDDLE;
    if (at != where) continue;
    const int32_t start = o->own_cuts ? i * (o->k - 1) : 0;
    o->element[o->count] = i;
    o->above[o->count] = start + (int32_t)(where == LAST ? 0 : y - 1);
    o->below[o->count++] = start + (int32_t)(where == FIRST ? 0 : y - 2);
  }
}

static sl_node eta_of(const ordered *o) {
  if (sl__node_shape(o->g, o->eta).dims == 0) return o->eta;
  return op_gather(o->g, o->eta, 0, o->count, o->element);
}

/* Cut points less eta, of the listed elements. */
static sl_node distance(const ordered *o, const int32_t *index) {
  return op_subtract(o->g, op_gather(o->g, o->cuts, 0, o->count, index), eta_of(o));
}

/* inv_logit(a) - inv_logit(b) = inv_logit(a) (1 - inv_logit(b)) (1 - exp(b - a)) */
static sl_node logit_between(sl__graph *g, sl_node a, sl_node b, sl_node gap) {
  const sl_node ends = op_add(g, sl__maths_log_inv_logit(g, a), sl__maths_log1m_inv_logit(g, b));
  return op_add(g, ends, sl__maths_log1m_exp(g, op_negate(g, gap)));
}

/* Phi(a) - Phi(b), taken in whichever tail is the thinner. */
static sl_node probit_between(sl__graph *g, sl_node a, sl_node b) {
  const sl_node upper = op_less(g, sl__maths_real(g, 0), op_add(g, a, b));
  const sl_node more = op_select(g, upper, op_negate(g, b), a);
  const sl_node less = op_select(g, upper, op_negate(g, a), b);
  return sl__maths_log_diff_exp(g, sl__maths_log_phi(g, more), sl__maths_log_phi(g, less));
}

static sl_node middle_terms(const ordered *o, bool probit) {
  sl__graph *g = o->g;
  const sl_node a = distance(o, o->above), b = distance(o, o->below);
  if (probit) return probit_between(g, a, b);
  const sl_node gap = op_subtract(g, op_gather(g, o->cuts, 0, o->count, o->above),
                                  op_gather(g, o->cuts, 0, o->count, o->below));
  return logit_between(g, a, b, gap);
}

static sl_node end_terms(const ordered *o, place where, bool probit) {
  sl__graph *g = o->g;
  const sl_node a = distance(o, where == FIRST ? o->above : o->below);
  const sl_node x = where == FIRST ? a : op_negate(g, a);
  return probit ? sl__maths_log_phi(g, x) : sl__maths_log_inv_logit(g, x);
}

static sl_node sum_terms(ordered *o, bool probit) {
  sl__graph *g = o->g;
  sl_node sum = sl__maths_real(g, 0);
  for (place where = FIRST; where < PLACES; where++) {
    list_elements(o, where);
    if (o->count == 0) continue;
    const sl_node terms = where == MIDDLE ? middle_terms(o, probit) : end_terms(o, where, probit);
    sum = op_add(g, sum, op_sum_all(g, terms));
  }
  return sum;
}

/* Cut points must rise. */
static sl_status check_cuts(const ordered *o) {
  sl__graph *g = o->g;
  const int32_t cuts = o->k - 1;
  if (cuts < 2) return SL_OK;
  sl_node rows = o->own_cuts ? op_reshape(g, o->cuts, sl__shape2(o->n, cuts)) : o->cuts;
  const sl_node low = op_slice(g, rows, -1, 0, cuts - 1, 1);
  const sl_node high = op_slice(g, rows, -1, 1, cuts - 1, 1);
  return sl__stan_require(o->call, op_less(g, low, high), "cut points must rise");
}

static sl_status check_categories(const ordered *o) {
  for (int32_t i = 0; i < o->n; i++)
    if (category(o, i) < 1 || category(o, i) > o->k)
      return sl__stan_refuse_value(o->call, "variate is %lld, but must be from 1 to %d",
                                   (long long)category(o, i), o->k);
  return SL_OK;
}

/* cuts: which argument. n: how many elements eta and the variate make. */
static sl_status open_ordered(sl__stan_call *call, int cuts, int32_t n, sl_node eta, ordered *o) {
  const sl__vectors c = sl__vectors_of(&call->argument[cuts]);
  *o = (ordered){.call = call, .g = sl__stan_graph(call), .n = n, .k = c.k + 1, .eta = eta};
  o->own_cuts = c.is_array;
  if (c.k == 0) return sl__stan_refuse(call, "there are no cut points");
  if (c.is_array && c.rows != n)
    return sl__stan_refuse(call, "there are %d vectors of cut points, but %d elements", c.rows, n);
  if (!o->eta || (int64_t)n * c.k > INT32_MAX)
    return sl__stan_refuse(call, "the sizes are too large");
  o->cuts = sl__stan_argument(call, cuts);
  o->element = sl__stan_memory(call, (size_t)n, sizeof *o->element);
  o->above = sl__stan_memory(call, (size_t)n, sizeof *o->above);
  o->below = sl__stan_memory(call, (size_t)n, sizeof *o->below);
  if (!o->element || !o->above || !o->below) return SL_NO_MEMORY;
  SL__TRY(check_categories(o));
  return check_cuts(o);
}

/* The category of a draw of the underlying number, eta + noise, among known cut points. */
static sl_status draw(sl__stan_call *call, bool probit) {
  if (!sl__call_all_known(call))
    return sl__stan_refuse(call, "an argument depends on a parameter; draws are made of known "
                                 "numbers");
  const double *cuts = sl__stan_numbers(call, 1), *eta = sl__stan_numbers(call, 0);
  if (!cuts || !eta) return SL_NO_MEMORY;
  const double u = probit ? 0 : sl__stan_uniform(call);
  const double noise = probit ? sl__stan_normal(call) : log(u) - log1p(-u);
  int64_t y = 1;
  while (y <= call->argument[1].count && eta[0] + noise > cuts[y - 1]) y++;
  return sl__call_give_integer(call, y);
}

static sl_status build(sl__stan_call *call, bool probit) {
  const sl__stan_value *y = &call->argument[0], *eta = &call->argument[1];
  ordered o;
  if (call->builtin->role == SL__STAN_RNG) return draw(call, probit);
  if (y->dims > 0 && eta->dims > 0 && y->count != eta->count)
    return sl__stan_refuse(call, "there are %lld variates, but %lld locations", (long long)y->count,
                           (long long)eta->count);
  const int64_t n = y->dims > 0 ? y->count : eta->count;
  if (n == 0) return sl__call_give_real(call, 0);
  SL__TRY(open_ordered(call, 2, (int32_t)n, sl__stan_argument(call, 1), &o));
  return sl__stan_give_scalar(call, sum_terms(&o, probit));
}

sl_status sl__stan_build_ordered_logistic(sl__stan_call *call) {
  return build(call, false);
}

sl_status sl__stan_build_ordered_probit(sl__stan_call *call) {
  return build(call, true);
}

/* ordered_logistic_glm(y | x, beta, c): eta = x beta. */
sl_status sl__stan_build_ordered_logistic_glm(sl__stan_call *call) {
  sl__graph *g = sl__stan_graph(call);
  const sl__stan_value *y = &call->argument[0], *beta = &call->argument[2];
  int32_t rows, columns;
  ordered o;
  sl__call_rows_columns(&call->argument[1], &rows, &columns);
  if (beta->count != columns || columns == 0)
    return sl__stan_refuse(call, "there are %lld slopes, but %d columns of covariates",
                           (long long)beta->count, columns);
  if (rows > 1 && y->dims > 0 && y->count != rows)
    return sl__stan_refuse(call, "there are %lld variates, but %d rows of covariates",
                           (long long)y->count, rows);
  const int64_t n = rows == 1 && y->dims > 0 ? y->count : rows;
  if (n == 0) return sl__call_give_real(call, 0);
  sl_node eta = op_matmul(g, sl__stan_matrix(call, 1), sl__stan_argument(call, 2));
  if (rows == 1) eta = op_reshape(g, eta, sl__scalar_shape());
  SL__TRY(open_ordered(call, 3, (int32_t)n, eta, &o));
  return sl__stan_give_scalar(call, sum_terms(&o, false));
}
