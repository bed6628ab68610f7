/* The context: made once, passed first to every call that can fail. Its error slot holds the last
 * failure, its allocator does all memory work, its pool holds the threads.
 *
 * An allocation is prefixed by one cache line that remembers what the allocator gave and how large
 * it is, so that any allocator (none need know of alignment) serves, and freeing needs no size. */
#include "base/context.h"
#include "base/os.h"
#include "base/pool.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, MOST_THREADS = 1024 };

typedef struct allocation {
  void *given;       /* by the allocator; the header lies at the first cache line after it */
  size_t given_size; /* bytes taken from the allocator */
} allocation;
_Static_assert(sizeof(allocation) <= ALIGNMENT, "the header must fit before the first byte");

static void *reallocate_by_libc(void *user, void *pointer, size_t old_size, size_t new_size) {
  (void)user;
  if (new_size == 0) {
    free(pointer);
    return NULL;
  }
  if (!pointer) return sl__os_allocate(new_size);
  void *moved = sl__os_allocate(new_size);
  if (!moved) return NULL;
  memcpy(moved, pointer, old_size < new_size ? old_size : new_size);
  free(pointer);
  return moved;
}

static allocation *header_of(void *pointer) {
  return (allocation *)((char *)pointer - ALIGNMENT);
}

/* size bytes, zeroed and aligned, or NULL; records nothing. */
static void *take(const sl__allocator *allocator, size_t size) {
  if (size > SIZE_MAX - 2 * ALIGNMENT) return NULL;
  size_t given_size = size + 2 * ALIGNMENT;
  char *given = allocator->reallocate(allocator->user, NULL, 0, given_size);
  if (!given) return NULL;
  size_t past = (uintptr_t)given % ALIGNMENT;
  char *pointer = given + (ALIGNMENT - past) + ALIGNMENT;
  *header_of(pointer) = (allocation){given, given_size};
  if (allocator->reallocate != reallocate_by_libc) memset(pointer, 0, size); /* else it is zero */
  return pointer;
}

void sl__free(const sl__allocator *allocator, void *pointer) {
  if (!pointer) return;
  allocation header = *header_of(pointer);
  allocator->reallocate(allocator->user, header.given, header.given_size, 0);
}

static sl_status fail_exhausted(sl_context *context, size_t count, size_t size) {
  return sl__fail(
      context, SL_NO_MEMORY,
      "no memory for %zu items of %zu bytes; use fewer rows, a smaller flow, or free memory", count,
      size);
}

void *sl__allocate(sl_context *context, size_t count, size_t size) {
  size_t bytes = 0;
  void *pointer = NULL;
  if (!__builtin_mul_overflow(count, size, &bytes)) pointer = take(&context->allocator, bytes);
  if (!pointer) fail_exhausted(context, count, size);
  return pointer;
}

void *sl__resize(sl_context *context, void *pointer, size_t old_count, size_t new_count,
                 size_t size) {
  void *resized = sl__allocate(context, new_count, size);
  if (!resized || !pointer) return resized;
  size_t kept = old_count < new_count ? old_count : new_count;
  memcpy(resized, pointer, kept * size);
  sl__free(&context->allocator, pointer);
  return resized;
}

sl_status sl_context_new(const sl_context_options *options, sl_context **out) {
  if (!out) return SL_BAD_ARGUMENT;
  *out = NULL;
  sl_context_options chosen = {0};
  if (options) {
    if (options->size < sizeof chosen) return SL_BAD_ARGUMENT;
    chosen = *options;
  }
  if (chosen.threads < 0 || chosen.threads > MOST_THREADS) return SL_BAD_ARGUMENT;

  sl__allocator allocator = {chosen.reallocate ? chosen.reallocate : reallocate_by_libc,
                             chosen.user};
  sl_context *context = take(&allocator, sizeof *context);
  if (!context) return SL_NO_MEMORY;
  context->allocator = allocator;
  context->log = chosen.log;
  context->log_user = chosen.user;
  context->cpu_features = sl__os_cpu_features();
  context->threads = chosen.threads > 0 ? chosen.threads : sl__os_cores();
  if (context->threads > MOST_THREADS) context->threads = MOST_THREADS;
  if (context->threads > 1) {
    sl_status status = sl__pool_new(context, context->threads, &context->pool);
    if (status != SL_OK) {
      sl_context_free(context);
      return status;
    }
  }
  *out = context;
  return SL_OK;
}

void sl_context_free(sl_context *context) {
  if (!context) return;
  sl__pool_free(context, context->pool);
  sl__allocator allocator = context->allocator;
  sl__free(&allocator, context);
}

const char *sl_error(const sl_context *context) {
  return context ? context->error.message : "";
}

bool sl_error_place(const sl_context *context, int32_t *line, int32_t *column) {
  bool known = context && context->error.line > 0;
  if (line) *line = known ? context->error.line : 0;
  if (column) *column = known ? context->error.column : 0;
  return known;
}

const char *sl_status_text(sl_status status) {
#define STATUS_TEXT(name, text) \
  case SL_##name: return text;
  switch (status) { SL_STATUS_LIST(STATUS_TEXT) }
#undef STATUS_TEXT
  return "unknown status";
}

/* The text is made beside the slot first: an argument may be the old message itself. */
static void record(sl_context *context, sl_status status, int line, int column, const char *format,
                   va_list arguments) {
  if (!context) return;
  char message[sizeof context->error.message];
  vsnprintf(message, sizeof message, format, arguments);
  memcpy(context->error.message, message, sizeof message);
  context->error.excerpt[0] = '\0';
  context->error.status = status;
  context->error.line = line;
  context->error.column = column;
}

sl_status sl__fail(sl_context *context, sl_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  record(context, status, 0, 0, format, arguments);
  va_end(arguments);
  return status;
}

sl_status sl__fail_at(sl_context *context, sl_status status, int line, int column,
                      const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  record(context, status, line, column, format, arguments);
  va_end(arguments);
  return status;
}

sl_status sl__fail_prefix(sl_context *context, const char *format, ...) {
  char message[sizeof context->error.message];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  if (length >= 0 && (size_t)length + 3 < sizeof message) {
    int room = (int)sizeof message - length - 3;
    snprintf(message + length, (size_t)room + 3, ": %.*s", room, context->error.message);
  }
  memcpy(context->error.message, message, sizeof message);
  return context->error.status;
}
