/* Roots in programs: a graph with values y and parameters q, run over rows in pieces. */
#ifndef SL_TESTS_ROOT_FIXTURE_H
#define SL_TESTS_ROOT_FIXTURE_H
#include "root_families.h"

enum { ROWS = 700, PARAMETERS = 24 };

typedef struct setting {
  sl_context *context;
  sl__graph *g;
  sl_node y, q; /* inputs: y [FEATURES], q [3][FEATURES] */
  sl_dtype type;
} setting;

static inline bool open_setting(setting *s, sl_dtype type, int threads, bool parameters_shared) {
  *s = (setting){.context = context_of(threads), .type = type};
  if (!CHECK(sl__graph_new(s->context, &s->g) == SL_OK)) return false;
  s->y = op_input(s->g, type, sl__shape1(FEATURES));
  const sl_shape shape = sl__shape2(3, FEATURES);
  s->q = parameters_shared ? op_parameter(s->g, type, shape, 0) : op_input(s->g, type, shape);
  return true;
}

static inline sl_node root_in(const setting *s, sl_node y, sl_node *q, sl__root_function f,
                              double low, double high) {
  return op_root(s->g, y, op_number(s->g, s->type, low), op_number(s->g, s->type, high), f, q);
}

/* Runs outputs over rows of y, and of q where it is batched, in pieces of so many rows. */
static inline bool run_pieces(const setting *s, int count, const sl_node *outputs, int64_t rows,
                              int64_t piece, const double *y, const double *q,
                              double *const *results, sl_status *diagnosis) {
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

static inline void close_setting(setting *s) {
  sl__graph_free(s->g);
  sl_context_free(s->context);
}

static double ys[ROWS * FEATURES], qs[ROWS * 3 * FEATURES];

static inline void parameters_of(int64_t i, double q[3]) {
  const int64_t row = i / FEATURES, d = i % FEATURES;
  for (int k = 0; k < 3; k++) q[k] = qs[(row * 3 + k) * FEATURES + d];
}

static inline void draw_rows(const family *f, int64_t rows) {
  for (int64_t i = 0; i < rows * FEATURES; i++) {
    double q[3];
    draw_parameters(q, (int)i);
    make_valid(f, q);
    for (int k = 0; k < 3; k++) qs[(i / FEATURES * 3 + k) * FEATURES + i % FEATURES] = q[k];
    ys[i] = f->value(q, draw_root(f, (int)i));
  }
}

enum { FEW = 3 };

static inline void draw_few(const family *f) {
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
#endif
