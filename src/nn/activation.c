/* The registry of activations: activations.def, one function each. */
#include "nn/network.h"

static sl_node apply_relu(sl__graph *g, sl_node a) {
  return op_relu(g, a);
}
static sl_node apply_leaky_relu(sl__graph *g, sl_node a) {
  return op_leaky_relu(g, a, 0.01);
}
static sl_node apply_tanh(sl__graph *g, sl_node a) {
  return op_tanh(g, a);
}
static sl_node apply_silu(sl__graph *g, sl_node a) {
  return op_silu(g, a);
}
static sl_node apply_softplus(sl__graph *g, sl_node a) {
  return op_softplus(g, a);
}

static const sl__activation activations[] = {
#define ACTIVATION(name, gain, separator) {#name, apply_##name, gain},
#include "nn/activations.def"
};

const char sl__activation_names[] =
#define ACTIVATION(name, gain, separator) separator #name
#include "nn/activations.def"
    ;

const sl__activation *sl__activation_at(int64_t index) {
  int64_t count = (int64_t)(sizeof activations / sizeof activations[0]);
  return index >= 0 && index < count ? &activations[index] : NULL;
}
