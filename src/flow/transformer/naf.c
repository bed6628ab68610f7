/* naf: deep sigmoidal flow of one layer, the neural autoregressive flow's transformer (Huang et al.
 * 2018, arXiv:1804.00779, eqs. 8, 9). Data x go to noise
 *
 *   z = logit(sum_k w_k sigmoid(u_k)),   u_k = a_k x + b_k,   a_k > 0,  sum_k w_k = 1.
 *
 * Everything is computed from log sigmoids and log_sum_exp. With S = sum_k w_k sigmoid(u_k),
 *   z = log S - log(1 - S),   log dz/dx = log(sum_k w_k a_k sigmoid(u_k) sigmoid(-u_k))
 *                                         - log S - log(1 - S),
 * and 1 - S is the same sum with -u_k. So there is no epsilon anywhere, and far out, where S rounds
 * to 0 or 1, z still grows like the smallest a_k x, as it should.
 *
 * The inverse is a root. u_k >= z for all k makes S >= sigmoid(z), so the largest (z - b_k) / a_k
 * bounds it from above, and the smallest from below.
 *
 * a_k = 0.001 + 0.999 softplus(...), and there is one unit more, u = x with weight 0.001: where
 * others leave gaps the map would be flat for floating point, and mass would get lost.
 *
 * Zeros make a_k = 1 and b_k = 0, which is the identity whatever w is, but leaves all units alike,
 * and whatever parameters start alike and get like gradients stay alike: the first feature of an
 * autoregressive layer, whose parameters depend on nothing, would be affine for ever. So each b_k
 * has a gain of its own, from 1 to 4: the first step tells the units apart. */
#include <math.h>
#include "flow/transformer/transformer.h"

#define LEAST_SLOPE     0.001
#define IDENTITY_WEIGHT 0.001
#define LEAST_GAIN      1.0
#define MOST_GAIN       4.0

enum { SLOPES, OFFSETS, WEIGHTS };

static void measure(sl__transform *transform) {
  transform->group_count = 3;
  for (int k = 0; k < 3; k++)
    transform->group_size[k] = (int32_t)transform->arguments[SL__ARGUMENT_units].integer;
  transform->group_name[SLOPES] = "slopes";
  transform->group_name[OFFSETS] = "offsets";
  transform->group_name[WEIGHTS] = "weights";
}

/* The mixture's parameters: like the groups, with the identity's unit behind the others. */
typedef struct mixture {
  int axis;
  sl_node slope, offset, log_slope, log_weight;
} mixture;

static sl_node gains(const sl__transform *transform, sl__graph *g, int axis) {
  enum { MOST_UNITS = 1024 };
  int32_t count = transform->group_size[OFFSETS];
  double gain[MOST_UNITS];
  for (int32_t k = 0; k < count; k++)
    gain[k] = count == 1 ? 1 : LEAST_GAIN + (MOST_GAIN - LEAST_GAIN) * k / (count - 1);
  sl_shape shape = axis == 0 ? sl__shape2(count, 1) : sl__shape2(1, count);
  return op_constant(g, transform->type, shape, gain);
}

/* One more number behind those of a group. */
static sl_node append(sl__graph *g, sl_node group, int axis, double last) {
  sl_node first = op_slice(g, group, axis, 0, 1, 1),
          number = op_number(g, sl__node_type(g, group), last);
  sl_node parts[2] = {group, op_broadcast(g, number, sl__node_shape(g, first))};
  return op_concatenate(g, 2, parts, axis);
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
  sl_node log_weight = op_shift(g, op_subtract(g, raw, total), log(1 - IDENTITY_WEIGHT));
  slope = append(g, slope, axis, 1);
  return (mixture){
      .axis = axis,
      .slope = slope,
      .offset = append(g, offset, axis, 0),
      .log_slope = op_log(g, slope),
      .log_weight = append(g, log_weight, axis, log(IDENTITY_WEIGHT)),
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

static sl_node value(void *user, sl__graph *g, sl_node x) {
  sums s = add_up(g, user, x);
  return op_subtract(g, s.log_s, s.log_1s);
}

static sl__mapped map(sl__graph *g, const mixture *m, sl_node x) {
  sums s = add_up(g, m, x);
  sl_node log_terms =
      op_add(g, op_add(g, m->log_weight, m->log_slope), op_add(g, s.below, s.above));
  sl_node log_rise = op_log_sum_exp(g, log_terms, m->axis);
  return (sl__mapped){op_subtract(g, s.log_s, s.log_1s),
                      op_subtract(g, log_rise, op_add(g, s.log_s, s.log_1s))};
}

static sl__mapped log_prob(const sl__transform *transform, sl__graph *g, sl_node x,
                           const sl__transform_parameters *parameters) {
  mixture m = make_mixture(transform, g, parameters);
  return map(g, &m, x);
}

static sl__mapped sample(const sl__transform *transform, sl__graph *g, sl_node z,
                         const sl__transform_parameters *parameters) {
  mixture m = make_mixture(transform, g, parameters);
  sl_node across = sl__transform_across(g, z, m.axis);
  sl_node single = op_divide(g, op_subtract(g, across, m.offset), m.slope);
  sl_node low = op_negate(g, op_max(g, op_negate(g, single), m.axis));
  sl_node x = op_root(g, z, low, op_max(g, single, m.axis), value, &m);
  return (sl__mapped){x, op_negate(g, map(g, &m, x).log_det)};
}

const sl__transformer sl__transformer_naf = {
    .name = "naf",
    .summary = "logit of a mixture of sigmoids; sampled by a root",
    .source = "Huang et al. 2018, eqs. 8, 9",
    .sample_how = SL__HOW_ITERATIVE,
    .measure = measure,
    .log_prob = log_prob,
    .sample = sample,
};
