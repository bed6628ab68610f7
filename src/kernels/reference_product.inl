/* Reference product: one unit per row of C, every element a sum in WIDE. */

static int64_t NAME(product_units)(const sl__product *p) {
  return p->m;
}

static size_t NAME(product_scratch)(const sl__product *p) {
  return (void)p, 0;
}

static void NAME(product_run)(const sl__product *p, int64_t unit_begin, int64_t unit_end,
                              void *scratch) {
  (void)scratch;
  const T *a = p->a, *b = p->b, *bias = p->bias;
  for (int64_t m = unit_begin; m < unit_end; m++) {
    const int64_t k_begin = p->k_begin ? p->k_begin[m] : 0, k_end = p->k_end ? p->k_end[m] : p->k;
    const int64_t n_end = p->n_end ? p->n_end[m] : p->n;
    for (int64_t n = 0; n < p->n; n++) {
      T *c = (T *)p->c + m * p->c_row + n;
      if (n >= n_end) {
        if (!p->accumulate) *c = 0;
        continue;
      }
      WIDE sum = (p->accumulate ? (WIDE)*c : 0) + (bias ? (WIDE)bias[m] : 0);
      if (p->base) sum += ((const T *)p->base)[m * p->base_row + n];
      for (int64_t k = k_begin; k < k_end; k++) {
        const T right = p->b_transposed ? b[n * p->b_row + k] : b[k * p->b_row + n];
        sum += (WIDE)a[m * p->a_row + k * p->a_column] * right;
      }
      *c = (T)sum;
    }
  }
}
