/* Constants. */
#include "stan/functions.h"

#include <float.h>
#include <math.h>

#define CONSTANT(name, value)                            \
  sl_status sl__stan_build_##name(sl__stan_call *call) { \
    return sl__call_give_real(call, value);              \
  }
CONSTANT(pi, 3.14159265358979323846)
CONSTANT(e, 2.71828182845904523536)
CONSTANT(sqrt2, 1.41421356237309504880)
CONSTANT(machine_precision, DBL_EPSILON)
CONSTANT(not_a_number, NAN)
CONSTANT(positive_infinity, INFINITY)
CONSTANT(negative_infinity, -INFINITY)
