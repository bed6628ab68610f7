/* triangular: z = s * (x + N x / sqrt(dim)) + bias with N strictly triangular and s positive: a
 * triangular matrix, whose log-determinant is the sum of the log s (an affine autoregressive layer
 * without a network: Papamakarios et al. 2021, arXiv:1912.02762, section 3.2).
 *
 * Scoring multiplies, sampling solves by substitution. s multiplies from the left, the data's
 * mixture comes first: however far the entries of s are apart, x is found again from z to rounding.
 * The factor 1 / sqrt(dim) keeps substitution well-behaved: with entries of size a, errors grow by
 * about exp(a^2 / 2) at any dim, and by (1 + a^2)^(dim/2) without it. N is kept packed, row by row,
 * so that no number is there for nothing. Zeros start at the identity. */
#include <math.h>
#include "flow/bijector/matrix.h"
#include "flow/hypernetwork.h"

enum { SIDE_LOWER, SIDE_UPPER };
enum { POSITIVE_EXP, POSITIVE_SOFTPLUS };

/* Keeps a hostile formula from asking for the memory. */
enum { MOST_FEATURES = 4096 };

typedef struct triangular {
  int scale, packed, bias; /* packed: -1 in one dimension */
  int32_t *from;           /* [dim * dim]: where in the packed triangle; its length: nowhere */
} triangular;

static const sl__option_row arguments[] = {
    {"side", SL__OPTION_CHOICE, "lower", 0, 0, "lower|upper",
     "lower: a feature of z depends on the earlier ones of x; upper: on the later ones"},
    {"positive", SL__OPTION_CHOICE, "exp", 0, 0, "exp|softplus",
     "what makes the diagonal positive"},
    SL__HYPERNETWORK_ROW,
};

/* The place in the packed triangle of every element of the matrix. */
static sl_status number_places(sl__layer *layer, triangular *own) {
  int32_t dim = layer->dim, next = 0;
  bool upper = layer->arguments[0].integer == SIDE_UPPER;
  own->from = sl__layer_take(layer, (size_t)dim * (size_t)dim, sizeof *own->from);
  if (!own->from) return SL_NO_MEMORY;
  for (int32_t i = 0; i < dim; i++)
    for (int32_t j = 0; j < dim; j++)
      own->from[i * dim + j] = (upper ? j > i : j < i) ? next++ : dim * (dim - 1) / 2;
  return SL_OK;
}

static sl_status build(sl_context *context, sl__layer *layer) {
  triangular *own = layer->state = sl__layer_take(layer, 1, sizeof *own);
  if (!own) return SL_NO_MEMORY;
  int32_t dim = layer->dim;
  if (dim > MOST_FEATURES)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "a full matrix of %d features is too large; use lowrank", dim);
  SL__TRY(number_places(layer, own));
  sl_shape vector = sl__shape1(dim), packed = sl__shape1(dim * (dim - 1) / 2);
  own->scale = sl__layer_parameter(layer, "scale", vector, SL__INITIAL_ZERO, 0, NULL, NULL);
  own->bias = sl__layer_parameter(layer, "bias", vector, SL__INITIAL_ZERO, 0, NULL, NULL);
  own->packed =
      dim == 1 ? -1
               : sl__layer_parameter(layer, "triangle", packed, SL__INITIAL_ZERO, 0, NULL, NULL);
  return own->scale < 0 || own->bias < 0 || (dim > 1 && own->packed < 0) ? SL_NO_MEMORY : SL_OK;
}

typedef struct parts {
  sl_node matrix; /* I + N / sqrt(dim) */
  sl_node scale, log_scale, bias;
} parts;

static sl_node unit_triangle(const sl__layer *layer, sl__graph *g, sl_node context_value) {
  const triangular *own = layer->state;
  int32_t dim = layer->dim;
  sl_node packed = sl__layer_node(layer, g, own->packed, context_value);
  sl_node zero = op_broadcast(g, op_number(g, layer->type, 0), sl__shape1(1));
  sl_node both[2] = {op_scale(g, packed, 1 / sqrt((double)dim)), zero};
  sl_node flat = op_gather(g, op_concatenate(g, 2, both, 0), 0, dim * dim, own->from);
  sl_node ones = op_broadcast(g, op_number(g, layer->type, 1), sl__shape1(dim));
  return op_add(g, op_reshape(g, flat, sl__shape2(dim, dim)), op_diagonal_matrix(g, ones));
}

static parts parts_of(const sl__layer *layer, sl__graph *g, sl_node context_value) {
  const triangular *own = layer->state;
  parts p = {.matrix = own->packed < 0 ? 0 : unit_triangle(layer, g, context_value),
             .bias = sl__layer_node(layer, g, own->bias, context_value)};
  sl_node raw = sl__layer_node(layer, g, own->scale, context_value);
  if (layer->arguments[1].integer == POSITIVE_EXP) {
    p.log_scale = sl__log_scale(g, raw);
    p.scale = op_exp(g, p.log_scale);
    return p;
  }
  raw = op_shift(g, raw, log(expm1(1))); /* so that 0 starts at 1 */
  sl_node least = op_number(g, layer->type, -sl__most_log_scale(layer->type));
  p.scale = op_softplus(g, op_maximum(g, raw, least)); /* down there it is exp(raw) */
  p.log_scale = op_log(g, p.scale);
  return p;
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  parts p = parts_of(layer, g, context_value);
  sl_node mixed = p.matrix ? sl__matrix_times(g, p.matrix, 0, x) : x;
  return (sl__mapped){op_multiply_add(g, mixed, p.scale, p.bias), op_sum_all(g, p.log_scale)};
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  parts p = parts_of(layer, g, context_value);
  sl_node value = op_divide(g, op_subtract(g, z, p.bias), p.scale);
  bool upper = layer->arguments[0].integer == SIDE_UPPER;
  if (p.matrix) value = op_triangular_solve(g, p.matrix, value, upper, false, true);
  return sl__matrix_solved(g, z, value, op_negate(g, op_sum_all(g, p.log_scale)));
}

static const char *const examples[] = {"triangular", "triangular(upper,positive=softplus)",
                                       "triangular-triangular(upper)", NULL};
const sl__kind sl__bijector_triangular = {
    .name = "triangular",
    .summary = "an invertible triangular matrix",
    .source = "Papamakarios et al. 2021, section 3.2",
    .examples = examples,
    .arguments = arguments,
    .argument_count = 3,
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .sample = sample,
    .log_prob = log_prob,
};
