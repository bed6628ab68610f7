/* The inner part of the product: a tile of a few rows of C by one or two registers' width, held in
 * registers while k runs. Every element of B read from the first-level cache meets all rows of the
 * tile, every element of A (broadcast) both registers, which is what keeps the multipliers and not
 * the loads busy: with AVX-512 14 x 2 sums, 2 registers of B and 14 broadcasts fill the 32
 * registers (Goto & van de Geijn 2008; BLIS; libxsmm). */

typedef struct NAME(tile_arguments) {
  int64_t k;
  const T *a; /* (rows, k) */
  int64_t a_row, a_column;
  const T *b; /* [k][width * LANES] */
  int64_t b_row;
  T *c; /* [rows][width * LANES] */
  int64_t c_row;
  const T *bias; /* [rows] or NULL */
  bool add;      /* to what is in c */
} NAME(tile_arguments);

INLINE void NAME(tile)(const int rows, const int width, const NAME(tile_arguments) *t) {
  vector sum[TILE_ROWS][2];
  UNROLL for (int i = 0; i < rows; i++) {
    UNROLL for (int j = 0; j < width; j++) {
      sum[i][j] = t->add ? NAME(load)(t->c + i * t->c_row + j * LANES) : (vector){0};
      if (t->bias) sum[i][j] += t->bias[i];
    }
  }
  const int64_t a_row = t->a_row, a_column = t->a_column, b_row = t->b_row;
  /* Fourteen rows are addressed from three of them by multiples 0 to 4 of a_row: all of it stays in
   * registers, where fourteen offsets would not. */
  const T *a = t->a, *b = t->b;
  const T *a_5 = rows > 5 ? a + 5 * a_row : a, *a_10 = rows > 10 ? a + 10 * a_row : a;
  for (int64_t k = t->k; k > 0; k--) {
    vector right[2];
    UNROLL for (int j = 0; j < width; j++) right[j] = NAME(load)(b + j * LANES);
    UNROLL for (int i = 0; i < rows; i++) {
      const T left = (i < 5 ? a : i < 10 ? a_5 : a_10)[i % 5 * a_row];
      UNROLL for (int j = 0; j < width; j++) sum[i][j] += right[j] * left;
    }
    a += a_column;
    a_5 += a_column;
    a_10 += a_column;
    b += b_row;
  }
  UNROLL for (int i = 0; i < rows; i++) {
    UNROLL for (int j = 0; j < width; j++) NAME(store)(t->c + i * t->c_row + j * LANES, sum[i][j]);
  }
}

#define TILE(rows, width)                                                          \
  static void NAME(tile_##rows##_##width)(const NAME(tile_arguments) *t) {         \
    NAME(tile)(rows, width, t);                                                    \
  }
#define TILES(rows) TILE(rows, 1) TILE(rows, 2)
#define TILE_NAMES(rows) [rows] = {NAME(tile_##rows##_1), NAME(tile_##rows##_2)}
TILES(1) TILES(2) TILES(3) TILES(4)
#if TILE_ROWS > 4
TILES(5) TILES(6)
#endif
#if TILE_ROWS > 6
TILES(7) TILES(8)
#endif
#if TILE_ROWS > 8
TILES(9) TILES(10) TILES(11) TILES(12) TILES(13) TILES(14)
#endif

/* By rows and width - 1. */
static void (*const NAME(tiles)[TILE_ROWS + 1][2])(const NAME(tile_arguments) *) = {
  TILE_NAMES(1), TILE_NAMES(2), TILE_NAMES(3), TILE_NAMES(4),
#if TILE_ROWS > 4
  TILE_NAMES(5), TILE_NAMES(6),
#endif
#if TILE_ROWS > 6
  TILE_NAMES(7), TILE_NAMES(8),
#endif
#if TILE_ROWS > 8
  TILE_NAMES(9), TILE_NAMES(10), TILE_NAMES(11), TILE_NAMES(12), TILE_NAMES(13), TILE_NAMES(14),
#endif
};
#undef TILE
#undef TILES
#undef TILE_NAMES
