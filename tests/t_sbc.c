/* Simulation-based calibration of the sampler on three models, and of a posterior that is wrong. */
#include "sbc.h"
#include "check.h"

enum { REPLICATIONS = 400, WARMUP = 150, THIN = 8 };

/* Chi square of 7 degrees of freedom is above it once in 10,000 times; so is a normal
 * number beyond the other. */
static const double most_chi_square = 29.9, most_score = 3.9;

static sbc_ranks calibrate(const sbc_model *model, const char *program, int replications) {
  sl_context *context = NULL;
  const sl_context_options one_thread = {.size = sizeof one_thread, .threads = 1};
  if (sl_context_new(&one_thread, &context) != SL_OK) abort();
  sbc_ranks ranks = {0};
  for (uint64_t number = 1; number <= (uint64_t)replications; number++)
    CHECK_OK(context, sbc_replicate(context, model, program, number, WARMUP, THIN, &ranks));
  sl_context_free(context);
  return ranks;
}

TEST(ranks_are_uniform) {
  const int replications = check_fewer(REPLICATIONS, REPLICATIONS / 5, "replications");
  for (int m = 0; m < SBC_MODELS; m++) {
    const sbc_model *model = &sbc_models[m];
    const sbc_ranks ranks = calibrate(model, model->program, replications);
    for (int p = 0; p < model->parameters; p++) {
      CHECK(sbc_chi_square(ranks.counts[p]) < most_chi_square);
      CHECK(fabs(sbc_shift(ranks.counts[p])) < most_score);
      CHECK(fabs(sbc_spread(ranks.counts[p])) < most_score);
    }
  }
}

/* The same data, but a prior of b that is 1.3 times as wide. */
TEST(a_wrong_prior_is_found) {
  static const char wrong[] =
      "data { array[6] int y; }\n"
      "transformed data { vector[6] x = [-0.5, -0.3, -0.1, 0.1, 0.3, 0.5]'; }\n"
      "parameters { real a; real b; }\n"
      "model { a ~ normal(0, 1); b ~ normal(0, 0.65); y ~ poisson_log(a + b * x); }\n";
  const sbc_ranks ranks = calibrate(&sbc_models[1], wrong, REPLICATIONS);
  CHECK(sbc_spread(ranks.counts[1]) < -most_score);
}
