/* What PyMC3 puts around optimisers, against plain C and against itself: momentum of either kind,
 * and bounds on weights. */
#include "infer/vi/engine.h"
#include "vi_fixture.h"

enum { STEPS = 60, MOST = 200 };

typedef struct notes { /* of every step; [0]: before the first */
  double weights[STEPS + 1][MOST], gradient[STEPS + 1][MOST];
} notes;

static bool note(void *user, const sl__vi_progress *now) {
  notes *n = user;
  const size_t bytes = (size_t)now->flow->size * sizeof(double);
  memcpy(n->weights[now->step], now->parameters, bytes);
  memcpy(n->gradient[now->step], now->gradient, bytes);
  return true;
}

/* A run of `formula` on the crooked target; the options beyond the usual ones are the caller's. */
static int64_t run(const char *formula, sl__vi_options *options, sl__vi_term *term, notes *n) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 3, vi_crooked);
  vi_flow f = vi_make_flow(context, formula, 3);
  const int64_t size = f.flow->size;
  sl__vi_report report;
  if (size > MOST) abort();
  memcpy(n->weights[0], f.vector, (size_t)size * sizeof(double));
  options->terms = term;
  options->steps = STEPS;
  options->progress = note;
  options->user = n;
  CHECK_OK(context, sl__vi_fit(context, f.flow, f.vector, target, options, &report));
  vi_free_flow(context, &f);
  sl__target_free(target);
  sl_context_free(context);
  return size;
}

/* ---- momentum ---- */

TEST(around_gradient_descent_it_is_the_optimiser_of_that_name) {
  static notes around, own;
  for (int ahead = 0; ahead < 2; ahead++) {
    sl__vi_term term;
    sl__vi_options options;
    sl__vi_defaults(&options, &term);
    options.rate = 0.01;
    options.optimiser = ahead ? "nesterov_momentum" : "momentum";
    const int64_t size = run("scale-loc-planar*2", &options, &term, &own);
    options.optimiser = "sgd";
    *(ahead ? &options.apply_nesterov_momentum : &options.apply_momentum) = 0.9;
    run("scale-loc-planar*2", &options, &term, &around);
    double moved = 0;
    for (int64_t i = 0; i < size; i++) {
      CHECK_CLOSE(around.weights[STEPS][i], own.weights[STEPS][i], 1e-9);
      moved = fmax(moved, fabs(own.weights[STEPS][i] - own.weights[0][i]));
    }
    CHECK(moved > 0.1);
  }
}

/* One weight by adagrad_window (ten squares, epsilon 0.1) in Lasagne's momentum, from the gradients
 * that the run saw. */
static double by_hand(const notes *n, int64_t i, bool ahead, double rate) {
  double w = n->weights[0][i], velocity = 0, squares[10] = {0};
  for (int t = 1; t <= STEPS; t++) {
    const double g = n->gradient[t][i];
    double sum = 0;
    squares[(t - 1) % 10] = g * g;
    for (int k = 0; k < 10; k++) sum += squares[k];
    const double update = w - rate * g / sqrt(sum + 0.1);
    const double x = 0.9 * velocity + update - (ahead ? w : 0);
    velocity = ahead ? x : x - w;
    w = ahead ? 0.9 * x + update : x;
  }
  return w;
}

TEST(momentum_around_adagrad_window) {
  static notes n;
  for (int ahead = 0; ahead < 2; ahead++) {
    sl__vi_term term;
    sl__vi_options options;
    sl__vi_defaults(&options, &term);
    options.rate = 0.01;
    options.optimiser = "adagrad_window";
    *(ahead ? &options.apply_nesterov_momentum : &options.apply_momentum) = 0.9;
    const int64_t size = run("scale-loc-planar*2", &options, &term, &n);
    for (int64_t i = 0; i < size; i++)
      CHECK_CLOSE(n.weights[STEPS][i], by_hand(&n, i, ahead != 0, 0.01), 1e-10);
  }
}

/* ---- bounds ---- */

/* The largest norm of a row of a matrix, and of a vector, of tensors with `part` in their names. */
static void largest(sl_context *context, const char *formula, const char *part,
                    const double *weights, double *row, double *vector) {
  vi_flow f = vi_make_flow(context, formula, 3);
  *row = *vector = 0;
  for (int p = 0; p < f.flow->parameter_count; p++) {
    const sl__parameter *tensor = &f.flow->parameters[p];
    const bool matrix = tensor->shape.dims >= 2;
    const int64_t count = sl__shape_count(tensor->shape);
    const int64_t length = matrix ? count / tensor->shape.size[0] : count;
    if (!tensor->trainable || !strstr(tensor->name, part)) continue;
    for (int64_t k = 0; k < count; k += length) {
      double squares = 0;
      for (int64_t i = k; i < k + length; i++)
        squares += weights[tensor->offset + i] * weights[tensor->offset + i];
      *(matrix ? row : vector) = fmax(*(matrix ? row : vector), sqrt(squares));
    }
  }
  vi_free_flow(context, &f);
}

static void fit_bounded(const char *formula, const char *max_norm, notes *n) {
  sl__vi_term term;
  sl__vi_options options;
  sl__vi_defaults(&options, &term);
  options.rate = 0.1;
  options.max_norm = max_norm;
  run(formula, &options, &term, n);
}

TEST(rows_of_matrices_stay_within_their_bound) {
  static const char formula[] = "coupling(affine,hidden=6)*2";
  static notes n;
  sl_context *context = vi_context(1);
  double row, vector;
  fit_bounded(formula, NULL, &n);
  largest(context, formula, "", n.weights[STEPS], &row, &vector);
  CHECK(row > 0.5 && vector > 0.3);
  fit_bounded(formula, "0.3", &n);
  for (int step = 1; step <= STEPS; step++) {
    largest(context, formula, "", n.weights[step], &row, &vector);
    CHECK(row <= 0.3 * (1 + 1e-12));
  }
  CHECK_CLOSE(row, 0.3, 1e-9);
  CHECK(vector > 0.3); /* biases are not meant */
  sl_context_free(context);
}

TEST(bounds_by_name) {
  static notes n;
  sl_context *context = vi_context(1);
  double row, vector;
  fit_bounded("planar*2-loc", "layers.?.u=0.2,layers.3.*=0.1", &n);
  largest(context, "planar*2-loc", ".u", n.weights[STEPS], &row, &vector);
  CHECK_CLOSE(vector, 0.2, 1e-9);
  largest(context, "planar*2-loc", "layers.3.", n.weights[STEPS], &row, &vector);
  CHECK_CLOSE(vector, 0.1, 1e-9);
  largest(context, "planar*2-loc", ".w", n.weights[STEPS], &row, &vector);
  CHECK(vector > 0.2);
  sl_context_free(context);
}

/* ---- refusals ---- */

static void refuse(sl__vi_options *options, const char *word) {
  sl_context *context = vi_context(1);
  sl__target *target = vi_target(context, 3, vi_crooked);
  vi_flow f = vi_make_flow(context, "planar", 3);
  sl__vi_report report;
  CHECK(sl__vi_fit(context, f.flow, f.vector, target, options, &report) == SL_BAD_ARGUMENT);
  if (!CHECK(strstr(sl_error(context), word) != NULL)) printf("  %s\n", sl_error(context));
  vi_free_flow(context, &f);
  sl__target_free(target);
  sl_context_free(context);
}

TEST(what_means_nothing_is_refused) {
  static const char *const bounds[][2] = {{"3", "no matrices"},   {"*.u=-1", "\"-1\""},
                                          {"*.u=1,x=2", "\"x\""}, {"*.u=", "no positive number"},
                                          {"*.u=1;2", "1;2"},     {"", "no positive number"}};
  sl__vi_term term;
  sl__vi_options options;
  for (size_t k = 0; k < sizeof bounds / sizeof *bounds; k++) {
    sl__vi_defaults(&options, &term);
    options.max_norm = bounds[k][0];
    refuse(&options, bounds[k][1]);
  }
  sl__vi_defaults(&options, &term);
  options.apply_momentum = 1;
  refuse(&options, "0.9 is usual");
  options.apply_momentum = options.apply_nesterov_momentum = 0.9;
  refuse(&options, "leave one out");
}
