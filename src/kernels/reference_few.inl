/* Reference list of elementwise operations: one kernel after another. */
static void NAME(run_few)(int64_t count, const sl__few *few) {
  for (int64_t i = 0; i < count; i++, few++) {
    const void *const given[3] = {few->a, few->b, few->c};
    const int32_t pieces = few->is_strided ? few->n : few->pieces > 1 ? few->pieces : 1;
    for (int32_t k = 0; k < pieces; k++) {
      const T *at[3] = {NULL, NULL, NULL};
      for (int j = 0; j < 3; j++) {
        if (given[j]) at[j] = (const T *)given[j] + k * few->stride[j];
      }
      T *y = (T *)few->y + k * (few->is_strided ? 1 : few->stride[3]);
      few->kernel(few->is_strided ? 1 : few->n, y, at[0], at[1], at[2], few->scalars,
                  few->attribute);
    }
  }
}
