/* Reference of ode.inl: each number by itself, from its definition. */
static void NAME(ode_calls)(int64_t lanes, int64_t count, const sl__runs_call *call) {
  for (const sl__runs_call *c = call; c < call + count; c++) {
    for (int64_t i = 0; i < c->features * lanes; i++) {
      const T *at[3] = {NULL, NULL, NULL};
      for (int k = 0; k < 3 && c->operand[k]; k++) {
        const int64_t lane = c->scalars >> k & 1 ? 0 : i % lanes;
        at[k] = (const T *)c->operand[k] + i / lanes * c->between[k] + lane;
      }
      c->kernel(1, (T *)c->y + i, at[0], at[1], at[2], 0, c->attribute);
    }
  }
}

static void NAME(ode_sum)(int64_t features, int64_t lanes, void *y, const void *x,
                          const void *step, int count, const void *weights, const void *k) {
  const int64_t size = features * lanes;
  const T *h = step, *w = weights;
  for (int64_t i = 0; i < size; i++) {
    WIDE sum = x ? (WIDE)((const T *)x)[i] : 0;
    for (int j = 0; j < count; j++) {
      const WIDE weight = h ? (WIDE)w[j] * h[i % lanes] : (WIDE)w[j * lanes + i % lanes];
      sum += weight * ((const T *)k)[j * size + i];
    }
    ((T *)y)[i] = (T)sum;
  }
}

static void NAME(ode_norm)(int64_t features, int64_t lanes, void *largest, const void *error,
                           const void *x, const void *slope, const void *step, double absolute,
                           double relative) {
  const T *e = error, *v = x, *s = slope, *h = step;
  for (int64_t l = 0; l < lanes; l++) {
    WIDE most = 0;
    for (int64_t i = l; i < features * lanes; i += lanes) {
      const WIDE size = MATH(fabs)(v[i]) + MATH(fabs)((WIDE)h[l] * s[i]);
      const WIDE ratio = MATH(fabs)(e[i]) / ((WIDE)absolute + (WIDE)relative * size);
      if (!isfinite(ratio) || isnan(most))
        most = (WIDE)NAN;
      else
        most = MATH(fmax)(most, ratio);
    }
    ((T *)largest)[l] = (T)most;
  }
}

static void NAME(ode_choose)(int64_t features, int64_t lanes, void *y, const void *take,
                             const void *x) {
  for (int64_t i = 0; i < features * lanes; i++) {
    if (((const T *)take)[i % lanes] != 0) ((T *)y)[i] = ((const T *)x)[i];
  }
}
