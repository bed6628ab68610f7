/* Memory that runs out, for tests that say: every allocation may fail, that is reported, and
 * nothing is left behind. */
#ifndef SL_TESTS_SHORT_MEMORY_H
#define SL_TESTS_SHORT_MEMORY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct short_memory {
  int64_t left;  /* allocations until one fails; negative: none does */
  bool once;     /* only that one fails; else all behind it too */
  bool failed;   /* one has */
  int64_t alive; /* blocks not given back */
} short_memory;

/* As sl_context_options.reallocate; user is a short_memory. */
static inline void *reallocate_shortly(void *user, void *pointer, size_t old_size,
                                       size_t new_size) {
  short_memory *m = user;
  (void)old_size;
  if (new_size == 0) {
    m->alive -= pointer != NULL;
    free(pointer);
    return NULL;
  }
  if (m->left == 0) {
    m->failed = true;
    if (m->once) m->left = -1;
    return NULL;
  }
  if (m->left > 0) m->left--;
  m->alive += pointer == NULL;
  return realloc(pointer, new_size);
}
#endif
