/* A tile of the product in registers of TILE_LANES: included by product_tile.inl once for whole
 * registers and once for halves, as TILE_FUNCTION with TILE_VECTOR, TILE_LOAD and TILE_STORE. */
INLINE void TILE_FUNCTION(const int rows, const int width, const NAME(tile_arguments) *t) {
  TILE_VECTOR sum[TILE_ROWS][2];
  UNROLL for (int i = 0; i < rows; i++) {
    UNROLL for (int j = 0; j < width; j++) {
      sum[i][j] = t->add ? TILE_LOAD(t->c + i * t->c_row + j * TILE_LANES) : (TILE_VECTOR){0};
      if (t->bias) sum[i][j] += t->bias[i];
    }
  }
  const int64_t a_row = t->a_row, a_column = t->a_column, b_row = t->b_row;
  /* Fourteen rows are addressed from three of them by multiples 0 to 4 of a_row: all of it stays in
   * registers, where fourteen offsets would not. */
  const T *a = t->a, *b = t->b;
  const T *a_5 = rows > 5 ? a + 5 * a_row : a, *a_10 = rows > 10 ? a + 10 * a_row : a;
  for (int64_t k = t->k; k > 0; k--) {
    TILE_VECTOR right[2];
    UNROLL for (int j = 0; j < width; j++) right[j] = TILE_LOAD(b + j * TILE_LANES);
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
    UNROLL for (int j = 0; j < width; j++)
      TILE_STORE(t->c + i * t->c_row + j * TILE_LANES, sum[i][j]);
  }
}
#undef TILE_FUNCTION
#undef TILE_VECTOR
#undef TILE_LOAD
#undef TILE_STORE
#undef TILE_LANES
