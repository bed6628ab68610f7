/* The context: allocator, workers, log and the last error with its place. There is no other
 * state. */
#ifndef SL_BASE_CONTEXT_H
#define SL_BASE_CONTEXT_H
#include <stdarg.h>
#include "sluice/sluice.h"

/* One function does all memory work: new_size 0 frees, pointer NULL allocates. Returns NULL on
 * failure. */
typedef struct sl__allocator {
  void *(*reallocate)(void *user, void *pointer, size_t old_size, size_t new_size);
  void *user;
} sl__allocator;

typedef struct sl__pool sl__pool; /* pool.h */

typedef struct sl__error {
  sl_status status;
  int line, column; /* 1-based place in the text that was refused; 0: none */
  char message[1024];
  char excerpt[512]; /* the refused line with a caret below it, or ""; no newline at its end */
} sl__error;

struct sl_context {
  sl__allocator allocator;
  sl__pool *pool;        /* workers; NULL means the calling thread alone */
  int threads;           /* how many threads work, the caller's among them; at least 1 */
  unsigned cpu_features; /* SL__CPU_* of os.h: what the processor can do, asked once */
  void (*log)(void *user, int level, const char *line); /* NULL: silence */
  void *log_user;
  sl__error error;
};

/* Records a failure and returns its status, so that callers write: return sl__fail(context, SL_IO,
 * ...). Messages say what is wrong; then, after a semicolon, what would mend it. */
sl_status sl__fail(sl_context *context, sl_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with a place in the user's text (formula, CSV). */
sl_status sl__fail_at(sl_context *context, sl_status status, int line, int column,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Puts "prefix: " before the recorded message (a caller adds the file name or the layer). */
sl_status sl__fail_prefix(sl_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* count * size bytes, zeroed, 64-byte aligned; NULL and a recorded SL_NO_MEMORY on overflow or
 * exhaustion. count 0 yields a valid pointer. Free with sl__free. */
void *sl__allocate(sl_context *context, size_t count, size_t size);
void *sl__resize(sl_context *context, void *pointer, size_t old_count, size_t new_count,
                 size_t size);
void sl__free(const sl__allocator *allocator, void *pointer); /* NULL is fine */

#define SL__TRY(call)                     \
  do {                                    \
    sl_status status_ = (call);           \
    if (status_ != SL_OK) return status_; \
  } while (0)

/* An arena: many small allocations, one release. Memory is zeroed, 64-byte aligned for sizes >=
 * 64. */
typedef struct sl__arena {
  sl_context *context;     /* whose error is set on failure */
  sl__allocator allocator; /* copied, so that the arena may outlive the context's use */
  struct sl__arena_block *blocks;
  size_t used, capacity; /* of the newest block */
  size_t total;          /* bytes taken from the allocator */
} sl__arena;
void sl__arena_open(sl__arena *arena, sl_context *context);
void *sl__arena_take(sl__arena *arena, size_t count, size_t size);
char *sl__arena_text(sl__arena *arena, const char *text, size_t length); /* a NUL-terminated copy */
void sl__arena_close(sl__arena *arena);
#endif
