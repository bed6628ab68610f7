/* Differentiation through sampling: of a loss of the caller's, who knows its derivatives by the
 * drawn rows and by their log densities, by the flow's parameters and conditions.
 *
 * With x(r) and q(r) the row and log density that noise r is mapped to, and L any function of them,
 *   d L / d parameter = sum over r of (d L / d x(r)) . (d x(r) / d parameter)
 *                                   + (d L / d q(r)) (d q(r) / d parameter),
 * which is the derivative of sum (a(r) . x(r) + b(r) q(r)) with a and b held at the derivatives of
 * L: the reparameterised gradient of Kingma and Welling 2014 (arXiv:1312.6114), section 2.3,
 * written as one reverse pass. So the loss itself may be computed anywhere. */
#include "api/evaluator.h"

/* Inputs: condition, if there is one, d L / d x, d L / d log_prob. Outputs: x, log_prob, d L / d
 * condition, or a second log_prob where there is none, and d L / d each parameter array. */
static sl_status build(sl__building *b, sl_node *wrt, sl_node *outputs, sl__ready *ready,
                       int64_t max_rows) {
  sl__graph *g = b->graph;
  const sl_dtype type = b->flow->type;
  sl__declare_inputs(b, false);
  const sl_node by_x = op_input(g, type, sl__shape1(b->model->dim));
  const sl_node by_log_prob = op_input(g, type, sl__scalar_shape());
  const sl__mapped drawn = sl__model_sample(b->model, g, b->condition);
  const sl_node loss = op_add(g, op_sum_all(g, op_multiply(g, by_x, drawn.value)),
                              op_multiply(g, by_log_prob, drawn.log_det));
  const bool conditional = b->flow->context_dim > 0;
  outputs[0] = drawn.value;
  outputs[1] = outputs[2] = drawn.log_det;
  wrt[0] = b->condition;
  sl__declare_parameters(b, wrt + conditional);
  SL__TRY(sl__gradient(g, loss, b->flow->parameter_count + conditional, wrt,
                       outputs + SL__OTHER_SINKS - conditional));
  return sl__ready_make(b->context, g, b->flow->parameter_count + SL__OTHER_SINKS, outputs,
                        max_rows, ready);
}

sl_status sl__build_sample_gradient(sl__building *b, sl__ready *ready, int64_t max_rows) {
  if (b->model->map.integers)
    return sl__fail(b->context, SL_UNSUPPORTED,
                    "drawn integers have no derivative; use a flow whose columns are real");
  sl__arena arena;
  sl__arena_open(&arena, b->context);
  const size_t most = (size_t)b->flow->parameter_count + SL__OTHER_SINKS;
  sl_node *wrt = sl__arena_take(&arena, most, sizeof *wrt);
  sl_node *outputs = sl__arena_take(&arena, most, sizeof *outputs);
  const sl_status status = wrt && outputs ? build(b, wrt, outputs, ready, max_rows) : SL_NO_MEMORY;
  sl__arena_close(&arena);
  return status;
}

/* A derivative that is not given is zero in every row. */
static sl_status feed_slope(sl_context *context, const sl_evaluator *evaluator, const char *what,
                            const sl_array_in *given, int64_t rows, int64_t columns,
                            sl__feed *feed) {
  *feed = (sl__feed){.data = evaluator->zeros, .type = SL_F64, .column_stride = 1};
  if (!given || !given->data) return SL_OK;
  SL__TRY(sl__check_in(context, what, given, rows, columns));
  *feed = sl__feed_of(given);
  return SL_OK;
}

sl_status sl_evaluator_sample_gradient(sl_context *context, sl_evaluator *evaluator, uint64_t seed,
                                       const sl_array_in *condition, const sl_array_in *by_x,
                                       const sl_array_in *by_log_prob, const sl_array_out *x,
                                       const sl_array_out *log_prob,
                                       const sl_array_out *by_parameters,
                                       const sl_array_out *by_condition) {
  sl__ready *ready;
  sl__feed feeds[3];
  const sl__model *model = evaluator->model;
  const sl__flow *flow = model->flow;
  SL__TRY(sl__ready_find(context, evaluator, SL_EVALUATE_SAMPLE_GRADIENT, &ready));
  SL__TRY(sl__check_out(context, "x", x, -1, model->dim));
  const int64_t rows = x->rows;
  SL__TRY(sl__check_condition(context, flow, condition, rows));
  const bool conditional = flow->context_dim > 0;
  feeds[0] = sl__feed_of(condition);
  sl__feed *slopes = feeds + conditional;
  SL__TRY(feed_slope(context, evaluator, "by_x", by_x, rows, model->dim, &slopes[0]));
  SL__TRY(feed_slope(context, evaluator, "by_log_prob", by_log_prob, rows, 1, &slopes[1]));
  SL__TRY(sl__check_maybe(context, "log_prob", log_prob, rows, 1));
  SL__TRY(sl__check_maybe(context, "by_condition", by_condition, rows, flow->context_dim));
  SL__TRY(sl__check_out(context, "by_parameters", by_parameters, 1, flow->size));
  sl__sink *sinks = evaluator->sinks;
  SL__TRY(sl__parameter_sinks(context, flow, by_parameters, sinks + SL__OTHER_SINKS));
  sinks[0] = sl__sink_of(x);
  sinks[1] = sl__sink_of(log_prob);
  sinks[2] = conditional ? sl__sink_of(by_condition) : (sl__sink){0};
  const sl__run run = {.rows = rows,
                       .parameters = model->vector,
                       .feeds = feeds,
                       .sinks = sinks,
                       .key = {seed, SL__STREAM_BASE, 0}};
  return sl__program_run(context, ready->program, ready->workspace, &run);
}
