/* Tables by file name: which format, reading, writing. */
#include "base/os.h"
#include "io/formats.h"
#include <string.h>

/* format, or else the extension of path, decides; names that say nothing are CSV. */
static sl_status find_format(sl_context *context, const char *path, const char *format,
                             sl__format *out) {
  *out = SL__FORMAT_CSV;
  if (format) {
    if (strcmp(format, "npy") == 0)
      *out = SL__FORMAT_NPY;
    else if (strcmp(format, "csv") != 0)
      return sl__fail(context, SL_BAD_ARGUMENT, "unknown format '%s'; known are csv, npy", format);
    return SL_OK;
  }
  static const char *const others[] = {".json", ".npz", ".safetensors", ".parquet", ".h5", ".xlsx"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (sl__has_ending(path, others[i]))
      return sl__fail(context, SL_BAD_ARGUMENT,
                      "%s: a table is CSV or NPY, not %s; give it as .csv or .npy, or rename it "
                      "if it is one of these",
                      path, others[i]);
  if (sl__has_ending(path, ".npy")) *out = SL__FORMAT_NPY;
  return SL_OK;
}

/* Of a file to be written an ending that is none of the two promises something else. */
static sl_status find_written_format(sl_context *context, const char *path, const char *format,
                                     sl__format *out) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  const char *ending = strrchr(name, '.');
  if (!format && ending && ending > name && !sl__has_ending(path, ".csv") &&
      !sl__has_ending(path, ".npy"))
    return sl__fail(context, SL_BAD_ARGUMENT, "%s: a table is CSV or NPY, not %s; use .csv or .npy",
                    path, ending);
  return find_format(context, path, format, out);
}

/* The message gets the file's name in front, and the place in it where one is known. */
static sl_status add_place(sl_context *context, const char *path) {
  const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
  int line = context->error.line, column = context->error.column;
  if (line > 0) return sl__fail_prefix(context, "%s:%d:%d", name, line, column);
  return sl__fail_prefix(context, "%s", name);
}

typedef sl_status (*csv_parser)(sl_context *context, const char *bytes, size_t length,
                                sl__table *out);

static sl_status read_table(sl_context *context, const char *path, const char *format,
                            csv_parser parse_csv, sl__table *out) {
  *out = (sl__table){0};
  sl__format found;
  char *bytes = NULL;
  size_t length = 0;
  SL__TRY(find_format(context, path, format, &found));
  SL__TRY(sl__os_read_file(context, path, &bytes, &length));
  bool magic = length >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0;
  if (magic && !format) found = SL__FORMAT_NPY;
  sl_status status = found == SL__FORMAT_NPY ? sl__table_parse_npy(context, bytes, length, out)
                                             : parse_csv(context, bytes, length, out);
  sl__free(&context->allocator, bytes);
  return status == SL_OK || status == SL_NO_MEMORY ? status : add_place(context, path);
}

sl_status sl__table_read(sl_context *context, const char *path, const char *format,
                         sl__table *out) {
  return read_table(context, path, format, sl__table_parse_csv, out);
}

sl_status sl__table_read_words(sl_context *context, const char *path, const char *format,
                               sl__table *out) {
  return read_table(context, path, format, sl__table_parse_csv_words, out);
}

void sl__table_place(const sl__table *table, int64_t row, int64_t column, int *line,
                     int *column_in_line) {
  *line = *column_in_line = 0;
  if (table->first_line == 0 || row > INT32_MAX - table->first_line) return;
  *line = (int)(table->first_line + row);
  for (int i = 0; i < table->mark_count; i++) {
    if (table->marks[i].row == row && table->marks[i].column == column)
      *column_in_line = table->marks[i].place;
  }
}

void sl__table_close(sl__table *table) {
  sl__arena_close(&table->arena);
  *table = (sl__table){0};
}

sl_status sl__table_check_out(sl_context *context, const char *path, const char *format) {
  sl__format found;
  SL__TRY(find_written_format(context, path, format, &found));
  return sl__os_check_out(context, path);
}

sl_status sl__table_write(sl_context *context, const char *path, const char *format, int64_t rows,
                          int64_t columns, sl_dtype type, const void *data,
                          const char *const *names) {
  sl__format found;
  sl__out_file out;
  SL__TRY(find_written_format(context, path, format, &found));
  SL__TRY(sl__os_open_out(context, path, &out));
  sl__written_table table = {rows, columns, type, data, names};
  sl_status status = found == SL__FORMAT_NPY ? sl__write_npy(context, out.file, &table)
                                             : sl__write_csv(context, out.file, &table);
  if (status != SL_OK) {
    sl__os_abandon_out(context, &out);
    return status;
  }
  return sl__os_finish_out(context, &out);
}
