/* The binary interface, pinned: programs compiled against an older header must go on working. A
 * struct that has `size` first may grow at its end; then its line here changes. Nothing else
 * may. Sizes are those of machines with 64-bit pointers. */
#include <stddef.h>

#include "check.h"
#include "sluice/sluice.h"

#define PIN(type, member, where) CHECK_INTEGER(offsetof(type, member), where)

TEST(values_never_change) {
  CHECK_INTEGER(SL_OK, 0);
  CHECK_INTEGER(SL_STOPPED, 1);
  CHECK_INTEGER(SL_NO_MEMORY, 2);
  CHECK_INTEGER(SL_BAD_ARGUMENT, 3);
  CHECK_INTEGER(SL_SYNTAX, 4);
  CHECK_INTEGER(SL_IO, 5);
  CHECK_INTEGER(SL_FORMAT, 6);
  CHECK_INTEGER(SL_NUMERIC, 7);
  CHECK_INTEGER(SL_UNSUPPORTED, 8);
  CHECK_INTEGER(SL_F32, 0);
  CHECK_INTEGER(SL_F64, 1);
  CHECK_INTEGER(SL_TO_DATA, 0);
  CHECK_INTEGER(SL_TO_BASE, 1);
  CHECK_INTEGER(SL_EVALUATE_LOG_PROB, 1);
  CHECK_INTEGER(SL_EVALUATE_GRADIENT, 2);
  CHECK_INTEGER(SL_EVALUATE_PARAMETERS, 4);
  CHECK_INTEGER(SL_EVALUATE_SAMPLE, 8);
  CHECK_INTEGER(SL_EVALUATE_SAMPLE_GRADIENT, 16);
  CHECK_INTEGER(sizeof(sl_status), 4);
  CHECK_INTEGER(sizeof(sl_dtype), 4);
  CHECK_INTEGER(sizeof(sl_direction), 4);
}

TEST(frozen_structs) {
  CHECK_INTEGER(sizeof(sl_array_in), 48);
  PIN(sl_array_in, data, 0);
  PIN(sl_array_in, dtype, 8);
  PIN(sl_array_in, rows, 16);
  PIN(sl_array_in, columns, 24);
  PIN(sl_array_in, row_stride, 32);
  PIN(sl_array_in, column_stride, 40);
  CHECK_INTEGER(sizeof(sl_array_out), 48);
  PIN(sl_array_out, data, 0);
  PIN(sl_array_out, dtype, 8);
  PIN(sl_array_out, rows, 16);
  PIN(sl_array_out, columns, 24);
  PIN(sl_array_out, row_stride, 32);
  PIN(sl_array_out, column_stride, 40);
  CHECK_INTEGER(sizeof(sl_summary), 80);
  PIN(sl_summary, mean, 0);
  PIN(sl_summary, sd, 16);
  PIN(sl_summary, q5, 32);
  PIN(sl_summary, ess_bulk, 56);
  PIN(sl_summary, rhat, 72);
  CHECK_INTEGER(sizeof(sl_psis_report), 32);
  PIN(sl_psis_report, ess, 16);
  CHECK_INTEGER(sizeof(sl_score), 32);
  PIN(sl_score, log_prob, 0);
  PIN(sl_score, se, 8);
  PIN(sl_score, log_prob_standardized, 16);
  PIN(sl_score, rows, 24);
}

TEST(structs_that_may_grow) {
  PIN(sl_context_options, size, 0);
  PIN(sl_context_options, threads, 8);
  PIN(sl_context_options, reallocate, 16);
  PIN(sl_context_options, log, 24);
  PIN(sl_context_options, user, 32);
  CHECK_INTEGER(sizeof(sl_context_options), 40);

  PIN(sl_fit_data, size, 0);
  PIN(sl_fit_data, x, 8);
  PIN(sl_fit_data, condition, 56);
  PIN(sl_fit_data, weight, 104);
  PIN(sl_fit_data, valid_x, 152);
  PIN(sl_fit_data, valid_condition, 200);
  PIN(sl_fit_data, test_x, 248);
  PIN(sl_fit_data, test_condition, 296);
  PIN(sl_fit_data, column_names, 344);
  PIN(sl_fit_data, condition_names, 352);
  PIN(sl_fit_data, columns, 360);
  PIN(sl_fit_data, valid_weight, 368);
  PIN(sl_fit_data, test_weight, 416);
  CHECK_INTEGER(sizeof(sl_fit_data), 464);

  PIN(sl_vi_progress, parameters, 72);
  PIN(sl_vi_progress, stage, 80);
  CHECK_INTEGER(sizeof(sl_vi_progress), 88);
  PIN(sl_vi_options, draws, 80);
  PIN(sl_vi_options, steps, 144);
  PIN(sl_vi_options, max_gradients, 304);
  PIN(sl_vi_options, go_back, 312);
  PIN(sl_vi_options, track_function, 320);
  PIN(sl_vi_options, stop_change, 352);
  PIN(sl_vi_options, max_norm, 392);
  CHECK_INTEGER(sizeof(sl_vi_options), 400);
  PIN(sl_vi_report, verdict, 786);
  PIN(sl_vi_report, upper_bound, 1304);
  PIN(sl_vi_report, restored, 1400);
  PIN(sl_vi_report, largest_weight, 1408);
  PIN(sl_vi_report, strays, 1496);
  PIN(sl_vi_report, sd_gap, 1544);
  PIN(sl_vi_report, tail_missed, 1568);
  CHECK_INTEGER(sizeof(sl_vi_report), 1584);

  PIN(sl_evidence_options, draws, 16);
  PIN(sl_evidence_options, seed, 72);
  CHECK_INTEGER(sizeof(sl_evidence_options), 80);
  PIN(sl_evidence_report, gradient_evaluations, 88);
  PIN(sl_evidence_report, verdict, 97);
  CHECK_INTEGER(sizeof(sl_evidence_report), 616);

  PIN(sl_fit_progress, size, 0);
  PIN(sl_fit_progress, step, 8);
  PIN(sl_fit_progress, steps, 16);
  PIN(sl_fit_progress, loss, 24);
  PIN(sl_fit_progress, valid_loss, 32);
  PIN(sl_fit_progress, best_valid_loss, 40);
  PIN(sl_fit_progress, seconds, 48);
  PIN(sl_fit_progress, rows_per_second, 56);
  CHECK_INTEGER(sizeof(sl_fit_progress), 64);

  PIN(sl_fit_report, size, 0);
  PIN(sl_fit_report, steps, 8);
  PIN(sl_fit_report, train, 32);
  PIN(sl_fit_report, gaussian_mixture, 160);
  PIN(sl_fit_report, mixture_components, 192);
  PIN(sl_fit_report, seconds, 200);
  PIN(sl_fit_report, verdict, 216);
  PIN(sl_fit_report, notes, 728);
  PIN(sl_fit_report, trouble, 1752);
  CHECK_INTEGER(sizeof(sl_fit_report), 2264);
}

TEST(fit_options) {
  PIN(sl_fit_options, size, 0);
  PIN(sl_fit_options, formula, 8);
  PIN(sl_fit_options, base, 16);
  PIN(sl_fit_options, precision, 24);
  PIN(sl_fit_options, seed, 32);
  PIN(sl_fit_options, steps, 40);
  PIN(sl_fit_options, epochs, 48);
  PIN(sl_fit_options, batch, 56);
  PIN(sl_fit_options, rate, 64);
  PIN(sl_fit_options, optimizer, 72);
  PIN(sl_fit_options, schedule, 80);
  PIN(sl_fit_options, weight_decay, 88);
  PIN(sl_fit_options, epsilon, 120);
  PIN(sl_fit_options, warmup, 128);
  PIN(sl_fit_options, clip, 136);
  PIN(sl_fit_options, ema, 144);
  PIN(sl_fit_options, valid_every, 152);
  PIN(sl_fit_options, patience, 160);
  PIN(sl_fit_options, max_seconds, 168);
  PIN(sl_fit_options, valid_fraction, 176);
  PIN(sl_fit_options, test_fraction, 184);
  PIN(sl_fit_options, dequantize, 192);
  PIN(sl_fit_options, baselines, 196);
  PIN(sl_fit_options, checkpoint, 200);
  PIN(sl_fit_options, checkpoint_every, 208);
  PIN(sl_fit_options, resume, 216);
  PIN(sl_fit_options, progress, 224);
  PIN(sl_fit_options, progress_user, 232);
  CHECK_INTEGER(sizeof(sl_fit_options), 240);
}

/* The default fill knows every member: one left out would hold the pattern still. */
TEST(defaults_reach_every_member) {
  sl_fit_options a, b;
  memset(&a, 0x11, sizeof a);
  memset(&b, 0xee, sizeof b);
  sl_fit_options_default(&a, sizeof a);
  sl_fit_options_default(&b, sizeof b);
  const unsigned char *left = (const unsigned char *)&a, *right = (const unsigned char *)&b;
  for (size_t i = 0; i < sizeof a; i++) {
    if (i >= 28 && i < 32) continue; /* padding after precision */
    if (!CHECK(left[i] == right[i])) printf("  byte %zu\n", i);
  }
}
