/* Differential equations: solutions against closed forms and published numbers, derivatives against
 * differences and closed forms, lanes that do not disturb each other, the same bits for any number
 * of threads. */
#include "check.h"
#include "graph/graph.h"
#include "sluice/sluice.h"

enum { TIMES = 3, ROWS = 5 };

/* ---- running ---- */

/* The solution of an ode [times, m] and the gradient of a weighted sum of it by the rows of
 * q [rows, dim]. */
typedef struct problem {
  int dim, states;
  sl_node (*build)(sl__graph *g, sl_node q, sl__ode_method method);
} problem;

static sl_context *open_context(int threads) {
  sl_context *context = NULL;
  sl_context_options options = {.size = sizeof options, .threads = threads};
  CHECK(sl_context_new(&options, &context) == SL_OK);
  return context;
}

static void solve(sl_context *context, const problem *p, sl__ode_method method, int rows,
                  const double *q, double *y, double *gradient) {
  sl__graph *g;
  sl__program *program;
  sl__workspace *workspace;
  REQUIRE(sl__graph_new(context, &g) == SL_OK);
  const sl_node point = op_input(g, SL_F64, sl__shape1(p->dim));
  sl_node outputs[2] = {p->build(g, point, method)};
  double weight[TIMES * 3];
  for (int i = 0; i < TIMES * p->states; i++) weight[i] = 1 + 0.3 * i;
  const sl_node weights = op_constant(g, SL_F64, sl__shape2(TIMES, p->states), weight);
  const sl_node sum = op_sum_all(g, op_multiply(g, outputs[0], weights));
  sl__gradient(g, sum, 1, &point, &outputs[1]);
  const sl_status status = sl__program_new(context, g, 2, outputs, &program);
  sl__graph_free(g);
  if (status != SL_OK) printf("  %s\n", sl_error(context));
  REQUIRE(status == SL_OK);
  const sl__feed feed = {.data = q, .type = SL_F64};
  const sl__sink sinks[2] = {{.data = y, .type = SL_F64}, {.data = gradient, .type = SL_F64}};
  const sl__run run = {.rows = rows, .feeds = &feed, .sinks = sinks};
  CHECK(sl__workspace_new(context, program, rows, &workspace) == SL_OK);
  CHECK(sl__program_run(context, program, workspace, &run) == SL_OK);
  sl__workspace_free(workspace);
  sl__program_free(program);
}

static sl_node part(sl__graph *g, sl_node q, int begin, int count) {
  return op_slice(g, q, 0, begin, count, 1);
}

static sl__ode tight(sl__ode_method method) {
  return (sl__ode){.method = method, .relative = 1e-10, .absolute = 1e-10, .max_steps = 1e5};
}

/* ---- decay: y' = -k y; q: y0, k, start, three times ---- */

static bool decay_slope(void *user, sl__graph *g, sl_node time, const sl_node *y, const sl_node *p,
                        sl_node *slope) {
  (void)user, (void)time;
  slope[0] = op_negate(g, op_multiply(g, op_element(g, p[0], 0, 0), y[0]));
  return true;
}

static sl_node build_decay(sl__graph *g, sl_node q, sl__ode_method method) {
  sl__ode ode = tight(method);
  const sl_node k = part(g, q, 1, 1);
  ode.start = part(g, q, 0, 1);
  ode.start_time = op_element(g, q, 0, 2);
  ode.times = part(g, q, 3, TIMES);
  ode.parameters = 1;
  ode.parameter = &k;
  return op_ode(g, &ode, decay_slope, NULL);
}

static const problem decay = {6, 1, build_decay};
static const double decay_rows[ROWS][6] = {{1, 1, 0, 0.5, 1, 3},
                                           {2, 0.3, -1, 0.5, 2, 4},
                                           {-3, 5, 0.2, 0.3, 0.30001, 9},
                                           {1e-3, -0.7, 1, 2, 3, 4},
                                           {0, 1, 0, 1, 2, 3}};

static void check_decay(const double *q, const double *y, const double *gradient) {
  double expected[6] = {0};
  for (int i = 0; i < TIMES; i++) {
    const double w = 1 + 0.3 * i, span = q[3 + i] - q[2], value = q[0] * exp(-q[1] * span);
    CHECK_CLOSE(y[i], value, 1e-8);
    expected[0] += w * exp(-q[1] * span);
    expected[1] -= w * span * value;
    expected[2] += w * q[1] * value;
    expected[3 + i] = -w * q[1] * value;
  }
  for (int k = 0; k < 6; k++) CHECK_CLOSE(gradient[k], expected[k], 1e-7);
}

TEST(decay_is_exponential) {
  sl_context *context = open_context(1);
  for (int method = 0; method <= SL__ODE_STIFF; method++) {
    double y[ROWS][TIMES], gradient[ROWS][6];
    solve(context, &decay, (sl__ode_method)method, ROWS, *decay_rows, *y, *gradient);
    for (int r = 0; r < ROWS; r++) check_decay(decay_rows[r], y[r], gradient[r]);
  }
  sl_context_free(context);
}

/* ---- oscillator: q: y0, y1, frequency ---- */

static bool oscillator_slope(void *user, sl__graph *g, sl_node time, const sl_node *y,
                             const sl_node *p, sl_node *slope) {
  (void)user, (void)time;
  slope[0] = y[1];
  slope[1] = op_negate(g, op_multiply(g, op_square(g, p[0]), y[0]));
  return true;
}

static sl_node build_oscillator(sl__graph *g, sl_node q, sl__ode_method method) {
  sl__ode ode = tight(method);
  const sl_node frequency = op_element(g, q, 0, 2);
  ode.start = part(g, q, 0, 2);
  ode.start_time = op_number(g, SL_F64, 0);
  ode.times = op_constant(g, SL_F64, sl__shape1(TIMES), (double[]){1, 2.5, 6});
  ode.parameters = 1;
  ode.parameter = &frequency;
  return op_ode(g, &ode, oscillator_slope, NULL);
}

static const problem oscillator = {3, 2, build_oscillator};

TEST(oscillator_is_harmonic) {
  sl_context *context = open_context(1);
  const double q[3] = {0.7, -0.4, 1.3}, times[TIMES] = {1, 2.5, 6};
  for (int method = 0; method <= SL__ODE_STIFF; method++) {
    double y[TIMES * 2], gradient[3], expected[3] = {0};
    solve(context, &oscillator, (sl__ode_method)method, 1, q, y, gradient);
    for (int i = 0; i < TIMES; i++) {
      const double t = times[i], w = q[2], c = cos(w * t), s = sin(w * t);
      const double a = 1 + 0.6 * i, b = 1.3 + 0.6 * i;
      CHECK_CLOSE(y[2 * i], q[0] * c + q[1] / w * s, 1e-7);
      CHECK_CLOSE(y[2 * i + 1], q[1] * c - q[0] * w * s, 1e-7);
      expected[0] += a * c - b * w * s;
      expected[1] += a * s / w + b * c;
      expected[2] += a * (-q[0] * t * s + q[1] * t * c / w - q[1] * s / (w * w)) +
                     b * (-q[1] * t * s - q[0] * s - q[0] * w * t * c);
    }
    for (int k = 0; k < 3; k++) CHECK_CLOSE(gradient[k], expected[k], 1e-6);
  }
  sl_context_free(context);
}

/* ---- relaxation: y' = -2 y, with a Jacobian that is a number; q: y0 ---- */

static bool relaxation_slope(void *user, sl__graph *g, sl_node time, const sl_node *y,
                             const sl_node *p, sl_node *slope) {
  (void)user, (void)time, (void)p;
  slope[0] = op_scale(g, y[0], -2);
  return true;
}

static sl_node build_relaxation(sl__graph *g, sl_node q, sl__ode_method method) {
  sl__ode ode = tight(method);
  ode.start = q;
  ode.start_time = op_number(g, SL_F64, 0);
  ode.times = op_constant(g, SL_F64, sl__shape1(TIMES), (double[]){0.5, 1, 2});
  return op_ode(g, &ode, relaxation_slope, NULL);
}

static const problem relaxation = {1, 1, build_relaxation};

TEST(a_constant_jacobian_serves_all_rows) {
  sl_context *context = open_context(1);
  const double q[ROWS] = {1, -2, 3, 0.1, 7}, times[TIMES] = {0.5, 1, 2};
  for (int method = 0; method <= SL__ODE_STIFF; method++) {
    double y[ROWS][TIMES], gradient[ROWS];
    solve(context, &relaxation, (sl__ode_method)method, ROWS, q, *y, gradient);
    for (int r = 0; r < ROWS; r++) {
      double expected = 0;
      for (int i = 0; i < TIMES; i++) {
        expected += (1 + 0.3 * i) * exp(-2 * times[i]);
        CHECK_CLOSE(y[r][i], q[r] * exp(-2 * times[i]), 1e-8);
      }
      CHECK_CLOSE(gradient[r], expected, 1e-8);
    }
  }
  sl_context_free(context);
}

/* ---- Robertson's reactions: stiff; q: logarithms of the three rates' factors ---- */

static bool robertson_slope(void *user, sl__graph *g, sl_node time, const sl_node *y,
                            const sl_node *p, sl_node *slope) {
  (void)user, (void)time;
  const sl_node rate = op_exp(g, p[0]);
  const sl_node slow = op_multiply(g, op_scale(g, op_element(g, rate, 0, 0), 0.04), y[0]);
  const sl_node back =
      op_multiply(g, op_scale(g, op_element(g, rate, 0, 1), 1e4), op_multiply(g, y[1], y[2]));
  const sl_node fast =
      op_multiply(g, op_scale(g, op_element(g, rate, 0, 2), 3e7), op_square(g, y[1]));
  slope[0] = op_subtract(g, back, slow);
  slope[1] = op_subtract(g, op_subtract(g, slow, back), fast);
  slope[2] = fast;
  return true;
}

static sl_node build_robertson(sl__graph *g, sl_node q, sl__ode_method method) {
  sl__ode ode = tight(method);
  ode.relative = 1e-7;
  ode.absolute = 1e-10;
  ode.start = op_constant(g, SL_F64, sl__shape1(3), (double[]){1, 0, 0});
  ode.start_time = op_number(g, SL_F64, 0);
  ode.times = op_constant(g, SL_F64, sl__shape1(TIMES), (double[]){0.4, 40, 4000});
  ode.parameters = 1;
  ode.parameter = &q;
  return op_ode(g, &ode, robertson_slope, NULL);
}

static const problem robertson = {3, 3, build_robertson};

/* Values of the user documentation of CVODE (Hindmarsh and others), example cvRoberts_dns. */
TEST(robertson_is_stiff) {
  static const double known[TIMES][3] = {{9.8517e-01, 3.3864e-05, 1.4794e-02},
                                         {7.1583e-01, 9.1855e-06, 2.8416e-01},
                                         {1.8320e-01, 8.9424e-07, 8.1680e-01}};
  sl_context *context = open_context(1);
  double y[TIMES * 3], gradient[3], unused[3], above[TIMES * 3], below[TIMES * 3];
  solve(context, &robertson, SL__ODE_STIFF, 1, (double[3]){0}, y, gradient);
  for (int i = 0; i < TIMES; i++) {
    for (int k = 0; k < 3; k++) CHECK(fabs(y[3 * i + k] / known[i][k] - 1) < 1e-4);
    CHECK_CLOSE(y[3 * i] + y[3 * i + 1] + y[3 * i + 2], 1, 1e-9);
  }
  for (int k = 0; k < 3; k++) {
    double q[3] = {0}, difference = 0;
    q[k] = 1e-2;
    solve(context, &robertson, SL__ODE_STIFF, 1, q, above, unused);
    q[k] = -1e-2;
    solve(context, &robertson, SL__ODE_STIFF, 1, q, below, unused);
    for (int i = 0; i < TIMES * 3; i++) difference += (1 + 0.3 * i) * (above[i] - below[i]) / 2e-2;
    CHECK_CLOSE(gradient[k], difference, 1e-4);
  }
  sl_context_free(context);
}

/* ---- van der Pol's relaxation oscillator: very stiff, with jumps ---- */

static bool van_der_pol_slope(void *user, sl__graph *g, sl_node time, const sl_node *y,
                              const sl_node *p, sl_node *slope) {
  (void)user, (void)time, (void)p;
  const sl_node damping = op_shift(g, op_negate(g, op_square(g, y[0])), 1);
  slope[0] = y[1];
  slope[1] = op_scale(g, op_subtract(g, op_multiply(g, damping, y[1]), y[0]), 1e6);
  return true;
}

static sl_node build_van_der_pol(sl__graph *g, sl_node q, sl__ode_method method) {
  sl__ode ode = tight(method);
  (void)q;
  ode.relative = ode.absolute = 1e-8;
  ode.start = op_constant(g, SL_F64, sl__shape1(2), (double[]){2, 0});
  ode.start_time = op_number(g, SL_F64, 0);
  ode.times = op_constant(g, SL_F64, sl__shape1(TIMES), (double[]){1, 2, 3});
  return op_ode(g, &ode, van_der_pol_slope, NULL);
}

static const problem van_der_pol = {1, 2, build_van_der_pol};

/* mu = 1000, time in units of mu. Values published with the test programs of Hairer and Wanner,
 * "Solving Ordinary Differential Equations II". */
TEST(van_der_pol_jumps) {
  static const double known[TIMES][2] = {{-1.863646254808130, 0.7535430865435460},
                                         {1.706167732170456, -0.8928097010248257},
                                         {-1.510606936744095, 1.178380000730945}};
  sl_context *context = open_context(1);
  double y[TIMES][2], gradient[1];
  solve(context, &van_der_pol, SL__ODE_STIFF, 1, (double[1]){0}, *y, gradient);
  for (int i = 0; i < TIMES; i++) {
    for (int k = 0; k < 2; k++) CHECK(fabs(y[i][k] / known[i][k] - 1) < 1e-5);
  }
  CHECK(gradient[0] == 0);
  sl_context_free(context);
}

/* ---- lanes and threads ---- */

TEST(hopeless_rows_leave_others_alone) {
  sl_context *context = open_context(1);
  for (int method = 0; method <= SL__ODE_STIFF; method++) {
    double q[ROWS][6], y[ROWS][TIMES], gradient[ROWS][6];
    memcpy(q, decay_rows, sizeof q);
    q[1][1] = -1e300;
    q[3][0] = (double)NAN;
    solve(context, &decay, (sl__ode_method)method, ROWS, *q, *y, *gradient);
    for (int r = 0; r < ROWS; r++) {
      if (r == 1 || r == 3)
        for (int i = 0; i < TIMES; i++) CHECK(isnan(y[r][i]));
      else
        check_decay(q[r], y[r], gradient[r]);
    }
  }
  sl_context_free(context);
}

/* A lane takes one row after another: each must be what it would be with other rows before it. */
TEST(bits_do_not_depend_on_other_rows) {
  enum { MANY = 77 };
  static double q[MANY][6], y[2][MANY][TIMES], gradient[2][MANY][6];
  sl_context *context = open_context(1);
  for (int r = 0; r < MANY; r++) {
    memcpy(q[r], decay_rows[r % ROWS], sizeof q[r]);
    q[r][1] += 0.01 * r;
    if (r % 10 == 7) q[r][1] = r % 20 == 7 ? -1e300 : 300; /* hopeless, and slow */
  }
  for (int method = 0; method <= SL__ODE_STIFF; method++) {
    solve(context, &decay, (sl__ode_method)method, MANY, *q, **y, **gradient);
    for (int r = 0; r + 5 <= MANY; r += 3)
      solve(context, &decay, (sl__ode_method)method, 5, q[r], y[1][r], gradient[1][r]);
    for (int r = 0; r + 5 <= MANY; r += 3) {
      CHECK(memcmp(y[0][r], y[1][r], 3 * sizeof y[0][0]) == 0);
      CHECK(memcmp(gradient[0][r], gradient[1][r], 3 * sizeof gradient[0][0]) == 0);
    }
  }
  sl_context_free(context);
}

TEST(bits_do_not_depend_on_threads) {
  enum { MANY = 400 };
  static double q[MANY][6], y[3][MANY][TIMES], gradient[3][MANY][6];
  static const int threads[3] = {1, 2, 8};
  for (int r = 0; r < MANY; r++) {
    memcpy(q[r], decay_rows[r % 4], sizeof q[r]);
    q[r][1] += 0.001 * r;
  }
  for (int method = 0; method <= SL__ODE_STIFF; method++) {
    for (int k = 0; k < 3; k++) {
      sl_context *context = open_context(threads[k]);
      solve(context, &decay, (sl__ode_method)method, MANY, *q, y[k][0], gradient[k][0]);
      sl_context_free(context);
    }
    CHECK(memcmp(y[0], y[1], sizeof y[0]) == 0 && memcmp(y[0], y[2], sizeof y[0]) == 0);
    CHECK(memcmp(gradient[0], gradient[1], sizeof gradient[0]) == 0);
    CHECK(memcmp(gradient[0], gradient[2], sizeof gradient[0]) == 0);
  }
}
