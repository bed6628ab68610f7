/* loc: x = z + loc; the log-determinant is zero. PyMC3's flow of that name, which starts at jitter
 * times normal noise, and with jitter=0 as the identity. */
#include "flow/hypernetwork.h"

enum { JITTER_ROW, HIDDEN_ROW, ROWS };
static const sl__option_row arguments[ROWS] = {
    {"jitter", SL__OPTION_REAL, "1", 0, 100, NULL,
     "standard deviation of starting values; 0: starts as the identity"},
    SL__HYPERNETWORK_ROW,
};

static sl_status build(sl_context *context, sl__layer *layer) {
  (void)context; /* out of memory is recorded by the arena */
  int *loc = layer->state = sl__layer_take(layer, 1, sizeof *loc);
  if (!loc) return SL_NO_MEMORY;
  double jitter = layer->arguments[JITTER_ROW].real;
  sl__initial initial = jitter > 0 ? SL__INITIAL_NORMAL : SL__INITIAL_ZERO;
  sl_shape shape = sl__shape1(layer->dim);
  *loc = sl__layer_parameter(layer, "loc", shape, initial, jitter, NULL, NULL);
  return *loc < 0 ? SL_NO_MEMORY : SL_OK;
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  sl_node loc = sl__layer_node(layer, g, *(const int *)layer->state, context_value);
  return (sl__mapped){op_add(g, z, loc), op_number(g, layer->type, 0)};
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  sl_node loc = sl__layer_node(layer, g, *(const int *)layer->state, context_value);
  return (sl__mapped){op_subtract(g, x, loc), op_number(g, layer->type, 0)};
}

static const char *const examples[] = {"scale-loc", NULL};
const sl__kind sl__bijector_loc = {
    .name = "loc",
    .summary = "adds a learned vector",
    .source = "PyMC3 3.2, LocFlow",
    .examples = examples,
    .arguments = arguments,
    .argument_count = ROWS,
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .sample = sample,
    .log_prob = log_prob,
};
