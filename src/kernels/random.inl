/* Philox normals and uniforms for many rows at a time. */
static void NAME(random_normal)(sl__random_key key, uint64_t first_row, uint32_t feature,
                                int64_t rows, void *y) {
  for (int64_t r = 0; r < rows; r++) {
    ((T *)y)[r] = (T)sl__random_normal(key, first_row + (uint64_t)r, feature);
  }
}

static void NAME(random_uniform)(sl__random_key key, uint64_t first_row, uint32_t feature,
                                 int64_t rows, void *y) {
  for (int64_t r = 0; r < rows; r++) {
    ((T *)y)[r] = (T)sl__random_uniform(key, first_row + (uint64_t)r, feature);
  }
}
