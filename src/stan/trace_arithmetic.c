/* Arithmetic of known numbers. Integers are exact 32-bit numbers, as Stan's; a result outside their
 * range is refused. */
#include "stan/trace.h"
#include <math.h>

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
