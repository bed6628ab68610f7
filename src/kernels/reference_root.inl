/* Reference search for roots: plain bisection, down to the last two numbers. */
enum { NAME(LOW), NAME(HIGH), NAME(KNOWS_LOW), NAME(KNOWS_HIGH), NAME(DONE) };

static void NAME(root_begin)(int64_t features, int64_t rows, int64_t lead, void *state, void *x,
                             const void *y, const void *low, const void *high) {
  for (int64_t i = 0; i < features * lead; i++) {
    T *s = (T *)state + i * SL__ROOT_STATE;
    s[NAME(LOW)] = ((const T *)low)[i];
    s[NAME(HIGH)] = ((const T *)high)[i];
    s[NAME(KNOWS_LOW)] = s[NAME(KNOWS_HIGH)] = 0;
    s[NAME(DONE)] = i % lead >= rows || ((const T *)y)[i] - ((const T *)y)[i] != 0;
    ((T *)x)[i] = s[NAME(DONE)] != 0 ? (T)NAN : s[NAME(LOW)];
  }
}

/* First the ends, each moved outwards until it is one; then halves. */
static int64_t NAME(root_step)(int64_t n, void *state, void *x_, const void *y, const void *f,
                               const void *slope) {
  (void)slope;
  int64_t searching = 0;
  for (int64_t i = 0; i < n; i++) {
    T *s = (T *)state + i * SL__ROOT_STATE, *x = (T *)x_ + i;
    if (s[NAME(DONE)] != 0) continue;
    const T width = s[NAME(HIGH)] - s[NAME(LOW)];
    const bool below = ((const T *)f)[i] < ((const T *)y)[i];
    s[below ? NAME(LOW) : NAME(HIGH)] = *x;
    s[below ? NAME(KNOWS_LOW) : NAME(KNOWS_HIGH)] = 1;
    if (below && s[NAME(KNOWS_HIGH)] == 0 && *x >= s[NAME(HIGH)]) s[NAME(HIGH)] = *x + 2 * width;
    if (!below && s[NAME(KNOWS_LOW)] == 0 && *x <= s[NAME(LOW)]) s[NAME(LOW)] = *x - 2 * width;
    const bool known = s[NAME(KNOWS_LOW)] * s[NAME(KNOWS_HIGH)] != 0;
    const T middle = s[NAME(LOW)] / 2 + s[NAME(HIGH)] / 2;
    if (known && (middle <= s[NAME(LOW)] || middle >= s[NAME(HIGH)])) {
      s[NAME(DONE)] = 1;
      continue;
    }
    *x = known ? middle : s[NAME(KNOWS_LOW)] != 0 ? s[NAME(HIGH)] : s[NAME(LOW)];
    if (*x - *x != 0) {
      *x = (T)NAN;
      s[NAME(DONE)] = 1;
    }
    searching += s[NAME(DONE)] == 0;
  }
  return searching;
}

static void NAME(root_end)(int64_t n, const void *state, void *x) {
  for (int64_t i = 0; i < n; i++) {
    if (((const T *)state)[i * SL__ROOT_STATE + NAME(DONE)] == 0) ((T *)x)[i] = (T)NAN;
  }
}
