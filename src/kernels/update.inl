/* Optimiser updates: one pass, everything read once and written once. */

/* Momentum as in Sutskever et al. 2013 in the form that frameworks use: m = momentum m + g, w -=
 * rate m (Nesterov: w -= rate (g + momentum m)); weight decay is added to the gradient. m NULL: no
 * momentum. */
static void NAME(update_sgd)(int64_t n, void *w, const void *g, void *m, double g_scale,
                             double rate, double momentum, bool nesterov, double weight_decay) {
  T *restrict weight = w, *restrict velocity = m;
  const T *restrict gradient = g;
  const T scale = (T)g_scale, decay = (T)weight_decay, keep = (T)momentum, step = (T)rate;
  const T ahead = nesterov ? keep : 1, now = nesterov ? 1 : 0;
  if (!m) {
    const T stretch = nesterov ? 1 + keep : 1;
    for (int64_t i = 0; i < n; i++) {
      weight[i] -= step * stretch * (gradient[i] * scale + decay * weight[i]);
    }
    return;
  }
  for (int64_t i = 0; i < n; i++) {
    const T slope = gradient[i] * scale + decay * weight[i];
    velocity[i] = keep * velocity[i] + slope;
    weight[i] -= step * (now * slope + ahead * velocity[i]);
  }
}

/* Kingma & Ba 2015, algorithm 1; the decoupled decay is Loshchilov & Hutter 2019. */
static void NAME(update_adam)(int64_t n, void *w, const void *g, void *m, void *v, double g_scale,
                              double rate, double beta1, double beta2, double epsilon,
                              double correction1, double correction2, double weight_decay) {
  T *restrict weight = w, *restrict first = m, *restrict second = v;
  const T *restrict gradient = g;
  const T scale = (T)g_scale, keep1 = (T)beta1, take1 = (T)(1 - beta1), keep2 = (T)beta2;
  const T take2 = (T)(1 - beta2), floor_ = (T)epsilon, step = (T)(rate / correction1);
  const T shrink = (T)(1 / correction2), decay = (T)(1 - rate * weight_decay);
  for (int64_t i = 0; i < n; i++) {
    const T slope = gradient[i] * scale;
    const T mean = keep1 * first[i] + take1 * slope;
    const T square = keep2 * second[i] + take2 * (slope * slope);
    first[i] = mean;
    second[i] = square;
    weight[i] = decay * weight[i] - step * mean / (NAME(root)(square * shrink) + floor_);
  }
}

/* Tieleman & Hinton 2012 (lecture 6.5). m NULL: no momentum. */
static void NAME(update_rmsprop)(int64_t n, void *w, const void *g, void *v, void *m,
                                 double g_scale, double rate, double decay, double epsilon,
                                 double momentum) {
  T *restrict weight = w, *restrict square = v, *restrict velocity = m;
  const T *restrict gradient = g;
  const T scale = (T)g_scale, keep = (T)decay, take = (T)(1 - decay), floor_ = (T)epsilon;
  const T step = (T)rate, carry = (T)momentum;
  for (int64_t i = 0; i < n; i++) {
    const T slope = gradient[i] * scale;
    square[i] = keep * square[i] + take * (slope * slope);
    const T move = slope / (NAME(root)(square[i]) + floor_);
    if (velocity) velocity[i] = carry * velocity[i] + move;
    weight[i] -= step * (velocity ? velocity[i] : move);
  }
}

/* Duchi, Hazan & Singer 2011. */
static void NAME(update_adagrad)(int64_t n, void *w, const void *g, void *v, double g_scale,
                                 double rate, double epsilon) {
  T *restrict weight = w, *restrict total = v;
  const T *restrict gradient = g;
  const T scale = (T)g_scale, floor_ = (T)epsilon, step = (T)rate;
  for (int64_t i = 0; i < n; i++) {
    const T slope = gradient[i] * scale;
    total[i] += slope * slope;
    weight[i] -= step * slope / (NAME(root)(total[i]) + floor_);
  }
}

/* Zeiler 2012 and Lasagne's forms of RMSprop and Adagrad: v = keep v + take g^2, w -= rate g /
 * sqrt(v + epsilon). */
static void NAME(update_root)(int64_t n, void *w, const void *g, void *v, double g_scale,
                              double rate, double keep_, double take_, double epsilon) {
  T *restrict weight = w, *restrict square = v;
  const T *restrict gradient = g;
  const T scale = (T)g_scale, keep = (T)keep_, take = (T)take_, floor_ = (T)epsilon;
  const T step = (T)rate;
  for (int64_t i = 0; i < n; i++) {
    const T slope = gradient[i] * scale;
    square[i] = keep * square[i] + take * (slope * slope);
    weight[i] -= step * slope / NAME(root)(square[i] + floor_);
  }
}

/* The newest square replaces the oldest; the divisor is the root of the sum of all. */
static void NAME(update_window)(int64_t n, void *w, const void *g, void *const *squares,
                                int count, int newest, double g_scale, double rate,
                                double epsilon) {
  T *restrict weight = w;
  const T *restrict gradient = g;
  const T scale = (T)g_scale, floor_ = (T)epsilon, step = (T)rate;
  for (int64_t i = 0; i < n; i++) {
    const T slope = gradient[i] * scale;
    ((T *)squares[newest])[i] = slope * slope;
    T sum = 0;
    for (int k = 0; k < count; k++) sum += ((const T *)squares[k])[i];
    weight[i] -= step * slope / NAME(root)(sum + floor_);
  }
}

/* Zeiler 2012 (arXiv:1212.5701), algorithm 1. */
static void NAME(update_adadelta)(int64_t n, void *w, const void *g, void *v, void *d,
                                  double g_scale, double rate, double decay, double epsilon) {
  T *restrict weight = w, *restrict square = v, *restrict moved = d;
  const T *restrict gradient = g;
  const T scale = (T)g_scale, keep = (T)decay, take = (T)(1 - decay), floor_ = (T)epsilon;
  const T step = (T)rate;
  for (int64_t i = 0; i < n; i++) {
    const T slope = gradient[i] * scale;
    square[i] = keep * square[i] + take * (slope * slope);
    const T move = slope * NAME(root)(moved[i] + floor_) / NAME(root)(square[i] + floor_);
    moved[i] = keep * moved[i] + take * (move * move);
    weight[i] -= step * move;
  }
}

/* Kingma & Ba 2015, algorithm 2. */
static void NAME(update_adamax)(int64_t n, void *w, const void *g, void *m, void *u,
                                double g_scale, double rate, double beta1, double beta2,
                                double epsilon) {
  T *restrict weight = w, *restrict first = m, *restrict most = u;
  const T *restrict gradient = g;
  const T scale = (T)g_scale, keep1 = (T)beta1, take1 = (T)(1 - beta1), keep2 = (T)beta2;
  const T floor_ = (T)epsilon, step = (T)rate;
  for (int64_t i = 0; i < n; i++) {
    const T slope = gradient[i] * scale, size = slope < 0 ? -slope : slope;
    const T faded = keep2 * most[i];
    first[i] = keep1 * first[i] + take1 * slope;
    most[i] = faded > size ? faded : size;
    weight[i] -= step * first[i] / (most[i] + floor_);
  }
}

static void NAME(update_average)(int64_t n, void *average, const void *w, double decay) {
  T *restrict mean = average;
  const T *restrict weight = w;
  const T keep = (T)decay, take = (T)(1 - decay);
  for (int64_t i = 0; i < n; i++) mean[i] = keep * mean[i] + take * weight[i];
}
