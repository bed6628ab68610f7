/* The pulled-back target. */
#include "infer/chain/preconditioned.h"
#include <string.h>
#include "target/source.h"

typedef struct state {
  const sl__target *inner;
  const sl__model *model;
  sl__program *to_data, *to_base;
} state;

static const state *state_of(const sl__target *target) {
  return target->state;
}

static sl_node log_density(const sl__target *target, sl__graph *g, sl_node z, uint32_t flags) {
  const state *s = state_of(target);
  const sl__mapped mapped = sl__model_to_data(s->model, g, op_cast(g, z, s->model->flow->type), 0);
  const sl_node x = op_cast(g, mapped.value, SL_F64);
  return op_add(g, sl__target_log_density(s->inner, g, x, flags),
                op_cast(g, mapped.log_det, SL_F64));
}

static int32_t count(const sl__target *target, sl__target_part part) {
  return sl__target_count(state_of(target)->inner, part);
}

static const char *name(const sl__target *target, sl__target_part part, int32_t i) {
  return sl__target_name(state_of(target)->inner, part, i);
}

/* ---- maps of points ---- */

static sl_status make_map(sl_context *context, const sl__model *model, bool to_data,
                          sl__program **out) {
  sl__graph *g;
  SL__TRY(sl__graph_new(context, &g));
  const sl_node input = op_input(g, SL_F64, sl__shape1(model->dim));
  const sl_node cast = op_cast(g, input, model->flow->type);
  const sl__mapped mapped =
      to_data ? sl__model_to_data(model, g, cast, 0) : sl__model_to_base(model, g, cast, 0);
  const sl_node output = op_rows(g, op_cast(g, mapped.value, SL_F64));
  const sl_status status = sl__program_new(context, g, 1, &output, out);
  sl__graph_free(g);
  return status;
}

/* A workspace of its own: any number of threads may use a target. */
static sl_status run_map(sl_context *context, const sl__target *target, bool to_data, int64_t rows,
                         const double *from, double *to) {
  const state *s = state_of(target);
  const sl__program *program = to_data ? s->to_data : s->to_base;
  sl__workspace *workspace;
  SL__TRY(sl__workspace_new(context, program, rows, &workspace));
  const sl__feed feed = {.data = from, .type = SL_F64};
  const sl__sink sink = {.data = to, .type = SL_F64};
  const sl__run run = {
      .rows = rows, .parameters = s->model->vector, .feeds = &feed, .sinks = &sink};
  const sl_status status = sl__program_run(context, program, workspace, &run);
  sl__workspace_free(workspace);
  return status;
}

sl_status sl__preconditioned_map(sl_context *context, const sl__target *preconditioned,
                                 int64_t rows, const double *z, double *x) {
  return run_map(context, preconditioned, true, rows, z, x);
}

sl_status sl__preconditioned_pull(sl_context *context, const sl__target *preconditioned,
                                  int64_t rows, const double *x, double *z) {
  return run_map(context, preconditioned, false, rows, x, z);
}

static sl_status write(sl_context *context, const sl__target *target, sl__target_part last,
                       int64_t rows, const double *q, uint64_t seed, int64_t first_row,
                       double *out) {
  const size_t dim = (size_t)target->dim;
  double *x = sl__allocate(context, (size_t)rows, dim * sizeof *x);
  if (!x) return SL_NO_MEMORY;
  sl_status status = run_map(context, target, true, rows, q, x);
  if (status == SL_OK)
    status =
        sl__target_write(context, state_of(target)->inner, last, rows, x, seed, first_row, out);
  sl__free(&context->allocator, x);
  return status;
}

static sl_status unconstrain(sl_context *context, const sl__target *target,
                             const double *parameters, double *q) {
  const size_t dim = (size_t)target->dim;
  double *x = sl__allocate(context, dim, sizeof *x);
  if (!x) return SL_NO_MEMORY;
  sl_status status = sl__target_unconstrain(context, state_of(target)->inner, parameters, x);
  if (status == SL_OK) status = run_map(context, target, false, 1, x, q);
  sl__free(&context->allocator, x);
  return status;
}

static void close_maps(sl__target *target) {
  state *s = target->state;
  sl__program_free(s->to_data);
  sl__program_free(s->to_base);
}

static const sl__target_source source = {.kind = "preconditioned target",
                                         .log_density = log_density,
                                         .count = count,
                                         .name = name,
                                         .write = write,
                                         .unconstrain = unconstrain,
                                         .close = close_maps};

/* ---- making ---- */

static sl_status check(sl_context *context, const sl__target *target, const sl__model *model) {
  const sl__flow *flow = model->flow;
  if (flow->dim != target->dim || model->dim != target->dim || flow->context_dim > 0)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "the flow has %d columns and %d conditions, the target %d coordinates; fit one "
                    "to this target with `sluice vi`",
                    (int)model->dim, (int)flow->context_dim, (int)target->dim);
  for (int32_t i = 0; i < model->dim; i++)
    if (strcmp(model->types[i], "real") != 0)
      return sl__fail(context, SL_BAD_ARGUMENT,
                      "column %d of the flow is %.40s; a flow to precondition with has real "
                      "columns only",
                      (int)i + 1, model->types[i]);
  if (flow->periodic > 0 || flow->base.kind->image)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "the flow's base %.60s does not cover the whole space; take base normal",
                    flow->base_formula);
  return SL_OK;
}

sl_status sl__target_preconditioned(sl_context *context, const sl__target *target,
                                    const sl__model *model, sl__target **out) {
  *out = NULL;
  SL__TRY(check(context, target, model));
  sl__target *made;
  SL__TRY(sl__target_make(context, &source, target->title, target->dim, sizeof(state), &made));
  state *s = made->state;
  s->inner = target;
  s->model = model;
  made->parameters = model->vector;
  made->serial = target->serial;
  sl_status status = sl__target_set_names(made, NULL);
  if (status == SL_OK) status = make_map(context, model, true, &s->to_data);
  if (status == SL_OK) status = make_map(context, model, false, &s->to_base);
  if (status != SL_OK)
    sl__target_free(made);
  else
    *out = made;
  return status;
}
