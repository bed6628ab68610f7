/* The driver of distributions of scalars: sizes, checks, sums, cumulative distributions, draws.
 *
 * A density is the sum over elements of its terms. A cumulative distribution is built by its
 * logarithm, whose exponential is taken for _cdf alone. */
#include "stan/distribution.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

/* ---- checks ---- */

static const char *domain_text(sl__domain domain) {
  switch (domain) {
    case SL__ANY_NUMBER: return "a number";
    case SL__FINITE: return "finite";
    case SL__POSITIVE: return "positive";
    case SL__POSITIVE_FINITE: return "positive and finite";
    case SL__NOT_NEGATIVE: return "at least 0";
    case SL__PROBABILITY: return "from 0 to 1";
    case SL__INSIDE_UNIT: return "between 0 and 1";
    case SL__ZERO_OR_ONE: return "0 or 1";
    case SL__AT_LEAST_ONE: return "at least 1";
  }
  return "";
}

static bool is_within(double x, sl__domain domain) {
  switch (domain) {
    case SL__ANY_NUMBER: return !isnan(x);
    case SL__FINITE: return isfinite(x);
    case SL__POSITIVE: return x > 0;
    case SL__POSITIVE_FINITE: return x > 0 && isfinite(x);
    case SL__NOT_NEGATIVE: return x >= 0;
    case SL__PROBABILITY: return x >= 0 && x <= 1;
    case SL__INSIDE_UNIT: return x > 0 && x < 1;
    case SL__ZERO_OR_ONE: return x == 0 || x == 1;
    case SL__AT_LEAST_ONE: return x >= 1;
  }
  return false;
}

/* Whether x is within, as far as bounds go; 0: there is none. */
static sl_node bounds_of(sl__graph *g, sl_node x, sl__domain domain) {
  const sl_node zero = sl__maths_real(g, 0), one = sl__maths_real(g, 1);
  switch (domain) {
    case SL__ANY_NUMBER:
    case SL__FINITE: return 0;
    case SL__POSITIVE:
    case SL__POSITIVE_FINITE: return op_less(g, zero, x);
    case SL__NOT_NEGATIVE: return op_less_equal(g, zero, x);
    case SL__AT_LEAST_ONE: return op_less_equal(g, one, x);
    case SL__INSIDE_UNIT: return op_multiply(g, op_less(g, zero, x), op_less(g, x, one));
    default: return op_multiply(g, op_less_equal(g, zero, x), op_less_equal(g, x, one));
  }
}

static sl_status refuse_number(sl__stan_call *call, const sl__stan_value *value, int64_t k,
                               double x, const sl__rule *rule) {
  char number[32];
  sl__format_real(number, x, SL_F64);
  if (value->dims == 0)
    return sl__stan_refuse_value(call, "%s is %s, but must be %s", rule->what, number,
                                 domain_text(rule->domain));
  return sl__stan_refuse_value(call, "element %lld of %s is %s, but must be %s", (long long)k + 1,
                               rule->what, number, domain_text(rule->domain));
}

sl_status sl__distribution_check(sl__stan_call *call, int i, const sl__rule *rule) {
  const sl__stan_value *value = &call->argument[i];
  if (value->count == 0) return SL_OK;
  if (sl__stan_is_known(value)) {
    const double *x = sl__stan_numbers(call, i);
    if (!x) return SL_NO_MEMORY;
    for (int64_t k = 0; k < value->count; k++)
      if (!is_within(x[k], rule->domain)) return refuse_number(call, value, k, x[k], rule);
    return SL_OK;
  }
  const sl_node bounds = bounds_of(sl__stan_graph(call), sl__stan_argument(call, i), rule->domain);
  if (!bounds) return SL_OK;
  return sl__stan_require(call, bounds, "%s must be %s", rule->what, domain_text(rule->domain));
}

/* A draw has no variate; a cumulative distribution of whole numbers takes any. */
static sl_status check_arguments(sl__stan_call *call, const sl__distribution *family) {
  const sl__stan_role role = call->builtin->role;
  const int first = role == SL__STAN_RNG ? 1 : 0;
  for (int i = role == SL__STAN_CDF && family->whole ? 1 : 0; i < call->count; i++)
    SL__TRY(sl__distribution_check(call, i, &family->rule[first + i]));
  return family->check ? family->check(call) : SL_OK;
}

/* ---- sizes ---- */

/* The common length of all containers among the arguments; 1: all are scalars. */
static sl_status length_of(sl__stan_call *call, int32_t *n) {
  int widest = -1;
  *n = 1;
  for (int i = 0; i < call->count; i++) {
    const sl__stan_value *value = &call->argument[i];
    if (value->dims == 0) continue;
    if (widest >= 0 && value->count != *n)
      return sl__stan_refuse(call,
                             "arguments %d and %d have different sizes (%d and %lld elements); "
                             "give scalars or containers of one size",
                             widest + 1, i + 1, *n, (long long)value->count);
    widest = i;
    *n = (int32_t)value->count;
  }
  return SL_OK;
}

sl__elements sl__elements_of(sl__stan_call *call, int32_t n) {
  sl__elements e = {.call = call, .g = sl__stan_graph(call), .n = n};
  for (int i = 0; i < call->count && i < SL__MAX_RULES; i++) e.x[i] = sl__stan_argument(call, i);
  return e;
}

double sl__element_of(const sl__stan_call *call, int i, int32_t k) {
  const sl__stan_value *value = &call->argument[i];
  const int32_t at = value->dims ? k : 0;
  return value->form == SL__STAN_INTEGERS ? (double)value->integers[at] : value->numbers[at];
}

/* ---- densities ---- */

void sl__density_term(sl__elements *e, sl_node term) {
  if (e->terms < SL__MAX_TERMS) e->term[e->terms++] = term;
}

void sl__density_number(sl__elements *e, double term) {
  sl__density_term(e, sl__maths_real(e->g, term));
}

void sl__density_restrict(sl__elements *e, sl_node condition) {
  e->possible = e->possible ? op_multiply(e->g, e->possible, condition) : condition;
}

sl_status sl__density_give(sl__elements *e) {
  sl__graph *g = e->g;
  sl_node sum = sl__stan_sum(e->call, e->term[0], e->n);
  for (int i = 1; i < e->terms; i++) sum = op_add(g, sum, sl__stan_sum(e->call, e->term[i], e->n));
  if (e->possible) {
    const sl_node zero = sl__maths_real(g, 0), nothing = sl__maths_real(g, -HUGE_VAL);
    const sl_node impossible = op_sum_all(g, op_equal(g, e->possible, zero));
    sum = op_select(g, impossible, nothing, sum);
  }
  return sl__stan_give_scalar(e->call, sum);
}

static sl_status build_density(sl__stan_call *call, const sl__distribution *family, int32_t n) {
  sl__elements e = sl__elements_of(call, n);
  family->density(&e);
  return sl__density_give(&e);
}

/* ---- cumulative distributions ---- */

bool sl__distribution_ends_in(const sl__stan_call *call, const char *suffix) {
  const size_t length = strlen(call->builtin->name), tail = strlen(suffix);
  return length >= tail && strcmp(call->builtin->name + length - tail, suffix) == 0;
}

sl_status sl__distribution_refuse(sl__stan_call *call) {
  return sl__stan_refuse(call, "this form of the distribution is not evaluated");
}

sl_status sl__distribution_give_cumulative(sl__stan_call *call, sl_node log_sum) {
  sl__graph *g = sl__stan_graph(call);
  return sl__stan_give_scalar(call, sl__distribution_ends_in(call, "_cdf") ? op_exp(g, log_sum)
                                                                           : log_sum);
}

static sl_status build_known(sl__stan_call *call, const sl__distribution *family, int32_t n) {
  const bool upper = sl__distribution_ends_in(call, "_lccdf");
  double sum = 0;
  if (!sl__call_all_known(call))
    return sl__stan_refuse(call, "an argument depends on a parameter; this cumulative distribution "
                                 "is evaluated for data only");
  for (int32_t k = 0; k < n; k++) {
    double x[SL__MAX_RULES], log_cdf, log_ccdf;
    for (int i = 0; i < call->count; i++) x[i] = sl__element_of(call, i, k);
    family->known_cdf(x, &log_cdf, &log_ccdf);
    sum += upper ? log_ccdf : log_cdf;
  }
  return sl__call_give_real(call, sl__distribution_ends_in(call, "_cdf") ? exp(sum) : sum);
}

static sl_status build_cumulative(sl__stan_call *call, const sl__distribution *family, int32_t n) {
  if (family->known_cdf) return build_known(call, family, n);
  if (family->whole && !family->log_cdf) return sl__distribution_sum(call, family, n);
  if (!family->log_cdf) return sl__distribution_refuse(call);
  sl__elements e = sl__elements_of(call, n);
  const bool upper = sl__distribution_ends_in(call, "_lccdf");
  const sl_node term = upper ? family->log_ccdf(&e) : family->log_cdf(&e);
  return sl__distribution_give_cumulative(call, sl__stan_sum(call, term, n));
}

/* ---- draws ---- */

static sl_status draw_all(sl__stan_call *call, const sl__distribution *family, int32_t n) {
  double *draw = sl__stan_memory(call, (size_t)n, sizeof *draw);
  if (!draw) return SL_NO_MEMORY;
  const int32_t dims = call->type.arrays > 0, size[1] = {n};
  for (int32_t k = 0; k < n; k++) {
    double x[SL__MAX_RULES] = {0};
    for (int i = 0; i < call->count; i++) x[i] = sl__element_of(call, i, k);
    draw[k] = family->draw(call, x);
  }
  if (call->type.base != SL__STAN_INT_TYPE) return sl__call_give_doubles(call, dims, size, draw);
  int64_t *whole = sl__stan_memory(call, (size_t)n, sizeof *whole);
  if (!whole) return SL_NO_MEMORY;
  for (int32_t k = 0; k < n; k++) {
    if (!(fabs(draw[k]) < 2147483648.0))
      return sl__stan_refuse_value(call,
                                   "a draw is too large for an integer; choose smaller arguments");
    whole[k] = (int64_t)draw[k];
  }
  return sl__stan_give_integers(call, dims, size, whole);
}

static sl_status build_draw(sl__stan_call *call, const sl__distribution *family, int32_t n) {
  if (!family->draw) return sl__distribution_refuse(call);
  if (!sl__call_all_known(call))
    return sl__stan_refuse(call, "an argument depends on a parameter; draws are made of known "
                                 "numbers");
  const int32_t size[1] = {n};
  return n == 0 ? sl__call_give_empty(call, 1, size) : draw_all(call, family, n);
}

sl_status sl__distribution_build(sl__stan_call *call, const sl__distribution *family) {
  const sl__stan_role role = call->builtin->role;
  int32_t n;
  SL__TRY(length_of(call, &n));
  SL__TRY(check_arguments(call, family));
  if (role == SL__STAN_RNG) return build_draw(call, family, n);
  if (n == 0) return sl__call_give_real(call, sl__distribution_ends_in(call, "_cdf") ? 1 : 0);
  if (role == SL__STAN_CDF) return build_cumulative(call, family, n);
  return build_density(call, family, n);
}
