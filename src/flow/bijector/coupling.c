/* coupling: some features pass unchanged and tell, through a network, how the others are mapped
 * (Dinh et al. 2015, arXiv:1410.8516; RealNVP: Dinh et al. 2017, arXiv:1605.08803, eqs. 4 to 8;
 * with splines: Durkan et al. 2019, arXiv:1906.04032). Both directions cost one evaluation of the
 * network.
 *
 * mask=alternate keeps every other feature, mask=half one half; both swap roles from one coupling
 * layer of the flow to the next, so that no reversal is needed between them (between alternate
 * layers of an even dim, it would undo the swap). mask=1001 is taken as written: 1 keeps, 0 maps.
 * The network's outputs are [P][n], parameter-major, so that one kind of parameter is contiguous
 * over the n mapped features. */
#include <stdio.h>
#include <string.h>
#include "flow/conditioner.h"
#include "flow/bijector/order.h"
#include "flow/transformer/transformer.h"

enum {
  TRANSFORMER_ROW,
  MASK_ROW,
  NET_ROW,
  CONDITIONER_ROW,
  TRANSFORM_ROW = CONDITIONER_ROW + SL__CONDITIONER_ARGUMENTS,
  ROWS = TRANSFORM_ROW + SL__TRANSFORMER_ARGUMENTS
};
enum { NET_JOINT, NET_SEPARATE };

static const sl__option_row arguments[ROWS] = {
    {"transformer", SL__OPTION_CHOICE, NULL, 0, 0, sl__transformer_names, "the map of one feature"},
    {"mask", SL__OPTION_TEXT, "alternate", 0, 0, NULL,
     "'alternate' or 'half', swapping from layer to layer; or digits, 1 keeps, 0 maps: 1001"},
    {"net", SL__OPTION_CHOICE, "joint", 0, 0, "joint|separate",
     "one network, or one for each kind of parameter (RealNVP: shift and scale)"},
    SL__CONDITIONER_ROWS,
#define ARGUMENT(transformer, name, type, fallback, low, high, choices, help) \
  {#name, type, fallback, low, high, choices, help},
#include "flow/transformer/transformers.def"
};

typedef struct coupling {
  int32_t kept_count, mapped_count;
  int32_t *kept, *mapped; /* which features */
  int32_t *joined;        /* [dim]: where feature k stands when both parts are put together, ... */
  bool mapped_first;      /* ... the part that has feature 0 first */
  sl__transform transform;
  sl__encoding encoding; /* of the kept features */
  int network_count;     /* 1, or one per group */
  sl__conditioner conditioner[SL__MAX_GROUPS];
  int own; /* parameter, or -1 */
} coupling;

/* Whether feature k of the layer is kept. */
static bool keeps(const sl__layer *layer, const char *mask, int earlier, int32_t k) {
  int32_t role = earlier % 2;
  if (strcmp(mask, "alternate") == 0) return k % 2 != role;
  if (strcmp(mask, "half") == 0) return (k >= layer->dim - layer->dim / 2) == (role == 0);
  return mask[k] == '1';
}

static sl_status check_mask(sl_context *context, const sl__layer *layer, const char *mask) {
  if (strcmp(mask, "alternate") == 0 || strcmp(mask, "half") == 0) return SL_OK;
  size_t length = strlen(mask);
  if (strspn(mask, "01") != length)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "mask=%s is none; write alternate, half, or a 0 or 1 for each feature", mask);
  if (length != (size_t)layer->dim)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "mask=%s has %zu digits for %d features; write one for each", mask, length,
                    layer->dim);
  if (!strchr(mask, '0'))
    return sl__fail(context, SL_BAD_ARGUMENT, "mask=%s maps no feature; give it a 0", mask);
  return SL_OK;
}

static sl_status split(sl_context *context, sl__layer *layer, coupling *own) {
  const char *mask = layer->arguments[MASK_ROW].text;
  SL__TRY(check_mask(context, layer, mask));
  int earlier = layer->dim == 1 ? 0 : layer->earlier; /* a single feature is mapped always */
  own->kept = sl__layer_take(layer, (size_t)layer->dim, sizeof *own->kept);
  own->mapped = sl__layer_take(layer, (size_t)layer->dim, sizeof *own->mapped);
  own->joined = sl__layer_take(layer, (size_t)layer->dim, sizeof *own->joined);
  if (!own->kept || !own->mapped || !own->joined) return SL_NO_MEMORY;
  for (int32_t k = 0; k < layer->dim; k++) {
    if (keeps(layer, mask, earlier, k))
      own->kept[own->kept_count++] = k;
    else
      own->mapped[own->mapped_count++] = k;
  }
  own->mapped_first = own->mapped[0] == 0;
  int32_t kept_at = own->mapped_first ? own->mapped_count : 0;
  int32_t mapped_at = own->mapped_first ? 0 : own->kept_count;
  for (int32_t i = 0; i < own->kept_count; i++) own->joined[own->kept[i]] = kept_at + i;
  for (int32_t i = 0; i < own->mapped_count; i++) own->joined[own->mapped[i]] = mapped_at + i;
  return SL_OK;
}

static sl_status build(sl_context *context, sl__layer *layer) {
  coupling *own = layer->state = sl__layer_take(layer, 1, sizeof *own);
  if (!own) return SL_NO_MEMORY;
  SL__TRY(sl__transform_read(context, layer, TRANSFORM_ROW, &own->transform));
  SL__TRY(split(context, layer, own));
  const sl__transform *transform = &own->transform;
  bool separate = layer->arguments[NET_ROW].integer == NET_SEPARATE;
  own->network_count = separate ? transform->group_count : 1;
  own->encoding = sl__conditioner_encoding(layer->arguments + CONDITIONER_ROW, transform->period);
  int64_t columns = sl__encoding_columns(&own->encoding);
  int64_t inputs = own->kept_count * columns + layer->context_dim;
  for (int i = 0; i < own->network_count; i++) {
    char prefix[32] = "net";
    if (separate) snprintf(prefix, sizeof prefix, "net.%s", transform->group_name[i]);
    int64_t each = separate ? transform->group_size[i] : transform->total;
    SL__TRY(sl__conditioner_build(context, layer, prefix, layer->arguments + CONDITIONER_ROW,
                                  inputs, each * own->mapped_count, 0, &own->conditioner[i]));
  }
  own->own = -1;
  if (transform->own == 0) return SL_OK;
  own->own = sl__layer_parameter(layer, transform->own_name, sl__shape1(own->mapped_count),
                                 SL__INITIAL_VALUE, transform->own_start, NULL, NULL);
  return own->own < 0 ? SL_NO_MEMORY : SL_OK;
}

/* Evaluates the networks at what is kept (and the context). */
static sl__transform_parameters conditioned(const sl__layer *layer, sl__graph *g, sl_node kept,
                                            sl_node context_value) {
  const coupling *own = layer->state;
  sl__transform_parameters out = {.axis = 0};
  sl_node inputs[2] = {context_value, kept ? sl__encode(&own->encoding, g, kept) : 0};
  sl_node x = layer->context_dim == 0 ? inputs[1]
              : own->kept_count == 0  ? context_value
                                      : op_concatenate(g, 2, inputs, 0);
  for (int i = 0, group = 0; i < own->network_count; i++) {
    sl__network_nodes nodes;
    sl__conditioner_nodes(layer, g, &own->conditioner[i], &nodes);
    sl_node all = sl__network_forward(&own->conditioner[i].network, &nodes, g, x);
    int32_t count = own->conditioner[i].network.plan.outputs / own->mapped_count;
    all = op_reshape(g, all, sl__shape2(count, own->mapped_count));
    for (int32_t begin = 0; begin < count; begin += own->transform.group_size[group++])
      out.group[group] = op_slice(g, all, 0, begin, own->transform.group_size[group], 1);
  }
  if (own->own >= 0) out.own = sl__layer_node(layer, g, own->own, context_value);
  return out;
}

static sl__mapped map(const sl__layer *layer, sl__graph *g, sl_node value, sl_node context_value,
                      bool sampling) {
  const coupling *own = layer->state;
  bool all = own->kept_count == 0;
  sl_node kept = all ? 0 : sl__features(g, value, own->kept_count, own->kept);
  sl_node rest = sl__features(g, value, own->mapped_count, own->mapped);
  sl__transform_parameters parameters = conditioned(layer, g, kept, context_value);
  const sl__transformer *kind = own->transform.kind;
  sl__mapped mapped = sampling ? kind->sample(&own->transform, g, rest, &parameters)
                               : kind->log_prob(&own->transform, g, rest, &parameters);
  sl_node log_det = op_sum_all(g, mapped.log_det);
  if (all) return (sl__mapped){mapped.value, log_det};
  sl_node parts[2] = {own->mapped_first ? mapped.value : kept,
                      own->mapped_first ? kept : mapped.value};
  sl_node joined = op_concatenate(g, 2, parts, 0);
  return (sl__mapped){sl__features(g, joined, layer->dim, own->joined), log_det};
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  return map(layer, g, z, context_value, true);
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  return map(layer, g, x, context_value, false);
}

static const char *const examples[] = {"coupling(affine)*4", "coupling(rqs,bins=5,hidden=12)*3",
                                       NULL};
const sl__kind sl__bijector_coupling = {
    .name = "coupling",
    .summary = "maps some features by a network of the others",
    .source = "Dinh et al. 2017, eqs. 4 to 8; Durkan et al. 2019",
    .examples = examples,
    .arguments = arguments,
    .argument_count = ROWS,
    .conditioning = SL__CONDITION_NETWORK,
    .build = build,
    .sample = sample,
    .log_prob = log_prob,
};
