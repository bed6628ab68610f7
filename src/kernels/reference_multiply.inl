/* Reference product of small matrices, element by element in WIDE. */
static void NAME(multiply_matrices)(const sl__matrices *p) {
  for (int64_t lane = 0; lane < p->lanes; lane++) {
    for (int64_t i = 0; i < p->m; i++) {
      for (int64_t j = 0; j < p->n; j++) {
        WIDE sum = 0;
        for (int64_t k = 0; k < p->k; k++) {
          const int64_t a = i * p->a_row + k * p->a_column, b = k * p->b_row + j * p->b_column;
          sum += (WIDE)((const T *)p->a)[p->a_lanes > 1 ? a * p->lanes + lane : a] *
                 (WIDE)((const T *)p->b)[p->b_lanes > 1 ? b * p->lanes + lane : b];
        }
        ((T *)p->y)[(i * p->n + j) * p->lanes + lane] = (T)sum;
      }
    }
  }
}
