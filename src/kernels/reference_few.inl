/* Reference list of elementwise operations: one kernel after another. */
static void NAME(run_few)(int64_t count, const sl__few *few) {
  for (int64_t i = 0; i < count; i++, few++) {
    if (!few->is_strided) {
      few->kernel(few->n, few->y, few->a, few->b, few->c, few->scalars, few->attribute);
      continue;
    }
    const void *const given[3] = {few->a, few->b, few->c};
    for (int32_t k = 0; k < few->n; k++) {
      const T *at[3] = {NULL, NULL, NULL};
      for (int j = 0; j < 3; j++) {
        if (given[j]) at[j] = (const T *)given[j] + k * few->stride[j];
      }
      few->kernel(1, (T *)few->y + k, at[0], at[1], at[2], 0, few->attribute);
    }
  }
}
