/* orthogonal: z = Q x with a trained rotation Q = -H_1 H_2 ... H_dim, a product of Householder
 * reflections (Tomczak & Welling 2016, arXiv:1611.09630, section 3.2); its log-determinant is 0 and
 * its inverse the transpose.
 *
 * Why reflections: their product is orthogonal to rounding for any directions, and every rotation
 * is one of them (Cartan and Dieudonne), so that training never meets a wall. The Cayley transform
 * of a skew matrix leaves out half-turns and loses digits near them; the matrix exponential needs
 * more squarings the larger the matrix is, each of which doubles the error. The product is formed
 * by a triangular solve per block, not by dim steps that wait for each other (householder.h). It
 * stays exact: for directions of length 1 no entry of a triangle's inverse exceeds 4, being the
 * product of a direction and another one that reflections have turned.
 *
 * The unit vectors as directions make -I; so the sign in front starts at the identity, and small
 * changes reach every small rotation. Directions drawn at random start at a random one instead. */
#include "flow/bijector/matrix.h"
#include "flow/hypernetwork.h"

enum { START_IDENTITY, START_RANDOM };

static const sl__option_row arguments[] = {
    {"start", SL__OPTION_CHOICE, "identity", 0, 0, "identity|random",
     "which rotation training starts from"},
    SL__HYPERNETWORK_ROW,
};

static sl_status build(sl_context *context, sl__layer *layer) {
  (void)context;
  int *directions = layer->state = sl__layer_take(layer, 1, sizeof *directions);
  if (!directions) return SL_NO_MEMORY;
  bool random = layer->arguments[0].integer == START_RANDOM;
  *directions =
      sl__layer_parameter(layer, "directions", sl__shape2(layer->dim, layer->dim),
                          random ? SL__INITIAL_NORMAL : SL__INITIAL_IDENTITY, 1, NULL, NULL);
  return *directions < 0 ? SL_NO_MEMORY : SL_OK;
}

static sl__mapped turn(const sl__layer *layer, sl__graph *g, sl_node value, sl_node context_value,
                       bool back) {
  sl_node directions = sl__layer_node(layer, g, *(const int *)layer->state, context_value);
  sl__reflections all = sl__matrix_reflections(g, directions);
  sl_node turned = op_negate(g, sl__reflections_apply(g, &all, value, back));
  return (sl__mapped){turned, op_number(g, layer->type, 0)};
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  return turn(layer, g, x, context_value, false);
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  return turn(layer, g, z, context_value, true);
}

static const char *const examples[] = {"orthogonal", "orthogonal(random)",
                                       "(orthogonal-scale)*2-loc", NULL};
const sl__kind sl__bijector_orthogonal = {
    .name = "orthogonal",
    .summary = "a trained rotation",
    .source = "Tomczak & Welling 2016, section 3.2",
    .examples = examples,
    .arguments = arguments,
    .argument_count = 2,
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .sample = sample,
    .log_prob = log_prob,
};
