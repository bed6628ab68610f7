/* Small dense linear algebra; every scalar is a run of lanes, so the loops inside run over lanes
 * and there is no branch on a value. Element (i, j) of a matrix with `columns` columns: x + (i *
 * columns + j) * lanes. */

/* y -= x * z, lane by lane; x has one lane when x_lanes is 1. */
INLINE void NAME(subtract_product)(int64_t lanes, T *restrict y, const T *x, bool x_shared,
                                   const T *restrict z) {
  if (x_shared) {
    const T factor = x[0];
    for (int64_t q = 0; q < lanes; q++) y[q] -= factor * z[q];
  } else {
    for (int64_t q = 0; q < lanes; q++) y[q] -= x[q] * z[q];
  }
}

/* Row by row (Cholesky-Banachiewicz). */
static void NAME(cholesky)(int64_t n, int64_t lanes, void *l, const void *a) {
  T *factor = l;
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j <= i; j++) {
      const T *from = (const T *)a + (i * n + j) * lanes;
      T *to = factor + (i * n + j) * lanes;
      const T *diagonal = factor + (j * n + j) * lanes;
      for (int64_t start = 0; start < lanes; start += STRIP) {
        const int64_t width = lanes - start < STRIP ? lanes - start : STRIP;
        T strip[STRIP];
        memcpy(strip, from + start, (size_t)width * sizeof(T));
        if (lanes == 1) {
          strip[0] -= NAME(dot)(j, factor + i * n, factor + j * n);
        } else {
          for (int64_t k = 0; k < j; k++) {
            const T *left = factor + (i * n + k) * lanes, *right = factor + (j * n + k) * lanes;
            NAME(subtract_product)(width, strip, left + start, false, right + start);
          }
        }
        for (int64_t q = 0; q < width; q++) {
          to[start + q] =
              i > j ? strip[q] / diagonal[start + q] : NAME(root)(strip[q] > 0 ? strip[q] : (T)NAN);
        }
      }
    }
    memset(factor + (i * n + i + 1) * lanes, 0, (size_t)((n - i - 1) * lanes) * sizeof(T));
  }
}

/* Substitution, row by row: with a shared triangle the m right sides and their lanes are one
 * run. */
static void NAME(triangular_solve)(int64_t n, int64_t m, int64_t lanes, int64_t t_lanes, void *y,
                                   const void *t, const void *b, bool upper, bool transposed,
                                   bool unit_diagonal) {
  const bool shared = t_lanes == 1, backward = upper != transposed;
  const int64_t run = shared ? m * lanes : lanes, runs = shared ? 1 : m;
  T *solution = y;
  if (y != b) memcpy(y, b, (size_t)(n * m * lanes) * sizeof(T));
  for (int64_t step = 0; step < n; step++) {
    const int64_t i = backward ? n - 1 - step : step;
    const T *diagonal = (const T *)t + (i * n + i) * t_lanes;
    for (int64_t column = 0; column < runs; column++) {
      T *to = solution + (i * runs + column) * run;
      for (int64_t j = backward ? i + 1 : 0; j < (backward ? n : i); j++) {
        const int64_t at = transposed ? j * n + i : i * n + j;
        const T *known = solution + (j * runs + column) * run;
        NAME(subtract_product)(run, to, (const T *)t + at * t_lanes, shared, known);
      }
      if (unit_diagonal) continue;
      for (int64_t q = 0; q < run; q++) to[q] /= diagonal[shared ? 0 : q];
    }
  }
}

/* Turns the sign of the rows of R whose diagonal is negative, and of the same columns of Q; clears
 * R's lower part. */
static void NAME(make_diagonal_positive)(int64_t m, int64_t n, int64_t lanes, T *orthogonal,
                                         T *triangle) {
  for (int64_t i = 0; i < n; i++) {
    const T *diagonal = triangle + (i * n + i) * lanes;
    memset(triangle + i * n * lanes, 0, (size_t)(i * lanes) * sizeof(T));
    for (int64_t row = 0; row < m; row++) {
      T *element = orthogonal + (row * n + i) * lanes;
      for (int64_t q = 0; q < lanes; q++) element[q] = diagonal[q] < 0 ? -element[q] : element[q];
    }
    for (int64_t j = n - 1; j >= i; j--) { /* the diagonal last: it is what is asked */
      T *element = triangle + (i * n + j) * lanes;
      for (int64_t q = 0; q < lanes; q++) element[q] = diagonal[q] < 0 ? -element[q] : element[q];
    }
  }
}

/* x -= 2 / (v.v) (v.x) v for the rows from `row` down of one column of x; v has m runs,
 * twice_over_square and dot one. */
static void NAME(reflect)(int64_t row, int64_t m, int64_t columns, int64_t column, int64_t lanes,
                          T *x, const T *v, const T *twice_over_square, T *restrict dot) {
  for (int64_t q = 0; q < lanes; q++) dot[q] = 0;
  for (int64_t i = row; i < m; i++) {
    const T *restrict element = x + (i * columns + column) * lanes;
    const T *restrict direction = v + i * lanes;
    for (int64_t q = 0; q < lanes; q++) dot[q] += element[q] * direction[q];
  }
  for (int64_t q = 0; q < lanes; q++) dot[q] *= twice_over_square[q];
  for (int64_t i = row; i < m; i++) {
    NAME(subtract_product)(lanes, x + (i * columns + column) * lanes, v + i * lanes, false, dot);
  }
}

/* Householder QR (Golub & Van Loan, section 5.2). Scratch holds the n reflection vectors, each m
 * runs long, their factors 2 / (v.v), n runs, and one working run. */
static void NAME(qr)(int64_t m, int64_t n, int64_t lanes, void *q_, void *r_, const void *a,
                     void *scratch) {
  T *orthogonal = q_, *triangle = r_;
  T *directions = scratch, *factors = directions + m * n * lanes, *dot = factors + n * lanes;
  memcpy(orthogonal, a, (size_t)(m * n * lanes) * sizeof(T)); /* holds A, which becomes R */
  for (int64_t j = 0; j < n; j++) {
    T *v = directions + j * m * lanes;
    for (int64_t q = 0; q < lanes; q++) {
      T below = 0;
      for (int64_t i = j + 1; i < m; i++) {
        const T element = orthogonal[(i * n + j) * lanes + q];
        v[i * lanes + q] = element;
        below += element * element;
      }
      /* Away from the head, so that nothing cancels. */
      const T head = orthogonal[(j * n + j) * lanes + q], norm = NAME(root)(below + head * head);
      const T moved = head < 0 ? head - norm : head + norm, square = below + moved * moved;
      v[j * lanes + q] = moved;
      factors[j * lanes + q] = square > 0 ? 2 / square : 0;
    }
    for (int64_t column = j; column < n; column++) {
      NAME(reflect)(j, m, n, column, lanes, orthogonal, v, factors + j * lanes, dot);
    }
  }
  memcpy(triangle, orthogonal, (size_t)(n * n * lanes) * sizeof(T));
  memset(orthogonal, 0, (size_t)(m * n * lanes) * sizeof(T));
  for (int64_t j = n - 1; j >= 0; j--) {
    for (int64_t q = 0; q < lanes; q++) orthogonal[(j * n + j) * lanes + q] = 1;
    for (int64_t column = j; column < n; column++) {
      const T *v = directions + j * m * lanes;
      NAME(reflect)(j, m, n, column, lanes, orthogonal, v, factors + j * lanes, dot);
    }
  }
  NAME(make_diagonal_positive)(m, n, lanes, orthogonal, triangle);
}
