/* rqs: a monotone rational-quadratic spline per feature on the box -bound .. bound, linear outside
 * (Durkan et al. 2019, arXiv:1906.04032, section 3.1).
 *
 * The network gives, per feature with K bins: K widths and K heights (softmax, at least 1e-3 of the
 * box each) and the slopes at the knots between bins (softplus, at least 1e-3), with tails=learned
 * those at both ends too. The softplus is shifted so that zeros give slope 1: then zeros give the
 * identity. log_prob maps data by the quotient, sample by its root. */
#include "flow/transformer/spline.h"

static void measure(sl__transform *transform) {
  int32_t bins = (int32_t)transform->arguments[SL__ARGUMENT_bins].integer;
  sl__spline_measure(transform, sl__spline_learns_tails(transform) ? bins + 1 : bins - 1);
}

static sl__mapped log_prob(const sl__transform *transform, sl__graph *g, sl_node x,
                           const sl__transform_parameters *parameters) {
  return sl__spline_with_tails(transform, g, x, false, parameters, sl__rational_quadratic,
                               SL__SPLINE_SLOPES);
}

static sl__mapped sample(const sl__transform *transform, sl__graph *g, sl_node z,
                         const sl__transform_parameters *parameters) {
  return sl__spline_with_tails(transform, g, z, true, parameters, sl__rational_quadratic,
                               SL__SPLINE_SLOPES);
}

const sl__transformer sl__transformer_rqs = {
    .name = "rqs",
    .summary = "monotone rational-quadratic spline, linear outside a box",
    .source = "Durkan et al. 2019, eqs. 4 to 8",
    .measure = measure,
    .log_prob = log_prob,
    .sample = sample,
};
