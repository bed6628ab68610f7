/* The graph engine. Every operation of the list is differentiated and held against central
 * differences in float64, computed again in float32, and run in blocks of rows and in smaller ones;
 * a test fails when an operation of the list appears in none of the cases. */
#include "graph_cases.h"

static results r1, r2;
static double xs[MAX_ROWS * FEATURES], ps[PARAMETERS];

static void check_differences(sl_context *context, const build_case *c, const bench_program *b) {
  const int64_t rows = 3;
  const double h = 1e-6;
  fill(xs, ps, rows);
  if (!run(context, b, SL_F64, rows, xs, ps, &r1)) return;
  double worst = 0;
  for (int i = 0; i < rows * FEATURES + PARAMETERS; i++) {
    double *at = i < rows * FEATURES ? &xs[i] : &ps[i - rows * FEATURES];
    const double gradient = i < rows * FEATURES ? r1.dx[i] : r1.dp[i - rows * FEATURES], kept = *at;
    *at = kept + h;
    if (!run(context, b, SL_F64, rows, xs, ps, &r2)) return;
    const double up = r2.loss;
    *at = kept - h;
    if (!run(context, b, SL_F64, rows, xs, ps, &r2)) return;
    *at = kept;
    const double difference = (up - r2.loss) / (2 * h);
    const double error = fabs(difference - gradient) / (1 + fabs(gradient));
    if (!(error <= worst)) worst = error;
  }
  if (!CHECK(worst < 2e-8)) printf("  %s: gradient off by %g\n", c->name, worst);
}

TEST(gradients_against_differences) {
  sl_context *context = context_of(1);
  for (int i = 0; i < CASES; i++) {
    bench_program b;
    if (!make(context, &cases[i], SL_F64, &b)) continue;
    const bool constant = !strcmp(cases[i].name, "tetragamma") ||
                          !strcmp(cases[i].name, "by_shape") ||
                          !strcmp(cases[i].name, "leaky_gate"); /* stop_gradient inside */
    if (!constant) check_differences(context, &cases[i], &b);
    sl__program_free(b.program);
  }
  sl_context_free(context);
}

TEST(float32_against_float64) {
  sl_context *context = context_of(1);
  for (int i = 0; i < CASES; i++) {
    if (!strcmp(cases[i].name, "floor") || !strcmp(cases[i].name, "search"))
      continue; /* steps may fall on either side */
    bench_program b32, b64;
    if (!make(context, &cases[i], SL_F32, &b32) || !make(context, &cases[i], SL_F64, &b64))
      continue;
    fill(xs, ps, 20);
    if (run(context, &b64, SL_F64, 20, xs, ps, &r1) &&
        run(context, &b32, SL_F32, 20, xs, ps, &r2)) {
      double worst = 0;
      for (int k = 0; k < 20 * FEATURES; k++)
        worst = fmax(worst, fabs(r1.dx[k] - r2.dx[k]) / (1 + fabs(r1.dx[k])));
      for (int k = 0; k < PARAMETERS; k++)
        worst = fmax(worst, fabs(r1.dp[k] - r2.dp[k]) / (10 + fabs(r1.dp[k])));
      for (int64_t k = 0; k < 20 * b64.count; k++)
        worst = fmax(worst, fabs(r1.y[k] - r2.y[k]) / (1 + fabs(r1.y[k])));
      if (!CHECK(worst < 2e-4)) printf("  %s: float32 off by %g\n", cases[i].name, worst);
    }
    sl__program_free(b32.program);
    sl__program_free(b64.program);
  }
  sl_context_free(context);
}

/* The first rows alone, the others in small pieces. */
TEST(blocks_agree_with_single_rows) {
  sl_context *context = context_of(2);
  for (int i = 0; i < CASES; i++) {
    bench_program b;
    if (!strcmp(cases[i].name, "random") || !make(context, &cases[i], SL_F64, &b)) continue;
    fill(xs, ps, 600);
    if (run(context, &b, SL_F64, 600, xs, ps, &r1)) {
      double loss = 0, dp[PARAMETERS] = {0}, worst = 0;
      for (int row = 0, piece; row < 600; row += piece) {
        piece = row < 60 ? 1 : 20;
        if (!run(context, &b, SL_F64, piece, xs + row * FEATURES, ps, &r2)) break;
        loss += r2.loss;
        for (int k = 0; k < PARAMETERS; k++) dp[k] += r2.dp[k];
        for (int k = 0; k < piece * FEATURES; k++)
          worst = fmax(worst, fabs(r2.dx[k] - r1.dx[row * FEATURES + k]) / (1 + fabs(r2.dx[k])));
        for (int64_t k = 0; k < piece * b.count; k++)
          worst = fmax(worst, fabs(r2.y[k] - r1.y[row * b.count + k]) / (1 + fabs(r2.y[k])));
      }
      worst = fmax(worst, fabs(loss - r1.loss) / (600 + fabs(loss)));
      for (int k = 0; k < PARAMETERS; k++)
        worst = fmax(worst, fabs(dp[k] - r1.dp[k]) / (600 + fabs(dp[k])));
      if (!CHECK(worst < 1e-11)) printf("  %s: off by %g\n", cases[i].name, worst);
    }
    sl__program_free(b.program);
  }
  sl_context_free(context);
}

TEST(every_operation_was_in_a_case) {
  for (int i = 0; i < SL__OP_COUNT; i++) {
    if (i == SL__OP_SHARED_INPUT || i == SL__OP_STRIPS) continue; /* its own test; no node */
    if (!CHECK(seen_operation[i])) printf("  operation %s is in no case\n", sl__operations[i].name);
  }
  for (int i = 0; i < SL__EW_COUNT; i++) {
    if (!CHECK(seen_elementwise[i]))
      printf("  elementwise %s is in no case\n", sl__elementwise_name((sl__elementwise)i));
  }
}

/* ---- memory ---- */

/* Builds, differentiates, plans and runs a network of every kind of memory; returns the status. */
static sl_status live(sl_context *context, meter *m, long *calls_while_running) {
  sl__graph *g = NULL;
  sl__program *program = NULL;
  sl__workspace *w = NULL;
  sl_status status = sl__graph_new(context, &g);
  if (status == SL_OK) {
    const sl_node x = op_input(g, SL_F32, sl__shape1(FEATURES)),
                  p = op_parameter(g, SL_F32, sl__shape1(PARAMETERS), 0);
    const sl_node y = op_add(g, op_sum_all(g, build_growing(g, SL_F32, x, p)),
                             op_sum_all(g, build_linear_masked(g, SL_F32, x, p)));
    const sl_node loss = op_sum_rows(g, y);
    sl_node dp;
    status = sl__gradient(g, loss, 1, &p, &dp);
    if (status == SL_OK) status = sl__program_new(context, g, 2, (sl_node[]){loss, dp}, &program);
  }
  if (status == SL_OK) status = sl__workspace_new(context, program, 600, &w);
  if (status == SL_OK) {
    static float data[600 * FEATURES], parameters[PARAMETERS], dp[PARAMETERS], loss;
    const long before = m->calls;
    const sl__feed feed = {.data = data, .type = SL_F32};
    const sl__sink sinks[2] = {{&loss, SL_F32, 0, 0}, {dp, SL_F32, 0, 0}};
    status = sl__program_run(
        context, program, w,
        &(sl__run){.rows = 600, .parameters = parameters, .feeds = &feed, .sinks = sinks});
    *calls_while_running = m->calls - before;
  }
  sl__workspace_free(w);
  sl__program_free(program);
  sl__graph_free(g);
  return status;
}

TEST(running_allocates_nothing_and_every_failed_allocation_is_reported) {
  check_whole_life(live);
}
