/* Every operation gives the same bits on 1, 2 and 8 threads. */
#include "graph_cases.h"

static results r1, r2;
static double xs[MAX_ROWS * FEATURES], ps[PARAMETERS];

/* The bits of 1, 2 and 8 threads, in one block and in several. */
TEST(same_bits_for_any_threads) {
  const int threads[3] = {1, 2, 8};
  sl_context *context[3];
  for (int k = 0; k < 3; k++) context[k] = context_of(threads[k]);
  for (int i = 0; i < CASES; i++) {
    for (int64_t rows = 60; rows <= 700; rows += 640) {
      bench_program b;
      if (!make(context[0], &cases[i], SL_F32, &b)) continue;
      fill(xs, ps, rows);
      memset(&r1, 0, sizeof r1);
      if (!run(context[0], &b, SL_F32, rows, xs, ps, &r1)) continue;
      for (int k = 1; k < 3; k++) {
        memset(&r2, 0, sizeof r2);
        run(context[k], &b, SL_F32, rows, xs, ps, &r2);
        if (!CHECK(memcmp(&r1, &r2, sizeof r1) == 0))
          printf("  %s: %lld rows, %d threads\n", cases[i].name, (long long)rows, threads[k]);
      }
      sl__program_free(b.program);
    }
  }
  for (int k = 0; k < 3; k++) sl_context_free(context[k]);
}
