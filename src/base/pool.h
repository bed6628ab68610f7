/* Worker threads. Spins briefly, then sleeps on a futex; never changes a result: what is computed
 * is cut by size, threads only pick up the pieces. */
#ifndef SL_BASE_POOL_H
#define SL_BASE_POOL_H
#include "base/context.h"

/* threads >= 1 counts the caller; a pool of 1 has no workers. */
sl_status sl__pool_new(sl_context *context, int threads, sl__pool **out);
void sl__pool_free(sl_context *context, sl__pool *pool);

/* Runs task(user, index, worker) for every index in 0..count-1, in any order, on all workers;
 * worker is 0..threads-1 (0 is the caller). Returns when all are done. No allocation. */
void sl__parallel(sl_context *context, int64_t count,
                  void (*task)(void *user, int64_t index, int worker), void *user);

/* Runs body(user, worker, workers) once on every thread at the same time; inside, sl__barrier may
 * be called (by all, equally often). */
typedef struct sl__team sl__team;
void sl__team_run(sl_context *context,
                  void (*body)(void *user, sl__team *team, int worker, int workers), void *user);
void sl__barrier(sl__team *team, int worker);
#endif
