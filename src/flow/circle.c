/* Periodic features: p(angles, rest | context) = p(angles | context) p(rest | angles, context).
 *
 * The angles, P of them, have a flow of their own: circular splines, each of which sees the angles
 * before it (Rezende et al. 2020, arXiv:2002.02428, section 2.2), on a uniform density on the torus
 * [-pi, pi)^P. The rest, which the flow's formula is for, has the angles as context, as sines and
 * cosines, so that its density closes over the seam at +-pi whatever layers the formula names. Both
 * parts are handled as flows without angles: `circle_part` and `rest_part` are views of the flow
 * that hold one of its chains.
 *
 * Angles may be any real numbers and are wrapped; samples lie in -pi .. pi. */
#include "flow/circle.h"
#include "flow/formula.h"
#include "nn/encoding.h"

#define TWO_PI     6.28318530717958647693
#define LOG_TWO_PI 1.83787706640934548356

/* ---- the uniform density on the torus ---- */

/* The same everywhere: an angle that rounding has moved past the seam is still on the circle. */
static sl_node density(const sl__layer *layer, sl__graph *g, sl_node z, sl_node context_value) {
  (void)z, (void)context_value;
  return op_number(g, layer->type, -layer->dim * LOG_TWO_PI);
}

/* The rest of the flow draws from `stream` and the one SL__SECOND_STREAM after it. */
enum { STREAMS_BEFORE = 2 * SL__SECOND_STREAM };
static sl_node draw(const sl__layer *layer, sl__graph *g, uint32_t stream, sl_node context_value) {
  (void)context_value;
  sl_node u = op_random_uniform(g, layer->type, sl__shape1(layer->dim), stream + STREAMS_BEFORE);
  return op_scale(g, op_shift(g, u, -0.5), TWO_PI);
}

/* In no registry: it makes sense behind maps of the torus only. */
static const sl__kind torus = {
    .name = "torus",
    .summary = "uniform on the angles -pi .. pi",
    .source = "-",
    .density = density,
    .draw = draw,
};

/* ---- structure ---- */

int32_t sl__circle_rest_dim(const sl__flow *flow) {
  return flow->dim - flow->periodic;
}

int32_t sl__circle_rest_context_dim(const sl__flow *flow) {
  return flow->context_dim + 2 * flow->periodic;
}

sl_status sl__circle_build(sl_context *context, sl__flow *flow) {
  if (flow->periodic == 0) return SL_OK;
  /* Reversed between layers, each of several angles is conditioned on each other one. */
  const char *text =
      flow->periodic == 1 ? "maf(circular)*2" : "maf(circular)-reverse-maf(circular)";
  flow->circle_base = (sl__layer){.kind = &torus,
                                  .flow = flow,
                                  .path = "circle",
                                  .title = "circle",
                                  .text = "torus",
                                  .dim = flow->periodic,
                                  .context_dim = flow->context_dim,
                                  .type = flow->type,
                                  .seed = flow->seed};
  sl__formula formula;
  SL__TRY(sl__formula_parse(context, &flow->arena, text, &formula));
  sl_status status = sl__chain_build(context, flow, formula.first, "circle.", flow->periodic,
                                     flow->context_dim, flow->seed, &flow->circle);
  /* A place in a formula that the user did not write would mislead. */
  if (status != SL_OK) context->error.line = context->error.column = 0;
  if (sl__circle_rest_dim(flow) == 0) flow->base = flow->circle_base; /* never without one */
  for (int i = 0; i < flow->circle.count && status == SL_OK; i++) {
    sl__layer *layer = &flow->circle.layers[i];
    layer->title = layer->path;
    layer->period = 0; /* angles may be any numbers: they are wrapped */
  }
  return status;
}

/* ---- graphs ---- */

static sl__flow circle_part(const sl__flow *flow) {
  sl__flow part = *flow;
  part.dim = flow->periodic;
  part.periodic = 0;
  part.base = flow->circle_base;
  part.chain = flow->circle;
  return part;
}

static sl__flow rest_part(const sl__flow *flow) {
  sl__flow part = *flow;
  part.dim = sl__circle_rest_dim(flow);
  part.context_dim = sl__circle_rest_context_dim(flow);
  part.periodic = 0;
  return part;
}

/* The angles at the end of a value, and the rest, 0 where there is none. */
static sl_node angles_of(const sl__flow *flow, sl__graph *g, sl_node value) {
  return op_slice(g, value, 0, sl__circle_rest_dim(flow), flow->periodic, 1);
}

static sl_node rest_of(const sl__flow *flow, sl__graph *g, sl_node value) {
  int32_t dim = sl__circle_rest_dim(flow);
  return dim == 0 ? 0 : op_slice(g, value, 0, 0, dim, 1);
}

/* What the rest is conditioned on, given the data's angles. */
static sl_node rest_context(const sl__flow *flow, sl__graph *g, sl_node angles,
                            sl_node context_value) {
  const sl__encoding encoding = {.sines = 1, .period = TWO_PI};
  sl_node parts[2] = {context_value, sl__encode(&encoding, g, angles)};
  return flow->context_dim == 0 ? parts[1] : op_concatenate(g, 2, parts, 0);
}

static sl__mapped join(sl__graph *g, sl__mapped rest, sl__mapped angles) {
  sl_node parts[2] = {rest.value, angles.value};
  return (sl__mapped){op_concatenate(g, 2, parts, 0), op_add(g, rest.log_det, angles.log_det)};
}

sl_node sl__circle_flow_log_prob(const sl__flow *flow, sl__graph *g, sl_node x,
                                 sl_node context_value) {
  sl__flow circle = circle_part(flow), rest = rest_part(flow);
  sl_node angles = angles_of(flow, g, x);
  sl_node log_prob = sl__flow_log_prob(&circle, g, angles, context_value);
  if (rest.dim == 0) return log_prob;
  sl_node seen = rest_context(flow, g, angles, context_value);
  return op_add(g, log_prob, sl__flow_log_prob(&rest, g, rest_of(flow, g, x), seen));
}

sl__mapped sl__circle_flow_map(const sl__flow *flow, sl__graph *g, sl_node value,
                               sl_node context_value, int first, int last, bool sampling) {
  sl__mapped angles = {angles_of(flow, g, value), op_number(g, flow->type, 0)};
  sl_node data_angles = angles.value;
  if (first == 0 && last == flow->chain.count) {
    int count = flow->circle.count;
    angles = sampling ? sl__chain_sample(&flow->circle, g, angles.value, context_value, 0, count)
                      : sl__chain_log_prob(&flow->circle, g, angles.value, context_value, 0, count);
    if (sampling) data_angles = angles.value;
  }
  sl_node rest = rest_of(flow, g, value);
  if (!rest) return angles;
  sl_node seen = rest_context(flow, g, data_angles, context_value);
  sl__mapped mapped = sampling ? sl__chain_sample(&flow->chain, g, rest, seen, first, last)
                               : sl__chain_log_prob(&flow->chain, g, rest, seen, first, last);
  return join(g, mapped, angles);
}

sl__mapped sl__circle_flow_sample(const sl__flow *flow, sl__graph *g, sl_node context_value) {
  sl__flow circle = circle_part(flow), rest = rest_part(flow);
  sl__mapped angles = sl__flow_sample(&circle, g, context_value);
  if (rest.dim == 0) return angles;
  sl_node seen = rest_context(flow, g, angles.value, context_value);
  return join(g, sl__flow_sample(&rest, g, seen), angles);
}
