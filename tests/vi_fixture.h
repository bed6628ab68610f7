/* What the tests of variational inference share: a context, a flow with its vector, small targets. */
#ifndef SL_TESTS_VI_FIXTURE_H
#define SL_TESTS_VI_FIXTURE_H
#include "check.h"
#include "infer/vi/vi.h"
#include "target/source.h"

static inline sl_context *vi_context(int threads) {
  sl_context *context = NULL;
  sl_context_options options = {.size = sizeof options, .threads = threads};
  if (sl_context_new(&options, &context) != SL_OK) abort();
  return context;
}

/* ---- a target that is given by a function of the graph ---- */

typedef sl_node (*vi_density)(sl__graph *g, sl_node x);
typedef struct vi_state {
  vi_density density;
} vi_state;
static inline sl_node vi_log_density(const sl__target *target, sl__graph *g, sl_node x,
                                     uint32_t flags) {
  (void)flags;
  return ((const vi_state *)target->state)->density(g, x);
}
static const sl__target_source vi_source = {.kind = "test", .log_density = vi_log_density};

static inline sl__target *vi_target(sl_context *context, int32_t dim, vi_density density) {
  sl__target *target = NULL;
  if (sl__target_make(context, &vi_source, "test", dim, sizeof(vi_state), &target) != SL_OK ||
      sl__target_set_names(target, NULL) != SL_OK)
    abort();
  ((vi_state *)target->state)->density = density;
  return target;
}

/* Far from any flow, smooth, not symmetric: -x.x/4 - sum of x^4/20 + sin of the sum. */
static inline sl_node vi_crooked(sl__graph *g, sl_node x) {
  const sl_node square = op_square(g, x);
  const sl_node sum = op_add(g, op_scale(g, op_sum_all(g, square), -0.25),
                             op_scale(g, op_sum_all(g, op_square(g, square)), -0.05));
  return op_add(g, sum, op_sin(g, op_sum_all(g, x)));
}

static inline sl_node vi_standard_normal(sl__graph *g, sl_node x) {
  return op_scale(g, op_sum_all(g, op_square(g, x)), -0.5);
}

/* ---- flows ---- */

typedef struct vi_flow {
  sl__flow *flow;
  double *vector;
} vi_flow;

static inline vi_flow vi_make_flow(sl_context *context, const char *formula, int32_t dim) {
  const sl__flow_plan plan = {.formula = formula, .dim = dim, .type = SL_F64, .seed = 3};
  vi_flow own = {0};
  if (sl__flow_new(context, &plan, &own.flow) != SL_OK) {
    printf("  %s: %s\n", formula, sl_error(context));
    abort();
  }
  own.vector = calloc((size_t)own.flow->size + 1, sizeof *own.vector);
  if (!own.vector) abort();
  sl__flow_initialise(own.flow, own.vector);
  return own;
}

static inline void vi_free_flow(sl_context *context, vi_flow *own) {
  free(own->vector);
  sl__flow_free(context, own->flow);
}
#endif
