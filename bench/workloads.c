/* The benchmark workloads in sluice: the same models, batches and settings as peer_torch.py has, so
 * that bench/compare.py can set one against the other in one run.
 *
 *   bench_workloads [--threads N] [--seconds S] [WORKLOAD...]
 *   bench_workloads [...] --formula F --dim D --task TASK --rows N
 *
 * prints one line per workload: its name, then the median, the 10th and the 90th percentile of the
 * time of one call, in milliseconds. The second form measures any flow ("custom"); TASK
 * is step, score, sample, plan, vi or vi-float32. A step is the one that every fit takes,
 * sl__mle_step: shuffled rows of a data set four batches long, the gradient, a look whether it is
 * finite, Adam. Scoring and sampling go through the public evaluator. A plan is what is done once
 * before the first step: the graph, its gradient, its program. A variational step draws so many
 * rows of the flow and fits it to the target pot1, in float64 as "sluice vi --mode plain" does, or
 * with the flow in float32. Time does not depend on what the rows hold, so they are normal. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/handle.h"
#include "base/os.h"
#include "infer/mle.h"
#include "infer/vi/vi.h"

enum { STEP_BATCHES = 4, WARM_UP = 3, FEWEST_CALLS = 3, MOST_CALLS = 100000 };

typedef enum task { STEP, SCORE, SAMPLE, PLAN, VARIATIONAL, VARIATIONAL_FLOAT32, TASKS } task;
static const char *const task_names[TASKS] = {"step", "score", "sample",
                                              "plan", "vi",    "vi-float32"};

static bool is_variational(task t) {
  return t == VARIATIONAL || t == VARIATIONAL_FLOAT32;
}

typedef struct workload {
  const char *name, *formula;
  int32_t dim;
  task task;
  int64_t rows;
} workload;

#define REALNVP "coupling(affine,net=separate,hidden=256x256,activation=leaky_relu,scale=tanh)*6"
#define MAF     "(maf(affine,hidden=512x512,activation=relu)-reverse)*5"
#define SPLINE  "coupling(rqs,mask=half,bins=8,hidden=256,blocks=2,activation=relu)*10"

static const workload workloads[] = {
    {"realnvp-step-100", REALNVP, 2, STEP, 100},
    {"realnvp-step-4096", REALNVP, 2, STEP, 4096},
    {"realnvp-score-1", REALNVP, 2, SCORE, 1},
    {"maf-step-512", MAF, 43, STEP, 512},
    {"maf-score-1000", MAF, 43, SCORE, 1000},
    {"maf-sample-1000", MAF, 43, SAMPLE, 1000},
    {"spline-step-512", SPLINE, 6, STEP, 512},
    {"plan-20-layers", "(lu-maf(rqs))*20", 6, PLAN, 1},
    {"vi-planar-step-100", "planar*8", 2, VARIATIONAL, 100},
    {"vi-planar-step-100-float32", "planar*8", 2, VARIATIONAL_FLOAT32, 100},
};
enum { WORKLOADS = sizeof workloads / sizeof workloads[0] };

/* A workload made ready to run. */
typedef struct rig {
  const workload *workload;
  sl_context *context;
  sl_flow *flow;
  sl__mle fit; /* STEP ... */
  sl__mle_data fit_data;
  bool fitting;
  sl__target *target; /* VARIATIONAL ... */
  sl__vi *vi;
  sl_evaluator *evaluator; /* ... else this */
  float *x, *log_prob;     /* [batches * rows][dim], [rows] */
  uint64_t calls;
} rig;

static sl_status fail_unknown(sl_context *context, const char *what, const char *name) {
  return sl__fail(context, SL_BAD_ARGUMENT, "no %s called %s; bench/workloads.c lists them", what,
                  name);
}

/* ---- making, calling, measuring ------------------------------------------------------------- */

static sl_status make_step(rig *r, int64_t rows) {
  const sl__model *model = r->flow->model;
  sl__mle_options options;
  sl__mle_defaults(&options);
  options.steps = 2 * MOST_CALLS;
  options.batch = r->workload->rows;
  options.schedule = "constant";
  options.rate = 1e-4;
  options.clip = 0;
  r->fit_data = (sl__mle_data){.rows = rows, .x = r->x};
  SL__TRY(sl__mle_open(r->context, model->flow, model->vector, &r->fit_data, &options, &r->fit));
  r->fitting = true;
  return SL_OK;
}

static sl_status make_variational(rig *r) {
  const sl__model *model = r->flow->model;
  sl__vi_term term;
  sl__vi_options options;
  sl__vi_defaults(&options, &term);
  term.samples = r->workload->rows;
  options.steps = 2 * MOST_CALLS;
  options.rate = 1e-4;
  SL__TRY(sl__target_standard(r->context, "pot1", &r->target));
  if (model->flow->dim != r->target->dim)
    return sl__fail(r->context, SL_BAD_ARGUMENT, "the target pot1 has %d features; use --dim %d",
                    (int)r->target->dim, (int)r->target->dim);
  return sl__vi_new(r->context, model->flow, model->vector, r->target, &options, &r->vi);
}

static sl_status make(rig *r) {
  const workload *w = r->workload;
  const sl_dtype type = w->task == VARIATIONAL ? SL_F64 : SL_F32;
  SL__TRY(sl_flow_new(r->context, w->formula, NULL, w->dim, 0, type, 1, &r->flow));
  if (is_variational(w->task)) return make_variational(r);
  const int64_t rows = w->task == STEP ? STEP_BATCHES * w->rows : w->rows;
  const size_t numbers = (size_t)(rows * w->dim);
  r->x = sl__allocate(r->context, numbers, sizeof *r->x);
  r->log_prob = sl__allocate(r->context, (size_t)w->rows, sizeof *r->log_prob);
  if (!r->x || !r->log_prob) return SL_NO_MEMORY;
  const sl__random_key key = {.seed = 1, .stream = SL__STREAM_TEST};
  for (size_t i = 0; i < numbers; i++) r->x[i] = (float)sl__random_normal(key, i, 0);
  if (w->task == STEP) return make_step(r, rows);
  if (w->task == PLAN) return SL_OK;
  const uint32_t what = w->task == SCORE ? SL_EVALUATE_LOG_PROB : SL_EVALUATE_SAMPLE;
  return sl_evaluator_new(r->context, r->flow, what, w->rows, &r->evaluator);
}

static void unmake(rig *r) {
  if (r->fitting) sl__mle_close(&r->fit);
  sl__vi_free(r->vi);
  sl__target_free(r->target);
  sl_evaluator_free(r->evaluator);
  sl_flow_free(r->flow);
  sl__free(&r->context->allocator, r->x);
  sl__free(&r->context->allocator, r->log_prob);
}

/* Graph, gradient and program of a training step. */
static sl_status plan(rig *r) {
  const sl__flow *flow = r->flow->model->flow;
  const size_t most = (size_t)flow->parameter_count + 1;
  sl__graph *graph = NULL;
  sl__program *program = NULL;
  sl_node *wrt = sl__allocate(r->context, most, sizeof *wrt);
  sl_node *outputs = sl__allocate(r->context, most, sizeof *outputs);
  sl_status status = wrt && outputs ? sl__graph_new(r->context, &graph) : SL_NO_MEMORY;
  if (status == SL_OK) {
    int count = 0;
    const sl_node x = op_input(graph, flow->type, sl__shape1(flow->dim));
    outputs[0] = op_sum_rows(graph, sl__flow_log_prob(flow, graph, x, 0));
    for (int i = 0; i < flow->parameter_count; i++) {
      const sl__parameter *p = &flow->parameters[i];
      if (p->trainable) wrt[count++] = op_parameter(graph, flow->type, p->shape, p->offset);
    }
    status = sl__gradient(graph, outputs[0], count, wrt, outputs + 1);
    if (status == SL_OK) status = sl__program_new(r->context, graph, count + 1, outputs, &program);
  }
  sl__program_free(program);
  sl__graph_free(graph);
  sl__free(&r->context->allocator, wrt);
  sl__free(&r->context->allocator, outputs);
  return status;
}

static sl_status call(rig *r) {
  const workload *w = r->workload;
  r->calls++;
  if (w->task == PLAN) return plan(r);
  if (w->task == STEP) return sl__mle_step(&r->fit);
  if (is_variational(w->task)) return sl__vi_step(r->vi);
  if (w->task == SCORE) {
    const sl_array_in x = sl_in_f32(r->x, w->rows, w->dim);
    const sl_array_out log_prob = sl_out_f32(r->log_prob, w->rows, 1);
    return sl_evaluator_log_prob(r->context, r->evaluator, &x, NULL, &log_prob);
  }
  const sl_array_out x = sl_out_f32(r->x, w->rows, w->dim);
  return sl_evaluator_sample(r->context, r->evaluator, r->calls, NULL, &x, NULL);
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static sl_status time_calls(rig *r, double seconds, double *times, size_t *count) {
  for (int i = 0; i < WARM_UP; i++) SL__TRY(call(r));
  const double begin = sl__os_seconds();
  double now = begin;
  for (*count = 0; *count < FEWEST_CALLS || (now - begin < seconds && *count < MOST_CALLS);) {
    const double start = sl__os_seconds();
    SL__TRY(call(r));
    now = sl__os_seconds();
    times[(*count)++] = 1e3 * (now - start);
  }
  return SL_OK;
}

static sl_status measure(sl_context *context, const workload *w, double seconds) {
  rig r = {.workload = w, .context = context};
  size_t count = 0;
  double *times = sl__allocate(context, MOST_CALLS, sizeof *times);
  sl_status status = times ? make(&r) : context->error.status;
  if (status == SL_OK) status = time_calls(&r, seconds, times, &count);
  if (status == SL_OK) {
    qsort(times, count, sizeof *times, ascending);
    const size_t last = count - 1;
    printf("%s %.5g %.5g %.5g\n", w->name, times[(last + 1) / 2], times[last / 10],
           times[last - last / 10]);
    fflush(stdout);
  }
  unmake(&r);
  sl__free(&context->allocator, times);
  return status;
}

/* ---- the command line ----------------------------------------------------------------------- */

typedef struct request {
  int32_t threads;
  double seconds;
  workload custom; /* formula NULL: the named ones */
  int name_count;
  char **names;
} request;

/* Whole numbers of a range; anything else is refused. */
static bool whole(const char *text, int64_t low, int64_t high, int64_t *out) {
  char *end = NULL;
  errno = 0;
  const long long value = strtoll(text, &end, 10);
  *out = value;
  return errno == 0 && end != text && *end == '\0' && value >= low && value <= high;
}

static bool read_option(request *q, const char *key, const char *value) {
  int64_t number = 0;
  if (strcmp(key, "--formula") == 0) {
    q->custom.formula = value;
  } else if (strcmp(key, "--task") == 0) {
    for (int i = 0; i < TASKS; i++)
      if (strcmp(value, task_names[i]) == 0) return q->custom.task = (task)i, true;
    return false;
  } else if (strcmp(key, "--threads") == 0) {
    if (!whole(value, 0, 1024, &number)) return false;
    q->threads = (int32_t)number;
  } else if (strcmp(key, "--seconds") == 0) {
    if (!whole(value, 0, 3600, &number)) return false;
    q->seconds = (double)number;
  } else if (strcmp(key, "--dim") == 0) {
    if (!whole(value, 1, 100000, &number)) return false;
    q->custom.dim = (int32_t)number;
  } else if (strcmp(key, "--rows") == 0) {
    if (!whole(value, 1, 100000000, &number)) return false;
    q->custom.rows = number;
  } else {
    return false;
  }
  return true;
}

static bool read_request(int argc, char **argv, request *q) {
  int i = 1;
  for (; i < argc && strncmp(argv[i], "--", 2) == 0; i += 2)
    if (i + 1 == argc || !read_option(q, argv[i], argv[i + 1])) {
      fprintf(stderr, "bench_workloads: %s: unknown option or bad value\n", argv[i]);
      return false;
    }
  q->name_count = argc - i;
  q->names = argv + i;
  return true;
}

static sl_status answer(sl_context *context, const request *q) {
  if (q->custom.formula) return measure(context, &q->custom, q->seconds);
  for (int i = 0; i < (q->name_count ? q->name_count : WORKLOADS); i++) {
    const workload *found = q->name_count ? NULL : &workloads[i];
    for (int j = 0; j < WORKLOADS && q->name_count; j++)
      if (strcmp(q->names[i], workloads[j].name) == 0) found = &workloads[j];
    if (!found) return fail_unknown(context, "workload", q->names[i]);
    SL__TRY(measure(context, found, q->seconds));
  }
  return SL_OK;
}

int main(int argc, char **argv) {
  request q = {.threads = 2, .seconds = 1, .custom = {.name = "custom", .dim = 2, .rows = 1000}};
  if (!read_request(argc, argv, &q)) return 2;
  sl_context *context = NULL;
  const sl_context_options options = {.size = sizeof options, .threads = q.threads};
  if (sl_context_new(&options, &context) != SL_OK) return 1;
  const sl_status status = answer(context, &q);
  if (status != SL_OK) fprintf(stderr, "bench_workloads: %s\n", sl_error(context));
  sl_context_free(context);
  return status == SL_OK ? 0 : 1;
}
