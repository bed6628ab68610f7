/* What fused steps do with a strip, `features` runs of `lanes` numbers one after another, besides
 * elementwise operations: fill it, and add it up. Sums are added in the order of sum_axis, whatever
 * strips they are cut into. */

static void NAME(spread)(int64_t features, int64_t lanes, void *y, const void *x) {
  T *to = y;
  const T *from = x;
  for (int64_t f = 0; f < features; f++, to += lanes) {
    vector value;
    UNROLL for (int i = 0; i < LANES; i++) value[i] = from[f];
    int64_t l = 0;
    for (; l + LANES <= lanes; l += LANES) NAME(store)(to + l, value);
    for (; l < lanes; l++) to[l] = from[f];
  }
}

static void NAME(gather_runs)(int64_t features, int64_t lanes, void *y, const void *x, int64_t lead,
                              const int32_t *index) {
  T *restrict to = y;
  const T *restrict from = x;
  if (lanes == 1) {
    for (int64_t f = 0; f < features; f++) to[f] = from[index[f] * lead];
    return;
  }
  for (int64_t f = 0; f < features; f++)
    memcpy(to + f * lanes, from + index[f] * lead, (size_t)lanes * sizeof(T));
}

static void NAME(scatter_runs)(int64_t features, int64_t lanes, void *y, int64_t lead,
                               const void *x, const int32_t *index) {
  T *restrict to = y;
  const T *restrict from = x;
  if (lanes == 1) {
    for (int64_t f = 0; f < features; f++) to[index[f] * lead] += from[f];
    return;
  }
  for (int64_t f = 0; f < features; f++)
    NAME(add_run)(lanes, to + index[f] * lead, from + f * lanes);
}

static void NAME(add_strip)(int64_t features, int64_t lanes, void *sums, const void *x) {
  T *sum = sums;
  const T *from = x;
  if (lanes == 1) {
    int64_t f = 0;
    for (; f + PARTIALS <= features; f += PARTIALS) NAME(add_run)(PARTIALS, sum, from + f);
    NAME(add_run)(features - f, sum, from + f);
    return;
  }
  int64_t start = 0;
  for (; start + 8 * LANES <= lanes; start += 8 * LANES)
    NAME(add_block)(8, true, features, lanes, sum + start, from + start);
  for (; start + 2 * LANES <= lanes; start += 2 * LANES)
    NAME(add_block)(2, true, features, lanes, sum + start, from + start);
  for (int64_t f = 0; f < features && start < lanes; f++)
    NAME(add_run)(lanes - start, sum + start, from + f * lanes + start);
}

static void NAME(end_sum)(void *y, const void *sums) {
  T partial[PARTIALS];
  memcpy(partial, sums, sizeof partial);
  for (int half = PARTIALS / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) partial[i] += partial[i + half];
  }
  *(T *)y = partial[0];
}
