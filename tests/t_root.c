/* Roots of monotone functions (op_root): against bisection in plain C, their derivatives against
 * differences, what happens where there is no root, and that neither threads nor the cutting of
 * rows changes a bit. The search itself is also tried on functions in plain C, which counts how
 * often it evaluates them. */
#include <float.h>
#include <stdint.h>
#include <time.h>

#include "base/os.h"
#include "base/text.h"
#include "check.h"
#include "graph/graph.h"
#include "kernel_numbers.h"

enum { ROWS = 700, FEATURES = 3, PARAMETERS = 24 };

/* ---- functions, in plain C and as graphs; q: [3] rows of FEATURES parameters ---- */

/* x + a tanh(w x + b); a w >= -0.99 */
static double planar(const double *q, double x) {
  return x + q[0] * tanh(q[1] * x + q[2]);
}
static double planar_slope(const double *q, double x) {
  const double t = tanh(q[1] * x + q[2]);
  return 1 + q[0] * q[1] * (1 - t * t);
}
static double cubic(const double *q, double x) {
  return q[2] + q[0] * x + q[1] * x * x * x;
}
static double cubic_slope(const double *q, double x) {
  return q[0] + 3 * q[1] * x * x;
}
static double softplus(double x) {
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}
/* log-odds of w sigmoid(a x + b) + (1 - w) sigmoid(c x - b), c = 0.3, w = 0.25 */
static double log_odds(const double *q, double x) {
  const double u = q[0] * x + q[2], v = 0.3 * x - q[2], w = log(0.25), r = log(0.75);
  const double up[2] = {w - softplus(-u), r - softplus(-v)};
  const double down[2] = {w - softplus(u), r - softplus(v)};
  const double most = fmax(up[0], up[1]), least = fmax(down[0], down[1]);
  return most + log(exp(up[0] - most) + exp(up[1] - most)) - least -
         log(exp(down[0] - least) + exp(down[1] - least));
}
static double log_odds_slope(const double *q, double x) {
  const double u = q[0] * x + q[2], v = 0.3 * x - q[2];
  const double a = 0.25 / (1 + exp(-u)), b = 0.75 / (1 + exp(-v));
  const double c = 0.25 / (1 + exp(u)), d = 0.75 / (1 + exp(v));
  const double rise = a / (1 + exp(u)) * q[0] + b / (1 + exp(v)) * 0.3;
  return rise / (a + b) + rise / (c + d);
}
static double exponential(const double *q, double x) {
  return exp(q[0] * x);
}
static double exponential_slope(const double *q, double x) {
  return q[0] * exp(q[0] * x);
}
/* slope a below 0, 1 above */
static double kinked(const double *q, double x) {
  return x > 0 ? x : q[0] * x;
}
static double kinked_slope(const double *q, double x) {
  return x > 0 ? 1 : q[0];
}

/* of degree 9, increasing: flat around 0, very steep far out */
static double steep(const double *q, double x) {
  const double square = x * x;
  return q[2] + x * (q[0] + square * square * (q[1] + 0.001 * square * square));
}
static double steep_slope(const double *q, double x) {
  const double square = x * x;
  return q[0] + square * square * (5 * q[1] + 0.009 * square * square);
}
/* piecewise linear, of slopes 0.001 and 20 a in turn */
enum { STAIRS = 3 };
static double stairs(const double *q, double x) {
  const double half = 0.5 / STAIRS, stair = floor(x / (2 * half)), on = x - stair * 2 * half;
  const double rise = half * (0.001 + 20 * q[0]);
  return q[2] + stair * rise + 0.001 * fmin(on, half) + 20 * q[0] * fmax(on - half, 0);
}
static double stairs_slope(const double *q, double x) {
  const double half = 0.5 / STAIRS, stair = floor(x / (2 * half));
  return x - stair * 2 * half < half ? 0.001 : 20 * q[0];
}

static sl_node row_of(sl__graph *g, sl_node q, int row) {
  return op_element(g, q, 0, row);
}
static sl_node planar_graph(void *user, sl__graph *g, sl_node x) {
  const sl_node q = *(const sl_node *)user;
  const sl_node t = op_tanh(g, op_multiply_add(g, row_of(g, q, 1), x, row_of(g, q, 2)));
  return op_multiply_add(g, row_of(g, q, 0), t, x);
}
static sl_node cubic_graph(void *user, sl__graph *g, sl_node x) {
  const sl_node q = *(const sl_node *)user;
  const sl_node cube = op_multiply(g, x, op_square(g, x));
  return op_add(g, op_multiply_add(g, row_of(g, q, 0), x, row_of(g, q, 2)),
                op_multiply(g, row_of(g, q, 1), cube));
}
static sl_node log_odds_graph(void *user, sl__graph *g, sl_node x) {
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
static sl_node exponential_graph(void *user, sl__graph *g, sl_node x) {
  const sl_node q = *(const sl_node *)user;
  return op_exp(g, op_multiply(g, row_of(g, q, 0), x));
}
static sl_node kinked_graph(void *user, sl__graph *g, sl_node x) {
  const sl_node q = *(const sl_node *)user;
  return op_select(g, op_less(g, op_number(g, sl__node_type(g, x), 0), x), x,
                   op_multiply(g, row_of(g, q, 0), x));
}

static sl_node steep_graph(void *user, sl__graph *g, sl_node x) {
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
static void draw_parameters(double q[3], int i) {
  q[0] = uniform(0.05, 3);
  q[1] = uniform(0.05, 3);
  q[2] = uniform(-4, 4);
  if (i % 4 == 1) q[0] = -uniform(0.9, 0.999) / q[1];
  if (i % 4 == 1) q[0] = i % 8 == 1 ? fabs(q[0]) * 20 : q[0];
}

/* Which parameters a family cannot have. */
static void make_valid(const family *f, double q[3]) {
  if (f->value != planar && q[0] < 0) q[0] = -q[0];
  if (f->value == exponential) q[0] = fmin(q[0], 3);
}

static double draw_root(const family *f, int i) {
  const double size = i % 5 == 0 ? f->range : i % 5 == 1 ? 1e-3 : 3;
  return uniform(-1, 1) * (size < f->range ? size : f->range);
}

/* The root by bisection, to the last two numbers. */
static double bisect(const family *f, const double *q, double y, double low, double high) {
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
static double allowance(const family *f, const double *q, double x, double y, double epsilon) {
  const double inside = fabs(x) + fabs(y) + 3 * fabs(q[2]) + fabs(q[0]) + 1;
  const double slope = f->slope(q, x), flattest = fmin(slope, f->slope(q, x * (1 + 1e-3)));
  return epsilon * (2 * fabs(x) + 2 * inside * (f->value == exponential ? y : 1) / flattest);
}

/* ---- the search on functions in plain C ---- */

enum { LANES = 256, BRACKETS = 5 };
static const char *const bracket_names[BRACKETS] = {"wide", "wide, uneven", "narrow", "beside",
                                                    "away"};

static void draw_bracket(int kind, double root, double *low, double *high) {
  const double width = kind == 1 ? 1000 : uniform(0.01, 2);
  *low = kind == 0 ? -500 : kind == 3 ? root + 0.1 : kind == 4 ? root - 30 : 0;
  *high = kind == 0 ? 500 : kind == 3 ? root + 0.2 : kind == 4 ? root - 29 : 0;
  if (kind == 1 || kind == 2) {
    *low = root - width * uniform(0, 1);
    *high = *low + width;
  }
}

/* One block of lanes; returns how often the functions were evaluated. */
static int search(const sl__kernels *table, sl_dtype type, const family *f, double (*q)[3], void *x,
                  const void *y, const void *low, const void *high) {
  void *state = numbers(type, LANES * SL__ROOT_STATE, 0, 0);
  void *value = numbers(type, LANES, 0, 0), *slope = numbers(type, LANES, 0, 0);
  table->root_begin(1, LANES, LANES, state, x, y, low, high);
  int evaluations = 0;
  for (int64_t left = 1; left > 0 && evaluations < 200; evaluations++) {
    for (int i = 0; i < LANES; i++) {
      set(type, value, i, f->value(q[i], get(type, x, i)));
      set(type, slope, i, f->slope(q[i], get(type, x, i)));
    }
    left = table->root_step(LANES, state, x, y, value, slope);
  }
  table->root_end(LANES, state, x);
  free(state), free(value), free(slope);
  return evaluations;
}

typedef struct tally {
  double mean;
  int most, worst_lane;
  double worst;
} tally;

static tally try_search(const sl__kernels *table, sl_dtype type, const family *f, int bracket) {
  enum { BLOCKS = 12 };
  static double q[LANES][3], root[LANES];
  tally t = {0};
  void *x = numbers(type, LANES, 0, 0), *y = numbers(type, LANES, 0, 0);
  void *low = numbers(type, LANES, 0, 0), *high = numbers(type, LANES, 0, 0);
  for (int block = 0; block < BLOCKS; block++) {
    for (int i = 0; i < LANES; i++) {
      draw_parameters(q[i], i);
      make_valid(f, q[i]);
      root[i] = draw_root(f, i);
      double a, b;
      draw_bracket(bracket, root[i], &a, &b);
      set(type, y, i, f->value(q[i], root[i]));
      set(type, low, i, a);
      set(type, high, i, b);
    }
    const int evaluations = search(table, type, f, q, x, y, low, high);
    t.mean += (double)evaluations / BLOCKS;
    if (evaluations > t.most) t.most = evaluations;
    for (int i = 0; i < LANES; i++) {
      const double wanted = get(type, y, i), found = get(type, x, i);
      const double true_root = bisect(f, q[i], wanted, -1e4, 1e4);
      const double off =
          fabs(found - true_root) / allowance(f, q[i], true_root, wanted, epsilon_of(type));
      if (!(off <= t.worst)) t.worst = off;
    }
  }
  free(x), free(y), free(low), free(high);
  return t;
}

/* Of the slowest of 256 lanes: on the whole, and in the worst of blocks. Where rounding inside f is
 * coarse in spacings of x, only bisection tells (log odds near 0). */
static const double mean_evaluations[BRACKETS] = {12.5, 12.5, 12.5, 12.5, 23};
static const int most_evaluations[BRACKETS] = {24, 24, 24, 16, 26};

TEST(search_finds_what_bisection_finds) {
  for (int t = 0; t < 2; t++) {
    const sl__kernels *tables[TABLES];
    const int count = tables_of(both_types[t], tables);
    for (int k = 0; k < KINDS; k++) {
      for (int bracket = 0; bracket < BRACKETS; bracket++) {
        const sl__kernels *table = tables[count - 1];
        const tally found = try_search(table, both_types[t], &families[k], bracket);
        const bool good = found.worst <= 1 && found.most <= most_evaluations[bracket] &&
                          found.mean <= mean_evaluations[bracket];
        CHECK(good);
        if (!good || getenv("SLUICE_TEST_VERBOSE")) {
          printf("  f%d %-12s %-13s slowest lane of a block %4.1f, at most %2d; off by %.2f\n",
                 (int)size_of(both_types[t]) * 8, families[k].name, bracket_names[bracket],
                 found.mean, found.most, found.worst);
        }
      }
    }
  }
}

/* Kinks anywhere: also beside the root, with slopes that say nothing of what lies beyond. The root
 * is bracketed, or the value is y's to rounding; a lane that is not done is not a number. */
TEST(search_is_not_fooled_by_kinks) {
  enum { BLOCKS = 12 };
  static double q[LANES][3];
  const family f = {"stairs", stairs, stairs_slope, NULL, 100};
  for (int t = 0; t < 2; t++) {
    const sl_dtype type = both_types[t];
    const sl__kernels *tables[TABLES];
    const sl__kernels *table = tables[tables_of(type, tables) - 1];
    void *x = numbers(type, LANES, 0, 0), *y = numbers(type, LANES, 0, 0);
    void *low = numbers(type, LANES, 0, 0), *high = numbers(type, LANES, 0, 0);
    int most = 0;
    for (int i = 0; i < BLOCKS * BRACKETS * LANES; i++) {
      const int lane = i % LANES, bracket = i / LANES % BRACKETS;
      draw_parameters(q[lane], i);
      make_valid(&f, q[lane]);
      /* a third of them within a hair of a kink */
      const double kink = round(uniform(-9, 9)) / STAIRS / (i % 2 + 1);
      const double root = i % 3 ? draw_root(&f, i) : kink * (1 + uniform(-4, 4) * epsilon_of(type));
      double a, b;
      draw_bracket(bracket, root, &a, &b);
      set(type, y, lane, stairs(q[lane], root));
      set(type, low, lane, a);
      set(type, high, lane, b);
      if (lane < LANES - 1) continue;
      const int evaluations = search(table, type, &f, q, x, y, low, high);
      if (evaluations > most) most = evaluations;
      for (int k = 0; k < LANES; k++) {
        const double found = get(type, x, k), wanted = get(type, y, k), e = epsilon_of(type);
        const double near = 8 * e * fabs(found);
        const double rounding = 4 * e * (fabs(wanted) + fabs(q[k][2]) + 20 * q[k][0]);
        const bool is_root = stairs(q[k], found - near) <= wanted + rounding &&
                             stairs(q[k], found + near) >= wanted - rounding;
        if (!CHECK(is_root))
          printf("  f%d %s: %.9g at %.9g, not %.9g\n", (int)size_of(type) * 8,
                 bracket_names[bracket], stairs(q[k], found), found, wanted);
      }
    }
    CHECK(most <= 64);
    if (getenv("SLUICE_TEST_VERBOSE")) printf("  stairs: at most %d\n", most);
    free(x), free(y), free(low), free(high);
  }
}

static void check_table(const sl__kernels *table, const sl__kernels *reference, sl_dtype type) {
  (void)reference;
  for (int k = 0; k < KINDS; k++) {
    const tally found = try_search(table, type, &families[k], 0);
    if (!CHECK(found.worst <= 1)) printf("  %s, %s\n", table->name, families[k].name);
  }
}

TEST(search_of_every_instruction_set) {
  each_table(check_table);
  const sl__kernels *tables[TABLES]; /* the reference: bisection by another hand than the test's */
  tables_of(SL_F64, tables);
  check_table(tables[0], tables[0], SL_F64);
}

/* ---- programs ---- */

static sl_context *context_of(int threads) {
  sl_context *context = NULL;
  CHECK(
      sl_context_new(&(sl_context_options){.size = sizeof(sl_context_options), .threads = threads},
                     &context) == SL_OK);
  return context;
}

typedef struct setting {
  sl_context *context;
  sl__graph *g;
  sl_node y, q; /* inputs: y [FEATURES], q [3][FEATURES] */
  sl_dtype type;
} setting;

static bool open_setting(setting *s, sl_dtype type, int threads, bool parameters_shared) {
  *s = (setting){.context = context_of(threads), .type = type};
  if (!CHECK(sl__graph_new(s->context, &s->g) == SL_OK)) return false;
  s->y = op_input(s->g, type, sl__shape1(FEATURES));
  const sl_shape shape = sl__shape2(3, FEATURES);
  s->q = parameters_shared ? op_parameter(s->g, type, shape, 0) : op_input(s->g, type, shape);
  return true;
}

static sl_node root_in(const setting *s, sl_node y, sl_node *q, sl__root_function f, double low,
                       double high) {
  return op_root(s->g, y, op_number(s->g, s->type, low), op_number(s->g, s->type, high), f, q);
}

/* Runs outputs over rows of y, and of q where it is batched, in pieces of so many rows. */
static bool run_pieces(const setting *s, int count, const sl_node *outputs, int64_t rows,
                       int64_t piece, const double *y, const double *q, double *const *results,
                       sl_status *diagnosis) {
  sl__program *program = NULL;
  sl__workspace *w = NULL;
  if (!CHECK_OK(s->context, sl__program_new(s->context, s->g, count, outputs, &program)))
    return false;
  bool good = CHECK_OK(s->context, sl__workspace_new(s->context, program, rows, &w));
  float q32[3 * FEATURES];
  for (int i = 0; i < 3 * FEATURES; i++) q32[i] = (float)q[i];
  for (int64_t row = 0; good && row < rows; row += piece) {
    const sl__feed feeds[2] = {{.data = y + row * FEATURES, .type = SL_F64},
                               {.data = q + row * 3 * FEATURES, .type = SL_F64}};
    sl__sink sinks[4];
    for (int k = 0; k < count; k++) {
      const bool batched = sl__node_batched(s->g, outputs[k]);
      const int64_t width = sl__shape_count(sl__node_shape(s->g, outputs[k]));
      sinks[k] = (sl__sink){results[k] + (batched ? row * width : 0), SL_F64, 0, 0};
    }
    const sl__run run = {.rows = rows - row < piece ? rows - row : piece,
                         .parameters = s->type == SL_F64 ? (const void *)q : q32,
                         .feeds = feeds,
                         .sinks = sinks};
    good = CHECK_OK(s->context, sl__program_run(s->context, program, w, &run));
    if (diagnosis) *diagnosis = sl__program_diagnose(s->context, program, w, &run);
  }
  sl__workspace_free(w);
  sl__program_free(program);
  return good;
}

static void close_setting(setting *s) {
  sl__graph_free(s->g);
  sl_context_free(s->context);
}

static double ys[ROWS * FEATURES], qs[ROWS * 3 * FEATURES];
static double roots[ROWS * FEATURES], others[ROWS * FEATURES];

static void parameters_of(int64_t i, double q[3]) {
  const int64_t row = i / FEATURES, d = i % FEATURES;
  for (int k = 0; k < 3; k++) q[k] = qs[(row * 3 + k) * FEATURES + d];
}

static void draw_rows(const family *f, int64_t rows) {
  for (int64_t i = 0; i < rows * FEATURES; i++) {
    double q[3];
    draw_parameters(q, (int)i);
    make_valid(f, q);
    for (int k = 0; k < 3; k++) qs[(i / FEATURES * 3 + k) * FEATURES + i % FEATURES] = q[k];
    ys[i] = f->value(q, draw_root(f, (int)i));
  }
}

TEST(programs_find_what_bisection_finds) {
  for (int t = 0; t < 2; t++) {
    for (int k = 0; k < KINDS; k++) {
      const family *f = &families[k];
      setting s;
      if (!open_setting(&s, both_types[t], 1, false)) return;
      draw_rows(f, ROWS);
      const sl_node x = root_in(&s, s.y, &s.q, f->graph, -500, 500);
      double worst = 0;
      if (run_pieces(&s, 1, &x, ROWS, ROWS, ys, qs, (double *[]){roots}, NULL)) {
        for (int64_t i = 0; i < ROWS * FEATURES; i++) {
          double q[3];
          parameters_of(i, q);
          if (s.type == SL_F32) {
            for (int j = 0; j < 3; j++) q[j] = (double)(float)q[j];
          }
          const double y = s.type == SL_F32 ? (double)(float)ys[i] : ys[i];
          const double root = bisect(f, q, y, -1e4, 1e4);
          const double off = fabs(roots[i] - root) / allowance(f, q, root, y, epsilon_of(s.type));
          if (!(off <= worst)) worst = off;
        }
      }
      if (!CHECK(worst <= 1)) printf("  %s: off by %g\n", f->name, worst);
      close_setting(&s);
    }
  }
}

TEST(no_bit_depends_on_threads_or_pieces) {
  const int threads[3] = {1, 2, 8};
  for (int t = 0; t < 2; t++) {
    for (int k = 0; k < KINDS; k++) {
      draw_rows(&families[k], ROWS);
      ys[5 * FEATURES] = (double)INFINITY; /* the rows beside it must not notice */
      for (int i = 0; i < 3; i++) {
        setting s;
        if (!open_setting(&s, both_types[t], threads[i], false)) return;
        const sl_node x = root_in(&s, s.y, &s.q, families[k].graph, -500, 500);
        double *to = i ? others : roots;
        run_pieces(&s, 1, &x, ROWS, ROWS, ys, qs, &to, NULL);
        if (i) CHECK(memcmp(roots, others, sizeof roots) == 0);
        to = others;
        for (int64_t piece = 1; piece < ROWS; piece = 7 * piece + 2) {
          run_pieces(&s, 1, &x, ROWS, piece, ys, qs, &to, NULL);
          if (!CHECK(memcmp(roots, others, sizeof roots) == 0))
            printf("  %s: pieces of %d rows\n", families[k].name, (int)piece);
        }
        close_setting(&s);
      }
    }
  }
}

/* ---- derivatives ---- */

/* sum over rows and elements of weight * (x + log f'(x)), x the root: as a flow needs it. */
static sl_node log_slopes(const setting *s, sl_node x, sl__root_function f, sl_node *q) {
  sl__graph *g = s->g;
  sl_node slope = 0;
  const sl_node sum = op_sum_all(g, f(q, g, x));
  if (!sum || sl__gradient(g, sum, 1, &x, &slope) != SL_OK) return 0;
  const sl_node weight =
      op_constant(g, s->type, sl__shape1(FEATURES), (double[FEATURES]){1, -0.7, 0.4});
  const sl_node terms = op_multiply(g, weight, op_add(g, x, op_log(g, slope)));
  return op_sum_rows(g, op_sum_all(g, terms));
}

enum { FEW = 3 };

static void draw_few(const family *f) {
  for (int i = 0; i < FEW * FEATURES; i++) ys[i] = 0.6 + 0.25 * sin(1.0 + 2.1 * i);
  for (int row = 0; row < FEW; row++) {
    double *q = qs + row * 3 * FEATURES;
    for (int d = 0; d < FEATURES; d++) {
      q[d] = 0.8 + 0.1 * d + 0.02 * row;
      q[FEATURES + d] = f->value == planar && d == 1 ? -0.9 : 0.5 + 0.2 * d;
      q[2 * FEATURES + d] = 0.3 - 0.2 * d + 0.1 * row;
    }
  }
}

/* Its gradients to y and q against differences. */
static void check_gradients(const setting *s, const char *name, sl_node loss, double tolerance) {
  enum { MOST = FEW * FEATURES };
  const int of_q = (sl__node_batched(s->g, s->q) ? FEW : 1) * 3 * FEATURES;
  sl_node gradient[2] = {0};
  if (!CHECK_OK(s->context, sl__gradient(s->g, loss, 2, (sl_node[]){s->y, s->q}, gradient))) return;
  double value, up, down, by_y[MOST], by_q[3 * MOST];
  const sl_node outputs[3] = {loss, gradient[0], gradient[1]};
  if (!run_pieces(s, 3, outputs, FEW, FEW, ys, qs, (double *[]){&value, by_y, by_q}, NULL)) return;
  double worst = 0;
  for (int i = 0; i < MOST + of_q; i++) {
    double *at = i < MOST ? &ys[i] : &qs[i - MOST];
    const double kept = *at, given = i < MOST ? by_y[i] : by_q[i - MOST], h = 1e-5;
    *at = kept + h;
    run_pieces(s, 1, &loss, FEW, FEW, ys, qs, (double *[]){&up}, NULL);
    *at = kept - h;
    run_pieces(s, 1, &loss, FEW, FEW, ys, qs, (double *[]){&down}, NULL);
    *at = kept;
    const double off = fabs((up - down) / (2 * h) - given) / (1 + fabs(given));
    if (!(off <= worst)) worst = off;
  }
  if (!CHECK(worst < tolerance) || !CHECK(fabs(value) > 1e-3))
    printf("  %s: gradient off by %g\n", name, worst);
}

/* The sum of the squares of loss's derivatives to y and q, which must be batched. */
static sl_node squared_gradient(const setting *s, sl_node loss) {
  sl_node d[2] = {0};
  CHECK_OK(s->context, sl__gradient(s->g, loss, 2, (sl_node[]){s->y, s->q}, d));
  return op_sum_rows(s->g, op_add(s->g, op_sum_all(s->g, op_square(s->g, d[0])),
                                  op_sum_all(s->g, op_square(s->g, d[1]))));
}

TEST(first_derivatives_against_differences) {
  for (int k = 0; k < KINDS; k++) {
    setting s;
    if (!open_setting(&s, SL_F64, 1, true)) return;
    draw_few(&families[k]);
    const sl_node x = root_in(&s, s.y, &s.q, families[k].graph, -50, 50);
    check_gradients(&s, families[k].name, log_slopes(&s, x, families[k].graph, &s.q), 1e-8);
    close_setting(&s);
  }
}

TEST(second_derivatives_against_differences) {
  for (int k = 0; k < KINDS; k++) {
    setting s;
    if (!open_setting(&s, SL_F64, 1, false)) return;
    draw_few(&families[k]);
    const sl_node x = root_in(&s, s.y, &s.q, families[k].graph, -50, 50);
    const sl_node loss = log_slopes(&s, x, families[k].graph, &s.q);
    check_gradients(&s, families[k].name, squared_gradient(&s, loss), 1e-7);
    close_setting(&s);
  }
}

/* ---- roots that depend on roots ---- */

typedef struct coupled {
  sl_node q, known; /* q: parameters; known: the roots before this one, [n] or 0 */
  int index;
} coupled;

/* Equation i of the triangular system x_i + a_i tanh(w_i x_i + b_i + sum over j < i of x_j / 2). */
static sl_node coupled_graph(void *user, sl__graph *g, sl_node x) {
  const coupled *c = user;
  const sl_node q = op_slice(g, c->q, 1, c->index, 1, 1);
  sl_node inside = op_multiply_add(g, row_of(g, q, 1), x, row_of(g, q, 2));
  if (c->known) {
    const sl_node sum = op_reshape(g, op_sum(g, c->known, 0), sl__shape1(1));
    inside = op_add(g, inside, op_scale(g, sum, 0.5));
  }
  return op_multiply_add(g, row_of(g, q, 0), op_tanh(g, inside), x);
}

static sl_node back_substitute(const setting *s) {
  coupled c = {.q = s->q};
  for (; c.index < FEATURES; c.index++) {
    const sl_node y = op_slice(s->g, s->y, 0, c.index, 1, 1);
    const sl_node low = op_number(s->g, s->type, -20), high = op_number(s->g, s->type, 20);
    const sl_node x = op_root(s->g, y, low, high, coupled_graph, &c);
    c.known = c.known ? op_concatenate(s->g, 2, (sl_node[]){c.known, x}, 0) : x;
  }
  return c.known;
}

TEST(back_substitution_of_a_triangular_system) {
  setting s;
  if (!open_setting(&s, SL_F64, 2, false)) return;
  draw_few(&families[0]);
  const sl_node x = back_substitute(&s);
  run_pieces(&s, 1, &x, FEW, FEW, ys, qs, (double *[]){roots}, NULL);
  for (int row = 0; row < FEW; row++) {
    double before = 0;
    for (int d = 0; d < FEATURES; d++) {
      double q[3];
      parameters_of(row * FEATURES + d, q);
      q[2] += before / 2;
      const double root = bisect(&families[0], q, ys[row * FEATURES + d], -100, 100);
      CHECK_CLOSE(roots[row * FEATURES + d], root, 1e-14);
      before += root;
    }
  }
  const sl_node sum = op_sum_rows(s.g, op_sum_all(s.g, op_square(s.g, x)));
  check_gradients(&s, "back-substitution", sum, 1e-8);
  check_gradients(&s, "back-substitution, twice", squared_gradient(&s, sum), 1e-7);
  close_setting(&s);
}

/* ---- shared and batched ---- */

/* The same numbers whether y, the bracket and the parameters are batched or not. */
TEST(shared_and_batched_operands_agree) {
  for (int t = 0; t < 2; t++) {
    double results[8] = {0};
    for (int k = 0; k < 8; k++) { /* bits: batched y, bracket, parameters */
      setting s;
      if (!open_setting(&s, both_types[t], 1, true)) return;
      draw_few(&families[0]);
      for (int i = 0; i < FEW * FEATURES; i++) ys[i] = ys[i % FEATURES];
      sl_node y = op_constant(s.g, s.type, sl__shape1(FEATURES), ys), q = s.q;
      sl_node low = op_number(s.g, s.type, -3), high = op_number(s.g, s.type, 8);
      const sl_node rows = op_multiply(s.g, op_element(s.g, s.y, 0, 0), op_number(s.g, s.type, 0));
      if (k & 1) y = s.y;
      if (k & 2) low = op_add(s.g, low, rows);
      if (k & 4) q = op_add(s.g, q, rows);
      const sl_node x = op_root(s.g, y, low, high, planar_graph, &q);
      CHECK_INTEGER(sl__node_batched(s.g, x), k != 0);
      const sl_node last = op_element(s.g, x, 0, 2);
      run_pieces(&s, 1, &last, FEW, FEW, ys, qs, (double *[]){roots}, NULL);
      results[k] = roots[0];
      CHECK(results[k] == results[0] && isfinite(results[k]));
      close_setting(&s);
    }
  }
}

TEST(roots_of_constants_alone_and_after_sums_over_rows) {
  setting s;
  if (!open_setting(&s, SL_F64, 2, true)) return;
  draw_few(&families[0]);
  sl_node q = op_constant(s.g, s.type, sl__shape2(3, FEATURES), qs);
  const sl_node y = op_constant(s.g, s.type, sl__shape1(FEATURES), ys);
  const sl_node first = root_in(&s, y, &q, planar_graph, -50, 50);
  const sl_node mean = op_scale(s.g, op_sum_rows(s.g, s.y), 1.0 / FEW);
  const sl_node second = root_in(&s, mean, &q, planar_graph, -50, 50);
  double at_first[FEATURES], at_mean[FEATURES];
  run_pieces(&s, 2, (sl_node[]){first, second}, FEW, FEW, ys, qs, (double *[]){at_first, at_mean},
             NULL);
  for (int d = 0; d < FEATURES; d++) {
    const double p[3] = {qs[d], qs[FEATURES + d], qs[2 * FEATURES + d]};
    const double average = (ys[d] + ys[FEATURES + d] + ys[2 * FEATURES + d]) / 3;
    CHECK_CLOSE(planar(p, at_first[d]), ys[d], 1e-14);
    CHECK_CLOSE(planar(p, at_mean[d]), average, 1e-14);
  }
  close_setting(&s);
}

/* ---- brackets and values that do not hold ---- */

TEST(brackets_that_do_not_hold_are_widened) {
  static const double brackets[][2] = {
      {200, 201}, {-201, -200},          {5, 5},   {0, 0},           {7, -7},
      {NAN, NAN}, {-INFINITY, INFINITY}, {NAN, 2}, {1e-300, 2e-300}, {1e30, 2e30},
  };
  for (int t = 0; t < 2; t++) {
    for (size_t k = 0; k < sizeof brackets / sizeof brackets[0]; k++) {
      setting s;
      if (!open_setting(&s, both_types[t], 1, true)) return;
      draw_few(&families[1]);
      const sl_node x = root_in(&s, s.y, &s.q, cubic_graph, brackets[k][0], brackets[k][1]);
      run_pieces(&s, 1, &x, FEW, FEW, ys, qs, (double *[]){roots}, NULL);
      for (int i = 0; i < FEW * FEATURES; i++) {
        const int d = i % FEATURES;
        const double p[3] = {qs[d], qs[FEATURES + d], qs[2 * FEATURES + d]};
        if (!CHECK_CLOSE(cubic(p, roots[i]), ys[i], 8 * epsilon_of(s.type)))
          printf("  bracket %g to %g\n", brackets[k][0], brackets[k][1]);
      }
      close_setting(&s);
    }
  }
}

/* x + tanh(x) / 2 near 0 and far away: precise relative to the root, however small or large. */
TEST(roots_of_any_magnitude_are_precise) {
  static const double wanted[12] = {0,     1e-300, -1e-300, 1e-150, 1e-30, -1e-12,
                                    -1e-9, 1e-4,   100,     -1e12,  1e30,  -1e300};
  static const double brackets[3][2] = {{-1000, 700}, {-1.3, 2}, {1e-200, 1e-199}};
  for (int t = 0; t < 2; t++) {
    for (int k = 0; k < 3; k++) {
      setting s;
      if (!open_setting(&s, both_types[t], 1, true)) return;
      for (int d = 0; d < FEATURES; d++) {
        qs[d] = 0.5;
        qs[FEATURES + d] = 1;
        qs[2 * FEATURES + d] = 0;
      }
      for (int i = 0; i < 12; i++) {
        const bool fits = s.type == SL_F64 || wanted[i] == 0 || fabs(log10(fabs(wanted[i]))) < 37;
        ys[i] = fits ? wanted[i] + 0.5 * tanh(wanted[i]) : 0;
      }
      const sl_node x = root_in(&s, s.y, &s.q, planar_graph, brackets[k][0], brackets[k][1]);
      run_pieces(&s, 1, &x, 4, 4, ys, qs, (double *[]){roots}, NULL);
      for (int i = 0; i < 12; i++) {
        const double off = fabs(roots[i] - (ys[i] != 0 ? wanted[i] : 0));
        if (!CHECK(off <= 2 * epsilon_of(s.type) * fabs(wanted[i])))
          printf("  %g against %g from %g to %g\n", roots[i], wanted[i], brackets[k][0],
                 brackets[k][1]);
      }
      close_setting(&s);
    }
  }
}

/* tanh never reaches 2; nothing reaches infinity; a logarithm has no value below 0. */
TEST(where_there_is_no_root_one_element_is_not_a_number) {
  for (int t = 0; t < 2; t++) {
    setting s;
    if (!open_setting(&s, both_types[t], 2, true)) return;
    sl__graph_label(s.g, "layer 2: planar");
    draw_few(&families[0]);
    for (int d = 0; d < FEATURES; d++) qs[d] = 1;
    enum { N = 300 };
    for (int i = 0; i < N * FEATURES; i++) ys[i] = 0.5 * sin(i);
    const sl_node x = root_in(&s, s.y, &s.q, planar_graph, -50, 50);
    sl_status diagnosis;
    run_pieces(&s, 1, &x, N, N, ys, qs, (double *[]){others}, &diagnosis);
    CHECK_INTEGER(diagnosis, SL_OK);
    const int bad[3] = {17 * FEATURES + 1, 130 * FEATURES, 299 * FEATURES + 2};
    ys[bad[0]] = (double)INFINITY;
    ys[bad[1]] = (double)NAN;
    ys[bad[2]] = -(double)INFINITY;
    run_pieces(&s, 1, &x, N, N, ys, qs, (double *[]){roots}, NULL);
    int lost = 0;
    for (int i = 0; i < N * FEATURES; i++) {
      const bool is_bad = i == bad[0] || i == bad[1] || i == bad[2];
      lost += is_bad ? !isnan(roots[i]) : roots[i] != others[i];
    }
    CHECK_INTEGER(lost, 0);
    close_setting(&s);
  }
}

static sl_node bounded_graph(void *user, sl__graph *g, sl_node x) {
  (void)user;
  return op_tanh(g, x);
}

static sl_node logarithm_graph(void *user, sl__graph *g, sl_node x) {
  (void)user;
  return op_log(g, x);
}

TEST(functions_that_never_get_there_are_reported_with_their_row) {
  for (int t = 0; t < 2; t++) {
    setting s;
    if (!open_setting(&s, both_types[t], 1, true)) return;
    draw_few(&families[0]);
    for (int i = 0; i < 40 * FEATURES; i++) ys[i] = 0.9 * sin(i);
    sl__graph_label(s.g, "layer 2: bounded");
    const sl_node x = root_in(&s, s.y, &s.q, bounded_graph, -1, 3);
    sl_status diagnosis;
    run_pieces(&s, 1, &x, 40, 40, ys, qs, (double *[]){others}, &diagnosis);
    CHECK_INTEGER(diagnosis, SL_OK);
    for (int i = 0; i < 40 * FEATURES; i++)
      CHECK_CLOSE(others[i], atanh(ys[i]), 40 * epsilon_of(s.type));
    ys[23 * FEATURES + 1] = 2;
    run_pieces(&s, 1, &x, 40, 40, ys, qs, (double *[]){roots}, &diagnosis);
    CHECK_INTEGER(diagnosis, SL_NUMERIC);
    const char *message = sl_error(s.context);
    if (!CHECK(strstr(message, "layer 2: bounded") && strstr(message, "root") &&
               strstr(message, "row 23")))
      printf("  %s\n", message);
    for (int i = 0; i < 40 * FEATURES; i++) {
      if (i == 23 * FEATURES + 1)
        CHECK(isnan(roots[i]));
      else
        CHECK(roots[i] == others[i]);
    }
    /* the search looks at negative numbers too, where log has no value: no matter */
    const sl_node e = root_in(&s, s.y, &s.q, logarithm_graph, -1, 50);
    run_pieces(&s, 1, &e, 40, 40, ys, qs, (double *[]){roots}, &diagnosis);
    CHECK_INTEGER(diagnosis, SL_OK);
    for (int i = 0; i < 40 * FEATURES; i++)
      CHECK_CLOSE(roots[i], exp(ys[i]), 8 * epsilon_of(s.type));
    close_setting(&s);
  }
}

/* ---- what is refused ---- */

static sl_node nested_graph(void *user, sl__graph *g, sl_node x) {
  const sl_node low = op_number(g, SL_F64, -9), high = op_number(g, SL_F64, 9);
  return op_root(g, x, low, high, planar_graph, user);
}
static sl_node constant_graph(void *user, sl__graph *g, sl_node x) {
  (void)x;
  return row_of(g, *(const sl_node *)user, 0);
}
static sl_node narrow_graph(void *user, sl__graph *g, sl_node x) {
  (void)user;
  return op_element(g, x, 0, 0);
}
static sl_node summing_graph(void *user, sl__graph *g, sl_node x) {
  (void)user;
  return op_sum_rows(g, x);
}
static sl_node nothing_graph(void *user, sl__graph *g, sl_node x) {
  (void)user, (void)g, (void)x;
  return 0;
}

TEST(functions_that_have_no_root_to_find_are_refused) {
  static const struct {
    sl__root_function f;
    sl_status status;
  } refused[] = {{nested_graph, SL_UNSUPPORTED},   {constant_graph, SL_BAD_ARGUMENT},
                 {narrow_graph, SL_BAD_ARGUMENT},  {summing_graph, SL_UNSUPPORTED},
                 {nothing_graph, SL_BAD_ARGUMENT}, {planar_graph, SL_OK}};
  for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
    setting s;
    if (!open_setting(&s, SL_F64, 1, true)) return;
    root_in(&s, s.y, &s.q, refused[k].f, -9, 9);
    CHECK_INTEGER(sl__graph_status(s.g), refused[k].status);
    close_setting(&s);
  }
}

static sl_node leaking_graph(void *user, sl__graph *g, sl_node x) {
  return *(sl_node *)user = op_tanh(g, x);
}

TEST(values_inside_are_not_for_use_outside) {
  setting s;
  if (!open_setting(&s, SL_F64, 1, true)) return;
  sl_node leak = 0;
  const sl_node x = root_in(&s, s.y, &leak, leaking_graph, -9, 9);
  sl__program *program;
  const sl_node both[2] = {op_add(s.g, x, leak), leak};
  for (int k = 0; k < 2; k++) {
    CHECK(sl__program_new(s.context, s.g, 1, &both[k], &program) == SL_BAD_ARGUMENT);
    CHECK(strstr(sl_error(s.context), "outside") != NULL);
  }
  close_setting(&s);
}

/* ---- printing, memory, many of them ---- */

TEST(listings_show_what_is_repeated) {
  setting s;
  if (!open_setting(&s, SL_F64, 1, true)) return;
  const sl_node x = root_in(&s, s.y, &s.q, planar_graph, -9, 9);
  sl__program *program;
  REQUIRE(sl__program_new(s.context, s.g, 1, &x, &program) == SL_OK);
  struct sl__text text;
  sl__text_open(&text, s.context);
  sl__program_print(program, &text);
  const char *root = strstr(text.data, "= root"), *tanh_step = root ? strstr(root, "tanh") : NULL;
  if (!CHECK(root && tanh_step && strstr(root, "\n    0    %"))) printf("%s", text.data);
  sl__text_close(&text);
  sl__program_free(program);
  close_setting(&s);
}

typedef struct meter {
  long calls, fail_at, held; /* fail_at: which call fails, 0 none; held: bytes not given back */
} meter;

static void *metered(void *user, void *pointer, size_t old_size, size_t new_size) {
  meter *m = user;
  if (new_size == 0) {
    free(pointer);
    m->held -= (long)old_size;
    return NULL;
  }
  if (++m->calls == m->fail_at) return NULL;
  void *moved = realloc(pointer, new_size);
  if (moved) m->held += (long)new_size - (long)old_size;
  return moved;
}

static sl_status whole_life(sl_context *context, meter *m, long *calls_while_running) {
  setting s = {.context = context, .type = SL_F64};
  sl__program *program = NULL;
  sl__workspace *w = NULL;
  sl_status status = sl__graph_new(context, &s.g);
  if (status == SL_OK) {
    s.y = op_input(s.g, s.type, sl__shape1(FEATURES));
    s.q = op_parameter(s.g, s.type, sl__shape2(3, FEATURES), 0);
    const sl_node x = root_in(&s, s.y, &s.q, log_odds_graph, -9, 9);
    const sl_node loss = op_sum_rows(s.g, op_sum_all(s.g, back_substitute(&s)));
    const sl_node both = op_add(s.g, loss, op_sum_rows(s.g, op_sum_all(s.g, x)));
    sl_node dq;
    status = sl__gradient(s.g, both, 1, &s.q, &dq);
    if (status == SL_OK) status = sl__program_new(context, s.g, 1, &dq, &program);
  }
  if (status == SL_OK) status = sl__workspace_new(context, program, 300, &w);
  if (status == SL_OK) {
    const long before = m->calls;
    const sl__feed feed = {.data = ys, .type = SL_F64};
    double dq[3 * FEATURES];
    const sl__sink sink = {dq, SL_F64, 0, 0};
    const sl__run run = {.rows = 300, .parameters = qs, .feeds = &feed, .sinks = &sink};
    status = sl__program_run(context, program, w, &run);
    *calls_while_running = m->calls - before;
  }
  sl__workspace_free(w);
  sl__program_free(program);
  sl__graph_free(s.g);
  return status;
}

TEST(running_allocates_nothing_and_every_failed_allocation_is_reported) {
  meter m = {0};
  sl_context *context;
  REQUIRE(sl_context_new(&(sl_context_options){.size = sizeof(sl_context_options),
                                               .threads = 2,
                                               .reallocate = metered,
                                               .user = &m},
                         &context) == SL_OK);
  draw_few(&families[2]);
  const long base = m.held;
  long running = -1;
  m.calls = 0;
  REQUIRE(whole_life(context, &m, &running) == SL_OK);
  CHECK_INTEGER(running, 0);
  CHECK_INTEGER(m.held, base);
  const long calls = m.calls;
  for (long n = 1; n <= calls; n++) {
    m.calls = 0;
    m.fail_at = n;
    if (!CHECK(whole_life(context, &m, &running) == SL_NO_MEMORY) || !CHECK_INTEGER(m.held, base))
      printf("  allocation %ld of %ld\n", n, calls);
  }
  m.fail_at = 0;
  sl_context_free(context);
  CHECK_INTEGER(m.held, 0);
}

/* A monotone network feature by feature, as an autoregressive flow inverts it: x_d given y_d and
 * the features before it. */
enum { WIDE = 64, UNITS = 16 };

typedef struct network {
  sl_node slopes, biases, weights; /* [WIDE, UNITS] parameters, the last a softmax */
  sl_node before;                  /* the x so far, [index] */
  int index;
} network;

static sl_node units_of(const network *n, sl__graph *g, sl_node parameters) {
  return op_slice(g, parameters, 0, n->index, 1, 1);
}

/* Log-odds of sum over k of w_k sigmoid(a_k x + b_k + the last feature / 2). */
static sl_node network_graph(void *user, sl__graph *g, sl_node x) {
  const network *n = user;
  const sl_node column = op_reshape(g, x, sl__shape2(1, 1));
  sl_node u = op_multiply_add(g, units_of(n, g, n->slopes), column, units_of(n, g, n->biases));
  if (n->before) {
    const sl_node last = op_slice(g, n->before, 0, n->index - 1, 1, 1);
    u = op_add(g, u, op_scale(g, op_reshape(g, last, sl__shape2(1, 1)), 0.5));
  }
  const sl_node w = op_log(g, units_of(n, g, n->weights));
  const sl_node up = op_subtract(g, w, op_softplus(g, op_negate(g, u)));
  const sl_node down = op_subtract(g, w, op_softplus(g, u));
  return op_subtract(g, op_log_sum_exp(g, up, 1), op_log_sum_exp(g, down, 1));
}

static network network_in(sl__graph *g, sl_dtype type) {
  const sl_shape shape = sl__shape2(WIDE, UNITS);
  const int64_t count = WIDE * UNITS;
  return (network){
      .slopes = op_softplus(g, op_parameter(g, type, shape, 0)),
      .biases = op_scale(g, op_parameter(g, type, shape, count), 3),
      .weights = op_softmax(g, op_parameter(g, type, shape, 2 * count), 1),
  };
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* y of x by one program, x of y by another, which holds WIDE roots. */
static void check_round_trip(sl_dtype type, double tolerance) {
  enum { N = 300 };
  static double x[N * WIDE], y[N * WIDE], back[N * WIDE], parameters[3 * WIDE * UNITS];
  static float parameters32[3 * WIDE * UNITS];
  for (int i = 0; i < 3 * WIDE * UNITS; i++) parameters[i] = uniform(-2, 2);
  for (int i = 0; i < 3 * WIDE * UNITS; i++) parameters32[i] = (float)parameters[i];
  for (int i = 0; i < N * WIDE; i++) x[i] = uniform(-3, 3) * (i % 40 == 0 ? 10 : 1);
  sl_context *context = context_of(2);
  for (int direction = 0; direction < 2; direction++) {
    const double start = seconds();
    sl__graph *g;
    REQUIRE(sl__graph_new(context, &g) == SL_OK);
    const sl_node input = op_input(g, type, sl__shape1(WIDE));
    network n = network_in(g, type);
    sl_node out = 0;
    for (; n.index < WIDE; n.index++) {
      const sl_node one = op_slice(g, input, 0, n.index, 1, 1);
      const sl_node low = op_number(g, type, -1000), high = op_number(g, type, 1000);
      if (direction) n.before = out;
      const sl_node made =
          direction ? op_root(g, one, low, high, network_graph, &n) : network_graph(&n, g, one);
      if (!direction) n.before = n.index + 1 < WIDE ? input : 0;
      out = out ? op_concatenate(g, 2, (sl_node[]){out, made}, 0) : made;
    }
    sl__program *program;
    REQUIRE_OK(context, sl__program_new(context, g, 1, &out, &program));
    sl__graph_free(g);
    const double planned = seconds();
    sl__workspace *w;
    REQUIRE_OK(context, sl__workspace_new(context, program, N, &w));
    const sl__feed feed = {.data = direction ? y : x, .type = SL_F64};
    const sl__sink sink = {direction ? back : y, SL_F64, 0, 0};
    const sl__run run = {.rows = N,
                         .parameters = type == SL_F64 ? (void *)parameters : parameters32,
                         .feeds = &feed,
                         .sinks = &sink};
    const double ready = seconds();
    CHECK_OK(context, sl__program_run(context, program, w, &run));
    if (getenv("SLUICE_TEST_VERBOSE"))
      printf("  %s: built and planned in %.1f ms, %d rows in %.1f ms\n",
             direction ? "inverse" : "forward", 1e3 * (planned - start), N,
             1e3 * (seconds() - ready));
    sl__workspace_free(w);
    sl__program_free(program);
  }
  sl_context_free(context);
  double worst = 0;
  for (int i = 0; i < N * WIDE; i++) {
    const double off = fabs(back[i] - x[i]) / (1 + fabs(x[i]));
    if (!(off <= worst)) worst = off;
  }
  if (!CHECK(worst <= tolerance))
    printf("  %s: off by %g\n", type == SL_F32 ? "f32" : "f64", worst);
}

TEST(many_roots_one_after_another) {
  check_round_trip(SL_F64, 1e-12);
  check_round_trip(SL_F32, 1e-3);
}
