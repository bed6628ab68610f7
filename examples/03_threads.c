/* 03: several threads score rows with one shared model.
 *
 * A flow is read-only once it is fitted, so all threads use the same one. Each has a context
 * (its error and work) and an evaluator (its program and memory) of its own; after that, scoring
 * a row allocates nothing. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/sluice.h"

enum { THREADS = 4, ROWS = 20000, DIM = 3 };

typedef struct job {
  const sl_flow *flow;
  const float *x;     /* [ROWS][DIM] */
  float *log_prob;    /* [ROWS] */
  int64_t begin, end; /* which rows are this thread's */
  sl_status status;
  char error[256];
} job;

static sl_status score(job *j, sl_context *context) {
  sl_evaluator *evaluator;
  sl_status status = sl_evaluator_new(context, j->flow, SL_EVALUATE_LOG_PROB, 0, &evaluator);
  /* A hundred rows at a time, as they might come in to a server. */
  for (int64_t row = j->begin; row < j->end && status == SL_OK; row += 100) {
    int64_t rows = j->end - row < 100 ? j->end - row : 100;
    sl_array_in x = sl_in_f32(j->x + row * DIM, rows, DIM);
    sl_array_out log_prob = sl_out_f32(j->log_prob + row, rows, 1);
    status = sl_evaluator_log_prob(context, evaluator, &x, NULL, &log_prob);
  }
  sl_evaluator_free(evaluator);
  return status;
}

static void *work(void *argument) {
  job *j = argument;
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context;
  j->status = sl_context_new(&options, &context);
  if (j->status != SL_OK) return NULL;
  j->status = score(j, context);
  snprintf(j->error, sizeof j->error, "%s", sl_error(context));
  sl_context_free(context);
  return NULL;
}

static int run(sl_context *context) {
  static float x[ROWS * DIM], shared[ROWS], alone[ROWS];
  sl_flow *flow;
  if (sl_flow_new(context, "(lu-maf(rqs,hidden=32x32))*3", NULL, DIM, 0, SL_F32, 1, &flow) != SL_OK)
    return 1;
  sl_array_out rows = sl_out_f32(x, ROWS, DIM);
  if (sl_flow_sample(context, flow, 2, NULL, &rows, NULL) != SL_OK) return 1;

  pthread_t threads[THREADS];
  job jobs[THREADS];
  for (int i = 0; i < THREADS; i++) {
    jobs[i] = (job){flow, x, shared, i * ROWS / THREADS, (i + 1) * ROWS / THREADS, SL_OK, ""};
    if (pthread_create(&threads[i], NULL, work, &jobs[i]) != 0) return 1;
  }
  int failed = 0;
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    if (jobs[i].status == SL_OK) continue;
    fprintf(stderr, "thread %d: %s\n", i, jobs[i].error);
    failed = 1;
  }
  if (failed) return 1;

  /* The same rows in one call, by one thread: the same bits. */
  sl_array_in all = sl_in_f32(x, ROWS, DIM);
  sl_array_out out = sl_out_f32(alone, ROWS, 1);
  if (sl_flow_log_prob(context, flow, &all, NULL, &out) != SL_OK) return 1;
  bool same = memcmp(shared, alone, sizeof shared) == 0;
  printf("%d rows by %d threads: %s\n", ROWS, THREADS, same ? "the same bits" : "DIFFERENT");
  sl_flow_free(flow);
  return same ? 0 : 1;
}

int main(void) {
  sl_context *context;
  if (sl_context_new(NULL, &context) != SL_OK) return 1;
  int code = run(context);
  if (code) fprintf(stderr, "%s\n", sl_error(context));
  sl_context_free(context);
  return code;
}
