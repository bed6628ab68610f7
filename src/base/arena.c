/* Arenas: a list of blocks, each filled from the front. Blocks double in size up to a limit, so
 * that an arena of n bytes takes about log n allocations; a request larger than the next block gets
 * one of its own, put behind the current block if that still has room worth keeping. */
#include "base/context.h"
#include <string.h>

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 1 << 20, CACHE_LINE = 64, SMALL_ALIGNMENT = 16 };

struct sl__arena_block {
  struct sl__arena_block *next; /* older */
  char *bytes;                  /* in the same allocation, one cache line after its start */
};

void sl__arena_open(sl__arena *arena, sl_context *context) {
  *arena = (sl__arena){.context = context, .allocator = context->allocator};
}

static struct sl__arena_block *new_block(sl__arena *arena, size_t capacity) {
  struct sl__arena_block *block = NULL;
  if (capacity > SIZE_MAX - CACHE_LINE) {
    sl__fail(arena->context, SL_NO_MEMORY, "no memory for %zu bytes", capacity);
    return NULL;
  }
  block = sl__allocate(arena->context, capacity + CACHE_LINE, 1);
  if (!block) return NULL;
  block->bytes = (char *)block + CACHE_LINE;
  arena->total += capacity + CACHE_LINE;
  return block;
}

void *sl__arena_take(sl__arena *arena, size_t count, size_t size) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2) {
    sl__fail(arena->context, SL_NO_MEMORY, "no memory for %zu items of %zu bytes", count, size);
    return NULL;
  }
  size_t alignment = bytes >= CACHE_LINE ? CACHE_LINE : SMALL_ALIGNMENT;
  size_t start = (arena->used + alignment - 1) / alignment * alignment;
  if (arena->blocks && start <= arena->capacity && bytes <= arena->capacity - start) {
    arena->used = start + bytes;
    return arena->blocks->bytes + start;
  }

  size_t capacity = arena->capacity > 0 ? 2 * arena->capacity : FIRST_BLOCK;
  if (capacity > LARGEST_BLOCK) capacity = LARGEST_BLOCK;
  bool own_block = bytes > capacity;
  struct sl__arena_block *block = new_block(arena, own_block ? bytes : capacity);
  if (!block) return NULL;
  if (own_block && arena->blocks) {
    block->next = arena->blocks->next;
    arena->blocks->next = block;
    return block->bytes;
  }
  block->next = arena->blocks;
  arena->blocks = block;
  arena->capacity = own_block ? bytes : capacity;
  arena->used = bytes;
  return block->bytes;
}

char *sl__arena_text(sl__arena *arena, const char *text, size_t length) {
  char *copy = length < SIZE_MAX ? sl__arena_take(arena, length + 1, 1) : NULL;
  if (copy && length > 0) memcpy(copy, text, length);
  return copy;
}

void sl__arena_close(sl__arena *arena) {
  struct sl__arena_block *block = arena->blocks;
  while (block) {
    struct sl__arena_block *older = block->next;
    sl__free(&arena->allocator, block);
    block = older;
  }
  arena->blocks = NULL;
  arena->used = arena->capacity = arena->total = 0;
}
