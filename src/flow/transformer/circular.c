/* circular: a monotone rational-quadratic spline of a circle, with a shift (Rezende et al. 2020,
 * "Normalizing flows on tori and spheres", arXiv:2002.02428, section 2.1.2).
 *
 * The circle is the interval -period / 2 .. period / 2 with its ends joined. Any real number stands
 * for a point on it and is wrapped into the interval first; results lie in the interval. From data
 * to noise: the point is turned back by the shift, then the spline maps the interval to itself, its
 * ends to the ends; one trained slope serves both, so that the density is continuous there too. The
 * shift stands on the data's side, where it moves the knots with the data; on the other side a
 * uniform base density would not notice it.
 *
 * The network gives, per feature with K bins: K widths, K heights and K slopes, as in rqs, and the
 * shift in radians, of any size. Zeros give the identity. A density over one period integrates to 1
 * where the base density lives on the interval as well. */
#include "flow/transformer/spline.h"
#include "nn/encoding.h"

#define TWO_PI 6.28318530717958647693

enum { SHIFT = SL__SPLINE_GROUPS };

static void measure(sl__transform *transform) {
  sl__spline_measure(transform, (int32_t)transform->arguments[SL__ARGUMENT_bins].integer);
  transform->period = transform->arguments[SL__ARGUMENT_period].real;
  transform->group_count = SHIFT + 1;
  transform->group_size[SHIFT] = 1;
  transform->group_name[SHIFT] = "shift";
}

static sl_node shift(const sl__transform *transform, sl__graph *g,
                     const sl__transform_parameters *parameters) {
  sl_node radians = op_element(g, parameters->group[SHIFT], parameters->axis, 0);
  return op_scale(g, radians, transform->period / TWO_PI);
}

static sl__mapped log_prob(const sl__transform *transform, sl__graph *g, sl_node x,
                           const sl__transform_parameters *parameters) {
  sl_node turned = op_subtract(g, x, shift(transform, g, parameters));
  sl_node inside = sl__wrap(g, turned, transform->period);
  sl__mapped mapped = sl__rational_quadratic(transform, g, inside, false, parameters);
  return (sl__mapped){sl__wrap(g, mapped.value, transform->period), mapped.log_det};
}

static sl__mapped sample(const sl__transform *transform, sl__graph *g, sl_node z,
                         const sl__transform_parameters *parameters) {
  sl_node inside = sl__wrap(g, z, transform->period);
  sl__mapped mapped = sl__rational_quadratic(transform, g, inside, true, parameters);
  sl_node turned = op_add(g, mapped.value, shift(transform, g, parameters));
  return (sl__mapped){sl__wrap(g, turned, transform->period), op_negate(g, mapped.log_det)};
}

const sl__transformer sl__transformer_circular = {
    .name = "circular",
    .summary = "rational-quadratic spline of a circle, with a shift",
    .source = "Rezende et al. 2020, section 2.1.2",
    .measure = measure,
    .log_prob = log_prob,
    .sample = sample,
};
