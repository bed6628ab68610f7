/* Masks of an autoregressive network (MADE, Germain et al. 2015, arXiv:1502.03509, eqs. 8, 9, 13),
 * with degrees in sorted order, and its evaluation feature by feature.
 *
 * The inputs that tell x[d], one or more, have degree d + 1, a context input degree 0, the outputs
 * of feature d degree d; a unit may look at units (or inputs) of the layer before whose degree is
 * not above its own. Since units stand in the order of their degrees, what a unit may look at is a
 * prefix of the layer before: every mask is a staircase, told by one number per unit (`extent`),
 * and half of each product is never computed.
 *
 *        inputs x0 x1 x2            hidden 1 1 2 2
 *   hidden 1    #  .  .          output 0  . . . .      # may be seen; . is zero, not stored as
 *   hidden 1    #  .  .          output 1  # # . .        a mask and not computed
 *   hidden 2    #  #  .          output 2  # # # #
 *   hidden 2    #  #  .
 *
 * The same order makes sampling cheap: when x[d-1] becomes known, exactly the units of degree d can
 * be computed, each once, from the prefixes computed so far. Sampling all features costs one
 * pass. */
#include "nn/network.h"

static int32_t context_inputs(const sl__network *network) {
  return network->plan.inputs - network->plan.features * network->plan.columns;
}

/* Degrees are spread evenly over lowest .. features - 1. Degree 0 sees only the context: without
 * one such units would be constants. */
static int32_t lowest_degree(const sl__network *network) {
  return context_inputs(network) > 0 ? 0 : 1;
}

/* How many of a layer's `width` units, unit i having degree lowest + floor(i * levels / width),
 * have a degree of at most `degree`. */
static int32_t hidden_up_to(const sl__network *network, int32_t width, int32_t degree) {
  int64_t lowest = lowest_degree(network), levels = network->plan.features - lowest;
  int64_t above = degree - lowest + 1; /* units of this level or more are excluded */
  if (above <= 0) return 0;
  if (above >= levels) return width;
  return (int32_t)((above * width + levels - 1) / levels);
}

static int32_t hidden_degree(const sl__network *network, int32_t width, int32_t unit) {
  int64_t lowest = lowest_degree(network), levels = network->plan.features - lowest;
  return (int32_t)(lowest + unit * levels / width);
}

/* How many inputs of linear map `at` have a degree of at most `degree`. */
static int32_t inputs_up_to(const sl__network *network, int at, int32_t degree) {
  if (at == 0) return context_inputs(network) + degree * network->plan.columns;
  return hidden_up_to(network, network->linear[at].inputs, degree);
}

sl_status sl__network_mask(sl__arena *arena, sl__network *network) {
  for (int i = 0; i < network->count; i++) {
    sl__linear *linear = &network->linear[i];
    bool last = i == network->count - 1;
    int32_t *extent = sl__arena_take(arena, (size_t)linear->outputs, sizeof *extent);
    if (!extent) return SL_NO_MEMORY;
    int32_t each = network->plan.outputs / network->plan.features;
    for (int32_t unit = 0; unit < linear->outputs; unit++) {
      int32_t degree = last ? unit / each : hidden_degree(network, linear->outputs, unit);
      extent[unit] = inputs_up_to(network, i, degree);
    }
    linear->extent = extent;
  }
  return SL_OK;
}

/* Outputs begin .. begin + count - 1 of linear map `at`, from its first `inputs` inputs. */
static sl_node linear_piece(const sl__network_nodes *nodes, sl__graph *g, int at, sl_node known,
                            int32_t inputs, int32_t begin, int32_t count) {
  sl_node bias = op_slice(g, nodes->bias[at], 0, begin, count, 1);
  if (inputs == 0) return bias;
  sl_node rows = op_slice(g, nodes->weight[at], 0, begin, count, 1);
  return op_linear(g, op_slice(g, rows, 1, 0, inputs, 1), bias, known, NULL);
}

/* Appends a piece to what linear map `at` reads. */
static void extend(sl__network_walk *walk, sl__graph *g, int at, sl_node piece, int32_t count) {
  sl_node both[2] = {walk->known[at], piece};
  walk->known[at] = walk->count[at] == 0 ? piece : op_concatenate(g, 2, both, 0);
  walk->count[at] += count;
}

sl_node sl__network_step(const sl__network *network, const sl__network_nodes *nodes,
                         sl__network_walk *walk, sl__graph *g, sl_node x, int32_t degree) {
  int last = network->count - 1;
  int32_t each = network->plan.outputs / network->plan.features;
  if (network->linear[0].inputs == 0) return nodes->bias[0];
  walk->known[0] = x;
  walk->count[0] = inputs_up_to(network, 0, degree);
  sl_node skipped = 0, value = 0;
  for (int i = 0; i < last; i++) {
    const sl__linear *linear = &network->linear[i];
    /* What linear map i + 1 has read so far is what map i has computed so far. */
    int32_t begin = walk->count[i + 1];
    int32_t count = hidden_up_to(network, linear->outputs, degree) - begin;
    if (count == 0) continue;
    if (linear->opens) skipped = value;
    value = linear_piece(nodes, g, i, walk->known[i], walk->count[i], begin, count);
    if (linear->closes) value = op_add(g, skipped, value);
    bool activates = network->linear[i + 1].activates;
    extend(walk, g, i + 1, activates ? network->plan.activation->apply(g, value) : value, count);
  }
  return linear_piece(nodes, g, last, walk->known[last], walk->count[last], degree * each, each);
}
