/* The inside of a tracker: what its columns are, and the table that grows. src/infer/vi only. */
#ifndef SL_INFER_VI_TRACK_H
#define SL_INFER_VI_TRACK_H
#include "infer/vi/vi.h"

typedef enum sl__vi_column_kind {
  SL__VI_COLUMN_STEP,
  SL__VI_COLUMN_LOSS,
  SL__VI_COLUMN_LOSS_AVERAGE,
  SL__VI_COLUMN_GRADIENT_NORM,
  SL__VI_COLUMN_SECONDS,
  SL__VI_COLUMN_PARAMETER,
  SL__VI_COLUMN_GRADIENT,
  SL__VI_COLUMN_FUNCTION
} sl__vi_column_kind;

typedef struct sl__vi_column {
  const char *name;
  sl__vi_column_kind kind;
  int64_t offset; /* of the number in the parameter vector */
} sl__vi_column;

struct sl__vi_track {
  sl_context *context;
  const sl__flow *flow;
  sl__arena arena; /* columns, names */
  int32_t columns, capacity;
  sl__vi_column *column;
  int64_t every, rows, row_capacity;
  double *values;           /* [rows][columns] */
  const char *file;         /* NULL: none */
  sl__vi_function function; /* of the last columns */
};

/* track_spec.c: reads a spec into the columns. */
sl_status sl__vi_track_read(sl__vi_track *track, const char *spec);
sl_status sl__vi_track_add(sl__vi_track *track, const sl__vi_column *column);
#endif
