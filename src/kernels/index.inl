/* Indexing with an index per lane. Short axes are walked whole, comparing every position with the
 * index: contiguous loads and selects, where gathering would read lane by lane. */

/* The index as a number in 0..count-1, not yet cut to an integer; NaN gives 0. */
INLINE T NAME(clamped)(T index, T last) {
  const T positive = index > 0 ? index : 0;
  return positive < last ? positive : last;
}

static void NAME(take)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x,
                       const void *index) {
  enum { WALK_AT_MOST = 24 };
  const T last = (T)(axis - 1);
  for (int64_t o = 0; o < outer; o++) {
    const T *from = (const T *)x + o * axis * inner;
    const T *at = (const T *)index + o * inner;
    T *to = (T *)y + o * inner;
    if (axis > WALK_AT_MOST) {
      for (int64_t i = 0; i < inner; i++) {
        to[i] = from[(int64_t)NAME(clamped)(at[i], last) * inner + i];
      }
      continue;
    }
    for (int64_t start = 0; start < inner; start += STRIP) {
      const int64_t width = inner - start < STRIP ? inner - start : STRIP;
      T found[STRIP];
      memcpy(found, from + start, (size_t)width * sizeof(T));
      for (int64_t j = 1; j < axis; j++) {
        const T *now = from + j * inner + start;
        for (int64_t i = 0; i < width; i++) found[i] = at[start + i] >= (T)j ? now[i] : found[i];
      }
      memcpy(to + start, found, (size_t)width * sizeof(T));
    }
  }
}

static void NAME(put)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x,
                      const void *index) {
  const T last = (T)(axis - 1);
  for (int64_t o = 0; o < outer; o++) {
    const T *restrict from = (const T *)x + o * inner;
    const T *restrict at = (const T *)index + o * inner;
    for (int64_t j = 0; j < axis; j++) {
      T *restrict to = (T *)y + (o * axis + j) * inner;
      for (int64_t i = 0; i < inner; i++) {
        const T place = NAME(clamped)(at[i], last);
        to[i] = ((place >= (T)j) & (place < (T)(j + 1))) ? from[i] : 0;
      }
    }
  }
}

static void NAME(search)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *knots,
                         const void *x) {
  for (int64_t o = 0; o < outer; o++) {
    const T *wanted = (const T *)x + o * inner;
    for (int64_t start = 0; start < inner; start += STRIP) {
      const int64_t width = inner - start < STRIP ? inner - start : STRIP;
      T count[STRIP] = {0};
      for (int64_t j = 0; j < axis; j++) {
        const T *knot = (const T *)knots + (o * axis + j) * inner + start;
        for (int64_t i = 0; i < width; i++) count[i] += knot[i] <= wanted[start + i] ? (T)1 : (T)0;
      }
      memcpy((T *)y + o * inner + start, count, (size_t)width * sizeof(T));
    }
  }
}
