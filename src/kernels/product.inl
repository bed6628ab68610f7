/* The matrix product: C is cut into panels of PANEL columns and tiles of at most TILE_ROWS rows. Per panel, k is walked in
 * chunks, so that the panel's part of B stays in the first-level cache while all tiles use it. The sum of an element
 * waits in C between chunks: it is the same chain of additions, k ascending, however the work is cut. */
#define PANEL (2 * LANES)
#include "kernels/product_tile.inl"
#include "kernels/product_pack.inl"
#include "kernels/product_thin.inl"

enum { NAME(CHUNK) = 32 * 1024 / (int)(PANEL * sizeof(T)) }; /* 32 KB of a panel */

typedef struct NAME(cut) {
  int64_t tiles, panels;
  bool by_panels; /* units are panels, else tiles */
} NAME(cut);

static NAME(cut) NAME(cut_of)(const sl__product *p) {
  NAME(cut) cut = {.tiles = (p->m + TILE_ROWS - 1) / TILE_ROWS, .panels = (p->n + PANEL - 1) / PANEL};
  cut.by_panels = p->b_transposed ? cut.panels > 1 : cut.panels > cut.tiles;
  return cut;
}

static int64_t NAME(product_units)(const sl__product *p) {
  if (NAME(is_thin)(p)) return (p->m + THIN_UNIT - 1) / THIN_UNIT;
  const NAME(cut) cut = NAME(cut_of)(p);
  return cut.by_panels ? cut.panels : cut.tiles;
}

static size_t NAME(product_scratch)(const sl__product *p) {
  if (NAME(is_thin)(p)) return p->b_transposed ? 0 : (size_t)(p->n * p->k) * sizeof(T);
  const int64_t depth = p->k < NAME(CHUNK) ? p->k : NAME(CHUNK);
  return p->b_transposed ? (size_t)(depth * PANEL) * sizeof(T) : 0;
}

/* How many columns of row m are wanted. */
INLINE int64_t NAME(wanted)(const sl__product *p, int64_t m) { return p->n_end ? p->n_end[m] : p->n; }

/* A tile that may not be written whole: by way of a buffer. */
static void NAME(run_ragged_tile)(const sl__product *p, int64_t m, int rows, int64_t n,
                                  int64_t columns, NAME(tile_arguments) t) {
  T buffer[TILE_ROWS * PANEL];
  T *c = t.c;
  for (int i = 0; i < rows && t.add; i++) {
    memcpy(buffer + i * PANEL, c + i * p->c_row, (size_t)columns * sizeof(T));
  }
  t.c = buffer;
  t.c_row = PANEL;
  NAME(tiles)[rows][columns > LANES](&t);
  for (int i = 0; i < rows; i++) {
    const int64_t limit = NAME(wanted)(p, m + i) - n;
    for (int64_t j = 0; j < columns; j++) {
      if (j < limit) c[i * p->c_row + j] = buffer[i * PANEL + j];
      else if (!p->accumulate) c[i * p->c_row + j] = 0;
    }
  }
}

/* One tile's share of k from k_begin to k_end; b is the panel's part of B from k_begin on. */
static void NAME(run_tile)(const sl__product *p, int64_t m, int rows, int64_t n, int64_t k_begin,
                           int64_t k_end, const T *b, int64_t b_row) {
  const int64_t columns = p->n - n < PANEL ? p->n - n : PANEL;
  const bool first = k_begin == 0;
  int64_t begin = k_begin, end = k_end, fewest = p->n, most = p->n;
  if (p->k_begin && smallest(rows, p->k_begin + m) > begin) begin = smallest(rows, p->k_begin + m);
  if (p->k_end && largest(rows, p->k_end + m) < end) end = largest(rows, p->k_end + m);
  if (p->n_end) {
    fewest = smallest(rows, p->n_end + m);
    most = largest(rows, p->n_end + m);
  }
  if ((begin >= end || most <= n) && !first) return;
  if (begin >= end || most <= n) begin = end = k_begin;
  NAME(tile_arguments) t = {
    .k = end - begin,
    .a = (const T *)p->a + m * p->a_row + begin * p->a_column,
    .a_row = p->a_row,
    .a_column = p->a_column,
    .b = b + (begin - k_begin) * b_row,
    .b_row = b_row,
    .c = (T *)p->c + m * p->c_row + n,
    .c_row = p->c_row,
    .bias = p->bias && first ? (const T *)p->bias + m : NULL,
    .add = p->accumulate || !first,
  };
  const bool whole = columns % LANES == 0 || !p->b_transposed; /* runs have room for whole registers */
  if (whole && fewest >= n + columns) NAME(tiles)[rows][columns > LANES](&t);
  else NAME(run_ragged_tile)(p, m, rows, n, columns, t);
}

static void NAME(product_run)(const sl__product *p, int64_t unit_begin, int64_t unit_end,
                              void *scratch) {
  if (NAME(is_thin)(p)) {
    NAME(thin_run)(p, unit_begin, unit_end, scratch);
    return;
  }
  const NAME(cut) cut = NAME(cut_of)(p);
  const int64_t panel_begin = cut.by_panels ? unit_begin : 0;
  const int64_t panel_end = cut.by_panels ? unit_end : cut.panels;
  const int64_t tile_begin = cut.by_panels ? 0 : unit_begin;
  const int64_t tile_end = cut.by_panels ? cut.tiles : unit_end;
  const int64_t rows = p->m / cut.tiles, longer = p->m % cut.tiles; /* tiles of nearly equal height */
  for (int64_t panel = panel_begin; panel < panel_end; panel++) {
    const int64_t n = panel * PANEL, columns = p->n - n < PANEL ? p->n - n : PANEL;
    for (int64_t k = 0; k == 0 || k < p->k; k += NAME(CHUNK)) {
      const int64_t k_end = p->k - k < NAME(CHUNK) ? p->k : k + NAME(CHUNK);
      const T *b = (const T *)p->b + k * p->b_row + n;
      if (p->b_transposed) {
        NAME(pack_panel)(columns, k_end - k, (const T *)p->b + n * p->b_row + k, p->b_row, scratch);
        b = scratch;
      }
      for (int64_t tile = tile_begin; tile < tile_end; tile++) {
        const int64_t m = tile * rows + (tile < longer ? tile : longer);
        NAME(run_tile)(p, m, (int)(rows + (tile < longer)), n, k, k_end, b,
                       p->b_transposed ? PANEL : p->b_row);
      }
    }
  }
}
