/* Trackers: numbers of a run, every so many steps, as a table. */
#include "infer/vi/track.h"
#include <math.h>
#include <string.h>
#include "infer/vi/engine.h"
#include "io/io.h"

sl_status sl__vi_track_add(sl__vi_track *track, const sl__vi_column *column) {
  enum { MOST_COLUMNS = 100000 };
  if (track->columns == MOST_COLUMNS)
    return sl__fail(track->context, SL_BAD_ARGUMENT,
                    "more than %d numbers to track; choose fewer tensors", MOST_COLUMNS);
  if (track->columns == track->capacity) {
    const int32_t capacity = track->capacity > 0 ? 2 * track->capacity : 16;
    sl__vi_column *bigger = sl__arena_take(&track->arena, (size_t)capacity, sizeof *bigger);
    if (!bigger) return SL_NO_MEMORY;
    if (track->columns > 0) memcpy(bigger, track->column, (size_t)track->columns * sizeof *bigger);
    track->column = bigger;
    track->capacity = capacity;
  }
  track->column[track->columns++] = *column;
  return SL_OK;
}

sl_status sl__vi_track_new(sl_context *context, const sl__flow *flow, const char *spec,
                           sl__vi_track **out) {
  *out = NULL;
  sl__vi_track *track = sl__allocate(context, 1, sizeof *track);
  if (!track) return SL_NO_MEMORY;
  track->context = context;
  track->flow = flow;
  sl__arena_open(&track->arena, context);
  const sl_status status = sl__vi_track_read(track, spec);
  if (status != SL_OK) {
    sl__vi_track_free(track);
    return status;
  }
  *out = track;
  return SL_OK;
}

sl_status sl__vi_track_function(sl__vi_track *track, const sl__vi_function *function) {
  track->function = *function;
  for (int32_t k = 0; k < function->count; k++) {
    const char *name = function->names[k];
    const char *kept = sl__arena_text(&track->arena, name, strlen(name));
    if (!kept) return SL_NO_MEMORY;
    SL__TRY(
        sl__vi_track_add(track, &(sl__vi_column){.name = kept, .kind = SL__VI_COLUMN_FUNCTION}));
  }
  return SL_OK;
}

static double value_of(const sl__vi_column *column, const sl__vi_progress *now) {
  switch (column->kind) {
    case SL__VI_COLUMN_STEP: return (double)now->step;
    case SL__VI_COLUMN_LOSS: return now->loss;
    case SL__VI_COLUMN_LOSS_AVERAGE: return now->loss_average;
    case SL__VI_COLUMN_GRADIENT_NORM: return now->gradient_norm;
    case SL__VI_COLUMN_SECONDS: return now->seconds;
    case SL__VI_COLUMN_PARAMETER: return sl__vi_number(now->flow, now->parameters, column->offset);
    case SL__VI_COLUMN_GRADIENT: return sl__vi_number(now->flow, now->gradient, column->offset);
    case SL__VI_COLUMN_FUNCTION: return (double)NAN; /* until the function gives it */
  }
  return 0;
}

/* A failure that the function names no cause of is named here. */
static sl_status ask_caller(const sl__vi_track *track, const sl__vi_progress *now, double *values) {
  sl__error *error = &track->context->error;
  if (!track->function.call) return SL_OK;
  error->message[0] = '\0';
  const sl_status status = track->function.call(track->function.user, now, values);
  if (status == SL_STOPPED)
    return sl__fail(track->context, status, "stopped after step %lld of %lld", (long long)now->step,
                    (long long)now->steps);
  if (status != SL_OK && error->message[0] == '\0')
    return sl__fail(track->context, status,
                    "the function that is tracked failed after step %lld; it returned: %s",
                    (long long)now->step, sl_status_text(status));
  return status;
}

sl_status sl__vi_track_step(sl__vi_track *track, const sl__vi_progress *now) {
  if (now->step % track->every != 0) return SL_OK;
  if (track->rows == track->row_capacity) {
    const int64_t capacity = track->row_capacity > 0 ? 2 * track->row_capacity : 256;
    double *bigger = sl__resize(track->context, track->values, (size_t)track->row_capacity,
                                (size_t)capacity, (size_t)track->columns * sizeof *bigger);
    if (!bigger) return SL_NO_MEMORY;
    track->values = bigger;
    track->row_capacity = capacity;
  }
  double *row = track->values + track->rows++ * track->columns;
  for (int32_t c = 0; c < track->columns; c++) row[c] = value_of(&track->column[c], now);
  const int32_t own = track->function.count;
  return ask_caller(track, now, own > 0 ? row + track->columns - own : NULL);
}

int64_t sl__vi_track_rows(const sl__vi_track *track) {
  return track->rows;
}
int32_t sl__vi_track_columns(const sl__vi_track *track) {
  return track->columns;
}
const char *sl__vi_track_name(const sl__vi_track *track, int32_t column) {
  return track->column[column].name;
}
const double *sl__vi_track_values(const sl__vi_track *track) {
  return track->values;
}
const char *sl__vi_track_file(const sl__vi_track *track) {
  return track->file;
}

sl_status sl__vi_track_write(const sl__vi_track *track) {
  if (!track->file) return SL_OK;
  const char **names = sl__allocate(track->context, (size_t)track->columns, sizeof *names);
  if (!names) return SL_NO_MEMORY;
  for (int32_t c = 0; c < track->columns; c++) names[c] = track->column[c].name;
  const sl_status status = sl__table_write(track->context, track->file, NULL, track->rows,
                                           track->columns, SL_F64, track->values, names);
  sl__free(&track->context->allocator, names);
  return status;
}

void sl__vi_track_free(sl__vi_track *track) {
  if (!track) return;
  const sl__allocator allocator = track->arena.allocator;
  sl__free(&allocator, track->values);
  sl__arena_close(&track->arena);
  sl__free(&allocator, track);
}
