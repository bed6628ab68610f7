/* bnaf: block neural autoregressive flow (De Cao et al. 2019, arXiv:1904.04676, eqs. 8 to 12).
 *
 * One network maps all features at once. Every feature has its own units in every hidden layer; the
 * units of feature d read those of features before d with any weights, and their own with positive
 * ones, so that output d is increasing in x[d] and does not see what comes later:
 *
 *   h[l] = W[l] tanh(h[l-1]) + b[l],  W[l] block lower triangular, diagonal blocks exp(.)
 *   each row of W[l] is divided by its length and multiplied by exp(scale)
 *   z    = a f(x) + (1 - a) x,  f the last h,  a = sigmoid(gate), one for each feature
 *   log dz/dx = softplus(gate + log df/dx) - softplus(gate)
 *
 * log df[d]/dx[d] is a product of the diagonal blocks and of the activations' slopes. It is
 * accumulated in logarithms, unit by unit, by log_sum_exp: where all units of a layer are saturated
 * the product itself would be zero.
 *
 * Why its density has mass 1: f is bounded, since tanh is, and alone would map the line into an
 * interval; but (1 - a) x with 0 < a < 1 runs from -infinity to infinity, and so does, continuous
 * and increasing, its sum with a bounded increasing function. Feature by feature the map is onto.
 * (The gated residual is the paper's, but there the last layer of a chain lacks it.) So that this
 * holds in rounded numbers too and nothing overflows, scale and gate are softly bounded.
 *
 * Noise comes from data in one pass. Data comes from noise feature by feature: what features before
 * d contribute to its units is computed once; then x[d] is the root of a function that has only the
 * feature's own blocks. Its bracket follows from |f - rest| <= sum of the last row. */
#include <math.h>
#include <stdio.h>
#include "flow/flow.h"

enum { HIDDEN, ROWS };
static const sl__option_row arguments[ROWS] = {
    {"hidden", SL__OPTION_SIZES, "8x8", 0, 0, NULL, "units per feature of the hidden layers"},
};

enum { MOST_MAPS = 9 }; /* hidden layers, and the output */

/* Map l has `units` outputs and `reads` inputs per feature. */
typedef struct block_map {
  int32_t units, reads;
  int32_t others;        /* columns of weight: context, and units of all features but the last */
  int own, scale, bias;  /* parameters [dim, units, reads], [dim, units], [dim, units] */
  int weight;            /* [dim units, others], or -1 where others is 0 */
  const int32_t *extent; /* its staircase */
} block_map;

typedef struct bnaf {
  int count;
  block_map map[MOST_MAPS];
  int gate; /* [dim] */
} bnaf;

/* ---- parameters ---- */

static sl_status check_sizes(sl_context *context, const sl__layer *layer,
                             const sl__option_value *hidden) {
  int64_t reads = 1;
  for (int l = 0; l <= hidden->integer; l++) {
    int64_t units = l < hidden->integer ? hidden->sizes[l] : 1;
    int64_t rows = units * layer->dim, columns = reads * layer->dim + layer->context_dim;
    if (rows > INT32_MAX || columns > INT32_MAX || rows * columns > INT32_MAX)
      return sl__fail(context, SL_BAD_ARGUMENT,
                      "a weight matrix of 2^31 numbers or more; use fewer features or units");
    reads = units;
  }
  return SL_OK;
}

/* The rows of feature d may use the context and d * reads units. */
static const int32_t *make_extent(sl__layer *layer, const block_map *map) {
  int32_t *extent = sl__layer_take(layer, (size_t)(layer->dim * map->units), sizeof *extent);
  int32_t seen = map->others - (layer->dim - 1) * map->reads; /* the context */
  for (int32_t row = 0; extent && row < layer->dim * map->units; row++)
    extent[row] = seen + row / map->units * map->reads;
  return extent;
}

/* Starting values: rows of length exp(scale), scale 0 but for the last map, which has a mean of its
 * units; so f has a slope of about 1. Biases spread the units' bends over the data. */
static sl_status declare(sl__layer *layer, int l, bool last, block_map *map) {
  char name[32];
  double spread = 0.5 / sqrt(map->others + 1), scale = last ? -0.5 * log(map->reads) : 0;
  sl_shape blocks = sl__shape3(layer->dim, map->units, map->reads);
  sl_shape units = sl__shape2(layer->dim, map->units);
  map->weight = -1;
  if (map->others > 0) {
    snprintf(name, sizeof name, "net.%d.weight", l);
    map->extent = make_extent(layer, map);
    if (!map->extent) return SL_NO_MEMORY;
    map->weight = sl__layer_parameter(layer, name, sl__shape2(layer->dim * map->units, map->others),
                                      SL__INITIAL_UNIFORM, spread, NULL, map->extent);
    if (map->weight < 0) return SL_NO_MEMORY;
  }
  snprintf(name, sizeof name, "net.%d.own", l);
  map->own = sl__layer_parameter(layer, name, blocks, SL__INITIAL_UNIFORM, 1, NULL, NULL);
  snprintf(name, sizeof name, "net.%d.scale", l);
  map->scale = sl__layer_parameter(layer, name, units, SL__INITIAL_VALUE, scale, NULL, NULL);
  snprintf(name, sizeof name, "net.%d.bias", l);
  map->bias =
      sl__layer_parameter(layer, name, units, SL__INITIAL_UNIFORM, last ? 0 : 2, NULL, NULL);
  return map->own < 0 || map->scale < 0 || map->bias < 0 ? SL_NO_MEMORY : SL_OK;
}

static sl_status build(sl_context *context, sl__layer *layer) {
  bnaf *own = layer->state = sl__layer_take(layer, 1, sizeof *own);
  if (!own) return SL_NO_MEMORY;
  const sl__option_value *hidden = &layer->arguments[HIDDEN];
  SL__TRY(check_sizes(context, layer, hidden));
  own->count = (int)hidden->integer + 1;
  for (int l = 0; l < own->count; l++) {
    bool last = l == own->count - 1;
    block_map *map = &own->map[l];
    map->units = last ? 1 : hidden->sizes[l];
    map->reads = l == 0 ? 1 : hidden->sizes[l - 1];
    map->others = (layer->dim - 1) * map->reads + (l == 0 ? layer->context_dim : 0);
    SL__TRY(declare(layer, l, last, map));
  }
  own->gate =
      sl__layer_parameter(layer, "gate", sl__shape1(layer->dim), SL__INITIAL_ZERO, 0, NULL, NULL);
  return own->gate < 0 ? SL_NO_MEMORY : SL_OK;
}

/* ---- what is computed from parameters alone ---- */

typedef struct block_nodes {
  sl_node own, log_own; /* [dim, units, reads]: diagonal blocks and their logarithms */
  sl_node weight;       /* [dim units, others], or 0 */
  sl_node bias;         /* [dim, units] */
} block_nodes;

/* a where it is small, within -15 .. 15 everywhere. */
static sl_node bounded(sl__graph *g, sl_node a) {
  const double most = 15;
  return op_scale(g, op_tanh(g, op_scale(g, a, 1 / most)), most);
}

/* Normalises the rows. The largest exponent of a row is taken out first, so that no square
 * overflows; the floor under the sum of squares keeps a row of vanishing numbers from 0 / 0. */
static block_nodes weights(const sl__layer *layer, sl__graph *g, const block_map *map) {
  const double floor_of_squares = 1e-30;
  sl_shape columns = sl__shape3(layer->dim, map->units, 1);
  sl_shape column = sl__shape2(layer->dim * map->units, 1);
  sl_node v = sl__layer_node(layer, g, map->own, 0), weight = 0;
  sl_node largest = op_maximum(g, op_max(g, v, 2), op_number(g, layer->type, 0));
  largest = op_stop_gradient(g, largest);
  sl_node exponents = op_subtract(g, v, op_reshape(g, largest, columns));
  sl_node squares = op_sum(g, op_exp(g, op_scale(g, exponents, 2)), 2);
  if (map->weight >= 0) {
    sl_node shrink = op_reshape(g, op_exp(g, op_negate(g, largest)), column);
    weight = op_multiply(g, sl__layer_node(layer, g, map->weight, 0), shrink);
    sl_node rest = op_sum(g, op_square(g, weight), 1);
    squares = op_add(g, squares, op_reshape(g, rest, sl__shape2(layer->dim, map->units)));
  }
  sl_node length = op_scale(g, op_log(g, op_shift(g, squares, floor_of_squares)), 0.5);
  sl_node gain = op_subtract(g, bounded(g, sl__layer_node(layer, g, map->scale, 0)), length);
  if (weight) weight = op_multiply(g, weight, op_reshape(g, op_exp(g, gain), column));
  sl_node log_own = op_add(g, exponents, op_reshape(g, gain, columns));
  return (block_nodes){.own = op_exp(g, log_own),
                       .log_own = log_own,
                       .weight = weight,
                       .bias = sl__layer_node(layer, g, map->bias, 0)};
}

/* log tanh'(h) = 2 (log 2 - h - softplus(-2 h)), which does not underflow. */
static sl_node log_slope_of_tanh(sl__graph *g, sl_node h) {
  sl_node tail = op_softplus(g, op_scale(g, h, -2));
  return op_scale(g, op_shift(g, op_negate(g, op_add(g, h, tail)), log(2)), 2);
}

/* a f + (1 - a) x; keep is 1 - a. */
static sl_node gated(sl__graph *g, sl_node gate, sl_node f, sl_node x) {
  sl_node kept = op_multiply(g, op_sigmoid(g, op_negate(g, gate)), x);
  return op_multiply_add(g, op_sigmoid(g, gate), f, kept);
}

/* ---- data to noise: one pass ---- */

/* The context, if any, and `count` features. */
static sl_node with_context(const sl__layer *layer, sl__graph *g, sl_node x, int32_t count,
                            sl_node context_value) {
  if (count == 0) return layer->context_dim > 0 ? context_value : 0;
  sl_node parts[2] = {context_value, op_slice(g, x, 0, 0, count, 1)};
  return layer->context_dim == 0 ? parts[1] : op_concatenate(g, 2, parts, 0);
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  const bnaf *own = layer->state;
  sl_node value = x, slope = 0; /* slope: logarithms of the units' derivatives by their feature */
  for (int l = 0; l < own->count; l++) {
    const block_map *map = &own->map[l];
    block_nodes nodes = weights(layer, g, map);
    sl_shape row = sl__shape3(layer->dim, 1, map->reads);
    sl_node products = op_multiply(g, nodes.own, op_reshape(g, value, row));
    sl_node h = op_add(g, op_sum(g, products, 2), nodes.bias);
    if (nodes.weight) {
      sl_node others = l == 0 ? with_context(layer, g, x, layer->dim - 1, context_value)
                              : op_slice(g, value, 0, 0, map->others, 1);
      sl_node mixed = op_linear(g, nodes.weight, 0, others, map->extent);
      h = op_add(g, h, op_reshape(g, mixed, sl__shape2(layer->dim, map->units)));
    }
    sl_node steps = slope ? op_add(g, nodes.log_own, op_reshape(g, slope, row)) : nodes.log_own;
    slope = op_log_sum_exp(g, steps, 2);
    if (l < own->count - 1) slope = op_add(g, slope, log_slope_of_tanh(g, h));
    value =
        op_reshape(g, l < own->count - 1 ? op_tanh(g, h) : h, sl__shape1(layer->dim * map->units));
  }
  sl_node gate = bounded(g, sl__layer_node(layer, g, own->gate, 0));
  slope = op_softplus(g, op_add(g, gate, op_reshape(g, slope, sl__shape1(layer->dim))));
  return (sl__mapped){gated(g, gate, value, x),
                      op_sum_all(g, op_subtract(g, slope, op_softplus(g, gate)))};
}

/* ---- noise to data: feature by feature ---- */

/* The network as a function of one feature, all earlier ones being known. */
typedef struct one_feature {
  int count;
  sl_node rest[MOST_MAPS]; /* [units]: bias and what earlier features and the context add */
  sl_node own[MOST_MAPS];  /* [units, reads] */
  sl_node unit[MOST_MAPS]; /* out: [units] of the hidden layers at the last x */
  sl_node gate;            /* [1] */
} one_feature;

static sl_node output_of_feature(void *user, sl__graph *g, sl_node x) {
  one_feature *feature = user;
  sl_node value = x;
  for (int l = 0; l < feature->count; l++) {
    sl_node h = op_add(g, op_linear(g, feature->own[l], 0, value, NULL), feature->rest[l]);
    feature->unit[l] = value = l < feature->count - 1 ? op_tanh(g, h) : h;
  }
  return gated(g, feature->gate, value, x);
}

/* z = a f + (1 - a) x, and f is within reach of rest. */
static sl_node solve(sl__graph *g, one_feature *feature, sl_node z) {
  int last = feature->count - 1;
  sl_node reach = op_sum(g, feature->own[last], 1), rest = feature->rest[last];
  sl_node keep = op_sigmoid(g, op_negate(g, feature->gate)), a = op_sigmoid(g, feature->gate);
  sl_node most = op_multiply(g, a, op_add(g, rest, reach));
  sl_node least = op_multiply(g, a, op_subtract(g, rest, reach));
  sl_node low = op_divide(g, op_subtract(g, z, most), keep);
  sl_node high = op_divide(g, op_subtract(g, z, least), keep);
  return op_root(g, z, low, high, output_of_feature, feature);
}

static sl_node joined(sl__graph *g, sl_node before, sl_node after) {
  sl_node both[2] = {before, after};
  return before ? op_concatenate(g, 2, both, 0) : after;
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  const bnaf *own = layer->state;
  block_nodes nodes[MOST_MAPS];
  sl_node known[MOST_MAPS] = {0}; /* what map l reads, of the features before d */
  sl_node gate = bounded(g, sl__layer_node(layer, g, own->gate, 0)), x = 0;
  for (int l = 0; l < own->count; l++) nodes[l] = weights(layer, g, &own->map[l]);
  if (layer->context_dim > 0) known[0] = context_value;
  for (int32_t d = 0; d < layer->dim; d++) {
    one_feature feature = {.count = own->count, .gate = op_slice(g, gate, 0, d, 1, 1)};
    for (int l = 0; l < own->count; l++) {
      const block_map *map = &own->map[l];
      feature.own[l] = op_element(g, nodes[l].own, 0, d);
      feature.rest[l] = op_element(g, nodes[l].bias, 0, d);
      if (!known[l]) continue;
      sl_node rows = op_slice(g, nodes[l].weight, 0, d * map->units, map->units, 1);
      rows = op_slice(g, rows, 1, 0, map->extent[d * map->units], 1);
      feature.rest[l] = op_linear(g, rows, feature.rest[l], known[l], NULL);
    }
    sl_node root = solve(g, &feature, op_slice(g, z, 0, d, 1, 1));
    output_of_feature(&feature, g, root);
    x = joined(g, x, root);
    known[0] = joined(g, known[0], root);
    for (int l = 1; l < own->count; l++) known[l] = joined(g, known[l], feature.unit[l - 1]);
  }
  return (sl__mapped){x, op_negate(g, log_prob(layer, g, x, context_value).log_det)};
}

static const char *const examples[] = {"bnaf", "bnaf(hidden=16x16)-reverse-bnaf(hidden=16x16)",
                                       "inverse(bnaf)", NULL};
const sl__kind sl__bijector_bnaf = {
    .name = "bnaf",
    .summary = "one monotone network with blocks for each feature",
    .source = "De Cao et al. 2019, eqs. 8 to 12",
    .examples = examples,
    .arguments = arguments,
    .argument_count = ROWS,
    .sample_how = SL__HOW_ITERATIVE,
    .conditioning = SL__CONDITION_NETWORK,
    .build = build,
    .sample = sample,
    .log_prob = log_prob,
};
