/* hh: reflects, x' = z' H_1 ... H_K with H = I - 2 v v' / (|v|^2 + 1e-10) (Tomczak & Welling 2016,
 * arXiv:1611.09630, section 3.2), by the formula of PyMC3's HouseholderFlow.
 *
 * The 1e-10 keeps v = 0 harmless (H = I), and H not quite orthogonal: it stretches along v by
 * -(|v|^2 - 1e-10) / (|v|^2 + 1e-10). So the inverse is not the transpose but I - 2 v v' / (|v|^2 -
 * 1e-10), which is exact, and the log-determinant is the logarithm of that stretch, where PyMC3 has
 * 0; for vectors of size one it is -2e-10. */
#include "flow/bijector/householder.h"
#include "flow/hypernetwork.h"

#define EPSILON 1e-10

enum { REFLECTIONS_ROW, JITTER_ROW, HIDDEN_ROW, ROWS };
static const sl__option_row arguments[ROWS] = {
    {"reflections", SL__OPTION_INT, "1", 1, 4096, NULL, "how many, one after another"},
    {"jitter", SL__OPTION_REAL, "1", 1e-6, 100, NULL,
     "standard deviation of starting values; at 0 nothing could be learnt"},
    SL__HYPERNETWORK_ROW,
};

static sl_status build(sl_context *context, sl__layer *layer) {
  (void)context;
  int *v = layer->state = sl__layer_take(layer, 1, sizeof *v);
  if (!v) return SL_NO_MEMORY;
  int32_t reflections = (int32_t)layer->arguments[REFLECTIONS_ROW].integer;
  double jitter = layer->arguments[JITTER_ROW].real;
  sl_shape shape = sl__shape2(reflections, layer->dim);
  *v = sl__layer_parameter(layer, "v", shape, SL__INITIAL_NORMAL, jitter, NULL, NULL);
  return *v < 0 ? SL_NO_MEMORY : SL_OK;
}

static sl__mapped map(const sl__layer *layer, sl__graph *g, sl_node value, sl_node context_value,
                      bool sampling) {
  sl_node v = sl__layer_node(layer, g, *(const int *)layer->state, context_value);
  sl_node squares = op_sum(g, op_square(g, v), 1);
  sl_node more = op_shift(g, squares, EPSILON), less = op_shift(g, squares, -EPSILON);
  sl__reflections all = sl__reflections_new(g, v, sampling ? more : less);
  sl_node stretch = op_absolute(g, op_divide(g, less, more));
  sl_node log_det = op_sum_all(g, op_log(g, stretch));
  return (sl__mapped){sl__reflections_apply(g, &all, value, sampling),
                      sampling ? log_det : op_negate(g, log_det)};
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  return map(layer, g, z, context_value, true);
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  return map(layer, g, x, context_value, false);
}

static const char *const examples[] = {"scale-hh*4-loc", "scale-hh(reflections=3)-loc", NULL};
const sl__kind sl__bijector_hh = {
    .name = "hh",
    .summary = "reflects along learned vectors (Householder)",
    .source = "Tomczak & Welling 2016, section 3.2; PyMC3 3.2, HouseholderFlow",
    .examples = examples,
    .arguments = arguments,
    .argument_count = ROWS,
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .sample = sample,
    .log_prob = log_prob,
};
