/* lowrank: z = (D + U V^T) x + bias, a diagonal plus a matrix of rank k, at a cost of 4 k dim.
 *
 * Left free, U and V can make the matrix singular. Here D = diag(s), s > 0, Q [dim,k] are the first
 * k columns of a product H of k reflections (householder.h), hence orthonormal, and with stretches
 * e^t
 *     W = D + Q (diag(e^t) - I) Q^T D = M D,   M = I + Q (diag(e^t) - I) Q^T,
 * that is U = Q (diag(e^t) - I) and V = D Q. The determinant lemma gives
 * log |det W| = sum log s + log det(I + V^T D^-1 U) = sum log s + sum t, and Woodbury's identity
 * W^-1 = D^-1 (I + Q (diag(e^-t) - I) Q^T): both finite whatever the parameters are, with no k x k
 * system to solve (Harville 1997, "Matrix algebra from a statistician's perspective", theorems
 * 18.1.1 and 18.2.8). Where a stretch is tiny, nearly all of x along its direction cancels in M x,
 * and rounding is left: so what the result has along Q is compared with what it should have,
 * e^t Q^T x, and mended.
 *
 * M is any symmetric positive matrix that differs from I by rank k: it stretches along some
 * directions and shrinks along others. So over a normal base the layer is every normal distribution
 * of factor analysis, covariance diagonal plus rank k, and of its mirror image, precision diagonal
 * plus rank k. Turns are left to orthogonal and lu. t = 0 and s = 1 start at the identity, with
 * random directions, none of them special. */
#include "flow/bijector/matrix.h"
#include "flow/hypernetwork.h"

typedef struct lowrank {
  int32_t rank;
  int log_scale, directions, stretch, bias;
} lowrank;

static const sl__option_row arguments[] = {
    {"rank", SL__OPTION_INT, "4", 1, 1 << 16, NULL,
     "of the update; more than there are features: as many as features"},
    SL__HYPERNETWORK_ROW,
};

static sl_status build(sl_context *context, sl__layer *layer) {
  (void)context;
  lowrank *own = layer->state = sl__layer_take(layer, 1, sizeof *own);
  if (!own) return SL_NO_MEMORY;
  int64_t rank = layer->arguments[0].integer;
  own->rank = rank < layer->dim ? (int32_t)rank : layer->dim;
  sl_shape vector = sl__shape1(layer->dim), few = sl__shape1(own->rank);
  own->log_scale = sl__layer_parameter(layer, "log_scale", vector, SL__INITIAL_ZERO, 0, NULL, NULL);
  own->directions = sl__layer_parameter(layer, "directions", sl__shape2(own->rank, layer->dim),
                                        SL__INITIAL_NORMAL, 1, NULL, NULL);
  own->stretch = sl__layer_parameter(layer, "stretch", few, SL__INITIAL_ZERO, 0, NULL, NULL);
  own->bias = sl__layer_parameter(layer, "bias", vector, SL__INITIAL_ZERO, 0, NULL, NULL);
  bool failed = own->log_scale < 0 || own->directions < 0 || own->stretch < 0 || own->bias < 0;
  return failed ? SL_NO_MEMORY : SL_OK;
}

/* M value, or M^-1 value if back. */
static sl_node stretch(const sl__layer *layer, sl__graph *g, sl_node value, sl_node context_value,
                       bool back) {
  const lowrank *own = layer->state;
  sl_node directions = sl__layer_node(layer, g, own->directions, context_value),
          logs = sl__log_scale(g, sl__layer_node(layer, g, own->stretch, context_value));
  if (back) logs = op_negate(g, logs);
  sl__reflections all = sl__matrix_reflections(g, directions);
  sl_node axes = sl__reflections_columns(g, &all, own->rank);
  sl_node across = axes ? op_transpose(g, axes) : 0;
  sl_node along = sl__matrix_times(g, across, 0, value);
  sl_node more = op_multiply(g, along, op_expm1(g, logs));
  sl_node rough = op_add(g, value, sl__matrix_times(g, axes, 0, more));
  sl_node missing =
      op_subtract(g, op_multiply(g, along, op_exp(g, logs)), sl__matrix_times(g, across, 0, rough));
  return op_add(g, rough, sl__matrix_times(g, axes, 0, missing));
}

static sl_node log_det(const sl__layer *layer, sl__graph *g, sl_node log_scale,
                       sl_node context_value) {
  const lowrank *own = layer->state;
  sl_node logs = sl__log_scale(g, sl__layer_node(layer, g, own->stretch, context_value));
  return op_add(g, op_sum_all(g, log_scale), op_sum_all(g, logs));
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  const lowrank *own = layer->state;
  sl_node log_scale = sl__log_scale(g, sl__layer_node(layer, g, own->log_scale, context_value)),
          bias = sl__layer_node(layer, g, own->bias, context_value);
  sl_node scaled = op_multiply(g, x, op_exp(g, log_scale));
  sl_node value = op_add(g, stretch(layer, g, scaled, context_value, false), bias);
  return (sl__mapped){value, log_det(layer, g, log_scale, context_value)};
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  const lowrank *own = layer->state;
  sl_node log_scale = sl__log_scale(g, sl__layer_node(layer, g, own->log_scale, context_value)),
          bias = sl__layer_node(layer, g, own->bias, context_value);
  sl_node scaled = stretch(layer, g, op_subtract(g, z, bias), context_value, true);
  sl_node value = op_multiply(g, scaled, op_exp(g, op_negate(g, log_scale)));
  return (sl__mapped){value, op_negate(g, log_det(layer, g, log_scale, context_value))};
}

static const char *const examples[] = {"lowrank", "lowrank(2)", "lowrank(rank=8)", NULL};
const sl__kind sl__bijector_lowrank = {
    .name = "lowrank",
    .summary = "a diagonal plus a matrix of low rank",
    .source = "determinant lemma and Woodbury's identity: Harville 1997, chapter 18",
    .examples = examples,
    .arguments = arguments,
    .argument_count = 2,
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .sample = sample,
    .log_prob = log_prob,
};
