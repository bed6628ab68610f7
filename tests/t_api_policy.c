/* Differentiation through sampling, and optimisers for loops of one's own: against finite
 * differences, plain C and a fit whose end is known. */
#include "check.h"
#include "sluice/sluice.h"

enum { DIM = 2, CONTEXT = 3, ROWS = 9, SEED = 11 };

static sl_context *new_context(int threads) {
  sl_context_options options = {.size = sizeof options, .threads = threads};
  sl_context *context = NULL;
  sl_context_new(&options, &context);
  return context;
}

static void fill(double *x, int64_t count, double phase) {
  for (int64_t i = 0; i < count; i++) x[i] = 0.8 * sin(7.1 * (double)i + phase);
}

/* A flow whose parameters, those of its hypernetworks too, are far from their start. */
static sl_flow *new_policy(sl_context *context, const char *formula, sl_dtype dtype) {
  sl_flow *flow = NULL;
  if (!CHECK_OK(context, sl_flow_new(context, formula, NULL, DIM, CONTEXT, dtype, 1, &flow)))
    return NULL;
  const int64_t count = sl_flow_parameter_count(flow);
  double *vector = malloc((size_t)count * sizeof *vector);
  const sl_array_out out = sl_out_f64(vector, 1, count);
  const sl_array_in in = sl_in_f64(vector, 1, count);
  CHECK_OK(context, sl_flow_parameters(context, flow, &out));
  /* The standardize layer's buffers, shift and scale, come last and stay. */
  for (int64_t i = 0; i < count - 2 * DIM; i++) vector[i] += 0.15 * sin(12.9898 * (double)i + 1);
  CHECK_OK(context, sl_flow_set_parameters(context, flow, &in));
  free(vector);
  return flow;
}

/* ---- against differences ---- */

/* A loss that is linear neither in the rows nor in their log densities. */
static double loss_of(const double *x, const double *q, double *by_x, double *by_q) {
  double loss = 0;
  for (int r = 0; r < ROWS; r++) {
    for (int i = 0; i < DIM; i++) {
      const double weight = 1 + 0.3 * i + 0.1 * r;
      loss += weight * cos(2 * x[r * DIM + i]);
      by_x[r * DIM + i] = -2 * weight * sin(2 * x[r * DIM + i]);
    }
    loss += 0.25 * q[r] * q[r];
    by_q[r] = 0.5 * q[r];
  }
  return loss;
}

/* The loss at the flow's parameters, by sampling alone. */
static double loss_at(sl_context *context, sl_flow *flow, const double *vector, const double *c) {
  double x[ROWS * DIM], q[ROWS], unused[ROWS * DIM], unused_too[ROWS];
  const sl_array_in parameters = sl_in_f64(vector, 1, sl_flow_parameter_count(flow));
  const sl_array_in condition = sl_in_f64(c, ROWS, CONTEXT);
  const sl_array_out x_out = sl_out_f64(x, ROWS, DIM), q_out = sl_out_f64(q, ROWS, 1);
  CHECK_OK(context, sl_flow_set_parameters(context, flow, &parameters));
  CHECK_OK(context, sl_flow_sample(context, flow, SEED, &condition, &x_out, &q_out));
  return loss_of(x, q, unused, unused_too);
}

/* by[i] is the slope of the loss by numbers[i], one of the flow's parameters or of c. */
static void check_slopes(sl_context *context, sl_flow *flow, double *vector, double *c,
                         double *numbers, const double *by, int64_t count, int64_t stride) {
  const double h = 1e-5;
  for (int64_t i = 0; i < count; i += stride) {
    const double kept = numbers[i];
    numbers[i] = kept + h;
    const double up = loss_at(context, flow, vector, c);
    numbers[i] = kept - h;
    const double down = loss_at(context, flow, vector, c);
    numbers[i] = kept;
    if (!CHECK_CLOSE(by[i], (up - down) / (2 * h), 3e-7)) printf("  number %lld\n", (long long)i);
  }
}

static void check_formula(const char *formula) {
  sl_context *context = new_context(1);
  sl_flow *flow = new_policy(context, formula, SL_F64);
  sl_evaluator *evaluator = NULL;
  const uint32_t what = SL_EVALUATE_SAMPLE | SL_EVALUATE_SAMPLE_GRADIENT;
  REQUIRE(flow != NULL);
  REQUIRE_OK(context, sl_evaluator_new(context, flow, what, ROWS, &evaluator));
  const int64_t count = sl_flow_parameter_count(flow);
  double *vector = malloc((size_t)count * sizeof *vector);
  double *slopes = malloc((size_t)count * sizeof *slopes);
  double c[ROWS * CONTEXT], x[ROWS * DIM], q[ROWS], again[ROWS * DIM], q_again[ROWS], scored[ROWS];
  double by_x[ROWS * DIM], by_q[ROWS], by_c[ROWS * CONTEXT];
  fill(c, ROWS * CONTEXT, 0.4);
  const sl_array_in condition = sl_in_f64(c, ROWS, CONTEXT), rows = sl_in_f64(x, ROWS, DIM);
  const sl_array_in by_x_in = sl_in_f64(by_x, ROWS, DIM), by_q_in = sl_in_f64(by_q, ROWS, 1);
  const sl_array_out x_out = sl_out_f64(x, ROWS, DIM), q_out = sl_out_f64(q, ROWS, 1);
  const sl_array_out x_too = sl_out_f64(again, ROWS, DIM), q_too = sl_out_f64(q_again, ROWS, 1);
  const sl_array_out by_c_out = sl_out_f64(by_c, ROWS, CONTEXT),
                     score = sl_out_f64(scored, ROWS, 1);
  const sl_array_out vector_out = sl_out_f64(vector, 1, count);
  const sl_array_out slopes_out = sl_out_f64(slopes, 1, count);
  CHECK_OK(context, sl_flow_parameters(context, flow, &vector_out));
  CHECK_OK(context, sl_evaluator_sample(context, evaluator, SEED, &condition, &x_out, &q_out));
  loss_of(x, q, by_x, by_q);
  CHECK_OK(context, sl_evaluator_sample_gradient(context, evaluator, SEED, &condition, &by_x_in,
                                                 &by_q_in, &x_too, &q_too, &slopes_out, &by_c_out));
  CHECK_OK(context, sl_flow_log_prob(context, flow, &rows, &condition, &score));
  for (int i = 0; i < ROWS * DIM; i++) CHECK_CLOSE(again[i], x[i], 1e-12);
  for (int r = 0; r < ROWS; r++) CHECK_CLOSE(q_again[r], q[r], 1e-12);
  for (int r = 0; r < ROWS; r++) CHECK_CLOSE(scored[r], q[r], 1e-8);
  check_slopes(context, flow, vector, c, vector, slopes, count, 1 + count / 60);
  check_slopes(context, flow, vector, c, c, by_c, (int64_t)ROWS * CONTEXT, 1);
  free(vector);
  free(slopes);
  sl_evaluator_free(evaluator);
  sl_flow_free(flow);
  sl_context_free(context);
}

TEST(planar) {
  check_formula("scale-loc-planar*2-tanh");
}
TEST(radial) {
  check_formula("scale(exp)-loc-radial*2-tanh");
}
TEST(sylvester) {
  check_formula("scale-loc-sylvester(columns=2)-tanh");
}
TEST(coupling) {
  check_formula("scale-loc-coupling(affine,hidden=8)*2-tanh");
}
TEST(a_base_with_a_network) {
  check_formula("gaussian-iaf(hidden=8)-tanh");
}

/* ---- calls ---- */

/* One row is the first of many; a derivative that is not given is 0; threads change no bit. */
TEST(one_row_threads_and_absent_slopes) {
  static double one[2000], none[2000], many[3][2000], x[300 * DIM], single[DIM], slope[300 * DIM];
  double q[300], q_single;
  static double c[300 * CONTEXT], by_c[2][300 * CONTEXT];
  const int threads[3] = {1, 2, 8};
  fill(c, 300 * CONTEXT, 0.1);
  fill(slope, 300 * DIM, 0.2);
  const sl_array_in condition = sl_in_f64(c, 300, CONTEXT), first = sl_in_f64(c, 1, CONTEXT);
  const sl_array_in by_x = sl_in_f64(slope, 300, DIM), by_first = sl_in_f64(slope, 1, DIM);
  for (int t = 0; t < 3; t++) {
    sl_context *context = new_context(threads[t]);
    sl_flow *flow =
        new_policy(context, "scale(hidden=8)-loc(hidden=8)-planar(hidden=8)-tanh", SL_F32);
    sl_evaluator *evaluator = NULL;
    REQUIRE(flow != NULL);
    const int64_t count = sl_flow_parameter_count(flow);
    REQUIRE(count <= 2000);
    REQUIRE_OK(context,
               sl_evaluator_new(context, flow, SL_EVALUATE_SAMPLE_GRADIENT, 300, &evaluator));
    const sl_array_out xo = sl_out_f64(x, 300, DIM), qo = sl_out_f64(q, 300, 1);
    const sl_array_out co = sl_out_f64(by_c[0], 300, CONTEXT), so = sl_out_f64(single, 1, DIM);
    const sl_array_out po = sl_out_f64(many[t], 1, count), oo = sl_out_f64(one, 1, count);
    const sl_array_out zero = sl_out_f64(none, 1, count);
    const sl_array_out c1 = sl_out_f64(by_c[1], 1, CONTEXT), q1 = sl_out_f64(&q_single, 1, 1);
    REQUIRE_OK(context, sl_evaluator_sample_gradient(context, evaluator, 5, &condition, &by_x, NULL,
                                                     &xo, &qo, &po, &co));
    REQUIRE_OK(context, sl_evaluator_sample_gradient(context, evaluator, 5, &first, &by_first, NULL,
                                                     &so, &q1, &oo, &c1));
    for (int i = 0; i < DIM; i++) CHECK_CLOSE(single[i], x[i], 1e-5);
    for (int i = 0; i < CONTEXT; i++) CHECK_CLOSE(by_c[1][i], by_c[0][i], 1e-5);
    CHECK_CLOSE(q_single, q[0], 1e-5);
    CHECK(memcmp(many[0], many[t], (size_t)count * sizeof **many) == 0);
    fill(none, count, 0.3);
    CHECK_OK(context, sl_evaluator_sample_gradient(context, evaluator, 5, &condition, NULL, NULL,
                                                   &xo, NULL, &zero, NULL));
    for (int64_t i = 0; i < count; i++) CHECK(none[i] == 0);
    sl_evaluator_free(evaluator);
    sl_flow_free(flow);
    sl_context_free(context);
  }
}

TEST(refusals) {
  sl_context *context = new_context(1);
  sl_flow *flow = new_policy(context, "scale-loc", SL_F64);
  sl_evaluator *evaluator = NULL;
  REQUIRE(flow != NULL);
  double x[4 * DIM], c[4 * CONTEXT] = {0}, by[1000];
  const sl_array_in condition = sl_in_f64(c, 4, CONTEXT), narrow = sl_in_f64(c, 4, 1);
  const sl_array_out xo = sl_out_f64(x, 4, DIM);
  const sl_array_out po = sl_out_f64(by, 1, sl_flow_parameter_count(flow));
  REQUIRE_OK(context, sl_evaluator_new(context, flow, SL_EVALUATE_SAMPLE, 4, &evaluator));
  CHECK(sl_evaluator_sample_gradient(context, evaluator, 1, &condition, NULL, NULL, &xo, NULL, &po,
                                     NULL) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "SL_EVALUATE_SAMPLE_GRADIENT") != NULL);
  sl_evaluator_free(evaluator);
  REQUIRE_OK(context, sl_evaluator_new(context, flow, SL_EVALUATE_SAMPLE_GRADIENT, 3, &evaluator));
  CHECK(sl_evaluator_sample_gradient(context, evaluator, 1, &condition, NULL, NULL, &xo, NULL, &po,
                                     NULL) == SL_BAD_ARGUMENT); /* more rows than it was made for */
  CHECK(sl_evaluator_sample_gradient(context, evaluator, 1, &condition, &narrow, NULL, &xo, NULL,
                                     &po, NULL) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "by_x") != NULL);
  CHECK(sl_evaluator_sample_gradient(context, evaluator, 1, NULL, NULL, NULL, &xo, NULL, &po,
                                     NULL) == SL_BAD_ARGUMENT);
  CHECK(sl_evaluator_sample_gradient(context, evaluator, 1, &condition, NULL, NULL, &xo, NULL, NULL,
                                     NULL) == SL_BAD_ARGUMENT);
  sl_evaluator_free(evaluator);
  CHECK(sl_evaluator_new(context, flow, 32, 3, &evaluator) == SL_BAD_ARGUMENT);
  sl_flow_free(flow);
  sl_context_free(context);
}

TEST(integers_are_refused) {
  sl_context *context = new_context(1);
  sl_flow *flow = NULL;
  sl_evaluator *evaluator = NULL;
  static double counts[400];
  for (int i = 0; i < 400; i++) counts[i] = i * 7 % 5;
  sl_fit_data data = {.size = sizeof data, .x = sl_in_f64(counts, 400, 1), .columns = "1: count"};
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  options.formula = "loc";
  options.steps = 1;
  REQUIRE_OK(context, sl_fit(context, &data, &options, &flow, NULL));
  CHECK(sl_evaluator_new(context, flow, SL_EVALUATE_SAMPLE_GRADIENT, 3, &evaluator) ==
        SL_UNSUPPORTED);
  CHECK(evaluator == NULL);
  sl_flow_free(flow);
  sl_context_free(context);
}

/* ---- optimisers ---- */

/* Three steps of Adam, as its paper has them, with the gradient held within a norm of 2. */
TEST(adam_against_plain_c) {
  sl_context *context = new_context(1);
  sl_optimizer *optimizer = NULL;
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  options.rate = 0.1;
  options.clip = 2;
  REQUIRE_OK(context, sl_optimizer_new(context, &options, 3, &optimizer));
  double w[3] = {1, -2, 3}, expected[3] = {1, -2, 3}, g[3], m[3] = {0}, v[3] = {0};
  const sl_array_in gradient = sl_in_f64(g, 1, 3);
  const sl_array_out vector = sl_out_f64(w, 1, 3);
  for (int step = 1; step <= 3; step++) {
    const double rate = step == 3 ? 0.05 : 0.1;
    sl_optimizer_set_rate(optimizer, rate);
    for (int i = 0; i < 3; i++) g[i] = 2 * w[i] * (i + 1);
    double norm = sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
    REQUIRE_OK(context, sl_optimizer_step(context, optimizer, &gradient, &vector));
    for (int i = 0; i < 3; i++) {
      const double clipped = norm > 2 ? g[i] * 2 / norm : g[i];
      m[i] = 0.9 * m[i] + 0.1 * clipped;
      v[i] = 0.999 * v[i] + 0.001 * clipped * clipped;
      const double mean = m[i] / (1 - pow(0.9, step)), square = v[i] / (1 - pow(0.999, step));
      expected[i] -= rate * mean / (sqrt(square) + 1e-8);
      CHECK_CLOSE(w[i], expected[i], 1e-13);
    }
  }
  g[1] = NAN;
  CHECK(sl_optimizer_step(context, optimizer, &gradient, &vector) == SL_NUMERIC);
  for (int i = 0; i < 3; i++) CHECK_CLOSE(w[i], expected[i], 1e-13);
  sl_optimizer_free(optimizer);
  CHECK(sl_optimizer_new(context, NULL, 0, &optimizer) == SL_BAD_ARGUMENT && !optimizer);
  options.optimizer = "adm";
  CHECK(sl_optimizer_new(context, &options, 3, &optimizer) == SL_BAD_ARGUMENT && !optimizer);
  sl_context_free(context);
}

/* Plain descent on a flow in float32: trained parameters move by rate times gradient, the
 * standardisation stays, and a vector of floats is moved like one of doubles. */
TEST(descent_on_a_flow) {
  sl_context *context = new_context(1);
  sl_flow *flow = new_policy(context, "scale-loc", SL_F32);
  REQUIRE(flow != NULL);
  const int64_t count = sl_flow_parameter_count(flow);
  sl_optimizer *optimizer = NULL, *small = NULL;
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  options.optimizer = "sgd";
  options.momentum = 0;
  options.rate = 0.25;
  REQUIRE_OK(context, sl_optimizer_new(context, &options, count, &optimizer));
  REQUIRE_OK(context, sl_optimizer_new(context, &options, count - 1, &small));
  float *before = malloc((size_t)count * sizeof *before), *g = malloc((size_t)count * sizeof *g);
  float *after = malloc((size_t)count * sizeof *after);
  const sl_array_in gradient = sl_in_f32(g, 1, count);
  const sl_array_out from = sl_out_f32(before, 1, count), to = sl_out_f32(after, 1, count);
  for (int64_t i = 0; i < count; i++) g[i] = (float)sin((double)i);
  CHECK_OK(context, sl_flow_parameters(context, flow, &from));
  CHECK_OK(context, sl_optimizer_step_flow(context, optimizer, &gradient, flow));
  CHECK_OK(context, sl_flow_parameters(context, flow, &to));
  for (int64_t i = 0; i < count; i++) {
    const bool trained = i < count - 2 * DIM;
    CHECK_CLOSE(after[i], trained ? before[i] - 0.25f * g[i] : before[i], trained ? 1e-6 : 0);
  }
  CHECK_OK(context, sl_optimizer_step(context, optimizer, &gradient, &from));
  for (int64_t i = 0; i < count - 2 * DIM; i++) CHECK_CLOSE(before[i], after[i], 1e-6);
  CHECK(sl_optimizer_step_flow(context, small, &gradient, flow) == SL_BAD_ARGUMENT);
  free(before);
  free(after);
  free(g);
  sl_optimizer_free(small);
  sl_optimizer_free(optimizer);
  sl_flow_free(flow);
  sl_context_free(context);
}

/* ---- a loop of the caller's ----
 * The target, given c, is normal around (5 + c1, 5 - 2 c2), with variance 1: the Gaussian of the
 * Pyro document, moved by a condition. A fit by the reverse Kullback-Leibler divergence must end
 * with both coordinates there. */

enum { BATCH = 128, FRESH = 4096 };

static double log_target(const double *x, const double *c, double *slope) {
  double log_density = -log(2 * 3.14159265358979323846);
  const double mean[DIM] = {5 + c[0], 5 - 2 * c[1]};
  for (int i = 0; i < DIM; i++) {
    slope[i] = mean[i] - x[i];
    log_density -= 0.5 * slope[i] * slope[i];
  }
  return log_density;
}

/* The gradient of the mean of log q - log p over a batch, and that mean. */
static double step_gradient(sl_context *context, sl_evaluator *evaluator, uint64_t seed, double *c,
                            const sl_array_out *by_parameters) {
  double x[BATCH * DIM], q[BATCH], by_x[BATCH * DIM], by_q[BATCH], loss = 0;
  fill(c, BATCH * CONTEXT, (double)seed);
  const sl_array_in condition = sl_in_f64(c, BATCH, CONTEXT);
  const sl_array_in by_x_in = sl_in_f64(by_x, BATCH, DIM), by_q_in = sl_in_f64(by_q, BATCH, 1);
  const sl_array_out xo = sl_out_f64(x, BATCH, DIM), qo = sl_out_f64(q, BATCH, 1);
  CHECK_OK(context, sl_evaluator_sample(context, evaluator, seed, &condition, &xo, &qo));
  for (int r = 0; r < BATCH; r++) {
    double slope[DIM];
    loss += (q[r] - log_target(x + r * DIM, c + r * CONTEXT, slope)) / BATCH;
    by_q[r] = 1.0 / BATCH;
    for (int i = 0; i < DIM; i++) by_x[r * DIM + i] = -slope[i] / BATCH;
  }
  CHECK_OK(context, sl_evaluator_sample_gradient(context, evaluator, seed, &condition, &by_x_in,
                                                 &by_q_in, &xo, &qo, by_parameters, NULL));
  return loss;
}

TEST(both_coordinates_fit) {
  sl_context *context = new_context(1);
  sl_flow *flow = NULL;
  sl_evaluator *evaluator = NULL;
  sl_optimizer *optimizer = NULL;
  REQUIRE_OK(context,
             sl_flow_new(context, "scale(jitter=0)-loc", NULL, DIM, CONTEXT, SL_F64, 3, &flow));
  const int64_t count = sl_flow_parameter_count(flow);
  double *slopes = malloc((size_t)count * sizeof *slopes);
  const sl_array_out by_parameters = sl_out_f64(slopes, 1, count);
  const sl_array_in gradient = sl_in_f64(slopes, 1, count);
  const uint32_t what = SL_EVALUATE_SAMPLE | SL_EVALUATE_SAMPLE_GRADIENT;
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  options.rate = 0.02;
  REQUIRE_OK(context, sl_evaluator_new(context, flow, what, BATCH, &evaluator));
  REQUIRE_OK(context, sl_optimizer_new(context, &options, count, &optimizer));
  double c[BATCH * CONTEXT], divergence = 0;
  for (uint64_t step = 0; step < 1200; step++) {
    if (step == 800) sl_optimizer_set_rate(optimizer, 0.002);
    const double loss = step_gradient(context, evaluator, step, c, &by_parameters);
    if (step >= 1100) divergence += loss / 100;
    CHECK_OK(context, sl_optimizer_step_flow(context, optimizer, &gradient, flow));
  }
  CHECK(divergence > -1e-3 && divergence < 0.01);
  static double x[FRESH * DIM];
  double mean[DIM] = {0}, square[DIM] = {0}, at[CONTEXT];
  fill(at, CONTEXT, 0.7);
  sl_array_in given = sl_in_f64(at, FRESH, CONTEXT);
  given.row_stride = 0; /* the same for every row */
  const sl_array_out xo = sl_out_f64(x, FRESH, DIM);
  CHECK_OK(context, sl_evaluator_sample(context, evaluator, 1, &given, &xo, NULL));
  for (int k = 0; k < FRESH * DIM; k++) mean[k % DIM] += x[k] / FRESH;
  for (int k = 0; k < FRESH * DIM; k++) square[k % DIM] += pow(x[k] - mean[k % DIM], 2) / FRESH;
  CHECK(fabs(mean[0] - 5 - at[0]) < 0.1 && fabs(mean[1] - 5 + 2 * at[1]) < 0.1);
  CHECK(fabs(square[0] - 1) < 0.15 && fabs(square[1] - 1) < 0.15);
  printf("divergence %.5f, means %.3f %.3f, variances %.3f %.3f\n", divergence, mean[0], mean[1],
         square[0], square[1]);
  free(slopes);
  sl_optimizer_free(optimizer);
  sl_evaluator_free(evaluator);
  sl_flow_free(flow);
  sl_context_free(context);
}
