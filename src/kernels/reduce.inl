/* Reductions and scans. Sums inside a run use PARTIALS interleaved partial sums and then a binary
 * tree, whatever the register width, so that every instruction set adds in the same order. */

INLINE void NAME(add_run)(int64_t n, T *restrict sum, const T *restrict x) {
  for (int64_t i = 0; i < n; i++) sum[i] += x[i];
}

/* Sum of x[r] * z[r] over r < n; z NULL: sum of x[r]. */
INLINE T NAME(dot_or_sum)(int64_t n, const T *x, const T *z, bool with_z) {
  enum { REGISTERS = PARTIALS / LANES };
  vector sums[REGISTERS];
  UNROLL for (int i = 0; i < REGISTERS; i++) sums[i] = (vector){0};
  int64_t r = 0;
  for (; r + PARTIALS <= n; r += PARTIALS) {
    UNROLL for (int i = 0; i < REGISTERS; i++) {
      const vector value = NAME(load)(x + r + i * LANES);
      sums[i] += with_z ? value * NAME(load)(z + r + i * LANES) : value;
    }
  }
  T partial[PARTIALS];
  UNROLL for (int i = 0; i < REGISTERS; i++) NAME(store)(partial + i * LANES, sums[i]);
  for (int i = 0; r < n; i++, r++) partial[i] += with_z ? x[r] * z[r] : x[r];
  for (int half = PARTIALS / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) partial[i] += partial[i + half];
  }
  return partial[0];
}

static T NAME(dot)(int64_t n, const T *x, const T *z) {
  return NAME(dot_or_sum)(n, x, z, true);
}

static T NAME(sum)(int64_t n, const T *x) {
  return NAME(dot_or_sum)(n, x, NULL, false);
}

static void NAME(sum_rows)(int64_t features, int64_t rows, int64_t lead, void *y, const void *x,
                           bool accumulate) {
  T *result = y;
  for (int64_t f = 0; f < features; f++) {
    const T sum = NAME(sum)(rows, (const T *)x + f * lead);
    result[f] = accumulate ? result[f] + sum : sum;
  }
}

static void NAME(dot_rows)(int64_t features, int64_t rows, int64_t lead, void *y, const void *x,
                           const void *z, bool accumulate) {
  T *result = y;
  for (int64_t f = 0; f < features; f++) {
    const T sum = NAME(dot)(rows, (const T *)x + f * lead, (const T *)z + f * lead);
    result[f] = accumulate ? result[f] + sum : sum;
  }
}

static void NAME(sum_axis)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x) {
  if (inner == 1) {
    NAME(sum_rows)(outer, axis, axis, y, x, false);
    return;
  }
  for (int64_t o = 0; o < outer; o++) {
    T *sums = (T *)y + o * inner;
    const T *from = (const T *)x + o * axis * inner;
    for (int64_t start = 0; start < inner; start += STRIP) {
      const int64_t width = inner - start < STRIP ? inner - start : STRIP;
      T strip[STRIP] = {0};
      for (int64_t j = 0; j < axis; j++) NAME(add_run)(width, strip, from + j * inner + start);
      memcpy(sums + start, strip, (size_t)width * sizeof(T));
    }
  }
}

/* A NaN anywhere comes through. */
static void NAME(max_axis)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x) {
  for (int64_t o = 0; o < outer; o++) {
    T *restrict best = (T *)y + o * inner;
    const T *restrict from = (const T *)x + o * axis * inner;
    for (int64_t i = 0; i < inner; i++) best[i] = axis > 0 ? from[i] : (T)-INFINITY;
    for (int64_t j = 1; j < axis; j++) {
      const T *restrict now = from + j * inner;
      for (int64_t i = 0; i < inner; i++) {
        best[i] = ((now[i] > best[i]) | (now[i] != now[i])) ? now[i] : best[i];
      }
    }
  }
}

static void NAME(cumulative_sum)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x,
                                 bool reverse) {
  for (int64_t o = 0; o < outer; o++) {
    const int64_t first = (o * axis + (reverse ? axis - 1 : 0)) * inner;
    const int64_t step = reverse ? -inner : inner;
    T *sums = (T *)y + first;
    const T *from = (const T *)x + first;
    for (int64_t j = 0; j < axis; j++, sums += step, from += step) {
      if (j == 0) {
        memmove(sums, from, (size_t)inner * sizeof(T));
        continue;
      }
      SAME_INDEX for (int64_t i = 0; i < inner; i++) sums[i] = sums[i - step] + from[i];
    }
  }
}

static double NAME(sum_squares)(int64_t n, const void *x) {
  enum { PARTS = 16 };
  const T *from = x;
  double sums[PARTS] = {0};
  int64_t i = 0;
  for (; i + PARTS <= n; i += PARTS) {
    for (int j = 0; j < PARTS; j++) sums[j] += (double)from[i + j] * (double)from[i + j];
  }
  for (int j = 0; i < n; i++, j++) sums[j] += (double)from[i] * (double)from[i];
  for (int half = PARTS / 2; half > 0; half /= 2) {
    for (int j = 0; j < half; j++) sums[j] += sums[j + half];
  }
  return sums[0];
}
