/* CSV: whatever the bytes, either a table whose every number can be touched, or a message with a
 * place. */
#include "fuzz.h"
#include "io/io.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context = NULL;
  if (sl_context_new(&options, &context) != SL_OK) return 0;
  sl__table table;
  sl_status status = sl__table_parse_csv(context, (const char *)data, size, &table);
  if (status == SL_OK) {
    volatile double sum = 0;
    if (table.rows < 1 || table.columns < 1) abort();
    for (int64_t i = 0; i < table.rows * table.columns; i++) sum += ((const double *)table.data)[i];
    for (int64_t i = 0; table.names && i < table.columns; i++)
      sum += (double)strlen(table.names[i]);
    (void)sum;
    sl__table_close(&table);
  } else if (status == SL_FORMAT) {
    int32_t line = 0, column = 0;
    if (!sl_error_place(context, &line, &column) || column < 1 || !*sl_error(context)) abort();
  } else {
    abort();
  }
  sl_context_free(context);
  return 0;
}

const fuzz_seed fuzz_seeds[] = {
    FUZZ_SEED("a,b\n1,2\n3,4\n"),
    FUZZ_SEED("\xEF\xBB\xBF\"x y\";\"z\"\"q\"\r\n1.5;-2e3\r\nnan;inf\r\n\r\n"),
    FUZZ_SEED("1 2 3\n4 5 6\n\n"),
    FUZZ_SEED("\"two\nlines\"\tb\n1\t2"),
    FUZZ_SEED("0.12345678901234567,1e-310,123456789012345678901234567890e-40\n"),
    FUZZ_SEED("x\n\"1\"\n\"2\"\n"),
    {0},
};
