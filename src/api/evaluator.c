/* Evaluators: one program and one workspace for each thing that a flow can be asked, made
 * beforehand.
 *
 * The one-call functions of flow.c make an evaluator, use it and free it; so there is one way in
 * which a flow is evaluated. */
#include "api/evaluator.h"

typedef sl__building building;

void sl__declare_inputs(sl__building *b, bool with_x) {
  const sl__flow *flow = b->flow;
  if (with_x) b->x = op_input(b->graph, flow->type, sl__shape1(b->model->dim));
  if (flow->context_dim > 0)
    b->condition = op_input(b->graph, flow->type, sl__shape1(flow->context_dim));
}

static sl_status build_log_prob(building *b, sl__ready *ready, int64_t max_rows) {
  sl__declare_inputs(b, true);
  sl_node log_prob = sl__model_log_prob(b->model, b->graph, b->x, b->condition);
  return sl__ready_make(b->context, b->graph, 1, &log_prob, max_rows, ready);
}

static sl_status build_gradient(building *b, sl__ready *ready, int64_t max_rows) {
  sl__declare_inputs(b, true);
  sl_node wrt[] = {b->x, b->condition}, outputs[3];
  int count = b->flow->context_dim > 0 ? 2 : 1;
  outputs[0] = sl__model_log_prob(b->model, b->graph, b->x, b->condition);
  SL__TRY(sl__gradient(b->graph, outputs[0], count, wrt, outputs + 1));
  return sl__ready_make(b->context, b->graph, 1 + count, outputs, max_rows, ready);
}

void sl__declare_parameters(const sl__building *b, sl_node *nodes) {
  for (int i = 0; i < b->flow->parameter_count; i++) {
    const sl__parameter *parameter = &b->flow->parameters[i];
    nodes[i] = op_parameter(b->graph, b->flow->type, parameter->shape, parameter->offset);
  }
}

/* One output for each parameter array: they are copied to their places in the flat vector. */
static sl_status build_parameters(building *b, sl__ready *ready, int64_t max_rows) {
  sl__declare_inputs(b, true);
  int count = b->flow->parameter_count;
  sl__arena arena;
  sl__arena_open(&arena, b->context);
  sl_node *wrt = sl__arena_take(&arena, (size_t)count + 1, sizeof *wrt);
  sl_node *outputs = sl__arena_take(&arena, (size_t)count + 1, sizeof *outputs);
  sl_status status = wrt && outputs ? SL_OK : SL_NO_MEMORY;
  if (status == SL_OK) {
    sl__declare_parameters(b, wrt);
    outputs[0] = sl__model_log_prob(b->model, b->graph, b->x, b->condition);
    if (b->model->map.integers) /* the weight of a point of a cell */
      outputs[0] =
          op_multiply(b->graph, outputs[0], op_input(b->graph, b->flow->type, sl__scalar_shape()));
    status = sl__gradient(b->graph, outputs[0], count, wrt, outputs + 1);
  }
  if (status == SL_OK)
    status = sl__ready_make(b->context, b->graph, 1 + count, outputs, max_rows, ready);
  sl__arena_close(&arena);
  return status;
}

static sl_status build_sample(building *b, sl__ready *ready, int64_t max_rows) {
  sl__declare_inputs(b, false);
  sl__mapped drawn = sl__model_sample(b->model, b->graph, b->condition);
  sl_node outputs[] = {drawn.value, drawn.log_det};
  return sl__ready_make(b->context, b->graph, 2, outputs, max_rows, ready);
}

typedef sl_status (*builder)(building *b, sl__ready *ready, int64_t max_rows);
static const struct {
  uint32_t bit;
  const char *name;
  builder build;
} kinds[SL__READY_KINDS] = {
    {SL_EVALUATE_LOG_PROB, "SL_EVALUATE_LOG_PROB", build_log_prob},
    {SL_EVALUATE_GRADIENT, "SL_EVALUATE_GRADIENT", build_gradient},
    {SL_EVALUATE_PARAMETERS, "SL_EVALUATE_PARAMETERS", build_parameters},
    {SL_EVALUATE_SAMPLE, "SL_EVALUATE_SAMPLE", build_sample},
    {SL_EVALUATE_SAMPLE_GRADIENT, "SL_EVALUATE_SAMPLE_GRADIENT", sl__build_sample_gradient},
};

sl_status sl__ready_make(sl_context *context, sl__graph *graph, int count, const sl_node *outputs,
                         int64_t max_rows, sl__ready *ready) {
  SL__TRY(sl__program_new(context, graph, count, outputs, &ready->program));
  return sl__workspace_new(context, ready->program, max_rows, &ready->workspace);
}

void sl__ready_free(sl__ready *ready) {
  sl__workspace_free(ready->workspace);
  sl__program_free(ready->program);
  *ready = (sl__ready){0};
}

sl_status sl_evaluator_new(sl_context *context, const sl_flow *flow, uint32_t what,
                           int64_t max_rows, sl_evaluator **out) {
  *out = NULL;
  if (what == 0 || (what & ~31u) != 0 || max_rows < 0)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "an evaluator of kind %u for %lld rows cannot be made; join SL_EVALUATE_ "
                    "values by |",
                    what, (long long)max_rows);
  sl_evaluator *made = sl__allocate(context, 1, sizeof *made);
  if (!made) return SL_NO_MEMORY;
  made->allocator = context->allocator;
  made->model = flow->model;
  sl_status status = SL_OK;
  int count = flow->model->flow->parameter_count;
  if (what & (SL_EVALUATE_PARAMETERS | SL_EVALUATE_SAMPLE_GRADIENT)) {
    made->sinks = sl__allocate(context, (size_t)count + SL__OTHER_SINKS, sizeof *made->sinks);
    made->zeros = sl__allocate(context, (size_t)flow->model->dim, sizeof *made->zeros);
    if (!made->sinks || !made->zeros) status = SL_NO_MEMORY;
  }
  if (max_rows == 0) max_rows = 1024;
  const int64_t parameter_rows = what & SL_EVALUATE_PARAMETERS ? max_rows : 0;
  if (status == SL_OK) status = sl__cells_new(context, flow->model, parameter_rows, &made->cells);
  /* Draws of integers are scored by their cells, gradients weighted by densities at points. */
  if (made->cells && (what & (SL_EVALUATE_SAMPLE | SL_EVALUATE_PARAMETERS)))
    what |= SL_EVALUATE_LOG_PROB;
  for (int i = 0; i < SL__READY_KINDS && status == SL_OK; i++) {
    if (!(what & kinds[i].bit)) continue;
    building b = {.context = context, .model = flow->model, .flow = flow->model->flow};
    status = sl__graph_new(context, &b.graph);
    const bool adds_rows = kinds[i].bit & (SL_EVALUATE_PARAMETERS | SL_EVALUATE_SAMPLE_GRADIENT);
    const int64_t most = adds_rows ? max_rows : SL__ANY_ROWS;
    if (status == SL_OK) status = kinds[i].build(&b, &made->ready[i], most);
    sl__graph_free(b.graph);
  }
  if (status != SL_OK)
    sl_evaluator_free(made);
  else
    *out = made;
  return status;
}

void sl_evaluator_free(sl_evaluator *evaluator) {
  if (!evaluator) return;
  for (int i = 0; i < SL__READY_KINDS; i++) sl__ready_free(&evaluator->ready[i]);
  sl__cells_free(evaluator->cells);
  sl__allocator allocator = evaluator->allocator;
  sl__free(&allocator, evaluator->zeros);
  sl__free(&allocator, evaluator->sinks);
  sl__free(&allocator, evaluator);
}

/* ---- running ---- */

typedef struct call {
  int64_t rows;
  sl__feed feeds[2];
  uint64_t seed;
} call;

sl_status sl__ready_find(sl_context *context, sl_evaluator *evaluator, uint32_t bit,
                         sl__ready **ready) {
  int kind = 0;
  while (kinds[kind].bit != bit) kind++;
  *ready = &evaluator->ready[kind];
  if (!(*ready)->program)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "the evaluator was made without %s; name it in sl_evaluator_new",
                    kinds[kind].name);
  return SL_OK;
}

static sl_status check_inputs(sl_context *context, const sl__model *model, const sl_array_in *x,
                              const sl_array_in *condition, call *out) {
  SL__TRY(sl__check_in(context, "x", x, -1, model->dim));
  SL__TRY(sl__check_condition(context, model->flow, condition, x->rows));
  *out = (call){.rows = x->rows, .feeds = {sl__feed_of(x), sl__feed_of(condition)}};
  return SL_OK;
}

static sl_status run(sl_context *context, const sl_evaluator *evaluator, sl__ready *ready,
                     const call *c, const sl__sink *sinks) {
  sl__run what = {.rows = c->rows,
                  .parameters = evaluator->model->vector,
                  .feeds = c->feeds,
                  .sinks = sinks,
                  .key = {c->seed, SL__STREAM_BASE, 0}};
  return sl__program_run(context, ready->program, ready->workspace, &what);
}

sl_status sl_evaluator_log_prob(sl_context *context, sl_evaluator *evaluator, const sl_array_in *x,
                                const sl_array_in *condition, const sl_array_out *log_prob) {
  sl__ready *ready;
  call c;
  SL__TRY(sl__ready_find(context, evaluator, SL_EVALUATE_LOG_PROB, &ready));
  SL__TRY(check_inputs(context, evaluator->model, x, condition, &c));
  SL__TRY(sl__check_out(context, "log_prob", log_prob, c.rows, 1));
  if (evaluator->cells)
    return sl__cells_score(context, evaluator->cells, ready, x, condition, log_prob, NULL, NULL);
  sl__sink sink = sl__sink_of(log_prob);
  return run(context, evaluator, ready, &c, &sink);
}

sl_status sl_evaluator_gradient(sl_context *context, sl_evaluator *evaluator, const sl_array_in *x,
                                const sl_array_in *condition, const sl_array_out *log_prob,
                                const sl_array_out *by_x, const sl_array_out *by_condition) {
  sl__ready *ready;
  call c;
  const sl__model *model = evaluator->model;
  SL__TRY(sl__ready_find(context, evaluator, SL_EVALUATE_GRADIENT, &ready));
  SL__TRY(check_inputs(context, model, x, condition, &c));
  SL__TRY(sl__check_maybe(context, "log_prob", log_prob, c.rows, 1));
  SL__TRY(sl__check_maybe(context, "by_x", by_x, c.rows, model->dim));
  SL__TRY(sl__check_maybe(context, "by_condition", by_condition, c.rows, model->flow->context_dim));
  if (evaluator->cells)
    return sl__cells_score(context, evaluator->cells, ready, x, condition, log_prob, by_x,
                           by_condition);
  sl__sink sinks[] = {sl__sink_of(log_prob), sl__sink_of(by_x), sl__sink_of(by_condition)};
  return run(context, evaluator, ready, &c, sinks);
}

sl_status sl__parameter_sinks(sl_context *context, const sl__flow *flow,
                              const sl_array_out *by_parameters, sl__sink *sinks) {
  if (by_parameters->column_stride != 1)
    return sl__fail(context, SL_BAD_ARGUMENT, "by_parameters must be contiguous; use stride 1");
  const size_t size = by_parameters->dtype == SL_F32 ? sizeof(float) : sizeof(double);
  for (int i = 0; i < flow->parameter_count; i++)
    sinks[i] =
        (sl__sink){.data = (char *)by_parameters->data + (size_t)flow->parameters[i].offset * size,
                   .type = by_parameters->dtype};
  return SL_OK;
}

sl_status sl_evaluator_parameters(sl_context *context, sl_evaluator *evaluator,
                                  const sl_array_in *x, const sl_array_in *condition,
                                  const sl_array_out *log_prob, const sl_array_out *by_parameters) {
  sl__ready *ready;
  call c;
  const sl__flow *flow = evaluator->model->flow;
  SL__TRY(sl__ready_find(context, evaluator, SL_EVALUATE_PARAMETERS, &ready));
  SL__TRY(check_inputs(context, evaluator->model, x, condition, &c));
  SL__TRY(sl__check_maybe(context, "log_prob", log_prob, c.rows, 1));
  SL__TRY(sl__check_out(context, "by_parameters", by_parameters, 1, flow->size));
  SL__TRY(sl__parameter_sinks(context, flow, by_parameters, evaluator->sinks + 1));
  if (evaluator->cells) {
    sl__ready *density;
    SL__TRY(sl__ready_find(context, evaluator, SL_EVALUATE_LOG_PROB, &density));
    return sl__cells_parameters(context, evaluator->cells, density, ready, x, condition, log_prob,
                                evaluator->sinks, by_parameters);
  }
  evaluator->sinks[0] = sl__sink_of(log_prob);
  return run(context, evaluator, ready, &c, evaluator->sinks);
}

sl_status sl_evaluator_sample(sl_context *context, sl_evaluator *evaluator, uint64_t seed,
                              const sl_array_in *condition, const sl_array_out *x,
                              const sl_array_out *log_prob) {
  sl__ready *ready;
  const sl__model *model = evaluator->model;
  SL__TRY(sl__ready_find(context, evaluator, SL_EVALUATE_SAMPLE, &ready));
  SL__TRY(sl__check_out(context, "x", x, -1, model->dim));
  SL__TRY(sl__check_condition(context, model->flow, condition, x->rows));
  SL__TRY(sl__check_maybe(context, "log_prob", log_prob, x->rows, 1));
  call c = {.rows = x->rows, .feeds = {sl__feed_of(condition)}, .seed = seed};
  sl__sink sinks[] = {sl__sink_of(x), sl__sink_of(log_prob)};
  if (!evaluator->cells || !sinks[1].data) return run(context, evaluator, ready, &c, sinks);
  sinks[1].data = NULL;
  SL__TRY(run(context, evaluator, ready, &c, sinks));
  const sl_array_in drawn = sl__as_input(x);
  SL__TRY(sl__ready_find(context, evaluator, SL_EVALUATE_LOG_PROB, &ready));
  return sl__cells_score(context, evaluator->cells, ready, &drawn, condition, log_prob, NULL, NULL);
}
