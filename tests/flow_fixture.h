/* Flows under test: compiled in both directions, with gradients, run on rows of doubles. */
#ifndef SL_TESTS_FLOW_FIXTURE_H
#define SL_TESTS_FLOW_FIXTURE_H
#include "check.h"
#include "flow/flow.h"

enum {
  FIXTURE_LOG_PROB_MAP,
  FIXTURE_SAMPLE_MAP,
  FIXTURE_LOG_PROB,
  FIXTURE_GRADIENT,
  FIXTURE_SAMPLE,
  /* In either direction: the dense Jacobian, and the gradient of fixture_sums, by the engine. */
  FIXTURE_LOG_PROB_JACOBIAN,
  FIXTURE_SAMPLE_JACOBIAN,
  FIXTURE_LOG_PROB_SLOPES,
  FIXTURE_SAMPLE_SLOPES,
  FIXTURE_PROGRAMS
};

typedef struct fixture {
  sl_context *context;
  sl__flow *flow;
  double *vector;  /* parameters; converted when the flow is of another type */
  float *narrow;   /* the same in float32, for flows of that type */
  int first, last; /* which layers the maps go through */
  sl__program *program[FIXTURE_PROGRAMS]; /* made when first asked for */
  sl__workspace *workspace[FIXTURE_PROGRAMS];
} fixture;

static inline bool fixture_open_threads(fixture *f, const char *formula, int32_t dim,
                                        int32_t context_dim, sl_dtype type, int threads) {
  *f = (fixture){0};
  sl_context_options options = {.size = sizeof options, .threads = threads};
  if (sl_context_new(&options, &f->context) != SL_OK) return CHECK(false);
  if (!CHECK_OK(f->context, sl__flow_new(f->context,
                                         &(sl__flow_plan){.formula = formula,
                                                          .dim = dim,
                                                          .context_dim = context_dim,
                                                          .type = type,
                                                          .seed = 11},
                                         &f->flow)))
    return false;
  f->last = f->flow->chain.count;
  size_t size = (size_t)f->flow->size + 1;
  f->vector = calloc(size, sizeof *f->vector);
  f->narrow = calloc(size, sizeof *f->narrow);
  if (!CHECK(f->vector && f->narrow)) return false;
  sl__flow_initialise(f->flow, type == SL_F32 ? (void *)f->narrow : (void *)f->vector);
  for (int64_t i = 0; type == SL_F32 && i < f->flow->size; i++) f->vector[i] = (double)f->narrow[i];
  return true;
}

static inline bool fixture_open(fixture *f, const char *formula, int32_t dim, int32_t context_dim,
                                sl_dtype type) {
  return fixture_open_threads(f, formula, dim, context_dim, type, 1);
}

static inline void fixture_close(fixture *f) {
  for (int i = 0; i < FIXTURE_PROGRAMS; i++) {
    sl__workspace_free(f->workspace[i]);
    sl__program_free(f->program[i]);
  }
  if (f->flow) sl__flow_free(f->context, f->flow);
  free(f->vector);
  free(f->narrow);
  sl_context_free(f->context);
}

/* Maps go through layers first .. last - 1 from now on. */
static inline void fixture_range(fixture *f, int first, int last) {
  for (int i = 0; i < FIXTURE_PROGRAMS; i++) {
    sl__workspace_free(f->workspace[i]);
    sl__program_free(f->program[i]);
    f->workspace[i] = NULL;
    f->program[i] = NULL;
  }
  f->first = first;
  f->last = last;
}

/* Starting values plus amplitude * N(0, 1) on whatever is trained; buffers get values of their
 * own. Weights of a hypernetwork get less, so that what it adds to a parameter has the amplitude,
 * not its width times that. */
static inline void fixture_perturb(fixture *f, double amplitude, uint64_t seed) {
  sl__flow *flow = f->flow;
  sl__flow_initialise(flow, flow->type == SL_F32 ? (void *)f->narrow : (void *)f->vector);
  for (int i = 0; i < flow->parameter_count; i++) {
    const sl__parameter *p = &flow->parameters[i];
    sl__random_key key = {seed, SL__STREAM_TEST, (uint32_t)i};
    int64_t rows = p->shape.dims > 0 ? p->shape.size[0] : 1;
    int64_t columns = sl__shape_count(p->shape) / rows;
    for (int64_t k = 0; k < rows * columns; k++) {
      if (p->extent && k % columns >= p->extent[k / columns]) continue;
      double *at = &f->vector[p->offset + k];
      if (flow->type == SL_F32) *at = (double)f->narrow[p->offset + k];
      double noise = sl__random_normal(key, (uint64_t)k, 0);
      if (strstr(p->name, ".hyper.") && columns > 1) noise *= 0.3 / sqrt((double)columns);
      *at = p->trainable ? *at + amplitude * noise : 1.5 + 0.4 * tanh(noise);
    }
  }
}

/* value and log_det of a direction, log_det per row. */
static inline sl__mapped fixture_mapped(const fixture *f, bool sampling, sl__graph *g, sl_node x,
                                        sl_node c) {
  sl__mapped both = sampling ? sl__flow_map_sample(f->flow, g, x, c, f->first, f->last)
                             : sl__flow_map_log_prob(f->flow, g, x, c, f->first, f->last);
  both.log_det = op_add(g, both.log_det, op_rows(g, op_number(g, f->flow->type, 0)));
  return both;
}

/* Weights of what fixture_sums adds up. */
static inline double fixture_weight(int k) {
  return 1 + 0.25 * k;
}
#define FIXTURE_LOG_DET_WEIGHT 0.7

/* Outputs: row i of the Jacobian, [dim], for every i. */
static inline sl_status fixture_build_jacobian(fixture *f, int which, sl__graph *g, sl_node x,
                                               sl_node c) {
  sl_node rows[64];
  int dim = f->flow->dim;
  sl__mapped both = fixture_mapped(f, which == FIXTURE_SAMPLE_JACOBIAN, g, x, c);
  for (int i = 0; i < dim; i++)
    SL__TRY(sl__gradient(g, op_element(g, both.value, 0, i), 1, &x, &rows[i]));
  return sl__program_new(f->context, g, dim, rows, &f->program[which]);
}

/* Outputs: the gradient by every parameter, by x, and by c where there is one. */
static inline sl_status fixture_build_slopes(fixture *f, int which, sl__graph *g, sl_node x,
                                             sl_node c) {
  sl__flow *flow = f->flow;
  double weight[64];
  for (int k = 0; k < flow->dim; k++) weight[k] = fixture_weight(k);
  sl_node w = op_constant(g, flow->type, sl__shape1(flow->dim), weight);
  sl__mapped both = fixture_mapped(f, which == FIXTURE_SAMPLE_SLOPES, g, x, c);
  sl_node sum = op_add(g, op_sum_all(g, op_multiply(g, both.value, w)),
                       op_scale(g, both.log_det, FIXTURE_LOG_DET_WEIGHT));
  int count = flow->parameter_count + 1 + (c != 0);
  sl_node *wrt = calloc((size_t)count * 2, sizeof *wrt), *gradients = wrt + count;
  if (!wrt) return SL_NO_MEMORY;
  for (int i = 0; i < flow->parameter_count; i++)
    wrt[i] = op_parameter(g, flow->type, flow->parameters[i].shape, flow->parameters[i].offset);
  wrt[flow->parameter_count] = x;
  if (c) wrt[flow->parameter_count + 1] = c;
  sl_status status = sl__gradient(g, sum, count, wrt, gradients);
  if (status == SL_OK)
    status = sl__program_new(f->context, g, count, gradients, &f->program[which]);
  free(wrt);
  return status;
}

/* Builds one of the programs. Gradient: of the sum over rows of log_prob, with respect to all
 * parameters (outputs 0..), and to x per row (the last output). */
static inline sl_status fixture_build(fixture *f, int which, sl__graph *g) {
  sl__flow *flow = f->flow;
  sl_node x = which == FIXTURE_SAMPLE ? 0 : op_input(g, flow->type, sl__shape1(flow->dim));
  sl_node c = flow->context_dim > 0 ? op_input(g, flow->type, sl__shape1(flow->context_dim)) : 0;
  if (which == FIXTURE_LOG_PROB_JACOBIAN || which == FIXTURE_SAMPLE_JACOBIAN)
    return fixture_build_jacobian(f, which, g, x, c);
  if (which == FIXTURE_LOG_PROB_SLOPES || which == FIXTURE_SAMPLE_SLOPES)
    return fixture_build_slopes(f, which, g, x, c);
  sl__mapped both = {0};
  if (which == FIXTURE_LOG_PROB_MAP) both = sl__flow_map_log_prob(flow, g, x, c, f->first, f->last);
  if (which == FIXTURE_SAMPLE_MAP) both = sl__flow_map_sample(flow, g, x, c, f->first, f->last);
  if (which == FIXTURE_SAMPLE) both = sl__flow_sample(flow, g, c);
  if (which != FIXTURE_LOG_PROB && which != FIXTURE_GRADIENT) {
    both.log_det = op_add(g, both.log_det, op_rows(g, op_number(g, flow->type, 0)));
    sl_node outputs[2] = {both.value, both.log_det};
    return sl__program_new(f->context, g, 2, outputs, &f->program[which]);
  }
  sl_node log_prob = sl__flow_log_prob(flow, g, x, c);
  if (which == FIXTURE_LOG_PROB)
    return sl__program_new(f->context, g, 1, &log_prob, &f->program[which]);
  int count = flow->parameter_count + 1;
  sl_node *wrt = calloc((size_t)count * 2, sizeof *wrt), *gradients = wrt + count;
  if (!wrt) return SL_NO_MEMORY;
  for (int i = 0; i < count - 1; i++)
    wrt[i] = op_parameter(g, flow->type, flow->parameters[i].shape, flow->parameters[i].offset);
  wrt[count - 1] = x;
  sl_status status = sl__gradient(g, log_prob, count, wrt, gradients);
  if (status == SL_OK)
    status = sl__program_new(f->context, g, count, gradients, &f->program[which]);
  free(wrt);
  return status;
}

static inline bool fixture_compile(fixture *f, int which) {
  if (f->program[which]) return true;
  sl__graph *g = NULL;
  if (!CHECK_OK(f->context, sl__graph_new(f->context, &g))) return false;
  bool good = CHECK_OK(f->context, fixture_build(f, which, g));
  sl__graph_free(g);
  return good && CHECK_OK(f->context, sl__workspace_new(f->context, f->program[which], 4096,
                                                        &f->workspace[which]));
}

/* Runs a program; sinks as the program's outputs, of type float64. */
static inline bool fixture_run(fixture *f, int which, int64_t rows, const double *x,
                               const double *c, const sl__sink *sinks) {
  if (!fixture_compile(f, which)) return false;
  for (int64_t i = 0; f->flow->type == SL_F32 && i < f->flow->size; i++)
    f->narrow[i] = (float)f->vector[i];
  sl__feed feeds[2] = {{.data = x, .type = SL_F64}, {.data = c, .type = SL_F64}};
  sl__run run = {.rows = rows,
                 .parameters = f->flow->type == SL_F32 ? (void *)f->narrow : (void *)f->vector,
                 .feeds = which == FIXTURE_SAMPLE ? feeds + 1 : feeds,
                 .sinks = sinks,
                 .key = {5, 0, 0}};
  return CHECK_OK(f->context,
                  sl__program_run(f->context, f->program[which], f->workspace[which], &run));
}

/* value [rows][dim], log_det [rows] */
static inline bool fixture_map(fixture *f, int which, int64_t rows, const double *x,
                               const double *c, double *value, double *log_det) {
  sl__sink sinks[2] = {{.data = value, .type = SL_F64}, {.data = log_det, .type = SL_F64}};
  return fixture_run(f, which, rows, x, c, sinks);
}

static inline bool fixture_log_prob(fixture *f, int64_t rows, const double *x, const double *c,
                                    double *log_prob) {
  sl__sink sink = {.data = log_prob, .type = SL_F64};
  return fixture_run(f, FIXTURE_LOG_PROB, rows, x, c, &sink);
}

/* gradient [flow->size], of the sum over rows; dx [rows][dim] */
static inline bool fixture_gradient(fixture *f, int64_t rows, const double *x, const double *c,
                                    double *gradient, double *dx) {
  int count = f->flow->parameter_count + 1;
  sl__sink *sinks = calloc((size_t)count, sizeof *sinks);
  if (!CHECK(sinks != NULL)) return false;
  for (int i = 0; i < count - 1; i++)
    sinks[i] = (sl__sink){.data = gradient + f->flow->parameters[i].offset, .type = SL_F64};
  sinks[count - 1] = (sl__sink){.data = dx, .type = SL_F64};
  bool good = fixture_run(f, FIXTURE_GRADIENT, rows, x, c, sinks);
  free(sinks);
  return good;
}

/* jacobian [dim][rows][dim], a row of it for every value, by the engine. */
static inline bool fixture_jacobian(fixture *f, bool sampling, int64_t rows, const double *x,
                                    const double *c, double *jacobian) {
  sl__sink sinks[64];
  for (int i = 0; i < f->flow->dim; i++)
    sinks[i] = (sl__sink){.data = jacobian + i * rows * f->flow->dim, .type = SL_F64};
  return fixture_run(f, sampling ? FIXTURE_SAMPLE_JACOBIAN : FIXTURE_LOG_PROB_JACOBIAN, rows, x, c,
                     sinks);
}

/* sums [rows]: a weighted sum of value and log_det. */
static inline bool fixture_sums(fixture *f, bool sampling, int64_t rows, const double *x,
                                const double *c, double *sums) {
  int dim = f->flow->dim;
  double *value = calloc((size_t)(rows * dim), sizeof *value);
  bool good =
      CHECK(value != NULL) &&
      fixture_map(f, sampling ? FIXTURE_SAMPLE_MAP : FIXTURE_LOG_PROB_MAP, rows, x, c, value, sums);
  for (int64_t r = 0; good && r < rows; r++) {
    sums[r] *= FIXTURE_LOG_DET_WEIGHT;
    for (int k = 0; k < dim; k++) sums[r] += fixture_weight(k) * value[r * dim + k];
  }
  free(value);
  return good;
}

/* The gradient of the sum of these over rows, by the engine: by the parameters [flow->size], by x [rows][dim], by c
 * [rows][context_dim]. */
static inline bool fixture_slopes(fixture *f, bool sampling, int64_t rows, const double *x,
                                  const double *c, double *by_parameters, double *by_x,
                                  double *by_c) {
  int count = f->flow->parameter_count;
  sl__sink *sinks = calloc((size_t)count + 2, sizeof *sinks);
  if (!CHECK(sinks != NULL)) return false;
  for (int i = 0; i < count; i++)
    sinks[i] = (sl__sink){.data = by_parameters + f->flow->parameters[i].offset, .type = SL_F64};
  sinks[count] = (sl__sink){.data = by_x, .type = SL_F64};
  sinks[count + 1] = (sl__sink){.data = by_c, .type = SL_F64};
  bool good =
      fixture_run(f, sampling ? FIXTURE_SAMPLE_SLOPES : FIXTURE_LOG_PROB_SLOPES, rows, x, c, sinks);
  free(sinks);
  return good;
}

/* Standard normal numbers times size. */
static inline void fixture_points(double *x, int64_t count, double size, uint64_t seed) {
  sl__random_key key = {seed, SL__STREAM_TEST, 999};
  for (int64_t i = 0; i < count; i++) x[i] = size * sl__random_normal(key, (uint64_t)i, 0);
}

#endif
