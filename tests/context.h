/* A context with so many threads, and an allocator that counts and fails when told to. */
#ifndef SL_TESTS_CONTEXT_H
#define SL_TESTS_CONTEXT_H
#include "check.h"
#include "sluice/sluice.h"

static inline sl_context *context_of(int threads) {
  sl_context *context = NULL;
  CHECK(
      sl_context_new(&(sl_context_options){.size = sizeof(sl_context_options), .threads = threads},
                     &context) == SL_OK);
  return context;
}

typedef struct meter {
  long calls, fail_at, held; /* fail_at: which call fails, 0 none; held: bytes not given back */
} meter;

static inline void *metered(void *user, void *pointer, size_t old_size, size_t new_size) {
  meter *m = user;
  if (new_size > 0 && ++m->calls == m->fail_at) return NULL;
  void *moved = NULL;
  if (new_size == 0)
    free(pointer);
  else if (!(moved = realloc(pointer, new_size)))
    return NULL;
  m->held += (long)new_size - (long)old_size;
  return moved;
}

/* Makes something, runs it and frees it; says how often a run allocated. */
typedef sl_status (*whole_life)(sl_context *context, meter *m, long *calls_while_running);

/* A run allocates nothing, and of all allocations of a life each may fail: it is reported and leaves
 * nothing behind. */
static inline void check_whole_life(whole_life live) {
  meter m = {0};
  sl_context *context;
  REQUIRE(sl_context_new(&(sl_context_options){.size = sizeof(sl_context_options),
                                               .threads = 2,
                                               .reallocate = metered,
                                               .user = &m},
                         &context) == SL_OK);
  const long base = m.held;
  long running = -1;
  m.calls = 0;
  REQUIRE(live(context, &m, &running) == SL_OK);
  CHECK_INTEGER(running, 0);
  CHECK_INTEGER(m.held, base);
  const long calls = m.calls;
  CHECK(calls > 5);
  for (long n = 1; n <= calls; n++) {
    m.calls = 0;
    m.fail_at = n;
    if (!CHECK(live(context, &m, &running) == SL_NO_MEMORY) || !CHECK_INTEGER(m.held, base))
      printf("  allocation %ld of %ld\n", n, calls);
  }
  m.fail_at = 0;
  sl_context_free(context);
  CHECK_INTEGER(m.held, 0);
}
#endif
