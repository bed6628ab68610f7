/* One row of a summary for every parameter of a table of draws. Parameters are spread over the
 * threads, each with work memory of its own; no row depends on another. */
#include <math.h>

#include "base/pool.h"
#include "infer/diagnose/series.h"

static double natural(const sl__series_work *work, double scaled) {
  return ldexp(scaled, work->exponent);
}

static void summarise_one(sl__series_work *work, const sl__series *series, sl__summary_row *row) {
  *row = (sl__summary_row){.mean = NAN,
                           .mcse_mean = NAN,
                           .sd = NAN,
                           .mcse_sd = NAN,
                           .q5 = NAN,
                           .q50 = NAN,
                           .q95 = NAN,
                           .ess_bulk = NAN,
                           .ess_tail = NAN,
                           .rhat = NAN};
  const bool moves = sl__series_load(work, series);
  for (int64_t i = 0; i < work->count; i++) row->non_finite += !isfinite(work->values[i]);
  if (row->non_finite > 0) return;
  sl__series_scale(work);
  row->constant = work->sorted[0] == work->sorted[work->count - 1];
  const double mean = row->constant ? work->sorted[0] : sl__series_mean(work);
  row->mean = natural(work, mean);
  if (work->count > 1)
    row->sd = row->constant ? 0 : natural(work, sqrt(sl__series_variance(work, mean)));
  row->q5 = natural(work, sl__series_quantile(work, 0.05));
  row->q50 = natural(work, sl__series_quantile(work, 0.5));
  row->q95 = natural(work, sl__series_quantile(work, 0.95));
  if (!moves) return;
  row->ess_tail = sl__loaded_ess_tail(work);
  row->ess_bulk = sl__loaded_ess_bulk(work);
  row->rhat = sl__loaded_rhat(work);
  row->mcse_mean = sl__loaded_mcse_mean(work);
  row->mcse_sd = sl__loaded_mcse_sd(work);
}

typedef struct summary {
  const sl__series *first;
  int64_t parameter_stride;
  sl__summary_row *rows;
  sl__series_work *work; /* [threads] */
} summary;

static void summarise_task(void *user, int64_t index, int worker) {
  const summary *s = user;
  sl__series series = *s->first;
  series.values += index * s->parameter_stride;
  summarise_one(&s->work[worker], &series, &s->rows[index]);
}

sl_status sl__summarise(sl_context *context, const sl__series *first, int64_t parameters,
                        int64_t parameter_stride, sl__summary_row *rows) {
  sl__arena arena;
  sl_status status = SL_OK;
  summary s = {.first = first, .parameter_stride = parameter_stride, .rows = rows};
  sl__arena_open(&arena, context);
  s.work = sl__arena_take(&arena, (size_t)context->threads, sizeof *s.work);
  if (!s.work) status = SL_NO_MEMORY;
  for (int i = 0; i < context->threads && status == SL_OK; i++)
    status = sl__series_work_take(&arena, first->chains, first->draws, &s.work[i]);
  if (status == SL_OK) sl__parallel(context, parameters, summarise_task, &s);
  sl__arena_close(&arena);
  return status;
}
