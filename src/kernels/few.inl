/* A list of elementwise operations on few numbers each, one after another: what most steps of a
 * small program are. Plain arithmetic is done on the spot, which takes less time than a call:
 * register by register, and what is left number by number. It is the kernel's expression, and has
 * its bits. */

/* What can be put down once for numbers and registers. */
#define PLAIN(ONE, TWO, THREE)                 \
  case SL__EW_copy: ONE(a)                     \
  case SL__EW_negate: ONE(-a)                  \
  case SL__EW_square: ONE(a * a)               \
  case SL__EW_reciprocal: ONE(1 / a)           \
  case SL__EW_scale: ONE(p * a)                \
  case SL__EW_shift: ONE(a + p)                \
  case SL__EW_add: TWO(a + b)                  \
  case SL__EW_subtract: TWO(a - b)             \
  case SL__EW_multiply: TWO(a * b)             \
  case SL__EW_divide: TWO(a / b)               \
  case SL__EW_tanh_gate: TWO((1 - a * a) * b)  \
  case SL__EW_multiply_add: THREE(a * b + c)

#define EACH(...)                                       \
  for (; y < end; y += LANES, a_ += move[0]) {          \
    const vector a = NAME(load)(a_);                    \
    NAME(store)(y, (__VA_ARGS__));                      \
  }                                                     \
  return true;
#define EACH_2(...)                                                   \
  for (; y < end; y += LANES, a_ += move[0], b_ += move[1]) {         \
    const vector a = NAME(load)(a_), b = NAME(load)(b_);              \
    NAME(store)(y, (__VA_ARGS__));                                    \
  }                                                                   \
  return true;
#define EACH_3(...)                                                              \
  for (; y < end; y += LANES, a_ += move[0], b_ += move[1], c_ += move[2]) {     \
    const vector a = NAME(load)(a_), b = NAME(load)(b_), c = NAME(load)(c_);     \
    NAME(store)(y, (__VA_ARGS__));                                               \
  }                                                                              \
  return true;

/* The first `whole` numbers, a multiple of LANES; false: it takes the kernel. */
INLINE bool NAME(few_registers)(const sl__few *few, int64_t whole) {
  const vector ones = NAME(all)(1), zeros = {0};
  const T *a_ = few->a, *b_ = few->b, *c_ = few->c, p = (T)few->attribute;
  T *y = few->y, *const end = y + whole, one[3][LANES];
  int64_t move[3] = {LANES, LANES, LANES};
  if (few->scalars) {
    if (few->scalars & 1) NAME(store)(one[0], NAME(all)(*a_)), a_ = one[0], move[0] = 0;
    if (few->scalars & 2 && b_) NAME(store)(one[1], NAME(all)(*b_)), b_ = one[1], move[1] = 0;
    if (few->scalars & 4 && c_) NAME(store)(one[2], NAME(all)(*c_)), c_ = one[2], move[2] = 0;
  }
  switch (few->elementwise) {
    PLAIN(EACH, EACH_2, EACH_3)
    case SL__EW_less: EACH_2(NAME(choose)(a < b, ones, zeros))
    case SL__EW_less_equal: EACH_2(NAME(choose)(a <= b, ones, zeros))
    case SL__EW_equal: EACH_2(NAME(choose)(a == b, ones, zeros))
    case SL__EW_minimum: EACH_2(NAME(choose)((a < b) | (a != a), a, b))
    case SL__EW_maximum: EACH_2(NAME(choose)((a > b) | (a != a), a, b))
    case SL__EW_select: EACH_3(NAME(choose)(a != 0, b, c))
    default: return false;
  }
}
#undef EACH
#undef EACH_2
#undef EACH_3

#define SOME(k, x)                                                  \
  (few->scalars >> k & 1 ? *(const T *)few->x - (half_vector){0}    \
                         : NAME(load_half)((const T *)few->x + begin))
#define EACH(...)                                                              \
  {                                                                            \
    const half_vector a = SOME(0, a);                                          \
    NAME(store_half)(y, (__VA_ARGS__));                                        \
    return true;                                                               \
  }
#define EACH_2(...)                                                            \
  {                                                                            \
    const half_vector a = SOME(0, a), b = SOME(1, b);                          \
    NAME(store_half)(y, (__VA_ARGS__));                                        \
    return true;                                                               \
  }
#define EACH_3(...)                                                            \
  {                                                                            \
    const half_vector a = SOME(0, a), b = SOME(1, b), c = SOME(2, c);          \
    NAME(store_half)(y, (__VA_ARGS__));                                        \
    return true;                                                               \
  }

/* Half a register, from `begin` on; false: it takes another way. */
INLINE bool NAME(few_of_half)(const sl__few *few, int64_t begin) {
  const T p = (T)few->attribute;
  T *y = (T *)few->y + begin;
  switch (few->elementwise) {
    PLAIN(EACH, EACH_2, EACH_3)
    default: return false;
  }
}
#undef EACH
#undef EACH_2
#undef EACH_3
#undef SOME

/* To the next piece, which may lie in another array: addresses, not places of one array. */
#define MOVE(pointer, k) \
  (pointer = (void *)((uintptr_t)(pointer) + (uintptr_t)((int64_t)stride[k] * (int64_t)sizeof(T))))
#define EACH(...)                                                              \
  do {                                                                         \
    for (int64_t i = begin; i < n; i++) {                                      \
      const T a = a_[step_a * i];                                              \
      y[i] = (__VA_ARGS__);                                                    \
    }                                                                          \
    MOVE(a_, 0), MOVE(y, 3);                                                   \
  } while (--pieces > 0);                                                      \
  return true;
#define EACH_2(...)                                                            \
  do {                                                                         \
    for (int64_t i = begin; i < n; i++) {                                      \
      const T a = a_[step_a * i], b = b_[step_b * i];                          \
      y[i] = (__VA_ARGS__);                                                    \
    }                                                                          \
    MOVE(a_, 0), MOVE(b_, 1), MOVE(y, 3);                                      \
  } while (--pieces > 0);                                                      \
  return true;
#define EACH_3(...)                                                            \
  do {                                                                         \
    for (int64_t i = begin; i < n; i++) {                                      \
      const T a = a_[step_a * i], b = b_[step_b * i], c = c_[step_c * i];      \
      y[i] = (__VA_ARGS__);                                                    \
    }                                                                          \
    MOVE(a_, 0), MOVE(b_, 1), MOVE(c_, 2), MOVE(y, 3);                         \
  } while (--pieces > 0);                                                      \
  return true;

/* Numbers begin .. n - 1 of every piece; false: it takes the kernel. */
INLINE bool NAME(few_numbers)(const sl__few *few, int64_t begin, int64_t n) {
  const T *a_ = few->a, *b_ = few->b, *c_ = few->c, p = (T)few->attribute;
  const int64_t step_a = !(few->scalars & 1), step_b = !(few->scalars & 2),
                step_c = !(few->scalars & 4);
  const int32_t *stride = few->stride;
  int32_t pieces = few->pieces;
  T *y = few->y;
  switch (few->elementwise) {
    PLAIN(EACH, EACH_2, EACH_3)
    case SL__EW_less: EACH_2(a < b ? 1 : 0)
    case SL__EW_less_equal: EACH_2(a <= b ? 1 : 0)
    case SL__EW_equal: EACH_2(a == b ? 1 : 0)
    case SL__EW_minimum: EACH_2(((a < b) | (a != a)) ? a : b)
    case SL__EW_maximum: EACH_2(((a > b) | (a != a)) ? a : b)
    case SL__EW_select: EACH_3(a != 0 ? b : c)
    default: return false;
  }
}
#undef EACH
#undef EACH_2
#undef EACH_3
#undef PLAIN

/* Operands that are no runs are copied side by side, with the first number behind them, so that
 * there are whole registers. */
NOT_INLINE void NAME(few_strided)(const sl__few *few) {
  T side_by_side[3][SL__FEW_STRIDED], made[SL__FEW_STRIDED];
  const void *const given[3] = {few->a, few->b, few->c};
  const int32_t n = few->n, whole = (n + BLOCK - 1) / BLOCK * BLOCK;
  for (int k = 0; k < 3 && given[k]; k++) {
    const T *from = given[k];
    for (int32_t i = 0; i < n; i++) side_by_side[k][i] = from[i * few->stride[k]];
    for (int32_t i = n; i < whole; i++) side_by_side[k][i] = from[0];
  }
  const sl__few dense = {.elementwise = few->elementwise,
                         .y = made,
                         .a = side_by_side[0],
                         .b = side_by_side[1],
                         .c = side_by_side[2],
                         .attribute = few->attribute};
  if (!NAME(few_registers)(&dense, whole))
    few->kernel(whole, made, dense.a, dense.b, dense.c, 0, few->attribute);
  memcpy(few->y, made, (size_t)n * sizeof(T));
}

/* Of a call without pieces. */
NOT_INLINE bool NAME(few_rest)(const sl__few *few, int64_t begin) {
  if (few->n - begin >= LANES / 2 && NAME(few_of_half)(few, begin)) begin += LANES / 2;
  return begin == few->n || NAME(few_numbers)(few, begin, few->n);
}

NOT_INLINE void NAME(few_pieces)(const sl__few *few) {
  if (few->n == 2 ? NAME(few_numbers)(few, 0, 2) : NAME(few_numbers)(few, 0, few->n)) return;
  const int32_t *stride = few->stride;
  const T *a = few->a, *b = few->b, *c = few->c;
  T *y = few->y;
  for (int32_t i = 0; i < few->pieces; i++) {
    few->kernel(few->n, y, a, b, c, few->scalars, few->attribute);
    MOVE(a, 0), MOVE(y, 3);
    if (b) MOVE(b, 1);
    if (c) MOVE(c, 2);
  }
}

static void NAME(run_few)(int64_t count, const sl__few *few) {
  for (const sl__few *end = few + count; few < end; few++) {
    if (few->is_strided) {
      NAME(few_strided)(few);
      continue;
    }
    if (few->pieces > 1) {
      NAME(few_pieces)(few);
      continue;
    }
    const int64_t whole = few->n & ~(int64_t)(LANES - 1);
    bool done = whole == 0 || NAME(few_registers)(few, whole);
    if (done && whole < few->n) done = NAME(few_rest)(few, whole);
    if (!done)
      few->kernel(few->n, few->y, few->a, few->b, few->c, few->scalars, few->attribute);
  }
}
#undef MOVE
