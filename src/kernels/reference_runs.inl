/* Reference reductions, indexing, random numbers and optimiser updates. */

static void NAME(sum_axis)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x) {
  for (int64_t o = 0; o < outer; o++) {
    for (int64_t i = 0; i < inner; i++) {
      WIDE sum = 0;
      for (int64_t j = 0; j < axis; j++) sum += ((const T *)x)[(o * axis + j) * inner + i];
      ((T *)y)[o * inner + i] = (T)sum;
    }
  }
}

static void NAME(sum_log_axis)(int64_t outer, int64_t axis, int64_t inner, void *y,
                               const void *x) {
  for (int64_t o = 0; o < outer; o++) {
    for (int64_t i = 0; i < inner; i++) {
      WIDE sum = 0;
      for (int64_t j = 0; j < axis; j++)
        sum += MATH(log)((WIDE)((const T *)x)[(o * axis + j) * inner + i]);
      ((T *)y)[o * inner + i] = (T)sum;
    }
  }
}

static void NAME(max_axis)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x) {
  for (int64_t o = 0; o < outer; o++) {
    for (int64_t i = 0; i < inner; i++) {
      T best = (T)-INFINITY;
      for (int64_t j = 0; j < axis; j++) {
        const T value = ((const T *)x)[(o * axis + j) * inner + i];
        if (value > best || value != value) best = value;
      }
      ((T *)y)[o * inner + i] = best;
    }
  }
}

static void NAME(cumulative_sum)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x,
                                 bool reverse) {
  for (int64_t o = 0; o < outer; o++) {
    for (int64_t i = 0; i < inner; i++) {
      WIDE sum = 0;
      for (int64_t j = 0; j < axis; j++) {
        const int64_t at = (o * axis + (reverse ? axis - 1 - j : j)) * inner + i;
        sum += ((const T *)x)[at];
        ((T *)y)[at] = (T)sum;
      }
    }
  }
}

static void NAME(dot_rows)(int64_t features, int64_t rows, int64_t lead, void *y, const void *x,
                           const void *z, bool accumulate) {
  for (int64_t f = 0; f < features; f++) {
    WIDE sum = accumulate ? ((T *)y)[f] : 0;
    for (int64_t r = 0; r < rows; r++) {
      const WIDE other = z ? ((const T *)z)[f * lead + r] : 1;
      sum += ((const T *)x)[f * lead + r] * other;
    }
    ((T *)y)[f] = (T)sum;
  }
}

static void NAME(sum_rows)(int64_t features, int64_t rows, int64_t lead, void *y, const void *x,
                           bool accumulate) {
  NAME(dot_rows)(features, rows, lead, y, x, NULL, accumulate);
}

static int64_t NAME(clamped_index)(T index, int64_t count) {
  return !(index > 0) ? 0 : index >= (T)(count - 1) ? count - 1 : (int64_t)index;
}

static void NAME(take)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x,
                       const void *index) {
  for (int64_t o = 0; o < outer; o++) {
    for (int64_t i = 0; i < inner; i++) {
      const int64_t j = NAME(clamped_index)(((const T *)index)[o * inner + i], axis);
      ((T *)y)[o * inner + i] = ((const T *)x)[(o * axis + j) * inner + i];
    }
  }
}

static void NAME(put)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *x,
                      const void *index) {
  for (int64_t o = 0; o < outer; o++) {
    for (int64_t i = 0; i < inner; i++) {
      const int64_t at = NAME(clamped_index)(((const T *)index)[o * inner + i], axis);
      for (int64_t j = 0; j < axis; j++) {
        ((T *)y)[(o * axis + j) * inner + i] = j == at ? ((const T *)x)[o * inner + i] : 0;
      }
    }
  }
}

static void NAME(search)(int64_t outer, int64_t axis, int64_t inner, void *y, const void *knots,
                         const void *x) {
  for (int64_t o = 0; o < outer; o++) {
    for (int64_t i = 0; i < inner; i++) {
      int64_t count = 0;
      for (int64_t j = 0; j < axis; j++) {
        count += ((const T *)knots)[(o * axis + j) * inner + i] <= ((const T *)x)[o * inner + i];
      }
      ((T *)y)[o * inner + i] = (T)count;
    }
  }
}

static void NAME(random_normal)(sl__random_key key, uint64_t first_row, uint32_t feature,
                                int64_t features, int64_t rows, int64_t lead, void *y) {
  for (int64_t f = 0; f < features; f++) {
    for (int64_t r = 0; r < rows; r++)
      ((T *)y)[f * lead + r] =
          (T)sl__random_normal(key, first_row + (uint64_t)r, feature + (uint32_t)f);
  }
}

static void NAME(random_uniform)(sl__random_key key, uint64_t first_row, uint32_t feature,
                                 int64_t features, int64_t rows, int64_t lead, void *y) {
  for (int64_t f = 0; f < features; f++) {
    for (int64_t r = 0; r < rows; r++) { /* float may round up to 1 */
      const T uniform = (T)sl__random_uniform(key, first_row + (uint64_t)r, feature + (uint32_t)f);
      ((T *)y)[f * lead + r] = uniform < 1 ? uniform : (T)(1 - 0x1p-24);
    }
  }
}

static void NAME(update_sgd)(int64_t n, void *w, const void *g, void *m, double g_scale,
                             double rate, double momentum, bool nesterov, double weight_decay) {
  for (int64_t i = 0; i < n; i++) {
    const WIDE old = ((T *)w)[i], gradient = ((const T *)g)[i] * (WIDE)g_scale + weight_decay * old;
    const WIDE velocity = m ? momentum * (WIDE)((T *)m)[i] + gradient : gradient;
    if (m) ((T *)m)[i] = (T)velocity;
    ((T *)w)[i] = (T)(old - rate * (nesterov ? gradient + momentum * velocity : velocity));
  }
}

static void NAME(update_adam)(int64_t n, void *w, const void *g, void *m, void *v, double g_scale,
                              double rate, double beta1, double beta2, double epsilon,
                              double correction1, double correction2, double weight_decay) {
  for (int64_t i = 0; i < n; i++) {
    const WIDE old = ((T *)w)[i], gradient = ((const T *)g)[i] * (WIDE)g_scale;
    const WIDE first = beta1 * (WIDE)((T *)m)[i] + (1 - beta1) * gradient;
    const WIDE second = beta2 * (WIDE)((T *)v)[i] + (1 - beta2) * gradient * gradient;
    ((T *)m)[i] = (T)first;
    ((T *)v)[i] = (T)second;
    const WIDE step = first / correction1 / (MATH(sqrt)(second / correction2) + epsilon);
    ((T *)w)[i] = (T)(old - rate * (step + weight_decay * old));
  }
}

static void NAME(update_rmsprop)(int64_t n, void *w, const void *g, void *v, void *m,
                                 double g_scale, double rate, double decay, double epsilon,
                                 double momentum) {
  for (int64_t i = 0; i < n; i++) {
    const WIDE gradient = ((const T *)g)[i] * (WIDE)g_scale;
    const WIDE second = decay * (WIDE)((T *)v)[i] + (1 - decay) * gradient * gradient;
    const WIDE step = gradient / (MATH(sqrt)(second) + epsilon);
    const WIDE velocity = m ? momentum * (WIDE)((T *)m)[i] + step : step;
    ((T *)v)[i] = (T)second;
    if (m) ((T *)m)[i] = (T)velocity;
    ((T *)w)[i] = (T)(((T *)w)[i] - rate * velocity);
  }
}

static void NAME(update_adagrad)(int64_t n, void *w, const void *g, void *v, double g_scale,
                                 double rate, double epsilon) {
  for (int64_t i = 0; i < n; i++) {
    const WIDE gradient = ((const T *)g)[i] * (WIDE)g_scale;
    const WIDE total = ((T *)v)[i] + gradient * gradient;
    ((T *)v)[i] = (T)total;
    ((T *)w)[i] = (T)(((T *)w)[i] - rate * gradient / (MATH(sqrt)(total) + epsilon));
  }
}

static void NAME(update_root)(int64_t n, void *w, const void *g, void *v, double g_scale,
                              double rate, double keep, double take, double epsilon) {
  for (int64_t i = 0; i < n; i++) {
    const WIDE gradient = ((const T *)g)[i] * (WIDE)g_scale;
    const WIDE total = keep * (WIDE)((T *)v)[i] + take * gradient * gradient;
    ((T *)v)[i] = (T)total;
    ((T *)w)[i] = (T)(((T *)w)[i] - rate * gradient / MATH(sqrt)(total + epsilon));
  }
}

static void NAME(update_window)(int64_t n, void *w, const void *g, void *const *squares, int count,
                                int newest, double g_scale, double rate, double epsilon) {
  for (int64_t i = 0; i < n; i++) {
    const WIDE gradient = ((const T *)g)[i] * (WIDE)g_scale;
    ((T *)squares[newest])[i] = (T)(gradient * gradient);
    WIDE sum = epsilon;
    for (int k = 0; k < count; k++) sum += (WIDE)((T *)squares[k])[i];
    ((T *)w)[i] = (T)(((T *)w)[i] - rate * gradient / MATH(sqrt)(sum));
  }
}

static void NAME(update_adadelta)(int64_t n, void *w, const void *g, void *v, void *d,
                                  double g_scale, double rate, double decay, double epsilon) {
  for (int64_t i = 0; i < n; i++) {
    const WIDE gradient = ((const T *)g)[i] * (WIDE)g_scale, before = ((T *)d)[i];
    const WIDE square = decay * (WIDE)((T *)v)[i] + (1 - decay) * gradient * gradient;
    const WIDE move = gradient * MATH(sqrt)((before + epsilon) / (square + epsilon));
    ((T *)v)[i] = (T)square;
    ((T *)d)[i] = (T)(decay * before + (1 - decay) * move * move);
    ((T *)w)[i] = (T)(((T *)w)[i] - rate * move);
  }
}

static void NAME(update_adamax)(int64_t n, void *w, const void *g, void *m, void *u, double g_scale,
                                double rate, double beta1, double beta2, double epsilon) {
  for (int64_t i = 0; i < n; i++) {
    const WIDE gradient = ((const T *)g)[i] * (WIDE)g_scale;
    const WIDE size = gradient < 0 ? -gradient : gradient, faded = beta2 * (WIDE)((T *)u)[i];
    const WIDE first = beta1 * (WIDE)((T *)m)[i] + (1 - beta1) * gradient;
    const WIDE most = faded > size ? faded : size;
    ((T *)m)[i] = (T)first;
    ((T *)u)[i] = (T)most;
    ((T *)w)[i] = (T)(((T *)w)[i] - rate * first / (most + epsilon));
  }
}

static void NAME(update_average)(int64_t n, void *average, const void *w, double decay) {
  for (int64_t i = 0; i < n; i++) {
    ((T *)average)[i] =
        (T)(decay * (WIDE)((T *)average)[i] + (1 - decay) * (WIDE)((const T *)w)[i]);
  }
}

static double NAME(sum_squares)(int64_t n, const void *x) {
  WIDE sum = 0;
  for (int64_t i = 0; i < n; i++) sum += (WIDE)((const T *)x)[i] * ((const T *)x)[i];
  return (double)sum;
}
