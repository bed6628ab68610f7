/* Stan programs: whatever the bytes, either a tree whose printed text parses and prints the same,
 * or a message with a place and the line it is on. */
#include "base/text.h"
#include "fuzz.h"
#include "stan/syntax.h"
#include <stdlib.h>
#include <string.h>

static void check_parsed(sl_context *context, const sl__stan_program *program) {
  sl__text text, text_again;
  sl__stan_program *again = NULL;
  sl__text_open(&text, context);
  sl__text_open(&text_again, context);
  sl__stan_print(program, &text);
  if (sl__stan_parse(context, "printed", text.data ? text.data : "", text.length, &again) != SL_OK)
    abort();
  sl__stan_print(again, &text_again);
  if (text.length != text_again.length) abort();
  if (text.length > 0 && strcmp(text.data, text_again.data) != 0) abort();
  sl__stan_program_free(context, again);
  sl__text_close(&text_again);
  sl__text_close(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context = NULL;
  sl__stan_program *program = NULL;
  if (sl_context_new(&options, &context) != SL_OK) return 0;
  sl_status status = sl__stan_parse(context, "fuzz.stan", (const char *)data, size, &program);
  if (status == SL_OK) {
    check_parsed(context, program);
  } else {
    int32_t line = 0, column = 0;
    if (status != SL_SYNTAX || program || !*sl_error(context)) abort();
    if (!sl_error_place(context, &line, &column) || line < 1 || column < 1) abort();
    if (!strchr(context->error.excerpt, '^')) abort();
  }
  sl__stan_program_free(context, program);
  sl_context_free(context);
  return 0;
}

const fuzz_seed fuzz_seeds[] = {
    FUZZ_SEED("data { int<lower=0> N; array[N] real y, z; vector[3] x[N]; }\n"
              "parameters { real<offset=1, multiplier=2> mu; simplex[K] theta; }\n"
              "model { y ~ normal(mu, 1) T[0, ]; target += f_lpdf(y | mu); }"),
    FUZZ_SEED("functions { real f(array[,] int a, data vector b); void g(real[] x) { x += 1; "
              "return; } tuple(int, real) h() { return (1, 2.5e-3); } }"),
    FUZZ_SEED("model { for (i in 1:N) if (a[i] == 2 && !b) { continue; } else if (c) break; else "
              "while (d ? e : f) x[i, :, 2:].1 .*= -y' ^ -z; /* c */ for (v in {1, 2}) ; }"),
    FUZZ_SEED(
        "transformed data { matrix[2, 2] m = [[1, 2i], [.5, 1.]]; (a, b.2) = f({1}, [ ]); "
        "{a, b} ~ g(); print(\"x\", m \\ m'); // end\n profile(\"p\") { reject(1 %/% 2); } }"),
    FUZZ_SEED("transformed parameters { real a = 1, b; jacobian += a; } generated quantities { "
              "tuple(int, array[2] cov_matrix[3]) t; cholesky_factor_cov[2, 3] L; }"),
    {0},
};
