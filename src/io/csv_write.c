/* Tables to CSV: a header when names are given, then one line per row, every number with just
 * enough digits to read back the same bits. */
#include "io/formats.h"
#include <string.h>

/* Also names that would read back as numbers are quoted for the eye; the reader treats both
 * alike. */
static void write_name(FILE *file, const char *name) {
  if (*name && !strpbrk(name, ",;\t\"\r\n ")) {
    fputs(name, file);
    return;
  }
  fputc('"', file);
  for (; *name; name++) {
    if (*name == '"') fputc('"', file);
    fputc(*name, file);
  }
  fputc('"', file);
}

sl_status sl__write_csv(sl_context *context, FILE *file, const sl__written_table *table) {
  (void)context;
  for (int64_t column = 0; table->names && column < table->columns; column++) {
    write_name(file, table->names[column]);
    fputc(column + 1 < table->columns ? ',' : '\n', file);
  }
  for (int64_t row = 0; row < table->rows; row++) {
    for (int64_t column = 0; column < table->columns; column++) {
      int64_t i = row * table->columns + column;
      char text[33];
      double value = table->type == SL_F32 ? (double)((const float *)table->data)[i]
                                           : ((const double *)table->data)[i];
      int length = sl__format_real(text, value, table->type);
      text[length++] = column + 1 < table->columns ? ',' : '\n';
      fwrite(text, 1, (size_t)length, file);
    }
    if (ferror(file)) break;
  }
  return SL_OK;
}
