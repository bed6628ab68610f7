/* Simulation-based calibration at length: the ranks of true parameters among the sampler's draws.
 *
 *   bench_sbc [REPLICATIONS]
 *
 * 2,000 replications of each of the models of tests/sbc.h, one chain each of 1,000 iterations of
 * warm-up and 620 draws, one in 20 kept. Prints Markdown: for each parameter chi square of 8 bins of
 * ranks (7 degrees of freedom: above 18.5 once in 100 times, above 24.3 once in 1,000), and how far
 * ranks are shifted, and spread about the middle, in standard deviations of uniform ranks. */
#include "../tests/sbc.h"

enum { WARMUP = 1000, THIN = 20, REPLICATIONS = 2000 };

static sl_status calibrate(sl_context *context, const sbc_model *model, long replications) {
  sbc_ranks ranks = {0};
  for (long number = 1; number <= replications; number++)
    SL__TRY(sbc_replicate(context, model, model->program, (uint64_t)number, WARMUP, THIN, &ranks));
  for (int p = 0; p < model->parameters; p++)
    printf("| %s | %d | %.1f | %.1f | %.1f |\n", model->name, p + 1,
           sbc_chi_square(ranks.counts[p]), sbc_shift(ranks.counts[p]),
           sbc_spread(ranks.counts[p]));
  fflush(stdout);
  return SL_OK;
}

int main(int argc, char **argv) {
  const long replications = argc > 1 ? strtol(argv[1], NULL, 10) : REPLICATIONS;
  sl_context *context;
  const sl_context_options one_thread = {.size = sizeof one_thread, .threads = 1};
  if (replications < 1 || sl_context_new(&one_thread, &context) != SL_OK) {
    fprintf(stderr, "bench_sbc [REPLICATIONS]\n");
    return 2;
  }
  printf("%ld replications\n\n| model | parameter | chi square | shift | spread "
         "|\n|---|---|---|---|---|\n",
         replications);
  sl_status status = SL_OK;
  for (int m = 0; m < SBC_MODELS && status == SL_OK; m++)
    status = calibrate(context, &sbc_models[m], replications);
  if (status != SL_OK) fprintf(stderr, "%s\n", sl_error(context));
  sl_context_free(context);
  return status == SL_OK ? 0 : 1;
}
