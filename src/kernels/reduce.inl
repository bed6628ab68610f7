/* Reductions and scans. Sums inside a run use PARTIALS interleaved partial sums and then a binary
 * tree, whatever the register width, so that every instruction set adds in the same order. */

INLINE void NAME(add_run)(int64_t n, T *restrict sum, const T *restrict x) {
  for (int64_t i = 0; i < n; i++) sum[i] += x[i];
}

/* PARTIALS interleaved sums, added up by halves. */
INLINE T NAME(add_up)(vector *sums) {
  enum { REGISTERS = PARTIALS / LANES };
  UNROLL for (int half = REGISTERS / 2; half > 0; half /= 2) {
    UNROLL for (int i = 0; i < half; i++) sums[i] += sums[i + half];
  }
  T lane[LANES];
  NAME(store)(lane, sums[0]);
  UNROLL for (int half = LANES / 2; half > 0; half /= 2) {
    UNROLL for (int i = 0; i < half; i++) lane[i] += lane[i + half];
  }
  return lane[0];
}

/* Sum of x[r] * z[r] over r < n; z NULL: sum of x[r]. Whole registers may be read as far as `room`.
 * Minus zero added changes nothing. */
INLINE T NAME(dot_or_sum)(int64_t n, int64_t room, const T *x, const T *z, bool with_z) {
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
  UNROLL for (int i = 0; i < REGISTERS; i++) { /* what is left, a register at a time */
    if (r < n && r + LANES <= room) {
      const vector value = NAME(load_first)(x + r, n - r, -(T)0);
      sums[i] += with_z ? value * NAME(load_first)(z + r, n - r, 1) : value;
      r += LANES;
    } else if (r < n) {
      T lane[LANES];
      NAME(store)(lane, sums[i]);
      for (int l = 0; r < n; l++, r++) lane[l] += with_z ? x[r] * z[r] : x[r];
      sums[i] = NAME(load)(lane);
    }
  }
  return NAME(add_up)(sums);
}

static T NAME(dot)(int64_t n, const T *x, const T *z) {
  return NAME(dot_or_sum)(n, n, x, z, true);
}

static void NAME(sum_rows)(int64_t features, int64_t rows, int64_t lead, void *y, const void *x,
                           bool accumulate) {
  T *result = y;
  for (int64_t f = 0; f < features; f++) {
    const T sum = NAME(dot_or_sum)(rows, lead, (const T *)x + f * lead, NULL, false);
    result[f] = accumulate ? result[f] + sum : sum;
  }
}

static void NAME(dot_rows)(int64_t features, int64_t rows, int64_t lead, void *y, const void *x,
                           const void *z, bool accumulate) {
  T *result = y;
  for (int64_t f = 0; f < features; f++) {
    const T sum =
        NAME(dot_or_sum)(rows, lead, (const T *)x + f * lead, (const T *)z + f * lead, true);
    result[f] = accumulate ? result[f] + sum : sum;
  }
}

/* sum[0 .. registers * LANES - 1] (+)= x[f * between + ...], f ascending; from zero unless
 * `add`. */
INLINE void NAME(add_block)(const int registers, const bool add, int64_t features, int64_t between,
                            T *sum, const T *x) {
  enum { MOST = 8 };
  vector sums[MOST];
  UNROLL for (int i = 0; i < registers; i++) sums[i] =
      add ? NAME(load)(sum + i * LANES) : (vector){0};
  for (int64_t f = 0; f < features; f++, x += between) {
    UNROLL for (int i = 0; i < registers; i++) sums[i] += NAME(load)(x + i * LANES);
  }
  UNROLL for (int i = 0; i < registers; i++) NAME(store)(sum + i * LANES, sums[i]);
}

/* Sums of a few numbers each, in the order of dot_or_sum, which adds the first half of its lanes to
 * the second, and so on: of up to four numbers there are three additions. */
static void NAME(short_sums)(int64_t outer, int64_t axis, T *restrict y, const T *restrict x) {
  for (int64_t o = 0; o < outer; o++, x += axis) {
    T term[4] = {0};
    for (int64_t j = 0; j < axis; j++) term[j] += x[j];
    y[o] = (term[0] + term[2]) + (term[1] + term[3]);
  }
}

static void NAME(sum_axis)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x) {
  if (inner == 1 && axis <= 4) {
    NAME(short_sums)(outer, axis, y, x);
    return;
  }
  if (inner == 1) {
    NAME(sum_rows)(outer, axis, axis, y, x, false);
    return;
  }
  for (int64_t o = 0; o < outer; o++) {
    T *sums = (T *)y + o * inner;
    const T *from = (const T *)x + o * axis * inner;
    int64_t start = 0;
    for (; start + 8 * LANES <= inner; start += 8 * LANES)
      NAME(add_block)(8, false, axis, inner, sums + start, from + start);
    for (; start + 2 * LANES <= inner; start += 2 * LANES)
      NAME(add_block)(2, false, axis, inner, sums + start, from + start);
    for (; start < inner; start++) {
      T sum = 0;
      for (int64_t j = 0; j < axis; j++) sum += from[j * inner + start];
      sums[start] = sum;
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
