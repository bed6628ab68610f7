/* The autoregressive map and its inverse.
 *
 * The pass is the textbook MADE: one masked network, outputs [dim][P] feature-major so that the
 * degrees of the last map are sorted too. The inverse is an unrolled graph over features: at step d
 * the hidden units that depend on x[0..d-1] and on nothing later are computed (nn/made.c), then the
 * parameters of feature d, then x[d]. Every weight is used once, so it costs about one pass, not
 * dim of them. */
#include "flow/bijector/autoregressive.h"
#include "flow/bijector/matrix.h"

typedef struct autoregressive {
  sl__transform transform;
  sl__encoding encoding; /* of the features that the network reads */
  sl__conditioner conditioner;
  int own; /* parameter, or -1 */
} autoregressive;

const sl__option_row sl__autoregressive_arguments[SL__AUTOREGRESSIVE_ARGUMENTS] = {
    {"transformer", SL__OPTION_CHOICE, NULL, 0, 0, sl__transformer_names, "the map of one feature"},
    SL__CONDITIONER_ROWS,
#define ARGUMENT(transformer, name, type, fallback, low, high, choices, help) \
  {#name, type, fallback, low, high, choices, help},
#include "flow/transformer/transformers.def"
};

sl_status sl__autoregressive_build(sl_context *context, sl__layer *layer) {
  autoregressive *own = layer->state = sl__layer_take(layer, 1, sizeof *own);
  if (!own) return SL_NO_MEMORY;
  const sl__option_value *arguments = layer->arguments;
  SL__TRY(sl__transform_read(context, layer, SL__AUTOREGRESSIVE_TRANSFORM, &own->transform));
  own->encoding =
      sl__conditioner_encoding(arguments + SL__AUTOREGRESSIVE_CONDITIONER, own->transform.period);
  int64_t columns = sl__encoding_columns(&own->encoding);
  SL__TRY(sl__conditioner_build(context, layer, "net", arguments + SL__AUTOREGRESSIVE_CONDITIONER,
                                layer->dim * columns + layer->context_dim,
                                (int64_t)layer->dim * own->transform.total, layer->dim,
                                &own->conditioner));
  own->own = -1;
  if (own->transform.own == 0) return SL_OK;
  own->own = sl__layer_parameter(layer, own->transform.own_name, sl__shape1(layer->dim),
                                 SL__INITIAL_VALUE, own->transform.own_start, NULL, NULL);
  return own->own < 0 ? SL_NO_MEMORY : SL_OK;
}

/* Cuts the network's outputs along the axis of parameters into groups. */
static sl__transform_parameters cut(const sl__transform *transform, sl__graph *g, sl_node all,
                                    int axis) {
  sl__transform_parameters out = {.axis = axis};
  int32_t begin = 0;
  for (int k = 0; k < transform->group_count; k++) {
    out.group[k] = op_slice(g, all, axis, begin, transform->group_size[k], 1);
    begin += transform->group_size[k];
  }
  return out;
}

sl__mapped sl__autoregressive_pass(const sl__layer *layer, sl__graph *g, sl_node x,
                                   sl_node context_value) {
  const autoregressive *own = layer->state;
  const sl__transform *transform = &own->transform;
  sl__network_nodes nodes;
  sl__conditioner_nodes(layer, g, &own->conditioner, &nodes);
  sl_node inputs[2] = {context_value, sl__encode(&own->encoding, g, x)};
  sl_node in = layer->context_dim == 0 ? inputs[1] : op_concatenate(g, 2, inputs, 0);
  sl_node all = sl__network_forward(&own->conditioner.network, &nodes, g, in);
  all = op_reshape(g, all, sl__shape2(layer->dim, transform->total));
  sl__transform_parameters parameters = cut(transform, g, all, 1);
  if (own->own >= 0) parameters.own = sl__layer_node(layer, g, own->own, context_value);
  sl__mapped mapped = transform->kind->log_prob(transform, g, x, &parameters);
  return (sl__mapped){mapped.value, op_sum_all(g, mapped.log_det)};
}

/* a, which may be 0, and b behind it. */
static sl_node append(sl__graph *g, sl_node a, sl_node b) {
  sl_node parts[2] = {a, b};
  return a ? op_concatenate(g, 2, parts, 0) : b;
}

sl__mapped sl__autoregressive_walk(const sl__layer *layer, sl__graph *g, sl_node u,
                                   sl_node context_value) {
  const autoregressive *own = layer->state;
  const sl__transform *transform = &own->transform;
  sl__network_nodes nodes;
  sl__conditioner_nodes(layer, g, &own->conditioner, &nodes);
  sl_node scales = own->own >= 0 ? sl__layer_node(layer, g, own->own, context_value) : 0;
  sl__network_walk walk = {0};
  bool plain = sl__encoding_columns(&own->encoding) == 1;
  sl_node known = layer->context_dim == 0 ? 0 : context_value; /* what the network reads so far */
  sl_node x = 0, log_det = 0;
  for (int32_t d = 0; d < layer->dim; d++) {
    sl_node all = sl__network_step(&own->conditioner.network, &nodes, &walk, g, known, d);
    all = op_reshape(g, all, sl__shape2(transform->total, 1));
    sl__transform_parameters parameters = cut(transform, g, all, 0);
    if (scales) parameters.own = op_slice(g, scales, 0, d, 1, 1);
    sl_node piece = op_slice(g, u, 0, d, 1, 1);
    sl__mapped mapped = transform->kind->sample(transform, g, piece, &parameters);
    known = append(g, known, sl__encode(&own->encoding, g, mapped.value));
    if (!plain) x = append(g, x, mapped.value);
    log_det = log_det ? op_add(g, log_det, mapped.log_det) : mapped.log_det;
  }
  if (plain) x = op_slice(g, known, 0, layer->context_dim, layer->dim, 1);
  return sl__matrix_solved(g, u, x, op_sum_all(g, log_det));
}
