/* Products of small matrices whose elements are runs of lanes or single numbers. Every element of
 * the result is one sum in the order of k, started at zero, so that neither the tiles nor the
 * number of lanes change a bit of it; only a dot product of two contiguous rows of numbers is cut
 * into interleaved sums (product_thin.inl). */
enum { NAME(RUN_BLOCK) = 16, NAME(RUN_REGISTERS) = NAME(RUN_BLOCK) / LANES };
#define RUN_BLOCK     NAME(RUN_BLOCK)
#define RUN_REGISTERS NAME(RUN_REGISTERS)

/* Register r of element (x, lane): a run's, or a number in all lanes. */
INLINE vector NAME(lanes_of)(const T *x, bool is_run, int r) {
  if (is_run) return NAME(load)(x + r * LANES);
  vector value = {0};
  UNROLL for (int l = 0; l < LANES; l++) value[l] = x[0];
  return value;
}

/* RUN_BLOCK lanes from `lane` of a tile of rows x columns elements. */
INLINE void NAME(matrix_tile)(const int rows, const int columns, const bool a_runs,
                              const bool b_runs, const sl__matrices *p, int64_t i, int64_t j,
                              int64_t lane) {
  const int64_t a_row = p->a_row * p->a_lanes, a_column = p->a_column * p->a_lanes;
  const int64_t b_row = p->b_row * p->b_lanes, b_column = p->b_column * p->b_lanes;
  const T *a = (const T *)p->a + i * a_row + (a_runs ? lane : 0);
  const T *b = (const T *)p->b + j * b_column + (b_runs ? lane : 0);
  vector sum[2][2][RUN_REGISTERS];
  UNROLL for (int s = 0; s < 4 * RUN_REGISTERS; s++)(&sum[0][0][0])[s] = (vector){0};
  for (int64_t k = 0; k < p->k; k++, a += a_column, b += b_row) {
    UNROLL for (int r = 0; r < RUN_REGISTERS; r++) {
      UNROLL for (int x = 0; x < rows; x++) {
        const vector left = NAME(lanes_of)(a + x * a_row, a_runs, r);
        UNROLL for (int y = 0; y < columns; y++) {
          sum[x][y][r] += left * NAME(lanes_of)(b + y * b_column, b_runs, r);
        }
      }
    }
  }
  UNROLL for (int x = 0; x < rows; x++) {
    UNROLL for (int y = 0; y < columns; y++) {
      T *to = (T *)p->y + ((i + x) * p->n + j + y) * p->lanes + lane;
      UNROLL for (int r = 0; r < RUN_REGISTERS; r++) NAME(store)(to + r * LANES, sum[x][y][r]);
    }
  }
}

INLINE void NAME(matrix_tiles)(const bool a_runs, const bool b_runs, const sl__matrices *p,
                               int64_t lane) {
  for (int64_t i = 0; i < p->m; i += 2) {
    for (int64_t j = 0; j < p->n; j += 2) {
      if (i + 1 < p->m && j + 1 < p->n)
        NAME(matrix_tile)(2, 2, a_runs, b_runs, p, i, j, lane);
      else if (i + 1 < p->m)
        NAME(matrix_tile)(2, 1, a_runs, b_runs, p, i, j, lane);
      else if (j + 1 < p->n)
        NAME(matrix_tile)(1, 2, a_runs, b_runs, p, i, j, lane);
      else
        NAME(matrix_tile)(1, 1, a_runs, b_runs, p, i, j, lane);
    }
  }
}

/* Lanes from `lane` on, one by one. */
static void NAME(matrix_rest)(const sl__matrices *p, int64_t lane) {
  const bool a_runs = p->a_lanes > 1, b_runs = p->b_lanes > 1;
  for (; lane < p->lanes; lane++) {
    for (int64_t i = 0; i < p->m; i++) {
      for (int64_t j = 0; j < p->n; j++) {
        const T *a = (const T *)p->a + i * p->a_row * p->a_lanes + (a_runs ? lane : 0);
        const T *b = (const T *)p->b + j * p->b_column * p->b_lanes + (b_runs ? lane : 0);
        T sum = 0;
        for (int64_t k = 0; k < p->k; k++)
          sum += a[k * p->a_column * p->a_lanes] * b[k * p->b_row * p->b_lanes];
        ((T *)p->y)[(i * p->n + j) * p->lanes + lane] = sum;
      }
    }
  }
}

/* y[x][w] = sum over k of number[x][k] line[k][w], for so many rows and columns from w = 0 on. */
typedef struct NAME(lines) {
  int64_t k;
  T *y;
  const T *number, *line;
  int64_t y_row, number_row, number_column, line_row;
} NAME(lines);

INLINE void NAME(wide_tile)(const int rows, const int registers, const NAME(lines) * t) {
  vector sum[4][4];
  UNROLL for (int s = 0; s < 16; s++)(&sum[0][0])[s] = (vector){0};
  const T *number = t->number, *line = t->line;
  for (int64_t k = 0; k < t->k; k++, number += t->number_column, line += t->line_row) {
    UNROLL for (int r = 0; r < registers; r++) {
      const vector loaded = NAME(load)(line + r * LANES);
      UNROLL for (int x = 0; x < rows; x++) sum[x][r] += number[x * t->number_row] * loaded;
    }
  }
  UNROLL for (int x = 0; x < rows; x++) {
    UNROLL for (int r = 0; r < registers; r++)
        NAME(store)(t->y + x * t->y_row + r * LANES, sum[x][r]);
  }
}

INLINE void NAME(narrow_tile)(const int columns, const NAME(lines) * t) {
  T sum[4] = {0};
  const T *number = t->number, *line = t->line;
  for (int64_t k = 0; k < t->k; k++, number += t->number_column, line += t->line_row) {
    UNROLL for (int w = 0; w < columns; w++) sum[w] += number[0] * line[w];
  }
  UNROLL for (int w = 0; w < columns; w++) t->y[w] = sum[w];
}

INLINE void NAME(tile_of)(int64_t rows, const int registers, const NAME(lines) * t) {
  NAME(lines) u = *t;
  for (; rows >= 4; rows -= 4, u.y += 4 * u.y_row, u.number += 4 * u.number_row)
    NAME(wide_tile)(4, registers, &u);
  for (; rows > 0; rows--, u.y += u.y_row, u.number += u.number_row)
    NAME(wide_tile)(1, registers, &u);
}

static void NAME(multiply_lines)(int64_t rows, int64_t width, const NAME(lines) * t) {
  NAME(lines) u = *t;
  int64_t left = width;
  for (; left >= 4 * LANES; left -= 4 * LANES, u.y += 4 * LANES, u.line += 4 * LANES)
    NAME(tile_of)(rows, 4, &u);
  for (; left >= LANES; left -= LANES, u.y += LANES, u.line += LANES) NAME(tile_of)(rows, 1, &u);
  for (int64_t x = 0; x < rows && left > 0; x++) {
    NAME(lines) v = u;
    v.y += x * u.y_row;
    v.number += x * u.number_row;
    int64_t rest = left;
    for (; rest >= 4; rest -= 4, v.y += 4, v.line += 4) NAME(narrow_tile)(4, &v);
    switch (rest) {
      case 3: NAME(narrow_tile)(3, &v); break;
      case 2: NAME(narrow_tile)(2, &v); break;
      case 1: NAME(narrow_tile)(1, &v); break;
      default: break;
    }
  }
}

/* What `dots` makes of up to four terms. */
static void NAME(short_dots)(const sl__matrices *p) {
  const T *a = p->a, *b = p->b;
  for (int64_t i = 0; i < p->m; i++, a += p->a_row) {
    T term[4] = {0};
    for (int64_t k = 0; k < p->k; k++) term[k] += a[k] * b[k];
    ((T *)p->y)[i] = (term[0] + term[2]) + (term[1] + term[3]);
  }
}

/* Everything is numbers: along whatever lies side by side. */
static void NAME(multiply_numbers)(const sl__matrices *p) {
  if (p->n == 1 && p->a_column == 1 && p->b_row == 1 && p->k <= 4) {
    NAME(short_dots)(p);
  } else if (p->n == 1 && p->a_column == 1 && p->b_row == 1) {
    int64_t i = 0;
    for (; i + THIN_ROWS <= p->m; i += THIN_ROWS) {
      const T *a = (const T *)p->a + i * p->a_row;
      NAME(dots)(THIN_ROWS, 0, p->k, p->k, a, p->a_row, p->b, (T *)p->y + i);
    }
    for (; i < p->m; i++) {
      T sums[THIN_ROWS];
      NAME(dots)(1, 0, p->k, p->k, (const T *)p->a + i * p->a_row, p->a_row, p->b, sums);
      ((T *)p->y)[i] = sums[0];
    }
  } else if (p->n == 1 && p->a_row == 1) {
    const NAME(lines) t = {p->k, p->y, p->b, p->a, p->m, 1, p->b_row, p->a_column};
    NAME(multiply_lines)(1, p->m, &t);
  } else if (p->b_column == 1) {
    const NAME(lines) t = {p->k, p->y, p->a, p->b, p->n, p->a_row, p->a_column, p->b_row};
    NAME(multiply_lines)(p->m, p->n, &t);
  } else {
    NAME(matrix_rest)(p, 0);
  }
}

static void NAME(multiply_matrices)(const sl__matrices *p) {
  if (p->lanes == 1) {
    NAME(multiply_numbers)(p);
    return;
  }
  int64_t lane = 0;
  for (; lane + RUN_BLOCK <= p->lanes; lane += RUN_BLOCK) {
    if (p->a_lanes > 1 && p->b_lanes > 1)
      NAME(matrix_tiles)(true, true, p, lane);
    else if (p->a_lanes > 1)
      NAME(matrix_tiles)(true, false, p, lane);
    else if (p->b_lanes > 1)
      NAME(matrix_tiles)(false, true, p, lane);
    else
      NAME(matrix_tiles)(false, false, p, lane);
  }
  NAME(matrix_rest)(p, lane);
}
#undef RUN_BLOCK
#undef RUN_REGISTERS
