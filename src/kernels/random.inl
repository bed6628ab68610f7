/* Normals and uniforms of many rows; the two features that Philox gives at a time are made together.
 * Numbers are the same as sl__random_normal's and sl__random_uniform's but for rounding. */

/* Rows are made so many at a time; the last of a run, or all of a short one, go through a buffer:
 * the same code makes every number. */
enum { NAME(DRAWN) = 16 };
#define DRAWN NAME(DRAWN)

/* Numbers of the features that a block serves, the even and the odd one, DRAWN rows of each; NULL:
 * not wanted. */
typedef void NAME(from_units)(int64_t blocks, T *even, T *odd, const double *u, const double *v);

/* sqrt(-2 log u) times the cosine of v turns, and times the sine. */
INLINE void NAME(box_muller)(double u, double v, T *cosine, T *sine) {
  const double turned = v * 4 + ROUNDER_F64;
  const T angle = (T)((v * 4 - (turned - ROUNDER_F64)) * 1.57079632679489661923);
  const T radius = NAME(root)(-2 * NAME(log_of_unit)(u));
  *cosine = radius * NAME(sine_of_parts)(angle, NAME(turns)(turned) + 1);
  *sine = radius * NAME(sine_of_parts)(angle, NAME(turns)(turned));
}

NOT_INLINE void NAME(normals)(int64_t blocks, T *even, T *odd, const double *u, const double *v) {
  for (int64_t k = 0; k < blocks; k++, u += DRAWN, v += DRAWN) {
    T cosine[DRAWN], sine[DRAWN];
    for (int i = 0; i < DRAWN; i++) NAME(box_muller)(u[i], v[i], &cosine[i], &sine[i]);
    if (even) memcpy(even + k * DRAWN, cosine, sizeof cosine);
    if (odd) memcpy(odd + k * DRAWN, sine, sizeof sine);
  }
}

INLINE void NAME(below_one)(int64_t n, T *y, const double *u) {
  const T most = (T)(1 - (sizeof(T) == sizeof(float) ? 0x1p-24 : 0x1p-53));
  for (int64_t i = 0; i < n; i++) y[i] = (T)u[i] < most ? (T)u[i] : most;
}

NOT_INLINE void NAME(uniforms)(int64_t blocks, T *even, T *odd, const double *u, const double *v) {
  if (even) NAME(below_one)(blocks * DRAWN, even, u); /* float must not round up to 1 */
  if (odd) NAME(below_one)(blocks * DRAWN, odd, v);
}

/* One or both features of a block, for all rows. */
INLINE void NAME(random_pair)(sl__random_key key, uint64_t first_row, uint32_t feature,
                              int64_t rows, T *even, T *odd, NAME(from_units) * make) {
  double u[PHILOX_ROWS], v[PHILOX_ROWS];
  T last[2][DRAWN];
  for (int64_t row = 0; row < rows; row += PHILOX_ROWS) {
    const int64_t left = rows - row < PHILOX_ROWS ? rows - row : PHILOX_ROWS;
    const int64_t whole = left / DRAWN, rest = left % DRAWN;
    philox_units(key, first_row + (uint64_t)row, feature, (int)(whole + (rest > 0)) * DRAWN, u, v);
    make(whole, even ? even + row : NULL, odd ? odd + row : NULL, u, v);
    if (rest == 0) continue;
    const int64_t at = whole * DRAWN;
    make(1, last[0], last[1], u + at, v + at);
    if (even) memcpy(even + row + at, last[0], (size_t)rest * sizeof(T));
    if (odd) memcpy(odd + row + at, last[1], (size_t)rest * sizeof(T));
  }
}

INLINE void NAME(random_rows)(sl__random_key key, uint64_t first_row, uint32_t feature,
                              int64_t features, int64_t rows, int64_t lead, T *y,
                              NAME(from_units) * make) {
  while (features > 0) {
    const bool from_odd = feature & 1;
    const int64_t made = !from_odd && features > 1 ? 2 : 1;
    T *odd = from_odd ? y : made == 2 ? y + lead : NULL;
    NAME(random_pair)(key, first_row, feature, rows, from_odd ? NULL : y, odd, make);
    feature += (uint32_t)made;
    features -= made;
    y += made * lead;
  }
}

static void NAME(random_normal)(sl__random_key key, uint64_t first_row, uint32_t feature,
                                int64_t features, int64_t rows, int64_t lead, void *y) {
  NAME(random_rows)(key, first_row, feature, features, rows, lead, y, NAME(normals));
}

static void NAME(random_uniform)(sl__random_key key, uint64_t first_row, uint32_t feature,
                                 int64_t features, int64_t rows, int64_t lead, void *y) {
  NAME(random_rows)(key, first_row, feature, features, rows, lead, y, NAME(uniforms));
}
#undef DRAWN
