/* Normals and uniforms of many rows, a block at a time; the last block is cut. Numbers are the
 * same as sl__random_normal's and sl__random_uniform's but for rounding. */

/* Makes a block of numbers of the even or the odd feature of its pair. */
typedef void NAME(from_units)(T *restrict y, const double *u, const double *v, int odd);

/* sqrt(-2 log u) times the cosine of v turns, or the sine. */
INLINE T NAME(box_muller)(double u, double v, int sine) {
  const double turned = v * 4 + ROUNDER_F64;
  const double angle = (v * 4 - (turned - ROUNDER_F64)) * 1.57079632679489661923;
  const T radius = NAME(root)(-2 * NAME(log_of_unit)(u));
  return radius * NAME(sine_of_parts)((T)angle, NAME(turns)(turned) + !sine);
}

/* Whole blocks go straight to y, the last through a block of its own: the same code makes every
 * number. */
INLINE void NAME(random_rows)(sl__random_key key, uint64_t first_row, uint32_t feature,
                              int64_t rows, T *y, NAME(from_units) *make) {
  double u[PHILOX_ROWS], v[PHILOX_ROWS];
  T last[PHILOX_ROWS];
  for (int64_t row = 0; row < rows; row += PHILOX_ROWS) {
    const bool is_whole = rows - row >= PHILOX_ROWS;
    philox_units(key, first_row + (uint64_t)row, feature, u, v);
    make(is_whole ? y + row : last, u, v, feature & 1);
    if (!is_whole) memcpy(y + row, last, (size_t)(rows - row) * sizeof(T));
  }
}

NOT_INLINE void NAME(normals)(T *restrict y, const double *u, const double *v, int odd) {
  for (int i = 0; i < PHILOX_ROWS; i++) y[i] = NAME(box_muller)(u[i], v[i], odd);
}

NOT_INLINE void NAME(uniforms)(T *restrict y, const double *u, const double *v, int odd) {
  const T below_one = (T)(1 - (sizeof(T) == sizeof(float) ? 0x1p-24 : 0x1p-53));
  const double *chosen = odd ? v : u;
  for (int i = 0; i < PHILOX_ROWS; i++) { /* float must not round up to 1 */
    y[i] = (T)chosen[i] < below_one ? (T)chosen[i] : below_one;
  }
}

static void NAME(random_normal)(sl__random_key key, uint64_t first_row, uint32_t feature,
                                int64_t rows, void *y) {
  NAME(random_rows)(key, first_row, feature, rows, y, NAME(normals));
}

static void NAME(random_uniform)(sl__random_key key, uint64_t first_row, uint32_t feature,
                                 int64_t rows, void *y) {
  NAME(random_rows)(key, first_row, feature, rows, y, NAME(uniforms));
}
