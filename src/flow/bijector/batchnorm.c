/* batchnorm: x = mean + sqrt(variance + epsilon) exp(-log_scale) (z - shift), with running mean and
 * variance of the data that arrives at the layer, and trained shift and log_scale (Dinh et al.
 * 2017, arXiv:1605.08803, section 3.7; in this direction and with trained numbers: Papamakarios et
 * al. 2017, arXiv:1705.07057, eqs. 19-22).
 *
 * Where it differs from the papers: densities use the running statistics always, in training too.
 * A batch's own statistics would make the density of a row depend on the other rows of its batch;
 * the layer would be no bijection while it is trained, and another one after. So the statistics are
 * constants to the gradient, as they are in use, and move by themselves: before a fit to those of
 * some rows, then now and then by `momentum` of the way to those of other rows (sl__flow_look;
 * infer/mle_look.c says when). They are buffers of the parameter vector: saved, averaged over
 * looks, never touched by the optimiser. In inverse(...) the layer's own data side is what is
 * brought to mean 0 and deviation 1. */
#include <math.h>
#include "flow/look.h"
#include "flow/hypernetwork.h"

typedef struct batchnorm {
  int mean, variance, started; /* buffers */
  int shift, log_scale;
} batchnorm;

enum { ARGUMENT_MOMENTUM, ARGUMENT_EPSILON };
static const sl__option_row arguments[] = {
    {"momentum", SL__OPTION_REAL, "0.1", 1e-4, 1, NULL,
     "how far the statistics move towards those of new rows"},
    {"epsilon", SL__OPTION_REAL, "0.00001", 1e-12, 1, NULL, "added to the variance"},
    SL__HYPERNETWORK_ROW,
};

static sl_status build(sl_context *context, sl__layer *layer) {
  (void)context;
  batchnorm *own = layer->state = sl__layer_take(layer, 1, sizeof *own);
  if (!own) return SL_NO_MEMORY;
  sl_shape shape = sl__shape1(layer->dim), one = sl__shape1(1);
  const struct {
    const char *name;
    sl_shape shape;
    double start;
    bool trainable;
    int *parameter;
  } rows[] = {
      {"mean", shape, 0, false, &own->mean},          {"variance", shape, 1, false, &own->variance},
      {"started", one, 0, false, &own->started},      {"shift", shape, 0, true, &own->shift},
      {"log_scale", shape, 0, true, &own->log_scale},
  };
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    int made = sl__layer_parameter(layer, rows[k].name, rows[k].shape, SL__INITIAL_VALUE,
                                   rows[k].start, NULL, NULL);
    if (made < 0) return SL_NO_MEMORY;
    layer->flow->parameters[made].trainable = rows[k].trainable;
    *rows[k].parameter = made;
  }
  return SL_OK;
}

typedef struct parts {
  sl_node mean, shift;
  sl_node log_factor; /* log d z / d x */
} parts;

static parts parts_of(const sl__layer *layer, sl__graph *g, sl_node context_value) {
  const batchnorm *own = layer->state;
  sl_node variance = sl__layer_node(layer, g, own->variance, context_value),
          log_scale = sl__log_scale(g, sl__layer_node(layer, g, own->log_scale, context_value));
  /* The look never makes a negative one, but a file or a caller may bring it. */
  variance = op_maximum(g, variance, op_number(g, layer->type, 0));
  sl_node raised = op_shift(g, variance, layer->arguments[ARGUMENT_EPSILON].real);
  return (parts){.mean = sl__layer_node(layer, g, own->mean, context_value),
                 .shift = sl__layer_node(layer, g, own->shift, context_value),
                 .log_factor = op_subtract(g, log_scale, op_scale(g, op_log(g, raised), 0.5))};
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  parts p = parts_of(layer, g, context_value);
  sl_node lower = op_negate(g, p.log_factor);
  return (sl__mapped){op_multiply_add(g, op_subtract(g, z, p.shift), op_exp(g, lower), p.mean),
                      op_sum_all(g, lower)};
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  parts p = parts_of(layer, g, context_value);
  return (sl__mapped){
      op_multiply_add(g, op_subtract(g, x, p.mean), op_exp(g, p.log_factor), p.shift),
      op_sum_all(g, p.log_factor)};
}

/* A statistic goes all the way the first time, else by momentum. */
static void move(const sl__layer *layer, void *vector, int parameter, int32_t i, double target,
                 bool all) {
  double now = sl__look_get(layer->flow, vector, parameter, i);
  double part = all ? 1 : layer->arguments[ARGUMENT_MOMENTUM].real;
  sl__look_put(layer->flow, vector, parameter, i, now + part * (target - now));
}

static void move_towards(const sl__layer *layer, void *vector, const double *mean,
                         const double *sd) {
  const batchnorm *own = layer->state;
  const sl__flow *flow = layer->flow;
  const double epsilon = layer->arguments[ARGUMENT_EPSILON].real;
  bool all = sl__look_get(flow, vector, own->started, 0) == 0;
  for (int32_t i = 0; i < layer->dim; i++) {
    double target = mean[i], variance = sd[i] * sd[i];
    /* Turned round, x = mean + sqrt(variance + epsilon) w is to be (x - mean[i]) / sd[i]. */
    if (layer->inverted) {
      double now = sl__look_get(flow, vector, own->variance, i) + epsilon;
      target = (sl__look_get(flow, vector, own->mean, i) - mean[i]) / sd[i];
      variance = fmax(now / variance - epsilon, 0);
    }
    move(layer, vector, own->mean, i, target, all);
    move(layer, vector, own->variance, i, variance, all);
  }
  sl__look_put(flow, vector, own->started, 0, 1);
}

static sl_status look(sl_context *context, const sl__layer *layer, void *vector, int64_t rows,
                      const double *values, bool first) {
  (void)first; /* `started` knows better: a second fit goes on from the first */
  double *mean = sl__allocate(context, (size_t)layer->dim, 2 * sizeof *mean);
  if (!mean) return SL_NO_MEMORY;
  double *sd = mean + layer->dim;
  if (sl__look_moments(rows, layer->dim, values, mean, sd) > 0)
    move_towards(layer, vector, mean, sd);
  sl__free(&context->allocator, mean);
  return SL_OK;
}

static const char *const examples[] = {"batchnorm", "batchnorm(momentum=0.05)",
                                       "(batchnorm-maf-reverse)*3", NULL};
const sl__kind sl__bijector_batchnorm = {
    .name = "batchnorm",
    .summary = "normalises by running means and variances of the data, then a trained shift and "
               "scale",
    .source = "Dinh et al. 2017, section 3.7; Papamakarios et al. 2017, eqs. 19-22",
    .examples = examples,
    .arguments = arguments,
    .argument_count = 3,
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .sample = sample,
    .log_prob = log_prob,
    .look = look,
    .keeps_looking = true,
};
