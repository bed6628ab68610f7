/* Tables and models in files. Readers treat every length as hostile. Only src/io knows formats. */
#ifndef SL_IO_IO_H
#define SL_IO_IO_H
#include "base/context.h"
#include "base/text.h"

/* Where a non-finite value stands in a CSV. */
typedef struct sl__table_mark {
  int64_t row, column;
  int place; /* byte of the line, 1-based */
} sl__table_mark;

/* The words of a column that holds no numbers, each once, in the order of their bytes. */
enum { SL__MOST_WORDS = 1000 };
typedef struct sl__table_words {
  int32_t count;         /* 0: the column holds numbers */
  bool more;             /* there are more: they are no labels, and their numbers mean nothing */
  const char **word;     /* [count] */
  int32_t room, *number; /* while the table is read */
} sl__table_words;

/* A table of numbers, row-major, with column names when the file had them. */
typedef struct sl__table {
  int64_t rows, columns;
  sl_dtype type;         /* CSV reads as F64; NPY as stored (integers become F64) */
  void *data;            /* rows x columns */
  char **names;          /* columns of them, or NULL */
  int64_t first_line;    /* CSV: line of the first data row (a row is one line); else 0 */
  sl__table_mark *marks; /* CSV: the first non-finite values, for sl__table_place */
  int mark_count;
  sl__table_words *words; /* [columns]: a column of words holds their numbers from 0; or NULL */
  sl__arena arena;        /* owns it all */
} sl__table;

/* Format by extension (.csv, .txt, .tsv; .npy) or by `format` ("csv", "npy", NULL); path "-":
 * standard input (csv unless the bytes are NPY's magic). Refuses with file, line and column: ragged
 * rows, missing or non-numeric fields, no rows. NaN and infinities are read; whether they are
 * acceptable is the caller's business (sl__table_place gives "FILE:LINE:COLUMN"). */
sl_status sl__table_read(sl_context *context, const char *path, const char *format, sl__table *out);
/* The same, but a column of a CSV whose first field is no number holds words. There must be a header
 * then. */
sl_status sl__table_read_words(sl_context *context, const char *path, const char *format,
                               sl__table *out);
sl_status sl__table_parse_csv_words(sl_context *context, const char *bytes, size_t length,
                                    sl__table *out);
sl_status sl__table_parse_csv(sl_context *context, const char *bytes, size_t length,
                              sl__table *out); /* also the fuzz target */
sl_status sl__table_parse_npy(sl_context *context, const char *bytes, size_t length,
                              sl__table *out);
/* Where a value stands in its file: the line of a CSV's row, and for the first non-finite values
 * the byte in it; 0 if unknown. */
void sl__table_place(const sl__table *table, int64_t row, int64_t column, int *line,
                     int *column_in_line);
void sl__table_close(sl__table *table);
/* Whether a table could be written there, asked before long work: the name's ending, unless format
 * says more, and the place. */
sl_status sl__table_check_out(sl_context *context, const char *path, const char *format);
/* Writes rows x columns of `type`; CSV gets a header row when names are given; NPY 2-D (1-D when
 * columns == 1 and names NULL). */
sl_status sl__table_write(sl_context *context, const char *path, const char *format, int64_t rows,
                          int64_t columns, sl_dtype type, const void *data,
                          const char *const *names);

/* column_list.c: "height, 4, theta[1,2], a..c": columns of a table of `columns`, names NULL where it
 * has none, in the text's order, each once, into list [columns]. same: when two names are one; NULL:
 * when they are equal. Refusals, of an empty text too, have line and column of the text. */
sl_status sl__column_list_read(sl_context *context, const char *text, int64_t columns,
                               const char *const *names,
                               bool (*same)(const char *a, const char *b), int64_t *list,
                               int64_t *count);

/* safetensors: named tensors and text metadata (https://huggingface.co/docs/safetensors). */
typedef struct sl__tensor {
  const char *name;
  sl_dtype type; /* of the elements, unless */
  bool is_int64; /* they are int64_t */
  int32_t dims;
  int64_t shape[4];
  const void *data; /* when read: a copy, 16-byte aligned at least */
  int64_t count;
} sl__tensor;
typedef struct sl__tensor_file {
  int64_t tensors;
  sl__tensor *tensor;
  int64_t entries;
  const char **keys, **values; /* __metadata__ */
  sl__arena arena;
} sl__tensor_file;
sl_status sl__tensors_read(sl_context *context, const char *path, sl__tensor_file *out);
sl_status sl__tensors_parse(sl_context *context, const char *bytes, size_t length,
                            sl__tensor_file *out);
sl_status sl__tensors_write(sl_context *context, const char *path, int64_t tensors,
                            const sl__tensor *tensor, int64_t entries, const char *const *keys,
                            const char *const *values); /* temporary name, then rename */
const sl__tensor *sl__tensors_find(const sl__tensor_file *file, const char *name);
const char *sl__tensors_meta(const sl__tensor_file *file, const char *key);
void sl__tensors_close(sl__tensor_file *file);
#endif
