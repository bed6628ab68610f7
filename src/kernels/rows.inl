/* Rows in and out: row-major foreign arrays on one side, runs on the other. A square of SQUARE x
 * SQUARE is moved at a time through a buffer, so that both sides are touched by whole cache
 * lines. */
enum { NAME(SQUARE) = 16 };
#define SQUARE NAME(SQUARE)

/* square[f][j] = source[row j][feature f] for the rows and features of one square. */
#define DEFINE_LOAD(foreign, name)                                                        \
  static void NAME(load_##name)(int64_t features, int64_t rows, T square[SQUARE][SQUARE], \
                                const foreign *source, const int64_t *row_offsets,        \
                                int64_t column_stride) {                                  \
    for (int64_t j = 0; j < rows; j++) {                                                  \
      const foreign *from = source + row_offsets[j];                                      \
      for (int64_t f = 0; f < features; f++) square[f][j] = (T)from[f * column_stride];   \
    }                                                                                     \
  }
DEFINE_LOAD(float, from_f32)
DEFINE_LOAD(double, from_f64)
#undef DEFINE_LOAD

#define DEFINE_STORE(foreign, name)                                                             \
  static void NAME(store_##name)(int64_t features, int64_t rows, T square[SQUARE][SQUARE],      \
                                 foreign * target, int64_t row_stride, int64_t column_stride) { \
    for (int64_t j = 0; j < rows; j++) {                                                        \
      foreign *to = target + j * row_stride;                                                    \
      for (int64_t f = 0; f < features; f++) to[f * column_stride] = (foreign)square[f][j];     \
    }                                                                                           \
  }
DEFINE_STORE(float, to_f32)
DEFINE_STORE(double, to_f64)
#undef DEFINE_STORE

static void NAME(load_rows)(int64_t features, int64_t rows, int64_t lead, void *y,
                            const void *source, sl_dtype source_type, int64_t row_stride,
                            int64_t column_stride, const int64_t *index) {
  for (int64_t row = 0; row < lead; row += SQUARE) {
    const int64_t height = lead - row < SQUARE ? lead - row : SQUARE;
    int64_t row_offsets[SQUARE];
    for (int64_t j = 0; j < height; j++) {
      const int64_t place = row + j < rows ? row + j : rows - 1;
      row_offsets[j] = (index ? index[place] : place) * row_stride;
    }
    for (int64_t feature = 0; feature < features; feature += SQUARE) {
      const int64_t width = features - feature < SQUARE ? features - feature : SQUARE;
      const int64_t offset = feature * column_stride;
      T square[SQUARE][SQUARE];
      if (source_type == SL_F32) {
        NAME(load_from_f32)
        (width, height, square, (const float *)source + offset, row_offsets, column_stride);
      } else {
        NAME(load_from_f64)
        (width, height, square, (const double *)source + offset, row_offsets, column_stride);
      }
      for (int64_t f = 0; f < width; f++) {
        memcpy((T *)y + (feature + f) * lead + row, square[f], (size_t)height * sizeof(T));
      }
    }
  }
}

static void NAME(store_rows)(int64_t features, int64_t rows, int64_t lead, const void *x,
                             void *target, sl_dtype target_type, int64_t row_stride,
                             int64_t column_stride) {
  for (int64_t row = 0; row < rows; row += SQUARE) {
    const int64_t height = rows - row < SQUARE ? rows - row : SQUARE;
    for (int64_t feature = 0; feature < features; feature += SQUARE) {
      const int64_t width = features - feature < SQUARE ? features - feature : SQUARE;
      const int64_t offset = row * row_stride + feature * column_stride;
      T square[SQUARE][SQUARE];
      for (int64_t f = 0; f < width; f++) {
        memcpy(square[f], (const T *)x + (feature + f) * lead + row, (size_t)height * sizeof(T));
      }
      if (target_type == SL_F32) {
        NAME(store_to_f32)
        (width, height, square, (float *)target + offset, row_stride, column_stride);
      } else {
        NAME(store_to_f64)
        (width, height, square, (double *)target + offset, row_stride, column_stride);
      }
    }
  }
}

static void NAME(from_other)(int64_t n, void *y, const void *x) {
  T *restrict to = y;
  const OTHER *restrict from = x;
  for (int64_t i = 0; i < n; i++) to[i] = (T)from[i];
}
