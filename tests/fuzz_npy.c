/* NPY: whatever the bytes, either a table whose every number can be touched, or a message. */
#include "fuzz.h"
#include "io/io.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context = NULL;
  if (sl_context_new(&options, &context) != SL_OK) return 0;
  sl__table table;
  sl_status status = sl__table_parse_npy(context, (const char *)data, size, &table);
  if (status == SL_OK) {
    volatile double sum = 0;
    if (table.rows < 1 || table.columns < 1) abort();
    for (int64_t i = 0; i < table.rows * table.columns; i++) {
      sum += table.type == SL_F32 ? (double)((const float *)table.data)[i]
                                  : ((const double *)table.data)[i];
    }
    (void)sum;
    sl__table_close(&table);
  } else if (!*sl_error(context)) {
    abort();
  }
  sl_context_free(context);
  return 0;
}

#define VERSION1(length) "\x93NUMPY\x01\x00" length
const fuzz_seed fuzz_seeds[] = {
    FUZZ_SEED(VERSION1(
        "\x3B\x00") "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2)} \n12345678abcdefgh"),
    FUZZ_SEED(VERSION1(
        "\x3B\x00") "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2) } \n0123456789abcdef"),
    FUZZ_SEED(
        VERSION1("\x3B\x00") "{'descr': '|u1', 'fortran_order': False, 'shape': (3,) }  \nabc"),
    FUZZ_SEED("\x93NUMPY\x02\x00\x3B\x00\x00\x00{\"descr\": \"<i2\", 'fortran_order': False, "
              "'shape': (2, 1)} \nabcd"),
    {0},
};
