/* Threads through the public calls: 1, 2 and 8 of them give the same bits, and several threads
 * may share one flow, each with a context and evaluator of its own (which TSan watches). */
#include <pthread.h>

#include "check.h"
#include "sluice/sluice.h"

enum { ROWS = 1500, DIM = 3, MOST = 60000 };
static const char formula[] = "(lu-coupling(rqs,hidden=32x32)-maf(affine,hidden=32))*2";

typedef struct results {
  double log_prob[ROWS], x[ROWS * DIM], by_x[ROWS * DIM];
  double by_parameters[MOST];
  float fitted[MOST]; /* parameters after a few steps */
  int64_t count;
} results;

static sl_status fill(void *user, int64_t step, int64_t rows, void *x) {
  (void)user;
  for (int64_t i = 0; i < rows * DIM; i++)
    ((float *)x)[i] = (float)sin(0.7 * (double)i * (double)(step + 1));
  return SL_OK;
}

static void compute(int threads, results *out) {
  sl_context_options options = {.size = sizeof options, .threads = threads};
  sl_context *context = NULL;
  sl_flow *flow = NULL;
  REQUIRE(sl_context_new(&options, &context) == SL_OK);
  REQUIRE_OK(context, sl_flow_new(context, formula, NULL, DIM, 0, SL_F32, 3, &flow));
  out->count = sl_flow_parameter_count(flow);
  REQUIRE(out->count <= MOST);
  sl_fit_options fit;
  sl_fit_options_default(&fit, sizeof fit);
  fit.steps = 6;
  fit.batch = 700;
  REQUIRE_OK(context, sl_fit_generated(context, flow, fill, NULL, &fit, NULL));
  sl_array_out vector = sl_out_f32(out->fitted, 1, out->count);
  CHECK_OK(context, sl_flow_parameters(context, flow, &vector));

  sl_array_out x = sl_out_f64(out->x, ROWS, DIM), log_prob = sl_out_f64(out->log_prob, ROWS, 1);
  sl_array_out by_x = sl_out_f64(out->by_x, ROWS, DIM);
  sl_array_out by_parameters = sl_out_f64(out->by_parameters, 1, out->count);
  sl_array_in rows = sl_in_f64(out->x, ROWS, DIM);
  CHECK_OK(context, sl_flow_sample(context, flow, 4, NULL, &x, &log_prob));
  CHECK_OK(context, sl_flow_gradient(context, flow, &rows, NULL, &log_prob, &by_x, NULL,
                                     &by_parameters));
  sl_flow_free(flow);
  sl_context_free(context);
}

TEST(the_same_bits_with_1_2_and_8_threads) {
  static results one, many;
  compute(1, &one);
  for (int threads = 2; threads <= 8; threads *= 4) {
    memset(&many, 0, sizeof many);
    compute(threads, &many);
    CHECK(memcmp(one.x, many.x, sizeof one.x) == 0);
    CHECK(memcmp(one.log_prob, many.log_prob, sizeof one.log_prob) == 0);
    CHECK(memcmp(one.by_x, many.by_x, sizeof one.by_x) == 0);
    CHECK(memcmp(one.by_parameters, many.by_parameters, sizeof one.by_parameters) == 0);
    CHECK(memcmp(one.fitted, many.fitted, sizeof one.fitted) == 0);
  }
}

/* Rows do not mind their company: in one call, or some at a time. Calls of so few rows that
 * products are made another way (at most FEW) agree to rounding. */
TEST(the_same_bits_in_any_portions) {
  enum { FEW = 4 };
  static double x[ROWS * DIM], whole[ROWS], parts[ROWS];
  sl_context_options options = {.size = sizeof options, .threads = 2};
  sl_context *context = NULL;
  sl_flow *flow = NULL;
  sl_evaluator *evaluator = NULL;
  REQUIRE(sl_context_new(&options, &context) == SL_OK);
  REQUIRE_OK(context, sl_flow_new(context, formula, NULL, DIM, 0, SL_F64, 3, &flow));
  REQUIRE_OK(context, sl_evaluator_new(context, flow, SL_EVALUATE_LOG_PROB, 0, &evaluator));
  for (int i = 0; i < ROWS * DIM; i++) x[i] = sin(0.37 * i);
  sl_array_in all = sl_in_f64(x, ROWS, DIM);
  sl_array_out out = sl_out_f64(whole, ROWS, 1);
  CHECK_OK(context, sl_evaluator_log_prob(context, evaluator, &all, NULL, &out));
  for (int64_t row = 0, rows; row < ROWS; row += rows) {
    rows = FEW + 1 + row % 23;
    if (row + rows > ROWS) rows = ROWS - row;
    sl_array_in some = sl_in_f64(x + row * DIM, rows, DIM);
    sl_array_out some_out = sl_out_f64(parts + row, rows, 1);
    CHECK_OK(context, sl_evaluator_log_prob(context, evaluator, &some, NULL, &some_out));
  }
  int64_t compared = ROWS - FEW; /* the last portion may be a small one */
  CHECK(memcmp(whole, parts, (size_t)compared * sizeof *whole) == 0);
  for (int64_t row = 0; row < 40; row++) {
    sl_array_in single = sl_in_f64(x + row * DIM, 1, DIM);
    sl_array_out single_out = sl_out_f64(parts + row, 1, 1);
    CHECK_OK(context, sl_evaluator_log_prob(context, evaluator, &single, NULL, &single_out));
    CHECK_CLOSE(parts[row], whole[row], 1e-12);
  }
  sl_evaluator_free(evaluator);
  sl_flow_free(flow);
  sl_context_free(context);
}

typedef struct sharer {
  const sl_flow *flow;
  const double *x;       /* [ROWS][DIM] */
  double log_prob[ROWS];
  sl_status status;
} sharer;

static void *share(void *user) {
  sharer *s = user;
  sl_context_options options = {.size = sizeof options, .threads = 2};
  sl_context *context = NULL;
  sl_evaluator *evaluator = NULL;
  sl_array_in x = sl_in_f64(s->x, ROWS, DIM);
  sl_array_out out = sl_out_f64(s->log_prob, ROWS, 1);
  s->status = sl_context_new(&options, &context);
  if (s->status == SL_OK)
    s->status = sl_evaluator_new(context, s->flow, SL_EVALUATE_LOG_PROB, 0, &evaluator);
  for (int again = 0; again < 5 && s->status == SL_OK; again++)
    s->status = sl_evaluator_log_prob(context, evaluator, &x, NULL, &out);
  sl_evaluator_free(evaluator);
  sl_context_free(context);
  return NULL;
}

TEST(several_threads_share_a_flow) {
  enum { SHARERS = 4 };
  static sharer sharers[SHARERS];
  static double x[ROWS * DIM];
  sl_context *context = NULL;
  sl_flow *flow = NULL;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  REQUIRE_OK(context, sl_flow_new(context, formula, NULL, DIM, 0, SL_F32, 3, &flow));
  for (int i = 0; i < ROWS * DIM; i++) x[i] = sin(0.37 * i);
  pthread_t threads[SHARERS];
  for (int i = 0; i < SHARERS; i++) {
    sharers[i] = (sharer){.flow = flow, .x = x};
    REQUIRE(pthread_create(&threads[i], NULL, share, &sharers[i]) == 0);
  }
  for (int i = 0; i < SHARERS; i++) {
    pthread_join(threads[i], NULL);
    CHECK(sharers[i].status == SL_OK);
    CHECK(memcmp(sharers[i].log_prob, sharers[0].log_prob, sizeof sharers[0].log_prob) == 0);
  }
  CHECK(isfinite(sharers[0].log_prob[ROWS - 1]));
  sl_flow_free(flow);
  sl_context_free(context);
}
