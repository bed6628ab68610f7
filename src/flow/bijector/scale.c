/* scale: x = sigma z, sigma > 0; log-determinant sum log sigma. PyMC3's flow of that name has
 * sigma = softplus(rho) and starts at rho = jitter times normal noise; jitter=0 starts as the
 * identity. scale(exp) has sigma = exp(rho). */
#include <math.h>
#include "flow/hypernetwork.h"

enum { POSITIVE_SOFTPLUS, POSITIVE_EXP };
enum { POSITIVE_ROW, JITTER_ROW, HIDDEN_ROW, ROWS };
static const sl__option_row arguments[ROWS] = {
    {"positive", SL__OPTION_CHOICE, "softplus", 0, 0, "softplus|exp", "how sigma is made positive"},
    {"jitter", SL__OPTION_REAL, "1", 0, 100, NULL,
     "standard deviation of rho's starting values around 0; 0: sigma starts at 1"},
    SL__HYPERNETWORK_ROW,
};

static sl_status build(sl_context *context, sl__layer *layer) {
  (void)context;
  int *rho = layer->state = sl__layer_take(layer, 1, sizeof *rho);
  if (!rho) return SL_NO_MEMORY;
  double jitter = layer->arguments[JITTER_ROW].real;
  double of_one = layer->arguments[POSITIVE_ROW].integer == POSITIVE_EXP ? 0 : log(expm1(1));
  sl_shape shape = sl__shape1(layer->dim);
  *rho = jitter > 0
             ? sl__layer_parameter(layer, "rho", shape, SL__INITIAL_NORMAL, jitter, NULL, NULL)
             : sl__layer_parameter(layer, "rho", shape, SL__INITIAL_VALUE, of_one, NULL, NULL);
  return *rho < 0 ? SL_NO_MEMORY : SL_OK;
}

/* sigma and log sigma [dim] */
static void positive(const sl__layer *layer, sl__graph *g, sl_node context_value, sl_node *sigma,
                     sl_node *log_sigma) {
  sl_node rho = sl__layer_node(layer, g, *(const int *)layer->state, context_value);
  if (layer->arguments[POSITIVE_ROW].integer == POSITIVE_EXP) {
    *log_sigma = sl__log_scale(g, rho);
    *sigma = op_exp(g, *log_sigma);
  } else {
    sl_node least = op_number(g, layer->type, -sl__most_log_scale(layer->type));
    *sigma = op_softplus(g, op_maximum(g, rho, least)); /* down there it is exp(rho) */
    *log_sigma = op_log(g, *sigma);
  }
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  sl_node sigma, log_sigma;
  positive(layer, g, context_value, &sigma, &log_sigma);
  return (sl__mapped){op_multiply(g, z, sigma), op_sum_all(g, log_sigma)};
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  sl_node sigma, log_sigma;
  positive(layer, g, context_value, &sigma, &log_sigma);
  return (sl__mapped){op_divide(g, x, sigma), op_negate(g, op_sum_all(g, log_sigma))};
}

static const char *const examples[] = {"scale", "scale(exp)-loc", NULL};
const sl__kind sl__bijector_scale = {
    .name = "scale",
    .summary = "multiplies by a learned positive vector",
    .source = "PyMC3 3.2, ScaleFlow",
    .examples = examples,
    .arguments = arguments,
    .argument_count = ROWS,
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .sample = sample,
    .log_prob = log_prob,
};
