/* actnorm: x = shift + exp(log_scale) z, both trained, started from data (Kingma & Dhariwal 2018,
 * arXiv:1807.03039, section 3.1): before a fit the first rows that arrive at the layer set shift
 * and log_scale to their means and standard deviations, so that its base side starts with mean 0
 * and standard deviation 1.
 *
 * That it has been started is part of the parameter vector, hence of the saved model: a model that
 * is loaded and fitted on goes on from what it has learnt. In inverse(...) the layer's base side is
 * where the data comes from, and its own data side is what is brought to mean 0 and deviation 1. */
#include <math.h>
#include "flow/look.h"
#include "flow/hypernetwork.h"

typedef struct actnorm {
  int shift, log_scale, started;
} actnorm;

static const sl__option_row arguments[] = {SL__HYPERNETWORK_ROW};

static sl_status build(sl_context *context, sl__layer *layer) {
  (void)context;
  actnorm *own = layer->state = sl__layer_take(layer, 1, sizeof *own);
  if (!own) return SL_NO_MEMORY;
  sl_shape shape = sl__shape1(layer->dim), one = sl__shape1(1);
  own->shift = sl__layer_parameter(layer, "shift", shape, SL__INITIAL_ZERO, 0, NULL, NULL);
  own->log_scale = sl__layer_parameter(layer, "log_scale", shape, SL__INITIAL_ZERO, 0, NULL, NULL);
  own->started = sl__layer_parameter(layer, "started", one, SL__INITIAL_ZERO, 0, NULL, NULL);
  if (own->shift < 0 || own->log_scale < 0 || own->started < 0) return SL_NO_MEMORY;
  layer->flow->parameters[own->started].trainable = false;
  return SL_OK;
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  const actnorm *own = layer->state;
  sl_node shift = sl__layer_node(layer, g, own->shift, context_value),
          log_scale = sl__log_scale(g, sl__layer_node(layer, g, own->log_scale, context_value));
  return (sl__mapped){op_multiply_add(g, z, op_exp(g, log_scale), shift), op_sum_all(g, log_scale)};
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  const actnorm *own = layer->state;
  sl_node shift = sl__layer_node(layer, g, own->shift, context_value),
          log_scale = sl__log_scale(g, sl__layer_node(layer, g, own->log_scale, context_value)),
          lower = op_negate(g, log_scale);
  return (sl__mapped){op_multiply(g, op_subtract(g, x, shift), op_exp(g, lower)),
                      op_sum_all(g, lower)};
}

static void start_from(const sl__layer *layer, void *vector, const double *mean, const double *sd) {
  const actnorm *own = layer->state;
  const sl__flow *flow = layer->flow;
  for (int32_t i = 0; i < layer->dim; i++) {
    double shift = mean[i], log_scale = log(sd[i]);
    if (layer->inverted) { /* of what x = shift + exp(log_scale) z is now */
      shift = (sl__look_get(flow, vector, own->shift, i) - mean[i]) / sd[i];
      log_scale = sl__look_get(flow, vector, own->log_scale, i) - log(sd[i]);
    }
    sl__look_put(flow, vector, own->shift, i, shift);
    sl__look_put(flow, vector, own->log_scale, i, log_scale);
  }
  sl__look_put(flow, vector, own->started, 0, 1);
}

static sl_status look(sl_context *context, const sl__layer *layer, void *vector, int64_t rows,
                      const double *values, bool first) {
  const actnorm *own = layer->state;
  (void)first; /* it never keeps looking */
  if (sl__look_get(layer->flow, vector, own->started, 0) != 0) return SL_OK;
  double *mean = sl__allocate(context, (size_t)layer->dim, 2 * sizeof *mean);
  if (!mean) return SL_NO_MEMORY;
  double *sd = mean + layer->dim;
  if (sl__look_moments(rows, layer->dim, values, mean, sd) > 0) start_from(layer, vector, mean, sd);
  sl__free(&context->allocator, mean);
  return SL_OK;
}

static const char *const examples[] = {"actnorm", "(actnorm-lu-coupling)*3", NULL};
const sl__kind sl__bijector_actnorm = {
    .name = "actnorm",
    .summary = "a trained shift and scale, started from the means and deviations of the data",
    .source = "Kingma & Dhariwal 2018, section 3.1",
    .examples = examples,
    .arguments = arguments,
    .argument_count = 1,
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .sample = sample,
    .log_prob = log_prob,
    .look = look,
};
