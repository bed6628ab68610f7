/* Stan's JSON data: whatever a file holds, a model or a message, within bounded memory. */
#include "fuzz.h"
#include "stan/model.h"
#include <stdlib.h>
#include <string.h>

static const char program_text[] =
    "data { int<lower=0, upper=50> N; array[N] int k; vector[N] v; row_vector<lower=0>[2] w;\n"
    "  matrix[2, N] A; array[2] simplex[2] p; array[N, 2] real a; real x; ordered[2] o; }\n"
    "parameters { real mu; }\n"
    "model { v ~ normal(mu, 1); }\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context = NULL;
  sl__stan_program *program = NULL;
  sl__stan_model *model = NULL;
  if (sl_context_new(&options, &context) != SL_OK) return 0;
  if (sl__stan_parse(context, "fuzz.stan", program_text, strlen(program_text), &program) != SL_OK ||
      sl__stan_check(context, program) != SL_OK)
    abort();
  if (sl__stan_model_new(context, program, "fuzz.json", (const char *)data, size, 1, &model) ==
      SL_OK)
    sl__stan_model_free(context, model);
  else if (!*sl_error(context))
    abort();
  sl_context_free(context);
  return 0;
}

const fuzz_seed fuzz_seeds[] = {
    FUZZ_SEED("{\"N\": 2, \"k\": [1, -2], \"v\": [0.5, \"NaN\"], \"w\": [1, 2e1], \"A\": [[1, 2], "
              "[3, 4]], \"p\": [[0.5, 0.5], [1, 0]], \"a\": [[1, 2], [3, \"-Inf\"]], \"x\": "
              "Infinity, \"o\": [1, 2]}"),
    FUZZ_SEED("{\"N\": 0, \"k\": [], \"v\": [], \"w\": [0, 0], \"A\": [[], []], \"p\": [[0.25, "
              "0.75], [0, 1]], \"a\": [], \"x\": 1e400, \"o\": [-1, 0], \"more\": {\"y\": null}}"),
    FUZZ_SEED("{\"N\": 1, \"N\": 2, \"k\": [[1]], \"A\": [[1], [2, 3]]}"),
    FUZZ_SEED("{\"N\": 1.0, \"k\": [2147483648]}"),
    FUZZ_SEED("[[[[[[[[{\"N\": \"\\u00e9\"}]]]]]]]]"),
    {0},
};
