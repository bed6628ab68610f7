/* The log evidence of a target, from a flow that was fitted to it. */
#include <string.h>

#include "api/handle.h"
#include "api/target.h"
#include "infer/posterior/posterior.h"

void sl_evidence_options_default(sl_evidence_options *options, size_t size) {
  sl__evidence_options own;
  sl__evidence_defaults(&own);
  sl_evidence_options all = {.judge = own.judge, .chains = own.chains, .moves = own.moves};
  all.size = size < sizeof all ? size : sizeof all;
  memcpy(options, &all, all.size);
}

static sl_status read_options(sl_context *context, const sl_evidence_options *options,
                              sl_evidence_options *out) {
  sl_evidence_options_default(out, sizeof *out);
  if (!options) return SL_OK;
  if (options->size < sizeof(size_t) || options->size > sizeof *out)
    return sl__fail(
        context, SL_BAD_ARGUMENT,
        "sl_evidence_options.size is not known; call sl_evidence_options_default first");
  memcpy(out, options, options->size);
  return SL_OK;
}

static sl_status read_draws(sl_context *context, const sl_target *target,
                            const sl_evidence_options *options, sl__posterior_draws *out) {
  const sl_array_in *draws = &options->draws;
  const int32_t dim = target->target->dim;
  *out = (sl__posterior_draws){0};
  if (!draws->data) return SL_OK;
  SL__TRY(sl__check_in(context, "draws", draws, -1, dim));
  if (draws->dtype != SL_F64 || draws->column_stride != 1 || draws->row_stride != dim)
    return sl__fail(context, SL_BAD_ARGUMENT, "draws must be contiguous float64");
  if (options->chains < 1 || draws->rows < options->chains || draws->rows % options->chains != 0)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "%lld rows are not %d chains of equal length; pass those of each chain in turn",
                    (long long)draws->rows, (int)options->chains);
  *out = (sl__posterior_draws){options->chains, draws->rows / options->chains, draws->data};
  return SL_OK;
}

static void fill_report(const sl__evidence_report *own, sl_evidence_report *report) {
  sl_evidence_report full = {.size = report->size,
                             .log_evidence = own->value,
                             .se = own->se,
                             .importance = own->importance,
                             .importance_se = own->importance_se,
                             .bridge = own->bridge.value,
                             .bridge_se = own->bridge.se,
                             .khat = own->psis.khat,
                             .khat_threshold = own->psis.threshold,
                             .ess = own->psis.ess,
                             .rhat = own->rhat,
                             .gradient_evaluations = own->gradient_evaluations,
                             .trusted = own->trusted};
  _Static_assert(sizeof full.verdict == sizeof own->verdict, "a verdict fits");
  memcpy(full.verdict, own->verdict, sizeof full.verdict);
  memcpy(report, &full, report->size);
}

sl_status sl_evidence(sl_context *context, const sl_target *target, const sl_flow *flow,
                      const sl_evidence_options *options, sl_evidence_report *report) {
  sl_evidence_options all;
  sl__posterior_draws draws;
  sl__evidence_report own;
  if (!report || report->size < sizeof(size_t) || report->size > sizeof *report)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "sl_evidence_report.size is not known; set it to sizeof(sl_evidence_report)");
  SL__TRY(read_options(context, options, &all));
  SL__TRY(read_draws(context, target, &all, &draws));
  const sl__evidence_options how = {
      .judge = all.judge, .chains = all.chains, .moves = all.moves, .seed = all.seed};
  SL__TRY(sl__posterior_evidence(context, target->target, flow->model, &draws, &how, &own));
  fill_report(&own, report);
  return SL_OK;
}
