/* Tracers: the stack of temporary values, frames of variables, limits, failures with their place.
 *
 * The stack is a chain of chunks, each twice as large as the one below it. Cutting back frees all
 * but one of the chunks above the mark, so that a loop at a chunk's edge does not allocate. */
#include "stan/trace.h"
#include <stdio.h>
#include <string.h>

enum { FIRST_CHUNK = 1 << 14, LARGEST_CHUNK = 1 << 24, ALIGNMENT = 16 };

struct sl__stan_chunk {
  sl__stan_chunk *below;
  size_t capacity, used; /* bytes behind this header */
};
enum { HEADER = (sizeof(sl__stan_chunk) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT };

sl_status sl__stan_tracer_open(sl__stan_tracer *t, sl_context *context,
                               const sl__stan_program *program, sl__graph *graph) {
  *t = (sl__stan_tracer){
      .context = context, .program = program, .graph = graph, .main_graph = graph};
  sl__arena_open(&t->arena, context);
  t->frame = &t->global;
  return sl__stan_frame_open(t, &t->global, program->slot_count);
}

static void free_chunk(sl__stan_tracer *t, sl__stan_chunk *chunk) {
  if (!chunk) return;
  t->memory -= chunk->capacity;
  sl__free(&t->context->allocator, chunk);
}

void sl__stan_tracer_close(sl__stan_tracer *t) {
  sl__stan_frame_close(t, &t->global);
  sl__stan_stack_release(t, (sl__stan_mark){0});
  free_chunk(t, t->spare);
  sl__graph_free(t->spare_graph);
  sl__free(&t->context->allocator, t->term);
  sl__arena_close(&t->arena);
}

/* ---- failures and limits ---- */

sl_status sl__stan_stop(sl__stan_tracer *t, sl_status status, size_t place, const char *format,
                        ...) {
  char message[sizeof t->context->error.message];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return sl__source_fail(t->context, &t->program->source, status, place, "%s", message);
}

sl_status sl__stan_graph_check(sl__stan_tracer *t, size_t place) {
  const sl_status status = t->graph ? sl__graph_status(t->graph) : SL_OK;
  if (status == SL_OK || status == SL_NO_MEMORY) return status;
  char message[sizeof t->context->error.message];
  snprintf(message, sizeof message, "%s", t->context->error.message);
  return sl__stan_stop(t, status, place, "%s", message);
}

sl_status sl__stan_no_node(sl__stan_tracer *t, size_t place) {
  const sl_status status = sl__stan_graph_check(t, place);
  return status != SL_OK ? status : sl__fail(t->context, SL_NO_MEMORY, "no memory for a value");
}

sl_status sl__stan_count_steps(sl__stan_tracer *t, size_t place, int64_t steps) {
  t->place = place;
  if (!__builtin_add_overflow(t->steps, steps, &t->steps) && t->steps <= SL__STAN_MAX_STEPS)
    return SL_OK;
  t->steps = SL__STAN_MAX_STEPS;
  if (steps > SL__STAN_MAX_STEPS / 2)
    return sl__stan_stop(t, SL_UNSUPPORTED, place,
                         "this alone takes %lld steps, and a program has %d; are the sizes right?",
                         (long long)steps, SL__STAN_MAX_STEPS);
  return sl__stan_stop(t, SL_UNSUPPORTED, place,
                       "the program has taken more than %d steps by now, which is all it has; make "
                       "its loops shorter, or operations on vectors; or does one run for ever?",
                       SL__STAN_MAX_STEPS);
}

sl_status sl__stan_count_work(sl__stan_tracer *t, size_t place, const char *operation,
                              double work) {
  const double steps = work / SL__STAN_STEP_WORK;
  const double left = (double)(SL__STAN_MAX_STEPS - t->steps);
  if (steps <= left || steps < SL__STAN_MAX_STEPS / 2)
    return sl__stan_count_steps(t, place, (int64_t)steps);
  return sl__stan_stop(t, SL_UNSUPPORTED, place,
                       "'%.60s' takes about %.2g steps with arguments of this size, and a program "
                       "has %.2g; make them smaller, or pass the result as data",
                       operation, steps, (double)SL__STAN_MAX_STEPS);
}

sl_status sl__stan_enter(sl__stan_tracer *t, size_t place) {
  if (++t->nesting <= SL__STAN_MAX_NESTING) return SL_OK;
  return sl__stan_stop(t, SL_UNSUPPORTED, place,
                       "calls within calls are nested too deep; does a function call itself for "
                       "ever?");
}

static sl_status refuse_memory(sl__stan_tracer *t) {
  return sl__stan_stop(t, SL_NO_MEMORY, t->place,
                       "the program's values need more than %d megabytes; are the sizes right?",
                       SL__STAN_MAX_MEMORY >> 20);
}

/* ---- the stack ---- */

static sl__stan_chunk *new_chunk(sl__stan_tracer *t, size_t bytes) {
  size_t capacity = t->chunk ? 2 * t->chunk->capacity : FIRST_CHUNK;
  if (capacity > LARGEST_CHUNK) capacity = LARGEST_CHUNK;
  if (capacity < bytes) capacity = bytes;
  sl__stan_chunk *chunk = t->spare;
  t->spare = NULL;
  if (chunk && chunk->capacity < bytes) {
    free_chunk(t, chunk);
    chunk = NULL;
  }
  if (!chunk) {
    if (capacity > SL__STAN_MAX_MEMORY - t->memory) {
      refuse_memory(t);
      return NULL;
    }
    chunk = sl__allocate(t->context, HEADER + capacity, 1);
    if (!chunk) return NULL;
    chunk->capacity = capacity;
    t->memory += capacity;
  }
  chunk->below = t->chunk;
  chunk->used = 0;
  t->chunk = chunk;
  return chunk;
}

void *sl__stan_temporary(sl__stan_tracer *t, int64_t count, size_t size) {
  size_t bytes;
  if (count < 0 || __builtin_mul_overflow((size_t)count, size, &bytes) ||
      bytes > SL__STAN_MAX_MEMORY) {
    refuse_memory(t);
    return NULL;
  }
  bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  t->steps += (int64_t)(bytes / SL__STAN_STEP_BYTES); /* whoever takes it, writes it */
  sl__stan_chunk *chunk = t->chunk;
  if (!chunk || bytes > chunk->capacity - chunk->used) {
    chunk = new_chunk(t, bytes);
    if (!chunk) return NULL;
  }
  void *taken = (char *)chunk + HEADER + chunk->used;
  chunk->used += bytes;
  return taken;
}

sl__stan_mark sl__stan_stack_mark(const sl__stan_tracer *t) {
  return (sl__stan_mark){t->chunk, t->chunk ? t->chunk->used : 0};
}

void sl__stan_stack_release(sl__stan_tracer *t, sl__stan_mark mark) {
  while (t->chunk != mark.chunk) {
    sl__stan_chunk *chunk = t->chunk;
    t->chunk = chunk->below;
    free_chunk(t, t->spare);
    t->spare = chunk;
  }
  if (t->chunk) t->chunk->used = mark.used;
}

/* ---- frames ---- */

sl_status sl__stan_slot_reserve(sl__stan_tracer *t, sl__stan_slot *slot, int64_t count,
                                size_t size) {
  size_t bytes;
  if (count == 0) count = 1; /* values without elements have memory, too: NULL is a failure */
  if (__builtin_mul_overflow((size_t)count, size, &bytes) || bytes > SL__STAN_MAX_MEMORY)
    return refuse_memory(t);
  if (bytes <= slot->bytes) return SL_OK;
  if (bytes > SL__STAN_MAX_MEMORY - t->memory) return refuse_memory(t);
  void *memory = sl__resize(t->context, slot->memory, slot->bytes, bytes, 1);
  if (!memory) return SL_NO_MEMORY;
  t->memory += bytes - slot->bytes;
  slot->memory = memory;
  slot->bytes = bytes;
  return SL_OK;
}

sl_status sl__stan_frame_open(sl__stan_tracer *t, sl__stan_frame *frame, int count) {
  *frame = (sl__stan_frame){.count = count};
  t->steps += count;
  frame->slot = sl__allocate(t->context, (size_t)count, sizeof *frame->slot);
  return frame->slot ? SL_OK : SL_NO_MEMORY;
}

void sl__stan_frame_close(sl__stan_tracer *t, sl__stan_frame *frame) {
  for (int i = 0; frame->slot && i < frame->count; i++) {
    t->memory -= frame->slot[i].bytes;
    sl__free(&t->context->allocator, frame->slot[i].memory);
  }
  sl__free(&t->context->allocator, frame->slot);
  frame->slot = NULL;
}
