/* The public calls: the same numbers as inside, from views of either type; refusals; running out of
 * memory. */
#include "diagnose_fixture.h"
#include "short_memory.h"
#include "sluice/sluice.h"

TEST(summaries_by_the_public_call) {
  enum { CHAINS = 2, DRAWS = 30 };
  const recipe of = {CHAINS, DRAWS, 0.4, 0, 0, 0, 21};
  sl_context *context = open_context(2);
  double *x = make_chains(&of), both[2][CHAINS * DRAWS];
  float single[CHAINS * DRAWS];
  REQUIRE(x);
  for (int i = 0; i < CHAINS * DRAWS; i++) {
    single[i] = (float)x[i];
    both[0][i] = x[i];
    both[1][i] = 3;
  }
  const sl__series series = series_of(&of, x);
  sl__summary_row inside;
  sl_summary rows[2];
  REQUIRE_OK(context, sl__summarise(context, &series, 1, 0, &inside));
  const sl_array_in columns = {both, SL_F64, CHAINS * DRAWS, 2, 1, CHAINS * DRAWS};
  REQUIRE_OK(context, sl_summarize(context, &columns, CHAINS, rows));
  CHECK(memcmp(&rows[0], &inside, sizeof rows[0]) == 0);
  CHECK(rows[1].mean == 3 && rows[1].sd == 0 && isnan(rows[1].rhat));
  const sl_array_in narrow = sl_in_f32(single, CHAINS * DRAWS, 1);
  REQUIRE_OK(context, sl_summarize(context, &narrow, CHAINS, rows));
  CHECK_CLOSE(rows[0].ess_bulk, inside.ess_bulk, 1e-4);
  CHECK(sl_summarize(context, &narrow, 7, rows) == SL_BAD_ARGUMENT);
  CHECK(sl_summarize(context, &narrow, 0, rows) == SL_BAD_ARGUMENT);
  CHECK(sl_summarize(context, NULL, 1, rows) == SL_BAD_ARGUMENT);
  free(x);
  sl_context_free(context);
}

TEST(psis_by_the_public_call) {
  enum { COUNT = 200 };
  sl_context *context = open_context(1);
  double ratio[COUNT], weight[COUNT], expected[COUNT];
  uint64_t state = 2;
  for (int i = 0; i < COUNT; i++) ratio[i] = -0.5 * log(lcg_uniform(&state));
  sl__psis inside;
  sl_psis_report report;
  REQUIRE_OK(context, sl__psis_smooth(context, COUNT, ratio, 1, expected, &inside));
  const sl_array_in in = sl_in_f64(ratio, COUNT, 1);
  const sl_array_out out = sl_out_f64(weight, COUNT, 1);
  REQUIRE_OK(context, sl_psis(context, &in, &out, &report));
  CHECK(memcmp(weight, expected, sizeof weight) == 0);
  CHECK(report.khat == inside.khat && report.ess == inside.ess);
  CHECK(report.threshold == inside.threshold && report.log_mean == inside.log_mean);
  REQUIRE_OK(context, sl_psis(context, &in, NULL, &report));
  ratio[9] = INFINITY;
  CHECK(sl_psis(context, &in, &out, &report) == SL_NUMERIC);
  const sl_array_in wide = sl_in_f64(ratio, COUNT / 2, 2);
  CHECK(sl_psis(context, &wide, NULL, &report) == SL_BAD_ARGUMENT);
  sl_context_free(context);
}

/* ---- the n-th allocation fails, for every n ---- */

TEST(out_of_memory) {
  short_memory memory = {.left = INT64_MAX};
  sl_context_options options = {
      .size = sizeof options, .threads = 1, .reallocate = reallocate_shortly, .user = &memory};
  sl_context *context;
  REQUIRE(sl_context_new(&options, &context) == SL_OK);
  double x[40];
  for (int i = 0; i < 40; i++) x[i] = sin(i * i);
  const sl_array_in in = sl_in_f64(x, 40, 1);
  const int64_t alive = memory.alive;
  for (int call = 0; call < 2; call++) {
    sl_status status = SL_NO_MEMORY;
    for (int64_t n = 0; status != SL_OK && n < 100; n++) {
      sl_summary row;
      sl_psis_report report;
      memory.left = n;
      status =
          call == 0 ? sl_summarize(context, &in, 2, &row) : sl_psis(context, &in, NULL, &report);
      CHECK(status == SL_OK || status == SL_NO_MEMORY);
      CHECK_INTEGER(memory.alive, alive);
    }
    CHECK(status == SL_OK);
  }
  memory.left = INT64_MAX;
  sl_context_free(context);
  CHECK_INTEGER(memory.alive, 0);
}
