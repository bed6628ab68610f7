/* naf: deep sigmoidal flow of one layer, the neural autoregressive flow's transformer (Huang et al.
 * 2018, arXiv:1804.00779, eqs. 8, 9), and a little of the identity. Data x go to noise
 *
 *   z = (1 - e) n + e x,  e = 0.02,  n = logit(sum_k w_k sigmoid(u_k)),
 *   u_k = a_k x + b_k,   a_k > 0,  sum_k w_k = 1.
 *
 * Everything is computed from log sigmoids and log_sum_exp. With S = sum_k w_k sigmoid(u_k),
 *   n = log S - log(1 - S),   log dn/dx = log(sum_k w_k a_k sigmoid(u_k) sigmoid(-u_k))
 *                                         - log S - log(1 - S) = L,
 *   log dz/dx = log(e + (1 - e) exp(L)) = log e + softplus(L + log(1 - e) - log e),
 * and 1 - S is the same sum with -u_k. So there is no rounding to 0 or 1 anywhere, and far out z
 * still grows like the smallest a_k x, as it should.
 *
 * Why e: between steep units n is flat, down to slopes that leave its inverse no digits. With e, a
 * gap costs mass of no more than e times its width, and the inverse no more than two digits.
 *
 * The inverse is a root. n lies between the least and the greatest of the u_k; so the root lies
 * between those of (1 - e) u_k + e x = z.
 *
 * Zeros make a_k = 1 and b_k = 0, which is the identity whatever w is, but leaves all units alike,
 * and whatever parameters start alike and get like gradients stay alike: the first feature of an
 * autoregressive layer, whose parameters depend on nothing, would be affine for ever. So each b_k
 * has a gain of its own, from 1 to 4: the first step tells the units apart. */
#include <math.h>
#include "flow/transformer/transformer.h"

#define IDENTITY    0.02  /* e */
#define LEAST_SLOPE 0.001 /* of a unit, so that it has a logarithm */
#define LEAST_GAIN  1.0
#define MOST_GAIN   4.0

enum { SLOPES, OFFSETS, WEIGHTS };

static void measure(sl__transform *transform) {
  transform->group_count = 3;
  for (int k = 0; k < 3; k++)
    transform->group_size[k] = (int32_t)transform->arguments[SL__ARGUMENT_units].integer;
  transform->group_name[SLOPES] = "slopes";
  transform->group_name[OFFSETS] = "offsets";
  transform->group_name[WEIGHTS] = "weights";
}

/* The mixture's parameters, shaped like the groups. */
typedef struct mixture {
  int axis;
  sl_node slope, offset, log_slope, log_weight;
} mixture;

static sl_node gains(const sl__transform *transform, sl__graph *g, int axis) {
  int32_t count = transform->group_size[OFFSETS];
  double gain[SL__MOST_UNITS];
  for (int32_t k = 0; k < count; k++)
    gain[k] = count == 1 ? 1 : LEAST_GAIN + (MOST_GAIN - LEAST_GAIN) * k / (count - 1);
  sl_shape shape = axis == 0 ? sl__shape2(count, 1) : sl__shape2(1, count);
  return op_constant(g, transform->type, shape, gain);
}

static mixture make_mixture(const sl__transform *transform, sl__graph *g,
                            const sl__transform_parameters *parameters) {
  int axis = parameters->axis;
  const double one = log(expm1(1)); /* softplus of it is 1 */
  sl_node slope = op_softplus(g, op_shift(g, parameters->group[SLOPES], one));
  slope = op_shift(g, op_scale(g, slope, 1 - LEAST_SLOPE), LEAST_SLOPE);
  sl_node offset = op_multiply(g, parameters->group[OFFSETS], gains(transform, g, axis));
  sl_node raw = parameters->group[WEIGHTS];
  sl_node total = sl__transform_across(g, op_log_sum_exp(g, raw, axis), axis);
  return (mixture){
      .axis = axis,
      .slope = slope,
      .offset = offset,
      .log_slope = op_log(g, slope),
      .log_weight = op_subtract(g, raw, total),
  };
}

/* What there is to know at x, in logarithms. */
typedef struct sums {
  sl_node below, above;  /* log sigmoid(u_k), log sigmoid(-u_k) */
  sl_node log_s, log_1s; /* log S, log(1 - S) */
} sums;

static sums add_up(sl__graph *g, const mixture *m, sl_node x) {
  sl_node u = op_multiply_add(g, m->slope, sl__transform_across(g, x, m->axis), m->offset);
  sl_node below = op_negate(g, op_softplus(g, op_negate(g, u)));
  sl_node above = op_negate(g, op_softplus(g, u));
  return (sums){
      .below = below,
      .above = above,
      .log_s = op_log_sum_exp(g, op_add(g, m->log_weight, below), m->axis),
      .log_1s = op_log_sum_exp(g, op_add(g, m->log_weight, above), m->axis),
  };
}

/* (1 - e) a + e b */
static sl_node with_identity(sl__graph *g, sl_node a, sl_node b) {
  return op_add(g, op_scale(g, a, 1 - IDENTITY), op_scale(g, b, IDENTITY));
}

static sl_node value(void *user, sl__graph *g, sl_node x) {
  sums s = add_up(g, user, x);
  return with_identity(g, op_subtract(g, s.log_s, s.log_1s), x);
}

static sl__mapped map(sl__graph *g, const mixture *m, sl_node x) {
  sums s = add_up(g, m, x);
  sl_node log_terms =
      op_add(g, op_add(g, m->log_weight, m->log_slope), op_add(g, s.below, s.above));
  sl_node log_rise =
      op_subtract(g, op_log_sum_exp(g, log_terms, m->axis), op_add(g, s.log_s, s.log_1s));
  sl_node over = op_shift(g, log_rise, log(1 - IDENTITY) - log(IDENTITY));
  return (sl__mapped){with_identity(g, op_subtract(g, s.log_s, s.log_1s), x),
                      op_shift(g, op_softplus(g, over), log(IDENTITY))};
}

static sl__mapped log_prob(const sl__transform *transform, sl__graph *g, sl_node x,
                           const sl__transform_parameters *parameters) {
  mixture m = make_mixture(transform, g, parameters);
  return map(g, &m, x);
}

static sl__mapped sample(const sl__transform *transform, sl__graph *g, sl_node z,
                         const sl__transform_parameters *parameters) {
  mixture m = make_mixture(transform, g, parameters);
  sl_node offset = op_scale(g, m.offset, 1 - IDENTITY);
  sl_node slope = op_shift(g, op_scale(g, m.slope, 1 - IDENTITY), IDENTITY);
  sl_node across = sl__transform_across(g, z, m.axis);
  sl_node single = op_divide(g, op_subtract(g, across, offset), slope);
  sl_node low = op_negate(g, op_max(g, op_negate(g, single), m.axis));
  sl_node x = op_root(g, z, low, op_max(g, single, m.axis), value, &m);
  return (sl__mapped){x, op_negate(g, map(g, &m, x).log_det)};
}

const sl__transformer sl__transformer_naf = {
    .name = "naf",
    .summary = "logit of a mixture of sigmoids, and a little of x; sampled by a root",
    .source = "Huang et al. 2018, eqs. 8, 9",
    .sample_how = SL__HOW_ITERATIVE,
    .measure = measure,
    .log_prob = log_prob,
    .sample = sample,
};
