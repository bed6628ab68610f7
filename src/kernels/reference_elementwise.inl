/* Reference elementwise kernels: name and meaning, computed in WIDE. */

static T NAME(root)(T x) {
  return sizeof(T) == sizeof(float) ? (T)sqrtf((float)x) : (T)sqrt(x);
}

/* psi(x): reflection to x > 0, recurrence up to 20, then the asymptotic series (Abramowitz &
 * Stegun 6.3.18). */
static WIDE NAME(wide_digamma)(WIDE x) {
  const WIDE pi = (WIDE)3.14159265358979323846264338327950288L;
  if (x <= 0) {
    if (x == MATH(floor)(x)) return x == 0 ? -1 / x : (WIDE)NAN; /* poles; a signed infinity at 0 */
    return NAME(wide_digamma)(1 - x) - pi / MATH(tan)(pi * (x - MATH(floor)(x + (WIDE)0.5)));
  }
  WIDE sum = 0;
  while (x < 20) sum -= 1 / x++;
  static const double factors[][2] = {{691, 32760}, {-1, 132}, {1, 240}, {-1, 252}, {1, 120}};
  const WIDE w = 1 / (x * x);
  WIDE series = (WIDE)-1 / 12;
  for (int i = 0; i < 5; i++) series = series * w + (WIDE)factors[i][0] / (WIDE)factors[i][1];
  series = w * ((WIDE)1 / 12 - w * series);
  return sum + MATH(log)(x) - 1 / (2 * x) - series;
}

/* psi'(x), in the same way (Abramowitz & Stegun 6.4.7, 6.4.6, 6.4.12). */
static WIDE NAME(wide_trigamma)(WIDE x) {
  const WIDE pi = (WIDE)3.14159265358979323846264338327950288L;
  if (x < 0) {
    const WIDE sine = MATH(sin)(pi * (x - MATH(floor)(x + (WIDE)0.5)));
    return pi * pi / (sine * sine) - NAME(wide_trigamma)(1 - x);
  }
  WIDE sum = 0;
  for (; x < 20; x++) sum += 1 / (x * x);
  static const double factors[][2] = {{-691, 2730}, {5, 66}, {-1, 30}, {1, 42}, {-1, 30}, {1, 6}};
  const WIDE w = 1 / (x * x);
  WIDE series = (WIDE)7 / 6;
  for (int i = 0; i < 6; i++) series = series * w + (WIDE)factors[i][0] / (WIDE)factors[i][1];
  return sum + 1 / x + w / 2 + series * w / x;
}

/* y[i] = expression of a, b, c and the attribute p, these being in the given type: T for the
 * operations that IEEE 754 rounds correctly, which a wider type would round twice. */
#define DEFINE(type, name, expression)                                                       \
  static void NAME(name)(int64_t n, void *y, const void *a_, const void *b_, const void *c_, \
                         unsigned scalars, double attribute) {                               \
    const type p = (T)attribute;                                                             \
    for (int64_t i = 0; i < n; i++) {                                                        \
      const type a = ((const T *)a_)[scalars & 1 ? 0 : i];                                   \
      const type b = b_ ? ((const T *)b_)[scalars & 2 ? 0 : i] : 0;                          \
      const type c = c_ ? ((const T *)c_)[scalars & 4 ? 0 : i] : 0;                          \
      (void)b, (void)c, (void)p;                                                             \
      ((T *)y)[i] = (T)(expression);                                                         \
    }                                                                                        \
  }
DEFINE(T, copy, a)
DEFINE(T, negate, -a)
DEFINE(T, absolute, (T)MATH(fabs)(a))
DEFINE(T, sign, a > 0 ? 1 : a < 0 ? -1 : a)
DEFINE(T, floor, (T)MATH(floor)(a))
DEFINE(WIDE, exp, MATH(exp)(a))
DEFINE(WIDE, expm1, MATH(expm1)(a))
DEFINE(WIDE, log, MATH(log)(a))
DEFINE(WIDE, log1p, MATH(log1p)(a))
DEFINE(T, sqrt, NAME(root)(a))
DEFINE(T, square, a * a)
DEFINE(T, reciprocal, 1 / a)
DEFINE(WIDE, tanh, MATH(tanh)(a))
DEFINE(WIDE, sigmoid, 1 / (1 + MATH(exp)(-a)))
DEFINE(WIDE, softplus, (a > 0 ? a : a == a ? 0 : a) + MATH(log1p)(MATH(exp)(-MATH(fabs)(a))))
DEFINE(WIDE, sin, MATH(sin)(a))
DEFINE(WIDE, cos, MATH(cos)(a))
DEFINE(WIDE, sinh, MATH(sinh)(a))
DEFINE(WIDE, cosh, MATH(cosh)(a))
DEFINE(WIDE, asinh, MATH(asinh)(a))
DEFINE(WIDE, atan, MATH(atan)(a))
DEFINE(WIDE, erf, MATH(erf)(a))
DEFINE(WIDE, lgamma, MATH(lgamma)(a))
DEFINE(WIDE, digamma, NAME(wide_digamma)(a))
DEFINE(WIDE, trigamma, NAME(wide_trigamma)(a))
DEFINE(T, scale, p * a)
DEFINE(T, shift, a + p)
DEFINE(T, leaky_relu, a > 0 ? a : p * a)
DEFINE(T, add, a + b)
DEFINE(T, subtract, a - b)
DEFINE(T, multiply, a * b)
DEFINE(T, divide, a / b)
DEFINE(WIDE, power, MATH(pow)(a, b))
DEFINE(T, minimum, a < b || a != a ? a : b)
DEFINE(T, maximum, a > b || a != a ? a : b)
DEFINE(T, less, a < b)
DEFINE(T, less_equal, a <= b)
DEFINE(T, equal, a == b)
DEFINE(T, leaky_gate, a > 0 ? b : p * b)
DEFINE(WIDE, tanh_gate, (1 - a * a) * b)
DEFINE(T, select, a != 0 ? b : c)
DEFINE(WIDE, multiply_add, a * b + c)
#define DEFINE_SPECIAL(arity, name, expression) DEFINE(T, name, expression)
#include "kernels/elementwise_special.inl"
#undef DEFINE_SPECIAL
#undef DEFINE
