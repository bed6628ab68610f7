/* Declares a network's weights as parameters of a layer. */
#include <stdio.h>
#include "flow/conditioner.h"

/* Far beyond any use: keeps a hostile formula from asking for the machine's memory. */
enum { WIDEST = 1 << 20 };

static sl_status read_plan(sl_context *context, const sl__option_value *arguments,
                           sl__network_plan *plan) {
  const sl__option_value *hidden = &arguments[SL__CONDITIONER_HIDDEN];
  plan->blocks = (int)arguments[SL__CONDITIONER_BLOCKS].integer;
  plan->activation = sl__activation_at(arguments[SL__CONDITIONER_ACTIVATION].integer);
  plan->dropout = arguments[SL__CONDITIONER_DROPOUT].real;
  plan->hidden_count = (int)hidden->integer;
  for (int i = 0; i < plan->hidden_count; i++) {
    plan->hidden[i] = hidden->sizes[i];
    if (plan->hidden[i] > WIDEST)
      return sl__fail(context, SL_BAD_ARGUMENT,
                      "a hidden layer of %d units; at most %d are allowed", plan->hidden[i],
                      WIDEST);
    if (plan->blocks > 0 && plan->hidden[i] != plan->hidden[0])
      return sl__fail(context, SL_BAD_ARGUMENT,
                      "residual blocks have one width, not hidden=%dx%d; give one, as in hidden=%d",
                      plan->hidden[0], plan->hidden[i], plan->hidden[0]);
  }
  return SL_OK;
}

static sl_status declare(sl__layer *layer, const char *prefix, sl__conditioner *out) {
  for (int i = 0; i < out->network.count; i++) {
    const sl__linear *linear = &out->network.linear[i];
    char name[64];
    out->weight[i] = -1;
    if (linear->inputs > 0) {
      snprintf(name, sizeof name, "%s.%d.weight", prefix, i);
      sl_shape shape = sl__shape2(linear->outputs, linear->inputs);
      out->weight[i] = sl__layer_parameter(layer, name, shape, SL__INITIAL_UNIFORM, linear->spread,
                                           NULL, linear->extent);
      if (out->weight[i] < 0) return SL_NO_MEMORY;
    }
    snprintf(name, sizeof name, "%s.%d.bias", prefix, i);
    sl__initial start = linear->bias_spread > 0 ? SL__INITIAL_UNIFORM : SL__INITIAL_ZERO;
    out->bias[i] = sl__layer_parameter(layer, name, sl__shape1(linear->outputs), start,
                                       linear->bias_spread, NULL, NULL);
    if (out->bias[i] < 0) return SL_NO_MEMORY;
  }
  return SL_OK;
}

/* Each weight matrix must stay below 2^31 numbers. */
static sl_status check_sizes(sl_context *context, const sl__option_value *arguments, int64_t inputs,
                             int64_t outputs) {
  const sl__option_value *hidden = &arguments[SL__CONDITIONER_HIDDEN];
  bool fits = inputs <= INT32_MAX && outputs <= INT32_MAX;
  for (int i = 0; i <= hidden->integer && fits; i++) {
    int64_t next = i < hidden->integer ? hidden->sizes[i] : outputs;
    fits = inputs * next <= INT32_MAX;
    inputs = next;
  }
  if (fits) return SL_OK;
  return sl__fail(context, SL_BAD_ARGUMENT,
                  "a weight matrix of 2^31 numbers or more; use fewer features, units or bins");
}

sl__encoding sl__conditioner_encoding(const sl__option_value *arguments, double period) {
  int32_t sines = (int32_t)arguments[SL__CONDITIONER_SINES].integer;
  return (sl__encoding){.sines = sines == 0 && period > 0 ? 2 : sines,
                        .fastest = arguments[SL__CONDITIONER_FASTEST].real,
                        .period = period};
}

sl_status sl__conditioner_build(sl_context *context, sl__layer *layer, const char *prefix,
                                const sl__option_value *arguments, int64_t inputs, int64_t outputs,
                                int32_t features, sl__conditioner *out) {
  SL__TRY(check_sizes(context, arguments, inputs, outputs));
  sl__network_plan plan = {
      .inputs = (int32_t)inputs, .outputs = (int32_t)outputs, .features = features};
  if (features > 0) plan.columns = (int32_t)((inputs - layer->context_dim) / features);
  SL__TRY(read_plan(context, arguments, &plan));
  SL__TRY(sl__network_build(&layer->flow->arena, &plan, &out->network));
  return declare(layer, prefix, out);
}

void sl__conditioner_nodes(const sl__layer *layer, sl__graph *g, const sl__conditioner *conditioner,
                           sl__network_nodes *out) {
  for (int i = 0; i < conditioner->network.count; i++) {
    bool sees = conditioner->weight[i] >= 0;
    out->weight[i] = sees ? sl__layer_node(layer, g, conditioner->weight[i], 0) : 0;
    out->bias[i] = sl__layer_node(layer, g, conditioner->bias[i], 0);
  }
}
