/* Products of very few columns, or of very few rows when B is transposed: there A's rows and B's
 * columns lie along k, so elements are dot products, of four rows at a time. Every one has
 * THIN_LANES interleaved partial sums, added up by a binary tree: the order depends neither on the
 * register width nor on the cutting. */
enum { NAME(THIN_LANES) = 16, NAME(THIN_ROWS) = 4, NAME(THIN_UNIT) = 16 };
#define THIN_LANES NAME(THIN_LANES)
#define THIN_ROWS  NAME(THIN_ROWS)
#define THIN_UNIT  NAME(THIN_UNIT)

static bool NAME(is_thin)(const sl__product *p) {
  return p->a_column == 1 && (p->n <= 4 || (p->b_transposed && p->m <= 4));
}

/* Adds up the lanes of four registers by halves: lane j with lane j + LANES / 2 and so on. The
 * first steps interleave two registers, so that all four sums share the additions. */
INLINE void NAME(add_lanes)(const vector sum[THIN_ROWS], T sums[THIN_ROWS]) {
#define HALVED(x, y) \
  (__builtin_shufflevector(x, y, LOW_LANES) + __builtin_shufflevector(x, y, HIGH_LANES))
  const vector even = HALVED(sum[0], sum[2]), odd = HALVED(sum[1], sum[3]);
  T lanes[2 * LANES];
#if LANES == 2
  NAME(store)(lanes, even);
  NAME(store)(lanes + LANES, odd);
  for (int i = 0; i < 4; i++) sums[i] = lanes[(i & 1) * 2 + (i >> 1)];
#else
  const vector all = HALVED(even, odd); /* row i at lanes i, i + 4, ... */
  NAME(store)(lanes, all);
  UNROLL for (int half = LANES / 2; half >= 4; half /= 2) {
    UNROLL for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
  }
  UNROLL for (int i = 0; i < 4; i++) sums[i] = lanes[i];
#endif
#undef HALVED
}

/* The first `count` lanes of what lies there; the others are `other`. */
INLINE vector NAME(load_first)(const T *from, int64_t count, T other) {
  static const WORD numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  NAME(mask) lane;
  memcpy(&lane, numbers, sizeof lane);
  return NAME(choose)(lane < (WORD)count, NAME(load)(from), NAME(all)(other));
}

/* sums[i] = sum over begin <= k < end of a[i][k] * b[k]; begin is a multiple of THIN_LANES. Whole
 * registers may be read as far as `room`. */
INLINE void NAME(dots)(const int rows, int64_t begin, int64_t end, int64_t room, const T *a,
                       int64_t a_row, const T *b, T sums[THIN_ROWS]) {
  enum { REGISTERS = THIN_LANES / LANES };
  vector sum[THIN_ROWS][REGISTERS];
  UNROLL for (int i = 0; i < THIN_ROWS; i++) {
    UNROLL for (int j = 0; j < REGISTERS; j++) sum[i][j] = (vector){0};
  }
  int64_t k = begin;
  for (; k + THIN_LANES <= end; k += THIN_LANES) {
    UNROLL for (int i = 0; i < rows; i++) {
      UNROLL for (int j = 0; j < REGISTERS; j++) {
        sum[i][j] += NAME(load)(a + i * a_row + k + j * LANES) * NAME(load)(b + k + j * LANES);
      }
    }
  }
  if (k < end && k + THIN_LANES <= room) { /* the rest, with zeros behind it */
    UNROLL for (int j = 0; j < REGISTERS; j++) {
      const int64_t at = k + j * LANES, left = end - at;
      const vector right = NAME(load_first)(b + at, left, 0);
      UNROLL for (int i = 0; i < rows; i++) sum[i][j] +=
          NAME(load_first)(a + i * a_row + at, left, 0) * right;
    }
  } else if (k < end) {
    T left[THIN_ROWS][THIN_LANES] = {{0}}, right[THIN_LANES] = {0};
    for (int64_t rest = k; rest < end; rest++) {
      right[rest - k] = b[rest];
      UNROLL for (int i = 0; i < rows; i++) left[i][rest - k] = a[i * a_row + rest];
    }
    UNROLL for (int i = 0; i < rows; i++) {
      UNROLL for (int j = 0; j < REGISTERS; j++) {
        sum[i][j] += NAME(load)(left[i] + j * LANES) * NAME(load)(right + j * LANES);
      }
    }
  }
  vector folded[THIN_ROWS];
  UNROLL for (int i = 0; i < THIN_ROWS; i++) {
    UNROLL for (int half = REGISTERS / 2; half > 0; half /= 2) {
      UNROLL for (int j = 0; j < half; j++) sum[i][j] += sum[i][j + half];
    }
    folded[i] = sum[i][0];
  }
  NAME(add_lanes)(folded, sums);
}

NOT_INLINE void NAME(dots_of)(int rows, int64_t begin, int64_t end, int64_t room, const T *a,
                              int64_t a_row, const T *b, T sums[THIN_ROWS]) {
  switch (rows) {
    case 1: NAME(dots)(1, begin, end, room, a, a_row, b, sums); break;
    case 2: NAME(dots)(2, begin, end, room, a, a_row, b, sums); break;
    case 3: NAME(dots)(3, begin, end, room, a, a_row, b, sums); break;
    default: NAME(dots)(4, begin, end, room, a, a_row, b, sums); break;
  }
}

/* Rows m .. m + rows - 1 of C; column n of B is columns + n * column_stride. */
static void NAME(thin_rows)(const sl__product *p, int64_t m, int rows, const T *columns,
                            int64_t column_stride) {
  const T *a = (const T *)p->a + m * p->a_row, *bias = p->bias, *base = p->base;
  int64_t begin = 0, end = p->k, room = p->b_transposed ? p->room : 0;
  if (p->k_begin) begin = smallest(rows, p->k_begin + m) / THIN_LANES * THIN_LANES;
  if (p->k_end) end = largest(rows, p->k_end + m);
  for (int64_t n = 0; n < p->n; n++) {
    const T *b = columns + n * column_stride;
    T sums[THIN_ROWS];
    NAME(dots_of)(rows, begin, end, room, a, p->a_row, b, sums);
    for (int i = 0; i < rows; i++) {
      T *c = (T *)p->c + (m + i) * p->c_row + n;
      T sum = bias ? sums[i] + bias[m + i] : sums[i];
      if (base) sum += base[(m + i) * p->base_row + n];
      if (!p->n_end || n < p->n_end[m + i])
        *c = p->accumulate ? *c + sum : sum;
      else if (!p->accumulate)
        *c = 0;
    }
  }
}

/* One row of A, the other way round: the rows of B share what is read of it. */
static void NAME(single_row)(const sl__product *p) {
  for (int64_t n = 0; n < p->n; n += THIN_ROWS) {
    const int rows = p->n - n < THIN_ROWS ? (int)(p->n - n) : THIN_ROWS;
    T sums[THIN_ROWS], *c = (T *)p->c + n;
    NAME(dots_of)(rows, 0, p->k, p->room, (const T *)p->b + n * p->b_row, p->b_row, p->a, sums);
    for (int i = 0; i < rows; i++) c[i] = p->accumulate ? c[i] + sums[i] : sums[i];
  }
}

NOT_INLINE void NAME(thin_run)(const sl__product *p, int64_t unit_begin, int64_t unit_end,
                               T *scratch) {
  const bool structured = p->k_begin || p->k_end || p->n_end;
  if (p->m == 1 && p->b_transposed && !structured && !p->bias && !p->base) {
    NAME(single_row)(p);
    return;
  }
  const T *columns = p->b;
  int64_t column_stride = p->b_row;
  if (!p->b_transposed) {
    for (int64_t k = 0; k < p->k; k++) {
      for (int64_t n = 0; n < p->n; n++) scratch[n * p->k + k] = columns[k * p->b_row + n];
    }
    columns = scratch;
    column_stride = p->k;
  }
  const int64_t last = unit_end * THIN_UNIT < p->m ? unit_end * THIN_UNIT : p->m;
  for (int64_t m = unit_begin * THIN_UNIT; m < last; m += THIN_ROWS) {
    const int rows = last - m < THIN_ROWS ? (int)(last - m) : THIN_ROWS;
    NAME(thin_rows)(p, m, rows, columns, column_stride);
  }
}
#undef LOW_LANES
#undef HIGH_LANES
