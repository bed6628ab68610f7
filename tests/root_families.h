/* Monotone functions whose roots are sought, in plain C and as graphs, and bisection, which finds the
 * same roots slowly. */
#ifndef SL_TESTS_ROOT_FAMILIES_H
#define SL_TESTS_ROOT_FAMILIES_H
#include "context.h"
#include "graph/graph.h"
#include "kernel_numbers.h"
#include <float.h>

enum { FEATURES = 3 };

/* ---- functions, in plain C and as graphs; q: [3] rows of FEATURES parameters ---- */

/* x + a tanh(w x + b); a w >= -0.99 */
static inline double planar(const double *q, double x) {
  return x + q[0] * tanh(q[1] * x + q[2]);
}
static inline double planar_slope(const double *q, double x) {
  const double t = tanh(q[1] * x + q[2]);
  return 1 + q[0] * q[1] * (1 - t * t);
}
static inline double cubic(const double *q, double x) {
  return q[2] + q[0] * x + q[1] * x * x * x;
}
static inline double cubic_slope(const double *q, double x) {
  return q[0] + 3 * q[1] * x * x;
}
static inline double softplus(double x) {
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}
/* log-odds of w sigmoid(a x + b) + (1 - w) sigmoid(c x - b), c = 0.3, w = 0.25 */
static inline double log_odds(const double *q, double x) {
  const double u = q[0] * x + q[2], v = 0.3 * x - q[2], w = log(0.25), r = log(0.75);
  const double up[2] = {w - softplus(-u), r - softplus(-v)};
  const double down[2] = {w - softplus(u), r - softplus(v)};
  const double most = fmax(up[0], up[1]), least = fmax(down[0], down[1]);
  return most + log(exp(up[0] - most) + exp(up[1] - most)) - least -
         log(exp(down[0] - least) + exp(down[1] - least));
}
static inline double log_odds_slope(const double *q, double x) {
  const double u = q[0] * x + q[2], v = 0.3 * x - q[2];
  const double a = 0.25 / (1 + exp(-u)), b = 0.75 / (1 + exp(-v));
  const double c = 0.25 / (1 + exp(u)), d = 0.75 / (1 + exp(v));
  const double rise = a / (1 + exp(u)) * q[0] + b / (1 + exp(v)) * 0.3;
  return rise / (a + b) + rise / (c + d);
}
static inline double exponential(const double *q, double x) {
  return exp(q[0] * x);
}
static inline double exponential_slope(const double *q, double x) {
  return q[0] * exp(q[0] * x);
}
/* slope a below 0, 1 above */
static inline double kinked(const double *q, double x) {
  return x > 0 ? x : q[0] * x;
}
static inline double kinked_slope(const double *q, double x) {
  return x > 0 ? 1 : q[0];
}

/* of degree 9, increasing: flat around 0, very steep far out */
static inline double steep(const double *q, double x) {
  const double square = x * x;
  return q[2] + x * (q[0] + square * square * (q[1] + 0.001 * square * square));
}
static inline double steep_slope(const double *q, double x) {
  const double square = x * x;
  return q[0] + square * square * (5 * q[1] + 0.009 * square * square);
}
/* piecewise linear, of slopes 0.001 and 20 a in turn */
enum { STAIRS = 3 };
static inline double stairs(const double *q, double x) {
  const double half = 0.5 / STAIRS, stair = floor(x / (2 * half)), on = x - stair * 2 * half;
  const double rise = half * (0.001 + 20 * q[0]);
  return q[2] + stair * rise + 0.001 * fmin(on, half) + 20 * q[0] * fmax(on - half, 0);
}
static inline double stairs_slope(const double *q, double x) {
  const double half = 0.5 / STAIRS, stair = floor(x / (2 * half));
  return x - stair * 2 * half < half ? 0.001 : 20 * q[0];
}

static inline sl_node row_of(sl__graph *g, sl_node q, int row) {
  return op_element(g, q, 0, row);
}
static inline sl_node planar_graph(void *user, sl__graph *g, sl_node x) {
  const sl_node q = *(const sl_node *)user;
  const sl_node t = op_tanh(g, op_multiply_add(g, row_of(g, q, 1), x, row_of(g, q, 2)));
  return op_multiply_add(g, row_of(g, q, 0), t, x);
}
static inline sl_node cubic_graph(void *user, sl__graph *g, sl_node x) {
  const sl_node q = *(const sl_node *)user;
  const sl_node cube = op_multiply(g, x, op_square(g, x));
  return op_add(g, op_multiply_add(g, row_of(g, q, 0), x, row_of(g, q, 2)),
                op_multiply(g, row_of(g, q, 1), cube));
}
static inline sl_node log_odds_graph(void *user, sl__graph *g, sl_node x) {
  const sl_node q = *(const sl_node *)user;
  const sl_node u = op_multiply_add(g, row_of(g, q, 0), x, row_of(g, q, 2));
  const sl_node v = op_subtract(g, op_scale(g, x, 0.3), row_of(g, q, 2));
  const sl_shape row = sl__shape2(1, FEATURES);
  sl_node side[2];
  for (int k = 0; k < 2; k++) {
    const sl_node a = op_softplus(g, k ? u : op_negate(g, u));
    const sl_node b = op_softplus(g, k ? v : op_negate(g, v));
    const sl_node parts[2] = {op_reshape(g, op_shift(g, op_negate(g, a), log(0.25)), row),
                              op_reshape(g, op_shift(g, op_negate(g, b), log(0.75)), row)};
    side[k] = op_log_sum_exp(g, op_concatenate(g, 2, parts, 0), 0);
  }
  return op_subtract(g, side[0], side[1]);
}
static inline sl_node exponential_graph(void *user, sl__graph *g, sl_node x) {
  const sl_node q = *(const sl_node *)user;
  return op_exp(g, op_multiply(g, row_of(g, q, 0), x));
}
static inline sl_node kinked_graph(void *user, sl__graph *g, sl_node x) {
  const sl_node q = *(const sl_node *)user;
  return op_select(g, op_less(g, op_number(g, sl__node_type(g, x), 0), x), x,
                   op_multiply(g, row_of(g, q, 0), x));
}

static inline sl_node steep_graph(void *user, sl__graph *g, sl_node x) {
  const sl_node q = *(const sl_node *)user, square = op_square(g, x), fourth = op_square(g, square);
  const sl_node above = op_multiply_add(g, op_scale(g, fourth, 0.001), fourth, row_of(g, q, 0));
  const sl_node all = op_multiply_add(g, row_of(g, q, 1), fourth, above);
  return op_multiply_add(g, x, all, row_of(g, q, 2));
}

typedef struct family {
  const char *name;
  double (*value)(const double *q, double x), (*slope)(const double *q, double x);
  sl__root_function graph;
  double range; /* of roots */
} family;
static const family families[] = {
    {"planar", planar, planar_slope, planar_graph, 100},
    {"cubic", cubic, cubic_slope, cubic_graph, 10},
    {"log odds", log_odds, log_odds_slope, log_odds_graph, 100},
    {"exponential", exponential, exponential_slope, exponential_graph, 5},
    {"kinked", kinked, kinked_slope, kinked_graph, 100},
    {"steep", steep, steep_slope, steep_graph, 20},
};
enum { KINDS = sizeof families / sizeof families[0] };

/* Parameters that make each of them increasing; a quarter of them nearly flat somewhere. */
static inline void draw_parameters(double q[3], int i) {
  q[0] = uniform(0.05, 3);
  q[1] = uniform(0.05, 3);
  q[2] = uniform(-4, 4);
  if (i % 4 == 1) q[0] = -uniform(0.9, 0.999) / q[1];
  if (i % 4 == 1) q[0] = i % 8 == 1 ? fabs(q[0]) * 20 : q[0];
}

/* Which parameters a family cannot have. */
static inline void make_valid(const family *f, double q[3]) {
  if (f->value != planar && q[0] < 0) q[0] = -q[0];
  if (f->value == exponential) q[0] = fmin(q[0], 3);
}

static inline double draw_root(const family *f, int i) {
  const double size = i % 5 == 0 ? f->range : i % 5 == 1 ? 1e-3 : 3;
  return uniform(-1, 1) * (size < f->range ? size : f->range);
}

/* The root by bisection, to the last two numbers. */
static inline double bisect(const family *f, const double *q, double y, double low, double high) {
  for (int i = 0; i < 2100; i++) {
    const double middle = low / 2 + high / 2;
    if (middle <= low || middle >= high) break;
    if (f->value(q, middle) < y)
      low = middle;
    else
      high = middle;
  }
  return high;
}

/* How far x may be from the root: some spacings at x, and what rounding inside f and of y makes. */
static inline double allowance(const family *f, const double *q, double x, double y,
                               double epsilon) {
  const double inside = fabs(x) + fabs(y) + 3 * fabs(q[2]) + fabs(q[0]) + 1;
  const double slope = f->slope(q, x), flattest = fmin(slope, f->slope(q, x * (1 + 1e-3)));
  return epsilon * (2 * fabs(x) + 2 * inside * (f->value == exponential ? y : 1) / flattest);
}
#endif
