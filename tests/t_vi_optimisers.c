/* PyMC3's optimisers against plain C written from its documentation, over 100 steps, by the names
 * that variational inference knows them by. */
#include "check.h"
#include "base/os.h"
#include "infer/vi/vi.h"

enum { COUNT = 23, STEPS = 100 };

static double start(int i) {
  return cos(2.0 * i);
}
/* A gradient that changes sign and size on the way. */
static double slope(int i, double w, int t) {
  return (0.2 + 0.1 * i) * (w - 0.3) + 0.5 * sin(0.7 * t + i);
}

typedef double (*plain)(int i, double rate);

static double sgd(int i, double rate) {
  double w = start(i);
  for (int t = 1; t <= STEPS; t++) w = w - rate * slope(i, w, t);
  return w;
}
static double momentum(int i, double rate) {
  double w = start(i), v = 0;
  for (int t = 1; t <= STEPS; t++) {
    v = 0.9 * v - rate * slope(i, w, t);
    w = w + v;
  }
  return w;
}
static double nesterov_momentum(int i, double rate) {
  double w = start(i), v = 0;
  for (int t = 1; t <= STEPS; t++) {
    const double g = slope(i, w, t);
    v = 0.9 * v - rate * g;
    w = w + 0.9 * v - rate * g;
  }
  return w;
}
static double adagrad(int i, double rate) {
  double w = start(i), sum = 0;
  for (int t = 1; t <= STEPS; t++) {
    const double g = slope(i, w, t);
    sum = sum + g * g;
    w = w - rate * g / sqrt(sum + 1e-6);
  }
  return w;
}
static double adagrad_window(int i, double rate) {
  double w = start(i), squares[10] = {0};
  for (int t = 1; t <= STEPS; t++) {
    const double g = slope(i, w, t);
    double sum = 0;
    squares[(t - 1) % 10] = g * g;
    for (int k = 0; k < 10; k++) sum += squares[k];
    w = w - rate * g / sqrt(sum + 0.1);
  }
  return w;
}
static double rmsprop(int i, double rate) {
  double w = start(i), mean = 0;
  for (int t = 1; t <= STEPS; t++) {
    const double g = slope(i, w, t);
    mean = 0.9 * mean + 0.1 * g * g;
    w = w - rate * g / sqrt(mean + 1e-6);
  }
  return w;
}
static double adadelta(int i, double rate) {
  double w = start(i), mean = 0, moved = 0;
  for (int t = 1; t <= STEPS; t++) {
    const double g = slope(i, w, t);
    mean = 0.95 * mean + 0.05 * g * g;
    const double move = g * sqrt(moved + 1e-6) / sqrt(mean + 1e-6);
    w = w - rate * move;
    moved = 0.95 * moved + 0.05 * move * move;
  }
  return w;
}
static double adam(int i, double rate) {
  double w = start(i), m = 0, v = 0;
  for (int t = 1; t <= STEPS; t++) {
    const double g = slope(i, w, t);
    const double a = rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t));
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    w = w - a * m / (sqrt(v) + 1e-8);
  }
  return w;
}
static double adamax(int i, double rate) {
  double w = start(i), m = 0, u = 0;
  for (int t = 1; t <= STEPS; t++) {
    const double g = slope(i, w, t);
    m = 0.9 * m + 0.1 * g;
    u = fmax(0.999 * u, fabs(g));
    w = w - rate / (1 - pow(0.9, t)) * m / (u + 1e-8);
  }
  return w;
}

static const struct {
  const char *name;
  plain run;
  double rate; /* the default */
} cases[] = {
    {"sgd", sgd, 1e-3},        {"momentum", momentum, 1e-3},
    {"adagrad", adagrad, 1},   {"nesterov_momentum", nesterov_momentum, 1e-3},
    {"rmsprop", rmsprop, 1},   {"adagrad_window", adagrad_window, 1e-3},
    {"adadelta", adadelta, 1}, {"adam", adam, 1e-3},
    {"adamax", adamax, 2e-3},
};

TEST(optimisers_of_pymc3) {
  const sl__kernels *kernels = sl__kernels_for(sl__os_cpu_features(), SL_F64);
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    const sl__optimiser *optimiser = sl__vi_optimiser(cases[k].name);
    REQUIRE(optimiser != NULL);
    CHECK(optimiser->default_rate == cases[k].rate);
    const sl__optimiser_options unset = {NAN, NAN, NAN, NAN, NAN};
    const sl__optimiser_options options = sl__optimiser_resolve(optimiser, &unset);
    double w[COUNT], g[COUNT], memory[SL__MAX_OPTIMISER_STATES][COUNT] = {{0}};
    void *states[SL__MAX_OPTIMISER_STATES];
    for (int n = 0; n < SL__MAX_OPTIMISER_STATES; n++) states[n] = memory[n];
    for (int i = 0; i < COUNT; i++) w[i] = start(i);
    for (int t = 1; t <= STEPS; t++) {
      for (int i = 0; i < COUNT; i++) g[i] = slope(i, w[i], t);
      optimiser->update(kernels, COUNT, w, g, states, 1, cases[k].rate, t, &options);
    }
    for (int i = 0; i < COUNT; i++)
      if (!CHECK_CLOSE(w[i], cases[k].run(i, cases[k].rate), 1e-11))
        printf("  %s, weight %d\n", cases[k].name, i);
  }
}

TEST(other_names_mean_what_they_mean_elsewhere) {
  CHECK(sl__vi_optimiser("adamw") == sl__optimiser_find("adamw"));
  CHECK(sl__vi_optimiser("rmsprop") != sl__optimiser_find("rmsprop"));
  CHECK(sl__vi_optimiser("nothing") == NULL);
}
