/* What solvers of differential equations do to a few lanes at once: the function's operations, sums
 * of slopes, sizes of errors, the choice between the old and the new state. A state is `features`
 * runs of `lanes` numbers; a lane has its own step. A run is one number or SL__ODE_LANES, a few
 * registers: loops over it are gone once compiled. */
/* ---- the function's operations ---- */

/* By its kernel: once, where the runs of every operand lie one after another or are one number. */
static void NAME(ode_kernel)(int64_t lanes, const sl__runs_call *c) {
  unsigned scalars = c->scalars;
  bool whole = true;
  for (int k = 0; k < 3; k++) {
    const bool number = c->scalars >> k & 1;
    const bool same = c->between[k] == 0 && (number || lanes == 1);
    if (c->operand[k] && same) scalars |= 1u << k;
    whole &= !c->operand[k] || same || (!number && c->between[k] == lanes);
  }
  const T *a = c->operand[0], *b = c->operand[1], *d = c->operand[2];
  if (whole || c->features == 1) {
    c->kernel(c->features * lanes, c->y, a, b, d, scalars, c->attribute);
    return;
  }
  for (int64_t f = 0; f < c->features; f++) {
    c->kernel(lanes, (T *)c->y + f * lanes, a, b, d, c->scalars, c->attribute);
    a += c->between[0];
    if (b) b += c->between[1];
    if (d) d += c->between[2];
  }
}

INLINE T NAME(ode_load_one)(const T *from) {
  return *from;
}
INLINE void NAME(ode_store_one)(T *to, T value) {
  *to = value;
}

#define RUN 1
#define PART 1
#define NUMBER T
#define LOAD NAME(ode_load_one)
#define STORE NAME(ode_store_one)
#define CALLS NAME(ode_calls_of_numbers)
#include "kernels/ode_calls.inl"
#define RUN SL__ODE_LANES
#define PART LANES
#define NUMBER vector
#define LOAD NAME(load)
#define STORE NAME(store)
#define CALLS NAME(ode_calls_of_runs)
#include "kernels/ode_calls.inl"

static void NAME(ode_calls)(int64_t lanes, int64_t count, const sl__runs_call *call) {
  if (lanes == 1)
    NAME(ode_calls_of_numbers)(count, call);
  else
    NAME(ode_calls_of_runs)(count, call);
}

/* ---- states ---- */

/* For one register of the lanes; count is known when this is compiled. */
INLINE void NAME(ode_sum_part)(int count, int64_t features, T *y, const T *x, const T *step,
                               const T *weight, const T *k) {
  const int64_t lanes = SL__ODE_LANES, size = features * lanes;
  vector w[SL__ODE_SUMMANDS];
  UNROLL for (int j = 0; j < count; j++)
    w[j] = step ? weight[j] * NAME(load)(step) : NAME(load)(weight + j * lanes);
  for (int64_t i = 0; i < size; i += lanes) {
    vector sum = x ? NAME(load)(x + i) : (vector){0};
    UNROLL for (int j = 0; j < count; j++) sum += w[j] * NAME(load)(k + j * size + i);
    NAME(store)(y + i, sum);
  }
}

static void NAME(ode_sum_of_numbers)(int64_t features, T *y, const T *x, const T *step, int count,
                                     const T *weight, const T *k) {
  T w[SL__ODE_SUMMANDS];
  for (int j = 0; j < count; j++) w[j] = step ? weight[j] * *step : weight[j];
  for (int64_t i = 0; i < features; i++) {
    T sum = x ? x[i] : 0;
    for (int j = 0; j < count; j++) sum += w[j] * k[j * features + i];
    y[i] = sum;
  }
}

static void NAME(ode_sum)(int64_t features, int64_t lanes, void *y_, const void *x_,
                          const void *step, int count, const void *weights, const void *k_) {
  if (lanes == 1) {
    NAME(ode_sum_of_numbers)(features, y_, x_, step, count, weights, k_);
    return;
  }
  for (int64_t l = 0; l < lanes; l += LANES) {
    const T *x = x_ ? (const T *)x_ + l : NULL, *h = step ? (const T *)step + l : NULL;
    const T *w = (const T *)weights + (step ? 0 : l), *k = (const T *)k_ + l;
    T *y = (T *)y_ + l;
    switch (count) {
      case 1: NAME(ode_sum_part)(1, features, y, x, h, w, k); break;
      case 2: NAME(ode_sum_part)(2, features, y, x, h, w, k); break;
      case 3: NAME(ode_sum_part)(3, features, y, x, h, w, k); break;
      case 4: NAME(ode_sum_part)(4, features, y, x, h, w, k); break;
      case 5: NAME(ode_sum_part)(5, features, y, x, h, w, k); break;
      case 6: NAME(ode_sum_part)(6, features, y, x, h, w, k); break;
      default: NAME(ode_sum_part)(7, features, y, x, h, w, k);
    }
  }
}

/* largest[l] = max over f of |error| / (absolute + relative * (|x| + |step[l] * slope|)), and not a
 * number where one of these is none. */
static void NAME(ode_norm)(int64_t features, int64_t lanes, void *largest, const void *error,
                           const void *x, const void *slope, const void *step, double absolute,
                           double relative) {
  T *restrict most = largest;
  const T *restrict h = step;
  for (int64_t l = 0; l < lanes; l++) most[l] = 0;
  for (int64_t f = 0; f < features; f++) {
    const T *restrict e = (const T *)error + f * lanes, *restrict v = (const T *)x + f * lanes,
                      *restrict s = (const T *)slope + f * lanes;
    for (int64_t l = 0; l < lanes; l++) {
      const T change = h[l] * s[l];
      const T size = (v[l] < 0 ? -v[l] : v[l]) + (change < 0 ? -change : change);
      const T ratio = (e[l] < 0 ? -e[l] : e[l]) / ((T)absolute + (T)relative * size);
      const T larger = ratio > most[l] ? ratio : most[l];
      most[l] = ratio - ratio == 0 ? larger : (T)NAN;
    }
  }
}

/* y[f][l] = x[f][l] where take[l] is not 0. */
static void NAME(ode_choose)(int64_t features, int64_t lanes, void *y, const void *take,
                             const void *x) {
  const T *restrict chosen = take;
  for (int64_t f = 0; f < features; f++) {
    T *restrict to = (T *)y + f * lanes;
    const T *restrict from = (const T *)x + f * lanes;
    for (int64_t l = 0; l < lanes; l++) to[l] = chosen[l] != 0 ? from[l] : to[l];
  }
}
