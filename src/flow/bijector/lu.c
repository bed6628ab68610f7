/* lu: z = P L U x + bias, an invertible linear map whose log-determinant is a sum (Kingma &
 * Dhariwal 2018, arXiv:1807.03039, eq. 10; in density estimation: Durkan et al. 2019,
 * arXiv:1906.04032, 3.2).
 *
 * P is a fixed permutation from the seed, L unit lower and U upper triangular with a positive
 * diagonal exp(.), so that the map stays invertible. One [dim, dim] parameter holds all: L below
 * the diagonal, U above, the logarithms of U's diagonal on it; zeros start L and U as identities.
 * Scoring multiplies by W = P L U, formed once per step and not once per row; sampling solves two
 * triangular systems. */
#include "flow/bijector/matrix.h"
#include "flow/bijector/order.h"
#include "flow/hypernetwork.h"

typedef struct lu {
  int matrix, bias;
  sl__order order;
} lu;

static const sl__option_row arguments[] = {
    {"permute", SL__OPTION_BOOL, "true", 0, 0, NULL,
     "whether P is random rather than the identity"},
    SL__HYPERNETWORK_ROW,
};

static sl_status build(sl_context *context, sl__layer *layer) {
  lu *own = layer->state = sl__layer_take(layer, 1, sizeof *own);
  if (!own) return SL_NO_MEMORY;
  if (layer->arguments[0].integer) {
    SL__TRY(sl__order_random(context, layer, &own->order));
  } else {
    SL__TRY(sl__order_new(layer, &own->order));
    for (int32_t k = 0; k < layer->dim; k++) own->order.from[k] = k;
    sl__order_finish(layer, &own->order);
  }
  sl_shape square = sl__shape2(layer->dim, layer->dim), vector = sl__shape1(layer->dim);
  own->matrix = sl__layer_parameter(layer, "matrix", square, SL__INITIAL_ZERO, 0, NULL, NULL);
  own->bias = sl__layer_parameter(layer, "bias", vector, SL__INITIAL_ZERO, 0, NULL, NULL);
  return own->matrix < 0 || own->bias < 0 ? SL_NO_MEMORY : SL_OK;
}

/* U, and the sum of the logarithms of its diagonal. */
static sl_node upper(sl__graph *g, sl_node matrix, sl_node *log_det) {
  sl_node logs = sl__log_scale(g, op_diagonal(g, matrix));
  *log_det = op_sum_all(g, logs);
  sl_node strict = op_subtract(g, matrix, op_lower(g, matrix, 0));
  return op_add(g, strict, op_diagonal_matrix(g, op_exp(g, logs)));
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  const lu *own = layer->state;
  sl_node matrix = sl__layer_node(layer, g, own->matrix, context_value),
          bias = sl__layer_node(layer, g, own->bias, context_value);
  sl_node log_det, u = upper(g, matrix, &log_det);
  /* L U = U + (strictly lower part) U */
  sl_node product = op_add(g, u, op_matmul(g, op_lower(g, matrix, -1), u));
  sl_node weight = op_gather(g, product, 0, layer->dim, own->order.from);
  return (sl__mapped){sl__matrix_times(g, weight, bias, x), log_det};
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  const lu *own = layer->state;
  sl_node matrix = sl__layer_node(layer, g, own->matrix, context_value),
          bias = sl__layer_node(layer, g, own->bias, context_value);
  sl_node log_det, u = upper(g, matrix, &log_det);
  sl_node value = op_gather(g, op_subtract(g, z, bias), 0, layer->dim, own->order.back);
  value = op_triangular_solve(g, matrix, value, false, false, true);
  value = op_triangular_solve(g, u, value, true, false, false);
  return sl__matrix_solved(g, z, value, op_negate(g, log_det));
}

static const char *const examples[] = {"lu", "(lu-scale)*2", "lu(no)", NULL};
const sl__kind sl__bijector_lu = {
    .name = "lu",
    .summary = "an invertible linear map, mixing all features",
    .source = "Kingma & Dhariwal 2018, eq. 10; Durkan et al. 2019, section 3.2",
    .examples = examples,
    .arguments = arguments,
    .argument_count = 2,
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .sample = sample,
    .log_prob = log_prob,
};
