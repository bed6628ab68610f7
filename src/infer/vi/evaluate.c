/* The judge: fresh draws of q, their log weights, and what these say about q. */
#include <math.h>
#include "infer/diagnose/diagnose.h"
#include "infer/vi/engine.h"

/* Terms of a fit have the streams below. */
enum { STREAM = SL__STREAM_VARIATIONAL + (63 << 22) };

typedef struct judge {
  sl__program *program;
  sl__workspace *workspace;
} judge;

/* x and log w; of given points, if `given`. */
static sl_status build(sl_context *context, const sl__flow *flow, const sl__target *target,
                       bool given, sl__graph *g, judge *out) {
  sl_node x = 0, log_q = 0;
  if (given) {
    x = op_input(g, SL_F64, sl__shape1(flow->dim));
    log_q = sl__flow_log_prob(flow, g, op_cast(g, x, flow->type), 0);
  } else {
    const sl__mapped drawn = sl__flow_sample(flow, g, 0);
    x = op_rows(g, op_cast(g, drawn.value, SL_F64));
    log_q = drawn.log_det;
  }
  const sl_node log_p = sl__target_log_density(target, g, x, 0);
  const sl_node log_weight = op_subtract(g, log_p, op_cast(g, log_q, SL_F64));
  const sl_node outputs[] = {x, op_rows(g, log_weight)};
  SL__TRY(sl__program_new(context, g, 2, outputs, &out->program));
  return sl__workspace_new(context, out->program, 1024, &out->workspace);
}

static sl_status weigh(sl_context *context, const sl__flow *flow, const void *vector,
                       const sl__target *target, int64_t rows, const double *given, uint64_t seed,
                       double *x, double *log_weights) {
  if (flow->dim != target->dim || flow->context_dim > 0 || flow->periodic > 0)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "the flow does not have the target's %d coordinates and nothing else",
                    (int)target->dim);
  sl__graph *graph;
  judge own = {0};
  SL__TRY(sl__graph_new(context, &graph));
  sl_status status = build(context, flow, target, given != NULL, graph, &own);
  sl__graph_free(graph);
  if (status == SL_OK) {
    const sl__feed feed = {.data = given, .type = SL_F64};
    const sl__sink sinks[] = {{.data = x, .type = SL_F64}, {.data = log_weights, .type = SL_F64}};
    const sl__run run = {.rows = rows,
                         .parameters = vector,
                         .feeds = given ? &feed : NULL,
                         .sinks = sinks,
                         .key = {seed, STREAM, 0}};
    status = sl__program_run(context, own.program, own.workspace, &run);
  }
  sl__workspace_free(own.workspace);
  sl__program_free(own.program);
  return status;
}

sl_status sl__vi_log_weights(sl_context *context, const sl__flow *flow, const void *vector,
                             const sl__target *target, int64_t rows, const double *x,
                             double *log_weights) {
  return weigh(context, flow, vector, target, rows, x, 0, NULL, log_weights);
}

/* Mean and standard error. */
static void average(int64_t count, const double *values, double *mean, double *se) {
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < count; i++) sum += values[i];
  *mean = sum / (double)count;
  for (int64_t i = 0; i < count; i++) squares += (values[i] - *mean) * (values[i] - *mean);
  *se = count > 1 ? sqrt(squares / (double)(count - 1) / (double)count) : (double)NAN;
}

/* k-hat is fitted to hundreds of weights, and hardly sees a single one beyond all others, as that
 * of the only draw in a mode that q misses. */
static double largest_share(int64_t count, const double *log_weights) {
  double most = -INFINITY, sum = 0;
  for (int64_t i = 0; i < count; i++) most = fmax(most, log_weights[i]);
  for (int64_t i = 0; i < count; i++) sum += exp(log_weights[i] - most);
  return 1 / sum;
}

double sl__vi_most_weight(const sl__vi_scores *scores) {
  return pow((double)scores->rows, scores->khat_threshold - 1);
}

static sl_status judge_weights(sl_context *context, int64_t count, const double *log_weights,
                               sl__vi_scores *scores) {
  bool any = false;
  for (int64_t i = 0; i < count; i++) any = any || log_weights[i] > -INFINITY;
  if (!any) return SL_OK;
  average(count, log_weights, &scores->elbo, &scores->elbo_se);
  sl__psis psis;
  sl__evidence evidence;
  SL__TRY(sl__psis_smooth(context, count, log_weights, 1, NULL, &psis));
  SL__TRY(sl__evidence_importance(context, count, log_weights, &evidence));
  scores->log_evidence = psis.log_mean;
  scores->log_evidence_se = evidence.se;
  scores->khat = psis.khat;
  scores->khat_threshold = psis.threshold;
  scores->ess = psis.ess;
  scores->largest_weight = largest_share(count, log_weights);
  return SL_OK;
}

sl_status sl__vi_evaluate(sl_context *context, const sl__flow *flow, const void *vector,
                          const sl__target *target, int64_t rows, uint64_t seed, double *x,
                          double *log_weights, sl__vi_scores *scores) {
  const double none = (double)NAN;
  *scores = (sl__vi_scores){.rows = rows,
                            .elbo = -INFINITY,
                            .elbo_se = none,
                            .log_evidence = none,
                            .log_evidence_se = none,
                            .khat = INFINITY,
                            .khat_threshold = sl__khat_threshold(rows),
                            .largest_weight = none};
  if (rows < 1)
    return sl__fail(context, SL_BAD_ARGUMENT, "there must be at least one draw to judge by");
  double *all = sl__allocate(context, (size_t)rows, sizeof *all);
  if (!all) return SL_NO_MEMORY;
  sl_status status = weigh(context, flow, vector, target, rows, NULL, seed, x, all);
  int64_t kept = 0;
  for (int64_t r = 0; status == SL_OK && r < rows; r++) {
    if (log_weights) log_weights[r] = all[r];
    if (all[r] < INFINITY) all[kept++] = all[r];
  }
  if (status == SL_OK) {
    scores->lost = rows - kept;
    if (kept > 0) status = judge_weights(context, kept, all, scores);
  }
  sl__free(&context->allocator, all);
  return status;
}
