/* Every registered optimiser against a scalar implementation written here from its paper, on a
 * quadratic; and every schedule at the places where its value is known. The momentum methods are
 * written here in their authors' form (differences of positions; a gradient taken ahead), not in
 * the kernels', so that agreement means something. */
#include "check.h"
#include "base/os.h"
#include "infer/infer.h"

enum { COUNT = 37, STEPS = 25 };
static const double rate = 0.05, g_scale = 0.7;

/* f(w) = sum curvature (w - centre)^2 / 2; the optimiser sees the gradient divided by g_scale. */
static double curvature(int i) {
  return 0.3 + 0.05 * i;
}
static double centre(int i) {
  return 0.1 * (i - 18);
}
static double slope(int i, double w) {
  return curvature(i) * (w - centre(i));
}
static double start(int i) {
  return sin(1.0 + i);
}

typedef double (*naive)(int i, const sl__optimiser_options *o);

static double naive_adam_and_decay(int i, const sl__optimiser_options *o, double decay) {
  double w = start(i), m = 0, v = 0;
  for (int t = 1; t <= STEPS; t++) {
    const double g = slope(i, w);
    m = o->beta1 * m + (1 - o->beta1) * g;
    v = o->beta2 * v + (1 - o->beta2) * g * g;
    const double m_hat = m / (1 - pow(o->beta1, t)), v_hat = v / (1 - pow(o->beta2, t));
    w = w - rate * (m_hat / (sqrt(v_hat) + o->epsilon) + decay * w);
  }
  return w;
}

static double naive_adam(int i, const sl__optimiser_options *o) {
  return naive_adam_and_decay(i, o, 0);
}

static double naive_adamw(int i, const sl__optimiser_options *o) {
  return naive_adam_and_decay(i, o, o->weight_decay);
}

/* Polyak: x' = x - rate g + momentum (x - x_before). */
static double naive_sgd(int i, const sl__optimiser_options *o) {
  double w = start(i), before = w;
  for (int t = 1; t <= STEPS; t++) {
    const double next = w - rate * (slope(i, w) + o->weight_decay * w) + o->momentum * (w - before);
    before = w;
    w = next;
  }
  return w;
}

/* Sutskever: v' = momentum v - rate gradient(x + momentum v), x' = x + v'. The optimiser's weights
 * are the points x + momentum v at which gradients are taken. */
static double naive_nesterov(int i, const sl__optimiser_options *o) {
  double x = start(i), v = 0;
  for (int t = 1; t <= STEPS; t++) {
    const double ahead = x + o->momentum * v;
    v = o->momentum * v - rate * (slope(i, ahead) + o->weight_decay * ahead);
    x = x + v;
  }
  return x + o->momentum * v;
}

static double naive_rmsprop(int i, const sl__optimiser_options *o) {
  double w = start(i), mean_square = 0, step = 0;
  for (int t = 1; t <= STEPS; t++) {
    const double g = slope(i, w);
    mean_square = o->beta2 * mean_square + (1 - o->beta2) * g * g;
    step = o->momentum * step - rate * g / (sqrt(mean_square) + o->epsilon);
    w = w + step;
  }
  return w;
}

static double naive_adagrad(int i, const sl__optimiser_options *o) {
  double w = start(i), total = 0;
  for (int t = 1; t <= STEPS; t++) {
    const double g = slope(i, w);
    total += g * g;
    w = w - rate * g / (sqrt(total) + o->epsilon);
  }
  return w;
}

static naive naive_of(const char *name) {
  const struct {
    const char *name;
    naive run;
  } table[] = {{"adam", naive_adam},       {"adamw", naive_adamw},
               {"sgd", naive_sgd},         {"nesterov", naive_nesterov},
               {"rmsprop", naive_rmsprop}, {"adagrad", naive_adagrad}};
  for (size_t k = 0; k < sizeof table / sizeof table[0]; k++)
    if (strcmp(table[k].name, name) == 0) return table[k].run;
  return NULL;
}

/* PyMC3's are checked in t_vi_optimisers.c. */
static bool is_checked_elsewhere(const char *name) {
  static const char *const names[] = {"momentum", "nesterov_momentum", "adagrad_window",
                                      "adadelta", "adamax"};
  for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
    if (strcmp(names[k], name) == 0) return true;
  return strncmp(name, "pymc3-", 6) == 0;
}

static void run_f64(const sl__optimiser *optimiser, const sl__optimiser_options *options,
                    double w[COUNT]) {
  double g[COUNT], memory[SL__MAX_OPTIMISER_STATES][COUNT] = {{0}};
  void *states[SL__MAX_OPTIMISER_STATES];
  for (int k = 0; k < SL__MAX_OPTIMISER_STATES; k++) states[k] = memory[k];
  const sl__kernels *kernels = sl__kernels_for(sl__os_cpu_features(), SL_F64);
  for (int i = 0; i < COUNT; i++) w[i] = start(i);
  for (int64_t t = 1; t <= STEPS; t++) {
    for (int i = 0; i < COUNT; i++) g[i] = slope(i, w[i]) / g_scale;
    optimiser->update(kernels, COUNT, w, g, states, g_scale, rate, t, options);
  }
}

static void run_f32(const sl__optimiser *optimiser, const sl__optimiser_options *options,
                    float w[COUNT]) {
  float g[COUNT], memory[SL__MAX_OPTIMISER_STATES][COUNT] = {{0}};
  void *states[SL__MAX_OPTIMISER_STATES];
  for (int k = 0; k < SL__MAX_OPTIMISER_STATES; k++) states[k] = memory[k];
  const sl__kernels *kernels = sl__kernels_for(sl__os_cpu_features(), SL_F32);
  for (int i = 0; i < COUNT; i++) w[i] = (float)start(i);
  for (int64_t t = 1; t <= STEPS; t++) {
    for (int i = 0; i < COUNT; i++) g[i] = (float)(slope(i, w[i]) / g_scale);
    optimiser->update(kernels, COUNT, w, g, states, g_scale, rate, t, options);
  }
}

static void check_against_naive(const sl__optimiser *optimiser,
                                const sl__optimiser_options *given) {
  const naive run = naive_of(optimiser->name);
  if (!CHECK(run != NULL)) {
    printf("  write the naive form of %s\n", optimiser->name);
    return;
  }
  const sl__optimiser_options options = sl__optimiser_resolve(optimiser, given);
  double w[COUNT];
  float w32[COUNT];
  run_f64(optimiser, &options, w);
  run_f32(optimiser, &options, w32);
  for (int i = 0; i < COUNT; i++) {
    const double expected = run(i, &options);
    /* Adaptive steps divide by gradients near 0, which magnifies rounding of the first steps. */
    if (!CHECK_CLOSE(w[i], expected, 1e-9) || !CHECK_CLOSE(w32[i], expected, 1e-3))
      printf("  %s, weight %d\n", optimiser->name, i);
  }
}

TEST(every_optimiser_follows_its_paper) {
  int count;
  const sl__optimiser *const *all = sl__optimisers(&count);
  CHECK(count >= 6);
  for (int k = 0; k < count; k++) {
    if (is_checked_elsewhere(all[k]->name)) continue;
    const sl__optimiser_options own = {NAN, NAN, NAN, NAN, NAN};
    check_against_naive(all[k], &own);
    const sl__optimiser_options other = {0.7, 0.95, 1e-3, 0.5, 0.02};
    check_against_naive(all[k], &other);
  }
}

TEST(every_optimiser_is_found_and_descends) {
  int count;
  const sl__optimiser *const *all = sl__optimisers(&count);
  for (int k = 0; k < count; k++) {
    CHECK(sl__optimiser_find(all[k]->name) == all[k]);
    CHECK(all[k]->states >= 0 && all[k]->states <= SL__MAX_OPTIMISER_STATES);
    CHECK(all[k]->default_rate > 0 && all[k]->summary && all[k]->source);
    double w[COUNT], before = 0, after = 0;
    run_f64(all[k], &all[k]->defaults, w);
    for (int i = 0; i < COUNT; i++) {
      before += curvature(i) * (start(i) - centre(i)) * (start(i) - centre(i));
      after += curvature(i) * (w[i] - centre(i)) * (w[i] - centre(i));
    }
    /* Adadelta starts with steps of the size of its epsilon. */
    CHECK(after < (strcmp(all[k]->name, "adadelta") == 0 ? 1 : 0.9) * before);
  }
  CHECK(sl__optimiser_find("nothing") == NULL);
}

TEST(zero_gradients_leave_zero_weights_at_zero) {
  int count;
  const sl__optimiser *const *all = sl__optimisers(&count);
  const sl__kernels *kernels = sl__kernels_for(sl__os_cpu_features(), SL_F32);
  for (int k = 0; k < count; k++) {
    float w[COUNT] = {0}, g[COUNT] = {0}, memory[SL__MAX_OPTIMISER_STATES][COUNT] = {{0}};
    void *states[SL__MAX_OPTIMISER_STATES];
    for (int i = 0; i < SL__MAX_OPTIMISER_STATES; i++) states[i] = memory[i];
    for (int64_t t = 1; t <= 3; t++)
      all[k]->update(kernels, COUNT, w, g, states, 1, 0.1, t, &all[k]->defaults);
    for (int i = 0; i < COUNT; i++) CHECK(w[i] == 0);
  }
}

TEST(schedules) {
  int count;
  const sl__schedule *const *all = sl__schedules(&count);
  for (int k = 0; k < count; k++) {
    CHECK(sl__schedule_find(all[k]->name) == all[k]);
    /* The rise is common to all: 1/10, 2/10, ... */
    CHECK_CLOSE(all[k]->factor(0, 1000, 10, 0), 0.1, 1e-15);
    CHECK_CLOSE(all[k]->factor(4, 1000, 10, 0), 0.5, 1e-15);
    CHECK_CLOSE(all[k]->factor(10, 1000, 10, 0), 1, 1e-15);
    for (int64_t step = 0; step < 1000; step++) {
      const double factor = all[k]->factor(step, 1000, 10, 2);
      CHECK(factor > 0 && factor <= 1);
    }
  }
  const sl__schedule *cosine = sl__schedule_find("cosine");
  CHECK_CLOSE(cosine->factor(0, 100, 0, 0), 1, 1e-15);
  CHECK_CLOSE(cosine->factor(50, 100, 0, 0), 0.5, 1e-15);
  CHECK_CLOSE(cosine->factor(60, 110, 10, 0), 0.5, 1e-15);
  CHECK(cosine->factor(99, 100, 0, 0) < 1e-3);
  CHECK(sl__schedule_find("constant")->factor(999, 1000, 0, 3) == 1);
  CHECK(sl__schedule_find("plateau")->factor(999, 1000, 0, 3) == 0.125);
  CHECK_CLOSE(sl__schedule_find("warmup")->factor(24, 1000, 0, 0), 0.5, 1e-15);
  CHECK(sl__schedule_find("nothing") == NULL);
}
