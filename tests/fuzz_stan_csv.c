/* Stan CSV: whatever the bytes, either draws whose every number can be touched, or a message with a
 * place. */
#include "fuzz.h"
#include "io/draws.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context = NULL;
  if (sl_context_new(&options, &context) != SL_OK) return 0;
  sl__draws draws;
  sl_status status = sl__draws_parse_stan(context, (const char *)data, size, &draws);
  if (status == SL_OK) {
    volatile double sum = sl__is_stan_csv((const char *)data, size);
    if (draws.chains < 1 || draws.draws < 1 || draws.columns < 1) abort();
    for (int64_t i = 0; i < draws.draws * draws.columns; i++) sum += draws.values[i];
    for (int64_t i = 0; i < draws.columns; i++) sum += (double)strlen(draws.names[i]);
    (void)sum;
    sl__draws_close(&draws);
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
    FUZZ_SEED("# model = m\n#     save_warmup = 1\n#  max_depth = 10 (Default)\n"
              "lp__,accept_stat__,theta.1,theta.2.1\n-1,0.5,1,2\n# Adaptation terminated\n"
              "# Step size = 0.9\n-2,1,nan,-inf\n# \n#  Elapsed Time: 0.1 seconds (Warm-up)\n"),
    FUZZ_SEED("chain__,x\r\n1,1e-3\r\n2,-nan\r\n1,3"),
    FUZZ_SEED("\n\nlp__\n1\n\n2\n# Interrupted\n"),
    {0},
};
