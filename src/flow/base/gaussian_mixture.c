/* gaussian_mixture(k): k normal densities with trained weights, means and covariances, full (L L^T)
 * or diagonal.
 *
 * A draw has its component from one uniform number, mean + L noise of every component from one
 * noise, and takes its own. It is a smooth function of means and factors; the choice of the
 * component is not one of the weights, and gives them no gradient. (Log densities do.) */
#include "flow/base/gaussian_mixture.h"
#include "flow/hypernetwork.h"

enum { COMPONENTS, COVARIANCE, HIDDEN, ROWS };
enum { COVARIANCE_FULL, COVARIANCE_DIAGONAL };
static const sl__option_row arguments[ROWS] = {
    {"components", SL__OPTION_INT, "4", 2, SL__MOST_COMPONENTS, NULL, "how many"},
    {"covariance", SL__OPTION_CHOICE, "full", 0, 0, "full|diagonal", "of each component"},
    SL__HYPERNETWORK_ROW,
};

static bool is_full(const sl__layer *layer) {
  return layer->arguments[COVARIANCE].integer == COVARIANCE_FULL && layer->dim > 1;
}

/* Means start at standard normal points, which tells the components apart. */
static sl_status build(sl_context *context, sl__layer *layer) {
  sl__gaussian_mixture *own = layer->state = sl__layer_take(layer, 1, sizeof *own);
  if (!own) return SL_NO_MEMORY;
  int32_t dim = layer->dim, count = own->count = (int32_t)layer->arguments[COMPONENTS].integer;
  sl_shape each = sl__shape2(count, dim);
  own->logits =
      sl__layer_parameter(layer, "logits", sl__shape1(count), SL__INITIAL_ZERO, 0, NULL, NULL);
  own->means = sl__layer_parameter(layer, "means", each, SL__INITIAL_NORMAL, 1, NULL, NULL);
  own->log_diagonals =
      sl__layer_parameter(layer, "log_diagonals", each, SL__INITIAL_ZERO, 0, NULL, NULL);
  if (own->logits < 0 || own->means < 0 || own->log_diagonals < 0) return SL_NO_MEMORY;
  own->started =
      sl__layer_parameter(layer, "started", sl__shape1(1), SL__INITIAL_ZERO, 0, NULL, NULL);
  if (own->started < 0) return SL_NO_MEMORY;
  layer->flow->parameters[own->started].trainable = false;
  own->below = -1;
  if (!is_full(layer)) return SL_OK;
  SL__TRY(sl__factor_check(context, layer));
  sl_shape below = sl__shape2(count, sl__factor_below(dim));
  own->index = sl__factor_index(layer);
  own->below = sl__layer_parameter(layer, "below", below, SL__INITIAL_ZERO, 0, NULL, NULL);
  return !own->index || own->below < 0 ? SL_NO_MEMORY : SL_OK;
}

typedef struct nodes {
  sl_node logits, means, log_diagonals, below;
} nodes;

static nodes read_nodes(const sl__layer *layer, sl__graph *g, sl_node context_value) {
  const sl__gaussian_mixture *own = layer->state;
  return (nodes){
      .logits = sl__layer_node(layer, g, own->logits, context_value),
      .means = sl__layer_node(layer, g, own->means, context_value),
      .log_diagonals =
          sl__log_scale(g, sl__layer_node(layer, g, own->log_diagonals, context_value)),
      .below = own->below < 0 ? 0 : sl__layer_node(layer, g, own->below, context_value),
  };
}

/* L of one component. */
static sl_node factor(const sl__layer *layer, sl__graph *g, const nodes *n, int component) {
  const sl__gaussian_mixture *own = layer->state;
  return sl__factor(g, layer->dim, own->index, op_element(g, n->log_diagonals, 0, component),
                    op_element(g, n->below, 0, component));
}

/* L^-1 (z - mean) of one component. */
static sl_node noise_of(const sl__layer *layer, sl__graph *g, const nodes *n, int component,
                        sl_node z) {
  sl_node centred = op_subtract(g, z, op_element(g, n->means, 0, component));
  if (n->below)
    return op_triangular_solve(g, factor(layer, g, n, component), centred, false, false, false);
  return op_multiply(g, centred,
                     op_exp(g, op_negate(g, op_element(g, n->log_diagonals, 0, component))));
}

static sl_node density(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  const sl__gaussian_mixture *own = layer->state;
  nodes n = read_nodes(layer, g, context_value);
  sl_node scores[SL__MOST_COMPONENTS];
  for (int i = 0; i < own->count; i++) {
    sl_node log_det = op_sum_all(g, op_element(g, n.log_diagonals, 0, i));
    sl_node score = op_subtract(g, sl__standard_normal(g, noise_of(layer, g, &n, i, z)), log_det);
    scores[i] = sl__density_or_none(g, z, score);
  }
  return sl__mix(g, n.logits, own->count, scores);
}

static sl_node draw(const sl__layer *layer, sl__graph *g, uint32_t stream, sl_node context_value) {
  const sl__gaussian_mixture *own = layer->state;
  nodes n = read_nodes(layer, g, context_value);
  sl_node noise = op_random_normal(g, layer->type, sl__shape1(layer->dim), stream);
  sl_node spread = op_multiply(g, noise, op_exp(g, n.log_diagonals)); /* [count, dim] */
  if (n.below) {
    sl_node rows[SL__MOST_COMPONENTS];
    for (int i = 0; i < own->count; i++)
      rows[i] =
          op_reshape(g, op_matmul(g, factor(layer, g, &n, i), noise), sl__shape2(1, layer->dim));
    spread = op_concatenate(g, own->count, rows, 0);
  }
  sl_node component = sl__draw_component(g, n.logits, stream + SL__SECOND_STREAM);
  return sl__take_component(g, op_add(g, n.means, spread), component);
}

static const char *const examples[] = {"gaussian_mixture",
                                       "gaussian_mixture(3,covariance=diagonal)", NULL};
const sl__kind sl__base_gaussian_mixture = {
    .name = "gaussian_mixture",
    .summary =
        "a mixture of normal densities, trained, from clusters of the data on; draws give the "
        "weights no gradient",
    .source = "-",
    .examples = examples,
    .arguments = arguments,
    .argument_count = ROWS,
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .density = density,
    .draw = draw,
    .look = sl__gaussian_mixture_look,
};
