/* Reference factorisations: lane by lane, textbook loops in WIDE. The element (i, j) of lane q of
 * a matrix with `columns` columns is x[(i * columns + j) * lanes + q]. */

static void NAME(cholesky)(int64_t n, int64_t lanes, void *l, const void *a) {
  T *factor = l;
  for (int64_t q = 0; q < lanes; q++) {
    for (int64_t i = 0; i < n; i++) {
      for (int64_t j = 0; j < n; j++) {
        WIDE sum = j <= i ? ((const T *)a)[(i * n + j) * lanes + q] : 0;
        for (int64_t k = 0; k < j && j <= i; k++) {
          sum -= (WIDE)factor[(i * n + k) * lanes + q] * factor[(j * n + k) * lanes + q];
        }
        if (j == i) sum = sum > 0 ? MATH(sqrt)(sum) : (WIDE)NAN;
        if (j < i) sum /= factor[(j * n + j) * lanes + q];
        factor[(i * n + j) * lanes + q] = (T)sum;
      }
    }
  }
}

static void NAME(triangular_solve)(int64_t n, int64_t m, int64_t lanes, int64_t t_lanes, void *y,
                                   const void *t, const void *b, bool upper, bool transposed,
                                   bool unit_diagonal) {
  const T *right = b, *triangle = t;
  T *solution = y;
  const bool backward = upper != transposed;
  for (int64_t q = 0; q < lanes; q++) {
    const int64_t t_lane = t_lanes == 1 ? 0 : q;
    for (int64_t column = 0; column < m; column++) {
      for (int64_t step = 0; step < n; step++) {
        const int64_t i = backward ? n - 1 - step : step;
        WIDE sum = right[(i * m + column) * lanes + q];
        for (int64_t j = backward ? i + 1 : 0; j < (backward ? n : i); j++) {
          const int64_t at = transposed ? j * n + i : i * n + j;
          sum -= (WIDE)triangle[at * t_lanes + t_lane] * solution[(j * m + column) * lanes + q];
        }
        if (!unit_diagonal) sum /= triangle[(i * n + i) * t_lanes + t_lane];
        solution[(i * m + column) * lanes + q] = (T)sum;
      }
    }
  }
}

/* Modified Gram-Schmidt, every column projected twice ("twice is enough"): another method than the
 * fast kernel's Householder reflections, with the same result when the columns are independent. */
static void NAME(qr)(int64_t m, int64_t n, int64_t lanes, void *q_, void *r_, const void *a,
                     void *scratch) {
  (void)scratch;
  T *orthogonal = q_, *triangle = r_;
  for (int64_t lane = 0; lane < lanes; lane++) {
    for (int64_t j = 0; j < n; j++) {
      for (int64_t i = 0; i < n; i++) triangle[(i * n + j) * lanes + lane] = 0;
      for (int64_t i = 0; i < m; i++) {
        orthogonal[(i * n + j) * lanes + lane] = ((const T *)a)[(i * n + j) * lanes + lane];
      }
      for (int64_t k = 0; k < 2 * j; k++) {
        WIDE dot = 0;
        for (int64_t i = 0; i < m; i++) {
          dot += (WIDE)orthogonal[(i * n + k % j) * lanes + lane] *
                 orthogonal[(i * n + j) * lanes + lane];
        }
        for (int64_t i = 0; i < m; i++) {
          T *element = &orthogonal[(i * n + j) * lanes + lane];
          *element = (T)(*element - dot * orthogonal[(i * n + k % j) * lanes + lane]);
        }
        T *projection = &triangle[(k % j * n + j) * lanes + lane];
        *projection = (T)(*projection + dot);
      }
      WIDE squares = 0;
      for (int64_t i = 0; i < m; i++) {
        squares +=
            (WIDE)orthogonal[(i * n + j) * lanes + lane] * orthogonal[(i * n + j) * lanes + lane];
      }
      const WIDE norm = MATH(sqrt)(squares);
      triangle[(j * n + j) * lanes + lane] = (T)norm;
      for (int64_t i = 0; i < m; i++) {
        T *element = &orthogonal[(i * n + j) * lanes + lane];
        *element = (T)(*element / norm);
      }
    }
  }
}
