/* Packing of the transposed right operand: b[n][k] becomes panels [k][PANEL]. */

#if LANES == 2
#define LOW_LANES  0, 2
#define HIGH_LANES 1, 3
#elif LANES == 4
#define LOW_LANES  0, 4, 1, 5
#define HIGH_LANES 2, 6, 3, 7
#elif LANES == 8
#define LOW_LANES  0, 8, 1, 9, 2, 10, 3, 11
#define HIGH_LANES 4, 12, 5, 13, 6, 14, 7, 15
#elif LANES == 16
#define LOW_LANES  0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_LANES 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#endif

/* to[k][n] = from[n][k], LANES x LANES, by perfect shuffles: interleaving row i with row i + LANES
 * / 2, log2(LANES) times, transposes a square (Stone 1971). */
INLINE void NAME(transpose)(T *to, int64_t to_row, const T *from, int64_t from_row) {
  vector x[LANES], y[LANES];
  UNROLL for (int i = 0; i < LANES; i++) x[i] = NAME(load)(from + i * from_row);
  UNROLL for (int step = 1; step < LANES; step *= 2) {
    UNROLL for (int i = 0; i < LANES / 2; i++) {
      y[2 * i] = __builtin_shufflevector(x[i], x[i + LANES / 2], LOW_LANES);
      y[2 * i + 1] = __builtin_shufflevector(x[i], x[i + LANES / 2], HIGH_LANES);
    }
    UNROLL for (int i = 0; i < LANES; i++) x[i] = y[i];
  }
  UNROLL for (int i = 0; i < LANES; i++) NAME(store)(to + i * to_row, x[i]);
}

/* to[k][PANEL] from `columns` <= PANEL rows of b; lanes beyond the last whole register are not
 * written. */
static void NAME(pack_panel)(int64_t columns, int64_t k, const T *b, int64_t b_row, T *to) {
  for (int64_t n = 0; n < columns; n += LANES) {
    const T *from = b + n * b_row;
    const int64_t count = columns - n < LANES ? columns - n : LANES;
    int64_t i = 0;
    if (count == LANES) {
      for (; i + LANES <= k; i += LANES)
        NAME(transpose)(to + i * PANEL + n, PANEL, from + i, b_row);
    }
    for (; i < k; i++) {
      for (int64_t j = 0; j < LANES; j++)
        to[i * PANEL + n + j] = j < count ? from[j * b_row + i] : 0;
    }
  }
}
