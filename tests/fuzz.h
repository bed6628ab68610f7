/* What a fuzz target offers: the function libFuzzer calls, and seeds for the driver in
 * fuzz_main.c. */
#ifndef SL_TESTS_FUZZ_H
#define SL_TESTS_FUZZ_H
#include <stddef.h>
#include <stdint.h>

typedef struct fuzz_seed {
  const char *bytes;
  size_t length;
} fuzz_seed;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern const fuzz_seed fuzz_seeds[]; /* ends with bytes NULL */

#define FUZZ_SEED(text) \
  { text, sizeof(text) - 1 }
#endif
