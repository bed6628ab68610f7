/* Stan programs that parse and check, executed with data: whatever they do, a density or a message
 * with a place, within bounded steps and memory. (Endless loops end after some 1e8 steps, which takes
 * seconds: tests/t_stan_refusals.c has them.) */
#include "fuzz.h"
#include "stan/model.h"
#include <stdlib.h>
#include <string.h>

/* The density of one point, built but not run. */
static void trace(sl_context *context, const sl__stan_model *model) {
  enum { MOST = 10000 }; /* parameters: larger models are real, but slow here */
  sl__graph *g = NULL;
  const int32_t dim = sl__stan_model_dim(model);
  if (dim < 1 || dim > MOST || sl__graph_new(context, &g) != SL_OK) return;
  const sl_node point = op_input(g, SL_F64, sl__shape1(dim));
  const sl_node density = sl__stan_model_log_density(model, g, point, true, true);
  if (sl__graph_status(g) == SL_OK && !density) abort();
  if (sl__graph_status(g) != SL_OK && !*sl_error(context)) abort();
  sl__graph_free(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char numbers[] = "{\"N\": 3, \"x\": [1, 2.5, -1], \"k\": [1, 2, 3]}";
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context = NULL;
  sl__stan_program *program = NULL;
  sl__stan_model *model = NULL;
  if (sl_context_new(&options, &context) != SL_OK) return 0;
  if (sl__stan_parse(context, "fuzz.stan", (const char *)data, size, &program) == SL_OK) {
    if (sl__stan_check(context, program) != SL_OK) {
      if (!*sl_error(context)) abort();
      sl__stan_program_free(context, program);
    } else if (sl__stan_model_new(context, program, "fuzz.json", numbers, strlen(numbers), 1,
                                  &model) == SL_OK) {
      trace(context, model);
      sl__stan_model_free(context, model);
    } else if (!*sl_error(context)) {
      abort();
    }
  }
  sl_context_free(context);
  return 0;
}

const fuzz_seed fuzz_seeds[] = {
    FUZZ_SEED("functions { int f(int n) { return f(n + 1); } } transformed data { int m = f(0); }"),
    FUZZ_SEED("functions { real f(real x) { return f(f(x)); } } parameters { real a; } "
              "model { target += f(a); }"),
    FUZZ_SEED("transformed data { matrix[2000000000, 2000000000] m; }"),
    FUZZ_SEED("parameters { array[1000, 1000, 1000] cov_matrix[1000] s; }"),
    FUZZ_SEED("parameters { vector[10000] x; } model { target += sum(x * x'); }"),
    FUZZ_SEED("data { int N; vector[N] x; array[N] int k; } parameters { real<lower=0> s; real mu; "
              "simplex[N] w; } model { x ~ normal(mu, s) T[-2, ]; k ~ poisson(s); "
              "target += gamma_lccdf(s | mu, 1e300) + inc_beta(s, 1e-300, 0.5); "
              "for (n in 1:N) if (mu > x[n]) target += log(w[n]); else s ~ student_t(mu, 0, 1); }"),
    FUZZ_SEED("parameters { matrix[3, 3] a; } model { target += sum(eigenvalues_sym(a * a')) + "
              "sum(matrix_power(a, 1000000)) + sum(svd_U(a[:, 1:2])) + sum(rep_array(a, 9)[2]); }"),
    {0},
};
