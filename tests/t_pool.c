/* The pool of threads: every index once, and barriers that keep phases apart. */
#include "base/pool.h"
#include "context.h"
#include <stdatomic.h>
#include <unistd.h>

typedef struct tally {
  atomic_int visits[1000];
  int64_t by_worker[16];
  int plain[16];
  atomic_int wrong;
} tally;

static void visit(void *user, int64_t index, int worker) {
  tally *t = user;
  atomic_fetch_add(&t->visits[index], 1);
  t->by_worker[worker]++; /* a race, and an error under TSan, if two threads had the same number */
}

TEST(parallel_visits_each_index_once) {
  static const int threads[] = {1, 2, 8};
  for (int k = 0; k < 3; k++) {
    sl_context *context = context_of(threads[k]);
    tally *t = calloc(1, sizeof *t);
    REQUIRE(context && t);
    for (int repeat = 0; repeat < 200; repeat++) sl__parallel(context, repeat * 5, visit, t);
    int64_t all = 0;
    for (int i = 0; i < 1000; i++) CHECK_INTEGER(atomic_load(&t->visits[i]), 199 - i / 5);
    for (int w = 0; w < 16; w++) {
      all += t->by_worker[w];
      CHECK(w < threads[k] || t->by_worker[w] == 0);
    }
    CHECK_INTEGER(all, 5 * 199 * 200 / 2);
    /* Workers that have gone to sleep wake up again. */
    usleep(20000);
    sl__parallel(context, 1000, visit, t);
    CHECK_INTEGER(atomic_load(&t->visits[999]), 1);
    sl__parallel(context, 0, visit, t);
    free(t);
    sl_context_free(context);
  }
}

static void neighbours(void *user, sl__team *team, int worker, int workers) {
  tally *t = user;
  for (int phase = 1; phase <= 100; phase++) {
    t->plain[worker] = phase;
    sl__barrier(team, worker);
    if (t->plain[(worker + 1) % workers] != phase) atomic_fetch_add(&t->wrong, 1);
    sl__barrier(team, worker);
  }
  atomic_fetch_add(&t->visits[worker], 1);
}

TEST(barriers_keep_phases_apart) {
  static const int threads[] = {1, 2, 8};
  for (int k = 0; k < 3; k++) {
    sl_context *context = context_of(threads[k]);
    tally *t = calloc(1, sizeof *t);
    REQUIRE(context && t);
    for (int repeat = 0; repeat < 10; repeat++) {
      sl__team_run(context, neighbours, t);
      sl__parallel(context, 20, visit, t);
    }
    CHECK_INTEGER(atomic_load(&t->wrong), 0);
    for (int w = 0; w < threads[k]; w++) CHECK_INTEGER(atomic_load(&t->visits[w]), 20);
    free(t);
    sl_context_free(context);
  }
}
