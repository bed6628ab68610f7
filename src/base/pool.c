/* Worker threads that are cheap to call: a region costs a few tenths of a microsecond while the
 * workers are still spinning, and nothing while nobody calls, since a worker sleeps after about
 * 2,000 pauses.
 *
 * One word, `state`, holds the region's generation, whether it is open, and how many workers are
 * inside:
 *
 *     generation << 16 | open << 15 | inside
 *
 * The caller writes the job, then opens a new generation. A worker that sees an open generation it
 * has not been in yet enters by compare-and-swap, works, and leaves by subtracting one. The caller
 * closes the region and waits until nobody is inside; only then may it touch the job again. A
 * worker that sleeps through a short region is not waited for: all indices were taken by others. A
 * team region stays open until every worker has been in.
 *
 * Sleeping: a gate is a counter to sleep on and a number of sleepers. Who waits announces itself,
 * reads the counter, looks at its condition once more and sleeps only while the counter is
 * unchanged; who changes a condition does so first and then rings if there are sleepers. All four
 * accesses are sequentially consistent, so at least one side sees the other. */
#include "base/pool.h"
#include "base/os.h"
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>

#if defined(__linux__) && !defined(SL__NO_FUTEX)
#define USE_FUTEX 1
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#define USE_FUTEX 0
#endif

enum { CACHE_LINE = 64, SPINS = 2000, SPINS_WHEN_CROWDED = 20 };

/* ---- gates ---- */

typedef struct wait_gate {
  atomic_uint counter;
  atomic_uint sleepers;
#if !USE_FUTEX
  pthread_mutex_t mutex;
  pthread_cond_t condition;
#endif
} wait_gate;

#if USE_FUTEX
static void gate_open(wait_gate *gate) {
  (void)gate;
}

static void gate_close(wait_gate *gate) {
  (void)gate;
}

static void gate_sleep(wait_gate *gate, unsigned seen) {
  syscall(SYS_futex, &gate->counter, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void gate_wake(wait_gate *gate) {
  atomic_fetch_add(&gate->counter, 1);
  syscall(SYS_futex, &gate->counter, FUTEX_WAKE_PRIVATE, 0x7FFFFFFF, NULL, NULL, 0);
}
#else
static void gate_open(wait_gate *gate) {
  pthread_mutex_init(&gate->mutex, NULL);
  pthread_cond_init(&gate->condition, NULL);
}

static void gate_close(wait_gate *gate) {
  pthread_cond_destroy(&gate->condition);
  pthread_mutex_destroy(&gate->mutex);
}

static void gate_sleep(wait_gate *gate, unsigned seen) {
  pthread_mutex_lock(&gate->mutex);
  while (atomic_load(&gate->counter) == seen) pthread_cond_wait(&gate->condition, &gate->mutex);
  pthread_mutex_unlock(&gate->mutex);
}

static void gate_wake(wait_gate *gate) {
  pthread_mutex_lock(&gate->mutex);
  atomic_fetch_add(&gate->counter, 1);
  pthread_cond_broadcast(&gate->condition);
  pthread_mutex_unlock(&gate->mutex);
}
#endif

static void gate_ring(wait_gate *gate) {
  if (atomic_load(&gate->sleepers) > 0) gate_wake(gate);
}

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* Returns once ready(subject, value) holds. */
static inline void gate_await(wait_gate *gate, int spins,
                              bool (*ready)(void *subject, uint64_t value), void *subject,
                              uint64_t value) {
  for (int i = 0; i < spins; i++) {
    if (ready(subject, value)) return;
    pause_briefly();
  }
  atomic_fetch_add(&gate->sleepers, 1);
  for (;;) {
    unsigned seen = atomic_load(&gate->counter);
    if (ready(subject, value)) break;
    gate_sleep(gate, seen);
  }
  atomic_fetch_sub(&gate->sleepers, 1);
}

/* ---- the pool ---- */

enum { STATE_OPEN = 1 << 15, STATE_INSIDE = STATE_OPEN - 1, STATE_GENERATION_SHIFT = 16 };

struct sl__team {
  int workers, spins;
  alignas(CACHE_LINE) atomic_uint arrived;
  alignas(CACHE_LINE) atomic_uint phase;
  wait_gate gate;
};

typedef struct pool_worker {
  struct sl__pool *pool;
  int index;
  pthread_t thread;
} pool_worker;

struct sl__pool {
  int threads, started, spins;
  pool_worker *workers; /* [threads]; 0 is the caller and has no thread */

  /* The job: written by the caller before a generation opens. */
  bool quit;
  int64_t count;
  void (*task)(void *user, int64_t index, int worker);
  void (*body)(void *user, sl__team *team, int worker, int workers); /* NULL unless a team region */
  void *user;
  sl__team team;

  alignas(CACHE_LINE) _Atomic uint64_t state;
  alignas(CACHE_LINE) _Atomic int64_t next; /* the first index nobody has taken */
  alignas(CACHE_LINE) atomic_int members;   /* have finished their part of a team region */
  alignas(CACHE_LINE) wait_gate arrivals;   /* where workers wait */
  alignas(CACHE_LINE) wait_gate departures; /* where the caller waits */
};

static bool is_new_generation(void *pool, uint64_t last) {
  uint64_t state = atomic_load(&((sl__pool *)pool)->state);
  return (state & STATE_OPEN) && state >> STATE_GENERATION_SHIFT != last;
}

static bool is_empty(void *pool, uint64_t members) {
  sl__pool *of = pool;
  return (uint64_t)atomic_load(&of->members) >= members &&
         (atomic_load(&of->state) & STATE_INSIDE) == 0;
}

static bool enter(sl__pool *pool, uint64_t *last) {
  uint64_t state = atomic_load(&pool->state);
  while ((state & STATE_OPEN) && state >> STATE_GENERATION_SHIFT != *last) {
    if (atomic_compare_exchange_weak(&pool->state, &state, state + 1)) {
      *last = state >> STATE_GENERATION_SHIFT;
      return true;
    }
  }
  return false;
}

static void leave(sl__pool *pool) {
  uint64_t before = atomic_fetch_sub(&pool->state, 1);
  if ((before & STATE_INSIDE) == 1) gate_ring(&pool->departures);
}

static void take_indices(sl__pool *pool, int worker_index) {
  for (;;) {
    int64_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
    if (index >= pool->count) return;
    pool->task(pool->user, index, worker_index);
  }
}

static void *work(void *argument) {
  pool_worker *self = argument;
  sl__pool *pool = self->pool;
  uint64_t last = 0;
  for (;;) {
    gate_await(&pool->arrivals, pool->spins, is_new_generation, pool, last);
    if (!enter(pool, &last)) continue;
    bool quit = pool->quit;
    if (pool->body) {
      pool->body(pool->user, &pool->team, self->index, pool->threads);
      atomic_fetch_add(&pool->members, 1);
    } else if (!quit) {
      take_indices(pool, self->index);
    }
    leave(pool);
    if (quit) return NULL;
  }
}

static void open_region(sl__pool *pool) {
  uint64_t generation = (atomic_load(&pool->state) >> STATE_GENERATION_SHIFT) + 1;
  atomic_store(&pool->state, generation << STATE_GENERATION_SHIFT | STATE_OPEN);
  gate_ring(&pool->arrivals);
}

static void close_region(sl__pool *pool) {
  atomic_fetch_and(&pool->state, ~(uint64_t)STATE_OPEN);
  gate_await(&pool->departures, pool->spins, is_empty, pool, 0);
}

/* Workers leave signals to the application's own threads. */
static sl_status start_workers(sl_context *context, sl__pool *pool) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failure = 0;
  pool->started = 1;
  for (int i = 1; i < pool->threads && failure == 0; i++) {
    pool->workers[i] = (pool_worker){.pool = pool, .index = i};
    failure = pthread_create(&pool->workers[i].thread, NULL, work, &pool->workers[i]);
    if (failure == 0) pool->started++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failure == 0) return SL_OK;
  return sl__fail(context, SL_NO_MEMORY, "thread %d of %d could not be started; use fewer threads",
                  pool->started + 1, pool->threads);
}

sl_status sl__pool_new(sl_context *context, int threads, sl__pool **out) {
  *out = NULL;
  sl__pool *pool = sl__allocate(context, 1, sizeof *pool);
  if (!pool) return SL_NO_MEMORY;
  pool->threads = threads;
  pool->spins = threads <= sl__os_cores() ? SPINS : SPINS_WHEN_CROWDED;
  pool->team.workers = threads;
  pool->team.spins = pool->spins;
  gate_open(&pool->arrivals);
  gate_open(&pool->departures);
  gate_open(&pool->team.gate);
  pool->workers = sl__allocate(context, (size_t)threads, sizeof *pool->workers);
  sl_status status = pool->workers ? start_workers(context, pool) : SL_NO_MEMORY;
  if (status != SL_OK) {
    sl__pool_free(context, pool);
    return status;
  }
  *out = pool;
  return SL_OK;
}

void sl__pool_free(sl_context *context, sl__pool *pool) {
  if (!pool) return;
  pool->quit = true;
  pool->body = NULL;
  open_region(pool);
  for (int i = 1; i < pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
  gate_close(&pool->arrivals);
  gate_close(&pool->departures);
  gate_close(&pool->team.gate);
  sl__free(&context->allocator, pool->workers);
  sl__free(&context->allocator, pool);
}

void sl__parallel(sl_context *context, int64_t count,
                  void (*task)(void *user, int64_t index, int worker), void *user) {
  sl__pool *pool = context->pool;
  if (!pool || pool->threads == 1 || count <= 1) {
    for (int64_t i = 0; i < count; i++) task(user, i, 0);
    return;
  }
  pool->count = count;
  pool->task = task;
  pool->body = NULL;
  pool->user = user;
  atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
  open_region(pool);
  take_indices(pool, 0);
  close_region(pool);
}

void sl__team_run(sl_context *context,
                  void (*body)(void *user, sl__team *team, int worker, int workers), void *user) {
  sl__pool *pool = context->pool;
  if (!pool || pool->threads == 1) {
    sl__team alone = {.workers = 1};
    body(user, &alone, 0, 1);
    return;
  }
  pool->body = body;
  pool->user = user;
  atomic_store_explicit(&pool->members, 0, memory_order_relaxed);
  open_region(pool);
  body(user, &pool->team, 0, pool->threads);
  gate_await(&pool->departures, pool->spins, is_empty, pool, (uint64_t)pool->threads - 1);
  close_region(pool);
  atomic_store_explicit(&pool->members, 0, memory_order_relaxed);
}

/* ---- barriers ---- */

static bool has_turned(void *team, uint64_t phase) {
  return atomic_load(&((sl__team *)team)->phase) != (unsigned)phase;
}

void sl__barrier(sl__team *team, int worker) {
  (void)worker;
  if (team->workers == 1) return;
  unsigned phase = atomic_load(&team->phase);
  if (atomic_fetch_add(&team->arrived, 1) + 1 == (unsigned)team->workers) {
    atomic_store(&team->arrived, 0);
    atomic_store(&team->phase, phase + 1);
    gate_ring(&team->gate);
  } else {
    gate_await(&team->gate, team->spins, has_turned, team, phase);
  }
}
