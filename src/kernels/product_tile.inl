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

#define TILE_FUNCTION NAME(tile)
#define TILE_VECTOR vector
#define TILE_LOAD NAME(load)
#define TILE_STORE NAME(store)
#define TILE_LANES LANES
#include "kernels/product_tile_body.inl"

/* The last few columns of a run need no more than half a register, which is half the work where
 * registers are wide. */
#define TILE_FUNCTION NAME(half_tile)
#define TILE_VECTOR half_vector
#define TILE_LOAD NAME(load_half)
#define TILE_STORE NAME(store_half)
#define TILE_LANES (LANES / 2)
#include "kernels/product_tile_body.inl"

#define TILE(rows, width)                                                          \
  static void NAME(tile_##rows##_##width)(const NAME(tile_arguments) *t) {         \
    NAME(tile)(rows, width, t);                                                    \
  }
#define HALF_TILE(rows)                                                            \
  static void NAME(half_tile_##rows)(const NAME(tile_arguments) *t) {              \
    NAME(half_tile)(rows, 1, t);                                                   \
  }
#define TILES(rows) TILE(rows, 1) TILE(rows, 2) HALF_TILE(rows)
#define TILE_NAMES(rows) \
  [rows] = {NAME(half_tile_##rows), NAME(tile_##rows##_1), NAME(tile_##rows##_2)}
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

/* By rows, and by width: half a register, one, two. */
static void (*const NAME(tiles)[TILE_ROWS + 1][3])(const NAME(tile_arguments) *) = {
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
#undef HALF_TILE
#undef TILES
#undef TILE_NAMES
