/* gaussian: the normal density with a trained mean and a trained covariance L L^T: log p(z) =
 * -|L^-1 (z - mean)|^2 / 2 - log det L - dim log(2 pi) / 2; draws are mean + L noise. It starts as
 * the standard normal. */
#include "flow/base/parts.h"
#include "flow/hypernetwork.h"

typedef struct gaussian {
  int mean, log_diagonal, below;
  const int32_t *index;
} gaussian;

static const sl__option_row arguments[] = {SL__HYPERNETWORK_ROW};

static sl_status build(sl_context *context, sl__layer *layer) {
  SL__TRY(sl__factor_check(context, layer));
  gaussian *own = layer->state = sl__layer_take(layer, 1, sizeof *own);
  if (!own || !(own->index = sl__factor_index(layer))) return SL_NO_MEMORY;
  sl_shape vector = sl__shape1(layer->dim), below = sl__shape1(sl__factor_below(layer->dim));
  own->mean = sl__layer_parameter(layer, "mean", vector, SL__INITIAL_ZERO, 0, NULL, NULL);
  own->log_diagonal =
      sl__layer_parameter(layer, "log_diagonal", vector, SL__INITIAL_ZERO, 0, NULL, NULL);
  if (layer->dim > 1)
    own->below = sl__layer_parameter(layer, "below", below, SL__INITIAL_ZERO, 0, NULL, NULL);
  return own->mean < 0 || own->log_diagonal < 0 || own->below < 0 ? SL_NO_MEMORY : SL_OK;
}

/* L [dim, dim] */
static sl_node factor(const sl__layer *layer, sl__graph *g, sl_node log_diagonal,
                      sl_node context_value) {
  const gaussian *own = layer->state;
  sl_node below = layer->dim > 1 ? sl__layer_node(layer, g, own->below, context_value) : 0;
  return sl__factor(g, layer->dim, own->index, log_diagonal, below);
}

static sl_node density(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  const gaussian *own = layer->state;
  sl_node mean = sl__layer_node(layer, g, own->mean, context_value);
  sl_node log_diagonal =
      sl__log_scale(g, sl__layer_node(layer, g, own->log_diagonal, context_value));
  sl_node lower = factor(layer, g, log_diagonal, context_value);
  sl_node noise = op_triangular_solve(g, lower, op_subtract(g, z, mean), false, false, false);
  sl_node score = op_subtract(g, sl__standard_normal(g, noise), op_sum_all(g, log_diagonal));
  return sl__density_or_none(g, z, score);
}

static sl_node draw(const sl__layer *layer, sl__graph *g, uint32_t stream, sl_node context_value) {
  const gaussian *own = layer->state;
  sl_node mean = sl__layer_node(layer, g, own->mean, context_value);
  sl_node log_diagonal =
      sl__log_scale(g, sl__layer_node(layer, g, own->log_diagonal, context_value));
  sl_node lower = factor(layer, g, log_diagonal, context_value);
  sl_node noise = op_random_normal(g, layer->type, sl__shape1(layer->dim), stream);
  return op_add(g, mean, op_matmul(g, lower, noise));
}

static const char *const examples[] = {"gaussian", NULL};
const sl__kind sl__base_gaussian = {
    .name = "gaussian",
    .summary = "the normal density with mean and full covariance, trained",
    .source = "-",
    .examples = examples,
    .arguments = arguments,
    .argument_count = 1,
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .density = density,
    .draw = draw,
};
