/* radial: x = z + beta h(r) (z - z_ref), r = |z - z_ref|, h(r) = 1 / (alpha + r): contracts or
 * expands around a point (Rezende & Mohamed 2015, arXiv:1505.05770, eq. 14 and A.2), by the
 * formulas of PyMC3's RadialFlow: alpha = exp(a), beta = -alpha + s with s = softplus(b) > 0, so
 * that the map is invertible.
 *
 * With beta written out, everything is made of positive terms and nothing cancels near
 * beta = -alpha:
 *   g = 1 + beta h = (r + s) / (alpha + r),   x = z_ref + g (z - z_ref),
 *   1 + beta h + beta h' r = (r + alpha g) / (alpha + r),
 *   log |det| = (dim - 1) log g + log of the line above.
 * The inverse is closed form: R = |x - z_ref| = r g is r^2 + (s - R) r - alpha R = 0, of which the
 * positive root is taken in the form that adds.
 *
 * At z_ref the map contracts or expands by s / alpha, which is held between 1e-6 and 1e6: beyond,
 * one side's points around z_ref would differ by less than the rounding of z_ref. */
#include "flow/flow.h"
#include "flow/hypernetwork.h"

/* a and b are held within this, so that no square of exp(a) or softplus(b) leaves the range of
 * float32. */
#define MOST 40

/* The least of s / alpha and of alpha / s. */
#define LEAST_RATIO 1e-6

enum { JITTER_ROW, HIDDEN_ROW, ROWS };
static const sl__option_row arguments[ROWS] = {
    {"jitter", SL__OPTION_REAL, "1", 0, 100, NULL, "standard deviation of starting values"},
    SL__HYPERNETWORK_ROW,
};

typedef struct radial {
  int a, b, z_ref;
} radial;

static sl_status build(sl_context *context, sl__layer *layer) {
  (void)context;
  radial *own = layer->state = sl__layer_take(layer, 1, sizeof *own);
  if (!own) return SL_NO_MEMORY;
  double jitter = layer->arguments[JITTER_ROW].real;
  sl_shape vector = sl__shape1(layer->dim), number = sl__shape1(1);
  own->a = sl__layer_parameter(layer, "a", number, SL__INITIAL_NORMAL, jitter, NULL, NULL);
  own->b = sl__layer_parameter(layer, "b", number, SL__INITIAL_NORMAL, jitter, NULL, NULL);
  own->z_ref = sl__layer_parameter(layer, "z_ref", vector, SL__INITIAL_NORMAL, jitter, NULL, NULL);
  return own->a < 0 || own->b < 0 || own->z_ref < 0 ? SL_NO_MEMORY : SL_OK;
}

/* alpha, s [1] and z_ref [dim] */
typedef struct ball {
  sl_node alpha, s, z_ref;
} ball;

static ball make_ball(const sl__layer *layer, sl__graph *g, sl_node context_value) {
  const radial *own = layer->state;
  sl_node a = sl__layer_node(layer, g, own->a, context_value),
          b = sl__layer_node(layer, g, own->b, context_value);
  sl_node alpha = op_exp(g, op_clamp(g, a, -MOST, MOST));
  sl_node s = op_softplus(g, op_clamp(g, b, -MOST, MOST));
  return (ball){.alpha = op_maximum(g, alpha, op_scale(g, s, LEAST_RATIO)),
                .s = op_maximum(g, s, op_scale(g, alpha, LEAST_RATIO)),
                .z_ref = sl__layer_node(layer, g, own->z_ref, context_value)};
}

/* The largest size in parts, without its derivative: a result does not depend on the unit by which
 * squares are divided so that they do not overflow. */
static sl_node largest(sl__graph *g, int count, const sl_node *parts) {
  return op_stop_gradient(g, op_max(g, op_absolute(g, op_concatenate(g, count, parts, 0)), 0));
}

/* |offset| [1]. At 0, where the length has no derivative, it gets 0: the mean of those on all
 * sides. */
static sl_node length(const sl__layer *layer, sl__graph *g, sl_node offset) {
  sl_node unit = largest(g, 1, &offset), one = op_number(g, layer->type, 1);
  sl_node least = op_number(g, layer->type, layer->type == SL_F32 ? 1e-37 : 1e-300);
  sl_node is_off = op_less(g, least, unit), safe = op_select(g, is_off, unit, one);
  sl_node square = op_sum_all(g, op_square(g, op_divide(g, offset, safe)));
  sl_node root = op_multiply(g, safe, op_sqrt(g, op_select(g, is_off, square, one)));
  sl_node size = op_select(g, is_off, root, op_number(g, layer->type, 0));
  return op_reshape(g, size, sl__shape1(1));
}

/* 1 / (alpha + r), g and log |det| [1] at r */
typedef struct at_radius {
  sl_node h, growth, log_det;
} at_radius;

static at_radius look(const sl__layer *layer, sl__graph *g, const ball *of, sl_node r) {
  at_radius out = {.h = op_reciprocal(g, op_add(g, of->alpha, r))};
  out.growth = op_multiply(g, op_add(g, r, of->s), out.h);
  sl_node outward = op_multiply(g, op_multiply_add(g, of->alpha, out.growth, r), out.h);
  out.log_det = op_log(g, outward);
  if (layer->dim > 1) {
    sl_node across = op_scale(g, op_log(g, out.growth), layer->dim - 1);
    out.log_det = op_add(g, across, out.log_det);
  }
  return out;
}

static sl__mapped sample(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  ball of = make_ball(layer, g, context_value);
  sl_node offset = op_subtract(g, z, of.z_ref);
  at_radius at = look(layer, g, &of, length(layer, g, offset));
  return (sl__mapped){op_multiply_add(g, offset, at.growth, of.z_ref), op_sum_all(g, at.log_det)};
}

/* r from R. (p + root) / 2 where p = R - s >= 0, else 2 alpha R / (-p + root); in units of the
 * largest of |p|, alpha and R. */
static sl_node inner_radius(const sl__layer *layer, sl__graph *g, const ball *of, sl_node outer) {
  sl_node p = op_subtract(g, outer, of->s), parts[3] = {p, of->alpha, outer};
  sl_node unit = largest(g, 3, parts), alpha = op_divide(g, of->alpha, unit);
  p = op_divide(g, p, unit);
  sl_node product = op_multiply(g, alpha, op_divide(g, outer, unit));
  sl_node root = op_sqrt(g, op_multiply_add(g, p, p, op_scale(g, product, 4)));
  sl_node sum = op_add(g, op_absolute(g, p), root);
  sl_node is_below = op_less(g, p, op_number(g, layer->type, 0));
  return op_select(g, is_below, op_divide(g, op_scale(g, op_multiply(g, alpha, outer), 2), sum),
                   op_scale(g, op_multiply(g, sum, unit), 0.5));
}

static sl__mapped log_prob(const sl__layer *layer, sl__graph *g, sl_node x, sl_node context_value) {
  ball of = make_ball(layer, g, context_value);
  sl_node offset = op_subtract(g, x, of.z_ref);
  at_radius at = look(layer, g, &of, inner_radius(layer, g, &of, length(layer, g, offset)));
  sl_node z = op_multiply_add(g, offset, op_reciprocal(g, at.growth), of.z_ref);
  return (sl__mapped){z, op_negate(g, op_sum_all(g, at.log_det))};
}

static const char *const examples[] = {"radial*8", "scale-radial*4-loc", NULL};
const sl__kind sl__bijector_radial = {
    .name = "radial",
    .summary = "contracts or expands around a learned point",
    .source = "Rezende & Mohamed 2015, eq. 14; PyMC3 3.2, RadialFlow",
    .examples = examples,
    .arguments = arguments,
    .argument_count = ROWS,
    .conditioning = SL__CONDITION_PARAMETERS,
    .build = build,
    .sample = sample,
    .log_prob = log_prob,
};
