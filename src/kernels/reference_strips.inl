/* Reference kernels for strips. */

static void NAME(spread)(int64_t features, int64_t lanes, void *y, const void *x) {
  for (int64_t i = 0; i < features * lanes; i++) ((T *)y)[i] = ((const T *)x)[i / lanes];
}

static void NAME(gather_runs)(int64_t features, int64_t lanes, void *y, const void *x, int64_t lead,
                              const int32_t *index) {
  for (int64_t i = 0; i < features * lanes; i++)
    ((T *)y)[i] = ((const T *)x)[index[i / lanes] * lead + i % lanes];
}

static void NAME(scatter_runs)(int64_t features, int64_t lanes, void *y, int64_t lead,
                               const void *x, const int32_t *index) {
  for (int64_t i = 0; i < features * lanes; i++)
    ((T *)y)[index[i / lanes] * lead + i % lanes] += ((const T *)x)[i];
}

static void NAME(add_strip)(int64_t features, int64_t lanes, void *sums, const void *x) {
  for (int64_t i = 0; i < features * lanes; i++)
    ((T *)sums)[i % (lanes == 1 ? SL__PARTIAL_SUMS : lanes)] += ((const T *)x)[i];
}

static void NAME(end_sum)(void *y, const void *sums) {
  WIDE sum = 0;
  for (int i = 0; i < SL__PARTIAL_SUMS; i++) sum += ((const T *)sums)[i];
  *(T *)y = (T)sum;
}
