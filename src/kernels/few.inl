/* A list of elementwise operations on few numbers each, one after another: what most steps of a
 * program are when it is run for a single row. Plain arithmetic on up to FEW numbers is done on
 * the spot, which takes less time than a call; it is the kernel's expression, and has its bits. */
enum { NAME(FEW) = 8 };

#define EACH(...)                            \
  for (int64_t i = 0; i < n; i++) {          \
    const T a = a_[step_a * i];              \
    y[i] = (__VA_ARGS__);                    \
  }                                          \
  break;
#define EACH_2(...)                                         \
  for (int64_t i = 0; i < n; i++) {                         \
    const T a = a_[step_a * i], b = b_[step_b * i];         \
    y[i] = (__VA_ARGS__);                                   \
  }                                                         \
  break;
#define EACH_3(...)                                                              \
  for (int64_t i = 0; i < n; i++) {                                              \
    const T a = a_[step_a * i], b = b_[step_b * i], c = c_[step_c * i];          \
    y[i] = (__VA_ARGS__);                                                        \
  }                                                                              \
  break;

static void NAME(run_few)(int64_t count, const sl__few *few) {
  for (const sl__few *end = few + count; few < end; few++) {
    const int64_t n = few->n;
    if (n > NAME(FEW)) {
      few->kernel(n, few->y, few->a, few->b, few->c, few->scalars, few->attribute);
      continue;
    }
    T *y = few->y;
    const T *a_ = few->a, *b_ = few->b, *c_ = few->c, p = (T)few->attribute;
    const int64_t step_a = !(few->scalars & 1), step_b = !(few->scalars & 2),
                  step_c = !(few->scalars & 4);
    switch (few->elementwise) {
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
      case SL__EW_less: EACH_2(a < b ? 1 : 0)
      case SL__EW_less_equal: EACH_2(a <= b ? 1 : 0)
      case SL__EW_equal: EACH_2(a == b ? 1 : 0)
      case SL__EW_select: EACH_3(a != 0 ? b : c)
      case SL__EW_multiply_add: EACH_3(a * b + c)
      default: few->kernel(n, y, a_, b_, c_, few->scalars, few->attribute);
    }
  }
}
#undef EACH
#undef EACH_2
#undef EACH_3
