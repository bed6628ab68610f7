/* Tables for commands: reading with the refusals that name file, line and column. */
#include <math.h>
#include <string.h>

#include "cli/cli.h"

static double value_at(const sl__table *table, int64_t row, int64_t column) {
  int64_t i = row * table->columns + column;
  return table->type == SL_F32 ? (double)((const float *)table->data)[i]
                               : ((const double *)table->data)[i];
}

sl_status sl__cli_read_table(sl__cli *cli, const char *path, sl__table *table) {
  const char *format = sl__cli_option(cli, "format")->text;
  sl__cli_about(cli, path, NULL);
  SL__TRY(sl__table_read_words(cli->context, path, format, table));
  for (int64_t row = 0; row < table->rows; row++)
    for (int64_t column = 0; column < table->columns; column++) {
      double value = value_at(table, row, column);
      if (isfinite(value)) continue;
      int line = 0, column_in_line = 0;
      sl__table_place(table, row, column, &line, &column_in_line);
      sl_status status =
          sl__fail_at(cli->context, SL_FORMAT, line, column_in_line,
                      "row %lld, column %lld is %s; remove the row or fill in the value",
                      (long long)row + 1, (long long)column + 1,
                      isnan(value) ? "not a number (NaN)" : "infinite");
      if (line == 0) sl__fail_prefix(cli->context, "%s", cli->place);
      sl__table_close(table);
      return status;
    }
  return SL_OK;
}

sl_status sl__cli_check_table_file(sl__cli *cli) {
  const char *path = sl__cli_option(cli, "output")->text;
  const char *format = sl__cli_option(cli, "format")->text;
  return path ? sl__table_check_out(cli->context, path, format) : SL_OK;
}

sl_status sl__cli_write_table(sl__cli *cli, const char *path, sl_dtype precision, int64_t rows,
                              int64_t columns, double *values, const char *const *names) {
  if (precision == SL_F32) {
    /* In place: number i is written at or before where it was read. */
    for (int64_t i = 0; i < rows * columns; i++) {
      float narrow = (float)values[i];
      memcpy((char *)values + (size_t)i * sizeof narrow, &narrow, sizeof narrow);
    }
  }
  return sl__table_write(cli->context, sl__cli_about(cli, path, NULL),
                         sl__cli_option(cli, "format")->text, rows, columns, precision, values,
                         names);
}
