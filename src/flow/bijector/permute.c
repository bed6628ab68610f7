/* permute: x[k] = z[order[k]], an order drawn from the seed or given; the log-determinant is
 * zero. */
#include <string.h>
#include "flow/bijector/order.h"

static const sl__option_row arguments[] = {
    {"order", SL__OPTION_TEXT, "random", 0, 0, NULL,
     "'random', or the features' numbers in their new order, from 1: 3:1:2"},
};

/* Reads "3:1:2". */
static sl_status read_order(sl_context *context, sl__layer *layer, const char *text,
                            sl__order *out) {
  SL__TRY(sl__order_new(layer, out));
  const char *at = text, *end = text + strlen(text);
  for (int32_t k = 0; k < layer->dim; k++) out->back[k] = -1;
  int32_t count = 0;
  for (;;) {
    int64_t number = 0;
    const char *next = sl__parse_integer(at, end, &number);
    bool fits = next && number >= 1 && number <= layer->dim && count < layer->dim;
    if (!fits || out->back[number - 1] >= 0) break;
    out->from[count] = (int32_t)number - 1;
    out->back[number - 1] = count++;
    if (next == end && count == layer->dim) return SL_OK;
    if (*next != ':') break;
    at = next + 1;
  }
  return sl__fail(context, SL_BAD_ARGUMENT,
                  "order=%s is no permutation of the %d features; name each from 1 to %d once, "
                  "separated by ':'",
                  text, layer->dim, layer->dim);
}

static sl_status build(sl_context *context, sl__layer *layer) {
  sl__order *order = layer->state = sl__layer_take(layer, 1, sizeof *order);
  if (!order) return SL_NO_MEMORY;
  const sl__option_value *given = &layer->arguments[0];
  bool random = strcmp(given->text, "random") == 0;
  return random ? sl__order_random(context, layer, order)
                : read_order(context, layer, given->text, order);
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  (void)context_value;
  const sl__order *order = layer->state;
  return (sl__mapped){op_gather(g, z, 0, layer->dim, order->from), op_number(g, layer->type, 0)};
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  (void)context_value;
  const sl__order *order = layer->state;
  return (sl__mapped){op_gather(g, x, 0, layer->dim, order->back), op_number(g, layer->type, 0)};
}

static double image(const sl__layer *layer, double x, bool sampling) {
  (void)layer, (void)sampling;
  return x;
}

static const char *const examples[] = {"loc-permute", NULL};
const sl__kind sl__bijector_permute = {
    .name = "permute",
    .summary = "reorders the features, at random or as given",
    .source = "-",
    .examples = examples,
    .arguments = arguments,
    .argument_count = 1,
    .build = build,
    .sample = sample,
    .image = image,
    .log_prob = log_prob,
};
