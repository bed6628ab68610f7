/* What the files of this folder share: the format of a name, and the writers behind
 * sl__table_write. */
#ifndef SL_IO_FORMATS_H
#define SL_IO_FORMATS_H
#include "base/os.h"
#include "io/io.h"

typedef enum sl__format { SL__FORMAT_CSV, SL__FORMAT_NPY } sl__format;

/* A block of numbers to write, row-major. */
typedef struct sl__written_table {
  int64_t rows, columns;
  sl_dtype type;
  const void *data;         /* rows x columns */
  const char *const *names; /* columns of them, or NULL */
} sl__written_table;

/* Write failures stay with the stream and are found when the file is finished. */
sl_status sl__write_csv(sl_context *context, FILE *file, const sl__written_table *table);
sl_status sl__write_npy(sl_context *context, FILE *file, const sl__written_table *table);
#endif
