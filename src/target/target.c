/* Targets: making and asking them, whatever their source. What a source leaves out means that the
 * parameters are the coordinates themselves. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "target/source.h"

/* ---- making ---- */

sl_status sl__target_make(sl_context *context, const sl__target_source *source, const char *title,
                          int32_t dim, size_t state_size, sl__target **out) {
  *out = NULL;
  sl__target *target = sl__allocate(context, 1, sizeof *target);
  if (!target) return SL_NO_MEMORY;
  sl__arena_open(&target->arena, context);
  target->state = sl__arena_take(&target->arena, 1, state_size);
  target->title = sl__arena_text(&target->arena, title, strlen(title));
  target->dim = dim;
  target->log_evidence = (double)NAN;
  if (!target->state || !target->title) {
    sl__target_free(target);
    return SL_NO_MEMORY;
  }
  target->source = source;
  target->direct = !source->write;
  *out = target;
  return SL_OK;
}

static const char *number_name(sl__arena *arena, int32_t i) {
  char name[24];
  const int length = snprintf(name, sizeof name, "x%d", (int)i + 1);
  return sl__arena_text(arena, name, (size_t)length);
}

sl_status sl__target_set_names(sl__target *target, const char *const *names) {
  sl__arena *arena = &target->arena;
  const char **copies = sl__arena_take(arena, (size_t)target->dim, sizeof *copies);
  if (!copies) return SL_NO_MEMORY;
  for (int32_t i = 0; i < target->dim; i++) {
    copies[i] = names ? sl__arena_text(arena, names[i], strlen(names[i])) : number_name(arena, i);
    if (!copies[i]) return SL_NO_MEMORY;
  }
  target->names = copies;
  return SL_OK;
}

void sl__target_free(sl__target *target) {
  if (!target) return;
  if (target->source && target->source->close) target->source->close(target);
  const sl__allocator allocator = target->arena.allocator;
  sl__arena_close(&target->arena);
  sl__free(&allocator, target);
}

/* ---- asking ---- */

sl_node sl__target_log_density(const sl__target *target, sl__graph *g, sl_node x, uint32_t flags) {
  return target->source->log_density(target, g, x, flags);
}

sl_node sl__target_log_jacobian(const sl__target *target, sl__graph *g, sl_node x) {
  if (target->direct) return op_rows(g, op_number(g, SL_F64, 0));
  if (target->source->log_jacobian) return target->source->log_jacobian(target, g, x);
  const sl_node with = sl__target_log_density(target, g, x, 0);
  return op_subtract(g, with, sl__target_log_density(target, g, x, SL__DENSITY_NO_JACOBIAN));
}

int32_t sl__target_count(const sl__target *target, sl__target_part part) {
  if (target->source->count) return target->source->count(target, part);
  return part == SL__TARGET_PARAMETERS ? target->dim : 0;
}

const char *sl__target_name(const sl__target *target, sl__target_part part, int32_t i) {
  if (target->source->name) return target->source->name(target, part, i);
  return target->names[i];
}

int32_t sl__target_width(const sl__target *target, sl__target_part last) {
  int32_t width = 0; /* no overflow: names of a program's numbers and a library's sum are bounded */
  for (int part = 0; part <= (int)last; part++)
    width += sl__target_count(target, (sl__target_part)part);
  return width;
}

sl_status sl__target_write(sl_context *context, const sl__target *target, sl__target_part last,
                           int64_t rows, const double *q, uint64_t seed, int64_t first_row,
                           double *out) {
  if (target->source->write)
    return target->source->write(context, target, last, rows, q, seed, first_row, out);
  memcpy(out, q, (size_t)rows * (size_t)target->dim * sizeof *out);
  return SL_OK;
}

sl_status sl__target_unconstrain(sl_context *context, const sl__target *target,
                                 const double *parameters, double *q) {
  int64_t row;
  return sl__target_unconstrain_rows(context, target, 1, parameters, q, &row);
}

sl_status sl__target_unconstrain_rows(sl_context *context, const sl__target *target, int64_t rows,
                                      const double *parameters, double *q, int64_t *row) {
  const sl__target_source *source = target->source;
  const int32_t count = sl__target_count(target, SL__TARGET_PARAMETERS), dim = target->dim;
  *row = 0;
  if (source->unconstrain_rows)
    return source->unconstrain_rows(context, target, rows, parameters, q, row);
  if (!source->unconstrain) {
    memcpy(q, parameters, (size_t)rows * (size_t)dim * sizeof *q);
    return SL_OK;
  }
  for (; *row < rows; ++*row)
    SL__TRY(source->unconstrain(context, target, parameters + *row * count, q + *row * dim));
  return SL_OK;
}

sl_status sl__target_explain(sl_context *context, const sl__target *target, const double *q) {
  return target->source->explain ? target->source->explain(context, target, q) : SL_OK;
}
