/* The matrix product: C is cut into panels of PANEL columns and tiles of at most TILE_ROWS rows.
 * Per panel, k is walked in chunks, so that the panel's part of B stays in the first-level cache
 * while all tiles use it. The sum of an element waits in C between chunks: it is the same chain of
 * additions, k ascending, however the work is cut. */
#define PANEL (2 * LANES)
#include "kernels/product_tile.inl"
#include "kernels/product_pack.inl"
#include "kernels/product_thin.inl"

enum { NAME(CHUNK) = 256 }; /* of k: with AVX-512 a panel is then 32 KB */

typedef struct NAME(cut) {
  int64_t tiles, panels;
  bool by_panels; /* units are panels, else tiles */
  int64_t tile_begin, tile_end, panel_begin, panel_end; /* what a call runs */
} NAME(cut);

static NAME(cut) NAME(cut_of)(const sl__product *p) {
  NAME(cut) cut = {0};
  cut.tiles = (p->m + TILE_ROWS - 1) / TILE_ROWS;
  cut.panels = (p->n + PANEL - 1) / PANEL;
  cut.by_panels = p->b_transposed ? cut.panels > 1 : cut.panels > cut.tiles;
  return cut;
}

/* A few inputs and outputs: not worth a panel. Only these have a base. */
static bool NAME(is_small)(const sl__product *p) {
  return p->m <= SL__BASE_ROWS && p->k <= SL__BASE_DEPTH && p->n <= SL__BASE_COLUMNS &&
         !p->b_transposed && !p->accumulate && !p->k_begin && !p->k_end && !p->n_end;
}

/* A row of C, 16 columns at a time, of so many terms: what they are multiplied by is kept in
 * registers. To add minus zero changes nothing. */
INLINE void NAME(small_row)(const int terms, const sl__product *p, int64_t m) {
  enum { COLUMNS = 16, REGISTERS = COLUMNS / LANES, MOST_TERMS = 2 };
  static const T zeros[COLUMNS] = {0};
  const T *a = (const T *)p->a + m * p->a_row, *b = p->b;
  const T *base = p->base ? (const T *)p->base + m * p->base_row : zeros;
  const int64_t base_step = p->base ? COLUMNS : 0;
  const vector bias = NAME(all)(p->bias ? ((const T *)p->bias)[m] : -(T)0);
  vector factor[MOST_TERMS];
  UNROLL for (int k = 0; k < terms; k++) factor[k] = NAME(all)(a[k * p->a_column]);
  T *c = (T *)p->c + m * p->c_row, *const end = c + p->n;
  for (; c < end; c += COLUMNS, b += COLUMNS, base += base_step) {
    UNROLL for (int i = 0; i < REGISTERS; i++) {
      vector sum = NAME(load)(base + i * LANES) + bias;
      UNROLL for (int k = 0; k < terms; k++)
        sum += NAME(load)(b + k * p->b_row + i * LANES) * factor[k];
      NAME(store)(c + i * LANES, sum);
    }
  }
}

/* The same of any number of terms. */
static void NAME(small_row_of_many)(const sl__product *p, int64_t m) {
  enum { COLUMNS = 16, REGISTERS = COLUMNS / LANES };
  const T *a = (const T *)p->a + m * p->a_row;
  const T *base = p->base ? (const T *)p->base + m * p->base_row : NULL;
  T *c = (T *)p->c + m * p->c_row;
  for (int64_t n = 0; n < p->n; n += COLUMNS) {
    vector sum[REGISTERS];
    UNROLL for (int i = 0; i < REGISTERS; i++) {
      sum[i] = base ? NAME(load)(base + n + i * LANES) : (vector){0};
      if (p->bias) sum[i] += ((const T *)p->bias)[m];
    }
    const T *b = (const T *)p->b + n;
    for (int64_t k = 0; k < p->k; k++, b += p->b_row) {
      UNROLL for (int i = 0; i < REGISTERS; i++)
        sum[i] += NAME(load)(b + i * LANES) * a[k * p->a_column];
    }
    UNROLL for (int i = 0; i < REGISTERS; i++) NAME(store)(c + n + i * LANES, sum[i]);
  }
}

/* The sums of the tiles. */
NOT_INLINE void NAME(small_run)(const sl__product *p) {
  for (int64_t m = 0; m < p->m; m++) {
    if (p->k == 1)
      NAME(small_row)(1, p, m);
    else if (p->k == 2)
      NAME(small_row)(2, p, m);
    else
      NAME(small_row_of_many)(p, m);
  }
}

static int64_t NAME(product_units)(const sl__product *p) {
  if (NAME(is_thin)(p)) return (p->m + THIN_UNIT - 1) / THIN_UNIT;
  if (NAME(is_small)(p)) return 1;
  const NAME(cut) cut = NAME(cut_of)(p);
  return cut.by_panels ? cut.panels : cut.tiles;
}

static size_t NAME(product_scratch)(const sl__product *p) {
  if (NAME(is_thin)(p)) return p->b_transposed ? 0 : (size_t)(p->n * p->k) * sizeof(T);
  const int64_t depth = p->k < NAME(CHUNK) ? p->k : NAME(CHUNK);
  return p->b_transposed ? (size_t)(depth * PANEL) * sizeof(T) : 0;
}

/* How many columns of row m are wanted. */
INLINE int64_t NAME(wanted)(const sl__product *p, int64_t m) {
  return p->n_end ? p->n_end[m] : p->n;
}

/* Which width of tile has room for so many columns: half a register, one, two. */
INLINE int NAME(width_of)(int64_t columns) {
  return columns <= LANES / 2 ? 0 : columns <= LANES ? 1 : 2;
}

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
  NAME(tiles)[rows][NAME(width_of)(columns)](&t);
  for (int i = 0; i < rows; i++) {
    int64_t limit = NAME(wanted)(p, m + i) - n;
    if (limit > columns) limit = columns;
    if (limit < 0) limit = 0;
    memcpy(c + i * p->c_row, buffer + i * PANEL, (size_t)limit * sizeof(T));
    if (!p->accumulate)
      memset(c + i * p->c_row + limit, 0, (size_t)(columns - limit) * sizeof(T));
  }
}

/* A tile's place: rows m .. m + rows - 1 by the panel from column n on, and its share of k. */
typedef struct NAME(place) {
  int64_t m, n, k_begin, k_end;
  int rows;
} NAME(place);

/* a: the tile's part of A, rows a_row apart; b: the panel's part of B, both from k_begin on. */
static void NAME(run_tile)(const sl__product *p, NAME(place) at, const T *a, int64_t a_row,
                           const T *b, int64_t b_row) {
  const int64_t columns = p->n - at.n < PANEL ? p->n - at.n : PANEL;
  const bool first = at.k_begin == 0;
  int64_t begin = at.k_begin, end = at.k_end, fewest = p->n, most = p->n;
  if (p->k_begin) {
    const int64_t least = smallest(at.rows, p->k_begin + at.m);
    begin = least > begin ? least : begin;
  }
  if (p->k_end) {
    const int64_t last = largest(at.rows, p->k_end + at.m);
    end = last < end ? last : end;
  }
  if (p->n_end) {
    fewest = smallest(at.rows, p->n_end + at.m);
    most = largest(at.rows, p->n_end + at.m);
  }
  if (most <= at.n) { /* beyond the structure */
    for (int i = 0; i < at.rows && first && !p->accumulate; i++) {
      memset((T *)p->c + (at.m + i) * p->c_row + at.n, 0, (size_t)columns * sizeof(T));
    }
    return;
  }
  if (begin >= end) {
    if (!first) return;
    begin = end = at.k_begin; /* only the beginning of the sums is written */
  }
  NAME(tile_arguments) t = {
      .k = end - begin,
      .a = a + (begin - at.k_begin) * p->a_column,
      .a_row = a_row,
      .a_column = p->a_column,
      .b = b + (begin - at.k_begin) * b_row,
      .b_row = b_row,
      .c = (T *)p->c + at.m * p->c_row + at.n,
      .c_row = p->c_row,
      .bias = p->bias && first ? (const T *)p->bias + at.m : NULL,
      .add = p->accumulate || !first,
  };
  const bool is_whole =
      columns % LANES == 0 || !p->b_transposed; /* runs have room for whole registers */
  if (is_whole && fewest >= at.n + columns)
    NAME(tiles)[at.rows][NAME(width_of)(columns)](&t);
  else
    NAME(run_ragged_tile)(p, at.m, at.rows, at.n, columns, t);
}

/* Tiles of nearly equal height. */
static void NAME(place_tile)(const sl__product *p, int64_t tiles, int64_t tile, NAME(place) *at) {
  const int64_t rows = p->m / tiles, longer = p->m % tiles;
  at->m = tile * rows + (tile < longer ? tile : longer);
  at->rows = (int)(rows + (tile < longer));
}

static void NAME(place_chunk)(const sl__product *p, int64_t k, NAME(place) *at) {
  at->k_begin = k;
  at->k_end = p->k - k < NAME(CHUNK) ? p->k : k + NAME(CHUNK);
}

/* The usual order: a panel's part of B stays in the first-level cache while A passes by. */
static void NAME(run_by_panels)(const sl__product *p, NAME(cut) cut, T *scratch) {
  for (int64_t panel = cut.panel_begin; panel < cut.panel_end; panel++) {
    NAME(place) at = {.n = panel * PANEL};
    const int64_t columns = p->n - at.n < PANEL ? p->n - at.n : PANEL;
    for (int64_t k = 0; k == 0 || k < p->k; k += NAME(CHUNK)) {
      NAME(place_chunk)(p, k, &at);
      const T *b = (const T *)p->b + k * p->b_row + at.n;
      if (p->b_transposed) {
        const T *from = (const T *)p->b + at.n * p->b_row + k;
        NAME(pack_panel)(columns, at.k_end - k, from, p->b_row, scratch);
        b = scratch;
      }
      for (int64_t tile = cut.tile_begin; tile < cut.tile_end; tile++) {
        NAME(place_tile)(p, cut.tiles, tile, &at);
        const T *a = (const T *)p->a + at.m * p->a_row + k * p->a_column;
        NAME(run_tile)(p, at, a, p->a_row, b, p->b_transposed ? PANEL : p->b_row);
      }
    }
  }
}

/* Rows of A a multiple of 4 KB apart share one set of the first-level cache, which does not hold a
 * tile of them. Then a tile's part of A is copied, its rows side by side, and B passes by. */
static void NAME(run_by_tiles)(const sl__product *p, NAME(cut) cut) {
  enum { APART = NAME(CHUNK) + 64 / (int)sizeof(T) };
  T copy[TILE_ROWS * APART];
  for (int64_t k = 0; k == 0 || k < p->k; k += NAME(CHUNK)) {
    NAME(place) at;
    NAME(place_chunk)(p, k, &at);
    for (int64_t tile = cut.tile_begin; tile < cut.tile_end; tile++) {
      NAME(place_tile)(p, cut.tiles, tile, &at);
      for (int i = 0; i < at.rows; i++) {
        const T *row = (const T *)p->a + (at.m + i) * p->a_row + k;
        memcpy(copy + i * APART, row, (size_t)(at.k_end - k) * sizeof(T));
      }
      for (int64_t panel = cut.panel_begin; panel < cut.panel_end; panel++) {
        at.n = panel * PANEL;
        const T *b = (const T *)p->b + k * p->b_row + at.n;
        NAME(run_tile)(p, at, copy, APART, b, p->b_row);
      }
    }
  }
}

NOT_INLINE void NAME(tiled_run)(const sl__product *p, int64_t unit_begin, int64_t unit_end,
                                void *scratch) {
  assert(!p->base);
  NAME(cut) cut = NAME(cut_of)(p);
  cut.panel_begin = cut.by_panels ? unit_begin : 0;
  cut.panel_end = cut.by_panels ? unit_end : cut.panels;
  cut.tile_begin = cut.by_panels ? 0 : unit_begin;
  cut.tile_end = cut.by_panels ? cut.tiles : unit_end;
  const bool rows_collide = p->a_column == 1 && p->a_row * (int64_t)sizeof(T) % 4096 == 0;
  if (rows_collide && !p->b_transposed)
    NAME(run_by_tiles)(p, cut);
  else
    NAME(run_by_panels)(p, cut, scratch);
}

static void NAME(product_run)(const sl__product *p, int64_t unit_begin, int64_t unit_end,
                              void *scratch) {
  if (NAME(is_thin)(p))
    NAME(thin_run)(p, unit_begin, unit_end, scratch);
  else if (NAME(is_small)(p))
    NAME(small_run)(p);
  else
    NAME(tiled_run)(p, unit_begin, unit_end, scratch);
}
