/* Reference transport of rows, one number at a time. */

static void NAME(load_rows)(int64_t features, int64_t rows, int64_t lead, void *y,
                            const void *source, sl_dtype source_type, int64_t row_stride,
                            int64_t column_stride, const int64_t *index) {
  for (int64_t f = 0; f < features; f++) {
    for (int64_t j = 0; j < lead; j++) {
      const int64_t place = j < rows ? j : rows - 1;
      const int64_t at = (index ? index[place] : place) * row_stride + f * column_stride;
      ((T *)y)[f * lead + j] =
          source_type == SL_F32 ? (T)((const float *)source)[at] : (T)((const double *)source)[at];
    }
  }
}

static void NAME(store_rows)(int64_t features, int64_t rows, int64_t lead, const void *x,
                             void *target, sl_dtype target_type, int64_t row_stride,
                             int64_t column_stride) {
  for (int64_t f = 0; f < features; f++) {
    for (int64_t j = 0; j < rows; j++) {
      const T value = ((const T *)x)[f * lead + j];
      const int64_t at = j * row_stride + f * column_stride;
      if (target_type == SL_F32)
        ((float *)target)[at] = (float)value;
      else
        ((double *)target)[at] = (double)value;
    }
  }
}

static void NAME(from_other)(int64_t n, void *y, const void *x) {
  for (int64_t i = 0; i < n; i++) ((T *)y)[i] = (T)((const OTHER *)x)[i];
}
