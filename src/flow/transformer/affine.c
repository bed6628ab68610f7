/* affine: x = exp(s) z + t per feature, t and s from the network: RealNVP (Dinh et al. 2017,
 * arXiv:1605.08803, eqs. 4 to 6) in a coupling layer, MAF (Papamakarios et al. 2017,
 * arXiv:1705.07057, eqs. 3, 4) in an autoregressive one.
 *
 * Unbounded s makes exp(s) overflow on the first odd row of data, so it is bounded softly, unless
 * scale=exp:
 *   scale=soft   s / (1 + |s| / log 1000): slope 1 at 0, scales within 1000 times
 *   scale=tanh   a tanh(s), a learned per feature from 1, as RealNVP did
 *   scale=exp    s itself, as MAF and IAF did
 * The log-determinant is s itself, never the logarithm of exp(s). */
#include "flow/transformer/transformer.h"

#define LOG_LIMIT 6.9077552789821368

enum { SCALE_SOFT, SCALE_TANH, SCALE_EXP };
enum { SHIFT, LOG_SCALE };

static void measure(sl__transform *transform) {
  transform->group_count = 2;
  transform->group_size[SHIFT] = transform->group_size[LOG_SCALE] = 1;
  transform->group_name[SHIFT] = "shift";
  transform->group_name[LOG_SCALE] = "scale";
  transform->own = transform->arguments[SL__ARGUMENT_scale].integer == SCALE_TANH;
  transform->own_name = "amplitude";
  transform->own_start = 1;
}

static sl_node bounded(const sl__transform *transform, sl__graph *g,
                       const sl__transform_parameters *parameters) {
  sl_node s = op_element(g, parameters->group[LOG_SCALE], parameters->axis, 0);
  if (transform->arguments[SL__ARGUMENT_scale].integer == SCALE_EXP) return sl__log_scale(g, s);
  if (transform->own) return sl__log_scale(g, op_multiply(g, parameters->own, op_tanh(g, s)));
  return sl__transform_soft(g, s, LOG_LIMIT);
}

static sl__mapped log_prob(const sl__transform *transform, sl__graph *g, sl_node x,
                           const sl__transform_parameters *parameters) {
  sl_node t = op_element(g, parameters->group[SHIFT], parameters->axis, 0);
  sl_node minus_s = op_negate(g, bounded(transform, g, parameters));
  return (sl__mapped){op_multiply(g, op_subtract(g, x, t), op_exp(g, minus_s)), minus_s};
}

static sl__mapped sample(const sl__transform *transform, sl__graph *g, sl_node z,
                         const sl__transform_parameters *parameters) {
  sl_node t = op_element(g, parameters->group[SHIFT], parameters->axis, 0);
  sl_node s = bounded(transform, g, parameters);
  return (sl__mapped){op_multiply_add(g, z, op_exp(g, s), t), s};
}

const sl__transformer sl__transformer_affine = {
    .name = "affine",
    .summary = "shift and positive scale",
    .source = "Dinh et al. 2017, eqs. 4 to 6; Papamakarios et al. 2017, eqs. 3, 4",
    .measure = measure,
    .log_prob = log_prob,
    .sample = sample,
};
