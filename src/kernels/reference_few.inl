/* Reference list of elementwise operations: one kernel after another. */
static void NAME(run_few)(int64_t count, const sl__few *few) {
  for (int64_t i = 0; i < count; i++, few++)
    few->kernel(few->n, few->y, few->a, few->b, few->c, few->scalars, few->attribute);
}
