/* Elementwise kernels. Every number goes through the same loop over blocks of BLOCK: operands that
 * are one value, and the last incomplete block, are first copied into a block of their own. So the
 * place of a number in its run, the length of the run and which operands are scalars never change
 * a bit of the result. */
enum { NAME(BLOCK) = 16 };
#define BLOCK NAME(BLOCK)

/* y[i] = f(a[i], b[i], c[i]) over whole blocks; step[k] is how far operand k moves from block to
 * block: 0 or BLOCK. */
typedef void NAME(block_loop)(int64_t blocks, T *y, const T *const operands[3],
                              const int64_t step[3], T p);

/* Fewer than BLOCK numbers: whole registers, then the others. */
INLINE void NAME(copy_some)(T *to, const T *from, int64_t count) {
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES) NAME(store)(to + i, NAME(load)(from + i));
  SAME_INDEX for (; i < count; i++) to[i] = from[i];
}

/* A block of them, with the first in the places that are left. */
INLINE void NAME(fill_block)(T block[BLOCK], const T *from, int64_t count) {
  const vector first = NAME(all)(from[0]);
  UNROLL for (int i = 0; i < BLOCK; i += LANES) NAME(store)(block + i, first);
  NAME(copy_some)(block, from, count);
}

static void NAME(by_blocks)(NAME(block_loop) *loop, int64_t n, T *y, const void *a, const void *b,
                            const void *c, unsigned scalars, double attribute) {
  const void *const given[3] = {a, b, c};
  const int64_t whole = n / BLOCK, rest = n % BLOCK;
  T one_block[4][BLOCK]; /* of the three operands and of y */
  const T *from[3] = {one_block[0], one_block[1], one_block[2]};
  int64_t step[3] = {0, 0, 0};
  for (int k = 0; k < 3; k++) {
    if (!given[k]) continue;
    from[k] = given[k];
    step[k] = BLOCK;
    if (scalars >> k & 1) {
      const T value = from[k][0];
      for (int i = 0; i < BLOCK; i++) one_block[k][i] = value;
      from[k] = one_block[k];
      step[k] = 0;
    }
  }
  if (whole > 0) loop(whole, y, from, step, (T)attribute);
  if (rest == 0) return;
  for (int k = 0; k < 3; k++) {
    if (step[k] == 0) continue;
    from[k] += whole * BLOCK;
    NAME(fill_block)(one_block[k], from[k], rest);
    from[k] = one_block[k];
  }
  loop(1, one_block[3], from, step, (T)attribute);
  NAME(copy_some)(y + whole * BLOCK, one_block[3], rest);
}

#define LOAD_1 const T a = a_[i];
#define LOAD_2 LOAD_1 const T b = b_[i];
#define LOAD_3 LOAD_2 const T c = c_[i];
/* y = expression of the arity's operands and the attribute p. A block is made beside y and then
 * copied, since y may be one of the operands: compilers would check for that at run time and take a
 * scalar road, ten times as slow. */
#define DEFINE(arity, name, expression)                                                           \
  NOT_INLINE void NAME(name##_blocks)(int64_t blocks, T *y, const T *const operands[3],           \
                                      const int64_t step[3], T p) {                               \
    const T *a_ = operands[0], *b_ = operands[1], *c_ = operands[2];                              \
    (void)p;                                                                                      \
    for (int64_t k = 0; k < blocks; k++) {                                                        \
      T made[BLOCK];                                                                              \
      for (int i = 0; i < BLOCK; i++) {                                                           \
        LOAD_##arity                                                                              \
        made[i] = (expression);                                                                   \
      }                                                                                           \
      memcpy(y, made, sizeof made);                                                               \
      y += BLOCK, a_ += step[0], b_ += step[1], c_ += step[2];                                    \
    }                                                                                             \
  }                                                                                               \
  static void NAME(name)(int64_t n, void *y, const void *a, const void *b, const void *c,         \
                         unsigned scalars, double attribute) {                                    \
    NAME(by_blocks)(NAME(name##_blocks), n, y, a, b, c, scalars, attribute);                      \
  }

/* The same for expressions that vectors can be put into as well as numbers: register by register,
 * which compilers leave as it is. */
#define LOAD_VECTOR_1 const vector a = NAME(load)(a_ + i * LANES);
#define LOAD_VECTOR_2 LOAD_VECTOR_1 const vector b = NAME(load)(b_ + i * LANES);
#define LOAD_VECTOR_3 LOAD_VECTOR_2 const vector c = NAME(load)(c_ + i * LANES);
#define DEFINE_ARITHMETIC(arity, name, expression)                                                \
  NOT_INLINE void NAME(name##_blocks)(int64_t blocks, T *y, const T *const operands[3],           \
                                      const int64_t step[3], T p) {                               \
    const T *a_ = operands[0], *b_ = operands[1], *c_ = operands[2];                              \
    const int64_t step_a = step[0], step_b = step[1], step_c = step[2];                           \
    (void)p;                                                                                      \
    for (int64_t k = 0; k < blocks; k++) {                                                        \
      UNROLL for (int i = 0; i < BLOCK / LANES; i++) {                                            \
        LOAD_VECTOR_##arity                                                                       \
        NAME(store)(y + i * LANES, (expression));                                                 \
      }                                                                                           \
      y += BLOCK, a_ += step_a, b_ += step_b, c_ += step_c;                                       \
    }                                                                                             \
  }                                                                                               \
  static void NAME(name)(int64_t n, void *y, const void *a, const void *b, const void *c,         \
                         unsigned scalars, double attribute) {                                    \
    NAME(by_blocks)(NAME(name##_blocks), n, y, a, b, c, scalars, attribute);                      \
  }

DEFINE_ARITHMETIC(1, copy, a)
DEFINE_ARITHMETIC(1, negate, -a)
DEFINE(1, absolute, NAME(magnitude)(a))
DEFINE(1, sign, a > 0 ? 1 : a < 0 ? -1 : a)
DEFINE(1, floor, NAME(floor_of)(a))
DEFINE(1, exp, NAME(exp_of)(a))
DEFINE(1, expm1, NAME(expm1_of)(a))
DEFINE(1, log, NAME(log_of)(a))
DEFINE(1, log1p, NAME(log1p_of)(a))
DEFINE(1, sqrt, NAME(root)(a))
DEFINE_ARITHMETIC(1, square, a * a)
DEFINE_ARITHMETIC(1, reciprocal, 1 / a)
DEFINE(1, tanh, NAME(tanh_of)(a))
DEFINE(1, sigmoid, NAME(sigmoid_of)(a))
DEFINE(1, softplus, NAME(softplus_of)(a))
DEFINE(1, sin, NAME(sin_of)(a))
DEFINE(1, cos, NAME(cos_of)(a))
DEFINE(1, sinh, NAME(sinh_of)(a))
DEFINE(1, cosh, NAME(cosh_of)(a))
DEFINE(1, asinh, NAME(asinh_of)(a))
DEFINE(1, atan, NAME(atan_of)(a))
DEFINE(1, erf, (T)erf_of_f64((double)a))
DEFINE_ARITHMETIC(1, scale, p * a)
DEFINE_ARITHMETIC(1, shift, a + p)
DEFINE(1, leaky_relu, a > 0 ? a : p * a)
DEFINE_ARITHMETIC(2, add, a + b)
DEFINE_ARITHMETIC(2, subtract, a - b)
DEFINE_ARITHMETIC(2, multiply, a * b)
DEFINE_ARITHMETIC(2, divide, a / b)
DEFINE(2, power, (T)power_of_f64((double)a, (double)b))
DEFINE_ARITHMETIC(2, minimum, NAME(choose)((a < b) | (a != a), a, b)) /* NaN comes through */
DEFINE_ARITHMETIC(2, maximum, NAME(choose)((a > b) | (a != a), a, b))
DEFINE(2, less, a < b ? (T)1 : (T)0)
DEFINE(2, less_equal, a <= b ? (T)1 : (T)0)
DEFINE(2, equal, a == b ? (T)1 : (T)0)
DEFINE(2, leaky_gate, a > 0 ? b : p * b)
DEFINE(2, tanh_gate, (1 - a * a) * b)
DEFINE_ARITHMETIC(3, select, NAME(choose)(a != 0, b, c))
DEFINE_ARITHMETIC(3, multiply_add, a * b + c)
#define DEFINE_SPECIAL(arity, name, expression) DEFINE(arity, name, (T)(expression))
#include "kernels/elementwise_special.inl"
#undef DEFINE_SPECIAL
#undef DEFINE
#undef DEFINE_ARITHMETIC

/* Functions whose negative arguments need a reflection: rare, so done afterwards, one by one. */
#define DEFINE_REFLECTED(name)                                                                    \
  NOT_INLINE void NAME(name##_blocks)(int64_t blocks, T *y, const T *const operands[3],           \
                                      const int64_t step[3], T p) {                               \
    const T *a = operands[0];                                                                     \
    (void)p;                                                                                      \
    for (; blocks > 0; blocks--, y += BLOCK, a += step[0]) {                                      \
      T kept[BLOCK];                                                                              \
      memcpy(kept, a, sizeof kept);                                                               \
      for (int i = 0; i < BLOCK; i++) y[i] = (T)name##_of_positive_f64((double)kept[i]);          \
      for (int i = 0; i < BLOCK; i++) {                                                           \
        if (kept[i] < 0) y[i] = (T)name##_of_negative_f64((double)kept[i]);                       \
      }                                                                                           \
    }                                                                                             \
  }                                                                                               \
  static void NAME(name)(int64_t n, void *y, const void *a, const void *b, const void *c,         \
                         unsigned scalars, double attribute) {                                    \
    NAME(by_blocks)(NAME(name##_blocks), n, y, a, b, c, scalars, attribute);                      \
  }
DEFINE_REFLECTED(lgamma)
DEFINE_REFLECTED(digamma)
DEFINE_REFLECTED(trigamma)
#undef DEFINE_REFLECTED
