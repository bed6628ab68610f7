/* The calls of a list for runs of RUN numbers, taken PART at a time. Plain arithmetic is done on
 * the spot, which takes less time than a call; it is the kernel's expression. Included by ode.inl,
 * for numbers and for registers. */
#define EACH(...)                                   \
  for (int64_t f = 0; f < call->features; f++) {    \
    UNROLL for (int64_t l = 0; l < RUN; l += PART) { \
      const NUMBER a = LOAD(a_ + l);                \
      STORE(y + l, (__VA_ARGS__));                  \
    }                                               \
    y += RUN, a_ += call->between[0];               \
  }                                                 \
  break;
#define EACH_2(...)                                              \
  for (int64_t f = 0; f < call->features; f++) {                 \
    UNROLL for (int64_t l = 0; l < RUN; l += PART) {              \
      const NUMBER a = LOAD(a_ + l), b = LOAD(b_ + l);           \
      STORE(y + l, (__VA_ARGS__));                               \
    }                                                            \
    y += RUN, a_ += call->between[0], b_ += call->between[1];    \
  }                                                              \
  break;
#define EACH_3(...)                                                         \
  for (int64_t f = 0; f < call->features; f++) {                            \
    UNROLL for (int64_t l = 0; l < RUN; l += PART) {                         \
      const NUMBER a = LOAD(a_ + l), b = LOAD(b_ + l), c = LOAD(c_ + l);    \
      STORE(y + l, (__VA_ARGS__));                                          \
    }                                                                       \
    y += RUN, a_ += call->between[0], b_ += call->between[1];               \
    c_ += call->between[2];                                                 \
  }                                                                         \
  break;

static void CALLS(int64_t count, const sl__runs_call *call) {
  for (const sl__runs_call *end = call + count; call < end; call++) {
    T *y = call->y;
    const T *a_ = call->operand[0], *b_ = call->operand[1], *c_ = call->operand[2];
    const T p = (T)call->attribute;
    switch (RUN > 1 && call->scalars ? (int)SL__EW_COUNT : (int)call->elementwise) {
      case SL__EW_copy: EACH(a)
      case SL__EW_negate: EACH(-a)
      case SL__EW_square: EACH(a * a)
      case SL__EW_reciprocal: EACH(1 / a)
      case SL__EW_scale: EACH(p * a)
      case SL__EW_shift: EACH(a + p)
      case SL__EW_add: EACH_2(a + b)
      case SL__EW_subtract: EACH_2(a - b)
      case SL__EW_multiply: EACH_2(a * b)
      case SL__EW_divide: EACH_2(a / b)
      case SL__EW_multiply_add: EACH_3(a * b + c)
      default: NAME(ode_kernel)(RUN, call);
    }
  }
}
#undef EACH
#undef EACH_2
#undef EACH_3
#undef RUN
#undef PART
#undef NUMBER
#undef LOAD
#undef STORE
#undef CALLS
