/* Arithmetic of known numbers. Integers are exact 32-bit numbers, as Stan's; a result outside their
 * range is refused. Elementwise functions of one argument that C has are called at once: no graph is
 * built for them. */
#include "stan/trace.h"
#include <math.h>
#include <string.h>

double sl__stan_apply_number(sl__stan_operator op, double a, double b) {
  switch (op) {
    case SL__STAN_ADD: return a + b;
    case SL__STAN_SUBTRACT: return a - b;
    case SL__STAN_MULTIPLY:
    case SL__STAN_TIMES_EACH: return a * b;
    case SL__STAN_DIVIDE:
    case SL__STAN_DIVIDE_EACH: return a / b;
    case SL__STAN_POWER:
    case SL__STAN_POWER_EACH: return pow(a, b);
    case SL__STAN_EQUAL: return a == b;
    case SL__STAN_NOT_EQUAL: return a != b;
    case SL__STAN_LESS: return a < b;
    case SL__STAN_LESS_EQUAL: return a <= b;
    case SL__STAN_GREATER: return a > b;
    case SL__STAN_GREATER_EQUAL: return a >= b;
    case SL__STAN_AND: return a != 0 && b != 0;
    case SL__STAN_OR: return a != 0 || b != 0;
    default: return (double)NAN;
  }
}

static sl_status apply_integer(sl__stan_tracer *t, sl__stan_operator op, size_t place, int64_t a,
                               int64_t b, int64_t *out) {
  switch (op) {
    case SL__STAN_ADD: *out = a + b; break;
    case SL__STAN_SUBTRACT: *out = a - b; break;
    case SL__STAN_MULTIPLY:
    case SL__STAN_TIMES_EACH: *out = a * b; break;
    case SL__STAN_DIVIDE:
    case SL__STAN_DIVIDE_EACH:
    case SL__STAN_INTEGER_DIVIDE:
    case SL__STAN_MODULO:
      if (b == 0) return sl__stan_stop(t, SL_BAD_ARGUMENT, place, "division of an integer by zero");
      *out = op == SL__STAN_MODULO ? a % b : a / b;
      break;
    default: *out = sl__stan_apply_number(op, (double)a, (double)b) != 0; break;
  }
  if (*out >= INT32_MIN && *out <= INT32_MAX) return SL_OK;
  return sl__stan_stop(t, SL_BAD_ARGUMENT, place,
                       "%lld is outside of the integers, which end at 2147483647; use reals",
                       (long long)*out);
}

sl_status sl__stan_binary_known(sl__stan_tracer *t, sl__stan_operator op, sl__stan_type type,
                                size_t place, const sl__stan_value *a, const sl__stan_value *b,
                                sl__stan_value *out) {
  const bool integers = a->form == SL__STAN_INTEGERS && b->form == SL__STAN_INTEGERS;
  if (integers && type.base == SL__STAN_INT_TYPE) {
    int64_t result = 0;
    SL__TRY(apply_integer(t, op, place, *a->integers, *b->integers, &result));
    *out = sl__stan_integer(t, result);
    return out->integers ? SL_OK : SL_NO_MEMORY;
  }
  const double x = a->form == SL__STAN_INTEGERS ? (double)*a->integers : *a->numbers;
  const double y = b->form == SL__STAN_INTEGERS ? (double)*b->integers : *b->numbers;
  const double result = sl__stan_apply_number(op, x, y);
  *out = type.base == SL__STAN_INT_TYPE ? sl__stan_integer(t, result != 0)
                                        : sl__stan_number(t, result);
  return out->numbers ? SL_OK : SL_NO_MEMORY;
}

/* ---- functions of one number ---- */

static double inv_logit(double x) {
  return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}
static double logit(double x) {
  return log(x) - log1p(-x);
}
static double square(double x) {
  return x * x;
}
static double inv(double x) {
  return 1 / x;
}
static double inv_sqrt(double x) {
  return 1 / sqrt(x);
}
static double inv_square(double x) {
  return 1 / (x * x);
}
static double log1m(double x) {
  return log1p(-x);
}
static double log1p_exp(double x) {
  return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}
static double log_inv_logit(double x) {
  return -log1p_exp(-x);
}
static double log1m_inv_logit(double x) {
  return -log1p_exp(x);
}
static double log_gamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

/* In alphabetical order. */
static const struct {
  const char *name;
  sl__stan_number_function function;
} functions[] = {
    {"acos", acos},
    {"acosh", acosh},
    {"asin", asin},
    {"asinh", asinh},
    {"atan", atan},
    {"atanh", atanh},
    {"cbrt", cbrt},
    {"ceil", ceil},
    {"cos", cos},
    {"cosh", cosh},
    {"erf", erf},
    {"erfc", erfc},
    {"exp", exp},
    {"exp2", exp2},
    {"expm1", expm1},
    {"floor", floor},
    {"inv", inv},
    {"inv_logit", inv_logit},
    {"inv_sqrt", inv_sqrt},
    {"inv_square", inv_square},
    {"lgamma", log_gamma},
    {"log", log},
    {"log10", log10},
    {"log1m", log1m},
    {"log1m_inv_logit", log1m_inv_logit},
    {"log1p", log1p},
    {"log1p_exp", log1p_exp},
    {"log2", log2},
    {"log_inv_logit", log_inv_logit},
    {"logit", logit},
    {"round", round},
    {"sin", sin},
    {"sinh", sinh},
    {"sqrt", sqrt},
    {"square", square},
    {"tan", tan},
    {"tanh", tanh},
    {"tgamma", tgamma},
    {"trunc", trunc},
};

sl__stan_number_function sl__stan_number_function_of(const sl__stan_builtin *builtin) {
  size_t low = 0, high = sizeof functions / sizeof *functions;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    const int order = strcmp(builtin->name, functions[middle].name);
    if (order == 0) return functions[middle].function;
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}
