/* A flow to be fitted to rows by maximum likelihood, for tests. */
#ifndef SL_TESTS_MLE_FIXTURE_H
#define SL_TESTS_MLE_FIXTURE_H
#include "check.h"
#include "infer/infer.h"

enum { TRAIN = 1000, VALID = 400, DIM = 2 };

typedef struct fitting {
  sl_context *context;
  sl__flow *flow;
  float *vector;
  float x[TRAIN * DIM], valid_x[VALID * DIM];
  sl__mle_data data;
  sl__mle_options options;
  sl__mle_report report;
} fitting;

/* At its starting values; rows [TRAIN + VALID][DIM], those to be held out last. */
static bool begin_fitting(fitting *f, int threads, const char *formula, const double *rows) {
  memset(f, 0, sizeof *f);
  const sl_context_options options = {.size = sizeof options, .threads = threads};
  const sl__flow_plan plan = {.formula = formula, .dim = DIM, .type = SL_F32, .seed = 7};
  if (!CHECK(sl_context_new(&options, &f->context) == SL_OK)) return false;
  if (!CHECK_OK(f->context, sl__flow_new(f->context, &plan, &f->flow))) return false;
  f->vector = calloc((size_t)f->flow->size, sizeof *f->vector);
  sl__flow_initialise(f->flow, f->vector);
  for (int k = 0; k < TRAIN * DIM; k++) f->x[k] = (float)rows[k];
  for (int k = 0; k < VALID * DIM; k++) f->valid_x[k] = (float)rows[TRAIN * DIM + k];
  f->data = (sl__mle_data){.rows = TRAIN, .x = f->x, .valid_rows = VALID, .valid_x = f->valid_x};
  sl__mle_defaults(&f->options);
  f->options.epochs = 0;
  f->options.seed = 5;
  return true;
}

static void close_fitting(fitting *f) {
  free(f->vector);
  sl__flow_free(f->context, f->flow);
  sl_context_free(f->context);
}

static sl_status fit(fitting *f) {
  return sl__mle_fit(f->context, f->flow, f->vector, &f->data, &f->options, &f->report);
}
#endif
