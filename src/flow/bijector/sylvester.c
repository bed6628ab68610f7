/* sylvester: x = z + Q R tanh(R~ Q' z + b), several ridges at once (van den Berg et al. 2018,
 * arXiv:1803.05649, eqs. 11 to 16): Q [dim, columns] has orthonormal columns, here the first of a
 * product of Householder reflections (section 3.2), R and R~ are upper triangular with diagonals
 * tanh(.), so that r_i r~_i > -1.
 *
 * By Sylvester's identity the determinant is that of I + diag(1 - t^2) R~ R, which is triangular:
 * log |det| = sum log(t_i^2 + (1 - t_i^2) rest_i), rest_i = 1 + r_i r~_i. With r = tanh(a), r~ =
 * tanh(c) and the logistic function g, rest = 2 (g(2a) g(2c) + g(-2a) g(-2c)), which cannot cancel.
 *
 * Scoring is exact too: with u = R~ Q' z + b, u + R~ R tanh(u) = R~ Q' x + b is triangular, so that
 * its unknowns are found from the last to the first, each the root of an increasing function of one
 * number.
 *
 * One parameter r [columns, columns] holds R with the arguments of its diagonal and, below the
 * diagonal, R~ transposed, whose diagonal has a parameter of its own. R starts at 0, which makes
 * the layer start as the identity. */
#include "flow/bijector/householder.h"
#include "flow/bijector/ridge.h"
#include "flow/hypernetwork.h"

/* The diagonals' arguments are held within this, where float32 still has g(-2a). */
#define MOST 40

enum { COLUMNS_ROW, REFLECTIONS_ROW, HIDDEN_ROW, ROWS };
static const sl__option_row arguments[ROWS] = {
    {"columns", SL__OPTION_INT, "8", 1, 4096, NULL,
     "how many ridges; unless given, no more than there are features"},
    {"reflections", SL__OPTION_INT, NULL, 1, 4096, NULL,
     "that make their directions; unless given, as many as columns"},
    SL__HYPERNETWORK_ROW,
};

typedef struct sylvester {
  int32_t columns;
  int v, r, r_tilde_diagonal, b;
} sylvester;

static sl_status choose_columns(sl_context *context, const sl__layer *layer, int32_t *out) {
  const sl__option_value *given = &layer->arguments[COLUMNS_ROW];
  int32_t columns = *out = (int32_t)given->integer;
  if (columns <= layer->dim) return SL_OK;
  *out = layer->dim;
  if (!given->given) return SL_OK;
  return sl__fail(context, SL_BAD_ARGUMENT,
                  "columns=%d for %d features; there can be no more than features", columns,
                  layer->dim);
}

static sl_status build(sl_context *context, sl__layer *layer) {
  sylvester *own = layer->state = sl__layer_take(layer, 1, sizeof *own);
  if (!own) return SL_NO_MEMORY;
  SL__TRY(choose_columns(context, layer, &own->columns));
  int32_t columns = own->columns;
  const sl__option_value *reflections = &layer->arguments[REFLECTIONS_ROW];
  int32_t count = reflections->given ? (int32_t)reflections->integer : columns;
  sl_shape vectors = sl__shape2(count, layer->dim), square = sl__shape2(columns, columns),
           vector = sl__shape1(columns);
  own->v = sl__layer_parameter(layer, "v", vectors, SL__INITIAL_NORMAL, 1, NULL, NULL);
  own->r = sl__layer_parameter(layer, "r", square, SL__INITIAL_ZERO, 0, NULL, NULL);
  own->r_tilde_diagonal =
      sl__layer_parameter(layer, "r_tilde_diagonal", vector, SL__INITIAL_NORMAL, 1, NULL, NULL);
  own->b = sl__layer_parameter(layer, "b", vector, SL__INITIAL_NORMAL, 1, NULL, NULL);
  bool all = own->v >= 0 && own->r >= 0 && own->r_tilde_diagonal >= 0 && own->b >= 0;
  return all ? SL_OK : SL_NO_MEMORY;
}

/* x = z + out tanh(in z + b): out [dim, columns], in [columns, dim]; b, rest [columns]; mixing =
 * R~ R. */
typedef struct ridges {
  sl_node out, in, b, rest, mixing;
} ridges;

/* 1 + tanh(a) tanh(c) */
static sl_node rest_of(sl__graph *g, sl_node a, sl_node c) {
  sl_node plus = op_multiply(g, op_sigmoid(g, op_scale(g, a, 2)), op_sigmoid(g, op_scale(g, c, 2)));
  sl_node minus =
      op_multiply(g, op_sigmoid(g, op_scale(g, a, -2)), op_sigmoid(g, op_scale(g, c, -2)));
  return op_scale(g, op_add(g, plus, minus), 2);
}

static ridges make_ridges(const sl__layer *layer, sl__graph *g, sl_node context_value) {
  const sylvester *own = layer->state;
  sl_node v = sl__layer_node(layer, g, own->v, context_value);
  /* The floor is for v = 0, which has no direction. */
  sl_node squares = op_maximum(g, op_sum(g, op_square(g, v), 1), op_number(g, layer->type, 1e-30));
  sl__reflections product = sl__reflections_new(g, v, squares);
  sl_node q = sl__reflections_columns(g, &product, own->columns);
  sl_node both = sl__layer_node(layer, g, own->r, context_value);
  sl_node strict = op_subtract(g, both, op_lower(g, both, 0)), below = op_lower(g, both, -1);
  sl_node a = op_clamp(g, op_diagonal(g, both), -MOST, MOST);
  sl_node c = sl__layer_node(layer, g, own->r_tilde_diagonal, context_value);
  c = op_clamp(g, c, -MOST, MOST);
  sl_node r = op_add(g, strict, op_diagonal_matrix(g, op_tanh(g, a)));
  sl_node r_tilde = op_add(g, below, op_diagonal_matrix(g, op_tanh(g, c)));
  r_tilde = op_transpose(g, r_tilde);
  return (ridges){.out = op_matmul(g, q, r),
                  .in = op_matmul(g, r_tilde, op_transpose(g, q)),
                  .b = sl__layer_node(layer, g, own->b, context_value),
                  .rest = rest_of(g, a, c),
                  .mixing = op_matmul(g, r_tilde, r)};
}

static sl_node log_det_at(sl__graph *g, const ridges *all, sl_node t) {
  return op_sum_all(g, op_log(g, sl__ridge_slope(g, t, all->rest)));
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  ridges all = make_ridges(layer, g, context_value);
  sl_node t = op_tanh(g, op_add(g, op_matmul(g, all.in, z), all.b));
  return (sl__mapped){op_add(g, z, op_matmul(g, all.out, t)), log_det_at(g, &all, t)};
}

/* tanh(u) [columns] at u + mixing tanh(u) = y. */
static sl_node back_substitute(sl__graph *g, const ridges *all, sl_node y, int32_t columns) {
  sl_node found = 0;
  for (int32_t i = columns - 1; i >= 0; i--) {
    sl_node last = op_slice(g, y, 0, i, 1, 1), rest = op_slice(g, all->rest, 0, i, 1, 1);
    sl_node t = op_tanh(g, sl__ridge_root(g, last, rest)), parts[2] = {t, found};
    found = found ? op_concatenate(g, 2, parts, 0) : t;
    if (i == 0) break;
    sl_node column = op_slice(g, op_element(g, all->mixing, 1, i), 0, 0, i, 1);
    y = op_subtract(g, op_slice(g, y, 0, 0, i, 1), op_multiply(g, column, t));
  }
  return found;
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  const sylvester *own = layer->state;
  ridges all = make_ridges(layer, g, context_value);
  sl_node y = op_add(g, op_matmul(g, all.in, x), all.b);
  sl_node t = back_substitute(g, &all, y, own->columns);
  return (sl__mapped){op_subtract(g, x, op_matmul(g, all.out, t)),
                      op_negate(g, log_det_at(g, &all, t))};
}

static const char *const examples[] = {"sylvester*4", "sylvester(columns=2,reflections=3)*2", NULL};
const sl__kind sl__bijector_sylvester = {
    .name = "sylvester",
    .summary = "several ridges at once, in orthogonal directions",
    .source = "van den Berg et al. 2018, eqs. 11 to 16",
    .examples = examples,
    .arguments = arguments,
    .argument_count = ROWS,
    .log_prob_how = SL__HOW_ITERATIVE,
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .sample = sample,
    .log_prob = log_prob,
};
