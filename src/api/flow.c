/* Flows: made, read, written, asked. Every call checks its arguments and makes one internal
 * call. */
#include <math.h>
#include <string.h>

#include "api/evaluator.h"

sl_status sl__handle_new(sl_context *context, sl__model *model, sl_flow **out) {
  *out = sl__allocate(context, 1, sizeof **out);
  if (!*out) {
    sl__model_free(context, model);
    return SL_NO_MEMORY;
  }
  (*out)->allocator = context->allocator;
  (*out)->model = model;
  return SL_OK;
}

sl_status sl_flow_new(sl_context *context, const char *formula, const char *base, int32_t dim,
                      int32_t context_dim, sl_dtype dtype, uint64_t seed, sl_flow **out) {
  *out = NULL;
  if (!formula)
    return sl__fail(context, SL_BAD_ARGUMENT, "the formula is missing; pass \"coupling(rqs)*4\"");
  if (dtype != SL_F32 && dtype != SL_F64)
    return sl__fail(context, SL_BAD_ARGUMENT, "precision %d; use SL_F32 or SL_F64", (int)dtype);
  sl__model *model;
  SL__TRY(sl__model_new(context, formula, base, dim, context_dim, dtype, seed, &model));
  return sl__handle_new(context, model, out);
}

sl_status sl_flow_load(sl_context *context, const char *path, sl_flow **out) {
  *out = NULL;
  sl__model *model;
  SL__TRY(sl__model_load(context, path, &model));
  return sl__handle_new(context, model, out);
}

sl_status sl_flow_save(sl_context *context, const sl_flow *flow, const char *path) {
  return sl__model_save(context, flow->model, path);
}

void sl_flow_free(sl_flow *flow) {
  if (!flow) return;
  sl_context nobody = {.allocator = flow->allocator};
  sl__model_free(&nobody, flow->model);
  sl__free(&nobody.allocator, flow);
}

/* ---- facts ---- */

const char *sl_flow_formula(const sl_flow *flow) {
  return flow->model->flow->formula;
}

const char *sl_flow_base(const sl_flow *flow) {
  return flow->model->flow->base_formula;
}

int32_t sl_flow_dim(const sl_flow *flow) {
  return flow->model->dim;
}

int32_t sl_flow_features(const sl_flow *flow) {
  return flow->model->flow->dim;
}

int32_t sl_flow_context_dim(const sl_flow *flow) {
  return flow->model->flow->context_dim;
}

int32_t sl_flow_layers(const sl_flow *flow) {
  return flow->model->flow->chain.count;
}

sl_dtype sl_flow_dtype(const sl_flow *flow) {
  return flow->model->flow->type;
}

const char *sl_flow_column_name(const sl_flow *flow, int32_t i) {
  return i < 0 || i >= flow->model->dim ? NULL : flow->model->columns[i];
}

const char *sl_flow_column_type(const sl_flow *flow, int32_t i) {
  return i < 0 || i >= flow->model->dim ? NULL : flow->model->types[i];
}

const char *sl_flow_context_name(const sl_flow *flow, int32_t i) {
  return i < 0 || i >= flow->model->flow->context_dim ? NULL : flow->model->context_columns[i];
}

/* ---- parameters ---- */

int64_t sl_flow_parameter_count(const sl_flow *flow) {
  return flow->model->flow->size;
}

sl_status sl_flow_parameters(sl_context *context, const sl_flow *flow, const sl_array_out *vector) {
  const sl__flow *own = flow->model->flow;
  SL__TRY(sl__check_out(context, "vector", vector, 1, own->size));
  for (int64_t i = 0; i < own->size; i++)
    sl__put_number(vector->dtype, vector->data, i * vector->column_stride,
                   sl__number_at(own->type, flow->model->vector, i));
  return SL_OK;
}

/* The weights that a mask holds at zero (MADE) are zero whatever was given: networks do not read
 * them, so that anything else would be a number without meaning. */
static void clear_masked(const sl__flow *flow, void *vector) {
  for (int i = 0; i < flow->parameter_count; i++) {
    const sl__parameter *parameter = &flow->parameters[i];
    if (!parameter->extent) continue;
    int32_t outputs = parameter->shape.size[0], inputs = parameter->shape.size[1];
    for (int32_t out = 0; out < outputs; out++)
      for (int32_t in = parameter->extent[out]; in < inputs; in++)
        sl__put_number(flow->type, vector, parameter->offset + (int64_t)out * inputs + in, 0);
  }
}

sl_status sl_flow_set_parameters(sl_context *context, sl_flow *flow, const sl_array_in *vector) {
  const sl__flow *own = flow->model->flow;
  SL__TRY(sl__check_in(context, "vector", vector, 1, own->size));
  for (int64_t i = 0; i < own->size; i++)
    if (!isfinite(sl__number_at(vector->dtype, vector->data, i * vector->column_stride)))
      return sl__fail(context, SL_NUMERIC, "parameter %lld is not finite; nothing was changed",
                      (long long)i);
  for (int64_t i = 0; i < own->size; i++)
    sl__put_number(own->type, flow->model->vector, i,
                   sl__number_at(vector->dtype, vector->data, i * vector->column_stride));
  clear_masked(own, flow->model->vector);
  return SL_OK;
}

/* ---- one-call evaluation ---- */

sl_status sl_flow_log_prob(sl_context *context, const sl_flow *flow, const sl_array_in *x,
                           const sl_array_in *condition, const sl_array_out *log_prob) {
  sl_evaluator *evaluator;
  SL__TRY(sl_evaluator_new(context, flow, SL_EVALUATE_LOG_PROB, 0, &evaluator));
  sl_status status = sl_evaluator_log_prob(context, evaluator, x, condition, log_prob);
  sl_evaluator_free(evaluator);
  return status;
}

sl_status sl_flow_sample(sl_context *context, const sl_flow *flow, uint64_t seed,
                         const sl_array_in *condition, const sl_array_out *x,
                         const sl_array_out *log_prob) {
  sl_evaluator *evaluator;
  SL__TRY(sl_evaluator_new(context, flow, SL_EVALUATE_SAMPLE, 0, &evaluator));
  sl_status status = sl_evaluator_sample(context, evaluator, seed, condition, x, log_prob);
  sl_evaluator_free(evaluator);
  return status;
}

sl_status sl_flow_gradient(sl_context *context, const sl_flow *flow, const sl_array_in *x,
                           const sl_array_in *condition, const sl_array_out *log_prob,
                           const sl_array_out *by_x, const sl_array_out *by_condition,
                           const sl_array_out *by_parameters) {
  bool parameters = by_parameters && by_parameters->data;
  uint32_t what = SL_EVALUATE_GRADIENT | (parameters ? SL_EVALUATE_PARAMETERS : 0u);
  sl_evaluator *evaluator;
  SL__TRY(sl_evaluator_new(context, flow, what, x ? x->rows : 0, &evaluator));
  sl_status status =
      sl_evaluator_gradient(context, evaluator, x, condition, log_prob, by_x, by_condition);
  if (status == SL_OK && parameters)
    status = sl_evaluator_parameters(context, evaluator, x, condition, NULL, by_parameters);
  sl_evaluator_free(evaluator);
  return status;
}

/* ---- maps ---- */

/* whole: all layers take part, and the map between columns and features with them. */
static sl_status check_map(sl_context *context, const sl__model *model, sl_direction direction,
                           int32_t layers, bool whole, const sl_array_in *x,
                           const sl_array_in *condition, const sl_array_out *y,
                           const sl_array_out *log_det) {
  const sl__flow *flow = model->flow;
  if (direction != SL_TO_DATA && direction != SL_TO_BASE)
    return sl__fail(context, SL_BAD_ARGUMENT, "direction %d; use SL_TO_DATA or SL_TO_BASE",
                    (int)direction);
  if (layers < -1 || layers > flow->chain.count)
    return sl__fail(context, SL_BAD_ARGUMENT, "layer %d of a flow of %d; use -1 for all", layers,
                    flow->chain.count);
  const int32_t data = whole ? model->dim : flow->dim;
  SL__TRY(sl__check_in(context, "x", x, -1, direction == SL_TO_BASE ? data : flow->dim));
  SL__TRY(sl__check_condition(context, flow, condition, x->rows));
  SL__TRY(sl__check_maybe(context, "y", y, x->rows, direction == SL_TO_DATA ? data : flow->dim));
  return sl__check_maybe(context, "log_det", log_det, x->rows, 1);
}

/* given: the raw condition, or 0. */
static sl__mapped build_map(const sl__model *model, sl__graph *graph, sl_direction direction,
                            int32_t layers, bool whole, sl_node input, sl_node given) {
  if (whole)
    return direction == SL_TO_DATA ? sl__model_to_data(model, graph, input, given)
                                   : sl__model_to_base(model, graph, input, given);
  given = sl__model_context(model, graph, given);
  return direction == SL_TO_DATA
             ? sl__flow_map_sample(model->flow, graph, input, given, 0, layers)
             : sl__flow_map_log_prob(model->flow, graph, input, given, 0, layers);
}

/* Only what is an image: rows of NaN elsewhere. */
static sl__mapped represented(sl__graph *graph, sl__mapped mapped) {
  sl_node nothing = op_number(graph, sl__node_type(graph, mapped.value), NAN);
  sl_node sound = sl__mapped_is_sound(graph, mapped);
  return (sl__mapped){op_select(graph, sound, mapped.value, nothing), mapped.log_det};
}

sl_status sl_flow_map(sl_context *context, const sl_flow *flow, sl_direction direction,
                      int32_t layers, const sl_array_in *x, const sl_array_in *condition,
                      const sl_array_out *y, const sl_array_out *log_det) {
  const sl__model *model = flow->model;
  const sl__flow *own = model->flow;
  const bool whole = layers < 0 || layers == own->chain.count;
  SL__TRY(check_map(context, model, direction, layers, whole, x, condition, y, log_det));
  sl__graph *graph;
  SL__TRY(sl__graph_new(context, &graph));
  sl_node input = op_input(graph, own->type, sl__shape1((int32_t)x->columns)), given = 0;
  if (own->context_dim > 0) given = op_input(graph, own->type, sl__shape1(own->context_dim));
  sl__mapped mapped =
      represented(graph, build_map(model, graph, direction, layers, whole, input, given));
  /* A map of shared scales only has a log-determinant that no row changes; one per row is
   * promised. */
  mapped.log_det = op_rows(graph, mapped.log_det);
  sl_node outputs[] = {mapped.value, mapped.log_det};
  sl__ready ready = {0};
  sl_status status = sl__ready_make(context, graph, 2, outputs, SL__ANY_ROWS, &ready);
  sl__graph_free(graph);
  if (status == SL_OK && x->rows > 0) {
    sl__feed feeds[] = {sl__feed_of(x), sl__feed_of(condition)};
    sl__sink sinks[] = {sl__sink_of(y), sl__sink_of(log_det)};
    sl__run run = {.rows = x->rows, .parameters = model->vector, .feeds = feeds, .sinks = sinks};
    status = sl__program_run(context, ready.program, ready.workspace, &run);
  }
  sl__ready_free(&ready);
  return status;
}

/* The noise of the features, then of the angles, where there are any. */
static sl_node draw_noise(const sl__flow *flow, sl__graph *graph) {
  sl_node parts[2];
  int count = 0;
  if (flow->dim > flow->periodic)
    parts[count++] = flow->base.kind->draw(&flow->base, graph, SL__STREAM_BASE, 0);
  if (flow->periodic > 0)
    parts[count++] = flow->circle_base.kind->draw(&flow->circle_base, graph, SL__STREAM_BASE, 0);
  return count == 1 ? parts[0] : op_concatenate(graph, count, parts, 0);
}

sl_status sl_flow_noise(sl_context *context, const sl_flow *flow, uint64_t seed,
                        const sl_array_out *z) {
  const sl__flow *own = flow->model->flow;
  SL__TRY(sl__check_out(context, "z", z, -1, own->dim));
  if (own->base.hypernetwork)
    return sl__fail(context, SL_UNSUPPORTED,
                    "the base density '%.60s' depends on conditions or angles, so there is no "
                    "noise without them; draw samples",
                    own->base.text);
  sl__graph *graph;
  SL__TRY(sl__graph_new(context, &graph));
  sl_node noise = draw_noise(own, graph);
  sl__ready ready = {0};
  sl_status status = sl__ready_make(context, graph, 1, &noise, SL__ANY_ROWS, &ready);
  sl__graph_free(graph);
  if (status == SL_OK && z->rows > 0) {
    sl__sink sink = sl__sink_of(z);
    sl__run run = {.rows = z->rows,
                   .parameters = flow->model->vector,
                   .sinks = &sink,
                   .key = {seed, SL__STREAM_BASE, 0}};
    status = sl__program_run(context, ready.program, ready.workspace, &run);
  }
  sl__ready_free(&ready);
  return status;
}
