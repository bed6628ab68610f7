/* From a fit's coordinates to the model, and draws corrected by their weights: resampling by
 * Pareto-smoothed importance weights (Vehtari, Simpson, Gelman, Yao and Gabry 2024, JMLR 25:72). */
#include "infer/posterior/posterior.h"
#include <math.h>
#include <string.h>

sl_status sl__posterior_check(sl_context *context, const sl__target *target,
                              const sl__model *model) {
  if (model->flow->context_dim > 0 || model->map.mapped || model->dim != target->dim)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "the model has %d columns and %d conditions, %.100s has %d coordinates; give "
                    "the target that the flow was fitted to",
                    (int)model->dim, (int)model->flow->context_dim, target->title,
                    (int)target->dim);
  for (int32_t i = 0; i < target->dim; i++)
    if (strcmp(model->columns[i], target->names[i]) != 0)
      return sl__fail(context, SL_BAD_ARGUMENT,
                      "column %d of the model is \"%.60s\", coordinate %d of %.100s is \"%.60s\"; "
                      "give the target that the flow was fitted to",
                      (int)i + 1, model->columns[i], (int)i + 1, target->title, target->names[i]);
  return SL_OK;
}

sl_status sl__posterior_log_jacobian(sl_context *context, const sl__target *target, int64_t rows,
                                     const double *q, double *out) {
  sl__graph *g;
  sl__program *program = NULL;
  sl__workspace *workspace = NULL;
  SL__TRY(sl__graph_new(context, &g));
  const sl_node x = op_input(g, SL_F64, sl__shape1(target->dim));
  const sl_node sum = op_rows(g, sl__target_log_jacobian(target, g, x));
  sl_status status = sl__graph_status(g);
  if (status == SL_OK) status = sl__program_new(context, g, 1, &sum, &program);
  if (status == SL_OK) status = sl__workspace_new(context, program, rows, &workspace);
  if (status == SL_OK) {
    const sl__feed feed = {.data = q, .type = SL_F64};
    const sl__sink sink = {.data = out, .type = SL_F64};
    const sl__run run = {
        .rows = rows, .parameters = target->parameters, .feeds = &feed, .sinks = &sink};
    status = sl__program_run(context, program, workspace, &run);
  }
  sl__workspace_free(workspace);
  sl__program_free(program);
  sl__graph_free(g);
  return status;
}

/* log p of q [count][dim] */
static sl_status evaluate(sl_context *context, const sl__target *target, int64_t count,
                          const double *q, double *value) {
  sl__density *density;
  SL__TRY(sl__density_new(context, target, SL__DENSITY_VALUE_ONLY, false, &density));
  const sl__points points = {count, q, value, NULL, target->dim, 1};
  const sl_status status = sl__density_run(context, density, &points);
  sl__density_free(density);
  return status;
}

sl_status sl__posterior_resample(sl_context *context, const sl__target *target, int64_t count,
                                 const double *q, const double *log_q, bool distinct, uint64_t seed,
                                 int64_t wanted, int64_t *index, sl__weighing *out) {
  *out = (sl__weighing){.proposals = count};
  double *weight = sl__allocate(context, (size_t)count, sizeof *weight);
  if (!weight) return SL_NO_MEMORY;
  sl_status status = evaluate(context, target, count, q, weight);
  for (int64_t i = 0; i < count && status == SL_OK; i++) {
    weight[i] -= log_q[i];
    if (weight[i] < INFINITY) continue;
    weight[i] = -INFINITY;
    out->lost++;
  }
  if (status == SL_OK) status = sl__psis_smooth(context, count, weight, 1, weight, &out->psis);
  if (status == SL_OK)
    status =
        sl__resample(context, distinct ? SL__RESAMPLE_DISTINCT : SL__RESAMPLE_STRATIFIED,
                     (sl__random_key){seed, SL__STREAM_RESAMPLE, 1}, count, weight, wanted, index);
  sl__free(&context->allocator, weight);
  return status;
}
